/* SPDX-License-Identifier: MIT */
/* Control operations on a card with a VF: what the table says of each is what happens. */
#include "guest_vf_fake.h"

/* --- Each operation does what its row says ----------------------------------------------------- */

static const uint8_t one_group[1][6] = {{0x01, 0x00, 0x5e, 0x00, 0x00, 0x05}};

static void frames(uint32_t count)
{
	struct hvk_tx_frame some[2], *const list[2] = {&some[0], &some[1]};
	enum hvk_tx_result result;

	assert_int_equal(hvk_netdev_transmit_many(fake_card(), list, count, &result), count);
}

/* True: it ends with a request. */
static bool set(enum hvk_vf_operation operation, struct hvk_request *request)
{
	struct hvk_netdev_rss rss = {.types = HVK_RSS_TCP4};

	switch (operation) {
	case HVK_VF_SET_UP:
		hvk_netdev_set_flags(fake_card(), HVK_NETDEV_UP, request);
		return true;
	case HVK_VF_SET_DOWN:
		hvk_netdev_set_flags(fake_card(), 0, request);
		return true;
	case HVK_VF_SET_ALL_MULTICAST:
		hvk_netdev_set_flags(fake_card(), HVK_NETDEV_UP | HVK_NETDEV_ALL_MULTICAST, request);
		return true;
	case HVK_VF_SET_PROMISCUOUS:
		hvk_netdev_set_flags(fake_card(), HVK_NETDEV_UP | HVK_NETDEV_PROMISCUOUS, request);
		return true;
	case HVK_VF_SET_MULTICAST:
		hvk_netdev_set_multicast(fake_card(), one_group, 1, request);
		return true;
	case HVK_VF_SET_ENABLED:
		hvk_netdev_set_enabled(fake_card(), HVK_NETDEV_TX_TCP4, request);
		return true;
	case HVK_VF_SET_MTU:
		hvk_netdev_set_mtu(fake_card(), 4000, request);
		return true;
	case HVK_VF_SET_RSS:
		hvk_netdev_set_rss(fake_card(), &rss, request);
		return true;
	default:
		return false;
	}
}

static void get(enum hvk_vf_operation operation)
{
	struct hvk_netdev_counters counters;
	struct hvk_netdev_rss rss;
	int owner;

	switch (operation) {
	case HVK_VF_GET_RSS:
		assert_true(hvk_netdev_get_rss(fake_card(), &rss));
		break;
	case HVK_VF_GET_COUNTERS:
		hvk_netdev_get_counters(fake_card(), &counters);
		break;
	case HVK_VF_GET_QUEUE_COUNTERS:
		hvk_netdev_get_queue_counters(fake_card(), 1, &counters);
		break;
	case HVK_VF_TRANSMIT:
		assert_int_equal(fake_send(fake_card()), HVK_TX_TAKEN);
		break;
	case HVK_VF_TRANSMIT_MANY:
		frames(2);
		break;
	case HVK_VF_FLUSH:
		hvk_netdev_flush(fake_card());
		break;
	case HVK_VF_RELEASE:
		hvk_netdev_release(fake_card(), &owner);
		break;
	default:
		fail_msg("operation %u is not walked", (unsigned)operation);
	}
}

static uint32_t calls(const struct fake_device *device)
{
	uint32_t sum = 0;

	for (uint32_t i = 0; i < HVK_VF_OPERATIONS; i++)
		sum += device->calls[i];
	return sum;
}

static void perform(enum hvk_vf_operation operation)
{
	struct hvk_request request = {0};

	/* Up is one only for a card that is down. */
	if (operation == HVK_VF_SET_UP)
		assert_int_equal(fake_flags(fake_card(), 0), HVK_OK);
	fake_forget();
	if (set(operation, &request)) {
		fake_run();
		assert_int_equal(request.status, HVK_OK);
	} else {
		get(operation);
	}
}

