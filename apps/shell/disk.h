/* SPDX-License-Identifier: MIT */
/* Disks: what the commands about them have in common. */
#ifndef SHELL_DISK_H
#define SHELL_DISK_H

#include "apps/shell/private.h"
#include "apps/storage/block_queue.h"

/* --- disks.c ---------------------------------------------------------------------------- */

/* The disk of that name that is there, or NULL. */
struct shell_disk *shell_disk_find(struct shell *shell, const char *name, size_t length);
/* Of all of it, or "no medium". */
void shell_disk_size_text(const struct hvk_block_info *info, char text[SHELL_SIZE_TEXT]);

/* --- disk.c: a command at work ----------------------------------------------------------- */

/* A part of a disk: all of it, or a partition. */
struct disk_place {
	struct shell_disk *disk;
	uint64_t first, blocks;
	uint32_t block_size;
	char name[32]; /* as it was given */
};

/* A command's use of a disk. Between begin and end the disk may go, its place in the table stays. */
struct disk_work {
	struct shell *shell;
	struct disk_place place;
	struct block_queue queue;
	uint64_t started; /* hvk_time */
};

/* "disk0". Says what is wrong, and returns SHELL_OK, SHELL_FAILED or SHELL_USAGE. */
int disk_place_parse(struct shell *shell, const char *command, const char *text, struct disk_place *place);
/* Decimal, or 0x...; with k, M or G behind it (1024). */
bool disk_number_parse(const char *text, uint64_t most, uint64_t *number);
/* A range of blocks of a place: "BLOCK [COUNT]", already split; says what is wrong. */
int disk_range_parse(struct shell *shell, const char *command, const struct disk_place *place,
		     const char *block_text, const char *count_text, uint64_t *block, uint64_t *count);

/* Memory and a queue of slots. SHELL_OK, or says what is wrong. */
int disk_work_begin(struct disk_work *work, struct shell *shell, const struct disk_place *place,
		    uint32_t slots, uint32_t slot_bytes, uint32_t queues);
void disk_work_end(struct disk_work *work);
/* What a request came to, as a command's status; tells it if it is not HVK_OK. */
int disk_outcome(struct disk_work *work, const char *command, uint64_t block, hvk_status status);
/* NULL, or why the command is to end: shell_cancel. */
const char *disk_cannot_go_on(const struct disk_work *work);
/* "N bytes in S s, R/s", of what has been done since begin. */
void disk_tell_rate(struct disk_work *work, const char *what, uint64_t bytes);

/* What reads a run of bytes in order and as fast as it comes: take is called for each part, and
 * returns false to end it. Returns SHELL_OK, or says what is wrong. Bytes count from the beginning
 * of the place. */
struct disk_reader {
	const char *command;
	bool (*take)(void *context, uint64_t offset, const uint8_t *data, uint32_t length);
	void *context;
};
int disk_read_bytes(struct disk_work *work, const struct disk_reader *reader, uint64_t offset,
		    uint64_t length);

/* --- disk_pattern.c ---------------------------------------------------------------------- */

/* What `disk write` writes to a block: 64-bit little-endian words, each of which follows from the seed, the
 * block's number on the place and the word's place, so that any block can be judged by itself. */
void disk_pattern_fill(uint8_t *data, uint32_t block_size, uint64_t seed, uint64_t block);
bool disk_pattern_matches(const uint8_t *data, uint32_t block_size, uint64_t seed, uint64_t block);

/* --- The commands: words behind "disk WHAT" ----------------------------------------------- */

int disk_command_read(struct shell *shell, uint32_t count, char *const words[]);
int disk_command_write(struct shell *shell, uint32_t count, char *const words[]);
int disk_command_verify(struct shell *shell, uint32_t count, char *const words[]);
int disk_command_hash(struct shell *shell, uint32_t count, char *const words[]);

#endif
