/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "slirp_filter.h"

#define PORT_DNS 53u
#define PORT_DHCP_SERVER 67u
#define PORT_TFTP 69u
#define BROADCAST 0xffffffffu
#define ARP_SIZE 28u

/* 127/8 and 0/8 are this machine too, wherever libslirp connects to them. */
static bool is_loopback(uint32_t address)
{
	return address >> 24 == 127 || address >> 24 == 0;
}

/* Addresses that libslirp answers for or turns into the loopback's. */
static bool is_local(uint32_t address)
{
	return (address & SLIRP_NETMASK) == SLIRP_NETWORK || address == BROADCAST || is_loopback(address);
}

/* 224/4 and the reserved 240/4: nobody on this network. */
static bool is_group(uint32_t address)
{
	return address >> 29 == 7;
}

static bool port_listed(const uint16_t ports[HVH_SLIRP_PORTS_MAX], uint32_t port)
{
	for (uint32_t i = 0; i < HVH_SLIRP_PORTS_MAX && ports[i] != 0; i++)
		if (ports[i] == port)
			return true;
	return false;
}

static bool tcp_open(const struct hvh_slirp_config *config, const struct hvh_ipv4 *ip, uint32_t port)
{
	if (ip->destination == SLIRP_NAME_SERVER)
		return port == PORT_DNS && !config->restricted;
	return ip->destination == SLIRP_GATEWAY && port_listed(config->loopback_tcp, port);
}

static bool udp_open(const struct hvh_slirp_config *config, const struct hvh_ipv4 *ip, uint32_t port)
{
	if (port == PORT_DHCP_SERVER && (ip->destination == BROADCAST || ip->destination == SLIRP_GATEWAY))
		return true;
	if (ip->destination == SLIRP_NAME_SERVER)
		return port == PORT_DNS && !config->restricted;
	if (ip->destination != SLIRP_GATEWAY)
		return false;
	/* libslirp's own server sits on 69 whether it has files or not. */
	return port == PORT_TFTP ? config->tftp_directory != NULL : port_listed(config->loopback_udp, port);
}

static enum hvh_slirp_verdict refuse(const struct hvh_ipv4 *ip)
{
	if (ip->protocol == IPV4_PROTOCOL_TCP && ip->fragment == 0 && ip->payload_length >= TCP_HEADER &&
	    (ip->payload[13] & (TCP_SYN | TCP_RST | TCP_ACK)) == TCP_SYN)
		return HVH_SLIRP_RESET;
	return HVH_SLIRP_REFUSE;
}

static enum hvh_slirp_verdict judge_local(const struct hvh_slirp_config *config, const struct hvh_ipv4 *ip)
{
	uint32_t port;

	if (is_loopback(ip->destination) || ip->fragment != 0) /* the ports of fragments cannot be told */
		return refuse(ip);
	switch (ip->protocol) {
	case IPV4_PROTOCOL_TCP:
		if (ip->payload_length < TCP_HEADER)
			return HVH_SLIRP_IGNORE;
		port = get16(ip->payload + 2);
		return tcp_open(config, ip, port) ? HVH_SLIRP_PASS : refuse(ip);
	case IPV4_PROTOCOL_UDP:
		if (ip->payload_length < UDP_HEADER)
			return HVH_SLIRP_IGNORE;
		port = get16(ip->payload + 2);
		return udp_open(config, ip, port) ? HVH_SLIRP_PASS : HVH_SLIRP_REFUSE;
	case IPV4_PROTOCOL_ICMP: /* libslirp answers for these two itself */
		return ip->destination == SLIRP_GATEWAY || ip->destination == SLIRP_NAME_SERVER
			       ? HVH_SLIRP_PASS
			       : HVH_SLIRP_REFUSE;
	default:
		return HVH_SLIRP_REFUSE;
	}
}

enum hvh_slirp_verdict hvh_slirp_judge(const struct hvh_slirp_config *config, const uint8_t *frame,
				       uint32_t length)
{
	struct hvh_ipv4 ip;

	if (length < ETHERNET_HEADER)
		return HVH_SLIRP_IGNORE;
	if (get16(frame + 12) == ETHERTYPE_ARP)
		return length < ETHERNET_HEADER + ARP_SIZE ? HVH_SLIRP_IGNORE : HVH_SLIRP_PASS;
	if (!hvh_ipv4_parse(frame, length, &ip))
		return HVH_SLIRP_IGNORE;
	if (is_local(ip.destination))
		return judge_local(config, &ip);
	if (is_group(ip.destination) ||
	    (ip.protocol != IPV4_PROTOCOL_TCP && ip.protocol != IPV4_PROTOCOL_UDP &&
	     ip.protocol != IPV4_PROTOCOL_ICMP))
		return HVH_SLIRP_IGNORE;
	return config->restricted ? refuse(&ip) : HVH_SLIRP_PASS;
}

void hvh_slirp_reset(const uint8_t *frame, uint32_t length, uint8_t reset[HVH_SLIRP_RESET_SIZE])
{
	uint8_t *tcp = reset + ETHERNET_HEADER + IPV4_HEADER;
	uint8_t gateway_mac[ETHERNET_ADDRESS];
	struct hvh_ipv4 ip;

	memset(reset, 0, HVH_SLIRP_RESET_SIZE);
	if (!hvh_ipv4_parse(frame, length, &ip) || ip.payload_length < TCP_HEADER)
		return;
	put16(gateway_mac, SLIRP_MAC_PREFIX);
	put32(gateway_mac + 2, SLIRP_GATEWAY);
	memcpy(tcp, ip.payload + 2, 2);
	memcpy(tcp + 2, ip.payload, 2);
	put32(tcp + 8, get32(ip.payload + 4) + 1); /* the SYN takes a number */
	tcp[12] = TCP_HEADER / 4 << 4;
	tcp[13] = TCP_RST | TCP_ACK;
	hvh_ipv4_finish(reset, frame + ETHERNET_ADDRESS, gateway_mac, ip.destination, ip.source,
			IPV4_PROTOCOL_TCP, TCP_HEADER);
	put16(tcp + 16, hvh_checksum_finish(hvh_checksum_add(
				hvh_checksum_pseudo(reset + ETHERNET_HEADER, IPV4_PROTOCOL_TCP, TCP_HEADER),
				tcp, TCP_HEADER)));
}
