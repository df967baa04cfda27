/* SPDX-License-Identifier: MIT */
/* The network device: frames both ways, offloads, control queue. */
#include "host_virtio_driver.h"

#define RX 0u
#define TX 1u
#define MERGED (VIRTIO_NET_F_MRG_RXBUF)
#define CONTROLLED (VIRTIO_NET_F_CTRL_VQ | VIRTIO_NET_F_CTRL_RX)

static const struct virtio_net_header plain;

/* The frame in receive buffer n; its header checked for the number of buffers. */
static const uint8_t *received(struct hvh_partition *p, uint32_t n, uint32_t buffers,
			       struct virtio_net_header *header)
{
	memcpy(header, memory_at(p, buffer(n * 4096), sizeof *header), sizeof *header);
	assert_int_equal(header->buffer_count, buffers);
	return memory_at(p, buffer(n * 4096) + sizeof *header, 4000);
}

static void give(struct hvh_partition *p, const uint8_t *frame, uint32_t length)
{
	assert_true(virtio_net_receive(p->net, p->now, frame, length));
	settle(p);
}

/* --- From the guest ------------------------------------------------------------------------------- */

static void test_frame_goes_out_as_it_is(void **state)
{
	struct hvh_partition *p = scene_create(0);
	uint8_t frame[1514];
	uint32_t length = make_whole_tcp(frame, 7, 1000);

	(void)state;
	bring_up(p, MERGED, 1, 256);
	send_buffer(p, TX, 0, &plain, frame, length);
	assert_int_equal(p->sent, 1);
	assert_int_equal(p->flushed, 1);
	assert_int_equal(p->sent_length[0], length);
	assert_memory_equal(p->sent_bytes[0], frame, length);
	assert_int_equal(take_used(p, TX, 256).id, 0);
	assert_int_equal(p->interrupts[TX], 1);
	expect_lawful(p);
	scene_destroy(p);
}

/* Its header and its bytes lie wherever the descriptors are cut, some of which have none. */
static void test_frame_goes_out_of_any_pieces(void **state)
{
	static const uint32_t cuts[] = {5, 12, 13, 13, 40, 700, 1066};
	struct hvh_partition *p = scene_create(0);
	uint8_t bytes[12 + 1514];
	uint32_t length = make_whole_tcp(bytes + 12, 7, 1000) + 12, at = 0;

	(void)state;
	bring_up(p, MERGED, 1, 256);
	memset(bytes, 0, 12);
	assert_int_equal(length, 1066);
	for (uint16_t n = 0; n < 7; n++) {
		bool last = n == 6;

		memcpy(memory_at(p, buffer(n * 8192), 4096), bytes + at, cuts[n] - at);
		describe(p, TX, n, buffer(n * 8192), cuts[n] - at,
			 (uint16_t)(last ? 0 : VIRTQ_DESCRIPTOR_NEXT), (uint16_t)(n + 1));
		at = cuts[n];
	}
	show(p, TX, 0, 256);
	ring_bell(p, TX);
	assert_int_equal(p->sent, 1);
	assert_int_equal(p->sent_length[0], length - 12);
	assert_memory_equal(p->sent_bytes[0], bytes + 12, length - 12);
	expect_lawful(p);
	scene_destroy(p);
}

