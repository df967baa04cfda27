/* SPDX-License-Identifier: MIT */
/*
 * What is to be done next. A turn runs on the card's CPU after each kick: it looks at what has become
 * known, and begins the one sequence that is most urgent.
 */
#include "guest/vf/vf_internal.h"

/* --- Steps ------------------------------------------------------------------------------ */

static bool enter(void *device)
{
	const struct hvk_vf *vf = device;

	return hvk_cpu_index(vf->hvk) == vf->cpu;
}

static void leave(void *device)
{
	(void)device;
}

static uint32_t wait_ms(const void *device, uint32_t wait)
{
	(void)device;
	(void)wait; /* VF_WAIT_DRAIN is the only one */
	return HVK_VF_DRAIN_MS;
}

static bool must_come(const void *device, uint32_t event)
{
	(void)device;
	return event == VF_WAITS_FOR_USERS;
}

static void fault(void *device, hvk_status status, const char *what)
{
	const struct hvk_vf *vf = device;

	hvk_log(vf->hvk, HVK_LOG_WARN, "vf: %s: %s", what, hvk_status_text(status));
}

static const struct hvk_steps_owner steps_owner = {"vf", enter, leave, wait_ms, leave, must_come, fault};

/* --- Turns ------------------------------------------------------------------------------ */

void hvk_vf_kick(struct hvk_vf *vf)
{
	if (__atomic_exchange_n(&vf->kicked, true, __ATOMIC_SEQ_CST))
		return;
	hvk_request_begin(&vf->kick);
	hvk_request_finish(vf->hvk, &vf->kick, HVK_OK, vf->cpu);
}

void hvk_vf_news(struct hvk_vf *vf)
{
	__atomic_store_n(&vf->news, true, __ATOMIC_SEQ_CST);
	hvk_vf_kick(vf);
}

void hvk_vf_sequence_over(void *device)
{
	hvk_vf_kick(device);
}

static bool take_flag(struct hvk_vf *vf, const bool *flag)
{
	bool is;

	hvk_lock(vf->hvk, &vf->lock);
	is = *flag;
	hvk_unlock(vf->hvk, &vf->lock);
	return is;
}

/* What a sequence that runs may wait for, and whether it is still wanted. */
static void look_at_sequence(struct hvk_vf *vf, bool leaves)
{
	static const struct hvk_answer over = {HVK_OK, NULL, 0};

	if (vf->steps.event == VF_WAITS_FOR_USERS && __atomic_load_n(&vf->users, __ATOMIC_SEQ_CST) == 0)
		hvk_steps_answer(&vf->steps, VF_WAITS_FOR_USERS, &over);
	else if (leaves &&
		 (vf->steps.sequence == &hvk_vf_activate_sequence ||
		  vf->steps.sequence == &hvk_vf_settle_sequence) &&
		 vf->steps.interrupted == HVK_OK)
		hvk_steps_interrupt(&vf->steps, HVK_ECANCELED);
}

static bool begins_to_leave(struct hvk_vf *vf)
{
	hvk_vf_event(vf, VF_EVENT_LEAVE);
	hvk_steps_start(&vf->steps, &hvk_vf_leave_sequence);
	return true;
}

/* True: a sequence was begun for the VF. */
static bool tend_vf(struct hvk_vf *vf, bool leaves)
{
	bool may = !leaves && hvk_vf_may_be_active(vf);

	if (vf->phase == VF_PHASE_TAKEN && hvk_vf_operation_needs_card(vf))
		may = false;
	if (vf->state == HVK_VF_ACTIVE && (!may || vf->unfit)) {
		vf->unfit = false;
		hvk_steps_start(&vf->steps, &hvk_vf_deactivate_sequence);
		return true;
	}
	if (leaves && vf->state != HVK_VF_ACTIVE)
		return begins_to_leave(vf);
	if (vf->state == HVK_VF_READY && vf->card_anew)
		hvk_vf_unsettle(vf);
	if (vf->phase == VF_PHASE_TAKEN)
		return false;
	if (vf->state == HVK_VF_WAITING && take_flag(vf, &vf->grace_over) && !hvk_timer_running(&vf->retry)) {
		hvk_steps_start(&vf->steps, &hvk_vf_settle_sequence);
		return true;
	}
	if (vf->state == HVK_VF_READY && may && !hvk_timer_running(&vf->retry)) {
		hvk_steps_start(&vf->steps, &hvk_vf_activate_sequence);
		return true;
	}
	return false;
}

/* One thing at a time: the VF's coming and going first, then what the stack asks for. */
static void next(struct hvk_vf *vf, bool leaves)
{
	if (vf->vf.netdev && tend_vf(vf, leaves))
		return;
	if (vf->phase == VF_PHASE_TAKEN) {
		hvk_vf_operation_start(vf);
		return;
	}
	if (vf->phase == VF_PHASE_DONE)
		hvk_vf_operation_finish(vf);
	if (hvk_vf_operation_take(vf))
		hvk_vf_kick(vf); /* the VF may have to give the frames up first */
}

