/* SPDX-License-Identifier: MIT */
/*
 * The last step before another program: it runs in the launch area, a copy of what stands here, so that
 * the program may lie where this image was. Everything that it needs is in that area (launch.h).
 * Sources of the states: Linux Documentation/arch/x86/boot.rst (64-bit), Xen's start_info.h (PVH).
 */
#include "launch.h"

#define CR0_PAGING_OFF 0x7fffffff
#define CR4_PAE 0x20
#define MSR_EFER 0xc0000080
#define EFER_PAGING_OFF 0xfffff2ff /* without LME, LMA and NXE */

/* RDI: the area. On tables of the image's that do not let it run there: the tables change first. */
	.text
	.globl bare_launch_enter
	.type bare_launch_enter, @function
bare_launch_enter:
	cli
	cld
	movl $CR4_PAE, %eax
	movq %rax, %cr4
	movq LAUNCH_CR3(%rdi), %rax
	movq %rax, %cr3
	leaq LAUNCH_CODE(%rdi), %rax
	jmp *%rax

	.globl bare_launch_code, bare_launch_code_end
bare_launch_code:
	movq %rdi, %rbp
	leaq LAUNCH_STACK(%rbp), %rsp
	lgdt LAUNCH_GDTR(%rbp)
	leaq in_segment(%rip), %rax
	pushq $LAUNCH_CODE64
	pushq %rax
	lretq
in_segment:
	movl $LAUNCH_DATA, %eax
	movl %eax, %ds
	movl %eax, %es
	movl %eax, %ss
	movl %eax, %fs
	movl %eax, %gs
	movq LAUNCH_COUNT(%rbp), %r8
	leaq LAUNCH_COPIES(%rbp), %r9
next_copy: /* to, from (all ones: zeros), length */
	testq %r8, %r8
	jz copied
	movq (%r9), %rdi
	movq 8(%r9), %rsi
	movq 16(%r9), %rcx
	addq $24, %r9
	decq %r8
	cmpq $-1, %rsi
	je fill
	rep movsb
	jmp next_copy
fill:
	xorl %eax, %eax
	rep stosb
	jmp next_copy
copied:
	cmpq $0, LAUNCH_PROTECTED(%rbp)
	jne to_protected_mode
	movq LAUNCH_ARGUMENT(%rbp), %rsi
	movq LAUNCH_ENTRY(%rbp), %rax
	xorl %ebx, %ebx
	xorl %ecx, %ecx
	xorl %edx, %edx
	xorl %edi, %edi
	xorl %ebp, %ebp
	jmp *%rax

to_protected_mode:
	leaq in_protected_mode(%rip), %rax
	pushq $LAUNCH_CODE32
	pushq %rax
	lretq
	.code32
in_protected_mode:
	movl $LAUNCH_DATA, %eax
	movl %eax, %ds
	movl %eax, %es
	movl %eax, %ss
	movl %eax, %fs
	movl %eax, %gs
	movl %cr0, %eax
	andl $CR0_PAGING_OFF, %eax
	movl %eax, %cr0
	movl $MSR_EFER, %ecx
	rdmsr
	andl $EFER_PAGING_OFF, %eax
	wrmsr
	xorl %eax, %eax
	movl %eax, %cr4
	movl $LAUNCH_TSS, %eax
	ltr %ax
	movl LAUNCH_ARGUMENT(%ebp), %ebx
	movl LAUNCH_ENTRY(%ebp), %eax
	xorl %ecx, %ecx
	xorl %edx, %edx
	xorl %esi, %esi
	xorl %edi, %edi
	xorl %ebp, %ebp
	jmp *%eax
	.code64
bare_launch_code_end:
	.section .note.GNU-stack, "", @progbits
