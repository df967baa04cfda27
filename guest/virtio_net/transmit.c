/* SPDX-License-Identifier: MIT */
/*
 * Frames to the device. Each is a chain: a slot of the driver's with the device's header and what had to be
 * changed of the frame's own, then the frame's pages; or all of it in slots, where the frame has no
 * guest-physical addresses.
 */
#include "guest/virtio_net/virtio_net_internal.h"

#define CHECKSUMS (HVK_TX_CHECKSUM_IPV4 | HVK_TX_CHECKSUM_TCP | HVK_TX_CHECKSUM_UDP)
#define TCP_CHECKSUM_AT 16u
#define UDP_CHECKSUM_AT 6u
#define HEADER ((uint32_t)sizeof(struct virtio_net_header))

/* What goes into the slots of a frame. */
struct outgoing {
	const struct hvk_tx_frame *frame;
	struct virtio_net_header header;
	struct hvk_headers head; /* head.length bytes stand for the frame's first skip; 0: none do */
	uint32_t head_length, skip;
	uint32_t bytes; /* of the slots */
	bool in_software, checksummed, segmented, by_page;
};

/* --- The end ---------------------------------------------------------------------------- */

static void finish(struct virtio_net_pair *pair, struct hvk_tx_frame *frame, hvk_status status)
{
	frame->done(frame, status, frame->context);
	__atomic_fetch_sub(&pair->outstanding, 1, __ATOMIC_SEQ_CST);
}

/* Frames that are still out: the device is quiet, or has vanished. */
static void cancel_frames(struct virtio_net_pair *pair)
{
	struct hvk_tx_frame *frame;

	for (uint32_t i = 0; i < pair->slot_count; i++) {
		hvk_lock(pair->device->hvk, &pair->lock);
		frame = pair->slots[i].frame;
		pair->slots[i].frame = NULL;
		if (frame)
			HVK_VIRTIO_NET_COUNT(pair->counters.tx_errors);
		hvk_unlock(pair->device->hvk, &pair->lock);
		if (frame)
			finish(pair, frame, HVK_ECANCELED);
	}
}

/* Whoever flushes on another CPU finds a queue that is whole, or none. */
void hvk_virtio_net_transmit_stop(struct virtio_net_pair *pair, bool withhold)
{
	struct hvk *hvk = pair->device->hvk;
	struct hvk_pages slot_memory, slot_pages;
	struct hvk_virtq queue;

	cancel_frames(pair);
	hvk_lock(hvk, &pair->lock);
	queue = pair->tx;
	slot_memory = pair->slot_memory;
	slot_pages = pair->slot_pages;
	pair->tx = (struct hvk_virtq){0};
	pair->slot_memory = pair->slot_pages = (struct hvk_pages){0};
	pair->slots = NULL;
	pair->slot_count = pair->free_slot_count = 0;
	pair->unshown = pair->waits = false;
	hvk_unlock(hvk, &pair->lock);
	if (withhold)
		(void)hvk_pages_quarantine(hvk, &slot_memory);
	else
		hvk_pages_put(hvk, &slot_memory);
	hvk_pages_put(hvk, &slot_pages);
	hvk_virtq_destroy(hvk, &queue, withhold);
}

/* --- Offloads --------------------------------------------------------------------------- */

static uint32_t transport_capability(const struct hvk_headers *headers)
{
	if (headers->protocol == HVK_IP_UDP)
		return headers->ipv6 ? HVK_NETDEV_TX_UDP6 : HVK_NETDEV_TX_UDP4;
	return headers->ipv6 ? HVK_NETDEV_TX_TCP6 : HVK_NETDEV_TX_TCP4;
}

