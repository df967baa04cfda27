/* SPDX-License-Identifier: MIT */
/*
 * The ways in: PVH (32 bits, paging off, EBX = hvm_start_info), Multiboot 2 (the same, EAX says so, EBX =
 * its information), the 64-bit entry of Linux's boot protocol (long mode, RSI = zero page, no stack), and
 * the other CPUs (16 bits).
 * Sources: Xen's public/arch-x86/hvm/start_info.h; Multiboot 2 Specification 2.0, 3.1 and 3.3; Linux
 * Documentation/arch/x86/boot.rst; SDM 3A 9.9.
 */
#include "selectors.h"

#define CR0_VALUE 0x80010033 /* paging, write protection, native FPU errors, protected mode */
#define CR0_PROTECTED 0x11
#define CR4_PAE 0x20
#define CR4_VALUE 0x60 /* PAE, and machine checks as exceptions: without, they are a shutdown */
#define MSR_EFER 0xc0000080
#define EFER_LME 0x100
#define EFER_NXE 0x800
#define MULTIBOOT_HEADER_MAGIC 0xe85250d6
#define MULTIBOOT_LOADER_MAGIC 0x36d76289
#define MULTIBOOT_I386 0
#define MULTIBOOT_TAG_REQUEST 1
#define MULTIBOOT_TAG_ENTRY 3
#define MULTIBOOT_TAG_FRAME_BUFFER 5
#define MULTIBOOT_OPTIONAL 1

	.section .note.Xen, "a", @note
	.balign 4
	.long 4 /* of the name */
	.long 4 /* of the value */
	.long 18 /* XEN_ELFNOTE_PHYS32_ENTRY */
	.asciz "Xen"
	.long bare_pvh_entry

/* Loaders look for this in the first 32 KiB of the file. A memory map is asked for, and pixels rather
 * than nothing to write on: firmware of machines without a VGA has no letters of its own. */
	.section .text.header, "a", @progbits
	.balign 8
multiboot_header:
	.long MULTIBOOT_HEADER_MAGIC
	.long MULTIBOOT_I386
	.long multiboot_header_end - multiboot_header
	.long -(MULTIBOOT_HEADER_MAGIC + MULTIBOOT_I386 + (multiboot_header_end - multiboot_header))
	.balign 8
	.short MULTIBOOT_TAG_REQUEST, 0
	.long 12
	.long 6 /* the memory map */
	.balign 8
	.short MULTIBOOT_TAG_ENTRY, 0
	.long 12
	.long bare_multiboot_entry
	.balign 8
	.short MULTIBOOT_TAG_FRAME_BUFFER, MULTIBOOT_OPTIONAL
	.long 20
	.long 0, 0, 32 /* any width, any height, bits of a pixel */
	.balign 8
	.short 0, 0
	.long 8
multiboot_header_end:

	.section .text.entry, "ax", @progbits

/* --- PVH and Multiboot 2 ----------------------------------------------------------------- */

	.code32
	.globl bare_multiboot_entry
	.type bare_multiboot_entry, @function
bare_multiboot_entry:
	movl $3, %ebp /* BOOT_MULTIBOOT */
	cmpl $MULTIBOOT_LOADER_MAGIC, %eax
	je from_32_bits
	xorl %ebx, %ebx /* another loader's: no information at all */
	jmp from_32_bits

	.globl bare_pvh_entry
	.type bare_pvh_entry, @function
bare_pvh_entry:
	movl $1, %ebp /* BOOT_PVH */
from_32_bits:
	cli
	cld
	movl %ebx, %esi
	lgdt boot_gdtr
	movl $CR4_PAE, %eax
	movl %eax, %cr4
	movl $boot_pml4, %eax
	movl %eax, %cr3
	movl $MSR_EFER, %ecx
	rdmsr
	orl $EFER_LME, %eax
	wrmsr
	movl $CR0_VALUE, %eax
	movl %eax, %cr0
	ljmp $SELECTOR_CODE, $from_32_bits_64

	.code64
from_32_bits_64:
	movl %esi, %r12d
	movl %ebp, %r13d
	jmp in_long_mode

/* --- Linux's 64-bit entry -------------------------------------------------------------- */

	.globl bare_linux_entry
	.type bare_linux_entry, @function
bare_linux_entry:
	cli
	cld
	movq %rsi, %r12
	movl $2, %r13d /* BOOT_ZERO_PAGE */

