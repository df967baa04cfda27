/* SPDX-License-Identifier: MIT */
/*
 * A split virtqueue (virtio 1.2, 2.7) as its driver has it. The device can write all of its memory: which
 * descriptors are out, and how long they are, is kept in private. Private to guest/virtio_net.
 */
#ifndef HVK_VIRTIO_NET_VIRTQ_H
#define HVK_VIRTIO_NET_VIRTQ_H

#include "guest/core/core.h"
#include "hvkit/wire/virtio.h"

#define HVK_VIRTQ_SIZE_MAX 1024u
#define HVK_VIRTQ_CHAIN_MAX 40u

struct hvk_virtq_piece {
	uint64_t gpa;
	uint32_t length;
	bool write; /* the device writes it */
};

/* What is out under a descriptor that begins a chain. */
struct hvk_virtq_chain {
	void *cookie; /* NULL: none begins here */
	uint32_t writable;
	uint16_t count;
};

struct hvk_virtq {
	uint16_t index, size; /* size 0: there is none */
	struct hvk_pages shared_pages, private_pages;
	struct hvk_shared descriptors, available, used;
	uint64_t descriptors_gpa, available_gpa, used_gpa;
	uint16_t *next; /* of each descriptor, in its chain or in the list of free ones */
	struct hvk_virtq_chain *chains;
	uint16_t free_first, free_count;
	uint16_t available_index, used_index;
	uint16_t shown_index; /* available_index that the device was told of */
	bool event_index;     /* VIRTIO_F_EVENT_IDX */
	bool quiet;           /* no interrupts: what the flags say */
	bool broken;          /* it contradicted itself: nothing more is taken from it */
};

/* Memory for size entries, a power of two up to HVK_VIRTQ_SIZE_MAX. Task context. */
hvk_status hvk_virtq_create(struct hvk *hvk, struct hvk_virtq *queue, uint16_t index, uint16_t size,
			    bool event_index);
/* withhold: the device may still write it. */
void hvk_virtq_destroy(struct hvk *hvk, struct hvk_virtq *queue, bool withhold);

/* A chain; cookie is not NULL. HVK_EAGAIN: not so many descriptors are free. The device sees it after
 * hvk_virtq_show. */
hvk_status hvk_virtq_put(struct hvk_virtq *queue, const struct hvk_virtq_piece *pieces, uint32_t count,
			 void *cookie);
/* True: the device wants to be notified. */
bool hvk_virtq_show(struct hvk_virtq *queue);

/* A chain that the device is done with, and how many bytes it says it wrote, at most what it could.
 * HVK_EEMPTY; HVK_EHOST_VIRTIO: it gave back what it has not got (the queue is broken). */
hvk_status hvk_virtq_take(struct hvk_virtq *queue, void **cookie, uint32_t *written);
/* Any chain that is still out, for the end; NULL: none. */
void *hvk_virtq_recover(struct hvk_virtq *queue);
bool hvk_virtq_has_more(const struct hvk_virtq *queue);
/* Interrupts for the next chain on. True: there is one already, take it. */
bool hvk_virtq_await(struct hvk_virtq *queue);
/* None until then. */
void hvk_virtq_no_interrupts(struct hvk_virtq *queue);
static inline uint32_t hvk_virtq_outstanding(const struct hvk_virtq *queue)
{
	return (uint32_t)queue->size - queue->free_count;
}

#endif
