/* SPDX-License-Identifier: MIT */
/* The volume, paths, contents of files. */
#include <string.h>

#include "apps/storage/iso9660_private.h"

#define FIRST_DESCRIPTOR 16u /* sector */
#define DESCRIPTORS_MAX 64u
#define DESCRIPTOR_PRIMARY 1u
#define DESCRIPTOR_SUPPLEMENTARY 2u
#define DESCRIPTOR_END 255u
#define DESCRIPTOR_NAME 40u
#define DESCRIPTOR_NAME_BYTES 32u
#define DESCRIPTOR_ESCAPES 88u
#define DESCRIPTOR_BLOCK_SIZE 128u
#define DESCRIPTOR_ROOT 156u
#define PATH_NAMES_MAX 256u

const char *iso9660_text(enum iso9660_status status)
{
	switch (status) {
	case ISO9660_OK:
		return "all is well";
	case ISO9660_END:
		return "there is no more";
	case ISO9660_NO_VOLUME:
		return "there is no ISO 9660 file system with such names";
	case ISO9660_NOT_FOUND:
		return "there is no such file or directory";
	case ISO9660_NOT_DIRECTORY:
		return "that is no directory";
	case ISO9660_NOT_FILE:
		return "that is no file";
	case ISO9660_READ_ERROR:
		return "the medium could not be read";
	case ISO9660_CORRUPT:
		return "the file system contradicts itself";
	case ISO9660_UNSUPPORTED:
		return "the file is interleaved, or in too many pieces";
	}
	return "unknown";
}

/* --- Opening -------------------------------------------------------------------------------- */

static bool is_joliet(const uint8_t *descriptor)
{
	const uint8_t *escapes = descriptor + DESCRIPTOR_ESCAPES;

	return escapes[0] == '%' && escapes[1] == '/' &&
	       (escapes[2] == '@' || escapes[2] == 'C' || escapes[2] == 'E');
}

static void take_volume_name(struct iso9660 *volume, const uint8_t *name, bool joliet)
{
	uint32_t used = 0, step = joliet ? 2 : 1, units;

	for (uint32_t n = 0; n < DESCRIPTOR_NAME_BYTES; n += step) {
		uint16_t unit = joliet ? storage_be16(name + n) : name[n];

		if (unit < ' ' || (!joliet && unit > '~'))
			continue;
		used += storage_utf8(unit, 0, volume->name + used, &units);
	}
	while (used && volume->name[used - 1] == ' ')
		used--;
	volume->name[used] = '\0';
}

static enum iso9660_status take_descriptor(struct iso9660 *volume, const uint8_t *descriptor)
{
	const uint8_t *root = descriptor + DESCRIPTOR_ROOT;
	bool joliet = descriptor[0] == DESCRIPTOR_SUPPLEMENTARY;
	enum iso9660_status status;

	volume->block_size = storage_le16(descriptor + DESCRIPTOR_BLOCK_SIZE);
	if (volume->block_size != 512 && volume->block_size != 1024 && volume->block_size != 2048)
		return ISO9660_CORRUPT;
	if (!iso9660_record_is_whole(root, 34))
		return ISO9660_CORRUPT;
	status = iso9660_take_record(volume, root, &volume->root);
	if (status == ISO9660_OK && !volume->root.directory)
		status = ISO9660_CORRUPT;
	volume->names = joliet ? ISO9660_JOLIET : ISO9660_PLAIN;
	take_volume_name(volume, descriptor + DESCRIPTOR_NAME, joliet);
	return status;
}

/* Looks at the descriptors: the primary one, and Joliet's if there is one. */
static enum iso9660_status find_descriptors(struct iso9660 *primary, struct iso9660 *joliet)
{
	uint8_t descriptor[ISO9660_SECTOR];

	for (uint32_t n = 0; n < DESCRIPTORS_MAX; n++) {
		uint64_t offset = (uint64_t)(FIRST_DESCRIPTOR + n) * ISO9660_SECTOR;
		enum iso9660_status status = ISO9660_OK;

		if (offset + ISO9660_SECTOR > storage_size(primary->source))
			break;
		if (!storage_read(primary->source, offset, descriptor, sizeof(descriptor)))
			return ISO9660_READ_ERROR;
		if (memcmp(descriptor + 1, "CD001", 5) != 0 || descriptor[0] == DESCRIPTOR_END)
			break;
		if (descriptor[0] == DESCRIPTOR_PRIMARY && !primary->block_size)
			status = take_descriptor(primary, descriptor);
		else if (descriptor[0] == DESCRIPTOR_SUPPLEMENTARY && is_joliet(descriptor) &&
			 !joliet->block_size)
			status = take_descriptor(joliet, descriptor);
		if (status != ISO9660_OK)
			return status;
	}
	return primary->block_size ? ISO9660_OK : ISO9660_NO_VOLUME;
}

