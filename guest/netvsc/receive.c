/* SPDX-License-Identifier: MIT */
/*
 * Everything from the host: completions, in-band messages, and transfer-page packets,
 * of which each range is one RNDIS message. One bad range costs that range; one bad
 * packet costs that packet; only a ring that contradicts itself costs the channel.
 */
#include "guest/netvsc/netvsc_internal.h"

#define ETHERNET_TYPE_VLAN 0x8100u
#define ETHERNET_ADDRESSES 12u

/* --- Life ------------------------------------------------------------------------------- */

static uint32_t pages_for(uint64_t bytes)
{
	return (uint32_t)((bytes + HVK_PAGE_SIZE - 1) / HVK_PAGE_SIZE);
}

hvk_status hvk_netvsc_receive_start(struct hvk_netvsc *nic, const struct hvk_nvs_geometry *geometry)
{
	struct netvsc_receive *rx = &nic->rx;
	struct hvk_shared memory = hvk_pages_shared(&nic->receive_gpadl.pages);
	uint64_t completions = (uint64_t)geometry->suballocation_count * sizeof(*rx->completions);
	uint32_t frame = nic->config.mtu + HVK_ETHERNET_HEADER + HVK_ETHERNET_VLAN_TAG;
	hvk_status status = hvk_pages_get(nic->hvk, pages_for(frame), HVK_PAGE_PRIVATE, &rx->frame_pages);

	if (status == HVK_OK)
		status = hvk_pages_get(nic->hvk, pages_for(completions), HVK_PAGE_PRIVATE,
				       &rx->completion_pages);
	if (status == HVK_OK)
		status = hvk_netvsc_lend_start(nic, geometry);
	if (status != HVK_OK)
		return status;
	rx->completions = rx->completion_pages.address;
	rx->completion_first = 0;
	rx->completion_count = 0;
	rx->completion_max = geometry->suballocation_count;
	rx->geometry = *geometry;
	rx->buffer = hvk_shared_part(&memory, 0, geometry->extent);
	return HVK_OK;
}

void hvk_netvsc_receive_forget(struct hvk_netvsc *nic)
{
	nic->rx.geometry = (struct hvk_nvs_geometry){0};
	nic->rx.buffer = (struct hvk_shared){0};
}

void hvk_netvsc_receive_stop(struct hvk_netvsc *nic)
{
	struct netvsc_receive *rx = &nic->rx;

	hvk_netvsc_lend_stop(nic);
	hvk_pages_put(nic->hvk, &rx->frame_pages);
	hvk_pages_put(nic->hvk, &rx->completion_pages);
	rx->completions = NULL;
	rx->completion_count = 0;
	rx->completion_max = 0;
	hvk_netvsc_receive_forget(nic);
}

/* --- Completions to the host --------------------------------------------------------------- */

static hvk_status complete(struct hvk_netvsc *nic, const uint64_t *ids, uint32_t count, uint32_t *taken)
{
	const struct nvs_rndis_complete answer = {NVS_TYPE_RNDIS_COMPLETE, NVS_STATUS_SUCCESS};

	return hvk_channel_complete_many(nic->channel, ids, count, &answer, sizeof(answer), taken);
}

