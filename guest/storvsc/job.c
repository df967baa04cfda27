/* SPDX-License-Identifier: MIT */
/* One request of the user's: taken, kept in order, cut into commands, finished once. */
#include "guest/storvsc/storvsc_internal.h"

/* --- Lists, under lock ------------------------------------------------------------------ */

void hvk_storvsc_jobs_append(struct storvsc_jobs *jobs, struct storvsc_job *job)
{
	job->next = NULL;
	if (jobs->last)
		jobs->last->next = job;
	else
		jobs->first = job;
	jobs->last = job;
}

static void prepend(struct storvsc_jobs *jobs, struct storvsc_job *job)
{
	job->next = jobs->first;
	jobs->first = job;
	if (!jobs->last)
		jobs->last = job;
}

struct storvsc_job *hvk_storvsc_jobs_take(struct storvsc_jobs *jobs)
{
	struct storvsc_job *job = jobs->first;

	if (!job)
		return NULL;
	jobs->first = job->next;
	if (!jobs->first)
		jobs->last = NULL;
	job->next = NULL;
	job->queued = false;
	return job;
}

static void remove_job(struct storvsc_jobs *jobs, struct storvsc_job *job)
{
	struct storvsc_job *before = NULL, *at = jobs->first;

	while (at && at != job) { /* ends: the list does */
		before = at;
		at = at->next;
	}
	if (!at)
		return;
	if (before)
		before->next = job->next;
	else
		jobs->first = job->next;
	if (jobs->last == job)
		jobs->last = before;
	job->next = NULL;
	job->queued = false;
}

static void queue_job(struct storvsc_job *job)
{
	if (!storvsc_queue_is_open(job->queue))
		job->queue = storvsc_primary(job->unit->controller);
	if (job->first)
		prepend(&job->queue->waiting, job);
	else
		hvk_storvsc_jobs_append(&job->queue->waiting, job);
	job->queued = true;
}

/* --- Order ------------------------------------------------------------------------------------ */

static void begin(struct storvsc_job *job)
{
	struct hvk_storvsc_unit *unit = job->unit;

	job->begun = true;
	unit->running++;
	unit->exclusive = unit->exclusive || job->ordered;
	if (job->left == 0)
		hvk_storvsc_jobs_append(&unit->controller->finished, job);
	else
		queue_job(job);
}

static bool may_begin(const struct hvk_storvsc_unit *unit, const struct storvsc_job *job)
{
	if (job->first)
		return true;
	return !unit->exclusive && !(job->ordered && unit->running != 0);
}

/* Those that were held back by one that is done. */
static void release_held(struct hvk_storvsc_unit *unit)
{
	while (unit->held.first && may_begin(unit, unit->held.first)) /* ends: each turn takes one off */
		begin(hvk_storvsc_jobs_take(&unit->held));
}

/* --- In -------------------------------------------------------------------------------------- */

static hvk_status may_take(const struct hvk_storvsc_unit *unit)
{
	const struct hvk_storvsc *controller = unit->controller;

	if (unit->state != STORVSC_UNIT_READY || controller->lost != HVK_OK)
		return HVK_EGONE;
	return controller->taking ? HVK_OK : HVK_ESTATE;
}

static hvk_status find_room(struct hvk_storvsc_unit *unit)
{
	struct hvk_storvsc *controller = unit->controller;

	if (controller->free_jobs)
		return HVK_OK;
	unit->starved = true;
	controller->starved = true;
	unit->counters.busy++;
	return HVK_EAGAIN;
}

hvk_status hvk_storvsc_job_submit(struct hvk_storvsc_unit *unit, struct storvsc_job *wanted)
{
	struct hvk_storvsc *controller = unit->controller;
	struct storvsc_job *job;
	struct storvsc_queue *queue;
	hvk_status status;
	bool kick;

	hvk_lock(controller->hvk, &controller->lock);
	status = may_take(unit);
	if (status == HVK_OK && wanted->block)
		status = hvk_storvsc_block_admit(unit, wanted);
	if (status == HVK_OK)
		status = find_room(unit);
	if (status != HVK_OK) {
		kick = status == HVK_ENOMEDIUM && controller->rescan;
		hvk_unlock(controller->hvk, &controller->lock);
		if (kick)
			hvk_storvsc_kick(controller);
		return status;
	}
	job = controller->free_jobs;
	controller->free_jobs = job->next;
	*job = *wanted;
	job->unit = unit;
	job->medium = unit->medium;
	job->block_size = unit->block.info.block_size;
	unit->jobs++;
	controller->taken++;
	if ((unit->held.first && !job->first) || !may_begin(unit, job))
		hvk_storvsc_jobs_append(&unit->held, job);
	else
		begin(job);
	kick = controller->finished.first != NULL;
	queue = job->queue; /* another one, where that is closed by now */
	hvk_unlock(controller->hvk, &controller->lock);
	hvk_storvsc_pump(queue); /* job may be done by now */
	if (kick)
		hvk_storvsc_kick(controller);
	return HVK_OK;
}

