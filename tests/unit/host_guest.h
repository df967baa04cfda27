/* SPDX-License-Identifier: MIT */
/*
 * A small guest of the tests' own: an array of memory, registers, hypercalls, message
 * slots read as a guest has to, and a device that does nothing by itself. It shares
 * no code with guest/.
 */
#ifndef HOST_GUEST_H
#define HOST_GUEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "host/core/core.h"
#include "host/vmbus/channel.h"
#include "hvkit/wire/hypervisor.h"
#include "hvkit/wire/ring.h"
#include "hvkit/wire/vmbus.h"
#include "hvkit_host/host.h"
#include "tests/golden/vmbus_messages.h"

#define PAGES 512u
#define MEMORY ((uint64_t)PAGES * HVK_PAGE_SIZE)
#define VPS 2u
#define VECTOR 0x75u
#define MS HVH_TIME_PER_MS

/* Where the tests keep what; page numbers. */
#define PAGE_HYPERCALL 1u
#define PAGE_INPUT 2u
#define PAGE_TSC 3u
#define PAGE_SIMP 4u  /* and 5 */
#define PAGE_SIEFP 6u /* and 7 */
#define PAGE_INTERRUPT 0x10u
#define PAGE_MONITOR_IN 0x11u
#define PAGE_MONITOR_OUT 0x12u
#define PAGE_RING 0x20u
#ifndef RING_PAGES
#define RING_PAGES 4u
#endif
#define DOWNSTREAM (RING_PAGES / 2u)
#define RING_BYTES ((DOWNSTREAM - 1u) * HVK_PAGE_SIZE) /* one data page each way */
#define GPADL 0xe1e10u
#define PACKETS_KEPT 160u /* more than fit into the ring */
#define ADDRESS(page) ((uint64_t)(page)*HVK_PAGE_SIZE)

struct device {
	struct hvh_channel *channel;
	unsigned opens, closes, runs;
	bool refuse, keep_reading_off, hold_gpadls;
	uint8_t user_data;
	/* What run read; a copy each. */
	struct hvh_packet packets[PACKETS_KEPT];
	uint8_t bytes[PACKETS_KEPT][512];
	unsigned count;
	enum hvh_read_result last;
	unsigned read_limit; /* 0: until empty */
};

struct guest {
	uint8_t *memory;
	bool gone[PAGES]; /* not RAM any more */
	uint64_t writes[PAGES];
	struct hvh_partition *host;
	struct hvh_profile profile;
	uint64_t now;
	unsigned interrupts[VPS], last_vector, kicks, reported;
	uint32_t connection;
	uint8_t message[HV_MESSAGE_PAYLOAD_MAX];
	uint32_t message_size;
};

/* --- Callbacks ------------------------------------------------------------------- */

static void *guest_translate(void *context, uint64_t gpa, uint32_t length, bool write)
{
	struct guest *guest = context;
	assert_true(length > 0 && gpa % HVK_PAGE_SIZE + length <= HVK_PAGE_SIZE);
	if (gpa >= MEMORY || length > MEMORY - gpa || guest->gone[gpa / HVK_PAGE_SIZE])
		return NULL;
	if (write)
		guest->writes[gpa / HVK_PAGE_SIZE]++;
	return guest->memory + gpa;
}

static void guest_interrupt(void *context, uint32_t vp, uint8_t vector)
{
	struct guest *guest = context;
	assert_true(vp < VPS);
	guest->interrupts[vp]++;
	guest->last_vector = vector;
}

static void guest_violation(void *context, const struct hvh_violation *violation)
{
	struct guest *guest = context;
	(void)violation;
	guest->reported++;
}

static void guest_kick(void *context)
{
	struct guest *guest = context;
	guest->kicks++;
}

/* --- Life --------------------------------------------------------------------------- */

