/* SPDX-License-Identifier: MIT */
/*
 * More channels for the guest: NVS message 133, the offers, and the send indirection table when
 * all are open. Sources: OpenVMM netvsp (rules and table), Linux netvsc.c (where the table lies).
 */
#include <string.h>

#include "netvsp.h"

/* How long an answer waits for the offers that are to come before it, as with the echo device. */
#define HELD_MAX (10 * HVH_TIME_PER_MS)
#define OFFER_LATE_MAX (500 * HVH_TIME_PER_MS)
#define TABLE_LATE_MAX (2 * HVH_TIME_PER_SECOND)
#define RESCIND_MAX (1 * HVH_TIME_PER_SECOND)
/* Where a host with the bug says that the table begins: too early (Linux 171c1fd98df3). */
#define TABLE_OFFSET_WRONG 28u
#define TABLE_BYTES (NVS_SEND_INDIRECTION_COUNT * (uint32_t)sizeof(uint32_t))

uint32_t netvsp_queues_max(const struct hvh_nic *nic)
{
	const struct hvh_profile *profile = hvh_partition_get_profile(nic->partition);
	uint32_t most = nic->queues_limit < profile->queues_max ? nic->queues_limit : profile->queues_max;

	return (nic->without & HVH_NIC_NO_RSS) != 0 || most < 1 ? 1 : most;
}

/* --- The request ------------------------------------------------------------------------ */

/* Why the guest cannot have these; NULL if it can. */
static const char *refusal(const struct hvh_nic *nic, const struct nvs_subchannel_request *request)
{
	if (request->operation != NVS_SUBCHANNEL_ALLOCATE)
		return "operation 1 (allocate) is all there is";
	if (nic->session.subchannels.granted > 0)
		return "once per open";
	if (request->count == 0)
		return "none would need no request";
	if (request->count >= netvsp_queues_max(nic))
		return "with the primary that is more than the card's receive queues";
	return NULL;
}

/* Each one at once, late, or (the last ones) never. */
static void offer(struct hvh_nic *nic, uint32_t count, uint64_t due)
{
	struct hvh_partition *partition = nic->partition;
	uint32_t offered = count;

	if (hvh_fault_strikes(partition, HVH_FAULT_MISSING_SUBCHANNELS))
		offered = hvh_choose(partition, count);
	for (uint32_t n = 0; n < offered; n++) {
		uint64_t late = 0;

		if (hvh_fault_strikes(partition, HVH_FAULT_LATE_SUBCHANNELS))
			late = 1 + hvh_choose(partition, OFFER_LATE_MAX);
		hvh_channel_offer_subchannels(nic->channel, 1, due + late);
	}
}

static enum hvh_subchannel_order order_of_offers(const struct hvh_nic *nic)
{
	enum hvh_subchannel_order order = hvh_partition_get_profile(nic->partition)->subchannel_order;

	if (order == HVH_SUBCHANNELS_BY_SEED)
		order = hvh_choose(nic->partition, 2) == 0 ? HVH_SUBCHANNELS_AFTER : HVH_SUBCHANNELS_BEFORE;
	return order;
}

static void answer(struct netvsp_queue *queue, uint64_t transaction_id, uint32_t status)
{
	struct nvs_subchannel_complete complete = {
		.type = NVS_TYPE_SUBCHANNEL,
		.status = status,
		.count = status == NVS_STATUS_SUCCESS ? queue->nic->session.subchannels.granted : 0,
	};
	uint8_t response[NETVSP_RESPONSE_SIZE_6_1] = {0};

	memcpy(response, &complete, sizeof complete);
	netvsp_complete(queue, transaction_id, NVS_SECTION_NONE, response, netvsp_response_size(queue->nic));
}

static void grant(struct netvsp_queue *queue, uint64_t transaction_id, uint32_t count)
{
	struct hvh_nic *nic = queue->nic;
	struct netvsp_subchannels *subchannels = &nic->session.subchannels;
	bool before = order_of_offers(nic) == HVH_SUBCHANNELS_BEFORE;

	if (hvh_fault_strikes(nic->partition, HVH_FAULT_FEWER_SUBCHANNELS))
		count = hvh_choose(nic->partition, count);
	for (uint32_t n = 1; n <= count; n++)
		if (netvsp_queue_get(nic, n) == NULL)
			count = n - 1;
	subchannels->granted = count;
	netvsp_suballocations_divide(nic);
	/* After: a whole run of the bus later, when the answer is in the ring. */
	if (count > 0)
		offer(nic, count, before ? nic->now : nic->now + 1);
	if (!before || count == 0) {
		answer(queue, transaction_id, NVS_STATUS_SUCCESS);
		return;
	}
	subchannels->held = true;
	subchannels->held_transaction = transaction_id;
	subchannels->held_until = nic->now + HELD_MAX;
}

