/* SPDX-License-Identifier: MIT */
/* disk read, write, verify and hash: blocks as they are. */
#include "apps/shell/disk.h"

#include <stdio.h>
#include <string.h>

#define SHOWN_MAX 1024u /* blocks of one disk read */

/* --- Options of write and verify ---------------------------------------------------------------- */

struct options {
	uint64_t seed, flush_every; /* 0: one flush at the end */
	bool fua;
};

static int parse_options(struct shell *shell, const char *command, bool writes, uint32_t count,
			 char *const words[], struct options *options)
{
	const struct disk_option known[] = {
		{"--seed", NULL, &options->seed, 0, UINT64_MAX},
		{"--flush-every", NULL, &options->flush_every, 1, UINT64_MAX},
		{"--fua", &options->fua, NULL, 0, 0},
	};

	return disk_options_parse(shell, command, known, writes ? 3 : 1, count, words);
}

/* --- write ------------------------------------------------------------------------------------- */

struct writing {
	struct disk_work work;
	struct options options;
	uint64_t next, end, flushed; /* blocks of the place; all below flushed are safe */
	uint32_t slot;
};

/* What was written before, safe from now on; and says so. */
static hvk_status flush(struct writing *writing)
{
	struct block_queue *queue = &writing->work.queue;
	struct block_slot *slot = block_queue_slot(queue, 0);
	hvk_status status = block_queue_wait_all(queue);

	if (status == HVK_OK)
		status = block_queue_submit(queue, slot, HVK_BLOCK_FLUSH, 0, 0, 0);
	if (status == HVK_OK)
		status = block_queue_wait(queue, slot);
	if (status != HVK_OK)
		return status;
	writing->flushed = writing->next;
	if (writing->options.flush_every)
		shell_print(writing->work.shell, SHELL_OUTPUT, "flushed %llu\n",
			    (unsigned long long)writing->next);
	return HVK_OK;
}

/* The next blocks, not beyond the next flush. */
static hvk_status write_some(struct writing *writing)
{
	struct block_queue *queue = &writing->work.queue;
	const struct disk_place *place = &writing->work.place;
	struct block_slot *slot = block_queue_slot(queue, writing->slot);
	uint64_t every = writing->options.flush_every, count = block_queue_slot_blocks(queue);
	hvk_status status = block_queue_wait(queue, slot); /* of what it was used for before */

	if (status != HVK_OK)
		return status;
	if (every && count > every - (writing->next - writing->flushed))
		count = every - (writing->next - writing->flushed);
	if (count > writing->end - writing->next)
		count = writing->end - writing->next;
	for (uint32_t n = 0; n < count; n++)
		disk_pattern_fill(slot->data + (size_t)n * place->block_size, place->block_size,
				  writing->options.seed, writing->next + n);
	status = block_queue_submit(queue, slot, HVK_BLOCK_WRITE, writing->options.fua ? HVK_BLOCK_FUA : 0,
				    place->first + writing->next, count);
	if (status != HVK_OK)
		return status;
	writing->next += count;
	writing->slot = (writing->slot + 1) % DISK_SLOTS;
	return HVK_OK;
}

static int write_all(struct writing *writing)
{
	uint64_t every = writing->options.flush_every;
	hvk_status status = HVK_OK;

	while (writing->next < writing->end && status == HVK_OK && !disk_cannot_go_on(&writing->work)) {
		status = write_some(writing);
		if (status == HVK_OK && every && writing->next - writing->flushed >= every)
			status = flush(writing);
	}
	if (status == HVK_OK && writing->flushed < writing->next)
		status = flush(writing);
	if (status != HVK_OK)
		return disk_outcome(&writing->work, "write", writing->next, status);
	if (writing->next < writing->end)
		return shell_error(writing->work.shell, "disk write: %s\n",
				   disk_cannot_go_on(&writing->work));
	return SHELL_OK;
}

int disk_command_write(struct shell *shell, uint32_t count, char *const words[])
{
	struct writing writing = {0};
	struct disk_place place;
	uint64_t blocks;
	int status = disk_place_parse(shell, "write", words[0], &place);

	if (status == SHELL_OK)
		status = disk_range_parse(shell, "write", &place, words[1], words[2], &writing.next, &blocks);
	if (status == SHELL_OK)
		status = parse_options(shell, "write", true, count - 3, words + 3, &writing.options);
	if (status == SHELL_OK)
		status = disk_work_begin(&writing.work, shell, &place, DISK_SLOTS, DISK_SLOT_BYTES, 0);
	if (status != SHELL_OK)
		return status;
	writing.flushed = writing.next;
	writing.end = writing.next + blocks;
	status = write_all(&writing);
	if (status == SHELL_OK)
		disk_tell_rate(&writing.work, "wrote", blocks * place.block_size);
	disk_work_end(&writing.work);
	return status;
}

/* --- verify ------------------------------------------------------------------------------------ */

struct verifying {
	struct disk_work work;
	struct options options;
	uint64_t wrong, first_wrong, last_wrong;
};

static bool verify_part(void *context, uint64_t offset, const uint8_t *data, uint32_t length)
{
	struct verifying *verifying = context;
	uint32_t block_size = verifying->work.place.block_size;

	for (uint32_t at = 0; at < length; at += block_size) {
		uint64_t block = (offset + at) / block_size;

		if (disk_pattern_matches(data + at, block_size, verifying->options.seed, block))
			continue;
		if (!verifying->wrong++)
			verifying->first_wrong = block;
		verifying->last_wrong = block;
	}
	return true;
}

