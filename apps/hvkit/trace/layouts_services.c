/* SPDX-License-Identifier: MIT */
/* Layouts of what keyboards, mice and integration components say. */
#include "apps/hvkit/trace/decode_private.h"
#include "apps/hvkit/trace/layouts.h"
#include "hvkit/wire/ic.h"
#include "hvkit/wire/input.h"

#define PLACE(name, at, size, form, show, names)                          \
	{                                                                 \
		name, (uint16_t)(at), (uint16_t)(size), form, show, names \
	}
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* --- Keyboard ----------------------------------------------------------------------- */

static const struct trace_field keyboard_request[] = {
	FIELD(struct keyboard_protocol_request, version, "version", FORM_VERSION, SHOW_ALWAYS)};
static const struct trace_field keyboard_response[] = {
	FIELD(struct keyboard_protocol_response, status, "accepted", FORM_YES, SHOW_ALWAYS)};
static const struct trace_field keyboard_event[] = {
	FIELD(struct keyboard_event, make_code, "code", FORM_HEX, SHOW_ALWAYS),
	NAMED(struct keyboard_event, info, "info", FORM_BITS, SHOW_NONZERO, &trace_keystroke_bits),
};
static const struct trace_field keyboard_leds[] = {
	NAMED(struct keyboard_leds, flags, "leds", FORM_BITS, SHOW_ALWAYS, &trace_led_bits)};

static const struct trace_layout keyboard[] = {
	LAYOUT(KEYBOARD_PROTOCOL_REQUEST, "protocol-request", 8, keyboard_request),
	LAYOUT(KEYBOARD_PROTOCOL_RESPONSE, "protocol-response", 8, keyboard_response),
	LAYOUT(KEYBOARD_EVENT, "event", 12, keyboard_event),
	LAYOUT(KEYBOARD_LEDS, "leds", 6, keyboard_leds),
};
const struct trace_protocol trace_keyboard = {"keyboard", keyboard, COUNT(keyboard)};

/* --- Mouse -------------------------------------------------------------------------- */

#define MOUSE_AFTER sizeof(struct mouse_header)
#define ATTRIBUTE(member, name)                                                                  \
	PLACE(name, MOUSE_AFTER + offsetof(struct mouse_device_attributes, member), 2, FORM_HEX, \
	      SHOW_ALWAYS, NULL)
#define HID_AT (MOUSE_AFTER + sizeof(struct mouse_device_attributes))
static const struct trace_field mouse_request[] = {
	FIELD(struct mouse_protocol_request, version, "version", FORM_VERSION, SHOW_ALWAYS)};
static const struct trace_field mouse_response[] = {
	FIELD(struct mouse_protocol_response, version, "version", FORM_VERSION, SHOW_ALWAYS),
	FIELD(struct mouse_protocol_response, approved, "approved", FORM_YES, SHOW_ALWAYS),
};
static const struct trace_field mouse_device_info[] = {
	ATTRIBUTE(vendor, "vendor"),
	ATTRIBUTE(product, "product"),
	ATTRIBUTE(version, "device_version"),
	PLACE("descriptor_length", HID_AT + offsetof(struct hid_descriptor, report_length), 2, FORM_DEC,
	      SHOW_ALWAYS, NULL),
	PLACE("descriptor", HID_AT + sizeof(struct hid_descriptor), 0, FORM_BYTES, SHOW_DETAIL, NULL),
};
static const struct trace_field mouse_report[] = {
	PLACE("report", MOUSE_AFTER, 0, FORM_BYTES, SHOW_ALWAYS, NULL)};

static const struct trace_layout mouse[] = {
	LAYOUT(MOUSE_PROTOCOL_REQUEST, "protocol-request", 12, mouse_request),
	LAYOUT(MOUSE_PROTOCOL_RESPONSE, "protocol-response", MOUSE_PROTOCOL_RESPONSE_SIZE_MIN,
	       mouse_response),
	LAYOUT(MOUSE_DEVICE_INFO, "device-info", MOUSE_DEVICE_INFO_SIZE_MIN, mouse_device_info),
	BARE(MOUSE_DEVICE_INFO_ACK, "device-info-ack", 9),
	LAYOUT(MOUSE_INPUT_REPORT, "input-report", 9, mouse_report),
};
const struct trace_protocol trace_mouse = {"mouse", mouse, COUNT(mouse)};

/* --- Integration components: the header ---------------------------------------------- */

