/* SPDX-License-Identifier: MIT */
/* The NDIS codec: capabilities of hosts that are lawful, old, odd or hostile, and what is asked of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "guest/netvsc/ndis.h"
#include "guest/netvsc/rndis.h"
#include "tests/golden/ndis.h"

#ifdef HVK_SWITCH_POINTS
void hvk_switch_point(void)
{
}
#endif

#define ID 0x00010000u
#define ALL_BY_NDIS                                                                              \
	(HVK_NETDEV_TX_CHECKSUMS | HVK_NETDEV_RX_CHECKSUMS | HVK_NETDEV_TSO4 | HVK_NETDEV_TSO6 | \
	 HVK_NETDEV_LRO)
#define HEADERS 138u /* Ethernet, tag, IPv4 and TCP with all options */

static struct hvk_ndis_offloads parsed;

static void put16(uint8_t *at, uint32_t value)
{
	at[0] = (uint8_t)value;
	at[1] = (uint8_t)(value >> 8);
}

static void put(uint8_t *at, uint32_t value)
{
	put16(at, value);
	put16(at + 2, value >> 16);
}

/* The golden answer with one word changed. */
static hvk_status parse_with(uint32_t at, uint32_t value, uint32_t length)
{
	uint8_t bytes[156];

	memcpy(bytes, golden_ndis_offload_3, sizeof(bytes));
	put(bytes + at, value);
	return hvk_ndis_parse_offload(bytes, length, 1500, &parsed);
}
#define HEADER(revision, size) (0xa7u | (revision) << 8 | (uint32_t)(size) << 16)

static void all_that_a_host_has(void **state)
{
	(void)state;
	assert_int_equal(hvk_ndis_parse_offload(golden_ndis_offload_3, 156, 1500, &parsed), HVK_OK);
	assert_int_equal(parsed.capabilities, ALL_BY_NDIS);
	assert_int_equal(parsed.tso_bytes_max, 62780 - HEADERS);
	assert_int_equal(parsed.tso_segments_min, 2);
}

static void shorter_revisions_lack_their_ends(void **state)
{
	(void)state;
	assert_int_equal(parse_with(0, HEADER(2u, 144), 156), HVK_OK);
	assert_int_equal(parsed.capabilities, ALL_BY_NDIS & ~HVK_NETDEV_LRO); /* not read past its size */
	assert_int_equal(parse_with(0, HEADER(1u, 112), 112), HVK_OK);
	assert_int_equal(parsed.capabilities, ALL_BY_NDIS & ~HVK_NETDEV_LRO);
	assert_int_equal(parsed.tso_bytes_max, 62780 - HEADERS);
	assert_int_equal(parse_with(0, HEADER(3u, 145), 156), HVK_OK); /* IPv6's RSC is cut */
	assert_int_equal(parsed.capabilities & HVK_NETDEV_LRO, 0);
}

static void longer_than_we_know(void **state)
{
	uint8_t bytes[220] = {0};

	(void)state;
	memcpy(bytes, golden_ndis_offload_3, 156);
	put(bytes, HEADER(6u, 216));
	assert_int_equal(hvk_ndis_parse_offload(bytes, 220, 1500, &parsed), HVK_OK);
	assert_int_equal(parsed.capabilities, ALL_BY_NDIS);
}

static void objects_that_cannot_be(void **state)
{
	(void)state;
	assert_int_equal(parse_with(0, HEADER(3u, 156), 155), HVK_EHOST_VALUE); /* longer than what came */
	assert_int_equal(parse_with(0, HEADER(3u, 157), 156), HVK_EHOST_VALUE);
	assert_int_equal(parse_with(0, HEADER(3u, 0xffff), 156), HVK_EHOST_VALUE);
	assert_int_equal(parse_with(0, HEADER(1u, 111), 156), HVK_EHOST_VALUE);
	assert_int_equal(parse_with(0, HEADER(0u, 156), 156), HVK_EHOST_VALUE);
	assert_int_equal(parse_with(0, HEADER(3u, 156) + 1, 156), HVK_EHOST_VALUE); /* type 0xa8 */
	assert_int_equal(parse_with(0, HEADER(3u, 156), 3), HVK_EHOST_VALUE);
	assert_int_equal(parse_with(0, HEADER(3u, 156), 0), HVK_EHOST_VALUE);
	assert_int_equal(parsed.capabilities, 0);
}

