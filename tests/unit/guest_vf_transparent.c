/* SPDX-License-Identifier: MIT */
/* Transparent mode: one card for the stack, whichever of the two carries its frames. */
#include "guest_vf_fake.h"

static const uint8_t broadcast[6] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
static const uint8_t group[6] = {0x01, 0x00, 0x5e, 0x00, 0x00, 0x05};
static const uint8_t other_group[6] = {0x01, 0x00, 0x5e, 0x00, 0x00, 0x06};

static void complete(void)
{
	fake_pair();
	hvk_vf_attach_complete(bench.pair);
	fake_run();
}

/* --- Capabilities, offloads, limits ------------------------------------------------------------ */

static void capabilities_are_the_intersection(void **state)
{
	(void)state;
	fake_begin(true);
	bench.vf.netdev.info.capabilities = HVK_NETDEV_TX_TCP4 | HVK_NETDEV_TX_UDP4 | HVK_NETDEV_LRO;
	bench.vf.netdev.info.enabled = HVK_NETDEV_LRO;
	bench.vf.netdev.info.rss_types = HVK_RSS_TCP4 | HVK_RSS_UDP4;
	bench.vf.netdev.info.frame_max = 1510;
	complete();
	assert_int_equal(fake_card()->info.capabilities, HVK_NETDEV_TX_TCP4 | HVK_NETDEV_TX_UDP4);
	assert_int_equal(fake_card()->info.rss_types, HVK_RSS_TCP4);
	assert_int_equal(fake_card()->info.frame_max, 1510);
	assert_int_equal(bench.stack.infos, 1); /* and the stack hears of it */
	assert_int_equal(fake_unpair(), HVK_OK);
	assert_int_equal(fake_card()->info.capabilities, FAKE_CAPABILITIES);
	assert_int_equal(bench.stack.infos, 2);
	bench.vf.netdev.info.rss_types = 0; /* it spreads nothing: the card may go on */
	complete();
	assert_int_equal(fake_card()->info.rss_types, HVK_RSS_IPV4 | HVK_RSS_TCP4);
	fake_end();
}

static void enabled_capabilities_checksum_and_tso_assist_follow(void **state)
{
	(void)state;
	fake_begin(true);
	bench.vf.netdev.info.capabilities &= ~(HVK_NETDEV_TSO4 | HVK_NETDEV_TX_UDP6);
	bench.vf.netdev.info.enabled = 0;
	complete();
	assert_int_equal(bench.vf.netdev.info.enabled, bench.vf.netdev.info.capabilities);
	assert_int_equal(bench.nic.device.netdev.info.enabled,
			 FAKE_CAPABILITIES & ~(HVK_NETDEV_TSO4 | HVK_NETDEV_TX_UDP6));
	assert_int_equal(fake_card()->info.enabled, bench.nic.device.netdev.info.enabled);
	assert_int_equal(fake_unpair(), HVK_OK);
	assert_int_equal(bench.vf.netdev.info.enabled, 0);
	assert_int_equal(bench.nic.device.netdev.info.enabled, FAKE_CAPABILITIES);
	assert_int_equal(fake_card()->info.enabled, FAKE_CAPABILITIES);
	fake_end();
}

/* What the stack had switched off stays off, on the VF too. */
static void offloads_that_the_stack_does_not_want_are_off_on_the_vf(void **state)
{
	struct hvk_request request = {0};

	(void)state;
	fake_begin(true);
	hvk_netdev_set_enabled(fake_card(), HVK_NETDEV_TX_TCP4, &request);
	fake_run();
	complete();
	assert_int_equal(bench.vf.netdev.info.enabled, HVK_NETDEV_TX_TCP4);
	assert_int_equal(fake_card()->info.enabled, HVK_NETDEV_TX_TCP4);
	assert_int_equal(fake_card()->info.capabilities, FAKE_CAPABILITIES);
	assert_int_equal(fake_unpair(), HVK_OK);
	assert_int_equal(bench.vf.netdev.info.enabled, FAKE_CAPABILITIES);
	assert_int_equal(fake_card()->info.enabled, HVK_NETDEV_TX_TCP4);
	fake_end();
}

