/* SPDX-License-Identifier: MIT */
/* virtio_net: frames to the device. */
#include "guest/netdev/checksum.h"
#include "tests/unit/guest_virtio_net_user.h"

#define IP_AT 14u

static void sent_is(struct user *user, uint32_t count, const uint8_t *bytes, uint32_t length)
{
	vd_settle(user->device);
	assert_int_equal(user->device->sent_count, count);
	assert_int_equal(user->device->sent.length, length);
	assert_memory_equal(user->device->sent.bytes, bytes, length);
}

static void a_frame_where_it_lies(void **state)
{
	static const struct virtio_net_header zeros;
	struct user *user = user_begin_up(1);

	(void)state;
	assert_int_equal(user_send(user, 4000, 1514), HVK_TX_TAKEN);
	assert_int_equal(user->done, 0); /* never inside the call */
	sent_is(user, 1, user->memory + 4000, 1514);
	assert_memory_equal(&user->device->sent.header, &zeros, sizeof(zeros));
	assert_int_equal(user->done, 1);
	assert_int_equal(user_counters(user).tx_frames, 1);
	assert_int_equal(user_counters(user).tx_bytes, 1514);
	assert_int_equal(user_counters(user).tx_by_page, 1);
	assert_int_equal(user_send(user, 0, 14), HVK_TX_TAKEN);
	sent_is(user, 2, user->memory, 14);
	user_end(user);
}

static void a_frame_in_pieces(void **state)
{
	struct user *user = user_begin_up(1);
	struct user_frame *frame = user_frame(user, 0, 900);
	uint8_t *memory = user->memory;

	(void)state;
	for (uint32_t i = 0; i < 30; i++)
		frame->pieces[i] = (struct hvk_buffer){memory + i * 30,
						       (uint64_t)(uintptr_t)(memory + i * 30), 30};
	frame->frame.piece_count = 30;
	assert_int_equal(user_transmit(user, frame), HVK_TX_TAKEN);
	sent_is(user, 1, memory, 900);
	frame = user_frame(user, 0, 100); /* one without bytes */
	frame->pieces[1] = frame->pieces[0];
	frame->pieces[0].length = 0;
	frame->frame.piece_count = 2;
	assert_int_equal(user_transmit(user, frame), HVK_TX_TAKEN);
	sent_is(user, 2, memory, 100);
	user_end(user);
}

static void a_frame_without_addresses_of_the_device_is_copied(void **state)
{
	struct user *user = user_begin_up(1);
	struct user_frame *frame = user_frame(user, 100, 1514);

	(void)state;
	frame->pieces[0].gpa = 0;
	assert_int_equal(user_transmit(user, frame), HVK_TX_TAKEN);
	memset(user->memory + 100, 0, 4);
	vd_settle(user->device);
	assert_int_equal(user_counters(user).tx_copied, 1);
	assert_int_equal(user->device->sent.length, 1514);
	assert_memory_equal(user->device->sent.bytes + 4, user->memory + 104, 1510);
	user_end(user);
}

/* In pieces, so that they begin anywhere in the driver's memory. */
static enum hvk_tx_result send_copied(struct user *user, uint32_t length, uint32_t pieces)
{
	struct user_frame *frame = user_frame(user, 0, length);
	uint32_t at = 0;

	for (uint32_t i = 0; i < pieces; i++) {
		uint32_t part = i + 1 == pieces ? length - at : length / pieces;

		frame->pieces[i] = (struct hvk_buffer){user->memory + at, 0, part};
		at += part;
	}
	frame->frame.piece_count = pieces;
	return user_transmit(user, frame);
}

static struct user *user_begin_long(uint32_t queue_size)
{
	struct user *user = user_begin(1);

	user->config.queue_size = queue_size;
	user->device->net.mtu = 65521;
	user_up(user);
	hvk_netdev_set_mtu(user->netdev, 65521, &user->request);
	assert_int_equal(vd_wait(user->device, &user->request), HVK_OK);
	return user;
}

