/* SPDX-License-Identifier: MIT */
/*
 * Sub-allocations of the receive buffer: who may use which. The first 16 are for control
 * messages; the rest are divided among the queues once and for all (OpenVMM).
 */
#include <string.h>

#include "netvsp.h"

static uint32_t share_begin(const struct netvsp_session *session, uint32_t queue)
{
	return NETVSP_CONTROL_SUBALLOCATIONS + queue * session->share;
}

static uint32_t owner_of(const struct hvh_nic *nic, uint16_t id)
{
	const struct netvsp_session *session = &nic->session;
	uint32_t last = netvsp_queues_granted(nic) - 1;
	uint32_t owner = session->share > 0 ? (id - NETVSP_CONTROL_SUBALLOCATIONS) / session->share : last;

	return owner < last ? owner : last;
}

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
	for (uint32_t i = 0; i < NETVSP_CONTROL_SUBALLOCATIONS; i++)
		session->free_control[i] = (uint16_t)(NETVSP_CONTROL_SUBALLOCATIONS - 1 - i);
	session->free_control_count = NETVSP_CONTROL_SUBALLOCATIONS;
	netvsp_suballocations_divide(nic);
	return true;
}

/* All are stacks: what was given back last is used first, which finds a guest that gives back too
 * early. What the guest holds comes to its new owner when it is given back. */
void netvsp_suballocations_divide(struct hvh_nic *nic)
{
	struct netvsp_session *session = &nic->session;
	uint32_t queues = netvsp_queues_granted(nic);

	session->share = (session->suballocation_count - NETVSP_CONTROL_SUBALLOCATIONS) / queues;
	for (uint32_t n = 0; n < NETVSP_QUEUES_MAX; n++) {
		struct netvsp_queue *queue = nic->queues[n];
		uint32_t end = n + 1 < queues ? share_begin(session, n + 1) : session->suballocation_count;

		if (queue == NULL)
			continue;
		queue->free_first = share_begin(session, n);
		queue->free_count = 0;
		for (uint32_t id = end; n < queues && id > queue->free_first; id--)
			if (session->sent_on[id - 1] == 0)
				session->free_data[queue->free_first + queue->free_count++] = (uint16_t)(id -
													 1);
	}
}

uint32_t netvsp_suballocations_free(const struct netvsp_queue *queue, bool control)
{
	return control ? queue->nic->session.free_control_count : queue->free_count;
}

uint16_t netvsp_suballocation_take(struct netvsp_queue *queue, bool control)
{
	struct netvsp_session *session = &queue->nic->session;
	uint16_t id = control ? session->free_control[--session->free_control_count]
			      : session->free_data[queue->free_first + --queue->free_count];

	session->sent_on[id] = (uint8_t)(queue->index + 1);
	return id;
}

void netvsp_suballocation_put(struct hvh_nic *nic, uint16_t id)
{
	struct netvsp_session *session = &nic->session;
	struct netvsp_queue *owner;

	session->sent_on[id] = 0;
	if (id < NETVSP_CONTROL_SUBALLOCATIONS) {
		session->free_control[session->free_control_count++] = id;
		return;
	}
	owner = nic->queues[owner_of(nic, id)];
	session->free_data[owner->free_first + owner->free_count++] = id;
}

/* A guest that closes a sub-channel may still read what came by it: nothing of that is used again
 * before it opens the channel anew. */
void netvsp_suballocations_return(struct netvsp_queue *queue)
{
	struct netvsp_session *session = &queue->nic->session;

	for (uint32_t id = 0; id < session->suballocation_count; id++) {
		if (session->sent_on[id] != queue->index + 1)
			continue;
		session->outstanding[id / 8] &= (uint8_t) ~(1u << (id % 8));
		netvsp_suballocation_put(queue->nic, (uint16_t)id);
	}
}
