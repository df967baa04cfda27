/* SPDX-License-Identifier: MIT */
/*
 * From detached to attached and back, and the controller's work on its CPU. A bring-up or take-down is
 * a table of steps (attach.c, detach.c); here is decided which one runs, and what its end means.
 */
#include "guest/storvsc/storvsc_internal.h"

/* --- Steps ---------------------------------------------------------------------------- */

static bool enter(void *device)
{
	const struct hvk_storvsc *controller = device;

	return hvk_cpu_index(controller->hvk) == controller->config.cpu;
}

static void leave(void *device)
{
	(void)device;
}

static uint32_t wait_ms(const void *device, uint32_t wait)
{
	const struct hvk_storvsc *controller = device;
	uint32_t device_ms = hvk_timeouts(controller->hvk)->device_ms;

	switch (wait) {
	case STORVSC_WAIT_DRAIN:
		return hvk_min32(HVK_STORVSC_DRAIN_MS, device_ms);
	case STORVSC_WAIT_SUBCHANNELS:
		return hvk_min32(HVK_STORVSC_SUBCHANNELS_MS, device_ms);
	default:
		return device_ms;
	}
}

static void stopped(void *device)
{
	struct hvk_storvsc *controller = device;

	if (controller->answer.pending)
		(void)hvk_channel_take_request(controller->channel, &controller->answer.ticket);
	controller->answer.pending = false;
}

/* User's callbacks end by themselves, and what they use must stay until then; a scan ends when it is
 * stopped, which is the caller's to do. */
static bool must_come(const void *device, uint32_t event)
{
	(void)device;
	return event == STORVSC_EVENT_IDLE || event == STORVSC_EVENT_SCANNED;
}

static void fault(void *device, hvk_status status, const char *what)
{
	hvk_storvsc_fault(device, status, what);
}

static const struct hvk_steps_owner steps_owner = {
	.name = "storvsc",
	.enter = enter,
	.leave = leave,
	.wait_ms = wait_ms,
	.stopped = stopped,
	.must_come = must_come,
	.fault = fault,
};

hvk_status hvk_storvsc_ask(struct hvk_storvsc *controller, const struct hvk_vstor_packet *packet)
{
	struct storvsc_note *note = &controller->answer;
	hvk_status status;

	hvk_lock(controller->hvk, &controller->lock);
	note->there = false;
	hvk_unlock(controller->hvk, &controller->lock);
	__atomic_store_n(&controller->room_wanted, true, __ATOMIC_SEQ_CST);
	status = hvk_channel_send(controller->channel, packet->bytes, packet->size, true, &note->ticket);
	if (status != HVK_EAGAIN)
		__atomic_store_n(&controller->room_wanted, false, __ATOMIC_SEQ_CST);
	if (status != HVK_OK)
		return status;
	note->pending = true;
	controller->steps.event = STORVSC_EVENT_ANSWER;
	return HVK_EINPROGRESS;
}

/* --- Loss ------------------------------------------------------------------------------------ */

void hvk_storvsc_set_lost(struct hvk_storvsc *controller, hvk_status status)
{
	hvk_lock(controller->hvk, &controller->lock);
	if (controller->lost == HVK_OK)
		__atomic_store_n(&controller->lost, status, __ATOMIC_RELAXED);
	controller->taking = false;
	hvk_unlock(controller->hvk, &controller->lock);
	hvk_storvsc_kick(controller);
}

/* An attach fails with it; what is attached is taken down as far as that goes without the host. */
static void heed_loss(struct hvk_storvsc *controller)
{
	hvk_status lost = storvsc_lost(controller);

	if (lost == HVK_OK || controller->down)
		return;
	hvk_storvsc_scan_stop(controller, HVK_EGONE);
	hvk_storvsc_reset_stop(controller, HVK_EGONE);
	if (controller->steps.sequence == &hvk_storvsc_attach_sequence) {
		hvk_steps_interrupt(&controller->steps, lost);
	} else if (controller->life == STORVSC_ATTACHED && !controller->steps.sequence) {
		hvk_log(controller->hvk, HVK_LOG_WARN, "storvsc: %s", hvk_status_text(lost));
		hvk_steps_start(&controller->steps, &hvk_storvsc_lost_sequence);
	}
}

/* --- Beginnings and ends ------------------------------------------------------------------------ */

