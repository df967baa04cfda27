/* SPDX-License-Identifier: MIT */
/*
 * The storage controller inside.
 *
 *   storvsc.c     the object: creating it, what is asked of it
 *   life.c        from detached to attached and back; the controller's work on its CPU
 *   attach.c detach.c  those two as tables of steps
 *   subchannels.c queues beside the first
 *   queue.c       a channel: sending what waits, receiving
 *   command.c     one command with the host: sent, answered, tried again, timed out
 *   job.c         one request of the user's: cut into commands, kept in order, finished
 *   memory.c      page lists and bounce pages
 *   block.c raw.c what a user may ask for
 *   scan.c        finding units; units.c  offering and withdrawing them
 *   reset.c       RESET_LUN, RESET_ADAPTER
 *   dump.c        looking inside
 *   vstor.c scsi_cdb.c scsi_answers.c verdict.c  pure functions
 *
 * Contexts. Everything that is decided about the controller as a whole (steps, scan, units,
 * time-outs) happens in hvk_poll of one CPU, config.cpu: others leave a note under the lock and kick
 * (hvk_storvsc_kick). Requests are taken on any CPU, sent by the queue of that CPU, and finished in
 * hvk_poll of the CPU where the answer came in.
 *
 * Locks: queue->lock is held while a queue is sent to, and says that it is open; controller->lock
 * guards jobs, commands, bounce pages and the lists of them. Order: queue before controller; no
 * user's code and no vmbus under the latter.
 */
#ifndef HVK_STORVSC_INTERNAL_H
#define HVK_STORVSC_INTERNAL_H

#include "guest/core/core.h"
#include "guest/device/steps.h"
#include "guest/storvsc/scsi.h"
#include "guest/storvsc/verdict.h"
#include "guest/storvsc/vstor.h"
#include "hvkit/storvsc.h"

#define HVK_STORVSC_DEPTH_MAX 2048u
#define HVK_STORVSC_UNITS_MAX 512u
#define HVK_STORVSC_BOUNCE_MAX 4096u
#define HVK_STORVSC_RESERVED 4u          /* commands beside those of users: scan, reset */
#define HVK_STORVSC_PARTS 8u             /* commands of one request with the host at once */
#define HVK_STORVSC_PUMP 64u             /* commands sent per call */
#define HVK_STORVSC_BUDGET 64u           /* packets received per callback */
#define HVK_STORVSC_PACKET_MAX 256u      /* longest ring packet taken */
#define HVK_STORVSC_RETRIES 5u           /* of a command that may be tried again at once */
#define HVK_STORVSC_WAITS 40u            /* of one that is to come later */
#define HVK_STORVSC_WAIT_MS 100u         /* ... at most each time: 4 s together */
#define HVK_STORVSC_GRACE_MS 5000u       /* after a time-out, for the abort */
#define HVK_STORVSC_DRAIN_MS 2000u       /* for requests in flight at detach */
#define HVK_STORVSC_SUBCHANNELS_MS 1000u /* those that come later are taken in later */
#define HVK_STORVSC_SETTLE_MS 20u        /* after a notice, before units are looked at */
#define HVK_STORVSC_SCAN_AGAIN_MS 1000u  /* after a scan in trouble */
#define HVK_STORVSC_SCAN_TRIES 4u        /* in a row, until what is said is believed */
#define HVK_STORVSC_COPY_BELOW 16384u /* bytes: shorter runs of fitting memory are copied with what follows */
#define HVK_STORVSC_ALIGNMENT 4u      /* of memory that travels as it is (Linux) */
#define HVK_STORVSC_LUNS 256u
#define HVK_STORVSC_TARGETS 2u
#define HVK_STORVSC_LUNS_TRIED 64u /* one by one, of a host without REPORT LUNS */
#define HVK_STORVSC_SCAN_BYTES 256u

struct storvsc_command;
struct storvsc_job;
struct storvsc_queue;

/* Every answered packet's cookie points to one of these. */
enum storvsc_ticket_kind { STORVSC_TICKET_STEP = 1, STORVSC_TICKET_RESET, STORVSC_TICKET_COMMAND };
struct storvsc_ticket {
	enum storvsc_ticket_kind kind;
};

