/* SPDX-License-Identifier: MIT */
/*
 * Simulation: whole machines on seeds, with every fault that a lawful host may commit.
 * Nothing may be lost but what the network lost, nothing may come twice, nothing may
 * hang, leak or break a rule; and every kind of fault must have struck.
 *
 *   sim_seeds [FIRST [COUNT]]          SIM_SEEDS=n sets the count (300)
 *   sim_seeds --shrink SEED [TRACE]    what a failing seed does not need to fail
 *   sim_seeds --smallest FAULT SEED    the same for "that kind of fault strikes"
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tests/sim/sim.h"
#include "tests/support/echo_driver.h"

#define SEEDS_DEFAULT 300u

static const char *const profiles[] = {"ws2008r2", "ws2012", "ws2012r2", "ws2022"};

static void choose(struct rig_config *config, uint64_t seed)
{
	uint64_t z = seed * 0x9e3779b97f4a7c15ull;

	z ^= z >> 29;
	*config = (struct rig_config){
		.mode = HOSTED_DETERMINISTIC,
		.profile = profiles[seed % 4],
		.seed = seed,
		.cpus = 1 + (uint32_t)(z % 3),
		.fault_chance = (z >> 8) % 4 == 0 ? 0 : 256u << ((z >> 10) % 5),
		.rescind_chance = (z >> 16) % 3 == 0 ? 400 : 0,
		.switch_chance = 1024u << ((z >> 20) % 6),
		.frames = 40 + (uint32_t)((z >> 24) % 100),
		.by_page = (z >> 32) % 4 == 0,
		.rx_borrow = (z >> 34) % 2 ? 0 : 1 + (uint32_t)((z >> 12) % 40),
		.level0 = (z >> 36) % 8 == 0,
		.delay_max = (z >> 40) % 2 ? 20000 : 0,
		.reattach = (z >> 44) % 5 == 0,
		.abrupt = (z >> 48) % 12 == 0,
		.suspend = (z >> 52) % 6 == 0 && seed % 4 >= 2, /* hosts that know 3.0 */
		.queues = (z >> 27) % 2 ? 0 : 1 + (uint32_t)((z >> 18) % 8),
		.batches = (z >> 26) % 2 != 0,
	};
	if (config->level0)
		config->cpus = 1;
	if (config->profile == profiles[1] || config->profile == profiles[2] ||
	    config->profile == profiles[3])
		config->nic_cpu = (uint32_t)((z >> 56) % config->cpus);
	if (seed % 4 == 2 && (z >> 60) % 2) {
		config->vmbus_mode = HVK_VMBUS_MODE_BOOT;
		config->nic_cpu = 0;
	}
}

/* On one seed in four there is an echo device too, whose channels come, move and go before the
 * card is up; a third of these is monitored. */
static void choose_echo(struct rig_config *config, struct echo *echo, uint64_t seed)
{
	static const struct hvh_echo_config devices[] = {
		{.monitored = true}, {.monitored = false}, {.subchannels_max = 3}};

	if (seed / 4 % 4 != 1)
		return;
	config->echo = &devices[seed / 16 % 3];
	config->session = echo_stress;
	config->session_context = echo;
}

/* What a host that does not know 3.0 costs: pages that it may go on writing to. */
static const char *check(const struct rig_config *config, struct rig_result *result)
{
	bool old_host = config->profile == profiles[0] || config->profile == profiles[1];
	bool lossless = config->fault_chance == 0 && config->rescind_chance == 0 && !config->reattach;

	if (config->abrupt)
		result->leaked_pages = 0; /* nothing is given back on that way out */
	if (!old_host && !config->abrupt && result->quarantined_pages)
		return "pages in quarantine without a reason";
	return rig_check(result, lossless);
}

struct totals {
	uint64_t frames, messages, subchannels, moves, echo_rescinds;
};

static void add_echo(struct totals *totals, const struct echo *echo)
{
	totals->messages += echo->total_answered;
	totals->subchannels += echo->subchannels_told;
	totals->moves += echo->moves;
	totals->echo_rescinds += echo->rescinds;
}

static struct echo echo; /* of the run under way */

static void choose_all(struct rig_config *config, uint64_t seed)
{
	choose(config, seed);
	choose_echo(config, &echo, seed);
}

const char *sim_run(const struct rig_config *config, struct rig_result *result)
{
	const char *wrong;

	rig_run(config, result);
	wrong = check(config, result);
	if (!wrong && config->session && echo.failed)
		wrong = echo.wrong;
	if (!wrong && result->echoed == 0 && result->rescinds == 0)
		wrong = "no frame came back";
	return wrong;
}

