/* SPDX-License-Identifier: MIT */
/* 256 stubs, 16 bytes each, that lead all interrupts to bare_trap() with a struct bare_frame. */

	.text
	.balign 16
	.globl bare_vectors
bare_vectors:
	.set vector, 0
	.rept 256
	.balign 16
	/* These push an error code themselves (SDM 3A 6.13). */
	.if !(vector == 8 || (vector >= 10 && vector <= 14) || vector == 17 || vector == 21 || vector == 29 || vector == 30)
	pushq $0
	.endif
	pushq $vector
	jmp trap
	.set vector, vector + 1
	.endr

	.type trap, @function
trap:
	pushq %rax
	pushq %rbx
	pushq %rcx
	pushq %rdx
	pushq %rsi
	pushq %rdi
	pushq %rbp
	pushq %r8
	pushq %r9
	pushq %r10
	pushq %r11
	pushq %r12
	pushq %r13
	pushq %r14
	pushq %r15
	cld
	movq %rsp, %rdi
	call bare_trap
	popq %r15
	popq %r14
	popq %r13
	popq %r12
	popq %r11
	popq %r10
	popq %r9
	popq %r8
	popq %rbp
	popq %rdi
	popq %rsi
	popq %rdx
	popq %rcx
	popq %rbx
	popq %rax
	addq $16, %rsp /* vector, error code */
	iretq
	.section .note.GNU-stack, "", @progbits
