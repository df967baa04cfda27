/* SPDX-License-Identifier: MIT */
/* Channels coming and going: offers and rescinds, the device list, claims. */
#include "guest/vmbus/bus.h"

/* --- Offers ------------------------------------------------------------------------------ */

/* Memory and locks come from the port, which may sleep: before the lock is taken. */
void hvk_offer_prepare(struct hvk *hvk, uint32_t channel_id, struct hvk_offer_pages *pages)
{
	bool lack_page;

	*pages = (struct hvk_offer_pages){0};
	hvk_lock(hvk, &hvk->bus->lock);
	lack_page = hvk_ids_lack_page(hvk, channel_id);
	hvk_unlock(hvk, &hvk->bus->lock);
	if (lack_page)
		(void)hvk_pages_get(hvk, 1, HVK_PAGE_PRIVATE, &pages->ids);
	if (hvk_pages_get(hvk, 1, HVK_PAGE_PRIVATE, &pages->channel) == HVK_OK &&
	    hvk_lock_init(hvk, &((struct hvk_channel *)pages->channel.address)->tx_lock) != HVK_OK)
		hvk_pages_put(hvk, &pages->channel);
}

/* After a resume: the same device, on whichever id. */
static hvk_status come_back(struct hvk *hvk, struct hvk_channel *channel, const struct hvk_offer *offer,
			    struct hvk_offer_pages *pages)
{
	channel->offer = *offer;
	if (!hvk_ids_put(hvk, channel, &pages->ids))
		return hvk_fault(hvk, HVK_ENOMEM, "no memory for channel %u", offer->channel_id);
	channel->absent = false;
	channel->again = channel->announced;
	channel->announce = true;
	hvk_news_put(hvk, channel);
	return HVK_OK;
}

static hvk_status find_primary(struct hvk *hvk, const struct hvk_offer *offer, uint32_t hash,
			       struct hvk_channel **primary)
{
	*primary = hvk_device_find(hvk, offer, hash, 0);
	if (!*primary || (*primary)->absent) {
		*primary = NULL;
		return hvk_fault(hvk, HVK_EHOST_ID, "channel %u is sub-channel %u of no device",
				 offer->channel_id, (uint32_t)offer->subchannel_index);
	}
	if ((*primary)->subchannel_count == HVK_SUBCHANNELS_MAX)
		return hvk_fault(hvk, HVK_ELIMIT, "channel %u: more than %u sub-channels of channel %u",
				 offer->channel_id, HVK_SUBCHANNELS_MAX, (*primary)->offer.channel_id);
	return HVK_OK;
}

static void init_channel(struct hvk *hvk, struct hvk_channel *channel, const struct hvk_offer *offer)
{
	channel->hvk = hvk;
	channel->offer = *offer;
	channel->announce = true;
	channel->deadline = HVK_NEVER;
	channel->cpu = hvk->bus->config.cpu; /* until it is opened: for its GPADLs' requests */
	channel->room_timer.fire = hvk_channel_room_timer;
	channel->room_timer.context = channel;
	channel->room_timer.deadline = HVK_NEVER;
}

static hvk_status add_channel(struct hvk *hvk, const struct hvk_offer *offer, uint32_t hash,
			      struct hvk_channel *primary, struct hvk_offer_pages *pages)
{
	struct hvk_bus *bus = hvk->bus;
	struct hvk_channel *channel = pages->channel.address; /* zeros, but for its lock */

	if (bus->channel_count == HVK_CHANNELS_MAX || pages->channel.count == 0)
		return hvk_fault(hvk, HVK_ELIMIT, "no room for channel %u", offer->channel_id);
	init_channel(hvk, channel, offer);
	if (!hvk_ids_put(hvk, channel, &pages->ids))
		return hvk_fault(hvk, HVK_ENOMEM, "no memory for channel %u", offer->channel_id);
	channel->self = pages->channel;
	pages->channel = (struct hvk_pages){0};
	channel->device_hash = hash;
	hvk_list_add(&bus->channels, &channel->all);
	hvk_list_add(&bus->devices[hash % HVK_DEVICE_BUCKETS], &channel->device);
	bus->channel_count++;
	if (primary) {
		hvk_subchannel_link(primary, channel);
		channel->announce = primary->hooked;
	}
	hvk_news_put(hvk, channel);
	return HVK_OK;
}

