/* SPDX-License-Identifier: MIT */
/* Where headers are, what checksums are, and which requests for them are right. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "host/netvsp/checksum.h"
#include "host/netvsp/offload.h"
#include "host_netvsp_frames.h"
#include "hvkit/wire/rndis.h"

#define ALL 0xffffffffu
#define IP4 RNDIS_CHECKSUM_TX_IPV4
#define IP6 RNDIS_CHECKSUM_TX_IPV6
#define TCP RNDIS_CHECKSUM_TX_TCP
#define UDP RNDIS_CHECKSUM_TX_UDP
#define HEADER RNDIS_CHECKSUM_TX_IP_HEADER
#define AT(offset) ((uint32_t)(offset) << RNDIS_CHECKSUM_TX_OFFSET_SHIFT)

#define FIND(frame) find(frame, sizeof(frame))

static struct netvsp_headers find(const uint8_t *frame, uint32_t length)
{
	struct netvsp_headers headers;

	assert_true(netvsp_headers_find(frame, length, false, &headers));
	return headers;
}

/* --- Headers ------------------------------------------------------------------------------ */

static void test_plain_headers(void **state)
{
	struct netvsp_headers headers = FIND(frame_tcp4);

	(void)state;
	assert_int_equal(headers.ip, 14);
	assert_int_equal(headers.version, 4);
	assert_int_equal(headers.protocol, 6);
	assert_int_equal(headers.source, 26);
	assert_int_equal(headers.destination, 30);
	assert_int_equal(headers.transport, 34);
	assert_int_equal(headers.payload, 54);
	assert_int_equal(headers.end, 64);
	assert_false(headers.tagged || headers.fragment || headers.extended);
	headers = FIND(frame_udp6);
	assert_int_equal(headers.version, 6);
	assert_int_equal(headers.transport, 54);
	assert_int_equal(headers.payload, 62);
	assert_int_equal(headers.end, sizeof frame_udp6);
}

static void test_tag_options_and_padding(void **state)
{
	struct netvsp_headers headers = FIND(frame_tcp4_options);

	(void)state;
	assert_true(headers.tagged && headers.extended);
	assert_int_equal(headers.ip, 18);
	assert_int_equal(headers.transport, 42);
	assert_int_equal(headers.payload, 74);
	headers = FIND(frame_udp4_padded);
	assert_int_equal(headers.end, 14 + 20 + 8 + 5);
	assert_int_equal(sizeof frame_udp4_padded, 60);
}

static void test_extension_headers(void **state)
{
	struct netvsp_headers headers = FIND(frame_udp6_extended);

	(void)state;
	assert_int_equal(headers.protocol, 17);
	assert_true(headers.extended);
	assert_int_equal(headers.transport, 54 + 8 + 24 + 24);
	assert_int_equal(headers.destination, 54 + 8 + 8);     /* the routing header's */
	assert_int_equal(headers.source, 54 + 8 + 24 + 2 + 6); /* the home address */
}

static void test_fragments_have_no_transport(void **state)
{
	struct netvsp_headers headers = FIND(frame_fragment4);

	(void)state;
	assert_true(headers.fragment);
	assert_int_equal(headers.transport, 0);
	headers = FIND(frame_fragment6);
	assert_true(headers.fragment);
	assert_int_equal(headers.protocol, 6);
	assert_int_equal(headers.transport, 0);
}

/* Every length below the whole: never anything outside of it. */
static void cut_short(const uint8_t *frame, uint32_t whole)
{
	for (uint32_t length = 0; length < whole; length++) {
		struct netvsp_headers headers;

		if (!netvsp_headers_find(frame, length, false, &headers)) {
			assert_int_equal(headers.ip, 0);
			assert_int_equal(headers.version, 0);
		}
		assert_true(headers.end <= length && headers.payload <= headers.end);
	}
}

static void test_cut_frames(void **state)
{
	struct netvsp_headers headers;

	(void)state;
	cut_short(frame_tcp4_options, sizeof frame_tcp4_options);
	cut_short(frame_udp6_extended, sizeof frame_udp6_extended);
	cut_short(frame_fragment6, sizeof frame_fragment6);
	assert_false(netvsp_headers_find(frame_tcp4, sizeof frame_tcp4 - 1, false, &headers));
}

static void test_wrong_headers(void **state)
{
	uint8_t frame[sizeof frame_tcp4];
	struct netvsp_headers headers;

	(void)state;
	memcpy(frame, frame_tcp4, sizeof frame);
	frame[14] = 0x44; /* a header of 16 bytes */
	assert_false(netvsp_headers_find(frame, sizeof frame, false, &headers));
	frame[14] = 0x65; /* the version of another type */
	assert_false(netvsp_headers_find(frame, sizeof frame, false, &headers));
	memcpy(frame, frame_tcp4, sizeof frame);
	frame[34 + 12] = 0x40; /* a TCP header of 16 bytes */
	assert_true(netvsp_headers_find(frame, sizeof frame, false, &headers));
	assert_int_equal(headers.transport, 0);
	frame[34 + 12] = 0xf0; /* longer than the packet */
	assert_true(netvsp_headers_find(frame, sizeof frame, false, &headers));
	assert_int_equal(headers.transport, 0);
}

