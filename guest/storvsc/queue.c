/* SPDX-License-Identifier: MIT */
/* A queue: one channel, what waits for it, and what comes from it. */
#include "guest/storvsc/storvsc_internal.h"

/* --- Which queue ------------------------------------------------------------------------- */

struct storvsc_queue *hvk_storvsc_queue_for(struct hvk_storvsc *controller, uint32_t hint)
{
	uint32_t index;

	if (hint != 0 && hint <= controller->queue_count &&
	    storvsc_queue_is_open(&controller->queues[hint - 1]))
		return &controller->queues[hint - 1];
	index = hvk_cpu_index(controller->hvk) % HVK_CPUS_MAX;
	return &controller->queues[__atomic_load_n(&controller->by_cpu[index], __ATOMIC_RELAXED)];
}

static uint32_t queue_of_cpu(struct hvk_storvsc *controller, uint32_t cpu)
{
	uint32_t open = hvk_storvsc_queues(controller), nth;

	for (uint32_t i = 0; i < controller->queue_count; i++) {
		if (storvsc_queue_is_open(&controller->queues[i]) &&
		    hvk_channel_cpu(controller->queues[i].channel) == cpu)
			return i;
	}
	nth = open != 0 ? cpu % open : 0;
	for (uint32_t i = 0; i < controller->queue_count; i++) {
		if (storvsc_queue_is_open(&controller->queues[i]) && nth-- == 0)
			return i;
	}
	return 0;
}

/* A CPU's own queue, or one of the others in turn. */
static void divide(struct hvk_storvsc *controller)
{
	for (uint32_t cpu = 0; cpu < HVK_CPUS_MAX; cpu++)
		__atomic_store_n(&controller->by_cpu[cpu], (uint8_t)queue_of_cpu(controller, cpu),
				 __ATOMIC_RELAXED);
}

/* --- Sending ------------------------------------------------------------------------------- */

static hvk_status send(struct storvsc_queue *queue, struct storvsc_command *command)
{
	struct hvk_storvsc *controller = queue->controller;
	struct hvk_vstor_packet packet;
	uint32_t count, offset;

	if (!command->filled) {
		hvk_storvsc_bounce_fill(command);
		command->filled = true;
	}
	hvk_vstor_build_srb(&packet, controller->version, VSTOR_OPERATION_EXECUTE_SRB, &command->srb);
	if (command->memory == STORVSC_NO_MEMORY)
		return hvk_channel_send(queue->channel, packet.bytes, packet.size, true, &command->ticket);
	count = hvk_storvsc_list_pages(queue, command, &offset);
	return hvk_channel_send_pages(queue->channel, queue->pages, count, offset, command->length,
				      packet.bytes, packet.size, &command->ticket);
}

/* Of one job at once. Where each may turn out to need another method: one after the other. */
static uint32_t parts_max(const struct storvsc_job *job)
{
	bool transfer = job->raw || job->operation == HVK_BLOCK_READ || job->operation == HVK_BLOCK_WRITE;

	return transfer || job->method == STORVSC_BY_WRITES ? HVK_STORVSC_PARTS : 1;
}

/* Under both locks. What is not to be sent any more ends on the controller's CPU. */
static struct storvsc_command *next_unsent(struct storvsc_queue *queue)
{
	struct storvsc_commands *dropped = &queue->controller->dropped;
	struct storvsc_command *command;

	while ((command = hvk_storvsc_unsent_get(queue)) != NULL && /* ends: each turn takes one off */
	       hvk_storvsc_command_is_stale(command)) {
		command->state = STORVSC_ANSWERED;
		if (dropped->last)
			dropped->last->next = command;
		else
			dropped->first = command;
		dropped->last = command;
	}
	return command;
}

/* Under both locks. */
static struct storvsc_command *next_command(struct storvsc_queue *queue)
{
	struct storvsc_command *command;
	struct storvsc_job *job;

