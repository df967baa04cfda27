/* SPDX-License-Identifier: MIT */
/* What the user above asks for while the device is attached: one at a time, by the control queue. */
#include "guest/virtio_net/virtio_net_internal.h"

#define ETHERNET_GROUP 1u

struct mac_table { /* no unicast addresses beside the device's own; then the groups */
	uint32_t unicast_count, group_count;
	uint8_t groups[HVK_NETDEV_GROUPS_MAX][6];
};

/* --- The queue -------------------------------------------------------------------------- */

static void put(struct hvk_virtio_net *device, const struct virtio_net_operation *operation,
		struct hvk_request *request)
{
	hvk_status status = HVK_OK;

	hvk_request_begin(request);
	hvk_lock(device->hvk, &device->lock);
	if (!virtio_net_is_usable(device))
		status = HVK_EGONE;
	else if (device->state != VIRTIO_NET_ATTACHED || device->detach_wanted)
		status = HVK_ESTATE;
	else if (device->operation_count == VIRTIO_NET_OPERATIONS_MAX)
		status = HVK_EBUSY;
	if (status == HVK_OK) {
		device->operations[device->operation_count] = *operation;
		device->operations[device->operation_count++].request = request;
	}
	hvk_unlock(device->hvk, &device->lock);
	if (status == HVK_OK)
		hvk_virtio_net_kick(device);
	else
		hvk_request_finish(device->hvk, request, status, device->config.cpu);
}

static void put_value(struct hvk_netdev *netdev, uint32_t kind, uint32_t value, struct hvk_request *request)
{
	struct virtio_net_operation operation = {.kind = kind, .value = value};

	put((struct hvk_virtio_net *)(void *)netdev, &operation, request);
}

static void refuse(struct hvk_netdev *netdev, hvk_status status, struct hvk_request *request)
{
	const struct hvk_virtio_net *device = (const struct hvk_virtio_net *)(void *)netdev;

	hvk_request_begin(request);
	hvk_request_finish(device->hvk, request, status, device->config.cpu);
}

#define FLAGS (HVK_NETDEV_UP | HVK_NETDEV_ALL_MULTICAST | HVK_NETDEV_PROMISCUOUS)

void hvk_virtio_net_set_flags(struct hvk_netdev *netdev, uint32_t flags, struct hvk_request *request)
{
	if (flags & ~FLAGS)
		refuse(netdev, HVK_EINVAL, request);
	else
		put_value(netdev, VIRTIO_NET_FLAGS, flags, request);
}

void hvk_virtio_net_set_enabled(struct hvk_netdev *netdev, uint32_t enabled, struct hvk_request *request)
{
	if (enabled & ~netdev->info.capabilities)
		refuse(netdev, HVK_EINVAL, request);
	else
		put_value(netdev, VIRTIO_NET_ENABLED, enabled, request);
}

void hvk_virtio_net_set_mtu(struct hvk_netdev *netdev, uint32_t mtu, struct hvk_request *request)
{
	if (mtu < VIRTIO_NET_MTU_MIN || mtu > netdev->info.mtu_max)
		refuse(netdev, HVK_EINVAL, request);
	else
		put_value(netdev, VIRTIO_NET_MTU, mtu, request);
}

void hvk_virtio_net_set_multicast(struct hvk_netdev *netdev, const uint8_t (*groups)[6], uint32_t count,
				  struct hvk_request *request)
{
	struct virtio_net_operation operation = {.kind = VIRTIO_NET_MULTICAST, .value = count};

	if (count > HVK_NETDEV_GROUPS_MAX) {
		refuse(netdev, HVK_EINVAL, request);
		return;
	}
	for (uint32_t i = 0; i < count; i++) {
		if (!(groups[i][0] & ETHERNET_GROUP)) {
			refuse(netdev, HVK_EINVAL, request);
			return;
		}
		memcpy(operation.groups[i], groups[i], sizeof(operation.groups[i]));
	}
	put((struct hvk_virtio_net *)(void *)netdev, &operation, request);
}

void hvk_virtio_net_refuse(struct hvk_netdev *netdev, struct hvk_request *request)
{
	refuse(netdev, HVK_ENOTSUP, request);
}