static void every_operation_has_a_row_and_does_what_it_says(void **state)
{
	(void)state;
	for (uint32_t i = 0; i < HVK_VF_OPERATIONS; i++) {
		const struct hvk_vf_operation_rule *rule = hvk_vf_get_rule((enum hvk_vf_operation)i);
		uint32_t vf, card;

		assert_non_null(rule);
		assert_int_equal(rule->operation, i);
		assert_true(strlen(rule->name) > 2 && strlen(rule->why) > 10);
		fake_begin(true);
		fake_activate();
		perform((enum hvk_vf_operation)i);
		vf = calls(&bench.vf);
		card = calls(&bench.nic.device);
		if (i == HVK_VF_GET_COUNTERS) /* the VF's figures are looked at */
			vf--;
		if ((vf != 0) != (rule->rule != HVK_VF_ANSWERED) ||
		    (card != 0) != (rule->rule != HVK_VF_PASSED))
			fail_msg("%s: VF %u, card %u: %s", rule->name, vf, card, bench.log);
		fake_end();
	}
	assert_null(hvk_vf_get_rule(HVK_VF_OPERATIONS));
	assert_null(hvk_vf_get_rule((enum hvk_vf_operation)UINT32_MAX));
}

/* What each leaves behind on both. */
static void mirrored_operations_reach_both_states(void **state)
{
	const struct hvk_netdev_info *vf = &bench.vf.netdev.info, *card = &bench.nic.device.netdev.info;

	(void)state;
	fake_begin(true);
	fake_activate();
	perform(HVK_VF_SET_ALL_MULTICAST);
	assert_int_equal(vf->flags, HVK_NETDEV_UP | HVK_NETDEV_ALL_MULTICAST);
	assert_int_equal(card->flags, vf->flags);
	perform(HVK_VF_SET_PROMISCUOUS);
	assert_int_equal(vf->flags, HVK_NETDEV_UP | HVK_NETDEV_PROMISCUOUS);
	assert_int_equal(fake_card()->info.flags, vf->flags);
	perform(HVK_VF_SET_ENABLED);
	assert_int_equal(vf->enabled, HVK_NETDEV_TX_TCP4);
	assert_int_equal(card->enabled, HVK_NETDEV_TX_TCP4);
	perform(HVK_VF_SET_MTU);
	assert_int_equal(vf->mtu, 4000);
	assert_int_equal(card->mtu, 4000);
	assert_string_equal(bench.log,
			    "data path card; card RSS 0x300 key 17; vf flags 0; vf MTU 4000; card MTU 4000; "
			    "vf flags 5; data path vf"); /* hashes are off: no RSS */
	assert_int_equal(fake_card()->info.mtu, 4000);
	assert_int_equal(fake_card()->info.frame_max, 4014);
	assert_int_equal(fake_unpair(), HVK_OK);
	assert_int_equal(vf->mtu, 1500);
	assert_int_equal(card->mtu, 4000);
	assert_int_equal(card->enabled, HVK_NETDEV_TX_TCP4);
	fake_end();
}

static void operations_without_a_vf_are_the_cards(void **state)
{
	(void)state;
	fake_begin(true);
	fake_up();
	fake_pair(); /* still at its attach: not to be touched */
	for (uint32_t i = HVK_VF_SET_ALL_MULTICAST; i <= HVK_VF_SET_RSS; i++) {
		perform((enum hvk_vf_operation)i);
		assert_int_equal(calls(&bench.vf), 0);
		assert_int_not_equal(calls(&bench.nic.device), 0);
	}
	fake_end();
}

/* --- Refusals ---------------------------------------------------------------------------------- */

static void what_the_vf_refuses_the_card_does_not_get(void **state)
{
	struct hvk_request request = {0};

	(void)state;
	fake_begin(true);
	fake_activate();
	bench.vf.answers[FAKE_MTU] = HVK_EREFUSED_VIRTIO;
	hvk_netdev_set_mtu(fake_card(), 4000, &request);
	fake_run();
	assert_int_equal(request.status, HVK_EREFUSED_VIRTIO);
	assert_int_equal(bench.nic.device.netdev.info.mtu, 1500);
	assert_int_equal(fake_card()->info.mtu, 1500);
	assert_int_equal(fake_state(), HVK_VF_ACTIVE);
	fake_end();
}

