/* SPDX-License-Identifier: MIT */
/* Goes on where no memory is: nobody has an instruction there. */
#include "guest.h"

int guest_main(const void *zero_page)
{
	(void)zero_page;
	__asm__ volatile("jmp *%0" : : "r"(0xf8000000ull));
	return 0;
}
