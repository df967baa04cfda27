/* SPDX-License-Identifier: MIT */
/*
 * MODE SENSE and MODE SELECT. One thing can be changed: whether a disk has its write cache.
 */
#include "command.h"

#define CONTROL_CURRENT 0u
#define CONTROL_CHANGEABLE 1u
#define CONTROL_SAVED 3u
#define SUBPAGE_ALL 0xffu
#define PAGE_ERROR_RECOVERY 0x01u
#define PAGE_POWER 0x1au
#define PAGE_EXCEPTIONS 0x1cu
#define PAGE_CAPABILITIES 0x2au
#define HEADER_6 4u
#define HEADER_10 8u
#define DESCRIPTOR 8u
#define DESCRIPTOR_LONG 16u
#define CDB_NO_DESCRIPTORS 0x08u
#define CDB_LONG_LBA 0x10u
#define CDB_PAGE_FORMAT 0x10u
#define CDB_SAVE 0x01u
#define PAGE_CACHING_SIZE 20u
#define LENGTH_IN_PAGE 2u

/* Bytes from the third on that are not 0. */
struct mode_page {
	uint8_t code, size; /* with the first two */
	bool disk, cdrom;
	uint8_t values[20];
};

static const struct mode_page pages[] = {
	{PAGE_ERROR_RECOVERY, 12, true, true, {0xc0 /* reallocates by itself */}},
	{SCSI_MODE_PAGE_CACHING, PAGE_CACHING_SIZE, true, false, {0}},
	{SCSI_MODE_PAGE_CONTROL, 12, true, false, {0, 0x10 /* may reorder */}},
	{PAGE_POWER, 12, false, true, {0}},
	{PAGE_EXCEPTIONS, 12, true, false, {0}},
	/* Reads CD-R, DVD-ROM; ejects, locks, a tray. */
	{PAGE_CAPABILITIES, 20, false, true, {0x09, 0, 0, 0, 0x29, 0}},
};
#define PAGES (sizeof(pages) / sizeof(pages[0]))

static bool has_page(const struct scsi_unit *unit, const struct mode_page *page)
{
	return unit->cdrom ? page->cdrom : page->disk;
}

static uint32_t fill_page(const struct scsi_unit *unit, const struct mode_page *page, uint32_t control,
			  uint8_t *at)
{
	bool cache = control == CONTROL_CURRENT ? unit->write_cache : unit->write_cache_default;

	memset(at, 0, page->size);
	at[0] = page->code;
	at[1] = (uint8_t)(page->size - LENGTH_IN_PAGE);
	if (control != CONTROL_CHANGEABLE)
		memcpy(at + LENGTH_IN_PAGE, page->values, page->size - LENGTH_IN_PAGE);
	if (page->code == SCSI_MODE_PAGE_CACHING && (control == CONTROL_CHANGEABLE || cache))
		at[2] |= SCSI_CACHING_WRITE_CACHE_ENABLED;
	return page->size;
}

static uint32_t fill_descriptor(const struct scsi_unit *unit, bool is_long, uint8_t *at)
{
	memset(at, 0, is_long ? DESCRIPTOR_LONG : DESCRIPTOR);
	if (is_long) {
		scsi_put64(at, unit->blocks);
		scsi_put32(at + 12, unit->block_size);
		return DESCRIPTOR_LONG;
	}
	scsi_put32(at, unit->blocks > UINT32_MAX ? UINT32_MAX : (uint32_t)unit->blocks);
	scsi_put32(at + 4, unit->block_size); /* the byte above its three is a reserved 0 */
	return DESCRIPTOR;
}

static uint8_t device_specific(const struct scsi_unit *unit)
{
	uint8_t value = 0;

	if (unit->cdrom)
		return 0;
	if (unit->read_only || unit->image.read_only)
		value |= SCSI_MODE_DEVICE_SPECIFIC_WRITE_PROTECT;
	return value | SCSI_MODE_DEVICE_SPECIFIC_DPOFUA;
}

static void fill_header(const struct scsi_unit *unit, uint8_t *data, uint32_t header, uint32_t length,
			uint32_t descriptor)
{
	if (header == HEADER_6) {
		data[0] = (uint8_t)(length - 1);
		data[2] = device_specific(unit);
		data[3] = (uint8_t)descriptor;
		return;
	}
	scsi_put16(data, length - 2);
	data[3] = device_specific(unit);
	data[4] = descriptor == DESCRIPTOR_LONG ? 1 : 0;
	scsi_put16(data + 6, descriptor);
}

static void sense(struct scsi_unit *unit, struct scsi_command *command, uint32_t header, uint32_t allocated)
{
	const uint8_t *cdb = command->cdb;
	uint8_t data[SCSI_DATA_MAX] = {0}, code = cdb[2] & 0x3f;
	uint32_t control = cdb[2] >> 6, length = header, descriptor = 0;

	if (cdb[3] != 0 && (cdb[3] != SUBPAGE_ALL || code != SCSI_MODE_PAGE_ALL)) {
		scsi_bad_field(command, 3);
		return;
	}
	if (control == CONTROL_SAVED) {
		scsi_check(command, SCSI_SENSE_ILLEGAL_REQUEST, SCSI_ASC_SAVING_NOT_SUPPORTED);
		return;
	}
	if ((cdb[1] & CDB_NO_DESCRIPTORS) == 0 && !unit->cdrom)
		descriptor = fill_descriptor(unit, header == HEADER_10 && (cdb[1] & CDB_LONG_LBA) != 0,
					     data + header);
	length += descriptor;
	for (uint32_t n = 0; n < PAGES; n++)
		if (has_page(unit, &pages[n]) && (code == SCSI_MODE_PAGE_ALL || code == pages[n].code))
			length += fill_page(unit, &pages[n], control, data + length);
	if (length == header + descriptor) {
		scsi_bad_field(command, 2);
		return;
	}
	fill_header(unit, data, header, length, descriptor);
	scsi_answer(command, data, length, allocated);
}