	if (queue->stalled)
		return NULL;
	command = next_unsent(queue);
	while (!command && (job = queue->waiting.first) != NULL) { /* ends: each turn takes one off */
		if (job->left != 0 && job->commands < parts_max(job)) {
			command = hvk_storvsc_job_cut(job);
			if (!command && job->left != 0) {
				queue->controller->short_of = true;
				return NULL;
			}
		}
		if (job->left == 0 || job->commands >= parts_max(job))
			(void)hvk_storvsc_jobs_take(&queue->waiting);
		if (job->left == 0 && job->commands == 0) /* it cannot be cut */
			hvk_storvsc_jobs_append(&queue->controller->finished, job);
	}
	return command;
}

enum pumped { PUMP_MORE, PUMP_OVER };

bool hvk_storvsc_queue_has_work(const struct storvsc_queue *queue)
{
	return queue->unsent.first || queue->waiting.first;
}

static enum pumped pump_one(struct storvsc_queue *queue, hvk_status *status, bool *kick)
{
	struct hvk_storvsc *controller = queue->controller;
	struct storvsc_command *command = NULL;
	bool more = false;

	*status = HVK_OK;
	hvk_lock(controller->hvk, &queue->lock);
	hvk_lock(controller->hvk, &controller->lock);
	if (storvsc_queue_is_open(queue))
		command = next_command(queue);
	if (command) {
		queue->commands++;
		hvk_storvsc_command_sent(command);
		more = hvk_storvsc_queue_has_work(queue);
	}
	*kick |= controller->finished.first || controller->dropped.first || controller->alarm_moved;
	hvk_unlock(controller->hvk, &controller->lock);
	if (command)
		*status = send(queue, command);
	if (*status != HVK_OK) { /* then nobody but we knows of it */
		hvk_lock(controller->hvk, &controller->lock);
		queue->commands--;
		hvk_storvsc_command_unsent(command);
		queue->stalled = *status == HVK_EAGAIN;
		hvk_unlock(controller->hvk, &controller->lock);
	}
	hvk_unlock(controller->hvk, &queue->lock);
	return more && *status == HVK_OK ? PUMP_MORE : PUMP_OVER;
}

/* A queue that takes nothing any more will be closed; what waits in it goes by another, or ends, then. */
static void note_failure(struct storvsc_queue *queue, hvk_status status)
{
	if (status == HVK_OK || status == HVK_EAGAIN || status == HVK_ESTATE)
		return;
	if (status != HVK_EGONE || queue->index == 0) {
		hvk_storvsc_set_lost(queue->controller, status);
		return;
	}
	__atomic_store_n(&queue->lost, true, __ATOMIC_RELEASE);
	hvk_storvsc_kick(queue->controller);
}

void hvk_storvsc_pump(struct storvsc_queue *queue)
{
	enum pumped result = PUMP_MORE;
	hvk_status status = HVK_OK;
	bool kick = false;

	for (uint32_t i = 0; result == PUMP_MORE && i < HVK_STORVSC_PUMP; i++)
		result = pump_one(queue, &status, &kick);
	note_failure(queue, status);
	if (kick)
		hvk_storvsc_kick(queue->controller);
}

void hvk_storvsc_pump_all(struct hvk_storvsc *controller)
{
	for (uint32_t i = 0; i < controller->queue_count; i++) {
		if (storvsc_queue_is_open(&controller->queues[i]))
			hvk_storvsc_pump(&controller->queues[i]);
	}
}

/* --- Receiving ------------------------------------------------------------------------------- */

static void note_answer(struct storvsc_queue *queue, struct storvsc_note *note,
			const struct hvk_packet *packet)
{
	struct hvk_storvsc *controller = queue->controller;

	hvk_lock(controller->hvk, &controller->lock);
	note->there = true;
	note->length = hvk_min32(packet->payload_length, sizeof(note->bytes));
	memset(note->bytes, 0, sizeof(note->bytes));
	memcpy(note->bytes, packet->payload, note->length);
	hvk_unlock(controller->hvk, &controller->lock);
	hvk_storvsc_kick(controller);
}