static enum iso9660_status look_for_rock_ridge(struct iso9660 *volume)
{
	uint64_t offset = volume->root.extents[0].offset;
	uint8_t sector[ISO9660_SECTOR];

	if (!storage_read(volume->source, offset, sector, sizeof(sector)))
		return ISO9660_READ_ERROR;
	if (iso9660_record_is_whole(sector, sizeof(sector)) && iso9660_has_rock_ridge(sector, &volume->skip))
		volume->names = ISO9660_ROCK_RIDGE;
	return ISO9660_OK;
}

enum iso9660_status iso9660_open(struct iso9660 *volume, const struct storage_source *source,
				 enum iso9660_names names)
{
	struct iso9660 joliet;
	enum iso9660_status status;

	memset(volume, 0, sizeof(*volume));
	memset(&joliet, 0, sizeof(joliet));
	volume->source = joliet.source = source;
	status = find_descriptors(volume, &joliet);
	if (status != ISO9660_OK)
		return status;
	if (names == ISO9660_ANY_NAMES || names == ISO9660_ROCK_RIDGE) {
		status = look_for_rock_ridge(volume);
		if (status != ISO9660_OK)
			return status;
	}
	if (names == ISO9660_JOLIET || (names == ISO9660_ANY_NAMES && volume->names == ISO9660_PLAIN)) {
		if (joliet.block_size)
			*volume = joliet;
	}
	if (names != ISO9660_ANY_NAMES && names != volume->names)
		return ISO9660_NO_VOLUME;
	return ISO9660_OK;
}

/* --- Paths ----------------------------------------------------------------------------------- */

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c + 'a' - 'A') : c;
}

static bool is_name(const struct iso9660 *volume, const char *name, const char *wanted, size_t length)
{
	if (strlen(name) != length)
		return false;
	for (size_t i = 0; i < length; i++) {
		if (name[i] != wanted[i] &&
		    (volume->names != ISO9660_PLAIN || lower(name[i]) != lower(wanted[i])))
			return false;
	}
	return true;
}

/* entry: the directory, and then what was found in it. */
static enum iso9660_status find_in(const struct iso9660 *volume, struct iso9660_entry *entry,
				   const char *name, size_t length)
{
	struct iso9660_list list;
	enum iso9660_status status = iso9660_list(volume, entry, &list);

	while (status == ISO9660_OK) {
		status = iso9660_next(&list, entry);
		if (status == ISO9660_OK && is_name(volume, entry->name, name, length))
			return ISO9660_OK;
	}
	return status == ISO9660_END ? ISO9660_NOT_FOUND : status;
}

enum iso9660_status iso9660_find(const struct iso9660 *volume, const char *path, struct iso9660_entry *entry)
{
	*entry = volume->root;
	for (uint32_t n = 0; n < PATH_NAMES_MAX; n++) {
		size_t length = 0;
		enum iso9660_status status;

		while (*path == '/')
			path++;
		if (!*path)
			return ISO9660_OK;
		while (path[length] && path[length] != '/')
			length++;
		status = find_in(volume, entry, path, length);
		if (status != ISO9660_OK)
			return status;
		path += length;
	}
	return ISO9660_NOT_FOUND;
}

/* --- Contents --------------------------------------------------------------------------------- */

enum iso9660_status iso9660_read(const struct iso9660 *volume, const struct iso9660_entry *entry,
				 uint64_t offset, void *data, uint32_t length)
{
	uint8_t *to = data;

	if (entry->directory)
		return ISO9660_NOT_FILE;
	if (offset > entry->size || length > entry->size - offset)
		return ISO9660_CORRUPT;
	for (uint32_t n = 0; n < entry->extent_count && length; n++) {
		const struct iso9660_extent *extent = &entry->extents[n];
		uint32_t part = length;

		if (offset >= extent->length) {
			offset -= extent->length;
			continue;
		}
		if (part > extent->length - offset)
			part = (uint32_t)(extent->length - offset);
		if (!storage_read(volume->source, extent->offset + offset, to, part))
			return ISO9660_READ_ERROR;
		to += part;
		length -= part;
		offset = 0;
	}
	return length ? ISO9660_CORRUPT : ISO9660_OK;
}