static inline void guest_create_with(struct guest *guest, const struct hvh_profile *profile, uint64_t seed)
{
	memset(guest, 0, sizeof(*guest));
	guest->profile = *profile;
	guest->memory = aligned_alloc(HVK_PAGE_SIZE, MEMORY);
	assert_non_null(guest->memory);
	memset(guest->memory, 0, MEMORY);
	struct hvh_config config = {
		.profile = &guest->profile,
		.vps = VPS,
		.seed = seed,
		.tsc_hz = 1000000000ull,
		.deterministic = true,
	};
	struct hvh_ops ops = {
		.context = guest,
		.translate = guest_translate,
		.interrupt = guest_interrupt,
		.violation = guest_violation,
		.kick = guest_kick,
	};
	guest->host = hvh_create(&config, &ops);
	assert_non_null(guest->host);
	guest->connection = VMBUS_CONNECTION_MESSAGE;
}

static inline void guest_create(struct guest *guest, const char *profile)
{
	const struct hvh_profile *found = hvh_profile_find(profile);
	assert_non_null(found);
	guest_create_with(guest, found, 1);
}

static inline void guest_destroy(struct guest *guest)
{
	hvh_destroy(guest->host);
	free(guest->memory);
}

/* --- Violations ------------------------------------------------------------------------ */

static inline unsigned violations(const struct guest *guest)
{
	struct hvh_counters counters;
	hvh_get_counters(guest->host, &counters);
	return (unsigned)counters.violations;
}

/* Exactly one since the test began, and of that kind. */
#define assert_only_violation(guest, wanted)                                                   \
	do {                                                                                   \
		const struct hvh_violation *v_ = hvh_violation_get((guest)->host, 0);          \
		assert_non_null(v_);                                                           \
		assert_string_equal(hvh_violation_name(v_->kind), hvh_violation_name(wanted)); \
		assert_int_equal(violations(guest), 1);                                        \
	} while (0)

static inline void assert_no_violation(const struct guest *guest)
{
	const struct hvh_violation *violation = hvh_violation_get(guest->host, 0);
	if (violation != NULL)
		fail_msg("violation %s: %s", hvh_violation_name(violation->kind), violation->text);
}

/* --- Registers and hypercalls -------------------------------------------------------------- */

static inline uint64_t msr(struct guest *guest, uint32_t vp, uint32_t number)
{
	uint64_t value = 0;
	assert_true(hvh_msr_read(guest->host, guest->now, vp, number, &value));
	return value;
}

static inline void set_msr(struct guest *guest, uint32_t vp, uint32_t number, uint64_t value)
{
	assert_true(hvh_msr_write(guest->host, guest->now, vp, number, value));
}

/* Writes a SINT or SCONTROL, reserved bits kept. */
static inline void set_control(struct guest *guest, uint32_t vp, uint32_t number, uint64_t value)
{
	uint64_t defined = number == HV_MSR_SCONTROL ? HV_SCONTROL_ENABLE : HV_SINT_DEFINED_MASK;
	set_msr(guest, vp, number, value | (msr(guest, vp, number) & ~defined));
}

/* Points a page register somewhere, reserved bits kept. */
static inline void set_page(struct guest *guest, uint32_t vp, uint32_t number, uint64_t page)
{
	uint64_t low = msr(guest, vp, number) & HV_PAGE_RESERVED_MASK;
	set_msr(guest, vp, number, ADDRESS(page) | low | HV_PAGE_ENABLE);
}

static inline uint32_t hypercall(struct guest *guest, uint32_t vp, uint64_t control, uint64_t input)
{
	bool valid = false;
	uint64_t result = hvh_hypercall(guest->host, guest->now, vp, control, input, 0, &valid);
	assert_true(valid);
	return (uint32_t)(result & HV_CALL_STATUS_MASK);
}

