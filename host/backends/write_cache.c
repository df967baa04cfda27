/* SPDX-License-Identifier: MIT */
/*
 * A volatile write cache. Each write of a sector is an entry; entries form a queue, oldest first. A
 * read sees the newest entry of a sector. When there is no room the oldest are written to the image
 * behind; a flush writes all and flushes that. A flush of a range writes the newest entries of its
 * sectors and nothing else: these, and the older ones, are done with then. At a cut the seed says for
 * each sector how many of its entries had been written by then: none, some or all, but never one
 * without those before it.
 */
#include <stdlib.h>
#include <string.h>

#include "hvkit_host/storage.h"

#define CACHE_BYTES (8u << 20)
#define ENTRIES_MAX 16384u
#define SECTOR_MAX 65536u
#define RUN_MAX 256u /* sectors written at once */
#define NONE UINT32_MAX

struct entry {
	uint64_t number, sector;
	uint64_t older; /* of this sector: its number, if that is in the queue still */
	uint32_t next;  /* in its bucket, if newest */
	bool newest;    /* of its sector */
	bool zeros;     /* discarded: no data */
	bool done;      /* written before its turn, or nobody wants it any more */
	bool stopped;   /* at a cut: this sector has got as far as it gets */
	uint32_t final; /* at a cut, in the newest: the entry that made it, or NONE */
};

struct hvh_write_cache {
	struct hvh_image inner;
	uint32_t sector, capacity;
	uint64_t random;
	uint64_t lost;
	uint64_t first; /* the oldest in the queue: its number, which never comes again */
	uint32_t count;
	struct entry *entries; /* by number, modulo capacity */
	uint8_t *data;
	uint32_t *buckets; /* capacity of them */
	uint32_t *order;   /* at a cut */
	uint8_t *whole;    /* a sector, to put a part of one together */
};

static uint64_t random_next(struct hvh_write_cache *cache) /* splitmix64 */
{
	uint64_t z = cache->random += 0x9e3779b97f4a7c15ull;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ z >> 27) * 0x94d049bb133111ebull;
	return z ^ z >> 31;
}

static uint32_t index_of(const struct hvh_write_cache *cache, uint64_t number)
{
	return (uint32_t)(number % cache->capacity);
}

static uint8_t *data_of(const struct hvh_write_cache *cache, uint32_t index)
{
	return cache->data + (size_t)index * cache->sector;
}

/* --- The newest entry of each sector --------------------------------------------------------- */

static uint32_t *bucket(const struct hvh_write_cache *cache, uint64_t sector)
{
	return &cache->buckets[(sector * 0x9e3779b97f4a7c15ull >> 32) % cache->capacity];
}

static uint32_t find(const struct hvh_write_cache *cache, uint64_t sector)
{
	uint32_t index = *bucket(cache, sector);

	while (index != NONE && cache->entries[index].sector != sector)
		index = cache->entries[index].next;
	return index;
}

static void unlink_entry(struct hvh_write_cache *cache, uint32_t index)
{
	uint32_t *place = bucket(cache, cache->entries[index].sector);

	while (*place != index)
		place = &cache->entries[*place].next;
	*place = cache->entries[index].next;
	cache->entries[index].newest = false;
}

static void forget_all(struct hvh_write_cache *cache)
{
	for (uint32_t n = 0; n < cache->capacity; n++)
		cache->buckets[n] = NONE;
	cache->first += cache->count;
	cache->count = 0;
}

/* --- Going to the image behind ------------------------------------------------------------------ */

/* So many entries of sectors one after another, their data too. */
static bool put(struct hvh_write_cache *cache, uint32_t index, uint32_t count)
{
	const struct entry *entry = &cache->entries[index];
	uint64_t offset = entry->sector * cache->sector;
	uint32_t length = count * cache->sector;

	if (!entry->zeros)
		return cache->inner.write(cache->inner.context, offset, data_of(cache, index), length);
	if (cache->inner.discard != NULL)
		return cache->inner.discard(cache->inner.context, offset, length);
	memset(data_of(cache, index), 0, length);
	return cache->inner.write(cache->inner.context, offset, data_of(cache, index), length);
}

/* How many from the oldest on go at once. */
static uint32_t run_of(const struct hvh_write_cache *cache)
{
	uint32_t index = index_of(cache, cache->first), length = 1;
	const struct entry *entry = &cache->entries[index];

	while (length < RUN_MAX && length < cache->count && index + length < cache->capacity &&
	       entry[length].sector == entry->sector + length && entry[length].zeros == entry->zeros &&
	       !entry[length].done)
		length++;
	return length;
}

static void drop_oldest(struct hvh_write_cache *cache)
{
	uint32_t index = index_of(cache, cache->first);

	if (cache->entries[index].newest)
		unlink_entry(cache, index);
	cache->first++;
	cache->count--;
}

