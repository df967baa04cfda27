/* SPDX-License-Identifier: MIT */
/*
 * What comes up from the two devices. Frames of the VF are delivered as the card's own; those that the host
 * still sends by the synthetic path (broadcast, multicast, the first of a flow) as well.
 */
#include "guest/vf/vf_internal.h"

/* --- Frames ----------------------------------------------------------------------------- */

/* A queue is of one CPU at a time. */
static void count(uint64_t counters[HVK_VF_QUEUES_COUNTED], uint32_t queue)
{
	uint64_t *counter = &counters[queue % HVK_VF_QUEUES_COUNTED];

	__atomic_store_n(counter, __atomic_load_n(counter, __ATOMIC_RELAXED) + 1, __ATOMIC_RELAXED);
}

/* A hash that the two paths would not agree on is not shown: it would split the flow. */
static uint32_t shown_flags(const struct hvk_vf *vf, const struct hvk_rx_frame *frame)
{
	if (!(frame->flags & HVK_RX_HASH))
		return frame->flags;
	if (__atomic_load_n(&vf->hash_hidden, __ATOMIC_RELAXED) ||
	    !(frame->hash_type & __atomic_load_n(&vf->agreed_types, __ATOMIC_RELAXED)))
		return frame->flags & ~HVK_RX_HASH;
	return frame->flags;
}

static void give(const struct hvk_vf *vf, struct hvk_netdev *to, const struct hvk_rx_frame *frame,
		 bool may_lend)
{
	struct hvk_rx_frame shown = *frame;

	if (!to->hooks.input)
		return;
	shown.flags = shown_flags(vf, frame);
	if (!may_lend)
		shown.owner = NULL;
	if (to->info.queues != 0 && shown.queue >= to->info.queues)
		shown.queue = (uint16_t)(shown.queue % to->info.queues);
	to->hooks.input(to->hooks.context, to, &shown);
}

static struct hvk_netdev *card_goes_to(struct hvk_vf *vf)
{
	if (!vf->config.transparent && __atomic_load_n(&vf->state, __ATOMIC_RELAXED) == HVK_VF_ACTIVE)
		return &vf->separate;
	return &vf->netdev;
}

/* In separate mode lent frames of the card would have to be released at another interface: not lent. */
static void card_input(void *context, struct hvk_netdev *netdev, const struct hvk_rx_frame *frame)
{
	struct hvk_vf *vf = context;
	struct hvk_netdev *to = card_goes_to(vf);
	bool lends = to == &vf->netdev;

	count(vf->card_rx, frame->queue);
	give(vf, to, frame, lends);
	if (frame->owner && (!lends || !to->hooks.input))
		vf->card.ops->release(netdev, frame->owner);
}

/* What a VF lends is given back at once: the stack could not tell whose it is. */
static void vf_input(void *context, struct hvk_netdev *netdev, const struct hvk_rx_frame *frame)
{
	struct hvk_vf *vf = context;

	count(vf->vf_rx, frame->queue);
	give(vf, vf->config.transparent ? &vf->netdev : &vf->separate, frame, false);
	if (frame->owner)
		vf->vf.ops->release(netdev, frame->owner);
}

static void burst_end(struct hvk_netdev *to, uint32_t queue)
{
	if (to->hooks.burst_end)
		to->hooks.burst_end(to->hooks.context, to, to->info.queues ? queue % to->info.queues : 0);
}

static void card_burst_end(void *context, struct hvk_netdev *netdev, uint32_t queue)
{
	(void)netdev;
	burst_end(card_goes_to(context), queue);
}

static void vf_burst_end(void *context, struct hvk_netdev *netdev, uint32_t queue)
{
	struct hvk_vf *vf = context;

	(void)netdev;
	burst_end(vf->config.transparent ? &vf->netdev : &vf->separate, queue);
}

/* --- Room ------------------------------------------------------------------------------- */

static void tell_room(struct hvk_netdev *to)
{
	if (to->hooks.tx_ready)
		to->hooks.tx_ready(to->hooks.context, to);
}

static void card_tx_ready(void *context, struct hvk_netdev *netdev)
{
	struct hvk_vf *vf = context;

	(void)netdev;
	tell_room(&vf->netdev);
}

static void vf_tx_ready(void *context, struct hvk_netdev *netdev)
{
	struct hvk_vf *vf = context;

	(void)netdev;
	tell_room(vf->config.transparent ? &vf->netdev : &vf->separate);
}

/* --- News ------------------------------------------------------------------------------- */

static void link_changed(void *context, struct hvk_netdev *netdev, bool up)
{
	(void)netdev;
	(void)up;
	hvk_vf_news(context);
}

static void info_changed(void *context, struct hvk_netdev *netdev)
{
	(void)netdev;
	hvk_vf_news(context);
}

static void vf_gone(void *context, struct hvk_netdev *netdev)
{
	struct hvk_vf *vf = context;

	(void)netdev;
	__atomic_store_n(&vf->vf_gone, true, __ATOMIC_SEQ_CST);
	hvk_vf_kick(vf);
}

/* The stack hears of it here: the card's own user is us. */
static void card_gone(void *context, struct hvk_netdev *netdev)
{
	struct hvk_vf *vf = context;

	(void)netdev;
	__atomic_store_n(&vf->card_gone, true, __ATOMIC_SEQ_CST);
	hvk_vf_kick(vf);
	if (vf->netdev.hooks.gone)
		vf->netdev.hooks.gone(vf->netdev.hooks.context, &vf->netdev);
}

static const struct hvk_netdev_hooks card_hooks = {
	.input = card_input,
	.burst_end = card_burst_end,
	.tx_ready = card_tx_ready,
	.link_changed = link_changed,
	.info_changed = info_changed,
	.gone = card_gone,
};

static const struct hvk_netdev_hooks vf_hooks = {
	.input = vf_input,
	.burst_end = vf_burst_end,
	.tx_ready = vf_tx_ready,
	.link_changed = link_changed,
	.info_changed = info_changed,
	.gone = vf_gone,
};

void hvk_vf_set_hooks(struct hvk_vf *vf, struct vf_device *device)
{
	device->netdev->hooks = device == &vf->card ? card_hooks : vf_hooks;
	device->netdev->hooks.context = vf;
}