/* The device adds the sum of what follows to that of the pseudo-header, which it finds in the field. */
static void ask_for_checksum(struct outgoing *out, uint32_t length)
{
	struct hvk_headers *head = &out->head;

	hvk_headers_set_checksum(head, hvk_headers_pseudo(head, length));
	out->header.flags |= VIRTIO_NET_HEADER_NEEDS_CHECKSUM;
	out->header.checksum_start = (uint16_t)head->transport;
	out->header.checksum_offset = head->protocol == HVK_IP_UDP ? UDP_CHECKSUM_AT : TCP_CHECKSUM_AT;
	out->checksummed = true;
}

static bool segment(const struct hvk_virtio_net *device, struct outgoing *out, uint32_t enabled)
{
	const struct hvk_netdev_info *info = &device->netdev.info;
	struct hvk_headers *head = &out->head;
	uint32_t size = out->frame->segment_size, payload = out->frame->length - head->payload;

	if (!(enabled & (head->ipv6 ? HVK_NETDEV_TSO6 : HVK_NETDEV_TSO4)) || size == 0 ||
	    payload > info->tso_bytes_max || head->payload - head->network + size > info->mtu)
		return false;
	hvk_headers_set_length(head, out->frame->length - head->transport);
	if (!head->ipv6)
		hvk_headers_compute_ipv4_checksum(head);
	ask_for_checksum(out, out->frame->length - head->transport);
	if (payload <= size)
		return true; /* one segment: no more than its checksum */
	out->header.segmentation = head->ipv6 ? VIRTIO_NET_SEGMENTATION_TCP6 : VIRTIO_NET_SEGMENTATION_TCP4;
	out->header.segment_size = (uint16_t)size;
	out->header.header_length = (uint16_t)head->payload;
	out->segmented = true;
	return true;
}

static bool fill_in(const struct hvk_virtio_net *device, struct outgoing *out, uint32_t enabled)
{
	const struct hvk_tx_frame *frame = out->frame;
	struct hvk_headers *head = &out->head;
	uint32_t length;

	if (!hvk_headers_find(frame, head))
		return false;
	if (frame->flags & HVK_TX_TSO)
		return segment(device, out, enabled);
	if (frame->flags & HVK_TX_CHECKSUM_IPV4) {
		hvk_headers_compute_ipv4_checksum(head);
		out->in_software = true;
	}
	if (!(frame->flags & (HVK_TX_CHECKSUM_TCP | HVK_TX_CHECKSUM_UDP)))
		return true;
	length = hvk_headers_transport_length(head, frame->length);
	if (length == 0)
		return false;
	if (enabled & transport_capability(head)) {
		ask_for_checksum(out, length);
		return true;
	}
	out->in_software = true;
	return hvk_headers_compute_checksum(head, frame, head->payload, length);
}

/* False: what is asked for cannot be done. */
static bool prepare(const struct hvk_virtio_net *device, struct outgoing *out)
{
	const struct hvk_tx_frame *frame = out->frame;
	uint32_t enabled = __atomic_load_n(&device->netdev.info.enabled, __ATOMIC_RELAXED);

	if (!(frame->flags & (CHECKSUMS | HVK_TX_TSO | HVK_TX_VLAN)))
		return true;
	if (!hvk_headers_copy(frame, &out->head))
		return false;
	if (!(frame->flags & (CHECKSUMS | HVK_TX_TSO)))
		out->head.length = HVK_ETHERNET_HEADER;
	else if (!fill_in(device, out, enabled))
		return false;
	out->skip = out->head.length;
	if (frame->flags & HVK_TX_VLAN) {
		hvk_headers_insert_tag(&out->head, frame->vlan_tag);
		if (out->header.flags & VIRTIO_NET_HEADER_NEEDS_CHECKSUM)
			out->header.checksum_start = (uint16_t)out->head.transport;
		if (out->segmented)
			out->header.header_length = (uint16_t)out->head.payload;
		out->in_software = true;
	}
	out->head_length = out->head.length;
	return true;
}

/* --- One frame -------------------------------------------------------------------------- */

