/* SPDX-License-Identifier: MIT */
/*
 * How a GPADL is cut into messages, for every number of pages and every message of it: no
 * message is empty or longer than a message can be, the pages of all add up to exactly the
 * pages there are, and the last one is the one that message_count foretells.
 *
 * Sources:
 * Unwind: 1
 */
#include "tests/proofs/proof.h"

#include "guest/vmbus/gpadl_split.h"

void harness(void)
{
	uint32_t pages = nondet_u32(), message = nondet_u32(), count, sent, next;

	PROOF_ASSUME(pages >= 1 && pages <= VMBUS_GPADL_PAGES_MAX);
	count = hvk_gpadl_message_count(pages);
	PROVE(count >= 1 && count <= 293);
	PROOF_ASSUME(message < count);
	/* All messages before this one were full: that is the induction's hypothesis. */
	sent = message == 0 ? 0 : VMBUS_GPADL_HEADER_PFNS + (message - 1) * VMBUS_GPADL_BODY_PFNS;
	PROVE(sent < pages);
	next = hvk_gpadl_next_pages(sent, pages);
	PROVE(next >= 1 && sent + next <= pages);
	if (message == 0)
		PROVE(sizeof(struct vmbus_gpadl_header) + next * 8u <= HV_MESSAGE_PAYLOAD_MAX);
	else
		PROVE(sizeof(struct vmbus_gpadl_body) + next * 8u <= HV_MESSAGE_PAYLOAD_MAX);
	PROVE((sent + next == pages) == (message == count - 1));
	/* ... and its step: this one is full too, unless it is the last. */
	if (message != count - 1)
		PROVE(sent + next == VMBUS_GPADL_HEADER_PFNS + message * VMBUS_GPADL_BODY_PFNS);
	PROOF_END();
}
