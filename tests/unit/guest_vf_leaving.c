/* SPDX-License-Identifier: MIT */
/*
 * A VF that leaves, or vanishes, at any moment. Each disturbance is tried after each single step of a life in
 * which everything happens; whatever was under way, the card works on and all is as it was.
 */
#include "guest_vf_fake.h"

/* --- One that leaves in peace ------------------------------------------------------------------ */

static void frames_of_the_vf_are_waited_for(void **state)
{
	struct hvk_request *request;
	struct hvk_vf_info info;

	(void)state;
	fake_begin(true);
	fake_activate();
	bench.vf.outstanding = 3;
	request = fake_request();
	hvk_vf_unpair(bench.pair, request);
	fake_pass(50);
	assert_int_equal(bench.vf.netdev.info.flags, HVK_NETDEV_UP); /* not taken down over them */
	assert_int_equal(fake_send(fake_card()), HVK_TX_TAKEN);      /* new ones do not wait */
	assert_int_equal(bench.nic.device.counters.tx_frames, 1);
	bench.vf.outstanding = 0;
	fake_pass(2);
	assert_int_equal(request->status, HVK_OK);
	hvk_vf_get_info(bench.pair, &info);
	assert_int_equal(info.lost, 0);
	fake_end();
}

static void frames_that_do_not_end_are_counted_as_lost(void **state)
{
	struct hvk_vf_info info;

	(void)state;
	fake_begin(true);
	fake_activate();
	bench.vf.outstanding = 3;
	assert_int_equal(fake_unpair(), HVK_ETIMEDOUT_SEND);
	hvk_vf_get_info(bench.pair, &info);
	assert_int_equal(info.state, HVK_VF_ABSENT);
	assert_int_equal(info.lost, 3);
	bench.vf.outstanding = 0;
	fake_end();
}

static void frames_of_a_vf_that_vanishes_are_lost_and_counted(void **state)
{
	struct hvk_vf_info info;

	(void)state;
	fake_begin(true);
	fake_activate();
	bench.vf.outstanding = 5;
	fake_vanish();
	fake_run(); /* no time passes */
	hvk_vf_get_info(bench.pair, &info);
	assert_int_equal(info.state, HVK_VF_ABSENT);
	assert_int_equal(info.lost, 5);
	assert_int_equal(info.departures, 1);
	assert_int_equal(bench.driver.gone, 1); /* it was told in place of us */
	assert_string_equal(bench.log, "data path card; card RSS 0x300 key 17");
	bench.vf.gone = false;
	fake_end();
}

static void frames_go_by_the_card_at_once_when_the_vf_has_vanished(void **state)
{
	(void)state;
	fake_begin(true);
	fake_activate();
	bench.nic.device.answers[FAKE_DATA_PATH] = HVK_EINPROGRESS; /* whatever the host says */
	fake_vanish();
	fake_run();
	assert_int_equal(fake_state(), HVK_VF_SWITCHING);
	assert_int_equal(fake_send(fake_card()), HVK_TX_TAKEN);
	assert_int_equal(bench.nic.device.counters.tx_frames, 1);
	fake_let_go(&bench.nic.device, HVK_OK);
	fake_run();
	assert_int_equal(fake_state(), HVK_VF_ABSENT);
	bench.vf.gone = false;
	fake_end();
}

static void status_of_the_first_step_that_failed(void **state)
{
	(void)state;
	fake_begin(true);
	bench.vf.netdev.info.mtu = 1400;
	fake_activate();
	bench.nic.device.answers[FAKE_DATA_PATH] = HVK_ETIMEDOUT_DATA_PATH;
	bench.vf.answers[FAKE_MTU] = HVK_EREFUSED_VIRTIO;
	assert_int_equal(fake_unpair(), HVK_ETIMEDOUT_DATA_PATH);
	assert_int_equal(fake_state(), HVK_VF_ABSENT);
	bench.nic.to_vf = false;
	bench.nic.device.answers[FAKE_DATA_PATH] = HVK_OK;
	bench.vf.answers[FAKE_MTU] = HVK_OK;
	fake_pair();
	assert_int_equal(fake_unpair(), HVK_OK); /* of that one alone */
	fake_end();
}

