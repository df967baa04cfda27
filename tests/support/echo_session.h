/* SPDX-License-Identifier: MIT */
/* What tests of one echo channel share: a machine, what the host saw of it, one message after another. */
#ifndef TESTS_SUPPORT_ECHO_SESSION_H
#define TESTS_SUPPORT_ECHO_SESSION_H

#include "tests/support/echo_driver.h"

struct echo_session {
	struct echo echo;
	struct hvh_echo_config device;
	/* What the session does. */
	enum hvk_channel_reading reading;
	bool low_latency;
	uint32_t cpus;     /* 0 = 1; the channel is on the last one */
	uint32_t messages; /* numbered ones, */
	uint32_t volley;   /* so many before their answers are awaited; 0 = 1 */
	uint32_t burst;    /* then a burst of so many from the device */
	/* What came of it. */
	struct hvk_offer offer;
	struct hvk_channel_counters counters;
	uint64_t elapsed;
	/* What the host saw and did on the channel while it was open. */
	uint32_t signals, events, packets_in, packets_out;
	uint64_t bytes_in, bytes_out;
};

/* Opens the device's channel, sends, closes; everything lands in session. */
void echo_session_run(struct echo_session *session, const char *profile, uint32_t version, uint64_t seed,
		      uint32_t fault_chance);

#endif