static void what_the_card_refuses_is_taken_back_from_the_vf(void **state)
{
	struct hvk_netdev_rss rss = {.types = HVK_RSS_TCP4, .key = {9}};
	struct hvk_request request = {0};

	(void)state;
	fake_begin(true);
	fake_activate();
	bench.nic.device.answers[FAKE_MTU] = HVK_EREFUSED_RNDIS;
	hvk_netdev_set_mtu(fake_card(), 4000, &request);
	fake_run();
	assert_int_equal(request.status, HVK_EREFUSED_RNDIS);
	assert_int_equal(bench.vf.netdev.info.mtu, 1500);
	bench.nic.device.answers[FAKE_ENABLED] = HVK_EREFUSED_RNDIS;
	hvk_netdev_set_enabled(fake_card(), 0, &request);
	fake_run();
	assert_int_equal(request.status, HVK_EREFUSED_RNDIS);
	assert_int_equal(bench.vf.netdev.info.enabled, FAKE_CAPABILITIES);
	assert_int_equal(fake_card()->info.enabled, FAKE_CAPABILITIES);
	bench.nic.device.answers[FAKE_RSS] = HVK_EREFUSED_RNDIS;
	hvk_netdev_set_rss(fake_card(), &rss, &request);
	fake_run();
	assert_int_equal(request.status, HVK_EREFUSED_RNDIS);
	assert_int_equal(bench.vf.rss.key[0], 0x77);
	bench.nic.device.answers[FAKE_RSS] = HVK_OK;
	assert_int_equal(fake_state(), HVK_VF_ACTIVE);
	fake_end();
}

static void values_out_of_range_reach_nobody(void **state)
{
	static const uint8_t many[HVK_NETDEV_GROUPS_MAX + 1][6];
	struct hvk_netdev_rss rss = {.types = HVK_RSS_UDP4};
	struct hvk_request requests[4] = {{0}};

	(void)state;
	fake_begin(true);
	bench.vf.netdev.info.mtu_max = 4000;
	bench.vf.netdev.info.capabilities &= ~HVK_NETDEV_TSO4;
	bench.vf.netdev.info.enabled &= ~HVK_NETDEV_TSO4;
	fake_activate();
	hvk_netdev_set_mtu(fake_card(), 4001, &requests[0]); /* the card could */
	hvk_netdev_set_enabled(fake_card(), HVK_NETDEV_TSO4, &requests[1]);
	hvk_netdev_set_rss(fake_card(), &rss, &requests[2]);
	hvk_netdev_set_multicast(fake_card(), many, HVK_NETDEV_GROUPS_MAX + 1, &requests[3]);
	fake_run();
	for (uint32_t i = 0; i < 4; i++)
		assert_int_equal(requests[i].status, HVK_EINVAL);
	assert_string_equal(bench.log, "");
	fake_end();
}

/* The card has the groups, the stack what it asked for; the frames go by the card until the VF can. */
static void vf_that_refuses_flags_gives_the_frames_up(void **state)
{
	struct hvk_request request = {0};
	struct hvk_vf_info info;

	(void)state;
	fake_begin(true);
	fake_activate();
	bench.vf.answers[FAKE_FLAGS] = HVK_EREFUSED_VIRTIO;
	hvk_netdev_set_multicast(fake_card(), one_group, 1, &request);
	fake_run();
	assert_int_equal(request.status, HVK_OK);
	assert_int_equal(fake_state(), HVK_VF_READY);
	assert_false(fake_path_is_vf());
	hvk_vf_get_info(bench.pair, &info);
	assert_int_equal(info.last_failure, HVK_EREFUSED_VIRTIO);
	bench.vf.answers[FAKE_FLAGS] = HVK_OK;
	fake_pass(2000);
	assert_int_equal(fake_state(), HVK_VF_ACTIVE);
	assert_int_equal(bench.vf.netdev.info.flags, HVK_NETDEV_UP | HVK_NETDEV_ALL_MULTICAST);
	fake_end();
}

static void card_that_does_not_go_down_goes_on_with_the_vf(void **state)
{
	(void)state;
	fake_begin(true);
	fake_activate();
	bench.nic.device.answers[FAKE_FLAGS] = HVK_EREFUSED_RNDIS;
	assert_int_equal(fake_flags(fake_card(), 0), HVK_EREFUSED_RNDIS);
	assert_int_equal(fake_state(), HVK_VF_ACTIVE);
	bench.nic.device.answers[FAKE_FLAGS] = HVK_OK;
	fake_end();
}

