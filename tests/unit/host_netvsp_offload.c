/* SPDX-License-Identifier: MIT */
/* Offloads as they are offered and granted: bytes of NDIS_OFFLOAD and OFFLOAD_PARAMETERS. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "host/netvsp/offload.h"
#include "hvkit/wire/nvs.h"
#include "hvkit_host/network.h"

#define PARAMETERS 28u

static struct netvsp_offload begun(uint32_t nvs, bool rsc, uint32_t without)
{
	struct netvsp_offload offload;

	netvsp_offload_begin(&offload, nvs, rsc, without);
	return offload;
}

static uint32_t offered(uint32_t nvs, bool rsc, uint32_t without)
{
	return begun(nvs, rsc, without).offered;
}

#define TX4 (NETVSP_OFFLOAD_TX_IP4 | NETVSP_OFFLOAD_TX_TCP4)
#define RX4 (NETVSP_OFFLOAD_RX_IP4 | NETVSP_OFFLOAD_RX_TCP4)
#define UDP4 (NETVSP_OFFLOAD_TX_UDP4 | NETVSP_OFFLOAD_RX_UDP4)
#define UDP6 (NETVSP_OFFLOAD_TX_UDP6 | NETVSP_OFFLOAD_RX_UDP6)
#define TCP6 (NETVSP_OFFLOAD_TX_TCP6 | NETVSP_OFFLOAD_RX_TCP6)
#define LSO (NETVSP_OFFLOAD_LSO4 | NETVSP_OFFLOAD_LSO6)
#define RSC (NETVSP_OFFLOAD_RSC4 | NETVSP_OFFLOAD_RSC6)

static void test_offered_by_version(void **state)
{
	uint32_t old = TX4 | RX4 | TCP6 | LSO;

	(void)state;
	assert_int_equal(offered(NVS_VERSION_1, false, 0), old);
	assert_int_equal(offered(NVS_VERSION_4, true, 0), old); /* Linux: UDP from 5 */
	assert_int_equal(offered(NVS_VERSION_5, true, 0), old | UDP4 | UDP6);
	assert_int_equal(offered(NVS_VERSION_6, true, 0), old | UDP4 | UDP6);
	assert_int_equal(offered(NVS_VERSION_6_1, true, 0), old | UDP4 | UDP6 | RSC);
	assert_int_equal(offered(NVS_VERSION_6_1, false, 0), old | UDP4 | UDP6); /* not asked for */
}

static void test_left_out(void **state)
{
	const uint32_t v = NVS_VERSION_6_1;
	uint32_t tx = TX4 | NETVSP_OFFLOAD_TX_UDP4 | NETVSP_OFFLOAD_TX_TCP6 | NETVSP_OFFLOAD_TX_UDP6;
	uint32_t rx = RX4 | NETVSP_OFFLOAD_RX_UDP4 | NETVSP_OFFLOAD_RX_TCP6 | NETVSP_OFFLOAD_RX_UDP6;

	(void)state;
	assert_int_equal(offered(v, true, HVH_NIC_NO_TX_CHECKSUM), rx | RSC);
	assert_int_equal(offered(v, true, HVH_NIC_NO_RX_CHECKSUM), tx | LSO);
	assert_int_equal(offered(v, true, HVH_NIC_NO_LSO), tx | rx | RSC);
	assert_int_equal(offered(v, true, HVH_NIC_NO_RSC), tx | rx | LSO);
	assert_int_equal(offered(v, true, HVH_NIC_NO_UDP), TX4 | RX4 | TCP6 | LSO | RSC);
	assert_int_equal(offered(v, true, HVH_NIC_NO_IPV6),
			 TX4 | RX4 | UDP4 | NETVSP_OFFLOAD_LSO4 | NETVSP_OFFLOAD_RSC4);
	assert_int_equal(offered(v, true, HVH_NIC_NO_OFFLOADS), 0);
}

