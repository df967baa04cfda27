/* SPDX-License-Identifier: MIT */
/*
 * A device that is paired is operated by nobody but us: its operations are exchanged for ones that refuse.
 * Looking is allowed.
 */
#include "guest/vf/vf_internal.h"

static struct hvk_vf *owner(const struct hvk_netdev *netdev)
{
	return netdev->hooks.context;
}

static const struct vf_device *device_of(const struct hvk_netdev *netdev)
{
	const struct hvk_vf *vf = owner(netdev);

	return netdev == vf->card.netdev ? &vf->card : &vf->vf;
}

static void refuse(struct hvk_netdev *netdev, struct hvk_request *request)
{
	struct hvk_vf *vf = owner(netdev);

	hvk_request_begin(request);
	hvk_request_finish(vf->hvk, request, HVK_EPAIRED, vf->cpu);
}

static enum hvk_tx_result transmit(struct hvk_netdev *netdev, struct hvk_tx_frame *frame)
{
	(void)netdev;
	(void)frame;
	return HVK_TX_GONE;
}

static void refuse_value(struct hvk_netdev *netdev, uint32_t value, struct hvk_request *request)
{
	(void)value;
	refuse(netdev, request);
}

static void refuse_groups(struct hvk_netdev *netdev, const uint8_t (*groups)[6], uint32_t count,
			  struct hvk_request *request)
{
	(void)groups;
	(void)count;
	refuse(netdev, request);
}

static void refuse_rss(struct hvk_netdev *netdev, const struct hvk_netdev_rss *rss,
		       struct hvk_request *request)
{
	(void)rss;
	refuse(netdev, request);
}

static void get_rss(struct hvk_netdev *netdev, struct hvk_netdev_rss *out)
{
	const struct vf_device *device = device_of(netdev);

	*out = (struct hvk_netdev_rss){0};
	if (device->ops->get_rss)
		device->ops->get_rss(netdev, out);
}

static void get_counters(struct hvk_netdev *netdev, struct hvk_netdev_counters *out)
{
	device_of(netdev)->ops->get_counters(netdev, out);
}

static void get_queue_counters(struct hvk_netdev *netdev, uint32_t queue, struct hvk_netdev_counters *out)
{
	const struct vf_device *device = device_of(netdev);

	if (device->ops->get_queue_counters)
		device->ops->get_queue_counters(netdev, queue, out);
	else
		device->ops->get_counters(netdev, out);
}

static uint32_t outstanding(struct hvk_netdev *netdev)
{
	const struct vf_device *device = device_of(netdev);

	return device->ops->outstanding ? device->ops->outstanding(netdev) : 0;
}

static void release(struct hvk_netdev *netdev, void *frame_owner)
{
	device_of(netdev)->ops->release(netdev, frame_owner);
}

static const struct hvk_netdev_ops claimed_ops = {
	.transmit = transmit,
	.set_flags = refuse_value,
	.set_enabled = refuse_value,
	.set_mtu = refuse_value,
	.set_multicast = refuse_groups,
	.set_rss = refuse_rss,
	.get_rss = get_rss,
	.get_counters = get_counters,
	.get_queue_counters = get_queue_counters,
	.outstanding = outstanding,
	.release = release,
	.refuse = refuse,
};

void hvk_vf_claim(struct hvk_vf *vf, struct vf_device *device, struct hvk_netdev *netdev)
{
	device->netdev = netdev;
	device->ops = netdev->ops;
	device->hooks = netdev->hooks;
	hvk_vf_set_hooks(vf, device);
	netdev->ops = &claimed_ops;
}

void hvk_vf_unclaim_operations(struct vf_device *device)
{
	device->netdev->ops = device->ops;
}

void hvk_vf_unclaim_hooks(struct vf_device *device)
{
	device->netdev->hooks = device->hooks;
}
