/* SPDX-License-Identifier: MIT */
/* The hash of receive-side scaling, as Microsoft publishes it. */
#include "guest/core/core.h"
#include "hvkit/netdev.h"

#define WINDOW_BYTES 4u

uint32_t hvk_toeplitz(const uint8_t key[HVK_RSS_KEY_SIZE], const uint8_t *input, uint32_t length)
{
	/* The key's bits that lie at and behind the input's bit: 32 of them count, 8 wait. */
	uint64_t window = 0;
	uint32_t hash = 0;

	length = hvk_min32(length, HVK_RSS_KEY_SIZE - WINDOW_BYTES);
	for (uint32_t i = 0; i < WINDOW_BYTES; i++)
		window = window << 8 | key[i];
	for (uint32_t i = 0; i < length; i++) {
		window = window << 8 | key[i + WINDOW_BYTES];
		for (uint32_t bit = 0; bit < 8; bit++)
			hash ^= input[i] & 0x80u >> bit ? (uint32_t)(window >> (8 - bit)) : 0;
	}
	return hash;
}
