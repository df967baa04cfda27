/* SPDX-License-Identifier: MIT */
/* Between the monitor's files. */
#ifndef CLI_MONITOR_PRIVATE_H
#define CLI_MONITOR_PRIVATE_H

#include "apps/hvkit/monitor.h"
#include "apps/shell/shell.h"

struct monitor_call {
	struct monitor *monitor;
	struct hvh_partition *partition;
	uint64_t now;
	const char *name; /* the command's */
	uint32_t count;   /* of arguments */
	char *const *arguments;
	const char *rest; /* the line from the second argument on, as typed */
	const char *line;
};

struct monitor_completion {
	struct monitor *monitor;
	struct hvh_partition *partition;
	uint32_t argument;  /* which is typed, from 0 */
	char *const *words; /* arguments before it, and what there is of it */
	monitor_offer offer;
	void *context;
};

void monitor_print(struct monitor *monitor, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* "NAME: ..." on standard error; return SHELL_FAILED, SHELL_USAGE. */
int monitor_fail(const struct monitor_call *call, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
int monitor_usage(const struct monitor_call *call, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
/* "NAME: WHAT 'VALUE' is not known; did you mean ...? There are: ..." */
int monitor_unknown(const struct monitor_call *call, const char *what, const char *value,
		    const char *const *names, uint32_t count);
bool monitor_number(const char *text, uint64_t max, uint64_t *value);

/* monitor_cards.c */
int monitor_nic(const struct monitor_call *call);
void monitor_complete_nic(const struct monitor_completion *completion);

/* monitor_vf.c */
int monitor_vf(const struct monitor_call *call);
int monitor_migrate(const struct monitor_call *call);
void monitor_complete_vf(const struct monitor_completion *completion);

/* monitor_input.c */
int monitor_keyboard(const struct monitor_call *call);
int monitor_mouse(const struct monitor_call *call);
void monitor_complete_keyboard(const struct monitor_completion *completion);
void monitor_complete_mouse(const struct monitor_completion *completion);

/* monitor_requests.c: what integration components are asked for. A request is begun, the component asked with
 * monitor_answered and the request, then monitor_await says what becomes of the line. */
struct hvh_utilities *monitor_utilities(const struct monitor_call *call); /* NULL: there are none, said */
struct monitor_request *monitor_request(const struct monitor_call *call); /* NULL: too many, said */
void monitor_answered(void *request, enum hvh_utility_result result, uint32_t status, const char *text);
int monitor_await(const struct monitor_call *call, struct monitor_request *request);
/* go_on's: "NAME: text", and the end of it. */
void monitor_request_fail(struct monitor_request *request, const char *text);
void monitor_request_done(struct monitor_request *request);
/* Waited for no longer. */
void monitor_request_leave(struct monitor_request *request);
/* A line of any length. */
void monitor_show_line(struct monitor *monitor, const char *before, const char *text);
/* The next word of a line, or what is between quotes with \", \\, \n and \t in it. False: there is none, it
 * is longer than size - 1, or not ended. */
bool monitor_take_text(const char **line, char *text, size_t size);

/* monitor_utilities.c */
int monitor_shutdown(const struct monitor_call *call);
int monitor_time(const struct monitor_call *call);
int monitor_heartbeat(const struct monitor_call *call);
int monitor_vss(const struct monitor_call *call);
int monitor_fcopy(const struct monitor_call *call);
int monitor_restart(const struct monitor_call *call);
void monitor_complete_shutdown(const struct monitor_completion *completion);
void monitor_complete_time(const struct monitor_completion *completion);
void monitor_complete_vss(const struct monitor_completion *completion);
void monitor_complete_restart(const struct monitor_completion *completion);

/* monitor_pairs.c */
int monitor_kvp(const struct monitor_call *call);
void monitor_complete_kvp(const struct monitor_completion *completion);

/* monitor_disks.c */
int monitor_disk(const struct monitor_call *call);
int monitor_cut(const struct monitor_call *call);
void monitor_complete_disk(const struct monitor_completion *completion);
/* For MONITOR_WAIT_QUIET. */
bool monitor_is_quiet(struct monitor *monitor, uint64_t now);
void monitor_complete_cut(const struct monitor_completion *completion);

/* monitor_devices.c */
int monitor_rescind(const struct monitor_call *call);
int monitor_offer_again(const struct monitor_call *call);
int monitor_devices(const struct monitor_call *call);
void monitor_complete_device(const struct monitor_completion *completion);

/* There is no such network card: says which there are. */
int monitor_unknown_card(const struct monitor_call *call, const char *name);
void monitor_complete_card(const struct monitor_completion *completion);
/* Gives the guest time for what it was told. */
void monitor_settle(const struct monitor_call *call, enum monitor_wait_kind kind, const char *device,
		    uint32_t ms);
/* ... until a part of the host's state is so, or that time is over. */
void monitor_settle_state(const struct monitor_call *call, const char *path, const char *value);

/* monitor_habits.c */
int monitor_quirk(const struct monitor_call *call);
int monitor_fault(const struct monitor_call *call);
int monitor_silence(const struct monitor_call *call);
void monitor_complete_quirk(const struct monitor_completion *completion);
void monitor_complete_fault(const struct monitor_completion *completion);
void monitor_complete_silence(const struct monitor_completion *completion);

/* monitor_state.c */
int monitor_violations(const struct monitor_call *call);
int monitor_counters(const struct monitor_call *call);
int monitor_inspect(const struct monitor_call *call);
int monitor_expect(const struct monitor_call *call);
int monitor_trace(const struct monitor_call *call);
void monitor_complete_path(const struct monitor_completion *completion);
void monitor_complete_trace(const struct monitor_completion *completion);
/* Does what is expected hold now? *known: the path exists; its value, of size bytes. */
bool monitor_holds(struct monitor *monitor, const struct monitor_wait *wait, bool *known, char *value,
		   size_t size);

#endif
