/* SPDX-License-Identifier: MIT */
/* The command line: what is taken, and what one line says about the rest. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "apps/hvkit/options.h"
#include "apps/hvkit/suggest.h"
#include "hvkit/wire/vmbus.h"
#include "hvkit_host/quirk.h"

#define WORDS_MAX 40

/* Splits at '|', so that words may hold spaces. */
static bool parse(const char *line, struct cli_options *options, char *error)
{
	static char text[4096];
	char *words[WORDS_MAX + 1] = {"hvkit"}, *rest;
	int count = 1;

	snprintf(text, sizeof(text), "%s", line);
	for (char *word = strtok_r(text, "|", &rest); word; word = strtok_r(NULL, "|", &rest)) {
		assert_true(count < WORDS_MAX);
		words[count++] = word;
	}
	memset(error, 0, CLI_ERROR_MAX);
	return cli_options_parse(count, words, options, error);
}

static void assert_taken(const char *line, struct cli_options *options)
{
	char error[CLI_ERROR_MAX];

	if (!parse(line, options, error))
		fail_msg("%s: %s", line, error);
}

static void assert_wrong(const char *line, const char *says)
{
	struct cli_options options;
	char error[CLI_ERROR_MAX];

	if (parse(line, &options, error))
		fail_msg("%s: taken", line);
	if (!strstr(error, says))
		fail_msg("%s: \"%s\" does not say \"%s\"", line, error, says);
	if (strchr(error, '\n'))
		fail_msg("%s: more than one line", line);
	cli_options_free(&options);
}

static void defaults(void **state)
{
	struct cli_options options;

	(void)state;
	assert_taken("run|--|lsvmbus", &options);
	assert_int_equal(options.action, CLI_RUN);
	assert_int_equal(options.cpus, 1);
	assert_string_equal(options.host.name, "ws2022");
	assert_int_equal(options.host.accept_newest, options.host.newest_version);
	assert_int_equal(options.nic, CLI_NIC_USER);
	assert_false(options.boot_mode || options.seeded || options.quiet);
	assert_int_equal(options.silence, HVH_SILENCE_NONE);
	assert_null(options.trace);
	assert_null(options.summary);
	assert_int_equal(options.command_count, 1);
	assert_string_equal(options.commands[0], "lsvmbus");
	cli_options_free(&options);
}

static void every_option(void **state)
{
	struct cli_options options;

	(void)state;
	assert_taken("run|--cpus|3|--host|ws2012r2|--vmbus-max|2.4|--boot-mode|--nic|user,tcp=80,tcp=8080,"
		     "udp=53,tftp=/,restrict|"
		     "--silent|nvs-init|--trace|t.pcapng|--summary=s.json|--quiet|--|ip",
		     &options);
	assert_int_equal(options.cpus, 3);
	assert_string_equal(options.host.name, "ws2012r2");
	assert_int_equal(options.host.newest_version, VMBUS_VERSION_3_0);
	assert_int_equal(options.host.accept_newest, VMBUS_VERSION_2_4);
	assert_true(options.boot_mode && options.quiet);
	assert_int_equal(options.user.loopback_tcp[0], 80);
	assert_int_equal(options.user.loopback_tcp[1], 8080);
	assert_int_equal(options.user.loopback_tcp[2], 0);
	assert_int_equal(options.user.loopback_udp[0], 53);
	assert_string_equal(options.user.tftp_directory, "/");
	assert_true(options.user.restricted);
	assert_int_equal(options.silence, HVH_SILENCE_NVS_INIT);
	assert_string_equal(options.trace, "t.pcapng");
	assert_string_equal(options.summary, "s.json");
	cli_options_free(&options);

	assert_taken("run|--seed=0x10|--|ip", &options);
	assert_true(options.seeded);
	assert_int_equal(options.seed, 16);
	assert_int_equal(options.nic, CLI_NIC_SIM); /* what goes with virtual time */
	cli_options_free(&options);
	assert_taken("run|--seed|18446744073709551615|--nic|none|ip", &options);
	assert_int_equal(options.nic, CLI_NIC_NONE);
	cli_options_free(&options);
}

