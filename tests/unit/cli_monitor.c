/* SPDX-License-Identifier: MIT */
/* The monitor's commands on a host without a guest: what they do, say and refuse. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "apps/hvkit/monitor.h"
#include "ports/hosted/hosted.h"
#include "apps/shell/shell.h"
#include "hvkit_host/input.h"
#include "hvkit_host/network.h"
#include "hvkit_host/utilities.h"

struct fixture {
	struct hosted *machine;
	struct hvh_nic *nic;
	struct monitor monitor;
	char out[16384], err[4096];
	bool present[3]; /* the card, before, between and after what was put off */
};

static void show(void *context, bool error, const char *text)
{
	struct fixture *fixture = context;
	char *to = error ? fixture->err : fixture->out;
	size_t size = error ? sizeof(fixture->err) : sizeof(fixture->out);

	assert_true(strlen(to) + strlen(text) < size);
	strcat(to, text);
}

static void transmit(void *context, const void *frame, uint32_t length)
{
	(void)context;
	(void)frame;
	(void)length;
}

static int set_up(void **state)
{
	const struct hosted_config config = {.mode = HOSTED_DETERMINISTIC,
					     .cpus = 1,
					     .memory_pages = 1024,
					     .profile = hvh_profile_find("ws2022"),
					     .seed = 1};
	const struct hvh_nic_config nic = {.mac = {0, 0x15, 0x5d, 0, 0, 1}, .link_up = true};
	const struct hvh_backend backend = {.transmit = transmit};
	struct fixture *fixture = calloc(1, sizeof(*fixture));

	fixture->machine = hosted_create(&config);
	assert_non_null(fixture->machine);
	fixture->nic = hvh_nic_create(hosted_partition(fixture->machine), &nic, &backend);
	assert_non_null(fixture->nic);
	fixture->monitor = (struct monitor){
		.machine = machine_hosted(fixture->machine), .show = show, .context = fixture};
	monitor_create(&fixture->monitor);
	*state = fixture;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *fixture = *state;

	hosted_destroy(fixture->machine);
	free(fixture);
	return 0;
}

static int run(struct fixture *fixture, const char *line)
{
	fixture->out[0] = fixture->err[0] = '\0';
	return monitor_run(&fixture->monitor, hosted_now(fixture->machine), line);
}

static void assert_done(struct fixture *fixture, const char *line, const char *says)
{
	if (run(fixture, line) != SHELL_OK)
		fail_msg("%s: %s", line, fixture->err);
	if (!strstr(fixture->out, says))
		fail_msg("%s: \"%s\" does not say \"%s\"", line, fixture->out, says);
	monitor_stop_waiting(&fixture->monitor);
}

static void assert_refused(struct fixture *fixture, const char *line, int status, const char *says)
{
	assert_int_equal(run(fixture, line), status);
	if (!strstr(fixture->err, says))
		fail_msg("%s: \"%s\" does not say \"%s\"", line, fixture->err, says);
	if (strchr(fixture->err, '\n') != fixture->err + strlen(fixture->err) - 1)
		fail_msg("%s: not one line: %s", line, fixture->err);
}

