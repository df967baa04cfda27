/* SPDX-License-Identifier: MIT */
/*
 * Where in an Ethernet frame its headers are: VLAN tag, IPv4 with options, IPv6 with extension
 * headers, TCP, UDP. Pure functions of bytes, for what the card does with frames.
 */
#ifndef HVH_NETVSP_HEADERS_H
#define HVH_NETVSP_HEADERS_H

#include <stdbool.h>
#include <stdint.h>

#define ETHERNET_HEADER 14u
#define ETHERNET_TAG 4u
#define ETHERNET_TYPE_AT 12u
#define ETHERTYPE_VLAN 0x8100u
#define ETHERTYPE_IPV4 0x0800u
#define ETHERTYPE_IPV6 0x86ddu

#define IPV4_HEADER 20u
#define IPV4_LENGTH_AT 2u
#define IPV4_ID_AT 4u
#define IPV4_FRAGMENT_AT 6u
#define IPV4_TTL_AT 8u
#define IPV4_CHECKSUM_AT 10u
#define IPV4_SOURCE_AT 12u
#define IPV4_DESTINATION_AT 16u
#define IPV6_HEADER 40u
#define IPV6_LENGTH_AT 4u
#define IPV6_HOP_LIMIT_AT 7u
#define IPV6_SOURCE_AT 8u
#define IPV6_DESTINATION_AT 24u
#define IP_PROTOCOL_TCP 6u
#define IP_PROTOCOL_UDP 17u

#define TCP_HEADER 20u
#define TCP_SEQUENCE_AT 4u
#define TCP_ACKNOWLEDGMENT_AT 8u
#define TCP_FLAGS_AT 13u
#define TCP_WINDOW_AT 14u
#define TCP_CHECKSUM_AT 16u
#define TCP_FIN 0x01u
#define TCP_SYN 0x02u
#define TCP_RST 0x04u
#define TCP_PSH 0x08u
#define TCP_ACK 0x10u
#define TCP_URG 0x20u
#define TCP_ECE 0x40u
#define TCP_CWR 0x80u
#define UDP_HEADER 8u
#define UDP_LENGTH_AT 4u
#define UDP_CHECKSUM_AT 6u

/* All offsets count from the frame's first byte. */
struct netvsp_headers {
	uint32_t ip;          /* 0: neither IPv4 nor IPv6, or cut short */
	uint8_t version;      /* 4, 6, or 0 */
	uint8_t protocol;     /* what follows the IP header and all its extensions */
	bool tagged;          /* a VLAN tag lies in the frame */
	bool fragment;        /* nothing behind the IP header is looked at */
	bool extended;        /* IPv4 options, IPv6 extension headers */
	uint32_t source;      /* addresses of the pseudo-header, which routing headers and */
	uint32_t destination; /* home addresses of IPv6 change */
	uint32_t transport;   /* 0: neither TCP nor UDP, a fragment, or cut short */
	uint32_t payload;     /* behind the TCP or UDP header; 0 with transport 0 */
	uint32_t end;         /* of the IP packet; padding may follow */
};

/* True if it is an IP packet whose lengths agree with the frame's; only then ip is not 0.
 * unset_length: an IP length of 0 is taken for "to the frame's end" (large sends). */
bool netvsp_headers_find(const uint8_t *frame, uint32_t length, bool unset_length,
			 struct netvsp_headers *headers);

static inline uint32_t netvsp_get16(const uint8_t *at)
{
	return (uint32_t)at[0] << 8 | at[1];
}
static inline uint32_t netvsp_get32(const uint8_t *at)
{
	return netvsp_get16(at) << 16 | netvsp_get16(at + 2);
}
static inline void netvsp_put16(uint8_t *at, uint32_t value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
}
static inline void netvsp_put32(uint8_t *at, uint32_t value)
{
	netvsp_put16(at, value >> 16);
	netvsp_put16(at + 2, value);
}

#endif
