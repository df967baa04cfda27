/* SPDX-License-Identifier: MIT */
/* The device's configuration: what it says of itself, checked, and what becomes of it in the netdev. */
#include "guest/virtio_net/virtio_net_internal.h"

#define MBIT 1000000ull
#define PAIRS_LIMIT 0x7fffu /* the control queue behind them has a 16-bit number */
#define TSO_HEADERS 120u    /* of IP and TCP with all their options */
#define COPIED_HEADERS                                                                              \
	((uint32_t)sizeof(struct virtio_net_header) + HVK_ETHERNET_HEADER + HVK_ETHERNET_VLAN_TAG + \
	 TSO_HEADERS)
#define GONE_STATUS 0xffu /* registers of a function that has vanished */
#define JOINING (VIRTIO_NET_F_GUEST_TSO4 | VIRTIO_NET_F_GUEST_TSO6)
#define TX_CHECKSUMS (HVK_NETDEV_TX_TCP4 | HVK_NETDEV_TX_UDP4 | HVK_NETDEV_TX_TCP6 | HVK_NETDEV_TX_UDP6)
#define RX_CHECKSUMS (HVK_NETDEV_RX_TCP4 | HVK_NETDEV_RX_UDP4 | HVK_NETDEV_RX_TCP6 | HVK_NETDEV_RX_UDP6)

#define FIELD(name, elements, feature)                                                                    \
	{                                                                                                 \
		offsetof(struct virtio_net_config, name),                                                 \
			sizeof(((struct virtio_net_config *)0)->name) / (elements), (elements), (feature) \
	}

static void read_config(const struct hvk_virtio_net *device, struct virtio_net_config *out)
{
	static const struct hvk_virtio_field fields[] = {
		FIELD(mac, 6, VIRTIO_NET_F_MAC),
		FIELD(status, 1, VIRTIO_NET_F_STATUS),
		FIELD(queue_pairs_max, 1, VIRTIO_NET_F_MQ),
		FIELD(mtu, 1, VIRTIO_NET_F_MTU),
		FIELD(speed, 1, VIRTIO_NET_F_SPEED_DUPLEX),
	};

	*out = (struct virtio_net_config){0};
	hvk_virtio_config_read(&device->transport, fields, sizeof(fields) / sizeof(fields[0]),
			       device->features, out);
}

static uint32_t capabilities_of(uint64_t features)
{
	uint32_t capabilities = 0;

	if (features & VIRTIO_NET_F_CSUM)
		capabilities |= TX_CHECKSUMS;
	if (features & VIRTIO_NET_F_GUEST_CSUM)
		capabilities |= RX_CHECKSUMS;
	if (features & VIRTIO_NET_F_HOST_TSO4)
		capabilities |= HVK_NETDEV_TSO4;
	if (features & VIRTIO_NET_F_HOST_TSO6)
		capabilities |= HVK_NETDEV_TSO6;
	if (features & JOINING)
		capabilities |= HVK_NETDEV_LRO;
	return capabilities;
}

/* A frame fits one buffer, unless it may come in several. */
static uint32_t mtu_max(const struct hvk_virtio_net *device, const struct virtio_net_config *config)
{
	uint32_t most = VIRTIO_NET_MTU_MAX;

	if (!(device->features & VIRTIO_NET_F_MRG_RXBUF))
		most = VIRTIO_NET_BUFFER - (uint32_t)sizeof(struct virtio_net_header) - HVK_ETHERNET_HEADER -
		       HVK_ETHERNET_VLAN_TAG;
	return device->features & VIRTIO_NET_F_MTU ? hvk_min32(config->mtu, most) : most;
}

/* Each pair has an interrupt of its own, or the only pair that of the device. */
static uint32_t pairs_with_interrupts(const struct hvk_virtio_net *device)
{
	uint32_t interrupts = hvk_pci_get_info(device->function)->interrupts;

	if (device->config.polled)
		return device->pair_max;
	return interrupts > 2 ? interrupts - VIRTIO_NET_INTERRUPT_PAIR : 1;
}

