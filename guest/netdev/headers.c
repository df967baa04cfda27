/* SPDX-License-Identifier: MIT */
#include "guest/netdev/headers.h"

#include "guest/netdev/checksum.h"
#include "guest/netdev/frame.h"

#define ETHERNET_TYPE 12u
#define TYPE_VLAN 0x8100u
#define IPV4_HEADER 20u
#define IPV4_LENGTH 2u
#define IPV4_FRAGMENT 6u
#define IPV4_DONT_FRAGMENT 0x4000u
#define IPV4_FRAGMENT_BITS 0x3fffu /* more fragments, and the offset */
#define IPV4_PROTOCOL 9u
#define IPV4_CHECKSUM 10u
#define IPV4_ADDRESSES 12u
#define IPV6_HEADER 40u
#define IPV6_LENGTH 4u
#define IPV6_NEXT 6u
#define IPV6_ADDRESSES 8u
#define IPV6_HOP_BY_HOP 0u
#define IPV6_ROUTING 43u
#define IPV6_ROUTING_LEFT 3u
#define IPV6_FRAGMENT 44u
#define IPV6_DESTINATION 60u
#define EXTENSION_MIN 8u /* bytes, and the unit of their lengths */
#define TCP_HEADER 20u
#define TCP_DATA_OFFSET 12u
#define TCP_CHECKSUM 16u
#define UDP_HEADER 8u
#define UDP_CHECKSUM 6u

static uint32_t get16(const struct hvk_headers *headers, uint32_t at)
{
	return (uint32_t)headers->bytes[at] << 8 | headers->bytes[at + 1];
}

static void put16(struct hvk_headers *headers, uint32_t at, uint32_t value)
{
	headers->bytes[at] = (uint8_t)(value >> 8);
	headers->bytes[at + 1] = (uint8_t)value;
}

bool hvk_headers_copy(const struct hvk_tx_frame *frame, struct hvk_headers *headers)
{
	uint32_t wanted = hvk_min32(frame->length, HVK_HEADERS_MAX), length = 0;

	for (uint32_t i = 0; i < frame->piece_count && length < wanted; i++) {
		uint32_t part = hvk_min32(frame->pieces[i].length, wanted - length);

		if (part != 0 && !frame->pieces[i].address)
			break; /* headers may end before it */
		if (part != 0)
			memcpy(headers->bytes + length, frame->pieces[i].address, part);
		length += part;
	}
	headers->length = length;
	headers->network = headers->transport = headers->payload = 0;
	headers->ipv6 = false;
	headers->protocol = 0;
	return length >= HVK_ETHERNET_HEADER;
}

/* --- Finding ---------------------------------------------------------------------------- */

/* What comes behind the IP header: its protocol, and where. */
static bool find_ipv4(struct hvk_headers *headers, uint32_t *protocol, uint32_t *behind)
{
	uint32_t at = headers->network, size;

	if (!hvk_fits(at, IPV4_HEADER, headers->length) || headers->bytes[at] >> 4 != 4)
		return false;
	size = (headers->bytes[at] & 0xfu) * 4u;
	if (size < IPV4_HEADER || !hvk_fits(at, size, headers->length))
		return false;
	*protocol = headers->bytes[at + IPV4_PROTOCOL];
	*behind = at + size;
	return true;
}

static bool is_extension(uint32_t type)
{
	return type == IPV6_HOP_BY_HOP || type == IPV6_ROUTING || type == IPV6_DESTINATION;
}

static bool find_ipv6(struct hvk_headers *headers, uint32_t *protocol, uint32_t *behind)
{
	uint32_t at = headers->network;

	if (!hvk_fits(at, IPV6_HEADER, headers->length) || headers->bytes[at] >> 4 != 6)
		return false;
	headers->ipv6 = true;
	*protocol = headers->bytes[at + IPV6_NEXT];
	*behind = at + IPV6_HEADER;
	for (uint32_t i = 0; i < HVK_IP_EXTENSIONS_MAX && is_extension(*protocol); i++) {
		if (!hvk_fits(*behind, EXTENSION_MIN, headers->length))
			return false;
		/* The sum is over the last destination, which is not in the header then. */
		if (*protocol == IPV6_ROUTING && headers->bytes[*behind + IPV6_ROUTING_LEFT] != 0)
			return false;
		*protocol = headers->bytes[*behind];
		*behind += (headers->bytes[*behind + 1] + 1u) * EXTENSION_MIN;
	}
	return true;
}

