/* SPDX-License-Identifier: MIT */
/* Names of what storage controllers say: vstor, SRBs, SCSI. Where wire/ has no constant the number
 * stands here, with its source. */
#include "apps/hvkit/trace/tables.h"
#include "hvkit/wire/scsi.h"
#include "hvkit/wire/vstor.h"

#define COUNT(array) (uint32_t)(sizeof(array) / sizeof((array)[0]))
#define NAMES(variable, id) const struct trace_names trace_##variable = {id, variable, COUNT(variable)}

/* --- vstor ------------------------------------------------------------------------- */

static const struct trace_name vstor_version_names[] = {
	{VSTOR_VERSION_2_0, "2.0"}, {VSTOR_VERSION_4_2, "4.2"}, {VSTOR_VERSION_5_1, "5.1"},
	{VSTOR_VERSION_6_0, "6.0"}, {VSTOR_VERSION_6_2, "6.2"},
};
NAMES(vstor_version_names, "vstor_version");

static const struct trace_name vstor_status_names[] = {
	{VSTOR_STATUS_SUCCESS, "success"},
	{VSTOR_STATUS_BUFFER_OVERFLOW, "buffer-overflow"},
	{VSTOR_STATUS_DEVICE_BUSY, "device-busy"},
	{VSTOR_STATUS_INVALID_PARAMETER, "invalid-parameter"},
	{VSTOR_STATUS_REVISION_MISMATCH, "revision-mismatch"},
	{VSTOR_STATUS_DEVICE_DOES_NOT_EXIST, "device-does-not-exist"},
	{VSTOR_STATUS_CANCELLED, "cancelled"},
	{VSTOR_STATUS_INVALID_DEVICE_STATE, "invalid-device-state"},
	{VSTOR_STATUS_IO_DEVICE_ERROR, "io-device-error"},
};
NAMES(vstor_status_names, "vstor_status");

static const struct trace_name vstor_flag_bits[] = {
	{VSTOR_FLAG_REQUEST_COMPLETION, "request-completion"},
};
NAMES(vstor_flag_bits, "vstor_flag");

static const struct trace_name vstor_data_names[] = {
	{VSTOR_DATA_OUT, "out"},
	{VSTOR_DATA_IN, "in"},
	{VSTOR_DATA_NONE, "none"},
};
NAMES(vstor_data_names, "vstor_data");

static const struct trace_name vstor_order_names[] = {
	{VSTOR_TAG_SIMPLE, "simple"},
	{VSTOR_TAG_HEAD_OF_QUEUE, "head-of-queue"},
	{VSTOR_TAG_ORDERED, "ordered"},
};
NAMES(vstor_order_names, "vstor_order");

/* The last two are bits beside a status. */
static const struct trace_name srb_status_names[] = {
	{VSTOR_SRB_STATUS_PENDING, "pending"},
	{VSTOR_SRB_STATUS_SUCCESS, "success"},
	{VSTOR_SRB_STATUS_ABORTED, "aborted"},
	{VSTOR_SRB_STATUS_ERROR, "error"},
	{VSTOR_SRB_STATUS_BUSY, "busy"},
	{VSTOR_SRB_STATUS_INVALID_REQUEST, "invalid-request"},
	{VSTOR_SRB_STATUS_NO_DEVICE, "no-device"},
	{VSTOR_SRB_STATUS_TIMEOUT, "timeout"},
	{VSTOR_SRB_STATUS_DATA_OVERRUN, "data-overrun"},
	{VSTOR_SRB_STATUS_INVALID_LUN, "invalid-lun"},
	{VSTOR_SRB_STATUS_QUEUE_FROZEN, "queue-frozen"},
	{VSTOR_SRB_STATUS_AUTOSENSE_VALID, "autosense-valid"},
};
NAMES(srb_status_names, "srb_status");

