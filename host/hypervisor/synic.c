/* SPDX-License-Identifier: MIT */
/*
 * The synthetic interrupt controller: message slots and event flags.
 *
 * Strict: a message that found its slot full is delivered on EOM only. The pending
 * flag is ORed into its byte and nothing else is touched; then the type is looked at
 * again. If the guest has emptied the slot meanwhile it may have read the flag too
 * early, so the model delivers the next message itself.
 */
#include <stdlib.h>
#include <string.h>

#include "host/core/state.h"
#include "host/hypervisor/hypervisor.h"

#define SLOT_FLAGS 5u
#define SLOT_HEADER 4u /* size, flags, reserved as one word */
#define SLOT_ORIGIN 8u
#define SLOT_PAYLOAD 16u
#define VMBUS_PORT 1ull /* origin of the bus's messages: the port they come from */

static bool synic_on(const struct hvh_vp *vp)
{
	return (vp->scontrol & HV_SCONTROL_ENABLE) != 0 && vp->simp.overlay.active;
}

static uint64_t slot_address(const struct hvh_vp *vp, uint32_t sint)
{
	return vp->simp.overlay.gpa + sint * sizeof(struct hv_message);
}

/* An unreachable slot counts as full: nothing is written there. */
static bool slot_full(struct hvh_partition *partition, const struct hvh_vp *vp, uint32_t sint)
{
	uint32_t type;
	return !hvh_memory_load32(partition, slot_address(vp, sint), &type) || type != HV_MESSAGE_NONE;
}

void hvh_raise(struct hvh_partition *partition, uint64_t now, uint32_t vp, uint8_t vector)
{
	uint32_t body[2] = {vector, 0};

	partition->counters.interrupts++;
	hvh_trace_emit(partition, &(struct hvh_trace_record){
					  .time = now,
					  .kind = HVH_TRACE_INTERRUPT,
					  .to_guest = true,
					  .vp = vp,
					  .bytes = body,
					  .byte_count = sizeof(body),
				  });
	partition->ops.interrupt(partition->ops.context, vp, vector);
}

void hvh_synic_interrupt(struct hvh_partition *partition, uint64_t now, uint32_t vp, uint32_t sint)
{
	uint64_t value = partition->hypervisor->vps[vp].sints[sint].value;

	if ((value & (HV_SINT_MASKED | HV_SINT_POLLING)) == 0)
		hvh_raise(partition, now, vp, (uint8_t)(value & HV_SINT_VECTOR_MASK));
}

/* --- Messages ----------------------------------------------------------------- */

/* Bus and timers share the slot. */
static bool waits(struct hvh_vp *vp, uint32_t sint)
{
	return vp->sints[sint].count > 0 || hvh_timer_waiting(vp, sint) != NULL;
}

/* The message that has waited longest. */
static void take_next(struct hvh_vp *vp, uint32_t sint, uint64_t now, struct hvh_waiting_message *message)
{
	struct hvh_timer *timer = hvh_timer_waiting(vp, sint);
	struct hvh_sint *slot = &vp->sints[sint];

	if (timer != NULL && (slot->count == 0 || timer->order < slot->queue[slot->head].order)) {
		hvh_timer_take(vp, timer, now, message);
		return;
	}
	*message = slot->queue[slot->head];
	slot->head = (slot->head + 1) % HVH_SINT_QUEUE;
	slot->count--;
}

/* A timer's message is none of the bus's: the trace has a note of it. */
static void trace_message(struct hvh_partition *partition, uint64_t now, uint32_t vp,
			  const struct hvh_waiting_message *message)
{
	struct hv_timer_message timer;

	if (message->type == HV_MESSAGE_TIMER_EXPIRED) {
		memcpy(&timer, message->payload, sizeof(timer));
		hvh_note(partition, now, 0, "timer %u of VP %u: message, due at %llu", timer.timer, vp,
			 (unsigned long long)timer.expiration);
		return;
	}
	hvh_trace_emit(partition, &(struct hvh_trace_record){
					  .time = now,
					  .kind = HVH_TRACE_MESSAGE,
					  .to_guest = true,
					  .vp = vp,
					  .bytes = message->payload,
					  .byte_count = message->size,
				  });
}