/* --- Sums ---------------------------------------------------------------------------------- */

/* RFC 1071, section 3; the header is the example of Wikipedia's "IPv4 header checksum". */
static void test_published_sums(void **state)
{
	static const uint8_t rfc[] = {0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7};
	static const uint8_t header[] = {0x45, 0x00, 0x00, 0x73, 0x00, 0x00, 0x40, 0x00, 0x40, 0x11,
					 0x00, 0x00, 0xc0, 0xa8, 0x00, 0x01, 0xc0, 0xa8, 0x00, 0xc7};

	(void)state;
	assert_int_equal(netvsp_sum_fold(netvsp_sum(0, rfc, sizeof rfc)), 0xddf2);
	assert_int_equal(~netvsp_sum_fold(netvsp_sum(0, header, sizeof header)) & 0xffff, 0xb861);
	assert_int_equal(netvsp_sum_fold(netvsp_sum(0, rfc, 3)), 0xf201); /* 0001 + f200 */
	assert_int_equal(netvsp_sum_fold(netvsp_sum(0, rfc, 1)), 0);
}

static void expect_verified(const uint8_t *frame, uint32_t length, uint32_t expected)
{
	struct netvsp_headers headers = find(frame, length);

	assert_int_equal(netvsp_checksum_verify(frame, &headers), expected);
}

static void test_right_checksums_verify(void **state)
{
	const uint32_t tcp = RNDIS_CHECKSUM_RX_TCP_GOOD, udp = RNDIS_CHECKSUM_RX_UDP_GOOD,
		       ip = RNDIS_CHECKSUM_RX_IP_GOOD;

	(void)state;
	expect_verified(frame_tcp4, sizeof frame_tcp4, ip | tcp);
	expect_verified(frame_tcp4_options, sizeof frame_tcp4_options, ip | tcp);
	expect_verified(frame_udp4_padded, sizeof frame_udp4_padded, ip | udp);
	expect_verified(frame_udp4_ones, sizeof frame_udp4_ones, ip | udp);
	expect_verified(frame_tcp6, sizeof frame_tcp6, tcp);
	expect_verified(frame_udp6, sizeof frame_udp6, udp);
	expect_verified(frame_udp6_extended, sizeof frame_udp6_extended, udp);
	expect_verified(frame_fragment4, sizeof frame_fragment4, ip);
	expect_verified(frame_fragment6, sizeof frame_fragment6, 0);
}

/* Each bit of a frame from the IP header on, turned over, makes something fail. */
static void test_every_wrong_bit_is_seen(void **state)
{
	uint8_t frame[sizeof frame_tcp4];

	(void)state;
	for (uint32_t bit = 26 * 8; bit < sizeof frame * 8; bit++) {
		struct netvsp_headers headers;
		uint32_t failed = bit < 34 * 8 ? RNDIS_CHECKSUM_RX_IP_FAILED : RNDIS_CHECKSUM_RX_TCP_FAILED;

		memcpy(frame, frame_tcp4, sizeof frame);
		frame[bit / 8] ^= (uint8_t)(1u << (bit % 8));
		headers = FIND(frame);
		if (headers.transport == 0)
			continue; /* the header's length */
		assert_int_equal(netvsp_checksum_verify(frame, &headers) & failed, failed);
	}
}

static void test_udp_without_checksum(void **state)
{
	uint8_t frame[sizeof frame_udp6];
	uint8_t frame4[sizeof frame_udp4_padded];

	(void)state;
	memcpy(frame4, frame_udp4_padded, sizeof frame4);
	memset(frame4 + 40, 0, 2);
	expect_verified(frame4, sizeof frame4, RNDIS_CHECKSUM_RX_IP_GOOD); /* none there, none told of */
	memcpy(frame, frame_udp6, sizeof frame);
	memset(frame + 60, 0, 2);
	expect_verified(frame, sizeof frame, RNDIS_CHECKSUM_RX_UDP_FAILED); /* IPv6 has no such thing */
}

