/* SPDX-License-Identifier: MIT */
/* A small physical memory, to put a loader's or firmware's tables into. */
#ifndef TEST_BARE_MEMORY_H
#define TEST_BARE_MEMORY_H

#include <string.h>

#include "ports/bare-x86_64/physical.h"

#define MEMORY_BASE 0x10000u
#define MEMORY_SIZE 0x8000u

struct memory {
	uint8_t bytes[MEMORY_SIZE];
};

static inline bool memory_read(void *context, uint64_t address, void *out, size_t length)
{
	struct memory *memory = context;

	if (address < MEMORY_BASE || address - MEMORY_BASE > MEMORY_SIZE ||
	    length > MEMORY_SIZE - (address - MEMORY_BASE))
		return false;
	memcpy(out, memory->bytes + (address - MEMORY_BASE), length);
	return true;
}

static inline void memory_put(struct memory *memory, uint32_t address, const void *from, size_t length)
{
	memcpy(memory->bytes + (address - MEMORY_BASE), from, length);
}

static inline void memory_put_number(struct memory *memory, uint32_t address, uint64_t value, unsigned bytes)
{
	for (unsigned i = 0; i < bytes; i++)
		memory->bytes[address - MEMORY_BASE + i] = (uint8_t)(value >> 8 * i);
}

#endif
