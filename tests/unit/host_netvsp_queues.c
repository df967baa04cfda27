/* SPDX-License-Identifier: MIT */
/* The network card's queues: frames both ways on all channels, and what each has for itself. */
#include "host_netvsp_fake.h"
#include "hvkit/wire/ndis.h"

#define FRAME 60u
#define QUEUES 3u
#define PIECES 37u /* FAKE_RECEIVE_BYTES / 1728: 16 for control messages, 7 for each of three queues */

/* The key that Microsoft verifies the hash with, and a flow of its table: the hash of TCP is
 * 0x51ccc178, that of the addresses alone 0x323e8fc2. */
static const uint8_t key[NDIS_RSS_KEY_SIZE] = {
	0x6d, 0x5a, 0x56, 0xda, 0x25, 0x5b, 0x0e, 0xc2, 0x41, 0x67, 0x25, 0x3d, 0x43, 0xa3,
	0x8f, 0xb0, 0xd0, 0xca, 0x2b, 0xcb, 0xae, 0x7b, 0x30, 0xb4, 0x77, 0xcb, 0x2d, 0xa3,
	0x80, 0x30, 0xf2, 0x0c, 0x6a, 0x42, 0xb7, 0x3b, 0xbe, 0xac, 0x01, 0xfa,
};
#define HASH_OF_TCP 0x51ccc178u
#define HASH_OF_ADDRESSES 0x323e8fc2u
#define TCP 6u
#define UDP 17u

static void ip_frame(uint8_t frame[FRAME], uint8_t protocol, uint16_t port)
{
	static const uint8_t begin[] = {0x00, 0x15, 0x5d, 1, 2,          3, 2, 0, 0, 0,  0, 1, 0x08,
					0x00, 0x45, 0,    0, FRAME - 14, 0, 0, 0, 0, 64, 0, 0, 0};
	static const uint8_t addresses[] = {66, 9, 149, 187, 161, 142, 100, 80};

	memset(frame, 0, FRAME);
	memcpy(frame, begin, sizeof begin);
	frame[23] = protocol;
	memcpy(frame + 26, addresses, sizeof addresses);
	frame[34] = (uint8_t)(port >> 8);
	frame[35] = (uint8_t)port;
	frame[36] = 1766 >> 8;
	frame[37] = 1766 & 0xff;
	if (protocol == TCP)
		frame[46] = 0x50;
	else
		frame[39] = FRAME - 34; /* length of the datagram */
}

static void ask(struct fake *fake, uint32_t count)
{
	const struct nvs_subchannel_request request = {NVS_TYPE_SUBCHANNEL, NVS_SUBCHANNEL_ALLOCATE, count};

	fake_nvs(fake, &request, sizeof request);
}

static void throw_away(struct fake *fake)
{
	while (fake_waiting(fake) > 0)
		fake_take(fake);
}

/* A card with so many channels open. */
static struct fake *with_queues(uint32_t queues)
{
	struct fake *fake = fake_create();

	fake->partition.profile.subchannel_order = HVH_SUBCHANNELS_AFTER;
	fake_negotiate(fake, NVS_VERSION_5);
	fake_initialize(fake);
	if (queues > 1)
		ask(fake, queues - 1);
	for (uint32_t n = 1; n < queues; n++) {
		fake_turn_to(fake, n);
		fake_open(fake);
	}
	fake_turn_to(fake, 0);
	fake_run(fake);
	throw_away(fake);
	fake_expect_lawful(fake);
	return fake;
}

