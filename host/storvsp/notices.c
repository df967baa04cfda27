/* SPDX-License-Identifier: MIT */
/* What a controller says by itself: that its units are others now. From 4.2 (OpenVMM). */
#include <string.h>

#include "storvsp.h"

void storvsp_notify(struct hvh_storage *storage, uint32_t operation, uint8_t target, uint8_t lun)
{
	/* Who is not ready will look anyway. */
	if (storage->state != STORVSP_READY || storage->version < VSTOR_VERSION_4_2)
		return;
	/* Too many to be told one by one: look at all of them. */
	if (storage->notice_count == STORVSP_NOTICES_MAX) {
		storage->notices[STORVSP_NOTICES_MAX - 1].operation = VSTOR_OPERATION_ENUMERATE_BUS;
		return;
	}
	for (uint32_t n = 0; n < storage->notice_count; n++)
		if (operation == VSTOR_OPERATION_ENUMERATE_BUS && storage->notices[n].operation == operation)
			return;
	storage->notices[storage->notice_count++] = (struct storvsp_notice){operation, target, lun};
	hvh_channel_kick(storage->channel);
}

static bool send(struct storvsp_queue *queue, const struct storvsp_notice *notice)
{
	struct hvh_storage *storage = queue->storage;
	struct vstor_header header = {.operation = notice->operation};
	struct vstor_request srb = {0};
	uint8_t bytes[sizeof header + sizeof srb];

	if (notice->operation == VSTOR_OPERATION_REMOVE_DEVICE) {
		srb.target = notice->target;
		srb.lun = notice->lun;
	}
	memcpy(bytes, &header, sizeof header);
	memcpy(bytes + sizeof header, &srb, sizeof srb);
	queue->blocked = !hvh_channel_write(queue->channel, storage->now, VMBUS_PACKET_IN_BAND, false, 0,
					    NULL, 0, bytes, STORVSP_HEADER + storvsp_payload_size(storage),
					    NULL, 0);
	return !queue->blocked;
}

void storvsp_notices_run(struct hvh_storage *storage)
{
	struct storvsp_queue *queue = storage->queues[0];

	while (storage->notice_count > 0 && !queue->blocked) {
		if (!send(queue, &storage->notices[0]))
			return;
		storage->counters.notices++;
		storage->notice_count--;
		memmove(storage->notices, storage->notices + 1,
			storage->notice_count * sizeof storage->notices[0]);
	}
}
