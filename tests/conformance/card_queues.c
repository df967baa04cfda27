/* SPDX-License-Identifier: MIT */
/*
 * A card with several queues on hosts of all habits that have to do with them: fewer sub-channels
 * than asked for, late ones, missing ones, some that go; tables late, never, or in another place.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "hvkit_host/quirk.h"
#include "tests/support/rig.h"

#define QUEUES 4u
#define FLOWS 64u
#define FRAME 60u
#define TCP 6u

static const char *const hosts[] = {"ws2012r2", "ws2016", "ws2022", "openvmm"};
#define HOSTS (sizeof(hosts) / sizeof(hosts[0]))

/* Frames of many flows, which the host spreads over the queues; nobody waits for them. */
static void flows(void *context, struct rig *rig)
{
	uint8_t frame[FRAME] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2, 0, 0, 0, 0, 1, 8, 0, 0x45};

	(void)context;
	frame[17] = FRAME - 14;
	frame[22] = 64;
	frame[23] = TCP;
	frame[46] = 0x50;
	for (uint32_t n = 0; n < FLOWS; n++) {
		frame[26] = (uint8_t)(n * 37);
		frame[35] = (uint8_t)n;
		(void)hvh_nic_receive(rig->host_nic, hvk_time(rig->hvk), frame, sizeof(frame));
	}
}

struct row {
	const char *quirk, *value;
	uint32_t least, most; /* queues in the end */
	bool loses;           /* frames may go with a channel */
	int fault;            /* enum hvh_fault that must have struck, or -1 */
};

static const struct row rows[] = {
	{"subchannel-offers", "after", 4, 4, false, -1},
	{"subchannel-offers", "before", 4, 4, false, -1},
	{"subchannels-fewer", "on", 1, 3, false, HVH_FAULT_FEWER_SUBCHANNELS},
	{"subchannels-late", "on", 4, 4, false, HVH_FAULT_LATE_SUBCHANNELS},
	{"subchannels-missing", "on", 1, 3, false, HVH_FAULT_MISSING_SUBCHANNELS},
	{"subchannel-rescind", "on", 1, 1, true, HVH_FAULT_RESCIND_SUBCHANNEL},
	{"send-table", "at-12", 4, 4, false, -1},
	{"send-table", "at-40", 4, 4, false, -1},
	{"send-table", "wrong-offset", 4, 4, false, -1},
	{"send-table-late", "on", 4, 4, false, HVH_FAULT_LATE_SEND_TABLE},
	{"send-table-missing", "on", 4, 4, false, HVH_FAULT_MISSING_SEND_TABLE},
	{"queues-max", "1", 1, 1, false, -1},
	{"queues-max", "3", 3, 3, false, -1},
	{"rss", "off", 1, 1, false, -1},
	{"udp-hash-as-tcp", "on", 4, 4, false, -1},
	{"udp-as-tcp-good", "on", 4, 4, false, -1},
	{"rss-unchanged-ignored", "off", 4, 4, false, -1},
	{"data-offset-unaligned", "on", 4, 4, false, -1},
};

static bool wrong(const struct row *row, const struct rig_result *result, const char *what)
{
	struct rig_result without_flows = *result;
	const char *fault;

	without_flows.strays = 0;
	fault = rig_check(&without_flows, !row->loses);
	if (fault == NULL && (result->queues < row->least || result->queues > row->most))
		fault = "another number of queues";
	/* Behind one that has gone the driver uses no other. */
	if (fault == NULL &&
	    (row->loses ? result->queues > result->queues_open : result->queues != result->queues_open))
		fault = "driver and host differ about the queues";
	if (fault == NULL && row->least == QUEUES &&
	    (result->queues_sent != QUEUES || result->queues_taken != QUEUES))
		fault = "a queue that no frame took";
	if (fault == NULL && row->fault >= 0 && result->faults[row->fault] == 0)
		fault = "the host did nothing of the kind";
	if (fault == NULL && result->strays != FLOWS)
		fault = "not all frames of the flows arrived";
	if (fault != NULL)
		print_message("%s: %s; queues %u, open %u, sent on %u, taken on %u, strays %u\n", what, fault,
			      result->queues, result->queues_open, result->queues_sent, result->queues_taken,
			      result->strays);
	return fault != NULL;
}

static bool run(const struct row *row, const char *host, uint64_t seed)
{
	struct hvh_profile profile = *hvh_profile_find(host);
	char error[160], what[120];
	struct rig_config config = {
		.mode = HOSTED_DETERMINISTIC,
		.custom = &profile,
		.seed = seed,
		.cpus = 1 + (uint32_t)(seed % 4),
		.queues = QUEUES,
		.batches = true,
		.frames = 400,
		.delay_max = (row->loses ? 1000 : 200) * HVK_TIME_PER_MS, /* until all have gone */
		.receive_pages = 256,
		.ready = flows,
	};
	struct rig_result result;

	(void)snprintf(what, sizeof(what), "%s with %s=%s, seed %llu", host, row->quirk, row->value,
		       (unsigned long long)seed);
	assert_true(hvh_quirk_set(&profile, row->quirk, row->value, error, sizeof(error)));
	rig_run(&config, &result);
	return wrong(row, &result, what);
}

static void each_habit(void **state)
{
	uint32_t failed = 0;

	(void)state;
	for (size_t r = 0; r < sizeof(rows) / sizeof(rows[0]); r++)
		for (size_t host = 0; host < HOSTS; host++)
			failed += run(&rows[r], hosts[host], 1 + r * HOSTS + host);
	assert_int_equal(failed, 0);
}

/* The driver goes on with what it has. */
static void a_request_that_is_never_answered(void **state)
{
	static const struct row row = {"rss", "on", 1, 1, false, -1};
	struct rig_config config = {
		.mode = HOSTED_DETERMINISTIC,
		.profile = "ws2022",
		.seed = 5,
		.cpus = 2,
		.queues = QUEUES,
		.frames = 50,
		.silence = HVH_SILENCE_NVS_SUBCHANNEL,
		.ready = flows,
	};
	struct rig_result result;

	(void)state;
	rig_run(&config, &result);
	assert_false(wrong(&row, &result, "silent at the request"));
}

/* Detached and attached again, the card has its queues again; and it may be taken away whole. */
static void again_and_taken_away(void **state)
{
	uint32_t rescinds = 0, failed = 0;

	(void)state;
	for (uint64_t seed = 1; seed <= 40; seed++) {
		struct rig_config config = {
			.mode = HOSTED_DETERMINISTIC,
			.profile = hosts[seed % HOSTS],
			.seed = seed,
			.cpus = 1 + (uint32_t)(seed % 4),
			.queues = 1 + (uint32_t)(seed % 8),
			.frames = 100,
			.receive_pages = 256,
			.reattach = seed % 2 == 0,
			.rescind_chance = seed % 2 == 0 ? 0 : 400,
		};
		const struct row row = {"rss", "on", 1, config.queues, true, -1};
		struct rig_result result;
		char what[80];

		rig_run(&config, &result);
		(void)snprintf(what, sizeof(what), "%s, seed %llu", config.profile, (unsigned long long)seed);
		result.strays = FLOWS; /* there are no flows here */
		failed += wrong(&row, &result, what);
		rescinds += result.rescinds;
	}
	assert_int_equal(failed, 0);
	assert_true(rescinds > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_habit),
		cmocka_unit_test(a_request_that_is_never_answered),
		cmocka_unit_test(again_and_taken_away),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
