/* SPDX-License-Identifier: MIT */
/*
 * utilities: the host's side of the integration components. Private to host/utilities/.
 *
 *   utilities.c   what the rest of the program sees: all of them together
 *   component.c   one of them as a device on VMBus: its life, and when it has something to do
 *   exchange.c    one message at a time: out, and its answer in
 *   negotiate.c   versions, the same for all; versions.c has those that a profile offers
 *   requests.c    what somebody has asked for, in order
 *   shutdown.c, timesync.c, heartbeat.c, kvp.c, kvp_ip.c, vss.c, fcopy.c   a component each
 *   kvp_store.c   what the host has set, kept in a file
 *   text.c        UTF-16, lists, GUIDs
 *
 * A message stays in bytes from when it is built until it is answered, or its time is over. Sources: Linux
 * hv_util.c, hv_kvp.c, hv_snapshot.c, hv_fcopy.c, OpenVMM hyperv_ic, FreeBSD vmbus_ic.
 */
#ifndef HVH_UTILITIES_UTILITIES_H
#define HVH_UTILITIES_UTILITIES_H

#include <stdio.h>

#include "host/core/core.h"
#include "host/core/dump.h"
#include "host/vmbus/channel.h"
#include "hvkit/wire/guids.h"
#include "hvkit_host/utilities.h"

#define UTILITIES 6u
#define UTILITY_VERSIONS_MAX 4u
#define UTILITY_REQUESTS_MAX 64u /* of a component, that wait */
#define UTILITY_PACKETS_PER_RUN 16u
#define UTILITY_HEADERS ((uint32_t)(sizeof(struct pipe_header) + sizeof(struct ic_header)))
#define UTILITY_BODY_MAX ((uint32_t)(IC_KVP_IP_OFFSET + sizeof(struct ic_kvp_ip))) /* the longest */
#define UTILITY_TEXT_MAX 4096u
#define UTILITY_WAIT (60u * HVH_TIME_PER_SECOND) /* for an answer; that to NEGOTIATE as Linux has it */
#define UTILITY_TRANSACTIONS 256u

enum utility_state {
	UTILITY_CLOSED,
	UTILITY_NEGOTIATING,
	UTILITY_READY,
	UTILITY_NO_VERSION, /* nothing in common */
	UTILITY_GIVEN_UP    /* no answer to NEGOTIATE */
};

struct utility;

/* An answer, or (body NULL) none in time. */
struct utility_answer {
	enum hvh_utility_result result; /* OK, FAILED, TIMED_OUT */
	uint32_t status;
	const uint8_t *body;
	uint32_t length;
};

/* What somebody has asked for. */
struct utility_request {
	struct utility_request *next;
	const char *name; /* "SET": for people */
	hvh_utility_done done;
	void *context;
	uint64_t wait;   /* for an answer */
	uint32_t length; /* of body: its message */
	/* A file that is copied: */
	uint32_t step;
	FILE *file;
	uint64_t size, offset;
	uint32_t piece;
	const char *failure; /* it is given up: the answer to CANCEL ends it */
	struct utility_answer cause;
	_Alignas(8) uint8_t body[];
};

struct utility_versions {
	uint32_t count;
	uint32_t list[UTILITY_VERSIONS_MAX]; /* oldest first */
};

struct utility_service {
	uint32_t bit;
	struct vmbus_guid type, instance;
	uint16_t message_type;
	uint64_t wait;             /* for an answer */
	struct hvh_device_ops ops; /* .name is its name */
	void (*ready)(struct utility *utility);
	/* A message of its own: built with utility_begin. False: not now. May be NULL, with own_next. */
	bool (*own)(struct utility *utility);
	uint64_t (*own_next)(const struct utility *utility);
	/* Begins the next message of the oldest request. NULL: its body is the only one. */
	void (*step)(struct utility *utility, struct utility_request *request);
	/* request: whose message it was; NULL: the service's own. To be finished, or another step. */
	void (*answered)(struct utility *utility, struct utility_request *request,
			 const struct utility_answer *answer);
	/* Closed, or begun anew: forget the guest's state. May be NULL, as those below. */
	void (*reset)(struct utility *utility);
	void (*dump)(const struct utility *utility, struct hvh_dump *dump);
};

