/* SPDX-License-Identifier: MIT */
/*
 * A frame for the guest as an RNDIS packet message. Hosts differ in where they put the frame, in
 * alignment too, in what they say of it, and in how long they say the message is.
 */
#include <string.h>

#include "checksum.h"
#include "netvsp.h"

/* Where OpenVMM puts a frame: header and packet information take 256 bytes. */
#define DATA_OFFSET_OPENVMM 248u
#define PACKET_BODY (sizeof(struct rndis_packet) - sizeof(struct rndis_header))
#define HEAD_MAX (RNDIS_OFFSET_BASE + DATA_OFFSET_OPENVMM + 8u) /* the longest of frame_layout's */
struct frame_layout {
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

static struct frame_layout frame_layout(struct hvh_nic *nic, uint32_t info_size, uint32_t length)
{
	uint32_t room = nic->session.suballocation_size - (uint32_t)sizeof(struct rndis_header) - length;
	struct frame_layout layout = {.data_offset = (uint32_t)PACKET_BODY + info_size};
	uint32_t style = hvh_choose(nic->partition, 3);
	uint32_t padded;

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

/* What goes before the frame; returns its length. */
static uint32_t frame_head(uint8_t head[HEAD_MAX], const struct frame_layout *layout,
			   const struct netvsp_packet_info *info, uint32_t length)
{
	uint32_t head_length = (uint32_t)RNDIS_OFFSET_BASE + layout->data_offset;
	struct rndis_packet packet = {.header = {RNDIS_MSG_PACKET, layout->range_length},
				      .data_offset = layout->data_offset,
				      .data_length = length};

	memset(head, 0, head_length);
	packet.per_packet_info_length = netvsp_packet_info_build(head + sizeof packet, info);
	if (packet.per_packet_info_length > 0)
		packet.per_packet_info_offset = (uint32_t)PACKET_BODY;
	memcpy(head, &packet, sizeof packet);
	return head_length;
}

bool netvsp_packet_add(struct netvsp_transfer *transfer, const struct netvsp_packet_info *info,
		       const uint8_t *bytes, uint32_t length)
{
	struct frame_layout layout = frame_layout(transfer->queue->nic, netvsp_packet_info_size(info),
						  length);
	struct netvsp_message message = {.frame = bytes, .frame_length = length};
	uint8_t head[HEAD_MAX];

	if (!netvsp_transfer_room(transfer, false, layout.range_length))
		return false;
	message.head = head;
	message.head_length = frame_head(head, &layout, info, length);
	return netvsp_transfer_add(transfer, false, &message, layout.range_length);
}

/* --- What is said of a frame ---------------------------------------------------------------- */

bool netvsp_frame_fits(const struct hvh_nic *nic, const struct netvsp_frame *frame)
{
	bool tagged = netvsp_get16(frame->bytes + ETHERNET_TYPE_AT) == ETHERTYPE_VLAN;

	return frame->length <= nic->session.frame_max + (tagged ? ETHERNET_TAG : 0) &&
	       frame->length + sizeof(struct rndis_packet) <= nic->session.suballocation_size;
}

bool netvsp_takes_tags(const struct hvh_nic *nic)
{
	return nic->session.vlan && (nic->without & HVH_NIC_NO_VLAN) == 0;
}

static uint32_t checksum_info(const struct hvh_nic *nic, const struct netvsp_headers *headers,
			      uint32_t verified)
{
	uint32_t said = netvsp_checksum_report(headers, verified, nic->session.offload.granted);

	if ((said & RNDIS_CHECKSUM_RX_UDP_GOOD) != 0 &&
	    hvh_partition_get_profile(nic->partition)->udp_as_tcp_good)
		said ^= RNDIS_CHECKSUM_RX_UDP_GOOD | RNDIS_CHECKSUM_RX_TCP_GOOD;
	return said;
}

void netvsp_hash_info(const struct hvh_nic *nic, const struct netvsp_frame *frame,
		      struct netvsp_packet_info *info)
{
	if (frame->hash_type == 0 || nic->session.version < NVS_VERSION_5)
		return;
	info->present |= NETVSP_INFO_HASH_VALUE | NETVSP_INFO_HASH_INFO;
	info->hash_value = frame->hash;
	info->hash_info = frame->hash_type | NDIS_HASH_TOEPLITZ;
}

/* Hosts that verify nothing differ in whether they say so. */
static void describe(struct netvsp_transfer *transfer, const struct netvsp_frame *frame,
		     struct netvsp_packet_info *info)
{
	struct hvh_nic *nic = transfer->queue->nic;
	bool empty_too = hvh_choose(nic->partition, 2) != 0;
	struct netvsp_headers headers;

	if (nic->session.offload.granted != 0 &&
	    netvsp_headers_find(frame->bytes, frame->length, false, &headers)) {
		info->checksum = checksum_info(nic, &headers, netvsp_checksum_verify(frame->bytes, &headers));
		transfer->checksums_checked++;
	}
	if (info->checksum != 0 || empty_too)
		info->present |= NETVSP_INFO_CHECKSUM;
	netvsp_hash_info(nic, frame, info);
}

/* Is there room for the frame with so much said of it? */
static bool info_fits(const struct hvh_nic *nic, const struct netvsp_packet_info *info, uint32_t length)
{
	return sizeof(struct rndis_packet) + netvsp_packet_info_size(info) + length <=
	       nic->session.suballocation_size;
}

bool netvsp_frame_add(struct netvsp_transfer *transfer, const struct netvsp_frame *frame)
{
	struct hvh_nic *nic = transfer->queue->nic;
	struct netvsp_packet_info info = {0};
	bool taken;

	describe(transfer, frame, &info);
	if (!info_fits(nic, &info, frame->length))
		info.present = 0;
	if (!netvsp_takes_tags(nic) || !netvsp_tag_remove(nic->made, frame->bytes, frame->length, &info.vlan))
		return netvsp_packet_add(transfer, &info, frame->bytes, frame->length);
	info.present |= NETVSP_INFO_VLAN;
	if (!info_fits(nic, &info, frame->length - ETHERNET_TAG)) {
		info.present = 0; /* the tag stays where it is */
		return netvsp_packet_add(transfer, &info, frame->bytes, frame->length);
	}
	taken = netvsp_packet_add(transfer, &info, nic->made, frame->length - ETHERNET_TAG);
	if (taken)
		transfer->tags_out++;
	return taken;
}
