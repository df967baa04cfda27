/* SPDX-License-Identifier: MIT */
/* Which segments are joined for the guest, and what comes out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "host/netvsp/checksum.h"
#include "host/netvsp/coalesce.h"
#include "host/netvsp/offload.h"
#include "host_netvsp_frames.h"
#include "hvkit/wire/rndis.h"

/* As those of host_netvsp_frames.h: made by Python, from port 80 to 40000. */

/* Timestamps 7 and 1, acknowledges 50, window 100, id 1, 64 hops. */
static const uint8_t frame_first4[] = {
	0x02, 0x00, 0x00, 0x00, 0x00, 0x01, 0x02, 0x00, 0x00, 0x00, 0x00, 0x02, 0x08, 0x00, 0x45,
	0x00, 0x00, 0x39, 0x00, 0x01, 0x40, 0x00, 0x40, 0x06, 0x26, 0xa1, 0x0a, 0x07, 0x00, 0x0f,
	0x0a, 0x07, 0x00, 0x01, 0x00, 0x50, 0x9c, 0x40, 0xff, 0xff, 0xff, 0xfe, 0x00, 0x00, 0x00,
	0x32, 0x80, 0x10, 0x00, 0x64, 0x9b, 0xa6, 0x00, 0x00, 0x01, 0x01, 0x08, 0x0a, 0x00, 0x00,
	0x00, 0x07, 0x00, 0x00, 0x00, 0x01, 0x61, 0x62, 0x63, 0x64, 0x65,
};

/* What comes next: timestamps 8 and 2, acknowledges 60, window 90, PSH, id 2, 63 hops. */
static const uint8_t frame_second4[] = {
	0x02, 0x00, 0x00, 0x00, 0x00, 0x01, 0x02, 0x00, 0x00, 0x00, 0x00, 0x02, 0x08, 0x00, 0x45,
	0x00, 0x00, 0x3b, 0x00, 0x02, 0x40, 0x00, 0x3f, 0x06, 0x27, 0x9e, 0x0a, 0x07, 0x00, 0x0f,
	0x0a, 0x07, 0x00, 0x01, 0x00, 0x50, 0x9c, 0x40, 0x00, 0x00, 0x00, 0x03, 0x00, 0x00, 0x00,
	0x3c, 0x80, 0x18, 0x00, 0x5a, 0x20, 0x21, 0x00, 0x00, 0x01, 0x01, 0x08, 0x0a, 0x00, 0x00,
	0x00, 0x08, 0x00, 0x00, 0x00, 0x02, 0x66, 0x67, 0x68, 0x69, 0x6a, 0x6b, 0x6c,
};

/* Both as one. */
static const uint8_t frame_joined4[] = {
	0x02, 0x00, 0x00, 0x00, 0x00, 0x01, 0x02, 0x00, 0x00, 0x00, 0x00, 0x02, 0x08, 0x00, 0x45, 0x00,
	0x00, 0x40, 0x00, 0x01, 0x40, 0x00, 0x3f, 0x06, 0x27, 0x9a, 0x0a, 0x07, 0x00, 0x0f, 0x0a, 0x07,
	0x00, 0x01, 0x00, 0x50, 0x9c, 0x40, 0xff, 0xff, 0xff, 0xfe, 0x00, 0x00, 0x00, 0x3c, 0x80, 0x18,
	0x00, 0x5a, 0x5e, 0xf0, 0x00, 0x00, 0x01, 0x01, 0x08, 0x0a, 0x00, 0x00, 0x00, 0x08, 0x00, 0x00,
	0x00, 0x02, 0x61, 0x62, 0x63, 0x64, 0x65, 0x66, 0x67, 0x68, 0x69, 0x6a, 0x6b, 0x6c,
};

