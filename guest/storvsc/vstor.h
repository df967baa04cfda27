/* SPDX-License-Identifier: MIT */
/* The vstor codec: packets to the host, checked answers from it. Pure functions on private copies. */
#ifndef HVK_STORVSC_VSTOR_H
#define HVK_STORVSC_VSTOR_H

#include "guest/core/core.h"
#include "hvkit/wire/vstor.h"

struct hvk_vstor_packet {
	uint32_t size;
	uint8_t bytes[VSTOR_PACKET_SIZE];
};

/* What EXECUTE_SRB says. */
struct hvk_vstor_srb {
	uint8_t path, target, lun;
	uint8_t cdb_length;
	uint8_t direction; /* VSTOR_DATA_* */
	uint8_t action;    /* VSTOR_TAG_*; 0 = untagged */
	uint32_t length;   /* of the data */
	uint32_t timeout;  /* seconds */
	uint8_t cdb[VSTOR_CDB_SIZE];
};

/* What the host says of one, checked. */
struct hvk_vstor_result {
	uint32_t nt_status;
	uint8_t srb_status; /* without the bits that are or'ed in */
	uint8_t scsi_status;
	uint8_t sense_length;
	uint8_t sense[VSTOR_SENSE_SIZE];
	uint32_t transferred;
};

struct hvk_vstor_limits {
	bool multi_channel;
	uint16_t subchannels_max;
	uint32_t transfer_bytes_max;
};

/* Of that version; before one is agreed on (0) the longest. */
uint32_t hvk_vstor_packet_size(uint16_t version);
uint32_t hvk_vstor_sense_size(uint16_t version);
bool hvk_vstor_is_version(uint16_t version);

/* An operation without a payload. */
void hvk_vstor_build(struct hvk_vstor_packet *packet, uint16_t version, uint32_t operation);
void hvk_vstor_build_query_version(struct hvk_vstor_packet *packet, uint16_t wanted);
void hvk_vstor_build_subchannels(struct hvk_vstor_packet *packet, uint16_t version, uint16_t count);
/* operation: EXECUTE_SRB, or RESET_LUN (which needs the address alone). */
void hvk_vstor_build_srb(struct hvk_vstor_packet *packet, uint16_t version, uint32_t operation,
			 const struct hvk_vstor_srb *srb);

/* Every answer is COMPLETE_IO; nt_status is the host's. HVK_EHOST_VSTOR. */
hvk_status hvk_vstor_parse_answer(const uint8_t *payload, uint32_t length, uint32_t *nt_status);
/* HVK_EREFUSED_VSTOR, HVK_EHOST_VSTOR, HVK_EHOST_VALUE (less than a page at a time). */
hvk_status hvk_vstor_parse_properties(const uint8_t *payload, uint32_t length,
				      struct hvk_vstor_limits *limits);
/* asked: bytes of data that were to be moved; more cannot have been. HVK_EHOST_VSTOR. */
hvk_status hvk_vstor_parse_result(const uint8_t *payload, uint32_t length, uint16_t version, uint32_t asked,
				  struct hvk_vstor_result *result);
/* What the host says by itself. HVK_EHOST_VSTOR: too short, or nothing that it may say unasked. */
hvk_status hvk_vstor_parse_notice(const uint8_t *payload, uint32_t length, uint32_t *operation);

#endif