/* The frame's own bytes, behind what stands for its first ones. */
static void copy(struct virtio_net_pair *pair, const struct outgoing *out)
{
	uint32_t at = HEADER + out->head_length, skip = out->skip;

	for (uint32_t i = 0; i < out->frame->piece_count; i++) {
		const struct hvk_buffer *piece = &out->frame->pieces[i];
		uint32_t from = hvk_min32(skip, piece->length);

		skip -= from;
		if (piece->length == from)
			continue;
		hvk_virtio_net_slots_write(pair, at, (const uint8_t *)piece->address + from,
					   piece->length - from);
		at += piece->length - from;
	}
}

static void write_slots(struct virtio_net_pair *pair, const struct outgoing *out)
{
	hvk_virtio_net_slots_write(pair, 0, &out->header, HEADER);
	if (out->head_length != 0)
		hvk_virtio_net_slots_write(pair, HEADER, out->head.bytes, out->head_length);
	if (!out->by_page)
		copy(pair, out);
}

/* Pieces of memory, the frame's but for its first bytes, as they lie there; 0: it cannot be shown so. */
static uint32_t cut(const struct outgoing *out, struct hvk_virtq_piece *pieces, uint32_t max, bool *possible)
{
	const struct hvk_tx_frame *frame = out->frame;
	uint32_t count = 0, skip = out->skip;

	*possible = true;
	for (uint32_t i = 0; i < frame->piece_count && *possible; i++) {
		const struct hvk_buffer *piece = &frame->pieces[i];
		uint32_t from = hvk_min32(skip, piece->length);

		skip -= from;
		if (piece->length == from)
			continue;
		*possible = piece->gpa != 0 && count < max;
		if (*possible)
			pieces[count++] = (struct hvk_virtq_piece){piece->gpa + from, piece->length - from,
								   false};
	}
	return count;
}

/* What the slots have to hold, and where the frame's own memory goes behind them; returns the pieces of
 * that. False: it has to be copied, and cannot. */
static bool look_at_memory(struct virtio_net_pair *pair, struct outgoing *out, bool copyable, uint32_t *count)
{
	uint32_t max = hvk_min32(pair->tx.size - 1u, HVK_FRAME_PIECES_MAX);

	*count = cut(out, pair->pieces + 1, max, &out->by_page);
	out->bytes = HEADER + out->head_length;
	if (out->by_page)
		return true;
	*count = 0;
	out->bytes += out->frame->length - out->skip;
	return copyable && VIRTIO_NET_SLOTS_OF(out->bytes) <= pair->slot_count;
}

static void count_frame(struct virtio_net_pair *pair, const struct outgoing *out)
{
	struct hvk_netdev_counters *counters = &pair->counters;

	HVK_VIRTIO_NET_COUNT(counters->tx_frames);
	HVK_VIRTIO_NET_ADD(counters->tx_bytes, out->frame->length);
	HVK_VIRTIO_NET_ADD(counters->tx_copied, !out->by_page);
	HVK_VIRTIO_NET_ADD(counters->tx_by_page, out->by_page);
	HVK_VIRTIO_NET_COUNT(counters->tx_packets);
	HVK_VIRTIO_NET_ADD(counters->tx_checksummed, out->checksummed);
	HVK_VIRTIO_NET_ADD(counters->tx_in_software, out->in_software);
	HVK_VIRTIO_NET_ADD(counters->tx_segmented, out->segmented);
}

/* Under lock. */
static enum hvk_tx_result busy(struct virtio_net_pair *pair, uint64_t *why)
{
	pair->waits = true;
	HVK_VIRTIO_NET_COUNT(*why);
	HVK_VIRTIO_NET_COUNT(pair->counters.tx_busy);
	return HVK_TX_BUSY;
}

/* Under lock: the frame is ready, and goes into the ring. */
static enum hvk_tx_result put_ready(struct virtio_net_pair *pair, struct hvk_tx_frame *frame,
				    struct outgoing *out, uint32_t count)
{
	uint32_t slots = VIRTIO_NET_SLOTS_OF(out->bytes);

