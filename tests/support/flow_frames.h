/* SPDX-License-Identifier: MIT */
/*
 * Frames of numbered flows: TCP and UDP over IPv4 and IPv6, with or without a VLAN tag, of which every
 * byte follows from the flow, the direction and the place in the flow's stream. Written for the
 * tests alone: it shares nothing with what it judges.
 */
#ifndef TESTS_SUPPORT_FLOW_FRAMES_H
#define TESTS_SUPPORT_FLOW_FRAMES_H

#include <stdbool.h>
#include <stdint.h>

#define FLOWS_MAX 24u
#define FLOW_HEADERS_MAX 78u /* Ethernet with a tag, IPv6, TCP */
#define FLOW_PAYLOAD_MIN 8u

enum flow_direction { FLOW_TO_GUEST, FLOW_TO_WIRE };

/* What a flow's number makes of it. */
struct flow_kind {
	bool v6, tcp;
	uint16_t tag; /* 0 = none */
};
struct flow_kind flow_kind(uint32_t flow);
/* Ethernet (without the tag), IP and transport. */
uint32_t flow_headers(uint32_t flow);

/* A whole frame with right checksums and lengths; returns its length. guest_mac: 6 bytes. */
uint32_t flow_frame_build(uint8_t *frame, enum flow_direction direction, uint32_t flow, uint32_t offset,
			  uint32_t payload, const uint8_t *guest_mac, bool tagged);

struct flow_frame {
	uint32_t flow, offset, payload; /* offset of the first byte, bytes */
	bool tagged;                    /* in the frame */
	uint16_t tag;
	bool header_sum_good; /* IPv4's; true for IPv6 */
	bool sum_good;        /* TCP's or UDP's */
};
/* NULL, or what is wrong with it: it is none of ours, or one byte is another. */
const char *flow_frame_parse(const uint8_t *frame, uint32_t length, enum flow_direction direction,
			     struct flow_frame *out);

/* Addresses (and ports) in the order of the packet, for the hash of frames in that direction; returns
 * the length. */
uint32_t flow_tuple(uint8_t tuple[36], enum flow_direction direction, uint32_t flow, bool ports);

/* Where the TCP or UDP checksum is, from the frame's first byte. */
uint32_t flow_checksum_at(uint32_t flow, bool tagged);

#endif
