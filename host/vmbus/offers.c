/* SPDX-License-Identifier: MIT */
/* Offers: ids, order, hot-add, rescind, release, offer again. */
#include <stdlib.h>
#include <string.h>

#include "host/core/state.h"
#include "host/hypervisor/hypervisor.h"
#include "host/vmbus/vmbus.h"

#define CHANNELS_FIRST 16u
#define MONITOR_NONE 0xffu
#define ID_GAP_MAX 7u

struct hvh_channel *hvh_channel_by_id(struct hvh_partition *partition, uint32_t id)
{
	return id < VMBUS_MAX_CHANNELS ? partition->vmbus->by_id[id] : NULL;
}

struct hvh_partition *hvh_channel_partition(const struct hvh_channel *channel)
{
	return channel->partition;
}

uint32_t hvh_channel_id(const struct hvh_channel *channel)
{
	return channel->phase == HVH_CHANNEL_RESCINDED ? 0 : channel->id;
}

bool hvh_channel_is_open(const struct hvh_channel *channel)
{
	return channel->phase == HVH_CHANNEL_OPEN;
}

bool hvh_channel_is_present(const struct hvh_channel *channel)
{
	return channel->present || channel->reoffer_at != HVH_NEVER;
}

void hvh_channel_set_instance(struct hvh_channel *channel, const struct vmbus_guid *instance)
{
	channel->parameters.instance = *instance;
}

/* --- Making an offer ---------------------------------------------------------------- */

/* Where to look for a free id first. */
static uint32_t first_id(struct hvh_partition *partition, uint32_t limit)
{
	const struct hvh_profile *profile = &partition->profile;
	uint32_t last = partition->vmbus->last_id;

	switch (profile->id_order) {
	case HVH_IDS_SHUFFLED:
		return 1 + hvh_choose(partition, limit - 1);
	case HVH_IDS_WITH_GAPS:
		return 1 + (last + hvh_choose(partition, ID_GAP_MAX + 1)) % (limit - 1);
	default:
		return profile->id_reuse == HVH_IDS_LAST ? 1 + last % (limit - 1) : 1;
	}
}

/* Below 2.4 the guest scans the interrupt page for 256 channels only. */
static uint32_t free_id(struct hvh_partition *partition)
{
	struct hvh_vmbus *bus = partition->vmbus;
	uint32_t limit = bus->version < VMBUS_VERSION_2_4 ? VMBUS_MAX_CHANNELS_SHARED : VMBUS_MAX_CHANNELS;
	uint32_t id = first_id(partition, limit);

	for (uint32_t n = 1; n < limit; n++) {
		if (bus->by_id[id] == NULL) {
			bus->last_id = id;
			return id;
		}
		id = 1 + id % (limit - 1);
	}
	return 0;
}

static bool monitor_taken(const struct hvh_vmbus *bus, uint32_t monitor)
{
	for (uint32_t n = 0; n < bus->channel_count; n++) {
		const struct hvh_channel *channel = bus->channels[n];
		if (channel->id != 0 && channel->monitored && channel->monitor_id == monitor)
			return true;
	}
	return false;
}

static void assign_monitor(struct hvh_channel *channel)
{
	const struct hvh_vmbus *bus = channel->partition->vmbus;
	enum hvh_monitoring wanted = channel->partition->profile.monitoring;

	channel->monitored = false;
	channel->monitor_id = MONITOR_NONE;
	if (wanted == HVH_MONITOR_NONE ||
	    (wanted == HVH_MONITOR_AS_ASKED && !channel->parameters.monitored) ||
	    bus->pages.monitor_guest_to_host == 0)
		return;
	for (uint32_t monitor = 0; monitor < HVH_MONITORS_MAX; monitor++) {
		if (monitor_taken(bus, monitor))
			continue;
		channel->monitor_id = (uint8_t)monitor;
		channel->monitored = true;
		return;
	}
}

/* From 2.4 every channel has its own event. At 0.13 the flag is there and means nothing;
 * at 1.1 both kinds exist, and the seed decides. */
static bool choose_dedicated(struct hvh_partition *partition)
{
	return partition->vmbus->version != VMBUS_VERSION_1_1 || hvh_choose(partition, 2) == 0;
}