static void deliver_one(struct hvh_partition *partition, uint64_t now, uint32_t vp, uint32_t sint)
{
	struct hvh_vp *state = &partition->hypervisor->vps[vp];
	struct hvh_sint *slot = &state->sints[sint];
	struct hvh_waiting_message message;
	uint64_t gpa = slot_address(state, sint);

	take_next(state, sint, now, &message);
	hvh_memory_write(partition, gpa + SLOT_PAYLOAD, message.payload, message.size);
	hvh_memory_store32(partition, gpa + SLOT_HEADER, message.size); /* flags clear */
	hvh_memory_write(partition, gpa + SLOT_ORIGIN, &message.origin, sizeof(message.origin));
	trace_message(partition, now, vp, &message);
	hvh_memory_store32(partition, gpa, message.type);
	slot->delivered++;
	slot->previous_flagged = slot->flagged;
	slot->flagged = false;
	slot->flag_due = HVH_NEVER;
	slot->eom_since_delivery = false;
	partition->counters.messages_delivered++;
	hvh_synic_interrupt(partition, now, vp, sint);
}

/* True if the guest now owes an EOM; false if it emptied the slot meanwhile. */
static bool set_pending(struct hvh_partition *partition, uint64_t now, uint32_t vp, uint32_t sint)
{
	struct hvh_vp *state = &partition->hypervisor->vps[vp];
	struct hvh_sint *slot = &state->sints[sint];
	uint8_t before;

	slot->flag_due = HVH_NEVER;
	if (!hvh_memory_or8(partition, slot_address(state, sint) + SLOT_FLAGS, HV_MESSAGE_FLAG_PENDING,
			    &before))
		return true;
	slot->flagged = true;
	hvh_memory_barrier();
	if (!slot_full(partition, state, sint))
		return false;
	slot->waiting = true;
	slot->eom_reported = false;
	slot->empty_since = HVH_NEVER;
	slot->look_at = now + HVH_EOM_LOOK;
	slot->look_until = now + HVH_EOM_WATCH;
	return true;
}

/* The slot is full: sees to the pending flag, now or (by fault) later. */
static bool ask_for_eom(struct hvh_partition *partition, uint64_t now, uint32_t vp, uint32_t sint)
{
	struct hvh_sint *slot = &partition->hypervisor->vps[vp].sints[sint];

	if (slot->flag_due != HVH_NEVER)
		return true;
	if (!slot->flagged && hvh_fault_strikes(partition, HVH_FAULT_LATE_PENDING)) {
		slot->flag_due = now + 1 + hvh_choose(partition, HVH_LATE_PENDING_MAX);
		return true;
	}
	return set_pending(partition, now, vp, sint);
}

/* Delivers what can be; each turn delivers one message or ends. */
static void deliver(struct hvh_partition *partition, uint64_t now, uint32_t vp, uint32_t sint)
{
	struct hvh_vp *state = &partition->hypervisor->vps[vp];
	struct hvh_sint *slot = &state->sints[sint];

	for (uint32_t turn = 0; turn <= 2 * (HVH_SINT_QUEUE + HV_STIMER_COUNT); turn++) {
		if (!waits(state, sint) || slot->waiting || !synic_on(state))
			return;
		if (!slot_full(partition, state, sint))
			deliver_one(partition, now, vp, sint);
		else if (ask_for_eom(partition, now, vp, sint))
			return;
	}
}

bool hvh_synic_room(const struct hvh_partition *partition, uint32_t vp, uint32_t sint)
{
	return partition->hypervisor->vps[vp].sints[sint].count < HVH_SINT_QUEUE;
}

/* A host that does not wait for EOM. */
static bool looks(const struct hvh_partition *partition, uint32_t vp, uint32_t sint)
{
	return partition->profile.redelivery == HVH_REDELIVER_BY_LOOKING &&
	       waits(&partition->hypervisor->vps[vp], sint);
}

void hvh_synic_deliver(struct hvh_partition *partition, uint64_t now, uint32_t vp, uint32_t sint)
{
	struct hvh_sint *slot = &partition->hypervisor->vps[vp].sints[sint];

	if (slot->redeliver_at == HVH_NEVER && looks(partition, vp, sint))
		slot->redeliver_at = now + HVH_REDELIVERY_LOOK;
	deliver(partition, now, vp, sint);
}