static hvk_status take(struct hvk *hvk, const struct hvk_offer *offer, struct hvk_offer_pages *pages)
{
	uint32_t hash = hvk_device_hash(offer);
	struct hvk_channel *known = hvk_device_find(hvk, offer, hash, offer->subchannel_index);
	struct hvk_channel *primary = NULL;
	hvk_status status = HVK_OK;

	if (known && known->absent)
		return come_back(hvk, known, offer, pages);
	if (known)
		return hvk_fault(hvk, HVK_EHOST_DUPLICATE, "offer of channel %u is channel %u again",
				 offer->channel_id, known->offer.channel_id);
	if (offer->subchannel_index != 0)
		status = find_primary(hvk, offer, hash, &primary);
	return status == HVK_OK ? add_channel(hvk, offer, hash, primary, pages) : status;
}

void hvk_offer_take(struct hvk *hvk, const struct hvk_message *message, struct hvk_offer_pages *pages)
{
	struct hvk_bus *bus = hvk->bus;
	uint32_t id = message->channel_id;

	if (bus->state != HVK_VMBUS_CONNECTED && (bus->step != HVK_STEP_OFFERS || bus->contact.queued)) {
		HVK_COUNT(hvk->counters.late_messages);
		if (bus->state == HVK_VMBUS_UNLOADING && !hvk_offer_find(hvk, id))
			hvk_refused_add(hvk, id); /* the host may yet take it back */
		return;
	}
	if (hvk_offer_find(hvk, id) || hvk_refused_has(hvk, id)) {
		(void)hvk_fault(hvk, HVK_EHOST_DUPLICATE, "offer of channel %u, which is in use", id);
		return;
	}
	if (take(hvk, &message->offer, pages) != HVK_OK)
		hvk_refused_add(hvk, id);
}

void hvk_offer_rescind(struct hvk *hvk, uint32_t channel_id)
{
	struct hvk_channel *channel = hvk_offer_find(hvk, channel_id);

	if (!channel && hvk->bus->refused[channel_id / 32] >> (channel_id % 32) & 1u) {
		hvk_refused_rescind(hvk, channel_id);
		return;
	}
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
	hvk_news_put(hvk, channel);
	hvk_log(hvk, HVK_LOG_DEBUG, "vmbus: channel %u is gone", channel_id);
	hvk_gpadl_channel_gone(hvk, channel);
	hvk_channel_gone(hvk, channel);
	hvk_subchannels_withdraw(hvk, channel);
}

/* --- All of them ---------------------------------------------------------------------- */

/* Over for whoever still holds the pointer: nothing can be opened on it any more. */
static void retire(struct hvk *hvk, struct hvk_channel *channel)
{
	hvk_out_drop(hvk, &channel->release);
	hvk_ids_drop(hvk, channel);
	channel->announce = false;
	channel->released = true;
	__atomic_store_n(&channel->rescinded, true, __ATOMIC_RELAXED);
	hvk_news_put(hvk, channel);
}

void hvk_offer_release_all(struct hvk *hvk)
{
	for (struct hvk_link *link = hvk->bus->channels; link; link = link->next)
		retire(hvk, HVK_OWNER(hvk_channel, all, link));
	hvk_refused_forget(hvk);
	hvk_bus_stir(hvk);
}

/* The host may have forgotten the connection: as if it had taken each channel back, but for the memory, which
 * is its until it answers. */
void hvk_offer_lose_all(struct hvk *hvk)
{
	for (struct hvk_link *link = hvk->bus->channels; link; link = link->next) {
		struct hvk_channel *channel = HVK_OWNER(hvk_channel, all, link);

		if (!channel->rescinded) {
			__atomic_store_n(&channel->rescinded, true, __ATOMIC_RELAXED);
			hvk_channel_gone(hvk, channel);
		}
	}
	hvk_bus_stir(hvk);
}

