/* SPDX-License-Identifier: MIT */
/*
 * Time: once after negotiating (and after a step) the guest is told to set its clock, then gets a sample
 * every few seconds, the next one after the answer to the last (OpenVMM). From 4.0 on the reference
 * counter tells when the clock was read; before that the round trip of the last message is all there is.
 */
#include <string.h>

#include "host/utilities/utilities.h"

#define PERIOD (5u * HVH_TIME_PER_SECOND)
#define STRATUM 1u

static uint64_t wall_clock(const struct hvh_utilities *owner, uint64_t now)
{
	uint64_t clock = owner->config.wall_clock != NULL
				 ? owner->config.wall_clock(owner->config.context, now)
				 : owner->clock_base + now;

	return clock + (uint64_t)owner->clock_offset;
}

static uint64_t own_next(const struct utility *utility)
{
	return utility->owner->sync ? utility->now : utility->owner->next_sample;
}

static uint32_t build_4(struct utility *utility, uint8_t *body, uint8_t flags)
{
	struct ic_timesync_4 message = {
		.host_time = wall_clock(utility->owner, utility->now),
		.reference_time = utility->now,
		.flags = flags,
		.stratum = STRATUM,
	};

	memcpy(body, &message, sizeof(message));
	return sizeof(message);
}

static uint32_t build_1(struct utility *utility, uint8_t *body, uint8_t flags)
{
	struct ic_timesync_1 message = {
		.host_time = wall_clock(utility->owner, utility->now),
		.round_trip = utility->owner->round_trip,
		.flags = flags,
	};

	memcpy(body, &message, IC_TIMESYNC_1_SIZE);
	return IC_TIMESYNC_1_SIZE;
}

static bool own(struct utility *utility)
{
	struct hvh_utilities *owner = utility->owner;
	uint8_t flags = owner->sync ? IC_TIMESYNC_SYNC : IC_TIMESYNC_SAMPLE;
	uint8_t *body;
	uint32_t length;

	if (own_next(utility) > utility->now)
		return false;
	body = utility_body(utility);
	length = utility_has_version(utility, 4, 0) ? build_4(utility, body, flags)
						    : build_1(utility, body, flags);
	owner->syncs += owner->sync;
	owner->samples += !owner->sync;
	owner->sync = false;
	utility_begin(utility, NULL, IC_TYPE_TIMESYNC, length, utility->service->wait);
	return true;
}

static void answered(struct utility *utility, struct utility_request *request,
		     const struct utility_answer *answer)
{
	struct hvh_utilities *owner = utility->owner;

	(void)request;
	if (answer->result != HVH_UTILITY_TIMED_OUT)
		owner->round_trip = utility->now - utility->sent_at;
	owner->next_sample = utility->now +
			     (owner->config.sample_period != 0 ? owner->config.sample_period : PERIOD);
}

static void ready(struct utility *utility)
{
	utility->owner->sync = true;
}

static void dump(const struct utility *utility, struct hvh_dump *dump)
{
	const struct hvh_utilities *owner = utility->owner;

	hvh_dump_text(dump, "clock-stepped-by", "%lld.%07llu s", (long long)(owner->clock_offset / 10000000),
		      (unsigned long long)(owner->clock_offset < 0 ? -(owner->clock_offset % 10000000)
								   : owner->clock_offset % 10000000));
	hvh_dump_number(dump, "syncs", owner->syncs);
	hvh_dump_number(dump, "samples", owner->samples);
	hvh_dump_number(dump, "round-trip", owner->round_trip);
}

void hvh_time_step(struct hvh_utilities *utilities, uint64_t now, int64_t difference)
{
	struct utility *utility = &utilities->all[UTILITY_AT_TIMESYNC];

	utilities->clock_offset = (int64_t)((uint64_t)utilities->clock_offset + (uint64_t)difference);
	utilities->sync = true;
	utility->now = now;
	if (utility->channel != NULL)
		hvh_channel_kick(utility->channel);
}

const struct utility_service utility_timesync = {
	.bit = HVH_UTILITY_TIMESYNC,
	.type = VMBUS_GUID_TIMESYNC,
	.instance = VMBUS_GUID(0x2dd1ce17u, 0x079eu, 0x403cu, 0xb3, 0x52, 0xa1, 0x92, 0x1e, 0xe2, 0x07, 0xee),
	.message_type = IC_TYPE_TIMESYNC,
	.wait = UTILITY_WAIT,
	.ops = UTILITY_OPS("timesync"),
	.ready = ready,
	.own = own,
	.own_next = own_next,
	.answered = answered,
	.dump = dump,
};
