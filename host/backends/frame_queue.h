/* SPDX-License-Identifier: MIT */
/*
 * Frames on their way to a card that may have no room for them, for back ends with a thread of
 * their own. Private to host/backends/.
 */
#ifndef HVH_BACKENDS_FRAME_QUEUE_H
#define HVH_BACKENDS_FRAME_QUEUE_H

#include "hvkit_host/network.h"

struct hvh_frame {
	struct hvh_frame *next;
	uint32_t length;
	uint8_t bytes[];
};

struct hvh_frame_queue {
	struct hvh_frame *first, *last;
	uint32_t count;
};

/* False: there are most in it, or no memory. */
bool hvh_frame_queue_push(struct hvh_frame_queue *queue, uint32_t most, const void *bytes, uint32_t length);
/* The caller's to free; NULL if empty. */
struct hvh_frame *hvh_frame_queue_pop(struct hvh_frame_queue *queue);
void hvh_frame_queue_clear(struct hvh_frame_queue *queue);

/* How long to wait for room when a card has none. Nobody says when a guest has taken some, so it
 * is looked for again, less and less often the longer the guest takes none. */
#define HVH_ROOM_RETRY_MS_MAX 16u
struct hvh_room_wait {
	uint32_t ms; /* 0: there is nothing to wait for */
};
/* waiting: frames are left over; some: others were taken. */
void hvh_room_wait_update(struct hvh_room_wait *wait, bool waiting, bool some);

/* Hands the card frames for which it has room, taking the lock. */
void hvh_frame_queue_deliver(struct hvh_frame_queue *queue, struct hvh_nic *nic,
			     const struct hvh_slirp_lock *lock, struct hvh_room_wait *wait);

#endif