/* Without a guest nothing is answered; what is wrong is said first. */
static void components(void **state)
{
	struct fixture *fixture = *state;
	const struct hvh_utilities_config config = {.which = 0};
	const struct hvh_input_config input = {.refuses = false};
	struct hvh_partition *partition = hosted_partition(fixture->machine);
	uint64_t now = hosted_now(fixture->machine);
	char error[200];
	int status = -1;

	assert_refused(fixture, "kbd key F2", SHELL_FAILED, "--input keyboard");
	assert_refused(fixture, "mouse move 1 2", SHELL_FAILED, "--input mouse");
	assert_refused(fixture, "shutdown", SHELL_FAILED, "--utilities all");
	assert_refused(fixture, "kvp list", SHELL_FAILED, "--utilities all");
	assert_refused(fixture, "restart kbd0", SHELL_FAILED, "--input all");
	assert_non_null(hvh_keyboard_create(partition, &input));
	assert_non_null(hvh_mouse_create(partition, &input));
	assert_non_null(hvh_utilities_create(partition, &config, error, sizeof(error)));
	assert_refused(fixture, "shutdown --rebot", SHELL_USAGE, "--reboot, --hibernate, --force");
	assert_refused(fixture, "shutdown --force", SHELL_FAILED, "the guest has not opened it");
	assert_refused(fixture, "time stop 1", SHELL_USAGE, "step SECONDS");
	for (uint32_t n = 0; n < 5; n++) {
		static const char *const wrong[] = {"1s", "1.", "-", "1.12345678", "99999999999"};
		char line[40];

		snprintf(line, sizeof(line), "time step %s", wrong[n]);
		assert_refused(fixture, line, SHELL_USAGE, "such as 90");
	}
	assert_refused(fixture, "heartbeat", SHELL_FAILED, "answered none");
	assert_refused(fixture, "vss frieze", SHELL_USAGE, "did you mean 'freeze'");
	assert_refused(fixture, "vss backup", SHELL_FAILED, "has not opened it");
	assert_refused(fixture, "fcopy --overwrite", SHELL_USAGE, "FILE [NAME]");
	assert_refused(fixture, "fcopy /etc/hostname", SHELL_FAILED, "has not opened it");
	assert_refused(fixture, "restart kv", SHELL_USAGE, "did you mean 'kvp'");
	assert_done(fixture, "restart kvp", "");
	/* A console waits for a guest that comes up. */
	monitor_be_patient(&fixture->monitor, now);
	assert_int_equal(run(fixture, "vss check"), SHELL_OK);
	assert_true(monitor_waits(&fixture->monitor, now + 2999 * HVH_TIME_PER_MS, &status));
	assert_false(monitor_waits(&fixture->monitor, now + 3000 * HVH_TIME_PER_MS, &status));
	assert_int_equal(status, SHELL_FAILED);
	assert_string_equal(fixture->err, "vss: the guest has not opened it\n");
}

static void pairs(void **state)
{
	struct fixture *fixture = *state;
	const struct hvh_utilities_config config = {.which = HVH_UTILITY_KVP};
	char error[200];

	assert_non_null(
		hvh_utilities_create(hosted_partition(fixture->machine), &config, error, sizeof(error)));
	assert_refused(fixture, "kvp lst", SHELL_USAGE, "did you mean 'list'");
	assert_refused(fixture, "kvp list host", SHELL_USAGE, "external, guest, auto");
	assert_refused(fixture, "kvp get external", SHELL_USAGE, "get takes POOL KEY");
	assert_refused(fixture, "kvp get external a b", SHELL_USAGE, "get takes POOL KEY");
	assert_refused(fixture, "kvp get external \"a", SHELL_USAGE, "get takes POOL KEY");
	assert_refused(fixture, "kvp set guest a", SHELL_USAGE, "set takes POOL KEY VALUE");
	assert_refused(fixture, "kvp set guest a \"b\" c", SHELL_USAGE, "set takes POOL KEY VALUE");
	assert_refused(fixture, "kvp set 4 a b", SHELL_USAGE, "there are: external");
	assert_refused(fixture, "kvp set 0 \"a key\" \"\"", SHELL_FAILED, "has not opened it");
	assert_refused(fixture, "kvp delete 0 k", SHELL_FAILED, "has not opened it");
	assert_refused(fixture, "kvp ip", SHELL_USAGE, "ip takes get ADAPTER");
	assert_refused(fixture, "kvp ip get", SHELL_USAGE, "ip get takes ADAPTER");
	assert_refused(fixture, "kvp ip set net0", SHELL_USAGE, "ip set takes ADAPTER");
	assert_refused(fixture, "kvp ip set net0 address=10.0.0.1", SHELL_USAGE, "ip set takes ADAPTER");
	assert_refused(fixture, "kvp ip set net0 adress=10.0.0.1", SHELL_USAGE, "address=, mask=");
	assert_refused(fixture, "kvp ip set net0 dhcp", SHELL_FAILED, "has not opened it");
}

