/* SPDX-License-Identifier: MIT */
/* Large sends: which are right, and what they are cut into. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "host/netvsp/checksum.h"
#include "host/netvsp/segment.h"
#include "host_netvsp_frames.h"
#include "host_netvsp_large.h"
#include "hvkit/wire/rndis.h"

#define MTU_FRAME 1514u
#define AT(offset) ((uint32_t)(offset) << RNDIS_LSO_OFFSET_SHIFT)
#define REQUEST4 (RNDIS_LSO_V2 | AT(34))
#define REQUEST6 (RNDIS_LSO_V2 | RNDIS_LSO_IPV6 | AT(66))

static const struct netvsp_offload granted = {.offered = 0xffffffffu,
					      .granted = NETVSP_OFFLOAD_LSO4 | NETVSP_OFFLOAD_LSO6,
					      .lso_size_max = NETVSP_LSO_SIZE_MAX,
					      .lso_segments_min = 2};

static void expect_segment(const struct netvsp_segments *segments, uint32_t index, const uint8_t *expected,
			   uint32_t length)
{
	uint8_t made[2048];

	assert_int_equal(netvsp_segment_make(segments, index, made), length);
	assert_memory_equal(made, expected, length);
}

static void test_ipv4_byte_for_byte(void **state)
{
	struct netvsp_segments segments;
	uint32_t value = 0;

	(void)state;
	assert_null(netvsp_segments_begin(&segments, frame_large4, sizeof frame_large4, REQUEST4 | 10,
					  &granted, MTU_FRAME, &value));
	assert_int_equal(segments.count, 3);
	expect_segment(&segments, 0, frame_segment4_0, sizeof frame_segment4_0);
	expect_segment(&segments, 1, frame_segment4_1, sizeof frame_segment4_1);
	expect_segment(&segments, 2, frame_segment4_2, sizeof frame_segment4_2);
}

static void test_ipv6_byte_for_byte(void **state)
{
	struct netvsp_segments segments;
	uint32_t value = 0;

	(void)state;
	assert_null(netvsp_segments_begin(&segments, frame_large6, sizeof frame_large6, REQUEST6 | 13,
					  &granted, MTU_FRAME, &value));
	assert_int_equal(segments.count, 2);
	expect_segment(&segments, 0, frame_segment6_0, sizeof frame_segment6_0);
	expect_segment(&segments, 1, frame_segment6_1, sizeof frame_segment6_1);
}

/* DPDK leaves the right IP length in: taken; the checksum in the IP header is nobody's business. */
static void test_right_ip_length(void **state)
{
	struct netvsp_segments segments;
	uint8_t frame[sizeof frame_large4];
	uint32_t value = 0;

	(void)state;
	memcpy(frame, frame_large4, sizeof frame);
	frame[17] = sizeof frame - 14;
	frame[24] = 0x77;
	assert_null(netvsp_segments_begin(&segments, frame, sizeof frame, REQUEST4 | 10, &granted, MTU_FRAME,
					  &value));
	expect_segment(&segments, 2, frame_segment4_2, sizeof frame_segment4_2);
}

/* FreeBSD 11 and illumos do not say where the TCP header is. */
static void test_without_an_offset(void **state)
{
	struct netvsp_segments segments;
	uint32_t value = 0;

	(void)state;
	assert_null(netvsp_segments_begin(&segments, frame_large4, sizeof frame_large4, RNDIS_LSO_V2 | 10,
					  &granted, MTU_FRAME, &value));
	expect_segment(&segments, 1, frame_segment4_1, sizeof frame_segment4_1);
}

