/* SPDX-License-Identifier: MIT */
/*
 * A virtio network device for tests of guest/virtio_net: registers, rings and commands as virtio 1.2 has
 * them, and hvk_pci_* as the driver sees them. It shares no code with the drivers or the model. What a
 * driver must not do is a violation (device->violation); what a device must not do is the test's.
 *
 * The machine that it is part of is virtio_machine.h, which is what a test includes.
 */
#ifndef TESTS_VIRTIO_DEVICE_H
#define TESTS_VIRTIO_DEVICE_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "guest/core/core.h"
#include "hvkit/virtio_net.h"
#include "tests/support/polled_port.h"

#undef memcpy
#undef memmove
#undef memset
#undef memcmp

#define VD_CPUS 4u
#define VD_QUEUES 24u
#define VD_ENTRIES 1024u
#define VD_INTERRUPTS 16u
#define VD_BAR 4u
#define VD_BAR_SIZE 0x4000u
#define VD_NOTIFY_AT 0x3000u
#define VD_CONFIG_AT 0x2000u
#define VD_NOTIFY_MULTIPLIER 4u
#define VD_FRAME_MAX 70000u
#define VD_USERS 8u
#define VD_TURNS 3000u
#define VD_FEATURES                                                                                          \
	(VIRTIO_F_VERSION_1 | VIRTIO_NET_F_MAC | VIRTIO_NET_F_STATUS | VIRTIO_NET_F_MTU |                    \
	 VIRTIO_NET_F_CSUM | VIRTIO_NET_F_GUEST_CSUM | VIRTIO_NET_F_HOST_TSO4 | VIRTIO_NET_F_HOST_TSO6 |     \
	 VIRTIO_NET_F_GUEST_TSO4 | VIRTIO_NET_F_GUEST_TSO6 | VIRTIO_NET_F_MRG_RXBUF | VIRTIO_NET_F_CTRL_VQ | \
	 VIRTIO_NET_F_CTRL_RX | VIRTIO_NET_F_MQ | VIRTIO_NET_F_CTRL_GUEST_OFFLOADS |                         \
	 VIRTIO_NET_F_SPEED_DUPLEX | VIRTIO_F_EVENT_IDX)

struct vd_queue {
	uint16_t size_max, size, vector;
	bool enabled, notified;
	uint64_t descriptors, available, used;
	uint16_t taken, given;                 /* indices of both rings */
	uint16_t held[VD_ENTRIES], held_count; /* heads that were taken and not given back */
	uint32_t notifications, interrupts;
};

struct vd_interrupt {
	bool created, pending;
	uint32_t cpu, raised;
	void (*handler)(void *context, struct hvk_pci_function *function, uint32_t index);
	void *context;
	struct hvk_poller poller;
};

struct vd_command {
	uint8_t class_, command;
	uint32_t length;
	uint8_t data[1024];
};

struct vd_sent {
	struct virtio_net_header header;
	uint32_t length, queue;
	uint8_t bytes[VD_FRAME_MAX];
};

struct hvk_pci_function { /* the test's own */
	struct polled_port port;
	struct hvk *hvk;
	uint32_t cpus, cpu;
	struct hvk_pci_info info;
	struct hvk_pci_hooks hooks;
	bool claimed, released, gone, memory, master;
	uint8_t config[256];
	struct vd_interrupt interrupts[VD_INTERRUPTS];
	uint32_t interrupt_refused; /* that entry's creation fails so; HVK_OK: none does */
	hvk_status interrupt_status;
	struct hvk_request *interrupt_withheld; /* answered by vd_interrupt_answer */
	bool withholds_interrupts;

	/* The device, as it was made. */
	uint64_t features;
	struct virtio_net_config net;
	uint16_t queue_max, queue_count;
	uint32_t resets_late; /* reads of the status before it is 0 */
	bool never_resets, refuses_features, no_vector, no_config_vector;
	uint32_t moving;   /* reads of the generation that differ */
	bool holds_frames; /* sent frames are taken, not given back */
	bool mute_control, refuse_control;
	bool no_notifications; /* asks for none, and looks by itself */
	bool lazy;             /* looks only at what it was told of; in vd_turn */

