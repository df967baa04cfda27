/* SPDX-License-Identifier: MIT */
/* The simulated wire: ARP, DHCP, echo, numbered frames, delays. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "host/backends/simwire.h"
#include "hvkit_host/network.h"

#define GUEST_MAC "\x00\x15\x5d\x01\x02\x03"
#define PEER_MAC "\x02\x48\x56\x4b\x00\x01"
#define ALL "\xff\xff\xff\xff\xff\xff"
#define FRAMES 512u

/* A card that takes frames down. */
struct hvh_nic {
	uint32_t room;
	uint32_t count;
	uint32_t length[FRAMES];
	uint64_t time[FRAMES];
	uint8_t frame[FRAMES][2048];
};

bool hvh_nic_receive(struct hvh_nic *nic, uint64_t now, const void *frame, uint32_t length)
{
	assert_true(nic->count < FRAMES && nic->room > 0 && length <= 2048);
	memcpy(nic->frame[nic->count], frame, length);
	nic->time[nic->count] = now;
	nic->length[nic->count++] = length;
	nic->room--;
	return true;
}

uint32_t hvh_nic_room(const struct hvh_nic *nic, uint64_t now)
{
	(void)now;
	return nic->room;
}

struct scene {
	struct hvh_nic nic;
	struct hvh_simwire *wire;
	struct hvh_backend backend;
};

static struct scene *scene_create(uint64_t seed)
{
	struct scene *scene = calloc(1, sizeof *scene);

	scene->nic.room = FRAMES;
	scene->wire = hvh_simwire_create(seed);
	hvh_simwire_backend(scene->wire, &scene->backend);
	hvh_simwire_attach(scene->wire, &scene->nic);
	return scene;
}

static void scene_destroy(struct scene *scene)
{
	hvh_simwire_destroy(scene->wire);
	free(scene);
}

/* Sends a frame and runs; returns how many came back. */
static uint32_t exchange(struct scene *scene, const void *frame, uint32_t length)
{
	scene->nic.count = 0;
	scene->backend.transmit(scene->backend.context, frame, length);
	while (hvh_simwire_run(scene->wire, 1))
		;
	return scene->nic.count;
}

static const uint8_t arp_request[] = {
	0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x00, 0x15, 0x5d, 0x01, 0x02,
	0x03, 0x08, 0x06, 0x00, 0x01, 0x08, 0x00, 0x06, 0x04, 0x00, 0x01, /* who has */
	0x00, 0x15, 0x5d, 0x01, 0x02, 0x03, 0x0a, 0x07, 0x00, 0x0f,       /* 10.7.0.15 asks */
	0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x0a, 0x07, 0x00, 0x01,       /* 10.7.0.1 */
};
static const uint8_t arp_reply[] = {
	0x00, 0x15, 0x5d, 0x01, 0x02, 0x03, 0x02, 0x48, 0x56, 0x4b, 0x00, 0x01, 0x08, 0x06,
	0x00, 0x01, 0x08, 0x00, 0x06, 0x04, 0x00, 0x02, 0x02, 0x48, 0x56, 0x4b, 0x00, 0x01,
	0x0a, 0x07, 0x00, 0x01, 0x00, 0x15, 0x5d, 0x01, 0x02, 0x03, 0x0a, 0x07, 0x00, 0x0f,
};

static void test_arp(void **state)
{
	struct scene *scene = scene_create(1);
	uint8_t other[sizeof arp_request];

	(void)state;
	assert_int_equal(exchange(scene, arp_request, sizeof arp_request), 1);
	assert_int_equal(scene->nic.length[0], sizeof arp_reply);
	assert_memory_equal(scene->nic.frame[0], arp_reply, sizeof arp_reply);
	memcpy(other, arp_request, sizeof other);
	other[41] = 15; /* its own address: whoever probes must not hear that it is taken */
	assert_int_equal(exchange(scene, other, sizeof other), 0);
	assert_int_equal(exchange(scene, arp_request, sizeof arp_request - 1), 0);
	scene_destroy(scene);
}