static void set_rss(struct fake *fake, uint32_t hash, const uint32_t *table, uint32_t entries)
{
	struct {
		struct rndis_request request;
		struct ndis_rss_parameters parameters;
		uint8_t key[NDIS_RSS_KEY_SIZE];
		uint32_t table[NDIS_RSS_TABLE_ENTRIES_MAX];
	} set = {
		.request = {.header = {RNDIS_MSG_SET, 0},
			    .request_id = 1,
			    .oid = RNDIS_OID_GEN_RECEIVE_SCALE_PARAMETERS,
			    .information_offset = RNDIS_REQUEST_INFORMATION_OFFSET},
		.parameters = {.header = {NDIS_OBJECT_RSS_PARAMETERS, 2, sizeof set.parameters},
			       .hash = NDIS_HASH_TOEPLITZ | hash,
			       .table_size = (uint16_t)(4 * entries),
			       .table_offset = sizeof set.parameters + sizeof set.key,
			       .key_size = sizeof set.key,
			       .key_offset = sizeof set.parameters},
	};
	struct vmbus_transfer_page_range ranges[375];
	const struct fake_packet *packet;
	uint32_t status;

	memcpy(set.key, key, sizeof key);
	memcpy(set.table, table, 4 * entries);
	set.request.information_length = (uint32_t)(sizeof set.parameters + sizeof set.key) + 4 * entries;
	set.request.header.length = (uint32_t)sizeof set.request + set.request.information_length;
	fake_control(fake, &set, set.request.header.length);
	fake_take(fake);
	packet = fake_take(fake);
	fake_ranges(packet, ranges);
	memcpy(&status, fake->partition.channel.gpadls[0].bytes + ranges[0].byte_offset + 12, sizeof status);
	assert_int_equal(status, RNDIS_STATUS_SUCCESS);
	fake_complete(fake, packet->transaction_id);
	fake_expect_lawful(fake);
}

/* All that is hashed goes to this queue. */
static void steer_to(struct fake *fake, uint32_t hash, uint32_t queue)
{
	set_rss(fake, hash, &queue, 1);
}

/* The queue that the only frame waiting came on; it is not completed. */
static uint32_t came_on(struct fake *fake, struct fake_packet *out)
{
	uint32_t found = UINT32_MAX;

	for (uint32_t n = 0; n < QUEUES; n++) {
		fake_turn_to(fake, n);
		fake_run(fake);
		if (fake_waiting(fake) == 0)
			continue;
		assert_int_equal(fake_waiting(fake), 1);
		assert_int_equal(found, UINT32_MAX);
		*out = *fake_take(fake);
		found = n;
	}
	fake_turn_to(fake, 0);
	return found;
}

static uint32_t receive_one(struct fake *fake, const uint8_t *frame, struct fake_packet *out)
{
	assert_true(hvh_nic_receive(fake->nic, fake->now, frame, FRAME));
	return came_on(fake, out);
}

/* The data of this packet information in the first message; false: it has none. */
static bool information(struct fake *fake, const struct fake_packet *packet, uint32_t type, uint32_t *data)
{
	struct vmbus_transfer_page_range ranges[375];
	struct rndis_per_packet_info info;
	struct rndis_packet header;
	const uint8_t *message;
	uint32_t at, end;

	fake_ranges(packet, ranges);
	message = fake->partition.channel.gpadls[0].bytes + ranges[0].byte_offset;
	memcpy(&header, message, sizeof header);
	at = 8 + header.per_packet_info_offset;
	end = at + header.per_packet_info_length;
	while (header.per_packet_info_length > 0 && at < end) {
		memcpy(&info, message + at, sizeof info);
		memcpy(data, message + at + info.data_offset, sizeof *data);
		if (info.type == type)
			return true;
		at += info.size;
	}
	return false;
}

static void expect_hash(struct fake *fake, const struct fake_packet *packet, uint32_t hash, uint32_t type)
{
	uint32_t value = 0, info = 0;

	assert_int_equal(information(fake, packet, RNDIS_INFO_HASH_VALUE, &value), type != 0);
	assert_int_equal(information(fake, packet, RNDIS_INFO_HASH_INFO, &info), type != 0);
	if (type == 0)
		return;
	assert_int_equal(value, hash);
	assert_int_equal(info & ~NDIS_HASH_TOEPLITZ, type);
}

/* --- To the guest: steering -------------------------------------------------------------- */

static void without_parameters_all_take_the_primary(void **state)
{
	struct fake *fake = with_queues(QUEUES);
	struct fake_packet packet;
	uint8_t frame[FRAME];

	(void)state;
	for (uint16_t port = 1; port < 20; port++) {
		ip_frame(frame, TCP, port);
		assert_int_equal(receive_one(fake, frame, &packet), 0);
		fake_complete(fake, packet.transaction_id);
	}
	fake_destroy(fake);
}