/* It has answered. */
void hvk_offer_lost_all(struct hvk *hvk)
{
	for (struct hvk_link *link = hvk->bus->channels; link; link = link->next)
		hvk_gpadl_channel_gone(hvk, HVK_OWNER(hvk_channel, all, link));
	hvk_offer_release_all(hvk);
}

/* Sub-channels come back only if their driver asks the device for them again. */
void hvk_offer_suspend_all(struct hvk *hvk)
{
	for (struct hvk_link *link = hvk->bus->channels; link; link = link->next) {
		struct hvk_channel *channel = HVK_OWNER(hvk_channel, all, link);

		if (hvk_channel_over(channel) || channel->primary) {
			retire(hvk, channel);
			continue;
		}
		hvk_ids_drop(hvk, channel);
		channel->absent = true;
	}
	hvk_refused_forget(hvk);
	hvk_bus_stir(hvk);
}

void hvk_offer_drop_absent(struct hvk *hvk)
{
	for (struct hvk_link *link = hvk->bus->channels; link; link = link->next) {
		struct hvk_channel *channel = HVK_OWNER(hvk_channel, all, link);

		if (channel->absent)
			retire(hvk, channel);
	}
	hvk_bus_stir(hvk);
}

void hvk_offer_forget_all(struct hvk *hvk)
{
	struct hvk_bus *bus = hvk->bus;
	struct hvk_link *link = bus->channels, *next;

	for (; link; link = next) {
		next = link->next;
		hvk_channel_free(hvk, HVK_OWNER(hvk_channel, all, link));
	}
	bus->channels = NULL;
	bus->channel_count = 0;
	for (uint32_t i = 0; i < sizeof(bus->ids) / sizeof(bus->ids[0]); i++)
		hvk_pages_put(hvk, &bus->ids[i]);
}

/* --- For the user ------------------------------------------------------------------------ */

struct hvk_channel *hvk_vmbus_next_channel(struct hvk *hvk, struct hvk_channel *previous)
{
	struct hvk_channel *channel;

	hvk_lock(hvk, &hvk->bus->lock);
	channel = hvk_ids_next(hvk, previous ? previous->offer.channel_id + 1 : 0);
	while (channel && hvk_channel_over(channel))
		channel = hvk_ids_next(hvk, channel->offer.channel_id + 1);
	hvk_unlock(hvk, &hvk->bus->lock);
	return channel;
}

hvk_status hvk_channel_claim(struct hvk_channel *channel)
{
	struct hvk *hvk = channel->hvk;
	hvk_status status = HVK_OK;

	hvk_lock(hvk, &hvk->bus->lock);
	if (channel->claimed)
		status = HVK_EBUSY;
	else if (hvk_channel_over(channel))
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
	channel->hooked = false;
	channel->hooks = (struct hvk_subchannel_hooks){0};
	for (struct hvk_channel *sub = channel->subchannels; sub; sub = sub->subchannel_next)
		sub->announced = false; /* the next holder knows of none */
	hvk_news_put(hvk, channel);
	hvk_unlock(hvk, &hvk->bus->lock);
}

const struct hvk_offer *hvk_channel_offer(const struct hvk_channel *channel)
{
	return &channel->offer;
}

bool hvk_channel_rescinded(const struct hvk_channel *channel)
{
	return __atomic_load_n(&channel->rescinded, __ATOMIC_RELAXED) ||
	       __atomic_load_n(&channel->withdrawn, __ATOMIC_RELAXED);
}

struct hvk *hvk_channel_instance(const struct hvk_channel *channel)
{
	return channel->hvk;
}

uint32_t hvk_channel_cpu(const struct hvk_channel *channel)
{
	return __atomic_load_n(&channel->cpu, __ATOMIC_RELAXED);
}
