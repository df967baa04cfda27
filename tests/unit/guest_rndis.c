/* SPDX-License-Identifier: MIT */
/* The RNDIS codec against bytes typed from the facts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "guest/netvsc/rndis.h"
#include "tests/golden/ndis.h"
#include "tests/golden/nvs_rndis.h"

#ifdef HVK_SWITCH_POINTS
void hvk_switch_point(void)
{
}
#endif

static void put(uint8_t *bytes, uint32_t word)
{
	memcpy(bytes, &word, 4);
}

static void check(const struct hvk_rndis_message *message, const void *bytes, uint32_t length)
{
	assert_int_equal(message->length, length);
	assert_memory_equal(message->words, bytes, length);
}

static void builders(void **state)
{
	static const uint8_t initialize[24] = {2, 0, 0, 0, 24, 0, 0, 0, 7, 0,    0, 0,
					       1, 0, 0, 0, 0,  0, 0, 0, 0, 0x40, 0, 0};
	static const uint8_t halt[12] = {3, 0, 0, 0, 12, 0, 0, 0, 8};
	static const uint8_t query[28] = {4, 0, 0, 0, 28, 0, 0, 0, 9, 0, 0, 0, 1, 1, 1, 1, 0, 0, 0, 0, 20};
	static const uint8_t set[32] = {5, 0, 0, 0, 32, 0, 0, 0, 10, 0, 0, 0, 0x0e, 1, 1, 0,
					4, 0, 0, 0, 20, 0, 0, 0, 0,  0, 0, 0, 9,    0, 0, 0};
	static const uint8_t keepalive[16] = {8, 0, 0, 0x80, 16, 0, 0, 0, 0x44, 0x33, 0x22, 0x11};
	struct hvk_rndis_message message;

	(void)state;
	hvk_rndis_build_initialize(&message, 7);
	check(&message, initialize, 24);
	hvk_rndis_build_halt(&message, 8);
	check(&message, halt, 12);
	hvk_rndis_build_query(&message, 9, 0x01010101);
	check(&message, query, 28);
	hvk_rndis_build_set(&message, 10, 0x0001010e, 9);
	check(&message, set, 32);
	hvk_rndis_build_keepalive_complete(&message, 0x11223344);
	check(&message, keepalive, 16);
}

static void packet_header(void **state)
{
	static const uint8_t bytes[44] = {1, 0, 0, 0, 0x68, 0, 0, 0, 36, 0, 0, 0, 60};
	struct rndis_packet packet;

	(void)state;
	hvk_rndis_build_packet(&packet, 60);
	assert_memory_equal(&packet, bytes, 44);
}

/* A PACKET of 200 bytes with its frame at 100 and 28 bytes of information at 44: one
 * entry of 12 + 4, one of 12. */
static struct hvk_shared make_packet(uint8_t bytes[200])
{
	memset(bytes, 0, 200);
	put(bytes, 1);
	put(bytes + 4, 200);
	put(bytes + 8, 92);
	put(bytes + 12, 100);
	put(bytes + 28, 36);
	put(bytes + 32, 28);
	put(bytes + 44, 16);
	put(bytes + 48, 0); /* checksum */
	put(bytes + 52, 12);
	put(bytes + 60, 12);
	put(bytes + 64, 11);
	put(bytes + 68, 12);
	return (struct hvk_shared){bytes, 200};
}

static hvk_status parse_with(uint32_t at, uint32_t value)
{
	uint8_t bytes[200];
	struct hvk_shared range = make_packet(bytes);
	struct hvk_rndis_frame frame;

	put(bytes + at, value);
	return hvk_rndis_parse_packet(&range, &frame);
}

static void packet_is_found(void **state)
{
	uint8_t bytes[200];
	struct hvk_shared range = make_packet(bytes);
	struct hvk_rndis_frame frame;

	(void)state;
	assert_int_equal(hvk_rndis_parse_packet(&range, &frame), HVK_OK);
	assert_int_equal(frame.offset, 100);
	assert_int_equal(frame.length, 100);
	assert_int_equal(frame.has, HVK_RNDIS_HAS_CHECKSUM);
	assert_int_equal(frame.checksum, 0);
}

static void header_length_is_read_by_nobody(void **state)
{
	static const uint32_t lengths[] = {0, 4, 8, 43, 199, 201, 0x7fffffff, 0xffffffff};

	(void)state;
	for (unsigned i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++)
		assert_int_equal(parse_with(4, lengths[i]), HVK_OK);
}

