/* SPDX-License-Identifier: MIT */
/*
 * virtio 1.x over PCI, split virtqueues, and the network device.
 * Source: OASIS Virtual I/O Device 1.2, chapters 2.7, 4.1, 5.1.
 */
#ifndef HVKIT_WIRE_VIRTIO_H
#define HVKIT_WIRE_VIRTIO_H

#include "wire.h"

#define VIRTIO_PCI_VENDOR 0x1af4u
#define VIRTIO_PCI_DEVICE_NET 0x1041u /* 0x1040 + device type 1 */

#define VIRTIO_STATUS_ACKNOWLEDGE 1u
#define VIRTIO_STATUS_DRIVER 2u
#define VIRTIO_STATUS_DRIVER_OK 4u
#define VIRTIO_STATUS_FEATURES_OK 8u
#define VIRTIO_STATUS_NEEDS_RESET 64u
#define VIRTIO_STATUS_FAILED 128u

#define VIRTIO_F_INDIRECT (1ull << 28)
#define VIRTIO_F_EVENT_IDX (1ull << 29)
#define VIRTIO_F_VERSION_1 (1ull << 32)
#define VIRTIO_F_ACCESS_PLATFORM (1ull << 33)

/* Vendor-specific capability (PCI_CAPABILITY_VENDOR). */
struct virtio_pci_capability {
	uint8_t id, next, length;
	uint8_t kind; /* VIRTIO_PCI_* */
	uint8_t bar;
	uint8_t capability_id;
	uint8_t padding[2];
	uint32_t offset, size;
};
HVK_WIRE_SIZE(struct virtio_pci_capability, 16);
#define VIRTIO_PCI_COMMON 1u
#define VIRTIO_PCI_NOTIFY 2u
#define VIRTIO_PCI_ISR 3u
#define VIRTIO_PCI_DEVICE_CONFIG 4u
#define VIRTIO_PCI_CONFIG_ACCESS 5u

struct virtio_pci_notify_capability {
	struct virtio_pci_capability capability;
	uint32_t multiplier;
};
HVK_WIRE_SIZE(struct virtio_pci_notify_capability, 20);

struct virtio_pci_common {
	uint32_t device_feature_select, device_feature;
	uint32_t driver_feature_select, driver_feature;
	uint16_t config_vector, queue_count;
	uint8_t status, config_generation;
	uint16_t queue_select, queue_size, queue_vector, queue_enable, queue_notify_offset;
	uint64_t queue_descriptors, queue_driver, queue_device;
	uint16_t queue_notify_data, queue_reset;
} __attribute__((packed));
HVK_WIRE_SIZE(struct virtio_pci_common, 60);
#define VIRTIO_NO_VECTOR 0xffffu

#define VIRTIO_ISR_QUEUE 1u
#define VIRTIO_ISR_CONFIG 2u

/* --- Split virtqueue ---------------------------------------------------------- */

#define VIRTQ_SIZE_MAX 32768u

struct virtq_descriptor {
	uint64_t address;
	uint32_t length;
	uint16_t flags;
	uint16_t next;
};
HVK_WIRE_SIZE(struct virtq_descriptor, 16);
#define VIRTQ_DESCRIPTOR_NEXT 1u
#define VIRTQ_DESCRIPTOR_WRITE 2u
#define VIRTQ_DESCRIPTOR_INDIRECT 4u

/* Available: u16 flags, u16 index, u16 ring[size], u16 used_event. Used: u16 flags, u16 index,
 * virtq_used_element ring[size], u16 available_event. */
#define VIRTQ_AVAILABLE_SIZE(size) (6u + 2u * (size))
#define VIRTQ_USED_SIZE(size) (6u + 8u * (size))
#define VIRTQ_AVAILABLE_NO_INTERRUPT 1u
#define VIRTQ_USED_NO_NOTIFY 1u

struct virtq_used_element {
	uint32_t id;
	uint32_t length;
};
HVK_WIRE_SIZE(struct virtq_used_element, 8);

/* --- Network device -------------------------------------------------------------- */

