/* SPDX-License-Identifier: MIT */
/* The monitor's table of commands, and what puts them off or waits. */
#include "apps/hvkit/monitor.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "apps/hvkit/monitor_private.h"
#include "apps/hvkit/suggest.h"

#define WAIT_MS_MAX 86400000u
#define MARK_MAX 255u
#define TEXT_MAX 1600u
#define PATIENCE_MS 3000u

static int help(const struct monitor_call *call);
static int wait_for(const struct monitor_call *call);
static int after(const struct monitor_call *call);
static int at_mark(const struct monitor_call *call);
static int when(const struct monitor_call *call);
static void complete_command(const struct monitor_completion *completion);
static void complete_after(const struct monitor_completion *completion);

static const struct command {
	const char *name, *usage, *text;
	uint32_t least, most; /* arguments */
	int (*run)(const struct monitor_call *call);
	void (*complete)(const struct monitor_completion *completion);
} commands[] = {
	{"devices", "devices", "what is offered to the guest", 0, 0, monitor_devices, NULL},
	{"nic", "nic VERB [VALUE] [DEV]", "a card (net0): link up|down, change, speed BITS, rescind QUEUE", 1,
	 3, monitor_nic, monitor_complete_nic},
	{"vf", "vf VERB [VALUE]", "the card's VF: attach, detach [--surprise], migrate, switch, status", 1, 3,
	 monitor_vf, monitor_complete_vf},
	{"migrate", "migrate [SECONDS] [--surprise]", "as in live migration: the VF goes, and another comes",
	 0, 2, monitor_migrate, NULL},
	{"disk", "disk VERB [ARGUMENTS]",
	 "list, add FILE, add-cdrom FILE, remove, resize, eject, insert, trouble", 1, MONITOR_WORDS_MAX,
	 monitor_disk, monitor_complete_disk},
	{"cut", "cut [--after REQUESTS]", "the power fails: what no flush made safe may be lost", 0, 2,
	 monitor_cut, monitor_complete_cut},
	{"kbd", "kbd type \"TEXT\" | key KEY ...", "what is typed: text, or keys such as F2 and Ctrl+C", 2,
	 MONITOR_WORDS_MAX, monitor_keyboard, monitor_complete_keyboard},
	{"mouse", "mouse move X Y | click [BUTTON]", "the pointer, to 0..32767 each; left, right, middle", 1,
	 5, monitor_mouse, monitor_complete_mouse},
	{"shutdown", "shutdown [--reboot] [--force]", "asks the guest to go down; --hibernate; a reason", 0,
	 MONITOR_WORDS_MAX, monitor_shutdown, monitor_complete_shutdown},
	{"time", "time step SECONDS", "sets the host's clock, and tells the guest", 2, 2, monitor_time,
	 monitor_complete_time},
	{"heartbeat", "heartbeat", "how often the guest has answered, and when last", 0, 0, monitor_heartbeat,
	 NULL},
	{"kvp", "kvp VERB [ARGUMENTS]", "pairs: list, get, set, delete; ip get, ip set", 1, MONITOR_WORDS_MAX,
	 monitor_kvp, monitor_complete_kvp},
	{"vss", "vss check|freeze|thaw|backup", "makes the guest's disks still, and lets them go on", 1, 1,
	 monitor_vss, monitor_complete_vss},
	{"fcopy", "fcopy FILE [NAME] [--overwrite]", "copies a file of this machine into the guest", 1, 3,
	 monitor_fcopy, NULL},
	{"restart", "restart SERVICE", "a service of the host's begins anew: kvp, vss, kbd0, ...", 1, 1,
	 monitor_restart, monitor_complete_restart},
	{"rescind", "rescind DEV", "takes a device away from the guest", 1, 1, monitor_rescind,
	 monitor_complete_device},
	{"offer", "offer DEV", "offers it again", 1, 1, monitor_offer_again, monitor_complete_device},
	{"quirk", "quirk [NAME [on|off|VALUE]]", "a habit of the host's: all, one, or set one", 0, 2,
	 monitor_quirk, monitor_complete_quirk},
	{"fault", "fault [NAME CHANCE]", "faults on the seed; CHANCE is like 5%, 1/20 or off", 0, 2,
	 monitor_fault, monitor_complete_fault},
	{"silence", "silence [STEP|none]", "the host answers nothing more at that step", 0, 1,
	 monitor_silence, monitor_complete_silence},
	{"violations", "violations", "what the guest did that Windows would punish", 0, 0, monitor_violations,
	 NULL},
	{"counters", "counters", "what passed between guest and host", 0, 0, monitor_counters, NULL},
	{"inspect", "inspect [PATH]", "the host's whole state as a tree, or a part of it", 0, 1,
	 monitor_inspect, monitor_complete_path},
	{"expect", "expect PATH [= != < > <= >=] VALUE", "fails unless that is so within 2 s", 2,
	 MONITOR_WORDS_MAX, monitor_expect, monitor_complete_path},
	{"wait", "wait MILLISECONDS", "lets the guest go on meanwhile", 1, 1, wait_for, NULL},
	{"after", "after MILLISECONDS COMMAND", "runs a command of these later", 2, MONITOR_WORDS_MAX, after,
	 complete_after},
	{"at", "at MARK COMMAND", "runs it when the guest writes the byte MARK to port 0xf5", 2,
	 MONITOR_WORDS_MAX, at_mark, complete_after},
	{"when", "when PATH OP VALUE COMMAND", "runs it as soon as that part of the host's state is so", 4,
	 MONITOR_WORDS_MAX, when, monitor_complete_path},
	{"trace", "trace on|off", "goes on with the trace, or pauses it (--trace FILE)", 1, 1, monitor_trace,
	 monitor_complete_trace},
	{"help", "help [COMMAND]", "this list", 0, 1, help, complete_command},
};
#define COMMANDS (sizeof(commands) / sizeof(commands[0]))

