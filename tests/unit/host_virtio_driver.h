/* SPDX-License-Identifier: MIT */
/*
 * A virtio network device without a bus: the test plays the driver, on registers and rings in a flat
 * memory. Implements what host/virtio uses of core.h and pci.h.
 */
#ifndef HOST_VIRTIO_DRIVER_H
#define HOST_VIRTIO_DRIVER_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "host/core/core.h"
#include "host/core/dump.h"
#include "host/virtio/net.h"
#include "hvkit/wire/virtio.h"
#include "hvkit_host/network.h"
#include "hvkit_host/pci.h"

#define MEMORY_BASE 0x100000ull
#define MEMORY_SIZE 0x400000u
#define QUEUE_BYTES 0x4000u
#define AVAILABLE_AT 0x1000u
#define USED_AT 0x2000u
#define INDIRECT_AT 0x3000u
#define BUFFERS_AT 0x200000u /* in memory; a test divides it as it likes */
#define COMMON_AT 0x0000u
#define ISR_AT 0x1000u
#define CONFIG_AT 0x2000u
#define NOTIFY_AT 0x3000u
#define QUEUES 17u /* of eight pairs */
#define SENT_MAX 64u
#define SENT_BYTES 9300u
#define COMMON(field) ((uint32_t)offsetof(struct virtio_pci_common, field))
#define READY_STATUS                                                                    \
	(VIRTIO_STATUS_ACKNOWLEDGE | VIRTIO_STATUS_DRIVER | VIRTIO_STATUS_FEATURES_OK | \
	 VIRTIO_STATUS_DRIVER_OK)

struct hvh_vpci {
	struct hvh_pci_model model;
};

struct driver_queue {
	uint16_t available, used; /* indices */
	uint16_t next;            /* descriptor that put takes first */
};

struct hvh_partition {
	struct hvh_vpci bus;
	uint8_t capabilities[128];
	struct virtio_net_device *net;
	bool deterministic;
	uint32_t choice; /* what hvh_choose gives */
	uint32_t violations[HVH_V_COUNT], violation_count;
	char violation_text[256];
	uint32_t interrupts[2 * 8 + 2];
	uint64_t now;
	uint64_t features;
	struct driver_queue queues[QUEUES];
	uint32_t sent, flushed, sent_length[SENT_MAX], sent_pair[SENT_MAX];
	uint8_t sent_bytes[SENT_MAX][SENT_BYTES];
	uint8_t *memory;
};

/* --- core.h and pci.h ------------------------------------------------------------------------------ */

bool hvh_partition_deterministic(const struct hvh_partition *partition)
{
	return partition->deterministic;
}

uint32_t hvh_choose(struct hvh_partition *partition, uint32_t below)
{
	return partition->choice < below ? partition->choice : below - 1;
}

void hvh_violate(struct hvh_partition *partition, enum hvh_violation_kind kind, uint64_t now, uint32_t vp,
		 uint32_t channel_id, const void *bytes, uint32_t byte_count, const char *format, ...)
{
	va_list arguments;

	(void)now;
	(void)vp;
	(void)channel_id;
	(void)bytes;
	(void)byte_count;
	partition->violations[kind]++;
	partition->violation_count++;
	va_start(arguments, format);
	vsnprintf(partition->violation_text, sizeof partition->violation_text, format, arguments);
	va_end(arguments);
}

void hvh_kick(struct hvh_partition *partition)
{
	(void)partition;
}

static inline uint8_t *memory_at(struct hvh_partition *partition, uint64_t gpa, uint32_t length)
{
	if (gpa < MEMORY_BASE || gpa - MEMORY_BASE > MEMORY_SIZE ||
	    length > MEMORY_SIZE - (gpa - MEMORY_BASE))
		return NULL;
	return partition->memory + (gpa - MEMORY_BASE);
}

