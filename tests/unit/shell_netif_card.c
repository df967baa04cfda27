/* SPDX-License-Identifier: MIT */
/* lwIP over netdev: what is left to the card, what it lends, and frames of other CPUs' queues. */
#include "tests/unit/shell_netif_fake.h"

#include "lwip/prot/ethernet.h"
#include "lwip/priv/tcp_priv.h"
#include "lwip/udp.h"

#define PORT 4000u
#define HEADERS 42u /* Ethernet, IPv4, UDP */
#define KEPT_MAX 400u

/* --- Frames ---------------------------------------------------------------------------------- */

static uint16_t sum(const uint8_t *bytes, uint32_t length)
{
	uint32_t total = 0;

	for (uint32_t i = 0; i < length; i += 2)
		total += (uint32_t)(bytes[i] << 8 | bytes[i + 1]);
	while (total >> 16)
		total = (total & 0xffff) + (total >> 16);
	return (uint16_t)~total;
}

/* To 10.0.0.2, port 4000, with the IPv4 header's checksum and a wrong one of UDP. */
static uint32_t datagram(uint8_t *frame, uint8_t number, uint32_t payload)
{
	static const uint8_t head[HEADERS] = {
		2, 0,  0, 0, 0,  1, 2, 0, 0,  0, 0, 9, 0x08, 0, 0x45,      0,           0, 0, 0,    0,   0, 0,
		9, 17, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2, 15,   1, PORT >> 8, PORT & 0xff, 0, 0, 0xba, 0xd1};
	uint16_t check;

	memcpy(frame, head, sizeof(head));
	frame[16] = (uint8_t)((28 + payload) >> 8);
	frame[17] = (uint8_t)(28 + payload);
	frame[38] = (uint8_t)((8 + payload) >> 8);
	frame[39] = (uint8_t)(8 + payload);
	check = sum(frame + 14, 20);
	frame[24] = (uint8_t)(check >> 8);
	frame[25] = (uint8_t)check;
	memset(frame + HEADERS, number, payload);
	return HEADERS + payload;
}

struct kept {
	struct pbuf *buffers[KEPT_MAX];
	uint32_t count;
	struct udp_pcb *pcb;
};

static void keep(void *context, struct udp_pcb *pcb, struct pbuf *p, const ip_addr_t *from, u16_t port)
{
	struct kept *kept = context;

	(void)pcb;
	(void)from;
	(void)port;
	assert_true(kept->count < KEPT_MAX);
	kept->buffers[kept->count++] = p;
}

static void listen(struct fake *fake, struct kept *kept)
{
	ip4_addr_t address, mask, router;

	IP4_ADDR(&address, 10, 0, 0, 2);
	IP4_ADDR(&mask, 255, 255, 255, 0);
	IP4_ADDR(&router, 10, 0, 0, 1);
	netif_set_addr(&fake->netif.netif, &address, &mask, &router);
	finish_all(fake, HVK_OK);
	*kept = (struct kept){.pcb = udp_new()};
	assert_int_equal(udp_bind(kept->pcb, IP_ANY_TYPE, PORT), ERR_OK);
	udp_recv(kept->pcb, keep, kept);
}

static void forget(struct kept *kept)
{
	for (uint32_t i = 0; i < kept->count; i++)
		pbuf_free(kept->buffers[i]);
	kept->count = 0;
	udp_remove(kept->pcb);
}

static void input(struct fake *fake, const struct hvk_rx_frame *frame)
{
	fake->netdev.hooks.input(fake->netdev.hooks.context, &fake->netdev, frame);
}

/* --- Sending ----------------------------------------------------------------------------------- */

static void send_bytes(struct fake *fake, const uint8_t *bytes, uint16_t length)
{
	struct pbuf *p = pbuf_alloc(PBUF_RAW, length, PBUF_RAM);

	assert_non_null(p);
	pbuf_take(p, bytes, length);
	assert_int_equal(fake->netif.netif.linkoutput(&fake->netif.netif, p), ERR_OK);
	pbuf_free(p);
}