#define T struct ic_header
static const struct trace_field ic_header[] = {
	FIELD(T, framework, "framework", FORM_SWAPPED, SHOW_ALWAYS),
	FIELD(T, version, "version", FORM_SWAPPED, SHOW_ALWAYS),
	FIELD(T, size, "size", FORM_DEC, SHOW_ALWAYS),
	NAMED(T, status, "status", FORM_NAME, SHOW_NONZERO, &trace_ic_status_names),
	FIELD(T, transaction_id, "transaction", FORM_DEC, SHOW_ALWAYS),
	NAMED(T, flags, "flags", FORM_BITS, SHOW_ALWAYS, &trace_ic_flag_bits),
};
#undef T
#define IC(type, name) LAYOUT(IC_TYPE_##type, name, sizeof(struct ic_header), ic_header)
static const struct trace_layout ic[] = {
	IC(NEGOTIATE, "negotiate"), IC(HEARTBEAT, "heartbeat"), IC(KVP, "kvp"),
	IC(SHUTDOWN, "shutdown"),   IC(TIMESYNC, "timesync"),   IC(VSS, "vss"),
	IC(FCOPY, "fcopy"),
};
const struct trace_protocol trace_ic = {"ic", ic, COUNT(ic)};

/* --- ... and what is behind it -------------------------------------------------------- */

static const struct trace_field heartbeat[] = {
	FIELD(struct ic_heartbeat, sequence, "sequence", FORM_HEX, SHOW_ALWAYS),
	FIELD(struct ic_heartbeat, application_state, "application_state", FORM_HEX, SHOW_NONZERO),
};
static const struct trace_field shutdown[] = {
	FIELD(struct ic_shutdown, reason, "reason", FORM_HEX, SHOW_ALWAYS),
	FIELD(struct ic_shutdown, timeout, "timeout", FORM_DEC, SHOW_ALWAYS),
	NAMED(struct ic_shutdown, flags, "action", FORM_BITS, SHOW_NONZERO, &trace_shutdown_bits),
	FIELD(struct ic_shutdown, text, "text", FORM_TEXT16, SHOW_NONZERO),
};
static const struct trace_field timesync_1[] = {
	FIELD(struct ic_timesync_1, host_time, "host_time", FORM_HEX, SHOW_ALWAYS),
	FIELD(struct ic_timesync_1, child_time, "child_time", FORM_HEX, SHOW_NONZERO),
	FIELD(struct ic_timesync_1, round_trip, "round_trip", FORM_HEX, SHOW_NONZERO),
	NAMED(struct ic_timesync_1, flags, "kind", FORM_BITS, SHOW_ALWAYS, &trace_timesync_bits),
};
static const struct trace_field timesync_4[] = {
	FIELD(struct ic_timesync_4, host_time, "host_time", FORM_HEX, SHOW_ALWAYS),
	FIELD(struct ic_timesync_4, reference_time, "reference_time", FORM_HEX, SHOW_ALWAYS),
	NAMED(struct ic_timesync_4, flags, "kind", FORM_BITS, SHOW_ALWAYS, &trace_timesync_bits),
	FIELD(struct ic_timesync_4, leap, "leap", FORM_DEC, SHOW_NONZERO),
	FIELD(struct ic_timesync_4, stratum, "stratum", FORM_DEC, SHOW_NONZERO),
};
/* A shutdown message whose text is cut is none to complain of. */
static const struct trace_layout ic_body[] = {
	LAYOUT(IC_TYPE_HEARTBEAT, "heartbeat", 8, heartbeat),
	LAYOUT(IC_TYPE_SHUTDOWN, "shutdown", 12, shutdown),
	LAYOUT(IC_TYPE_TIMESYNC, "timesync", IC_TIMESYNC_1_SIZE_MIN, timesync_1),
	LAYOUT(TRACE_TIMESYNC_4, "timesync", IC_TIMESYNC_4_SIZE_MIN, timesync_4),
};
const struct trace_protocol trace_ic_body = {"ic_body", ic_body, COUNT(ic_body)};

/* --- Key-value pairs ------------------------------------------------------------------- */

#define POOL PLACE("pool", 1, 1, FORM_NAME, SHOW_ALWAYS, &trace_pool_names)
#define VALUE_AT(at, member) ((at) + offsetof(struct ic_kvp_value, member))
#define PAIR(at)                                                                                    \
	PLACE("value_type", VALUE_AT(at, type), 4, FORM_NAME, SHOW_NONZERO, &trace_kvp_type_names), \
		PLACE("key_size", VALUE_AT(at, key_size), 4, FORM_DEC, SHOW_DETAIL, NULL),          \
		PLACE("value_size", VALUE_AT(at, value_size), 4, FORM_DEC, SHOW_DETAIL, NULL),      \
		PLACE("key", VALUE_AT(at, key), IC_KVP_KEY_SIZE, FORM_TEXT16, SHOW_NONZERO, NULL)
