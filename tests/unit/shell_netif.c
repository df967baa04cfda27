/* SPDX-License-Identifier: MIT */
/* lwIP over netdev: who owns a frame when, and what waits for whom. */
#include "tests/unit/shell_netif_fake.h"

/* A frame whose bytes follow from its number, in two pieces. */
static err_t send(struct fake *fake, uint8_t number, uint16_t length)
{
	struct pbuf *head = pbuf_alloc(PBUF_RAW, 20, PBUF_RAM);
	struct pbuf *tail = pbuf_alloc(PBUF_RAW, (u16_t)(length - 20), PBUF_RAM);
	err_t error;

	assert_non_null(head);
	assert_non_null(tail);
	memset(head->payload, number, 20);
	memset(tail->payload, (uint8_t)~number, length - 20u);
	pbuf_cat(head, tail);
	error = fake->netif.netif.linkoutput(&fake->netif.netif, head);
	/* Whatever the answer, the buffer is lwIP's again. */
	memset(head->payload, 0xee, 20);
	memset(tail->payload, 0xee, length - 20u);
	pbuf_free(head);
	return error;
}

static void assert_frame(const struct fake *fake, uint32_t n, uint8_t number, uint32_t length)
{
	const struct hvk_tx_frame *frame = fake->taken[n];
	const uint8_t *bytes = frame->pieces[0].address;
	const void *page_start = bytes - ((uintptr_t)bytes & 0xfff);
	uint64_t page = frame->pieces[0].gpa & ~0xfffull;

	assert_true(n < fake->taken_count);
	assert_int_equal(frame->piece_count, 1);
	assert_int_equal(frame->length, length);
	assert_int_equal(frame->pieces[0].length, length);
	for (uint32_t i = 0; i < length; i++)
		assert_int_equal(bytes[i], i < 20 ? number : (uint8_t)~number);
	/* The address that the host is told is that of the same bytes, in one page. */
	assert_int_equal((frame->pieces[0].gpa + length - 1) & ~0xfffull, page);
	assert_int_equal(fake->lwip.port->page_gpa(fake->lwip.port->context, page_start), page);
	assert_int_equal(frame->pieces[0].gpa & 0xfff, (uintptr_t)bytes & 0xfff);
}

static void frames_are_copied(void **state)
{
	struct fake *fake = *state;

	assert_int_equal(send(fake, 1, 60), ERR_OK);
	assert_int_equal(send(fake, 2, 1514), ERR_OK);
	assert_frame(fake, 0, 1, 60);
	assert_frame(fake, 1, 2, 1514);
	assert_int_equal(fake->netif.taken, 2);
	finish_all(fake, HVK_OK);
	assert_int_equal(fake->netif.taken, 0);
	assert_int_equal(fake->netif.counters.sent, 2);
}

static void wrong_lengths(void **state)
{
	struct fake *fake = *state;
	struct pbuf *p = pbuf_alloc(PBUF_RAW, 13, PBUF_RAM);

	assert_int_equal(fake->netif.netif.linkoutput(&fake->netif.netif, p), ERR_BUF);
	pbuf_free(p);
	assert_int_equal(send(fake, 1, 1515), ERR_BUF);
	assert_int_equal(fake->taken_count, 0);
}

static void busy_keeps_the_order(void **state)
{
	struct fake *fake = *state;

	fake->takes = 1;
	for (uint8_t i = 0; i < 6; i++)
		assert_int_equal(send(fake, i, 60), ERR_OK);
	assert_int_equal(fake->taken_count, 1);
	assert_int_equal(fake->netif.counters.queued, 5);
	fake->takes = 2; /* there is room, but what waits goes first */
	assert_int_equal(send(fake, 6, 60), ERR_OK);
	assert_int_equal(fake->taken_count, 1);
	fake->netdev.hooks.tx_ready(fake->netdev.hooks.context, &fake->netdev);
	assert_int_equal(fake->taken_count, 3);
	fake->takes = UINT32_MAX;
	fake->netdev.hooks.tx_ready(fake->netdev.hooks.context, &fake->netdev);
	assert_int_equal(fake->taken_count, 7);
	for (uint8_t i = 0; i < 7; i++)
		assert_frame(fake, i, i, 60);
	assert_int_equal(send(fake, 7, 60), ERR_OK); /* and past the queue again */
	assert_frame(fake, 7, 7, 60);
}

static void the_queue_is_bounded(void **state)
{
	struct fake *fake = *state;

	fake->takes = 10;
	for (uint32_t i = 0; i < NETIF_HVK_CHUNKS; i++)
		assert_int_equal(send(fake, (uint8_t)i, 60), ERR_OK);
	assert_int_equal(send(fake, 99, 60), ERR_MEM);
	assert_int_equal(fake->netif.counters.no_slot, 1);
	finish_all(fake, HVK_OK); /* ten slots are free again */
	for (uint32_t i = 0; i < 10; i++)
		assert_int_equal(send(fake, (uint8_t)i, 60), ERR_OK);
	assert_int_equal(send(fake, 99, 60), ERR_MEM);
	fake->takes = UINT32_MAX;
	fake->netdev.hooks.tx_ready(fake->netdev.hooks.context, &fake->netdev);
	assert_int_equal(fake->taken_count, NETIF_HVK_CHUNKS);
}

