/* SPDX-License-Identifier: MIT */
/* Frames sent together: many RNDIS messages in one section, within the host's limits. */
#include "tests/unit/guest_netvsc_frames.h"

static const struct hvk_netvsc_config defaults;

static void up(const struct hvk_netvsc_config *config)
{
	fill_data();
	fake_up(config);
	bench.hold_sends = true;
}

/* With an INITIALIZE_CMPLT of the test's own. */
static void up_with(uint32_t packets, uint32_t bytes, uint32_t factor)
{
	fill_data();
	fake_create(&defaults);
	bench.custom_rndis = 2;
	memset(bench.custom, 0, 52);
	fake_put(bench.custom, 0x80000002u);
	fake_put(bench.custom + 4, 52);
	fake_put(bench.custom + 16, 1);
	fake_put(bench.custom + 32, packets);
	fake_put(bench.custom + 36, bytes);
	fake_put(bench.custom + 40, factor);
	bench.custom_length = 52;
	assert_int_equal(fake_attach(), HVK_OK);
	assert_int_equal(fake_set_flags(HVK_NETDEV_UP), HVK_OK);
	bench.channel.sent_count = bench.answered = 0;
	bench.hold_sends = true;
}

static void complete_all(void)
{
	for (uint32_t i = 0; i < bench.channel.sent_count; i++) {
		if (bench.channel.sent[i].cookie)
			fake_complete(i, fake_nvs_success, 8);
	}
	fake_run();
}

static void check_message(const uint8_t *message, uint32_t length, const uint8_t *bytes,
			  uint32_t frame_length)
{
	assert_int_equal(fake_word(message), 1);
	assert_int_equal(fake_word(message + 4), length);
	assert_int_equal(fake_word(message + 8), 36);
	assert_int_equal(fake_word(message + 12), frame_length);
	for (uint32_t i = 16; i < 44; i++)
		assert_int_equal(message[i], 0);
	assert_memory_equal(message + 44, bytes, frame_length);
	for (uint32_t i = 44 + frame_length; i < length; i++)
		assert_int_equal(message[i], 0);
}

static void frames_of_a_burst_share_a_section(void **state)
{
	const uint8_t *section;

	(void)state;
	up(&defaults);
	memset(bench.send_buffer->pages.address, 0x5a, 6144); /* what an earlier use left */
	assert_int_equal(transmit_plain(0, 61, HVK_TX_MORE), HVK_TX_TAKEN);
	assert_int_equal(transmit_plain(1, 60, HVK_TX_MORE), HVK_TX_TAKEN);
	assert_int_equal(transmit_plain(2, 200, HVK_TX_MORE), HVK_TX_TAKEN);
	assert_int_equal(bench.channel.sent_count, 0);
	assert_int_equal(transmit_plain(3, 63, 0), HVK_TX_TAKEN);
	assert_int_equal(bench.channel.sent_count, 1);
	section = section_of(sent_of(&bench.channel, 0));
	/* Begun at multiples of 8; lengths count the zeros, but of the last, which needs none. */
	check_message(section, 112, data, 61);
	check_message(section + 112, 104, data + 1, 60);
	check_message(section + 216, 248, data + 2, 200);
	check_message(section + 464, 107, data + 3, 63);
	assert_int_equal(fake_word(sent_of(&bench.channel, 0)->payload + 12), 464 + 107);
	assert_int_equal(section[464 + 107], 0x5a);
	complete_all();
	for (uint32_t i = 0; i < 4; i++) {
		assert_int_equal(frames[i].done, 1);
		assert_int_equal(frames[i].when, i);
		assert_int_equal(frames[i].status, HVK_OK);
	}
	assert_int_equal(counters().tx_frames, 4);
	assert_int_equal(counters().tx_packets, 1);
	assert_int_equal(counters().tx_copied, 4);
	assert_int_equal(counters().tx_bytes, 61 + 60 + 200 + 63);
	fake_down();
}