static void test_checksum_is_made_from_the_pseudo_headers_sum(void **state)
{
	struct virtio_net_header header = {
		.flags = VIRTIO_NET_HEADER_NEEDS_CHECKSUM, .checksum_start = 34, .checksum_offset = 16};
	struct hvh_partition *p = scene_create(0);
	uint8_t frame[1514], right[1514];
	uint32_t length = make_tcp(frame, 7, 501);

	(void)state;
	make_whole_tcp(right, 7, 501);
	bring_up(p, VIRTIO_NET_F_CSUM, 1, 256);
	set_tcp_field(frame, tcp_sum(frame, false));
	send_buffer(p, TX, 0, &header, frame, length);
	assert_int_equal(p->sent, 1);
	assert_memory_equal(p->sent_bytes[0], right, length);
	expect_lawful(p);
	set_tcp_field(frame, tcp_sum(frame, false) ^ 1);
	send_buffer(p, TX, 0, &header, frame, length);
	assert_int_equal(p->sent, 1);
	expect_violation(p, HVH_V_VIRTIO_NET);
	header.checksum_start = (uint16_t)(length - 17);
	send_buffer(p, TX, 0, &header, frame, length);
	expect_violation(p, HVH_V_VIRTIO_NET);
	assert_int_equal(used_index(p, TX), 3); /* such a frame is lost, and that is all */
	scene_destroy(p);
}

static void test_large_send_is_cut_into_segments_with_right_checksums(void **state)
{
	static uint8_t frame[20000], right[1514];
	struct virtio_net_header header = {.flags = VIRTIO_NET_HEADER_NEEDS_CHECKSUM,
					   .segmentation = VIRTIO_NET_SEGMENTATION_TCP4,
					   .segment_size = 1000,
					   .checksum_start = 34,
					   .checksum_offset = 16};
	struct hvh_partition *p = scene_create(0);
	uint32_t length = make_tcp(frame, 5, 2500);

	(void)state;
	bring_up(p, VIRTIO_NET_F_CSUM | VIRTIO_NET_F_HOST_TSO4, 1, 256);
	set_tcp_field(frame, tcp_sum(frame, false));
	send_buffer(p, TX, 0, &header, frame, length);
	expect_lawful(p);
	assert_int_equal(p->sent, 3);
	for (uint32_t n = 0; n < 3; n++) {
		uint32_t size = make_whole_tcp(right, 5 + n * 1000, n < 2 ? 1000 : 500);

		assert_int_equal(p->sent_length[n], size);
		assert_memory_equal(p->sent_bytes[n] + 34, right + 34, size - 34);
		assert_int_equal(tcp_sum(p->sent_bytes[n], true), 0xffff);
	}
	set_tcp_field(frame, 0x1234);
	send_buffer(p, TX, 0, &header, frame, length);
	expect_violation(p, HVH_V_VIRTIO_NET);
	set_tcp_field(frame, tcp_sum(frame, false));
	header.segmentation = VIRTIO_NET_SEGMENTATION_TCP6;
	send_buffer(p, TX, 0, &header, frame, length);
	expect_violation(p, HVH_V_VIRTIO_NET);
	header.segmentation = VIRTIO_NET_SEGMENTATION_TCP4;
	header.segment_size = 9000;
	send_buffer(p, TX, 0, &header, frame, length);
	expect_violation(p, HVH_V_VIRTIO_NET);
	header.segment_size = 1000;
	header.flags = 0;
	send_buffer(p, TX, 0, &header, frame, length);
	expect_violation(p, HVH_V_VIRTIO_NET);
	assert_int_equal(p->sent, 3);
	scene_destroy(p);
}

static void test_what_was_not_agreed_on_is_a_violation(void **state)
{
	static uint8_t frame[9300];
	struct virtio_net_header header = {
		.flags = VIRTIO_NET_HEADER_NEEDS_CHECKSUM, .checksum_start = 34, .checksum_offset = 16};
	struct hvh_partition *p = scene_create(0);
	uint32_t length = make_whole_tcp(frame, 7, 100);

	(void)state;
	bring_up(p, MERGED, 1, 256);
	send_buffer(p, TX, 0, &header, frame, length);
	expect_violation(p, HVH_V_VIRTIO_NET);
	header = (struct virtio_net_header){.buffer_count = 1};
	send_buffer(p, TX, 0, &header, frame, length);
	expect_violation(p, HVH_V_VIRTIO_NET);
	send_buffer(p, TX, 0, &plain, frame, 9015);
	expect_violation(p, HVH_V_VIRTIO_NET);
	send_buffer(p, TX, 0, &plain, frame, 13);
	expect_violation(p, HVH_V_VIRTIO_NET);
	assert_int_equal(p->sent, 0);
	send_buffer(p, TX, 0, &plain, frame, 9014);
	assert_int_equal(p->sent, 1);
	expect_lawful(p);
	scene_destroy(p);
}