static void test_only_what_was_granted_is_reported(void **state)
{
	struct netvsp_headers tcp4 = FIND(frame_tcp4), udp6 = FIND(frame_udp6);
	uint32_t good = RNDIS_CHECKSUM_RX_IP_GOOD | RNDIS_CHECKSUM_RX_TCP_GOOD;

	(void)state;
	assert_int_equal(netvsp_checksum_report(&tcp4, good, NETVSP_OFFLOAD_RX_TCP4),
			 RNDIS_CHECKSUM_RX_TCP_GOOD);
	assert_int_equal(netvsp_checksum_report(&tcp4, good, NETVSP_OFFLOAD_RX_IP4),
			 RNDIS_CHECKSUM_RX_IP_GOOD);
	assert_int_equal(netvsp_checksum_report(&tcp4, good, ALL & ~(uint32_t)NETVSP_OFFLOAD_RX_TCP4),
			 RNDIS_CHECKSUM_RX_IP_GOOD);
	assert_int_equal(netvsp_checksum_report(&udp6, RNDIS_CHECKSUM_RX_UDP_FAILED, NETVSP_OFFLOAD_RX_UDP6),
			 RNDIS_CHECKSUM_RX_UDP_FAILED);
	assert_int_equal(netvsp_checksum_report(&udp6, RNDIS_CHECKSUM_RX_UDP_FAILED, NETVSP_OFFLOAD_RX_UDP4),
			 0);
}

/* --- Requests ------------------------------------------------------------------------------- */

/* A guest's frame: the sum of the pseudo-header, typed by hand, where the checksum belongs. */
static void expect_filled(const uint8_t *right, uint32_t length, uint32_t field, uint16_t pseudo,
			  uint32_t request, uint32_t count)
{
	struct netvsp_headers headers = find(right, length);
	uint8_t frame[256];
	uint32_t value = 0;

	memcpy(frame, right, length);
	frame[field] = (uint8_t)(pseudo >> 8);
	frame[field + 1] = (uint8_t)pseudo;
	if ((request & HEADER) != 0)
		memset(frame + headers.ip + IPV4_CHECKSUM_AT, 0, 2);
	assert_null(netvsp_checksum_check(frame, &headers, request, ALL, &value));
	assert_int_equal(netvsp_checksum_fill(frame, &headers, request), count);
	assert_memory_equal(frame, right, length);
}

static void test_requests_are_filled(void **state)
{
	(void)state;
	/* 0a07+000f+0a07+0001 + 6 + 30 = 1442 */
	expect_filled(frame_tcp4, sizeof frame_tcp4, 50, 0x1442, IP4 | TCP | AT(34), 1);
	expect_filled(frame_tcp4, sizeof frame_tcp4, 50, 0x1442, IP4 | TCP | HEADER | AT(34), 2);
	expect_filled(frame_tcp4, sizeof frame_tcp4, 50, 0x1442, IP4 | TCP, 1); /* as illumos asks */
	/* ... + 6 + 35 = 1447 */
	expect_filled(frame_tcp4_options, sizeof frame_tcp4_options, 58, 0x1447, IP4 | TCP | HEADER | AT(42),
		      2);
	/* ... + 17 + 13 = 143c */
	expect_filled(frame_udp4_padded, sizeof frame_udp4_padded, 40, 0x143c, IP4 | UDP | AT(34), 1);
	/* ... + 17 + 10 = 1439; comes out as 0 and goes out as ffff */
	expect_filled(frame_udp4_ones, sizeof frame_udp4_ones, 40, 0x1439, IP4 | UDP | AT(34), 1);
	/* 2001+0db8+0015 + 2001+0db8+0001 + 6 + 25 = 5ba7 */
	expect_filled(frame_tcp6, sizeof frame_tcp6, 70, 0x5ba7, IP6 | TCP | AT(54), 1);
	/* ... + 17 + 11 = 5ba4 */
	expect_filled(frame_udp6, sizeof frame_udp6, 60, 0x5ba4, IP6 | UDP | AT(54), 1);
	/* 2001+0db8+0077 + 2001+0db8+0099 + 17 + 11 = 5c9e */
	expect_filled(frame_udp6_extended, sizeof frame_udp6_extended, 116, 0x5c9e, IP6 | UDP | AT(110), 1);
}

static void test_ip_header_alone(void **state)
{
	struct netvsp_headers headers = FIND(frame_fragment4);
	uint8_t frame[sizeof frame_fragment4];
	uint32_t value = 0;

	(void)state;
	memcpy(frame, frame_fragment4, sizeof frame);
	frame[24] = frame[25] = 0xaa;
	assert_null(netvsp_checksum_check(frame, &headers, IP4 | HEADER, NETVSP_OFFLOAD_TX_IP4, &value));
	assert_int_equal(netvsp_checksum_fill(frame, &headers, IP4 | HEADER), 1);
	assert_memory_equal(frame, frame_fragment4, sizeof frame);
}

static void test_all_of_a_frame(void **state)
{
	struct netvsp_headers headers = FIND(frame_tcp4_options);
	uint8_t frame[sizeof frame_tcp4_options];

	(void)state;
	memcpy(frame, frame_tcp4_options, sizeof frame);
	frame[28] = frame[58] = 0x5a; /* what was there does not count */
	netvsp_checksum_make(frame, &headers);
	assert_memory_equal(frame, frame_tcp4_options, sizeof frame);
}

