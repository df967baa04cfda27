/* SPDX-License-Identifier: MIT */
/*
 * The registers of a virtio device on PCI (virtio 1.2, 4.1.4), and the order in which a driver writes them
 * (3.1.1).
 */
#include <stddef.h>
#include <string.h>

#include "host/virtio/virtio.h"

#define COMMON(field) ((uint32_t)offsetof(struct virtio_pci_common, field))
#define STATUS_ALL                                                                    \
	(VIRTIO_STATUS_ACKNOWLEDGE | VIRTIO_STATUS_DRIVER | VIRTIO_STATUS_DRIVER_OK | \
	 VIRTIO_STATUS_FEATURES_OK | VIRTIO_STATUS_NEEDS_RESET | VIRTIO_STATUS_FAILED)
#define CONFIG_SIZE_MAX 64u
#define HIGH_HALF 4u

static void wrong(struct virtio_device *device, const char *what, uint64_t value)
{
	VIRTIO_VIOLATE(device, HVH_V_VIRTIO, "%s (0x%llx)", what, (unsigned long long)value);
}

static struct virtio_queue *selected(struct virtio_device *device)
{
	return device->select < device->model.queue_count ? &device->queues[device->select] : NULL;
}

/* --- What fields there are ------------------------------------------------------------------------ */

struct field {
	uint32_t offset;
	uint8_t width;
	bool writable;
};

static const struct field fields[] = {
	{COMMON(device_feature_select), 4, true},
	{COMMON(device_feature), 4, false},
	{COMMON(driver_feature_select), 4, true},
	{COMMON(driver_feature), 4, true},
	{COMMON(config_vector), 2, true},
	{COMMON(queue_count), 2, false},
	{COMMON(status), 1, true},
	{COMMON(config_generation), 1, false},
	{COMMON(queue_select), 2, true},
	{COMMON(queue_size), 2, true},
	{COMMON(queue_vector), 2, true},
	{COMMON(queue_enable), 2, true},
	{COMMON(queue_notify_offset), 2, false},
	{COMMON(queue_descriptors), 8, true},
	{COMMON(queue_driver), 8, true},
	{COMMON(queue_device), 8, true},
	{COMMON(queue_notify_data), 2, false},
	{COMMON(queue_reset), 2, false},
};

/* The field that is accessed; of the addresses each half is one. NULL: not as they are to be accessed. */
static const struct field *field_at(uint32_t offset, unsigned width)
{
	for (size_t n = 0; n < sizeof fields / sizeof fields[0]; n++) {
		const struct field *field = &fields[n];

		if (offset == field->offset && width == field->width)
			return field;
		if (field->width == 8 && width == 4 &&
		    (offset == field->offset || offset == field->offset + HIGH_HALF))
			return field;
	}
	return NULL;
}

static uint64_t *address_of(struct virtio_queue *queue, uint32_t offset)
{
	if (offset == COMMON(queue_descriptors))
		return &queue->descriptors;
	return offset == COMMON(queue_driver) ? &queue->driver : &queue->used;
}

/* --- Reading -------------------------------------------------------------------------------------- */

static uint64_t queue_field(struct virtio_queue *queue, const struct field *field)
{
	switch (field->offset) {
	case COMMON(queue_size):
		return queue->size;
	case COMMON(queue_vector):
		return queue->vector;
	case COMMON(queue_enable):
		return queue->enabled;
	case COMMON(queue_notify_offset):
		return queue->index;
	case COMMON(queue_descriptors):
	case COMMON(queue_driver):
	case COMMON(queue_device):
		return *address_of(queue, field->offset);
	default:
		return 0;
	}
}

static uint64_t common_field(struct virtio_device *device, const struct field *field)
{
	switch (field->offset) {
	case COMMON(device_feature_select):
		return device->device_select;
	case COMMON(device_feature):
		return device->device_select < 2
			       ? (uint32_t)(virtio_offered(device) >> (32 * device->device_select))
			       : 0;
	case COMMON(driver_feature_select):
		return device->driver_select;
	case COMMON(driver_feature):
		return device->driver_select < 2
			       ? (uint32_t)(device->features >> (32 * device->driver_select))
			       : 0;
	case COMMON(config_vector):
		return device->config_vector;
	case COMMON(queue_count):
		return device->model.queue_count;
	case COMMON(status):
		return device->status;
	case COMMON(config_generation):
		return device->generation;
	case COMMON(queue_select):
		return device->select;
	default:
		/* Of a queue that is not there all is 0. */
		return selected(device) != NULL ? queue_field(selected(device), field) : 0;
	}
}

static uint64_t common_read(struct virtio_device *device, uint32_t offset, unsigned width)
{
	const struct field *field = field_at(offset, width);
	uint64_t value;

	if (field == NULL) {
		wrong(device, "no register of that width there; each has its own", offset);
		return UINT64_MAX;
	}
	value = common_field(device, field);
	return offset != field->offset ? value >> 32 : width == 4 ? (uint32_t)value : value;
}