/* 10.7.0.15 pings 10.7.0.1 with 4 bytes; checksums worked out by hand. */
static const uint8_t ping[] = {
	0x02, 0x48, 0x56, 0x4b, 0x00, 0x01, 0x00, 0x15, 0x5d, 0x01, 0x02, 0x03, 0x08, 0x00, 0x45, 0x00,
	0x00, 0x20, 0x00, 0x00, 0x00, 0x00, 0x40, 0x01, 0x66, 0xc0, 0x0a, 0x07, 0x00, 0x0f, 0x0a, 0x07,
	0x00, 0x01, 0x08, 0x00, 0xe5, 0xc8, 0x12, 0x34, 0x00, 0x01, 0x00, 0x00, 0x00, 0x02,
};

static void test_ping(void **state)
{
	struct scene *scene = scene_create(1);
	const uint8_t *reply = scene->nic.frame[0];
	uint8_t broken[sizeof ping];

	(void)state;
	assert_int_equal(exchange(scene, ping, sizeof ping), 1);
	assert_int_equal(scene->nic.length[0], sizeof ping);
	assert_memory_equal(reply, GUEST_MAC PEER_MAC "\x08\x00", 14);
	assert_memory_equal(reply + 26, "\x0a\x07\x00\x01\x0a\x07\x00\x0f", 8);
	assert_memory_equal(reply + 24, "\x66\xc0", 2);         /* the same addresses, the same sum */
	assert_memory_equal(reply + 34, "\x00\x00\xed\xc8", 4); /* type 0: the sum is 0x800 more */
	assert_memory_equal(reply + 38, ping + 38, 8);
	for (uint32_t i = 14; i < sizeof ping; i++) { /* any byte changed: no answer */
		memcpy(broken, ping, sizeof ping);
		broken[i] ^= 0x10;
		assert_int_equal(exchange(scene, broken, sizeof broken), 0);
	}
	scene_destroy(scene);
}

/* --- DHCP --------------------------------------------------------------------------------- */

struct dhcp {
	uint8_t frame[1024];
	uint32_t length; /* of the options so far */
};

static void dhcp_begin(struct dhcp *dhcp, uint8_t type)
{
	uint8_t *bootp = dhcp->frame + 42;

	memset(dhcp, 0, sizeof *dhcp);
	bootp[0] = 1;
	bootp[1] = 1;
	bootp[2] = 6;
	memcpy(bootp + 4, "\xde\xad\xbe\xef", 4);
	memcpy(bootp + 28, GUEST_MAC, 6);
	memcpy(bootp + 236, "\x63\x82\x53\x63\x35\x01", 6);
	bootp[242] = type;
	dhcp->length = 3;
}

static void dhcp_option(struct dhcp *dhcp, uint8_t option, uint8_t length, const char *value)
{
	uint8_t *at = dhcp->frame + 42 + 240 + dhcp->length;

	at[0] = option;
	at[1] = length;
	memcpy(at + 2, value, length);
	dhcp->length += 2u + length;
}

static uint32_t dhcp_send(struct scene *scene, struct dhcp *dhcp)
{
	static const uint8_t to[] = ALL, from[] = GUEST_MAC;
	uint8_t *udp = dhcp->frame + 34;
	uint32_t length = 8 + 240 + dhcp->length + 1;

	udp[8 + 240 + dhcp->length] = 255;
	memcpy(udp, "\x00\x44\x00\x43", 4);
	put16(udp + 4, length);
	return exchange(scene, dhcp->frame,
			hvh_ipv4_finish(dhcp->frame, to, from, 0, 0xffffffffu, IPV4_PROTOCOL_UDP, length));
}