/* IPv6, tagged. */
static const uint8_t frame_first6[] = {
	0x02, 0x00, 0x00, 0x00, 0x00, 0x01, 0x02, 0x00, 0x00, 0x00, 0x00, 0x02, 0x81, 0x00, 0x20, 0x64, 0x86,
	0xdd, 0x60, 0x00, 0x00, 0x00, 0x00, 0x18, 0x06, 0x09, 0x20, 0x01, 0x0d, 0xb8, 0x00, 0x00, 0x00, 0x00,
	0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x15, 0x20, 0x01, 0x0d, 0xb8, 0x00, 0x00, 0x00, 0x00, 0x00,
	0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x01, 0x00, 0x50, 0x9c, 0x40, 0x00, 0x00, 0x03, 0xe8, 0x00, 0x00,
	0x00, 0x01, 0x50, 0x10, 0x01, 0xf4, 0x4f, 0x77, 0x00, 0x00, 0x30, 0x31, 0x32, 0x33,
};

/* What comes next. */
static const uint8_t frame_second6[] = {
	0x02, 0x00, 0x00, 0x00, 0x00, 0x01, 0x02, 0x00, 0x00, 0x00, 0x00, 0x02, 0x81, 0x00, 0x20, 0x64, 0x86,
	0xdd, 0x60, 0x00, 0x00, 0x00, 0x00, 0x17, 0x06, 0x0a, 0x20, 0x01, 0x0d, 0xb8, 0x00, 0x00, 0x00, 0x00,
	0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x15, 0x20, 0x01, 0x0d, 0xb8, 0x00, 0x00, 0x00, 0x00, 0x00,
	0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x01, 0x00, 0x50, 0x9c, 0x40, 0x00, 0x00, 0x03, 0xec, 0x00, 0x00,
	0x00, 0x01, 0x50, 0x10, 0x01, 0xf4, 0x47, 0xa3, 0x00, 0x00, 0x34, 0x35, 0x36,
};

/* Both as one. */
static const uint8_t frame_joined6[] = {
	0x02, 0x00, 0x00, 0x00, 0x00, 0x01, 0x02, 0x00, 0x00, 0x00, 0x00, 0x02, 0x81, 0x00, 0x20, 0x64, 0x86,
	0xdd, 0x60, 0x00, 0x00, 0x00, 0x00, 0x1b, 0x06, 0x09, 0x20, 0x01, 0x0d, 0xb8, 0x00, 0x00, 0x00, 0x00,
	0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x15, 0x20, 0x01, 0x0d, 0xb8, 0x00, 0x00, 0x00, 0x00, 0x00,
	0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x01, 0x00, 0x50, 0x9c, 0x40, 0x00, 0x00, 0x03, 0xe8, 0x00, 0x00,
	0x00, 0x01, 0x50, 0x10, 0x01, 0xf4, 0xe5, 0x3e, 0x00, 0x00, 0x30, 0x31, 0x32, 0x33, 0x34, 0x35, 0x36,
};

#define GRANTED                                                                                        \
	(NETVSP_OFFLOAD_RSC4 | NETVSP_OFFLOAD_RSC6 | NETVSP_OFFLOAD_RX_TCP4 | NETVSP_OFFLOAD_RX_TCP6 | \
	 NETVSP_OFFLOAD_RX_IP4)
#define ROOM NETVSP_JOINED_MAX
#define IP_AT 14u
#define TCP_AT 34u
#define OPTIONS_AT 54u
#define PAYLOAD_AT 66u

static struct netvsp_coalesce *begun(const uint8_t *frame, uint32_t length)
{
	struct netvsp_coalesce *coalesce = calloc(1, sizeof *coalesce);

	assert_non_null(coalesce);
	assert_true(netvsp_coalesce_begin(coalesce, frame, length, GRANTED));
	return coalesce;
}

static void test_ipv4_byte_for_byte(void **state)
{
	struct netvsp_coalesce *coalesce = begun(frame_first4, sizeof frame_first4);

	(void)state;
	assert_true(netvsp_coalesce_add(coalesce, frame_second4, sizeof frame_second4, ROOM));
	assert_int_equal(netvsp_coalesce_finish(coalesce, true),
			 RNDIS_CHECKSUM_RX_TCP_GOOD | RNDIS_CHECKSUM_RX_IP_GOOD);
	assert_int_equal(coalesce->count, 2);
	assert_int_equal(coalesce->length, sizeof frame_joined4);
	assert_memory_equal(coalesce->bytes, frame_joined4, sizeof frame_joined4);
	free(coalesce);
}

