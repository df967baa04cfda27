/* SPDX-License-Identifier: MIT */
/* Every synthetic register again and again, with values of all kinds: pages in RAM that move under
 * each other, timers that are long over, crashes with their text nowhere. Ends with 0. */
#include "rubbish.inc"

#define WRITES 4000u

static const uint32_t known[] = {
	HV_MSR_GUEST_OS_ID,  HV_MSR_HYPERCALL,    HV_MSR_REFERENCE_TSC, HV_MSR_VP_ASSIST_PAGE,
	HV_MSR_SCONTROL,     HV_MSR_SIEFP,        HV_MSR_SIMP,          HV_MSR_EOM,
	HV_MSR_CRASH_P0 + 3, HV_MSR_CRASH_P0 + 4, HV_MSR_CRASH_CONTROL,
};

static uint32_t any_register(void)
{
	switch (rubbish_below(4)) {
	case 0:
		return HV_MSR_SINT0 + (uint32_t)rubbish_below(HV_SINT_COUNT);
	case 1:
		return HV_MSR_STIMER0_CONFIG + (uint32_t)rubbish_below(2 * HV_STIMER_COUNT);
	case 2:
		return 0x40000000u + (uint32_t)rubbish_below(0x200);
	default:
		return known[rubbish_below(sizeof(known) / sizeof(known[0]))];
	}
}

static uint64_t any_value(void)
{
	switch (rubbish_below(5)) {
	case 0:
		return rubbish();
	case 1:
		return (rubbish_address() & HV_PAGE_ADDRESS_MASK) | HV_PAGE_ENABLE;
	case 2: /* an enabled timer, a SINT */
		return rubbish() & (HV_STIMER_DEFINED_MASK | HV_SINT_AUTO_EOI);
	case 3: /* some time */
		return rubbish_below(1u << 30);
	default:
		return 1ull << rubbish_below(64);
	}
}

/* A page on top of our own code, tables or stack would be the end. */
static uint64_t spare_us(uint32_t index, uint64_t value)
{
	int timer = index >= HV_MSR_STIMER0_CONFIG && index < HV_MSR_STIMER0_CONFIG + 2 * HV_STIMER_COUNT;

	return timer || value >= SPARE_BEGIN ? value : value & ~HV_PAGE_ENABLE;
}

int guest_main(const void *zero_page)
{
	seed_rubbish(zero_page);
	for (uint32_t n = 0; n < WRITES; n++) {
		uint32_t index = any_register();

		wrmsr(index, spare_us(index, any_value()));
		(void)rdmsr(index);
	}
	return guest_faults ? 0 : 1;
}
