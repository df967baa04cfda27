/* SPDX-License-Identifier: MIT */
/* Nobody is there: memory reads as ones and writes go nowhere; other registers fault. */
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
	return guest_faults == 2 ? 0 : 2;
}
