/* SPDX-License-Identifier: MIT */
/* disk: the table of what can be done with disks, and what those commands have in common. */
#include "apps/shell/disk.h"

#include <stdio.h>
#include <string.h>

/* --- Words ---------------------------------------------------------------------------------- */

bool disk_number_parse(const char *text, uint64_t most, uint64_t *number)
{
	bool hexadecimal = text[0] == '0' && (text[1] == 'x' || text[1] == 'X');
	uint64_t base = hexadecimal ? 16 : 10, value = 0;
	const char *at = hexadecimal ? text + 2 : text, *first = at;
	unsigned shift;

	for (; *at; at++) {
		uint64_t digit;

		if (*at >= '0' && *at <= '9')
			digit = (uint64_t)(*at - '0');
		else if (hexadecimal && (*at | 32) >= 'a' && (*at | 32) <= 'f')
			digit = (uint64_t)((*at | 32) - 'a') + 10;
		else
			break;
		if (value > (UINT64_MAX - digit) / base)
			return false;
		value = value * base + digit;
	}
	if (at == first)
		return false;
	shift = *at == 'k' ? 10 : *at == 'M' ? 20 : *at == 'G' ? 30 : 0;
	if ((shift && at[1]) || (!shift && *at) || value > UINT64_MAX >> shift || value << shift > most)
		return false;
	*number = value << shift;
	return true;
}

static int no_such_disk(struct shell *shell, const char *command, const char *name)
{
	char list[160] = "";
	size_t used = 0;

	for (uint32_t n = 0; n < SHELL_DISKS_MAX && used < sizeof(list); n++) {
		if (shell->disks[n].block)
			used += (size_t)snprintf(list + used, sizeof(list) - used, "%s%s", used ? ", " : "",
						 shell->disks[n].name);
	}
	return shell_usage(shell, "disk %s: there is no disk '%.40s'; there %s %s\n", command, name,
			   used ? "are:" : "is", used ? list : "none");
}

int disk_place_parse(struct shell *shell, const char *command, const char *text, struct disk_place *place)
{
	struct shell_disk *disk = shell_disk_find(shell, text, strlen(text));

	if (!disk)
		return no_such_disk(shell, command, text);
	*place = (struct disk_place){
		.disk = disk, .blocks = disk->block->info.blocks, .block_size = disk->block->info.block_size};
	snprintf(place->name, sizeof(place->name), "%s", text);
	if ((disk->block->info.flags & HVK_BLOCK_NO_MEDIUM) || !place->block_size)
		return shell_error(shell, "disk %s: %s: there is no medium in it\n", command, text);
	return SHELL_OK;
}

int disk_range_parse(struct shell *shell, const char *command, const struct disk_place *place,
		     const char *block_text, const char *count_text, uint64_t *block, uint64_t *count)
{
	*count = 1;
	if (!disk_number_parse(block_text, UINT64_MAX, block))
		return shell_usage(shell, "disk %s: '%.40s' is no block number\n", command, block_text);
	if (count_text && (!disk_number_parse(count_text, UINT64_MAX, count) || !*count))
		return shell_usage(shell, "disk %s: '%.40s' is no number of blocks\n", command, count_text);
	if (*block >= place->blocks || *count > place->blocks - *block)
		return shell_usage(shell,
				   "disk %s: %s has %llu blocks, from 0 on: not %llu from block %llu on\n",
				   command, place->name, (unsigned long long)place->blocks,
				   (unsigned long long)*count, (unsigned long long)*block);
	return SHELL_OK;
}

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