static inline void start_vp(struct guest *guest, uint32_t vp)
{
	set_page(guest, vp, HV_MSR_SIMP, PAGE_SIMP + vp);
	set_page(guest, vp, HV_MSR_SIEFP, PAGE_SIEFP + vp);
	set_control(guest, vp, HV_MSR_SINT0 + VMBUS_SINT, VECTOR);
	set_control(guest, vp, HV_MSR_SCONTROL, HV_SCONTROL_ENABLE);
}

static inline void guest_start(struct guest *guest)
{
	set_msr(guest, 0, HV_MSR_GUEST_OS_ID, HV_OS_ID_OPEN_SOURCE | 1);
	set_page(guest, 0, HV_MSR_HYPERCALL, PAGE_HYPERCALL);
	for (uint32_t vp = 0; vp < VPS; vp++)
		start_vp(guest, vp);
}

/* --- Messages ---------------------------------------------------------------------------------- */

static inline uint32_t post_to(struct guest *guest, uint32_t connection, const void *bytes, uint32_t size)
{
	struct hv_post_message_input input = {
		.connection_id = connection,
		.message_type = HV_MESSAGE_VMBUS,
		.payload_size = size,
	};
	memcpy(input.payload, bytes, size);
	memcpy(guest->memory + ADDRESS(PAGE_INPUT), &input, sizeof(input));
	return hypercall(guest, 0, HV_CALL_POST_MESSAGE, ADDRESS(PAGE_INPUT));
}

/* Lets the host do what is due now, bounded. */
static inline void settle(struct guest *guest)
{
	for (unsigned n = 0; n < 1000; n++) {
		if (!hvh_run(guest->host, guest->now))
			return;
	}
	fail_msg("the host never comes to rest");
}

static inline void post(struct guest *guest, const void *bytes, uint32_t size)
{
	assert_int_equal(post_to(guest, guest->connection, bytes, size), HV_STATUS_SUCCESS);
	settle(guest);
}

static inline void pass(struct guest *guest, uint64_t time)
{
	uint64_t until = guest->now + time;
	for (unsigned n = 0; n < 100000; n++) {
		uint64_t next = hvh_next_event(guest->host);
		if (next > until)
			break;
		if (next > guest->now)
			guest->now = next;
		hvh_run(guest->host, guest->now);
	}
	guest->now = until;
	settle(guest);
}

static inline _Atomic uint32_t *word_at(struct guest *guest, uint64_t gpa)
{
	return (_Atomic uint32_t *)(void *)(guest->memory + gpa);
}

static inline uint64_t slot_at(uint32_t vp)
{
	return ADDRESS(PAGE_SIMP + vp) + VMBUS_SINT * sizeof(struct hv_message);
}

/* Takes the message in a VP's slot as a guest must: copy, clear, flag, EOM. */
static inline bool take(struct guest *guest, uint32_t vp)
{
	struct hv_message message;
	memcpy(&message, guest->memory + slot_at(vp), sizeof(message));
	if (message.type == HV_MESSAGE_NONE)
		return false;
	assert_int_equal(message.type, HV_MESSAGE_VMBUS);
	assert_true(message.payload_size <= HV_MESSAGE_PAYLOAD_MAX);
	guest->message_size = message.payload_size;
	memcpy(guest->message, message.payload, sizeof(guest->message));
	*word_at(guest, slot_at(vp)) = 0;
	if ((guest->memory[slot_at(vp) + 5] & HV_MESSAGE_FLAG_PENDING) != 0)
		set_msr(guest, vp, HV_MSR_EOM, 0);
	settle(guest);
	return true;
}

static inline uint32_t message_type(const struct guest *guest)
{
	uint32_t type;
	memcpy(&type, guest->message, sizeof(type));
	return type;
}

static inline uint32_t message_word(const struct guest *guest, uint32_t offset)
{
	uint32_t word;
	memcpy(&word, guest->message + offset, sizeof(word));
	return word;
}