static bool evict(struct hvh_write_cache *cache)
{
	uint32_t index = index_of(cache, cache->first), length = 1;

	if (!cache->entries[index].done) {
		length = run_of(cache);
		if (!put(cache, index, length))
			return false;
	}
	for (uint32_t n = 0; n < length; n++)
		drop_oldest(cache);
	return true;
}

static bool write_all(struct hvh_write_cache *cache)
{
	while (cache->count > 0)
		if (!evict(cache))
			return false;
	return true;
}

/* This entry, the newest of its sector, and those before it are done with. */
static void settle(struct hvh_write_cache *cache, uint32_t index)
{
	struct entry *entry = &cache->entries[index];

	unlink_entry(cache, index);
	entry->done = true;
	while (entry->older >= cache->first && entry->older != UINT64_MAX) {
		entry = &cache->entries[index_of(cache, entry->older)];
		entry->done = true;
	}
}

static bool write_sector(struct hvh_write_cache *cache, uint64_t sector)
{
	uint32_t index = find(cache, sector);

	if (index == NONE)
		return true;
	if (!put(cache, index, 1))
		return false;
	settle(cache, index);
	return true;
}

/* --- The image in front ------------------------------------------------------ */

/* A new newest entry of the sector, its data for the caller to fill; NONE: no room could be made. */
static uint32_t append(struct hvh_write_cache *cache, uint64_t sector, bool zeros)
{
	uint32_t index, older, *place;
	uint64_t older_number = UINT64_MAX;

	if (cache->count == cache->capacity && !evict(cache))
		return NONE;
	older = find(cache, sector);
	if (older != NONE) {
		unlink_entry(cache, older);
		older_number = cache->entries[older].number;
	}
	index = index_of(cache, cache->first + cache->count);
	place = bucket(cache, sector);
	cache->entries[index] = (struct entry){.number = cache->first + cache->count,
					       .sector = sector,
					       .older = older_number,
					       .next = *place,
					       .newest = true,
					       .zeros = zeros};
	cache->count++;
	*place = index;
	return index;
}

static uint32_t part_of(const struct hvh_write_cache *cache, uint64_t offset, uint64_t length)
{
	uint32_t left = cache->sector - (uint32_t)(offset % cache->sector);

	return length < left ? (uint32_t)length : left;
}

/* What is behind, and over that what is here. */
static bool cache_read(void *context, uint64_t offset, void *data, uint32_t length)
{
	struct hvh_write_cache *cache = context;
	uint8_t *to = data;

	if (!cache->inner.read(cache->inner.context, offset, data, length))
		return false;
	while (length > 0 && cache->count > 0) {
		uint32_t part = part_of(cache, offset, length), index = find(cache, offset / cache->sector);

		if (index != NONE && cache->entries[index].zeros)
			memset(to, 0, part);
		else if (index != NONE)
			memcpy(to, data_of(cache, index) + offset % cache->sector, part);
		to += part;
		offset += part;
		length -= part;
	}
	return true;
}

/* Part of a sector, or all of it; from NULL is zeros. */
static bool write_part(struct hvh_write_cache *cache, uint64_t offset, const uint8_t *from, uint32_t length)
{
	uint64_t sector = offset / cache->sector;
	bool all = length == cache->sector;
	uint32_t index;

	if (!all && !cache_read(cache, sector * cache->sector, cache->whole, cache->sector))
		return false;
	index = append(cache, sector, all && from == NULL);
	if (index == NONE)
		return false;
	if (!all)
		memcpy(data_of(cache, index), cache->whole, cache->sector);
	if (from != NULL)
		memcpy(data_of(cache, index) + offset % cache->sector, from, length);
	else if (!all)
		memset(data_of(cache, index) + offset % cache->sector, 0, length);
	return true;
}

static bool cache_write(void *context, uint64_t offset, const void *data, uint32_t length)
{
	struct hvh_write_cache *cache = context;
	const uint8_t *from = data;

	while (length > 0) {
		uint32_t part = part_of(cache, offset, length);

		if (!write_part(cache, offset, from, part))
			return false;
		from += part;
		offset += part;
		length -= part;
	}
	return true;
}

static bool cache_discard(void *context, uint64_t offset, uint64_t length)
{
	struct hvh_write_cache *cache = context;

	/* More than fits: what is here goes first, and then this too. */
	if (length / cache->sector >= cache->capacity / 4 && cache->inner.discard != NULL)
		return write_all(cache) && cache->inner.discard(cache->inner.context, offset, length);
	while (length > 0) {
		uint32_t part = part_of(cache, offset, length);

		if (!write_part(cache, offset, NULL, part))
			return false;
		offset += part;
		length -= part;
	}
	return true;
}

static bool cache_flush(void *context)
{
	struct hvh_write_cache *cache = context;

	return write_all(cache) && cache->inner.flush(cache->inner.context);
}

static bool cache_flush_range(void *context, uint64_t offset, uint64_t length)
{
	struct hvh_write_cache *cache = context;
	uint64_t first = offset / cache->sector, end = (offset + length + cache->sector - 1) / cache->sector;

	if (end - first > cache->capacity)
		return cache_flush(cache);
	for (uint64_t sector = first; sector < end; sector++)
		if (!write_sector(cache, sector))
			return false;
	return cache->inner.flush(cache->inner.context);
}

