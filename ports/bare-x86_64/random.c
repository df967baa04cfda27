/* SPDX-License-Identifier: MIT */
/* Random bytes: ChaCha20 over a key from RDRAND or from the command line. */
#include "ports/bare-x86_64/chacha20.h"
#include "ports/bare-x86_64/private.h"

#define RDRAND_TRIES 1000u

static struct {
	bool ready;
	uint32_t key[CHACHA20_KEY_WORDS];
	uint64_t block;
	struct spin lock;
} generator;

/* A generator that is broken gives the same word over and over (some CPUs after a sleep). */
static const char *key_from_rdrand(void)
{
	uint64_t words[4];
	uint32_t regs[4];

	cpu_cpuid(1, regs);
	if (!(regs[2] & CPUID1_ECX_RDRAND))
		return "this CPU has no RDRAND";
	for (uint32_t i = 0; i < 4; i++) {
		uint32_t tries = 0;

		while (!cpu_rdrand(&words[i])) {
			if (++tries == RDRAND_TRIES)
				return "RDRAND gives nothing";
		}
		generator.key[2 * i] = (uint32_t)words[i];
		generator.key[2 * i + 1] = (uint32_t)(words[i] >> 32);
	}
	if (words[0] == words[1] && words[1] == words[2] && words[2] == words[3])
		return "RDRAND gives the same word over and over";
	return NULL;
}

const char *bare_random_start(const uint8_t *seed)
{
	const char *error = NULL;

	if (!seed) {
		error = key_from_rdrand();
	} else {
		for (uint32_t i = 0; i < CHACHA20_KEY_WORDS; i++)
			generator.key[i] = (uint32_t)seed[4 * i] | (uint32_t)seed[4 * i + 1] << 8 |
					   (uint32_t)seed[4 * i + 2] << 16 | (uint32_t)seed[4 * i + 3] << 24;
	}
	generator.ready = !error;
	return error;
}

hvk_status bare_random(void *out, size_t bytes)
{
	uint8_t block[CHACHA20_BLOCK_BYTES];
	uint8_t *to = out;

	if (!generator.ready)
		return HVK_ESTATE;
	for (size_t at = 0; at < bytes; at++) {
		if (at % sizeof(block) == 0) {
			spin_lock(&generator.lock);
			chacha20_block(generator.key, generator.block++, block);
			spin_unlock(&generator.lock);
		}
		to[at] = block[at % sizeof(block)];
	}
	return HVK_OK;
}
