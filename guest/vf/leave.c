/* SPDX-License-Identifier: MIT */
/*
 * The VF leaves. It carries no frames any more; what pairing changed is undone. Its hooks are its driver's
 * again when every CPU has passed a poll: none is inside one of ours then, or inside an operation that
 * refuses. Both find us by the hooks.
 */
#include "guest/vf/vf_internal.h"

/* --- The end ---------------------------------------------------------------------------- */

static void add_counters(struct hvk_vf *vf)
{
	struct hvk_netdev_counters now;
	const uint64_t *at = (const uint64_t *)&now, *base = (const uint64_t *)&vf->base;
	uint64_t *past = (uint64_t *)&vf->past;

	vf->vf.ops->get_counters(vf->vf.netdev, &now);
	for (size_t i = 0; i < sizeof(now) / sizeof(*at); i++)
		past[i] += at[i] - base[i];
}

static hvk_status begin_operations_back(void *device)
{
	struct hvk_vf *vf = device;

	hvk_vf_operations_cancel(vf, true, HVK_EGONE);
	hvk_vf_unclaim_operations(&vf->vf);
	return HVK_OK;
}

static hvk_status begin_pass(void *device)
{
	struct hvk_vf *vf = device;

	hvk_pass_begin(&vf->pass, vf->hvk, hvk_steps_request(&vf->steps), vf->cpu);
	return HVK_EINPROGRESS;
}

static hvk_status begin_hooks_back(void *device)
{
	struct hvk_vf *vf = device;

	hvk_lock(vf->hvk, &vf->lock);
	if (vf->config.transparent)
		add_counters(vf);
	vf->counts_vf = false;
	hvk_vf_unclaim_hooks(&vf->vf);
	hvk_unlock(vf->hvk, &vf->lock);
	return HVK_OK;
}

/* clang-format off */
static const struct hvk_step steps[] = {
	{"card offloads back", hvk_vf_has_changed, hvk_vf_begin_card_enabled_back, hvk_vf_undone,
	 HVK_STEPS_ELSEWHERE, HVK_ETIMEDOUT, true},
	{"VF offloads back", hvk_vf_has_changed_and_is_here, hvk_vf_begin_vf_enabled_back, hvk_vf_undone,
	 HVK_STEPS_ELSEWHERE, HVK_ETIMEDOUT, true},
	{"VF MTU back", hvk_vf_has_changed_and_is_here, hvk_vf_begin_vf_mtu_back, hvk_vf_undone,
	 HVK_STEPS_ELSEWHERE, HVK_ETIMEDOUT, true},
	{"VF RSS back", hvk_vf_has_changed_and_is_here, hvk_vf_begin_vf_rss_back, hvk_vf_undone,
	 HVK_STEPS_ELSEWHERE, HVK_ETIMEDOUT, true},
	{"operations back", NULL, begin_operations_back, NULL, HVK_STEPS_ELSEWHERE, HVK_ETIMEDOUT, true},
	{"every CPU has polled", NULL, begin_pass, NULL, HVK_STEPS_ELSEWHERE, HVK_ETIMEDOUT, true},
	{"hooks back", NULL, begin_hooks_back, NULL, HVK_STEPS_ELSEWHERE, HVK_ETIMEDOUT, true},
};
/* clang-format on */

/* Whoever has the VF as an interface of its own loses it here. */
static void close_separate(struct hvk_vf *vf)
{
	const struct hvk_netdev_hooks hooks = vf->separate.hooks;

	vf->separate.hooks = (struct hvk_netdev_hooks){0};
	vf->separate.info = (struct hvk_netdev_info){0};
	vf_set_wish(&vf->vf_wish, 0);
	if (hooks.gone)
		hooks.gone(hooks.context, &vf->separate);
}

/* The turn is queued before anybody hears of the end, so that it is over when he destroys the object. */
static void left(void *device)
{
	struct hvk_vf *vf = device;
	const struct vf_device was = vf->vf;
	bool gone = !vf_is_here(vf), separate = vf->settled && !vf->config.transparent;
	struct hvk_request *request;
	hvk_status status = vf->undo_status;

	vf->departures++;
	hvk_timer_stop(vf->hvk, &vf->grace);
	hvk_timer_stop(vf->hvk, &vf->drain);
	hvk_vf_retry_now(vf);
	hvk_lock(vf->hvk, &vf->lock);
	vf->settled = vf->card_anew = false;
	vf->serial = 0;
	vf->vf = (struct vf_device){0};
	vf->groups[1].count = 0;
	__atomic_store_n(&vf->vf_gone, false, __ATOMIC_SEQ_CST);
	vf->unpair_wanted = false;
	request = vf->unpair_request;
	vf->unpair_request = NULL;
	hvk_unlock(vf->hvk, &vf->lock);
	hvk_log(vf->hvk, HVK_LOG_INFO, "vf: %s", gone ? "vanished" : "left");
	hvk_vf_kick(vf);
	if (separate)
		close_separate(vf);
	hvk_vf_event(vf, VF_EVENT_LEFT);
	hvk_vf_publish(vf);
	if (gone && was.hooks.gone) /* it was told to us in place of its user */
		was.hooks.gone(was.hooks.context, was.netdev);
	hvk_request_finish(vf->hvk, request, status, vf->cpu);
}

const struct hvk_sequence hvk_vf_leave_sequence = {steps, sizeof(steps) / sizeof(steps[0]), NULL, left};
