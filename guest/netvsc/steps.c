/* SPDX-License-Identifier: MIT */
/*
 * Runs a sequence of steps. One step at a time: begun, then waiting for the one event
 * that it named, until that comes or its time is over.
 */
#include "guest/netvsc/netvsc_internal.h"

static const struct netvsc_step *current(const struct hvk_netvsc *nic)
{
	return &nic->sequence->steps[nic->step];
}

const char *hvk_netvsc_steps_name(const struct hvk_netvsc *nic)
{
	return nic->sequence ? current(nic)->name : "none";
}

static uint32_t wait_ms(const struct hvk_netvsc *nic, enum netvsc_wait wait)
{
	uint32_t device_ms = hvk_timeouts(nic->hvk)->device_ms;

	switch (wait) {
	case NETVSC_WAIT_DEVICE:
		return device_ms;
	case NETVSC_WAIT_REVOKE:
		return hvk_min32(HVK_NETVSC_REVOKE_MS, device_ms);
	case NETVSC_WAIT_GRACE:
		return hvk_min32(HVK_NETVSC_GRACE_MS, device_ms);
	case NETVSC_WAIT_TORNDOWN: /* half of what vmbus waits: the other half is for after the close */
		return hvk_max32(1,
				 hvk_min32(HVK_NETVSC_TORNDOWN_MS, hvk_timeouts(nic->hvk)->teardown_ms / 2));
	case NETVSC_WAIT_SUBCHANNELS:
		return hvk_min32(HVK_NETVSC_SUBCHANNELS_MS, device_ms);
	case NETVSC_WAIT_ELSEWHERE:
		break;
	}
	return 0;
}

/* Nothing is awaited any more. An answer that comes all the same counts as late. */
static void stop_waiting(struct hvk_netvsc *nic)
{
	hvk_timer_stop(nic->hvk, &nic->step_timer);
	nic->step_timed = false;
	__atomic_store_n(&nic->quiet_awaited, false, __ATOMIC_SEQ_CST);
	nic->event = NETVSC_EVENT_NONE;
	nic->begin_again = false;
	if (nic->nvs_pending)
		(void)hvk_channel_take_request(nic->channel, &nic->nvs_ticket);
	nic->nvs_pending = false;
}

static void fail(struct hvk_netvsc *nic, hvk_status status)
{
	nic->sequence = nic->sequence->failed(nic, status);
	nic->step = 0;
	nic->interrupted = HVK_OK;
}

/* What has become of the step decides which one is next. */
static void move_on(struct hvk_netvsc *nic, hvk_status status)
{
	const struct netvsc_step *step = current(nic);

	stop_waiting(nic);
	if (status == HVK_EAGAIN)
		return;
	if (status != HVK_OK) {
		hvk_log(nic->hvk, HVK_LOG_DEBUG, "netvsc: %s: %s", step->name, hvk_status_text(status));
		if (hvk_status_is_host_fault(status))
			hvk_netvsc_fault(nic, status, step->name);
	}
	if (status == HVK_OK || step->optional) {
		nic->step++;
		return;
	}
	fail(nic, status);
}

static void start_timer(struct hvk_netvsc *nic, enum netvsc_wait wait)
{
	if (wait == NETVSC_WAIT_ELSEWHERE || nic->step_timed)
		return;
	nic->step_timed = true;
	hvk_timer_start(nic->hvk, &nic->step_timer, nic->config.cpu, wait_ms(nic, wait));
}

/* Begins steps until one has to wait. Ends: each turn waits, or goes one step on. */
static void run(struct hvk_netvsc *nic)
{
	const struct netvsc_sequence *over;

	while (nic->step < nic->sequence->count) {
		const struct netvsc_step *step = current(nic);
		hvk_status status;

		if (nic->interrupted != HVK_OK && nic->sequence->failed) {
			fail(nic, nic->interrupted);
			continue;
		}
		if (step->wanted && !step->wanted(nic)) {
			nic->step++;
			continue;
		}
		status = step->begin(nic);
		if (status == HVK_EINPROGRESS || status == HVK_EAGAIN) {
			nic->begin_again = status == HVK_EAGAIN;
			start_timer(nic, step->wait);
			return;
		}
		move_on(nic, status);
	}
	over = nic->sequence;
	nic->sequence = NULL;
	over->finished(nic);
}

static void conclude(struct hvk_netvsc *nic, hvk_status status)
{
	move_on(nic, status);
	run(nic);
}

/* By now another CPU may have done the step that it fired for: then the timer runs for another one, or for
 * none. */
