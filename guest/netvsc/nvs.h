/* SPDX-License-Identifier: MIT */
/*
 * NVS codec: builds requests, parses answers into checked private values. Pure
 * functions: no state, no logging. Private to guest/netvsc.
 *
 * Parsers take a private copy of a payload (hvk_packet.payload) and return HVK_OK, a
 * refusal (HVK_EREFUSED_...) or a host fault (HVK_EHOST_...).
 */
#ifndef HVK_NETVSC_NVS_H
#define HVK_NETVSC_NVS_H

#include "guest/core/core.h"
#include "hvkit/wire/nvs.h"

struct hvk_nvs_message {
	uint32_t size; /* 32, or 40 from 6.1: shorter requests are never answered (FreeBSD) */
	uint32_t bytes[NVS_REQUEST_SIZE_6_1 / 4]; /* padding is zero */
};

void hvk_nvs_build_init(struct hvk_nvs_message *message, uint32_t version);
/* Announces what the guest takes: tags beside the frame, from 5 (if vf) a VF beside the card, and from 6.1
 * joined frames (which come once they are switched on). */
void hvk_nvs_build_ndis_config(struct hvk_nvs_message *message, uint32_t version, uint32_t frame_max,
			       bool vf);
/* NDIS 6.1 up to NVS 4, 6.30 above (Linux, FreeBSD). */
uint32_t hvk_nvs_ndis_minor(uint32_t version);
void hvk_nvs_build_ndis_version(struct hvk_nvs_message *message, uint32_t version);
/* type: NVS_TYPE_RECEIVE_BUFFER or NVS_TYPE_SEND_BUFFER. */
void hvk_nvs_build_buffer(struct hvk_nvs_message *message, uint32_t version, uint32_t type, uint32_t gpadl,
			  uint16_t page_set_id);
/* type: NVS_TYPE_REVOKE_RECEIVE_BUFFER or NVS_TYPE_REVOKE_SEND_BUFFER. */
void hvk_nvs_build_revoke(struct hvk_nvs_message *message, uint32_t version, uint32_t type,
			  uint16_t page_set_id);
void hvk_nvs_build_rndis(struct hvk_nvs_message *message, uint32_t version, uint32_t channel_type,
			 uint32_t section_index, uint32_t section_size);
/* Asks for that many channels more. */
void hvk_nvs_build_subchannels(struct hvk_nvs_message *message, uint32_t version, uint32_t count);

/* Where frames for the guest are to go. */
void hvk_nvs_build_data_path(struct hvk_nvs_message *message, uint32_t version, bool vf);

/* What the host says of a VF beside the card. */
hvk_status hvk_nvs_parse_association(const void *payload, uint32_t length, bool *allocated, uint32_t *serial);

/* The type of any NVS message. */
hvk_status hvk_nvs_parse_type(const void *payload, uint32_t length, uint32_t *type);

/* HVK_EREFUSED_NVS_VERSION: not this version, try the next. */
hvk_status hvk_nvs_parse_init_complete(const void *payload, uint32_t length);

struct hvk_nvs_geometry {
	uint32_t suballocation_size;
	uint32_t suballocation_count;
	uint32_t extent; /* size * count: ranges lie below, at most the buffer's size */
};
#define HVK_NVS_SUBALLOCATION_MIN 68u /* smallest Ethernet MTU; what Linux demands */
#define HVK_NVS_SECTION_MIN 68u

hvk_status hvk_nvs_parse_receive_buffer(const void *payload, uint32_t length, uint32_t buffer_size,
					struct hvk_nvs_geometry *geometry);
/* section_size 0: there are none that could be used. */
hvk_status hvk_nvs_parse_send_buffer(const void *payload, uint32_t length, uint32_t buffer_size,
				     uint32_t *section_size);

/* The answer to an RNDIS message: HVK_EREFUSED_RNDIS if its status is not success. */
hvk_status hvk_nvs_parse_rndis_complete(const void *payload, uint32_t length);

/* How many channels will be offered, at most asked. HVK_EREFUSED_NVS: none. */
hvk_status hvk_nvs_parse_subchannels(const void *payload, uint32_t length, uint32_t asked, uint32_t *count);

/* SEND_INDIRECTION_TABLE: entry i is the channel for frames whose hash is i modulo the count; which
 * channels there are, the caller knows. Up to 6.0 the table of a message of 104 bytes lies at 40,
 * whatever its offset says: a bug of old hosts (Linux). */
hvk_status hvk_nvs_parse_send_indirection(const void *payload, uint32_t length, uint32_t version,
					  uint32_t table[NVS_SEND_INDIRECTION_COUNT]);

#endif