static void a_long_frame_is_copied_too(void **state)
{
	static const uint32_t lengths[] = {2035, 2036, 2037, 4083, 4084, 4085, 9014, 65535};
	struct user *user = user_begin_long(256);
	uint32_t sent = 0;

	(void)state;
	for (uint32_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		for (uint32_t pieces = 1; pieces <= 30; pieces += 29) {
			assert_int_equal(send_copied(user, lengths[i], pieces), HVK_TX_TAKEN);
			sent_is(user, ++sent, user->memory, lengths[i]);
		}
	}
	assert_int_equal(user_counters(user).tx_copied, sent);
	assert_int_equal(user_counters(user).tx_errors, 0);
	assert_int_equal(user->done, sent);
	user_end(user);
}

/* Slots come back in any order, and long frames take whichever there are. */
static void long_frames_among_short_ones(void **state)
{
	struct user *user = user_begin_long(64);
	struct vd_queue *queue = &user->device->queues[1];
	uint32_t taken = 0;

	(void)state;
	user->device->holds_frames = true;
	for (uint32_t i = 0; i < 400; i++) {
		uint32_t length = i % 3 == 0 ? 60 : 1 + (i * 7919u) % 20000u + 13u;

		while (send_copied(user, length, 1 + i % 5) == HVK_TX_BUSY) {
			assert_int_not_equal(queue->held_count, 0); /* never for ever */
			vd_give(user->device, queue, queue->held[(i * 31u) % queue->held_count], 0);
			vd_settle(user->device);
		}
		taken++;
		hvk_netdev_flush(user->netdev);
		assert_int_equal(user->device->sent.length, length);
		assert_memory_equal(user->device->sent.bytes, user->memory, length);
	}
	assert_int_equal(taken, 400);
	assert_int_equal(user->device->sent_count, 400);
	user_end(user);
}

static void a_long_frame_for_a_short_queue(void **state)
{
	struct user *user = user_begin_long(16); /* eight slots */

	(void)state;
	assert_int_equal(send_copied(user, 8 * 2048 - 12, 3), HVK_TX_TAKEN);
	sent_is(user, 1, user->memory, 8 * 2048 - 12);
	assert_int_equal(send_copied(user, 8 * 2048 - 11, 3), HVK_TX_GONE);
	/* Whoever keeps to the limits never finds out. */
	assert_int_equal(user->netdev->info.tso_bytes_max, 8 * 2048 - 12 - 14 - 4 - 120);
	assert_int_equal(user_counters(user).tx_errors, 1);
	user_end(user);
}

static void a_frame_without_an_address_of_ours(void **state)
{
	struct user *user = user_begin_up(1);
	struct user_frame *frame = user_frame(user, 100, 800);

	(void)state;
	frame->pieces[0].address = NULL;
	assert_int_equal(user_transmit(user, frame), HVK_TX_TAKEN);
	sent_is(user, 1, user->memory + 100, 800);
	user_end(user);
}

/* A chain has no more descriptors than its queue: such a frame would wait for ever. */
static void more_pieces_than_the_queue_has(void **state)
{
	struct user *user = user_begin(1);
	struct user_frame *frame;

	(void)state;
	user->config.queue_size = 4;
	user_up(user);
	for (uint32_t copied = 0; copied < 2; copied++) {
		frame = user_frame(user, 0, 400);
		for (uint32_t i = 0; i < 4; i++)
			frame->pieces[i] = (struct hvk_buffer){copied ? user->memory + i * 100 : NULL,
							       (uint64_t)(uintptr_t)(user->memory + i * 100),
							       100};
		frame->frame.piece_count = 4;
		assert_int_equal(user_transmit(user, frame), copied ? HVK_TX_TAKEN : HVK_TX_GONE);
	}
	sent_is(user, 1, user->memory, 400);
	user_end(user);
}

static void frames_that_are_none(void **state)
{
	struct user *user = user_begin_up(1);
	struct user_frame *frame;

	(void)state;
	assert_int_equal(user_send(user, 0, 13), HVK_TX_GONE);
	assert_int_equal(user_send(user, 0, 1515), HVK_TX_GONE);
	frame = user_frame(user, 0, 100);
	frame->frame.length = 101;
	assert_int_equal(user_transmit(user, frame), HVK_TX_GONE);
	frame = user_frame(user, 0, 100);
	frame->frame.piece_count = 0;
	assert_int_equal(user_transmit(user, frame), HVK_TX_GONE);
	frame = user_frame(user, 0, 100);
	frame->frame.piece_count = 31;
	assert_int_equal(user_transmit(user, frame), HVK_TX_GONE);
	frame = user_frame(user, 0, 100);
	frame->pieces[0].address = NULL;
	frame->pieces[0].gpa = 0;
	assert_int_equal(user_transmit(user, frame), HVK_TX_GONE);
	assert_int_equal(user_counters(user).tx_errors, 6);
	vd_settle(user->device);
	assert_int_equal(user->device->sent_count, 0);
	user_end(user);
}