/* --- To the guest --------------------------------------------------------------------------------- */

static void test_frame_comes_into_a_buffer_behind_its_header(void **state)
{
	struct hvh_partition *p = scene_create(0);
	struct virtio_net_header header;
	uint8_t frame[1514];
	uint32_t length = make_whole_tcp(frame, 7, 1400);

	(void)state;
	bring_up(p, MERGED, 1, 256);
	post_buffers(p, RX, 0, 4, 2048, 256);
	give(p, frame, length);
	assert_int_equal(used_index(p, RX), 1);
	assert_int_equal(take_used(p, RX, 256).length, length + 12);
	assert_memory_equal(received(p, 0, 1, &header), frame, length);
	assert_int_equal(header.flags, 0); /* GUEST_CSUM was not agreed on */
	assert_int_equal(p->interrupts[RX], 1);
	expect_lawful(p);
	scene_destroy(p);
}

static void test_long_frame_is_spread_over_buffers(void **state)
{
	static uint8_t frame[9100];
	struct hvh_partition *p = scene_create(0);
	struct virtio_net_header header;
	uint32_t length = make_whole_tcp(frame, 7, 6000), done = 1536 - 12;

	(void)state;
	bring_up(p, MERGED, 1, 256);
	post_buffers(p, RX, 0, 3, 1536, 256);
	give(p, frame, length);
	assert_int_equal(used_index(p, RX), 0); /* it waits for a fourth */
	post_buffers(p, RX, 3, 1, 1536, 256);
	assert_int_equal(used_index(p, RX), 4);
	assert_memory_equal(received(p, 0, 4, &header), frame, done);
	for (uint32_t n = 1; n < 4; n++) {
		uint32_t part = n < 3 ? 1536 : length - done;

		assert_memory_equal(memory_at(p, buffer(n * 4096), part), frame + done, part);
		done += part;
	}
	assert_int_equal(done, length);
	expect_lawful(p);
	scene_destroy(p);
}

static void test_checksums_are_told_of_or_left_to_the_guest(void **state)
{
	struct hvh_partition *p = scene_create(0);
	struct virtio_net_header header;
	uint8_t frame[1514], *got;
	uint32_t length = make_whole_tcp(frame, 7, 99);

	(void)state;
	bring_up(p, MERGED | VIRTIO_NET_F_GUEST_CSUM, 1, 256);
	post_buffers(p, RX, 0, 4, 2048, 256);
	give(p, frame, length);
	assert_memory_equal(received(p, 0, 1, &header), frame, length);
	assert_int_equal(header.flags, VIRTIO_NET_HEADER_CHECKSUM_VALID);
	frame[60] ^= 1;
	give(p, frame, length);
	received(p, 1, 1, &header);
	assert_int_equal(header.flags, 0); /* wrong: the guest has to see for itself */
	frame[60] ^= 1;
	p->deterministic = true;
	p->choice = 0;
	give(p, frame, length);
	got = memory_at(p, buffer(2 * 4096) + 12, length);
	received(p, 2, 1, &header);
	assert_int_equal(header.flags, VIRTIO_NET_HEADER_NEEDS_CHECKSUM);
	assert_int_equal(header.checksum_start, 34);
	assert_int_equal(header.checksum_offset, 16);
	set_tcp_field(got, ~tcp_sum(got, true) & 0xffff); /* as it makes it itself: wrong, from the field */
	set_tcp_field(got, 0);
	set_tcp_field(got, ~tcp_sum(got, true) & 0xffff);
	assert_memory_equal(got, frame, length);
	scene_destroy(p);
}

