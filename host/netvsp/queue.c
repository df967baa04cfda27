/* SPDX-License-Identifier: MIT */
/*
 * Queues: what each channel of the card has for itself, and the frames that wait for it.
 */
#include <stdlib.h>
#include <string.h>

#include "netvsp.h"

struct netvsp_queue *netvsp_queue_get(struct hvh_nic *nic, uint32_t index)
{
	struct netvsp_queue *queue;

	if (index >= NETVSP_QUEUES_MAX)
		return NULL;
	if (nic->queues[index] != NULL)
		return nic->queues[index];
	queue = calloc(1, sizeof *queue);
	if (queue == NULL)
		return NULL;
	queue->nic = nic;
	queue->index = index;
	queue->frame_first = NETVSP_FRAME_NONE;
	queue->frame_last = NETVSP_FRAME_NONE;
	queue->rescind_at = HVH_NEVER;
	nic->queues[index] = queue;
	return queue;
}

void netvsp_queue_open(struct netvsp_queue *queue, struct hvh_channel *channel)
{
	queue->channel = channel;
	queue->open = true;
	queue->stopped = false;
	queue->blocked = false;
	queue->rescind_at = HVH_NEVER;
	queue->completion_count = 0;
}

static void give_frames_to_primary(struct netvsp_queue *queue)
{
	struct hvh_nic *nic = queue->nic;
	struct netvsp_queue *primary = netvsp_primary(nic);

	if (queue == primary || queue->frame_count == 0)
		return;
	if (primary->frame_count == 0)
		primary->frame_first = queue->frame_first;
	else
		nic->frames[primary->frame_last].next = queue->frame_first;
	primary->frame_last = queue->frame_last;
	primary->frame_count += queue->frame_count;
	queue->frame_first = NETVSP_FRAME_NONE;
	queue->frame_last = NETVSP_FRAME_NONE;
	queue->frame_count = 0;
	hvh_channel_kick(primary->channel);
}

void netvsp_queue_close(struct netvsp_queue *queue)
{
	queue->open = false;
	netvsp_completions_drop(queue);
	queue->rescind_at = HVH_NEVER;
	give_frames_to_primary(queue);
}

bool netvsp_queue_is_open(const struct hvh_nic *nic, uint32_t index)
{
	return index < NETVSP_QUEUES_MAX && nic->queues[index] != NULL && nic->queues[index]->open;
}

void netvsp_stop(struct netvsp_queue *queue)
{
	queue->stopped = true;
}

static void packet(struct netvsp_queue *queue, const struct hvh_packet *packet)
{
	switch (packet->descriptor.type) {
	case VMBUS_PACKET_IN_BAND:
	case VMBUS_PACKET_GPA_DIRECT:
		netvsp_nvs(queue, packet);
		break;
	case VMBUS_PACKET_COMPLETION:
		netvsp_transfer_completed(queue, packet);
		break;
	default:
		NETVSP_VIOLATE_ON(queue, HVH_V_PACKET_TYPE, &packet->descriptor, sizeof packet->descriptor,
				  "packet of type %u from a network card's guest", packet->descriptor.type);
		netvsp_stop(queue);
		break;
	}
}

bool netvsp_read(struct netvsp_queue *queue)
{
	uint64_t enough = queue->nic->counters.from_guest_frames + NETVSP_FRAMES_PER_RUN;
	struct hvh_packet next;

	for (uint32_t i = 0; i < NETVSP_PACKETS_PER_RUN; i++) {
		if (queue->nic->counters.from_guest_frames >= enough)
			return true;
		if (queue->stopped || queue->completion_count == NETVSP_COMPLETIONS_MAX)
			return false;
		switch (hvh_channel_read(queue->channel, queue->nic->now, &next)) {
		case HVH_READ_PACKET:
			queue->counters.packets++;
			packet(queue, &next);
			break;
		case HVH_READ_EMPTY:
			return false;
		case HVH_READ_CORRUPT:
			netvsp_stop(queue);
			return false;
		}
	}
	return true;
}