/* The value of an option in the answer, whose checksums are right. */
static const uint8_t *dhcp_answer(const struct scene *scene, uint8_t option, uint32_t *length)
{
	const uint8_t *at = scene->nic.frame[0] + 42 + 240;
	struct hvh_ipv4 ip;

	assert_true(hvh_ipv4_parse(scene->nic.frame[0], scene->nic.length[0], &ip));
	assert_int_equal(hvh_checksum_finish(hvh_checksum_add(0, ip.header, 20)), 0);
	assert_int_equal(hvh_checksum_finish(hvh_checksum_add(
				 hvh_checksum_pseudo(ip.header, IPV4_PROTOCOL_UDP, ip.payload_length),
				 ip.payload, ip.payload_length)),
			 0);
	assert_memory_equal(ip.payload, "\x00\x43\x00\x44", 4);
	assert_memory_equal(ip.payload + 12, "\xde\xad\xbe\xef", 4); /* the same transaction */
	while (*at != 255) {
		if (*at == option) {
			*length = at[1];
			return at + 2;
		}
		at += *at == 0 ? 1 : 2u + at[1];
	}
	return NULL;
}

static void expect_option(const struct scene *scene, uint8_t option, const char *value, uint32_t length)
{
	uint32_t found;
	const uint8_t *at = dhcp_answer(scene, option, &found);

	assert_non_null(at);
	assert_int_equal(found, length);
	assert_memory_equal(at, value, length);
}

static void test_lease(void **state)
{
	struct scene *scene = scene_create(1);
	const uint8_t *bootp = scene->nic.frame[0] + 42;
	struct dhcp dhcp;

	(void)state;
	dhcp_begin(&dhcp, 1);
	dhcp_option(&dhcp, 61, 7, "\x01" GUEST_MAC);
	dhcp_option(&dhcp, 55, 3, "\x01\x03\x06");
	assert_int_equal(dhcp_send(scene, &dhcp), 1);
	expect_option(scene, 53, "\x02", 1); /* OFFER */
	expect_option(scene, 54, "\x0a\x07\x00\x01", 4);
	expect_option(scene, 1, "\xff\xff\xff\x00", 4);
	expect_option(scene, 3, "\x0a\x07\x00\x01", 4);
	expect_option(scene, 51, "\x00\x00\x0e\x10", 4);
	expect_option(scene, 61, "\x01" GUEST_MAC, 7);
	assert_memory_equal(bootp + 16, "\x0a\x07\x00\x0f", 4);
	assert_memory_equal(scene->nic.frame[0], GUEST_MAC, 6); /* it did not ask for a broadcast */

	dhcp_begin(&dhcp, 3);
	dhcp_option(&dhcp, 50, 4, "\x0a\x07\x00\x0f");
	dhcp_option(&dhcp, 54, 4, "\x0a\x07\x00\x01");
	put16(dhcp.frame + 42 + 10, 0x8000);
	assert_int_equal(dhcp_send(scene, &dhcp), 1);
	expect_option(scene, 53, "\x05", 1); /* ACK */
	assert_memory_equal(bootp + 16, "\x0a\x07\x00\x0f", 4);
	assert_memory_equal(scene->nic.frame[0], ALL, 6); /* and now it did */
	scene_destroy(scene);
}

static void test_lease_refused_and_renewed(void **state)
{
	struct scene *scene = scene_create(1);
	struct dhcp dhcp;

	(void)state;
	dhcp_begin(&dhcp, 3); /* after a reboot, an address of another network */
	dhcp_option(&dhcp, 50, 4, "\xc0\xa8\x01\x02");
	assert_int_equal(dhcp_send(scene, &dhcp), 1);
	expect_option(scene, 53, "\x06", 1); /* NAK */
	assert_memory_equal(scene->nic.frame[0], ALL, 6);
	dhcp_begin(&dhcp, 3); /* it took another server's */
	dhcp_option(&dhcp, 50, 4, "\x0a\x07\x00\x0f");
	dhcp_option(&dhcp, 54, 4, "\x0a\x07\x00\x02");
	assert_int_equal(dhcp_send(scene, &dhcp), 0);
	dhcp_begin(&dhcp, 3); /* renews */
	memcpy(dhcp.frame + 42 + 12, "\x0a\x07\x00\x0f", 4);
	assert_int_equal(dhcp_send(scene, &dhcp), 1);
	expect_option(scene, 53, "\x05", 1);
	assert_memory_equal(scene->nic.frame[0] + 30, "\x0a\x07\x00\x0f", 4); /* to the address it has */
	dhcp_begin(&dhcp, 7);                                                 /* gives it back: no answer */
	assert_int_equal(dhcp_send(scene, &dhcp), 0);
	dhcp_begin(&dhcp, 4);
	assert_int_equal(dhcp_send(scene, &dhcp), 0);
	scene_destroy(scene);
}

