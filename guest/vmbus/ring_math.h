/* SPDX-License-Identifier: MIT */
/*
 * Ring arithmetic and packet checks: pure functions on private copies, so that they
 * can be proved (tests/proofs) for every value that a peer can write.
 */
#ifndef HVK_VMBUS_RING_MATH_H
#define HVK_VMBUS_RING_MATH_H

#include <stdbool.h>
#include <stdint.h>

#include "guest/core/assert.h"
#include "hvkit/status.h"
#include "hvkit/wire/ring.h"

#define HVK_RING_SIZE_MAX (8190u * HVK_PAGE_SIZE)

static inline bool hvk_ring_size_is_valid(uint32_t size)
{
	return size >= HVK_PAGE_SIZE && size <= HVK_RING_SIZE_MAX && size % HVK_PAGE_SIZE == 0;
}

/* An index that the peer wrote: inside the data and on a packet boundary. */
static inline bool hvk_ring_index_is_valid(uint32_t index, uint32_t size)
{
	return index < size && index % VMBUS_PACKET_ALIGN == 0;
}

/* Bytes written and not read. */
static inline uint32_t hvk_ring_used(uint32_t write, uint32_t read, uint32_t size)
{
	HVK_ASSERT(write < size && read < size);
	return write >= read ? write - read : size - (read - write);
}

/* Raw free: an empty ring has all of its size free, though the last byte is never
 * filled. */
static inline uint32_t hvk_ring_free(uint32_t write, uint32_t read, uint32_t size)
{
	return size - hvk_ring_used(write, read, size);
}

static inline uint32_t hvk_ring_advance(uint32_t index, uint32_t by, uint32_t size)
{
	HVK_ASSERT(index < size && by <= size);
	return by < size - index ? index + by : by - (size - index);
}

/* Room for a packet with its trailer: full would look like empty. */
static inline bool hvk_ring_has_room(uint32_t write, uint32_t read, uint32_t size, uint32_t bytes)
{
	return hvk_ring_free(write, read, size) > bytes;
}

/* Signal after a write (Linux, FreeBSD, OpenVMM agree): the reader wants signals and
 * the ring was empty before, by the read index read after the barrier. */
static inline bool hvk_ring_signal_after_write(uint32_t mask, uint32_t read_now, uint32_t write_before)
{
	return mask == 0 && read_now == write_before;
}

/* Signal after a read: a writer waits for this much room, and it has come just now.
 * Both are raw free with the same write index. The interrupt mask has no say. */
static inline bool hvk_ring_signal_after_read(uint32_t features, uint32_t pending, uint32_t free_before,
					      uint32_t free_after)
{
	return (features & VMBUS_RING_FEATURE_PENDING_SEND_SIZE) != 0 && pending != 0 &&
	       free_before <= pending && pending < free_after;
}

/* Where things are in a packet whose descriptor was copied out of the ring. */
struct hvk_packet_layout {
	uint32_t length;           /* without the trailer */
	uint32_t extension_length; /* between descriptor and payload */
	uint32_t payload_offset;
	uint32_t payload_length;
};

/* used: bytes readable in the ring, the packet and its trailer among them. */
static inline hvk_status hvk_packet_check(const struct vmbus_packet_descriptor *descriptor, uint32_t used,
					  struct hvk_packet_layout *layout)
{
	uint32_t header = (uint32_t)descriptor->header_length8 * 8u;
	uint32_t length = (uint32_t)descriptor->length8 * 8u;

	if (header < sizeof(*descriptor) || length < header)
		return HVK_EHOST_PACKET;
	if (used < sizeof(struct vmbus_packet_trailer) ||
	    length > used - (uint32_t)sizeof(struct vmbus_packet_trailer))
		return HVK_EHOST_PACKET;
	if (descriptor->type != VMBUS_PACKET_IN_BAND && descriptor->type != VMBUS_PACKET_TRANSFER_PAGES &&
	    descriptor->type != VMBUS_PACKET_GPA_DIRECT && descriptor->type != VMBUS_PACKET_COMPLETION)
		return HVK_EHOST_PACKET_TYPE;
	layout->length = length;
	layout->extension_length = header - (uint32_t)sizeof(*descriptor);
	layout->payload_offset = header;
	layout->payload_length = length - header;
	return HVK_OK;
}

#endif
