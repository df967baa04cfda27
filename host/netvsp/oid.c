/* SPDX-License-Identifier: MIT */
/*
 * Object identifiers: what the card says of itself, and what can be set. One table.
 * Sources: OpenVMM netvsp (which are answered, and how), NDIS headers as FreeBSD's
 * ndis.h gives them (layouts).
 */
#include <string.h>

#include "netvsp.h"

#define OID_GEN_MAXIMUM_LOOKAHEAD 0x00010105u
#define OID_GEN_TRANSMIT_BUFFER_SPACE 0x00010108u
#define OID_GEN_RECEIVE_BUFFER_SPACE 0x00010109u
#define OID_GEN_TRANSMIT_BLOCK_SIZE 0x0001010au
#define OID_GEN_RECEIVE_BLOCK_SIZE 0x0001010bu
#define OID_GEN_VENDOR_ID 0x0001010cu
#define OID_GEN_CURRENT_LOOKAHEAD 0x0001010fu
#define OID_GEN_DRIVER_VERSION 0x00010110u
#define OID_GEN_MAC_OPTIONS 0x00010113u
#define OID_GEN_MAXIMUM_SEND_PACKETS 0x00010115u
#define OID_GEN_VENDOR_DRIVER_VERSION 0x00010116u
#define OID_GEN_NETWORK_LAYER_ADDRESSES 0x00010118u
#define OID_GEN_MAX_LINK_SPEED 0x00010206u
#define OID_GEN_LINK_STATE 0x00010207u
#define OID_GEN_RNDIS_CONFIG_PARAMETER 0x0001021bu
#define OID_GEN_XMIT_OK 0x00020101u
#define OID_GEN_RCV_OK 0x00020102u
#define OID_GEN_XMIT_ERROR 0x00020103u
#define OID_GEN_RCV_ERROR 0x00020104u
#define OID_GEN_RCV_NO_BUFFER 0x00020105u
#define OID_802_3_RCV_ERROR_ALIGNMENT 0x01020101u
#define OID_802_3_XMIT_ONE_COLLISION 0x01020102u
#define OID_802_3_XMIT_MORE_COLLISIONS 0x01020103u

#define SPEED_UNIT 100u /* bit/s */
#define BUFFER_SPACE (256u * 1024u)
#define VENDOR_ID 0x155du /* Microsoft's part of an Ethernet address */
#define DRIVER_VERSION 0x0600u
#define MAC_OPTIONS 0x0du /* copies lookahead data, no pending transfers, no loopback */
#define FILTER_BITS 0x0fffu

struct ndis_link_state {
	struct ndis_object_header header;
	uint32_t media_connect; /* 1 connected, 2 not */
	uint32_t duplex;        /* 2 full */
	uint32_t reserved;
	uint64_t transmit_speed;
	uint64_t receive_speed;
	uint32_t pause;
	uint32_t negotiation;
};
HVK_WIRE_SIZE(struct ndis_link_state, 40);

/* --- Answers longer than a number ------------------------------------------------------ */

static uint32_t link_state(const struct hvh_nic *nic, uint8_t *to)
{
	struct ndis_link_state state = {.header = {NDIS_OBJECT_DEFAULT, 1, sizeof state},
					.media_connect = nic->link_up ? 1 : 2,
					.duplex = 2,
					.transmit_speed = nic->link_speed,
					.receive_speed = nic->link_speed};

	memcpy(to, &state, sizeof state);
	return sizeof state;
}

static uint32_t text(uint8_t *to, const char *from, bool wide)
{
	uint32_t length = 0;

	for (; *from != '\0'; from++) {
		to[length++] = (uint8_t)*from;
		if (wide)
			to[length++] = 0;
	}
	if (!wide)
		to[length++] = 0;
	return length;
}

/* --- The table --------------------------------------------------------------------------- */

enum access { QUERY = 1, SET = 2, KNOWN = 4 /* to other hosts: refused, no violation */ };

