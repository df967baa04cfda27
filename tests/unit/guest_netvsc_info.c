/* SPDX-License-Identifier: MIT */
/* What the host says of a received frame, and frames that come in parts. */
#include "tests/unit/guest_netvsc_fake.h"

static const struct hvk_netvsc_config defaults = {.offloads = HVK_NETDEV_LRO};

static struct {
	struct hvk_rx_frame frame; /* the last */
	uint8_t bytes[70000];
	uint32_t count, bursts;
} seen;

static void input(void *context, struct hvk_netdev *netdev, const struct hvk_rx_frame *frame)
{
	(void)context;
	(void)netdev;
	seen.frame = *frame;
	memcpy(seen.bytes, frame->data, frame->length);
	seen.count++;
}

static void burst_end(void *context, struct hvk_netdev *netdev, uint32_t queue)
{
	(void)context;
	(void)netdev;
	assert_int_equal(queue, 0);
	assert_true(seen.count > 0);
	seen.bursts++;
}

static void up_with(const struct hvk_netvsc_config *config, uint32_t enabled)
{
	memset(&seen, 0, sizeof(seen));
	fake_create(config);
	bench.netdev->hooks.input = input;
	bench.netdev->hooks.burst_end = burst_end;
	assert_int_equal(fake_attach(), HVK_OK);
	assert_int_equal(fake_set_flags(HVK_NETDEV_UP), HVK_OK);
	bench.channel.sent_count = bench.answered = 0;
	bench.netdev->info.enabled = enabled;
}

static void up(uint32_t enabled)
{
	up_with(&defaults, enabled);
}

static struct hvk_netdev_counters counters(void)
{
	struct hvk_netdev_counters now;

	hvk_netdev_get_counters(bench.netdev, &now);
	return now;
}

/* A PACKET with count pairs {type, data} of information; the frame's bytes from seed on. */
static void receive(const uint32_t (*info)[2], uint32_t count, uint32_t length, uint8_t seed)
{
	static uint8_t message[2000];

	memset(message, 0, 44);
	fake_put(message, 1);
	fake_put(message + 8, 36 + 16 * count);
	fake_put(message + 12, length);
	fake_put(message + 28, 36);
	fake_put(message + 32, 16 * count);
	for (uint32_t i = 0; i < count; i++) {
		fake_put(message + 44 + 16 * i, 16);
		fake_put(message + 48 + 16 * i, info[i][0]);
		fake_put(message + 52 + 16 * i, 12);
		fake_put(message + 56 + 16 * i, info[i][1]);
	}
	for (uint32_t i = 0; i < length; i++)
		message[44 + 16 * count + i] = (uint8_t)(seed + i);
	fake_message(message, 44 + 16 * count + length, 44 + 16 * count + length);
}

static void receive_now(const uint32_t (*info)[2], uint32_t count, uint32_t length)
{
	receive(info, count, length, 0x10);
	fake_run();
}

static void checksums(void **state)
{
	static const struct {
		uint32_t word, flags, good, bad;
	} cases[] = {
		{0x08 | 0x20, HVK_RX_TCP_GOOD | HVK_RX_IPV4_GOOD, 1, 0},
		{0x10, HVK_RX_UDP_GOOD, 1, 0},
		{0x01 | 0x20, HVK_RX_TCP_BAD | HVK_RX_IPV4_GOOD, 1, 1},
		{0x02, HVK_RX_UDP_BAD, 0, 1},
		{0x04, HVK_RX_IPV4_BAD, 0, 1},
		{0, 0, 0, 0},
		{0x1c0, 0, 0, 0}, /* loopback, fields not filled in: no word of being right */
	};

	(void)state;
	for (uint32_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const uint32_t info[1][2] = {{0, cases[i].word}};

		up(HVK_NETDEV_RX_CHECKSUMS);
		receive_now(info, 1, 60);
		assert_int_equal(seen.count, 1);
		assert_int_equal(seen.frame.flags, cases[i].flags);
		assert_int_equal(counters().rx_checksum_good, cases[i].good);
		assert_int_equal(counters().rx_checksum_bad, cases[i].bad);
		assert_int_equal(seen.bursts, 1);
		fake_down();
	}
}

