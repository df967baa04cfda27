/* SPDX-License-Identifier: MIT */
/* Receive: one range is one RNDIS message, whatever its header says. */
#include "tests/unit/guest_netvsc_fake.h"

static const struct hvk_netvsc_config defaults;

static struct hvk_netdev_counters counters(void)
{
	struct hvk_netdev_counters now;

	hvk_netdev_get_counters(bench.netdev, &now);
	return now;
}

/* Completions sent with that transaction id; each must say 108, success. */
static uint32_t completions_of(uint64_t id)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < bench.channel.sent_count; i++) {
		const struct fake_sent *sent = &bench.channel.sent[i];

		if (sent->kind != FAKE_COMPLETION || sent->transaction_id != id)
			continue;
		assert_int_equal(sent->length, 8);
		assert_memory_equal(sent->payload, fake_nvs_success, 8);
		count++;
	}
	return count;
}

static void put_frame(uint32_t offset, uint32_t header_length, uint32_t frame_length, uint8_t seed)
{
	(void)fake_make_frame(fake_receive_memory() + offset, header_length, frame_length, seed);
}

static void a_frame_is_delivered(void **state)
{
	uint8_t message[200];
	uint32_t length = fake_make_frame(message, 104, 60, 7);

	(void)state;
	fake_up(&defaults);
	bench.next_transaction = 5;
	fake_message(message, length, length);
	fake_run();
	assert_int_equal(bench.inputs, 1);
	assert_int_equal(bench.frame_length, 60);
	assert_memory_equal(bench.frame, message + 44, 60);
	assert_int_equal(completions_of(0x1005), 1);
	assert_int_equal(counters().rx_frames, 1);
	assert_int_equal(counters().rx_bytes, 60);
	assert_int_equal(bench.hvk.faults, 0);
	fake_down();
}

static void rndis_length_is_read_by_nobody(void **state)
{
	static const uint32_t lengths[] = {0, 8, 44, 103, 105, 1806, 0x80000000, 0xffffffff};
	uint32_t ranges[8][2];

	(void)state;
	fake_up(&defaults);
	for (uint32_t i = 0; i < 8; i++) {
		ranges[i][0] = 104;
		ranges[i][1] = 1806 * i;
		put_frame(1806 * i, lengths[i], 60, (uint8_t)i);
	}
	fake_transfer(77, ranges, 8);
	fake_run();
	assert_int_equal(bench.inputs, 8);
	assert_int_equal(bench.frame[0], 7);
	assert_int_equal(completions_of(77), 1);
	assert_int_equal(bench.hvk.faults, 0);
	fake_down();
}

/* Windows Server 2012 R2: the length does not cover the status buffer. */
static void frames_behind_a_malformed_status_arrive(void **state)
{
	static const uint8_t statuses[3][32] = {
		{7, 0, 0, 0, 20, 0, 0, 0, 6, 0, 2, 0x40, 12, 0, 0, 0, 12, 0, 0, 0},
		{7, 0, 0, 0, 0, 0, 0, 0, 6, 0, 2, 0x40, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff},
		{7, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0x13, 0, 1, 0x40, 0, 0, 0, 0x80, 1},
	};
	uint32_t ranges[5][2] = {{104, 1806 * 3}, {32, 0}, {32, 1806}, {12, 1806 * 2}, {104, 1806 * 4}};

	(void)state;
	fake_up(&defaults);
	for (uint32_t i = 0; i < 3; i++)
		memcpy(fake_receive_memory() + 1806 * i, statuses[i], 32);
	put_frame(1806 * 3, 104, 60, 1);
	put_frame(1806 * 4, 104, 60, 2);
	fake_transfer(9, ranges, 5);
	fake_run();
	assert_int_equal(bench.inputs, 2);
	assert_int_equal(bench.frame[0], 2);
	assert_int_equal(counters().rx_faults, 0);
	assert_int_equal(counters().status_ignored, 2); /* the speed is asked for */
	assert_int_equal(bench.hvk.faults, 0);
	assert_int_equal(completions_of(9), 1);
	fake_down();
}

