/* SPDX-License-Identifier: MIT */
#include "guest/netvsc/rndis.h"

#define BODY_OFFSET ((uint32_t)sizeof(struct rndis_header))
#define MAX_TRANSFER_SIZE 0x4000u /* what Linux tells the host */
#define MEDIUM_802_3 0u
#define ETHERNET_HEADER 14u

/* Per-packet information of type VLAN: bits 0-2 priority, 3 CFI, 4-15 id (FreeBSD). */
#define INFO_VLAN 6u

/* --- Building -------------------------------------------------------------------- */

static void build(struct hvk_rndis_message *message, const void *from, uint32_t size)
{
	HVK_ASSERT(size <= sizeof(message->words));
	memset(message, 0, sizeof(*message));
	memcpy(message->words, from, size);
	message->length = size;
}

void hvk_rndis_build_initialize(struct hvk_rndis_message *message, uint32_t request_id)
{
	const struct rndis_initialize request = {
		.header = {RNDIS_MSG_INITIALIZE, sizeof(request)},
		.request_id = request_id,
		.major = 1,
		.max_transfer_size = MAX_TRANSFER_SIZE,
	};

	build(message, &request, sizeof(request));
}

void hvk_rndis_build_halt(struct hvk_rndis_message *message, uint32_t request_id)
{
	const struct rndis_halt request = {{RNDIS_MSG_HALT, sizeof(request)}, request_id};

	build(message, &request, sizeof(request));
}

void hvk_rndis_build_query(struct hvk_rndis_message *message, uint32_t request_id, uint32_t oid)
{
	const struct rndis_request request = {
		.header = {RNDIS_MSG_QUERY, sizeof(request)},
		.request_id = request_id,
		.oid = oid,
		.information_offset = RNDIS_REQUEST_INFORMATION_OFFSET, /* 0 makes hosts fail it (FreeBSD) */
	};

	build(message, &request, sizeof(request));
}

void hvk_rndis_build_set(struct hvk_rndis_message *message, uint32_t request_id, uint32_t oid, uint32_t value)
{
	struct {
		struct rndis_request request;
		uint32_t value;
	} set = {
		.request =
			{
				.header = {RNDIS_MSG_SET, sizeof(set)},
				.request_id = request_id,
				.oid = oid,
				.information_length = sizeof(value),
				.information_offset = RNDIS_REQUEST_INFORMATION_OFFSET,
			},
		.value = value,
	};

	build(message, &set, sizeof(set));
}

void hvk_rndis_build_keepalive_complete(struct hvk_rndis_message *message, uint32_t request_id)
{
	const struct rndis_complete answer = {
		{RNDIS_MSG_KEEPALIVE | RNDIS_MSG_COMPLETE, sizeof(answer)}, request_id, RNDIS_STATUS_SUCCESS};

	build(message, &answer, sizeof(answer));
}

void hvk_rndis_build_packet(struct rndis_packet *packet, uint32_t frame_length)
{
	*packet = (struct rndis_packet){
		.header = {RNDIS_MSG_PACKET, (uint32_t)sizeof(*packet) + frame_length},
		.data_offset = (uint32_t)sizeof(*packet) - RNDIS_OFFSET_BASE,
		.data_length = frame_length,
	};
}

/* --- Parsing ----------------------------------------------------------------------- */

hvk_status hvk_rndis_parse_type(const struct hvk_shared *range, uint32_t *type)
{
	if (range->size < BODY_OFFSET)
		return HVK_EHOST_RNDIS;
	hvk_shared_read(range, 0, type, sizeof(*type));
	return HVK_OK;
}

/* Copies a message of that size out, but for its header, which stays as it is. */
static hvk_status read_message(const struct hvk_shared *range, void *message, uint32_t size)
{
	if (range->size < size)
		return HVK_EHOST_RNDIS;
	hvk_shared_read(range, BODY_OFFSET, (uint8_t *)message + BODY_OFFSET, size - BODY_OFFSET);
	return HVK_OK;
}

/* The first word behind the header. */
static hvk_status read_word(const struct hvk_shared *range, uint32_t *word)
{
	if (!hvk_shared_holds(range, BODY_OFFSET, sizeof(*word)))
		return HVK_EHOST_RNDIS;
	hvk_shared_read(range, BODY_OFFSET, word, sizeof(*word));
	return HVK_OK;
}

/* What an offset field of the message and its length name, as an offset into the range:
 * behind the fixed part and inside the range. */
static hvk_status locate(const struct hvk_shared *range, uint32_t fixed, uint32_t offset, uint32_t length,
			 uint32_t *found)
{
	if (!hvk_fits(offset, length, range->size - RNDIS_OFFSET_BASE) || offset < fixed - RNDIS_OFFSET_BASE)
		return HVK_EHOST_RNDIS;
	*found = offset + RNDIS_OFFSET_BASE;
	return HVK_OK;
}

