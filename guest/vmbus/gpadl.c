/* SPDX-License-Identifier: MIT */
/* Memory shared with the host: created, torn down, or left behind in quarantine. */
#include "guest/vmbus/bus.h"
#include "guest/vmbus/gpadl_split.h"

#define GPADL(item) HVK_OWNER(hvk_gpadl, link, item)

static struct hvk_gpadl *find_in(struct hvk_link *list, uint32_t id)
{
	for (; list; list = list->next) {
		if (GPADL(list)->id == id)
			return GPADL(list);
	}
	return NULL;
}

static struct hvk_gpadl *find(struct hvk *hvk, uint32_t id)
{
	struct hvk_gpadl *gpadl = find_in(hvk->bus->gpadls, id);

	return gpadl ? gpadl : find_in(hvk->bus->gpadls_live, id);
}

static void move_to(struct hvk_link **list, struct hvk_gpadl *gpadl)
{
	hvk_list_remove(&gpadl->link);
	hvk_list_add(list, &gpadl->link);
}

/* Ids are not used again for as long as 32 bits last: a late answer finds nobody. */
static uint32_t new_id(struct hvk *hvk)
{
	do {
		hvk->bus->gpadl_next_id++;
	} while (hvk->bus->gpadl_next_id == 0 || find(hvk, hvk->bus->gpadl_next_id));
	return hvk->bus->gpadl_next_id;
}

/* Over, one way or the other: its memory is dealt with by hvk_gpadl_settle. */
static void over(struct hvk *hvk, struct hvk_gpadl *gpadl, hvk_status result, bool host_may_write)
{
	hvk_out_drop(hvk, &gpadl->outgoing);
	gpadl->state = host_may_write ? HVK_GPADL_LEFT : HVK_GPADL_NONE;
	gpadl->result = result;
	gpadl->deadline = HVK_NEVER;
	move_to(&hvk->bus->gpadls_done, gpadl);
}

static struct hvk_gpadl *take_done(struct hvk *hvk)
{
	struct hvk_gpadl *gpadl;

	hvk_lock(hvk, &hvk->bus->lock);
	gpadl = hvk->bus->gpadls_done ? GPADL(hvk->bus->gpadls_done) : NULL;
	if (gpadl)
		hvk_list_remove(&gpadl->link);
	hvk_unlock(hvk, &hvk->bus->lock);
	return gpadl;
}

/* Its owner is told: the channel whose rings these are, or whoever asked. */
static void tell(struct hvk *hvk, struct hvk_channel *channel, struct hvk_gpadl *gpadl, hvk_status status)
{
	struct hvk_request *request = gpadl->request;

	gpadl->request = NULL;
	if (gpadl == &channel->rings)
		hvk_channel_gpadl_done(hvk, channel, status);
	else
		hvk_request_finish(hvk, request, status, hvk_channel_cpu(channel)); /* it may be moving */
}

void hvk_gpadl_settle(struct hvk *hvk)
{
	struct hvk_gpadl *gpadl;

	while ((gpadl = take_done(hvk)) != NULL) {
		struct hvk_channel *channel = gpadl->channel;
		hvk_status status = gpadl->result;

		if (gpadl->state == HVK_GPADL_LEFT)
			(void)hvk_pages_quarantine(hvk, &gpadl->pages);
		else
			hvk_pages_put(hvk, &gpadl->pages);
		hvk_lock(hvk, &hvk->bus->lock);
		gpadl->state = HVK_GPADL_NONE;
		gpadl->id = 0;
		channel->gpadl_count--;
		hvk_news_put(hvk, channel);
		tell(hvk, channel, gpadl, status);
		hvk_unlock(hvk, &hvk->bus->lock);
	}
}

/* --- Creating ----------------------------------------------------------------------- */

