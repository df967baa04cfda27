/* SPDX-License-Identifier: MIT */
/* Finding headers. RFC 791, 8200, 9293, 768; IEEE 802.1Q. */
#include "headers.h"

#define EXTENSIONS_MAX 8u
#define IPV6_HOP_BY_HOP 0u
#define IPV6_ROUTING 43u
#define IPV6_FRAGMENT 44u
#define IPV6_AUTHENTICATION 51u
#define IPV6_DESTINATION_OPTIONS 60u
#define IPV6_ADDRESS 16u
#define FRAGMENT_HEADER 8u
#define FRAGMENT_MASK_4 0x3fffu /* more to follow, and the offset */
#define FRAGMENT_MASK_6 0xfff9u
#define OPTION_PAD1 0u
#define OPTION_HOME_ADDRESS 0xc9u
#define ROUTING_SOURCE 0u
#define ROUTING_MOBILE 2u
#define ROUTING_SEGMENTS 4u

static bool find_ipv4(const uint8_t *frame, uint32_t length, bool unset_length,
		      struct netvsp_headers *headers)
{
	const uint8_t *ip = frame + headers->ip;
	uint32_t left = length - headers->ip, header, total;

	if (left < IPV4_HEADER || ip[0] >> 4 != 4)
		return false;
	header = (ip[0] & 0xfu) * 4;
	total = netvsp_get16(ip + IPV4_LENGTH_AT);
	if (total == 0 && unset_length)
		total = left;
	if (header < IPV4_HEADER || header > total || total > left)
		return false;
	headers->version = 4;
	headers->protocol = ip[9];
	headers->extended = header > IPV4_HEADER;
	headers->fragment = (netvsp_get16(ip + IPV4_FRAGMENT_AT) & FRAGMENT_MASK_4) != 0;
	headers->source = headers->ip + IPV4_SOURCE_AT;
	headers->destination = headers->ip + IPV4_DESTINATION_AT;
	headers->transport = headers->ip + header;
	headers->end = headers->ip + total;
	return true;
}

/* The packet's last destination is what the pseudo-header has. */
static void routing(const uint8_t *frame, uint32_t at, uint32_t size, struct netvsp_headers *headers)
{
	uint32_t type = frame[at + 2], segments_left = frame[at + 3];

	if (segments_left == 0 || size < 8 + IPV6_ADDRESS)
		return;
	if (type == ROUTING_SEGMENTS) /* the list is the wrong way round (RFC 8754) */
		headers->destination = at + 8;
	else if (type == ROUTING_SOURCE || type == ROUTING_MOBILE)
		headers->destination = at + size - IPV6_ADDRESS;
}

/* A mobile node's packet counts as from its home address (RFC 6275). */
static void home_address(const uint8_t *frame, uint32_t at, uint32_t size, struct netvsp_headers *headers)
{
	uint32_t end = at + size;

	for (at += 2; at < end;) {
		uint32_t option;

		if (frame[at] == OPTION_PAD1) {
			at++;
			continue;
		}
		if (end - at < 2)
			return;
		option = 2u + frame[at + 1];
		if (option > end - at)
			return;
		if (frame[at] == OPTION_HOME_ADDRESS && option == 2 + IPV6_ADDRESS)
			headers->source = at + 2;
		at += option;
	}
}

/* Bytes of the extension header at this offset; 0 if it is none, or cut. */
static uint32_t extension(const uint8_t *frame, uint32_t at, struct netvsp_headers *headers)
{
	uint32_t left = headers->end - at, size;

	if (headers->protocol == IPV6_FRAGMENT) {
		if (left < FRAGMENT_HEADER)
			return 0;
		headers->fragment = (netvsp_get16(frame + at + 2) & FRAGMENT_MASK_6) != 0;
		return FRAGMENT_HEADER;
	}
	if (left < 8)
		return 0;
	switch (headers->protocol) {
	case IPV6_AUTHENTICATION:
		size = (frame[at + 1] + 2u) * 4;
		return size <= left ? size : 0;
	case IPV6_HOP_BY_HOP:
	case IPV6_ROUTING:
	case IPV6_DESTINATION_OPTIONS:
		size = (frame[at + 1] + 1u) * 8;
		if (size > left)
			return 0;
		if (headers->protocol == IPV6_ROUTING)
			routing(frame, at, size, headers);
		if (headers->protocol == IPV6_DESTINATION_OPTIONS)
			home_address(frame, at, size, headers);
		return size;
	default:
		return 0;
	}
}

static bool find_ipv6(const uint8_t *frame, uint32_t length, bool unset_length,
		      struct netvsp_headers *headers)
{
	const uint8_t *ip = frame + headers->ip;
	uint32_t left = length - headers->ip, payload, at = headers->ip + IPV6_HEADER;

	if (left < IPV6_HEADER || ip[0] >> 4 != 6)
		return false;
	payload = netvsp_get16(ip + IPV6_LENGTH_AT);
	if (payload == 0 && unset_length)
		payload = left - IPV6_HEADER;
	if (payload > left - IPV6_HEADER)
		return false;
	headers->version = 6;
	headers->protocol = ip[6];
	headers->source = headers->ip + IPV6_SOURCE_AT;
	headers->destination = headers->ip + IPV6_DESTINATION_AT;
	headers->end = at + payload;
	for (uint32_t n = 0; n < EXTENSIONS_MAX && !headers->fragment; n++) {
		uint32_t size = extension(frame, at, headers);

		if (size == 0)
			break;
		headers->extended = true;
		headers->protocol = frame[at];
		at += size;
	}
	headers->transport = at;
	return true;
}

/* Leaves transport and payload 0 if there is nothing that could be summed. */
static void find_transport(const uint8_t *frame, struct netvsp_headers *headers)
{
	const uint8_t *at = frame + headers->transport;
	uint32_t left = headers->end - headers->transport, size = 0;

	if (!headers->fragment && headers->protocol == IP_PROTOCOL_TCP && left >= TCP_HEADER)
		size = (uint32_t)(at[12] >> 4) * 4;
	else if (!headers->fragment && headers->protocol == IP_PROTOCOL_UDP && left >= UDP_HEADER &&
		 netvsp_get16(at + UDP_LENGTH_AT) == left)
		size = UDP_HEADER;
	if (size > left || (headers->protocol == IP_PROTOCOL_TCP && size < TCP_HEADER))
		size = 0;
	headers->payload = size == 0 ? 0 : headers->transport + size;
	if (size == 0)
		headers->transport = 0;
}

bool netvsp_headers_find(const uint8_t *frame, uint32_t length, bool unset_length,
			 struct netvsp_headers *headers)
{
	uint32_t at = ETHERNET_TYPE_AT, type;
	bool found = false;

	*headers = (struct netvsp_headers){0};
	if (length < ETHERNET_HEADER)
		return false;
	type = netvsp_get16(frame + at);
	if (type == ETHERTYPE_VLAN) {
		if (length < ETHERNET_HEADER + ETHERNET_TAG)
			return false;
		headers->tagged = true;
		at += ETHERNET_TAG;
		type = netvsp_get16(frame + at);
	}
	headers->ip = at + 2;
	if (type == ETHERTYPE_IPV4)
		found = find_ipv4(frame, length, unset_length, headers);
	else if (type == ETHERTYPE_IPV6)
		found = find_ipv6(frame, length, unset_length, headers);
	if (found)
		find_transport(frame, headers);
	else
		*headers = (struct netvsp_headers){.tagged = headers->tagged};
	return found;
}
