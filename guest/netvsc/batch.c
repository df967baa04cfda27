/* SPDX-License-Identifier: MIT */
/*
 * Messages in sections. While more frames follow (HVK_TX_MORE) their messages are put into one
 * section, one behind the other, within what the host takes: so many of them, so many bytes,
 * each begun at a multiple of its alignment. A message that another one may follow is padded with
 * zeros, which its length counts (Linux, FreeBSD). One completion finishes them all.
 */
#include "guest/netvsc/transmit.h"

#define ALIGNMENT_MIN 4u         /* hosts that say less mean that (FreeBSD) */
#define ALIGNMENT_FACTOR_MAX 12u /* of a page: whoever says more gets one message at a time */

void hvk_netvsc_batch_limits(struct netvsc_queue *queue)
{
	const struct hvk_netvsc *nic = queue->nic;
	struct netvsc_transmit *tx = &queue->tx;
	uint32_t most = nic->device.max_packets, factor = nic->device.alignment_factor;

	if (nic->config.tx_batch_max != 0)
		most = hvk_min32(most, nic->config.tx_batch_max);
	if (most == 0 || factor > ALIGNMENT_FACTOR_MAX)
		most = 1;
	tx->batch_max = most;
	tx->batch_bytes = hvk_min32(tx->section_size, nic->device.max_transfer_size);
	tx->alignment = most == 1 || 1u << factor < ALIGNMENT_MIN ? ALIGNMENT_MIN : 1u << factor;
}

/* more: the host need not see it yet. */
static hvk_status send(struct netvsc_queue *queue, bool more)
{
	struct netvsc_transmit *tx = &queue->tx;
	struct netvsc_send *sent = &tx->sends[tx->batch.slot];
	struct hvk_nvs_message message;
	hvk_status status;

	hvk_nvs_build_rndis(&message, queue->nic->nvs_version, NVS_CHANNEL_DATA,
			    tx->section_first + tx->batch.slot, tx->batch.bytes);
	if (more)
		status = hvk_channel_stage(queue->channel, message.bytes, message.size, sent);
	else
		status = hvk_channel_send(queue->channel, message.bytes, message.size, true, sent);
	if (status != HVK_OK) {
		hvk_netvsc_packet_failed(queue, status);
		return status;
	}
	queue->counters.tx_packets++;
	tx->staged = more;
	tx->batch.count = 0;
	return HVK_OK;
}

hvk_status hvk_netvsc_batch_flush(struct netvsc_queue *queue)
{
	struct netvsc_transmit *tx = &queue->tx;

	tx->quick_count = 0;
	if (tx->batch.count != 0)
		return send(queue, false);
	if (tx->staged)
		hvk_channel_show(queue->channel);
	tx->staged = false;
	return HVK_OK;
}

static hvk_status begin(struct netvsc_queue *queue)
{
	struct netvsc_transmit *tx = &queue->tx;
	uint32_t slot = hvk_netvsc_slot_take(queue, &tx->section_slots);

	if (slot == HVK_NETVSC_SENDS)
		return HVK_EAGAIN;
	tx->batch.slot = slot;
	tx->batch.bytes = 0;
	tx->batch.at = slot * tx->section_size;
	tx->batch.last = &tx->sends[slot].first;
	return HVK_OK;
}

/* --- Plain frames ---------------------------------------------------------------------------- */

/* As long as they go by section, and zeros behind them are fewer than eight. */
static uint32_t quick_bytes(const struct netvsc_queue *queue)
{
	const struct hvk_netvsc *nic = queue->nic;
	const struct netvsc_transmit *tx = &queue->tx;
	uint32_t around = (uint32_t)sizeof(struct rndis_packet) + HVK_NETVSC_QUICK_ALIGNMENT;

	if (tx->alignment > HVK_NETVSC_QUICK_ALIGNMENT || tx->batch_bytes < around)
		return 0;
	return hvk_min32(hvk_min32(nic->config.copy_max, nic->netdev.info.frame_max),
			 tx->batch_bytes - around);
}

bool hvk_netvsc_batch_open(struct netvsc_queue *queue, uint32_t length)
{
	struct netvsc_transmit *tx = &queue->tx;

	if (tx->state != NETVSC_TX_OPEN || tx->batch.count != 0 || tx->section_slots.count == 0 ||
	    netvsc_lost(queue->nic) != HVK_OK)
		return false;
	tx->quick_bytes = quick_bytes(queue);
	if (length > tx->quick_bytes || begin(queue) != HVK_OK)
		return false;
	tx->quick_count = tx->batch_max;
	return true;
}

