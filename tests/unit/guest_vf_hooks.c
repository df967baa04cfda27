/* SPDX-License-Identifier: MIT */
/* What comes up from card and VF beside frames: room, bursts, links, their end; and to whom. */
#include "guest_vf_fake.h"

static struct hvk_netdev_hooks *hooks_of(struct fake_device *device)
{
	return &device->netdev.hooks;
}

static void room(struct fake_device *device)
{
	hooks_of(device)->tx_ready(hooks_of(device)->context, &device->netdev);
}

static void burst(struct fake_device *device, uint32_t queue)
{
	hooks_of(device)->burst_end(hooks_of(device)->context, &device->netdev, queue);
}

static void link(struct fake_device *device, bool up)
{
	device->netdev.info.link_up = up;
	hooks_of(device)->link_changed(hooks_of(device)->context, &device->netdev, up);
	fake_run();
}

static void room_and_bursts_of_both_are_told(void **state)
{
	(void)state;
	fake_begin(true);
	fake_activate();
	room(&bench.nic.device);
	room(&bench.vf);
	assert_int_equal(bench.stack.ready, 2);
	burst(&bench.nic.device, 0);
	burst(&bench.vf, 1);
	assert_int_equal(bench.stack.bursts, 2);
	assert_int_equal(bench.driver.ready + bench.driver.bursts, 0);
	fake_end();
}

static void room_and_bursts_in_separate_mode(void **state)
{
	struct hvk_netdev *own;

	(void)state;
	fake_begin(false);
	fake_up();
	fake_pair();
	hvk_vf_attach_complete(bench.pair);
	fake_run();
	own = hvk_vf_separate_netdev(bench.pair);
	own->hooks = fake_hooks(&bench.separate);
	burst(&bench.nic.device, 0);
	assert_int_equal(bench.stack.bursts, 1);
	assert_int_equal(fake_flags(own, HVK_NETDEV_UP), HVK_OK);
	bench.stack.ready = bench.separate.ready = 0;
	room(&bench.nic.device);
	assert_int_equal(bench.stack.ready, 1);
	room(&bench.vf);
	assert_int_equal(bench.separate.ready, 1);
	burst(&bench.nic.device, 0); /* whose frames come in by the VF's interface now */
	burst(&bench.vf, 0);
	assert_int_equal(bench.separate.bursts, 2);
	assert_int_equal(bench.stack.bursts, 1);
	fake_end();
}

static void links_are_told_as_they_change(void **state)
{
	(void)state;
	fake_begin(true);
	link(&bench.nic.device, false);
	assert_int_equal(bench.stack.links, 1);
	assert_false(bench.stack.link || fake_card()->info.link_up);
	link(&bench.nic.device, true);
	assert_true(bench.stack.link && fake_card()->info.link_up);
	fake_activate();
	link(&bench.vf, false);
	assert_int_equal(bench.stack.links, 3);
	assert_false(bench.stack.link || fake_card()->info.link_up);
	fake_associate(false, 0); /* the card's again */
	fake_run();
	assert_int_equal(fake_state(), HVK_VF_READY);
	assert_int_equal(bench.stack.links, 4);
	assert_true(bench.stack.link && fake_card()->info.link_up);
	assert_int_equal(fake_card()->info.link_speed, 1000000000);
	fake_end();
}

static void the_end_of_the_card_is_told_once(void **state)
{
	(void)state;
	fake_begin(true);
	fake_activate();
	bench.nic.device.gone = true;
	hooks_of(&bench.nic.device)->gone(hooks_of(&bench.nic.device)->context, &bench.nic.device.netdev);
	assert_int_equal(bench.stack.gone, 1);
	fake_run();
	assert_int_equal(fake_unpair(), HVK_OK);
	assert_int_equal(bench.stack.gone, 1);
	assert_int_equal(bench.driver.gone, 0);
	fake_end();
}

