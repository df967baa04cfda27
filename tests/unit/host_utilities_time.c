/* SPDX-License-Identifier: MIT */
/* The host's shutdown, time and heartbeat: what is said when, and what comes of the answers. */
#include "host_utilities_guest.h"
#include "tests/golden/ic.h"

#define V(major, minor) IC_VERSION(major, minor)
#define NOON 134117424000000000ull /* 1 January 2026 */

/* --- Shutdown ------------------------------------------------------------------------------------ */

static void request(struct guest *guest, struct hvh_utilities *utilities, uint32_t flags, const char *text)
{
	hvh_shutdown_request(utilities, guest->now, flags, text, on_end, NULL);
	settle(guest);
}

static void expect_shutdown(struct guest *guest, uint32_t version, uint32_t flags)
{
	struct ic_shutdown message;

	expect_message(guest, IC_TYPE_SHUTDOWN, version, sizeof message);
	memcpy(&message, asked.body, sizeof message);
	assert_int_equal(message.reason, 0x80000000u);
	assert_int_equal(message.flags, flags);
	reply(guest, IC_STATUS_OK);
}

static void flags_as_asked(void **state)
{
	struct guest *guest = *state;
	struct hvh_utilities *utilities = ready(guest, HVH_UTILITY_SHUTDOWN, V(3, 2));

	request(guest, utilities, 0, NULL);
	expect_shutdown(guest, V(3, 2), 0);
	expect_end(HVH_UTILITY_OK, 0, "power off");
	request(guest, utilities, IC_SHUTDOWN_FORCE | IC_SHUTDOWN_RESTART, NULL);
	expect_shutdown(guest, V(3, 2), 3);
	expect_end(HVH_UTILITY_OK, 0, "restart");
	request(guest, utilities, IC_SHUTDOWN_HIBERNATE, NULL);
	expect_shutdown(guest, V(3, 2), 4);
	expect_end(HVH_UTILITY_OK, 0, "hibernate");
	request(guest, utilities, 8, NULL);
	expect_end(HVH_UTILITY_FAILED, IC_STATUS_INVALID_ARGUMENT, "flags are");
	request(guest, utilities, IC_SHUTDOWN_RESTART | IC_SHUTDOWN_HIBERNATE, NULL);
	expect_end(HVH_UTILITY_FAILED, IC_STATUS_INVALID_ARGUMENT, "flags are");
	expect_none(guest);
	assert_no_violation(guest);
}

static void versions_that_cannot(void **state)
{
	struct guest *guest = *state;
	struct hvh_utilities *utilities = ready(guest, HVH_UTILITY_SHUTDOWN, V(3, 0));

	request(guest, utilities, IC_SHUTDOWN_RESTART, NULL);
	expect_end(HVH_UTILITY_FAILED, IC_STATUS_INVALID_ARGUMENT, "needs shutdown 3.1");
	request(guest, utilities, IC_SHUTDOWN_HIBERNATE, NULL);
	expect_end(HVH_UTILITY_FAILED, IC_STATUS_INVALID_ARGUMENT, "needs shutdown 3.2");
	request(guest, utilities, IC_SHUTDOWN_FORCE, NULL);
	expect_shutdown(guest, V(3, 0), 1);
	expect_end(HVH_UTILITY_OK, 0, "");
}

static void text_in_utf16(void **state)
{
	struct guest *guest = *state;
	struct hvh_utilities *utilities = ready(guest, HVH_UTILITY_SHUTDOWN, V(3, 2));
	static const uint8_t wanted[] = {'a', 0, 0xe4, 0, 0x3d, 0xd8, 0x00, 0xde, 0, 0};
	char text[1100];

	request(guest, utilities, 0, "a\xc3\xa4\xf0\x9f\x98\x80");
	expect_shutdown(guest, V(3, 2), 0);
	assert_memory_equal(asked.body + 12, wanted, sizeof wanted);
	memset(text, 'x', sizeof text);
	text[sizeof text - 1] = '\0';
	request(guest, utilities, 0, text); /* cut, with an end */
	expect_shutdown(guest, V(3, 2), 0);
	assert_int_equal(asked.body[12 + 2 * 1022], 'x');
	assert_int_equal(asked.body[12 + 2 * 1023], 0);
	request(guest, utilities, 0, "ab\xff");
	expect_shutdown(guest, V(3, 2), 0);
	assert_true(asked.body[14] == 'b' && asked.body[16] == 0);
}

