/* SPDX-License-Identifier: MIT */
/*
 * Queues beside the first: sub-channels asked for, offered, opened, and gone again, each when the
 * host likes: fewer than asked for, late, or never.
 *
 * An offer is noted in the queue that it is for (netvsc_queue.offered), claimed so that it stays,
 * by the hook on the contact CPU; all else happens with the card.
 */
#include "guest/netvsc/netvsc_internal.h"

#ifndef HVK_CONFIG_SMALL /* small.c */

/* --- Offers ----------------------------------------------------------------------------- */

/* The claim on a sub-channel that is of no use (any more). */
static void give_up(struct hvk_channel *channel)
{
	if (channel)
		hvk_channel_unclaim(channel);
}

/* On the contact CPU. */
static void offered(void *context, struct hvk_channel *primary, struct hvk_channel *channel)
{
	struct hvk_netvsc *nic = context;
	uint32_t index = hvk_channel_offer(channel)->subchannel_index;
	struct hvk_channel *unused = channel;

	(void)primary;
	if (index == 0 || index >= nic->queue_count || hvk_channel_claim(channel) != HVK_OK)
		return;
	hvk_lock(nic->hvk, &nic->lock);
	if (nic->subchannels_wanted) {
		unused = nic->queues[index].offered; /* one that the host has taken back since */
		nic->queues[index].offered = channel;
	}
	hvk_unlock(nic->hvk, &nic->lock);
	give_up(unused);
	if (unused != channel)
		hvk_netvsc_kick(nic);
}

static void set_wanted(struct hvk_netvsc *nic, bool wanted)
{
	hvk_lock(nic->hvk, &nic->lock);
	nic->subchannels_wanted = wanted;
	hvk_unlock(nic->hvk, &nic->lock);
}

static struct hvk_channel *take_offer(struct hvk_netvsc *nic, uint32_t index)
{
	struct hvk_channel *channel;

	hvk_lock(nic->hvk, &nic->lock);
	channel = nic->queues[index].offered;
	nic->queues[index].offered = NULL;
	hvk_unlock(nic->hvk, &nic->lock);
	return channel;
}

static bool has_offer(struct hvk_netvsc *nic, uint32_t index)
{
	bool has;

	hvk_lock(nic->hvk, &nic->lock);
	has = nic->queues[index].offered != NULL;
	hvk_unlock(nic->hvk, &nic->lock);
	return has;
}

static bool is_lost(const struct netvsc_queue *queue)
{
	return __atomic_load_n(&queue->lost, __ATOMIC_ACQUIRE);
}

/* --- Asking ------------------------------------------------------------------------------- */

bool hvk_netvsc_may_have_subchannels(const void *device)
{
	const struct hvk_netvsc *nic = device;

	return nic->nvs_version >= NVS_VERSION_5 && hvk_min32(nic->queue_count, nic->rss.queues) > 1;
}

hvk_status hvk_netvsc_begin_subchannels(void *device)
{
	struct hvk_netvsc *nic = device;
	const struct hvk_subchannel_hooks hooks = {.offered = offered, .context = nic};
	struct hvk_nvs_message message;
	hvk_status status;

	set_wanted(nic, true);
	status = hvk_channel_set_subchannel_hooks(nic->channel,
						  &hooks); /* before: offers may precede the answer */
	if (status != HVK_OK)
		return status;
	nic->hooked = true;
	hvk_nvs_build_subchannels(&message, nic->nvs_version,
				  hvk_min32(nic->queue_count, nic->rss.queues) - 1);
	return hvk_netvsc_steps_nvs(nic, &message);
}

/* A host that refuses, or grants none, leaves us one queue. */
hvk_status hvk_netvsc_take_subchannels(void *device, const struct hvk_answer *answer)
{
	struct hvk_netvsc *nic = device;
	uint32_t asked = hvk_min32(nic->queue_count, nic->rss.queues) - 1;
	hvk_status status = hvk_nvs_parse_subchannels(answer->payload, answer->length, asked,
						      &nic->subchannels);

	if (status == HVK_OK)
		hvk_netvsc_queues_divide(nic, nic->subchannels + 1);
	return status;
}

