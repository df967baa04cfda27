/* SPDX-License-Identifier: MIT */
/*
 * A channel without VMBus under it: netvsp's tests play the guest on plain queues.
 * Implements what host/netvsp/ uses of core.h and channel.h.
 */
#ifndef HOST_NETVSP_FAKE_H
#define HOST_NETVSP_FAKE_H

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
#include "hvkit/wire/nvs.h"
#include "hvkit/wire/rndis.h"
#include "hvkit_host/network.h"
#include "tests/golden/nvs_rndis.h"

#define FAKE_PACKETS 2048u
#define FAKE_PACKET_BYTES 4096u
#define FAKE_GPADL_RECEIVE 0xe1e10u
#define FAKE_GPADL_SEND 0xe1e11u
#define FAKE_RECEIVE_BYTES 65536u
#define FAKE_SEND_BYTES 65536u
#define FAKE_FRAMES 64u
#define FAKE_CHANNELS 8u /* the primary and seven more */

struct fake_packet {
	uint16_t type;
	bool completion_requested;
	uint64_t transaction_id;
	uint8_t extension[FAKE_PACKET_BYTES];
	uint32_t extension_length;
	uint8_t payload[512];
	uint32_t payload_length;
	uint8_t external[8192];
	uint32_t external_length;
};

struct fake_queue {
	struct fake_packet *packets;
	uint32_t head, count;
};

struct hvh_gpadl {
	uint32_t id;
	uint8_t *bytes;
	uint32_t size;
};

struct hvh_channel {
	struct hvh_partition *partition;
	const struct hvh_device_ops *ops;
	void *device;
	uint32_t index;
	bool offered;
	uint64_t offered_at;
	bool open;
	bool full; /* the ring to the guest */
	bool corrupt;
	uint32_t released; /* GPADL, by hvh_channel_teardown_ready */
	struct fake_queue to_host, to_guest;
	struct fake_packet reading;
	struct hvh_gpadl gpadls[2];
};

struct hvh_partition {
	struct hvh_profile profile;
	bool deterministic, traced;
	uint64_t random;
	uint64_t choice; /* what hvh_choose gives; UINT64_MAX: random */
	bool fault[HVH_FAULT_COUNT];
	enum hvh_silence silence;
	uint32_t violations[HVH_V_COUNT];
	uint32_t violation_count;
	char violation_text[256];
	struct hvh_channel channel; /* the primary */
	struct hvh_channel subchannels[FAKE_CHANNELS - 1];
	uint32_t subchannels_offered;
	bool offers_wait; /* hvh_channel_offers_delivered says no */
};

/* The whole scene of one test. */
struct fake {
	struct hvh_partition partition;
	struct hvh_nic *nic;
	struct hvh_channel *on; /* the channel that the functions below are about */
	uint64_t now;
	uint64_t next_transaction;
	uint32_t frames;               /* that reached the backend */
	uint32_t flushed;              /* times, after frames */
	uint32_t link_ups, link_downs; /* that the backend was told of */
	bool counts_only;              /* what frames reach the backend */
	uint8_t frame[FAKE_FRAMES][2048];
	uint32_t frame_length[FAKE_FRAMES];
};

/* --- core.h and channel.h ----------------------------------------------------------- */

void *hvh_device_by_name(struct hvh_partition *partition, const char *name, const struct hvh_device_ops *ops)
{
	(void)name;
	return partition->channel.ops == ops ? partition->channel.device : NULL;
}

const struct hvh_profile *hvh_partition_get_profile(const struct hvh_partition *partition)
{
	return &partition->profile;
}

bool hvh_partition_deterministic(const struct hvh_partition *partition)
{
	return partition->deterministic;
}

