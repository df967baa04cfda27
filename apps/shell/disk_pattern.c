/* SPDX-License-Identifier: MIT */
#include "apps/shell/disk.h"

#include <string.h>

/* SplitMix64 (Steele, Lea and Flood): as a function of its counter. */
static uint64_t mix(uint64_t counter)
{
	uint64_t z = counter * 0x9e3779b97f4a7c15ull;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ z >> 27) * 0x94d049bb133111ebull;
	return z ^ z >> 31;
}

/* Word by word of the block: where it begins to count. */
static uint64_t base_of(uint64_t seed, uint64_t block)
{
	return mix(seed + 1) ^ mix(~block);
}

static uint64_t little_endian(uint64_t value)
{
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
	return __builtin_bswap64(value);
#else
	return value;
#endif
}

void disk_pattern_fill(uint8_t *data, uint32_t block_size, uint64_t seed, uint64_t block)
{
	uint64_t base = base_of(seed, block);

	for (uint32_t word = 0; word < block_size / 8; word++) {
		uint64_t value = little_endian(mix(base + word));

		memcpy(data + (size_t)word * 8, &value, 8);
	}
}

bool disk_pattern_matches(const uint8_t *data, uint32_t block_size, uint64_t seed, uint64_t block)
{
	uint64_t base = base_of(seed, block);

	for (uint32_t word = 0; word < block_size / 8; word++) {
		uint64_t value = little_endian(mix(base + word));

		if (memcmp(data + (size_t)word * 8, &value, 8) != 0)
			return false;
	}
	return true;
}