static void a_range_as_long_as_its_suballocation(void **state)
{
	const uint32_t ranges[2][2] = {{1806, 0}, {1806, 999 * 1806}};

	(void)state;
	fake_up(&defaults);
	put_frame(0, 1806, 60, 1);
	put_frame(999 * 1806, 1806, 1514, 2);
	fake_transfer(1, ranges, 2);
	fake_run();
	assert_int_equal(bench.inputs, 2);
	assert_int_equal(bench.frame_length, 1514);
	fake_down();
}

static void ranges_outside_the_buffer_are_skipped(void **state)
{
	/* length, offset: the buffer's geometry is 1000 of 1806. */
	const uint32_t ranges[][2] = {
		{1807, 0},
		{104, 1806000},
		{104, 1806000 - 103},
		{0xffffffff, 0},
		{104, 0xffffffff},
		{104, 0xffffff98},
		{0, 1806000},
		{7, 0},
		{0, 0},
		{104, 0x80000000},
		{104, 1806},
	};
	const uint32_t count = sizeof(ranges) / sizeof(ranges[0]);

	(void)state;
	fake_up(&defaults);
	put_frame(0, 104, 60, 1);
	put_frame(1806, 104, 60, 2);
	fake_transfer(3, ranges, count);
	fake_run();
	assert_int_equal(bench.inputs, 1); /* the last one */
	assert_int_equal(bench.frame[0], 2);
	assert_int_equal(counters().rx_faults, count - 1);
	assert_int_equal(completions_of(3), 1);
	fake_down();
}

static void malformed_messages_are_skipped(void **state)
{
	uint32_t ranges[7][2];
	uint8_t *memory;

	(void)state;
	fake_up(&defaults);
	memory = fake_receive_memory();
	for (uint32_t i = 0; i < 7; i++) {
		ranges[i][0] = 120;
		ranges[i][1] = 1806 * i;
		put_frame(1806 * i, 104, 60, (uint8_t)i);
	}
	fake_put(memory + 12, 77);               /* frame one longer than the range has */
	fake_put(memory + 1806 + 8, 0xffffffff); /* frame before the message */
	fake_put(memory + 1806 * 2 + 12, 13);    /* less than an Ethernet header */
	fake_put(memory + 1806 * 3 + 28, 36);    /* information whose entries have size 0 */
	fake_put(memory + 1806 * 3 + 32, 16);
	memset(memory + 1806 * 3 + 44, 0, 16);
	fake_put(memory + 1806 * 4, 6); /* RESET is not the host's to send */
	ranges[5][0] = 43;              /* no whole header */
	fake_transfer(4, ranges, 7);
	fake_run();
	assert_int_equal(bench.inputs, 1);
	assert_int_equal(bench.frame[0], 6);
	assert_int_equal(counters().rx_faults, 6);
	assert_int_equal(completions_of(4), 1);
	fake_down();
}

/* Whole packets that cannot be: counted, given back, and the next one is received. */
static void malformed_packets_cost_themselves_alone(void **state)
{
	const uint32_t range[1][2] = {{104, 0}};
	struct fake_packet *packet;
	uint8_t message[104];

	(void)state;
	fake_up(&defaults);
	put_frame(0, 104, 60, 1);
	packet = fake_transfer(101, range, 1);
	fake_put(packet->extension, 0xbead); /* not our page set */
	packet = fake_transfer(102, range, 1);
	fake_put(packet->extension + 4, 2); /* more ranges than there are */
	packet = fake_transfer(103, range, 1);
	fake_put(packet->extension + 4, 0x20000001); /* times 8 is 8 */
	packet = fake_transfer(104, range, 1);
	fake_put(packet->extension + 4, 0);
	packet = fake_transfer(105, range, 1);
	packet->extension_length = 0;
	packet = fake_transfer(106, range, 1);
	packet->payload[0] = 108;
	packet = fake_transfer(107, range, 1);
	packet->payload_length = 0;
	fake_run();
	assert_int_equal(bench.inputs, 0);
	assert_int_equal(counters().rx_faults, 7);
	for (uint32_t id = 101; id <= 107; id++)
		assert_int_equal(completions_of(id), 1);
	(void)fake_make_frame(message, 104, 60, 1);
	fake_message(message, 104, 104);
	fake_run();
	assert_int_equal(bench.inputs, 1);
	fake_down();
}

