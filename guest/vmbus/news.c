/* SPDX-License-Identifier: MIT */
/*
 * What is to be told of channels, and done when nobody holds them any more: ids given
 * back, memory freed. Whatever changes about a channel puts it into a queue; so a poll
 * costs nothing for the others.
 */
#include "guest/vmbus/bus.h"

#define NEWS_MAX (2 * HVK_CHANNELS_MAX) /* looked at in one poll: new ones and those that a claim keeps */

void hvk_news_put(struct hvk *hvk, struct hvk_channel *channel)
{
	struct hvk_bus *bus = hvk->bus;

	if (!channel->in_news) {
		channel->in_news = true;
		channel->news_next = NULL;
		if (bus->news_last)
			bus->news_last->news_next = channel;
		else
			bus->news_first = channel;
		bus->news_last = channel;
	}
	hvk_bus_stir(hvk);
}

static struct hvk_channel *take_first(struct hvk_bus *bus)
{
	struct hvk_channel *channel = bus->news_first;

	if (channel) {
		bus->news_first = channel->news_next;
		if (!bus->news_first)
			bus->news_last = NULL;
		channel->in_news = false;
	}
	return channel;
}

void hvk_news_released(struct hvk *hvk, struct hvk_channel *channel)
{
	hvk_ids_drop(hvk, channel); /* from here on the host may offer the id again */
	channel->released = true;
	hvk_news_put(hvk, channel);
}

/* Nobody holds it any more: it can be given back. */
static bool is_free(const struct hvk_channel *channel)
{
	return channel->state == HVK_CHANNEL_CLOSED && channel->step == HVK_CH_IDLE &&
	       channel->move == HVK_MOVE_NONE && channel->gpadl_count == 0 && !channel->claimed &&
	       !channel->subchannels;
}

/* Its primary is rescinded and it is closed: over for us. The host is to have the id back
 * when it rescinds it too. */
static void give_up(struct hvk *hvk, struct hvk_channel *channel)
{
	hvk_refused_add(hvk, channel->offer.channel_id);
	hvk_ids_drop(hvk, channel);
	channel->released = true;
	__atomic_store_n(&channel->rescinded, true, __ATOMIC_RELAXED);
}

static void begin_release(struct hvk *hvk, struct hvk_channel *channel)
{
	channel->releasing = true;
	hvk_out_put(hvk, &channel->release, HVK_OUT_RELEASE);
}

static void unlink_channel(struct hvk *hvk, struct hvk_channel *channel)
{
	hvk_list_remove(&channel->all);
	hvk_list_remove(&channel->device);
	hvk->bus->channel_count--;
	if (channel->primary)
		hvk_subchannel_unlink(hvk, channel);
}

enum news { NEWS_NONE, NEWS_OFFERED, NEWS_GONE };

/* One thing to tell, if there is; does what needs no telling. */
static enum news look(struct hvk *hvk, struct hvk_channel *channel)
{
	struct hvk_bus *bus = hvk->bus;

	if (channel->announce && !hvk_channel_over(channel) && bus->state == HVK_VMBUS_CONNECTED) {
		channel->announce = false;
		channel->announced = true;
		return NEWS_OFFERED;
	}
	if (!is_free(channel))
		return NEWS_NONE;
	/* After UNLOAD there is nobody to give it back to; the end will release it. */
	if (!channel->released && !channel->releasing && bus->step != HVK_STEP_UNLOAD) {
		if (channel->rescinded)
			begin_release(hvk, channel);
		else if (channel->withdrawn)
			give_up(hvk, channel);
	}
	if (!channel->released || channel->release.queued)
		return NEWS_NONE;
	if (!hvk_cpu_forget_channel(hvk, channel)) {
		hvk_news_put(hvk, channel); /* its CPU is looking at it: later */
		return NEWS_NONE;
	}
	unlink_channel(hvk, channel);
	return NEWS_GONE;
}

void hvk_channel_free(struct hvk *hvk, struct hvk_channel *channel)
{
	struct hvk_pages self = channel->self;

	hvk_pages_put(hvk, &channel->request_pages);
	hvk_pages_put(hvk, &self);
}

static void tell_offered(struct hvk *hvk, struct hvk_channel *channel,
			 const struct hvk_subchannel_hooks *hooks)
{
	const struct hvk_vmbus_config *config = &hvk->bus->config;

	if (channel->primary && hooks->offered)
		hooks->offered(hooks->context, channel->primary, channel);
	else if (!channel->primary && config->offered)
		config->offered(config->context, channel, channel->again);
}

static void tell_gone(struct hvk *hvk, struct hvk_channel *channel, const struct hvk_subchannel_hooks *hooks)
{
	const struct hvk_vmbus_config *config = &hvk->bus->config;

	if (channel->announced && channel->primary && hooks->gone)
		hooks->gone(hooks->context, channel->primary, channel);
	else if (channel->announced && !channel->primary && config->gone)
		config->gone(config->context, channel);
	hvk_channel_free(hvk, channel);
}

void hvk_news_tell(struct hvk *hvk)
{
	struct hvk_subchannel_hooks hooks = {0};
	struct hvk_channel *channel, *last;
	enum news news;

	hvk_lock(hvk, &hvk->bus->lock);
	last = hvk->bus->news_last; /* what comes meanwhile is for the next poll */
	hvk_unlock(hvk, &hvk->bus->lock);
	for (unsigned i = 0; i < NEWS_MAX; i++) {
		hvk_lock(hvk, &hvk->bus->lock);
		channel = take_first(hvk->bus);
		news = channel ? look(hvk, channel) : NEWS_NONE;
		if (channel && channel->primary)
			hooks = channel->primary->hooks;
		hvk_unlock(hvk, &hvk->bus->lock);
		if (news == NEWS_OFFERED)
			tell_offered(hvk, channel, &hooks);
		else if (news == NEWS_GONE)
			tell_gone(hvk, channel, &hooks);
		if (!channel || channel == last)
			return;
	}
}
