/* SPDX-License-Identifier: MIT */
/*
 * Habits of hosts that no profile has (docs/hosts.md): each in turn, in a host that is
 * Windows Server 2022 otherwise. The guest works as with any other, and each is seen to be
 * in force where that can be seen from outside.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "hvkit/wire/vmbus.h"
#include "tests/support/rig.h"

#define FRAMES 200u

struct seen {
	uint32_t responses; /* VERSION_RESPONSE that accept */
	uint32_t returned;  /* version or connection in the last of them */
	uint64_t dropped;   /* frames, by the guest */
};

static void tap(void *context, const struct hvh_trace_record *record)
{
	struct vmbus_version_response response;
	struct seen *seen = context;

	if (record->kind != HVH_TRACE_MESSAGE || !record->to_guest || record->byte_count < sizeof(response))
		return;
	memcpy(&response, record->bytes, sizeof(response));
	if (response.header.type != VMBUS_MSG_VERSION_RESPONSE || !response.version_supported)
		return;
	seen->responses++;
	seen->returned = response.version_or_connection_id;
}

/* Five seeds of it, one and two CPUs. What was dropped is added up. */
static void run(struct rig_config config, const struct hvh_profile *host, struct seen *seen,
		struct rig_result *result)
{
	uint64_t dropped = 0;

	for (uint64_t seed = 1; seed <= 5; seed++) {
		const char *wrong;

		*seen = (struct seen){0};
		config.mode = HOSTED_DETERMINISTIC;
		config.custom = host;
		config.frames = FRAMES;
		config.tap = tap;
		config.context = seen;
		config.seed = seed;
		config.cpus = 1 + (uint32_t)seed % 2;
		rig_run(&config, result);
		wrong = rig_check(result, true);
		if (wrong)
			print_error("seed %u: %s\n", (unsigned)seed, wrong);
		assert_null(wrong);
		assert_int_equal(result->echoed, FRAMES);
		assert_true(seen->responses > 0);
		dropped += result->nic.rx_dropped;
	}
	seen->dropped = dropped;
}

static struct hvh_profile ws2022(void)
{
	return *hvh_profile_find("ws2022");
}

/* OpenVMM: messages go on over connection 1, though the contact went over 4. */
static void messages_over_connection_1(void **state)
{
	struct hvh_profile host = ws2022();
	struct rig_result result;
	struct seen seen;

	(void)state;
	host.returned_connection = VMBUS_CONNECTION_MESSAGE;
	run((struct rig_config){0}, &host, &seen, &result);
	assert_int_equal(seen.returned, VMBUS_CONNECTION_MESSAGE);
	assert_true(result.quiet);
	run((struct rig_config){.suspend = true}, &host, &seen, &result);
	assert_int_equal(seen.responses, 2);
	assert_true(result.quiet);
}

/* QEMU leaves the version out of its answer: below 5.0 nobody may look at it. */
static void an_answer_without_its_version(void **state)
{
	static const uint32_t newest[] = {VMBUS_VERSION_0_13, VMBUS_VERSION_1_1, VMBUS_VERSION_2_4,
					  VMBUS_VERSION_3_0,  VMBUS_VERSION_4_0, VMBUS_VERSION_4_1};
	struct hvh_profile host = ws2022();
	struct rig_result result;
	struct seen seen;

	(void)state;
	host.echoes_version = false;
	for (size_t i = 0; i < sizeof(newest) / sizeof(newest[0]); i++) {
		run((struct rig_config){.newest = newest[i]}, &host, &seen, &result);
		assert_int_equal(result.version, newest[i]);
		assert_int_equal(seen.returned, 0);
	}
	run((struct rig_config){.vmbus_mode = HVK_VMBUS_MODE_BOOT}, &host, &seen, &result);
	assert_int_equal(seen.responses, 2);
	assert_true(result.quiet);
}

/* QEMU says nothing to a GPADL that it cannot map. Those of the guest's it can. */
static void gpadl_errors_not_answered(void **state)
{
	struct hvh_profile host = ws2022();
	struct rig_result result;
	struct seen seen;

	(void)state;
	host.gpadl_errors_answered = false;
	run((struct rig_config){.reattach = 2}, &host, &seen, &result);
	assert_true(result.quiet);
}

/* OpenVMM's card is dead after a revoke and completes nothing: leaving goes on without. */
static void a_revoke_that_is_not_completed(void **state)
{
	struct hvh_profile host = ws2022();
	struct rig_result result;
	struct seen seen;

	(void)state;
	host.revoke_completed = false;
	run((struct rig_config){0}, &host, &seen, &result);
	assert_true(result.quiet);
	run((struct rig_config){.reattach = 2}, &host, &seen, &result);
	run((struct rig_config){.by_page = true}, &host, &seen, &result);
	run((struct rig_config){.newest = VMBUS_VERSION_3_0}, &host, &seen, &result);
}

/* OpenVMM and mu_msvm signal room in the ring without the feature bit. */
static void room_signalled_without_the_feature_bit(void **state)
{
	struct hvh_profile host = ws2022();
	struct rig_result result;
	struct seen seen;

	(void)state;
	host.pending_feature_required = false;
	run((struct rig_config){0}, &host, &seen, &result);
	run((struct rig_config){.by_page = true, .frame_length = 1514}, &host, &seen, &result);
}

/* Frames come before anybody has set a filter: they go to nobody who has not asked. */
static void frames_before_a_filter_is_set(void **state)
{
	const struct rig_config config = {.early_frames = 400};
	struct hvh_profile host = ws2022();
	struct rig_result result;
	struct seen seen;

	(void)state;
	run(config, &host, &seen, &result);
	assert_int_equal(seen.dropped, 0);
	host.filter_set_at_start = true;
	run(config, &host, &seen, &result);
	assert_true(seen.dropped > 0); /* else nothing came early */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(messages_over_connection_1),
		cmocka_unit_test(an_answer_without_its_version),
		cmocka_unit_test(gpadl_errors_not_answered),
		cmocka_unit_test(a_revoke_that_is_not_completed),
		cmocka_unit_test(room_signalled_without_the_feature_bit),
		cmocka_unit_test(frames_before_a_filter_is_set),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
