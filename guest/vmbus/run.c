/* SPDX-License-Identifier: MIT */
/* A channel that its CPU looks at: its driver's ready, what the host is told meanwhile. */
#include "guest/vmbus/bus.h"

static bool call_ready(struct hvk_channel *channel)
{
	bool more;

	hvk_lock(channel->hvk, &channel->tx_lock);
	channel->room_wanted = false;
	hvk_unlock(channel->hvk, &channel->tx_lock);
	channel->held = false;
	HVK_COUNT(channel->counters.callbacks);
	more = channel->config.ready(channel->config.context, channel);
	return more && channel->dead == HVK_OK;
}

/* Tells the host what was read. What was read past its last look is free to it from now on. */
static void show_read(struct hvk_channel *channel)
{
	bool signal;
	hvk_status status;

	if (channel->dead != HVK_OK)
		return;
	status = hvk_ring_show(&channel->in, &signal);
	if (status != HVK_OK) {
		HVK_COUNT(channel->counters.faults);
		channel->dead = hvk_fault(channel->hvk, status, "channel %u: write index",
					  channel->offer.channel_id);
		hvk_cpu_put_ready(channel->hvk, channel); /* its driver has not heard of it */
	} else if (signal) {
		hvk_channel_signal_host(channel);
	}
}

/* Batched: the host does not signal while we read, and is looked at once more after it
 * may signal again. Unbatched: it may always, but sees an empty ring only after what we
 * read was shown, so there too it is looked at once more. A corrupt ring stays masked. */
static void read_ring(struct hvk_channel *channel)
{
	bool batched = channel->config.reading == HVK_CHANNEL_BATCHED, again;

	if (batched)
		hvk_ring_mask(&channel->in);
	again = call_ready(channel);
	show_read(channel);
	if (channel->dead != HVK_OK) {
		hvk_ring_mask(&channel->in); /* nothing more is read */
		return;
	}
	if (!again && !channel->held)
		again = batched ? hvk_ring_unmask(&channel->in) : hvk_ring_unread(&channel->in);
	if (again)
		hvk_cpu_put_ready(channel->hvk, channel);
}

void hvk_channel_hold(struct hvk_channel *channel)
{
	HVK_ASSERT(channel->config.reading == HVK_CHANNEL_UNBATCHED);
	channel->held = true;
}

void hvk_channel_resume(struct hvk_channel *channel)
{
	hvk_cpu_put_ready(channel->hvk, channel);
}

bool hvk_channel_run(struct hvk_channel *channel)
{
	struct hvk *hvk = channel->hvk;
	enum hvk_channel_state state;
	enum hvk_channel_step step;
	bool leave;

	hvk_lock(hvk, &hvk->bus->lock);
	step = channel->step;
	state = channel->state;
	leave = channel->move == HVK_MOVE_LEAVE;
	if (leave)
		channel->move = HVK_MOVE_HANDOVER;
	hvk_unlock(hvk, &hvk->bus->lock);
	if (leave) {
		hvk_move_handover(hvk, channel);
		return false;
	}
	if (step == HVK_CH_QUIESCE)
		hvk_channel_quiesce(channel);
	else if (state == HVK_CHANNEL_OPEN)
		read_ring(channel);
	return true;
}

/* On the CPU of the channel, which cannot move meanwhile. */
void hvk_channel_room_timer(struct hvk_timer *timer, void *context)
{
	struct hvk_channel *channel = context;

	(void)timer;
	hvk_cpu_put_ready(channel->hvk, channel);
}