bool hvk_netvsc_has_hooks(const void *device)
{
	const struct hvk_netvsc *nic = device;

	return nic->hooked;
}

bool hvk_netvsc_subchannels_complete(struct hvk_netvsc *nic)
{
	for (uint32_t i = 1; i <= nic->subchannels; i++) {
		if (!has_offer(nic, i))
			return false;
	}
	return true;
}

hvk_status hvk_netvsc_await_subchannels(void *device)
{
	struct hvk_netvsc *nic = device;

	if (hvk_netvsc_subchannels_complete(nic))
		return HVK_OK;
	nic->steps.event = NETVSC_EVENT_SUBCHANNELS;
	return HVK_EINPROGRESS;
}

/* --- Opening --------------------------------------------------------------------------------- */

/* The n-th started CPU from the card's own on, round and round. */
static uint32_t cpu_of(const struct hvk_netvsc *nic, uint32_t n)
{
	uint32_t count = hvk_cpu_count(nic->hvk), cpu = nic->config.cpu, started = 0;

	for (uint32_t i = 0; i < count; i++)
		started += hvk_cpu_runs(nic->hvk, i);
	for (n %= started; n != 0; n--) {
		do
			cpu = (cpu + 1) % count;
		while (!hvk_cpu_runs(nic->hvk, cpu));
	}
	return cpu;
}

/* Its place can be taken (again). */
static bool is_free(const struct netvsc_queue *queue)
{
	return !queue->channel && !queue->lingers;
}

/* A queue from first on that is not open, and has an offer that the host has granted; or 0. */
static uint32_t find_offer(struct hvk_netvsc *nic, uint32_t first)
{
	for (uint32_t i = first; i <= nic->subchannels; i++) {
		if (is_free(&nic->queues[i]) && has_offer(nic, i))
			return i;
	}
	return 0;
}

static void stop(struct netvsc_queue *queue, bool withhold)
{
	struct hvk_channel *channel = queue->channel;
	struct hvk *hvk = queue->nic->hvk;

	hvk_netvsc_queue_stop(queue, withhold);
	hvk_lock(hvk, &queue->lock);
	queue->channel = NULL;
	hvk_unlock(hvk, &queue->lock);
	give_up(channel);
}

/* Each of them once: a host that offers one again and again, and takes it back, is not to keep the card from
 * what else there is to do. */
hvk_status hvk_netvsc_begin_open(void *device)
{
	struct hvk_netvsc *nic = device;
	struct netvsc_queue *queue;
	struct hvk_channel *channel;
	hvk_status status;

	nic->opening = find_offer(nic, nic->open_next == 0 ? 1 : nic->open_next);
	channel = nic->opening != 0 ? take_offer(nic, nic->opening) : NULL;
	nic->open_next = channel ? nic->opening + 1 : 0;
	if (!channel)
		return HVK_OK;
	queue = &nic->queues[nic->opening];
	status = hvk_netvsc_queue_start(queue, channel, cpu_of(nic, queue->index),
					hvk_steps_request(&nic->steps));
	if (status == HVK_EINPROGRESS)
		return status;
	nic->steps.event = HVK_STEPS_NOTHING;
	nic->open_next = 0;
	stop(queue, false);
	return status;
}

/* One that does not open is left out; the next. */
hvk_status hvk_netvsc_take_open(void *device, const struct hvk_answer *answer)
{
	struct hvk_netvsc *nic = device;
	struct netvsc_queue *queue = &nic->queues[nic->opening];

	if (answer->status == HVK_OK) {
		hvk_netvsc_queue_opened(queue);
	} else {
		hvk_log(nic->hvk, HVK_LOG_WARN, "netvsc: queue %u: %s", queue->index,
			hvk_status_text(answer->status));
		stop(queue, answer->status == HVK_ETIMEDOUT_TEARDOWN);
	}
	return HVK_EAGAIN;
}

/* --- Closing --------------------------------------------------------------------------------- */

/* False: another CPU is in it, and will not be for long. */
static bool stop_closed(struct netvsc_queue *queue)
{
	if (!hvk_netvsc_queue_enter(queue))
		return false;
	queue->closed = false;
	stop(queue, queue->withhold);
	hvk_netvsc_queue_leave(queue);
	return true;
}