bool hvh_synic_post(struct hvh_partition *partition, uint64_t now, uint32_t vp, uint32_t sint,
		    const void *payload, uint32_t size)
{
	struct hvh_sint *slot = &partition->hypervisor->vps[vp].sints[sint];

	if (slot->queue == NULL)
		slot->queue = calloc(HVH_SINT_QUEUE, sizeof(*slot->queue));
	if (slot->queue == NULL || slot->count == HVH_SINT_QUEUE || size > HV_MESSAGE_PAYLOAD_MAX)
		return false;
	struct hvh_waiting_message *message = &slot->queue[(slot->head + slot->count) % HVH_SINT_QUEUE];
	message->type = HV_MESSAGE_VMBUS;
	message->origin = VMBUS_PORT;
	message->order = ++partition->hypervisor->vps[vp].order;
	message->size = size;
	memcpy(message->payload, payload, size);
	slot->count++;
	hvh_synic_deliver(partition, now, vp, sint);
	return true;
}

void hvh_synic_retry(struct hvh_partition *partition, uint64_t now, uint32_t vp)
{
	for (uint32_t sint = 0; sint < HV_SINT_COUNT; sint++)
		deliver(partition, now, vp, sint);
}

void hvh_synic_forget(struct hvh_partition *partition, uint32_t vp)
{
	for (uint32_t sint = 0; sint < HV_SINT_COUNT; sint++) {
		struct hvh_sint *slot = &partition->hypervisor->vps[vp].sints[sint];
		slot->waiting = false;
		slot->flagged = false;
		slot->flag_due = HVH_NEVER;
		slot->look_at = HVH_NEVER;
	}
}

/* --- EOM ------------------------------------------------------------------------ */

/* May an EOM come while this slot is full? Yes, once, if the guest can have seen the
 * pending flag of the message before (the model delivered in between). Guests that
 * write EOM when they find a slot empty (iPXE) race with delivery: see tolerated.md. */
static bool eom_excused(const struct hvh_partition *partition, const struct hvh_sint *slot)
{
	if (slot->eom_since_delivery)
		return false;
	return slot->previous_flagged || (slot->flagged && slot->delivered > 1) || !partition->deterministic;
}

static void judge_eom(struct hvh_partition *partition, uint64_t now, uint32_t vp)
{
	struct hvh_vp *state = &partition->hypervisor->vps[vp];
	bool wanted = false, wrong = false;

	for (uint32_t sint = 0; sint < HV_SINT_COUNT; sint++) {
		struct hvh_sint *slot = &state->sints[sint];
		if (slot->delivered == 0 || !synic_on(state))
			continue;
		bool full = slot_full(partition, state, sint);
		wanted = wanted || (slot->waiting && !full);
		wrong = wrong || (full && !eom_excused(partition, slot));
		slot->eom_since_delivery = true;
	}
	if (wrong && !wanted)
		hvh_violate(partition, HVH_V_EOM_UNNEEDED, now, vp, 0, NULL, 0,
			    "EOM while the message slot is still full: clear the type first, then look at "
			    "the flag");
}

void hvh_synic_eom(struct hvh_partition *partition, uint64_t now, uint32_t vp)
{
	partition->counters.eoms++;
	judge_eom(partition, now, vp);
	for (uint32_t sint = 0; sint < HV_SINT_COUNT; sint++) {
		struct hvh_sint *slot = &partition->hypervisor->vps[vp].sints[sint];
		slot->waiting = false;
		slot->look_at = HVH_NEVER;
		deliver(partition, now, vp, sint);
	}
	hvh_kick(partition); /* there may be room for messages that wait at the bus */
}

static void look_for_eom(struct hvh_partition *partition, uint64_t now, uint32_t vp, uint32_t sint)
{
	struct hvh_vp *state = &partition->hypervisor->vps[vp];
	struct hvh_sint *slot = &state->sints[sint];

	slot->look_at = now < slot->look_until ? now + HVH_EOM_LOOK : HVH_NEVER;
	if (slot_full(partition, state, sint)) {
		slot->empty_since = HVH_NEVER;
		return;
	}
	if (slot->empty_since == HVH_NEVER) {
		slot->empty_since = now;
		slot->look_until = now + HVH_EOM_LIMIT + HVH_EOM_LOOK;
		slot->look_at = now + HVH_EOM_LOOK;
	} else if (now - slot->empty_since >= HVH_EOM_LIMIT && !slot->eom_reported) {
		slot->eom_reported = true;
		slot->look_at = HVH_NEVER;
		hvh_violate(partition, HVH_V_MISSING_EOM, now, vp, 0, NULL, 0,
			    "slot %u was emptied with its pending flag set and no EOM followed within 1 s",
			    sint);
	}
}

