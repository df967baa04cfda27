/* SPDX-License-Identifier: MIT */
/* GUID partition table: UEFI 2.10, 5.3. */
#include <string.h>

#include "apps/storage/partitions_private.h"

#define HEADER_BYTES 92u
#define HEADER_MAX 512u /* what is read of it: its checksum may cover more than 92 bytes */
#define REVISION 0x00010000u
#define ENTRY_BYTES 128u
#define ENTRY_MAX 4096u
#define NAME_UNITS 36u
#define PART 512u /* bytes that the checksum is made of at once */

uint32_t storage_crc32(uint32_t crc, const void *data, size_t length)
{
	const uint8_t *bytes = data;

	crc = ~crc;
	for (size_t i = 0; i < length; i++) {
		crc ^= bytes[i];
		for (unsigned bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (0xedb88320u & (0u - (crc & 1)));
	}
	return ~crc;
}

static bool header_is_right(uint64_t unit, uint8_t header[HEADER_MAX])
{
	uint32_t size = storage_le32(header + 12), crc = storage_le32(header + 16);

	if (memcmp(header, "EFI PART", 8) != 0 || storage_le32(header + 8) != REVISION ||
	    size < HEADER_BYTES || size > HEADER_MAX || storage_le64(header + 24) != unit)
		return false;
	memset(header + 16, 0, 4);
	return storage_crc32(0, header, size) == crc;
}

/* Places of what it describes; all on the disk. */
static bool take_places(struct storage_table *table, const uint8_t header[HEADER_MAX])
{
	uint64_t units = storage_table_units(table);

	table->first_usable = storage_le64(header + 40);
	table->last_usable = storage_le64(header + 48);
	table->entries = storage_le64(header + 72);
	table->entry_count = storage_le32(header + 80);
	table->entry_size = storage_le32(header + 84);
	memcpy(table->disk_guid, header + 56, STORAGE_GUID_BYTES);
	if (table->first_usable > table->last_usable || table->last_usable >= units ||
	    table->entries >= units || table->entry_count > STORAGE_GPT_ENTRIES_MAX)
		return false;
	if (table->entry_size < ENTRY_BYTES || table->entry_size > ENTRY_MAX ||
	    (table->entry_size & (table->entry_size - 1)))
		return false;
	return (uint64_t)table->entry_count * table->entry_size <= (units - table->entries) * table->unit;
}

static bool entries_are_right(struct storage_table *table, uint32_t wanted)
{
	uint32_t left = table->entry_count * table->entry_size, crc = 0;
	uint64_t offset = table->entries * table->unit;
	uint8_t part[PART];

	while (left) {
		uint32_t length = left < PART ? left : PART;

		if (!storage_read(table->source, offset, part, length)) {
			table->problems |= STORAGE_TABLE_READ_ERROR;
			return false;
		}
		crc = storage_crc32(crc, part, length);
		offset += length;
		left -= length;
	}
	return crc == wanted;
}

/* The copy whose header is there. */
static bool open_copy(struct storage_table *table, uint64_t unit)
{
	uint8_t header[HEADER_MAX];

	if (unit == 0 || unit >= storage_table_units(table))
		return false;
	if (!storage_read(table->source, unit * table->unit, header, sizeof(header))) {
		table->problems |= STORAGE_TABLE_READ_ERROR;
		return false;
	}
	return header_is_right(unit, header) && take_places(table, header) &&
	       entries_are_right(table, storage_le32(header + 88));
}

bool storage_gpt_open(struct storage_table *table)
{
	uint64_t last = storage_table_units(table) - 1;
	struct storage_table backup = *table;
	bool primary_right = open_copy(table, 1), backup_right = false;
	uint8_t alternate[8];

	/* Its backup is where it says: a disk may have grown since. */
	if (primary_right && storage_read(table->source, table->unit + 32u, alternate, sizeof(alternate)))
		backup_right = open_copy(&backup, storage_le64(alternate));
	else if (!primary_right)
		backup_right = open_copy(&backup, last);
	if (!backup_right)
		table->problems |= primary_right ? STORAGE_TABLE_BACKUP_WRONG : STORAGE_TABLE_BOTH_WRONG;
	if (primary_right || !backup_right)
		return primary_right;
	backup.problems |= table->problems | STORAGE_TABLE_PRIMARY_WRONG;
	*table = backup;
	return true;
}

static void take_name(const uint8_t *units, char name[STORAGE_PARTITION_NAME])
{
	uint32_t used = 0, taken;

	for (uint32_t n = 0; n < NAME_UNITS; n += taken) {
		uint16_t unit = (uint16_t)storage_le16(units + 2 * n);
		uint16_t next = n + 1 < NAME_UNITS ? (uint16_t)storage_le16(units + 2 * (n + 1)) : 0;

		if (!unit)
			break;
		used += storage_utf8(unit, next, name + used, &taken);
	}
	name[used] = '\0';
}

bool storage_gpt_next(struct storage_table *table, struct storage_partition *partition)
{
	static const uint8_t unused[STORAGE_GUID_BYTES];
	uint8_t entry[ENTRY_BYTES];

	while (table->next < table->entry_count) {
		uint64_t offset = table->entries * table->unit + (uint64_t)table->next++ * table->entry_size;
		uint64_t first, last;

		if (!storage_read(table->source, offset, entry, sizeof(entry))) {
			table->problems |= STORAGE_TABLE_READ_ERROR;
			return false;
		}
		if (memcmp(entry, unused, sizeof(unused)) == 0)
			continue;
		first = storage_le64(entry + 32);
		last = storage_le64(entry + 40);
		if (first < table->first_usable || last > table->last_usable || first > last) {
			table->problems |= STORAGE_TABLE_OUTSIDE;
			continue;
		}
		memset(partition, 0, sizeof(*partition));
		partition->number = table->next;
		partition->offset = first * table->unit;
		partition->length = (last - first + 1) * table->unit;
		memcpy(partition->type, entry, STORAGE_GUID_BYTES);
		memcpy(partition->guid, entry + 16, STORAGE_GUID_BYTES);
		partition->attributes = storage_le64(entry + 48);
		take_name(entry + 56, partition->name);
		return true;
	}
	return false;
}