static void no_more_than_the_host_takes(void **state)
{
	(void)state;
	up_with(3, 0xefffffff, 3);
	for (uint32_t i = 0; i < 7; i++)
		assert_int_equal(transmit_plain(i, 60, HVK_TX_MORE), HVK_TX_TAKEN);
	assert_int_equal(bench.channel.sent_count, 2); /* of three each; one waits */
	for (uint32_t n = 0; n < 2; n++)
		assert_int_equal(fake_word(sent_of(&bench.channel, n)->payload + 12), 3 * 104);
	hvk_netdev_flush(bench.netdev);
	assert_int_equal(bench.channel.sent_count, 3);
	hvk_netdev_flush(bench.netdev);
	assert_int_equal(bench.channel.sent_count, 3);
	complete_all();
	assert_int_equal(frames_done, 7);
	fake_down();
	/* So many bytes. */
	up_with(8, 300, 3);
	for (uint32_t i = 0; i < 5; i++)
		assert_int_equal(transmit_plain(i, 100, HVK_TX_MORE), HVK_TX_TAKEN);
	assert_int_equal(bench.channel.sent_count, 2);
	for (uint32_t n = 0; n < 2; n++)
		assert_int_equal(fake_word(sent_of(&bench.channel, n)->payload + 12), 2 * 144);
	hvk_netdev_flush(bench.netdev);
	complete_all();
	assert_int_equal(frames_done, 5);
	fake_down();
}

/* A host whose limit for several is less than one: that one goes alone, and nothing behind it. */
static void one_beyond_the_limit_of_several(void **state)
{
	static const struct {
		uint32_t bytes, lengths[4], packets;
	} cases[] = {
		{256, {1000, 60, 60, 60}, 3},  {256, {61, 1000, 61, 60}, 3},  {0, {60, 60, 60, 60}, 4},
		{1044, {1000, 60, 60, 60}, 2}, {1046, {1001, 60, 60, 60}, 2},
	};

	(void)state;
	for (uint32_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		up_with(8, cases[i].bytes, 3);
		memset(bench.send_buffer->pages.address, 0x5a, 6144);
		for (uint32_t n = 0; n < 4; n++)
			assert_int_equal(transmit_plain(n, cases[i].lengths[n], HVK_TX_MORE), HVK_TX_TAKEN);
		hvk_netdev_flush(bench.netdev);
		assert_int_equal(bench.channel.sent_count, cases[i].packets);
		for (uint32_t n = 0; n < cases[i].packets; n++) {
			const struct fake_sent *sent = sent_of(&bench.channel, n);
			uint32_t bytes = fake_word(sent->payload + 12);

			/* Within the limit, or one message alone. */
			if (bytes > cases[i].bytes)
				assert_int_equal(fake_word(section_of(sent) + 4), bytes);
		}
		complete_all();
		assert_int_equal(frames_done, 4);
		fake_down();
	}
}

static void a_full_section_is_sent(void **state)
{
	(void)state;
	up(&defaults);
	for (uint32_t i = 0; i < 4; i++)
		assert_int_equal(transmit_plain(i, 1500, HVK_TX_MORE), HVK_TX_TAKEN);
	assert_int_equal(bench.channel.sent_count, 1);
	assert_int_equal(fake_word(sent_of(&bench.channel, 0)->payload + 12), 3 * 1544);
	assert_int_equal(transmit_plain(4, 1500, 0), HVK_TX_TAKEN);
	assert_int_equal(bench.channel.sent_count, 2);
	assert_int_equal(fake_word(sent_of(&bench.channel, 1)->payload + 12), 2 * 1544);
	assert_int_not_equal(fake_word(sent_of(&bench.channel, 1)->payload + 8),
			     fake_word(sent_of(&bench.channel, 0)->payload + 8));
	complete_all();
	fake_down();
}

static void alignment_is_the_hosts(void **state)
{
	static const struct {
		uint32_t factor, second;
	} cases[] = {{0, 108}, {2, 108}, {3, 112}, {6, 128}};

	(void)state;
	for (uint32_t i = 0; i < 4; i++) {
		const uint8_t *section;

		up_with(8, 0xefffffff, cases[i].factor);
		assert_int_equal(transmit_plain(0, 61, HVK_TX_MORE), HVK_TX_TAKEN);
		assert_int_equal(transmit_plain(1, 61, HVK_TX_MORE), HVK_TX_TAKEN);
		assert_int_equal(transmit_plain(2, 61, 0), HVK_TX_TAKEN);
		assert_int_equal(bench.channel.sent_count, 1);
		section = section_of(sent_of(&bench.channel, 0));
		check_message(section, cases[i].second, data, 61);
		check_message(section + cases[i].second, cases[i].second, data + 1, 61);
		check_message(section + 2 * cases[i].second, 105, data + 2, 61);
		complete_all();
		fake_down();
	}
}

