/* SPDX-License-Identifier: MIT */
/* Frames with offloads through the card, both ways: what the backend gets, and what the guest is told. */
#include "host_netvsp_fake.h"
#include "host_netvsp_frames.h"
#include "host_netvsp_large.h"
#include "hvkit/wire/ndis.h"

#define CAPABILITIES (NVS_NDIS_CAPABILITY_VLAN | NVS_NDIS_CAPABILITY_RSC)
#define AT(offset) ((uint32_t)(offset) << RNDIS_CHECKSUM_TX_OFFSET_SHIFT)
#define LSO_AT(offset) ((uint32_t)(offset) << RNDIS_LSO_OFFSET_SHIFT)
#define VLAN_100 0x641u /* of priority 1 */
#define GOOD4 (RNDIS_CHECKSUM_RX_IP_GOOD | RNDIS_CHECKSUM_RX_TCP_GOOD)
#define INFO_MAX 8u

/* Everything that is offered is turned on: all checksums, large sends, RSC. */
static void turn_on(struct fake *fake, bool rsc)
{
	uint8_t set[56] = {5, 0, 0, 0, 56, 0, 0, 0, 0, 0, 1, 0, 0x0c, 0x02, 0x01, 0xfc, 28, 0, 0, 0, 20};
	static const uint8_t parameters[] = {0x80, 3, 28, 0, 4, 4, 4, 4, 4, 0, 0, 2, 2};

	memcpy(set + 28, parameters, sizeof parameters);
	set[50] = set[51] = rsc ? 2 : 0;
	fake_control(fake, set, sizeof set);
}

static struct fake *ready_with(uint64_t capabilities, bool on)
{
	const struct nvs_ndis_config config = {NVS_TYPE_NDIS_CONFIG, 1514, 0, (uint32_t)capabilities, 0};
	const struct nvs_buffer receive = {NVS_TYPE_RECEIVE_BUFFER, FAKE_GPADL_RECEIVE,
					   NVS_RECEIVE_PAGE_SET_ID, 0};
	struct fake *fake = fake_create();

	fake_open(fake);
	fake_init(fake, NVS_VERSION_6_1);
	fake_nvs(fake, &config, sizeof config);
	fake_nvs(fake, golden_nvs_ndis_version_6_30, sizeof golden_nvs_ndis_version_6_30);
	fake_nvs(fake, &receive, sizeof receive);
	if (on) {
		fake_control(fake, golden_rndis_initialize, sizeof golden_rndis_initialize);
		turn_on(fake, (capabilities & NVS_NDIS_CAPABILITY_RSC) != 0);
		fake_control(fake, golden_rndis_set_filter, sizeof golden_rndis_set_filter);
		while (fake_waiting(fake) > 0) {
			struct fake_packet *packet = fake_take(fake);

			if (packet->type == VMBUS_PACKET_TRANSFER_PAGES)
				fake_complete(fake, packet->transaction_id);
		}
		fake_expect_lawful(fake);
	} else {
		fake_initialize(fake);
	}
	return fake;
}

static struct fake *ready(void)
{
	return ready_with(CAPABILITIES, true);
}

/* --- From the guest ----------------------------------------------------------------------- */

/* A frame with up to two kinds of packet information; returns the NVS status. */
static uint32_t send_frame(struct fake *fake, const uint8_t *frame, uint32_t length, uint32_t type,
			   uint32_t value, bool tagged)
{
	struct rndis_packet head = {.header = {RNDIS_MSG_PACKET, 0},
				    .data_offset = 36,
				    .data_length = length,
				    .per_packet_info_offset = 36};
	uint8_t message[4096];
	struct rndis_per_packet_info info = {16, type, 12};
	struct nvs_rndis_complete done;
	uint32_t at = sizeof head;

	if (type != UINT32_MAX) {
		memcpy(message + at, &info, sizeof info);
		memcpy(message + at + 12, &value, 4);
		at += 16;
	}
	if (tagged) {
		info.type = RNDIS_INFO_VLAN;
		value = VLAN_100;
		memcpy(message + at, &info, sizeof info);
		memcpy(message + at + 12, &value, 4);
		at += 16;
	}
	head.per_packet_info_length = at - (uint32_t)sizeof head;
	if (head.per_packet_info_length == 0)
		head.per_packet_info_offset = 0;
	head.data_offset = at - 8;
	head.header.length = at + length;
	memcpy(message, &head, sizeof head);
	memcpy(message + at, frame, length);
	fake_pages(fake, NVS_CHANNEL_DATA, message, at + length);
	fake_run(fake);
	memcpy(&done, fake_take(fake)->payload, sizeof done);
	return done.status;
}

