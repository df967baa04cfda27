/* SPDX-License-Identifier: MIT */
/* The network card's host side: frames in both directions. */
#include "host_netvsp_fake.h"

#define FRAME 60u

static struct fake *ready(void)
{
	struct fake *fake = fake_create();

	fake_negotiate(fake, NVS_VERSION_5);
	fake_initialize(fake);
	return fake;
}

static void expect_status(struct fake *fake, uint64_t id, uint32_t status)
{
	const struct nvs_rndis_complete done = {NVS_TYPE_RNDIS_COMPLETE, status};

	fake_expect_completion(fake, id, &done, sizeof done);
}

/* --- From the guest ----------------------------------------------------------------------- */

static struct fake_packet *section(struct fake *fake, uint32_t index, const void *message, uint32_t length)
{
	const struct nvs_rndis rndis = {NVS_TYPE_RNDIS, NVS_CHANNEL_DATA, index, length};

	if ((uint64_t)index * 6144 + length <= FAKE_SEND_BYTES)
		memcpy(fake->partition.channel.gpadls[1].bytes + index * 6144, message, length);
	return fake_queue(fake, VMBUS_PACKET_IN_BAND, true, &rndis, sizeof rndis, 40);
}

static void test_frame_in_a_section(void **state)
{
	struct fake *fake = ready();
	struct hvh_nic_counters counters;
	uint64_t id;

	(void)state;
	memcpy(fake->partition.channel.gpadls[1].bytes + 5 * 6144, golden_rndis_packet,
	       sizeof golden_rndis_packet);
	id = fake_nvs(fake, golden_nvs_rndis_data_section, sizeof golden_nvs_rndis_data_section);
	expect_status(fake, id, NVS_STATUS_SUCCESS);
	assert_int_equal(fake->frames, 1);
	assert_int_equal(fake->frame_length[0], FRAME);
	assert_memory_equal(fake->frame[0], golden_rndis_packet + 44, FRAME);
	hvh_nic_get_counters(fake->nic, &counters);
	assert_int_equal(counters.from_guest_frames, 1);
	assert_int_equal(counters.from_guest_bytes, FRAME);
	assert_int_equal(counters.sections_used, 1);
	fake_expect_lawful(fake);
	fake_destroy(fake);
}

static void test_frame_by_page_list(void **state)
{
	struct fake *fake = ready();
	struct hvh_nic_counters before, after;
	uint64_t id;

	(void)state;
	hvh_nic_get_counters(fake->nic, &before);
	id = fake_pages(fake, NVS_CHANNEL_DATA, golden_rndis_packet, sizeof golden_rndis_packet)
		     ->transaction_id;
	fake_run(fake);
	expect_status(fake, id, NVS_STATUS_SUCCESS);
	assert_memory_equal(fake->frame[0], golden_rndis_packet + 44, FRAME);
	hvh_nic_get_counters(fake->nic, &after);
	assert_int_equal(after.page_lists_used, before.page_lists_used + 1);
	fake_expect_lawful(fake);
	fake_destroy(fake);
}

/* Linux: header in the section, the rest by page list. mu_msvm: channel type 2. */
static void test_frame_in_both(void **state)
{
	struct nvs_rndis rndis = {NVS_TYPE_RNDIS, 2, 3, 44};
	struct fake *fake = ready();
	struct fake_packet *packet = fake_pages(fake, NVS_CHANNEL_DATA, golden_rndis_packet + 44, FRAME);

	(void)state;
	memcpy(packet->payload, &rndis, sizeof rndis);
	memcpy(fake->partition.channel.gpadls[1].bytes + 3 * 6144, golden_rndis_packet, 44);
	fake_run(fake);
	expect_status(fake, packet->transaction_id, NVS_STATUS_SUCCESS);
	assert_memory_equal(fake->frame[0], golden_rndis_packet + 44, FRAME);
	fake_expect_lawful(fake);
	fake_destroy(fake);
}