static void skipped_by_the_channel(void **state)
{
	uint8_t message[104];

	(void)state;
	fake_up(&defaults);
	fake_post_status(HVK_ETOOBIG);
	fake_post_status(HVK_EHOST_TRANSACTION);
	(void)fake_make_frame(message, 104, 60, 1);
	fake_message(message, 104, 104);
	fake_run();
	assert_int_equal(bench.inputs, 1);
	assert_int_equal(bench.gone, 0);
	fake_down();
}

static void a_corrupt_ring_ends_it(void **state)
{
	static const hvk_status corrupt[] = {HVK_EHOST_RING_INDEX, HVK_EHOST_PACKET, HVK_EHOST_PACKET_TYPE};
	struct hvk_tx_frame frame = {0};
	uint8_t message[104];

	(void)state;
	(void)fake_make_frame(message, 104, 60, 1);
	for (int i = 0; i < 3; i++) {
		fake_up(&defaults);
		fake_post_status(corrupt[i]);
		fake_message(message, 104, 104);
		(void)fake_poll();
		assert_int_equal(bench.gone, 1);
		assert_int_equal(bench.inputs, 0);
		assert_int_equal(hvk_netdev_transmit(bench.netdev, &frame), HVK_TX_GONE);
		bench.channel.inbox_count = 0;
		assert_int_equal(fake_set_flags(0), HVK_EGONE);
		assert_int_equal(fake_detach(), HVK_OK);
		assert_int_equal(bench.gone, 1);
		fake_check_nothing_left();
	}
}

static void frames_while_down_are_dropped_and_given_back(void **state)
{
	uint8_t message[104];

	(void)state;
	fake_up(&defaults);
	assert_int_equal(fake_set_flags(0), HVK_OK);
	(void)fake_make_frame(message, 104, 60, 1);
	bench.next_transaction = 1;
	fake_message(message, 104, 104);
	fake_run();
	assert_int_equal(bench.inputs, 0);
	assert_int_equal(counters().rx_dropped, 1);
	assert_int_equal(completions_of(0x1001), 1);
	fake_down();
}

static void frames_longer_than_the_mtu_are_dropped(void **state)
{
	uint8_t message[44 + 1600];

	(void)state;
	fake_up(&defaults);
	fake_message(message, fake_make_frame(message, 0, 1518, 1), 1700);
	fake_message(message, fake_make_frame(message, 0, 1519, 1), 1700);
	fake_run();
	assert_int_equal(bench.inputs, 1);
	assert_int_equal(bench.frame_length, 1518); /* with a VLAN tag */
	assert_int_equal(counters().rx_dropped, 1);
	fake_down();
}

static void a_vlan_tag_goes_back_into_the_frame(void **state)
{
	uint8_t message[160] = {0};
	uint8_t expected[64];

	(void)state;
	fake_up(&defaults);
	(void)fake_make_frame(message, 120, 60, 1);
	memmove(message + 60, message + 44, 60);
	fake_put(message + 8, 52);
	fake_put(message + 28, 36);
	fake_put(message + 32, 16);
	fake_put(message + 44, 16);
	fake_put(message + 48, 6);
	fake_put(message + 52, 12);
	fake_put(message + 56, 0x123 << 4 | 3);
	fake_message(message, 120, 120);
	fake_run();
	assert_int_equal(bench.frame_length, 64);
	memcpy(expected, message + 60, 12);
	memcpy(expected + 12, "\x81\x00\x61\x23", 4);
	memcpy(expected + 16, message + 72, 48);
	assert_memory_equal(bench.frame, expected, 64);
	fake_down();
}

/* --- Completions ---------------------------------------------------------------------------- */

