/* SPDX-License-Identifier: MIT */
/* One command with the host: from being sent to its end, over retries and time-outs. */
#include "guest/storvsc/storvsc_internal.h"

/* --- Lists, under lock ----------------------------------------------------------------- */

struct storvsc_command *hvk_storvsc_command_get(struct hvk_storvsc *controller, bool reserved)
{
	struct storvsc_command *command = controller->free_commands;
	struct storvsc_ticket ticket = {STORVSC_TICKET_COMMAND};

	/* Jobs never need more than there are; the last ones wait for the scan. */
	if (!command || (!reserved && !command->next))
		return NULL;
	controller->free_commands = command->next;
	*command = (struct storvsc_command){.ticket = ticket, .state = STORVSC_ANSWERED};
	return command;
}

void hvk_storvsc_command_put(struct hvk_storvsc *controller, struct storvsc_command *command)
{
	hvk_storvsc_bounce_put(controller, command);
	command->state = STORVSC_FREE;
	command->job = NULL;
	command->next = controller->free_commands;
	controller->free_commands = command;
}

void hvk_storvsc_unsent_put(struct storvsc_queue *queue, struct storvsc_command *command, bool first)
{
	struct storvsc_commands *list = &queue->unsent;

	command->state = STORVSC_UNSENT;
	command->queue = queue;
	command->next = first ? list->first : NULL;
	if (first)
		list->first = command;
	else if (list->last)
		list->last->next = command;
	else
		list->first = command;
	if (!first || !command->next)
		list->last = command;
}

struct storvsc_command *hvk_storvsc_unsent_get(struct storvsc_queue *queue)
{
	struct storvsc_command *command = queue->unsent.first;

	if (!command)
		return NULL;
	queue->unsent.first = command->next;
	if (!queue->unsent.first)
		queue->unsent.last = NULL;
	command->next = NULL;
	return command;
}

static void set_alarm(struct hvk_storvsc *controller, uint64_t when)
{
	if (when < controller->alarm) {
		controller->alarm = when;
		controller->alarm_moved = true;
	}
}

void hvk_storvsc_command_sent(struct storvsc_command *command)
{
	struct hvk_storvsc *controller = command->queue->controller;

	command->state = STORVSC_FLYING;
	command->deadline = hvk_time(controller->hvk) + command->timeout_ms * HVK_TIME_PER_MS;
	controller->flying++;
	set_alarm(controller, command->deadline);
}

void hvk_storvsc_command_unsent(struct storvsc_command *command)
{
	command->queue->controller->flying--;
	command->late = false;
	hvk_storvsc_unsent_put(command->queue, command, true);
}

/* --- Ends ------------------------------------------------------------------------------------ */

static struct hvk_storvsc *controller_of(const struct storvsc_command *command)
{
	return command->queue->controller;
}

static void scan_answered(struct storvsc_command *command, hvk_status status)
{
	struct hvk_storvsc *controller = controller_of(command);

	hvk_lock(controller->hvk, &controller->lock);
	command->status = status;
	controller->scan.answered = true;
	hvk_unlock(controller->hvk, &controller->lock);
	hvk_storvsc_kick(controller);
}

static void over(struct storvsc_command *command, hvk_status status)
{
	if (command->late && status != HVK_OK && status != HVK_ETIMEDOUT_TEARDOWN)
		status = HVK_ETIMEDOUT_REQUEST;
	if (!command->job) {
		scan_answered(command, status);
		return;
	}
	if (command->job->raw)
		hvk_storvsc_raw_result(command, status);
	else if (status == HVK_ENODEVICE)
		status = HVK_EGONE;
	hvk_storvsc_job_part_done(command, status);
}

void hvk_storvsc_command_fail(struct storvsc_command *command, hvk_status status)
{
	command->result = (struct hvk_vstor_result){0};
	over(command, status);
}

/* --- Answers ------------------------------------------------------------------------------------ */

static bool is_removable(const struct storvsc_command *command)
{
	return command->job && (command->job->unit->block.info.flags & HVK_BLOCK_REMOVABLE);
}

/* A transfer that went well must have moved all that was asked for; what a scan reads is as long as the
 * unit likes. */
static bool is_short(const struct storvsc_command *command)
{
	const struct storvsc_job *job = command->job;
	bool transfer = command->memory == STORVSC_DIRECT || command->memory == STORVSC_BOUNCE ||
			(command->memory == STORVSC_ZEROS && job && job->method == STORVSC_BY_WRITES);

	return job && job->block && transfer && command->result.transferred != command->length;
}

bool hvk_storvsc_command_is_stale(const struct storvsc_command *command)
{
	const struct storvsc_job *job = command->job;

	return job &&
	       (job->unit->state != STORVSC_UNIT_READY || (job->block && job->medium != job->unit->medium));
}

static bool is_wanted(const struct storvsc_command *command)
{
	return !command->late && controller_of(command)->taking && !hvk_storvsc_command_is_stale(command);
}