static void test_several_frames_in_one_section(void **state)
{
	uint8_t message[9 * sizeof golden_rndis_packet];
	struct fake *fake = ready();

	(void)state;
	for (uint32_t i = 0; i < 9; i++) {
		memcpy(message + i * sizeof golden_rndis_packet, golden_rndis_packet,
		       sizeof golden_rndis_packet);
		message[i * sizeof golden_rndis_packet + 60] = (uint8_t)i;
	}
	section(fake, 0, message, 8 * sizeof golden_rndis_packet);
	fake_run(fake);
	expect_status(fake, fake->next_transaction - 1, NVS_STATUS_SUCCESS);
	assert_int_equal(fake->frames, 8);
	assert_int_equal(fake->flushed, 1);
	for (uint32_t i = 0; i < 8; i++)
		assert_int_equal(fake->frame[i][16], i);
	fake_expect_lawful(fake);
	/* INITIALIZE_CMPLT said 8. */
	section(fake, 0, message, sizeof message);
	fake_run(fake);
	expect_status(fake, fake->next_transaction - 1, NVS_STATUS_FAILURE);
	assert_int_equal(fake->frames, 8);
	assert_int_equal(fake->flushed, 1);
	fake_expect_violation(fake, HVH_V_RNDIS);
	fake_destroy(fake);
}

/* One fault in the second of two: neither is sent. */
static void refused(uint32_t at, uint8_t value, enum hvh_violation_kind kind)
{
	uint8_t message[2 * sizeof golden_rndis_packet];
	struct fake *fake = ready();

	memcpy(message, golden_rndis_packet, sizeof golden_rndis_packet);
	memcpy(message + sizeof golden_rndis_packet, golden_rndis_packet, sizeof golden_rndis_packet);
	message[sizeof golden_rndis_packet + at] = value;
	section(fake, 1, message, sizeof message);
	fake_run(fake);
	expect_status(fake, fake->next_transaction - 1, NVS_STATUS_FAILURE);
	assert_int_equal(fake->frames, 0);
	fake_expect_violation(fake, kind);
	fake_destroy(fake);
}

static void test_malformed_packets(void **state)
{
	(void)state;
	refused(0, RNDIS_MSG_QUERY, HVH_V_RNDIS); /* another message after a packet */
	refused(4, 43, HVH_V_RNDIS);              /* length below the header */
	refused(4, 105, HVH_V_RNDIS);             /* length beyond what was sent */
	refused(8, 35, HVH_V_RNDIS);              /* frame inside the header */
	refused(8, 37, HVH_V_RNDIS);              /* frame beyond the message */
	refused(11, 0x80, HVH_V_RNDIS);
	refused(12, 61, HVH_V_RNDIS);
	refused(12, 13, HVH_V_FRAME); /* no Ethernet header */
	refused(16, 1, HVH_V_RNDIS);  /* out of band */
	refused(20, 1, HVH_V_RNDIS);
	refused(24, 1, HVH_V_RNDIS);
	refused(36, 1, HVH_V_RNDIS); /* handle, reserved */
	refused(40, 1, HVH_V_RNDIS);
	refused(32, 12, HVH_V_RNDIS); /* packet information inside the header */
}

static void test_length_of_frames(void **state)
{
	uint8_t message[44 + 1515] = {0};
	const struct rndis_packet head = {
		.header = {1, sizeof message - 1}, .data_offset = 36, .data_length = 1514};
	struct fake *fake = ready();

	(void)state;
	memcpy(message, &head, sizeof head);
	fake_pages(fake, NVS_CHANNEL_DATA, message, sizeof message - 1);
	fake_run(fake);
	expect_status(fake, fake->next_transaction - 1, NVS_STATUS_SUCCESS);
	assert_int_equal(fake->frame_length[0], 1514);
	message[4]++;
	message[12]++;
	fake_pages(fake, NVS_CHANNEL_DATA, message, sizeof message);
	fake_run(fake);
	expect_status(fake, fake->next_transaction - 1, NVS_STATUS_FAILURE);
	fake_expect_violation(fake, HVH_V_FRAME);
	fake_destroy(fake);
}

/* iPXE of 2019: the header has 40 bytes, and the frame begins where others have a reserved word. */
static void test_a_header_of_40_bytes(void **state)
{
	uint8_t message[40 + FRAME];
	const struct rndis_packet head = {
		.header = {1, sizeof message}, .data_offset = 32, .data_length = FRAME};
	struct fake *fake = ready();

	(void)state;
	memset(message, 0xff, sizeof message);
	memcpy(message, &head, 40);
	fake_pages(fake, NVS_CHANNEL_DATA, message, sizeof message);
	fake_run(fake);
	expect_status(fake, fake->next_transaction - 1, NVS_STATUS_SUCCESS);
	assert_int_equal(fake->frames, 1);
	assert_int_equal(fake->frame_length[0], FRAME);
	assert_memory_equal(fake->frame[0], message + 40, FRAME);
	fake_expect_lawful(fake);
	fake_destroy(fake);
}

