/* SPDX-License-Identifier: MIT */
/*
 * lwIP over hvkit's netdev.
 *
 * Receive: the input hook copies the frame into lwIP's own buffer and hands it on at
 * once; the hook runs in hvk_poll of the CPU that runs lwIP. Transmit: the frame is
 * copied into one of NETIF_HVK_FRAMES slots in port memory, so that lwIP may do with
 * its buffer what it likes while the host reads ours. A frame that the driver has no
 * room for waits in order; tx_ready sends what waits. Without a free slot lwIP gets
 * ERR_MEM, and TCP sends again.
 */
#ifndef NET_NETIF_HVK_H
#define NET_NETIF_HVK_H

#include "hvkit/netdev.h"
#include "lwip/netif.h"

#define NETIF_HVK_FRAMES 64u
#define NETIF_HVK_FRAME_BYTES 2048u /* two to a page: none crosses one */
#define NETIF_HVK_MTU_MAX (NETIF_HVK_FRAME_BYTES - 14u)

struct netif_hvk;

struct netif_hvk_frame {
	struct hvk_tx_frame frame;
	struct hvk_buffer piece;
	uint8_t *bytes;
	struct netif_hvk *owner;
	struct netif_hvk_frame *next; /* in the free list or the queue */
};

struct netif_hvk_counters {
	uint64_t received, received_dropped; /* dropped: lwIP had no buffer */
	uint64_t sent, send_failed, queued, no_slot;
};

struct netif_hvk {
	struct netif netif;
	const struct hvk_port *port;
	struct hvk_netdev *netdev; /* NULL once gone */
	struct hvk_pages pages;
	bool shared;
	struct netif_hvk_frame frames[NETIF_HVK_FRAMES];
	struct netif_hvk_frame *free;
	struct netif_hvk_frame *queue, *queue_end; /* BUSY: waiting for tx_ready, oldest first */
	uint32_t taken;                            /* frames that the driver has */
	struct netif_hvk_counters counters;
	void *user; /* whoever added it; lwIP's callbacks find themselves by it */
};

/* Adds the interface and sets the netdev's hooks; lwIP must be started. self is
 * zeroed by the caller and stays where it is. HVK_ENOMEM, HVK_EINVAL (a frame does
 * not fit a slot). */
hvk_status netif_hvk_add(struct netif_hvk *self, const struct hvk_port *port, struct hvk_netdev *netdev);

/* Takes it off the netdev, as the netdev's gone hook does: frames that wait are dropped, the
 * interface keeps its address and has no link. */
void netif_hvk_unplug(struct netif_hvk *self);
/* Another netdev for one that is gone (its driver detached: none of our frames is taken).
 * There is no link until netif_set_link_up. */
void netif_hvk_plug_in(struct netif_hvk *self, struct hvk_netdev *netdev);

/* Takes it out of lwIP and off the netdev; frames that wait are dropped. The driver may
 * still have frames of ours. */
void netif_hvk_remove(struct netif_hvk *self);

/* Gives the slots back. HVK_ESTATE, and nothing, while the driver has frames: detach it first. */
hvk_status netif_hvk_free(struct netif_hvk *self);

#endif
