/* SPDX-License-Identifier: MIT */
/* The network device: what a driver is offered, and its turn. */
#include <stdlib.h>
#include <string.h>

#include "host/core/dump.h"
#include "host/virtio/net_device.h"

#define MBIT 1000000u
#define FULL_DUPLEX 1u
#define INTERRUPTS_BESIDE 2u /* the control queue's, the configuration's */
/* Who leaves frames lying for so long does not look after them. */
#define FULL_FOR_LONG (200 * HVH_TIME_PER_MS)

/* --- Features ------------------------------------------------------------------------------------- */

static uint64_t features_of(const struct virtio_net_setup *setup)
{
	uint64_t features = VIRTIO_NET_F_CSUM | VIRTIO_NET_F_GUEST_CSUM | VIRTIO_NET_F_CTRL_GUEST_OFFLOADS |
			    VIRTIO_NET_F_MTU | VIRTIO_NET_F_MAC | VIRTIO_NET_F_GUEST_TSO4 |
			    VIRTIO_NET_F_GUEST_TSO6 | VIRTIO_NET_F_HOST_TSO4 | VIRTIO_NET_F_HOST_TSO6 |
			    VIRTIO_NET_F_MRG_RXBUF | VIRTIO_NET_F_STATUS | VIRTIO_NET_F_CTRL_VQ |
			    VIRTIO_NET_F_CTRL_RX | VIRTIO_NET_F_GUEST_ANNOUNCE | VIRTIO_NET_F_CTRL_MAC_ADDR |
			    VIRTIO_NET_F_SPEED_DUPLEX;
	uint32_t without = setup->without;

	if (setup->pairs_max > 1)
		features |= VIRTIO_NET_F_MQ;
	if ((without & HVH_NIC_NO_TX_CHECKSUM) != 0)
		features &= ~VIRTIO_NET_F_CSUM;
	if ((without & HVH_NIC_NO_RX_CHECKSUM) != 0)
		features &= ~VIRTIO_NET_F_GUEST_CSUM;
	if ((without & (HVH_NIC_NO_LSO | HVH_NIC_NO_TX_CHECKSUM)) != 0)
		features &= ~(VIRTIO_NET_F_HOST_TSO4 | VIRTIO_NET_F_HOST_TSO6);
	if ((without & (HVH_NIC_NO_RSC | HVH_NIC_NO_RX_CHECKSUM)) != 0)
		features &= ~(VIRTIO_NET_F_GUEST_TSO4 | VIRTIO_NET_F_GUEST_TSO6);
	if ((without & HVH_NIC_NO_IPV6) != 0)
		features &= ~(VIRTIO_NET_F_HOST_TSO6 | VIRTIO_NET_F_GUEST_TSO6);
	if ((features & VIRTIO_NET_SWITCHED) == 0)
		features &= ~VIRTIO_NET_F_CTRL_GUEST_OFFLOADS;
	return features;
}

/* Each needs the other (virtio 1.2, 5.1.3.1). */
static const struct {
	uint64_t feature, needs;
	const char *what;
} dependencies[] = {
	{VIRTIO_NET_F_GUEST_TSO4 | VIRTIO_NET_F_GUEST_TSO6, VIRTIO_NET_F_GUEST_CSUM,
	 "features: GUEST_TSO needs GUEST_CSUM"},
	{VIRTIO_NET_F_HOST_TSO4 | VIRTIO_NET_F_HOST_TSO6, VIRTIO_NET_F_CSUM, "features: HOST_TSO needs CSUM"},
	{VIRTIO_NET_F_CTRL_RX | VIRTIO_NET_F_MQ | VIRTIO_NET_F_CTRL_MAC_ADDR | VIRTIO_NET_F_GUEST_ANNOUNCE |
		 VIRTIO_NET_F_CTRL_GUEST_OFFLOADS,
	 VIRTIO_NET_F_CTRL_VQ, "features: commands of the control queue without CTRL_VQ"},
};