static void by_the_table(void **state)
{
	struct fake *fake = with_queues(QUEUES);
	uint32_t table[128] = {0};
	struct hvh_nic_counters counters;
	struct fake_packet packet;
	uint8_t frame[FRAME];

	(void)state;
	table[HASH_OF_TCP % 128] = 2;
	table[HASH_OF_ADDRESSES % 128] = 1;
	set_rss(fake, NDIS_HASH_IPV4 | NDIS_HASH_TCP4, table, 128);
	ip_frame(frame, TCP, 2794);
	assert_int_equal(receive_one(fake, frame, &packet), 2);
	expect_hash(fake, &packet, HASH_OF_TCP, NDIS_HASH_TCP4);
	ip_frame(frame, UDP, 2794); /* its ports are not looked at */
	assert_int_equal(receive_one(fake, frame, &packet), 1);
	expect_hash(fake, &packet, HASH_OF_ADDRESSES, NDIS_HASH_IPV4);
	frame[12] = 0x88; /* not IP: no hash */
	assert_int_equal(receive_one(fake, frame, &packet), 0);
	expect_hash(fake, &packet, 0, 0);
	hvh_nic_get_counters(fake->nic, &counters);
	assert_int_equal(counters.hashed, 2);
	fake_destroy(fake);
}

/* From 2016 on: UDP as if it were TCP (FreeBSD). */
static void udp_is_hashed_as_tcp(void **state)
{
	struct fake *fake = with_queues(QUEUES);
	uint32_t table[128] = {0};
	struct fake_packet packet;
	uint8_t frame[FRAME];

	(void)state;
	table[HASH_OF_TCP % 128] = 2; /* the same addresses and ports */
	fake->partition.profile.udp_hash_as_tcp = true;
	set_rss(fake, NDIS_HASH_IPV4 | NDIS_HASH_TCP4, table, 128);
	ip_frame(frame, UDP, 2794);
	assert_int_equal(receive_one(fake, frame, &packet), 2);
	expect_hash(fake, &packet, HASH_OF_TCP, NDIS_HASH_TCP4);
	fake_destroy(fake);
}

/* HALT ends it, and INITIALIZE does not bring it back. */
static void halt_ends_scaling(void **state)
{
	const struct rndis_halt halt = {{RNDIS_MSG_HALT, sizeof halt}, 3};
	struct fake *fake = with_queues(QUEUES);
	struct fake_packet packet;
	uint8_t frame[FRAME];

	(void)state;
	steer_to(fake, NDIS_HASH_TCP4, 2);
	fake_control(fake, &halt, sizeof halt);
	fake_initialize(fake);
	ip_frame(frame, TCP, 2794);
	assert_int_equal(receive_one(fake, frame, &packet), 0);
	expect_hash(fake, &packet, 0, 0);
	fake_destroy(fake);
}

static void a_flow_stays_in_order(void **state)
{
	struct fake *fake = with_queues(QUEUES);
	uint32_t table[128], next[8] = {0}, where[8], used[QUEUES] = {0};
	struct vmbus_transfer_page_range ranges[375];
	uint8_t frame[FRAME];

	(void)state;
	for (uint32_t n = 0; n < 128; n++)
		table[n] = n % QUEUES;
	set_rss(fake, NDIS_HASH_TCP4, table, 128);
	memset(where, 0xff, sizeof where);
	fake->partition.fault[HVH_FAULT_DELAY_COMPLETION] = true;
	for (uint32_t n = 0; n < 160; n++) {
		ip_frame(frame, TCP, (uint16_t)(1000 + n % 8 * 977));
		frame[FRAME - 1] = (uint8_t)(n / 8);
		assert_true(hvh_nic_receive(fake->nic, fake->now, frame, FRAME));
	}
	for (uint32_t turn = 0; turn < 400; turn++) {
		uint32_t queue = turn % QUEUES;
		const struct fake_packet *packet;

		fake_turn_to(fake, queue);
		fake_run(fake);
		if (fake_waiting(fake) == 0)
			continue;
		packet = fake_take(fake);
		for (uint32_t r = 0, count = fake_ranges(packet, ranges); r < count; r++) {
			const uint8_t *message = fake->partition.channel.gpadls[0].bytes +
						 ranges[r].byte_offset;
			uint32_t offset, flow;

			memcpy(&offset, message + 8, sizeof offset);
			flow = message[8 + offset + 35] + 256u * message[8 + offset + 34] - 1000;
			assert_int_equal(flow % 977, 0);
			flow /= 977;
			assert_in_range(flow, 0, 7);
			assert_int_equal(message[8 + offset + FRAME - 1], next[flow]++);
			assert_true(where[flow] == UINT32_MAX || where[flow] == queue);
			where[flow] = queue;
			used[queue]++;
		}
		fake_complete(fake, packet->transaction_id);
	}
	for (uint32_t n = 0; n < 8; n++)
		assert_int_equal(next[n], 20);
	for (uint32_t n = 0; n < QUEUES; n++)
		assert_true(used[n] > 0);
	fake_destroy(fake);
}

