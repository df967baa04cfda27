/* SPDX-License-Identifier: MIT */
#include "guest.h"

int guest_main(const void *zero_page)
{
	(void)zero_page;
	for (;;)
		__asm__ volatile("pause");
}
