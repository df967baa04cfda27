/* SPDX-License-Identifier: MIT */
/* Frames to send, and what was sent, for tests of transmit. Included after the bench. */
#ifndef GUEST_NETVSC_FRAMES_H
#define GUEST_NETVSC_FRAMES_H

#include "tests/unit/guest_netvsc_fake.h"

#define FRAMES 64u

struct frame {
	struct hvk_tx_frame tx;
	struct hvk_buffer pieces[4];
	uint32_t done, when; /* when: how many were done before */
	hvk_status status;
};
static struct frame frames[FRAMES];
static uint32_t frames_done;
static _Alignas(4096) uint8_t data[20 * 4096];

static void frame_done(struct hvk_tx_frame *tx, hvk_status status, void *context)
{
	struct frame *frame = context;

	assert_ptr_equal(tx, &frame->tx);
	assert_int_equal(bench.hvk.locked, 0);
	frame->done++;
	frame->when = frames_done++;
	frame->status = status;
}

static uint64_t gpa_of(const void *address)
{
	return (uint64_t)(uintptr_t)address;
}

static struct frame *make_frame(uint32_t n, const void *address, uint32_t length, uint32_t flags)
{
	struct frame *frame = &frames[n];

	memset(frame, 0, sizeof(*frame));
	frame->pieces[0] = (struct hvk_buffer){address, gpa_of(address), length};
	frame->tx = (struct hvk_tx_frame){.pieces = frame->pieces,
					  .piece_count = 1,
					  .length = length,
					  .done = frame_done,
					  .context = frame,
					  .flags = flags};
	return frame;
}

static enum hvk_tx_result transmit(struct frame *frame)
{
	return hvk_netdev_transmit(bench.netdev, &frame->tx);
}

static enum hvk_tx_result transmit_plain(uint32_t n, uint32_t length, uint32_t flags)
{
	return transmit(make_frame(n, data + n, length, flags));
}

static void fill_data(void)
{
	for (uint32_t i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)(i * 7 + i / 256);
	frames_done = 0;
}

static struct hvk_netdev_counters counters(void)
{
	struct hvk_netdev_counters now;

	hvk_netdev_get_counters(bench.netdev, &now);
	return now;
}

/* The packet n, of frames, of a channel. */
static const struct fake_sent *sent_of(const struct hvk_channel *channel, uint32_t n)
{
	assert_true(n < channel->sent_count);
	return &channel->sent[n];
}

static const uint8_t *section_of(const struct fake_sent *sent)
{
	assert_int_equal(fake_word(sent->payload), 107);
	return fake_send_memory() + fake_word(sent->payload + 8) * bench.section_size;
}

/* Per-packet information of a message: its data, or fails. */
static uint32_t info_of(const uint8_t *message, uint32_t type)
{
	uint32_t at = 8 + fake_word(message + 28), end = at + fake_word(message + 32);

	assert_int_equal(fake_word(message + 28), 36);
	for (; at < end; at += fake_word(message + at)) {
		assert_int_equal(fake_word(message + at), 16);
		assert_int_equal(fake_word(message + at + 8), 12);
		if (fake_word(message + at + 4) == type)
			return fake_word(message + at + 12);
	}
	fail_msg("no information of type %u", type);
	return 0;
}

static const uint8_t *frame_of(const uint8_t *message)
{
	return message + 8 + fake_word(message + 8);
}

#endif
