/* SPDX-License-Identifier: MIT */
/* Layouts: every control message, NVS message and RNDIS message with its fields. */
#include "apps/hvkit/trace/layouts.h"
#include "hvkit/wire/ndis.h"
#include "hvkit/wire/nvs.h"
#include "hvkit/wire/rndis.h"
#include "hvkit/wire/vmbus.h"

/* --- Control messages ---------------------------------------------------------- */

#define T struct vmbus_offer_channel
static const struct trace_field offer_channel[] = {
	FIELD(T, channel_id, "channel", FORM_DEC, SHOW_ALWAYS),
	FIELD(T, interface_type, "interface", FORM_GUID, SHOW_DETAIL),
	FIELD(T, interface_instance, "instance", FORM_GUID, SHOW_ALWAYS),
	NAMED(T, flags, "offer_flags", FORM_BITS, SHOW_NONZERO, &trace_offer_bits),
	FIELD(T, mmio_megabytes, "mmio_mb", FORM_DEC, SHOW_NONZERO),
	FIELD(T, user_data, "user_data", FORM_BYTES, SHOW_DETAIL),
	FIELD(T, subchannel_index, "subchannel", FORM_DEC, SHOW_NONZERO),
	FIELD(T, mmio_megabytes_optional, "mmio_optional_mb", FORM_DEC, SHOW_NONZERO),
	FIELD(T, monitor_id, "monitor_id", FORM_DEC, SHOW_DETAIL),
	FIELD(T, monitor_allocated, "monitor_allocated", FORM_YES, SHOW_DETAIL),
	FIELD(T, is_dedicated, "dedicated", FORM_YES, SHOW_DETAIL),
	FIELD(T, connection_id, "connection", FORM_HEX, SHOW_ALWAYS),
};
#undef T
static const struct trace_field channel_message[] = {
	FIELD(struct vmbus_channel_message, channel_id, "channel", FORM_DEC, SHOW_ALWAYS),
};
#define T struct vmbus_open_channel
static const struct trace_field open_channel[] = {
	FIELD(T, channel_id, "channel", FORM_DEC, SHOW_ALWAYS),
	FIELD(T, open_id, "open_id", FORM_DEC, SHOW_ALWAYS),
	FIELD(T, ring_gpadl, "gpadl", FORM_HEX, SHOW_ALWAYS),
	FIELD(T, target_vp, "target_vp", FORM_DEC, SHOW_ALWAYS),
	FIELD(T, downstream_page_offset, "downstream_page", FORM_DEC, SHOW_ALWAYS),
	FIELD(T, user_data, "user_data", FORM_BYTES, SHOW_DETAIL),
};
#undef T
#define T struct vmbus_open_result
static const struct trace_field open_result[] = {
	FIELD(T, channel_id, "channel", FORM_DEC, SHOW_ALWAYS),
	FIELD(T, open_id, "open_id", FORM_DEC, SHOW_ALWAYS),
	NAMED(T, status, "status", FORM_NAME, SHOW_ALWAYS, &trace_vmbus_status_names),
};
#undef T
#define T struct vmbus_gpadl_header
static const struct trace_field gpadl_header[] = {
	FIELD(T, channel_id, "channel", FORM_DEC, SHOW_ALWAYS),
	FIELD(T, gpadl, "gpadl", FORM_HEX, SHOW_ALWAYS),
	FIELD(T, range_buffer_length, "range_buffer_length", FORM_DEC, SHOW_DETAIL),
	FIELD(T, range_count, "ranges", FORM_DEC, SHOW_DETAIL),
	FIELD(T, byte_count, "bytes", FORM_DEC, SHOW_ALWAYS),
	FIELD(T, byte_offset, "offset", FORM_DEC, SHOW_NONZERO),
	AFTER(T, "pages", FORM_PAGES, SHOW_ALWAYS),
};
#undef T
#define T struct vmbus_gpadl_body
static const struct trace_field gpadl_body[] = {
	FIELD(T, gpadl, "gpadl", FORM_HEX, SHOW_ALWAYS),
	FIELD(T, message_number, "message_number", FORM_DEC, SHOW_ALWAYS),
	AFTER(T, "pages", FORM_PAGES, SHOW_ALWAYS),
};
#undef T
#define T struct vmbus_gpadl_created
static const struct trace_field gpadl_created[] = {
	FIELD(T, channel_id, "channel", FORM_DEC, SHOW_ALWAYS),
	FIELD(T, gpadl, "gpadl", FORM_HEX, SHOW_ALWAYS),
	NAMED(T, status, "status", FORM_NAME, SHOW_ALWAYS, &trace_vmbus_status_names),
};
#undef T
static const struct trace_field gpadl_teardown[] = {
	FIELD(struct vmbus_gpadl_teardown, channel_id, "channel", FORM_DEC, SHOW_ALWAYS),
	FIELD(struct vmbus_gpadl_teardown, gpadl, "gpadl", FORM_HEX, SHOW_ALWAYS),
};
static const struct trace_field gpadl_torndown[] = {
	FIELD(struct vmbus_gpadl_torndown, gpadl, "gpadl", FORM_HEX, SHOW_ALWAYS),
};
/* What the third field is depends on the version: trace_decode_message says more. */
#define T struct vmbus_initiate_contact
static const struct trace_field initiate_contact[] = {
	FIELD(T, version, "version", FORM_VERSION, SHOW_ALWAYS),
	FIELD(T, target_vp, "target_vp", FORM_DEC, SHOW_ALWAYS),
	FIELD(T, interrupt_page_or_target, "interrupt_page_or_target", FORM_HEX, SHOW_DETAIL),
	FIELD(T, monitor_page_host_to_guest, "monitor_to_guest", FORM_HEX, SHOW_NONZERO),
	FIELD(T, monitor_page_guest_to_host, "monitor_to_host", FORM_HEX, SHOW_NONZERO),
};
#undef T
#define T struct vmbus_version_response
static const struct trace_field version_response[] = {
	FIELD(T, version_supported, "supported", FORM_YES, SHOW_ALWAYS),
	FIELD(T, connection_state, "connection_state", FORM_DEC, SHOW_NONZERO),
};
#undef T
#define T struct vmbus_open_reserved
static const struct trace_field open_reserved[] = {
	FIELD(T, channel_id, "channel", FORM_DEC, SHOW_ALWAYS),
	FIELD(T, target_vp, "target_vp", FORM_DEC, SHOW_ALWAYS),
	FIELD(T, target_sint, "sint", FORM_DEC, SHOW_ALWAYS),
	FIELD(T, ring_gpadl, "gpadl", FORM_HEX, SHOW_ALWAYS),
	FIELD(T, downstream_page_offset, "downstream_page", FORM_DEC, SHOW_ALWAYS),
};
#undef T
#define T struct vmbus_close_reserved
static const struct trace_field close_reserved[] = {
	FIELD(T, channel_id, "channel", FORM_DEC, SHOW_ALWAYS),
	FIELD(T, target_vp, "target_vp", FORM_DEC, SHOW_ALWAYS),
	FIELD(T, target_sint, "sint", FORM_DEC, SHOW_ALWAYS),
};
#undef T
#define T struct vmbus_tl_connect_result
static const struct trace_field tl_connect_result[] = {
	FIELD(T, endpoint, "endpoint", FORM_GUID, SHOW_ALWAYS),
	FIELD(T, service, "service", FORM_GUID, SHOW_ALWAYS),
	NAMED(T, status, "status", FORM_NAME, SHOW_ALWAYS, &trace_vmbus_status_names),
};
#undef T
static const struct trace_field tl_connect[] = {
	FIELD(struct vmbus_tl_connect, endpoint, "endpoint", FORM_GUID, SHOW_ALWAYS),
	FIELD(struct vmbus_tl_connect, service, "service", FORM_GUID, SHOW_ALWAYS),
	{"silo", sizeof(struct vmbus_tl_connect), 16, FORM_GUID, SHOW_NONZERO, NULL},
};
static const struct trace_field modify_channel[] = {
	FIELD(struct vmbus_modify_channel, channel_id, "channel", FORM_DEC, SHOW_ALWAYS),
	FIELD(struct vmbus_modify_channel, target_vp, "target_vp", FORM_DEC, SHOW_ALWAYS),
};
#define T struct vmbus_modify_channel_response
static const struct trace_field modify_channel_response[] = {
	FIELD(T, channel_id, "channel", FORM_DEC, SHOW_ALWAYS),
	NAMED(T, status, "status", FORM_NAME, SHOW_ALWAYS, &trace_vmbus_status_names),
};
#undef T
#define T struct vmbus_modify_connection
static const struct trace_field modify_connection[] = {
	FIELD(T, monitor_page_host_to_guest, "monitor_to_guest", FORM_HEX, SHOW_ALWAYS),
	FIELD(T, monitor_page_guest_to_host, "monitor_to_host", FORM_HEX, SHOW_ALWAYS),
};
#undef T
static const struct trace_field modify_connection_response[] = {
	{"connection_state", sizeof(struct vmbus_message_header), 1, FORM_DEC, SHOW_ALWAYS, NULL},
};