static const char *features_wrong(void *context, uint64_t features)
{
	(void)context;
	for (size_t n = 0; n < sizeof dependencies / sizeof dependencies[0]; n++)
		if ((features & dependencies[n].feature) != 0 && (features & dependencies[n].needs) == 0)
			return dependencies[n].what;
	return NULL;
}

static void config(void *context, uint8_t *bytes)
{
	const struct virtio_net_device *net = context;
	struct virtio_net_config config = {
		.status = (uint16_t)((net->link_up ? VIRTIO_NET_STATUS_LINK_UP : 0) |
				     (net->announce ? VIRTIO_NET_STATUS_ANNOUNCE : 0)),
		.queue_pairs_max = (uint16_t)net->setup.pairs_max,
		.mtu = (uint16_t)net->setup.mtu,
		.speed = (uint32_t)(net->speed / MBIT),
		.duplex = FULL_DUPLEX,
	};

	memcpy(config.mac, net->mac, sizeof config.mac);
	memcpy(bytes, &config, sizeof config);
}

/* --- Its turn ------------------------------------------------------------------------------------- */

static void forget(struct virtio_net_device *net)
{
	virtio_net_frames_drop(net);
	net->pairs_used = 1;
	net->promiscuous = net->all_multicast = net->announce = false;
	memset(&net->unicast, 0, sizeof net->unicast);
	memset(&net->multicast, 0, sizeof net->multicast);
	memset(net->flows, 0, sizeof net->flows);
	memcpy(net->mac, net->setup.mac, sizeof net->mac);
}

static void started(void *context, uint64_t now)
{
	struct virtio_net_device *net = context;

	(void)now;
	forget(net);
	net->offloads = net->device.features & VIRTIO_NET_SWITCHED;
	for (uint32_t n = 0; n < net->device.model.queue_count; n++)
		net->device.queues[n].looked_at = net->device.queues[n].enabled;
	net->device.work = true;
}

static void stopped(void *context, uint64_t now)
{
	(void)now;
	forget(context);
}

static struct virtio_queue *control_queue(struct virtio_net_device *net)
{
	if (!virtio_has(&net->device, VIRTIO_NET_F_CTRL_VQ))
		return NULL;
	return &net->device.queues[virtio_has(&net->device, VIRTIO_NET_F_MQ) ? 2 * net->setup.pairs_max : 2];
}

static bool run(void *context, uint64_t now)
{
	struct virtio_net_device *net = context;
	struct virtio_queue *control = control_queue(net);
	bool more = false;

	(void)now;
	if (control != NULL && control->looked_at)
		more = virtio_net_control_run(net, control);
	for (uint32_t pair = 0; pair < net->setup.pairs_max && virtio_is_running(&net->device); pair++) {
		struct virtio_queue *queue = virtio_net_tx(net, pair);

		if (queue != control && queue->looked_at)
			more = virtio_net_transmit_run(net, pair) || more;
	}
	if (net->transmitted)
		net->setup.flush(net->setup.context);
	net->transmitted = false;
	for (uint32_t pair = 0; pair < net->setup.pairs_max && virtio_is_running(&net->device); pair++)
		if (net->pairs[pair].count > 0)
			more = virtio_net_receive_run(net, pair) || more;
	return more;
}

static uint64_t next_event(void *context)
{
	(void)context;
	return HVH_NEVER; /* all it waits for are the guest and the network */
}

/* --- Life ----------------------------------------------------------------------------------------- */

static void destroy(void *context)
{
	struct virtio_net_device *net = context;

	free(net->frames);
	free(net);
}

struct virtio_net_device *virtio_net_create(struct hvh_partition *partition,
					    const struct virtio_net_setup *setup)
{
	struct virtio_net_device *net = calloc(1, sizeof *net);
	const struct virtio_model model = {
		.context = net,
		.features = features_of(setup),
		.queue_count = 2 * setup->pairs_max + 1,
		.config_size = sizeof(struct virtio_net_config),
		.features_wrong = features_wrong,
		.config = config,
		.started = started,
		.stopped = stopped,
		.run = run,
		.next_event = next_event,
	};

	if (net == NULL)
		return NULL;
	net->setup = *setup;
	net->link_up = setup->link_up;
	net->speed = setup->speed;
	if (virtio_net_frames_create(net)) {
		forget(net);
		if (virtio_device_create(&net->device, partition, &setup->bus, &model,
					 2 * setup->pairs_max + INTERRUPTS_BESIDE, destroy))
			return net;
	}
	destroy(net);
	return NULL;
}

