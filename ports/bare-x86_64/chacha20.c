/* SPDX-License-Identifier: MIT */
#include "ports/bare-x86_64/chacha20.h"

#define WORDS 16u
#define DOUBLE_ROUNDS 10u

static uint32_t rotate(uint32_t value, unsigned bits)
{
	return value << bits | value >> (32u - bits);
}

static void quarter_round(uint32_t s[WORDS], unsigned a, unsigned b, unsigned c, unsigned d)
{
	s[a] += s[b];
	s[d] = rotate(s[d] ^ s[a], 16);
	s[c] += s[d];
	s[b] = rotate(s[b] ^ s[c], 12);
	s[a] += s[b];
	s[d] = rotate(s[d] ^ s[a], 8);
	s[c] += s[d];
	s[b] = rotate(s[b] ^ s[c], 7);
}

void chacha20_block(const uint32_t key[CHACHA20_KEY_WORDS], uint64_t number,
		    uint8_t out[CHACHA20_BLOCK_BYTES])
{
	uint32_t start[WORDS] = {0x61707865u, 0x3320646eu, 0x79622d32u, 0x6b206574u}, state[WORDS];

	for (unsigned i = 0; i < CHACHA20_KEY_WORDS; i++)
		start[4 + i] = key[i];
	start[12] = (uint32_t)number;
	start[13] = (uint32_t)(number >> 32);
	for (unsigned i = 0; i < WORDS; i++)
		state[i] = start[i];
	for (unsigned i = 0; i < DOUBLE_ROUNDS; i++) {
		for (unsigned column = 0; column < 4; column++)
			quarter_round(state, column, 4 + column, 8 + column, 12 + column);
		for (unsigned column = 0; column < 4; column++)
			quarter_round(state, column, 4 + (column + 1) % 4, 8 + (column + 2) % 4,
				      12 + (column + 3) % 4);
	}
	for (unsigned i = 0; i < WORDS; i++) {
		uint32_t word = state[i] + start[i];

		for (unsigned byte = 0; byte < 4; byte++)
			out[4 * i + byte] = (uint8_t)(word >> 8 * byte);
	}
}
