/* SPDX-License-Identifier: MIT */
/*
 * Settings that agree: the stack is shown what both devices can do, and both do the same. All of it is put
 * back when the VF leaves.
 */
#include "guest/vf/vf_internal.h"

/* Spreading the card's own frames is nothing that the stack sees. */
#define CARD_KEEPS HVK_NETDEV_RSS

static uint32_t least(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

/* --- What the stack is shown ------------------------------------------------------------ */

static void meet(struct hvk_netdev_info *info, const struct hvk_netdev_info *other)
{
	info->capabilities &= other->capabilities;
	info->enabled = other->enabled & info->capabilities;
	info->tso_bytes_max = least(info->tso_bytes_max, other->tso_bytes_max);
	info->tso_pieces_max = least(info->tso_pieces_max, other->tso_pieces_max);
	info->tso_segments_min = hvk_max32(info->tso_segments_min, other->tso_segments_min);
	info->mtu_max = least(info->mtu_max, other->mtu_max);
	info->frame_max = least(info->frame_max, other->frame_max);
	if (other->rss_types != 0)
		info->rss_types &= other->rss_types;
}

static void as_the_stack_sees_it(const struct hvk_vf *vf, struct hvk_netdev_info *info)
{
	const struct hvk_netdev_info *other = vf->vf.netdev ? &vf->vf.netdev->info : NULL;

	*info = vf->card.netdev->info;
	if (!vf->config.transparent) {
		if (vf_is_active(vf))
			info->link_up = false; /* the VF is the interface to use */
		info->flags = (info->flags & ~(HVK_NETDEV_UP | HVK_NETDEV_PROMISCUOUS)) |
			      (vf->card_wish & (HVK_NETDEV_UP | HVK_NETDEV_PROMISCUOUS));
		return;
	}
	if (!other)
		return;
	if (vf->settled)
		meet(info, other);
	if (vf_is_active(vf)) {
		info->link_up = other->link_up;
		info->link_speed = other->link_speed;
	}
}

static bool differs(const struct hvk_netdev_info *a, const struct hvk_netdev_info *b)
{
	return a->capabilities != b->capabilities || a->enabled != b->enabled || a->queues != b->queues ||
	       a->link_speed != b->link_speed || a->tso_bytes_max != b->tso_bytes_max ||
	       a->tso_pieces_max != b->tso_pieces_max || a->tso_segments_min != b->tso_segments_min ||
	       a->mtu != b->mtu || a->mtu_max != b->mtu_max || a->rss_types != b->rss_types;
}

static void show(struct hvk_netdev *netdev, const struct hvk_netdev_info *info)
{
	const struct hvk_netdev_hooks *hooks = &netdev->hooks;
	const struct hvk_netdev_info was = netdev->info;

	if (memcmp(&was, info, sizeof(was)) != 0)
		netdev->info = *info;
	if (was.link_up != info->link_up && hooks->link_changed)
		hooks->link_changed(hooks->context, netdev, info->link_up);
	if (differs(&was, info) && hooks->info_changed)
		hooks->info_changed(hooks->context, netdev);
}

void hvk_vf_publish(struct hvk_vf *vf)
{
	struct hvk_netdev_info info;

	as_the_stack_sees_it(vf, &info);
	__atomic_store_n(&vf->shown_queues[0], info.queues, __ATOMIC_RELAXED);
	show(&vf->netdev, &info);
	if (!vf->config.transparent && vf->vf.netdev && vf->settled) {
		info = vf->vf.netdev->info;
		info.flags = vf->vf_wish;
		info.link_up = info.link_up && vf_is_active(vf);
		__atomic_store_n(&vf->shown_queues[1], info.queues, __ATOMIC_RELAXED);
		show(&vf->separate, &info);
	}
}

/* What is the VF's to have back stays known. */
void hvk_vf_unsettle(struct hvk_vf *vf)
{
	vf->card_anew = vf->settled = false;
	vf->saved.card_enabled = vf->card.netdev->info.enabled;
	hvk_vf_event(vf, VF_EVENT_CARD_ANEW);
	hvk_vf_publish(vf);
}

/* --- Putting back ----------------------------------------------------------------------- */

bool hvk_vf_has_changed(const void *device)
{
	const struct hvk_vf *vf = device;

	return vf->saved.vf && vf->config.transparent;
}

bool hvk_vf_has_changed_and_is_here(const void *device)
{
	return hvk_vf_has_changed(device) && vf_is_here(device);
}

hvk_status hvk_vf_begin_card_enabled_back(void *device)
{
	struct hvk_vf *vf = device;
	uint32_t enabled = vf->saved.card_enabled & vf->card.netdev->info.capabilities;

	if (enabled == vf->card.netdev->info.enabled || vf->card_gone)
		return HVK_OK;
	vf_device_set_enabled(&vf->card, enabled, hvk_steps_request(&vf->steps));
	return HVK_EINPROGRESS;
}

hvk_status hvk_vf_begin_vf_enabled_back(void *device)
{
	struct hvk_vf *vf = device;
	uint32_t enabled = vf->saved.vf_enabled & vf->vf.netdev->info.capabilities;

	if (enabled == vf->vf.netdev->info.enabled)
		return HVK_OK;
	vf_device_set_enabled(&vf->vf, enabled, hvk_steps_request(&vf->steps));
	return HVK_EINPROGRESS;
}

hvk_status hvk_vf_begin_vf_mtu_back(void *device)
{
	struct hvk_vf *vf = device;

	if (vf->vf.netdev->info.mtu == vf->saved.vf_mtu)
		return HVK_OK;
	vf_device_set_mtu(&vf->vf, vf->saved.vf_mtu, hvk_steps_request(&vf->steps));
	return HVK_EINPROGRESS;
}

hvk_status hvk_vf_begin_vf_rss_back(void *device)
{
	struct hvk_vf *vf = device;

	if (!vf->saved.vf_rss_changed)
		return HVK_OK;
	vf_device_set_rss(&vf->vf, &vf->saved.vf_rss, hvk_steps_request(&vf->steps));
	return HVK_EINPROGRESS;
}

/* What a VF that vanishes meanwhile does not do any more is not missed. */
hvk_status hvk_vf_undone(void *device, const struct hvk_answer *answer)
{
	struct hvk_vf *vf = device;

	if (answer->status != HVK_OK && vf->undo_status == HVK_OK && vf_is_here(vf) && !vf->card_gone)
		vf->undo_status = answer->status;
	return answer->status;
}

/* --- Settling --------------------------------------------------------------------------- */

static bool is_transparent(const void *device)
{
	return ((const struct hvk_vf *)device)->config.transparent;
}

static bool is_transparent_and_here(const void *device)
{
	return is_transparent(device) && vf_is_here(device);
}

static hvk_status begin_save(void *device)
{
	struct hvk_vf *vf = device;
	const struct hvk_netdev_info *info = &vf->vf.netdev->info;

	vf->card_anew = false;
	vf->saved.card_enabled = vf->card.netdev->info.enabled;
	if (vf->saved.vf) /* settling was tried before, and may have left something */
		return HVK_OK;
	vf->saved.vf = true;
	vf->saved.vf_enabled = info->enabled;
	vf->saved.vf_mtu = info->mtu;
	vf->saved.vf_flags = info->flags;
	return HVK_OK;
}

/* An MTU that the VF cannot have leaves the frames with the card: the stack's is not made smaller behind
 * its back. */
static hvk_status begin_vf_mtu(void *device)
{
	struct hvk_vf *vf = device;
	uint32_t mtu = vf->card.netdev->info.mtu;

	if (vf->vf.netdev->info.mtu == mtu)
		return HVK_OK;
	vf_device_set_mtu(&vf->vf, mtu, hvk_steps_request(&vf->steps));
	return HVK_EINPROGRESS;
}

static hvk_status begin_vf_enabled(void *device)
{
	struct hvk_vf *vf = device;
	const struct hvk_netdev_info *info = &vf->vf.netdev->info;
	uint32_t enabled = vf->saved.card_enabled & info->capabilities;

	if (info->enabled == enabled)
		return HVK_OK;
	vf_device_set_enabled(&vf->vf, enabled, hvk_steps_request(&vf->steps));
	return HVK_EINPROGRESS;
}

/* The VF's word counts; but a tag beside the frame, or joined frames, are not for a stack that has not
 * asked for them. */
static hvk_status take_vf_enabled(void *device, const struct hvk_answer *answer)
{
	const struct hvk_vf *vf = device;
	uint32_t more = vf->vf.netdev->info.enabled & ~vf->saved.card_enabled;

	return more & (HVK_NETDEV_RX_VLAN | HVK_NETDEV_LRO) ? answer->status : HVK_OK;
}

static hvk_status begin_card_enabled(void *device)
{
	struct hvk_vf *vf = device;
	const struct hvk_netdev_info *info = &vf->card.netdev->info;
	uint32_t enabled = info->enabled & (vf->vf.netdev->info.enabled | CARD_KEEPS);

	if (info->enabled == enabled)
		return HVK_OK;
	vf_device_set_enabled(&vf->card, enabled, hvk_steps_request(&vf->steps));
	return HVK_EINPROGRESS;
}

static hvk_status begin_agreed(void *device)
{
	struct hvk_vf *vf = device;

	vf->settled = true;
	hvk_vf_event(vf, VF_EVENT_SETTLED);
	hvk_vf_publish(vf);
	return HVK_OK;
}

/* clang-format off */
static const struct hvk_step steps[] = {
	{"settings saved", NULL, begin_save, NULL, HVK_STEPS_ELSEWHERE, HVK_ETIMEDOUT, false},
	{"VF MTU", is_transparent, begin_vf_mtu, NULL, HVK_STEPS_ELSEWHERE, HVK_ETIMEDOUT, false},
	{"VF offloads", is_transparent, begin_vf_enabled, take_vf_enabled,
	 HVK_STEPS_ELSEWHERE, HVK_ETIMEDOUT, false},
	{"card offloads", is_transparent, begin_card_enabled, NULL,
	 HVK_STEPS_ELSEWHERE, HVK_ETIMEDOUT, false},
	{"agreed", NULL, begin_agreed, NULL, HVK_STEPS_ELSEWHERE, HVK_ETIMEDOUT, false},
};
static const struct hvk_step back_steps[] = {
	{"card offloads back", is_transparent, hvk_vf_begin_card_enabled_back, NULL,
	 HVK_STEPS_ELSEWHERE, HVK_ETIMEDOUT, true},
	{"VF offloads back", is_transparent_and_here, hvk_vf_begin_vf_enabled_back, NULL,
	 HVK_STEPS_ELSEWHERE, HVK_ETIMEDOUT, true},
	{"VF MTU back", is_transparent_and_here, hvk_vf_begin_vf_mtu_back, NULL,
	 HVK_STEPS_ELSEWHERE, HVK_ETIMEDOUT, true},
};
/* clang-format on */

static const struct hvk_sequence back_sequence = {back_steps, sizeof(back_steps) / sizeof(back_steps[0]),
						  NULL, hvk_vf_sequence_over};

static const struct hvk_sequence *failed(void *device, hvk_status status)
{
	struct hvk_vf *vf = device;

	if (status != HVK_ECANCELED)
		hvk_log(vf->hvk, HVK_LOG_WARN, "vf: %s failed: %s; the card carries the frames",
			hvk_steps_name(&vf->steps), hvk_status_text(status));
	hvk_vf_retry_later(vf, status);
	return &back_sequence;
}

const struct hvk_sequence hvk_vf_settle_sequence = {steps, sizeof(steps) / sizeof(steps[0]), failed,
						    hvk_vf_sequence_over};
