/* SPDX-License-Identifier: MIT */
/* REPORT SUPPORTED OPERATION CODES, out of the rules. */
#include "command.h"

#define COMMANDS_MAX 64u
#define COMMAND_SIZE 8u
#define TIMEOUTS_SIZE 12u
#define HEADER 4u
#define OPTION_ALL 0u
#define OPTION_OPCODE 1u
#define OPTION_SERVICE 2u
#define OPTION_EITHER 3u
#define CDB_TIMEOUTS 0x80u
#define SUPPORTED 3u
#define NOT_SUPPORTED 1u
#define TIMEOUTS_FOLLOW 0x80u

/* None of them is told: 0. */
static uint32_t put_timeouts(uint8_t *at)
{
	memset(at, 0, TIMEOUTS_SIZE);
	scsi_put16(at, TIMEOUTS_SIZE - 2);
	return TIMEOUTS_SIZE;
}

static void all(const struct scsi_unit *unit, struct scsi_command *command, uint32_t allocated)
{
	uint8_t data[HEADER + COMMANDS_MAX * (COMMAND_SIZE + TIMEOUTS_SIZE)] = {0};
	bool timeouts = (command->cdb[2] & CDB_TIMEOUTS) != 0;
	const struct scsi_rule *rule;
	uint32_t length = HEADER;

	for (uint32_t n = 0; n < COMMANDS_MAX && (rule = scsi_rule_get(unit, n)) != NULL; n++) {
		bool service = rule->service_action != RULE_NO_SERVICE_ACTION;

		if (!scsi_rule_holds(unit, rule))
			continue;
		data[length] = rule->opcode;
		if (service)
			scsi_put16(data + length + 2, rule->service_action);
		data[length + 5] = (uint8_t)((service ? 1 : 0) | (timeouts ? 2 : 0));
		scsi_put16(data + length + 6, rule->length);
		length += COMMAND_SIZE;
		if (timeouts)
			length += put_timeouts(data + length);
	}
	scsi_put32(data, length - HEADER);
	scsi_answer(command, data, length, allocated);
}

static const struct scsi_rule *find(const struct scsi_unit *unit, const uint8_t *wanted, bool *known)
{
	const uint8_t cdb[2] = {wanted[3], (uint8_t)(scsi_get16(wanted + 4) & 0x1f)};
	const struct scsi_rule *rule = scsi_rule_find(unit, cdb, known);

	if (rule != NULL && rule->service_action != RULE_NO_SERVICE_ACTION &&
	    rule->service_action != scsi_get16(wanted + 4))
		return NULL;
	return rule;
}

/* Is it one that is told by service actions too? */
static bool has_services(const struct scsi_unit *unit, uint8_t opcode)
{
	const struct scsi_rule *rule;

	for (uint32_t n = 0; (rule = scsi_rule_get(unit, n)) != NULL; n++)
		if (rule->opcode == opcode && rule->service_action != RULE_NO_SERVICE_ACTION)
			return true;
	return false;
}

static void one(const struct scsi_unit *unit, struct scsi_command *command, uint32_t allocated)
{
	uint8_t data[HEADER + SCSI_CDB_MAX + TIMEOUTS_SIZE] = {0}, option = command->cdb[2] & 7;
	bool known, timeouts = (command->cdb[2] & CDB_TIMEOUTS) != 0;
	const struct scsi_rule *rule = find(unit, command->cdb, &known);
	bool services = has_services(unit, command->cdb[3]);
	uint32_t length = HEADER;

	/* The wrong question of an operation code with, or without, service actions. */
	if (known && ((option == OPTION_OPCODE && services) || (option == OPTION_SERVICE && !services))) {
		scsi_bad_field(command, 2);
		return;
	}
	data[1] = NOT_SUPPORTED;
	if (rule != NULL) {
		data[1] = (uint8_t)(SUPPORTED | (timeouts ? TIMEOUTS_FOLLOW : 0));
		scsi_put16(data + 2, rule->length);
		memcpy(data + HEADER, rule->usage, rule->length);
		if (services) /* its bits are told as the service action itself */
			data[HEADER + 1] = (uint8_t)((data[HEADER + 1] & ~0x1fu) | rule->service_action);
		length += rule->length;
		if (timeouts)
			length += put_timeouts(data + length);
	}
	scsi_answer(command, data, length, allocated);
}

void scsi_report_opcodes(struct scsi_unit *unit, struct scsi_command *command)
{
	uint32_t option = command->cdb[2] & 7u, allocated = scsi_get32(command->cdb + 6);

	if (option == OPTION_ALL)
		all(unit, command, allocated);
	else if (option <= OPTION_EITHER)
		one(unit, command, allocated);
	else
		scsi_bad_field(command, 2);
}
