/* SPDX-License-Identifier: MIT */
/* The card and the VF of the bench: what they do when asked. Included by guest_vf_fake.h. */
#ifndef GUEST_VF_DEVICES_H
#define GUEST_VF_DEVICES_H

/* --- A device ------------------------------------------------------------------------------ */

static struct fake_device *fake_of(struct hvk_netdev *netdev)
{
	return (struct fake_device *)(void *)netdev;
}

static bool fake_is_vf(const struct fake_device *device)
{
	return device == &bench.vf;
}

static bool fake_path_is_vf(void)
{
	return __atomic_load_n(&bench.nic.to_vf, __ATOMIC_SEQ_CST);
}

static void fake_apply(struct fake_device *device, enum fake_operation operation, uint32_t value)
{
	switch (operation) {
	case FAKE_FLAGS:
		__atomic_store_n(&device->netdev.info.flags, value, __ATOMIC_SEQ_CST);
		break;
	case FAKE_ENABLED:
		device->netdev.info.enabled = value | device->fixed;
		break;
	case FAKE_MTU:
		device->netdev.info.mtu = value;
		device->netdev.info.frame_max = value + 14;
		break;
	case FAKE_GROUPS:
		device->group_count = value;
		break;
	case FAKE_DATA_PATH:
		__atomic_store_n(&bench.nic.to_vf, value != 0, __ATOMIC_SEQ_CST);
		break;
	default:
		break;
	}
}

static void fake_answer(struct fake_device *device, enum fake_operation operation, uint32_t value,
			struct hvk_request *request)
{
	hvk_status status = device->gone ? HVK_EGONE : device->answers[operation];

	assert_null(device->held);
	hvk_request_begin(request);
	if (status == HVK_EINPROGRESS) {
		device->held = request;
		device->held_operation = operation;
		device->held_value = value;
		return;
	}
	if (status == HVK_OK)
		fake_apply(device, operation, value);
	hvk_request_finish(&bench.hvk, request, status, device->cpu);
}

static void fake_let_go(struct fake_device *device, hvk_status status)
{
	struct hvk_request *request = device->held;

	assert_non_null(request);
	device->held = NULL;
	device->answers[device->held_operation] = HVK_OK;
	if (status == HVK_OK)
		fake_apply(device, device->held_operation, device->held_value);
	hvk_request_finish(&bench.hvk, request, status, device->cpu);
}

static void fake_set_flags(struct hvk_netdev *netdev, uint32_t flags, struct hvk_request *request)
{
	struct fake_device *device = fake_of(netdev);

	fake_log("%s flags %u", device->name, flags);
	device->calls[flags & HVK_NETDEV_UP ? HVK_VF_SET_UP : HVK_VF_SET_DOWN]++;
	if (fake_is_vf(device) && !(flags & HVK_NETDEV_UP)) {
		assert_false(fake_path_is_vf() && !bench.nic.device.gone &&
			     bench.nic.device.answers[FAKE_DATA_PATH] == HVK_OK);
		assert_int_equal(__atomic_load_n(&device->inside, __ATOMIC_SEQ_CST), 0);
	}
	fake_answer(device, FAKE_FLAGS, flags, request);
}

static void fake_set_enabled(struct hvk_netdev *netdev, uint32_t enabled, struct hvk_request *request)
{
	struct fake_device *device = fake_of(netdev);

	fake_log("%s enabled 0x%x", device->name, enabled);
	device->calls[HVK_VF_SET_ENABLED]++;
	assert_int_equal(enabled & ~netdev->info.capabilities, 0);
	fake_answer(device, FAKE_ENABLED, enabled, request);
}

static void fake_set_mtu(struct hvk_netdev *netdev, uint32_t mtu, struct hvk_request *request)
{
	struct fake_device *device = fake_of(netdev);

	fake_log("%s MTU %u", device->name, mtu);
	device->calls[HVK_VF_SET_MTU]++;
	assert_true(mtu <= netdev->info.mtu_max);
	fake_answer(device, FAKE_MTU, mtu, request);
}

static void fake_set_multicast(struct hvk_netdev *netdev, const uint8_t (*groups)[6], uint32_t count,
			       struct hvk_request *request)
{
	struct fake_device *device = fake_of(netdev);

	(void)groups;
	fake_log("%s groups %u", device->name, count);
	device->calls[HVK_VF_SET_MULTICAST]++;
	fake_answer(device, FAKE_GROUPS, count, request);
}

static void fake_set_rss(struct hvk_netdev *netdev, const struct hvk_netdev_rss *rss,
			 struct hvk_request *request)
{
	struct fake_device *device = fake_of(netdev);

	fake_log("%s RSS 0x%x key %u", device->name, rss->types, rss->key[0]);
	device->calls[HVK_VF_SET_RSS]++;
	for (uint32_t i = 0; i < netdev->info.rss_table_size; i++)
		assert_true(rss->table[i] < netdev->info.queues);
	assert_int_equal(rss->types & ~netdev->info.rss_types, 0);
	if (!device->gone && device->answers[FAKE_RSS] == HVK_OK)
		device->rss = *rss;
	fake_answer(device, FAKE_RSS, 0, request);
}

static void fake_get_rss(struct hvk_netdev *netdev, struct hvk_netdev_rss *out)
{
	fake_of(netdev)->calls[HVK_VF_GET_RSS]++;
	*out = fake_of(netdev)->rss;
}