static void assert_wrong_mac(const char *mac)
{
	char line[100];

	snprintf(line, sizeof(line), "run|--nic|tap,mac=%s|--|ip", mac);
	assert_wrong(line, "hardware address of one card");
}

static void cards(void **state)
{
	static const uint8_t mac[] = {0x02, 0xab, 0xcd, 0xef, 0, 0x10};
	struct cli_options options;

	(void)state;
	assert_taken(
		"run|--nic|tap,ifname=tap0,netns=lab,queues=4,mtu=9000,mac=02:aB:cd:EF:00:10,pcap=f.pcapng,"
		"without=lso+rsc+udp|--|ip",
		&options);
	assert_int_equal(options.nic, CLI_NIC_TAP);
	assert_string_equal(options.tap.name, "tap0");
	assert_string_equal(options.tap.netns, "lab");
	assert_int_equal(options.tap.queues, 4);
	assert_int_equal(options.tap.mtu, 9000);
	assert_int_equal(options.card.queues_max, 4);
	assert_int_equal(options.card.mtu_max, 9000);
	assert_memory_equal(options.card.mac, mac, sizeof(mac));
	assert_int_equal(options.card.without, HVH_NIC_NO_LSO | HVH_NIC_NO_RSC | HVH_NIC_NO_UDP);
	assert_string_equal(options.pcap, "f.pcapng");
	cli_options_free(&options);

	/* The last one counts, and nothing of the one before. */
	assert_taken("run|--nic|user,tcp=80,tftp=/,restrict,mtu=2000,pcap=a|--nic|tap|--|ip", &options);
	assert_null(options.pcap);
	assert_null(options.tap.name);
	assert_int_equal(options.card.mtu_max, 0);
	assert_int_equal(options.user.loopback_tcp[0], 0);
	assert_null(options.tftp_directory);
	cli_options_free(&options);
	assert_taken("run|--nic|sim,without=all|--|ip", &options);
	assert_int_equal(options.card.without, HVH_NIC_NO_OFFLOADS);
	cli_options_free(&options);
	assert_wrong_mac("");
	assert_wrong_mac("00:15:5d:00:07");
	assert_wrong_mac("00:15:5d:00:07:0");
	assert_wrong_mac("00:15:5d:00:07:01:02");
	assert_wrong_mac("00-15-5d-00-07-01");
	assert_wrong_mac("01:15:5d:00:07:01"); /* a group's */
	assert_wrong_mac("00:00:00:00:00:00");
}

static void keyboard_and_components(void **state)
{
	struct cli_options options;

	(void)state;
	assert_taken("run|--|ip", &options);
	assert_false(options.keyboard || options.mouse || options.utilities || options.second_card);
	cli_options_free(&options);
	assert_taken(
		"run|--input|all|--utilities|all|--kvp-file|k|--guest-dir|/|--freeze-max|3|--nic|sim,second",
		&options);
	assert_true(options.keyboard && options.mouse && options.second_card);
	assert_int_equal(options.utilities, HVH_UTILITIES_ALL);
	assert_string_equal(options.kvp_file, "k");
	assert_string_equal(options.guest_dir, "/");
	assert_int_equal(options.freeze_max_ms, 3000);
	cli_options_free(&options);
	assert_taken("run|--input|mouse|--utilities|shutdown+vss|--nic|sim,second|--nic|sim", &options);
	assert_true(options.mouse && !options.keyboard && !options.second_card);
	assert_int_equal(options.utilities, HVH_UTILITY_SHUTDOWN | HVH_UTILITY_VSS);
	cli_options_free(&options);
	assert_wrong("run|--input|keys", "keyboard+mouse, not 'keys'");
	assert_wrong("run|--input=", "--input must be");
	assert_wrong("run|--utilities|shutdown,kvp", "joined by '+'");
	assert_wrong("run|--utilities|shutdown+", "joined by '+'");
	assert_wrong("run|--kvp-file|k", "--utilities kvp");
	assert_wrong("run|--kvp-file|k|--utilities|vss", "--utilities kvp");
	assert_wrong("run|--kvp-file=", "name of a file");
	assert_wrong("run|--guest-dir|/no/such", "No such file");
	assert_wrong("run|--guest-dir|/dev/null", "not a directory");
	assert_wrong("run|--accel|kvm|--guest-dir|/", "--accel hosted");
	assert_wrong("run|--freeze-max|1", "--utilities vss");
	assert_wrong("run|--utilities|vss|--freeze-max|0", "1 to 3600");
	assert_wrong("run|--utilities|vss|--freeze-max|3601", "1 to 3600");
	assert_wrong("run|--accel|kvm|--kernel|k|--utilities|vss|--freeze-max|2", "hvkit's own guest");
}