static void what_is_sent_in_a_turn_goes_together(void **state)
{
	struct fake *fake = *state;
	uint8_t bytes[60] = {0};

	for (uint32_t i = 0; i < 3; i++) {
		send_bytes(fake, bytes, sizeof(bytes));
		assert_int_equal(fake->taken[i]->flags, HVK_TX_MORE);
	}
	assert_int_equal(fake->flushes, 0);
	assert_true(netif_hvk_poll(&fake->netif));
	assert_int_equal(fake->flushes, 1);
	assert_false(netif_hvk_poll(&fake->netif));
	assert_int_equal(fake->flushes, 1);
	send_bytes(fake, bytes, sizeof(bytes));
	fake->netdev.hooks.burst_end(fake->netdev.hooks.context, &fake->netdev, 0);
	assert_int_equal(fake->flushes, 2);
	send_bytes(fake, bytes, sizeof(bytes));
	netif_hvk_unplug(&fake->netif); /* not left behind */
	assert_int_equal(fake->flushes, 3);
}

static void assert_wish(struct fake *fake, const uint8_t *bytes, uint16_t length, uint32_t flags,
			uint16_t transport)
{
	send_bytes(fake, bytes, length);
	assert_int_equal(fake->taken[0]->flags, flags | HVK_TX_MORE);
	assert_int_equal(fake->taken[0]->transport_offset, transport);
	finish_all(fake, HVK_OK);
}

static void checksums_are_the_cards(void **state)
{
	struct fake *fake = *state;
	uint8_t udp[100], tcp[100], fragment[100], options[100], tcp6[100] = {[12] = 0x86, 0xdd, [20] = 6},
								 arp[60] = {0};

	(void)datagram(udp, 1, 58);
	memcpy(tcp, udp, sizeof(tcp));
	tcp[23] = 6;
	memcpy(fragment, udp, sizeof(fragment));
	fragment[20] = 0x20;
	memcpy(options, tcp, sizeof(options));
	options[14] = 0x46;
	arp[12] = 8, arp[13] = 6;
	assert_wish(fake, tcp, 100, 0, 0); /* nothing is switched on */
	assert_int_equal(fake->netif.netif.chksum_flags, NETIF_CHECKSUM_ENABLE_ALL);
	fake->netdev.info.enabled = HVK_NETDEV_TX_CHECKSUMS;
	netif_hvk_refresh(&fake->netif);
	assert_int_equal(fake->netif.netif.chksum_flags,
			 NETIF_CHECKSUM_ENABLE_ALL &
				 ~(NETIF_CHECKSUM_GEN_IP | NETIF_CHECKSUM_GEN_TCP | NETIF_CHECKSUM_GEN_UDP));
	assert_wish(fake, tcp, 100, HVK_TX_CHECKSUM_IPV4 | HVK_TX_CHECKSUM_TCP, 34);
	assert_wish(fake, options, 100, HVK_TX_CHECKSUM_IPV4 | HVK_TX_CHECKSUM_TCP, 38);
	assert_wish(fake, udp, 100, HVK_TX_CHECKSUM_IPV4 | HVK_TX_CHECKSUM_UDP, 34);
	assert_wish(fake, fragment, 100, HVK_TX_CHECKSUM_IPV4, 0);
	assert_wish(fake, tcp6, 100, HVK_TX_CHECKSUM_TCP, 54);
	assert_wish(fake, arp, 60, 0, 0);
	assert_wish(fake, tcp, 33, 0, 0); /* not even a header */
	/* The host takes it back: told by info_changed. */
	fake->netdev.info.enabled = HVK_NETDEV_TX_TCP4;
	fake->netdev.info.mtu = 1200;
	fake->netdev.hooks.info_changed(fake->netdev.hooks.context, &fake->netdev);
	assert_int_equal(fake->netif.netif.mtu, 1200);
	assert_wish(fake, tcp, 100, HVK_TX_CHECKSUM_TCP, 34);
	assert_wish(fake, udp, 100, 0, 0);
}

static void long_frames_go_in_pieces(void **state)
{
	struct fake *fake = *state;
	static uint8_t bytes[9014];
	const struct hvk_tx_frame *frame;
	uint32_t at = 0;

	for (uint32_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)(i * 7);
	fake->netdev.info.mtu = 9000;
	fake->netdev.info.frame_max = 9014;
	netif_hvk_refresh(&fake->netif);
	assert_int_equal(fake->netif.netif.mtu, 9000);
	for (uint32_t turn = 0; turn < 3 * NETIF_HVK_CHUNKS; turn++) {
		send_bytes(fake, bytes, sizeof(bytes));
		frame = fake->taken[0];
		assert_int_equal(frame->piece_count, 5);
		at = 0;
		for (uint32_t i = 0; i < frame->piece_count; i++) {
			const struct hvk_buffer *piece = &frame->pieces[i];

			assert_memory_equal(piece->address, bytes + at, piece->length);
			assert_int_equal(piece->gpa & 0xfff, (uintptr_t)piece->address & 0xfff);
			at += piece->length;
		}
		assert_int_equal(at, frame->length);
		finish_all(fake, HVK_OK);
	}
	fake->netdev.info.mtu = 65521;
	netif_hvk_refresh(&fake->netif);
	assert_int_equal(fake->netif.netif.mtu, NETIF_HVK_MTU_MAX);
}