void netvsp_subchannels(struct netvsp_queue *queue, const struct hvh_packet *packet, const uint8_t *message)
{
	struct hvh_nic *nic = queue->nic;
	struct nvs_subchannel_request request;
	const char *why;

	memcpy(&request, message, sizeof request);
	if (!nic->session.receive.present) {
		NETVSP_VIOLATE(nic, HVH_V_NVS_ORDER, message, sizeof request,
			       "sub-channels asked for without a receive buffer");
		netvsp_stop(queue);
		return;
	}
	if (hvh_silence_get(nic->partition) == HVH_SILENCE_NVS_SUBCHANNEL)
		return;
	why = refusal(nic, &request);
	if (why == NULL) {
		grant(queue, packet->descriptor.transaction_id, request.count);
		return;
	}
	/* A card without sub-channels says so, and that is all. */
	if (request.operation != NVS_SUBCHANNEL_ALLOCATE || netvsp_queues_max(nic) > 1)
		NETVSP_VIOLATE(nic, HVH_V_NVS_VALUE, message, sizeof request,
			       "sub-channel operation %u for %u, of a card with %u queues: %s",
			       request.operation, request.count, netvsp_queues_max(nic), why);
	answer(queue, packet->descriptor.transaction_id, NVS_STATUS_FAILURE);
}

/* --- Afterwards --------------------------------------------------------------------------- */

static bool all_open(const struct hvh_nic *nic)
{
	uint32_t queues = netvsp_queues_granted(nic);

	for (uint32_t n = 1; n < queues; n++)
		if (!netvsp_queue_is_open(nic, n))
			return false;
	return true;
}

void netvsp_subchannel_opened(struct netvsp_queue *queue)
{
	struct hvh_nic *nic = queue->nic;
	struct netvsp_subchannels *subchannels = &nic->session.subchannels;

	netvsp_suballocations_return(queue);
	if (hvh_fault_strikes(nic->partition, HVH_FAULT_RESCIND_SUBCHANNEL))
		queue->rescind_at = nic->now + 1 + hvh_choose(nic->partition, RESCIND_MAX);
	if (subchannels->table_decided || !all_open(nic))
		return;
	subchannels->table_decided = true;
	if (hvh_fault_strikes(nic->partition, HVH_FAULT_MISSING_SEND_TABLE))
		return;
	subchannels->table_due = nic->now;
	if (hvh_fault_strikes(nic->partition, HVH_FAULT_LATE_SEND_TABLE))
		subchannels->table_due += 1 + hvh_choose(nic->partition, TABLE_LATE_MAX);
	hvh_channel_kick(nic->channel);
}

/* Where the table lies, and where the message says that it does. */
static void table_place(const struct hvh_nic *nic, uint32_t *at, uint32_t *said)
{
	enum hvh_send_table place = hvh_partition_get_profile(nic->partition)->send_table;

	*at = place == HVH_SEND_TABLE_AT_12 ? (uint32_t)sizeof(struct nvs_send_indirection_table)
					    : NVS_SEND_INDIRECTION_OFFSET_OLD;
	*said = *at;
	if (place == HVH_SEND_TABLE_WRONG_OFFSET && nic->session.version <= NVS_VERSION_6)
		*said = TABLE_OFFSET_WRONG;
}

static void send_table(struct hvh_nic *nic)
{
	struct netvsp_queue *primary = netvsp_primary(nic);
	struct nvs_send_indirection_table table = {.type = NVS_TYPE_SEND_INDIRECTION_TABLE,
						   .count = NVS_SEND_INDIRECTION_COUNT};
	uint8_t message[NVS_SEND_INDIRECTION_OFFSET_OLD + TABLE_BYTES] = {0};
	uint32_t at;

	table_place(nic, &at, &table.offset);
	memcpy(message, &table, sizeof table);
	for (uint32_t n = 0; n < NVS_SEND_INDIRECTION_COUNT; n++) {
		uint32_t queue = n % netvsp_queues_granted(nic);

		memcpy(message + at + n * sizeof queue, &queue, sizeof queue);
	}
	if (hvh_channel_write(primary->channel, nic->now, VMBUS_PACKET_IN_BAND, false, 0, NULL, 0, message,
			      at + TABLE_BYTES, NULL, 0))
		nic->session.subchannels.table_due = HVH_NEVER;
	else
		primary->blocked = true;
}

void netvsp_subchannels_run(struct hvh_nic *nic)
{
	struct netvsp_subchannels *subchannels = &nic->session.subchannels;

	if (subchannels->held &&
	    (nic->now >= subchannels->held_until || hvh_channel_offers_delivered(nic->channel))) {
		subchannels->held = false;
		answer(netvsp_primary(nic), subchannels->held_transaction, NVS_STATUS_SUCCESS);
		netvsp_completions_run(netvsp_primary(nic));
	}
	if (subchannels->table_due <= nic->now)
		send_table(nic);
	for (uint32_t n = 1; n < netvsp_queues_granted(nic); n++)
		if (netvsp_queue_is_open(nic, n) && nic->queues[n]->rescind_at <= nic->now)
			hvh_channel_rescind(nic->queues[n]->channel, nic->now);
}

uint64_t netvsp_subchannels_next(const struct hvh_nic *nic)
{
	const struct netvsp_subchannels *subchannels = &nic->session.subchannels;
	uint64_t next = subchannels->table_due;

	if (subchannels->held && subchannels->held_until < next)
		next = subchannels->held_until;
	for (uint32_t n = 1; n < netvsp_queues_granted(nic); n++)
		if (netvsp_queue_is_open(nic, n) && nic->queues[n]->rescind_at < next)
			next = nic->queues[n]->rescind_at;
	return next;
}
