/* SPDX-License-Identifier: MIT */
/*
 * Sub-channels: a device offers more channels once the guest has asked for them over the
 * primary. They go before their primary does (OpenVMM), and come back only if asked for
 * again; an index whose old channel the guest has not released waits for that.
 */
#include "host/core/state.h"
#include "host/hypervisor/hypervisor.h"
#include "host/vmbus/vmbus.h"

static struct hvh_channel *find(const struct hvh_channel *primary, uint32_t index)
{
	const struct hvh_vmbus *bus = primary->partition->vmbus;

	for (uint32_t n = 0; n < bus->channel_count; n++) {
		if (bus->channels[n]->primary == primary &&
		    bus->channels[n]->parameters.subchannel_index == index)
			return bus->channels[n];
	}
	return NULL;
}

static struct hvh_channel *find_or_create(struct hvh_channel *primary, uint32_t index)
{
	struct hvh_channel *channel = find(primary, index);

	if (channel != NULL)
		return channel;
	struct hvh_offer_parameters parameters = primary->parameters;
	parameters.subchannel_index = (uint16_t)index;
	channel = hvh_channel_create(primary->partition, &parameters, primary->ops, primary->device);
	if (channel != NULL)
		channel->primary = primary;
	return channel;
}

uint32_t hvh_channel_offer_subchannels(struct hvh_channel *primary, uint32_t count, uint64_t due)
{
	uint64_t now = primary->partition->now;

	for (uint32_t n = 0; n < count; n++) {
		struct hvh_channel *channel = find_or_create(primary, primary->subchannels + 1);
		if (channel == NULL)
			return n;
		primary->subchannels++;
		if (due <= now)
			hvh_channel_offer_again(channel, now);
		else
			channel->reoffer_at = due;
	}
	hvh_kick(primary->partition);
	return count;
}

uint32_t hvh_channel_index(const struct hvh_channel *channel)
{
	return channel->parameters.subchannel_index;
}

void hvh_subchannels_withdraw(struct hvh_channel *primary, uint64_t now)
{
	const struct hvh_vmbus *bus = primary->partition->vmbus;

	for (uint32_t n = 0; n < bus->channel_count; n++) {
		if (bus->channels[n]->primary == primary)
			hvh_channel_rescind(bus->channels[n], now);
	}
}

uint32_t hvh_subchannels_offered(const struct hvh_channel *primary)
{
	const struct hvh_vmbus *bus = primary->partition->vmbus;
	uint32_t count = 0;

	for (uint32_t n = 0; n < bus->channel_count; n++) {
		if (bus->channels[n]->primary == primary && hvh_channel_id(bus->channels[n]) != 0)
			count++;
	}
	return count;
}

/* All messages are out but the one in the slot. */
static bool delivered(const struct hvh_partition *partition)
{
	const struct hvh_vmbus *bus = partition->vmbus;

	return bus->out_count == 0 && partition->hypervisor->vps[bus->vp].sints[VMBUS_SINT].count == 0;
}

bool hvh_channel_offers_delivered(struct hvh_channel *primary)
{
	primary->awaits_delivery = !delivered(primary->partition);
	return !primary->awaits_delivery;
}

void hvh_subchannels_run(struct hvh_partition *partition)
{
	const struct hvh_vmbus *bus = partition->vmbus;

	for (uint32_t n = 0; n < bus->channel_count; n++) {
		if (!bus->channels[n]->awaits_delivery || !delivered(partition))
			continue;
		bus->channels[n]->awaits_delivery = false;
		hvh_channel_kick(bus->channels[n]);
	}
}