static void fake_get_counters(struct hvk_netdev *netdev, struct hvk_netdev_counters *out)
{
	fake_of(netdev)->calls[HVK_VF_GET_COUNTERS]++;
	*out = fake_of(netdev)->counters;
}

static void fake_get_queue_counters(struct hvk_netdev *netdev, uint32_t queue,
				    struct hvk_netdev_counters *out)
{
	(void)queue;
	fake_of(netdev)->calls[HVK_VF_GET_QUEUE_COUNTERS]++;
	*out = fake_of(netdev)->counters;
}

static enum hvk_tx_result fake_transmit(struct hvk_netdev *netdev, struct hvk_tx_frame *frame)
{
	struct fake_device *device = fake_of(netdev);
	enum hvk_tx_result result = __atomic_load_n(&device->result, __ATOMIC_SEQ_CST);

	(void)frame;
	(void)__atomic_add_fetch(&device->inside, 1, __ATOMIC_SEQ_CST);
	if (fake_is_vf(device) && !__atomic_load_n(&device->gone, __ATOMIC_SEQ_CST)) {
		assert_true(fake_path_is_vf());
		assert_true(__atomic_load_n(&netdev->info.flags, __ATOMIC_SEQ_CST) & HVK_NETDEV_UP);
	}
	if (__atomic_load_n(&device->gone, __ATOMIC_SEQ_CST))
		result = HVK_TX_GONE;
	if (result == HVK_TX_TAKEN)
		(void)__atomic_add_fetch(&device->counters.tx_frames, 1, __ATOMIC_RELAXED);
	if (!bench.quiet)
		device->calls[HVK_VF_TRANSMIT]++;
	if (fake_is_vf(device) && bench.within)
		bench.within();
	(void)__atomic_sub_fetch(&device->inside, 1, __ATOMIC_SEQ_CST);
	return result;
}

static uint32_t fake_transmit_many(struct hvk_netdev *netdev, struct hvk_tx_frame *const *frames,
				   uint32_t count, enum hvk_tx_result *result)
{
	uint32_t taken = 0;

	fake_of(netdev)->calls[HVK_VF_TRANSMIT_MANY]++;
	*result = HVK_TX_TAKEN;
	while (taken < count && *result == HVK_TX_TAKEN) {
		*result = fake_transmit(netdev, frames[taken]);
		taken += *result == HVK_TX_TAKEN;
	}
	return taken;
}

static void fake_flush(struct hvk_netdev *netdev)
{
	if (!bench.quiet)
		fake_of(netdev)->calls[HVK_VF_FLUSH]++;
}

static void fake_release(struct hvk_netdev *netdev, void *owner)
{
	assert_non_null(owner);
	fake_of(netdev)->calls[HVK_VF_RELEASE]++;
	fake_of(netdev)->released++;
}

static uint32_t fake_outstanding(struct hvk_netdev *netdev)
{
	return fake_of(netdev)->outstanding;
}

static void fake_refuse(struct hvk_netdev *netdev, struct hvk_request *request)
{
	hvk_request_begin(request);
	hvk_request_finish(&bench.hvk, request, HVK_ENOTSUP, fake_of(netdev)->cpu);
}

static const struct hvk_netdev_ops fake_ops = {
	.transmit = fake_transmit,
	.set_flags = fake_set_flags,
	.get_counters = fake_get_counters,
	.release = fake_release,
	.flush = fake_flush,
	.set_enabled = fake_set_enabled,
	.set_mtu = fake_set_mtu,
	.set_multicast = fake_set_multicast,
	.set_rss = fake_set_rss,
	.get_rss = fake_get_rss,
	.get_queue_counters = fake_get_queue_counters,
	.transmit_many = fake_transmit_many,
	.outstanding = fake_outstanding,
	.refuse = fake_refuse,
};

/* --- The card ------------------------------------------------------------------------------ */

struct hvk_netdev *hvk_netvsc_netdev(struct hvk_netvsc *nic)
{
	return &nic->device.netdev;
}

struct hvk_channel *hvk_netvsc_channel(struct hvk_netvsc *nic)
{
	(void)nic;
	return NULL;
}

uint32_t hvk_netvsc_cpu(const struct hvk_netvsc *nic)
{
	return nic->device.cpu;
}

hvk_status hvk_netvsc_set_association_hook(struct hvk_netvsc *nic,
					   void (*changed)(void *context, struct hvk_netvsc *nic),
					   void *context)
{
	if (nic->no_vf)
		return HVK_EINVAL;
	nic->changed = changed;
	nic->context = context;
	return HVK_OK;
}

void hvk_netvsc_get_association(const struct hvk_netvsc *nic, struct hvk_netvsc_association *out)
{
	*out = nic->association;
}

void hvk_netvsc_switch_data_path(struct hvk_netvsc *nic, bool to_vf, struct hvk_request *request)
{
	fake_log("data path %s", to_vf ? "vf" : "card");
	if (to_vf) {
		assert_true(bench.vf.gone || (bench.vf.netdev.info.flags & HVK_NETDEV_UP));
		assert_true(nic->association.allocated);
	}
	fake_answer(&nic->device, FAKE_DATA_PATH, to_vf, request);
}

static void fake_associate(bool allocated, uint32_t serial)
{
	bench.nic.association.allocated = allocated;
	bench.nic.association.serial = serial;
	bench.nic.association.generation++;
	if (bench.nic.changed)
		bench.nic.changed(bench.nic.context, &bench.nic);
}

#endif
