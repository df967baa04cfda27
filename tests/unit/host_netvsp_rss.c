/* SPDX-License-Identifier: MIT */
/* Receive-side scaling: the published hashes, capabilities, and which parameters are right. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <arpa/inet.h>
#include <cmocka.h>

#include "host/netvsp/rss.h"
#include "host_netvsp_frames.h"

#define TYPES (NDIS_HASH_IPV4 | NDIS_HASH_TCP4 | NDIS_HASH_IPV6 | NDIS_HASH_TCP6)
#define QUEUES 8u
#define PARAMETERS_SIZE (40u + 40u + 4u * 16u)

/* "Verifying the RSS Hash Calculation", NDIS documentation. */
static const uint8_t published_key[NDIS_RSS_KEY_SIZE] = {
	0x6d, 0x5a, 0x56, 0xda, 0x25, 0x5b, 0x0e, 0xc2, 0x41, 0x67, 0x25, 0x3d, 0x43, 0xa3,
	0x8f, 0xb0, 0xd0, 0xca, 0x2b, 0xcb, 0xae, 0x7b, 0x30, 0xb4, 0x77, 0xcb, 0x2d, 0xa3,
	0x80, 0x30, 0xf2, 0x0c, 0x6a, 0x42, 0xb7, 0x3b, 0xbe, 0xac, 0x01, 0xfa};

static const struct {
	const char *source, *destination;
	uint16_t source_port, destination_port;
	uint32_t addresses, with_ports;
} published[] = {
	{"66.9.149.187", "161.142.100.80", 2794, 1766, 0x323e8fc2, 0x51ccc178},
	{"199.92.111.2", "65.69.140.83", 14230, 4739, 0xd718262a, 0xc626b0ea},
	{"24.19.198.95", "12.22.207.184", 12898, 38024, 0xd2d0a5de, 0x5c2b394a},
	{"38.27.205.30", "209.142.163.6", 48228, 2217, 0x82989176, 0xafc7327f},
	{"153.39.163.191", "202.188.127.2", 44251, 1303, 0x5d1809c5, 0x10e828a2},
	{"3ffe:2501:200:1fff::7", "3ffe:2501:200:3::1", 2794, 1766, 0x2cc18cd5, 0x40207d3d},
	{"3ffe:501:8::260:97ff:fe40:efab", "ff02::1", 14230, 4739, 0x0f0c461c, 0xdde51bbf},
	{"3ffe:1900:4545:3:200:f8ff:fe21:67cf", "fe80::200:f8ff:fe21:67cf", 44251, 38024, 0x4b61e985,
	 0x02d1feef},
};
#define PUBLISHED (sizeof published / sizeof published[0])

static uint32_t address(const char *text, uint8_t *to)
{
	if (inet_pton(AF_INET, text, to) == 1)
		return 4;
	assert_int_equal(inet_pton(AF_INET6, text, to), 1);
	return 16;
}

static void test_published_hashes(void **state)
{
	(void)state;
	for (size_t i = 0; i < PUBLISHED; i++) {
		uint8_t input[36];
		uint32_t length = address(published[i].source, input);

		length += address(published[i].destination, input + length);
		assert_int_equal(netvsp_toeplitz(published_key, input, length), published[i].addresses);
		netvsp_put16(input + length, published[i].source_port);
		netvsp_put16(input + length + 2, published[i].destination_port);
		assert_int_equal(netvsp_toeplitz(published_key, input, length + 4), published[i].with_ports);
	}
}

/* --- Of frames ----------------------------------------------------------------------------------- */

static struct netvsp_rss enabled(uint32_t types)
{
	struct netvsp_rss rss = {
		.enabled = true, .hash = NDIS_HASH_TOEPLITZ | types, .entries = 4, .table = {3, 1, 0, 2}};

	memcpy(rss.key, published_key, sizeof rss.key);
	return rss;
}

