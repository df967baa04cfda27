/* SPDX-License-Identifier: MIT */
/* What of the guest's frames libslirp gets to see: the user's loopback stays closed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "host/backends/slirp_filter.h"

#define GATEWAY 0x0a000202u
#define NAME_SERVER 0x0a000203u
#define OUTSIDE 0x5db8d822u /* 93.184.216.34 */
#define PROTOCOL_IGMP 2u

static const struct hvh_slirp_config closed;
static const struct hvh_slirp_config open_ports = {
	.loopback_tcp = {8080, 22}, .loopback_udp = {6969}, .tftp_directory = "/srv/tftp"};
static const struct hvh_slirp_config restricted = {.loopback_tcp = {8080}, .restricted = true};

struct packet {
	uint8_t bytes[128];
	uint32_t length;
};

static struct packet make(uint32_t to, uint32_t protocol, uint32_t port)
{
	static const uint8_t guest[] = {0x00, 0x15, 0x5d, 1, 2, 3}, gateway[] = {0x52, 0x55, 10, 0, 2, 2};
	struct packet packet = {.length = 0};
	uint8_t *payload = packet.bytes + ETHERNET_HEADER + IPV4_HEADER;

	put16(payload, 40000);
	put16(payload + 2, port);
	put32(payload + 4, 0x11223344); /* TCP: sequence; UDP: what follows makes it right */
	if (protocol == IPV4_PROTOCOL_UDP)
		put32(payload + 4, TCP_HEADER << 16);
	if (protocol == IPV4_PROTOCOL_TCP) {
		payload[12] = 0x50;
		payload[13] = TCP_SYN;
	}
	packet.length = hvh_ipv4_finish(packet.bytes, gateway, guest, 0x0a00020f, to, protocol, TCP_HEADER);
	return packet;
}

static enum hvh_slirp_verdict judge(const struct hvh_slirp_config *config, uint32_t to, uint32_t protocol,
				    uint32_t port)
{
	struct packet packet = make(to, protocol, port);

	return hvh_slirp_judge(config, packet.bytes, packet.length);
}

static enum hvh_slirp_verdict tcp(const struct hvh_slirp_config *config, uint32_t to, uint32_t port)
{
	return judge(config, to, IPV4_PROTOCOL_TCP, port);
}

static enum hvh_slirp_verdict udp(const struct hvh_slirp_config *config, uint32_t to, uint32_t port)
{
	return judge(config, to, IPV4_PROTOCOL_UDP, port);
}

static void test_gateway_ports(void **state)
{
	(void)state;
	assert_int_equal(tcp(&closed, GATEWAY, 8080), HVH_SLIRP_RESET);
	assert_int_equal(tcp(&open_ports, GATEWAY, 8080), HVH_SLIRP_PASS);
	assert_int_equal(tcp(&open_ports, GATEWAY, 22), HVH_SLIRP_PASS);
	assert_int_equal(tcp(&open_ports, GATEWAY, 8081), HVH_SLIRP_RESET);
	assert_int_equal(tcp(&open_ports, GATEWAY, 6969), HVH_SLIRP_RESET); /* that is UDP's */
	assert_int_equal(tcp(&open_ports, GATEWAY, 0), HVH_SLIRP_RESET);    /* 0 ends the list */
	assert_int_equal(udp(&open_ports, GATEWAY, 6969), HVH_SLIRP_PASS);
	assert_int_equal(udp(&open_ports, GATEWAY, 8080), HVH_SLIRP_REFUSE);
}

static void test_own_services(void **state)
{
	(void)state;
	assert_int_equal(udp(&closed, 0xffffffffu, 67), HVH_SLIRP_PASS);
	assert_int_equal(udp(&closed, GATEWAY, 67), HVH_SLIRP_PASS);
	assert_int_equal(udp(&closed, NAME_SERVER, 53), HVH_SLIRP_PASS);
	assert_int_equal(tcp(&closed, NAME_SERVER, 53), HVH_SLIRP_PASS);
	assert_int_equal(udp(&closed, NAME_SERVER, 54), HVH_SLIRP_REFUSE);
	assert_int_equal(tcp(&closed, NAME_SERVER, 22), HVH_SLIRP_RESET);
	assert_int_equal(udp(&closed, GATEWAY, 69), HVH_SLIRP_REFUSE); /* no directory */
	assert_int_equal(udp(&open_ports, GATEWAY, 69), HVH_SLIRP_PASS);
	assert_int_equal(judge(&closed, GATEWAY, IPV4_PROTOCOL_ICMP, 0), HVH_SLIRP_PASS);
}

