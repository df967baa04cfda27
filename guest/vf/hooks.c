/* SPDX-License-Identifier: MIT */
/*
 * What comes up from the two devices. Frames of the VF are delivered as the card's own; those that the host
 * still sends by the synthetic path (broadcast, multicast, the first of a flow) as well.
 */
#include "guest/vf/vf_internal.h"

/* --- Frames ----------------------------------------------------------------------------- */

#define ETHERNET_GROUP 0x01u /* of an address' first byte */

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

/* The devices take in more than the stack asked for: the VF every group, the card in separate mode every
 * frame. face: 0 = the card's, 1 = the VF's. */
static bool is_wanted(struct hvk_vf *vf, uint32_t face, const uint8_t address[6])
{
	static const uint8_t broadcast[6] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
	const struct vf_groups *groups = &vf->groups[face];
	uint32_t wish = vf_wish(face == 0 ? &vf->card_wish : &vf->vf_wish);
	bool wanted = false;

	if (wish & HVK_NETDEV_PROMISCUOUS)
		return true;
	if (!(address[0] & ETHERNET_GROUP))
		return face == 0 || memcmp(address, vf->card.netdev->info.mac, sizeof(broadcast)) == 0;
	if ((wish & HVK_NETDEV_ALL_MULTICAST) || memcmp(address, broadcast, sizeof(broadcast)) == 0)
		return true;
	hvk_lock(vf->hvk, &vf->lock);
	for (uint32_t i = 0; i < groups->count && !wanted; i++)
		wanted = memcmp(groups->addresses[i], address, sizeof(groups->addresses[i])) == 0;
	hvk_unlock(vf->hvk, &vf->lock);
	return wanted;
}

static bool is_filtered(struct hvk_vf *vf, uint32_t face, const struct hvk_rx_frame *frame)
{
	uint8_t address[6];

	if (frame->length < sizeof(address))
		return false;
	memcpy(address, frame->data, sizeof(address));
	return !is_wanted(vf, face, address);
}

static uint32_t queue_of(const struct hvk_vf *vf, const struct hvk_netdev *to, uint32_t queue)
{
	uint32_t queues = __atomic_load_n(&vf->shown_queues[to == &vf->separate], __ATOMIC_RELAXED);

	return queues != 0 ? queue % queues : 0;
}

static void not_seen(struct vf_unseen *unseen, uint64_t *why, const struct hvk_rx_frame *frame)
{
	(void)__atomic_fetch_add(why, 1, __ATOMIC_RELAXED);
	(void)__atomic_fetch_add(&unseen->bytes, frame->length, __ATOMIC_RELAXED);
}

/* False: nobody takes it. */
static bool give(const struct hvk_vf *vf, struct hvk_netdev *to, const struct hvk_rx_frame *frame,
		 bool may_lend)
{
	struct hvk_rx_frame shown = *frame;

	if (!to || !to->hooks.input)
		return false;
	shown.flags = shown_flags(vf, frame);
	if (!may_lend)
		shown.owner = NULL;
	shown.queue = (uint16_t)queue_of(vf, to, frame->queue);
	to->hooks.input(to->hooks.context, to, &shown);
	return true;
}

/* NULL: to nobody; in separate mode the card may be up for the VF's sake alone. */
static struct hvk_netdev *card_goes_to(struct hvk_vf *vf)
{
	if (vf->config.transparent)
		return &vf->netdev;
	if (__atomic_load_n(&vf->state, __ATOMIC_RELAXED) == HVK_VF_ACTIVE)
		return &vf->separate;
	return vf_wish(&vf->card_wish) & HVK_NETDEV_UP ? &vf->netdev : NULL;
}

/* In separate mode lent frames of the card would have to be released at another interface: not lent. */
static void card_input(void *context, struct hvk_netdev *netdev, const struct hvk_rx_frame *frame)
{
	struct hvk_vf *vf = context;
	struct vf_unseen *unseen = &vf->unseen[0];
	struct hvk_netdev *to = card_goes_to(vf);
	bool lends = to == &vf->netdev, given = false;

	count(vf->card_rx, frame->queue);
	if (to && !lends && is_filtered(vf, 1, frame))
		not_seen(unseen, &unseen->other_group, frame);
	else if (!(given = give(vf, to, frame, lends)))
		not_seen(unseen, &unseen->not_up, frame);
	if (frame->owner && !(lends && given))
		vf->card.ops->release(netdev, frame->owner);
}

/* What a VF lends is given back at once: the stack could not tell whose it is. */
static void vf_input(void *context, struct hvk_netdev *netdev, const struct hvk_rx_frame *frame)
{
	struct hvk_vf *vf = context;
	struct vf_unseen *unseen = &vf->unseen[1];
	bool transparent = vf->config.transparent;

	count(vf->vf_rx, frame->queue);
	if (transparent && is_filtered(vf, 0, frame))
		not_seen(unseen, &unseen->other_group, frame);
	else if (!give(vf, transparent ? &vf->netdev : &vf->separate, frame, false))
		not_seen(unseen, &unseen->not_up, frame);
	if (frame->owner)
		vf->vf.ops->release(netdev, frame->owner);
}

static void burst_end(const struct hvk_vf *vf, struct hvk_netdev *to, uint32_t queue)
{
	if (to && to->hooks.burst_end)
		to->hooks.burst_end(to->hooks.context, to, queue_of(vf, to, queue));
}

static void card_burst_end(void *context, struct hvk_netdev *netdev, uint32_t queue)
{
	struct hvk_vf *vf = context;

	(void)netdev;
	burst_end(vf, card_goes_to(vf), queue);
}

static void vf_burst_end(void *context, struct hvk_netdev *netdev, uint32_t queue)
{
	struct hvk_vf *vf = context;

	(void)netdev;
	burst_end(vf, vf->config.transparent ? &vf->netdev : &vf->separate, queue);
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
	struct hvk_netdev_hooks hooks = device == &vf->card ? card_hooks : vf_hooks;

	hooks.context = vf;
	device->netdev->hooks = hooks;
}
