/* SPDX-License-Identifier: MIT */
/* Image files: open, spare, in use behind a write cache. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "apps/hvkit/options.h"
#include "apps/hvkit/storage.h"

#define SECTOR 512u
#define SECTOR_4KN 4096u
#define IMAGES STORAGE_IMAGES_MAX

/* --- What a unit sees --------------------------------------------------------------------- */

/* False: the power is off. */
static bool has_power(const struct storage_image *image)
{
	return !atomic_load(&image->storage->cut);
}

/* One request more has been done. False: the power went before anybody heard of it. */
static bool done(struct storage_image *image)
{
	struct storage *storage = image->storage;

	storage->requests++;
	if (storage->cut_in && --storage->cut_in == 0)
		storage_cut(storage);
	return has_power(image);
}

static bool image_read(void *context, uint64_t offset, void *data, uint32_t length)
{
	struct storage_image *image = context;

	if (!has_power(image) || !image->inner.read(image->inner.context, offset, data, length))
		return false;
	image->counters.reads++;
	image->counters.read_bytes += length;
	return done(image);
}

static bool image_write(void *context, uint64_t offset, const void *data, uint32_t length)
{
	struct storage_image *image = context;

	if (!has_power(image) || !image->inner.write(image->inner.context, offset, data, length))
		return false;
	image->counters.writes++;
	image->counters.write_bytes += length;
	return done(image);
}

static bool image_discard(void *context, uint64_t offset, uint64_t length)
{
	struct storage_image *image = context;

	if (!has_power(image) || !image->inner.discard(image->inner.context, offset, length))
		return false;
	image->counters.discards++;
	return done(image);
}

static bool image_flush(void *context)
{
	struct storage_image *image = context;

	if (!has_power(image) || !image->inner.flush(image->inner.context))
		return false;
	image->counters.flushes++;
	return done(image);
}

static bool image_flush_range(void *context, uint64_t offset, uint64_t length)
{
	struct storage_image *image = context;

	if (!has_power(image) || !image->inner.flush_range(image->inner.context, offset, length))
		return false;
	image->counters.flushes++;
	return done(image);
}

static bool image_resize(void *context, uint64_t size)
{
	struct storage_image *image = context;

	if (!has_power(image) || !image->inner.resize(image->inner.context, size))
		return false;
	image->file.size = size;
	return true;
}

static void image_close(void *context)
{
	storage_image_release(context);
}

/* --- Opening and closing ------------------------------------------------------------------- */

static struct storage_image *find_spare(const struct storage *storage, const char *path, bool read_only)
{
	for (uint32_t n = 0; n < IMAGES; n++) {
		struct storage_image *image = storage->images[n];

		if (image && !image->used && image->read_only == read_only && strcmp(image->path, path) == 0)
			return image;
	}
	return NULL;
}

static struct storage_image *refuse(char *error, const char *text)
{
	snprintf(error, CLI_ERROR_MAX, "%s", text);
	return NULL;
}

static bool may_open(const struct storage *storage, const char *path, bool read_only, char *error)
{
	if (!storage->sandboxed || (read_only && storage->may_read))
		return true;
	snprintf(error, CLI_ERROR_MAX,
		 "'%.200s' is not open, and in its sandbox the running monitor opens no file%s: name it at "
		 "the start, %s, or run with --no-sandbox",
		 path, read_only ? "" : " to write it",
		 read_only ? "--cdrom FILE,spare (a disk: --disk FILE,ro,spare)" : "--disk FILE,spare");
	return false;
}

struct storage_image *storage_image_open(struct storage *storage, const char *path, bool read_only,
					 char *error)
{
	struct storage_image *image;
	uint32_t n = 0;

	while (n < IMAGES && storage->images[n])
		n++;
	if (n == IMAGES)
		return refuse(error, "too many files are open as images");
	image = calloc(1, sizeof(*image));
	if (!image || (image->path = strdup(path)) == NULL) {
		free(image);
		return refuse(error, "out of memory");
	}
	if (!hvh_image_open(path, read_only, &image->file, error, CLI_ERROR_MAX)) {
		free(image->path);
		free(image);
		return NULL;
	}
	image->storage = storage;
	image->read_only = read_only;
	storage->images[n] = image;
	return image;
}

struct storage_image *storage_image_get(struct storage *storage, const char *path, bool read_only,
					char *error)
{
	struct storage_image *spare = find_spare(storage, path, read_only);

	if (spare || !may_open(storage, path, read_only, error))
		return spare;
	return storage_image_open(storage, path, read_only, error);
}

void storage_image_close(struct storage_image *image)
{
	struct storage *storage = image->storage;

	for (uint32_t n = 0; n < IMAGES; n++) {
		if (storage->images[n] == image)
			storage->images[n] = NULL;
	}
	image->file.close(image->file.context);
	free(image->path);
	free(image);
}

bool storage_image_use(struct storage_image *image, const struct cli_disk *config, uint64_t seed,
		       struct hvh_image *out)
{
	struct hvh_image file = image->file;

	file.close = NULL; /* ours */
	image->inner = file;
	image->cache = NULL;
	if (!image->read_only && !config->no_cache) {
		image->cache = hvh_write_cache_create(&file,
						      config->block_size == SECTOR_4KN ? SECTOR_4KN : SECTOR,
						      config->seeded ? config->seed : seed, &image->inner);
		if (!image->cache)
			return false;
	}
	image->used = true;
	image->counters = (struct storage_counters){0};
	*out = (struct hvh_image){
		.context = image,
		.size = image->inner.size,
		.read_only = image->read_only,
		.read = image_read,
		.write = image_write,
		.flush = image_flush,
		.discard = image->inner.discard ? image_discard : NULL,
		.close = image_close,
		.flush_range = image->inner.flush_range ? image_flush_range : NULL,
		.resize = image->inner.resize ? image_resize : NULL,
	};
	return true;
}

static void forget(struct storage *storage, const struct storage_image *image)
{
	for (uint32_t n = 0; n < CLI_DISKS_MAX; n++) {
		if (storage->disks[n].image == image)
			storage->disks[n].image = NULL;
	}
}

void storage_image_release(struct storage_image *image)
{
	forget(image->storage, image);
	if (image->inner.close) /* a cache's: writes all */
		image->inner.close(image->inner.context);
	image->cache = NULL;
	image->inner = (struct hvh_image){0};
	image->used = false;
	if (!image->storage->sandboxed && !image->kept)
		storage_image_close(image);
}
