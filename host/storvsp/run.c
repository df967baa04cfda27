/* SPDX-License-Identifier: MIT */
/* A request is done: by its unit, by the trouble, or by the controller where there is no unit. */
#include <string.h>

#include "storvsp.h"

#define OF 1000u

struct buffer {
	struct hvh_partition *partition;
	const struct storvsp_range *range;
};

static bool get(void *context, uint32_t offset, void *to, uint32_t length)
{
	const struct buffer *buffer = context;

	return storvsp_range_copy(buffer->partition, buffer->range, offset, to, length, false);
}

static bool put(void *context, uint32_t offset, const void *from, uint32_t length)
{
	const struct buffer *buffer = context;

	return storvsp_range_copy(buffer->partition, buffer->range, offset, (void *)(uintptr_t)from, length,
				  true);
}

/* --- The answer --------------------------------------------------------------------------------- */

/* As OpenVMM's. */
static uint32_t nt_status(uint8_t srb_status)
{
	switch (srb_status & VSTOR_SRB_STATUS_MASK) {
	case VSTOR_SRB_STATUS_SUCCESS:
		return VSTOR_STATUS_SUCCESS;
	case VSTOR_SRB_STATUS_BUSY:
		return VSTOR_STATUS_DEVICE_BUSY;
	case VSTOR_SRB_STATUS_INVALID_LUN:
	case VSTOR_SRB_STATUS_NO_DEVICE:
		return VSTOR_STATUS_DEVICE_DOES_NOT_EXIST;
	case VSTOR_SRB_STATUS_DATA_OVERRUN:
		return VSTOR_STATUS_BUFFER_OVERFLOW;
	case VSTOR_SRB_STATUS_ABORTED:
		return VSTOR_STATUS_CANCELLED;
	default:
		return VSTOR_STATUS_IO_DEVICE_ERROR;
	}
}

static void answer(struct hvh_storage *storage, struct storvsp_request *request, uint8_t srb_status,
		   uint8_t scsi_status, uint32_t transferred, const struct scsi_sense *sense)
{
	struct vstor_request srb = request->srb;
	uint32_t room = srb.sense_length;

	if (srb_status != VSTOR_SRB_STATUS_SUCCESS)
		storage->counters.errors++;
	memset(srb.cdb_sense, 0, sizeof srb.cdb_sense);
	srb.srb_status = srb_status;
	srb.scsi_status = scsi_status;
	srb.data_length = transferred;
	if (sense != NULL && room > 0) {
		srb.sense_length = (uint8_t)(room < sizeof *sense ? room : sizeof *sense);
		memcpy(srb.cdb_sense, sense, srb.sense_length);
		srb.srb_status |= VSTOR_SRB_STATUS_AUTOSENSE_VALID;
	}
	storvsp_request_done(request, nt_status(srb_status), &srb, storvsp_payload_size(storage));
}

void storvsp_end(struct hvh_storage *storage, struct storvsp_request *request, uint8_t srb_status)
{
	answer(storage, request, srb_status, SCSI_STATUS_GOOD, 0, NULL);
}

static void answer_command(struct storvsp_queue *queue, struct storvsp_request *request,
			   const struct scsi_command *command)
{
	struct hvh_storage *storage = queue->storage;

	if (command->outcome == SCSI_OVERRUN) {
		storvsp_end(storage, request, VSTOR_SRB_STATUS_DATA_OVERRUN);
	} else if (command->outcome == SCSI_BAD_MEMORY) {
		STORVSP_VIOLATE(queue, HVH_V_MEMORY, request->srb.cdb_sense, sizeof request->srb.cdb_sense,
				"EXECUTE_SRB of command %#04x: a page of its list is not RAM",
				request->srb.cdb_sense[0]);
		storvsp_end(storage, request, VSTOR_SRB_STATUS_INVALID_REQUEST);
	} else if (command->status == SCSI_STATUS_GOOD) {
		answer(storage, request, VSTOR_SRB_STATUS_SUCCESS, SCSI_STATUS_GOOD, command->transferred,
		       NULL);
	} else {
		answer(storage, request, VSTOR_SRB_STATUS_ERROR, command->status, command->transferred,
		       &command->sense);
	}
}

/* --- Trouble -------------------------------------------------------------------------------------- */

static bool strikes(struct hvh_storage *storage, uint32_t chance)
{
	return chance > 0 && hvh_choose(storage->partition, OF) < chance;
}

