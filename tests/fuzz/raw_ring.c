/* SPDX-License-Identifier: MIT */
/* Packets of the raw guest, and the device that sends back what it gets. */
#include "hvkit/wire/ring.h"
#include "hvkit/wire/vmbus.h"

#include "tests/fuzz/raw_guest.h"

#define DESCRIPTOR ((uint32_t)sizeof(struct vmbus_packet_descriptor))
#define TRAILER ((uint32_t)sizeof(struct vmbus_packet_trailer))
#define NVS_BYTES 40u
#define DRAIN_MAX 256u
#define EXTERNAL_MAX 20000u
#define READS_PER_RUN 16u

/* --- To the host -------------------------------------------------------------------- */

void raw_ring_bytes(struct raw_guest *guest, uint32_t at, const void *bytes, uint32_t length)
{
	for (uint32_t i = 0; i < length; i++)
		raw_write(guest, (guest->ring + 1u) * HVK_PAGE_SIZE + (at + i) % RAW_RING_BYTES,
			  (const uint8_t *)bytes + i, 1);
}

uint32_t raw_ring_word(struct raw_guest *guest, uint32_t page, uint32_t offset)
{
	uint32_t value;

	memcpy(&value, guest->pages[page] + offset, sizeof(value));
	return value;
}

/* Whether the rules ask for it or not. */
void raw_signal(struct raw_guest *guest)
{
	uint32_t bit = VMBUS_INTERRUPT_PAGE_GUEST_TO_HOST * 8u + guest->channel;

	if (guest->profile.accept_newest < VMBUS_VERSION_2_4 && guest->channel < VMBUS_MAX_CHANNELS_SHARED)
		guest->pages[RAW_INTERRUPT][bit / 8] |= (uint8_t)(1u << bit % 8);
	(void)raw_hypercall(guest, 0, HV_CALL_SIGNAL_EVENT | HV_CALL_FAST, guest->event_connection);
}

void raw_packet(struct raw_guest *guest, uint16_t type, uint16_t flags, uint64_t transaction,
		const void *extension, uint32_t extension_length, const void *payload, uint32_t length)
{
	static const uint8_t zeros[8];
	uint32_t write = raw_ring_word(guest, guest->ring, VMBUS_RING_WRITE_INDEX);
	uint32_t read = raw_ring_word(guest, guest->ring, VMBUS_RING_READ_INDEX);
	uint32_t header = DESCRIPTOR + ((extension_length + 7u) & ~7u);
	uint32_t whole = header + ((length + 7u) & ~7u);
	struct vmbus_packet_descriptor descriptor = {type, (uint16_t)(header / 8), (uint16_t)(whole / 8),
						     flags, transaction};
	struct vmbus_packet_trailer trailer = {0, write};

	if (write >= RAW_RING_BYTES || read >= RAW_RING_BYTES ||
	    (write + RAW_RING_BYTES - read) % RAW_RING_BYTES + whole + TRAILER >= RAW_RING_BYTES)
		return;
	raw_ring_bytes(guest, write, &descriptor, DESCRIPTOR);
	raw_ring_bytes(guest, write + DESCRIPTOR, extension, extension_length);
	raw_ring_bytes(guest, write + DESCRIPTOR + extension_length, zeros,
		       header - DESCRIPTOR - extension_length);
	raw_ring_bytes(guest, write + header, payload, length);
	raw_ring_bytes(guest, write + header + length, zeros, whole - header - length);
	raw_ring_bytes(guest, write + whole, &trailer, TRAILER);
	write = (write + whole + TRAILER) % RAW_RING_BYTES;
	memcpy(guest->pages[guest->ring] + VMBUS_RING_WRITE_INDEX, &write, sizeof(write));
	raw_signal(guest);
	raw_settle(guest);
}

void raw_nvs(struct raw_guest *guest, const void *message, uint32_t length)
{
	uint8_t bytes[256] = {0};

	memcpy(bytes, message, length);
	raw_packet(guest, VMBUS_PACKET_IN_BAND, VMBUS_PACKET_FLAG_COMPLETION_REQUESTED, ++guest->transaction,
		   NULL, 0, bytes, length < NVS_BYTES ? NVS_BYTES : length);
}

void raw_rndis(struct raw_guest *guest, uint32_t channel_type, const void *message, uint32_t length)
{
	uint8_t payload[NVS_BYTES] = {0};
	const struct nvs_rndis nvs = {NVS_TYPE_RNDIS, channel_type, NVS_SECTION_NONE, 0};
	const struct {
		struct vmbus_gpa_direct_header header;
		struct vmbus_gpa_range range;
		uint64_t pfn;
	} list = {{0, 1}, {length, 0}, RAW_DATA};

	memcpy(payload, &nvs, sizeof(nvs));
	raw_write(guest, RAW_DATA * HVK_PAGE_SIZE, message, length);
	raw_packet(guest, VMBUS_PACKET_GPA_DIRECT, VMBUS_PACKET_FLAG_COMPLETION_REQUESTED,
		   ++guest->transaction, &list, sizeof(list), payload, sizeof(payload));
}

/* --- From the host ------------------------------------------------------------------------ */

static void copy_out(struct raw_guest *guest, uint32_t at, void *to, uint32_t length)
{
	for (uint32_t i = 0; i < length; i++) {
		uint32_t offset = (at + i) % RAW_RING_BYTES;

		((uint8_t *)to)[i] = guest->pages[guest->ring + RAW_DOWNSTREAM + 1u + offset / HVK_PAGE_SIZE]
						 [offset % HVK_PAGE_SIZE];
	}
}

