/* SPDX-License-Identifier: MIT */
/*
 * While attached: what the user asks for (flags) and what the host says (link). They
 * share the one RNDIS request, so they queue.
 */
#include "guest/netvsc/netvsc_internal.h"

#define KNOWN_FLAGS (HVK_NETDEV_UP | HVK_NETDEV_ALL_MULTICAST | HVK_NETDEV_PROMISCUOUS)

static uint32_t filter_of(uint32_t flags)
{
	uint32_t filter = RNDIS_FILTER_DIRECTED | RNDIS_FILTER_BROADCAST;

	if (!(flags & HVK_NETDEV_UP))
		return 0;
	if (flags & HVK_NETDEV_ALL_MULTICAST)
		filter |= RNDIS_FILTER_ALL_MULTICAST;
	if (flags & HVK_NETDEV_PROMISCUOUS)
		filter |= RNDIS_FILTER_PROMISCUOUS;
	return filter;
}

static hvk_status enqueue(struct hvk_netvsc *nic, uint32_t flags, struct hvk_request *request)
{
	if (flags & ~KNOWN_FLAGS)
		return HVK_EINVAL;
	if (netvsc_lost(nic) != HVK_OK)
		return HVK_EGONE;
	if (netvsc_state(nic) != NETVSC_ATTACHED)
		return HVK_ESTATE;
	if (nic->operation_count == HVK_NETVSC_OPERATIONS)
		return HVK_EBUSY;
	nic->operations[nic->operation_count++] = (struct netvsc_operation){request, flags};
	return HVK_OK;
}

void hvk_netvsc_set_flags(struct hvk_netdev *netdev, uint32_t flags, struct hvk_request *request)
{
	struct hvk_netvsc *nic = (struct hvk_netvsc *)netdev;
	hvk_status status;

	hvk_request_begin(request);
	hvk_lock(nic->hvk, &nic->lock);
	status = enqueue(nic, flags, request);
	hvk_unlock(nic->hvk, &nic->lock);
	if (status == HVK_OK)
		hvk_netvsc_kick(nic);
	else
		hvk_request_finish(nic->hvk, request, status, nic->config.cpu);
}

static bool dequeue(struct hvk_netvsc *nic, struct netvsc_operation *operation)
{
	bool found = false;

	hvk_lock(nic->hvk, &nic->lock);
	if (nic->operation_count != 0) {
		*operation = nic->operations[0];
		nic->operation_count--;
		memmove(&nic->operations[0], &nic->operations[1], nic->operation_count * sizeof(*operation));
		found = true;
	}
	hvk_unlock(nic->hvk, &nic->lock);
	return found;
}

static void flags_set(struct hvk_netvsc *nic, hvk_status status)
{
	nic->operating = false;
	if (status == HVK_OK) {
		nic->netdev.info.flags = nic->operation.flags;
		hvk_netvsc_transmit_open(nic, nic->operation.flags & HVK_NETDEV_UP ? NETVSC_TX_OPEN
										   : NETVSC_TX_CLOSED);
	}
	hvk_request_finish(nic->hvk, nic->operation.request, status, nic->config.cpu);
	nic->operation.request = NULL;
	hvk_netvsc_kick(nic); /* for the next */
}

static void flags_answered(struct hvk_netvsc *nic, const struct netvsc_answer *answer)
{
	flags_set(nic, answer->status);
}

static void link_answered(struct hvk_netvsc *nic, const struct netvsc_answer *answer)
{
	uint32_t disconnected = 0;

	nic->operating = false;
	/* A host that does not say is taken to be connected, as it was before. */
	if (answer->status == HVK_OK && answer->length == sizeof(disconnected))
		memcpy(&disconnected, answer->payload, sizeof(disconnected));
	hvk_netvsc_set_link(nic, disconnected == 0);
	hvk_netvsc_kick(nic);
}