static void together_or_not(void **state)
{
	const struct hvk_netvsc_config alone = {.tx_batch_max = 1}, pairs = {.tx_batch_max = 2};

	(void)state;
	up(&alone);
	for (uint32_t i = 0; i < 4; i++)
		assert_int_equal(transmit_plain(i, 60, HVK_TX_MORE), HVK_TX_TAKEN);
	assert_int_equal(bench.channel.sent_count, 4);
	complete_all();
	fake_down();
	up(&pairs);
	for (uint32_t i = 0; i < 4; i++)
		assert_int_equal(transmit_plain(i, 60, HVK_TX_MORE), HVK_TX_TAKEN);
	assert_int_equal(bench.channel.sent_count, 2);
	complete_all();
	fake_down();
	/* Hosts that say nothing of the kind, or nonsense. */
	for (uint32_t i = 0; i < 2; i++) {
		up_with(i == 0 ? 0 : 8, 0xefffffff, i == 0 ? 3 : 31);
		assert_int_equal(transmit_plain(0, 60, HVK_TX_MORE), HVK_TX_TAKEN);
		assert_int_equal(bench.channel.sent_count, 1);
		complete_all();
		fake_down();
	}
}

static void the_end_of_a_poll_sends_what_waits(void **state)
{
	(void)state;
	up(&defaults);
	assert_int_equal(transmit_plain(0, 60, HVK_TX_MORE), HVK_TX_TAKEN);
	fake_run_alone(); /* nothing else happens */
	assert_int_equal(bench.channel.sent_count, 1);
	assert_int_equal(transmit_plain(1, 60, HVK_TX_MORE), HVK_TX_TAKEN);
	fake_run_alone();
	assert_int_equal(bench.channel.sent_count, 2);
	complete_all();
	assert_int_equal(frames_done, 2);
	fake_down();
}

/* A frame that cannot be copied goes behind those that wait. */
static void order_is_kept(void **state)
{
	(void)state;
	up(&defaults);
	assert_int_equal(transmit_plain(0, 60, HVK_TX_MORE), HVK_TX_TAKEN);
	(void)make_frame(1, data, 60, HVK_TX_MORE);
	frames[1].pieces[0].address = NULL;
	assert_int_equal(transmit(&frames[1]), HVK_TX_TAKEN);
	assert_int_equal(bench.channel.sent_count, 2);
	assert_int_equal(sent_of(&bench.channel, 0)->kind, FAKE_IN_BAND);
	assert_int_equal(sent_of(&bench.channel, 1)->kind, FAKE_GPA_DIRECT);
	complete_all();
	fake_down();
}

static void a_full_ring_keeps_what_was_taken(void **state)
{
	uint32_t taken = 0;

	(void)state;
	up(&defaults);
	bench.channel.ring_full = true;
	/* Alone there is no room for it: its owner keeps it. */
	assert_int_equal(transmit_plain(0, 60, 0), HVK_TX_BUSY);
	assert_int_equal(counters().tx_ring_full, 1);
	bench.channel.ring_full = false;
	bench.channel.kicked = true;
	fake_run();
	assert_int_equal(bench.tx_ready, 1);
	assert_int_equal(transmit_plain(0, 60, HVK_TX_MORE), HVK_TX_TAKEN);
	bench.channel.ring_full = true;
	for (uint32_t i = 1; i < FRAMES && transmit_plain(i, 60, HVK_TX_MORE) == HVK_TX_TAKEN; i++)
		taken++;
	assert_int_equal(taken, 7); /* eight wait in one section */
	assert_int_equal(bench.channel.sent_count, 0);
	assert_int_equal(transmit_plain(20, 60, 0), HVK_TX_BUSY);
	fake_run();
	assert_int_equal(bench.tx_ready, 1);
	bench.channel.ring_full = false;
	bench.channel.kicked = true;
	fake_run();
	assert_int_equal(bench.channel.sent_count, 1);
	assert_int_equal(bench.tx_ready, 2);
	assert_int_equal(transmit_plain(21, 60, 0), HVK_TX_TAKEN);
	complete_all();
	assert_int_equal(frames_done, 9);
	fake_down();
}