void scsi_mode_sense_6(struct scsi_unit *unit, struct scsi_command *command)
{
	sense(unit, command, HEADER_6, command->cdb[4]);
}

void scsi_mode_sense_10(struct scsi_unit *unit, struct scsi_command *command)
{
	sense(unit, command, HEADER_10, scsi_get16(command->cdb + 7));
}

/* --- MODE SELECT -------------------------------------------------------------------------- */

/* A page as it may be: everything but what can be changed as it is. at: its place in the list. */
static bool check_page(const struct scsi_unit *unit, struct scsi_command *command, const uint8_t *page,
		       uint32_t at, uint32_t left)
{
	uint8_t current[SCSI_DATA_MAX], changeable[SCSI_DATA_MAX];
	const struct mode_page *found = NULL;

	for (uint32_t n = 0; n < PAGES; n++)
		if (has_page(unit, &pages[n]) && pages[n].code == page[0])
			found = &pages[n];
	if (found == NULL) {
		scsi_bad_parameter(command, at);
		return false;
	}
	if (left < found->size) {
		scsi_check(command, SCSI_SENSE_ILLEGAL_REQUEST, SCSI_ASC_PARAMETER_LENGTH);
		return false;
	}
	fill_page(unit, found, CONTROL_CURRENT, current);
	fill_page(unit, found, CONTROL_CHANGEABLE, changeable);
	for (uint32_t n = 1; n < found->size; n++) {
		uint8_t fixed = n == 1 ? 0xff : (uint8_t)~changeable[n];

		if (((page[n] ^ current[n]) & fixed) != 0) {
			scsi_bad_parameter(command, at + n);
			return false;
		}
	}
	return true;
}

/* Header and block descriptor; returns where the pages begin, or 0: wrong, which has been said. */
static uint32_t check_header(const struct scsi_unit *unit, struct scsi_command *command, const uint8_t *list,
			     uint32_t header, uint32_t length)
{
	uint32_t descriptor = header == HEADER_6 ? list[3] : scsi_get16(list + 6);
	bool is_long = header == HEADER_10 && (list[4] & 1) != 0;
	uint32_t size = is_long ? DESCRIPTOR_LONG : DESCRIPTOR;
	uint8_t own[DESCRIPTOR_LONG];

	if (descriptor != 0 && descriptor != size) {
		scsi_bad_parameter(command, header == HEADER_6 ? 3 : 6);
		return 0;
	}
	if (header + descriptor > length) {
		scsi_check(command, SCSI_SENSE_ILLEGAL_REQUEST, SCSI_ASC_PARAMETER_LENGTH);
		return 0;
	}
	fill_descriptor(unit, is_long, own);
	/* As many blocks as there are, or 0 for that; and their size. */
	if (descriptor != 0 && memcmp(list + header + size / 2, own + size / 2, size / 2) != 0) {
		scsi_bad_parameter(command, header + size / 2);
		return 0;
	}
	return header + descriptor;
}

static void select(struct scsi_unit *unit, struct scsi_command *command, uint32_t header, uint32_t length)
{
	uint8_t list[SCSI_DATA_MAX];
	bool cache = unit->write_cache;
	uint32_t at;

	if ((command->cdb[1] & CDB_PAGE_FORMAT) == 0 || (command->cdb[1] & CDB_SAVE) != 0) {
		scsi_bad_field(command, 1);
		return;
	}
	if (length == 0)
		return;
	if (length < header || length > sizeof list) {
		scsi_check(command, SCSI_SENSE_ILLEGAL_REQUEST, SCSI_ASC_PARAMETER_LENGTH);
		return;
	}
	if (!scsi_take(command, 0, list, length))
		return;
	at = check_header(unit, command, list, header, length);
	if (at == 0)
		return;
	/* All pages are looked at before one is heeded; each is longer than two bytes, so that it ends. */
	while (at < length) {
		if (!check_page(unit, command, list + at, at, length - at))
			return;
		if (list[at] == SCSI_MODE_PAGE_CACHING)
			cache = (list[at + 2] & SCSI_CACHING_WRITE_CACHE_ENABLED) != 0;
		at += list[at + 1] + LENGTH_IN_PAGE;
	}
	command->transferred = length;
	if (unit->write_cache && !cache && !scsi_flush(unit, command))
		return;
	unit->write_cache = cache;
}

void scsi_mode_select_6(struct scsi_unit *unit, struct scsi_command *command)
{
	select(unit, command, HEADER_6, command->cdb[4]);
}

void scsi_mode_select_10(struct scsi_unit *unit, struct scsi_command *command)
{
	select(unit, command, HEADER_10, scsi_get16(command->cdb + 7));
}
