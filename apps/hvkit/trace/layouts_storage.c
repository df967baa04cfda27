/* SPDX-License-Identifier: MIT */
/* Layouts of vstor packets, and of CDBs. */
#include "apps/hvkit/trace/layouts.h"
#include "hvkit/wire/scsi.h"
#include "hvkit/wire/vstor.h"

#define HEADER sizeof(struct vstor_header)
#define BODY(type, member, name, form, show)                                                               \
	{                                                                                                  \
		name, (uint16_t)(HEADER + offsetof(type, member)), SIZE_OF(type, member), form, show, NULL \
	}
#define BODY_NAMED(type, member, name, form, show, names)                                                   \
	{                                                                                                   \
		name, (uint16_t)(HEADER + offsetof(type, member)), SIZE_OF(type, member), form, show, names \
	}

/* --- vstor ------------------------------------------------------------------------- */

#define FLAGS NAMED(struct vstor_header, flags, "flags", FORM_BITS, SHOW_DETAIL, &trace_vstor_flag_bits)
#define STATUS(show) NAMED(struct vstor_header, status, "status", FORM_NAME, show, &trace_vstor_status_names)

static const struct trace_field vstor_bare[] = {FLAGS, STATUS(SHOW_NONZERO)};
static const struct trace_field vstor_answer[] = {FLAGS, STATUS(SHOW_ALWAYS)};
static const struct trace_field vstor_version[] = {
	FLAGS,
	STATUS(SHOW_NONZERO),
	BODY_NAMED(struct vstor_version, version, "version", FORM_NAME, SHOW_ALWAYS,
		   &trace_vstor_version_names),
	BODY(struct vstor_version, revision, "revision", FORM_DEC, SHOW_NONZERO),
};
static const struct trace_field vstor_version_answer[] = {
	FLAGS,
	STATUS(SHOW_ALWAYS),
	BODY_NAMED(struct vstor_version, version, "version", FORM_NAME, SHOW_NONZERO,
		   &trace_vstor_version_names),
};
#define T struct vstor_properties
static const struct trace_field vstor_properties[] = {
	FLAGS,
	STATUS(SHOW_ALWAYS),
	BODY(T, subchannels_max, "subchannels_max", FORM_DEC, SHOW_ALWAYS),
	BODY(T, flags, "multi_channel", FORM_YES, SHOW_ALWAYS),
	BODY(T, transfer_bytes_max, "transfer_max", FORM_DEC, SHOW_ALWAYS),
};
#undef T
static const struct trace_field vstor_subchannels[] = {
	FLAGS, STATUS(SHOW_NONZERO), {"count", HEADER, 2, FORM_DEC, SHOW_ALWAYS, NULL}};

#define T struct vstor_request
#define ADDRESS                                                                                       \
	BODY(T, port, "port", FORM_DEC, SHOW_NONZERO), BODY(T, path, "path", FORM_DEC, SHOW_NONZERO), \
		BODY(T, target, "target", FORM_DEC, SHOW_ALWAYS), BODY(T, lun, "lun", FORM_DEC, SHOW_ALWAYS)
#define LENGTHS                                                           \
	BODY(T, length, "length", FORM_DEC, SHOW_DETAIL),                 \
		BODY(T, cdb_length, "cdb_length", FORM_DEC, SHOW_DETAIL), \
		BODY(T, sense_length, "sense_length", FORM_DEC, SHOW_DETAIL)
static const struct trace_field vstor_address[] = {FLAGS, STATUS(SHOW_NONZERO), ADDRESS};
static const struct trace_field vstor_execute[] = {
	FLAGS,
	STATUS(SHOW_NONZERO),
	LENGTHS,
	ADDRESS,
	BODY_NAMED(T, data_direction, "data", FORM_NAME, SHOW_ALWAYS, &trace_vstor_data_names),
	BODY(T, properties, "properties", FORM_HEX, SHOW_NONZERO),
	BODY(T, data_length, "bytes", FORM_DEC, SHOW_ALWAYS),
	BODY(T, cdb_sense, "cdb", FORM_BYTES, SHOW_DETAIL),
	BODY(T, tag, "tag", FORM_HEX, SHOW_DETAIL),
	BODY_NAMED(T, action, "order", FORM_NAME, SHOW_NONZERO, &trace_vstor_order_names),
	BODY_NAMED(T, srb_flags, "srb_flags", FORM_BITS, SHOW_DETAIL, &trace_srb_flag_bits),
	BODY(T, timeout, "timeout", FORM_DEC, SHOW_DETAIL),
	BODY(T, sort_key, "sort_key", FORM_DEC, SHOW_DETAIL),
};
static const struct trace_field vstor_executed[] = {
	FLAGS,
	BODY_NAMED(T, srb_status, "srb", FORM_MARKED, SHOW_ALWAYS, &trace_srb_status_names),
	BODY_NAMED(T, scsi_status, "scsi", FORM_NAME, SHOW_NONZERO, &trace_scsi_status_names),
	BODY(T, data_length, "bytes", FORM_DEC, SHOW_ALWAYS),
	STATUS(SHOW_NONZERO),
	LENGTHS,
	BODY(T, cdb_sense, "sense", FORM_BYTES, SHOW_DETAIL),
};
#undef T

