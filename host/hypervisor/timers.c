/* SPDX-License-Identifier: MIT */
/*
 * Synthetic timers: four on each VP (TLFS, "Timers"). Never early. A timer that is due when
 * it is set expires there and then; one whose message is still waiting for the slot when it
 * expires again has that one message.
 */
#include <string.h>

#include "host/core/state.h"
#include "host/hypervisor/hypervisor.h"

#define LAST_REGISTER (HV_MSR_STIMER0_CONFIG + 2u * HV_STIMER_COUNT - 1u)

static uint32_t sint_of(const struct hvh_timer *timer)
{
	return (uint32_t)((timer->config & HV_STIMER_SINT_MASK) >> HV_STIMER_SINT_SHIFT);
}

static uint8_t vector_of(uint64_t config)
{
	return (uint8_t)((config & HV_STIMER_VECTOR_MASK) >> HV_STIMER_VECTOR_SHIFT);
}

/* --- Messages ------------------------------------------------------------------------ */

struct hvh_timer *hvh_timer_waiting(struct hvh_vp *vp, uint32_t sint)
{
	struct hvh_timer *oldest = NULL;

	for (uint32_t n = 0; n < HV_STIMER_COUNT; n++) {
		struct hvh_timer *timer = &vp->timers[n];
		if (timer->waiting && sint_of(timer) == sint &&
		    (oldest == NULL || timer->order < oldest->order))
			oldest = timer;
	}
	return oldest;
}

void hvh_timer_take(struct hvh_vp *vp, struct hvh_timer *timer, uint64_t now,
		    struct hvh_waiting_message *message)
{
	struct hv_timer_message payload = {
		.timer = (uint32_t)(timer - vp->timers),
		.expiration = timer->expiration,
		.delivery = now,
	};

	timer->waiting = false;
	*message = (struct hvh_waiting_message){
		.type = HV_MESSAGE_TIMER_EXPIRED,
		.size = sizeof(payload),
	};
	memcpy(message->payload, &payload, sizeof(payload));
}

/* --- Expiry ---------------------------------------------------------------------------- */

/* A lazy timer leaves out the periods that it missed; another makes up for a few of them with
 * shorter ones. */
static void next_period(struct hvh_timer *timer, uint64_t now)
{
	uint64_t period = timer->count;
	uint64_t missed = (now - timer->nominal) / period;
	uint64_t least = now + HVH_TIMER_PERIOD_MIN;

	if ((timer->config & HV_STIMER_LAZY) != 0 || missed > HVH_TIMER_MISSED_MAX)
		timer->nominal += missed * period; /* not later than now */
	timer->nominal = period < HVH_NEVER - timer->nominal ? timer->nominal + period : HVH_NEVER;
	timer->due = timer->nominal > least ? timer->nominal : least;
}

static void expire(struct hvh_partition *partition, uint64_t now, uint32_t vp, struct hvh_timer *timer)
{
	struct hvh_vp *state = &partition->hypervisor->vps[vp];
	uint64_t nominal = timer->nominal;

	if ((timer->config & HV_STIMER_PERIODIC) != 0) {
		next_period(timer, now);
	} else {
		timer->due = HVH_NEVER;
		timer->config &= ~HV_STIMER_ENABLE;
	}
	if ((timer->config & HV_STIMER_DIRECT) != 0) {
		hvh_raise(partition, now, vp, vector_of(timer->config));
		return;
	}
	if (timer->waiting)
		return;
	timer->waiting = true;
	timer->expiration = nominal;
	timer->order = ++state->order;
	hvh_synic_deliver(partition, now, vp, sint_of(timer));
}

void hvh_timers_run(struct hvh_partition *partition, uint64_t now)
{
	for (uint32_t vp = 0; vp < partition->vps; vp++) {
		struct hvh_vp *state = &partition->hypervisor->vps[vp];
		for (uint32_t n = 0; n < HV_STIMER_COUNT; n++) {
			if (state->timers[n].due <= now)
				expire(partition, now, vp, &state->timers[n]);
		}
	}
}

uint64_t hvh_timers_next_event(const struct hvh_partition *partition)
{
	uint64_t next = HVH_NEVER;

	for (uint32_t vp = 0; vp < partition->vps; vp++) {
		const struct hvh_vp *state = &partition->hypervisor->vps[vp];
		for (uint32_t n = 0; n < HV_STIMER_COUNT; n++) {
			if (state->timers[n].due < next)
				next = state->timers[n].due;
		}
	}
	return next;
}

/* --- Registers ---------------------------------------------------------------------------- */