/* --- Room ---------------------------------------------------------------------------------- */

static void full_and_then_ready(void **state)
{
	struct user *user = user_begin_up(1);
	uint32_t taken = 0;

	(void)state;
	user->device->holds_frames = true;
	while (user_send(user, 0, 60) == HVK_TX_TAKEN)
		taken++;
	assert_int_equal(taken, 128);
	assert_int_equal(user_send(user, 0, 60), HVK_TX_BUSY);
	assert_int_equal(user->netdev->ops->outstanding(user->netdev), 128);
	assert_int_equal(user_counters(user).tx_busy, 2);
	assert_int_equal(user_counters(user).tx_no_slot, 2);
	vd_settle(user->device);
	assert_int_equal(user->ready, 0);
	vd_give(user->device, &user->device->queues[1], user->device->queues[1].held[0], 0);
	vd_settle(user->device);
	assert_int_equal(user->ready, 1);
	assert_int_equal(user->done, 1);
	assert_int_equal(user->netdev->ops->outstanding(user->netdev), 127);
	assert_int_equal(user_send(user, 0, 60), HVK_TX_TAKEN);
	vd_settle(user->device);
	assert_int_equal(user->ready, 1); /* once for each BUSY */
	user_end(user);
}

static void full_of_descriptors(void **state)
{
	struct user *user = user_begin_up(1);
	uint32_t taken = 0;

	(void)state;
	user->device->holds_frames = true;
	for (;; taken++) {
		struct user_frame *frame = user_frame(user, 0, 300);

		for (uint32_t i = 0; i < 30; i++)
			frame->pieces[i] = (struct hvk_buffer){
				user->memory + i * 10, (uint64_t)(uintptr_t)(user->memory + i * 10), 10};
		frame->frame.piece_count = 30;
		if (user_transmit(user, frame) != HVK_TX_TAKEN)
			break;
	}
	assert_int_equal(taken, 256 / 31);
	assert_int_equal(user_counters(user).tx_ring_full, 1);
	vd_give(user->device, &user->device->queues[1], user->device->queues[1].held[0], 0);
	vd_settle(user->device);
	assert_int_equal(user->ready, 1);
	user_end(user);
}

/* In any order. */
static void given_back_backwards(void **state)
{
	struct user *user = user_begin_up(1);
	struct vd_queue *queue = &user->device->queues[1];

	(void)state;
	user->device->holds_frames = true;
	for (uint32_t round = 0; round < 6; round++) {
		for (uint32_t i = 0; i < 100; i++)
			assert_int_equal(user_send(user, i, 60 + i), HVK_TX_TAKEN);
		for (uint32_t i = 0; i < 100; i++)
			vd_give(user->device, queue, queue->held[round % 2 ? 0 : queue->held_count - 1u], 0);
		vd_settle(user->device);
		assert_int_equal(user->done, 100 * (round + 1));
	}
	user_end(user);
}

static void what_is_held_is_canceled(void **state)
{
	struct user *user = user_begin_up(1);

	(void)state;
	user->device->holds_frames = true;
	for (uint32_t i = 0; i < 10; i++)
		assert_int_equal(user_send(user, 0, 60), HVK_TX_TAKEN);
	vd_settle(user->device);
	assert_int_equal(user_detach(user), HVK_OK);
	assert_int_equal(user->canceled, 10);
	assert_int_equal(user->netdev->ops->outstanding(user->netdev), 0);
	assert_int_equal(user_leave(user), 0);
}

/* --- Telling ------------------------------------------------------------------------------- */