static bool take(struct hvk_virtio_net *device)
{
	bool found = false;

	hvk_lock(device->hvk, &device->lock);
	if (device->operation_count != 0) {
		device->operation = device->operations[0];
		device->operation_count--;
		memmove(&device->operations[0], &device->operations[1],
			device->operation_count * sizeof(device->operations[0]));
		found = true;
	}
	hvk_unlock(device->hvk, &device->lock);
	return found;
}

void hvk_virtio_net_operations_cancel(struct hvk_virtio_net *device, hvk_status status)
{
	for (uint32_t i = 0; i < VIRTIO_NET_OPERATIONS_MAX; i++) {
		struct hvk_request *request = NULL;

		hvk_lock(device->hvk, &device->lock);
		if (device->operation_count != 0)
			request = device->operations[--device->operation_count].request;
		hvk_unlock(device->hvk, &device->lock);
		if (!request)
			return;
		hvk_request_finish(device->hvk, request, status, device->config.cpu);
	}
}

/* --- What is wanted of the frames ------------------------------------------------------- */

static bool is_in_groups(struct hvk_virtio_net *device, const uint8_t *address)
{
	bool found = false;

	hvk_lock(device->hvk, &device->lock);
	for (uint32_t i = 0; i < device->groups.count && !found; i++)
		found = memcmp(device->groups.addresses[i], address, 6) == 0;
	hvk_unlock(device->hvk, &device->lock);
	return found;
}

bool hvk_virtio_net_wants(const struct hvk_virtio_net *device, const uint8_t *address)
{
	static const uint8_t broadcast[6] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
	uint32_t flags = __atomic_load_n(&device->flags, __ATOMIC_RELAXED);

	if (flags & HVK_NETDEV_PROMISCUOUS)
		return true;
	if (!(address[0] & ETHERNET_GROUP))
		return memcmp(address, device->netdev.info.mac, 6) == 0;
	return (flags & HVK_NETDEV_ALL_MULTICAST) || memcmp(address, broadcast, 6) == 0 ||
	       is_in_groups((struct hvk_virtio_net *)(uintptr_t)device, address);
}

/* --- Steps ------------------------------------------------------------------------------ */

static bool filters(const struct hvk_virtio_net *device)
{
	return (device->features & VIRTIO_NET_F_CTRL_RX) != 0;
}

static bool sets_flags(const void *context)
{
	const struct hvk_virtio_net *device = context;

	return device->operation.kind == VIRTIO_NET_FLAGS && filters(device);
}

static bool sets_groups(const void *context)
{
	const struct hvk_virtio_net *device = context;

	return device->operation.kind == VIRTIO_NET_MULTICAST && filters(device);
}

static bool sets_enabled(const void *context)
{
	return ((const struct hvk_virtio_net *)context)->operation.kind == VIRTIO_NET_ENABLED;
}

static hvk_status rx_mode(struct hvk_virtio_net *device, uint8_t command, uint32_t flag)
{
	uint8_t on = (device->operation.value & flag) != 0;

	return hvk_virtio_net_control_send(device, VIRTIO_NET_CONTROL_RX, command, &on, sizeof(on));
}

static hvk_status begin_promiscuous(void *context)
{
	return rx_mode(context, VIRTIO_NET_CONTROL_RX_PROMISCUOUS, HVK_NETDEV_PROMISCUOUS);
}

static hvk_status begin_all_multicast(void *context)
{
	return rx_mode(context, VIRTIO_NET_CONTROL_RX_ALL_MULTICAST, HVK_NETDEV_ALL_MULTICAST);
}

static hvk_status begin_groups(void *context)
{
	struct hvk_virtio_net *device = context;
	struct mac_table table = {.group_count = device->operation.value};
	uint32_t bytes = device->operation.value * 6u;

	memcpy(table.groups, device->operation.groups, bytes);
	return hvk_virtio_net_control_send(device, VIRTIO_NET_CONTROL_MAC, VIRTIO_NET_CONTROL_MAC_TABLE,
					   &table, (uint32_t)offsetof(struct mac_table, groups) + bytes);
}