/* A packet with one packet information of 16 bytes between header and frame. */
static uint32_t information_status(uint32_t size, uint32_t type, uint32_t offset)
{
	uint8_t message[44 + 16 + FRAME] = {0};
	const struct rndis_packet head = {.header = {1, sizeof message},
					  .data_offset = 52,
					  .data_length = FRAME,
					  .per_packet_info_offset = 36,
					  .per_packet_info_length = 16};
	const struct rndis_per_packet_info info = {size, type, offset};
	struct fake *fake = ready();
	struct nvs_rndis_complete done;

	memcpy(message, &head, sizeof head);
	memcpy(message + 44, &info, sizeof info);
	fake_pages(fake, NVS_CHANNEL_DATA, message, sizeof message);
	fake_run(fake);
	memcpy(&done, fake_take(fake)->payload, sizeof done);
	assert_int_equal(done.status == NVS_STATUS_SUCCESS, fake->frames == 1);
	if (done.status == NVS_STATUS_SUCCESS)
		fake_expect_lawful(fake);
	else
		fake_expect_violation(fake,
				      size == 16 && type != 8 && offset == 12 ? HVH_V_FRAME : HVH_V_RNDIS);
	fake_destroy(fake);
	return done.status;
}

static void test_packet_information(void **state)
{
	(void)state;
	assert_int_equal(information_status(16, 8, 12), NVS_STATUS_SUCCESS); /* a hash value */
	assert_int_equal(information_status(0, 8, 12), NVS_STATUS_FAILURE);
	assert_int_equal(information_status(11, 8, 12), NVS_STATUS_FAILURE);
	assert_int_equal(information_status(20, 8, 12), NVS_STATUS_FAILURE);
	assert_int_equal(information_status(12, 8, 12), NVS_STATUS_FAILURE); /* 4 bytes left over */
	assert_int_equal(information_status(16, 8, 17), NVS_STATUS_FAILURE);
	assert_int_equal(information_status(16, 0, 12), NVS_STATUS_FAILURE); /* a checksum of what has none */
	assert_int_equal(information_status(16, 2, 12), NVS_STATUS_FAILURE); /* no large send */
}

static void test_sections_out_of_range(void **state)
{
	const struct nvs_rndis none_with_size = {NVS_TYPE_RNDIS, NVS_CHANNEL_DATA, NVS_SECTION_NONE, 8};
	struct fake *fake = ready();
	static const struct {
		uint32_t index, size;
	} wrong[] = {{FAKE_SEND_BYTES / 6144, 104}, {0, 6145}, {0, 0}, {0x80000000u, 104}};

	(void)state;
	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
		const struct nvs_rndis rndis = {NVS_TYPE_RNDIS, NVS_CHANNEL_DATA, wrong[i].index,
						wrong[i].size};

		expect_status(fake, fake_nvs(fake, &rndis, sizeof rndis), NVS_STATUS_FAILURE);
		fake_expect_violation(fake, HVH_V_SECTION);
	}
	expect_status(fake, fake_nvs(fake, &none_with_size, sizeof none_with_size), NVS_STATUS_FAILURE);
	fake_expect_violation(fake, HVH_V_SECTION);
	fake_nvs(fake, golden_nvs_revoke_send_buffer, sizeof golden_nvs_revoke_send_buffer);
	fake_take(fake);
	section(fake, 0, golden_rndis_packet, sizeof golden_rndis_packet);
	fake_run(fake);
	fake_expect_violation(fake, HVH_V_SECTION); /* there is no send buffer any more */
	assert_int_equal(fake->frames, 0);
	fake_destroy(fake);
}

/* Both packets were written before the first was completed. */
static void test_section_used_again_too_early(void **state)
{
	struct fake *fake = ready();

	(void)state;
	section(fake, 2, golden_rndis_packet, sizeof golden_rndis_packet);
	section(fake, 2, golden_rndis_packet, sizeof golden_rndis_packet);
	fake_run(fake);
	fake_expect_violation(fake, HVH_V_SECTION);
	expect_status(fake, fake->next_transaction - 2, NVS_STATUS_SUCCESS);
	expect_status(fake, fake->next_transaction - 1, NVS_STATUS_FAILURE);
	section(fake, 2, golden_rndis_packet, sizeof golden_rndis_packet);
	fake_run(fake);
	expect_status(fake, fake->next_transaction - 1, NVS_STATUS_SUCCESS);
	fake_expect_lawful(fake);
	assert_int_equal(fake->frames, 2);
	fake_destroy(fake);
}

