/* SPDX-License-Identifier: MIT */
/*
 * Reading ISO 9660 (ECMA-119), the file system of CD-ROMs and of images like them: names as Rock
 * Ridge, Joliet or the plain standard have them, files of any size (multi-extent), deep directories.
 * Read-only; trusts nothing that it reads; allocates nothing; no recursion.
 *
 *   struct iso9660 volume;
 *   struct iso9660_entry entry;
 *
 *   iso9660_open(&volume, &source, ISO9660_ANY_NAMES);
 *   iso9660_find(&volume, "/boot/vmlinuz", &entry);
 *   iso9660_read(&volume, &entry, 0, data, length);
 *
 *   iso9660_list(&volume, &directory, &list);
 *   while ((status = iso9660_next(&list, &entry)) == ISO9660_OK) ...
 */
#ifndef STORAGE_ISO9660_H
#define STORAGE_ISO9660_H

#include "apps/storage/source.h"

#define ISO9660_NAME 512u       /* bytes of a name in UTF-8, with its end */
#define ISO9660_EXTENTS_MAX 16u /* of a file, after those that follow one another are joined */
#define ISO9660_SECTOR 2048u
#define ISO9660_VOLUME_NAME 97u /* 32 characters of at most three bytes, and an end */

enum iso9660_status {
	ISO9660_OK,
	ISO9660_END,           /* no more entries */
	ISO9660_NO_VOLUME,     /* that is no ISO 9660, or has not the names that were asked for */
	ISO9660_NOT_FOUND,     /* no such file or directory */
	ISO9660_NOT_DIRECTORY, /* something on the way, or what should be listed */
	ISO9660_NOT_FILE,      /* a directory cannot be read */
	ISO9660_READ_ERROR,
	ISO9660_CORRUPT,    /* it contradicts itself, or points outside */
	ISO9660_UNSUPPORTED /* interleaved, or in more pieces than ISO9660_EXTENTS_MAX */
};
/* One line for people. */
const char *iso9660_text(enum iso9660_status status);

enum iso9660_names {
	ISO9660_ANY_NAMES, /* Rock Ridge's if there are any, else Joliet's, else plain */
	ISO9660_PLAIN,
	ISO9660_JOLIET,
	ISO9660_ROCK_RIDGE
};

struct iso9660_extent {
	uint64_t offset, length; /* bytes of the source */
};

struct iso9660_entry {
	char name[ISO9660_NAME];
	bool directory, symbolic_link; /* a link's target is not told */
	bool hidden;
	uint64_t size;
	struct iso9660_extent extents[ISO9660_EXTENTS_MAX];
	uint32_t extent_count;
	/* Local time of the recording, and its minutes from UTC; year 0: not said. */
	uint16_t year;
	uint8_t month, day, hour, minute, second;
	int16_t utc_offset;
};

struct iso9660 {
	const struct storage_source *source;
	enum iso9660_names names; /* in use; never ISO9660_ANY_NAMES */
	uint32_t block_size;      /* logical, of the volume */
	uint8_t skip;             /* Rock Ridge: bytes before the fields of each record */
	char name[ISO9660_VOLUME_NAME];
	struct iso9660_entry root;
};

enum iso9660_status iso9660_open(struct iso9660 *volume, const struct storage_source *source,
				 enum iso9660_names names);

/* Names are separated by one '/' or several; "." and ".." are not names here. Plain names are found
 * whatever their case. The root is "" or "/". path must not lie in *entry. */
enum iso9660_status iso9660_find(const struct iso9660 *volume, const char *path, struct iso9660_entry *entry);

struct iso9660_list {
	const struct iso9660 *volume;
	struct iso9660_extent extent; /* of the directory */
	uint64_t position;            /* in it, of the next record */
	uint64_t sector;              /* in the buffer; UINT64_MAX: none */
	uint8_t data[ISO9660_SECTOR];
};
enum iso9660_status iso9660_list(const struct iso9660 *volume, const struct iso9660_entry *directory,
				 struct iso9660_list *list);
enum iso9660_status iso9660_next(struct iso9660_list *list, struct iso9660_entry *entry);

/* length bytes, all of which lie in the file (ISO9660_CORRUPT). */
enum iso9660_status iso9660_read(const struct iso9660 *volume, const struct iso9660_entry *entry,
				 uint64_t offset, void *data, uint32_t length);

#endif
