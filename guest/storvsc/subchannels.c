/* SPDX-License-Identifier: MIT */
/*
 * Queues beside the first: sub-channels asked for, offered, opened, and gone again, each when the host
 * likes: fewer than asked for, late, or never.
 *
 * An offer is noted in the queue that it is for, claimed so that it stays, by the hook on the contact
 * CPU; all else happens on the controller's.
 */
#include "guest/storvsc/storvsc_internal.h"

/* --- Offers ------------------------------------------------------------------------------ */

static void give_up(struct hvk_channel *channel)
{
	if (channel)
		hvk_channel_unclaim(channel);
}

/* On the contact CPU. */
static void offered(void *context, struct hvk_channel *primary, struct hvk_channel *channel)
{
	uint32_t index = hvk_channel_offer(channel)->subchannel_index;
	struct hvk_storvsc *controller = context;
	struct hvk_channel *unused = channel;

	(void)primary;
	if (index == 0 || index >= controller->queue_count || hvk_channel_claim(channel) != HVK_OK)
		return;
	hvk_lock(controller->hvk, &controller->lock);
	if (controller->subchannels_wanted) {
		unused = controller->queues[index].offered; /* one that the host has taken back since */
		controller->queues[index].offered = channel;
	}
	hvk_unlock(controller->hvk, &controller->lock);
	give_up(unused);
	if (unused != channel)
		hvk_storvsc_kick(controller);
}

static void set_wanted(struct hvk_storvsc *controller, bool wanted)
{
	hvk_lock(controller->hvk, &controller->lock);
	controller->subchannels_wanted = wanted;
	hvk_unlock(controller->hvk, &controller->lock);
}

static struct hvk_channel *take_offer(struct storvsc_queue *queue)
{
	struct hvk *hvk = queue->controller->hvk;
	struct hvk_channel *channel;

	hvk_lock(hvk, &queue->controller->lock);
	channel = queue->offered;
	queue->offered = NULL;
	hvk_unlock(hvk, &queue->controller->lock);
	return channel;
}

static bool has_offer(struct storvsc_queue *queue)
{
	struct hvk *hvk = queue->controller->hvk;
	bool has;

	hvk_lock(hvk, &queue->controller->lock);
	has = queue->offered != NULL;
	hvk_unlock(hvk, &queue->controller->lock);
	return has;
}

/* --- Asking -------------------------------------------------------------------------------- */

static uint32_t wanted(const struct hvk_storvsc *controller)
{
	return hvk_min32(controller->queue_count - 1, controller->limits.subchannels_max);
}

bool hvk_storvsc_may_have_subchannels(const void *device)
{
	const struct hvk_storvsc *controller = device;

	return controller->limits.multi_channel && controller->version >= VSTOR_VERSION_5_1 &&
	       hvk_vmbus_version(controller->hvk) >= VMBUS_VERSION_2_4 && wanted(controller) != 0;
}

hvk_status hvk_storvsc_begin_subchannels(void *device)
{
	struct hvk_storvsc *controller = device;
	const struct hvk_subchannel_hooks hooks = {.offered = offered, .context = controller};
	struct hvk_vstor_packet packet;
	hvk_status status;

	set_wanted(controller, true);
	status = hvk_channel_set_subchannel_hooks(controller->channel,
						  &hooks); /* offers may precede the answer */
	if (status != HVK_OK)
		return status;
	controller->hooked = true;
	hvk_vstor_build_subchannels(&packet, controller->version, (uint16_t)wanted(controller));
	return hvk_storvsc_ask(controller, &packet);
}

/* A host that refuses leaves us one queue. */
hvk_status hvk_storvsc_take_subchannels(void *device, const struct hvk_answer *answer)
{
	struct hvk_storvsc *controller = device;
	uint32_t nt_status;
	hvk_status status = hvk_vstor_parse_answer(answer->payload, answer->length, &nt_status);

	if (status == HVK_OK && nt_status != VSTOR_STATUS_SUCCESS)
		status = HVK_EREFUSED_VSTOR;
	if (status == HVK_OK)
		controller->subchannels = wanted(controller);
	return status;
}

bool hvk_storvsc_has_hooks(const void *device)
{
	return ((const struct hvk_storvsc *)device)->hooked;
}

bool hvk_storvsc_subchannels_complete(struct hvk_storvsc *controller)
{
	for (uint32_t i = 1; i <= controller->subchannels; i++) {
		if (!has_offer(&controller->queues[i]))
			return false;
	}
	return true;
}

hvk_status hvk_storvsc_await_subchannels(void *device)
{
	struct hvk_storvsc *controller = device;

	controller->steps.event = STORVSC_EVENT_SUBCHANNELS;
	return hvk_storvsc_subchannels_complete(controller) ? HVK_OK : HVK_EINPROGRESS;
}

/* --- Opening ---------------------------------------------------------------------------------- */