/* A frame of this protocol with the published addresses and ports; returns its length. */
static uint32_t published_frame(size_t index, uint8_t protocol, uint8_t *frame)
{
	uint8_t addresses[32];
	uint32_t each = address(published[index].source, addresses), transport = each == 4 ? 34 : 54;

	address(published[index].destination, addresses + each);
	memset(frame, 0, transport + 20);
	netvsp_put16(frame + 12, each == 4 ? ETHERTYPE_IPV4 : ETHERTYPE_IPV6);
	frame[14] = each == 4 ? 0x45 : 0x60;
	netvsp_put16(frame + (each == 4 ? 16 : 18), each == 4 ? 40 : 20);
	frame[each == 4 ? 23 : 20] = protocol;
	memcpy(frame + (each == 4 ? 26 : 22), addresses, 2 * each);
	netvsp_put16(frame + transport, published[index].source_port);
	netvsp_put16(frame + transport + 2, published[index].destination_port);
	frame[transport + 12] = 0x50;
	if (protocol == IP_PROTOCOL_UDP)
		netvsp_put16(frame + transport + UDP_LENGTH_AT, 20);
	return transport + 20;
}

static void expect_hash(const uint8_t *frame, uint32_t length, uint32_t types, uint32_t expected_type,
			uint32_t expected)
{
	struct netvsp_rss rss = enabled(types);
	struct netvsp_headers headers;
	uint32_t hash = 0, type = 0;

	assert_true(netvsp_headers_find(frame, length, false, &headers));
	assert_int_equal(netvsp_rss_hash(&rss, frame, &headers, &hash, &type), expected_type != 0);
	if (expected_type == 0)
		return;
	assert_int_equal(type, expected_type);
	assert_int_equal(hash, expected);
}

static void test_hashes_of_frames(void **state)
{
	uint8_t frame[128];

	(void)state;
	for (size_t i = 0; i < PUBLISHED; i++) {
		uint32_t length = published_frame(i, IP_PROTOCOL_TCP, frame);
		bool v4 = frame[14] == 0x45;
		uint32_t ip = v4 ? NDIS_HASH_IPV4 : NDIS_HASH_IPV6,
			 tcp = v4 ? NDIS_HASH_TCP4 : NDIS_HASH_TCP6;
		uint32_t udp = v4 ? NDIS_HASH_UDP4 : NDIS_HASH_UDP6;

		expect_hash(frame, length, TYPES, tcp, published[i].with_ports);
		expect_hash(frame, length, ip | udp, ip, published[i].addresses);
		expect_hash(frame, length, udp, 0, 0);
		length = published_frame(i, IP_PROTOCOL_UDP, frame);
		expect_hash(frame, length, TYPES, ip, published[i].addresses);
		expect_hash(frame, length, TYPES | udp, udp, published[i].with_ports);
		length = published_frame(i, 1, frame); /* neither */
		expect_hash(frame, length, TYPES | udp, ip, published[i].addresses);
		expect_hash(frame, length, tcp, 0, 0);
	}
}

static void test_fragments_by_address(void **state)
{
	uint8_t input[8] = {10, 7, 0, 15, 10, 7, 0, 1};

	(void)state;
	expect_hash(frame_fragment4, sizeof frame_fragment4, TYPES | NDIS_HASH_UDP4, NDIS_HASH_IPV4,
		    netvsp_toeplitz(published_key, input, sizeof input));
}

/* Routing header and home address count only for the "extended" types. */
static void test_extended_types(void **state)
{
	uint8_t plain[36], extended[36];

	(void)state;
	address("2001:db8::15", plain);
	address("2001:db8::1", plain + 16);
	address("2001:db8::77", extended);
	address("2001:db8::99", extended + 16);
	netvsp_put16(plain + 32, 1111);
	netvsp_put16(plain + 34, 53);
	memcpy(extended + 32, plain + 32, 4);
	expect_hash(frame_udp6_extended, sizeof frame_udp6_extended, NDIS_HASH_UDP6, NDIS_HASH_UDP6,
		    netvsp_toeplitz(published_key, plain, 36));
	expect_hash(frame_udp6_extended, sizeof frame_udp6_extended, NDIS_HASH_UDP6 | NDIS_HASH_UDP6_EX,
		    NDIS_HASH_UDP6_EX, netvsp_toeplitz(published_key, extended, 36));
	expect_hash(frame_udp6_extended, sizeof frame_udp6_extended, NDIS_HASH_IPV6 | NDIS_HASH_IPV6_EX,
		    NDIS_HASH_IPV6_EX, netvsp_toeplitz(published_key, extended, 32));
	expect_hash(frame_udp6_extended, sizeof frame_udp6_extended, NDIS_HASH_UDP6 | NDIS_HASH_IPV6_EX,
		    NDIS_HASH_UDP6, netvsp_toeplitz(published_key, plain, 36));
}