hvk_status hvk_gpadl_allocate(struct hvk_channel *channel, uint32_t page_count, struct hvk_gpadl *gpadl)
{
	struct hvk *hvk = channel->hvk;
	hvk_status status = hvk_quarantine_check(hvk);

	*gpadl = (struct hvk_gpadl){.channel = channel, .deadline = HVK_NEVER};
	if (page_count == 0 || page_count > VMBUS_GPADL_PAGES_MAX)
		return HVK_EINVAL;
	return status == HVK_OK ? hvk_pages_get(hvk, page_count, HVK_PAGE_HOST_WRITES, &gpadl->pages)
				: status;
}

hvk_status hvk_gpadl_submit(struct hvk_channel *channel, struct hvk_gpadl *gpadl, struct hvk_request *request)
{
	struct hvk *hvk = channel->hvk;
	struct hvk_bus *bus = hvk->bus;
	hvk_status status = HVK_OK;

	hvk_lock(hvk, &bus->lock);
	if (hvk_channel_over(channel))
		status = HVK_EGONE;
	else if (bus->state != HVK_VMBUS_CONNECTED)
		status = HVK_ESTATE;
	if (status == HVK_OK) {
		gpadl->id = new_id(hvk);
		gpadl->state = HVK_GPADL_CREATING;
		gpadl->request = request;
		hvk_list_add(&bus->gpadls, &gpadl->link);
		channel->gpadl_count++;
		hvk_out_put(hvk, &gpadl->outgoing, HVK_OUT_GPADL_CREATE);
	}
	hvk_unlock(hvk, &bus->lock);
	if (status != HVK_OK)
		hvk_pages_put(hvk, &gpadl->pages);
	return status;
}

void hvk_gpadl_create(struct hvk_channel *channel, uint32_t page_count, struct hvk_gpadl *gpadl,
		      struct hvk_request *request)
{
	hvk_status status;

	hvk_request_begin(request);
	status = hvk_gpadl_allocate(channel, page_count, gpadl);
	if (status == HVK_OK)
		status = hvk_gpadl_submit(channel, gpadl, request);
	if (status != HVK_OK)
		hvk_request_finish(channel->hvk, request, status, hvk_cpu_index(channel->hvk));
}

uint32_t hvk_gpadl_fill(struct hvk *hvk, struct hvk_gpadl *gpadl, void *to)
{
	uint32_t count = hvk_gpadl_next_pages(gpadl->pages_sent, gpadl->pages.count), offset;

	if (gpadl->pages_sent == 0) {
		struct vmbus_gpadl_header header = {
			.header = {VMBUS_MSG_GPADL_HEADER, 0},
			.channel_id = gpadl->channel->offer.channel_id,
			.gpadl = gpadl->id,
			.range_buffer_length = (uint16_t)(8 + 8 * gpadl->pages.count),
			.range_count = 1,
			.byte_count = gpadl->pages.count * HVK_PAGE_SIZE,
		};

		memcpy(to, &header, sizeof(header));
		offset = sizeof(header);
	} else {
		struct vmbus_gpadl_body body = {
			.header = {VMBUS_MSG_GPADL_BODY, 0},
			.gpadl = gpadl->id,
		};

		memcpy(to, &body, sizeof(body));
		offset = sizeof(body);
	}
	for (uint32_t i = 0; i < count; i++, offset += 8) {
		uint64_t pfn = hvk_page_gpa(hvk, &gpadl->pages, gpadl->pages_sent + i) >> HVK_PAGE_SHIFT;

		memcpy((uint8_t *)to + offset, &pfn, sizeof(pfn));
	}
	return offset;
}

bool hvk_gpadl_posted(struct hvk *hvk, struct hvk_gpadl *gpadl, uint64_t now)
{
	gpadl->pages_sent += hvk_gpadl_next_pages(gpadl->pages_sent, gpadl->pages.count);
	if (gpadl->pages_sent < gpadl->pages.count)
		return false;
	gpadl->state = HVK_GPADL_CREATED_WAIT;
	gpadl->deadline = now + hvk->config.timeouts.gpadl_ms * HVK_TIME_PER_MS;
	return true;
}