/* --- In order, and no more than a few ---------------------------------------------------------- */

static void operations_are_done_in_order_one_at_a_time(void **state)
{
	struct hvk_request *requests[4];

	(void)state;
	fake_begin(true);
	fake_activate();
	for (uint32_t i = 0; i < 4; i++)
		requests[i] = fake_request();
	hvk_netdev_set_mtu(fake_card(), 2000, requests[0]);
	hvk_netdev_set_enabled(fake_card(), HVK_NETDEV_TX_TCP4, requests[1]);
	hvk_netdev_set_flags(fake_card(), 0, requests[2]);
	hvk_netdev_set_flags(fake_card(), HVK_NETDEV_UP, requests[3]);
	bench.vf.answers[FAKE_ENABLED] = HVK_EINPROGRESS;
	fake_run();
	assert_int_equal(requests[0]->status, HVK_OK);
	assert_int_equal(requests[1]->status, HVK_EINPROGRESS);
	assert_int_equal(requests[2]->status, HVK_EINPROGRESS);
	fake_let_go(&bench.vf, HVK_OK);
	fake_run();
	for (uint32_t i = 0; i < 4; i++)
		assert_int_equal(requests[i]->status, HVK_OK);
	assert_int_equal(fake_state(), HVK_VF_ACTIVE);
	fake_end();
}

static void too_many_operations_are_refused(void **state)
{
	uint32_t busy = 0;

	(void)state;
	fake_begin(true);
	bench.nic.device.answers[FAKE_MTU] = HVK_EINPROGRESS;
	for (uint32_t i = 0; i < 12; i++)
		hvk_netdev_set_mtu(fake_card(), 1400, fake_request());
	fake_run();
	for (uint32_t i = 0; i < 12; i++)
		busy += bench.requests[i].status == HVK_EBUSY;
	assert_in_range(busy, 1, 11);
	fake_let_go(&bench.nic.device, HVK_OK);
	fake_run();
	fake_end();
}

/* Asked for while the VF kept something from the stack's sight, done when that has left. */
static void what_the_stack_was_not_shown_it_did_not_switch_off(void **state)
{
	struct hvk_request *unpair, *enabled;

	(void)state;
	fake_begin(true);
	bench.vf.netdev.info.capabilities &= ~HVK_NETDEV_TSO4;
	bench.vf.netdev.info.enabled &= ~HVK_NETDEV_TSO4;
	fake_activate();
	assert_false(fake_card()->info.capabilities & HVK_NETDEV_TSO4);
	unpair = fake_request();
	enabled = fake_request();
	hvk_vf_unpair(bench.pair, unpair);
	hvk_netdev_set_enabled(fake_card(), HVK_NETDEV_TX_TCP4, enabled);
	fake_pass(300);
	assert_int_equal(unpair->status, HVK_OK);
	assert_int_equal(enabled->status, HVK_OK);
	assert_int_equal(fake_card()->info.enabled, HVK_NETDEV_TX_TCP4 | HVK_NETDEV_TSO4);
	fake_end();
}

/* --- RSS --------------------------------------------------------------------------------------- */

/* The stack's table is about the card's queues; the VF has another table, and other queues. */
static void rss_is_put_in_terms_of_the_vfs_table_and_queues(void **state)
{
	struct hvk_netdev_rss rss = {.types = HVK_RSS_TCP4, .key = {9}};
	struct hvk_request request = {0};

	(void)state;
	fake_begin(true);
	bench.nic.device.netdev.info.queues = 4;
	bench.nic.device.netdev.info.rss_table_size = 16;
	bench.vf.netdev.info.queues = 2;
	bench.vf.netdev.info.rss_table_size = 64;
	fake_activate();
	for (uint32_t i = 0; i < 16; i++)
		rss.table[i] = (uint16_t)(i % 4);
	hvk_netdev_set_rss(fake_card(), &rss, &request);
	fake_run();
	assert_int_equal(request.status, HVK_OK);
	assert_int_equal(bench.nic.device.rss.table[7], 3);
	for (uint32_t i = 0; i < 64; i++)
		assert_int_equal(bench.vf.rss.table[i], i % 4 % 2);
	assert_int_equal(bench.vf.rss.key[0], 9);
	assert_int_equal(fake_unpair(), HVK_OK);
	assert_int_equal(bench.nic.device.rss.key[0], 9); /* the stack's choice */
	assert_int_equal(bench.vf.rss.key[0], 0x77);      /* as it came */
	fake_end();
}

