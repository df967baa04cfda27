/* SPDX-License-Identifier: MIT */
/* Prints for ever. */
#include "guest.h"

int guest_main(const void *zero_page)
{
	(void)zero_page;
	for (;;)
		print("all work and no play\n");
}