static void start_flags(struct hvk_netvsc *nic)
{
	hvk_status status;

	nic->operating = true;
	status = hvk_netvsc_control_set(nic, RNDIS_OID_GEN_CURRENT_PACKET_FILTER,
					filter_of(nic->operation.flags), flags_answered);
	if (status != HVK_EINPROGRESS)
		flags_set(nic, status);
}

void hvk_netvsc_operations_run(struct hvk_netvsc *nic)
{
	if (netvsc_state(nic) != NETVSC_ATTACHED || netvsc_lost(nic) != HVK_OK || nic->operating)
		return;
	if (nic->query_link) {
		nic->query_link = false;
		nic->operating = hvk_netvsc_control_query(nic, RNDIS_OID_GEN_MEDIA_CONNECT_STATUS,
							  link_answered) == HVK_EINPROGRESS;
		return;
	}
	if (dequeue(nic, &nic->operation))
		start_flags(nic);
}

void hvk_netvsc_operations_cancel(struct hvk_netvsc *nic, hvk_status status)
{
	struct netvsc_operation operation;

	hvk_request_finish(nic->hvk, nic->operation.request, status, nic->config.cpu); /* NULL: none */
	nic->operation.request = NULL;
	nic->operating = false;
	nic->query_link = false;
	hvk_netvsc_control_forget(nic);
	for (uint32_t i = 0; i < HVK_NETVSC_OPERATIONS && dequeue(nic, &operation); i++)
		hvk_request_finish(nic->hvk, operation.request, status, nic->config.cpu);
}

/* Groups are all or none. */
bool hvk_netvsc_group_wanted(struct hvk_netvsc *nic, const uint8_t address[6])
{
	(void)address;
	return (nic->netdev.info.flags & (HVK_NETDEV_ALL_MULTICAST | HVK_NETDEV_PROMISCUOUS)) != 0;
}

/* --- Link ------------------------------------------------------------------------------------ */

void hvk_netvsc_set_link(struct hvk_netvsc *nic, bool up)
{
	struct hvk_netdev *netdev = &nic->netdev;

	if (netdev->info.link_up == up)
		return;
	netdev->info.link_up = up;
	if (netvsc_state(nic) == NETVSC_ATTACHED && netdev->hooks.link_changed)
		netdev->hooks.link_changed(netdev->hooks.context, netdev, up);
}

/* Another network behind the same cable: down, so that addresses are asked for again,
 * then whatever the host says. */
static void network_changed(struct hvk_netvsc *nic)
{
	if (netvsc_state(nic) != NETVSC_ATTACHED)
		return;
	hvk_netvsc_set_link(nic, false);
	nic->query_link = true;
	hvk_netvsc_kick(nic);
}

void hvk_netvsc_indicate_status(struct hvk_netvsc *nic, const struct hvk_shared *range)
{
	uint32_t value;
	hvk_status status = hvk_rndis_parse_status(range, &value);

	if (status != HVK_OK) {
		hvk_netvsc_fault(nic, status, "INDICATE_STATUS too short");
		return;
	}
	switch (value) {
	case RNDIS_STATUS_MEDIA_CONNECT:
		hvk_netvsc_set_link(nic, true);
		break;
	case RNDIS_STATUS_MEDIA_DISCONNECT:
		hvk_netvsc_set_link(nic, false);
		break;
	case RNDIS_STATUS_NETWORK_CHANGE:
		network_changed(nic);
		break;
	case RNDIS_STATUS_LINK_SPEED_CHANGE:
	case RNDIS_STATUS_TASK_OFFLOAD_CURRENT_CONFIG:
		netvsc_count(&netvsc_primary(nic)->counters.status_ignored,
			     1); /* nothing to us, and no fault */
		break;
	default:
		hvk_log(nic->hvk, HVK_LOG_DEBUG, "netvsc: unknown status %08x", value);
		netvsc_count(&netvsc_primary(nic)->counters.status_ignored, 1);
		break;
	}
}
