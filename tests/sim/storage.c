/* SPDX-License-Identifier: MIT */
/*
 * Simulation of storage: disks and CD-ROMs on one or two controllers, of SCSI and IDE, read and written by
 * block requests and raw commands over one to four channels, while hosts of every kind commit their faults,
 * media fail, answers stay away, units and controllers come and go, and the power is cut. Each request is
 * done once, for a reason; what is read is what was written.
 *
 *   sim_storage [FIRST [COUNT]]           SIM_STORAGE_SEEDS=n sets the count (SIM_SEEDS / 5, or 300)
 *   sim_storage --shrink SEED [TRACE]     what a failing seed does not need to fail
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/sim/storage.h"

#define SEEDS_DEFAULT 300u
#define SEEDS_LEAST 60u
#define ENOUGH 300u  /* seeds, for everything to strike */
#define RARELY 2000u /* ... for a request to find its unit gone without having been told */

static const char *const profiles[] = {"ws2022", "ws2008", "ws2012r2", "ws2016",  "openvmm",
				       "azure",  "ws2012", "ws2019",   "ws2008r2"};
#define PROFILES (sizeof(profiles) / sizeof(profiles[0]))

struct random {
	uint64_t state;
};

static uint32_t pick(struct random *random, uint32_t below)
{
	uint64_t z = random->state += 0x9e3779b97f4a7c15ull; /* splitmix64 */

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
	return (uint32_t)((z ^ (z >> 31)) % below);
}

static bool is_old(const struct rig_config *machine)
{
	return machine->profile == profiles[1] || machine->profile == profiles[6] ||
	       machine->profile == profiles[8];
}

static void choose_disks(struct random *random, struct store_plan *plan)
{
	static const uint32_t transfers[] = {0, 4096, 16384, 65536, 262144, 1048576};

	plan->disks = 1 + pick(random, 3);
	plan->cdrom = pick(random, 2) != 0;
	plan->read_only = pick(random, 3) == 0;
	plan->second = pick(random, 4) == 0;
	plan->ide = pick(random, 4) == 0;
	plan->no_write_cache = pick(random, 4) == 0;
	plan->large_blocks = pick(random, 4) == 0;
	plan->files = pick(random, 16) == 0;
	plan->disk_bytes = 65536ull * (12 + pick(random, 10));
	plan->reads = 30 + pick(random, 50);
	plan->flushes = pick(random, 15);
	plan->pause_ms = 20 + pick(random, 150);
	plan->host = (struct hvh_storage_config){
		.queues_max = pick(random, 4) == 0 ? 1 + pick(random, 4) : 0,
		.transfer_max = transfers[pick(random, 6)],
	};
}

static void choose(struct rig_config *machine, struct store_plan *plan, uint64_t seed)
{
	static const uint16_t protocols[] = {
		0, 0, 0, VSTOR_VERSION_6_0, VSTOR_VERSION_5_1, VSTOR_VERSION_4_2, VSTOR_VERSION_2_0};
	struct random random = {(seed + 991) * 0xd1342543de82ef95ull};

	memset(plan, 0, sizeof(*plan));
	*machine = (struct rig_config){
		.mode = HOSTED_DETERMINISTIC,
		.profile = profiles[seed % PROFILES],
		.seed = seed,
		.cpus = 1 + pick(&random, 4),
		.fault_chance = pick(&random, 3) == 0 ? 0 : 64u << pick(&random, 6),
		.rescind_chance = pick(&random, 6) == 0 ? 20 : 0,
		.switch_chance = 1024u << pick(&random, 5),
	};
	choose_disks(&random, plan);
	plan->seed = seed;
	plan->config = (struct hvk_storvsc_config){
		.ring_pages = pick(&random, 3) == 0 ? 2 : 8,
		.queues = pick(&random, 5),
		.queue_depth = 4u << pick(&random, 5),
		.timeout_ms = 1000 + pick(&random, 3000),
		.bounce_pages = pick(&random, 3) == 0 ? 4 : 48,
		.protocol_newest = protocols[pick(&random, 7)],
	};
	if (!is_old(machine))
		plan->config.cpu = pick(&random, machine->cpus);
	plan->event_count = pick(&random, 6);
	for (uint32_t i = 0; i < plan->event_count; i++)
		plan->events[i] = (enum store_event)pick(&random, STORE_EVENT_COUNT);
	/* Sleep is for hosts that know 3.0. */
	for (uint32_t i = 0; i < plan->event_count; i++) {
		if (plan->events[i] == STORE_SUSPEND && is_old(machine))
			plan->events[i] = STORE_REATTACH;
	}
}