static void test_checksum_is_left_to_the_guest_only_when_the_frame_goes(void **state)
{
	struct hvh_partition *p = scene_create(0);
	struct virtio_net_header header;
	uint8_t frame[1514];
	uint32_t length = make_whole_tcp(frame, 7, 99);

	(void)state;
	bring_up(p, MERGED | VIRTIO_NET_F_GUEST_CSUM, 1, 256);
	p->deterministic = true;
	p->choice = 0;
	give(p, frame, length); /* there is no buffer yet */
	p->choice = 1;
	post_buffers(p, RX, 0, 1, 2048, 256);
	assert_memory_equal(received(p, 0, 1, &header), frame, length);
	assert_int_equal(header.flags, VIRTIO_NET_HEADER_CHECKSUM_VALID);
	scene_destroy(p);
}

static void test_segments_are_joined_where_the_guest_takes_that(void **state)
{
	static uint8_t frames[3][1514], right[4000];
	struct hvh_partition *p = scene_create(0);
	struct virtio_net_header header;
	const uint8_t *got;

	(void)state;
	bring_up(p, MERGED | VIRTIO_NET_F_GUEST_CSUM | VIRTIO_NET_F_GUEST_TSO4, 1, 256);
	post_buffers(p, RX, 0, 4, 4096, 256);
	for (uint32_t n = 0; n < 3; n++) {
		uint32_t length = make_whole_tcp(frames[n], 1 + 1000 * n, n < 2 ? 1000 : 400);

		assert_true(virtio_net_receive(p->net, p->now, frames[n], length));
	}
	settle(p);
	assert_int_equal(used_index(p, RX), 1);
	make_tcp(right, 1, 2400);
	got = received(p, 0, 1, &header);
	assert_memory_equal(got + 54, right + 54, 2400);
	assert_int_equal(header.segmentation, VIRTIO_NET_SEGMENTATION_TCP4);
	assert_int_equal(header.segment_size, 1000);
	assert_int_equal(header.flags, VIRTIO_NET_HEADER_NEEDS_CHECKSUM);
	assert_int_equal((uint32_t)got[50] << 8 | got[51], tcp_sum(got, false));
	assert_int_equal(virtio_net_get_counters(p->net)->joined, 3);
	expect_lawful(p);
	scene_destroy(p);
}

static void test_frames_wait_for_buffers_and_too_many_are_lost(void **state)
{
	struct hvh_partition *p = scene_create(0);
	uint8_t frame[1514];
	uint32_t length = make_whole_tcp(frame, 7, 100), taken = 0;

	(void)state;
	bring_up(p, MERGED, 1, 256);
	assert_int_equal(virtio_net_room(p->net, p->now), 512);
	while (virtio_net_receive(p->net, p->now, frame, length))
		taken++;
	settle(p);
	assert_int_equal(taken, 512);
	assert_int_equal(virtio_net_room(p->net, p->now), 0);
	assert_int_equal(virtio_net_get_counters(p->net)->dropped, 1);
	/* Who takes none for long holds nobody up. */
	assert_int_not_equal(virtio_net_room(p->net, p->now + HVH_TIME_PER_SECOND), 0);
	post_buffers(p, RX, 0, 200, 2048, 256);
	assert_int_equal(used_index(p, RX), 200);
	assert_int_equal(virtio_net_room(p->net, p->now), 200);
	expect_lawful(p);
	scene_destroy(p);
}

