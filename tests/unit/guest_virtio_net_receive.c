/* SPDX-License-Identifier: MIT */
/* virtio_net: frames from the device. */
#include "guest/netdev/checksum.h"
#include "tests/unit/guest_virtio_net_user.h"

static uint8_t frame[VD_FRAME_MAX];

static void inject(struct user *user, uint32_t length)
{
	assert_true(vd_inject_plain(user->device, 0, frame, length));
	vd_settle(user->device);
}

static void a_frame(void **state)
{
	struct user *user = user_begin_up(1);

	(void)state;
	inject(user, user_to_us(user, frame, 1514));
	assert_int_equal(user->received_count, 1);
	assert_int_equal(user->received.length, 1514);
	assert_memory_equal(user->bytes, frame, 1514);
	assert_int_equal(user->received.flags, 0);
	assert_int_equal(user->received.segments, 1);
	assert_null(user->received.owner);
	assert_int_equal(user->bursts, 1);
	inject(user, user_to_us(user, frame, 14));
	assert_int_equal(user->received.length, 14);
	assert_int_equal(user_counters(user).rx_frames, 2);
	assert_int_equal(user_counters(user).rx_bytes, 1528);
	user_end(user);
}

static void more_than_an_index_counts(void **state)
{
	(void)state;
	for (uint32_t seed = 0; seed < 4; seed++) {
		struct user *user = user_begin(1);

		if (seed & 1)
			user->device->features &= ~VIRTIO_F_EVENT_IDX;
		user->config.polled = (seed & 2) != 0;
		user->config.queue_size = 16;
		user_up(user);
		for (uint32_t i = 0; i < 70000; i++) {
			(void)user_to_us(user, frame, 60);
			memcpy(frame + 20, &i, sizeof(i));
			while (!vd_inject_plain(user->device, 0, frame, 60)) { /* all buffers are full */
				vd_pass_ms(user->device, user->config.polled);
				vd_settle(user->device);
			}
			if (i % 50 == 0) {
				vd_pass_ms(user->device, user->config.polled);
				vd_settle(user->device);
				assert_int_equal(user->received_count, i + 1);
				assert_memory_equal(user->bytes + 20, &i, sizeof(i));
			}
		}
		user_end(user);
	}
}

/* No interrupt for each frame while the queue is being looked at: one brings all that came. */
static void interrupts_are_few(void **state)
{
	(void)state;
	for (uint32_t events = 0; events < 2; events++) {
		struct user *user = user_begin(1);
		const struct vd_queue *queue = &user->device->queues[0];

		if (!events)
			user->device->features &= ~VIRTIO_F_EVENT_IDX;
		user_up(user);
		for (uint32_t i = 0; i < 200; i++)
			assert_true(vd_inject_plain(user->device, 0, frame, user_to_us(user, frame, 60)));
		if (events) /* without, it cannot know of the poll that is to come */
			assert_int_equal(queue->interrupts, 1);
		vd_settle(user->device);
		assert_int_equal(user->received_count, 200);
		inject(user, 60);
		assert_int_equal(user->received_count, 201);
		user_end(user);
	}
}

static void interrupted_while_polling(void *context, struct hvk_netdev *netdev,
				      const struct hvk_rx_frame *received)
{
	struct user *user = context;

	user_input(context, netdev, received);
	if (user->received_count < 40)
		assert_true(vd_inject_plain(user->device, 0, frame, 60));
}

static void no_interrupt_while_polling(void **state)
{
	struct user *user = user_begin(1);

	(void)state;
	user->device->features &= ~VIRTIO_F_EVENT_IDX;
	user_up(user);
	user->netdev->hooks.input = interrupted_while_polling;
	inject(user, user_to_us(user, frame, 60));
	assert_int_equal(user->received_count, 40);
	assert_int_equal(user->device->queues[0].interrupts, 1);
	user_end(user);
}

static void polled_without_interrupts(void **state)
{
	struct user *user = user_begin(1);

	(void)state;
	user->config.polled = true;
	user->device->info.interrupts = 0;
	user_up(user);
	assert_int_equal(user->device->queues[0].vector, VIRTIO_NO_VECTOR);
	assert_int_equal(user->device->config_vector, VIRTIO_NO_VECTOR);
	assert_true(vd_inject_plain(user->device, 0, frame, user_to_us(user, frame, 60)));
	vd_pass_ms(user->device, 1); /* no later than that */
	assert_int_equal(user->received_count, 1);
	assert_int_equal(user_send(user, 0, 60), HVK_TX_TAKEN);
	vd_pass_ms(user->device, 1);
	assert_int_equal(user->done, 1);
	user->device->net.status = 0;
	vd_pass_ms(user->device, 1001);
	assert_int_equal(user->links, 1);
	assert_false(user->link);
	user_end(user);
}