#define assert_message(guest, vp, bytes)                                     \
	do {                                                                 \
		assert_true(take(guest, vp));                                \
		assert_int_equal((guest)->message_size, sizeof(bytes));      \
		assert_memory_equal((guest)->message, bytes, sizeof(bytes)); \
	} while (0)

static inline void assert_silence(struct guest *guest)
{
	for (uint32_t vp = 0; vp < VPS; vp++)
		assert_false(take(guest, vp));
}

/* --- Contact and channels ------------------------------------------------------------------------- */

static inline struct vmbus_initiate_contact contact_message(uint32_t version)
{
	struct vmbus_initiate_contact contact = {
		.header = {VMBUS_MSG_INITIATE_CONTACT, 0},
		.version = version,
		.monitor_page_host_to_guest = ADDRESS(PAGE_MONITOR_IN),
		.monitor_page_guest_to_host = ADDRESS(PAGE_MONITOR_OUT),
	};
	contact.interrupt_page_or_target = version >= VMBUS_VERSION_5_0 ? VMBUS_SINT
									: ADDRESS(PAGE_INTERRUPT);
	return contact;
}

static inline void send_contact(struct guest *guest, const struct vmbus_initiate_contact *contact)
{
	guest->connection = contact->version >= VMBUS_VERSION_5_0 ? VMBUS_CONNECTION_MESSAGE_V5
								  : VMBUS_CONNECTION_MESSAGE;
	post(guest, contact, sizeof(*contact));
}

static inline void connect_at(struct guest *guest, uint32_t version)
{
	struct vmbus_initiate_contact contact = contact_message(version);
	send_contact(guest, &contact);
	assert_true(take(guest, 0));
	assert_int_equal(message_type(guest), VMBUS_MSG_VERSION_RESPONSE);
	assert_int_equal(guest->message[8], 1);
	if (version >= VMBUS_VERSION_5_0)
		guest->connection = message_word(guest, 12);
}

static inline bool device_open(void *context, struct hvh_channel *channel, uint64_t now,
			       const uint8_t user_data[VMBUS_USER_DATA_SIZE])
{
	struct device *device = context;
	(void)channel, (void)now;
	device->opens++;
	device->user_data = user_data[0];
	return !device->refuse;
}

static inline void device_close(void *context, struct hvh_channel *channel, uint64_t now)
{
	struct device *device = context;
	(void)channel, (void)now;
	device->closes++;
}

static inline void device_keep(struct device *device, const struct hvh_packet *packet)
{
	unsigned n = device->count++;
	assert_true(n < PACKETS_KEPT);
	device->packets[n] = *packet;
	assert_true(packet->extension_length + packet->payload_length <= sizeof(device->bytes[n]));
	memcpy(device->bytes[n], packet->extension, packet->extension_length);
	memcpy(device->bytes[n] + packet->extension_length, packet->payload, packet->payload_length);
}

static inline bool device_run(void *context, struct hvh_channel *channel, uint64_t now)
{
	struct device *device = context;
	struct hvh_packet packet;
	device->runs++;
	for (unsigned n = 0; !device->keep_reading_off; n++) {
		if (device->read_limit != 0 && n == device->read_limit)
			return true;
		device->last = hvh_channel_read(channel, now, &packet);
		if (device->last != HVH_READ_PACKET)
			break;
		device_keep(device, &packet);
	}
	return false;
}

static inline bool device_may_tear_down(void *context, struct hvh_channel *channel, uint32_t gpadl)
{
	struct device *device = context;
	(void)channel, (void)gpadl;
	return !device->hold_gpadls;
}

static const struct hvh_device_ops device_ops = {
	.name = "test",
	.open = device_open,
	.close = device_close,
	.run = device_run,
	.may_tear_down = device_may_tear_down,
};