static void gone_in_transmit(void **state)
{
	struct fake *fake = *state;

	fake->answer = HVK_TX_GONE;
	for (uint32_t i = 0; i < 3 * NETIF_HVK_CHUNKS; i++)
		assert_int_equal(send(fake, 1, 60), ERR_OK); /* lost, as the network may */
	assert_int_equal(fake->netif.counters.send_failed, 3 * NETIF_HVK_CHUNKS);
	assert_int_equal(fake->netif.taken, 0);
}

static void taken_away(void **state)
{
	struct fake *fake = *state;

	fake->takes = 1;
	assert_int_equal(send(fake, 1, 60), ERR_OK);
	assert_int_equal(send(fake, 2, 60), ERR_OK);
	fake->netdev.hooks.gone(fake->netdev.hooks.context, &fake->netdev);
	assert_null(fake->netif.netdev);
	assert_false(netif_is_link_up(&fake->netif.netif));
	assert_int_equal(send(fake, 3, 60), ERR_IF);
	assert_int_equal(fake->netif.counters.send_failed, 1);
	netif_hvk_remove(&fake->netif);
	assert_int_equal(netif_hvk_free(&fake->netif), HVK_ESTATE); /* the driver has one */
	finish_all(fake, HVK_ECANCELED);
	assert_int_equal(netif_hvk_free(&fake->netif), HVK_OK);
}

/* Who has 10.0.0.2? asked by 10.0.0.1, as bytes. */
static const uint8_t arp_request[60] = {
	0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2, 0,  0, 0, 0, 9, 0x08, 0x06, 0, 1, 0x08, 0,  6, 4, 0,
	1,    2,    0,    0,    0,    0,    9, 10, 0, 0, 1, 0, 0,    0,    0, 0, 0,    10, 0, 0, 2,
};
static const uint8_t arp_reply[42] = {
	2, 0, 0, 0, 0, 9, 2, 0,  0, 0, 0, 1, 0x08, 0x06, 0, 1, 0x08, 0,  6, 4, 0,
	2, 2, 0, 0, 0, 0, 1, 10, 0, 0, 2, 2, 0,    0,    0, 0, 9,    10, 0, 0, 1,
};

static void input_reaches_lwip(void **state)
{
	struct fake *fake = *state;
	struct hvk_rx_frame frame = {.data = arp_request, .length = sizeof(arp_request)};
	ip4_addr_t address, mask, router;

	IP4_ADDR(&address, 10, 0, 0, 2);
	IP4_ADDR(&mask, 255, 255, 255, 0);
	IP4_ADDR(&router, 10, 0, 0, 1);
	netif_set_addr(&fake->netif.netif, &address, &mask, &router);
	finish_all(fake, HVK_OK); /* what it announced */
	fake->netdev.hooks.input(fake->netdev.hooks.context, &fake->netdev, &frame);
	assert_int_equal(fake->taken_count, 1);
	assert_true(fake->taken[0]->length >= sizeof(arp_reply));
	assert_memory_equal(fake->taken[0]->pieces[0].address, arp_reply, sizeof(arp_reply));
	assert_int_equal(fake->netif.counters.received, 1);
}

/* Short, long and senseless frames: none is lwIP's end, and no buffer is lost. */
static void strange_input(void **state)
{
	struct fake *fake = *state;
	static uint8_t bytes[70000];
	struct hvk_rx_frame frame = {.data = bytes, .length = 0};

	memset(bytes, 0xff, sizeof(bytes));
	for (uint32_t turn = 0; turn < 3 * PBUF_POOL_SIZE; turn++) {
		frame.length = turn % 64;
		bytes[12] = (uint8_t)(turn & 1 ? 0x08 : 0x86);
		bytes[13] = (uint8_t)(turn & 2 ? 0x00 : 0x06);
		fake->netdev.hooks.input(fake->netdev.hooks.context, &fake->netdev, &frame);
	}
	frame.length = 65535;
	fake->netdev.hooks.input(fake->netdev.hooks.context, &fake->netdev, &frame);
	assert_int_equal(fake->netif.counters.received_dropped, 0);
	frame.length = 65536; /* more than lwIP can say */
	fake->netdev.hooks.input(fake->netdev.hooks.context, &fake->netdev, &frame);
	assert_int_equal(fake->netif.counters.received_dropped, 1);
	assert_int_equal(fake->netif.counters.received, 3 * PBUF_POOL_SIZE + 1);
}

static void link_follows(void **state)
{
	struct fake *fake = *state;

	assert_true(netif_is_link_up(&fake->netif.netif));
	fake->netdev.hooks.link_changed(fake->netdev.hooks.context, &fake->netdev, false);
	assert_false(netif_is_link_up(&fake->netif.netif));
	fake->netdev.hooks.link_changed(fake->netdev.hooks.context, &fake->netdev, true);
	assert_true(netif_is_link_up(&fake->netif.netif));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(frames_are_copied, set_up, tear_down),
		cmocka_unit_test_setup_teardown(wrong_lengths, set_up, tear_down),
		cmocka_unit_test_setup_teardown(busy_keeps_the_order, set_up, tear_down),
		cmocka_unit_test_setup_teardown(the_queue_is_bounded, set_up, tear_down),
		cmocka_unit_test_setup_teardown(gone_in_transmit, set_up, tear_down),
		cmocka_unit_test_setup_teardown(taken_away, set_up, tear_down),
		cmocka_unit_test_setup_teardown(input_reaches_lwip, set_up, tear_down),
		cmocka_unit_test_setup_teardown(strange_input, set_up, tear_down),
		cmocka_unit_test_setup_teardown(link_follows, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
