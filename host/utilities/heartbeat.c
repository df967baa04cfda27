/* SPDX-License-Identifier: MIT */
/* Heartbeat: a sequence number every two seconds, that comes back with one added (Linux). */
#include <string.h>

#include "host/utilities/utilities.h"

#define PERIOD (2u * HVH_TIME_PER_SECOND)
#define WAIT (10u * HVH_TIME_PER_SECOND)

static uint64_t own_next(const struct utility *utility)
{
	return utility->owner->next_beat;
}

static bool own(struct utility *utility)
{
	struct hvh_utilities *owner = utility->owner;
	struct ic_heartbeat beat = {.sequence = owner->sequence};

	if (owner->next_beat > utility->now)
		return false;
	memcpy(utility_body(utility), &beat, sizeof(beat));
	owner->next_beat = utility->now +
			   (owner->config.heartbeat_period != 0 ? owner->config.heartbeat_period : PERIOD);
	utility_begin(utility, NULL, IC_TYPE_HEARTBEAT, sizeof(beat), utility->service->wait);
	return true;
}

static void answered(struct utility *utility, struct utility_request *request,
		     const struct utility_answer *answer)
{
	struct hvh_utilities *owner = utility->owner;
	struct ic_heartbeat beat;

	(void)request;
	if (answer->result != HVH_UTILITY_OK) /* the next one tells */
		return;
	memcpy(&beat, answer->body, sizeof(beat));
	if (beat.sequence != owner->sequence + 1)
		UTILITY_VIOLATE(utility, HVH_V_IC_VALUE, answer->body, answer->length,
				"heartbeat: the sequence number comes back with one added");
	owner->sequence += 2;
	owner->application_state = beat.application_state;
	owner->beats++;
	owner->last_beat = utility->now;
}

static void ready(struct utility *utility)
{
	utility->owner->next_beat = utility->now;
}

static void dump(const struct utility *utility, struct hvh_dump *dump)
{
	hvh_dump_number(dump, "beats", utility->owner->beats);
	hvh_dump_time(dump, "last-beat", utility->owner->beats > 0 ? utility->owner->last_beat : HVH_NEVER);
	hvh_dump_number(dump, "application-state", utility->owner->application_state);
}

uint64_t hvh_heartbeats(const struct hvh_utilities *utilities, uint64_t *last_at)
{
	if (last_at != NULL)
		*last_at = utilities->last_beat;
	return utilities->beats;
}

const struct utility_service utility_heartbeat = {
	.bit = HVH_UTILITY_HEARTBEAT,
	.type = VMBUS_GUID_HEARTBEAT,
	.instance = VMBUS_GUID(0xfd149e91u, 0x82e0u, 0x4a7du, 0xaf, 0xa6, 0x2a, 0x41, 0x66, 0xcb, 0xd7, 0xc0),
	.message_type = IC_TYPE_HEARTBEAT,
	.wait = WAIT,
	.ops = UTILITY_OPS("heartbeat"),
	.ready = ready,
	.own = own,
	.own_next = own_next,
	.answered = answered,
	.dump = dump,
};
