/* SPDX-License-Identifier: MIT */
/*
 * RNDIS control messages: what the guest asks.
 * Sources: MS-RNDIS, OpenVMM netvsp, FreeBSD hn.
 */
#include <string.h>

#include "netvsp.h"

#define DEVICE_FLAG_CONNECTIONLESS 1u
#define QUERY_INFORMATION_OFFSET (sizeof(struct rndis_query_complete) - RNDIS_OFFSET_BASE)

static uint32_t reply(struct hvh_nic *nic, const void *bytes, uint32_t length)
{
	if (netvsp_control_push(nic, bytes, length))
		return NVS_STATUS_SUCCESS;
	NETVSP_VIOLATE(nic, HVH_V_RNDIS, bytes, length,
		       "more than %u RNDIS control messages without an answer taken", NETVSP_CONTROL_QUEUE);
	return NVS_STATUS_FAILURE;
}

static uint32_t malformed(struct hvh_nic *nic, const uint8_t *bytes, uint32_t length, const char *why)
{
	NETVSP_VIOLATE(nic, HVH_V_RNDIS, bytes, length, "RNDIS control message: %s", why);
	return NVS_STATUS_FAILURE;
}

/* Only INITIALIZE and HALT may come before INITIALIZE. */
static uint32_t state_status(struct hvh_nic *nic, const uint8_t *bytes, uint32_t length)
{
	if (nic->session.initialized)
		return RNDIS_STATUS_SUCCESS;
	NETVSP_VIOLATE(nic, HVH_V_RNDIS_ORDER, bytes, length, "RNDIS control message before INITIALIZE");
	return RNDIS_STATUS_FAILURE;
}

static void initialized(struct hvh_nic *nic)
{
	const struct hvh_profile *profile = hvh_partition_get_profile(nic->partition);

	nic->session.initialized = true;
	nic->session.packets_max = profile->rndis_packets_max;
	nic->session.transfer_max = profile->rndis_transfer_max;
	nic->session.alignment = 1u << profile->rndis_alignment_factor;
	netvsp_offload_start(nic);
	nic->session.link_reported = nic->link_up; /* no indication at the start (OpenVMM) */
	if (profile->filter_set_at_start)
		nic->session.filter = RNDIS_FILTER_DIRECTED | RNDIS_FILTER_BROADCAST |
				      RNDIS_FILTER_ALL_MULTICAST;
	if (profile->status_0x40020006_malformed || profile->nvs_newest >= NVS_VERSION_4)
		netvsp_indicate_offload(nic);
	netvsp_vf_session(nic);
}

static uint32_t initialize(struct hvh_nic *nic, const uint8_t *bytes, uint32_t length)
{
	const struct hvh_profile *profile = hvh_partition_get_profile(nic->partition);
	struct rndis_initialize request;
	struct rndis_initialize_complete answer = {
		.header = {RNDIS_MSG_INITIALIZE | RNDIS_MSG_COMPLETE, sizeof answer},
		.major = 1,
		.device_flags = DEVICE_FLAG_CONNECTIONLESS,
		.max_packets_per_message = profile->rndis_packets_max,
		.max_transfer_size = profile->rndis_transfer_max,
		.packet_alignment_factor = profile->rndis_alignment_factor,
	};
	uint32_t status;

	if (length < sizeof request)
		return malformed(nic, bytes, length, "INITIALIZE has 24 bytes");
	memcpy(&request, bytes, sizeof request);
	if (hvh_silence_get(nic->partition) == HVH_SILENCE_RNDIS_INITIALIZE)
		return NVS_STATUS_SUCCESS;
	answer.request_id = request.request_id;
	if (nic->session.initialized) {
		NETVSP_VIOLATE(nic, HVH_V_RNDIS_ORDER, bytes, length, "RNDIS INITIALIZE twice without HALT");
		answer.status = RNDIS_STATUS_FAILURE;
	} else if (request.major != 1) {
		NETVSP_VIOLATE(nic, HVH_V_RNDIS, bytes, length, "RNDIS version %u.%u: 1.0 would be right",
			       request.major, request.minor);
		answer.status = RNDIS_STATUS_BAD_VERSION;
	}
	status = reply(nic, &answer, sizeof answer);
	if (status == NVS_STATUS_SUCCESS && answer.status == RNDIS_STATUS_SUCCESS)
		initialized(nic);
	return status;
}

/* QUERY's and SET's information: NULL if it is not inside the message. */
static const uint8_t *information(struct hvh_nic *nic, const uint8_t *bytes, uint32_t length,
				  const struct rndis_request *request)
{
	uint32_t body = length - RNDIS_OFFSET_BASE;

	if (request->reserved != 0)
		NETVSP_VIOLATE(nic, HVH_V_RNDIS, bytes, length,
			       "RNDIS OID 0x%08x: the reserved word is 0x%x, not 0", request->oid,
			       request->reserved);
	/* The document has 0 for nothing; Windows fails such a query (FreeBSD). */
	if (request->information_offset == 0 && request->information_length == 0 &&
	    !hvh_partition_get_profile(nic->partition)->information_offset_required)
		return bytes + length;
	if (request->information_offset < RNDIS_REQUEST_INFORMATION_OFFSET ||
	    request->information_offset > body ||
	    request->information_length > body - request->information_offset) {
		NETVSP_VIOLATE(
			nic, HVH_V_RNDIS, bytes, length,
			"RNDIS OID 0x%08x: information of %u bytes at %u; %u is the least, even of nothing",
			request->oid, request->information_length, request->information_offset,
			RNDIS_REQUEST_INFORMATION_OFFSET);
		return NULL;
	}
	return bytes + RNDIS_OFFSET_BASE + request->information_offset;
}