static const struct trace_name srb_flag_bits[] = {
	{VSTOR_SRB_QUEUE_ACTION_ENABLE, "queue-action-enable"},
	{VSTOR_SRB_DISABLE_DISCONNECT, "disable-disconnect"},
	{VSTOR_SRB_DISABLE_SYNCH_TRANSFER, "disable-synch-transfer"},
	{VSTOR_SRB_DATA_IN, "data-in"},
	{VSTOR_SRB_DATA_OUT, "data-out"},
	{VSTOR_SRB_NO_QUEUE_FREEZE, "no-queue-freeze"},
};
NAMES(srb_flag_bits, "srb_flag");

/* --- SCSI -------------------------------------------------------------------------- */

static const struct trace_name scsi_status_names[] = {
	{SCSI_STATUS_GOOD, "good"},
	{SCSI_STATUS_CHECK_CONDITION, "check-condition"},
	{SCSI_STATUS_BUSY, "busy"},
	{SCSI_STATUS_RESERVATION_CONFLICT, "reservation-conflict"},
	{SCSI_STATUS_TASK_SET_FULL, "task-set-full"},
	{SCSI_STATUS_TASK_ABORTED, "task-aborted"},
};
NAMES(scsi_status_names, "scsi_status");

/* The last three: SPC-4. */
static const struct trace_name sense_key_names[] = {
	{SCSI_SENSE_NO_SENSE, "no-sense"},
	{SCSI_SENSE_RECOVERED, "recovered"},
	{SCSI_SENSE_NOT_READY, "not-ready"},
	{SCSI_SENSE_MEDIUM_ERROR, "medium-error"},
	{SCSI_SENSE_HARDWARE_ERROR, "hardware-error"},
	{SCSI_SENSE_ILLEGAL_REQUEST, "illegal-request"},
	{SCSI_SENSE_UNIT_ATTENTION, "unit-attention"},
	{SCSI_SENSE_DATA_PROTECT, "data-protect"},
	{SCSI_SENSE_ABORTED_COMMAND, "aborted-command"},
	{0x8, "blank-check"},
	{0xd, "volume-overflow"},
	{0xe, "miscompare"},
};
NAMES(sense_key_names, "sense_key");

/* What has no constant: SPC-4, annex D. */
static const struct trace_name sense_code_names[] = {
	{SCSI_ASC_NOT_READY_BECOMING_READY, "not-ready-becoming-ready"},
	{SCSI_ASC_WRITE_ERROR, "write-error"},
	{SCSI_ASC_UNRECOVERED_READ_ERROR, "unrecovered-read-error"},
	{SCSI_ASC_INVALID_OPERATION_CODE, "invalid-operation-code"},
	{SCSI_ASC_LBA_OUT_OF_RANGE, "lba-out-of-range"},
	{SCSI_ASC_INVALID_FIELD_IN_CDB, "invalid-field-in-cdb"},
	{SCSI_ASC_LOGICAL_UNIT_NOT_SUPPORTED, "logical-unit-not-supported"},
	{SCSI_ASC_INVALID_FIELD_IN_PARAMETERS, "invalid-field-in-parameters"},
	{SCSI_ASC_WRITE_PROTECTED, "write-protected"},
	{SCSI_ASC_MEDIUM_MAY_HAVE_CHANGED, "medium-may-have-changed"},
	{SCSI_ASC_POWER_ON_OR_RESET, "power-on-or-reset"},
	{SCSI_ASC_CAPACITY_HAS_CHANGED, "capacity-has-changed"},
	{SCSI_ASC_MEDIUM_NOT_PRESENT, "medium-not-present"},
	{SCSI_ASC_INTERNAL_TARGET_FAILURE, "internal-target-failure"},
	{SCSI_ASC_INQUIRY_DATA_CHANGED, "inquiry-data-changed"},
	{SCSI_ASC_REPORTED_LUNS_CHANGED, "reported-luns-changed"},
	{SCSI_ASC_MEDIUM_REMOVAL_PREVENTED, "medium-removal-prevented"},
	{0x0, "no-additional-sense"},
	{0x400, "not-reportable"},
	{0x402, "initializing-command-required"},
	{0x403, "manual-intervention-required"},
	{0x1a00, "parameter-list-length-error"},
	{0x2707, "space-allocation-failed"},
	{0x2a01, "mode-parameters-changed"},
	{0x2f00, "commands-cleared-by-another"},
	{0x3a01, "medium-not-present-tray-closed"},
	{0x3a02, "medium-not-present-tray-open"},
	{0x5d00, "failure-prediction"},
};
NAMES(sense_code_names, "sense_code");

