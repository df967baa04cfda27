/* SPDX-License-Identifier: MIT */
/*
 * What sending stands on: the slots of a queue, which sections of the send buffer are whose, whether frames
 * are taken, and what becomes of those that the host has completed. A slot is free again when the host
 * has completed its packet, not before.
 */
#include "guest/netvsc/transmit.h"

/* --- Slots ---------------------------------------------------------------------------- */

static void fill_slots(struct netvsc_slots *slots, uint32_t first, uint32_t count)
{
	slots->count = (uint16_t)count;
	for (uint32_t i = 0; i < count; i++)
		slots->free[i] = (uint16_t)(first + count - 1 - i); /* the first one on top */
}

uint32_t hvk_netvsc_slot_take(struct netvsc_queue *queue, struct netvsc_slots *slots)
{
	struct netvsc_transmit *tx = &queue->tx;

	if (slots->count == 0) {
		tx->wait = NETVSC_TX_WAIT_SLOT;
		tx->freed = false;
		queue->counters.tx_no_slot++;
		return HVK_NETVSC_SENDS;
	}
	tx->outstanding++;
	return slots->free[--slots->count];
}

void hvk_netvsc_slot_free(struct netvsc_queue *queue, uint32_t slot)
{
	struct netvsc_transmit *tx = &queue->tx;
	struct netvsc_slots *slots = slot < tx->header_first ? &tx->section_slots : &tx->header_slots;

	tx->sends[slot].first = NULL;
	slots->free[slots->count++] = (uint16_t)slot;
	tx->outstanding--;
	tx->freed = true;
}

/* --- Life ------------------------------------------------------------------------------ */

static uint32_t header_count(const struct hvk_netvsc *nic)
{
	uint32_t all = nic->config.send_buffer_pages == HVK_NETVSC_NO_SEND_BUFFER ? HVK_NETVSC_SENDS
										  : HVK_NETVSC_PAGE_SENDS;
	uint32_t each = all / nic->queue_count;

	return each < HVK_NETVSC_PAGE_SENDS_MIN ? HVK_NETVSC_PAGE_SENDS_MIN : each;
}

hvk_status hvk_netvsc_transmit_start(struct netvsc_queue *queue)
{
	struct netvsc_transmit *tx = &queue->tx;
	struct hvk_netvsc *nic = queue->nic;
	uint32_t count = header_count(nic), pages;
	hvk_status status;

	hvk_lock(nic->hvk, &queue->lock);
	tx->header_first = HVK_NETVSC_SENDS - count;
	fill_slots(&tx->header_slots, tx->header_first, count);
	tx->outstanding = 0;
	tx->batch = (struct netvsc_batch){0};
	for (uint32_t i = 0; i < HVK_NETVSC_SENDS; i++)
		tx->sends[i] = (struct netvsc_send){.ticket = {NETVSC_TICKET_FRAME}};
	hvk_unlock(nic->hvk, &queue->lock);
	pages = (count + HVK_NETVSC_HEADERS_PER_PAGE - 1) / HVK_NETVSC_HEADERS_PER_PAGE;
	status = hvk_pages_get(nic->hvk, pages, HVK_PAGE_HOST_READS, &tx->header_pages);
	if (status != HVK_OK)
		return status;
	tx->headers = hvk_pages_shared(&tx->header_pages);
	for (uint32_t i = 0; i < pages; i++)
		tx->header_gpa[i] = hvk_page_gpa(nic->hvk, &tx->header_pages, i);
	return HVK_OK;
}

void hvk_netvsc_transmit_sections(struct hvk_netvsc *nic, uint32_t section_size)
{
	nic->section_size = section_size;
	hvk_netvsc_queues_divide(nic, 1);
}

/* The rest that does not divide is nobody's. Of fewer sections than queues all are queue 0's, which sends
 * what the others cannot: a frame without an address needs one. */
