/* SPDX-License-Identifier: MIT */
/*
 * SCSI as far as Hyper-V's disks and CD-ROMs need it. Numbers in CDBs, data and sense are
 * big-endian. Sources: SPC-4, SBC-3, MMC-6 (public drafts of T10), Linux scsi_proto.h.
 */
#ifndef HVKIT_WIRE_SCSI_H
#define HVKIT_WIRE_SCSI_H

#include "wire.h"

#define SCSI_TEST_UNIT_READY 0x00u
#define SCSI_REQUEST_SENSE 0x03u
#define SCSI_READ_6 0x08u
#define SCSI_WRITE_6 0x0au
#define SCSI_INQUIRY 0x12u
#define SCSI_MODE_SELECT_6 0x15u
#define SCSI_MODE_SENSE_6 0x1au
#define SCSI_START_STOP_UNIT 0x1bu
#define SCSI_PREVENT_ALLOW_REMOVAL 0x1eu
#define SCSI_READ_CAPACITY_10 0x25u
#define SCSI_READ_10 0x28u
#define SCSI_WRITE_10 0x2au
#define SCSI_VERIFY_10 0x2fu
#define SCSI_SYNCHRONIZE_CACHE_10 0x35u
#define SCSI_WRITE_SAME_10 0x41u
#define SCSI_UNMAP 0x42u
#define SCSI_READ_TOC 0x43u
#define SCSI_GET_CONFIGURATION 0x46u
#define SCSI_GET_EVENT_STATUS 0x4au
#define SCSI_READ_DISC_INFORMATION 0x51u
#define SCSI_READ_TRACK_INFORMATION 0x52u
#define SCSI_MODE_SELECT_10 0x55u
#define SCSI_MODE_SENSE_10 0x5au
#define SCSI_PERSISTENT_RESERVE_IN 0x5eu
#define SCSI_PERSISTENT_RESERVE_OUT 0x5fu
#define SCSI_READ_16 0x88u
#define SCSI_WRITE_16 0x8au
#define SCSI_VERIFY_16 0x8fu
#define SCSI_SYNCHRONIZE_CACHE_16 0x91u
#define SCSI_WRITE_SAME_16 0x93u
#define SCSI_SERVICE_ACTION_IN_16 0x9eu
#define SCSI_SERVICE_READ_CAPACITY_16 0x10u
#define SCSI_REPORT_LUNS 0xa0u
#define SCSI_MAINTENANCE_IN 0xa3u
#define SCSI_SERVICE_REPORT_OPCODES 0x0cu
#define SCSI_READ_12 0xa8u
#define SCSI_WRITE_12 0xaau

#define SCSI_STATUS_GOOD 0x00u
#define SCSI_STATUS_CHECK_CONDITION 0x02u
#define SCSI_STATUS_BUSY 0x08u
#define SCSI_STATUS_RESERVATION_CONFLICT 0x18u
#define SCSI_STATUS_TASK_SET_FULL 0x28u
#define SCSI_STATUS_TASK_ABORTED 0x40u

#define SCSI_SENSE_NO_SENSE 0x0u
#define SCSI_SENSE_RECOVERED 0x1u
#define SCSI_SENSE_NOT_READY 0x2u
#define SCSI_SENSE_MEDIUM_ERROR 0x3u
#define SCSI_SENSE_HARDWARE_ERROR 0x4u
#define SCSI_SENSE_ILLEGAL_REQUEST 0x5u
#define SCSI_SENSE_UNIT_ATTENTION 0x6u
#define SCSI_SENSE_DATA_PROTECT 0x7u
#define SCSI_SENSE_ABORTED_COMMAND 0xbu

/* Additional sense: code << 8 | qualifier. */
#define SCSI_ASC_NOT_READY_BECOMING_READY 0x0401u
#define SCSI_ASC_WRITE_ERROR 0x0c00u
#define SCSI_ASC_UNRECOVERED_READ_ERROR 0x1100u
#define SCSI_ASC_INVALID_OPERATION_CODE 0x2000u
#define SCSI_ASC_LBA_OUT_OF_RANGE 0x2100u
#define SCSI_ASC_INVALID_FIELD_IN_CDB 0x2400u
#define SCSI_ASC_LOGICAL_UNIT_NOT_SUPPORTED 0x2500u
#define SCSI_ASC_INVALID_FIELD_IN_PARAMETERS 0x2600u
#define SCSI_ASC_WRITE_PROTECTED 0x2700u
#define SCSI_ASC_MEDIUM_MAY_HAVE_CHANGED 0x2800u
#define SCSI_ASC_POWER_ON_OR_RESET 0x2900u
#define SCSI_ASC_CAPACITY_HAS_CHANGED 0x2a09u
#define SCSI_ASC_MEDIUM_NOT_PRESENT 0x3a00u
#define SCSI_ASC_INTERNAL_TARGET_FAILURE 0x4400u
#define SCSI_ASC_INQUIRY_DATA_CHANGED 0x3f03u
#define SCSI_ASC_REPORTED_LUNS_CHANGED 0x3f0eu
#define SCSI_ASC_MEDIUM_REMOVAL_PREVENTED 0x5302u

