/* SPDX-License-Identifier: MIT */
/* What a unit says of itself and of its neighbours. */
#include "command.h"

#define LUNS_HEADER 8u
#define LUNS_ALLOCATION_MIN 16u
#define LUN_SIZE 8u
#define LUNS_MAX 64u
#define SELECT_WELL_KNOWN 1u
#define SELECT_ALL 2u
#define PROVISIONING_THIN 0x80u
#define PROVISIONING_ZEROS 0x40u

void scsi_test_unit_ready(struct scsi_unit *unit, struct scsi_command *command)
{
	(void)unit;
	(void)command;
}

/* A unit attention that waits is told here as well, and is gone then. */
void scsi_request_sense(struct scsi_unit *unit, struct scsi_command *command)
{
	uint16_t code = scsi_take_attention(unit);
	struct scsi_sense sense;

	scsi_fill_sense(&sense, code != 0 ? SCSI_SENSE_UNIT_ATTENTION : SCSI_SENSE_NO_SENSE, code);
	scsi_answer(command, &sense, sizeof sense, command->cdb[4]);
}

void scsi_read_capacity_10(struct scsi_unit *unit, struct scsi_command *command)
{
	uint64_t last = unit->blocks - 1;
	struct scsi_read_capacity_10 data;

	scsi_put32(data.last_lba, last > UINT32_MAX ? UINT32_MAX : (uint32_t)last);
	scsi_put32(data.block_size, unit->block_size);
	scsi_answer(command, &data, sizeof data, sizeof data);
}

void scsi_read_capacity_16(struct scsi_unit *unit, struct scsi_command *command)
{
	struct scsi_read_capacity_16 data = {0};

	scsi_put64(data.last_lba, unit->blocks - 1);
	scsi_put32(data.block_size, unit->block_size);
	for (uint32_t size = unit->block_size; size < unit->physical_block_size; size *= 2)
		data.physical_exponent++;
	if (unit->unmaps)
		data.provisioning_align[0] = PROVISIONING_THIN | PROVISIONING_ZEROS;
	scsi_answer(command, &data, sizeof data, scsi_get32(command->cdb + 10));
}

void scsi_luns_answer(struct scsi_command *command)
{
	uint8_t data[LUNS_HEADER + LUNS_MAX * LUN_SIZE] = {0};
	uint32_t length = LUNS_HEADER, allocated = scsi_get32(command->cdb + 6);

	if (command->cdb[2] > SELECT_ALL || allocated < LUNS_ALLOCATION_MIN) {
		scsi_bad_field(command, command->cdb[2] > SELECT_ALL ? 2 : 6);
		return;
	}
	for (uint32_t lun = 0; lun < LUNS_MAX && command->cdb[2] != SELECT_WELL_KNOWN; lun++) {
		if ((command->luns >> lun & 1) == 0)
			continue;
		data[length + 1] = (uint8_t)lun; /* peripheral device addressing */
		length += LUN_SIZE;
	}
	scsi_put32(data, length - LUNS_HEADER);
	scsi_answer(command, data, length, allocated);
}

/* Whoever has the list need not be told that it has changed. */
void scsi_report_luns(struct scsi_unit *unit, struct scsi_command *command)
{
	scsi_luns_answer(command);
	if (command->status != SCSI_STATUS_GOOD || command->outcome != SCSI_DONE)
		return;
	for (uint32_t n = 0; n < unit->attention_count; n++) {
		if (unit->attentions[n] != SCSI_ASC_REPORTED_LUNS_CHANGED)
			continue;
		unit->attention_count--;
		memmove(unit->attentions + n, unit->attentions + n + 1,
			(unit->attention_count - n) * sizeof unit->attentions[0]);
		return;
	}
}