void hvk_netvsc_queues_divide(struct hvk_netvsc *nic, uint32_t count)
{
	struct hvk_shared memory = hvk_pages_shared(&nic->send_gpadl.pages);
	uint32_t sections = nic->section_size != 0 ? memory.size / nic->section_size : 0, each;

	if (sections < count)
		count = 1;
	each = hvk_min32(sections / count, HVK_NETVSC_SENDS - header_count(nic));
	for (uint32_t i = 0; i < nic->queue_count; i++) {
		struct netvsc_transmit *tx = &nic->queues[i].tx;
		uint32_t own = i < count ? each : 0;

		tx->section_size = own == 0 ? 0 : nic->section_size;
		tx->section_first = i * each;
		fill_slots(&tx->section_slots, 0, own);
		if (own != 0)
			tx->sections = hvk_shared_part(&memory, tx->section_first * tx->section_size,
						       own * tx->section_size);
	}
}

/* Under lock. */
static void change_state(struct netvsc_queue *queue, enum netvsc_tx_state state)
{
	struct netvsc_transmit *tx = &queue->tx;

	if (state == NETVSC_TX_OPEN)
		hvk_netvsc_batch_limits(queue);
	if (state == tx->state)
		return; /* who waits goes on waiting */
	/* Who was told to wait while it was paused is told when it goes on, or never. */
	if (state == NETVSC_TX_OPEN && tx->state == NETVSC_TX_PAUSED && tx->wait != NETVSC_TX_WAIT_NONE)
		tx->wait = NETVSC_TX_WAIT_RING;
	else if (state != NETVSC_TX_PAUSED)
		tx->wait = NETVSC_TX_WAIT_NONE;
	__atomic_store_n(&tx->state, state, __ATOMIC_RELAXED);
	if (state != NETVSC_TX_OPEN)
		(void)hvk_netvsc_batch_flush(queue);
}

/* tx_ready is owed for a queue that is gone: whoever waits may send on queue 0. */
static void inherit_wait(struct netvsc_queue *primary)
{
	struct hvk *hvk = primary->nic->hvk;
	bool kick = false;

	hvk_lock(hvk, &primary->lock);
	if (primary->tx.state != NETVSC_TX_CLOSED && primary->tx.wait == NETVSC_TX_WAIT_NONE) {
		primary->tx.wait = NETVSC_TX_WAIT_RING;
		kick = primary->tx.state == NETVSC_TX_OPEN && hvk_netvsc_queue_kick_mark(primary);
	}
	hvk_unlock(hvk, &primary->lock);
	if (kick)
		hvk_netvsc_queue_kick_send(primary);
}

void hvk_netvsc_transmit_state(struct netvsc_queue *queue, enum netvsc_tx_state state)
{
	struct hvk *hvk = queue->nic->hvk;
	bool kick, owed;

	hvk_lock(hvk, &queue->lock);
	owed = queue->index != 0 && state == NETVSC_TX_CLOSED && queue->tx.wait != NETVSC_TX_WAIT_NONE;
	change_state(queue, state);
	kick = queue->tx.wait != NETVSC_TX_WAIT_NONE && state == NETVSC_TX_OPEN &&
	       hvk_netvsc_queue_kick_mark(queue);
	hvk_unlock(hvk, &queue->lock);
	if (kick)
		hvk_netvsc_queue_kick_send(queue);
	if (owed)
		inherit_wait(netvsc_primary(queue->nic));
}

void hvk_netvsc_transmit_open(struct hvk_netvsc *nic, enum netvsc_tx_state state)
{
	for (uint32_t i = 0; i < nic->queue_count; i++) {
		struct netvsc_queue *queue = &nic->queues[i];
		bool closed = state == NETVSC_TX_OPEN && (!queue->open || queue->lost);

		hvk_netvsc_transmit_state(queue, closed ? NETVSC_TX_CLOSED : state);
	}
}

/* A frame is its owner's again inside done. */
static uint32_t finish_frames(struct hvk_tx_frame *frame, hvk_status status)
{
	uint32_t count = 0;

	while (frame) { /* at most batch_max of them */
		struct hvk_tx_frame *next = frame->next;

		count++;
		if (frame->done)
			frame->done(frame, status, frame->context);
		frame = next;
	}
	return count;
}

static void count_errors(struct netvsc_queue *queue, uint32_t errors, uint32_t refused)
{
	hvk_lock(queue->nic->hvk, &queue->lock);
	queue->counters.tx_errors += errors;
	queue->counters.tx_refused += refused;
	hvk_unlock(queue->nic->hvk, &queue->lock);
}

