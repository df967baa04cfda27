/* SPDX-License-Identifier: MIT */
/* Things to count: registers, ports, a hypercall, between two marks. */
#include "hypercall.inc"

#define MARK_PORT 0xf5u

int guest_main(const void *zero_page)
{
	(void)zero_page;
	enable_hypercalls();
	out8(MARK_PORT, 3);
	for (uint32_t n = 0; n < 5; n++)
		(void)rdmsr(HV_MSR_VP_INDEX);
	wrmsr(HV_MSR_EOM, 0);
	(void)hypercall(HV_CALL_POST_MESSAGE, 0, 0);
	(void)hypercall(0xffff, 0, 0);
	(void)in8(0x80);
	print("ab");
	out8(MARK_PORT, 200);
	return guest_faults != 0;
}