static void what_was_meant_for_a_closed_queue_takes_the_primary(void **state)
{
	struct fake *fake = with_queues(QUEUES);
	struct fake_packet packet;
	uint8_t frame[FRAME];

	(void)state;
	steer_to(fake, NDIS_HASH_TCP4, 2);
	ip_frame(frame, TCP, 1);
	assert_true(hvh_nic_receive(fake->nic, fake->now, frame, FRAME)); /* waits there */
	fake_turn_to(fake, 2);
	fake_close(fake);
	fake_turn_to(fake, 0);
	fake_run(fake);
	assert_int_equal(fake_waiting(fake), 1); /* and went on here */
	fake_complete(fake, fake_take(fake)->transaction_id);
	assert_int_equal(receive_one(fake, frame, &packet), 0);
	fake_expect_lawful(fake);
	fake_destroy(fake);
}

/* --- To the guest: the receive buffer --------------------------------------------------------- */

static void each_queue_has_its_share(void **state)
{
	struct fake *fake = with_queues(QUEUES);
	struct vmbus_transfer_page_range ranges[375];
	uint8_t frame[FRAME];

	(void)state;
	ip_frame(frame, TCP, 1);
	for (uint32_t queue = 0; queue < QUEUES; queue++) {
		uint32_t taken = 0;

		steer_to(fake, NDIS_HASH_TCP4, queue);
		for (uint32_t n = 0; n < 30; n++)
			assert_true(hvh_nic_receive(fake->nic, fake->now, frame, FRAME));
		fake_turn_to(fake, queue);
		fake_run(fake);
		while (fake_waiting(fake) > 0) {
			const struct fake_packet *packet = fake_take(fake);
			uint32_t count = fake_ranges(packet, ranges);

			for (uint32_t r = 0; r < count; r++)
				assert_in_range(ranges[r].byte_offset / 1728, 16 + 7 * queue,
						16 + 7 * queue + 6);
			taken += count;
		}
		assert_int_equal(taken, 7);
		fake_turn_to(fake, 0);
	}
	fake_destroy(fake);
}

/* What the guest has when the sub-channels are granted comes to its new owner when given back. */
static void what_the_guest_holds_is_not_given_twice(void **state)
{
	struct fake *fake = with_queues(1);
	struct vmbus_transfer_page_range ranges[375];
	uint64_t held[21];
	uint32_t packets = 0, pieces = 0;
	uint8_t frame[FRAME];

	(void)state;
	ip_frame(frame, TCP, 1);
	for (uint32_t n = 0; n < 21; n++)
		assert_true(hvh_nic_receive(fake->nic, fake->now, frame, FRAME));
	fake_run(fake);
	while (fake_waiting(fake) > 0) {
		const struct fake_packet *packet = fake_take(fake);

		pieces += fake_ranges(packet, ranges);
		held[packets++] = packet->transaction_id;
	}
	assert_int_equal(pieces, 21);
	ask(fake, 2);
	for (uint32_t n = 1; n < QUEUES; n++) {
		fake_turn_to(fake, n);
		fake_open(fake);
	}
	fake_turn_to(fake, 0);
	fake_run(fake);
	throw_away(fake);
	steer_to(fake, NDIS_HASH_TCP4, 1);
	assert_true(hvh_nic_receive(fake->nic, fake->now, frame, FRAME));
	fake_turn_to(fake, 1);
	fake_run(fake);
	assert_int_equal(fake_waiting(fake), 0); /* the guest has all of them */
	fake_turn_to(fake, 0);
	for (uint32_t n = 0; n < packets; n++)
		fake_complete(fake, held[n]);
	fake_turn_to(fake, 1);
	fake_run(fake);
	fake_ranges(fake_take(fake), ranges);
	assert_in_range(ranges[0].byte_offset / 1728, 16 + 7, 16 + 13);
	fake_expect_lawful(fake);
	fake_destroy(fake);
}