static void expect_sent(const struct fake *fake, uint32_t index, const uint8_t *frame, uint32_t length)
{
	assert_true(fake->frames > index);
	assert_int_equal(fake->frame_length[index], length);
	assert_memory_equal(fake->frame[index], frame, length);
}

static void test_checksum_is_filled_in(void **state)
{
	uint8_t frame[sizeof frame_tcp4];
	struct hvh_nic_counters counters;
	struct fake *fake = ready();

	(void)state;
	memcpy(frame, frame_tcp4, sizeof frame);
	frame[50] = 0x14; /* see host_netvsp_checksum.c */
	frame[51] = 0x42;
	assert_int_equal(send_frame(fake, frame, sizeof frame, RNDIS_INFO_CHECKSUM,
				    RNDIS_CHECKSUM_TX_IPV4 | RNDIS_CHECKSUM_TX_TCP | AT(34), false),
			 NVS_STATUS_SUCCESS);
	expect_sent(fake, 0, frame_tcp4, sizeof frame_tcp4);
	hvh_nic_get_counters(fake->nic, &counters);
	assert_int_equal(counters.checksums_made, 1);
	assert_int_equal(counters.rndis_messages, 1);
	fake_expect_lawful(fake);
	fake_destroy(fake);
}

/* Before OFFLOAD_PARAMETERS, or with a wrong request, nothing goes out. */
static void test_wrong_requests_go_nowhere(void **state)
{
	struct fake *fake = ready_with(CAPABILITIES, false);
	uint8_t frame[sizeof frame_tcp4];
	const uint32_t request = RNDIS_CHECKSUM_TX_IPV4 | RNDIS_CHECKSUM_TX_TCP;

	(void)state;
	memcpy(frame, frame_tcp4, sizeof frame);
	frame[50] = 0x14;
	frame[51] = 0x42;
	assert_int_equal(send_frame(fake, frame, sizeof frame, RNDIS_INFO_CHECKSUM, request | AT(34), false),
			 NVS_STATUS_FAILURE);
	fake_expect_violation(fake, HVH_V_FRAME);
	assert_non_null(strstr(fake->partition.violation_text, "OFFLOAD_PARAMETERS"));
	fake_destroy(fake);
	fake = ready();
	assert_int_equal(send_frame(fake, frame, sizeof frame, RNDIS_INFO_CHECKSUM, request | AT(36), false),
			 NVS_STATUS_FAILURE);
	fake_expect_violation(fake, HVH_V_FRAME);
	assert_int_equal(send_frame(fake, frame_large4, sizeof frame_large4, RNDIS_INFO_LSO,
				    RNDIS_LSO_V2 | LSO_AT(34), false),
			 NVS_STATUS_FAILURE);
	fake_expect_violation(fake, HVH_V_FRAME);
	assert_int_equal(fake->frames, 0);
	fake_destroy(fake);
}

static void test_frames_without_a_request(void **state)
{
	uint8_t wrong[sizeof frame_tcp4];
	struct hvh_nic_counters counters;
	struct fake *fake = ready();

	(void)state;
	memcpy(wrong, frame_tcp4, sizeof wrong);
	wrong[50] ^= 1;
	assert_int_equal(send_frame(fake, frame_tcp4, sizeof frame_tcp4, UINT32_MAX, 0, false),
			 NVS_STATUS_SUCCESS);
	assert_int_equal(send_frame(fake, wrong, sizeof wrong, UINT32_MAX, 0, false), NVS_STATUS_SUCCESS);
	expect_sent(fake, 0, frame_tcp4, sizeof frame_tcp4);
	expect_sent(fake, 1, wrong, sizeof wrong); /* as it is */
	hvh_nic_get_counters(fake->nic, &counters);
	assert_int_equal(counters.checksums_checked, 2);
	assert_int_equal(counters.checksums_wrong, 1);
	fake_expect_lawful(fake);
	fake_destroy(fake);
}