bool monitor_help(uint32_t n, const char **name, const char **usage, const char **text)
{
	if (n >= COMMANDS)
		return false;
	*name = commands[n].name;
	*usage = commands[n].usage;
	*text = commands[n].text;
	return true;
}

static const struct command *find(const char *name)
{
	for (size_t n = 0; n < COMMANDS; n++) {
		if (strcmp(commands[n].name, name) == 0)
			return &commands[n];
	}
	return NULL;
}

/* --- What it says ------------------------------------------------------------------------- */

void monitor_print(struct monitor *monitor, const char *format, ...)
{
	char text[TEXT_MAX];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	monitor->show(monitor->context, false, text);
}

static void say_wrong(const struct monitor_call *call, const char *format, va_list arguments)
{
	char text[TEXT_MAX];
	size_t used = 0;

	if (call->name)
		used = (size_t)snprintf(text, sizeof(text), "%s: ", call->name);
	vsnprintf(text + used, sizeof(text) - used - 1, format, arguments);
	strcat(text, "\n");
	call->monitor->show(call->monitor->context, true, text);
}

int monitor_fail(const struct monitor_call *call, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	say_wrong(call, format, arguments);
	va_end(arguments);
	return SHELL_FAILED;
}

int monitor_usage(const struct monitor_call *call, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	say_wrong(call, format, arguments);
	va_end(arguments);
	return SHELL_USAGE;
}

int monitor_unknown(const struct monitor_call *call, const char *what, const char *value,
		    const char *const *names, uint32_t count)
{
	const char *nearest = suggest_nearest_of(value, names, count);
	char list[TEXT_MAX / 2] = "none";
	size_t used = 0;

	for (uint32_t n = 0; n < count && used < sizeof(list); n++)
		used += (size_t)snprintf(list + used, sizeof(list) - used, "%s%s", n ? ", " : "", names[n]);
	if (nearest)
		return monitor_usage(call, "%s '%.40s' is not known; did you mean '%s'? There are: %s", what,
				     value, nearest, list);
	return monitor_usage(call, "%s '%.40s' is not known; there are: %s", what, value, list);
}

bool monitor_number(const char *text, uint64_t max, uint64_t *value)
{
	*value = 0;
	if (!*text)
		return false;
	for (; *text; text++) {
		if (*text < '0' || *text > '9')
			return false;
		*value = *value * 10 + (uint64_t)(*text - '0');
		if (*value > max)
			return false;
	}
	return true;
}

/* --- Lines ---------------------------------------------------------------------------------- */

/* Splits at blanks; rest is where the third word begins in the original. */
static uint32_t split(const char *original, char *line, char *words[MONITOR_WORDS_MAX + 1], const char **rest)
{
	const char *start = line;
	uint32_t count = 0;

	*rest = "";
	for (;;) {
		line += strspn(line, " \t");
		if (!*line || count > MONITOR_WORDS_MAX)
			return count;
		if (count == 2)
			*rest = original + (line - start);
		words[count++] = line;
		line += strcspn(line, " \t");
		if (*line)
			*line++ = '\0';
	}
}

