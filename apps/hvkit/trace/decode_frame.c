/* SPDX-License-Identifier: MIT */
/* Ethernet frames, as far as a dialogue needs them: ARP, IPv4 with ICMP, UDP (DHCP) and TCP
 * (the first line of HTTP). */
#include <stdio.h>
#include <string.h>

#include "apps/hvkit/trace/decode_private.h"

#define ETHERNET_HEADER 14u
#define ETHERTYPE_IPV4 0x0800u
#define ETHERTYPE_ARP 0x0806u
#define ETHERTYPE_VLAN 0x8100u
#define ETHERTYPE_IPV6 0x86ddu
#define PROTOCOL_ICMP 1u
#define PROTOCOL_TCP 6u
#define PROTOCOL_UDP 17u
#define DHCP_OPTIONS 240u /* fixed part and magic number */
#define DHCP_OPTION_MESSAGE_TYPE 53u
#define DHCP_OPTION_END 255u
#define LINE_MAX_SHOWN 100u
#define ADDRESS_TEXT 48u

struct flow {
	char source[ADDRESS_TEXT], destination[ADDRESS_TEXT];
};

static void ipv4_text(const struct trace_view *view, uint32_t at, char text[ADDRESS_TEXT])
{
	snprintf(text, ADDRESS_TEXT, "%u.%u.%u.%u", (unsigned)trace_get(view, at, 1),
		 (unsigned)trace_get(view, at + 1, 1), (unsigned)trace_get(view, at + 2, 1),
		 (unsigned)trace_get(view, at + 3, 1));
}

static void ipv6_text(const struct trace_view *view, uint32_t at, char text[ADDRESS_TEXT])
{
	text[0] = '\0';
	for (uint32_t n = 0; n < 8; n++) {
		size_t length = strlen(text);

		snprintf(text + length, ADDRESS_TEXT - length, "%s%x", n > 0 ? ":" : "",
			 (unsigned)trace_get_be(view, at + 2u * n, 2));
	}
}

static void mac_text(const struct trace_view *view, uint32_t at, char text[ADDRESS_TEXT])
{
	const uint8_t *b = view->bytes + at;

	snprintf(text, ADDRESS_TEXT, "%02x:%02x:%02x:%02x:%02x:%02x", b[0], b[1], b[2], b[3], b[4], b[5]);
}

static void decode_arp(struct trace_job *job, const struct trace_view *view)
{
	char sender[ADDRESS_TEXT], target[ADDRESS_TEXT], mac[ADDRESS_TEXT];
	unsigned operation = (unsigned)trace_get_be(view, 6, 2);

	if (view->size < 28) {
		trace_layer(job, view, "arp (short: %u of 28 bytes)", (unsigned)view->size);
		return;
	}
	ipv4_text(view, 14, sender);
	ipv4_text(view, 24, target);
	mac_text(view, 8, mac);
	if (operation == 1)
		trace_layer(job, view, "arp who-has %s tell %s", target, sender);
	else if (operation == 2)
		trace_layer(job, view, "arp %s is-at %s", sender, mac);
	else
		trace_layer(job, view, "arp operation-%u", operation);
}

static void decode_icmp(struct trace_job *job, const struct trace_view *view, const struct flow *flow)
{
	unsigned type = (unsigned)trace_get(view, 0, 1), code = (unsigned)trace_get(view, 1, 1);

	if (view->size < 8)
		trace_layer(job, view, "icmp %s > %s (short: %u of 8 bytes)", flow->source, flow->destination,
			    (unsigned)view->size);
	else if (type == 8 || type == 0)
		trace_layer(job, view, "icmp echo-%s %s > %s id=%u number=%u",
			    type == 8 ? "request" : "reply", flow->source, flow->destination,
			    (unsigned)trace_get_be(view, 4, 2), (unsigned)trace_get_be(view, 6, 2));
	else
		trace_layer(job, view, "icmp type-%u code-%u %s > %s", type, code, flow->source,
			    flow->destination);
}

