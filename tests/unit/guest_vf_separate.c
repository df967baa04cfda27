/* SPDX-License-Identifier: MIT */
/* Separate mode: the VF is an interface of its own, and the card remains one. */
#include "guest_vf_fake.h"

static struct hvk_netdev *own(void)
{
	return hvk_vf_separate_netdev(bench.pair);
}

static void settle(void)
{
	fake_pair();
	hvk_vf_attach_complete(bench.pair);
	fake_run();
	assert_non_null(own());
	own()->hooks = fake_hooks(&bench.separate);
}

static void activate(void)
{
	settle();
	assert_int_equal(fake_flags(own(), HVK_NETDEV_UP), HVK_OK);
	assert_int_equal(fake_state(), HVK_VF_ACTIVE);
}

static void vf_is_an_interface_from_ready_on(void **state)
{
	(void)state;
	fake_begin(false);
	assert_null(own());
	fake_pair();
	fake_run();
	assert_null(own());
	hvk_vf_attach_complete(bench.pair);
	fake_run();
	assert_non_null(own());
	assert_int_equal(own()->info.mtu, 1500);
	assert_int_equal(own()->info.flags, 0);
	assert_false(own()->info.link_up);
	assert_memory_equal(own()->info.mac, fake_mac, 6);
	assert_string_equal(bench.log, ""); /* nothing is settled between the two */
	assert_int_equal(fake_unpair(), HVK_OK);
	assert_null(own());
	fake_end();
}

static void up_moves_the_data_path_and_widens_the_filter(void **state)
{
	(void)state;
	fake_begin(false);
	assert_int_equal(fake_flags(fake_card(), HVK_NETDEV_UP), HVK_OK);
	fake_forget();
	activate();
	assert_string_equal(bench.log, "vf flags 1; data path vf; card flags 5");
	assert_true(own()->info.link_up);
	assert_int_equal(bench.separate.links, 1);
	assert_false(fake_card()->info.link_up); /* the VF is the one to use */
	assert_int_equal(bench.stack.links, 1);
	assert_int_equal(fake_card()->info.flags, HVK_NETDEV_UP); /* as the stack set it */
	fake_forget();
	assert_int_equal(fake_flags(own(), 0), HVK_OK);
	assert_string_equal(bench.log, "data path card; card flags 1; vf flags 0");
	assert_true(fake_card()->info.link_up);
	fake_end();
}

static void frames_of_the_synthetic_path_come_in_by_the_vf(void **state)
{
	static const uint8_t broadcast[6] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
	static const uint8_t stranger[6] = {0x00, 0x15, 0x5d, 9, 9, 9};
	static const uint8_t group[6] = {0x01, 0x00, 0x5e, 0x00, 0x00, 0x05};
	struct hvk_request request = {0};
	int owner;

	(void)state;
	fake_begin(false);
	fake_up();
	activate();
	fake_receive(&bench.nic.device, broadcast, 0, 0, &owner);
	assert_int_equal(bench.separate.inputs, 1);
	assert_ptr_equal(bench.separate.from, own());
	assert_null(bench.separate.last.owner); /* lent frames are the card's to take back */
	assert_int_equal(bench.nic.device.released, 1);
	fake_receive(&bench.vf, fake_mac, 0, 0, NULL);
	assert_int_equal(bench.separate.inputs, 2);
	fake_receive(&bench.nic.device, stranger, 0, 0, NULL); /* the filter is wide, the VF's wish is not */
	fake_receive(&bench.nic.device, group, 0, 0, NULL);
	assert_int_equal(bench.separate.inputs, 2);
	hvk_netdev_set_multicast(own(), &group, 1, &request);
	fake_run();
	assert_int_equal(request.status, HVK_OK);
	assert_int_equal(bench.vf.group_count, 1);
	fake_receive(&bench.nic.device, group, 0, 0, NULL);
	assert_int_equal(bench.separate.inputs, 3);
	assert_int_equal(bench.stack.inputs, 0);
	assert_int_equal(fake_flags(own(), 0), HVK_OK);
	fake_receive(&bench.nic.device, fake_mac, 0, 0, NULL);
	assert_int_equal(bench.stack.inputs, 1); /* the card's again */
	fake_end();
}

