/* SPDX-License-Identifier: MIT */
/* Where files are (names, URLs, disks), netboot's command line, and what DHCP says to boot. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "apps/net/dhcp_boot.h"
#include "apps/netboot/options.h"
#include "hvkit/port.h"

/* --- Names ----------------------------------------------------------------------------------- */

static struct location location;

static void names_say_where_a_file_is(void **state)
{
	(void)state;
	assert_null(location_parse("http://192.0.2.1:8080/a/b?c=d", &location));
	assert_int_equal(location.kind, LOCATION_NETWORK);
	assert_int_equal(location.url.port, 8080);
	assert_null(location_parse("tftp://h/a/b", &location));
	assert_int_equal(location.url.scheme, URL_TFTP);
	assert_null(location_parse("disk:12:/boot/vmlinuz", &location));
	assert_int_equal(location.kind, LOCATION_DISK);
	assert_int_equal(location.disk, 12);
	assert_string_equal(location.path, "/boot/vmlinuz");
}

static void what_is_no_place_is_told(void **state)
{
	static const char *const disks[] = {
		"disk:", "disk:/a", "disk:0", "disk:0:", "disk:0:a", "disk:0:/", "disk:x:/a"};
	char text[LOCATION_PATH_MAX + 20];

	(void)state;
	assert_string_equal(location_parse("ftp:x", &location),
			    "it begins with http://, tftp:// or disk:N:/");
	assert_non_null(location_parse("http:/", &location));
	for (size_t i = 0; i < sizeof(disks) / sizeof(disks[0]); i++) {
		const char *wrong = location_parse(disks[i], &location);

		assert_non_null(wrong);
		assert_non_null(strstr(wrong, "disk:N:/PATH"));
	}
	assert_non_null(location_parse("disk:64:/a", &location));
	assert_null(location_parse("disk:63:/a", &location));
	memset(text, 'a', sizeof(text));
	memcpy(text, "disk:0:/", 8);
	text[7 + LOCATION_PATH_MAX] = '\0';
	assert_null(location_parse(text, &location));
	text[7 + LOCATION_PATH_MAX] = 'a';
	text[8 + LOCATION_PATH_MAX] = '\0';
	assert_non_null(location_parse(text, &location));
}

static void joined(const char *base, const char *name, const char *expected)
{
	char out[LOCATION_MAX + 1];

	assert_null(location_join(base, name, out));
	assert_string_equal(out, expected);
}

static void a_name_is_beside_the_script(void **state)
{
	char long_name[LOCATION_MAX + 2], out[LOCATION_MAX + 1];

	(void)state;
	joined("http://h:80/a/b.hvk", "k", "http://h:80/a/k");
	joined("http://h/a/b.hvk?x=/y/z", "k", "http://h/a/k");
	joined("http://h/a/b.hvk", "/k", "http://h/k");
	joined("http://h/a/b.hvk", "c/k", "http://h/a/c/k");
	joined("http://h", "k", "http://h/k");
	joined("http://h?x", "k", "http://h/k");
	joined("tftp://h/b", "k", "tftp://h/k");
	joined("disk:0:/boot/s", "k", "disk:0:/boot/k");
	joined("disk:0:/boot/s", "/k", "disk:0:/k");
	joined("disk:0:/boot/s", "tftp://h/k", "tftp://h/k");
	joined("http://h/s", "disk:1:/k", "disk:1:/k");
	joined("", "http://h/k", "http://h/k");
	assert_non_null(strstr(location_join("", "k", out), "http://, tftp:// or disk:N:/"));
	memset(long_name, 'k', sizeof(long_name));
	long_name[LOCATION_MAX + 1] = '\0';
	assert_string_equal(location_join("http://h/s", long_name, out), "the name is too long");
}

/* --- The command line -------------------------------------------------------------------------- */

static struct netboot_options options;
static char error[OPTIONS_ERROR_MAX];

static void words_of_the_command_line(void **state)
{
	(void)state;
	assert_true(netboot_options_parse(&options, " \n", error));
	assert_string_equal(options.script, "");
	assert_null(options.statements);
	assert_int_equal(options.log_level, HVK_LOG_WARN);
	assert_false(options.german || options.anyway);
	assert_true(netboot_options_parse(
		&options, "script=http://h/s keys=de  log=debug handover=anyway -- boot ; x", error));
	assert_string_equal(options.script, "http://h/s");
	assert_string_equal(options.statements, " boot ; x");
	assert_int_equal(options.log_level, HVK_LOG_DEBUG);
	assert_true(options.german && options.anyway);
	assert_true(netboot_options_parse(&options, "keys=us log=error handover=stop --", error));
	assert_int_equal(options.log_level, HVK_LOG_ERROR);
	assert_false(options.german || options.anyway);
	assert_int_equal(options.wait_s, 0);
	assert_true(netboot_options_parse(&options, "wait=3600", error));
	assert_int_equal(options.wait_s, 3600);
}

static void refused(const char *line, const char *part)
{
	error[0] = '\0';
	assert_false(netboot_options_parse(&options, line, error));
	if (!strstr(error, part))
		fail_msg("'%s': '%s' does not say '%s'", line, error, part);
}

static void wrong_words_are_told(void **state)
{
	(void)state;
	refused("script=", "script= takes a URL");
	refused("script=vmlinuz", "script= takes a URL");
	refused("log=all", "log=all: log= takes error, warning, info or debug");
	refused("keys=fr", "keys= takes us or de");
	refused("handover=", "handover= takes stop or anyway");
	refused("handover=stopx", "handover= takes stop or anyway");
	refused("wait=", "wait= takes seconds, 0 to 3600");
	refused("wait=3601", "wait= takes seconds");
	refused("wait=1s", "wait= takes seconds");
	refused("quiet", "'quiet' is no word of the command line; there are script=");
	refused("=x", "'=x' is no word");
	refused("script", "'script' is no word");
	refused("boot ; --", "'boot' is no word");
}

