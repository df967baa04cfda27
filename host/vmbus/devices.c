/* SPDX-License-Identifier: MIT */
/* Devices by name: a primary channel each, called after its kind and number. */
#include <stdio.h>
#include <string.h>

#include "host/core/state.h"
#include "host/hypervisor/hypervisor.h"
#include "host/vmbus/vmbus.h"

struct hvh_channel *hvh_device_channel(const struct hvh_partition *partition, uint32_t number)
{
	const struct hvh_vmbus *bus = partition->vmbus;

	for (uint32_t n = 0; n < bus->channel_count; n++) {
		if (bus->channels[n]->primary == NULL && bus->channels[n]->device_number == number)
			return bus->channels[n];
	}
	return NULL;
}

void hvh_device_name(const struct hvh_channel *channel, char name[HVH_DEVICE_NAME_MAX])
{
	if (channel->primary != NULL)
		channel = channel->primary;
	snprintf(name, HVH_DEVICE_NAME_MAX, "%.10s%u", channel->ops->name, channel->name_number % 10000u);
}

static struct hvh_channel *by_name(const struct hvh_partition *partition, const char *name)
{
	const struct hvh_vmbus *bus = partition->vmbus;
	char own[HVH_DEVICE_NAME_MAX];

	for (uint32_t n = 0; n < bus->channel_count; n++) {
		if (bus->channels[n]->primary != NULL)
			continue;
		hvh_device_name(bus->channels[n], own);
		if (strcmp(own, name) == 0)
			return bus->channels[n];
	}
	return NULL;
}

void *hvh_device_by_name(struct hvh_partition *partition, const char *name, const struct hvh_device_ops *ops)
{
	const struct hvh_channel *channel = by_name(partition, name);

	return channel != NULL && channel->ops == ops ? channel->device : NULL;
}

bool hvh_device_get(const struct hvh_partition *partition, uint32_t n, struct hvh_device_info *out)
{
	const struct hvh_channel *channel = hvh_device_channel(partition, n);

	if (channel == NULL)
		return false;
	memset(out, 0, sizeof(*out));
	hvh_device_name(channel, out->name);
	memcpy(out->type, channel->parameters.type.bytes, sizeof(out->type));
	memcpy(out->instance, channel->parameters.instance.bytes, sizeof(out->instance));
	out->channel_id = hvh_channel_id(channel);
	out->present = channel->present;
	out->open = hvh_channel_is_open(channel);
	out->subchannels = hvh_subchannels_offered(channel);
	return true;
}

bool hvh_device_rescind(struct hvh_partition *partition, uint64_t now, const char *name)
{
	struct hvh_channel *channel = by_name(partition, name);

	if (channel == NULL || (!channel->present && channel->reoffer_at == HVH_NEVER))
		return false;
	hvh_channel_rescind(channel, now);
	return true;
}

bool hvh_device_offer(struct hvh_partition *partition, uint64_t now, const char *name)
{
	struct hvh_channel *channel = by_name(partition, name);

	if (channel == NULL || channel->present)
		return false;
	hvh_channel_offer_again(channel, now);
	return true;
}