#define VSTOR(type, name, size_min, fields) LAYOUT(VSTOR_OPERATION_##type, name, size_min, fields)
#define REQUEST_MIN (HEADER + VSTOR_REQUEST_SIZE_OLD)
static const struct trace_layout vstor[] = {
	VSTOR(COMPLETE_IO, "complete-io", HEADER, vstor_answer),
	VSTOR(REMOVE_DEVICE, "remove-device", HEADER, vstor_address),
	VSTOR(EXECUTE_SRB, "execute-srb", REQUEST_MIN, vstor_execute),
	VSTOR(RESET_LUN, "reset-lun", HEADER, vstor_address),
	VSTOR(RESET_ADAPTER, "reset-adapter", HEADER, vstor_bare),
	VSTOR(RESET_BUS, "reset-bus", HEADER, vstor_bare),
	VSTOR(BEGIN_INITIALIZATION, "begin-initialization", HEADER, vstor_bare),
	VSTOR(END_INITIALIZATION, "end-initialization", HEADER, vstor_bare),
	VSTOR(QUERY_PROTOCOL_VERSION, "query-protocol-version", HEADER + 2, vstor_version),
	VSTOR(QUERY_PROPERTIES, "query-properties", HEADER, vstor_bare),
	VSTOR(ENUMERATE_BUS, "enumerate-bus", HEADER, vstor_bare),
	VSTOR(FCHBA_DATA, "fchba-data", HEADER, vstor_bare),
	VSTOR(CREATE_SUBCHANNELS, "create-subchannels", HEADER + 2, vstor_subchannels),
	VSTOR(EVENT_NOTIFICATION, "event-notification", HEADER, vstor_bare),
};
const struct trace_protocol trace_vstor = {"vstor", vstor, sizeof(vstor) / sizeof(vstor[0])};

static const struct trace_layout vstor_answers[] = {
	VSTOR(EXECUTE_SRB, "execute-srb-complete", REQUEST_MIN, vstor_executed),
	VSTOR(RESET_LUN, "reset-lun-complete", HEADER, vstor_answer),
	VSTOR(RESET_ADAPTER, "reset-adapter-complete", HEADER, vstor_answer),
	VSTOR(RESET_BUS, "reset-bus-complete", HEADER, vstor_answer),
	VSTOR(BEGIN_INITIALIZATION, "begin-initialization-complete", HEADER, vstor_answer),
	VSTOR(END_INITIALIZATION, "end-initialization-complete", HEADER, vstor_answer),
	VSTOR(QUERY_PROTOCOL_VERSION, "query-protocol-version-complete", HEADER, vstor_version_answer),
	VSTOR(QUERY_PROPERTIES, "query-properties-complete", HEADER, vstor_properties),
	VSTOR(FCHBA_DATA, "fchba-data-complete", HEADER, vstor_answer),
	VSTOR(CREATE_SUBCHANNELS, "create-subchannels-complete", HEADER, vstor_answer),
};
const struct trace_protocol trace_vstor_answers = {"vstor_answer", vstor_answers,
						   sizeof(vstor_answers) / sizeof(vstor_answers[0])};

/* --- Commands: SPC-4, SBC-3, MMC-6 -------------------------------------------------------- */

#define NUMBER(name, at, size, show)                     \
	{                                                \
		name, at, size, FORM_NETWORK, show, NULL \
	}
#define NAME_AT(name, at, show, names)              \
	{                                           \
		name, at, 1, FORM_NAME, show, names \
	}
#define BITS_AT(name, at, show, names)              \
	{                                           \
		name, at, 1, FORM_BITS, show, names \
	}
#define YES_AT(name, at, show)                    \
	{                                         \
		name, at, 1, FORM_YES, show, NULL \
	}
