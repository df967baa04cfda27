/* SPDX-License-Identifier: MIT */
/*
 * The storage controller as a device on VMBus: each channel is a queue, and the primary's end is the end
 * of all. Units outlive it.
 */
#include <stdlib.h>
#include <string.h>

#include "storvsp.h"

static void session_reset(struct hvh_storage *storage, enum storvsp_state state)
{
	for (uint32_t n = 0; n < STORVSP_QUEUES_MAX; n++)
		if (storage->queues[n] != NULL)
			storvsp_queue_close(storage->queues[n]);
	storage->state = state;
	storage->version = 0;
	storage->subchannels = 0;
	storage->subchannels_asked = false;
	storage->notice_count = 0;
}

static struct storvsp_queue *queue_of(struct hvh_storage *storage, const struct hvh_channel *channel)
{
	return storage->queues[hvh_channel_index(channel) % STORVSP_QUEUES_MAX];
}

/* A guest that opens the controller finds its units as after power-on. */
static bool device_open(void *device, struct hvh_channel *channel, uint64_t now,
			const uint8_t user_data[VMBUS_USER_DATA_SIZE])
{
	struct hvh_storage *storage = device;
	uint32_t index = hvh_channel_index(channel);
	struct storvsp_queue *queue;

	(void)user_data;
	storage->now = now;
	if (index > storage->subchannels && index > 0)
		return false;
	queue = storvsp_queue_get(storage, index);
	if (queue == NULL)
		return false;
	if (index == 0) {
		session_reset(storage, STORVSP_BEGIN);
		storvsp_units_reset(storage);
	}
	storvsp_queue_open(queue, channel);
	if (index > 0)
		storvsp_subchannel_opened(queue);
	return true;
}

static void device_close(void *device, struct hvh_channel *channel, uint64_t now)
{
	struct hvh_storage *storage = device;
	struct storvsp_queue *queue = queue_of(storage, channel);

	storage->now = now;
	if (queue == NULL)
		return;
	if (queue->index == 0)
		session_reset(storage, STORVSP_CLOSED);
	else
		storvsp_queue_close(queue);
}

static bool device_run(void *device, struct hvh_channel *channel, uint64_t now)
{
	struct hvh_storage *storage = device;
	struct storvsp_queue *queue = queue_of(storage, channel);
	bool was_full, more;

	storage->now = now;
	if (queue == NULL || !queue->open)
		return false;
	was_full = storvsp_queue_full(queue);
	queue->blocked = false;
	more = storvsp_read(queue);
	if (queue->stopped)
		return false;
	more = storvsp_queue_run(queue) || more;
	if (queue->index == 0) {
		storvsp_notices_run(storage);
		storvsp_subchannels_run(storage);
	}
	return more || (was_full && !storvsp_queue_full(queue));
}

static uint64_t device_next_event(void *device, struct hvh_channel *channel)
{
	struct hvh_storage *storage = device;
	const struct storvsp_queue *queue = queue_of(storage, channel);
	uint64_t next = HVH_NEVER, other;

	if (queue == NULL || !queue->open || queue->stopped)
		return HVH_NEVER;
	if (!queue->blocked) /* else room in the ring brings a run */
		next = storvsp_queue_next(queue);
	if (queue->index != 0)
		return next;
	other = storvsp_subchannels_next(storage);
	return other < next ? other : next;
}

static void device_destroy(void *device)
{
	struct hvh_storage *storage = device;

	storvsp_units_destroy(storage);
	for (uint32_t n = 0; n < STORVSP_QUEUES_MAX; n++)
		storvsp_queue_destroy(storage->queues[n]);
	free(storage);
}

const struct hvh_device_ops storvsp_scsi_ops = {
	.name = "scsi",
	.open = device_open,
	.close = device_close,
	.run = device_run,
	.next_event = device_next_event,
	.dump = storvsp_dump,
	.destroy = device_destroy,
};

const struct hvh_device_ops storvsp_ide_ops = {
	.name = "ide",
	.open = device_open,
	.close = device_close,
	.run = device_run,
	.next_event = device_next_event,
	.dump = storvsp_dump,
	.destroy = device_destroy,
};
