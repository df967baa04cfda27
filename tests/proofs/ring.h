/* SPDX-License-Identifier: MIT */
#ifndef TESTS_PROOFS_RING_H
#define TESTS_PROOFS_RING_H

#include "tests/proofs/proof.h"

#include "guest/vmbus/ring_math.h"

struct any_ring {
	uint32_t size, write, read;
};

/* Every ring size with every pair of valid indices. */
static inline struct any_ring any_valid_ring(void)
{
	struct any_ring ring = {nondet_u32(), nondet_u32(), nondet_u32()};

	PROOF_ASSUME(hvk_ring_size_is_valid(ring.size));
	PROOF_ASSUME(hvk_ring_index_is_valid(ring.write, ring.size));
	PROOF_ASSUME(hvk_ring_index_is_valid(ring.read, ring.size));
	return ring;
}

#endif
