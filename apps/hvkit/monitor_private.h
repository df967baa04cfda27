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
