/* SPDX-License-Identifier: MIT */
/*
 * Frames to the host. Those that fit are copied to a section of the send buffer; the
 * others go as a list of guest pages, behind an RNDIS header in shared memory of our
 * own. A slot is free again when the host has completed its packet, not before.
 */
#include "guest/netvsc/netvsc_internal.h"

HVK_STATIC_ASSERT(sizeof(struct rndis_packet) <= HVK_NETVSC_HEADER_SIZE, "a header fits into its slot");

#define HEADER ((uint32_t)sizeof(struct rndis_packet))

/* --- Slots ---------------------------------------------------------------------------- */

/* The first free one of the slots from first to end, or HVK_NETVSC_SENDS. */
static uint32_t find_slot(const struct netvsc_transmit *tx, uint32_t first, uint32_t end)
{
	uint32_t unwanted = (1u << first % 32) - 1; /* in the first word */

	for (uint32_t word = first / 32; word * 32 < end; word++) {
		uint32_t taken = tx->used[word] | unwanted;
		uint32_t slot;

		unwanted = 0;
		if (taken == UINT32_MAX)
			continue;
		slot = word * 32 + (uint32_t)__builtin_ctz(~taken);
		return slot < end ? slot : HVK_NETVSC_SENDS;
	}
	return HVK_NETVSC_SENDS;
}

static void take_slot(struct netvsc_transmit *tx, uint32_t slot, struct hvk_tx_frame *frame)
{
	tx->used[slot / 32] |= 1u << slot % 32;
	tx->sends[slot].frame = frame;
	tx->outstanding++;
}

static struct hvk_tx_frame *free_slot(struct netvsc_transmit *tx, uint32_t slot)
{
	struct hvk_tx_frame *frame = tx->sends[slot].frame;

	tx->used[slot / 32] &= ~(1u << slot % 32);
	tx->sends[slot].frame = NULL;
	tx->outstanding--;
	tx->freed = true;
	return frame;
}

/* --- Life ------------------------------------------------------------------------------ */

hvk_status hvk_netvsc_transmit_start(struct netvsc_queue *queue)
{
	struct netvsc_transmit *tx = &queue->tx;
	struct hvk *hvk = queue->nic->hvk;
	hvk_status status;

	hvk_lock(hvk, &queue->lock);
	memset(tx, 0, sizeof(*tx));
	for (uint32_t i = 0; i < HVK_NETVSC_SENDS; i++)
		tx->sends[i].ticket.kind = NETVSC_TICKET_FRAME;
	hvk_unlock(hvk, &queue->lock);
	status = hvk_pages_get(hvk, HVK_NETVSC_HEADER_PAGES, HVK_PAGE_HOST_READS, &tx->header_pages);
	if (status != HVK_OK)
		return status;
	tx->headers = hvk_pages_shared(&tx->header_pages);
	for (uint32_t i = 0; i < HVK_NETVSC_HEADER_PAGES; i++)
		tx->header_gpa[i] = hvk_page_gpa(hvk, &tx->header_pages, i);
	return HVK_OK;
}

void hvk_netvsc_transmit_sections(struct hvk_netvsc *nic, uint32_t section_size)
{
	nic->section_size = section_size;
	hvk_netvsc_queues_divide(nic, 1);
}

void hvk_netvsc_transmit_open(struct hvk_netvsc *nic, bool open)
{
	for (uint32_t i = 0; i < nic->queue_count; i++) {
		struct netvsc_queue *queue = &nic->queues[i];

		hvk_lock(nic->hvk, &queue->lock);
		queue->tx.open = open && queue->open && !queue->lost;
		queue->tx.wait = NETVSC_TX_WAIT_NONE;
		hvk_unlock(nic->hvk, &queue->lock);
	}
}

static void done(struct hvk_tx_frame *frame, hvk_status status)
{
	if (frame && frame->done)
		frame->done(frame, status, frame->context);
}

void hvk_netvsc_transmit_stop(struct netvsc_queue *queue, bool withhold)
{
	struct netvsc_transmit *tx = &queue->tx;
	struct hvk *hvk = queue->nic->hvk;

	for (uint32_t i = 0; i < HVK_NETVSC_SENDS; i++) {
		struct hvk_tx_frame *frame = NULL;

		hvk_lock(hvk, &queue->lock);
		if (tx->sends[i].frame) {
			frame = free_slot(tx, i);
			queue->counters.tx_errors++;
		}
		hvk_unlock(hvk, &queue->lock);
		done(frame, HVK_ECANCELED);
	}
	if (withhold)
		(void)hvk_pages_quarantine(hvk, &tx->header_pages);
	else
		hvk_pages_put(hvk, &tx->header_pages);
	tx->section_count = 0;
}

static bool is_idle(struct netvsc_queue *queue)
{
	return queue->tx.outstanding == 0;
}

