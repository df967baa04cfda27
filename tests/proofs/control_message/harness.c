/* SPDX-License-Identifier: MIT */
/*
 * The parser of the host's control messages, for every length and every content, in every
 * protocol version and before there is one: it reads nothing past the end, and what it
 * passes holds ids that can index our tables.
 *
 * Sources: guest/vmbus/message.c guest/vmbus/versions.c
 * Unwind: 12
 */
#include "tests/proofs/proof.h"

#include <stdlib.h>

#include "guest/vmbus/message.h"
#include "hvkit/wire/hypervisor.h"

static void prove_ids(const struct hvk_message *message, const struct hvk_version *version)
{
	switch (message->type) {
	case VMBUS_MSG_OFFER_CHANNEL:
		PROVE(message->offer.channel_id == message->channel_id);
		PROVE(!message->offer.monitored || message->offer.monitor_id < 128);
		PROVE(!version || !version->shared_events || message->channel_id < VMBUS_MAX_CHANNELS_SHARED);
		PROVE(!version || !version->short_offers || !message->offer.dedicated);
		PROVE(message->channel_id != 0 && message->channel_id < VMBUS_MAX_CHANNELS);
		break;
	case VMBUS_MSG_GPADL_CREATED:
		PROVE(message->gpadl != 0);
		PROVE(message->channel_id != 0 && message->channel_id < VMBUS_MAX_CHANNELS);
		break;
	case VMBUS_MSG_RESCIND_OFFER:
	case VMBUS_MSG_OPEN_RESULT:
	case VMBUS_MSG_MODIFY_CHANNEL_RESPONSE:
		PROVE(message->channel_id != 0 && message->channel_id < VMBUS_MAX_CHANNELS);
		break;
	case VMBUS_MSG_GPADL_TORNDOWN:
		PROVE(message->gpadl != 0);
		break;
	default:
		PROVE(message->type == VMBUS_MSG_ALL_OFFERS_DELIVERED ||
		      message->type == VMBUS_MSG_UNLOAD_RESPONSE ||
		      message->type == VMBUS_MSG_VERSION_RESPONSE);
		break;
	}
}

void harness(void)
{
	uint32_t length = nondet_u32(), n = nondet_u32();
	const struct hvk_version *version = nondet_bool() ? hvk_version_get(n) : NULL;
	struct hvk_message message;
	uint8_t *payload;
	hvk_status status;

	PROOF_ASSUME(length <= HV_MESSAGE_PAYLOAD_MAX + 16u);
	payload = malloc(length); /* exactly so long: a byte more is an error */
	PROOF_ASSUME(payload != NULL);
	status = hvk_message_check(payload, length, version, &message);
	PROVE(status == HVK_OK || status == HVK_EHOST_MESSAGE || status == HVK_EHOST_ID);
	if (status == HVK_OK)
		prove_ids(&message, version);
	free(payload);
	PROOF_END();
}
