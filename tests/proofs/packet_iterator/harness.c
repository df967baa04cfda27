/* SPDX-License-Identifier: MIT */
/*
 * One turn of the packet iterator (peek, copy, skip, show) from any state of ours that is
 * valid, over memory that the host rewrites at every access: nothing outside the ring and
 * the caller's buffer is touched, our index stays valid, a refused packet moves nothing.
 * By induction this holds for any number of turns.
 *
 * Sources:
 * Unwind: 2
 */
#include "tests/proofs/hostile.h"

#include "guest/vmbus/ring.c"

#define BUFFER 64u

void harness(void)
{
	struct hvk_ring_in ring = {
		{NULL, VMBUS_RING_CONTROL_SIZE}, {NULL, nondet_u32()}, nondet_u32(), nondet_u32()};
	const uint32_t size = ring.data.size, before = ring.read;
	struct vmbus_packet_descriptor descriptor;
	struct hvk_packet_layout layout;
	uint8_t buffer[BUFFER];
	uint32_t offset = nondet_u32(), length = nondet_u32();
	bool signal;
	hvk_status status;

	PROOF_ASSUME(hvk_ring_size_is_valid(size));
	PROOF_ASSUME(hvk_ring_index_is_valid(ring.read, size) && hvk_ring_index_is_valid(ring.shown, size));
	status = hvk_ring_peek(&ring, &descriptor, &layout);
	PROVE(ring.read == before);
	if (status == HVK_OK) {
		PROOF_ASSUME(length <= BUFFER && offset <= layout.length && length <= layout.length - offset);
		hvk_ring_copy(&ring, offset, buffer, length);
		hvk_ring_skip(&ring, layout.length);
		PROVE(hvk_ring_index_is_valid(ring.read, size));
		PROVE(ring.read != before);
	} else {
		PROVE(status == HVK_EEMPTY || status >= HVK_EHOST_FIRST);
	}
	status = hvk_ring_show(&ring, &signal);
	PROVE(status == HVK_OK || status == HVK_EHOST_RING_INDEX);
	PROVE(status == HVK_OK || !signal);
	PROVE(ring.shown == ring.read);
	PROOF_END();
}
