/* SPDX-License-Identifier: MIT */
/* The image's libc beside the machine's: whatever the one says, the other does. */
#include <ctype.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

int image_snprintf(char *to, size_t size, const char *format, ...) __attribute__((format(printf, 3, 4)));
void *image_memcpy(void *to, const void *from, size_t size);
void *image_memmove(void *to, const void *from, size_t size);
void *image_memset(void *to, int value, size_t size);
int image_memcmp(const void *left, const void *right, size_t size);
void *image_memchr(const void *at, int value, size_t size);
size_t image_strlen(const char *text);
int image_strcmp(const char *left, const char *right);
int image_strncmp(const char *left, const char *right, size_t size);
char *image_strchr(const char *text, int c);
char *image_strstr(const char *text, const char *part);
size_t image_strspn(const char *text, const char *set);
size_t image_strcspn(const char *text, const char *set);
int image_atoi(const char *text);
int image_isxdigit(int c);
int image_isspace(int c);
int image_tolower(int c);
int image_toupper(int c);

#define SAME(...)                                                                 \
	do {                                                                      \
		char ours[64], theirs[64];                                        \
		memset(ours, '#', sizeof(ours));                                  \
		memset(theirs, '#', sizeof(theirs));                              \
		assert_int_equal(image_snprintf(ours, sizeof(ours), __VA_ARGS__), \
				 snprintf(theirs, sizeof(theirs), __VA_ARGS__));  \
		assert_memory_equal(ours, theirs, sizeof(ours));                  \
	} while (0)

static void formats_are_the_same(void **state)
{
	(void)state;
	SAME("plain, 100 %%");
	SAME("%d %i %d %d", 0, -1, INT_MAX, INT_MIN);
	SAME("%u %x %X", UINT_MAX, 0xdeadbeefu, 0xdeadbeefu);
	SAME("%ld %lu %lx", LONG_MIN, ULONG_MAX, ULONG_MAX);
	SAME("%lld %llu", LLONG_MIN, ULLONG_MAX);
	SAME("%zu|%hu|%hhx", SIZE_MAX, (unsigned short)7, (unsigned char)9);
	SAME("|%5d|%-5d|%05d|%05d|", 42, 42, 42, -42);
	SAME("|%4u|%-4u|%02x|%02x|%07llu|", 7u, 7u, 5u, 0x123u, 12345ull);
	SAME("|%8s|%-8s|%.3s|%-8.3s|%.0s|", "abcd", "abcd", "abcd", "abcd", "abcd");
	SAME("%c%c", 'a', 'Z');
	SAME("%-35s|%-4s", "x", "12345678");
	SAME("%s", "");
}

static void text_that_does_not_fit_is_cut(void **state)
{
	char text[8] = "#######";

	(void)state;
	assert_int_equal(image_snprintf(text, 5, "%s-%d", "abc", 12345), 9);
	assert_string_equal(text, "abc-");
	assert_int_equal(text[5], '#');
	assert_int_equal(image_snprintf(text, 0, "%d", 123), 3);
	assert_string_equal(text, "abc-");
	assert_int_equal(image_snprintf(NULL, 0, "%s", "abcdef"), 6);
}

static void a_string_with_a_bound_need_not_end(void **state)
{
	const char text[3] = {'a', 'b', 'c'};
	char out[8];

	(void)state;
	assert_int_equal(image_snprintf(out, sizeof(out), "%.3s", text), 3);
	assert_string_equal(out, "abc");
}

static int sign(int value)
{
	return (value > 0) - (value < 0);
}

static void strings_are_the_same(void **state)
{
	static const char *const texts[] = {"", "a", "ab", "abc", "abd", "b", "\xff", "abcabc", "cab", "aab"};
	size_t count = sizeof(texts) / sizeof(texts[0]);

	(void)state;
	for (size_t i = 0; i < count; i++) {
		assert_int_equal(image_strlen(texts[i]), strlen(texts[i]));
		assert_ptr_equal(image_strchr(texts[i], 'b'), strchr(texts[i], 'b'));
		assert_ptr_equal(image_strchr(texts[i], 0), strchr(texts[i], 0));
		for (size_t j = 0; j < count; j++) {
			assert_int_equal(sign(image_strcmp(texts[i], texts[j])),
					 sign(strcmp(texts[i], texts[j])));
			assert_int_equal(sign(image_strncmp(texts[i], texts[j], 2)),
					 sign(strncmp(texts[i], texts[j], 2)));
			assert_ptr_equal(image_strstr(texts[i], texts[j]), strstr(texts[i], texts[j]));
			assert_int_equal(image_strspn(texts[i], texts[j]), strspn(texts[i], texts[j]));
			assert_int_equal(image_strcspn(texts[i], texts[j]), strcspn(texts[i], texts[j]));
		}
	}
}

static void memory_is_moved_right_at_every_distance(void **state)
{
	(void)state;
	for (size_t size = 0; size < 40; size++) {
		for (size_t from = 0; from < 40; from++) {
			for (size_t to = 0; to < 40; to++) {
				uint8_t ours[80], theirs[80];

				for (size_t i = 0; i < sizeof(ours); i++)
					ours[i] = theirs[i] = (uint8_t)i;
				assert_ptr_equal(image_memmove(ours + to, ours + from, size), ours + to);
				memmove(theirs + to, theirs + from, size);
				assert_memory_equal(ours, theirs, sizeof(ours));
			}
		}
	}
}

static void memory_is_copied_filled_and_compared(void **state)
{
	uint8_t from[40], to[40];

	(void)state;
	for (size_t i = 0; i < sizeof(from); i++)
		from[i] = (uint8_t)(i + 100);
	for (size_t size = 0; size < 30; size++) {
		assert_ptr_equal(image_memset(to, 0x1ab, sizeof(to)), to);
		assert_int_equal(to[39], 0xab);
		assert_ptr_equal(image_memcpy(to + 3, from + 1, size), to + 3);
		assert_int_equal(to[2], 0xab);
		assert_int_equal(to[3 + size], 0xab);
		assert_int_equal(image_memcmp(to + 3, from + 1, size), 0);
		assert_int_equal(sign(image_memcmp(to + 3, from + 1, size + 1)),
				 sign(memcmp(to + 3, from + 1, size + 1)));
		assert_ptr_equal(image_memchr(from, 115, size), memchr(from, 115, size));
	}
}

static void numbers_and_letters_are_the_same(void **state)
{
	static const char *const numbers[] = {"",       "0",          "12",          "-12", "+7",
					      " \t42x", "2147483647", "-2147483648", "x"};

	(void)state;
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		assert_int_equal(image_atoi(numbers[i]), atoi(numbers[i]));
	assert_int_equal(image_atoi("99999999999999999999"), INT_MAX); /* undefined elsewhere */
	assert_int_equal(image_atoi("-99999999999999999999"), INT_MIN);
	for (int c = 0; c < 128; c++) {
		assert_int_equal(image_isxdigit(c), isxdigit(c) != 0);
		assert_int_equal(image_isspace(c), isspace(c) != 0);
		assert_int_equal(image_tolower(c), tolower(c));
		assert_int_equal(image_toupper(c), toupper(c));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(formats_are_the_same),
		cmocka_unit_test(text_that_does_not_fit_is_cut),
		cmocka_unit_test(a_string_with_a_bound_need_not_end),
		cmocka_unit_test(strings_are_the_same),
		cmocka_unit_test(memory_is_moved_right_at_every_distance),
		cmocka_unit_test(memory_is_copied_filled_and_compared),
		cmocka_unit_test(numbers_and_letters_are_the_same),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