#define HEADER sizeof(struct vmbus_message_header)
static const struct trace_layout messages[] = {
	LAYOUT(VMBUS_MSG_OFFER_CHANNEL, "offer-channel", VMBUS_OFFER_SIZE_0_13_MIN, offer_channel),
	LAYOUT(VMBUS_MSG_RESCIND_OFFER, "rescind-offer", sizeof(struct vmbus_channel_message),
	       channel_message),
	BARE(VMBUS_MSG_REQUEST_OFFERS, "request-offers", HEADER),
	BARE(VMBUS_MSG_ALL_OFFERS_DELIVERED, "all-offers-delivered", HEADER),
	LAYOUT(VMBUS_MSG_OPEN_CHANNEL, "open-channel", sizeof(struct vmbus_open_channel), open_channel),
	LAYOUT(VMBUS_MSG_OPEN_RESULT, "open-result", sizeof(struct vmbus_open_result), open_result),
	LAYOUT(VMBUS_MSG_CLOSE_CHANNEL, "close-channel", sizeof(struct vmbus_channel_message),
	       channel_message),
	LAYOUT(VMBUS_MSG_GPADL_HEADER, "gpadl-header", sizeof(struct vmbus_gpadl_header), gpadl_header),
	LAYOUT(VMBUS_MSG_GPADL_BODY, "gpadl-body", sizeof(struct vmbus_gpadl_body), gpadl_body),
	LAYOUT(VMBUS_MSG_GPADL_CREATED, "gpadl-created", sizeof(struct vmbus_gpadl_created), gpadl_created),
	LAYOUT(VMBUS_MSG_GPADL_TEARDOWN, "gpadl-teardown", sizeof(struct vmbus_gpadl_teardown),
	       gpadl_teardown),
	LAYOUT(VMBUS_MSG_GPADL_TORNDOWN, "gpadl-torndown", sizeof(struct vmbus_gpadl_torndown),
	       gpadl_torndown),
	LAYOUT(VMBUS_MSG_RELID_RELEASED, "relid-released", sizeof(struct vmbus_channel_message),
	       channel_message),
	LAYOUT(VMBUS_MSG_INITIATE_CONTACT, "initiate-contact", sizeof(struct vmbus_initiate_contact),
	       initiate_contact),
	LAYOUT(VMBUS_MSG_VERSION_RESPONSE, "version-response", sizeof(struct vmbus_version_response),
	       version_response),
	BARE(VMBUS_MSG_UNLOAD, "unload", HEADER),
	BARE(VMBUS_MSG_UNLOAD_RESPONSE, "unload-response", HEADER),
	LAYOUT(VMBUS_MSG_OPEN_RESERVED, "open-reserved", sizeof(struct vmbus_open_reserved), open_reserved),
	LAYOUT(VMBUS_MSG_CLOSE_RESERVED, "close-reserved", sizeof(struct vmbus_close_reserved),
	       close_reserved),
	LAYOUT(VMBUS_MSG_CLOSE_RESERVED_RESPONSE, "close-reserved-response",
	       sizeof(struct vmbus_channel_message), channel_message),
	LAYOUT(VMBUS_MSG_TL_CONNECT, "tl-connect", sizeof(struct vmbus_tl_connect), tl_connect),
	LAYOUT(VMBUS_MSG_MODIFY_CHANNEL, "modify-channel", sizeof(struct vmbus_modify_channel),
	       modify_channel),
	LAYOUT(VMBUS_MSG_TL_CONNECT_RESULT, "tl-connect-result", sizeof(struct vmbus_tl_connect_result),
	       tl_connect_result),
	LAYOUT(VMBUS_MSG_MODIFY_CHANNEL_RESPONSE, "modify-channel-response",
	       sizeof(struct vmbus_modify_channel_response), modify_channel_response),
	LAYOUT(VMBUS_MSG_MODIFY_CONNECTION, "modify-connection", sizeof(struct vmbus_modify_connection),
	       modify_connection),
	LAYOUT(VMBUS_MSG_MODIFY_CONNECTION_RESPONSE, "modify-connection-response",
	       VMBUS_MODIFY_CONNECTION_RESPONSE_SIZE, modify_connection_response),
	BARE(VMBUS_MSG_PAUSE, "pause", HEADER),
	BARE(VMBUS_MSG_PAUSE_RESPONSE, "pause-response", HEADER),
	BARE(VMBUS_MSG_RESUME, "resume", HEADER),
};
const struct trace_protocol trace_messages = {"msg", messages, sizeof(messages) / sizeof(messages[0])};