bool hvh_memory_read(struct hvh_partition *partition, uint64_t gpa, void *to, uint32_t length)
{
	const uint8_t *from = memory_at(partition, gpa, length);

	if (from != NULL)
		memcpy(to, from, length);
	return from != NULL;
}

bool hvh_memory_write(struct hvh_partition *partition, uint64_t gpa, const void *from, uint32_t length)
{
	uint8_t *to = memory_at(partition, gpa, length);

	if (to != NULL)
		memcpy(to, from, length);
	return to != NULL;
}

bool hvh_memory_load16(struct hvh_partition *partition, uint64_t gpa, uint16_t *value)
{
	return hvh_memory_read(partition, gpa, value, sizeof *value);
}

bool hvh_memory_store16(struct hvh_partition *partition, uint64_t gpa, uint16_t value)
{
	return hvh_memory_write(partition, gpa, &value, sizeof value);
}

bool hvh_memory_load32(struct hvh_partition *partition, uint64_t gpa, uint32_t *value)
{
	return hvh_memory_read(partition, gpa, value, sizeof *value);
}

bool hvh_memory_store32(struct hvh_partition *partition, uint64_t gpa, uint32_t value)
{
	return hvh_memory_write(partition, gpa, &value, sizeof value);
}

void hvh_memory_barrier(void)
{
}

struct hvh_vpci *hvh_vpci_create(struct hvh_partition *partition, const struct hvh_vpci_config *config,
				 const struct hvh_pci_model *model)
{
	(void)config;
	partition->bus.model = *model;
	assert_true(model->capabilities_size <= sizeof partition->capabilities);
	memcpy(partition->capabilities, model->capabilities, model->capabilities_size);
	partition->bus.model.capabilities = partition->capabilities;
	return &partition->bus;
}

void hvh_vpci_interrupt(struct hvh_vpci *bus, uint64_t now, uint32_t entry)
{
	struct hvh_partition *partition = (struct hvh_partition *)bus;

	(void)now;
	assert_true(entry < bus->model.interrupts);
	partition->interrupts[entry]++;
}

/* --- The scene -------------------------------------------------------------------------------------- */

static inline void take_sent(void *context, uint32_t pair, const uint8_t *frame, uint32_t length)
{
	struct hvh_partition *p = context;

	assert_true(p->sent < SENT_MAX && length <= SENT_BYTES);
	memcpy(p->sent_bytes[p->sent], frame, length);
	p->sent_pair[p->sent] = pair;
	p->sent_length[p->sent++] = length;
}

static inline void take_flush(void *context)
{
	((struct hvh_partition *)context)->flushed++;
}

static const uint8_t own_address[6] = {0x00, 0x15, 0x5d, 1, 2, 3};

static inline struct hvh_partition *scene_create(uint32_t without)
{
	struct hvh_partition *p = calloc(1, sizeof *p);
	struct virtio_net_setup setup = {.pairs_max = 8,
					 .mtu = 9000,
					 .without = without,
					 .speed = 10000000000ull,
					 .link_up = true,
					 .context = p,
					 .transmit = take_sent,
					 .flush = take_flush};

	memcpy(setup.mac, own_address, sizeof setup.mac);
	p->memory = calloc(1, MEMORY_SIZE);
	p->choice = 1;
	p->now = 1;
	p->net = virtio_net_create(p, &setup);
	assert_non_null(p->net);
	p->bus.model.enabled(p->bus.model.context, p->now, true, true);
	return p;
}

static inline void scene_destroy(struct hvh_partition *p)
{
	p->bus.model.destroy(p->bus.model.context);
	free(p->memory);
	free(p);
}

static inline void expect_lawful(struct hvh_partition *p)
{
	if (p->violation_count != 0)
		fail_msg("violation: %s", p->violation_text);
}

static inline void expect_violation(struct hvh_partition *p, enum hvh_violation_kind kind)
{
	if (p->violation_count == 0)
		fail_msg("no violation");
	if (p->violations[kind] != p->violation_count)
		fail_msg("another violation: %s", p->violation_text);
	memset(p->violations, 0, sizeof p->violations);
	p->violation_count = 0;
}

