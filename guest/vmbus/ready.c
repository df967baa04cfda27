/* SPDX-License-Identifier: MIT */
/* Channels that have something to do, each on the list of its CPU. */
#include "guest/vmbus/bus.h"

#define POLL_CHANNELS 64u /* callbacks per poll */

/* Of the CPU whose lock is held. */
static void append(struct hvk_cpu *cpu, struct hvk_channel *channel)
{
	if (channel->queued)
		return;
	channel->queued = true;
	channel->ready_next = NULL;
	if (cpu->ready_last)
		cpu->ready_last->ready_next = channel;
	else
		cpu->ready_first = channel;
	cpu->ready_last = channel;
}

void hvk_cpu_put_ready(struct hvk *hvk, struct hvk_channel *channel)
{
	uint32_t index = hvk_channel_cpu(channel);
	bool put = false;

	/* It may move between the look at its CPU and the lock; no second move begins without
	 * bus.lock, nor while its own CPU is in here. */
	for (unsigned i = 0; i < 2 && !put; i++) {
		struct hvk_cpu *cpu = &hvk->cpus[index];

		hvk_lock(hvk, &cpu->lock);
		put = hvk_channel_cpu(channel) == index;
		if (put)
			append(cpu, channel);
		hvk_unlock(hvk, &cpu->lock);
		if (put)
			hvk_wake(hvk, index);
		index = hvk_channel_cpu(channel);
	}
	HVK_ASSERT(put);
}

void hvk_cpu_unlist(struct hvk_cpu *cpu, struct hvk_channel *channel)
{
	struct hvk_channel *last = NULL;

	if (!channel->queued)
		return;
	for (struct hvk_channel **link = &cpu->ready_first; *link;) {
		if (*link == channel) {
			*link = channel->ready_next;
			continue;
		}
		last = *link;
		link = &last->ready_next;
	}
	cpu->ready_last = last;
	channel->queued = false;
}

static struct hvk_channel *take_ready(struct hvk *hvk, struct hvk_cpu *cpu)
{
	struct hvk_channel *channel;

	hvk_lock(hvk, &cpu->lock);
	channel = cpu->ready_first;
	if (channel) {
		cpu->ready_first = channel->ready_next;
		if (!cpu->ready_first)
			cpu->ready_last = NULL;
		channel->queued = false;
		channel->running = true;
	}
	hvk_unlock(hvk, &cpu->lock);
	return channel;
}

static void put_down(struct hvk *hvk, struct hvk_cpu *cpu, struct hvk_channel *channel)
{
	hvk_lock(hvk, &cpu->lock);
	channel->running = false;
	hvk_unlock(hvk, &cpu->lock);
}

/* False: it is being looked at; try later. Afterwards no list of the CPU has it. */
bool hvk_cpu_forget_channel(struct hvk *hvk, struct hvk_channel *channel)
{
	struct hvk_cpu *cpu = &hvk->cpus[hvk_channel_cpu(channel)];
	bool idle;

	hvk_lock(hvk, &cpu->lock);
	idle = !channel->running;
	if (idle) {
		hvk_cpu_unlist(cpu, channel);
		hvk_timer_unlink(cpu, &channel->room_timer);
	}
	hvk_unlock(hvk, &cpu->lock);
	return idle;
}

void hvk_run_channels(struct hvk *hvk, struct hvk_cpu *cpu)
{
	struct hvk_channel *last, *channel = NULL;

	hvk_lock(hvk, &cpu->lock);
	last = cpu->ready_last;
	hvk_unlock(hvk, &cpu->lock);
	/* Each at most once per poll: one that stays busy goes to the end of the list. */
	for (unsigned i = 0; i < POLL_CHANNELS && channel != last; i++) {
		channel = take_ready(hvk, cpu);
		if (!channel)
			return;
		if (hvk_channel_run(channel))
			put_down(hvk, cpu, channel);
	}
}