static void test_large_send(void **state)
{
	struct hvh_nic_counters counters;
	struct fake *fake = ready();

	(void)state;
	assert_int_equal(send_frame(fake, frame_large4, sizeof frame_large4, RNDIS_INFO_LSO,
				    RNDIS_LSO_V2 | LSO_AT(34) | 10, false),
			 NVS_STATUS_SUCCESS);
	assert_int_equal(fake->frames, 3);
	expect_sent(fake, 0, frame_segment4_0, sizeof frame_segment4_0);
	expect_sent(fake, 1, frame_segment4_1, sizeof frame_segment4_1);
	expect_sent(fake, 2, frame_segment4_2, sizeof frame_segment4_2);
	hvh_nic_get_counters(fake->nic, &counters);
	assert_int_equal(counters.segments_made, 3);
	assert_int_equal(counters.from_guest_frames, 3);
	assert_int_equal(counters.rndis_messages, 1);
	fake_expect_lawful(fake);
	fake_destroy(fake);
}

/* A guest that has much cut into little bits does not keep the host from everything else. */
static void test_absurd_large_sends_take_turns(void **state)
{
	static uint8_t frame[54 + 3000];
	struct rndis_packet head = {.header = {RNDIS_MSG_PACKET, 44 + 16 + sizeof frame},
				    .data_offset = 36 + 16,
				    .data_length = sizeof frame,
				    .per_packet_info_offset = 36,
				    .per_packet_info_length = 16};
	const struct rndis_per_packet_info info = {16, RNDIS_INFO_LSO, 12};
	const uint32_t lso = RNDIS_LSO_V2 | LSO_AT(34) | 1;
	uint8_t message[44 + 16 + sizeof frame];
	struct fake *fake = ready();

	(void)state;
	memcpy(frame, frame_large4, 54);
	memcpy(message, &head, sizeof head);
	memcpy(message + 44, &info, sizeof info);
	memcpy(message + 56, &lso, sizeof lso);
	memcpy(message + 60, frame, sizeof frame);
	fake->counts_only = true;
	for (uint32_t n = 0; n < 10; n++)
		fake_pages(fake, NVS_CHANNEL_DATA, message, sizeof message);
	for (uint32_t n = 1; n <= 10; n++) {
		assert_true(fake->on->ops->run(fake->on->device, fake->on, fake->now));
		assert_int_equal(fake->frames, 3000 * n);
	}
	fake_run(fake);
	assert_int_equal(fake->frames, 30000);
	fake_expect_lawful(fake);
	fake_destroy(fake);
}

static void test_longer_than_the_mtu_only_as_a_large_send(void **state)
{
	static uint8_t frame[54 + 3000];
	struct fake *fake = ready();

	(void)state;
	memcpy(frame, frame_large4, 54);
	assert_int_equal(send_frame(fake, frame, sizeof frame, UINT32_MAX, 0, false), NVS_STATUS_FAILURE);
	fake_expect_violation(fake, HVH_V_FRAME);
	assert_int_equal(send_frame(fake, frame, sizeof frame, RNDIS_INFO_LSO,
				    RNDIS_LSO_V2 | LSO_AT(34) | 1460, false),
			 NVS_STATUS_SUCCESS);
	assert_int_equal(fake->frames, 3);
	assert_int_equal(fake->frame_length[0], 1514);
	fake_destroy(fake);
}

static void test_tags_are_put_in(void **state)
{
	uint8_t bare[sizeof frame_tcp4_options - 4], tagged[sizeof frame_segment4_0 + 4];
	struct hvh_nic_counters counters;
	struct fake *fake = ready();

	(void)state;
	memcpy(bare, frame_tcp4_options, 12);
	memcpy(bare + 12, frame_tcp4_options + 16, sizeof bare - 12);
	assert_int_equal(send_frame(fake, bare, sizeof bare, UINT32_MAX, 0, true), NVS_STATUS_SUCCESS);
	expect_sent(fake, 0, frame_tcp4_options, sizeof frame_tcp4_options);
	/* In each segment. */
	assert_int_equal(send_frame(fake, frame_large4, sizeof frame_large4, RNDIS_INFO_LSO,
				    RNDIS_LSO_V2 | LSO_AT(34) | 10, true),
			 NVS_STATUS_SUCCESS);
	memcpy(tagged, frame_segment4_0, 12);
	memcpy(tagged + 12, "\x81\x00\x20\x64", 4);
	memcpy(tagged + 16, frame_segment4_0 + 12, sizeof frame_segment4_0 - 12);
	expect_sent(fake, 1, tagged, sizeof tagged);
	hvh_nic_get_counters(fake->nic, &counters);
	assert_int_equal(counters.tags_in, 4);
	fake_expect_lawful(fake);
	fake_destroy(fake);
}

