/* SPDX-License-Identifier: MIT */
/*
 * Joined segments (RSC, from NVS 6.1): one packet for the guest in several sub-allocations, each a
 * range and an RNDIS message of its own with the packet's id; the first says all else (Linux,
 * FreeBSD). All of them lie in one transfer-page packet.
 */
#include <string.h>

#include "netvsp.h"

#define RSC_ALL (NETVSP_OFFLOAD_RSC4 | NETVSP_OFFLOAD_RSC6)

/* What one fragment can hold, with the most that can be said of it. */
static uint32_t fragment_room(const struct hvh_nic *nic)
{
	uint32_t head = (uint32_t)sizeof(struct rndis_packet) + NETVSP_PACKET_INFO_MAX;

	return nic->session.suballocation_size > head ? nic->session.suballocation_size - head : 0;
}

/* The host's own choice: as long as the first frame, or as full as can be. */
static uint32_t fragment_size(const struct hvh_nic *nic, uint32_t room, uint32_t first)
{
	return first < room && hvh_choose(nic->partition, 2) != 0 ? first : room;
}

/* Joins into nic->coalesce; returns the number of frames. */
static uint32_t gather(struct hvh_nic *nic, const struct netvsp_frame *frame, uint32_t waiting, uint32_t room)
{
	struct netvsp_coalesce *coalesce = &nic->coalesce;

	if (!netvsp_frame_fits(nic, frame) ||
	    !netvsp_coalesce_begin(coalesce, frame->bytes, frame->length, nic->session.offload.granted))
		return 0;
	while (coalesce->count < waiting) {
		frame = netvsp_frame_next(nic, frame);
		if (!netvsp_frame_fits(nic, frame) ||
		    !netvsp_coalesce_add(coalesce, frame->bytes, frame->length, room))
			break;
	}
	return coalesce->count;
}

/* The tag goes into the packet information; the addresses move up to where it was. */
static const uint8_t *take_tag(struct netvsp_transfer *transfer, struct netvsp_packet_info *info,
			       uint32_t *length)
{
	struct hvh_nic *nic = transfer->queue->nic;
	uint8_t *bytes = nic->coalesce.bytes;

	if (!nic->coalesce.headers.tagged || !netvsp_takes_tags(nic))
		return bytes;
	info->present |= NETVSP_INFO_VLAN;
	info->vlan = netvsp_vlan_from_tag(netvsp_get16(bytes + ETHERNET_TYPE_AT + 2));
	transfer->tags_out++;
	memmove(bytes + ETHERNET_TAG, bytes, ETHERNET_TYPE_AT);
	*length -= ETHERNET_TAG;
	return bytes + ETHERNET_TAG;
}

/* room for all of it has been asked for */
static bool add_fragments(struct netvsp_transfer *transfer, struct netvsp_packet_info *info,
			  const uint8_t *bytes, uint32_t length, uint32_t size)
{
	struct netvsp_session *session = &transfer->queue->nic->session;
	bool several = length > size;

	info->packet_id.version = 1;
	info->packet_id.packet_id = session->packet_id++;
	for (uint32_t at = 0; at < length; at += size) {
		bool last = length - at <= size;

		if (several)
			info->present |= NETVSP_INFO_PACKET_ID;
		info->packet_id.flags = (uint8_t)(RNDIS_PACKET_ID_SUBALLOCATION |
						  (at == 0 ? RNDIS_PACKET_ID_FIRST : 0) |
						  (last ? RNDIS_PACKET_ID_LAST : 0));
		if (!netvsp_packet_add(transfer, info, bytes + at, last ? length - at : size))
			return false;
		info->present = 0;
	}
	return true;
}

/* Room for so many fragments, each of which may take a whole sub-allocation. */
static bool has_room(const struct netvsp_transfer *transfer, uint32_t fragments, uint32_t ranges)
{
	const struct netvsp_queue *queue = transfer->queue;

	return fragments <= ranges && fragments <= queue->free_count &&
	       fragments <= (NETVSP_TRANSFER_MAX - transfer->bytes) / queue->nic->session.suballocation_size;
}

uint32_t netvsp_join(struct netvsp_transfer *transfer, const struct netvsp_frame *frame, uint32_t waiting,
		     uint32_t ranges)
{
	struct hvh_nic *nic = transfer->queue->nic;
	struct netvsp_coalesce *coalesce = &nic->coalesce;
	uint32_t room = fragment_room(nic), most = NETVSP_JOINED_MAX, size, count, length;
	struct netvsp_packet_info info = {0};
	const uint8_t *bytes;

	if ((nic->session.offload.granted & RSC_ALL) == 0 || waiting < 2 || room < frame->length)
		return 0;
	if (hvh_partition_deterministic(nic->partition))
		waiting = 1 + hvh_choose(nic->partition, waiting);
	size = fragment_size(nic, room, frame->length);
	/* Every fragment but the last is full, so this many bytes never take more. */
	if (ranges < RNDIS_RSC_FRAGMENTS_MAX && most > ranges * size)
		most = ranges * size;
	if (most > RNDIS_RSC_FRAGMENTS_MAX * size)
		most = RNDIS_RSC_FRAGMENTS_MAX * size;
	count = gather(nic, frame, waiting, most);
	if (count < 2)
		return 0;
	if (!has_room(transfer, (coalesce->length + size - 1) / size, ranges))
		return transfer->count > 0 ? NETVSP_JOIN_LATER : 0;
	/* NDIS leaves it to the host whether the checksums are made anew; but it says what they are, whatever
	 * the guest has turned on: Linux, which turns those of IPv4 headers off, needs that. */
	info.present = NETVSP_INFO_CHECKSUM;
	info.checksum = netvsp_coalesce_finish(coalesce, hvh_choose(nic->partition, 2) != 0);
	netvsp_hash_info(nic, frame, &info);
	length = coalesce->length;
	bytes = take_tag(transfer, &info, &length);
	if (!add_fragments(transfer, &info, bytes, length, size))
		return NETVSP_JOIN_LATER; /* the receive buffer is gone */
	transfer->joined += count;
	transfer->checksums_checked += count;
	return count;
}