/* The card spreads its own frames over its queues, whatever the VF can do. */
static void rss_of_the_card_stays_where_the_vf_has_none(void **state)
{
	(void)state;
	fake_begin(true);
	bench.vf.netdev.info.capabilities &= ~HVK_NETDEV_RSS;
	bench.vf.netdev.info.enabled &= ~HVK_NETDEV_RSS;
	complete();
	assert_true(bench.nic.device.netdev.info.enabled & HVK_NETDEV_RSS);
	assert_false(fake_card()->info.capabilities & HVK_NETDEV_RSS);
	fake_end();
}

/* A VF that cannot switch them: its word counts, unless frames would look other than asked for. */
static void offloads_that_the_vf_cannot_switch(void **state)
{
	(void)state;
	fake_begin(true);
	bench.vf.netdev.info.enabled = HVK_NETDEV_TX_TCP4;
	bench.vf.answers[FAKE_ENABLED] = HVK_ENOTSUP;
	complete();
	assert_int_equal(fake_state(), HVK_VF_READY);
	assert_int_equal(fake_card()->info.enabled, HVK_NETDEV_TX_TCP4);
	assert_int_equal(bench.nic.device.netdev.info.enabled, HVK_NETDEV_TX_TCP4 | HVK_NETDEV_RSS);
	assert_int_equal(fake_unpair(), HVK_OK);
	assert_int_equal(bench.nic.device.netdev.info.enabled, FAKE_CAPABILITIES);

	bench.vf.netdev.info.capabilities = bench.vf.netdev.info.enabled = FAKE_CAPABILITIES | HVK_NETDEV_LRO;
	complete();
	assert_int_equal(fake_state(), HVK_VF_WAITING);
	assert_int_equal(bench.nic.device.netdev.info.enabled, FAKE_CAPABILITIES);
	fake_end();
}

static void set_tso(struct fake_device *device, uint32_t bytes, uint32_t pieces, uint32_t segments)
{
	device->netdev.info.tso_bytes_max = bytes;
	device->netdev.info.tso_pieces_max = pieces;
	device->netdev.info.tso_segments_min = segments;
}

static void shows_tso(uint32_t bytes, uint32_t pieces, uint32_t segments)
{
	assert_int_equal(fake_card()->info.tso_bytes_max, bytes);
	assert_int_equal(fake_card()->info.tso_pieces_max, pieces);
	assert_int_equal(fake_card()->info.tso_segments_min, segments);
}

/* Each is now the VF's, now the card's. */
static void tso_limits_meet_both(void **state)
{
	(void)state;
	fake_begin(true);
	set_tso(&bench.nic.device, 65000, 20, 2);
	set_tso(&bench.vf, 30000, 40, 3);
	complete();
	shows_tso(30000, 20, 3);
	assert_int_equal(fake_unpair(), HVK_OK);
	shows_tso(65000, 20, 2);
	set_tso(&bench.nic.device, 20000, 20, 4);
	set_tso(&bench.vf, 30000, 10, 3);
	complete();
	shows_tso(20000, 10, 4);
	assert_int_equal(fake_unpair(), HVK_OK);
	shows_tso(20000, 20, 4);
	fake_end();
}

/* --- Input ------------------------------------------------------------------------------------- */

