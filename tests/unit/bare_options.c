/* SPDX-License-Identifier: MIT */
/* The image's command line. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "apps/image/measuring.h"
#include "apps/image/options.h"
#include "hvkit/hvkit.h"

static struct image_options options;
static char error[IMAGE_ERROR_MAX];

static void parse(const char *line)
{
	if (!image_options_parse(&options, line, error))
		fail_msg("'%s': %s", line, error);
}

static void expect_error(const char *line, const char *part)
{
	memset(error, 0, sizeof(error));
	assert_false(image_options_parse(&options, line, error));
	assert_true(strlen(error) < IMAGE_ERROR_MAX);
	if (!strstr(error, part))
		fail_msg("'%s': '%s' does not say '%s'", line, error, part);
}

static void nothing_said_is_the_default(void **state)
{
	(void)state;
	parse("");
	assert_int_equal(options.cpus, 0);
	assert_false(options.boot_mode || options.nic || options.nic_said || options.seeded);
	assert_false(options.has_commands || options.console);
	assert_int_equal(options.timer, IMAGE_TIMER_DIRECT);
	assert_int_equal(options.log_level, HVK_LOG_WARN);
	assert_string_equal(options.test, "");
	parse(" \t\n");
}

static void all_words_are_taken(void **state)
{
	(void)state;
	parse("cpus=64  mode=boot nic=yes log=debug test=null seed="
	      "00112233445566778899aAbBcCdDeEfF000102030405060708090a0b0c0d0eff -- ip");
	assert_int_equal(options.cpus, 64);
	assert_true(options.boot_mode && options.nic && options.nic_said && options.seeded);
	assert_int_equal(options.seed[10], 0xaa);
	assert_int_equal(options.seed[31], 0xff);
	assert_int_equal(options.log_level, HVK_LOG_DEBUG);
	assert_string_equal(options.test, "null");
	assert_true(options.has_commands);
	assert_string_equal(options.commands, "ip");
	parse("timer=message console=yes memory=high");
	assert_true(options.high_memory);
	assert_int_equal(options.timer, IMAGE_TIMER_MESSAGE);
	assert_true(options.console);
	for (uint32_t version = 0; version < 2; version++) {
		parse(version ? "vmbus=5.3 -- ip" : "vmbus=0.13");
		assert_int_equal(options.vmbus_newest, version ? 0x50003 : 13);
	}
	assert_true(options.crash_text); /* unless told otherwise */
	parse("crash_text=no");
	assert_false(options.crash_text);
	parse("test=late:ud");
	assert_true(options.test_late);
	assert_string_equal(options.test, "ud");
	assert_int_equal(options.conformance, IMAGE_CONFORMANCE_NO);
	parse("conformance=stay");
	assert_int_equal(options.conformance, IMAGE_CONFORMANCE_STAY);
	parse("conformance=end vmbus=1.1");
	assert_int_equal(options.conformance, IMAGE_CONFORMANCE_END);
	parse("timer=apic");
	assert_int_equal(options.timer, IMAGE_TIMER_APIC);
	parse("queues=64 offloads=tso+vlan mtu=9000");
	assert_int_equal(options.driver.queues, 64);
	assert_int_equal(options.driver.offloads,
			 HVK_NETDEV_TSO4 | HVK_NETDEV_TSO6 | HVK_NETDEV_TX_VLAN | HVK_NETDEV_RX_VLAN);
	assert_int_equal(options.driver.mtu, 9000);
	parse("offloads=all mtu=68");
	assert_int_equal(options.driver.offloads, HVK_NETDEV_ALL_OFFLOADS);
	parse("freeze_max_ms=1500");
	assert_int_equal(options.freeze_max_ms, 1500);
	parse("offloads=none mtu=65521");
	assert_int_equal(options.driver.offloads, 0);
	parse("mode=system nic=no");
	assert_false(options.boot_mode || options.nic);
	assert_true(options.nic_said);
}

