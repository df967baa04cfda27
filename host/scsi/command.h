/* SPDX-License-Identifier: MIT */
/* What the commands share. Private to host/scsi/. */
#ifndef HVH_SCSI_COMMAND_H
#define HVH_SCSI_COMMAND_H

#include <string.h>

#include "scsi.h"

/* Flags of a rule. */
#define RULE_READY 1u             /* needs a medium that is there and turns */
#define RULE_IGNORES_ATTENTION 2u /* answers whatever has happened */
#define RULE_WRITES 4u            /* not on a medium that is write-protected */
#define RULE_UNMAPS 8u            /* of disks that can */
#define RULE_WRITES_SAME 16u      /* of disks that can */

#define RULE_NO_SERVICE_ACTION 0xffffu

struct scsi_rule {
	uint8_t opcode;
	uint16_t service_action;
	uint8_t length, flags;
	enum scsi_direction direction;
	void (*run)(struct scsi_unit *unit, struct scsi_command *command);
	uint8_t usage[SCSI_CDB_MAX]; /* bits that may be set; byte 0 is the opcode */
};

/* rules.c. The n-th command of its kind of unit; NULL past the last. */
const struct scsi_rule *scsi_rule_get(const struct scsi_unit *unit, uint32_t n);
/* Does this one have it? */
bool scsi_rule_holds(const struct scsi_unit *unit, const struct scsi_rule *rule);
/* NULL: there is none. *opcode_known: but others of that operation code. */
const struct scsi_rule *scsi_rule_find(const struct scsi_unit *unit, const uint8_t *cdb, bool *opcode_known);

/* --- result.c ------------------------------------------------------------------------------- */

void scsi_check(struct scsi_command *command, uint8_t key, uint16_t code);
/* ILLEGAL REQUEST: this byte of the CDB, or of the parameters. */
void scsi_bad_field(struct scsi_command *command, uint32_t byte);
void scsi_bad_parameter(struct scsi_command *command, uint32_t byte);
/* An error of the medium, at that block. */
void scsi_bad_block(struct scsi_command *command, uint16_t code, uint64_t lba);
/* The answer: as much of it as was asked for. */
void scsi_answer(struct scsi_command *command, const void *data, uint32_t length, uint32_t allocated);
/* Bytes to and from the buffer; false: they cannot be had, which has been said. */
bool scsi_take(struct scsi_command *command, uint32_t offset, void *to, uint32_t length);
bool scsi_give(struct scsi_command *command, uint32_t offset, const void *from, uint32_t length);
void scsi_fill_sense(struct scsi_sense *sense, uint8_t key, uint16_t code);

/* The oldest unit attention, which is gone then; 0: none. */
uint16_t scsi_take_attention(struct scsi_unit *unit);
/* What keeps it from reading: 0, or an additional sense code. */
uint16_t scsi_not_ready(const struct scsi_unit *unit);
/* Flushes; false if that failed, which has been said. */
bool scsi_flush(struct scsi_unit *unit, struct scsi_command *command);
/* ... these blocks, and perhaps others. */
bool scsi_flush_blocks(struct scsi_unit *unit, struct scsi_command *command, uint64_t lba, uint64_t count);
/* Standard data, of a unit or (NULL) of none. */
void scsi_inquiry_data(const struct scsi_unit *unit, struct scsi_inquiry *data);
void scsi_luns_answer(struct scsi_command *command);

static inline uint16_t scsi_get16(const uint8_t *at)
{
	return (uint16_t)(at[0] << 8 | at[1]);
}

static inline uint32_t scsi_get32(const uint8_t *at)
{
	return (uint32_t)scsi_get16(at) << 16 | scsi_get16(at + 2);
}

static inline uint64_t scsi_get64(const uint8_t *at)
{
	return (uint64_t)scsi_get32(at) << 32 | scsi_get32(at + 4);
}

static inline void scsi_put16(uint8_t *at, uint32_t value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
}

static inline void scsi_put32(uint8_t *at, uint32_t value)
{
	scsi_put16(at, value >> 16);
	scsi_put16(at + 2, value);
}

static inline void scsi_put64(uint8_t *at, uint64_t value)
{
	scsi_put32(at, (uint32_t)(value >> 32));
	scsi_put32(at + 4, (uint32_t)value);
}

/* --- The commands: each file's, as rules.c calls them ------------------------------------------ */

typedef void scsi_run(struct scsi_unit *unit, struct scsi_command *command);
scsi_run scsi_inquiry;
scsi_run scsi_mode_sense_6, scsi_mode_sense_10, scsi_mode_select_6, scsi_mode_select_10;
scsi_run scsi_test_unit_ready, scsi_request_sense, scsi_read_capacity_10, scsi_read_capacity_16;
scsi_run scsi_report_luns, scsi_report_opcodes;
scsi_run scsi_read, scsi_write, scsi_verify, scsi_synchronize_cache;
scsi_run scsi_unmap, scsi_write_same;
scsi_run scsi_start_stop, scsi_prevent_allow, scsi_event_status;
scsi_run scsi_read_toc, scsi_disc_information, scsi_track_information, scsi_get_configuration;

#endif