bool hvk_netvsc_transmit_idle(struct hvk_netvsc *nic)
{
	return hvk_netvsc_all_queues(nic, is_idle);
}

static bool has_no_writers(struct netvsc_queue *queue)
{
	return queue->tx.writers == 0;
}

bool hvk_netvsc_transmit_has_writers(struct hvk_netvsc *nic)
{
	return !hvk_netvsc_all_queues(nic, has_no_writers);
}

/* --- Sending --------------------------------------------------------------------------- */

/* How a frame goes to the host. */
struct way {
	uint32_t slot;
	bool copy;
};

static bool fits_section(const struct netvsc_queue *queue, const struct hvk_tx_frame *frame)
{
	const struct netvsc_transmit *tx = &queue->tx;

	return tx->section_count != 0 && hvk_fits(HEADER, frame->length, tx->section_size) &&
	       hvk_frame_can_be_copied(frame);
}

static bool can_go_by_pages(const struct hvk_tx_frame *frame)
{
	return hvk_frame_pages(frame, NULL, HVK_PACKET_RANGES_MAX - 1) != 0;
}

/* Under lock. HVK_EAGAIN: no slot is free. HVK_ETOOBIG: the frame can go neither way. */
static hvk_status choose(const struct netvsc_queue *queue, const struct hvk_tx_frame *frame, struct way *way)
{
	const struct netvsc_transmit *tx = &queue->tx;

	way->copy = fits_section(queue, frame) &&
		    (frame->length <= queue->nic->config.copy_max || !can_go_by_pages(frame));
	if (!way->copy && !can_go_by_pages(frame))
		return HVK_ETOOBIG;
	way->slot = way->copy ? find_slot(tx, 0, tx->section_count)
			      : find_slot(tx, tx->section_count, HVK_NETVSC_SENDS);
	return way->slot == HVK_NETVSC_SENDS ? HVK_EAGAIN : HVK_OK;
}

/* Under lock: takes a slot. */
static hvk_status begin_send(struct netvsc_queue *queue, struct hvk_tx_frame *frame, struct way *way)
{
	struct netvsc_transmit *tx = &queue->tx;
	hvk_status status;

	if (!tx->open || netvsc_lost(queue->nic) != HVK_OK)
		return HVK_EGONE;
	if (!hvk_frame_is_valid(frame, queue->nic->netdev.info.frame_max))
		return HVK_EINVAL;
	status = choose(queue, frame, way);
	if (status == HVK_EAGAIN) {
		tx->wait = NETVSC_TX_WAIT_SLOT;
		tx->freed = false;
	}
	if (status != HVK_OK)
		return status;
	take_slot(tx, way->slot, frame);
	tx->writers++;
	return HVK_OK;
}

static hvk_status send_by_section(struct netvsc_queue *queue, struct hvk_tx_frame *frame, uint32_t slot)
{
	struct netvsc_transmit *tx = &queue->tx;
	struct hvk_shared section = hvk_shared_part(&tx->sections, slot * tx->section_size, tx->section_size);
	struct rndis_packet header;
	struct hvk_nvs_message message;

	hvk_rndis_build_packet(&header, frame->length);
	hvk_shared_write(&section, 0, &header, HEADER);
	hvk_frame_copy(frame, &section, HEADER);
	hvk_nvs_build_rndis(&message, queue->nic->nvs_version, NVS_CHANNEL_DATA, tx->section_first + slot,
			    HEADER + frame->length);
	return hvk_channel_send(queue->channel, message.bytes, message.size, true, &tx->sends[slot]);
}

static hvk_status send_by_pages(struct netvsc_queue *queue, struct hvk_tx_frame *frame, uint32_t slot)
{
	struct netvsc_transmit *tx = &queue->tx;
	uint32_t offset = slot * HVK_NETVSC_HEADER_SIZE;
	struct hvk_buffer pages[HVK_PACKET_RANGES_MAX];
	uint32_t count = 1 + hvk_frame_pages(frame, &pages[1], HVK_PACKET_RANGES_MAX - 1);
	struct rndis_packet header;
	struct hvk_nvs_message message;

	hvk_rndis_build_packet(&header, frame->length);
	hvk_shared_write(&tx->headers, offset, &header, HEADER);
	pages[0] = (struct hvk_buffer){NULL, tx->header_gpa[offset / HVK_PAGE_SIZE] + offset % HVK_PAGE_SIZE,
				       HEADER};
	hvk_nvs_build_rndis(&message, queue->nic->nvs_version, NVS_CHANNEL_DATA, NVS_SECTION_NONE, 0);
	return hvk_channel_send_buffers(queue->channel, pages, count, message.bytes, message.size,
					&tx->sends[slot]);
}

static hvk_status put(struct netvsc_queue *queue, struct hvk_tx_frame *frame, const struct way *way)
{
	return way->copy ? send_by_section(queue, frame, way->slot) : send_by_pages(queue, frame, way->slot);
}