static void decode_dhcp(struct trace_job *job, const struct trace_view *view)
{
	static const char *const types[] = {NULL,  "discover", "offer",   "request", "decline",
					    "ack", "nak",      "release", "inform"};
	uint32_t at = DHCP_OPTIONS, type = 0;

	while (trace_has(view, at, 2) && view->bytes[at] != DHCP_OPTION_END) {
		if (view->bytes[at] == DHCP_OPTION_MESSAGE_TYPE && trace_has(view, at + 2, 1))
			type = view->bytes[at + 2];
		at += view->bytes[at] == 0 ? 1u : 2u + view->bytes[at + 1];
	}
	if (type > 0 && type < sizeof(types) / sizeof(types[0]))
		trace_layer(job, view, "dhcp %s", types[type]);
	else
		trace_layer(job, view, "dhcp type-%u", (unsigned)type);
}

static void decode_udp(struct trace_job *job, const struct trace_view *view, const struct flow *flow)
{
	unsigned source = trace_get_be(view, 0, 2), destination = trace_get_be(view, 2, 2);
	unsigned length = trace_get_be(view, 4, 2);
	struct trace_view data = trace_part(view, 8, length >= 8 ? length - 8u : 0);

	if (view->size < 8) {
		trace_layer(job, view, "udp %s > %s (short: %u of 8 bytes)", flow->source, flow->destination,
			    (unsigned)view->size);
		return;
	}
	trace_layer(job, view, "udp %s:%u > %s:%u length=%u", flow->source, source, flow->destination,
		    destination, length >= 8 ? length - 8u : 0);
	if ((source == 67 || source == 68) && (destination == 67 || destination == 68))
		decode_dhcp(job, &data);
}

static bool is_http(const struct trace_view *data)
{
	static const char *const starts[] = {"GET ", "HEAD ", "POST ", "PUT ", "DELETE ", "HTTP/1."};

	for (uint32_t n = 0; n < sizeof(starts) / sizeof(starts[0]); n++) {
		if (data->size >= strlen(starts[n]) && memcmp(data->bytes, starts[n], strlen(starts[n])) == 0)
			return true;
	}
	return false;
}

static void decode_http(struct trace_job *job, const struct trace_view *data)
{
	struct trace_view line = trace_part(data, 0, LINE_MAX_SHOWN);
	const uint8_t *end = memchr(line.bytes, '\r', line.size);
	char text[TRACE_VALUE_MAX];

	if (end != NULL)
		line.size = (uint32_t)(end - line.bytes);
	trace_escape(&line, text);
	trace_layer(job, data, "http");
	trace_say(job, " %s", text);
	trace_detail(job, data, 0, line.size, "line", "%s", text);
}

static void decode_tcp(struct trace_job *job, const struct trace_view *view, const struct flow *flow)
{
	static const struct {
		uint8_t bit;
		const char *name;
	} flags[] = {{0x02, "SYN"}, {0x01, "FIN"}, {0x04, "RST"},
		     {0x08, "PSH"}, {0x10, "ACK"}, {0x20, "URG"}};
	uint32_t header = 4u * (uint32_t)(trace_get(view, 12, 1) >> 4),
		 bits = (uint32_t)trace_get(view, 13, 1);
	struct trace_view data = trace_part(view, header, view->size);
	char text[32] = "";

	if (view->size < 20 || header < 20) {
		trace_layer(job, view, "tcp %s > %s (short: %u bytes)", flow->source, flow->destination,
			    (unsigned)view->size);
		return;
	}
	for (uint32_t n = 0; n < sizeof(flags) / sizeof(flags[0]); n++) {
		size_t length = strlen(text);

		if (bits & flags[n].bit)
			snprintf(text + length, sizeof(text) - length, "%s%s", length > 0 ? "+" : "",
				 flags[n].name);
	}
	trace_layer(job, view, "tcp %s:%u > %s:%u %s length=%u", flow->source,
		    (unsigned)trace_get_be(view, 0, 2), flow->destination, (unsigned)trace_get_be(view, 2, 2),
		    text, (unsigned)data.size);
	trace_detail(job, view, 4, 4, "sequence", "%u", (unsigned)trace_get_be(view, 4, 4));
	trace_detail(job, view, 8, 4, "acknowledged", "%u", (unsigned)trace_get_be(view, 8, 4));
	trace_detail(job, view, 14, 2, "window", "%u", (unsigned)trace_get_be(view, 14, 2));
	if (is_http(&data))
		decode_http(job, &data);
}

