/* SPDX-License-Identifier: MIT */
/* A source in memory, which can fail. */
#ifndef UNIT_STORAGE_MEMORY_H
#define UNIT_STORAGE_MEMORY_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "apps/storage/source.h"

#define NO_BLOCK UINT64_MAX

struct memory {
	uint8_t *bytes;
	struct storage_source source;
	uint64_t bad; /* a block that cannot be read */
	uint32_t reads;
};

static bool memory_read(void *context, uint64_t block, uint32_t count, void *data)
{
	struct memory *memory = context;

	assert_true(count > 0);
	assert_true(block < memory->source.blocks && count <= memory->source.blocks - block);
	memory->reads++;
	if (memory->bad >= block && memory->bad - block < count)
		return false;
	memcpy(data, memory->bytes + block * memory->source.block_size,
	       (size_t)count * memory->source.block_size);
	return true;
}

static void memory_create(struct memory *memory, uint64_t blocks, uint32_t block_size)
{
	memory->bytes = calloc(blocks, block_size);
	assert_non_null(memory->bytes);
	memory->source = (struct storage_source){memory_read, memory, blocks, block_size};
	memory->bad = NO_BLOCK;
	memory->reads = 0;
}

static void memory_destroy(struct memory *memory)
{
	free(memory->bytes);
}

static inline void put_le16(uint8_t *at, uint32_t value)
{
	at[0] = (uint8_t)value;
	at[1] = (uint8_t)(value >> 8);
}

static inline void put_le32(uint8_t *at, uint32_t value)
{
	put_le16(at, value & 0xffff);
	put_le16(at + 2, value >> 16);
}

static inline void put_le64(uint8_t *at, uint64_t value)
{
	put_le32(at, (uint32_t)value);
	put_le32(at + 4, (uint32_t)(value >> 32));
}

#endif
