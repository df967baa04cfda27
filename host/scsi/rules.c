/* SPDX-License-Identifier: MIT */
/*
 * The commands there are, and for each bit of their CDBs whether it may be set: what REPORT SUPPORTED
 * OPERATION CODES shows as usage data, and what makes a set reserved bit an error.
 */
#include "command.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define FF4 0xff, 0xff, 0xff, 0xff
#define NONE RULE_NO_SERVICE_ACTION
#define ALWAYS RULE_IGNORES_ATTENTION

/* clang-format off */
#define COMMON \
	{SCSI_TEST_UNIT_READY, NONE, 6, RULE_READY, SCSI_NONE, scsi_test_unit_ready, {0x00}}, \
	{SCSI_REQUEST_SENSE, NONE, 6, ALWAYS, SCSI_IN, scsi_request_sense, {0x03, 0, 0, 0, 0xff}}, \
	{SCSI_INQUIRY, NONE, 6, ALWAYS, SCSI_IN, scsi_inquiry, {0x12, 0x01, 0xff, 0xff, 0xff}}, \
	{SCSI_MODE_SENSE_6, NONE, 6, 0, SCSI_IN, scsi_mode_sense_6, {0x1a, 0x08, 0xff, 0xff, 0xff}}, \
	{SCSI_MODE_SENSE_10, NONE, 10, 0, SCSI_IN, scsi_mode_sense_10, \
	 {0x5a, 0x18, 0xff, 0xff, 0, 0, 0, 0xff, 0xff}}, \
	{SCSI_REPORT_LUNS, NONE, 12, ALWAYS, SCSI_IN, scsi_report_luns, {0xa0, 0, 0xff, 0, 0, 0, FF4}}, \
	{SCSI_MAINTENANCE_IN, SCSI_SERVICE_REPORT_OPCODES, 12, 0, SCSI_IN, scsi_report_opcodes, \
	 {0xa3, 0x1f, 0x87, 0xff, 0xff, 0xff, FF4}}, \
	{SCSI_READ_10, NONE, 10, RULE_READY, SCSI_IN, scsi_read, {0x28, 0x18, FF4, 0, 0xff, 0xff}}, \
	{SCSI_READ_12, NONE, 12, RULE_READY, SCSI_IN, scsi_read, {0xa8, 0x18, FF4, FF4}}, \
	{SCSI_VERIFY_10, NONE, 10, RULE_READY, SCSI_OUT, scsi_verify, {0x2f, 0x12, FF4, 0, 0xff, 0xff}}

static const struct scsi_rule disk[] = {
	COMMON,
	{SCSI_READ_6, NONE, 6, RULE_READY, SCSI_IN, scsi_read, {0x08, 0x1f, 0xff, 0xff, 0xff}},
	{SCSI_WRITE_6, NONE, 6, RULE_READY | RULE_WRITES, SCSI_OUT, scsi_write,
	 {0x0a, 0x1f, 0xff, 0xff, 0xff}},
	{SCSI_MODE_SELECT_6, NONE, 6, 0, SCSI_OUT, scsi_mode_select_6, {0x15, 0x11, 0, 0, 0xff}},
	{SCSI_START_STOP_UNIT, NONE, 6, 0, SCSI_NONE, scsi_start_stop, {0x1b, 0x01, 0, 0, 0x05}},
	{SCSI_READ_CAPACITY_10, NONE, 10, RULE_READY, SCSI_IN, scsi_read_capacity_10, {0x25}},
	{SCSI_WRITE_10, NONE, 10, RULE_READY | RULE_WRITES, SCSI_OUT, scsi_write,
	 {0x2a, 0x18, FF4, 0, 0xff, 0xff}},
	{SCSI_SYNCHRONIZE_CACHE_10, NONE, 10, RULE_READY, SCSI_NONE, scsi_synchronize_cache,
	 {0x35, 0x02, FF4, 0, 0xff, 0xff}},
	{SCSI_WRITE_SAME_10, NONE, 10, RULE_READY | RULE_WRITES | RULE_WRITES_SAME, SCSI_OUT, scsi_write_same,
	 {0x41, 0x08, FF4, 0, 0xff, 0xff}},
	{SCSI_UNMAP, NONE, 10, RULE_READY | RULE_WRITES | RULE_UNMAPS, SCSI_OUT, scsi_unmap,
	 {0x42, 0, 0, 0, 0, 0, 0, 0xff, 0xff}},
	{SCSI_MODE_SELECT_10, NONE, 10, 0, SCSI_OUT, scsi_mode_select_10,
	 {0x55, 0x11, 0, 0, 0, 0, 0, 0xff, 0xff}},
	{SCSI_READ_16, NONE, 16, RULE_READY, SCSI_IN, scsi_read, {0x88, 0x18, FF4, FF4, FF4}},
	{SCSI_WRITE_16, NONE, 16, RULE_READY | RULE_WRITES, SCSI_OUT, scsi_write,
	 {0x8a, 0x18, FF4, FF4, FF4}},
	{SCSI_VERIFY_16, NONE, 16, RULE_READY, SCSI_OUT, scsi_verify, {0x8f, 0x12, FF4, FF4, FF4}},
	{SCSI_SYNCHRONIZE_CACHE_16, NONE, 16, RULE_READY, SCSI_NONE, scsi_synchronize_cache,
	 {0x91, 0x02, FF4, FF4, FF4}},
	{SCSI_WRITE_SAME_16, NONE, 16, RULE_READY | RULE_WRITES | RULE_WRITES_SAME, SCSI_OUT, scsi_write_same,
	 {0x93, 0x09, FF4, FF4, FF4}},
	{SCSI_SERVICE_ACTION_IN_16, SCSI_SERVICE_READ_CAPACITY_16, 16, RULE_READY, SCSI_IN,
	 scsi_read_capacity_16,
	 {0x9e, 0x1f, 0, 0, 0, 0, 0, 0, 0, 0, FF4}},
	{SCSI_WRITE_12, NONE, 12, RULE_READY | RULE_WRITES, SCSI_OUT, scsi_write, {0xaa, 0x18, FF4, FF4}},
};

