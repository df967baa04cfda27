/* SPDX-License-Identifier: MIT */
/* A split virtqueue: who has shown what, and who is to be told (virtio 1.2, 2.7.6 to 2.7.10). */
#include <string.h>

#include "host/virtio/virtio.h"

#define INDEX_AT 2u
#define INDEX_SHIFT 16u
#define RING_AT 4u
#define DESCRIPTORS_ALIGNED 16u
#define DRIVER_ALIGNED 2u
#define USED_ALIGNED 4u

void virtio_queue_reset(struct virtio_queue *queue)
{
	struct virtio_device *device = queue->device;
	uint16_t index = queue->index;

	memset(queue, 0, sizeof *queue);
	queue->device = device;
	queue->index = index;
	queue->size = VIRTIO_QUEUE_SIZE;
	queue->vector = VIRTIO_NO_VECTOR;
}

static bool refuse(struct virtio_queue *queue, const char *what, uint64_t value)
{
	VIRTIO_VIOLATE(queue->device, HVH_V_VIRTQ, "queue %u: %s (0x%llx)", queue->index, what,
		       (unsigned long long)value);
	virtio_break(queue->device);
	return false;
}

/* --- Enabling ------------------------------------------------------------------------------------- */

static bool is_ram(struct hvh_partition *partition, uint64_t gpa, uint32_t length)
{
	uint8_t byte;

	for (uint32_t at = 0; at < length; at += HVK_PAGE_SIZE - (uint32_t)((gpa + at) % HVK_PAGE_SIZE))
		if (!hvh_memory_read(partition, gpa + at, &byte, sizeof byte))
			return false;
	return hvh_memory_read(partition, gpa + length - 1, &byte, sizeof byte);
}

const char *virtio_queue_enable(struct virtio_queue *queue)
{
	struct hvh_partition *partition = queue->device->partition;

	if (queue->descriptors % DESCRIPTORS_ALIGNED != 0 || queue->driver % DRIVER_ALIGNED != 0 ||
	    queue->used % USED_ALIGNED != 0)
		return "descriptors are to be aligned to 16 bytes, the available ring to 2, the used ring to "
		       "4";
	if (!is_ram(partition, queue->descriptors, queue->size * (uint32_t)sizeof(struct virtq_descriptor)) ||
	    !is_ram(partition, queue->driver, VIRTQ_AVAILABLE_SIZE(queue->size)) ||
	    !is_ram(partition, queue->used, VIRTQ_USED_SIZE(queue->size)))
		return "its descriptors and rings are to be in RAM";
	queue->enabled = true;
	return NULL;
}

/* --- From the guest ------------------------------------------------------------------------------- */

static bool load(struct virtio_queue *queue, uint64_t gpa, uint16_t *value)
{
	return hvh_memory_load16(queue->device->partition, gpa, value) ||
	       refuse(queue, "its rings are no RAM any more", gpa);
}

/* Flags and index in front of the available ring. Drivers may write both as one word: it is then read as one,
 * too, as atomic accesses of two sizes to one place promise nothing. */
static bool load_available(struct virtio_queue *queue, uint16_t *flags, uint16_t *index)
{
	uint32_t word;

	if (queue->driver % sizeof word != 0)
		return load(queue, queue->driver, flags) && load(queue, queue->driver + INDEX_AT, index);
	if (!hvh_memory_load32(queue->device->partition, queue->driver, &word))
		return refuse(queue, "its rings are no RAM any more", queue->driver);
	*flags = (uint16_t)word;
	*index = (uint16_t)(word >> INDEX_SHIFT);
	return true;
}

static bool take(struct virtio_queue *queue)
{
	uint64_t at = queue->driver + RING_AT + 2u * (queue->taken % queue->size);
	uint16_t head;

	if (!load(queue, at, &head))
		return false;
	if (head >= queue->size)
		return refuse(queue, "available entry that is no descriptor", head);
	if ((queue->busy[head / 8] >> (head % 8) & 1) != 0)
		return refuse(queue, "buffer made available that the device still has", head);
	queue->busy[head / 8] |= (uint8_t)(1u << (head % 8));
	queue->heads[(queue->first + queue->count++) % VIRTIO_QUEUE_SIZE] = head;
	queue->taken++;
	queue->buffers++;
	return true;
}