/* A hash that was hidden, because the VF's was another one, is not when the VF is away. */
static void hashes_are_shown_again_without_the_vf(void **state)
{
	(void)state;
	fake_begin(true);
	bench.vf.rss.types = HVK_RSS_UDP6; /* none in common */
	fake_activate();
	fake_receive(&bench.nic.device, fake_mac, HVK_RX_HASH, HVK_RSS_TCP4, NULL);
	assert_int_equal(bench.stack.last.flags, 0);
	assert_int_equal(fake_unpair(), HVK_OK);
	fake_receive(&bench.nic.device, fake_mac, HVK_RX_HASH, HVK_RSS_TCP4, NULL);
	assert_int_equal(bench.stack.last.flags, HVK_RX_HASH);
	fake_end();
}

/* Whoever sets no hooks is called by none of them. */
static void a_stack_without_hooks(void **state)
{
	(void)state;
	for (uint32_t transparent = 0; transparent < 2; transparent++) {
		fake_begin(transparent);
		fake_card()->hooks = (struct hvk_netdev_hooks){0};
		bench.vf.netdev.hooks = (struct hvk_netdev_hooks){0};
		fake_up();
		fake_pair();
		hvk_vf_attach_complete(bench.pair);
		bench.nic.device.answers[FAKE_DATA_PATH] = HVK_EINPROGRESS;
		fake_run();
		if (transparent) {
			assert_int_equal(fake_send(fake_card()), HVK_TX_BUSY);
			fake_let_go(&bench.nic.device, HVK_OK);
		}
		bench.nic.device.answers[FAKE_DATA_PATH] = HVK_OK;
		fake_run();
		fake_receive(&bench.vf, fake_mac, 0, 0, &bench);
		fake_receive(&bench.nic.device, fake_mac, 0, 0, &bench);
		assert_int_equal(bench.vf.released + bench.nic.device.released, 2);
		room(&bench.vf);
		room(&bench.nic.device);
		link(&bench.vf, false);
		hooks_of(&bench.nic.device)
			->gone(hooks_of(&bench.nic.device)->context, &bench.nic.device.netdev);
		fake_vanish();
		fake_run();
		assert_int_equal(fake_state(), HVK_VF_ABSENT);
		fake_end();
	}
}

/* The next one's interface is as new, whatever was set on the last. */
static void an_interface_of_an_earlier_vf_is_forgotten(void **state)
{
	static const uint8_t group[1][6] = {{0x01, 0x00, 0x5e, 0x00, 0x00, 0x05}};
	struct hvk_netdev *own;
	struct hvk_vf_info info;

	(void)state;
	fake_begin(false);
	for (uint32_t i = 0; i < 2; i++) {
		fake_pair();
		hvk_vf_attach_complete(bench.pair);
		fake_run();
		own = hvk_vf_separate_netdev(bench.pair);
		assert_non_null(own);
		assert_null(own->hooks.input);
		assert_int_equal(own->info.flags, 0);
		own->hooks = fake_hooks(&bench.separate);
		assert_int_equal(fake_flags(own, HVK_NETDEV_UP), HVK_OK);
		bench.separate.inputs = 0;
		fake_receive(&bench.nic.device, group[0], 0, 0, NULL);
		assert_int_equal(bench.separate.inputs, 0); /* not in its groups (any more) */
		hvk_netdev_set_multicast(own, group, 1, fake_request());
		fake_run();
		fake_receive(&bench.nic.device, group[0], 0, 0, NULL);
		assert_int_equal(bench.separate.inputs, 1);
		assert_int_equal(fake_unpair(), HVK_OK);
		hvk_vf_get_info(bench.pair, &info);
		assert_int_equal(info.serial, 0);
		assert_null(own->hooks.input);
		assert_int_equal(own->info.capabilities, 0);
	}
	fake_end();
}