static void the_driver(void **state)
{
	struct cli_options options;

	(void)state;
	assert_taken("run|--queues|4|--offloads|tso+rss|--mtu|9000|--|ip", &options);
	assert_int_equal(options.driver.queues, 4);
	assert_int_equal(options.driver.offloads, HVK_NETDEV_TSO4 | HVK_NETDEV_TSO6 | HVK_NETDEV_RSS);
	assert_int_equal(options.driver.mtu, 9000);
	assert_string_equal(options.offloads, "tso+rss");
	cli_options_free(&options);
	assert_taken("run|--offloads|all|--|ip", &options);
	assert_int_equal(options.driver.offloads, HVK_NETDEV_ALL_OFFLOADS);
	cli_options_free(&options);
	assert_wrong("run|--queues|0|--|ip", "1 to 64");
	assert_wrong("run|--queues|65|--|ip", "1 to 64");
	assert_wrong("run|--mtu|67|--|ip", "68 to 65521");
	assert_wrong("run|--mtu|65522|--|ip", "68 to 65521");
	assert_wrong("run|--offloads|lso|--|ip", "checksum+tx-checksum");
	assert_wrong("run|--nic|none|--mtu|1500|--|ip", "--nic none is none");
	assert_wrong("run|--accel|kvm|--kernel|bzImage|--queues|4", "hvkit's own guest");
}

static void commands_are_cut_at_semicolons(void **state)
{
	struct cli_options options;

	(void)state;
	assert_taken("run|--|ping|10.0.2.2|3|;|ip; time ;|;;| help|--x", &options);
	assert_int_equal(options.command_count, 4);
	assert_string_equal(options.commands[0], "ping 10.0.2.2 3");
	assert_string_equal(options.commands[1], "ip");
	assert_string_equal(options.commands[2], "time");
	assert_string_equal(options.commands[3], "help --x");
	cli_options_free(&options);
	assert_taken("run|--|a\n;b\tc", &options);
	assert_int_equal(options.command_count, 2);
	assert_string_equal(options.commands[1], "b c");
	cli_options_free(&options);
}

static void no_commands(void **state)
{
	(void)state;
	assert_wrong("run|--", "no command");
	assert_wrong("run|--| ; ;;", "no command");
}

static void other_actions(void **state)
{
	struct cli_options options;

	(void)state;
	assert_taken("--help", &options);
	assert_int_equal(options.action, CLI_HELP);
	assert_taken("--version", &options);
	assert_int_equal(options.action, CLI_SHOW_VERSION);
	assert_taken("hosts", &options);
	assert_int_equal(options.action, CLI_OTHER);
	assert_string_equal(options.about->name, "hosts");
	assert_taken("hosts|--help", &options);
	assert_int_equal(options.action, CLI_ACTION_HELP);
	assert_taken("help|run", &options);
	assert_int_equal(options.action, CLI_RUN_HELP);
	assert_taken("help|doctor", &options);
	assert_int_equal(options.action, CLI_ACTION_HELP);
	assert_string_equal(options.about->name, "doctor");
	assert_wrong("help|doctr", "did you mean 'doctor'");
	assert_wrong("help|run|hosts", "one argument");
	assert_taken("run|--cpus|2|--help", &options);
	assert_int_equal(options.action, CLI_RUN_HELP);
	assert_wrong("", "what is to be done");
	assert_wrong("rum", "did you mean 'run'");
	assert_wrong("--hepl", "did you mean '--help'");
	assert_wrong("frobnicate", "there are: run, trace, hosts, doctor");
	assert_wrong("hosts|ws2022", "takes no argument");
	assert_wrong("--version|now", "takes no argument");
}