static void hashes_follow_what_the_stack_sets(void **state)
{
	struct hvk_netdev_rss rss = {.types = HVK_RSS_IPV4, .key = {9}};
	struct hvk_request request = {0};

	(void)state;
	fake_begin(true);
	fake_activate();
	hvk_netdev_set_rss(fake_card(), &rss, &request);
	fake_run();
	fake_receive(&bench.vf, fake_mac, HVK_RX_HASH, HVK_RSS_IPV4, NULL);
	assert_true(bench.stack.last.flags & HVK_RX_HASH);
	fake_receive(&bench.vf, fake_mac, HVK_RX_HASH, HVK_RSS_TCP4, NULL);
	assert_false(bench.stack.last.flags & HVK_RX_HASH);
	fake_end();
}

/* --- The VF vanishes in the middle: the stack does not notice ---------------------------------- */

static void operation_goes_on_without_a_vf_that_vanishes(void **state)
{
	static const enum fake_operation held[] = {FAKE_MTU, FAKE_ENABLED, FAKE_RSS};
	static const enum hvk_vf_operation asked[] = {HVK_VF_SET_MTU, HVK_VF_SET_ENABLED, HVK_VF_SET_RSS};

	(void)state;
	for (uint32_t i = 0; i < 3; i++) {
		struct hvk_request request = {0};

		fake_begin(true);
		fake_activate();
		bench.vf.answers[held[i]] = HVK_EINPROGRESS;
		assert_true(set(asked[i], &request));
		fake_run();
		assert_int_equal(request.status, HVK_EINPROGRESS);
		assert_non_null(bench.vf.held);
		fake_vanish();
		fake_run();
		assert_int_equal(request.status, HVK_OK);
		assert_int_equal(fake_state(), HVK_VF_ABSENT);
		assert_int_equal(bench.nic.device.calls[asked[i]] > 0, 1);
		fake_end();
	}
}

static void flags_go_on_without_a_vf_that_vanishes(void **state)
{
	struct hvk_request request = {0};

	(void)state;
	fake_begin(true);
	fake_activate();
	bench.vf.answers[FAKE_FLAGS] = HVK_EINPROGRESS;
	hvk_netdev_set_multicast(fake_card(), one_group, 1, &request);
	fake_run();
	fake_vanish();
	fake_run();
	assert_int_equal(request.status, HVK_OK);
	assert_int_equal(bench.nic.device.group_count, 1);
	assert_int_equal(fake_state(), HVK_VF_ABSENT);
	fake_end();
}

/* Asked for while the stack saw what the VF lacks: its word on that counts when the VF has left. */
static void offloads_asked_for_before_the_vf_settled(void **state)
{
	struct hvk_request request = {0};

	(void)state;
	fake_begin(true);
	bench.vf.netdev.info.capabilities &= ~HVK_NETDEV_TSO4;
	bench.vf.netdev.info.enabled &= ~HVK_NETDEV_TSO4;
	fake_pair();
	hvk_vf_attach_complete(bench.pair);
	hvk_netdev_set_enabled(fake_card(), HVK_NETDEV_TX_TCP4, &request);
	fake_run();
	assert_int_equal(request.status, HVK_OK);
	assert_int_equal(fake_unpair(), HVK_OK);
	assert_int_equal(fake_card()->info.enabled, HVK_NETDEV_TX_TCP4);
	fake_end();
}

/* The card has been detached and attached again: nothing that was set is there any more. */
static void card_attached_anew_is_down(void **state)
{
	(void)state;
	fake_begin(true);
	fake_activate();
	fake_attach_anew();
	assert_int_equal(fake_state(), HVK_VF_READY);
	fake_up();
	assert_int_equal(fake_state(), HVK_VF_ACTIVE);
	fake_end();
}

