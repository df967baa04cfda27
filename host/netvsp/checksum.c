/* SPDX-License-Identifier: MIT */
/*
 * Checksums. What a request must look like: NDIS has the transport put the pseudo-header's sum
 * into the checksum field, and so do Linux (CHECKSUM_PARTIAL) and FreeBSD (in_pseudo); none of
 * them cares what the field of the IP header holds. Without the header's offset the host finds it
 * itself (OpenVMM does; FreeBSD 11 and illumos leave it out).
 */
#include "checksum.h"

#include <stddef.h>

#include "hvkit/wire/rndis.h"
#include "offload.h"

#define ADDRESS(version) ((version) == 4 ? 4u : 16u)
#define SUM_ALL_ONES 0xffffu
#define REQUEST_FAMILY (RNDIS_CHECKSUM_TX_IPV4 | RNDIS_CHECKSUM_TX_IPV6)
#define REQUEST_TRANSPORT (RNDIS_CHECKSUM_TX_TCP | RNDIS_CHECKSUM_TX_UDP)
#define REQUEST_KNOWN                                                       \
	(REQUEST_FAMILY | REQUEST_TRANSPORT | RNDIS_CHECKSUM_TX_IP_HEADER | \
	 0x3ffu << RNDIS_CHECKSUM_TX_OFFSET_SHIFT)

/* --- Sums ----------------------------------------------------------------------------- */

uint64_t netvsp_sum(uint64_t sum, const uint8_t *bytes, uint32_t length)
{
	/* 2^16 is 1 where sums end around: words of 32 bits do as well. */
	for (; length >= 4; length -= 4, bytes += 4)
		sum += netvsp_get32(bytes);
	if (length >= 2) {
		sum += netvsp_get16(bytes);
		bytes += 2;
		length -= 2;
	}
	return length > 0 ? sum + ((uint64_t)bytes[0] << 8) : sum;
}

uint32_t netvsp_sum_fold(uint64_t sum)
{
	while (sum > SUM_ALL_ONES)
		sum = (sum & SUM_ALL_ONES) + (sum >> 16);
	return (uint32_t)sum;
}

uint64_t netvsp_pseudo_sum(const uint8_t *frame, const struct netvsp_headers *headers, uint32_t length)
{
	uint64_t sum = (uint64_t)headers->protocol + length;

	sum = netvsp_sum(sum, frame + headers->source, ADDRESS(headers->version));
	return netvsp_sum(sum, frame + headers->destination, ADDRESS(headers->version));
}

static uint32_t ip_header_sum(const uint8_t *frame, const struct netvsp_headers *headers)
{
	const uint8_t *ip = frame + headers->ip;

	return netvsp_sum_fold(netvsp_sum(0, ip, (ip[0] & 0xfu) * 4));
}

static uint32_t transport_sum(const uint8_t *frame, const struct netvsp_headers *headers)
{
	uint32_t length = headers->end - headers->transport;

	return netvsp_sum_fold(
		netvsp_sum(netvsp_pseudo_sum(frame, headers, length), frame + headers->transport, length));
}

static uint32_t checksum_at(const struct netvsp_headers *headers)
{
	return headers->transport +
	       (headers->protocol == IP_PROTOCOL_TCP ? TCP_CHECKSUM_AT : UDP_CHECKSUM_AT);
}

/* --- Requests --------------------------------------------------------------------------- */

static const char *check_form(uint32_t request, uint32_t *value)
{
	*value = request;
	if ((request & ~REQUEST_KNOWN) != 0)
		return "checksum request with unknown bits";
	if ((request & REQUEST_FAMILY) == 0 || (request & REQUEST_FAMILY) == REQUEST_FAMILY)
		return "checksum request: one of IPv4 and IPv6 would be right";
	if ((request & REQUEST_TRANSPORT) == REQUEST_TRANSPORT)
		return "checksum request for both TCP and UDP";
	if ((request & (REQUEST_TRANSPORT | RNDIS_CHECKSUM_TX_IP_HEADER)) == 0)
		return "checksum request that asks for no checksum";
	return NULL;
}

static uint32_t needed(uint32_t request)
{
	bool v4 = (request & RNDIS_CHECKSUM_TX_IPV4) != 0;
	uint32_t bits = 0;

	if ((request & RNDIS_CHECKSUM_TX_IP_HEADER) != 0)
		bits |= NETVSP_OFFLOAD_TX_IP4;
	if ((request & RNDIS_CHECKSUM_TX_TCP) != 0)
		bits |= v4 ? NETVSP_OFFLOAD_TX_TCP4 : NETVSP_OFFLOAD_TX_TCP6;
	if ((request & RNDIS_CHECKSUM_TX_UDP) != 0)
		bits |= v4 ? NETVSP_OFFLOAD_TX_UDP4 : NETVSP_OFFLOAD_TX_UDP6;
	return bits;
}