/* What a protocol request was answered with: noted where it came in, used on the controller's CPU. */
struct storvsc_note {
	struct storvsc_ticket ticket;
	bool pending; /* it is with the host; the controller's CPU alone */
	bool there;   /* under lock */
	uint32_t length;
	uint8_t bytes[VSTOR_PACKET_SIZE];
};

/* --- Commands ------------------------------------------------------------------------- */

enum storvsc_state {
	STORVSC_FREE,
	STORVSC_UNSENT,  /* in its queue's list */
	STORVSC_FLYING,  /* with the host, or just being sent */
	STORVSC_DELAYED, /* to be sent when it is time */
	STORVSC_ANSWERED /* being looked at */
};

enum storvsc_memory {
	STORVSC_NO_MEMORY,
	STORVSC_DIRECT, /* the caller's pieces */
	STORVSC_BOUNCE, /* a chain of bounce pages, copied from or to the pieces */
	STORVSC_ZEROS,  /* the page of zeros, as often as needed */
	STORVSC_LIST,   /* one bounce page with parameters */
	STORVSC_SCAN    /* the scan's page */
};

/* A place in a caller's list of pieces. */
struct storvsc_place {
	uint32_t piece, offset;
};

struct storvsc_command {
	struct storvsc_ticket ticket; /* first: the cookie */
	struct storvsc_command *next; /* in the free list, or its queue's */
	struct storvsc_job *job;      /* NULL: the scan's */
	struct storvsc_queue *queue;
	enum storvsc_state state; /* under lock */
	enum storvsc_memory memory;
	bool filled; /* bounce pages hold what is to be written */
	bool late;   /* its time is over */
	bool abort;  /* ... and its unit is to be reset */
	bool forget; /* a method of the unit that it does not know: undo, and try another */
	uint8_t retries, waits;
	uint16_t bounce_first, bounce_count;
	uint32_t length; /* bytes of data */
	uint32_t timeout_ms;
	struct storvsc_place place;
	uint64_t block, count; /* of a job's part */
	uint64_t deadline;     /* FLYING: for the answer; DELAYED: to be sent */
	struct hvk_vstor_srb srb;
	struct hvk_vstor_result result;
	hvk_status status; /* of it: not HVK_OK if there is no result */
};

/* --- Jobs ------------------------------------------------------------------------------- */

enum storvsc_method { STORVSC_BY_UNMAP, STORVSC_BY_WRITE_SAME, STORVSC_BY_WRITES };

struct storvsc_job {
	struct storvsc_job *next; /* in the free list, its queue's, its unit's or the finished ones */
	struct hvk_storvsc_unit *unit;
	struct storvsc_queue *queue;
	struct hvk_block_request *block; /* one of these two */
	struct hvk_scsi_request *raw;
	enum hvk_block_operation operation; /* becomes FLUSH behind a write that asks for it */
	enum storvsc_method method;
	bool ordered, first; /* first: before all that wait (HEAD_OF_QUEUE) */
	bool then_flush;
	bool begun;                  /* not held back by order any more */
	bool queued;                 /* in its queue's list */
	uint32_t medium, block_size; /* of the unit when it was taken */
	uint64_t bytes;              /* of the pieces */
	uint64_t at, left;           /* blocks not cut into commands yet; FLUSH and raw: 1 */
	struct storvsc_place place;  /* of at */
	uint32_t commands;           /* cut and not answered */
	hvk_status status;
};

struct storvsc_jobs {
	struct storvsc_job *first, *last;
};

struct storvsc_commands {
	struct storvsc_command *first, *last;
};

/* --- Units -------------------------------------------------------------------------------- */

enum storvsc_unit_state {
	STORVSC_UNIT_NONE,
	STORVSC_UNIT_READY,
	STORVSC_UNIT_LEAVING /* takes nothing; goes when its jobs are done */
};