static void test_tags_that_were_not_negotiated(void **state)
{
	struct fake *fake = ready_with(0, true);

	(void)state;
	assert_int_equal(send_frame(fake, frame_tcp4, sizeof frame_tcp4, UINT32_MAX, 0, true),
			 NVS_STATUS_FAILURE);
	fake_expect_violation(fake, HVH_V_FRAME);
	fake_destroy(fake);
}

/* Four bytes more than the MTU allows, if they are a tag. */
static void test_a_tag_does_not_count(void **state)
{
	static uint8_t frame[1518] = {2, [12] = 0x81, [16] = 0x88, [17] = 0xb5};
	struct fake *fake = ready();

	(void)state;
	assert_int_equal(send_frame(fake, frame, sizeof frame, UINT32_MAX, 0, false), NVS_STATUS_SUCCESS);
	assert_int_equal(fake->frame_length[0], sizeof frame);
	frame[12] = 0x88;
	assert_int_equal(send_frame(fake, frame, sizeof frame, UINT32_MAX, 0, false), NVS_STATUS_FAILURE);
	fake_expect_violation(fake, HVH_V_FRAME);
	fake_destroy(fake);
}

/* A quirk of Azure's. */
static void test_long_datagrams_summed_wrong(void **state)
{
	static uint8_t frame[14 + 1428];
	struct fake *fake = ready();
	const uint32_t request = RNDIS_CHECKSUM_TX_IPV4 | RNDIS_CHECKSUM_TX_UDP | AT(34);
	uint8_t right[2];

	(void)state;
	memcpy(frame, frame_udp4_padded, 47);
	memcpy(frame + 16, "\x05\x94", 2); /* 1428 bytes */
	memcpy(frame + 38, "\x05\x80", 2); /* 1408 of UDP */
	memcpy(frame + 40, "\x19\xaf", 2); /* 0a07+000f+0a07+0001 + 17 + 1408 */
	assert_int_equal(send_frame(fake, frame, sizeof frame, RNDIS_INFO_CHECKSUM, request, false),
			 NVS_STATUS_SUCCESS);
	memcpy(right, fake->frame[0] + 40, 2);
	fake->partition.profile.udp_checksum_broken = true;
	send_frame(fake, frame, sizeof frame, RNDIS_INFO_CHECKSUM, request, false);
	assert_memory_not_equal(fake->frame[1] + 40, right, 2);
	frame[20] = 0x40; /* may not be fragmented: right again */
	send_frame(fake, frame, sizeof frame, RNDIS_INFO_CHECKSUM, request, false);
	assert_memory_equal(fake->frame[2] + 40, right, 2);
	fake_expect_lawful(fake);
	fake_destroy(fake);
}

/* --- To the guest ---------------------------------------------------------------------------- */

struct told {
	uint32_t count;
	uint32_t type[INFO_MAX], value[INFO_MAX];
	const uint8_t *frame;
	uint32_t length;
};

/* The RNDIS packet in a range, read by its own fields. */
static struct told look(struct fake *fake, const struct vmbus_transfer_page_range *range)
{
	const uint8_t *bytes = fake->partition.channel.gpadls[0].bytes + range->byte_offset, *at;
	struct told told = {0};
	struct rndis_packet packet;
	uint32_t left;

	memcpy(&packet, bytes, sizeof packet);
	assert_int_equal(packet.header.type, RNDIS_MSG_PACKET);
	told.frame = bytes + 8 + packet.data_offset;
	told.length = packet.data_length;
	assert_true(8 + packet.data_offset + packet.data_length <= range->byte_count);
	at = bytes + 8 + packet.per_packet_info_offset;
	for (left = packet.per_packet_info_length; left > 0; left -= 16, at += 16) {
		struct rndis_per_packet_info info;

		memcpy(&info, at, sizeof info);
		assert_int_equal(info.size, 16);
		assert_int_equal(info.data_offset, 12);
		assert_true(told.count < INFO_MAX);
		told.type[told.count] = info.type;
		memcpy(&told.value[told.count++], at + 12, 4);
	}
	return told;
}