static void test_receive_checksums_unasked(void **state)
{
	struct netvsp_offload offload = begun(NVS_VERSION_6_1, true, 0);

	(void)state;
	assert_int_equal(offload.granted,
			 RX4 | NETVSP_OFFLOAD_RX_UDP4 | NETVSP_OFFLOAD_RX_TCP6 | NETVSP_OFFLOAD_RX_UDP6);
	assert_int_equal(begun(NVS_VERSION_6_1, true, HVH_NIC_NO_OFFLOADS).granted, 0);
}

/* --- NDIS_OFFLOAD ------------------------------------------------------------------------------ */

/* Offsets and bits as in FreeBSD's ndis.h; everything else is 0. */
static void test_everything_byte_for_byte(void **state)
{
	static const struct {
		uint32_t at, value;
	} words[] = {
		{4, 2},  {8, 0x155},   {12, 2},  {16, 0x155}, /* IPv4: options, TCP, UDP, header */
		{20, 2}, {24, 0x55},   {28, 2},  {32, 0x55},  /* IPv6 */
		{80, 2}, {84, 0xffff}, {88, 2},               /* large sends */
		{92, 2}, {96, 0xffff}, {100, 2}, {104, 5},    {144, 0x101}, /* RSC */
	};
	struct netvsp_offload offload = begun(NVS_VERSION_6_1, true, 0);
	uint8_t expected[156] = {0xa7, 3, 156, 0}, made[200];

	(void)state;
	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
		memcpy(expected + words[i].at, &words[i].value, 4);
	assert_int_equal(netvsp_offload_write(&offload, offload.offered, 3, made, sizeof made), 156);
	assert_memory_equal(made, expected, sizeof expected);
	memset(expected + 4, 0, sizeof expected - 4);
	assert_int_equal(netvsp_offload_write(&offload, 0, 3, made, sizeof made), 156);
	assert_memory_equal(made, expected, sizeof expected);
}

static void test_revisions(void **state)
{
	static const struct {
		uint32_t revision, room, length;
	} cases[] = {{3, 156, 156}, {3, 155, 144}, {3, 144, 144}, {3, 143, 112}, {3, 111, 0},
		     {2, 156, 144}, {2, 112, 112}, {1, 156, 112}, {0, 156, 0}};
	struct netvsp_offload offload = begun(NVS_VERSION_6_1, true, 0);

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		uint8_t made[200] = {0};
		uint32_t length = netvsp_offload_write(&offload, offload.offered, cases[i].revision, made,
						       cases[i].room);

		assert_int_equal(length, cases[i].length);
		assert_int_equal(made[2], length);
		assert_int_equal(made[1], length == 156 ? 3 : length == 144 ? 2 : length == 112 ? 1 : 0);
		assert_int_equal(made[length], 0);
	}
	assert_int_equal(netvsp_offload_revision(NVS_VERSION_2), 1);
	assert_int_equal(netvsp_offload_revision(NVS_VERSION_4), 2);
	assert_int_equal(netvsp_offload_revision(NVS_VERSION_5), 3);
}

static void test_single_abilities(void **state)
{
	static const struct {
		uint32_t which, encapsulation_at, abilities_at, abilities;
	} cases[] = {
		{NETVSP_OFFLOAD_TX_IP4, 4, 8, 0x101},   {NETVSP_OFFLOAD_TX_TCP4, 4, 8, 0x15},
		{NETVSP_OFFLOAD_TX_UDP4, 4, 8, 0x41},   {NETVSP_OFFLOAD_RX_IP4, 12, 16, 0x101},
		{NETVSP_OFFLOAD_RX_TCP4, 12, 16, 0x15}, {NETVSP_OFFLOAD_RX_UDP4, 12, 16, 0x41},
		{NETVSP_OFFLOAD_TX_TCP6, 20, 24, 0x15}, {NETVSP_OFFLOAD_TX_UDP6, 20, 24, 0x41},
		{NETVSP_OFFLOAD_RX_TCP6, 28, 32, 0x15}, {NETVSP_OFFLOAD_RX_UDP6, 28, 32, 0x41},
		{NETVSP_OFFLOAD_LSO4, 80, 84, 0xffff},  {NETVSP_OFFLOAD_LSO6, 92, 96, 0xffff},
	};
	struct netvsp_offload offload = begun(NVS_VERSION_6_1, true, 0);

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		uint32_t encapsulation, abilities;
		uint8_t made[156];

		netvsp_offload_write(&offload, cases[i].which, 3, made, sizeof made);
		memcpy(&encapsulation, made + cases[i].encapsulation_at, 4);
		memcpy(&abilities, made + cases[i].abilities_at, 4);
		assert_int_equal(encapsulation, 2);
		assert_int_equal(abilities, cases[i].abilities);
	}
}