struct utility {
	const struct utility_service *service;
	struct hvh_utilities *owner;
	struct hvh_channel *channel; /* NULL: not offered */
	uint64_t now;                /* of the latest call */
	enum utility_state state;
	uint32_t framework, version; /* agreed on */
	bool stopped;                /* after a corrupt ring nothing happens until the channel closes */
	bool blocked;                /* the ring to the guest was full */
	/* The message under way: */
	bool busy, sent;
	uint8_t transaction_id;
	uint16_t type;
	uint32_t length; /* of the body */
	uint64_t not_before, sent_at, deadline;
	struct utility_request *current;
	bool late[UTILITY_TRANSACTIONS]; /* not answered in time, or nobody's: its answer may come yet */
	uint8_t bytes[UTILITY_HEADERS + UTILITY_BODY_MAX];

	struct utility_request *first, *last; /* that wait; the oldest is the one under way */
	uint32_t waiting;
	char text[UTILITY_TEXT_MAX];
	struct hvh_utilities_counters counters;
};

struct kvp_pair {
	uint8_t pool;
	char *key, *value;
};

struct kvp_store {
	FILE *file; /* NULL: none */
	size_t file_bytes;
	struct kvp_pair *pairs;
	uint32_t count;
};

struct hvh_utilities {
	struct hvh_partition *partition;
	struct hvh_utilities_config config;
	uint32_t devices; /* that the partition has yet to destroy */
	struct utility all[UTILITIES];
	/* Time */
	uint64_t clock_base;
	int64_t clock_offset;
	bool sync; /* the guest is to be told at once */
	uint64_t next_sample, round_trip, syncs, samples;
	/* Heartbeat */
	uint64_t next_beat, sequence, beats, last_beat;
	uint32_t application_state;
	/* Key-value pairs */
	struct kvp_store store;
	uint32_t restored; /* pairs of the store that the guest has got since it negotiated */
	/* Backup, file copy */
	bool frozen;
	uint64_t copies, copied_bytes;
};

#define UTILITY_VIOLATE(utility, kind, bytes, count, ...)                          \
	hvh_violate((utility)->owner->partition, kind, (utility)->now, UINT32_MAX, \
		    hvh_channel_id((utility)->channel), (const uint8_t *)(bytes), count, __VA_ARGS__)
#define UTILITY_NOTE(utility, ...) \
	hvh_note((utility)->owner->partition, (utility)->now, hvh_channel_id((utility)->channel), __VA_ARGS__)

static inline const char *utility_name(const struct utility *utility)
{
	return utility->service->ops.name;
}

/* The major number is in the low half: comparable. */
static inline uint32_t utility_rank(uint32_t version)
{
	return version << 16 | version >> 16;
}

static inline bool utility_has_version(const struct utility *utility, uint32_t major, uint32_t minor)
{
	return utility_rank(utility->version) >= utility_rank(IC_VERSION(major, minor));
}

/* --- component.c --------------------------------------------------------------------------------- */

bool utility_open(void *device, struct hvh_channel *channel, uint64_t now,
		  const uint8_t user_data[VMBUS_USER_DATA_SIZE]);
void utility_close(void *device, struct hvh_channel *channel, uint64_t now);
bool utility_run(void *device, struct hvh_channel *channel, uint64_t now);
uint64_t utility_next_event(void *device, struct hvh_channel *channel);
void utility_dump(const void *device, struct hvh_dump *dump);
void utility_destroy(void *device);
#define UTILITY_OPS(name_)                                                                        \
	{                                                                                         \
		.name = (name_), .hears_out = true, .open = utility_open, .close = utility_close, \
		.run = utility_run, .next_event = utility_next_event, .dump = utility_dump,       \
		.destroy = utility_destroy                                                        \
	}
/* Begins anew: negotiates, and what was under way is over. why goes to those who wait. */
void utility_restart(struct utility *utility, const char *why);
/* Why a request cannot be made now; NULL: it can. */
const char *utility_away(const struct utility *utility);