/* --- Receiving ------------------------------------------------------------------------------------ */

static void only_what_was_looked_at_is_not_checked(void **state)
{
	struct fake *fake = *state;
	uint8_t bytes[100];
	struct hvk_rx_frame frame = {.data = bytes, .length = datagram(bytes, 1, 20)};
	struct kept kept;

	listen(fake, &kept);
	fake->netdev.info.enabled = HVK_NETDEV_RX_CHECKSUMS;
	netif_hvk_refresh(&fake->netif);
	input(fake, &frame); /* nobody has looked: it is wrong */
	frame.flags = HVK_RX_IPV4_GOOD | HVK_RX_TCP_GOOD;
	input(fake, &frame);
	frame.flags = HVK_RX_UDP_BAD;
	input(fake, &frame);
	assert_int_equal(kept.count, 0);
	frame.flags = HVK_RX_UDP_GOOD;
	input(fake, &frame);
	assert_int_equal(kept.count, 1);
	frame.flags = 0; /* it held for that one alone */
	input(fake, &frame);
	assert_int_equal(kept.count, 1);
	forget(&kept);
}

static void frames_with_a_tag_are_not_ours(void **state)
{
	struct fake *fake = *state;
	uint8_t bytes[100];
	struct hvk_rx_frame frame = {
		.data = bytes, .length = datagram(bytes, 1, 20), .flags = HVK_RX_UDP_GOOD | HVK_RX_VLAN};
	struct kept kept;

	listen(fake, &kept);
	frame.vlan_tag = 5;
	input(fake, &frame);
	frame.owner = &frame;
	input(fake, &frame);
	assert_int_equal(kept.count, 0);
	assert_int_equal(fake->netif.counters.other_vlan, 2);
	assert_int_equal(fake->released_count, 1);
	frame.vlan_tag = 7 << 13; /* a priority, and no network */
	frame.owner = NULL;
	input(fake, &frame);
	assert_int_equal(kept.count, 1);
	forget(&kept);
}

static void lent_frames_are_given_back_when_freed(void **state)
{
	struct fake *fake = *state;
	static uint8_t bytes[KEPT_MAX][100];
	struct hvk_rx_frame frame = {.flags = HVK_RX_UDP_GOOD};
	struct kept kept;

	listen(fake, &kept);
	for (uint32_t i = 0; i < NETIF_HVK_LENT + 2; i++) {
		frame.length = datagram(bytes[i], (uint8_t)i, 20);
		frame.data = bytes[i];
		frame.owner = bytes[i];
		input(fake, &frame);
		assert_int_equal(kept.count, i + 1);
		/* Not copied: it lies where it came; past the limit it is. */
		assert_int_equal(kept.buffers[i]->payload == bytes[i] + HEADERS, i < NETIF_HVK_LENT);
	}
	assert_int_equal(fake->netif.lent_count, NETIF_HVK_LENT);
	assert_int_equal(fake->released_count, 2);
	assert_ptr_equal(fake->released[0], bytes[NETIF_HVK_LENT]);
	assert_false(netif_hvk_idle(&fake->netif));
	pbuf_free(kept.buffers[--kept.count]);
	pbuf_free(kept.buffers[--kept.count]);
	assert_int_equal(fake->released_count, 2);
	pbuf_free(kept.buffers[--kept.count]);
	assert_ptr_equal(fake->released[2], bytes[NETIF_HVK_LENT - 1]);
	netif_hvk_unplug(&fake->netif);
	assert_int_equal(netif_hvk_free(&fake->netif), HVK_ESTATE); /* lwIP has some */
	forget(&kept);
	assert_int_equal(fake->released_count, NETIF_HVK_LENT + 2);
	assert_true(netif_hvk_idle(&fake->netif));
}

