/* SPDX-License-Identifier: MIT */
/* Heartbeat: the sequence number goes back with one added. Source: Linux hv_util.c. */
#include "guest/utilities/utilities_internal.h"

static uint32_t ask(struct hvk_utility *utility, uint8_t *body, uint32_t length)
{
	uint64_t sequence;

	(void)utility;
	if (length < sizeof(sequence))
		return UTILITY_MALFORMED;
	memcpy(&sequence, body, sizeof(sequence));
	sequence++;
	memcpy(body, &sequence, sizeof(sequence));
	return IC_STATUS_OK;
}

const struct utility_service hvk_utility_heartbeat = {
	.name = "heartbeat",
	.type = VMBUS_GUID_HEARTBEAT,
	.kind = HVK_UTILITY_HEARTBEAT,
	.message_type = IC_TYPE_HEARTBEAT,
	.versions = {IC_VERSION(3, 0), IC_VERSION(1, 0)},
	.message_max = 1024,
	.ask = ask,
};