	/* As it is. */
	uint8_t status, generation;
	uint32_t late;
	uint64_t agreed;
	uint32_t device_select, driver_select;
	uint16_t config_vector, queue_select;
	struct vd_queue queues[VD_QUEUES];
	uint8_t isr;
	struct vd_command commands[64];
	uint32_t command_count;
	uint32_t pairs;
	uint64_t offloads;
	struct vd_sent sent; /* the last */
	uint32_t sent_count;
	uint64_t reads, writes;
	bool enable_lies; /* the bus does not know yet that it has gone */
	bool freed_early; /* memory was given back that it could write */
	/* What a register reads as, instead of its value. */
	bool (*forged)(struct hvk_pci_function *device, uint64_t offset, uint64_t *value);

	struct {
		uint64_t from, to;
	} users[VD_USERS];
	char violation[160];
};

typedef struct hvk_pci_function vd;

static inline void vd_violation(vd *device, const char *what)
{
	if (device->violation[0] == 0)
		(void)snprintf(device->violation, sizeof(device->violation), "%s", what);
}

static inline bool vd_check(vd *device, bool condition, const char *what)
{
	if (!condition)
		vd_violation(device, what);
	return condition;
}

/* --- Memory of the guest ------------------------------------------------------------------- */

static inline void vd_user(vd *device, const void *memory, size_t bytes)
{
	for (uint32_t i = 0; i < VD_USERS; i++) {
		if (device->users[i].to == 0) {
			device->users[i].from = (uint64_t)(uintptr_t)memory;
			device->users[i].to = device->users[i].from + bytes;
			return;
		}
	}
	abort();
}

static inline uint8_t *vd_at(vd *device, uint64_t gpa, uint32_t length)
{
	uint8_t *found = polled_port_at(&device->port, gpa, length);

	for (uint32_t i = 0; !found && i < VD_USERS; i++) {
		if (gpa >= device->users[i].from && gpa < device->users[i].to &&
		    length <= device->users[i].to - gpa)
			found = (uint8_t *)(uintptr_t)gpa;
	}
	return found;
}

static inline uint16_t vd_get16(vd *device, uint64_t gpa)
{
	const uint8_t *at = vd_at(device, gpa, 2);
	uint16_t value = 0;

	if (at)
		memcpy(&value, at, 2);
	return value;
}

static inline void vd_put16(vd *device, uint64_t gpa, uint16_t value)
{
	uint8_t *at = vd_at(device, gpa, 2);

	if (at)
		memcpy(at, &value, 2);
}

static inline void vd_freed(void *owner, uint64_t gpa, uint32_t pages)
{
	vd *device = owner;

	(void)gpa, (void)pages;
	if (!(device->status & VIRTIO_STATUS_DRIVER_OK) || device->gone)
		return;
	device->freed_early = true;
	vd_violation(device, "memory given back while the device runs");
}

/* --- Interrupts ------------------------------------------------------------------------------ */

/* As interrupts are: not while the CPU holds a lock. */
static inline void vd_deliver(vd *device)
{
	if (device->port.locks != 0)
		return;
	for (uint32_t i = 0; i < VD_INTERRUPTS; i++) {
		struct vd_interrupt *interrupt = &device->interrupts[i];

		if (interrupt->pending && interrupt->created)
			hvk_poller_kick(device->hvk, &interrupt->poller);
		interrupt->pending = false;
	}
}

static inline void vd_raise(vd *device, uint16_t vector)
{
	struct vd_interrupt *interrupt = &device->interrupts[vector % VD_INTERRUPTS];

	if (vector == VIRTIO_NO_VECTOR || device->gone)
		return;
	interrupt->raised++;
	interrupt->pending = true;
	vd_deliver(device);
}

