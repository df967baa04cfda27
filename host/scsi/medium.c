/* SPDX-License-Identifier: MIT */
/* A medium that may come and go, and a disk that may stop. */
#include "command.h"

#define CDB_START 0x01u
#define CDB_LOAD_EJECT 0x02u
#define CDB_NO_FLUSH 0x04u
#define CDB_POLLED 0x01u
#define CLASS_MEDIA 4u
#define NO_EVENT_AVAILABLE 0x80u
#define STATUS_TRAY_OPEN 1u
#define STATUS_PRESENT 2u

/* What the guest ejects stays in the tray, until it is pulled in again or another is inserted. */
static void tray(struct scsi_unit *unit, struct scsi_command *command, bool in)
{
	if (!in && unit->removal_prevented) {
		scsi_check(command, SCSI_SENSE_ILLEGAL_REQUEST, SCSI_ASC_MEDIUM_REMOVAL_PREVENTED);
		return;
	}
	if (unit->tray_open == !in)
		return;
	unit->tray_open = !in;
	unit->stopped = false;
	if (in && unit->medium) {
		unit->event = SCSI_EVENT_NEW_MEDIUM;
		scsi_unit_attention(unit, SCSI_ASC_MEDIUM_MAY_HAVE_CHANGED);
	} else if (!in && unit->medium) {
		unit->event = SCSI_EVENT_REMOVAL;
	}
}

void scsi_start_stop(struct scsi_unit *unit, struct scsi_command *command)
{
	uint8_t wanted = command->cdb[4];
	bool start = (wanted & CDB_START) != 0;

	if ((wanted & CDB_LOAD_EJECT) != 0) {
		tray(unit, command, start);
		return;
	}
	if (start && unit->cdrom && scsi_not_ready(unit) != 0 && !unit->stopped) {
		scsi_check(command, SCSI_SENSE_NOT_READY, scsi_not_ready(unit));
		return;
	}
	if (!start && !unit->cdrom && (wanted & CDB_NO_FLUSH) == 0 && !scsi_flush(unit, command))
		return;
	unit->stopped = !start;
}

void scsi_prevent_allow(struct scsi_unit *unit, struct scsi_command *command)
{
	unit->removal_prevented = (command->cdb[4] & 1) != 0;
}

/* Polled: of media events there is one at most, and it is told once. */
void scsi_event_status(struct scsi_unit *unit, struct scsi_command *command)
{
	uint8_t data[8] = {0};

	if ((command->cdb[1] & CDB_POLLED) == 0) { /* would be told when it happens */
		scsi_bad_field(command, 1);
		return;
	}
	data[3] = 1u << CLASS_MEDIA;
	if ((command->cdb[4] & 1u << CLASS_MEDIA) == 0) {
		scsi_put16(data, 2);
		data[2] = NO_EVENT_AVAILABLE;
		scsi_answer(command, data, 4, scsi_get16(command->cdb + 7));
		return;
	}
	scsi_put16(data, 6);
	data[2] = CLASS_MEDIA;
	data[4] = (uint8_t)unit->event;
	data[5] = (uint8_t)((unit->tray_open ? STATUS_TRAY_OPEN : 0) |
			    (unit->medium && !unit->tray_open ? STATUS_PRESENT : 0));
	scsi_answer(command, data, sizeof data, scsi_get16(command->cdb + 7));
	if (command->transferred > 4)
		unit->event = SCSI_EVENT_NONE;
}
