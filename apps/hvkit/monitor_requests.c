/* SPDX-License-Identifier: MIT */
/* Integration components that are asked for something, and their answers, which come later. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "apps/hvkit/monitor_private.h"

struct hvh_utilities *monitor_utilities(const struct monitor_call *call)
{
	struct hvh_utilities *utilities = hvh_utilities_find(call->partition);

	if (!utilities)
		(void)monitor_fail(call,
				   "this host offers no integration components: start with --utilities all");
	return utilities;
}

struct monitor_request *monitor_request(const struct monitor_call *call)
{
	struct monitor *monitor = call->monitor;

	for (uint32_t n = 0; n < MONITOR_REQUESTS_MAX; n++) {
		struct monitor_request *request = &monitor->requests[n];

		if (request->used)
			continue;
		*request = (struct monitor_request){
			.monitor = monitor, .used = true, .asking = true, .name = call->name};
		return request;
	}
	(void)monitor_fail(call, "%u requests wait for the guest's answers already", MONITOR_REQUESTS_MAX);
	return NULL;
}

/* --- Answers ----------------------------------------------------------------------------------- */

void monitor_show_line(struct monitor *monitor, const char *before, const char *text)
{
	size_t size = strlen(before) + strlen(text) + 2;
	char *line = malloc(size);

	if (!line)
		return;
	snprintf(line, size, "%s%s\n", before, text);
	monitor->show(monitor->context, false, line);
	free(line);
}

/* What a component says often begins with its name, and so does the line. */
static const char *without_name(const struct monitor_request *request, const char *text)
{
	size_t length = strlen(request->name);

	return strncmp(text, request->name, length) == 0 && strncmp(text + length, ": ", 2) == 0
		       ? text + length + 2
		       : text;
}

static void end(struct monitor_request *request, int status)
{
	request->over = true;
	request->status = status;
	request->used = request->waited || request->asking;
}

void monitor_request_done(struct monitor_request *request)
{
	end(request, SHELL_OK);
}

void monitor_request_fail(struct monitor_request *request, const char *text)
{
	const struct monitor_call call = {.monitor = request->monitor, .name = request->name};

	(void)monitor_fail(&call, "%s", without_name(request, text));
	end(request, SHELL_FAILED);
}

void monitor_answered(void *context, enum hvh_utility_result result, uint32_t status, const char *text)
{
	struct monitor_request *request = context;
	char before[24];

	if (request->asking && result == HVH_UTILITY_AWAY) {
		request->away = true;
		snprintf(request->text, sizeof(request->text), "%s", text);
		end(request, SHELL_FAILED);
		return;
	}
	if (request->go_on && request->go_on(request, result, status, text))
		return;
	if (result != HVH_UTILITY_OK) {
		monitor_request_fail(request, text);
		return;
	}
	snprintf(before, sizeof(before), "%s: ", request->name);
	monitor_show_line(request->monitor, before, text);
	monitor_request_done(request);
}

int monitor_await(const struct monitor_call *call, struct monitor_request *request)
{
	struct monitor *monitor = call->monitor;

	request->asking = false;
	if (!request->over) {
		request->waited = true;
		monitor->wait = (struct monitor_wait){.kind = MONITOR_WAIT_ANSWER,
						      .request = (uint32_t)(request - monitor->requests)};
		return SHELL_OK;
	}
	request->used = false;
	if (!request->away)
		return request->status;
	if (call->now >= monitor->patient_until)
		return monitor_fail(call, "%s", without_name(request, request->text));
	monitor->wait = (struct monitor_wait){.kind = MONITOR_WAIT_RETRY};
	snprintf(monitor->wait.path, sizeof(monitor->wait.path), "%s", call->line);
	return SHELL_OK;
}

void monitor_request_leave(struct monitor_request *request)
{
	request->waited = false;
	request->used = !request->over;
}

/* --- Text ------------------------------------------------------------------------------------------ */

static char unescape(char c)
{
	return c == 'n' ? '\n' : c == 't' ? '\t' : c;
}

bool monitor_take_text(const char **line, char *text, size_t size)
{
	const char *at = *line + strspn(*line, " \t");
	bool quoted = *at == '"';
	size_t used = 0;

	if (!*at)
		return false;
	at += quoted;
	while (*at && (quoted ? *at != '"' : *at != ' ' && *at != '\t')) {
		bool escaped = quoted && at[0] == '\\' && at[1];

		if (used + 1 == size)
			return false;
		text[used++] = escaped ? unescape(at[1]) : *at;
		at += escaped ? 2 : 1;
	}
	text[used] = '\0';
	if (quoted && *at++ != '"')
		return false;
	if (*at && *at != ' ' && *at != '\t')
		return false;
	*line = at + strspn(at, " \t");
	return true;
}