static void more_follows(void **state)
{
	struct user *user = user_begin_up(1);
	struct vd_queue *queue = &user->device->queues[1];
	struct user_frame *frame;

	(void)state;
	for (uint32_t i = 0; i < 5; i++) {
		frame = user_frame(user, i, 60);
		frame->frame.flags = HVK_TX_MORE;
		assert_int_equal(user_transmit(user, frame), HVK_TX_TAKEN);
	}
	assert_int_equal(queue->notifications, 0);
	assert_int_equal(user_send(user, 0, 60), HVK_TX_TAKEN);
	assert_int_equal(queue->notifications, 1);
	assert_int_equal(user->device->sent_count, 6);
	for (uint32_t last = 0; last < 2; last++) { /* by the end of the poll, or by flush */
		frame = user_frame(user, 9, 60);
		frame->frame.flags = HVK_TX_MORE;
		assert_int_equal(user_transmit(user, frame), HVK_TX_TAKEN);
		assert_int_equal(user->device->sent_count, 6 + last);
		if (last)
			hvk_netdev_flush(user->netdev);
		else
			vd_settle(user->device);
		assert_int_equal(user->device->sent_count, 7 + last);
	}
	assert_int_equal(queue->notifications, 3);
	user_end(user);
}

static void many_at_once(void **state)
{
	struct user *user = user_begin_up(1);
	struct hvk_tx_frame *frames[200];
	enum hvk_tx_result result;

	(void)state;
	user->device->holds_frames = true;
	for (uint32_t i = 0; i < 200; i++) {
		frames[i] = &user_frame(user, i, 60)->frame;
		user->next_frame++;
	}
	assert_int_equal(hvk_netdev_transmit_many(user->netdev, frames, 200, &result), 128);
	assert_int_equal(result, HVK_TX_BUSY);
	assert_int_equal(user->device->sent_count, 128);
	assert_int_equal(user->device->queues[1].notifications, 1);
	user->next_frame = 128;
	user_end(user);
}

/* The device takes its turn, and falls asleep, at whatever moment the driver looks at shared memory. */
static void one_turn(void *owner)
{
	vd *device = owner;

	device->port.switched = NULL;
	device->port.random = device->port.random * 6364136223846793005ull + 1442695040888963407ull;
	if (device->port.random >> 62 == 0)
		vd_turn(device);
	device->port.switched = one_turn;
}

static void nothing_gets_lost(void **state)
{
	(void)state;
	for (uint32_t seed = 0; seed < 8; seed++) {
		struct user *user = user_begin(1);

		if (seed & 1)
			user->device->features &= ~VIRTIO_F_EVENT_IDX;
		user->device->lazy = true;
		user->device->no_notifications = (seed & 2) != 0;
		user->config.queue_size = seed & 4 ? 8 : 64;
		user_up(user);
		user->device->port.random = seed;
		user->device->port.switched = one_turn;
		for (uint32_t i = 0; i < 70000; i++) { /* more than an index counts */
			user->next_frame = i % 1000;
			while (user_send(user, i % 512, 60 + i % 300) == HVK_TX_BUSY)
				vd_settle(user->device);
			if (i % 5 == 0)
				vd_poll(user->device);
			if (user->next_frame == 1000)
				vd_settle(user->device);
		}
		vd_settle(user->device);
		user->device->port.switched = NULL;
		vd_settle(user->device);
		assert_int_equal(user->device->sent_count, 70000);
		assert_int_equal(user->done, 70000);
		user_end(user);
	}
}

static void a_device_that_looks_by_itself_is_not_told(void **state)
{
	(void)state;
	for (uint32_t events = 0; events < 2; events++) {
		struct user *user = user_begin(1);

		if (!events)
			user->device->features &= ~VIRTIO_F_EVENT_IDX;
		user->device->no_notifications = true;
		user->device->features &= ~VIRTIO_NET_F_CTRL_VQ;
		user_up(user);
		for (uint32_t i = 0; i < 500; i++) {
			assert_int_equal(user_send(user, i, 60), HVK_TX_TAKEN);
			if (i % 10 == 0)
				vd_settle(user->device);
		}
		vd_settle(user->device);
		assert_int_equal(user->done, 500);
		assert_int_equal(user->device->queues[1].notifications, 0);
		user_end(user);
	}
}

/* --- Queues -------------------------------------------------------------------------------- */

