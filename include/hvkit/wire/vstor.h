/* SPDX-License-Identifier: MIT */
/*
 * vstor: what a storage controller's channel carries in its packets.
 * Sources: FreeBSD hv_vstorage.h, Linux storvsc_drv.c, OpenVMM storvsp protocol.rs.
 */
#ifndef HVKIT_WIRE_VSTOR_H
#define HVKIT_WIRE_VSTOR_H

#include "wire.h"

#define VSTOR_VERSION_2_0 0x0200u /* Windows Server 2008 */
#define VSTOR_VERSION_4_2 0x0402u /* 2008 R2 */
#define VSTOR_VERSION_5_1 0x0501u /* 2012 */
#define VSTOR_VERSION_6_0 0x0600u /* 2012 R2 */
#define VSTOR_VERSION_6_2 0x0602u /* 2016; OpenVMM has none */

#define VSTOR_OPERATION_COMPLETE_IO 1u /* the host's every answer */
#define VSTOR_OPERATION_REMOVE_DEVICE 2u
#define VSTOR_OPERATION_EXECUTE_SRB 3u
#define VSTOR_OPERATION_RESET_LUN 4u
#define VSTOR_OPERATION_RESET_ADAPTER 5u
#define VSTOR_OPERATION_RESET_BUS 6u /* never to be sent: hosts get it wrong (FreeBSD) */
#define VSTOR_OPERATION_BEGIN_INITIALIZATION 7u
#define VSTOR_OPERATION_END_INITIALIZATION 8u
#define VSTOR_OPERATION_QUERY_PROTOCOL_VERSION 9u
#define VSTOR_OPERATION_QUERY_PROPERTIES 10u
#define VSTOR_OPERATION_ENUMERATE_BUS 11u
#define VSTOR_OPERATION_FCHBA_DATA 12u
#define VSTOR_OPERATION_CREATE_SUBCHANNELS 13u
#define VSTOR_OPERATION_EVENT_NOTIFICATION 14u /* 6.0 */

#define VSTOR_FLAG_REQUEST_COMPLETION 1u

/* NT status values that hosts answer with. */
#define VSTOR_STATUS_SUCCESS 0x00000000u
#define VSTOR_STATUS_BUFFER_OVERFLOW 0x80000005u
#define VSTOR_STATUS_DEVICE_BUSY 0x80000011u
#define VSTOR_STATUS_INVALID_PARAMETER 0xc000000du
#define VSTOR_STATUS_REVISION_MISMATCH 0xc0000059u
#define VSTOR_STATUS_DEVICE_DOES_NOT_EXIST 0xc00000c0u
#define VSTOR_STATUS_CANCELLED 0xc0000120u
#define VSTOR_STATUS_INVALID_DEVICE_STATE 0xc0000184u
#define VSTOR_STATUS_IO_DEVICE_ERROR 0xc0000185u

struct vstor_header {
	uint32_t operation;
	uint32_t flags;
	uint32_t status;
};
HVK_WIRE_SIZE(struct vstor_header, 12);

struct vstor_version {
	uint16_t version; /* major << 8 | minor */
	uint16_t revision;
};
HVK_WIRE_SIZE(struct vstor_version, 4);

#define VSTOR_PROPERTY_MULTI_CHANNEL 1u

struct vstor_properties {
	uint32_t reserved;
	uint16_t subchannels_max;
	uint16_t reserved_1;
	uint32_t flags;
	uint32_t transfer_bytes_max;
	uint32_t reserved_2[2]; /* not sure to be zero before 5.1 */
};
HVK_WIRE_SIZE(struct vstor_properties, 24);

#define VSTOR_CDB_SIZE 16u
#define VSTOR_SENSE_SIZE 20u
#define VSTOR_SENSE_SIZE_OLD 18u /* before 5.1 */

#define VSTOR_DATA_OUT 0u
#define VSTOR_DATA_IN 1u
#define VSTOR_DATA_NONE 2u /* unknown, or none */

#define VSTOR_SRB_QUEUE_ACTION_ENABLE 0x00000002u
#define VSTOR_SRB_DISABLE_DISCONNECT 0x00000004u
#define VSTOR_SRB_DISABLE_SYNCH_TRANSFER 0x00000008u
#define VSTOR_SRB_DATA_IN 0x00000040u
#define VSTOR_SRB_DATA_OUT 0x00000080u
#define VSTOR_SRB_NO_QUEUE_FREEZE 0x00000100u

#define VSTOR_TAG_SIMPLE 0x20u
#define VSTOR_TAG_HEAD_OF_QUEUE 0x21u
#define VSTOR_TAG_ORDERED 0x22u

/* Payload of EXECUTE_SRB and of its answer. */
struct vstor_request {
	uint16_t length; /* of this structure as sent */
	uint8_t srb_status;
	uint8_t scsi_status;
	uint8_t port;
	uint8_t path;
	uint8_t target;
	uint8_t lun;
	uint8_t cdb_length;
	uint8_t sense_length;
	uint8_t data_direction;
	uint8_t properties;
	uint32_t data_length;  /* in the answer: transferred */
	uint8_t cdb_sense[20]; /* the CDB; in the answer sense data */
	/* From 5.1. */
	uint16_t reserved;
	uint8_t tag;
	uint8_t action;
	uint32_t srb_flags;
	uint32_t timeout; /* seconds */
	uint32_t sort_key;
};
HVK_WIRE_SIZE(struct vstor_request, 52);
#define VSTOR_REQUEST_SIZE_OLD 36u /* before 5.1 */
HVK_WIRE_OFFSET(struct vstor_request, reserved, VSTOR_REQUEST_SIZE_OLD);

#define VSTOR_PACKET_SIZE 64u
#define VSTOR_PACKET_SIZE_OLD 48u /* before 5.1 */

#define VSTOR_SRB_STATUS_PENDING 0x00u
#define VSTOR_SRB_STATUS_SUCCESS 0x01u
#define VSTOR_SRB_STATUS_ABORTED 0x02u
#define VSTOR_SRB_STATUS_ERROR 0x04u
#define VSTOR_SRB_STATUS_BUSY 0x05u
#define VSTOR_SRB_STATUS_INVALID_REQUEST 0x06u
#define VSTOR_SRB_STATUS_NO_DEVICE 0x08u
#define VSTOR_SRB_STATUS_TIMEOUT 0x09u
#define VSTOR_SRB_STATUS_DATA_OVERRUN 0x12u
#define VSTOR_SRB_STATUS_INVALID_LUN 0x20u
#define VSTOR_SRB_STATUS_QUEUE_FROZEN 0x40u /* or'ed in */
#define VSTOR_SRB_STATUS_AUTOSENSE_VALID 0x80u
#define VSTOR_SRB_STATUS_MASK 0x3fu

/* User data of the offer. */
struct vstor_offer_data {
	uint16_t reserved;
	uint8_t path;
	uint8_t target;
	uint32_t reserved_1;
	uint32_t flags;
	uint32_t reserved_2[3];
};
HVK_WIRE_SIZE(struct vstor_offer_data, 24);
#define VSTOR_OFFER_EMULATED_IDE 2u

#endif
