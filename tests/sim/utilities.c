/* SPDX-License-Identifier: MIT */
/*
 * Simulation of the integration components: hosts of every age ask for shutdowns, pairs, addresses, backups
 * and copies of a guest whose user is slow, unwilling or absent, while services are restarted in the middle,
 * the guest's drivers come and go, clocks are set and drift. Every request ends once, for a reason; what was
 * said to be done is done, nothing stays frozen or half copied, no answer is taken for another's.
 *
 *   sim_utilities [FIRST [COUNT]]     SIM_UTILITIES_SEEDS=n sets the count (SIM_SEEDS / 50, or 100)
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/services_session.h"

#define SEEDS_DEFAULT 100u
#define SEEDS_LEAST 30u
#define ENOUGH 100u /* seeds, for everything to strike */

struct random {
	uint64_t state;
};

static uint32_t pick(struct random *random, uint32_t below)
{
	uint64_t z = random->state += 0x9e3779b97f4a7c15ull;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
	return (uint32_t)((z ^ (z >> 31)) % below);
}

static void choose(struct rig_config *machine, struct services_plan *plan, uint64_t seed)
{
	static const char *const profiles[] = {"ws2022", "ws2016", "ws2012r2", "ws2019", "openvmm",
					       "azure",  "ws2012", "ws2022",   "ws2008"};
	static const uint32_t versions[] = {IC_VERSION(1, 0), IC_VERSION(3, 0), IC_VERSION(4, 0)};
	struct random random = {(seed + 4711) * 0xd1342543de82ef95ull};
	bool old;

	*machine = (struct rig_config){
		.mode = HOSTED_DETERMINISTIC,
		.profile = profiles[seed % (sizeof(profiles) / sizeof(profiles[0]))],
		.seed = seed,
		.cpus = 1 + pick(&random, 3),
		.fault_chance = pick(&random, 3) ? 0 : 64u << pick(&random, 4),
		.rescind_chance = pick(&random, 4) ? 0 : 200u << pick(&random, 4),
		.switch_chance = 512u << pick(&random, 5),
		.limit_ms = 3000000,
	};
	old = strcmp(machine->profile, "ws2008") == 0 || strcmp(machine->profile, "ws2012") == 0;
	*plan = (struct services_plan){
		.seed = seed,
		.cpu = old ? 0 : pick(&random, machine->cpus),
		.framework_newest = pick(&random, 8) ? 0 : IC_VERSION(1, 0),
		.message_newest = pick(&random, 6) ? 0 : versions[pick(&random, 3)],
		.guest_newest = pick(&random, 6) ? 0 : versions[pick(&random, 3)],
		.answer_max_ms = 100 + pick(&random, 2000),
		.freeze_max_ms = 100 + pick(&random, 2000),
		.moods = pick(&random, 3) ? pick(&random, 10) : 0,
		.pause_ms = 1u << pick(&random, 9),
		.events = 10 + pick(&random, 60),
	};
}

static const char *const names[] = {"done",
				    "failed",
				    "away",
				    "refused",
				    "late answers",
				    "too late",
				    "never answered",
				    "no",
				    "went down",
				    "stepped",
				    "slewed",
				    "frozen",
				    "thawed",
				    "thawed alone",
				    "copied",
				    "copies aborted",
				    "pairs read",
				    "whole lists",
				    "stores forgotten",
				    "beats",
				    "negotiations",
				    "gone"};
#define NAMES (sizeof(names) / sizeof(names[0]))
_Static_assert(sizeof(struct services_counts) / sizeof(uint64_t) == SERVICES_EVENTS + NAMES,
	       "a name for each");

static uint32_t show_totals(const struct services_counts *totals)
{
	const uint64_t *counts = (const uint64_t *)totals;
	uint32_t never = 0;

	for (uint32_t i = 0; i < SERVICES_EVENTS + NAMES; i++) {
		const char *name = i < SERVICES_EVENTS ? services_event_name((enum services_event)i)
						       : names[i - SERVICES_EVENTS];

		printf("%s %-22s %llu\n", i < SERVICES_EVENTS ? "event" : "count", name,
		       (unsigned long long)counts[i]);
		never += counts[i] == 0;
	}
	printf("did: %llu requests done, %llu failed, %llu cut off, %llu pairs read, %llu files copied, %llu "
	       "thaws without the host\n",
	       (unsigned long long)totals->done, (unsigned long long)totals->failed,
	       (unsigned long long)totals->away, (unsigned long long)totals->pairs_read,
	       (unsigned long long)totals->copied, (unsigned long long)totals->thawed_alone);
	return never;
}

static bool run_seed(uint64_t seed, struct services_counts *totals)
{
	struct services_counts counts;
	struct services_plan plan;
	struct rig_config machine;
	const char *wrong, *trace = getenv("SIM_TRACE");

	choose(&machine, &plan, seed);
	if (getenv("SIM_VERBOSE"))
		(void)fprintf(stderr, "seed %llu\n", (unsigned long long)seed);
	if (trace)
		machine.trace = fopen(trace, "wb");
	wrong = services_session_run(&plan, &machine, &counts);
	if (machine.trace)
		(void)fclose(machine.trace);
	for (size_t i = 0; i < sizeof(counts) / sizeof(uint64_t); i++)
		((uint64_t *)totals)[i] += ((const uint64_t *)&counts)[i];
	if (wrong)
		printf("seed %llu: %s\n  %s, %u cpus, channels on %u, faults %u, rescind %u, framework %x, "
		       "messages "
		       "%x and %x, moods %u, %u events\n",
		       (unsigned long long)seed, wrong, machine.profile, machine.cpus, plan.cpu,
		       machine.fault_chance, machine.rescind_chance, plan.framework_newest,
		       plan.message_newest, plan.guest_newest, plan.moods, plan.events);
	return !wrong;
}

int main(int argc, char **argv)
{
	const char *own = getenv("SIM_UTILITIES_SEEDS"), *all = getenv("SIM_SEEDS");
	uint64_t share = all ? strtoull(all, NULL, 10) / 50 : SEEDS_DEFAULT;
	uint64_t first = argc > 1 ? strtoull(argv[1], NULL, 10) : 1;
	uint64_t count = argc > 2   ? strtoull(argv[2], NULL, 10)
			 : argc > 1 ? 1
			 : own      ? strtoull(own, NULL, 10)
				    : (share < SEEDS_LEAST ? SEEDS_LEAST : share);
	static struct services_counts totals;
	uint64_t failed = 0;
	uint32_t never;

	for (uint64_t seed = first; seed < first + count; seed++)
		failed += !run_seed(seed, &totals);
	never = show_totals(&totals);
	printf("%llu seeds, %llu failed\n", (unsigned long long)count, (unsigned long long)failed);
	if (count >= ENOUGH && never) {
		printf("%u of these never struck\n", never);
		return 1;
	}
	return failed != 0;
}