static void completions_wait_for_room(void **state)
{
	uint8_t message[104];

	(void)state;
	fake_up(&defaults);
	(void)fake_make_frame(message, 104, 60, 1);
	bench.next_transaction = 0;
	bench.channel.ring_full = true;
	for (int i = 0; i < 200; i++)
		fake_message(message, 104, 104);
	fake_run_alone();
	assert_int_equal(bench.inputs, 200);
	for (uint32_t i = 0; i < 200; i++)
		assert_int_equal(completions_of(0x1000 + i), 0);
	/* Room for some: the oldest go first, each once. */
	bench.channel.ring_full = false;
	bench.channel.room = 150;
	bench.channel.kicked = true;
	fake_run_alone();
	for (uint32_t i = 0; i < 200; i++)
		assert_int_equal(completions_of(0x1000 + i), i < 150);
	/* A packet that comes now may not overtake. */
	bench.channel.room = FAKE_NONE;
	fake_message(message, 104, 104);
	fake_run_alone();
	for (uint32_t i = 0; i <= 200; i++)
		assert_int_equal(completions_of(0x1000 + i), 1);
	assert_int_equal(bench.channel.sent[bench.channel.sent_count - 1].transaction_id, 0x1000 + 200);
	fake_down();
}

static void make_room(void *context, struct hvk_netdev *netdev, const struct hvk_rx_frame *frame)
{
	(void)context;
	(void)netdev;
	(void)frame;
	bench.channel.ring_full = false;
}

/* Room may come while a packet is being looked at. */
static void completions_do_not_overtake(void **state)
{
	const uint32_t range[1][2] = {{104, 0}};

	(void)state;
	fake_up(&defaults);
	put_frame(0, 104, 60, 1);
	bench.channel.ring_full = true;
	fake_transfer(1, range, 1);
	fake_run_alone();
	bench.netdev->hooks.input = make_room;
	fake_transfer(2, range, 1);
	(void)fake_poll();
	bench.channel.kicked = true;
	fake_run_alone();
	assert_int_equal(bench.channel.sent_count, 2);
	assert_int_equal(bench.channel.sent[0].transaction_id, 1);
	assert_int_equal(bench.channel.sent[1].transaction_id, 2);
	fake_down();
}

static void the_same_id_twice_is_completed_twice(void **state)
{
	const uint32_t range[1][2] = {{104, 0}};

	(void)state;
	fake_up(&defaults);
	put_frame(0, 104, 60, 1);
	bench.channel.ring_full = true;
	fake_transfer(0, range, 1);
	fake_transfer(0, range, 1);
	fake_run_alone();
	bench.channel.ring_full = false;
	bench.channel.kicked = true;
	fake_run_alone();
	assert_int_equal(completions_of(0), 2);
	fake_down();
}

static void no_more_completions_wait_than_there_are_suballocations(void **state)
{
	const uint32_t range[1][2] = {{104, 0}};

	(void)state;
	fake_create(&defaults);
	bench.suballocation_count = 10;
	assert_int_equal(fake_attach(), HVK_OK);
	assert_int_equal(fake_set_flags(HVK_NETDEV_UP), HVK_OK);
	put_frame(0, 104, 60, 1);
	bench.channel.ring_full = true;
	for (uint32_t i = 0; i < 15; i++)
		fake_transfer(500 + i, range, 1);
	fake_run_alone();
	assert_int_equal(bench.hvk.faults, 5);
	bench.channel.ring_full = false;
	bench.channel.kicked = true;
	fake_run_alone();
	for (uint32_t i = 0; i < 15; i++)
		assert_int_equal(completions_of(500 + i), i < 10);
	fake_down();
}

static void the_work_of_one_callback_is_bounded(void **state)
{
	uint8_t message[104];

	(void)state;
	fake_up(&defaults);
	(void)fake_make_frame(message, 104, 60, 1);
	for (int i = 0; i < 100; i++)
		fake_message(message, 104, 104);
	assert_true(bench.channel.config.ready(bench.channel.config.context, &bench.channel));
	assert_int_equal(bench.inputs, 64);
	assert_false(bench.channel.config.ready(bench.channel.config.context, &bench.channel));
	assert_int_equal(bench.inputs, 100);
	fake_down();
}

static void the_longest_packet(void **state)
{
	static uint32_t ranges[2000][2];

	(void)state;
	fake_up(&defaults);
	put_frame(0, 104, 60, 1);
	for (uint32_t i = 0; i < 2000; i++)
		ranges[i][0] = 104;
	fake_transfer(8, ranges, 2000);
	fake_run();
	assert_int_equal(bench.inputs, 2000);
	assert_int_equal(completions_of(8), 1);
	fake_down();
}

/* --- In-band ----------------------------------------------------------------------------------- */