static void test_late_completions_are_overtaken(void **state)
{
	struct fake *fake = ready();
	uint64_t late, next;

	(void)state;
	fake->partition.fault[HVH_FAULT_DELAY_COMPLETION] = true;
	section(fake, 2, golden_rndis_packet, sizeof golden_rndis_packet);
	late = fake->next_transaction - 1;
	fake_run(fake);
	assert_int_equal(fake_waiting(fake), 0);
	assert_int_equal(fake->frames, 1); /* sent all the same */
	fake->partition.fault[HVH_FAULT_DELAY_COMPLETION] = false;
	section(fake, 3, golden_rndis_packet, sizeof golden_rndis_packet);
	next = fake->next_transaction - 1;
	fake_run(fake);
	expect_status(fake, next, NVS_STATUS_SUCCESS);
	section(fake, 2, golden_rndis_packet, sizeof golden_rndis_packet); /* still in use */
	fake_run(fake);
	fake_expect_violation(fake, HVH_V_SECTION);
	expect_status(fake, next + 1, NVS_STATUS_FAILURE);
	fake_wait(fake);
	expect_status(fake, late, NVS_STATUS_SUCCESS);
	fake_destroy(fake);
}

static void test_completions_wait_for_room(void **state)
{
	struct fake *fake = ready();

	(void)state;
	fake->partition.channel.full = true;
	for (uint32_t i = 0; i < 10; i++)
		section(fake, i, golden_rndis_packet, sizeof golden_rndis_packet);
	fake_run(fake);
	assert_int_equal(fake->frames, 10);
	fake->partition.channel.full = false;
	fake_run(fake);
	assert_int_equal(fake_waiting(fake), 10);
	for (uint32_t i = 0; i < 10; i++)
		expect_status(fake, fake->next_transaction - 10 + i, NVS_STATUS_SUCCESS);
	fake_destroy(fake);
}

/* A guest that takes no completions is not read for ever. */
static void test_packets_in_flight_are_limited(void **state)
{
	struct fake *fake = ready();

	(void)state;
	fake->partition.channel.full = true;
	hvh_nic_set_link(fake->nic, fake->now, false); /* the backend need not keep them */
	for (uint32_t i = 0; i < 1100; i++)
		fake_pages(fake, NVS_CHANNEL_DATA, golden_rndis_packet, sizeof golden_rndis_packet);
	fake_run(fake);
	assert_int_equal(fake->partition.channel.to_host.count, 1100 - 1024);
	fake->partition.channel.full = false;
	fake_run(fake);
	assert_int_equal(fake->partition.channel.to_host.count, 0);
	fake_expect_lawful(fake);
	fake_destroy(fake);
}

/* The ring was full of completions: when it is empty all of them go, and what could not be read
 * meanwhile is read without another signal. */
static void test_packets_left_lying_are_read(void **state)
{
	struct fake *fake = ready();

	(void)state;
	fake->partition.channel.full = true;
	hvh_nic_set_link(fake->nic, fake->now, false);
	for (uint32_t i = 0; i < 1000; i++)
		fake_pages(fake, NVS_CHANNEL_DATA, golden_rndis_packet, sizeof golden_rndis_packet);
	fake_run(fake);
	for (uint32_t i = 0; i < 100; i++)
		fake_pages(fake, NVS_CHANNEL_DATA, golden_rndis_packet, sizeof golden_rndis_packet);
	fake->partition.channel.full = false;
	fake_run(fake);
	assert_int_equal(fake->partition.channel.to_host.count, 0);
	assert_true(fake_waiting(fake) >= 1100); /* and the link's going down */
	fake_destroy(fake);
}