hvk_status hvk_netvsc_batch_close(struct netvsc_queue *queue, bool more, bool now)
{
	struct netvsc_transmit *tx = &queue->tx;
	bool alone = now && tx->batch.count == 1;
	hvk_status status = send(queue, more);

	tx->quick_count = 0;
	if (status == HVK_OK || !alone)
		return HVK_OK; /* what waits with others goes when there is room */
	tx->batch.count = 0;
	hvk_netvsc_slot_free(queue, tx->batch.slot);
	return status;
}

/* --- Any frames ------------------------------------------------------------------------------- */

/* Header and frame of a frame without wishes. */
static void write_plain(const struct hvk_shared *sections, uint32_t at, const struct hvk_tx_frame *frame,
			uint32_t padding)
{
	const struct rndis_packet packet = {
		.header = {RNDIS_MSG_PACKET, (uint32_t)sizeof(packet) + frame->length + padding},
		.data_offset = (uint32_t)sizeof(packet) - RNDIS_OFFSET_BASE,
		.data_length = frame->length,
	};

	hvk_shared_write(sections, at, &packet, sizeof(packet));
	if (frame->piece_count == 1)
		hvk_shared_write(sections, at + (uint32_t)sizeof(packet), frame->pieces[0].address,
				 frame->length);
	else
		hvk_frame_copy(frame, 0, sections, at + (uint32_t)sizeof(packet));
}

static void write_wire(const struct hvk_shared *sections, uint32_t at, struct netvsc_wire *wire,
		       uint32_t padding)
{
	wire->prefix.words[1] += padding;
	hvk_shared_write(sections, at, wire->prefix.words, wire->prefix_size);
	wire->prefix.words[1] -= padding;
	at += wire->prefix_size;
	if (wire->head_length != 0)
		hvk_shared_write(sections, at, wire->head.bytes, wire->head_length);
	hvk_frame_copy(wire->frame, wire->skip, sections, at + wire->head_length);
}

static void append(struct netvsc_queue *queue, struct netvsc_wire *wire, uint32_t size, uint32_t padding)
{
	struct netvsc_transmit *tx = &queue->tx;
	uint32_t at = tx->batch.at + tx->batch.bytes;

	if (wire->prefix_size == sizeof(struct rndis_packet) && wire->head_length == 0)
		write_plain(&tx->sections, at, wire->frame, padding);
	else
		write_wire(&tx->sections, at, wire, padding);
	if (padding != 0)
		hvk_shared_zero(&tx->sections, at + size, padding);
	wire->frame->next = NULL;
	*tx->batch.last = wire->frame;
	tx->batch.last = &wire->frame->next;
	tx->batch.bytes += size + padding;
	tx->batch.count++;
}

hvk_status hvk_netvsc_batch_put(struct netvsc_queue *queue, struct netvsc_wire *wire, bool more)
{
	struct netvsc_transmit *tx = &queue->tx;
	uint32_t size = netvsc_wire_size(wire), padding = 0;
	hvk_status status = HVK_OK;

	if (more && tx->batch_max > 1)
		padding = (0u - size) & (tx->alignment - 1);
	if (tx->batch.count != 0 &&
	    (tx->batch.count >= tx->batch_max || tx->batch.bytes % tx->alignment != 0 ||
	     !hvk_fits(tx->batch.bytes, size, tx->batch_bytes)))
		status = hvk_netvsc_batch_flush(queue);
	if (status != HVK_OK)
		return status;
	if (tx->batch.count == 0)
		status = begin(queue);
	if (status != HVK_OK)
		return status;
	if (!hvk_fits(tx->batch.bytes + size, padding, tx->batch_bytes))
		padding = 0; /* nothing follows it */
	append(queue, wire, size, padding);
	/* One that is longer alone than several may be goes alone. */
	if (more && tx->batch.count < tx->batch_max && tx->batch.bytes <= tx->batch_bytes &&
	    tx->batch.bytes % tx->alignment == 0) {
		tx->quick_count = tx->batch_max - tx->batch.count;
		tx->quick_bytes = quick_bytes(queue);
		return HVK_OK;
	}
	return hvk_netvsc_batch_close(queue, more, true);
}