/* R12: what the loader has to say, R13: in which form. Nobody has promised that the page
 * tables we run on, or the descriptors, stay where they are; and global pages of the loader's
 * would outlive its tables, with its rights, if CR4 were left as it is. */
in_long_mode:
	movl $boot_pml4, %eax
	movq %rax, %cr3
	movl $CR4_VALUE, %eax
	movq %rax, %cr4
	movl $CR0_VALUE, %eax
	movq %rax, %cr0
	movl $bare_bss_start, %edi
	movl $bare_bss_end, %ecx
	subl %edi, %ecx
	shrl $3, %ecx /* both are page aligned */
	xorl %eax, %eax
	rep stosq
	lgdt boot_gdtr
	movl $boot_stack_top, %esp
	pushq $SELECTOR_CODE
	pushq $1f
	lretq
1:	movl $SELECTOR_DATA, %eax
	movl %eax, %ds
	movl %eax, %es
	movl %eax, %ss
	movl %eax, %fs
	movl %eax, %gs
	movl %r13d, %edi
	movq %r12, %rsi
	xorl %ebp, %ebp
	call bare_entry
	ud2

/* --- The other CPUs ----------------------------------------------------------------------- */

/* Copied to a page below 1 MiB, whose number is in the start-up interrupt. All addresses are
 * those of the image, so the copy needs no mending. */
	.code16
	.globl bare_trampoline, bare_trampoline_end
bare_trampoline:
	cli
	cld
	movw %cs, %ax
	movw %ax, %ds
	lgdtl trampoline_gdtr - bare_trampoline
	movl $CR0_PROTECTED, %eax
	movl %eax, %cr0
	ljmpl $SELECTOR_CODE32, $cpu_entry_32
	.balign 8
trampoline_gdtr:
	.word boot_gdt_end - boot_gdt - 1
	.long boot_gdt
bare_trampoline_end:

	.code32
	.type cpu_entry_32, @function
cpu_entry_32:
	movl $SELECTOR_DATA, %eax
	movl %eax, %ds
	movl %eax, %es
	movl %eax, %ss
	movl %eax, %fs
	movl %eax, %gs
	movl $CR4_VALUE, %eax
	movl %eax, %cr4
	movl bare_next_cr3, %eax
	movl %eax, %cr3
	movl $MSR_EFER, %ecx
	rdmsr
	orl $(EFER_LME | EFER_NXE), %eax
	wrmsr
	movl $CR0_VALUE, %eax
	movl %eax, %cr0
	ljmp $SELECTOR_CODE, $cpu_entry_64

	.code64
	.type cpu_entry_64, @function
cpu_entry_64:
	movq bare_next_stack, %rsp
	movq bare_next_cpu, %rdi
	xorl %ebp, %ebp
	call bare_cpu_entry
	ud2

/* --- Onto another stack, for good: RDI its top, RSI where to go on ------------------------------ */

	.text
	.globl bare_on_stack
	.type bare_on_stack, @function
bare_on_stack:
	movq %rdi, %rsp
	xorl %ebp, %ebp
	call *%rsi
	ud2

/* --- Until there are tables of our own ----------------------------------------------------------- */

	.section .rodata
	.balign 8
boot_gdt:
	.quad 0
	.quad 0x00af9b000000ffff /* SELECTOR_CODE: 64 bits */
	.quad 0x00cf93000000ffff /* SELECTOR_DATA */
	.quad 0x00cf9b000000ffff /* SELECTOR_CODE32 */
boot_gdt_end:
boot_gdtr:
	.word boot_gdt_end - boot_gdt - 1
	.quad boot_gdt

/* The first 4 GiB, one to one, all rights: for the first steps only. */
	.section .data
	.balign 4096
boot_pml4:
	.quad boot_pdpt + 3
	.fill 511, 8, 0
boot_pdpt:
	.quad boot_pd + 0x0003
	.quad boot_pd + 0x1003
	.quad boot_pd + 0x2003
	.quad boot_pd + 0x3003
	.fill 508, 8, 0
boot_pd:
	.set address, 0
	.rept 2048
	.quad address + 0x83
	.set address, address + 0x200000
	.endr

	.globl bare_next_cr3, bare_next_stack, bare_next_cpu
bare_next_cr3:
	.quad 0
bare_next_stack:
	.quad 0
bare_next_cpu:
	.quad 0

	.section .bss
	.balign 16
	.skip 16384
boot_stack_top:
	.section .note.GNU-stack, "", @progbits
