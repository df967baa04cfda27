/* SPDX-License-Identifier: MIT */
/*
 * Simulation of a card: numbered flows of TCP and UDP both ways over one to eight queues, with
 * offloads, while the card is taken away and given back, goes to sleep, gets another MTU, other
 * offloads, another table; on hosts of every kind, with their faults.
 *
 *   sim_card [FIRST [COUNT]]     SIM_CARD_SEEDS=n sets the count (SIM_SEEDS / 5, or 200)
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hvkit/wire/nvs.h"
#include "tests/support/flow_card.h"

#define SEEDS_DEFAULT 200u
#define SEEDS_LEAST 60u
#define ENOUGH 200u /* seeds, for everything to strike */

static const char *const profiles[] = {"ws2022",  "ws2012r2", "ws2019", "ws2016",
				       "openvmm", "ws2022",   "azure",  "ws2012"};
#define PROFILES (sizeof(profiles) / sizeof(profiles[0]))

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

static void choose_card(struct random *random, struct card_plan *plan)
{
	static const uint32_t queues[] = {1, 2, 4, 8, 4, 3};
	static const uint32_t nvs[] = {
		0, 0, 0, 0, NVS_VERSION_6, NVS_VERSION_5, NVS_VERSION_4, NVS_VERSION_2};

	plan->config = (struct hvk_netvsc_config){
		.ring_pages = pick(random, 3) == 0 ? 1 : 4,
		.receive_buffer_pages = pick(random, 3) == 0 ? 128 : 512,
		.send_buffer_pages = pick(random, 4) == 0 ? HVK_NETVSC_NO_SEND_BUFFER
							  : 16 + pick(random, 100),
		.mtu = pick(random, 4) == 0 ? 9000 : 0,
		.copy_max = pick(random, 3) == 0 ? 512 : 0,
		.nvs_newest = nvs[pick(random, 8)],
		.rx_borrow = pick(random, 2) ? 0 : 1 + pick(random, 60),
		.queues = queues[pick(random, 6)],
		.offloads = pick(random, 4) == 0   ? 0
			    : pick(random, 3) == 0 ? pick(random, 0xffff)
						   : HVK_NETDEV_ALL_OFFLOADS,
		.tx_batch_max = pick(random, 4) == 0 ? 1 : 0,
	};
	plan->host = (struct hvh_nic_config){
		.mac = {0x00, 0x15, 0x5d, 1, 2, 3},
		.link_up = true,
		.queues_max = pick(random, 4) == 0 ? 1 + pick(random, 6) : 0,
		.without = pick(random, 3) == 0 ? pick(random, 0x100) & ~HVH_NIC_NO_RSS : 0,
	};
	plan->by_page = plan->config.send_buffer_pages == HVK_NETVSC_NO_SEND_BUFFER;
	plan->bad_sums = pick(random, 2) != 0;
}

static void choose(struct rig_config *machine, struct card_plan *plan, uint64_t seed)
{
	struct random random = {(seed + 77) * 0xd1342543de82ef95ull};

	memset(plan, 0, sizeof(*plan));
	*machine = (struct rig_config){
		.mode = HOSTED_DETERMINISTIC,
		.profile = profiles[seed % PROFILES],
		.seed = seed,
		.cpus = 1 + pick(&random, 4),
		.fault_chance = pick(&random, 3) == 0 ? 0 : 64u << pick(&random, 4),
		.rescind_chance = pick(&random, 4) == 0 ? 20 : 0,
		.switch_chance = 1024u << pick(&random, 5),
	};
	choose_card(&random, plan);
	plan->config.cpu = pick(&random, machine->cpus);
	plan->seed = seed;
	plan->flows = 4 + pick(&random, FLOWS_MAX - 3);
	plan->event_count = pick(&random, 6);
	for (uint32_t i = 0; i < plan->event_count; i++)
		plan->events[i] = (enum card_event)pick(&random, CARD_EVENT_COUNT);
}

/* --- Totals --------------------------------------------------------------------------------- */

struct totals {
	struct card_counts counts;
	struct flow_totals flows[2];
	uint64_t faults[HVH_FAULT_COUNT], frames, failed;
};

static void describe(const struct rig_config *machine, const struct card_plan *plan)
{
	printf("  %s, %u cpus, card on %u, faults %u, rescind %u, queues %u, offloads %x without %x, nvs %x, "
	       "mtu %u, borrow %u:",
	       machine->profile, machine->cpus, plan->config.cpu, machine->fault_chance,
	       machine->rescind_chance, plan->config.queues, plan->config.offloads, plan->host.without,
	       plan->config.nvs_newest, plan->config.mtu, plan->config.rx_borrow);
	for (uint32_t i = 0; i < plan->event_count; i++)
		printf(" %s,", card_event_name(plan->events[i]));
	printf("\n");
}

