/* SPDX-License-Identifier: MIT */
/* Real threads: every profile, and two machines in one process. The thread sanitizer's suite. */
#include <pthread.h>
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

static void threads_carry_frames(void **state)
{
	struct rig_config config = {.mode = HOSTED_THREADS, .frames = 2000};
	struct rig_result result;

	(void)state;
	for (uint32_t i = 0; i < PROFILES; i++) {
		config.profile = profiles[i];
		config.cpus = 1 + i % 3;
		config.nic_cpu = i >= 1 ? config.cpus - 1 : 0;
		config.seed = i;
		config.limit_ms = 60000;
		expect_good(&config, &result);
	}
}

struct machine {
	struct rig_config config;
	struct rig_result result;
};

static void *run_machine(void *context)
{
	struct machine *machine = context;

	rig_run(&machine->config, &machine->result);
	return NULL;
}

/* No globals: two guests on two hosts, at the same time, in one process. */
static void two_machines_in_one_process(void **state)
{
	struct machine machines[2] = {
		{.config = {.mode = HOSTED_THREADS,
			    .profile = "ws2012r2",
			    .frames = 1000,
			    .seed = 1,
			    .limit_ms = 60000}},
		{.config = {.mode = HOSTED_THREADS,
			    .profile = "ws2022",
			    .frames = 1000,
			    .seed = 2,
			    .cpus = 2,
			    .limit_ms = 60000}},
	};
	pthread_t threads[2];

	(void)state;
	for (int i = 0; i < 2; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, run_machine, &machines[i]), 0);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(pthread_join(threads[i], NULL), 0);
		assert_null(rig_check(&machines[i].result, true));
		assert_int_equal(machines[i].result.echoed, 1000);
	}
	assert_int_equal(machines[0].result.version, VMBUS_VERSION_3_0);
	assert_int_equal(machines[1].result.version, VMBUS_VERSION_5_3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(threads_carry_frames),
		cmocka_unit_test(two_machines_in_one_process),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
