/* SPDX-License-Identifier: MIT */
/* Disks and drives on their controllers. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "apps/hvkit/options.h"
#include "apps/hvkit/storage.h"

#define TARGETS 2u
#define LUNS 64u
#define SECTOR 512u
#define CDROM_BLOCK 2048u

static bool refuse(char *error, const char *text)
{
	snprintf(error, CLI_ERROR_MAX, "%s", text);
	return false;
}

/* --- Controllers --------------------------------------------------------------------------- */

static struct hvh_storage *create_controller(struct storage *storage, enum hvh_storage_class class_)
{
	const struct hvh_storage_config config = {.class_ = class_};
	bool ide = class_ == HVH_STORAGE_IDE;
	struct hvh_storage *controller;
	uint32_t n = storage->controller_count;

	if (n == STORAGE_CONTROLLERS_MAX)
		return NULL;
	controller = hvh_storage_create(machine_partition(&storage->machine), &config);
	if (!controller)
		return NULL;
	storage->controllers[n] = controller;
	snprintf(storage->names[n], STORAGE_NAME_MAX, "%s%u", ide ? "ide" : "scsi",
		 ide ? storage->ide_count++ : storage->scsi_count++);
	storage->trouble[n] = storage->trouble_first;
	hvh_storage_set_trouble(controller, &storage->trouble[n]);
	storage->controller_count++;
	return controller;
}

/* All up to it: their numbers are the devices'. */
static struct hvh_storage *scsi_controller(struct storage *storage, uint32_t number)
{
	while (storage->scsi_count <= number) {
		uint32_t n = storage->scsi_count;

		storage->scsi[n] = create_controller(storage, HVH_STORAGE_SCSI);
		if (!storage->scsi[n])
			return NULL;
	}
	return storage->scsi[number];
}

/* --- Places -------------------------------------------------------------------------------- */

static const struct storage_disk *disk_at(const struct storage *storage, const struct hvh_storage *on,
					  uint32_t target, uint32_t lun)
{
	for (uint32_t n = 0; n < CLI_DISKS_MAX; n++) {
		const struct storage_disk *disk = &storage->disks[n];

		if (disk->there && disk->on == on && disk->target == target && disk->lun == lun)
			return disk;
	}
	return NULL;
}

/* An accelerator whose disk was removed is free again: the class has no way to take it away for good. */
static struct hvh_storage *free_accelerator(struct storage *storage)
{
	for (uint32_t n = 0; n < storage->controller_count; n++) {
		if (storage->names[n][0] == 'i' && !disk_at(storage, storage->controllers[n], 0, 0))
			return storage->controllers[n];
	}
	return create_controller(storage, HVH_STORAGE_IDE);
}

static bool place(struct storage *storage, struct storage_disk *disk, char *error)
{
	const struct cli_disk *config = &disk->config;
	const struct storage_disk *other;
	uint32_t lun = config->lun;

	disk->on = config->ide ? free_accelerator(storage) : scsi_controller(storage, config->controller);
	if (!disk->on)
		return refuse(error, "the host has no room for another storage controller");
	for (uint32_t n = 0; n < storage->controller_count; n++) {
		if (storage->controllers[n] == disk->on)
			snprintf(disk->controller, sizeof(disk->controller), "%s", storage->names[n]);
	}
	while (!config->lun_given && lun < LUNS && disk_at(storage, disk->on, config->target, lun))
		lun++;
	if (lun == LUNS)
		return snprintf(error, CLI_ERROR_MAX, "target %u of %s is full: %u units", config->target,
				disk->controller, LUNS) < 0;
	other = disk_at(storage, disk->on, config->target, lun);
	if (other)
		return snprintf(error, CLI_ERROR_MAX, "%s, target %u, LUN %u is %s's place already",
				disk->controller, config->target, lun, other->name) < 0;
	disk->target = config->target;
	disk->lun = lun;
	return true;
}

/* --- Adding ---------------------------------------------------------------------------------- */

static void name(struct storage *storage, struct storage_disk *disk)
{
	uint32_t number = 0;
	char text[STORAGE_NAME_MAX];

	do
		snprintf(text, sizeof(text), "%s%u", disk->config.cdrom ? "cd" : "disk", number++);
	while (storage_find(storage, text));
	strcpy(disk->name, text);
}

