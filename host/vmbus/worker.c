/* SPDX-License-Identifier: MIT */
/*
 * Each open channel's worker. While it runs the guest is told not to signal; it goes
 * idle only after it found the ring empty, and looks once more after saying so.
 */
#include "host/core/state.h"
#include "host/hypervisor/hypervisor.h"
#include "host/vmbus/vmbus.h"

void hvh_channel_kick(struct hvh_channel *channel)
{
	struct hvh_partition *partition = channel->partition;

	if (channel->phase != HVH_CHANNEL_OPEN)
		return;
	if (channel->run_at > partition->now)
		channel->run_at = partition->now;
	hvh_kick(partition);
}

static bool same_open(const struct hvh_channel *channel, uint32_t epoch)
{
	return channel->phase == HVH_CHANNEL_OPEN && channel->epoch == epoch;
}

static void settle(struct hvh_channel *channel, uint64_t now, bool more)
{
	hvh_trace_flush(channel, now);
	hvh_ring_publish(channel, now);
	if (channel->dead)
		return;
	if (more) {
		channel->run_at = now;
		return;
	}
	/* A device that left packets lying waits for something else: room, a backend, time. */
	if (channel->saw_empty && hvh_ring_unmask(channel, now)) {
		hvh_ring_mask(channel);
		channel->run_at = now;
	}
}

void hvh_channel_run(struct hvh_channel *channel, uint64_t now)
{
	uint32_t epoch = channel->epoch;

	channel->run_at = HVH_NEVER;
	if (channel->phase != HVH_CHANNEL_OPEN || channel->dead || hvh_maybe_rescind(channel, now))
		return;
	hvh_ring_mask(channel);
	channel->in_run = true;
	channel->saw_empty = false;
	bool more = channel->ops->run(channel->device, channel, now);
	channel->in_run = false;
	if (!same_open(channel, epoch))
		return;
	settle(channel, now, more);
	if (!channel->dead)
		hvh_spurious(channel, now);
}

static bool due(struct hvh_channel *channel, uint64_t now)
{
	if (channel->run_at <= now)
		return true;
	return channel->phase == HVH_CHANNEL_OPEN && !channel->dead && channel->ops->next_event != NULL &&
	       channel->ops->next_event(channel->device, channel) <= now;
}

void hvh_channels_run(struct hvh_partition *partition, uint64_t now)
{
	struct hvh_vmbus *bus = partition->vmbus;
	uint32_t count = bus->channel_count;

	for (uint32_t n = 0; n < count; n++) {
		struct hvh_channel *channel = bus->channels[n];
		if (channel->unstick_at <= now) {
			channel->unstick_at = HVH_NEVER;
			hvh_ring_unstick(channel, now);
		}
		if (channel->modify_due <= now)
			hvh_modify_run(channel, now);
		if (due(channel, now))
			hvh_channel_run(channel, now);
	}
}

uint64_t hvh_channels_next_event(const struct hvh_partition *partition)
{
	const struct hvh_vmbus *bus = partition->vmbus;
	uint64_t next = HVH_NEVER;

	for (uint32_t n = 0; n < bus->channel_count; n++) {
		struct hvh_channel *channel = bus->channels[n];
		uint64_t wanted = HVH_NEVER;
		if (channel->phase == HVH_CHANNEL_OPEN && !channel->dead && channel->ops->next_event != NULL)
			wanted = channel->ops->next_event(channel->device, channel);
		if (wanted < next)
			next = wanted;
		if (channel->run_at < next)
			next = channel->run_at;
		if (channel->unstick_at < next)
			next = channel->unstick_at;
		if (channel->reoffer_at < next)
			next = channel->reoffer_at;
		if (channel->modify_due < next)
			next = channel->modify_due;
	}
	return next;
}