static bool run_seed(uint64_t seed, uint64_t faults[HVH_FAULT_COUNT], struct totals *totals)
{
	struct rig_config config;
	struct rig_result result;
	const char *wrong;

	choose_all(&config, seed);
	if (getenv("SIM_VERBOSE"))
		(void)fprintf(stderr, "seed %llu\n", (unsigned long long)seed);
	wrong = sim_run(&config, &result);
	for (int i = 0; i < HVH_FAULT_COUNT; i++)
		faults[i] += result.faults[i];
	totals->frames += result.echoed;
	if (config.session)
		add_echo(totals, &echo);
	if (wrong)
		printf("seed %llu (%s, %u cpus, faults %u, rescind %u%s%s%s%s): %s\n"
		       "  again: sim_seeds %llu    smaller: sim_seeds --shrink %llu\n",
		       (unsigned long long)seed, config.profile, config.cpus, config.fault_chance,
		       config.rescind_chance, config.level0 ? ", L0" : "", config.by_page ? ", by page" : "",
		       config.abrupt ? ", abrupt" : "", config.suspend ? ", suspend" : "", wrong,
		       (unsigned long long)seed, (unsigned long long)seed);
	return wrong == NULL;
}

/* --shrink SEED [TRACE], --smallest FAULT SEED */
static int shrink(int argc, char **argv)
{
	bool smallest = strcmp(argv[1], "--smallest") == 0;
	enum hvh_fault wanted = HVH_FAULT_COUNT;
	const char *number = argc > 2 + smallest ? argv[2 + smallest] : NULL;
	struct rig_config config;

	for (int i = 0; smallest && argc > 2 && i < HVH_FAULT_COUNT; i++) {
		if (strcmp(argv[2], hvh_fault_name((enum hvh_fault)i)) == 0)
			wanted = (enum hvh_fault)i;
	}
	if (!number || (smallest && wanted == HVH_FAULT_COUNT)) {
		(void)fprintf(stderr,
			      "usage: sim_seeds --shrink SEED [TRACE] | --smallest FAULT SEED; faults:\n");
		for (int i = 0; i < HVH_FAULT_COUNT; i++)
			(void)fprintf(stderr, "  %s\n", hvh_fault_name((enum hvh_fault)i));
		return 2;
	}
	choose_all(&config, strtoull(number, NULL, 10));
	if (sim_shrink(&config, wanted, !smallest && argc > 3 ? argv[3] : NULL))
		return 0;
	printf("seed %s %s\n", number, smallest ? "has no such fault" : "does not fail");
	return 1;
}

int main(int argc, char **argv)
{
	const char *wanted = getenv("SIM_SEEDS");
	uint64_t first = argc > 1 ? strtoull(argv[1], NULL, 10) : 1;
	uint64_t count = argc > 2   ? strtoull(argv[2], NULL, 10)
			 : argc > 1 ? 1
			 : wanted   ? strtoull(wanted, NULL, 10)
				    : SEEDS_DEFAULT;
	uint64_t faults[HVH_FAULT_COUNT] = {0}, failed = 0, quiet = 0;
	struct totals totals = {0};

	if (argc > 1 && argv[1][0] == '-')
		return shrink(argc, argv);
	for (uint64_t seed = first; seed < first + count; seed++)
		failed += !run_seed(seed, faults, &totals);
	for (int i = 0; i < HVH_FAULT_COUNT; i++) {
		printf("fault %-20s %llu\n", hvh_fault_name((enum hvh_fault)i),
		       (unsigned long long)faults[i]);
		quiet += faults[i] == 0;
	}
	printf("%llu seeds, %llu frames echoed, %llu failed\n", (unsigned long long)count,
	       (unsigned long long)totals.frames, (unsigned long long)failed);
	printf("%llu echo messages, %llu sub-channels, %llu moves, %llu echo devices rescinded\n",
	       (unsigned long long)totals.messages, (unsigned long long)totals.subchannels,
	       (unsigned long long)totals.moves, (unsigned long long)totals.echo_rescinds);
	if (count >= SEEDS_DEFAULT && quiet) {
		printf("%llu kinds of fault never struck\n", (unsigned long long)quiet);
		return 1;
	}
	if (count >= SEEDS_DEFAULT && (!totals.subchannels || !totals.moves || !totals.echo_rescinds)) {
		printf("no sub-channel came, or none moved, or none was rescinded\n");
		return 1;
	}
	return failed != 0;
}