/* Where TCP or UDP begins, if it is not contradicted: found is what lies behind the headers that we know.
 * Whoever says where it is may have others of IPv6 before it, but none that makes it a fragment. 0: not
 * there. */
static uint32_t place_of(const struct hvk_headers *headers, uint32_t said, uint32_t found, uint32_t behind)
{
	if (found == headers->protocol)
		return said == 0 || said == behind ? behind : 0;
	if (!headers->ipv6 || is_extension(found) || found == IPV6_FRAGMENT)
		return 0;
	return said >= behind + EXTENSION_MIN ? said : 0;
}

static bool find_transport(struct hvk_headers *headers, uint32_t at)
{
	uint32_t size = UDP_HEADER;

	headers->transport = at;
	if (headers->protocol == HVK_IP_TCP) {
		if (!hvk_fits(at, TCP_HEADER, headers->length))
			return false;
		size = (uint32_t)(headers->bytes[at + TCP_DATA_OFFSET] >> 4) * 4u;
		if (size < TCP_HEADER)
			return false;
	}
	if (!hvk_fits(at, size, headers->length))
		return false;
	headers->payload = at + size;
	return true;
}

static bool is_ipv4_fragment(const struct hvk_headers *headers)
{
	return !headers->ipv6 && (get16(headers, headers->network + IPV4_FRAGMENT) & IPV4_FRAGMENT_BITS) != 0;
}

bool hvk_headers_find(const struct hvk_tx_frame *frame, struct hvk_headers *headers)
{
	uint32_t wanted = frame->flags & (HVK_TX_CHECKSUM_TCP | HVK_TX_CHECKSUM_UDP | HVK_TX_TSO);
	uint32_t protocol, behind;

	headers->network = frame->network_offset;
	if (headers->network == 0) {
		headers->network = HVK_ETHERNET_HEADER;
		if (headers->length >= HVK_ETHERNET_HEADER && get16(headers, ETHERNET_TYPE) == TYPE_VLAN)
			headers->network += HVK_ETHERNET_VLAN_TAG;
	}
	if (headers->network < HVK_ETHERNET_HEADER)
		return false;
	if (!find_ipv4(headers, &protocol, &behind) && !find_ipv6(headers, &protocol, &behind))
		return false;
	if (headers->ipv6 && (frame->flags & HVK_TX_CHECKSUM_IPV4))
		return false;
	headers->payload = behind;
	if (wanted != 0) {
		if ((wanted & HVK_TX_CHECKSUM_UDP) && wanted != HVK_TX_CHECKSUM_UDP)
			return false;
		headers->protocol = wanted & HVK_TX_CHECKSUM_UDP ? HVK_IP_UDP : HVK_IP_TCP;
		behind = place_of(headers, frame->transport_offset, protocol, behind);
		if (behind == 0 || is_ipv4_fragment(headers) || !find_transport(headers, behind))
			return false;
	}
	headers->length = headers->payload;
	return true;
}

uint32_t hvk_headers_transport_length(const struct hvk_headers *headers, uint32_t frame_length)
{
	uint32_t network = headers->network;
	uint32_t end = headers->ipv6 ? network + IPV6_HEADER + get16(headers, network + IPV6_LENGTH)
				     : network + get16(headers, network + IPV4_LENGTH);

	if (end > frame_length || end < headers->payload)
		return 0;
	return end - headers->transport;
}

bool hvk_headers_may_not_be_cut(const struct hvk_headers *headers)
{
	return !headers->ipv6 && (get16(headers, headers->network + IPV4_FRAGMENT) & IPV4_DONT_FRAGMENT) != 0;
}