static hvk_status check_config(struct hvk_virtio_net *device, const struct virtio_net_config *config)
{
	static const uint8_t zeros[6];
	uint32_t most = mtu_max(device, config);
	uint32_t pairs = device->features & VIRTIO_NET_F_MQ ? config->queue_pairs_max : 1;

	if (memcmp(config->mac, zeros, sizeof(zeros)) == 0 || (config->mac[0] & 1u))
		return HVK_EHOST_VIRTIO;
	if (most < VIRTIO_NET_MTU_MIN || pairs == 0 || pairs > PAIRS_LIMIT)
		return HVK_EHOST_VIRTIO;
	device->netdev.info.mtu_max = most;
	device->device_pairs = pairs;
	__atomic_store_n(&device->pair_count,
			 hvk_min32(pairs, hvk_min32(device->pair_max, pairs_with_interrupts(device))),
			 __ATOMIC_RELEASE);
	return HVK_OK;
}

hvk_status hvk_virtio_net_begin_config(void *context)
{
	struct hvk_virtio_net *device = context;
	struct hvk_netdev_info *info = &device->netdev.info;
	struct virtio_net_config config;
	hvk_status status;

	*info = (struct hvk_netdev_info){0};
	read_config(device, &config);
	status = check_config(device, &config);
	if (status != HVK_OK)
		return status;
	memcpy(info->mac, config.mac, sizeof(info->mac));
	info->mtu = hvk_min32(info->mtu_max, VIRTIO_NET_MTU_DEFAULT);
	info->frame_max = info->mtu + HVK_ETHERNET_HEADER;
	info->capabilities = capabilities_of(device->features);
	info->enabled = device->config.offloads & info->capabilities;
	info->queues = device->pair_count;
	info->link_up = !(device->features & VIRTIO_NET_F_STATUS) ||
			(config.status & VIRTIO_NET_STATUS_LINK_UP) != 0;
	if ((device->features & VIRTIO_NET_F_SPEED_DUPLEX) && config.speed != UINT32_MAX)
		info->link_speed = config.speed * MBIT;
	if (info->capabilities & (HVK_NETDEV_TSO4 | HVK_NETDEV_TSO6))
		info->tso_bytes_max = 65535u - TSO_HEADERS;
	return HVK_OK;
}

/* How many pieces a chain has room for, behind the driver's own; and how much room the slots have, for a
 * frame that is copied. */
void hvk_virtio_net_limit_segmentation(struct hvk_virtio_net *device)
{
	struct hvk_netdev_info *info = &device->netdev.info;

	if (info->tso_bytes_max == 0)
		return;
	info->tso_pieces_max = HVK_FRAME_PIECES_MAX;
	for (uint32_t i = 0; i < device->pair_count; i++) {
		const struct virtio_net_pair *pair = &device->pairs[i];

		info->tso_pieces_max = hvk_min32(info->tso_pieces_max, pair->tx.size - 1u);
		info->tso_bytes_max = hvk_min32(info->tso_bytes_max,
						pair->slot_count * VIRTIO_NET_SLOT_SIZE - COPIED_HEADERS);
	}
}

void hvk_virtio_net_link_look(struct hvk_virtio_net *device)
{
	const struct hvk_netdev_hooks *hooks = &device->netdev.hooks;
	struct virtio_net_config config;
	uint8_t status;
	bool up = true;

	if (device->state != VIRTIO_NET_ATTACHED)
		return;
	status = hvk_virtio_status(&device->transport);
	if (status == GONE_STATUS) /* the bus has not said so yet */
		return;
	if (status & VIRTIO_STATUS_NEEDS_RESET) {
		hvk_virtio_net_break(device, "the device wants to be reset");
		return;
	}
	if (device->features & VIRTIO_NET_F_STATUS) {
		read_config(device, &config);
		up = (config.status & VIRTIO_NET_STATUS_LINK_UP) != 0;
	}
	if (up == device->netdev.info.link_up)
		return;
	device->netdev.info.link_up = up;
	if (hooks->link_changed)
		hooks->link_changed(hooks->context, &device->netdev, up);
}