static inline bool vd_fire(struct hvk_poller *poller, void *context)
{
	vd *device = context;

	for (uint32_t i = 0; i < VD_INTERRUPTS; i++) {
		if (poller == &device->interrupts[i].poller && device->interrupts[i].created)
			device->interrupts[i].handler(device->interrupts[i].context, device, i);
	}
	return false;
}

static inline void vd_config_changed(vd *device)
{
	device->generation++;
	vd_raise(device, device->config_vector);
}

/* --- Queues ----------------------------------------------------------------------------------- */

static inline bool vd_has(const vd *device, uint64_t feature)
{
	return (device->agreed & feature) != 0;
}

static inline bool vd_take(vd *device, struct vd_queue *queue, uint16_t *head)
{
	uint16_t index = vd_get16(device, queue->available + 2);

	if (!queue->enabled || index == queue->taken)
		return false;
	if (!vd_check(device, (uint16_t)(index - queue->taken) <= queue->size, "more available than entries"))
		return false;
	*head = vd_get16(device, queue->available + 4 + 2u * (queue->taken & (queue->size - 1u)));
	queue->taken++;
	if (vd_check(device, queue->held_count < VD_ENTRIES, "more chains than entries"))
		queue->held[queue->held_count++] = *head;
	return vd_check(device, *head < queue->size, "a chain that begins outside the table");
}

/* Asks to be told of the next chain; true: there is one already. */
static inline bool vd_sleep(vd *device, struct vd_queue *queue)
{
	vd_put16(device, queue->used, device->no_notifications ? VIRTQ_USED_NO_NOTIFY : 0);
	vd_put16(device, queue->used + 4 + 8u * queue->size,
		 (uint16_t)(device->no_notifications ? queue->taken - 1u : queue->taken));
	return vd_get16(device, queue->available + 2) != queue->taken;
}

/* A used element as it is, right or wrong. */
static inline void vd_push(vd *device, struct vd_queue *queue, uint32_t id, uint32_t length)
{
	uint64_t at = queue->used + 4 + 8u * (queue->given & (queue->size - 1u));
	uint32_t element[2] = {id, length};
	uint16_t before = queue->given++;
	uint16_t event = vd_get16(device, queue->available + 4 + 2u * queue->size);
	uint8_t *to = vd_at(device, at, 8);
	bool wanted;

	if (!to)
		return;
	memcpy(to, element, sizeof(element));
	vd_put16(device, queue->used + 2, queue->given);
	if (vd_has(device, VIRTIO_F_EVENT_IDX))
		wanted = (uint16_t)(queue->given - event - 1u) < (uint16_t)(queue->given - before);
	else
		wanted = !(vd_get16(device, queue->available) & VIRTQ_AVAILABLE_NO_INTERRUPT);
	queue->interrupts += wanted;
	if (wanted)
		vd_raise(device, queue->vector);
}

static inline void vd_give(vd *device, struct vd_queue *queue, uint16_t head, uint32_t length)
{
	uint32_t i = 0;

	while (i < queue->held_count && queue->held[i] != head)
		i++;
	if (i < queue->held_count) {
		memmove(&queue->held[i], &queue->held[i + 1],
			(queue->held_count - i - 1u) * sizeof(uint16_t));
		queue->held_count--;
	}
	vd_push(device, queue, head, length);
}

struct vd_piece {
	uint8_t *at;
	uint32_t length;
	bool write;
};

