/* SPDX-License-Identifier: MIT */
/*
 * What the simulated wire's peer answers: ARP, ICMP echo, DHCP, and an echo of its own.
 */
#include <string.h>

#include "simwire.h"

#define ARP_SIZE 28u
#define ARP_REQUEST 1u
#define ARP_REPLY 2u
#define ICMP_HEADER 8u
#define ICMP_ECHO_REPLY 0u
#define ICMP_ECHO 8u

static const uint8_t peer_mac[] = SIMWIRE_PEER_MAC;

static uint32_t arp(const uint8_t *frame, uint32_t length, uint8_t *answer)
{
	static const uint8_t request[] = {0, 1, 8, 0, 6, 4, 0, ARP_REQUEST};
	const uint8_t *asked = frame + ETHERNET_HEADER;
	uint8_t *told = answer + ETHERNET_HEADER;

	if (length < ETHERNET_HEADER + ARP_SIZE || memcmp(asked, request, sizeof request) != 0 ||
	    get32(asked + 24) != SIMWIRE_PEER)
		return 0;
	memcpy(answer, asked + 8, ETHERNET_ADDRESS);
	memcpy(answer + ETHERNET_ADDRESS, peer_mac, sizeof peer_mac);
	put16(answer + 12, ETHERTYPE_ARP);
	memcpy(told, request, sizeof request);
	put16(told + 6, ARP_REPLY);
	memcpy(told + 8, peer_mac, sizeof peer_mac);
	put32(told + 14, SIMWIRE_PEER);
	memcpy(told + 18, asked + 8, ETHERNET_ADDRESS + 4);
	return ETHERNET_HEADER + ARP_SIZE;
}

static uint32_t icmp(const uint8_t *frame, const struct hvh_ipv4 *ip, uint8_t *answer)
{
	uint8_t *told = answer + ETHERNET_HEADER + IPV4_HEADER;

	if (ip->destination != SIMWIRE_PEER || ip->payload_length < ICMP_HEADER ||
	    ip->payload[0] != ICMP_ECHO || ip->payload[1] != 0 ||
	    hvh_checksum_finish(hvh_checksum_add(0, ip->payload, ip->payload_length)) != 0)
		return 0;
	memcpy(told, ip->payload, ip->payload_length);
	told[0] = ICMP_ECHO_REPLY;
	put16(told + 2, 0);
	put16(told + 2, hvh_checksum_finish(hvh_checksum_add(0, told, ip->payload_length)));
	return hvh_ipv4_finish(answer, frame + ETHERNET_ADDRESS, peer_mac, SIMWIRE_PEER, ip->source,
			       IPV4_PROTOCOL_ICMP, ip->payload_length);
}

static uint32_t udp(const struct hvh_ipv4 *ip, uint8_t *answer)
{
	uint32_t length;

	if (ip->payload_length < UDP_HEADER || get16(ip->payload + 2) != DHCP_SERVER_PORT ||
	    (ip->destination != SIMWIRE_PEER && ip->destination != 0xffffffffu))
		return 0;
	length = get16(ip->payload + 4);
	if (length < UDP_HEADER || length > ip->payload_length)
		return 0;
	if (get16(ip->payload + 6) != 0 &&
	    hvh_checksum_finish(hvh_checksum_add(hvh_checksum_pseudo(ip->header, IPV4_PROTOCOL_UDP, length),
						 ip->payload, length)) != 0)
		return 0;
	return hvh_simwire_dhcp(ip->payload + UDP_HEADER, length - UDP_HEADER, answer);
}

/* Frames of the test protocol go back with the addresses exchanged. */
static uint32_t echo(const uint8_t *frame, uint32_t length, uint8_t *answer)
{
	memcpy(answer, frame, length);
	memcpy(answer, frame + ETHERNET_ADDRESS, ETHERNET_ADDRESS);
	/* A group is nobody's source. */
	memcpy(answer + ETHERNET_ADDRESS, (frame[0] & 1) != 0 ? peer_mac : frame, ETHERNET_ADDRESS);
	return length;
}

uint32_t hvh_simwire_answer(const uint8_t *frame, uint32_t length, uint8_t *answer)
{
	struct hvh_ipv4 ip;
	uint32_t type;

	if (length < ETHERNET_HEADER || length > SIMWIRE_FRAME_MAX)
		return 0;
	type = get16(frame + 12);
	if (type == SIMWIRE_ETHERTYPE_TEST)
		return echo(frame, length, answer);
	if ((frame[0] & 1) == 0 && memcmp(frame, peer_mac, sizeof peer_mac) != 0)
		return 0; /* for another station */
	if (type == ETHERTYPE_ARP)
		return arp(frame, length, answer);
	if (!hvh_ipv4_parse(frame, length, &ip) || ip.fragment != 0 ||
	    hvh_checksum_finish(hvh_checksum_add(0, ip.header, ip.header_length)) != 0)
		return 0;
	if (ip.protocol == IPV4_PROTOCOL_ICMP)
		return icmp(frame, &ip, answer);
	return ip.protocol == IPV4_PROTOCOL_UDP ? udp(&ip, answer) : 0;
}