static inline struct hvh_offer_parameters device_parameters(uint8_t instance)
{
	struct hvh_offer_parameters parameters = {
		.type = VMBUS_GUID_NETVSC,
		.instance = {{0x11, 0x11, 0x11, 0x11, 0x22, 0x22, 0x33, 0x33, 0x44, 0x44, 0x55, 0x55, 0x55,
			      0x55, 0x55, instance}},
		.flags = 0x2040,
		.mmio_megabytes = 16,
		.user_data = {0xa0, 0xa1},
	};
	return parameters;
}

static inline void offer_device(struct guest *guest, struct device *device, uint8_t instance, bool monitored)
{
	struct hvh_offer_parameters parameters = device_parameters(instance);
	parameters.monitored = monitored;
	memset(device, 0, sizeof(*device));
	device->channel = hvh_channel_offer(guest->host, &parameters, &device_ops, device);
	assert_non_null(device->channel);
}

/* Connected at a version, with one device offered as channel 1. The offer is in message. */
static inline void offered_at(struct guest *guest, struct device *device, uint32_t version, bool monitored)
{
	uint8_t offer[sizeof(guest->message)];
	guest_start(guest);
	offer_device(guest, device, 0x55, monitored);
	connect_at(guest, version);
	post(guest, golden_request_offers, sizeof(golden_request_offers));
	assert_true(take(guest, 0));
	assert_int_equal(message_type(guest), VMBUS_MSG_OFFER_CHANNEL);
	uint32_t size = guest->message_size;
	memcpy(offer, guest->message, sizeof(offer));
	assert_message(guest, 0, golden_all_offers_delivered);
	memcpy(guest->message, offer, sizeof(offer));
	guest->message_size = size;
}

static inline struct vmbus_gpadl_header gpadl_message(uint32_t channel, uint32_t id, uint32_t pages)
{
	struct vmbus_gpadl_header header = {
		.header = {VMBUS_MSG_GPADL_HEADER, 0},
		.channel_id = channel,
		.gpadl = id,
		.range_buffer_length = (uint16_t)(8 + 8 * pages),
		.range_count = 1,
		.byte_count = pages * HVK_PAGE_SIZE,
	};
	return header;
}

/* One message: at most 26 pages, consecutive. */
static inline void send_gpadl(struct guest *guest, const struct vmbus_gpadl_header *header, uint64_t page,
			      uint32_t pages)
{
	uint8_t bytes[HV_MESSAGE_PAYLOAD_MAX];
	memcpy(bytes, header, sizeof(*header));
	for (uint32_t n = 0; n < pages; n++) {
		uint64_t pfn = page + n;
		memcpy(bytes + sizeof(*header) + 8 * n, &pfn, 8);
	}
	post(guest, bytes, (uint32_t)sizeof(*header) + 8 * pages);
}

static inline void create_gpadl(struct guest *guest, uint32_t channel, uint32_t id, uint64_t page,
				uint32_t pages)
{
	struct vmbus_gpadl_header header = gpadl_message(channel, id, pages);
	send_gpadl(guest, &header, page, pages);
	assert_true(take(guest, 0));
	assert_int_equal(message_type(guest), VMBUS_MSG_GPADL_CREATED);
	assert_int_equal(message_word(guest, 16), 0);
}

static inline struct vmbus_open_channel open_message(uint32_t channel)
{
	struct vmbus_open_channel open = {
		.header = {VMBUS_MSG_OPEN_CHANNEL, 0},
		.channel_id = channel,
		.open_id = channel,
		.ring_gpadl = GPADL,
		.downstream_page_offset = DOWNSTREAM,
	};
	return open;
}

static inline uint32_t send_open(struct guest *guest, const struct vmbus_open_channel *open)
{
	post(guest, open, sizeof(*open));
	assert_true(take(guest, 0));
	assert_int_equal(message_type(guest), VMBUS_MSG_OPEN_RESULT);
	return message_word(guest, 16);
}

static inline void send_channel(struct guest *guest, uint32_t type, uint32_t channel)
{
	struct vmbus_channel_message message = {.header = {type, 0}, .channel_id = channel};
	post(guest, &message, sizeof(message));
}

