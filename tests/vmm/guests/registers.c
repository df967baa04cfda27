/* SPDX-License-Identifier: MIT */
/* CPUID leaves and synthetic registers as the model has them, none of KVM's. */
#include "guest.h"

#define CHECK(condition)                 \
	do {                             \
		if (!(condition))        \
			return __LINE__; \
	} while (0)

int guest_main(const void *zero_page)
{
	uint32_t leaf[4];
	uint64_t before, after;

	(void)zero_page;
	cpuid(1, 0, leaf);
	CHECK(leaf[2] >> 31 && leaf[1] >> 24 == 0);
	cpuid(0x40000000, 0, leaf);
	CHECK(leaf[0] >= 0x40000005 && leaf[1] == 0x7263694d); /* "Micr" */
	cpuid(0x40000100, 0, leaf);
	CHECK(leaf[1] != 0x4b4d564b); /* "KVMK" */
	cpuid(6, 0, leaf);
	CHECK(leaf[0] == 0 && leaf[2] == 0); /* no APIC timer that never stops: Linux would build on it */
	cpuid(0xb, 1, leaf);
	CHECK(leaf[3] == 0);

	CHECK(rdmsr(HV_MSR_VP_INDEX) == 0);
	wrmsr(HV_MSR_GUEST_OS_ID, 0x8100123400000000ull);
	CHECK(rdmsr(HV_MSR_GUEST_OS_ID) == 0x8100123400000000ull && guest_faults == 0);
	(void)rdmsr(0x400001fe);
	CHECK(guest_faults == 1);
	wrmsr(HV_MSR_VP_INDEX, 1);
	CHECK(guest_faults == 2);
	before = rdmsr(HV_MSR_REFERENCE_COUNTER);
	after = rdmsr(HV_MSR_REFERENCE_COUNTER);
	CHECK(after >= before && before < 600 * 10000000ull);
	return 0;
}
