/* SPDX-License-Identifier: MIT */
#include "guest/vmbus/ring.h"

static void split(const struct hvk_shared *pages, struct hvk_shared *control, struct hvk_shared *data)
{
	*control = hvk_shared_part(pages, 0, VMBUS_RING_CONTROL_SIZE);
	*data = hvk_shared_part(pages, VMBUS_RING_CONTROL_SIZE, pages->size - VMBUS_RING_CONTROL_SIZE);
	HVK_ASSERT(hvk_ring_size_is_valid(data->size));
}

void hvk_ring_out_init(struct hvk_ring_out *ring, const struct hvk_shared *pages)
{
	split(pages, &ring->control, &ring->data);
	ring->write = 0;
	ring->published = 0;
	ring->wanting = false;
	ring->masked = false;
	hvk_shared_store(&ring->control, VMBUS_RING_FEATURES, VMBUS_RING_FEATURE_PENDING_SEND_SIZE);
}

void hvk_ring_in_init(struct hvk_ring_in *ring, const struct hvk_shared *pages)
{
	split(pages, &ring->control, &ring->data);
	ring->read = 0;
	ring->shown = 0;
}

/* Copies into the ring at index, around its end; returns the index after it. */
static uint32_t put_bytes(const struct hvk_ring_out *ring, uint32_t index, const void *from, uint32_t length)
{
	uint32_t size = ring->data.size, first = size - index;

	if (length < first) {
		hvk_shared_write(&ring->data, index, from, length);
		return index + length;
	}
	hvk_shared_write(&ring->data, index, from, first);
	if (first < length)
		hvk_shared_write(&ring->data, 0, (const uint8_t *)from + first, length - first);
	return length - first;
}

static inline hvk_status check_room(const struct hvk_ring_out *ring, uint32_t bytes)
{
	uint32_t size = ring->data.size;
	/* Acquire: the host has finished reading what it says it has read. */
	uint32_t read = hvk_shared_load_acquire(&ring->control, VMBUS_RING_READ_INDEX);

	if (!hvk_ring_index_is_valid(read, size))
		return HVK_EHOST_RING_INDEX;
	return hvk_ring_has_room(ring->write, read, size, bytes) ? HVK_OK : HVK_EAGAIN;
}

/* Says how much room is wanted, then looks again: the host may have made room before it
 * could see that. */
static __attribute__((noinline)) hvk_status want_room(struct hvk_ring_out *ring, uint32_t bytes)
{
	ring->wanting = true;
	hvk_shared_store(&ring->control, VMBUS_RING_PENDING_SEND_SIZE, bytes);
	hvk_full_barrier();
	return check_room(ring, bytes);
}

/* For a packet and its trailer. */
static inline hvk_status find_room(struct hvk_ring_out *ring, uint32_t bytes)
{
	hvk_status status;

	HVK_ASSERT(bytes % VMBUS_PACKET_ALIGN == 0 && bytes < ring->data.size);
	status = check_room(ring, bytes);
	if (status == HVK_EAGAIN)
		status = want_room(ring, bytes);
	if (status == HVK_OK && ring->wanting) {
		ring->wanting = false;
		hvk_shared_store(&ring->control, VMBUS_RING_PENDING_SEND_SIZE, 0);
	}
	return status;
}

hvk_status hvk_ring_stage(struct hvk_ring_out *ring, const struct hvk_piece *pieces, uint32_t count)
{
	struct vmbus_packet_trailer trailer = {0, ring->write};
	uint32_t bytes = sizeof(trailer), index = ring->write;
	hvk_status status;

	for (uint32_t i = 0; i < count; i++)
		bytes += pieces[i].length;
	status = find_room(ring, bytes);
	if (status != HVK_OK)
		return status;
	for (uint32_t i = 0; i < count; i++) {
		if (pieces[i].length)
			index = put_bytes(ring, index, pieces[i].address, pieces[i].length);
	}
	hvk_shared_write(&ring->data, index, &trailer, sizeof(trailer)); /* aligned: goes around no end */
	ring->write = hvk_ring_advance(index, sizeof(trailer), ring->data.size);
	return HVK_OK;
}

static const uint8_t zeros[VMBUS_PACKET_ALIGN];

hvk_status hvk_ring_stage_plain(struct hvk_ring_out *ring, const struct vmbus_packet_descriptor *descriptor,
				const void *payload, uint32_t length)
{
	uint32_t padded = (length + VMBUS_PACKET_ALIGN - 1) & ~(VMBUS_PACKET_ALIGN - 1), at = ring->write;
	uint32_t bytes = (uint32_t)sizeof(*descriptor) + padded +
			 (uint32_t)sizeof(struct vmbus_packet_trailer);
	const struct vmbus_packet_trailer trailer = {0, at};
	hvk_status status;

	if (bytes >= ring->data.size - at) { /* around the end: in pieces */
		const struct hvk_piece pieces[3] = {
			{descriptor, sizeof(*descriptor)}, {payload, length}, {zeros, padded - length}};

		return hvk_ring_stage(ring, pieces, 3);
	}
	status = find_room(ring, bytes);
	if (status != HVK_OK)
		return status;
	hvk_shared_write(&ring->data, at, descriptor, sizeof(*descriptor));
	at += (uint32_t)sizeof(*descriptor);
	if (padded != length)
		hvk_shared_write(&ring->data, at + padded - (uint32_t)sizeof(zeros), zeros, sizeof(zeros));
	hvk_shared_write(&ring->data, at, payload, length);
	at += padded;
	hvk_shared_write(&ring->data, at, &trailer, sizeof(trailer));
	ring->write = at + (uint32_t)sizeof(trailer);
	return HVK_OK;
}