static uint32_t query(struct hvh_nic *nic, const uint8_t *bytes, uint32_t length)
{
	uint8_t message[NETVSP_CONTROL_SIZE] = {0};
	struct rndis_query_complete answer = {.header = {RNDIS_MSG_QUERY | RNDIS_MSG_COMPLETE, 0}};
	struct rndis_request request;
	const uint8_t *input;

	if (length < sizeof request)
		return malformed(nic, bytes, length, "QUERY has 28 bytes or more");
	memcpy(&request, bytes, sizeof request);
	if (hvh_silence_get(nic->partition) == HVH_SILENCE_RNDIS_QUERY)
		return NVS_STATUS_SUCCESS;
	answer.request_id = request.request_id;
	answer.status = state_status(nic, bytes, length);
	input = information(nic, bytes, length, &request);
	if (input == NULL)
		answer.status = RNDIS_STATUS_INVALID_DATA;
	if (answer.status == RNDIS_STATUS_SUCCESS)
		answer.status = netvsp_oid_query(
			nic, request.oid, input, request.information_length, message + sizeof answer,
			(uint32_t)(sizeof message - sizeof answer), &answer.information_length);
	if (answer.status == RNDIS_STATUS_SUCCESS)
		answer.information_offset = QUERY_INFORMATION_OFFSET;
	answer.header.length = (uint32_t)sizeof answer + answer.information_length;
	memcpy(message, &answer, sizeof answer);
	return reply(nic, message, answer.header.length);
}

static uint32_t set(struct hvh_nic *nic, const uint8_t *bytes, uint32_t length)
{
	struct rndis_complete answer = {.header = {RNDIS_MSG_SET | RNDIS_MSG_COMPLETE, sizeof answer}};
	struct rndis_request request;
	const uint8_t *value;
	uint32_t status;

	if (length < sizeof request)
		return malformed(nic, bytes, length, "SET has 28 bytes or more");
	memcpy(&request, bytes, sizeof request);
	if (hvh_silence_get(nic->partition) == HVH_SILENCE_RNDIS_SET)
		return NVS_STATUS_SUCCESS;
	answer.request_id = request.request_id;
	answer.status = state_status(nic, bytes, length);
	value = information(nic, bytes, length, &request);
	if (value == NULL)
		answer.status = RNDIS_STATUS_INVALID_DATA;
	if (answer.status == RNDIS_STATUS_SUCCESS)
		answer.status = netvsp_oid_set(nic, request.oid, value, request.information_length);
	status = reply(nic, &answer, sizeof answer);
	if (answer.status == RNDIS_STATUS_SUCCESS && request.oid == RNDIS_OID_TCP_OFFLOAD_PARAMETERS)
		netvsp_indicate_offload(nic); /* says what it has made of them (OpenVMM) */
	return status;
}

static uint32_t keepalive(struct hvh_nic *nic, const uint8_t *bytes, uint32_t length)
{
	struct rndis_complete answer = {.header = {RNDIS_MSG_KEEPALIVE | RNDIS_MSG_COMPLETE, sizeof answer}};
	struct rndis_keepalive request;

	memcpy(&request, bytes, sizeof request); /* 12 bytes, as every control message */
	answer.request_id = request.request_id;
	answer.status = state_status(nic, bytes, length);
	return reply(nic, &answer, sizeof answer);
}

/* HALT has no reply. */
static uint32_t halt(struct hvh_nic *nic)
{
	nic->session.initialized = false;
	nic->session.filter = 0;
	nic->session.rss.enabled = false;
	netvsp_vf_session(nic);
	nic->session.companion.present = false;
	netvsp_frames_drop(nic, &nic->counters.dropped_filter);
	return NVS_STATUS_SUCCESS;
}

uint32_t netvsp_rndis_control(struct hvh_nic *nic, const uint8_t *bytes, uint32_t length)
{
	struct rndis_header header;

	if (length < sizeof(struct rndis_halt))
		return malformed(nic, bytes, length, "shorter than 12 bytes");
	memcpy(&header, bytes, sizeof header);
	if (header.length < sizeof(struct rndis_halt) || header.length > length)
		return malformed(nic, bytes, length, "its length is not that of what was sent");
	if (header.length < length)
		NETVSP_VIOLATE(nic, HVH_V_RNDIS, bytes, length,
			       "RNDIS message of %u bytes with %u bytes after it", header.length,
			       length - header.length);
	switch (header.type) {
	case RNDIS_MSG_INITIALIZE:
		return initialize(nic, bytes, header.length);
	case RNDIS_MSG_QUERY:
		return query(nic, bytes, header.length);
	case RNDIS_MSG_SET:
		return set(nic, bytes, header.length);
	case RNDIS_MSG_KEEPALIVE:
		return keepalive(nic, bytes, header.length);
	case RNDIS_MSG_HALT:
		return halt(nic);
	default: /* RESET, indications, completions: the worker ends (OpenVMM) */
		NETVSP_VIOLATE(nic, HVH_V_RNDIS, bytes, header.length,
			       "RNDIS message 0x%x is none that a guest sends", header.type);
		netvsp_stop(netvsp_primary(nic));
		return NVS_STATUS_FAILURE;
	}
}
