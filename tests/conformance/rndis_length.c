/* SPDX-License-Identifier: MIT */
/*
 * One transfer-page range is one RNDIS message, and the length in the RNDIS header is read
 * by nothing: whatever it says, the message is taken and none after it is lost.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/rig.h"

#define FRAME 60u
#define MESSAGES 8u
#define STREAM_MAGIC 0x48564b54u

struct batch {
	uint8_t bytes[4096];
	uint32_t sizes[MESSAGES];
	uint32_t count, used;
	bool taken; /* by the host's card */
};

/* A data message with frame number n of the stream, whose header says length. */
static void add_frame(struct batch *batch, uint32_t n, uint32_t length)
{
	struct rndis_packet packet = {
		.header = {RNDIS_MSG_PACKET, length},
		.data_offset = sizeof(packet) - RNDIS_OFFSET_BASE,
		.data_length = FRAME,
	};
	uint8_t frame[FRAME] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2, 0, 0, 0, 0, 1, 0x88, 0xb5};
	uint32_t words[3] = {STREAM_MAGIC, 0, n};

	memcpy(frame + 14, words, sizeof(words));
	for (uint32_t i = 26; i < FRAME; i++)
		frame[i] = (uint8_t)(n + i);
	memcpy(batch->bytes + batch->used, &packet, sizeof(packet));
	memcpy(batch->bytes + batch->used + sizeof(packet), frame, FRAME);
	batch->sizes[batch->count++] = sizeof(packet) + FRAME;
	batch->used += (uint32_t)sizeof(packet) + FRAME;
}

/* What Windows Server 2012 R2 sends: the length ends before the status buffer. */
static void add_malformed_status(struct batch *batch)
{
	struct rndis_indicate_status status = {
		.header = {RNDIS_MSG_INDICATE_STATUS, sizeof(status)},
		.status = RNDIS_STATUS_TASK_OFFLOAD_CURRENT_CONFIG,
		.buffer_length = 100,
		.buffer_offset = sizeof(status) - RNDIS_OFFSET_BASE,
	};

	memcpy(batch->bytes + batch->used, &status, sizeof(status));
	memset(batch->bytes + batch->used + sizeof(status), 0xa7, 100);
	batch->sizes[batch->count++] = sizeof(status) + 100;
	batch->used += (uint32_t)sizeof(status) + 100;
}

static void inject(void *context, struct rig *rig)
{
	struct batch *batch = context;

	hosted_lock(rig->machine);
	batch->taken = hvh_nic_inject(rig->host_nic, hosted_now(rig->machine), batch->bytes, batch->sizes,
				      batch->count);
	hosted_unlock(rig->machine);
}

static void run(const char *profile, struct batch *batch, uint32_t expected, struct rig_result *result)
{
	struct rig_config config = {
		.mode = HOSTED_DETERMINISTIC,
		.profile = profile,
		.seed = 11,
		.stream = expected,
		.ready = inject,
		.context = batch,
	};

	rig_run(&config, result);
	assert_true(batch->taken);
	assert_null(rig_check(result, true));
	assert_int_equal(result->streamed, expected);
	assert_int_equal(result->counters.host_faults, 0);
}

static void frames_after_a_malformed_status_are_delivered(void **state)
{
	static const char *const profiles[] = {"ws2012r2", "ws2022", "ws2008r2"};
	struct rig_result result;

	(void)state;
	for (int i = 0; i < 3; i++) {
		struct batch batch = {0};

		add_malformed_status(&batch);
		add_frame(&batch, 0, sizeof(struct rndis_packet) + FRAME);
		add_frame(&batch, 1, sizeof(struct rndis_packet) + FRAME);
		run(profiles[i], &batch, 2, &result);
	}
}

/* 0, 8, too little, right, more than the range, more than anything. */
static void every_length_is_accepted(void **state)
{
	static const uint32_t lengths[] = {0, 8, 50, 104, 105, 5000, 0xffffffff};
	struct batch batch = {0};
	struct rig_result result;

	(void)state;
	for (uint32_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++)
		add_frame(&batch, i, lengths[i]);
	run("ws2012r2", &batch, sizeof(lengths) / sizeof(lengths[0]), &result);
}

/* The profile does it by itself, and traffic does not mind. */
static void the_profile_sends_it_and_nothing_is_lost(void **state)
{
	struct rig_config config = {.mode = HOSTED_DETERMINISTIC, .profile = "ws2012r2", .frames = 200};
	struct rig_result result;

	(void)state;
	assert_true(hvh_profile_find("ws2012r2")->status_0x40020006_malformed);
	for (uint64_t seed = 1; seed <= 10; seed++) {
		config.seed = seed;
		rig_run(&config, &result);
		assert_null(rig_check(&result, true));
		assert_int_equal(result.echoed, 200);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(frames_after_a_malformed_status_are_delivered),
		cmocka_unit_test(every_length_is_accepted),
		cmocka_unit_test(the_profile_sends_it_and_nothing_is_lost),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
