/* SPDX-License-Identifier: MIT */
#include "guest/netvsc/rndis.h"

#define BODY_OFFSET ((uint32_t)sizeof(struct rndis_header))
#define MAX_TRANSFER_SIZE 0x4000u /* what Linux tells the host */
#define MEDIUM_802_3 0u
#define TAG_DEI (1u << 12)
#define TAG_ID_MASK 0xfffu
#define INFO_ENTRY_SIZE ((uint32_t)sizeof(struct hvk_rndis_entry))

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

void hvk_rndis_build_request(struct hvk_rndis_message *message, uint32_t type, uint32_t request_id,
			     uint32_t oid, const void *information, uint32_t length)
{
	const struct rndis_request request = {
		.header = {type, (uint32_t)sizeof(request) + length},
		.request_id = request_id,
		.oid = oid,
		.information_length = length,
		.information_offset = RNDIS_REQUEST_INFORMATION_OFFSET, /* 0 makes hosts fail it (FreeBSD) */
	};

	HVK_ASSERT(length <= HVK_RNDIS_REQUEST_INFO_MAX);
	build(message, &request, sizeof(request));
	if (length != 0)
		memcpy((uint8_t *)message->words + sizeof(request), information, length);
	message->length += length;
}

void hvk_rndis_build_query(struct hvk_rndis_message *message, uint32_t request_id, uint32_t oid)
{
	hvk_rndis_build_request(message, RNDIS_MSG_QUERY, request_id, oid, NULL, 0);
}