/* --- Events ------------------------------------------------------------------------ */

bool hvh_synic_signal(struct hvh_partition *partition, uint64_t now, uint32_t vp, uint32_t sint,
		      uint32_t flag)
{
	struct hvh_vp *state = &partition->hypervisor->vps[vp];
	uint32_t bit = 1u << flag % 32u;
	uint32_t body[2] = {flag, sint};
	uint32_t before;

	if ((state->scontrol & HV_SCONTROL_ENABLE) == 0 || !state->siefp.overlay.active ||
	    (state->sints[sint].value & HV_SINT_MASKED) != 0)
		return false;
	uint64_t gpa = state->siefp.overlay.gpa + (uint64_t)sint * HV_EVENT_FLAG_BYTES +
		       (uint64_t)(flag / 32u) * 4u;
	if (!hvh_memory_or32(partition, gpa, bit, &before))
		return false;
	partition->counters.events_set++;
	hvh_trace_emit(partition, &(struct hvh_trace_record){
					  .time = now,
					  .kind = HVH_TRACE_EVENT,
					  .to_guest = true,
					  .vp = vp,
					  .channel_id = flag,
					  .bytes = body,
					  .byte_count = sizeof(body),
				  });
	if ((before & bit) == 0)
		hvh_synic_interrupt(partition, now, vp, sint);
	return true;
}

/* --- Time --------------------------------------------------------------------------- */

static void look_for_room(struct hvh_partition *partition, uint64_t now, uint32_t vp, uint32_t sint)
{
	struct hvh_vp *state = &partition->hypervisor->vps[vp];
	struct hvh_sint *slot = &state->sints[sint];

	if (looks(partition, vp, sint) && synic_on(state) && !slot_full(partition, state, sint)) {
		slot->waiting = false;
		slot->look_at = HVH_NEVER;
		deliver(partition, now, vp, sint);
	}
	slot->redeliver_at = looks(partition, vp, sint) ? now + HVH_REDELIVERY_LOOK : HVH_NEVER;
}

static void run_slot(struct hvh_partition *partition, uint64_t now, uint32_t vp, uint32_t sint)
{
	struct hvh_vp *state = &partition->hypervisor->vps[vp];
	struct hvh_sint *slot = &state->sints[sint];

	if (slot->flag_due <= now) {
		slot->flag_due = HVH_NEVER;
		if (synic_on(state) && waits(state, sint) &&
		    (!slot_full(partition, state, sint) || !set_pending(partition, now, vp, sint)))
			deliver(partition, now, vp, sint);
	}
	if (slot->waiting && slot->look_at <= now && synic_on(state))
		look_for_eom(partition, now, vp, sint);
	if (slot->redeliver_at <= now || (slot->redeliver_at == HVH_NEVER && looks(partition, vp, sint)))
		look_for_room(partition, now, vp, sint);
}

void hvh_hypervisor_run(struct hvh_partition *partition, uint64_t now)
{
	hvh_timers_run(partition, now);
	for (uint32_t vp = 0; vp < partition->vps; vp++) {
		for (uint32_t sint = 0; sint < HV_SINT_COUNT; sint++)
			run_slot(partition, now, vp, sint);
	}
}

uint64_t hvh_hypervisor_next_event(struct hvh_partition *partition)
{
	uint64_t next = hvh_timers_next_event(partition);

	for (uint32_t vp = 0; vp < partition->vps; vp++) {
		struct hvh_vp *state = &partition->hypervisor->vps[vp];
		if (!synic_on(state))
			continue;
		for (uint32_t sint = 0; sint < HV_SINT_COUNT; sint++) {
			const struct hvh_sint *slot = &state->sints[sint];
			if (slot->flag_due < next)
				next = slot->flag_due;
			if (slot->waiting && slot->look_at < next)
				next = slot->look_at;
			if (slot->redeliver_at < next && waits(state, sint))
				next = slot->redeliver_at;
		}
	}
	return next;
}
