/* SPDX-License-Identifier: MIT */
/* INQUIRY: the standard data and the vital product data pages. */
#include "command.h"

#define COMMAND_QUEUE 0x02u /* in the last of the flags */
#define REMOVABLE 0x80u
#define RESPONSE_FORMAT 2u
#define PAGE_HEADER 4u
#define CODE_SET_BINARY 1u
#define CODE_SET_ASCII 2u
#define DESIGNATOR_T10 1u
#define DESIGNATOR_NAA 3u
#define LIMITS_LENGTH 0x3cu

void scsi_inquiry_data(const struct scsi_unit *unit, struct scsi_inquiry *data)
{
	memset(data, 0, sizeof *data);
	data->response_format = RESPONSE_FORMAT;
	data->additional_length = sizeof *data - 5;
	if (unit == NULL) {
		data->device_type = SCSI_QUALIFIER_NOT_PRESENT | SCSI_DEVICE_UNKNOWN;
		data->version = SCSI_VERSION_SPC3;
		return;
	}
	data->device_type = unit->cdrom ? SCSI_DEVICE_CDROM : SCSI_DEVICE_DISK;
	data->removable = unit->cdrom ? REMOVABLE : 0;
	data->version = unit->version;
	data->flags[2] = COMMAND_QUEUE;
	memcpy(data->vendor, unit->vendor, sizeof data->vendor);
	memcpy(data->product, unit->product, sizeof data->product);
	memcpy(data->revision, unit->revision, sizeof data->revision);
}

/* --- Pages: what follows the header of four bytes; its length is returned ---------------- */

static uint32_t page_serial(const struct scsi_unit *unit, uint8_t *page)
{
	uint32_t length = (uint32_t)strlen(unit->serial);

	memcpy(page, unit->serial, length);
	return length;
}

static uint32_t designator(uint8_t *at, uint8_t code_set, uint8_t type, uint32_t length)
{
	at[0] = code_set;
	at[1] = type;
	at[2] = 0;
	at[3] = (uint8_t)length;
	return 4 + length;
}

/* T10 vendor identification: vendor, product and serial number; and NAA, which is what names it. */
static uint32_t page_identification(const struct scsi_unit *unit, uint8_t *page)
{
	uint32_t serial = (uint32_t)strlen(unit->serial), at = 4;

	memcpy(page + at, unit->vendor, 8);
	memcpy(page + at + 8, unit->product, 16);
	memcpy(page + at + 24, unit->serial, serial);
	at = designator(page, CODE_SET_ASCII, DESIGNATOR_T10, 24 + serial);
	memcpy(page + at + 4, unit->designator, sizeof unit->designator);
	return at + designator(page + at, CODE_SET_BINARY, DESIGNATOR_NAA, sizeof unit->designator);
}

/* SBC-3, numbered there from the page's header on. */
static uint32_t page_limits(const struct scsi_unit *unit, uint8_t *page)
{
	uint32_t ratio = unit->physical_block_size / unit->block_size;

	page[0] = unit->writes_same; /* WRITE SAME of no blocks is an error */
	scsi_put16(page + 2, ratio);
	scsi_put32(page + 4, unit->transfer_max / unit->block_size);
	scsi_put32(page + 8, unit->transfer_max / unit->block_size);
	scsi_put32(page + 16, (uint32_t)(SCSI_UNMAP_BYTES_MAX / unit->block_size));
	scsi_put32(page + 20, SCSI_UNMAP_DESCRIPTORS_MAX);
	scsi_put32(page + 24, ratio);
	scsi_put32(page + 28, 0x80000000u); /* the alignment, 0, is valid */
	if (unit->writes_same)
		scsi_put64(page + 32, SCSI_WRITE_SAME_BYTES_MAX / unit->block_size);
	return LIMITS_LENGTH;
}

/* How fast it turns, and how large it is, is not told. */
static uint32_t page_characteristics(const struct scsi_unit *unit, uint8_t *page)
{
	(void)unit;
	(void)page;
	return LIMITS_LENGTH;
}

static uint32_t page_provisioning(const struct scsi_unit *unit, uint8_t *page)
{
	page[1] = 0x84; /* UNMAP, and what is unmapped reads as zeros */
	if (unit->writes_same)
		page[1] |= 0x60; /* WRITE SAME (16) and (10) unmap */
	page[2] = 2;             /* thin */
	return 4;
}

enum page_owner { OF_ALL, OF_DISKS_THAT_UNMAP };

struct page {
	uint8_t code;
	enum page_owner owner;
	uint32_t (*fill)(const struct scsi_unit *unit, uint8_t *page);
};

static const struct page pages[] = {
	{SCSI_VPD_SERIAL, OF_ALL, page_serial},
	{SCSI_VPD_IDENTIFICATION, OF_ALL, page_identification},
	{SCSI_VPD_BLOCK_LIMITS, OF_DISKS_THAT_UNMAP, page_limits},
	{SCSI_VPD_BLOCK_CHARACTERISTICS, OF_DISKS_THAT_UNMAP, page_characteristics},
	{SCSI_VPD_PROVISIONING, OF_DISKS_THAT_UNMAP, page_provisioning},
};
#define PAGES (sizeof(pages) / sizeof(pages[0]))

/* Without UNMAP nothing is told of blocks either (OpenVMM). */
static bool has_page(const struct scsi_unit *unit, const struct page *page)
{
	return page->owner == OF_ALL || unit->unmaps;
}

static uint32_t list_pages(const struct scsi_unit *unit, uint8_t *page)
{
	uint32_t count = 1; /* this one */

	for (uint32_t n = 0; n < PAGES; n++)
		if (has_page(unit, &pages[n]))
			page[count++] = pages[n].code;
	return count;
}

static void vital_data(const struct scsi_unit *unit, struct scsi_command *command)
{
	uint8_t data[SCSI_DATA_MAX] = {0};
	uint8_t code = command->cdb[2];
	uint32_t length = 0;

	if (code == SCSI_VPD_SUPPORTED_PAGES)
		length = list_pages(unit, data + PAGE_HEADER);
	for (uint32_t n = 0; n < PAGES; n++)
		if (pages[n].code == code && has_page(unit, &pages[n]))
			length = pages[n].fill(unit, data + PAGE_HEADER);
	if (length == 0) {
		scsi_bad_field(command, 2);
		return;
	}
	data[0] = unit->cdrom ? SCSI_DEVICE_CDROM : SCSI_DEVICE_DISK;
	data[1] = code;
	scsi_put16(data + 2, length);
	scsi_answer(command, data, PAGE_HEADER + length, scsi_get16(command->cdb + 3));
}

void scsi_inquiry(struct scsi_unit *unit, struct scsi_command *command)
{
	struct scsi_inquiry data;

	if ((command->cdb[1] & SCSI_CDB_EVPD) != 0) {
		vital_data(unit, command);
		return;
	}
	if (command->cdb[2] != 0) { /* a page, of no pages */
		scsi_bad_field(command, 2);
		return;
	}
	scsi_inquiry_data(unit, &data);
	scsi_answer(command, &data, sizeof data, scsi_get16(command->cdb + 3));
}
