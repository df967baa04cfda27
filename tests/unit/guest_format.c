/* SPDX-License-Identifier: MIT */
/* The formatter of log lines and dumps: as snprintf where both know a conversion, and
 * never past the end. */
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "guest/core/core.h"

#define LINE 64u

void hvk_switch_point(void);
void hvk_switch_point(void)
{
}

#define SAME(...)                                                                    \
	do {                                                                         \
		char ours[LINE], theirs[LINE];                                       \
		(void)snprintf(theirs, sizeof(theirs), __VA_ARGS__);                 \
		assert_ptr_equal(hvk_format(ours, sizeof(ours), __VA_ARGS__), ours); \
		assert_string_equal(ours, theirs);                                   \
	} while (0)

static void numbers(void **state)
{
	(void)state;
	SAME("%u %u", 0u, UINT32_MAX);
	SAME("%d %d %d", 0, INT32_MIN, INT32_MAX);
	SAME("%ld %lu", -1234567890L, 1234567890UL);
	SAME("%lld %llu", LLONG_MIN, ULLONG_MAX);
	SAME("%x %lx %llx", 0xdeadu, 0xbeefUL, 0x0123456789abcdefULL);
	SAME("%zu", (size_t)4096);
	SAME("<%5u> <%05u> <%2u>", 42u, 42u, 12345u);
	SAME("<%4d> <%04d> <%4d> <%04d>", -7, -7, 7, 7);
	SAME("0x%04x/0x%08llx", 0xabu, 0xabcULL);
}

static void text(void **state)
{
	char line[LINE];
	const char *volatile none = NULL;

	(void)state;
	SAME("%s and %s", "this", "that");
	SAME("%-8s|%-2s|", "left", "long");
	SAME("%c%c 100%%", 'o', 'k');
	SAME("plain");
	assert_string_equal(hvk_format(line, sizeof(line), "%s!", none), "(null)!");
}

/* A conversion that it does not know shows, and what follows is not lost. */
static void unknown(void **state)
{
	static const char *const formats[] = {"a%qb", "a%"};
	char line[LINE];

	(void)state;
	assert_string_equal(hvk_format(line, sizeof(line), formats[0]), "a?b");
	assert_string_equal(hvk_format(line, sizeof(line), formats[1]), "a?");
}

static void cut_off(void **state)
{
	char line[LINE];

	(void)state;
	for (size_t size = 1; size < 24; size++) {
		char wanted[LINE];

		memset(line, 0x55, sizeof(line));
		(void)snprintf(wanted, size, "%s %08x %u", "quarantine", 0xabcdu, 99u);
		(void)hvk_format(line, size, "%s %08x %u", "quarantine", 0xabcdu, 99u);
		assert_string_equal(line, wanted);
		for (size_t i = size; i < sizeof(line); i++)
			assert_int_equal(line[i], 0x55);
	}
	line[0] = 0x55;
	(void)hvk_format(line, 0, "%u", 1u);
	assert_int_equal(line[0], 0x55);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers),
		cmocka_unit_test(text),
		cmocka_unit_test(unknown),
		cmocka_unit_test(cut_off),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
