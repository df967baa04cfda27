/* SPDX-License-Identifier: MIT */
/*
 * The dialogue: 7, 9 until a version is taken, 10, perhaps 13, 8; then requests. Sources: OpenVMM
 * storvsp, Linux storvsc_drv.c, FreeBSD hv_storvsc_drv_freebsd.c.
 *
 * Out of order: 0xc0000184, and nothing has happened. What has no answer asked for, or is nothing
 * that there is, ends the channel's worker (OpenVMM): nothing later is read until the channel closes.
 */
#include <string.h>

#include "storvsp.h"

struct operation {
	uint32_t number;
	const char *name;
	uint32_t size; /* bytes behind the header that mean something; the rest is 0 */
	bool pages;    /* may come with a page list */
	enum hvh_silence silence;
	void (*handle)(struct storvsp_queue *queue, const struct hvh_packet *packet);
};

static void answer_plain(struct storvsp_queue *queue, const struct hvh_packet *packet, uint32_t status)
{
	storvsp_answer(queue, packet, status, NULL, 0);
}

static void out_of_order(struct storvsp_queue *queue, const struct hvh_packet *packet, const char *name)
{
	STORVSP_VIOLATE(queue, HVH_V_VSTOR_ORDER, packet->payload, packet->payload_length,
			"%s %s: the order is begin, version, properties, end, and then requests", name,
			queue->index != 0 ? "on a sub-channel" : storvsp_state_name(queue->storage->state));
	answer_plain(queue, packet, VSTOR_STATUS_INVALID_DEVICE_STATE);
}

/* Is it the primary, in this state? */
static bool in_order(struct storvsp_queue *queue, const struct hvh_packet *packet, enum storvsp_state wanted,
		     const char *name)
{
	if (queue->index == 0 && queue->storage->state == wanted)
		return true;
	out_of_order(queue, packet, name);
	return false;
}

/* --- One after another ---------------------------------------------------------------------- */

static void begin(struct storvsp_queue *queue, const struct hvh_packet *packet)
{
	if (!in_order(queue, packet, STORVSP_BEGIN, "BEGIN_INITIALIZATION"))
		return;
	queue->storage->state = STORVSP_VERSION;
	answer_plain(queue, packet, VSTOR_STATUS_SUCCESS);
}

bool storvsp_version_accepted(const struct hvh_storage *storage, uint16_t version)
{
	static const uint16_t versions[] = {VSTOR_VERSION_2_0, VSTOR_VERSION_4_2, VSTOR_VERSION_5_1,
					    VSTOR_VERSION_6_0};
	const struct hvh_profile *profile = hvh_partition_get_profile(storage->partition);

	if (version == VSTOR_VERSION_6_2)
		return profile->vstor_6_2;
	for (uint32_t n = 0; n < sizeof versions / sizeof versions[0]; n++)
		if (versions[n] == version)
			return version <= profile->vstor_newest;
	return false;
}

/* A refusal repeats the version that was asked for. */
static void query_version(struct storvsp_queue *queue, const struct hvh_packet *packet)
{
	struct hvh_storage *storage = queue->storage;
	struct vstor_version version;
	uint32_t status = VSTOR_STATUS_REVISION_MISMATCH;

	if (!in_order(queue, packet, STORVSP_VERSION, "QUERY_PROTOCOL_VERSION"))
		return;
	memcpy(&version, packet->payload + STORVSP_HEADER, sizeof version);
	version.revision = 0;
	if (storvsp_version_accepted(storage, version.version)) {
		storage->version = version.version;
		storage->state = STORVSP_PROPERTIES;
		status = VSTOR_STATUS_SUCCESS;
	}
	storvsp_answer(queue, packet, status, &version, sizeof version);
}

static void query_properties(struct storvsp_queue *queue, const struct hvh_packet *packet)
{
	struct hvh_storage *storage = queue->storage;
	struct vstor_properties properties = {.transfer_bytes_max = storage->transfer_max};

	if (!in_order(queue, packet, STORVSP_PROPERTIES, "QUERY_PROPERTIES"))
		return;
	properties.subchannels_max = (uint16_t)storvsp_subchannels_max(storage);
	if (properties.subchannels_max > 0)
		properties.flags = VSTOR_PROPERTY_MULTI_CHANNEL;
	/* Not sure to be zero before 5.1 (FreeBSD). */
	if (storage->version < VSTOR_VERSION_5_1) {
		uint64_t noise = hvh_random(storage->partition);

		memcpy(properties.reserved_2, &noise, sizeof noise);
	}
	storage->state = STORVSP_END;
	storvsp_answer(queue, packet, VSTOR_STATUS_SUCCESS, &properties, sizeof properties);
}