static void a_completion_belongs_to_its_channel(void **state)
{
	struct fake *fake = with_queues(QUEUES);
	struct fake_packet packet;
	uint8_t frame[FRAME];

	(void)state;
	steer_to(fake, NDIS_HASH_TCP4, 1);
	ip_frame(frame, TCP, 1);
	assert_int_equal(receive_one(fake, frame, &packet), 1);
	fake_turn_to(fake, 2);
	fake_complete(fake, packet.transaction_id);
	fake_expect_violation(fake, HVH_V_COMPLETION);
	fake_turn_to(fake, 1); /* it is still outstanding there, and only queue 2 has stopped */
	fake_complete(fake, packet.transaction_id);
	fake_expect_lawful(fake);
	fake_complete(fake, packet.transaction_id);
	fake_expect_violation(fake, HVH_V_COMPLETION);
	fake_turn_to(fake, 0);
	fake_control(fake, golden_rndis_keepalive, sizeof golden_rndis_keepalive);
	assert_int_equal(fake_waiting(fake), 2);
	fake_destroy(fake);
}

/* A guest may still read what came by a channel that it has closed. */
static void nothing_of_a_closed_channel_is_used_again(void **state)
{
	struct fake *fake = with_queues(QUEUES);
	struct vmbus_transfer_page_range ranges[375];
	struct fake_packet packet;
	uint8_t frame[FRAME];
	uint32_t held, count = 0;

	(void)state;
	steer_to(fake, NDIS_HASH_TCP4, 2);
	ip_frame(frame, TCP, 1);
	assert_int_equal(receive_one(fake, frame, &packet), 2);
	fake_ranges(&packet, ranges);
	held = ranges[0].byte_offset;
	fake_turn_to(fake, 2);
	fake_close(fake);
	fake_turn_to(fake, 0);
	fake_complete(fake, packet.transaction_id); /* too late */
	fake_expect_violation(fake, HVH_V_COMPLETION);
	fake_destroy(fake);

	fake = with_queues(QUEUES);
	steer_to(fake, NDIS_HASH_TCP4, 2);
	assert_int_equal(receive_one(fake, frame, &packet), 2);
	fake_turn_to(fake, 2);
	fake_close(fake);
	fake_open(fake); /* now it has what it had */
	for (uint32_t n = 0; n < 7; n++)
		assert_true(hvh_nic_receive(fake->nic, fake->now, frame, FRAME));
	fake_run(fake);
	while (fake_waiting(fake) > 0)
		count += fake_ranges(fake_take(fake), ranges);
	assert_int_equal(count, 7);
	assert_in_range(held / 1728, 16 + 14, PIECES - 1);
	fake_destroy(fake);
}

static void a_full_ring_holds_up_no_other_queue(void **state)
{
	struct fake *fake = with_queues(QUEUES);
	struct fake_packet packet;
	uint8_t frame[FRAME];

	(void)state;
	steer_to(fake, NDIS_HASH_TCP4, 1);
	ip_frame(frame, TCP, 1);
	fake_turn_to(fake, 1);
	fake->on->full = true;
	fake_turn_to(fake, 0);
	assert_true(hvh_nic_receive(fake->nic, fake->now, frame, FRAME));
	assert_int_equal(came_on(fake, &packet), UINT32_MAX);
	ip_frame(frame, UDP, 1); /* no hash */
	assert_int_equal(receive_one(fake, frame, &packet), 0);
	fake->partition.subchannels[0].full = false;
	assert_int_equal(came_on(fake, &packet), 1);
	fake_destroy(fake);
}

#define OWN (HVH_NIC_QUEUE / 2 / QUEUES)
#define COMMON (HVH_NIC_QUEUE - OWN * QUEUES)
#define FOR_LONG (200 * HVH_TIME_PER_MS)

