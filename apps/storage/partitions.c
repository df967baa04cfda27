/* SPDX-License-Identifier: MIT */
/* MBR, and which kind of table there is. */
#include <string.h>

#include "apps/storage/partitions_private.h"

#define MBR_BYTES 512u
#define MBR_ENTRIES 446u
#define MBR_SIGNATURE 440u
#define MBR_PRIMARY 4u

#define TYPE_EMPTY 0x00u
#define TYPE_GPT 0xeeu /* "protective": the disk has a GPT */

static bool is_extended(uint8_t type)
{
	return type == 0x05 || type == 0x0f || type == 0x85;
}

/* A table, and not a file system's first block, which ends in the same signature. */
static bool is_table(const uint8_t block[MBR_BYTES])
{
	if (block[510] != 0x55 || block[511] != 0xaa)
		return false;
	for (uint32_t n = 0; n < MBR_PRIMARY; n++) {
		if (block[MBR_ENTRIES + 16 * n] & 0x7f)
			return false;
	}
	return true;
}

/* FAT and others begin like an MBR without partitions; they jump over what they say of themselves. */
static bool is_file_system(const uint8_t block[MBR_BYTES])
{
	static const uint8_t empty[64];

	if ((block[0] != 0xeb && block[0] != 0xe9) || memcmp(block + MBR_ENTRIES, empty, sizeof(empty)) != 0)
		return false;
	return memcmp(block + 54, "FAT", 3) == 0 || memcmp(block + 82, "FAT", 3) == 0 ||
	       memcmp(block + 3, "NTFS    ", 8) == 0 || memcmp(block + 3, "EXFAT   ", 8) == 0;
}

/* Its place in units; false if it is empty, or not on the disk. */
static bool take_entry(struct storage_table *table, const uint8_t entry[16], uint64_t base, uint64_t limit,
		       struct storage_partition *partition)
{
	uint64_t first = base + storage_le32(entry + 8), length = storage_le32(entry + 12);

	if (entry[4] == TYPE_EMPTY || !length)
		return false;
	if (first >= limit || length > limit - first || storage_le32(entry + 8) == 0) {
		table->problems |= STORAGE_TABLE_OUTSIDE;
		return false;
	}
	memset(partition, 0, sizeof(*partition));
	partition->offset = first * table->unit;
	partition->length = length * table->unit;
	partition->mbr_type = entry[4];
	partition->active = entry[0] == 0x80;
	return true;
}

static bool next_primary(struct storage_table *table, struct storage_partition *partition)
{
	while (table->next < MBR_PRIMARY) {
		const uint8_t *entry = table->primary[table->next++];

		if (!take_entry(table, entry, 0, storage_table_units(table), partition))
			continue;
		partition->number = table->next;
		if (is_extended(entry[4]) && !table->extended) {
			table->extended = table->link = storage_le32(entry + 8);
			table->extended_length = storage_le32(entry + 12);
		}
		return true;
	}
	return false;
}

/* Each logical partition has a table of its own: it, and where the next table is, which counts from
 * the beginning of the extended partition. */
static bool next_logical(struct storage_table *table, struct storage_partition *partition)
{
	uint64_t limit = table->extended + table->extended_length;
	uint8_t block[MBR_BYTES];

	while (table->link) {
		uint64_t here = table->link;
		const uint8_t *entry = block + MBR_ENTRIES, *next = entry + 16;

		table->link = 0;
		if (table->links++ >= STORAGE_LOGICAL_MAX) {
			table->problems |= STORAGE_TABLE_LOOP;
			return false;
		}
		if (!storage_read(table->source, here * table->unit, block, sizeof(block))) {
			table->problems |= STORAGE_TABLE_READ_ERROR;
			return false;
		}
		if (!is_table(block))
			return false;
		if (is_extended(next[4]) && storage_le32(next + 8)) {
			table->link = table->extended + storage_le32(next + 8);
			if (table->link >= limit) {
				table->problems |= STORAGE_TABLE_OUTSIDE;
				table->link = 0;
			}
		}
		if (take_entry(table, entry, here, limit, partition)) {
			partition->number = MBR_PRIMARY + ++table->logical;
			return true;
		}
	}
	return false;
}

bool storage_table_open(struct storage_table *table, const struct storage_source *source)
{
	uint8_t block[MBR_BYTES];
	bool protective = false;

	memset(table, 0, sizeof(*table));
	table->source = source;
	/* What is on a CD-ROM was made for a disk: its tables count in 512 bytes. */
	table->unit = source->block_size == 2048 ? 512 : source->block_size;
	if (!storage_read(source, 0, block, sizeof(block))) {
		table->problems = STORAGE_TABLE_READ_ERROR;
		return false;
	}
	if (!is_table(block) || is_file_system(block))
		return false;
	for (uint32_t n = 0; n < MBR_PRIMARY; n++)
		protective |= block[MBR_ENTRIES + 16 * n + 4] == TYPE_GPT;
	if (protective) {
		if (storage_gpt_open(table))
			table->kind = STORAGE_TABLE_GPT;
		return table->kind == STORAGE_TABLE_GPT;
	}
	table->kind = STORAGE_TABLE_MBR;
	table->disk_id = storage_le32(block + MBR_SIGNATURE);
	memcpy(table->primary, block + MBR_ENTRIES, sizeof(table->primary));
	return true;
}

bool storage_table_next(struct storage_table *table, struct storage_partition *partition)
{
	switch (table->kind) {
	case STORAGE_TABLE_GPT:
		return storage_gpt_next(table, partition);
	case STORAGE_TABLE_MBR:
		return next_primary(table, partition) || next_logical(table, partition);
	default:
		return false;
	}
}