struct hvk_storvsc_unit {
	struct hvk_block block; /* first: a block is cast to its driver */
	struct hvk_storvsc *controller;
	enum storvsc_unit_state state; /* under lock */
	uint8_t target, lun, type;
	bool seen; /* by the scan that is under way */
	bool news; /* it said that its medium is another one; under lock */
	/* Counts mediums and block sizes: what was meant for another one is not sent. Under lock. */
	uint32_t medium;
	bool tagged;
	bool cache_known; /* whether it has one */
	/* What the device does of discard and write-zeroes. */
	bool unmap, write_same, write_same_unmap;
	uint32_t part_unmap, part_write_same; /* blocks of one command */
	/* Under lock. */
	uint32_t jobs;    /* taken and not done */
	uint32_t running; /* of them those not held back by order */
	bool exclusive;   /* an ordered one runs */
	bool starved;     /* ready is owed */
	struct storvsc_jobs held;
	struct hvk_block_counters counters;
	uint32_t callbacks; /* of the user's that run just now; atomic */
};

/* --- Queues --------------------------------------------------------------------------------- */

struct storvsc_queue {
	struct hvk_storvsc *controller;
	struct hvk_channel *channel; /* NULL: none; changes while it is not open */
	uint32_t index;
	struct hvk_lock lock;
	bool open;                   /* under lock; read anywhere */
	bool lost;                   /* to be closed: taken back, or silent; atomic */
	hvk_status why;              /* ... and what its commands end with */
	struct hvk_channel *offered; /* under controller->lock: claimed, and to be opened */
	/* Under controller->lock. */
	struct storvsc_commands unsent;
	struct storvsc_jobs waiting;          /* with parts still to be cut */
	bool stalled;                         /* the ring is full: ready comes when there is room */
	uint64_t commands;                    /* sent */
	uint64_t pages[HVK_PACKET_PAGES_MAX]; /* under lock: page numbers of what is sent */
	_Alignas(8) uint8_t packet[HVK_STORVSC_PACKET_MAX];
};

/* --- Scan ------------------------------------------------------------------------------------- */

struct storvsc_scan {
	bool running;
	bool again;                 /* a unit must go before another can have its place */
	bool trouble;               /* somebody did not say what was asked, for a reason that may pass */
	uint32_t tries;             /* scans in trouble, in a row */
	bool news;                  /* the unit that is looked at has another medium */
	struct hvk_request *asked;  /* somebody wants one; under lock */
	struct hvk_request *served; /* ... and this one is it */
	struct hvk_timer settle;
	struct hvk_pages pages; /* shared */
	struct hvk_shared memory;
	uint64_t page_number;
	struct storvsc_command *command;
	bool answered; /* under lock */
	uint32_t target, lun, step;
	bool listed; /* this target's LUNs are known */
	uint8_t luns[HVK_STORVSC_LUNS / 8];
	bool present, medium, long_capacity;
	hvk_status result;
	uint64_t scans;
	struct hvk_scsi_identity found;
	uint8_t bytes[HVK_STORVSC_SCAN_BYTES];
};

/* --- The controller ---------------------------------------------------------------------------- */

enum storvsc_life { STORVSC_DETACHED, STORVSC_ATTACHING, STORVSC_ATTACHED, STORVSC_DETACHING };

struct storvsc_reset {
	struct storvsc_note note; /* first: the cookie */
	/* Under lock. */
	bool asked, adapter;
	uint8_t target, lun;
	struct hvk_request *request; /* NULL: of our own */
	bool room_wanted;            /* it found no room; atomic */
	struct hvk_timer timer;
};

struct storvsc_bounce {
	struct hvk_pages pages;
	struct hvk_shared memory;
	struct hvk_pages tables;
	uint64_t *numbers; /* of the pages */
	uint16_t *next;    /* the chain that a page is in */
	/* Under lock. */
	uint32_t free_count;
	uint32_t count, usable; /* the others are withheld: the host may still use them */
	uint16_t free_first;
};

struct hvk_storvsc {
	struct hvk *hvk;
	struct hvk_channel *channel;
	struct hvk_storvsc_config config;
	struct hvk_pages pages; /* this structure, with queues */
	struct hvk_lock lock;
	bool ide;
	uint8_t ide_path, ide_target;