static void console_options(void **state)
{
	struct cli_options options;

	(void)state;
	assert_taken("run", &options);
	assert_int_equal(options.command_count, 0);
	assert_null(options.script);
	assert_false(options.inspect);
	assert_int_equal(options.color, STYLE_AUTO);
	cli_options_free(&options);
	assert_taken("run|--script|-|--inspect|--color|never", &options);
	assert_string_equal(options.script, "-");
	assert_true(options.inspect);
	assert_int_equal(options.color, STYLE_NEVER);
	cli_options_free(&options);
	assert_wrong("run|--script|x|--|ip", "do not go together");
	assert_wrong("run|--script=|--|ip", "name of a file");
	assert_wrong("run|--color|neve|--|ip", "did you mean 'never'");
	assert_wrong("run|--inspect=yes|--|ip", "takes no value");
}

/* The host's habits: set whatever the order of the options, refused by name or value. */
static void quirks(void **state)
{
	const struct hvh_quirk *quirk = hvh_quirk_find("torndown-withheld");
	char value[HVH_QUIRK_VALUE_MAX];
	struct cli_options options;

	(void)state;
	assert_taken("run|--quirk|torndown-withheld=always|--host|ws2022|--|ip", &options);
	hvh_quirk_value(&options.host, quirk, value, sizeof(value));
	assert_string_equal(value, "always");
	cli_options_free(&options);
	assert_taken("run|--host|ws2012r2|--quirk=torndown-withheld=never|--|ip", &options);
	hvh_quirk_value(&options.host, quirk, value, sizeof(value));
	assert_string_equal(value, "never");
	cli_options_free(&options);
	assert_wrong("run|--quirk|torndown-withheld|--|ip", "NAME=VALUE");
	assert_wrong("run|--quirk|torndown-withheld=maybe|--|ip", "--quirk: ");
	assert_wrong("run|--quirk|torndown-witheld=never|--|ip", "--quirk: ");
}

static void wrong_options(void **state)
{
	(void)state;
	assert_wrong("run|--hots|ws2022|--|ip", "did you mean '--host'");
	assert_wrong("run|--hots=ws2022|--|ip", "did you mean '--host'");
	assert_wrong("run|-x|--|ip", "there are: --host, --quirk");
	assert_wrong("run|--host", "needs a value");
	assert_wrong("run|--host|--|ip", "needs a value");
	assert_wrong("run|--quiet=yes|--|ip", "takes no value");
	assert_wrong("run|--host|ws2012r|--|ip", "did you mean 'ws2012");
	assert_wrong("run|--host|windows|--|ip", "there are: ws2008, ws2008r2, ws2012, ws2012r2");
	assert_wrong("run|--cpus|0|--|ip", "1 to 64");
	assert_wrong("run|--cpus|65|--|ip", "1 to 64");
	assert_wrong("run|--cpus|two|--|ip", "1 to 64");
	assert_wrong("run|--cpus|2x|--|ip", "1 to 64");
	assert_wrong("run|--cpus|-1|--|ip", "1 to 64");
	assert_wrong("run|--vmbus-max|6.0|--|ip", "there are: 0.13, 1.1, 2.4");
	assert_wrong("run|--vmbus-max|5.3|--host|ws2012|--|ip", "VMBus up to 2.4");
	assert_wrong("run|--seed|x|--|ip", "--seed must be");
	assert_wrong("run|--seed|18446744073709551616|--|ip", "--seed must be");
	assert_wrong("run|--seed|1|--nic|user|--|ip", "--nic sim");
	assert_wrong("run|--silent|nvsinit|--|ip", "did you mean 'nvs-init'");
	assert_wrong("run|--silent|never|--|ip", "there are: contact");
	assert_wrong("run|--trace=|--|ip", "needs the name of a file");
	assert_wrong("run|--trace|x|--summary|x|--|ip", "same file");
	assert_wrong("run|--a\nb|--|ip", "--a?b");
}