/* The device may write buffers again once it has given them back: what was handed up does not change. */
static void it_is_a_private_copy(void **state)
{
	struct user *user = user_begin_up(1);
	const struct vd_queue *queue = &user->device->queues[0];

	(void)state;
	inject(user, user_to_us(user, frame, 1000));
	for (uint32_t i = 0; i < queue->size; i++) {
		struct virtq_descriptor descriptor;

		memcpy(&descriptor, vd_at(user->device, queue->descriptors + 16 * i, 16), 16);
		assert_true(user->received.data < vd_at(user->device, descriptor.address, 4096) ||
			    user->received.data >= vd_at(user->device, descriptor.address, 4096) + 4096);
	}
	user_end(user);
}

/* --- Which ones ------------------------------------------------------------------------------- */

static void to(struct user *user, const char *address)
{
	(void)user_to_us(user, frame, 60);
	memcpy(frame, address, 6);
	inject(user, 60);
}

static void only_those_that_are_wanted(void **state)
{
	static const uint8_t groups[2][6] = {{1, 0, 0x5e, 0, 0, 1}, {0x33, 0x33, 0, 0, 0, 1}};
	struct user *user = user_begin_up(1);

	(void)state;
	to(user, "\xff\xff\xff\xff\xff\xff");
	assert_int_equal(user->received_count, 1);
	to(user, "\x02\x15\x5d\x01\x02\x03"); /* somebody else's */
	to(user, "\x01\x00\x5e\x00\x00\x01");
	assert_int_equal(user->received_count, 1);
	assert_int_equal(user_counters(user).rx_other_group, 2);
	hvk_netdev_set_multicast(user->netdev, groups, 2, &user->request);
	assert_int_equal(vd_wait(user->device, &user->request), HVK_OK);
	to(user, "\x01\x00\x5e\x00\x00\x01");
	to(user, "\x33\x33\x00\x00\x00\x01");
	assert_int_equal(user->received_count, 3);
	to(user, "\x33\x33\x00\x00\x00\x02");
	assert_int_equal(user->received_count, 3);
	assert_int_equal(user_set_flags(user, HVK_NETDEV_UP | HVK_NETDEV_ALL_MULTICAST), HVK_OK);
	to(user, "\x33\x33\x00\x00\x00\x02");
	assert_int_equal(user->received_count, 4);
	assert_int_equal(user_set_flags(user, HVK_NETDEV_UP | HVK_NETDEV_PROMISCUOUS), HVK_OK);
	to(user, "\x02\x15\x5d\x01\x02\x03");
	assert_int_equal(user->received_count, 5);
	assert_int_equal(user_set_flags(user, 0), HVK_OK);
	to(user, "\xff\xff\xff\xff\xff\xff");
	assert_int_equal(user->received_count, 5);
	assert_int_equal(user_counters(user).rx_not_up, 1);
	assert_int_equal(user_counters(user).rx_dropped, 4);
	user_end(user);
}

static void too_long_and_too_short(void **state)
{
	struct user *user = user_begin_up(1);

	(void)state;
	inject(user, user_to_us(user, frame, 1518)); /* a tag in the frame */
	assert_int_equal(user->received_count, 1);
	inject(user, user_to_us(user, frame, 1519));
	assert_int_equal(user_counters(user).rx_too_long, 1);
	inject(user, user_to_us(user, frame, 13));
	inject(user, 0);
	assert_int_equal(user_counters(user).rx_faults, 2);
	assert_int_equal(user->received_count, 1);
	inject(user, user_to_us(user, frame, 60)); /* it goes on */
	assert_int_equal(user->received_count, 2);
	user_end(user);
}

/* Fewer bytes than the device's own header has. */
static void not_even_a_header(void **state)
{
	struct user *user = user_begin_up(1);
	struct vd_queue *queue = &user->device->queues[0];
	uint16_t head = 0;

	(void)state;
	for (uint32_t length = 0; length < 12; length += 11) {
		assert_true(vd_take(user->device, queue, &head));
		vd_give(user->device, queue, head, length);
		vd_settle(user->device);
	}
	assert_int_equal(user_counters(user).rx_faults, 2);
	inject(user, user_to_us(user, frame, 60));
	assert_int_equal(user->received_count, 1);
	user_end(user);
}