void hvk_gpadl_created(struct hvk *hvk, const struct hvk_message *message)
{
	struct hvk_gpadl *gpadl = find(hvk, message->gpadl);

	if (!gpadl || gpadl->channel->offer.channel_id != message->channel_id) {
		if (message->gpadl <= hvk->bus->gpadl_next_id)
			HVK_COUNT(hvk->counters.late_messages);
		else
			(void)hvk_fault(hvk, HVK_EHOST_ID, "created GPADL 0x%x", message->gpadl);
		return;
	}
	/* A host may refuse before it has seen every body. */
	if (message->status != 0 && (gpadl->state == HVK_GPADL_CREATED_WAIT ||
				     (gpadl->state == HVK_GPADL_CREATING && gpadl->pages_sent))) {
		over(hvk, gpadl, HVK_EREFUSED_GPADL, false);
		return;
	}
	if (gpadl->state != HVK_GPADL_CREATED_WAIT) {
		(void)hvk_fault(hvk, HVK_EHOST_DUPLICATE, "created GPADL 0x%x, not asked for",
				message->gpadl);
		return;
	}
	gpadl->state = HVK_GPADL_LIVE;
	gpadl->deadline = HVK_NEVER;
	move_to(&hvk->bus->gpadls_live, gpadl);
	tell(hvk, gpadl->channel, gpadl, HVK_OK);
}

/* --- Tearing down ------------------------------------------------------------------------ */

void hvk_gpadl_begin_teardown(struct hvk *hvk, struct hvk_gpadl *gpadl)
{
	HVK_ASSERT(gpadl->state == HVK_GPADL_LIVE);
	gpadl->state = HVK_GPADL_TEARING;
	move_to(&hvk->bus->gpadls, gpadl);
	if (hvk->bus->reconnecting)
		return;                /* the host's answer ends it: hvk_offer_lost_all */
	if (gpadl->channel->rescinded) /* the host has let go, or will never say so */
		over(hvk, gpadl, HVK_OK,
		     hvk->bus->state == HVK_VMBUS_ABANDONED && !hvk->bus->abandon_answered);
	else
		hvk_out_put(hvk, &gpadl->outgoing, HVK_OUT_GPADL_TEARDOWN);
	hvk_bus_stir(hvk);
}

void hvk_gpadl_teardown(struct hvk_gpadl *gpadl, struct hvk_request *request)
{
	struct hvk *hvk = gpadl->channel->hvk;
	bool ready;

	hvk_request_begin(request);
	hvk_lock(hvk, &hvk->bus->lock);
	ready = gpadl->state == HVK_GPADL_LIVE;
	if (ready) {
		gpadl->request = request;
		hvk_gpadl_begin_teardown(hvk, gpadl);
	}
	hvk_unlock(hvk, &hvk->bus->lock);
	if (!ready)
		hvk_request_finish(hvk, request, HVK_ESTATE, hvk_cpu_index(hvk));
}

void hvk_gpadl_teardown_posted(struct hvk *hvk, struct hvk_gpadl *gpadl, uint64_t now)
{
	gpadl->deadline = now + hvk->config.timeouts.teardown_ms * HVK_TIME_PER_MS;
}

void hvk_gpadl_torndown(struct hvk *hvk, uint32_t id)
{
	struct hvk_gpadl *gpadl = find(hvk, id);

	if (!gpadl) {
		if (id <= hvk->bus->gpadl_next_id)
			HVK_COUNT(hvk->counters.late_messages);
		else
			(void)hvk_fault(hvk, HVK_EHOST_ID, "torn down GPADL 0x%x", id);
		return;
	}
	/* Before our message is out it cannot be the answer to it. */
	if (gpadl->state != HVK_GPADL_TEARING || gpadl->outgoing.queued) {
		(void)hvk_fault(hvk, HVK_EHOST_DUPLICATE, "torn down GPADL 0x%x, not asked for", id);
		return;
	}
	over(hvk, gpadl, HVK_OK, false);
}

