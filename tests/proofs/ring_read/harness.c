/* SPDX-License-Identifier: MIT */
/*
 * Reading, for every ring, every pair of valid indices and every length that is there:
 * stepping over it keeps the read index valid and leaves exactly the rest, and stepping
 * over everything arrives at the write index.
 *
 * Sources:
 * Unwind: 1
 */
#include "tests/proofs/ring.h"

void harness(void)
{
	struct any_ring ring = any_valid_ring();
	uint32_t bytes = nondet_u32(), used = hvk_ring_used(ring.write, ring.read, ring.size), after;

	PROOF_ASSUME(bytes <= used && bytes % VMBUS_PACKET_ALIGN == 0);
	after = hvk_ring_advance(ring.read, bytes, ring.size);
	PROVE(hvk_ring_index_is_valid(after, ring.size));
	PROVE(hvk_ring_used(ring.write, after, ring.size) == used - bytes);
	PROVE(hvk_ring_advance(ring.read, used, ring.size) == ring.write);
	PROOF_END();
}