#define LBA(at, size) NUMBER("lba", at, size, SHOW_ALWAYS)
#define BLOCKS(at, size) NUMBER("blocks", at, size, SHOW_ALWAYS)
#define ALLOCATION(at, size) NUMBER("allocation", at, size, SHOW_ALWAYS)
#define LENGTH(at, size) NUMBER("parameters", at, size, SHOW_ALWAYS)
#define FLAGS_OF(names) BITS_AT("flags", 1, SHOW_NONZERO, names)

static const struct trace_field allocation_6[] = {ALLOCATION(4, 1)};
static const struct trace_field allocation_10[] = {ALLOCATION(7, 2)};
/* A count of 0 is 256. */
static const struct trace_field transfer_6[] = {LBA(1, 3), BLOCKS(4, 1)};
static const struct trace_field transfer_10[] = {LBA(2, 4), BLOCKS(7, 2), FLAGS_OF(&trace_transfer_bits)};
static const struct trace_field transfer_12[] = {LBA(2, 4), BLOCKS(6, 4), FLAGS_OF(&trace_transfer_bits)};
static const struct trace_field transfer_16[] = {LBA(2, 8), BLOCKS(10, 4), FLAGS_OF(&trace_transfer_bits)};
static const struct trace_field verify_10[] = {LBA(2, 4), BLOCKS(7, 2), FLAGS_OF(&trace_verify_bits)};
static const struct trace_field verify_16[] = {LBA(2, 8), BLOCKS(10, 4), FLAGS_OF(&trace_verify_bits)};
static const struct trace_field cache_10[] = {LBA(2, 4), BLOCKS(7, 2), FLAGS_OF(&trace_cache_bits)};
static const struct trace_field cache_16[] = {LBA(2, 8), BLOCKS(10, 4), FLAGS_OF(&trace_cache_bits)};
static const struct trace_field same_10[] = {LBA(2, 4), BLOCKS(7, 2), FLAGS_OF(&trace_same_bits)};
static const struct trace_field same_16[] = {LBA(2, 8), BLOCKS(10, 4), FLAGS_OF(&trace_same_bits)};
static const struct trace_field unmap[] = {LENGTH(7, 2), FLAGS_OF(&trace_unmap_bits)};
static const struct trace_field inquiry[] = {
	YES_AT("vpd", 1, SHOW_NONZERO),
	NAME_AT("vpd_page", 2, SHOW_NONZERO, &trace_vpd_page_names),
	ALLOCATION(3, 2),
};
static const struct trace_field mode_sense_6[] = {
	NAME_AT("mode_page", 2, SHOW_ALWAYS, &trace_mode_page_names), ALLOCATION(4, 1)};
static const struct trace_field mode_sense_10[] = {
	NAME_AT("mode_page", 2, SHOW_ALWAYS, &trace_mode_page_names), ALLOCATION(7, 2)};
static const struct trace_field mode_select_6[] = {LENGTH(4, 1)};
static const struct trace_field mode_select_10[] = {LENGTH(7, 2)};
static const struct trace_field start_stop[] = {BITS_AT("state", 4, SHOW_ALWAYS, &trace_start_bits)};
static const struct trace_field prevent[] = {YES_AT("prevent", 4, SHOW_ALWAYS)};
static const struct trace_field read_toc[] = {NUMBER("toc_format", 2, 1, SHOW_ALWAYS),
					      NUMBER("track", 6, 1, SHOW_NONZERO), ALLOCATION(7, 2)};
static const struct trace_field configuration[] = {NUMBER("feature", 2, 2, SHOW_ALWAYS), ALLOCATION(7, 2)};
static const struct trace_field event_status[] = {
	YES_AT("polled", 1, SHOW_ALWAYS), {"classes", 4, 1, FORM_HEX, SHOW_ALWAYS, NULL}, ALLOCATION(7, 2)};
static const struct trace_field reserve_in[] = {
	NAME_AT("reserve_in", 1, SHOW_ALWAYS, &trace_reserve_in_names), ALLOCATION(7, 2)};
static const struct trace_field reserve_out[] = {
	NAME_AT("reserve_out", 1, SHOW_ALWAYS, &trace_reserve_out_names), LENGTH(5, 4)};
static const struct trace_field service_in[] = {NAME_AT("service", 1, SHOW_ALWAYS, &trace_service_names),
						ALLOCATION(10, 4)};
static const struct trace_field report_luns[] = {NUMBER("select", 2, 1, SHOW_NONZERO), ALLOCATION(6, 4)};
static const struct trace_field maintenance_in[] = {
	NAME_AT("maintenance", 1, SHOW_ALWAYS, &trace_maintenance_names), ALLOCATION(6, 4)};

