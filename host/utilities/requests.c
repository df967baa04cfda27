/* SPDX-License-Identifier: MIT */
/* What somebody has asked a component for. The oldest is the one under way. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "host/utilities/utilities.h"

static const char *result_name(enum hvh_utility_result result)
{
	static const char *const names[] = {"done", "failed", "no answer", "away"};

	return names[result];
}

const char *utility_status_text(uint32_t status)
{
	switch (status) {
	case IC_STATUS_OK:
		return "done";
	case IC_STATUS_FAIL:
		return "the guest refused, or failed";
	case IC_STATUS_NO_MORE_ITEMS:
		return "no more items";
	case IC_STATUS_NOT_SUPPORTED:
		return "the guest does not support it";
	case IC_STATUS_NOT_FOUND:
		return "not found";
	case IC_STATUS_INVALID_ARGUMENT:
		return "the guest calls it invalid";
	case IC_STATUS_ALREADY_EXISTS:
		return "it exists already";
	case IC_STATUS_DISK_FULL:
		return "no room in the guest";
	default:
		return "the guest failed";
	}
}

static void release(struct utility_request *request)
{
	if (request->file != NULL)
		(void)fclose(request->file);
	free(request);
}

/* It is in no list any more: whoever is called may ask for the next one. */
static void end(struct utility *utility, struct utility_request *request, enum hvh_utility_result result,
		uint32_t status, const char *text)
{
	UTILITY_NOTE(utility, "%s: %s: %s (%s)", utility_name(utility), request->name, result_name(result),
		     text);
	if (request->done != NULL)
		request->done(request->context, result, status, text);
	release(request);
}

struct utility_request *utility_request(struct utility *utility, uint64_t now, const char *name,
					uint32_t length, hvh_utility_done done, void *context)
{
	const char *away = utility_away(utility);
	struct utility_request *request;
	char text[96];

	utility->now = now;
	if (away == NULL && utility->waiting == UTILITY_REQUESTS_MAX)
		away = "too many requests wait already";
	if (away == NULL && UTILITY_HEADERS + length > hvh_channel_payload_max(utility->channel))
		away = "the guest's ring is too small for it";
	request = away == NULL ? calloc(1, sizeof(*request) + length) : NULL;
	if (request == NULL) {
		(void)snprintf(text, sizeof(text), "%s: %s", utility_name(utility),
			       away != NULL ? away : "out of memory");
		if (done != NULL)
			done(context, HVH_UTILITY_AWAY, IC_STATUS_FAIL, text);
		return NULL;
	}
	request->name = name;
	request->length = length;
	request->done = done;
	request->context = context;
	request->wait = utility->service->wait;
	return request;
}

void utility_submit(struct utility *utility, struct utility_request *request)
{
	if (utility->last != NULL)
		utility->last->next = request;
	else
		utility->first = request;
	utility->last = request;
	utility->waiting++;
	hvh_channel_kick(utility->channel);
}

void utility_refuse(struct utility *utility, struct utility_request *request, const char *format, ...)
{
	char text[UTILITY_TEXT_MAX];
	va_list arguments;

	va_start(arguments, format);
	(void)vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	end(utility, request, HVH_UTILITY_FAILED, IC_STATUS_INVALID_ARGUMENT, text);
}

static struct utility_request *take_first(struct utility *utility)
{
	struct utility_request *request = utility->first;

	utility->first = request->next;
	if (utility->first == NULL)
		utility->last = NULL;
	utility->waiting--;
	return request;
}

void utility_finish(struct utility *utility, const struct utility_answer *answer, const char *format, ...)
{
	struct utility_request *request = take_first(utility);
	char text[UTILITY_TEXT_MAX];
	va_list arguments;

	va_start(arguments, format);
	(void)vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	end(utility, request, answer->result, answer->status, text);
}

void utility_finish_plainly(struct utility *utility, const struct utility_answer *answer)
{
	utility_finish(utility, answer, "%s",
		       answer->result == HVH_UTILITY_TIMED_OUT ? "no answer in time"
							       : utility_status_text(answer->status));
}

/* Those that wait now: whoever is called may ask again, and is told at once. */
void utility_cancel_all(struct utility *utility, const char *why)
{
	struct utility_request *request = utility->first, *next;

	utility->first = utility->last = NULL;
	utility->waiting = 0;
	for (; request != NULL; request = next) {
		next = request->next;
		end(utility, request, HVH_UTILITY_AWAY, IC_STATUS_FAIL, why);
	}
}

void utility_drop_all(struct utility *utility)
{
	while (utility->first != NULL)
		release(take_first(utility));
}