void hvk_netvsc_steps_time(struct hvk_netvsc *nic)
{
	if (nic->sequence && nic->step_timed && !hvk_timer_running(&nic->step_timer))
		conclude(nic, current(nic)->timed_out);
}

static void time_is_over(struct hvk_timer *timer, void *context)
{
	struct hvk_netvsc *nic = context;

	(void)timer;
	if (!hvk_netvsc_enter(nic)) {
		hvk_netvsc_timer_late(nic);
		return;
	}
	hvk_netvsc_steps_time(nic);
	hvk_netvsc_leave(nic);
}

static void request_done(struct hvk_request *request, void *context)
{
	const struct netvsc_answer answer = {request->status, NULL, 0};
	struct hvk_netvsc *nic = context;

	if (!hvk_netvsc_enter(nic)) {
		hvk_netvsc_come_back(nic, request);
		return;
	}
	hvk_netvsc_steps_answer(nic, NETVSC_EVENT_REQUEST, &answer);
	hvk_netvsc_leave(nic);
}

void hvk_netvsc_steps_init(struct hvk_netvsc *nic)
{
	nic->step_timer.fire = time_is_over;
	nic->step_timer.context = nic;
	nic->step_timer.deadline = HVK_NEVER;
	nic->step_timer.cpu = nic->config.cpu;
}

void hvk_netvsc_steps_start(struct hvk_netvsc *nic, const struct netvsc_sequence *sequence)
{
	HVK_ASSERT(!nic->sequence);
	nic->sequence = sequence;
	nic->step = 0;
	nic->interrupted = HVK_OK;
	run(nic);
}

void hvk_netvsc_steps_answer(struct hvk_netvsc *nic, enum netvsc_event event,
			     const struct netvsc_answer *answer)
{
	const struct netvsc_step *step;
	hvk_status status = answer->status;

	if (!nic->sequence || nic->event != event)
		return;
	step = current(nic);
	nic->event = NETVSC_EVENT_NONE;
	if (step->answered)
		status = step->answered(nic, answer);
	if (nic->interrupted != HVK_OK && nic->sequence->failed)
		status = nic->interrupted;
	conclude(nic, status);
}

void hvk_netvsc_steps_room(struct hvk_netvsc *nic)
{
	if (nic->sequence && nic->begin_again) {
		nic->begin_again = false;
		run(nic);
	}
}

void hvk_netvsc_steps_interrupt(struct hvk_netvsc *nic, hvk_status status)
{
	if (!nic->sequence)
		return;
	nic->interrupted = status; /* a sequence that cannot fail does not heed it */
	/* vmbus answers in bounded time, and what it was asked for must be known; lent frames cannot
	 * be given up. */
	if (nic->event == NETVSC_EVENT_REQUEST || nic->event == NETVSC_EVENT_TEARDOWN ||
	    nic->event == NETVSC_EVENT_LENT)
		return;
	if (nic->event == NETVSC_EVENT_RNDIS)
		hvk_netvsc_control_forget(nic);
	conclude(nic, status);
}

struct hvk_request *hvk_netvsc_steps_request(struct hvk_netvsc *nic)
{
	nic->step_request = (struct hvk_request){.done = request_done, .context = nic};
	nic->event = NETVSC_EVENT_REQUEST;
	return &nic->step_request;
}

hvk_status hvk_netvsc_steps_nvs(struct hvk_netvsc *nic, const struct hvk_nvs_message *message)
{
	hvk_status status = hvk_channel_send(nic->channel, message->bytes, message->size, true,
					     &nic->nvs_ticket);

	if (status != HVK_OK)
		return status;
	nic->nvs_pending = true;
	nic->event = NETVSC_EVENT_NVS;
	return HVK_EINPROGRESS;
}

void hvk_netvsc_steps_rndis_answered(struct hvk_netvsc *nic, const struct netvsc_answer *answer)
{
	hvk_netvsc_steps_answer(nic, NETVSC_EVENT_RNDIS, answer);
}

static hvk_status ask(struct hvk_netvsc *nic, uint32_t type, uint32_t oid, const void *information,
		      uint32_t length)
{
	nic->event = NETVSC_EVENT_RNDIS;
	return hvk_netvsc_control_request(nic, type, oid, information, length,
					  hvk_netvsc_steps_rndis_answered);
}

hvk_status hvk_netvsc_steps_query(struct hvk_netvsc *nic, uint32_t oid, const void *information,
				  uint32_t length)
{
	return ask(nic, RNDIS_MSG_QUERY, oid, information, length);
}

hvk_status hvk_netvsc_steps_set(struct hvk_netvsc *nic, uint32_t oid, const void *information,
				uint32_t length)
{
	return ask(nic, RNDIS_MSG_SET, oid, information, length);
}