static void refused(const uint8_t *frame, uint32_t length, uint32_t request, uint32_t granted,
		    const char *why, uint32_t expected)
{
	struct netvsp_headers headers;
	uint32_t value = ~expected;
	const char *fault;

	netvsp_headers_find(frame, length, false, &headers);
	fault = netvsp_checksum_check(frame, &headers, request, granted, &value);
	assert_non_null(fault);
	if (strstr(fault, why) == NULL)
		fail_msg("\"%s\" does not say \"%s\"", fault, why);
	assert_int_equal(value, expected);
}

static void test_malformed_requests(void **state)
{
	static const struct {
		uint32_t request;
		const char *why;
	} cases[] = {
		{IP4 | TCP | AT(34) | 1u << 5, "unknown bits"},
		{IP4 | TCP | AT(34) | 1u << 26, "unknown bits"},
		{TCP | AT(34), "one of IPv4 and IPv6"},
		{IP4 | IP6 | TCP | AT(34), "one of IPv4 and IPv6"},
		{IP4 | TCP | UDP | AT(34), "both TCP and UDP"},
		{IP4 | AT(34), "asks for no checksum"},
		{IP6 | HEADER, "which has none"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
		refused(frame_tcp4, sizeof frame_tcp4, cases[i].request, ALL, cases[i].why, cases[i].request);
}

static void test_requests_that_do_not_fit_the_frame(void **state)
{
	uint8_t frame[sizeof frame_tcp4];

	(void)state;
	refused(frame_tcp6, sizeof frame_tcp6, IP4 | TCP | AT(54), ALL, "another IP version", 6);
	refused(frame_tcp4, 12, IP4 | TCP | AT(34), ALL, "another IP version", 0);
	refused(frame_tcp4, sizeof frame_tcp4, IP4 | UDP | AT(34), ALL, "another protocol", 6);
	refused(frame_fragment4, sizeof frame_fragment4, IP4 | UDP | AT(34), ALL, "fragment", 17);
	refused(frame_tcp4, sizeof frame_tcp4, IP4 | TCP | AT(38), ALL, "not where", 38);
	refused(frame_tcp4, sizeof frame_tcp4, IP4 | TCP | AT(14), ALL, "not where", 14);
	memcpy(frame, frame_tcp4, sizeof frame);
	frame[46] = 0xf0;
	refused(frame, sizeof frame, IP4 | TCP | AT(34), ALL, "cut or wrong", 6);
	/* The checksum itself, or nothing, instead of the pseudo-header's sum. */
	refused(frame_tcp4, sizeof frame_tcp4, IP4 | TCP | AT(34), ALL, "pseudo-header",
		(uint32_t)frame_tcp4[50] << 8 | frame_tcp4[51]);
	memcpy(frame, frame_tcp4, sizeof frame);
	memset(frame + 50, 0, 2);
	refused(frame, sizeof frame, IP4 | TCP | AT(34), ALL, "pseudo-header", 0);
}

static void test_requests_for_what_was_not_granted(void **state)
{
	static const struct {
		uint32_t request, bit;
	} cases[] = {
		{IP4 | HEADER, NETVSP_OFFLOAD_TX_IP4},        {IP4 | TCP | AT(34), NETVSP_OFFLOAD_TX_TCP4},
		{IP4 | UDP | AT(34), NETVSP_OFFLOAD_TX_UDP4}, {IP6 | TCP | AT(54), NETVSP_OFFLOAD_TX_TCP6},
		{IP6 | UDP | AT(54), NETVSP_OFFLOAD_TX_UDP6},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
		refused(frame_tcp4, sizeof frame_tcp4, cases[i].request, ALL & ~cases[i].bit, "more than",
			cases[i].request);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_plain_headers),
		cmocka_unit_test(test_tag_options_and_padding),
		cmocka_unit_test(test_extension_headers),
		cmocka_unit_test(test_fragments_have_no_transport),
		cmocka_unit_test(test_cut_frames),
		cmocka_unit_test(test_wrong_headers),
		cmocka_unit_test(test_published_sums),
		cmocka_unit_test(test_right_checksums_verify),
		cmocka_unit_test(test_every_wrong_bit_is_seen),
		cmocka_unit_test(test_udp_without_checksum),
		cmocka_unit_test(test_only_what_was_granted_is_reported),
		cmocka_unit_test(test_requests_are_filled),
		cmocka_unit_test(test_ip_header_alone),
		cmocka_unit_test(test_all_of_a_frame),
		cmocka_unit_test(test_malformed_requests),
		cmocka_unit_test(test_requests_that_do_not_fit_the_frame),
		cmocka_unit_test(test_requests_for_what_was_not_granted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