static void wrong_cards(void **state)
{
	(void)state;
	assert_wrong("run|--nic|usr|--|ip", "did you mean 'user'");
	assert_wrong("run|--nic|,|--|ip", "there are: user, tap, sim, none");
	assert_wrong("run|--nic|user,tcp|--|ip", "there are: tcp=PORT");
	assert_wrong("run|--nic|user,tcp=0|--|ip", "1 to 65535");
	assert_wrong("run|--nic|user,udp=65536|--|ip", "1 to 65535");
	assert_wrong("run|--nic|user,tcp=http|--|ip", "1 to 65535");
	assert_wrong("run|--nic|user,tftp=/nowhere/at/all|--|ip", "No such file");
	assert_wrong("run|--nic|user,tftp=/dev/null|--|ip", "not a directory");
	assert_wrong("run|--nic|sim,restrict|--|ip",
		     "'restrict' is not known; there are: queues=N, mtu=BYTES");
	assert_wrong("run|--nic|none,mtu=1500|--|ip", "no further values");
	assert_wrong("run|--nic|user,restrict=1|--|ip", "there are: tcp=PORT");
	assert_wrong("run|--nic|user,ifname=tap0|--|ip", "there are: tcp=PORT");
	assert_wrong("run|--nic|tap,tcp=80|--|ip", "there are: ifname=NAME, netns=NAME, queues=N");
	assert_wrong("run|--nic|tap,ifname=|--|ip", "is empty");
	assert_wrong("run|--nic|tap,netns=|--|ip", "is empty");
	assert_wrong("run|--nic|tap,queues=0|--|ip", "1 to 64");
	assert_wrong("run|--nic|tap,queues=65|--|ip", "1 to 64");
	assert_wrong("run|--nic|tap,mtu=1499|--|ip", "1500 to 9000");
	assert_wrong("run|--nic|user,mtu=9001|--|ip", "1500 to 9000");
	assert_wrong("run|--nic|user,pcap=|--|ip", "name of a file");
	assert_wrong("run|--nic|user,without=lo|--|ip", "did you mean 'lso'");
	assert_wrong("run|--nic|user,without=lso+|--|ip", "there are: all, none, checksum");
	assert_wrong("run|--nic|tap|--seed|1|--|ip", "--nic sim");
	assert_wrong("run|--nic|sim,pcap=x|--trace|x|--|ip", "name the same file");
	assert_wrong("run|--nic|sim,pcap=x|--summary|x|--|ip", "name the same file");
	assert_wrong("run|--nic|user,tcp=1,tcp=2,tcp=3,tcp=4,tcp=5,tcp=6,tcp=7,tcp=8,tcp=9,tcp=10,tcp=11,tcp="
		     "12,tcp=13,tcp=14,"
		     "tcp=15,tcp=16,tcp=17|--|ip",
		     "at most 16");
}

static void too_much(void **state)
{
	char line[4096] = "run|--";
	size_t used = strlen(line);

	(void)state;
	memset(line + used, 'x', 1300);
	line[used] = '|';
	line[used + 1300] = '\0';
	assert_wrong(line, "at most 1200 characters");
	line[used] = '|';
	for (size_t i = 0; i <= CLI_COMMANDS_MAX; i++)
		memcpy(line + used + 1 + 3 * i, "ip;", 4);
	assert_wrong(line, "at most 256 commands");
}

