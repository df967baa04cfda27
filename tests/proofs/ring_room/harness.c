/* SPDX-License-Identifier: MIT */
/*
 * Writing, for every ring, every pair of valid indices and every packet length: what
 * has_room grants keeps the write index valid and makes the ring hold exactly so much more,
 * which is less than its size: a full ring never looks like an empty one.
 *
 * Sources:
 * Unwind: 1
 */
#include "tests/proofs/ring.h"

void harness(void)
{
	struct any_ring ring = any_valid_ring();
	uint32_t bytes = nondet_u32(), used = hvk_ring_used(ring.write, ring.read, ring.size), after;

	PROOF_ASSUME(bytes <= HVK_RING_SIZE_MAX && bytes % VMBUS_PACKET_ALIGN == 0);
	if (hvk_ring_has_room(ring.write, ring.read, ring.size, bytes)) {
		after = hvk_ring_advance(ring.write, bytes, ring.size);
		PROVE(hvk_ring_index_is_valid(after, ring.size));
		PROVE(hvk_ring_used(after, ring.read, ring.size) == used + bytes);
	} else {
		PROVE(used + bytes >= ring.size);
	}
	PROOF_END();
}