static bool take(struct raw_guest *guest, struct vmbus_packet_descriptor *descriptor)
{
	uint8_t *control = guest->pages[guest->ring + RAW_DOWNSTREAM];
	uint32_t write, read, used;

	memcpy(&write, control + VMBUS_RING_WRITE_INDEX, sizeof(write));
	memcpy(&read, control + VMBUS_RING_READ_INDEX, sizeof(read));
	if (write >= RAW_RING_BYTES || read >= RAW_RING_BYTES)
		return false;
	used = (write + RAW_RING_BYTES - read) % RAW_RING_BYTES;
	if (used < DESCRIPTOR + TRAILER)
		return false;
	copy_out(guest, read, descriptor, DESCRIPTOR);
	if (descriptor->length8 * 8u + TRAILER > used)
		return false; /* the fuzzer was there */
	if (descriptor->type == VMBUS_PACKET_IN_BAND && descriptor->length8 * 8u > DESCRIPTOR) {
		guest->packet_length = descriptor->length8 * 8u - DESCRIPTOR;
		if (guest->packet_length > RAW_PACKET_MAX)
			guest->packet_length = RAW_PACKET_MAX;
		copy_out(guest, read + DESCRIPTOR, guest->packet, guest->packet_length);
	}
	if (descriptor->type == VMBUS_PACKET_COMPLETION && used >= DESCRIPTOR + sizeof(guest->answer))
		copy_out(guest, read + DESCRIPTOR, guest->answer, sizeof(guest->answer));
	read = (read + descriptor->length8 * 8u + TRAILER) % RAW_RING_BYTES;
	memcpy(control + VMBUS_RING_READ_INDEX, &read, sizeof(read));
	return true;
}

void raw_drain(struct raw_guest *guest)
{
	const struct nvs_rndis_complete done = {NVS_TYPE_RNDIS_COMPLETE, NVS_STATUS_SUCCESS};
	struct vmbus_packet_descriptor descriptor;

	for (uint32_t i = 0; i < DRAIN_MAX && take(guest, &descriptor); i++) {
		if (!(descriptor.flags & VMBUS_PACKET_FLAG_COMPLETION_REQUESTED))
			continue;
		guest->pending[guest->pending_count++ % RAW_PENDING] = descriptor.transaction_id;
		if (!guest->hold)
			raw_packet(guest, VMBUS_PACKET_COMPLETION, 0, descriptor.transaction_id, NULL, 0,
				   &done, sizeof(done));
	}
	raw_signal(guest); /* there is room */
	raw_settle(guest);
}

/* --- The device that echoes -------------------------------------------------------------------- */

static bool echo_open(void *device, struct hvh_channel *channel, uint64_t now,
		      const uint8_t user_data[VMBUS_USER_DATA_SIZE])
{
	(void)device, (void)channel, (void)now;
	return user_data[0] != 0xff;
}

static void echo_close(void *device, struct hvh_channel *channel, uint64_t now)
{
	(void)device, (void)channel, (void)now;
}

static void look_at_external(struct raw_guest *guest, struct hvh_channel *channel,
			     const struct hvh_packet *packet)
{
	uint32_t size;
	uint8_t *copy;

	if (!hvh_packet_external_size(channel, packet, &size) || size == 0 || size > EXTERNAL_MAX)
		return;
	copy = malloc(size);
	FUZZ_CHECK(copy != NULL);
	if (hvh_packet_external_read(channel, packet, 0, copy, size))
		guest->sum = (uint8_t)(guest->sum + copy[size - 1]);
	(void)hvh_packet_external_read(channel, packet, size / 2, copy, size);
	free(copy);
}

static bool echo_run(void *device, struct hvh_channel *channel, uint64_t now)
{
	struct raw_guest *guest = device;
	struct hvh_packet packet;

	for (uint32_t i = 0; i < READS_PER_RUN; i++) {
		enum hvh_read_result result = hvh_channel_read(channel, now, &packet);
		uint16_t type = VMBUS_PACKET_IN_BAND;

		if (result != HVH_READ_PACKET)
			return false;
		if (packet.descriptor.type == VMBUS_PACKET_GPA_DIRECT)
			look_at_external(guest, channel, &packet);
		if (packet.descriptor.flags & VMBUS_PACKET_FLAG_COMPLETION_REQUESTED)
			type = VMBUS_PACKET_COMPLETION;
		if (packet.descriptor.type != VMBUS_PACKET_COMPLETION)
			(void)hvh_channel_write(channel, now, type, false, packet.descriptor.transaction_id,
						packet.extension, packet.extension_length, packet.payload,
						packet.payload_length, NULL, 0);
	}
	return true;
}

static const struct hvh_device_ops echo_ops = {
	.name = "echo",
	.open = echo_open,
	.close = echo_close,
	.run = echo_run,
};

void raw_create_echo(struct raw_guest *guest)
{
	struct hvh_offer_parameters parameters = {.type = VMBUS_GUID_NETVSC, .instance = {{1, 2, 3}}};

	guest->echo = hvh_channel_offer(guest->host, &parameters, &echo_ops, guest);
	FUZZ_CHECK(guest->echo != NULL);
}

static void transmit(void *context, const void *frame, uint32_t length)
{
	struct raw_guest *guest = context;

	FUZZ_CHECK(length >= 14);
	for (uint32_t i = 0; i < length; i++)
		guest->sum = (uint8_t)(guest->sum + ((const uint8_t *)frame)[i]);
}

void raw_create_nic(struct raw_guest *guest)
{
	struct hvh_nic_config config = {.mac = {0x00, 0x15, 0x5d, 1, 2, 3}, .link_up = true};
	struct hvh_backend backend = {.context = guest, .transmit = transmit};

	guest->nic = hvh_nic_create(guest->host, &config, &backend);
	FUZZ_CHECK(guest->nic != NULL);
}
