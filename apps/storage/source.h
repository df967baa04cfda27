/* SPDX-License-Identifier: MIT */
/* Where bytes are read from: a disk, a CD-ROM, a partition of one, a file. Who has that fills in a
 * structure with one function; partitions.h and iso9660.h read from it. Nothing here allocates. */
#ifndef STORAGE_SOURCE_H
#define STORAGE_SOURCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define STORAGE_BLOCK_MAX 4096u

struct storage_source {
	/* Reads whole blocks, as many as wanted, that lie inside. False: they could not be read. */
	bool (*read)(void *context, uint64_t block, uint32_t count, void *data);
	void *context;
	uint64_t blocks;
	uint32_t block_size; /* 512, 1024, 2048 or 4096 */
};

/* Bytes, from wherever. False: not read, or (some of them) not inside. */
bool storage_read(const struct storage_source *source, uint64_t offset, void *data, uint32_t length);
/* In bytes; what does not fit into 64 bits is left out. */
uint64_t storage_size(const struct storage_source *source);

/* Numbers as they stand in tables. */
static inline uint32_t storage_le16(const uint8_t *at)
{
	return (uint32_t)at[0] | (uint32_t)at[1] << 8;
}

static inline uint16_t storage_be16(const uint8_t *at)
{
	return (uint16_t)((uint32_t)at[0] << 8 | at[1]);
}

static inline uint32_t storage_le32(const uint8_t *at)
{
	return storage_le16(at) | storage_le16(at + 2) << 16;
}

static inline uint64_t storage_le64(const uint8_t *at)
{
	return storage_le32(at) | (uint64_t)storage_le32(at + 4) << 32;
}

/* One UTF-16 character, or what stands for one that is none, as UTF-8: 1 to 4 bytes. next is the unit that
 * follows it, 0 at the end; *units tells how many were used. */
uint32_t storage_utf8(uint16_t unit, uint16_t next, char text[4], uint32_t *units);

#endif