/* --- NVS ------------------------------------------------------------------------ */

static const struct trace_field nvs_init[] = {
	NAMED(struct nvs_init, version_min, "version_min", FORM_NAME, SHOW_ALWAYS, &trace_nvs_version_names),
	NAMED(struct nvs_init, version_max, "version_max", FORM_NAME, SHOW_ALWAYS, &trace_nvs_version_names),
};
#define T struct nvs_init_complete
static const struct trace_field nvs_init_complete[] = {
	FIELD(T, version, "version", FORM_HEX, SHOW_DETAIL),
	FIELD(T, max_mdl_chain, "max_mdl_chain", FORM_DEC, SHOW_DETAIL),
	NAMED(T, status, "status", FORM_NAME, SHOW_ALWAYS, &trace_nvs_status_names),
};
#undef T
static const struct trace_field nvs_ndis_version[] = {
	FIELD(struct nvs_ndis_version, major, "major", FORM_DEC, SHOW_ALWAYS),
	FIELD(struct nvs_ndis_version, minor, "minor", FORM_DEC, SHOW_ALWAYS),
};
static const struct trace_field nvs_ndis_config[] = {
	FIELD(struct nvs_ndis_config, mtu, "mtu", FORM_DEC, SHOW_ALWAYS),
	{"capabilities", offsetof(struct nvs_ndis_config, capabilities_low), 8, FORM_BITS, SHOW_NONZERO,
	 &trace_nvs_capability_bits},
};
static const struct trace_field nvs_buffer[] = {
	FIELD(struct nvs_buffer, gpadl, "gpadl", FORM_HEX, SHOW_ALWAYS),
	FIELD(struct nvs_buffer, page_set_id, "page_set", FORM_HEX, SHOW_ALWAYS),
};
#define T struct nvs_receive_buffer_complete
static const struct trace_field nvs_receive_buffer_complete[] = {
	NAMED(T, status, "status", FORM_NAME, SHOW_ALWAYS, &trace_nvs_status_names),
	FIELD(T, section_count, "sections", FORM_DEC, SHOW_ALWAYS),
	FIELD(T, section.offset, "offset", FORM_DEC, SHOW_DETAIL),
	FIELD(T, section.suballocation_size, "suballocation_size", FORM_DEC, SHOW_ALWAYS),
	FIELD(T, section.suballocation_count, "suballocations", FORM_DEC, SHOW_ALWAYS),
	FIELD(T, section.end_offset, "end", FORM_DEC, SHOW_DETAIL),
};
#undef T
static const struct trace_field nvs_send_buffer_complete[] = {
	NAMED(struct nvs_send_buffer_complete, status, "status", FORM_NAME, SHOW_ALWAYS,
	      &trace_nvs_status_names),
	FIELD(struct nvs_send_buffer_complete, section_size, "section_size", FORM_DEC, SHOW_ALWAYS),
};
static const struct trace_field nvs_revoke[] = {
	FIELD(struct nvs_revoke_buffer, page_set_id, "page_set", FORM_HEX, SHOW_ALWAYS),
};
/* The section's index: 0xffffffff is none. */
#define T struct nvs_rndis
static const struct trace_field nvs_rndis_fields[] = {
	NAMED(T, channel_type, "channel_type", FORM_NAME, SHOW_ALWAYS, &trace_nvs_channel_names),
	FIELD(T, section_index, "section", FORM_HEX, SHOW_DETAIL),
	FIELD(T, section_size, "section_size", FORM_DEC, SHOW_DETAIL),
};
#undef T
static const struct trace_field nvs_status[] = {
	NAMED(struct nvs_rndis_complete, status, "status", FORM_NAME, SHOW_ALWAYS, &trace_nvs_status_names),
};
static const struct trace_field nvs_vf_association[] = {
	FIELD(struct nvs_vf_association, allocated, "allocated", FORM_YES, SHOW_ALWAYS),
	FIELD(struct nvs_vf_association, serial, "serial", FORM_DEC, SHOW_ALWAYS),
};
static const struct trace_field nvs_switch_data_path[] = {
	NAMED(struct nvs_switch_data_path, active, "path", FORM_NAME, SHOW_ALWAYS, &trace_data_path_names),
};
/* One type for the request and its answer. */
static const struct trace_field nvs_subchannel[] = {
	FIELD(struct nvs_subchannel_request, operation, "operation", FORM_DEC, SHOW_ALWAYS),
	FIELD(struct nvs_subchannel_request, count, "count", FORM_DEC, SHOW_ALWAYS),
};
static const struct trace_field nvs_subchannel_complete[] = {
	NAMED(struct nvs_subchannel_complete, status, "status", FORM_NAME, SHOW_ALWAYS,
	      &trace_nvs_status_names),
	FIELD(struct nvs_subchannel_complete, count, "count", FORM_DEC, SHOW_ALWAYS),
};
static const struct trace_field nvs_indirection[] = {
	{"count", 4, 4, FORM_DEC, SHOW_ALWAYS, NULL}, /* the table: decode_nvs */
	{"offset", 8, 4, FORM_DEC, SHOW_DETAIL, NULL},
};

