/* SPDX-License-Identifier: MIT */
/*
 * RNDIS codec: builds messages, parses what came in a transfer-page range into
 * checked private values. Pure functions. Private to guest/netvsc.
 *
 * A range is one message, and the range's size is where the message ends. Bytes 4 to
 * 7, where RNDIS has a length of its own, are not even copied out: Windows Server 2012
 * R2 writes lengths there that do not cover the message (iPXE 639632b05).
 */
#ifndef HVK_NETVSC_RNDIS_H
#define HVK_NETVSC_RNDIS_H

#include "guest/core/core.h"
#include "hvkit/wire/rndis.h"

#define HVK_RNDIS_INFO_MAX 16u         /* bytes of information in a QUERY's answer or a SET */
#define HVK_RNDIS_INFO_ENTRIES_MAX 64u /* per-packet information entries walked */

/* A control message to be sent. */
struct hvk_rndis_message {
	uint32_t length;
	uint32_t words[(sizeof(struct rndis_request) + HVK_RNDIS_INFO_MAX) / 4];
};

void hvk_rndis_build_initialize(struct hvk_rndis_message *message, uint32_t request_id);
void hvk_rndis_build_halt(struct hvk_rndis_message *message, uint32_t request_id);
void hvk_rndis_build_query(struct hvk_rndis_message *message, uint32_t request_id, uint32_t oid);
void hvk_rndis_build_set(struct hvk_rndis_message *message, uint32_t request_id, uint32_t oid,
			 uint32_t value);
void hvk_rndis_build_keepalive_complete(struct hvk_rndis_message *message, uint32_t request_id);
/* The header of a frame of that length, which follows it. */
void hvk_rndis_build_packet(struct rndis_packet *packet, uint32_t frame_length);

/* HVK_EHOST_RNDIS if the range does not hold a header. */
hvk_status hvk_rndis_parse_type(const struct hvk_shared *range, uint32_t *type);

/* Where the frame is in a PACKET's range. */
struct hvk_rndis_frame {
	uint32_t offset, length;
	bool vlan;         /* the host took the tag out */
	uint16_t vlan_tag; /* priority << 13 | CFI << 12 | id */
};
hvk_status hvk_rndis_parse_packet(const struct hvk_shared *range, struct hvk_rndis_frame *frame);

/* INITIALIZE_COMPLETE, QUERY_COMPLETE, SET_COMPLETE: their first two fields. */
struct hvk_rndis_answer {
	uint32_t request_id;
	uint32_t status;
};
hvk_status hvk_rndis_parse_answer(const struct hvk_shared *range, struct hvk_rndis_answer *answer);

/* What follows in an INITIALIZE_COMPLETE of status success. HVK_EHOST_VALUE: not RNDIS 1,
 * not Ethernet. */
struct hvk_rndis_device {
	uint32_t max_packets, max_transfer_size, alignment_factor;
};
hvk_status hvk_rndis_parse_initialize(const struct hvk_shared *range, struct hvk_rndis_device *device);

/* What follows in a QUERY_COMPLETE of status success: at most HVK_RNDIS_INFO_MAX bytes. */
hvk_status hvk_rndis_parse_query(const struct hvk_shared *range, uint8_t info[HVK_RNDIS_INFO_MAX],
				 uint32_t *length);

/* The status of an INDICATE_STATUS. Its buffer is looked at by nobody. */
hvk_status hvk_rndis_parse_status(const struct hvk_shared *range, uint32_t *status);

hvk_status hvk_rndis_parse_keepalive(const struct hvk_shared *range, uint32_t *request_id);

#endif
