/* SPDX-License-Identifier: MIT */
/* A component as a device on VMBus: its life, and when it has something to do. */
#include <stdlib.h>
#include <string.h>

#include "host/utilities/utilities.h"

#define MESSAGES_PER_RUN 4u

static void begin_anew(struct utility *utility, enum utility_state state)
{
	utility->state = state;
	utility->framework = utility->version = 0;
	utility->busy = utility->sent = false;
	utility->current = NULL;
	if (utility->service->reset != NULL)
		utility->service->reset(utility);
}

bool utility_open(void *device, struct hvh_channel *channel, uint64_t now,
		  const uint8_t user_data[VMBUS_USER_DATA_SIZE])
{
	struct utility *utility = device;

	(void)channel;
	(void)user_data;
	utility->now = now;
	utility->stopped = utility->blocked = false;
	memset(utility->late, 0, sizeof(utility->late));
	begin_anew(utility, UTILITY_NEGOTIATING);
	return true;
}

void utility_close(void *device, struct hvh_channel *channel, uint64_t now)
{
	struct utility *utility = device;

	(void)channel;
	utility->now = now;
	begin_anew(utility, UTILITY_CLOSED);
	utility_cancel_all(utility, "the guest has closed it");
}

void utility_restart(struct utility *utility, const char *why)
{
	utility_forget(utility);
	begin_anew(utility, UTILITY_NEGOTIATING);
	utility_cancel_all(utility, why);
	hvh_channel_kick(utility->channel);
}

const char *utility_away(const struct utility *utility)
{
	if (utility->channel == NULL)
		return "this host does not have it";
	if (utility->stopped)
		return "its ring is corrupt";
	switch (utility->state) {
	case UTILITY_CLOSED:
		return "the guest has not opened it";
	case UTILITY_NEGOTIATING:
		return "the guest has not agreed on versions yet";
	case UTILITY_NO_VERSION:
		return "guest and host have no version in common";
	case UTILITY_GIVEN_UP:
		return "the guest did not agree on versions in time";
	case UTILITY_READY:
	default:
		return NULL;
	}
}

static bool is_silent(const struct utility *utility)
{
	return hvh_silence_get(utility->owner->partition) == HVH_SILENCE_IC_NEGOTIATE;
}

/* False: there is nothing to begin now. */
static bool begin_next(struct utility *utility)
{
	const struct utility_service *service = utility->service;
	struct utility_request *request = utility->first;

	if (utility->state == UTILITY_NEGOTIATING) {
		if (is_silent(utility))
			return false;
		utility_negotiate(utility);
		return utility->busy;
	}
	if (utility->state != UTILITY_READY)
		return false;
	if (service->own != NULL && service->own(utility))
		return true;
	if (request == NULL)
		return false;
	if (service->step != NULL) {
		service->step(utility, request);
	} else {
		memcpy(utility_body(utility), request->body, request->length);
		utility_begin(utility, request, service->message_type, request->length, request->wait);
	}
	return true;
}

bool utility_run(void *device, struct hvh_channel *channel, uint64_t now)
{
	struct utility *utility = device;
	bool more;

	(void)channel;
	utility->now = now;
	utility->blocked = false;
	if (utility->stopped)
		return false;
	more = utility_read(utility);
	for (uint32_t n = 0; n < MESSAGES_PER_RUN && !utility->stopped; n++) {
		if (!utility_progress(utility) || !begin_next(utility))
			break;
	}
	return more && !utility->stopped;
}

uint64_t utility_next_event(void *device, struct hvh_channel *channel)
{
	const struct utility *utility = device;

	(void)channel;
	if (utility->stopped)
		return HVH_NEVER;
	if (utility->busy) /* unsent, and no room: room brings a run */
		return utility->sent || utility->blocked ? utility->deadline : utility->not_before;
	if (utility->state == UTILITY_NEGOTIATING)
		return is_silent(utility) ? HVH_NEVER : utility->now;
	if (utility->state != UTILITY_READY)
		return HVH_NEVER;
	if (utility->first != NULL)
		return utility->now;
	return utility->service->own_next != NULL ? utility->service->own_next(utility) : HVH_NEVER;
}

void utility_destroy(void *device)
{
	struct utility *utility = device;
	struct hvh_utilities *owner = utility->owner;

	utility_drop_all(utility);
	if (--owner->devices > 0)
		return;
	kvp_store_free(&owner->store);
	free(owner);
}

static void dump_versions(const struct utility *utility, struct hvh_dump *dump)
{
	char text[16];

	if (utility->version == 0)
		return;
	utility_version_text(utility->framework, text);
	hvh_dump_text(dump, "framework", "%s", text);
	utility_version_text(utility->version, text);
	hvh_dump_text(dump, "messages", "%s", text);
}

static void dump_counters(const struct hvh_utilities_counters *counters, struct hvh_dump *dump)
{
	hvh_dump_begin(dump, "counters");
	hvh_dump_number(dump, "negotiations", counters->negotiations);
	hvh_dump_number(dump, "requests", counters->requests);
	hvh_dump_number(dump, "answers", counters->answers);
	hvh_dump_number(dump, "failures", counters->failures);
	hvh_dump_number(dump, "timeouts", counters->timeouts);
	hvh_dump_number(dump, "restarts", counters->restarts);
	hvh_dump_end(dump);
}

void utility_dump(const void *device, struct hvh_dump *dump)
{
	static const char *const states[] = {"closed", "negotiating", "ready", "no-version", "given-up"};
	const struct utility *utility = device;

	hvh_dump_text(dump, "state", "%s", utility->stopped ? "stopped" : states[utility->state]);
	dump_versions(utility, dump);
	hvh_dump_text(dump, "message", "%s",
		      !utility->busy  ? "none"
		      : utility->sent ? "waits-for-answer"
				      : "waits-for-room");
	if (utility->first != NULL)
		hvh_dump_text(dump, "request", "%s", utility->first->name);
	hvh_dump_number(dump, "requests-waiting", utility->waiting);
	if (utility->service->dump != NULL)
		utility->service->dump(utility, dump);
	dump_counters(&utility->counters, dump);
}
