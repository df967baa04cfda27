/* SPDX-License-Identifier: MIT */
/*
 * Everything from the host: completions, in-band messages, and transfer-page packets,
 * of which each range is one RNDIS message. One bad range costs that range; one bad
 * packet costs that packet; only a ring that contradicts itself costs the channel.
 */
#include "guest/netvsc/netvsc_internal.h"

/* --- Life ------------------------------------------------------------------------------- */

static uint32_t pages_for(uint64_t bytes)
{
	return (uint32_t)((bytes + HVK_PAGE_SIZE - 1) / HVK_PAGE_SIZE);
}

hvk_status hvk_netvsc_receive_start_queue(struct netvsc_queue *queue)
{
	struct netvsc_receive *rx = &queue->rx;
	struct hvk_netvsc *nic = queue->nic;
	uint32_t count = nic->geometry.suballocation_count;
	uint64_t completions = (uint64_t)count * sizeof(*rx->completions);
	uint32_t bytes = nic->wanted.mtu + HVK_ETHERNET_HEADER + 2 * HVK_ETHERNET_VLAN_TAG;
	hvk_status status = hvk_pages_get(nic->hvk, pages_for(bytes), HVK_PAGE_PRIVATE, &rx->frame_pages);

	if (status == HVK_OK)
		status = hvk_pages_get(nic->hvk, pages_for(completions), HVK_PAGE_PRIVATE,
				       &rx->completion_pages);
	if (status == HVK_OK)
		status = hvk_netvsc_lend_start(queue);
	if (status == HVK_OK && (nic->wanted.enabled & HVK_NETDEV_LRO))
		status = hvk_netvsc_joining_start_queue(queue);
	if (status != HVK_OK)
		return status;
	rx->completions = rx->completion_pages.address;
	rx->completion_first = 0;
	rx->completion_count = 0;
	rx->completion_max = count;
	rx->joined = (struct netvsc_joined){0};
	return HVK_OK;
}

hvk_status hvk_netvsc_receive_start(struct hvk_netvsc *nic, const struct hvk_nvs_geometry *geometry)
{
	struct hvk_shared memory = hvk_pages_shared(&nic->receive_gpadl.pages);
	hvk_status status;

	nic->geometry = *geometry;
	status = hvk_netvsc_receive_start_queue(netvsc_primary(nic));
	if (status == HVK_OK)
		nic->receive_buffer = hvk_shared_part(&memory, 0, geometry->extent);
	return status;
}

void hvk_netvsc_receive_forget(struct hvk_netvsc *nic)
{
	nic->geometry = (struct hvk_nvs_geometry){0};
	nic->receive_buffer = (struct hvk_shared){0};
}

void hvk_netvsc_receive_stop(struct netvsc_queue *queue)
{
	struct netvsc_receive *rx = &queue->rx;
	struct hvk *hvk = queue->nic->hvk;

	hvk_netvsc_lend_stop(queue);
	rx->joined_at = NULL;
	hvk_pages_put(hvk, &rx->joined_pages);
	hvk_pages_put(hvk, &rx->frame_pages);
	hvk_pages_put(hvk, &rx->completion_pages);
	rx->completions = NULL;
	rx->completion_count = 0;
	rx->completion_max = 0;
}

/* --- Completions to the host --------------------------------------------------------------- */

static hvk_status complete(struct netvsc_queue *queue, const uint64_t *ids, uint32_t count, uint32_t *taken)
{
	const struct nvs_rndis_complete answer = {NVS_TYPE_RNDIS_COMPLETE, NVS_STATUS_SUCCESS};

	return hvk_channel_complete_many(queue->channel, ids, count, &answer, sizeof(answer), taken);
}

/* In order. What the full ring does not take waits for the next call. */
void hvk_netvsc_receive_complete(struct netvsc_queue *queue)
{
	struct netvsc_receive *rx = &queue->rx;

	while (rx->completion_count != 0) { /* twice at most: around the end of the list */
		uint32_t in_row = hvk_min32(rx->completion_count, rx->completion_max - rx->completion_first);
		uint32_t taken;
		hvk_status status = complete(queue, &rx->completions[rx->completion_first], in_row, &taken);

		/* Any other failure: the channel is of no use any more, the next receive tells. */
		if (status != HVK_OK && status != HVK_EAGAIN)
			taken = in_row;
		rx->completion_first = (rx->completion_first + taken) % rx->completion_max;
		rx->completion_count -= taken;
		if (status == HVK_EAGAIN)
			return;
	}
}

/* Each packet gets its one completion. There can be no more of them than the host has
 * sub-allocations to put into packets. Ids are the host's own and may be the same: nothing
 * is looked up by them. */
