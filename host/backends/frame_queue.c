/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "frame_queue.h"

bool hvh_frame_queue_push(struct hvh_frame_queue *queue, uint32_t most, const void *bytes, uint32_t length)
{
	struct hvh_frame *frame = queue->count < most ? malloc(sizeof *frame + length) : NULL;

	if (frame == NULL)
		return false;
	frame->next = NULL;
	frame->length = length;
	memcpy(frame->bytes, bytes, length);
	if (queue->last != NULL)
		queue->last->next = frame;
	else
		queue->first = frame;
	queue->last = frame;
	queue->count++;
	return true;
}

struct hvh_frame *hvh_frame_queue_pop(struct hvh_frame_queue *queue)
{
	struct hvh_frame *frame = queue->first;

	if (frame == NULL)
		return NULL;
	queue->first = frame->next;
	if (queue->first == NULL)
		queue->last = NULL;
	queue->count--;
	return frame;
}

void hvh_frame_queue_clear(struct hvh_frame_queue *queue)
{
	while (queue->first != NULL)
		free(hvh_frame_queue_pop(queue));
}

void hvh_room_wait_update(struct hvh_room_wait *wait, bool waiting, bool some)
{
	if (!waiting)
		wait->ms = 0;
	else if (some || wait->ms == 0)
		wait->ms = 1;
	else if (wait->ms < HVH_ROOM_RETRY_MS_MAX)
		wait->ms *= 2;
}

void hvh_frame_queue_deliver(struct hvh_frame_queue *queue, struct hvh_nic *nic,
			     const struct hvh_slirp_lock *lock, struct hvh_room_wait *wait)
{
	uint32_t before = queue->count;

	if (before == 0)
		return;
	lock->lock(lock->context);
	while (queue->count > 0) {
		uint64_t now = lock->now(lock->context);
		struct hvh_frame *frame = hvh_nic_room(nic, now) > 0 ? hvh_frame_queue_pop(queue) : NULL;

		if (frame == NULL)
			break;
		hvh_nic_receive(nic, now, frame->bytes, frame->length);
		free(frame);
	}
	lock->unlock(lock->context);
	hvh_room_wait_update(wait, queue->count > 0, queue->count < before);
}
