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

void netvsp_transfer_begin(struct netvsp_queue *queue, struct netvsp_transfer *transfer,
			   uint32_t channel_type)
{
	struct hvh_nic *nic = queue->nic;

	transfer->queue = queue;
	transfer->receive = hvh_gpadl_find(nic->channel, nic->session.receive.gpadl);
	transfer->channel_type = channel_type;
	transfer->count = 0;
	transfer->bytes = 0;
	transfer->joined = 0;
	transfer->tags_out = 0;
	transfer->checksums_checked = 0;
}

bool netvsp_transfer_room(const struct netvsp_transfer *transfer, bool control, uint32_t range_length)
{
	return transfer->count < NETVSP_RANGES_MAX &&
	       range_length <= transfer->queue->nic->session.suballocation_size &&
	       range_length <= NETVSP_TRANSFER_MAX - transfer->bytes &&
	       netvsp_suballocations_free(transfer->queue, control) > 0;
}

void netvsp_transfer_abandon(struct netvsp_transfer *transfer)
{
	while (transfer->count > 0)
		netvsp_suballocation_put(transfer->queue->nic, transfer->ids[--transfer->count]);
}

static bool write_message(struct hvh_gpadl *gpadl, uint32_t offset, const struct netvsp_message *message)
{
	return gpadl != NULL && hvh_gpadl_write(gpadl, offset, message->head, message->head_length) &&
	       hvh_gpadl_write(gpadl, offset + message->head_length, message->frame, message->frame_length);
}

/* The range as the trace shows it: what was there before is not repeated. */
static void keep_for_trace(const struct netvsp_transfer *transfer, const struct netvsp_message *message,
			   uint32_t range_length)
{
	uint8_t *to = transfer->queue->nic->transfer + transfer->bytes;

	memset(to, 0, range_length);
	memcpy(to, message->head, message->head_length);
	if (message->frame_length > 0)
		memcpy(to + message->head_length, message->frame, message->frame_length);
}

bool netvsp_transfer_add(struct netvsp_transfer *transfer, bool control, const struct netvsp_message *message,
			 uint32_t range_length)
{
	struct netvsp_queue *queue = transfer->queue;
	uint16_t id = netvsp_suballocation_take(queue, control);
	uint32_t offset = id * queue->nic->session.suballocation_size;

	transfer->ids[transfer->count] = id;
	transfer->ranges[transfer->count].byte_count = range_length;
	transfer->ranges[transfer->count].byte_offset = offset;
	transfer->count++;
	/* The rest of the range keeps what was there, as it does on a real host. */
	if (!write_message(transfer->receive, offset, message)) {
		netvsp_transfer_abandon(transfer);
		netvsp_stop(queue);
		return false;
	}
	if (hvh_trace_wanted(queue->nic->partition))
		keep_for_trace(transfer, message, range_length);
	transfer->bytes += range_length;
	return true;
}

static void transfer_outstanding(const struct netvsp_transfer *transfer)
{
	struct netvsp_queue *queue = transfer->queue;
	struct netvsp_session *session = &queue->nic->session;
	struct hvh_nic_counters *counters = &queue->nic->counters;

	for (uint32_t i = 0; i < transfer->count; i++) {
		bool last = i + 1 == transfer->count;

		session->next[transfer->ids[i]] = last ? NETVSP_SUBALLOCATION_NONE : transfer->ids[i + 1];
		session->range_length[transfer->ids[i]] = transfer->ranges[i].byte_count;
	}
	session->outstanding[transfer->ids[0] / 8] |= (uint8_t)(1u << (transfer->ids[0] % 8));
	counters->transfer_packets++;
	counters->joined += transfer->joined;
	counters->tags_out += transfer->tags_out;
	counters->checksums_checked += transfer->checksums_checked;
	queue->counters.transfer_packets++;
}

bool netvsp_transfer_send(struct netvsp_transfer *transfer)
{
	struct netvsp_queue *queue = transfer->queue;
	struct hvh_nic *nic = queue->nic;
	struct netvsp_session *session = &nic->session;
	uint8_t extension[sizeof(struct vmbus_transfer_pages_header) + sizeof transfer->ranges];
	struct vmbus_transfer_pages_header header = {.page_set_id = session->receive.page_set_id,
						     .range_count = transfer->count};
	struct nvs_rndis rndis = {.type = NVS_TYPE_RNDIS,
				  .channel_type = transfer->channel_type,
				  .section_index = NVS_SECTION_NONE};
	uint8_t payload[NETVSP_RESPONSE_SIZE_6_1] = {0};
	uint32_t ranges = transfer->count * (uint32_t)sizeof transfer->ranges[0];

	if (transfer->count == 0 || queue->blocked || queue->stopped) {
		netvsp_transfer_abandon(transfer);
		return false;
	}
	memcpy(extension, &header, sizeof header);
	memcpy(extension + sizeof header, transfer->ranges, ranges);
	memcpy(payload, &rndis, sizeof rndis);
	if (!hvh_channel_write(queue->channel, nic->now, VMBUS_PACKET_TRANSFER_PAGES, true, transfer->ids[0],
			       extension, (uint32_t)sizeof header + ranges, payload,
			       netvsp_response_size(nic), nic->transfer, transfer->bytes)) {
		queue->blocked = true;
		netvsp_transfer_abandon(transfer);
		return false;
	}
	transfer_outstanding(transfer);
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
void netvsp_transfer_completed(struct netvsp_queue *queue, const struct hvh_packet *packet)
{
	struct hvh_nic *nic = queue->nic;
	struct netvsp_session *session = &nic->session;
	uint64_t transaction_id = packet->descriptor.transaction_id;
	uint16_t id = (uint16_t)transaction_id;

	if (netvsp_vf_answered(queue, transaction_id))
		return;
	if (transaction_id >= session->suballocation_count ||
	    (session->outstanding[id / 8] & (1u << (id % 8))) == 0) {
		NETVSP_VIOLATE_ON(queue, HVH_V_COMPLETION, &packet->descriptor, sizeof packet->descriptor,
				  "completion for transaction id 0x%llx, which is not outstanding",
				  (unsigned long long)transaction_id);
		netvsp_stop(queue);
		return;
	}
	if (session->sent_on[id] != queue->index + 1) {
		NETVSP_VIOLATE_ON(
			queue, HVH_V_COMPLETION, &packet->descriptor, sizeof packet->descriptor,
			"completion for transaction id 0x%llx on channel %u of the card: it came on %u",
			(unsigned long long)transaction_id, queue->index, session->sent_on[id] - 1u);
		netvsp_stop(queue);
		return;
	}
	session->outstanding[id / 8] &= (uint8_t) ~(1u << (id % 8));
	for (uint32_t i = 0; i < NETVSP_RANGES_MAX && id != NETVSP_SUBALLOCATION_NONE; i++) {
		uint16_t next = session->next[id];

		range_given_back(nic, id);
		netvsp_suballocation_put(nic, id);
		id = next;
	}
}