uint32_t virtio_queue_look(struct virtio_queue *queue)
{
	uint16_t flags, index;

	if (!queue->enabled || !virtio_is_running(queue->device) || !queue->device->master)
		return 0;
	if (!load_available(queue, &flags, &index))
		return 0;
	if ((uint16_t)(index - queue->taken) > queue->size - queue->count) {
		refuse(queue, "available index is further than the queue is long", index);
		return 0;
	}
	while (queue->taken != index)
		if (!take(queue))
			return 0;
	return queue->count;
}

/* --- To the guest --------------------------------------------------------------------------------- */

void virtio_queue_use(struct virtio_queue *queue, uint32_t length)
{
	uint16_t head = queue->heads[queue->first];
	const struct virtq_used_element element = {head, length};
	uint64_t at = queue->used + RING_AT + sizeof element * (queue->done % queue->size);

	queue->first = (queue->first + 1) % VIRTIO_QUEUE_SIZE;
	queue->count--;
	queue->busy[head / 8] &= (uint8_t) ~(1u << (head % 8));
	queue->done++;
	if (!hvh_memory_write(queue->device->partition, at, &element, sizeof element))
		refuse(queue, "its rings are no RAM any more", at);
}

/* Has the index passed the event since it was shown last? */
static bool passed(uint16_t event, uint16_t now, uint16_t before)
{
	return (uint16_t)(now - event - 1u) < (uint16_t)(now - before);
}

static bool wants_interrupt(struct virtio_queue *queue, uint16_t before)
{
	uint16_t word, index;

	if (virtio_has(queue->device, VIRTIO_F_EVENT_IDX))
		return load(queue, queue->driver + RING_AT + 2u * queue->size, &word) &&
		       passed(word, queue->done, before);
	return load_available(queue, &word, &index) && (word & VIRTQ_AVAILABLE_NO_INTERRUPT) == 0;
}

/* In front of the used ring, one word for the same reason. */
static bool show_used(struct virtio_queue *queue)
{
	return hvh_memory_store32(queue->device->partition, queue->used,
				  queue->flags | (uint32_t)queue->published << INDEX_SHIFT) ||
	       refuse(queue, "its rings are no RAM any more", queue->used);
}

void virtio_queue_publish(struct virtio_queue *queue)
{
	struct virtio_device *device = queue->device;
	uint16_t before = queue->published;

	if (queue->done == before || !virtio_is_running(device))
		return;
	queue->published = queue->done;
	if (!show_used(queue))
		return;
	hvh_memory_barrier();
	if (!wants_interrupt(queue, before))
		return;
	queue->interrupts++;
	device->isr |= VIRTIO_ISR_QUEUE;
	if (queue->vector != VIRTIO_NO_VECTOR)
		hvh_vpci_interrupt(device->bus, device->now, queue->vector);
}

static void set_flags(struct virtio_queue *queue, uint16_t flags)
{
	queue->flags = flags;
	(void)show_used(queue);
}

/* Then looks once more: what came in between was not rung for. */
void virtio_queue_arm(struct virtio_queue *queue)
{
	struct virtio_device *device = queue->device;
	uint32_t before = queue->count;

	if (!queue->enabled || !virtio_is_running(device))
		return;
	if (!virtio_has(device, VIRTIO_F_EVENT_IDX))
		set_flags(queue, 0);
	else if (!hvh_memory_store16(device->partition,
				     queue->used + RING_AT + sizeof(struct virtq_used_element) * queue->size,
				     queue->taken))
		refuse(queue, "its rings are no RAM any more", queue->used);
	hvh_memory_barrier();
	if (virtio_queue_look(queue) > before)
		queue->looked_at = true;
}

/* With event indices one that is past does it. */
void virtio_queue_disarm(struct virtio_queue *queue)
{
	if (queue->enabled && virtio_is_running(queue->device) &&
	    !virtio_has(queue->device, VIRTIO_F_EVENT_IDX))
		set_flags(queue, VIRTQ_USED_NO_NOTIFY);
}