#define NVS(type, name, structure, fields) LAYOUT(type, name, sizeof(struct structure), fields)
static const struct trace_layout nvs[] = {
	NVS(NVS_TYPE_INIT, "init", nvs_init, nvs_init),
	NVS(NVS_TYPE_INIT_COMPLETE, "init-complete", nvs_init_complete, nvs_init_complete),
	NVS(NVS_TYPE_NDIS_VERSION, "ndis-version", nvs_ndis_version, nvs_ndis_version),
	NVS(NVS_TYPE_RECEIVE_BUFFER, "receive-buffer", nvs_buffer, nvs_buffer),
	LAYOUT(NVS_TYPE_RECEIVE_BUFFER_COMPLETE, "receive-buffer-complete", 12, nvs_receive_buffer_complete),
	NVS(NVS_TYPE_REVOKE_RECEIVE_BUFFER, "revoke-receive-buffer", nvs_revoke_buffer, nvs_revoke),
	NVS(NVS_TYPE_SEND_BUFFER, "send-buffer", nvs_buffer, nvs_buffer),
	NVS(NVS_TYPE_SEND_BUFFER_COMPLETE, "send-buffer-complete", nvs_send_buffer_complete,
	    nvs_send_buffer_complete),
	NVS(NVS_TYPE_REVOKE_SEND_BUFFER, "revoke-send-buffer", nvs_revoke_buffer, nvs_revoke),
	NVS(NVS_TYPE_RNDIS, "rndis", nvs_rndis, nvs_rndis_fields),
	NVS(NVS_TYPE_RNDIS_COMPLETE, "rndis-complete", nvs_rndis_complete, nvs_status),
	NVS(NVS_TYPE_NDIS_CONFIG, "ndis-config", nvs_ndis_config, nvs_ndis_config),
	NVS(NVS_TYPE_VF_ASSOCIATION, "vf-association", nvs_vf_association, nvs_vf_association),
	NVS(NVS_TYPE_SWITCH_DATA_PATH, "switch-data-path", nvs_switch_data_path, nvs_switch_data_path),
	NVS(NVS_TYPE_SUBCHANNEL, "subchannel", nvs_subchannel_request, nvs_subchannel),
	LAYOUT(NVS_TYPE_SEND_INDIRECTION_TABLE, "send-indirection-table", 12, nvs_indirection),
};
const struct trace_protocol trace_nvs = {"nvs", nvs, sizeof(nvs) / sizeof(nvs[0])};

