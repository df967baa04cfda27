/* SPDX-License-Identifier: MIT */
/*
 * The check of a packet descriptor, for every descriptor and every number of readable
 * bytes: what it passes lies inside these bytes, trailer and all; what it refuses leaves
 * the layout alone.
 *
 * Sources:
 * Unwind: 1
 */
#include "tests/proofs/proof.h"

#include "guest/vmbus/ring_math.h"

void harness(void)
{
	struct vmbus_packet_descriptor descriptor = {nondet_u16(), nondet_u16(), nondet_u16(), nondet_u16(),
						     nondet_u64()};
	const struct hvk_packet_layout before = {nondet_u32(), nondet_u32(), nondet_u32(), nondet_u32()};
	struct hvk_packet_layout layout = before;
	uint32_t used = nondet_u32();
	hvk_status status = hvk_packet_check(&descriptor, used, &layout);

	if (status != HVK_OK) {
		PROVE(status == HVK_EHOST_PACKET || status == HVK_EHOST_PACKET_TYPE);
		PROVE(layout.length == before.length && layout.extension_length == before.extension_length);
		PROVE(layout.payload_offset == before.payload_offset &&
		      layout.payload_length == before.payload_length);
	} else {
		PROVE(layout.length >= sizeof(descriptor) && layout.length % VMBUS_PACKET_ALIGN == 0);
		PROVE(layout.length <= used && used - layout.length >= sizeof(struct vmbus_packet_trailer));
		PROVE(sizeof(descriptor) + layout.extension_length == layout.payload_offset);
		PROVE(layout.payload_offset <= layout.length);
		PROVE(layout.payload_length == layout.length - layout.payload_offset);
		PROVE(layout.length == descriptor.length8 * 8u);
	}
	PROOF_END();
}