static hvk_status read_vlan(const struct hvk_shared *range, uint32_t offset, uint32_t length,
			    struct hvk_rndis_frame *frame)
{
	uint32_t value;

	if (length < sizeof(value))
		return HVK_EHOST_RNDIS;
	hvk_shared_read(range, offset, &value, sizeof(value));
	frame->vlan = true;
	frame->vlan_tag = (uint16_t)((value & 7u) << 13 | (value & 8u) << 9 | (value >> 4 & 0xfffu));
	return HVK_OK;
}

/* Each entry's header is copied out once; an entry that cannot be ends the walk. */
static hvk_status walk_info(const struct hvk_shared *range, uint32_t offset, uint32_t length,
			    struct hvk_rndis_frame *frame)
{
	struct rndis_per_packet_info entry;

	for (uint32_t i = 0; length != 0; i++) {
		hvk_status status = HVK_OK;

		if (i == HVK_RNDIS_INFO_ENTRIES_MAX || length < sizeof(entry))
			return HVK_EHOST_RNDIS;
		hvk_shared_read(range, offset, &entry, sizeof(entry));
		if (entry.size < sizeof(entry) || entry.size > length || entry.size % 4 != 0)
			return HVK_EHOST_RNDIS;
		if (entry.data_offset < sizeof(entry) || entry.data_offset > entry.size)
			return HVK_EHOST_RNDIS;
		if (entry.type == INFO_VLAN)
			status = read_vlan(range, offset + entry.data_offset, entry.size - entry.data_offset,
					   frame);
		if (status != HVK_OK)
			return status;
		offset += entry.size;
		length -= entry.size;
	}
	return HVK_OK;
}

hvk_status hvk_rndis_parse_packet(const struct hvk_shared *range, struct hvk_rndis_frame *frame)
{
	struct rndis_packet packet;
	uint32_t info;
	hvk_status status = read_message(range, &packet, sizeof(packet));

	*frame = (struct hvk_rndis_frame){0};
	if (status != HVK_OK || packet.data_length < ETHERNET_HEADER)
		return HVK_EHOST_RNDIS;
	status = locate(range, sizeof(packet), packet.data_offset, packet.data_length, &frame->offset);
	if (status != HVK_OK)
		return status;
	frame->length = packet.data_length;
	if (packet.per_packet_info_length == 0)
		return HVK_OK;
	status = locate(range, sizeof(packet), packet.per_packet_info_offset, packet.per_packet_info_length,
			&info);
	if (status != HVK_OK)
		return status;
	return walk_info(range, info, packet.per_packet_info_length, frame);
}

hvk_status hvk_rndis_parse_answer(const struct hvk_shared *range, struct hvk_rndis_answer *answer)
{
	struct rndis_complete message;
	hvk_status status = read_message(range, &message, sizeof(message));

	if (status != HVK_OK)
		return status;
	*answer = (struct hvk_rndis_answer){message.request_id, message.status};
	return HVK_OK;
}

hvk_status hvk_rndis_parse_initialize(const struct hvk_shared *range, struct hvk_rndis_device *device)
{
	struct rndis_initialize_complete answer;
	hvk_status status = read_message(range, &answer, RNDIS_INITIALIZE_COMPLETE_SIZE_MIN);

	if (status != HVK_OK)
		return status;
	if (answer.major != 1 || answer.medium != MEDIUM_802_3)
		return HVK_EHOST_VALUE;
	device->max_packets = answer.max_packets_per_message;
	device->max_transfer_size = answer.max_transfer_size;
	device->alignment_factor = answer.packet_alignment_factor;
	return HVK_OK;
}

hvk_status hvk_rndis_parse_query(const struct hvk_shared *range, uint8_t info[HVK_RNDIS_INFO_MAX],
				 uint32_t *length)
{
	struct rndis_query_complete answer;
	uint32_t offset;
	hvk_status status = read_message(range, &answer, sizeof(answer));

	if (status != HVK_OK)
		return status;
	*length = 0;
	if (answer.information_length == 0)
		return HVK_OK;
	if (answer.information_length > HVK_RNDIS_INFO_MAX)
		return HVK_EHOST_RNDIS;
	status = locate(range, sizeof(answer), answer.information_offset, answer.information_length, &offset);
	if (status != HVK_OK)
		return status;
	hvk_shared_read(range, offset, info, answer.information_length);
	*length = answer.information_length;
	return HVK_OK;
}

hvk_status hvk_rndis_parse_status(const struct hvk_shared *range, uint32_t *status)
{
	return read_word(range, status);
}

hvk_status hvk_rndis_parse_keepalive(const struct hvk_shared *range, uint32_t *request_id)
{
	return read_word(range, request_id);
}
