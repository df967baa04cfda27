/* SPDX-License-Identifier: MIT */
/* Boot scripts as they are written: what is a statement, and what is said of what is none. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "apps/netboot/script.h"

#define SUM "00112233445566778899aabbccddeeff00112233445566778899AABBCCDDEEFF"

static struct script script;
static char error[SCRIPT_ERROR_MAX];

static void parse(const char *text)
{
	error[0] = '\0';
	if (!script_parse(&script, text, strlen(text), false, error))
		fail_msg("'%s': %s", text, error);
}

static void expect_error(const char *text, const char *said)
{
	error[0] = '\0';
	assert_false(script_parse(&script, text, strlen(text), false, error));
	if (strcmp(error, said) != 0)
		fail_msg("'%s': '%s' is not '%s'", text, error, said);
}

static void expect_part(const char *text, const char *part)
{
	error[0] = '\0';
	assert_false(script_parse(&script, text, strlen(text), false, error));
	assert_true(strlen(error) < SCRIPT_ERROR_MAX);
	if (!strstr(error, part))
		fail_msg("'%.60s': '%s' does not say '%s'", text, error, part);
}

static void statement_is(uint32_t n, uint32_t line, enum script_verb verb, const char *rest)
{
	assert_true(n < script.count);
	assert_int_equal(script.statements[n].line, line);
	assert_int_equal(script.statements[n].verb, verb);
	assert_string_equal(script.statements[n].rest, rest);
}

static void every_statement_is_known(void **state)
{
	(void)state;
	parse("dhcp\nset a b c\nset a\necho\necho  two  words \nkernel k\nkernel --sha256 " SUM " k x y\n"
	      "initrd i\ninitrd --sha256 " SUM " i\nsha256 " SUM "\nitem one The first\ndefault one\n"
	      "timeout 10\nmenu Title\nlabel one\ngoto one\nexit\nboot\n");
	assert_int_equal(script.count, 18);
	statement_is(1, 2, SCRIPT_SET, "a b c");
	statement_is(3, 4, SCRIPT_ECHO, "");
	statement_is(4, 5, SCRIPT_ECHO, "two  words");
	statement_is(6, 7, SCRIPT_KERNEL, "--sha256 " SUM " k x y");
	statement_is(17, 18, SCRIPT_BOOT, "");
}

static void lines_end_as_on_any_system(void **state)
{
	(void)state;
	parse("\xef\xbb\xbf# a comment\r\n\r\n\t boot \t\r\n#boot\n   # boot\necho # is text");
	assert_int_equal(script.count, 2);
	statement_is(0, 3, SCRIPT_BOOT, "");
	statement_is(1, 6, SCRIPT_ECHO, "# is text");
	parse("");
	assert_int_equal(script.count, 0);
}

static void semicolons_count_on_a_command_line_only(void **state)
{
	static const char text[] = "echo a;b ; kernel x;y z ;boot ; boot ;";

	(void)state;
	assert_true(script_parse(&script, text, strlen(text), true, error));
	assert_int_equal(script.count, 3);
	statement_is(0, 1, SCRIPT_ECHO, "a;b");
	statement_is(1, 1, SCRIPT_KERNEL, "x;y z ;boot");
	statement_is(2, 1, SCRIPT_BOOT, "");
	parse("echo a ; boot");
	assert_int_equal(script.count, 1);
}

static void a_verb_that_is_none_is_named_with_those_there_are(void **state)
{
	(void)state;
	expect_error("boot\nchain x\n",
		     "line 2: 'chain' is not known; there are: boot, default, dhcp, echo, exit, "
		     "goto, initrd, item, kernel, label, menu, set, sha256, timeout");
	expect_part("Boot", "'Boot' is not known");
	expect_part("bootx", "'bootx' is not known");
}

static void what_a_verb_takes_is_said(void **state)
{
	(void)state;
	expect_part("boot now", "line 1: it is 'boot' and nothing else");
	expect_error("kernel", "line 1: it is 'kernel [--sha256 HEX] URL [ARGUMENTS]'");
	expect_error("kernel --sha256 " SUM, "line 1: it is 'kernel [--sha256 HEX] URL [ARGUMENTS]'");
	expect_error("\n\ninitrd a b", "line 3: initrd: one file, and nothing behind it");
	expect_error("kernel --md5 1 k", "line 1: kernel: '--md5 1 k' is not known; there is --sha256 HEX");
	expect_error("kernel --sha256 12 k", "line 1: kernel: --sha256 takes 64 hexadecimal digits");
	expect_error("sha256 x", "line 1: sha256 takes 64 hexadecimal digits");
	expect_error("timeout 3601", "line 1: timeout takes seconds, 0 (for ever) to 3600");
	expect_part("timeout 1s", "timeout takes seconds");
	expect_error("label a b", "line 1: it is 'label NAME'");
	expect_error("item a", "line 1: it is 'item LABEL TEXT'");
	expect_part("set a.b c", "is no name: letters, digits");
	expect_part("label 12345678901234567890123456789012x", "at most 32");
}

static void labels_are_there_and_once(void **state)
{
	(void)state;
	expect_error("goto a", "line 1: there is no 'label a'");
	expect_error("label b\nitem a The a\n", "line 2: there is no 'label a'");
	expect_error("default ab\nlabel a", "line 1: there is no 'label ab'");
	expect_error("label a\nboot\nlabel a", "line 1: there is more than one label 'a'");
	expect_error("label ${x}", "line 1: a label's name holds no variable");
	parse("label a\ngoto ${x}\nlabel ab");
}

static void what_is_no_text_is_refused(void **state)
{
	static const char zero[] = "boot\nec\0ho";

	(void)state;
	assert_false(script_parse(&script, zero, sizeof(zero) - 1, false, error));
	assert_string_equal(error, "line 2: byte 0x00 is no text: is this a boot script?");
	expect_part("\x7f"
		    "ELF",
		    "byte 0x7f is no text");
	expect_part("bo\rot", "byte 0x0d");
	parse("echo \xc3\xa4");
}

static void sizes_have_limits(void **state)
{
	static char text[SCRIPT_BYTES_MAX + 2];

	(void)state;
	memset(text, '\n', sizeof(text) - 1);
	parse(text + 1);
	expect_error(text, "line 1: the script is longer than 65536 bytes");
	memset(text, 'a', SCRIPT_LINE_MAX + 1);
	memcpy(text, "echo ", 5);
	text[SCRIPT_LINE_MAX + 1] = '\0';
	expect_error(text, "line 1: longer than 2047 characters");
	text[SCRIPT_LINE_MAX] = '\0';
	parse(text);
	text[0] = '\0';
	for (uint32_t i = 0; i < SCRIPT_LINES_MAX + 1; i++)
		memcpy(text + 5 * i, "boot\n", 6);
	expect_error(text, "line 1025: more than 1024 statements");
	text[5 * SCRIPT_LINES_MAX] = '\0';
	parse(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_statement_is_known),
		cmocka_unit_test(lines_end_as_on_any_system),
		cmocka_unit_test(semicolons_count_on_a_command_line_only),
		cmocka_unit_test(a_verb_that_is_none_is_named_with_those_there_are),
		cmocka_unit_test(what_a_verb_takes_is_said),
		cmocka_unit_test(labels_are_there_and_once),
		cmocka_unit_test(what_is_no_text_is_refused),
		cmocka_unit_test(sizes_have_limits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
