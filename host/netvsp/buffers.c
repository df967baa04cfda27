/* SPDX-License-Identifier: MIT */
/*
 * The guest's two buffers: taken, revoked, and their GPADLs torn down.
 */
#include <string.h>

#include "netvsp.h"

#define WITHHELD_ONE_IN 4u
#define WITHHELD_TIME (10u * HVH_TIME_PER_SECOND)

/* Receive buffers that Windows takes at most (FreeBSD, Linux). */
#define RECEIVE_LIMIT_OLD (15u << 20) /* up to NVS 2 */
#define RECEIVE_LIMIT (31u << 20)

/* The checks that both buffers share. False: the worker has ended. */
static bool buffer_message(struct netvsp_queue *queue, struct netvsp_buffer *buffer, const char *name,
			   const uint8_t *message, struct nvs_buffer *out)
{
	struct hvh_nic *nic = queue->nic;

	memcpy(out, message, sizeof *out);
	if (buffer->taken) {
		NETVSP_VIOLATE(nic, HVH_V_NVS_ORDER, message, sizeof *out, "%s twice: once per open", name);
		netvsp_stop(queue);
		return false;
	}
	if (out->reserved != 0)
		NETVSP_VIOLATE(nic, HVH_V_NVS_PADDING, message, sizeof *out, "%s: reserved is 0x%x, not 0",
			       name, out->reserved);
	buffer->taken = true;
	buffer->gpadl = out->gpadl;
	buffer->page_set_id = out->page_set_id;
	return true;
}

static struct hvh_gpadl *buffer_gpadl(struct hvh_nic *nic, const struct nvs_buffer *buffer, const char *name)
{
	struct hvh_gpadl *gpadl = hvh_gpadl_find(nic->channel, buffer->gpadl);

	if (gpadl == NULL)
		NETVSP_VIOLATE(nic, HVH_V_GPADL_ID, buffer, sizeof *buffer,
			       "%s names GPADL 0x%x, which this channel does not have", name, buffer->gpadl);
	return gpadl;
}

static uint32_t receive_limit(const struct hvh_nic *nic)
{
	if (!hvh_partition_get_profile(nic->partition)->receive_buffer_limited)
		return UINT32_MAX;
	return nic->session.version <= NVS_VERSION_2 ? RECEIVE_LIMIT_OLD : RECEIVE_LIMIT;
}

void netvsp_receive_buffer(struct netvsp_queue *queue, const struct hvh_packet *packet,
			   const uint8_t *message)
{
	struct hvh_nic *nic = queue->nic;
	struct netvsp_session *session = &nic->session;
	struct nvs_receive_buffer_complete answer = {.type = NVS_TYPE_RECEIVE_BUFFER_COMPLETE,
						     .status = NVS_STATUS_FAILURE};
	struct nvs_buffer buffer;
	struct hvh_gpadl *gpadl;

	if (session->version >= NVS_VERSION_2 && !session->ndis_config) {
		NETVSP_VIOLATE(nic, HVH_V_NVS_ORDER, message, sizeof buffer,
			       "receive buffer before NDIS_CONFIG, which comes first from version 0x%x on",
			       NVS_VERSION_2);
		netvsp_stop(queue);
		return;
	}
	if (!buffer_message(queue, &session->receive, "receive buffer", message, &buffer))
		return;
	if (hvh_silence_get(nic->partition) == HVH_SILENCE_NVS_RECEIVE_BUFFER)
		return;
	gpadl = buffer_gpadl(nic, &buffer, "receive buffer");
	if (gpadl != NULL && hvh_gpadl_size(gpadl) > receive_limit(nic)) {
		NETVSP_VIOLATE(nic, HVH_V_NVS_VALUE, message, sizeof buffer,
			       "receive buffer of %u bytes: at NVS version 0x%x %u are the most",
			       hvh_gpadl_size(gpadl), session->version, receive_limit(nic));
	} else if (gpadl != NULL && !netvsp_suballocations_create(nic, hvh_gpadl_size(gpadl))) {
		NETVSP_VIOLATE(nic, HVH_V_NVS_VALUE, message, sizeof buffer,
			       "receive buffer of %u bytes holds no %u sub-allocations of %u",
			       hvh_gpadl_size(gpadl), NETVSP_CONTROL_SUBALLOCATIONS + 1,
			       session->suballocation_size);
	} else if (gpadl != NULL) {
		session->receive.present = true;
		answer.status = NVS_STATUS_SUCCESS;
		answer.section_count = 1;
		answer.section.suballocation_size = session->suballocation_size;
		answer.section.suballocation_count = session->suballocation_count;
		answer.section.end_offset = session->suballocation_size * session->suballocation_count;
	}
	netvsp_respond(queue, packet, &answer, sizeof answer);
}