/* The n-th started CPU from the controller's own on, round and round. */
static uint32_t cpu_of(const struct hvk_storvsc *controller, uint32_t n)
{
	uint32_t count = hvk_cpu_count(controller->hvk), cpu = controller->config.cpu, started = 0;

	for (uint32_t i = 0; i < count; i++)
		started += hvk_cpu_runs(controller->hvk, i);
	if (started == 0)
		return cpu;
	for (n %= started; n != 0; n--) {
		do
			cpu = (cpu + 1) % count;
		while (!hvk_cpu_runs(controller->hvk, cpu));
	}
	return cpu;
}

static uint32_t find_offer(struct hvk_storvsc *controller)
{
	for (uint32_t i = 1; i < controller->queue_count; i++) {
		if (!controller->queues[i].channel && has_offer(&controller->queues[i]))
			return i;
	}
	return 0;
}

hvk_status hvk_storvsc_begin_open_offered(void *device)
{
	struct hvk_storvsc *controller = device;
	struct storvsc_queue *queue;
	struct hvk_channel *channel;

	/* A host that goes on offering is not waited for: the rest comes when the sequence has ended. */
	controller->opening = controller->openings++ < controller->queue_count ? find_offer(controller) : 0;
	queue = &controller->queues[controller->opening];
	channel = controller->opening != 0 ? take_offer(queue) : NULL;
	if (!channel)
		return HVK_OK;
	hvk_storvsc_queue_start(queue, channel, cpu_of(controller, queue->index),
				hvk_steps_request(&controller->steps));
	return HVK_EINPROGRESS;
}

/* One that does not open is left out; the next. */
hvk_status hvk_storvsc_take_open_offered(void *device, const struct hvk_answer *answer)
{
	struct hvk_storvsc *controller = device;
	struct storvsc_queue *queue = &controller->queues[controller->opening];
	struct hvk_channel *channel = queue->channel;

	if (answer->status == HVK_OK) {
		hvk_storvsc_queue_opened(queue);
	} else {
		hvk_log(controller->hvk, HVK_LOG_WARN, "storvsc: queue %u: %s", queue->index,
			hvk_status_text(answer->status));
		queue->channel = NULL;
		give_up(channel);
	}
	return HVK_EAGAIN;
}

/* --- Closing ------------------------------------------------------------------------------------ */

/* Closes the first of them that is to be closed. HVK_OK: there is none. */
static hvk_status begin_close(struct hvk_storvsc *controller, bool all)
{
	for (uint32_t i = 1; i < controller->queue_count; i++) {
		struct storvsc_queue *queue = &controller->queues[i];

		if (!queue->channel || !(all || storvsc_queue_is_lost(queue)))
			continue;
		controller->opening = i;
		hvk_storvsc_queue_quiet(queue);
		hvk_channel_close(queue->channel, hvk_steps_request(&controller->steps));
		return HVK_EINPROGRESS;
	}
	return HVK_OK;
}

hvk_status hvk_storvsc_begin_close_lost(void *device)
{
	return begin_close(device, false);
}

hvk_status hvk_storvsc_begin_close_all(void *device)
{
	return begin_close(device, true);
}

hvk_status hvk_storvsc_take_close(void *device, const struct hvk_answer *answer)
{
	struct hvk_storvsc *controller = device;
	struct storvsc_queue *queue = &controller->queues[controller->opening];
	struct hvk_channel *channel = queue->channel;

	controller->withhold = controller->withhold || answer->status == HVK_ETIMEDOUT_TEARDOWN;
	hvk_storvsc_queue_closed(queue, answer->status);
	queue->channel = NULL;
	give_up(channel);
	return HVK_EAGAIN;
}

/* --- The end --------------------------------------------------------------------------------------- */

static void left(struct hvk_request *request, void *context)
{
	struct hvk_storvsc *controller = context;

	(void)request;
	hvk_request_begin(&controller->steps.request);
	hvk_request_finish(controller->hvk, &controller->steps.request, HVK_OK, controller->config.cpu);
}

void hvk_storvsc_subchannels_init(struct hvk_storvsc *controller)
{
	controller->hooks_left = (struct hvk_request){.done = left, .context = controller};
}

/* A hook may be running on the contact CPU just now; when that CPU has done what we finish there, it is
 * not. */
hvk_status hvk_storvsc_begin_hooks_off(void *device)
{
	struct hvk_storvsc *controller = device;

	controller->hooked = false;
	controller->subchannels = 0;
	set_wanted(controller, false);
	(void)hvk_channel_set_subchannel_hooks(controller->channel, NULL);
	for (uint32_t i = 1; i < controller->queue_count; i++)
		give_up(take_offer(&controller->queues[i]));
	(void)hvk_steps_request(&controller->steps);
	hvk_request_begin(&controller->hooks_left);
	hvk_request_finish(controller->hvk, &controller->hooks_left, HVK_OK,
			   hvk_vmbus_contact_cpu(controller->hvk));
	return HVK_EINPROGRESS;
}

bool hvk_storvsc_subchannels_news(struct hvk_storvsc *controller)
{
	for (uint32_t i = 1; i < controller->queue_count; i++) {
		struct storvsc_queue *queue = &controller->queues[i];

		if (queue->channel ? storvsc_queue_is_lost(queue) : has_offer(queue))
			return true;
	}
	return false;
}