/* What lacks one bit that Linux and FreeBSD want is not there. */
static void checksums_need_the_options_too(void **state)
{
	static const struct {
		uint32_t at, value, lacks;
	} cases[] = {
		{8, 0x154, HVK_NETDEV_TX_IPV4},
		{8, 0x055, HVK_NETDEV_TX_IPV4},
		{8, 0x151, HVK_NETDEV_TX_TCP4 | HVK_NETDEV_TSO4},
		{8, 0x145, HVK_NETDEV_TX_TCP4 | HVK_NETDEV_TSO4},
		{8, 0x115, HVK_NETDEV_TX_UDP4},
		{16, 0x055, HVK_NETDEV_RX_IPV4},
		{16, 0x145, HVK_NETDEV_RX_TCP4},
		{16, 0x115, HVK_NETDEV_RX_UDP4},
		{24, 0x051, HVK_NETDEV_TX_TCP6 | HVK_NETDEV_TSO6},
		{24, 0x045, HVK_NETDEV_TX_TCP6 | HVK_NETDEV_TSO6},
		{24, 0x054, HVK_NETDEV_TX_TCP6 | HVK_NETDEV_TX_UDP6 | HVK_NETDEV_TSO6},
		{24, 0x015, HVK_NETDEV_TX_UDP6},
		{32, 0x045, HVK_NETDEV_RX_TCP6},
		{32, 0x015, HVK_NETDEV_RX_UDP6},
		{80, 1, HVK_NETDEV_TSO4}, /* encapsulation */
		{92, 1, HVK_NETDEV_TSO6},
		{104, 4, HVK_NETDEV_TSO6}, /* extensions, options */
		{104, 1, HVK_NETDEV_TSO6},
		{144, 0x0001, HVK_NETDEV_LRO},
		{144, 0x0100, HVK_NETDEV_LRO},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(parse_with(cases[i].at, cases[i].value, 156), HVK_OK);
		assert_int_equal(parsed.capabilities, ALL_BY_NDIS & ~cases[i].lacks);
	}
}

static void segmentation_limits(void **state)
{
	(void)state;
	assert_int_equal(parse_with(84, 0x400000, 156), HVK_OK); /* OpenVMM: more than IP can */
	assert_int_equal(parsed.tso_bytes_max, 62780 - HEADERS); /* the smaller of both families */
	assert_int_equal(parse_with(84, 20000, 156), HVK_OK);
	assert_int_equal(parsed.tso_bytes_max, 20000 - HEADERS);
	assert_int_equal(parse_with(88, 0, 156), HVK_OK); /* raised to 2 */
	assert_int_equal(parsed.tso_segments_min, 2);
	assert_int_equal(parse_with(88, 5, 156), HVK_OK);
	assert_int_equal(parsed.tso_segments_min, 5);
	/* Below the fewest segments of the MTU there is none: two of 1500. */
	assert_int_equal(parse_with(84, 2999, 156), HVK_OK);
	assert_int_equal(parsed.capabilities, ALL_BY_NDIS & ~HVK_NETDEV_TSO4);
	assert_int_equal(parsed.tso_bytes_max, 62780 - HEADERS);
	assert_int_equal(parse_with(84, 3000, 156), HVK_OK);
	assert_int_equal(parsed.capabilities, ALL_BY_NDIS);
	assert_int_equal(parse_with(88, 2863312, 156), HVK_OK); /* times the MTU: 704 if it overflowed */
	assert_int_equal(parsed.capabilities, ALL_BY_NDIS & ~HVK_NETDEV_TSO4);
	assert_int_equal(parsed.tso_segments_min, 2);
	assert_int_equal(parse_with(84, 0, 156), HVK_OK);
	assert_int_equal(parsed.capabilities, ALL_BY_NDIS & ~HVK_NETDEV_TSO4);
}