/* What happened up to now the guest will see when it looks. */
static void end(struct storvsp_queue *queue, const struct hvh_packet *packet)
{
	struct hvh_storage *storage = queue->storage;

	if (!in_order(queue, packet, STORVSP_END, "END_INITIALIZATION"))
		return;
	storage->state = STORVSP_READY;
	storage->notice_count = 0;
	answer_plain(queue, packet, VSTOR_STATUS_SUCCESS);
	for (uint32_t n = 1; n < STORVSP_QUEUES_MAX; n++)
		if (storvsp_queue_is_open(storage, n))
			hvh_channel_kick(storage->queues[n]->channel);
}

static void create_subchannels(struct storvsp_queue *queue, const struct hvh_packet *packet)
{
	struct hvh_storage *storage = queue->storage;
	bool at_end = storage->state == STORVSP_END && !storage->subchannels_asked &&
		      storage->version >= VSTOR_VERSION_5_1;

	if (queue->index != 0 || (!at_end && storage->state != STORVSP_READY)) {
		out_of_order(queue, packet, "CREATE_SUBCHANNELS");
		return;
	}
	storvsp_create_subchannels(queue, packet);
}

static void execute_srb(struct storvsp_queue *queue, const struct hvh_packet *packet)
{
	if (queue->storage->state == STORVSP_READY)
		storvsp_execute_srb(queue, packet);
	else
		out_of_order(queue, packet, "EXECUTE_SRB");
}

static void reset(struct storvsp_queue *queue, const struct hvh_packet *packet)
{
	uint32_t operation;

	memcpy(&operation, packet->payload, sizeof operation);
	if (queue->storage->state == STORVSP_READY)
		storvsp_reset(queue, packet, operation);
	else
		out_of_order(queue, packet, "RESET");
}

/* --- Packets ------------------------------------------------------------------------------------ */

#define SRB_SIZE VSTOR_REQUEST_SIZE_OLD

static const struct operation operations[] = {
	{VSTOR_OPERATION_EXECUTE_SRB, "EXECUTE_SRB", SRB_SIZE, true, HVH_SILENCE_VSTOR_REQUEST, execute_srb},
	{VSTOR_OPERATION_RESET_LUN, "RESET_LUN", SRB_SIZE, false, HVH_SILENCE_VSTOR_RESET, reset},
	{VSTOR_OPERATION_RESET_ADAPTER, "RESET_ADAPTER", 0, false, HVH_SILENCE_VSTOR_RESET, reset},
	{VSTOR_OPERATION_RESET_BUS, "RESET_BUS", 0, false, HVH_SILENCE_VSTOR_RESET, reset},
	{VSTOR_OPERATION_BEGIN_INITIALIZATION, "BEGIN_INITIALIZATION", 0, false, HVH_SILENCE_VSTOR_BEGIN,
	 begin},
	{VSTOR_OPERATION_END_INITIALIZATION, "END_INITIALIZATION", 0, false, HVH_SILENCE_VSTOR_END, end},
	{VSTOR_OPERATION_QUERY_PROTOCOL_VERSION, "QUERY_PROTOCOL_VERSION", sizeof(struct vstor_version),
	 false, HVH_SILENCE_VSTOR_VERSION, query_version},
	{VSTOR_OPERATION_QUERY_PROPERTIES, "QUERY_PROPERTIES", 0, false, HVH_SILENCE_VSTOR_PROPERTIES,
	 query_properties},
	{VSTOR_OPERATION_CREATE_SUBCHANNELS, "CREATE_SUBCHANNELS", sizeof(uint16_t), false,
	 HVH_SILENCE_VSTOR_SUBCHANNELS, create_subchannels},
};

