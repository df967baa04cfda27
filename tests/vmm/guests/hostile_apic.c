/* SPDX-License-Identifier: MIT */
/* Rubbish into the local APIC, by page and by registers, and the I/O APIC: ends with 0, or in any
 * state that a CPU can bring itself into, silence included. */
#include "rubbish.inc"

#define WRITES 1500u

int guest_main(const void *zero_page)
{
	volatile uint32_t *const io_apic = (volatile uint32_t *)0xfec00000u;

	seed_rubbish(zero_page);
	for (uint32_t n = 0; n < WRITES; n++) {
		switch (rubbish_below(4)) {
		case 0:
			APIC[rubbish_below(0x400 / 4) & ~3ull] = (uint32_t)rubbish();
			break;
		case 1:
			io_apic[0] = (uint32_t)rubbish_below(64);
			io_apic[4] = (uint32_t)rubbish();
			break;
		case 2:
			wrmsr(0x800 + (uint32_t)rubbish_below(0x40), rubbish());
			break;
		default:
			wrmsr(0x1b, 0xfee00000u | (rubbish() & 0xd00));
			break;
		}
	}
	return 0;
}