/* --- OFFLOAD_PARAMETERS ---------------------------------------------------------------------------- */

/* FreeBSD's, revision 3: everything both ways, LSOv1 and IPsec off, RSC off. */
static const uint8_t all_on[PARAMETERS] = {0x80, 3, 28, 0, 4, 4, 4, 4, 4, 1, 1, 2, 2, 0};

static void test_all_on(void **state)
{
	struct netvsp_offload offload = begun(NVS_VERSION_6_1, true, 0);
	uint8_t bytes[PARAMETERS];
	uint32_t value = 0;

	(void)state;
	assert_null(netvsp_offload_set(&offload, all_on, sizeof all_on, &value));
	assert_int_equal(offload.granted, offload.offered & ~(uint32_t)RSC);
	memcpy(bytes, all_on, sizeof bytes);
	bytes[22] = bytes[23] = 2;
	assert_null(netvsp_offload_set(&offload, bytes, sizeof bytes, &value));
	assert_int_equal(offload.granted, offload.offered);
	memset(bytes + 4, 1, 5);
	bytes[11] = bytes[12] = bytes[22] = bytes[23] = 1;
	assert_null(netvsp_offload_set(&offload, bytes, sizeof bytes, &value));
	assert_int_equal(offload.granted, 0);
}

static void test_one_way_and_no_change(void **state)
{
	struct netvsp_offload offload = begun(NVS_VERSION_6_1, true, 0);
	uint8_t bytes[PARAMETERS] = {0x80, 3, 28, 0, 0, 2, 3, 1, 0};
	uint32_t value = 0;

	(void)state;
	assert_null(netvsp_offload_set(&offload, bytes, sizeof bytes, &value));
	assert_int_equal(offload.granted, NETVSP_OFFLOAD_RX_IP4 | NETVSP_OFFLOAD_TX_TCP4 |
						  NETVSP_OFFLOAD_RX_UDP4 | NETVSP_OFFLOAD_RX_UDP6);
}

/* 22 bytes end before RSC; Linux calls them revision 3 up to NVS 4. */
static void test_short_forms(void **state)
{
	struct netvsp_offload offload = begun(NVS_VERSION_4, false, 0);
	uint8_t bytes[24];
	uint32_t value = 0;

	(void)state;
	memcpy(bytes, all_on, sizeof bytes);
	bytes[6] = bytes[8] = 0; /* no UDP there */
	bytes[2] = 22;
	bytes[22] = bytes[23] = 0xff; /* not looked at */
	assert_null(netvsp_offload_set(&offload, bytes, sizeof bytes, &value));
	assert_int_equal(offload.granted, offload.offered);
	bytes[1] = 2;
	assert_null(netvsp_offload_set(&offload, bytes, 22, &value));
	bytes[1] = 1;
	bytes[2] = 20;
	bytes[20] = 0xff;
	assert_null(netvsp_offload_set(&offload, bytes, 20, &value));
}

/* Linux goes by the transmit ability, and asks for both: it gets what is there. */
static void test_both_ways_where_there_is_one(void **state)
{
	struct netvsp_offload offload = begun(NVS_VERSION_6_1, true, HVH_NIC_NO_RX_CHECKSUM);
	uint32_t value = 0;

	(void)state;
	assert_null(netvsp_offload_set(&offload, all_on, sizeof all_on, &value));
	assert_int_equal(offload.granted, offload.offered);
	assert_int_equal(offload.granted & RX4, 0);
}