static void run_seed(uint64_t seed, struct totals *totals)
{
	struct rig_config machine;
	struct rig_result result;
	struct card_counts counts;
	struct flow_totals flows[2];
	struct card_plan plan;
	const char *wrong;

	choose(&machine, &plan, seed);
	if (getenv("SIM_VERBOSE"))
		(void)fprintf(stderr, "seed %llu\n", (unsigned long long)seed);
	if (getenv("CARD_TRACE"))
		machine.trace = fopen(getenv("CARD_TRACE"), "wb");
	wrong = card_run(&plan, &machine, &result, &counts, flows);
	if (machine.trace)
		(void)fclose(machine.trace);
	for (int i = 0; i < HVH_FAULT_COUNT; i++)
		totals->faults[i] += result.faults[i];
	for (size_t i = 0; i < sizeof(counts) / sizeof(uint64_t); i++)
		((uint64_t *)&totals->counts)[i] += ((const uint64_t *)&counts)[i];
	for (int i = 0; i < 2; i++)
		for (size_t n = 0; n < sizeof(flows[i]) / sizeof(uint64_t); n++)
			((uint64_t *)&totals->flows[i])[n] += ((const uint64_t *)&flows[i])[n];
	if (!wrong)
		return;
	totals->failed++;
	printf("seed %llu: %s\n", (unsigned long long)seed, wrong);
	describe(&machine, &plan);
}

/* Names of card_counts after its events, in their order. */
static const char *const names[] = {
	"right checksums received",
	"wrong checksums received",
	"frames joined",
	"frames lent",
	"frames hashed",
	"tags taken out",
	"frames on other queues",
	"frames to be cut",
	"checksums by the host",
	"in software",
	"tags to put in",
	"frames sent together",
	"full rings",
	"no slots",
	"frames refused for now",
	"MTU changed",
	"MTU refused",
	"attached",
	"gone",
	"1 queue",
	"2 queues",
	"3 or 4 queues",
	"5 to 8 queues",
	"more queues",
	"queues that received",
	"queues that sent",
};
#define NAMES (sizeof(names) / sizeof(names[0]))
_Static_assert(sizeof(struct card_counts) / sizeof(uint64_t) == CARD_EVENT_COUNT + NAMES, "a name for each");

/* What no seed can do, or none of this mix does. */
static bool may_be_none(const char *name)
{
	return strcmp(name, "more queues") == 0 || strcmp(name, "MTU refused") == 0;
}

static uint32_t show(const char *kind, const char *name, uint64_t count)
{
	printf("%s %-26s %llu\n", kind, name, (unsigned long long)count);
	return count == 0 && !may_be_none(name);
}

/* Returns how many of them never struck. */
static uint32_t show_totals(const struct totals *totals)
{
	const uint64_t *counts = (const uint64_t *)&totals->counts;
	uint32_t never = 0;

	for (int i = 0; i < HVH_FAULT_COUNT; i++)
		never += show("fault", hvh_fault_name((enum hvh_fault)i), totals->faults[i]);
	for (uint32_t i = 0; i < CARD_EVENT_COUNT; i++)
		never += show("event", card_event_name((enum card_event)i), counts[i]);
	for (uint32_t i = 0; i < NAMES; i++)
		never += show("count", names[i], counts[CARD_EVENT_COUNT + i]);
	for (int i = 0; i < 2; i++) {
		const struct flow_totals *t = &totals->flows[i];

		printf("did: %s: %llu frames sent, %llu came, %llu joined, %llu cut; %llu lost, %llu "
		       "canceled "
		       "and %llu out of order for a reason\n",
		       i == FLOW_TO_GUEST ? "to the guest" : "to the wire", (unsigned long long)t->sent,
		       (unsigned long long)t->arrived, (unsigned long long)t->joined,
		       (unsigned long long)t->cut, (unsigned long long)t->lost,
		       (unsigned long long)t->canceled, (unsigned long long)t->disordered);
	}
	return never;
}

/* One of these takes as long as five of the other. */
static uint64_t share_of(uint64_t seeds)
{
	return seeds / 5 < SEEDS_LEAST ? SEEDS_LEAST : seeds / 5;
}

int main(int argc, char **argv)
{
	const char *own = getenv("SIM_CARD_SEEDS"), *all = getenv("SIM_SEEDS");
	uint64_t first = argc > 1 ? strtoull(argv[1], NULL, 10) : 1;
	uint64_t count = argc > 2   ? strtoull(argv[2], NULL, 10)
			 : argc > 1 ? 1
			 : own      ? strtoull(own, NULL, 10)
			 : all      ? share_of(strtoull(all, NULL, 10))
				    : SEEDS_DEFAULT;
	static struct totals totals;
	uint32_t never;

	for (uint64_t seed = first; seed < first + count; seed++)
		run_seed(seed, &totals);
	never = show_totals(&totals);
	printf("%llu seeds, %llu failed\n", (unsigned long long)count, (unsigned long long)totals.failed);
	if (count >= ENOUGH && never) {
		printf("%u of these never struck\n", never);
		return 1;
	}
	return totals.failed != 0;
}