/* Fixed format. */
struct scsi_sense {
	uint8_t response; /* 0x70 current; bit 7: information is valid */
	uint8_t segment;
	uint8_t key; /* low four bits */
	uint8_t information[4];
	uint8_t additional_length;
	uint8_t command_specific[4];
	uint8_t code, qualifier;
	uint8_t unit_code;
	uint8_t key_specific[3];
};
HVK_WIRE_SIZE(struct scsi_sense, 18);
#define SCSI_SENSE_RESPONSE_FIXED 0x70u

#define SCSI_DEVICE_DISK 0x00u
#define SCSI_DEVICE_CDROM 0x05u
#define SCSI_DEVICE_UNKNOWN 0x1fu
#define SCSI_QUALIFIER_NOT_PRESENT 0x60u /* with UNKNOWN: 0x7f */

#define SCSI_VERSION_SPC2 4u
#define SCSI_VERSION_SPC3 5u
#define SCSI_VERSION_SPC4 6u

struct scsi_inquiry {
	uint8_t device_type; /* low five bits; qualifier above */
	uint8_t removable;   /* bit 7 */
	uint8_t version;
	uint8_t response_format; /* 2 in the low four bits */
	uint8_t additional_length;
	uint8_t flags[3]; /* bit 1 of the last: CmdQue */
	uint8_t vendor[8];
	uint8_t product[16];
	uint8_t revision[4];
};
HVK_WIRE_SIZE(struct scsi_inquiry, 36);

#define SCSI_VPD_SUPPORTED_PAGES 0x00u
#define SCSI_VPD_SERIAL 0x80u
#define SCSI_VPD_IDENTIFICATION 0x83u
#define SCSI_VPD_BLOCK_LIMITS 0xb0u
#define SCSI_VPD_BLOCK_CHARACTERISTICS 0xb1u
#define SCSI_VPD_PROVISIONING 0xb2u

struct scsi_read_capacity_10 {
	uint8_t last_lba[4];
	uint8_t block_size[4];
};
HVK_WIRE_SIZE(struct scsi_read_capacity_10, 8);

struct scsi_read_capacity_16 {
	uint8_t last_lba[8];
	uint8_t block_size[4];
	uint8_t protection;
	uint8_t physical_exponent;     /* low four bits: 1 << n logical blocks in a physical one */
	uint8_t provisioning_align[2]; /* bit 7: thin (LBPME), bit 6: unmapped reads zeros (LBPRZ) */
	uint8_t reserved[16];
};
HVK_WIRE_SIZE(struct scsi_read_capacity_16, 32);

struct scsi_unmap_header {
	uint8_t data_length[2];
	uint8_t descriptors_length[2];
	uint8_t reserved[4];
};
HVK_WIRE_SIZE(struct scsi_unmap_header, 8);

struct scsi_unmap_descriptor {
	uint8_t lba[8];
	uint8_t count[4];
	uint8_t reserved[4];
};
HVK_WIRE_SIZE(struct scsi_unmap_descriptor, 16);

#define SCSI_MODE_PAGE_CACHING 0x08u
#define SCSI_MODE_PAGE_CONTROL 0x0au
#define SCSI_MODE_PAGE_ALL 0x3fu
#define SCSI_MODE_DEVICE_SPECIFIC_WRITE_PROTECT 0x80u
#define SCSI_MODE_DEVICE_SPECIFIC_DPOFUA 0x10u
#define SCSI_CACHING_WRITE_CACHE_ENABLED 0x04u /* byte 2 */

#define SCSI_CDB_FUA 0x08u         /* byte 1 of READ and WRITE from 10 on */
#define SCSI_CDB_EVPD 0x01u        /* byte 1 of INQUIRY */
#define SCSI_CDB_UNMAP 0x08u       /* byte 1 of WRITE SAME */
#define SCSI_CDB_NO_DATA_OUT 0x01u /* byte 1 of WRITE SAME(16): blocks of zeros */

#define SCSI_CDROM_BLOCK 2048u

#endif
