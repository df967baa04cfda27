/* SPDX-License-Identifier: MIT */
/*
 * RESET_LUN and RESET_ADAPTER: what the host had of them ends. Never RESET_BUS, which hosts get wrong
 * (FreeBSD). One at a time; on the controller's CPU.
 */
#include "guest/storvsc/storvsc_internal.h"

static void over(struct hvk_storvsc *controller, hvk_status status)
{
	struct storvsc_reset *reset = &controller->reset;
	struct hvk_request *request;

	bool more;

	hvk_timer_stop(controller->hvk, &reset->timer);
	__atomic_store_n(&reset->room_wanted, false, __ATOMIC_SEQ_CST);
	hvk_lock(controller->hvk, &controller->lock);
	reset->asked = false;
	reset->note.there = false;
	request = reset->request;
	reset->request = NULL;
	more = controller->abort_wanted && controller->taking;
	hvk_unlock(controller->hvk, &controller->lock);
	if (reset->note.pending) /* an answer that still comes is late */
		(void)hvk_channel_take_request(controller->channel, &reset->note.ticket);
	reset->note.pending = false;
	hvk_request_finish(controller->hvk, request, status, controller->config.cpu);
	if (more)
		hvk_storvsc_kick(controller);
}

static void time_is_over(struct hvk_timer *timer, void *context)
{
	(void)timer;
	over(context, HVK_ETIMEDOUT_REQUEST);
}

static hvk_status send(struct hvk_storvsc *controller)
{
	struct storvsc_reset *reset = &controller->reset;
	const struct hvk_vstor_srb srb = {
		.path = controller->ide_path,
		.target = reset->target,
		.lun = reset->lun,
		.direction = VSTOR_DATA_NONE,
	};
	struct hvk_vstor_packet packet;

	if (reset->adapter)
		hvk_vstor_build(&packet, controller->version, VSTOR_OPERATION_RESET_ADAPTER);
	else
		hvk_vstor_build_srb(&packet, controller->version, VSTOR_OPERATION_RESET_LUN, &srb);
	return hvk_channel_send(controller->channel, packet.bytes, packet.size, true, &reset->note.ticket);
}

/* Without room in the ring it is tried again when there is some, in the same time. */
static void begin(struct hvk_storvsc *controller)
{
	struct storvsc_reset *reset = &controller->reset;
	hvk_status status;

	if (!hvk_timer_running(&reset->timer))
		hvk_timer_start(controller->hvk, &reset->timer, controller->config.cpu,
				hvk_timeouts(controller->hvk)->device_ms);
	__atomic_store_n(&reset->room_wanted, true, __ATOMIC_SEQ_CST);
	status = send(controller);
	if (status == HVK_EAGAIN)
		return;
	__atomic_store_n(&reset->room_wanted, false, __ATOMIC_SEQ_CST);
	if (status != HVK_OK) {
		over(controller, status);
		return;
	}
	controller->resets++;
	reset->note.pending = true;
}

/* Under lock: the unit of a command that has timed out, and all the others of that unit; each has the
 * time for it from here on. */
static void want_abort(struct hvk_storvsc *controller)
{
	struct storvsc_reset *reset = &controller->reset;
	uint64_t deadline = hvk_time(controller->hvk) + hvk_storvsc_grace_ms(controller) * HVK_TIME_PER_MS;

	for (uint32_t i = 0; i < controller->command_count; i++) {
		struct storvsc_command *command = &controller->commands[i];
		bool wanted = command->state == STORVSC_FLYING && command->abort;

		if (wanted && !reset->asked) {
			reset->asked = true;
			reset->adapter = false;
			reset->target = command->srb.target;
			reset->lun = command->srb.lun;
			controller->aborts++;
		}
		if (!wanted || command->srb.target != reset->target || command->srb.lun != reset->lun)
			continue;
		command->abort = false;
		command->deadline = deadline;
	}
	controller->abort_wanted = reset->asked; /* look again after this one */
}

static hvk_status answer_of(const struct storvsc_note *note)
{
	uint32_t nt_status;
	hvk_status status = hvk_vstor_parse_answer(note->bytes, note->length, &nt_status);

	return status == HVK_OK && nt_status != VSTOR_STATUS_SUCCESS ? HVK_ENOTSUP : status;
}

void hvk_storvsc_reset_go_on(struct hvk_storvsc *controller)
{
	struct storvsc_reset *reset = &controller->reset;
	struct storvsc_note note;
	bool asked;

	hvk_lock(controller->hvk, &controller->lock);
	note = reset->note;
	reset->note.there = false;
	if (!reset->asked && controller->abort_wanted && controller->taking)
		want_abort(controller);
	asked = reset->asked && !note.pending && controller->taking;
	hvk_unlock(controller->hvk, &controller->lock);
	if (note.pending && note.there) {
		reset->note.pending = false;
		over(controller, answer_of(&note));
	} else if (asked) {
		begin(controller);
	}
}

void hvk_storvsc_reset_stop(struct hvk_storvsc *controller, hvk_status status)
{
	over(controller, status);
}

/* Under lock. */
static hvk_status want(struct hvk_storvsc *controller, const struct hvk_storvsc_unit *unit,
		       struct hvk_request *request)
{
	struct storvsc_reset *reset = &controller->reset;

	if (controller->lost != HVK_OK)
		return HVK_EGONE;
	if (!controller->taking)
		return HVK_ESTATE;
	if (reset->asked || controller->abort_wanted)
		return HVK_EBUSY;
	reset->asked = true;
	reset->adapter = unit == NULL;
	reset->target = unit ? unit->target : 0;
	reset->lun = unit ? unit->lun : 0;
	reset->request = request;
	return HVK_OK;
}

void hvk_storvsc_reset(struct hvk_storvsc *controller, struct hvk_storvsc_unit *unit,
		       struct hvk_request *request)
{
	hvk_status status;

	hvk_request_begin(request);
	hvk_lock(controller->hvk, &controller->lock);
	status = want(controller, unit, request);
	hvk_unlock(controller->hvk, &controller->lock);
	if (status == HVK_OK)
		hvk_storvsc_kick(controller);
	else
		hvk_request_finish(controller->hvk, request, status, controller->config.cpu);
}

void hvk_storvsc_reset_init(struct hvk_storvsc *controller)
{
	controller->reset.note.ticket.kind = STORVSC_TICKET_RESET;
	controller->reset.timer = (struct hvk_timer){.fire = time_is_over,
						     .context = controller,
						     .deadline = HVK_NEVER,
						     .cpu = controller->config.cpu};
}
