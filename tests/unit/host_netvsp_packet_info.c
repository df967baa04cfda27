/* SPDX-License-Identifier: MIT */
/* Per-packet information, both ways, and VLAN tags. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "host/netvsp/packet_info.h"
#include "host_netvsp_frames.h"

/* Size, type, offset of the data, data, as on the wire. */
static const uint8_t info_checksum[] = {16, 0, 0, 0, 0, 0, 0, 0, 12, 0, 0, 0, 0x05, 0x00, 0x22, 0x00};
static const uint8_t info_lso[] = {16, 0, 0, 0, 2, 0, 0, 0, 12, 0, 0, 0, 0xb4, 0x05, 0x20, 0x42};
static const uint8_t info_vlan[] = {16, 0, 0, 0, 6, 0, 0, 0, 12, 0, 0, 0, 0x41, 0x06, 0, 0};
static const uint8_t info_hash_value[] = {16, 0, 0, 0, 8, 0, 0, 0, 12, 0, 0, 0, 0x78, 0x56, 0x34, 0x12};
static const uint8_t info_hash_info[] = {16, 0, 0, 0, 9, 0, 0, 0, 12, 0, 0, 0, 0x00, 0x02, 0x00, 0x00};
static const uint8_t info_packet_id[] = {16, 0, 0, 0, 1, 0, 0, 0x80, 12, 0, 0, 0, 1, 3, 0x34, 0x12};

static uint32_t append(uint8_t *to, uint32_t length, const uint8_t *info)
{
	memcpy(to + length, info, 16);
	return length + 16;
}

static void test_known_kinds(void **state)
{
	struct netvsp_packet_info info;
	uint8_t bytes[64];
	uint32_t length, value = 0;

	(void)state;
	length = append(bytes, 0, info_hash_value);
	length = append(bytes, length, info_vlan);
	length = append(bytes, length, info_checksum);
	length = append(bytes, length, info_hash_info);
	assert_null(netvsp_packet_info_parse(bytes, length, &info, &value));
	assert_int_equal(info.present, NETVSP_INFO_HASH_VALUE | NETVSP_INFO_VLAN | NETVSP_INFO_CHECKSUM |
					       NETVSP_INFO_HASH_INFO);
	assert_int_equal(info.checksum, RNDIS_CHECKSUM_TX_IPV4 | RNDIS_CHECKSUM_TX_TCP |
						34u << RNDIS_CHECKSUM_TX_OFFSET_SHIFT);
	assert_int_equal(info.vlan, 100u << RNDIS_VLAN_ID_SHIFT | 1);
	assert_int_equal(info.hash_value, 0x12345678);
	assert_int_equal(info.hash_info, 0x200);
	assert_null(netvsp_packet_info_parse(info_lso, sizeof info_lso, &info, &value));
	assert_int_equal(info.present, NETVSP_INFO_LSO);
	assert_int_equal(info.lso & RNDIS_LSO_MSS_MASK, 1460);
	assert_int_equal(info.lso >> RNDIS_LSO_OFFSET_SHIFT & 0x3ff, 34);
	assert_int_equal(info.lso & (RNDIS_LSO_V2 | RNDIS_LSO_IPV6), RNDIS_LSO_V2);
}

static void test_none(void **state)
{
	struct netvsp_packet_info info = {.present = 1};
	uint32_t value = 0;

	(void)state;
	assert_null(netvsp_packet_info_parse(NULL, 0, &info, &value));
	assert_int_equal(info.present, 0);
}

static void test_data_further_back(void **state)
{
	uint8_t bytes[24] = {24, 0, 0, 0, 8, 0, 0, 0, 20, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3};
	struct netvsp_packet_info info;
	uint32_t value = 0;

	(void)state;
	assert_null(netvsp_packet_info_parse(bytes, sizeof bytes, &info, &value));
	assert_int_equal(info.hash_value, 0x03030303);
}

static void refused(const uint8_t *bytes, uint32_t length, const char *why, uint32_t expected)
{
	struct netvsp_packet_info info;
	uint32_t value = ~expected;
	const char *fault = netvsp_packet_info_parse(bytes, length, &info, &value);

	assert_non_null(fault);
	if (strstr(fault, why) == NULL)
		fail_msg("\"%s\" does not say \"%s\"", fault, why);
	assert_int_equal(value, expected);
}

static void with_byte(uint32_t at, uint8_t byte, const char *why, uint32_t expected)
{
	uint8_t bytes[16];

	memcpy(bytes, info_hash_value, sizeof bytes);
	bytes[at] = byte;
	refused(bytes, sizeof bytes, why, expected);
}

static void test_malformed(void **state)
{
	(void)state;
	refused(info_vlan, 11, "cut", 11);
	with_byte(0, 12, "size", 12);
	with_byte(0, 17, "size", 17);
	with_byte(0, 20, "size", 20); /* beyond what there is */
	with_byte(0, 0, "size", 0);
	with_byte(8, 8, "offset", 8);
	with_byte(8, 13, "offset", 13);
	with_byte(8, 16, "offset", 16); /* no room for the data */
	with_byte(11, 0xff, "offset", 0xff00000c);
}

