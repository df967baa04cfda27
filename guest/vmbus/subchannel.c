/* SPDX-License-Identifier: MIT */
/* More rings of one device: who belongs to whom, and in which order they go. */
#include "guest/vmbus/bus.h"

void hvk_subchannel_link(struct hvk_channel *primary, struct hvk_channel *subchannel)
{
	struct hvk_channel **at = &primary->subchannels;

	while (*at && (*at)->offer.subchannel_index < subchannel->offer.subchannel_index)
		at = &(*at)->subchannel_next;
	subchannel->primary = primary;
	subchannel->subchannel_next = *at;
	*at = subchannel;
	primary->subchannel_count++;
}

/* channel->primary stays: its gone callback is still to come. */
void hvk_subchannel_unlink(struct hvk *hvk, struct hvk_channel *subchannel)
{
	struct hvk_channel *primary = subchannel->primary;
	struct hvk_channel **at = &primary->subchannels;

	while (*at != subchannel)
		at = &(*at)->subchannel_next;
	*at = subchannel->subchannel_next;
	primary->subchannel_count--;
	if (!primary->subchannels)
		hvk_news_put(hvk, primary); /* it may have waited for that */
}

/* The host still has what they share: they are closed like any channel, only nothing new is
 * begun on them, and they are gone when that is done, even if it never rescinds them. */
void hvk_subchannels_withdraw(struct hvk *hvk, struct hvk_channel *primary)
{
	struct hvk_channel *channel = primary->subchannels;

	for (; channel; channel = channel->subchannel_next) {
		__atomic_store_n(&channel->withdrawn, true, __ATOMIC_RELAXED);
		hvk_move_cancel(hvk, channel, HVK_EGONE);
		if (channel->state == HVK_CHANNEL_OPEN)
			hvk_cpu_put_ready(hvk, channel); /* its driver is to look */
		hvk_news_put(hvk, channel);
	}
}

void hvk_subchannels_close(struct hvk *hvk, struct hvk_channel *primary)
{
	bool all_closed = true;

	if (primary->step != HVK_CH_SUBCHANNELS)
		return;
	for (struct hvk_channel *channel = primary->subchannels; channel;
	     channel = channel->subchannel_next) {
		if (channel->state == HVK_CHANNEL_OPEN)
			hvk_channel_begin_quiesce(hvk, channel);
		if (channel->state != HVK_CHANNEL_CLOSED)
			all_closed = false; /* an opening one is closed once it is open */
	}
	if (all_closed) {
		primary->step = HVK_CH_QUIESCE;
		hvk_cpu_put_ready(hvk, primary);
	}
}

/* --- For the user ------------------------------------------------------------------------ */

hvk_status hvk_channel_set_subchannel_hooks(struct hvk_channel *primary,
					    const struct hvk_subchannel_hooks *hooks)
{
	struct hvk *hvk = primary->hvk;
	hvk_status status = HVK_OK;

	hvk_lock(hvk, &hvk->bus->lock);
	if (primary->primary)
		status = HVK_EINVAL;
	else if (!primary->claimed)
		status = HVK_ESTATE;
	if (status == HVK_OK) {
		primary->hooked = hooks != NULL;
		primary->hooks = hooks ? *hooks : (struct hvk_subchannel_hooks){0};
		for (struct hvk_channel *channel = primary->subchannels; channel;
		     channel = channel->subchannel_next) {
			channel->announce = primary->hooked;
			if (!primary->hooked) /* else whoever was told is also told of its end */
				channel->announced = false;
			hvk_news_put(hvk, channel);
		}
	}
	hvk_unlock(hvk, &hvk->bus->lock);
	return status;
}

struct hvk_channel *hvk_channel_primary(struct hvk_channel *channel)
{
	return channel->primary ? channel->primary : channel;
}

struct hvk_channel *hvk_channel_next_subchannel(struct hvk_channel *primary, struct hvk_channel *previous)
{
	struct hvk *hvk = primary->hvk;
	struct hvk_channel *channel;

	hvk_lock(hvk, &hvk->bus->lock);
	channel = previous ? previous->subchannel_next : primary->subchannels;
	while (channel && hvk_channel_over(channel))
		channel = channel->subchannel_next;
	hvk_unlock(hvk, &hvk->bus->lock);
	return channel;
}
