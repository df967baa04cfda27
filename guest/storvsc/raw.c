/* SPDX-License-Identifier: MIT */
/* Raw commands: one each, as the caller made it, and never done twice. */
#include "guest/storvsc/storvsc_internal.h"

static uint32_t pages_of(uint32_t length)
{
	return (length + HVK_PAGE_SIZE - 1) / HVK_PAGE_SIZE;
}

/* Under lock: room for all of it, or none. */
static bool find_memory(struct storvsc_job *job, struct storvsc_command *command)
{
	const struct hvk_scsi_request *request = job->raw;
	const struct storvsc_place start = {0, 0};

	command->length = request->length;
	if (request->length == 0)
		return true;
	command->memory = STORVSC_DIRECT;
	if (hvk_storvsc_direct_run(request->pieces, request->piece_count, start, request->length) ==
	    request->length)
		return true;
	command->memory = STORVSC_BOUNCE;
	return hvk_storvsc_bounce_get(job->unit->controller, command, pages_of(request->length));
}

static uint8_t action_of(enum hvk_scsi_order order)
{
	switch (order) {
	case HVK_SCSI_ORDERED:
		return VSTOR_TAG_ORDERED;
	case HVK_SCSI_HEAD_OF_QUEUE:
		return VSTOR_TAG_HEAD_OF_QUEUE;
	case HVK_SCSI_SIMPLE:
		break;
	}
	return VSTOR_TAG_SIMPLE;
}

struct storvsc_command *hvk_storvsc_raw_cut(struct storvsc_job *job)
{
	struct hvk_storvsc *controller = job->unit->controller;
	struct storvsc_command *command = hvk_storvsc_command_get(controller, false);
	const struct hvk_scsi_request *request = job->raw;
	struct hvk_scsi_cdb cdb = {.length = request->cdb_length};

	if (!command)
		return NULL;
	if (!find_memory(job, command)) {
		if (!hvk_storvsc_bounce_can(controller, pages_of(request->length)))
			hvk_storvsc_job_refuse(job, HVK_ENOMEM);
		hvk_storvsc_command_put(controller, command);
		return NULL;
	}
	memcpy(cdb.bytes, request->cdb, request->cdb_length);
	hvk_storvsc_address(command, job, &cdb);
	job->left = 0;
	if (request->length != 0)
		command->srb.direction = (uint8_t)(request->direction == HVK_SCSI_OUT ? VSTOR_DATA_OUT
										      : VSTOR_DATA_IN);
	if (job->unit->tagged)
		command->srb.action = action_of(request->order);
	if (command->memory == STORVSC_BOUNCE)
		job->unit->counters.copied += command->length;
	return command;
}

/* The caller is told what was said, whatever became of it. */
void hvk_storvsc_raw_result(struct storvsc_command *command, hvk_status status)
{
	const struct hvk_vstor_result *result = &command->result;
	struct hvk_scsi_request *request = command->job->raw;

	/* Sense of a command that is said to have gone well is the caller's to read, too. */
	if (status == HVK_OK && result->scsi_status != SCSI_STATUS_GOOD)
		status = HVK_EIO;
	if (status == HVK_ENOMEDIUM || status == HVK_EREADONLY)
		status = HVK_EIO; /* the sense says it */
	request->srb_status = result->srb_status;
	request->scsi_status = result->scsi_status;
	request->sense_length = result->sense_length;
	memcpy(request->sense, result->sense, sizeof(request->sense));
	request->transferred = result->transferred;
	request->status = status;
}

static hvk_status check(const struct hvk_storvsc_unit *unit, const struct hvk_scsi_request *request)
{
	const struct storvsc_place start = {0, 0};
	uint64_t total = 0;

	if (!request->done || request->cdb_length < 6 || request->cdb_length > VSTOR_CDB_SIZE ||
	    (uint32_t)request->direction > HVK_SCSI_IN || (uint32_t)request->order > HVK_SCSI_HEAD_OF_QUEUE)
		return HVK_EINVAL;
	for (uint32_t i = 0; i < request->piece_count; i++)
		total += request->pieces[i].length;
	if (total != request->length || (request->length != 0) != (request->direction != HVK_SCSI_NONE))
		return HVK_EINVAL;
	if (request->length > unit->block.info.transfer_max)
		return HVK_ETOOBIG;
	if (hvk_storvsc_direct_run(request->pieces, request->piece_count, start, request->length) ==
	    request->length)
		return HVK_OK;
	if (hvk_storvsc_copy_run(request->pieces, request->piece_count, start, request->length) !=
	    request->length)
		return HVK_EINVAL;
	return request->length <= unit->controller->config.bounce_pages * HVK_PAGE_SIZE ? HVK_OK
											: HVK_ETOOBIG;
}

hvk_status hvk_storvsc_submit(struct hvk_storvsc_unit *unit, struct hvk_scsi_request *request)
{
	struct storvsc_job job = {
		.raw = request,
		.ordered = request->order == HVK_SCSI_ORDERED,
		.first = request->order == HVK_SCSI_HEAD_OF_QUEUE,
		.left = 1,
	};
	hvk_status status = check(unit, request);

	if (storvsc_unit_state(unit) != STORVSC_UNIT_READY)
		return HVK_EGONE;
	if (status != HVK_OK)
		return status;
	request->status = HVK_EINPROGRESS;
	request->srb_status = VSTOR_SRB_STATUS_PENDING;
	request->scsi_status = SCSI_STATUS_GOOD;
	request->sense_length = 0;
	request->transferred = 0;
	job.queue = hvk_storvsc_queue_for(unit->controller, 0);
	return hvk_storvsc_job_submit(unit, &job);
}
