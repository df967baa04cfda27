/* SPDX-License-Identifier: MIT */
/* A PVH kernel of a few instructions: its start info is at EBX, with a command line; it ends with
 * 0, by itself and without a stack. */
__asm__(".section .note.xen, \"a\", @note\n"
	"	.long 4, 4, 18\n"
	"	.asciz \"Xen\"\n"
	"	.long pvh_entry\n"
	".text\n"
	".globl _start\n"
	"_start:\n" /* the 64-bit entry is another one */
	"	movb $99, %al\n"
	"	outb %al, $0xf4\n"
	".code32\n"
	"pvh_entry:\n"
	"	movb $1, %al\n"
	"	cmpl $0x336ec578, (%ebx)\n"
	"	jne 1f\n"
	"	incb %al\n"
	"	cmpl $1, 4(%ebx)\n" /* version: there is a memory map */
	"	jne 1f\n"
	"	incb %al\n"
	"	movl 32(%ebx), %esi\n" /* RSDP */
	"	cmpl $0x20445352, (%esi)\n"
	"	jne 1f\n"
	"	incb %al\n"
	"	movl 40(%ebx), %esi\n" /* the map begins with RAM at 0 */
	"	cmpl $0, (%esi)\n"
	"	jne 1f\n"
	"	cmpl $1, 16(%esi)\n"
	"	jne 1f\n"
	"	movb $0, %al\n"
	"1:	outb %al, $0xf4\n"
	"	hlt\n"
	".code64\n");