static void refused_together(void **state)
{
	(void)state;
	up(&defaults);
	for (uint32_t i = 0; i < 3; i++)
		assert_int_equal(transmit_plain(i, 60, i < 2 ? HVK_TX_MORE : 0), HVK_TX_TAKEN);
	fake_complete(0, fake_nvs_failure, 8);
	fake_run();
	for (uint32_t i = 0; i < 3; i++) {
		assert_int_equal(frames[i].done, 1);
		assert_int_equal(frames[i].status, HVK_EREFUSED_RNDIS);
	}
	assert_int_equal(counters().tx_refused, 3);
	assert_int_equal(counters().tx_errors, 3);
	fake_down();
}

static void a_detach_ends_what_waits(void **state)
{
	(void)state;
	for (int full = 0; full < 2; full++) {
		up(&defaults);
		bench.channel.ring_full = false;
		assert_int_equal(transmit_plain(0, 60, HVK_TX_MORE), HVK_TX_TAKEN);
		assert_int_equal(transmit_plain(1, 60, HVK_TX_MORE), HVK_TX_TAKEN);
		bench.hold_sends = full != 0;
		assert_int_equal(fake_detach(), full ? HVK_EINPROGRESS : HVK_OK);
		fake_advance(1000);
		assert_int_equal(bench.detach.status, HVK_OK);
		for (uint32_t i = 0; i < 2; i++) {
			assert_int_equal(frames[i].done, 1);
			assert_int_equal(frames[i].status, full ? HVK_ECANCELED : HVK_OK);
		}
		fake_check_nothing_left();
	}
}

/* Full sections of a burst are shown together: at its end, by a flush, when nothing fits any more, at the
 * end of the poll at the latest. */
static void a_burst_is_shown_at_once(void **state)
{
	(void)state;
	up_with(2, 0xefffffff, 3);
	for (uint32_t i = 0; i < 6; i++)
		assert_int_equal(transmit_plain(i, 60, HVK_TX_MORE), HVK_TX_TAKEN);
	assert_int_equal(bench.channel.sent_count, 3);
	assert_int_equal(bench.channel.unshown, 3);
	assert_int_equal(transmit_plain(6, 60, 0), HVK_TX_TAKEN);
	assert_int_equal(bench.channel.sent_count, 4);
	assert_int_equal(bench.channel.unshown, 0);
	for (uint32_t i = 7; i < 9; i++)
		assert_int_equal(transmit_plain(i, 60, HVK_TX_MORE), HVK_TX_TAKEN);
	assert_int_equal(bench.channel.unshown, 1);
	hvk_netdev_flush(bench.netdev);
	assert_int_equal(bench.channel.unshown, 0);
	for (uint32_t i = 9; i < 11; i++)
		assert_int_equal(transmit_plain(i, 60, HVK_TX_MORE), HVK_TX_TAKEN);
	assert_int_equal(bench.channel.unshown, 1);
	fake_run(); /* nobody flushes */
	assert_int_equal(bench.channel.unshown, 0);
	for (uint32_t i = 11; i < 13; i++)
		assert_int_equal(transmit_plain(i, 60, HVK_TX_MORE), HVK_TX_TAKEN);
	bench.channel.ring_full = true;
	assert_int_equal(transmit_plain(13, 60, 0), HVK_TX_BUSY);
	assert_int_equal(bench.channel.unshown, 0);
	bench.channel.ring_full = false;
	complete_all();
	assert_int_equal(frames_done, 13);
	fake_down();
}

static uint32_t transmit_many(uint32_t first, uint32_t count, enum hvk_tx_result *result)
{
	struct hvk_tx_frame *list[32];

	for (uint32_t i = 0; i < count; i++) {
		(void)make_frame(first + i, data + first + i, 61 + i % 2, 0);
		list[i] = &frames[first + i].tx;
	}
	return hvk_netdev_transmit_many(bench.netdev, list, count, result);
}

