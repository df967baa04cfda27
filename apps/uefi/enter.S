/* SPDX-License-Identifier: MIT */
/*
 * The last step: onto page tables of our own, the image to its place, and in. Firmware's tables,
 * descriptors and stack may lie where the image goes; nothing here needs them any more. Microsoft's
 * calling convention:
 *
 *   _Noreturn void enter_image(uint64_t tables, const struct enter_copy *copies, uint64_t entry,
 *                              uint64_t told)
 */
#define CR4_PGE 0x80

	.text
	.globl enter_image
enter_image:
	cli
	cld
	movq %cr4, %rax
	andq $~CR4_PGE, %rax /* global pages would outlive the firmware's tables */
	movq %rax, %cr4
	movq %rcx, %cr3
	leaq enter_stack_top(%rip), %rsp
	movq %rdx, %rbx
	movq %r8, %r12
	movq %r9, %r13

/* struct enter_copy: to, from, bytes, zeros behind them; to is 0 at the end. */
1:	movq (%rbx), %rdi
	testq %rdi, %rdi
	jz 2f
	movq 8(%rbx), %rsi
	movq 16(%rbx), %rcx
	rep movsb
	movq 24(%rbx), %rcx
	xorl %eax, %eax
	rep stosb
	addq $32, %rbx
	jmp 1b

2:	movq %r13, %rsi
	xorl %ebp, %ebp
	jmpq *%r12

	.bss
	.balign 16
	.skip 4096
enter_stack_top:
