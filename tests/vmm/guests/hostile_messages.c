/* SPDX-License-Identifier: MIT */
/* A bus that is connected in order, then VMBus messages of all types, cut at any length, with small
 * numbers in them: channels and GPADLs that there are, and others. Ends with 0. */
#include "bus.inc"
#include "rubbish.inc"

#define MESSAGES 600u
#define TYPES 30u

int guest_main(const void *zero_page)
{
	uint32_t message[60];

	seed_rubbish(zero_page);
	enable_hypercalls();
	enable_synic(0);
	(void)contact(0);
	for (uint32_t n = 0; n < MESSAGES; n++) {
		uint32_t size = rubbish() & 1 ? (uint32_t)sizeof(message) : (uint32_t)rubbish_below(241);

		for (uint32_t at = 1; at < sizeof(message) / 4; at++)
			message[at] = rubbish() & 3 ? (uint32_t)rubbish_below(20) : (uint32_t)rubbish();
		message[0] = (uint32_t)rubbish_below(TYPES);
		message[1] = 0;
		post(rubbish() & 7 ? VMBUS_CONNECTION_MESSAGE_V5 : (uint32_t)rubbish_below(8), message, size);
		/* Now and then what has been answered is taken away. */
		if (rubbish() & 1) {
			*(volatile uint32_t *)slot(0) = 0;
			wrmsr(HV_MSR_EOM, 0);
		}
	}
	return guest_faults ? 1 : 0;
}