static void decode_ipv4(struct trace_job *job, const struct trace_view *view)
{
	uint32_t header = 4u * (uint32_t)(trace_get(view, 0, 1) & 15u), total = trace_get_be(view, 2, 2);
	unsigned protocol = (unsigned)trace_get(view, 9, 1);
	struct trace_view data;
	struct flow flow;

	if (view->size < 20 || header < 20 || total < header) {
		trace_layer(job, view, "ipv4 (short: %u bytes)", (unsigned)view->size);
		return;
	}
	ipv4_text(view, 12, flow.source);
	ipv4_text(view, 16, flow.destination);
	data = trace_part(view, header, total - header);
	if ((trace_get_be(view, 6, 2) & 0x1fff) != 0)
		trace_layer(job, view, "ipv4 %s > %s fragment", flow.source, flow.destination);
	else if (protocol == PROTOCOL_ICMP)
		decode_icmp(job, &data, &flow);
	else if (protocol == PROTOCOL_UDP)
		decode_udp(job, &data, &flow);
	else if (protocol == PROTOCOL_TCP)
		decode_tcp(job, &data, &flow);
	else
		trace_layer(job, view, "ipv4 %s > %s protocol=%u", flow.source, flow.destination, protocol);
}

static void decode_ipv6(struct trace_job *job, const struct trace_view *view)
{
	struct flow flow;

	if (view->size < 40) {
		trace_layer(job, view, "ipv6 (short: %u of 40 bytes)", (unsigned)view->size);
		return;
	}
	ipv6_text(view, 8, flow.source);
	ipv6_text(view, 24, flow.destination);
	trace_layer(job, view, "ipv6 %s > %s next=%u", flow.source, flow.destination,
		    (unsigned)trace_get(view, 6, 1));
}

void trace_decode_frame(struct trace_job *job, const struct trace_view *view)
{
	unsigned type = (unsigned)trace_get_be(view, 12, 2);
	char source[ADDRESS_TEXT], destination[ADDRESS_TEXT];
	struct trace_view rest = trace_part(view, ETHERNET_HEADER, view->size);

	if (view->size < ETHERNET_HEADER) {
		trace_layer(job, view, "ethernet (short: %u of 14 bytes)", (unsigned)view->size);
		return;
	}
	if (type == ETHERTYPE_VLAN && view->size >= ETHERNET_HEADER + 4u) {
		trace_say(job, " vlan=%u", (unsigned)(trace_get_be(view, 14, 2) & 0xfff));
		type = (unsigned)trace_get_be(view, 16, 2);
		rest = trace_part(view, ETHERNET_HEADER + 4u, view->size);
	}
	mac_text(view, 0, destination);
	mac_text(view, 6, source);
	trace_detail(job, view, 0, 6, "destination", "%s", destination);
	trace_detail(job, view, 6, 6, "source", "%s", source);
	trace_detail(job, view, 12, 2, "ethertype", "0x%04x", type);
	switch (type) {
	case ETHERTYPE_ARP:
		decode_arp(job, &rest);
		break;
	case ETHERTYPE_IPV4:
		decode_ipv4(job, &rest);
		break;
	case ETHERTYPE_IPV6:
		decode_ipv6(job, &rest);
		break;
	default:
		trace_layer(job, view, "ethernet %s > %s type=0x%04x length=%u", source, destination, type,
			    (unsigned)rest.size);
	}
}