bool hvk_ring_publish(struct hvk_ring_out *ring)
{
	uint32_t before = ring->published, mask, read;

	ring->masked = false;
	if (ring->write == before)
		return false;
	ring->published = ring->write;
	hvk_shared_store_release(&ring->control, VMBUS_RING_WRITE_INDEX, ring->write);
	/* The write index must be visible before the mask and the read index are read, or
	 * both sides could think that the other one is awake. */
	hvk_full_barrier();
	mask = hvk_shared_load(&ring->control, VMBUS_RING_INTERRUPT_MASK);
	read = hvk_shared_load(&ring->control, VMBUS_RING_READ_INDEX);
	ring->masked = mask != 0 && hvk_ring_signal_after_write(0, read, before);
	return hvk_ring_signal_after_write(mask, read, before);
}

hvk_status hvk_ring_put(struct hvk_ring_out *ring, const struct hvk_piece *pieces, uint32_t count,
			bool *signal)
{
	hvk_status status = hvk_ring_stage(ring, pieces, count);

	*signal = status == HVK_OK && hvk_ring_publish(ring);
	return status;
}

uint32_t hvk_ring_out_free(const struct hvk_ring_out *ring)
{
	uint32_t read = hvk_shared_load(&ring->control, VMBUS_RING_READ_INDEX);

	if (!hvk_ring_index_is_valid(read, ring->data.size))
		return 0;
	return hvk_ring_free(ring->write, read, ring->data.size);
}

/* Copies out of the ring at offset from the read index, around its end. */
static inline void get_bytes(const struct hvk_ring_in *ring, uint32_t offset, void *to, uint32_t length)
{
	uint32_t size = ring->data.size;
	uint32_t index = hvk_ring_advance(ring->read, offset, size);
	uint32_t first = size - index;

	if (length <= first) {
		hvk_shared_read(&ring->data, index, to, length);
		return;
	}
	hvk_shared_read(&ring->data, index, to, first);
	hvk_shared_read(&ring->data, 0, (uint8_t *)to + first, length - first);
}

hvk_status hvk_ring_peek(struct hvk_ring_in *ring, struct vmbus_packet_descriptor *descriptor,
			 struct hvk_packet_layout *layout)
{
	uint32_t size = ring->data.size, used;
	uint32_t write = hvk_shared_load_acquire(&ring->control, VMBUS_RING_WRITE_INDEX);

	if (!hvk_ring_index_is_valid(write, size))
		return HVK_EHOST_RING_INDEX;
	used = hvk_ring_used(write, ring->read, size);
	if (used == 0)
		return HVK_EEMPTY;
	if (used < sizeof(*descriptor) + sizeof(struct vmbus_packet_trailer))
		return HVK_EHOST_PACKET;
	get_bytes(ring, 0, descriptor, sizeof(*descriptor));
	return hvk_packet_check(descriptor, used, layout);
}

void hvk_ring_copy(const struct hvk_ring_in *ring, uint32_t offset, void *to, uint32_t length)
{
	get_bytes(ring, offset, to, length);
}

hvk_status hvk_ring_show(struct hvk_ring_in *ring, bool *signal)
{
	uint32_t size = ring->data.size, before = ring->shown, write, pending, features;

	*signal = false;
	if (ring->read == ring->shown)
		return HVK_OK;
	ring->shown = ring->read;
	/* Release: our copies are finished before the host may write there again. */
	hvk_shared_store_release(&ring->control, VMBUS_RING_READ_INDEX, ring->read);
	hvk_full_barrier();
	pending = hvk_shared_load(&ring->control, VMBUS_RING_PENDING_SEND_SIZE);
	if (pending == 0)
		return HVK_OK;
	features = hvk_shared_load(&ring->control, VMBUS_RING_FEATURES);
	write = hvk_shared_load(&ring->control, VMBUS_RING_WRITE_INDEX);
	if (!hvk_ring_index_is_valid(write, size))
		return HVK_EHOST_RING_INDEX;
	*signal = hvk_ring_signal_after_read(features, pending, hvk_ring_free(write, before, size),
					     hvk_ring_free(write, ring->read, size));
	return HVK_OK;
}

void hvk_ring_mask(const struct hvk_ring_in *ring)
{
	hvk_shared_store(&ring->control, VMBUS_RING_INTERRUPT_MASK, 1);
	hvk_full_barrier();
}

bool hvk_ring_unread(const struct hvk_ring_in *ring)
{
	return hvk_shared_load_acquire(&ring->control, VMBUS_RING_WRITE_INDEX) != ring->read;
}

bool hvk_ring_unmask(const struct hvk_ring_in *ring)
{
	hvk_shared_store(&ring->control, VMBUS_RING_INTERRUPT_MASK, 0);
	hvk_full_barrier();
	/* What came between the last read and the unmasking was not signalled. */
	return hvk_ring_unread(ring);
}
