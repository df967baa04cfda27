/* SPDX-License-Identifier: MIT */
/*
 * Integration components under requests from their host, to which things happen: a session of the rig's
 * (rig_config.session, with no_nic). It offers them, drives the guest's half of each, plays the guest's
 * user, who answers at once, late, with no or never, and knows what the host may be told.
 *
 *   services_session.c  the life: events, what must hold at the end
 *   services_host.c     what the host asks, and how that may end
 *   services_guest.c    the guest's user
 */
#ifndef TESTS_SUPPORT_SERVICES_SESSION_H
#define TESTS_SUPPORT_SERVICES_SESSION_H

#include "hvkit/utilities.h"
#include "hvkit_host/utilities.h"
#include "tests/support/rig.h"

enum services_event {
	SERVICES_SHUTDOWN,
	SERVICES_STEP, /* of the host's clock */
	SERVICES_SET,
	SERVICES_GET,
	SERVICES_DELETE,
	SERVICES_LIST,
	SERVICES_GET_IP,
	SERVICES_SET_IP,
	SERVICES_BACKUP, /* freeze, thaw */
	SERVICES_FREEZE, /* and no thaw */
	SERVICES_COPY,
	SERVICES_RESTART, /* of one component's service, whatever is under way */
	SERVICES_RESTART_ALL,
	SERVICES_REATTACH, /* the guest's driver */
	SERVICES_SILENCE,  /* the host does not negotiate for a while */
	SERVICES_DRIFT,    /* of the guest's clock */
	SERVICES_EVENTS
};
const char *services_event_name(enum services_event event);

struct services_plan {
	uint64_t seed;
	uint32_t cpu;                              /* of the channels */
	uint32_t framework_newest, message_newest; /* hvh_utilities_config */
	uint32_t guest_newest;                     /* hvk_utility_config.newest */
	uint32_t answer_max_ms, freeze_max_ms;
	uint32_t moods; /* of sixteen answers of the user so many are not "yes, at once" */
	uint32_t pause_ms;
	uint32_t events; /* so many, of the seed */
};

struct services_counts {
	uint64_t events[SERVICES_EVENTS];
	uint64_t done, failed, away,
		refused;                    /* requests of the host; refused: not sent, as of the versions */
	uint64_t late, too_late, never, no; /* answers of the guest's user */
	uint64_t went_down, stepped, slewed, frozen, thawed, thawed_alone, copied, copies_aborted;
	uint64_t pairs_read, lists, forgotten, beats, negotiations, gone;
};

/* NULL, or what is wrong. */
const char *services_session_run(const struct services_plan *plan, const struct rig_config *machine,
				 struct services_counts *counts);

#endif
