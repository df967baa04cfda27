/* SPDX-License-Identifier: MIT */
/* A unit's life: what it is, and what the guest must hear of. */
#include <stdlib.h>

#include "command.h"

#define BLOCK_DISK 512u
#define BLOCK_4KN 4096u
#define PHYSICAL 4096u
#define PHYSICAL_MAX 65536u
#define NAA_MICROSOFT 0x60022480u /* NAA 6, the vendor 00 22 48 (as Hyper-V's disks), 0 */

/* The same serial number, the same designator. FNV-1a. */
static uint64_t hash(const char *text, uint64_t value)
{
	for (; *text != '\0'; text++)
		value = (value ^ (uint8_t)*text) * 0x100000001b3ull;
	return value;
}

static void pad(char *to, const char *from, uint32_t length)
{
	uint32_t n = 0;

	for (; n < length && from[n] != '\0'; n++)
		to[n] = from[n] >= ' ' && from[n] <= '~' ? from[n] : ' ';
	for (; n < length; n++)
		to[n] = ' ';
	to[length] = '\0';
}

static void name(struct scsi_unit *unit, const struct hvh_unit_config *config, const char *serial)
{
	const char *product = config->cdrom ? "Virtual DVD-ROM" : "Virtual Disk";
	uint32_t length = (uint32_t)strlen(serial);

	pad(unit->vendor, config->vendor != NULL ? config->vendor : "Msft", 8);
	pad(unit->product, config->product != NULL ? config->product : product, 16);
	pad(unit->revision, "1.0", 4);
	pad(unit->serial, serial, length < SCSI_SERIAL_MAX ? length : SCSI_SERIAL_MAX);
	scsi_put32(unit->designator, NAA_MICROSOFT);
	scsi_put32(unit->designator + 4, (uint32_t)hash(serial, 0x84222325ull));
	scsi_put64(unit->designator + 8, hash(serial, 0xcbf29ce484222325ull));
}

static bool sizes(struct scsi_unit *unit, const struct hvh_unit_config *config)
{
	uint32_t usual = config->cdrom ? SCSI_CDROM_BLOCK : BLOCK_DISK;

	unit->block_size = config->block_size != 0 ? config->block_size : usual;
	unit->physical_block_size = config->physical_block_size != 0 ? config->physical_block_size : PHYSICAL;
	if (config->cdrom || unit->physical_block_size < unit->block_size)
		unit->physical_block_size = unit->block_size;
	if (config->cdrom)
		return unit->block_size == SCSI_CDROM_BLOCK;
	return (unit->block_size == BLOCK_DISK || unit->block_size == BLOCK_4KN) &&
	       unit->physical_block_size <= PHYSICAL_MAX &&
	       (unit->physical_block_size & (unit->physical_block_size - 1)) == 0;
}

/* A CD-ROM's image may end within a block, as files do: the rest of it is not there. */
static bool load(struct scsi_unit *unit, const struct hvh_image *image)
{
	if (image->size < unit->block_size || (!unit->cdrom && image->size % unit->block_size != 0))
		return false;
	unit->image = *image;
	unit->blocks = image->size / unit->block_size;
	unit->medium = true;
	return true;
}

bool scsi_unit_create(struct scsi_unit *unit, const struct hvh_unit_config *config,
		      const struct hvh_image *image, const char *serial, uint32_t transfer_max)
{
	memset(unit, 0, sizeof *unit);
	unit->cdrom = config->cdrom;
	unit->read_only = config->cdrom || config->read_only;
	unit->write_cache_default = !config->no_write_cache && !config->cdrom;
	unit->write_cache = unit->write_cache_default;
	unit->version = SCSI_VERSION_SPC3;
	unit->unmaps = unit->writes_same = !config->cdrom;
	unit->transfer_max = transfer_max;
	if (!sizes(unit, config) || (image == NULL && !config->cdrom))
		return false;
	if (image != NULL && !load(unit, image))
		return false;
	name(unit, config, serial);
	unit->piece = malloc(SCSI_PIECE);
	return unit->piece != NULL;
}

static void unload(struct scsi_unit *unit)
{
	if (unit->medium && unit->image.close != NULL)
		unit->image.close(unit->image.context);
	unit->medium = false;
	unit->blocks = 0;
	memset(&unit->image, 0, sizeof unit->image);
}

void scsi_unit_destroy(struct scsi_unit *unit)
{
	unload(unit);
	free(unit->piece);
	unit->piece = NULL;
}

/* --- Unit attentions ------------------------------------------------------------------- */

void scsi_unit_attention(struct scsi_unit *unit, uint16_t code)
{
	if (code == SCSI_ASC_POWER_ON_OR_RESET) /* takes the place of all others */
		unit->attention_count = 0;
	for (uint32_t n = 0; n < unit->attention_count; n++)
		if (unit->attentions[n] == code)
			return;
	if (unit->attention_count < SCSI_ATTENTIONS_MAX)
		unit->attentions[unit->attention_count++] = code;
}

uint16_t scsi_take_attention(struct scsi_unit *unit)
{
	uint16_t code;

	if (unit->attention_count == 0)
		return 0;
	code = unit->attentions[0];
	unit->attention_count--;
	memmove(unit->attentions, unit->attentions + 1, unit->attention_count * sizeof unit->attentions[0]);
	return code;
}

void scsi_unit_reset(struct scsi_unit *unit)
{
	unit->write_cache = unit->write_cache_default;
	unit->removal_prevented = false;
	unit->stopped = false;
	scsi_unit_attention(unit, SCSI_ASC_POWER_ON_OR_RESET);
}

/* --- Size and medium ---------------------------------------------------------------------- */

bool scsi_unit_resize(struct scsi_unit *unit, uint64_t bytes)
{
	if (unit->cdrom || !unit->medium || bytes < unit->block_size || bytes % unit->block_size != 0)
		return false;
	if (unit->image.resize != NULL && !unit->image.resize(unit->image.context, bytes))
		return false;
	unit->image.size = bytes;
	if (unit->blocks == bytes / unit->block_size)
		return true;
	unit->blocks = bytes / unit->block_size;
	scsi_unit_attention(unit, SCSI_ASC_CAPACITY_HAS_CHANGED);
	return true;
}

bool scsi_unit_eject(struct scsi_unit *unit, bool force)
{
	if (!unit->cdrom || !unit->medium)
		return false;
	if (unit->removal_prevented && !force) {
		unit->event = SCSI_EVENT_EJECT_REQUEST;
		return false;
	}
	unload(unit);
	unit->tray_open = true;
	unit->removal_prevented = false;
	unit->event = SCSI_EVENT_REMOVAL;
	return true;
}

bool scsi_unit_insert(struct scsi_unit *unit, const struct hvh_image *image)
{
	if (!unit->cdrom || (unit->medium && !unit->tray_open) || image->size < unit->block_size)
		return false;
	unload(unit); /* what the guest has ejected, and nobody has taken away */
	load(unit, image);
	unit->tray_open = false;
	unit->stopped = false;
	unit->event = SCSI_EVENT_NEW_MEDIUM;
	scsi_unit_attention(unit, SCSI_ASC_MEDIUM_MAY_HAVE_CHANGED);
	return true;
}

uint16_t scsi_not_ready(const struct scsi_unit *unit)
{
	if (unit->cdrom && unit->tray_open)
		return SCSI_ASC_NO_MEDIUM_TRAY_OPEN;
	if (!unit->medium)
		return SCSI_ASC_NO_MEDIUM_TRAY_CLOSED;
	return unit->stopped ? SCSI_ASC_STOPPED : 0;
}
