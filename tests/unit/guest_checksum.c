/* SPDX-License-Identifier: MIT */
/* The fast checksum against RFC 1071, word by word. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "guest/netdev/checksum.h"

static uint8_t bytes[70000];

/* Big-endian, as in the packet. */
static uint32_t plain_sum(const uint8_t *at, size_t length)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < length; i++)
		sum += i & 1 ? at[i] : (uint32_t)at[i] << 8;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint32_t)sum;
}

static uint32_t as_in_packet(uint16_t sum)
{
	uint8_t raw[2];

	memcpy(raw, &sum, 2);
	return (uint32_t)raw[0] << 8 | raw[1];
}

static void fill(uint32_t seed)
{
	for (size_t i = 0; i < sizeof(bytes); i++) {
		seed = seed * 1103515245u + 12345u;
		bytes[i] = (uint8_t)(seed >> 16);
	}
}

static void every_length_and_place(void **state)
{
	(void)state;
	fill(1);
	for (size_t length = 0; length < 200; length++) {
		for (size_t from = 0; from < 9; from++)
			assert_int_equal(as_in_packet(hvk_checksum_sum(bytes + from, length)),
					 plain_sum(bytes + from, length));
	}
	assert_int_equal(as_in_packet(hvk_checksum_sum(bytes, sizeof(bytes))),
			 plain_sum(bytes, sizeof(bytes)));
}

static void carries(void **state)
{
	(void)state;
	memset(bytes, 0xff, sizeof(bytes));
	for (size_t length = 0; length < 130; length++)
		assert_int_equal(as_in_packet(hvk_checksum_sum(bytes, length)), plain_sum(bytes, length));
	assert_int_equal(hvk_checksum_sum(bytes, 65536), 0xffff);
}

static void parts_at_odd_places(void **state)
{
	(void)state;
	fill(2);
	for (size_t first = 0; first < 70; first++) {
		uint32_t sum = hvk_checksum_sum(bytes, first);

		sum = hvk_checksum_add(sum, hvk_checksum_sum(bytes + first, 100), first & 1);
		assert_int_equal(as_in_packet(hvk_checksum_fold(sum)), plain_sum(bytes, first + 100));
	}
}

/* Typed by hand: 192.168.0.1 to 192.168.0.199, UDP, 10 bytes. */
static void a_pseudo_header(void **state)
{
	static const uint8_t addresses[8] = {192, 168, 0, 1, 192, 168, 0, 199};
	static const uint8_t whole[12] = {192, 168, 0, 1, 192, 168, 0, 199, 0, 17, 0, 10};

	(void)state;
	assert_int_equal(as_in_packet(hvk_checksum_pseudo(addresses, 8, 17, 10)), plain_sum(whole, 12));
	assert_int_equal(as_in_packet(hvk_checksum_pseudo(addresses, 8, 17, 10)), 0x8234);
	assert_int_equal(as_in_packet(hvk_checksum_pseudo(addresses, 8, 17, 0)), 0x822a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_length_and_place),
		cmocka_unit_test(carries),
		cmocka_unit_test(parts_at_odd_places),
		cmocka_unit_test(a_pseudo_header),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
