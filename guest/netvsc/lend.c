/* SPDX-License-Identifier: MIT */
/*
 * Frames lent in place (rx_borrow). The packet that a lent frame came in is completed when
 * the last of its lent frames is back; until then the host has none of the packet's
 * sub-allocations. Frames come back on any CPU and in any order; completions are sent by the
 * channel's CPU alone, many at once.
 */
#include "guest/netvsc/netvsc_internal.h"

#ifndef HVK_CONFIG_SMALL /* small.c */

/* --- Life ---------------------------------------------------------------------------- */

hvk_status hvk_netvsc_lend_start(struct netvsc_queue *queue)
{
	struct netvsc_lend *lend = &queue->rx.lend;
	uint32_t count = queue->nic->config.rx_borrow;
	uint32_t bytes = count * (uint32_t)(sizeof(*lend->free_packets) + sizeof(*lend->free));
	struct netvsc_lent_packet *packets;
	struct netvsc_lent_frame *frames;
	hvk_status status;

	*lend = (struct netvsc_lend){0};
	if (count == 0)
		return HVK_OK;
	status = hvk_pages_get(queue->nic->hvk, (bytes + HVK_PAGE_SIZE - 1) / HVK_PAGE_SIZE, HVK_PAGE_PRIVATE,
			       &lend->pages);
	if (status != HVK_OK)
		return status;
	packets = lend->pages.address;
	frames = (struct netvsc_lent_frame *)(void *)(packets + count);
	for (uint32_t i = 0; i < count; i++) {
		packets[i].next = lend->free_packets;
		lend->free_packets = &packets[i];
		frames[i].queue = queue;
		frames[i].next = lend->free;
		lend->free = &frames[i];
	}
	/* The other half stays the host's: a user that keeps what it has until more comes in (TCP,
	 * segments out of order) must not wait for ever. */
	lend->held_max = queue->nic->geometry.suballocation_count / queue->nic->queue_count / 2;
	return HVK_OK;
}

void hvk_netvsc_lend_stop(struct netvsc_queue *queue)
{
	HVK_ASSERT(queue->rx.lend.outstanding == 0);
	hvk_pages_put(queue->nic->hvk, &queue->rx.lend.pages);
	queue->rx.lend = (struct netvsc_lend){0};
}

static bool is_idle(struct netvsc_queue *queue)
{
	return queue->rx.lend.outstanding == 0;
}

bool hvk_netvsc_lend_idle(struct hvk_netvsc *nic)
{
	return hvk_netvsc_all_queues(nic, is_idle);
}

/* --- Out ------------------------------------------------------------------------------- */

/* Each queue could lend all; together they must not. */
static bool reserve(struct hvk_netvsc *nic)
{
	if (nic->queue_count == 1)
		return true;
	if (__atomic_fetch_add(&nic->lent, 1, __ATOMIC_RELAXED) < nic->config.rx_borrow)
		return true;
	__atomic_fetch_sub(&nic->lent, 1, __ATOMIC_RELAXED);
	return false;
}

static struct netvsc_lent_frame *take_frame(struct netvsc_queue *queue)
{
	struct netvsc_lend *lend = &queue->rx.lend;
	struct netvsc_lent_frame *frame;

	if (!reserve(queue->nic))
		return NULL;
	if (!lend->free) {
		hvk_lock(queue->nic->hvk, &queue->lock);
		lend->free = lend->returned;
		lend->returned = NULL;
		hvk_unlock(queue->nic->hvk, &queue->lock);
	}
	frame = lend->free;
	if (frame)
		lend->free = frame->next;
	else if (queue->nic->queue_count > 1)
		__atomic_fetch_sub(&queue->nic->lent, 1, __ATOMIC_RELAXED);
	return frame;
}

static bool hold_packet(struct netvsc_lend *lend, uint64_t transaction_id, uint32_t ranges)
{
	struct netvsc_lent_packet *packet = lend->free_packets;

	if (lend->current)
		return true;
	if (!packet || !hvk_fits(lend->held, ranges, lend->held_max))
		return false;
	lend->free_packets = packet->next;
	*packet = (struct netvsc_lent_packet){.transaction_id = transaction_id, .ranges = ranges};
	lend->held += ranges;
	lend->current = packet;
	lend->current_frames = 0;
	return true;
}