/* The value of this kind; absent if it is not there. */
static uint32_t value_of(const struct told *told, uint32_t type, uint32_t absent)
{
	for (uint32_t i = 0; i < told->count; i++)
		if (told->type[i] == type)
			return told->value[i];
	return absent;
}

static struct told receive(struct fake *fake, const uint8_t *frame, uint32_t length)
{
	struct vmbus_transfer_page_range ranges[375];
	static uint8_t copy[2048]; /* what is given back is overwritten */
	struct fake_packet *packet;
	struct told told;

	assert_true(hvh_nic_receive(fake->nic, fake->now, frame, length));
	fake_run(fake);
	packet = fake_take(fake);
	assert_int_equal(fake_ranges(packet, ranges), 1);
	told = look(fake, &ranges[0]);
	assert_true(told.length <= sizeof copy);
	memcpy(copy, told.frame, told.length);
	told.frame = copy;
	fake_complete(fake, packet->transaction_id);
	return told;
}

/* The filter wants promiscuous mode: these frames have another address. */
static void promiscuous(struct fake *fake)
{
	static const uint8_t set[] = {5, 0, 0, 0, 32, 0, 0, 0, 0, 0, 1, 0, 0x0e, 0x01, 0x01, 0,
				      4, 0, 0, 0, 20, 0, 0, 0, 0, 0, 0, 0, 0x20, 0,    0,    0};

	fake_control(fake, set, sizeof set);
	while (fake_waiting(fake) > 0) {
		struct fake_packet *packet = fake_take(fake);

		if (packet->type == VMBUS_PACKET_TRANSFER_PAGES)
			fake_complete(fake, packet->transaction_id);
	}
}

static struct fake *receiving(uint64_t capabilities, bool on)
{
	struct fake *fake = ready_with(capabilities, on);

	promiscuous(fake);
	return fake;
}

static void expect_checksum(struct fake *fake, const uint8_t *frame, uint32_t length, uint32_t expected)
{
	struct told told = receive(fake, frame, length);

	assert_int_equal(value_of(&told, RNDIS_INFO_CHECKSUM, 0), expected);
}

static void test_checksums_are_reported(void **state)
{
	uint8_t wrong[sizeof frame_udp6];
	struct fake *fake = receiving(CAPABILITIES, false); /* hosts do it unasked */

	(void)state;
	for (uint32_t round = 0; round < 8; round++) {
		expect_checksum(fake, frame_tcp4, sizeof frame_tcp4, GOOD4);
		expect_checksum(fake, frame_udp4_padded, sizeof frame_udp4_padded,
				RNDIS_CHECKSUM_RX_IP_GOOD | RNDIS_CHECKSUM_RX_UDP_GOOD);
		expect_checksum(fake, frame_tcp6, sizeof frame_tcp6, RNDIS_CHECKSUM_RX_TCP_GOOD);
		expect_checksum(fake, frame_fragment4, sizeof frame_fragment4, RNDIS_CHECKSUM_RX_IP_GOOD);
	}
	memcpy(wrong, frame_udp6, sizeof wrong);
	wrong[sizeof wrong - 1] ^= 1;
	expect_checksum(fake, wrong, sizeof wrong, RNDIS_CHECKSUM_RX_UDP_FAILED);
	memcpy(wrong, frame_tcp4, sizeof frame_tcp4);
	wrong[24] ^= 1;
	expect_checksum(fake, wrong, sizeof frame_tcp4,
			RNDIS_CHECKSUM_RX_IP_FAILED | RNDIS_CHECKSUM_RX_TCP_GOOD);
	fake->partition.profile.udp_as_tcp_good = true;
	expect_checksum(fake, frame_udp6, sizeof frame_udp6, RNDIS_CHECKSUM_RX_TCP_GOOD);
	fake_expect_lawful(fake);
	fake_destroy(fake);
}