	/* Under lock. */
	enum storvsc_life life;
	struct hvk_request *attach_request, *detach_request;
	bool detach_wanted;
	hvk_status lost; /* not HVK_OK: taken back, silent, or its ring is corrupt */
	bool taking;     /* requests are taken */
	bool short_of;   /* a queue waits for a command or bounce pages */
	uint32_t flying; /* commands with the host */
	uint32_t taken;  /* jobs */
	bool starved;    /* some unit's ready is owed */
	bool rescan;     /* a notice, or a unit attention */
	uint64_t alarm;  /* when the timer is to fire; HVK_NEVER */
	bool alarm_moved;
	bool abort_wanted;               /* by some command */
	struct storvsc_jobs finished;    /* without a command: done on the controller's CPU */
	struct storvsc_commands dropped; /* not to be sent any more; they end there, too */
	struct storvsc_command *free_commands;
	struct storvsc_job *free_jobs;

	bool kicked;      /* atomic */
	bool room_wanted; /* a step's packet found no room; atomic */
	struct hvk_request kick;

	/* The controller's CPU alone. */
	bool started, ended, down, gone_told;
	enum storvsc_life next;
	hvk_status result, close_status;
	struct hvk_steps steps;
	struct storvsc_note answer; /* of a step */
	bool opened, hooked;
	bool withhold;         /* the host has not let go of all that it could see */
	bool primary_withheld; /* ... of the primary channel */
	uint16_t version;      /* agreed on; 0 before */
	uint32_t attempt;
	struct hvk_vstor_limits limits;
	uint32_t transfer_max; /* bytes of one command */
	uint32_t subchannels;  /* asked for, and granted */
	uint32_t opening;
	uint32_t openings;       /* begun by the sequence that runs */
	bool subchannels_wanted; /* under lock */
	struct hvk_request hooks_left;
	struct storvsc_scan scan;
	struct storvsc_reset reset;
	struct hvk_timer alarm_timer;
	struct storvsc_bounce bounce;
	struct hvk_pages zeros;
	uint64_t zeros_number;
	struct hvk_pages pool; /* commands, then jobs, then units */
	struct storvsc_command *commands;
	struct storvsc_job *jobs;
	struct hvk_storvsc_unit *units;
	uint32_t command_count, unit_count;
	uint64_t faults, notices, resets, aborts, lost_queues; /* faults: atomic */

	uint8_t by_cpu[HVK_CPUS_MAX]; /* queue of a CPU; atomic */
	uint32_t queue_count;         /* that there may be */
	struct storvsc_queue queues[];
};

/* Events of steps. */
enum storvsc_event {
	STORVSC_EVENT_ANSWER = HVK_STEPS_OWN,
	STORVSC_EVENT_SUBCHANNELS, /* all that were granted are offered */
	STORVSC_EVENT_DRAINED,     /* nothing is with the host */
	STORVSC_EVENT_SCANNED,
	STORVSC_EVENT_IDLE /* no callback of a unit runs */
};

enum storvsc_wait {
	STORVSC_WAIT_ELSEWHERE = HVK_STEPS_ELSEWHERE,
	STORVSC_WAIT_DEVICE,
	STORVSC_WAIT_DRAIN,
	STORVSC_WAIT_SUBCHANNELS
};

static inline bool storvsc_queue_is_open(const struct storvsc_queue *queue)
{
	return __atomic_load_n(&queue->open, __ATOMIC_ACQUIRE);
}

static inline bool storvsc_queue_is_lost(const struct storvsc_queue *queue)
{
	return __atomic_load_n(&queue->lost, __ATOMIC_ACQUIRE);
}

static inline struct storvsc_queue *storvsc_primary(struct hvk_storvsc *controller)
{
	return &controller->queues[0];
}

/* Written under lock, read anywhere. */
static inline hvk_status storvsc_lost(const struct hvk_storvsc *controller)
{
	return __atomic_load_n(&controller->lost, __ATOMIC_RELAXED);
}

static inline enum storvsc_unit_state storvsc_unit_state(const struct hvk_storvsc_unit *unit)
{
	return __atomic_load_n(&unit->state, __ATOMIC_RELAXED);
}