static const struct operation *find(uint32_t number)
{
	for (uint32_t n = 0; n < sizeof operations / sizeof operations[0]; n++)
		if (operations[n].number == number)
			return &operations[n];
	return NULL;
}

static void refuse(struct storvsp_queue *queue, enum hvh_violation_kind kind, const struct hvh_packet *packet,
		   const char *what)
{
	STORVSP_VIOLATE(queue, kind, packet->payload, packet->payload_length, "storage: %s", what);
	storvsp_stop(queue);
}

/* Is it one that this host's worker survives? */
static const struct operation *check(struct storvsp_queue *queue, const struct hvh_packet *packet,
				     const struct vstor_header *header)
{
	const struct operation *operation = find(header->operation);

	if (packet->descriptor.type != VMBUS_PACKET_IN_BAND &&
	    packet->descriptor.type != VMBUS_PACKET_GPA_DIRECT)
		refuse(queue, HVH_V_PACKET_TYPE, packet, "packets are in-band (6) or page lists (9)");
	else if ((packet->descriptor.flags & VMBUS_PACKET_FLAG_COMPLETION_REQUESTED) == 0)
		refuse(queue, HVH_V_VSTOR_VALUE, packet, "every packet must request its completion");
	else if (packet->payload_length < STORVSP_HEADER)
		refuse(queue, HVH_V_VSTOR_SIZE, packet, "shorter than its header of 12 bytes");
	else if (operation == NULL)
		refuse(queue, HVH_V_VSTOR_OPERATION, packet,
		       "no such operation for a guest: 3 to 10 or 13 would be right");
	else if (packet->payload_length < STORVSP_HEADER + operation->size)
		refuse(queue, HVH_V_VSTOR_SIZE, packet, "shorter than what its operation needs");
	else if (packet->descriptor.type == VMBUS_PACKET_GPA_DIRECT && !operation->pages)
		refuse(queue, HVH_V_VSTOR_VALUE, packet, "only EXECUTE_SRB has a page list");
	else
		return operation;
	return NULL;
}

/* What a host does not look at, and what is to be as it is all the same. */
static void check_form(struct storvsp_queue *queue, const struct hvh_packet *packet,
		       const struct vstor_header *header, const struct operation *operation)
{
	uint32_t used = STORVSP_HEADER + operation->size;

	if (header->flags != VSTOR_FLAG_REQUEST_COMPLETION || header->status != 0)
		STORVSP_VIOLATE(queue, HVH_V_VSTOR_VALUE, packet->payload, packet->payload_length,
				"%s: flags %#x, status %#x; 1 and 0 would be right", operation->name,
				header->flags, header->status);
	if (operation->size == SRB_SIZE)
		return;
	for (uint32_t n = used; n < packet->payload_length; n++) {
		if (packet->payload[n] == 0)
			continue;
		STORVSP_VIOLATE(queue, HVH_V_VSTOR_PADDING, packet->payload, packet->payload_length,
				"%s: byte %u is to be 0", operation->name, n);
		return;
	}
}

static void take(struct storvsp_queue *queue, const struct hvh_packet *packet)
{
	const struct operation *operation;
	struct vstor_header header = {0, 0, 0};

	if (packet->payload_length >= STORVSP_HEADER)
		memcpy(&header, packet->payload, sizeof header);
	operation = check(queue, packet, &header);
	if (operation == NULL)
		return;
	check_form(queue, packet, &header, operation);
	if (hvh_silence_get(queue->storage->partition) != operation->silence)
		operation->handle(queue, packet);
}

bool storvsp_read(struct storvsp_queue *queue)
{
	struct hvh_packet packet;

	/* A sub-channel's wait until all is ready. */
	if (queue->index != 0 && queue->storage->state != STORVSP_READY)
		return false;
	for (uint32_t n = 0; n < STORVSP_PACKETS_PER_RUN; n++) {
		if (queue->stopped || storvsp_queue_full(queue))
			return false;
		switch (hvh_channel_read(queue->channel, queue->storage->now, &packet)) {
		case HVH_READ_PACKET:
			queue->packets++;
			take(queue, &packet);
			break;
		case HVH_READ_EMPTY:
			return false;
		case HVH_READ_CORRUPT:
			storvsp_stop(queue);
			return false;
		}
	}
	return true;
}
