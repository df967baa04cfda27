/* SPDX-License-Identifier: MIT */
/*
 * A frame for the guest as an RNDIS packet message. Hosts differ in where they put the frame, in
 * alignment too, in what they say of it, and in how long they say the message is.
 */
#include <string.h>

#include "netvsp.h"

/* Where OpenVMM puts a frame: header and packet information take 256 bytes. */
#define DATA_OFFSET_OPENVMM 248u
#define PACKET_BODY (sizeof(struct rndis_packet) - sizeof(struct rndis_header))
#define HEAD_MAX (RNDIS_OFFSET_BASE + DATA_OFFSET_OPENVMM + 8u) /* the longest of frame_layout's */
#define PER_PACKET_INFO_CHECKSUM 0u

struct checksum_info {
	struct rndis_per_packet_info info;
	uint32_t value;
};
HVK_STATIC_ASSERT(sizeof(struct checksum_info) == 16, "checksum information");

struct frame_layout {
	bool checksum_info;
	uint32_t data_offset;    /* as in the message: from byte 8 */
	uint32_t message_length; /* to the last byte of the frame */
	uint32_t range_length;
};

/* Frames need not begin at a multiple of 4, against the document (FreeBSD). */
static uint32_t data_alignment(const struct hvh_nic *nic, uint32_t offset, uint32_t room)
{
	switch (hvh_partition_get_profile(nic->partition)->data_offset_unaligned) {
	case HVH_EVERY_TIME:
		return offset % 4 == 0 && offset + 1 <= room ? offset + 1 : offset;
	case HVH_NOT_EVER:
		return offset & ~3u; /* what comes before the frame ends at such a multiple */
	default:
		return offset;
	}
}

static struct frame_layout frame_layout(struct hvh_nic *nic, uint32_t length)
{
	uint32_t room = nic->session.suballocation_size - (uint32_t)sizeof(struct rndis_header) - length;
	struct frame_layout layout = {.checksum_info = hvh_choose(nic->partition, 2) != 0};
	uint32_t style = hvh_choose(nic->partition, 3);
	uint32_t padded;

	layout.data_offset = (uint32_t)PACKET_BODY;
	if (layout.checksum_info && layout.data_offset + sizeof(struct checksum_info) <= room)
		layout.data_offset += (uint32_t)sizeof(struct checksum_info);
	else
		layout.checksum_info = false;
	if (style == 1 && DATA_OFFSET_OPENVMM + 7 <= room)
		layout.data_offset = DATA_OFFSET_OPENVMM + hvh_choose(nic->partition, 8);
	else if (style == 2 && layout.data_offset + 2 <= room)
		layout.data_offset += 2;

	layout.data_offset = data_alignment(nic, layout.data_offset, room);

	layout.message_length = (uint32_t)sizeof(struct rndis_header) + layout.data_offset + length;
	padded = (layout.message_length + 7) & ~7u;
	layout.range_length = layout.message_length;
	if (style == 1) /* OpenVMM: the whole sub-allocation */
		layout.range_length = nic->session.suballocation_size;
	else if (style == 2 && padded <= nic->session.suballocation_size)
		layout.range_length = padded;
	return layout;
}

bool netvsp_frame_fits(const struct hvh_nic *nic, uint32_t length)
{
	return length <= nic->session.frame_max &&
	       length + sizeof(struct rndis_packet) <= nic->session.suballocation_size;
}

/* What goes before the frame; returns its length. */
static uint32_t frame_head(uint8_t head[HEAD_MAX], const struct frame_layout *layout, uint32_t length)
{
	uint32_t head_length = (uint32_t)RNDIS_OFFSET_BASE + layout->data_offset;
	struct rndis_packet packet = {.header = {RNDIS_MSG_PACKET, layout->range_length},
				      .data_offset = layout->data_offset,
				      .data_length = length};
	struct checksum_info info = {.info = {sizeof info, PER_PACKET_INFO_CHECKSUM, sizeof info.info}};

	memset(head, 0, head_length);
	if (layout->checksum_info) {
		packet.per_packet_info_offset = (uint32_t)PACKET_BODY;
		packet.per_packet_info_length = sizeof info;
		memcpy(head + sizeof packet, &info, sizeof info);
	}
	memcpy(head, &packet, sizeof packet);
	return head_length;
}

bool netvsp_frame_add(struct netvsp_transfer *transfer, const struct netvsp_frame *frame)
{
	struct frame_layout layout = frame_layout(transfer->queue->nic, frame->length);
	struct netvsp_message message = {.frame = frame->bytes, .frame_length = frame->length};
	uint8_t head[HEAD_MAX];

	if (!netvsp_transfer_room(transfer, false, layout.range_length))
		return false;
	message.head = head;
	message.head_length = frame_head(head, &layout, frame->length);
	return netvsp_transfer_add(transfer, false, &message, layout.range_length);
}
