/* SPDX-License-Identifier: MIT */
/*
 * A machine's disks and CD-ROM drives: their images, the write caches in front of these, and the
 * controllers they are on. Functions are called with the machine's lock held but for _open, _create
 * and _destroy.
 *
 * Files may only be opened before a sandbox closes. Those of what is removed or ejected stay open
 * then, as spares for what comes later.
 */
#ifndef CLI_STORAGE_H
#define CLI_STORAGE_H

#include <stdatomic.h>

#include "apps/hvkit/disk.h"
#include "apps/hvkit/machine.h"
#include "hvkit_host/storage.h"

#define STORAGE_CONTROLLERS_MAX (CLI_CONTROLLERS_MAX + CLI_DISKS_MAX)
#define STORAGE_IMAGES_MAX (2 * CLI_DISKS_MAX)
#define STORAGE_NAME_MAX 16u

struct storage;

struct storage_counters {
	uint64_t reads, read_bytes, writes, write_bytes, discards, flushes;
};

/* A file that is open, and what the unit sees of it: all passes here, is counted, and comes to nothing
 * once the power is cut. */
struct storage_image {
	struct storage *storage;
	char *path;
	bool read_only;
	bool used;             /* by a disk or drive; else a spare */
	bool kept;             /* named as a spare: stays open */
	struct hvh_image file; /* closed by us */
	struct hvh_image inner;
	struct hvh_write_cache *cache; /* NULL: none */
	struct storage_counters counters;
};

struct storage_disk {
	bool there;
	char name[STORAGE_NAME_MAX]; /* "disk0", "cd0" */
	struct cli_disk config;      /* its strings are its own */
	struct storage_image *image; /* NULL: no medium */
	struct hvh_storage *on;
	char controller[STORAGE_NAME_MAX]; /* the device's name */
	uint32_t target, lun;
};

struct storage {
	struct machine machine;
	uint64_t seed;
	bool sandboxed; /* no file can be opened any more ... */
	bool may_read;  /* ... but to be read */
	bool failed;    /* an image could not be written whole at the end */
	_Atomic bool cut;
	uint64_t requests; /* that reached the images */
	uint64_t cut_in;   /* after so many of them; 0: not */
	uint64_t lost;     /* sectors that lost something at the cut */
	void (*on_cut)(void *context);
	void *context;
	struct hvh_storage *scsi[CLI_CONTROLLERS_MAX];
	struct hvh_storage *controllers[STORAGE_CONTROLLERS_MAX]; /* all, in order */
	struct hvh_storage_trouble trouble_first;                 /* a new controller's */
	struct hvh_storage_trouble trouble[STORAGE_CONTROLLERS_MAX];
	char names[STORAGE_CONTROLLERS_MAX][STORAGE_NAME_MAX];
	uint32_t controller_count, scsi_count, ide_count;
	struct cli_disk planned[CLI_DISKS_MAX]; /* of the command line, each with its place */
	uint32_t planned_count;
	struct storage_disk disks[CLI_DISKS_MAX];
	struct storage_image *images[STORAGE_IMAGES_MAX];
};

/* Opens the files and finds a place for each; disks and their strings stay the caller's, and there. NULL
 * with a line in error (of CLI_ERROR_MAX bytes). */
struct storage *storage_open(const struct cli_disk *disks, uint32_t count, uint64_t seed, char *error);
/* Offers them, as far as they are no spares. False with a line in error. */
bool storage_create(struct storage *storage, const struct machine *machine, char *error);
/* There is an image that may be written. */
bool storage_writes(const struct storage *storage);
/* The power goes: of what was written and not flushed a seeded part is in the files, nothing more gets
 * there, and on_cut is to end the machine. */
void storage_cut(struct storage *storage);
/* All that was written is in the files then, unless the power was cut. */
void storage_stop(struct storage *storage);
/* Closes the files, after the machine's end. NULL does nothing. */
void storage_destroy(struct storage *storage);

/* --- storage_images.c ------------------------------------------------------------------ */

/* Opened now, with a lock. NULL with a line in error. */
struct storage_image *storage_image_open(struct storage *storage, const char *path, bool read_only,
					 char *error);
/* A spare of that name, or opened now. */
struct storage_image *storage_image_get(struct storage *storage, const char *path, bool read_only,
					char *error);
/* Puts a write cache before it, or none, and says what a unit is to be given. False: no memory. */
bool storage_image_use(struct storage_image *image, const struct cli_disk *config, uint64_t seed,
		       struct hvh_image *out);
/* It is no unit's any more: a spare in a sandbox, closed otherwise. */
void storage_image_release(struct storage_image *image);
void storage_image_close(struct storage_image *image);

/* --- storage_disks.c --------------------------------------------------------------------- */

/* Adds one to a machine that may run. Its text is the disk's then. NULL with a line in error. */
struct storage_disk *storage_add(struct storage *storage, uint64_t now, const struct cli_disk *config,
				 char *error);
/* False with a line in error: no whole number of blocks. */
bool storage_check_size(const struct cli_disk *config, uint64_t size, char *error);
/* Takes it out of its controller. */
bool storage_remove(struct storage *storage, uint64_t now, struct storage_disk *disk);
/* Puts a medium into a drive that has none the guest uses. False with a line in error. */
bool storage_insert(struct storage *storage, uint64_t now, struct storage_disk *disk, const char *path,
		    char *error);
struct storage_disk *storage_find(struct storage *storage, const char *name);

#endif