static void test_buffer_that_is_too_short_or_to_be_read_breaks_the_device(void **state)
{
	uint8_t frame[100] = {0};

	(void)state;
	for (unsigned n = 0; n < 2; n++) {
		struct hvh_partition *p = scene_create(0);

		bring_up(p, n == 0 ? 0 : MERGED, 1, 256);
		describe(p, RX, 0, buffer(0), n == 0 ? 1525 : 2048, n == 0 ? VIRTQ_DESCRIPTOR_WRITE : 0, 0);
		show(p, RX, 0, 256);
		ring_bell(p, RX);
		give(p, frame, sizeof frame);
		expect_violation(p, HVH_V_VIRTIO_NET);
		assert_int_equal(reg_read(p, COMMON(status), 1), READY_STATUS | VIRTIO_STATUS_NEEDS_RESET);
		assert_int_equal(p->interrupts[17], 1);
		scene_destroy(p);
	}
}

static void test_flow_comes_in_where_the_guest_sends_it(void **state)
{
	static uint8_t frame[1514], back[1514];
	struct hvh_partition *p = scene_create(0);
	uint16_t pairs = 4;
	uint32_t length = make_whole_tcp(frame, 7, 100);

	(void)state;
	bring_up(p, MERGED | CONTROLLED | VIRTIO_NET_F_MQ, 4, 256);
	assert_int_equal(command(p, VIRTIO_NET_CONTROL_MQ, VIRTIO_NET_CONTROL_MQ_PAIRS, &pairs, 2),
			 VIRTIO_NET_CONTROL_OK);
	for (uint32_t n = 0; n < 4; n++)
		post_buffers(p, 2 * n, 0, 4, 2048, 256);
	memcpy(back, frame, length); /* addresses and ports exchanged */
	memcpy(back + 26, frame + 30, 4);
	memcpy(back + 30, frame + 26, 4);
	memcpy(back + 34, frame + 36, 2);
	memcpy(back + 36, frame + 34, 2);
	for (uint32_t n = 0; n < 4; n++) {
		send_buffer(p, 2 * n + 1, 0x40000, &plain, back, length);
		assert_int_equal(p->sent_pair[n], n);
		give(p, frame, length);
		assert_int_equal(used_index(p, 2 * n), 1);
	}
	expect_lawful(p);
	scene_destroy(p);
}

/* --- Control queue --------------------------------------------------------------------------------- */

static void test_filter_is_what_the_commands_say(void **state)
{
	static const uint8_t group[60] = {1, 0, 0x5e, 0, 0, 5}, other[60] = {2, 0, 0, 0, 0, 7};
	static const uint8_t broadcast[60] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
	uint8_t table[4 + 6 + 4 + 6] = {1, 0, 0, 0, 2, 0, 0, 0, 0, 7, 1, 0, 0, 0, 1, 0, 0x5e, 0, 0, 5};
	uint8_t own[60] = {0}, on = 1, off = 0, nothing[8] = {0};
	struct hvh_partition *p = scene_create(0);

	(void)state;
	memcpy(own, own_address, 6);
	bring_up(p, CONTROLLED, 1, 256);
	assert_true(virtio_net_accepts(p->net, own));
	assert_true(virtio_net_accepts(p->net, broadcast));
	assert_false(virtio_net_accepts(p->net, group));
	assert_false(virtio_net_accepts(p->net, other));
	assert_int_equal(command(p, VIRTIO_NET_CONTROL_RX, 1, &on, 1), 0);
	assert_true(virtio_net_accepts(p->net, group));
	assert_int_equal(command(p, VIRTIO_NET_CONTROL_RX, 1, &off, 1), 0);
	assert_int_equal(command(p, VIRTIO_NET_CONTROL_RX, 0, &on, 1), 0);
	assert_true(virtio_net_accepts(p->net, other));
	assert_int_equal(command(p, VIRTIO_NET_CONTROL_RX, 0, &off, 1), 0);
	assert_int_equal(command(p, VIRTIO_NET_CONTROL_MAC, 0, table, sizeof table), 0);
	assert_true(virtio_net_accepts(p->net, group));
	assert_true(virtio_net_accepts(p->net, other));
	assert_int_equal(command(p, VIRTIO_NET_CONTROL_MAC, 0, nothing, sizeof nothing), 0);
	assert_false(virtio_net_accepts(p->net, group));
	assert_false(virtio_net_accepts(p->net, other));
	expect_lawful(p);
	virtio_net_set_link(p->net, p->now, false, 1000000000);
	assert_false(virtio_net_accepts(p->net, own));
	assert_int_equal(p->interrupts[17], 1);
	scene_destroy(p);
}