static const char *check_transport(const uint8_t *frame, const struct netvsp_headers *headers,
				   uint32_t request, uint32_t *value)
{
	uint32_t protocol = (request & RNDIS_CHECKSUM_TX_TCP) != 0 ? IP_PROTOCOL_TCP : IP_PROTOCOL_UDP;
	uint32_t field, pseudo;

	*value = headers->protocol;
	if (headers->fragment)
		return "checksum request for a fragment";
	if (headers->protocol != protocol)
		return "checksum request for another protocol than the frame's";
	if (headers->transport == 0)
		return "checksum request for a frame whose TCP or UDP header is cut or wrong";
	*value = request >> RNDIS_CHECKSUM_TX_OFFSET_SHIFT;
	if (*value != 0 && *value != headers->transport)
		return "checksum request: that is not where the TCP or UDP header is";
	field = netvsp_get16(frame + checksum_at(headers));
	pseudo = netvsp_sum_fold(netvsp_pseudo_sum(frame, headers, headers->end - headers->transport));
	*value = field;
	if (field % SUM_ALL_ONES != pseudo % SUM_ALL_ONES)
		return "checksum request: the field does not hold the pseudo-header's sum";
	return NULL;
}

const char *netvsp_checksum_check(const uint8_t *frame, const struct netvsp_headers *headers,
				  uint32_t request, uint32_t granted, uint32_t *value)
{
	const char *fault = check_form(request, value);
	uint32_t version = (request & RNDIS_CHECKSUM_TX_IPV4) != 0 ? 4 : 6;

	if (fault != NULL)
		return fault;
	if (version == 6 && (request & RNDIS_CHECKSUM_TX_IP_HEADER) != 0)
		return "checksum request for an IPv6 header, which has none";
	if ((needed(request) & ~granted) != 0)
		return "checksum request for more than OFFLOAD_PARAMETERS have turned on";
	*value = headers->version;
	if (headers->version != version)
		return "checksum request: the frame is of another IP version, or none";
	if ((request & REQUEST_TRANSPORT) == 0)
		return NULL;
	return check_transport(frame, headers, request, value);
}

/* --- Making and verifying ------------------------------------------------------------------ */

uint32_t netvsp_checksum_fill(uint8_t *frame, const struct netvsp_headers *headers, uint32_t request)
{
	uint32_t count = 0;

	if ((request & RNDIS_CHECKSUM_TX_IP_HEADER) != 0) {
		netvsp_put16(frame + headers->ip + IPV4_CHECKSUM_AT, 0);
		netvsp_put16(frame + headers->ip + IPV4_CHECKSUM_AT, ~ip_header_sum(frame, headers));
		count++;
	}
	if ((request & REQUEST_TRANSPORT) != 0) {
		uint8_t *field = frame + checksum_at(headers);
		uint32_t checksum;

		netvsp_put16(field, 0);
		checksum = ~transport_sum(frame, headers) & SUM_ALL_ONES;
		if (checksum == 0 && headers->protocol == IP_PROTOCOL_UDP)
			checksum = SUM_ALL_ONES; /* 0 says "none" */
		netvsp_put16(field, checksum);
		count++;
	}
	return count;
}

void netvsp_checksum_make(uint8_t *frame, const struct netvsp_headers *headers)
{
	uint32_t request = headers->version == 4 ? RNDIS_CHECKSUM_TX_IP_HEADER : 0;

	if (headers->transport != 0)
		request |= RNDIS_CHECKSUM_TX_TCP; /* fill goes by the frame's protocol */
	netvsp_checksum_fill(frame, headers, request);
}

uint32_t netvsp_checksum_verify(const uint8_t *frame, const struct netvsp_headers *headers)
{
	uint32_t result = 0;
	bool good;

	if (headers->version == 4)
		result |= ip_header_sum(frame, headers) == SUM_ALL_ONES ? RNDIS_CHECKSUM_RX_IP_GOOD
									: RNDIS_CHECKSUM_RX_IP_FAILED;
	if (headers->transport == 0)
		return result;
	good = transport_sum(frame, headers) == SUM_ALL_ONES;
	if (headers->protocol == IP_PROTOCOL_TCP)
		return result | (good ? RNDIS_CHECKSUM_RX_TCP_GOOD : RNDIS_CHECKSUM_RX_TCP_FAILED);
	if (netvsp_get16(frame + checksum_at(headers)) == 0) {
		if (headers->version == 4)
			return result; /* it has none */
		good = false;
	}
	return result | (good ? RNDIS_CHECKSUM_RX_UDP_GOOD : RNDIS_CHECKSUM_RX_UDP_FAILED);
}

uint32_t netvsp_checksum_report(const struct netvsp_headers *headers, uint32_t verified, uint32_t granted)
{
	bool v4 = headers->version == 4;
	uint32_t told = 0;

	if ((granted & NETVSP_OFFLOAD_RX_IP4) != 0)
		told |= RNDIS_CHECKSUM_RX_IP_GOOD | RNDIS_CHECKSUM_RX_IP_FAILED;
	if ((granted & (v4 ? NETVSP_OFFLOAD_RX_TCP4 : NETVSP_OFFLOAD_RX_TCP6)) != 0)
		told |= RNDIS_CHECKSUM_RX_TCP_GOOD | RNDIS_CHECKSUM_RX_TCP_FAILED;
	if ((granted & (v4 ? NETVSP_OFFLOAD_RX_UDP4 : NETVSP_OFFLOAD_RX_UDP6)) != 0)
		told |= RNDIS_CHECKSUM_RX_UDP_GOOD | RNDIS_CHECKSUM_RX_UDP_FAILED;
	return verified & told;
}
