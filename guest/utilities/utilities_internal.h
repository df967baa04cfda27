/* SPDX-License-Identifier: MIT */
/*
 * utilities: state, and what its files call of each other. Private to guest/utilities.
 *
 *   utility.c      the object: creating it, looking inside
 *   request.c      one message at a time: in, to its service, out
 *   negotiate.c    versions, the same for all
 *   shutdown.c, timesync.c, heartbeat.c, kvp.c, vss.c, fcopy.c    a service each
 *   kvp_pair.c, kvp_ip.c    what the host says of pairs and addresses, in the user's form
 *   kvp_store.c    pools in memory
 *   fcopy_name.c   names that stay inside a directory
 *   utf16.c        texts from and to the host
 *
 * All of it runs in turns of the device (guest/device/device.h). A message stays in current from its arrival
 * until its answer is in the ring; one more may wait in next; what is behind stays in the host's ring.
 */
#ifndef HVK_UTILITIES_INTERNAL_H
#define HVK_UTILITIES_INTERNAL_H

#include "guest/device/device.h"
#include "guest/utilities/utf16.h"
#include "hvkit/utilities.h"

#define UTILITY_HEADERS (sizeof(struct pipe_header) + sizeof(struct ic_header))
#define UTILITY_VERSIONS_MAX 4u
#define UTILITY_ANSWER_MS 30000u
#define UTILITY_FREEZE_MS 60000u

/* What a service says of a message: an IC_STATUS_*, or one of these. */
#define UTILITY_LATER 0xffffffffu     /* hvk_utility_answer will come */
#define UTILITY_MALFORMED 0xfffffffeu /* a host fault; IC_STATUS_INVALID_ARGUMENT */

#define UTILITY_TEXT_MAX 1025u /* of a shutdown: 1 KiB, and the end */
#define UTILITY_PATH_MAX 781u  /* 260 UTF-16 units, and the end */

struct utility_service {
	const char *name;
	struct vmbus_guid type;
	enum hvk_utility_kind kind;
	uint16_t message_type;
	uint32_t versions[UTILITY_VERSIONS_MAX]; /* newest first; 0: no more */
	uint32_t message_max;
	uint32_t answer_ms;
	/* body is the message's, and becomes the answer's. */
	uint32_t (*ask)(struct hvk_utility *utility, uint8_t *body, uint32_t length);
	/* The answer to a LATER. NULL: nothing is ever put off. */
	uint32_t (*conclude)(struct hvk_utility *utility, enum hvk_utility_answer answer, uint8_t *body);
	/* The answer is in the ring. Each of these may be NULL. */
	void (*sent)(struct hvk_utility *utility);
	void (*overdue)(struct hvk_utility *utility); /* instead of conclude */
	void (*work)(struct hvk_utility *utility);
	void (*negotiated)(struct hvk_utility *utility);
	void (*down)(struct hvk_utility *utility);
};

struct utility_message {
	uint8_t *bytes;
	uint32_t length; /* pipe header and all; 0: none */
};

enum utility_request { UTILITY_IDLE, UTILITY_ASKED, UTILITY_ANSWERED };

struct utility_shutdown {
	enum hvk_shutdown_action action;
	bool forced, go;
	char text[UTILITY_TEXT_MAX];
};

struct utility_kvp {
	struct hvk_kvp_pair pair;
	struct hvk_kvp_ip ip;
	struct ic_kvp_value value; /* here, not on a stack */
};

enum utility_vss_state { VSS_THAWED, VSS_FREEZING, VSS_FROZEN };

struct utility_vss {
	enum utility_vss_state state;
	struct hvk_timer timer;
	bool overdue; /* atomic */
	uint64_t by_itself;
};

struct utility_fcopy {
	bool started;
	uint64_t size, received, copies, aborted;
	char path[UTILITY_PATH_MAX], name[UTILITY_PATH_MAX];
};

struct hvk_utility {
	struct hvk_device device; /* first */
	struct hvk_utility_config config;
	const struct utility_service *service;
	uint32_t framework, version; /* atomic; 0: not negotiated */
	struct hvk_utility_counters counters;
	struct utility_message current, next;

	enum utility_request request; /* ASKED and given: under the device's lock */
	bool given;
	enum hvk_utility_answer answer;
	struct hvk_timer timer;
	bool overdue; /* atomic */
	union {
		struct utility_shutdown shutdown;
		struct utility_kvp kvp;
		struct utility_vss vss;
		struct utility_fcopy fcopy;
	} state;
};

static inline struct hvk *utility_hvk(const struct hvk_utility *utility)
{
	return utility->device.hvk;
}

/* IC_STATUS_* of an answer, or UTILITY_LATER. */
uint32_t hvk_utility_status(enum hvk_utility_answer answer);
/* A timer that sets a flag (its context's) and has a turn come is set up by its owner: */
void hvk_utility_timer_init(struct hvk_timer *timer, void (*fire)(struct hvk_timer *, void *), void *context);

/* request.c */
void hvk_utility_init(struct hvk_utility *utility);
void hvk_utility_take(void *device, const struct hvk_packet *packet);
bool hvk_utility_has_room(const void *device);
void hvk_utility_work(void *device);
void hvk_utility_down(void *device);

/* negotiate.c. In place; UTILITY_MALFORMED or IC_STATUS_OK. */
uint32_t hvk_utility_negotiate(struct hvk_utility *utility, struct ic_header *header, uint8_t *body,
			       uint32_t length);
/* True if message version a is newer than b. */
bool hvk_utility_newer(uint32_t a, uint32_t b);

extern const struct utility_service hvk_utility_shutdown, hvk_utility_timesync, hvk_utility_heartbeat;
extern const struct utility_service hvk_utility_kvp, hvk_utility_vss, hvk_utility_fcopy;

#endif
