/* SPDX-License-Identifier: MIT */
/*
 * Frames to the host. Those that fit are copied to a section of the send buffer; the
 * others go as a list of guest pages, behind a header in shared memory of our own.
 *
 * All of it is done under the queue's lock, the sending too: frames of one flow must reach the
 * ring in the order in which they came, and the ring has but one writer at a time anyhow.
 */
#include "guest/netvsc/transmit.h"

HVK_STATIC_ASSERT(HVK_RNDIS_PREFIX_MAX + HVK_HEADERS_MAX + HVK_HEADERS_TAG <= HVK_NETVSC_HEADER_SIZE,
		  "what goes before the payload fits into its slot");

#define LOOKS_MAX 4u /* at a frame while the card is changed; then it cannot be sent */

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
	if (!by_section && queue->index != 0 && tx->section_size == 0 && !can_go_by_pages(wire))
		return HVK_EGONE; /* it needs a section, and queue 0 may have one */
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
static unsigned whom_to_tell(struct netvsc_queue *queue)
{
	struct netvsc_transmit *tx = &queue->tx;
	unsigned tell = 0;

	/* Frames that wait go at the end of this poll at the latest. */
	if ((tx->batch.count != 0 || tx->staged) && !__atomic_load_n(&tx->polling, __ATOMIC_RELAXED) &&
	    hvk_netvsc_queue_kick_mark(queue))
		tell |= NETVSC_TELL_QUEUE;
	if (tx->tell_card && hvk_netvsc_kick_mark(queue->nic))
		tell |= NETVSC_TELL_CARD;
	tx->tell_card = false;
	return tell;
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
			hvk_netvsc_transmit_tell(queue, tell);
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
	if (status == HVK_EGONE && queue->index != 0) /* closed since it was chosen, or without sections */
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
		hvk_netvsc_transmit_tell(queue, tell);
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
	hvk_netvsc_transmit_tell(queue, tell);
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