static inline uint64_t reg_read(struct hvh_partition *p, uint32_t offset, unsigned width)
{
	return p->bus.model.read(p->bus.model.context, p->now, 0, offset, width);
}

static inline void reg_write(struct hvh_partition *p, uint32_t offset, unsigned width, uint64_t value)
{
	p->bus.model.write(p->bus.model.context, p->now, 0, offset, width, value);
}

/* Lets the device do all that it wants to do now. */
static inline void settle(struct hvh_partition *p)
{
	const struct hvh_pci_model *model = &p->bus.model;
	bool more = false;

	for (uint32_t n = 0; n < 10000; n++) {
		if (!more && model->next_event(model->context) > p->now)
			return;
		more = model->run(model->context, p->now);
	}
	fail_msg("the device never comes to rest");
}

static inline uint64_t offered(struct hvh_partition *p)
{
	uint64_t features = 0;

	for (uint32_t half = 0; half < 2; half++) {
		reg_write(p, COMMON(device_feature_select), 4, half);
		features |= reg_read(p, COMMON(device_feature), 4) << (32 * half);
	}
	return features;
}

static inline void set_features(struct hvh_partition *p, uint64_t features)
{
	for (uint32_t half = 0; half < 2; half++) {
		reg_write(p, COMMON(driver_feature_select), 4, half);
		reg_write(p, COMMON(driver_feature), 4, (uint32_t)(features >> (32 * half)));
	}
}

static inline void set_status(struct hvh_partition *p, uint32_t status)
{
	reg_write(p, COMMON(status), 1, status);
}

static inline uint64_t queue_gpa(uint32_t queue)
{
	return MEMORY_BASE + queue * QUEUE_BYTES;
}

static inline void set_up_queue(struct hvh_partition *p, uint32_t queue, uint16_t size)
{
	uint64_t at = queue_gpa(queue);

	reg_write(p, COMMON(queue_select), 2, queue);
	reg_write(p, COMMON(queue_size), 2, size);
	reg_write(p, COMMON(queue_vector), 2, queue);
	reg_write(p, COMMON(queue_descriptors), 4, (uint32_t)at);
	reg_write(p, COMMON(queue_descriptors) + 4, 4, at >> 32);
	reg_write(p, COMMON(queue_driver), 8, at + AVAILABLE_AT);
	reg_write(p, COMMON(queue_device), 8, at + USED_AT);
	reg_write(p, COMMON(queue_enable), 2, 1);
}

/* Up to FEATURES_OK, with these; false: the device refuses them. */
static inline bool negotiate(struct hvh_partition *p, uint64_t features)
{
	set_status(p, VIRTIO_STATUS_ACKNOWLEDGE);
	set_status(p, VIRTIO_STATUS_ACKNOWLEDGE | VIRTIO_STATUS_DRIVER);
	set_features(p, features);
	set_status(p, VIRTIO_STATUS_ACKNOWLEDGE | VIRTIO_STATUS_DRIVER | VIRTIO_STATUS_FEATURES_OK);
	p->features = features;
	return (reg_read(p, COMMON(status), 1) & VIRTIO_STATUS_FEATURES_OK) != 0;
}

static inline uint32_t control_number(const struct hvh_partition *p)
{
	return (p->features & VIRTIO_NET_F_MQ) != 0 ? 16 : 2;
}

/* All of the bring-up, with so many pairs of queues of this size. */
static inline void bring_up(struct hvh_partition *p, uint64_t features, uint32_t pairs, uint16_t size)
{
	assert_true(negotiate(p, features | VIRTIO_F_VERSION_1));
	for (uint32_t n = 0; n < 2 * pairs; n++)
		set_up_queue(p, n, size);
	if ((features & VIRTIO_NET_F_CTRL_VQ) != 0)
		set_up_queue(p, control_number(p), 16);
	reg_write(p, COMMON(config_vector), 2, 17);
	set_status(p, READY_STATUS);
	settle(p);
	expect_lawful(p);
}