static void test_queues(void **state)
{
	struct netvsp_rss rss = enabled(TYPES);
	struct netvsp_headers headers = {.version = 4};
	uint32_t hash = 0, type = 0;

	(void)state;
	assert_int_equal(netvsp_rss_queue(&rss, 0x51ccc178, 4), 3); /* table[0] */
	assert_int_equal(netvsp_rss_queue(&rss, 0xc626b0ea, 4), 0); /* table[2] */
	assert_int_equal(netvsp_rss_queue(&rss, 0xafc7327f, 4), 2);
	assert_int_equal(netvsp_rss_queue(&rss, 0xafc7327f, 2), 0); /* not open */
	rss.enabled = false;
	assert_int_equal(netvsp_rss_queue(&rss, 0x51ccc178, 4), 0);
	assert_false(netvsp_rss_hash(&rss, frame_tcp4, &headers, &hash, &type));
}

/* --- Capabilities ----------------------------------------------------------------------------------- */

static void test_capabilities_byte_for_byte(void **state)
{
	static const uint8_t expected[] = {0x88, 2, 18, 0, 1, 3, 0, 0, 8, 0, 0, 0, 8, 0, 0, 0, 128, 0};
	static const uint8_t short_form[] = {0x88, 1, 16, 0, 1, 1, 0, 0, 2, 0, 0, 0, 2, 0, 0, 0};
	uint32_t both = NDIS_RSS_CAPABILITY_IPV4 | NDIS_RSS_CAPABILITY_IPV6;
	uint8_t made[32];

	(void)state;
	assert_int_equal(netvsp_rss_write(8, both, false, made, sizeof made), sizeof expected);
	assert_memory_equal(made, expected, sizeof expected);
	assert_int_equal(netvsp_rss_write(2, NDIS_RSS_CAPABILITY_IPV4, true, made, sizeof made),
			 sizeof short_form);
	assert_memory_equal(made, short_form, sizeof short_form);
	assert_int_equal(netvsp_rss_write(8, both, false, made, 17), 0);
	assert_int_equal(netvsp_rss_types(both), TYPES);
	assert_int_equal(netvsp_rss_types(NDIS_RSS_CAPABILITY_UDP4 | NDIS_RSS_CAPABILITY_IPV6_EX),
			 NDIS_HASH_UDP4 | NDIS_HASH_IPV6_EX | NDIS_HASH_TCP6_EX);
	assert_int_equal(netvsp_rss_types(0), 0);
}

/* --- Parameters ---------------------------------------------------------------------------------------- */

/* As Linux writes them: table, then key. */
static void right(uint8_t bytes[PARAMETERS_SIZE])
{
	const struct ndis_rss_parameters parameters = {
		.header = {NDIS_OBJECT_RSS_PARAMETERS, 2, sizeof parameters},
		.hash = NDIS_HASH_TOEPLITZ | TYPES,
		.table_size = 64,
		.table_offset = 40,
		.key_size = 40,
		.key_offset = 104};

	memcpy(bytes, &parameters, sizeof parameters);
	for (uint32_t i = 0; i < 16; i++) {
		uint32_t entry = i % QUEUES;

		memcpy(bytes + 40 + 4 * i, &entry, sizeof entry);
	}
	memcpy(bytes + 104, published_key, sizeof published_key);
}

static const char *set(struct netvsp_rss *rss, const uint8_t *bytes, uint32_t length, uint32_t *value)
{
	return netvsp_rss_set(rss, bytes, length, QUEUES, TYPES, false, value);
}

