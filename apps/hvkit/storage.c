/* SPDX-License-Identifier: MIT */
/* A machine's storage, from the files to the end. */
#include "apps/hvkit/storage.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "apps/hvkit/options.h"

#define LUNS 64u

/* --- Before there is a machine ------------------------------------------------------------ */

static const struct cli_disk *planned_at(const struct storage *storage, const struct cli_disk *place)
{
	for (uint32_t n = 0; n < storage->planned_count; n++) {
		const struct cli_disk *other = &storage->planned[n];

		if (other != place && other->lun_given && !other->spare && !other->ide &&
		    other->controller == place->controller && other->target == place->target &&
		    other->lun == place->lun)
			return other;
	}
	return NULL;
}

/* Who was given a place has it; the others take what is left. */
static bool plan(struct storage *storage, char *error)
{
	for (uint32_t n = 0; n < storage->planned_count; n++) {
		struct cli_disk *disk = &storage->planned[n];

		if (disk->lun_given && planned_at(storage, disk))
			return snprintf(error, CLI_ERROR_MAX,
					"--disk, --cdrom: two are to be at controller %u, target %u, LUN %u",
					disk->controller, disk->target, disk->lun) < 0;
	}
	for (uint32_t n = 0; n < storage->planned_count; n++) {
		struct cli_disk *disk = &storage->planned[n];

		if (disk->lun_given || disk->ide || disk->spare)
			continue;
		while (disk->lun < LUNS && planned_at(storage, disk))
			disk->lun++;
		if (disk->lun == LUNS)
			return snprintf(error, CLI_ERROR_MAX,
					"--disk, --cdrom: target %u of controller %u is full: %u units",
					disk->target, disk->controller, LUNS) < 0;
		disk->lun_given = true;
	}
	return true;
}

static bool open_planned(struct storage *storage, char *error)
{
	for (uint32_t n = 0; n < storage->planned_count; n++) {
		const struct cli_disk *disk = &storage->planned[n];
		struct storage_image *image;

		if (!disk->file)
			continue;
		image = storage_image_open(storage, disk->file, disk->read_only, error);
		if (!image || !storage_check_size(disk, image->file.size, error))
			return false;
		image->kept = disk->spare;
	}
	return true;
}

struct storage *storage_open(const struct cli_disk *disks, uint32_t count, uint64_t seed, char *error)
{
	struct storage *storage = calloc(1, sizeof(*storage));

	if (!storage) {
		snprintf(error, CLI_ERROR_MAX, "out of memory");
		return NULL;
	}
	storage->seed = seed;
	for (uint32_t n = 0; n < count; n++) {
		storage->planned[n] = disks[n];
		storage->planned[n].text = NULL; /* the caller's */
	}
	storage->planned_count = count;
	if (plan(storage, error) && open_planned(storage, error))
		return storage;
	storage_destroy(storage);
	return NULL;
}

/* --- Beside a machine ---------------------------------------------------------------------- */

bool storage_create(struct storage *storage, const struct machine *machine, char *error)
{
	bool good = true;

	storage->machine = *machine;
	machine_lock(machine);
	for (uint32_t n = 0; good && n < storage->planned_count; n++) {
		if (!storage->planned[n].spare)
			good = storage_add(storage, machine_now(machine), &storage->planned[n], error) !=
			       NULL;
	}
	machine_unlock(machine);
	return good;
}

bool storage_writes(const struct storage *storage)
{
	for (uint32_t n = 0; n < STORAGE_IMAGES_MAX; n++) {
		if (storage->images[n] && !storage->images[n]->read_only)
			return true;
	}
	return false;
}

void storage_cut(struct storage *storage)
{
	if (atomic_exchange(&storage->cut, true))
		return;
	for (uint32_t n = 0; n < STORAGE_IMAGES_MAX; n++) {
		struct storage_image *image = storage->images[n];

		if (!image || !image->cache)
			continue;
		hvh_write_cache_cut(image->cache);
		storage->lost += hvh_write_cache_lost(image->cache);
	}
	if (storage->on_cut)
		storage->on_cut(storage->context);
}

void storage_stop(struct storage *storage)
{
	for (uint32_t n = 0; n < STORAGE_IMAGES_MAX && !atomic_load(&storage->cut); n++) {
		const struct storage_image *image = storage->images[n];

		if (image && image->used && !image->read_only && !image->inner.flush(image->inner.context)) {
			fprintf(stderr, "hvkit: '%s' could not be written whole\n", image->path);
			storage->failed = true;
		}
	}
}

void storage_destroy(struct storage *storage)
{
	if (!storage)
		return;
	for (uint32_t n = 0; n < CLI_DISKS_MAX; n++) {
		if (storage->disks[n].there)
			cli_disk_free(&storage->disks[n].config);
	}
	for (uint32_t n = 0; n < STORAGE_IMAGES_MAX; n++) {
		if (storage->images[n])
			storage_image_close(storage->images[n]);
	}
	free(storage);
}
