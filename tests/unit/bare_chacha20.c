/* SPDX-License-Identifier: MIT */
/* The random generator's block function: RFC 8439, appendix A.1, whose nonces are 0. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "ports/bare-x86_64/chacha20.h"

static void check(const uint32_t key[CHACHA20_KEY_WORDS], uint64_t number, const char *expected)
{
	uint8_t block[CHACHA20_BLOCK_BYTES];

	chacha20_block(key, number, block);
	for (unsigned i = 0; i < 32; i++) { /* half a block is enough to tell */
		char digits[3] = {expected[2 * i], expected[2 * i + 1], 0};

		assert_int_equal(block[i], strtoul(digits, NULL, 16));
	}
}

static void blocks_are_those_of_the_rfc(void **state)
{
	static const uint32_t zero[CHACHA20_KEY_WORDS] = {0};
	static const uint32_t last[CHACHA20_KEY_WORDS] = {[7] = 0x01000000};
	static const uint32_t second[CHACHA20_KEY_WORDS] = {0x0000ff00};

	(void)state;
	check(zero, 0, "76b8e0ada0f13d90405d6ae55386bd28bdd219b8a08ded1aa836efcc8b770dc7");
	check(zero, 1, "9f07e7be5551387a98ba977c732d080dcb0f29a048e3656912c6533e32ee7aed");
	check(last, 1, "3aeb5224ecf849929b9d828db1ced4dd832025e8018b8160b82284f3c949aa5a");
	check(second, 2, "72d54dfbf12ec44b362692df94137f328fea8da73990265ec1bbbea1ae9af0ca");
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(blocks_are_those_of_the_rfc)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