static void refused(void **state)
{
	struct guest *guest = *state;
	struct hvh_utilities *utilities = ready(guest, HVH_UTILITY_SHUTDOWN, V(3, 2));

	request(guest, utilities, 0, NULL);
	assert_true(next(guest));
	reply(guest, IC_STATUS_NOT_SUPPORTED);
	expect_end(HVH_UTILITY_FAILED, IC_STATUS_NOT_SUPPORTED, "does not support");
	assert_int_equal(counters_of(utilities).failures, 1);
}

/* --- Time ---------------------------------------------------------------------------------------- */

static uint64_t wall_clock(void *context, uint64_t now)
{
	const uint64_t *base = context;

	return *base + now;
}

static uint64_t noon = NOON;

static struct hvh_utilities *time_ready(struct guest *guest, uint32_t version)
{
	const struct hvh_utilities_config config = {
		.which = HVH_UTILITY_TIMESYNC, .wall_clock = wall_clock, .context = &noon};
	struct hvh_utilities *utilities = offer_with(guest, &config);

	choose(guest, IC_FRAMEWORK_3_0, version);
	return utilities;
}

static struct ic_timesync_4 expect_time(struct guest *guest, uint8_t flags)
{
	struct ic_timesync_4 message;

	expect_message(guest, IC_TYPE_TIMESYNC, V(4, 0), sizeof message);
	memcpy(&message, asked.body, sizeof message);
	assert_int_equal(message.flags, flags);
	return message;
}

static void set_then_samples(void **state)
{
	struct guest *guest = *state;
	struct ic_timesync_4 message;

	pass(guest, 3 * SECOND);
	(void)time_ready(guest, V(4, 0));
	message = expect_time(guest, IC_TIMESYNC_SYNC);
	assert_true(message.reference_time == guest->now && message.host_time == NOON + guest->now);
	assert_int_equal(message.stratum, 1);
	expect_none(guest);
	pass(guest, 20 * SECOND);
	expect_none(guest); /* not before the answer */
	reply(guest, IC_STATUS_OK);
	pass(guest, 5 * SECOND - 1);
	expect_none(guest);
	pass(guest, 1);
	message = expect_time(guest, IC_TIMESYNC_SAMPLE);
	assert_true(message.reference_time == guest->now && message.host_time == NOON + guest->now);
	reply(guest, IC_STATUS_FAIL); /* one that will not be told is told again */
	pass(guest, 5 * SECOND);
	(void)expect_time(guest, IC_TIMESYNC_SAMPLE);
	assert_no_violation(guest);
}

static void stepped(void **state)
{
	struct guest *guest = *state;
	struct hvh_utilities *utilities = time_ready(guest, V(4, 0));
	struct ic_timesync_4 message;

	(void)expect_time(guest, IC_TIMESYNC_SYNC);
	hvh_time_step(utilities, guest->now, -90 * (int64_t)SECOND);
	expect_none(guest);
	reply(guest, IC_STATUS_OK);
	message = expect_time(guest, IC_TIMESYNC_SYNC); /* at once */
	assert_true(message.host_time == NOON + guest->now - 90 * SECOND);
	reply(guest, IC_STATUS_OK);
	hvh_time_step(utilities, guest->now, 100 * (int64_t)SECOND);
	message = expect_time(guest, IC_TIMESYNC_SYNC);
	assert_true(message.host_time == NOON + guest->now + 10 * SECOND);
	dump_says(guest, "clock-stepped-by: 10.0000000 s");
	dump_says(guest, "syncs: 3");
	assert_no_violation(guest);
}

