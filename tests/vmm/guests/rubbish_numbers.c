/* SPDX-License-Identifier: MIT */
/* Nobody is there: memory reads as ones and writes go nowhere; other registers fault, KVM's own clock's
 * among them. */
#include "guest.h"

int guest_main(const void *zero_page)
{
	volatile uint64_t *nowhere = (volatile uint64_t *)0xf8000000u;

	(void)zero_page;
	*nowhere = 1;
	if (*nowhere != UINT64_MAX)
		return 1;
	(void)rdmsr(0x12345678);
	wrmsr(0xc0deu << 8, 1);
	(void)rdmsr(0x4b564d00);
	wrmsr(0x4b564d01, (uint64_t)guest_main | 1);
	wrmsr(0x12, (uint64_t)guest_main | 1);
	return guest_faults == 5 ? 0 : 2;
}