static hvk_status come_again(struct hvk_netvsc *nic)
{
	struct hvk_request *request = hvk_steps_request(&nic->steps);

	nic->opening = 0;
	hvk_request_begin(request);
	hvk_request_finish(nic->hvk, request, HVK_OK, nic->config.cpu);
	return HVK_EINPROGRESS;
}

/* Closes the first of them that is to be closed. HVK_OK: there is none. */
static hvk_status begin_close(void *device, bool all)
{
	struct hvk_netvsc *nic = device;

	for (uint32_t i = 1; i < nic->queue_count; i++) {
		struct netvsc_queue *queue = &nic->queues[i];

		if (queue->closed && !stop_closed(queue))
			return come_again(nic);
		if (!netvsc_queue_is_open(queue) || !(all || is_lost(queue)))
			continue;
		nic->opening = i;
		hvk_netvsc_queue_quiet(queue);
		hvk_channel_close(queue->channel, hvk_steps_request(&nic->steps));
		return HVK_EINPROGRESS;
	}
	return HVK_OK;
}

hvk_status hvk_netvsc_begin_close_lost(void *device)
{
	struct hvk_netvsc *nic = device;

	return begin_close(nic, false);
}

hvk_status hvk_netvsc_begin_close_all(void *device)
{
	struct hvk_netvsc *nic = device;

	return begin_close(nic, true);
}

hvk_status hvk_netvsc_take_close(void *device, const struct hvk_answer *answer)
{
	struct hvk_netvsc *nic = device;
	struct netvsc_queue *queue = &nic->queues[nic->opening];

	queue->closed = nic->opening != 0;
	queue->withhold = answer->status == HVK_ETIMEDOUT_TEARDOWN;
	return HVK_EAGAIN;
}

/* --- The end ----------------------------------------------------------------------------------- */

static void left(struct hvk_request *request, void *context)
{
	struct hvk_netvsc *nic = context;

	(void)request;
	hvk_request_begin(&nic->steps.request);
	hvk_request_finish(nic->hvk, &nic->steps.request, HVK_OK, nic->config.cpu);
}

void hvk_netvsc_subchannels_init(struct hvk_netvsc *nic)
{
	nic->hooks_left = (struct hvk_request){.done = left, .context = nic};
}

/* A hook may be running on the contact CPU just now; when that CPU has done what we finish there,
 * it is not. */
hvk_status hvk_netvsc_begin_hooks_off(void *device)
{
	struct hvk_netvsc *nic = device;

	nic->hooked = false;
	nic->subchannels = 0;
	set_wanted(nic, false);
	(void)hvk_channel_set_subchannel_hooks(nic->channel, NULL);
	for (uint32_t i = 1; i < nic->queue_count; i++)
		give_up(take_offer(nic, i));
	(void)hvk_steps_request(&nic->steps);
	hvk_request_begin(&nic->hooks_left);
	hvk_request_finish(nic->hvk, &nic->hooks_left, HVK_OK, hvk_vmbus_contact_cpu(nic->hvk));
	return HVK_EINPROGRESS;
}

/* --- While attached ------------------------------------------------------------------------------ */

uint32_t hvk_netvsc_queues_usable(const struct hvk_netvsc *nic)
{
	uint32_t open = hvk_netvsc_queues_open(nic), count = 1;

	while (count < open && !is_lost(&nic->queues[count]))
		count++;
	return count;
}

/* Who was lost is closed before its place is taken again. */
uint32_t hvk_netvsc_subchannels_news(struct hvk_netvsc *nic)
{
	for (uint32_t i = 1; i < nic->queue_count; i++) {
		if (nic->queues[i].closed ||
		    (netvsc_queue_is_open(&nic->queues[i]) && is_lost(&nic->queues[i])))
			return NETVSC_DO_CLOSE | NETVSC_DO_RSS;
	}
	return find_offer(nic, 1) != 0 ? NETVSC_DO_OPEN | NETVSC_DO_RSS : 0;
}

#endif