void hvk_vf_look_at_attaches(struct hvk_vf *vf)
{
	struct hvk_netvsc_association association;

	hvk_netvsc_get_association(vf->nic, &association);
	if (association.attaches == vf->card_attaches)
		return;
	vf->card_attaches = association.attaches;
	vf->card_anew = vf->config.transparent && vf->state != HVK_VF_ABSENT;
	if (!vf->settled)
		vf->saved.card_enabled = vf->card.netdev->info.enabled;
	__atomic_store_n(&vf->card_gone, false, __ATOMIC_SEQ_CST);
	hvk_lock(vf->hvk, &vf->lock);
	vf->groups[0].count = 0;
	hvk_unlock(vf->hvk, &vf->lock);
}

/* The card may have been attached anew, with nothing of what was set before. */
static void look_at_card(struct hvk_vf *vf)
{
	hvk_vf_retry_now(vf);
	hvk_vf_look_at_attaches(vf);
	if (vf->config.transparent && vf->phase == VF_PHASE_NONE)
		vf_set_wish(&vf->card_wish, vf->card.netdev->info.flags);
}

static void turn(struct hvk_request *request, void *context)
{
	struct hvk_vf *vf = context;
	bool leaves;

	(void)request;
	(void)__atomic_exchange_n(&vf->kicked, false, __ATOMIC_SEQ_CST);
	leaves = take_flag(vf, &vf->unpair_wanted) || (vf->vf.netdev && !vf_is_here(vf));
	if (__atomic_exchange_n(&vf->association_news, false, __ATOMIC_SEQ_CST))
		look_at_card(vf);
	if (__atomic_exchange_n(&vf->news, false, __ATOMIC_SEQ_CST))
		hvk_vf_publish(vf);
	if (__atomic_load_n(&vf->path, __ATOMIC_SEQ_CST) != VF_PATH_WAIT)
		hvk_vf_tell_ready(vf);
	if (vf->steps.sequence)
		look_at_sequence(vf, leaves);
	if (!vf->steps.sequence)
		next(vf, leaves);
}

/* --- Trying again ----------------------------------------------------------------------- */

void hvk_vf_retry_later(struct hvk_vf *vf, hvk_status status)
{
	if (status == HVK_ECANCELED)
		return;
	vf->last_failure = status;
	hvk_timer_start(vf->hvk, &vf->retry, vf->cpu, vf->retry_ms);
	if (vf->retry_ms < HVK_VF_RETRY_MAX_MS)
		vf->retry_ms *= 2;
}

void hvk_vf_retry_now(struct hvk_vf *vf)
{
	hvk_timer_stop(vf->hvk, &vf->retry);
	vf->retry_ms = HVK_VF_RETRY_MS;
}

static void grace_is_over(struct hvk_timer *timer, void *context)
{
	(void)timer;
	hvk_vf_attach_complete(context);
}

static void retry_is_due(struct hvk_timer *timer, void *context)
{
	(void)timer;
	hvk_vf_kick(context);
}

/* There is no event for a VF's last frame: a look each millisecond, of at most HVK_VF_DRAIN_MS. */
static void drain_look(struct hvk_timer *timer, void *context)
{
	static const struct hvk_answer over = {HVK_OK, NULL, 0};
	struct hvk_vf *vf = context;

	(void)timer;
	if (vf->steps.event != VF_WAITS_FOR_FRAMES)
		return;
	if (vf_is_here(vf) && hvk_vf_outstanding(vf) != 0)
		hvk_vf_drain_again(vf);
	else
		hvk_steps_answer(&vf->steps, VF_WAITS_FOR_FRAMES, &over);
}

void hvk_vf_drain_again(struct hvk_vf *vf)
{
	hvk_timer_start(vf->hvk, &vf->drain, vf->cpu, 1);
}

static void timer_init(struct hvk_vf *vf, struct hvk_timer *timer,
		       void (*fire)(struct hvk_timer *timer, void *context))
{
	*timer = (struct hvk_timer){.fire = fire, .context = vf, .deadline = HVK_NEVER, .cpu = vf->cpu};
}

void hvk_vf_life_init(struct hvk_vf *vf)
{
	vf->kick = (struct hvk_request){.done = turn, .context = vf};
	vf->retry_ms = HVK_VF_RETRY_MS;
	timer_init(vf, &vf->grace, grace_is_over);
	timer_init(vf, &vf->retry, retry_is_due);
	timer_init(vf, &vf->drain, drain_look);
	hvk_steps_init(&vf->steps, vf->hvk, vf->cpu, vf, &steps_owner);
}

void hvk_vf_attach_complete(struct hvk_vf *vf)
{
	hvk_lock(vf->hvk, &vf->lock);
	vf->grace_over = true;
	hvk_unlock(vf->hvk, &vf->lock);
	hvk_vf_kick(vf);
}
