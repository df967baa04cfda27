/* SPDX-License-Identifier: MIT */
/* disk partitions, and the partitions that other commands name. */
#include <stdio.h>

#include "apps/shell/disk.h"
#include "apps/storage/partitions.h"

static void tell_problems(struct shell *shell, const char *name, uint32_t problems)
{
	static const struct {
		uint32_t problem;
		const char *text;
	} texts[] = {
		{STORAGE_TABLE_PRIMARY_WRONG, "the first copy of the table is not valid: the backup is used"},
		{STORAGE_TABLE_BACKUP_WRONG, "the backup of the table is not valid"},
		{STORAGE_TABLE_BOTH_WRONG, "there should be a GPT, but neither copy of it is valid"},
		{STORAGE_TABLE_OUTSIDE, "a partition that lies outside was left out"},
		{STORAGE_TABLE_LOOP, "there are more logical partitions than there can be"},
	};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		if (problems & texts[i].problem)
			shell_error(shell, "disk partitions: %s: %s\n", name, texts[i].text);
	}
}

static void show_partition(struct shell *shell, const struct storage_table *table, const char *disk,
			   const struct storage_partition *partition)
{
	char size[SHELL_SIZE_TEXT], name[DISK_PLACE_NAME + 12], type[SHELL_GUID_TEXT];
	const char *kind;

	shell_size_text(partition->length, size);
	snprintf(name, sizeof(name), "%sp%u", disk, partition->number);
	if (table->kind == STORAGE_TABLE_MBR) {
		kind = storage_mbr_type_name(partition->mbr_type);
		snprintf(type, sizeof(type), "type %02x", partition->mbr_type);
	} else {
		kind = storage_gpt_type_name(partition->type);
		shell_guid_text((const struct vmbus_guid *)partition->type, type);
	}
	shell_print(shell, SHELL_OUTPUT, "%-9s block %-10llu %10llu blocks  %-10s %s%s%s%s%s\n", name,
		    (unsigned long long)(partition->offset / table->unit),
		    (unsigned long long)(partition->length / table->unit), size, kind ? kind : type,
		    partition->active ? ", active" : "", partition->name[0] ? ", \"" : "", partition->name,
		    partition->name[0] ? "\"" : "");
}

static int show_table(struct disk_work *work, struct storage_table *table)
{
	struct shell *shell = work->shell;
	struct storage_partition partition;
	char guid[SHELL_GUID_TEXT];
	uint32_t count = 0;

	if (table->kind == STORAGE_TABLE_GPT) {
		shell_guid_text((const struct vmbus_guid *)table->disk_guid, guid);
		shell_print(shell, SHELL_OUTPUT, "%s: GPT, disk %s, in blocks of %u bytes\n",
			    work->place.name, guid, table->unit);
	} else {
		shell_print(shell, SHELL_OUTPUT, "%s: MBR, disk %08x, in blocks of %u bytes\n",
			    work->place.name, table->disk_id, table->unit);
	}
	while (storage_table_next(table, &partition)) {
		show_partition(shell, table, work->place.name, &partition);
		count++;
	}
	if (!count)
		shell_print(shell, SHELL_OUTPUT, "no partitions\n");
	if (table->problems & STORAGE_TABLE_READ_ERROR)
		return disk_source_error(work, "partitions", "the table could not be read");
	tell_problems(shell, work->place.name, table->problems);
	return table->problems ? SHELL_FAILED : SHELL_OK;
}

int disk_command_partitions(struct shell *shell, uint32_t count, char *const words[])
{
	struct disk_work work;
	struct disk_place place;
	struct storage_source source;
	struct storage_table table;
	int status = disk_place_parse(shell, "partitions", words[0], &place);

	(void)count;
	if (status == SHELL_OK)
		status = disk_work_begin(&work, shell, &place, 1, DISK_SLOT_BYTES, 0);
	if (status != SHELL_OK)
		return status;
	disk_work_source(&work, &source);
	if (storage_table_open(&table, &source))
		status = show_table(&work, &table);
	else if (table.problems & STORAGE_TABLE_READ_ERROR)
		status = disk_source_error(&work, "partitions", "the table could not be read");
	else if (table.problems)
		tell_problems(shell, place.name, table.problems), status = SHELL_FAILED;
	else
		shell_print(shell, SHELL_OUTPUT, "%s: no partition table\n", place.name);
	disk_work_end(&work);
	return status;
}

static int no_such_partition(struct disk_work *work, const char *command, uint32_t number,
			     const struct storage_table *table)
{
	if (table->problems & STORAGE_TABLE_READ_ERROR)
		return disk_source_error(work, command, "the partition table could not be read");
	return shell_usage(work->shell, "disk %s: %s has no partition %u; see disk partitions %s\n", command,
			   work->place.name, number, work->place.name);
}

int disk_find_partition(struct shell *shell, const char *command, uint32_t number, struct disk_place *place)
{
	struct disk_work work;
	struct storage_source source;
	struct storage_table table;
	struct storage_partition partition = {0};
	uint32_t size = place->block_size;
	int status = disk_work_begin(&work, shell, place, 1, DISK_SLOT_BYTES, 0);

	if (status != SHELL_OK)
		return status;
	disk_work_source(&work, &source);
	(void)storage_table_open(&table, &source);
	while (partition.number != number) {
		if (!storage_table_next(&table, &partition))
			break;
	}
	if (partition.number != number || !number)
		status = no_such_partition(&work, command, number, &table);
	else if (partition.offset % size || partition.length % size)
		status = shell_error(shell, "disk %s: partition %u of %s is not made of whole blocks\n",
				     command, number, place->name);
	disk_work_end(&work);
	if (status != SHELL_OK)
		return status;
	snprintf(place->name, sizeof(place->name), "%sp%u", place->disk->name, number);
	place->first = partition.offset / size;
	place->blocks = partition.length / size;
	return SHELL_OK;
}