static inline uint32_t vd_walk(vd *device, struct vd_queue *queue, uint16_t head, struct vd_piece *pieces,
			       uint32_t max)
{
	struct virtq_descriptor descriptor = {.next = head, .flags = VIRTQ_DESCRIPTOR_NEXT};
	uint32_t count = 0;

	while (descriptor.flags & VIRTQ_DESCRIPTOR_NEXT) {
		const uint8_t *at = vd_at(device, queue->descriptors + 16u * descriptor.next, 16);

		if (!vd_check(device,
			      at && descriptor.next < queue->size && count < max && count < queue->size,
			      "a chain that leaves the table, or has no end"))
			return 0;
		memcpy(&descriptor, at, sizeof(descriptor));
		pieces[count].at = vd_at(device, descriptor.address, descriptor.length);
		pieces[count].length = descriptor.length;
		pieces[count].write = (descriptor.flags & VIRTQ_DESCRIPTOR_WRITE) != 0;
		vd_check(device, count == 0 || !pieces[count - 1].write || pieces[count].write,
			 "what the device reads behind what it writes");
		if (!vd_check(device, pieces[count].at && descriptor.length != 0,
			      "a descriptor of no memory"))
			return 0;
		count++;
	}
	return count;
}

/* --- Frames ------------------------------------------------------------------------------------- */

static inline void vd_look_at_header(vd *device, const struct vd_sent *sent)
{
	const struct virtio_net_header *header = &sent->header;
	bool needs = (header->flags & VIRTIO_NET_HEADER_NEEDS_CHECKSUM) != 0;

	vd_check(device, (header->flags & ~VIRTIO_NET_HEADER_NEEDS_CHECKSUM) == 0, "flags of a sent frame");
	vd_check(device, !needs || vd_has(device, VIRTIO_NET_F_CSUM), "a checksum that was not agreed on");
	vd_check(device, !needs || header->checksum_start + header->checksum_offset + 2u <= sent->length,
		 "a checksum outside the frame");
	vd_check(device, header->segmentation == VIRTIO_NET_SEGMENTATION_NONE || needs,
		 "segmentation without checksum");
	vd_check(device,
		 header->segmentation != VIRTIO_NET_SEGMENTATION_TCP4 ||
			 vd_has(device, VIRTIO_NET_F_HOST_TSO4),
		 "TSO4 that was not agreed on");
	vd_check(device,
		 header->segmentation != VIRTIO_NET_SEGMENTATION_TCP6 ||
			 vd_has(device, VIRTIO_NET_F_HOST_TSO6),
		 "TSO6 that was not agreed on");
	vd_check(device, header->segmentation == 0 || header->segment_size != 0, "segments of no size");
	vd_check(device,
		 header->segmentation != 0 ||
			 sent->length <= (vd_has(device, VIRTIO_NET_F_MTU) ? device->net.mtu : 65521u) + 18u,
		 "a frame longer than the MTU");
	vd_check(device, header->buffer_count == 0, "a number of buffers in a sent frame");
}

static inline void vd_send(vd *device, struct vd_queue *queue, uint16_t head)
{
	struct vd_piece pieces[64];
	uint32_t count = vd_walk(device, queue, head, pieces, 64), at = 0;
	uint8_t *all = (uint8_t *)malloc(sizeof(struct virtio_net_header) + VD_FRAME_MAX);

	for (uint32_t i = 0; i < count; i++) {
		if (!vd_check(device, !pieces[i].write, "a sent frame to write to") ||
		    !vd_check(device, pieces[i].length <= VD_FRAME_MAX - at, "a sent frame without end"))
			break;
		memcpy(all + at, pieces[i].at, pieces[i].length);
		at += pieces[i].length;
	}
	if (vd_check(device, at >= sizeof(struct virtio_net_header) + 14u, "a sent frame without headers")) {
		memcpy(&device->sent.header, all, sizeof(device->sent.header));
		device->sent.length = at - (uint32_t)sizeof(device->sent.header);
		memcpy(device->sent.bytes, all + sizeof(device->sent.header), device->sent.length);
		device->sent.queue = (uint32_t)(queue - device->queues);
		device->sent_count++;
		vd_look_at_header(device, &device->sent);
	}
	free(all);
	if (!device->holds_frames)
		vd_give(device, queue, head, 0);
}

/* A frame to the guest in as many buffers as it needs; false: there are not so many. said: buffers that its
 * header names, 0 for the right number. */
