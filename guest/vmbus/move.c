/* SPDX-License-Identifier: MIT */
/*
 * An open channel to another CPU.
 *
 *   MODIFY     MODIFY_CHANNEL is posted; from 5.3 its answer awaited
 *   LEAVE      the old CPU is to look at the channel: no callback of it runs there then
 *   HANDOVER   that CPU makes it the new one's, which looks at the ring at once
 *
 * An event may come to either CPU at any time: whichever takes it in puts the channel on
 * the list of the CPU that it belongs to at that moment.
 */
#include "guest/vmbus/bus.h"

static void finish(struct hvk *hvk, struct hvk_channel *channel, hvk_status status)
{
	struct hvk_request *request = channel->move_request;

	channel->move = HVK_MOVE_NONE;
	channel->move_request = NULL;
	hvk_request_finish(hvk, request, status, channel->cpu);
}

static void begin_leave(struct hvk *hvk, struct hvk_channel *channel)
{
	hvk_channel_set_deadline(hvk, channel, HVK_NEVER);
	channel->move = HVK_MOVE_LEAVE;
	hvk_cpu_put_ready(hvk, channel);
}

void hvk_move_cancel(struct hvk *hvk, struct hvk_channel *channel, hvk_status status)
{
	if (channel->move == HVK_MOVE_NONE || channel->move == HVK_MOVE_HANDOVER)
		return;
	hvk_out_drop(hvk, &channel->modify);
	hvk_channel_set_deadline(hvk, channel, HVK_NEVER);
	finish(hvk, channel, status);
}

void hvk_move_posted(struct hvk *hvk, struct hvk_channel *channel, uint64_t now)
{
	if (hvk->bus->version->modify_response)
		hvk_channel_set_deadline(hvk, channel,
					 now + hvk->config.timeouts.modify_ms * HVK_TIME_PER_MS);
	else
		begin_leave(hvk, channel);
}

void hvk_move_response(struct hvk *hvk, const struct hvk_message *message)
{
	struct hvk_channel *channel = hvk_offer_find(hvk, message->channel_id);

	if (hvk->bus->version && !hvk->bus->version->modify_response) {
		(void)hvk_fault(hvk, HVK_EHOST_MESSAGE, "answer to MODIFY_CHANNEL, channel %u, below 5.3",
				message->channel_id);
		return;
	}
	/* It names no request: one that had timed out may be taken for a later one's, and does
	 * no harm, since no event is lost on the old CPU. */
	if (!channel || channel->move != HVK_MOVE_MODIFY || channel->modify.queued) {
		HVK_COUNT(hvk->counters.late_messages);
		return;
	}
	if (message->status != 0)
		hvk_move_cancel(hvk, channel, HVK_EREFUSED_MODIFY);
	else
		begin_leave(hvk, channel);
}

/* tx_lock keeps senders from starting the room timer; with the CPU's lock nobody puts the
 * channel on a list that it has left. */
static void change_cpu(struct hvk *hvk, struct hvk_channel *channel, struct hvk_cpu *from)
{
	bool timer;

	hvk_lock(hvk, &channel->tx_lock);
	hvk_lock(hvk, &from->lock);
	timer = hvk_timer_running(&channel->room_timer);
	hvk_timer_unlink(from, &channel->room_timer);
	channel->room_timer.deadline = HVK_NEVER;
	hvk_cpu_unlist(from, channel);
	channel->running = false;
	channel->room_timer.cpu = channel->move_to;
	__atomic_store_n(&channel->cpu, channel->move_to, __ATOMIC_RELAXED);
	hvk_unlock(hvk, &from->lock);
	if (timer)
		hvk_timer_start(hvk, &channel->room_timer, channel->move_to, HVK_ROOM_POLL_MS);
	hvk_unlock(hvk, &channel->tx_lock);
}

void hvk_move_handover(struct hvk *hvk, struct hvk_channel *channel)
{
	change_cpu(hvk, channel, &hvk->cpus[channel->cpu]);
	hvk_lock(hvk, &hvk->bus->lock);
	finish(hvk, channel, HVK_OK);
	hvk_cpu_put_ready(hvk, channel); /* what came meanwhile; a close that has begun */
	hvk_news_put(hvk, channel);
	hvk_unlock(hvk, &hvk->bus->lock);
}

/* --- For the user ------------------------------------------------------------------------ */

static hvk_status check(const struct hvk *hvk, const struct hvk_channel *channel, uint32_t cpu)
{
	if (!hvk_cpu_runs(hvk, cpu))
		return HVK_EINVAL;
	if (hvk_channel_over(channel))
		return HVK_EGONE;
	if (channel->state == HVK_CHANNEL_CLOSING || channel->move != HVK_MOVE_NONE)
		return HVK_EBUSY;
	if (channel->state != HVK_CHANNEL_OPEN || hvk->bus->state != HVK_VMBUS_CONNECTED)
		return HVK_ESTATE;
	return hvk->bus->version->modify_channel ? HVK_OK : HVK_EVERSION;
}

void hvk_channel_set_cpu(struct hvk_channel *channel, uint32_t cpu, struct hvk_request *request)
{
	struct hvk *hvk = channel->hvk;
	hvk_status status;

	hvk_request_begin(request);
	hvk_lock(hvk, &hvk->bus->lock);
	status = check(hvk, channel, cpu);
	if (status == HVK_OK && cpu != channel->cpu) {
		channel->move = HVK_MOVE_MODIFY;
		channel->move_to = cpu;
		channel->move_request = request;
		hvk_out_put(hvk, &channel->modify, HVK_OUT_MODIFY);
		hvk_unlock(hvk, &hvk->bus->lock);
		return;
	}
	hvk_unlock(hvk, &hvk->bus->lock);
	hvk_request_finish(hvk, request, status, hvk_cpu_index(hvk));
}
