/* SPDX-License-Identifier: MIT */
/*
 * Taking the controller down, from wherever the bring-up got to, with the host or without it. No step of
 * it can fail: what the host does not answer in time is left, and vmbus keeps the memory from everybody.
 */
#include "guest/storvsc/storvsc_internal.h"

bool hvk_storvsc_can_talk(const void *device)
{
	const struct hvk_storvsc *controller = device;

	return controller->opened && storvsc_lost(controller) == HVK_OK &&
	       !hvk_channel_rescinded(controller->channel);
}

static hvk_status end_status(const struct hvk_storvsc *controller)
{
	return storvsc_lost(controller) == HVK_OK ? HVK_ECANCELED : HVK_EGONE;
}

/* Nothing new is begun; what the host does not have yet ends here. */
static hvk_status begin_quiet(void *device)
{
	struct hvk_storvsc *controller = device;

	hvk_lock(controller->hvk, &controller->lock);
	controller->taking = false;
	hvk_unlock(controller->hvk, &controller->lock);
	hvk_storvsc_scan_stop(controller, end_status(controller));
	hvk_storvsc_reset_stop(controller, end_status(controller));
	hvk_storvsc_jobs_end(controller, NULL, end_status(controller));
	return HVK_OK;
}

/* Nothing is with the host that it may still answer: what went by a queue that is lost ends with that. */
bool hvk_storvsc_is_drained(struct hvk_storvsc *controller)
{
	bool drained = true;

	hvk_lock(controller->hvk, &controller->lock);
	for (uint32_t i = 0; drained && controller->flying != 0 && i < controller->command_count; i++) {
		const struct storvsc_command *command = &controller->commands[i];

		drained = command->state != STORVSC_FLYING || storvsc_queue_is_lost(command->queue);
	}
	hvk_unlock(controller->hvk, &controller->lock);
	return drained;
}

static hvk_status begin_drain(void *device)
{
	struct hvk_storvsc *controller = device;

	/* Before the look: who ends the last one, or loses a queue, kicks. */
	controller->steps.event = STORVSC_EVENT_DRAINED;
	return hvk_storvsc_is_drained(controller) ? HVK_OK : HVK_EINPROGRESS;
}

static bool is_open(const void *device)
{
	return ((const struct hvk_storvsc *)device)->opened;
}

static hvk_status begin_close(void *device)
{
	struct hvk_storvsc *controller = device;

	hvk_storvsc_queue_quiet(storvsc_primary(controller));
	hvk_channel_close(controller->channel, hvk_steps_request(&controller->steps));
	return HVK_EINPROGRESS;
}

static hvk_status closed(void *device, const struct hvk_answer *answer)
{
	struct hvk_storvsc *controller = device;

	controller->opened = false;
	controller->primary_withheld = answer->status == HVK_ETIMEDOUT_TEARDOWN;
	controller->withhold = controller->withhold || controller->primary_withheld;
	if (controller->close_status == HVK_OK)
		controller->close_status = answer->status;
	return HVK_OK;
}

static hvk_status begin_requests_end(void *device)
{
	struct hvk_storvsc *controller = device;

	hvk_storvsc_alarm_stop(controller);
	hvk_storvsc_commands_drop(controller);
	hvk_storvsc_commands_end(controller, end_status(controller));
	hvk_storvsc_jobs_end(controller, NULL, end_status(controller));
	hvk_storvsc_jobs_finish(controller);
	return HVK_OK;
}

/* Somebody's done or ready may still run on another CPU. */
static hvk_status begin_idle(void *device)
{
	struct hvk_storvsc *controller = device;

	controller->steps.event = STORVSC_EVENT_IDLE;
	return hvk_storvsc_units_idle(controller) ? HVK_OK : HVK_EINPROGRESS;
}

static hvk_status begin_units_gone(void *device)
{
	struct hvk_storvsc *controller = device;

	hvk_storvsc_units_leave(controller);
	hvk_storvsc_units_reap(controller);
	return HVK_OK;
}

static hvk_status begin_units_dropped(void *device)
{
	hvk_storvsc_units_drop(device);
	return HVK_OK;
}

static hvk_status begin_release(void *device)
{
	struct hvk_storvsc *controller = device;

	hvk_storvsc_memory_stop(controller, controller->withhold);
	return HVK_OK;
}

/* clang-format off */
#define QUIET \
	{"quiet", NULL, begin_quiet, NULL, STORVSC_WAIT_ELSEWHERE, HVK_ETIMEDOUT, true}
#define CHANNELS_OFF \
	{"hooks off", hvk_storvsc_has_hooks, hvk_storvsc_begin_hooks_off, NULL, \
	 STORVSC_WAIT_ELSEWHERE, HVK_ETIMEDOUT, true}, \
	{"sub-channels closed", NULL, hvk_storvsc_begin_close_all, hvk_storvsc_take_close, \
	 STORVSC_WAIT_ELSEWHERE, HVK_ETIMEDOUT_TEARDOWN, true}, \
	{"CLOSE_CHANNEL", is_open, begin_close, closed, \
	 STORVSC_WAIT_ELSEWHERE, HVK_ETIMEDOUT_TEARDOWN, true}, \
	{"requests end", NULL, begin_requests_end, NULL, STORVSC_WAIT_ELSEWHERE, HVK_ETIMEDOUT, true}, \
	{"callbacks end", NULL, begin_idle, NULL, STORVSC_WAIT_ELSEWHERE, HVK_ETIMEDOUT, true}

static const struct hvk_step detach_steps[] = {
	QUIET,
	{"drain", hvk_storvsc_can_talk, begin_drain, NULL, STORVSC_WAIT_DRAIN, HVK_ETIMEDOUT_REQUEST, true},
	CHANNELS_OFF,
	{"units dropped", NULL, begin_units_dropped, NULL, STORVSC_WAIT_ELSEWHERE, HVK_ETIMEDOUT, true},
	{"release", NULL, begin_release, NULL, STORVSC_WAIT_ELSEWHERE, HVK_ETIMEDOUT, true},
};

static const struct hvk_step lost_steps[] = {
	QUIET,
	CHANNELS_OFF,
	{"units gone", NULL, begin_units_gone, NULL, STORVSC_WAIT_ELSEWHERE, HVK_ETIMEDOUT, true},
};
/* clang-format on */

static void detached(void *device)
{
	hvk_storvsc_end(device, STORVSC_DETACHED);
}

static void is_down(void *device)
{
	struct hvk_storvsc *controller = device;

	controller->down = true;
	if (!controller->gone_told && controller->config.gone) {
		controller->gone_told = true;
		controller->config.gone(controller->config.context, controller);
	}
	hvk_storvsc_kick(controller); /* a detach may have been asked for meanwhile */
}

const struct hvk_sequence hvk_storvsc_detach_sequence = {
	detach_steps, sizeof(detach_steps) / sizeof(detach_steps[0]), NULL, detached};
const struct hvk_sequence hvk_storvsc_lost_sequence = {lost_steps, sizeof(lost_steps) / sizeof(lost_steps[0]),
						       NULL, is_down};
