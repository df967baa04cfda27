/* SPDX-License-Identifier: MIT */
/* hvkit.cfg and load options: what is taken, and what is said of the rest. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "apps/uefi/config.h"

static struct config config;
static char error[CONFIG_ERROR_MAX];

static int begin(void **state)
{
	(void)state;
	memset(&config, 0, sizeof(config));
	strcpy(config.line, "built in");
	error[0] = '\0';
	return 0;
}

static bool read_text(const char *text)
{
	return config_read(&config, text, strlen(text), error);
}

static void refuses(const char *text, const char *part)
{
	begin(NULL);
	assert_false(read_text(text));
	if (!strstr(error, part))
		fail_msg("'%s' does not say '%s'", error, part);
}

static bool read_options(const char *text, size_t cut)
{
	uint8_t wide[8192];
	size_t bytes = 0;

	for (const char *c = text; *c; c++) {
		wide[bytes++] = (uint8_t)*c;
		wide[bytes++] = 0;
	}
	wide[bytes++] = 0;
	wide[bytes++] = 0;
	return config_read_options(&config, wide, bytes - cut, error);
}

static void each_word_is_taken(void **state)
{
	(void)state;
	assert_true(read_text(
		"# a comment\n\nline  cpus=2 -- lsvmbus ; ip \nimage /hvkit/other.elf\r\nhypervisor any"));
	assert_string_equal(config.line, "cpus=2 -- lsvmbus ; ip");
	assert_string_equal(config.image, "\\hvkit\\other.elf");
	assert_true(config.any_hypervisor);
	assert_true(read_text("hypervisor required\n"));
	assert_false(config.any_hypervisor);
}

static void what_is_not_said_stays(void **state)
{
	(void)state;
	assert_true(read_text("\xef\xbb\xbf# from Notepad\r\n"));
	assert_string_equal(config.line, "built in");
	assert_string_equal(config.image, "");
	assert_true(read_text("line"));
	assert_string_equal(config.line, "");
}

static void wrong_rows_are_named(void **state)
{
	char text[3000];

	(void)state;
	refuses("# one\nlines x\n", "line 2: 'lines' is nothing that is known here");
	refuses("\nhypervisor maybe", "line 2: 'hypervisor' takes any or required");
	refuses("image", "line 1: 'image' takes a path");
	refuses("=", "line 1: '='");
	memset(text, 'x', sizeof(text));
	memcpy(text, "line ", 5);
	text[5 + CONFIG_LINE_MAX + 1] = '\0';
	refuses(text, "line 1: 'line' takes 2047 characters");
	text[5 + CONFIG_LINE_MAX] = '\0';
	assert_true(read_text(text));
	assert_int_equal(strlen(config.line), CONFIG_LINE_MAX);
	assert_false(config_read(&config, "l\0i\0", 4, error));
	assert_non_null(strstr(error, "UTF-16"));
}

static void options_of_the_shell_are_the_line(void **state)
{
	(void)state;
	assert_true(read_options("FS0:\\EFI\\BOOT\\BOOTX64.EFI cpus=2 -- ip ", 0));
	assert_string_equal(config.line, "cpus=2 -- ip");
	assert_true(read_options("cpus=3", 2)); /* a boot entry's, without an end */
	assert_string_equal(config.line, "cpus=3");
	assert_true(read_options("bootx64.efi", 0)); /* nothing behind the name */
	assert_true(read_options("  ", 0));
	assert_true(read_options("", 2));
	assert_string_equal(config.line, "cpus=3");
}

static void options_that_are_no_words_are_none(void **state)
{
	static const uint8_t windows[] = {'W', 'I', 'N', 'D', 'O', 'W', 'S', 0, 1, 0, 0, 0},
			     odd[] = {'a', 0, 'b'}, control[] = {7, 0, 0, 0};

	(void)state;
	assert_true(config_read_options(&config, windows, sizeof(windows), error));
	assert_true(config_read_options(&config, odd, sizeof(odd), error));
	assert_true(config_read_options(&config, control, sizeof(control), error));
	assert_true(config_read_options(&config, NULL, 0, error));
	assert_string_equal(config.line, "built in");
}

static void options_have_a_most(void **state)
{
	char text[3000];

	(void)state;
	memset(text, 'y', sizeof(text));
	text[CONFIG_LINE_MAX] = '\0';
	assert_true(read_options(text, 0));
	assert_string_equal(config.line, text);
	text[CONFIG_LINE_MAX] = 'y';
	text[CONFIG_LINE_MAX + 1] = '\0';
	assert_false(read_options(text, 0));
	text[CONFIG_LINE_MAX + 1] = 'y';
	text[2999] = '\0';
	assert_false(read_options(text, 0));
	assert_non_null(strstr(error, "2047"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(each_word_is_taken, begin),
		cmocka_unit_test_setup(what_is_not_said_stays, begin),
		cmocka_unit_test_setup(wrong_rows_are_named, begin),
		cmocka_unit_test_setup(options_of_the_shell_are_the_line, begin),
		cmocka_unit_test_setup(options_that_are_no_words_are_none, begin),
		cmocka_unit_test_setup(options_have_a_most, begin),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