/* Who names more addresses than there is room for has all of that kind; one may have another of one's own. */
static void test_filter_that_is_full_and_another_address(void **state)
{
	static const uint8_t group[60] = {1, 0, 0x5e, 9, 9, 9}, other[60] = {2, 0, 0, 0, 0, 7};
	uint8_t table[4 + 4 + 65 * 6] = {0}, own[60] = {0};
	struct hvh_partition *p = scene_create(0);

	(void)state;
	memcpy(own, own_address, 6);
	bring_up(p, CONTROLLED | VIRTIO_NET_F_CTRL_MAC_ADDR, 1, 256);
	table[4] = 65;
	for (uint32_t n = 0; n < 65; n++) {
		table[8 + 6 * n] = 1;
		table[8 + 6 * n + 5] = (uint8_t)n;
	}
	assert_int_equal(command(p, VIRTIO_NET_CONTROL_MAC, 0, table, sizeof table), 0);
	assert_true(virtio_net_accepts(p->net, group));
	assert_false(virtio_net_accepts(p->net, other));
	table[4] = 64;
	assert_int_equal(command(p, VIRTIO_NET_CONTROL_MAC, 0, table, sizeof table - 6), 0);
	assert_false(virtio_net_accepts(p->net, group));
	assert_int_equal(command(p, VIRTIO_NET_CONTROL_MAC, 1, other, 6), 0);
	assert_true(virtio_net_accepts(p->net, other));
	assert_false(virtio_net_accepts(p->net, own));
	expect_lawful(p);
	scene_destroy(p);
}

static void test_wrong_commands_are_refused(void **state)
{
	static const struct {
		uint8_t class_, number, data[16];
		uint32_t length;
	} cases[] = {
		{VIRTIO_NET_CONTROL_RX, 0, {2}, 1},
		{VIRTIO_NET_CONTROL_RX, 0, {1, 1}, 2},
		{VIRTIO_NET_CONTROL_RX, 2, {1}, 1},
		{VIRTIO_NET_CONTROL_MAC, 0, {1, 0, 0, 0}, 4},
		{VIRTIO_NET_CONTROL_MAC, 0, {0}, 9},
		{VIRTIO_NET_CONTROL_MAC, 0, {1, 0, 0, 0, 1, 0, 0, 0, 0, 7}, 14},
		{VIRTIO_NET_CONTROL_MAC, 1, {2, 0, 0, 0, 0, 1}, 6},
		{VIRTIO_NET_CONTROL_MQ, 0, {0}, 2},
		{VIRTIO_NET_CONTROL_MQ, 0, {9}, 2},
		{VIRTIO_NET_CONTROL_MQ, 0, {3}, 2}, /* two are enabled */
		{VIRTIO_NET_CONTROL_OFFLOADS, 0, {0}, 8},
		{VIRTIO_NET_CONTROL_ANNOUNCE, 0, {0}, 0},
		{VIRTIO_NET_CONTROL_VLAN, 0, {0}, 2},
	};
	struct hvh_partition *p = scene_create(0);

	(void)state;
	bring_up(p, CONTROLLED | VIRTIO_NET_F_MQ, 2, 256);
	for (size_t n = 0; n < sizeof cases / sizeof cases[0]; n++) {
		assert_int_equal(command(p, cases[n].class_, cases[n].number, cases[n].data, cases[n].length),
				 VIRTIO_NET_CONTROL_ERROR);
		expect_violation(p, HVH_V_VIRTIO_NET);
	}
	scene_destroy(p);
}

