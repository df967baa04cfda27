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
	void (*handle)(struct netvsp_queue *queue, const struct hvh_packet *packet, const uint8_t *message);
};

uint32_t netvsp_response_size(const struct hvh_nic *nic)
{
	return nic->session.version >= NVS_VERSION_6_1 ? NETVSP_RESPONSE_SIZE_6_1 : NETVSP_RESPONSE_SIZE;
}

static bool wants_completion(const struct hvh_packet *packet)
{
	return (packet->descriptor.flags & VMBUS_PACKET_FLAG_COMPLETION_REQUESTED) != 0;
}

void netvsp_respond(struct netvsp_queue *queue, const struct hvh_packet *packet, const void *payload,
		    uint32_t payload_length)
{
	uint8_t response[NETVSP_RESPONSE_SIZE_6_1] = {0};

	if (!wants_completion(packet))
		return;
	if (payload_length == 0) {
		netvsp_complete(queue, packet->descriptor.transaction_id, NVS_SECTION_NONE, NULL, 0);
		return;
	}
	memcpy(response, payload, payload_length);
	netvsp_complete(queue, packet->descriptor.transaction_id, NVS_SECTION_NONE, response,
			netvsp_response_size(queue->nic));
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

static void init(struct netvsp_queue *queue, const struct hvh_packet *packet, const uint8_t *message)
{
	struct hvh_nic *nic = queue->nic;
	struct nvs_init init;
	struct nvs_init_complete answer = {.type = NVS_TYPE_INIT_COMPLETE, .max_mdl_chain = MAX_MDL_CHAIN};

	memcpy(&init, message, sizeof init);
	if (nic->session.version != 0) {
		NETVSP_VIOLATE(nic, HVH_V_NVS_ORDER, message, sizeof init,
			       "NVS INIT again after version 0x%x was taken: once per open",
			       nic->session.version);
		netvsp_stop(queue);
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
	netvsp_respond(queue, packet, &answer, sizeof answer);
}

static void ndis_version(struct netvsp_queue *queue, const struct hvh_packet *packet, const uint8_t *message)
{
	struct hvh_nic *nic = queue->nic;
	struct nvs_ndis_version version;

	memcpy(&version, message, sizeof version);
	if (nic->session.ndis_version) {
		NETVSP_VIOLATE(nic, HVH_V_NVS_ORDER, message, sizeof version,
			       "NDIS_VERSION twice: once per open");
		netvsp_stop(queue);
		return;
	}
	if (version.major != 5 && version.major != 6)
		NETVSP_VIOLATE(nic, HVH_V_NVS_VALUE, message, sizeof version,
			       "NDIS version %u.%u: 5 or 6 would be right", version.major, version.minor);
	nic->session.ndis_version = true;
	netvsp_respond(queue, packet, NULL, 0);
}

static void ndis_config(struct netvsp_queue *queue, const struct hvh_packet *packet, const uint8_t *message)
{
	struct hvh_nic *nic = queue->nic;
	struct netvsp_session *session = &nic->session;
	struct nvs_ndis_config config;

	memcpy(&config, message, sizeof config);
	if (session->ndis_config || session->receive.taken) {
		NETVSP_VIOLATE(nic, HVH_V_NVS_ORDER, message, sizeof config,
			       "NDIS_CONFIG %s: once, before the receive buffer",
			       session->ndis_config ? "twice" : "after the receive buffer");
		netvsp_stop(queue);
		return;
	}
	if (config.reserved != 0)
		NETVSP_VIOLATE(nic, HVH_V_NVS_PADDING, message, sizeof config,
			       "NDIS_CONFIG: reserved is 0x%x, not 0", config.reserved);
	session->ndis_config = true;
	session->vlan = (config.capabilities_low & NVS_NDIS_CAPABILITY_VLAN) != 0;
	session->rsc = (config.capabilities_low & NVS_NDIS_CAPABILITY_RSC) != 0;
	session->vf.capability = (config.capabilities_low & NVS_NDIS_CAPABILITY_SRIOV) != 0;
	session->frame_max = config.mtu;
	if (config.mtu < NETVSP_FRAME_STANDARD || config.mtu > nic->frame_limit) {
		NETVSP_VIOLATE(nic, HVH_V_NVS_VALUE, message, sizeof config,
			       "NDIS_CONFIG: MTU %u with the Ethernet header, allowed are %u to %u",
			       config.mtu, NETVSP_FRAME_STANDARD, nic->frame_limit);
		session->frame_max = NETVSP_FRAME_STANDARD;
	}
	netvsp_respond(queue, packet, NULL, 0);
}

/* --- Dispatch ------------------------------------------------------------------------------ */

static const struct nvs_message messages[] = {
	{NVS_TYPE_INIT, "INIT", sizeof(struct nvs_init), 0, ANSWERED, init},
	{NVS_TYPE_NDIS_VERSION, "NDIS_VERSION", sizeof(struct nvs_ndis_version), NVS_VERSION_1, 0,
	 ndis_version},
	{NVS_TYPE_RECEIVE_BUFFER, "RECEIVE_BUFFER", sizeof(struct nvs_buffer), NVS_VERSION_1, ANSWERED,
	 netvsp_receive_buffer},
	{NVS_TYPE_REVOKE_RECEIVE_BUFFER, "REVOKE_RECEIVE_BUFFER", sizeof(struct nvs_revoke_buffer),
	 NVS_VERSION_1, 0, netvsp_revoke_receive},
	{NVS_TYPE_SEND_BUFFER, "SEND_BUFFER", sizeof(struct nvs_buffer), NVS_VERSION_1, ANSWERED,
	 netvsp_send_buffer},
	{NVS_TYPE_REVOKE_SEND_BUFFER, "REVOKE_SEND_BUFFER", sizeof(struct nvs_revoke_buffer), NVS_VERSION_1,
	 0, netvsp_revoke_send},
	{NVS_TYPE_RNDIS, "RNDIS", sizeof(struct nvs_rndis), NVS_VERSION_1, ANSWERED | PAGES, netvsp_rndis},
	{NVS_TYPE_NDIS_CONFIG, "NDIS_CONFIG", sizeof(struct nvs_ndis_config), NVS_VERSION_2, 0, ndis_config},
	{NVS_TYPE_SWITCH_DATA_PATH, "SWITCH_DATA_PATH", sizeof(struct nvs_switch_data_path), NVS_VERSION_4, 0,
	 netvsp_switch_data_path},
	{NVS_TYPE_SUBCHANNEL, "SUBCHANNEL", sizeof(struct nvs_subchannel_request), NVS_VERSION_5, ANSWERED,
	 netvsp_subchannels},
};

static const struct nvs_message *message_find(uint32_t type)
{
	for (size_t i = 0; i < sizeof messages / sizeof messages[0]; i++)
		if (messages[i].type == type)
			return &messages[i];
	return NULL;
}

/* May this message come now, in this kind of packet? */
static bool message_allowed(struct netvsp_queue *queue, const struct hvh_packet *packet, uint32_t type,
			    const struct nvs_message *message)
{
	uint32_t version = queue->nic->session.version;

	if (message == NULL || message->since > version) {
		bool early = message != NULL && version == 0;

		NETVSP_VIOLATE_ON(queue, early ? HVH_V_NVS_ORDER : HVH_V_NVS_TYPE, packet->payload,
				  packet->payload_length, "NVS message %u (%s) %s", type,
				  message != NULL ? message->name : "unknown",
				  early ? "before INIT" : "is none that a guest may send at this version");
		return false;
	}
	if (packet->descriptor.type != VMBUS_PACKET_IN_BAND && (message->flags & PAGES) == 0) {
		NETVSP_VIOLATE_ON(queue, HVH_V_PACKET_TYPE, packet->payload, packet->payload_length,
				  "NVS %s in a packet of type %u: in-band (%u) would be right", message->name,
				  packet->descriptor.type, VMBUS_PACKET_IN_BAND);
		return false;
	}
	if (queue->index > 0 && type != NVS_TYPE_RNDIS) {
		NETVSP_VIOLATE_ON(queue, HVH_V_NVS_TYPE, packet->payload, packet->payload_length,
				  "NVS %s on sub-channel %u: only RNDIS (107) has a place there",
				  message->name, queue->index);
		return false;
	}
	return true;
}

static void check_padding(struct netvsp_queue *queue, const struct hvh_packet *packet,
			  const struct nvs_message *message)
{
	for (uint32_t i = message->size; i < packet->payload_length; i++) {
		if (packet->payload[i] == 0)
			continue;
		NETVSP_VIOLATE_ON(queue, HVH_V_NVS_PADDING, packet->payload, packet->payload_length,
				  "NVS %s: byte %u is 0x%02x, after the message's %u bytes all are zero",
				  message->name, i, packet->payload[i], message->size);
		return;
	}
}

/* A request that is too short: never answered by Windows (FreeBSD); other hosts read what they need. */
static bool long_enough(struct netvsp_queue *queue, const struct hvh_packet *packet)
{
	uint32_t least = NVS_REQUEST_SIZE_MIN;

	if (queue->nic->session.version >= NVS_VERSION_6_1)
		least = NVS_REQUEST_SIZE_6_1;
	if (!hvh_partition_get_profile(queue->nic->partition)->short_nvs_ignored)
		least = (uint32_t)sizeof(struct nvs_revoke_buffer);
	if (packet->payload_length >= least)
		return true;
	NETVSP_VIOLATE_ON(queue, HVH_V_NVS_SIZE, packet->payload, packet->payload_length,
			  "NVS request of %u bytes: at least %u at this version", packet->payload_length,
			  least);
	return false;
}

void netvsp_nvs(struct netvsp_queue *queue, const struct hvh_packet *packet)
{
	uint8_t bytes[NVS_REQUEST_SIZE_6_1] = {0}; /* a short one is read as if it ended in zeros */
	const struct nvs_message *message;
	uint32_t type;

	if (!long_enough(queue, packet))
		return;
	memcpy(bytes, packet->payload,
	       packet->payload_length < sizeof bytes ? packet->payload_length : sizeof bytes);
	memcpy(&type, bytes, sizeof type);
	message = message_find(type);
	if (!message_allowed(queue, packet, type, message)) {
		netvsp_stop(queue);
		return;
	}
	check_padding(queue, packet, message);
	if ((message->flags & ANSWERED) != 0 && !wants_completion(packet))
		NETVSP_VIOLATE_ON(queue, HVH_V_PACKET_FLAGS, packet->payload, packet->payload_length,
				  "NVS %s without a completion requested: there is an answer to it",
				  message->name);
	message->handle(queue, packet, bytes);
}