static const struct {
	uint32_t oid;
	uint32_t access;
} oids[] = {
	{RNDIS_OID_GEN_SUPPORTED_LIST, QUERY},
	{RNDIS_OID_GEN_HARDWARE_STATUS, QUERY},
	{RNDIS_OID_GEN_MEDIA_SUPPORTED, QUERY},
	{RNDIS_OID_GEN_MEDIA_IN_USE, QUERY},
	{OID_GEN_MAXIMUM_LOOKAHEAD, QUERY},
	{RNDIS_OID_GEN_MAXIMUM_FRAME_SIZE, QUERY},
	{RNDIS_OID_GEN_LINK_SPEED, QUERY},
	{OID_GEN_TRANSMIT_BUFFER_SPACE, QUERY},
	{OID_GEN_RECEIVE_BUFFER_SPACE, QUERY},
	{OID_GEN_TRANSMIT_BLOCK_SIZE, QUERY},
	{OID_GEN_RECEIVE_BLOCK_SIZE, QUERY},
	{OID_GEN_VENDOR_ID, QUERY},
	{RNDIS_OID_GEN_VENDOR_DESCRIPTION, QUERY},
	{RNDIS_OID_GEN_CURRENT_PACKET_FILTER, QUERY | SET},
	{OID_GEN_CURRENT_LOOKAHEAD, QUERY},
	{OID_GEN_DRIVER_VERSION, QUERY},
	{RNDIS_OID_GEN_MAXIMUM_TOTAL_SIZE, QUERY},
	{OID_GEN_MAC_OPTIONS, QUERY},
	{RNDIS_OID_GEN_MEDIA_CONNECT_STATUS, QUERY},
	{OID_GEN_MAXIMUM_SEND_PACKETS, QUERY},
	{OID_GEN_VENDOR_DRIVER_VERSION, QUERY},
	{OID_GEN_NETWORK_LAYER_ADDRESSES, SET},
	{RNDIS_OID_GEN_RECEIVE_SCALE_CAPABILITIES, QUERY},
	{RNDIS_OID_GEN_RECEIVE_SCALE_PARAMETERS, SET | KNOWN},
	{OID_GEN_MAX_LINK_SPEED, QUERY},
	{OID_GEN_LINK_STATE, QUERY},
	{OID_GEN_RNDIS_CONFIG_PARAMETER, SET},
	{OID_GEN_XMIT_OK, QUERY},
	{OID_GEN_RCV_OK, QUERY},
	{OID_GEN_XMIT_ERROR, QUERY},
	{OID_GEN_RCV_ERROR, QUERY},
	{OID_GEN_RCV_NO_BUFFER, QUERY},
	{RNDIS_OID_GEN_FRIENDLY_NAME, QUERY},
	{RNDIS_OID_802_3_PERMANENT_ADDRESS, QUERY},
	{RNDIS_OID_802_3_CURRENT_ADDRESS, QUERY},
	{RNDIS_OID_802_3_MULTICAST_LIST, KNOWN},
	{RNDIS_OID_802_3_MAXIMUM_LIST_SIZE, QUERY},
	{RNDIS_OID_OFFLOAD_ENCAPSULATION, QUERY | SET},
	{OID_802_3_RCV_ERROR_ALIGNMENT, QUERY},
	{OID_802_3_XMIT_ONE_COLLISION, QUERY},
	{OID_802_3_XMIT_MORE_COLLISIONS, QUERY},
	{RNDIS_OID_TCP_OFFLOAD_CURRENT_CONFIG, QUERY},
	{RNDIS_OID_TCP_OFFLOAD_PARAMETERS, SET},
	{RNDIS_OID_TCP_OFFLOAD_HARDWARE_CAPABILITIES, QUERY},
};
#define OID_COUNT (sizeof oids / sizeof oids[0])

static uint32_t access_status(struct hvh_nic *nic, uint32_t oid, uint32_t wanted)
{
	for (size_t i = 0; i < OID_COUNT; i++) {
		if (oids[i].oid != oid)
			continue;
		if ((oids[i].access & wanted) != 0)
			return RNDIS_STATUS_SUCCESS;
		if ((oids[i].access & KNOWN) != 0)
			return RNDIS_STATUS_NOT_SUPPORTED;
		break;
	}
	NETVSP_VIOLATE(nic, HVH_V_RNDIS_OID, &oid, sizeof oid, "OID 0x%08x is none that can be %s", oid,
		       wanted == QUERY ? "queried" : "set");
	return RNDIS_STATUS_NOT_SUPPORTED;
}

/* --- Query ---------------------------------------------------------------------------------- */

static uint32_t supported_list(uint8_t *to)
{
	uint32_t length = 0;

	for (size_t i = 0; i < OID_COUNT; i++) {
		if (oids[i].access == KNOWN)
			continue;
		memcpy(to + length, &oids[i].oid, sizeof oids[i].oid);
		length += (uint32_t)sizeof oids[i].oid;
	}
	return length;
}

static uint32_t link_speed(const struct hvh_nic *nic)
{
	uint64_t speed = nic->link_speed / SPEED_UNIT;

	return speed < UINT32_MAX ? (uint32_t)speed : UINT32_MAX;
}

/* Those that are one number of 32 bits. */
static uint32_t number(const struct hvh_nic *nic, uint32_t oid)
{
	uint32_t frame_max = nic->session.frame_max;

	switch (oid) {
	case OID_GEN_MAXIMUM_LOOKAHEAD:
	case OID_GEN_CURRENT_LOOKAHEAD:
	case OID_GEN_TRANSMIT_BLOCK_SIZE:
	case OID_GEN_RECEIVE_BLOCK_SIZE:
	case RNDIS_OID_GEN_MAXIMUM_TOTAL_SIZE:
		return frame_max;
	case RNDIS_OID_GEN_MAXIMUM_FRAME_SIZE:
		return frame_max - NETVSP_ETHERNET_HEADER;
	case RNDIS_OID_GEN_LINK_SPEED:
		return link_speed(nic);
	case OID_GEN_TRANSMIT_BUFFER_SPACE:
	case OID_GEN_RECEIVE_BUFFER_SPACE:
		return BUFFER_SPACE;
	case OID_GEN_VENDOR_ID:
		return VENDOR_ID;
	case OID_GEN_DRIVER_VERSION:
	case OID_GEN_VENDOR_DRIVER_VERSION:
		return DRIVER_VERSION;
	case RNDIS_OID_GEN_CURRENT_PACKET_FILTER:
		return nic->session.filter;
	case OID_GEN_MAC_OPTIONS:
		return MAC_OPTIONS;
	case RNDIS_OID_GEN_MEDIA_CONNECT_STATUS:
		return nic->link_up ? 0 : 1;
	case OID_GEN_MAXIMUM_SEND_PACKETS:
		return nic->session.packets_max;
	case OID_GEN_XMIT_OK:
		return (uint32_t)nic->counters.from_guest_frames;
	case OID_GEN_RCV_OK:
		return (uint32_t)nic->counters.to_guest_frames;
	case OID_GEN_RCV_NO_BUFFER:
		return (uint32_t)nic->counters.dropped_queue;
	default: /* hardware status ready, medium 802.3, errors and lists: 0 */
		return 0;
	}
}