static uint64_t config_read(struct virtio_device *device, uint64_t offset, unsigned width)
{
	uint8_t bytes[CONFIG_SIZE_MAX] = {0};
	uint64_t value = 0;

	if (offset + width > device->model.config_size) {
		wrong(device, "read behind the device's configuration", offset);
		return 0;
	}
	device->model.config(device->model.context, bytes);
	memcpy(&value, bytes + offset, width);
	return value;
}

uint64_t virtio_register_read(void *context, uint64_t now, unsigned bar, uint64_t offset, unsigned width)
{
	struct virtio_device *device = context;
	uint8_t isr = device->isr;

	(void)bar;
	device->now = now;
	if (offset >= VIRTIO_NOTIFY_AT) {
		wrong(device, "notification register read; it is written", offset);
		return 0;
	}
	if (offset >= VIRTIO_CONFIG_AT)
		return config_read(device, offset - VIRTIO_CONFIG_AT, width);
	if (offset >= VIRTIO_ISR_AT) {
		if (offset != VIRTIO_ISR_AT || width != 1)
			wrong(device, "interrupt status: one byte at its beginning", offset);
		device->isr = 0;
		return isr;
	}
	return common_read(device, (uint32_t)offset, width);
}

/* --- Writing: the device -------------------------------------------------------------------------- */

static void set_features(struct virtio_device *device, uint32_t half)
{
	uint64_t mask = (uint64_t)UINT32_MAX << (32 * (device->driver_select & 1));
	uint64_t wanted = (uint64_t)half << (32 * (device->driver_select & 1));

	if (device->driver_select > 1) {
		if (half != 0)
			wrong(device, "features above 63, of which none is offered", half);
		return;
	}
	if ((device->status & (VIRTIO_STATUS_DRIVER | VIRTIO_STATUS_FEATURES_OK)) != VIRTIO_STATUS_DRIVER) {
		wrong(device, "features are written after DRIVER and before FEATURES_OK", device->status);
		return;
	}
	if ((wanted & ~virtio_offered(device)) != 0)
		wrong(device, "features that are not offered", wanted & ~virtio_offered(device));
	device->features = (device->features & ~mask) | wanted;
}

static const char *features_wrong(struct virtio_device *device)
{
	if ((device->features & ~virtio_offered(device)) != 0)
		return "features that are not offered";
	if (!virtio_has(device, VIRTIO_F_VERSION_1))
		return "features without VERSION_1: this device has no older interface";
	return device->model.features_wrong(device->model.context, device->features);
}

/* Each bit after those before it. */
static const char *status_wrong(uint8_t before, uint8_t added)
{
	if ((added & ~STATUS_ALL) != 0 || (added & VIRTIO_STATUS_NEEDS_RESET) != 0)
		return "status: bits that a driver does not set";
	if ((added & VIRTIO_STATUS_DRIVER) != 0 && (before & VIRTIO_STATUS_ACKNOWLEDGE) == 0 &&
	    (added & VIRTIO_STATUS_ACKNOWLEDGE) == 0)
		return "status: DRIVER before ACKNOWLEDGE";
	if ((added & VIRTIO_STATUS_FEATURES_OK) != 0 && (before & VIRTIO_STATUS_DRIVER) == 0)
		return "status: FEATURES_OK before DRIVER";
	if ((added & VIRTIO_STATUS_DRIVER_OK) != 0 && (before & VIRTIO_STATUS_FEATURES_OK) == 0)
		return "status: DRIVER_OK before FEATURES_OK has been seen to stay";
	return NULL;
}

static void set_status(struct virtio_device *device, uint8_t value)
{
	uint8_t before = device->status, added = (uint8_t)(value & ~before);
	const char *fault;

	if (value == 0) {
		virtio_reset(device);
		return;
	}
	if ((before & ~value & ~VIRTIO_STATUS_NEEDS_RESET) != 0) {
		wrong(device, "status: bits taken back; 0 resets the device", value);
		return;
	}
	fault = status_wrong(before, added);
	if (fault != NULL) {
		wrong(device, fault, value);
		return;
	}
	if ((added & VIRTIO_STATUS_FEATURES_OK) != 0) {
		fault = features_wrong(device);
		if (fault != NULL) {
			wrong(device, fault, device->features);
			added &= (uint8_t)~VIRTIO_STATUS_FEATURES_OK;
		}
	}
	device->status = before | added;
	if ((added & VIRTIO_STATUS_DRIVER_OK) != 0)
		device->model.started(device->model.context, device->now);
}

/* --- Writing: a queue ----------------------------------------------------------------------------- */