static void wrong_words_are_named(void **state)
{
	char line[300];

	(void)state;
	expect_error("cpus=0", "cpus=0: cpus= takes a number from 1 to 64");
	expect_error("cpus=65", "1 to 64");
	expect_error("cpus=4294967297", "1 to 64");
	expect_error("cpus=", "1 to 64");
	expect_error("cpus=2x", "1 to 64");
	expect_error("mode=bott", "boot or system");
	expect_error("vmbus=6.0", "vmbus=6.0: vmbus= takes 0.13, 1.1, 2.4,");
	expect_error("vmbus=3", "or 5.3");
	expect_error("mode=boot vmbus=4.0 -- ip", "vmbus= is for mode=system");
	expect_error("nic=maybe", "yes or no");
	expect_error("queues=0", "queues=0: queues= takes a number from 1 to 64");
	expect_error("queues=65", "1 to 64");
	expect_error("mtu=67", "68 to 65521");
	expect_error("mtu=65522", "68 to 65521");
	expect_error("freeze_max_ms=0", "1 to 3600000");
	expect_error("freeze_max_ms=3600001", "1 to 3600000");
	expect_error("offloads=", "all, none, or of checksum+");
	expect_error("offloads=tso+", "+lro+vlan+rss");
	expect_error("offloads=ts", "+lro+vlan+rss");
	expect_error("log=4", "error, warning");
	expect_error("timer=tsc", "direct, message or apic");
	expect_error("memory=4", "low or high");
	expect_error("console=", "yes or no");
	expect_error("crash_text=1", "yes or no");
	expect_error("conformance=yes", "stay or end");
	expect_error("test=", "name of a test");
	expect_error("seed=1234", "64 hexadecimal digits");
	expect_error("seed=0011223344556677889900112233445566778899001122334455667788990g11", "64 hexa");
	expect_error("quiet", "'quiet' is no word");
	expect_error("speed=3", "'speed=3' is no word");
	expect_error("=3", "'=3' is no word");
	memset(line, 'x', sizeof(line) - 1);
	line[sizeof(line) - 1] = '\0';
	expect_error(line, "too long");
}

static void expect_command(const char **at, const char *text)
{
	char command[16];
	bool whole;

	assert_true(image_next_command(at, command, sizeof(command), &whole));
	assert_true(whole);
	assert_string_equal(command, text);
}

static void commands_stand_between_semicolons(void **state)
{
	const char *at;
	char command[16];
	bool whole;

	(void)state;
	parse("--   ip ;; ping 10.0.2.2 3; ;\tstats \n");
	at = options.commands;
	expect_command(&at, "ip");
	expect_command(&at, "ping 10.0.2.2 3");
	expect_command(&at, "stats");
	assert_false(image_next_command(&at, command, sizeof(command), &whole));
	assert_false(image_next_command(&at, command, sizeof(command), &whole));
	at = ";";
	assert_false(image_next_command(&at, command, sizeof(command), &whole));
}

static void a_command_that_does_not_fit_is_told(void **state)
{
	const char *at = "0123456789abcdef ; ip";
	char command[16];
	bool whole;

	(void)state;
	assert_true(image_next_command(&at, command, sizeof(command), &whole));
	assert_false(whole);
	assert_string_equal(command, "0123456789abcde");
	expect_command(&at, "ip");
}

static void two_commands_are_the_images_own(void **state)
{
	uint32_t value = 0;

	(void)state;
	assert_int_equal(image_measure_parse("mark 255", &value), IMAGE_MEASURE_MARK);
	assert_int_equal(value, 255);
	assert_int_equal(image_measure_parse("idle  3600", &value), IMAGE_MEASURE_IDLE);
	assert_int_equal(value, 3600);
	assert_int_equal(image_measure_parse("mark 256", &value), IMAGE_MEASURE_WRONG);
	assert_int_equal(image_measure_parse("mark", &value), IMAGE_MEASURE_WRONG);
	assert_int_equal(image_measure_parse("idle 1x", &value), IMAGE_MEASURE_WRONG);
	assert_int_equal(image_measure_parse("idle 99999999999", &value), IMAGE_MEASURE_WRONG);
	assert_int_equal(image_measure_parse("marker 1", &value), IMAGE_MEASURE_NONE);
	assert_int_equal(image_measure_parse("ip", &value), IMAGE_MEASURE_NONE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(two_commands_are_the_images_own),
		cmocka_unit_test(nothing_said_is_the_default),
		cmocka_unit_test(all_words_are_taken),
		cmocka_unit_test(wrong_words_are_named),
		cmocka_unit_test(commands_stand_between_semicolons),
		cmocka_unit_test(a_command_that_does_not_fit_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
