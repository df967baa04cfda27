/* SPDX-License-Identifier: MIT */
/* The RSS hash against the verification suite that Microsoft publishes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "hvkit/netdev.h"

#ifdef HVK_SWITCH_POINTS
void hvk_switch_point(void);
void hvk_switch_point(void)
{
}
#endif

static const uint8_t key[HVK_RSS_KEY_SIZE] = {0x6d, 0x5a, 0x56, 0xda, 0x25, 0x5b, 0x0e, 0xc2, 0x41, 0x67,
					      0x25, 0x3d, 0x43, 0xa3, 0x8f, 0xb0, 0xd0, 0xca, 0x2b, 0xcb,
					      0xae, 0x7b, 0x30, 0xb4, 0x77, 0xcb, 0x2d, 0xa3, 0x80, 0x30,
					      0xf2, 0x0c, 0x6a, 0x42, 0xb7, 0x3b, 0xbe, 0xac, 0x01, 0xfa};

struct vector {
	uint8_t source[16], destination[16];
	uint16_t source_port, destination_port;
	uint32_t addresses, with_ports;
};

static uint32_t hash(const struct vector *vector, uint32_t address_size, bool ports)
{
	uint8_t input[36];
	uint32_t length = 2 * address_size;

	memcpy(input, vector->source, address_size);
	memcpy(input + address_size, vector->destination, address_size);
	if (ports) {
		input[length++] = (uint8_t)(vector->source_port >> 8);
		input[length++] = (uint8_t)vector->source_port;
		input[length++] = (uint8_t)(vector->destination_port >> 8);
		input[length++] = (uint8_t)vector->destination_port;
	}
	return hvk_toeplitz(key, input, length);
}

static void check(const struct vector *vectors, size_t count, uint32_t address_size)
{
	for (size_t i = 0; i < count; i++) {
		assert_int_equal(hash(&vectors[i], address_size, false), vectors[i].addresses);
		assert_int_equal(hash(&vectors[i], address_size, true), vectors[i].with_ports);
	}
}

static void ipv4(void **state)
{
	static const struct vector vectors[] = {
		{{66, 9, 149, 187}, {161, 142, 100, 80}, 2794, 1766, 0x323e8fc2, 0x51ccc178},
		{{199, 92, 111, 2}, {65, 69, 140, 83}, 14230, 4739, 0xd718262a, 0xc626b0ea},
		{{24, 19, 198, 95}, {12, 22, 207, 184}, 12898, 38024, 0xd2d0a5de, 0x5c2b394a},
		{{38, 27, 205, 30}, {209, 142, 163, 6}, 48228, 2217, 0x82989176, 0xafc7327f},
		{{153, 39, 163, 191}, {202, 188, 127, 2}, 44251, 1303, 0x5d1809c5, 0x10e828a2},
	};

	(void)state;
	check(vectors, sizeof(vectors) / sizeof(vectors[0]), 4);
}

static void ipv6(void **state)
{
	static const struct vector vectors[] = {
		{{0x3f, 0xfe, 0x25, 0x01, 0x02, 0x00, 0x1f, 0xff, 0, 0, 0, 0, 0, 0, 0, 7},
		 {0x3f, 0xfe, 0x25, 0x01, 0x02, 0x00, 0, 3, 0, 0, 0, 0, 0, 0, 0, 1},
		 2794,
		 1766,
		 0x2cc18cd5,
		 0x40207d3d},
		{{0x3f, 0xfe, 5, 1, 0, 8, 0, 0, 2, 0x60, 0x97, 0xff, 0xfe, 0x40, 0xef, 0xab},
		 {0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1},
		 14230,
		 4739,
		 0x0f0c461c,
		 0xdde51bbf},
		{{0x3f, 0xfe, 0x19, 0, 0x45, 0x45, 0, 3, 2, 0, 0xf8, 0xff, 0xfe, 0x21, 0x67, 0xcf},
		 {0xfe, 0x80, 0, 0, 0, 0, 0, 0, 2, 0, 0xf8, 0xff, 0xfe, 0x21, 0x67, 0xcf},
		 44251,
		 38024,
		 0x4b61e985,
		 0x02d1feef},
	};

	(void)state;
	check(vectors, sizeof(vectors) / sizeof(vectors[0]), 16);
}

/* The key ends after 36 bytes of input: no more is looked at. */
static void longer_than_the_key(void **state)
{
	uint8_t input[64];

	(void)state;
	memset(input, 0xa5, sizeof(input));
	assert_int_equal(hvk_toeplitz(key, input, 0), 0);
	assert_int_equal(hvk_toeplitz(key, input, 64), hvk_toeplitz(key, input, 36));
	assert_int_not_equal(hvk_toeplitz(key, input, 36), hvk_toeplitz(key, input, 35));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ipv4),
		cmocka_unit_test(ipv6),
		cmocka_unit_test(longer_than_the_key),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