void hvk_netvsc_transmit_stop(struct netvsc_queue *queue, bool withhold)
{
	struct netvsc_transmit *tx = &queue->tx;
	struct hvk *hvk = queue->nic->hvk;

	hvk_lock(hvk, &queue->lock);
	tx->batch = (struct netvsc_batch){0}; /* nobody's flush sends it any more */
	tx->quick_count = 0;
	tx->staged = false;
	hvk_unlock(hvk, &queue->lock);
	for (uint32_t i = 0; i < HVK_NETVSC_SENDS; i++) {
		struct hvk_tx_frame *first;

		hvk_lock(hvk, &queue->lock);
		first = tx->sends[i].first;
		if (first)
			hvk_netvsc_slot_free(queue, i);
		hvk_unlock(hvk, &queue->lock);
		if (first)
			count_errors(queue, finish_frames(first, HVK_ECANCELED), 0);
	}
	if (withhold)
		(void)hvk_pages_quarantine(hvk, &tx->header_pages);
	else
		hvk_pages_put(hvk, &tx->header_pages);
	hvk_lock(hvk, &queue->lock);
	tx->section_slots.count = 0;
	tx->section_size = 0;
	hvk_unlock(hvk, &queue->lock);
}

static bool is_idle(struct netvsc_queue *queue)
{
	return queue->tx.outstanding == 0;
}

bool hvk_netvsc_transmit_idle(struct hvk_netvsc *nic)
{
	return hvk_netvsc_all_queues(nic, is_idle);
}

/* --- Completions --------------------------------------------------------------------------- */

void hvk_netvsc_transmit_sent(struct netvsc_queue *queue, struct netvsc_send *sent, const uint8_t *payload,
			      uint32_t length)
{
	struct hvk_netvsc *nic = queue->nic;
	hvk_status status = hvk_nvs_parse_rndis_complete(payload, length);
	struct hvk_tx_frame *first;
	uint32_t count;
	bool idle;

	hvk_lock(nic->hvk, &queue->lock);
	first = sent->first;
	hvk_netvsc_slot_free(queue, (uint32_t)(sent - queue->tx.sends));
	idle = queue->tx.outstanding == 0;
	hvk_unlock(nic->hvk, &queue->lock);
	if (hvk_status_is_host_fault(status))
		hvk_netvsc_fault(nic, status, "completion of a frame");
	count = finish_frames(first, status);
	if (status != HVK_OK)
		count_errors(queue, count, status == HVK_EREFUSED_RNDIS ? count : 0);
	if (idle && netvsc_quiet_awaited(nic))
		hvk_netvsc_kick(nic);
}

void hvk_netvsc_transmit_tell(struct netvsc_queue *queue, unsigned tell)
{
	if (tell & NETVSC_TELL_QUEUE)
		hvk_netvsc_queue_kick_send(queue);
	if (tell & NETVSC_TELL_CARD)
		hvk_netvsc_kick_queue(queue->nic);
}

void hvk_netvsc_transmit_room(struct netvsc_queue *queue)
{
	struct netvsc_transmit *tx = &queue->tx;
	struct hvk_netvsc *nic = queue->nic;
	const struct hvk_netdev_hooks *hooks = &nic->netdev.hooks;
	unsigned tell;
	bool call;

	hvk_lock(nic->hvk, &queue->lock);
	call = hvk_netvsc_batch_flush(queue) == HVK_OK && tx->state != NETVSC_TX_PAUSED &&
	       (tx->wait == NETVSC_TX_WAIT_RING || (tx->wait == NETVSC_TX_WAIT_SLOT && tx->freed));
	if (call)
		tx->wait = NETVSC_TX_WAIT_NONE;
	__atomic_store_n(&tx->polling, false, __ATOMIC_RELAXED);
	tell = tx->tell_card && hvk_netvsc_kick_mark(nic) ? NETVSC_TELL_CARD : 0;
	tx->tell_card = false;
	hvk_unlock(nic->hvk, &queue->lock);
	hvk_netvsc_transmit_tell(queue, tell);
	if (call && hooks->tx_ready)
		hooks->tx_ready(hooks->context, &nic->netdev);
}
