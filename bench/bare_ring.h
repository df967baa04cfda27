/* SPDX-License-Identifier: MIT */
/*
 * A ring and nothing above it: what is written to it and read from it by guest/vmbus/ring.c alone.
 * The other side is raw: a consumer that only moves the read index, a producer that has written its
 * packets already.
 */
#ifndef BENCH_BARE_RING_H
#define BENCH_BARE_RING_H

#include "guest/vmbus/ring.h"

#define BARE_HEADER ((uint32_t)sizeof(struct vmbus_packet_descriptor))
#define BARE_TRAILER ((uint32_t)sizeof(struct vmbus_packet_trailer))

struct bare_ring {
	struct hvk_shared pages;
	uint8_t *data;
	uint32_t data_size;
	uint8_t *payload, *to;   /* what is sent, where it is received */
	uint32_t length, packet; /* payload; in the ring, all included */
};

/* Memory for packets with up to largest bytes of payload. */
void bare_ring_create(struct bare_ring *ring, uint32_t pages, uint32_t largest);
void bare_ring_destroy(struct bare_ring *ring);
/* Payload of the packets from now on, rounded up to eight. */
void bare_ring_set_length(struct bare_ring *ring, uint32_t length);

/* The indices, from zero on. */
void bare_ring_clear(struct bare_ring *ring);
void bare_ring_show(struct bare_ring *ring, uint32_t control_offset, uint32_t index);
/* Raw: descriptors one behind the other, all around. Returns the write index after them. */
uint32_t bare_ring_produce(const struct bare_ring *ring, uint32_t index, uint32_t packets);
struct vmbus_packet_descriptor bare_ring_descriptor(const struct bare_ring *ring);

/* The loops: packets sent, each told to the host or all at once; received, and shown to it then. */
void bare_ring_send(struct bare_ring *ring, struct hvk_ring_out *out, uint32_t packets, bool each);
void bare_ring_receive(struct bare_ring *ring, struct hvk_ring_in *in, uint32_t packets);

#endif
