/* SPDX-License-Identifier: MIT */
#include "guest/device/steps.h"

static const struct hvk_step *current(const struct hvk_steps *steps)
{
	return &steps->sequence->steps[steps->step];
}

const char *hvk_steps_name(const struct hvk_steps *steps)
{
	return steps->sequence && steps->step < steps->sequence->count ? current(steps)->name : "none";
}

static void stop_waiting(struct hvk_steps *steps)
{
	hvk_timer_stop(steps->hvk, &steps->timer);
	steps->timed = false;
	steps->event = HVK_STEPS_NOTHING;
	steps->begin_again = false;
	steps->owner->stopped(steps->device);
}

static void fail(struct hvk_steps *steps, hvk_status status)
{
	steps->sequence = steps->sequence->failed(steps->device, status);
	steps->step = 0;
	steps->interrupted = HVK_OK;
}

/* What has become of the step decides which one is next. */
static void move_on(struct hvk_steps *steps, hvk_status status)
{
	const struct hvk_step *step = current(steps);

	stop_waiting(steps);
	if (status == HVK_EAGAIN)
		return;
	if (status != HVK_OK) {
		hvk_log(steps->hvk, HVK_LOG_DEBUG, "%s: %s: %s", steps->owner->name, step->name,
			hvk_status_text(status));
		if (hvk_status_is_host_fault(status))
			steps->owner->fault(steps->device, status, step->name);
	}
	if (status == HVK_OK || step->optional)
		steps->step++;
	else
		fail(steps, status);
}

static void start_timer(struct hvk_steps *steps, uint32_t wait)
{
	if (wait == HVK_STEPS_ELSEWHERE || steps->timed)
		return;
	steps->timed = true;
	hvk_timer_start(steps->hvk, &steps->timer, steps->cpu, steps->owner->wait_ms(steps->device, wait));
}

/* Begins steps until one has to wait. Ends: each turn waits, or goes one step on. */
static void run(struct hvk_steps *steps)
{
	const struct hvk_sequence *over;

	while (steps->step < steps->sequence->count) {
		const struct hvk_step *step = current(steps);
		hvk_status status;

		if (steps->interrupted != HVK_OK && steps->sequence->failed) {
			fail(steps, steps->interrupted);
			continue;
		}
		if (step->wanted && !step->wanted(steps->device)) {
			steps->step++;
			continue;
		}
		status = step->begin(steps->device);
		if (status == HVK_EINPROGRESS || status == HVK_EAGAIN) {
			steps->begin_again = status == HVK_EAGAIN;
			start_timer(steps, step->wait);
			return;
		}
		move_on(steps, status);
	}
	over = steps->sequence;
	steps->sequence = NULL;
	over->finished(steps->device);
}

static void conclude(struct hvk_steps *steps, hvk_status status)
{
	move_on(steps, status);
	run(steps);
}

/* By now another CPU may have done the step that it fired for: then the timer runs for another one, or for
 * none. */
void hvk_steps_time(struct hvk_steps *steps)
{
	if (steps->sequence && steps->timed && !hvk_timer_running(&steps->timer))
		conclude(steps, current(steps)->timed_out);
}

static void time_is_over(struct hvk_timer *timer, void *context)
{
	struct hvk_steps *steps = context;

	if (!steps->owner->enter(steps->device)) {
		if (steps->late)
			steps->late(steps->device);
		else
			hvk_timer_start(steps->hvk, timer, steps->cpu, HVK_STEPS_RETRY_MS);
		return;
	}
	hvk_steps_time(steps);
	steps->owner->leave(steps->device);
}

static void request_done(struct hvk_request *request, void *context)
{
	const struct hvk_answer answer = {request->status, NULL, 0};
	struct hvk_steps *steps = context;

	if (!steps->owner->enter(steps->device)) {
		hvk_request_begin(request);
		hvk_request_finish(steps->hvk, request, answer.status, steps->cpu);
		return;
	}
	hvk_steps_answer(steps, HVK_STEPS_REQUEST, &answer);
	steps->owner->leave(steps->device);
}

void hvk_steps_init(struct hvk_steps *steps, struct hvk *hvk, uint32_t cpu, void *device,
		    const struct hvk_steps_owner *owner)
{
	*steps = (struct hvk_steps){.hvk = hvk, .cpu = cpu, .device = device, .owner = owner};
	steps->timer.fire = time_is_over;
	steps->timer.context = steps;
	steps->timer.deadline = HVK_NEVER;
	steps->timer.cpu = cpu;
}

void hvk_steps_start(struct hvk_steps *steps, const struct hvk_sequence *sequence)
{
	HVK_ASSERT(!steps->sequence);
	steps->sequence = sequence;
	steps->step = 0;
	steps->interrupted = HVK_OK;
	run(steps);
}

void hvk_steps_answer(struct hvk_steps *steps, uint32_t event, const struct hvk_answer *answer)
{
	hvk_status status = answer->status;
	const struct hvk_step *step;

	if (!steps->sequence || steps->event != event)
		return;
	step = current(steps);
	steps->event = HVK_STEPS_NOTHING;
	if (step->answered)
		status = step->answered(steps->device, answer);
	if (steps->interrupted != HVK_OK && steps->sequence->failed)
		status = steps->interrupted;
	conclude(steps, status);
}

void hvk_steps_room(struct hvk_steps *steps)
{
	if (steps->sequence && steps->begin_again) {
		steps->begin_again = false;
		run(steps);
	}
}

void hvk_steps_interrupt(struct hvk_steps *steps, hvk_status status)
{
	if (!steps->sequence)
		return;
	steps->interrupted = status; /* a sequence that cannot fail does not heed it */
	if (steps->event == HVK_STEPS_REQUEST || steps->owner->must_come(steps->device, steps->event))
		return;
	conclude(steps, status);
}

struct hvk_request *hvk_steps_request(struct hvk_steps *steps)
{
	steps->request = (struct hvk_request){.done = request_done, .context = steps};
	steps->event = HVK_STEPS_REQUEST;
	return &steps->request;
}
