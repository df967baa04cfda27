/* SPDX-License-Identifier: MIT */
/* Instructions that C has no words for. No register of the hypervisor's is written: there is nothing here
 * that could. */
#ifndef UEFI_CPU_H
#define UEFI_CPU_H

#include <stdint.h>

#define CR4_LA57 (1ull << 12)

static inline void cpu_out8(uint16_t port, uint8_t value)
{
	__asm__ volatile("outb %0, %1" : : "a"(value), "Nd"(port));
}

static inline uint8_t cpu_in8(uint16_t port)
{
	uint8_t value;

	__asm__ volatile("inb %1, %0" : "=a"(value) : "Nd"(port));
	return value;
}

static inline void cpu_pause(void)
{
	__asm__ volatile("pause");
}

static inline void cpu_cpuid(uint32_t leaf, uint32_t out[4])
{
	__asm__ volatile("cpuid"
			 : "=a"(out[0]), "=b"(out[1]), "=c"(out[2]), "=d"(out[3])
			 : "a"(leaf), "c"(0));
}

static inline uint64_t cpu_msr_read(uint32_t msr)
{
	uint32_t low, high;

	__asm__ volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(msr));
	return (uint64_t)high << 32 | low;
}

static inline uint64_t cpu_cr4(void)
{
	uint64_t value;

	__asm__ volatile("movq %%cr4, %0" : "=r"(value));
	return value;
}

static inline _Noreturn void cpu_halt(void)
{
	for (;;)
		__asm__ volatile("cli\n\thlt");
}

#endif
