/* SPDX-License-Identifier: MIT */
/* Leaves the end of its interrupts to the host, on SINT 2 and 5, thinks better of 5, and loops. */
#include "guest.h"

int guest_main(const void *zero_page)
{
	(void)zero_page;
	wrmsr(HV_MSR_SINT0 + 2, HV_SINT_AUTO_EOI | GUEST_VECTOR);
	wrmsr(HV_MSR_SINT0 + 5, HV_SINT_AUTO_EOI | GUEST_VECTOR);
	wrmsr(HV_MSR_SINT0 + 5, HV_SINT_AUTO_EOI | HV_SINT_MASKED | GUEST_VECTOR);
	for (;;)
		__asm__ volatile("pause");
}