static void packet_outside_its_range(void **state)
{
	(void)state;
	assert_int_equal(parse_with(8, 93), HVK_EHOST_RNDIS); /* one too far */
	assert_int_equal(parse_with(12, 101), HVK_EHOST_RNDIS);
	assert_int_equal(parse_with(8, 35), HVK_EHOST_RNDIS); /* in the header */
	assert_int_equal(parse_with(8, 0), HVK_EHOST_RNDIS);
	assert_int_equal(parse_with(8, 0xffffffff), HVK_EHOST_RNDIS);
	assert_int_equal(parse_with(8, 0xfffffff8), HVK_EHOST_RNDIS); /* 0 with the base */
	assert_int_equal(parse_with(12, 0xffffffff), HVK_EHOST_RNDIS);
	assert_int_equal(parse_with(12, 13), HVK_EHOST_RNDIS); /* no Ethernet header */
	assert_int_equal(parse_with(12, 14), HVK_OK);
}

static void information_outside_its_range(void **state)
{
	(void)state;
	assert_int_equal(parse_with(28, 35), HVK_EHOST_RNDIS);
	assert_int_equal(parse_with(28, 165), HVK_EHOST_RNDIS);
	assert_int_equal(parse_with(28, 0xfffffff8), HVK_EHOST_RNDIS);
	assert_int_equal(parse_with(32, 157), HVK_EHOST_RNDIS);
	assert_int_equal(parse_with(32, 0xffffffff), HVK_EHOST_RNDIS);
	assert_int_equal(parse_with(32, 27), HVK_EHOST_RNDIS); /* the second entry is cut */
	assert_int_equal(parse_with(32, 16), HVK_OK);
	assert_int_equal(parse_with(32, 0), HVK_OK);
}

static void information_entries_that_cannot_be(void **state)
{
	(void)state;
	assert_int_equal(parse_with(44, 0), HVK_EHOST_RNDIS); /* would never end */
	assert_int_equal(parse_with(44, 8), HVK_EHOST_RNDIS);
	assert_int_equal(parse_with(44, 17), HVK_EHOST_RNDIS);
	assert_int_equal(parse_with(44, 32), HVK_EHOST_RNDIS);
	assert_int_equal(parse_with(44, 0xfffffffc), HVK_EHOST_RNDIS);
	assert_int_equal(parse_with(60, 0), HVK_EHOST_RNDIS);
	assert_int_equal(parse_with(52, 8), HVK_EHOST_RNDIS);
	assert_int_equal(parse_with(52, 20), HVK_EHOST_RNDIS);
}

static void information_walk_is_bounded(void **state)
{
	uint8_t bytes[44 + 12 * 70 + 14] = {0};
	struct hvk_shared range = {bytes, sizeof(bytes)};
	struct hvk_rndis_frame frame;

	(void)state;
	put(bytes, 1);
	put(bytes + 8, 36 + 12 * 70);
	put(bytes + 12, 14);
	put(bytes + 28, 36);
	for (uint32_t i = 0; i < 70; i++) {
		put(bytes + 44 + 12 * i, 12);
		put(bytes + 48 + 12 * i, 11);
		put(bytes + 52 + 12 * i, 12);
	}
	put(bytes + 32, 12 * HVK_RNDIS_INFO_ENTRIES_MAX);
	assert_int_equal(hvk_rndis_parse_packet(&range, &frame), HVK_OK);
	put(bytes + 32, 12 * (HVK_RNDIS_INFO_ENTRIES_MAX + 1));
	assert_int_equal(hvk_rndis_parse_packet(&range, &frame), HVK_EHOST_RNDIS);
}

static void vlan_tag(void **state)
{
	uint8_t bytes[200];
	struct hvk_shared range = make_packet(bytes);
	struct hvk_rndis_frame frame;

	(void)state;
	put(bytes + 48, 6);
	put(bytes + 56, 0x0abc << 4 | 8 | 5);
	assert_int_equal(hvk_rndis_parse_packet(&range, &frame), HVK_OK);
	assert_int_equal(frame.has, HVK_RNDIS_HAS_VLAN);
	assert_int_equal(frame.vlan_tag, 5 << 13 | 1 << 12 | 0xabc);
	put(bytes + 52, 16); /* no room for the tag behind it */
	assert_int_equal(hvk_rndis_parse_packet(&range, &frame), HVK_EHOST_RNDIS);
}