/* They would wait in lwIP for the others of their datagram. */
static void lent_fragments_are_copied(void **state)
{
	struct fake *fake = *state;
	uint8_t bytes[100];
	struct hvk_rx_frame frame = {.data = bytes, .length = datagram(bytes, 1, 24), .owner = bytes};
	struct kept kept;
	uint16_t check;

	listen(fake, &kept);
	bytes[20] = 0x20;
	bytes[24] = 0;
	bytes[25] = 0;
	check = sum(bytes + 14, 20);
	bytes[24] = (uint8_t)(check >> 8);
	bytes[25] = (uint8_t)check;
	input(fake, &frame);
	assert_int_equal(fake->released_count, 1);
	assert_int_equal(fake->netif.lent_count, 0);
	frame.length = 70000;
	input(fake, &frame);
	assert_int_equal(fake->released_count, 2);
	forget(&kept);
}

/* --- Joined segments ---------------------------------------------------------------------------------- */

/* A segment to port 4000 of 10.0.0.2; nobody looks at its checksums. */
static void segment(struct fake *fake, uint32_t flags, uint32_t number, uint32_t acknowledged,
		    uint16_t payload, bool joined)
{
	static uint8_t bytes[3000];
	struct hvk_rx_frame frame = {.data = bytes,
				     .length = 54u + payload,
				     .flags = HVK_RX_IPV4_GOOD | HVK_RX_TCP_GOOD |
					      (joined ? HVK_RX_JOINED : 0)};

	(void)datagram(bytes, 1, payload + 12u); /* a TCP header is longer by so much */
	bytes[23] = 6;
	for (uint32_t i = 0; i < 4; i++) {
		bytes[38 + i] = (uint8_t)(number >> (24 - 8 * i));
		bytes[42 + i] = (uint8_t)(acknowledged >> (24 - 8 * i));
	}
	memcpy(bytes + 46, (uint8_t[]){0x50, (uint8_t)flags, 0xff, 0xff, 0, 0, 0, 0}, 8);
	input(fake, &frame);
}

static err_t take_all(void *context, struct tcp_pcb *pcb, struct pbuf *p, err_t error)
{
	(void)context;
	(void)error;
	assert_non_null(p);
	tcp_recved(pcb, p->tot_len);
	pbuf_free(p);
	return ERR_OK;
}

static err_t accepted(void *context, struct tcp_pcb *pcb, err_t error)
{
	(void)error;
	*(struct tcp_pcb **)context = pcb;
	tcp_recv(pcb, take_all);
	return ERR_OK;
}

/* Two segments are acknowledged at once, one after a while: many that came as one are not to wait. */
static void joined_segments_are_acknowledged_at_once(void **state)
{
	static const uint8_t neighbour[6] = {2, 0, 0, 0, 0, 9};
	struct fake *fake = *state;
	struct tcp_pcb *listener = tcp_new(), *pcb = NULL;
	struct kept kept;
	ip4_addr_t peer;
	uint32_t own;

	listen(fake, &kept);
	IP4_ADDR(&peer, 10, 0, 0, 1);
	assert_int_equal(tcp_bind(listener, IP_ANY_TYPE, PORT), ERR_OK);
	listener = tcp_listen(listener);
	tcp_arg(listener, &pcb);
	tcp_accept(listener, accepted);
	segment(fake, TCP_SYN, 1000, 0, 0, false);
	if (fake->taken_count == 1 && ((uint8_t *)fake->taken[0]->pieces[0].address)[13] == 6) {
		/* It asks for the neighbour first. */
		uint8_t reply[60] = {2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 9, 8, 6, 0, 1, 8, 0, 6, 4, 0, 2};
		struct hvk_rx_frame frame = {.data = reply, .length = sizeof(reply)};

		memcpy(reply + 22, neighbour, 6);
		memcpy(reply + 28, &peer, 4);
		memcpy(reply + 32, fake->netif.netif.hwaddr, 6);
		memcpy(reply + 38, netif_ip4_addr(&fake->netif.netif), 4);
		finish_all(fake, HVK_OK);
		input(fake, &frame);
	}
	assert_int_equal(fake->taken_count, 1); /* SYN+ACK */
	own = 0;
	for (uint32_t i = 0; i < 4; i++)
		own = own << 8 | ((uint8_t *)fake->taken[0]->pieces[0].address)[38 + i];
	finish_all(fake, HVK_OK);
	segment(fake, TCP_ACK, 1001, own + 1, 0, false);
	assert_non_null(pcb);
	segment(fake, TCP_ACK, 1001, own + 1, 500, false);
	fake->netdev.hooks.burst_end(fake->netdev.hooks.context, &fake->netdev, 0);
	assert_int_equal(fake->taken_count, 0); /* waits for a second one */
	segment(fake, TCP_ACK, 1501, own + 1, 500, false);
	assert_int_equal(fake->taken_count, 1);
	finish_all(fake, HVK_OK);
	segment(fake, TCP_ACK, 2001, own + 1, 2500, true);
	fake->netdev.hooks.burst_end(fake->netdev.hooks.context, &fake->netdev, 0);
	assert_int_equal(fake->taken_count, 1);
	finish_all(fake, HVK_OK);
	tcp_abort(pcb);
	assert_int_equal(tcp_close(listener), ERR_OK);
	forget(&kept);
}

