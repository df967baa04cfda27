/* SPDX-License-Identifier: MIT */
/* An image in memory, in chunks that exist from their first write on. */
#include <stdlib.h>
#include <string.h>

#include "hvkit_host/storage.h"

#define CHUNK 65536u
#define CHUNKS_MAX (1u << 22) /* 256 GiB of addresses */

struct memory {
	uint8_t **chunks; /* NULL: zeros */
	uint64_t count;
};

static uint32_t part_of(uint64_t offset, uint64_t length)
{
	uint32_t left = CHUNK - (uint32_t)(offset % CHUNK);

	return length < left ? (uint32_t)length : left;
}

static bool memory_read(void *context, uint64_t offset, void *data, uint32_t length)
{
	const struct memory *memory = context;
	uint8_t *to = data;

	while (length > 0) {
		uint32_t part = part_of(offset, length);
		uint64_t chunk = offset / CHUNK;

		if (chunk < memory->count && memory->chunks[chunk] != NULL)
			memcpy(to, memory->chunks[chunk] + offset % CHUNK, part);
		else
			memset(to, 0, part);
		to += part;
		offset += part;
		length -= part;
	}
	return true;
}

/* The disk may have been made larger since. */
static bool grow(struct memory *memory, uint64_t count)
{
	uint8_t **chunks;

	if (count <= memory->count)
		return true;
	if (count > CHUNKS_MAX)
		return false;
	chunks = realloc(memory->chunks, count * sizeof *chunks);
	if (chunks == NULL)
		return false;
	memset(chunks + memory->count, 0, (count - memory->count) * sizeof *chunks);
	memory->chunks = chunks;
	memory->count = count;
	return true;
}

static bool memory_write(void *context, uint64_t offset, const void *data, uint32_t length)
{
	struct memory *memory = context;
	const uint8_t *from = data;

	while (length > 0) {
		uint32_t part = part_of(offset, length);
		uint64_t chunk = offset / CHUNK;

		if (!grow(memory, chunk + 1))
			return false;
		if (memory->chunks[chunk] == NULL)
			memory->chunks[chunk] = calloc(1, CHUNK);
		if (memory->chunks[chunk] == NULL)
			return false;
		memcpy(memory->chunks[chunk] + offset % CHUNK, from, part);
		from += part;
		offset += part;
		length -= part;
	}
	return true;
}

static bool memory_flush(void *context)
{
	(void)context;
	return true;
}

static bool memory_discard(void *context, uint64_t offset, uint64_t length)
{
	struct memory *memory = context;

	while (length > 0 && offset / CHUNK < memory->count) {
		uint32_t part = part_of(offset, length);
		uint8_t **chunk = &memory->chunks[offset / CHUNK];

		if (*chunk != NULL && part < CHUNK) {
			memset(*chunk + offset % CHUNK, 0, part);
		} else {
			free(*chunk);
			*chunk = NULL;
		}
		offset += part;
		length -= part;
	}
	return true;
}

static bool memory_resize(void *context, uint64_t size)
{
	const struct memory *memory = context;

	if (size > (uint64_t)CHUNKS_MAX * CHUNK)
		return false;
	return size >= memory->count * CHUNK || memory_discard(context, size, memory->count * CHUNK - size);
}

static void memory_close(void *context)
{
	struct memory *memory = context;

	for (uint64_t n = 0; n < memory->count; n++)
		free(memory->chunks[n]);
	free(memory->chunks);
	free(memory);
}

bool hvh_image_memory(uint64_t size, struct hvh_image *out)
{
	struct memory *memory = calloc(1, sizeof *memory);

	if (memory == NULL || !grow(memory, size / CHUNK + (size % CHUNK != 0))) {
		free(memory);
		return false;
	}
	*out = (struct hvh_image){
		.context = memory,
		.size = size,
		.read = memory_read,
		.write = memory_write,
		.flush = memory_flush,
		.discard = memory_discard,
		.close = memory_close,
		.resize = memory_resize,
	};
	return true;
}
