/* SPDX-License-Identifier: MIT */
/*
 * Control messages of ours. What is to be said waits in the order in which it was asked
 * for, as a link inside the object that it is about, so that nothing is allocated and no
 * queue can be full. The message itself is built when it is posted.
 */
#include "guest/vmbus/bus.h"

void hvk_out_put(struct hvk *hvk, struct hvk_outgoing *item, enum hvk_outgoing_kind kind)
{
	struct hvk_bus *bus = hvk->bus;

	HVK_ASSERT(!item->queued);
	item->kind = (uint8_t)kind;
	item->queued = true;
	item->next = NULL;
	if (bus->out_last)
		bus->out_last->next = item;
	else
		bus->out_first = item;
	bus->out_last = item;
	hvk_wake(hvk, bus->config.cpu);
}

/* The head of the queue starts with fresh patience. */
static void reset_retry(struct hvk_bus *bus)
{
	bus->retry_at = 0;
	bus->retry_ms = HVK_POST_RETRY_FIRST_MS;
	bus->post_deadline = 0;
}

void hvk_out_drop(struct hvk *hvk, struct hvk_outgoing *item)
{
	struct hvk_bus *bus = hvk->bus;
	struct hvk_outgoing *last = NULL;

	if (!item->queued)
		return;
	item->queued = false;
	if (bus->out_first == item) { /* as after each post: no walk */
		reset_retry(bus);
		bus->out_first = item->next;
		if (!bus->out_first)
			bus->out_last = NULL;
		return;
	}
	for (struct hvk_outgoing **link = &bus->out_first; *link;) {
		if (*link == item) {
			*link = item->next;
			continue;
		}
		last = *link;
		link = &last->next;
	}
	bus->out_last = last;
}

/* --- Building ------------------------------------------------------------------- */

static uint32_t fill_plain(enum vmbus_message_type type, void *to)
{
	struct vmbus_message_header message = {(uint32_t)type, 0};

	memcpy(to, &message, sizeof(message));
	return sizeof(message);
}

static uint32_t fill_channel(enum vmbus_message_type type, uint32_t channel_id, void *to)
{
	struct vmbus_channel_message message = {{(uint32_t)type, 0}, channel_id};

	memcpy(to, &message, sizeof(message));
	return sizeof(message);
}

static uint32_t fill_open(const struct hvk *hvk, const struct hvk_channel *channel, void *to)
{
	struct vmbus_open_channel message = {
		.header = {VMBUS_MSG_OPEN_CHANNEL, 0},
		.channel_id = channel->offer.channel_id,
		.open_id = channel->offer.channel_id,
		.ring_gpadl = channel->rings.id,
		.target_vp = hvk->cpus[channel->config.cpu].vp_index,
		.downstream_page_offset = channel->config.tx_pages + 1,
	};

	memcpy(message.user_data, channel->config.user_data, sizeof(message.user_data));
	memcpy(to, &message, sizeof(message));
	return sizeof(message);
}

static uint32_t fill_modify(const struct hvk *hvk, const struct hvk_channel *channel, void *to)
{
	struct vmbus_modify_channel message = {{VMBUS_MSG_MODIFY_CHANNEL, 0},
					       channel->offer.channel_id,
					       hvk->cpus[channel->move_to].vp_index};

	memcpy(to, &message, sizeof(message));
	return sizeof(message);
}

static uint32_t fill_teardown(const struct hvk_gpadl *gpadl, void *to)
{
	struct vmbus_gpadl_teardown message = {
		{VMBUS_MSG_GPADL_TEARDOWN, 0}, gpadl->channel->offer.channel_id, gpadl->id};

	memcpy(to, &message, sizeof(message));
	return sizeof(message);
}

static uint32_t fill(struct hvk *hvk, struct hvk_outgoing *item, void *to)
{
	switch ((enum hvk_outgoing_kind)item->kind) {
	case HVK_OUT_CONTACT:
		return hvk_contact_fill(hvk, to);
	case HVK_OUT_REQUEST_OFFERS:
		return fill_plain(VMBUS_MSG_REQUEST_OFFERS, to);
	case HVK_OUT_UNLOAD:
		return fill_plain(VMBUS_MSG_UNLOAD, to);
	case HVK_OUT_OPEN:
		return fill_open(hvk, HVK_OWNER(hvk_channel, open_close, item), to);
	case HVK_OUT_CLOSE:
		return fill_channel(VMBUS_MSG_CLOSE_CHANNEL,
				    HVK_OWNER(hvk_channel, open_close, item)->offer.channel_id, to);
	case HVK_OUT_MODIFY:
		return fill_modify(hvk, HVK_OWNER(hvk_channel, modify, item), to);
	case HVK_OUT_RELEASE:
		return fill_channel(VMBUS_MSG_RELID_RELEASED,
				    HVK_OWNER(hvk_channel, release, item)->offer.channel_id, to);
	case HVK_OUT_RELEASE_REFUSED:
		return fill_channel(VMBUS_MSG_RELID_RELEASED, hvk_refused_next(hvk), to);
	case HVK_OUT_GPADL_CREATE:
		return hvk_gpadl_fill(hvk, HVK_OWNER(hvk_gpadl, outgoing, item), to);
	case HVK_OUT_GPADL_TEARDOWN:
		return fill_teardown(HVK_OWNER(hvk_gpadl, outgoing, item), to);
	}
	return 0;
}

/* --- After posting ------------------------------------------------------------------ */

