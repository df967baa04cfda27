/* SPDX-License-Identifier: MIT */
/*
 * A virtio network device (virtio 1.2, 5.1). Frames for the guest come in by virtio_net_receive; whose
 * function it is, and where the guest's frames go, others say. Seen by host/vf.
 */
#ifndef HVH_VIRTIO_NET_H
#define HVH_VIRTIO_NET_H

#include "hvkit_host/pci.h"

struct hvh_dump;
struct virtio_net_device;

struct virtio_net_setup {
	uint8_t mac[6];
	uint32_t pairs_max; /* 1 to VIRTIO_NET_QUEUE_PAIRS_MAX */
	uint32_t mtu;
	uint32_t without; /* HVH_NIC_NO_* */
	uint64_t speed;   /* bit/s */
	bool link_up;
	struct hvh_vpci_config bus;
	void *context;
	/* A frame of the guest's by this pair; and: no more follow for now. */
	void (*transmit)(void *context, uint32_t pair, const uint8_t *frame, uint32_t length);
	void (*flush)(void *context);
};
/* Lives as the partition. NULL: no room. */
struct virtio_net_device *virtio_net_create(struct hvh_partition *partition,
					    const struct virtio_net_setup *setup);
struct hvh_vpci *virtio_net_bus(const struct virtio_net_device *net);

/* Runs, has a link, and its filter lets the frame in. */
bool virtio_net_accepts(const struct virtio_net_device *net, const uint8_t *frame);
/* Taken, to be given to the guest when it has room. False: too many wait. */
bool virtio_net_receive(struct virtio_net_device *net, uint64_t now, const uint8_t *frame, uint32_t length);
uint32_t virtio_net_room(const struct virtio_net_device *net, uint64_t now); /* for so many */
bool virtio_net_is_running(const struct virtio_net_device *net);
void virtio_net_set_link(struct virtio_net_device *net, uint64_t now, bool up, uint64_t speed);
/* The guest is to say in the network where it is (GUEST_ANNOUNCE). */
void virtio_net_announce(struct virtio_net_device *net, uint64_t now);

struct virtio_net_counters {
	uint64_t to_guest_frames, to_guest_bytes, from_guest_frames, from_guest_bytes;
	uint64_t dropped; /* for the guest */
	uint64_t joined, segments_made, checksums_made, controls, refused;
};
const struct virtio_net_counters *virtio_net_get_counters(const struct virtio_net_device *net);
void virtio_net_dump(const struct virtio_net_device *net, struct hvh_dump *dump);

#endif