static inline void send_teardown(struct guest *guest, uint32_t channel, uint32_t id)
{
	struct vmbus_gpadl_teardown message = {
		.header = {VMBUS_MSG_GPADL_TEARDOWN, 0},
		.channel_id = channel,
		.gpadl = id,
	};
	post(guest, &message, sizeof(message));
}

/* Everything up to an open channel 1 on VP 0. */
static inline void opened_at(struct guest *guest, struct device *device, uint32_t version, bool monitored)
{
	struct vmbus_open_channel open = open_message(1);
	uint8_t offer[sizeof(guest->message)];
	offered_at(guest, device, version, monitored);
	memcpy(offer, guest->message, sizeof(offer));
	create_gpadl(guest, 1, GPADL, PAGE_RING, RING_PAGES);
	assert_int_equal(send_open(guest, &open), 0);
	memcpy(guest->message, offer, sizeof(offer));
}

/* --- Rings -------------------------------------------------------------------------------------------- */

#define IN_CONTROL ADDRESS(PAGE_RING)
#define IN_DATA ADDRESS(PAGE_RING + 1)
#define OUT_CONTROL ADDRESS(PAGE_RING + DOWNSTREAM)
#define OUT_DATA ADDRESS(PAGE_RING + DOWNSTREAM + 1)

static inline void ring_bytes(struct guest *guest, uint32_t at, const void *bytes, uint32_t length)
{
	for (uint32_t n = 0; n < length; n++)
		guest->memory[IN_DATA + (at + n) % RING_BYTES] = ((const uint8_t *)bytes)[n];
}

/* Puts a packet into the ring without publishing it; returns the new write index. */
static inline uint32_t put_packet(struct guest *guest, uint32_t at,
				  const struct vmbus_packet_descriptor *descriptor, const void *rest,
				  uint32_t length)
{
	struct vmbus_packet_trailer trailer = {0, at};
	ring_bytes(guest, at, descriptor, sizeof(*descriptor));
	ring_bytes(guest, at + 16, rest, length);
	ring_bytes(guest, at + 16 + length, &trailer, sizeof(trailer));
	return (at + 16 + length + 8) % RING_BYTES;
}

/* Sends an in-band packet; true if the ring rules ask for a signal. */
static inline bool send_packet(struct guest *guest, const void *payload, uint32_t length, uint64_t id)
{
	struct vmbus_packet_descriptor descriptor = {
		.type = VMBUS_PACKET_IN_BAND,
		.header_length8 = 2,
		.length8 = (uint16_t)(2 + length / 8),
		.transaction_id = id,
	};
	uint32_t at = *word_at(guest, IN_CONTROL + VMBUS_RING_WRITE_INDEX);
	uint32_t write = put_packet(guest, at, &descriptor, payload, length);
	*word_at(guest, IN_CONTROL + VMBUS_RING_WRITE_INDEX) = write;
	return *word_at(guest, IN_CONTROL + VMBUS_RING_INTERRUPT_MASK) == 0 &&
	       *word_at(guest, IN_CONTROL + VMBUS_RING_READ_INDEX) == at;
}

static inline uint32_t signal_to(struct guest *guest, uint32_t connection)
{
	return hypercall(guest, 0, HV_CALL_SIGNAL_EVENT | HV_CALL_FAST, connection);
}

static inline bool event_set(struct guest *guest, uint32_t vp, uint32_t flag)
{
	return (*word_at(guest, ADDRESS(PAGE_SIEFP + vp) + VMBUS_SINT * 256u + flag / 32 * 4) >> flag % 32 &
		1) != 0;
}

static inline void clear_event(struct guest *guest, uint32_t vp, uint32_t flag)
{
	*word_at(guest, ADDRESS(PAGE_SIEFP + vp) + VMBUS_SINT * 256u + flag / 32 * 4) &= ~(1u << flag % 32);
}

#endif