bool storage_check_size(const struct cli_disk *config, uint64_t size, char *error)
{
	uint32_t block = config->block_size ? config->block_size : SECTOR;

	if (config->cdrom && size < CDROM_BLOCK)
		return snprintf(error, CLI_ERROR_MAX,
				"%.200s: has %llu bytes; a CD-ROM has at least one block of %u", config->file,
				(unsigned long long)size, CDROM_BLOCK) < 0;
	if (!config->cdrom && size % block != 0)
		return snprintf(error, CLI_ERROR_MAX,
				"%.200s: has %llu bytes, which is no whole number of blocks of %u; `truncate "
				"-s %%%u` makes it one",
				config->file, (unsigned long long)size, block, block) < 0;
	return true;
}

static bool put_there(struct storage *storage, uint64_t now, struct storage_disk *disk, char *error)
{
	const struct cli_disk *config = &disk->config;
	const struct hvh_unit_config unit = {.cdrom = config->cdrom,
					     .read_only = config->read_only,
					     .no_write_cache = config->no_cache,
					     .block_size = config->block_size,
					     .physical_block_size = config->physical_block_size,
					     .serial = config->serial};
	struct hvh_image image;

	if (disk->image && !storage_image_use(disk->image, config, storage->seed + disk->lun, &image))
		return refuse(error, "out of memory");
	if (hvh_storage_add(disk->on, now, disk->target, disk->lun, &unit, disk->image ? &image : NULL))
		return true;
	return refuse(error, "out of memory");
}

struct storage_disk *storage_add(struct storage *storage, uint64_t now, const struct cli_disk *config,
				 char *error)
{
	struct storage_disk *disk = NULL;

	for (uint32_t n = 0; n < CLI_DISKS_MAX && !disk; n++) {
		if (!storage->disks[n].there)
			disk = &storage->disks[n];
	}
	if (!disk) {
		snprintf(error, CLI_ERROR_MAX, "there can be at most %u disks", CLI_DISKS_MAX);
		return NULL;
	}
	*disk = (struct storage_disk){.config = *config};
	if (config->file)
		disk->image = storage_image_get(storage, config->file, config->read_only, error);
	if ((config->file && !disk->image) ||
	    (disk->image && !storage_check_size(config, disk->image->file.size, error)) ||
	    !place(storage, disk, error) || !put_there(storage, now, disk, error)) {
		if (disk->image)
			storage_image_release(disk->image);
		return NULL;
	}
	name(storage, disk);
	disk->there = true;
	return disk;
}

bool storage_remove(struct storage *storage, uint64_t now, struct storage_disk *disk)
{
	(void)storage;
	if (!hvh_storage_remove(disk->on, now, disk->target, disk->lun))
		return false;
	cli_disk_free(&disk->config);
	*disk = (struct storage_disk){.there = false};
	return true;
}

bool storage_insert(struct storage *storage, uint64_t now, struct storage_disk *disk, const char *path,
		    char *error)
{
	struct storage_image *image = storage_image_get(storage, path, true, error);
	struct hvh_image medium;

	if (!image)
		return false;
	if (image->file.size < CDROM_BLOCK)
		snprintf(error, CLI_ERROR_MAX, "%.200s: a CD-ROM has at least one block of %u bytes", path,
			 CDROM_BLOCK);
	else if (!storage_image_use(image, &disk->config, 0, &medium))
		return refuse(error, "out of memory");
	else if (!hvh_storage_insert(disk->on, now, disk->target, disk->lun, &medium))
		snprintf(error, CLI_ERROR_MAX, "%s has a medium; 'disk eject %s' takes it out", disk->name,
			 disk->name);
	else
		return disk->image = image, true;
	storage_image_release(image);
	return false;
}

struct storage_disk *storage_find(struct storage *storage, const char *wanted)
{
	for (uint32_t n = 0; n < CLI_DISKS_MAX; n++) {
		if (storage->disks[n].there && strcmp(storage->disks[n].name, wanted) == 0)
			return &storage->disks[n];
	}
	return NULL;
}