struct hvh_vpci *virtio_net_bus(const struct virtio_net_device *net)
{
	return net->device.bus;
}

bool virtio_net_is_running(const struct virtio_net_device *net)
{
	return virtio_is_running(&net->device) && net->device.master;
}

void virtio_net_set_link(struct virtio_net_device *net, uint64_t now, bool up, uint64_t speed)
{
	if (net->link_up == up && net->speed == speed)
		return;
	if (!up)
		virtio_net_frames_drop(net);
	net->link_up = up;
	net->speed = speed;
	virtio_config_changed(&net->device, now);
}

void virtio_net_announce(struct virtio_net_device *net, uint64_t now)
{
	if (!virtio_net_is_running(net) || !virtio_has(&net->device, VIRTIO_NET_F_GUEST_ANNOUNCE))
		return;
	net->announce = true;
	virtio_config_changed(&net->device, now);
}

uint32_t virtio_net_room(const struct virtio_net_device *net, uint64_t now)
{
	uint32_t own = net->pairs_used > 1 ? VIRTIO_NET_FRAMES / 2 : VIRTIO_NET_FRAMES;
	uint32_t room = VIRTIO_NET_FRAMES - net->frame_count;
	bool moves = false;

	for (uint32_t n = 0; n < net->pairs_used; n++) {
		const struct virtio_net_pair *pair = &net->pairs[n];

		if (pair->starved && now > pair->moved_at + FULL_FOR_LONG)
			continue;
		moves = true;
		if (pair->count >= own)
			return 0;
		if (own - pair->count < room)
			room = own - pair->count;
	}
	/* What is for a guest that takes nothing is lost, and nobody is held up. */
	return moves && virtio_net_is_running(net) ? room : VIRTIO_NET_FRAMES;
}

const struct virtio_net_counters *virtio_net_get_counters(const struct virtio_net_device *net)
{
	return &net->counters;
}

static void dump_queue(const struct virtio_queue *queue, struct hvh_dump *dump)
{
	hvh_dump_begin_number(dump, "queue", queue->index);
	hvh_dump_number(dump, "size", queue->size);
	hvh_dump_number(dump, "buffers", queue->buffers);
	hvh_dump_number(dump, "buffers-with-the-device", queue->count);
	hvh_dump_number(dump, "notifications", queue->kicks);
	hvh_dump_number(dump, "interrupts", queue->interrupts);
	hvh_dump_end(dump);
}

void virtio_net_dump(const struct virtio_net_device *net, struct hvh_dump *dump)
{
	const struct virtio_net_counters *c = &net->counters;

	hvh_dump_hex(dump, "status", net->device.status);
	hvh_dump_hex(dump, "features", net->device.features);
	hvh_dump_text(dump, "link", "%s", net->link_up ? "up" : "down");
	hvh_dump_number(dump, "pairs", net->pairs_used);
	hvh_dump_flag(dump, "promiscuous", net->promiscuous);
	hvh_dump_flag(dump, "all-multicast", net->all_multicast);
	hvh_dump_number(dump, "frames-waiting", net->frame_count);
	hvh_dump_number(dump, "to-guest-frames", c->to_guest_frames);
	hvh_dump_number(dump, "from-guest-frames", c->from_guest_frames);
	hvh_dump_number(dump, "dropped", c->dropped);
	hvh_dump_number(dump, "joined", c->joined);
	hvh_dump_number(dump, "segments-made", c->segments_made);
	hvh_dump_number(dump, "checksums-made", c->checksums_made);
	hvh_dump_number(dump, "commands", c->controls);
	hvh_dump_number(dump, "commands-refused", c->refused);
	for (uint32_t n = 0; n < net->device.model.queue_count; n++)
		if (net->device.queues[n].enabled)
			dump_queue(&net->device.queues[n], dump);
}
