/* SPDX-License-Identifier: MIT */
/* Real threads: every profile, two machines in one process, and all that begins and ends while
 * other threads run. The thread sanitizer's suite. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "tests/support/rig.h"

static const char *const profiles[] = {"ws2008r2", "ws2012", "ws2012r2", "ws2022"};
#define STALL_MS 1000u /* these lose frames, and it is real time */
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

/* Everything that begins and ends while other threads run: the card taken down and up again,
 * the bus left for sleep and found again, devices taken back at any moment, each fault that
 * a lawful host commits, and the way out in a panic. */
static void lives_in_threads(void **state)
{
	static const struct rig_config table[] = {
		{.profile = "ws2022", .cpus = 2, .nic_cpu = 1, .reattach = 5},
		{.profile = "ws2012r2", .cpus = 3, .nic_cpu = 2, .reattach = 3, .by_page = true},
		{.profile = "ws2022", .cpus = 2, .nic_cpu = 1, .suspend = true},
		{.profile = "ws2022", .cpus = 2, .nic_cpu = 1, .rescind_chance = 400},
		{.profile = "ws2012r2", .cpus = 2, .nic_cpu = 1, .rescind_chance = 400, .reattach = 2},
		{.profile = "ws2008r2", .fault_chance = 2048},
		{.profile = "ws2022", .cpus = 3, .nic_cpu = 2, .fault_chance = 2048},
		{.profile = "ws2022", .cpus = 2, .nic_cpu = 1, .abrupt = true},
		{.profile = "ws2022", .cpus = 2, .nic_cpu = 1, .host_by_caller = true, .reattach = 2},
		{.profile = "ws2012r2", .cpus = 3, .host_by_caller = true, .fault_chance = 2048},
	};
	struct rig_result result;
	uint32_t rescinds = 0;

	(void)state;
	for (uint32_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct rig_config config = table[i];
		const char *wrong;

		config.mode = HOSTED_THREADS;
		config.frames = 400;
		config.stall_ms = STALL_MS;
		config.seed = 100 + i;
		config.limit_ms = 60000;
		rig_run(&config, &result);
		if (config.abrupt || i == 5) /* nothing is given back on that way, or on that host */
			result.leaked_pages = 0;
		wrong = rig_check(&result, false);
		if (wrong)
			print_error("case %u: %s\n", i, wrong);
		assert_null(wrong);
		assert_true(result.echoed > 0 || result.rescinds > 0);
		rescinds += result.rescinds;
	}
	printf("did: %u lives in threads, %u rescinds\n", (uint32_t)(sizeof(table) / sizeof(table[0])),
	       rescinds);
}

/* --- The cable, and the card itself, while frames are on their way -------------------------- */

#define MEDDLE_TICKS 20000u /* 2 ms */
#define LINK_CHANGES 40u

struct meddler {
	struct rig *rig;
	uint64_t next;
	uint32_t done;
};

static bool meddle(void *context, uint64_t now)
{
	struct meddler *self = context;

	if (now < self->next || self->done > LINK_CHANGES)
		return false;
	self->next = now + MEDDLE_TICKS;
	self->done++;
	if (self->done <= LINK_CHANGES)
		hvh_nic_set_link(self->rig->host_nic, now, self->done % 2 == 0);
	return false;
}

static uint64_t next_meddling(void *context)
{
	const struct meddler *self = context;

	return self->done < LINK_CHANGES ? self->next : HVH_NEVER;
}

static void begin_to_meddle(void *context, struct rig *rig)
{
	struct meddler *self = context;

	if (self->rig)
		return;
	hosted_lock(rig->machine);
	self->rig = rig;
	self->next = hosted_now(rig->machine) + MEDDLE_TICKS;
	hosted_add_world(rig->machine, meddle, next_meddling, self);
	hosted_kick(rig->machine);
	hosted_unlock(rig->machine);
}

static void cable_in_and_out_under_traffic(void **state)
{
	(void)state;
	for (uint32_t i = 0; i < PROFILES; i++) {
		struct meddler meddler = {0};
		struct rig_config config = {.mode = HOSTED_THREADS,
					    .profile = profiles[i],
					    .cpus = 2,
					    .nic_cpu = i >= 1 ? 1 : 0,
					    .frames = 4000,
					    .seed = i,
					    .limit_ms = 60000,
					    .stall_ms = STALL_MS,
					    .ready = begin_to_meddle,
					    .context = &meddler};
		struct rig_result result;
		const char *wrong;

		rig_run(&config, &result);
		wrong = rig_check(&result, false);
		if (wrong)
			print_error("%s: %s\n", profiles[i], wrong);
		assert_null(wrong);
		assert_int_equal(result.echoed + result.lost, config.frames);
		assert_true(meddler.done > 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(threads_carry_frames),
		cmocka_unit_test(two_machines_in_one_process),
		cmocka_unit_test(lives_in_threads),
		cmocka_unit_test(cable_in_and_out_under_traffic),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