static uint64_t dropped_by(const struct fake *fake, uint32_t queue)
{
	struct hvh_nic_queue_counters counters;

	assert_true(hvh_nic_get_queue_counters(fake->nic, queue, &counters));
	return counters.dropped;
}

/* Its frames are dropped, in the end; the others' have their places all the time, and a backend does not
 * wait for it. */
static void a_queue_that_takes_nothing_leaves_the_others_theirs(void **state)
{
	struct fake *fake = with_queues(QUEUES);
	uint8_t tcp[FRAME], udp[FRAME];

	(void)state;
	steer_to(fake, NDIS_HASH_TCP4, 1);
	ip_frame(tcp, TCP, 1);
	ip_frame(udp, UDP, 1); /* no hash: the primary */
	assert_int_equal(hvh_nic_room(fake->nic, fake->now), OWN + COMMON);
	for (uint32_t n = 0; n < OWN + COMMON; n++)
		assert_true(hvh_nic_receive(fake->nic, fake->now, tcp, FRAME));
	assert_false(hvh_nic_receive(fake->nic, fake->now, tcp, FRAME));
	assert_int_equal(dropped_by(fake, 1), 1);
	assert_int_equal(hvh_nic_room(fake->nic, fake->now + FOR_LONG), 0); /* it may only be slow */
	fake->now += FOR_LONG + 1;
	assert_int_equal(hvh_nic_room(fake->nic, fake->now), OWN);
	for (uint32_t n = 0; n < OWN; n++)
		assert_true(hvh_nic_receive(fake->nic, fake->now, udp, FRAME));
	assert_false(hvh_nic_receive(fake->nic, fake->now, udp, FRAME));
	assert_int_equal(dropped_by(fake, 0), 1);
	assert_int_equal(dropped_by(fake, 1), 1);
	fake_run(fake); /* the primary's pieces of the receive buffer are few, but it moves */
	assert_in_range(hvh_nic_room(fake->nic, fake->now), 1, 7);
	fake_destroy(fake);
}

/* A guest that rests as a whole loses nothing, as with one queue. */
static void where_no_queue_moves_the_backend_waits(void **state)
{
	struct fake *fake = with_queues(2);
	uint8_t tcp[FRAME], udp[FRAME];

	(void)state;
	steer_to(fake, NDIS_HASH_TCP4, 1);
	ip_frame(tcp, TCP, 1);
	ip_frame(udp, UDP, 1);
	while (hvh_nic_receive(fake->nic, fake->now, tcp, FRAME))
		;
	while (hvh_nic_receive(fake->nic, fake->now, udp, FRAME))
		;
	fake->now += 10 * FOR_LONG;
	assert_int_equal(hvh_nic_room(fake->nic, fake->now), 0);
	fake_destroy(fake);
}

/* --- From the guest ------------------------------------------------------------------------------ */

static uint32_t queue_seen;

static void transmit_from(void *context, uint32_t queue, const void *frame, uint32_t length)
{
	(void)context;
	assert_int_equal(length, FRAME);
	assert_memory_equal(frame, golden_rndis_packet + 44, FRAME);
	queue_seen = queue;
}

static uint32_t send_status(struct fake *fake, const void *message, uint32_t length, uint32_t channel_type)
{
	uint64_t id = fake_pages(fake, channel_type, message, length)->transaction_id;
	const struct fake_packet *packet;
	uint32_t status;

	fake_run(fake);
	packet = fake_take(fake);
	assert_int_equal(packet->type, VMBUS_PACKET_COMPLETION);
	assert_int_equal(packet->transaction_id, id);
	memcpy(&status, packet->payload + 4, sizeof status);
	return status;
}

static void frames_come_on_any_queue(void **state)
{
	struct fake *fake = with_queues(QUEUES);
	struct hvh_nic_queue_counters counters;

	(void)state;
	for (uint32_t n = 0; n < QUEUES; n++) {
		fake_turn_to(fake, n);
		for (uint32_t i = 0; i <= n; i++)
			assert_int_equal(send_status(fake, golden_rndis_packet, sizeof golden_rndis_packet,
						     NVS_CHANNEL_DATA),
					 NVS_STATUS_SUCCESS);
		assert_true(hvh_nic_get_queue_counters(fake->nic, n, &counters));
		assert_int_equal(counters.from_guest_frames, n + 1);
		assert_true(counters.packets >= n + 1);
	}
	assert_int_equal(fake->frames, 6);
	assert_false(hvh_nic_get_queue_counters(fake->nic, QUEUES, &counters));
	fake_expect_lawful(fake);
	fake_destroy(fake);
}