/* --- exchange.c ---------------------------------------------------------------------------------- */

/* Room for the body of the next message, zeroed. */
uint8_t *utility_body(struct utility *utility);
/* It is built: it goes out as soon as it can. of: whose; NULL: the service's own. */
void utility_begin(struct utility *utility, struct utility_request *of, uint16_t type, uint32_t length,
		   uint64_t wait);
/* Up to UTILITY_PACKETS_PER_RUN; true: there may be more. */
bool utility_read(struct utility *utility);
/* Sends what is built, or gives up what is overdue. True: something else can be begun. */
bool utility_progress(struct utility *utility);
/* The message is nobody's any more; its answer may come yet. */
void utility_forget(struct utility *utility);

/* --- negotiate.c, versions.c --------------------------------------------------------------------- */

void utility_negotiate(struct utility *utility);
void utility_negotiated(struct utility *utility, const struct utility_answer *answer);
/* What the profile offers, capped by the configuration; false: the component is not there. */
bool utility_versions(const struct utility *utility, struct utility_versions *framework,
		      struct utility_versions *message);
void utility_version_text(uint32_t version, char text[16]);

/* --- requests.c ---------------------------------------------------------------------------------- */

/* NULL: done has been called with the reason, and the request is over. */
struct utility_request *utility_request(struct utility *utility, uint64_t now, const char *name,
					uint32_t length, hvh_utility_done done, void *context);
/* Put in line, to be sent. */
void utility_submit(struct utility *utility, struct utility_request *request);
/* Of a request that was not submitted. */
void utility_refuse(struct utility *utility, struct utility_request *request, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* The oldest request is over; plainly: with the status in words. */
void utility_finish(struct utility *utility, const struct utility_answer *answer, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
void utility_finish_plainly(struct utility *utility, const struct utility_answer *answer);
/* All that wait end with AWAY. */
void utility_cancel_all(struct utility *utility, const char *why);
/* Nothing is called: the partition goes. */
void utility_drop_all(struct utility *utility);
const char *utility_status_text(uint32_t status);

/* --- The components ------------------------------------------------------------------------------ */

#define UTILITY_AT_SHUTDOWN 0u
#define UTILITY_AT_TIMESYNC 1u
#define UTILITY_AT_HEARTBEAT 2u
#define UTILITY_AT_KVP 3u
#define UTILITY_AT_VSS 4u
#define UTILITY_AT_FCOPY 5u
extern const struct utility_service utility_shutdown, utility_timesync, utility_heartbeat;
extern const struct utility_service utility_kvp, utility_vss, utility_fcopy;

/* kvp_ip.c. The answer to GET_IP, as text. NULL, or what is wrong with it. */
const char *utility_kvp_ip_text(struct utility *utility, const uint8_t *body);

/* --- kvp_store.c --------------------------------------------------------------------------------- */

#define KVP_PAIRS_MAX 1024u
/* From the file, which is made if there is none. False: error says why not. */
bool kvp_store_load(struct kvp_store *store, const char *file, char *error, size_t error_size);
/* Each returns NULL, or why the file does not have it now. value NULL: removed. */
const char *kvp_store_set(struct kvp_store *store, uint8_t pool, const char *key, const char *value);
void kvp_store_free(struct kvp_store *store);

/* --- text.c -------------------------------------------------------------------------------------- */

#define UTILITY_BAD_TEXT UINT32_MAX
/* Units written, without an end; UTILITY_BAD_TEXT: not UTF-8, or more than max. */
uint32_t utility_to_utf16(const char *text, uint8_t *units, uint32_t max);
/* Up to count units, or the first that is 0. Returns the bytes written before the 0. */
size_t utility_from_utf16(const uint8_t *units, uint32_t count, char *text, size_t size);
/* ... for people: control characters become '?'. */
size_t utility_line_from_utf16(const uint8_t *units, uint32_t count, char *text, size_t size);
/* "{...}" in small letters, from a GUID with braces or without. False: it is none. */
bool utility_guid_text(const char *text, char guid[39]);
/* "00:15:5D:..." from an address of a network card. False: it is none. */
bool utility_mac_text(const char *text, char mac[18]);

#endif
