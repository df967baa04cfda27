/* SPDX-License-Identifier: MIT */
/* SCSI as a disk driver needs it: CDBs, and what devices say of themselves. Pure functions. */
#ifndef HVK_STORVSC_SCSI_H
#define HVK_STORVSC_SCSI_H

#include "guest/core/core.h"
#include "hvkit/block.h"
#include "hvkit/wire/scsi.h"
#include "hvkit/wire/vstor.h"

#define HVK_SCSI_CDB_MAX 16u

struct hvk_scsi_cdb {
	uint8_t length;
	uint8_t bytes[HVK_SCSI_CDB_MAX];
};

/* --- Commands ------------------------------------------------------------------------- */

void hvk_scsi_read(struct hvk_scsi_cdb *cdb, uint64_t block, uint32_t count);
void hvk_scsi_write(struct hvk_scsi_cdb *cdb, uint64_t block, uint32_t count, bool fua);
void hvk_scsi_synchronize_cache(struct hvk_scsi_cdb *cdb);
void hvk_scsi_test_unit_ready(struct hvk_scsi_cdb *cdb);
/* page: HVK_SCSI_STANDARD, or one of vital product data. */
#define HVK_SCSI_STANDARD 0x100u
void hvk_scsi_inquiry(struct hvk_scsi_cdb *cdb, uint32_t page, uint8_t length);
void hvk_scsi_report_luns(struct hvk_scsi_cdb *cdb, uint32_t length);
void hvk_scsi_read_capacity_10(struct hvk_scsi_cdb *cdb);
void hvk_scsi_read_capacity_16(struct hvk_scsi_cdb *cdb);
void hvk_scsi_mode_sense_6(struct hvk_scsi_cdb *cdb, uint8_t page, uint8_t length);
/* One block of data, written count times; unmap: or taken back, if it reads as zeros then (in the long
 * form: that is what devices have that say they can). */
void hvk_scsi_write_same(struct hvk_scsi_cdb *cdb, uint64_t block, uint32_t count, bool unmap);
#define HVK_SCSI_UNMAP_LIST 24u /* bytes of the list for one run of blocks */
void hvk_scsi_unmap(struct hvk_scsi_cdb *cdb, uint8_t list[HVK_SCSI_UNMAP_LIST], uint64_t block,
		    uint32_t count);

/* --- Answers ------------------------------------------------------------------------------ */

struct hvk_scsi_sense {
	bool known; /* there is any */
	uint8_t key;
	uint16_t code; /* additional sense: code << 8 | qualifier */
};
/* Fixed and descriptor format. */
void hvk_scsi_parse_sense(const uint8_t *bytes, uint32_t length, struct hvk_scsi_sense *sense);

/* What a scan finds out about a unit. */
struct hvk_scsi_identity {
	uint8_t type;    /* SCSI_DEVICE_* */
	uint8_t version; /* SCSI_VERSION_*, after the fix-ups */
	bool removable, queues;
	bool pages[256]; /* of vital product data */
	bool unmap, write_same_unmap;
	bool cache_known;        /* what WRITE_CACHE says of it */
	uint64_t write_same_max; /* blocks; 0: not said */
	uint32_t unmap_max;      /* blocks; 0: not said */
	uint32_t transfer_max;   /* blocks; 0: not said */
	struct hvk_block_info info;
};

/* Standard data, with the fix-ups of FreeBSD's storvsc for what hosts say wrongly; protocol is the
 * version of vstor. False: there is no unit. */
bool hvk_scsi_parse_inquiry(const uint8_t *bytes, uint32_t length, uint16_t protocol,
			    struct hvk_scsi_identity *out);
void hvk_scsi_parse_supported_pages(const uint8_t *bytes, uint32_t length, struct hvk_scsi_identity *out);
void hvk_scsi_parse_serial(const uint8_t *bytes, uint32_t length, struct hvk_block_info *info);
void hvk_scsi_parse_identification(const uint8_t *bytes, uint32_t length, struct hvk_block_info *info);
void hvk_scsi_parse_block_limits(const uint8_t *bytes, uint32_t length, struct hvk_scsi_identity *out);
void hvk_scsi_parse_characteristics(const uint8_t *bytes, uint32_t length, struct hvk_block_info *info);
void hvk_scsi_parse_provisioning(const uint8_t *bytes, uint32_t length, struct hvk_scsi_identity *out);
/* False: it cannot be (block size, too short). */
bool hvk_scsi_parse_capacity_10(const uint8_t *bytes, uint32_t length, struct hvk_block_info *info,
				bool *more);
bool hvk_scsi_parse_capacity_16(const uint8_t *bytes, uint32_t length, struct hvk_scsi_identity *out);
void hvk_scsi_parse_mode_sense_6(const uint8_t *bytes, uint32_t length, struct hvk_scsi_identity *out);

/* Number n of the list of LUNs; false past the last. LUNs that one byte cannot hold are UINT32_MAX. */
uint32_t hvk_scsi_lun_count(const uint8_t header[8], uint32_t length);
uint32_t hvk_scsi_lun(const uint8_t entry[8]);

#endif
