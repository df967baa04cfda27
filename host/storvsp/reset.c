/* SPDX-License-Identifier: MIT */
/*
 * Resets of a unit, of the controller, of the bus: no-ops on OpenVMM. On Windows, as far as the model
 * goes, they end the requests in flight; that of the bus loses them, which is why nobody should ask
 * for it ("buggy": FreeBSD; how is our guess).
 */
#include <string.h>

#include "storvsp.h"

struct aim {
	bool all;
	struct vstor_request srb; /* unless all: the unit's address */
};

static bool is_aimed_at(const struct hvh_storage *storage, const struct aim *aim,
			const struct vstor_request *srb)
{
	return aim->all || (storvsp_unit(storage, srb) != NULL &&
			    storvsp_unit(storage, srb) == storvsp_unit(storage, &aim->srb));
}

static void strike(struct hvh_storage *storage, struct storvsp_request *request, enum hvh_storage_reset how)
{
	if (request->ordered)
		storage->ordered_waiting--;
	request->ordered = false;
	if (how == HVH_RESET_ABORTS) {
		storvsp_end(storage, request, VSTOR_SRB_STATUS_ABORTED);
		request->due = storage->now;
		return;
	}
	request->waits = false;
	request->due = HVH_NEVER;
	storage->counters.unanswered++;
}

static void strike_queue(struct storvsp_queue *queue, const struct aim *aim, enum hvh_storage_reset how)
{
	struct hvh_storage *storage = queue->storage;

	for (uint32_t n = 0; n < queue->active_count; n++) {
		struct storvsp_request *request = &queue->requests[queue->active[n]];

		if (request->waits && is_aimed_at(storage, aim, &request->srb))
			strike(storage, request, how);
	}
	hvh_channel_kick(queue->channel);
}

static void reset_units(struct hvh_storage *storage, const struct aim *aim)
{
	struct scsi_unit *unit = storvsp_unit(storage, &aim->srb);

	if (aim->all)
		storvsp_units_reset(storage);
	else if (unit != NULL)
		scsi_unit_reset(unit);
}

void storvsp_reset(struct storvsp_queue *queue, const struct hvh_packet *packet, uint32_t operation)
{
	struct hvh_storage *storage = queue->storage;
	const struct hvh_profile *profile = hvh_partition_get_profile(storage->partition);
	enum hvh_storage_reset how = operation == VSTOR_OPERATION_RESET_BUS ? profile->vstor_bus_reset
									    : profile->vstor_reset;
	struct aim aim = {.all = operation != VSTOR_OPERATION_RESET_LUN};
	uint32_t status = VSTOR_STATUS_SUCCESS;

	storage->counters.resets++;
	if (!aim.all) {
		memcpy(&aim.srb, packet->payload + STORVSP_HEADER, VSTOR_REQUEST_SIZE_OLD);
		if (storvsp_unit(storage, &aim.srb) == NULL)
			status = VSTOR_STATUS_DEVICE_DOES_NOT_EXIST;
	}
	if (how != HVH_RESET_NOTHING && status == VSTOR_STATUS_SUCCESS) {
		for (uint32_t n = 0; n < STORVSP_QUEUES_MAX; n++)
			if (storvsp_queue_is_open(storage, n))
				strike_queue(storage->queues[n], &aim, how);
		reset_units(storage, &aim);
	}
	storvsp_answer(queue, packet, status, NULL, 0);
}