static void test_ipv6_with_a_tag_byte_for_byte(void **state)
{
	struct netvsp_coalesce *coalesce = begun(frame_first6, sizeof frame_first6);

	(void)state;
	assert_true(netvsp_coalesce_add(coalesce, frame_second6, sizeof frame_second6, ROOM));
	assert_int_equal(netvsp_coalesce_finish(coalesce, true), RNDIS_CHECKSUM_RX_TCP_GOOD);
	assert_int_equal(coalesce->length, sizeof frame_joined6);
	assert_memory_equal(coalesce->bytes, frame_joined6, sizeof frame_joined6);
	free(coalesce);
}

/* The other way that NDIS allows: checksums verified, not made anew, and the guest told so. */
static void test_without_checksums(void **state)
{
	struct netvsp_coalesce *coalesce = begun(frame_first4, sizeof frame_first4);
	uint8_t expected[sizeof frame_joined4];

	(void)state;
	memcpy(expected, frame_joined4, sizeof expected);
	memset(expected + IP_AT + IPV4_CHECKSUM_AT, 0, 2);
	memset(expected + TCP_AT + TCP_CHECKSUM_AT, 0, 2);
	assert_true(netvsp_coalesce_add(coalesce, frame_second4, sizeof frame_second4, ROOM));
	assert_int_equal(netvsp_coalesce_finish(coalesce, false),
			 RNDIS_CHECKSUM_RX_TCP_GOOD | RNDIS_CHECKSUM_RX_IP_GOOD |
				 RNDIS_CHECKSUM_RX_TCP_INVALID | RNDIS_CHECKSUM_RX_IP_INVALID);
	assert_memory_equal(coalesce->bytes, expected, sizeof expected);
	free(coalesce);
}

static void test_one_alone_is_as_it_came(void **state)
{
	uint8_t padded[sizeof frame_first4 + 9] = {0};
	struct netvsp_coalesce *coalesce;

	(void)state;
	memcpy(padded, frame_first4, sizeof frame_first4);
	coalesce = begun(padded, sizeof padded); /* padding goes */
	assert_int_equal(netvsp_coalesce_finish(coalesce, false),
			 RNDIS_CHECKSUM_RX_TCP_GOOD | RNDIS_CHECKSUM_RX_IP_GOOD);
	assert_int_equal(coalesce->length, sizeof frame_first4);
	assert_memory_equal(coalesce->bytes, frame_first4, sizeof frame_first4);
	free(coalesce);
}

/* --- What begins nothing ---------------------------------------------------------------------- */

static void rechecksum(uint8_t *frame, uint32_t length)
{
	struct netvsp_headers headers;

	assert_true(netvsp_headers_find(frame, length, false, &headers));
	netvsp_checksum_make(frame, &headers);
}

static bool begins(const uint8_t *frame, uint32_t length, uint32_t granted)
{
	struct netvsp_coalesce *coalesce = calloc(1, sizeof *coalesce);
	bool result;

	assert_non_null(coalesce);
	result = netvsp_coalesce_begin(coalesce, frame, length, granted);
	free(coalesce);
	return result;
}

static void test_only_if_granted(void **state)
{
	(void)state;
	assert_true(begins(frame_first4, sizeof frame_first4, GRANTED & ~(uint32_t)NETVSP_OFFLOAD_RSC6));
	assert_false(begins(frame_first4, sizeof frame_first4, GRANTED & ~(uint32_t)NETVSP_OFFLOAD_RSC4));
	assert_false(begins(frame_first4, sizeof frame_first4, GRANTED & ~(uint32_t)NETVSP_OFFLOAD_RX_TCP4));
	assert_true(begins(frame_first6, sizeof frame_first6, GRANTED & ~(uint32_t)NETVSP_OFFLOAD_RSC4));
	assert_false(begins(frame_first6, sizeof frame_first6, GRANTED & ~(uint32_t)NETVSP_OFFLOAD_RSC6));
	assert_false(begins(frame_first6, sizeof frame_first6, GRANTED & ~(uint32_t)NETVSP_OFFLOAD_RX_TCP6));
}