static void test_right_parameters(void **state)
{
	struct netvsp_rss rss = {0};
	uint8_t bytes[PARAMETERS_SIZE];
	uint32_t value = 0;

	(void)state;
	right(bytes);
	assert_null(set(&rss, bytes, sizeof bytes, &value));
	assert_true(rss.enabled);
	assert_int_equal(rss.hash, NDIS_HASH_TOEPLITZ | TYPES);
	assert_int_equal(rss.entries, 16);
	assert_int_equal(rss.table[9], 1);
	assert_memory_equal(rss.key, published_key, sizeof published_key);
}

static void test_disabled_and_enabled_again(void **state)
{
	struct netvsp_rss rss = enabled(TYPES);
	uint8_t bytes[PARAMETERS_SIZE];
	uint32_t value = 0;

	(void)state;
	right(bytes);
	bytes[4] = NDIS_RSS_FLAG_DISABLE;
	bytes[20] = 3; /* nothing else is looked at */
	assert_null(set(&rss, bytes, sizeof bytes, &value));
	assert_false(rss.enabled);
	right(bytes);
	assert_null(set(&rss, bytes, sizeof bytes, &value));
	assert_true(rss.enabled);
}

/* Linux, whatever the capabilities say. */
static void test_hashes_over_ipv6_that_are_not_there(void **state)
{
	const uint32_t types = NDIS_HASH_IPV4 | NDIS_HASH_TCP4;
	struct netvsp_rss rss = {0};
	uint8_t bytes[PARAMETERS_SIZE];
	uint32_t value = 0, hash = NDIS_HASH_TOEPLITZ | NDIS_HASH_IPV6 | NDIS_HASH_TCP6;

	(void)state;
	right(bytes);
	assert_null(netvsp_rss_set(&rss, bytes, sizeof bytes, QUEUES, types, false, &value));
	assert_int_equal(rss.hash, NDIS_HASH_TOEPLITZ | types);
	memcpy(bytes + 8, &hash, sizeof hash); /* nothing would be left */
	assert_non_null(netvsp_rss_set(&rss, bytes, sizeof bytes, QUEUES, types, false, &value));
}

/* FreeBSD: what is said to be unchanged is taken over all the same. */
static void test_unchanged_flags_have_no_effect(void **state)
{
	struct netvsp_rss rss = enabled(NDIS_HASH_IPV4);
	uint8_t bytes[PARAMETERS_SIZE];
	uint32_t value = 0;

	(void)state;
	right(bytes);
	bytes[4] = NDIS_RSS_FLAG_BASE_CPU_UNCHANGED | NDIS_RSS_FLAG_HASH_UNCHANGED |
		   NDIS_RSS_FLAG_TABLE_UNCHANGED | NDIS_RSS_FLAG_KEY_UNCHANGED;
	bytes[104] = 0xee;
	assert_null(set(&rss, bytes, sizeof bytes, &value));
	assert_int_equal(rss.entries, 16);
	assert_int_equal(rss.key[0], 0xee);
	assert_int_equal(rss.hash, NDIS_HASH_TOEPLITZ | TYPES);
	bytes[12] = 0; /* and a table of nothing is still wrong */
	assert_non_null(set(&rss, bytes, sizeof bytes, &value));
}

/* A host that obeys them, which only the quirk "off" makes. */
static void test_unchanged_flags_heeded(void **state)
{
	struct netvsp_rss rss = enabled(NDIS_HASH_IPV4), never = {0};
	uint8_t bytes[PARAMETERS_SIZE];
	uint32_t value = 0;

	(void)state;
	right(bytes);
	bytes[4] = NDIS_RSS_FLAG_HASH_UNCHANGED | NDIS_RSS_FLAG_TABLE_UNCHANGED;
	bytes[12] = 0;
	bytes[104] = 0xee;
	assert_null(netvsp_rss_set(&rss, bytes, sizeof bytes, QUEUES, TYPES, true, &value));
	assert_int_equal(rss.hash, NDIS_HASH_TOEPLITZ | NDIS_HASH_IPV4);
	assert_int_equal(rss.entries, 4);
	assert_int_equal(rss.key[0], 0xee);
	bytes[4] = NDIS_RSS_FLAG_KEY_UNCHANGED;
	bytes[12] = 64;
	bytes[104] = 0xdd;
	assert_null(netvsp_rss_set(&rss, bytes, sizeof bytes, QUEUES, TYPES, true, &value));
	assert_int_equal(rss.key[0], 0xee);
	assert_int_equal(rss.entries, 16);
	bytes[4] = NDIS_RSS_FLAG_TABLE_UNCHANGED;
	bytes[12] = 0;
	assert_non_null(netvsp_rss_set(&never, bytes, sizeof bytes, QUEUES, TYPES, true, &value));
}