static void old_form(void **state)
{
	struct guest *guest = *state;
	struct ic_timesync_1 message = {0};

	(void)time_ready(guest, V(3, 0));
	expect_message(guest, IC_TYPE_TIMESYNC, V(3, 0), 28);
	memcpy(&message, asked.body, 28);
	assert_true(message.host_time == NOON + guest->now && message.round_trip == 0 && message.flags == 1);
	pass(guest, 7 * MS);
	reply(guest, IC_STATUS_OK);
	pass(guest, 5 * SECOND);
	expect_message(guest, IC_TYPE_TIMESYNC, V(3, 0), 28);
	memcpy(&message, asked.body, 28);
	assert_true(message.round_trip == 7 * MS && message.flags == 2);
}

static void same_seed_same_clock(void **state)
{
	uint64_t clocks[2];

	(void)state;
	for (unsigned n = 0; n < 2; n++) {
		struct guest guest;

		guest_create(&guest, "ws2022");
		(void)ready(&guest, HVH_UTILITY_TIMESYNC, V(4, 0));
		clocks[n] = expect_time(&guest, IC_TIMESYNC_SYNC).host_time;
		guest_destroy(&guest);
	}
	assert_int_equal(clocks[0], clocks[1]);
	assert_in_range(clocks[0], 134116992000000000ull, 134432352000000000ull); /* in 2026 */
}

/* --- Heartbeat ----------------------------------------------------------------------------------- */

static void beat(struct guest *guest, uint64_t sequence, uint64_t said)
{
	struct ic_heartbeat message;

	expect_message(guest, IC_TYPE_HEARTBEAT, V(3, 0), sizeof message);
	memcpy(&message, asked.body, sizeof message);
	assert_int_equal(message.sequence, sequence);
	memcpy(asked.body, &said, sizeof said);
	reply(guest, IC_STATUS_OK);
}

static void beats(void **state)
{
	struct guest *guest = *state;
	struct hvh_utilities *utilities = ready(guest, HVH_UTILITY_HEARTBEAT, V(3, 0));
	uint64_t last;

	assert_int_equal(hvh_heartbeats(utilities, &last), 0);
	for (uint64_t n = 0; n < 3; n++) {
		beat(guest, 2 * n, 2 * n + 1);
		assert_int_equal(hvh_heartbeats(utilities, &last), n + 1);
		assert_int_equal(last, guest->now);
		expect_none(guest);
		pass(guest, 2 * SECOND);
	}
	assert_true(next(guest));
	pass(guest, 9 * SECOND); /* no answer: no other meanwhile */
	expect_none(guest);
	pass(guest, 1 * SECOND);
	beat(guest, 6, 7);
	assert_int_equal(counters_of(utilities).timeouts, 1);
	assert_no_violation(guest);
}

static void a_beat_that_does_not_count(void **state)
{
	struct guest *guest = *state;

	(void)ready(guest, HVH_UTILITY_HEARTBEAT, V(3, 0));
	beat(guest, 0, 0);
	assert_only_violation(guest, HVH_V_IC_VALUE);
	pass(guest, 2 * SECOND);
	beat(guest, 2, 3);
	assert_int_equal(violations(guest), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(flags_as_asked),
		TEST(versions_that_cannot),
		TEST(text_in_utf16),
		TEST(refused),
		TEST(set_then_samples),
		TEST(stepped),
		TEST(old_form),
		cmocka_unit_test(same_seed_same_clock),
		TEST(beats),
		TEST(a_beat_that_does_not_count),
	};

	return cmocka_run_group_tests_name("host_utilities_time", tests, NULL, NULL);
}
