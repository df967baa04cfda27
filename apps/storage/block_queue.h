/* SPDX-License-Identifier: MIT */
/*
 * Reading and writing a block device from one task that waits: a number of slots, each a request
 * with memory of its own, that are filled, submitted and waited for. Several may be under way at
 * once; with one slot it is a plain "read these blocks".
 *
 *   block_queue_open(&queue, &config);
 *   slot = block_queue_slot(&queue, n);
 *   block_queue_submit(&queue, slot, HVK_BLOCK_READ, 0, block, count);
 *   status = block_queue_wait(&queue, slot);       slot->data has the blocks
 *   block_queue_close(&queue);
 */
#ifndef STORAGE_BLOCK_QUEUE_H
#define STORAGE_BLOCK_QUEUE_H

#include <stdatomic.h>

#include "hvkit/block.h"

#define BLOCK_QUEUE_SLOTS_MAX 64u
#define BLOCK_QUEUE_PIECES_MAX 64u
/* The most that a slot's memory may be: a piece for each page. */
#define BLOCK_QUEUE_BYTES_MAX (BLOCK_QUEUE_PIECES_MAX * HVK_PAGE_SIZE)

struct block_queue_config {
	const struct hvk_port *port;
	/* Where the device is found each time: NULL there once its gone hook has run. */
	struct hvk_block *const *block;
	/* Lets hvkit go on (hvk_poll of this CPU, which is the one the slots are waited for on),
	 * and sleeps while there is nothing to do. */
	void (*turn)(void *context);
	/* Ends a sleep of that CPU: a request may be done on another. May be NULL. */
	void (*wake)(void *context);
	/* Asked before what is not a read or a flush: HVK_OK; HVK_EAGAIN: not now, turn and ask again; else
	 * it is refused so. May be NULL. */
	hvk_status (*may_write)(void *context);
	void *context;
	uint32_t slots;      /* 1 to BLOCK_QUEUE_SLOTS_MAX */
	uint32_t slot_bytes; /* a multiple of HVK_PAGE_SIZE, BLOCK_QUEUE_BYTES_MAX at most */
	uint32_t queues;     /* of the device that are used in turn; 0: this CPU's */
};

struct block_slot {
	uint8_t *data;    /* slot_bytes of it */
	uint64_t block;   /* as submitted */
	uint32_t count;   /* likewise */
	uint64_t started; /* the caller's */
	/* the queue's */
	struct hvk_block_request request;
	struct hvk_buffer pieces[BLOCK_QUEUE_PIECES_MAX];
	struct block_queue *queue;
	_Atomic bool busy;
	hvk_status status;
};

struct block_queue {
	struct block_queue_config config;
	struct hvk_pages pages;      /* of the slots' data */
	struct hvk_pages slot_pages; /* of the slots */
	struct block_slot *slots;
	uint32_t block_size; /* at the opening; another one is another medium */
	uint32_t next_queue;
	bool withheld; /* the host never let go of a slot's memory: it is not given back */
};

/* HVK_EINVAL, HVK_ENOMEM; HVK_EGONE, HVK_ENOMEDIUM. */
hvk_status block_queue_open(struct block_queue *queue, const struct block_queue_config *config);
/* Waits for what is under way. Returns how many pages cannot be given back. */
uint32_t block_queue_close(struct block_queue *queue);

static inline struct block_slot *block_queue_slot(struct block_queue *queue, uint32_t n)
{
	return &queue->slots[n];
}

/* False once a submitted slot may be looked at. */
static inline bool block_slot_busy(const struct block_slot *slot)
{
	return atomic_load_explicit(&slot->busy, memory_order_acquire);
}

/* count blocks of the slot's data, or none of it for FLUSH, DISCARD and WRITE_ZEROES. Waits while the
 * device has no room. If it is refused the slot is not busy; block_queue_wait returns why, too. Beside
 * what hvk_block_submit answers: HVK_EIO where the medium has other blocks now than when the queue was
 * opened. */
hvk_status block_queue_submit(struct block_queue *queue, struct block_slot *slot,
			      enum hvk_block_operation operation, uint32_t flags, uint64_t block,
			      uint64_t count);
/* The outcome of the last submit. */
hvk_status block_queue_wait(struct block_queue *queue, struct block_slot *slot);
/* For all; the first outcome that is not HVK_OK. */
hvk_status block_queue_wait_all(struct block_queue *queue);
/* Blocks that fit into a slot. */
static inline uint32_t block_queue_slot_blocks(const struct block_queue *queue)
{
	return queue->config.slot_bytes / queue->block_size;
}

#endif
