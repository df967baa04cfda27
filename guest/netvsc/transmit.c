/* SPDX-License-Identifier: MIT */
/*
 * Frames to the host. Those that fit are copied to a section of the send buffer; the
 * others go as a list of guest pages, behind a header in shared memory of our own. A slot is
 * free again when the host has completed its packet, not before.
 *
 * All of it is done under the queue's lock, the sending too: frames of one flow must reach the
 * ring in the order in which they came, and the ring has but one writer at a time anyhow.
 */
#include "guest/netvsc/transmit.h"

HVK_STATIC_ASSERT(HVK_RNDIS_PREFIX_MAX + HVK_HEADERS_MAX + HVK_HEADERS_TAG <= HVK_NETVSC_HEADER_SIZE,
		  "what goes before the payload fits into its slot");

#define LOOKS_MAX 4u /* at a frame while the card is changed; then it cannot be sent */

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

/* The rest that does not divide is nobody's. */
void hvk_netvsc_queues_divide(struct hvk_netvsc *nic, uint32_t count)
{
	struct hvk_shared memory = hvk_pages_shared(&nic->send_gpadl.pages);
	uint32_t each = 0;

	if (nic->section_size != 0)
		each = hvk_min32(memory.size / nic->section_size / count,
				 HVK_NETVSC_SENDS - header_count(nic));
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

/* --- Sending --------------------------------------------------------------------------- */

void hvk_netvsc_packet_failed(struct netvsc_queue *queue, hvk_status status)
{
	struct netvsc_transmit *tx = &queue->tx;

	if (status == HVK_EAGAIN) {
		tx->wait = NETVSC_TX_WAIT_RING; /* vmbus calls ready when there is room */
		queue->counters.tx_ring_full++;
	} else if (hvk_status_is_host_fault(status)) {
		netvsc_set_lost(queue->nic, status); /* the user is to hear of a dead ring */
		tx->tell_card = true;
	}
}

/* Its lists are large: not to be had on everybody's stack. */
static __attribute__((noinline)) hvk_status put_by_pages(struct netvsc_queue *queue,
							 const struct netvsc_wire *wire)
{
	struct netvsc_transmit *tx = &queue->tx;
	struct hvk_buffer pages[HVK_PACKET_RANGES_MAX];
	uint32_t count = hvk_frame_pages(wire->frame, wire->skip, &pages[1], HVK_PACKET_RANGES_MAX - 1);
	uint32_t size = wire->prefix_size + wire->head_length, slot, offset;
	struct hvk_nvs_message message;
	hvk_status status = hvk_netvsc_batch_flush(queue); /* what came before */

	if (status != HVK_OK)
		return status;
	slot = hvk_netvsc_slot_take(queue, &tx->header_slots);
	if (slot == HVK_NETVSC_SENDS)
		return HVK_EAGAIN;
	offset = (slot - tx->header_first) * HVK_NETVSC_HEADER_SIZE;
	hvk_shared_write(&tx->headers, offset, wire->prefix.words, wire->prefix_size);
	if (wire->head_length != 0)
		hvk_shared_write(&tx->headers, offset + wire->prefix_size, wire->head.bytes,
				 wire->head_length);
	pages[0] = (struct hvk_buffer){NULL, tx->header_gpa[offset / HVK_PAGE_SIZE] + offset % HVK_PAGE_SIZE,
				       size};
	wire->frame->next = NULL;
	tx->sends[slot].first = wire->frame;
	hvk_nvs_build_rndis(&message, queue->nic->nvs_version, NVS_CHANNEL_DATA, NVS_SECTION_NONE, 0);
	status = hvk_channel_send_buffers(queue->channel, pages, count + 1, message.bytes, message.size,
					  &tx->sends[slot]);
	if (status == HVK_OK) {
		queue->counters.tx_packets++;
		return HVK_OK;
	}
	hvk_netvsc_slot_free(queue, slot);
	hvk_netvsc_packet_failed(queue, status);
	return status;
}

/* All that is left may be in the head: then there is nothing to list. */
static bool can_go_by_pages(const struct netvsc_wire *wire)
{
	return wire->frame->length == wire->skip ||
	       hvk_frame_pages(wire->frame, wire->skip, NULL, HVK_PACKET_RANGES_MAX - 1) != 0;
}

static bool goes_by_section(const struct netvsc_queue *queue, const struct netvsc_wire *wire)
{
	if (netvsc_wire_size(wire) > queue->tx.section_size || !(wire->found & HVK_FRAME_COPYABLE))
		return false;
	return wire->frame->length <= queue->nic->config.copy_max || !can_go_by_pages(wire);
}

/* A plain frame's prefix is written where it is wanted; this one is for a page list. */
static hvk_status put_large(struct netvsc_queue *queue, struct netvsc_wire *wire)
{
	if (!can_go_by_pages(wire))
		return HVK_ETOOBIG;
	if (netvsc_is_plain(wire->frame))
		(void)hvk_rndis_build_prefix(&wire->prefix, wire->frame->length, NULL);
	return put_by_pages(queue, wire);
}

static void count_taken(struct netvsc_queue *queue, const struct netvsc_wire *wire, bool by_section)
{
	struct hvk_netdev_counters *counters = &queue->counters;

	counters->tx_frames++;
	counters->tx_bytes += wire->frame->length;
	if (by_section)
		counters->tx_copied++;
	else
		counters->tx_by_page++;
	if (netvsc_is_plain(wire->frame))
		return;
	counters->tx_checksummed += (wire->info.has & HVK_RNDIS_HAS_CHECKSUM) != 0;
	counters->tx_in_software += wire->in_software;
	counters->tx_segmented += wire->segmented;
	counters->tx_tagged += (wire->frame->flags & HVK_TX_VLAN) != 0;
}

/* Under lock. */
static hvk_status take(struct netvsc_queue *queue, struct netvsc_wire *wire)
{
	struct netvsc_transmit *tx = &queue->tx;
	hvk_status status;
	bool by_section;

	if (tx->state == NETVSC_TX_PAUSED) {
		tx->wait = NETVSC_TX_WAIT_RING;
		return HVK_EAGAIN;
	}
	if (tx->state != NETVSC_TX_OPEN || netvsc_lost(queue->nic) != HVK_OK)
		return HVK_EGONE;
	by_section = goes_by_section(queue, wire);
	if (by_section)
		status = hvk_netvsc_batch_put(queue, wire, wire->more);
	else
		status = put_large(queue, wire);
	if (status == HVK_OK)
		count_taken(queue, wire, by_section);
	else if (status == HVK_EAGAIN)
		queue->counters.tx_busy++;
	else
		queue->counters.tx_errors++;
	return status;
}

/* Under lock: what is to be told once it is released. */
enum { TELL_QUEUE = 1, TELL_CARD = 2 };
static unsigned whom_to_tell(struct netvsc_queue *queue)
{
	struct netvsc_transmit *tx = &queue->tx;
	unsigned tell = 0;

	/* Frames that wait go at the end of this poll at the latest. */
	if ((tx->batch.count != 0 || tx->staged) && !__atomic_load_n(&tx->polling, __ATOMIC_RELAXED) &&
	    hvk_netvsc_queue_kick_mark(queue))
		tell |= TELL_QUEUE;
	if (tx->tell_card && hvk_netvsc_kick_mark(queue->nic))
		tell |= TELL_CARD;
	tx->tell_card = false;
	return tell;
}

static void tell_them(struct netvsc_queue *queue, unsigned tell)
{
	if (tell & TELL_QUEUE)
		hvk_netvsc_queue_kick_send(queue);
	if (tell & TELL_CARD)
		hvk_netvsc_kick_queue(queue->nic);
}

/* The queue of the host's choice for this flow, or of the sending CPU. */
static struct netvsc_queue *choose_of_many(struct hvk_netvsc *nic, const struct hvk_tx_frame *frame)
{
	uint32_t in_use = netvsc_queues_in_use(nic), wanted;
	struct netvsc_queue *queue;

	if (!(frame->flags & HVK_TX_HASH))
		wanted = (hvk_cpu_index(nic->hvk) + hvk_cpu_count(nic->hvk) - nic->config.cpu) %
			 hvk_cpu_count(nic->hvk);
	else if (__atomic_load_n(&nic->send_table_known, __ATOMIC_ACQUIRE))
		wanted = __atomic_load_n(&nic->send_table[frame->hash % NVS_SEND_INDIRECTION_COUNT],
					 __ATOMIC_RELAXED);
	else
		wanted = frame->hash;
	queue = &nic->queues[in_use == 0 ? 0 : wanted % in_use];
	if (__atomic_load_n(&queue->tx.state, __ATOMIC_RELAXED) != NETVSC_TX_OPEN)
		queue = netvsc_primary(nic); /* it has not come yet, or has gone */
	return queue;
}

static inline struct netvsc_queue *choose_queue(struct hvk_netvsc *nic, const struct hvk_tx_frame *frame)
{
	return netvsc_queues_in_use(nic) <= 1 ? netvsc_primary(nic) : choose_of_many(nic, frame);
}

static uint32_t length_max(const struct hvk_netvsc *nic, const struct hvk_tx_frame *frame)
{
	const struct hvk_netdev_info *info = &nic->netdev.info;

	if ((frame->flags & HVK_TX_TSO) && info->tso_bytes_max + HVK_HEADERS_MAX > info->frame_max)
		return info->tso_bytes_max + HVK_HEADERS_MAX;
	return info->frame_max;
}

static inline bool is_quick(const struct hvk_tx_frame *frame)
{
	const struct hvk_buffer *piece = frame->pieces;

	return netvsc_is_plain(frame) && frame->piece_count == 1 && piece && piece->address &&
	       piece->length == frame->length && frame->length >= HVK_ETHERNET_HEADER;
}

/* Header and frame, to where there is room for them. */
static inline void write_quickly(const struct hvk_shared *sections, uint32_t at, const void *frame,
				 uint32_t length, uint32_t message_length)
{
	static const struct rndis_packet usual = {
		.header = {.type = RNDIS_MSG_PACKET},
		.data_offset = (uint32_t)sizeof(usual) - RNDIS_OFFSET_BASE,
	};

	hvk_shared_write(sections, at, &usual, sizeof(usual));
	hvk_shared_write(sections, at + (uint32_t)offsetof(struct rndis_packet, header.length),
			 &message_length, sizeof(message_length));
	hvk_shared_write(sections, at + (uint32_t)offsetof(struct rndis_packet, data_length), &length,
			 sizeof(length));
	hvk_shared_write(sections, at + (uint32_t)sizeof(usual), frame, length);
}

/* Under lock. Puts frames into the open section, as many as go there on the shortest way; more: others
 * follow the last of them. Returns how many. */
static inline __attribute__((always_inline)) uint32_t fill_section(struct netvsc_queue *queue,
								   struct hvk_tx_frame *const *frames,
								   uint32_t count, bool more)
{
	struct netvsc_transmit *tx = &queue->tx;
	const struct hvk_shared sections = tx->sections;
	const uint32_t first = tx->batch.at + tx->batch.bytes, end = tx->batch.at + tx->batch_bytes;
	const uint32_t most = hvk_min32(count, tx->quick_count), mask = tx->alignment - 1;
	const uint32_t followed = more ? count : count - 1; /* by another message: padded */
	struct hvk_tx_frame **last = tx->batch.last;
	static const uint64_t zeros;
	uint32_t at = first, n;
	uint64_t bytes = 0;

	for (n = 0; n < most; n++) {
		struct hvk_tx_frame *frame = frames[n];
		uint32_t length = frame->length, size = (uint32_t)sizeof(struct rndis_packet) + length;
		uint32_t padded = (size + mask) & ~mask;

		if (!is_quick(frame) || length > tx->quick_bytes || padded > end - at)
			break;
		if (n < followed) {
			hvk_shared_write(&sections, at + padded - (uint32_t)sizeof(zeros), &zeros,
					 sizeof(zeros));
			size = padded;
		}
		write_quickly(&sections, at, frame->pieces->address, length, size);
		bytes += length;
		at += size;
		*last = frame;
		last = &frame->next;
	}
	*last = NULL;
	tx->batch.last = last;
	tx->batch.bytes += at - first;
	tx->batch.count += n;
	tx->quick_count -= n;
	queue->counters.tx_frames += n;
	queue->counters.tx_bytes += bytes;
	queue->counters.tx_copied += n;
	return n;
}

/* The only message of its section did not go, and is its owner's again. */
static void uncount(struct netvsc_queue *queue, const struct hvk_tx_frame *frame)
{
	queue->counters.tx_frames--;
	queue->counters.tx_bytes -= frame->length;
	queue->counters.tx_copied--;
}

/* Under lock: the most frequent case. Returns how many of them were taken; if not all, *status is why
 * the next one was not. HVK_EINPROGRESS: that one is for the longer way. */
static inline __attribute__((always_inline)) uint32_t put_quickly(struct netvsc_queue *queue,
								  struct hvk_tx_frame *const *frames,
								  uint32_t count, bool more,
								  hvk_status *status)
{
	struct netvsc_transmit *tx = &queue->tx;
	uint32_t taken = 0;

	while (taken < count) { /* a section at a time */
		uint32_t n;

		*status = HVK_EINPROGRESS;
		if (tx->quick_count == 0 &&
		    (!is_quick(frames[taken]) || !hvk_netvsc_batch_open(queue, frames[taken]->length)))
			return taken;
		n = fill_section(queue, frames + taken, count - taken, more);
		taken += n;
		if (taken == count && more && tx->quick_count != 0)
			break;
		if (taken < count && tx->quick_count != 0 &&
		    (!is_quick(frames[taken]) || frames[taken]->length > tx->quick_bytes))
			return taken; /* the section stays open */
		/* It is full, or the next one does not fit, or no more is to come. */
		*status = hvk_netvsc_batch_close(queue, taken < count || more, n == 1);
		if (*status != HVK_OK) {
			uncount(queue, frames[taken - 1]);
			return taken - 1;
		}
	}
	*status = HVK_OK;
	return taken;
}

/* What it is good for, and its wishes made into what the host hears. HVK_EINVAL: it cannot be sent. */
static hvk_status look(const struct hvk_netvsc *nic, struct netvsc_wire *wire)
{
	wire->prefix_size = sizeof(struct rndis_packet);
	wire->head_length = 0;
	wire->skip = 0;
	wire->enabled = 0;
	wire->found = hvk_frame_look(wire->frame, length_max(nic, wire->frame));
	if (!wire->found)
		return HVK_EINVAL;
	if (netvsc_is_plain(wire->frame))
		return HVK_OK;
	wire->in_software = false;
	wire->segmented = false;
	return hvk_netvsc_transmit_prepare(nic, wire);
}

/* Under lock: the card may have been changed, and frames be wanted again, since the look was taken. */
static bool is_outdated(const struct hvk_netvsc *nic, const struct netvsc_wire *wire)
{
	uint32_t enabled = __atomic_load_n(&nic->netdev.info.enabled, __ATOMIC_RELAXED);

	return (wire->enabled & ~enabled) != 0 || wire->frame->length > length_max(nic, wire->frame);
}

static hvk_status look_and_take(struct netvsc_queue *queue, struct netvsc_wire *wire)
{
	struct hvk_netvsc *nic = queue->nic;
	hvk_status status = HVK_EAGAIN;
	unsigned tell;

	for (uint32_t i = 0; status == HVK_EAGAIN && i < LOOKS_MAX; i++) {
		bool outdated;

		status = look(nic, wire);
		hvk_lock(nic->hvk, &queue->lock);
		outdated = status == HVK_OK && queue->tx.state == NETVSC_TX_OPEN && is_outdated(nic, wire);
		if (status != HVK_OK || (outdated && i + 1 == LOOKS_MAX))
			queue->counters.tx_errors++, status = HVK_EINVAL;
		else if (outdated)
			status = HVK_EAGAIN;
		else
			status = take(queue, wire);
		tell = whom_to_tell(queue);
		hvk_unlock(nic->hvk, &queue->lock);
		if (tell)
			tell_them(queue, tell);
		if (!outdated)
			break;
	}
	return status;
}

static __attribute__((noinline)) enum hvk_tx_result transmit(struct hvk_netvsc *nic,
							     struct netvsc_queue *queue,
							     struct hvk_tx_frame *frame, bool more)
{
	struct netvsc_wire wire;
	hvk_status status;

	wire.frame = frame;
	wire.more = more;
	status = look_and_take(queue, &wire);
	if (status == HVK_EGONE && queue->index != 0) /* closed since it was chosen */
		status = look_and_take(netvsc_primary(nic), &wire);
	if (status == HVK_OK)
		return HVK_TX_TAKEN;
	return status == HVK_EAGAIN ? HVK_TX_BUSY : HVK_TX_GONE;
}

static enum hvk_tx_result quick_result(struct netvsc_queue *queue, hvk_status status)
{
	if (status == HVK_OK)
		return HVK_TX_TAKEN;
	if (status == HVK_EAGAIN) {
		queue->counters.tx_busy++;
		return HVK_TX_BUSY;
	}
	queue->counters.tx_errors++;
	return HVK_TX_GONE;
}

enum hvk_tx_result hvk_netvsc_transmit(struct hvk_netdev *netdev, struct hvk_tx_frame *frame)
{
	struct hvk_netvsc *nic = (struct hvk_netvsc *)netdev;
	struct netvsc_queue *queue = choose_queue(nic, frame);
	enum hvk_tx_result result = HVK_TX_TAKEN;
	bool more = (frame->flags & HVK_TX_MORE) != 0;
	hvk_status status;
	unsigned tell = 0;

	if (!netvsc_is_plain(frame))
		return transmit(nic, queue, frame, more);
	hvk_lock(nic->hvk, &queue->lock);
	(void)put_quickly(queue, &frame, 1, more, &status);
	if (status == HVK_OK && queue->tx.batch.count > 1) {
		hvk_unlock(nic->hvk, &queue->lock);
		return HVK_TX_TAKEN; /* who put the first one there has told */
	}
	if (status != HVK_EINPROGRESS) {
		result = quick_result(queue, status);
		tell = whom_to_tell(queue);
	}
	hvk_unlock(nic->hvk, &queue->lock);
	if (tell)
		tell_them(queue, tell);
	return status != HVK_EINPROGRESS ? result : transmit(nic, queue, frame, more);
}

static void flush(struct netvsc_queue *queue)
{
	struct hvk *hvk = queue->nic->hvk;
	unsigned tell;

	hvk_lock(hvk, &queue->lock);
	(void)hvk_netvsc_batch_flush(queue);
	tell = whom_to_tell(queue);
	hvk_unlock(hvk, &queue->lock);
	tell_them(queue, tell);
}

/* How many from the first on are for that queue. */
static uint32_t in_row(struct hvk_netvsc *nic, const struct netvsc_queue *queue,
		       struct hvk_tx_frame *const *frames, uint32_t count)
{
	uint32_t n = 1;

	count = hvk_min32(count, HVK_NETVSC_ROW);
	if (netvsc_queues_in_use(nic) <= 1)
		return count;
	while (n < count && choose_of_many(nic, frames[n]) == queue)
		n++;
	return n;
}

uint32_t hvk_netvsc_transmit_many(struct hvk_netdev *netdev, struct hvk_tx_frame *const *frames,
				  uint32_t count, enum hvk_tx_result *result)
{
	struct hvk_netvsc *nic = (struct hvk_netvsc *)netdev;
	uint32_t taken = 0;
	uint64_t touched = 0;

	*result = HVK_TX_TAKEN;
	while (taken < count && *result == HVK_TX_TAKEN) {
		struct netvsc_queue *queue = choose_queue(nic, frames[taken]);
		uint32_t row = in_row(nic, queue, frames + taken, count - taken);
		hvk_status status;

		touched |= 1ull << queue->index;
		hvk_lock(nic->hvk, &queue->lock);
		taken += put_quickly(queue, frames + taken, row, taken + row < count, &status);
		hvk_unlock(nic->hvk, &queue->lock);
		if (status == HVK_OK)
			continue;
		*result = transmit(nic, queue, frames[taken], taken + 1 < count);
		taken += *result == HVK_TX_TAKEN;
	}
	for (uint32_t i = 0; touched != 0; i++, touched >>= 1) {
		if (touched & 1)
			flush(&nic->queues[i]);
	}
	return taken;
}

void hvk_netvsc_flush(struct hvk_netdev *netdev)
{
	struct hvk_netvsc *nic = (struct hvk_netvsc *)netdev;

	for (uint32_t i = 0; i < nic->queue_count; i++)
		flush(&nic->queues[i]);
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
	tell = tx->tell_card && hvk_netvsc_kick_mark(nic) ? TELL_CARD : 0;
	tx->tell_card = false;
	hvk_unlock(nic->hvk, &queue->lock);
	tell_them(queue, tell);
	if (call && hooks->tx_ready)
		hooks->tx_ready(hooks->context, &nic->netdev);
}
