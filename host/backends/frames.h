/* SPDX-License-Identifier: MIT */
/*
 * Reading and writing network headers byte by byte, for the backends. Private to
 * host/backends/.
 */
#ifndef HVH_BACKENDS_FRAMES_H
#define HVH_BACKENDS_FRAMES_H

#include <stdbool.h>
#include <stdint.h>

#define ETHERNET_HEADER 14u
#define ETHERNET_ADDRESS 6u
#define ETHERTYPE_IPV4 0x0800u
#define ETHERTYPE_ARP 0x0806u

#define IPV4_HEADER 20u
#define IPV4_PROTOCOL_ICMP 1u
#define IPV4_PROTOCOL_TCP 6u
#define IPV4_PROTOCOL_UDP 17u
#define IPV4_FRAGMENT_MASK 0x3fffu /* more fragments, or an offset */

#define TCP_HEADER 20u
#define TCP_FIN 0x01u
#define TCP_SYN 0x02u
#define TCP_RST 0x04u
#define TCP_ACK 0x10u
#define UDP_HEADER 8u

static inline uint16_t get16(const uint8_t *at)
{
	return (uint16_t)(at[0] << 8 | at[1]);
}

static inline uint32_t get32(const uint8_t *at)
{
	return (uint32_t)get16(at) << 16 | get16(at + 2);
}

static inline void put16(uint8_t *at, uint32_t value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
}

static inline void put32(uint8_t *at, uint32_t value)
{
	put16(at, value >> 16);
	put16(at + 2, value);
}

/* RFC 1071: the sum in progress, and what goes on the wire. Only the last part may have
 * an odd length. */
uint32_t hvh_checksum_add(uint32_t sum, const uint8_t *bytes, uint32_t length);
uint16_t hvh_checksum_finish(uint32_t sum);
/* The sum of the pseudo-header of TCP and UDP over IPv4; addresses as in the header. */
uint32_t hvh_checksum_pseudo(const uint8_t *ip, uint32_t protocol, uint32_t length);

struct hvh_ipv4 {
	const uint8_t *header;
	uint32_t header_length;
	uint32_t source, destination;
	uint32_t fragment; /* flags and offset: 0 = whole */
	uint8_t protocol;
	const uint8_t *payload;
	uint32_t payload_length;
};
/* The IPv4 packet in a frame. False: there is none, or its lengths are impossible. */
bool hvh_ipv4_parse(const uint8_t *frame, uint32_t length, struct hvh_ipv4 *ip);

/* Writes Ethernet and IPv4 headers for a payload that is already in place behind them,
 * checksum included. Returns the frame's length. */
uint32_t hvh_ipv4_finish(uint8_t *frame, const uint8_t to[ETHERNET_ADDRESS],
			 const uint8_t from[ETHERNET_ADDRESS], uint32_t source, uint32_t destination,
			 uint32_t protocol, uint32_t payload_length);

#endif
