/* SPDX-License-Identifier: MIT */
/* The function around a virtio device: its capabilities, BARs and interrupts; and its resets. */
#include <string.h>

#include "host/virtio/virtio.h"

#define FEATURES_OF_TRANSPORT (VIRTIO_F_VERSION_1 | VIRTIO_F_INDIRECT | VIRTIO_F_EVENT_IDX)
#define REVISION 1u /* of a device that has no older interface */
#define BAR_SIZE_MIN 4096u
#define SUBSYSTEM 0x40u

uint64_t virtio_offered(const struct virtio_device *device)
{
	return device->model.features | FEATURES_OF_TRANSPORT;
}

void virtio_reset(struct virtio_device *device)
{
	bool was_running = (device->status & VIRTIO_STATUS_DRIVER_OK) != 0;

	device->status = device->isr = 0;
	device->config_vector = VIRTIO_NO_VECTOR;
	device->select = 0;
	device->device_select = device->driver_select = 0;
	device->features = 0;
	device->work = false;
	for (uint32_t n = 0; n < device->model.queue_count; n++)
		virtio_queue_reset(&device->queues[n]);
	if (was_running)
		device->model.stopped(device->model.context, device->now);
}

static void config_interrupt(struct virtio_device *device)
{
	device->isr |= VIRTIO_ISR_CONFIG;
	if (device->config_vector != VIRTIO_NO_VECTOR)
		hvh_vpci_interrupt(device->bus, device->now, device->config_vector);
}

void virtio_break(struct virtio_device *device)
{
	if ((device->status & VIRTIO_STATUS_NEEDS_RESET) != 0)
		return;
	device->status |= VIRTIO_STATUS_NEEDS_RESET;
	if ((device->status & VIRTIO_STATUS_DRIVER_OK) != 0)
		config_interrupt(device);
}

void virtio_config_changed(struct virtio_device *device, uint64_t now)
{
	device->now = now;
	device->generation++;
	if (virtio_is_running(device))
		config_interrupt(device);
}

void virtio_wants_run(struct virtio_device *device, uint64_t now)
{
	device->now = now;
	device->work = true;
	hvh_kick(device->partition);
}

/* --- As a PCI model ------------------------------------------------------------------------------- */

static void device_reset(void *context, uint64_t now)
{
	struct virtio_device *device = context;

	device->now = now;
	virtio_reset(device);
}

static void device_enabled(void *context, uint64_t now, bool memory, bool master)
{
	struct virtio_device *device = context;

	(void)memory;
	device->now = now;
	device->master = master;
	if (master)
		device->work = true; /* what was shown meanwhile */
}

static bool device_run(void *context, uint64_t now)
{
	struct virtio_device *device = context;

	device->now = now;
	device->work = false;
	if (!virtio_is_running(device) || !device->master)
		return false;
	return device->model.run(device->model.context, now);
}

static uint64_t device_next_event(void *context)
{
	struct virtio_device *device = context;

	if (!virtio_is_running(device) || !device->master)
		return HVH_NEVER;
	return device->work ? 0 : device->model.next_event(device->model.context);
}

struct capabilities {
	struct virtio_pci_capability common;
	struct virtio_pci_notify_capability notify;
	struct virtio_pci_capability isr, config;
} __attribute__((packed));

static struct virtio_pci_capability capability(uint8_t kind, uint32_t offset, uint32_t size)
{
	return (struct virtio_pci_capability){
		.id = PCI_CAPABILITY_VENDOR,
		.length = (uint8_t)(kind == VIRTIO_PCI_NOTIFY ? sizeof(struct virtio_pci_notify_capability)
							      : sizeof(struct virtio_pci_capability)),
		.kind = kind,
		.bar = VIRTIO_REGISTER_BAR,
		.offset = offset,
		.size = size,
	};
}

static struct capabilities make_capabilities(const struct virtio_model *model)
{
	struct capabilities all = {
		.common = capability(VIRTIO_PCI_COMMON, VIRTIO_COMMON_AT, sizeof(struct virtio_pci_common)),
		.notify.capability = capability(VIRTIO_PCI_NOTIFY, VIRTIO_NOTIFY_AT,
						model->queue_count * VIRTIO_NOTIFY_STEP),
		.notify.multiplier = VIRTIO_NOTIFY_STEP,
		.isr = capability(VIRTIO_PCI_ISR, VIRTIO_ISR_AT, 1),
		.config = capability(VIRTIO_PCI_DEVICE_CONFIG, VIRTIO_CONFIG_AT, model->config_size),
	};

	return all;
}

static uint64_t msix_size(uint32_t interrupts)
{
	uint64_t size = BAR_SIZE_MIN;

	while (size < 2ull * interrupts * sizeof(struct pci_msix_entry))
		size *= 2;
	return size;
}

bool virtio_device_create(struct virtio_device *device, struct hvh_partition *partition,
			  const struct hvh_vpci_config *config, const struct virtio_model *model,
			  uint32_t interrupts, void (*destroy)(void *context))
{
	struct capabilities capabilities = make_capabilities(model);
	struct hvh_pci_model pci = {
		.context = device,
		.vendor_id = VIRTIO_PCI_VENDOR,
		.device_id = VIRTIO_PCI_DEVICE_NET,
		.subsystem_vendor_id = VIRTIO_PCI_VENDOR,
		.subsystem_id = SUBSYSTEM,
		.revision = REVISION,
		.class_ = PCI_CLASS_NETWORK,
		.subclass = PCI_SUBCLASS_ETHERNET,
		.bars = {[VIRTIO_REGISTER_BAR] = {.size = VIRTIO_REGISTER_SIZE, .wide = true},
			 [VIRTIO_MSIX_BAR] = {.size = msix_size(interrupts), .wide = true}},
		.interrupts = (uint16_t)interrupts,
		.msix_bar = VIRTIO_MSIX_BAR,
		.capabilities = (const uint8_t *)&capabilities,
		.capabilities_size = sizeof capabilities,
		.read = virtio_register_read,
		.write = virtio_register_write,
		.reset = device_reset,
		.enabled = device_enabled,
		.run = device_run,
		.next_event = device_next_event,
		.destroy = destroy,
	};

	device->partition = partition;
	device->model = *model;
	device->interrupts = interrupts;
	device->config_vector = VIRTIO_NO_VECTOR;
	for (uint32_t n = 0; n < model->queue_count; n++) {
		device->queues[n].device = device;
		device->queues[n].index = (uint16_t)n;
		virtio_queue_reset(&device->queues[n]);
	}
	device->bus = hvh_vpci_create(partition, config, &pci);
	return device->bus != NULL;
}