/* True: the command goes once more, now or later. */
static bool try_again(struct storvsc_command *command, enum hvk_verdict_kind kind)
{
	struct hvk_storvsc *controller = controller_of(command);
	bool again = false;

	if (command->job && command->job->raw)
		return false;
	hvk_lock(controller->hvk, &controller->lock);
	if (kind == HVK_VERDICT_AGAIN && is_wanted(command) && command->retries < HVK_STORVSC_RETRIES) {
		command->retries++;
		hvk_storvsc_unsent_put(command->queue, command, false);
		again = true;
	} else if (kind == HVK_VERDICT_LATER && is_wanted(command) && command->waits < HVK_STORVSC_WAITS) {
		command->state = STORVSC_DELAYED;
		command->deadline = hvk_time(controller->hvk) +
				    hvk_min32(1u << hvk_min32(command->waits, 7), HVK_STORVSC_WAIT_MS) *
					    HVK_TIME_PER_MS;
		command->waits++;
		set_alarm(controller, command->deadline);
		again = true;
	}
	if (again && command->job)
		command->job->unit->counters.retries++;
	hvk_unlock(controller->hvk, &controller->lock);
	return again;
}

/* A scan looks already; but what it is told of the medium nobody else will be. */
static void take_news(struct storvsc_command *command, const struct hvk_verdict *verdict)
{
	struct hvk_storvsc *controller = controller_of(command);

	if (!verdict->changed)
		return;
	hvk_lock(controller->hvk, &controller->lock);
	if (!command->job) {
		controller->scan.news = controller->scan.news || verdict->medium;
	} else {
		if (verdict->medium)
			hvk_storvsc_unit_has_news(command->job->unit);
		controller->rescan = true;
	}
	hvk_unlock(controller->hvk, &controller->lock);
	if (command->job)
		hvk_storvsc_kick(controller);
}

static void judge(struct storvsc_command *command)
{
	struct hvk_verdict verdict = hvk_storvsc_judge(&command->result, is_removable(command));
	struct hvk_storvsc *controller = controller_of(command);
	struct storvsc_queue *queue = command->queue;

	take_news(command, &verdict);
	if (verdict.kind == HVK_VERDICT_GOOD && is_short(command))
		verdict = (struct hvk_verdict){.kind = HVK_VERDICT_AGAIN, .status = HVK_EIO};
	if (verdict.kind == HVK_VERDICT_GOOD) {
		over(command, HVK_OK);
	} else if (verdict.kind == HVK_VERDICT_FAILED || !try_again(command, verdict.kind)) {
		command->forget = verdict.not_implemented;
		over(command, verdict.status);
	} else if (verdict.kind == HVK_VERDICT_AGAIN) {
		hvk_storvsc_pump(queue);
	} else {
		hvk_storvsc_kick(controller); /* for the alarm */
	}
}

void hvk_storvsc_command_answered(struct storvsc_command *command, const uint8_t *payload, uint32_t length)
{
	struct hvk_storvsc *controller = controller_of(command);
	hvk_status status;
	bool drained;

	hvk_lock(controller->hvk, &controller->lock);
	command->state = STORVSC_ANSWERED;
	drained = --controller->flying == 0 && !controller->taking;
	hvk_unlock(controller->hvk, &controller->lock);
	status = hvk_vstor_parse_result(payload, length, controller->version, command->length,
					&command->result);
	if (status == HVK_OK) {
		judge(command);
	} else {
		hvk_storvsc_fault(controller, status, "answer");
		over(command, status);
	}
	if (drained)
		hvk_storvsc_kick(controller);
}

/* --- Time ------------------------------------------------------------------------------------- */

uint32_t hvk_storvsc_grace_ms(const struct hvk_storvsc *controller)
{
	return hvk_min32(HVK_STORVSC_GRACE_MS, hvk_timeouts(controller->hvk)->device_ms);
}

struct expiry {
	bool late; /* some command has timed out */
	bool send;
	struct storvsc_queue *silent; /* one whose host does not even answer after that */
};

static void set_late(struct storvsc_command *command)
{
	struct hvk_storvsc *controller = controller_of(command);

	command->late = true;
	command->abort = true;
	controller->abort_wanted = true;
	if (command->job)
		command->job->unit->counters.timeouts++;
}

/* Under lock. */
static void expire(struct hvk_storvsc *controller, struct storvsc_command *command, uint64_t now,
		   struct expiry *found)
{
	if (command->state == STORVSC_DELAYED && command->deadline <= now) {
		hvk_storvsc_unsent_put(command->queue, command, false);
		found->send = true;
	} else if (command->state == STORVSC_FLYING && command->deadline <= now) {
		if (command->late && !command->abort)
			found->silent = command->queue; /* of several one by one: they come back here */
		command->deadline = now + hvk_storvsc_grace_ms(controller) * HVK_TIME_PER_MS;
		if (!command->late) {
			set_late(command);
			found->late = true;
		}
	}
	if (command->state == STORVSC_DELAYED || command->state == STORVSC_FLYING)
		set_alarm(controller, command->deadline);
}