static void test_header_in_the_first_range(void **state)
{
	struct vmbus_gpa_range range = {4, 0};
	struct fake *fake = ready();
	struct fake_packet *packet = fake_pages(fake, NVS_CHANNEL_DATA, golden_rndis_packet,
						sizeof golden_rndis_packet);

	(void)state;
	memcpy(packet->extension + 8, &range, sizeof range);
	fake_run(fake);
	expect_status(fake, packet->transaction_id, NVS_STATUS_FAILURE);
	fake_expect_violation(fake, HVH_V_RNDIS);
	packet = fake_pages(fake, NVS_CHANNEL_DATA, golden_rndis_packet, sizeof golden_rndis_packet);
	range.byte_offset = 4092; /* to the page's end: Linux does that */
	memcpy(packet->extension + 8, &range, sizeof range);
	fake_run(fake);
	expect_status(fake, packet->transaction_id, NVS_STATUS_SUCCESS);
	fake_expect_lawful(fake);
	/* Nothing at all. */
	expect_status(fake, fake_nvs(fake, golden_nvs_rndis_control, sizeof golden_nvs_rndis_control),
		      NVS_STATUS_FAILURE);
	fake_expect_violation(fake, HVH_V_RNDIS);
	fake_destroy(fake);
}

static void test_unknown_channel_type(void **state)
{
	struct fake *fake = ready();

	(void)state;
	fake_pages(fake, 3, golden_rndis_packet, sizeof golden_rndis_packet);
	fake_run(fake);
	fake_expect_violation(fake, HVH_V_NVS_VALUE);
	fake_destroy(fake);
}

/* --- To the guest ----------------------------------------------------------------------------- */

static void make_frame(uint8_t *frame, const char *to, uint8_t mark)
{
	memset(frame, mark, FRAME);
	memcpy(frame, to, 6);
	memcpy(frame + 6, "\x02\0\0\0\0\x01\x88\xb5", 8);
}

#define OURS "\x00\x15\x5d\x01\x02\x03"
#define OTHER "\x00\x15\x5d\x01\x02\x04"
#define GROUP "\x01\x00\x5e\x00\x00\x01"
#define ALL "\xff\xff\xff\xff\xff\xff"

static bool receive(struct fake *fake, const char *to, uint8_t mark)
{
	uint8_t frame[FRAME];

	make_frame(frame, to, mark);
	return hvh_nic_receive(fake->nic, fake->now, frame, FRAME);
}

static void set_filter(struct fake *fake, uint8_t filter)
{
	uint8_t message[sizeof golden_rndis_set_filter];

	memcpy(message, golden_rndis_set_filter, sizeof message);
	message[28] = filter;
	fake_control(fake, message, sizeof message);
	while (fake_waiting(fake) > 0) {
		struct fake_packet *packet = fake_take(fake);

		if (packet->type == VMBUS_PACKET_TRANSFER_PAGES)
			fake_complete(fake, packet->transaction_id);
	}
}

static void test_filter(void **state)
{
	struct fake *fake = ready();
	struct hvh_nic_counters counters;

	(void)state;
	set_filter(fake, RNDIS_FILTER_DIRECTED);
	assert_true(receive(fake, OURS, 1));
	assert_false(receive(fake, OTHER, 1));
	assert_false(receive(fake, ALL, 1));
	assert_false(receive(fake, GROUP, 1));
	set_filter(fake, RNDIS_FILTER_BROADCAST);
	assert_false(receive(fake, OURS, 1));
	assert_true(receive(fake, ALL, 1));
	assert_false(receive(fake, GROUP, 1));
	set_filter(fake, RNDIS_FILTER_ALL_MULTICAST);
	assert_true(receive(fake, GROUP, 1));
	assert_false(receive(fake, ALL, 1));
	set_filter(fake, RNDIS_FILTER_PROMISCUOUS);
	assert_true(receive(fake, OTHER, 1));
	assert_true(receive(fake, ALL, 1));
	set_filter(fake, 0);
	assert_false(receive(fake, OURS, 1));
	hvh_nic_get_counters(fake->nic, &counters);
	assert_int_equal(counters.dropped_filter, 7 + 2); /* and two that waited when it went to 0 */
	fake_destroy(fake);
}