static void packets_from_the_vf_are_delivered_and_counted_as_the_cards(void **state)
{
	struct hvk_netdev_counters counters;
	struct hvk_vf_info info;

	(void)state;
	fake_begin(true);
	bench.vf.counters.rx_frames = 7; /* of a life before */
	fake_activate();
	fake_receive(&bench.vf, fake_mac, 0, 0, NULL);
	assert_int_equal(bench.stack.inputs, 1);
	assert_ptr_equal(bench.stack.from, fake_card());
	assert_int_equal(bench.stack.bursts, 1);
	assert_int_equal(bench.driver.inputs, 0);
	hvk_netdev_get_counters(fake_card(), &counters);
	assert_int_equal(counters.rx_frames, 1);
	assert_int_equal(counters.rx_bytes, 60);
	fake_receive(&bench.nic.device, broadcast, 0, 0, NULL); /* the host still sends some there */
	assert_int_equal(bench.stack.inputs, 2);
	assert_int_equal(fake_unpair(), HVK_OK);
	hvk_netdev_get_counters(fake_card(), &counters); /* what has been counted stays counted */
	assert_int_equal(counters.rx_frames, 2);
	hvk_vf_get_info(bench.pair, &info);
	assert_int_equal(info.vf_rx, 1);
	assert_int_equal(info.synthetic_rx, 1);
	fake_receive(&bench.vf, fake_mac, 0, 0, NULL); /* its driver's again */
	assert_int_equal(bench.driver.inputs, 1);
	assert_int_equal(bench.stack.inputs, 2);
	fake_end();
}

static void frames_that_the_vf_lends_are_given_back(void **state)
{
	int owner;

	(void)state;
	fake_begin(true);
	fake_activate();
	fake_receive(&bench.vf, fake_mac, 0, 0, &owner);
	assert_int_equal(bench.stack.inputs, 1);
	assert_null(bench.stack.last.owner);
	assert_int_equal(bench.vf.released, 1);
	fake_receive(&bench.nic.device, fake_mac, 0, 0, &owner); /* the card's are the stack's to give back */
	assert_ptr_equal(bench.stack.last.owner, &owner);
	hvk_netdev_release(fake_card(), &owner);
	assert_int_equal(bench.nic.device.released, 1);
	assert_int_equal(bench.vf.released, 1);
	fake_end();
}

/* The stack thinks in the card's queues. */
static void queue_numbers_are_below_the_cards(void **state)
{
	(void)state;
	fake_begin(true);
	bench.vf.netdev.info.queues = 8;
	fake_activate();
	{
		uint8_t bytes[60] = {0};
		struct hvk_rx_frame frame = {.data = bytes, .length = 60, .queue = 7, .segments = 1};

		bench.vf.netdev.hooks.input(bench.vf.netdev.hooks.context, &bench.vf.netdev, &frame);
	}
	assert_int_equal(bench.stack.last.queue, 1);
	fake_end();
}

/* --- Multicast --------------------------------------------------------------------------------- */

static void groups(uint32_t count)
{
	static const uint8_t list[2][6] = {{0x01, 0x00, 0x5e, 0x00, 0x00, 0x05}, {0x33, 0x33, 0, 0, 0, 1}};
	struct hvk_request request = {0};

	hvk_netdev_set_multicast(fake_card(), list, count, &request);
	fake_run();
	assert_int_equal(request.status, HVK_OK);
}

static void multicast_on_the_card_means_all_multicast_on_the_vf(void **state)
{
	(void)state;
	fake_begin(true);
	fake_activate();
	groups(2);
	assert_string_equal(bench.log, "card groups 2; vf flags 3");
	assert_int_equal(bench.vf.group_count, 0);
	fake_forget();
	groups(1);
	assert_string_equal(bench.log, "card groups 1");
	groups(0);
	assert_int_equal(bench.vf.netdev.info.flags, HVK_NETDEV_UP);
	groups(1);
	assert_int_equal(fake_unpair(), HVK_OK);
	assert_int_equal(bench.vf.netdev.info.flags, 0); /* as it came */
	assert_int_equal(bench.nic.device.group_count, 1);
	complete(); /* set while there was no VF */
	assert_int_equal(bench.vf.netdev.info.flags, HVK_NETDEV_UP | HVK_NETDEV_ALL_MULTICAST);
	fake_end();
}