void *hvk_netvsc_lend_frame(struct netvsc_queue *queue, uint64_t transaction_id, uint32_t ranges)
{
	struct netvsc_lend *lend = &queue->rx.lend;
	struct netvsc_lent_frame *frame;

	if (queue->nic->config.rx_borrow == 0 || !hold_packet(lend, transaction_id, ranges))
		return NULL;
	frame = take_frame(queue);
	if (!frame)
		return NULL;
	frame->packet = lend->current;
	lend->current_frames++;
	return frame;
}

static void free_packet(struct netvsc_lend *lend, struct netvsc_lent_packet *packet)
{
	lend->held -= packet->ranges;
	packet->next = lend->free_packets;
	lend->free_packets = packet;
}

bool hvk_netvsc_lend_seal(struct netvsc_queue *queue)
{
	struct netvsc_lend *lend = &queue->rx.lend;
	struct netvsc_lent_packet *packet = lend->current;
	bool all_back;

	if (!packet)
		return true;
	lend->current = NULL;
	hvk_lock(queue->nic->hvk, &queue->lock);
	packet->sealed = true;
	packet->left += lend->current_frames;
	lend->outstanding += lend->current_frames;
	all_back = packet->left == 0;
	hvk_unlock(queue->nic->hvk, &queue->lock);
	if (all_back)
		free_packet(lend, packet);
	return all_back;
}

/* --- Back -------------------------------------------------------------------------------- */

/* Whom to tell of a frame that is back. */
enum { TELL_QUEUE = 1, TELL_CARD = 2 };

/* Under lock. */
static unsigned return_frame(struct netvsc_queue *queue, struct netvsc_lent_frame *frame)
{
	struct netvsc_lend *lend = &queue->rx.lend;
	struct netvsc_lent_packet *packet = frame->packet;
	unsigned tell = 0;

	frame->packet = NULL;
	frame->next = lend->returned;
	lend->returned = frame;
	lend->outstanding--;
	packet->left--;
	if (packet->sealed && packet->left == 0) {
		packet->next = lend->returned_packets;
		lend->returned_packets = packet;
		if (!lend->collecting && hvk_netvsc_queue_kick_mark(queue))
			tell |= TELL_QUEUE;
	}
	if (queue->nic->queue_count > 1)
		__atomic_fetch_sub(&queue->nic->lent, 1, __ATOMIC_RELAXED);
	if (lend->outstanding == 0 && (queue->lingers || netvsc_quiet_awaited(queue->nic)) &&
	    hvk_netvsc_kick_mark(queue->nic))
		tell |= TELL_CARD;
	return tell;
}

void hvk_netvsc_release(struct hvk_netdev *netdev, void *owner)
{
	struct hvk_netvsc *nic = (struct hvk_netvsc *)netdev;
	struct netvsc_lent_frame *frame = owner;
	struct netvsc_queue *queue = frame->queue;
	unsigned tell = 0;
	bool lent;

	hvk_lock(nic->hvk, &queue->lock);
	lent = frame->packet != NULL;
	if (lent)
		tell = return_frame(queue, frame);
	hvk_unlock(nic->hvk, &queue->lock);
	if (!lent)
		hvk_log(nic->hvk, HVK_LOG_ERROR, "netvsc: a frame was released that is not lent");
	if (tell & TELL_QUEUE)
		hvk_netvsc_queue_kick_send(queue);
	if (tell & TELL_CARD)
		hvk_netvsc_kick_queue(nic);
}

static void collect(struct netvsc_queue *queue, bool collecting)
{
	struct netvsc_lend *lend = &queue->rx.lend;
	struct netvsc_lent_packet *packet;

	if (queue->nic->config.rx_borrow == 0)
		return;
	hvk_lock(queue->nic->hvk, &queue->lock);
	packet = lend->returned_packets;
	lend->returned_packets = NULL;
	lend->collecting = collecting;
	hvk_unlock(queue->nic->hvk, &queue->lock);
	while (packet) { /* at most rx_borrow of them */
		struct netvsc_lent_packet *next = packet->next;

		hvk_netvsc_receive_give_back(queue, packet->transaction_id);
		free_packet(lend, packet);
		packet = next;
	}
}

void hvk_netvsc_lend_begin(struct netvsc_queue *queue)
{
	collect(queue, true);
}

void hvk_netvsc_lend_collect(struct netvsc_queue *queue)
{
	collect(queue, false);
}

#endif