static void test_options_anywhere(void **state)
{
	struct scene *scene = scene_create(1);
	struct dhcp dhcp;

	(void)state;
	dhcp_begin(&dhcp, 0);
	dhcp.frame[42 + 240] = 0; /* padding */
	dhcp.frame[42 + 241] = 0;
	dhcp.frame[42 + 242] = 0;
	dhcp_option(&dhcp, 52, 1, "\x03"); /* the type is in the file's name, more in the server's */
	memcpy(dhcp.frame + 42 + 108, "\x35\x01\x03\xff", 4);
	memcpy(dhcp.frame + 42 + 44, "\x32\x04\x0a\x07\x00\x0f\xff", 7);
	assert_int_equal(dhcp_send(scene, &dhcp), 1);
	expect_option(scene, 53, "\x05", 1);
	dhcp_begin(&dhcp, 1);
	dhcp_option(&dhcp, 12, 4, "name");
	dhcp.frame[42 + 240 + 4] = 200; /* runs past the end */
	assert_int_equal(dhcp_send(scene, &dhcp), 0);
	scene_destroy(scene);
}

/* --- The test protocol ------------------------------------------------------------------------ */

static void test_echo(void **state)
{
	struct scene *scene = scene_create(1);
	uint8_t frame[1514] = PEER_MAC GUEST_MAC "\x88\xb5 hello";

	(void)state;
	memset(frame + 20, 0x5a, sizeof frame - 20);
	assert_int_equal(exchange(scene, frame, sizeof frame), 1);
	assert_int_equal(scene->nic.length[0], sizeof frame);
	assert_memory_equal(scene->nic.frame[0], GUEST_MAC PEER_MAC, 12);
	assert_memory_equal(scene->nic.frame[0] + 12, frame + 12, sizeof frame - 12);
	memcpy(frame, ALL, 6); /* nobody sends from a group */
	assert_int_equal(exchange(scene, frame, sizeof frame), 1);
	assert_memory_equal(scene->nic.frame[0], GUEST_MAC PEER_MAC, 12);
	scene_destroy(scene);
}

static void test_numbered_frames(void **state)
{
	struct scene *scene = scene_create(1);

	(void)state;
	hvh_simwire_send_numbered(scene->wire, 7, 300, 60);
	hvh_simwire_send_numbered(scene->wire, 8, 100, 64);
	while (hvh_simwire_run(scene->wire, 1))
		;
	assert_int_equal(scene->nic.count, 400);
	for (uint32_t stream = 7; stream <= 8; stream++) {
		uint32_t next = 0;

		for (uint32_t n = 0; n < scene->nic.count; n++) {
			const uint8_t *frame = scene->nic.frame[n];

			if (frame[18] != stream)
				continue;
			assert_memory_equal(frame, ALL PEER_MAC "\x88\xb5\x54\x4b\x56\x48", 18);
			assert_int_equal(frame[22] | frame[23] << 8, next);
			assert_int_equal(scene->nic.length[n], stream == 7 ? 60 : 64);
			for (uint32_t i = 26; i < 60; i++)
				assert_int_equal(frame[i], (uint8_t)(next + i));
			next++;
		}
		assert_int_equal(next, stream == 7 ? 300 : 100);
	}
	assert_true(hvh_simwire_next_event(scene->wire) == HVH_NEVER);
	scene_destroy(scene);
}