static void by_hash_or_by_cpu(void **state)
{
	struct user *user = user_begin(4);
	struct user_frame *frame;

	(void)state;
	user->config.queues = 4;
	user->config.cpu = 1;
	user->device->cpu = 1;
	user_up(user);
	assert_int_equal(user->netdev->info.queues, 4);
	for (uint32_t i = 0; i < 8; i++) {
		frame = user_frame(user, 0, 60);
		frame->frame.flags = HVK_TX_HASH;
		frame->frame.hash = 1000 + i;
		assert_int_equal(user_transmit(user, frame), HVK_TX_TAKEN);
		assert_int_equal(user->device->sent.queue, 2 * ((1000 + i) % 4) + 1);
	}
	for (uint32_t cpu = 0; cpu < 4; cpu++) {
		user->device->cpu = cpu;
		assert_int_equal(user_send(user, 0, 60), HVK_TX_TAKEN);
		assert_int_equal(user->device->sent.queue, 2 * ((cpu + 3) % 4) + 1); /* pair 0 is CPU 1's */
	}
	for (uint32_t queue = 0; queue < 4; queue++) {
		struct hvk_netdev_counters counters;

		hvk_netdev_get_queue_counters(user->netdev, queue, &counters);
		assert_int_equal(counters.tx_frames, 3);
	}
	vd_settle(user->device);
	assert_int_equal(user->done, 12);
	user->device->cpu = 0;
	user_end(user);
}

/* --- Checksums and segmentation -------------------------------------------------------------- */

static uint32_t build(uint8_t *frame, bool ipv6, bool udp, uint32_t payload)
{
	uint32_t ip = ipv6 ? 40 : 20, transport = udp ? 8 : 20, total = transport + payload;

	memset(frame, 0, IP_AT + ip + transport);
	frame[0] = 2;
	frame[6] = 4;
	frame[12] = ipv6 ? 0x86 : 0x08;
	frame[13] = ipv6 ? 0xdd : 0x00;
	if (ipv6) {
		frame[14] = 0x60;
		frame[18] = (uint8_t)(total >> 8), frame[19] = (uint8_t)total;
		frame[20] = udp ? 17 : 6;
		frame[21] = 64;
		frame[22 + 15] = 1, frame[38 + 15] = 2;
	} else {
		frame[14] = 0x45;
		frame[16] = (uint8_t)((total + 20) >> 8), frame[17] = (uint8_t)(total + 20);
		frame[22] = 64;
		frame[23] = udp ? 17 : 6;
		frame[26] = 10, frame[29] = 1, frame[30] = 10, frame[33] = 2;
	}
	frame += IP_AT + ip;
	frame[1] = 80, frame[3] = 90;
	if (udp)
		frame[4] = (uint8_t)(total >> 8), frame[5] = (uint8_t)total;
	else
		frame[12] = 0x50, frame[13] = 0x10;
	for (uint32_t i = 0; i < payload; i++)
		frame[transport + i] = (uint8_t)(i * 31u + 5u);
	return IP_AT + ip + total;
}

/* The checksum of the whole, as whoever receives the frame sees it: 0xffff if it is right. */
static uint16_t whole_sum(const uint8_t *frame, bool ipv6, bool udp, uint32_t length, uint32_t tag)
{
	uint32_t at = IP_AT + tag + (ipv6 ? 40 : 20);
	const uint8_t *addresses = frame + IP_AT + tag + (ipv6 ? 8 : 12);
	uint32_t sum = hvk_checksum_pseudo(addresses, ipv6 ? 32 : 8, udp ? 17 : 6, length - at);

	return hvk_checksum_fold(sum + hvk_checksum_sum(frame + at, length - at));
}

/* As a device does it. */
static void complete(struct vd_sent *sent)
{
	uint32_t start = sent->header.checksum_start;
	uint16_t checksum;

	if (!(sent->header.flags & VIRTIO_NET_HEADER_NEEDS_CHECKSUM))
		return;
	checksum = (uint16_t)~hvk_checksum_sum(sent->bytes + start, sent->length - start);
	memcpy(sent->bytes + start + sent->header.checksum_offset, &checksum, 2);
}

