/* SPDX-License-Identifier: MIT */
/* Everything from the host: answers, lists of functions, ejections. */
#include "guest/vpci/vpci_internal.h"

static void take_answer(struct hvk_vpci *vpci, const struct hvk_packet *packet)
{
	struct vpci_ask *ask = packet->cookie;

	if (!ask->pending) {
		hvk_vpci_fault(vpci, HVK_EHOST_DUPLICATE, "an answer that was not awaited");
		return;
	}
	ask->length = hvk_min32(packet->payload_length, VPCI_ANSWER_MAX);
	memcpy(ask->bytes, packet->payload, ask->length);
	ask->there = true;
}

static void take_relations(struct hvk_vpci *vpci, const struct hvk_packet *packet)
{
	uint32_t count = 0;
	hvk_status status = hvk_vpci_parse_relations(packet->payload, packet->payload_length, vpci->list,
						     vpci->function_max, &count);

	if (status == HVK_ELIMIT)
		hvk_log(vpci_hvk(vpci), HVK_LOG_WARN,
			"vpci: functions beyond functions_max, %u, are left alone", vpci->function_max);
	else if (status != HVK_OK)
		hvk_vpci_fault(vpci, status, "BUS_RELATIONS shorter than its count");
	if (status != HVK_OK && status != HVK_ELIMIT)
		return;
	vpci->listed = count;
	vpci->relations++;
	vpci->news = true;
}

static void take_message(struct hvk_vpci *vpci, const struct hvk_packet *packet)
{
	uint32_t type = 0, slot = 0;

	if (packet->payload_length < sizeof(type)) {
		hvk_vpci_fault(vpci, HVK_EHOST_VPCI, "message without a type");
		return;
	}
	memcpy(&type, packet->payload, sizeof(type));
	switch (type) {
	case VPCI_BUS_RELATIONS:
	case VPCI_BUS_RELATIONS2:
		take_relations(vpci, packet);
		break;
	case VPCI_EJECT:
		if (hvk_vpci_parse_slot(packet->payload, packet->payload_length, &slot) == HVK_OK)
			hvk_vpci_function_eject(vpci, slot);
		else
			hvk_vpci_fault(vpci, HVK_EHOST_VPCI, "EJECT without a slot");
		break;
	case VPCI_INVALIDATE_BUS:
		vpci->asks_again = true;
		break;
	case VPCI_INVALIDATE_BLOCK: /* nobody reads blocks */
	case VPCI_INVALIDATE_DEVICE:
		break;
	default:
		vpci->unknown++;
		break;
	}
}

/* A host that wants to know that it was heard gets an empty completion. */
static void take(struct hvk_vpci *vpci, const struct hvk_packet *packet)
{
	if (packet->type == VMBUS_PACKET_COMPLETION) {
		take_answer(vpci, packet);
		return;
	}
	if (packet->type == VMBUS_PACKET_IN_BAND)
		take_message(vpci, packet);
	else
		vpci->unknown++;
	if (packet->answer_wanted)
		(void)hvk_channel_complete(vpci->channel, packet->transaction_id, NULL, 0);
}

bool hvk_vpci_ready(void *context, struct hvk_channel *channel)
{
	struct hvk_vpci *vpci = context;
	struct hvk_packet packet;
	bool more = true;

	if (!hvk_vpci_enter(vpci))
		return true;
	if (hvk_channel_rescinded(channel))
		hvk_vpci_set_lost(vpci, HVK_EGONE);
	for (uint32_t i = 0; i < VPCI_BUDGET; i++) {
		hvk_status status = hvk_channel_receive(channel, vpci->packet, sizeof(vpci->packet), &packet);

		if (status == HVK_EEMPTY || vpci->lost != HVK_OK) {
			more = false;
			break;
		}
		if (status == HVK_OK)
			take(vpci, &packet);
		else if (status != HVK_ETOOBIG && status != HVK_EHOST_TRANSACTION)
			hvk_vpci_set_lost(vpci, status);
	}
	hvk_vpci_work(vpci);
	hvk_vpci_leave(vpci);
	return more;
}
