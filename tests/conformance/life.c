/* SPDX-License-Identifier: MIT */
/*
 * Life cycles: every allocation that can fail, every clock that can be missing, suspend and
 * resume, the abrupt exit.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "tests/support/rig.h"

static const char *const profiles[] = {"ws2008r2", "ws2012", "ws2012r2", "ws2022"};
#define PROFILES (sizeof(profiles) / sizeof(profiles[0]))

static void expect_good(const struct rig_config *config, struct rig_result *result)
{
	const char *wrong;

	rig_run(config, result);
	wrong = rig_check(result, true);
	if (wrong)
		print_error("%s, seed %llu: %s\n", config->profile, (unsigned long long)config->seed, wrong);
	assert_null(wrong);
	assert_int_equal(result->echoed, config->frames);
}

/* Whichever allocation fails, its call says so, and everything is given back. */
static void any_allocation_may_fail(void **state)
{
	struct rig_config config = {
		.mode = HOSTED_DETERMINISTIC, .profile = "ws2022", .frames = 10, .seed = 5};
	uint32_t failed = 0;

	(void)state;
	for (uint32_t n = 0; n < 200; n++) {
		struct rig_result result;

		config.fail_allocation = n + 1;
		rig_run(&config, &result);
		if (n > 0) /* the first is the instance itself: nothing runs */
			assert_true(result.finished);
		assert_int_equal(result.violations, 0);
		assert_int_equal(result.bad_writes, 0);
		assert_int_equal(result.leaked_pages, 0);
		if (result.status == HVK_OK)
			continue; /* there are fewer than n, or it was a frame's */
		assert_int_equal(result.status, HVK_ENOMEM);
		failed++;
	}
	assert_true(failed > 12); /* instance, pages of each part, rings, buffers, card */
}

static void clocks_may_be_missing(void **state)
{
	struct rig_config config = {.mode = HOSTED_DETERMINISTIC, .frames = 40, .seed = 9};
	struct rig_result result;

	(void)state;
	for (uint32_t i = 0; i < 4 * PROFILES; i++) {
		config.profile = profiles[i / 4];
		config.no_reference_tsc = i & 1;
		config.no_reference_counter = i & 2;
		expect_good(&config, &result);
		config.level0 = true;
		expect_good(&config, &result);
		config.level0 = false;
	}
}

static void a_suspended_bus_comes_back(void **state)
{
	struct rig_config config = {.mode = HOSTED_DETERMINISTIC, .frames = 40, .suspend = true};
	struct rig_result result;

	(void)state;
	for (uint64_t seed = 1; seed <= 20; seed++) {
		config.seed = seed;
		config.profile = profiles[2 + seed % 2];
		config.vmbus_mode = seed % 4 < 2 ? HVK_VMBUS_MODE_BOOT : HVK_VMBUS_MODE_SYSTEM;
		expect_good(&config, &result);
		assert_int_equal(result.quarantined_pages, 0);
		assert_int_equal(result.host.unloads, config.vmbus_mode == HVK_VMBUS_MODE_BOOT ? 3 : 2);
	}
}

static void a_host_without_unload_cannot_suspend(void **state)
{
	struct rig_config config = {
		.mode = HOSTED_DETERMINISTIC, .profile = "ws2012", .suspend = true, .seed = 2};
	struct rig_result result;

	(void)state;
	rig_run(&config, &result);
	assert_true(result.finished);
	assert_int_equal(result.status, HVK_ENOTSUP);
	assert_int_equal(result.leaked_pages + result.bad_writes + result.violations, 0);
}

/* UNLOAD with everything open: the host lets go of everything, and writes nowhere after. */
static void the_abrupt_exit_leaves_a_quiet_host(void **state)
{
	struct rig_config config = {.mode = HOSTED_DETERMINISTIC, .frames = 30, .abrupt = true};
	struct rig_result result;

	(void)state;
	for (uint64_t seed = 1; seed <= 20; seed++) {
		config.seed = seed;
		config.cpus = 1 + (uint32_t)seed % 3;
		config.profile = profiles[2 + seed % 2];
		rig_run(&config, &result);
		assert_true(result.finished);
		assert_int_equal(result.status, HVK_OK);
		assert_int_equal(result.violations, 0);
		assert_int_equal(result.bad_writes, 0);
		assert_true(result.quiet);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(any_allocation_may_fail),
		cmocka_unit_test(clocks_may_be_missing),
		cmocka_unit_test(a_suspended_bus_comes_back),
		cmocka_unit_test(a_host_without_unload_cannot_suspend),
		cmocka_unit_test(the_abrupt_exit_leaves_a_quiet_host),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