static void information_of_a_received_frame(void **state)
{
	uint8_t bytes[270] = {0};
	struct hvk_shared range = {bytes, sizeof(bytes)};
	struct hvk_rndis_frame frame;

	(void)state;
	memcpy(bytes, golden_rndis_packet_rx, sizeof(golden_rndis_packet_rx));
	assert_int_equal(hvk_rndis_parse_packet(&range, &frame), HVK_OK);
	assert_int_equal(frame.offset, 256);
	assert_int_equal(frame.length, 14);
	assert_int_equal(frame.has, HVK_RNDIS_HAS_CHECKSUM | HVK_RNDIS_HAS_VLAN | HVK_RNDIS_HAS_HASH |
					    HVK_RNDIS_HAS_PART);
	assert_int_equal(frame.checksum, RNDIS_CHECKSUM_RX_TCP_GOOD | RNDIS_CHECKSUM_RX_IP_GOOD);
	assert_int_equal(frame.vlan_tag, 5 << 13 | 1 << 12 | 0xabc);
	assert_int_equal(frame.hash, 0x51ccc178);
	assert_int_equal(frame.hash_type, 0x201);
	assert_int_equal(frame.part, RNDIS_PACKET_ID_SUBALLOCATION | RNDIS_PACKET_ID_FIRST);
	assert_int_equal(frame.packet_id, 7);
	put(bytes + 48, 0x80000000); /* internal types are not the public ones */
	assert_int_equal(hvk_rndis_parse_packet(&range, &frame), HVK_OK);
	assert_false(frame.has & HVK_RNDIS_HAS_CHECKSUM);
}

/* The data may lie further back in their entry. */
static void information_behind_a_gap(void **state)
{
	uint8_t bytes[200];
	struct hvk_shared range = make_packet(bytes);
	struct hvk_rndis_frame frame;

	(void)state;
	put(bytes + 32, 24);
	put(bytes + 44, 24);
	put(bytes + 52, 20);
	put(bytes + 56, 0xdeadbeef); /* the gap */
	put(bytes + 64, 0x28);
	assert_int_equal(hvk_rndis_parse_packet(&range, &frame), HVK_OK);
	assert_int_equal(frame.checksum, 0x28);
	put(bytes + 52, 21); /* one byte short */
	assert_int_equal(hvk_rndis_parse_packet(&range, &frame), HVK_EHOST_RNDIS);
	put(bytes + 48, 11); /* nothing to us */
	assert_int_equal(hvk_rndis_parse_packet(&range, &frame), HVK_OK);
}

static void prefixes(void **state)
{
	const struct hvk_rndis_tx_info lso = {
		.has = HVK_RNDIS_HAS_LSO | HVK_RNDIS_HAS_CHECKSUM | HVK_RNDIS_HAS_VLAN | HVK_RNDIS_HAS_HASH,
		.lso = 1448 | 54u << RNDIS_LSO_OFFSET_SHIFT | RNDIS_LSO_V2 | RNDIS_LSO_IPV6,
		.vlan_tag = 5 << 13 | 1 << 12 | 0xabc,
		.hash = 0x51ccc178,
	};
	const struct hvk_rndis_tx_info checksum = {
		.has = HVK_RNDIS_HAS_CHECKSUM,
		.checksum = RNDIS_CHECKSUM_TX_IPV4 | RNDIS_CHECKSUM_TX_TCP | RNDIS_CHECKSUM_TX_IP_HEADER |
			    34u << RNDIS_CHECKSUM_TX_OFFSET_SHIFT,
	};
	struct hvk_rndis_prefix prefix;

	(void)state;
	memset(&prefix, 0xff, sizeof(prefix));
	assert_int_equal(hvk_rndis_build_prefix(&prefix, 4096, &lso), 92);
	assert_memory_equal(prefix.words, golden_rndis_packet_tx_lso, 92);
	assert_int_equal(hvk_rndis_build_prefix(&prefix, 60, &checksum), 60);
	assert_memory_equal(prefix.words, golden_rndis_packet_tx_checksum, 60);
	assert_int_equal(hvk_rndis_build_prefix(&prefix, 60, NULL), 44);
	assert_memory_equal(prefix.words, golden_rndis_packet, 44);
}

static void answers(void **state)
{
	uint8_t bytes[16] = {5, 0, 0, 0x80, 0, 0, 0, 0, 0x44, 0x33, 0x22, 0x11, 0xbb, 0, 0, 0xc0};
	struct hvk_shared range = {bytes, 16};
	struct hvk_rndis_answer answer;
	uint32_t type;

	(void)state;
	assert_int_equal(hvk_rndis_parse_type(&range, &type), HVK_OK);
	assert_int_equal(type, 0x80000005);
	assert_int_equal(hvk_rndis_parse_answer(&range, &answer), HVK_OK);
	assert_int_equal(answer.request_id, 0x11223344);
	assert_int_equal(answer.status, 0xc00000bb);
	range.size = 15;
	assert_int_equal(hvk_rndis_parse_answer(&range, &answer), HVK_EHOST_RNDIS);
	range.size = 7;
	assert_int_equal(hvk_rndis_parse_type(&range, &type), HVK_EHOST_RNDIS);
	range.size = 0;
	assert_int_equal(hvk_rndis_parse_type(&range, &type), HVK_EHOST_RNDIS);
}

