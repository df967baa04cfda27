/* SPDX-License-Identifier: MIT */
/*
 * Simulation of a VF beside a card: it comes and goes, asked for and by surprise, while frames flow, the card
 * goes down and up, gets another MTU, other offloads, is taken away, and the host is slow or silent about the
 * data path; in transparent mode and in separate mode. No frame comes twice or changed, and one that is
 * missing was counted by whoever lost it; nothing hangs, breaks a rule or is left behind; after each VF the
 * card is as the stack made it, and the VF as its driver did.
 *
 *   sim_vf [FIRST [COUNT]]     SIM_VF_SEEDS=n sets the count (SIM_SEEDS / 25, or 200)
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/vf_session.h"

#define SEEDS_DEFAULT 200u
#define SEEDS_LEAST 100u
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

static void choose(struct rig_config *machine, struct vf_session_plan *plan, uint64_t seed)
{
	static const char *const profiles[] = {"ws2022", "ws2019", "ws2016", "azure"};
	struct random random = {(seed + 99) * 0xd1342543de82ef95ull};

	*machine = (struct rig_config){
		.mode = HOSTED_DETERMINISTIC,
		.profile = profiles[seed % 4],
		.seed = seed,
		.cpus = 1 + pick(&random, 3),
		.fault_chance = pick(&random, 3) ? 0 : 64u << pick(&random, 3),
		.switch_chance = 1024u << pick(&random, 5),
	};
	*plan = (struct vf_session_plan){
		.seed = seed,
		.card = {.ring_pages = 4,
			 .receive_buffer_pages = 256,
			 .send_buffer_pages = 32,
			 .queues = 1 + pick(&random, machine->cpus),
			 .offloads = pick(&random, 2) ? HVK_NETDEV_ALL_OFFLOADS : 0},
		.vf = {.transparent = pick(&random, 4) != 0,
		       .grace_ms = pick(&random, 3) ? 1 + pick(&random, 30) : 0},
		.device = {.queues = 1,
			   .offloads = pick(&random, 2) ? HVK_NETDEV_ALL_OFFLOADS : 0,
			   .polled = pick(&random, 4) == 0,
			   .queue_size = 16u << pick(&random, 5)},
		.host = {.offer_delay = (1 + pick(&random, 30)) * HVH_TIME_PER_MS,
			 .offer_first = 200,
			 .association_twice = 200,
			 .eject_wait = 2 * HVH_TIME_PER_SECOND,
			 .without = pick(&random, 3) ? 0 : pick(&random, 0x100)},
		.events = 2 + pick(&random, 12),
	};
	plan->card.cpu = pick(&random, machine->cpus);
	plan->device.cpu = plan->card.cpu;
	plan->device.queues = plan->card.queues;
}

static const char *const names[] = {"sent",
				    "echoed",
				    "busy",
				    "refused",
				    "given back",
				    "dropped by the host",
				    "dropped by drivers",
				    "left in rings",
				    "lost by faults",
				    "active",
				    "absent",
				    "as before",
				    "by the VF",
				    "by the card",
				    "switches that failed",
				    "lost in a VF",
				    "separate"};
#define NAMES (sizeof(names) / sizeof(names[0]))
_Static_assert(sizeof(struct vf_session_counts) / sizeof(uint64_t) == VF_SESSION_EVENTS + NAMES,
	       "a name for each");

static uint32_t show_totals(const struct vf_session_counts *totals)
{
	const uint64_t *counts = (const uint64_t *)totals;
	uint32_t never = 0;

	for (uint32_t i = 0; i < VF_SESSION_EVENTS + NAMES; i++) {
		const char *name = i < VF_SESSION_EVENTS ? vf_session_event_name((enum vf_session_event)i)
							 : names[i - VF_SESSION_EVENTS];

		printf("%s %-22s %llu\n", i < VF_SESSION_EVENTS ? "event" : "count", name,
		       (unsigned long long)counts[i]);
		never += counts[i] == 0;
	}
	printf("did: %llu frames sent, %llu echoed, %llu received by a VF, %llu by the card, %llu times to a "
	       "VF\n",
	       (unsigned long long)totals->sent, (unsigned long long)totals->echoed,
	       (unsigned long long)totals->by_vf, (unsigned long long)totals->by_card,
	       (unsigned long long)totals->active);
	return never;
}

static bool run_seed(uint64_t seed, struct vf_session_counts *totals)
{
	struct vf_session_counts counts;
	struct vf_session_plan plan;
	struct rig_config machine;
	const char *wrong;

	choose(&machine, &plan, seed);
	if (getenv("SIM_VERBOSE"))
		(void)fprintf(stderr, "seed %llu\n", (unsigned long long)seed);
	if (getenv("VF_TRACE"))
		machine.trace = fopen(getenv("VF_TRACE"), "wb");
	wrong = vf_session_run(&plan, &machine, &counts);
	if (machine.trace)
		(void)fclose(machine.trace);
	for (size_t i = 0; i < sizeof(counts) / sizeof(uint64_t); i++)
		((uint64_t *)totals)[i] += ((const uint64_t *)&counts)[i];
	if (wrong)
		printf("seed %llu: %s\n  %s, %u cpus, card on %u, queues %u, faults %u, grace %u, %s\n",
		       (unsigned long long)seed, wrong, machine.profile, machine.cpus, plan.card.cpu,
		       plan.card.queues, machine.fault_chance, plan.vf.grace_ms,
		       plan.device.polled ? "polled" : "interrupts");
	return !wrong;
}

int main(int argc, char **argv)
{
	const char *own = getenv("SIM_VF_SEEDS"), *all = getenv("SIM_SEEDS");
	uint64_t share = all ? strtoull(all, NULL, 10) / 25 : SEEDS_DEFAULT;
	uint64_t first = argc > 1 ? strtoull(argv[1], NULL, 10) : 1;
	uint64_t count = argc > 2   ? strtoull(argv[2], NULL, 10)
			 : argc > 1 ? 1
			 : own      ? strtoull(own, NULL, 10)
				    : (share < SEEDS_LEAST ? SEEDS_LEAST : share);
	static struct vf_session_counts totals;
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
