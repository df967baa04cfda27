/* SPDX-License-Identifier: MIT */
/* What units say of themselves. Every length in it is theirs, and bounded by what was received. */
#include "guest/storvsc/scsi.h"

#define BLOCK_MIN 512u
#define BLOCK_MAX 4096u
#define PAGE_HEADER 4u /* type, page, length */
#define DESCRIPTOR_HEADER 4u
#define DESCRIPTORS_MAX 32u
#define MODE_PAGES_MAX 64u
#define EXPONENT_MAX 8u /* of physical blocks */

static uint32_t get16(const uint8_t *from)
{
	return (uint32_t)from[0] << 8 | from[1];
}

static uint32_t get32(const uint8_t *from)
{
	return get16(from) << 16 | get16(from + 2);
}

static uint64_t get64(const uint8_t *from)
{
	return (uint64_t)get32(from) << 32 | get32(from + 4);
}

/* Printable, without the blanks at both ends. */
static void text(char *to, uint32_t room, const uint8_t *from, uint32_t length)
{
	uint32_t used = 0, end = 0;

	for (uint32_t i = 0; i < length && used + 1 < room; i++) {
		uint8_t c = from[i];

		if (c == 0 || (c == ' ' && used == 0))
			continue;
		to[used++] = c >= ' ' && c < 0x7f ? (char)c : '?';
		if (c != ' ')
			end = used;
	}
	memset(to + end, 0, room - end);
}

/* --- Sense ------------------------------------------------------------------------------- */

void hvk_scsi_parse_sense(const uint8_t *bytes, uint32_t length, struct hvk_scsi_sense *sense)
{
	uint8_t response = length >= 1 ? bytes[0] & 0x7f : 0;

	*sense = (struct hvk_scsi_sense){0};
	if ((response == 0x70 || response == 0x71) && length >= 3) {
		sense->known = true;
		sense->key = bytes[2] & 0xf;
		sense->code = length >= 14 ? (uint16_t)get16(bytes + 12) : 0;
	} else if ((response == 0x72 || response == 0x73) && length >= 4) {
		sense->known = true;
		sense->key = bytes[1] & 0xf;
		sense->code = (uint16_t)get16(bytes + 2);
	}
}

/* --- INQUIRY ------------------------------------------------------------------------------- */

static bool is_zero(const uint8_t *bytes, uint32_t length)
{
	uint8_t any = 0;

	for (uint32_t i = 0; i < length; i++)
		any |= bytes[i];
	return any == 0;
}

/* Hosts that give a CD-ROM of a generation 2 machine no version at all mean SPC-3 (from 5.1 on;
 * FreeBSD); those of 2008 R2 to 2012 R2 leave version and format of a unit out that there is (FreeBSD), and
 * those of 2012 and 2012 R2 call disks SPC-2 that know UNMAP. */
static uint8_t fixed_version(const struct scsi_inquiry *inquiry, uint16_t protocol)
{
	uint8_t type = inquiry->device_type & 0x1f;

	if (type == SCSI_DEVICE_CDROM && inquiry->version == 0 && protocol >= VSTOR_VERSION_5_1)
		return SCSI_VERSION_SPC3;
	if ((inquiry->version == 0 || (inquiry->response_format & 0xf) == 0) &&
	    protocol >= VSTOR_VERSION_4_2 && protocol <= VSTOR_VERSION_6_0)
		return SCSI_VERSION_SPC3;
	if (memcmp(inquiry->vendor, "Msft", 4) == 0 && inquiry->version == SCSI_VERSION_SPC2 &&
	    (protocol == VSTOR_VERSION_5_1 || protocol == VSTOR_VERSION_6_0))
		return SCSI_VERSION_SPC3;
	return inquiry->version;
}

bool hvk_scsi_parse_inquiry(const uint8_t *bytes, uint32_t length, uint16_t protocol,
			    struct hvk_scsi_identity *out)
{
	struct scsi_inquiry inquiry = {0};