/* --- Changing --------------------------------------------------------------------------- */

void hvk_headers_insert_tag(struct hvk_headers *headers, uint16_t tag)
{
	memmove(headers->bytes + ETHERNET_TYPE + HVK_HEADERS_TAG, headers->bytes + ETHERNET_TYPE,
		headers->length - ETHERNET_TYPE);
	put16(headers, ETHERNET_TYPE, TYPE_VLAN);
	put16(headers, ETHERNET_TYPE + 2, tag);
	headers->length += HVK_HEADERS_TAG;
	headers->network += HVK_HEADERS_TAG;
	if (headers->transport != 0) /* 0: nobody looked for it */
		headers->transport += HVK_HEADERS_TAG;
	headers->payload += HVK_HEADERS_TAG;
}

void hvk_headers_set_length(struct hvk_headers *headers, uint32_t transport_length)
{
	uint32_t network = headers->network;

	if (transport_length != 0)
		transport_length += headers->transport - network - (headers->ipv6 ? IPV6_HEADER : 0);
	put16(headers, network + (headers->ipv6 ? IPV6_LENGTH : IPV4_LENGTH), transport_length);
}

void hvk_headers_set_checksum(struct hvk_headers *headers, uint16_t checksum)
{
	uint32_t field = headers->protocol == HVK_IP_UDP ? UDP_CHECKSUM : TCP_CHECKSUM;

	memcpy(headers->bytes + headers->transport + field, &checksum, sizeof(checksum));
}

uint16_t hvk_headers_pseudo(const struct hvk_headers *headers, uint32_t transport_length)
{
	const uint8_t *ip = headers->bytes + headers->network;

	if (headers->ipv6)
		return hvk_checksum_pseudo(ip + IPV6_ADDRESSES, 32, headers->protocol, transport_length);
	return hvk_checksum_pseudo(ip + IPV4_ADDRESSES, 8, headers->protocol, transport_length);
}

void hvk_headers_clear_ipv4_checksum(struct hvk_headers *headers)
{
	put16(headers, headers->network + IPV4_CHECKSUM, 0);
}

void hvk_headers_compute_ipv4_checksum(struct hvk_headers *headers)
{
	uint8_t *ip = headers->bytes + headers->network;
	uint16_t checksum;

	hvk_headers_clear_ipv4_checksum(headers);
	checksum = (uint16_t)~hvk_checksum_sum(ip, (ip[0] & 0xfu) * 4u);
	memcpy(ip + IPV4_CHECKSUM, &checksum, sizeof(checksum));
}

bool hvk_headers_compute_checksum(struct hvk_headers *headers, const struct hvk_tx_frame *frame,
				  uint32_t skip, uint32_t transport_length)
{
	uint32_t in_headers = headers->payload - headers->transport;
	uint32_t left = transport_length - in_headers, sum = hvk_headers_pseudo(headers, transport_length);
	bool odd = false; /* headers have an even number of bytes */
	uint16_t checksum;

	hvk_headers_set_checksum(headers, 0);
	sum += hvk_checksum_sum(headers->bytes + headers->transport, in_headers);
	for (uint32_t i = 0; i < frame->piece_count && left != 0; i++) {
		const struct hvk_buffer *piece = &frame->pieces[i];
		uint32_t from = hvk_min32(skip, piece->length);
		uint32_t length = hvk_min32(piece->length - from, left);

		skip -= from;
		left -= length;
		if (length == 0)
			continue;
		if (!piece->address)
			return false;
		sum = hvk_checksum_add(sum, hvk_checksum_sum((const uint8_t *)piece->address + from, length),
				       odd);
		odd ^= length & 1u;
	}
	checksum = (uint16_t)~hvk_checksum_fold(sum);
	if (headers->protocol == HVK_IP_UDP && checksum == 0)
		checksum = 0xffff; /* 0 says that there is none */
	hvk_headers_set_checksum(headers, checksum);
	return true;
}