void hvk_gpadl_post_failed(struct hvk *hvk, struct hvk_gpadl *gpadl, hvk_status status)
{
	bool known = gpadl->state == HVK_GPADL_TEARING || gpadl->pages_sent != 0;

	over(hvk, gpadl, status, known);
}

void hvk_gpadl_channel_gone(struct hvk *hvk, struct hvk_channel *channel)
{
	struct hvk_link *link = hvk->bus->gpadls, *next;

	for (; link; link = next) {
		struct hvk_gpadl *gpadl = GPADL(link);

		next = link->next;
		if (gpadl->channel == channel)
			over(hvk, gpadl, gpadl->state == HVK_GPADL_TEARING ? HVK_OK : HVK_EGONE, false);
	}
}

void hvk_gpadl_teardown_all(struct hvk *hvk)
{
	struct hvk_link *link = hvk->bus->gpadls_live, *next;

	for (; link; link = next) {
		next = link->next;
		hvk_gpadl_begin_teardown(hvk, GPADL(link));
	}
}

void hvk_gpadl_check_deadlines(struct hvk *hvk, uint64_t now)
{
	struct hvk_link *link = hvk->bus->gpadls, *next;

	for (; link; link = next) {
		struct hvk_gpadl *gpadl = GPADL(link);

		next = link->next;
		if (now < gpadl->deadline)
			continue;
		over(hvk, gpadl,
		     gpadl->state == HVK_GPADL_TEARING ? HVK_ETIMEDOUT_TEARDOWN : HVK_ETIMEDOUT_GPADL, true);
	}
}

uint64_t hvk_gpadl_deadline(const struct hvk *hvk)
{
	uint64_t deadline = hvk->bus->gpadls_done ? 0 : HVK_NEVER;

	for (const struct hvk_link *link = hvk->bus->gpadls; link; link = link->next)
		deadline = GPADL(link)->deadline < deadline ? GPADL(link)->deadline : deadline;
	return deadline;
}

/* --- After an abrupt exit ------------------------------------------------------------------ */

static void forget(struct hvk *hvk, struct hvk_link *list, bool host_may_write)
{
	struct hvk_link *next;

	for (; list; list = next) {
		struct hvk_gpadl *gpadl = GPADL(list);

		next = list->next;
		gpadl->id = 0;
		if (host_may_write || gpadl->state == HVK_GPADL_LEFT)
			(void)hvk_pages_quarantine(hvk, &gpadl->pages);
		else
			hvk_pages_put(hvk, &gpadl->pages);
	}
}

void hvk_gpadl_forget_all(struct hvk *hvk, bool host_may_write)
{
	struct hvk_bus *bus = hvk->bus;

	forget(hvk, bus->gpadls, host_may_write);
	forget(hvk, bus->gpadls_live, host_may_write);
	forget(hvk, bus->gpadls_done, false);
	bus->gpadls = NULL;
	bus->gpadls_live = NULL;
	bus->gpadls_done = NULL;
}

const struct hvk_gpadl *hvk_gpadl_withheld(const struct hvk *hvk, uint32_t n)
{
	const struct hvk_bus *bus = hvk->bus;
	const struct hvk_link *lists[] = {bus->gpadls, bus->gpadls_live, bus->gpadls_done};

	for (unsigned i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
		for (const struct hvk_link *link = lists[i]; link; link = link->next) {
			const struct hvk_gpadl *gpadl = GPADL(link);
			bool withheld = lists[i] != bus->gpadls_done || gpadl->state == HVK_GPADL_LEFT;

			if (withheld && gpadl->pages.count != 0 && n-- == 0)
				return gpadl;
		}
	}
	return NULL;
}