static void test_filter_at_the_start(void **state)
{
	struct fake *fake = fake_create();

	(void)state;
	fake_negotiate(fake, NVS_VERSION_5);
	assert_false(receive(fake, OURS, 1)); /* before INITIALIZE never */
	fake_control(fake, golden_rndis_initialize, sizeof golden_rndis_initialize);
	assert_false(receive(fake, OURS, 1));
	fake_close(fake);
	fake->partition.profile.filter_set_at_start = true; /* some hosts (FreeBSD) */
	fake_negotiate(fake, NVS_VERSION_5);
	assert_false(receive(fake, OURS, 1));
	fake_control(fake, golden_rndis_initialize, sizeof golden_rndis_initialize);
	assert_true(receive(fake, OURS, 1));
	fake_destroy(fake);
}

static void test_link_and_queue(void **state)
{
	struct fake *fake = ready();
	struct hvh_nic_counters counters;

	(void)state;
	assert_int_equal(fake->link_downs, 0);
	hvh_nic_set_link(fake->nic, fake->now, false);
	hvh_nic_set_link(fake->nic, fake->now, false);
	assert_int_equal(fake->link_downs, 1);
	assert_false(receive(fake, OURS, 1));
	hvh_nic_set_link(fake->nic, fake->now, true);
	assert_int_equal(fake->link_ups, 1);
	assert_int_equal(hvh_nic_room(fake->nic, fake->now), HVH_NIC_QUEUE);
	for (uint32_t i = 0; i < HVH_NIC_QUEUE; i++)
		assert_true(receive(fake, OURS, 1));
	assert_int_equal(hvh_nic_room(fake->nic, fake->now), 0);
	assert_false(receive(fake, OURS, 1));
	hvh_nic_get_counters(fake->nic, &counters);
	assert_int_equal(counters.dropped_link, 1);
	assert_int_equal(counters.dropped_queue, 1);
	fake->partition.fault[HVH_FAULT_FRAME_LOST] = true;
	assert_true(receive(fake, OURS, 1)); /* nobody knows */
	fake_destroy(fake);
}

static void test_backend_of_a_card_without_link(void **state)
{
	struct hvh_nic_config config = {.mac = {0x00, 0x15, 0x5d, 1, 2, 3}};
	struct fake *fake = fake_create();
	struct hvh_backend backend = {.context = fake, .transmit = fake_transmit, .link = fake_link};
	struct hvh_channel *channel = &fake->partition.channel;

	(void)state;
	channel->ops->destroy(channel->device);
	fake->nic = hvh_nic_create(&fake->partition, &config, &backend);
	assert_int_equal(fake->link_downs, 1);
	hvh_nic_set_link(fake->nic, fake->now, true);
	assert_int_equal(fake->link_ups, 1);
	fake_destroy(fake);
}

/* All that was sent arrives once, in order, whatever layout and grouping the seed
 * chooses, and no range is used before the guest has given it back. */
static void frames_arrive(uint64_t seed)
{
	struct fake *fake = ready();
	struct vmbus_transfer_page_range ranges[375];
	struct hvh_nic_counters counters;
	uint8_t in_use[64] = {0};
	uint32_t seen = 0, layouts = 0, given = 0;

	fake->partition.random = seed;
	fake->partition.traced = true;
	for (uint32_t i = 0; i < 200; i++)
		assert_true(receive(fake, i % 2 != 0 ? ALL : OURS, (uint8_t)i));
	fake_run(fake);
	while (seen < 200) {
		struct fake_packet *packet = fake_take(fake);
		uint32_t count = fake_ranges(packet, ranges), traced = 0;

		assert_true(count <= 8);
		for (uint32_t i = 0; i < count; i++) {
			const uint8_t *bytes = fake->partition.channel.gpadls[0].bytes +
					       ranges[i].byte_offset;
			uint32_t id = ranges[i].byte_offset / 1728;
			struct rndis_packet head;

			assert_int_equal(ranges[i].byte_offset % 1728, 0);
			assert_true(id >= 16 && id < 37 && in_use[id] == 0);
			if (i == 0)
				assert_int_equal(packet->transaction_id, id);
			in_use[id] = 1;
			memcpy(&head, bytes, sizeof head);
			assert_int_equal(head.header.type, RNDIS_MSG_PACKET);
			assert_int_equal(head.header.length, ranges[i].byte_count);
			assert_int_equal(head.data_length, FRAME);
			assert_true(8 + head.data_offset + FRAME <= ranges[i].byte_count);
			assert_true(ranges[i].byte_count <= 1728);
			assert_int_equal(bytes[8 + head.data_offset + 14], seen % 256);
			/* The trace has the ranges one after another. */
			if (traced + ranges[i].byte_count <= packet->external_length)
				assert_memory_equal(packet->external + traced, bytes,
						    8 + head.data_offset + FRAME);
			traced += ranges[i].byte_count;
			layouts |= 1u << (head.data_offset % 32);
			seen++;
		}
		for (uint32_t i = 0; i < count; i++)
			in_use[ranges[i].byte_offset / 1728] = 0;
		fake_complete(fake, packet->transaction_id);
		/* What was given back is the host's again, and it writes there. */
		if (fake_waiting(fake) == 0)
			given += fake->partition.channel.gpadls[0].bytes[ranges[0].byte_offset] == 0xdb;
	}
	hvh_nic_get_counters(fake->nic, &counters);
	assert_int_equal(counters.to_guest_frames, 200);
	assert_int_equal(counters.to_guest_bytes, 200 * FRAME);
	assert_true((layouts & (layouts - 1)) != 0);
	assert_int_equal(given, 1);
	fake_expect_lawful(fake);
	fake_destroy(fake);
}