/* --- Rings ------------------------------------------------------------------------------------------- */

static inline uint16_t *half_at(struct hvh_partition *p, uint64_t gpa)
{
	return (uint16_t *)(void *)memory_at(p, gpa, 2);
}

static inline struct virtq_descriptor *descriptor_at(struct hvh_partition *p, uint32_t queue, uint32_t n)
{
	return (struct virtq_descriptor *)(void *)memory_at(p, queue_gpa(queue) + n * 16ull, 16);
}

static inline uint64_t buffer(uint32_t offset)
{
	return MEMORY_BASE + BUFFERS_AT + offset;
}

static inline void describe(struct hvh_partition *p, uint32_t queue, uint32_t n, uint64_t gpa,
			    uint32_t length, uint16_t flags, uint16_t next)
{
	*descriptor_at(p, queue, n) = (struct virtq_descriptor){gpa, length, flags, next};
}

/* Makes the chain that begins with this descriptor available; the device is not told. */
static inline void show(struct hvh_partition *p, uint32_t queue, uint16_t head, uint32_t size)
{
	struct driver_queue *q = &p->queues[queue];
	uint64_t at = queue_gpa(queue) + AVAILABLE_AT;

	*half_at(p, at + 4 + 2u * (q->available % size)) = head;
	*half_at(p, at + 2) = ++q->available;
}

static inline void ring_bell(struct hvh_partition *p, uint32_t queue)
{
	reg_write(p, NOTIFY_AT + 4 * queue, 2, queue);
	settle(p);
}

static inline uint16_t used_index(struct hvh_partition *p, uint32_t queue)
{
	return *half_at(p, queue_gpa(queue) + USED_AT + 2);
}

/* The oldest used entry that has not been taken. */
static inline struct virtq_used_element take_used(struct hvh_partition *p, uint32_t queue, uint32_t size)
{
	struct driver_queue *q = &p->queues[queue];
	struct virtq_used_element element;

	assert_int_not_equal(q->used, used_index(p, queue));
	memcpy(&element, memory_at(p, queue_gpa(queue) + USED_AT + 4 + 8u * (q->used % size), sizeof element),
	       sizeof element);
	q->used++;
	return element;
}

/* --- Frames and commands ------------------------------------------------------------------------------ */

/* Posts so many receive buffers of that length, one descriptor each, from descriptor first on. */
static inline void post_buffers(struct hvh_partition *p, uint32_t queue, uint32_t first, uint32_t count,
				uint32_t length, uint32_t size)
{
	for (uint32_t n = first; n < first + count; n++) {
		describe(p, queue, n, buffer(n * 4096), length, VIRTQ_DESCRIPTOR_WRITE, 0);
		show(p, queue, (uint16_t)n, size);
	}
	ring_bell(p, queue);
}

/* Sends what is in the buffer at offset: header and frame, in two descriptors. */
static inline void send_buffer(struct hvh_partition *p, uint32_t queue, uint32_t offset,
			       const struct virtio_net_header *header, const void *frame, uint32_t length)
{
	memcpy(memory_at(p, buffer(offset), sizeof *header), header, sizeof *header);
	memcpy(memory_at(p, buffer(offset) + 4096, length), frame, length);
	describe(p, queue, 0, buffer(offset), sizeof *header, VIRTQ_DESCRIPTOR_NEXT, 1);
	describe(p, queue, 1, buffer(offset) + 4096, length, 0, 0);
	show(p, queue, 0, 256);
	ring_bell(p, queue);
}

