/* SPDX-License-Identifier: MIT */
/* GDT, TSS and IDT. Each CPU has its own GDT and TSS, all share the IDT. */
#include "ports/bare-x86_64/private.h"

#define VECTORS 256u
#define STUB_BYTES 16u
#define GATE_INTERRUPT 0x8eu /* present, ring 0, interrupts off */
#define TSS_AVAILABLE 0x0000890000000000ull

struct gate {
	uint16_t offset_low, selector;
	uint8_t ist, type;
	uint16_t offset_middle;
	uint32_t offset_high, reserved;
};
_Static_assert(sizeof(struct gate) == 16, "SDM 3A 6.14");

struct table_register {
	uint16_t limit;
	uint64_t base;
} __attribute__((packed));

extern const uint8_t bare_vectors[]; /* vectors.S */

static struct gate gates[VECTORS] __attribute__((aligned(16)));

/* Exceptions that a broken stack can cause, or that may come at any time, bring a stack of
 * their own. */
static uint8_t stack_for(uint32_t vector)
{
	switch (vector) {
	case 14: /* page fault: the guard page below a stack */
		return 1;
	case 8: /* double fault */
		return 2;
	case 2:  /* NMI */
	case 18: /* machine check */
		return 3;
	default:
		return 0;
	}
}

static void fill_gates(void)
{
	for (uint32_t i = 0; i < VECTORS; i++) {
		uint64_t stub = (uint64_t)(uintptr_t)bare_vectors + i * STUB_BYTES;

		gates[i] = (struct gate){
			.offset_low = (uint16_t)stub,
			.selector = SELECTOR_CODE,
			.ist = stack_for(i),
			.type = GATE_INTERRUPT,
			.offset_middle = (uint16_t)(stub >> 16),
			.offset_high = (uint32_t)(stub >> 32),
		};
	}
}

static void fill_gdt(struct bare_cpu *cpu)
{
	uint64_t tss = (uint64_t)(uintptr_t)&cpu->tss;

	cpu->gdt[0] = 0;
	cpu->gdt[1] = 0x00af9b000000ffffull; /* code, 64 bits */
	cpu->gdt[2] = 0x00cf93000000ffffull; /* data */
	cpu->gdt[3] = 0;
	cpu->gdt[4] = TSS_AVAILABLE | (sizeof(struct tss) - 1) | (tss & 0xffffff) << 16 |
		      (tss >> 24 & 0xff) << 56;
	cpu->gdt[5] = tss >> 32;
}

static void fill_tss(struct bare_cpu *cpu)
{
	uint64_t top = bare_stack_top(cpu);

	for (uint32_t i = 0; i < FAULT_STACKS; i++) {
		top += (1u + FAULT_STACK_PAGES) * PAGE_SIZE;
		cpu->tss.ist[2 * i] = (uint32_t)top;
		cpu->tss.ist[2 * i + 1] = (uint32_t)(top >> 32);
	}
	cpu->tss.io_map = sizeof(struct tss);
}

void descriptors_load(struct bare_cpu *cpu)
{
	struct table_register gdt = {sizeof(cpu->gdt) - 1, (uint64_t)(uintptr_t)cpu->gdt};
	struct table_register idt = {sizeof(gates) - 1, (uint64_t)(uintptr_t)gates};

	if (cpu->index == 0)
		fill_gates();
	fill_gdt(cpu);
	fill_tss(cpu);
	__asm__ volatile("lgdt %0" : : "m"(gdt));
	/* The selectors mean what they meant before: nothing to reload but the task's. */
	__asm__ volatile("ltr %w0" : : "r"(SELECTOR_TSS));
	__asm__ volatile("lidt %0" : : "m"(idt));
	(void)cpu_msr_write(MSR_GS_BASE, (uint64_t)(uintptr_t)cpu);
}
