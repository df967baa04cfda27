/* SPDX-License-Identifier: MIT */
/*
 * Nanoseconds from the TSC, which no host can stop. How fast it counts is told by the first of
 * these that answers: the hypervisor's frequency register, its reference counter, CPUID leaf
 * 0x15, the PIT.
 */
#include "hvkit/timer.h"
#include "hvkit/wire/hypervisor.h"
#include "ports/bare-x86_64/private.h"

#define NS_PER_SECOND 1000000000ull
#define CALIBRATE_TICKS 100000ull /* of 100 ns: 10 ms */
#define LOOPS_MAX 10000000u       /* of any calibration */
#define HERTZ_MIN 1000000ull
#define HERTZ_MAX 18000000000ull /* above, nanoseconds of a second's rest would overflow */
#define HERTZ_ASSUMED 1000000000ull

#define CPUID_TSC_RATIO 0x15u

#define PIT_CHANNEL_2 0x42u
#define PIT_MODE 0x43u
#define PIT_GATE 0x61u
#define PIT_HERTZ 1193182ull
#define PIT_COUNT 11932u /* 10 ms */

static uint64_t hertz = HERTZ_ASSUMED;
static uint64_t apic_hertz;
static uint64_t first_tsc;
static const char *source;

static uint64_t from_reference_counter(uint32_t access)
{
	uint64_t first, now, tsc;

	if (!(access & HV_ACCESS_REFERENCE_COUNTER) || !cpu_msr_read(HV_MSR_REFERENCE_COUNTER, &first))
		return 0;
	tsc = cpu_tsc();
	for (uint32_t i = 0; i < LOOPS_MAX; i++) {
		if (!cpu_msr_read(HV_MSR_REFERENCE_COUNTER, &now))
			return 0;
		if (now - first >= CALIBRATE_TICKS)
			return (cpu_tsc() - tsc) * 10000000ull / (now - first);
	}
	return 0;
}

static uint64_t from_cpuid(void)
{
	uint32_t regs[4];

	cpu_cpuid(0, regs);
	if (regs[0] < CPUID_TSC_RATIO)
		return 0;
	cpu_cpuid(CPUID_TSC_RATIO, regs);
	return regs[0] ? (uint64_t)regs[2] * regs[1] / regs[0] : 0;
}

/* Channel 2, mode 0: the gate starts it, and its output (bit 5) rises at the end. */
static uint64_t from_pit(void)
{
	uint8_t gate = cpu_in8(PIT_GATE);
	uint64_t tsc;

	if (gate == 0xff) /* there is none */
		return 0;
	cpu_out8(PIT_GATE, (uint8_t)((gate & ~2u) | 1u));
	cpu_out8(PIT_MODE, 0xb0);
	cpu_out8(PIT_CHANNEL_2, PIT_COUNT & 0xff);
	cpu_out8(PIT_CHANNEL_2, PIT_COUNT >> 8);
	tsc = cpu_tsc();
	for (uint32_t i = 0; i < LOOPS_MAX; i++) {
		if (cpu_in8(PIT_GATE) & 0x20)
			return (cpu_tsc() - tsc) * PIT_HERTZ / PIT_COUNT;
	}
	return 0;
}

static bool take(uint64_t value, const char *from)
{
	if (source || value < HERTZ_MIN || value > HERTZ_MAX)
		return false;
	hertz = value;
	source = from;
	return true;
}

void clock_init(void)
{
	struct hvk_frequencies told;
	uint32_t regs[4], access = 0;

	(void)hvk_frequencies_read(bare_port(HVK_LOG_WARN), &told); /* zeros where nobody tells */
	apic_hertz = told.apic_timer <= HERTZ_MAX ? told.apic_timer : 0;
	cpu_cpuid(HV_CPUID_PROCESSOR_INFO, regs);
	if (regs[2] & HV_CPUID_HYPERVISOR_PRESENT_ECX) {
		cpu_cpuid(HV_CPUID_INTERFACE, regs);
		if (regs[0] == HV_CPUID_INTERFACE_HV1) {
			cpu_cpuid(HV_CPUID_FEATURES, regs);
			access = regs[0];
		}
	}
	first_tsc = cpu_tsc();
	if (take(told.tsc, "frequency register") ||
	    take(from_reference_counter(access), "reference counter") || take(from_cpuid(), "CPUID") ||
	    take(from_pit(), "PIT"))
		return;
	source = "none: taken for 1 GHz";
}

const char *clock_source(void)
{
	return source;
}

uint64_t clock_hertz(void)
{
	return hertz;
}

uint64_t clock_apic_hertz(void)
{
	return apic_hertz;
}

uint64_t bare_clock_ns(void)
{
	uint64_t tsc = cpu_tsc();
	/* Another CPU's may lag a little: time stands still then, and does not jump. */
	uint64_t passed = (int64_t)(tsc - first_tsc) > 0 ? tsc - first_tsc : 0;

	return passed / hertz * NS_PER_SECOND + passed % hertz * NS_PER_SECOND / hertz;
}

void clock_delay(uint64_t ns)
{
	uint64_t end = bare_clock_ns() + ns;

	while (bare_clock_ns() < end)
		cpu_relax();
}
