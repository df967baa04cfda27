/* SPDX-License-Identifier: MIT */
/* Channels coming and going: offers, rescinds, ids given back, the device list. */
#include "guest/vmbus/bus.h"

static bool same_device(const struct hvk_offer *a, const struct hvk_offer *b)
{
	return memcmp(&a->type, &b->type, sizeof(a->type)) == 0 &&
	       memcmp(&a->instance, &b->instance, sizeof(a->instance)) == 0 &&
	       a->subchannel_index == b->subchannel_index;
}

struct hvk_channel *hvk_offer_find(struct hvk *hvk, uint32_t channel_id)
{
	return channel_id < VMBUS_MAX_CHANNELS ? hvk->bus->by_id[channel_id] : NULL;
}

static void link_channel(struct hvk_bus *bus, struct hvk_channel *channel)
{
	struct hvk_channel **link = &bus->channels;

	while (*link && (*link)->offer.channel_id < channel->offer.channel_id)
		link = &(*link)->next;
	channel->next = *link;
	*link = channel;
}

static void unlink_channel(struct hvk_bus *bus, struct hvk_channel *channel)
{
	for (struct hvk_channel **link = &bus->channels; *link; link = &(*link)->next) {
		if (*link == channel) {
			*link = channel->next;
			return;
		}
	}
}

/* The device is known: back after a resume (reused is set), or offered twice. */
static hvk_status match_known(struct hvk *hvk, const struct hvk_offer *offer, bool *reused)
{
	struct hvk_bus *bus = hvk->bus;

	*reused = false;
	for (struct hvk_channel *channel = bus->channels; channel; channel = channel->next) {
		if (channel->rescinded || channel->released || !same_device(&channel->offer, offer))
			continue;
		if (!channel->absent)
			return hvk_fault(hvk, HVK_EHOST_DUPLICATE, "offer of channel %u is channel %u again",
					 offer->channel_id, channel->offer.channel_id);
		unlink_channel(bus, channel); /* its id, and so its place, may be another */
		channel->offer = *offer;
		channel->absent = false;
		channel->again = channel->announced;
		channel->announce = true;
		link_channel(bus, channel);
		bus->by_id[offer->channel_id] = channel;
		*reused = true;
		return HVK_OK;
	}
	return HVK_OK;
}

static hvk_status add_channel(struct hvk *hvk, const struct hvk_offer *offer, struct hvk_pages *page)
{
	struct hvk_bus *bus = hvk->bus;
	struct hvk_channel *channel;

	if (bus->channel_count == HVK_CHANNELS_MAX || page->count == 0) {
		return hvk_fault(hvk, HVK_ELIMIT, "no room for channel %u", offer->channel_id);
	}
	channel = (struct hvk_channel *)page->address;
	memset(channel, 0, sizeof(*channel));
	channel->hvk = hvk;
	channel->self = *page;
	*page = (struct hvk_pages){0};
	channel->offer = *offer;
	channel->announce = true;
	channel->deadline = HVK_NEVER;
	channel->room_timer.fire = hvk_channel_room_timer;
	channel->room_timer.context = channel;
	channel->room_timer.deadline = HVK_NEVER;
	if (hvk_lock_init(hvk, &channel->tx_lock) != HVK_OK) {
		*page = channel->self;
		return HVK_ENOMEM;
	}
	link_channel(bus, channel);
	bus->by_id[offer->channel_id] = channel;
	bus->channel_count++;
	return HVK_OK;
}

void hvk_offer_take(struct hvk *hvk, const struct hvk_message *message, struct hvk_pages *page)
{
	struct hvk_bus *bus = hvk->bus;
	bool reused;

	if (bus->state != HVK_VMBUS_CONNECTED && (bus->step != HVK_STEP_OFFERS || bus->contact.queued)) {
		HVK_COUNT(hvk->counters.late_messages);
		return;
	}
	if (bus->by_id[message->channel_id]) {
		(void)hvk_fault(hvk, HVK_EHOST_DUPLICATE, "offer of channel %u, which is in use",
				message->channel_id);
		return;
	}
	if (match_known(hvk, &message->offer, &reused) != HVK_OK)
		return;
	if (reused || add_channel(hvk, &message->offer, page) == HVK_OK)
		hvk_bus_stir(hvk);
}

