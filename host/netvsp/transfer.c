/* SPDX-License-Identifier: MIT */
/*
 * Transfer-page packets: RNDIS messages for the guest, each in a sub-allocation of
 * the receive buffer. A sub-allocation is used again only after the guest's
 * completion; the transaction id is that of the packet's first one (OpenVMM; DPDK
 * uses it as an index).
 */
#include <string.h>

#include "netvsp.h"

/* What the host leaves in a sub-allocation that the guest has given back, so that a
 * guest that still reads it is seen to (deterministic mode). */
#define GIVEN_BACK 0xdb
#define GIVEN_BACK_STEP 256u

bool netvsp_suballocations_create(struct hvh_nic *nic, uint32_t size)
{
	struct netvsp_session *session = &nic->session;
	uint32_t one = hvh_partition_get_profile(nic->partition)->receive_suballocation;
	uint32_t count;

	one += session->frame_max - NETVSP_FRAME_STANDARD;
	if (one < session->frame_max + sizeof(struct rndis_packet))
		one = session->frame_max + NETVSP_SUBALLOCATION_OVERHEAD;
	session->suballocation_size = one;
	count = size / one;
	if (count > NETVSP_SUBALLOCATIONS_MAX)
		count = NETVSP_SUBALLOCATIONS_MAX;
	if (count <= NETVSP_CONTROL_SUBALLOCATIONS)
		return false;
	session->suballocation_count = count;
	/* Both are stacks: what was given back last is used first, which finds a guest
	 * that gives back too early. */
	for (uint32_t i = 0; i < NETVSP_CONTROL_SUBALLOCATIONS; i++)
		session->free_control[i] = (uint16_t)(NETVSP_CONTROL_SUBALLOCATIONS - 1 - i);
	session->free_control_count = NETVSP_CONTROL_SUBALLOCATIONS;
	for (uint32_t i = 0; i < count - NETVSP_CONTROL_SUBALLOCATIONS; i++)
		session->free_data[i] = (uint16_t)(count - 1 - i);
	session->free_data_count = count - NETVSP_CONTROL_SUBALLOCATIONS;
	return true;
}

static uint16_t suballocation_take(struct netvsp_session *session, bool control)
{
	return control ? session->free_control[--session->free_control_count]
		       : session->free_data[--session->free_data_count];
}

static void suballocation_put(struct netvsp_session *session, uint16_t id)
{
	if (id < NETVSP_CONTROL_SUBALLOCATIONS)
		session->free_control[session->free_control_count++] = id;
	else
		session->free_data[session->free_data_count++] = id;
}

void netvsp_transfer_begin(struct hvh_nic *nic, struct netvsp_transfer *transfer, uint32_t channel_type)
{
	transfer->receive = hvh_gpadl_find(nic->channel, nic->session.receive.gpadl);
	transfer->channel_type = channel_type;
	transfer->count = 0;
	transfer->bytes = 0;
}

bool netvsp_transfer_room(const struct hvh_nic *nic, const struct netvsp_transfer *transfer, bool control,
			  uint32_t range_length)
{
	const struct netvsp_session *session = &nic->session;

	return transfer->count < NETVSP_RANGES_MAX && range_length <= session->suballocation_size &&
	       range_length <= NETVSP_TRANSFER_MAX - transfer->bytes &&
	       (control ? session->free_control_count : session->free_data_count) > 0;
}

void netvsp_transfer_abandon(struct hvh_nic *nic, struct netvsp_transfer *transfer)
{
	while (transfer->count > 0)
		suballocation_put(&nic->session, transfer->ids[--transfer->count]);
}

static bool write_message(struct hvh_gpadl *gpadl, uint32_t offset, const struct netvsp_message *message)
{
	return gpadl != NULL && hvh_gpadl_write(gpadl, offset, message->head, message->head_length) &&
	       hvh_gpadl_write(gpadl, offset + message->head_length, message->frame, message->frame_length);
}

/* The range as the trace shows it: what was there before is not repeated. */
static void keep_for_trace(struct hvh_nic *nic, const struct netvsp_transfer *transfer,
			   const struct netvsp_message *message, uint32_t range_length)
{
	uint8_t *to = nic->transfer + transfer->bytes;

	memset(to, 0, range_length);
	memcpy(to, message->head, message->head_length);
	if (message->frame_length > 0)
		memcpy(to + message->head_length, message->frame, message->frame_length);
}