static inline bool vd_inject(vd *device, uint32_t pair, const struct virtio_net_header *header,
			     const void *frame, uint32_t length, uint32_t said)
{
	struct vd_queue *queue = &device->queues[2 * pair];
	uint32_t total = length + (uint32_t)sizeof(*header), at = 0, buffers = (total + 4095u) / 4096u;
	uint8_t *all = (uint8_t *)malloc(total);
	uint16_t head, unused = vd_get16(device, queue->available + 2);

	if (!queue->enabled || (uint16_t)(unused - queue->taken) < buffers) {
		free(all);
		return false;
	}
	memcpy(all, header, sizeof(*header));
	((struct virtio_net_header *)(void *)all)->buffer_count = (uint16_t)(said ? said : buffers);
	memcpy(all + sizeof(*header), frame, length);
	while (at < total && vd_take(device, queue, &head)) {
		struct vd_piece pieces[64];
		uint32_t count = vd_walk(device, queue, head, pieces, 64), part;

		if (!vd_check(device, count == 1 && pieces[0].write && pieces[0].length >= 1526,
			      "a buffer to receive into that is none"))
			break;
		part = total - at < pieces[0].length ? total - at : pieces[0].length;
		memcpy(pieces[0].at, all + at, part);
		at += part;
		vd_give(device, queue, head, part);
	}
	(void)vd_sleep(device, queue);
	free(all);
	return true;
}

static inline bool vd_inject_plain(vd *device, uint32_t pair, const void *frame, uint32_t length)
{
	static const struct virtio_net_header header;

	return vd_inject(device, pair, &header, frame, length, 0);
}

/* --- Commands --------------------------------------------------------------------------------------- */

static inline void vd_obey(vd *device, const struct vd_command *command)
{
	uint32_t counts[2];

	switch (command->class_) {
	case VIRTIO_NET_CONTROL_RX:
		vd_check(device,
			 vd_has(device, VIRTIO_NET_F_CTRL_RX) && command->command <= 1 &&
				 command->length == 1 && command->data[0] <= 1,
			 "a receive mode");
		break;
	case VIRTIO_NET_CONTROL_MAC:
		memcpy(counts, command->data, sizeof(counts));
		vd_check(device,
			 vd_has(device, VIRTIO_NET_F_CTRL_RX) && command->command == 0 && counts[0] == 0 &&
				 command->length == 8 + 6 * counts[1],
			 "a MAC table");
		break;
	case VIRTIO_NET_CONTROL_MQ:
		device->pairs = command->data[0] | (uint32_t)command->data[1] << 8;
		vd_check(device,
			 vd_has(device, VIRTIO_NET_F_MQ) && command->command == 0 && command->length == 2 &&
				 device->pairs >= 1 && device->pairs <= device->net.queue_pairs_max,
			 "a number of pairs");
		break;
	case VIRTIO_NET_CONTROL_OFFLOADS:
		memcpy(&device->offloads, command->data, sizeof(device->offloads));
		vd_check(device,
			 vd_has(device, VIRTIO_NET_F_CTRL_GUEST_OFFLOADS) && command->length == 8 &&
				 (device->offloads & ~device->agreed) == 0,
			 "offloads");
		break;
	default:
		vd_violation(device, "a command of no class");
	}
}

static inline void vd_command(vd *device, struct vd_queue *queue, uint16_t head)
{
	struct vd_piece pieces[64];
	uint32_t count = vd_walk(device, queue, head, pieces, 64);
	struct vd_command *command = &device->commands[device->command_count % 64];

	if (!vd_check(device, count >= 2 && pieces[count - 1].write && pieces[count - 1].length == 1,
		      "a command without place for its answer"))
		return;
	memset(command, 0, sizeof(*command));
	/* hvkit sends class, command and data in one piece; any cut would do */
	if (!vd_check(device, count == 2 && pieces[0].length >= 2 && pieces[0].length <= 1026,
		      "a command's length"))
		return;
	command->class_ = pieces[0].at[0];
	command->command = pieces[0].at[1];
	command->length = pieces[0].length - 2;
	memcpy(command->data, pieces[0].at + 2, command->length);
	device->command_count++;
	vd_obey(device, command);
	if (device->mute_control)
		return;
	pieces[1].at[0] = device->refuse_control ? VIRTIO_NET_CONTROL_ERROR : VIRTIO_NET_CONTROL_OK;
	vd_give(device, queue, head, 1);
}