/* Every way to the user's loopback that is not a listed port of the gateway. */
static void test_ways_to_the_loopback(void **state)
{
	(void)state;
	assert_int_equal(tcp(&open_ports, 0x7f000001u, 8080), HVH_SLIRP_RESET);
	assert_int_equal(tcp(&open_ports, 0x7fffffffu, 8080), HVH_SLIRP_RESET);
	assert_int_equal(tcp(&open_ports, 0x00000000u, 8080), HVH_SLIRP_RESET);
	assert_int_equal(tcp(&open_ports, 0x00000001u, 8080), HVH_SLIRP_RESET);
	assert_int_equal(udp(&open_ports, 0x7f000001u, 6969), HVH_SLIRP_REFUSE);
	assert_int_equal(udp(&open_ports, 0xffffffffu, 6969), HVH_SLIRP_REFUSE); /* becomes 127.0.0.1 */
	assert_int_equal(udp(&open_ports, 0x0a0002ffu, 6969), HVH_SLIRP_REFUSE);
	assert_int_equal(tcp(&open_ports, 0x0a000204u, 8080), HVH_SLIRP_RESET); /* others of the network */
	assert_int_equal(udp(&open_ports, 0x7f000001u, 67), HVH_SLIRP_REFUSE);
	assert_int_equal(judge(&open_ports, 0x7f000001u, IPV4_PROTOCOL_ICMP, 0), HVH_SLIRP_REFUSE);
}

static void test_fragments(void **state)
{
	struct packet packet = make(GATEWAY, IPV4_PROTOCOL_TCP, 8080);

	(void)state;
	put16(packet.bytes + 20, 0x4000); /* do not fragment: none */
	assert_int_equal(hvh_slirp_judge(&open_ports, packet.bytes, packet.length), HVH_SLIRP_PASS);
	put16(packet.bytes + 20, 0x2000); /* more fragments */
	assert_int_equal(hvh_slirp_judge(&open_ports, packet.bytes, packet.length), HVH_SLIRP_REFUSE);
	put16(packet.bytes + 20, 1); /* a later one: what looks like ports is none */
	assert_int_equal(hvh_slirp_judge(&open_ports, packet.bytes, packet.length), HVH_SLIRP_REFUSE);
	packet = make(OUTSIDE, IPV4_PROTOCOL_UDP, 9);
	put16(packet.bytes + 20, 1);
	assert_int_equal(hvh_slirp_judge(&open_ports, packet.bytes, packet.length), HVH_SLIRP_PASS);
}

/* Ports are read behind the options. */
static void test_ip_options(void **state)
{
	struct packet packet = make(GATEWAY, IPV4_PROTOCOL_TCP, 8080);

	(void)state;
	memmove(packet.bytes + 38, packet.bytes + 34, TCP_HEADER);
	memset(packet.bytes + 34, 1, 4);
	packet.bytes[14] = 0x46;
	put16(packet.bytes + 16, IPV4_HEADER + 4 + TCP_HEADER);
	packet.length += 4;
	assert_int_equal(hvh_slirp_judge(&open_ports, packet.bytes, packet.length), HVH_SLIRP_PASS);
	put16(packet.bytes + 40, 8081);
	assert_int_equal(hvh_slirp_judge(&open_ports, packet.bytes, packet.length), HVH_SLIRP_RESET);
}

static void test_the_world_outside(void **state)
{
	(void)state;
	assert_int_equal(tcp(&closed, OUTSIDE, 80), HVH_SLIRP_PASS);
	assert_int_equal(udp(&closed, OUTSIDE, 123), HVH_SLIRP_PASS);
	assert_int_equal(judge(&closed, OUTSIDE, PROTOCOL_IGMP, 0), HVH_SLIRP_IGNORE);
	assert_int_equal(udp(&closed, 0xe00000fbu, 5353), HVH_SLIRP_IGNORE); /* a group */
	assert_int_equal(tcp(&restricted, OUTSIDE, 80), HVH_SLIRP_RESET);
	assert_int_equal(udp(&restricted, OUTSIDE, 123), HVH_SLIRP_REFUSE);
	assert_int_equal(udp(&restricted, NAME_SERVER, 53), HVH_SLIRP_REFUSE);
	assert_int_equal(tcp(&restricted, GATEWAY, 8080), HVH_SLIRP_PASS);
	assert_int_equal(udp(&restricted, 0xffffffffu, 67), HVH_SLIRP_PASS);
}