void hvk_offer_rescind(struct hvk *hvk, uint32_t channel_id)
{
	struct hvk_channel *channel = hvk_offer_find(hvk, channel_id);

	if (!channel) {
		(void)hvk_fault(hvk, HVK_EHOST_ID, "rescind of channel %u, which was not offered",
				channel_id);
		return;
	}
	if (channel->rescinded) {
		(void)hvk_fault(hvk, HVK_EHOST_DUPLICATE, "rescind of channel %u again", channel_id);
		return;
	}
	__atomic_store_n(&channel->rescinded, true, __ATOMIC_RELAXED);
	hvk_bus_stir(hvk);
	hvk_log(hvk, HVK_LOG_DEBUG, "vmbus: channel %u is gone", channel_id);
	hvk_gpadl_channel_gone(hvk, channel);
	hvk_channel_gone(hvk, channel);
}

/* --- Telling the user --------------------------------------------------------------- */

/* Nobody holds it any more: it can be given back. */
static bool is_free(const struct hvk_channel *channel)
{
	return channel->state == HVK_CHANNEL_CLOSED && channel->step == HVK_CH_IDLE &&
	       channel->gpadl_count == 0 && !channel->claimed;
}

static void begin_release(struct hvk *hvk, struct hvk_channel *channel)
{
	channel->releasing = true;
	hvk_out_put(hvk, &channel->release, HVK_OUT_RELEASE);
}

enum news { NEWS_NONE, NEWS_OFFERED, NEWS_GONE };

/* Finds one thing to tell, and does what needs no telling. */
static enum news next_news(struct hvk *hvk, struct hvk_channel **found)
{
	struct hvk_bus *bus = hvk->bus;

	for (struct hvk_channel *channel = bus->channels; channel; channel = channel->next) {
		*found = channel;
		if (channel->announce && !channel->rescinded && !channel->released &&
		    bus->state == HVK_VMBUS_CONNECTED) {
			channel->announce = false;
			channel->announced = true;
			return NEWS_OFFERED;
		}
		/* After UNLOAD there is nobody to give it back to; the end will release it. */
		if (channel->rescinded && !channel->releasing && !channel->released && is_free(channel) &&
		    bus->step != HVK_STEP_UNLOAD)
			begin_release(hvk, channel);
		if (channel->released && is_free(channel) && !channel->release.queued) {
			if (!hvk_cpu_forget_channel(hvk, channel)) {
				hvk_bus_stir(hvk); /* its CPU is looking at it: later */
				continue;
			}
			unlink_channel(bus, channel);
			bus->channel_count--;
			return NEWS_GONE;
		}
	}
	return NEWS_NONE;
}

static void free_channel(struct hvk *hvk, struct hvk_channel *channel)
{
	struct hvk_pages self = channel->self;

	hvk_pages_put(hvk, &channel->request_pages);
	hvk_pages_put(hvk, &self);
}

void hvk_offer_announce(struct hvk *hvk)
{
	const struct hvk_vmbus_config *config = &hvk->bus->config;
	struct hvk_channel *channel = NULL;
	enum news news;

	/* Bounded: each round tells of one channel, and there are so many at most. */
	for (unsigned i = 0; i < 2 * HVK_CHANNELS_MAX; i++) {
		hvk_lock(hvk, &hvk->bus->lock);
		news = next_news(hvk, &channel);
		hvk_unlock(hvk, &hvk->bus->lock);
		if (news == NEWS_NONE)
			return;
		if (news == NEWS_OFFERED) {
			if (config->offered)
				config->offered(config->context, channel, channel->again);
			continue;
		}
		if (channel->announced && config->gone)
			config->gone(config->context, channel);
		free_channel(hvk, channel);
	}
}