static void both_at_once_is_neither(void **state)
{
	const uint32_t info[1][2] = {{0, 0x3f}};

	(void)state;
	up(HVK_NETDEV_RX_CHECKSUMS);
	receive_now(info, 1, 60);
	assert_int_equal(seen.count, 1);
	assert_int_equal(seen.frame.flags, 0);
	assert_int_equal(counters().rx_checksum_good, 0);
	assert_int_equal(counters().rx_checksum_bad, 0);
	fake_down();
}

static void only_what_is_enabled(void **state)
{
	const uint32_t info[1][2] = {{0, 0x08 | 0x10 | 0x20}};

	(void)state;
	up(0);
	receive_now(info, 1, 60);
	assert_int_equal(seen.frame.flags, 0);
	bench.netdev->info.enabled = HVK_NETDEV_RX_TCP6;
	receive_now(info, 1, 60);
	assert_int_equal(seen.frame.flags, HVK_RX_TCP_GOOD);
	bench.netdev->info.enabled = HVK_NETDEV_RX_UDP4;
	receive_now(info, 1, 60);
	assert_int_equal(seen.frame.flags, HVK_RX_UDP_GOOD);
	bench.netdev->info.enabled = HVK_NETDEV_RX_IPV4;
	receive_now(info, 1, 60);
	assert_int_equal(seen.frame.flags, HVK_RX_IPV4_GOOD);
	fake_down();
}

static void tags(void **state)
{
	const uint32_t info[1][2] = {{6, 3 | 8 | 0x456 << 4}};

	(void)state;
	up(HVK_NETDEV_RX_VLAN);
	receive_now(info, 1, 60);
	assert_int_equal(seen.frame.flags, HVK_RX_VLAN);
	assert_int_equal(seen.frame.vlan_tag, 3 << 13 | 1 << 12 | 0x456);
	assert_int_equal(seen.frame.length, 60);
	bench.netdev->info.enabled = 0;
	receive_now(info, 1, 60);
	assert_int_equal(seen.frame.flags, 0);
	assert_int_equal(seen.frame.length, 64);
	assert_int_equal(seen.bytes[11], 0x10 + 11);
	assert_int_equal(seen.bytes[12], 0x81);
	assert_int_equal(seen.bytes[13], 0);
	assert_int_equal(seen.bytes[14], 3 << 5 | 1 << 4 | 4);
	assert_int_equal(seen.bytes[15], 0x56);
	assert_int_equal(seen.bytes[16], 0x10 + 12);
	assert_int_equal(seen.bytes[63], (uint8_t)(0x10 + 59));
	assert_int_equal(counters().rx_tagged, 2);
	fake_down();
}

/* As long as the MTU allows, tag or not. */
static void too_long(void **state)
{
	static const struct hvk_netvsc_config plain = {0};
	const uint32_t info[1][2] = {{6, 3 | 8 | 0x456 << 4}};

	(void)state;
	up_with(&plain, 0);
	receive_now(info, 1, 1514);
	assert_int_equal(seen.frame.length, 1518);
	receive_now(info, 1, 1515);
	assert_int_equal(counters().rx_too_long, 1);
	receive_now(NULL, 0, 1518);
	assert_int_equal(seen.count, 2);
	receive_now(NULL, 0, 1519);
	assert_int_equal(counters().rx_too_long, 2);
	assert_int_equal(counters().rx_dropped, 2);
	fake_down();
}