static void test_frames_of_other_kinds(void **state)
{
	struct packet packet = make(OUTSIDE, IPV4_PROTOCOL_TCP, 80);

	(void)state;
	for (uint32_t length = 0; length < packet.length; length++) /* cut: the length in it is a lie */
		assert_int_equal(hvh_slirp_judge(&closed, packet.bytes, length), HVH_SLIRP_IGNORE);
	packet.bytes[14] = 0x44; /* header of 16 bytes */
	assert_int_equal(hvh_slirp_judge(&closed, packet.bytes, packet.length), HVH_SLIRP_IGNORE);
	packet.bytes[14] = 0x65;
	assert_int_equal(hvh_slirp_judge(&closed, packet.bytes, packet.length), HVH_SLIRP_IGNORE);
	put16(packet.bytes + 12, 0x86dd);
	assert_int_equal(hvh_slirp_judge(&closed, packet.bytes, packet.length), HVH_SLIRP_IGNORE);
	put16(packet.bytes + 12, 0x0806);
	assert_int_equal(hvh_slirp_judge(&closed, packet.bytes, packet.length), HVH_SLIRP_PASS);
	assert_int_equal(hvh_slirp_judge(&closed, packet.bytes, 41), HVH_SLIRP_IGNORE);
}

static void test_only_a_syn_is_reset(void **state)
{
	struct packet packet = make(GATEWAY, IPV4_PROTOCOL_TCP, 80);

	(void)state;
	packet.bytes[47] = TCP_ACK;
	assert_int_equal(hvh_slirp_judge(&closed, packet.bytes, packet.length), HVH_SLIRP_REFUSE);
	packet.bytes[47] = TCP_RST;
	assert_int_equal(hvh_slirp_judge(&closed, packet.bytes, packet.length), HVH_SLIRP_REFUSE);
}

static void test_reset(void **state)
{
	static const uint8_t head[] = {0x00, 0x15, 0x5d, 1,    2,    3,    0x52, 0x55, 10,   0,    2,
				       2,    0x08, 0x00, 0x45, 0x00, 0x00, 0x28, 0x00, 0x00, 0x00, 0x00};
	static const uint8_t tcp_part[] = {0x00, 0x50, 0x9c, 0x40, 0,    0,    0, 0,
					   0x11, 0x22, 0x33, 0x45, 0x50, 0x14, 0, 0};
	struct packet packet = make(GATEWAY, IPV4_PROTOCOL_TCP, 80);
	uint8_t reset[HVH_SLIRP_RESET_SIZE];
	struct hvh_ipv4 ip;

	(void)state;
	hvh_slirp_reset(packet.bytes, packet.length, reset);
	assert_memory_equal(reset, head, sizeof head);
	assert_memory_equal(reset + 26, "\x0a\x00\x02\x02\x0a\x00\x02\x0f", 8);
	assert_memory_equal(reset + 34, tcp_part, sizeof tcp_part);
	assert_true(hvh_ipv4_parse(reset, sizeof reset, &ip));
	assert_int_equal(hvh_checksum_finish(hvh_checksum_add(0, ip.header, 20)), 0);
	assert_int_equal(hvh_checksum_finish(hvh_checksum_add(
				 hvh_checksum_pseudo(ip.header, IPV4_PROTOCOL_TCP, TCP_HEADER), ip.payload,
				 TCP_HEADER)),
			 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_gateway_ports),
		cmocka_unit_test(test_own_services),
		cmocka_unit_test(test_ways_to_the_loopback),
		cmocka_unit_test(test_fragments),
		cmocka_unit_test(test_ip_options),
		cmocka_unit_test(test_the_world_outside),
		cmocka_unit_test(test_frames_of_other_kinds),
		cmocka_unit_test(test_only_a_syn_is_reset),
		cmocka_unit_test(test_reset),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