static void test_tags_are_taken_out(void **state)
{
	struct fake *fake = receiving(CAPABILITIES, true);
	struct told told = receive(fake, frame_tcp4_options, sizeof frame_tcp4_options);

	(void)state;
	assert_int_equal(value_of(&told, RNDIS_INFO_VLAN, 0), VLAN_100);
	assert_int_equal(value_of(&told, RNDIS_INFO_CHECKSUM, 0), GOOD4);
	assert_int_equal(told.length, sizeof frame_tcp4_options - 4);
	assert_memory_equal(told.frame, frame_tcp4_options, 12);
	assert_memory_equal(told.frame + 12, frame_tcp4_options + 16, told.length - 12);
	told = receive(fake, frame_tcp4, sizeof frame_tcp4);
	assert_int_equal(value_of(&told, RNDIS_INFO_VLAN, 0), 0);
	fake_destroy(fake);
	fake = receiving(0, true); /* not negotiated */
	told = receive(fake, frame_tcp4_options, sizeof frame_tcp4_options);
	assert_int_equal(value_of(&told, RNDIS_INFO_VLAN, 0), 0);
	assert_memory_equal(told.frame, frame_tcp4_options, sizeof frame_tcp4_options);
	fake_destroy(fake);
}

/* --- Joined segments ---------------------------------------------------------------------------- */

#define SEGMENT 1400u
#define SEGMENTS 12u

/* The n-th of a stream, with right checksums (see test_longest in host_netvsp_segment.c). */
static void stream_segment(uint8_t frame[54 + SEGMENT], uint32_t n)
{
	uint32_t sequence = 1000 + n * SEGMENT, sum = 0;

	memcpy(frame, frame_tcp4, 54);
	memcpy(frame + 16, "\x05\xa0", 2); /* 1440 bytes */
	memcpy(frame + 24, "\0\0", 2);
	frame[47] = 0x10;
	for (uint32_t i = 0; i < 4; i++)
		frame[38 + i] = (uint8_t)(sequence >> (24 - 8 * i));
	for (uint32_t i = 0; i < SEGMENT; i++)
		frame[54 + i] = (uint8_t)(n + i * 3);
	for (uint32_t i = 14; i < 34; i += 2)
		sum += (uint32_t)frame[i] << 8 | frame[i + 1];
	sum = 0xffff - (sum % 0xffff);
	frame[24] = (uint8_t)(sum >> 8);
	frame[25] = (uint8_t)sum;
	memcpy(frame + 50, "\0\0", 2);
	sum = 6 + 20 + SEGMENT;
	for (uint32_t i = 26; i < 54 + SEGMENT; i += 2)
		sum += (uint32_t)frame[i] << 8 | frame[i + 1];
	sum = 0xffff - (sum % 0xffff);
	frame[50] = (uint8_t)(sum >> 8);
	frame[51] = (uint8_t)sum;
}

/* What arrives, put together by the packet ids as a guest does it. */
struct arrived {
	uint8_t bytes[65536];
	uint32_t length, packets, fragments, plain;
	bool open;
	uint32_t id;
};

static void arrive(struct arrived *arrived, const struct told *told)
{
	uint32_t id = value_of(told, RNDIS_INFO_PACKET_ID, 0), flags = id >> 8 & 0xff, skip = 54;

	if (id == 0) {
		assert_false(arrived->open);
		arrived->plain++;
		assert_int_equal(value_of(told, RNDIS_INFO_CHECKSUM, 0) & GOOD4, GOOD4);
	} else {
		assert_int_equal(id & 0xff, 1);
		assert_true((flags & RNDIS_PACKET_ID_SUBALLOCATION) != 0);
		assert_true(arrived->open == ((flags & RNDIS_PACKET_ID_FIRST) == 0));
		if (arrived->open) {
			assert_int_equal(id >> 16, arrived->id);
			assert_int_equal(told->count, 1); /* the first says all else */
			skip = 0;
		} else {
			assert_int_equal(value_of(told, RNDIS_INFO_CHECKSUM, 0) & GOOD4, GOOD4);
			assert_int_equal(told->frame[47], 0x10);
		}
		arrived->id = id >> 16;
		arrived->open = (flags & RNDIS_PACKET_ID_LAST) == 0;
		arrived->fragments++;
	}
	if (skip > 0) {
		uint32_t sequence = (uint32_t)told->frame[40] << 8 | told->frame[41];

		assert_int_equal(sequence, 1000 + arrived->length);
		arrived->packets++;
	}
	memcpy(arrived->bytes + arrived->length, told->frame + skip, told->length - skip);
	arrived->length += told->length - skip;
}

