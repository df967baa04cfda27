/* SPDX-License-Identifier: MIT */
/* Boot scripts as they run: variables, menus, jumps, and the end of it. What is done is written down. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "apps/netboot/script.h"

#define SUM "00112233445566778899aabbccddeeff00112233445566778899AABBCCDDEEFF"
#define SUM_LOWER "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"

static struct script script;
static struct script_variables variables;
static struct script_run run;
static char done[2000];     /* what the script did */
static const char *trouble; /* what the next file or sum has to say */
static uint32_t choice;     /* UINT32_MAX: the default */
static struct script_menu menu_seen;

__attribute__((format(printf, 1, 2))) static void note(const char *format, ...)
{
	size_t used = strlen(done);
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(done + used, sizeof(done) - used, format, arguments);
	va_end(arguments);
}

static void echo(void *context, const char *text)
{
	(void)context;
	note("echo(%s) ", text);
}

static const char *dhcp(void *context)
{
	(void)context;
	note("dhcp ");
	(void)script_set(&variables, "ip", "192.0.2.7");
	return NULL;
}

static const char *kernel(void *context, const char *url, const char *arguments, const char *sum)
{
	(void)context;
	note("kernel(%s|%s|%s) ", url, arguments, sum ? sum : "-");
	return trouble;
}

static const char *initrd(void *context, const char *url, const char *sum)
{
	(void)context;
	note("initrd(%s|%s) ", url, sum ? sum : "-");
	return NULL;
}

static const char *check_sum(void *context, const char *sum)
{
	(void)context;
	note("sum(%s) ", sum);
	return NULL;
}

static const char *choose(void *context, struct script_menu *menu)
{
	(void)context;
	menu_seen = *menu;
	note("menu ");
	if (choice != UINT32_MAX)
		menu->chosen = choice;
	return NULL;
}

static const char *boot(void *context)
{
	(void)context;
	note("boot");
	return NULL;
}

static enum script_end execute(const char *text)
{
	static const struct script_ops ops = {.echo = echo,
					      .dhcp = dhcp,
					      .kernel = kernel,
					      .initrd = initrd,
					      .check_sum = check_sum,
					      .choose = choose,
					      .boot = boot};
	char error[SCRIPT_ERROR_MAX];

	done[0] = '\0';
	if (!script_parse(&script, text, strlen(text), false, error))
		fail_msg("'%s': %s", text, error);
	return script_execute(&script, &variables, &ops, &run);
}

static int set_up(void **state)
{
	(void)state;
	memset(&variables, 0, sizeof(variables));
	trouble = NULL;
	choice = UINT32_MAX;
	return 0;
}

static void fails_with(const char *text, const char *said)
{
	assert_int_equal(execute(text), SCRIPT_FAILED);
	if (strcmp(run.error, said) != 0)
		fail_msg("'%s' is not '%s'", run.error, said);
}

static void statements_do_what_they_say(void **state)
{
	(void)state;
	assert_int_equal(execute("dhcp\nkernel --sha256 " SUM " http://h/k  a  b=c\ninitrd i\n"
				 "sha256 " SUM "\ninitrd --sha256 " SUM " j\nboot\necho never"),
			 SCRIPT_BOOTED);
	assert_string_equal(done, "dhcp kernel(http://h/k|a  b=c|" SUM_LOWER ") initrd(i|-) sum(" SUM_LOWER
				  ") initrd(j|" SUM_LOWER ") boot");
}

static void a_script_has_three_good_ends(void **state)
{
	(void)state;
	assert_int_equal(execute("echo a"), SCRIPT_AT_END);
	assert_int_equal(execute("exit\necho a"), SCRIPT_EXITED);
	assert_string_equal(done, "");
	assert_int_equal(execute("boot"), SCRIPT_BOOTED);
}

static void the_first_failure_ends_it_with_its_line(void **state)
{
	(void)state;
	trouble = "no such file";
	fails_with("echo a\n\nkernel k\nboot", "line 3: no such file");
	assert_string_equal(done, "echo(a) kernel(k||-) ");
}

static void variables_are_put_in_wherever_they_stand(void **state)
{
	(void)state;
	assert_int_equal(execute("dhcp\nset server http://h\nset sum " SUM
				 "\nset all --sha256 ${sum} ${server}/k\n"
				 "kernel ${all} ip=${ip} $ip ${server}${server}\nset server\n"),
			 SCRIPT_AT_END);
	assert_string_equal(done, "dhcp kernel(http://h/k|ip=192.0.2.7 $ip http://hhttp://h|" SUM_LOWER ") ");
	assert_null(script_get(&variables, "server"));
	assert_string_equal(script_get(&variables, "ip"), "192.0.2.7");
	fails_with("echo ${server}", "line 1: ${server} is not set");
	fails_with("echo ${ip", "line 1: '${ip' is not closed by '}'");
	fails_with("echo ${}", "line 1: ${} is not set");
	fails_with("set a --x ${ip}\nkernel --sha256 ${ip} k",
		   "line 2: --sha256 takes 64 hexadecimal digits");
	fails_with("set i a b\ninitrd ${i}", "line 2: one file, and nothing behind it");
	fails_with("timeout ${ip}", "line 1: timeout takes seconds, 0 to 3600");
	fails_with("goto ${ip}", "line 1: there is no such label");
}