static void in_band_messages(void **state)
{
	static const uint32_t association[3] = {128, 1, 7};
	struct fake_packet *packet;

	(void)state;
	fake_up(&defaults);
	packet = fake_post(VMBUS_PACKET_IN_BAND);
	memcpy(packet->payload, association, 12);
	packet->payload_length = 12;
	packet->answer_wanted = true;
	packet->transaction_id = 0x8000000000000000ull;
	fake_run();
	assert_int_equal(completions_of(0x8000000000000000ull), 1);
	assert_int_equal(bench.hvk.faults, 0);
	packet = fake_post(VMBUS_PACKET_IN_BAND); /* empty, no answer wanted */
	packet->transaction_id = 5;
	packet = fake_post(VMBUS_PACKET_IN_BAND);
	packet->payload[0] = 99;
	packet->payload_length = 8;
	packet->transaction_id = 5;
	packet = fake_post(VMBUS_PACKET_GPA_DIRECT);
	packet->transaction_id = 5;
	fake_run();
	assert_int_equal(completions_of(5), 0);
	assert_int_equal(bench.hvk.faults, 3);
	fake_down();
}

/* Any bytes: nothing but counters may happen. */
static void noise(void **state)
{
	uint32_t seed = 1;

	(void)state;
	fake_up(&defaults);
	for (uint32_t round = 0; round < 3000; round++) {
		uint32_t range[1][2];
		uint8_t *memory = fake_receive_memory();

		for (uint32_t i = 0; i < 64; i++) {
			seed = seed * 1664525u + 1013904223u;
			/* Small values are the interesting ones. */
			memory[i] = i % 4 == 0 ? (uint8_t)(seed >> 24) % 64
					       : (uint8_t)(seed >> 31 ? 0 : seed >> 28);
		}
		if (seed & 1u << 20)
			fake_put(memory, seed >> 16 & 15);
		range[0][0] = seed >> 10 & 127;
		range[0][1] = 0;
		fake_transfer(round, range, 1);
		fake_run();
		bench.channel.sent_count = bench.answered = 0;
	}
	fake_down();
}

/* Not even a range of no bytes lies in a buffer that does not exist yet. */
static void no_buffer_yet(void **state)
{
	static const uint32_t nothing[1][2] = {{0, 0}};

	(void)state;
	fake_create(&(struct hvk_netvsc_config){0});
	bench.mute_nvs = 101;
	hvk_netvsc_attach(bench.nic, &bench.attach);
	fake_run();
	assert_int_equal(bench.attach.status, HVK_EINPROGRESS);
	fake_transfer(1, nothing, 1);
	fake_run();
	assert_int_equal(bench.hvk.faults, 1);
	assert_int_equal(bench.hvk.last_fault, HVK_EHOST_RANGE);
	fake_advance(20000);
	assert_int_equal(bench.attach.status, HVK_ETIMEDOUT_NVS_RECEIVE_BUFFER);
	fake_check_nothing_left();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_frame_is_delivered),
		cmocka_unit_test(rndis_length_is_read_by_nobody),
		cmocka_unit_test(frames_behind_a_malformed_status_arrive),
		cmocka_unit_test(a_range_as_long_as_its_suballocation),
		cmocka_unit_test(ranges_outside_the_buffer_are_skipped),
		cmocka_unit_test(malformed_messages_are_skipped),
		cmocka_unit_test(malformed_packets_cost_themselves_alone),
		cmocka_unit_test(skipped_by_the_channel),
		cmocka_unit_test(a_corrupt_ring_ends_it),
		cmocka_unit_test(frames_while_down_are_dropped_and_given_back),
		cmocka_unit_test(frames_longer_than_the_mtu_are_dropped),
		cmocka_unit_test(a_vlan_tag_goes_back_into_the_frame),
		cmocka_unit_test(completions_wait_for_room),
		cmocka_unit_test(completions_do_not_overtake),
		cmocka_unit_test(the_same_id_twice_is_completed_twice),
		cmocka_unit_test(no_more_completions_wait_than_there_are_suballocations),
		cmocka_unit_test(the_work_of_one_callback_is_bounded),
		cmocka_unit_test(the_longest_packet),
		cmocka_unit_test(in_band_messages),
		cmocka_unit_test(noise),
		cmocka_unit_test(no_buffer_yet),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
