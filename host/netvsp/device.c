/* SPDX-License-Identifier: MIT */
/*
 * The network card as a device on VMBus: each channel is a queue, and the primary's end is the
 * end of all.
 */
#include <stdlib.h>
#include <string.h>

#include "netvsp.h"

static uint32_t without(const struct hvh_nic *nic)
{
	const struct hvh_profile *profile = hvh_partition_get_profile(nic->partition);

	return nic->without_configured | (profile->rss ? 0 : HVH_NIC_NO_RSS) |
	       (profile->lso ? 0 : HVH_NIC_NO_LSO) | (profile->rsc ? 0 : HVH_NIC_NO_RSC) |
	       (profile->udp_checksum ? 0 : HVH_NIC_NO_UDP);
}

void netvsp_session_reset(struct hvh_nic *nic, bool open)
{
	netvsp_frames_drop(nic, &nic->counters.dropped_filter);
	for (uint32_t n = 0; n < NETVSP_QUEUES_MAX; n++)
		if (nic->queues[n] != NULL)
			netvsp_queue_close(nic->queues[n]);
	nic->session.initialized = false;
	netvsp_vf_session(nic);
	memset(&nic->session, 0, sizeof nic->session);
	nic->without = without(nic);
	nic->session.open = open;
	nic->session.frame_max = NETVSP_FRAME_STANDARD;
	nic->session.subchannels.table_due = HVH_NEVER;
}

static struct netvsp_queue *queue_of(struct hvh_nic *nic, const struct hvh_channel *channel)
{
	return nic->queues[hvh_channel_index(channel) % NETVSP_QUEUES_MAX];
}

static bool device_open(void *device, struct hvh_channel *channel, uint64_t now,
			const uint8_t user_data[VMBUS_USER_DATA_SIZE])
{
	struct hvh_nic *nic = device;
	uint32_t index = hvh_channel_index(channel);
	struct netvsp_queue *queue;

	(void)user_data;
	nic->now = now;
	if (index > 0 && (!nic->session.open || index > nic->session.subchannels.granted))
		return false;
	queue = netvsp_queue_get(nic, index);
	if (queue == NULL)
		return false;
	if (index == 0)
		netvsp_session_reset(nic, true);
	netvsp_queue_open(queue, channel);
	if (index > 0)
		netvsp_subchannel_opened(queue);
	return true;
}

static void device_close(void *device, struct hvh_channel *channel, uint64_t now)
{
	struct hvh_nic *nic = device;
	struct netvsp_queue *queue = queue_of(nic, channel);

	nic->now = now;
	if (queue == NULL)
		return;
	if (queue->index == 0)
		netvsp_session_reset(nic, false);
	else
		netvsp_queue_close(queue);
}

void netvsp_flush(struct hvh_nic *nic)
{
	if (nic->transmitted && nic->backend.flush != NULL)
		nic->backend.flush(nic->backend.context);
	nic->transmitted = false;
}

static bool device_run(void *device, struct hvh_channel *channel, uint64_t now)
{
	struct hvh_nic *nic = device;
	struct netvsp_queue *queue = queue_of(nic, channel);
	bool full, more;

	nic->now = now;
	if (queue == NULL || !queue->open)
		return false;
	queue->blocked = false;
	if (queue->index == 0)
		netvsp_release_run(nic);
	more = netvsp_read(queue);
	/* Packets may have been left lying, and nobody signals them again. */
	full = queue->completion_count == NETVSP_COMPLETIONS_MAX;
	netvsp_flush(nic);
	if (queue->index == 0 && !queue->stopped)
		netvsp_vf_run(nic);
	netvsp_completions_run(queue);
	if (queue->stopped)
		return false;
	full = full && queue->completion_count < NETVSP_COMPLETIONS_MAX;
	if (queue->index == 0) {
		netvsp_subchannels_run(nic);
		netvsp_indicate_run(nic);
	}
	return netvsp_receive_run(queue) || more || full;
}

static uint64_t earlier(uint64_t one, uint64_t other)
{
	return one < other ? one : other;
}

static uint64_t device_next_event(void *device, struct hvh_channel *channel)
{
	struct hvh_nic *nic = device;
	const struct netvsp_queue *queue = queue_of(nic, channel);
	uint64_t next;

	if (queue == NULL || !queue->open)
		return HVH_NEVER;
	next = queue->index == 0 ? netvsp_release_next(nic) : HVH_NEVER;
	/* Blocked: room in the ring brings a run. */
	if (queue->blocked)
		return next;
	next = earlier(next, netvsp_completions_next(queue));
	if (queue->stopped)
		return next;
	if (queue->index == 0)
		next = earlier(next, earlier(netvsp_subchannels_next(nic), netvsp_vf_next(nic)));
	return earlier(next, netvsp_receive_next(queue));
}

static bool device_may_tear_down(void *device, struct hvh_channel *channel, uint32_t gpadl)
{
	/* Both buffers are the primary's; a sub-channel has its rings alone. */
	return hvh_channel_index(channel) != 0 || netvsp_may_tear_down(device, gpadl);
}

static void device_destroy(void *device)
{
	struct hvh_nic *nic = device;

	for (uint32_t n = 0; n < NETVSP_QUEUES_MAX; n++)
		free(nic->queues[n]);
	if (nic->vf.context != NULL)
		nic->vf.destroy(nic->vf.context);
	free(nic->frames);
	free(nic);
}

const struct hvh_device_ops netvsp_device_ops = {
	.name = "net",
	.open = device_open,
	.close = device_close,
	.run = device_run,
	.next_event = device_next_event,
	.may_tear_down = device_may_tear_down,
	.dump = netvsp_dump,
	.destroy = device_destroy,
};