static void typing(void **state)
{
	struct fixture *fixture = *state;
	const struct hvh_input_config config = {.refuses = false};
	struct hvh_partition *partition = hosted_partition(fixture->machine);

	assert_non_null(hvh_keyboard_create(partition, &config));
	assert_non_null(hvh_mouse_create(partition, &config));
	assert_refused(fixture, "kbd typ x", SHELL_USAGE, "did you mean 'type'");
	assert_refused(fixture, "kbd type two words", SHELL_USAGE, "in quotes");
	assert_refused(fixture, "kbd type \"open", SHELL_USAGE, "in quotes");
	assert_refused(fixture, "kbd key F2 Nope", SHELL_USAGE, "'Nope' is no key");
	/* F2 has gone out: a press and a release. */
	assert_done(fixture, "inspect devices/kbd0/strokes-waiting", "2");
	assert_done(fixture, "kbd type \"a\\\"\\\\\\n\"", "");
	assert_done(fixture, "inspect devices/kbd0/strokes-waiting", "12"); /* a " with Shift \ Enter */
	assert_refused(fixture, "mouse wiggle 1", SHELL_USAGE, "there are: move, click");
	assert_refused(fixture, "mouse move 1", SHELL_USAGE, "0 to 32767");
	assert_refused(fixture, "mouse move 32768 0", SHELL_USAGE, "0 to 32767");
	assert_refused(fixture, "mouse move 1 1 8", SHELL_USAGE, "0 to 32767");
	assert_refused(fixture, "mouse move 1 1 0 -128", SHELL_USAGE, "0 to 32767");
	assert_refused(fixture, "mouse click middel", SHELL_USAGE, "did you mean 'middle'");
	assert_refused(fixture, "mouse click left 2", SHELL_USAGE, "one argument too many");
	assert_done(fixture, "mouse move 32767 0 7 -127", "");
	assert_done(fixture, "mouse click", "");
}

static void lines(void **state)
{
	struct fixture *fixture = *state;

	assert_int_equal(run(fixture, ""), SHELL_OK);
	assert_int_equal(run(fixture, "   "), SHELL_OK);
	assert_done(fixture, "  help   offer ", "offers it again");
	assert_null(strstr(fixture->out, "rescind"));
	assert_done(fixture, "help", "rescind DEV");
	assert_refused(fixture, "rescnd net0", SHELL_USAGE, "did you mean 'rescind'");
	assert_refused(fixture, "frobnicate", SHELL_USAGE,
		       "there are: devices, nic, vf, migrate, disk, cut, kbd");
	assert_refused(fixture, "help ofer", SHELL_USAGE, "did you mean 'offer'");
	assert_refused(fixture, "rescind", SHELL_USAGE, "something is missing: rescind DEV");
	assert_refused(fixture, "rescind net0 now", SHELL_USAGE, "'now' is one argument too many");
	assert_refused(fixture, "devices all", SHELL_USAGE, "one argument too many");
}

static void devices(void **state)
{
	struct fixture *fixture = *state;
	struct hvh_device_info info;

	assert_done(fixture, "devices", "net0       network card");
	assert_non_null(strstr(fixture->out, "offered"));
	assert_refused(fixture, "offer net0", SHELL_FAILED, "offered already");
	assert_done(fixture, "rescind net0", "");
	assert_true(hvh_device_get(hosted_partition(fixture->machine), 0, &info));
	assert_false(info.present);
	assert_done(fixture, "devices", "rescinded");
	assert_refused(fixture, "rescind net0", SHELL_FAILED, "not offered");
	assert_done(fixture, "offer net0", "");
	assert_true(hvh_device_get(hosted_partition(fixture->machine), 0, &info));
	assert_true(info.present);
	assert_refused(fixture, "rescind net1", SHELL_USAGE, "did you mean 'net0'");
	assert_refused(fixture, "offer disk", SHELL_USAGE, "there are: net0");
}

