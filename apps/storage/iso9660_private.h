/* SPDX-License-Identifier: MIT */
#ifndef STORAGE_ISO9660_PRIVATE_H
#define STORAGE_ISO9660_PRIVATE_H

#include "apps/storage/iso9660.h"

/* A directory record: ECMA-119, 9.1. Offsets into it. */
#define RECORD_LENGTH 0u
#define RECORD_ATTRIBUTES 1u /* blocks before the data */
#define RECORD_EXTENT 2u
#define RECORD_SIZE 10u
#define RECORD_TIME 18u
#define RECORD_FLAGS 25u
#define RECORD_INTERLEAVE 26u
#define RECORD_NAME_LENGTH 32u
#define RECORD_NAME 33u
#define RECORD_BYTES 34u /* the shortest */

#define FLAG_HIDDEN 0x01u
#define FLAG_DIRECTORY 0x02u
#define FLAG_ASSOCIATED 0x04u
#define FLAG_MORE 0x80u /* another extent of the same file follows */

/* What Rock Ridge says of a record. */
struct iso9660_rock_ridge {
	char *name; /* of ISO9660_NAME bytes */
	uint32_t name_used;
	bool named;
	bool symbolic_link;
	bool moved_away;      /* a directory that is shown somewhere else */
	uint32_t child_block; /* one that is shown here; 0: no */
};
enum iso9660_status iso9660_rock_ridge(const struct iso9660 *volume, const uint8_t *record,
				       struct iso9660_rock_ridge *out);
/* "SP" in the root's first record: Rock Ridge is there, with that many bytes to skip. */
bool iso9660_has_rock_ridge(const uint8_t *record, uint8_t *skip);

/* Where the record's system use area begins, and its length. */
uint32_t iso9660_system_use(const uint8_t *record, uint32_t *length);

/* The record's own name, as the volume has them. False: there is none that could be shown. */
bool iso9660_record_name(const struct iso9660 *volume, const uint8_t *record, char name[ISO9660_NAME]);
/* A record is whole: its parts lie in its length. */
bool iso9660_record_is_whole(const uint8_t *record, uint32_t room);
/* Everything but the name. */
enum iso9660_status iso9660_take_record(const struct iso9660 *volume, const uint8_t *record,
					struct iso9660_entry *entry);
/* The extent, behind the others. */
enum iso9660_status iso9660_add_extent(const struct iso9660 *volume, const uint8_t *record,
				       struct iso9660_entry *entry);
/* A directory by its first block, by its own record of itself. */
enum iso9660_status iso9660_directory_at(const struct iso9660 *volume, uint32_t block,
					 struct iso9660_entry *entry);

#endif