static const struct trace_field kvp_pair[] = {POOL, PAIR(TRACE_KVP_PAIR)};
static const struct trace_field kvp_enumerate[] = {
	POOL,
	PLACE("index", 4, 4, FORM_DEC, SHOW_ALWAYS, NULL),
	PAIR(TRACE_KVP_ITEM),
};
static const struct trace_field kvp_delete[] = {
	POOL,
	PLACE("key_size", 4, 4, FORM_DEC, SHOW_DETAIL, NULL),
	PLACE("key", 8, IC_KVP_KEY_SIZE, FORM_TEXT16, SHOW_NONZERO, NULL),
};
#define IP(member, name, form, show, names)                                \
	PLACE(name, IC_KVP_IP_OFFSET + offsetof(struct ic_kvp_ip, member), \
	      SIZE_OF(struct ic_kvp_ip, member), form, show, names)
static const struct trace_field kvp_ip[] = {
	IP(adapter_id, "adapter", FORM_TEXT16, SHOW_ALWAYS, NULL),
	IP(family, "family", FORM_BITS, SHOW_NONZERO, &trace_family_bits),
	IP(dhcp, "dhcp", FORM_YES, SHOW_NONZERO, NULL),
	IP(addresses, "addresses", FORM_TEXT16, SHOW_NONZERO, NULL),
	IP(masks, "masks", FORM_TEXT16, SHOW_NONZERO, NULL),
	IP(gateways, "gateways", FORM_TEXT16, SHOW_NONZERO, NULL),
	IP(name_servers, "name_servers", FORM_TEXT16, SHOW_NONZERO, NULL),
};
static const struct trace_layout kvp[] = {
	LAYOUT(IC_KVP_GET, "get", 4, kvp_pair),
	LAYOUT(IC_KVP_SET, "set", 4, kvp_pair),
	LAYOUT(IC_KVP_DELETE, "delete", 4, kvp_delete),
	LAYOUT(IC_KVP_ENUMERATE, "enumerate", 8, kvp_enumerate),
	LAYOUT(IC_KVP_GET_IP, "get-ip", 2, kvp_ip),
	LAYOUT(IC_KVP_SET_IP, "set-ip", 2, kvp_ip),
};
const struct trace_protocol trace_kvp = {"kvp", kvp, COUNT(kvp)};

/* --- Backup, file copy ------------------------------------------------------------------ */

static const struct trace_field vss[] = {
	NAMED(struct ic_vss, flags, "flags", FORM_BITS, SHOW_NONZERO, &trace_vss_bits)};
static const struct trace_field vss_disks[] = {
	FIELD(struct ic_vss_disks, backup_type, "backup_type", FORM_HEX, SHOW_NONZERO),
	FIELD(struct ic_vss_disks, disk_count, "disks", FORM_DEC, SHOW_NONZERO),
};
#define VSS(operation, name, fields) LAYOUT(IC_VSS_##operation, name, 1, fields)
static const struct trace_layout vss_operations[] = {
	VSS(CREATE, "create", vss),
	VSS(DELETE, "delete", vss),
	VSS(HOT_BACKUP, "hot-backup", vss),
	VSS(GET_DM_INFO, "get-dm-info", vss),
	VSS(BACKUP_COMPLETE, "backup-complete", vss),
	VSS(FREEZE, "freeze", vss_disks),
	VSS(THAW, "thaw", vss),
	VSS(AUTO_RECOVER, "auto-recover", vss_disks),
};
const struct trace_protocol trace_vss = {"vss", vss_operations, COUNT(vss_operations)};

#define T struct ic_fcopy_start
static const struct trace_field fcopy_start[] = {
	FIELD(T, file_name, "name", FORM_TEXT16, SHOW_ALWAYS),
	FIELD(T, path_name, "path", FORM_TEXT16, SHOW_NONZERO),
	NAMED(T, flags, "flags", FORM_BITS, SHOW_NONZERO, &trace_fcopy_bits),
	FIELD(T, file_size, "file_size", FORM_HEX, SHOW_ALWAYS),
};
#undef T
static const struct trace_field fcopy_write[] = {
	FIELD(struct ic_fcopy_write, offset, "offset", FORM_HEX, SHOW_ALWAYS),
	FIELD(struct ic_fcopy_write, size, "bytes", FORM_DEC, SHOW_ALWAYS),
};
static const struct trace_layout fcopy[] = {
	LAYOUT(IC_FCOPY_START, "start", 4, fcopy_start),
	LAYOUT(IC_FCOPY_WRITE, "write", 4, fcopy_write),
	BARE(IC_FCOPY_COMPLETE, "complete", 4),
	BARE(IC_FCOPY_CANCEL, "cancel", 4),
};
const struct trace_protocol trace_fcopy = {"fcopy", fcopy, COUNT(fcopy)};
