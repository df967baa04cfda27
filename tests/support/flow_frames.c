/* SPDX-License-Identifier: MIT */
#include "tests/support/flow_frames.h"

#include <string.h>

#define ETHERNET 14u
#define TAG 4u
#define TPID 0x8100u
#define IPV4 20u
#define IPV6 40u
#define TCP 20u
#define UDP 8u
#define PROTOCOL_TCP 6u
#define PROTOCOL_UDP 17u

struct flow_kind flow_kind(uint32_t flow)
{
	return (struct flow_kind){
		.v6 = flow % 4 >= 2,
		.tcp = flow % 2 != 0,
		.tag = flow % 5 == 4 ? (uint16_t)(0x6000u | (100 + flow)) : 0, /* a priority, too */
	};
}

uint32_t flow_headers(uint32_t flow)
{
	struct flow_kind kind = flow_kind(flow);

	return ETHERNET + (kind.v6 ? IPV6 : IPV4) + (kind.tcp ? TCP : UDP);
}

uint32_t flow_checksum_at(uint32_t flow, bool tagged)
{
	struct flow_kind kind = flow_kind(flow);

	return ETHERNET + (tagged ? TAG : 0) + (kind.v6 ? IPV6 : IPV4) + (kind.tcp ? 16u : 6u);
}

static void put16(uint8_t *at, uint32_t value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
}

static void put32(uint8_t *at, uint32_t value)
{
	put16(at, value >> 16);
	put16(at + 2, value);
}

static uint32_t get16(const uint8_t *at)
{
	return (uint32_t)at[0] << 8 | at[1];
}

static uint32_t get32(const uint8_t *at)
{
	return get16(at) << 16 | get16(at + 2);
}

/* --- Addresses ------------------------------------------------------------------------------ */

/* Side 0 is the guest, side 1 the peer. */
static uint32_t address(uint8_t *to, uint32_t flow, unsigned side)
{
	static const uint8_t prefix[8] = {0xfd, 0, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66};

	if (!flow_kind(flow).v6) {
		put32(to, side == 0 ? 0x0a07000fu : 0x0a070100u + flow * 7);
		return 4;
	}
	memcpy(to, prefix, sizeof(prefix));
	put32(to + 8, side);
	put32(to + 12, side == 0 ? 0xfu : 0x01020300u + flow * 5);
	return 16;
}

static uint32_t port(uint32_t flow, unsigned side)
{
	return side == 0 ? 40000 + flow * 3 : 5001 + flow * 11;
}

uint32_t flow_tuple(uint8_t tuple[36], enum flow_direction direction, uint32_t flow, bool ports)
{
	unsigned from = direction == FLOW_TO_GUEST ? 1 : 0;
	uint32_t length = address(tuple, flow, from);

	length += address(tuple + length, flow, 1 - from);
	if (!ports)
		return length;
	put16(tuple + length, port(flow, from));
	put16(tuple + length + 2, port(flow, 1 - from));
	return length + 4;
}

/* --- Bytes ----------------------------------------------------------------------------------- */

static uint8_t pattern(enum flow_direction direction, uint32_t flow, uint32_t offset)
{
	return (uint8_t)(offset * 167 + (offset >> 8) * 13 + flow * 29 +
			 (direction == FLOW_TO_WIRE ? 0x5a : 0));
}

/* Where the flow's sequence numbers begin: some pass 2^32 soon. */
static uint32_t sequence_base(enum flow_direction direction, uint32_t flow)
{
	return flow * 0x10000001u - (direction == FLOW_TO_WIRE ? 5000 : 2000);
}

static uint32_t add(uint32_t sum, const uint8_t *bytes, uint32_t length)
{
	for (uint32_t i = 0; i + 1 < length; i += 2)
		sum += get16(bytes + i);
	if (length % 2)
		sum += (uint32_t)bytes[length - 1] << 8;
	return (sum & 0xffff) + (sum >> 16);
}

