/* SPDX-License-Identifier: MIT */
/* When ready runs, in both ways of reading; and that the counters say what the host saw. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/echo_session.h"

static const char *const profiles[] = {"ws2008", "ws2008r2", "ws2012", "ws2012r2",
				       "ws2016", "ws2019",   "ws2022", "azure"};
#define PROFILES (sizeof(profiles) / sizeof(profiles[0]))
#define SEEDS 6u
#define BURST 1500u /* many times the ring */

static void converse(struct echo_session *session, uint32_t profile, uint64_t seed,
		     enum hvk_channel_reading reading, uint32_t messages)
{
	memset(session, 0, sizeof(*session));
	session->reading = reading;
	session->messages = messages;
	session->cpus = 2;
	session->volley = 1 + (uint32_t)seed % 7;
	session->burst = BURST;
	echo_session_run(session, profiles[profile], 0, seed, seed % 2 ? 0 : 2048);
	assert_false(session->echo.failed);
}

/* Whatever comes in whichever way, all of it is read: no event is missed when the ring is
 * looked at for the last time. */
static void nothing_stays_in_the_ring(void **state)
{
	struct echo_session session;

	(void)state;
	for (uint32_t profile = 0; profile < PROFILES; profile++) {
		for (uint64_t seed = 1; seed <= SEEDS; seed++) {
			converse(&session, profile, seed, HVK_CHANNEL_BATCHED, 100);
			converse(&session, profile, seed, HVK_CHANNEL_UNBATCHED, 100);
		}
	}
}

static void counters_say_what_the_host_saw(void **state)
{
	struct echo_session session;

	(void)state;
	for (uint32_t profile = 0; profile < PROFILES; profile++) {
		for (uint64_t seed = 1; seed <= SEEDS; seed += 2) {
			const struct hvk_channel_counters *c = &session.counters;

			converse(&session, profile, seed, (enum hvk_channel_reading)(seed / 2 % 2), 30);
			assert_int_equal(c->sent, 31);
			assert_int_equal(c->sent, session.packets_out);
			assert_int_equal(c->bytes_sent, session.bytes_out);
			assert_in_range(session.packets_in - c->received, 0, 1); /* the burst's completion */
			if (session.packets_in == c->received)
				assert_int_equal(c->bytes_received, session.bytes_in);
			assert_in_range(c->completions, 20, 21);
			assert_int_equal(c->signals, session.signals);
			assert_true(c->signals + c->monitor_signals + c->masked_signals >= 1);
			assert_true(c->events <= session.events && c->events > 0);
			assert_true(c->callbacks > 0);
			assert_int_equal(c->late_completions + c->faults, 0);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_stays_in_the_ring),
		cmocka_unit_test(counters_say_what_the_host_saw),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
