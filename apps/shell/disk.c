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

int disk_options_parse(struct shell *shell, const char *command, const struct disk_option *options,
		       uint32_t option_count, uint32_t count, char *const words[])
{
	char names[120] = "";
	size_t used = 0;

	for (uint32_t i = 0; i < count; i++) {
		const struct disk_option *option = NULL;

		for (uint32_t n = 0; n < option_count; n++) {
			if (strcmp(words[i], options[n].name) == 0)
				option = &options[n];
		}
		if (option && option->flag) {
			*option->flag = true;
			continue;
		}
		if (option) {
			if (i + 1 < count && disk_number_parse(words[i + 1], option->most, option->number) &&
			    *option->number >= option->least) {
				i++;
				continue;
			}
			if (option->most == UINT64_MAX)
				return shell_usage(shell, "disk %s: %s takes a number from %llu on\n",
						   command, option->name, (unsigned long long)option->least);
			return shell_usage(shell, "disk %s: %s takes a number from %llu to %llu\n", command,
					   option->name, (unsigned long long)option->least,
					   (unsigned long long)option->most);
		}
		for (uint32_t n = 0; n < option_count && used < sizeof(names); n++)
			used += (size_t)snprintf(names + used, sizeof(names) - used, "%s%s%s", n ? ", " : "",
						 options[n].name, options[n].flag ? "" : " N");
		return shell_usage(shell, "disk %s: '%.40s' is not known; there %s %s\n", command, words[i],
				   option_count == 1 ? "is:" : "are:", names);
	}
	return SHELL_OK;
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

static int whole_disk(struct shell *shell, const char *command, struct shell_disk *disk,
		      struct disk_place *place)
{
	*place = (struct disk_place){
		.disk = disk, .blocks = disk->block->info.blocks, .block_size = disk->block->info.block_size};
	snprintf(place->name, sizeof(place->name), "%s", disk->name);
	if ((disk->block->info.flags & HVK_BLOCK_NO_MEDIUM) || !place->block_size)
		return shell_error(shell, "disk %s: %s: there is no medium in it\n", command, disk->name);
	return SHELL_OK;
}

int disk_place_parse(struct shell *shell, const char *command, const char *text, struct disk_place *place)
{
	size_t length = strlen(text), digits = length;
	struct shell_disk *disk = shell_disk_find(shell, text, length);
	uint64_t number;
	int status;

	if (disk)
		return whole_disk(shell, command, disk, place);
	while (digits && text[digits - 1] >= '0' && text[digits - 1] <= '9')
		digits--;
	if (digits && text[digits - 1] == 'p' && disk_number_parse(text + digits, UINT32_MAX, &number))
		disk = shell_disk_find(shell, text, digits - 1);
	if (!disk)
		return no_such_disk(shell, command, text);
	status = whole_disk(shell, command, disk, place);
	return status == SHELL_OK ? disk_find_partition(shell, command, (uint32_t)number, place) : status;
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
	shell_print(shell, SHELL_OUTPUT, "        channel %u, target %u, LUN %u",
		    hvk_channel_offer(controller->channel)->channel_id, hvk_storvsc_unit_target(disk->unit),
		    hvk_storvsc_unit_lun(disk->unit));
	if (!(info->flags & HVK_BLOCK_NO_MEDIUM))
		shell_print(shell, SHELL_OUTPUT, "; %llu blocks of %u bytes (%u inside)",
			    (unsigned long long)info->blocks, info->block_size, info->physical_block_size);
	shell_print(shell, SHELL_OUTPUT, "\n");
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
	{"hash", "DISK [BLOCK COUNT], or DISK:PATH", 1, SHELL_WORDS_MAX, disk_command_hash},
	{"flush", "DISK", 1, 1, disk_command_flush},
	{"discard", "DISK BLOCK COUNT", 3, 3, disk_command_discard},
	{"zero", "DISK BLOCK COUNT", 3, 3, disk_command_zero},
	{"bench", "DISK [--size N] [--depth N] [--random] [--write] [--queues N] [--count N] [--seconds N]",
	 1, SHELL_WORDS_MAX, disk_command_bench},
	{"partitions", "DISK", 1, 1, disk_command_partitions},
	{"ls", "[--names rock-ridge|joliet|plain] DISK[:PATH]", 1, SHELL_WORDS_MAX, disk_command_ls},
	{"cat", "[--names rock-ridge|joliet|plain] DISK:PATH", 1, SHELL_WORDS_MAX, disk_command_cat},
	{"rescan", "", 0, 0, disk_command_rescan},
	{"eject", "DISK", 1, 1, disk_command_eject},
	{"load", "DISK", 1, 1, disk_command_load},
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
