/* SPDX-License-Identifier: MIT */
/*
 * Completions of the guest's packets: at once where the ring has room, later where it
 * has none or the seed says so. Others may overtake one that is late.
 */
#include <string.h>

#include "netvsp.h"

#define LATE_MAX (5 * HVH_TIME_PER_MS)

static void free_section(struct netvsp_session *session, uint32_t section)
{
	if (section != NVS_SECTION_NONE)
		session->section_busy[section / 8] &= (uint8_t) ~(1u << (section % 8));
}

static bool write_completion(struct netvsp_queue *queue, const struct netvsp_completion *completion)
{
	if (queue->blocked)
		return false;
	if (!hvh_channel_write(queue->channel, queue->nic->now, VMBUS_PACKET_COMPLETION, false,
			       completion->transaction_id, NULL, 0, completion->payload,
			       completion->payload_length, NULL, 0)) {
		queue->blocked = true;
		return false;
	}
	free_section(&queue->nic->session, completion->section);
	return true;
}

/* Only queued here, and sent when all that the guest has written has been read: so a
 * section that it used again too early is still in use when the second packet comes. */
void netvsp_complete(struct netvsp_queue *queue, uint64_t transaction_id, uint32_t section,
		     const void *payload, uint32_t payload_length)
{
	const struct hvh_nic *nic = queue->nic;
	struct netvsp_completion *completion;

	if (queue->completion_count == NETVSP_COMPLETIONS_MAX)
		return; /* netvsp_read takes no packet without a place here */
	completion = &queue->completions[queue->completion_count++];
	completion->due = nic->now;
	completion->transaction_id = transaction_id;
	completion->section = section;
	completion->payload_length = payload_length;
	if (payload_length > 0)
		memcpy(completion->payload, payload, payload_length);
	if (hvh_fault_strikes(nic->partition, HVH_FAULT_DELAY_COMPLETION))
		completion->due = nic->now + 1 + hvh_choose(nic->partition, LATE_MAX);
}

void netvsp_completions_run(struct netvsp_queue *queue)
{
	uint32_t kept = 0;

	for (uint32_t i = 0; i < queue->completion_count; i++) {
		struct netvsp_completion *completion = &queue->completions[i];

		if (completion->due <= queue->nic->now && write_completion(queue, completion))
			continue;
		if (kept != i)
			queue->completions[kept] = *completion;
		kept++;
	}
	queue->completion_count = kept;
}

/* The channel closes: what it brought has been read, and the guest may use those sections again. */
void netvsp_completions_drop(struct netvsp_queue *queue)
{
	while (queue->completion_count > 0)
		free_section(&queue->nic->session, queue->completions[--queue->completion_count].section);
}

uint64_t netvsp_completions_next(const struct netvsp_queue *queue)
{
	uint64_t next = HVH_NEVER;

	for (uint32_t i = 0; i < queue->completion_count; i++)
		if (queue->completions[i].due < next)
			next = queue->completions[i].due;
	return next;
}
