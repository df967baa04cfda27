/* SPDX-License-Identifier: MIT */
/* The monitor's commands for shutdown, time, heartbeat, backup and file copy. */
#include <stdio.h>
#include <string.h>

#include "apps/hvkit/monitor_private.h"
#include "hvkit_host/input.h"

#define SHIFT_MAX_S 3153600000u /* 100 years */
#define FRACTION_DIGITS 7u

/* --- Shutdown ------------------------------------------------------------------------------------ */

static bool shutdown_answered(struct monitor_request *request, enum hvh_utility_result result,
			      uint32_t status, const char *text)
{
	(void)status;
	(void)text;
	if (result != HVH_UTILITY_OK)
		return false;
	monitor_show_line(request->monitor, request->name, ": the guest has said yes");
	monitor_request_done(request);
	return true;
}

static const struct {
	const char *name;
	uint32_t flags;
} shutdown_flags[] = {{"--reboot", IC_SHUTDOWN_RESTART},
		      {"--hibernate", IC_SHUTDOWN_HIBERNATE},
		      {"--force", IC_SHUTDOWN_FORCE}};
#define SHUTDOWN_FLAGS (sizeof(shutdown_flags) / sizeof(shutdown_flags[0]))

/* As many of the arguments as are flags; the rest is the reason. False: one is not known. */
static bool take_flags(const struct monitor_call *call, uint32_t *flags, uint32_t *taken)
{
	*flags = *taken = 0;
	for (; *taken < call->count && call->arguments[*taken][0] == '-'; ++*taken) {
		size_t n = 0;

		while (n < SHUTDOWN_FLAGS && strcmp(call->arguments[*taken], shutdown_flags[n].name) != 0)
			n++;
		if (n == SHUTDOWN_FLAGS)
			return false;
		*flags |= shutdown_flags[n].flags;
	}
	return true;
}

int monitor_shutdown(const struct monitor_call *call)
{
	struct hvh_utilities *utilities = monitor_utilities(call);
	struct monitor_request *request;
	char text[SHELL_LINE_MAX + 1] = "";
	uint32_t flags, taken;
	size_t used = 0;

	if (!take_flags(call, &flags, &taken))
		return monitor_usage(call, "'%.40s' is not known; there are: --reboot, --hibernate, --force",
				     call->arguments[taken]);
	for (; taken < call->count && used < sizeof(text); taken++)
		used += (size_t)snprintf(text + used, sizeof(text) - used, "%s%s", used ? " " : "",
					 call->arguments[taken]);
	request = utilities ? monitor_request(call) : NULL;
	if (!request)
		return SHELL_FAILED;
	request->go_on = shutdown_answered;
	hvh_shutdown_request(utilities, call->now, flags, text, monitor_answered, request);
	return monitor_await(call, request);
}

void monitor_complete_shutdown(const struct monitor_completion *completion)
{
	for (size_t n = 0; n < SHUTDOWN_FLAGS; n++)
		completion->offer(completion->context, shutdown_flags[n].name);
}

/* --- Time ------------------------------------------------------------------------------------------ */

/* Seconds with a sign and a fraction, in 100 ns. */
static bool parse_seconds(const char *text, int64_t *time)
{
	bool negative = *text == '-';
	uint64_t seconds, fraction = 0;
	size_t length, digits = 0;
	char whole[16];

	if (*text == '-' || *text == '+')
		text++;
	length = strcspn(text, ".");
	if (length >= sizeof(whole))
		return false;
	memcpy(whole, text, length);
	whole[length] = '\0';
	if (!monitor_number(whole, SHIFT_MAX_S, &seconds))
		return false;
	if (text[length] == '.') {
		for (text += length + 1; *text >= '0' && *text <= '9' && digits < FRACTION_DIGITS;
		     text++, digits++)
			fraction = fraction * 10 + (uint64_t)(*text - '0');
		if (*text || digits == 0)
			return false;
	}
	for (; digits < FRACTION_DIGITS; digits++)
		fraction *= 10;
	*time = (int64_t)(seconds * HVH_TIME_PER_SECOND + fraction);
	if (negative)
		*time = -*time;
	return true;
}