/* It has its own settings then, and no groups: what was made to agree with the earlier ones is so again. */
static void card_attached_anew_is_agreed_with_again(void **state)
{
	static const uint8_t group[1][6] = {{0x01, 0x00, 0x5e, 0x00, 0x00, 0x05}};
	struct hvk_netdev_info vf;

	(void)state;
	fake_begin(true);
	bench.vf.netdev.info.capabilities &= ~HVK_NETDEV_TSO4;
	bench.vf.netdev.info.enabled = HVK_NETDEV_TX_TCP4;
	vf = bench.vf.netdev.info;
	fake_activate();
	hvk_netdev_set_mtu(fake_card(), 9000, fake_request());
	hvk_netdev_set_enabled(fake_card(), HVK_NETDEV_RX_TCP4, fake_request());
	hvk_netdev_set_multicast(fake_card(), group, 1, fake_request());
	fake_run();
	assert_int_equal(bench.vf.netdev.info.mtu, 9000);
	fake_attach_anew();
	assert_int_equal(bench.vf.netdev.info.mtu, 1500);
	assert_int_equal(bench.vf.netdev.info.enabled, vf.capabilities);
	assert_int_equal(bench.nic.device.netdev.info.enabled, vf.capabilities);
	assert_int_equal(fake_card()->info.enabled, vf.capabilities);
	fake_up();
	assert_int_equal(fake_state(), HVK_VF_ACTIVE);
	assert_int_equal(bench.vf.netdev.info.flags, HVK_NETDEV_UP);
	fake_receive(&bench.vf, group[0], 0, 0, NULL);
	assert_int_equal(bench.stack.inputs, 0);
	assert_int_equal(fake_unpair(), HVK_OK);
	assert_int_equal(bench.nic.device.netdev.info.enabled, FAKE_CAPABILITIES);
	assert_memory_equal(&vf, &bench.vf.netdev.info, sizeof(vf));
	fake_end();
}

/* The first news is not news of an attach: it is the same card all the time. */
static void card_attached_before_the_vf_was_created_is_the_same(void **state)
{
	const struct hvk_vf_config config = {
		.transparent = true, .grace_ms = HVK_VF_GRACE_EVENT, .changed = fake_told};

	(void)state;
	fake_begin(true);
	assert_int_equal(hvk_vf_destroy(bench.pair), HVK_OK);
	assert_int_equal(hvk_vf_create(&bench.nic, &config, &bench.pair), HVK_OK);
	fake_up();
	fake_pair();
	hvk_vf_attach_complete(bench.pair);
	fake_run();
	assert_int_equal(fake_state(), HVK_VF_ACTIVE);
	fake_forget();
	fake_associate(true, FAKE_SERIAL);
	fake_run();
	assert_int_equal(fake_state(), HVK_VF_ACTIVE);
	for (uint32_t i = 0; i < bench.state_count; i++)
		assert_int_not_equal(bench.states[i], HVK_VF_WAITING);
	fake_end();
}

/* It is agreed with again, and refuses; the VF leaves before that goes well. */
static void card_attached_anew_and_a_vf_that_refuses(void **state)
{
	struct hvk_netdev_info vf;

	(void)state;
	fake_begin(true);
	bench.vf.netdev.info.capabilities &= ~HVK_NETDEV_TSO4;
	bench.vf.netdev.info.enabled = HVK_NETDEV_TX_TCP4;
	vf = bench.vf.netdev.info;
	fake_activate();
	hvk_netdev_set_mtu(fake_card(), 9000, fake_request());
	fake_run();
	bench.vf.answers[FAKE_MTU] = HVK_EREFUSED_VIRTIO;
	fake_attach_anew();
	assert_int_equal(fake_state(), HVK_VF_WAITING);
	assert_int_equal(fake_card()->info.capabilities, FAKE_CAPABILITIES); /* it has no say now */
	fake_forget();
	hvk_netdev_set_enabled(fake_card(), HVK_NETDEV_TSO4, fake_request());
	fake_run();
	assert_int_equal(strncmp(bench.log, "card enabled 0x400", 18), 0);
	assert_int_equal(bench.vf.calls[HVK_VF_SET_ENABLED], 0);
	assert_int_equal(fake_card()->info.enabled, HVK_NETDEV_TSO4);
	hvk_netdev_set_enabled(fake_card(), FAKE_CAPABILITIES, fake_request());
	fake_up();
	assert_int_equal(fake_send(fake_card()), HVK_TX_TAKEN);
	assert_int_equal(bench.nic.device.counters.tx_frames, 1);
	bench.vf.answers[FAKE_MTU] = HVK_OK;
	assert_int_equal(fake_unpair(), HVK_OK);
	assert_int_equal(bench.nic.device.netdev.info.enabled, FAKE_CAPABILITIES);
	assert_memory_equal(&vf, &bench.vf.netdev.info, sizeof(vf));
	fake_end();
}

