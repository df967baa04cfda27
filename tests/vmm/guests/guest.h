/* SPDX-License-Identifier: MIT */
/* For the small guests of these tests: registers, ports, the hypercall page, a bus. */
#ifndef TESTS_VMM_GUEST_H
#define TESTS_VMM_GUEST_H

#include <stddef.h>
#include <stdint.h>

#include "hvkit/wire/hypervisor.h"

#define GUEST_VECTOR 0x51u
#define GUEST_SINT 2u
#define APIC ((volatile uint32_t *)0xfee00000u)
#define APIC_SPURIOUS (0xf0u / 4)
#define APIC_ENABLE 0x1ffu

/* What the guest does; its result is its exit status. */
int guest_main(const void *zero_page);

extern volatile uint32_t guest_faults, guest_interrupts;
void *memset(void *to, int value, size_t count);
void *memcpy(void *to, const void *from, size_t count);

static inline void out8(uint16_t port, uint8_t value)
{
	__asm__ volatile("outb %0, %1" : : "a"(value), "Nd"(port) : "memory");
}

static inline uint32_t in32(uint16_t port)
{
	uint32_t value;

	__asm__ volatile("inl %1, %0" : "=a"(value) : "Nd"(port));
	return value;
}

static inline uint8_t in8(uint16_t port)
{
	uint8_t value;

	__asm__ volatile("inb %1, %0" : "=a"(value) : "Nd"(port));
	return value;
}

static inline uint64_t rdmsr(uint32_t index)
{
	uint32_t low = 0, high = 0;

	__asm__ volatile("rdmsr" : "+a"(low), "+d"(high) : "c"(index) : "memory");
	return (uint64_t)high << 32 | low;
}

static inline void wrmsr(uint32_t index, uint64_t value)
{
	__asm__ volatile("wrmsr"
			 :
			 : "c"(index), "a"((uint32_t)value), "d"((uint32_t)(value >> 32))
			 : "memory");
}

static inline void cpuid(uint32_t leaf, uint32_t subleaf, uint32_t out[4])
{
	__asm__ volatile("cpuid"
			 : "=a"(out[0]), "=b"(out[1]), "=c"(out[2]), "=d"(out[3])
			 : "a"(leaf), "c"(subleaf));
}

static inline void print(const char *text)
{
	while (*text)
		out8(0x3f8, (uint8_t)*text++);
}

/* From Linux's zero page. */
static inline const char *command_line(const void *zero_page)
{
	uint32_t address;

	memcpy(&address, (const uint8_t *)zero_page + 0x228, sizeof(address));
	return (const char *)(uint64_t)address;
}

/* --- Hypercalls (hypercall.inc) ------------------------------------------------------------ */

void enable_hypercalls(void);
uint64_t hypercall(uint64_t control, uint64_t input, uint64_t output);
extern uint8_t hypercall_page[4096];

#endif
