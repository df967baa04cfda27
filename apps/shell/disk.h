/* SPDX-License-Identifier: MIT */
/* Disks: what the commands about them have in common. */
#ifndef SHELL_DISK_H
#define SHELL_DISK_H

#include "apps/net/sha256.h"
#include "apps/shell/private.h"
#include "apps/storage/block_queue.h"
#include "apps/storage/source.h"

/* --- disks.c ---------------------------------------------------------------------------- */

/* The disk of that name that is there, or NULL. */
struct shell_disk *shell_disk_find(struct shell *shell, const char *name, size_t length);
/* Of all of it, or "no medium". */
void shell_disk_size_text(const struct hvk_block_info *info, char text[SHELL_SIZE_TEXT]);

/* --- disk.c, disk_work.c: a command at work ----------------------------------------------------------- */

#define DISK_PLACE_NAME (SHELL_DISK_NAME + 12u)
/* A part of a disk: all of it, or a partition. */
struct disk_place {
	struct shell_disk *disk;
	uint64_t first, blocks;
	uint32_t block_size;
	char name[DISK_PLACE_NAME]; /* disk0, disk0p1 */
};

/* A command's use of a disk. Between begin and end the disk may go, its place in the table stays. */
struct disk_work {
	struct shell *shell;
	struct disk_place place;
	struct block_queue queue;
	uint64_t started;  /* hvk_time */
	hvk_status status; /* of the last read for a source */
};

/* "disk0", or "disk0p1": a partition. Says what is wrong, and returns SHELL_OK, SHELL_FAILED or
 * SHELL_USAGE. */
int disk_place_parse(struct shell *shell, const char *command, const char *text, struct disk_place *place);
/* Decimal, or 0x...; with k, M or G behind it (1024). */
bool disk_number_parse(const char *text, uint64_t most, uint64_t *number);
/* A word that may stand behind a command's others: with a number behind it, or none. */
struct disk_option {
	const char *name;
	bool *flag; /* set if it is there; NULL: it has a number */
	uint64_t *number, least, most;
};
int disk_options_parse(struct shell *shell, const char *command, const struct disk_option *options,
		       uint32_t option_count, uint32_t count, char *const words[]);
/* A range of blocks of a place: "BLOCK [COUNT]", already split; says what is wrong. */
int disk_range_parse(struct shell *shell, const char *command, const struct disk_place *place,
		     const char *block_text, const char *count_text, uint64_t *block, uint64_t *count);

/* Memory and a queue of slots; what goes through a disk in order takes these. */
#define DISK_SLOTS 8u
#define DISK_SLOT_BYTES (128u * 1024)
/* SHELL_OK, or says what is wrong. */
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

/* The place, for partitions.h and iso9660.h. work->status tells why a read failed. */
void disk_work_source(struct disk_work *work, struct storage_source *source);
/* Why what was read from it could not be used, as a command's status; text says so if all was read. */
int disk_source_error(struct disk_work *work, const char *command, const char *text);

/* --- disk_files.c, disk_partitions.c ------------------------------------------------------- */

/* From the whole disk to that partition of it. */
int disk_find_partition(struct shell *shell, const char *command, uint32_t number, struct disk_place *place);
/* hash of a file: words as they stood. */
int disk_hash_file(struct shell *shell, uint32_t count, char *const words[]);
/* Shows a SHA-256, and how fast it went. */
void disk_tell_digest(struct disk_work *work, struct sha256 *sha, uint64_t bytes);

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
int disk_command_flush(struct shell *shell, uint32_t count, char *const words[]);
int disk_command_discard(struct shell *shell, uint32_t count, char *const words[]);
int disk_command_zero(struct shell *shell, uint32_t count, char *const words[]);
int disk_command_bench(struct shell *shell, uint32_t count, char *const words[]);
int disk_command_partitions(struct shell *shell, uint32_t count, char *const words[]);
int disk_command_ls(struct shell *shell, uint32_t count, char *const words[]);
int disk_command_cat(struct shell *shell, uint32_t count, char *const words[]);
int disk_command_rescan(struct shell *shell, uint32_t count, char *const words[]);
int disk_command_eject(struct shell *shell, uint32_t count, char *const words[]);
int disk_command_load(struct shell *shell, uint32_t count, char *const words[]);

#endif
