/* SPDX-License-Identifier: MIT */
/*
 * Storage controllers under load, to which things happen. It is a session of the rig's
 * (rig_config.session, with no_nic): it brings controllers, disks and requests of its own.
 *
 * What must hold: each request is done once, with a status for which there is a reason; what is read is
 * what may be there (disk_truth.h); nothing is written into memory before or behind, or later; after a
 * cut of the power nothing is missing that was to be on stable storage.
 */
#ifndef TESTS_SUPPORT_STORAGE_RIG_H
#define TESTS_SUPPORT_STORAGE_RIG_H

#include "hvkit/storvsc.h"
#include "hvkit_host/storage.h"
#include "tests/support/disk_truth.h"
#include "tests/support/rig.h"

#define STORE_CONTROLLERS 2u
#define STORE_DISKS 8u
#define STORE_REQUESTS 40u
#define STORE_EVENTS_MAX 12u
#define STORE_WRONG 200u
#define STORE_SERIAL 24u
#define STORE_PIECES 260u
#define STORE_SMALL_PAGES 18u /* of a request's memory */
#define STORE_LARGE_PAGES 150u
#define STORE_LARGE 4u /* requests with so many */

enum store_event {
	STORE_QUIET, /* nothing */
	STORE_TROUBLE_MEDIUM,
	STORE_TROUBLE_BUSY,
	STORE_TROUBLE_ATTENTION,
	STORE_TROUBLE_NEVER, /* no answers to some */
	STORE_TROUBLE_DELAY,
	STORE_TROUBLE_ALL,
	STORE_SILENCE, /* no answers to any */
	STORE_SILENT_RESET,
	STORE_RESET_UNIT,
	STORE_RESET_ADAPTER,
	STORE_RESCAN,
	STORE_RESCIND, /* and offered again */
	STORE_ADD,
	STORE_REMOVE,
	STORE_GROW,
	STORE_SHRINK,
	STORE_EJECT,
	STORE_INSERT,
	STORE_SWAP, /* another medium, at once */
	STORE_REATTACH,
	STORE_SUSPEND,
	STORE_STALL, /* the contact CPU looks at nothing for a while */
	STORE_FLOOD, /* more than is taken */
	STORE_ORDER, /* overlapping requests, in order */
	STORE_CUT,   /* of the power: write caches forget */
	STORE_EVENT_COUNT
};
const char *store_event_name(enum store_event event);

/* Why a request may end otherwise than well. */
#define STORE_WHY_MEDIUM (1u << 0)
#define STORE_WHY_BUSY (1u << 1)
#define STORE_WHY_ATTENTION (1u << 2)
#define STORE_WHY_NEVER (1u << 3)
#define STORE_WHY_RESET (1u << 4)
#define STORE_WHY_GONE (1u << 5)
#define STORE_WHY_DETACHED (1u << 6)
#define STORE_WHY_SHRUNK (1u << 7)
#define STORE_WHY_EJECTED (1u << 8)
#define STORE_WHY_QUEUE (1u << 9) /* a sub-channel that is rescinded takes raw requests with it */

enum store_kind {
	STORE_READ,
	STORE_WRITE,
	STORE_FLUSH,
	STORE_DISCARD,
	STORE_ZEROES,
	STORE_RAW_READ,
	STORE_RAW_WRITE,
	STORE_RAW_ASK, /* TEST UNIT READY, INQUIRY */
	STORE_KINDS
};

struct store_plan {
	uint64_t seed;
	uint32_t disks; /* on the first controller; one of them may be a CD-ROM */
	bool cdrom, read_only;
	bool second;                      /* a controller: an IDE accelerator, or another SCSI one */
	bool ide;                         /* the second, or the first if there is no other */
	bool no_write_cache;              /* of the first disk */
	bool large_blocks;                /* of the first disk: 4096 */
	bool files;                       /* images are files */
	uint64_t disk_bytes;              /* of each */
	uint32_t pause_ms;                /* of load between two events */
	uint64_t write_bytes;             /* written, at least, before the events; 0: by time alone */
	uint32_t reads, flushes;          /* of a hundred requests; the rest writes */
	bool plain;                       /* only reads, writes, flushes and zeroes */
	bool known_cut;                   /* a cut comes at a request chosen by the seed, and ends it */
	struct hvk_storvsc_config config; /* what the user chooses */
	struct hvh_storage_config host;
	enum store_event events[STORE_EVENTS_MAX];
	uint32_t event_count;
};

struct store_counts {
	uint64_t events[STORE_EVENT_COUNT]; /* first */
	uint64_t done[STORE_KINDS];         /* well */
	uint64_t failed_medium, timed_out, gone, canceled, no_medium, absent, refused_busy, refused_read_only,
		refused_gone;
	uint64_t fua, ordered, copied, direct, split, chained, readies, changed;
	uint64_t added, units_gone, controllers_gone, attached, attach_failed;
	uint64_t queues[4]; /* attached with 1, 2, 3, more */
	uint64_t retries, timeouts;
	uint64_t host_medium, host_busy, host_attentions, host_unanswered, host_delayed, host_absent,
		host_resets, host_notices;
	uint64_t lost_sectors, cut_blocks, safe_blocks, checked_blocks, written_bytes;
};

