/* SPDX-License-Identifier: MIT */
/* Opens the first channel offered and signals it with rubbish in its ring, in many forms. */
#include "channel.inc"
#include "rubbish.inc"

static void throw_rubbish(void)
{
	uint64_t *words = (uint64_t *)ring;

	for (uint32_t round = 0; round < 20; round++) {
		for (uint32_t n = 0; n < sizeof(ring) / 8; n += 1 + (uint32_t)(rubbish() & 31))
			words[n] = rubbish();
		/* Half of them with indices that are right, so that packets are looked at. */
		if (round & 1) {
			((volatile uint32_t *)ring)[1] = 0;
			((volatile uint32_t *)ring)[0] = (uint32_t)(rubbish() & 0x3ff8u) % 0x3000u;
		}
		signal_channel();
	}
}

int guest_main(const void *zero_page)
{
	int failed = open_first_channel();

	seed_rubbish(zero_page);
	if (failed)
		return failed;
	throw_rubbish();
	return guest_faults ? 5 : 0;
}