/* What a host that does not know 3.0 costs: pages that it may go on writing to. */
const char *sim_storage_run(const struct store_plan *plan, const struct rig_config *machine,
			    struct rig_result *result, struct store_counts *counts)
{
	const char *wrong = store_run(plan, machine, result, counts);

	if (!wrong && !is_old(machine) && result->quarantined_pages)
		return "pages in quarantine without a reason";
	return wrong;
}

/* --- Totals --------------------------------------------------------------------------------- */

struct totals {
	struct store_counts counts;
	uint64_t faults[HVH_FAULT_COUNT], failed;
};

void sim_storage_describe(const struct store_plan *plan, const struct rig_config *machine)
{
	printf("  %s, %u cpus, controller on %u, faults %u, rescind %u, queues %u, depth %u, protocol %x, "
	       "%u disks%s%s%s%s:",
	       machine->profile, machine->cpus, plan->config.cpu, machine->fault_chance,
	       machine->rescind_chance, plan->config.queues, plan->config.queue_depth,
	       plan->config.protocol_newest, plan->disks, plan->cdrom ? ", CD-ROM" : "",
	       plan->second ? ", a second controller" : "", plan->ide ? ", IDE" : "",
	       plan->files ? ", files" : "");
	for (uint32_t i = 0; i < plan->event_count; i++)
		printf(" %s,", store_event_name(plan->events[i]));
	printf("\n");
}

static void run_seed(uint64_t seed, struct totals *totals)
{
	struct rig_config machine;
	struct rig_result result;
	struct store_counts counts;
	struct store_plan plan;
	const char *wrong;

	choose(&machine, &plan, seed);
	if (getenv("SIM_VERBOSE"))
		(void)fprintf(stderr, "seed %llu\n", (unsigned long long)seed);
	if (getenv("STORE_TRACE"))
		machine.trace = fopen(getenv("STORE_TRACE"), "wb");
	wrong = sim_storage_run(&plan, &machine, &result, &counts);
	if (machine.trace)
		(void)fclose(machine.trace);
	for (int i = 0; i < HVH_FAULT_COUNT; i++)
		totals->faults[i] += result.faults[i];
	for (size_t i = 0; i < sizeof(counts) / sizeof(uint64_t); i++)
		((uint64_t *)&totals->counts)[i] += ((const uint64_t *)&counts)[i];
	if (!wrong)
		return;
	totals->failed++;
	printf("seed %llu: %s\n", (unsigned long long)seed, wrong);
	sim_storage_describe(&plan, &machine);
}

/* Names of store_counts after its events, in their order. */
static const char *const names[] = {
	"reads",
	"writes",
	"flushes",
	"discards",
	"zeroes",
	"raw reads",
	"raw writes",
	"raw commands",
	"failed for a reason",
	"timed out",
	"gone",
	"canceled",
	"without a medium",
	"absent",
	"refused for now",
	"refused: read only",
	"refused: gone",
	"through to the medium",
	"ordered",
	"copied",
	"not copied",
	"in parts",
	"from within done",
	"room again",
	"changed",
	"units added",
	"units gone",
	"controllers gone",
	"attached",
	"attach failed",
	"1 queue",
	"2 queues",
	"3 queues",
	"4 queues and more",
	"tried again",
	"guest's time-outs",
	"host: medium errors",
	"host: busy",
	"host: unit attentions",
	"host: not answered",
	"host: delayed",
	"host: no such unit",
	"host: resets",
	"host: notices",
	"sectors lost",
	"blocks after cuts",
	"written and safe then",
	"blocks compared",
	"bytes written",
};
#define NAMES (sizeof(names) / sizeof(names[0]))
_Static_assert(sizeof(struct store_counts) / sizeof(uint64_t) == STORE_EVENT_COUNT + NAMES,
	       "a name for each");