/* The VF takes in every group, the stack gets those that it asked for. */
static void groups_that_nobody_asked_for_are_not_delivered(void **state)
{
	struct hvk_netdev_counters counters;

	(void)state;
	fake_begin(true);
	fake_activate();
	groups(1);
	fake_receive(&bench.vf, other_group, 0, 0, NULL);
	assert_int_equal(bench.stack.inputs, 0);
	hvk_netdev_get_counters(fake_card(), &counters);
	assert_int_equal(counters.rx_frames, 0);
	assert_int_equal(counters.rx_bytes, 0);
	assert_int_equal(counters.rx_dropped, 1);
	assert_int_equal(counters.rx_other_group, 1);
	fake_receive(&bench.vf, group, 0, 0, NULL);
	fake_receive(&bench.vf, broadcast, 0, 0, NULL);
	assert_int_equal(bench.stack.inputs, 2);
	assert_int_equal(fake_flags(fake_card(), HVK_NETDEV_UP | HVK_NETDEV_ALL_MULTICAST), HVK_OK);
	fake_receive(&bench.vf, other_group, 0, 0, NULL);
	assert_int_equal(bench.stack.inputs, 3);
	assert_int_equal(fake_flags(fake_card(), HVK_NETDEV_UP | HVK_NETDEV_PROMISCUOUS), HVK_OK);
	fake_receive(&bench.vf, other_group, 0, 0, NULL);
	assert_int_equal(bench.stack.inputs, 4);
	fake_end();
}

/* --- Media ------------------------------------------------------------------------------------- */

static void set_link(struct fake_device *device, bool up)
{
	device->netdev.info.link_up = up;
	device->netdev.hooks.link_changed(device->netdev.hooks.context, &device->netdev, up);
	fake_run();
}

static void media_status_is_the_vfs(void **state)
{
	(void)state;
	fake_begin(true);
	fake_activate();
	assert_int_equal(fake_card()->info.link_speed, 40000000000);
	assert_true(bench.stack.infos > 0);
	set_link(&bench.nic.device, false);
	assert_true(fake_card()->info.link_up);
	assert_int_equal(bench.stack.links, 0);
	set_link(&bench.vf, false);
	assert_false(fake_card()->info.link_up);
	assert_int_equal(bench.stack.links, 1);
	assert_false(bench.stack.link);
	set_link(&bench.nic.device, true);
	assert_int_equal(bench.stack.links, 1);
	assert_int_equal(fake_unpair(), HVK_OK); /* the card's again */
	assert_true(fake_card()->info.link_up);
	assert_int_equal(bench.stack.links, 2);
	assert_int_equal(fake_card()->info.link_speed, 1000000000);
	fake_end();
}

static void link_of_a_vf_that_is_not_active_is_nobodys(void **state)
{
	(void)state;
	fake_begin(true);
	complete();
	set_link(&bench.vf, false);
	assert_true(fake_card()->info.link_up);
	assert_int_equal(bench.stack.links, 0);
	fake_end();
}

/* --- Up, transmission, down -------------------------------------------------------------------- */

static void card_up_brings_the_vf_up_then_the_data_path_then_rss(void **state)
{
	(void)state;
	fake_begin(true);
	complete();
	assert_int_equal(fake_state(), HVK_VF_READY);
	fake_forget();
	fake_up();
	assert_string_equal(bench.log, "card flags 1; vf flags 1; data path vf; card RSS 0x300 key 119");
	assert_int_equal(fake_state(), HVK_VF_ACTIVE);
	fake_end();
}

