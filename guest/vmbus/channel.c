/* SPDX-License-Identifier: MIT */
/*
 * Opening and closing a channel.
 *
 *   open    GPADL of the rings -> OPEN_CHANNEL -> OPEN_RESULT
 *   close   sub-channels -> its CPU passes a poll -> CLOSE_CHANNEL -> the rings' GPADL is
 *           torn down
 */
#include "guest/vmbus/bus.h"

static void set_state(struct hvk_channel *channel, enum hvk_channel_state state)
{
	__atomic_store_n(&channel->state, state, __ATOMIC_RELAXED); /* hvk_channel_state reads it anywhere */
}

static struct hvk_channel *primary_of(struct hvk_channel *channel)
{
	return channel->primary ? channel->primary : channel;
}

void hvk_channel_set_deadline(struct hvk *hvk, struct hvk_channel *channel, uint64_t deadline)
{
	channel->deadline = deadline;
	hvk_list_remove(&channel->waiting);
	if (deadline != HVK_NEVER)
		hvk_list_add(&hvk->bus->waiting, &channel->waiting);
}

static void finish(struct hvk *hvk, struct hvk_channel *channel)
{
	struct hvk_request *request = channel->request;

	channel->request = NULL;
	channel->step = HVK_CH_IDLE;
	hvk_channel_set_deadline(hvk, channel, HVK_NEVER);
	hvk_request_finish(hvk, request, channel->result, channel->cpu);
}

/* However it came to that. */
static void finish_closed(struct hvk *hvk, struct hvk_channel *channel)
{
	set_state(channel, HVK_CHANNEL_CLOSED);
	hvk_list_remove(&channel->active);
	finish(hvk, channel);
	hvk_news_put(hvk, channel);
	hvk_subchannels_close(hvk, primary_of(channel)); /* its primary may wait for that */
}

/* --- Open ------------------------------------------------------------------------- */

static hvk_status check_open(struct hvk *hvk, const struct hvk_channel_config *config)
{
	if (!config->ready || !hvk_cpu_runs(hvk, config->cpu))
		return HVK_EINVAL;
	if (config->tx_pages == 0 || config->rx_pages == 0 || config->tx_pages > 4094 ||
	    config->rx_pages > 4094)
		return HVK_EINVAL;
	return config->requests_max <= HVK_REQUESTS_MAX ? HVK_OK : HVK_EINVAL;
}

static hvk_status allocate_requests(struct hvk_channel *channel, uint16_t limit)
{
	uint32_t bytes = (limit + 1u) * (uint32_t)sizeof(struct hvk_request_slot);
	struct hvk_pages pages = {0}, old;
	hvk_status status;

	status = hvk_pages_get(channel->hvk, (bytes + HVK_PAGE_SIZE - 1) / HVK_PAGE_SIZE, HVK_PAGE_PRIVATE,
			       &pages);
	if (status != HVK_OK)
		return status;
	hvk_lock(channel->hvk, &channel->tx_lock); /* another CPU may still take requests */
	old = channel->request_pages;
	channel->request_pages = pages;
	hvk_requests_init(&channel->requests, (struct hvk_request_slot *)pages.address, limit);
	hvk_unlock(channel->hvk, &channel->tx_lock);
	hvk_pages_put(channel->hvk, &old);
	return HVK_OK;
}

static hvk_status begin_open(struct hvk_channel *channel, const struct hvk_channel_config *config,
			     struct hvk_request *request)
{
	struct hvk *hvk = channel->hvk;
	hvk_status status = HVK_OK;

	hvk_lock(hvk, &hvk->bus->lock);
	if (hvk_channel_over(channel))
		status = HVK_EGONE;
	else if (hvk->bus->state != HVK_VMBUS_CONNECTED || channel->absent ||
		 channel->state != HVK_CHANNEL_CLOSED)
		status = HVK_ESTATE;
	else if (channel->primary && channel->primary->state != HVK_CHANNEL_OPEN)
		status = HVK_ESTATE;
	else if (config->cpu != 0 && !hvk->bus->version->channel_cpu)
		status = HVK_EINVAL; /* below 2.4 every channel interrupts CPU 0 */
	else if (channel->move != HVK_MOVE_NONE || !hvk_cpu_forget_channel(hvk, channel))
		status = HVK_EBUSY; /* the CPU it was on is not finished with it */
	if (status == HVK_OK) {
		set_state(channel, HVK_CHANNEL_OPENING);
		channel->step = HVK_CH_OPEN_GPADL;
		channel->config = *config;
		channel->request = request;
		channel->result = HVK_OK;
		channel->dead = HVK_OK;
		channel->room_wanted = false;
		channel->room_timer.cpu = config->cpu;
		__atomic_store_n(&channel->cpu, config->cpu, __ATOMIC_RELAXED);
		hvk_list_add(&hvk->bus->active, &channel->active);
	}
	hvk_unlock(hvk, &hvk->bus->lock);
	return status;
}