static int unknown_command(const struct monitor_call *call, const char *name)
{
	const char *names[COMMANDS];

	for (size_t n = 0; n < COMMANDS; n++)
		names[n] = commands[n].name;
	return monitor_unknown(call, "command of the host's side", name, names, COMMANDS);
}

int monitor_run(struct monitor *monitor, uint64_t now, const char *text)
{
	struct monitor_call call = {.monitor = monitor,
				    .partition = machine_partition(&monitor->machine),
				    .now = now,
				    .line = text};
	char line[SHELL_LINE_MAX + 1], *words[MONITOR_WORDS_MAX + 1];
	const struct command *command;
	uint32_t count;

	if (strlen(text) > SHELL_LINE_MAX)
		return monitor_usage(&call, "a command has at most %u characters", SHELL_LINE_MAX);
	strcpy(line, text);
	count = split(text, line, words, &call.rest);
	if (count == 0)
		return SHELL_OK;
	command = find(words[0]);
	if (!command)
		return unknown_command(&call, words[0]);
	call.name = command->name;
	call.count = count - 1;
	call.arguments = words + 1;
	if (call.count < command->least)
		return monitor_usage(&call, "something is missing: %s", command->usage);
	if (call.count > command->most)
		return monitor_usage(&call, "'%.40s' is one argument too many: %s",
				     call.arguments[command->most], command->usage);
	return command->run(&call);
}

static int help(const struct monitor_call *call)
{
	const struct command *only = call->count ? find(call->arguments[0]) : NULL;

	if (call->count && !only)
		return unknown_command(call, call->arguments[0]);
	for (size_t n = 0; n < COMMANDS; n++) {
		if (!only || only == &commands[n])
			monitor_print(call->monitor, "%-35s %s\n", commands[n].usage, commands[n].text);
	}
	return SHELL_OK;
}

/* --- Waiting -------------------------------------------------------------------------------- */

static int wait_for(const struct monitor_call *call)
{
	uint64_t ms;

	if (!monitor_number(call->arguments[0], WAIT_MS_MAX, &ms))
		return monitor_usage(call, "the time must be 0 to %u milliseconds, not '%.40s'", WAIT_MS_MAX,
				     call->arguments[0]);
	call->monitor->wait = (struct monitor_wait){.kind = MONITOR_WAIT_TIME,
						    .until = call->now + ms * HVH_TIME_PER_MS};
	return SHELL_OK;
}

static bool find_device(struct monitor *monitor, const char *name, struct hvh_device_info *info)
{
	for (uint32_t n = 0; hvh_device_get(machine_partition(&monitor->machine), n, info); n++) {
		if (strcmp(info->name, name) == 0)
			return true;
	}
	return false;
}

/* False: it waits again, for that or for something else. */
static bool retry(struct monitor *monitor, uint64_t now, int *status)
{
	char line[SHELL_LINE_MAX + 1];

	strcpy(line, monitor->wait.path);
	monitor->wait = (struct monitor_wait){.kind = MONITOR_WAIT_NONE};
	*status = monitor_run(monitor, now, line);
	return *status != SHELL_OK || monitor->wait.kind == MONITOR_WAIT_NONE;
}

/* Past its time an expectation has failed; the guest's doings are only given time to happen. */
static bool is_over(struct monitor *monitor, uint64_t now, int *status)
{
	struct monitor_wait *wait = &monitor->wait;
	struct monitor_call call = {.monitor = monitor, .name = "expect"};
	struct hvh_device_info device;
	char value[SHELL_LINE_MAX + 1];
	bool known;

	*status = SHELL_OK;
	if (now < wait->from)
		return false;
	switch (wait->kind) {
	case MONITOR_WAIT_NONE:
		return true;
	case MONITOR_WAIT_TIME:
		return now >= wait->until;
	case MONITOR_WAIT_OPEN:
		return now >= wait->until || !find_device(monitor, wait->device, &device) || device.open;
	case MONITOR_WAIT_RELEASED:
		return now >= wait->until || !find_device(monitor, wait->device, &device) ||
		       device.channel_id == 0;
	case MONITOR_WAIT_QUIET:
		return now >= wait->until || monitor_is_quiet(monitor, now);
	case MONITOR_WAIT_STATE:
		return now >= wait->until || monitor_holds(monitor, wait, &known, value, sizeof(value));
	case MONITOR_WAIT_ANSWER:
		*status = monitor->requests[wait->request].status;
		return monitor->requests[wait->request].over;
	case MONITOR_WAIT_RETRY:
		return retry(monitor, now, status);
	case MONITOR_WAIT_EXPECT:
		break;
	}
	if (monitor_holds(monitor, wait, &known, value, sizeof(value)))
		return true;
	if (now < wait->until)
		return false;
	*status = known ? monitor_fail(&call, "%s is '%s', not %s'%s'", wait->path, value,
				       strcmp(wait->operator, "=") == 0 ? "" : wait->operator, wait->wanted)
			: monitor_usage(&call, "there is no '%.200s' in the host's state; see !inspect",
					wait->path);
	return true;
}