static void the_backend_may_know_the_queue(void **state)
{
	struct hvh_nic_config config = {.mac = {0x00, 0x15, 0x5d, 1, 2, 3}, .link_up = true};
	struct hvh_backend backend = {.transmit = fake_transmit, .transmit_from = transmit_from};
	struct fake *fake = fake_create();
	struct hvh_channel *channel = &fake->partition.channel;

	(void)state;
	channel->ops->destroy(channel->device);
	fake->nic = hvh_nic_create(&fake->partition, &config, &backend);
	fake->partition.profile.subchannel_order = HVH_SUBCHANNELS_AFTER;
	fake_negotiate(fake, NVS_VERSION_5);
	fake_initialize(fake);
	ask(fake, 2);
	throw_away(fake);
	for (uint32_t n = 2; n > 0; n--) {
		fake_turn_to(fake, n);
		fake_open(fake);
		send_status(fake, golden_rndis_packet, sizeof golden_rndis_packet, NVS_CHANNEL_DATA);
		assert_int_equal(queue_seen, n);
	}
	fake_destroy(fake);
}

static void control_messages_take_the_primary(void **state)
{
	struct fake *fake = with_queues(QUEUES);

	(void)state;
	fake_turn_to(fake, 1);
	assert_int_equal(
		send_status(fake, golden_rndis_keepalive, sizeof golden_rndis_keepalive, NVS_CHANNEL_CONTROL),
		NVS_STATUS_FAILURE);
	fake_expect_violation(fake, HVH_V_RNDIS);
	/* The channel lives; NVS other than RNDIS ends it. */
	assert_int_equal(send_status(fake, golden_rndis_packet, sizeof golden_rndis_packet, NVS_CHANNEL_DATA),
			 NVS_STATUS_SUCCESS);
	ask(fake, 1);
	fake_expect_violation(fake, HVH_V_NVS_TYPE);
	assert_int_equal(fake_waiting(fake), 0);
	fake_pages(fake, NVS_CHANNEL_DATA, golden_rndis_packet, sizeof golden_rndis_packet);
	fake_run(fake);
	assert_int_equal(fake_waiting(fake), 0);
	fake_turn_to(fake, 2); /* the others go on */
	assert_int_equal(send_status(fake, golden_rndis_packet, sizeof golden_rndis_packet, NVS_CHANNEL_DATA),
			 NVS_STATUS_SUCCESS);
	fake_destroy(fake);
}

/* Sections are the card's, whoever uses them. */
static void a_section_is_in_use_on_all_channels(void **state)
{
	const struct nvs_rndis rndis = {NVS_TYPE_RNDIS, NVS_CHANNEL_DATA, 3, sizeof golden_rndis_packet};
	struct fake *fake = with_queues(QUEUES);

	(void)state;
	memcpy(fake->partition.channel.gpadls[1].bytes + 3 * 6144, golden_rndis_packet,
	       sizeof golden_rndis_packet);
	fake->partition.fault[HVH_FAULT_DELAY_COMPLETION] = true;
	fake_turn_to(fake, 1);
	fake_nvs(fake, &rndis, sizeof rndis);
	fake_expect_lawful(fake);
	fake_turn_to(fake, 2);
	fake_nvs(fake, &rndis, sizeof rndis);
	fake_expect_violation(fake, HVH_V_SECTION);
	assert_int_equal(fake->frames, 1);
	fake_destroy(fake);
}

/* Its completions go with the channel, and nobody would ever tell the guest. */
static void sections_of_a_closed_channel_are_free(void **state)
{
	const struct nvs_rndis rndis = {NVS_TYPE_RNDIS, NVS_CHANNEL_DATA, 3, sizeof golden_rndis_packet};
	struct fake *fake = with_queues(QUEUES);

	(void)state;
	memcpy(fake->partition.channel.gpadls[1].bytes + 3 * 6144, golden_rndis_packet,
	       sizeof golden_rndis_packet);
	fake->partition.fault[HVH_FAULT_DELAY_COMPLETION] = true;
	fake_turn_to(fake, 1);
	fake_nvs(fake, &rndis, sizeof rndis);
	fake_close(fake);
	fake_turn_to(fake, 2);
	fake_nvs(fake, &rndis, sizeof rndis);
	fake_expect_lawful(fake);
	assert_int_equal(fake->frames, 2);
	fake_destroy(fake);
}

