/* SPDX-License-Identifier: MIT */
/*
 * What every command goes through. In the order of SAM: is there such a command, are its reserved
 * bits 0, has something happened that the guest must hear of first, can the unit do it now.
 */
#include "command.h"

static void begin(struct scsi_command *command)
{
	command->outcome = SCSI_DONE;
	command->status = SCSI_STATUS_GOOD;
	command->sense_length = 0;
	command->transferred = 0;
	memset(&command->sense, 0, sizeof command->sense);
	memset(&command->work, 0, sizeof command->work);
}

/* The first byte with a bit that nobody may set; 0: there is none. */
static uint32_t reserved_byte(const struct scsi_rule *rule, const struct scsi_command *command)
{
	for (uint32_t n = 1; n < rule->length; n++)
		if (n >= command->cdb_length || (command->cdb[n] & ~rule->usage[n]) != 0)
			return n;
	return 0;
}

static bool check_rule(const struct scsi_rule *rule, bool opcode_known, struct scsi_command *command)
{
	uint32_t byte;

	if (rule == NULL && opcode_known)
		scsi_bad_field(command, 1);
	else if (rule == NULL)
		scsi_check(command, SCSI_SENSE_ILLEGAL_REQUEST, SCSI_ASC_INVALID_OPERATION_CODE);
	else if ((byte = reserved_byte(rule, command)) != 0)
		scsi_bad_field(command, byte);
	else
		return true;
	return false;
}

static bool check_state(struct scsi_unit *unit, const struct scsi_rule *rule, struct scsi_command *command)
{
	uint16_t code = 0;

	if ((rule->flags & RULE_IGNORES_ATTENTION) == 0)
		code = scsi_take_attention(unit);
	if (code != 0) {
		scsi_check(command, SCSI_SENSE_UNIT_ATTENTION, code);
		return false;
	}
	if ((rule->flags & RULE_READY) != 0 && (code = scsi_not_ready(unit)) != 0) {
		scsi_check(command, SCSI_SENSE_NOT_READY, code);
		return false;
	}
	if ((rule->flags & RULE_WRITES) != 0 && (unit->read_only || unit->image.read_only)) {
		scsi_check(command, SCSI_SENSE_DATA_PROTECT, SCSI_ASC_WRITE_PROTECTED);
		return false;
	}
	return true;
}

void scsi_execute(struct scsi_unit *unit, struct scsi_command *command)
{
	bool opcode_known = false;
	const struct scsi_rule *rule = scsi_rule_find(unit, command->cdb, &opcode_known);

	begin(command);
	if (!check_rule(rule, opcode_known, command) || !check_state(unit, rule, command))
		return;
	rule->run(unit, command);
	if (command->outcome != SCSI_DONE)
		command->transferred = 0;
}

bool scsi_execute_absent(struct scsi_command *command, bool zeroed)
{
	struct scsi_inquiry data;

	begin(command);
	if (command->cdb[0] == SCSI_REPORT_LUNS && command->cdb_length >= 12) {
		scsi_luns_answer(command);
		return true;
	}
	if (command->cdb[0] != SCSI_INQUIRY || command->cdb_length < 6 || command->cdb[1] != 0)
		return false;
	scsi_inquiry_data(NULL, &data);
	if (zeroed) {
		data.version = 0;
		data.response_format = 0;
	}
	scsi_answer(command, &data, sizeof data, scsi_get16(command->cdb + 3));
	return true;
}

enum scsi_direction scsi_direction(const struct scsi_unit *unit, const uint8_t *cdb, enum scsi_direction told)
{
	bool opcode_known;
	const struct scsi_rule *rule = scsi_rule_find(unit, cdb, &opcode_known);

	return rule != NULL ? rule->direction : told;
}