/* The largest, by each of some sizes: every byte once, in order, every checksum right. */
static void cut_and_compare(const uint8_t *frame, uint32_t length, uint32_t mss)
{
	struct netvsp_segments segments;
	uint32_t value = 0, taken = 54;

	assert_null(
		netvsp_segments_begin(&segments, frame, length, REQUEST4 | mss, &granted, MTU_FRAME, &value));
	assert_int_equal(segments.count, (length - 54 + mss - 1) / mss);
	for (uint32_t i = 0; i < segments.count; i++) {
		uint8_t made[MTU_FRAME];
		struct netvsp_headers headers;
		uint32_t size = netvsp_segment_make(&segments, i, made);

		assert_true(size <= 54 + mss && (size == 54 + mss || i + 1 == segments.count));
		assert_true(netvsp_headers_find(made, size, false, &headers));
		assert_int_equal(headers.end, size);
		assert_int_equal(netvsp_checksum_verify(made, &headers),
				 RNDIS_CHECKSUM_RX_IP_GOOD | RNDIS_CHECKSUM_RX_TCP_GOOD);
		assert_int_equal(netvsp_get32(made + 38), 0xfffffff8u + (taken - 54));
		assert_memory_equal(made + 54, frame + taken, size - 54);
		taken += size - 54;
	}
	assert_int_equal(taken, length);
}

static void test_longest(void **state)
{
	static const uint32_t sizes[] = {1, 536, 1459, 1460};
	uint32_t length = 54 + NETVSP_LSO_SIZE_MAX;
	uint8_t *frame = malloc(length);

	(void)state;
	assert_non_null(frame);
	memcpy(frame, frame_large4, 54);
	for (uint32_t i = 54; i < length; i++)
		frame[i] = (uint8_t)(i * 7 + i / 256);
	for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++)
		cut_and_compare(frame, length, sizes[i]);
	free(frame);
}

/* URG: the pointer counts from the segment's own first byte, and ends where the urgent bytes do. */
static void test_urgent_pointer(void **state)
{
	static const struct {
		uint8_t flag;
		uint32_t pointer;
	} expected[] = {{TCP_URG, 15}, {TCP_URG, 5}, {0, 0}};
	struct netvsp_segments segments;
	uint8_t frame[sizeof frame_large4], made[128];
	uint32_t value = 0;

	(void)state;
	memcpy(frame, frame_large4, sizeof frame);
	frame[47] |= TCP_URG;
	frame[53] = 15;
	assert_null(netvsp_segments_begin(&segments, frame, sizeof frame, REQUEST4 | 10, &granted, MTU_FRAME,
					  &value));
	for (uint32_t i = 0; i < 3; i++) {
		netvsp_segment_make(&segments, i, made);
		assert_int_equal(made[47] & TCP_URG, expected[i].flag);
		assert_int_equal(netvsp_get16(made + 52), expected[i].pointer);
	}
}

/* --- Refusals ------------------------------------------------------------------------------- */

static void refused_with(const uint8_t *frame, uint32_t length, uint32_t request,
			 const struct netvsp_offload *offload, uint32_t frame_max, const char *why,
			 uint32_t expected)
{
	struct netvsp_segments segments;
	uint32_t value = ~expected;
	const char *fault = netvsp_segments_begin(&segments, frame, length, request, offload, frame_max,
						  &value);

	assert_non_null(fault);
	if (strstr(fault, why) == NULL)
		fail_msg("\"%s\" does not say \"%s\"", fault, why);
	assert_int_equal(value, expected);
}

static void refused(uint32_t request, const char *why, uint32_t expected)
{
	refused_with(frame_large4, sizeof frame_large4, request, &granted, MTU_FRAME, why, expected);
}

