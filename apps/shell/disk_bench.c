/* SPDX-License-Identifier: MIT */
/* disk bench: as many requests as there can be, and what they cost. */
#include <stdio.h>

#include "apps/shell/disk.h"

#define SIZE_DEFAULT 4096u
#define DEPTH_DEFAULT 32u
#define SECONDS_DEFAULT 2u

struct bench {
	struct disk_work work;
	uint64_t size, depth, queues, count, seconds;
	bool random, write;
	uint64_t blocks; /* of a request */
	uint64_t places, next, seed;
	uint64_t end; /* hvk_time: no more are begun */
	uint64_t begun, done, waited, longest;
	uint64_t signals, interrupts, commands; /* before */
};

/* What there has been of them so far, of all channels of the disk's controller. */
static uint64_t count_signals(const struct bench *bench)
{
	struct shell *shell = bench->work.shell;
	struct hvk_channel *primary = shell->controllers[bench->work.place.disk->controller].channel;
	struct hvk_channel *channel = primary;
	struct hvk_channel_counters counters;
	uint64_t signals = 0;

	while (channel) {
		hvk_channel_get_counters(channel, &counters);
		signals += counters.signals;
		channel = hvk_channel_next_subchannel(primary, channel == primary ? NULL : channel);
	}
	return signals;
}

static uint64_t count_interrupts(const struct bench *bench)
{
	struct hvk_counters counters;

	hvk_get_counters(atomic_load(&bench->work.shell->hvk), &counters);
	return counters.interrupts;
}

static uint64_t count_commands(const struct bench *bench)
{
	struct hvk_block_counters counters = {0};

	if (bench->work.place.disk->block)
		hvk_block_get_counters(bench->work.place.disk->block, &counters);
	return counters.commands;
}

static uint64_t next_place(struct bench *bench)
{
	if (!bench->random)
		return bench->next++ % bench->places;
	bench->seed = bench->seed * 6364136223846793005ull + 1442695040888963407ull; /* Knuth's */
	return (bench->seed >> 16) % bench->places;
}

static hvk_status begin_one(struct bench *bench, struct block_slot *slot)
{
	slot->started = hvk_time(atomic_load(&bench->work.shell->hvk));
	bench->begun++;
	return block_queue_submit(&bench->work.queue, slot, bench->write ? HVK_BLOCK_WRITE : HVK_BLOCK_READ,
				  0, bench->work.place.first + next_place(bench) * bench->blocks,
				  bench->blocks);
}

static void take_one(struct bench *bench, const struct block_slot *slot)
{
	uint64_t waited = hvk_time(atomic_load(&bench->work.shell->hvk)) - slot->started;

	bench->done++;
	bench->waited += waited;
	if (waited > bench->longest)
		bench->longest = waited;
}

static bool may_begin(const struct bench *bench)
{
	if (bench->count)
		return bench->begun < bench->count;
	return hvk_time(atomic_load(&bench->work.shell->hvk)) < bench->end;
}

/* Looks at each slot: one that is done counts, and begins anew. */
static hvk_status look_at(struct bench *bench, struct block_slot *slot, bool *under_way)
{
	hvk_status status;

	if (block_slot_busy(slot)) {
		*under_way = true;
		return HVK_OK;
	}
	if (slot->started) {
		status = block_queue_wait(&bench->work.queue, slot);
		if (status != HVK_OK)
			return status;
		take_one(bench, slot);
		slot->started = 0;
	}
	if (!may_begin(bench) || disk_cannot_go_on(&bench->work))
		return HVK_OK;
	*under_way = true;
	return begin_one(bench, slot);
}

static hvk_status run(struct bench *bench)
{
	bool under_way = true;

	while (under_way) {
		uint64_t done = bench->done;

		under_way = false;
		for (uint32_t n = 0; n < bench->depth; n++) {
			hvk_status status = look_at(bench, block_queue_slot(&bench->work.queue, n),
						    &under_way);

			if (status != HVK_OK)
				return status;
		}
		if (under_way && bench->done == done)
			bench->work.queue.config.turn(bench->work.queue.config.context);
	}
	return HVK_OK;
}

static unsigned long long per_thousand(uint64_t events, uint64_t requests)
{
	return requests ? events * 1000 / requests : 0;
}