/* What is not done any more by a VF that vanishes on its way out is no failure. */
static void vf_that_vanishes_on_its_way_out(void **state)
{
	struct hvk_request *request;

	(void)state;
	fake_begin(true);
	bench.vf.netdev.info.mtu = 1400;
	fake_activate();
	bench.vf.answers[FAKE_MTU] = HVK_EINPROGRESS; /* it is being put back */
	request = fake_request();
	hvk_vf_unpair(bench.pair, request);
	fake_pass(300);
	assert_int_equal(request->status, HVK_EINPROGRESS);
	fake_vanish();
	fake_pass(300);
	assert_int_equal(request->status, HVK_OK);
	bench.vf.gone = false;
	fake_end();
}

static void second_unpair_is_refused(void **state)
{
	struct hvk_request *first, *second;

	(void)state;
	fake_begin(true);
	assert_int_equal(fake_unpair(), HVK_ESTATE);
	fake_pair();
	first = fake_request();
	second = fake_request();
	hvk_vf_unpair(bench.pair, first);
	hvk_vf_unpair(bench.pair, second);
	fake_run();
	assert_int_equal(first->status, HVK_OK);
	assert_int_equal(second->status, HVK_EBUSY);
	hvk_vf_unpair(bench.pair, NULL);
	fake_end();
}

/* Another CPU has just looked up the operations, which were ours. */
static void operate(const struct hvk_netdev_ops *ops)
{
	struct hvk_netdev_counters counters;
	struct hvk_request request = {0};
	struct hvk_netdev_rss rss;

	ops->set_flags(&bench.vf.netdev, HVK_NETDEV_UP, &request);
	while (fake_poll())
		continue;
	assert_int_equal(request.status, HVK_EPAIRED);
	bench.vf.counters.tx_frames = 3;
	ops->get_counters(&bench.vf.netdev, &counters);
	assert_int_equal(counters.tx_frames, 3);
	ops->get_rss(&bench.vf.netdev, &rss);
	assert_int_equal(rss.key[0], 0x77);
	assert_int_equal(ops->outstanding(&bench.vf.netdev), 0);
}

static uint32_t ends;

static void ended(struct hvk_request *request, void *context)
{
	(void)request;
	(void)context;
	ends++;
}

static void unpair_ends_once(void **state)
{
	struct hvk_request request = {.done = ended};

	(void)state;
	ends = 0;
	fake_begin(true);
	fake_activate();
	hvk_vf_unpair(bench.pair, &request);
	fake_pass(300);
	assert_int_equal(ends, 1);
	fake_pair(); /* the next one leaves by itself */
	fake_vanish();
	fake_pass(300);
	assert_int_equal(fake_state(), HVK_VF_ABSENT);
	assert_int_equal(ends, 1);
	bench.vf.gone = false;
	fake_end();
}

/* The grace period, and what a failure waits for, end with the VF. */
static void no_timer_is_left_of_a_vf(void **state)
{
	const struct hvk_vf_config config = {.transparent = true, .grace_ms = 1000};

	(void)state;
	fake_begin_with(&config);
	fake_pair();
	fake_pass(10);
	assert_int_equal(fake_unpair(), HVK_OK);
	fake_forget();
	for (uint32_t i = 0; i < FAKE_TIMERS_MAX; i++)
		assert_true(!bench.hvk.timers[i] || bench.hvk.timers[i]->deadline == HVK_NEVER);
	fake_up();
	fake_pair();
	bench.vf.answers[FAKE_FLAGS] = HVK_EREFUSED_VIRTIO;
	fake_pass(1500);
	assert_int_equal(fake_state(), HVK_VF_READY); /* tried again a second later */
	bench.vf.answers[FAKE_FLAGS] = HVK_OK;
	assert_int_equal(fake_unpair(), HVK_OK);
	for (uint32_t i = 0; i < FAKE_TIMERS_MAX; i++)
		assert_true(!bench.hvk.timers[i] || bench.hvk.timers[i]->deadline == HVK_NEVER);
	fake_end();
}

/* No CPU is inside one of our hooks or operations when the driver has its device again; one that does not run
 * is not waited for. */