static void test_types_that_guests_do_not_send(void **state)
{
	static const uint8_t types[] = {1, 3, 4, 5, 7, 10, 11, 12, 0xff};

	(void)state;
	for (size_t i = 0; i < sizeof types; i++)
		with_byte(4, types[i], "type", types[i]);
	refused(info_packet_id, sizeof info_packet_id, "type", RNDIS_INFO_PACKET_ID);
}

static void test_duplicates_and_contradictions(void **state)
{
	static const uint8_t *const kinds[] = {info_checksum, info_lso, info_vlan, info_hash_value,
					       info_hash_info};
	uint8_t bytes[32];

	(void)state;
	for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
		refused(bytes, append(bytes, append(bytes, 0, kinds[i]), kinds[i]), "twice", kinds[i][4]);
	refused(bytes, append(bytes, append(bytes, 0, info_checksum), info_lso), "large send includes",
		NETVSP_INFO_CHECKSUM | NETVSP_INFO_LSO);
}

static void test_vlan_values(void **state)
{
	uint8_t bytes[16];

	(void)state;
	memcpy(bytes, info_vlan, sizeof bytes);
	bytes[14] = 1;
	refused(bytes, sizeof bytes, "unknown bits", 0x10641);
	bytes[14] = 0;
	bytes[12] = 0xf1;
	bytes[13] = 0xff;
	refused(bytes, sizeof bytes, "4095", 0xfff1);
}

static void test_built_byte_for_byte(void **state)
{
	const struct netvsp_packet_info info = {
		.present = NETVSP_INFO_VLAN | NETVSP_INFO_PACKET_ID | NETVSP_INFO_CHECKSUM |
			   NETVSP_INFO_HASH_VALUE | NETVSP_INFO_HASH_INFO | NETVSP_INFO_LSO,
		.checksum = 0x00220005,
		.lso = 0x422005b4,
		.vlan = 0x641,
		.hash_value = 0x12345678,
		.hash_info = 0x200,
		.packet_id = {1, RNDIS_PACKET_ID_SUBALLOCATION | RNDIS_PACKET_ID_FIRST, 0x1234},
	};
	uint8_t bytes[NETVSP_PACKET_INFO_MAX];

	(void)state;
	assert_int_equal(netvsp_packet_info_size(&info), sizeof bytes);
	assert_int_equal(netvsp_packet_info_build(bytes, &info), sizeof bytes);
	assert_memory_equal(bytes, info_checksum, 16);
	assert_memory_equal(bytes + 16, info_lso, 16);
	assert_memory_equal(bytes + 32, info_vlan, 16);
	assert_memory_equal(bytes + 48, info_hash_value, 16);
	assert_memory_equal(bytes + 64, info_hash_info, 16);
	assert_memory_equal(bytes + 80, info_packet_id, 16);
}

/* --- Tags ------------------------------------------------------------------------------------- */

static void test_tag_values(void **state)
{
	(void)state;
	/* TCI 0x2064: priority 1, VLAN 100; 0xf001: priority 7, DEI, VLAN 1. */
	assert_int_equal(netvsp_vlan_from_tag(0x2064), 0x641);
	assert_int_equal(netvsp_vlan_from_tag(0xf001), 0x1f);
	for (uint32_t tag = 0; tag <= 0xffff; tag++)
		assert_int_equal(netvsp_vlan_to_tag(netvsp_vlan_from_tag(tag)), tag);
}

static void test_tag_out_and_in_again(void **state)
{
	uint8_t bare[sizeof frame_tcp4_options], again[sizeof frame_tcp4_options];
	uint32_t length = sizeof frame_tcp4_options, vlan = 0;

	(void)state;
	assert_true(netvsp_tag_remove(bare, frame_tcp4_options, length, &vlan));
	assert_int_equal(vlan, 0x641);
	assert_memory_equal(bare, frame_tcp4_options, 12);
	assert_memory_equal(bare + 12, frame_tcp4_options + 16, length - 16);
	netvsp_tag_insert(again, bare, length - 4, vlan);
	assert_memory_equal(again, frame_tcp4_options, length);
	assert_false(netvsp_tag_remove(bare, frame_tcp4, sizeof frame_tcp4, &vlan));
	assert_false(netvsp_tag_remove(bare, frame_tcp4_options, 17, &vlan));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_known_kinds),
		cmocka_unit_test(test_none),
		cmocka_unit_test(test_data_further_back),
		cmocka_unit_test(test_malformed),
		cmocka_unit_test(test_types_that_guests_do_not_send),
		cmocka_unit_test(test_duplicates_and_contradictions),
		cmocka_unit_test(test_vlan_values),
		cmocka_unit_test(test_built_byte_for_byte),
		cmocka_unit_test(test_tag_values),
		cmocka_unit_test(test_tag_out_and_in_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