uint32_t netvsp_oid_query(struct hvh_nic *nic, uint32_t oid, const uint8_t *input, uint32_t input_length,
			  uint8_t *answer, uint32_t room, uint32_t *length)
{
	const uint64_t speeds[] = {nic->link_speed, nic->link_speed};
	uint32_t status = access_status(nic, oid, QUERY);
	uint32_t value;

	(void)input; /* an offload query's says which revision is known: its length says it too */
	if (status != RNDIS_STATUS_SUCCESS)
		return status;
	switch (oid) {
	case RNDIS_OID_GEN_SUPPORTED_LIST:
		*length = supported_list(answer);
		break;
	case RNDIS_OID_GEN_VENDOR_DESCRIPTION:
		*length = text(answer, "hvkit host model", false);
		break;
	case RNDIS_OID_GEN_FRIENDLY_NAME:
		*length = text(answer, "Network Adapter", true);
		break;
	case RNDIS_OID_802_3_PERMANENT_ADDRESS:
	case RNDIS_OID_802_3_CURRENT_ADDRESS:
		memcpy(answer, nic->mac, sizeof nic->mac);
		*length = sizeof nic->mac;
		break;
	case OID_GEN_MAX_LINK_SPEED:
		memcpy(answer, speeds, sizeof speeds);
		*length = sizeof speeds;
		break;
	case OID_GEN_LINK_STATE:
		*length = link_state(nic, answer);
		break;
	case RNDIS_OID_GEN_RECEIVE_SCALE_CAPABILITIES:
		*length = netvsp_rss_query(nic, answer, room);
		break;
	case RNDIS_OID_TCP_OFFLOAD_HARDWARE_CAPABILITIES:
	case RNDIS_OID_TCP_OFFLOAD_CURRENT_CONFIG:
		if (input_length > 0 && input_length < room)
			room = input_length;
		*length = netvsp_offload_query(nic, oid == RNDIS_OID_TCP_OFFLOAD_CURRENT_CONFIG, answer,
					       room);
		return *length > 0 ? RNDIS_STATUS_SUCCESS : RNDIS_STATUS_INVALID_DATA;
	default:
		value = number(nic, oid);
		memcpy(answer, &value, sizeof value);
		*length = sizeof value;
		break;
	}
	return RNDIS_STATUS_SUCCESS;
}

/* --- Set -------------------------------------------------------------------------------------- */

static uint32_t set_filter(struct hvh_nic *nic, const uint8_t *value, uint32_t length)
{
	uint32_t filter;

	if (length != sizeof filter) {
		NETVSP_VIOLATE(nic, HVH_V_RNDIS, value, length, "packet filter of %u bytes: 4 would be right",
			       length);
		return RNDIS_STATUS_INVALID_DATA;
	}
	memcpy(&filter, value, sizeof filter);
	if ((filter & ~FILTER_BITS) != 0) {
		NETVSP_VIOLATE(nic, HVH_V_RNDIS, value, length, "packet filter 0x%x has unknown bits",
			       filter);
		return RNDIS_STATUS_INVALID_DATA;
	}
	nic->session.filter = filter;
	if (filter == 0)
		netvsp_frames_drop(nic, &nic->counters.dropped_filter);
	return RNDIS_STATUS_SUCCESS;
}

uint32_t netvsp_oid_set(struct hvh_nic *nic, uint32_t oid, const uint8_t *value, uint32_t length)
{
	uint32_t status = access_status(nic, oid, SET);

	if (status != RNDIS_STATUS_SUCCESS)
		return status;
	switch (oid) {
	case RNDIS_OID_GEN_CURRENT_PACKET_FILTER:
		return set_filter(nic, value, length);
	case RNDIS_OID_TCP_OFFLOAD_PARAMETERS:
		return netvsp_offload_parameters(nic, value, length);
	case RNDIS_OID_GEN_RECEIVE_SCALE_PARAMETERS:
		return netvsp_rss_parameters(nic, value, length);
	default: /* configuration parameters, encapsulation: nothing depends on them */
		return RNDIS_STATUS_SUCCESS;
	}
}