static void request_of_card_up_ends_with_the_vf(void **state)
{
	struct hvk_request *request;

	(void)state;
	fake_begin(true);
	complete();
	request = fake_request();
	bench.nic.device.answers[FAKE_DATA_PATH] = HVK_EINPROGRESS;
	hvk_netdev_set_flags(fake_card(), HVK_NETDEV_UP, request);
	fake_run();
	assert_int_equal(request->status, HVK_EINPROGRESS);
	fake_let_go(&bench.nic.device, HVK_OK);
	fake_run();
	assert_int_equal(request->status, HVK_OK);
	fake_end();
}

static void transmission_goes_to_the_vf(void **state)
{
	struct hvk_tx_frame frames[3], *const list[3] = {&frames[0], &frames[1], &frames[2]};
	enum hvk_tx_result result;
	struct hvk_vf_info info;

	(void)state;
	fake_begin(true);
	fake_up();
	assert_int_equal(fake_send(fake_card()), HVK_TX_TAKEN);
	assert_int_equal(bench.nic.device.counters.tx_frames, 1);
	complete();
	assert_int_equal(fake_send(fake_card()), HVK_TX_TAKEN);
	assert_int_equal(hvk_netdev_transmit_many(fake_card(), list, 3, &result), 3);
	assert_int_equal(bench.vf.counters.tx_frames, 4);
	assert_int_equal(bench.nic.device.counters.tx_frames, 1);
	hvk_vf_get_info(bench.pair, &info);
	assert_int_equal(info.vf_tx, 4);
	assert_int_equal(info.synthetic_tx, 1);
	assert_int_equal(fake_unpair(), HVK_OK);
	assert_int_equal(fake_send(fake_card()), HVK_TX_TAKEN);
	assert_int_equal(bench.nic.device.counters.tx_frames, 2);
	fake_end();
}

/* The host may have moved it already, or not yet: neither device is right. */
static void frames_wait_while_the_data_path_moves(void **state)
{
	uint32_t told;

	(void)state;
	fake_begin(true);
	fake_up();
	for (uint32_t back = 0; back < 2; back++) {
		struct hvk_request unpaired = {0};

		bench.nic.device.answers[FAKE_DATA_PATH] = HVK_EINPROGRESS;
		if (back)
			hvk_vf_unpair(bench.pair, &unpaired);
		else
			complete();
		fake_run();
		assert_int_equal(fake_state(), HVK_VF_SWITCHING);
		assert_int_equal(fake_send(fake_card()), HVK_TX_BUSY);
		told = bench.stack.ready;
		fake_let_go(&bench.nic.device, HVK_OK);
		fake_run();
		assert_int_equal(bench.stack.ready, told + 1);
		assert_int_equal(fake_send(fake_card()), HVK_TX_TAKEN);
		assert_int_equal(bench.vf.counters.tx_frames, 1);
		assert_int_equal(bench.nic.device.counters.tx_frames, back);
	}
	fake_end();
}

/* It has vanished, and we have not heard of it yet. */
static void frames_that_the_vf_does_not_take_go_by_the_card(void **state)
{
	(void)state;
	fake_begin(true);
	fake_activate();
	bench.vf.result = HVK_TX_GONE;
	assert_int_equal(fake_send(fake_card()), HVK_TX_TAKEN);
	assert_int_equal(bench.nic.device.counters.tx_frames, 1);
	bench.vf.result = HVK_TX_BUSY; /* but not past one that is full */
	assert_int_equal(fake_send(fake_card()), HVK_TX_BUSY);
	assert_int_equal(bench.nic.device.counters.tx_frames, 1);
	fake_end();
}

static void room_in_the_vf_is_told(void **state)
{
	(void)state;
	fake_begin(true);
	fake_activate();
	bench.vf.netdev.hooks.tx_ready(bench.vf.netdev.hooks.context, &bench.vf.netdev);
	assert_int_equal(bench.stack.ready, 1);
	fake_end();
}

