/* SPDX-License-Identifier: MIT */
/* Prints, reads ports that nobody has, and ends with 7. */
#include "guest.h"

int guest_main(const void *zero_page)
{
	print("hello, ");
	print(command_line(zero_page));
	print("\n");
	if (in32(0x1234) != 0xffffffffu || in8(0x64) != 0xff)
		return 1;
	return in8(0x3f8 + 5) == 0x60 ? 7 : 2;
}
