/* SPDX-License-Identifier: MIT */
/*
 * The simulated wire's DHCP server: one lease, RFC 2131 and 2132.
 */
#include <string.h>

#include "simwire.h"

#define BOOTP_REQUEST 1u
#define BOOTP_REPLY 2u
#define BOOTP_SIZE 300u /* the least that some clients take */
#define BOOTP_FLAG_BROADCAST 0x8000u
#define DHCP_MAGIC 0x63825363u

/* Offsets into a BOOTP message. */
#define AT_XID 4u
#define AT_FLAGS 10u
#define AT_CIADDR 12u
#define AT_YIADDR 16u
#define AT_SIADDR 20u
#define AT_CHADDR 28u
#define AT_SNAME 44u
#define AT_FILE 108u
#define AT_MAGIC 236u
#define AT_OPTIONS 240u

#define OPTION_PAD 0u
#define OPTION_SUBNET_MASK 1u
#define OPTION_ROUTER 3u
#define OPTION_NAME_SERVER 6u
#define OPTION_REQUESTED_ADDRESS 50u
#define OPTION_LEASE_TIME 51u
#define OPTION_OVERLOAD 52u
#define OPTION_MESSAGE_TYPE 53u
#define OPTION_SERVER 54u
#define OPTION_RENEWAL_TIME 58u
#define OPTION_REBINDING_TIME 59u
#define OPTION_CLIENT_ID 61u
#define OPTION_END 255u

#define DHCP_DISCOVER 1u
#define DHCP_OFFER 2u
#define DHCP_REQUEST 3u
#define DHCP_ACK 5u
#define DHCP_NAK 6u
#define DHCP_INFORM 8u

#define BROADCAST 0xffffffffu

struct dhcp_request {
	uint32_t type;
	uint32_t requested, server; /* 0 = not given */
	uint32_t overload;
	const uint8_t *client_id;
	uint32_t client_id_length;
};

static void take_option(struct dhcp_request *request, uint32_t option, const uint8_t *value, uint32_t length)
{
	if (option == OPTION_MESSAGE_TYPE && length == 1)
		request->type = value[0];
	else if (option == OPTION_OVERLOAD && length == 1)
		request->overload = value[0];
	else if (option == OPTION_REQUESTED_ADDRESS && length == 4)
		request->requested = get32(value);
	else if (option == OPTION_SERVER && length == 4)
		request->server = get32(value);
	else if (option == OPTION_CLIENT_ID && length > 0) {
		request->client_id = value;
		request->client_id_length = length;
	}
}

/* False: an option runs past the end. */
static bool take_options(struct dhcp_request *request, const uint8_t *bytes, uint32_t length)
{
	for (uint32_t at = 0; at < length;) {
		uint32_t option = bytes[at++];

		if (option == OPTION_END)
			return true;
		if (option == OPTION_PAD)
			continue;
		if (at == length || bytes[at] > length - at - 1)
			return false;
		take_option(request, option, bytes + at + 1, bytes[at]);
		at += 1u + bytes[at];
	}
	return true;
}

static bool parse(struct dhcp_request *request, const uint8_t *bytes, uint32_t length)
{
	memset(request, 0, sizeof *request);
	if (length < AT_OPTIONS || bytes[0] != BOOTP_REQUEST || bytes[1] != 1 ||
	    bytes[2] != ETHERNET_ADDRESS || get32(bytes + AT_MAGIC) != DHCP_MAGIC ||
	    !take_options(request, bytes + AT_OPTIONS, length - AT_OPTIONS))
		return false;
	/* Option 52: more of them in the fields for the file's and the server's name. */
	if ((request->overload & 1) != 0 && !take_options(request, bytes + AT_FILE, AT_MAGIC - AT_FILE))
		return false;
	return (request->overload & 2) == 0 || take_options(request, bytes + AT_SNAME, AT_FILE - AT_SNAME);
}

/* What to answer; 0 = nothing. */
static uint32_t decide(const struct dhcp_request *request, uint32_t ciaddr)
{
	uint32_t wanted = request->requested != 0 ? request->requested : ciaddr;

	switch (request->type) {
	case DHCP_DISCOVER:
		return DHCP_OFFER;
	case DHCP_REQUEST:
		if (request->server != 0 && request->server != SIMWIRE_PEER)
			return 0; /* it took another server's offer */
		return wanted == SIMWIRE_GUEST ? DHCP_ACK : DHCP_NAK;
	case DHCP_INFORM:
		return DHCP_ACK;
	default:
		return 0;
	}
}

static uint8_t *option32(uint8_t *at, uint32_t option, uint32_t value)
{
	at[0] = (uint8_t)option;
	at[1] = 4;
	put32(at + 2, value);
	return at + 6;
}