static const struct trace_layout nvs_answers[] = {
	NVS(NVS_TYPE_SUBCHANNEL, "subchannel-complete", nvs_subchannel_complete, nvs_subchannel_complete),
};
const struct trace_protocol trace_nvs_answers = {"nvs_answer", nvs_answers,
						 sizeof(nvs_answers) / sizeof(nvs_answers[0])};

/* --- RNDIS ------------------------------------------------------------------------ */

#define T struct rndis_initialize
static const struct trace_field rndis_initialize[] = {
	FIELD(T, request_id, "request", FORM_DEC, SHOW_ALWAYS),
	FIELD(T, major, "major", FORM_DEC, SHOW_ALWAYS),
	FIELD(T, minor, "minor", FORM_DEC, SHOW_ALWAYS),
	FIELD(T, max_transfer_size, "max_transfer", FORM_DEC, SHOW_ALWAYS),
};
#undef T
#define T struct rndis_initialize_complete
static const struct trace_field rndis_initialize_complete[] = {
	FIELD(T, request_id, "request", FORM_DEC, SHOW_ALWAYS),
	NAMED(T, status, "status", FORM_NAME, SHOW_ALWAYS, &trace_rndis_status_names),
	FIELD(T, major, "major", FORM_DEC, SHOW_DETAIL),
	FIELD(T, minor, "minor", FORM_DEC, SHOW_DETAIL),
	FIELD(T, device_flags, "device_flags", FORM_HEX, SHOW_DETAIL),
	FIELD(T, medium, "medium", FORM_DEC, SHOW_DETAIL),
	FIELD(T, max_packets_per_message, "max_packets", FORM_DEC, SHOW_ALWAYS),
	FIELD(T, max_transfer_size, "max_transfer", FORM_DEC, SHOW_ALWAYS),
	FIELD(T, packet_alignment_factor, "alignment_factor", FORM_DEC, SHOW_ALWAYS),
};
#undef T
static const struct trace_field rndis_request_id[] = {
	FIELD(struct rndis_halt, request_id, "request", FORM_DEC, SHOW_ALWAYS),
};
#define T struct rndis_request
static const struct trace_field rndis_request[] = {
	FIELD(T, request_id, "request", FORM_DEC, SHOW_ALWAYS),
	NAMED(T, oid, "oid", FORM_NAME, SHOW_ALWAYS, &trace_oid_names),
	FIELD(T, information_length, "information_length", FORM_DEC, SHOW_DETAIL),
	FIELD(T, information_offset, "information_offset", FORM_DEC, SHOW_DETAIL),
};
#undef T
#define T struct rndis_query_complete
static const struct trace_field rndis_query_complete[] = {
	FIELD(T, request_id, "request", FORM_DEC, SHOW_ALWAYS),
	NAMED(T, status, "status", FORM_NAME, SHOW_ALWAYS, &trace_rndis_status_names),
	FIELD(T, information_length, "information_length", FORM_DEC, SHOW_DETAIL),
	FIELD(T, information_offset, "information_offset", FORM_DEC, SHOW_DETAIL),
};
#undef T
static const struct trace_field rndis_complete[] = {
	FIELD(struct rndis_complete, request_id, "request", FORM_DEC, SHOW_ALWAYS),
	NAMED(struct rndis_complete, status, "status", FORM_NAME, SHOW_ALWAYS, &trace_rndis_status_names),
};
#define T struct rndis_indicate_status
static const struct trace_field rndis_indicate_status[] = {
	NAMED(T, status, "status", FORM_NAME, SHOW_ALWAYS, &trace_rndis_status_names),
	FIELD(T, buffer_length, "buffer_length", FORM_DEC, SHOW_NONZERO),
	FIELD(T, buffer_offset, "buffer_offset", FORM_DEC, SHOW_DETAIL),
};
#undef T
static const struct trace_field rndis_reset_complete[] = {
	{"status", sizeof(struct rndis_header), 4, FORM_NAME, SHOW_ALWAYS, &trace_rndis_status_names},
};
#define T struct rndis_packet
static const struct trace_field rndis_packet_fields[] = {
	FIELD(T, data_offset, "data_offset", FORM_DEC, SHOW_DETAIL),
	FIELD(T, data_length, "bytes", FORM_DEC, SHOW_ALWAYS),
	FIELD(T, oob_offset, "oob_offset", FORM_DEC, SHOW_DETAIL),
	FIELD(T, oob_length, "oob_length", FORM_DEC, SHOW_NONZERO),
	FIELD(T, oob_count, "oob_count", FORM_DEC, SHOW_NONZERO),
	FIELD(T, per_packet_info_offset, "ppi_offset", FORM_DEC, SHOW_DETAIL),
	FIELD(T, per_packet_info_length, "ppi_length", FORM_DEC, SHOW_DETAIL),
};
#undef T