static void cards(void **state)
{
	struct fixture *fixture = *state;
	static const uint8_t frame[60] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
	struct hvh_nic_counters before, after;

	assert_done(fixture, "nic link down", "");
	hvh_nic_get_counters(fixture->nic, &before);
	assert_false(hvh_nic_receive(fixture->nic, 0, frame, sizeof(frame)));
	hvh_nic_get_counters(fixture->nic, &after);
	assert_int_equal(after.dropped_link, before.dropped_link + 1);
	assert_done(fixture, "nic link up net0", "");
	(void)hvh_nic_receive(fixture->nic, 0, frame, sizeof(frame));
	hvh_nic_get_counters(fixture->nic, &after);
	assert_int_equal(after.dropped_link, before.dropped_link + 1);
	assert_refused(fixture, "nic link upp", SHELL_USAGE, "did you mean 'up'");
	assert_refused(fixture, "nic lnk up", SHELL_USAGE, "did you mean 'link'");
	assert_refused(fixture, "nic link up net3", SHELL_USAGE, "did you mean 'net0'");
	assert_refused(fixture, "nic link", SHELL_USAGE, "link: up or down is missing");
	assert_done(fixture, "nic change", "");
	assert_done(fixture, "nic change net0", "");
	assert_refused(fixture, "nic change net0 now", SHELL_USAGE, "'now' is one argument too many");
	assert_done(fixture, "nic speed 25G", "");
	assert_done(fixture, "inspect devices/net0/link-speed", "25000000000");
	assert_done(fixture, "nic speed 9600 net0", "");
	assert_done(fixture, "inspect devices/net0/link-speed", "9600");
	assert_refused(fixture, "nic speed", SHELL_USAGE, "such as 10G is missing");
	assert_refused(fixture, "nic speed fast", SHELL_USAGE, "such as 10G");
	assert_refused(fixture, "nic speed 0", SHELL_USAGE, "such as 10G");
	assert_refused(fixture, "nic speed G", SHELL_USAGE, "such as 10G");
	assert_refused(fixture, "nic speed 10000T", SHELL_USAGE, "such as 10G");
	assert_refused(fixture, "nic rescind 0", SHELL_USAGE, "a queue is 1 to 63");
	assert_refused(fixture, "nic rescind 64", SHELL_USAGE, "a queue is 1 to 63");
	assert_refused(fixture, "nic rescind 1", SHELL_FAILED, "no queue 1 open; it has 0");
}

static void quirks(void **state)
{
	struct fixture *fixture = *state;
	const struct hvh_quirk *quirk = hvh_quirk_find("echoes-version");
	char value[HVH_QUIRK_VALUE_MAX];

	assert_done(fixture, "quirk", "echoes-version");
	assert_done(fixture, "quirk echoes-version", "can be  on, off");
	assert_done(fixture, "quirk echoes-version off", "");
	hvh_quirk_value(hvh_partition_get_profile(hosted_partition(fixture->machine)), quirk, value,
			sizeof(value));
	assert_string_equal(value, "off");
	assert_refused(fixture, "quirk echos-version", SHELL_USAGE, "did you mean 'echoes-version'");
	assert_refused(fixture, "quirk echoes-version perhaps", SHELL_USAGE, "quirk: ");
}

static void faults(void **state)
{
	struct fixture *fixture = *state;

	assert_done(fixture, "fault", "delay-message");
	assert_done(fixture, "fault rescind 5%", "");
	assert_int_equal(fixture->monitor.chances[HVH_FAULT_RESCIND], 65536 * 5 / 100);
	assert_done(fixture, "fault rescind 1/4", "");
	assert_int_equal(fixture->monitor.chances[HVH_FAULT_RESCIND], 16384);
	assert_done(fixture, "fault", "25.00%");
	assert_done(fixture, "fault rescind 1/1", "");
	assert_done(fixture, "fault rescind off", "");
	assert_int_equal(fixture->monitor.chances[HVH_FAULT_RESCIND], 0);
	assert_refused(fixture, "fault rescnd off", SHELL_USAGE, "did you mean 'rescind'");
	assert_refused(fixture, "fault rescind", SHELL_USAGE, "a chance is missing");
	assert_refused(fixture, "fault rescind 101%", SHELL_USAGE, "must be like 5%");
	assert_refused(fixture, "fault rescind 1/0", SHELL_USAGE, "must be like 5%");
	assert_refused(fixture, "fault rescind 2/4", SHELL_USAGE, "must be like 5%");
	assert_refused(fixture, "fault rescind 5", SHELL_USAGE, "must be like 5%");
	assert_refused(fixture, "fault rescind -1%", SHELL_USAGE, "must be like 5%");
}

