/* SPDX-License-Identifier: MIT */
/* The beginning of the guests here: a stack, an interrupt table, guest_main. Entered in long mode
 * with 4 GiB mapped as they lie and Linux's zero page in RSI. */
#include "guest.h"

__asm__(".globl _start\n"
	"_start:\n"
	"	cli\n"
	"	leaq guest_stack + 16384(%rip), %rsp\n"
	"	movq %rsi, %rdi\n"
	"	call guest_begin\n"
	"	outb %al, $0xf4\n"
	"1:	hlt\n"
	"	jmp 1b\n"
	/* #GP: has an error code; rdmsr, wrmsr have two bytes and are skipped. */
	".globl on_gp\n"
	"on_gp:\n"
	"	addq $8, %rsp\n"
	"	addq $2, (%rsp)\n"
	"	incl guest_faults(%rip)\n"
	"	iretq\n"
	/* #UD of a hypercall: what follows is the page's return. */
	".globl on_ud\n"
	"on_ud:\n"
	"	incl guest_faults(%rip)\n"
	"	iretq\n"
	".globl on_sint\n"
	"on_sint:\n"
	"	incl guest_interrupts(%rip)\n"
	"	pushq %rax\n"
	"	movl $0xfee000b0, %eax\n" /* the APIC's EOI register */
	"	movl $0, (%rax)\n"
	"	popq %rax\n"
	"	iretq\n");

void on_gp(void);
void on_ud(void);
void on_sint(void);
int guest_begin(const void *zero_page);

uint8_t guest_stack[16384] __attribute__((aligned(16)));
volatile uint32_t guest_faults, guest_interrupts;

static struct {
	uint16_t low, selector;
	uint8_t stack, type;
	uint16_t middle;
	uint32_t high, zero;
} table[256] __attribute__((aligned(16)));

static void set_gate(uint32_t vector, void (*handler)(void))
{
	uint64_t address = (uint64_t)handler;

	table[vector].low = (uint16_t)address;
	table[vector].selector = 0x10;
	table[vector].type = 0x8e;
	table[vector].middle = (uint16_t)(address >> 16);
	table[vector].high = (uint32_t)(address >> 32);
}

int guest_begin(const void *zero_page)
{
	struct __attribute__((packed)) {
		uint16_t limit;
		uint64_t base;
	} pointer = {sizeof(table) - 1, (uint64_t)table};

	set_gate(6, on_ud);
	set_gate(13, on_gp);
	set_gate(GUEST_VECTOR, on_sint);
	__asm__ volatile("lidt %0" : : "m"(pointer));
	return guest_main(zero_page);
}

/* The compiler may ask for these. */
void *memset(void *to, int value, size_t count)
{
	uint8_t *at = to;

	while (count--)
		*at++ = (uint8_t)value;
	return to;
}

void *memcpy(void *to, const void *from, size_t count)
{
	uint8_t *at = to;
	const uint8_t *source = from;

	while (count--)
		*at++ = *source++;
	return to;
}