/* A VF that was full and leaves does not call: the stack would wait for ever. */
static void room_is_told_when_a_full_vf_leaves(void **state)
{
	(void)state;
	for (uint32_t vanishes = 0; vanishes < 2; vanishes++) {
		fake_begin(true);
		fake_activate();
		bench.vf.result = HVK_TX_BUSY;
		assert_int_equal(fake_send(fake_card()), HVK_TX_BUSY);
		if (vanishes)
			fake_vanish();
		else
			hvk_vf_unpair(bench.pair, fake_request());
		fake_pass(300);
		assert_true(bench.stack.ready > 0);
		fake_end();
	}
}

/* No turn for each flush of a stack that has no VF. */
static void flush_reaches_both_and_costs_nothing_without_a_vf(void **state)
{
	(void)state;
	fake_begin(true);
	fake_up();
	hvk_netdev_flush(fake_card());
	assert_int_equal(bench.nic.device.calls[HVK_VF_FLUSH], 1);
	assert_false(fake_step());
	fake_activate();
	hvk_netdev_flush(fake_card());
	assert_int_equal(bench.nic.device.calls[HVK_VF_FLUSH], 1);
	assert_int_equal(bench.vf.calls[HVK_VF_FLUSH], 1);
	fake_end();
}

static void card_down_takes_the_vf_down(void **state)
{
	(void)state;
	fake_begin(true);
	fake_activate();
	assert_int_equal(fake_flags(fake_card(), 0), HVK_OK);
	assert_string_equal(bench.log, "data path card; card RSS 0x300 key 17; vf flags 0; card flags 0");
	assert_int_equal(fake_state(), HVK_VF_READY);
	fake_end();
}

/* --- RSS and hashes ---------------------------------------------------------------------------- */

static void rss_key_and_hash_types_are_aligned_after_up(void **state)
{
	struct hvk_netdev_rss rss;

	(void)state;
	fake_begin(true);
	bench.vf.rss.types = HVK_RSS_TCP4;
	fake_activate();
	assert_int_equal(bench.nic.device.rss.key[0], 0x77);
	assert_int_equal(bench.nic.device.rss.types, HVK_RSS_TCP4);
	assert_true(hvk_netdev_get_rss(fake_card(), &rss));
	assert_int_equal(rss.key[0], 0x77);
	assert_int_equal(fake_unpair(), HVK_OK);
	assert_int_equal(bench.nic.device.rss.key[0], 0x11);
	assert_int_equal(bench.nic.device.rss.types, HVK_RSS_IPV4 | HVK_RSS_TCP4);
	fake_end();
}

static uint32_t hash_shown(struct fake_device *device, uint32_t type)
{
	fake_receive(device, fake_mac, HVK_RX_HASH, type, NULL);
	return bench.stack.last.flags & HVK_RX_HASH;
}

static void hashes_are_shown_where_both_agree(void **state)
{
	(void)state;
	fake_begin(true);
	assert_true(hash_shown(&bench.nic.device, HVK_RSS_IPV4));
	bench.vf.rss.types = HVK_RSS_TCP4;
	fake_activate();
	assert_true(hash_shown(&bench.vf, HVK_RSS_TCP4));
	assert_true(hash_shown(&bench.nic.device, HVK_RSS_TCP4));
	assert_false(hash_shown(&bench.vf, HVK_RSS_IPV4));
	assert_false(hash_shown(&bench.nic.device, HVK_RSS_IPV4));
	assert_int_equal(fake_unpair(), HVK_OK);
	assert_true(hash_shown(&bench.nic.device, HVK_RSS_IPV4));
	fake_end();
}

static void hashes_are_hidden_while_the_keys_differ(void **state)
{
	(void)state;
	fake_begin(true);
	bench.nic.device.answers[FAKE_RSS] = HVK_EREFUSED_RNDIS;
	fake_activate(); /* no failure: the frames matter more */
	assert_false(hash_shown(&bench.vf, HVK_RSS_TCP4));
	assert_false(hash_shown(&bench.nic.device, HVK_RSS_TCP4));
	bench.nic.device.answers[FAKE_RSS] = HVK_OK;
	fake_end();

	fake_begin(true); /* nothing in common */
	bench.vf.rss.types = HVK_RSS_UDP4;
	fake_activate();
	assert_int_equal(bench.nic.device.rss.key[0], 0x11);
	assert_false(hash_shown(&bench.vf, HVK_RSS_UDP4));
	fake_end();
}