/* --- Other CPUs ------------------------------------------------------------------------------------- */

static void on_cpu_1(struct fake *fake, const struct hvk_rx_frame *frame)
{
	fake->cpu = 1;
	input(fake, frame);
	fake->cpu = 0;
}

static void several_queues(struct fake *fake, struct kept *kept)
{
	listen(fake, kept);
	fake->netdev.info.queues = 2;
	netif_hvk_refresh(&fake->netif);
}

static void frames_of_other_cpus_wait(void **state)
{
	struct fake *fake = *state;
	uint8_t bytes[100], lent[100];
	struct hvk_rx_frame frame = {
		.data = bytes, .length = datagram(bytes, 1, 20), .flags = HVK_RX_UDP_GOOD};
	struct hvk_rx_frame frame_lent = {
		.data = lent, .length = datagram(lent, 2, 20), .flags = HVK_RX_UDP_GOOD, .owner = lent};
	struct kept kept;

	several_queues(fake, &kept);
	on_cpu_1(fake, &frame);
	memset(bytes, 0xee, sizeof(bytes)); /* valid during the call only */
	on_cpu_1(fake, &frame_lent);
	assert_int_equal(kept.count, 0);
	assert_false(netif_hvk_idle(&fake->netif));
	fake->cpu = 1;
	fake->netdev.hooks.burst_end(fake->netdev.hooks.context, &fake->netdev, 1);
	fake->cpu = 0;
	assert_int_equal(fake->wakes, 1);
	assert_true(netif_hvk_poll(&fake->netif));
	assert_int_equal(kept.count, 2);
	assert_int_equal(((uint8_t *)kept.buffers[0]->payload)[0], 1);
	assert_ptr_equal(kept.buffers[1]->payload, lent + HEADERS);
	assert_int_equal(fake->netif.counters.by_inbox, 2);
	assert_false(netif_hvk_poll(&fake->netif));
	forget(&kept);
}

/* Past the end many times, in lengths that fit nowhere evenly; and more than there is room for. */
static void the_inbox_goes_round(void **state)
{
	struct fake *fake = *state;
	static uint8_t bytes[3000];
	struct hvk_rx_frame frame = {.data = bytes, .flags = HVK_RX_UDP_GOOD};
	struct kept kept;
	uint32_t put = 0;

	several_queues(fake, &kept);
	for (uint32_t turn = 0; turn < 2000; turn++) {
		uint32_t payload = 1 + turn * 37 % 1400;

		frame.length = datagram(bytes, (uint8_t)turn, payload);
		on_cpu_1(fake, &frame);
		assert_true(netif_hvk_poll(&fake->netif));
		assert_int_equal(kept.count, 1);
		assert_int_equal(kept.buffers[0]->tot_len, payload);
		assert_int_equal(pbuf_get_at(kept.buffers[0], (u16_t)(payload - 1)), (uint8_t)turn);
		pbuf_free(kept.buffers[--kept.count]);
	}
	frame.length = datagram(bytes, 9, 1400);
	while (fake->netif.counters.inbox_full == 0) {
		on_cpu_1(fake, &frame);
		put++;
	}
	assert_true(put > 150 && put < 200); /* 256 KiB */
	frame.owner = &frame;
	frame.length = 100;
	on_cpu_1(fake, &frame); /* a lent one is short, and may still fit */
	while (fake->netif.counters.inbox_full == 1)
		on_cpu_1(fake, &frame);
	assert_int_equal(fake->released_count, 1);
	(void)netif_hvk_poll(&fake->netif);
	assert_int_equal(atomic_load(&fake->netif.inbox.head), atomic_load(&fake->netif.inbox.tail));
	forget(&kept);
}