static inline uint32_t vd_control_index(const vd *device)
{
	return vd_has(device, VIRTIO_NET_F_MQ) ? 2u * device->net.queue_pairs_max : 2u;
}

static inline void vd_look(vd *device, uint32_t index)
{
	struct vd_queue *queue = &device->queues[index];
	uint16_t head;

	do {
		queue->notified = false;
		if (index == vd_control_index(device) && vd_has(device, VIRTIO_NET_F_CTRL_VQ)) {
			while (vd_take(device, queue, &head))
				vd_command(device, queue, head);
		} else if (index % 2 == 1) {
			while (vd_take(device, queue, &head))
				vd_send(device, queue, head);
		}
	} while (vd_sleep(device, queue) && index % 2 == 1);
}

/* The device's turn: it looks where it was told to. */
static inline void vd_turn(vd *device)
{
	vd_deliver(device);
	if (!(device->status & VIRTIO_STATUS_DRIVER_OK) || device->gone)
		return;
	for (uint32_t i = 0; i < VD_QUEUES; i++) {
		if (device->queues[i].enabled && (device->queues[i].notified || device->no_notifications))
			vd_look(device, i);
	}
}

/* --- Registers ---------------------------------------------------------------------------------------- */

#define VD_COMMON(field) ((uint32_t)offsetof(struct virtio_pci_common, field))

static inline struct vd_queue *vd_selected(vd *device)
{
	return device->queue_select < device->queue_count ? &device->queues[device->queue_select] : NULL;
}

static inline void vd_reset(vd *device)
{
	for (uint32_t i = 0; i < VD_QUEUES; i++)
		device->queues[i] = (struct vd_queue){.size_max = i < device->queue_count ? device->queue_max
											  : 0,
						      .size = i < device->queue_count ? device->queue_max : 0,
						      .vector = VIRTIO_NO_VECTOR,
						      .notifications = device->queues[i].notifications,
						      .interrupts = device->queues[i].interrupts};
	device->status = 0;
	device->agreed = 0;
	device->pairs = 1;
	device->offloads = 0;
	device->config_vector = VIRTIO_NO_VECTOR;
}

static inline uint8_t vd_read_status(vd *device)
{
	if (device->late != 0 && --device->late == 0)
		vd_reset(device);
	return device->status;
}

/* Fields have widths of their own (virtio 1.2, 4.1.3.1): 64-bit ones are two of 32. */
static inline unsigned vd_common_width(uint32_t offset)
{
	static const uint8_t widths[] = {4, 0, 0, 0, 4, 0, 0, 0, 4, 0, 0, 0, 4, 0, 0, 0, 2, 0, 2,
					 0, 1, 1, 2, 0, 2, 0, 2, 0, 2, 0, 2, 0, 4, 0, 0, 0, 4, 0,
					 0, 0, 4, 0, 0, 0, 4, 0, 0, 0, 4, 0, 0, 0, 4, 0, 0, 0};

	return offset < sizeof(widths) ? widths[offset] : 0;
}

static inline uint64_t vd_common_read(vd *device, uint32_t offset)
{
	const struct vd_queue *queue = vd_selected(device);

	switch (offset) {
	case VD_COMMON(device_feature):
		return device->device_select < 2
			       ? (uint32_t)(device->features >> (32 * device->device_select))
			       : 0;
	case VD_COMMON(config_vector):
		return device->no_config_vector ? VIRTIO_NO_VECTOR : device->config_vector;
	case VD_COMMON(queue_count):
		return device->queue_count;
	case VD_COMMON(status):
		return vd_read_status(device);
	case VD_COMMON(config_generation):
		if (device->moving != 0) {
			device->moving--;
			device->generation++;
		}
		return device->generation;
	case VD_COMMON(queue_size):
		return queue ? queue->size : 0;
	case VD_COMMON(queue_vector):
		return queue && !device->no_vector ? queue->vector : VIRTIO_NO_VECTOR;
	case VD_COMMON(queue_enable):
		return queue ? queue->enabled : 0;
	case VD_COMMON(queue_notify_offset):
		return device->queue_select;
	default:
		return 0;
	}
}

