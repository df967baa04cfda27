/* SPDX-License-Identifier: MIT */
/* What a command answers: data, or sense in the fixed format. */
#include "command.h"

#define SENSE_VALID 0x80u
#define ADDITIONAL_LENGTH 10u /* bytes behind that field */
#define FIELD_POINTER_VALID 0x80u
#define FIELD_IN_CDB 0x40u

void scsi_fill_sense(struct scsi_sense *sense, uint8_t key, uint16_t code)
{
	memset(sense, 0, sizeof *sense);
	sense->response = SCSI_SENSE_RESPONSE_FIXED;
	sense->key = key;
	sense->additional_length = ADDITIONAL_LENGTH;
	sense->code = (uint8_t)(code >> 8);
	sense->qualifier = (uint8_t)code;
}

void scsi_check(struct scsi_command *command, uint8_t key, uint16_t code)
{
	command->outcome = SCSI_DONE;
	command->status = SCSI_STATUS_CHECK_CONDITION;
	command->sense_length = sizeof command->sense;
	scsi_fill_sense(&command->sense, key, code);
}

void scsi_bad_field(struct scsi_command *command, uint32_t byte)
{
	scsi_check(command, SCSI_SENSE_ILLEGAL_REQUEST, SCSI_ASC_INVALID_FIELD_IN_CDB);
	command->sense.key_specific[0] = FIELD_POINTER_VALID | FIELD_IN_CDB;
	scsi_put16(command->sense.key_specific + 1, byte);
}

void scsi_bad_parameter(struct scsi_command *command, uint32_t byte)
{
	scsi_check(command, SCSI_SENSE_ILLEGAL_REQUEST, SCSI_ASC_INVALID_FIELD_IN_PARAMETERS);
	command->sense.key_specific[0] = FIELD_POINTER_VALID;
	scsi_put16(command->sense.key_specific + 1, byte);
}

/* The information field has 32 bits: of a block beyond them the fixed format tells nothing. */
void scsi_bad_block(struct scsi_command *command, uint16_t code, uint64_t lba)
{
	scsi_check(command, SCSI_SENSE_MEDIUM_ERROR, code);
	if (lba > UINT32_MAX)
		return;
	command->sense.response |= SENSE_VALID;
	scsi_put32(command->sense.information, (uint32_t)lba);
}

bool scsi_take(struct scsi_command *command, uint32_t offset, void *to, uint32_t length)
{
	if (length == 0)
		return true;
	if (offset > command->length || length > command->length - offset)
		command->outcome = SCSI_OVERRUN;
	else if (command->get == NULL || !command->get(command->context, offset, to, length))
		command->outcome = SCSI_BAD_MEMORY;
	return command->outcome == SCSI_DONE;
}

bool scsi_give(struct scsi_command *command, uint32_t offset, const void *from, uint32_t length)
{
	if (length == 0)
		return true;
	if (offset > command->length || length > command->length - offset)
		command->outcome = SCSI_OVERRUN;
	else if (command->put == NULL || !command->put(command->context, offset, from, length))
		command->outcome = SCSI_BAD_MEMORY;
	return command->outcome == SCSI_DONE;
}

void scsi_answer(struct scsi_command *command, const void *data, uint32_t length, uint32_t allocated)
{
	uint32_t part = length < allocated ? length : allocated;

	if (scsi_give(command, 0, data, part))
		command->transferred = part;
}
