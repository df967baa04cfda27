/* SPDX-License-Identifier: MIT */
/*
 * Large sends (LSOv2): one TCP packet of the guest's, cut into segments for the wire.
 */
#ifndef HVH_NETVSP_SEGMENT_H
#define HVH_NETVSP_SEGMENT_H

#include "headers.h"
#include "offload.h"

/* The bytes of a large send, with its Ethernet header. */
#define NETVSP_LARGE_SEND_MAX (65535u + 40u + 60u + ETHERNET_HEADER + ETHERNET_TAG)

struct netvsp_segments {
	const uint8_t *frame;
	struct netvsp_headers headers;
	uint32_t mss, count;
};

/* A request (RNDIS_LSO_*) against the frame, what has been granted, and the longest frame
 * (frame_max, without a tag). NULL if it is right, and then *segments is ready; else what is not,
 * and in *value the number. */
const char *netvsp_segments_begin(struct netvsp_segments *segments, const uint8_t *frame, uint32_t length,
				  uint32_t request, const struct netvsp_offload *offload, uint32_t frame_max,
				  uint32_t *value);
/* The segment of this index, below count, with right checksums; returns its length. */
uint32_t netvsp_segment_make(const struct netvsp_segments *segments, uint32_t index, uint8_t *to);

#endif