/* In order. What the full ring does not take waits for the next call. */
void hvk_netvsc_receive_complete(struct hvk_netvsc *nic)
{
	struct netvsc_receive *rx = &nic->rx;

	while (rx->completion_count != 0) { /* twice at most: around the end of the list */
		uint32_t in_row = hvk_min32(rx->completion_count, rx->completion_max - rx->completion_first);
		uint32_t taken;
		hvk_status status = complete(nic, &rx->completions[rx->completion_first], in_row, &taken);

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
void hvk_netvsc_receive_give_back(struct hvk_netvsc *nic, uint64_t transaction_id)
{
	struct netvsc_receive *rx = &nic->rx;
	uint32_t taken;

	if (rx->completion_count == rx->completion_max)
		hvk_netvsc_receive_complete(nic);
	if (rx->completion_count < rx->completion_max) {
		rx->completions[(rx->completion_first + rx->completion_count) % rx->completion_max] =
			transaction_id;
		rx->completion_count++;
	} else if (rx->completion_count != 0 || complete(nic, &transaction_id, 1, &taken) == HVK_EAGAIN) {
		hvk_netvsc_fault(nic, HVK_EHOST_TRANSACTION, "more packets than sub-allocations");
	}
}

/* --- RNDIS messages --------------------------------------------------------------------------- */

/* The frame as it was on the wire: a tag that the host took out goes back in. */
static struct hvk_rx_frame copy_frame(struct hvk_netvsc *nic, const struct hvk_shared *range,
				      const struct hvk_rndis_frame *found)
{
	uint8_t *data = nic->rx.frame_pages.address;
	uint32_t tag = found->vlan ? HVK_ETHERNET_VLAN_TAG : 0;

	hvk_shared_read(range, found->offset, data + tag, found->length);
	if (tag) {
		memmove(data, data + tag, ETHERNET_ADDRESSES);
		data[ETHERNET_ADDRESSES] = ETHERNET_TYPE_VLAN >> 8;
		data[ETHERNET_ADDRESSES + 1] = ETHERNET_TYPE_VLAN & 0xff;
		data[ETHERNET_ADDRESSES + 2] = (uint8_t)(found->vlan_tag >> 8);
		data[ETHERNET_ADDRESSES + 3] = (uint8_t)found->vlan_tag;
	}
	return (struct hvk_rx_frame){.data = data, .length = found->length + tag, .segments = 1};
}

/* In place if that is wanted and possible: a tag cannot be put in without a copy. */
static struct hvk_rx_frame take_frame(struct hvk_netvsc *nic, const struct hvk_shared *range,
				      const struct hvk_rndis_frame *found)
{
	struct netvsc_receive *rx = &nic->rx;
	void *owner = NULL;

	if (!found->vlan)
		owner = hvk_netvsc_lend_frame(nic, rx->transaction_id, rx->range_count);
	if (owner) {
		netvsc_count(&nic->counters.rx_lent, 1);
		return (struct hvk_rx_frame){.data = hvk_shared_lend(range, found->offset, found->length),
					     .length = found->length,
					     .owner = owner,
					     .segments = 1};
	}
	netvsc_count(&nic->counters.rx_copied, found->length);
	return copy_frame(nic, range, found);
}

static void receive_frame(struct hvk_netvsc *nic, const struct hvk_shared *range)
{
	const struct hvk_netdev_hooks *hooks = &nic->netdev.hooks;
	struct hvk_rndis_frame found;
	struct hvk_rx_frame frame;
	hvk_status status = hvk_rndis_parse_packet(range, &found);
	uint32_t max = nic->netdev.info.frame_max + HVK_ETHERNET_VLAN_TAG;

	if (status != HVK_OK) {
		netvsc_count(&nic->counters.rx_faults, 1);
		hvk_netvsc_fault(nic, status, "PACKET");
		return;
	}
	/* Not up (then frames may still be on their way), or longer than the host was told. */
	if (!(nic->netdev.info.flags & HVK_NETDEV_UP) || !hooks->input ||
	    found.length + (found.vlan ? HVK_ETHERNET_VLAN_TAG : 0) > max) {
		netvsc_count(&nic->counters.rx_dropped, 1);
		return;
	}
	frame = take_frame(nic, range, &found);
	netvsc_count(&nic->counters.rx_frames, 1);
	netvsc_count(&nic->counters.rx_bytes, frame.length);
	hooks->input(hooks->context, &nic->netdev, &frame);
}

static void receive_message(struct hvk_netvsc *nic, const struct hvk_shared *range)
{
	uint32_t type;

	if (hvk_rndis_parse_type(range, &type) != HVK_OK) {
		netvsc_count(&nic->counters.rx_faults, 1);
		hvk_netvsc_fault(nic, HVK_EHOST_RNDIS, "range without a message");
		return;
	}
	switch (type) {
	case RNDIS_MSG_PACKET:
		receive_frame(nic, range);
		break;
	case RNDIS_MSG_INITIALIZE | RNDIS_MSG_COMPLETE:
	case RNDIS_MSG_QUERY | RNDIS_MSG_COMPLETE:
	case RNDIS_MSG_SET | RNDIS_MSG_COMPLETE:
		hvk_netvsc_control_receive(nic, type, range);
		break;
	case RNDIS_MSG_INDICATE_STATUS:
		hvk_netvsc_indicate_status(nic, range);
		break;
	case RNDIS_MSG_KEEPALIVE:
		hvk_netvsc_control_keepalive(nic, range);
		break;
	default:
		netvsc_count(&nic->counters.rx_faults, 1);
		hvk_netvsc_fault(nic, HVK_EHOST_RNDIS, "message of an unknown type");
		break;
	}
}

/* --- Packets -------------------------------------------------------------------------------------- */

static void receive_range(struct hvk_netvsc *nic, const struct vmbus_transfer_page_range *range)
{
	const struct netvsc_receive *rx = &nic->rx;
	struct hvk_shared message;

	/* Before there is a buffer nothing fits, nothing at all included. */
	if (rx->buffer.size == 0 || range->byte_count > rx->geometry.suballocation_size ||
	    !hvk_shared_holds(&rx->buffer, range->byte_offset, range->byte_count)) {
		netvsc_count(&nic->counters.rx_faults, 1);
		hvk_netvsc_fault(nic, HVK_EHOST_RANGE, "range outside the receive buffer");
		return;
	}
	message = hvk_shared_part(&rx->buffer, range->byte_offset, range->byte_count);
	receive_message(nic, &message);
}

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

static void receive_transfer_pages(struct hvk_netvsc *nic, const struct hvk_packet *packet)
{
	struct vmbus_transfer_pages_header header;
	struct vmbus_transfer_page_range range;
	hvk_status status = check_transfer_pages(packet, &header);

	if (status == HVK_OK) {
		nic->rx.transaction_id = packet->transaction_id;
		nic->rx.range_count = header.range_count;
		for (uint32_t i = 0; i < header.range_count; i++) {
			memcpy(&range, packet->extension + sizeof(header) + i * sizeof(range), sizeof(range));
			receive_range(nic, &range);
		}
	} else {
		netvsc_count(&nic->counters.rx_faults, 1);
		hvk_netvsc_fault(nic, status, "transfer-page packet");
	}
	if (hvk_netvsc_lend_seal(nic))
		hvk_netvsc_receive_give_back(nic, packet->transaction_id);
}

static void receive_completion(struct hvk_netvsc *nic, const struct hvk_packet *packet)
{
	const struct netvsc_ticket *ticket = packet->cookie;
	const struct netvsc_answer answer = {HVK_OK, packet->payload, packet->payload_length};

	switch (ticket->kind) {
	case NETVSC_TICKET_NVS:
		nic->nvs_pending = false;
		hvk_netvsc_steps_answer(nic, NETVSC_EVENT_NVS, &answer);
		break;
	case NETVSC_TICKET_CONTROL:
		hvk_netvsc_control_sent(nic, packet->cookie, packet->payload, packet->payload_length);
		break;
	case NETVSC_TICKET_FRAME:
		hvk_netvsc_transmit_sent(nic, packet->cookie, packet->payload, packet->payload_length);
		break;
	}
}

/* Notices that belong to features we have not asked for: VF association, table of
 * sub-channels. The host gets its completion if it wants one. */
static void receive_in_band(struct hvk_netvsc *nic, const struct hvk_packet *packet)
{
	uint32_t type;

	if (hvk_nvs_parse_type(packet->payload, packet->payload_length, &type) != HVK_OK)
		hvk_netvsc_fault(nic, HVK_EHOST_NVS, "in-band packet without a message");
	else if (type != NVS_TYPE_VF_ASSOCIATION && type != NVS_TYPE_SEND_INDIRECTION_TABLE)
		hvk_netvsc_fault(nic, HVK_EHOST_NVS, "in-band message of an unknown type");
	if (packet->answer_wanted)
		hvk_netvsc_receive_give_back(nic, packet->transaction_id);
}

static void receive_packet(struct hvk_netvsc *nic, const struct hvk_packet *packet)
{
	switch (packet->type) {
	case VMBUS_PACKET_COMPLETION:
		receive_completion(nic, packet);
		break;
	case VMBUS_PACKET_TRANSFER_PAGES:
		receive_transfer_pages(nic, packet);
		break;
	case VMBUS_PACKET_IN_BAND:
		receive_in_band(nic, packet);
		break;
	default:
		hvk_netvsc_fault(nic, HVK_EHOST_PACKET_TYPE,
				 "packet of a type that network cards do not get");
		if (packet->answer_wanted)
			hvk_netvsc_receive_give_back(nic, packet->transaction_id);
		break;
	}
}

/* True if there may be more. */
static bool receive_one(struct hvk_netvsc *nic)
{
	struct hvk_packet packet;
	hvk_status status = hvk_channel_receive(nic->channel, nic->rx.packet, sizeof(nic->rx.packet),
						&packet);

	switch (status) {
	case HVK_OK:
		receive_packet(nic, &packet);
		return true;
	case HVK_ETOOBIG:
		netvsc_count(&nic->counters.rx_faults, 1);
		return true;
	case HVK_EHOST_TRANSACTION:
		return true; /* counted by the channel */
	case HVK_EHOST_RING_INDEX:
	case HVK_EHOST_PACKET:
	case HVK_EHOST_PACKET_TYPE:
		hvk_netvsc_lost(nic, status);
		return false;
	default:
		return false; /* empty, or closing */
	}
}

bool hvk_netvsc_ready(void *context, struct hvk_channel *channel)
{
	struct hvk_netvsc *nic = context;
	bool more = true;

	if (netvsc_lost(nic) != HVK_OK)
		return false;
	if (hvk_channel_rescinded(channel)) {
		hvk_netvsc_lost(nic, HVK_EGONE);
		return false;
	}
	hvk_netvsc_lend_begin(nic);
	for (uint32_t i = 0; more && i < HVK_NETVSC_BUDGET; i++)
		more = receive_one(nic);
	hvk_netvsc_lend_collect(nic);
	hvk_netvsc_receive_complete(nic);
	if (netvsc_lost(nic) != HVK_OK)
		return false;
	hvk_netvsc_steps_room(nic);
	hvk_netvsc_control_room(nic);
	hvk_netvsc_transmit_room(nic);
	return more;
}
