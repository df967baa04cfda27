/* SPDX-License-Identifier: MIT */
/* One CPU signals a channel while the other writes rubbish into both halves of its ring: indices,
 * masks, packets' headers. Whatever the host checks may have changed when it looks again. */
#include "channel.inc"
#include "rubbish.inc"
#include "second_cpu.inc"

#define TIMES 20u
#define WRITES 20u /* at least, and signals meanwhile; a host gives up at the first mistake */

static volatile uint32_t stop, stopped, hold, held, written;

/* Mostly numbers that could be right. */
static uint32_t any_word(void)
{
	switch (rubbish_below(4)) {
	case 0:
		return (uint32_t)rubbish();
	case 1: /* a packet's type and length in words */
		return (uint32_t)(6 + rubbish_below(8)) | (uint32_t)rubbish_below(64) << 16;
	default:
		return (uint32_t)rubbish_below(0x3100) & (rubbish() & 7 ? ~7u : ~0u);
	}
}

void second_main(void)
{
	volatile uint32_t *words = (volatile uint32_t *)ring;
	uint32_t half = sizeof(ring) / 8;

	ready = 1;
	while (!stop) {
		held = hold;
		if (held)
			continue;
		words[rubbish_below(4)] = any_word();
		words[half + rubbish_below(4)] = any_word();
		words[1024 + rubbish_below(half - 1024)] = any_word();
		written++;
	}
	stopped = 1;
}

static int reopen(void)
{
	const struct {
		struct vmbus_message_header header;
		uint32_t channel_id;
	} close = {{VMBUS_MSG_CLOSE_CHANNEL, 0}, offer.channel_id};
	int opened;

	hold = 1;
	while (!held)
		__asm__ volatile("pause");
	post(VMBUS_CONNECTION_MESSAGE_V5, &close, sizeof(close));
	memset(ring, 0, sizeof(ring));
	opened = open_channel();
	hold = 0;
	return opened;
}

int guest_main(const void *zero_page)
{
	int failed = open_first_channel();

	seed_rubbish(zero_page);
	if (failed)
		return failed;
	start_second_cpu();
	for (uint32_t time = 0; time < TIMES; time++) {
		uint32_t before = written;

		while (written - before < WRITES) /* however busy the machine is */
			signal_channel();
		if (!reopen())
			return 6;
	}
	stop = 1;
	while (!stopped)
		__asm__ volatile("pause");
	return guest_faults ? 5 : 0;
}
