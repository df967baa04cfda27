/* SPDX-License-Identifier: MIT */
/*
 * From ready to active: the VF is brought up, and only then is the data path switched; frames to be sent
 * wait for the time of the switch. And back, whatever the reason: the frames go by the card before the VF is
 * taken down.
 */
#include "guest/vf/vf_internal.h"

uint32_t hvk_vf_flags(const struct hvk_vf *vf)
{
	uint32_t flags = vf->config.transparent ? vf->card_wish : vf->vf_wish;

	if (vf->config.transparent && vf->groups[0].count != 0)
		flags |= HVK_NETDEV_ALL_MULTICAST;
	return flags | HVK_NETDEV_UP;
}

/* In separate mode the card takes in all that is the VF's. */
uint32_t hvk_vf_card_flags(const struct hvk_vf *vf)
{
	if (!vf->config.transparent && (vf->state == HVK_VF_SWITCHING || vf_is_active(vf)))
		return vf->card_wish | HVK_NETDEV_UP | HVK_NETDEV_PROMISCUOUS;
	return vf->card_wish;
}

bool hvk_vf_may_be_active(const struct hvk_vf *vf)
{
	struct hvk_netvsc_association association;
	uint32_t wish = vf->config.transparent ? vf->card_wish & vf->card.netdev->info.flags : vf->vf_wish;

	hvk_netvsc_get_association(vf->nic, &association);
	return association.allocated && vf_is_here(vf) && !vf->card_gone && (wish & HVK_NETDEV_UP) &&
	       (vf->serial == 0 || association.serial == 0 || association.serial == vf->serial) &&
	       (!vf_is_active(vf) || association.generation == vf->generation);
}

/* --- Where frames go -------------------------------------------------------------------- */

static void set_path(struct hvk_vf *vf, enum vf_path path)
{
	__atomic_store_n(&vf->path, path, __ATOMIC_SEQ_CST);
	if (path == VF_PATH_WAIT) {
		vf->wait_since = hvk_time(vf->hvk);
	} else if (vf->wait_since != 0) {
		vf->switch_time = hvk_time(vf->hvk) - vf->wait_since;
		vf->wait_since = 0;
	}
}

void hvk_vf_tell_ready(struct hvk_vf *vf)
{
	struct hvk_netdev *netdev = vf->config.transparent ? &vf->netdev : &vf->separate;

	if (__atomic_exchange_n(&vf->owed, false, __ATOMIC_SEQ_CST) && netdev->hooks.tx_ready)
		netdev->hooks.tx_ready(netdev->hooks.context, netdev);
}

/* --- Activating ------------------------------------------------------------------------- */

static hvk_status begin_up(void *device)
{
	struct hvk_vf *vf = device;

	vf_device_set_flags(&vf->vf, hvk_vf_flags(vf), hvk_steps_request(&vf->steps));
	return HVK_EINPROGRESS;
}

static hvk_status begin_wait(void *device)
{
	struct hvk_vf *vf = device;
	struct hvk_netvsc_association association;

	if (!hvk_vf_may_be_active(vf)) /* any more */
		return HVK_ECANCELED;
	hvk_netvsc_get_association(vf->nic, &association);
	vf->generation = association.generation;
	hvk_vf_event(vf, VF_EVENT_SWITCH);
	set_path(vf, VF_PATH_WAIT);
	return HVK_OK;
}

static hvk_status begin_data_path(void *device)
{
	struct hvk_vf *vf = device;

	hvk_netvsc_switch_data_path(vf->nic, true, hvk_steps_request(&vf->steps));
	return HVK_EINPROGRESS;
}

/* The hash is not shown until both devices are known to agree on it. */
static hvk_status begin_frames(void *device)
{
	struct hvk_vf *vf = device;

	__atomic_store_n(&vf->hash_hidden, vf->config.transparent, __ATOMIC_RELAXED);
	set_path(vf, VF_PATH_VF);
	vf->switches++;
	vf->last_failure = HVK_OK;
	vf->undo_status = HVK_OK;
	vf->retry_ms = HVK_VF_RETRY_MS;
	hvk_vf_event(vf, VF_EVENT_TO_VF);
	hvk_vf_publish(vf);
	hvk_vf_tell_ready(vf);
	return HVK_OK;
}

static bool is_separate(const void *device)
{
	return !((const struct hvk_vf *)device)->config.transparent;
}

static hvk_status begin_card_flags(void *device)
{
	struct hvk_vf *vf = device;

	if (vf->card.netdev->info.flags == hvk_vf_card_flags(vf))
		return HVK_OK;
	vf_device_set_flags(&vf->card, hvk_vf_card_flags(vf), hvk_steps_request(&vf->steps));
	return HVK_EINPROGRESS;
}