static void stream(struct fake *fake, struct arrived *arrived)
{
	uint8_t frame[54 + SEGMENT];

	for (uint32_t n = 0; n < SEGMENTS; n++) {
		stream_segment(frame, n);
		assert_true(hvh_nic_receive(fake->nic, fake->now, frame, sizeof frame));
	}
	fake_run(fake);
	while (fake_waiting(fake) > 0) {
		struct vmbus_transfer_page_range ranges[375];
		struct fake_packet *packet = fake_take(fake);
		uint32_t count = fake_ranges(packet, ranges);

		for (uint32_t i = 0; i < count; i++) {
			struct told told = look(fake, &ranges[i]);

			arrive(arrived, &told);
		}
		assert_false(arrived->open); /* all of it in one packet */
		fake_complete(fake, packet->transaction_id);
	}
	assert_int_equal(arrived->length, SEGMENTS * SEGMENT);
	for (uint32_t i = 0; i < arrived->length; i++)
		assert_int_equal(arrived->bytes[i], (uint8_t)(i / SEGMENT + i % SEGMENT * 3));
}

static void test_segments_are_joined(void **state)
{
	static struct arrived arrived;
	struct hvh_nic_counters counters;
	uint32_t fewer = 0, fragmented = 0;

	(void)state;
	for (uint64_t seed = 1; seed <= 40; seed++) {
		struct fake *fake = receiving(CAPABILITIES, true);

		fake->partition.random = seed;
		memset(&arrived, 0, sizeof arrived);
		stream(fake, &arrived);
		hvh_nic_get_counters(fake->nic, &counters);
		assert_int_equal(counters.to_guest_frames, SEGMENTS);
		assert_int_equal(arrived.packets == SEGMENTS, counters.joined == 0);
		fewer += arrived.packets < SEGMENTS;
		fragmented += arrived.fragments > 0;
		fake_expect_lawful(fake);
		fake_destroy(fake);
	}
	assert_true(fewer > 20 && fragmented > 20);
}

/* What finds the ring full is tried again, and counted once. */
static void test_counted_when_it_has_gone(void **state)
{
	static struct arrived arrived;

	(void)state;
	for (uint64_t seed = 1; seed <= 10; seed++) {
		struct fake *fake = receiving(CAPABILITIES, true);
		struct hvh_nic_counters counters;
		uint8_t frame[54 + SEGMENT];

		fake->partition.random = seed;
		memset(&arrived, 0, sizeof arrived);
		fake->on->full = true;
		for (uint32_t n = 0; n < 3; n++) {
			stream_segment(frame, n);
			assert_true(hvh_nic_receive(fake->nic, fake->now, frame, sizeof frame));
			fake_run(fake);
		}
		hvh_nic_get_counters(fake->nic, &counters);
		assert_int_equal(counters.joined, 0);
		assert_int_equal(counters.checksums_checked, 0);
		fake->on->full = false;
		fake_run(fake);
		hvh_nic_get_counters(fake->nic, &counters);
		assert_int_equal(counters.to_guest_frames, 3);
		assert_int_equal(counters.checksums_checked, 3);
		assert_in_range(counters.joined, 0, 3);
		fake_destroy(fake);
	}
}

static void test_never_joined_without_rsc(void **state)
{
	static struct arrived arrived;

	(void)state;
	for (uint64_t seed = 1; seed <= 10; seed++) {
		struct fake *fake = seed % 2 != 0 ? receiving(CAPABILITIES, false)
						  : receiving(NVS_NDIS_CAPABILITY_RSC, false);

		fake->partition.random = seed;
		memset(&arrived, 0, sizeof arrived);
		stream(fake, &arrived);
		assert_int_equal(arrived.packets, SEGMENTS);
		assert_int_equal(arrived.plain, SEGMENTS);
		fake_destroy(fake);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_checksum_is_filled_in),
		cmocka_unit_test(test_wrong_requests_go_nowhere),
		cmocka_unit_test(test_frames_without_a_request),
		cmocka_unit_test(test_large_send),
		cmocka_unit_test(test_absurd_large_sends_take_turns),
		cmocka_unit_test(test_longer_than_the_mtu_only_as_a_large_send),
		cmocka_unit_test(test_tags_are_put_in),
		cmocka_unit_test(test_tags_that_were_not_negotiated),
		cmocka_unit_test(test_a_tag_does_not_count),
		cmocka_unit_test(test_long_datagrams_summed_wrong),
		cmocka_unit_test(test_checksums_are_reported),
		cmocka_unit_test(test_tags_are_taken_out),
		cmocka_unit_test(test_segments_are_joined),
		cmocka_unit_test(test_counted_when_it_has_gone),
		cmocka_unit_test(test_never_joined_without_rsc),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