/* The rings are initialised before the host is told of them. */
static hvk_status allocate_rings(struct hvk_channel *channel)
{
	uint32_t tx_pages = channel->config.tx_pages + 1, rx_pages = channel->config.rx_pages + 1;
	hvk_status status = hvk_gpadl_allocate(channel, tx_pages + rx_pages, &channel->rings);
	struct hvk_shared all, part;

	if (status != HVK_OK)
		return status;
	all = hvk_pages_shared(&channel->rings.pages);
	part = hvk_shared_part(&all, 0, tx_pages * HVK_PAGE_SIZE);
	hvk_ring_out_init(&channel->out, &part);
	part = hvk_shared_part(&all, tx_pages * HVK_PAGE_SIZE, rx_pages * HVK_PAGE_SIZE);
	hvk_ring_in_init(&channel->in, &part);
	return HVK_OK;
}

void hvk_channel_open(struct hvk_channel *channel, const struct hvk_channel_config *config,
		      struct hvk_request *request)
{
	struct hvk *hvk = channel->hvk;
	hvk_status status = check_open(hvk, config);

	hvk_request_begin(request);
	if (status == HVK_OK)
		status = begin_open(channel, config, request);
	if (status != HVK_OK) {
		hvk_request_finish(hvk, request, status, hvk_cpu_index(hvk));
		return;
	}
	status = allocate_requests(channel, config->requests_max);
	if (status == HVK_OK)
		status = allocate_rings(channel);
	if (status == HVK_OK)
		status = hvk_gpadl_submit(channel, &channel->rings, NULL);
	if (status != HVK_OK) {
		hvk_lock(hvk, &hvk->bus->lock);
		channel->result = status;
		finish_closed(hvk, channel);
		hvk_unlock(hvk, &hvk->bus->lock);
	}
}

void hvk_channel_open_posted(struct hvk *hvk, struct hvk_channel *channel, uint64_t now)
{
	hvk_channel_set_deadline(hvk, channel, now + hvk->config.timeouts.open_ms * HVK_TIME_PER_MS);
}

/* Opening failed with the rings mapped: undo. told: the host may think that it is open. */
static void undo_open(struct hvk *hvk, struct hvk_channel *channel, hvk_status status, bool told)
{
	set_state(channel, HVK_CHANNEL_CLOSING);
	channel->step = HVK_CH_TEARDOWN;
	channel->result = status;
	hvk_channel_set_deadline(hvk, channel, HVK_NEVER);
	hvk_out_drop(hvk, &channel->open_close);
	if (told && !channel->rescinded)
		hvk_out_put(hvk, &channel->open_close, HVK_OUT_CLOSE);
	hvk_gpadl_begin_teardown(hvk, &channel->rings);
}

void hvk_channel_open_failed(struct hvk *hvk, struct hvk_channel *channel, hvk_status status)
{
	undo_open(hvk, channel, status, false);
}

void hvk_channel_open_result(struct hvk *hvk, const struct hvk_message *message)
{
	struct hvk_channel *channel = hvk_offer_find(hvk, message->channel_id);

	if (!channel || message->open_id != message->channel_id) {
		(void)hvk_fault(hvk, HVK_EHOST_ID, "open result for channel %u, open id %u",
				message->channel_id, message->open_id);
		return;
	}
	if (channel->step != HVK_CH_OPEN_RESULT || channel->open_close.queued) {
		HVK_COUNT(hvk->counters.late_messages);
		return;
	}
	if (message->status != 0) {
		undo_open(hvk, channel, HVK_EREFUSED_OPEN, false);
		return;
	}
	set_state(channel, HVK_CHANNEL_OPEN);
	hvk_lock(hvk, &channel->tx_lock);
	channel->usable = true;
	hvk_unlock(hvk, &channel->tx_lock);
	finish(hvk, channel);
	hvk_cpu_put_ready(hvk, channel); /* the host may have written already */
	hvk_subchannels_close(hvk, primary_of(channel));
}

