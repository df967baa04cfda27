/* SPDX-License-Identifier: MIT */
/* Names: plain (ECMA-119), Joliet, Rock Ridge (SUSP and RRIP, IEEE P1281 and P1282). */
#include <string.h>

#include "apps/storage/iso9660_private.h"

#define AREAS_MAX 32u /* of one record: continuation areas */
#define FIELD_BYTES 4u

#define NAME_CONTINUES 0x01u
#define NAME_SELF 0x02u
#define NAME_PARENT 0x04u

#define MODE_TYPE 0170000u
#define MODE_LINK 0120000u

/* --- The standard's, and Joliet's ---------------------------------------------------------------- */

/* A name must be one: not empty, no '/' and no end in it, neither "." nor "..". */
static bool can_be_shown(const char *name, uint32_t length)
{
	for (uint32_t i = 0; i < length; i++) {
		if (name[i] == '/' || name[i] == '\0')
			return false;
	}
	return length && !(length == 1 && name[0] == '.') &&
	       !(length == 2 && name[0] == '.' && name[1] == '.');
}

/* Without ";1", the version, and the dot that a name without an extension has. */
static uint32_t without_version(const char *name, uint32_t length, bool dot)
{
	uint32_t end = length;

	while (end && name[end - 1] >= '0' && name[end - 1] <= '9')
		end--;
	if (end && end < length && name[end - 1] == ';')
		length = end - 1;
	if (dot && length > 1 && name[length - 1] == '.')
		length--;
	return length;
}

static uint32_t joliet_name(const uint8_t *from, uint32_t bytes, char *name)
{
	uint32_t used = 0, units;

	for (uint32_t n = 0; n + 1 < bytes; n += 2 * units) {
		uint16_t unit = storage_be16(from + n);
		uint16_t next = n + 3 < bytes ? storage_be16(from + n + 2) : 0;

		if (used + 4 >= ISO9660_NAME)
			break;
		used += storage_utf8(unit, next, name + used, &units);
	}
	return used;
}

bool iso9660_record_name(const struct iso9660 *volume, const uint8_t *record, char name[ISO9660_NAME])
{
	uint32_t length = record[RECORD_NAME_LENGTH];
	bool directory = (record[RECORD_FLAGS] & FLAG_DIRECTORY) != 0;

	if (volume->names == ISO9660_JOLIET)
		length = joliet_name(record + RECORD_NAME, length, name);
	else
		memcpy(name, record + RECORD_NAME, length);
	if (!directory)
		length = without_version(name, length, volume->names != ISO9660_JOLIET);
	name[length] = '\0';
	return can_be_shown(name, length);
}

/* --- Rock Ridge -------------------------------------------------------------------------------------- */

uint32_t iso9660_system_use(const uint8_t *record, uint32_t *length)
{
	uint32_t begin = RECORD_NAME + record[RECORD_NAME_LENGTH];

	begin += begin & 1; /* padded */
	*length = begin < record[RECORD_LENGTH] ? record[RECORD_LENGTH] - begin : 0;
	return begin;
}

bool iso9660_has_rock_ridge(const uint8_t *record, uint8_t *skip)
{
	uint32_t length, begin = iso9660_system_use(record, &length);
	const uint8_t *field = record + begin;

	if (length < 7 || memcmp(field, "SP", 2) != 0 || field[2] < 7 || field[4] != 0xbe || field[5] != 0xef)
		return false;
	*skip = field[6];
	return true;
}

struct area {
	uint64_t block; /* where it goes on; 0: nowhere */
	uint32_t offset, length;
};

static enum iso9660_status take_name_field(const uint8_t *field, struct iso9660_rock_ridge *out)
{
	uint32_t length = field[2] - 5u;

	if (field[4] & (NAME_SELF | NAME_PARENT))
		return ISO9660_OK;
	if (out->name_used + length >= ISO9660_NAME)
		return ISO9660_CORRUPT;
	memcpy(out->name + out->name_used, field + 5, length);
	out->name_used += length;
	out->named = true;
	return ISO9660_OK;
}

/* One field whose length has been checked. *end: nothing after it counts. */
static enum iso9660_status take_field(const uint8_t *field, struct iso9660_rock_ridge *out, struct area *next,
				      bool *end)
{
	uint32_t length = field[2];

	if (memcmp(field, "NM", 2) == 0 && length >= 5)
		return take_name_field(field, out);
	if (memcmp(field, "CE", 2) == 0 && length >= 28)
		*next = (struct area){storage_le32(field + 4), storage_le32(field + 12),
				      storage_le32(field + 20)};
	else if (memcmp(field, "PX", 2) == 0 && length >= 12)
		out->symbolic_link = (storage_le32(field + 4) & MODE_TYPE) == MODE_LINK;
	else if (memcmp(field, "CL", 2) == 0 && length >= 12)
		out->child_block = storage_le32(field + 4);
	else if (memcmp(field, "RE", 2) == 0)
		out->moved_away = true;
	*end = memcmp(field, "ST", 2) == 0;
	return ISO9660_OK;
}

static enum iso9660_status take_area(const uint8_t *area, uint32_t length, struct iso9660_rock_ridge *out,
				     struct area *next)
{
	bool end = false;

	*next = (struct area){0};
	while (length >= FIELD_BYTES && !end) {
		enum iso9660_status status;

		/* Zeros, or what is no field, fill the rest. */
		if (area[2] < FIELD_BYTES || area[2] > length)
			return ISO9660_OK;
		status = take_field(area, out, next, &end);
		if (status != ISO9660_OK)
			return status;
		length -= area[2];
		area += area[2];
	}
	return ISO9660_OK;
}

enum iso9660_status iso9660_rock_ridge(const struct iso9660 *volume, const uint8_t *record,
				       struct iso9660_rock_ridge *out)
{
	uint32_t length, begin = iso9660_system_use(record, &length);
	uint8_t data[ISO9660_SECTOR];
	enum iso9660_status status;
	struct area next;

	if (length < volume->skip)
		return ISO9660_OK;
	status = take_area(record + begin + volume->skip, length - volume->skip, out, &next);
	for (uint32_t n = 0; status == ISO9660_OK && next.block; n++) {
		if (n == AREAS_MAX || next.length > sizeof(data) || next.offset >= ISO9660_SECTOR)
			return ISO9660_CORRUPT;
		if (!storage_read(volume->source, next.block * volume->block_size + next.offset, data,
				  next.length))
			return ISO9660_READ_ERROR;
		status = take_area(data, next.length, out, &next);
	}
	if (out->named) {
		out->name[out->name_used] = '\0';
		out->named = can_be_shown(out->name, out->name_used);
	}
	return status;
}