#define VIRTIO_NET_F_CSUM (1ull << 0)
#define VIRTIO_NET_F_GUEST_CSUM (1ull << 1)
#define VIRTIO_NET_F_CTRL_GUEST_OFFLOADS (1ull << 2)
#define VIRTIO_NET_F_MTU (1ull << 3)
#define VIRTIO_NET_F_MAC (1ull << 5)
#define VIRTIO_NET_F_GUEST_TSO4 (1ull << 7)
#define VIRTIO_NET_F_GUEST_TSO6 (1ull << 8)
#define VIRTIO_NET_F_HOST_TSO4 (1ull << 11)
#define VIRTIO_NET_F_HOST_TSO6 (1ull << 12)
#define VIRTIO_NET_F_MRG_RXBUF (1ull << 15)
#define VIRTIO_NET_F_STATUS (1ull << 16)
#define VIRTIO_NET_F_CTRL_VQ (1ull << 17)
#define VIRTIO_NET_F_CTRL_RX (1ull << 18)
#define VIRTIO_NET_F_CTRL_VLAN (1ull << 19)
#define VIRTIO_NET_F_CTRL_RX_EXTRA (1ull << 20)
#define VIRTIO_NET_F_GUEST_ANNOUNCE (1ull << 21)
#define VIRTIO_NET_F_MQ (1ull << 22)
#define VIRTIO_NET_F_CTRL_MAC_ADDR (1ull << 23)
#define VIRTIO_NET_F_HASH_REPORT (1ull << 57)
#define VIRTIO_NET_F_RSS (1ull << 60)
#define VIRTIO_NET_F_SPEED_DUPLEX (1ull << 63)

struct virtio_net_config {
	uint8_t mac[6];
	uint16_t status;
	uint16_t queue_pairs_max;
	uint16_t mtu;
	uint32_t speed; /* Mbit/s; UINT32_MAX = not known */
	uint8_t duplex; /* 1 = full */
	uint8_t rss_key_size_max;
	uint16_t rss_table_max;
	uint32_t hash_types;
};
HVK_WIRE_SIZE(struct virtio_net_config, 24);
#define VIRTIO_NET_STATUS_LINK_UP 1u
#define VIRTIO_NET_STATUS_ANNOUNCE 2u

/* In front of each frame; with VERSION_1 always this long. */
struct virtio_net_header {
	uint8_t flags;
	uint8_t segmentation;
	uint16_t header_length;
	uint16_t segment_size;
	uint16_t checksum_start, checksum_offset;
	uint16_t buffer_count;
};
HVK_WIRE_SIZE(struct virtio_net_header, 12);
#define VIRTIO_NET_HEADER_NEEDS_CHECKSUM 1u
#define VIRTIO_NET_HEADER_CHECKSUM_VALID 2u
#define VIRTIO_NET_SEGMENTATION_NONE 0u
#define VIRTIO_NET_SEGMENTATION_TCP4 1u
#define VIRTIO_NET_SEGMENTATION_TCP6 4u
#define VIRTIO_NET_SEGMENTATION_ECN 0x80u

/* Control queue: class and command, then data, then one byte of acknowledgement. */
struct virtio_net_control {
	uint8_t class_, command;
};
HVK_WIRE_SIZE(struct virtio_net_control, 2);
#define VIRTIO_NET_CONTROL_OK 0u
#define VIRTIO_NET_CONTROL_ERROR 1u
#define VIRTIO_NET_CONTROL_RX 0u /* data: one byte, 0 or 1 */
#define VIRTIO_NET_CONTROL_RX_PROMISCUOUS 0u
#define VIRTIO_NET_CONTROL_RX_ALL_MULTICAST 1u
#define VIRTIO_NET_CONTROL_MAC 1u
#define VIRTIO_NET_CONTROL_MAC_TABLE 0u /* twice: u32 count, addresses; unicast, multicast */
#define VIRTIO_NET_CONTROL_MAC_ADDRESS 1u
#define VIRTIO_NET_CONTROL_VLAN 2u
#define VIRTIO_NET_CONTROL_ANNOUNCE 3u
#define VIRTIO_NET_CONTROL_ANNOUNCE_ACKNOWLEDGE 0u
#define VIRTIO_NET_CONTROL_MQ 4u
#define VIRTIO_NET_CONTROL_MQ_PAIRS 0u /* data: u16 */
#define VIRTIO_NET_CONTROL_MQ_RSS 1u
#define VIRTIO_NET_CONTROL_OFFLOADS 5u
#define VIRTIO_NET_CONTROL_OFFLOADS_SET 0u /* data: u64, of VIRTIO_NET_F_GUEST_* */
#define VIRTIO_NET_QUEUE_PAIRS_MAX 64u

#endif