static uint32_t show(const char *kind, const char *name, uint64_t count)
{
	printf("%s %-26s %llu\n", kind, name, (unsigned long long)count);
	return count == 0;
}

/* Faults of what is not there: a network card. */
static bool is_of_cards(int fault)
{
	return fault == HVH_FAULT_FRAME_LOST || fault == HVH_FAULT_FEWER_SUBCHANNELS ||
	       fault == HVH_FAULT_LATE_SEND_TABLE || fault == HVH_FAULT_MISSING_SEND_TABLE;
}

/* Returns how many of them never struck in so many seeds. */
static uint32_t show_totals(const struct totals *totals, uint64_t seeds)
{
	const uint64_t *counts = (const uint64_t *)&totals->counts;
	uint32_t never = 0;

	for (int i = 0; i < HVH_FAULT_COUNT; i++) {
		if (!is_of_cards(i))
			never += show("fault", hvh_fault_name((enum hvh_fault)i), totals->faults[i]);
	}
	for (uint32_t i = 0; i < STORE_EVENT_COUNT; i++)
		never += show("event", store_event_name((enum store_event)i), counts[i]);
	for (uint32_t i = 0; i < NAMES; i++)
		never += show("count", names[i], counts[STORE_EVENT_COUNT + i]);
	if (seeds < RARELY && totals->counts.absent == 0)
		never--;
	return never;
}

/* One of these takes as long as five of the machine's. */
static uint64_t share_of(uint64_t seeds)
{
	return seeds / 5 < SEEDS_LEAST ? SEEDS_LEAST : seeds / 5;
}

static int shrink(int argc, char **argv)
{
	struct rig_config machine;
	struct store_plan plan;

	if (argc < 3 || strcmp(argv[1], "--shrink") != 0) {
		(void)fprintf(stderr, "usage: sim_storage [FIRST [COUNT]] | --shrink SEED [TRACE]\n");
		return 2;
	}
	choose(&machine, &plan, strtoull(argv[2], NULL, 10));
	if (sim_storage_shrink(&plan, &machine, argc > 3 ? argv[3] : NULL))
		return 0;
	printf("seed %s does not fail\n", argv[2]);
	return 1;
}

int main(int argc, char **argv)
{
	const char *own = getenv("SIM_STORAGE_SEEDS"), *all = getenv("SIM_SEEDS");
	uint64_t first = argc > 1 ? strtoull(argv[1], NULL, 10) : 1;
	uint64_t count = argc > 2   ? strtoull(argv[2], NULL, 10)
			 : argc > 1 ? 1
			 : own      ? strtoull(own, NULL, 10)
			 : all      ? share_of(strtoull(all, NULL, 10))
				    : SEEDS_DEFAULT;
	static struct totals totals;
	uint32_t never;

	if (argc > 1 && argv[1][0] == '-')
		return shrink(argc, argv);
	for (uint64_t seed = first; seed < first + count; seed++)
		run_seed(seed, &totals);
	never = show_totals(&totals, count);
	printf("did: %llu blocks compared, %llu requests timed out, %llu ended with their controller\n",
	       (unsigned long long)totals.counts.checked_blocks, (unsigned long long)totals.counts.timed_out,
	       (unsigned long long)totals.counts.gone);
	printf("%llu seeds, %llu failed\n", (unsigned long long)count, (unsigned long long)totals.failed);
	if (count >= ENOUGH && never) {
		printf("%u of these never struck\n", never);
		return 1;
	}
	return totals.failed != 0;
}