/* --- Several buffers ---------------------------------------------------------------------------- */

static void a_frame_in_several_buffers(void **state)
{
	struct user *user = user_begin_up(1);

	(void)state;
	hvk_netdev_set_mtu(user->netdev, 9000, &user->request);
	assert_int_equal(vd_wait(user->device, &user->request), HVK_OK);
	for (uint32_t i = 0; i < 300; i++) {
		uint32_t length = 60 + i * 29;

		inject(user, user_to_us(user, frame, length));
		assert_int_equal(user->received_count, i + 1);
		assert_int_equal(user->received.length, length);
		assert_memory_equal(user->bytes, frame, length);
	}
	user_end(user);
}

static void a_number_of_buffers_that_cannot_be(void **state)
{
	static const uint32_t said[] = {257, 65535};
	static const struct virtio_net_header header;
	struct user *user = user_begin_up(1);

	(void)state;
	for (uint32_t i = 0; i < 2; i++) {
		assert_true(vd_inject(user->device, 0, &header, frame, user_to_us(user, frame, 60), said[i]));
		vd_settle(user->device);
		assert_int_equal(user_counters(user).rx_faults, i + 1);
	}
	inject(user, user_to_us(user, frame, 60));
	assert_int_equal(user->received_count, 1);
	assert_int_equal(user->gone, 0);
	user_end(user);
}

/* A device shows a frame as a whole (virtio 1.2, 5.1.6.4): what it has not got now never comes. */
static void a_part_is_missing(void **state)
{
	static const struct virtio_net_header header;
	struct user *user = user_begin_up(1);

	(void)state;
	assert_true(vd_inject(user->device, 0, &header, frame, user_to_us(user, frame, 60), 2));
	vd_settle(user->device);
	assert_int_equal(user->received_count, 0);
	assert_int_equal(user->gone, 1);
	assert_int_equal(user_send(user, 0, 60), HVK_TX_GONE);
	assert_true(vd_inject_plain(user->device, 0, frame, 60));
	vd_settle(user->device);
	assert_int_equal(user->received_count, 0);
	user_end(user);
}

/* More in its buffers than any frame: nothing beyond the copy is written. */
static void more_than_a_frame_can_be(void **state)
{
	static const struct virtio_net_header header = {.segmentation = VIRTIO_NET_SEGMENTATION_TCP4};
	struct user *user = user_begin(1);

	(void)state;
	user->config.offloads |= HVK_NETDEV_LRO;
	user_up(user);
	assert_true(vd_inject(user->device, 0, &header, frame, user_to_us(user, frame, 65535 + 19), 0));
	vd_settle(user->device);
	assert_int_equal(user->received_count, 0);
	assert_int_equal(user_counters(user).rx_faults, 1);
	assert_true(vd_inject(user->device, 0, &header, frame, user_to_us(user, frame, 65535 + 18), 0));
	vd_settle(user->device);
	assert_int_equal(user->received_count, 1);
	user_end(user);
}

/* --- Checksums and joined frames ------------------------------------------------------------------ */

static uint32_t build_tcp(struct user *user, uint32_t payload, bool ipv6)
{
	uint32_t ip = ipv6 ? 40 : 20, length = 14 + ip + 20 + payload;
	uint16_t sum;

	(void)user_to_us(user, frame, length);
	memset(frame + 12, 0, 2 + ip + 20);
	frame[12] = ipv6 ? 0x86 : 8;
	frame[13] = ipv6 ? 0xdd : 0;
	frame[14] = ipv6 ? 0x60 : 0x45;
	frame[ipv6 ? 20 : 23] = 6;
	frame[ipv6 ? 22 : 26] = 10;
	sum = hvk_checksum_pseudo(frame + (ipv6 ? 22 : 26), ipv6 ? 32 : 8, 6, 20 + payload);
	memcpy(frame + 14 + ip + 16, &sum, 2); /* not filled in */
	return length;
}