static void give_up(struct storvsc_queue *queue)
{
	struct hvk_storvsc *controller = queue->controller;

	hvk_log(controller->hvk, HVK_LOG_WARN, "storvsc: queue %u: no answer, closing it", queue->index);
	if (queue->index == 0) {
		hvk_storvsc_set_lost(controller, HVK_ETIMEDOUT_REQUEST);
	} else {
		__atomic_store_n(&queue->lost, true, __ATOMIC_RELEASE);
		hvk_storvsc_kick(controller);
	}
}

static void alarm_fires(struct hvk_timer *timer, void *context)
{
	struct hvk_storvsc *controller = context;
	uint64_t now = hvk_time(controller->hvk);
	struct expiry found = {0};

	(void)timer;
	hvk_lock(controller->hvk, &controller->lock);
	controller->alarm = HVK_NEVER;
	for (uint32_t i = 0; i < controller->command_count; i++)
		expire(controller, &controller->commands[i], now, &found);
	controller->alarm_moved = controller->alarm != HVK_NEVER;
	hvk_unlock(controller->hvk, &controller->lock);
	hvk_storvsc_alarm_set(controller);
	if (found.silent)
		give_up(found.silent);
	if (found.late)
		hvk_storvsc_kick(controller); /* for the abort */
	if (found.send)
		hvk_storvsc_pump_all(controller);
}

void hvk_storvsc_alarm_init(struct hvk_storvsc *controller)
{
	controller->alarm = HVK_NEVER;
	controller->alarm_timer.fire = alarm_fires;
	controller->alarm_timer.context = controller;
	controller->alarm_timer.deadline = HVK_NEVER;
	controller->alarm_timer.cpu = controller->config.cpu;
}

void hvk_storvsc_alarm_set(struct hvk_storvsc *controller)
{
	uint64_t now = hvk_time(controller->hvk), when;
	bool moved;

	hvk_lock(controller->hvk, &controller->lock);
	moved = controller->alarm_moved;
	controller->alarm_moved = false;
	when = controller->alarm;
	hvk_unlock(controller->hvk, &controller->lock);
	if (!moved)
		return;
	when = when > now ? (when - now + HVK_TIME_PER_MS - 1) / HVK_TIME_PER_MS : 0;
	hvk_timer_start(controller->hvk, &controller->alarm_timer, controller->config.cpu,
			hvk_max32(1, (uint32_t)when));
}

void hvk_storvsc_alarm_stop(struct hvk_storvsc *controller)
{
	hvk_timer_stop(controller->hvk, &controller->alarm_timer);
	hvk_lock(controller->hvk, &controller->lock);
	controller->alarm = HVK_NEVER;
	controller->alarm_moved = false;
	hvk_unlock(controller->hvk, &controller->lock);
}

/* Under lock. */
static struct storvsc_command *take_dropped(struct hvk_storvsc *controller, hvk_status *status)
{
	struct storvsc_command *command = controller->dropped.first;

	if (!command)
		return NULL;
	controller->dropped.first = command->next;
	if (!command->next)
		controller->dropped.last = NULL;
	command->next = NULL;
	*status = command->job->unit->state == STORVSC_UNIT_READY ? HVK_EIO : HVK_EGONE;
	return command;
}

void hvk_storvsc_commands_drop(struct hvk_storvsc *controller)
{
	for (uint32_t i = 0; i < controller->command_count; i++) {
		struct storvsc_command *command;
		hvk_status status;

		hvk_lock(controller->hvk, &controller->lock);
		command = take_dropped(controller, &status);
		hvk_unlock(controller->hvk, &controller->lock);
		if (!command)
			return;
		hvk_storvsc_command_fail(command, status);
	}
}

/* No channel is open: nobody else has a command any more. */
void hvk_storvsc_commands_end(struct hvk_storvsc *controller, hvk_status status)
{
	hvk_lock(controller->hvk, &controller->lock);
	for (uint32_t i = 0; i < controller->queue_count; i++)
		controller->queues[i].unsent = (struct storvsc_commands){NULL, NULL};
	hvk_unlock(controller->hvk, &controller->lock);
	for (uint32_t i = 0; i < controller->command_count; i++) {
		struct storvsc_command *command = &controller->commands[i];
		bool flying = command->state == STORVSC_FLYING;

		if (command->state == STORVSC_FREE || command->state == STORVSC_ANSWERED)
			continue;
		hvk_lock(controller->hvk, &controller->lock);
		controller->flying -= flying;
		command->state = STORVSC_ANSWERED;
		hvk_unlock(controller->hvk, &controller->lock);
		hvk_storvsc_command_fail(
			command, flying && controller->primary_withheld ? HVK_ETIMEDOUT_TEARDOWN : status);
	}
}