/* Groups of the card are the card's. */
static void groups_of_the_card_are_not_the_separate_vfs(void **state)
{
	static const uint8_t group[1][6] = {{0x01, 0x00, 0x5e, 0x00, 0x00, 0x05}};
	struct hvk_netdev *own;

	(void)state;
	fake_begin(false);
	fake_up();
	hvk_netdev_set_multicast(fake_card(), group, 1, fake_request());
	fake_pair();
	hvk_vf_attach_complete(bench.pair);
	fake_run();
	own = hvk_vf_separate_netdev(bench.pair);
	assert_int_equal(fake_flags(own, HVK_NETDEV_UP), HVK_OK);
	assert_int_equal(bench.vf.netdev.info.flags, HVK_NETDEV_UP);
	fake_end();
}

static void the_separate_interface_shows_what_the_vf_is(void **state)
{
	struct hvk_rx_frame frame = {.data = fake_mac, .length = 6, .queue = 3};
	struct hvk_netdev_rss rss;
	struct hvk_netdev *own;

	(void)state;
	fake_begin(false);
	fake_pair();
	hvk_vf_attach_complete(bench.pair);
	fake_run();
	own = hvk_vf_separate_netdev(bench.pair);
	own->hooks = fake_hooks(&bench.separate);
	assert_true(hvk_netdev_get_rss(own, &rss));
	assert_int_equal(rss.key[0], 0x77);
	assert_int_equal(own->info.queues, 2);
	assert_false(own->info.link_up); /* frames do not come yet */
	assert_int_equal(fake_flags(own, HVK_NETDEV_UP | HVK_NETDEV_PROMISCUOUS), HVK_OK);
	assert_true(own->info.link_up);
	assert_int_equal(own->info.flags, HVK_NETDEV_UP | HVK_NETDEV_PROMISCUOUS);
	hooks_of(&bench.vf)->input(hooks_of(&bench.vf)->context, &bench.vf.netdev, &frame);
	assert_int_equal(bench.separate.last.queue, 1); /* of two */
	assert_int_equal(fake_unpair(), HVK_OK);
	assert_true(hvk_netdev_get_rss(own, &rss));
	assert_int_equal(rss.key[0], 0);
	fake_end();
}

static void looking_at_a_paired_device_is_allowed(void **state)
{
	struct hvk_netdev_counters counters;

	(void)state;
	fake_begin(true);
	fake_pair();
	bench.vf.counters.rx_frames = 4;
	hvk_netdev_get_queue_counters(&bench.vf.netdev, 1, &counters);
	assert_int_equal(counters.rx_frames, 4);
	assert_int_equal(bench.vf.calls[HVK_VF_GET_QUEUE_COUNTERS], 1);
	hvk_netdev_release(&bench.nic.device.netdev, &bench); /* lent before */
	assert_int_equal(bench.nic.device.released, 1);
	fake_end();
}

static void the_time_of_a_switch_is_told(void **state)
{
	struct hvk_vf_info info;

	(void)state;
	fake_begin(true);
	fake_up();
	fake_pair();
	hvk_vf_attach_complete(bench.pair);
	bench.nic.device.answers[FAKE_DATA_PATH] = HVK_EINPROGRESS;
	fake_pass(7);
	fake_let_go(&bench.nic.device, HVK_OK);
	fake_run();
	hvk_vf_get_info(bench.pair, &info);
	assert_int_equal(info.switch_time_last, 70000);
	fake_end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(room_and_bursts_of_both_are_told),
		cmocka_unit_test(room_and_bursts_in_separate_mode),
		cmocka_unit_test(links_are_told_as_they_change),
		cmocka_unit_test(the_end_of_the_card_is_told_once),
		cmocka_unit_test(hashes_are_shown_again_without_the_vf),
		cmocka_unit_test(a_stack_without_hooks),
		cmocka_unit_test(an_interface_of_an_earlier_vf_is_forgotten),
		cmocka_unit_test(groups_of_the_card_are_not_the_separate_vfs),
		cmocka_unit_test(the_separate_interface_shows_what_the_vf_is),
		cmocka_unit_test(looking_at_a_paired_device_is_allowed),
		cmocka_unit_test(the_time_of_a_switch_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