static void test_frames_arrive(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 20; seed++)
		frames_arrive(seed);
}

/* iPXE completes with nothing at all. */
static void test_empty_completion_is_accepted(void **state)
{
	struct fake *fake = ready();
	uint64_t id;

	(void)state;
	receive(fake, OURS, 1);
	fake_run(fake);
	id = fake_take(fake)->transaction_id;
	fake_queue(fake, VMBUS_PACKET_COMPLETION, false, "", 0, 0)->transaction_id = id;
	fake_run(fake);
	fake_expect_lawful(fake);
	fake_complete(fake, id); /* once is enough */
	fake_expect_violation(fake, HVH_V_COMPLETION);
	fake_destroy(fake);
}

static void completion_of(uint64_t id)
{
	struct fake *fake = ready();

	receive(fake, OURS, 1);
	receive(fake, OURS, 2);
	fake_run(fake);
	fake_complete(fake, id);
	fake_expect_violation(fake, HVH_V_COMPLETION);
	fake_control(fake, golden_rndis_keepalive, sizeof golden_rndis_keepalive);
	assert_int_equal(fake->partition.channel.to_host.count, 1); /* the worker has ended */
	fake_destroy(fake);
}

static void test_completion_for_an_unknown_id(void **state)
{
	(void)state;
	completion_of(0);
	completion_of(36);
	completion_of(37);
	completion_of(UINT64_MAX);
	completion_of(1ull << 32 | 16);
}

/* The second range of a packet is no transaction. */
static void test_completion_for_a_later_range(void **state)
{
	struct fake *fake = ready();
	struct vmbus_transfer_page_range ranges[375];

	(void)state;
	fake->partition.deterministic = false; /* as many as there are in one packet */
	fake->partition.choice = 0;
	receive(fake, OURS, 1);
	receive(fake, OURS, 2);
	fake_run(fake);
	assert_int_equal(fake_ranges(fake_take(fake), ranges), 2);
	fake_complete(fake, ranges[1].byte_offset / 1728);
	fake_expect_violation(fake, HVH_V_COMPLETION);
	fake_destroy(fake);
}

static void test_no_frames_after_revoke_or_halt(void **state)
{
	struct fake *fake = ready();

	(void)state;
	fake_control(fake, golden_rndis_halt, sizeof golden_rndis_halt);
	fake_take(fake);
	assert_false(receive(fake, OURS, 1));
	fake_destroy(fake);
	fake = ready();
	fake_nvs(fake, golden_nvs_revoke_receive_buffer, sizeof golden_nvs_revoke_receive_buffer);
	fake_take(fake);
	receive(fake, OURS, 1);
	fake_run(fake);
	assert_int_equal(fake_waiting(fake), 0);
	fake_destroy(fake);
}

