/* SPDX-License-Identifier: MIT */
/* What the files of services_session.h share. */
#ifndef TESTS_SUPPORT_SERVICES_PRIVATE_H
#define TESTS_SUPPORT_SERVICES_PRIVATE_H

#include <stdio.h>

#include "tests/support/services_session.h"

#define KINDS 6u /* enum hvk_utility_kind */
#define POOLS 4u
#define KEYS 5u
#define CANDIDATES 24u
#define ADAPTERS 2u
#define COPIES 3u
#define COPY_MAX 20000u
#define CLOCKS 16u

enum life { LIFE_AWAY, LIFE_ATTACHING, LIFE_UP, LIFE_DETACHING };

/* One component in the guest. */
struct component {
	struct hvk_channel *channel;
	struct hvk_utility *utility;
	struct hvk_request request;
	enum life life;
	bool gone, leave;
	uint32_t ups; /* attaches */
	/* An answer that the user has put off: */
	bool waiting;
	uint64_t answer_at;
	struct hvk_kvp_pair *pair; /* the question, for GET and ENUMERATE; NULL: none is wanted */
	uint8_t pool;
	bool by_index;
	uint32_t index;
	bool wants_ip;
};

/* What the host has under way with one component. */
struct operation {
	struct session *session;
	enum hvk_utility_kind kind;
	enum services_event event;
	bool busy;
	uint32_t step;
	uint8_t pool;
	uint32_t key, value, index; /* value: its number */
	uint32_t seen;              /* LIST: a bit for each key that came */
	bool clean;                 /* LIST: nothing was uncertain when it began */
	uint32_t adapter, copy;
	uint32_t flags;   /* of a shutdown */
	uint32_t thaws;   /* of the host's that the guest had when this began */
	uint64_t done_at; /* a shutdown that was agreed to */
	bool agreed;
};

/* The values that a key may have in the guest, 0: none. The numbers grow with each SET. */
struct slot {
	uint32_t count, values[CANDIDATES];
	uint32_t kept; /* by the host; 0: none */
};

struct session {
	const struct services_plan *plan;
	struct services_counts counts;
	struct rig *rig;
	uint64_t random;
	bool settling; /* the user says yes at once from now on */
	char wrong[240];

	struct hvh_utilities *host;
	struct operation operations[KINDS];
	struct component components[KINDS];
	uint32_t host_kinds; /* a bit per kind that the profile has */

	struct slot slots[POOLS][KEYS];
	uint32_t next_value;
	struct hvk_kvp_store *store;
	struct hvk_kvp_pair pair;                 /* scratch */
	struct hvk_kvp_ip ip[ADAPTERS], asked_ip; /* asked_ip: the question that was put off */
	uint32_t ip_number[ADAPTERS], ip_sent[ADAPTERS], next_ip;

	/* Clocks, 100 ns. The host's: base + now + step; the last steps, as a message on its way may not know
	 * the newest. */
	int64_t steps[CLOCKS];
	uint64_t step_at[CLOCKS];
	uint32_t step_count;
	int64_t guest_offset; /* the guest's clock: base + now + this */

	bool frozen;
	uint64_t frozen_at;
	uint32_t host_thaws; /* thaw callbacks that were not by itself */

	char files[COPIES][64];
	uint32_t file_sizes[COPIES];
	bool copying;
	uint32_t copying_which, copied; /* bytes so far */

	enum hvk_shutdown_action asked_action;
	bool asked_forced, may_go_down;
	uint32_t downs;
};

#define WRONG(session, ...)                                                                      \
	do {                                                                                     \
		if ((session)->wrong[0] == '\0')                                                 \
			(void)snprintf((session)->wrong, sizeof((session)->wrong), __VA_ARGS__); \
	} while (0)

#define CLOCK_BASE 134116992000000000ull /* 2026 */

uint32_t services_pick(struct session *session, uint32_t below);
uint64_t services_now(const struct session *session);

/* Texts that follow from numbers. */
const char *services_key(uint32_t key);
void services_value(uint32_t number, char *text, size_t size);
uint8_t services_byte(uint32_t copy, uint32_t offset);
void services_adapter(uint32_t adapter, struct vmbus_guid *guid, char text[40]);
void services_address(uint32_t adapter, uint32_t number, char *text, size_t size);

/* services_host.c */
void services_host_create(struct session *session);
/* False: it cannot be asked for now. */
bool services_host_begin(struct session *session, enum services_event event);
uint64_t services_host_clock(const struct session *session, uint64_t now);
void services_host_step(struct session *session, int64_t difference);
/* The guest has no pairs any more. */
void services_host_forgotten(struct session *session);
void services_host_lock(struct session *session);
void services_host_unlock(struct session *session);

/* services_guest.c */
void services_guest_config(struct session *session, enum hvk_utility_kind kind,
			   struct hvk_utility_config *config);
/* Answers that are due. */
void services_guest_turn(struct session *session);

#endif