static void send_offer(struct hvh_channel *channel, uint64_t now)
{
	struct hvh_partition *partition = channel->partition;
	const struct hvh_offer_parameters *parameters = &channel->parameters;
	uint32_t version = partition->vmbus->version;
	struct vmbus_offer_channel offer = {
		.header = {VMBUS_MSG_OFFER_CHANNEL, 0},
		.interface_type = parameters->type,
		.interface_instance = parameters->instance,
		.flags = parameters->flags,
		.mmio_megabytes = parameters->mmio_megabytes,
		.subchannel_index = parameters->subchannel_index,
		.channel_id = channel->id,
		.monitor_id = channel->monitor_id,
		.monitor_allocated = channel->monitored ? 1 : 0,
		.is_dedicated = channel->dedicated ? 1 : 0,
		.connection_id = partition->profile.event_connections + channel->id,
	};
	uint32_t size = sizeof(offer);

	memcpy(offer.user_data, parameters->user_data, sizeof(offer.user_data));
	if (version < VMBUS_VERSION_2_4 && partition->profile.response_state_garbage) {
		for (size_t n = 0; n < sizeof(offer.reserved0); n++)
			offer.reserved0[n] = (uint8_t)hvh_random(partition);
	}
	if (version == VMBUS_VERSION_0_13 && partition->profile.short_offer_at_0_13)
		size = VMBUS_OFFER_SIZE_0_13_MIN;
	hvh_vmbus_send(partition, now, &offer, size);
}

static void offer_now(struct hvh_channel *channel, uint64_t now)
{
	struct hvh_vmbus *bus = channel->partition->vmbus;
	uint32_t id = free_id(channel->partition);

	if (id == 0) {
		hvh_note(channel->partition, now, 0, "no channel id left: %s is not offered",
			 channel->ops->name);
		return;
	}
	assign_monitor(channel);
	channel->id = id;
	channel->phase = HVH_CHANNEL_CLOSED;
	channel->opened = false;
	channel->dedicated = choose_dedicated(channel->partition);
	hvh_vmbus_forget_bit(channel->partition, id);
	bus->by_id[id] = channel;
	send_offer(channel, now);
}

static bool may_offer(const struct hvh_vmbus *bus)
{
	return bus->connected && bus->offers_requested && !bus->unusable;
}

static bool register_channel(struct hvh_vmbus *bus, struct hvh_channel *channel)
{
	if (bus->channel_count == bus->channel_capacity) {
		uint32_t capacity = bus->channel_capacity == 0 ? CHANNELS_FIRST : bus->channel_capacity * 2;
		struct hvh_channel **larger = realloc(bus->channels, capacity * sizeof(struct hvh_channel *));
		if (larger == NULL)
			return false;
		bus->channels = larger;
		bus->channel_capacity = capacity;
	}
	bus->channels[bus->channel_count++] = channel;
	return true;
}

struct hvh_channel *hvh_channel_create(struct hvh_partition *partition,
				       const struct hvh_offer_parameters *parameters,
				       const struct hvh_device_ops *ops, void *device)
{
	struct hvh_vmbus *bus = partition->vmbus;

	if (bus->channel_count == HVH_CHANNELS_MAX)
		return NULL;
	struct hvh_channel *channel = calloc(1, sizeof(*channel));
	if (channel == NULL)
		return NULL;
	if (!register_channel(bus, channel)) {
		free(channel);
		return NULL;
	}
	channel->partition = partition;
	channel->parameters = *parameters;
	channel->ops = ops;
	channel->device = device;
	channel->monitor_id = MONITOR_NONE;
	channel->run_at = HVH_NEVER;
	channel->unstick_at = HVH_NEVER;
	channel->reoffer_at = HVH_NEVER;
	channel->modify_due = HVH_NEVER;
	return channel;
}

static uint32_t count_kind(const struct hvh_vmbus *bus, const struct hvh_device_ops *ops)
{
	uint32_t count = 0;

	for (uint32_t n = 0; n < bus->channel_count; n++) {
		if (bus->channels[n]->primary == NULL && bus->channels[n]->ops == ops)
			count++;
	}
	return count;
}

struct hvh_channel *hvh_channel_offer(struct hvh_partition *partition,
				      const struct hvh_offer_parameters *parameters,
				      const struct hvh_device_ops *ops, void *device)
{
	struct hvh_vmbus *bus = partition->vmbus;
	uint32_t same = count_kind(bus, ops);
	struct hvh_channel *channel = hvh_channel_create(partition, parameters, ops, device);

	if (channel == NULL)
		return NULL;
	channel->present = !parameters->away;
	channel->device_number = bus->device_count++;
	channel->name_number = same;
	if (channel->present && may_offer(bus) && partition->silence != HVH_SILENCE_OFFERS)
		offer_now(channel, partition->now);
	return channel;
}

/* --- REQUEST_OFFERS -------------------------------------------------------------------- */

static int compare(const void *left, const void *right)
{
	const struct hvh_channel *const *a = left, *const *b = right;
	const struct hvh_offer_parameters *p = &(*a)->parameters, *q = &(*b)->parameters;
	int order = memcmp(&p->type, &q->type, sizeof(p->type));

	if (order == 0)
		order = memcmp(&p->instance, &q->instance, sizeof(p->instance));
	if (order == 0)
		order = (int)p->subchannel_index - (int)q->subchannel_index;
	return order;
}

