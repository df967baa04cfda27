/* SPDX-License-Identifier: MIT */
/*
 * lwIP over hvkit's netdev. Copy this file and netif_hvk.c; README.md has the rest.
 *
 * One CPU runs lwIP (NO_SYS), and its main loop is
 *
 *   for (;;) {
 *           sys_check_timeouts();
 *           hvk_poll(hvk, cpu);
 *           netif_hvk_poll(&netif);
 *           sleep, if none of these had anything to do
 *   }
 *
 * It should be hvk_netvsc_config.cpu, where queue 0 is. Frames of queues that other CPUs poll wait in
 * an inbox until netif_hvk_poll.
 *
 * Receive: a frame that was lent goes up as it is (a custom pbuf, given back by pbuf_free), another one
 * is copied once into lwIP's pool. Transmit: the frame is copied into chunks of port memory, so that
 * lwIP may do with its buffer what it likes while the host reads ours. What is sent in one turn of
 * the main loop goes together. A frame that the driver has no room for waits in order; without a free
 * chunk lwIP gets ERR_MEM, and TCP sends again.
 *
 * Checksums are the device's as far as info.enabled says so. lwIP makes no long segments, so
 * HVK_TX_TSO is not used; tagged frames are other networks' and are dropped.
 */
#ifndef NETIF_HVK_H
#define NETIF_HVK_H

#include "hvkit/netdev.h"
#include "lwip/netif.h"
#include "lwip/pbuf.h"

#if !LWIP_CHECKSUM_CTRL_PER_NETIF || !LWIP_SUPPORT_CUSTOM_PBUF
#error "lwipopts.h must have LWIP_CHECKSUM_CTRL_PER_NETIF 1 and LWIP_SUPPORT_CUSTOM_PBUF 1"
#endif

#define NETIF_HVK_CHUNKS 64u        /* frames on their way, if none is longer than a chunk */
#define NETIF_HVK_CHUNK_BYTES 2048u /* two to a page: none crosses one */
#define NETIF_HVK_PIECES 5u         /* chunks of one frame */
#define NETIF_HVK_MTU_MAX (NETIF_HVK_PIECES * NETIF_HVK_CHUNK_BYTES - 14u)
#define NETIF_HVK_LENT 256u       /* of rx_borrow as many are of use; more are copied */
#define NETIF_HVK_INBOX_PAGES 64u /* a power of two; only if there are several queues */

/* What is of use to lwIP: for hvk_netvsc_config.offloads, or (& info.capabilities)
 * hvk_netdev_set_enabled. Others do no harm. */
#define NETIF_HVK_OFFLOADS \
	(HVK_NETDEV_TX_CHECKSUMS | HVK_NETDEV_RX_CHECKSUMS | HVK_NETDEV_LRO | HVK_NETDEV_RSS)

struct netif_hvk;

/* A piece of a frame; the first one has the frame. */
struct netif_hvk_chunk {
	struct hvk_tx_frame frame;
	struct hvk_buffer pieces[NETIF_HVK_PIECES];
	uint8_t *bytes;
	uint64_t gpa;
	struct netif_hvk *owner;
	struct netif_hvk_chunk *more; /* of the same frame */
	struct netif_hvk_chunk *next; /* in a list, of frames or of free ones */
};

struct netif_hvk_lent {
	struct pbuf_custom custom; /* first: lwIP gives back a pointer to it */
	struct netif_hvk *self;
	struct hvk_netdev *netdev;
	void *owner;
	struct netif_hvk_lent *next;
};

/* Frames that other CPUs received: records in a ring of bytes. */
struct netif_hvk_inbox {
	struct hvk_pages pages;
	struct hvk_lock lock; /* among those who put */
	_Atomic bool open;
	_Atomic uint32_t head, tail; /* counted on without end; head is written under lock */
};

struct netif_hvk_counters {
	uint64_t received, received_dropped; /* dropped: lwIP had no buffer */
	uint64_t received_lent;              /* of received: not copied */
	uint64_t other_vlan;                 /* tagged, so not for us */
	_Atomic uint64_t by_inbox, inbox_full;
	_Atomic uint64_t sent, send_failed;
	uint64_t queued, no_slot;
};

struct netif_hvk {
	struct netif netif;
	const struct hvk_port *port;
	struct hvk_netdev *_Atomic netdev; /* NULL once gone */
	uint32_t cpu;                      /* the one that runs lwIP */
	uint16_t checks;    /* NETIF_CHECKSUM_*: what lwIP does itself, when nobody has looked */
	bool held;          /* frames of ours wait in the driver for company */
	bool joined;        /* a frame of many segments came in this burst */
	_Atomic bool ready; /* tx_ready came on another CPU */

	struct hvk_pages pages;
	bool shared;
	struct netif_hvk_chunk chunks[NETIF_HVK_CHUNKS];
	struct netif_hvk_chunk *free;
	uint32_t free_count;
	struct netif_hvk_chunk *_Atomic returned;  /* by the driver, on any CPU */
	struct netif_hvk_chunk *queue, *queue_end; /* BUSY: waiting for tx_ready, oldest first */
	_Atomic uint32_t taken;                    /* frames that the driver has */

	struct netif_hvk_lent lent[NETIF_HVK_LENT];
	struct netif_hvk_lent *lent_free;
	uint32_t lent_count; /* with lwIP now */

	struct netif_hvk_inbox inbox;
	struct netif_hvk_counters counters;
	void *user; /* whoever added it; lwIP's callbacks find themselves by it */
};

/* Adds the interface and sets the netdev's hooks; lwIP must be started, and the caller is the CPU that
 * runs it. self is zeroed by the caller and stays where it is. HVK_ENOMEM. */
hvk_status netif_hvk_add(struct netif_hvk *self, const struct hvk_port *port, struct hvk_netdev *netdev);

/* Each turn of the main loop, after hvk_poll: sends what was held back, hands up what other CPUs
 * received. True: there was something to do. Not in a callback. */
bool netif_hvk_poll(struct netif_hvk *self);

/* MTU, checksums and queues as info says now. After a request of yours that changed them
 * (hvk_netdev_set_mtu, _set_enabled); what the host changes is noticed. */
void netif_hvk_refresh(struct netif_hvk *self);

/* Nothing is on its way, with the driver or before it: time to detach. What lwIP still holds
 * of lent frames (segments out of order, until their connection ends) counts too. */
bool netif_hvk_idle(const struct netif_hvk *self);

/* Takes it off the netdev, as the netdev's gone hook does: frames that wait are dropped, the
 * interface keeps its address and has no link. Before the driver is detached; other CPUs may be in the
 * hooks until then. */
void netif_hvk_unplug(struct netif_hvk *self);
/* Another netdev for one that is gone (its driver detached: none of our frames is taken).
 * There is no link until netif_set_link_up. */
void netif_hvk_plug_in(struct netif_hvk *self, struct hvk_netdev *netdev);

/* Takes it out of lwIP and off the netdev; frames that wait are dropped. The driver may
 * still have frames of ours, and lwIP of the driver's. */
void netif_hvk_remove(struct netif_hvk *self);

/* Gives the memory back. HVK_ESTATE, and nothing, while the driver has frames (detach it first), or
 * lwIP has lent ones. */
hvk_status netif_hvk_free(struct netif_hvk *self);

#endif