static void silence(void **state)
{
	struct fixture *fixture = *state;

	assert_done(fixture, "silence", "none\n");
	assert_done(fixture, "silence gpadl", "");
	assert_done(fixture, "silence", "gpadl\n");
	assert_done(fixture, "silence none", "");
	assert_refused(fixture, "silence gpad", SHELL_USAGE, "did you mean 'gpadl'");
}

static void looks(void **state)
{
	struct fixture *fixture = *state;

	assert_done(fixture, "violations", "none\n");
	assert_done(fixture, "counters", "hypercalls           0");
	assert_non_null(strstr(fixture->out, "net0\n"));
	assert_refused(fixture, "inspect no/such", SHELL_USAGE, "there is no 'no/such'");
	assert_refused(fixture, "trace on", SHELL_FAILED, "--trace FILE");
	fixture->monitor.traced = true;
	assert_done(fixture, "trace off", "");
	assert_refused(fixture, "trace offf", SHELL_USAGE, "did you mean 'off'");
}

static void waits(void **state)
{
	struct fixture *fixture = *state;
	uint64_t now = hosted_now(fixture->machine);
	int status = -1;

	assert_int_equal(run(fixture, "wait 5"), SHELL_OK);
	assert_true(monitor_waits(&fixture->monitor, now + 5 * HVH_TIME_PER_MS - 1, &status));
	assert_false(monitor_waits(&fixture->monitor, now + 5 * HVH_TIME_PER_MS, &status));
	assert_int_equal(status, SHELL_OK);
	assert_refused(fixture, "wait soon", SHELL_USAGE, "0 to 86400000");
	assert_refused(fixture, "wait 86400001", SHELL_USAGE, "0 to 86400000");
	/* An expectation is given two seconds, then it has failed. */
	assert_int_equal(run(fixture, "expect no/such 1"), SHELL_OK);
	assert_true(monitor_waits(&fixture->monitor, now + HVH_TIME_PER_SECOND, &status));
	assert_false(monitor_waits(&fixture->monitor, now + 2 * HVH_TIME_PER_SECOND, &status));
	assert_int_equal(status, SHELL_USAGE);
	assert_non_null(strstr(fixture->err, "there is no 'no/such'"));
}

struct one {
	char out[16384];
	const char *name, *value;
};

static void take_top(void *context, const char *text)
{
	struct one *one = context;
	struct tree_line line;

	/* The first line that has a value, whatever it is. */
	if (!one->name && tree_parse(text, &line) && line.depth == 1 && *line.value) {
		snprintf(one->out, sizeof(one->out), "%.*s", (int)line.name_length, line.name);
		one->name = one->out;
		one->value = one->out + sizeof(one->out) / 2;
		strcpy(one->out + sizeof(one->out) / 2, line.value);
	}
}

static void expectations(void **state)
{
	struct fixture *fixture = *state;
	struct one one = {.name = NULL};
	char line[512];
	int status = -1;

	hvh_dump(hosted_partition(fixture->machine), take_top, &one);
	if (!one.name)
		skip();
	snprintf(line, sizeof(line), "expect partition/%s %s", one.name, one.value);
	assert_int_equal(run(fixture, line), SHELL_OK);
	assert_false(monitor_waits(&fixture->monitor, 0, &status));
	assert_int_equal(status, SHELL_OK);
	snprintf(line, sizeof(line), "expect partition/%s != %s", one.name, one.value);
	assert_int_equal(run(fixture, line), SHELL_OK);
	assert_true(monitor_waits(&fixture->monitor, 0, &status));
	assert_false(monitor_waits(&fixture->monitor, UINT64_MAX, &status));
	assert_int_equal(status, SHELL_FAILED);
}

static bool is_present(struct fixture *fixture)
{
	struct hvh_device_info info;

	return hvh_device_get(hosted_partition(fixture->machine), 0, &info) && info.present;
}