/* --- storvsc.c ------------------------------------------------------------------------ */

/* Has the rest done on the controller's CPU. Any context; not under a lock. */
void hvk_storvsc_kick(struct hvk_storvsc *controller);
void hvk_storvsc_fault(struct hvk_storvsc *controller, hvk_status status, const char *what);

/* --- life.c ------------------------------------------------------------------------------ */

void hvk_storvsc_life_init(struct hvk_storvsc *controller);
/* The controller is of no use any more. Any CPU. */
void hvk_storvsc_set_lost(struct hvk_storvsc *controller, hvk_status status);
void hvk_storvsc_end(struct hvk_storvsc *controller, enum storvsc_life next);
/* Sends a control packet and has the step wait for its answer. */
hvk_status hvk_storvsc_ask(struct hvk_storvsc *controller, const struct hvk_vstor_packet *packet);

/* --- attach.c, detach.c --------------------------------------------------------------------- */

extern const struct hvk_sequence hvk_storvsc_attach_sequence;
extern const struct hvk_sequence hvk_storvsc_detach_sequence;
/* There is a host to wait for. */
bool hvk_storvsc_can_talk(const void *device);
/* Nothing is with the host that it may still answer. */
bool hvk_storvsc_is_drained(struct hvk_storvsc *controller);
/* The same as far as a host that is gone needs it: requests end, channels are closed. */
extern const struct hvk_sequence hvk_storvsc_lost_sequence;
/* Sub-channels that have come or gone. */
extern const struct hvk_sequence hvk_storvsc_queues_sequence;

/* --- subchannels.c ---------------------------------------------------------------------------- */

void hvk_storvsc_subchannels_init(struct hvk_storvsc *controller);
bool hvk_storvsc_may_have_subchannels(const void *device);
hvk_status hvk_storvsc_begin_subchannels(void *device);
hvk_status hvk_storvsc_take_subchannels(void *device, const struct hvk_answer *answer);
bool hvk_storvsc_subchannels_complete(struct hvk_storvsc *controller);
hvk_status hvk_storvsc_await_subchannels(void *device);
hvk_status hvk_storvsc_begin_open_offered(void *device);
hvk_status hvk_storvsc_take_open_offered(void *device, const struct hvk_answer *answer);
hvk_status hvk_storvsc_begin_close_lost(void *device);
hvk_status hvk_storvsc_begin_close_all(void *device);
hvk_status hvk_storvsc_take_close(void *device, const struct hvk_answer *answer);
bool hvk_storvsc_has_hooks(const void *device);
hvk_status hvk_storvsc_begin_hooks_off(void *device);
/* A queue is to be opened or closed. */
bool hvk_storvsc_subchannels_news(struct hvk_storvsc *controller);

/* --- queue.c ------------------------------------------------------------------------------------ */

hvk_status hvk_storvsc_queue_init(struct hvk_storvsc *controller, uint32_t index);
void hvk_storvsc_queue_start(struct storvsc_queue *queue, struct hvk_channel *channel, uint32_t cpu,
			     struct hvk_request *request);
void hvk_storvsc_queue_opened(struct storvsc_queue *queue);
/* Nothing is sent any more: before the channel is closed. */
void hvk_storvsc_queue_quiet(struct storvsc_queue *queue);
/* The channel is closed: what the host still had goes by another queue, or ends. */
void hvk_storvsc_queue_closed(struct storvsc_queue *queue, hvk_status status);
/* Something waits to be sent. Under lock; who adds to it later pumps himself. */
bool hvk_storvsc_queue_has_work(const struct storvsc_queue *queue);
/* Sends what waits, as far as there is room. Any context but under a lock. */
void hvk_storvsc_pump(struct storvsc_queue *queue);
void hvk_storvsc_pump_all(struct hvk_storvsc *controller);
/* The queue for a request: the caller's CPU's, or the one that it names. */
struct storvsc_queue *hvk_storvsc_queue_for(struct hvk_storvsc *controller, uint32_t hint);

/* --- command.c ------------------------------------------------------------------------------------ */