static bool spreads(const void *device)
{
	const struct hvk_vf *vf = device;

	return vf->config.transparent && (vf->card.netdev->info.enabled & HVK_NETDEV_RSS) &&
	       vf->vf.ops->get_rss != NULL && vf->card.ops->get_rss != NULL;
}

/* After "up", because drivers make their key then. The card's table stays: it is about the card's queues. */
static hvk_status begin_rss(void *device)
{
	struct hvk_vf *vf = device;
	struct hvk_netdev_rss its, own;

	if (!vf_device_get_rss(&vf->vf, &its) || !vf_device_get_rss(&vf->card, &own))
		return HVK_ENOTSUP;
	if ((its.types & own.types) == 0) {
		hvk_log(vf->hvk, HVK_LOG_INFO, "vf: no hash in common with the card: none is shown");
		return HVK_ENOTSUP;
	}
	vf->saved.card_rss = own;
	vf->saved.rss = true;
	own.types &= its.types;
	memcpy(own.key, its.key, sizeof(own.key));
	vf_device_set_rss(&vf->card, &own, hvk_steps_request(&vf->steps));
	return HVK_EINPROGRESS;
}

/* Types that the VF has beyond are told from the card's by their hash_type: a frame without an agreed one
 * is shown without its hash (hooks.c). */
static hvk_status take_rss(void *device, const struct hvk_answer *answer)
{
	struct hvk_vf *vf = device;

	if (answer->status == HVK_OK) {
		struct hvk_netdev_rss agreed;

		(void)vf_device_get_rss(&vf->card, &agreed);
		__atomic_store_n(&vf->agreed_types, agreed.types, __ATOMIC_RELAXED);
		__atomic_store_n(&vf->hash_hidden, false, __ATOMIC_RELAXED);
	}
	return answer->status;
}

/* clang-format off */
static const struct hvk_step up_steps[] = {
	{"VF up", NULL, begin_up, NULL, HVK_STEPS_ELSEWHERE, HVK_ETIMEDOUT, false},
	{"frames wait", NULL, begin_wait, NULL, HVK_STEPS_ELSEWHERE, HVK_ETIMEDOUT, false},
	{"data path to the VF", NULL, begin_data_path, NULL,
	 HVK_STEPS_ELSEWHERE, HVK_ETIMEDOUT_DATA_PATH, false},
	{"filter widened", is_separate, begin_card_flags, NULL, HVK_STEPS_ELSEWHERE, HVK_ETIMEDOUT, false},
	{"frames by the VF", NULL, begin_frames, NULL, HVK_STEPS_ELSEWHERE, HVK_ETIMEDOUT, false},
	{"RSS as the VF's", spreads, begin_rss, take_rss, HVK_STEPS_ELSEWHERE, HVK_ETIMEDOUT, true},
};
/* clang-format on */

/* Frames do not wait for what a host that has just failed says next: the card may send at any time. In
 * separate mode whoever brought the VF up hears that it is not. */
static const struct hvk_sequence *up_failed(void *device, hvk_status status)
{
	struct hvk_vf *vf = device;

	if (status != HVK_ECANCELED)
		hvk_log(vf->hvk, HVK_LOG_WARN, "vf: %s failed: %s; the card carries the frames",
			hvk_steps_name(&vf->steps), hvk_status_text(status));
	vf->switch_failures += vf->state == HVK_VF_SWITCHING;
	if (vf->phase == VF_PHASE_DONE && vf->operation.separate) {
		vf->operation_status = status;
		vf_set_wish(&vf->vf_wish, vf->vf_wish & ~HVK_NETDEV_UP);
	}
	if (vf->state == HVK_VF_SWITCHING) {
		set_path(vf, VF_PATH_CARD);
		hvk_vf_tell_ready(vf);
	}
	hvk_vf_retry_later(vf, status);
	return &hvk_vf_deactivate_sequence;
}

const struct hvk_sequence hvk_vf_activate_sequence = {up_steps, sizeof(up_steps) / sizeof(up_steps[0]),
						      up_failed, hvk_vf_sequence_over};

/* --- And back --------------------------------------------------------------------------- */

static bool is_active(const void *device)
{
	return vf_is_active(device);
}

static bool is_switching(const void *device)
{
	return ((const struct hvk_vf *)device)->state == HVK_VF_SWITCHING;
}

static bool is_here(const void *device)
{
	return vf_is_here(device);
}

/* A VF that has vanished takes no frames: they go by the card at once, whatever the host has heard. */
static hvk_status begin_stop(void *device)
{
	struct hvk_vf *vf = device;

	hvk_vf_event(vf, VF_EVENT_SWITCH);
	set_path(vf, vf_is_here(vf) ? VF_PATH_WAIT : VF_PATH_CARD);
	return HVK_OK;
}