void hvk_storvsc_job_refuse(struct storvsc_job *job, hvk_status status)
{
	if (job->status == HVK_OK)
		job->status = status;
	job->left = 0;
}

struct storvsc_command *hvk_storvsc_job_cut(struct storvsc_job *job)
{
	const struct hvk_storvsc_unit *unit = job->unit;
	struct storvsc_command *command;

	if (job->block && job->medium != unit->medium) {
		hvk_storvsc_job_refuse(job, HVK_EIO);
		return NULL;
	}
	command = job->raw ? hvk_storvsc_raw_cut(job) : hvk_storvsc_block_cut(job);
	if (command)
		job->unit->counters.commands++;
	return command;
}

/* --- Out -------------------------------------------------------------------------------------- */

/* A job that is over, and has its memory no more. */
struct ending {
	struct hvk_storvsc_unit *unit;
	struct hvk_block_request *block;
	struct hvk_scsi_request *raw;
	hvk_status status;
	bool released; /* others, which waited for it */
};

static void call_done(const struct ending *ending)
{
	if (!ending->raw) {
		ending->block->done(ending->block, ending->status, ending->block->context);
		return;
	}
	if (ending->raw->status == HVK_EINPROGRESS)
		ending->raw->status = ending->status;
	ending->raw->done(ending->raw, ending->raw->context);
}

static void callback_over(struct hvk_storvsc_unit *unit)
{
	struct hvk_storvsc *controller = unit->controller;

	/* From here on the unit may go. Who looks in vain for the last callback has said before that it is
	 * leaving: not to look at that before would be to miss it. Its memory stays: it is the
	 * controller's, and that waits for this CPU to be out of its channels. */
	__atomic_fetch_sub(&unit->callbacks, 1, __ATOMIC_SEQ_CST);
	if (__atomic_load_n(&unit->state, __ATOMIC_SEQ_CST) != STORVSC_UNIT_READY ||
	    !__atomic_load_n(&controller->taking, __ATOMIC_SEQ_CST))
		hvk_storvsc_kick(controller);
}

/* Under lock. */
static struct ending end_job(struct storvsc_job *job)
{
	struct hvk_storvsc_unit *unit = job->unit;
	struct hvk_storvsc *controller = unit->controller;
	struct ending ending = {.unit = unit, .block = job->block, .raw = job->raw, .status = job->status};

	hvk_storvsc_count_done(job);
	if (job->begun) {
		unit->running--;
		unit->exclusive = unit->exclusive && !job->ordered;
	}
	ending.released = unit->held.first != NULL;
	release_held(unit);
	unit->jobs--;
	controller->taken--;
	job->unit = NULL;
	job->next = controller->free_jobs;
	controller->free_jobs = job;
	__atomic_fetch_add(&unit->callbacks, 1, __ATOMIC_SEQ_CST);
	return ending;
}

static void finish(const struct ending *ending)
{
	struct hvk_storvsc *controller = ending->unit->controller;

	call_done(ending);
	callback_over(ending->unit);
	if (ending->released)
		hvk_storvsc_pump_all(controller);
}

/* A way to do it that the unit turns out not to know: the next one, from where this one was. */
static bool other_method(struct storvsc_job *job, const struct storvsc_command *command)
{
	struct hvk_storvsc_unit *unit = job->unit;

	if (!command->forget || job->operation != HVK_BLOCK_WRITE_ZEROES || job->method == STORVSC_BY_WRITES)
		return false;
	unit->write_same = false;
	job->method = STORVSC_BY_WRITES;
	job->at = command->block; /* one at a time is under way */
	job->left += command->count;
	return true;
}

/* A flush that the unit does not know is none that it needs. */
static bool needless(const struct storvsc_job *job, const struct storvsc_command *command)
{
	return command->forget && job->operation == HVK_BLOCK_FLUSH &&
	       !(job->unit->block.info.flags & HVK_BLOCK_WRITE_CACHE);
}

/* Under lock. True: that was the last one. */
static bool settle(struct storvsc_job *job, struct storvsc_command *command, hvk_status status)
{
	job->commands--;
	if (status == HVK_ETIMEDOUT_TEARDOWN) /* above all others: the memory is not the caller's again */
		job->status = status;
	if (status != HVK_OK && !other_method(job, command) && !needless(job, command) &&
	    job->status == HVK_OK)
		job->status = status;
	if (job->status == HVK_OK && !job->unit->controller->taking && (job->left != 0 || job->then_flush))
		job->status = job->unit->controller->lost == HVK_OK ? HVK_ECANCELED : HVK_EGONE;
	if (job->status != HVK_OK)
		job->left = 0;
	if (job->left == 0 && job->commands == 0 && job->then_flush && job->status == HVK_OK) {
		job->then_flush = false;
		job->operation = HVK_BLOCK_FLUSH;
		job->left = 1;
	}
	if (job->left == 0 && job->queued)
		remove_job(&job->queue->waiting, job);
	else if (job->left != 0 && !job->queued)
		queue_job(job);
	return job->left == 0 && job->commands == 0;
}