static uint32_t fold(uint32_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return sum;
}

/* 0xffff over a right one. */
static uint32_t transport_sum(const uint8_t *ip, bool v6, uint32_t protocol, const uint8_t *transport,
			      uint32_t length)
{
	uint32_t sum = add(protocol + length, v6 ? ip + 8 : ip + 12, v6 ? 32 : 8);

	return fold(add(sum, transport, length));
}

static void build_ip(uint8_t *ip, enum flow_direction direction, uint32_t flow, uint32_t offset,
		     uint32_t length)
{
	struct flow_kind kind = flow_kind(flow);
	unsigned from = direction == FLOW_TO_GUEST ? 1 : 0;
	uint8_t protocol = kind.tcp ? PROTOCOL_TCP : PROTOCOL_UDP;
	uint32_t size;

	if (kind.v6) {
		put32(ip, 0x60000000u);
		put16(ip + 4, length);
		ip[6] = protocol;
		ip[7] = 64;
		size = address(ip + 8, flow, from);
		(void)address(ip + 8 + size, flow, 1 - from);
		return;
	}
	put16(ip, 0x4500);
	put16(ip + 2, IPV4 + length);
	put16(ip + 4, offset);
	put16(ip + 6, kind.tcp ? 0x4000 : 0); /* UDP may be cut: there hosts sum long ones wrong */
	ip[8] = 64;
	ip[9] = protocol;
	put16(ip + 10, 0);
	(void)address(ip + 12, flow, from);
	(void)address(ip + 16, flow, 1 - from);
	put16(ip + 10, ~fold(add(0, ip, IPV4)));
}

static void build_transport(uint8_t *at, enum flow_direction direction, uint32_t flow, uint32_t offset,
			    uint32_t payload)
{
	unsigned from = direction == FLOW_TO_GUEST ? 1 : 0;

	put16(at, port(flow, from));
	put16(at + 2, port(flow, 1 - from));
	if (!flow_kind(flow).tcp) {
		put16(at + 4, UDP + payload);
		put16(at + 6, 0);
		return;
	}
	put32(at + 4, sequence_base(direction, flow) + offset);
	put32(at + 8, 0x01020304u);
	put16(at + 12, 0x5010);
	put16(at + 14, 0x7fff);
	put32(at + 16, 0);
}

uint32_t flow_frame_build(uint8_t *frame, enum flow_direction direction, uint32_t flow, uint32_t offset,
			  uint32_t payload, const uint8_t *guest_mac, bool tagged)
{
	static const uint8_t peer_mac[6] = {2, 0, 0, 0, 0, 1};
	struct flow_kind kind = flow_kind(flow);
	uint8_t *ip = frame + ETHERNET + (tagged ? TAG : 0), *transport = ip + (kind.v6 ? IPV6 : IPV4);
	uint8_t *data = transport + (kind.tcp ? TCP : UDP);
	uint32_t length = (uint32_t)(data - transport) + payload, sum;

	memcpy(frame, direction == FLOW_TO_GUEST ? guest_mac : peer_mac, 6);
	memcpy(frame + 6, direction == FLOW_TO_GUEST ? peer_mac : guest_mac, 6);
	if (tagged) {
		put16(frame + 12, TPID);
		put16(frame + 14, kind.tag);
	}
	put16(ip - 2, kind.v6 ? 0x86dd : 0x0800);
	build_ip(ip, direction, flow, offset, length);
	build_transport(transport, direction, flow, offset, payload);
	for (uint32_t i = 0; i < payload; i++)
		data[i] = pattern(direction, flow, offset + i);
	if (!kind.tcp) /* datagrams have no sequence numbers */
		put32(data, offset);
	sum = transport_sum(ip, kind.v6, kind.tcp ? PROTOCOL_TCP : PROTOCOL_UDP, transport, length);
	if (!kind.tcp && sum == 0xffff)
		sum = 0; /* 0 would say that there is none */
	put16(frame + flow_checksum_at(flow, tagged), ~sum);
	return (uint32_t)(data - frame) + payload;
}