	memset(out, 0, sizeof(*out));
	if (length < 5)
		return false;
	memcpy(&inquiry, bytes, hvk_min32(length, sizeof(inquiry)));
	/* A qualifier: not there, or not connected. Hosts before 2016 leave the rest zero then, which must
	 * not be taken for an old device; and zeros throughout are nobody. */
	if ((inquiry.device_type & 0xe0) != 0 || is_zero(bytes, hvk_min32(length, sizeof(inquiry))))
		return false;
	out->type = inquiry.device_type & 0x1f;
	if (out->type != SCSI_DEVICE_DISK && out->type != SCSI_DEVICE_CDROM)
		return false;
	out->version = fixed_version(&inquiry, protocol);
	out->removable = (inquiry.removable & 0x80) != 0;
	out->queues = (inquiry.flags[2] & 2) != 0;
	text(out->info.vendor, sizeof(out->info.vendor), inquiry.vendor, sizeof(inquiry.vendor));
	text(out->info.product, sizeof(out->info.product), inquiry.product, sizeof(inquiry.product));
	text(out->info.revision, sizeof(out->info.revision), inquiry.revision, sizeof(inquiry.revision));
	if (out->removable || out->type == SCSI_DEVICE_CDROM)
		out->info.flags |= HVK_BLOCK_REMOVABLE;
	if (out->type == SCSI_DEVICE_CDROM)
		out->info.flags |= HVK_BLOCK_CDROM | HVK_BLOCK_READ_ONLY;
	return true;
}

/* --- Vital product data -------------------------------------------------------------------- */

/* The page's own bytes after its header; 0 if it is another page. */
static uint32_t page_length(const uint8_t *bytes, uint32_t length, uint8_t page)
{
	if (length < PAGE_HEADER || bytes[1] != page)
		return 0;
	return hvk_min32(get16(bytes + 2), length - PAGE_HEADER);
}

void hvk_scsi_parse_supported_pages(const uint8_t *bytes, uint32_t length, struct hvk_scsi_identity *out)
{
	uint32_t count = page_length(bytes, length, SCSI_VPD_SUPPORTED_PAGES);

	for (uint32_t i = 0; i < count; i++)
		out->pages[bytes[PAGE_HEADER + i]] = true;
}

void hvk_scsi_parse_serial(const uint8_t *bytes, uint32_t length, struct hvk_block_info *info)
{
	uint32_t count = page_length(bytes, length, SCSI_VPD_SERIAL);

	if (count != 0)
		text(info->serial, sizeof(info->serial), bytes + PAGE_HEADER, count);
}

/* NAA before EUI-64; the longer of two alike. Those of the port are not asked for. */
static uint32_t worth(const uint8_t *descriptor)
{
	uint32_t association = descriptor[1] >> 4 & 3, type = descriptor[1] & 0xf, length = descriptor[3];

	if (association != 0 || (descriptor[0] & 0xf) != 1 || length == 0 || length > 16)
		return 0;
	return type == 3 ? 100 + length : type == 2 ? length : 0;
}

void hvk_scsi_parse_identification(const uint8_t *bytes, uint32_t length, struct hvk_block_info *info)
{
	uint32_t end = page_length(bytes, length, SCSI_VPD_IDENTIFICATION) + PAGE_HEADER, at = PAGE_HEADER;
	uint32_t best = 0;

	for (uint32_t i = 0; i < DESCRIPTORS_MAX && hvk_fits(at, DESCRIPTOR_HEADER, end); i++) {
		const uint8_t *descriptor = bytes + at;
		uint32_t size = descriptor[3];

		at += DESCRIPTOR_HEADER;
		if (!hvk_fits(at, size, end))
			return;
		if (worth(descriptor) > best) {
			best = worth(descriptor);
			memset(info->identification, 0, sizeof(info->identification));
			memcpy(info->identification, bytes + at, size);
			info->identification_length = (uint8_t)size;
		}
		at += size;
	}
}

/* Offsets are those of SBC-3, header included. */
void hvk_scsi_parse_block_limits(const uint8_t *bytes, uint32_t length, struct hvk_scsi_identity *out)
{
	uint32_t end = page_length(bytes, length, SCSI_VPD_BLOCK_LIMITS) + PAGE_HEADER;

	if (end >= 16) {
		out->transfer_max = get32(bytes + 8);
		out->info.optimal_transfer = get32(bytes + 12); /* blocks, until their size is known */
	}
	if (end < 36)
		return;
	out->unmap_max = get32(bytes + 20);
	if (get32(bytes + 24) == 0)
		out->unmap_max = 0;
	out->info.discard_granularity = get32(bytes + 28);
	if (bytes[32] & 0x80)
		out->info.discard_alignment = get32(bytes + 32) & 0x7fffffffu;
	if (end >= 44)
		out->write_same_max = get64(bytes + 36);
}

void hvk_scsi_parse_characteristics(const uint8_t *bytes, uint32_t length, struct hvk_block_info *info)
{
	/* 1: no rotation; 0: not said; else rounds per minute. */
	if (page_length(bytes, length, SCSI_VPD_BLOCK_CHARACTERISTICS) >= 2 && get16(bytes + 4) > 1)
		info->flags |= HVK_BLOCK_ROTATIONAL;
}