static void many_at_once(void **state)
{
	enum hvk_tx_result result;

	(void)state;
	up_with(4, 0xefffffff, 3);
	assert_int_equal(transmit_many(0, 10, &result), 10);
	assert_int_equal(result, HVK_TX_TAKEN);
	assert_int_equal(bench.channel.sent_count, 3); /* 4, 4 and 2 */
	assert_int_equal(bench.channel.unshown, 0);
	check_message(section_of(sent_of(&bench.channel, 2)), 112, data + 8, 61);
	/* The last one of all is not padded. */
	check_message(section_of(sent_of(&bench.channel, 2)) + 112, 106, data + 9, 62);
	complete_all();
	assert_int_equal(frames_done, 10);
	for (uint32_t i = 0; i < 10; i++)
		assert_int_equal(frames[i].when, i);
	assert_int_equal(counters().tx_frames, 10);
	assert_int_equal(counters().tx_copied, 10);
	assert_int_equal(counters().tx_packets, 3);
	fake_down();
}

/* With wishes, too. */
static void many_with_wishes(void **state)
{
	struct hvk_tx_frame *list[6];
	enum hvk_tx_result result;

	(void)state;
	up(&defaults);
	for (uint32_t i = 0; i < 6; i++) {
		(void)make_frame(i, data + i, 60, i % 2 ? HVK_TX_VLAN : 0);
		frames[i].tx.vlan_tag = 5;
		list[i] = &frames[i].tx;
	}
	assert_int_equal(hvk_netdev_transmit_many(bench.netdev, list, 6, &result), 6);
	assert_int_equal(result, HVK_TX_TAKEN);
	assert_int_equal(bench.channel.sent_count, 1);
	assert_int_equal(bench.channel.unshown, 0);
	complete_all();
	assert_int_equal(frames_done, 6);
	fake_down();
}

/* Those that are not for a section, and those that cannot be sent, in the middle. */
static void many_of_all_kinds(void **state)
{
	struct hvk_tx_frame *list[4];
	enum hvk_tx_result result;

	(void)state;
	up(&defaults);
	for (uint32_t i = 0; i < 4; i++) {
		(void)make_frame(i, data + i, i == 1 ? 1500 : 60, 0);
		list[i] = &frames[i].tx;
	}
	assert_int_equal(hvk_netdev_transmit_many(bench.netdev, list, 4, &result), 4);
	assert_int_equal(result, HVK_TX_TAKEN);
	assert_int_equal(bench.channel.unshown, 0);
	complete_all();
	assert_int_equal(frames_done, 4);
	frames[1].tx.length++; /* not the sum of its pieces */
	assert_int_equal(hvk_netdev_transmit_many(bench.netdev, list, 4, &result), 1);
	assert_int_equal(result, HVK_TX_GONE);
	assert_int_equal(bench.channel.unshown, 0);
	assert_int_equal(counters().tx_errors, 1);
	complete_all();
	assert_int_equal(frames_done, 5);
	/* A ring that takes one packet more. */
	bench.channel.room = 1;
	assert_int_equal(transmit_many(4, 32, &result), 8 + 8);
	assert_int_equal(result, HVK_TX_BUSY);
	bench.channel.room = FAKE_NONE;
	fake_run();
	complete_all();
	fake_down();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(frames_of_a_burst_share_a_section),
		cmocka_unit_test(no_more_than_the_host_takes),
		cmocka_unit_test(one_beyond_the_limit_of_several),
		cmocka_unit_test(a_full_section_is_sent),
		cmocka_unit_test(alignment_is_the_hosts),
		cmocka_unit_test(together_or_not),
		cmocka_unit_test(the_end_of_a_poll_sends_what_waits),
		cmocka_unit_test(order_is_kept),
		cmocka_unit_test(a_full_ring_keeps_what_was_taken),
		cmocka_unit_test(refused_together),
		cmocka_unit_test(a_burst_is_shown_at_once),
		cmocka_unit_test(many_at_once),
		cmocka_unit_test(many_with_wishes),
		cmocka_unit_test(many_of_all_kinds),
		cmocka_unit_test(a_detach_ends_what_waits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
