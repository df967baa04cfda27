/* SPDX-License-Identifier: MIT */
/*
 * NVS: what a network card's channel says about itself, its buffers and its RNDIS
 * messages. Sources: OpenVMM netvsp, FreeBSD hn, Linux netvsc.
 *
 * An error in the order or the kind of messages ends the channel's worker, as OpenVMM's:
 * nothing later is read or answered until the channel closes.
 */
#include <string.h>

#include "netvsp.h"

/* INIT_COMPLETE (OpenVMM). */
#define MAX_MDL_CHAIN 34u
#define VERSION_FIELD_UNUSED 0xffffffffu

#define ANSWERED 1u /* makes sense only with a completion requested */
#define PAGES 2u    /* may come with a page list */

struct nvs_message {
	uint32_t type;
	const char *name;
	uint32_t size;  /* of its structure; the rest is padding */
	uint32_t since; /* the first version that has it */
	uint32_t flags;
	void (*handle)(struct hvh_nic *nic, const struct hvh_packet *packet, const uint8_t *message);
};

uint32_t netvsp_response_size(const struct hvh_nic *nic)
{
	return nic->session.version >= NVS_VERSION_6_1 ? NETVSP_RESPONSE_SIZE_6_1 : NETVSP_RESPONSE_SIZE;
}

static bool wants_completion(const struct hvh_packet *packet)
{
	return (packet->descriptor.flags & VMBUS_PACKET_FLAG_COMPLETION_REQUESTED) != 0;
}

void netvsp_respond(struct hvh_nic *nic, const struct hvh_packet *packet, const void *payload,
		    uint32_t payload_length)
{
	uint8_t response[NETVSP_RESPONSE_SIZE_6_1] = {0};

	if (!wants_completion(packet))
		return;
	if (payload_length == 0) {
		netvsp_complete(nic, packet->descriptor.transaction_id, NVS_SECTION_NONE, NULL, 0);
		return;
	}
	memcpy(response, payload, payload_length);
	netvsp_complete(nic, packet->descriptor.transaction_id, NVS_SECTION_NONE, response,
			netvsp_response_size(nic));
}

/* --- Version ----------------------------------------------------------------------- */

static bool version_known(const struct hvh_nic *nic, uint32_t version)
{
	static const uint32_t known[] = {NVS_VERSION_1, NVS_VERSION_2, NVS_VERSION_4,
					 NVS_VERSION_5, NVS_VERSION_6, NVS_VERSION_6_1};

	for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
		if (known[i] == version)
			return version <= hvh_partition_get_profile(nic->partition)->nvs_newest;
	return false;
}

static void init(struct hvh_nic *nic, const struct hvh_packet *packet, const uint8_t *message)
{
	struct nvs_init init;
	struct nvs_init_complete answer = {.type = NVS_TYPE_INIT_COMPLETE, .max_mdl_chain = MAX_MDL_CHAIN};

	memcpy(&init, message, sizeof init);
	if (nic->session.version != 0) {
		NETVSP_VIOLATE(nic, HVH_V_NVS_ORDER, message, sizeof init,
			       "NVS INIT again after version 0x%x was taken: once per open",
			       nic->session.version);
		netvsp_stop(nic);
		return;
	}
	if (init.version_min > init.version_max)
		NETVSP_VIOLATE(nic, HVH_V_NVS_VALUE, message, sizeof init,
			       "NVS INIT from 0x%x to 0x%x: the first must not be above the second",
			       init.version_min, init.version_max);
	if (hvh_silence_get(nic->partition) == HVH_SILENCE_NVS_INIT)
		return;
	answer.status = NVS_STATUS_NONE;
	if (version_known(nic, init.version_min)) { /* the first field alone counts (OpenVMM) */
		nic->session.version = init.version_min;
		answer.status = NVS_STATUS_SUCCESS;
	}
	answer.version = init.version_min == NVS_VERSION_1 ? NVS_VERSION_1 : VERSION_FIELD_UNUSED;
	netvsp_respond(nic, packet, &answer, sizeof answer);
}

