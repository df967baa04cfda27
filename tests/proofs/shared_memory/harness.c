/* SPDX-License-Identifier: MIT */
/*
 * The door to shared memory (guest/core/host_memory.h): for every region, and every offset
 * and length that the region holds, reading, writing and the atomic words stay inside the
 * region; a part of a region lies in it.
 *
 * Sources:
 * Unwind: 1
 */
#include "tests/proofs/proof.h"

#include <stdlib.h>

#include "guest/core/host_memory.h"

#define BUFFER 16u

static void prove_words(const struct hvk_shared *shared, uint32_t offset)
{
	uint32_t value = nondet_u32();

	if (!hvk_shared_holds(shared, offset, 4) || offset % 4 != 0)
		return;
	hvk_shared_store(shared, offset, value);
	PROVE(hvk_shared_load(shared, offset) == value);
	hvk_shared_store_release(shared, offset, value);
	PROVE(hvk_shared_load_acquire(shared, offset) == value);
	PROVE(hvk_shared_exchange(shared, offset, 7) == value);
	PROVE(hvk_shared_or(shared, offset, 8) == 7);
	PROVE(hvk_shared_and(shared, offset, 8) == 15);
	PROVE(hvk_shared_load(shared, offset) == 8);
}

void harness(void)
{
	struct hvk_shared shared = {NULL, nondet_u32()}, part;
	uint32_t offset = nondet_u32(), length = nondet_u32(), inner = nondet_u32();
	uint8_t buffer[BUFFER];

	PROOF_ASSUME(shared.size >= 1 && shared.size <= 64u);
	shared.base = malloc(shared.size);
	PROOF_ASSUME(shared.base != NULL);
	prove_words(&shared, offset);
	if (hvk_shared_holds(&shared, offset, length)) {
		PROVE((uint64_t)offset + length <= shared.size);
		part = hvk_shared_part(&shared, offset, length);
		if (length <= BUFFER) {
			hvk_shared_read(&shared, offset, buffer, length);
			hvk_shared_write(&shared, offset, buffer, length);
		}
		if (hvk_shared_holds(&part, inner, 1))
			hvk_shared_zero(&part, inner, 1);
	}
	free(shared.base);
	PROOF_END();
}