static inline void vd_write_status(vd *device, uint8_t value)
{
	if (value == 0) {
		if (device->never_resets)
			return;
		device->late = device->status != 0 ? device->resets_late : 0;
		if (device->late == 0)
			vd_reset(device);
		return;
	}
	vd_check(device, (value & device->status) == device->status, "status bits taken back");
	vd_check(device, !(value & VIRTIO_STATUS_DRIVER_OK) || (device->status & VIRTIO_STATUS_FEATURES_OK),
		 "DRIVER_OK before FEATURES_OK");
	if ((value & VIRTIO_STATUS_FEATURES_OK) && device->refuses_features)
		value &= (uint8_t)~VIRTIO_STATUS_FEATURES_OK;
	device->status = value;
}

static inline void vd_write_address(uint64_t *address, uint32_t high, uint32_t value)
{
	*address = high ? (*address & 0xffffffffu) | (uint64_t)value << 32
			: (*address & ~0xffffffffull) | value;
}

static inline void vd_write_queue(vd *device, uint32_t offset, uint32_t value)
{
	struct vd_queue *queue = vd_selected(device);

	if (!vd_check(device,
		      queue && (device->status & VIRTIO_STATUS_FEATURES_OK) &&
			      !(device->status & VIRTIO_STATUS_DRIVER_OK) && !queue->enabled,
		      "a queue set up that is not there, too early, too late or twice"))
		return;
	switch (offset) {
	case VD_COMMON(queue_size):
		vd_check(device, value != 0 && value <= queue->size_max && (value & (value - 1)) == 0,
			 "a queue's size");
		queue->size = (uint16_t)value;
		break;
	case VD_COMMON(queue_vector):
		queue->vector = (uint16_t)value;
		break;
	case VD_COMMON(queue_enable):
		vd_check(device, value == 1, "a queue disabled");
		vd_check(device,
			 vd_at(device, queue->descriptors, 16u * queue->size) &&
				 vd_at(device, queue->available, 6u + 2u * queue->size) &&
				 vd_at(device, queue->used, 6u + 8u * queue->size),
			 "rings outside memory");
		vd_check(device,
			 queue->descriptors % 16 == 0 && queue->available % 2 == 0 && queue->used % 4 == 0,
			 "rings that are not aligned");
		queue->enabled = true;
		(void)vd_sleep(device, queue);
		break;
	default:
		vd_write_address(offset < VD_COMMON(queue_driver)   ? &queue->descriptors
				 : offset < VD_COMMON(queue_device) ? &queue->available
								    : &queue->used,
				 offset & 4u, value);
	}
}

static inline void vd_common_write(vd *device, uint32_t offset, uint32_t value)
{
	switch (offset) {
	case VD_COMMON(device_feature_select):
		device->device_select = value;
		break;
	case VD_COMMON(driver_feature_select):
		device->driver_select = value;
		break;
	case VD_COMMON(driver_feature):
		vd_check(device, !(device->status & VIRTIO_STATUS_FEATURES_OK), "features after FEATURES_OK");
		if (device->driver_select < 2)
			vd_write_address(&device->agreed, device->driver_select, value);
		vd_check(device, (device->agreed & ~device->features) == 0, "features that are not offered");
		break;
	case VD_COMMON(config_vector):
		device->config_vector = (uint16_t)value;
		break;
	case VD_COMMON(status):
		vd_write_status(device, (uint8_t)value);
		break;
	case VD_COMMON(queue_select):
		device->queue_select = (uint16_t)value;
		break;
	default:
		vd_check(device, offset >= VD_COMMON(queue_size), "a register that is read-only");
		vd_write_queue(device, offset, value);
	}
}

