/* SPDX-License-Identifier: MIT */
/* Separate mode: the VF as an interface of its own. Its frames to be sent never go by the card. */
#include "guest/vf/vf_internal.h"

static struct hvk_vf *of(struct hvk_netdev *netdev)
{
	return (struct hvk_vf *)(void *)((uint8_t *)netdev - offsetof(struct hvk_vf, separate));
}

static uint32_t transmit_many(struct hvk_netdev *netdev, struct hvk_tx_frame *const *frames, uint32_t count,
			      enum hvk_tx_result *result)
{
	struct hvk_vf *vf = of(netdev);
	uint32_t taken = 0;

	*result = HVK_TX_GONE;
	if (__atomic_load_n(&vf->path, __ATOMIC_ACQUIRE) == VF_PATH_VF) /* else it would cost a turn */
		(void)hvk_vf_hand_over(vf, frames, count, &taken, result);
	return taken;
}

static enum hvk_tx_result transmit(struct hvk_netdev *netdev, struct hvk_tx_frame *frame)
{
	enum hvk_tx_result result = HVK_TX_GONE;

	(void)transmit_many(netdev, &frame, 1, &result);
	return result;
}

static void flush(struct hvk_netdev *netdev)
{
	hvk_vf_flush(of(netdev));
}

static void get_counters(struct hvk_netdev *netdev, struct hvk_netdev_counters *out)
{
	struct hvk_vf *vf = of(netdev);

	*out = (struct hvk_netdev_counters){0};
	hvk_lock(vf->hvk, &vf->lock);
	if (vf->vf.netdev) {
		vf->vf.ops->get_counters(vf->vf.netdev, out);
		hvk_vf_subtract_unseen(&vf->unseen[1], out);
	}
	hvk_unlock(vf->hvk, &vf->lock);
}

static void get_rss(struct hvk_netdev *netdev, struct hvk_netdev_rss *out)
{
	struct hvk_vf *vf = of(netdev);

	*out = (struct hvk_netdev_rss){0};
	hvk_lock(vf->hvk, &vf->lock);
	if (vf->vf.netdev && vf->vf.ops->get_rss)
		vf->vf.ops->get_rss(vf->vf.netdev, out);
	hvk_unlock(vf->hvk, &vf->lock);
}

const struct hvk_netdev_ops hvk_vf_separate_face = {
	.transmit = transmit,
	.transmit_many = transmit_many,
	.flush = flush,
	.get_counters = get_counters,
	.get_rss = get_rss,
	.set_flags = hvk_vf_set_flags,
	.set_enabled = hvk_vf_set_enabled,
	.set_mtu = hvk_vf_set_mtu,
	.set_multicast = hvk_vf_set_multicast,
	.set_rss = hvk_vf_set_rss,
	.refuse = hvk_vf_refuse,
};

struct hvk_netdev *hvk_vf_separate_netdev(struct hvk_vf *vf)
{
	return !vf->config.transparent && vf->vf.netdev && vf->settled ? &vf->separate : NULL;
}
