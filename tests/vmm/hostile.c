/* SPDX-License-Identifier: MIT */
/*
 * Guests that mean harm (tests/vmm/guests/hostile_*.c), on a few seeds each: the monitor ends each of
 * them, in time, says what it saw, and takes no memory for it. Skipped without /dev/kvm.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include <cmocka.h>

#include "tests/vmm/outcome.h"

#define SEEDS 2u
#define LATE_MS 5000u /* after the limit */
#define GROWTH_KIB (24u << 10)

static uint64_t now_ms(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000u + (uint64_t)now.tv_nsec / 1000000u;
}

/* With its exit status 0 it has done all that it wanted. */
static const struct outcome *run(const char *name, uint32_t seed, uint32_t cpus, uint64_t limit_ms)
{
	uint64_t begin = now_ms();
	const struct outcome *outcome;
	char line[12];

	snprintf(line, sizeof(line), "%u", seed);
	outcome = outcome_of(name, line, cpus, limit_ms);
	assert_true(now_ms() - begin < limit_ms + LATE_MS);
	assert_int_not_equal(outcome->result.end, VMM_RUNNING);
	assert_non_null(strstr(outcome->report, outcome->result.text));
	return outcome;
}

static void gets_nowhere(const char *name, uint32_t cpus, uint64_t violations)
{
	for (uint32_t seed = 1; seed <= SEEDS; seed++) {
		const struct outcome *outcome = run(name, seed, cpus, OUTCOME_LIMIT_MS);

		if (outcome->result.end != VMM_EXITED || outcome->result.status != 0)
			fail_msg("%s %u: %s\n%s", name, seed, outcome->result.text, outcome->report);
		assert_true(outcome->violations >= violations);
	}
}

static void registers(void **state)
{
	(void)state;
	gets_nowhere("hostile_registers", 1, 1000);
}

static void hypercalls_on_two_cpus(void **state)
{
	(void)state;
	gets_nowhere("hostile_hypercalls", 2, 500);
}

static void messages(void **state)
{
	(void)state;
	gets_nowhere("hostile_messages", 1, 200);
}

static void a_ring_that_changes_under_the_hosts_eyes(void **state)
{
	(void)state;
	gets_nowhere("hostile_ring", 2, 5);
}

static void ports_on_two_cpus(void **state)
{
	(void)state;
	gets_nowhere("hostile_ports", 2, 0);
}

/* It may silence its own CPU, and nothing else. */
static void interrupt_controllers(void **state)
{
	(void)state;
	for (uint32_t seed = 1; seed <= SEEDS; seed++) {
		enum vmm_end end = run("hostile_apic", seed, 1, 2000)->result.end;

		assert_true(end == VMM_EXITED || end == VMM_TIME_IS_UP || end == VMM_TRIPLE_FAULT);
	}
}

/* Interrupts off on both CPUs, eight timers that are always due. */
static void loops_under_a_storm_of_timers(void **state)
{
	const struct outcome *outcome = run("hostile_timers", 0, 2, 1500);

	(void)state;
	assert_int_equal(outcome->result.end, VMM_TIME_IS_UP);
	assert_non_null(strstr(outcome->report, "vCPU 1: running"));
}

static void a_jump_to_where_no_memory_is(void **state)
{
	const struct outcome *outcome = run("jump_into_hole", 0, 1, OUTCOME_LIMIT_MS);

	(void)state;
	assert_true(outcome->result.end == VMM_UNRUNNABLE || outcome->result.end == VMM_TRIPLE_FAULT);
	if (outcome->result.end == VMM_UNRUNNABLE)
		assert_non_null(strstr(outcome->report, "rip is not in RAM"));
}

static void endless_text(void **state)
{
	(void)state;
	assert_int_equal(run("chatter", 0, 1, 500)->result.end, VMM_TIME_IS_UP);
}

/* Last: what all of them together have left behind. The guests' own memory is given back. */
static void nothing_is_left_behind(void **state)
{
	struct rusage before, after;

	(void)state;
	(void)getrusage(RUSAGE_SELF, &before);
	for (uint32_t seed = 10; seed < 12; seed++) {
		(void)run("hostile_registers", seed, 1, OUTCOME_LIMIT_MS);
		(void)run("hostile_messages", seed, 1, OUTCOME_LIMIT_MS);
	}
	(void)getrusage(RUSAGE_SELF, &after);
	assert_true(after.ru_maxrss - before.ru_maxrss < (long)GROWTH_KIB);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(registers),
		cmocka_unit_test(hypercalls_on_two_cpus),
		cmocka_unit_test(messages),
		cmocka_unit_test(a_ring_that_changes_under_the_hosts_eyes),
		cmocka_unit_test(ports_on_two_cpus),
		cmocka_unit_test(interrupt_controllers),
		cmocka_unit_test(loops_under_a_storm_of_timers),
		cmocka_unit_test(a_jump_to_where_no_memory_is),
		cmocka_unit_test(endless_text),
		cmocka_unit_test(nothing_is_left_behind),
	};
	char error[VMM_ERROR_MAX];
	struct vmm_probe probe;

	if (!vmm_probe(&probe, error)) {
		printf("skipped: %s\n", error);
		return 77;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