static const struct trace_name vpd_page_names[] = {
	{SCSI_VPD_SUPPORTED_PAGES, "supported-pages"},
	{SCSI_VPD_SERIAL, "serial"},
	{SCSI_VPD_IDENTIFICATION, "identification"},
	{SCSI_VPD_BLOCK_LIMITS, "block-limits"},
	{SCSI_VPD_BLOCK_CHARACTERISTICS, "block-characteristics"},
	{SCSI_VPD_PROVISIONING, "provisioning"},
};
NAMES(vpd_page_names, "vpd_page");

/* SPC-4, SBC-3, MMC-6; of the current values (the upper two bits are others). */
static const struct trace_name mode_page_names[] = {
	{0x01, "error-recovery"},  {SCSI_MODE_PAGE_CACHING, "caching"}, {SCSI_MODE_PAGE_CONTROL, "control"},
	{0x0e, "cd-audio"},        {0x1a, "power-condition"},           {0x1c, "informational-exceptions"},
	{0x2a, "cd-capabilities"}, {SCSI_MODE_PAGE_ALL, "all"},
};
NAMES(mode_page_names, "mode_page");

/* Byte 1 of a CDB: SBC-3. */
static const struct trace_name transfer_bits[] = {
	{0x01, "reladr"},
	{SCSI_CDB_FUA, "fua"},
	{0x10, "dpo"},
};
NAMES(transfer_bits, "transfer");

static const struct trace_name verify_bits[] = {
	{0x02, "compare"},
	{0x04, "compare-one-block"},
	{0x10, "dpo"},
};
NAMES(verify_bits, "verify");

static const struct trace_name same_bits[] = {
	{SCSI_CDB_NO_DATA_OUT, "no-data"},
	{SCSI_CDB_UNMAP, "unmap"},
	{0x10, "anchor"},
};
NAMES(same_bits, "same");

static const struct trace_name unmap_bits[] = {
	{0x01, "anchor"},
};
NAMES(unmap_bits, "unmap");

static const struct trace_name start_bits[] = {
	{0x01, "start"},
	{0x02, "load-eject"},
};
NAMES(start_bits, "start");

static const struct trace_name cache_bits[] = {
	{0x02, "immediate"},
	{0x04, "non-volatile"},
};
NAMES(cache_bits, "cache");

static const struct trace_name service_names[] = {
	{SCSI_SERVICE_READ_CAPACITY_16, "read-capacity-16"},
	{0x12, "get-lba-status"},
};
NAMES(service_names, "service");

static const struct trace_name maintenance_names[] = {
	{0x05, "report-device-identifier"},
	{0x0a, "report-target-port-groups"},
	{SCSI_SERVICE_REPORT_OPCODES, "report-opcodes"},
	{0x0d, "report-task-management"},
	{0x0f, "report-timestamp"},
};
NAMES(maintenance_names, "maintenance");

static const struct trace_name reserve_in_names[] = {
	{0, "read-keys"},
	{1, "read-reservation"},
	{2, "report-capabilities"},
	{3, "read-full-status"},
};
NAMES(reserve_in_names, "reserve_in");

static const struct trace_name reserve_out_names[] = {
	{0, "register"},
	{1, "reserve"},
	{2, "release"},
	{3, "clear"},
	{4, "preempt"},
	{5, "preempt-and-abort"},
	{6, "register-and-ignore"},
	{7, "register-and-move"},
};
NAMES(reserve_out_names, "reserve_out");
