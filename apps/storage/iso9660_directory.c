/* SPDX-License-Identifier: MIT */
/* Directories: records, one after the other in sectors, none across the end of one. */
#include <string.h>

#include "apps/storage/iso9660_private.h"

/* A directory longer than this is a mistake: half a million records. */
#define DIRECTORY_MAX (64u << 20)
/* Of one file. More than ISO9660_EXTENTS_MAX may follow one another and so be one. */
#define RECORDS_MAX 65536u

bool iso9660_record_is_whole(const uint8_t *record, uint32_t room)
{
	uint32_t length = room ? record[RECORD_LENGTH] : 0;

	return length >= RECORD_BYTES && length <= room && record[RECORD_NAME_LENGTH] &&
	       RECORD_NAME + record[RECORD_NAME_LENGTH] <= length;
}

enum iso9660_status iso9660_add_extent(const struct iso9660 *volume, const uint8_t *record,
				       struct iso9660_entry *entry)
{
	uint64_t block = (uint64_t)storage_le32(record + RECORD_EXTENT) + record[RECORD_ATTRIBUTES];
	struct iso9660_extent extent = {block * volume->block_size, storage_le32(record + RECORD_SIZE)};
	uint64_t size = storage_size(volume->source);
	struct iso9660_extent *last = entry->extent_count ? &entry->extents[entry->extent_count - 1] : NULL;

	if (record[RECORD_INTERLEAVE] || record[RECORD_INTERLEAVE + 1])
		return ISO9660_UNSUPPORTED;
	if (!extent.length) /* an empty file may point anywhere */
		return ISO9660_OK;
	if (extent.offset > size || extent.length > size - extent.offset)
		return ISO9660_CORRUPT;
	entry->size += extent.length;
	if (last && last->offset + last->length == extent.offset) {
		last->length += extent.length;
		return ISO9660_OK;
	}
	if (entry->extent_count == ISO9660_EXTENTS_MAX)
		return ISO9660_UNSUPPORTED;
	entry->extents[entry->extent_count++] = extent;
	return ISO9660_OK;
}

enum iso9660_status iso9660_take_record(const struct iso9660 *volume, const uint8_t *record,
					struct iso9660_entry *entry)
{
	const uint8_t *time = record + RECORD_TIME;

	memset(entry, 0, sizeof(*entry));
	entry->directory = (record[RECORD_FLAGS] & FLAG_DIRECTORY) != 0;
	entry->hidden = (record[RECORD_FLAGS] & FLAG_HIDDEN) != 0;
	if (time[1]) { /* months count from 1 */
		entry->year = (uint16_t)(1900 + time[0]);
		entry->month = time[1];
		entry->day = time[2];
		entry->hour = time[3];
		entry->minute = time[4];
		entry->second = time[5];
		entry->utc_offset = (int16_t)((int8_t)time[6] * 15);
	}
	return iso9660_add_extent(volume, record, entry);
}

enum iso9660_status iso9660_list(const struct iso9660 *volume, const struct iso9660_entry *directory,
				 struct iso9660_list *list)
{
	if (!directory->directory)
		return ISO9660_NOT_DIRECTORY;
	memset(list, 0, sizeof(*list));
	list->volume = volume;
	list->sector = UINT64_MAX;
	if (directory->extent_count != 1 || directory->size > DIRECTORY_MAX)
		return ISO9660_CORRUPT;
	list->extent = directory->extents[0];
	return ISO9660_OK;
}

/* The next record, in the buffer; *room is what is left of its sector. */
static enum iso9660_status next_record(struct iso9660_list *list, const uint8_t **record)
{
	for (;;) {
		uint64_t sector = list->position / ISO9660_SECTOR;
		uint32_t at = (uint32_t)(list->position % ISO9660_SECTOR), room;
		uint64_t begin = sector * ISO9660_SECTOR;

		if (list->position >= list->extent.length)
			return ISO9660_END;
		room = list->extent.length - begin < ISO9660_SECTOR ? (uint32_t)(list->extent.length - begin)
								    : ISO9660_SECTOR;
		if (list->sector != sector &&
		    !storage_read(list->volume->source, list->extent.offset + begin, list->data, room))
			return ISO9660_READ_ERROR;
		list->sector = sector;
		if (at < room && list->data[at]) {
			if (!iso9660_record_is_whole(list->data + at, room - at))
				return ISO9660_CORRUPT;
			*record = list->data + at;
			list->position += list->data[at];
			return ISO9660_OK;
		}
		list->position = begin + ISO9660_SECTOR; /* the rest of this one is empty */
	}
}