/* Those without a constant are what guests of other makers send. */
static const struct trace_layout scsi[] = {
	BARE(SCSI_TEST_UNIT_READY, "test-unit-ready", 6),
	LAYOUT(SCSI_REQUEST_SENSE, "request-sense", 6, allocation_6),
	BARE(0x04, "format-unit", 6),
	LAYOUT(SCSI_READ_6, "read-6", 6, transfer_6),
	LAYOUT(SCSI_WRITE_6, "write-6", 6, transfer_6),
	LAYOUT(SCSI_INQUIRY, "inquiry", 6, inquiry),
	LAYOUT(SCSI_MODE_SELECT_6, "mode-select-6", 6, mode_select_6),
	BARE(0x16, "reserve-6", 6),
	BARE(0x17, "release-6", 6),
	LAYOUT(SCSI_MODE_SENSE_6, "mode-sense-6", 6, mode_sense_6),
	LAYOUT(SCSI_START_STOP_UNIT, "start-stop-unit", 6, start_stop),
	BARE(0x1c, "receive-diagnostic", 6),
	BARE(0x1d, "send-diagnostic", 6),
	LAYOUT(SCSI_PREVENT_ALLOW_REMOVAL, "prevent-allow-removal", 6, prevent),
	LAYOUT(0x23, "read-format-capacities", 10, allocation_10),
	BARE(SCSI_READ_CAPACITY_10, "read-capacity-10", 10),
	LAYOUT(SCSI_READ_10, "read-10", 10, transfer_10),
	LAYOUT(SCSI_WRITE_10, "write-10", 10, transfer_10),
	LAYOUT(SCSI_VERIFY_10, "verify-10", 10, verify_10),
	LAYOUT(SCSI_SYNCHRONIZE_CACHE_10, "synchronize-cache-10", 10, cache_10),
	BARE(0x3b, "write-buffer", 10),
	BARE(0x3c, "read-buffer", 10),
	LAYOUT(SCSI_WRITE_SAME_10, "write-same-10", 10, same_10),
	LAYOUT(SCSI_UNMAP, "unmap", 10, unmap),
	LAYOUT(SCSI_READ_TOC, "read-toc", 10, read_toc),
	LAYOUT(SCSI_GET_CONFIGURATION, "get-configuration", 10, configuration),
	LAYOUT(SCSI_GET_EVENT_STATUS, "get-event-status", 10, event_status),
	BARE(0x4d, "log-sense", 10),
	LAYOUT(SCSI_READ_DISC_INFORMATION, "read-disc-information", 10, allocation_10),
	BARE(0x52, "read-track-information", 10),
	LAYOUT(SCSI_MODE_SELECT_10, "mode-select-10", 10, mode_select_10),
	LAYOUT(SCSI_MODE_SENSE_10, "mode-sense-10", 10, mode_sense_10),
	LAYOUT(SCSI_PERSISTENT_RESERVE_IN, "persistent-reserve-in", 10, reserve_in),
	LAYOUT(SCSI_PERSISTENT_RESERVE_OUT, "persistent-reserve-out", 10, reserve_out),
	BARE(0x85, "ata-pass-through-16", 16),
	LAYOUT(SCSI_READ_16, "read-16", 16, transfer_16),
	BARE(0x89, "compare-and-write", 16),
	LAYOUT(SCSI_WRITE_16, "write-16", 16, transfer_16),
	LAYOUT(SCSI_VERIFY_16, "verify-16", 16, verify_16),
	LAYOUT(SCSI_SYNCHRONIZE_CACHE_16, "synchronize-cache-16", 16, cache_16),
	LAYOUT(SCSI_WRITE_SAME_16, "write-same-16", 16, same_16),
	LAYOUT(SCSI_SERVICE_ACTION_IN_16, "service-action-in-16", 16, service_in),
	LAYOUT(SCSI_REPORT_LUNS, "report-luns", 12, report_luns),
	BARE(0xa1, "ata-pass-through-12", 12),
	BARE(0xa2, "security-protocol-in", 12),
	LAYOUT(SCSI_MAINTENANCE_IN, "maintenance-in", 12, maintenance_in),
	LAYOUT(SCSI_READ_12, "read-12", 12, transfer_12),
	LAYOUT(SCSI_WRITE_12, "write-12", 12, transfer_12),
	BARE(0xac, "get-performance", 12),
	BARE(0xad, "read-disc-structure", 12),
	BARE(0xbd, "mechanism-status", 12),
	BARE(0xbe, "read-cd", 12),
};
const struct trace_protocol trace_scsi = {"scsi", scsi, sizeof(scsi) / sizeof(scsi[0])};