void hvk_netvsc_receive_give_back(struct netvsc_queue *queue, uint64_t transaction_id)
{
	struct netvsc_receive *rx = &queue->rx;
	uint32_t taken;

	if (rx->completion_count == rx->completion_max)
		hvk_netvsc_receive_complete(queue);
	if (rx->completion_count < rx->completion_max) {
		rx->completions[(rx->completion_first + rx->completion_count) % rx->completion_max] =
			transaction_id;
		rx->completion_count++;
	} else if (rx->completion_count != 0 || complete(queue, &transaction_id, 1, &taken) == HVK_EAGAIN) {
		hvk_netvsc_fault(queue->nic, HVK_EHOST_TRANSACTION, "more packets than sub-allocations");
	}
}

/* --- RNDIS messages --------------------------------------------------------------------------- */

void hvk_netvsc_receive_control(struct netvsc_queue *queue, uint32_t type, const struct hvk_shared *range)
{
	switch (queue->index == 0 ? type : 0) { /* the rest comes on the primary alone */
	case RNDIS_MSG_INITIALIZE | RNDIS_MSG_COMPLETE:
	case RNDIS_MSG_QUERY | RNDIS_MSG_COMPLETE:
	case RNDIS_MSG_SET | RNDIS_MSG_COMPLETE:
		hvk_netvsc_control_receive(queue->nic, type, range);
		break;
	case RNDIS_MSG_INDICATE_STATUS:
		hvk_netvsc_indicate_status(queue->nic, range);
		break;
	case RNDIS_MSG_KEEPALIVE:
		hvk_netvsc_control_keepalive(queue->nic, range);
		break;
	default:
		netvsc_count(&queue->counters.rx_faults, 1);
		hvk_netvsc_fault(queue->nic, HVK_EHOST_RNDIS,
				 "message of an unknown type, or not on the primary channel");
		break;
	}
}

/* --- Packets -------------------------------------------------------------------------------------- */

/* HVK_OK if the packet can be what it says; then header is filled in. */
static hvk_status check_transfer_pages(const struct hvk_packet *packet,
				       struct vmbus_transfer_pages_header *header)
{
	uint32_t type;

	if (packet->extension_length < sizeof(*header))
		return HVK_EHOST_PACKET;
	memcpy(header, packet->extension, sizeof(*header));
	if (header->page_set_id != NVS_RECEIVE_PAGE_SET_ID)
		return HVK_EHOST_RANGE;
	if (header->range_count == 0 ||
	    header->range_count >
		    (packet->extension_length - sizeof(*header)) / sizeof(struct vmbus_transfer_page_range))
		return HVK_EHOST_PACKET;
	if (hvk_nvs_parse_type(packet->payload, packet->payload_length, &type) != HVK_OK ||
	    type != NVS_TYPE_RNDIS)
		return HVK_EHOST_NVS;
	return HVK_OK;
}

static void receive_transfer_pages(struct netvsc_queue *queue, const struct hvk_packet *packet)
{
	struct vmbus_transfer_pages_header header;
	hvk_status status = check_transfer_pages(packet, &header);

	if (status == HVK_OK) {
		queue->rx.burst.packets++;
		queue->rx.transaction_id = packet->transaction_id;
		queue->rx.range_count = header.range_count;
		hvk_netvsc_receive_ranges(queue, packet->extension + sizeof(header), header.range_count);
	} else {
		netvsc_count(&queue->counters.rx_faults, 1);
		hvk_netvsc_fault(queue->nic, status, "transfer-page packet");
	}
	if (hvk_netvsc_lend_seal(queue))
		hvk_netvsc_receive_give_back(queue, packet->transaction_id);
}

static void receive_completion(struct netvsc_queue *queue, const struct hvk_packet *packet)
{
	const struct netvsc_ticket *ticket = packet->cookie;
	const struct hvk_answer answer = {HVK_OK, packet->payload, packet->payload_length};

	switch (ticket->kind) {
	case NETVSC_TICKET_NVS:
		queue->nic->nvs_pending = false;
		hvk_steps_answer(&queue->nic->steps, NETVSC_EVENT_NVS, &answer);
		break;
	case NETVSC_TICKET_CONTROL:
		hvk_netvsc_control_sent(queue->nic, packet->cookie, packet->payload, packet->payload_length);
		break;
	case NETVSC_TICKET_FRAME:
		hvk_netvsc_transmit_sent(queue, packet->cookie, packet->payload, packet->payload_length);
		break;
	}
}

/* Which queue the host wants which frames on. One that there is not is no choice of the host's. */
static void take_send_table(struct hvk_netvsc *nic, const struct hvk_packet *packet)
{
	uint32_t table[NVS_SEND_INDIRECTION_COUNT];
	hvk_status status = hvk_nvs_parse_send_indirection(packet->payload, packet->payload_length,
							   nic->nvs_version, table);

	for (uint32_t i = 0; status == HVK_OK && i < NVS_SEND_INDIRECTION_COUNT; i++) {
		if (table[i] >= nic->queue_count)
			status = HVK_EHOST_NVS;
	}
	if (status != HVK_OK) {
		hvk_netvsc_fault(nic, status, "send indirection table");
		return;
	}
	for (uint32_t i = 0; i < NVS_SEND_INDIRECTION_COUNT; i++)
		__atomic_store_n(&nic->send_table[i], table[i], __ATOMIC_RELAXED);
	__atomic_store_n(&nic->send_table_known, true, __ATOMIC_RELEASE);
}

