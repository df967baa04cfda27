/* SPDX-License-Identifier: MIT */
/*
 * Storage: controllers (storvsp), the SCSI units on them, and the images behind these.
 *
 * An image is where blocks are. A disk has a write cache as real ones do: what was written is in
 * the image after SYNCHRONIZE CACHE, FUA, or a while.
 */
#ifndef HVKIT_HOST_STORAGE_H
#define HVKIT_HOST_STORAGE_H

#include "host.h"

#ifdef __cplusplus
extern "C" {
#endif

struct hvh_storage; /* a controller */

/* Bytes by offset. Each returns false on an error of the medium. Called with the partition's lock
 * held; offsets and lengths lie inside size. */
struct hvh_image {
	void *context;
	uint64_t size; /* bytes */
	bool read_only;
	bool (*read)(void *context, uint64_t offset, void *data, uint32_t length);
	bool (*write)(void *context, uint64_t offset, const void *data, uint32_t length);
	bool (*flush)(void *context); /* what was written is safe when it returns */
	/* Zeros from now on, room given back if possible. May be NULL: zeros are written. */
	bool (*discard)(void *context, uint64_t offset, uint64_t length);
	void (*close)(void *context); /* may be NULL */
	/* What was written there is safe when it returns, of what is elsewhere nothing is said: for FUA and
	 * SYNCHRONIZE CACHE of some blocks. NULL: flush. */
	bool (*flush_range)(void *context, uint64_t offset, uint64_t length);
	/* From now on it ends there: what was beyond is gone, what is new is zeros. NULL: there is nothing to
	 * do, or the caller of hvh_storage_resize has done it. */
	bool (*resize)(void *context, uint64_t size);
};

/* A file or block device that is there, sparse if it can be, of a whole number of 512-byte sectors; opened
 * with a lock against others (one writer, or any number of readers). False: error says what was wrong and
 * what would be right. flush is fdatasync. */
bool hvh_image_open(const char *path, bool read_only, struct hvh_image *out, char *error, size_t error_size);
/* Memory, zeros at first, taken as it is written; for tests and simulation. Grows if written beyond size. */
bool hvh_image_memory(uint64_t size, struct hvh_image *out);
/* A volatile cache of 8 MiB in front of another image, which forgets on a cut: of what was not flushed a
 * seeded part has been written, in a seeded order, whole sectors of sector bytes each; of a sector written
 * several times any of its contents since the flush may be what is left. It is empty then, and works on.
 * NULL: no memory, or inner is no whole number of sectors. inner is taken over; out's close writes all,
 * closes it and frees the cache. */
struct hvh_write_cache;
struct hvh_write_cache *hvh_write_cache_create(const struct hvh_image *inner, uint32_t sector, uint64_t seed,
					       struct hvh_image *out);
void hvh_write_cache_cut(struct hvh_write_cache *cache);
/* Sectors that lost something at the cuts so far. */
uint64_t hvh_write_cache_lost(const struct hvh_write_cache *cache);

enum hvh_storage_class { HVH_STORAGE_SCSI, HVH_STORAGE_IDE };

struct hvh_storage_config {
	enum hvh_storage_class class_;
	uint8_t instance[16];  /* GUID as on the wire; zeros = made from the seed */
	uint32_t queues_max;   /* sub-channels + 1; 0 = 64, 1 = none */
	uint32_t transfer_max; /* bytes; 0 = 262144 */
};
/* Offers one. NULL if there is no room. It lives until the partition does. */
struct hvh_storage *hvh_storage_create(struct hvh_partition *partition,
				       const struct hvh_storage_config *config);
struct hvh_storage *hvh_storage_find(struct hvh_partition *partition, const char *name); /* "scsi0" */
void hvh_storage_rescind(struct hvh_storage *storage, uint64_t now);
void hvh_storage_offer_again(struct hvh_storage *storage, uint64_t now);

struct hvh_unit_config {
	bool cdrom;
	bool read_only;
	bool no_write_cache;
	uint32_t block_size;          /* 0 = 512, CD-ROM 2048; or 4096 */
	uint32_t physical_block_size; /* 0 = 4096 (512e) */
	const char *serial;           /* at most 64 characters; NULL or empty = made from the seed */
	const char *vendor, *product; /* NULL = "Msft", "Virtual Disk" or "Virtual DVD-ROM" */
};
/* Units are target 0 (or 1), LUN below 64; an IDE accelerator has one, at 0, 0. The image is taken over:
 * closed when it goes. NULL: a CD-ROM without a medium. The guest is told (ENUMERATE_BUS, unit attention).
 * False, and the image is still the caller's: there is one at that place already, or no such place; a
 * block size that is none (512, 4096; CD-ROM 2048), an image that is no whole number of a disk's blocks. */
bool hvh_storage_add(struct hvh_storage *storage, uint64_t now, uint32_t target, uint32_t lun,
		     const struct hvh_unit_config *config, const struct hvh_image *image);
bool hvh_storage_remove(struct hvh_storage *storage, uint64_t now, uint32_t target, uint32_t lun);
/* The image gets another size: a whole number of blocks. The guest is told. False: it cannot have it. */
bool hvh_storage_resize(struct hvh_storage *storage, uint64_t now, uint32_t target, uint32_t lun,
			uint64_t size);
/* Medium out and closed (the guest may have forbidden it: false unless forced, and it is asked to allow it);
 * medium in, taken over: false if there is one that the guest has not ejected. */
bool hvh_storage_eject(struct hvh_storage *storage, uint64_t now, uint32_t target, uint32_t lun, bool force);
bool hvh_storage_insert(struct hvh_storage *storage, uint64_t now, uint32_t target, uint32_t lun,
			const struct hvh_image *image);

/* Seeded trouble, of a thousand requests each (1000: every one): errors of the medium, BUSY, unit
 * attentions; and a delay of each request from 0 to delay_max (100 ns), so that they complete out of
 * order. */
struct hvh_storage_trouble {
	uint32_t medium_errors, busy, unit_attentions;
	uint32_t never; /* no answer at all, and not done; a reset may end it */
	uint64_t delay_max;
};
void hvh_storage_set_trouble(struct hvh_storage *storage, const struct hvh_storage_trouble *trouble);

struct hvh_storage_counters {
	uint64_t requests, reads, writes, flushes, read_bytes, write_bytes;
	uint64_t errors; /* requests that did not end well, for whatever reason */
	uint64_t medium_errors, busy, unit_attentions; /* trouble's; an image's own errors are here too */
	uint64_t delayed, unanswered;
	uint64_t absent;          /* requests for units that are not there */
	uint64_t resets, notices; /* of the guest's; the controller's own packets */
};
void hvh_storage_get_counters(const struct hvh_storage *storage, struct hvh_storage_counters *out);

#ifdef __cplusplus
}
#endif
#endif