/* A guest that only lets time pass. */
static void idle(void *context)
{
	struct fixture *fixture = context;

	fixture->present[0] = is_present(fixture);
	for (uint32_t n = 1; n < 3; n++) {
		hosted_wait(fixture->machine, 15000000);
		fixture->present[n] = is_present(fixture);
	}
}

/* What is put off is run by the machine, in order of time. */
static void putting_off(void **state)
{
	struct fixture *fixture = *state;

	assert_int_equal(run(fixture, "after 20 offer net0"), SHELL_OK);
	assert_int_equal(run(fixture, "after 10 rescind   net0"), SHELL_OK);
	assert_int_equal(fixture->monitor.deferred_count, 2);
	assert_string_equal(fixture->monitor.deferred[1].line, "rescind   net0");
	assert_refused(fixture, "after 10 rescnd net0", SHELL_USAGE, "did you mean 'rescind'");
	assert_refused(fixture, "after 10 wait 5", SHELL_USAGE, "cannot be put off");
	assert_refused(fixture, "after soon offer net0", SHELL_USAGE, "0 to 86400000");
	assert_refused(fixture, "after 10", SHELL_USAGE, "something is missing");
	hosted_set_program(fixture->machine, 0, idle, fixture);
	assert_true(hosted_run(fixture->machine, 1000));
	assert_true(fixture->present[0]);
	assert_false(fixture->present[1]);
	assert_true(fixture->present[2]);
	assert_int_equal(fixture->monitor.deferred_count, 0);
	for (uint32_t n = 0; n < MONITOR_DEFERRED_MAX; n++)
		assert_int_equal(run(fixture, "after 1000 devices"), SHELL_OK);
	assert_refused(fixture, "after 1000 devices", SHELL_FAILED, "put off already");
}

/* What waits for a state is run once it is so, and not before. */
static void putting_off_to_a_state(void **state)
{
	struct fixture *fixture = *state;

	assert_refused(fixture, "when partition/vps 1 rescind net0", SHELL_USAGE, "is followed by");
	assert_refused(fixture, "when partition/vps = 1 rescnd net0", SHELL_USAGE, "did you mean 'rescind'");
	assert_refused(fixture, "when partition/vps = 1 wait 5", SHELL_USAGE, "cannot be put off");
	assert_int_equal(run(fixture, "when partition/vps  = 77 offer net0"), SHELL_OK);
	assert_int_equal(run(fixture, "when partition/vps < 77   rescind   net0"), SHELL_OK);
	assert_string_equal(fixture->monitor.deferred[1].line, "rescind   net0");
	hosted_set_program(fixture->machine, 0, idle, fixture);
	assert_true(hosted_run(fixture->machine, 1000));
	assert_false(fixture->present[2]);
	assert_int_equal(fixture->monitor.deferred_count, 1);
}

/* What waits for a mark is run when the guest has written that one, and once. */
static void putting_off_to_a_mark(void **state)
{
	struct fixture *fixture = *state;
	struct machine_ops ops = *fixture->monitor.machine.ops;

	assert_refused(fixture, "at 3 rescind net0", SHELL_FAILED, "--accel kvm");
	ops.marks = true;
	fixture->monitor.machine.ops = &ops;
	assert_refused(fixture, "at 256 rescind net0", SHELL_USAGE, "0 to 255");
	assert_refused(fixture, "at 3 rescnd net0", SHELL_USAGE, "did you mean 'rescind'");
	assert_refused(fixture, "at 3 at 4 rescind net0", SHELL_USAGE, "cannot be put off");
	assert_int_equal(run(fixture, "at 3 rescind net0"), SHELL_OK);
	assert_int_equal(run(fixture, "at 4 offer net0"), SHELL_OK);
	monitor_mark(&fixture->monitor, 0, 5);
	hosted_set_program(fixture->machine, 0, idle, fixture);
	assert_true(hosted_run(fixture->machine, 1000));
	assert_true(fixture->present[2]);
	assert_int_equal(fixture->monitor.deferred_count, 2);
	monitor_mark(&fixture->monitor, 0, 3);
	hosted_set_program(fixture->machine, 0, idle, fixture);
	assert_true(hosted_run(fixture->machine, 1000));
	assert_false(fixture->present[2]);
	assert_int_equal(fixture->monitor.deferred_count, 1);
}

