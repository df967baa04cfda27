/* SPDX-License-Identifier: MIT */
/*
 * Frames lent in place (rx_borrow). The packet that a lent frame came in is completed when
 * the last of its lent frames is back; until then the host has none of the packet's
 * sub-allocations. Frames come back on any CPU and in any order; completions are sent by the
 * channel's CPU alone, many at once.
 */
#include "guest/netvsc/netvsc_internal.h"

/* --- Life ---------------------------------------------------------------------------- */

hvk_status hvk_netvsc_lend_start(struct hvk_netvsc *nic, const struct hvk_nvs_geometry *geometry)
{
	struct netvsc_lend *lend = &nic->rx.lend;
	uint32_t count = nic->config.rx_borrow;
	uint32_t bytes = count * (uint32_t)(sizeof(*lend->free_packets) + sizeof(*lend->free));
	struct netvsc_lent_packet *packets;
	struct netvsc_lent_frame *frames;
	hvk_status status;

	*lend = (struct netvsc_lend){0};
	if (count == 0)
		return HVK_OK;
	status = hvk_pages_get(nic->hvk, (bytes + HVK_PAGE_SIZE - 1) / HVK_PAGE_SIZE, HVK_PAGE_PRIVATE,
			       &lend->pages);
	if (status != HVK_OK)
		return status;
	packets = lend->pages.address;
	frames = (struct netvsc_lent_frame *)(void *)(packets + count);
	for (uint32_t i = 0; i < count; i++) {
		packets[i].next = lend->free_packets;
		lend->free_packets = &packets[i];
		frames[i].next = lend->free;
		lend->free = &frames[i];
	}
	/* The other half stays the host's: a user that keeps what it has until more comes in (TCP,
	 * segments out of order) must not wait for ever. */
	lend->held_max = geometry->suballocation_count / 2;
	return HVK_OK;
}

void hvk_netvsc_lend_stop(struct hvk_netvsc *nic)
{
	HVK_ASSERT(nic->rx.lend.outstanding == 0);
	hvk_pages_put(nic->hvk, &nic->rx.lend.pages);
	nic->rx.lend = (struct netvsc_lend){0};
}

bool hvk_netvsc_lend_idle(struct hvk_netvsc *nic)
{
	bool idle;

	hvk_lock(nic->hvk, &nic->lock);
	idle = nic->rx.lend.outstanding == 0;
	hvk_unlock(nic->hvk, &nic->lock);
	return idle;
}

/* --- Out ------------------------------------------------------------------------------- */

static struct netvsc_lent_frame *take_frame(struct hvk_netvsc *nic)
{
	struct netvsc_lend *lend = &nic->rx.lend;
	struct netvsc_lent_frame *frame;

	if (!lend->free) {
		hvk_lock(nic->hvk, &nic->lock);
		lend->free = lend->returned;
		lend->returned = NULL;
		hvk_unlock(nic->hvk, &nic->lock);
	}
	frame = lend->free;
	if (frame)
		lend->free = frame->next;
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

void *hvk_netvsc_lend_frame(struct hvk_netvsc *nic, uint64_t transaction_id, uint32_t ranges)
{
	struct netvsc_lend *lend = &nic->rx.lend;
	struct netvsc_lent_frame *frame;

	if (nic->config.rx_borrow == 0 || !hold_packet(lend, transaction_id, ranges))
		return NULL;
	frame = take_frame(nic);
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

bool hvk_netvsc_lend_seal(struct hvk_netvsc *nic)
{
	struct netvsc_lend *lend = &nic->rx.lend;
	struct netvsc_lent_packet *packet = lend->current;
	bool all_back;

	if (!packet)
		return true;
	lend->current = NULL;
	hvk_lock(nic->hvk, &nic->lock);
	packet->sealed = true;
	packet->left += lend->current_frames;
	lend->outstanding += lend->current_frames;
	all_back = packet->left == 0;
	hvk_unlock(nic->hvk, &nic->lock);
	if (all_back)
		free_packet(lend, packet);
	return all_back;
}

/* --- Back -------------------------------------------------------------------------------- */

/* Under lock. True if the channel's CPU is to be told. */
static bool return_frame(struct hvk_netvsc *nic, struct netvsc_lent_frame *frame)
{
	struct netvsc_lend *lend = &nic->rx.lend;
	struct netvsc_lent_packet *packet = frame->packet;
	bool tell = false;

	frame->packet = NULL;
	frame->next = lend->returned;
	lend->returned = frame;
	lend->outstanding--;
	packet->left--;
	if (packet->sealed && packet->left == 0) {
		packet->next = lend->returned_packets;
		lend->returned_packets = packet;
		tell = !lend->collecting;
	}
	if (lend->outstanding == 0 && netvsc_state(nic) == NETVSC_DETACHING)
		tell = true;
	return tell && hvk_netvsc_kick_mark(nic);
}

void hvk_netvsc_release(struct hvk_netdev *netdev, void *owner)
{
	struct hvk_netvsc *nic = (struct hvk_netvsc *)netdev;
	struct netvsc_lent_frame *frame = owner;
	bool lent, queue = false;

	hvk_lock(nic->hvk, &nic->lock);
	lent = frame->packet != NULL;
	if (lent)
		queue = return_frame(nic, frame);
	hvk_unlock(nic->hvk, &nic->lock);
	if (!lent)
		hvk_log(nic->hvk, HVK_LOG_ERROR, "netvsc: a frame was released that is not lent");
	if (queue)
		hvk_netvsc_kick_queue(nic);
}

static void collect(struct hvk_netvsc *nic, bool collecting)
{
	struct netvsc_lend *lend = &nic->rx.lend;
	struct netvsc_lent_packet *packet;

	if (nic->config.rx_borrow == 0)
		return;
	hvk_lock(nic->hvk, &nic->lock);
	packet = lend->returned_packets;
	lend->returned_packets = NULL;
	lend->collecting = collecting;
	hvk_unlock(nic->hvk, &nic->lock);
	while (packet) { /* at most rx_borrow of them */
		struct netvsc_lent_packet *next = packet->next;

		hvk_netvsc_receive_give_back(nic, packet->transaction_id);
		free_packet(lend, packet);
		packet = next;
	}
}

void hvk_netvsc_lend_begin(struct hvk_netvsc *nic)
{
	collect(nic, true);
}

void hvk_netvsc_lend_collect(struct hvk_netvsc *nic)
{
	collect(nic, false);
}