/* The rings' GPADL: created (bus.state decides what next), or gone. */
void hvk_channel_gpadl_done(struct hvk *hvk, struct hvk_channel *channel, hvk_status status)
{
	if (channel->step == HVK_CH_OPEN_GPADL && status == HVK_OK) {
		channel->step = HVK_CH_OPEN_RESULT;
		hvk_out_put(hvk, &channel->open_close, HVK_OUT_OPEN);
		return;
	}
	if (channel->result == HVK_OK)
		channel->result = status;
	finish_closed(hvk, channel);
}

void hvk_channel_check_deadline(struct hvk *hvk, struct hvk_channel *channel, uint64_t now)
{
	if (now < channel->deadline)
		return;
	if (channel->step == HVK_CH_OPEN_RESULT)
		undo_open(hvk, channel, HVK_ETIMEDOUT_OPEN, true);
	else
		hvk_move_cancel(hvk, channel, HVK_ETIMEDOUT_MODIFY);
}

/* --- Close ----------------------------------------------------------------------------- */

void hvk_channel_begin_quiesce(struct hvk *hvk, struct hvk_channel *channel)
{
	hvk_move_cancel(hvk, channel, HVK_ECANCELED);
	set_state(channel, HVK_CHANNEL_CLOSING);
	channel->step = HVK_CH_QUIESCE;
	channel->result = HVK_OK;
	hvk_cpu_put_ready(hvk, channel);
}

void hvk_channel_begin_close(struct hvk *hvk, struct hvk_channel *channel)
{
	hvk_move_cancel(hvk, channel, HVK_ECANCELED);
	set_state(channel, HVK_CHANNEL_CLOSING);
	channel->step = HVK_CH_SUBCHANNELS;
	channel->result = HVK_OK;
	hvk_subchannels_close(hvk, channel); /* at once, if it has none */
}

void hvk_channel_close(struct hvk_channel *channel, struct hvk_request *request)
{
	struct hvk *hvk = channel->hvk;
	hvk_status status = HVK_OK;

	hvk_request_begin(request);
	hvk_lock(hvk, &hvk->bus->lock);
	if (channel->state == HVK_CHANNEL_OPEN) {
		channel->request = request;
		hvk_channel_begin_close(hvk, channel);
	} else {
		status = channel->state == HVK_CHANNEL_CLOSED ? HVK_ESTATE : HVK_EBUSY;
	}
	hvk_unlock(hvk, &hvk->bus->lock);
	if (status != HVK_OK)
		hvk_request_finish(hvk, request, status, hvk_cpu_index(hvk));
}

void hvk_channel_quiesce(struct hvk_channel *channel)
{
	struct hvk *hvk = channel->hvk;

	hvk_lock(hvk, &channel->tx_lock);
	channel->usable = false;
	hvk_unlock(hvk, &channel->tx_lock);
	hvk_timer_stop(hvk, &channel->room_timer);
	hvk_lock(hvk, &hvk->bus->lock);
	channel->step = HVK_CH_TEARDOWN;
	if (!channel->rescinded)
		hvk_out_put(hvk, &channel->open_close, HVK_OUT_CLOSE);
	hvk_gpadl_begin_teardown(hvk, &channel->rings);
	hvk_unlock(hvk, &hvk->bus->lock);
}

/* Rescinded: what waits for the host is over; what is open is the driver's to close. */
void hvk_channel_gone(struct hvk *hvk, struct hvk_channel *channel)
{
	switch (channel->step) {
	case HVK_CH_OPEN_RESULT:
		undo_open(hvk, channel, HVK_EGONE, false);
		break;
	case HVK_CH_TEARDOWN: /* a queued CLOSE has nobody to go to */
		hvk_out_drop(hvk, &channel->open_close);
		break;
	case HVK_CH_OPEN_GPADL: /* hvk_gpadl_channel_gone has ended it */
	case HVK_CH_SUBCHANNELS:
	case HVK_CH_QUIESCE:
	case HVK_CH_IDLE:
		break;
	}
	hvk_move_cancel(hvk, channel, HVK_EGONE);
	if (channel->state == HVK_CHANNEL_OPEN)
		hvk_cpu_put_ready(hvk, channel); /* its driver is to look */
}

enum hvk_channel_state hvk_channel_state(const struct hvk_channel *channel)
{
	enum hvk_channel_state state = __atomic_load_n(&channel->state, __ATOMIC_RELAXED);

	return state == HVK_CHANNEL_OPEN && hvk_channel_rescinded(channel) ? HVK_CHANNEL_RESCINDED : state;
}
