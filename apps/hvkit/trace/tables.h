/* SPDX-License-Identifier: MIT */
/*
 * What the decoder knows: names of values, layouts of messages. Tables only, over
 * include/hvkit/wire; tools/wireshark/hvkit.lua holds the same tables, printed from
 * these (tests/dissector/lua_tables.c).
 */
#ifndef CLI_TRACE_TABLES_H
#define CLI_TRACE_TABLES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hvkit/wire/vmbus.h"

struct trace_name {
	uint64_t value;
	const char *name;
};

struct trace_names {
	const char *id;
	const struct trace_name *list;
	uint32_t count;
};

enum trace_form {
	FORM_DEC,
	FORM_HEX,
	FORM_VERSION, /* major << 16 | minor */
	FORM_GUID,
	FORM_YES,     /* yes or no, by bit 0 */
	FORM_NAME,    /* of names; a value without a name in hexadecimal */
	FORM_BITS,    /* bits with names, joined by '+'; what is left in hexadecimal */
	FORM_BYTES,   /* in hexadecimal */
	FORM_PAGES,   /* page frame numbers to the end of the message */
	FORM_NETWORK, /* FORM_DEC, most significant byte first */
	FORM_MARKED,  /* the low bits a name, those above them bits with names */
	FORM_SWAPPED, /* minor << 16 | major */
	FORM_TEXT16   /* UTF-16 up to its zero */
};
#define TRACE_MARKED_MASK 0x3fu /* of FORM_MARKED */

/* Detail: not in the one-line form. Nonzero: there only if it is not 0. */
enum trace_show { SHOW_DETAIL, SHOW_ALWAYS, SHOW_NONZERO };

struct trace_field {
	const char *name;
	uint16_t at, size; /* size 0: to the end */
	uint8_t form, show;
	const struct trace_names *names;
};

struct trace_layout {
	uint32_t type;
	const char *name;
	uint16_t size_min;
	uint16_t field_count;
	const struct trace_field *fields;
};

struct trace_protocol {
	const char *id;
	const struct trace_layout *layouts;
	uint32_t count;
};

enum trace_register_form { REGISTER_PLAIN, REGISTER_PAGE, REGISTER_SINT, REGISTER_ENABLE };

struct trace_register {
	uint32_t number;
	const char *name;
	enum trace_register_form form;
};

struct trace_interface {
	struct vmbus_guid guid;
	const char *name;
};

/* trace_ndis: by the OID that carries the object.
 * trace_nvs_answers: types that mean something else to the guest; looked at first there.
 * trace_vstor_answers: by the operation that was asked for.
 * trace_scsi: commands by their code.
 * trace_ic: all have one header; trace_ic_body, _kvp, _vss, _fcopy: what is behind it. */
extern const struct trace_protocol trace_messages, trace_nvs, trace_nvs_answers, trace_rndis, trace_ndis,
	trace_vstor, trace_vstor_answers, trace_scsi, trace_keyboard, trace_mouse, trace_ic, trace_ic_body,
	trace_kvp, trace_vss, trace_fcopy;

extern const struct trace_names trace_kind_names, trace_hypercall_names, trace_hv_status_names,
	trace_packet_names, trace_nvs_status_names, trace_nvs_version_names, trace_nvs_channel_names,
	trace_nvs_capability_bits, trace_rndis_status_names, trace_oid_names, trace_filter_bits,
	trace_ppi_names, trace_vmbus_status_names, trace_offer_bits, trace_data_path_names,
	trace_tx_checksum_bits, trace_rx_checksum_bits, trace_part_bits, trace_ndis_object_names,
	trace_ndis_checksum_bits, trace_ndis_checksum_names, trace_ndis_setting_names,
	trace_ndis_rss_capability_bits, trace_ndis_rss_flag_bits, trace_ndis_hash_bits;
extern const struct trace_names trace_vstor_version_names, trace_vstor_status_names, trace_vstor_flag_bits,
	trace_vstor_data_names, trace_vstor_order_names, trace_srb_status_names, trace_srb_flag_bits,
	trace_scsi_status_names, trace_sense_key_names, trace_sense_code_names, trace_vpd_page_names,
	trace_mode_page_names, trace_transfer_bits, trace_verify_bits, trace_same_bits, trace_unmap_bits,
	trace_start_bits, trace_cache_bits, trace_service_names, trace_maintenance_names,
	trace_reserve_in_names, trace_reserve_out_names;
extern const struct trace_names trace_keystroke_bits, trace_led_bits, trace_ic_status_names,
	trace_ic_flag_bits, trace_shutdown_bits, trace_timesync_bits, trace_pool_names, trace_kvp_type_names,
	trace_family_bits, trace_vss_bits, trace_fcopy_bits;

/* Every list of names above. */
extern const struct trace_names *const trace_all_names[];
extern const uint32_t trace_all_names_count;

extern const struct trace_register trace_registers[];
extern const uint32_t trace_register_count;
extern const struct trace_interface trace_interfaces[];
extern const uint32_t trace_interface_count;

#define TRACE_INTERFACE_NETVSC "netvsc"
#define TRACE_INTERFACE_STORVSC "storvsc"
#define TRACE_INTERFACE_IDE "ide"
#define TRACE_INTERFACE_KEYBOARD "keyboard"
#define TRACE_INTERFACE_MOUSE "mouse"
#define TRACE_INTERFACE_SOCKET "socket"
#define TRACE_INTERFACE_OTHER "device"

/* NULL if there is none. */
const char *trace_name(const struct trace_names *names, uint64_t value);
const struct trace_layout *trace_layout(const struct trace_protocol *protocol, uint32_t type);
const struct trace_register *trace_register(uint32_t number);
const char *trace_interface(const uint8_t *guid);
/* Is that one of the integration components? */
bool trace_is_component(const char *device);

#endif