static void refused_by(struct netvsp_offload offload, const uint8_t *bytes, uint32_t length, const char *why,
		       uint32_t expected)
{
	uint32_t value = ~expected, before = offload.granted;
	const char *fault = netvsp_offload_set(&offload, bytes, length, &value);

	assert_non_null(fault);
	if (strstr(fault, why) == NULL)
		fail_msg("\"%s\" does not say \"%s\"", fault, why);
	assert_int_equal(value, expected);
	assert_int_equal(offload.granted, before);
}

static void with_byte(uint32_t at, uint8_t byte, const char *why)
{
	uint8_t bytes[PARAMETERS];

	memcpy(bytes, all_on, sizeof bytes);
	bytes[at] = byte;
	refused_by(begun(NVS_VERSION_6_1, true, 0), bytes, sizeof bytes, why, byte);
}

static void test_malformed(void **state)
{
	(void)state;
	refused_by(begun(NVS_VERSION_6_1, true, 0), all_on, 19, "fewer than 20", 19);
	refused_by(begun(NVS_VERSION_6_1, true, 0), all_on, 27, "size of the object", 28);
	with_byte(0, 0xa7, "type of the object");
	with_byte(1, 0, "revision 0");
	with_byte(2, 21, "size of the object");
	with_byte(2, 29, "size of the object");
	with_byte(2, 24, "between");
	for (uint32_t at = 4; at <= 8; at++)
		with_byte(at, 5, "0 to 4");
	with_byte(11, 3, "0 to 2");
	with_byte(12, 3, "0 to 2");
	with_byte(22, 3, "0 to 2");
	with_byte(23, 3, "0 to 2");
}

static void test_what_is_never_there(void **state)
{
	static const uint8_t at[] = {9, 10, 13, 14, 20, 21, 24};

	(void)state;
	for (size_t i = 0; i < sizeof at; i++)
		with_byte(at[i], 2, "which are not there");
}

static void test_more_than_was_offered(void **state)
{
	static const struct {
		uint8_t at, byte;
		uint32_t without;
		const char *why;
	} cases[] = {
		{4, 2, HVH_NIC_NO_TX_CHECKSUM, "a checksum"}, {5, 2, HVH_NIC_NO_TX_CHECKSUM, "a checksum"},
		{5, 3, HVH_NIC_NO_RX_CHECKSUM, "a checksum"}, {6, 4, HVH_NIC_NO_UDP, "a checksum"},
		{7, 4, HVH_NIC_NO_IPV6, "a checksum"},        {8, 4, HVH_NIC_NO_IPV6, "a checksum"},
		{11, 2, HVH_NIC_NO_LSO, "turn on"},           {12, 2, HVH_NIC_NO_IPV6, "turn on"},
		{22, 2, HVH_NIC_NO_RSC, "turn on"},           {23, 2, HVH_NIC_NO_RSC, "turn on"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		uint8_t bytes[PARAMETERS] = {0x80, 3, 28, 0};
		struct netvsp_offload offload;
		uint32_t value = 0;

		bytes[cases[i].at] = cases[i].byte;
		refused_by(begun(NVS_VERSION_6_1, true, cases[i].without), bytes, sizeof bytes, cases[i].why,
			   cases[i].byte);
		bytes[cases[i].at] = 1; /* off is always right */
		offload = begun(NVS_VERSION_6_1, true, cases[i].without);
		assert_null(netvsp_offload_set(&offload, bytes, sizeof bytes, &value));
	}
	refused_by(begun(NVS_VERSION_6, true, 0), (const uint8_t[PARAMETERS]){0x80, 3, 28, 0, [22] = 2},
		   PARAMETERS, "turn on", 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_offered_by_version),
		cmocka_unit_test(test_left_out),
		cmocka_unit_test(test_receive_checksums_unasked),
		cmocka_unit_test(test_everything_byte_for_byte),
		cmocka_unit_test(test_revisions),
		cmocka_unit_test(test_single_abilities),
		cmocka_unit_test(test_all_on),
		cmocka_unit_test(test_one_way_and_no_change),
		cmocka_unit_test(test_short_forms),
		cmocka_unit_test(test_both_ways_where_there_is_one),
		cmocka_unit_test(test_malformed),
		cmocka_unit_test(test_what_is_never_there),
		cmocka_unit_test(test_more_than_was_offered),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