static void every_cpu_passes_a_poll_first(void **state)
{
	const struct hvk_netdev_ops *paired;
	struct hvk_request *request;

	(void)state;
	fake_begin(true);
	fake_pair();
	paired = bench.vf.netdev.ops;
	request = fake_request();
	hvk_vf_unpair(bench.pair, request);
	while (fake_poll())
		continue; /* CPU 0 alone */
	assert_ptr_equal(bench.vf.netdev.ops, &fake_ops);
	assert_int_equal(request->status, HVK_EINPROGRESS);
	assert_int_equal(fake_state(), HVK_VF_LEAVING);
	operate(paired);
	fake_cpu = 1;
	assert_true(fake_poll());
	fake_cpu = 0;
	assert_false(fake_poll());
	fake_cpu = 2;
	assert_true(fake_poll());
	assert_ptr_not_equal(bench.vf.netdev.hooks.context, &bench.driver);
	fake_cpu = 0;
	fake_run();
	assert_ptr_equal(bench.vf.netdev.hooks.context, &bench.driver);
	assert_int_equal(request->status, HVK_OK);
	bench.hvk.stopped[1] = true;
	fake_pair();
	assert_int_equal(fake_unpair(), HVK_OK);
	fake_end();
}

/* Another CPU is inside the VF's transmit: everything else waits for it. */
static void card_goes_down_meanwhile(void)
{
	bench.within = NULL;
	hvk_netdev_set_flags(fake_card(), 0, fake_request());
	fake_run();
	fake_associate(true, FAKE_SERIAL); /* a turn changes nothing */
	fake_run();
	assert_string_equal(bench.log, "");
	assert_int_equal(bench.requests[0].status, HVK_EINPROGRESS);
}

static void nobody_is_inside_a_vf_that_is_taken_down(void **state)
{
	(void)state;
	fake_begin(true);
	fake_activate();
	bench.within = card_goes_down_meanwhile;
	assert_int_equal(fake_send(fake_card()), HVK_TX_TAKEN);
	fake_run();
	assert_int_equal(bench.requests[0].status, HVK_OK);
	assert_int_equal(fake_state(), HVK_VF_READY);
	fake_end();
}

/* --- At each step ------------------------------------------------------------------------------ */

enum disturbance {
	VF_VANISHES,
	VF_IS_UNPAIRED,
	ALLOCATION_IS_TAKEN,
	ASSOCIATION_AGAIN,
	CARD_IS_GONE,
	VF_REFUSES,
	HOST_REFUSES,
	DISTURBANCES
};

static void disturb(enum disturbance what)
{
	switch (what) {
	case VF_VANISHES:
		fake_vanish();
		break;
	case VF_IS_UNPAIRED:
		hvk_vf_unpair(bench.pair, fake_request());
		break;
	case ALLOCATION_IS_TAKEN:
		fake_associate(false, 0);
		break;
	case ASSOCIATION_AGAIN:
		fake_associate(true, FAKE_SERIAL);
		break;
	case CARD_IS_GONE:
		bench.nic.device.gone = true;
		bench.nic.device.netdev.hooks.gone(bench.nic.device.netdev.hooks.context,
						   &bench.nic.device.netdev);
		break;
	case VF_REFUSES:
		for (uint32_t i = 0; i < FAKE_OPERATIONS; i++)
			bench.vf.answers[i] = HVK_EREFUSED_VIRTIO;
		break;
	case HOST_REFUSES:
		bench.nic.device.answers[FAKE_DATA_PATH] = HVK_ETIMEDOUT_DATA_PATH;
		break;
	default:
		fail();
	}
}

static const uint8_t group[1][6] = {{0x01, 0x00, 0x5e, 0x00, 0x00, 0x05}};

/* The VF as an interface of its own, once it is one. */
static void ask_separate(void)
{
	struct hvk_netdev *netdev = hvk_vf_separate_netdev(bench.pair);

	if (!netdev)
		return;
	netdev->hooks = fake_hooks(&bench.separate);
	hvk_netdev_set_flags(netdev, HVK_NETDEV_UP, fake_request());
	hvk_netdev_set_multicast(netdev, group, 1, fake_request());
	hvk_netdev_set_flags(netdev, 0, fake_request());
	hvk_netdev_set_flags(netdev, HVK_NETDEV_UP | HVK_NETDEV_PROMISCUOUS, fake_request());
}