/* --- All of them ---------------------------------------------------------------------- */

static void drop_id(struct hvk_bus *bus, struct hvk_channel *channel)
{
	if (bus->by_id[channel->offer.channel_id] == channel)
		bus->by_id[channel->offer.channel_id] = NULL;
}

/* Over for whoever still holds the pointer: nothing can be opened on it any more. */
static void retire(struct hvk_channel *channel)
{
	channel->announce = false;
	channel->released = true;
	__atomic_store_n(&channel->rescinded, true, __ATOMIC_RELAXED);
}

void hvk_offer_release_all(struct hvk *hvk)
{
	for (struct hvk_channel *channel = hvk->bus->channels; channel; channel = channel->next) {
		hvk_out_drop(hvk, &channel->release);
		drop_id(hvk->bus, channel);
		retire(channel);
	}
	hvk_bus_stir(hvk);
}

void hvk_offer_suspend_all(struct hvk *hvk)
{
	for (struct hvk_channel *channel = hvk->bus->channels; channel; channel = channel->next) {
		drop_id(hvk->bus, channel);
		channel->absent = true;
		if (channel->rescinded) {
			hvk_out_drop(hvk, &channel->release);
			channel->released = true;
		}
	}
	hvk_bus_stir(hvk);
}

void hvk_offer_drop_absent(struct hvk *hvk)
{
	for (struct hvk_channel *channel = hvk->bus->channels; channel; channel = channel->next) {
		if (channel->absent)
			retire(channel);
	}
	hvk_bus_stir(hvk);
}

void hvk_offer_forget_all(struct hvk *hvk)
{
	struct hvk_channel *channel = hvk->bus->channels, *next;

	for (; channel; channel = next) {
		next = channel->next;
		free_channel(hvk, channel);
	}
	hvk->bus->channels = NULL;
	hvk->bus->channel_count = 0;
	memset(hvk->bus->by_id, 0, sizeof(hvk->bus->by_id));
}

/* --- For the user ------------------------------------------------------------------------ */

struct hvk_channel *hvk_vmbus_next_channel(struct hvk *hvk, struct hvk_channel *previous)
{
	struct hvk_channel *channel = previous ? previous->next : hvk->bus->channels;

	while (channel && (channel->absent || channel->released || channel->rescinded))
		channel = channel->next;
	return channel;
}

hvk_status hvk_channel_claim(struct hvk_channel *channel)
{
	struct hvk *hvk = channel->hvk;
	hvk_status status = HVK_OK;

	hvk_lock(hvk, &hvk->bus->lock);
	if (channel->claimed)
		status = HVK_EBUSY;
	else if (channel->rescinded || channel->released)
		status = HVK_EGONE;
	else
		channel->claimed = true;
	hvk_unlock(hvk, &hvk->bus->lock);
	return status;
}

void hvk_channel_unclaim(struct hvk_channel *channel)
{
	struct hvk *hvk = channel->hvk;

	hvk_lock(hvk, &hvk->bus->lock);
	HVK_ASSERT(channel->claimed);
	channel->claimed = false;
	hvk_bus_stir(hvk);
	hvk_unlock(hvk, &hvk->bus->lock);
}

const struct hvk_offer *hvk_channel_offer(const struct hvk_channel *channel)
{
	return &channel->offer;
}

bool hvk_channel_rescinded(const struct hvk_channel *channel)
{
	return __atomic_load_n(&channel->rescinded, __ATOMIC_RELAXED);
}

struct hvk *hvk_channel_instance(const struct hvk_channel *channel)
{
	return channel->hvk;
}

uint32_t hvk_channel_cpu(const struct hvk_channel *channel)
{
	return channel->config.cpu;
}