bool netvsp_transfer_add(struct hvh_nic *nic, struct netvsp_transfer *transfer, bool control,
			 const struct netvsp_message *message, uint32_t range_length)
{
	struct netvsp_session *session = &nic->session;
	uint16_t id = suballocation_take(session, control);
	uint32_t offset = id * session->suballocation_size;

	transfer->ids[transfer->count] = id;
	transfer->ranges[transfer->count].byte_count = range_length;
	transfer->ranges[transfer->count].byte_offset = offset;
	transfer->count++;
	/* The rest of the range keeps what was there, as it does on a real host. */
	if (!write_message(transfer->receive, offset, message)) {
		netvsp_transfer_abandon(nic, transfer);
		netvsp_stop(nic);
		return false;
	}
	if (hvh_trace_wanted(nic->partition))
		keep_for_trace(nic, transfer, message, range_length);
	transfer->bytes += range_length;
	return true;
}

static void transfer_outstanding(struct hvh_nic *nic, const struct netvsp_transfer *transfer)
{
	struct netvsp_session *session = &nic->session;

	for (uint32_t i = 0; i < transfer->count; i++) {
		bool last = i + 1 == transfer->count;

		session->next[transfer->ids[i]] = last ? NETVSP_SUBALLOCATION_NONE : transfer->ids[i + 1];
		session->range_length[transfer->ids[i]] = transfer->ranges[i].byte_count;
	}
	session->outstanding[transfer->ids[0] / 8] |= (uint8_t)(1u << (transfer->ids[0] % 8));
	nic->counters.transfer_packets++;
}

bool netvsp_transfer_send(struct hvh_nic *nic, struct netvsp_transfer *transfer)
{
	struct netvsp_session *session = &nic->session;
	uint8_t extension[sizeof(struct vmbus_transfer_pages_header) + sizeof transfer->ranges];
	struct vmbus_transfer_pages_header header = {.page_set_id = session->receive.page_set_id,
						     .range_count = transfer->count};
	struct nvs_rndis rndis = {.type = NVS_TYPE_RNDIS,
				  .channel_type = transfer->channel_type,
				  .section_index = NVS_SECTION_NONE};
	uint8_t payload[NETVSP_RESPONSE_SIZE_6_1] = {0};
	uint32_t ranges = transfer->count * (uint32_t)sizeof transfer->ranges[0];

	if (transfer->count == 0 || session->blocked || session->stopped) {
		netvsp_transfer_abandon(nic, transfer);
		return false;
	}
	memcpy(extension, &header, sizeof header);
	memcpy(extension + sizeof header, transfer->ranges, ranges);
	memcpy(payload, &rndis, sizeof rndis);
	if (!hvh_channel_write(nic->channel, nic->now, VMBUS_PACKET_TRANSFER_PAGES, true, transfer->ids[0],
			       extension, (uint32_t)sizeof header + ranges, payload,
			       netvsp_response_size(nic), nic->transfer, transfer->bytes)) {
		session->blocked = true;
		netvsp_transfer_abandon(nic, transfer);
		return false;
	}
	transfer_outstanding(nic, transfer);
	return true;
}

/* Scribbles over what the guest has said it needs no longer. */
static void range_given_back(struct hvh_nic *nic, uint16_t id)
{
	struct netvsp_session *session = &nic->session;
	struct hvh_gpadl *gpadl;
	uint8_t scribble[GIVEN_BACK_STEP];
	uint32_t left = session->range_length[id];
	uint32_t offset = id * session->suballocation_size;

	if (!hvh_partition_deterministic(nic->partition) || !session->receive.present)
		return;
	gpadl = hvh_gpadl_find(nic->channel, session->receive.gpadl);
	memset(scribble, GIVEN_BACK, sizeof scribble);
	while (gpadl != NULL && left > 0) {
		uint32_t part = left < sizeof scribble ? left : (uint32_t)sizeof scribble;

		if (!hvh_gpadl_write(gpadl, offset, scribble, part))
			return;
		offset += part;
		left -= part;
	}
}

/* Any payload is accepted, an empty one too (iPXE sends that). */
void netvsp_transfer_completed(struct hvh_nic *nic, const struct hvh_packet *packet)
{
	struct netvsp_session *session = &nic->session;
	uint64_t transaction_id = packet->descriptor.transaction_id;
	uint16_t id = (uint16_t)transaction_id;

	if (transaction_id >= session->suballocation_count ||
	    (session->outstanding[id / 8] & (1u << (id % 8))) == 0) {
		NETVSP_VIOLATE(nic, HVH_V_COMPLETION, &packet->descriptor, sizeof packet->descriptor,
			       "completion for transaction id 0x%llx, which is not outstanding",
			       (unsigned long long)transaction_id);
		netvsp_stop(nic);
		return;
	}
	session->outstanding[id / 8] &= (uint8_t) ~(1u << (id % 8));
	for (uint32_t i = 0; i < NETVSP_RANGES_MAX && id != NETVSP_SUBALLOCATION_NONE; i++) {
		uint16_t next = session->next[id];

		range_given_back(nic, id);
		suballocation_put(session, id);
		id = next;
	}
}