/* --- MTU --------------------------------------------------------------------------------------- */

static void mtu_of_the_vf_follows_the_cards(void **state)
{
	struct hvk_request request = {0};

	(void)state;
	fake_begin(true);
	hvk_netdev_set_mtu(fake_card(), 4000, &request);
	fake_run();
	assert_int_equal(request.status, HVK_OK);
	complete();
	assert_int_equal(bench.vf.netdev.info.mtu, 4000);
	assert_int_equal(fake_unpair(), HVK_OK);
	assert_int_equal(bench.vf.netdev.info.mtu, 1500);
	assert_int_equal(fake_card()->info.mtu, 4000);
	fake_end();
}

/* The stack's MTU is not made smaller behind its back. */
static void vf_that_cannot_have_the_mtu_is_not_used(void **state)
{
	struct hvk_request request = {0};

	(void)state;
	fake_begin(true);
	hvk_netdev_set_mtu(fake_card(), 4000, &request);
	fake_run();
	bench.vf.answers[FAKE_MTU] = HVK_EREFUSED_VIRTIO;
	fake_up();
	complete();
	assert_int_equal(fake_state(), HVK_VF_WAITING);
	assert_int_equal(fake_card()->info.mtu, 4000);
	assert_int_equal(fake_send(fake_card()), HVK_TX_TAKEN);
	bench.vf.answers[FAKE_MTU] = HVK_OK;
	hvk_netdev_set_mtu(fake_card(), 1500, &request); /* then it can */
	fake_run();
	assert_int_equal(fake_state(), HVK_VF_ACTIVE);
	fake_end();
}

/* --- Nobody else ------------------------------------------------------------------------------- */

static void direct_operation_is_refused(void **state)
{
	struct hvk_netdev *const devices[2] = {&bench.vf.netdev, &bench.nic.device.netdev};
	struct hvk_request requests[5] = {{0}};
	struct hvk_netdev_rss rss = {0};

	(void)state;
	fake_begin(true);
	fake_activate();
	for (uint32_t i = 0; i < 2; i++) {
		hvk_netdev_set_flags(devices[i], 0, &requests[0]);
		hvk_netdev_set_enabled(devices[i], 0, &requests[1]);
		hvk_netdev_set_mtu(devices[i], 1400, &requests[2]);
		hvk_netdev_set_multicast(devices[i], NULL, 0, &requests[3]);
		hvk_netdev_set_rss(devices[i], &rss, &requests[4]);
		fake_run();
		for (uint32_t k = 0; k < 5; k++)
			assert_int_equal(requests[k].status, HVK_EPAIRED);
		assert_int_equal(fake_send(devices[i]), HVK_TX_GONE);
		assert_true(hvk_netdev_get_rss(devices[i], &rss)); /* looking is allowed */
	}
	bench.vf.outstanding = 3;
	assert_int_equal(bench.vf.netdev.ops->outstanding(&bench.vf.netdev), 3);
	bench.vf.outstanding = 0;
	assert_string_equal(bench.log, "");
	assert_int_equal(fake_unpair(), HVK_OK);
	hvk_netdev_set_mtu(&bench.vf.netdev, 1400, &requests[2]); /* its driver's again */
	fake_run();
	assert_int_equal(requests[2].status, HVK_OK);
	fake_end();
}

/* --- Everything undone ------------------------------------------------------------------------- */

