/* SPDX-License-Identifier: MIT */
/*
 * Rings in shared memory. The index that is ours is kept in private memory and only
 * shown to the host; the host's index is read, checked, used.
 */
#ifndef HVK_VMBUS_RING_H
#define HVK_VMBUS_RING_H

#include "guest/core/host_memory.h"
#include "guest/vmbus/ring_math.h"

/* Guest to host: we write. */
struct hvk_ring_out {
	struct hvk_shared control, data;
	uint32_t write;     /* ours; may be ahead of what was published */
	uint32_t published; /* the write index that the host sees */
	bool wanting;       /* pending send size is set */
	bool masked;        /* the last publishing would have been signalled, had the host not masked that */
};

/* Host to guest: we read. */
struct hvk_ring_in {
	struct hvk_shared control, data;
	uint32_t read;  /* ours; may be ahead of what was shown to the host */
	uint32_t shown; /* the read index that the host sees */
};

/* A piece of a packet. */
struct hvk_piece {
	const void *address;
	uint32_t length;
};

/* pages: control page and data of each, both zero. */
void hvk_ring_out_init(struct hvk_ring_out *ring, const struct hvk_shared *pages);
void hvk_ring_in_init(struct hvk_ring_in *ring, const struct hvk_shared *pages);

/* Writes pieces (their lengths sum to a multiple of 8) and the trailer, which the host does
 * not see before hvk_ring_publish. HVK_EAGAIN: no room, and the host has been told how much is
 * wanted. HVK_EHOST_RING_INDEX. */
hvk_status hvk_ring_stage(struct hvk_ring_out *ring, const struct hvk_piece *pieces, uint32_t count);
/* The same for the most frequent packets: descriptor and payload, padded with zeros. */
hvk_status hvk_ring_stage_plain(struct hvk_ring_out *ring, const struct vmbus_packet_descriptor *descriptor,
				const void *payload, uint32_t length);
/* Shows what was staged, and tells whether the host is to be signalled. */
bool hvk_ring_publish(struct hvk_ring_out *ring);
/* Both, for one packet. */
hvk_status hvk_ring_put(struct hvk_ring_out *ring, const struct hvk_piece *pieces, uint32_t count,
			bool *signal);
/* Raw free bytes; 0 if the host's index is invalid. */
uint32_t hvk_ring_out_free(const struct hvk_ring_out *ring);

/* Copies the next packet's descriptor and layout. HVK_EEMPTY, HVK_EHOST_*. */
hvk_status hvk_ring_peek(struct hvk_ring_in *ring, struct vmbus_packet_descriptor *descriptor,
			 struct hvk_packet_layout *layout);
/* Copies bytes of the packet that was peeked at. */
void hvk_ring_copy(const struct hvk_ring_in *ring, uint32_t offset, void *to, uint32_t length);
/* Steps over it. The host sees that only after hvk_ring_show. */
static inline void hvk_ring_skip(struct hvk_ring_in *ring, uint32_t packet_length)
{
	ring->read = hvk_ring_advance(
		ring->read, packet_length + (uint32_t)sizeof(struct vmbus_packet_trailer), ring->data.size);
}
/* Shows the host what was read, and tells whether it is to be signalled. */
hvk_status hvk_ring_show(struct hvk_ring_in *ring, bool *signal);
/* Asks the host for no signals, or for signals again; then true if there is something
 * to read, which no signal will tell. */
void hvk_ring_mask(const struct hvk_ring_in *ring);
bool hvk_ring_unmask(const struct hvk_ring_in *ring);
/* True if there is something to read. */
bool hvk_ring_unread(const struct hvk_ring_in *ring);

#endif
