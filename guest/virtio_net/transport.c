/* SPDX-License-Identifier: MIT */
#include "guest/virtio_net/transport.h"

#include "guest/virtio_net/virtq.h"

#define CAPABILITIES_MAX 32u
#define CONFIG_TRIES 4u
#define COMMON_MIN 56u /* up to queue_device; what follows is of 1.2 */

#define COMMON(field) ((uint32_t)offsetof(struct virtio_pci_common, field))

static void read_capability(struct hvk_pci_function *function, uint32_t at,
			    struct virtio_pci_notify_capability *out)
{
	uint32_t words[sizeof(*out) / 4];

	for (uint32_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		words[i] = hvk_pci_config_read(function, at + 4u * i, 4);
	memcpy(out, words, sizeof(words));
}

static struct hvk_virtio_region *region_of(struct hvk_virtio_transport *transport, uint8_t kind)
{
	switch (kind) {
	case VIRTIO_PCI_COMMON:
		return &transport->common;
	case VIRTIO_PCI_NOTIFY:
		return &transport->notify;
	case VIRTIO_PCI_DEVICE_CONFIG:
		return &transport->device;
	default:
		return NULL;
	}
}

/* Registers are accessed in their own widths: a region that does not begin where it may is none. */
static bool is_inside(uint64_t bar_size, const struct virtio_pci_capability *capability)
{
	uint32_t alignment = capability->kind == VIRTIO_PCI_NOTIFY ? 2 : 4;

	return capability->offset % alignment == 0 && capability->size <= bar_size &&
	       capability->offset <= bar_size - capability->size;
}

/* The first of each kind that can be used (virtio 1.2, 4.1.4): not by a BAR that is not there. */
static hvk_status take(struct hvk_virtio_transport *transport,
		       const struct virtio_pci_notify_capability *found)
{
	const struct virtio_pci_capability *capability = &found->capability;
	struct hvk_virtio_region *region = region_of(transport, capability->kind);
	bool notify = capability->kind == VIRTIO_PCI_NOTIFY;
	uint64_t bar_size;

	if (!region || region->size != 0 || capability->bar >= PCI_BARS)
		return HVK_OK;
	bar_size = hvk_pci_get_info(transport->function)->bars[capability->bar].size;
	if (bar_size == 0)
		return HVK_OK;
	if (capability->length < (notify ? sizeof(*found) : sizeof(*capability)) ||
	    !is_inside(bar_size, capability))
		return HVK_EHOST_VIRTIO;
	*region = (struct hvk_virtio_region){capability->bar, capability->offset, capability->size};
	if (notify)
		transport->notify_multiplier = found->multiplier;
	return HVK_OK;
}

hvk_status hvk_virtio_find(struct hvk_virtio_transport *transport, struct hvk_pci_function *function)
{
	*transport = (struct hvk_virtio_transport){.function = function};
	for (uint32_t n = 0; n < CAPABILITIES_MAX; n++) {
		uint32_t at = hvk_pci_find_capability(function, PCI_CAPABILITY_VENDOR, n);
		struct virtio_pci_notify_capability found;
		hvk_status status;

		if (at == 0)
			break;
		read_capability(function, at, &found);
		status = take(transport, &found);
		if (status != HVK_OK)
			return status;
	}
	return transport->common.size >= COMMON_MIN && transport->notify.size >= 2 ? HVK_OK
										   : HVK_EREFUSED_VIRTIO;
}

/* --- Registers -------------------------------------------------------------------------- */

uint32_t hvk_virtio_common_read(const struct hvk_virtio_transport *transport, uint32_t offset, unsigned width)
{
	return (uint32_t)hvk_pci_bar_read(transport->function, transport->common.bar,
					  transport->common.offset + offset, width);
}

void hvk_virtio_common_write(const struct hvk_virtio_transport *transport, uint32_t offset, unsigned width,
			     uint32_t value)
{
	hvk_pci_bar_write(transport->function, transport->common.bar, transport->common.offset + offset,
			  width, value);
}

static void read_field(const struct hvk_virtio_transport *transport, const struct hvk_virtio_field *field,
		       uint8_t *to)
{
	for (uint32_t i = 0; i < field->count; i++) {
		uint32_t at = field->offset + i * field->width;
		uint64_t value;

		if (!hvk_fits(at, field->width, transport->device.size))
			return;
		value = hvk_pci_bar_read(transport->function, transport->device.bar,
					 transport->device.offset + at, field->width);
		memcpy(to + at, &value, field->width);
	}
}

void hvk_virtio_config_read(const struct hvk_virtio_transport *transport,
			    const struct hvk_virtio_field *fields, uint32_t count, uint64_t features,
			    void *to)
{
	for (uint32_t try = 0; try < CONFIG_TRIES; try++) {
		uint32_t generation = hvk_virtio_common_read(transport, COMMON(config_generation), 1);

		for (uint32_t i = 0; i < count; i++) {
			if (fields[i].feature & features)
				read_field(transport, &fields[i], to);
		}
		if (hvk_virtio_common_read(transport, COMMON(config_generation), 1) == generation)
			return;
	}
}

uint8_t hvk_virtio_status(const struct hvk_virtio_transport *transport)
{
	return (uint8_t)hvk_virtio_common_read(transport, COMMON(status), 1);
}

void hvk_virtio_set_status(const struct hvk_virtio_transport *transport, uint8_t status)
{
	hvk_virtio_common_write(transport, COMMON(status), 1, status);
}

uint64_t hvk_virtio_features(const struct hvk_virtio_transport *transport)
{
	uint64_t features = 0;

	for (uint32_t half = 0; half < 2; half++) {
		hvk_virtio_common_write(transport, COMMON(device_feature_select), 4, half);
		features |= (uint64_t)hvk_virtio_common_read(transport, COMMON(device_feature), 4)
			    << (32u * half);
	}
	return features;
}

void hvk_virtio_set_features(const struct hvk_virtio_transport *transport, uint64_t features)
{
	for (uint32_t half = 0; half < 2; half++) {
		hvk_virtio_common_write(transport, COMMON(driver_feature_select), 4, half);
		hvk_virtio_common_write(transport, COMMON(driver_feature), 4,
					(uint32_t)(features >> (32u * half)));
	}
}

/* A vector reads back as it was written, or the device has none for it (virtio 1.2, 4.1.5.1.2). */
static hvk_status set_vector(const struct hvk_virtio_transport *transport, uint32_t offset, uint16_t vector)
{
	hvk_virtio_common_write(transport, offset, 2, vector);
	if (vector == VIRTIO_NO_VECTOR || (uint16_t)hvk_virtio_common_read(transport, offset, 2) == vector)
		return HVK_OK;
	return HVK_EREFUSED_VIRTIO;
}

hvk_status hvk_virtio_set_config_vector(const struct hvk_virtio_transport *transport, uint16_t vector)
{
	return set_vector(transport, COMMON(config_vector), vector);
}

/* --- Queues ----------------------------------------------------------------------------- */

uint16_t hvk_virtio_queue_size(const struct hvk_virtio_transport *transport, uint16_t index)
{
	hvk_virtio_common_write(transport, COMMON(queue_select), 2, index);
	return (uint16_t)hvk_virtio_common_read(transport, COMMON(queue_size), 2);
}

static void write_address(const struct hvk_virtio_transport *transport, uint32_t offset, uint64_t gpa)
{
	hvk_virtio_common_write(transport, offset, 4, (uint32_t)gpa);
	hvk_virtio_common_write(transport, offset + 4, 4, (uint32_t)(gpa >> 32));
}

hvk_status hvk_virtio_queue_enable(const struct hvk_virtio_transport *transport,
				   const struct hvk_virtq *queue, uint16_t vector, uint32_t *notify)
{
	hvk_status status;
	uint64_t at;

	hvk_virtio_common_write(transport, COMMON(queue_select), 2, queue->index);
	hvk_virtio_common_write(transport, COMMON(queue_size), 2, queue->size);
	status = set_vector(transport, COMMON(queue_vector), vector);
	if (status != HVK_OK)
		return status;
	write_address(transport, COMMON(queue_descriptors), queue->descriptors_gpa);
	write_address(transport, COMMON(queue_driver), queue->available_gpa);
	write_address(transport, COMMON(queue_device), queue->used_gpa);
	at = (uint64_t)(uint16_t)hvk_virtio_common_read(transport, COMMON(queue_notify_offset), 2) *
	     transport->notify_multiplier;
	if (at % 2 != 0 || at > transport->notify.size - 2u)
		return HVK_EHOST_VIRTIO;
	*notify = (uint32_t)at;
	hvk_virtio_common_write(transport, COMMON(queue_enable), 2, 1);
	return HVK_OK;
}

void hvk_virtio_notify(const struct hvk_virtio_transport *transport, const struct hvk_virtq *queue,
		       uint32_t notify)
{
	hvk_pci_bar_write(transport->function, transport->notify.bar, transport->notify.offset + notify, 2,
			  queue->index);
}
