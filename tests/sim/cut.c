/* SPDX-License-Identifier: MIT */
/*
 * The power goes: 8 MiB are written to a disk with a volatile write cache, in any order, with flushes, FUA,
 * ordered requests and write-zeroes among them; at a request that the seed chooses the cache forgets. What is
 * in the image then must have been written there, sector by sector, and be no older than the last flush
 * that the guest was told of.
 *
 *   sim_cut [FIRST [COUNT]]    SIM_CUT_SEEDS=n sets the count (200)
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hvkit/wire/vstor.h"
#include "tests/support/storage_rig.h"

#define SEEDS_DEFAULT 200u
#define ENOUGH 20u /* seeds, for something to be lost, and something safe */
#define BYTES (8u << 20)

static const char *const profiles[] = {"ws2022", "ws2012r2", "openvmm", "azure", "ws2008r2"};
#define PROFILES (sizeof(profiles) / sizeof(profiles[0]))

static void choose(struct rig_config *machine, struct store_plan *plan, uint64_t seed)
{
	uint64_t z = seed * 0x9e3779b97f4a7c15ull;

	z ^= z >> 29;
	*machine = (struct rig_config){
		.mode = HOSTED_DETERMINISTIC,
		.profile = profiles[seed % PROFILES],
		.seed = seed,
		.cpus = 1 + (uint32_t)(z % 4),
		.fault_chance = z >> 8 & 1 ? 256 : 0,
		.switch_chance = 1024,
	};
	*plan = (struct store_plan){
		.seed = seed,
		.disks = 1,
		.disk_bytes = BYTES,
		.write_bytes = BYTES,
		.large_blocks = (z >> 12) % 4 == 0,
		.no_write_cache = (z >> 16) % 16 == 0,
		.files = (z >> 20) % 4 == 0,
		.reads = 10,
		.flushes = 2 + (uint32_t)((z >> 24) % 14),
		.pause_ms = 1,
		.plain = true,
		.known_cut = true,
	};
	plan->config = (struct hvk_storvsc_config){
		.ring_pages = 16,
		.queues = (uint32_t)((z >> 28) % 5),
		.queue_depth = 4u << ((z >> 32) % 5),
	};
}

int main(int argc, char **argv)
{
	const char *own = getenv("SIM_CUT_SEEDS");
	uint64_t first = argc > 1 ? strtoull(argv[1], NULL, 10) : 1;
	uint64_t count = argc > 2   ? strtoull(argv[2], NULL, 10)
			 : argc > 1 ? 1
			 : own      ? strtoull(own, NULL, 10)
				    : SEEDS_DEFAULT;
	uint64_t lost = 0, safe = 0, written = 0, flushes = 0, failed = 0;

	for (uint64_t seed = first; seed < first + count; seed++) {
		struct rig_config machine;
		struct rig_result result;
		struct store_counts counts;
		struct store_plan plan;
		const char *wrong;

		choose(&machine, &plan, seed);
		wrong = store_run(&plan, &machine, &result, &counts);
		lost += counts.lost_sectors;
		safe += counts.safe_blocks;
		written += counts.written_bytes;
		flushes += counts.done[STORE_FLUSH] + counts.fua;
		failed += wrong != NULL;
		if (wrong)
			printf("seed %llu (%s, %u cpus): %s\n", (unsigned long long)seed, machine.profile,
			       machine.cpus, wrong);
	}
	printf("did: %llu cuts: %llu MiB written, %llu flushes and FUA, %llu sectors safe and there, "
	       "%llu lost\n",
	       (unsigned long long)count, (unsigned long long)(written >> 20), (unsigned long long)flushes,
	       (unsigned long long)safe, (unsigned long long)lost);
	printf("%llu seeds, %llu failed\n", (unsigned long long)count, (unsigned long long)failed);
	if (count >= ENOUGH && (lost == 0 || safe == 0)) {
		printf("nothing was lost, or nothing was safe\n");
		return 1;
	}
	return failed != 0;
}