static void take_completion(struct storvsc_queue *queue, const struct hvk_packet *packet)
{
	struct storvsc_ticket *ticket = packet->cookie;

	switch (ticket->kind) {
	case STORVSC_TICKET_COMMAND:
		hvk_storvsc_command_answered((struct storvsc_command *)(void *)ticket, packet->payload,
					     packet->payload_length);
		break;
	case STORVSC_TICKET_STEP:
	case STORVSC_TICKET_RESET:
		note_answer(queue, (struct storvsc_note *)(void *)ticket, packet);
		break;
	}
}

/* What the host says unasked: units came or went. */
static void take_notice(struct storvsc_queue *queue, const struct hvk_packet *packet)
{
	struct hvk_storvsc *controller = queue->controller;
	uint32_t operation;
	hvk_status status = hvk_vstor_parse_notice(packet->payload, packet->payload_length, &operation);

	if (packet->answer_wanted)
		(void)hvk_channel_complete(queue->channel, packet->transaction_id, NULL, 0);
	if (status != HVK_OK) {
		hvk_storvsc_fault(controller, status, "notice");
		return;
	}
	hvk_lock(controller->hvk, &controller->lock);
	controller->notices++;
	if (operation != VSTOR_OPERATION_EVENT_NOTIFICATION)
		controller->rescan = true;
	hvk_unlock(controller->hvk, &controller->lock);
	hvk_storvsc_kick(controller);
}

/* HVK_OK: go on. */
static hvk_status receive_one(struct storvsc_queue *queue)
{
	struct hvk_packet packet;
	hvk_status status = hvk_channel_receive(queue->channel, queue->packet, sizeof(queue->packet),
						&packet);

	if (status == HVK_ETOOBIG || status == HVK_EHOST_TRANSACTION) {
		if (status == HVK_ETOOBIG)
			hvk_storvsc_fault(queue->controller, HVK_EHOST_VSTOR, "packet too long");
		return HVK_OK;
	}
	if (status != HVK_OK)
		return status;
	if (packet.type == VMBUS_PACKET_COMPLETION)
		take_completion(queue, &packet);
	else if (packet.type == VMBUS_PACKET_IN_BAND)
		take_notice(queue, &packet);
	else
		hvk_storvsc_fault(queue->controller, HVK_EHOST_PACKET_TYPE, "packet");
	return HVK_OK;
}

static bool taken_back(struct storvsc_queue *queue)
{
	if (!hvk_channel_rescinded(queue->channel))
		return false;
	note_failure(queue, HVK_EGONE);
	return true;
}

static bool ready(void *context, struct hvk_channel *channel)
{
	struct storvsc_queue *queue = context;
	struct hvk_storvsc *controller = queue->controller;
	hvk_status status = HVK_OK;

	(void)channel;
	hvk_lock(controller->hvk, &controller->lock);
	queue->stalled = false;
	hvk_unlock(controller->hvk, &controller->lock);
	for (uint32_t i = 0; status == HVK_OK && i < HVK_STORVSC_BUDGET; i++)
		status = receive_one(queue);
	if (status != HVK_OK && status != HVK_EEMPTY)
		hvk_storvsc_set_lost(controller, status);
	if (taken_back(queue))
		return false;
	if (storvsc_queue_is_open(queue))
		hvk_storvsc_pump(queue);
	if (queue->index == 0 && (__atomic_load_n(&controller->room_wanted, __ATOMIC_SEQ_CST) ||
				  __atomic_load_n(&controller->reset.room_wanted, __ATOMIC_SEQ_CST)))
		hvk_storvsc_kick(controller);
	hvk_storvsc_tell_ready(controller);
	return status == HVK_OK;
}

/* --- Life -------------------------------------------------------------------------------------- */

hvk_status hvk_storvsc_queue_init(struct hvk_storvsc *controller, uint32_t index)
{
	struct storvsc_queue *queue = &controller->queues[index];

	queue->controller = controller;
	queue->index = index;
	return hvk_lock_init(controller->hvk, &queue->lock);
}