static uint8_t *put_options(uint8_t *at, const struct dhcp_request *request, uint32_t type)
{
	*at++ = OPTION_MESSAGE_TYPE;
	*at++ = 1;
	*at++ = (uint8_t)type;
	at = option32(at, OPTION_SERVER, SIMWIRE_PEER);
	if (request->client_id != NULL) { /* RFC 6842 */
		*at++ = OPTION_CLIENT_ID;
		*at++ = (uint8_t)request->client_id_length;
		memcpy(at, request->client_id, request->client_id_length);
		at += request->client_id_length;
	}
	if (type != DHCP_NAK) {
		at = option32(at, OPTION_SUBNET_MASK, SIMWIRE_NETMASK);
		at = option32(at, OPTION_ROUTER, SIMWIRE_PEER);
		at = option32(at, OPTION_NAME_SERVER, SIMWIRE_PEER);
		if (request->type != DHCP_INFORM) {
			at = option32(at, OPTION_LEASE_TIME, SIMWIRE_LEASE_SECONDS);
			at = option32(at, OPTION_RENEWAL_TIME, SIMWIRE_LEASE_SECONDS / 2);
			at = option32(at, OPTION_REBINDING_TIME, SIMWIRE_LEASE_SECONDS / 8 * 7);
		}
	}
	*at++ = OPTION_END;
	return at;
}

/* Adds UDP, IPv4 and Ethernet to the BOOTP message in place. */
static uint32_t address(uint8_t *answer, const uint8_t *request, uint32_t type, uint32_t yiaddr,
			uint32_t length)
{
	static const uint8_t everybody[] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
	static const uint8_t peer[] = SIMWIRE_PEER_MAC;
	uint8_t *udp = answer + ETHERNET_HEADER + IPV4_HEADER;
	uint32_t ciaddr = get32(request + AT_CIADDR), to = ciaddr != 0 ? ciaddr : yiaddr, total;
	bool broadcast = type == DHCP_NAK ||
			 (ciaddr == 0 && (get16(request + AT_FLAGS) & BOOTP_FLAG_BROADCAST) != 0);
	uint16_t checksum;

	put16(udp, DHCP_SERVER_PORT);
	put16(udp + 2, DHCP_CLIENT_PORT);
	put16(udp + 4, UDP_HEADER + length);
	put16(udp + 6, 0);
	total = hvh_ipv4_finish(answer, broadcast ? everybody : request + AT_CHADDR, peer, SIMWIRE_PEER,
				broadcast ? BROADCAST : to, IPV4_PROTOCOL_UDP, UDP_HEADER + length);
	checksum = hvh_checksum_finish(hvh_checksum_add(
		hvh_checksum_pseudo(answer + ETHERNET_HEADER, IPV4_PROTOCOL_UDP, UDP_HEADER + length), udp,
		UDP_HEADER + length));
	put16(udp + 6, checksum == 0 ? 0xffffu : checksum);
	return total;
}

uint32_t hvh_simwire_dhcp(const uint8_t *request, uint32_t length, uint8_t *answer)
{
	uint8_t *bootp = answer + ETHERNET_HEADER + IPV4_HEADER + UDP_HEADER;
	struct dhcp_request parsed;
	uint32_t type, yiaddr, size;

	if (!parse(&parsed, request, length))
		return 0;
	type = decide(&parsed, get32(request + AT_CIADDR));
	if (type == 0)
		return 0;
	memset(bootp, 0, AT_OPTIONS + BOOTP_SIZE);
	bootp[0] = BOOTP_REPLY;
	bootp[1] = 1;
	bootp[2] = ETHERNET_ADDRESS;
	memcpy(bootp + AT_XID, request + AT_XID, 4);
	memcpy(bootp + AT_FLAGS, request + AT_FLAGS, 2);
	memcpy(bootp + AT_CHADDR, request + AT_CHADDR, 16);
	yiaddr = type == DHCP_NAK || parsed.type == DHCP_INFORM ? 0 : SIMWIRE_GUEST;
	put32(bootp + AT_YIADDR, yiaddr);
	if (type != DHCP_NAK) {
		memcpy(bootp + AT_CIADDR, request + AT_CIADDR, 4);
		put32(bootp + AT_SIADDR, SIMWIRE_PEER);
	}
	put32(bootp + AT_MAGIC, DHCP_MAGIC);
	size = (uint32_t)(put_options(bootp + AT_OPTIONS, &parsed, type) - bootp);
	return address(answer, request, type, yiaddr, size < BOOTP_SIZE ? BOOTP_SIZE : size);
}