static void detach_undoes_all_in_order(void **state)
{
	const struct hvk_netdev_hooks hooks = fake_hooks(&bench.driver);
	struct hvk_netdev_info card, shown, vf;

	(void)state;
	fake_begin(true);
	bench.vf.netdev.info.enabled = HVK_NETDEV_TX_TCP4;
	bench.vf.netdev.info.capabilities &= ~HVK_NETDEV_TSO4;
	bench.vf.netdev.info.mtu = 1400;
	bench.vf.netdev.info.frame_max = 1414;
	bench.vf.netdev.info.flags = HVK_NETDEV_PROMISCUOUS;
	fake_up();
	groups(1);
	card = bench.nic.device.netdev.info;
	shown = fake_card()->info;
	vf = bench.vf.netdev.info;
	for (uint32_t i = 0; i < 10; i++) {
		complete();
		assert_int_equal(fake_state(), HVK_VF_ACTIVE);
		assert_int_not_equal(bench.vf.netdev.info.enabled, vf.enabled);
		fake_forget();
		assert_int_equal(fake_unpair(), HVK_OK);
		assert_string_equal(bench.log, "data path card; card RSS 0x300 key 17; vf flags 4; "
					       "card enabled 0x87ff; vf enabled 0x2; vf MTU 1400");
		assert_memory_equal(&card, &bench.nic.device.netdev.info, sizeof(card));
		assert_memory_equal(&shown, &fake_card()->info, sizeof(shown));
		assert_memory_equal(&vf, &bench.vf.netdev.info, sizeof(vf));
		assert_memory_equal(&hooks, &bench.vf.netdev.hooks, sizeof(hooks));
		assert_ptr_equal(bench.vf.netdev.ops, &fake_ops);
	}
	fake_end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(capabilities_are_the_intersection),
		cmocka_unit_test(enabled_capabilities_checksum_and_tso_assist_follow),
		cmocka_unit_test(offloads_that_the_stack_does_not_want_are_off_on_the_vf),
		cmocka_unit_test(rss_of_the_card_stays_where_the_vf_has_none),
		cmocka_unit_test(offloads_that_the_vf_cannot_switch),
		cmocka_unit_test(tso_limits_meet_both),
		cmocka_unit_test(packets_from_the_vf_are_delivered_and_counted_as_the_cards),
		cmocka_unit_test(frames_that_the_vf_lends_are_given_back),
		cmocka_unit_test(queue_numbers_are_below_the_cards),
		cmocka_unit_test(multicast_on_the_card_means_all_multicast_on_the_vf),
		cmocka_unit_test(groups_that_nobody_asked_for_are_not_delivered),
		cmocka_unit_test(media_status_is_the_vfs),
		cmocka_unit_test(link_of_a_vf_that_is_not_active_is_nobodys),
		cmocka_unit_test(card_up_brings_the_vf_up_then_the_data_path_then_rss),
		cmocka_unit_test(request_of_card_up_ends_with_the_vf),
		cmocka_unit_test(transmission_goes_to_the_vf),
		cmocka_unit_test(frames_wait_while_the_data_path_moves),
		cmocka_unit_test(frames_that_the_vf_does_not_take_go_by_the_card),
		cmocka_unit_test(room_in_the_vf_is_told),
		cmocka_unit_test(room_is_told_when_a_full_vf_leaves),
		cmocka_unit_test(flush_reaches_both_and_costs_nothing_without_a_vf),
		cmocka_unit_test(card_down_takes_the_vf_down),
		cmocka_unit_test(rss_key_and_hash_types_are_aligned_after_up),
		cmocka_unit_test(hashes_are_shown_where_both_agree),
		cmocka_unit_test(hashes_are_hidden_while_the_keys_differ),
		cmocka_unit_test(mtu_of_the_vf_follows_the_cards),
		cmocka_unit_test(vf_that_cannot_have_the_mtu_is_not_used),
		cmocka_unit_test(direct_operation_is_refused),
		cmocka_unit_test(detach_undoes_all_in_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