/* Notices. The host gets its completion if it wants one. */
static void receive_in_band(struct netvsc_queue *queue, const struct hvk_packet *packet)
{
	uint32_t type;

	if (hvk_nvs_parse_type(packet->payload, packet->payload_length, &type) != HVK_OK)
		hvk_netvsc_fault(queue->nic, HVK_EHOST_NVS, "in-band packet without a message");
	else if (type == NVS_TYPE_SEND_INDIRECTION_TABLE && queue->index == 0)
		take_send_table(queue->nic, packet);
	else if (type == NVS_TYPE_VF_ASSOCIATION && queue->index == 0)
		hvk_netvsc_take_association(queue->nic, packet->payload, packet->payload_length);
	else
		hvk_netvsc_fault(queue->nic, HVK_EHOST_NVS, "in-band message of an unknown type");
	if (packet->answer_wanted)
		hvk_netvsc_receive_give_back(queue, packet->transaction_id);
}

static void receive_packet(struct netvsc_queue *queue, const struct hvk_packet *packet)
{
	switch (packet->type) {
	case VMBUS_PACKET_COMPLETION:
		receive_completion(queue, packet);
		break;
	case VMBUS_PACKET_TRANSFER_PAGES:
		receive_transfer_pages(queue, packet);
		break;
	case VMBUS_PACKET_IN_BAND:
		receive_in_band(queue, packet);
		break;
	default:
		hvk_netvsc_fault(queue->nic, HVK_EHOST_PACKET_TYPE,
				 "packet of a type that network cards do not get");
		if (packet->answer_wanted)
			hvk_netvsc_receive_give_back(queue, packet->transaction_id);
		break;
	}
}

/* True if there may be more. */
static bool receive_one(struct netvsc_queue *queue)
{
	struct hvk_packet packet;
	hvk_status status = hvk_channel_receive(queue->channel, queue->rx.packet, sizeof(queue->rx.packet),
						&packet);

	switch (status) {
	case HVK_OK:
		receive_packet(queue, &packet);
		return true;
	case HVK_ETOOBIG:
		netvsc_count(&queue->counters.rx_faults, 1);
		return true;
	case HVK_EHOST_TRANSACTION:
		return true; /* counted by the channel */
	case HVK_EHOST_RING_INDEX:
	case HVK_EHOST_PACKET:
	case HVK_EHOST_PACKET_TYPE:
		hvk_netvsc_lost(queue, status);
		return false;
	default:
		return false; /* empty, or closing */
	}
}

/* The host took this queue's channel back, and its alone. */
static void queue_lost(struct netvsc_queue *queue)
{
	if (__atomic_exchange_n(&queue->lost, true, __ATOMIC_SEQ_CST))
		return;
	hvk_netvsc_transmit_state(queue, NETVSC_TX_CLOSED);
	hvk_netvsc_kick(queue->nic);
}

/* True: nothing more is to be read. */
static bool is_lost(struct netvsc_queue *queue)
{
	if (netvsc_lost(queue->nic) != HVK_OK)
		return true;
	if (!hvk_channel_rescinded(queue->channel))
		return false;
	if (queue->index == 0)
		hvk_netvsc_lost(queue, HVK_EGONE);
	else
		queue_lost(queue);
	return true;
}

static bool run(struct netvsc_queue *queue)
{
	bool more = true;

	if (is_lost(queue))
		return false;
	__atomic_store_n(&queue->tx.polling, true, __ATOMIC_RELAXED);
	hvk_netvsc_frames_begin(queue);
	hvk_netvsc_lend_begin(queue);
	for (uint32_t i = 0; more && i < HVK_NETVSC_BUDGET; i++)
		more = receive_one(queue);
	hvk_netvsc_frames_end(queue);
	hvk_netvsc_lend_collect(queue);
	hvk_netvsc_receive_complete(queue);
	if (netvsc_lost(queue->nic) == HVK_OK && queue->index == 0) {
		hvk_steps_room(&queue->nic->steps);
		hvk_netvsc_control_room(queue->nic);
	}
	hvk_netvsc_transmit_room(queue);
	return more;
}

bool hvk_netvsc_ready(void *context, struct hvk_channel *channel)
{
	struct netvsc_queue *queue = context;
	bool more;

	(void)channel;
	if (!hvk_netvsc_queue_enter(queue))
		return true;
	more = run(queue);
	hvk_netvsc_queue_leave(queue);
	return more;
}