int monitor_time(const struct monitor_call *call)
{
	struct hvh_utilities *utilities = monitor_utilities(call);
	int64_t difference;

	if (strcmp(call->arguments[0], "step") != 0)
		return monitor_usage(call, "'%.40s' is not known; there is: step SECONDS",
				     call->arguments[0]);
	if (!parse_seconds(call->arguments[1], &difference))
		return monitor_usage(call, "step takes seconds, such as 90, -0.2 or 3600, not '%.40s'",
				     call->arguments[1]);
	if (!utilities)
		return SHELL_FAILED;
	hvh_time_step(utilities, call->now, difference);
	monitor_settle_state(call, "devices/timesync0/message", "none");
	return SHELL_OK;
}

void monitor_complete_time(const struct monitor_completion *completion)
{
	if (completion->argument == 0)
		completion->offer(completion->context, "step");
}

/* --- Heartbeat --------------------------------------------------------------------------------------- */

int monitor_heartbeat(const struct monitor_call *call)
{
	const struct hvh_utilities *utilities = monitor_utilities(call);
	uint64_t last, count;

	if (!utilities)
		return SHELL_FAILED;
	count = hvh_heartbeats(utilities, &last);
	if (!count)
		return monitor_fail(call, "the guest has answered none");
	monitor_print(call->monitor, "heartbeat: %llu answered, the last %.3f s ago\n",
		      (unsigned long long)count, (double)(call->now - last) / (double)HVH_TIME_PER_SECOND);
	return SHELL_OK;
}

/* --- Backup ------------------------------------------------------------------------------------------ */

static void ask_vss(struct monitor_request *request, uint8_t operation)
{
	const struct machine *machine = &request->monitor->machine;

	hvh_vss_request(hvh_utilities_find(machine_partition(machine)), machine_now(machine), operation,
			monitor_answered, request);
}

static const uint8_t backup_steps[] = {IC_VSS_HOT_BACKUP, IC_VSS_FREEZE, IC_VSS_THAW};
static const char *const backup_texts[] = {"the guest can be backed up while it runs",
					   "frozen: this is the moment for a copy", "the guest has thawed"};
#define BACKUP_STEPS (sizeof(backup_steps) / sizeof(backup_steps[0]))

/* A freeze that is not answered may have been done all the same. */
static bool backup_answered(struct monitor_request *request, enum hvh_utility_result result, uint32_t status,
			    const char *text)
{
	bool froze = backup_steps[request->step] == IC_VSS_FREEZE;

	(void)status;
	if (request->index) { /* the thaw after one that failed */
		monitor_request_fail(request, "no copy was made; the guest was told to thaw");
		return true;
	}
	if (result == HVH_UTILITY_TIMED_OUT && froze) {
		monitor_show_line(request->monitor, "vss: FREEZE: ", text);
		request->index = 1;
		ask_vss(request, IC_VSS_THAW);
		return true;
	}
	if (result != HVH_UTILITY_OK)
		return false;
	monitor_show_line(request->monitor, "vss: ", backup_texts[request->step]);
	if (++request->step < BACKUP_STEPS)
		ask_vss(request, backup_steps[request->step]);
	else
		monitor_request_done(request);
	return true;
}

static const struct {
	const char *name;
	uint8_t operation;
	bool all; /* one after the other */
} vss_verbs[] = {{"check", IC_VSS_HOT_BACKUP, false},
		 {"freeze", IC_VSS_FREEZE, false},
		 {"thaw", IC_VSS_THAW, false},
		 {"backup", IC_VSS_HOT_BACKUP, true}};
#define VSS_VERBS (sizeof(vss_verbs) / sizeof(vss_verbs[0]))

int monitor_vss(const struct monitor_call *call)
{
	struct monitor_request *request;
	const char *names[VSS_VERBS];
	size_t n = 0;

	for (size_t i = 0; i < VSS_VERBS; i++)
		names[i] = vss_verbs[i].name;
	while (n < VSS_VERBS && strcmp(call->arguments[0], names[n]) != 0)
		n++;
	if (n == VSS_VERBS)
		return monitor_unknown(call, "what to do for a backup:", call->arguments[0], names,
				       VSS_VERBS);
	request = monitor_utilities(call) ? monitor_request(call) : NULL;
	if (!request)
		return SHELL_FAILED;
	request->go_on = vss_verbs[n].all ? backup_answered : NULL;
	ask_vss(request, vss_verbs[n].operation);
	return monitor_await(call, request);
}