struct offers {
	char text[8192];
};

static void take_offer(void *context, const char *candidate)
{
	struct offers *offers = context;

	strcat(offers->text, candidate);
	strcat(offers->text, " ");
}

static void assert_offers(struct fixture *fixture, const char *line, const char *wanted)
{
	struct offers offers = {.text = ""};
	char text[256], *words[8];
	uint32_t count = 0;

	snprintf(text, sizeof(text), "%s", line);
	for (char *at = text; count < 8; at++) { /* words are split at single blanks; the last may be empty */
		words[count++] = at;
		at = strchr(at, ' ');
		if (!at)
			break;
		*at = '\0';
	}
	monitor_complete(&fixture->monitor, count, words, take_offer, &offers);
	if (!strstr(offers.text, wanted) || (!*wanted && offers.text[0]))
		fail_msg("'%s': offers '%s', not '%s'", line, offers.text, wanted);
}

static void completion(void **state)
{
	struct fixture *fixture = *state;

	assert_offers(fixture, "",
		      "devices nic vf migrate disk cut kbd mouse shutdown time heartbeat kvp vss fcopy "
		      "restart rescind offer ");
	assert_offers(fixture, "resc", "rescind ");
	assert_offers(fixture, "kbd ", "type key ");
	assert_offers(fixture, "kbd key Ctrl+A", "CapsLock Ctrl+Alt+Delete ");
	assert_offers(fixture, "mouse click ", "left right middle ");
	assert_offers(fixture, "shutdown --r", "--reboot ");
	assert_offers(fixture, "vss ", "check freeze thaw backup ");
	assert_offers(fixture, "kvp get ex", "external ");
	assert_offers(fixture, "kvp ip set ", "net0 ");
	assert_offers(fixture, "restart k", "kvp vss fcopy kbd0 mouse0 ");
	assert_offers(fixture, "rescind ", "net0 ");
	assert_offers(fixture, "rescind net0 ", "");
	assert_offers(fixture, "nic ", "link ");
	assert_offers(fixture, "nic link ", "up down ");
	assert_offers(fixture, "nic link up ", "net0 ");
	assert_offers(fixture, "quirk ", "echoes-version ");
	assert_offers(fixture, "quirk echoes-version ", "on off ");
	assert_offers(fixture, "fault ", "rescind ");
	assert_offers(fixture, "silence ", "none contact ");
	assert_offers(fixture, "help ", "devices ");
	assert_offers(fixture, "after 10 ", "devices ");
	assert_offers(fixture, "after 10 rescind ", "net0 ");
	assert_offers(fixture, "frobnicate ", "");
}

static void tree_completion(void **state)
{
	static const char *const dump[] = {"vmbus:", "  state: x", "  channel-1:", "    state: y", "top: 1"};
	struct tree_completion tree;
	struct offers offers = {.text = ""};

	(void)state;
	tree_completion_begin(&tree, "vm", take_offer, &offers);
	for (size_t n = 0; n < 5; n++)
		tree_completion_line(&tree, dump[n]);
	assert_string_equal(offers.text, "vmbus/ top ");
	offers.text[0] = '\0';
	tree_completion_begin(&tree, "vmbus/ch", take_offer, &offers);
	for (size_t n = 0; n < 5; n++)
		tree_completion_line(&tree, dump[n]);
	assert_string_equal(offers.text, "vmbus/state vmbus/channel-1/ ");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(lines),
		TEST(components),
		TEST(pairs),
		TEST(typing),
		TEST(devices),
		TEST(cards),
		TEST(quirks),
		TEST(faults),
		TEST(silence),
		TEST(looks),
		TEST(waits),
		TEST(expectations),
		TEST(putting_off),
		TEST(putting_off_to_a_mark),
		TEST(putting_off_to_a_state),
		TEST(completion),
		TEST(tree_completion),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