/* The ring was full, and room may have come before tx_ready was owed: once more. */
static hvk_status put_again(struct netvsc_queue *queue, struct hvk_tx_frame *frame, const struct way *way)
{
	hvk_lock(queue->nic->hvk, &queue->lock);
	queue->tx.wait = NETVSC_TX_WAIT_RING;
	hvk_unlock(queue->nic->hvk, &queue->lock);
	return put(queue, frame, way);
}

/* Under lock. The frame and its slot are not ours any more if status is HVK_OK: the host
 * may have completed them already. Returns true if the rest is to be queued. */
static bool end_send(struct netvsc_queue *queue, const struct way *way, hvk_status status, uint32_t length)
{
	struct netvsc_transmit *tx = &queue->tx;

	tx->writers--;
	if (status == HVK_OK) {
		queue->counters.tx_frames++;
		queue->counters.tx_bytes += length;
		if (way->copy)
			queue->counters.tx_copied++;
		else
			queue->counters.tx_by_page++;
	} else {
		(void)free_slot(tx, way->slot);
	}
	if (hvk_status_is_host_fault(status))
		netvsc_set_lost(queue->nic, status);
	/* A detach waits for the last writer; the user is to hear of a dead ring. */
	if ((tx->open || tx->writers != 0) && !hvk_status_is_host_fault(status))
		return false;
	return hvk_netvsc_kick_mark(queue->nic);
}

static enum hvk_tx_result result_of(struct netvsc_queue *queue, hvk_status status)
{
	if (status == HVK_OK)
		return HVK_TX_TAKEN;
	hvk_lock(queue->nic->hvk, &queue->lock);
	if (status == HVK_EAGAIN)
		queue->counters.tx_busy++;
	else
		queue->counters.tx_errors++;
	hvk_unlock(queue->nic->hvk, &queue->lock);
	return status == HVK_EAGAIN ? HVK_TX_BUSY : HVK_TX_GONE;
}

enum hvk_tx_result hvk_netvsc_transmit(struct hvk_netdev *netdev, struct hvk_tx_frame *frame)
{
	struct hvk_netvsc *nic = (struct hvk_netvsc *)netdev;
	struct netvsc_queue *queue = netvsc_primary(nic);
	uint32_t length = frame->length;
	struct way way;
	hvk_status status;
	bool kick;

	hvk_lock(nic->hvk, &queue->lock);
	status = begin_send(queue, frame, &way);
	hvk_unlock(nic->hvk, &queue->lock);
	if (status != HVK_OK)
		return result_of(queue, status);
	status = put(queue, frame, &way);
	if (status == HVK_EAGAIN)
		status = put_again(queue, frame, &way);
	hvk_lock(nic->hvk, &queue->lock);
	kick = end_send(queue, &way, status, length);
	hvk_unlock(nic->hvk, &queue->lock);
	if (kick)
		hvk_netvsc_kick_queue(nic);
	return status == HVK_OK ? HVK_TX_TAKEN : result_of(queue, status);
}

/* --- Completions --------------------------------------------------------------------------- */

void hvk_netvsc_transmit_sent(struct netvsc_queue *queue, struct netvsc_send *sent, const uint8_t *payload,
			      uint32_t length)
{
	struct hvk_netvsc *nic = queue->nic;
	hvk_status status = hvk_nvs_parse_rndis_complete(payload, length);
	struct hvk_tx_frame *frame;
	bool idle;

	hvk_lock(nic->hvk, &queue->lock);
	frame = free_slot(&queue->tx, (uint32_t)(sent - queue->tx.sends));
	idle = queue->tx.outstanding == 0;
	if (status != HVK_OK)
		queue->counters.tx_errors++;
	hvk_unlock(nic->hvk, &queue->lock);
	if (hvk_status_is_host_fault(status))
		hvk_netvsc_fault(nic, status, "completion of a frame");
	done(frame, status);
	if (idle && netvsc_state(nic) == NETVSC_DETACHING)
		hvk_netvsc_kick(nic);
}

void hvk_netvsc_transmit_room(struct netvsc_queue *queue)
{
	struct netvsc_transmit *tx = &queue->tx;
	struct hvk_netvsc *nic = queue->nic;
	const struct hvk_netdev_hooks *hooks = &nic->netdev.hooks;
	bool call;

	hvk_lock(nic->hvk, &queue->lock);
	call = tx->wait == NETVSC_TX_WAIT_RING || (tx->wait == NETVSC_TX_WAIT_SLOT && tx->freed);
	if (call)
		tx->wait = NETVSC_TX_WAIT_NONE;
	hvk_unlock(nic->hvk, &queue->lock);
	if (call && hooks->tx_ready)
		hooks->tx_ready(hooks->context, &nic->netdev);
}