static void ndis_version(struct hvh_nic *nic, const struct hvh_packet *packet, const uint8_t *message)
{
	struct nvs_ndis_version version;

	memcpy(&version, message, sizeof version);
	if (nic->session.ndis_version) {
		NETVSP_VIOLATE(nic, HVH_V_NVS_ORDER, message, sizeof version,
			       "NDIS_VERSION twice: once per open");
		netvsp_stop(nic);
		return;
	}
	if (version.major != 5 && version.major != 6)
		NETVSP_VIOLATE(nic, HVH_V_NVS_VALUE, message, sizeof version,
			       "NDIS version %u.%u: 5 or 6 would be right", version.major, version.minor);
	nic->session.ndis_version = true;
	netvsp_respond(nic, packet, NULL, 0);
}

static void ndis_config(struct hvh_nic *nic, const struct hvh_packet *packet, const uint8_t *message)
{
	struct netvsp_session *session = &nic->session;
	struct nvs_ndis_config config;

	memcpy(&config, message, sizeof config);
	if (session->ndis_config || session->receive.taken) {
		NETVSP_VIOLATE(nic, HVH_V_NVS_ORDER, message, sizeof config,
			       "NDIS_CONFIG %s: once, before the receive buffer",
			       session->ndis_config ? "twice" : "after the receive buffer");
		netvsp_stop(nic);
		return;
	}
	if (config.reserved != 0)
		NETVSP_VIOLATE(nic, HVH_V_NVS_PADDING, message, sizeof config,
			       "NDIS_CONFIG: reserved is 0x%x, not 0", config.reserved);
	session->ndis_config = true;
	session->frame_max = config.mtu;
	if (config.mtu < NETVSP_FRAME_STANDARD || config.mtu > nic->frame_limit) {
		NETVSP_VIOLATE(nic, HVH_V_NVS_VALUE, message, sizeof config,
			       "NDIS_CONFIG: MTU %u with the Ethernet header, allowed are %u to %u",
			       config.mtu, NETVSP_FRAME_STANDARD, nic->frame_limit);
		session->frame_max = NETVSP_FRAME_STANDARD;
	}
	netvsp_respond(nic, packet, NULL, 0);
}

/* --- Buffers -------------------------------------------------------------------------- */