/* What a device took in and nobody saw is dropped, not received, whichever interface's it would have been. */
static void frames_that_nobody_sees_are_counted_as_dropped(void **state)
{
	static const uint8_t stranger[6] = {0x00, 0x15, 0x5d, 9, 9, 9};
	struct hvk_netdev_counters card, vf;

	(void)state;
	fake_begin(false);
	fake_up();
	activate();
	fake_receive(&bench.nic.device, stranger, 0, 0, NULL); /* the filter is wide, the VF's wish is not */
	own()->hooks.input = NULL;
	fake_receive(&bench.nic.device, fake_mac, 0, 0, NULL);
	fake_receive(&bench.vf, fake_mac, 0, 0, NULL);
	fake_receive(&bench.vf, fake_mac, 0, 0, NULL);
	bench.nic.device.counters.rx_frames = bench.vf.counters.rx_frames = 10; /* the devices' own word */
	hvk_netdev_get_counters(fake_card(), &card);
	assert_int_equal(card.rx_frames, 8);
	assert_int_equal(card.rx_dropped, 2);
	assert_int_equal(card.rx_other_group, 1);
	assert_int_equal(card.rx_not_up, 1);
	hvk_netdev_get_counters(own(), &vf);
	assert_int_equal(vf.rx_frames, 8);
	assert_int_equal(vf.rx_dropped, 2);
	assert_int_equal(vf.rx_not_up, 2);
	assert_int_equal(fake_unpair(), HVK_OK);
	settle(); /* another VF's interface begins to count */
	hvk_netdev_get_counters(own(), &vf);
	assert_int_equal(vf.rx_dropped, 0);
	fake_end();
}

static void each_interface_sends_by_its_own(void **state)
{
	(void)state;
	fake_begin(false);
	fake_up();
	settle();
	assert_int_equal(fake_send(own()), HVK_TX_GONE); /* not up */
	assert_false(fake_poll());                       /* which costs no turn */
	assert_int_equal(fake_flags(own(), HVK_NETDEV_UP), HVK_OK);
	assert_int_equal(fake_send(own()), HVK_TX_TAKEN);
	assert_int_equal(bench.vf.counters.tx_frames, 1);
	assert_int_equal(fake_send(fake_card()), HVK_TX_TAKEN);
	assert_int_equal(bench.nic.device.counters.tx_frames, 1);
	hvk_netdev_flush(own());
	assert_int_equal(bench.vf.calls[HVK_VF_FLUSH], 1);
	fake_end();
}

/* The card is brought up for the VF's sake, and is no more the stack's for that. */
static void card_that_is_down_stays_down_for_the_stack(void **state)
{
	(void)state;
	fake_begin(false);
	activate();
	assert_int_equal(bench.nic.device.netdev.info.flags, HVK_NETDEV_UP | HVK_NETDEV_PROMISCUOUS);
	assert_int_equal(fake_card()->info.flags, 0);
	assert_int_equal(fake_send(fake_card()), HVK_TX_GONE);
	assert_int_equal(fake_flags(own(), 0), HVK_OK);
	assert_int_equal(bench.nic.device.netdev.info.flags, 0);
	fake_receive(&bench.nic.device, fake_mac, 0, 0, NULL);
	assert_int_equal(bench.stack.inputs + bench.separate.inputs, 0);
	fake_end();
}

static void card_up_and_down_while_the_vf_is_active(void **state)
{
	(void)state;
	fake_begin(false);
	activate();
	fake_forget();
	assert_int_equal(fake_flags(fake_card(), HVK_NETDEV_UP), HVK_OK);
	assert_int_equal(fake_card()->info.flags, HVK_NETDEV_UP);
	assert_int_equal(fake_flags(fake_card(), 0), HVK_OK);
	assert_string_equal(bench.log, "card flags 5; card flags 5");
	assert_int_equal(fake_state(), HVK_VF_ACTIVE);
	bench.nic.device.answers[FAKE_FLAGS] = HVK_EREFUSED_RNDIS;
	assert_int_equal(fake_flags(fake_card(), HVK_NETDEV_UP), HVK_EREFUSED_RNDIS);
	assert_int_equal(fake_card()->info.flags, 0);
	bench.nic.device.answers[FAKE_FLAGS] = HVK_OK;
	assert_int_equal(fake_flags(own(), 0), HVK_OK);
	assert_int_equal(bench.nic.device.netdev.info.flags, 0);
	fake_end();
}

