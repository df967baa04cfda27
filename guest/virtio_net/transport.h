/* SPDX-License-Identifier: MIT */
/*
 * The virtio 1.x PCI transport: where a device's registers are, and reading and writing them. What
 * capabilities say is checked against the BARs. Private to guest/virtio_net.
 */
#ifndef HVK_VIRTIO_NET_TRANSPORT_H
#define HVK_VIRTIO_NET_TRANSPORT_H

#include "guest/core/core.h"
#include "hvkit/pci.h"
#include "hvkit/wire/virtio.h"

struct hvk_virtio_region {
	uint8_t bar;
	uint32_t offset, size; /* size 0: there is none */
};

struct hvk_virtio_transport {
	struct hvk_pci_function *function;
	struct hvk_virtio_region common, notify, device;
	uint32_t notify_multiplier;
};

/* The first capability of each kind whose BAR there is. HVK_EREFUSED_VIRTIO: it lacks one that each device of
 * version 1 has; HVK_EHOST_VIRTIO: one points outside its BAR. */
hvk_status hvk_virtio_find(struct hvk_virtio_transport *transport, struct hvk_pci_function *function);

uint32_t hvk_virtio_common_read(const struct hvk_virtio_transport *transport, uint32_t offset,
				unsigned width);
void hvk_virtio_common_write(const struct hvk_virtio_transport *transport, uint32_t offset, unsigned width,
			     uint32_t value);

/* A field of the device's own configuration, or several in a row: each is read by its own width. */
struct hvk_virtio_field {
	uint8_t offset, width, count;
	uint64_t feature; /* it is there with this one only */
};

/* Those of the fields that are there, to their offsets in to; read until the configuration's generation stays
 * the same, at most four times. */
void hvk_virtio_config_read(const struct hvk_virtio_transport *transport,
			    const struct hvk_virtio_field *fields, uint32_t count, uint64_t features,
			    void *to);

uint8_t hvk_virtio_status(const struct hvk_virtio_transport *transport);
void hvk_virtio_set_status(const struct hvk_virtio_transport *transport, uint8_t status);
uint64_t hvk_virtio_features(const struct hvk_virtio_transport *transport);
void hvk_virtio_set_features(const struct hvk_virtio_transport *transport, uint64_t features);

/* HVK_EREFUSED_VIRTIO: the device has no resources for it. */
hvk_status hvk_virtio_set_config_vector(const struct hvk_virtio_transport *transport, uint16_t vector);

/* Its queue's largest size, 0 if there is no such queue. */
uint16_t hvk_virtio_queue_size(const struct hvk_virtio_transport *transport, uint16_t index);
struct hvk_virtq;
/* HVK_EREFUSED_VIRTIO: the device has no resources for its vector; HVK_EHOST_VIRTIO: its notification
 * register lies outside the region. *notify is its offset there. */
hvk_status hvk_virtio_queue_enable(const struct hvk_virtio_transport *transport,
				   const struct hvk_virtq *queue, uint16_t vector, uint32_t *notify);
void hvk_virtio_notify(const struct hvk_virtio_transport *transport, const struct hvk_virtq *queue,
		       uint32_t notify);

#endif