static void start_attach(struct hvk_storvsc *controller)
{
	controller->started = true;
	controller->down = false;
	controller->gone_told = false;
	controller->result = HVK_OK;
	controller->close_status = HVK_OK;
	controller->opened = false;
	controller->withhold = controller->primary_withheld = false;
	controller->version = 0;
	controller->attempt = 0;
	controller->subchannels = 0;
	controller->openings = 0;
	controller->limits = (struct hvk_vstor_limits){0};
	controller->scan.tries = 0;
	hvk_lock(controller->hvk, &controller->lock);
	__atomic_store_n(&controller->lost, HVK_OK, __ATOMIC_RELAXED);
	controller->rescan = false;
	hvk_unlock(controller->hvk, &controller->lock);
	hvk_steps_start(&controller->steps, &hvk_storvsc_attach_sequence);
}

static void start_detach(struct hvk_storvsc *controller)
{
	hvk_lock(controller->hvk, &controller->lock);
	controller->life = STORVSC_DETACHING;
	controller->taking = false;
	hvk_unlock(controller->hvk, &controller->lock);
	controller->started = true;
	hvk_steps_start(&controller->steps, &hvk_storvsc_detach_sequence);
}

void hvk_storvsc_end(struct hvk_storvsc *controller, enum storvsc_life next)
{
	controller->ended = true;
	controller->next = next;
	hvk_storvsc_kick(controller);
}

static struct hvk_request *take_request(struct hvk_request **request)
{
	struct hvk_request *taken = *request;

	*request = NULL;
	return taken;
}

/* Requests are finished here and not where the sequence ends, so that nothing of ours is queued any
 * more when the user hears of the end and destroys the object. */
static void finish(struct hvk_storvsc *controller)
{
	struct hvk_request *attach, *detach = NULL;

	controller->ended = false;
	controller->started = false;
	hvk_lock(controller->hvk, &controller->lock);
	controller->life = controller->next;
	attach = take_request(&controller->attach_request);
	if (controller->next == STORVSC_DETACHED) {
		detach = take_request(&controller->detach_request);
		controller->detach_wanted = false;
	}
	hvk_unlock(controller->hvk, &controller->lock);
	if (controller->next == STORVSC_ATTACHED)
		hvk_log(controller->hvk, HVK_LOG_INFO,
			"storvsc: protocol %u.%u, queues %u, %u bytes at a time", controller->version >> 8,
			controller->version & 0xffu, hvk_storvsc_queues(controller),
			controller->transfer_max);
	else
		controller->version = 0;
	hvk_request_finish(controller->hvk, attach, controller->result, controller->config.cpu);
	hvk_request_finish(controller->hvk, detach, controller->close_status, controller->config.cpu);
}

/* --- The controller's work -------------------------------------------------------------------------- */

static void answer(struct hvk_storvsc *controller, uint32_t event, hvk_status status)
{
	const struct hvk_answer over = {status, NULL, 0};

	hvk_steps_answer(&controller->steps, event, &over);
}

static void take_note(struct hvk_storvsc *controller)
{
	struct storvsc_note *note = &controller->answer;
	uint8_t bytes[VSTOR_PACKET_SIZE];
	struct hvk_answer found = {HVK_OK, bytes, 0};
	bool there;

	hvk_lock(controller->hvk, &controller->lock);
	there = note->there;
	note->there = false;
	found.length = note->length;
	memcpy(bytes, note->bytes, sizeof(bytes));
	hvk_unlock(controller->hvk, &controller->lock);
	if (!there || !note->pending)
		return;
	note->pending = false;
	hvk_steps_answer(&controller->steps, STORVSC_EVENT_ANSWER, &found);
}

static void answer_steps(struct hvk_storvsc *controller)
{
	struct hvk_steps *steps = &controller->steps;

	take_note(controller);
	hvk_steps_room(steps);
	if (steps->event == STORVSC_EVENT_SUBCHANNELS && hvk_storvsc_subchannels_complete(controller))
		answer(controller, STORVSC_EVENT_SUBCHANNELS, HVK_OK);
	if (steps->event == STORVSC_EVENT_DRAINED &&
	    (hvk_storvsc_is_drained(controller) || !hvk_storvsc_can_talk(controller)))
		answer(controller, STORVSC_EVENT_DRAINED, HVK_OK);
	if (steps->event == STORVSC_EVENT_IDLE && hvk_storvsc_units_idle(controller))
		answer(controller, STORVSC_EVENT_IDLE, HVK_OK);
	if (steps->event == STORVSC_EVENT_SCANNED && !controller->scan.running)
		answer(controller, STORVSC_EVENT_SCANNED, controller->scan.result);
}