static void operations_of_each_reach_its_own(void **state)
{
	struct hvk_request requests[2] = {{0}};

	(void)state;
	fake_begin(false);
	fake_up();
	settle();
	fake_forget();
	hvk_netdev_set_mtu(own(), 4000, &requests[0]);
	hvk_netdev_set_enabled(own(), HVK_NETDEV_TX_TCP4, &requests[1]);
	fake_run();
	assert_string_equal(bench.log, "vf MTU 4000; vf enabled 0x2");
	assert_int_equal(own()->info.mtu, 4000);
	hvk_netdev_set_mtu(fake_card(), 2000, &requests[0]);
	fake_run();
	assert_string_equal(bench.log, "vf MTU 4000; vf enabled 0x2; card MTU 2000");
	assert_int_equal(own()->info.mtu, 4000);
	fake_end();
}

static void up_that_fails_is_told_and_leaves_it_down(void **state)
{
	(void)state;
	fake_begin(false);
	settle();
	bench.nic.device.answers[FAKE_DATA_PATH] = HVK_EREFUSED_DATA_PATH;
	assert_int_equal(fake_flags(own(), HVK_NETDEV_UP), HVK_EREFUSED_DATA_PATH);
	assert_int_equal(own()->info.flags, 0);
	assert_int_equal(bench.vf.netdev.info.flags, 0);
	bench.nic.device.answers[FAKE_DATA_PATH] = HVK_OK;
	fake_pass(3000);
	assert_int_equal(fake_state(), HVK_VF_READY); /* nobody wants it any more */
	assert_int_equal(fake_flags(own(), HVK_NETDEV_UP), HVK_OK);
	assert_int_equal(fake_state(), HVK_VF_ACTIVE);
	fake_end();
}

static void interface_is_gone_when_the_vf_leaves(void **state)
{
	struct hvk_request request = {0};
	struct hvk_netdev *gone;

	(void)state;
	for (uint32_t vanishes = 0; vanishes < 2; vanishes++) {
		fake_begin(false);
		activate();
		gone = own();
		if (vanishes)
			fake_vanish();
		else
			assert_int_equal(fake_unpair(), HVK_OK);
		fake_run();
		assert_int_equal(bench.separate.gone, 1);
		assert_null(own());
		assert_int_equal(fake_send(gone), HVK_TX_GONE);
		hvk_netdev_set_flags(gone, HVK_NETDEV_UP, &request);
		fake_run();
		assert_int_equal(request.status, HVK_EGONE);
		bench.vf.gone = false;
		bench.vf.netdev.info.flags = 0; /* its driver has attached it anew */
		settle();                       /* the next one is down, whatever this one was */
		fake_pass(10);
		assert_int_equal(fake_state(), HVK_VF_READY);
		assert_int_equal(own()->info.flags, 0);
		fake_end();
	}
}

static void operations_of_a_vf_that_leaves_end(void **state)
{
	struct hvk_request requests[3] = {{0}};

	(void)state;
	fake_begin(false);
	settle();
	bench.vf.answers[FAKE_MTU] = HVK_EINPROGRESS;
	for (uint32_t i = 0; i < 3; i++)
		hvk_netdev_set_mtu(own(), 4000, &requests[i]);
	fake_run();
	fake_vanish();
	fake_run();
	for (uint32_t i = 0; i < 3; i++)
		assert_int_equal(requests[i].status, HVK_EGONE);
	bench.vf.gone = false;
	fake_end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(vf_is_an_interface_from_ready_on),
		cmocka_unit_test(up_moves_the_data_path_and_widens_the_filter),
		cmocka_unit_test(frames_of_the_synthetic_path_come_in_by_the_vf),
		cmocka_unit_test(frames_that_nobody_sees_are_counted_as_dropped),
		cmocka_unit_test(each_interface_sends_by_its_own),
		cmocka_unit_test(card_that_is_down_stays_down_for_the_stack),
		cmocka_unit_test(card_up_and_down_while_the_vf_is_active),
		cmocka_unit_test(operations_of_each_reach_its_own),
		cmocka_unit_test(up_that_fails_is_told_and_leaves_it_down),
		cmocka_unit_test(interface_is_gone_when_the_vf_leaves),
		cmocka_unit_test(operations_of_a_vf_that_leaves_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