static void set_size(struct virtio_queue *queue, uint16_t value)
{
	if (value == 0 || value > VIRTIO_QUEUE_SIZE || (value & (value - 1)) != 0)
		wrong(queue->device, "queue size: a power of two, at most what it was", value);
	else
		queue->size = value;
}

static void set_address(struct virtio_queue *queue, const struct field *field, uint32_t offset,
			unsigned width, uint64_t value)
{
	uint64_t *address = address_of(queue, field->offset);

	if (width == 8)
		*address = value;
	else if (offset == field->offset)
		*address = (*address & ~(uint64_t)UINT32_MAX) | (uint32_t)value;
	else
		*address = (*address & UINT32_MAX) | value << 32;
}

static void enable(struct virtio_queue *queue, uint64_t value)
{
	struct virtio_device *device = queue->device;
	const char *fault = NULL;

	if (value != 1)
		fault = "queue enable: 1 is all that is written";
	else if ((device->status & VIRTIO_STATUS_FEATURES_OK) == 0 ||
		 (device->status & VIRTIO_STATUS_DRIVER_OK) != 0)
		fault = "queues are enabled between FEATURES_OK and DRIVER_OK";
	else if (!device->master)
		fault = "queue enabled while the function is no bus master";
	else
		fault = virtio_queue_enable(queue);
	if (fault != NULL)
		wrong(device, fault, queue->index);
}

static void queue_write(struct virtio_device *device, const struct field *field, uint32_t offset,
			unsigned width, uint64_t value)
{
	struct virtio_queue *queue = selected(device);

	if (queue == NULL) {
		wrong(device, "a queue that there is not is written to", device->select);
		return;
	}
	if (field->offset == COMMON(queue_vector)) {
		queue->vector = value < device->interrupts ? (uint16_t)value : VIRTIO_NO_VECTOR;
		return;
	}
	if (queue->enabled) {
		wrong(device, "a queue that is enabled is written to", queue->index);
		return;
	}
	if (field->offset == COMMON(queue_size))
		set_size(queue, (uint16_t)value);
	else if (field->offset == COMMON(queue_enable))
		enable(queue, value);
	else
		set_address(queue, field, offset, width, value);
}

static void common_write(struct virtio_device *device, uint32_t offset, unsigned width, uint64_t value)
{
	const struct field *field = field_at(offset, width);

	if (field == NULL || !field->writable) {
		wrong(device, "no register of that width to write there", offset);
		return;
	}
	switch (field->offset) {
	case COMMON(device_feature_select):
		device->device_select = (uint32_t)value;
		break;
	case COMMON(driver_feature_select):
		device->driver_select = (uint32_t)value;
		break;
	case COMMON(driver_feature):
		set_features(device, (uint32_t)value);
		break;
	case COMMON(config_vector):
		device->config_vector = value < device->interrupts ? (uint16_t)value : VIRTIO_NO_VECTOR;
		break;
	case COMMON(status):
		set_status(device, (uint8_t)value);
		break;
	case COMMON(queue_select):
		device->select = (uint16_t)value;
		break;
	default:
		queue_write(device, field, offset, width, value);
		break;
	}
}

/* --- Notifications -------------------------------------------------------------------------------- */

static void notify(struct virtio_device *device, uint64_t offset, unsigned width, uint64_t value)
{
	uint64_t index = offset / VIRTIO_NOTIFY_STEP;

	if (offset % VIRTIO_NOTIFY_STEP != 0 || width != 2 || index >= device->model.queue_count ||
	    value != index) {
		wrong(device, "notification: two bytes, the queue's number, where its offset says", value);
		return;
	}
	if ((device->status & VIRTIO_STATUS_NEEDS_RESET) != 0)
		return; /* the guest may not have seen it yet */
	if ((device->status & VIRTIO_STATUS_DRIVER_OK) == 0 || !device->queues[index].enabled) {
		wrong(device, "notification before DRIVER_OK, or of a queue that is not enabled", index);
		return;
	}
	if (!device->master)
		wrong(device, "notification while the function is no bus master", index);
	device->queues[index].kicks++;
	device->queues[index].looked_at = true;
	device->work = true;
}

void virtio_register_write(void *context, uint64_t now, unsigned bar, uint64_t offset, unsigned width,
			   uint64_t value)
{
	struct virtio_device *device = context;

	(void)bar;
	device->now = now;
	if (offset >= VIRTIO_NOTIFY_AT)
		notify(device, offset - VIRTIO_NOTIFY_AT, width, value);
	else if (offset >= VIRTIO_CONFIG_AT)
		wrong(device, "the device's configuration is only read", offset - VIRTIO_CONFIG_AT);
	else if (offset >= VIRTIO_ISR_AT)
		wrong(device, "interrupt status is only read", value);
	else
		common_write(device, (uint32_t)offset, width, value);
}
