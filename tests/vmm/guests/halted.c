/* SPDX-License-Identifier: MIT */
/* Halted for ever, with interrupts enabled and none coming. */
#include "guest.h"

int guest_main(const void *zero_page)
{
	(void)zero_page;
	APIC[APIC_SPURIOUS] = APIC_ENABLE;
	for (;;)
		__asm__ volatile("sti; hlt");
}