#define RNDIS(type, name, structure, fields) LAYOUT(type, name, sizeof(struct structure), fields)
#define DONE(type) ((type) | RNDIS_MSG_COMPLETE)
static const struct trace_layout rndis[] = {
	RNDIS(RNDIS_MSG_PACKET, "packet", rndis_packet, rndis_packet_fields),
	RNDIS(RNDIS_MSG_INITIALIZE, "initialize", rndis_initialize, rndis_initialize),
	RNDIS(RNDIS_MSG_HALT, "halt", rndis_halt, rndis_request_id),
	RNDIS(RNDIS_MSG_QUERY, "query", rndis_request, rndis_request),
	RNDIS(RNDIS_MSG_SET, "set", rndis_request, rndis_request),
	BARE(RNDIS_MSG_RESET, "reset", sizeof(struct rndis_header)),
	RNDIS(RNDIS_MSG_INDICATE_STATUS, "indicate-status", rndis_indicate_status, rndis_indicate_status),
	RNDIS(RNDIS_MSG_KEEPALIVE, "keepalive", rndis_keepalive, rndis_request_id),
	LAYOUT(DONE(RNDIS_MSG_INITIALIZE), "initialize-complete", RNDIS_INITIALIZE_COMPLETE_SIZE_MIN,
	       rndis_initialize_complete),
	RNDIS(DONE(RNDIS_MSG_QUERY), "query-complete", rndis_query_complete, rndis_query_complete),
	RNDIS(DONE(RNDIS_MSG_SET), "set-complete", rndis_complete, rndis_complete),
	LAYOUT(DONE(RNDIS_MSG_RESET), "reset-complete", 12, rndis_reset_complete),
	RNDIS(DONE(RNDIS_MSG_KEEPALIVE), "keepalive-complete", rndis_complete, rndis_complete),
};
const struct trace_protocol trace_rndis = {"rndis", rndis, sizeof(rndis) / sizeof(rndis[0])};