/* Its own record, and its parent's. */
static bool is_dot(const uint8_t *record)
{
	return record[RECORD_NAME_LENGTH] == 1 && record[RECORD_NAME] <= 1;
}

/* A file in more than one extent: the other records, up to one that says that it is the last. */
static enum iso9660_status take_others(struct iso9660_list *list, const uint8_t *record,
				       struct iso9660_entry *entry)
{
	enum iso9660_status status = ISO9660_OK;

	for (uint32_t n = 0; status == ISO9660_OK && (record[RECORD_FLAGS] & FLAG_MORE); n++) {
		if (n == RECORDS_MAX)
			return ISO9660_CORRUPT;
		status = next_record(list, &record);
		if (status == ISO9660_OK)
			status = iso9660_add_extent(list->volume, record, entry);
		else if (status == ISO9660_END)
			status = ISO9660_CORRUPT; /* the last one is missing */
	}
	return status;
}

enum iso9660_status iso9660_directory_at(const struct iso9660 *volume, uint32_t block,
					 struct iso9660_entry *entry)
{
	uint8_t record[256];
	enum iso9660_status status;

	if (!storage_read(volume->source, (uint64_t)block * volume->block_size, record, sizeof(record)))
		return ISO9660_READ_ERROR;
	if (!iso9660_record_is_whole(record, sizeof(record)) || !is_dot(record) ||
	    storage_le32(record + RECORD_EXTENT) != block)
		return ISO9660_CORRUPT;
	status = iso9660_take_record(volume, record, entry);
	return status == ISO9660_OK && !entry->directory ? ISO9660_CORRUPT : status;
}

/* Rock Ridge's name, if it has one, and its directories that the plain tree has somewhere else.
 * *shown: false if this record is not to be seen. */
static enum iso9660_status take_rock_ridge(const struct iso9660 *volume, const uint8_t *record,
					   struct iso9660_entry *entry, bool *shown)
{
	struct iso9660_rock_ridge found = {.name = entry->name};
	enum iso9660_status status = iso9660_rock_ridge(volume, record, &found);
	char name[ISO9660_NAME];

	if (status != ISO9660_OK)
		return status;
	*shown = !found.moved_away;
	if (found.child_block) {
		memcpy(name, entry->name, sizeof(name));
		status = iso9660_directory_at(volume, found.child_block, entry);
		memcpy(entry->name, name, sizeof(name));
	}
	entry->symbolic_link = found.symbolic_link;
	if (!found.named)
		*shown = iso9660_record_name(volume, record, entry->name) && *shown;
	return status;
}

enum iso9660_status iso9660_next(struct iso9660_list *list, struct iso9660_entry *entry)
{
	const struct iso9660 *volume = list->volume;
	const uint8_t *record;
	uint8_t copy[256]; /* the records after it may be in another sector */

	for (;;) {
		enum iso9660_status status = next_record(list, &record);
		bool shown = true;

		if (status != ISO9660_OK)
			return status;
		memcpy(copy, record, record[RECORD_LENGTH]);
		status = iso9660_take_record(volume, copy, entry);
		if (status == ISO9660_OK)
			status = take_others(list, copy, entry);
		if (status != ISO9660_OK)
			return status;
		if (is_dot(copy) || (copy[RECORD_FLAGS] & FLAG_ASSOCIATED))
			continue;
		if (volume->names == ISO9660_ROCK_RIDGE)
			status = take_rock_ridge(volume, copy, entry, &shown);
		else
			shown = iso9660_record_name(volume, copy, entry->name);
		if (status != ISO9660_OK)
			return status;
		if (shown)
			return ISO9660_OK;
	}
}