/* --- DHCP ------------------------------------------------------------------------------------------ */

static const uint8_t none[4], next[4] = {192, 0, 2, 9}, server[4] = {192, 0, 2, 1};
static struct net_dhcp_boot boot;
static char url[DHCP_BOOT_URL_MAX + 1];

static void option(uint8_t code, const char *text, size_t length)
{
	net_dhcp_boot_option(&boot, code, (const uint8_t *)text, length);
}

static void url_is(const char *file, const uint8_t *next_server, const char *expected)
{
	assert_true(net_dhcp_boot_url(&boot, file, next_server, server, url));
	assert_string_equal(url, expected);
}

static void a_file_comes_from_whom_the_lease_names(void **state)
{
	(void)state;
	memset(&boot, 0, sizeof(boot));
	assert_false(net_dhcp_boot_url(&boot, "", next, server, url));
	url_is("a/b.hvk", next, "tftp://192.0.2.9/a/b.hvk");
	url_is("b", none, "tftp://192.0.2.1/b");
	assert_false(net_dhcp_boot_url(&boot, "b", none, none, url));
	option(DHCP_OPTION_SERVER_NAME, "boot.example", 12);
	url_is("b", next, "tftp://boot.example/b");
	option(DHCP_OPTION_FILE, "c", 1);
	url_is("b", next, "tftp://boot.example/c");
	option(DHCP_OPTION_FILE, "http://h/d\0\0", 12);
	url_is("b", next, "http://h/d");
	option(DHCP_OPTION_SCRIPT, "http://h/e", 10);
	url_is("b", next, "http://h/e");
}

static void what_is_no_text_in_dhcp_is_passed_over(void **state)
{
	char long_text[DHCP_BOOT_TEXT_MAX + 1];

	(void)state;
	memset(&boot, 0, sizeof(boot));
	option(DHCP_OPTION_SCRIPT, "\x01\x02http://h", 10); /* iPXE's own options */
	option(DHCP_OPTION_SCRIPT, "plain", 5);
	option(DHCP_OPTION_FILE, "a b", 3);
	option(DHCP_OPTION_FILE, "a\nb", 3);
	option(DHCP_OPTION_FILE, "a\0b", 3);
	option(DHCP_OPTION_FILE, "", 0);
	option(DHCP_OPTION_SERVER_NAME, "\0", 1);
	option(12, "name", 4);
	memset(long_text, 'a', sizeof(long_text));
	option(DHCP_OPTION_FILE, long_text, sizeof(long_text));
	assert_false(net_dhcp_boot_url(&boot, "a\x80", next, server, url));
	option(DHCP_OPTION_FILE, long_text, sizeof(long_text) - 1);
	assert_true(net_dhcp_boot_url(&boot, "", next, server, url));
	assert_int_equal(strlen(url), strlen("tftp://192.0.2.9/") + DHCP_BOOT_TEXT_MAX);
}

static void dhcp_is_asked_for_it(void **state)
{
	uint8_t options_out[40] = {53, 1, 1, 55, 3, 1, 3, 28, 12, 2, 'v', 'm'};
	static const uint8_t expected[] = {53, 1, 1,   55,  6,  1, 3,   28,  66,  67,  175,
					   12, 2, 'v', 'm', 77, 5, 'h', 'v', 'k', 'i', 't'};

	(void)state;
	assert_int_equal(net_dhcp_boot_ask(options_out, 12, sizeof(options_out)), sizeof(expected));
	assert_memory_equal(options_out, expected, sizeof(expected));
}

static void dhcp_is_asked_only_if_there_is_room(void **state)
{
	static const uint8_t before[] = {53, 1, 1, 55, 3, 1, 3, 28}, without[] = {53, 1, 1, 12, 1, 'a'};
	uint8_t bytes[32];

	(void)state;
	memcpy(bytes, before, sizeof(before));
	assert_int_equal(net_dhcp_boot_ask(bytes, sizeof(before), sizeof(before) + 9), sizeof(before));
	assert_memory_equal(bytes, before, sizeof(before));
	assert_int_equal(net_dhcp_boot_ask(bytes, sizeof(before), sizeof(before) + 10), sizeof(before) + 10);
	memcpy(bytes, without, sizeof(without));
	assert_int_equal(net_dhcp_boot_ask(bytes, sizeof(without), sizeof(bytes)), sizeof(without));
	bytes[3] = DHCP_OPTION_PARAMETERS; /* that ends beyond the end */
	bytes[4] = 9;
	assert_int_equal(net_dhcp_boot_ask(bytes, sizeof(without), sizeof(bytes)), sizeof(without));
	bytes[3] = DHCP_OPTION_LAST;
	assert_int_equal(net_dhcp_boot_ask(bytes, sizeof(without), sizeof(bytes)), sizeof(without));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_say_where_a_file_is),
		cmocka_unit_test(what_is_no_place_is_told),
		cmocka_unit_test(a_name_is_beside_the_script),
		cmocka_unit_test(words_of_the_command_line),
		cmocka_unit_test(wrong_words_are_told),
		cmocka_unit_test(a_file_comes_from_whom_the_lease_names),
		cmocka_unit_test(what_is_no_text_in_dhcp_is_passed_over),
		cmocka_unit_test(dhcp_is_asked_for_it),
		cmocka_unit_test(dhcp_is_asked_only_if_there_is_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