bool hvh_trace_wanted(const struct hvh_partition *partition)
{
	return partition->traced;
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

uint64_t hvh_random(struct hvh_partition *partition)
{
	partition->random = partition->random * 6364136223846793005ull + 1442695040888963407ull;
	return partition->random >> 11;
}

uint32_t hvh_choose(struct hvh_partition *partition, uint32_t below)
{
	if (partition->choice != UINT64_MAX)
		return (uint32_t)(partition->choice < below ? partition->choice : below - 1);
	return (uint32_t)(hvh_random(partition) % below);
}

bool hvh_fault_strikes(struct hvh_partition *partition, enum hvh_fault fault)
{
	return partition->fault[fault];
}

enum hvh_silence hvh_silence_get(const struct hvh_partition *partition)
{
	return partition->silence;
}

struct hvh_channel *hvh_channel_offer(struct hvh_partition *partition,
				      const struct hvh_offer_parameters *parameters,
				      const struct hvh_device_ops *ops, void *device)
{
	static const struct vmbus_guid netvsc = VMBUS_GUID_NETVSC;

	assert_memory_equal(&parameters->type, &netvsc, sizeof netvsc);
	partition->channel.ops = ops;
	partition->channel.device = device;
	return &partition->channel;
}

void hvh_channel_rescind(struct hvh_channel *channel, uint64_t now)
{
	struct hvh_partition *partition = channel->partition;

	for (uint32_t n = 0; channel->index == 0 && n < partition->subchannels_offered; n++)
		hvh_channel_rescind(&partition->subchannels[n], now);
	if (channel->open)
		channel->ops->close(channel->device, channel, now);
	channel->open = false;
	channel->offered = false;
	if (channel->index == 0)
		partition->subchannels_offered = 0;
}

uint32_t hvh_channel_index(const struct hvh_channel *channel)
{
	return channel->index;
}

uint32_t hvh_channel_offer_subchannels(struct hvh_channel *primary, uint32_t count, uint64_t due)
{
	struct hvh_partition *partition = primary->partition;

	for (uint32_t n = 0; n < count; n++) {
		struct hvh_channel *channel = &partition->subchannels[partition->subchannels_offered];

		assert_true(partition->subchannels_offered < FAKE_CHANNELS - 1);
		channel->index = ++partition->subchannels_offered;
		channel->partition = partition;
		channel->ops = primary->ops;
		channel->device = primary->device;
		channel->offered = true;
		channel->offered_at = due;
	}
	return count;
}

bool hvh_channel_offers_delivered(struct hvh_channel *primary)
{
	return !primary->partition->offers_wait;
}

void hvh_channel_offer_again(struct hvh_channel *channel, uint64_t now)
{
	(void)channel;
	(void)now;
}

uint32_t hvh_channel_id(const struct hvh_channel *channel)
{
	return 1 + channel->index;
}

void hvh_channel_kick(struct hvh_channel *channel)
{
	(void)channel;
}

enum hvh_read_result hvh_channel_read(struct hvh_channel *channel, uint64_t now, struct hvh_packet *packet)
{
	struct fake_packet *from;

	(void)now;
	if (channel->corrupt)
		return HVH_READ_CORRUPT;
	if (channel->to_host.count == 0)
		return HVH_READ_EMPTY;
	from = &channel->to_host.packets[channel->to_host.head];
	channel->to_host.head = (channel->to_host.head + 1) % FAKE_PACKETS;
	channel->to_host.count--;
	channel->reading = *from;
	memset(packet, 0, sizeof *packet);
	packet->descriptor.type = from->type;
	packet->descriptor.flags = from->completion_requested ? VMBUS_PACKET_FLAG_COMPLETION_REQUESTED : 0;
	packet->descriptor.transaction_id = from->transaction_id;
	packet->extension = channel->reading.extension;
	packet->extension_length = from->extension_length;
	packet->payload = channel->reading.payload;
	packet->payload_length = from->payload_length;
	return HVH_READ_PACKET;
}

bool hvh_packet_external_size(struct hvh_channel *channel, const struct hvh_packet *packet, uint32_t *size)
{
	(void)packet;
	*size = channel->reading.external_length;
	return true;
}

bool hvh_packet_external_read(struct hvh_channel *channel, const struct hvh_packet *packet, uint32_t offset,
			      void *to, uint32_t length)
{
	(void)packet;
	if (offset + length > channel->reading.external_length)
		return false;
	memcpy(to, channel->reading.external + offset, length);
	return true;
}

void hvh_channel_teardown_ready(struct hvh_channel *channel, uint32_t gpadl, uint64_t now)
{
	(void)now;
	channel->released = gpadl;
}

void hvh_packet_trace_external(struct hvh_channel *channel, uint64_t now, const void *bytes, uint32_t length)
{
	(void)channel;
	(void)now;
	(void)bytes;
	(void)length;
}

bool hvh_channel_write(struct hvh_channel *channel, uint64_t now, uint16_t type, bool completion_requested,
		       uint64_t transaction_id, const void *extension, uint32_t extension_length,
		       const void *payload, uint32_t payload_length, const void *external,
		       uint32_t external_length)
{
	struct fake_packet *to;

	(void)now;
	if (channel->full || channel->to_guest.count == FAKE_PACKETS)
		return false;
	to = &channel->to_guest.packets[(channel->to_guest.head + channel->to_guest.count++) % FAKE_PACKETS];
	memset(to, 0, sizeof *to);
	to->type = type;
	to->completion_requested = completion_requested;
	to->transaction_id = transaction_id;
	assert_true(extension_length <= sizeof to->extension && payload_length <= sizeof to->payload);
	if (extension_length > 0)
		memcpy(to->extension, extension, extension_length);
	to->extension_length = extension_length;
	if (payload_length > 0)
		memcpy(to->payload, payload, payload_length);
	to->payload_length = payload_length;
	to->external_length = external_length < sizeof to->external ? external_length
								    : (uint32_t)sizeof to->external;
	if (external != NULL)
		memcpy(to->external, external, to->external_length);
	return true;
}

struct hvh_gpadl *hvh_gpadl_find(struct hvh_channel *channel, uint32_t id)
{
	for (uint32_t i = 0; i < 2; i++)
		if (channel->gpadls[i].bytes != NULL && channel->gpadls[i].id == id)
			return &channel->gpadls[i];
	return NULL;
}

uint32_t hvh_gpadl_size(const struct hvh_gpadl *gpadl)
{
	return gpadl->size;
}

bool hvh_gpadl_read(struct hvh_gpadl *gpadl, uint32_t offset, void *to, uint32_t length)
{
	if (offset > gpadl->size || length > gpadl->size - offset)
		return false;
	memcpy(to, gpadl->bytes + offset, length);
	return true;
}

bool hvh_gpadl_write(struct hvh_gpadl *gpadl, uint32_t offset, const void *from, uint32_t length)
{
	if (offset > gpadl->size || length > gpadl->size - offset)
		return false;
	if (length != 0)
		memcpy(gpadl->bytes + offset, from, length);
	return true;
}

/* --- The scene --------------------------------------------------------------------------- */

static inline void fake_transmit(void *context, const void *frame, uint32_t length)
{
	struct fake *fake = context;

	if (fake->counts_only) {
		fake->frames++;
		return;
	}
	assert_true(fake->frames < FAKE_FRAMES);
	if (length <= sizeof fake->frame[0])
		memcpy(fake->frame[fake->frames], frame, length);
	fake->frame_length[fake->frames++] = length;
}

static inline void fake_flush(void *context)
{
	struct fake *fake = context;

	assert_true(fake->frames > 0);
	fake->flushed++;
}

static inline void fake_link(void *context, bool up)
{
	struct fake *fake = context;

	fake->link_ups += up;
	fake->link_downs += !up;
}

static inline void fake_rings(struct hvh_channel *channel)
{
	channel->to_host.packets = calloc(FAKE_PACKETS, sizeof(struct fake_packet));
	channel->to_guest.packets = calloc(FAKE_PACKETS, sizeof(struct fake_packet));
}

/* A card on a host with every version and no quirk; the test changes what it likes in
 * the profile before fake_start. */
static inline struct fake *fake_create_without(uint32_t without)
{
	struct fake *fake = calloc(1, sizeof *fake);
	struct hvh_nic_config config = {
		.mac = {0x00, 0x15, 0x5d, 1, 2, 3}, .link_up = true, .without = without};
	struct hvh_backend backend = {
		.context = fake, .transmit = fake_transmit, .flush = fake_flush, .link = fake_link};
	struct hvh_channel *channel = &fake->partition.channel;

	fake->partition.random = 1;
	fake->partition.choice = UINT64_MAX;
	fake->partition.deterministic = true;
	fake->partition.profile = (struct hvh_profile){
		.name = "test",
		.nvs_newest = NVS_VERSION_6_1,
		.revoke_completed = true,
		.receive_suballocation = 1728,
		.send_section = 6144,
		.ranges_per_packet_max = 8,
		.rndis_packets_max = 8,
		.rndis_alignment_factor = 3,
		.rndis_transfer_max = 0xefffffff,
		.short_nvs_ignored = true,
		.receive_buffer_limited = true,
		.information_offset_required = true,
		.rss = true,
		.queues_max = FAKE_CHANNELS,
		.udp_checksum = true,
		.lso = true,
		.rsc = true,
		.lso_size_max = 65535,
		.lso_segments_min = 2,
	};
	fake->on = channel;
	channel->partition = &fake->partition;
	fake_rings(channel);
	channel->gpadls[0] = (struct hvh_gpadl){FAKE_GPADL_RECEIVE, calloc(1, FAKE_RECEIVE_BYTES),
						FAKE_RECEIVE_BYTES};
	channel->gpadls[1] = (struct hvh_gpadl){FAKE_GPADL_SEND, calloc(1, FAKE_SEND_BYTES), FAKE_SEND_BYTES};
	fake->now = 1;
	fake->next_transaction = 100;
	fake->nic = hvh_nic_create(&fake->partition, &config, &backend);
	assert_non_null(fake->nic);
	return fake;
}

static inline struct fake *fake_create(void)
{
	return fake_create_without(0);
}

static inline void fake_destroy(struct fake *fake)
{
	struct hvh_channel *channel = &fake->partition.channel;

	channel->ops->destroy(channel->device);
	free(channel->to_host.packets);
	free(channel->to_guest.packets);
	for (uint32_t n = 0; n < FAKE_CHANNELS - 1; n++) {
		free(fake->partition.subchannels[n].to_host.packets);
		free(fake->partition.subchannels[n].to_guest.packets);
	}
	free(channel->gpadls[0].bytes);
	free(channel->gpadls[1].bytes);
	free(fake);
}

static inline void fake_open(struct fake *fake)
{
	static const uint8_t user_data[VMBUS_USER_DATA_SIZE];
	struct hvh_channel *channel = fake->on;

	assert_true(channel->ops->open(channel->device, channel, fake->now, user_data));
	channel->open = true;
}

/* What follows is about this channel of the card's; 0 is the primary. */
static inline void fake_turn_to(struct fake *fake, uint32_t index)
{
	fake->on = index == 0 ? &fake->partition.channel : &fake->partition.subchannels[index - 1];
	if (fake->on->to_host.packets == NULL)
		fake_rings(fake->on);
}

static inline void fake_close(struct fake *fake)
{
	struct hvh_channel *channel = fake->on;

	channel->ops->close(channel->device, channel, fake->now);
	channel->open = false;
	channel->to_host.count = 0;
	channel->to_guest.count = 0;
}

static inline void fake_run(struct fake *fake)
{
	struct hvh_channel *channel = fake->on;

	for (uint32_t i = 0; i < 10000; i++)
		if (!channel->ops->run(channel->device, channel, fake->now))
			return;
	fail_msg("the device never comes to rest");
}

/* Lets time pass up to the device's next event, and runs it. */
static inline void fake_wait(struct fake *fake)
{
	struct hvh_channel *channel = fake->on;
	uint64_t next = channel->ops->next_event(channel->device, channel);

	assert_true(next != HVH_NEVER);
	if (next > fake->now)
		fake->now = next;
	fake_run(fake);
}

static inline struct fake_packet *fake_queue(struct fake *fake, uint16_t type, bool completion_requested,
					     const void *payload, uint32_t length, uint32_t padded)
{
	struct fake_queue *queue = &fake->on->to_host;
	struct fake_packet *packet = &queue->packets[(queue->head + queue->count++) % FAKE_PACKETS];

	assert_true(queue->count <= FAKE_PACKETS);
	memset(packet, 0, sizeof *packet);
	packet->type = type;
	packet->completion_requested = completion_requested;
	packet->transaction_id = fake->next_transaction++;
	memcpy(packet->payload, payload, length);
	packet->payload_length = padded;
	return packet;
}

/* An NVS message in an in-band packet of 40 bytes; returns the transaction id. */
static inline uint64_t fake_nvs(struct fake *fake, const void *message, uint32_t length)
{
	uint64_t id = fake_queue(fake, VMBUS_PACKET_IN_BAND, true, message, length, 40)->transaction_id;

	fake_run(fake);
	return id;
}

/* Takes the oldest packet to the guest. */
static inline struct fake_packet *fake_take(struct fake *fake)
{
	struct fake_queue *queue = &fake->on->to_guest;
	struct fake_packet *packet = &queue->packets[queue->head];

	assert_true(queue->count > 0);
	queue->head = (queue->head + 1) % FAKE_PACKETS;
	queue->count--;
	return packet;
}

static inline uint32_t fake_waiting(struct fake *fake)
{
	return fake->on->to_guest.count;
}

/* The oldest packet is the completion of id, with these bytes at its beginning. */
static inline void fake_expect_completion(struct fake *fake, uint64_t id, const void *bytes, uint32_t length)
{
	struct fake_packet *packet = fake_take(fake);

	assert_int_equal(packet->type, VMBUS_PACKET_COMPLETION);
	assert_int_equal(packet->transaction_id, id);
	if (length == 0) {
		assert_int_equal(packet->payload_length, 0);
		return;
	}
	assert_true(packet->payload_length >= length);
	assert_memory_equal(packet->payload, bytes, length);
}

static inline void fake_expect_violation(struct fake *fake, enum hvh_violation_kind kind)
{
	if (fake->partition.violation_count == 0)
		fail_msg("no violation");
	if (fake->partition.violations[kind] != fake->partition.violation_count)
		fail_msg("another violation: %s", fake->partition.violation_text);
	memset(fake->partition.violations, 0, sizeof fake->partition.violations);
	fake->partition.violation_count = 0;
}

static inline void fake_expect_lawful(struct fake *fake)
{
	if (fake->partition.violation_count != 0)
		fail_msg("violation: %s", fake->partition.violation_text);
}

static inline uint64_t fake_init(struct fake *fake, uint32_t version)
{
	const struct nvs_init init = {NVS_TYPE_INIT, version, version};

	return fake_nvs(fake, &init, sizeof init);
}

/* Everything up to the buffers; leaves nothing in the queues. */
static inline void fake_negotiate(struct fake *fake, uint32_t version)
{
	const struct nvs_buffer receive = {NVS_TYPE_RECEIVE_BUFFER, FAKE_GPADL_RECEIVE,
					   NVS_RECEIVE_PAGE_SET_ID, 0};
	const struct nvs_buffer send = {NVS_TYPE_SEND_BUFFER, FAKE_GPADL_SEND, NVS_SEND_PAGE_SET_ID, 0};

	fake_open(fake);
	fake_init(fake, version);
	if (version >= NVS_VERSION_2)
		fake_nvs(fake, golden_nvs_ndis_config, sizeof golden_nvs_ndis_config);
	fake_nvs(fake, golden_nvs_ndis_version_6_30, sizeof golden_nvs_ndis_version_6_30);
	fake_nvs(fake, &receive, sizeof receive);
	fake_nvs(fake, &send, sizeof send);
	while (fake_waiting(fake) > 0)
		fake_take(fake);
	fake_expect_lawful(fake);
}

/* An RNDIS message by page list: one range, from offset 0 of a page. */
static inline struct fake_packet *fake_pages(struct fake *fake, uint32_t channel_type, const void *message,
					     uint32_t length)
{
	struct nvs_rndis rndis = {NVS_TYPE_RNDIS, channel_type, NVS_SECTION_NONE, 0};
	struct fake_packet *packet = fake_queue(fake, VMBUS_PACKET_GPA_DIRECT, true, &rndis, sizeof rndis,
						40);
	struct vmbus_gpa_direct_header header = {0, 1};
	struct vmbus_gpa_range range = {length, 0};

	memcpy(packet->extension, &header, sizeof header);
	memcpy(packet->extension + sizeof header, &range, sizeof range);
	packet->extension_length = sizeof header + sizeof range + sizeof(uint64_t);
	assert_true(length <= sizeof packet->external);
	memcpy(packet->external, message, length);
	packet->external_length = length;
	return packet;
}

static inline uint64_t fake_control(struct fake *fake, const void *message, uint32_t length)
{
	uint64_t id = fake_pages(fake, NVS_CHANNEL_CONTROL, message, length)->transaction_id;

	fake_run(fake);
	return id;
}

static inline uint32_t fake_ranges(const struct fake_packet *packet,
				   struct vmbus_transfer_page_range ranges[375])
{
	struct vmbus_transfer_pages_header header;

	assert_int_equal(packet->type, VMBUS_PACKET_TRANSFER_PAGES);
	assert_true(packet->completion_requested);
	memcpy(&header, packet->extension, sizeof header);
	assert_int_equal(header.page_set_id, NVS_RECEIVE_PAGE_SET_ID);
	assert_true(header.range_count >= 1 && header.range_count <= 375);
	assert_int_equal(packet->extension_length,
			 sizeof header + header.range_count * sizeof(struct vmbus_transfer_page_range));
	memcpy(ranges, packet->extension + sizeof header, header.range_count * sizeof *ranges);
	return header.range_count;
}

/* The guest's completion of a transfer-page packet. */
static inline void fake_complete(struct fake *fake, uint64_t transaction_id)
{
	struct nvs_rndis_complete done = {NVS_TYPE_RNDIS_COMPLETE, NVS_STATUS_SUCCESS};
	struct fake_packet *packet = fake_queue(fake, VMBUS_PACKET_COMPLETION, false, &done, sizeof done,
						sizeof done);

	packet->transaction_id = transaction_id;
	fake_run(fake);
}

/* The oldest packet brings these bytes and no more in one range; it is completed. */
static inline void fake_expect_message(struct fake *fake, const void *bytes, uint32_t length)
{
	struct fake_packet *packet = fake_take(fake);
	struct vmbus_transfer_page_range ranges[375];

	assert_int_equal(fake_ranges(packet, ranges), 1);
	assert_int_equal(ranges[0].byte_count, length);
	assert_memory_equal(fake->partition.channel.gpadls[0].bytes + ranges[0].byte_offset, bytes, length);
	fake_complete(fake, packet->transaction_id);
}

/* RNDIS INITIALIZE, and the filter of golden_rndis_set_filter. */
static inline void fake_initialize(struct fake *fake)
{
	fake_control(fake, golden_rndis_initialize, sizeof golden_rndis_initialize);
	fake_control(fake, golden_rndis_set_filter, sizeof golden_rndis_set_filter);
	while (fake_waiting(fake) > 0) {
		struct fake_packet *packet = fake_take(fake);

		if (packet->type == VMBUS_PACKET_TRANSFER_PAGES)
			fake_complete(fake, packet->transaction_id);
	}
	fake_expect_lawful(fake);
}

#endif