/* --- Frames that wait ------------------------------------------------------------------ */

static void free_list_create(struct hvh_nic *nic)
{
	for (uint32_t n = 0; n < HVH_NIC_QUEUE; n++)
		nic->frames[n].next = n + 1 < HVH_NIC_QUEUE ? n + 1 : NETVSP_FRAME_NONE;
	nic->frame_free = 0;
	nic->frame_count = 0;
}

bool netvsp_frames_create(struct hvh_nic *nic)
{
	nic->frames = calloc(HVH_NIC_QUEUE, sizeof *nic->frames);
	if (nic->frames == NULL)
		return false;
	free_list_create(nic);
	return true;
}

/* Half of the places are divided among the queues, each of which may have of the other half too what
 * is left: a flow finds many places, and a queue that is never emptied leaves the others theirs. */
uint32_t netvsp_frames_room(const struct netvsp_queue *queue)
{
	const struct hvh_nic *nic = queue->nic;
	uint32_t queues = netvsp_queues_granted(nic), own = HVH_NIC_QUEUE / 2 / queues;
	uint32_t common = HVH_NIC_QUEUE - own * queues, used = 0, room;

	if (queues == 1)
		return HVH_NIC_QUEUE - nic->frame_count;
	for (uint32_t n = 0; n < queues; n++)
		if (nic->queues[n]->frame_count > own)
			used += nic->queues[n]->frame_count - own;
	room = (used < common ? common - used : 0) +
	       (queue->frame_count < own ? own - queue->frame_count : 0);
	/* What waited before there were several may have more than its share. */
	return room < HVH_NIC_QUEUE - nic->frame_count ? room : HVH_NIC_QUEUE - nic->frame_count;
}

struct netvsp_frame *netvsp_frame_append(struct netvsp_queue *queue, uint32_t length)
{
	struct hvh_nic *nic = queue->nic;
	uint32_t index = nic->frame_free;
	struct netvsp_frame *frame;

	if (netvsp_frames_room(queue) == 0)
		return NULL;
	if (queue->frame_count == 0)
		queue->moved_at = nic->now;
	frame = &nic->frames[index];
	nic->frame_free = frame->next;
	nic->frame_count++;
	frame->next = NETVSP_FRAME_NONE;
	frame->length = length;
	if (queue->frame_count++ == 0)
		queue->frame_first = index;
	else
		nic->frames[queue->frame_last].next = index;
	queue->frame_last = index;
	return frame;
}

struct netvsp_frame *netvsp_frame_first(const struct netvsp_queue *queue)
{
	return queue->frame_count > 0 ? &queue->nic->frames[queue->frame_first] : NULL;
}

struct netvsp_frame *netvsp_frame_next(const struct hvh_nic *nic, const struct netvsp_frame *frame)
{
	return frame->next != NETVSP_FRAME_NONE ? &nic->frames[frame->next] : NULL;
}

/* What was freed last is used first: the caches still have it. */
void netvsp_frames_release(struct netvsp_queue *queue, uint32_t count)
{
	struct hvh_nic *nic = queue->nic;

	if (count > 0)
		queue->moved_at = nic->now;
	for (; count > 0 && queue->frame_count > 0; count--) {
		uint32_t index = queue->frame_first;

		queue->frame_first = nic->frames[index].next;
		queue->frame_count--;
		nic->frames[index].next = nic->frame_free;
		nic->frame_free = index;
		nic->frame_count--;
	}
	if (queue->frame_count == 0)
		queue->frame_last = NETVSP_FRAME_NONE;
}

void netvsp_frames_drop(struct hvh_nic *nic, uint64_t *counter)
{
	*counter += nic->frame_count;
	for (uint32_t n = 0; n < NETVSP_QUEUES_MAX; n++)
		if (nic->queues[n] != NULL)
			netvsp_frames_release(nic->queues[n], nic->queues[n]->frame_count);
}
