/* SPDX-License-Identifier: MIT */
#include "apps/netboot/memory_map.h"

#include <stddef.h>

/* --- Building it --------------------------------------------------------------------------------- */

static uint64_t end_of(const struct memory_range *range)
{
	return range->length > UINT64_MAX - range->address ? UINT64_MAX : range->address + range->length;
}

/* What address is, and up to where the same ranges cover it; 0: nothing. */
static uint32_t type_at(const struct memory_range *ranges, uint32_t count, uint64_t address, uint64_t *end)
{
	uint32_t type = 0;

	*end = UINT64_MAX;
	for (uint32_t i = 0; i < count; i++) {
		uint64_t last = end_of(&ranges[i]);

		if (ranges[i].length == 0 || last <= address)
			continue;
		if (ranges[i].address > address) {
			*end = ranges[i].address < *end ? ranges[i].address : *end;
			continue;
		}
		*end = last < *end ? last : *end;
		if (type == 0 || (ranges[i].type != MEMORY_RAM && ranges[i].type > type) ||
		    type == MEMORY_RAM)
			type = ranges[i].type == 0 ? MEMORY_RESERVED : ranges[i].type;
	}
	return type;
}

static bool append(struct memory_map *map, uint64_t address, uint64_t end, uint32_t type)
{
	struct memory_range *last = map->count ? &map->ranges[map->count - 1] : NULL;

	if (last && last->type == type && end_of(last) == address) {
		last->length = end - last->address;
		return true;
	}
	if (map->count == MEMORY_RANGES_MAX)
		return false;
	map->ranges[map->count++] = (struct memory_range){address, end - address, type};
	return true;
}

bool memory_map_build(struct memory_map *map, const struct memory_range *ranges, uint32_t count)
{
	uint64_t address = 0, end = 0;

	map->count = 0;
	while (address < UINT64_MAX) { /* each step ends at a begin or an end of a range: 2 * count at most */
		uint32_t type = type_at(ranges, count, address, &end);

		if (type && !append(map, address, end, type))
			return false;
		address = end;
	}
	return true;
}

bool memory_map_reserve(struct memory_map *map, uint64_t address, uint64_t length)
{
	struct memory_range ranges[MEMORY_RANGES_MAX + 1];
	struct memory_map changed;
	uint32_t count = map->count;

	for (uint32_t i = 0; i < count; i++)
		ranges[i] = map->ranges[i];
	ranges[count++] = (struct memory_range){address, length, MEMORY_RESERVED};
	if (!memory_map_build(&changed, ranges, count))
		return false;
	*map = changed;
	return true;
}

/* --- Asking it ----------------------------------------------------------------------------------- */

bool memory_map_is_ram(const struct memory_map *map, uint64_t address, uint64_t length)
{
	for (uint32_t i = 0; i < map->count; i++) {
		const struct memory_range *range = &map->ranges[i];

		if (range->type == MEMORY_RAM && address >= range->address &&
		    address - range->address <= range->length &&
		    length <= range->length - (address - range->address))
			return true;
	}
	return false;
}

uint64_t memory_map_ram(const struct memory_map *map)
{
	uint64_t bytes = 0;

	for (uint32_t i = 0; i < map->count; i++) {
		if (map->ranges[i].type == MEMORY_RAM)
			bytes += map->ranges[i].length;
	}
	return bytes;
}

static bool overlaps(const struct memory_span *span, uint64_t address, uint64_t length)
{
	return span->length && length && address < span->address + span->length &&
	       span->address < address + length;
}

bool memory_overlaps(const struct memory_span *taken, uint32_t count, uint64_t address, uint64_t length)
{
	for (uint32_t i = 0; i < count; i++) {
		if (overlaps(&taken[i], address, length))
			return true;
	}
	return false;
}

/* The lowest place in [address, end); every round steps over a span for good. */
static bool find_in(uint64_t address, uint64_t end, const struct memory_span *taken, uint32_t count,
		    uint64_t size, uint64_t alignment, uint64_t *found)
{
	for (uint32_t round = 0; round <= count; round++) {
		uint64_t next;

		if (address > UINT64_MAX - (alignment - 1))
			return false;
		address = (address + alignment - 1) & ~(alignment - 1);
		if (address >= end || size > end - address)
			return false;
		next = address;
		for (uint32_t i = 0; i < count; i++) {
			if (overlaps(&taken[i], address, size) && taken[i].address + taken[i].length > next)
				next = taken[i].address + taken[i].length;
		}
		if (next == address) {
			*found = address;
			return true;
		}
		address = next;
	}
	return false;
}

bool memory_map_find(const struct memory_map *map, const struct memory_span *taken, uint32_t count,
		     uint64_t size, uint64_t alignment, uint64_t floor, uint64_t limit, uint64_t *address)
{
	for (uint32_t i = 0; i < map->count; i++) {
		const struct memory_range *range = &map->ranges[i];
		uint64_t begin = range->address > floor ? range->address : floor;
		uint64_t end = end_of(range) < limit ? end_of(range) : limit;

		if (range->type == MEMORY_RAM && find_in(begin, end, taken, count, size, alignment, address))
			return true;
	}
	return false;
}