static void test_offloads_are_switched_off_and_on(void **state)
{
	struct hvh_partition *p = scene_create(0);
	struct virtio_net_header header;
	uint8_t frame[1514];
	uint32_t length = make_whole_tcp(frame, 7, 99);
	uint64_t none = 0, all = VIRTIO_NET_F_GUEST_CSUM, more = VIRTIO_NET_F_GUEST_TSO4;

	(void)state;
	bring_up(p,
		 MERGED | VIRTIO_NET_F_GUEST_CSUM | VIRTIO_NET_F_CTRL_VQ | VIRTIO_NET_F_CTRL_GUEST_OFFLOADS,
		 1, 256);
	post_buffers(p, RX, 0, 4, 2048, 256);
	assert_int_equal(command(p, VIRTIO_NET_CONTROL_OFFLOADS, 0, &none, 8), 0);
	give(p, frame, length);
	received(p, 0, 1, &header);
	assert_int_equal(header.flags, 0);
	assert_int_equal(command(p, VIRTIO_NET_CONTROL_OFFLOADS, 0, &all, 8), 0);
	give(p, frame, length);
	received(p, 1, 1, &header);
	assert_int_equal(header.flags, VIRTIO_NET_HEADER_CHECKSUM_VALID);
	expect_lawful(p);
	assert_int_equal(command(p, VIRTIO_NET_CONTROL_OFFLOADS, 0, &more, 8), 1);
	expect_violation(p, HVH_V_VIRTIO_NET);
	scene_destroy(p);
}

static void test_announcement_is_asked_for_until_acknowledged(void **state)
{
	struct hvh_partition *p = scene_create(0);

	(void)state;
	bring_up(p, CONTROLLED | VIRTIO_NET_F_GUEST_ANNOUNCE | VIRTIO_NET_F_STATUS, 1, 256);
	virtio_net_announce(p->net, p->now);
	assert_int_equal(p->interrupts[17], 1);
	assert_int_equal(reg_read(p, CONFIG_AT + 6, 2),
			 VIRTIO_NET_STATUS_LINK_UP | VIRTIO_NET_STATUS_ANNOUNCE);
	assert_int_equal(command(p, VIRTIO_NET_CONTROL_ANNOUNCE, 0, NULL, 0), 0);
	assert_int_equal(reg_read(p, CONFIG_AT + 6, 2), VIRTIO_NET_STATUS_LINK_UP);
	expect_lawful(p);
	scene_destroy(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_frame_goes_out_as_it_is),
		cmocka_unit_test(test_frame_goes_out_of_any_pieces),
		cmocka_unit_test(test_checksum_is_made_from_the_pseudo_headers_sum),
		cmocka_unit_test(test_large_send_is_cut_into_segments_with_right_checksums),
		cmocka_unit_test(test_what_was_not_agreed_on_is_a_violation),
		cmocka_unit_test(test_frame_comes_into_a_buffer_behind_its_header),
		cmocka_unit_test(test_long_frame_is_spread_over_buffers),
		cmocka_unit_test(test_checksums_are_told_of_or_left_to_the_guest),
		cmocka_unit_test(test_checksum_is_left_to_the_guest_only_when_the_frame_goes),
		cmocka_unit_test(test_segments_are_joined_where_the_guest_takes_that),
		cmocka_unit_test(test_frames_wait_for_buffers_and_too_many_are_lost),
		cmocka_unit_test(test_buffer_that_is_too_short_or_to_be_read_breaks_the_device),
		cmocka_unit_test(test_flow_comes_in_where_the_guest_sends_it),
		cmocka_unit_test(test_filter_is_what_the_commands_say),
		cmocka_unit_test(test_filter_that_is_full_and_another_address),
		cmocka_unit_test(test_wrong_commands_are_refused),
		cmocka_unit_test(test_offloads_are_switched_off_and_on),
		cmocka_unit_test(test_announcement_is_asked_for_until_acknowledged),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
