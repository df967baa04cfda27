/* SPDX-License-Identifier: MIT */
/*
 * Partition tables: MBR with extended partitions, GPT (UEFI 2.10, 5) with its checksums and its
 * backup. Read-only; trusts nothing that it reads; allocates nothing.
 *
 *   struct storage_table table;
 *   struct storage_partition partition;
 *
 *   storage_table_open(&table, &source);
 *   while (storage_table_next(&table, &partition)) ...
 */
#ifndef STORAGE_PARTITIONS_H
#define STORAGE_PARTITIONS_H

#include "apps/storage/source.h"

#define STORAGE_GUID_BYTES 16u
#define STORAGE_PARTITION_NAME 109u /* 36 characters of at most three bytes, and an end */
#define STORAGE_LOGICAL_MAX 128u    /* logical partitions that are looked at */
#define STORAGE_GPT_ENTRIES_MAX 1024u

enum storage_table_kind { STORAGE_TABLE_NONE, STORAGE_TABLE_MBR, STORAGE_TABLE_GPT };

/* What was wrong with it. */
#define STORAGE_TABLE_READ_ERROR (1u << 0)    /* something of it could not be read */
#define STORAGE_TABLE_PRIMARY_WRONG (1u << 1) /* GPT: the first copy is not valid, the backup is used */
#define STORAGE_TABLE_BACKUP_WRONG (1u << 2)  /* GPT: the backup is not valid */
#define STORAGE_TABLE_BOTH_WRONG (1u << 3)    /* there should be a GPT, but neither copy is valid */
#define STORAGE_TABLE_OUTSIDE (1u << 4)       /* a partition lies outside; it was left out */
#define STORAGE_TABLE_LOOP (1u << 5)          /* MBR: more logical partitions than there can be */

struct storage_partition {
	uint32_t number;         /* from 1, as Linux counts them: logical ones of an MBR from 5 */
	uint64_t offset, length; /* bytes */
	/* MBR */
	uint8_t mbr_type;
	bool active;
	/* GPT: GUIDs as they stand there, name in UTF-8 */
	uint8_t type[STORAGE_GUID_BYTES], guid[STORAGE_GUID_BYTES];
	uint64_t attributes;
	char name[STORAGE_PARTITION_NAME];
};

struct storage_table {
	const struct storage_source *source;
	enum storage_table_kind kind;
	uint32_t problems;     /* STORAGE_TABLE_*; complete after the last partition */
	uint32_t disk_id;      /* MBR: signature */
	uint8_t disk_guid[16]; /* GPT */
	/* What follows belongs to the functions. */
	uint32_t unit; /* bytes that the table counts in */
	uint32_t next; /* entry */
	uint8_t primary[4][16];
	uint64_t extended, extended_length, link; /* MBR, units: the extended partition; its next table */
	uint32_t logical, links;
	uint64_t entries, first_usable, last_usable; /* GPT, units */
	uint32_t entry_count, entry_size;
};

/* Always leaves a table that storage_table_next may be asked about. False if there is none. */
bool storage_table_open(struct storage_table *table, const struct storage_source *source);
/* False after the last. */
bool storage_table_next(struct storage_table *table, struct storage_partition *partition);

/* For people: of an MBR's type, of a GPT's; NULL if it is not one of the common ones. */
const char *storage_mbr_type_name(uint8_t type);
const char *storage_gpt_type_name(const uint8_t type[STORAGE_GUID_BYTES]);

/* CRC-32 as UEFI has it (and Ethernet): begin with 0, go on with what came back. */
uint32_t storage_crc32(uint32_t crc, const void *data, size_t length);

#endif