void hvk_scsi_parse_provisioning(const uint8_t *bytes, uint32_t length, struct hvk_scsi_identity *out)
{
	if (page_length(bytes, length, SCSI_VPD_PROVISIONING) < 2)
		return;
	out->unmap = (bytes[5] & 0x80) != 0;
	out->write_same_unmap = (bytes[5] & 0x40) != 0;
	if (bytes[5] & 0x04) /* other bits of the field: a pattern of the device's own (SBC-4) */
		out->info.flags |= HVK_BLOCK_DISCARD_ZEROES;
}

/* --- Capacity and mode --------------------------------------------------------------------- */

static bool set_size(struct hvk_block_info *info, uint64_t last, uint32_t block_size)
{
	if (block_size < BLOCK_MIN || block_size > BLOCK_MAX || (block_size & (block_size - 1)) != 0)
		return false;
	if (last >= UINT64_MAX / BLOCK_MAX)
		return false; /* bytes must be countable */
	info->blocks = last + 1;
	info->block_size = block_size;
	info->physical_block_size = block_size;
	return true;
}

bool hvk_scsi_parse_capacity_10(const uint8_t *bytes, uint32_t length, struct hvk_block_info *info,
				bool *more)
{
	*more = false;
	if (length < sizeof(struct scsi_read_capacity_10))
		return false;
	*more = get32(bytes) == UINT32_MAX;
	return set_size(info, get32(bytes), get32(bytes + 4));
}

bool hvk_scsi_parse_capacity_16(const uint8_t *bytes, uint32_t length, struct hvk_scsi_identity *out)
{
	uint32_t exponent;

	if (length < 12 || !set_size(&out->info, get64(bytes), get32(bytes + 8)))
		return false;
	if (length < 16)
		return true;
	exponent = hvk_min32(bytes[13] & 0xf, EXPONENT_MAX);
	out->info.physical_block_size = out->info.block_size << exponent;
	if ((bytes[14] & 0x80) == 0) { /* every block has its place */
		out->unmap = false;
		out->write_same_unmap = false;
	}
	if (bytes[14] & 0x40)
		out->info.flags |= HVK_BLOCK_DISCARD_ZEROES;
	return true;
}

/* Of a list of mode pages; false: it is not in there. */
static bool find_mode_page(const uint8_t *bytes, uint32_t at, uint32_t end, uint8_t page, uint32_t *found)
{
	for (uint32_t i = 0; i < MODE_PAGES_MAX && hvk_fits(at, 4, end); i++) {
		bool sub_page = (bytes[at] & 0x40) != 0;

		*found = at;
		if ((bytes[at] & 0x7f) == page)
			return true;
		at += sub_page ? 4u + get16(bytes + at + 2) : 2u + bytes[at + 1];
	}
	return false;
}

void hvk_scsi_parse_mode_sense_6(const uint8_t *bytes, uint32_t length, struct hvk_scsi_identity *out)
{
	uint32_t end, at;

	if (length < 4)
		return;
	if (bytes[2] & SCSI_MODE_DEVICE_SPECIFIC_WRITE_PROTECT)
		out->info.flags |= HVK_BLOCK_READ_ONLY;
	if (bytes[2] & SCSI_MODE_DEVICE_SPECIFIC_DPOFUA)
		out->info.flags |= HVK_BLOCK_CAN_FUA;
	end = hvk_min32(bytes[0] + 1u, length);
	/* Behind the block descriptors. */
	if (!find_mode_page(bytes, 4u + bytes[3], end, SCSI_MODE_PAGE_CACHING, &at))
		return;
	out->cache_known = true;
	if (bytes[at + 2] & SCSI_CACHING_WRITE_CACHE_ENABLED)
		out->info.flags |= HVK_BLOCK_WRITE_CACHE;
}

/* --- LUNs ---------------------------------------------------------------------------------- */

uint32_t hvk_scsi_lun_count(const uint8_t header[8], uint32_t length)
{
	if (length < 8)
		return 0;
	return hvk_min32(get32(header), length - 8) / 8;
}

/* Peripheral and flat addressing (SAM); anything else has more than one level. */
uint32_t hvk_scsi_lun(const uint8_t entry[8])
{
	uint32_t method = entry[0] >> 6, lun = get16(entry) & 0x3fff;

	return method <= 1 && lun <= UINT8_MAX && is_zero(entry + 2, 6) ? lun : UINT32_MAX;
}