bool hvh_timer_register(uint32_t msr)
{
	return msr >= HV_MSR_STIMER0_CONFIG && msr <= LAST_REGISTER;
}

static struct hvh_timer *timer_at(struct hvh_partition *partition, uint32_t vp, uint32_t msr)
{
	return &partition->hypervisor->vps[vp].timers[(msr - HV_MSR_STIMER0_CONFIG) / 2u];
}

static bool is_config(uint32_t msr)
{
	return (msr - HV_MSR_STIMER0_CONFIG) % 2u == 0;
}

bool hvh_timer_read(struct hvh_partition *partition, uint32_t vp, uint32_t msr, uint64_t *value)
{
	const struct hvh_timer *timer = timer_at(partition, vp, msr);

	*value = is_config(msr) ? timer->config : timer->count;
	return partition->profile.timers != HVH_TIMERS_ABSENT;
}

/* Stopped, and what it had to say is forgotten. */
static void stop(struct hvh_timer *timer)
{
	timer->due = HVH_NEVER;
	timer->waiting = false;
}

/* Its enable bit is set: does what that asks for. */
static void start(struct hvh_partition *partition, uint32_t vp, uint32_t msr, struct hvh_timer *timer)
{
	uint64_t now = partition->now;

	if ((timer->config & HV_STIMER_DIRECT) == 0 && sint_of(timer) == 0) {
		timer->config &= ~HV_STIMER_ENABLE;
		hvh_register_fault(partition, vp, msr, timer->config,
				   "a timer for SINT 0 stays disabled: give it another SINT, or direct mode");
		return;
	}
	if (timer->count == 0) {
		timer->config &= ~HV_STIMER_ENABLE;
		return;
	}
	timer->due = timer->count;
	if ((timer->config & HV_STIMER_PERIODIC) != 0)
		timer->due = timer->count < HVH_NEVER - now ? now + timer->count : HVH_NEVER;
	timer->nominal = timer->due;
	if (timer->due <= now)
		expire(partition, now, vp, timer);
	hvh_kick(partition); /* whoever sleeps until the next event looks again */
}

static bool write_config(struct hvh_partition *partition, uint32_t vp, uint32_t msr, uint64_t value)
{
	struct hvh_timer *timer = timer_at(partition, vp, msr);

	if ((value & ~HV_STIMER_DEFINED_MASK) != 0)
		hvh_violate(partition, HVH_V_RESERVED_BITS, partition->now, vp, 0, &value, sizeof(value),
			    "register %#x: reserved bits are to be 0", msr);
	value &= HV_STIMER_DEFINED_MASK;
	if ((value & HV_STIMER_DIRECT) != 0 && partition->profile.timers != HVH_TIMERS_DIRECT)
		return hvh_register_fault(partition, vp, msr, value,
					  "this host's timers have no direct mode");
	if ((value & HV_STIMER_DIRECT) != 0 && (value & (HV_STIMER_ENABLE | HV_STIMER_AUTO_ENABLE)) != 0 &&
	    vector_of(value) < HV_SINT_VECTOR_MIN)
		return hvh_register_fault(partition, vp, msr, value, "vector below 16");
	if ((timer->config & HV_STIMER_ENABLE) != 0 && (value & HV_STIMER_ENABLE) != 0 &&
	    value != timer->config)
		hvh_register_fault(partition, vp, msr, value,
				   "changed while the timer is enabled: disable it first");
	stop(timer);
	timer->config = value;
	if ((value & HV_STIMER_ENABLE) != 0)
		start(partition, vp, msr, timer);
	return true;
}

/* Linux and FreeBSD write it to a timer that is running: it runs to the new time. */
static bool write_count(struct hvh_partition *partition, uint32_t vp, uint32_t msr, uint64_t value)
{
	struct hvh_timer *timer = timer_at(partition, vp, msr);

	stop(timer);
	timer->count = value;
	if (value == 0)
		timer->config &= ~HV_STIMER_ENABLE;
	else if ((timer->config & HV_STIMER_AUTO_ENABLE) != 0)
		timer->config |= HV_STIMER_ENABLE;
	if ((timer->config & HV_STIMER_ENABLE) != 0)
		start(partition, vp, msr, timer);
	return true;
}

bool hvh_timer_write(struct hvh_partition *partition, uint32_t vp, uint32_t msr, uint64_t value)
{
	if (partition->profile.timers == HVH_TIMERS_ABSENT)
		return hvh_register_fault(partition, vp, msr, value, "this host has no synthetic timers");
	return is_config(msr) ? write_config(partition, vp, msr, value)
			      : write_count(partition, vp, msr, value);
}