void hvh_request_offers(struct hvh_partition *partition, uint64_t now, const struct hvh_post *post)
{
	static const struct vmbus_message_header all = {VMBUS_MSG_ALL_OFFERS_DELIVERED, 0};
	struct hvh_vmbus *bus = partition->vmbus;

	if (bus->offers_requested) {
		hvh_violate(partition, HVH_V_MESSAGE_STATE, now, post->vp, 0, post->bytes, post->size,
			    "request-offers: only once per connection, no answer");
		return;
	}
	bus->offers_requested = true;
	if (partition->silence == HVH_SILENCE_OFFERS)
		return;
	if (bus->channel_count > 1)
		qsort(bus->channels, bus->channel_count, sizeof(struct hvh_channel *), compare);
	for (uint32_t n = 0; n < bus->channel_count && !bus->unusable; n++) {
		if (bus->channels[n]->present)
			offer_now(bus->channels[n], now);
	}
	hvh_vmbus_send(partition, now, &all, sizeof(all));
}

void hvh_offers_reset(struct hvh_partition *partition, uint64_t now)
{
	struct hvh_vmbus *bus = partition->vmbus;

	for (uint32_t n = 0; n < bus->channel_count; n++) { /* before their primaries */
		if (bus->channels[n]->primary == NULL)
			continue;
		hvh_channel_stop(bus->channels[n], now);
		bus->channels[n]->present = false;
		bus->channels[n]->reoffer_at = HVH_NEVER;
	}
	for (uint32_t n = 0; n < bus->channel_count; n++) {
		struct hvh_channel *channel = bus->channels[n];
		hvh_channel_stop(channel, now);
		channel->id = 0;
		channel->monitored = false;
		channel->phase = HVH_CHANNEL_CLOSED;
	}
	memset(bus->by_id, 0, sizeof(bus->by_id));
	bus->last_id = 0;
}

/* --- Taking an offer back ----------------------------------------------------------------- */

void hvh_channel_rescind(struct hvh_channel *channel, uint64_t now)
{
	struct vmbus_channel_message message = {
		.header = {VMBUS_MSG_RESCIND_OFFER, 0},
		.channel_id = channel->id,
	};

	now = hvh_clock(channel->partition, now);
	channel->present = false;
	channel->reoffer_at = HVH_NEVER;
	if (channel->primary == NULL)
		hvh_subchannels_withdraw(channel, now);
	if (channel->id == 0 || channel->phase == HVH_CHANNEL_RESCINDED)
		return;
	hvh_channel_stop(channel, now);
	hvh_gpadls_rescind(channel, now); /* answers that are owed go out before */
	channel->phase = HVH_CHANNEL_RESCINDED;
	hvh_vmbus_send(channel->partition, now, &message, sizeof(message));
}

void hvh_channel_offer_again(struct hvh_channel *channel, uint64_t now)
{
	struct hvh_partition *partition = channel->partition;

	now = hvh_clock(partition, now);
	channel->reoffer_at = HVH_NEVER;
	if (channel->present)
		return;
	channel->present = true;
	if (channel->id == 0 && may_offer(partition->vmbus) && partition->silence != HVH_SILENCE_OFFERS)
		offer_now(channel, now);
}

/* A device goes as a whole. */
bool hvh_maybe_rescind(struct hvh_channel *channel, uint64_t now)
{
	if (channel->primary != NULL)
		channel = channel->primary;
	if (channel->id == 0 || channel->phase == HVH_CHANNEL_RESCINDED ||
	    !hvh_fault_strikes(channel->partition, HVH_FAULT_RESCIND))
		return false;
	hvh_note(channel->partition, now, channel->id, "fault: rescinded, to be offered again");
	hvh_channel_rescind(channel, now);
	channel->reoffer_at = now + 1 + hvh_choose(channel->partition, HVH_REOFFER_MAX);
	return true;
}

void hvh_released(struct hvh_partition *partition, uint64_t now, const struct hvh_post *post)
{
	struct vmbus_channel_message message;

	memcpy(&message, post->bytes, sizeof(message));
	struct hvh_channel *channel = hvh_channel_by_id(partition, message.channel_id);
	if (channel == NULL || channel->phase != HVH_CHANNEL_RESCINDED) {
		hvh_violate(partition, HVH_V_RELEASE, now, post->vp, message.channel_id, post->bytes,
			    post->size, "relid-released: channel %u is not rescinded, or was released before",
			    message.channel_id);
		return;
	}
	hvh_gpadls_free(partition, channel);
	hvh_monitor_clear(channel); /* set before the guest knew */
	partition->vmbus->by_id[channel->id] = NULL;
	channel->id = 0;
	channel->monitored = false;
	channel->phase = HVH_CHANNEL_CLOSED;
	if (channel->present && may_offer(partition->vmbus))
		offer_now(channel, now);
}

void hvh_offers_run(struct hvh_partition *partition, uint64_t now)
{
	struct hvh_vmbus *bus = partition->vmbus;

	for (uint32_t n = 0; n < bus->channel_count; n++) {
		if (bus->channels[n]->reoffer_at <= now)
			hvh_channel_offer_again(bus->channels[n], now);
	}
}