static void refused(const uint8_t *bytes, uint32_t length, const char *why, uint32_t expected)
{
	struct netvsp_rss rss = enabled(TYPES), before = rss;
	uint32_t value = ~expected;
	const char *fault = set(&rss, bytes, length, &value);

	assert_non_null(fault);
	if (strstr(fault, why) == NULL)
		fail_msg("\"%s\" does not say \"%s\"", fault, why);
	assert_int_equal(value, expected);
	assert_memory_equal(&rss, &before, sizeof rss);
}

static void with_byte(uint32_t at, uint8_t byte, const char *why, uint32_t expected)
{
	uint8_t bytes[PARAMETERS_SIZE];

	right(bytes);
	bytes[at] = byte;
	refused(bytes, sizeof bytes, why, expected);
}

static void test_wrong_headers(void **state)
{
	uint8_t bytes[PARAMETERS_SIZE];

	(void)state;
	right(bytes);
	refused(bytes, 27, "fewer than 28", 27);
	refused(bytes, 39, "size of the object", 40);
	with_byte(0, 0x80, "type of the object", 0x80);
	with_byte(1, 0, "revision 0", 0);
	with_byte(2, 28, "size of the object", 28);
	with_byte(2, PARAMETERS_SIZE + 1, "size of the object", PARAMETERS_SIZE + 1);
	with_byte(4, 0x40, "unknown flags", 0x40);
}

static void test_wrong_hash_and_key(void **state)
{
	(void)state;
	with_byte(8, 2, "not Toeplitz", (TYPES & ~0xffu) | 2);
	with_byte(8, 0, "not Toeplitz", TYPES);
	with_byte(9, 0, "without a type", NDIS_HASH_TOEPLITZ);
	with_byte(9, 0x40, "do not have", NDIS_HASH_TOEPLITZ | NDIS_HASH_UDP4);
	with_byte(20, 39, "size of the key", 39);
	with_byte(24, 105, "the key is not inside", 105);
	with_byte(24, 39, "the key is not inside", 39); /* in the structure itself */
	with_byte(27, 0x80, "the key is not inside", 0x80000068);
}

static void test_wrong_table(void **state)
{
	uint8_t bytes[PARAMETERS_SIZE];

	(void)state;
	with_byte(12, 0, "size of the table", 0);
	with_byte(12, 62, "size of the table", 62);
	with_byte(13, 3, "size of the table", 832);
	with_byte(16, 81, "the table is not inside", 81);
	with_byte(16, 0, "the table is not inside", 0);
	with_byte(40, 8, "names a queue", 8);
	with_byte(103, 1, "names a queue", 0x01000007);
	right(bytes);
	refused(bytes, sizeof bytes - 1, "the key is not inside", 104);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_published_hashes),
		cmocka_unit_test(test_hashes_of_frames),
		cmocka_unit_test(test_fragments_by_address),
		cmocka_unit_test(test_extended_types),
		cmocka_unit_test(test_queues),
		cmocka_unit_test(test_capabilities_byte_for_byte),
		cmocka_unit_test(test_right_parameters),
		cmocka_unit_test(test_disabled_and_enabled_again),
		cmocka_unit_test(test_hashes_over_ipv6_that_are_not_there),
		cmocka_unit_test(test_unchanged_flags_have_no_effect),
		cmocka_unit_test(test_unchanged_flags_heeded),
		cmocka_unit_test(test_wrong_headers),
		cmocka_unit_test(test_wrong_hash_and_key),
		cmocka_unit_test(test_wrong_table),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
