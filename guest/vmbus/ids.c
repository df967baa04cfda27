/* SPDX-License-Identifier: MIT */
/* Channels by id and by device; ids that were offered and not taken. */
#include "guest/vmbus/bus.h"

#define ID_PAGES (sizeof(((struct hvk_bus *)0)->ids) / sizeof(struct hvk_pages))

HVK_STATIC_ASSERT(ID_PAGES *HVK_PAGE_SIZE == VMBUS_MAX_CHANNELS * sizeof(struct hvk_channel *),
		  "the pages of ids hold all of them");

/* --- By id -------------------------------------------------------------------------- */

static struct hvk_channel **place(struct hvk *hvk, uint32_t channel_id)
{
	const struct hvk_pages *page = &hvk->bus->ids[channel_id / HVK_IDS_PER_PAGE];

	return page->count ? (struct hvk_channel **)page->address + channel_id % HVK_IDS_PER_PAGE : NULL;
}

struct hvk_channel *hvk_offer_find(struct hvk *hvk, uint32_t channel_id)
{
	struct hvk_channel **at = channel_id < VMBUS_MAX_CHANNELS ? place(hvk, channel_id) : NULL;

	return at ? *at : NULL;
}

struct hvk_channel *hvk_ids_next(struct hvk *hvk, uint32_t channel_id)
{
	for (; channel_id < VMBUS_MAX_CHANNELS; channel_id++) {
		struct hvk_channel **at = place(hvk, channel_id);

		if (!at) /* on to the next page's first */
			channel_id |= HVK_IDS_PER_PAGE - 1;
		else if (*at)
			return *at;
	}
	return NULL;
}

bool hvk_ids_lack_page(struct hvk *hvk, uint32_t channel_id)
{
	return place(hvk, channel_id) == NULL;
}

bool hvk_ids_put(struct hvk *hvk, struct hvk_channel *channel, struct hvk_pages *page)
{
	uint32_t id = channel->offer.channel_id;

	if (!place(hvk, id)) {
		if (page->count == 0)
			return false;
		hvk->bus->ids[id / HVK_IDS_PER_PAGE] = *page;
		*page = (struct hvk_pages){0};
	}
	*place(hvk, id) = channel;
	if (hvk->event_words <= id / 32)
		__atomic_store_n(&hvk->event_words, id / 32 + 1, __ATOMIC_RELAXED);
	return true;
}

void hvk_ids_drop(struct hvk *hvk, struct hvk_channel *channel)
{
	struct hvk_channel **at = place(hvk, channel->offer.channel_id);

	if (at && *at == channel)
		*at = NULL;
}

/* --- By device ------------------------------------------------------------------------ */

/* Type and instance. A host can make them collide: then looking takes longer, and no longer
 * than there are channels. */
uint32_t hvk_device_hash(const struct hvk_offer *offer)
{
	uint64_t words[4], hash = 0;

	memcpy(&words[0], &offer->type, 16);
	memcpy(&words[2], &offer->instance, 16);
	for (uint32_t i = 0; i < 4; i++)
		hash = (hash ^ words[i] ^ (hash >> 29)) * 0x9e3779b97f4a7c15ull;
	return (uint32_t)(hash >> 32);
}

struct hvk_channel *hvk_device_find(struct hvk *hvk, const struct hvk_offer *offer, uint32_t hash,
				    uint16_t subchannel_index)
{
	struct hvk_link *link = hvk->bus->devices[hash % HVK_DEVICE_BUCKETS];

	for (; link; link = link->next) {
		struct hvk_channel *channel = HVK_OWNER(hvk_channel, device, link);

		if (channel->device_hash == hash && channel->offer.subchannel_index == subchannel_index &&
		    !hvk_channel_over(channel) &&
		    memcmp(&channel->offer.type, &offer->type, sizeof(offer->type)) == 0 &&
		    memcmp(&channel->offer.instance, &offer->instance, sizeof(offer->instance)) == 0)
			return channel;
	}
	return NULL;
}

/* --- Refused --------------------------------------------------------------------------- */

void hvk_refused_add(struct hvk *hvk, uint32_t channel_id)
{
	hvk->bus->refused[channel_id / 32] |= 1u << (channel_id % 32);
}

bool hvk_refused_has(const struct hvk *hvk, uint32_t channel_id)
{
	uint32_t word = hvk->bus->refused[channel_id / 32] | hvk->bus->give_back[channel_id / 32];

	return (word >> (channel_id % 32) & 1u) != 0;
}

/* RELID_RELEASED answers a rescind, whatever we thought of the offer; without it the host would
 * never use the id again. */
void hvk_refused_rescind(struct hvk *hvk, uint32_t channel_id)
{
	struct hvk_bus *bus = hvk->bus;

	bus->refused[channel_id / 32] &= ~(1u << (channel_id % 32));
	if (bus->step == HVK_STEP_UNLOAD)
		return; /* that gives back everything, and is the last word */
	bus->give_back[channel_id / 32] |= 1u << (channel_id % 32);
	if (!bus->release_refused.queued)
		hvk_out_put(hvk, &bus->release_refused, HVK_OUT_RELEASE_REFUSED);
}

void hvk_refused_forget(struct hvk *hvk)
{
	struct hvk_bus *bus = hvk->bus;

	hvk_out_drop(hvk, &bus->release_refused);
	memset(bus->refused, 0, sizeof(bus->refused));
	memset(bus->give_back, 0, sizeof(bus->give_back));
}

/* 0: none. */
uint32_t hvk_refused_next(const struct hvk *hvk)
{
	for (uint32_t i = 0; i < VMBUS_MAX_CHANNELS / 32; i++) {
		if (hvk->bus->give_back[i])
			return i * 32 + (uint32_t)__builtin_ctz(hvk->bus->give_back[i]);
	}
	return 0;
}

bool hvk_refused_posted(struct hvk *hvk)
{
	uint32_t id = hvk_refused_next(hvk);

	hvk->bus->give_back[id / 32] &= ~(1u << (id % 32));
	return hvk_refused_next(hvk) == 0;
}