/* --- NDIS objects: one may be cut behind its header, where a guest only asks for it ------- */

#define OBJECT                                                              \
	{"object", 0, 1, FORM_NAME, SHOW_DETAIL, &trace_ndis_object_names}, \
		{"revision", 1, 1, FORM_DEC, SHOW_ALWAYS, NULL},            \
	{                                                                   \
		"object_size", 2, 2, FORM_DEC, SHOW_DETAIL, NULL            \
	}
#define OBJECT_SIZE sizeof(struct ndis_object_header)

#define T struct ndis_offload
static const struct trace_field ndis_offload[] = {
	OBJECT,
	NAMED(T, checksum.ipv4_tx, "tx4", FORM_BITS, SHOW_NONZERO, &trace_ndis_checksum_bits),
	NAMED(T, checksum.ipv4_rx, "rx4", FORM_BITS, SHOW_NONZERO, &trace_ndis_checksum_bits),
	NAMED(T, checksum.ipv6_tx, "tx6", FORM_BITS, SHOW_NONZERO, &trace_ndis_checksum_bits),
	NAMED(T, checksum.ipv6_rx, "rx6", FORM_BITS, SHOW_NONZERO, &trace_ndis_checksum_bits),
	FIELD(T, lso_v2.ipv4_size_max, "lso4_bytes", FORM_DEC, SHOW_NONZERO),
	FIELD(T, lso_v2.ipv4_segments_min, "lso4_segments", FORM_DEC, SHOW_NONZERO),
	FIELD(T, lso_v2.ipv6_size_max, "lso6_bytes", FORM_DEC, SHOW_NONZERO),
	FIELD(T, lso_v2.ipv6_segments_min, "lso6_segments", FORM_DEC, SHOW_NONZERO),
	FIELD(T, lso_v2.ipv6_options, "lso6_options", FORM_HEX, SHOW_DETAIL),
	FIELD(T, flags, "offload_flags", FORM_HEX, SHOW_NONZERO),
	FIELD(T, rsc_ipv4, "rsc4", FORM_YES, SHOW_NONZERO),
	FIELD(T, rsc_ipv6, "rsc6", FORM_YES, SHOW_NONZERO),
};
#undef T
#define T struct ndis_offload_parameters
#define CHECKSUM(member, name) NAMED(T, member, name, FORM_NAME, SHOW_NONZERO, &trace_ndis_checksum_names)
#define SETTING(member, name) NAMED(T, member, name, FORM_NAME, SHOW_NONZERO, &trace_ndis_setting_names)
static const struct trace_field ndis_offload_parameters[] = {
	OBJECT,
	CHECKSUM(ipv4_checksum, "ipv4"),
	CHECKSUM(tcp4_checksum, "tcp4"),
	CHECKSUM(udp4_checksum, "udp4"),
	CHECKSUM(tcp6_checksum, "tcp6"),
	CHECKSUM(udp6_checksum, "udp6"),
	SETTING(lso_v1, "lso_v1"),
	SETTING(lso_v2_ipv4, "lso4"),
	SETTING(lso_v2_ipv6, "lso6"),
	SETTING(rsc_ipv4, "rsc_ipv4"),
	SETTING(rsc_ipv6, "rsc_ipv6"),
};
#undef T
#define T struct ndis_rss_capabilities
static const struct trace_field ndis_rss_capabilities[] = {
	OBJECT,
	NAMED(T, capabilities, "capabilities", FORM_BITS, SHOW_ALWAYS, &trace_ndis_rss_capability_bits),
	FIELD(T, interrupt_messages, "interrupt_messages", FORM_DEC, SHOW_DETAIL),
	FIELD(T, receive_queues, "queues", FORM_DEC, SHOW_ALWAYS),
	FIELD(T, table_entries, "table_entries", FORM_DEC, SHOW_ALWAYS),
};
#undef T
#define T struct ndis_rss_parameters
static const struct trace_field ndis_rss_parameters[] = {
	OBJECT,
	NAMED(T, flags, "rss_flags", FORM_BITS, SHOW_NONZERO, &trace_ndis_rss_flag_bits),
	FIELD(T, base_cpu, "base_cpu", FORM_DEC, SHOW_NONZERO),
	NAMED(T, hash, "hash", FORM_BITS, SHOW_ALWAYS, &trace_ndis_hash_bits),
	FIELD(T, table_size, "table_size", FORM_DEC, SHOW_DETAIL),
	FIELD(T, table_offset, "table_offset", FORM_DEC, SHOW_DETAIL),
	FIELD(T, key_size, "key_size", FORM_DEC, SHOW_DETAIL),
	FIELD(T, key_offset, "key_offset", FORM_DEC, SHOW_DETAIL),
};
#undef T

static const struct trace_layout ndis[] = {
	LAYOUT(RNDIS_OID_TCP_OFFLOAD_CURRENT_CONFIG, "offload", OBJECT_SIZE, ndis_offload),
	LAYOUT(RNDIS_OID_TCP_OFFLOAD_HARDWARE_CAPABILITIES, "offload", OBJECT_SIZE, ndis_offload),
	LAYOUT(RNDIS_OID_TCP_OFFLOAD_PARAMETERS, "offload-parameters", OBJECT_SIZE, ndis_offload_parameters),
	LAYOUT(RNDIS_OID_GEN_RECEIVE_SCALE_CAPABILITIES, "rss-capabilities", OBJECT_SIZE,
	       ndis_rss_capabilities),
	LAYOUT(RNDIS_OID_GEN_RECEIVE_SCALE_PARAMETERS, "rss-parameters", OBJECT_SIZE, ndis_rss_parameters),
};
const struct trace_protocol trace_ndis = {"ndis", ndis, sizeof(ndis) / sizeof(ndis[0])};
