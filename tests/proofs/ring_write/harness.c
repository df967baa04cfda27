/* SPDX-License-Identifier: MIT */
/*
 * Writing a packet of three pieces from any valid state, over memory of any size that
 * the host rewrites at every access: nothing outside the ring is touched, our index stays valid and moves by
 * the packet and its trailer, or not at all.
 *
 * Sources:
 * Unwind: 4
 */
#include "tests/proofs/hostile.h"

#include "guest/vmbus/ring.c"

#define PIECE 40u

void harness(void)
{
	struct hvk_ring_out ring = {{NULL, VMBUS_RING_CONTROL_SIZE},
				    {NULL, nondet_u32()},
				    nondet_u32(),
				    nondet_u32(),
				    nondet_bool()};
	const uint32_t size = ring.data.size, before = ring.write;
	uint8_t first[PIECE], second[PIECE], third[PIECE];
	struct hvk_piece pieces[3] = {{first, nondet_u32()}, {second, nondet_u32()}, {third, nondet_u32()}};
	uint32_t bytes;
	bool signal;
	hvk_status status;

	PROOF_ASSUME(hvk_ring_size_is_valid(size));
	PROOF_ASSUME(hvk_ring_index_is_valid(ring.write, size));
	PROOF_ASSUME(pieces[0].length <= PIECE && pieces[1].length <= PIECE && pieces[2].length <= PIECE);
	bytes = pieces[0].length + pieces[1].length + pieces[2].length;
	PROOF_ASSUME(bytes % VMBUS_PACKET_ALIGN == 0);
	status = hvk_ring_put(&ring, pieces, 3, &signal);
	PROVE(status == HVK_OK || status == HVK_EAGAIN || status == HVK_EHOST_RING_INDEX);
	PROVE(hvk_ring_index_is_valid(ring.write, size));
	if (status == HVK_OK) {
		PROVE(hvk_ring_used(ring.write, before, size) == bytes + sizeof(struct vmbus_packet_trailer));
		PROVE(!ring.wanting);
	} else {
		PROVE(ring.write == before && !signal);
		PROVE(status != HVK_EAGAIN || ring.wanting);
	}
	PROOF_END();
}
