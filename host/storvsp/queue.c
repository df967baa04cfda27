/* SPDX-License-Identifier: MIT */
/*
 * Requests that a channel has: run when they are due, answered when there is room. Memory is read and
 * written when a request is run and not when it comes, so that a guest that uses it for something else
 * before it has its answer will see.
 */
#include <stdlib.h>
#include <string.h>

#include "storvsp.h"

/* Those of the fault; the trouble's own have its limit. */
#define LATE_MAX (5u * HVH_TIME_PER_MS)

struct storvsp_queue *storvsp_queue_get(struct hvh_storage *storage, uint32_t index)
{
	struct storvsp_queue *queue;

	if (index >= STORVSP_QUEUES_MAX)
		return NULL;
	if (storage->queues[index] != NULL)
		return storage->queues[index];
	queue = calloc(1, sizeof *queue);
	if (queue == NULL)
		return NULL;
	queue->pfns = calloc((size_t)STORVSP_REQUESTS_MAX * storage->pages_max, sizeof *queue->pfns);
	if (queue->pfns == NULL) {
		free(queue);
		return NULL;
	}
	for (uint32_t n = 0; n < STORVSP_REQUESTS_MAX; n++)
		queue->requests[n].range.pfns = queue->pfns + (size_t)n * storage->pages_max;
	queue->storage = storage;
	queue->index = index;
	queue->rescind_at = HVH_NEVER;
	storage->queues[index] = queue;
	return queue;
}

void storvsp_queue_destroy(struct storvsp_queue *queue)
{
	if (queue != NULL)
		free(queue->pfns);
	free(queue);
}

static void forget_requests(struct storvsp_queue *queue)
{
	for (uint32_t n = 0; n < queue->active_count; n++) {
		const struct storvsp_request *request = &queue->requests[queue->active[n]];

		if (request->waits && request->ordered)
			queue->storage->ordered_waiting--;
	}
	queue->active_count = 0;
	queue->free_count = STORVSP_REQUESTS_MAX;
	for (uint32_t n = 0; n < STORVSP_REQUESTS_MAX; n++)
		queue->free[n] = (uint16_t)(STORVSP_REQUESTS_MAX - 1 - n);
}

void storvsp_queue_open(struct storvsp_queue *queue, struct hvh_channel *channel)
{
	queue->channel = channel;
	queue->open = true;
	queue->stopped = false;
	queue->blocked = false;
	queue->rescind_at = HVH_NEVER;
	forget_requests(queue);
}

/* Requests that are ordered may have waited for what has ended. */
static void kick_all(const struct hvh_storage *storage)
{
	for (uint32_t n = 0; n < STORVSP_QUEUES_MAX; n++)
		if (storvsp_queue_is_open(storage, n))
			hvh_channel_kick(storage->queues[n]->channel);
}

/* What it had is neither done nor answered: nobody waits for it, and its memory is the guest's. */
void storvsp_queue_close(struct storvsp_queue *queue)
{
	bool others = queue->storage->ordered_waiting > 0;

	queue->open = false;
	queue->rescind_at = HVH_NEVER;
	forget_requests(queue);
	if (others)
		kick_all(queue->storage);
}

bool storvsp_queue_is_open(const struct hvh_storage *storage, uint32_t index)
{
	return index < STORVSP_QUEUES_MAX && storage->queues[index] != NULL && storage->queues[index]->open;
}

/* Its requests end with it, and hold nobody up. */
void storvsp_stop(struct storvsp_queue *queue)
{
	queue->stopped = true;
	if (queue->storage->ordered_waiting > 0)
		kick_all(queue->storage);
}

/* --- Requests -------------------------------------------------------------------------- */

/* An id that has no answer yet: the guest could not tell the two apart. */
static void check_id(struct storvsp_queue *queue, const struct hvh_packet *packet)
{
	uint64_t id = packet->descriptor.transaction_id;

	if (!hvh_partition_deterministic(queue->storage->partition))
		return;
	for (uint32_t n = 0; n < queue->active_count; n++) {
		if (queue->requests[queue->active[n]].transaction_id != id)
			continue;
		STORVSP_VIOLATE(queue, HVH_V_VSTOR_VALUE, packet->payload, packet->payload_length,
				"storage: transaction %#llx has no answer yet, and another has its id",
				(unsigned long long)id);
		return;
	}
}

struct storvsp_request *storvsp_request_new(struct storvsp_queue *queue, const struct hvh_packet *packet)
{
	struct hvh_storage *storage = queue->storage;
	uint16_t index = queue->free[--queue->free_count];
	struct storvsp_request *request = &queue->requests[index];
	uint64_t *pfns = request->range.pfns;

	check_id(queue, packet);
	memset(request, 0, sizeof *request);
	request->range.pfns = pfns;
	request->due = storage->now;
	request->transaction_id = packet->descriptor.transaction_id;
	request->sequence = storage->sequence++;
	request->sent = packet->payload_length - STORVSP_HEADER;
	if (request->sent > sizeof(struct vstor_request))
		request->sent = sizeof(struct vstor_request);
	if (hvh_fault_strikes(storage->partition, HVH_FAULT_DELAY_COMPLETION)) {
		request->due += 1 + hvh_choose(storage->partition, LATE_MAX);
		storage->counters.delayed++;
	}
	queue->active[queue->active_count++] = index;
	return request;
}

