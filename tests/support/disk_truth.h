/* SPDX-License-Identifier: MIT */
/*
 * What the blocks of a disk may hold. Each write has a version of its own, from which the bytes of a
 * block are made, so that a block tells which write it holds. Two sets are kept for each block: what a
 * read may return now, and what may be left after the power has gone.
 */
#ifndef TESTS_SUPPORT_DISK_TRUTH_H
#define TESTS_SUPPORT_DISK_TRUTH_H

#include <stdbool.h>
#include <stdint.h>

#define TRUTH_VERSIONS 8u
#define TRUTH_ANY UINT32_MAX /* instead of a count: any of them */
#define TRUTH_ZEROS 0u       /* the version of zeros: a disk's at first */

struct truth_set {
	uint32_t count;
	uint32_t versions[TRUTH_VERSIONS];
};

/* One that may be on stable storage. */
struct truth_stable {
	uint32_t version;
	uint32_t flying;  /* requests with it that are not done */
	uint64_t done_at; /* of the last one */
};

struct truth_block {
	struct truth_set now;
	uint32_t stable_count;
	struct truth_stable stable[TRUTH_VERSIONS];
};

struct truth {
	uint64_t seed;
	uint32_t block_size;
	uint64_t blocks; /* the most it may have */
	uint32_t last;   /* version */
	uint64_t clock;  /* steps at each beginning and end */
	struct truth_block *block;
};

/* A range of blocks. */
struct truth_run {
	uint64_t block, count;
};

enum truth_end {
	TRUTH_FAILED, /* any part may have been done */
	TRUTH_MAYBE,  /* done, in no known order with others; or a wish */
	TRUTH_DONE    /* done after all that was there */
};

void truth_init(struct truth *truth, uint64_t seed, uint32_t block_size, uint64_t blocks);
void truth_destroy(struct truth *truth);

/* Bytes of one block. */
void truth_fill(const struct truth *truth, uint64_t block, uint32_t version, uint8_t *bytes);
/* False: no write of ours to that block is like that. */
bool truth_parse(const struct truth *truth, uint64_t block, const uint8_t *bytes, uint32_t *version);

/* Is there room for one more version in each? Then it may be written. */
bool truth_room(const struct truth *truth, struct truth_run run);
void truth_begin(struct truth *truth, struct truth_run run, uint32_t version);
/* It was not begun after all. */
void truth_undo(struct truth *truth, struct truth_run run, uint32_t version);
/* durable: it is on stable storage (and DONE). */
void truth_end(struct truth *truth, struct truth_run run, uint32_t version, enum truth_end end, bool durable);

/* Somebody has read it while nobody wrote: it stays so. */
void truth_read(struct truth *truth, uint64_t block, uint32_t version);

/* What reads may return, of run; the caller's, by free. */
struct truth_set *truth_seen(const struct truth *truth, struct truth_run run);
/* ... and a write to written has come in between, or ended before. */
void truth_seen_add(struct truth_set *seen, struct truth_run run, struct truth_run written, uint32_t version,
		    enum truth_end end);
bool truth_has(const struct truth_set *set, uint32_t version);

/* A flush of all that seen (of all blocks) held at since has ended. */
void truth_flushed(struct truth *truth, const struct truth_set *seen, uint64_t since);
/* The power has gone, and this is what was left. False: it may not be. */
bool truth_left(struct truth *truth, uint64_t block, uint32_t version);
/* Cut off, and perhaps there again later: zeros, or anything that may have been left. */
void truth_cut_off(struct truth *truth, struct truth_run run);

#endif