bool monitor_waits(struct monitor *monitor, uint64_t now, int *status)
{
	if (!is_over(monitor, now, status))
		return true;
	monitor_stop_waiting(monitor);
	return false;
}

void monitor_be_patient(struct monitor *monitor, uint64_t now)
{
	monitor->patient_until = now + PATIENCE_MS * HVH_TIME_PER_MS;
}

void monitor_stop_waiting(struct monitor *monitor)
{
	if (monitor->wait.kind == MONITOR_WAIT_ANSWER)
		monitor_request_leave(&monitor->requests[monitor->wait.request]);
	monitor->patient_until = 0;
	monitor->wait = (struct monitor_wait){.kind = MONITOR_WAIT_NONE};
}

/* --- Putting off ------------------------------------------------------------------------------ */

static int put_off(const struct monitor_call *call, uint64_t at, uint8_t mark)
{
	static const char *const never[] = {"after", "at", "when", "wait", "expect"};
	struct monitor *monitor = call->monitor;
	struct monitor_deferred *deferred = &monitor->deferred[monitor->deferred_count];

	if (!find(call->arguments[1]))
		return unknown_command(call, call->arguments[1]);
	for (size_t n = 0; n < sizeof(never) / sizeof(never[0]); n++) {
		if (strcmp(call->arguments[1], never[n]) == 0)
			return monitor_usage(call, "'%s' cannot be put off", never[n]);
	}
	if (monitor->deferred_count == MONITOR_DEFERRED_MAX)
		return monitor_fail(call, "%u commands are put off already", MONITOR_DEFERRED_MAX);
	*deferred = (struct monitor_deferred){.at = at, .mark = mark};
	snprintf(deferred->line, sizeof(deferred->line), "%s", call->rest);
	monitor->deferred_count++;
	machine_kick(&monitor->machine);
	return SHELL_OK;
}

static int after(const struct monitor_call *call)
{
	uint64_t ms;

	if (!monitor_number(call->arguments[0], WAIT_MS_MAX, &ms))
		return monitor_usage(call, "the time must be 0 to %u milliseconds, not '%.40s'", WAIT_MS_MAX,
				     call->arguments[0]);
	return put_off(call, call->now + ms * HVH_TIME_PER_MS, 0);
}

static int at_mark(const struct monitor_call *call)
{
	uint64_t mark;

	if (!machine_has_marks(&call->monitor->machine))
		return monitor_fail(call, "only a guest on virtual CPUs can write marks: --accel kvm");
	if (!monitor_number(call->arguments[0], MARK_MAX, &mark))
		return monitor_usage(call, "the mark must be 0 to %u, not '%.40s'", MARK_MAX,
				     call->arguments[0]);
	return put_off(call, HVH_NEVER, (uint8_t)mark);
}

/* The line behind its first words, as typed. */
static const char *skip_words(const char *line, uint32_t words)
{
	while (words--) {
		line += strcspn(line, " \t");
		line += strspn(line, " \t");
	}
	return line;
}

static int when(const struct monitor_call *call)
{
	struct monitor_deferred *deferred = &call->monitor->deferred[call->monitor->deferred_count];
	struct monitor_call inner = *call;
	int status;

	if (!tree_is_operator(call->arguments[1]))
		return monitor_usage(call, "PATH is followed by =, !=, <, >, <= or >=, not by '%.40s'",
				     call->arguments[1]);
	inner.arguments += 2; /* put_off looks at the second */
	inner.count -= 2;
	inner.rest = skip_words(call->rest, 2);
	status = put_off(&inner, call->now, 0);
	if (status != SHELL_OK)
		return status;
	deferred->conditional = true;
	snprintf(deferred->path, sizeof(deferred->path), "%s", call->arguments[0]);
	snprintf(deferred->operator, sizeof(deferred->operator), "%s", call->arguments[1]);
	snprintf(deferred->wanted, sizeof(deferred->wanted), "%s", call->arguments[2]);
	return SHELL_OK;
}