/* Under lock. NULL: none left; reserved: the last few are the controller's own. */
struct storvsc_command *hvk_storvsc_command_get(struct hvk_storvsc *controller, bool reserved);
void hvk_storvsc_command_put(struct hvk_storvsc *controller, struct storvsc_command *command);
void hvk_storvsc_unsent_put(struct storvsc_queue *queue, struct storvsc_command *command, bool first);
struct storvsc_command *hvk_storvsc_unsent_get(struct storvsc_queue *queue);
/* ... it is being sent: the time for it begins. */
void hvk_storvsc_command_sent(struct storvsc_command *command);
void hvk_storvsc_command_unsent(struct storvsc_command *command);
/* Not under lock: the host's answer. */
void hvk_storvsc_command_answered(struct storvsc_command *command, const uint8_t *payload, uint32_t length);
/* It ends without an answer. */
void hvk_storvsc_command_fail(struct storvsc_command *command, hvk_status status);
/* Under lock: it was meant for a unit, or a medium, that is there no more. */
bool hvk_storvsc_command_is_stale(const struct storvsc_command *command);
/* Ends those that are. On the controller's CPU. */
void hvk_storvsc_commands_drop(struct hvk_storvsc *controller);
/* For the host to end what is aborted. */
uint32_t hvk_storvsc_grace_ms(const struct hvk_storvsc *controller);
/* Time-outs, and commands that are to be sent now. */
void hvk_storvsc_alarm_init(struct hvk_storvsc *controller);
void hvk_storvsc_alarm_set(struct hvk_storvsc *controller);
void hvk_storvsc_alarm_stop(struct hvk_storvsc *controller);
/* All that are left, with that status: no channel is open. */
void hvk_storvsc_commands_end(struct hvk_storvsc *controller, hvk_status status);

/* --- job.c ------------------------------------------------------------------------------------------- */

/* Takes a copy of one, completed first: HVK_OK, HVK_EAGAIN, HVK_EGONE, HVK_ESTATE, or what block.c says of
 * it. Not under lock. */
hvk_status hvk_storvsc_job_submit(struct hvk_storvsc_unit *unit, struct storvsc_job *wanted);
/* Under lock: the next part of it, made ready to be sent; NULL: nothing to send it with. */
struct storvsc_command *hvk_storvsc_job_cut(struct storvsc_job *job);
/* Under lock: nothing more of it is done. */
void hvk_storvsc_job_refuse(struct storvsc_job *job, hvk_status status);
/* A part is over. Not under lock. */
void hvk_storvsc_job_part_done(struct storvsc_command *command, hvk_status status);
/* Under lock. */
void hvk_storvsc_jobs_append(struct storvsc_jobs *jobs, struct storvsc_job *job);
struct storvsc_job *hvk_storvsc_jobs_take(struct storvsc_jobs *jobs);
/* Those that are done without a command; those of units that leave. */
void hvk_storvsc_jobs_finish(struct hvk_storvsc *controller);
/* Those that wait, of that unit or (NULL) of all. */
void hvk_storvsc_jobs_end(struct hvk_storvsc *controller, struct hvk_storvsc_unit *unit, hvk_status status);
/* Calls ready where it is owed. */
void hvk_storvsc_tell_ready(struct hvk_storvsc *controller);

/* --- memory.c ----------------------------------------------------------------------------------------- */

hvk_status hvk_storvsc_memory_start(struct hvk_storvsc *controller);
void hvk_storvsc_memory_stop(struct hvk_storvsc *controller, bool withhold);
/* Bytes from that place on, most at the most, that lie as the device takes them. */
uint32_t hvk_storvsc_direct_run(const struct hvk_buffer *pieces, uint32_t count, struct storvsc_place place,
				uint32_t most);
/* ... that can be copied. */
uint32_t hvk_storvsc_copy_run(const struct hvk_buffer *pieces, uint32_t count, struct storvsc_place place,
			      uint32_t most);
void hvk_storvsc_place_advance(const struct hvk_buffer *pieces, uint32_t count, struct storvsc_place *place,
			       uint32_t bytes);