static void checksums_by_the_device_or_by_us(void **state)
{
	(void)state;
	for (uint32_t i = 0; i < 16; i++) {
		bool ipv6 = i & 1, udp = i & 2, enabled = i & 4, tagged = i & 8;
		struct user *user = user_begin(1);
		struct user_frame *frame;
		uint32_t length = build(user->memory, ipv6, udp, 333), tag = tagged ? 4 : 0;
		uint8_t untouched[600];

		user->config.offloads = enabled ? USER_OFFLOADS & ~HVK_NETDEV_TX_IPV4 : 0;
		user_up(user);
		frame = user_frame(user, 0, length);
		frame->frame.flags = (udp ? HVK_TX_CHECKSUM_UDP : HVK_TX_CHECKSUM_TCP) |
				     (ipv6 ? 0 : HVK_TX_CHECKSUM_IPV4) | (tagged ? HVK_TX_VLAN : 0);
		frame->frame.vlan_tag = 0x2123;
		memcpy(untouched, user->memory, length);
		assert_int_equal(user_transmit(user, frame), HVK_TX_TAKEN);
		vd_settle(user->device);
		assert_memory_equal(user->memory, untouched, length); /* written into copies alone */
		assert_int_equal(user->device->sent.length, length + tag);
		assert_int_equal(user->device->sent.header.flags,
				 enabled ? VIRTIO_NET_HEADER_NEEDS_CHECKSUM : 0);
		complete(&user->device->sent);
		assert_int_equal(whole_sum(user->device->sent.bytes, ipv6, udp, length + tag, tag), 0xffff);
		if (!ipv6)
			assert_int_equal(hvk_checksum_sum(user->device->sent.bytes + 14 + tag, 20), 0xffff);
		if (tagged)
			assert_memory_equal(user->device->sent.bytes + 12, "\x81\x00\x21\x23", 4);
		assert_int_equal(user_counters(user).tx_checksummed, enabled);
		user_end(user);
	}
}

static void checksums_that_cannot_be_asked_for(void **state)
{
	struct user *user = user_begin_up(1);
	uint32_t length = build(user->memory, false, false, 100);
	struct user_frame *frame;

	(void)state;
	user->memory[20] = 0x20; /* a fragment */
	frame = user_frame(user, 0, length);
	frame->frame.flags = HVK_TX_CHECKSUM_TCP;
	assert_int_equal(user_transmit(user, frame), HVK_TX_GONE);
	user->memory[20] = 0;
	frame = user_frame(user, 0, length);
	frame->frame.flags = HVK_TX_CHECKSUM_UDP; /* it is TCP */
	assert_int_equal(user_transmit(user, frame), HVK_TX_GONE);
	frame = user_frame(user, 0, length);
	frame->frame.flags = HVK_TX_CHECKSUM_TCP;
	frame->pieces[0].address = NULL; /* headers nobody can look at */
	assert_int_equal(user_transmit(user, frame), HVK_TX_GONE);
	user_end(user);
}

static struct user_frame *long_frame(struct user *user, bool ipv6, uint32_t payload, uint16_t size)
{
	uint32_t length = build(user->memory, ipv6, false, payload);
	struct user_frame *frame = user_frame(user, 0, length);

	frame->frame.flags = HVK_TX_TSO;
	frame->frame.segment_size = size;
	return frame;
}

static void segmentation(void **state)
{
	(void)state;
	for (uint32_t ipv6 = 0; ipv6 < 2; ipv6++) {
		struct user *user = user_begin_up(1);
		uint32_t headers = ipv6 ? 74 : 54, ip_length;
		const struct virtio_net_header *header = &user->device->sent.header;

		assert_int_equal(user_transmit(user, long_frame(user, ipv6, 60000, 1400)), HVK_TX_TAKEN);
		vd_settle(user->device);
		assert_int_equal(user->device->sent.length, 60000 + headers);
		assert_int_equal(header->segmentation,
				 ipv6 ? VIRTIO_NET_SEGMENTATION_TCP6 : VIRTIO_NET_SEGMENTATION_TCP4);
		assert_int_equal(header->segment_size, 1400);
		assert_int_equal(header->header_length, headers);
		assert_int_equal(header->checksum_start, headers - 20);
		assert_int_equal(header->checksum_offset, 16);
		ip_length = ipv6 ? (uint32_t)user->device->sent.bytes[18] << 8 | user->device->sent.bytes[19]
				 : (uint32_t)user->device->sent.bytes[16] << 8 | user->device->sent.bytes[17];
		assert_int_equal(ip_length, ipv6 ? 60020 : 60040);
		complete(&user->device->sent);
		assert_int_equal(whole_sum(user->device->sent.bytes, ipv6, false, 60000 + headers, 0),
				 0xffff);
		assert_int_equal(user_counters(user).tx_segmented, 1);
		/* What is one segment anyway is no more than a checksum. */
		assert_int_equal(user_transmit(user, long_frame(user, ipv6, 1400, 1400)), HVK_TX_TAKEN);
		vd_settle(user->device);
		assert_int_equal(header->segmentation, VIRTIO_NET_SEGMENTATION_NONE);
		assert_int_equal(header->flags, VIRTIO_NET_HEADER_NEEDS_CHECKSUM);
		user_end(user);
	}
}

