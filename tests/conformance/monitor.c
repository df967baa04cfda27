/* SPDX-License-Identifier: MIT */
/* Signals left in the monitor page, and those that are too urgent for it, on every host that has one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/echo_session.h"

static const struct {
	const char *profile;
	uint32_t version;
} hosts[] = {
	{"ws2008", VMBUS_VERSION_0_13},   {"ws2008r2", VMBUS_VERSION_1_1}, {"ws2012", VMBUS_VERSION_2_4},
	{"ws2012r2", VMBUS_VERSION_0_13}, {"ws2012r2", VMBUS_VERSION_1_1}, {"ws2012r2", VMBUS_VERSION_3_0},
	{"ws2016", VMBUS_VERSION_4_0},    {"ws2019", VMBUS_VERSION_5_2},   {"ws2022", VMBUS_VERSION_5_3},
	{"azure", VMBUS_VERSION_5_3},
};
#define HOSTS (sizeof(hosts) / sizeof(hosts[0]))
#define MESSAGES 20u

static void converse(struct echo_session *session, uint32_t host, uint64_t seed, bool monitored,
		     bool low_latency)
{
	memset(session, 0, sizeof(*session));
	session->device.monitored = monitored;
	session->low_latency = low_latency;
	session->messages = MESSAGES;
	echo_session_run(session, hosts[host].profile, hosts[host].version, seed, seed % 2 ? 0 : 2048);
	assert_false(session->echo.failed);
}

/* Not one hypercall, and everything arrives. */
static void signals_go_into_the_page(void **state)
{
	struct echo_session session;

	(void)state;
	for (uint32_t host = 0; host < HOSTS; host++) {
		for (uint64_t seed = 1; seed <= 4; seed++) {
			converse(&session, host, seed, true, false);
			assert_true(session.offer.monitored);
			assert_int_equal(session.signals, 0);
			assert_int_equal(session.counters.signals, 0);
			assert_in_range(session.counters.monitor_signals, MESSAGES, 2 * MESSAGES);
		}
	}
}

/* By hypercall at once; what the page is for is then only waited for by others. */
static void low_latency_calls(void **state)
{
	struct echo_session session, slow;

	(void)state;
	for (uint32_t host = 0; host < HOSTS; host++) {
		for (uint64_t seed = 1; seed <= 3; seed += 2) {
			converse(&slow, host, seed, true, false);
			converse(&session, host, seed, true, true);
			assert_true(session.offer.monitored);
			assert_int_equal(session.counters.monitor_signals, 0);
			assert_in_range(session.counters.signals, MESSAGES, 2 * MESSAGES);
			assert_int_equal(session.counters.signals, session.signals);
			assert_true(session.elapsed < slow.elapsed);
		}
	}
}

/* Nothing of the page is used for an offer that is not in it. */
static void others_call_anyway(void **state)
{
	struct echo_session session;

	(void)state;
	for (uint32_t host = 0; host < HOSTS; host++) {
		converse(&session, host, 1, false, false);
		if (session.offer.monitored)
			continue; /* this host monitors all */
		assert_int_equal(session.counters.monitor_signals, 0);
		assert_int_equal(session.counters.signals, session.signals);
		assert_in_range(session.signals, MESSAGES, 2 * MESSAGES);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(signals_go_into_the_page),
		cmocka_unit_test(low_latency_calls),
		cmocka_unit_test(others_call_anyway),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