static void test_inject_as_given(void **state)
{
	static const uint8_t messages[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};
	static const uint32_t sizes[] = {8, 0, 4};
	static const uint32_t too_long[] = {1729};
	struct fake *fake = ready();
	struct vmbus_transfer_page_range ranges[375];
	uint8_t long_message[1729] = {0};

	(void)state;
	assert_true(hvh_nic_inject(fake->nic, fake->now, messages, sizes, 3));
	assert_int_equal(fake_ranges(fake_take(fake), ranges), 3);
	assert_int_equal(ranges[0].byte_count, 8);
	assert_int_equal(ranges[1].byte_count, 0);
	assert_int_equal(ranges[2].byte_count, 4);
	assert_memory_equal(fake->partition.channel.gpadls[0].bytes + ranges[0].byte_offset, messages, 8);
	assert_memory_equal(fake->partition.channel.gpadls[0].bytes + ranges[2].byte_offset, messages + 8, 4);
	assert_false(hvh_nic_inject(fake->nic, fake->now, long_message, too_long, 1));
	assert_int_equal(hvh_nic_room(fake->nic, fake->now), HVH_NIC_QUEUE);
	fake_close(fake);
	assert_false(hvh_nic_inject(fake->nic, fake->now, messages, sizes, 3));
	fake_destroy(fake);
}

static void test_corrupt_ring_ends_the_worker(void **state)
{
	struct fake *fake = ready();

	(void)state;
	fake->partition.channel.corrupt = true;
	fake_run(fake);
	fake->partition.channel.corrupt = false;
	fake_control(fake, golden_rndis_keepalive, sizeof golden_rndis_keepalive);
	assert_int_equal(fake_waiting(fake), 0);
	fake_destroy(fake);
}

static void test_hostile_packets(void **state)
{
	struct fake *fake = ready();

	(void)state;
	for (uint32_t round = 0; round < 20000; round++) {
		uint8_t message[256];
		uint32_t length = hvh_choose(&fake->partition, sizeof message);

		for (uint32_t i = 0; i < sizeof message; i++)
			message[i] = hvh_choose(&fake->partition, 4) != 0
					     ? 0
					     : (uint8_t)hvh_random(&fake->partition);
		if (length >= sizeof golden_rndis_packet && hvh_choose(&fake->partition, 4) != 0) {
			memcpy(message, golden_rndis_packet, sizeof golden_rndis_packet);
			message[hvh_choose(&fake->partition, 44)] = (uint8_t)hvh_random(&fake->partition);
		}
		if (hvh_choose(&fake->partition, 2) != 0)
			section(fake, hvh_choose(&fake->partition, 12), message, length);
		else
			fake_pages(fake, NVS_CHANNEL_DATA, message, length);
		if (hvh_choose(&fake->partition, 8) == 0)
			fake_complete(fake, hvh_choose(&fake->partition, 40));
		receive(fake, OURS, 1);
		fake_run(fake);
		fake->frames = 0;
		fake->partition.channel.to_guest.count = 0;
		if (round % 8 == 0) {
			fake_close(fake);
			fake->partition.violation_count = 0;
			fake_negotiate(fake, NVS_VERSION_5);
			fake_initialize(fake);
		}
		fake->partition.violation_count = 0;
	}
	fake_destroy(fake);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_frame_in_a_section),
		cmocka_unit_test(test_frame_by_page_list),
		cmocka_unit_test(test_frame_in_both),
		cmocka_unit_test(test_several_frames_in_one_section),
		cmocka_unit_test(test_malformed_packets),
		cmocka_unit_test(test_length_of_frames),
		cmocka_unit_test(test_a_header_of_40_bytes),
		cmocka_unit_test(test_packet_information),
		cmocka_unit_test(test_sections_out_of_range),
		cmocka_unit_test(test_section_used_again_too_early),
		cmocka_unit_test(test_late_completions_are_overtaken),
		cmocka_unit_test(test_completions_wait_for_room),
		cmocka_unit_test(test_packets_in_flight_are_limited),
		cmocka_unit_test(test_packets_left_lying_are_read),
		cmocka_unit_test(test_header_in_the_first_range),
		cmocka_unit_test(test_unknown_channel_type),
		cmocka_unit_test(test_filter),
		cmocka_unit_test(test_filter_at_the_start),
		cmocka_unit_test(test_link_and_queue),
		cmocka_unit_test(test_backend_of_a_card_without_link),
		cmocka_unit_test(test_frames_arrive),
		cmocka_unit_test(test_empty_completion_is_accepted),
		cmocka_unit_test(test_completion_for_an_unknown_id),
		cmocka_unit_test(test_completion_for_a_later_range),
		cmocka_unit_test(test_no_frames_after_revoke_or_halt),
		cmocka_unit_test(test_inject_as_given),
		cmocka_unit_test(test_corrupt_ring_ends_the_worker),
		cmocka_unit_test(test_hostile_packets),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
