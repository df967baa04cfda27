/* SPDX-License-Identifier: MIT */
/* The card as the stack sees it: frames and counters. Control operations are in operations.c. */
#include "guest/vf/vf_internal.h"

/* --- Frames to the VF ------------------------------------------------------------------- */

static uint32_t by_the_vf(struct vf_device *device, struct hvk_tx_frame *const *frames, uint32_t count,
			  enum hvk_tx_result *result)
{
	uint32_t taken = 0;

	if (count == 1) {
		*result = device->ops->transmit(device->netdev, frames[0]);
		return *result == HVK_TX_TAKEN;
	}
	if (device->ops->transmit_many)
		return device->ops->transmit_many(device->netdev, frames, count, result);
	*result = HVK_TX_TAKEN;
	while (taken < count && *result == HVK_TX_TAKEN) {
		*result = device->ops->transmit(device->netdev, frames[taken]);
		taken += *result == HVK_TX_TAKEN;
	}
	if (device->ops->flush)
		device->ops->flush(device->netdev);
	return taken;
}

static void go_out(struct hvk_vf *vf)
{
	if (__atomic_sub_fetch(&vf->users, 1, __ATOMIC_SEQ_CST) == 0 &&
	    __atomic_load_n(&vf->path, __ATOMIC_SEQ_CST) != VF_PATH_VF)
		hvk_vf_kick(vf);
}

/* Whoever is inside is counted, and looks at the path again: a path that has left the VF is over when
 * nobody is. */
bool hvk_vf_hand_over(struct hvk_vf *vf, struct hvk_tx_frame *const *frames, uint32_t count, uint32_t *taken,
		      enum hvk_tx_result *result)
{
	bool handed = false;

	*taken = 0;
	*result = HVK_TX_GONE;
	(void)__atomic_fetch_add(&vf->users, 1, __ATOMIC_SEQ_CST);
	if (__atomic_load_n(&vf->path, __ATOMIC_SEQ_CST) == VF_PATH_VF) {
		*taken = by_the_vf(&vf->vf, frames, count, result);
		handed = true;
		if (*taken != count && *result == HVK_TX_BUSY) /* a VF that leaves will not call */
			__atomic_store_n(&vf->owed, true, __ATOMIC_SEQ_CST);
	}
	go_out(vf);
	(void)__atomic_fetch_add(&vf->vf_tx, *taken, __ATOMIC_RELAXED);
	return handed;
}

void hvk_vf_flush(struct hvk_vf *vf)
{
	if (__atomic_load_n(&vf->path, __ATOMIC_ACQUIRE) != VF_PATH_VF)
		return;
	(void)__atomic_fetch_add(&vf->users, 1, __ATOMIC_SEQ_CST);
	if (__atomic_load_n(&vf->path, __ATOMIC_SEQ_CST) == VF_PATH_VF && vf->vf.ops->flush)
		vf->vf.ops->flush(vf->vf.netdev);
	go_out(vf);
}

/* tx_ready is owed; if the path has just been opened, nobody else will think of it. */
static enum hvk_tx_result wait(struct hvk_vf *vf)
{
	__atomic_store_n(&vf->owed, true, __ATOMIC_SEQ_CST);
	if (__atomic_load_n(&vf->path, __ATOMIC_SEQ_CST) != VF_PATH_WAIT)
		hvk_vf_kick(vf);
	return HVK_TX_BUSY;
}

static uint32_t by_the_card(struct hvk_vf *vf, struct hvk_tx_frame *const *frames, uint32_t count,
			    enum hvk_tx_result *result)
{
	uint32_t taken;

	if (count == 1) {
		*result = vf->card.ops->transmit(vf->card.netdev, frames[0]);
		taken = *result == HVK_TX_TAKEN;
	} else {
		taken = vf->card.ops->transmit_many(vf->card.netdev, frames, count, result);
	}
	(void)__atomic_fetch_add(&vf->card_tx, taken, __ATOMIC_RELAXED);
	return taken;
}

/* A VF that takes no frames any more has vanished, and we have not heard of it yet: the card takes them. */
static uint32_t transmit_many(struct hvk_netdev *netdev, struct hvk_tx_frame *const *frames, uint32_t count,
			      enum hvk_tx_result *result)
{
	struct hvk_vf *vf = (struct hvk_vf *)(void *)netdev;
	uint32_t path = __atomic_load_n(&vf->path, __ATOMIC_ACQUIRE), taken = 0;

