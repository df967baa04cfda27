/* SPDX-License-Identifier: MIT */
/* Rubbish into every synthetic register, and hypercalls with rubbish; ends with 0. The model has
 * violations to report, and nothing else happens. */
#include "hypercall.inc"
#include "rubbish.inc"

int guest_main(const void *zero_page)
{
	(void)zero_page;
	for (int round = 0; round < 3; round++) {
		for (uint32_t index = 0x40000000; index < 0x40000200; index++) {
			if (index == HV_MSR_HYPERCALL)
				continue;
			/* Pages beyond all RAM, so that we keep ours. */
			wrmsr(index, rubbish() | 1ull << 45);
			(void)rdmsr(index);
		}
	}
	wrmsr(HV_MSR_GUEST_OS_ID, 0);
	enable_hypercalls();
	for (int n = 0; n < 100; n++)
		(void)hypercall(rubbish(), rubbish(), rubbish());
	return guest_faults ? 0 : 1;
}