static void variables_have_limits(void **state)
{
	char text[SCRIPT_LINE_MAX], name[16];

	(void)state;
	memset(text, 'x', sizeof(text));
	text[SCRIPT_VALUE_MAX + 1] = '\0';
	assert_string_equal(script_set(&variables, "a", text), "the value is longer than 511 characters");
	text[SCRIPT_VALUE_MAX] = '\0';
	assert_null(script_set(&variables, "a", text));
	for (uint32_t i = 1; i < SCRIPT_VARIABLES_MAX; i++) {
		snprintf(name, sizeof(name), "v%u", i);
		assert_null(script_set(&variables, name, "1"));
	}
	assert_string_equal(script_set(&variables, "b", "1"), "there are 48 variables already");
	assert_null(script_set(&variables, "v7", "another"));
	assert_null(script_set(&variables, "v9", ""));
	assert_null(script_set(&variables, "b", "1"));
	assert_string_equal(script_get(&variables, "v7"), "another");
	assert_non_null(script_set(&variables, "a b", "1"));
	assert_int_equal(execute("echo ${a}${a}${a}${a}"), SCRIPT_AT_END);
	fails_with("echo ${a}${a}${a}${a}${b}${b}${b}${b}",
		   "line 1: the line is longer than 2047 characters once its variables are in it");
}

#define MENU                                                                                         \
	"item one The first\nitem two The second\ntimeout 5\ndefault two\nmenu Which?\necho never\n" \
	"label one\necho 1\nexit\nlabel two\necho 2\nexit\n"

static void a_menu_leads_to_what_was_chosen(void **state)
{
	(void)state;
	assert_int_equal(execute(MENU), SCRIPT_EXITED);
	assert_string_equal(done, "menu echo(2) ");
	assert_string_equal(menu_seen.title, "Which?");
	assert_int_equal(menu_seen.count, 2);
	assert_int_equal(menu_seen.timeout, 5);
	assert_string_equal(menu_seen.items[0].title, "The first");
	choice = 0;
	assert_int_equal(execute(MENU), SCRIPT_EXITED);
	assert_string_equal(done, "menu echo(1) ");
	choice = 2;
	fails_with(MENU, "line 5: there is no such label");
}

static void a_menu_is_forgotten_once_it_was_shown(void **state)
{
	(void)state;
	fails_with("item a A\ntimeout 9\nmenu\nlabel a\nmenu again",
		   "line 5: the menu has no items; 'item LABEL TEXT' goes before it");
	assert_int_equal(execute("item a A\ntimeout 9\nmenu\nlabel a\nitem b B\nmenu\nlabel b\nboot"),
			 SCRIPT_BOOTED);
	assert_int_equal(menu_seen.count, 1);
	assert_int_equal(menu_seen.timeout, 0);
	assert_int_equal(menu_seen.chosen, 0);
}

static void a_menu_says_what_is_wrong_with_it(void **state)
{
	char text[4000] = "label a\n";

	(void)state;
	fails_with("label a\nitem a A\ndefault b\nlabel b",
		   "line 3: default names none of the items above it");
	for (uint32_t i = 0; i < SCRIPT_ITEMS_MAX + 1; i++)
		strcat(text, "item a A\n");
	fails_with(text, "line 37: a menu has at most 35 items");
}

static void a_circle_ends(void **state)
{
	(void)state;
	fails_with("label a\ngoto a", "line 1: 100000 statements have run: the script goes in a circle");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(statements_do_what_they_say, set_up),
		cmocka_unit_test_setup(a_script_has_three_good_ends, set_up),
		cmocka_unit_test_setup(the_first_failure_ends_it_with_its_line, set_up),
		cmocka_unit_test_setup(variables_are_put_in_wherever_they_stand, set_up),
		cmocka_unit_test_setup(variables_have_limits, set_up),
		cmocka_unit_test_setup(a_menu_leads_to_what_was_chosen, set_up),
		cmocka_unit_test_setup(a_menu_is_forgotten_once_it_was_shown, set_up),
		cmocka_unit_test_setup(a_menu_says_what_is_wrong_with_it, set_up),
		cmocka_unit_test_setup(a_circle_ends, set_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