void monitor_complete_vss(const struct monitor_completion *completion)
{
	for (size_t n = 0; completion->argument == 0 && n < VSS_VERBS; n++)
		completion->offer(completion->context, vss_verbs[n].name);
}

/* --- File copy --------------------------------------------------------------------------------------- */

/* "NAME", "DIRECTORY/NAME"; what is no name the guest refuses. */
static void split_target(const char *target, char path[SHELL_LINE_MAX + 1], const char **name)
{
	const char *slash = strrchr(target, '/');

	snprintf(path, SHELL_LINE_MAX + 1, "%.*s", slash ? (int)(slash - target) : 0, target);
	*name = slash ? slash + 1 : target;
}

int monitor_fcopy(const struct monitor_call *call)
{
	struct hvh_utilities *utilities = monitor_utilities(call);
	bool overwrite = strcmp(call->arguments[call->count - 1], "--overwrite") == 0;
	uint32_t count = call->count - overwrite;
	struct monitor_request *request;
	char path[SHELL_LINE_MAX + 1];
	const char *file = call->arguments[0], *name;

	if (count == 0 || count > 2)
		return monitor_usage(
			call, "fcopy takes FILE [NAME] [--overwrite]; NAME is what the guest calls it, "
			      "such as notes.txt or etc/notes.txt");
	if (count == 2) {
		split_target(call->arguments[1], path, &name);
	} else {
		split_target(file, path, &name);
		path[0] = '\0'; /* the file's own name, and no directory of this machine */
	}
	request = utilities ? monitor_request(call) : NULL;
	if (!request)
		return SHELL_FAILED;
	hvh_fcopy_send(utilities, call->now, file, path, name, overwrite, monitor_answered, request);
	return monitor_await(call, request);
}

/* --- Services that begin anew -------------------------------------------------------------------------- */

static const struct {
	const char *name;
	uint32_t bit; /* 0: no integration component */
} services[] = {
	{"shutdown", HVH_UTILITY_SHUTDOWN},
	{"timesync", HVH_UTILITY_TIMESYNC},
	{"heartbeat", HVH_UTILITY_HEARTBEAT},
	{"kvp", HVH_UTILITY_KVP},
	{"vss", HVH_UTILITY_VSS},
	{"fcopy", HVH_UTILITY_FCOPY},
	{"kbd0", 0},
	{"mouse0", 0},
};
#define SERVICES (sizeof(services) / sizeof(services[0]))

static int restart_input(const struct monitor_call *call, const char *name)
{
	struct hvh_keyboard *keyboard = hvh_keyboard_find(call->partition, name);
	struct hvh_mouse *mouse = hvh_mouse_find(call->partition, name);

	if (keyboard)
		hvh_keyboard_restart(keyboard, call->now);
	else if (mouse)
		hvh_mouse_restart(mouse, call->now);
	else
		return monitor_fail(call, "there is no %s: start with --input all", name);
	monitor_settle(call, MONITOR_WAIT_OPEN, name, 3000);
	return SHELL_OK;
}

int monitor_restart(const struct monitor_call *call)
{
	const char *name = call->arguments[0], *names[SERVICES];
	struct hvh_utilities *utilities;
	char path[40];
	size_t n = 0;

	for (size_t i = 0; i < SERVICES; i++)
		names[i] = services[i].name;
	while (n < SERVICES && strcmp(name, names[n]) != 0)
		n++;
	if (n == SERVICES)
		return monitor_unknown(call, "service", name, names, SERVICES);
	if (!services[n].bit)
		return restart_input(call, name);
	utilities = monitor_utilities(call);
	if (!utilities)
		return SHELL_FAILED;
	hvh_utilities_restart(utilities, call->now, services[n].bit);
	snprintf(path, sizeof(path), "devices/%s0/state", name);
	monitor_settle_state(call, path, "ready");
	return SHELL_OK;
}

void monitor_complete_restart(const struct monitor_completion *completion)
{
	for (size_t n = 0; completion->argument == 0 && n < SERVICES; n++)
		completion->offer(completion->context, services[n].name);
}
