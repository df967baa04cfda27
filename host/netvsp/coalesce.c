/* SPDX-License-Identifier: MIT */
/*
 * Receive segment coalescing. The rules are those of "Rules for Coalescing TCP/IP Segments" (NDIS
 * driver documentation): no IP options or extensions, no fragments, no TCP option but timestamps,
 * no flag but ACK and PSH, right checksums, the next sequence number, the same ECN, DF, ...
 */
#include "coalesce.h"

#include <string.h>

#include "checksum.h"
#include "hvkit/wire/rndis.h"
#include "offload.h"

#define IP_LENGTH_MAX 65535u
#define FLAGS_ALLOWED (TCP_ACK | TCP_PSH)
#define TIMESTAMPS 12u /* with the two NOPs that all senders put before */
#define TIMESTAMP_VALUE_AT (TCP_HEADER + 4)
#define TIMESTAMP_ECHO_AT (TCP_HEADER + 8)

static bool before(uint32_t a, uint32_t b)
{
	return (int32_t)(a - b) < 0;
}

/* Both address families: what RSC needs, and what must have been verified. */
static bool granted_for(const struct netvsp_headers *headers, uint32_t granted)
{
	uint32_t needed = headers->version == 4 ? NETVSP_OFFLOAD_RSC4 | NETVSP_OFFLOAD_RX_TCP4
						: NETVSP_OFFLOAD_RSC6 | NETVSP_OFFLOAD_RX_TCP6;

	return (granted & needed) == needed;
}

/* Could a segment like this take part at all? */
static bool eligible(const uint8_t *frame, const struct netvsp_headers *headers)
{
	static const uint8_t timestamps[4] = {1, 1, 8, 10};
	const uint8_t *tcp = frame + headers->transport;
	uint32_t size = headers->payload - headers->transport;
	uint32_t bad = RNDIS_CHECKSUM_RX_IP_FAILED | RNDIS_CHECKSUM_RX_TCP_FAILED;

	if (headers->transport == 0 || headers->protocol != IP_PROTOCOL_TCP || headers->extended)
		return false;
	if ((tcp[TCP_FLAGS_AT] & TCP_ACK) == 0 || (tcp[TCP_FLAGS_AT] & ~FLAGS_ALLOWED) != 0)
		return false;
	if (size != TCP_HEADER &&
	    (size != TCP_HEADER + TIMESTAMPS || memcmp(tcp + TCP_HEADER, timestamps, sizeof timestamps) != 0))
		return false;
	return headers->end > headers->payload && (netvsp_checksum_verify(frame, headers) & bad) == 0;
}

bool netvsp_coalesce_begin(struct netvsp_coalesce *coalesce, const uint8_t *frame, uint32_t length,
			   uint32_t granted)
{
	struct netvsp_headers headers;

	if (!netvsp_headers_find(frame, length, false, &headers) || !granted_for(&headers, granted) ||
	    !eligible(frame, &headers) || headers.end > sizeof coalesce->bytes)
		return false;
	memcpy(coalesce->bytes, frame, headers.end); /* no padding */
	coalesce->headers = headers;
	coalesce->length = headers.end;
	coalesce->count = 1;
	coalesce->next = netvsp_get32(frame + headers.transport + TCP_SEQUENCE_AT) + headers.end -
			 headers.payload;
	return true;
}

/* All that may not differ; lengths, ids, hop limits and checksums may. */
static bool same_ip(const uint8_t *a, const uint8_t *b, const struct netvsp_headers *headers)
{
	if (memcmp(a, b, headers->ip) != 0) /* addresses, tag */
		return false;
	a += headers->ip;
	b += headers->ip;
	if (headers->version == 4)
		return a[1] == b[1] && memcmp(a + IPV4_FRAGMENT_AT, b + IPV4_FRAGMENT_AT, 2) == 0 &&
		       memcmp(a + IPV4_SOURCE_AT, b + IPV4_SOURCE_AT, 8) == 0;
	return memcmp(a, b, 4) == 0 && memcmp(a + IPV6_SOURCE_AT, b + IPV6_SOURCE_AT, 32) == 0;
}