	if (slots > pair->free_slot_count)
		return busy(pair, &pair->counters.tx_no_slot);
	write_slots(pair, out);
	count += hvk_virtio_net_slots_show(pair, out->bytes, pair->pieces);
	if (hvk_virtq_put(&pair->tx, pair->pieces, count, hvk_virtio_net_slots_next(pair)) != HVK_OK)
		return busy(pair, &pair->counters.tx_ring_full);
	hvk_virtio_net_slots_take(pair, slots, frame);
	pair->unshown = true;
	__atomic_fetch_add(&pair->outstanding, 1, __ATOMIC_SEQ_CST);
	count_frame(pair, out);
	return HVK_TX_TAKEN;
}

/* Under lock. */
static enum hvk_tx_result put(struct virtio_net_pair *pair, struct hvk_tx_frame *frame, uint32_t look)
{
	struct outgoing out;
	uint32_t count;

	if (pair->dead || !virtio_net_flag(&pair->device->open))
		return HVK_TX_GONE;
	if (pair->free_slot_count == 0)
		return busy(pair, &pair->counters.tx_no_slot);
	out.frame = frame;
	out.header = (struct virtio_net_header){0};
	out.head_length = out.skip = 0;
	out.in_software = out.checksummed = out.segmented = out.by_page = false;
	if (!prepare(pair->device, &out) ||
	    !look_at_memory(pair, &out, (look & HVK_FRAME_COPYABLE) != 0, &count))
		return HVK_TX_GONE;
	return put_ready(pair, frame, &out, count);
}

/* Under lock. */
static void show(struct virtio_net_pair *pair)
{
	if (!pair->unshown)
		return;
	pair->unshown = false;
	if (hvk_virtq_show(&pair->tx))
		hvk_virtio_notify(&pair->device->transport, &pair->tx, pair->tx_notify);
}

static struct virtio_net_pair *pair_of(struct hvk_virtio_net *device, const struct hvk_tx_frame *frame)
{
	uint32_t pairs = __atomic_load_n(&device->pair_count, __ATOMIC_ACQUIRE), cpu;

	if (pairs <= 1)
		return &device->pairs[0];
	if (frame->flags & HVK_TX_HASH)
		return &device->pairs[frame->hash % pairs];
	cpu = hvk_cpu_index(device->hvk);
	for (uint32_t i = 0; i < pairs; i++) {
		if (device->pairs[i].cpu == cpu)
			return &device->pairs[i];
	}
	return &device->pairs[cpu % pairs];
}

/* *kept: this frame is the first that the device was not told of. */
static enum hvk_tx_result transmit(struct virtio_net_pair *pair, struct hvk_tx_frame *frame, bool more,
				   bool *kept)
{
	struct hvk_virtio_net *device = pair->device;
	bool long_one = (frame->flags & HVK_TX_TSO) != 0;
	uint32_t look = hvk_frame_look(frame,
				       long_one ? VIRTIO_NET_JOINED_MAX : device->netdev.info.frame_max);
	enum hvk_tx_result result = HVK_TX_GONE;

	hvk_lock(device->hvk, &pair->lock);
	*kept = !pair->unshown;
	if (look & HVK_FRAME_VALID)
		result = put(pair, frame, look);
	if (result == HVK_TX_GONE)
		HVK_VIRTIO_NET_COUNT(pair->counters.tx_errors);
	if (!more || result != HVK_TX_TAKEN)
		show(pair);
	*kept = *kept && pair->unshown;
	hvk_unlock(device->hvk, &pair->lock);
	return result;
}

enum hvk_tx_result hvk_virtio_net_transmit(struct hvk_netdev *netdev, struct hvk_tx_frame *frame)
{
	struct hvk_virtio_net *device = (struct hvk_virtio_net *)(void *)netdev;
	struct virtio_net_pair *pair = pair_of(device, frame);
	enum hvk_tx_result result;
	bool kept;