	if (!vf->config.transparent) {
		path = VF_PATH_CARD;
		*result = HVK_TX_GONE;
		if (!(vf_wish(&vf->card_wish) & HVK_NETDEV_UP)) /* it is up for the VF's sake */
			return 0;
	}
	if (path == VF_PATH_VF && hvk_vf_hand_over(vf, frames, count, &taken, result)) {
		if (taken == count || *result != HVK_TX_GONE)
			return taken;
		path = VF_PATH_CARD;
	} else if (path != VF_PATH_CARD) {
		*result = wait(vf);
		return 0;
	}
	return taken + by_the_card(vf, frames + taken, count - taken, result);
}

static enum hvk_tx_result transmit(struct hvk_netdev *netdev, struct hvk_tx_frame *frame)
{
	enum hvk_tx_result result = HVK_TX_GONE;

	(void)transmit_many(netdev, &frame, 1, &result);
	return result;
}

static void flush(struct hvk_netdev *netdev)
{
	struct hvk_vf *vf = (struct hvk_vf *)(void *)netdev;

	if (vf->config.transparent)
		hvk_vf_flush(vf);
	if (vf->card.ops->flush)
		vf->card.ops->flush(vf->card.netdev);
}

static void release(struct hvk_netdev *netdev, void *owner)
{
	struct hvk_vf *vf = (struct hvk_vf *)(void *)netdev;

	vf->card.ops->release(vf->card.netdev, owner);
}

/* --- Answered by the card --------------------------------------------------------------- */

static void add(struct hvk_netdev_counters *to, const struct hvk_netdev_counters *more,
		const struct hvk_netdev_counters *less)
{
	uint64_t *sum = (uint64_t *)to;

	for (size_t i = 0; i < sizeof(*to) / sizeof(*sum); i++)
		sum[i] += ((const uint64_t *)more)[i] - (less ? ((const uint64_t *)less)[i] : 0);
}

/* The device has counted them as received. */
void hvk_vf_subtract_unseen(const struct vf_unseen *unseen, struct hvk_netdev_counters *out)
{
	uint64_t other_group = __atomic_load_n(&unseen->other_group, __ATOMIC_RELAXED);
	uint64_t not_up = __atomic_load_n(&unseen->not_up, __ATOMIC_RELAXED);

	out->rx_frames -= other_group + not_up;
	out->rx_bytes -= __atomic_load_n(&unseen->bytes, __ATOMIC_RELAXED);
	out->rx_dropped += other_group + not_up;
	out->rx_other_group += other_group;
	out->rx_not_up += not_up;
}

void hvk_vf_get_counters(struct hvk_netdev *netdev, struct hvk_netdev_counters *out)
{
	struct hvk_vf *vf = (struct hvk_vf *)(void *)netdev;
	struct hvk_netdev_counters its;

	vf->card.ops->get_counters(vf->card.netdev, out);
	hvk_lock(vf->hvk, &vf->lock);
	add(out, &vf->past, NULL);
	if (vf->counts_vf) {
		vf->vf.ops->get_counters(vf->vf.netdev, &its);
		add(out, &its, &vf->base);
	}
	hvk_unlock(vf->hvk, &vf->lock);
	hvk_vf_subtract_unseen(&vf->unseen[0], out);
	if (vf->config.transparent)
		hvk_vf_subtract_unseen(&vf->unseen[1], out);
}

static void get_queue_counters(struct hvk_netdev *netdev, uint32_t queue, struct hvk_netdev_counters *out)
{
	struct hvk_vf *vf = (struct hvk_vf *)(void *)netdev;

	if (vf->card.ops->get_queue_counters)
		vf->card.ops->get_queue_counters(vf->card.netdev, queue, out);
	else
		vf->card.ops->get_counters(vf->card.netdev, out);
}

static void get_rss(struct hvk_netdev *netdev, struct hvk_netdev_rss *out)
{
	struct hvk_vf *vf = (struct hvk_vf *)(void *)netdev;

	if (vf->card.ops->get_rss)
		vf->card.ops->get_rss(vf->card.netdev, out);
	else
		*out = (struct hvk_netdev_rss){0};
}

const struct hvk_netdev_ops hvk_vf_card_face = {
	.transmit = transmit,
	.transmit_many = transmit_many,
	.flush = flush,
	.release = release,
	.get_counters = hvk_vf_get_counters,
	.get_queue_counters = get_queue_counters,
	.get_rss = get_rss,
	.set_flags = hvk_vf_set_flags,
	.set_enabled = hvk_vf_set_enabled,
	.set_mtu = hvk_vf_set_mtu,
	.set_multicast = hvk_vf_set_multicast,
	.set_rss = hvk_vf_set_rss,
	.refuse = hvk_vf_refuse,
};
