/* SPDX-License-Identifier: MIT */
/* disk flush, discard, zero, rescan, eject and load. */
#include <string.h>

#include "apps/shell/disk.h"

/* --- Blocks that need no data -------------------------------------------------------------------- */

/* As much as one request of that kind takes; more is done in turns. */
static uint64_t request_max(const struct hvk_block_info *info, enum hvk_block_operation operation)
{
	uint64_t most = operation == HVK_BLOCK_DISCARD ? info->discard_max : info->write_zeroes_max;

	return most ? most : UINT32_MAX;
}

static int run_blocks(struct disk_work *work, const char *command, enum hvk_block_operation operation,
		      uint64_t block, uint64_t count)
{
	struct block_slot *slot = block_queue_slot(&work->queue, 0);
	hvk_status status = HVK_OK;

	while (count && status == HVK_OK && work->place.disk->block) {
		uint64_t most = request_max(&work->place.disk->block->info, operation);
		uint64_t part = count < most ? count : most;

		if (disk_cannot_go_on(work))
			return shell_error(work->shell, "disk %s: %s\n", command, disk_cannot_go_on(work));
		(void)block_queue_submit(&work->queue, slot, operation, 0, work->place.first + block, part);
		status = block_queue_wait(&work->queue, slot);
		if (status != HVK_OK)
			break;
		block += part;
		count -= part;
	}
	return disk_outcome(work, command, block, count && status == HVK_OK ? HVK_EGONE : status);
}

static int range_command(struct shell *shell, const char *command, enum hvk_block_operation operation,
			 char *const words[])
{
	struct disk_work work;
	struct disk_place place;
	uint64_t block, count;
	int status = disk_place_parse(shell, command, words[0], &place);

	if (status == SHELL_OK)
		status = disk_range_parse(shell, command, &place, words[1], words[2], &block, &count);
	if (status == SHELL_OK)
		status = disk_work_begin(&work, shell, &place, 1, HVK_PAGE_SIZE, 0);
	if (status != SHELL_OK)
		return status;
	status = run_blocks(&work, command, operation, block, count);
	disk_work_end(&work);
	return status;
}

int disk_command_discard(struct shell *shell, uint32_t count, char *const words[])
{
	(void)count;
	return range_command(shell, "discard", HVK_BLOCK_DISCARD, words);
}

int disk_command_zero(struct shell *shell, uint32_t count, char *const words[])
{
	(void)count;
	return range_command(shell, "zero", HVK_BLOCK_WRITE_ZEROES, words);
}

int disk_command_flush(struct shell *shell, uint32_t count, char *const words[])
{
	struct disk_work work;
	struct disk_place place;
	int status = disk_place_parse(shell, "flush", words[0], &place);

	(void)count;
	if (status == SHELL_OK)
		status = disk_work_begin(&work, shell, &place, 1, HVK_PAGE_SIZE, 0);
	if (status != SHELL_OK)
		return status;
	(void)block_queue_submit(&work.queue, block_queue_slot(&work.queue, 0), HVK_BLOCK_FLUSH, 0, 0, 0);
	status = disk_outcome(&work, "flush", 0,
			      block_queue_wait(&work.queue, block_queue_slot(&work.queue, 0)));
	disk_work_end(&work);
	return status;
}

/* --- rescan -------------------------------------------------------------------------------------- */

int disk_command_rescan(struct shell *shell, uint32_t count, char *const words[])
{
	int outcome = SHELL_OK;

	(void)count;
	(void)words;
	for (uint32_t n = 0; n < SHELL_CONTROLLERS_MAX && !shell->abandoned; n++) {
		struct shell_controller *controller = &shell->controllers[n];
		hvk_status status;

		if (!controller->driver || controller->gone)
			continue;
		hvk_storvsc_rescan(controller->driver, shell_request(shell));
		status = shell_wait(shell);
		if (status != HVK_OK)
			outcome = shell_error(shell, "disk rescan: controller %u: %s: %s\n", n,
					      hvk_status_name(status), hvk_status_text(status));
	}
	return outcome;
}

