/* SPDX-License-Identifier: MIT */
/*
 * Large sends. What a request must look like is NDIS's "offloading the segmentation of large TCP
 * packets", as Linux and FreeBSD do it: the IP length is 0 (or right: DPDK does not touch it), and the
 * checksum field holds the pseudo-header's sum without a length. FreeBSD 11 and illumos leave the
 * header's offset out, which Windows takes and OpenVMM does not.
 */
#include "segment.h"

#include <stddef.h>
#include <string.h>

#include "checksum.h"
#include "hvkit/wire/rndis.h"

#define URGENT_AT 18u

static const char *check_request(uint32_t request, const struct netvsp_headers *headers,
				 const struct netvsp_offload *offload, uint32_t *value)
{
	bool v6 = (request & RNDIS_LSO_IPV6) != 0;

	*value = request;
	if ((request & RNDIS_LSO_V2) == 0)
		return "large send of version 1, which was not offered";
	if ((offload->granted & (v6 ? NETVSP_OFFLOAD_LSO6 : NETVSP_OFFLOAD_LSO4)) == 0)
		return "large send that OFFLOAD_PARAMETERS have not turned on";
	*value = headers->version;
	if (headers->version != (v6 ? 6 : 4))
		return "large send: the frame is of another IP version, or none";
	*value = headers->protocol;
	if (headers->fragment || headers->protocol != IP_PROTOCOL_TCP || headers->transport == 0)
		return "large send of what is no whole TCP header";
	*value = request >> RNDIS_LSO_OFFSET_SHIFT & 0x3ffu;
	if (*value != headers->transport && (*value != 0 || offload->lso_offset_needed))
		return "large send: that is not where the TCP header is";
	return NULL;
}

static const char *check_frame(const uint8_t *frame, uint32_t length, const struct netvsp_headers *headers,
			       uint32_t *value)
{
	const uint8_t *tcp = frame + headers->transport;
	uint32_t pseudo = netvsp_sum_fold(netvsp_pseudo_sum(frame, headers, 0));

	*value = headers->end;
	if (headers->end != length)
		return "large send: the IP length is neither 0 nor that of the frame";
	*value = tcp[TCP_FLAGS_AT];
	if ((tcp[TCP_FLAGS_AT] & (TCP_SYN | TCP_RST)) != 0)
		return "large send with SYN or RST";
	*value = netvsp_get16(tcp + TCP_CHECKSUM_AT);
	if (*value % 0xffffu != pseudo % 0xffffu)
		return "large send: the checksum field does not hold the pseudo-header's sum without length";
	return NULL;
}

static const char *check_sizes(struct netvsp_segments *segments, const struct netvsp_offload *offload,
			       uint32_t frame_max, uint32_t *value)
{
	const struct netvsp_headers *headers = &segments->headers;
	uint32_t payload = headers->end - headers->payload;
	uint32_t tag = headers->tagged ? ETHERNET_TAG : 0;

	*value = segments->mss;
	if (segments->mss == 0 || headers->payload - tag > frame_max ||
	    segments->mss > frame_max - (headers->payload - tag))
		return "large send: segments of that size are none, or longer than the MTU";
	*value = payload;
	if (payload > offload->lso_size_max)
		return "large send of more than NDIS_OFFLOAD allows";
	segments->count = (payload + segments->mss - 1) / segments->mss;
	*value = segments->count;
	if (segments->count < offload->lso_segments_min)
		return "large send of fewer segments than NDIS_OFFLOAD asks for";
	return NULL;
}

const char *netvsp_segments_begin(struct netvsp_segments *segments, const uint8_t *frame, uint32_t length,
				  uint32_t request, const struct netvsp_offload *offload, uint32_t frame_max,
				  uint32_t *value)
{
	const char *fault;

	segments->frame = frame;
	segments->mss = request & RNDIS_LSO_MSS_MASK;
	segments->count = 0;
	netvsp_headers_find(frame, length, true, &segments->headers);
	fault = check_request(request, &segments->headers, offload, value);
	if (fault == NULL)
		fault = check_frame(frame, length, &segments->headers, value);
	if (fault == NULL)
		fault = check_sizes(segments, offload, frame_max, value);
	return fault;
}

/* --- Cutting ------------------------------------------------------------------------------ */

static void set_ip(uint8_t *frame, const struct netvsp_headers *headers, uint32_t index)
{
	uint8_t *ip = frame + headers->ip;

	if (headers->version == 4) {
		netvsp_put16(ip + IPV4_LENGTH_AT, headers->end - headers->ip);
		netvsp_put16(ip + IPV4_ID_AT, netvsp_get16(ip + IPV4_ID_AT) + index);
	} else {
		netvsp_put16(ip + IPV6_LENGTH_AT, headers->end - headers->ip - IPV6_HEADER);
	}
}

/* offset: of this segment's payload in the whole. */
static void set_tcp(uint8_t *tcp, uint32_t offset, bool first, bool last)
{
	uint32_t urgent = netvsp_get16(tcp + URGENT_AT);

	netvsp_put32(tcp + TCP_SEQUENCE_AT, netvsp_get32(tcp + TCP_SEQUENCE_AT) + offset);
	if (!first)
		tcp[TCP_FLAGS_AT] &= (uint8_t)~TCP_CWR;
	if (!last)
		tcp[TCP_FLAGS_AT] &= (uint8_t) ~(TCP_FIN | TCP_PSH);
	if ((tcp[TCP_FLAGS_AT] & TCP_URG) == 0)
		return;
	/* Its pointer counts from the segment's own sequence number. */
	if (urgent > offset) {
		netvsp_put16(tcp + URGENT_AT, urgent - offset);
	} else {
		netvsp_put16(tcp + URGENT_AT, 0);
		tcp[TCP_FLAGS_AT] &= (uint8_t)~TCP_URG;
	}
}

uint32_t netvsp_segment_make(const struct netvsp_segments *segments, uint32_t index, uint8_t *to)
{
	struct netvsp_headers headers = segments->headers;
	uint32_t offset = index * segments->mss;
	uint32_t left = headers.end - headers.payload - offset;
	uint32_t size = left < segments->mss ? left : segments->mss;

	memcpy(to, segments->frame, headers.payload);
	memcpy(to + headers.payload, segments->frame + headers.payload + offset, size);
	headers.end = headers.payload + size;
	set_ip(to, &headers, index);
	set_tcp(to + headers.transport, offset, index == 0, index + 1 == segments->count);
	netvsp_checksum_make(to, &headers);
	return headers.end;
}
