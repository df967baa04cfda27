/* SPDX-License-Identifier: MIT */
/*
 * Writing a plain packet that does not go around the ring's end, from any valid state, over memory of any
 * size that the host rewrites at every access: nothing outside the ring is touched, our index stays valid and
 * moves by the descriptor, the padded payload and the trailer, or not at all. One that goes around the end is
 * written in three pieces, as proved in ring_write/: both ways in one harness take CBMC many minutes.
 *
 * Sources:
 * Unwind: 4
 */
#include "tests/proofs/hostile.h"

#include "guest/vmbus/ring.c"

#define PAYLOAD 40u

void harness(void)
{
	struct hvk_ring_out ring = {{NULL, VMBUS_RING_CONTROL_SIZE},
				    {NULL, nondet_u32()},
				    nondet_u32(),
				    nondet_u32(),
				    nondet_bool()};
	const uint32_t size = ring.data.size, before = ring.write, length = nondet_u32();
	const struct vmbus_packet_descriptor descriptor = {0};
	uint8_t payload[PAYLOAD];
	uint32_t bytes;
	hvk_status status;

	PROOF_ASSUME(hvk_ring_size_is_valid(size));
	PROOF_ASSUME(hvk_ring_index_is_valid(ring.write, size));
	PROOF_ASSUME(length <= PAYLOAD);
	bytes = (uint32_t)sizeof(descriptor) + ((length + 7u) & ~7u);
	PROOF_ASSUME(bytes + sizeof(struct vmbus_packet_trailer) < size - ring.write);
	status = hvk_ring_stage_plain(&ring, &descriptor, payload, length);
	PROVE(status == HVK_OK || status == HVK_EAGAIN || status == HVK_EHOST_RING_INDEX);
	PROVE(hvk_ring_index_is_valid(ring.write, size));
	if (status == HVK_OK) {
		PROVE(hvk_ring_used(ring.write, before, size) == bytes + sizeof(struct vmbus_packet_trailer));
		PROVE(!ring.wanting);
	} else {
		PROVE(ring.write == before);
		PROVE(status != HVK_EAGAIN || ring.wanting);
	}
	PROOF_END();
}