static void test_refused_requests(void **state)
{
	struct netvsp_offload less = granted;

	(void)state;
	refused(AT(34) | 10, "version 1", AT(34) | 10);
	refused(REQUEST4 | RNDIS_LSO_IPV6 | 10, "another IP version", 4);
	refused(RNDIS_LSO_V2 | AT(38) | 10, "not where the TCP header is", 38);
	refused(REQUEST4, "segments of that size", 0);
	less.lso_offset_needed = true; /* OpenVMM */
	refused_with(frame_large4, sizeof frame_large4, RNDIS_LSO_V2 | 10, &less, MTU_FRAME, "not where", 0);
	refused(REQUEST4 | 1461, "longer than the MTU", 1461);
	refused(REQUEST4 | 25, "fewer segments", 1);
	less.granted = NETVSP_OFFLOAD_LSO6;
	refused_with(frame_large4, sizeof frame_large4, REQUEST4 | 10, &less, MTU_FRAME, "not turned on",
		     REQUEST4 | 10);
	less = granted;
	less.lso_segments_min = 4;
	refused_with(frame_large4, sizeof frame_large4, REQUEST4 | 10, &less, MTU_FRAME, "fewer segments", 3);
	less.lso_size_max = 24;
	refused_with(frame_large4, sizeof frame_large4, REQUEST4 | 10, &less, MTU_FRAME,
		     "NDIS_OFFLOAD allows", 25);
}

/* The tag is not counted: frames may be as long as before and have one. */
static void test_mss_bound_with_a_tag(void **state)
{
	struct netvsp_segments segments;
	uint32_t value = 0, headers = 14 + 40 + 8 + 32;

	(void)state;
	assert_null(netvsp_segments_begin(&segments, frame_large6, sizeof frame_large6, REQUEST6 | 13,
					  &granted, headers + 13, &value));
	refused_with(frame_large6, sizeof frame_large6, REQUEST6 | 13, &granted, headers + 12, "longer than",
		     13);
	refused_with(frame_large6, sizeof frame_large6, REQUEST6 | 13, &granted, headers - 1, "longer than",
		     13);
}

static void test_refused_frames(void **state)
{
	uint8_t frame[sizeof frame_large4];

	(void)state;
	refused_with(frame_udp4_padded, sizeof frame_udp4_padded, REQUEST4 | 10, &granted, MTU_FRAME,
		     "no whole TCP header", 17);
	refused_with(frame_fragment6, sizeof frame_fragment6, RNDIS_LSO_V2 | RNDIS_LSO_IPV6 | AT(62) | 10,
		     &granted, MTU_FRAME, "no whole TCP header", 6);
	refused_with(frame_large4, 10, REQUEST4 | 10, &granted, MTU_FRAME, "another IP version, or none", 0);
	memcpy(frame, frame_large4, sizeof frame);
	frame[46] = 0xf0; /* a TCP header of 60 bytes */
	refused_with(frame, sizeof frame, REQUEST4 | 10, &granted, MTU_FRAME, "no whole TCP header", 6);
	memcpy(frame, frame_large4, sizeof frame);
	frame[17] = 44;
	refused_with(frame, sizeof frame, REQUEST4 | 10, &granted, MTU_FRAME, "IP length", 58);
	memcpy(frame, frame_large4, sizeof frame);
	frame[47] |= TCP_SYN;
	refused_with(frame, sizeof frame, REQUEST4 | 10, &granted, MTU_FRAME, "SYN", 0x9b);
	frame[47] = TCP_RST;
	refused_with(frame, sizeof frame, REQUEST4 | 10, &granted, MTU_FRAME, "RST", 0x04);
	memcpy(frame, frame_large4, sizeof frame);
	frame[51]++; /* as if the length were in the sum */
	refused_with(frame, sizeof frame, REQUEST4 | 10, &granted, MTU_FRAME, "without length",
		     (uint32_t)frame[50] << 8 | frame[51]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ipv4_byte_for_byte),
		cmocka_unit_test(test_ipv6_byte_for_byte),
		cmocka_unit_test(test_right_ip_length),
		cmocka_unit_test(test_without_an_offset),
		cmocka_unit_test(test_longest),
		cmocka_unit_test(test_urgent_pointer),
		cmocka_unit_test(test_refused_requests),
		cmocka_unit_test(test_mss_bound_with_a_tag),
		cmocka_unit_test(test_refused_frames),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