/* BUSY, or that there are too many commands: not yet begun. */
static bool too_busy(struct hvh_storage *storage, struct storvsp_request *request)
{
	bool full;

	if (!strikes(storage, storage->trouble.busy))
		return false;
	storage->counters.busy++;
	full = hvh_choose(storage->partition, 2) != 0;
	answer(storage, request, full ? VSTOR_SRB_STATUS_ERROR : VSTOR_SRB_STATUS_BUSY,
	       full ? SCSI_STATUS_TASK_SET_FULL : SCSI_STATUS_BUSY, 0, NULL);
	return true;
}

static void unsettle(struct hvh_storage *storage, struct scsi_unit *unit)
{
	static const uint16_t codes[] = {SCSI_ASC_POWER_ON_OR_RESET, SCSI_ASC_MODE_PARAMETERS_CHANGED,
					 SCSI_ASC_REPORTED_LUNS_CHANGED, SCSI_ASC_INQUIRY_DATA_CHANGED};

	if (!strikes(storage, storage->trouble.unit_attentions))
		return;
	storage->counters.unit_attentions++;
	scsi_unit_attention(unit, codes[hvh_choose(storage->partition, sizeof codes / sizeof codes[0])]);
}

/* The block at which the medium fails. */
static uint32_t failing_block(struct hvh_storage *storage, const struct scsi_unit *unit, uint32_t length)
{
	if (!strikes(storage, storage->trouble.medium_errors))
		return SCSI_NO_FAILURE;
	return length < unit->block_size ? 0 : hvh_choose(storage->partition, length / unit->block_size);
}

/* --- The command --------------------------------------------------------------------------------------- */

static void count(struct hvh_storage *storage, const struct scsi_command *command)
{
	struct hvh_storage_counters *counters = &storage->counters;

	counters->reads += command->work.reads;
	counters->writes += command->work.writes;
	counters->flushes += command->work.flushes;
	counters->read_bytes += command->work.read_bytes;
	counters->write_bytes += command->work.write_bytes;
	if (command->status == SCSI_STATUS_CHECK_CONDITION && command->sense.key == SCSI_SENSE_MEDIUM_ERROR)
		counters->medium_errors++;
}

static void run_absent(struct storvsp_queue *queue, struct storvsp_request *request,
		       struct scsi_command *command)
{
	const struct hvh_profile *profile = hvh_partition_get_profile(queue->storage->partition);

	if (scsi_execute_absent(command, profile->absent_zeroed)) {
		answer_command(queue, request, command);
		return;
	}
	queue->storage->counters.absent++;
	answer(queue->storage, request, VSTOR_SRB_STATUS_INVALID_LUN,
	       profile->absent_check_condition ? SCSI_STATUS_CHECK_CONDITION : SCSI_STATUS_GOOD, 0, NULL);
}

/* What a unit claims and can is the host's habit. */
static void claim(const struct hvh_storage *storage, struct scsi_unit *unit)
{
	const struct hvh_profile *profile = hvh_partition_get_profile(storage->partition);

	if (unit->cdrom) {
		unit->version = profile->dvd_version_0 && storage->class_ == HVH_STORAGE_SCSI
					? 0
					: SCSI_VERSION_SPC3;
		return;
	}
	unit->version = profile->disk_spc2 ? SCSI_VERSION_SPC2 : SCSI_VERSION_SPC3;
	unit->unmaps = !profile->disk_without_unmap;
	unit->writes_same = !profile->disk_without_write_same;
}

uint64_t storvsp_run(struct storvsp_queue *queue, struct storvsp_request *request)
{
	struct hvh_storage *storage = queue->storage;
	struct buffer buffer = {storage->partition, &request->range};
	struct scsi_unit *unit = storvsp_unit(storage, &request->srb);
	struct scsi_command command = {
		.cdb = request->srb.cdb_sense,
		.cdb_length = request->srb.cdb_length,
		.length = request->range.length,
		.get = get,
		.put = put,
		.context = &buffer,
		.luns = storvsp_luns(storage, &request->srb),
		.fail_at = SCSI_NO_FAILURE,
	};

	if (unit == NULL) {
		run_absent(queue, request, &command);
		return command.transferred;
	}
	if (too_busy(storage, request))
		return 0;
	claim(storage, unit);
	unsettle(storage, unit);
	command.fail_at = failing_block(storage, unit, request->range.length);
	scsi_execute(unit, &command);
	count(storage, &command);
	answer_command(queue, request, &command);
	return command.work.write_bytes > command.transferred ? command.work.write_bytes
							      : command.transferred;
}