static void one_family_alone_has_no_limit_of_the_other(void **state)
{
	(void)state;
	assert_int_equal(parse_with(92, 0, 156), HVK_OK);
	assert_int_equal(parsed.tso_bytes_max, 62780 - HEADERS);
	assert_int_equal(hvk_ndis_parse_offload(golden_ndis_offload_3, 156, 65521, &parsed), HVK_OK);
	assert_int_equal(parsed.tso_bytes_max, 0);
	assert_int_equal(parsed.tso_segments_min, 0);
}

static void queries(void **state)
{
	struct hvk_rndis_message message;
	struct ndis_offload query;
	struct ndis_rss_capabilities rss;

	(void)state;
	assert_int_equal(hvk_ndis_build_offload_query(&query, 1), 112);
	hvk_rndis_build_request(&message, RNDIS_MSG_QUERY, ID, 0xfc01020d, &query, 112);
	assert_int_equal(message.length, sizeof(golden_rndis_query_offload_6_1));
	assert_memory_equal(message.words, golden_rndis_query_offload_6_1, message.length);
	assert_int_equal(hvk_ndis_build_offload_query(&query, 20), 144);
	assert_int_equal(query.header.revision, 2);
	assert_int_equal(hvk_ndis_build_offload_query(&query, 30), 156);
	assert_memory_equal(&query, golden_ndis_offload_query_6_30, 4);
	assert_int_equal(hvk_ndis_build_rss_query(&rss), 18);
	hvk_rndis_build_request(&message, RNDIS_MSG_QUERY, ID, 0x00010203, &rss, 18);
	assert_int_equal(message.length, sizeof(golden_rndis_query_rss));
	assert_memory_equal(message.words, golden_rndis_query_rss, message.length);
}

static void parameters(void **state)
{
	struct ndis_offload_parameters parameters;
	struct hvk_rndis_message message;

	(void)state;
	assert_int_equal(hvk_ndis_build_offload_parameters(&parameters, 30, HVK_NETDEV_ALL_OFFLOADS), 28);
	hvk_rndis_build_request(&message, RNDIS_MSG_SET, ID, 0xfc01020c, &parameters, 28);
	assert_int_equal(message.length, sizeof(golden_rndis_set_offload_6_30));
	assert_memory_equal(message.words, golden_rndis_set_offload_6_30, message.length);
	assert_int_equal(hvk_ndis_build_offload_parameters(&parameters, 1, 0), 22);
	assert_memory_equal(&parameters, golden_ndis_offload_parameters_off_2, 22);
	(void)hvk_ndis_build_offload_parameters(&parameters, 30,
						HVK_NETDEV_TX_TCP4 | HVK_NETDEV_RX_TCP6 | HVK_NETDEV_TSO6);
	assert_int_equal(parameters.ipv4_checksum, 1);
	assert_int_equal(parameters.tcp4_checksum, 2); /* to the wire */
	assert_int_equal(parameters.tcp6_checksum, 3); /* from it */
	assert_int_equal(parameters.lso_v2_ipv4, 1);
	assert_int_equal(parameters.lso_v2_ipv6, 2);
	assert_int_equal(parameters.rsc_ipv4, 1);
	assert_int_equal(parameters.rsc_ipv6, 1);
}

#define TYPES_4 (HVK_RSS_IPV4 | HVK_RSS_TCP4)
#define TYPES_6 (HVK_RSS_IPV6 | HVK_RSS_TCP6)
#define TYPES_6_EX (HVK_RSS_IPV6_EX | HVK_RSS_TCP6_EX)