static inline void vd_notified(vd *device, uint32_t offset, uint32_t value)
{
	uint32_t index = offset / VD_NOTIFY_MULTIPLIER;

	if (!vd_check(device, offset % VD_NOTIFY_MULTIPLIER == 0 && index == value && index < VD_QUEUES,
		      "a notification to another queue's register") ||
	    !vd_check(device, (device->status & VIRTIO_STATUS_DRIVER_OK) && device->queues[index].enabled,
		      "a notification before DRIVER_OK, or of a queue that is not there"))
		return;
	device->queues[index].notified = true;
	device->queues[index].notifications++;
	if (!device->lazy)
		vd_look(device, index);
}

/* Which features a field of the configuration needs, and its width. */
static inline bool vd_config_access(const vd *device, uint32_t offset, unsigned width)
{
	static const struct {
		uint8_t at, bytes, width;
		uint64_t feature;
	} fields[] = {{0, 6, 1, VIRTIO_NET_F_MAC},
		      {6, 2, 2, VIRTIO_NET_F_STATUS},
		      {8, 2, 2, VIRTIO_NET_F_MQ},
		      {10, 2, 2, VIRTIO_NET_F_MTU},
		      {12, 4, 4, VIRTIO_NET_F_SPEED_DUPLEX},
		      {16, 1, 1, VIRTIO_NET_F_SPEED_DUPLEX}};

	for (uint32_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		if (offset >= fields[i].at && offset < fields[i].at + fields[i].bytes)
			return width == fields[i].width && (device->features & fields[i].feature) != 0;
	}
	return false;
}

uint64_t hvk_pci_bar_read(struct hvk_pci_function *device, unsigned bar, uint64_t offset, unsigned width)
{
	uint64_t value = 0;

	device->reads++;
	if (device->gone)
		return width == 8 ? UINT64_MAX : (1ull << 8 * width) - 1;
	if (!vd_check(device, device->memory && bar == VD_BAR && offset + width <= VD_BAR_SIZE,
		      "a read outside"))
		return UINT64_MAX;
	if (device->forged && device->forged(device, offset, &value))
		return width == 8 ? value : value & ((1ull << 8 * width) - 1);
	if (offset < sizeof(struct virtio_pci_common)) {
		vd_check(device, vd_common_width((uint32_t)offset) == width,
			 "a register read by another width");
		return vd_common_read(device, (uint32_t)offset);
	}
	if (offset >= VD_CONFIG_AT && offset + width <= VD_CONFIG_AT + sizeof(device->net)) {
		vd_check(device, vd_config_access(device, (uint32_t)offset - VD_CONFIG_AT, width),
			 "configuration that is not there, or by another width");
		memcpy(&value, (const uint8_t *)&device->net + (offset - VD_CONFIG_AT), width);
		return value;
	}
	vd_violation(device, "a read of what is no register");
	return 0;
}

void hvk_pci_bar_write(struct hvk_pci_function *device, unsigned bar, uint64_t offset, unsigned width,
		       uint64_t value)
{
	device->writes++;
	if (device->gone)
		return;
	if (!vd_check(device, device->memory && bar == VD_BAR && offset + width <= VD_BAR_SIZE,
		      "a write outside"))
		return;
	if (offset < sizeof(struct virtio_pci_common)) {
		vd_check(device, vd_common_width((uint32_t)offset) == width,
			 "a register written by another width");
		vd_common_write(device, (uint32_t)offset, (uint32_t)value);
	} else if (offset >= VD_NOTIFY_AT) {
		vd_check(device, width == 2, "a notification of another width");
		vd_notified(device, (uint32_t)offset - VD_NOTIFY_AT, (uint32_t)value);
	} else {
		vd_violation(device, "a write to what is no register");
	}
}

#endif
