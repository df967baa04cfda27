/* SPDX-License-Identifier: MIT */
/* A command at work on a disk: its queue of requests, and reading in order. */
#include "apps/shell/disk.h"

#include <string.h>

/* --- At work --------------------------------------------------------------------------------- */

static void turn(void *context)
{
	struct disk_work *work = context;

	shell_turn(work->shell, HVK_NEVER);
}

static void wake(void *context)
{
	const struct shell_platform *platform = &((struct disk_work *)context)->shell->platform;

	if (platform->wake)
		platform->wake(platform->context, 0);
}

static hvk_status may_write(void *context)
{
	return shell_backup_may_write(((struct disk_work *)context)->shell);
}

int disk_work_begin(struct disk_work *work, struct shell *shell, const struct disk_place *place,
		    uint32_t slots, uint32_t slot_bytes, uint32_t queues)
{
	const struct block_queue_config config = {.port = shell->platform.port,
						  .block = &place->disk->block,
						  .turn = turn,
						  .wake = wake,
						  .may_write = may_write,
						  .context = work,
						  .slots = slots,
						  .slot_bytes = slot_bytes,
						  .queues = queues};
	hvk_status status;

	work->shell = shell;
	work->place = *place;
	work->started = hvk_time(atomic_load(&shell->hvk));
	status = block_queue_open(&work->queue, &config);
	if (status != HVK_OK)
		return shell_error(shell, "disk: %u requests of %u bytes: %s: %s\n", slots, slot_bytes,
				   hvk_status_name(status), hvk_status_text(status));
	place->disk->users++;
	shell->disk_queue = &work->queue;
	return SHELL_OK;
}

void disk_work_end(struct disk_work *work)
{
	work->shell->disk_queue = NULL;
	work->shell->pages_withheld += block_queue_close(&work->queue);
	work->place.disk->users--;
}

int disk_outcome(struct disk_work *work, const char *command, uint64_t block, hvk_status status)
{
	if (status == HVK_OK)
		return SHELL_OK;
	return shell_error(work->shell, "disk %s: %s, block %llu: %s: %s\n", command, work->place.name,
			   (unsigned long long)block, hvk_status_name(status), hvk_status_text(status));
}

const char *disk_cannot_go_on(const struct disk_work *work)
{
	return atomic_load(&work->shell->cancelled) ? "interrupted" : NULL;
}

void disk_tell_rate(struct disk_work *work, const char *what, uint64_t bytes)
{
	uint64_t time = hvk_time(atomic_load(&work->shell->hvk)) - work->started;
	char rate[SHELL_SIZE_TEXT];

	shell_size_text(shell_rate(bytes, time), rate);
	shell_print(work->shell, SHELL_OUTPUT, "%s %llu bytes in %llu.%03llu s, %s/s\n", what,
		    (unsigned long long)bytes, (unsigned long long)(time / HVK_TIME_PER_SECOND),
		    (unsigned long long)(time % HVK_TIME_PER_SECOND / HVK_TIME_PER_MS), rate);
}

/* --- Reading in order ------------------------------------------------------------------------- */

/* Blocks that are asked for ahead, handed on in order. */
struct reading {
	struct disk_work *work;
	const struct disk_reader *reader;
	uint64_t next, end; /* blocks of the place */
	uint64_t from, to;  /* bytes that are wanted of them */
	uint32_t slots, oldest, under_way;
};

static hvk_status ask(struct reading *reading)
{
	struct block_queue *queue = &reading->work->queue;
	uint32_t slot = (reading->oldest + reading->under_way) % reading->slots;
	uint32_t most = block_queue_slot_blocks(queue);
	uint64_t left = reading->end - reading->next, count = left < most ? left : most;
	hvk_status status;

	status = block_queue_submit(queue, block_queue_slot(queue, slot), HVK_BLOCK_READ, 0,
				    reading->work->place.first + reading->next, count);
	if (status != HVK_OK)
		return status;
	reading->next += count;
	reading->under_way++;
	return HVK_OK;
}

/* The oldest one, cut at the ends of what is wanted. False if whoever takes it has enough. */
static bool hand_on(struct reading *reading, const struct block_slot *slot)
{
	const struct disk_place *place = &reading->work->place;
	uint64_t begin = (slot->block - place->first) * place->block_size;
	uint64_t end = begin + (uint64_t)slot->count * place->block_size;
	uint64_t skipped = begin < reading->from ? reading->from - begin : 0;

	if (end > reading->to)
		end = reading->to;
	return reading->reader->take(reading->reader->context, begin + skipped, slot->data + skipped,
				     (uint32_t)(end - begin - skipped));
}

static int read_all(struct reading *reading)
{
	struct disk_work *work = reading->work;

	while (reading->under_way || reading->next < reading->end) {
		struct block_slot *slot;
		hvk_status status = HVK_OK;

		while (status == HVK_OK && reading->under_way < reading->slots &&
		       reading->next < reading->end)
			status = ask(reading);
		if (status != HVK_OK)
			return disk_outcome(work, reading->reader->command, reading->next, status);
		if (disk_cannot_go_on(work))
			return shell_error(work->shell, "disk %s: %s\n", reading->reader->command,
					   disk_cannot_go_on(work));
		slot = block_queue_slot(&work->queue, reading->oldest);
		status = block_queue_wait(&work->queue, slot);
		if (status != HVK_OK)
			return disk_outcome(work, reading->reader->command, slot->block - work->place.first,
					    status);
		if (!hand_on(reading, slot))
			return SHELL_FAILED;
		reading->oldest = (reading->oldest + 1) % reading->slots;
		reading->under_way--;
	}
	return SHELL_OK;
}

int disk_read_bytes(struct disk_work *work, const struct disk_reader *reader, uint64_t offset,
		    uint64_t length)
{
	uint32_t block_size = work->place.block_size;
	struct reading reading = {.work = work,
				  .reader = reader,
				  .next = offset / block_size,
				  .end = (offset + length + block_size - 1) / block_size,
				  .from = offset,
				  .to = offset + length,
				  .slots = work->queue.config.slots};
	int status = length ? read_all(&reading) : SHELL_OK;

	(void)block_queue_wait_all(&work->queue); /* what was asked for ahead in vain */
	return status;
}

/* --- For partition tables and file systems ------------------------------------------------------ */

static bool read_blocks(void *context, uint64_t block, uint32_t count, void *data)
{
	struct disk_work *work = context;
	struct block_slot *slot = block_queue_slot(&work->queue, 0);
	uint32_t size = work->place.block_size, most = block_queue_slot_blocks(&work->queue);
	uint8_t *to = data;

	while (count) {
		uint32_t part = count < most ? count : most;

		work->status = HVK_ECANCELED;
		if (atomic_load(&work->shell->cancelled))
			return false;
		(void)block_queue_submit(&work->queue, slot, HVK_BLOCK_READ, 0, work->place.first + block,
					 part);
		work->status = block_queue_wait(&work->queue, slot);
		if (work->status != HVK_OK)
			return false;
		memcpy(to, slot->data, (size_t)part * size);
		to += (size_t)part * size;
		block += part;
		count -= part;
	}
	return true;
}

void disk_work_source(struct disk_work *work, struct storage_source *source)
{
	*source = (struct storage_source){.read = read_blocks,
					  .context = work,
					  .blocks = work->place.blocks,
					  .block_size = work->place.block_size};
}