static void test_other_packets(void **state)
{
	(void)state;
	assert_false(begins(frame_udp4_padded, sizeof frame_udp4_padded, GRANTED));
	assert_false(begins(frame_fragment4, sizeof frame_fragment4, GRANTED));
	assert_false(begins(frame_tcp4_options, sizeof frame_tcp4_options, GRANTED)); /* IP options */
	assert_false(begins(frame_first4, 20, GRANTED));
}

static void begins_not_with(uint32_t at, uint8_t byte)
{
	uint8_t frame[sizeof frame_first4];

	memcpy(frame, frame_first4, sizeof frame);
	frame[at] = byte;
	rechecksum(frame, sizeof frame);
	assert_false(begins(frame, sizeof frame, GRANTED));
}

static void test_flags_options_and_checksums(void **state)
{
	static const uint8_t flags[] = {
		TCP_FIN | TCP_ACK, TCP_SYN | TCP_ACK, TCP_RST | TCP_ACK, TCP_URG | TCP_ACK,
		TCP_ECE | TCP_ACK, TCP_CWR | TCP_ACK, TCP_PSH,           0};
	uint8_t frame[sizeof frame_first4];

	(void)state;
	for (size_t i = 0; i < sizeof flags; i++)
		begins_not_with(TCP_AT + TCP_FLAGS_AT, flags[i]);
	begins_not_with(OPTIONS_AT, 2);                  /* MSS */
	begins_not_with(OPTIONS_AT + 2, 5);              /* SACK */
	begins_not_with(IP_AT + IPV4_LENGTH_AT + 1, 52); /* nothing in it */
	memcpy(frame, frame_first4, sizeof frame);
	frame[PAYLOAD_AT] ^= 1;
	assert_false(begins(frame, sizeof frame, GRANTED));
	memcpy(frame, frame_first4, sizeof frame);
	frame[IP_AT + IPV4_CHECKSUM_AT] ^= 1;
	assert_false(begins(frame, sizeof frame, GRANTED));
}

/* --- What does not follow ----------------------------------------------------------------------- */

/* The second segment with one byte changed (and right checksums) is left alone, and so is the packet. */
static void follows_not_with(uint32_t at, uint8_t byte)
{
	struct netvsp_coalesce *coalesce = begun(frame_first4, sizeof frame_first4);
	uint8_t frame[sizeof frame_second4];

	memcpy(frame, frame_second4, sizeof frame);
	assert_int_not_equal(frame[at], byte);
	frame[at] = byte;
	rechecksum(frame, sizeof frame);
	assert_false(netvsp_coalesce_add(coalesce, frame, sizeof frame, ROOM));
	assert_int_equal(coalesce->count, 1);
	netvsp_coalesce_finish(coalesce, true);
	assert_memory_equal(coalesce->bytes, frame_first4, sizeof frame_first4);
	free(coalesce);
}

static void test_another_flow(void **state)
{
	(void)state;
	follows_not_with(0, 4); /* Ethernet addresses */
	follows_not_with(11, 9);
	follows_not_with(IP_AT + 15, 9); /* IP addresses */
	follows_not_with(IP_AT + 19, 9);
	follows_not_with(TCP_AT + 1, 81); /* ports */
	follows_not_with(TCP_AT + 3, 9);
}

static void test_other_headers(void **state)
{
	(void)state;
	follows_not_with(IP_AT + 1, 1);                    /* ECN */
	follows_not_with(IP_AT + IPV4_FRAGMENT_AT, 0);     /* DF */
	follows_not_with(TCP_AT + TCP_SEQUENCE_AT + 3, 4); /* a gap */
	follows_not_with(TCP_AT + TCP_SEQUENCE_AT + 3, 2); /* again */
	follows_not_with(TCP_AT + TCP_ACKNOWLEDGMENT_AT + 3, 49);
	follows_not_with(OPTIONS_AT + 7, 6); /* an older timestamp */
	follows_not_with(TCP_AT + TCP_FLAGS_AT, TCP_ACK | TCP_FIN);
}