/* --- eject and load ------------------------------------------------------------------------------- */

struct raw {
	struct hvk_scsi_request request;
	_Atomic bool busy;
	struct shell *shell;
};

static void raw_done(struct hvk_scsi_request *request, void *context)
{
	struct raw *raw = context;
	struct shell *shell = raw->shell;

	(void)request;
	atomic_store_explicit(&raw->busy, false, memory_order_release);
	if (shell->platform.wake)
		shell->platform.wake(shell->platform.context, 0);
}

static hvk_status run_raw(struct shell *shell, struct shell_disk *disk, struct raw *raw, uint8_t operation,
			  uint8_t argument)
{
	hvk_status status;

	do {
		if (!disk->unit)
			return HVK_EGONE;
		memset(raw, 0, sizeof(*raw));
		raw->shell = shell;
		raw->request.cdb[0] = operation;
		raw->request.cdb[4] = argument;
		raw->request.cdb_length = 6;
		raw->request.done = raw_done;
		raw->request.context = raw;
		atomic_store_explicit(&raw->busy, true, memory_order_relaxed);
		status = hvk_storvsc_submit(disk->unit, &raw->request);
		if (status == HVK_EAGAIN)
			shell_turn(shell, HVK_NEVER);
	} while (status == HVK_EAGAIN);
	if (status != HVK_OK)
		return status;
	while (atomic_load_explicit(&raw->busy, memory_order_acquire))
		shell_turn(shell, HVK_NEVER);
	return raw->request.status;
}

static int raw_outcome(struct shell *shell, const char *command, const char *name, const struct raw *raw,
		       hvk_status status)
{
	const uint8_t *sense = raw->request.sense;

	if (status == HVK_OK)
		return SHELL_OK;
	if (status == HVK_EIO && raw->request.sense_length >= 14)
		return shell_error(shell, "disk %s: %s refuses: sense %x, %02x/%02x\n", command, name,
				   sense[2] & 15u, sense[12], sense[13]);
	return shell_error(shell, "disk %s: %s: %s: %s\n", command, name, hvk_status_name(status),
			   hvk_status_text(status));
}

/* What says LoEj 1: the medium goes out, or comes in. A removal that was forbidden is allowed first. */
static int move_medium(struct shell *shell, const char *command, const char *name, bool in)
{
	struct shell_disk *disk = shell_disk_find(shell, name, strlen(name));
	hvk_status status;
	struct raw raw;

	if (!disk)
		return shell_usage(shell, "disk %s: there is no disk '%.40s'; see disk list\n", command,
				   name);
	if (!(disk->block->info.flags & HVK_BLOCK_REMOVABLE))
		return shell_error(shell, "disk %s: the medium of %s cannot be removed\n", command, name);
	disk->users++;
	status = in ? HVK_OK : run_raw(shell, disk, &raw, SCSI_PREVENT_ALLOW_REMOVAL, 0);
	/* One unit attention may have waited for somebody to hear it. */
	for (uint32_t n = 0; n < 3 && (n == 0 || status == HVK_EIO); n++)
		status = run_raw(shell, disk, &raw, SCSI_START_STOP_UNIT, in ? 3 : 2);
	disk->users--;
	return raw_outcome(shell, command, name, &raw, status);
}

int disk_command_eject(struct shell *shell, uint32_t count, char *const words[])
{
	int status = move_medium(shell, "eject", words[0], false);

	return status == SHELL_OK ? disk_command_rescan(shell, count, words) : status;
}

int disk_command_load(struct shell *shell, uint32_t count, char *const words[])
{
	int status = move_medium(shell, "load", words[0], true);

	return status == SHELL_OK ? disk_command_rescan(shell, count, words) : status;
}
