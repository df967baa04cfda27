/* SPDX-License-Identifier: MIT */
/*
 * How a GPADL of many pages is cut into messages: a header with up to 26 page frame
 * numbers, then bodies of up to 28. Pure, so that it can be proved.
 */
#ifndef HVK_VMBUS_GPADL_SPLIT_H
#define HVK_VMBUS_GPADL_SPLIT_H

#include <stdint.h>

#include "guest/core/assert.h"
#include "hvkit/wire/hypervisor.h"
#include "hvkit/wire/vmbus.h"

HVK_STATIC_ASSERT(sizeof(struct vmbus_gpadl_header) + VMBUS_GPADL_HEADER_PFNS * 8 <= HV_MESSAGE_PAYLOAD_MAX,
		  "a GPADL header fits a message");
HVK_STATIC_ASSERT(sizeof(struct vmbus_gpadl_body) + VMBUS_GPADL_BODY_PFNS * 8 <= HV_MESSAGE_PAYLOAD_MAX,
		  "a GPADL body fits a message");
HVK_STATIC_ASSERT(8 + 8 * VMBUS_GPADL_PAGES_MAX <= UINT16_MAX, "range_buffer_length holds it");

/* Page frame numbers in the next message, after sent of count pages. */
static inline uint32_t hvk_gpadl_next_pages(uint32_t sent, uint32_t count)
{
	uint32_t most = sent == 0 ? VMBUS_GPADL_HEADER_PFNS : VMBUS_GPADL_BODY_PFNS;

	HVK_ASSERT(sent < count);
	return count - sent < most ? count - sent : most;
}

static inline uint32_t hvk_gpadl_message_count(uint32_t pages)
{
	if (pages <= VMBUS_GPADL_HEADER_PFNS)
		return 1;
	return 1 + (pages - VMBUS_GPADL_HEADER_PFNS + VMBUS_GPADL_BODY_PFNS - 1) / VMBUS_GPADL_BODY_PFNS;
}

#endif
