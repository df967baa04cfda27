/* SPDX-License-Identifier: MIT */
/*
 * From the guest: NVS message 107 and the RNDIS messages it brings, from a section of
 * the send buffer, from a page list, or from both, one after the other.
 */
#include <string.h>

#include "netvsp.h"

/* mu_msvm sends its frames with this channel type; Hyper-V does not mind. */
#define NVS_CHANNEL_DATA_MU_MSVM 2u

static bool section_busy(const struct netvsp_session *session, uint32_t index)
{
	return (session->section_busy[index / 8] & (1u << (index % 8))) != 0;
}

static const char *section_fault(const struct netvsp_session *session, const struct nvs_rndis *rndis)
{
	if (rndis->section_index == NVS_SECTION_NONE)
		return rndis->section_size != 0 ? "a size without a section" : NULL;
	if (!session->send.present)
		return "there is no send buffer";
	if (rndis->section_index >= session->section_count)
		return "index out of range";
	if (rndis->section_size == 0 || rndis->section_size > session->section_size)
		return "size out of range";
	if (section_busy(session, rndis->section_index))
		return "it is still in use: its completion has not been sent";
	return NULL;
}

/* Copies what the packet brings to nic->message. False: not all of it is there. */
static bool gather(struct netvsp_queue *queue, const struct hvh_packet *packet, const struct nvs_rndis *rndis,
		   uint32_t *length)
{
	struct hvh_nic *nic = queue->nic;
	struct netvsp_session *session = &nic->session;
	uint32_t in_section = rndis->section_size, external = 0;

	if (packet->descriptor.type == VMBUS_PACKET_GPA_DIRECT) {
		if (!hvh_packet_external_size(queue->channel, packet, &external))
			return false;
		nic->counters.page_lists_used++;
	}
	if (external > NETVSP_MESSAGE_MAX - in_section) {
		NETVSP_VIOLATE_ON(queue, HVH_V_RNDIS, packet->payload, packet->payload_length,
				  "RNDIS data of more than %u bytes in one packet", NETVSP_MESSAGE_MAX);
		return false;
	}
	if (in_section > 0) {
		struct hvh_gpadl *gpadl = hvh_gpadl_find(nic->channel, session->send.gpadl);

		if (gpadl == NULL || !hvh_gpadl_read(gpadl, rndis->section_index * session->section_size,
						     nic->message, in_section))
			return false;
		/* Where there is a page list too, the trace has the section, with the headers. */
		hvh_packet_trace_external(queue->channel, nic->now, nic->message, in_section);
		nic->counters.sections_used++;
	}
	if (external > 0 &&
	    !hvh_packet_external_read(queue->channel, packet, 0, nic->message + in_section, external))
		return false;
	*length = in_section + external;
	return true;
}

/* The first RNDIS header lies in the first range, the section or the first of the page
 * list (OpenVMM); only where a page ends may it go on in the next (Linux does that). */
static bool header_in_one_range(const struct hvh_packet *packet, const struct nvs_rndis *rndis)
{
	struct vmbus_gpa_range range;

	if (rndis->section_size > 0)
		return rndis->section_size >= sizeof(struct rndis_header);
	if (packet->extension_length < sizeof(struct vmbus_gpa_direct_header) + sizeof range)
		return false;
	memcpy(&range, packet->extension + sizeof(struct vmbus_gpa_direct_header), sizeof range);
	return range.byte_count >= sizeof(struct rndis_header) ||
	       ((uint64_t)range.byte_offset + range.byte_count) % HVK_PAGE_SIZE == 0;
}

static uint32_t dispatch(struct netvsp_queue *queue, const struct hvh_packet *packet,
			 const struct nvs_rndis *rndis, uint32_t length)
{
	struct hvh_nic *nic = queue->nic;
	uint32_t type;
	bool frames;

	if (length < sizeof(struct rndis_header) || !header_in_one_range(packet, rndis)) {
		NETVSP_VIOLATE_ON(
			queue, HVH_V_RNDIS, packet->payload, packet->payload_length,
			"%u bytes of RNDIS: the 8 bytes of a header must be there, in the first range",
			length);
		return NVS_STATUS_FAILURE;
	}
	memcpy(&type, nic->message, sizeof type);
	frames = type == RNDIS_MSG_PACKET;
	if (frames == (rndis->channel_type == NVS_CHANNEL_CONTROL))
		NETVSP_VIOLATE_ON(
			queue, HVH_V_RNDIS, nic->message, length,
			"RNDIS message 0x%x with NVS channel type %u: 0 for frames, 1 for all others", type,
			rndis->channel_type);
	if (frames)
		return netvsp_frames(queue, nic->message, length);
	if (queue->index == 0)
		return netvsp_rndis_control(nic, nic->message, length);
	NETVSP_VIOLATE_ON(queue, HVH_V_RNDIS, nic->message, length,
			  "RNDIS message 0x%x on sub-channel %u: control messages take the primary", type,
			  queue->index);
	return NVS_STATUS_FAILURE;
}

void netvsp_rndis(struct netvsp_queue *queue, const struct hvh_packet *packet, const uint8_t *message)
{
	struct hvh_nic *nic = queue->nic;
	struct netvsp_session *session = &nic->session;
	struct nvs_rndis_complete answer = {.type = NVS_TYPE_RNDIS_COMPLETE, .status = NVS_STATUS_FAILURE};
	uint8_t response[NETVSP_RESPONSE_SIZE_6_1] = {0};
	uint32_t section = NVS_SECTION_NONE, length = 0;
	struct nvs_rndis rndis;
	const char *fault;

	memcpy(&rndis, message, sizeof rndis);
	if (!session->ndis_version || !session->receive.present) {
		NETVSP_VIOLATE_ON(queue, HVH_V_NVS_ORDER, message, sizeof rndis, "RNDIS message %s",
				  session->ndis_version ? "without a receive buffer" : "before NDIS_VERSION");
		netvsp_stop(queue);
		return;
	}
	if (rndis.channel_type > NVS_CHANNEL_DATA_MU_MSVM)
		NETVSP_VIOLATE_ON(queue, HVH_V_NVS_VALUE, message, sizeof rndis,
				  "NVS channel type %u: 0 for frames, 1 for all others", rndis.channel_type);
	fault = section_fault(session, &rndis);
	if (fault != NULL) {
		NETVSP_VIOLATE_ON(queue, HVH_V_SECTION, message, sizeof rndis, "section 0x%x, %u bytes: %s",
				  rndis.section_index, rndis.section_size, fault);
	} else {
		section = rndis.section_index;
		if (section != NVS_SECTION_NONE)
			session->section_busy[section / 8] |= (uint8_t)(1u << (section % 8));
		if (gather(queue, packet, &rndis, &length))
			answer.status = dispatch(queue, packet, &rndis, length);
	}
	if (queue->stopped || (packet->descriptor.flags & VMBUS_PACKET_FLAG_COMPLETION_REQUESTED) == 0)
		return;
	memcpy(response, &answer, sizeof answer);
	netvsp_complete(queue, packet->descriptor.transaction_id, section, response,
			netvsp_response_size(nic));
}
