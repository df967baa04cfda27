/* SPDX-License-Identifier: MIT */
/* Time: layouts by version, transit by the reference counter, step and slew. */
#include "tests/unit/guest_utilities_host.h"

#define BASE 133500000000000000ull /* of the year 2024 */
#define SECOND HVK_TIME_PER_SECOND

static struct {
	uint64_t now;
	struct hvk_time_offer offer;
	int64_t difference;
	uint32_t count;
} user;

static uint64_t now(void *context)
{
	assert_ptr_equal(context, &user);
	return user.now;
}

static void adjust(void *context, const struct hvk_time_offer *offer, int64_t difference)
{
	assert_ptr_equal(context, &user);
	user.offer = *offer;
	user.difference = difference;
	user.count++;
}

static void begin(uint32_t version)
{
	const struct hvk_utility_config config = {.callbacks.time = {.now = now, .adjust = adjust},
						  .context = &user};

	memset(&user, 0, sizeof(user));
	user.now = BASE;
	utility_begin((struct vmbus_guid)VMBUS_GUID_TIMESYNC, &config);
	bench.hvk.now_ms = 60000;
	assert_int_equal(utility_negotiate(version), version);
}

static uint32_t say_4(uint64_t host_time, uint64_t reference, uint8_t flags)
{
	struct ic_timesync_4 body = {
		.host_time = host_time, .reference_time = reference, .flags = flags, .leap = 1, .stratum = 3};

	user.count = 0;
	return utility_ask(IC_TYPE_TIMESYNC, &body, sizeof(body));
}

static void transit(void **state)
{
	(void)state;
	begin(IC_VERSION(4, 0));
	assert_int_equal(say_4(BASE + 90 * SECOND, 59 * SECOND, IC_TIMESYNC_SYNC), IC_STATUS_OK);
	assert_int_equal(user.count, 1);
	assert_true(user.offer.step);
	assert_int_equal(user.offer.transit, SECOND);
	assert_true(user.offer.host_time == BASE + 91 * SECOND);
	assert_true(user.difference == (int64_t)(91 * SECOND));
	assert_int_equal(user.offer.leap, 1);
	assert_int_equal(user.offer.stratum, 3);
	say_4(BASE, 60 * SECOND + SECOND / 2, IC_TIMESYNC_SYNC); /* ahead, as two readers may be */
	assert_true(user.difference == 0 && user.offer.transit == 0 && user.count == 1);
	assert_int_equal(say_4(BASE, 62 * SECOND, IC_TIMESYNC_SYNC), IC_STATUS_INVALID_ARGUMENT);
	assert_int_equal(user.count, 0);
	bench.hvk.info.reference_counter = false; /* a clock of our own says nothing about transit */
	assert_int_equal(say_4(BASE + 1, 62 * SECOND, IC_TIMESYNC_SYNC), IC_STATUS_OK);
	assert_true(user.difference == 1);
	utility_end();
}

static void step_or_slew(void **state)
{
	(void)state;
	begin(IC_VERSION(4, 0));
	say_4(BASE + SECOND / 5, 60 * SECOND, IC_TIMESYNC_SAMPLE);
	assert_true(user.count == 1 && !user.offer.step && user.difference == (int64_t)(SECOND / 5));
	say_4(BASE - SECOND / 5, 60 * SECOND, IC_TIMESYNC_SAMPLE);
	assert_true(user.count == 1 && !user.offer.step && user.difference == -(int64_t)(SECOND / 5));
	say_4(BASE - 90 * SECOND, 60 * SECOND, IC_TIMESYNC_SAMPLE);
	assert_true(user.count == 1 && user.offer.step && user.difference == -(int64_t)(90 * SECOND));
	say_4(BASE + 5 * SECOND - 1, 60 * SECOND, IC_TIMESYNC_SAMPLE);
	assert_true(user.count == 1 && !user.offer.step);
	say_4(BASE + 9999, 60 * SECOND, IC_TIMESYNC_SAMPLE); /* below a millisecond */
	assert_int_equal(user.count, 0);
	say_4(BASE + 10000, 60 * SECOND, IC_TIMESYNC_SAMPLE);
	assert_int_equal(user.count, 1);
	say_4(BASE + 90 * SECOND, 60 * SECOND, 0);
	assert_int_equal(user.count, 0);
	user.now = 0; /* no clock yet */
	say_4(BASE, 60 * SECOND, IC_TIMESYNC_SAMPLE);
	assert_true(user.count == 1 && user.offer.step && user.difference == (int64_t)BASE);
	utility_end();
}

static void older(void **state)
{
	static const uint32_t versions[] = {IC_VERSION(3, 0), IC_VERSION(1, 0)};
	struct ic_timesync_1 body = {.host_time = BASE + 7 * SECOND, .flags = IC_TIMESYNC_SYNC};

	(void)state;
	for (uint32_t i = 0; i < 2; i++) {
		begin(versions[i]);
		assert_int_equal(utility_ask(IC_TYPE_TIMESYNC, &body, IC_TIMESYNC_1_SIZE), IC_STATUS_OK);
		assert_true(user.count == 1 && user.offer.transit == 0);
		assert_true(user.difference == (int64_t)(7 * SECOND));
		assert_int_equal(utility_ask(IC_TYPE_TIMESYNC, &body, 24), IC_STATUS_INVALID_ARGUMENT);
		utility_end();
	}
}

static void cannot_be(void **state)
{
	struct ic_timesync_4 body = {.host_time = BASE, .flags = IC_TIMESYNC_SYNC};

	(void)state;
	begin(IC_VERSION(4, 0));
	assert_int_equal(utility_ask(IC_TYPE_TIMESYNC, &body, 21), IC_STATUS_INVALID_ARGUMENT);
	assert_int_equal(utility_ask(IC_TYPE_TIMESYNC, &body, 22), IC_STATUS_OK);
	assert_int_equal(say_4(UINT64_MAX, 0, IC_TIMESYNC_SYNC), IC_STATUS_INVALID_ARGUMENT);
	assert_int_equal(user.count, 0);
	user.now = UINT64_MAX; /* the guest's own clock is nonsense: nothing is computed from it */
	assert_int_equal(say_4(BASE, 0, IC_TIMESYNC_SYNC), IC_STATUS_OK);
	assert_int_equal(user.count, 0);
	utility_end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(transit),
		cmocka_unit_test(step_or_slew),
		cmocka_unit_test(older),
		cmocka_unit_test(cannot_be),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