/* Tag, checksum and segmentation are as with one that lies where it lies. */
static void a_copied_frame_is_cut_by_the_device(void **state)
{
	struct user *user = user_begin_up(1);
	const struct vd_sent *sent = &user->device->sent;
	struct user_frame *frame = long_frame(user, false, 60000, 1400);

	(void)state;
	frame->pieces[0].gpa = 0;
	frame->frame.flags |= HVK_TX_VLAN;
	frame->frame.vlan_tag = 0x2123;
	assert_int_equal(user_transmit(user, frame), HVK_TX_TAKEN);
	vd_settle(user->device);
	assert_int_equal(sent->length, 60000 + 54 + 4);
	assert_int_equal(sent->header.segmentation, VIRTIO_NET_SEGMENTATION_TCP4);
	assert_int_equal(sent->header.header_length, 58);
	assert_memory_equal(sent->bytes + 12, "\x81\x00\x21\x23", 4);
	assert_memory_equal(sent->bytes + 58, user->memory + 54, 60000);
	assert_int_equal(user_counters(user).tx_copied, 1);
	assert_int_equal(user_counters(user).tx_segmented, 1);
	user_end(user);
}

static void segmentation_that_is_refused(void **state)
{
	struct user *user = user_begin_up(1);

	(void)state;
	assert_int_equal(user_transmit(user, long_frame(user, false, 5000, 0)), HVK_TX_GONE);
	assert_int_equal(user_transmit(user, long_frame(user, false, 5000, 1461)),
			 HVK_TX_GONE); /* than the MTU */
	assert_int_equal(user_transmit(user, long_frame(user, true, 5000, 1441)), HVK_TX_GONE);
	assert_int_equal(user_transmit(user, long_frame(user, false, 5000, 1460)), HVK_TX_TAKEN);
	vd_settle(user->device);
	hvk_netdev_set_enabled(user->netdev, HVK_NETDEV_TSO6, &user->request);
	assert_int_equal(vd_wait(user->device, &user->request), HVK_OK);
	assert_int_equal(user_transmit(user, long_frame(user, false, 5000, 1400)), HVK_TX_GONE);
	assert_int_equal(user_transmit(user, long_frame(user, true, 5000, 1400)), HVK_TX_TAKEN);
	vd_settle(user->device);
	user_end(user);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_frame_where_it_lies),
		cmocka_unit_test(a_frame_in_pieces),
		cmocka_unit_test(a_frame_without_addresses_of_the_device_is_copied),
		cmocka_unit_test(a_long_frame_is_copied_too),
		cmocka_unit_test(long_frames_among_short_ones),
		cmocka_unit_test(a_long_frame_for_a_short_queue),
		cmocka_unit_test(a_frame_without_an_address_of_ours),
		cmocka_unit_test(more_pieces_than_the_queue_has),
		cmocka_unit_test(frames_that_are_none),
		cmocka_unit_test(full_and_then_ready),
		cmocka_unit_test(full_of_descriptors),
		cmocka_unit_test(given_back_backwards),
		cmocka_unit_test(what_is_held_is_canceled),
		cmocka_unit_test(more_follows),
		cmocka_unit_test(many_at_once),
		cmocka_unit_test(nothing_gets_lost),
		cmocka_unit_test(a_device_that_looks_by_itself_is_not_told),
		cmocka_unit_test(by_hash_or_by_cpu),
		cmocka_unit_test(checksums_by_the_device_or_by_us),
		cmocka_unit_test(checksums_that_cannot_be_asked_for),
		cmocka_unit_test(segmentation),
		cmocka_unit_test(a_copied_frame_is_cut_by_the_device),
		cmocka_unit_test(segmentation_that_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