static void options_of_kvm(void **state)
{
	struct cli_options options;

	(void)state;
	assert_taken("run|--accel|kvm|--kernel|k|--initrd|i|--append|a b|--mem|2G|--gen|1|--time-limit|9|"
		     "--no-sandbox|--entry=any",
		     &options);
	assert_int_equal(options.accel, CLI_ACCEL_KVM);
	assert_string_equal(options.append, "a b");
	assert_true(options.memory == 2ull << 30);
	assert_int_equal(options.generation, 1);
	assert_int_equal(options.time_limit_ms, 9000);
	assert_true(options.no_sandbox);
	cli_options_free(&options);
	assert_taken("run|--accel|kvm|--|!after 5 rescind net0; lsvmbus", &options);
	assert_true(options.memory == CLI_MEMORY_DEFAULT);
	assert_int_equal(options.generation, 2);
	cli_options_free(&options);
	assert_wrong("run|--accel|kwm", "did you mean 'kvm'");
	assert_wrong("run|--mem|512M", "--mem is for --accel kvm");
	assert_wrong("run|--accel|kvm|--mem|15M", "16M to 32G");
	assert_wrong("run|--accel|kvm|--mem|33G", "16M to 32G");
	assert_wrong("run|--accel|kvm|--mem|1.5G", "16M to 32G");
	assert_wrong("run|--accel|kvm|--mem|18014398509481985G", "16M to 32G");
	assert_wrong("run|--accel|kvm|--gen|3", "--gen must be 1 or 2");
	assert_wrong("run|--accel|kvm|--time-limit|0", "seconds");
	assert_wrong("run|--accel|kvm|--seed|1", "--seed is for --accel hosted");
	assert_wrong("run|--accel|kvm|--script|x", "--script is for --accel hosted");
	assert_wrong("run|--accel|kvm|--guest|a|--kernel|b", "both name what is to run");
	assert_wrong("run|--accel|kvm|--append|x", "--append needs --guest or --kernel");
	assert_wrong("run|--accel|kvm|--initrd|x", "--initrd needs");
	assert_wrong("run|--accel|kvm|--guest|a|--|ip", "goes into --append");
	assert_wrong("run|--accel|kvm|--|ip; !devices", "'!devices' cannot follow");
}

static const char *fruit(uint32_t n)
{
	static const char *const names[] = {"apple", "pear", "banana"};

	return n < 3 ? names[n] : NULL;
}

static void nearest_names(void **state)
{
	(void)state;
	assert_int_equal(suggest_distance("", ""), 0);
	assert_int_equal(suggest_distance("abc", ""), 3);
	assert_int_equal(suggest_distance("kitten", "sitting"), 3);
	assert_int_equal(suggest_distance("ab", "ba"), 1);
	assert_int_equal(suggest_distance("abcdef", "abdcef"), 1);
	assert_int_equal(suggest_distance("0123456789012345678901234567890123", "x"), UINT32_MAX);
	assert_string_equal(suggest_nearest("appel", fruit), "apple");
	assert_string_equal(suggest_nearest("banan", fruit), "banana");
	assert_string_equal(suggest_nearest("bear", fruit), "pear");
	assert_null(suggest_nearest("cherry", fruit));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(defaults),        cmocka_unit_test(every_option),
		cmocka_unit_test(cards),           cmocka_unit_test(keyboard_and_components),
		cmocka_unit_test(the_driver),      cmocka_unit_test(commands_are_cut_at_semicolons),
		cmocka_unit_test(no_commands),     cmocka_unit_test(other_actions),
		cmocka_unit_test(console_options), cmocka_unit_test(quirks),
		cmocka_unit_test(wrong_options),   cmocka_unit_test(wrong_cards),
		cmocka_unit_test(too_much),        cmocka_unit_test(options_of_kvm),
		cmocka_unit_test(nearest_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
