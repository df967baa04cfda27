/* SPDX-License-Identifier: MIT */
/*
 * The network device's own state. net.c has its life and what the driver is offered, receive.c and
 * transmit.c the frames, control.c the commands, filter.c which frames come in.
 */
#ifndef HVH_VIRTIO_NET_DEVICE_H
#define HVH_VIRTIO_NET_DEVICE_H

#include "host/netvsp/coalesce.h"
#include "host/netvsp/segment.h"
#include "host/virtio/net.h"
#include "host/virtio/virtio.h"
#include "hvkit_host/network.h"

#define VIRTIO_NET_FRAMES 512u     /* that wait for the guest, all pairs' together */
#define VIRTIO_NET_FRAME_MAX 9216u /* as the card's */
#define VIRTIO_NET_ADDRESS 6u
#define VIRTIO_NET_TABLE 64u /* addresses of each kind; more: all of that kind come in */
#define VIRTIO_NET_FLOWS 256u
#define VIRTIO_NET_NONE UINT32_MAX
#define VIRTIO_NET_HEADER ((uint32_t)sizeof(struct virtio_net_header))
/* What the guest can switch off and on again (CTRL_GUEST_OFFLOADS). */
#define VIRTIO_NET_SWITCHED (VIRTIO_NET_F_GUEST_CSUM | VIRTIO_NET_F_GUEST_TSO4 | VIRTIO_NET_F_GUEST_TSO6)

struct virtio_net_frame {
	uint32_t next, length;
	uint8_t bytes[VIRTIO_NET_FRAME_MAX];
};

struct virtio_net_pair {
	uint32_t first, last, count; /* frames that wait, oldest first */
	bool starved;                /* ... for buffers */
	uint64_t moved_at;           /* when one last went, or was the first to wait */
	uint64_t received, sent;
};

struct virtio_net_table {
	uint32_t count;
	bool all; /* there were too many */
	uint8_t addresses[VIRTIO_NET_TABLE][VIRTIO_NET_ADDRESS];
};

struct virtio_net_device {
	struct virtio_device device; /* first */
	struct virtio_net_setup setup;
	struct virtio_net_counters counters;
	bool link_up, announce;
	uint64_t speed;
	/* As the driver has set them; of a session. */
	uint32_t pairs_used;
	uint64_t offloads; /* VIRTIO_NET_SWITCHED */
	bool promiscuous, all_multicast;
	uint8_t mac[VIRTIO_NET_ADDRESS];
	struct virtio_net_table unicast, multicast;
	uint8_t flows[VIRTIO_NET_FLOWS]; /* pair and 1 that last sent on it; 0: none has */
	bool transmitted;
	struct virtio_net_pair pairs[VIRTIO_NET_QUEUE_PAIRS_MAX];
	struct virtio_net_frame *frames;
	uint32_t frame_free, frame_count;
	/* What is worked on. */
	struct virtio_chain chain, more;
	struct netvsp_coalesce coalesce;
	uint8_t bytes[NETVSP_LARGE_SEND_MAX];
	uint8_t made[VIRTIO_NET_FRAME_MAX + ETHERNET_TAG];
};

#define VIRTIO_NET_VIOLATE(net, ...) VIRTIO_VIOLATE(&(net)->device, HVH_V_VIRTIO_NET, __VA_ARGS__)

static inline struct virtio_queue *virtio_net_rx(struct virtio_net_device *net, uint32_t pair)
{
	return &net->device.queues[2 * pair];
}
static inline struct virtio_queue *virtio_net_tx(struct virtio_net_device *net, uint32_t pair)
{
	return &net->device.queues[2 * pair + 1];
}

/* --- receive.c ------------------------------------------------------------------------------------- */

bool virtio_net_frames_create(struct virtio_net_device *net);
void virtio_net_frames_drop(struct virtio_net_device *net);
/* Gives the guest what waits for this pair. True: there is more to do now. */
bool virtio_net_receive_run(struct virtio_net_device *net, uint32_t pair);
/* The flow's place in the table; the same for both directions. */
uint32_t virtio_net_flow(const uint8_t *frame, uint32_t length);

/* --- transmit.c ------------------------------------------------------------------------------------ */

bool virtio_net_transmit_run(struct virtio_net_device *net, uint32_t pair);

/* --- control.c ------------------------------------------------------------------------------------- */

bool virtio_net_control_run(struct virtio_net_device *net, struct virtio_queue *queue);

#endif