void hvk_rndis_build_set(struct hvk_rndis_message *message, uint32_t request_id, uint32_t oid, uint32_t value)
{
	hvk_rndis_build_request(message, RNDIS_MSG_SET, request_id, oid, &value, sizeof(value));
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

/* An entry of per-packet information with one word of data, behind the others. */
static uint32_t append(struct hvk_rndis_prefix *prefix, uint32_t at, uint32_t type, uint32_t data)
{
	const struct rndis_per_packet_info entry = {INFO_ENTRY_SIZE, type, sizeof(entry)};

	memcpy(&prefix->words[at / 4], &entry, sizeof(entry));
	prefix->words[(at + sizeof(entry)) / 4] = data;
	return at + INFO_ENTRY_SIZE;
}

static uint32_t vlan_word(uint16_t tag)
{
	return (uint32_t)tag >> 13 | (tag & TAG_DEI ? RNDIS_VLAN_DEI : 0u) |
	       (uint32_t)(tag & TAG_ID_MASK) << RNDIS_VLAN_ID_SHIFT;
}

uint32_t hvk_rndis_build_prefix(struct hvk_rndis_prefix *prefix, uint32_t frame_length,
				const struct hvk_rndis_tx_info *info)
{
	struct rndis_packet *packet = (struct rndis_packet *)prefix->words;
	uint32_t size = sizeof(*packet);

	hvk_rndis_build_packet(packet, frame_length);
	if (!info || info->has == 0)
		return size;
	if (info->has & HVK_RNDIS_HAS_VLAN)
		size = append(prefix, size, RNDIS_INFO_VLAN, vlan_word(info->vlan_tag));
	if (info->has & HVK_RNDIS_HAS_LSO)
		size = append(prefix, size, RNDIS_INFO_LSO, info->lso);
	else if (info->has & HVK_RNDIS_HAS_CHECKSUM)
		size = append(prefix, size, RNDIS_INFO_CHECKSUM, info->checksum);
	if (info->has & HVK_RNDIS_HAS_HASH)
		size = append(prefix, size, RNDIS_INFO_HASH_VALUE, info->hash);
	packet->header.length = size + frame_length;
	packet->data_offset = size - RNDIS_OFFSET_BASE;
	packet->per_packet_info_offset = (uint32_t)sizeof(*packet) - RNDIS_OFFSET_BASE;
	packet->per_packet_info_length = size - (uint32_t)sizeof(*packet);
	return size;
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

static uint16_t vlan_tag(uint32_t word)
{
	return (uint16_t)((word & RNDIS_VLAN_PRIORITY_MASK) << 13 | (word & RNDIS_VLAN_DEI ? TAG_DEI : 0u) |
			  (word >> RNDIS_VLAN_ID_SHIFT & TAG_ID_MASK));
}

static void take_packet_id(struct hvk_rndis_frame *frame, uint32_t word)
{
	struct rndis_packet_id id;

	memcpy(&id, &word, sizeof(id));
	frame->has |= HVK_RNDIS_HAS_PART;
	frame->part = id.flags;
	frame->packet_id = id.packet_id;
}

/* False: nobody knows this type. */
static bool take_info(struct hvk_rndis_frame *frame, uint32_t type, uint32_t data)
{
	switch (type) {
	case RNDIS_INFO_CHECKSUM:
		frame->has |= HVK_RNDIS_HAS_CHECKSUM;
		frame->checksum = data;
		return true;
	case RNDIS_INFO_VLAN:
		frame->has |= HVK_RNDIS_HAS_VLAN;
		frame->vlan_tag = vlan_tag(data);
		return true;
	case RNDIS_INFO_HASH_VALUE:
		frame->has |= HVK_RNDIS_HAS_HASH;
		frame->hash = data;
		return true;
	case RNDIS_INFO_HASH_INFO:
		frame->hash_type = data;
		return true;
	case RNDIS_INFO_PACKET_ID:
		take_packet_id(frame, data);
		return true;
	default:
		return false;
	}
}

/* An entry whose data are not where they usually are, or which has none. */
static hvk_status take_odd_entry(const struct hvk_shared *range, uint32_t offset,
				 const struct rndis_per_packet_info *header, struct hvk_rndis_frame *frame)
{
	uint32_t data;
	bool whole = header->size - header->data_offset >= sizeof(data);

	if (whole)
		hvk_shared_read(range, offset + header->data_offset, &data, sizeof(data));
	else
		data = 0;
	return !take_info(frame, header->type, data) || whole ? HVK_OK : HVK_EHOST_RNDIS;
}

/* Each entry is copied out once, with its data as a rule; one that cannot be ends the walk. */
static hvk_status walk_info(const struct hvk_shared *range, uint32_t offset, uint32_t length,
			    struct hvk_rndis_frame *frame)
{
	struct hvk_rndis_entry entry;

	for (uint32_t i = 0; length != 0; i++) {
		hvk_status status = HVK_OK;

		if (i == HVK_RNDIS_INFO_ENTRIES_MAX || length < sizeof(entry.header))
			return HVK_EHOST_RNDIS;
		if (length >= sizeof(entry))
			hvk_shared_read(range, offset, &entry, sizeof(entry));
		else
			hvk_shared_read(range, offset, &entry.header, sizeof(entry.header));
		if (entry.header.size < sizeof(entry.header) || entry.header.size > length ||
		    entry.header.size % 4 != 0)
			return HVK_EHOST_RNDIS;
		if (entry.header.data_offset < sizeof(entry.header) ||
		    entry.header.data_offset > entry.header.size)
			return HVK_EHOST_RNDIS;
		if (entry.header.data_offset == sizeof(entry.header) && entry.header.size >= sizeof(entry))
			(void)take_info(frame, entry.header.type, entry.data);
		else
			status = take_odd_entry(range, offset, &entry.header, frame);
		if (status != HVK_OK)
			return status;
		offset += entry.header.size;
		length -= entry.header.size;
	}
	return HVK_OK;
}

hvk_status hvk_rndis_parse_packet(const struct hvk_shared *range, struct hvk_rndis_frame *frame)
{
	struct rndis_packet packet;
	uint32_t info;
	hvk_status status = read_message(range, &packet, sizeof(packet));

	*frame = (struct hvk_rndis_frame){0};
	if (status != HVK_OK || packet.data_length == 0)
		return HVK_EHOST_RNDIS;
	status = locate(range, sizeof(packet), packet.data_offset, packet.data_length, &frame->offset);
	if (status != HVK_OK)
		return status;
	frame->length = packet.data_length;
	if (packet.per_packet_info_length != 0) {
		status = locate(range, sizeof(packet), packet.per_packet_info_offset,
				packet.per_packet_info_length, &info);
		if (status == HVK_OK)
			status = walk_info(range, info, packet.per_packet_info_length, frame);
	}
	/* A part of a joined packet need not begin with a header. */
	if (frame->length < HVK_RNDIS_FRAME_MIN && !(frame->part & RNDIS_PACKET_ID_SUBALLOCATION))
		return HVK_EHOST_RNDIS;
	return status;
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