static void cancel_attach(struct hvk_storvsc *controller)
{
	hvk_storvsc_scan_stop(controller, HVK_ECANCELED);
	hvk_steps_interrupt(&controller->steps, HVK_ECANCELED);
}

static void work_on(struct hvk_storvsc *controller, enum storvsc_life life, bool detach)
{
	if (life == STORVSC_ATTACHING) {
		if (!controller->started)
			start_attach(controller);
		if (detach && controller->steps.sequence == &hvk_storvsc_attach_sequence)
			cancel_attach(controller);
		return;
	}
	if (life != STORVSC_ATTACHED || controller->steps.sequence)
		return;
	if (detach) {
		start_detach(controller);
	} else if (!controller->down && storvsc_lost(controller) == HVK_OK &&
		   hvk_storvsc_subchannels_news(controller)) {
		controller->openings = 0;
		hvk_steps_start(&controller->steps, &hvk_storvsc_queues_sequence);
	}
}

/* Runs in hvk_poll of the controller's CPU, once per kick or more rarely. */
static void work(struct hvk_request *request, void *context)
{
	struct hvk_storvsc *controller = context;
	enum storvsc_life life;
	bool detach;

	(void)request;
	(void)__atomic_exchange_n(&controller->kicked, false, __ATOMIC_SEQ_CST);
	if (controller->ended)
		finish(controller);
	heed_loss(controller);
	hvk_storvsc_alarm_set(controller);
	hvk_storvsc_commands_drop(controller);
	hvk_storvsc_jobs_finish(controller);
	hvk_storvsc_scan_go_on(controller);
	hvk_storvsc_reset_go_on(controller);
	answer_steps(controller);
	hvk_storvsc_units_reap(controller);
	hvk_lock(controller->hvk, &controller->lock);
	detach = controller->detach_wanted;
	life = controller->life;
	hvk_unlock(controller->hvk, &controller->lock);
	work_on(controller, life, detach);
	hvk_storvsc_tell_ready(controller);
}

void hvk_storvsc_life_init(struct hvk_storvsc *controller)
{
	controller->kick = (struct hvk_request){.done = work, .context = controller};
	hvk_steps_init(&controller->steps, controller->hvk, controller->config.cpu, controller, &steps_owner);
}

/* --- Public -------------------------------------------------------------------------------------- */

void hvk_storvsc_attach(struct hvk_storvsc *controller, struct hvk_request *request)
{
	hvk_status status = HVK_ESTATE;

	hvk_request_begin(request);
	if (!hvk_cpu_runs(controller->hvk, controller->config.cpu)) { /* its polls would never come */
		hvk_request_finish(controller->hvk, request, HVK_EINVAL, hvk_cpu_index(controller->hvk));
		return;
	}
	hvk_lock(controller->hvk, &controller->lock);
	if (controller->life == STORVSC_DETACHED && !controller->detach_wanted) {
		controller->life = STORVSC_ATTACHING;
		controller->attach_request = request;
		status = HVK_OK;
	}
	hvk_unlock(controller->hvk, &controller->lock);
	if (status == HVK_OK)
		hvk_storvsc_kick(controller);
	else
		hvk_request_finish(controller->hvk, request, status, controller->config.cpu);
}

void hvk_storvsc_detach(struct hvk_storvsc *controller, struct hvk_request *request)
{
	hvk_status status = HVK_EINPROGRESS;

	hvk_request_begin(request);
	hvk_lock(controller->hvk, &controller->lock);
	if (controller->life == STORVSC_DETACHED)
		status = HVK_OK;
	else if (controller->detach_wanted)
		status = HVK_EBUSY;
	if (status == HVK_EINPROGRESS) {
		controller->detach_wanted = true;
		controller->detach_request = request;
	}
	hvk_unlock(controller->hvk, &controller->lock);
	if (status == HVK_EINPROGRESS)
		hvk_storvsc_kick(controller);
	else
		hvk_request_finish(controller->hvk, request, status, controller->config.cpu);
}
