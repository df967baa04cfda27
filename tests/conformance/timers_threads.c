/* SPDX-License-Identifier: MIT */
/*
 * An event timer on each of several CPUs at once, without a bus: on threads, in real time, where the
 * thread sanitizer looks, and deterministically, where lateness can be judged.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdatomic.h>
#include <string.h>

#include <cmocka.h>

#include "hvkit/timer.h"
#include "ports/hosted/hosted.h"

#define CPUS 3u
#define ROUNDS 40u
#define TIMER_VECTOR 0xedu
#define SINT_VECTOR 0x75u
#define STEP (HVK_TIME_PER_MS / 2u)
#define LATE_MAX (HVK_TIME_PER_MS / 5u) /* deterministic: other CPUs have their turns too */
#define GIVE_UP (10u * HVK_TIME_PER_SECOND)
#define REST_NS 20000000000ull /* nobody waits that long unless a wake-up is lost */

struct bench;

struct clock {
	struct bench *bench;
	uint32_t cpu, expired, early;
	uint64_t late;
	hvk_status status;
};

struct bench {
	struct hosted *machine;
	struct hvk *hvk;
	uint8_t vector;
	struct clock clocks[CPUS];
	_Atomic uint32_t begun, ended;
	hvk_status start, stop;
};

static void interrupt(void *context, uint32_t cpu)
{
	hvk_interrupt(((struct bench *)context)->hvk, cpu);
}

static void timer_interrupt(void *context, uint32_t cpu)
{
	hvk_event_timer_interrupt(((struct bench *)context)->hvk, cpu);
}

/* Halts until the timer says that the deadline has passed. */
static bool await(struct clock *clock, uint64_t deadline)
{
	struct hvk *hvk = clock->bench->hvk;
	uint64_t now;

	while (!hvk_event_timer_expired(hvk, clock->cpu)) {
		if (hvk_time(hvk) > deadline + GIVE_UP)
			return false;
		hosted_wait(clock->bench->machine, REST_NS);
	}
	now = hvk_time(hvk);
	clock->expired++;
	clock->early += now < deadline;
	if (now > deadline && now - deadline > clock->late)
		clock->late = now - deadline;
	return true;
}

static void keep_time(struct clock *clock)
{
	struct hvk *hvk = clock->bench->hvk;

	clock->status = hvk_cpu_start(hvk);
	if (clock->status == HVK_OK)
		clock->status = hvk_event_timer_start(hvk, clock->bench->vector);
	for (uint32_t round = 0; clock->status == HVK_OK && round < ROUNDS; round++) {
		uint64_t deadline = hvk_time(hvk) + STEP / (1 + round % 5 + clock->cpu);

		clock->status = hvk_event_timer_set(hvk, deadline);
		if (clock->status == HVK_OK && !await(clock, deadline))
			clock->status = HVK_ETIMEDOUT;
	}
	if (clock->status == HVK_OK)
		clock->status = hvk_cpu_stop(hvk);
	atomic_fetch_add(&clock->bench->ended, 1);
}

static void other_cpu(void *context)
{
	struct clock *clock = context;

	while (atomic_load(&clock->bench->begun) == 0)
		hosted_wait(clock->bench->machine, 20000);
	keep_time(clock);
}

static void first_cpu(void *context)
{
	struct clock *clock = context;
	struct bench *bench = clock->bench;

	bench->start = hvk_start(bench->hvk);
	atomic_store(&bench->begun, 1);
	keep_time(clock);
	while (atomic_load(&bench->ended) < CPUS)
		hosted_wait(bench->machine, 20000);
	bench->stop = hvk_stop(bench->hvk);
}

static void violation(void *context, const struct hvh_violation *violation)
{
	(void)context;
	print_error("%s: %s\n", hvh_violation_name(violation->kind), violation->text);
}

static uint64_t run(enum hosted_mode mode, uint8_t vector, uint64_t seed)
{
	struct hosted_config machine = {.mode = mode,
					.cpus = CPUS,
					.memory_pages = 1024,
					.profile = hvh_profile_find("ws2022"),
					.seed = seed,
					.violation = violation};
	struct hvk_config config = {.cpus = CPUS, .vector = SINT_VECTOR, .interrupts = true};
	struct bench bench = {.vector = vector};
	struct hvh_counters counters;
	uint64_t late = 0;

	bench.machine = hosted_create(&machine);
	assert_non_null(bench.machine);
	assert_int_equal(hvk_create(hosted_port(bench.machine), &config, &bench.hvk), HVK_OK);
	hosted_set_interrupt(bench.machine, interrupt, &bench);
	hosted_set_timer_interrupt(bench.machine, TIMER_VECTOR, timer_interrupt);
	for (uint32_t cpu = 0; cpu < CPUS; cpu++) {
		bench.clocks[cpu] = (struct clock){.bench = &bench, .cpu = cpu};
		hosted_set_program(bench.machine, cpu, cpu == 0 ? first_cpu : other_cpu, &bench.clocks[cpu]);
	}
	assert_true(hosted_run(bench.machine, 60000));
	for (uint32_t cpu = 0; cpu < CPUS; cpu++) {
		assert_int_equal(bench.clocks[cpu].status, HVK_OK);
		assert_int_equal(bench.clocks[cpu].expired, ROUNDS);
		assert_int_equal(bench.clocks[cpu].early, 0);
		late = bench.clocks[cpu].late > late ? bench.clocks[cpu].late : late;
	}
	assert_int_equal(bench.start, HVK_OK);
	assert_int_equal(bench.stop, HVK_OK);
	hvh_get_counters(hosted_partition(bench.machine), &counters);
	assert_int_equal(counters.violations, 0);
	assert_int_equal(hvk_destroy(bench.hvk), HVK_OK);
	assert_int_equal(hosted_pages_in_use(bench.machine), 0);
	hosted_destroy(bench.machine);
	return late;
}

static void on_threads(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 3; seed++) {
		(void)run(HOSTED_THREADS, 0, seed);
		(void)run(HOSTED_THREADS, TIMER_VECTOR, seed);
	}
}

static void deterministically(void **state)
{
	uint64_t worst = 0;

	(void)state;
	for (uint64_t seed = 1; seed <= 40; seed++) {
		uint64_t late = run(HOSTED_DETERMINISTIC, seed % 2 ? TIMER_VECTOR : 0, seed);

		worst = late > worst ? late : worst;
	}
	print_message("did: %u deadlines on %u CPUs, late by at most %u us\n", 40 * ROUNDS * CPUS, CPUS,
		      (unsigned)(worst / 10));
	assert_true(worst <= LATE_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(on_threads),
		cmocka_unit_test(deterministically),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