void netvsp_send_buffer(struct netvsp_queue *queue, const struct hvh_packet *packet, const uint8_t *message)
{
	struct hvh_nic *nic = queue->nic;
	struct netvsp_session *session = &nic->session;
	struct nvs_send_buffer_complete answer = {.type = NVS_TYPE_SEND_BUFFER_COMPLETE,
						  .status = NVS_STATUS_FAILURE};
	struct nvs_buffer buffer;
	struct hvh_gpadl *gpadl;

	if (!buffer_message(queue, &session->send, "send buffer", message, &buffer))
		return;
	if (hvh_silence_get(nic->partition) == HVH_SILENCE_NVS_SEND_BUFFER)
		return;
	gpadl = buffer_gpadl(nic, &buffer, "send buffer");
	if (gpadl != NULL) {
		session->send.present = true;
		session->section_size = hvh_partition_get_profile(nic->partition)->send_section;
		if (session->section_size > 0)
			session->section_count = hvh_gpadl_size(gpadl) / session->section_size;
		if (session->section_count > NETVSP_SECTIONS_MAX)
			session->section_count = NETVSP_SECTIONS_MAX;
		answer.status = NVS_STATUS_SUCCESS;
		answer.section_size = session->section_size;
	}
	netvsp_respond(queue, packet, &answer, sizeof answer);
}

static void revoke(struct netvsp_queue *queue, const struct hvh_packet *packet, const uint8_t *message,
		   struct netvsp_buffer *buffer, const char *name)
{
	struct hvh_nic *nic = queue->nic;
	struct nvs_revoke_buffer revoke;

	memcpy(&revoke, message, sizeof revoke);
	if (!buffer->present) {
		NETVSP_VIOLATE(nic, HVH_V_NVS_ORDER, message, sizeof revoke,
			       "revoke of a %s that is not there", name);
		netvsp_stop(queue);
		return;
	}
	if (revoke.page_set_id != buffer->page_set_id)
		NETVSP_VIOLATE(nic, HVH_V_NVS_VALUE, message, sizeof revoke,
			       "revoke of a %s: page set id 0x%x, it was given as 0x%x", name,
			       revoke.page_set_id, buffer->page_set_id);
	if (revoke.reserved != 0)
		NETVSP_VIOLATE(nic, HVH_V_NVS_PADDING, message, sizeof revoke,
			       "revoke of a %s: reserved is 0x%x, not 0", name, revoke.reserved);
	buffer->present = false;
	/* OpenVMM ends the worker here and completes nothing; Hyper-V completes (iPXE). */
	if (!hvh_partition_get_profile(nic->partition)->revoke_completed) {
		netvsp_stop(queue);
		return;
	}
	netvsp_respond(queue, packet, NULL, 0);
}

void netvsp_revoke_receive(struct netvsp_queue *queue, const struct hvh_packet *packet,
			   const uint8_t *message)
{
	revoke(queue, packet, message, &queue->nic->session.receive, "receive buffer");
}

void netvsp_revoke_send(struct netvsp_queue *queue, const struct hvh_packet *packet, const uint8_t *message)
{
	revoke(queue, packet, message, &queue->nic->session.send, "send buffer");
}

/* --- Tear-down -------------------------------------------------------------------------- */

static bool in_use(struct hvh_nic *nic, struct netvsp_buffer *buffer, uint32_t gpadl, const char *name)
{
	struct netvsp_queue *primary = netvsp_primary(nic);

	/* The revoke may still be in the ring, unread. */
	if (buffer->present && buffer->gpadl == gpadl && !primary->stopped)
		netvsp_read(primary);
	if (!buffer->present || buffer->gpadl != gpadl)
		return false;
	if (!buffer->reported && !primary->stopped)
		NETVSP_VIOLATE(nic, HVH_V_GPADL_IN_USE, &gpadl, sizeof gpadl,
			       "GPADL 0x%x torn down while it is the %s: revoke it or close first", gpadl,
			       name);
	buffer->reported = true;
	return true;
}

/* Windows Server 2012 R2 keeps the receive buffer until the channel closes, now and then
 * (iPXE). Linux waits for it before it closes, and is not known to hang there: so it does
 * not keep it for ever. */
static bool withheld(struct hvh_nic *nic)
{
	struct netvsp_session *session = &nic->session;

	switch (hvh_partition_get_profile(nic->partition)->torndown_withheld) {
	case HVH_TORNDOWN_AT_CLOSE:
		return true;
	case HVH_TORNDOWN_NOW_AND_THEN:
		if (session->release_at == 0)
			session->release_at = hvh_choose(nic->partition, WITHHELD_ONE_IN) == 0
						      ? nic->now + WITHHELD_TIME
						      : nic->now;
		return session->release_at > nic->now;
	default:
		return false;
	}
}

void netvsp_release_run(struct hvh_nic *nic)
{
	struct netvsp_session *session = &nic->session;

	if (netvsp_release_next(nic) > nic->now)
		return;
	session->released = true;
	hvh_channel_teardown_ready(nic->channel, session->receive.gpadl, nic->now);
}

uint64_t netvsp_release_next(const struct hvh_nic *nic)
{
	const struct netvsp_session *session = &nic->session;

	return session->open && session->release_at != 0 && !session->released ? session->release_at
									       : HVH_NEVER;
}

bool netvsp_may_tear_down(struct hvh_nic *nic, uint32_t gpadl)
{
	struct netvsp_session *session = &nic->session;

	if (!session->open)
		return true;
	if (in_use(nic, &session->receive, gpadl, "receive buffer") ||
	    in_use(nic, &session->send, gpadl, "send buffer"))
		return false;
	return !(session->receive.taken && session->receive.gpadl == gpadl && withheld(nic));
}
