/* SPDX-License-Identifier: MIT */
/*
 * virtio_net: a driver for the virtio 1.x network device as a PCI function; it offers a netdev. The VF
 * of hvkit's own host, and of any other that has virtio behind vPCI.
 *
 *   hvk_virtio_net_create(function, &config, &device);
 *   hvk_virtio_net_attach(device, &request);    reset, features, queues, interrupts, MAC, link
 *   ... hvk_virtio_net_netdev(device) ...
 *   hvk_virtio_net_detach(device, &request);    reset, interrupts and memory given back
 *   hvk_virtio_net_destroy(device);             lets go of the function
 *
 * What the device writes is checked as all else that comes from the host.
 */
#ifndef HVKIT_VIRTIO_NET_H
#define HVKIT_VIRTIO_NET_H

#include "netdev.h"
#include "pci.h"
#include "wire/virtio.h"

#ifdef __cplusplus
extern "C" {
#endif

struct hvk_virtio_net;

struct hvk_virtio_net_config {
	/* Queue pairs asked for, at most HVK_VIRTIO_NET_QUEUES_MAX; 0 = 1. The device may have fewer. Pair
	 * n is on the n-th started CPU counted from cpu. */
	uint32_t queues;
	uint32_t cpu;
	uint32_t queue_size; /* entries; 0 = 256; a power of two; the device may have fewer */
	uint32_t offloads; /* switched on by attach (HVK_NETDEV_*), as far as the device has them; 0 = none */
	bool polled;       /* no interrupts: the queues are looked at in each hvk_poll */
	/* The function is leaving (pci.h): detach and destroy the device. eject: the host waits, the device
	 * still works. The netdev's own gone hook is called too unless eject. In hvk_poll. */
	void (*leaving)(void *context, struct hvk_virtio_net *device, bool eject);
	void *context;
};
#define HVK_VIRTIO_NET_QUEUES_MAX 64u

/* Memory, and the claim on the function. HVK_EINVAL: no virtio network device, or values out of range;
 * HVK_EBUSY, HVK_EGONE, HVK_ENOMEM. */
hvk_status hvk_virtio_net_create(struct hvk_pci_function *function,
				 const struct hvk_virtio_net_config *config, struct hvk_virtio_net **out);
/* HVK_EREFUSED_VIRTIO: the device does not have what every one of version 1 has, or does not take our
 * features; HVK_ETIMEDOUT_VIRTIO: it does not reset; HVK_EHOST_VIRTIO: its capabilities point outside its
 * BARs, its queues are of no size; what hvk_pci_interrupt_create has. */
void hvk_virtio_net_attach(struct hvk_virtio_net *device, struct hvk_request *request);
/* Frames that were taken and not completed are done with HVK_ECANCELED. A device that does not reset keeps
 * its memory: quarantine, HVK_ETIMEDOUT_TEARDOWN. */
void hvk_virtio_net_detach(struct hvk_virtio_net *device, struct hvk_request *request);
hvk_status hvk_virtio_net_destroy(struct hvk_virtio_net *device);

/* The interface (netdev.h) of the device: there as long as the device is, of use while attached. From
 * anywhere. */
struct hvk_netdev *hvk_virtio_net_netdev(struct hvk_virtio_net *device);
/* The function that it was made for: claimed by the device, not the caller's to release. From anywhere. */
struct hvk_pci_function *hvk_virtio_net_function(struct hvk_virtio_net *device);
uint64_t hvk_virtio_net_features(const struct hvk_virtio_net *device); /* VIRTIO_*F_*, agreed on */
/* The state of the device and of its queues, line by line, as hvk_dump. Task context. */
void hvk_virtio_net_dump(struct hvk_virtio_net *device, hvk_dump_line line, void *context);

#ifdef __cplusplus
}
#endif
#endif