/* A command; returns the device's answer. The control queue has 16 entries. */
static inline uint8_t command(struct hvh_partition *p, uint8_t class_, uint8_t number, const void *data,
			      uint32_t length)
{
	uint32_t queue = control_number(p);
	const struct virtio_net_control control = {class_, number};

	memcpy(memory_at(p, buffer(0x100000), sizeof control), &control, sizeof control);
	if (length != 0)
		memcpy(memory_at(p, buffer(0x100000) + 16, length), data, length);
	*memory_at(p, buffer(0x101000), 1) = 0xaa;
	describe(p, queue, 0, buffer(0x100000), sizeof control, VIRTQ_DESCRIPTOR_NEXT, length != 0 ? 1 : 2);
	describe(p, queue, 1, buffer(0x100000) + 16, length, VIRTQ_DESCRIPTOR_NEXT, 2);
	describe(p, queue, 2, buffer(0x101000), 1, VIRTQ_DESCRIPTOR_WRITE, 0);
	show(p, queue, 0, 16);
	ring_bell(p, queue);
	assert_int_equal(take_used(p, queue, 16).length, 1);
	return *memory_at(p, buffer(0x101000), 1);
}

/* TCP over IPv4 with payload bytes of data, right checksums, from 10.0.0.1:1000 to 10.0.0.2:2000. */
static inline uint32_t make_tcp(uint8_t *frame, uint32_t sequence, uint32_t payload)
{
	uint32_t length = 14 + 20 + 20 + payload;
	uint8_t *ip = frame + 14, *tcp = ip + 20;
	uint32_t sum = 0;

	memset(frame, 0, length);
	memcpy(frame, own_address, 6);
	frame[11] = 9;
	frame[12] = 8;
	ip[0] = 0x45;
	ip[2] = (uint8_t)((length - 14) >> 8);
	ip[3] = (uint8_t)(length - 14);
	ip[8] = 64;
	ip[9] = 6;
	ip[12] = ip[16] = 10;
	ip[15] = 1;
	ip[19] = 2;
	for (uint32_t n = 0; n < 20; n += 2)
		sum += (uint32_t)ip[n] << 8 | ip[n + 1];
	sum = ~((sum & 0xffff) + (sum >> 16));
	ip[10] = (uint8_t)(sum >> 8);
	ip[11] = (uint8_t)sum;
	tcp[0] = 1000 >> 8;
	tcp[1] = 1000 & 0xff;
	tcp[2] = 2000 >> 8;
	tcp[3] = 2000 & 0xff;
	tcp[4] = (uint8_t)(sequence >> 24);
	tcp[5] = (uint8_t)(sequence >> 16);
	tcp[6] = (uint8_t)(sequence >> 8);
	tcp[7] = (uint8_t)sequence;
	tcp[12] = 0x50;
	tcp[13] = 0x10;
	for (uint32_t n = 0; n < payload; n++)
		tcp[20 + n] = (uint8_t)(sequence + n);
	return length;
}

/* The sum over pseudo-header and, if all, what follows; folded, not inverted. */
static inline uint32_t tcp_sum(const uint8_t *frame, bool all)
{
	const uint8_t *ip = frame + 14;
	uint32_t length = ((uint32_t)ip[2] << 8 | ip[3]) - 20, sum = 6 + length;

	for (uint32_t n = 12; n < 20; n += 2)
		sum += (uint32_t)ip[n] << 8 | ip[n + 1];
	for (uint32_t n = 0; all && n < length; n++)
		sum += n % 2 == 0 ? (uint32_t)ip[20 + n] << 8 : ip[20 + n];
	while (sum > 0xffff)
		sum = (sum & 0xffff) + (sum >> 16);
	return sum;
}

static inline void set_tcp_field(uint8_t *frame, uint32_t value)
{
	frame[14 + 20 + 16] = (uint8_t)(value >> 8);
	frame[14 + 20 + 17] = (uint8_t)value;
}

/* With its right checksum. */
static inline uint32_t make_whole_tcp(uint8_t *frame, uint32_t sequence, uint32_t payload)
{
	uint32_t length = make_tcp(frame, sequence, payload);

	set_tcp_field(frame, ~tcp_sum(frame, true) & 0xffff);
	return length;
}

#endif