/* Under lock. */
bool hvk_storvsc_bounce_can(const struct hvk_storvsc *controller, uint32_t pages);
bool hvk_storvsc_bounce_get(struct hvk_storvsc *controller, struct storvsc_command *command, uint32_t pages);
void hvk_storvsc_bounce_put(struct hvk_storvsc *controller, struct storvsc_command *command);
/* The host may still use them: they are nobody's until the end. */
void hvk_storvsc_bounce_withhold(struct hvk_storvsc *controller, struct storvsc_command *command);
/* Copies what is to be written into the command's bounce pages, and what was read out of them. */
void hvk_storvsc_bounce_fill(struct storvsc_command *command);
void hvk_storvsc_bounce_drain(struct storvsc_command *command, uint32_t length);
/* Under queue->lock: page numbers of the command's memory into queue->pages. Returns their count. */
uint32_t hvk_storvsc_list_pages(struct storvsc_queue *queue, const struct storvsc_command *command,
				uint32_t *offset);
/* The pieces of a job. */
const struct hvk_buffer *hvk_storvsc_pieces(const struct storvsc_job *job, uint32_t *count);

/* --- block.c, raw.c ---------------------------------------- */

extern const struct hvk_block_ops hvk_storvsc_block_ops;
/* Under lock: HVK_OK, and the job is complete; or why it is refused. */
hvk_status hvk_storvsc_block_admit(struct hvk_storvsc_unit *unit, struct storvsc_job *job);
/* Under lock: the job's next part. */
struct storvsc_command *hvk_storvsc_block_cut(struct storvsc_job *job);
struct storvsc_command *hvk_storvsc_raw_cut(struct storvsc_job *job);
/* Under lock: the address of the unit, the time that it has. */
void hvk_storvsc_address(struct storvsc_command *command, struct storvsc_job *job,
			 const struct hvk_scsi_cdb *cdb);
void hvk_storvsc_count_done(struct storvsc_job *job);
void hvk_storvsc_raw_result(struct storvsc_command *command, hvk_status status);

/* --- scan.c, units.c ---------------------------------------- */

hvk_status hvk_storvsc_scan_start_memory(struct hvk_storvsc *controller);
void hvk_storvsc_scan_init(struct hvk_storvsc *controller);
void hvk_storvsc_scan_begin(struct hvk_storvsc *controller);
/* An answer may be there. */
void hvk_storvsc_scan_go_on(struct hvk_storvsc *controller);
/* It ends without a result, unless it is over. */
void hvk_storvsc_scan_stop(struct hvk_storvsc *controller, hvk_status status);
/* Under lock: its medium may be another one; what waits was meant for the old one, if it can be changed. */
void hvk_storvsc_unit_has_news(struct hvk_storvsc_unit *unit);
bool hvk_storvsc_unit_is_known(struct hvk_storvsc *controller, uint8_t target, uint8_t lun);
/* The units as the scan has found them. kept: nothing new could be found out of one that is known. */
bool hvk_storvsc_unit_kept(struct hvk_storvsc *controller, uint8_t target, uint8_t lun);
void hvk_storvsc_unit_found(struct hvk_storvsc *controller, uint8_t target, uint8_t lun,
			    struct hvk_scsi_identity *found);
/* The scan is over, whole: those that were not found leave. */
void hvk_storvsc_units_settle(struct hvk_storvsc *controller);
/* Those that leave and are idle go. */
void hvk_storvsc_units_reap(struct hvk_storvsc *controller);
void hvk_storvsc_units_leave(struct hvk_storvsc *controller);
bool hvk_storvsc_units_idle(struct hvk_storvsc *controller);
bool hvk_storvsc_units_any(struct hvk_storvsc *controller);
/* Without their hook. */
void hvk_storvsc_units_drop(struct hvk_storvsc *controller);

/* --- reset.c ---------------------------------------- */

void hvk_storvsc_reset_init(struct hvk_storvsc *controller);
/* Sends what was asked for. */
void hvk_storvsc_reset_go_on(struct hvk_storvsc *controller);
void hvk_storvsc_reset_stop(struct hvk_storvsc *controller, hvk_status status);

#endif
