/* SPDX-License-Identifier: MIT */
/*
 * Receive segment coalescing (RSC): consecutive TCP segments of one flow, joined for the guest.
 * The rules are those that NDIS has for its drivers.
 */
#ifndef HVH_NETVSP_COALESCE_H
#define HVH_NETVSP_COALESCE_H

#include "headers.h"

/* The longest joined frame: an IP packet of 65535 bytes (IPv6: of payload). */
#define NETVSP_JOINED_MAX (65535u + IPV6_HEADER + ETHERNET_HEADER + ETHERNET_TAG)

/* A packet in the making. */
struct netvsp_coalesce {
	struct netvsp_headers headers;
	uint32_t length; /* of bytes */
	uint32_t count;  /* segments in it */
	uint32_t next;   /* the sequence number that may follow */
	uint8_t bytes[NETVSP_JOINED_MAX];
};

/* Begins with this frame. False: it is none that anything could be joined to (no TCP, options
 * other than timestamps, flags, a wrong checksum, ...); nothing is to be added then. granted:
 * NETVSP_OFFLOAD_RSC*. */
bool netvsp_coalesce_begin(struct netvsp_coalesce *coalesce, const uint8_t *frame, uint32_t length,
			   uint32_t granted);
/* Adds the frame that came next. False: it does not belong, nothing has changed. room: the longest
 * that the packet may become. */
bool netvsp_coalesce_add(struct netvsp_coalesce *coalesce, const uint8_t *frame, uint32_t length,
			 uint32_t room);
/* Lengths and, with checksums, checksums of the joined packet; without, those fields are 0, and
 * the guest must be told so (RNDIS_CHECKSUM_RX_*_INVALID). Returns RNDIS_CHECKSUM_RX_*. */
uint32_t netvsp_coalesce_finish(struct netvsp_coalesce *coalesce, bool checksums);

#endif