static void initialize_complete(void **state)
{
	uint8_t bytes[52] = {2, 0, 0, 0x80, 52, 0, 0, 0, 1};
	struct hvk_shared range = {bytes, 52};
	struct hvk_rndis_device device;

	(void)state;
	put(bytes + 16, 1);
	put(bytes + 32, 8);
	put(bytes + 36, 0xefffffff);
	put(bytes + 40, 3);
	assert_int_equal(hvk_rndis_parse_initialize(&range, &device), HVK_OK);
	assert_int_equal(device.max_packets, 8);
	assert_int_equal(device.max_transfer_size, 0xefffffff);
	assert_int_equal(device.alignment_factor, 3);
	range.size = 44; /* reserved words cut: FreeBSD takes it too */
	assert_int_equal(hvk_rndis_parse_initialize(&range, &device), HVK_OK);
	range.size = 43;
	assert_int_equal(hvk_rndis_parse_initialize(&range, &device), HVK_EHOST_RNDIS);
	range.size = 52;
	put(bytes + 28, 1); /* not Ethernet */
	assert_int_equal(hvk_rndis_parse_initialize(&range, &device), HVK_EHOST_VALUE);
	put(bytes + 28, 0);
	put(bytes + 16, 2);
	assert_int_equal(hvk_rndis_parse_initialize(&range, &device), HVK_EHOST_VALUE);
}

static void query_complete(void **state)
{
	uint8_t bytes[30] = {4, 0, 0, 0x80, 30, 0,  0, 0, 1, 0, 0,    0,    0, 0, 0,
			     0, 6, 0, 0,    0,  16, 0, 0, 0, 0, 0x15, 0x5d, 1, 2, 3};
	struct hvk_shared range = {bytes, 30};
	uint8_t info[HVK_RNDIS_INFO_MAX];
	uint32_t length;

	(void)state;
	assert_int_equal(hvk_rndis_parse_query(&range, info, &length), HVK_OK);
	assert_int_equal(length, 6);
	assert_memory_equal(info, bytes + 24, 6);
	put(bytes + 20, 17);
	assert_int_equal(hvk_rndis_parse_query(&range, info, &length), HVK_EHOST_RNDIS);
	put(bytes + 20, 15);
	assert_int_equal(hvk_rndis_parse_query(&range, info, &length), HVK_EHOST_RNDIS);
	put(bytes + 20, 0xfffffff8);
	assert_int_equal(hvk_rndis_parse_query(&range, info, &length), HVK_EHOST_RNDIS);
	put(bytes + 20, 16);
	put(bytes + 16, 7);
	assert_int_equal(hvk_rndis_parse_query(&range, info, &length), HVK_EHOST_RNDIS);
	put(bytes + 16, 17); /* more than there is room for */
	assert_int_equal(hvk_rndis_parse_query(&range, info, &length), HVK_EHOST_RNDIS);
	put(bytes + 16, 0);
	put(bytes + 20, 0xffffffff); /* names nothing, so it may be anywhere */
	assert_int_equal(hvk_rndis_parse_query(&range, info, &length), HVK_OK);
	assert_int_equal(length, 0);
	range.size = 23;
	assert_int_equal(hvk_rndis_parse_query(&range, info, &length), HVK_EHOST_RNDIS);
}

static void status_needs_its_status_alone(void **state)
{
	uint8_t bytes[12] = {7, 0, 0, 0, 0, 0, 0, 0, 6, 0, 2, 0x40};
	struct hvk_shared range = {bytes, 12};
	uint32_t status;

	(void)state;
	assert_int_equal(hvk_rndis_parse_status(&range, &status), HVK_OK);
	assert_int_equal(status, 0x40020006);
	range.size = 11;
	assert_int_equal(hvk_rndis_parse_status(&range, &status), HVK_EHOST_RNDIS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(builders),
		cmocka_unit_test(packet_header),
		cmocka_unit_test(packet_is_found),
		cmocka_unit_test(header_length_is_read_by_nobody),
		cmocka_unit_test(packet_outside_its_range),
		cmocka_unit_test(information_outside_its_range),
		cmocka_unit_test(information_entries_that_cannot_be),
		cmocka_unit_test(information_walk_is_bounded),
		cmocka_unit_test(vlan_tag),
		cmocka_unit_test(information_of_a_received_frame),
		cmocka_unit_test(information_behind_a_gap),
		cmocka_unit_test(prefixes),
		cmocka_unit_test(answers),
		cmocka_unit_test(initialize_complete),
		cmocka_unit_test(query_complete),
		cmocka_unit_test(status_needs_its_status_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