static void tell(const struct bench *bench)
{
	struct shell *shell = bench->work.shell;
	uint64_t time = hvk_time(atomic_load(&shell->hvk)) - bench->work.started;
	char rate[SHELL_SIZE_TEXT], size[SHELL_SIZE_TEXT];

	shell_size_text(shell_rate(bench->done * bench->size, time), rate);
	snprintf(size, sizeof(size), "%llu", (unsigned long long)bench->size);
	shell_print(shell, SHELL_OUTPUT, "%s %ss of %s bytes, %llu at once: %llu in %llu.%03llu s\n",
		    bench->random ? "random" : "sequential", bench->write ? "write" : "read", size,
		    (unsigned long long)bench->depth, (unsigned long long)bench->done,
		    (unsigned long long)(time / HVK_TIME_PER_SECOND),
		    (unsigned long long)(time % HVK_TIME_PER_SECOND / HVK_TIME_PER_MS));
	shell_print(shell, SHELL_OUTPUT, "  %llu requests/s, %s/s\n",
		    (unsigned long long)shell_rate(bench->done, time), rate);
	shell_print(shell, SHELL_OUTPUT, "  each took %llu us on average, %llu at most\n",
		    (unsigned long long)(bench->done ? bench->waited / bench->done / 10 : 0),
		    (unsigned long long)(bench->longest / 10));
	shell_print(shell, SHELL_OUTPUT,
		    "  per 1,000 requests: %llu commands, %llu signals, %llu interrupts\n",
		    per_thousand(count_commands(bench) - bench->commands, bench->done),
		    per_thousand(count_signals(bench) - bench->signals, bench->done),
		    per_thousand(count_interrupts(bench) - bench->interrupts, bench->done));
}

static int parse(struct shell *shell, struct bench *bench, struct disk_place *place, uint32_t count,
		 char *const words[])
{
	const struct disk_option options[] = {
		{"--size", NULL, &bench->size, 512, BLOCK_QUEUE_BYTES_MAX},
		{"--depth", NULL, &bench->depth, 1, BLOCK_QUEUE_SLOTS_MAX},
		{"--random", &bench->random, NULL, 0, 0},
		{"--write", &bench->write, NULL, 0, 0},
		{"--queues", NULL, &bench->queues, 1, HVK_STORVSC_QUEUES_MAX},
		{"--count", NULL, &bench->count, 1, UINT64_MAX},
		{"--seconds", NULL, &bench->seconds, 1, 3600},
	};
	int status = disk_place_parse(shell, "bench", words[0], place);

	if (status == SHELL_OK)
		status = disk_options_parse(shell, "bench", options, sizeof(options) / sizeof(options[0]),
					    count - 1, words + 1);
	if (status != SHELL_OK)
		return status;
	if (bench->size % place->block_size)
		return shell_usage(shell, "disk bench: --size must be a multiple of %s's %u bytes\n",
				   place->name, place->block_size);
	bench->blocks = bench->size / place->block_size;
	bench->places = place->blocks / bench->blocks;
	if (!bench->places)
		return shell_usage(shell, "disk bench: %s is smaller than one request\n", place->name);
	return SHELL_OK;
}

int disk_command_bench(struct shell *shell, uint32_t count, char *const words[])
{
	struct bench bench = {.size = SIZE_DEFAULT, .depth = DEPTH_DEFAULT, .seconds = SECONDS_DEFAULT};
	struct disk_place place;
	uint32_t slot_bytes;
	hvk_status outcome;
	int status = parse(shell, &bench, &place, count, words);

	if (status != SHELL_OK)
		return status;
	slot_bytes = (uint32_t)(bench.size + HVK_PAGE_SIZE - 1) / HVK_PAGE_SIZE * HVK_PAGE_SIZE;
	status = disk_work_begin(&bench.work, shell, &place, (uint32_t)bench.depth, slot_bytes,
				 (uint32_t)bench.queues);
	if (status != SHELL_OK)
		return status;
	bench.end = bench.work.started + bench.seconds * HVK_TIME_PER_SECOND;
	bench.signals = count_signals(&bench);
	bench.interrupts = count_interrupts(&bench);
	bench.commands = count_commands(&bench);
	outcome = run(&bench);
	status = disk_outcome(&bench.work, "bench", 0, outcome);
	if (status == SHELL_OK && disk_cannot_go_on(&bench.work))
		status = shell_error(shell, "disk bench: %s\n", disk_cannot_go_on(&bench.work));
	if (status == SHELL_OK)
		tell(&bench);
	disk_work_end(&bench.work);
	return status;
}
