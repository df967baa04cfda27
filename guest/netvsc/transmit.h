/* SPDX-License-Identifier: MIT */
/* What the files of transmit call of each other. Private to guest/netvsc. */
#ifndef HVK_NETVSC_TRANSMIT_H
#define HVK_NETVSC_TRANSMIT_H

#include "guest/netdev/headers.h"
#include "guest/netvsc/netvsc_internal.h"

/* A frame on its way to the host: what goes before it, and what instead of its first bytes. What
 * lies behind info is not set up for a plain frame. */
struct netvsc_wire {
	struct hvk_tx_frame *frame;
	bool more;            /* another one follows at once */
	uint32_t prefix_size; /* RNDIS header and per-packet information */
	uint32_t head_length; /* of head, which goes instead of ... */
	uint32_t skip;        /* ... so many bytes of the frame */
	uint32_t found;       /* HVK_FRAME_* */
	uint32_t enabled;     /* HVK_NETDEV_*: what is made of its wishes goes by that */
	bool in_software, segmented;
	struct hvk_rndis_prefix prefix;
	struct hvk_rndis_tx_info info;
	struct hvk_headers head;
};

/* Nothing is to be done with it but to send it. */
static inline bool netvsc_is_plain(const struct hvk_tx_frame *frame)
{
	return (frame->flags & ~HVK_TX_MORE) == 0;
}

/* The size of the message, without padding. */
static inline uint32_t netvsc_wire_size(const struct netvsc_wire *wire)
{
	return wire->prefix_size + wire->head_length + wire->frame->length - wire->skip;
}

/* transmit_offload.c. HVK_EINVAL: it cannot be done. Any context. */
hvk_status hvk_netvsc_transmit_prepare(const struct hvk_netvsc *nic, struct netvsc_wire *wire);

/* transmit_life.c. Under the queue's lock; HVK_NETVSC_SENDS: none is free, tx_ready is owed. */
uint32_t hvk_netvsc_slot_take(struct netvsc_queue *queue, struct netvsc_slots *slots);
void hvk_netvsc_slot_free(struct netvsc_queue *queue, uint32_t slot);
/* Not under it: who has been marked for a kick. */
#define NETVSC_TELL_QUEUE 1u
#define NETVSC_TELL_CARD 2u
void hvk_netvsc_transmit_tell(struct netvsc_queue *queue, unsigned tell);

/* transmit.c, under the queue's lock. */
/* What became of a packet: the ring was full, or is dead. */
void hvk_netvsc_packet_failed(struct netvsc_queue *queue, hvk_status status);

/* batch.c. Under the queue's lock. Puts a message into a section, and sends it if no more is to
 * come. HVK_EAGAIN: no room. */
hvk_status hvk_netvsc_batch_put(struct netvsc_queue *queue, struct netvsc_wire *wire, bool more);
#define HVK_NETVSC_QUICK_ALIGNMENT 8u
/* Opens a section for plain frames, the first of them of that length. False: that is not for it. Only
 * while none is open; a message must follow. */
bool hvk_netvsc_batch_open(struct netvsc_queue *queue, uint32_t length);
/* Sends what the section has. more: the host is shown it by the next flush. now: its last message was put
 * there just now; anything but HVK_OK: it was alone there, and is not taken. */
hvk_status hvk_netvsc_batch_close(struct netvsc_queue *queue, bool more, bool now);
/* Sends what waits. HVK_EAGAIN: it goes on waiting. */
hvk_status hvk_netvsc_batch_flush(struct netvsc_queue *queue);
/* For what the host says that it takes. */
void hvk_netvsc_batch_limits(struct netvsc_queue *queue);

#endif
