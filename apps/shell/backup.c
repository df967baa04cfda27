/* SPDX-License-Identifier: MIT */
/*
 * Backup: frozen, no command changes a disk. A freeze waits for what is being written, then flushes every
 * disk, and only then is answered. Commands that write wait until the thaw.
 */
#include <string.h>

#include "apps/shell/disk.h"
#include "apps/shell/service_files.h"

static struct shell_backup *backup_of(struct shell *shell)
{
	return &shell->services.backup;
}

/* --- Commands that write ------------------------------------------------------------------ */

/* HVK_EAGAIN: not now. */
hvk_status shell_backup_may_write(struct shell *shell)
{
	if (backup_of(shell)->state == SHELL_THAWED)
		return HVK_OK;
	return atomic_load(&shell->cancelled) ? HVK_ECANCELED : HVK_EAGAIN;
}

static bool is_writing(const struct shell *shell)
{
	struct block_queue *queue = shell->disk_queue;

	for (uint32_t n = 0; queue && n < queue->config.slots; n++) {
		struct block_slot *slot = block_queue_slot(queue, n);

		if (slot->request.operation != HVK_BLOCK_READ && block_slot_busy(slot))
			return true;
	}
	return false;
}

/* --- Freezing ----------------------------------------------------------------------------- */

static void flushed(struct hvk_block_request *request, hvk_status status, void *context)
{
	struct shell_backup *backup = backup_of(context);

	(void)request;
	/* One that is taken away meanwhile needs none. */
	if (status != HVK_OK && status != HVK_EGONE && backup->flush_status == HVK_OK)
		backup->flush_status = status;
	backup->flushes_left--;
}

static bool needs_flush(const struct shell_disk *disk)
{
	return disk->block && disk->block->info.flags & HVK_BLOCK_WRITE_CACHE &&
	       !(disk->block->info.flags & (HVK_BLOCK_READ_ONLY | HVK_BLOCK_NO_MEDIUM));
}

static void flush_all(struct shell *shell)
{
	struct shell_backup *backup = backup_of(shell);

	backup->flushing = true;
	backup->flush_status = HVK_OK;
	for (uint32_t n = 0; n < SHELL_DISKS_MAX; n++) {
		struct hvk_block_request *request = &backup->flushes[n];
		hvk_status status;

		if (!needs_flush(&shell->disks[n]))
			continue;
		*request = (struct hvk_block_request){
			.operation = HVK_BLOCK_FLUSH, .done = flushed, .context = shell};
		backup->flushes_left++;
		status = hvk_block_submit(shell->disks[n].block, request);
		if (status != HVK_OK)
			flushed(request, status, shell);
	}
}

static void finish(struct shell *shell)
{
	struct shell_backup *backup = backup_of(shell);
	struct hvk_utility *utility = shell->services.service[SHELL_VSS].utility;
	bool right = backup->flush_status == HVK_OK, stale = backup->flush_stale;

	backup->flushing = backup->flush_stale = false;
	if (backup->state != SHELL_FREEZING || stale) /* thawed meanwhile; and frozen again: once more */
		return;
	backup->state = right ? SHELL_FROZEN : SHELL_THAWED;
	if (right)
		backup->freezes++;
	shell_print(shell, SHELL_STORY, "vss: %s\n",
		    right ? "frozen: disks are flushed, and nothing is written" : "a disk cannot be flushed");
	if (utility)
		(void)hvk_utility_answer(utility, right ? HVK_UTILITY_DONE : HVK_UTILITY_REFUSED, NULL, NULL);
}

bool shell_backup_turn(struct shell *shell)
{
	struct shell_backup *backup = backup_of(shell);

	if (backup->flushing) {
		if (backup->flushes_left)
			return false;
		finish(shell);
		return true;
	}
	if (backup->state != SHELL_FREEZING || is_writing(shell))
		return false;
	flush_all(shell);
	return true;
}

/* --- Callbacks, in hvk_poll --------------------------------------------------------------- */

static enum hvk_utility_answer freeze(void *context)
{
	struct shell *shell = context;

	if (shell->services.refuses & SHELL_REFUSES_FREEZE)
		return HVK_UTILITY_REFUSED;
	backup_of(shell)->state = SHELL_FREEZING;
	backup_of(shell)->flush_stale = backup_of(shell)->flushing;
	return HVK_UTILITY_LATER;
}

static void thaw(void *context, bool by_itself)
{
	struct shell *shell = context;
	struct shell_backup *backup = backup_of(shell);

	backup->state = SHELL_THAWED;
	if (by_itself)
		backup->thaws_by_itself++;
	else
		backup->thaws++;
	shell_print(shell, SHELL_STORY, "vss: thawed%s\n", by_itself ? ", without the host" : "");
}

void shell_backup_callbacks(struct shell *shell, struct hvk_vss_callbacks *callbacks)
{
	*callbacks = (struct hvk_vss_callbacks){
		.freeze = freeze, .thaw = thaw, .freeze_max_ms = shell->config.freeze_max_ms};
}

/* --- The command -------------------------------------------------------------------------- */

static const char *state_name(enum shell_backup_state state)
{
	return state == SHELL_FROZEN ? "frozen" : state == SHELL_FREEZING ? "freezing" : "thawed";
}

int shell_command_vss(struct shell *shell, uint32_t count, char *const words[])
{
	const struct shell_backup *backup = backup_of(shell);

	(void)count;
	(void)words;
	shell_print(shell, SHELL_OUTPUT,
		    "%s; frozen %llu times, thawed by the host %llu times, by itself %llu\n",
		    state_name(backup->state), (unsigned long long)backup->freezes,
		    (unsigned long long)backup->thaws, (unsigned long long)backup->thaws_by_itself);
	return SHELL_OK;
}

void shell_backup_dump(struct shell *shell, const struct shell_dump_to *to)
{
	const struct shell_backup *backup = backup_of(shell);

	to->line(to->context, "backup:");
	shell_dump_value(to, "state", "%s", state_name(backup->state));
	shell_dump_value(to, "freezes", "%llu", (unsigned long long)backup->freezes);
	shell_dump_value(to, "thaws", "%llu", (unsigned long long)backup->thaws);
	shell_dump_value(to, "thaws-by-itself", "%llu", (unsigned long long)backup->thaws_by_itself);
}
