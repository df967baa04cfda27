/* SPDX-License-Identifier: MIT */
/*
 * Receive-segment coalescing: from NVS 6.1 a host may join TCP segments to one packet, and put
 * that, as it is longer than a sub-allocation, into several messages, one behind the other. The
 * first has the headers; what the host says beside them counts for the whole.
 */
#include "guest/netvsc/netvsc_internal.h"

#ifndef HVK_CONFIG_SMALL /* small.c */

#define JOINED_PAGES ((HVK_NETVSC_JOINED_MAX + HVK_ETHERNET_VLAN_TAG + HVK_PAGE_SIZE - 1) / HVK_PAGE_SIZE)

hvk_status hvk_netvsc_joining_start_queue(struct netvsc_queue *queue)
{
	struct netvsc_receive *rx = &queue->rx;
	hvk_status status;

	if (rx->joined_at)
		return HVK_OK;
	status = hvk_pages_get(queue->nic->hvk, JOINED_PAGES, HVK_PAGE_PRIVATE, &rx->joined_pages);
	if (status == HVK_OK)
		__atomic_store_n(&rx->joined_at, (uint8_t *)rx->joined_pages.address, __ATOMIC_RELEASE);
	return status;
}

/* Queues that are not open yet get theirs when they are. */
hvk_status hvk_netvsc_joining_start(struct hvk_netvsc *nic)
{
	hvk_status status = HVK_OK;

	for (uint32_t i = 0; status == HVK_OK && i < nic->queue_count; i++) {
		if (netvsc_queue_is_open(&nic->queues[i]))
			status = hvk_netvsc_joining_start_queue(&nic->queues[i]);
	}
	return status;
}

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
		.data = queue->rx.joined_at,
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
	uint8_t *to = __atomic_load_n(&queue->rx.joined_at, __ATOMIC_ACQUIRE);

	if (found->part & RNDIS_PACKET_ID_FIRST)
		begin(queue, found);
	else if (!continues(queue, found->packet_id))
		return;
	if (joined->parts == RNDIS_RSC_FRAGMENTS_MAX || !to ||
	    !hvk_fits(joined->length, found->length, HVK_NETVSC_JOINED_MAX)) {
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

/* Longer than any frame of the wire's, and in one message: the host had room for it there, and then
 * does not say that it is joined. */
void hvk_netvsc_receive_joined(struct netvsc_queue *queue, const struct hvk_shared *range,
			       const struct hvk_rndis_frame *found)
{
	struct hvk_rndis_frame whole = *found;

	whole.part = RNDIS_PACKET_ID_SUBALLOCATION | RNDIS_PACKET_ID_FIRST | RNDIS_PACKET_ID_LAST;
	hvk_netvsc_receive_part(queue, range, &whole);
}

#endif
