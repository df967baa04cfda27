/* SPDX-License-Identifier: MIT */
/*
 * A card of four queues on four CPUs, each a thread, with flows both ways: what may happen to it while
 * all of them run. The thread sanitizer's suite.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "tests/support/flow_card.h"

#define CPUS 4u
#define LIMIT_MS 60000u

static const struct card_plan four_queues = {
	.config = {.ring_pages = 4, .queues = 4, .offloads = HVK_NETDEV_ALL_OFFLOADS},
	.host = {.mac = {0x00, 0x15, 0x5d, 1, 2, 3}, .link_up = true},
	.bad_sums = true,
	.pause_ms = 100,
};

static void run(const struct card_plan *plan, const char *profile, uint64_t seed, struct card_counts *counts)
{
	struct rig_config machine = {
		.mode = HOSTED_THREADS,
		.profile = profile,
		.seed = seed,
		.cpus = CPUS,
		.limit_ms = LIMIT_MS,
	};
	struct rig_result result;
	struct card_plan own = *plan;
	const char *wrong;

	own.seed = seed;
	wrong = card_run(&own, &machine, &result, counts, NULL);
	if (wrong)
		print_error("%s, seed %llu: %s\n", profile, (unsigned long long)seed, wrong);
	assert_null(wrong);
}

static void flows_on_four_cpus(void **state)
{
	static const char *const profiles[] = {"ws2022", "ws2012r2", "openvmm"};
	struct card_counts counts;

	(void)state;
	for (uint64_t seed = 0; seed < 3; seed++) {
		run(&four_queues, profiles[seed], seed, &counts);
		assert_int_equal(counts.queues[2], 1);
		assert_int_equal(counts.rx_queues_used, 3);
		assert_int_equal(counts.tx_queues_used, 3);
	}
}

static void lent_on_four_cpus(void **state)
{
	struct card_plan plan = four_queues;
	struct card_counts counts;

	(void)state;
	plan.config.rx_borrow = 30;
	run(&plan, "ws2022", 10, &counts);
	assert_true(counts.rx_lent > 0);
}

/* All that may happen, two at a time. */
static void whatever_happens(void **state)
{
	struct card_counts counts;
	uint64_t events = 0;

	(void)state;
	for (uint32_t first = 1; first < CARD_EVENT_COUNT; first += 2) {
		struct card_plan plan = four_queues;

		plan.config.rx_borrow = first % 4 == 1 ? 20 : 0;
		plan.pause_ms = 30;
		plan.event_count = 2;
		plan.events[0] = (enum card_event)first;
		plan.events[1] = (enum card_event)(first + 1 < CARD_EVENT_COUNT ? first + 1 : 1);
		run(&plan, first % 4 == 3 ? "ws2012r2" : "ws2022", 20 + first, &counts);
		events += counts.events[plan.events[0]] + counts.events[plan.events[1]];
	}
	printf("did: %u events in threads\n", (uint32_t)events);
	assert_true(events >= CARD_EVENT_COUNT - 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(flows_on_four_cpus),
		cmocka_unit_test(lent_on_four_cpus),
		cmocka_unit_test(whatever_happens),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