static void test_other_shape(void **state)
{
	struct netvsp_coalesce *coalesce = begun(frame_first4, sizeof frame_first4);

	(void)state;
	assert_false(netvsp_coalesce_add(coalesce, frame_tcp4, sizeof frame_tcp4, ROOM)); /* no timestamps */
	assert_false(netvsp_coalesce_add(coalesce, frame_second6, sizeof frame_second6, ROOM));
	assert_false(netvsp_coalesce_add(coalesce, frame_first4, sizeof frame_first4, ROOM));
	assert_false(netvsp_coalesce_add(coalesce, frame_second4, sizeof frame_second4 - 1, ROOM));
	free(coalesce);
}

static void test_another_tag(void **state)
{
	struct netvsp_coalesce *coalesce = begun(frame_first6, sizeof frame_first6);
	uint8_t frame[sizeof frame_second6];

	(void)state;
	memcpy(frame, frame_second6, sizeof frame);
	frame[15] ^= 1;
	assert_false(netvsp_coalesce_add(coalesce, frame, sizeof frame, ROOM));
	frame[15] ^= 1;
	frame[19] ^= 1; /* the flow label */
	assert_false(netvsp_coalesce_add(coalesce, frame, sizeof frame, ROOM));
	frame[19] ^= 1;
	assert_true(netvsp_coalesce_add(coalesce, frame, sizeof frame, ROOM));
	free(coalesce);
}

static void test_room(void **state)
{
	struct netvsp_coalesce *coalesce = begun(frame_first4, sizeof frame_first4);

	(void)state;
	assert_false(
		netvsp_coalesce_add(coalesce, frame_second4, sizeof frame_second4, sizeof frame_joined4 - 1));
	assert_true(netvsp_coalesce_add(coalesce, frame_second4, sizeof frame_second4, sizeof frame_joined4));
	free(coalesce);
}

/* As many as fit into an IP packet, and not one more. */
static void test_until_the_ip_length_ends(void **state)
{
	static uint8_t frame[IP_AT + 1500];
	struct netvsp_coalesce *coalesce = NULL;
	uint32_t count = 0, sequence = 5;

	(void)state;
	memcpy(frame, frame_first4, PAYLOAD_AT);
	netvsp_put16(frame + IP_AT + IPV4_LENGTH_AT, 1500);
	for (;; count++, sequence += 1448) {
		netvsp_put32(frame + TCP_AT + TCP_SEQUENCE_AT, sequence);
		rechecksum(frame, sizeof frame);
		if (coalesce == NULL)
			coalesce = begun(frame, sizeof frame);
		else if (!netvsp_coalesce_add(coalesce, frame, sizeof frame, ROOM))
			break;
	}
	assert_int_equal(count, (65535 - 52) / 1448);
	assert_int_equal(coalesce->count, count);
	netvsp_coalesce_finish(coalesce, true);
	assert_int_equal(netvsp_get16(coalesce->bytes + IP_AT + IPV4_LENGTH_AT), 52 + 1448 * count);
	free(coalesce);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ipv4_byte_for_byte),
		cmocka_unit_test(test_ipv6_with_a_tag_byte_for_byte),
		cmocka_unit_test(test_without_checksums),
		cmocka_unit_test(test_one_alone_is_as_it_came),
		cmocka_unit_test(test_only_if_granted),
		cmocka_unit_test(test_other_packets),
		cmocka_unit_test(test_flags_options_and_checksums),
		cmocka_unit_test(test_another_flow),
		cmocka_unit_test(test_other_headers),
		cmocka_unit_test(test_other_shape),
		cmocka_unit_test(test_another_tag),
		cmocka_unit_test(test_room),
		cmocka_unit_test(test_until_the_ip_length_ends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