void storvsp_request_done(struct storvsp_request *request, uint32_t status, const void *payload,
			  uint32_t length)
{
	request->waits = false;
	request->header = (struct vstor_header){.operation = VSTOR_OPERATION_COMPLETE_IO, .status = status};
	memset(request->payload, 0, sizeof request->payload);
	if (length > 0)
		memcpy(request->payload, payload, length);
	request->payload_length = length;
}

void storvsp_answer(struct storvsp_queue *queue, const struct hvh_packet *packet, uint32_t status,
		    const void *payload, uint32_t length)
{
	storvsp_request_done(storvsp_request_new(queue, packet), status, payload, length);
}

uint32_t storvsp_payload_size(const struct hvh_storage *storage)
{
	return storage->version >= VSTOR_VERSION_5_1 ? (uint32_t)sizeof(struct vstor_request)
						     : VSTOR_REQUEST_SIZE_OLD;
}

/* --- Running ------------------------------------------------------------------------------ */

static bool same_unit(const struct vstor_request *one, const struct vstor_request *other)
{
	return one->target == other->target && one->lun == other->lun && one->path == other->path;
}

/* Does one of these hold it up? Those that have no answer do not: they would for ever. */
static bool held_up_in(const struct storvsp_queue *queue, const struct storvsp_request *request)
{
	for (uint32_t n = 0; n < queue->active_count; n++) {
		const struct storvsp_request *other = &queue->requests[queue->active[n]];

		if (other->waits && other->due != HVH_NEVER && other->sequence < request->sequence &&
		    (other->ordered || request->ordered) && same_unit(&other->srb, &request->srb))
			return true;
	}
	return false;
}

static bool held_up(const struct hvh_storage *storage, const struct storvsp_request *request)
{
	if (storage->ordered_waiting == 0 || request->first)
		return false;
	for (uint32_t n = 0; n < STORVSP_QUEUES_MAX; n++)
		if (storvsp_queue_is_open(storage, n) && !storage->queues[n]->stopped &&
		    held_up_in(storage->queues[n], request))
			return true;
	return false;
}

static uint64_t run_one(struct storvsp_queue *queue, struct storvsp_request *request)
{
	struct hvh_storage *storage = queue->storage;
	bool others = storage->ordered_waiting > 0;
	uint64_t bytes = storvsp_run(queue, request);

	if (request->ordered)
		storage->ordered_waiting--;
	if (others)
		kick_all(storage);
	return bytes;
}

static uint32_t answer_length(const struct hvh_storage *storage, const struct storvsp_request *request)
{
	if (hvh_partition_get_profile(storage->partition)->vstor_completions == HVH_COMPLETIONS_EXACT)
		return request->sent;
	return request->payload_length < request->sent ? request->payload_length : request->sent;
}

static bool send_answer(struct storvsp_queue *queue, const struct storvsp_request *request)
{
	uint8_t bytes[sizeof(struct vstor_header) + sizeof request->payload];

	if (queue->blocked)
		return false;
	memcpy(bytes, &request->header, STORVSP_HEADER);
	memcpy(bytes + STORVSP_HEADER, request->payload, sizeof request->payload);
	queue->blocked = !hvh_channel_write(queue->channel, queue->storage->now, VMBUS_PACKET_COMPLETION,
					    false, request->transaction_id, NULL, 0, bytes,
					    STORVSP_HEADER + answer_length(queue->storage, request), NULL, 0);
	return !queue->blocked;
}

static bool still_held(struct storvsp_queue *queue, struct storvsp_request *request)
{
	if (request->held &&
	    (queue->storage->now >= request->held_until || hvh_channel_offers_delivered(queue->channel)))
		request->held = false;
	return request->held;
}

/* One step of one request; false: it stays. */
static bool advance(struct storvsp_queue *queue, struct storvsp_request *request, uint64_t *budget)
{
	if (request->due > queue->storage->now || still_held(queue, request))
		return false;
	if (request->waits) {
		uint64_t moved;

		if (*budget == 0 || held_up(queue->storage, request))
			return false;
		moved = run_one(queue, request);
		*budget = moved < *budget ? *budget - moved : 0;
	}
	return send_answer(queue, request);
}

bool storvsp_queue_run(struct storvsp_queue *queue)
{
	uint64_t budget = STORVSP_BYTES_PER_RUN;
	uint32_t kept = 0;

	for (uint32_t n = 0; n < queue->active_count; n++) {
		uint16_t index = queue->active[n];

		if (advance(queue, &queue->requests[index], &budget))
			queue->free[queue->free_count++] = index;
		else
			queue->active[kept++] = index;
	}
	queue->active_count = kept;
	return budget == 0;
}

uint64_t storvsp_queue_next(const struct storvsp_queue *queue)
{
	uint64_t next = HVH_NEVER;

	for (uint32_t n = 0; n < queue->active_count; n++) {
		const struct storvsp_request *request = &queue->requests[queue->active[n]];
		uint64_t due = request->held && request->held_until > request->due ? request->held_until
										   : request->due;

		/* What is due and held up by another is kicked by that one. */
		if (due < next &&
		    !(request->waits && due <= queue->storage->now && held_up(queue->storage, request)))
			next = due;
	}
	return next;
}