/* --- Looking at one ----------------------------------------------------------------------------- */

/* The flow whose peer has that address in that place; FLOWS_MAX: none. */
static uint32_t find_flow(const uint8_t *ip, bool v6, enum flow_direction direction)
{
	uint8_t wanted[16];

	for (uint32_t flow = 0; flow < FLOWS_MAX; flow++) {
		uint32_t size = address(wanted, flow, 1), at = v6 ? 8 : 12;

		if (direction == FLOW_TO_WIRE)
			at += size;
		if (flow_kind(flow).v6 == v6 && memcmp(ip + at, wanted, size) == 0)
			return flow;
	}
	return FLOWS_MAX;
}

static const char *parse_payload(const uint8_t *data, enum flow_direction direction, struct flow_frame *out)
{
	uint32_t from = 0;

	if (!flow_kind(out->flow).tcp) {
		if (out->payload < 4)
			return "a datagram too short";
		out->offset = get32(data);
		from = 4;
	}
	for (uint32_t i = from; i < out->payload; i++) {
		if (data[i] != pattern(direction, out->flow, out->offset + i))
			return "a byte of the payload is another";
	}
	return NULL;
}

static const char *parse_transport(const uint8_t *at, uint32_t length, enum flow_direction direction,
				   struct flow_frame *out)
{
	unsigned from = direction == FLOW_TO_GUEST ? 1 : 0;
	bool tcp = flow_kind(out->flow).tcp;
	uint32_t header = tcp ? TCP : UDP;

	if (length < header || get16(at) != port(out->flow, from) ||
	    get16(at + 2) != port(out->flow, 1 - from))
		return "other ports, or a length that cannot be";
	if (!tcp && get16(at + 4) != length)
		return "a UDP length that is not IP's";
	if (tcp && (get32(at + 8) != 0x01020304u || get16(at + 12) != 0x5010 || get16(at + 14) != 0x7fff))
		return "another TCP header";
	if (tcp)
		out->offset = get32(at + 4) - sequence_base(direction, out->flow);
	out->payload = length - header;
	return parse_payload(at + header, direction, out);
}

const char *flow_frame_parse(const uint8_t *frame, uint32_t length, enum flow_direction direction,
			     struct flow_frame *out)
{
	const uint8_t *ip = frame + ETHERNET, *transport;
	uint32_t left = length - ETHERNET, size;
	bool v6, tcp;

	*out = (struct flow_frame){0};
	if (length < ETHERNET + IPV4 + UDP + 4)
		return "a frame too short";
	out->tagged = get16(frame + 12) == TPID;
	if (out->tagged) {
		out->tag = (uint16_t)get16(frame + 14);
		ip += TAG;
		left -= TAG;
	}
	v6 = get16(ip - 2) == 0x86dd;
	if (!v6 && get16(ip - 2) != 0x0800)
		return "another EtherType";
	if (v6 && left < IPV6 + UDP + 4)
		return "a frame too short";
	out->flow = find_flow(ip, v6, direction);
	if (out->flow == FLOWS_MAX)
		return "addresses of no flow";
	tcp = flow_kind(out->flow).tcp;
	if (ip[v6 ? 6 : 9] != (tcp ? PROTOCOL_TCP : PROTOCOL_UDP))
		return "another protocol";
	size = v6 ? IPV6 + get16(ip + 4) : get16(ip + 2);
	if (left < IPV4 + UDP + 4 || size != left)
		return "an IP length that is not the frame's";
	transport = ip + (v6 ? IPV6 : IPV4);
	size -= v6 ? IPV6 : IPV4;
	out->header_sum_good = v6 || fold(add(0, ip, IPV4)) == 0xffff;
	out->sum_good = transport_sum(ip, v6, ip[v6 ? 6 : 9], transport, size) == 0xffff;
	return parse_transport(transport, size, direction, out);
}
