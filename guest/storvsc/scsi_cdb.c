/* SPDX-License-Identifier: MIT */
/* CDBs. Numbers in them are big-endian. */
#include "guest/storvsc/scsi.h"

static void put16(uint8_t *to, uint32_t value)
{
	to[0] = (uint8_t)(value >> 8);
	to[1] = (uint8_t)value;
}

static void put32(uint8_t *to, uint32_t value)
{
	put16(to, value >> 16);
	put16(to + 2, value);
}

static void put64(uint8_t *to, uint64_t value)
{
	put32(to, (uint32_t)(value >> 32));
	put32(to + 4, (uint32_t)value);
}

static void begin(struct hvk_scsi_cdb *cdb, uint8_t operation, uint8_t length)
{
	*cdb = (struct hvk_scsi_cdb){.length = length};
	cdb->bytes[0] = operation;
}

/* Ten bytes as long as they do, where there are such: every device knows those. */
static void run_of_blocks(struct hvk_scsi_cdb *cdb, uint8_t ten, uint8_t sixteen, uint64_t block,
			  uint32_t count, uint8_t flags)
{
	if (ten != sixteen && block <= UINT32_MAX && count <= UINT16_MAX) {
		begin(cdb, ten, 10);
		put32(cdb->bytes + 2, (uint32_t)block);
		put16(cdb->bytes + 7, count);
	} else {
		begin(cdb, sixteen, 16);
		put64(cdb->bytes + 2, block);
		put32(cdb->bytes + 10, count);
	}
	cdb->bytes[1] = flags;
}

void hvk_scsi_read(struct hvk_scsi_cdb *cdb, uint64_t block, uint32_t count)
{
	run_of_blocks(cdb, SCSI_READ_10, SCSI_READ_16, block, count, 0);
}

void hvk_scsi_write(struct hvk_scsi_cdb *cdb, uint64_t block, uint32_t count, bool fua)
{
	run_of_blocks(cdb, SCSI_WRITE_10, SCSI_WRITE_16, block, count, fua ? SCSI_CDB_FUA : 0);
}

void hvk_scsi_synchronize_cache(struct hvk_scsi_cdb *cdb)
{
	begin(cdb, SCSI_SYNCHRONIZE_CACHE_10, 10); /* from block 0, no count: all */
}

void hvk_scsi_test_unit_ready(struct hvk_scsi_cdb *cdb)
{
	begin(cdb, SCSI_TEST_UNIT_READY, 6);
}

void hvk_scsi_inquiry(struct hvk_scsi_cdb *cdb, uint32_t page, uint8_t length)
{
	begin(cdb, SCSI_INQUIRY, 6);
	if (page != HVK_SCSI_STANDARD) {
		cdb->bytes[1] = SCSI_CDB_EVPD;
		cdb->bytes[2] = (uint8_t)page;
	}
	cdb->bytes[4] = length;
}

void hvk_scsi_report_luns(struct hvk_scsi_cdb *cdb, uint32_t length)
{
	begin(cdb, SCSI_REPORT_LUNS, 12);
	put32(cdb->bytes + 6, length);
}

void hvk_scsi_read_capacity_10(struct hvk_scsi_cdb *cdb)
{
	begin(cdb, SCSI_READ_CAPACITY_10, 10);
}

void hvk_scsi_read_capacity_16(struct hvk_scsi_cdb *cdb)
{
	begin(cdb, SCSI_SERVICE_ACTION_IN_16, 16);
	cdb->bytes[1] = SCSI_SERVICE_READ_CAPACITY_16;
	put32(cdb->bytes + 10, sizeof(struct scsi_read_capacity_16));
}

void hvk_scsi_mode_sense_6(struct hvk_scsi_cdb *cdb, uint8_t page, uint8_t length)
{
	begin(cdb, SCSI_MODE_SENSE_6, 6);
	cdb->bytes[2] = page;
	cdb->bytes[4] = length;
}

void hvk_scsi_write_same(struct hvk_scsi_cdb *cdb, uint64_t block, uint32_t count, bool unmap)
{
	run_of_blocks(cdb, unmap ? SCSI_WRITE_SAME_16 : SCSI_WRITE_SAME_10, SCSI_WRITE_SAME_16, block, count,
		      unmap ? SCSI_CDB_UNMAP : 0);
}

void hvk_scsi_unmap(struct hvk_scsi_cdb *cdb, uint8_t list[HVK_SCSI_UNMAP_LIST], uint64_t block,
		    uint32_t count)
{
	begin(cdb, SCSI_UNMAP, 10);
	put16(cdb->bytes + 7, HVK_SCSI_UNMAP_LIST);
	memset(list, 0, HVK_SCSI_UNMAP_LIST);
	put16(list, HVK_SCSI_UNMAP_LIST - 2); /* bytes that follow */
	put16(list + 2, sizeof(struct scsi_unmap_descriptor));
	put64(list + sizeof(struct scsi_unmap_header), block);
	put32(list + sizeof(struct scsi_unmap_header) + 8, count);
}
