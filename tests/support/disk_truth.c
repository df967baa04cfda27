/* SPDX-License-Identifier: MIT */
#include "tests/support/disk_truth.h"

#include <stdlib.h>
#include <string.h>

/* --- Bytes -------------------------------------------------------------------------------------- */

static uint64_t mix(uint64_t z) /* splitmix64 */
{
	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ z >> 27) * 0x94d049bb133111ebull;
	return z ^ z >> 31;
}

static uint64_t key_of(const struct truth *truth, uint64_t block, uint32_t version)
{
	return mix(truth->seed + block * 0x9e3779b97f4a7c15ull) ^ mix((uint64_t)version << 32 | 0x5eedu);
}

/* The first word says which version it is, the others are made from it and the place. */
void truth_fill(const struct truth *truth, uint64_t block, uint32_t version, uint8_t *bytes)
{
	uint64_t word = key_of(truth, block, version);

	if (version == TRUTH_ZEROS) {
		memset(bytes, 0, truth->block_size);
		return;
	}
	memcpy(bytes, &version, sizeof(version));
	memcpy(bytes + 4, &word, 4);
	for (uint32_t i = 8; i < truth->block_size; i += 8) {
		word = word * 0xd1342543de82ef95ull + 1;
		memcpy(bytes + i, &word, 8);
	}
}

bool truth_parse(const struct truth *truth, uint64_t block, const uint8_t *bytes, uint32_t *version)
{
	uint8_t right[4096];

	memcpy(version, bytes, sizeof(*version));
	truth_fill(truth, block, *version, right);
	return memcmp(right, bytes, truth->block_size) == 0;
}

/* --- Sets ------------------------------------------------------------------------------------------ */

void truth_init(struct truth *truth, uint64_t seed, uint32_t block_size, uint64_t blocks)
{
	*truth = (struct truth){.seed = seed, .block_size = block_size, .blocks = blocks};
	truth->block = calloc(blocks, sizeof(*truth->block));
	for (uint64_t i = 0; i < blocks; i++) {
		truth->block[i].now.count = 1;
		truth->block[i].stable_count = 1;
	}
}

void truth_destroy(struct truth *truth)
{
	free(truth->block);
	truth->block = NULL;
}

bool truth_has(const struct truth_set *set, uint32_t version)
{
	if (set->count == TRUTH_ANY)
		return true;
	for (uint32_t i = 0; i < set->count; i++) {
		if (set->versions[i] == version)
			return true;
	}
	return false;
}

/* What is seen may outgrow its room, when much is written meanwhile; what is there now is always among
 * the stable ones, for which truth_room is asked. */
static void add(struct truth_set *set, uint32_t version)
{
	if (truth_has(set, version))
		return;
	if (set->count == TRUTH_VERSIONS)
		set->count = TRUTH_ANY;
	else
		set->versions[set->count++] = version;
}

static void apply(struct truth_set *set, uint32_t version, enum truth_end end)
{
	if (end == TRUTH_DONE)
		set->count = 0;
	add(set, version);
}

static struct truth_stable *find(struct truth_block *block, uint32_t version)
{
	for (uint32_t i = 0; i < block->stable_count; i++) {
		if (block->stable[i].version == version)
			return &block->stable[i];
	}
	return NULL;
}

bool truth_room(const struct truth *truth, struct truth_run run)
{
	for (uint64_t i = run.block; i < run.block + run.count; i++) {
		if (truth->block[i].stable_count >= TRUTH_VERSIONS - 1)
			return false;
	}
	return true;
}

void truth_begin(struct truth *truth, struct truth_run run, uint32_t version)
{
	truth->clock++;
	for (uint64_t i = run.block; i < run.block + run.count; i++) {
		struct truth_block *block = &truth->block[i];
		struct truth_stable *stable = find(block, version);

		if (!stable) {
			if (block->stable_count == TRUTH_VERSIONS)
				abort(); /* truth_room was not asked */
			stable = &block->stable[block->stable_count++];
			*stable = (struct truth_stable){.version = version};
		}
		stable->flying++;
	}
}

void truth_undo(struct truth *truth, struct truth_run run, uint32_t version)
{
	for (uint64_t i = run.block; i < run.block + run.count; i++) {
		struct truth_block *block = &truth->block[i];
		struct truth_stable *stable = find(block, version);

		stable->flying--;
		if (version != TRUTH_ZEROS)
			*stable = block->stable[--block->stable_count];
	}
}

/* Keeps that version, and what is under way. */
static void only(struct truth_block *block, uint32_t version)
{
	uint32_t kept = 0;

	for (uint32_t i = 0; i < block->stable_count; i++) {
		if (block->stable[i].version == version || block->stable[i].flying != 0)
			block->stable[kept++] = block->stable[i];
	}
	block->stable_count = kept;
}

void truth_end(struct truth *truth, struct truth_run run, uint32_t version, enum truth_end end, bool durable)
{
	truth->clock++;
	for (uint64_t i = run.block; i < run.block + run.count; i++) {
		struct truth_block *block = &truth->block[i];
		struct truth_stable *stable = find(block, version);

		stable->flying--;
		stable->done_at = truth->clock;
		apply(&block->now, version, end);
		if (durable && end == TRUTH_DONE)
			only(block, version);
	}
}

void truth_read(struct truth *truth, uint64_t block, uint32_t version)
{
	struct truth_block *found = &truth->block[block];

	for (uint32_t i = 0; i < found->stable_count; i++) {
		if (found->stable[i].flying != 0)
			return;
	}
	apply(&found->now, version, TRUTH_DONE);
}

struct truth_set *truth_seen(const struct truth *truth, struct truth_run run)
{
	struct truth_set *seen = malloc((run.count ? run.count : 1) * sizeof(*seen));

	for (uint64_t i = 0; i < run.count; i++)
		seen[i] = truth->block[run.block + i].now;
	return seen;
}

void truth_seen_add(struct truth_set *seen, struct truth_run run, struct truth_run written, uint32_t version,
		    enum truth_end end)
{
	uint64_t first = run.block > written.block ? run.block : written.block;
	uint64_t last = run.block + run.count < written.block + written.count ? run.block + run.count
									      : written.block + written.count;

	for (uint64_t i = first; i < last; i++)
		apply(&seen[i - run.block], version, end);
}

void truth_flushed(struct truth *truth, const struct truth_set *seen, uint64_t since)
{
	for (uint64_t i = 0; i < truth->blocks; i++) {
		struct truth_block *block = &truth->block[i];
		uint32_t kept = 0;

		for (uint32_t n = 0; n < block->stable_count; n++) {
			const struct truth_stable *stable = &block->stable[n];

			if (stable->flying != 0 || stable->done_at > since ||
			    truth_has(&seen[i], stable->version))
				block->stable[kept++] = *stable;
		}
		block->stable_count = kept;
	}
}

bool truth_left(struct truth *truth, uint64_t block, uint32_t version)
{
	struct truth_block *found = &truth->block[block];

	if (!find(found, version))
		return false;
	found->now.count = 0;
	add(&found->now, version);
	only(found, version);
	return true;
}

void truth_cut_off(struct truth *truth, struct truth_run run)
{
	for (uint64_t i = run.block; i < run.block + run.count; i++) {
		struct truth_block *block = &truth->block[i];

		if (!find(block, TRUTH_ZEROS) && block->stable_count < TRUTH_VERSIONS)
			block->stable[block->stable_count++] = (struct truth_stable){.version = TRUTH_ZEROS};
		for (uint32_t n = 0; n < block->stable_count; n++)
			add(&block->now, block->stable[n].version);
	}
}