static void posted(struct hvk *hvk, struct hvk_outgoing *item, uint64_t now)
{
	enum hvk_outgoing_kind kind = (enum hvk_outgoing_kind)item->kind;

	if (kind == HVK_OUT_GPADL_CREATE) {
		reset_retry(hvk->bus);
		if (!hvk_gpadl_posted(hvk, HVK_OWNER(hvk_gpadl, outgoing, item), now))
			return; /* it stays in front until its last body is out */
	}
	if (kind == HVK_OUT_RELEASE_REFUSED) {
		reset_retry(hvk->bus);
		if (!hvk_refused_posted(hvk))
			return; /* ... its last id */
	}
	hvk_out_drop(hvk, item);
	switch (kind) {
	case HVK_OUT_CONTACT:
	case HVK_OUT_REQUEST_OFFERS:
	case HVK_OUT_UNLOAD:
		hvk_contact_posted(hvk, kind, now);
		break;
	case HVK_OUT_OPEN:
		hvk_channel_open_posted(hvk, HVK_OWNER(hvk_channel, open_close, item), now);
		break;
	case HVK_OUT_RELEASE:
		hvk_news_released(hvk, HVK_OWNER(hvk_channel, release, item));
		break;
	case HVK_OUT_GPADL_TEARDOWN:
		hvk_gpadl_teardown_posted(hvk, HVK_OWNER(hvk_gpadl, outgoing, item), now);
		break;
	case HVK_OUT_MODIFY:
		hvk_move_posted(hvk, HVK_OWNER(hvk_channel, modify, item), now);
		break;
	case HVK_OUT_CLOSE:
	case HVK_OUT_RELEASE_REFUSED:
	case HVK_OUT_GPADL_CREATE:
		break;
	}
}

static void failed(struct hvk *hvk, struct hvk_outgoing *item, hvk_status status, bool no_connection)
{
	enum hvk_outgoing_kind kind = (enum hvk_outgoing_kind)item->kind;

	hvk_out_drop(hvk, item);
	switch (kind) {
	case HVK_OUT_CONTACT:
	case HVK_OUT_REQUEST_OFFERS:
	case HVK_OUT_UNLOAD:
		hvk_contact_post_failed(hvk, status, no_connection);
		break;
	case HVK_OUT_OPEN:
		hvk_channel_open_failed(hvk, HVK_OWNER(hvk_channel, open_close, item), status);
		break;
	case HVK_OUT_RELEASE:
		hvk_news_released(hvk, HVK_OWNER(hvk_channel, release, item));
		break;
	case HVK_OUT_MODIFY:
		hvk_move_cancel(hvk, HVK_OWNER(hvk_channel, modify, item), status);
		break;
	case HVK_OUT_RELEASE_REFUSED: /* the others get their chance */
		if (!hvk_refused_posted(hvk))
			hvk_out_put(hvk, item, kind);
		break;
	case HVK_OUT_GPADL_CREATE:
	case HVK_OUT_GPADL_TEARDOWN:
		hvk_gpadl_post_failed(hvk, HVK_OWNER(hvk_gpadl, outgoing, item), status);
		break;
	case HVK_OUT_CLOSE:
		break; /* the rings' teardown will not be answered: quarantine */
	}
}

/* Status 0x12 means "no such connection" in the first contact and "throttled" in any
 * other message (Linux, mu_msvm). */
static bool means_no_connection(enum hvk_post_result result, const struct hvk_outgoing *item)
{
	return result == HVK_POST_NO_CONNECTION && item->kind == HVK_OUT_CONTACT;
}

static void retry_later(struct hvk *hvk, struct hvk_outgoing *item, uint64_t now)
{
	struct hvk_bus *bus = hvk->bus;

	if (bus->post_deadline == 0)
		bus->post_deadline = now + hvk->config.timeouts.post_ms * HVK_TIME_PER_MS;
	if (now >= bus->post_deadline) {
		failed(hvk, item, HVK_ETIMEDOUT_POST, false);
		return;
	}
	if (bus->retry_ms == 0)
		bus->retry_ms = HVK_POST_RETRY_FIRST_MS;
	bus->retry_at = now + bus->retry_ms * HVK_TIME_PER_MS;
	if (bus->retry_ms < HVK_POST_RETRY_MAX_MS)
		bus->retry_ms *= 2;
}

void hvk_out_pump(struct hvk *hvk)
{
	uint8_t message[HV_MESSAGE_PAYLOAD_MAX];

	for (unsigned i = 0; i < HVK_POSTS_PER_POLL && hvk->bus->out_first; i++) {
		struct hvk_outgoing *item = hvk->bus->out_first;
		uint32_t connection = item->kind == HVK_OUT_CONTACT ? hvk_contact_connection(hvk)
								    : hvk->bus->message_connection;
		uint64_t now = hvk_time(hvk);
		enum hvk_post_result result;

		if (now < hvk->bus->retry_at)
			return;
		result = hvk_post(hvk, connection, message, fill(hvk, item, message));
		if (result == HVK_POST_TAKEN) {
			posted(hvk, item, now);
		} else if (result == HVK_POST_FAILED || means_no_connection(result, item)) {
			failed(hvk, item, HVK_EHYPERCALL, result == HVK_POST_NO_CONNECTION);
		} else {
			retry_later(hvk, item, now);
			return;
		}
	}
}

uint64_t hvk_out_deadline(const struct hvk *hvk)
{
	return hvk->bus->out_first ? hvk->bus->retry_at : HVK_NEVER;
}