/* A checksum that is looked at and not said costs nothing; joining must be switched at the device. */
hvk_status hvk_virtio_net_begin_offloads(void *context)
{
	struct hvk_virtio_net *device = context;
	uint64_t joining = VIRTIO_NET_F_GUEST_TSO4 | VIRTIO_NET_F_GUEST_TSO6;
	uint64_t offloads = device->features & (VIRTIO_NET_F_GUEST_CSUM | joining);
	uint32_t enabled = device->operating ? device->operation.value : device->netdev.info.enabled;

	if (!(device->features & joining))
		return HVK_OK;
	if (!(enabled & HVK_NETDEV_LRO))
		offloads &= ~joining;
	return hvk_virtio_net_control_send(device, VIRTIO_NET_CONTROL_OFFLOADS,
					   VIRTIO_NET_CONTROL_OFFLOADS_SET, &offloads, sizeof(offloads));
}

static void set_open(struct hvk_virtio_net *device, uint32_t flags)
{
	__atomic_store_n(&device->open, (flags & HVK_NETDEV_UP) && virtio_net_is_usable(device),
			 __ATOMIC_SEQ_CST);
}

static void apply(struct hvk_virtio_net *device)
{
	const struct virtio_net_operation *operation = &device->operation;
	struct hvk_netdev_info *info = &device->netdev.info;

	switch (operation->kind) {
	case VIRTIO_NET_FLAGS:
		info->flags = operation->value;
		__atomic_store_n(&device->flags, operation->value, __ATOMIC_SEQ_CST);
		set_open(device, operation->value);
		break;
	case VIRTIO_NET_ENABLED:
		__atomic_store_n(&info->enabled, operation->value, __ATOMIC_RELAXED);
		break;
	case VIRTIO_NET_MTU:
		info->mtu = operation->value;
		info->frame_max = operation->value + HVK_ETHERNET_HEADER;
		break;
	case VIRTIO_NET_MULTICAST:
		hvk_lock(device->hvk, &device->lock);
		device->groups.count = operation->value;
		memcpy(device->groups.addresses, operation->groups, operation->value * (size_t)6u);
		hvk_unlock(device->hvk, &device->lock);
		break;
	}
}

static void end(struct hvk_virtio_net *device, hvk_status status)
{
	device->operating = false;
	hvk_request_finish(device->hvk, device->operation.request, status, device->config.cpu);
	hvk_virtio_net_kick(device);
}

static void done(void *context)
{
	struct hvk_virtio_net *device = context;

	if (device->operation_status == HVK_OK)
		apply(device);
	else /* what was up stays up */
		set_open(device, device->flags);
	end(device, device->operation_status);
}

/* clang-format off */
static const struct hvk_step steps[] = {
	{"promiscuous", sets_flags, begin_promiscuous, NULL,
	 VIRTIO_NET_WAIT_CONTROL, HVK_ETIMEDOUT_VIRTIO, false},
	{"all-multicast", sets_flags, begin_all_multicast, NULL,
	 VIRTIO_NET_WAIT_CONTROL, HVK_ETIMEDOUT_VIRTIO, false},
	{"multicast groups", sets_groups, begin_groups, NULL,
	 VIRTIO_NET_WAIT_CONTROL, HVK_ETIMEDOUT_VIRTIO, false},
	{"joining", sets_enabled, hvk_virtio_net_begin_offloads, NULL,
	 VIRTIO_NET_WAIT_CONTROL, HVK_ETIMEDOUT_VIRTIO, false},
};
/* clang-format on */

static const struct hvk_sequence end_sequence = {NULL, 0, NULL, done};

static const struct hvk_sequence *failed(void *context, hvk_status status)
{
	struct hvk_virtio_net *device = context;

	device->operation_status = status;
	return &end_sequence;
}

static const struct hvk_sequence sequence = {steps, sizeof(steps) / sizeof(steps[0]), failed, done};

/* Frames that were accepted before are sent; none is accepted after "down" was asked for. */
bool hvk_virtio_net_operations_run(struct hvk_virtio_net *device)
{
	if (device->steps.sequence)
		return true;
	if (!take(device))
		return false;
	device->operating = true;
	device->operation_status = virtio_net_is_usable(device) ? HVK_OK : HVK_EGONE;
	if (device->operation_status != HVK_OK) {
		end(device, device->operation_status);
		return true;
	}
	if (device->operation.kind == VIRTIO_NET_FLAGS && !(device->operation.value & HVK_NETDEV_UP))
		__atomic_store_n(&device->open, false, __ATOMIC_SEQ_CST);
	hvk_steps_start(&device->steps, &sequence);
	return true;
}
