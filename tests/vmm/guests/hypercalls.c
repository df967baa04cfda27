/* SPDX-License-Identifier: MIT */
/* The hypercall page: results come back, no other register changes, and without it #UD. */
#include "hypercall.inc"

static uint8_t copy[4096] __attribute__((aligned(4096)));

/* All registers that the call must keep hold patterns. */
static int keeps_registers(void)
{
	uint64_t kept = 0;

	__asm__ volatile("movq $0x1111, %%rbx\n movq $0x2222, %%rsi\n movq $0x3333, %%rdi\n"
			 "movq $0x4444, %%r9\n movq $0x5555, %%r10\n movq $0x6666, %%r11\n"
			 "movq $0x7777, %%r8\n movq $0xffff, %%rcx\n movq $0x8888, %%rdx\n"
			 "leaq hypercall_page(%%rip), %%rax\n"
			 "call *%%rax\n"
			 "cmpq $0x1111, %%rbx\n jne 1f\n cmpq $0x2222, %%rsi\n jne 1f\n"
			 "cmpq $0x3333, %%rdi\n jne 1f\n cmpq $0x4444, %%r9\n jne 1f\n"
			 "cmpq $0x5555, %%r10\n jne 1f\n cmpq $0x6666, %%r11\n jne 1f\n"
			 "cmpq $0x7777, %%r8\n jne 1f\n cmpq $0xffff, %%rcx\n jne 1f\n"
			 "cmpq $0x8888, %%rdx\n jne 1f\n"
			 "movq $1, %%rax\n jmp 2f\n"
			 "1: movq $0, %%rax\n"
			 "2:\n"
			 : "=a"(kept)
			 :
			 : "rbx", "rcx", "rdx", "rsi", "rdi", "r8", "r9", "r10", "r11", "memory", "cc");
	return (int)kept;
}

int guest_main(const void *zero_page)
{
	(void)zero_page;
	enable_hypercalls();
	if (hypercall_page[0] != 0xf3 || hypercall_page[1] != 0x0f)
		return 1;
	memcpy(copy, hypercall_page, sizeof(copy));
	if (hypercall(0xffff, 0, 0) != HV_STATUS_INVALID_HYPERCALL_CODE)
		return 2;
	if (!keeps_registers())
		return 3;
	if (guest_faults)
		return 4;
	wrmsr(HV_MSR_HYPERCALL, 0);
	if (hypercall_page[0] != 0) /* what lay below is back */
		return 5;
	__asm__ volatile("call *%0" : : "r"(copy), "c"(0xffff), "d"(0) : "rax", "r8", "memory");
	return guest_faults == 1 ? 0 : 6;
}
