/* SPDX-License-Identifier: MIT */
/* Instructions that C has no words for. */
#ifndef BARE_CPU_H
#define BARE_CPU_H

#include <stdbool.h>
#include <stdint.h>

#define MSR_APIC_BASE 0x1bu
#define MSR_TSC_DEADLINE 0x6e0u
#define MSR_X2APIC 0x800u /* + register offset / 16 */
#define MSR_EFER 0xc0000080u
#define MSR_GS_BASE 0xc0000101u

#define EFER_NXE (1ull << 11)
#define FLAGS_INTERRUPTS (1ull << 9)

#define CPUID1_ECX_X2APIC (1u << 21)
#define CPUID1_ECX_TSC_DEADLINE (1u << 24)
#define CPUID1_ECX_RDRAND (1u << 30)

static inline void cpu_out8(uint16_t port, uint8_t value)
{
	__asm__ volatile("outb %0, %1" : : "a"(value), "Nd"(port));
}

static inline void cpu_out16(uint16_t port, uint16_t value)
{
	__asm__ volatile("outw %0, %1" : : "a"(value), "Nd"(port));
}

static inline uint8_t cpu_in8(uint16_t port)
{
	uint8_t value;

	__asm__ volatile("inb %1, %0" : "=a"(value) : "Nd"(port));
	return value;
}

static inline void cpu_cpuid(uint32_t leaf, uint32_t out[4])
{
	__asm__ volatile("cpuid"
			 : "=a"(out[0]), "=b"(out[1]), "=c"(out[2]), "=d"(out[3])
			 : "a"(leaf), "c"(0));
}

/* A register that does not exist raises #GP: the table in .fixups says where to go on then,
 * and "faulted" is still 1. */
#define CPU_FIXUP                         \
	".pushsection .fixups, \"a\"\n\t" \
	".quad 1b, 2b\n\t"                \
	".popsection\n\t"

static inline bool cpu_msr_read(uint32_t msr, uint64_t *value)
{
	uint32_t low = 0, high = 0, faulted = 1;

	__asm__ volatile("1:\trdmsr\n\t"
			 "movl $0, %[faulted]\n"
			 "2:\n\t" CPU_FIXUP
			 : "+a"(low), "+d"(high), [faulted] "+r"(faulted)
			 : "c"(msr)
			 : "memory");
	*value = (uint64_t)high << 32 | low;
	return !faulted;
}

static inline bool cpu_msr_write(uint32_t msr, uint64_t value)
{
	uint32_t faulted = 1;

	__asm__ volatile("1:\twrmsr\n\t"
			 "movl $0, %[faulted]\n"
			 "2:\n\t" CPU_FIXUP
			 : [faulted] "+r"(faulted)
			 : "c"(msr), "a"((uint32_t)value), "d"((uint32_t)(value >> 32))
			 : "memory");
	return !faulted;
}

static inline uint64_t cpu_efer(void)
{
	uint64_t value;

	(void)cpu_msr_read(MSR_EFER, &value);
	return value;
}

/* Ordered after earlier loads. */
static inline uint64_t cpu_tsc(void)
{
	uint32_t low, high;

	__asm__ volatile("lfence\n\trdtsc" : "=a"(low), "=d"(high) : : "memory");
	return (uint64_t)high << 32 | low;
}

static inline uint64_t cpu_flags(void)
{
	uint64_t flags;

	__asm__ volatile("pushfq\n\tpopq %0" : "=r"(flags) : : "memory");
	return flags;
}

static inline void cpu_interrupts_off(void)
{
	__asm__ volatile("cli" : : : "memory");
}

static inline void cpu_interrupts_on(void)
{
	__asm__ volatile("sti" : : : "memory");
}

/* Nothing can come between the two: an interrupt that is due ends the halt. */
static inline void cpu_halt_with_interrupts_on(void)
{
	__asm__ volatile("sti\n\thlt" : : : "memory");
}

static inline void cpu_relax(void)
{
	__asm__ volatile("pause" : : : "memory");
}

static inline _Noreturn void cpu_halt_for_ever(void)
{
	for (;;)
		__asm__ volatile("cli\n\thlt" : : : "memory");
}

/* False when the generator has nothing, which it may for a while (SDM 1, 7.3.17). */
static inline bool cpu_rdrand(uint64_t *value)
{
	bool ok;

	__asm__ volatile("rdrand %0\n\tsetc %1" : "=r"(*value), "=qm"(ok) : : "cc");
	return ok;
}

static inline uint64_t cpu_cr2(void)
{
	uint64_t value;

	__asm__ volatile("movq %%cr2, %0" : "=r"(value));
	return value;
}

static inline uint64_t cpu_cr3(void)
{
	uint64_t value;

	__asm__ volatile("movq %%cr3, %0" : "=r"(value));
	return value;
}

static inline uint64_t cpu_cr0(void)
{
	uint64_t value;

	__asm__ volatile("movq %%cr0, %0" : "=r"(value));
	return value;
}

static inline uint64_t cpu_cr4(void)
{
	uint64_t value;

	__asm__ volatile("movq %%cr4, %0" : "=r"(value));
	return value;
}

static inline void cpu_set_cr3(uint64_t value)
{
	__asm__ volatile("movq %0, %%cr3" : : "r"(value) : "memory");
}

#endif