static void rss_of_lawful_hosts(void **state)
{
	struct hvk_ndis_rss rss;
	uint8_t bytes[18];

	(void)state;
	assert_int_equal(hvk_ndis_parse_rss(golden_ndis_rss_capabilities_2, 18, &rss), HVK_OK);
	assert_int_equal(rss.types, TYPES_4 | TYPES_6 | TYPES_6_EX);
	assert_int_equal(rss.queues, 8);
	assert_int_equal(rss.table_size, 128);
	assert_int_equal(hvk_ndis_parse_rss(golden_ndis_rss_capabilities_6_0, 16, &rss), HVK_OK);
	assert_int_equal(rss.types, TYPES_4 | TYPES_6);
	assert_int_equal(rss.queues, 4);
	assert_int_equal(rss.table_size, 128);
	memcpy(bytes, golden_ndis_rss_capabilities_2, sizeof(bytes));
	put(bytes + 4, 0x3801);
	put16(bytes + 16, 64);
	assert_int_equal(hvk_ndis_parse_rss(bytes, 18, &rss), HVK_OK);
	assert_int_equal(rss.types, HVK_RSS_UDP4 | HVK_RSS_UDP6 | HVK_RSS_UDP6_EX);
	assert_int_equal(rss.table_size, 64);
	put16(bytes + 16, 512); /* more than we have room for */
	assert_int_equal(hvk_ndis_parse_rss(bytes, 18, &rss), HVK_OK);
	assert_int_equal(rss.table_size, 128);
}

static hvk_status parse_rss_with(uint32_t at, uint32_t value, uint32_t length)
{
	struct hvk_ndis_rss rss;
	uint8_t bytes[20] = {0};

	memcpy(bytes, golden_ndis_rss_capabilities_2, 18);
	put(bytes + at, value);
	return hvk_ndis_parse_rss(bytes, length, &rss);
}

static void rss_that_cannot_be_used(void **state)
{
	(void)state;
	assert_int_equal(parse_rss_with(4, 0x0702, 18), HVK_ENOTSUP); /* another hash function */
	assert_int_equal(parse_rss_with(4, 0x0001, 18), HVK_ENOTSUP); /* of nothing */
	assert_int_equal(parse_rss_with(12, 0, 18), HVK_ENOTSUP);
	assert_int_equal(parse_rss_with(16, 0, 18), HVK_ENOTSUP);
	assert_int_equal(parse_rss_with(0, 0x00130288, 18), HVK_EHOST_VALUE); /* 19 bytes */
	assert_int_equal(parse_rss_with(0, 0x000f0288, 18), HVK_EHOST_VALUE); /* 15 */
	assert_int_equal(parse_rss_with(0, 0x00120289, 18), HVK_EHOST_VALUE);
	assert_int_equal(parse_rss_with(0, 0x00120088, 18), HVK_EHOST_VALUE);
	assert_int_equal(parse_rss_with(0, 0x00120288, 17), HVK_EHOST_VALUE);
	assert_int_equal(parse_rss_with(0, 0x00120288, 2), HVK_EHOST_VALUE);
}

static void rss_is_said_whole(void **state)
{
	struct hvk_ndis_rss_message body;
	struct hvk_rndis_message message;
	struct hvk_netdev_rss rss = {.types = TYPES_4 | TYPES_6, .table = {0, 1, 2, 0, 7}};
	uint32_t length;

	(void)state;
	memcpy(rss.key, golden_rndis_set_rss + 68, 40);
	length = hvk_ndis_build_rss(&body, &rss, 4, false);
	hvk_rndis_build_request(&message, RNDIS_MSG_SET, ID, 0x00010204, &body, length);
	assert_int_equal(message.length, sizeof(golden_rndis_set_rss));
	assert_memory_equal(message.words, golden_rndis_set_rss, message.length);
	assert_int_equal(hvk_ndis_build_rss(&body, &rss, 4, true), length);
	assert_int_equal(body.parameters.flags, 0x10);
	assert_int_equal(hvk_ndis_build_rss(&body, &rss, 128, false), 592);
	assert_int_equal(body.table[4], 7);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_that_a_host_has),
		cmocka_unit_test(shorter_revisions_lack_their_ends),
		cmocka_unit_test(longer_than_we_know),
		cmocka_unit_test(objects_that_cannot_be),
		cmocka_unit_test(checksums_need_the_options_too),
		cmocka_unit_test(segmentation_limits),
		cmocka_unit_test(one_family_alone_has_no_limit_of_the_other),
		cmocka_unit_test(queries),
		cmocka_unit_test(parameters),
		cmocka_unit_test(rss_of_lawful_hosts),
		cmocka_unit_test(rss_that_cannot_be_used),
		cmocka_unit_test(rss_is_said_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
