/* SPDX-License-Identifier: MIT */
/*
 * Receive-segment coalescing: from NVS 6.1 a host may join TCP segments to one packet, and put
 * that, as it is longer than a sub-allocation, into several messages, one behind the other. The
 * first has the headers; what the host says beside them counts for the whole.
 */
#include "guest/netvsc/netvsc_internal.h"

static void drop(struct netvsc_queue *queue)
{
	struct netvsc_joined *joined = &queue->rx.joined;

	netvsc_count(&queue->counters.rx_dropped, 1);
	netvsc_count(&queue->counters.rx_incomplete, 1);
	joined->active = false;
	joined->dropped = true;
}

void hvk_netvsc_drop_parts(struct netvsc_queue *queue)
{
	if (queue->rx.joined.active)
		drop(queue);
	queue->rx.joined.dropped = false;
}

/* False: it belongs to nothing that we have. Counted once for each packet. */
static bool continues(struct netvsc_queue *queue, uint16_t id)
{
	struct netvsc_joined *joined = &queue->rx.joined;

	if (joined->active && joined->id == id)
		return true;
	if (!joined->dropped || joined->id != id || joined->active)
		drop(queue);
	joined->id = id;
	return false;
}

static void begin(struct netvsc_queue *queue, const struct hvk_rndis_frame *found)
{
	hvk_netvsc_drop_parts(queue);
	queue->rx.joined = (struct netvsc_joined){.active = true, .id = found->packet_id, .first = *found};
}

static void hand_up(struct netvsc_queue *queue)
{
	struct netvsc_joined *joined = &queue->rx.joined;
	struct hvk_rx_frame frame = {
		.data = queue->rx.frame_pages.address,
		.length = joined->length,
		.flags = HVK_RX_JOINED,
		.segments = joined->parts,
	};

	joined->active = false;
	netvsc_count(&queue->counters.rx_joined, 1);
	netvsc_count(&queue->counters.rx_segments, joined->parts);
	hvk_netvsc_hand_up(queue, &joined->first, &frame);
}

void hvk_netvsc_receive_part(struct netvsc_queue *queue, const struct hvk_shared *range,
			     const struct hvk_rndis_frame *found)
{
	struct netvsc_joined *joined = &queue->rx.joined;
	uint8_t *to = queue->rx.frame_pages.address;
	uint32_t room = hvk_min32(HVK_NETVSC_JOINED_MAX,
				  queue->rx.frame_pages.count * HVK_PAGE_SIZE - HVK_ETHERNET_VLAN_TAG);

	if (found->part & RNDIS_PACKET_ID_FIRST)
		begin(queue, found);
	else if (!continues(queue, found->packet_id))
		return;
	if (joined->parts == RNDIS_RSC_FRAGMENTS_MAX || !hvk_fits(joined->length, found->length, room)) {
		drop(queue);
		return;
	}
	hvk_shared_read(range, found->offset, to + joined->length, found->length);
	queue->rx.burst.copied += found->length;
	joined->length += found->length;
	joined->parts++;
	if (!(found->part & RNDIS_PACKET_ID_LAST))
		return;
	if (joined->length < HVK_ETHERNET_HEADER)
		drop(queue);
	else
		hand_up(queue);
}