static void ask_for_everything(uint32_t round)
{
	struct hvk_netdev_rss rss = {.types = HVK_RSS_TCP4};

	if (round == 0) {
		hvk_netdev_set_flags(fake_card(), HVK_NETDEV_UP, fake_request());
		hvk_netdev_set_mtu(fake_card(), 2000, fake_request());
		hvk_netdev_set_multicast(fake_card(), group, 1, fake_request());
		hvk_netdev_set_enabled(fake_card(), HVK_NETDEV_TX_TCP4 | HVK_NETDEV_RSS, fake_request());
	} else if (round == 1) {
		hvk_netdev_set_rss(fake_card(), &rss, fake_request());
		hvk_netdev_set_flags(fake_card(), 0, fake_request());
		hvk_netdev_set_flags(fake_card(), HVK_NETDEV_UP, fake_request());
	}
}

/* The life, a step at a time; more is asked for while earlier things are under way. False: it is over. */
static bool live(uint32_t at, bool transparent)
{
	if (at == 0) {
		fake_pair();
		ask_for_everything(0);
	} else if (at == 3) {
		hvk_vf_attach_complete(bench.pair);
	} else if (at == 20 && !transparent) {
		ask_separate();
	} else if (at == (transparent ? 30 : 50)) {
		ask_for_everything(1);
	} else if (at == 90) {
		struct hvk_vf_info info;

		hvk_vf_get_info(bench.pair, &info);
		if (info.netdev)
			hvk_vf_unpair(bench.pair, fake_request());
	}
	if (!fake_step() && at > 90)
		return fake_timers();
	(void)__atomic_add_fetch(&bench.hvk.now, 1000, __ATOMIC_RELAXED);
	(void)fake_timers();
	return true;
}

/* At any time a frame is taken, or the stack is told when to come again. Returns how often it must have been
 * told in the end. */
static uint32_t send_one(uint32_t told)
{
	struct hvk_netdev *separate = hvk_vf_separate_netdev(bench.pair);

	if (separate)
		(void)fake_send(separate);
	return fake_send(fake_card()) == HVK_TX_BUSY ? bench.stack.ready + 1 : told;
}

static void disturbed_life(bool transparent, enum disturbance what, uint32_t when, bool again)
{
	const struct hvk_netdev_hooks hooks = fake_hooks(&bench.driver);
	struct hvk_netdev_info vf;
	uint32_t told = 0;

	fake_begin(transparent);
	bench.vf.netdev.info.flags = HVK_NETDEV_PROMISCUOUS;
	bench.vf.netdev.info.mtu = 1400;
	bench.vf.netdev.info.frame_max = 1414;
	bench.vf.netdev.info.enabled = HVK_NETDEV_TX_UDP4;
	vf = bench.vf.netdev.info;
	for (uint32_t at = 0; at < 400 && (live(at, transparent) || at <= 90); at++) {
		if (at == when || (again && at == when + 7))
			disturb(what);
		told = send_one(told);
	}
	for (uint32_t i = 0; i < FAKE_OPERATIONS; i++)
		bench.vf.answers[i] = bench.nic.device.answers[i] = HVK_OK;
	bench.vf.gone = false;
	fake_pass(400);
	assert_int_equal(fake_state(), HVK_VF_ABSENT);
	assert_true(bench.stack.ready >= told);
	assert_memory_equal(&hooks, &bench.vf.netdev.hooks, sizeof(hooks));
	if (what != CARD_IS_GONE && what != VF_REFUSES && what != HOST_REFUSES) {
		assert_false(fake_path_is_vf());
		assert_int_equal(bench.nic.device.netdev.info.mtu, 2000);
		assert_int_equal(bench.nic.device.netdev.info.enabled, HVK_NETDEV_TX_TCP4 | HVK_NETDEV_RSS);
		assert_int_equal(bench.nic.device.netdev.info.flags, HVK_NETDEV_UP);
		assert_memory_equal(&fake_card()->info, &bench.nic.device.netdev.info, sizeof(vf));
		assert_int_equal(fake_send(fake_card()), HVK_TX_TAKEN);
	}
	if (what != VF_VANISHES && what != VF_REFUSES && what != CARD_IS_GONE)
		assert_memory_equal(&vf, &bench.vf.netdev.info, sizeof(vf));
	if (what == VF_VANISHES)
		assert_true(bench.driver.gone >= 1);
	fake_end(); /* all requests have ended, all memory is back */
}

