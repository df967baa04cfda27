/* SPDX-License-Identifier: MIT */
/*
 * The guest's frames: RNDIS packet messages, several in one NVS message where the host
 * allows it. All are checked before the first is sent on.
 */
#include <string.h>

#include "netvsp.h"

#define MESSAGES_MAX 64u

struct frame_message {
	struct rndis_packet packet;
	const uint8_t *bytes; /* the message */
	uint32_t length;      /* as its header says, and inside what was sent */
	struct netvsp_send send;
};

static bool refuse(struct netvsp_queue *queue, enum hvh_violation_kind kind,
		   const struct frame_message *message, const char *why, uint32_t value)
{
	NETVSP_VIOLATE_ON(queue, kind, message->bytes, message->length, "RNDIS packet: %s (0x%x)", why,
			  value);
	return false;
}

/* iPXE before 92807f575 has 40 bytes of header, one reserved word less, and the frame behind them. */
#define SHORT_HEADER_OFFSET 32u

static bool has_short_header(const struct rndis_packet *packet)
{
	return packet->data_offset == SHORT_HEADER_OFFSET && packet->per_packet_info_length == 0;
}

/* Header checks; offsets count from byte 8. */
static bool check_header(struct netvsp_queue *queue, const struct frame_message *message)
{
	const struct rndis_packet *packet = &message->packet;
	uint32_t body = message->length - RNDIS_OFFSET_BASE;
	bool is_short = has_short_header(packet);
	uint32_t least = is_short ? SHORT_HEADER_OFFSET : (uint32_t)sizeof *packet - RNDIS_OFFSET_BASE;

	if (packet->oob_offset != 0 || packet->oob_length != 0 || packet->oob_count != 0)
		return refuse(queue, HVH_V_RNDIS, message, "out-of-band data, which must be none",
			      packet->oob_length);
	if (packet->vc_handle != 0 || (!is_short && packet->reserved != 0))
		return refuse(queue, HVH_V_RNDIS, message, "a reserved field is not zero",
			      packet->vc_handle | packet->reserved);
	if (packet->data_offset < least || packet->data_offset > body ||
	    packet->data_length > body - packet->data_offset)
		return refuse(queue, HVH_V_RNDIS, message, "the frame is not inside the message",
			      packet->data_offset);
	if (packet->per_packet_info_length == 0)
		return true;
	if (packet->per_packet_info_offset < least || packet->per_packet_info_offset % 4 != 0 ||
	    packet->per_packet_info_offset > packet->data_offset ||
	    packet->per_packet_info_length > packet->data_offset - packet->per_packet_info_offset)
		return refuse(queue, HVH_V_RNDIS, message,
			      "packet information is not between header and frame",
			      packet->per_packet_info_offset);
	return true;
}

static bool check_information(struct netvsp_queue *queue, struct frame_message *message)
{
	const struct rndis_packet *packet = &message->packet;
	uint32_t value = 0;
	const char *fault = netvsp_packet_info_parse(
		message->bytes + RNDIS_OFFSET_BASE + packet->per_packet_info_offset,
		packet->per_packet_info_length, &message->send.info, &value);

	return fault == NULL || refuse(queue, HVH_V_RNDIS, message, fault, value);
}

static bool check_frame(struct netvsp_queue *queue, struct frame_message *message)
{
	struct netvsp_send *send = &message->send;
	uint32_t value = 0;
	const char *fault;

	send->frame = message->bytes + RNDIS_OFFSET_BASE + message->packet.data_offset;
	send->length = message->packet.data_length;
	fault = netvsp_send_check(queue->nic, send, &value);
	return fault == NULL || refuse(queue, HVH_V_FRAME, message, fault, value);
}

/* Splits off the message at *offset and checks it. */
static bool next_message(struct netvsp_queue *queue, const uint8_t *bytes, uint32_t length, uint32_t *offset,
			 struct frame_message *message)
{
	uint32_t left = length - *offset;

	message->bytes = bytes + *offset;
	message->length = left;
	if (left < sizeof message->packet)
		return refuse(queue, HVH_V_RNDIS, message, "message shorter than its header", left);
	memcpy(&message->packet, message->bytes, sizeof message->packet);
	if (message->packet.header.type != RNDIS_MSG_PACKET)
		return refuse(queue, HVH_V_RNDIS, message, "another message after a packet",
			      message->packet.header.type);
	if (message->packet.header.length < sizeof message->packet || message->packet.header.length > left)
		return refuse(queue, HVH_V_RNDIS, message, "length of the message",
			      message->packet.header.length);
	message->length = message->packet.header.length;
	if (message->length < left && message->length % queue->nic->session.alignment != 0)
		return refuse(queue, HVH_V_RNDIS, message, "the next message is not aligned",
			      message->length);
	*offset += message->length;
	return check_header(queue, message) && check_information(queue, message) &&
	       check_frame(queue, message);
}

uint32_t netvsp_frames(struct netvsp_queue *queue, const uint8_t *bytes, uint32_t length)
{
	uint32_t most = queue->nic->session.packets_max;
	struct frame_message messages[MESSAGES_MAX];
	uint32_t count = 0, offset = 0;

	if (!queue->nic->session.initialized) {
		NETVSP_VIOLATE_ON(queue, HVH_V_RNDIS_ORDER, bytes, length,
				  "RNDIS packet before INITIALIZE or after HALT");
		return NVS_STATUS_FAILURE;
	}
	if (most > MESSAGES_MAX)
		most = MESSAGES_MAX;
	while (offset < length) {
		if (count == most) {
			NETVSP_VIOLATE_ON(
				queue, HVH_V_RNDIS, bytes, length,
				"more than the %u RNDIS packets that INITIALIZE allowed in one message",
				most);
			return NVS_STATUS_FAILURE;
		}
		if (!next_message(queue, bytes, length, &offset, &messages[count++]))
			return NVS_STATUS_FAILURE;
	}
	if (count > 1 && length > queue->nic->session.transfer_max) {
		NETVSP_VIOLATE_ON(queue, HVH_V_RNDIS, bytes, length,
				  "%u RNDIS packets in one message of %u bytes: INITIALIZE allowed %u", count,
				  length, queue->nic->session.transfer_max);
		return NVS_STATUS_FAILURE;
	}
	for (uint32_t i = 0; i < count; i++)
		netvsp_send(queue, &messages[i].send);
	return NVS_STATUS_SUCCESS;
}