/* It has refused from the beginning, and what the card had then is no more what it has. */
static void card_attached_anew_while_a_vf_waits(void **state)
{
	(void)state;
	fake_begin(true);
	bench.nic.device.netdev.info.enabled = HVK_NETDEV_TX_TCP4;
	bench.vf.answers[FAKE_MTU] = HVK_EREFUSED_VIRTIO;
	bench.vf.netdev.info.mtu = 1400;
	fake_pair();
	hvk_vf_attach_complete(bench.pair);
	fake_run();
	assert_int_equal(fake_state(), HVK_VF_WAITING);
	fake_attach_anew();
	bench.vf.answers[FAKE_MTU] = HVK_OK;
	bench.vf.netdev.info.mtu = 1400;
	assert_int_equal(fake_unpair(), HVK_OK);
	assert_int_equal(bench.nic.device.netdev.info.enabled, FAKE_CAPABILITIES);
	fake_end();
}

/* One whose ring contradicted itself is as good as any once it is attached again. */
static void card_that_was_gone_is_used_again(void **state)
{
	(void)state;
	fake_begin(true);
	fake_activate();
	bench.nic.device.gone = true;
	bench.nic.device.netdev.hooks.gone(bench.nic.device.netdev.hooks.context, &bench.nic.device.netdev);
	fake_run();
	assert_int_equal(fake_state(), HVK_VF_READY);
	fake_attach_anew();
	fake_up();
	assert_int_equal(fake_state(), HVK_VF_ACTIVE);
	assert_true(fake_path_is_vf());
	assert_int_equal(fake_unpair(), HVK_OK);
	assert_false(fake_path_is_vf());
	fake_end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_operation_has_a_row_and_does_what_it_says),
		cmocka_unit_test(mirrored_operations_reach_both_states),
		cmocka_unit_test(operations_without_a_vf_are_the_cards),
		cmocka_unit_test(what_the_vf_refuses_the_card_does_not_get),
		cmocka_unit_test(what_the_card_refuses_is_taken_back_from_the_vf),
		cmocka_unit_test(values_out_of_range_reach_nobody),
		cmocka_unit_test(vf_that_refuses_flags_gives_the_frames_up),
		cmocka_unit_test(card_that_does_not_go_down_goes_on_with_the_vf),
		cmocka_unit_test(operations_are_done_in_order_one_at_a_time),
		cmocka_unit_test(too_many_operations_are_refused),
		cmocka_unit_test(what_the_stack_was_not_shown_it_did_not_switch_off),
		cmocka_unit_test(rss_is_put_in_terms_of_the_vfs_table_and_queues),
		cmocka_unit_test(hashes_follow_what_the_stack_sets),
		cmocka_unit_test(operation_goes_on_without_a_vf_that_vanishes),
		cmocka_unit_test(flags_go_on_without_a_vf_that_vanishes),
		cmocka_unit_test(offloads_asked_for_before_the_vf_settled),
		cmocka_unit_test(card_attached_anew_is_down),
		cmocka_unit_test(card_attached_anew_is_agreed_with_again),
		cmocka_unit_test(card_attached_before_the_vf_was_created_is_the_same),
		cmocka_unit_test(card_attached_anew_and_a_vf_that_refuses),
		cmocka_unit_test(card_attached_anew_while_a_vf_waits),
		cmocka_unit_test(card_that_was_gone_is_used_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