/* The checks that both buffers share. False: the worker has ended. */
static bool buffer_message(struct hvh_nic *nic, struct netvsp_buffer *buffer, const char *name,
			   const uint8_t *message, struct nvs_buffer *out)
{
	memcpy(out, message, sizeof *out);
	if (buffer->taken) {
		NETVSP_VIOLATE(nic, HVH_V_NVS_ORDER, message, sizeof *out, "%s twice: once per open", name);
		netvsp_stop(nic);
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

static void receive_buffer(struct hvh_nic *nic, const struct hvh_packet *packet, const uint8_t *message)
{
	struct netvsp_session *session = &nic->session;
	struct nvs_receive_buffer_complete answer = {.type = NVS_TYPE_RECEIVE_BUFFER_COMPLETE,
						     .status = NVS_STATUS_FAILURE};
	struct nvs_buffer buffer;
	struct hvh_gpadl *gpadl;

	if (session->version >= NVS_VERSION_2 && !session->ndis_config) {
		NETVSP_VIOLATE(nic, HVH_V_NVS_ORDER, message, sizeof buffer,
			       "receive buffer before NDIS_CONFIG, which comes first from version 0x%x on",
			       NVS_VERSION_2);
		netvsp_stop(nic);
		return;
	}
	if (!buffer_message(nic, &session->receive, "receive buffer", message, &buffer))
		return;
	if (hvh_silence_get(nic->partition) == HVH_SILENCE_NVS_RECEIVE_BUFFER)
		return;
	gpadl = buffer_gpadl(nic, &buffer, "receive buffer");
	if (gpadl != NULL && !netvsp_suballocations_create(nic, hvh_gpadl_size(gpadl))) {
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
	netvsp_respond(nic, packet, &answer, sizeof answer);
}

static void send_buffer(struct hvh_nic *nic, const struct hvh_packet *packet, const uint8_t *message)
{
	struct netvsp_session *session = &nic->session;
	struct nvs_send_buffer_complete answer = {.type = NVS_TYPE_SEND_BUFFER_COMPLETE,
						  .status = NVS_STATUS_FAILURE};
	struct nvs_buffer buffer;
	struct hvh_gpadl *gpadl;

	if (!buffer_message(nic, &session->send, "send buffer", message, &buffer))
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
	netvsp_respond(nic, packet, &answer, sizeof answer);
}

static void revoke(struct hvh_nic *nic, const struct hvh_packet *packet, const uint8_t *message,
		   struct netvsp_buffer *buffer, const char *name)
{
	struct nvs_revoke_buffer revoke;

	memcpy(&revoke, message, sizeof revoke);
	if (!buffer->present) {
		NETVSP_VIOLATE(nic, HVH_V_NVS_ORDER, message, sizeof revoke,
			       "revoke of a %s that is not there", name);
		netvsp_stop(nic);
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
		netvsp_stop(nic);
		return;
	}
	netvsp_respond(nic, packet, NULL, 0);
}

static void revoke_receive(struct hvh_nic *nic, const struct hvh_packet *packet, const uint8_t *message)
{
	revoke(nic, packet, message, &nic->session.receive, "receive buffer");
}

static void revoke_send(struct hvh_nic *nic, const struct hvh_packet *packet, const uint8_t *message)
{
	revoke(nic, packet, message, &nic->session.send, "send buffer");
}

/* --- What this host has not got: a virtual function, sub-channels ------------------------ */

static void switch_data_path(struct hvh_nic *nic, const struct hvh_packet *packet, const uint8_t *message)
{
	struct nvs_switch_data_path path;

	memcpy(&path, message, sizeof path);
	if (path.active != 0)
		NETVSP_VIOLATE(
			nic, HVH_V_NVS_VALUE, message, sizeof path,
			"data path switched to %u, and there is no virtual function: 0 is all there is",
			path.active);
	netvsp_respond(nic, packet, NULL, 0);
}

static void subchannel(struct hvh_nic *nic, const struct hvh_packet *packet, const uint8_t *message)
{
	struct nvs_subchannel_complete answer = {.type = NVS_TYPE_SUBCHANNEL, .status = NVS_STATUS_FAILURE};
	struct nvs_subchannel_request request;

	memcpy(&request, message, sizeof request);
	if (request.operation != 1)
		NETVSP_VIOLATE(nic, HVH_V_NVS_VALUE, message, sizeof request,
			       "sub-channel operation %u: 1 (allocate) is all there is", request.operation);
	netvsp_respond(nic, packet, &answer, sizeof answer);
}

/* --- Dispatch ------------------------------------------------------------------------------ */

static const struct nvs_message messages[] = {
	{NVS_TYPE_INIT, "INIT", sizeof(struct nvs_init), 0, ANSWERED, init},
	{NVS_TYPE_NDIS_VERSION, "NDIS_VERSION", sizeof(struct nvs_ndis_version), NVS_VERSION_1, 0,
	 ndis_version},
	{NVS_TYPE_RECEIVE_BUFFER, "RECEIVE_BUFFER", sizeof(struct nvs_buffer), NVS_VERSION_1, ANSWERED,
	 receive_buffer},
	{NVS_TYPE_REVOKE_RECEIVE_BUFFER, "REVOKE_RECEIVE_BUFFER", sizeof(struct nvs_revoke_buffer),
	 NVS_VERSION_1, 0, revoke_receive},
	{NVS_TYPE_SEND_BUFFER, "SEND_BUFFER", sizeof(struct nvs_buffer), NVS_VERSION_1, ANSWERED,
	 send_buffer},
	{NVS_TYPE_REVOKE_SEND_BUFFER, "REVOKE_SEND_BUFFER", sizeof(struct nvs_revoke_buffer), NVS_VERSION_1,
	 0, revoke_send},
	{NVS_TYPE_RNDIS, "RNDIS", sizeof(struct nvs_rndis), NVS_VERSION_1, ANSWERED | PAGES, netvsp_rndis},
	{NVS_TYPE_NDIS_CONFIG, "NDIS_CONFIG", sizeof(struct nvs_ndis_config), NVS_VERSION_2, 0, ndis_config},
	{NVS_TYPE_SWITCH_DATA_PATH, "SWITCH_DATA_PATH", sizeof(struct nvs_switch_data_path), NVS_VERSION_4, 0,
	 switch_data_path},
	{NVS_TYPE_SUBCHANNEL, "SUBCHANNEL", sizeof(struct nvs_subchannel_request), NVS_VERSION_5, ANSWERED,
	 subchannel},
};

static const struct nvs_message *message_find(uint32_t type)
{
	for (size_t i = 0; i < sizeof messages / sizeof messages[0]; i++)
		if (messages[i].type == type)
			return &messages[i];
	return NULL;
}

/* May this message come now, in this kind of packet? */
static bool message_allowed(struct hvh_nic *nic, const struct hvh_packet *packet, uint32_t type,
			    const struct nvs_message *message)
{
	uint32_t version = nic->session.version;

	if (message == NULL || message->since > version) {
		bool early = message != NULL && version == 0;

		NETVSP_VIOLATE(nic, early ? HVH_V_NVS_ORDER : HVH_V_NVS_TYPE, packet->payload,
			       packet->payload_length, "NVS message %u (%s) %s", type,
			       message != NULL ? message->name : "unknown",
			       early ? "before INIT" : "is none that a guest may send at this version");
		return false;
	}
	if (packet->descriptor.type != VMBUS_PACKET_IN_BAND && (message->flags & PAGES) == 0) {
		NETVSP_VIOLATE(nic, HVH_V_PACKET_TYPE, packet->payload, packet->payload_length,
			       "NVS %s in a packet of type %u: in-band (%u) would be right", message->name,
			       packet->descriptor.type, VMBUS_PACKET_IN_BAND);
		return false;
	}
	return true;
}

static void check_padding(struct hvh_nic *nic, const struct hvh_packet *packet,
			  const struct nvs_message *message)
{
	for (uint32_t i = message->size; i < packet->payload_length; i++) {
		if (packet->payload[i] == 0)
			continue;
		NETVSP_VIOLATE(nic, HVH_V_NVS_PADDING, packet->payload, packet->payload_length,
			       "NVS %s: byte %u is 0x%02x, after the message's %u bytes all are zero",
			       message->name, i, packet->payload[i], message->size);
		return;
	}
}

void netvsp_nvs(struct hvh_nic *nic, const struct hvh_packet *packet)
{
	uint32_t least = nic->session.version >= NVS_VERSION_6_1 ? NVS_REQUEST_SIZE_6_1
								 : NVS_REQUEST_SIZE_MIN;
	const struct nvs_message *message;
	uint32_t type;

	if (packet->payload_length < least) { /* never answered (FreeBSD) */
		NETVSP_VIOLATE(nic, HVH_V_NVS_SIZE, packet->payload, packet->payload_length,
			       "NVS request of %u bytes: at least %u at this version", packet->payload_length,
			       least);
		return;
	}
	memcpy(&type, packet->payload, sizeof type);
	message = message_find(type);
	if (!message_allowed(nic, packet, type, message)) {
		netvsp_stop(nic);
		return;
	}
	check_padding(nic, packet, message);
	if ((message->flags & ANSWERED) != 0 && !wants_completion(packet))
		NETVSP_VIOLATE(nic, HVH_V_PACKET_FLAGS, packet->payload, packet->payload_length,
			       "NVS %s without a completion requested: there is an answer to it",
			       message->name);
	message->handle(nic, packet, packet->payload);
}