static bool is_filled_in(const struct user *user, bool ipv6)
{
	uint32_t ip = ipv6 ? 40 : 20, length = user->received.length;
	uint32_t sum = hvk_checksum_pseudo(user->bytes + (ipv6 ? 22 : 26), ipv6 ? 32 : 8, 6,
					   length - 14 - ip);

	return hvk_checksum_fold(sum + hvk_checksum_sum(user->bytes + 14 + ip, length - 14 - ip)) == 0xffff;
}

static void what_the_device_says_of_checksums(void **state)
{
	(void)state;
	for (uint32_t i = 0; i < 4; i++) {
		bool ipv6 = i & 1, enabled = i & 2;
		struct virtio_net_header header = {.flags = VIRTIO_NET_HEADER_CHECKSUM_VALID};
		struct user *user = user_begin(1);

		user->config.offloads = enabled ? HVK_NETDEV_RX_TCP4 | HVK_NETDEV_RX_TCP6 : 0;
		user_up(user);
		assert_true(vd_inject(user->device, 0, &header, frame, build_tcp(user, 300, ipv6), 0));
		vd_settle(user->device);
		assert_int_equal(user->received.flags, enabled ? HVK_RX_TCP_GOOD : 0);
		/* It never was on a wire: whoever is not told that it is right finds it right. */
		header.flags = VIRTIO_NET_HEADER_NEEDS_CHECKSUM;
		header.checksum_start = ipv6 ? 54 : 34;
		header.checksum_offset = 16;
		assert_true(vd_inject(user->device, 0, &header, frame, build_tcp(user, 301, ipv6), 0));
		vd_settle(user->device);
		assert_int_equal(user->received_count, 2);
		assert_int_equal(user->received.flags, enabled ? HVK_RX_TCP_GOOD : 0);
		assert_true(enabled || is_filled_in(user, ipv6));
		assert_int_equal(user_counters(user).rx_checksum_good, enabled ? 2 : 0);
		user_end(user);
	}
}

static void a_checksum_outside_the_frame(void **state)
{
	static const uint16_t places[][2] = {{34, 5000}, {5000, 16}, {0, 16}, {65535, 65535}, {340, 13}};
	struct user *user = user_begin(1);

	(void)state;
	user->config.offloads = 0;
	user_up(user);
	for (uint32_t i = 0; i < 5; i++) {
		struct virtio_net_header header = {.flags = VIRTIO_NET_HEADER_NEEDS_CHECKSUM,
						   .checksum_start = places[i][0],
						   .checksum_offset = places[i][1]};

		assert_true(vd_inject(user->device, 0, &header, frame, build_tcp(user, 300, false), 0));
		vd_settle(user->device);
		assert_int_equal(user_counters(user).rx_faults, i + 1);
	}
	assert_int_equal(user->received_count, 0);
	user_end(user);
}

static void without_agreement_nothing_is_believed(void **state)
{
	struct virtio_net_header header = {.flags = VIRTIO_NET_HEADER_CHECKSUM_VALID};
	struct user *user = user_begin(1);

	(void)state;
	user->device->features &= ~VIRTIO_NET_F_GUEST_CSUM;
	user_up(user);
	assert_true(vd_inject(user->device, 0, &header, frame, build_tcp(user, 300, false), 0));
	vd_settle(user->device);
	assert_int_equal(user->received_count, 1);
	assert_int_equal(user->received.flags, 0);
	header.segmentation = VIRTIO_NET_SEGMENTATION_TCP4;
	header.segment_size = 100;
	assert_true(vd_inject(user->device, 0, &header, frame, build_tcp(user, 300, false), 0));
	vd_settle(user->device);
	assert_int_equal(user->received_count, 1);
	assert_int_equal(user_counters(user).rx_faults, 1);
	user_end(user);
}

static void joined(void **state)
{
	static const struct {
		uint16_t headers, size;
		uint32_t payload, at_least;
	} rows[] = {{54, 1000, 20000, 20}, {54, 1000, 20001, 21},    {0, 1000, 20080, 20},
		    {54, 0, 20000, 2},     {65535, 1000, 20080, 20}, {54, 60000, 20000, 2}};
	struct user *user = user_begin(1);

	(void)state;
	user->config.offloads |= HVK_NETDEV_LRO;
	user_up(user);
	for (uint32_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct virtio_net_header header = {.flags = VIRTIO_NET_HEADER_CHECKSUM_VALID,
						   .segmentation = VIRTIO_NET_SEGMENTATION_TCP4,
						   .header_length = rows[i].headers,
						   .segment_size = rows[i].size};
		uint32_t length = build_tcp(user, rows[i].payload, false);

		assert_true(vd_inject(user->device, 0, &header, frame, length, 0));
		vd_settle(user->device);
		assert_int_equal(user->received_count, i + 1);
		assert_int_equal(user->received.flags, HVK_RX_JOINED | HVK_RX_TCP_GOOD);
		assert_int_equal(user->received.segments, rows[i].at_least);
		assert_memory_equal(user->bytes, frame, length);
	}
	assert_int_equal(user_counters(user).rx_joined, 6);
	user_end(user);
}