/* A frame that fits at neither end, though there are bytes enough in all. */
static void the_inbox_is_full_at_its_end(void **state)
{
	struct fake *fake = *state;
	static uint8_t bytes[3000];
	struct hvk_rx_frame frame = {.data = bytes, .flags = HVK_RX_UDP_GOOD};
	const uint32_t size = NETIF_HVK_INBOX_PAGES * HVK_PAGE_SIZE;
	struct kept kept;
	uint32_t put = 0, at;

	several_queues(fake, &kept);
	do { /* less than a frame before where it begins, less than a frame behind the last: together one */
		frame.length = datagram(bytes, 1, 100);
		on_cpu_1(fake, &frame);
		(void)netif_hvk_poll(&fake->netif);
		pbuf_free(kept.buffers[--kept.count]);
		at = atomic_load(&fake->netif.inbox.tail) % size;
	} while (at < 500 || at > 1400);
	while (fake->netif.counters.inbox_full == 0) {
		frame.length = datagram(bytes, (uint8_t)put++, 1400);
		on_cpu_1(fake, &frame);
	}
	(void)netif_hvk_poll(&fake->netif);
	assert_int_equal(kept.count, put - 1);
	for (uint32_t i = 0; i < kept.count; i++) {
		assert_int_equal(kept.buffers[i]->tot_len, 1400);
		assert_int_equal(pbuf_get_at(kept.buffers[i], 0), (uint8_t)i);
		assert_int_equal(pbuf_get_at(kept.buffers[i], 1399), (uint8_t)i);
	}
	forget(&kept);
}

static void frames_without_an_inbox_are_counted(void **state)
{
	struct fake *fake = *state;
	uint8_t bytes[100];
	struct hvk_rx_frame frame = {.data = bytes, .length = datagram(bytes, 1, 20), .owner = bytes};

	on_cpu_1(fake, &frame);
	assert_int_equal(fake->netif.counters.inbox_full, 1);
	assert_int_equal(fake->released_count, 1);
	/* Nor does one of a card that is gone reach anybody. */
	netif_hvk_unplug(&fake->netif);
	input(fake, &frame);
	on_cpu_1(fake, &frame);
	assert_int_equal(fake->released_count, 3);
	assert_int_equal(fake->netif.counters.received, 0);
}

static void room_told_on_another_cpu(void **state)
{
	struct fake *fake = *state;
	uint8_t bytes[60] = {0};

	fake->takes = 0;
	send_bytes(fake, bytes, sizeof(bytes));
	fake->takes = UINT32_MAX;
	fake->cpu = 1;
	fake->netdev.hooks.tx_ready(fake->netdev.hooks.context, &fake->netdev);
	assert_int_equal(fake->taken_count, 0);
	assert_int_equal(fake->wakes, 1);
	fake->cpu = 0;
	assert_true(netif_hvk_poll(&fake->netif));
	assert_int_equal(fake->taken_count, 1);
	assert_int_equal(fake->flushes, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(what_is_sent_in_a_turn_goes_together, set_up, tear_down),
		cmocka_unit_test_setup_teardown(checksums_are_the_cards, set_up, tear_down),
		cmocka_unit_test_setup_teardown(long_frames_go_in_pieces, set_up, tear_down),
		cmocka_unit_test_setup_teardown(only_what_was_looked_at_is_not_checked, set_up, tear_down),
		cmocka_unit_test_setup_teardown(frames_with_a_tag_are_not_ours, set_up, tear_down),
		cmocka_unit_test_setup_teardown(lent_frames_are_given_back_when_freed, set_up, tear_down),
		cmocka_unit_test_setup_teardown(lent_fragments_are_copied, set_up, tear_down),
		cmocka_unit_test_setup_teardown(joined_segments_are_acknowledged_at_once, set_up, tear_down),
		cmocka_unit_test_setup_teardown(frames_of_other_cpus_wait, set_up, tear_down),
		cmocka_unit_test_setup_teardown(the_inbox_goes_round, set_up, tear_down),
		cmocka_unit_test_setup_teardown(the_inbox_is_full_at_its_end, set_up, tear_down),
		cmocka_unit_test_setup_teardown(frames_without_an_inbox_are_counted, set_up, tear_down),
		cmocka_unit_test_setup_teardown(room_told_on_another_cpu, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