static void hashes(void **state)
{
	const uint32_t info[2][2] = {{8, 0xcafe1234}, {9, 0x201}}, nothing[2][2] = {{8, 1}, {9, 1}};

	(void)state;
	up(HVK_NETDEV_RSS);
	receive_now(info, 2, 60);
	assert_int_equal(seen.frame.flags, HVK_RX_HASH);
	assert_int_equal(seen.frame.hash, 0xcafe1234);
	assert_int_equal(seen.frame.hash_type, HVK_RSS_TCP4);
	receive_now(nothing, 2, 60); /* of what, it does not say */
	assert_int_equal(seen.frame.flags, 0);
	receive_now(info, 1, 60);
	assert_int_equal(seen.frame.flags, 0);
	assert_int_equal(counters().rx_hashed, 1);
	fake_down();
}

static void other_groups(void **state)
{
	(void)state;
	up(0);
	receive(NULL, 0, 60, 0x11); /* to 11:12:13:14:15:16 */
	fake_run();
	assert_int_equal(seen.count, 0);
	assert_int_equal(seen.bursts, 0);
	assert_int_equal(counters().rx_other_group, 1);
	assert_int_equal(counters().rx_dropped, 1);
	assert_int_equal(fake_set_flags(HVK_NETDEV_UP | HVK_NETDEV_PROMISCUOUS), HVK_OK);
	receive(NULL, 0, 60, 0x11);
	fake_run();
	assert_int_equal(seen.count, 1);
	assert_int_equal(fake_set_flags(HVK_NETDEV_UP | HVK_NETDEV_ALL_MULTICAST), HVK_OK);
	receive(NULL, 0, 60, 0x11);
	fake_run();
	assert_int_equal(seen.count, 2);
	fake_down();
}

/* --- Parts ------------------------------------------------------------------------------- */

#define FIRST 2u
#define LAST 4u

/* Like the host: the first byte of the part counts on from seed. */
static void part(uint32_t flags, uint32_t id, uint32_t length, uint8_t seed)
{
	const uint32_t info[2][2] = {{0x80000001u, 1 | (1 | flags) << 8 | id << 16}, {0, 0x28}};

	receive(info, 2, length, seed);
}

static void joined(void **state)
{
	(void)state;
	up(HVK_NETDEV_RX_CHECKSUMS | HVK_NETDEV_LRO);
	part(FIRST, 7, 1000, 0x10);
	part(0, 7, 1000, (uint8_t)(0x10 + 1000));
	part(LAST, 7, 5, (uint8_t)(0x10 + 2000)); /* shorter than any frame */
	fake_run();
	assert_int_equal(seen.count, 1);
	assert_int_equal(seen.frame.length, 2005);
	assert_int_equal(seen.frame.flags, HVK_RX_JOINED | HVK_RX_TCP_GOOD | HVK_RX_IPV4_GOOD);
	assert_int_equal(seen.frame.segments, 3);
	assert_null(seen.frame.owner);
	for (uint32_t i = 0; i < 2005; i++)
		assert_int_equal(seen.bytes[i], (uint8_t)(0x10 + i));
	assert_int_equal(counters().rx_joined, 1);
	assert_int_equal(counters().rx_segments, 3);
	assert_int_equal(counters().rx_dropped, 0);
	/* All in one is a part that is whole. */
	part(FIRST | LAST, 8, 60, 0x10);
	fake_run();
	assert_int_equal(seen.count, 2);
	assert_int_equal(seen.frame.length, 60);
	assert_int_equal(bench.hvk.faults, 0);
	fake_down();
}

/* Longer than the MTU, and in one message: the host had room for it, and says nothing. Its checksum fields
 * are empty, and what is said of them counts, whatever was asked for. */
static void joined_in_one_message(void **state)
{
	const uint32_t info[1][2] = {{0, 0x08 | 0x20 | 1u << 7 | 1u << 8}};

	(void)state;
	up(HVK_NETDEV_LRO);
	receive_now(info, 1, 1600);
	assert_int_equal(seen.count, 1);
	assert_int_equal(seen.frame.length, 1600);
	assert_int_equal(seen.frame.flags, HVK_RX_JOINED | HVK_RX_TCP_GOOD | HVK_RX_IPV4_GOOD);
	for (uint32_t i = 0; i < 1600; i++)
		assert_int_equal(seen.bytes[i], (uint8_t)(0x10 + i));
	receive_now(info, 1, 1000); /* as one, that could be any frame */
	assert_int_equal(seen.frame.flags, HVK_RX_TCP_GOOD | HVK_RX_IPV4_GOOD);
	assert_int_equal(counters().rx_joined, 1);
	assert_int_equal(counters().rx_too_long, 0);
	assert_int_equal(bench.hvk.faults, 0);
	fake_down();
}

