/* SPDX-License-Identifier: MIT */
/*
 * The monitor console: commands for the host's side of a machine that runs. docs/console.md
 * describes them. All functions are called with the machine's lock held; none waits: a command that
 * has to see something happen leaves it in struct monitor_wait, and whoever runs it asks again.
 */
#ifndef CLI_MONITOR_H
#define CLI_MONITOR_H

#include "apps/hvkit/machine.h"
#include "apps/shell/results.h"
#include "apps/shell/tree.h"
#include "hvkit_host/quirk.h"
#include "hvkit_host/utilities.h"

#define MONITOR_WORDS_MAX 16u
#define MONITOR_DEVICES_MAX 64u
#define MONITOR_DEFERRED_MAX 256u
#define MONITOR_REQUESTS_MAX 16u
#define MONITOR_TICK_MS 2u /* how often a wait is looked at */

struct storage;

enum monitor_wait_kind {
	MONITOR_WAIT_NONE,
	MONITOR_WAIT_TIME,
	MONITOR_WAIT_OPEN,     /* the guest has opened the device */
	MONITOR_WAIT_RELEASED, /* the guest has given it back */
	MONITOR_WAIT_QUIET,    /* the guest asks the storage controller nothing any more */
	MONITOR_WAIT_EXPECT,
	MONITOR_WAIT_STATE,  /* the same, but the guest is only given time for it */
	MONITOR_WAIT_ANSWER, /* the guest has answered */
	MONITOR_WAIT_RETRY   /* an integration component is not there yet: path is the line */
};

struct monitor_wait {
	enum monitor_wait_kind kind;
	uint64_t from, until;     /* not before from */
	uint64_t requests, since; /* QUIET: so many, since then */
	char device[16];
	uint32_t request; /* ANSWER */
	char path[SHELL_LINE_MAX + 1], operator[3], wanted[SHELL_LINE_MAX + 1];
};

/* What "after", "at" and "when" have put off. */
struct monitor_deferred {
	uint64_t at; /* HVH_NEVER: waits for the mark. With a condition: when it is looked at next */
	uint8_t mark;
	bool conditional;
	char path[SHELL_LINE_MAX + 1], operator[3], wanted[SHELL_LINE_MAX + 1];
	char line[SHELL_LINE_MAX + 1];
};

/* An integration component is asked for something. */
struct monitor_request {
	struct monitor *monitor;
	bool used;
	bool asking; /* just now: what is refused at once is the command's to tell */
	bool waited; /* the line under way waits for it */
	bool over, away;
	int status;
	const char *name; /* the command's */
	/* What follows from an answer: true if that is all that is to be said of it, or more was asked.
	 * NULL: the answer is shown. */
	bool (*go_on)(struct monitor_request *request, enum hvh_utility_result result, uint32_t status,
		      const char *text);
	uint32_t step, last, index; /* go_on's */
	char text[200];             /* away: why */
};

struct monitor {
	struct machine machine;
	bool traced;             /* there is a trace */
	struct storage *storage; /* NULL: none */
	/* Shows one line or more. error: on standard error. */
	void (*show)(void *context, bool error, const char *text);
	void *context;
	/* The monitor's. */
	uint32_t chances[HVH_FAULT_COUNT];
	enum hvh_silence silence;
	struct monitor_wait wait;
	uint64_t patient_until; /* a component that is not there yet is waited for until then */
	struct monitor_request requests[MONITOR_REQUESTS_MAX];
	uint32_t pointer_x, pointer_y;
	struct monitor_deferred deferred[MONITOR_DEFERRED_MAX];
	uint32_t deferred_count;
};

/* Also joins the machine's worlds, for what is put off. */
void monitor_create(struct monitor *monitor);
/* The guest has written a mark: what waits for it is due. With the machine's lock held. */
void monitor_mark(struct monitor *monitor, uint64_t now, uint8_t mark);

/* Runs one line; returns SHELL_OK, _FAILED or _USAGE. With OK it may have begun a wait. */
int monitor_run(struct monitor *monitor, uint64_t now, const char *line);
/* True while what was begun is not over; then *status is its outcome. */
bool monitor_waits(struct monitor *monitor, uint64_t now, int *status);
void monitor_stop_waiting(struct monitor *monitor);
/* Called before monitor_run by those who will ask monitor_waits. */
void monitor_be_patient(struct monitor *monitor, uint64_t now);

/* --- For help and completion ------------------------------------------------------------- */

/* The commands: name, with arguments, and one line each; false past the last. */
bool monitor_help(uint32_t n, const char **name, const char **usage, const char **text);
/* Offers what argument number count (from 1; words[0] is the command) could be. */
typedef void (*monitor_offer)(void *context, const char *candidate);
void monitor_complete(struct monitor *monitor, uint32_t count, char *const words[], monitor_offer offer,
		      void *context);
/* Offers the members of the path's last '/': for the guest's tree too. */
struct tree_completion {
	char parent[SHELL_LINE_MAX + 1]; /* up to and with the last '/' */
	struct tree_search search;
	monitor_offer offer;
	void *context;
};
void tree_completion_begin(struct tree_completion *completion, const char *typed, monitor_offer offer,
			   void *context);
void tree_completion_line(void *completion, const char *text); /* for each line of the dump */

#endif