static void at_each_step(bool transparent, enum disturbance what)
{
	for (uint32_t when = 0; when < 90; when++)
		disturbed_life(transparent, what, when, false);
	if (what == ALLOCATION_IS_TAKEN || what == ASSOCIATION_AGAIN)
		for (uint32_t when = 0; when < 90; when++)
			disturbed_life(transparent, what, when, true);
}

static void in_both_modes(enum disturbance what)
{
	at_each_step(true, what);
	at_each_step(false, what);
}

static void vf_vanishes_at_each_step(void **state)
{
	(void)state;
	in_both_modes(VF_VANISHES);
}

static void vf_is_unpaired_at_each_step(void **state)
{
	(void)state;
	in_both_modes(VF_IS_UNPAIRED);
}

static void allocation_is_taken_at_each_step(void **state)
{
	(void)state;
	in_both_modes(ALLOCATION_IS_TAKEN);
	in_both_modes(ASSOCIATION_AGAIN);
}

static void card_is_gone_at_each_step(void **state)
{
	(void)state;
	in_both_modes(CARD_IS_GONE);
}

static void vf_or_host_refuses_from_each_step_on(void **state)
{
	(void)state;
	in_both_modes(VF_REFUSES);
	in_both_modes(HOST_REFUSES);
}

/* The life reaches every state: else the tests above say little. */
static void separate_life_meets_every_state(void **state)
{
	uint32_t met = 0;

	(void)state;
	fake_begin(false);
	met |= 1u << fake_state();
	for (uint32_t at = 0; at < 400 && (live(at, false) || at <= 90); at++) {
		met |= 1u << fake_state();
		(void)send_one(0);
	}
	fake_pass(300);
	assert_int_equal(met, (1u << (HVK_VF_LEAVING + 1)) - 1u);
	for (uint32_t i = 0; i < bench.request_count; i++)
		assert_int_equal(bench.requests[i].status, HVK_OK);
	assert_int_not_equal(bench.vf.counters.tx_frames, 0);
	assert_int_equal(bench.separate.gone, 1);
	fake_end();
}

static void life_meets_every_state(void **state)
{
	uint32_t met = 0;

	(void)state;
	fake_begin(true);
	for (uint32_t at = 0; at < 400 && (live(at, true) || at <= 90); at++)
		met |= 1u << fake_state();
	fake_pass(300);
	assert_int_equal(met, (1u << (HVK_VF_LEAVING + 1)) - 1u);
	for (uint32_t i = 0; i < bench.request_count; i++)
		assert_int_equal(bench.requests[i].status, HVK_OK);
	assert_true(strstr(bench.log, "vf MTU 2000") && strstr(bench.log, "vf flags 3"));
	fake_end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(frames_of_the_vf_are_waited_for),
		cmocka_unit_test(frames_that_do_not_end_are_counted_as_lost),
		cmocka_unit_test(frames_of_a_vf_that_vanishes_are_lost_and_counted),
		cmocka_unit_test(frames_go_by_the_card_at_once_when_the_vf_has_vanished),
		cmocka_unit_test(status_of_the_first_step_that_failed),
		cmocka_unit_test(vf_that_vanishes_on_its_way_out),
		cmocka_unit_test(second_unpair_is_refused),
		cmocka_unit_test(unpair_ends_once),
		cmocka_unit_test(no_timer_is_left_of_a_vf),
		cmocka_unit_test(every_cpu_passes_a_poll_first),
		cmocka_unit_test(nobody_is_inside_a_vf_that_is_taken_down),
		cmocka_unit_test(life_meets_every_state),
		cmocka_unit_test(separate_life_meets_every_state),
		cmocka_unit_test(vf_vanishes_at_each_step),
		cmocka_unit_test(vf_is_unpaired_at_each_step),
		cmocka_unit_test(allocation_is_taken_at_each_step),
		cmocka_unit_test(card_is_gone_at_each_step),
		cmocka_unit_test(vf_or_host_refuses_from_each_step_on),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