int disk_work_begin(struct disk_work *work, struct shell *shell, const struct disk_place *place,
		    uint32_t slots, uint32_t slot_bytes, uint32_t queues)
{
	const struct block_queue_config config = {.port = shell->platform.port,
						  .block = &place->disk->block,
						  .turn = turn,
						  .wake = wake,
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
		return shell_error(shell, "disk: no memory for %u requests of %u bytes\n", slots, slot_bytes);
	place->disk->users++;
	return SHELL_OK;
}

void disk_work_end(struct disk_work *work)
{
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

	if (!most)
		return HVK_EGONE;
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

/* --- list ------------------------------------------------------------------------------------ */

static void list_flags(uint32_t flags, char text[80])
{
	static const struct {
		uint32_t flag;
		const char *name;
	} names[] = {
		{HVK_BLOCK_READ_ONLY, "read-only"},   {HVK_BLOCK_REMOVABLE, "removable"},
		{HVK_BLOCK_WRITE_CACHE, "cache"},     {HVK_BLOCK_CAN_FUA, "fua"},
		{HVK_BLOCK_CAN_DISCARD, "discard"},   {HVK_BLOCK_CAN_WRITE_ZEROES, "zeroes"},
		{HVK_BLOCK_ROTATIONAL, "rotational"},
	};
	size_t used = 0;

	text[0] = '\0';
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]) && used < 80; i++) {
		if (flags & names[i].flag)
			used += (size_t)snprintf(text + used, 80 - used, "%s%s", used ? " " : "",
						 names[i].name);
	}
}

static void list_disk(struct shell *shell, const struct shell_disk *disk)
{
	const struct hvk_block_info *info = &disk->block->info;
	const struct shell_controller *controller = &shell->controllers[disk->controller];
	char size[SHELL_SIZE_TEXT], flags[80];

	shell_disk_size_text(info, size);
	list_flags(info->flags, flags);
	shell_print(shell, SHELL_OUTPUT, "%-7s %-10s %s %s %s, serial %s\n", disk->name, size, info->vendor,
		    info->product, info->revision, info->serial[0] ? info->serial : "none");
	shell_print(shell, SHELL_OUTPUT,
		    "        channel %u, target %u, LUN %u; %llu blocks of %u bytes (%u inside)\n",
		    hvk_channel_offer(controller->channel)->channel_id, hvk_storvsc_unit_target(disk->unit),
		    hvk_storvsc_unit_lun(disk->unit), (unsigned long long)info->blocks, info->block_size,
		    info->physical_block_size);
	if (flags[0])
		shell_print(shell, SHELL_OUTPUT, "        %s\n", flags);
}

static int list(struct shell *shell, uint32_t count, char *const words[])
{
	uint32_t disks = 0;

	(void)count;
	(void)words;
	for (uint32_t n = 0; n < SHELL_DISKS_MAX; n++) {
		if (!shell->disks[n].block)
			continue;
		list_disk(shell, &shell->disks[n]);
		disks++;
	}
	if (!disks)
		shell_print(shell, SHELL_OUTPUT, "no disks\n");
	return SHELL_OK;
}

/* --- The table -------------------------------------------------------------------------------- */

static const struct action {
	const char *name;
	const char *arguments;
	uint32_t least, most; /* words behind the name */
	int (*run)(struct shell *shell, uint32_t count, char *const words[]);
} actions[] = {
	{"list", "", 0, 0, list},
	{"read", "DISK BLOCK [COUNT]", 2, 3, disk_command_read},
	{"write", "DISK BLOCK COUNT [--seed N] [--flush-every N] [--fua]", 3, 8, disk_command_write},
	{"verify", "DISK BLOCK COUNT [--seed N]", 3, 5, disk_command_verify},
	{"hash", "DISK [BLOCK COUNT]", 1, SHELL_WORDS_MAX, disk_command_hash},
};
#define ACTIONS (sizeof(actions) / sizeof(actions[0]))

static const struct action *find(const char *name)
{
	for (size_t i = 0; i < ACTIONS; i++) {
		if (strcmp(actions[i].name, name) == 0)
			return &actions[i];
	}
	return NULL;
}

static int unknown(struct shell *shell, const char *name)
{
	char names[160] = "";
	size_t used = 0;

	for (size_t i = 0; i < ACTIONS && used < sizeof(names); i++)
		used += (size_t)snprintf(names + used, sizeof(names) - used, "%s%s", i ? ", " : "",
					 actions[i].name);
	return shell_usage(shell, "disk: '%.40s' is not known; there are: %s\n", name, names);
}

int shell_command_disk(struct shell *shell, uint32_t count, char *const words[])
{
	const struct action *action = find(count > 1 ? words[1] : "list");

	if (!action)
		return unknown(shell, words[1]);
	if (count > 1 && (count - 2 < action->least || count - 2 > action->most))
		return shell_usage(shell, "disk %s takes %s%s\n", action->name,
				   action->most ? "" : "no argument", action->arguments);
	return action->run(shell, count > 1 ? count - 2 : 0, words + 2);
}