/* A stack that has not asked for joined frames has no room for them, whatever the device joins. */
static void joined_though_nobody_asked(void **state)
{
	struct virtio_net_header header = {.flags = VIRTIO_NET_HEADER_CHECKSUM_VALID,
					   .segmentation = VIRTIO_NET_SEGMENTATION_TCP4,
					   .header_length = 54,
					   .segment_size = 500};
	struct user *user = user_begin_up(1);

	(void)state;
	assert_int_equal(user->netdev->info.enabled & HVK_NETDEV_LRO, 0);
	assert_int_equal(user->netdev->info.capabilities & HVK_NETDEV_LRO, HVK_NETDEV_LRO);
	assert_true(vd_inject(user->device, 0, &header, frame, build_tcp(user, 20000, false), 0));
	vd_settle(user->device);
	assert_int_equal(user->received_count, 0);
	assert_int_equal(user_counters(user).rx_too_long, 1);
	/* Two that are no longer together than one may be are one. */
	assert_true(vd_inject(user->device, 0, &header, frame, build_tcp(user, 1000, false), 0));
	vd_settle(user->device);
	assert_int_equal(user->received_count, 1);
	assert_int_equal(user->received.flags, HVK_RX_TCP_GOOD);
	assert_int_equal(user->received.segments, 1);
	user_end(user);
}

/* --- Queues ------------------------------------------------------------------------------------------ */

static void each_pair_on_its_cpu(void **state)
{
	struct user *user = user_begin(4);

	(void)state;
	user->config.queues = 4;
	user_up(user);
	assert_int_equal(user->device->pairs, 4);
	for (uint32_t pair = 0; pair < 4; pair++) {
		assert_int_equal(user->device->interrupts[1 + pair].cpu, pair);
		for (uint32_t i = 0; i <= pair; i++)
			assert_true(vd_inject_plain(user->device, pair, frame, user_to_us(user, frame, 60)));
	}
	vd_settle(user->device);
	for (uint32_t pair = 0; pair < 4; pair++)
		assert_int_equal(user->queue_counts[pair], pair + 1);
	user_end(user);
}

/* One CPU's flood does not keep it from anything else. */
static void a_flood_ends_a_poll(void **state)
{
	struct user *user = user_begin_up(1);

	(void)state;
	for (uint32_t i = 0; i < 200; i++)
		assert_true(vd_inject_plain(user->device, 0, frame, user_to_us(user, frame, 60)));
	for (uint32_t i = 0; i < 200; i += 64) {
		uint32_t before = user->received_count;

		while (user->received_count == before)
			(void)hvk_poll(user->device->hvk, 0);
		assert_in_range(user->received_count - before, 1, 64);
	}
	assert_int_equal(user->received_count, 200);
	user_end(user);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_frame),
		cmocka_unit_test(more_than_an_index_counts),
		cmocka_unit_test(interrupts_are_few),
		cmocka_unit_test(no_interrupt_while_polling),
		cmocka_unit_test(polled_without_interrupts),
		cmocka_unit_test(it_is_a_private_copy),
		cmocka_unit_test(only_those_that_are_wanted),
		cmocka_unit_test(too_long_and_too_short),
		cmocka_unit_test(not_even_a_header),
		cmocka_unit_test(a_frame_in_several_buffers),
		cmocka_unit_test(a_number_of_buffers_that_cannot_be),
		cmocka_unit_test(a_part_is_missing),
		cmocka_unit_test(more_than_a_frame_can_be),
		cmocka_unit_test(what_the_device_says_of_checksums),
		cmocka_unit_test(a_checksum_outside_the_frame),
		cmocka_unit_test(without_agreement_nothing_is_believed),
		cmocka_unit_test(joined),
		cmocka_unit_test(joined_though_nobody_asked),
		cmocka_unit_test(each_pair_on_its_cpu),
		cmocka_unit_test(a_flood_ends_a_poll),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
