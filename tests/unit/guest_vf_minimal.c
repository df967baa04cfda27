/* SPDX-License-Identifier: MIT */
/* A VF whose driver offers no more than it must: no several frames at once, no control operations but up and
 * down, nothing held back, nothing known of frames that are out. */
#include "guest_vf_fake.h"

static uint32_t takes;           /* so many frames ... */
static enum hvk_tx_result after; /* ... and then? */

static enum hvk_tx_result transmit(struct hvk_netdev *netdev, struct hvk_tx_frame *frame)
{
	if (takes == 0)
		return after;
	takes--;
	return fake_transmit(netdev, frame);
}

static const struct hvk_netdev_ops least = {
	.transmit = transmit,
	.set_flags = fake_set_flags,
	.get_counters = fake_get_counters,
	.refuse = fake_refuse,
};

static void activate(void)
{
	fake_begin(true);
	takes = 100;
	bench.vf.netdev.ops = &least;
	fake_activate();
}

static void end(void)
{
	assert_int_equal(fake_unpair(), HVK_OK);
	assert_ptr_equal(bench.vf.netdev.ops, &least);
	bench.vf.netdev.ops = &fake_ops;
	fake_end();
}

static uint32_t send_three(enum hvk_tx_result *result)
{
	static struct hvk_tx_frame frames[3];
	struct hvk_tx_frame *const list[3] = {&frames[0], &frames[1], &frames[2]};

	return hvk_netdev_transmit_many(fake_card(), list, 3, result);
}

static void several_frames_go_one_by_one(void **state)
{
	enum hvk_tx_result result;

	(void)state;
	activate();
	assert_int_equal(send_three(&result), 3);
	assert_int_equal(result, HVK_TX_TAKEN);
	assert_int_equal(bench.vf.counters.tx_frames, 3);
	hvk_netdev_flush(fake_card());
	end();
}

static void those_that_find_no_room_stay(void **state)
{
	enum hvk_tx_result result;

	(void)state;
	activate();
	takes = 2;
	after = HVK_TX_BUSY;
	assert_int_equal(send_three(&result), 2);
	assert_int_equal(result, HVK_TX_BUSY);
	assert_int_equal(bench.vf.counters.tx_frames, 2);
	assert_int_equal(bench.nic.device.counters.tx_frames, 0);
	end();
}

static void the_rest_goes_by_the_card_when_it_has_vanished(void **state)
{
	enum hvk_tx_result result;

	(void)state;
	activate();
	takes = 1;
	after = HVK_TX_GONE;
	assert_int_equal(send_three(&result), 3);
	assert_int_equal(result, HVK_TX_TAKEN);
	assert_int_equal(bench.vf.counters.tx_frames, 1);
	assert_int_equal(bench.nic.device.counters.tx_frames, 2);
	assert_int_equal(bench.nic.device.calls[HVK_VF_TRANSMIT_MANY], 1);
	end();
}

static void what_it_has_not_is_refused(void **state)
{
	struct hvk_request requests[4] = {{0}};
	struct hvk_netdev_rss rss = {.types = HVK_RSS_TCP4};

	(void)state;
	activate();
	hvk_netdev_set_mtu(fake_card(), 1400, &requests[0]);
	fake_run();
	hvk_netdev_set_enabled(fake_card(), HVK_NETDEV_TX_TCP4, &requests[1]);
	fake_run();
	assert_int_equal(requests[0].status, HVK_ENOTSUP);
	assert_int_equal(requests[1].status, HVK_ENOTSUP);
	assert_int_equal(bench.nic.device.calls[HVK_VF_SET_MTU] + bench.nic.device.calls[HVK_VF_SET_ENABLED],
			 0);
	assert_int_equal(fake_state(), HVK_VF_ACTIVE);
	/* These it is not asked for. */
	hvk_netdev_set_rss(fake_card(), &rss, &requests[2]);
	hvk_netdev_set_multicast(fake_card(), NULL, 0, &requests[3]);
	fake_run();
	assert_int_equal(requests[2].status, HVK_OK);
	assert_int_equal(requests[3].status, HVK_OK);
	end();
}

static void looking_at_it(void **state)
{
	struct hvk_netdev_counters counters;
	struct hvk_netdev_rss rss;

	(void)state;
	activate();
	bench.vf.counters.rx_frames = 6;
	hvk_netdev_get_queue_counters(&bench.vf.netdev, 0, &counters);
	assert_int_equal(counters.rx_frames, 6);
	assert_true(hvk_netdev_get_rss(&bench.vf.netdev, &rss));
	assert_int_equal(rss.types, 0);
	assert_int_equal(bench.vf.netdev.ops->outstanding(&bench.vf.netdev), 0);
	fake_receive(&bench.vf, fake_mac, HVK_RX_HASH, HVK_RSS_TCP4, NULL);
	assert_int_equal(bench.stack.last.flags, 0); /* a hash of which nobody knows the key */
	end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(several_frames_go_one_by_one),
		cmocka_unit_test(those_that_find_no_room_stay),
		cmocka_unit_test(the_rest_goes_by_the_card_when_it_has_vanished),
		cmocka_unit_test(what_it_has_not_is_refused),
		cmocka_unit_test(looking_at_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