struct store;
struct store_controller;

struct store_disk {
	struct store *store;
	struct store_controller *controller;
	bool there; /* on the host */
	bool cdrom, read_only, no_write_cache;
	uint8_t target, lun;
	char serial[STORE_SERIAL];
	uint32_t block_size;
	uint64_t blocks; /* 0: no medium */
	struct hvh_image front, inner;
	struct hvh_write_cache *cache; /* NULL: none */
	struct truth truth;
	uint32_t medium; /* of a CD-ROM: counts */
	uint32_t why;
	/* The guest's. */
	struct hvk_storvsc_unit *unit;
	_Atomic uint32_t using; /* submits under way */
	_Atomic bool ordering;  /* ... of one that is ordered */
	uint32_t epoch, readies;
	bool starved;               /* refused, and not told since that there is room */
	uint64_t good[STORE_KINDS]; /* since it was added */
};

struct store_controller {
	struct store *store;
	uint32_t index;
	bool ide;
	struct hvh_storage *host;
	uint8_t instance[16];
	struct hvk_channel *channel;
	struct hvk_storvsc *guest;
	bool up;
	_Atomic bool gone;
	uint32_t why;
	struct hvk_request request;
};

struct store_request {
	struct store *store;
	struct store_disk *disk;
	enum store_kind kind;
	_Atomic bool taken;
	bool raw, fua, ordered, mixed, chained, writes;
	bool void_; /* the power went meanwhile: it promises nothing */
	uint32_t why, version, epoch, medium;
	struct truth_run run;
	uint64_t since; /* clock of the truth */
	struct truth_set *seen;
	struct hvk_pages pages;
	uint8_t *memory; /* of pages, and dirty bytes of it from start on */
	uint32_t start, length;
	struct hvk_buffer pieces[STORE_PIECES];
	uint32_t piece_count;
	struct hvk_block_request block;
	struct hvk_scsi_request scsi;
};

struct store {
	struct store_plan plan;
	struct rig *rig;
	struct store_counts counts;
	struct store_controller controllers[STORE_CONTROLLERS];
	struct store_disk disks[STORE_DISKS];
	struct store_request requests[STORE_REQUESTS];
	uint32_t ghosts; /* units that the host has taken back before the guest had looked at them */
	uint32_t why;    /* always */
	uint32_t serials;
	_Atomic bool chain; /* a request that is done may be followed by another at once */
	uint64_t written;
	uint64_t cut_at; /* requests; 0: by events alone */
	uint64_t done;   /* requests */
	bool over;       /* after such a cut */
	uint64_t random;
	char wrong[STORE_WRONG];
};

/* All of it; result is filled in. NULL, or what is wrong: rig_check's, or of the requests. */
const char *store_run(const struct store_plan *plan, const struct rig_config *machine,
		      struct rig_result *result, struct store_counts *counts);

/* --- storage_rig.c: for events, on the contact CPU ------------------------------------------- */

void store_fail(struct store *store, const char *format, ...) __attribute__((format(printf, 2, 3)));
bool store_failed(const struct store *store);
uint32_t store_pick(struct store *store, uint32_t below);
void store_load(struct store *store, uint32_t ms); /* requests for so long */
hvk_status store_wait(struct store *store, struct hvk_request *request, bool loaded);
/* Reasons, of one controller's or disk's requests or (NULL) of all: from now on, and of those under way. */
void store_excuse(struct store *store, struct store_controller *controller, struct store_disk *disk,
		  uint32_t why);
/* No requests until all are done, and controllers are there and know their units. */
void store_settle(struct store *store);
void store_go_on(struct store *store); /* attaches again what is gone */
void store_up(struct store_controller *controller);
void store_down(struct store_controller *controller, bool destroy);
bool store_add_disk(struct store_controller *controller, uint8_t target, uint8_t lun, bool cdrom);
void store_drop_disk(struct store_disk *disk);
bool store_insert(struct store_disk *disk);
void store_lock(struct store *store);
void store_unlock(struct store *store);
uint64_t store_now(const struct store *store);
struct store_disk *store_find(struct store_controller *controller, uint8_t target, uint8_t lun);
void store_note_unit(struct store_disk *disk); /* it goes: its counters are ours */

/* --- storage_requests.c ----------------------------------------------------------------------- */

void store_requests_create(struct store *store);
void store_requests_destroy(struct store *store);
bool store_submit_any(struct store *store);
/* One request of that kind; false: there is none free, or the disk does not take it now. */
bool store_submit(struct store_disk *disk, enum store_kind kind, struct truth_run run, bool ordered);
uint32_t store_under_way(const struct store *store, const struct store_disk *disk);
void store_cut(struct store *store); /* the power */
void store_read_all(struct store *store);
void store_compare_images(struct store *store);

/* --- storage_events.c -------------------------------------------------------------------------- */

void store_happen(struct store *store, enum store_event event);

#endif