static bool follows(const struct netvsp_coalesce *coalesce, const uint8_t *tcp)
{
	const uint8_t *last = coalesce->bytes + coalesce->headers.transport;

	if (memcmp(tcp, last, 4) != 0 || netvsp_get32(tcp + TCP_SEQUENCE_AT) != coalesce->next)
		return false;
	if (before(netvsp_get32(tcp + TCP_ACKNOWLEDGMENT_AT), netvsp_get32(last + TCP_ACKNOWLEDGMENT_AT)))
		return false;
	return coalesce->headers.payload - coalesce->headers.transport == TCP_HEADER ||
	       !before(netvsp_get32(tcp + TIMESTAMP_VALUE_AT), netvsp_get32(last + TIMESTAMP_VALUE_AT));
}

/* The latest acknowledgment, window and timestamps, all flags, the least hop limit. */
static void merge(struct netvsp_coalesce *coalesce, const uint8_t *frame)
{
	const struct netvsp_headers *headers = &coalesce->headers;
	uint32_t hops = headers->ip + (headers->version == 4 ? IPV4_TTL_AT : IPV6_HOP_LIMIT_AT);
	uint8_t *to = coalesce->bytes + headers->transport;
	const uint8_t *from = frame + headers->transport;

	memcpy(to + TCP_ACKNOWLEDGMENT_AT, from + TCP_ACKNOWLEDGMENT_AT, 4);
	memcpy(to + TCP_WINDOW_AT, from + TCP_WINDOW_AT, 2);
	to[TCP_FLAGS_AT] |= from[TCP_FLAGS_AT];
	if (headers->payload - headers->transport > TCP_HEADER) {
		memcpy(to + TIMESTAMP_VALUE_AT, from + TIMESTAMP_VALUE_AT, 4);
		memcpy(to + TIMESTAMP_ECHO_AT, from + TIMESTAMP_ECHO_AT, 4);
	}
	if (frame[hops] < coalesce->bytes[hops])
		coalesce->bytes[hops] = frame[hops];
}

bool netvsp_coalesce_add(struct netvsp_coalesce *coalesce, const uint8_t *frame, uint32_t length,
			 uint32_t room)
{
	struct netvsp_headers headers;
	uint32_t size, longest = coalesce->headers.ip + IP_LENGTH_MAX;

	if (!netvsp_headers_find(frame, length, false, &headers) || !eligible(frame, &headers))
		return false;
	if (headers.version != coalesce->headers.version || headers.ip != coalesce->headers.ip ||
	    headers.payload != coalesce->headers.payload)
		return false;
	size = headers.end - headers.payload;
	if (room < longest)
		longest = room;
	if (coalesce->length > longest || size > longest - coalesce->length)
		return false;
	if (!same_ip(coalesce->bytes, frame, &headers) || !follows(coalesce, frame + headers.transport))
		return false;
	merge(coalesce, frame);
	memcpy(coalesce->bytes + coalesce->length, frame + headers.payload, size);
	coalesce->length += size;
	coalesce->next += size;
	coalesce->count++;
	return true;
}

uint32_t netvsp_coalesce_finish(struct netvsp_coalesce *coalesce, bool checksums)
{
	struct netvsp_headers *headers = &coalesce->headers;
	bool v4 = headers->version == 4;
	uint8_t *ip = coalesce->bytes + headers->ip;
	uint32_t result = RNDIS_CHECKSUM_RX_TCP_GOOD | (v4 ? RNDIS_CHECKSUM_RX_IP_GOOD : 0);

	headers->end = coalesce->length;
	if (coalesce->count == 1)
		return result;
	if (v4)
		netvsp_put16(ip + IPV4_LENGTH_AT, headers->end - headers->ip);
	else
		netvsp_put16(ip + IPV6_LENGTH_AT, headers->end - headers->ip - IPV6_HEADER);
	if (checksums) {
		netvsp_checksum_make(coalesce->bytes, headers);
		return result;
	}
	netvsp_put16(coalesce->bytes + headers->transport + TCP_CHECKSUM_AT, 0);
	if (v4)
		netvsp_put16(ip + IPV4_CHECKSUM_AT, 0);
	return result | RNDIS_CHECKSUM_RX_TCP_INVALID | (v4 ? RNDIS_CHECKSUM_RX_IP_INVALID : 0);
}
