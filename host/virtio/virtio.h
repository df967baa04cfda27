/* SPDX-License-Identifier: MIT */
/*
 * A virtio 1.x device as a PCI function: its registers and its split virtqueues (OASIS virtio 1.2, 2.7 and
 * 4.1). What the device does with the queues' buffers is its model's. Private to host/virtio.
 *
 * device.c has its life, registers.c the registers, queue.c a queue's indices, chain.c its descriptors.
 * There is no window onto the BARs in configuration space (VIRTIO_PCI_CONFIG_ACCESS): no guest uses it.
 */
#ifndef HVH_VIRTIO_VIRTIO_H
#define HVH_VIRTIO_VIRTIO_H

#include "host/core/core.h"
#include "hvkit/wire/virtio.h"
#include "hvkit_host/pci.h"

#define VIRTIO_QUEUES_MAX (2u * VIRTIO_NET_QUEUE_PAIRS_MAX + 1u)
#define VIRTIO_QUEUE_SIZE 256u /* the longest that the guest may have */
#define VIRTIO_PIECES_MAX 256u /* of a chain: as many as a queue has entries */

#define VIRTIO_REGISTER_BAR 0u
#define VIRTIO_MSIX_BAR 4u
#define VIRTIO_COMMON_AT 0x0000u
#define VIRTIO_ISR_AT 0x1000u
#define VIRTIO_CONFIG_AT 0x2000u
#define VIRTIO_NOTIFY_AT 0x3000u
#define VIRTIO_NOTIFY_STEP 4u
#define VIRTIO_REGISTER_SIZE 0x4000u

struct virtio_device;

/* What the device does. */
struct virtio_model {
	void *context;
	uint64_t features; /* that it offers, beside the transport's */
	uint32_t queue_count;
	uint32_t config_size;
	/* Which features contradict each other: NULL, or what is wrong. */
	const char *(*features_wrong)(void *context, uint64_t features);
	void (*config)(void *context, uint8_t *bytes); /* as it is now */
	/* DRIVER_OK, and a reset. */
	void (*started)(void *context, uint64_t now);
	void (*stopped)(void *context, uint64_t now);
	/* Buffers may have come. Bounded; true if there is more to do. */
	bool (*run)(void *context, uint64_t now);
	uint64_t (*next_event)(void *context);
};

struct virtio_piece {
	uint64_t gpa;
	uint32_t length;
};

/* A buffer of the guest's: what the device reads, then what it writes. */
struct virtio_chain {
	uint16_t head;
	uint32_t count, first_written; /* pieces; from this one on they are written */
	uint32_t readable, writable;   /* bytes */
	struct virtio_piece pieces[VIRTIO_PIECES_MAX];
};

struct virtio_queue {
	struct virtio_device *device;
	uint16_t index, size, vector;
	bool enabled;
	bool looked_at; /* the guest has rung since the last turn, or it was left unfinished */
	uint64_t descriptors, driver, used;
	uint16_t taken;     /* available entries that are in heads, or used */
	uint16_t done;      /* used entries written */
	uint16_t published; /* ... and shown */
	uint16_t flags;     /* of the used ring */
	/* Taken and not used: the oldest first; busy has a bit for each. */
	uint16_t heads[VIRTIO_QUEUE_SIZE];
	uint32_t first, count;
	uint8_t busy[VIRTIO_QUEUE_SIZE / 8];
	uint64_t buffers, kicks, interrupts;
};

struct virtio_device {
	struct hvh_partition *partition;
	struct hvh_vpci *bus;
	struct virtio_model model;
	uint64_t now;
	uint32_t interrupts;
	bool master;
	uint8_t status, generation, isr;
	uint16_t config_vector, select;
	uint32_t device_select, driver_select;
	uint64_t features; /* the driver's */
	bool work;         /* run is wanted */
	struct virtio_queue queues[VIRTIO_QUEUES_MAX];
};

#define VIRTIO_VIOLATE(device, kind, ...) \
	hvh_violate((device)->partition, kind, (device)->now, UINT32_MAX, 0, NULL, 0, __VA_ARGS__)

/* --- device.c -------------------------------------------------------------------------------------- */

/* The function with its bus. pci: vendor, device, class and the like; the rest of it is made here. False:
 * no room. destroy is called with context when the partition ends, and not if this fails. */
bool virtio_device_create(struct virtio_device *device, struct hvh_partition *partition,
			  const struct hvh_vpci_config *config, const struct virtio_model *model,
			  uint32_t interrupts, void (*destroy)(void *context));
static inline bool virtio_is_running(const struct virtio_device *device)
{
	return (device->status & (VIRTIO_STATUS_DRIVER_OK | VIRTIO_STATUS_NEEDS_RESET)) ==
	       VIRTIO_STATUS_DRIVER_OK;
}
static inline bool virtio_has(const struct virtio_device *device, uint64_t feature)
{
	return (device->features & feature) == feature;
}
uint64_t virtio_offered(const struct virtio_device *device);
void virtio_reset(struct virtio_device *device);
/* The guest broke a rule that leaves nothing to go on with: nothing is done until it resets the device. */
void virtio_break(struct virtio_device *device);
/* The configuration is another one. */
void virtio_config_changed(struct virtio_device *device, uint64_t now);
/* The model has something to do that did not come from the guest. */
void virtio_wants_run(struct virtio_device *device, uint64_t now);

/* --- registers.c ----------------------------------------------------------------------------------- */

uint64_t virtio_register_read(void *context, uint64_t now, unsigned bar, uint64_t offset, unsigned width);
void virtio_register_write(void *context, uint64_t now, unsigned bar, uint64_t offset, unsigned width,
			   uint64_t value);

/* --- queue.c --------------------------------------------------------------------------------------- */

void virtio_queue_reset(struct virtio_queue *queue);
/* The guest enables it: NULL if it can be, else what is wrong. */
const char *virtio_queue_enable(struct virtio_queue *queue);
/* Looks for new buffers. How many there are that have not been used. */
uint32_t virtio_queue_look(struct virtio_queue *queue);
/* The oldest buffer is used, length bytes were written into it. */
void virtio_queue_use(struct virtio_queue *queue, uint32_t length);
/* Shows the guest what has been used, and interrupts it if it wants that. */
void virtio_queue_publish(struct virtio_queue *queue);
/* The guest is to ring for new buffers, or need not. */
void virtio_queue_arm(struct virtio_queue *queue);
void virtio_queue_disarm(struct virtio_queue *queue);

/* --- chain.c --------------------------------------------------------------------------------------- */

/* The n-th of the buffers that wait. False: it is none that a device could use; the device is broken. */
bool virtio_chain_parse(struct virtio_queue *queue, uint32_t n, struct virtio_chain *chain);
/* From the readable part. False: out of it, or no RAM (and the device is broken). */
bool virtio_chain_read(struct virtio_queue *queue, const struct virtio_chain *chain, uint32_t offset,
		       void *to, uint32_t length);
/* Into the writable part. */
bool virtio_chain_write(struct virtio_queue *queue, const struct virtio_chain *chain, uint32_t offset,
			const void *from, uint32_t length);

#endif
