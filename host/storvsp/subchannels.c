/* SPDX-License-Identifier: MIT */
/* More channels for the guest: operation 13, and the offers, in the bus's own order. */
#include <string.h>

#include "storvsp.h"

#define HELD_MAX (10 * HVH_TIME_PER_MS)
#define OFFER_LATE_MAX (500 * HVH_TIME_PER_MS)
#define RESCIND_MAX (1 * HVH_TIME_PER_SECOND)

uint32_t storvsp_subchannels_max(const struct hvh_storage *storage)
{
	if (storage->version < VSTOR_VERSION_5_1 || storage->class_ == HVH_STORAGE_IDE)
		return 0;
	return storage->queues_max - 1;
}

static void offer(struct hvh_storage *storage, uint32_t count, uint64_t due)
{
	struct hvh_partition *partition = storage->partition;
	uint32_t offered = count;

	if (count > 0 && hvh_fault_strikes(partition, HVH_FAULT_MISSING_SUBCHANNELS))
		offered = hvh_choose(partition, count);
	for (uint32_t n = 0; n < offered; n++) {
		uint64_t late = 0;

		if (hvh_fault_strikes(partition, HVH_FAULT_LATE_SUBCHANNELS))
			late = 1 + hvh_choose(partition, OFFER_LATE_MAX);
		hvh_channel_offer_subchannels(storage->channel, 1, due + late);
	}
}

static bool offers_first(const struct hvh_storage *storage)
{
	enum hvh_subchannel_order order = hvh_partition_get_profile(storage->partition)->subchannel_order;

	if (order == HVH_SUBCHANNELS_BY_SEED)
		return hvh_choose(storage->partition, 2) != 0;
	return order == HVH_SUBCHANNELS_BEFORE;
}

static void refuse_count(struct storvsp_queue *queue, const struct hvh_packet *packet, uint32_t count)
{
	uint32_t most = storvsp_subchannels_max(queue->storage);

	if (most == 0)
		STORVSP_VIOLATE(queue, HVH_V_VSTOR_VALUE, packet->payload, packet->payload_length,
				"CREATE_SUBCHANNELS: the properties have not offered any");
	else
		STORVSP_VIOLATE(queue, HVH_V_VSTOR_VALUE, packet->payload, packet->payload_length,
				"CREATE_SUBCHANNELS: %u; 1 to %u would be right", count, most);
}

/* How many there are to be, those that there are among them. */
void storvsp_create_subchannels(struct storvsp_queue *queue, const struct hvh_packet *packet)
{
	struct hvh_storage *storage = queue->storage;
	struct storvsp_request *request = storvsp_request_new(queue, packet);
	uint32_t status = VSTOR_STATUS_SUCCESS;
	uint16_t count;
	bool before;

	memcpy(&count, packet->payload + STORVSP_HEADER, sizeof count);
	for (uint32_t n = 1; n <= count && n <= storvsp_subchannels_max(storage); n++)
		if (storvsp_queue_get(storage, n) == NULL)
			status = VSTOR_STATUS_INVALID_PARAMETER;
	if (count == 0 || count > storvsp_subchannels_max(storage)) {
		refuse_count(queue, packet, count);
		status = VSTOR_STATUS_INVALID_PARAMETER;
	}
	storvsp_request_done(request, status, NULL, 0);
	if (status != VSTOR_STATUS_SUCCESS)
		return;
	storage->subchannels_asked = true;
	if (count <= storage->subchannels)
		return;
	before = offers_first(storage);
	request->held = before;
	request->held_until = storage->now + HELD_MAX;
	/* After: a whole run of the bus later, when the answer is in the ring. */
	offer(storage, count - storage->subchannels, before ? storage->now : storage->now + 1);
	storage->subchannels = count;
}

void storvsp_subchannel_opened(struct storvsp_queue *queue)
{
	struct hvh_partition *partition = queue->storage->partition;

	if (hvh_fault_strikes(partition, HVH_FAULT_RESCIND_SUBCHANNEL))
		queue->rescind_at = queue->storage->now + 1 + hvh_choose(partition, RESCIND_MAX);
}

void storvsp_subchannels_run(struct hvh_storage *storage)
{
	for (uint32_t n = 1; n <= storage->subchannels; n++)
		if (storvsp_queue_is_open(storage, n) && storage->queues[n]->rescind_at <= storage->now)
			hvh_channel_rescind(storage->queues[n]->channel, storage->now);
}

uint64_t storvsp_subchannels_next(const struct hvh_storage *storage)
{
	uint64_t next = HVH_NEVER;

	for (uint32_t n = 1; n <= storage->subchannels; n++)
		if (storvsp_queue_is_open(storage, n) && storage->queues[n]->rescind_at < next)
			next = storage->queues[n]->rescind_at;
	return next;
}