	result = transmit(pair, frame, (frame->flags & HVK_TX_MORE) != 0, &kept);
	if (kept) /* shown by the poller, at the latest */
		hvk_poller_kick(device->hvk, &pair->poller);
	return result;
}

void hvk_virtio_net_flush(struct hvk_netdev *netdev)
{
	struct hvk_virtio_net *device = (struct hvk_virtio_net *)(void *)netdev;

	for (uint32_t i = 0; i < __atomic_load_n(&device->pair_count, __ATOMIC_ACQUIRE); i++) {
		hvk_lock(device->hvk, &device->pairs[i].lock);
		show(&device->pairs[i]);
		hvk_unlock(device->hvk, &device->pairs[i].lock);
	}
}

uint32_t hvk_virtio_net_transmit_many(struct hvk_netdev *netdev, struct hvk_tx_frame *const *frames,
				      uint32_t count, enum hvk_tx_result *result)
{
	struct hvk_virtio_net *device = (struct hvk_virtio_net *)(void *)netdev;
	uint32_t taken = 0;

	*result = HVK_TX_TAKEN;
	while (taken < count && *result == HVK_TX_TAKEN) {
		bool kept;

		*result = transmit(pair_of(device, frames[taken]), frames[taken], true, &kept);
		taken += *result == HVK_TX_TAKEN;
	}
	hvk_virtio_net_flush(netdev);
	return taken;
}

uint32_t hvk_virtio_net_outstanding(struct hvk_netdev *netdev)
{
	struct hvk_virtio_net *device = (struct hvk_virtio_net *)(void *)netdev;
	uint32_t outstanding = 0;

	for (uint32_t i = 0; i < device->pair_max; i++)
		outstanding += __atomic_load_n(&device->pairs[i].outstanding, __ATOMIC_SEQ_CST);
	return outstanding;
}

/* --- Coming back ------------------------------------------------------------------------ */

/* Under lock: one frame that is done, NULL if there is none. */
static struct hvk_tx_frame *take_done(struct virtio_net_pair *pair)
{
	struct hvk_tx_frame *frame = NULL;
	void *cookie = NULL;
	uint32_t written;
	hvk_status status = hvk_virtq_take(&pair->tx, &cookie, &written);

	if (status == HVK_OK)
		frame = hvk_virtio_net_slots_give_back(pair, cookie);
	else if (status != HVK_EEMPTY)
		pair->dead = true;
	return frame;
}

static bool next_done(struct virtio_net_pair *pair, struct hvk_tx_frame **frame, bool *died)
{
	hvk_lock(pair->device->hvk, &pair->lock);
	*frame = pair->dead ? NULL : take_done(pair);
	*died = *frame == NULL && pair->dead;
	hvk_unlock(pair->device->hvk, &pair->lock);
	return *frame != NULL;
}

bool hvk_virtio_net_reclaim(struct virtio_net_pair *pair)
{
	struct hvk_netdev *netdev = &pair->device->netdev;
	struct hvk_tx_frame *frame;
	bool ready, more = false, died = false;
	uint32_t count = 0;

	hvk_lock(pair->device->hvk, &pair->lock);
	hvk_virtq_no_interrupts(&pair->tx);
	hvk_unlock(pair->device->hvk, &pair->lock);
	while (count < VIRTIO_NET_BUDGET && next_done(pair, &frame, &died)) {
		finish(pair, frame, HVK_OK);
		count++;
	}
	if (died)
		hvk_virtio_net_break(pair->device, "the transmit queue contradicts itself");
	hvk_lock(pair->device->hvk, &pair->lock);
	show(pair);
	ready = pair->waits && count != 0;
	if (ready)
		pair->waits = false;
	if (!pair->dead)
		more = pair->device->config.polled ? hvk_virtq_has_more(&pair->tx)
						   : hvk_virtq_await(&pair->tx);
	hvk_unlock(pair->device->hvk, &pair->lock);
	if (ready && netdev->hooks.tx_ready)
		netdev->hooks.tx_ready(netdev->hooks.context, netdev);
	return more;
}
