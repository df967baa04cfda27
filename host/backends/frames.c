/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "frames.h"

#define TIME_TO_LIVE 64u

uint32_t hvh_checksum_add(uint32_t sum, const uint8_t *bytes, uint32_t length)
{
	uint32_t i;

	for (i = 0; i + 1 < length; i += 2) {
		sum += get16(bytes + i);
		sum = (sum & 0xffff) + (sum >> 16);
	}
	if (i < length)
		sum += (uint32_t)bytes[i] << 8;
	return (sum & 0xffff) + (sum >> 16);
}

uint16_t hvh_checksum_finish(uint32_t sum)
{
	sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

uint32_t hvh_checksum_pseudo(const uint8_t *ip, uint32_t protocol, uint32_t length)
{
	uint8_t rest[4];

	put16(rest, protocol);
	put16(rest + 2, length);
	return hvh_checksum_add(hvh_checksum_add(0, ip + 12, 8), rest, sizeof rest);
}

bool hvh_ipv4_parse(const uint8_t *frame, uint32_t length, struct hvh_ipv4 *ip)
{
	uint32_t total;

	if (length < ETHERNET_HEADER + IPV4_HEADER || get16(frame + 12) != ETHERTYPE_IPV4)
		return false;
	ip->header = frame + ETHERNET_HEADER;
	ip->header_length = (ip->header[0] & 0x0fu) * 4u;
	total = get16(ip->header + 2);
	if (ip->header[0] >> 4 != 4 || ip->header_length < IPV4_HEADER || total < ip->header_length ||
	    total > length - ETHERNET_HEADER)
		return false;
	ip->fragment = get16(ip->header + 6) & IPV4_FRAGMENT_MASK;
	ip->protocol = ip->header[9];
	ip->source = get32(ip->header + 12);
	ip->destination = get32(ip->header + 16);
	ip->payload = ip->header + ip->header_length;
	ip->payload_length = total - ip->header_length;
	return true;
}

uint32_t hvh_ipv4_finish(uint8_t *frame, const uint8_t to[ETHERNET_ADDRESS],
			 const uint8_t from[ETHERNET_ADDRESS], uint32_t source, uint32_t destination,
			 uint32_t protocol, uint32_t payload_length)
{
	uint8_t *ip = frame + ETHERNET_HEADER;

	memcpy(frame, to, ETHERNET_ADDRESS);
	memcpy(frame + ETHERNET_ADDRESS, from, ETHERNET_ADDRESS);
	put16(frame + 12, ETHERTYPE_IPV4);
	memset(ip, 0, IPV4_HEADER);
	ip[0] = 0x45;
	put16(ip + 2, IPV4_HEADER + payload_length);
	ip[8] = TIME_TO_LIVE;
	ip[9] = (uint8_t)protocol;
	put32(ip + 12, source);
	put32(ip + 16, destination);
	put16(ip + 10, hvh_checksum_finish(hvh_checksum_add(0, ip, IPV4_HEADER)));
	return ETHERNET_HEADER + IPV4_HEADER + payload_length;
}
