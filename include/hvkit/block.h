/* SPDX-License-Identifier: MIT */
/*
 * block: the small interface that every disk driver here offers upward.
 *
 * A request is a run of blocks and a list of memory. It completes once, in hvk_poll. Requests
 * that overlap are not put in order: a caller that needs one after the other waits, or asks for
 * HVK_BLOCK_ORDERED.
 */
#ifndef HVKIT_BLOCK_H
#define HVKIT_BLOCK_H

#include "hvkit.h"
#include "vmbus.h"

#ifdef __cplusplus
extern "C" {
#endif

struct hvk_block;

#define HVK_BLOCK_READ_ONLY (1u << 0)
#define HVK_BLOCK_REMOVABLE (1u << 1)   /* medium that comes and goes: CD-ROM */
#define HVK_BLOCK_WRITE_CACHE (1u << 2) /* a write is safe after a flush, or with HVK_BLOCK_FUA */
#define HVK_BLOCK_CAN_FUA (1u << 3)
#define HVK_BLOCK_CAN_DISCARD (1u << 4)
#define HVK_BLOCK_CAN_WRITE_ZEROES (1u << 5)
/* Blocks that the device has taken back read as zeros. It need not take back all that is discarded: who
 * needs zeros asks for WRITE_ZEROES. */
#define HVK_BLOCK_DISCARD_ZEROES (1u << 6)
#define HVK_BLOCK_NO_MEDIUM (1u << 7)
#define HVK_BLOCK_ROTATIONAL (1u << 8)
#define HVK_BLOCK_CDROM (1u << 9)

struct hvk_block_info {
	uint64_t blocks;     /* 0 without a medium */
	uint32_t block_size; /* bytes: 512, 2048 or 4096 */
	uint32_t physical_block_size;
	/* The most that one transfer of the device takes, in bytes; longer requests are split by the
	 * driver. */
	uint32_t transfer_max;
	uint32_t optimal_transfer; /* bytes; 0 = not said */
	/* Memory that starts and ends at multiples of this inside a page travels without a copy. */
	uint32_t memory_alignment;
	uint64_t discard_max;                            /* blocks of one request */
	uint32_t discard_granularity, discard_alignment; /* blocks */
	uint64_t write_zeroes_max;
	uint32_t flags;       /* HVK_BLOCK_* */
	uint32_t queue_depth; /* requests with the device at once */
	/* Text, ended by zero, printable, spaces at the end taken off. */
	char vendor[9], product[17], revision[5];
	char serial[65];
	uint8_t identification[16]; /* NAA or EUI-64, zero-padded; what the host says stays the same */
	uint8_t identification_length;
};

enum hvk_block_operation {
	HVK_BLOCK_READ,
	HVK_BLOCK_WRITE,
	HVK_BLOCK_FLUSH,       /* what was completed before this began is on stable storage after it */
	HVK_BLOCK_DISCARD,     /* contents are not needed any more */
	HVK_BLOCK_WRITE_ZEROES /* read as zeros afterwards */
};

#define HVK_BLOCK_FUA (1u << 0)         /* WRITE: on stable storage at completion */
#define HVK_BLOCK_ORDERED (1u << 1)     /* after all that were submitted before, before all after */
#define HVK_BLOCK_MAY_DISCARD (1u << 2) /* WRITE_ZEROES: may be done by a discard */

/* The caller owns it and the memory of its pieces; while submitted it is the driver's, until done
 * runs (in hvk_poll), once. Sizes are multiples of block_size. Pieces without gpa, or that do not
 * lie as the device needs it, are copied. */
struct hvk_block_request {
	enum hvk_block_operation operation;
	uint32_t flags;
	uint64_t block;
	uint64_t count;                  /* of blocks; FLUSH: 0 */
	const struct hvk_buffer *pieces; /* READ: written to, whatever the type says */
	uint32_t piece_count;
	uint32_t timeout_ms; /* 0 = the driver's */
	void (*done)(struct hvk_block_request *request, hvk_status status, void *context);
	void *context;
	uint32_t cpu_hint; /* 0 = the submitting CPU's queue; otherwise queue + 1 */
};

/* In hvk_poll. */
struct hvk_block_hooks {
	/* Size, medium or flags have changed: info is new. */
	void (*changed)(void *context, struct hvk_block *block);
	/* There is room again for requests that were answered HVK_EAGAIN. */
	void (*ready)(void *context, struct hvk_block *block);
	/* Taken away: all requests are done (HVK_EGONE), nothing more will come; the pointer is dead
	 * when this returns. Once. */
	void (*gone)(void *context, struct hvk_block *block);
	void *context;
};

struct hvk_block_counters {
	uint64_t reads, writes, flushes, discards, zeroes; /* requests completed well */
	uint64_t read_bytes, write_bytes;
	uint64_t errors, timeouts, retries;
	uint64_t commands; /* to the device: requests are split, and retried */
	uint64_t copied;   /* bytes through bounce pages */
	uint64_t busy;     /* HVK_EAGAIN answers */
};

struct hvk_block_ops {
	hvk_status (*submit)(struct hvk_block *block, struct hvk_block_request *request);
	void (*get_counters)(struct hvk_block *block, struct hvk_block_counters *out);
};

struct hvk_block {
	const struct hvk_block_ops *ops;
	struct hvk_block_hooks hooks; /* the user's to set before the first request */
	struct hvk_block_info info;   /* read only above; changes in hvk_poll */
};

/* HVK_OK: taken, done will run, never inside the call. HVK_EAGAIN: no room, the caller keeps it,
 * ready will be called. HVK_EINVAL (outside the disk, not whole blocks, no pieces), HVK_EREADONLY,
 * HVK_ENOTSUP, HVK_ENOMEDIUM (also from the moment that another medium is said to be there until changed),
 * HVK_EGONE, HVK_ESTATE: refused, the caller keeps it. Statuses of
 * done: HVK_OK; HVK_EIO (medium or hardware; the driver has retried what is worth it),
 * HVK_EREADONLY, HVK_ENOMEDIUM, HVK_ENOMEM (to be copied, and the pages for that are all withheld),
 * HVK_ETIMEDOUT_REQUEST, HVK_EGONE, HVK_ECANCELED (detached
 * meanwhile), HVK_EINVAL (pieces that have no address to copy and do not lie as the device needs it),
 * HVK_ETIMEDOUT_TEARDOWN (the host has not let go of the memory: never use it again),
 * HVK_EHOST_*. Of a request that failed any part may have been done. Task context or
 * callback, any CPU. */
static inline hvk_status hvk_block_submit(struct hvk_block *block, struct hvk_block_request *request)
{
	return block->ops->submit(block, request);
}

/* Task context or callback. */
static inline void hvk_block_get_counters(struct hvk_block *block, struct hvk_block_counters *out)
{
	block->ops->get_counters(block, out);
}

#ifdef __cplusplus
}
#endif
#endif