/* The most of the time that looking may take, at all conditions together: a guest that runs beside needs the
 * same locks, and on a slow machine a look takes longer than a tick. */
#define LOOK_SHARE 20u

/* A condition that does not hold yet is looked at again in a while. */
static uint64_t next_look(const struct monitor *monitor, uint64_t began)
{
	uint64_t ended = machine_now(&monitor->machine), pause = MONITOR_TICK_MS * HVH_TIME_PER_MS;
	uint64_t conditions = 0, share;

	if (ended <= began)
		return began + pause;
	for (uint32_t n = 0; n < monitor->deferred_count; n++)
		conditions += monitor->deferred[n].conditional;
	share = (ended - began) * LOOK_SHARE * conditions;
	return ended + (pause < share ? share : pause);
}

static bool is_due(struct monitor *monitor, struct monitor_deferred *deferred, uint64_t now)
{
	struct monitor_wait wait = {.kind = MONITOR_WAIT_EXPECT};
	char value[SHELL_LINE_MAX + 1];
	bool known;

	if (!deferred->conditional)
		return true;
	strcpy(wait.path, deferred->path);
	strcpy(wait.operator, deferred->operator);
	strcpy(wait.wanted, deferred->wanted);
	if (monitor_holds(monitor, &wait, &known, value, sizeof(value)))
		return true;
	deferred->at = next_look(monitor, now);
	return false;
}

void monitor_mark(struct monitor *monitor, uint64_t now, uint8_t mark)
{
	bool due = false;

	for (uint32_t n = 0; n < monitor->deferred_count; n++) {
		struct monitor_deferred *deferred = &monitor->deferred[n];

		if (deferred->at == HVH_NEVER && deferred->mark == mark) {
			deferred->at = now;
			due = true;
		}
	}
	if (due)
		machine_kick(&monitor->machine);
}

static struct monitor_deferred *next_deferred(struct monitor *monitor)
{
	struct monitor_deferred *next = NULL;

	for (uint32_t n = 0; n < monitor->deferred_count; n++) {
		if (!next || monitor->deferred[n].at < next->at)
			next = &monitor->deferred[n];
	}
	return next;
}

static uint64_t deferred_next_event(void *context)
{
	const struct monitor_deferred *next = next_deferred(context);

	return next ? next->at : HVH_NEVER;
}

static bool deferred_run(void *context, uint64_t now)
{
	struct monitor *monitor = context;
	struct monitor_deferred *next = next_deferred(monitor);
	struct monitor_wait wait = monitor->wait; /* that of the line under way */
	uint64_t patient_until = monitor->patient_until;
	char line[SHELL_LINE_MAX + 1];

	if (!next || next->at > now || !is_due(monitor, next, now))
		return false;
	strcpy(line, next->line);
	memmove(next, next + 1,
		(size_t)(&monitor->deferred[monitor->deferred_count] - (next + 1)) * sizeof(*next));
	monitor->deferred_count--;
	monitor->wait = (struct monitor_wait){.kind = MONITOR_WAIT_NONE};
	monitor->patient_until = 0;
	(void)monitor_run(monitor, now, line);
	monitor_stop_waiting(monitor);
	monitor->wait = wait;
	monitor->patient_until = patient_until;
	return true;
}

void monitor_create(struct monitor *monitor)
{
	machine_add_world(&monitor->machine, deferred_run, deferred_next_event, monitor);
}

/* --- Completion ------------------------------------------------------------------------------- */

static void complete_command(const struct monitor_completion *completion)
{
	for (size_t n = 0; completion->argument == 0 && n < COMMANDS; n++)
		completion->offer(completion->context, commands[n].name);
}

static void complete_after(const struct monitor_completion *completion)
{
	if (completion->argument)
		monitor_complete(completion->monitor, completion->argument, completion->words + 1,
				 completion->offer, completion->context);
}

void monitor_complete(struct monitor *monitor, uint32_t count, char *const words[], monitor_offer offer,
		      void *context)
{
	struct monitor_completion completion = {.monitor = monitor,
						.partition = machine_partition(&monitor->machine),
						.offer = offer,
						.context = context};
	const struct command *command;

	if (count <= 1) {
		complete_command(&completion);
		return;
	}
	command = find(words[0]);
	completion.argument = count - 2;
	completion.words = words + 1;
	if (command && command->complete)
		command->complete(&completion);
}