int disk_command_verify(struct shell *shell, uint32_t count, char *const words[])
{
	struct verifying verifying = {0};
	const struct disk_reader reader = {"verify", verify_part, &verifying};
	struct disk_place place;
	uint64_t block, blocks;
	int status = disk_place_parse(shell, "verify", words[0], &place);

	if (status == SHELL_OK)
		status = disk_range_parse(shell, "verify", &place, words[1], words[2], &block, &blocks);
	if (status == SHELL_OK)
		status = parse_options(shell, "verify", false, count - 3, words + 3, &verifying.options);
	if (status == SHELL_OK)
		status = disk_work_begin(&verifying.work, shell, &place, DISK_SLOTS, DISK_SLOT_BYTES, 0);
	if (status != SHELL_OK)
		return status;
	status = disk_read_bytes(&verifying.work, &reader, block * place.block_size,
				 blocks * place.block_size);
	if (status == SHELL_OK && verifying.wrong)
		status = shell_error(shell,
				     "disk verify: %s: %llu of %llu blocks are not what was written, from "
				     "block %llu to %llu\n",
				     place.name, (unsigned long long)verifying.wrong,
				     (unsigned long long)blocks, (unsigned long long)verifying.first_wrong,
				     (unsigned long long)verifying.last_wrong);
	else if (status == SHELL_OK)
		disk_tell_rate(&verifying.work, "verified", blocks * place.block_size);
	disk_work_end(&verifying.work);
	return status;
}

/* --- hash -------------------------------------------------------------------------------------- */

static bool hash_part(void *context, uint64_t offset, const uint8_t *data, uint32_t length)
{
	(void)offset;
	sha256_add(context, data, length);
	return true;
}

void disk_tell_digest(struct disk_work *work, struct sha256 *sha, uint64_t bytes)
{
	uint8_t digest[SHA256_BYTES];
	char text[SHA256_TEXT];

	sha256_end(sha, digest);
	sha256_text(digest, text);
	disk_tell_rate(work, "hashed", bytes);
	shell_print(work->shell, SHELL_OUTPUT, "  sha256 %s\n", text);
}

int disk_command_hash(struct shell *shell, uint32_t count, char *const words[])
{
	struct sha256 sha;
	const struct disk_reader reader = {"hash", hash_part, &sha};
	struct disk_work work;
	struct disk_place place;
	uint64_t block = 0, blocks;
	int status;

	if (strchr(words[0], ':'))
		return disk_hash_file(shell, count, words);
	if (count == 2 || count > 3)
		return shell_usage(shell, "disk hash takes DISK [BLOCK COUNT], or DISK:PATH\n");
	status = disk_place_parse(shell, "hash", words[0], &place);
	if (status != SHELL_OK)
		return status;
	blocks = place.blocks;
	if (count == 3)
		status = disk_range_parse(shell, "hash", &place, words[1], words[2], &block, &blocks);
	if (status == SHELL_OK)
		status = disk_work_begin(&work, shell, &place, DISK_SLOTS, DISK_SLOT_BYTES, 0);
	if (status != SHELL_OK)
		return status;
	sha256_begin(&sha);
	status = disk_read_bytes(&work, &reader, block * place.block_size, blocks * place.block_size);
	if (status == SHELL_OK)
		disk_tell_digest(&work, &sha, blocks * place.block_size);
	disk_work_end(&work);
	return status;
}

/* --- read -------------------------------------------------------------------------------------- */

struct showing {
	struct shell *shell;
	uint8_t last[16];
	bool any, repeated; /* a line like the one before is shown as "*", once */
};

static void show_line(struct showing *showing, uint64_t offset, const uint8_t data[16])
{
	char text[16 * 3 + 1], plain[17];
	size_t used = 0;

	if (showing->any && memcmp(showing->last, data, 16) == 0) {
		if (!showing->repeated)
			shell_print(showing->shell, SHELL_OUTPUT, "*\n");
		showing->repeated = true;
		return;
	}
	memcpy(showing->last, data, 16);
	showing->any = true;
	showing->repeated = false;
	for (unsigned i = 0; i < 16; i++) {
		used += (size_t)snprintf(text + used, sizeof(text) - used, " %02x", data[i]);
		plain[i] = data[i] >= ' ' && data[i] <= '~' ? (char)data[i] : '.';
	}
	plain[16] = '\0';
	shell_print(showing->shell, SHELL_OUTPUT, "%010llx %s  %s\n", (unsigned long long)offset, text,
		    plain);
}

static bool show_part(void *context, uint64_t offset, const uint8_t *data, uint32_t length)
{
	for (uint32_t at = 0; at < length; at += 16)
		show_line(context, offset + at, data + at);
	return true;
}

int disk_command_read(struct shell *shell, uint32_t count, char *const words[])
{
	struct showing showing = {.shell = shell};
	const struct disk_reader reader = {"read", show_part, &showing};
	struct disk_work work;
	struct disk_place place;
	uint64_t block, blocks;
	int status = disk_place_parse(shell, "read", words[0], &place);

	if (status == SHELL_OK)
		status = disk_range_parse(shell, "read", &place, words[1], count > 2 ? words[2] : NULL,
					  &block, &blocks);
	if (status == SHELL_OK && blocks > SHOWN_MAX)
		status = shell_usage(shell, "disk read: at most %u blocks are shown at once; see disk hash\n",
				     SHOWN_MAX);
	if (status == SHELL_OK)
		status = disk_work_begin(&work, shell, &place, DISK_SLOTS, DISK_SLOT_BYTES, 0);
	if (status != SHELL_OK)
		return status;
	status = disk_read_bytes(&work, &reader, block * place.block_size, blocks * place.block_size);
	if (status == SHELL_OK)
		shell_print(shell, SHELL_OUTPUT, "%010llx\n",
			    (unsigned long long)((block + blocks) * place.block_size));
	disk_work_end(&work);
	return status;
}