void hvk_storvsc_queue_start(struct storvsc_queue *queue, struct hvk_channel *channel, uint32_t cpu,
			     struct hvk_request *request)
{
	const struct hvk_storvsc_config *own = &queue->controller->config;
	const struct hvk_channel_config config = {
		.cpu = cpu,
		.tx_pages = own->ring_pages,
		.rx_pages = own->ring_pages,
		/* commands, a step, a reset, and those of them that have timed out */
		.requests_max = (uint16_t)(own->queue_depth + HVK_STORVSC_RESERVED + 8),
		.ready = ready,
		.context = queue,
	};

	queue->channel = channel;
	queue->stalled = false;
	__atomic_store_n(&queue->lost, false, __ATOMIC_RELEASE);
	hvk_channel_open(channel, &config, request);
}

static void set_open(struct storvsc_queue *queue, bool open)
{
	hvk_lock(queue->controller->hvk, &queue->lock);
	__atomic_store_n(&queue->open, open, __ATOMIC_RELEASE);
	hvk_unlock(queue->controller->hvk, &queue->lock);
	divide(queue->controller);
}

void hvk_storvsc_queue_opened(struct storvsc_queue *queue)
{
	set_open(queue, true);
}

void hvk_storvsc_queue_quiet(struct storvsc_queue *queue)
{
	set_open(queue, false);
}

static void move_jobs(struct storvsc_queue *from, struct storvsc_queue *to)
{
	struct storvsc_job *job;

	while ((job = hvk_storvsc_jobs_take(&from->waiting)) != NULL) { /* ends: as many as there are jobs */
		job->queue = to;
		hvk_storvsc_jobs_append(&to->waiting, job);
		job->queued = true;
	}
}

/* What becomes of a command whose channel is no more: HVK_OK, it goes by another. Raw ones are not done
 * twice, and nothing is where the host may still use the memory. Under lock. */
static hvk_status fate(const struct storvsc_command *command, hvk_status closed)
{
	const struct hvk_storvsc *controller = command->queue->controller;

	if (closed == HVK_ETIMEDOUT_TEARDOWN && command->state == STORVSC_FLYING)
		return closed;
	if (command->late)
		return HVK_ETIMEDOUT_REQUEST;
	if (!controller->taking)
		return controller->lost == HVK_OK ? HVK_ECANCELED : HVK_EGONE;
	return command->state == STORVSC_UNSENT || !command->job || command->job->block ? HVK_OK : HVK_EGONE;
}

/* Under lock: other CPUs go on with the commands of other queues. */
static hvk_status move_command(struct storvsc_command *command, struct storvsc_queue *from,
			       struct storvsc_queue *to, hvk_status closed)
{
	hvk_status status;

	if (command->queue != from || command->state == STORVSC_FREE || command->state == STORVSC_ANSWERED)
		return HVK_OK;
	command->queue = to;
	if (command->state == STORVSC_DELAYED)
		return HVK_OK;
	status = fate(command, closed);
	to->controller->flying -= command->state == STORVSC_FLYING;
	if (status == HVK_OK)
		hvk_storvsc_unsent_put(to, command, false);
	else
		command->state = STORVSC_ANSWERED;
	return status;
}

void hvk_storvsc_queue_closed(struct storvsc_queue *queue, hvk_status status)
{
	struct hvk_storvsc *controller = queue->controller;
	struct storvsc_queue *primary = storvsc_primary(controller);

	controller->lost_queues += storvsc_queue_is_lost(queue);
	hvk_lock(controller->hvk, &controller->lock);
	queue->unsent = (struct storvsc_commands){NULL, NULL};
	move_jobs(queue, primary);
	hvk_unlock(controller->hvk, &controller->lock);
	for (uint32_t i = 0; i < controller->command_count; i++) {
		struct storvsc_command *command = &controller->commands[i];
		hvk_status fails;

		hvk_lock(controller->hvk, &controller->lock);
		fails = move_command(command, queue, primary, status);
		hvk_unlock(controller->hvk, &controller->lock);
		if (fails != HVK_OK)
			hvk_storvsc_command_fail(command, fails);
	}
	hvk_storvsc_pump(primary);
}