static hvk_status begin_out(void *device)
{
	struct hvk_vf *vf = device;

	vf->steps.event = VF_WAITS_FOR_USERS;
	if (__atomic_load_n(&vf->users, __ATOMIC_SEQ_CST) != 0)
		return HVK_EINPROGRESS;
	vf->steps.event = HVK_STEPS_NOTHING;
	return HVK_OK;
}

static hvk_status begin_data_path_back(void *device)
{
	struct hvk_vf *vf = device;

	if (vf->card_gone)
		return HVK_OK;
	hvk_netvsc_switch_data_path(vf->nic, false, hvk_steps_request(&vf->steps));
	return HVK_EINPROGRESS;
}

static hvk_status begin_frames_back(void *device)
{
	struct hvk_vf *vf = device;

	set_path(vf, VF_PATH_CARD);
	__atomic_store_n(&vf->hash_hidden, false, __ATOMIC_RELAXED);
	__atomic_store_n(&vf->agreed_types, UINT32_MAX, __ATOMIC_RELAXED);
	hvk_vf_event(vf, VF_EVENT_TO_CARD);
	hvk_vf_publish(vf);
	hvk_vf_tell_ready(vf);
	return HVK_OK;
}

static bool changed_rss(const void *device)
{
	const struct hvk_vf *vf = device;

	return vf->saved.rss && !vf->card_gone;
}

static hvk_status begin_card_flags_back(void *device)
{
	return ((struct hvk_vf *)device)->card_gone ? HVK_OK : begin_card_flags(device);
}

static hvk_status begin_rss_back(void *device)
{
	struct hvk_vf *vf = device;

	vf->saved.rss = false;
	vf_device_set_rss(&vf->card, &vf->saved.card_rss, hvk_steps_request(&vf->steps));
	return HVK_EINPROGRESS;
}

/* One that goes in peace sends what it has; what is left then is lost, to be sent again by whoever wants
 * it to arrive. New frames go by the card meanwhile. */
static hvk_status begin_drain(void *device)
{
	struct hvk_vf *vf = device;

	if (!vf_is_here(vf) || hvk_vf_outstanding(vf) == 0)
		return HVK_OK;
	hvk_vf_drain_again(vf);
	vf->steps.event = VF_WAITS_FOR_FRAMES;
	return HVK_EINPROGRESS;
}

static hvk_status begin_count(void *device)
{
	struct hvk_vf *vf = device;
	const struct hvk_answer late = {HVK_ETIMEDOUT_SEND, NULL, 0};
	uint32_t lost = hvk_vf_outstanding(vf);

	vf->lost += lost;
	if (lost != 0)
		(void)hvk_vf_undone(vf, &late);
	return HVK_OK;
}

/* As it came. */
static hvk_status begin_down(void *device)
{
	struct hvk_vf *vf = device;
	uint32_t flags = vf->saved.vf_flags & ~HVK_NETDEV_UP;

	if (vf->vf.netdev->info.flags == flags)
		return HVK_OK;
	vf_device_set_flags(&vf->vf, flags, hvk_steps_request(&vf->steps));
	return HVK_EINPROGRESS;
}

/* clang-format off */
static const struct hvk_step down_steps[] = {
	{"frames wait", is_active, begin_stop, NULL, HVK_STEPS_ELSEWHERE, HVK_ETIMEDOUT, true},
	{"no CPU inside the VF", NULL, begin_out, NULL, HVK_STEPS_ELSEWHERE, HVK_ETIMEDOUT, true},
	{"data path to the card", is_switching, begin_data_path_back, hvk_vf_undone,
	 HVK_STEPS_ELSEWHERE, HVK_ETIMEDOUT_DATA_PATH, true},
	{"frames by the card", is_switching, begin_frames_back, NULL,
	 HVK_STEPS_ELSEWHERE, HVK_ETIMEDOUT, true},
	{"RSS as it was", changed_rss, begin_rss_back, hvk_vf_undone,
	 HVK_STEPS_ELSEWHERE, HVK_ETIMEDOUT, true},
	{"filter as it was", is_separate, begin_card_flags_back, hvk_vf_undone,
	 HVK_STEPS_ELSEWHERE, HVK_ETIMEDOUT, true},
	{"VF's frames sent", NULL, begin_drain, NULL, VF_WAIT_DRAIN, HVK_ETIMEDOUT_SEND, true},
	{"VF's frames lost", NULL, begin_count, NULL, HVK_STEPS_ELSEWHERE, HVK_ETIMEDOUT, true},
	{"VF down", is_here, begin_down, hvk_vf_undone, HVK_STEPS_ELSEWHERE, HVK_ETIMEDOUT, true},
};
/* clang-format on */

const struct hvk_sequence hvk_vf_deactivate_sequence = {
	down_steps, sizeof(down_steps) / sizeof(down_steps[0]), NULL, hvk_vf_sequence_over};
