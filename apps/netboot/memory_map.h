/* SPDX-License-Identifier: MIT */
/* The machine's memory: what a loaded program is told of it, and where it may lie. Types as in E820. */
#ifndef NETBOOT_MEMORY_MAP_H
#define NETBOOT_MEMORY_MAP_H

#include <stdbool.h>
#include <stdint.h>

#define MEMORY_RANGES_MAX 128u /* what Linux's zero page has room for */
#define MEMORY_RAM 1u
#define MEMORY_RESERVED 2u

struct memory_range {
	uint64_t address, length;
	uint32_t type;
};

/* Sorted, nothing twice, neighbours of one type joined. */
struct memory_map {
	uint32_t count;
	struct memory_range ranges[MEMORY_RANGES_MAX];
};

/* Puts ranges in order that may overlap in any way: what any of them says is not RAM is none (of several
 * other types the highest counts). False: more than MEMORY_RANGES_MAX are left. */
bool memory_map_build(struct memory_map *map, const struct memory_range *ranges, uint32_t count);
/* RAM there becomes reserved. False: too many ranges; the map is as it was. */
bool memory_map_reserve(struct memory_map *map, uint64_t address, uint64_t length);
/* All of it is RAM. */
bool memory_map_is_ram(const struct memory_map *map, uint64_t address, uint64_t length);
uint64_t memory_map_ram(const struct memory_map *map); /* bytes in all */

/* What is in use: nothing may be put there. */
struct memory_span {
	uint64_t address, length;
};
bool memory_overlaps(const struct memory_span *taken, uint32_t count, uint64_t address, uint64_t length);

/* The lowest place for size bytes of RAM from floor on, below limit, at a multiple of alignment (a power
 * of two), free of what is taken. False: there is none. */
bool memory_map_find(const struct memory_map *map, const struct memory_span *taken, uint32_t count,
		     uint64_t size, uint64_t alignment, uint64_t floor, uint64_t limit, uint64_t *address);

#endif