/* A full card loses nothing: the wire waits. */
static void test_a_full_card_is_waited_for(void **state)
{
	struct scene *scene = scene_create(1);
	uint64_t now = 1;

	(void)state;
	scene->nic.room = 3;
	hvh_simwire_send_numbered(scene->wire, 1, 10, 60);
	assert_false(hvh_simwire_run(scene->wire, now)); /* does not spin */
	assert_int_equal(scene->nic.count, 3);
	assert_true(hvh_simwire_next_event(scene->wire) > now);
	scene->nic.room = 100;
	now = hvh_simwire_next_event(scene->wire);
	while (hvh_simwire_run(scene->wire, now))
		;
	assert_int_equal(scene->nic.count, 10);
	scene_destroy(scene);
}

static void test_delays(void **state)
{
	struct scene *scene = scene_create(42), *again = scene_create(42);
	uint8_t frame[60] = PEER_MAC GUEST_MAC "\x88\xb5";
	uint64_t now = 1000;
	uint32_t different = 0;

	(void)state;
	hvh_simwire_set_delay(scene->wire, 5000);
	hvh_simwire_set_delay(again->wire, 5000);
	for (uint8_t i = 0; i < 50; i++) {
		frame[20] = i;
		scene->backend.transmit(scene->backend.context, frame, sizeof frame);
		again->backend.transmit(again->backend.context, frame, sizeof frame);
		hvh_simwire_run(scene->wire, now);
		hvh_simwire_run(again->wire, now);
		now += 100;
	}
	while (hvh_simwire_next_event(scene->wire) != HVH_NEVER) {
		assert_true(hvh_simwire_next_event(again->wire) == hvh_simwire_next_event(scene->wire));
		now = hvh_simwire_next_event(scene->wire);
		hvh_simwire_run(scene->wire, now);
		hvh_simwire_run(again->wire, now);
	}
	assert_int_equal(scene->nic.count, 50);
	for (uint32_t i = 0; i < 50; i++) {
		assert_int_equal(scene->nic.frame[i][20], i); /* a wire keeps the order */
		assert_true(scene->nic.time[i] <= 1000 + 49 * 100 + 5000);
		different += i > 0 && scene->nic.time[i] != scene->nic.time[i - 1];
	}
	assert_true(different > 3);
	scene_destroy(scene);
	scene_destroy(again);
}

static void test_hostile_frames(void **state)
{
	struct scene *scene = scene_create(1);
	uint64_t random = 1;

	(void)state;
	for (uint32_t round = 0; round < 50000; round++) {
		static const uint8_t types[][2] = {{8, 0}, {8, 6}, {0x88, 0xb5}, {8, 0}};
		uint8_t frame[400] = ALL GUEST_MAC;
		uint32_t length;

		for (uint32_t i = 12; i < sizeof frame; i++) {
			random = random * 6364136223846793005ull + 1;
			frame[i] = (random >> 60) < 8 ? 0 : (uint8_t)(random >> 40);
		}
		memcpy(frame + 12, types[round % 4], 2);
		length = (uint32_t)(random >> 33) % (sizeof frame + 1);
		if (round % 4 == 0) { /* DHCP with options of any kind */
			uint8_t bootp[240] = {1, 1, 6};

			memcpy(bootp + 236, "\x63\x82\x53\x63", 4);
			memcpy(frame + 42, bootp, sizeof bootp);
			memcpy(frame + 34, "\x00\x44\x00\x43", 4);
			put16(frame + 38, sizeof frame - 34);
			put16(frame + 40, 0);
			length = hvh_ipv4_finish(frame, frame, frame + 6, 0, 0xffffffffu, 17,
						 sizeof frame - 34);
		}
		exchange(scene, frame, length);
		scene->nic.room = FRAMES;
	}
	scene_destroy(scene);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_arp),
		cmocka_unit_test(test_ping),
		cmocka_unit_test(test_lease),
		cmocka_unit_test(test_lease_refused_and_renewed),
		cmocka_unit_test(test_options_anywhere),
		cmocka_unit_test(test_echo),
		cmocka_unit_test(test_numbered_frames),
		cmocka_unit_test(test_a_full_card_is_waited_for),
		cmocka_unit_test(test_delays),
		cmocka_unit_test(test_hostile_frames),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