static uint32_t rss_status(struct fake *fake, uint32_t entry)
{
	struct vmbus_transfer_page_range ranges[375];
	struct {
		struct rndis_request request;
		struct ndis_rss_parameters parameters;
		uint8_t key[NDIS_RSS_KEY_SIZE];
		uint32_t table[1];
	} set = {
		.request = {.header = {RNDIS_MSG_SET, sizeof set},
			    .oid = RNDIS_OID_GEN_RECEIVE_SCALE_PARAMETERS,
			    .information_length = sizeof set - sizeof set.request,
			    .information_offset = RNDIS_REQUEST_INFORMATION_OFFSET},
		.parameters = {.header = {NDIS_OBJECT_RSS_PARAMETERS, 2, sizeof set.parameters},
			       .hash = NDIS_HASH_TOEPLITZ | NDIS_HASH_TCP4,
			       .table_size = 4,
			       .table_offset = sizeof set.parameters + sizeof set.key,
			       .key_size = sizeof set.key,
			       .key_offset = sizeof set.parameters},
		.table = {entry},
	};
	uint32_t status;

	fake_control(fake, &set, sizeof set);
	fake_take(fake);
	fake_ranges(fake_take(fake), ranges);
	memcpy(&status, fake->partition.channel.gpadls[0].bytes + ranges[0].byte_offset + 12, sizeof status);
	return status;
}

/* Linux's table has the queues that it asked for, not those that it got. */
static void a_table_for_queues_that_were_not_granted(void **state)
{
	struct fake *fake = with_queues(2);
	uint8_t frame[FRAME];

	(void)state;
	assert_int_equal(rss_status(fake, 2), RNDIS_STATUS_INVALID_DATA);
	fake_expect_violation(fake, HVH_V_RNDIS);
	fake->partition.deterministic = false;
	assert_int_equal(rss_status(fake, 2), RNDIS_STATUS_SUCCESS);
	fake_expect_lawful(fake);
	throw_away(fake);
	ip_frame(frame, TCP, 1766);
	assert_true(hvh_nic_receive(fake->nic, fake->now, frame, FRAME));
	fake_run(fake);
	assert_int_equal(fake_waiting(fake), 1);
	throw_away(fake);
	assert_int_equal(rss_status(fake, FAKE_CHANNELS), RNDIS_STATUS_INVALID_DATA);
	fake_expect_violation(fake, HVH_V_RNDIS);
	fake_destroy(fake);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_parameters_all_take_the_primary),
		cmocka_unit_test(by_the_table),
		cmocka_unit_test(udp_is_hashed_as_tcp),
		cmocka_unit_test(halt_ends_scaling),
		cmocka_unit_test(a_flow_stays_in_order),
		cmocka_unit_test(what_was_meant_for_a_closed_queue_takes_the_primary),
		cmocka_unit_test(each_queue_has_its_share),
		cmocka_unit_test(what_the_guest_holds_is_not_given_twice),
		cmocka_unit_test(a_completion_belongs_to_its_channel),
		cmocka_unit_test(nothing_of_a_closed_channel_is_used_again),
		cmocka_unit_test(a_full_ring_holds_up_no_other_queue),
		cmocka_unit_test(frames_come_on_any_queue),
		cmocka_unit_test(the_backend_may_know_the_queue),
		cmocka_unit_test(control_messages_take_the_primary),
		cmocka_unit_test(a_section_is_in_use_on_all_channels),
		cmocka_unit_test(a_queue_that_takes_nothing_leaves_the_others_theirs),
		cmocka_unit_test(where_no_queue_moves_the_backend_waits),
		cmocka_unit_test(sections_of_a_closed_channel_are_free),
		cmocka_unit_test(a_table_for_queues_that_were_not_granted),
	};

	return cmocka_run_group_tests_name("host_netvsp_queues", tests, NULL, NULL);
}
