/* SPDX-License-Identifier: MIT */
/*
 * Ring index arithmetic, for every ring size and every pair of valid indices: nothing
 * overflows, used and free are in range, aligned, and add up; and the two rules of
 * signalling say what they should for every value that a peer can write.
 *
 * Sources:
 * Unwind: 1
 */
#include "tests/proofs/ring.h"

/* The reader owes a signal exactly when this read is what made the room wanted. */
static void prove_signals(uint32_t free_before, uint32_t free_after)
{
	uint32_t features = nondet_u32(), pending = nondet_u32(), mask = nondet_u32(), read = nondet_u32();
	uint32_t before = nondet_u32();
	bool signal = hvk_ring_signal_after_read(features, pending, free_before, free_after);

	PROVE(!signal || (pending != 0 && free_before <= pending && pending < free_after));
	PROVE(signal || pending == 0 || (features & 1) == 0 || free_before > pending ||
	      pending >= free_after);
	PROVE(hvk_ring_signal_after_write(mask, read, before) == (mask == 0 && read == before));
}

void harness(void)
{
	struct any_ring ring = any_valid_ring();
	uint32_t used = hvk_ring_used(ring.write, ring.read, ring.size);
	uint32_t available = hvk_ring_free(ring.write, ring.read, ring.size);

	PROVE(used < ring.size && used % VMBUS_PACKET_ALIGN == 0);
	PROVE(available > 0 && used + available == ring.size);
	PROVE((used == 0) == (ring.write == ring.read));
	prove_signals(nondet_u32(), nondet_u32());
	PROOF_END();
}