/* What lies beyond the end need not be written. */
static bool cache_resize(void *context, uint64_t size)
{
	struct hvh_write_cache *cache = context;

	if (size % cache->sector != 0 ||
	    (cache->inner.resize != NULL && !cache->inner.resize(cache->inner.context, size)))
		return false;
	for (uint32_t n = 0; n < cache->count; n++) {
		uint32_t index = index_of(cache, cache->first + n);

		if (cache->entries[index].newest && cache->entries[index].sector >= size / cache->sector)
			settle(cache, index);
	}
	return true;
}

static void release(struct hvh_write_cache *cache)
{
	if (cache == NULL)
		return;
	free(cache->entries);
	free(cache->data);
	free(cache->buckets);
	free(cache->order);
	free(cache->whole);
	free(cache);
}

/* In an orderly way: nothing is lost. */
static void cache_close(void *context)
{
	struct hvh_write_cache *cache = context;

	cache_flush(cache);
	if (cache->inner.close != NULL)
		cache->inner.close(cache->inner.context);
	release(cache);
}

/* --- The cut ---------------------------------------------------------------- */

/* The n-th of the queue that is neither written yet nor unwanted; NULL: it is. */
static struct entry *waiting(struct hvh_write_cache *cache, uint32_t n)
{
	struct entry *entry = &cache->entries[index_of(cache, cache->first + n)];

	return entry->done ? NULL : entry;
}

/* Which entry each sector ends with; returns the sectors that lose something. */
static uint64_t decide(struct hvh_write_cache *cache)
{
	uint64_t chance = random_next(cache) % 257; /* of 256: nothing, all, or between */
	uint64_t losing = 0;

	for (uint32_t n = 0; n < cache->count; n++) {
		struct entry *entry = waiting(cache, n);

		if (entry != NULL) {
			entry->final = NONE;
			entry->stopped = false;
		}
	}
	for (uint32_t n = 0; n < cache->count; n++) {
		const struct entry *entry = waiting(cache, n);
		struct entry *newest;

		if (entry == NULL)
			continue;
		newest = &cache->entries[find(cache, entry->sector)];
		if (newest->stopped)
			continue;
		if (random_next(cache) % 256 < chance) {
			newest->final = index_of(cache, entry->number);
			continue;
		}
		newest->stopped = true;
		losing++;
	}
	return losing;
}

static uint32_t gather(struct hvh_write_cache *cache)
{
	uint32_t count = 0;

	for (uint32_t n = 0; n < cache->count; n++) {
		const struct entry *entry = waiting(cache, n);

		if (entry != NULL && entry->newest && entry->final != NONE)
			cache->order[count++] = entry->final;
	}
	return count;
}

void hvh_write_cache_cut(struct hvh_write_cache *cache)
{
	uint32_t count;

	cache->lost += decide(cache);
	count = gather(cache);
	for (uint32_t n = count; n > 0; n--) {
		uint32_t at = (uint32_t)(random_next(cache) % n), index = cache->order[at];

		cache->order[at] = cache->order[n - 1];
		put(cache, index, 1);
	}
	forget_all(cache);
}

uint64_t hvh_write_cache_lost(const struct hvh_write_cache *cache)
{
	return cache->lost;
}

static bool allocate(struct hvh_write_cache *cache)
{
	cache->entries = calloc(cache->capacity, sizeof *cache->entries);
	cache->data = malloc((size_t)cache->capacity * cache->sector);
	cache->buckets = calloc(cache->capacity, sizeof *cache->buckets);
	cache->order = calloc(cache->capacity, sizeof *cache->order);
	cache->whole = malloc(cache->sector);
	return cache->entries != NULL && cache->data != NULL && cache->buckets != NULL &&
	       cache->order != NULL && cache->whole != NULL;
}

struct hvh_write_cache *hvh_write_cache_create(const struct hvh_image *inner, uint32_t sector, uint64_t seed,
					       struct hvh_image *out)
{
	struct hvh_write_cache *cache;

	if (sector == 0 || sector > SECTOR_MAX || inner->size % sector != 0)
		return NULL;
	cache = calloc(1, sizeof *cache);
	if (cache == NULL)
		return NULL;
	cache->inner = *inner;
	cache->sector = sector;
	cache->capacity = CACHE_BYTES / sector < ENTRIES_MAX ? CACHE_BYTES / sector : ENTRIES_MAX;
	cache->random = seed;
	if (!allocate(cache)) {
		release(cache);
		return NULL;
	}
	forget_all(cache);
	*out = (struct hvh_image){
		.context = cache,
		.size = inner->size,
		.read_only = inner->read_only,
		.read = cache_read,
		.write = cache_write,
		.flush = cache_flush,
		.discard = cache_discard,
		.close = cache_close,
		.flush_range = cache_flush_range,
		.resize = cache_resize,
	};
	return cache;
}