static const struct scsi_rule cdrom[] = {
	COMMON,
	{SCSI_START_STOP_UNIT, NONE, 6, 0, SCSI_NONE, scsi_start_stop, {0x1b, 0x01, 0, 0, 0x03}},
	{SCSI_PREVENT_ALLOW_REMOVAL, NONE, 6, 0, SCSI_NONE, scsi_prevent_allow, {0x1e, 0, 0, 0, 0x01}},
	{SCSI_READ_CAPACITY_10, NONE, 10, RULE_READY, SCSI_IN, scsi_read_capacity_10, {0x25}},
	{SCSI_READ_TOC, NONE, 10, RULE_READY, SCSI_IN, scsi_read_toc,
	 {0x43, 0x02, 0x0f, 0, 0, 0, 0xff, 0xff, 0xff, 0xc0}},
	{SCSI_GET_CONFIGURATION, NONE, 10, ALWAYS, SCSI_IN, scsi_get_configuration,
	 {0x46, 0x03, 0xff, 0xff, 0, 0, 0, 0xff, 0xff}},
	{SCSI_GET_EVENT_STATUS, NONE, 10, ALWAYS, SCSI_IN, scsi_event_status,
	 {0x4a, 0x01, 0, 0, 0xff, 0, 0, 0xff, 0xff}},
	{SCSI_READ_DISC_INFORMATION, NONE, 10, RULE_READY, SCSI_IN, scsi_disc_information,
	 {0x51, 0x07, 0, 0, 0, 0, 0, 0xff, 0xff}},
	{SCSI_READ_TRACK_INFORMATION, NONE, 10, RULE_READY, SCSI_IN, scsi_track_information,
	 {0x52, 0x03, FF4, 0, 0xff, 0xff}},
};
/* clang-format on */

const struct scsi_rule *scsi_rule_get(const struct scsi_unit *unit, uint32_t n)
{
	if (unit->cdrom)
		return n < COUNT(cdrom) ? &cdrom[n] : NULL;
	return n < COUNT(disk) ? &disk[n] : NULL;
}

bool scsi_rule_holds(const struct scsi_unit *unit, const struct scsi_rule *rule)
{
	return ((rule->flags & RULE_UNMAPS) == 0 || unit->unmaps) &&
	       ((rule->flags & RULE_WRITES_SAME) == 0 || unit->writes_same);
}

const struct scsi_rule *scsi_rule_find(const struct scsi_unit *unit, const uint8_t *cdb, bool *opcode_known)
{
	const struct scsi_rule *rule;

	*opcode_known = false;
	for (uint32_t n = 0; (rule = scsi_rule_get(unit, n)) != NULL; n++) {
		if (rule->opcode != cdb[0] || !scsi_rule_holds(unit, rule))
			continue;
		*opcode_known = true;
		if (rule->service_action == RULE_NO_SERVICE_ACTION || rule->service_action == (cdb[1] & 0x1f))
			return rule;
	}
	return NULL;
}