static void parts_that_miss_one(void **state)
{
	(void)state;
	up(HVK_NETDEV_LRO);
	part(0, 1, 100, 0x10); /* no first */
	part(LAST, 1, 100, 0x10);
	fake_run();
	assert_int_equal(counters().rx_incomplete, 1);
	part(FIRST, 2, 100, 0x10); /* no last: another begins */
	part(FIRST | LAST, 3, 100, 0x20);
	fake_run();
	assert_int_equal(seen.count, 1);
	assert_int_equal(seen.frame.length, 100);
	assert_int_equal(counters().rx_incomplete, 2);
	part(FIRST, 4, 100, 0x10); /* another's in between */
	part(LAST, 5, 100, 0x10);
	part(LAST, 4, 100, 0x10);
	fake_run();
	assert_int_equal(seen.count, 1);
	part(FIRST, 6, 100, 0x10); /* a whole frame in between */
	receive(NULL, 0, 60, 0x10);
	part(LAST, 6, 100, 0x10);
	fake_run();
	assert_int_equal(seen.count, 2);
	assert_int_equal(seen.frame.length, 60);
	assert_true(counters().rx_incomplete >= 4);
	assert_int_equal(counters().rx_incomplete, counters().rx_dropped);
	part(FIRST | LAST, 7, 13, 0x10); /* not even a header */
	fake_run();
	assert_int_equal(seen.count, 2);
	part(FIRST, 8, 100, 0x10); /* and all is well again */
	part(LAST, 8, 100, 0x10);
	fake_run();
	assert_int_equal(seen.count, 3);
	assert_int_equal(seen.frame.length, 200);
	fake_down();
}

static void too_many_parts(void **state)
{
	(void)state;
	up(HVK_NETDEV_LRO);
	for (uint32_t i = 0; i < 562; i++) { /* as many as there may be */
		part(i == 0 ? FIRST : i == 561 ? LAST : 0, 1, 20, 0x10);
		fake_run();
	}
	assert_int_equal(seen.count, 1);
	assert_int_equal(seen.frame.length, 562 * 20);
	for (uint32_t i = 0; i < 563; i++) {
		part(i == 0 ? FIRST : i == 562 ? LAST : 0, 2, 20, 0x10);
		fake_run();
	}
	assert_int_equal(seen.count, 1);
	assert_int_equal(counters().rx_incomplete, 1);
	/* 64 KiB and no more. */
	for (uint32_t i = 0; i < 48; i++) {
		part(i == 0 ? FIRST : i == 47 ? LAST : 0, 3, i == 47 ? 65549 - 47 * 1390 : 1390, 0x10);
		fake_run();
	}
	assert_int_equal(seen.count, 2);
	assert_int_equal(seen.frame.length, 65549);
	for (uint32_t i = 0; i < 48; i++) {
		part(i == 0 ? FIRST : i == 47 ? LAST : 0, 4, i == 47 ? 65550 - 47 * 1390 : 1390, 0x10);
		fake_run();
	}
	assert_int_equal(seen.count, 2);
	assert_int_equal(counters().rx_incomplete, 2);
	fake_down();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(checksums),
		cmocka_unit_test(both_at_once_is_neither),
		cmocka_unit_test(only_what_is_enabled),
		cmocka_unit_test(tags),
		cmocka_unit_test(too_long),
		cmocka_unit_test(hashes),
		cmocka_unit_test(other_groups),
		cmocka_unit_test(joined),
		cmocka_unit_test(joined_in_one_message),
		cmocka_unit_test(parts_that_miss_one),
		cmocka_unit_test(too_many_parts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