void hvk_storvsc_job_part_done(struct storvsc_command *command, hvk_status status)
{
	struct storvsc_job *job = command->job;
	struct storvsc_queue *queue = command->queue;
	struct hvk_storvsc *controller = queue->controller;
	struct ending ending;
	bool done, all, more;

	/* Of a raw command the caller has whatever was moved. */
	if ((status == HVK_OK || job->raw) && command->memory == STORVSC_BOUNCE &&
	    command->srb.direction == VSTOR_DATA_IN)
		hvk_storvsc_bounce_drain(command, command->result.transferred);
	hvk_lock(controller->hvk, &controller->lock);
	done = settle(job, command, status);
	all = controller->short_of || job->queue != queue; /* where the rest of it waits */
	if (status == HVK_ETIMEDOUT_TEARDOWN)
		hvk_storvsc_bounce_withhold(controller, command);
	hvk_storvsc_command_put(controller, command);
	controller->short_of = false;
	if (done)
		ending = end_job(job);
	more = hvk_storvsc_queue_has_work(queue);
	hvk_unlock(controller->hvk, &controller->lock);
	if (done)
		finish(&ending);
	if (all)
		hvk_storvsc_pump_all(controller);
	else if (more)
		hvk_storvsc_pump(queue);
}

void hvk_storvsc_jobs_finish(struct hvk_storvsc *controller)
{
	for (uint32_t i = 0; i < controller->config.queue_depth; i++) {
		struct storvsc_job *job;
		struct ending ending;

		hvk_lock(controller->hvk, &controller->lock);
		job = hvk_storvsc_jobs_take(&controller->finished);
		if (job)
			ending = end_job(job);
		hvk_unlock(controller->hvk, &controller->lock);
		if (!job)
			return;
		finish(&ending);
	}
}

/* --- The end of a unit, or of all ------------------------------------------------------------------ */

/* Under lock. */
static void end_waiting(struct hvk_storvsc *controller, struct storvsc_jobs *jobs,
			const struct hvk_storvsc_unit *unit, hvk_status status, bool held)
{
	struct storvsc_jobs kept = {NULL, NULL};
	struct storvsc_job *job;

	while ((job = hvk_storvsc_jobs_take(jobs)) != NULL) { /* ends: each turn takes one off */
		if (unit && job->unit != unit) {
			hvk_storvsc_jobs_append(&kept, job);
			job->queued = !held;
			continue;
		}
		job->left = 0;
		if (job->status == HVK_OK)
			job->status = status;
		if (job->commands == 0)
			hvk_storvsc_jobs_append(&controller->finished, job);
	}
	*jobs = kept;
}

void hvk_storvsc_jobs_end(struct hvk_storvsc *controller, struct hvk_storvsc_unit *unit, hvk_status status)
{
	hvk_lock(controller->hvk, &controller->lock);
	for (uint32_t i = 0; i < controller->unit_count; i++) {
		if (!unit || unit == &controller->units[i])
			end_waiting(controller, &controller->units[i].held, NULL, status, true);
	}
	for (uint32_t i = 0; i < controller->queue_count; i++)
		end_waiting(controller, &controller->queues[i].waiting, unit, status, false);
	hvk_unlock(controller->hvk, &controller->lock);
	hvk_storvsc_kick(controller);
}

/* --- Room again --------------------------------------------------------------------------------------- */

static bool take_starved(struct hvk_storvsc_unit *unit)
{
	struct hvk_storvsc *controller = unit->controller;
	bool owed;

	hvk_lock(controller->hvk, &controller->lock);
	owed = unit->starved && unit->state == STORVSC_UNIT_READY && controller->free_jobs;
	unit->starved = unit->starved && !owed;
	if (owed)
		__atomic_fetch_add(&unit->callbacks, 1, __ATOMIC_SEQ_CST);
	controller->starved = controller->starved || unit->starved;
	hvk_unlock(controller->hvk, &controller->lock);
	return owed;
}

void hvk_storvsc_tell_ready(struct hvk_storvsc *controller)
{
	if (!__atomic_load_n(&controller->starved, __ATOMIC_RELAXED) ||
	    !__atomic_load_n(&controller->free_jobs, __ATOMIC_RELAXED))
		return;
	hvk_lock(controller->hvk, &controller->lock);
	controller->starved = false;
	hvk_unlock(controller->hvk, &controller->lock);
	for (uint32_t i = 0; i < controller->unit_count; i++) {
		struct hvk_storvsc_unit *unit = &controller->units[i];

		if (storvsc_unit_state(unit) != STORVSC_UNIT_READY || !take_starved(unit))
			continue;
		if (unit->block.hooks.ready)
			unit->block.hooks.ready(unit->block.hooks.context, &unit->block);
		callback_over(unit);
	}
}
