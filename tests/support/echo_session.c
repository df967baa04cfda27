/* SPDX-License-Identifier: MIT */
#include "tests/support/echo_session.h"

#include <stdio.h>
#include <string.h>

#define SECOND_LOOK_MS 150u

static void listen(void *context, const struct hvh_trace_record *record)
{
	struct echo_session *session = context;

	if (record->kind == HVH_TRACE_SIGNAL)
		session->signals++;
	else if (record->kind == HVH_TRACE_EVENT)
		session->events++;
	else if (record->kind == HVH_TRACE_PACKET && record->to_guest) {
		session->packets_in++;
		session->bytes_in += record->byte_count + sizeof(struct vmbus_packet_trailer);
	} else if (record->kind == HVH_TRACE_PACKET) {
		session->packets_out++;
		session->bytes_out += record->byte_count + sizeof(struct vmbus_packet_trailer);
	}
}

static void converse(void *context, struct rig *rig)
{
	struct echo_session *session = context;
	struct echo *echo = &session->echo;
	struct echo_ring *ring = &echo->rings[0];
	uint64_t start;

	echo_init(echo, rig, rig->config.seed);
	ring->config.reading = session->reading;
	ring->config.low_latency = session->low_latency;
	while (!ring->channel)
		echo_turn(echo);
	session->offer = *hvk_channel_offer(ring->channel);
	/* Read on another CPU than the one that sends, where that can be. */
	echo_open(ring, hvk_vmbus_version(rig->hvk) >= VMBUS_VERSION_2_4 ? rig->config.cpus - 1 : 0);
	if (echo_wait(ring) != HVK_OK) {
		echo_fail(echo, "open: %s", hvk_status_name((hvk_status)ring->status));
		return;
	}
	/* A host looks once more some time after an open, whatever was signalled: past that. */
	start = hvk_time(rig->hvk) + SECOND_LOOK_MS * HVK_TIME_PER_MS;
	while (hvk_time(rig->hvk) < start)
		echo_turn(echo);
	start = hvk_time(rig->hvk);
	for (uint32_t i = 0; i < session->messages; i++) {
		while (!echo_send(ring))
			echo_turn(echo);
		if (session->volley == 0 || (i + 1) % session->volley == 0)
			echo_settle(echo);
	}
	echo_settle(echo);
	session->elapsed = hvk_time(rig->hvk) - start;
	if (session->burst)
		echo_burst(echo, session->burst);
	hvk_channel_get_counters(ring->channel, &session->counters);
	echo_end(echo);
}

void echo_session_run(struct echo_session *session, const char *profile, uint32_t version, uint64_t seed,
		      uint32_t fault_chance)
{
	const struct rig_config config = {
		.mode = HOSTED_DETERMINISTIC,
		.profile = profile,
		.oldest = version,
		.newest = version,
		.seed = seed,
		.no_nic = true,
		.cpus = session->cpus,
		.switch_chance = seed % 3 ? 16384 : 0,
		.fault_chance = fault_chance,
		.echo = &session->device,
		.session = converse,
		.session_context = session,
		.tap = listen,
		.context = session,
	};
	struct rig_result result;
	const char *wrong;

	rig_run(&config, &result);
	wrong = rig_check(&result, false);
	if (wrong)
		echo_fail(&session->echo, "%s", wrong);
	if (session->echo.failed)
		(void)fprintf(stderr, "%s, version %x, seed %llu: %s\n", profile, version,
			      (unsigned long long)seed, session->echo.wrong);
}
