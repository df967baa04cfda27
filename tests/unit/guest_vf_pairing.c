/* SPDX-License-Identifier: MIT */
/* A card and its VF: which one it is, when it may be used, and the states on the way. */
#include "guest_vf_fake.h"

/* --- Same hardware address, and serial where given --------------------------------------------- */

static hvk_status pair_with(uint32_t serial)
{
	return hvk_vf_pair(bench.pair, &bench.vf.netdev, serial);
}

static void same_hardware_address_pairs(void **state)
{
	(void)state;
	fake_begin(true);
	bench.vf.netdev.info.mac[5]++;
	assert_int_equal(pair_with(FAKE_SERIAL), HVK_EOTHER);
	assert_ptr_equal(bench.vf.netdev.ops, &fake_ops);
	bench.vf.netdev.info.mac[5]--;
	assert_int_equal(pair_with(FAKE_SERIAL), HVK_OK);
	assert_int_equal(fake_state(), HVK_VF_WAITING);
	fake_end();
}

static void serial_where_given_must_agree(void **state)
{
	(void)state;
	fake_begin(true);
	assert_int_equal(pair_with(FAKE_SERIAL + 1), HVK_EOTHER);
	assert_int_equal(pair_with(0), HVK_OK); /* the bus did not say */
	assert_int_equal(fake_unpair(), HVK_OK);
	fake_associate(true, 0); /* the host did not */
	assert_int_equal(pair_with(FAKE_SERIAL), HVK_OK);
	hvk_vf_attach_complete(bench.pair);
	fake_up();
	assert_int_equal(fake_state(), HVK_VF_ACTIVE);
	fake_end();
}

/* The host names another one later, and then the right one. */
static void serial_that_comes_late_must_agree_too(void **state)
{
	(void)state;
	fake_begin(true);
	fake_associate(false, 0);
	assert_int_equal(pair_with(FAKE_SERIAL), HVK_OK);
	hvk_vf_attach_complete(bench.pair);
	fake_up();
	assert_int_equal(fake_state(), HVK_VF_READY);
	fake_associate(true, FAKE_SERIAL + 1);
	fake_pass(100);
	assert_int_equal(fake_state(), HVK_VF_READY);
	fake_associate(true, FAKE_SERIAL);
	fake_run();
	assert_int_equal(fake_state(), HVK_VF_ACTIVE);
	fake_end();
}

static void bond_or_vlan_on_top_is_no_vf(void **state)
{
	(void)state;
	fake_begin(true);
	bench.vf.netdev.info.traits = HVK_NETDEV_STACKED;
	assert_int_equal(pair_with(FAKE_SERIAL), HVK_ESTACKED);
	assert_int_equal(hvk_vf_pair(bench.pair, fake_card(), 0), HVK_EINVAL);
	assert_int_equal(hvk_vf_pair(bench.pair, &bench.nic.device.netdev, 0), HVK_EINVAL);
	fake_end();
}

static void driver_that_only_queues_by_itself_is_refused(void **state)
{
	(void)state;
	fake_begin(true);
	bench.vf.netdev.info.traits = HVK_NETDEV_OWN_QUEUE;
	assert_int_equal(pair_with(FAKE_SERIAL), HVK_EOWNQUEUE);
	bench.vf.netdev.info.mac[0] ^= 2; /* somebody else's: not worth that word */
	assert_int_equal(pair_with(FAKE_SERIAL), HVK_EOTHER);
	fake_end();
}

static void second_vf_and_vf_in_use_are_refused(void **state)
{
	static struct fake_device other;

	(void)state;
	fake_begin(true);
	fake_device_init(&other, "other");
	other.netdev.info.flags = HVK_NETDEV_UP;
	assert_int_equal(hvk_vf_pair(bench.pair, &other.netdev, 0), HVK_ESTATE);
	fake_pair();
	other.netdev.info.flags = 0;
	assert_int_equal(hvk_vf_pair(bench.pair, &other.netdev, 0), HVK_EBUSY);
	assert_ptr_equal(other.netdev.ops, &fake_ops);
	fake_end();
}

static void create_wants_a_card_that_is_down_and_takes_vfs(void **state)
{
	const struct hvk_vf_config config = {.transparent = true};
	struct hvk_vf *pair;

	(void)state;
	fake_begin(true);
	fake_end();
	bench.nic.device.netdev.info.flags = HVK_NETDEV_UP;
	assert_int_equal(hvk_vf_create(&bench.nic, &config, &pair), HVK_ESTATE);
	bench.nic.device.netdev.info.flags = 0;
	bench.nic.no_vf = true;
	assert_int_equal(hvk_vf_create(&bench.nic, &config, &pair), HVK_EINVAL);
	assert_null(pair);
	assert_int_equal(bench.hvk.pages, 0);
}

/* A card that was not attached when the object was created: its address is known later. */
static void card_attached_later_is_shown(void **state)
{
	(void)state;
	fake_begin(true);
	bench.nic.device.netdev.info.mac[5] = 0x99;
	bench.nic.device.netdev.info.mtu = 1400;
	fake_associate(false, 0);
	fake_run();
	assert_int_equal(fake_card()->info.mac[5], 0x99);
	assert_int_equal(fake_card()->info.mtu, 1400);
	fake_end();
}

/* --- The grace period -------------------------------------------------------------------------- */

static void grace_period_after_attach(void **state)
{
	const struct hvk_vf_config config = {.transparent = true, .grace_ms = 500};

	(void)state;
	fake_begin_with(&config);
	fake_up();
	fake_pair();
	fake_pass(250);
	fake_associate(true, FAKE_SERIAL); /* nobody touches it before, whatever happens */
	assert_int_equal(fake_flags(fake_card(), 0), HVK_OK);
	hvk_netdev_set_mtu(fake_card(), 1400, fake_request());
	fake_up();
	fake_pass(249);
	assert_int_equal(fake_state(), HVK_VF_WAITING);
	assert_null(strstr(bench.log, "vf "));
	assert_int_equal(bench.vf.netdev.info.flags, 0);
	assert_int_equal(bench.vf.netdev.info.mtu, 1500);
	fake_pass(1);
	assert_int_equal(bench.vf.netdev.info.mtu, 1400);
	assert_int_equal(fake_state(), HVK_VF_ACTIVE);
	fake_end();
}

static void grace_period_is_two_seconds_by_default(void **state)
{
	const struct hvk_vf_config config = {.transparent = true};

	(void)state;
	fake_begin_with(&config);
	fake_up();
	fake_pair();
	fake_pass(1999);
	assert_int_equal(fake_state(), HVK_VF_WAITING);
	fake_pass(1);
	assert_int_equal(fake_state(), HVK_VF_ACTIVE);
	fake_end();
}

static void attach_complete_ends_the_grace_period(void **state)
{
	const struct hvk_vf_config config = {.transparent = true};

	(void)state;
	fake_begin_with(&config);
	fake_up();
	fake_pair();
	fake_pass(10);
	hvk_vf_attach_complete(bench.pair);
	fake_run();
	assert_int_equal(fake_state(), HVK_VF_ACTIVE);
	fake_end();
}

static void grace_event_waits_for_ever(void **state)
{
	(void)state;
	fake_begin(true);
	fake_up();
	fake_pair();
	fake_pass(10000);
	assert_int_equal(fake_state(), HVK_VF_WAITING);
	hvk_vf_attach_complete(bench.pair);
	fake_run();
	assert_int_equal(fake_state(), HVK_VF_ACTIVE);
	fake_end();
}

/* A word that was meant for the one before does not shorten the next one's. */
static void attach_complete_of_an_earlier_vf_is_forgotten(void **state)
{
	(void)state;
	fake_begin(true);
	fake_activate();
	assert_int_equal(fake_unpair(), HVK_OK);
	hvk_vf_attach_complete(bench.pair);
	fake_run();
	fake_pair();
	fake_pass(10);
	assert_int_equal(fake_state(), HVK_VF_WAITING);
	fake_end();
}

/* --- Any order --------------------------------------------------------------------------------- */

enum piece { ASSOCIATION, PAIR, COMPLETE, UP };

static void happen(enum piece piece)
{
	static struct hvk_request request;

	if (piece == ASSOCIATION)
		fake_associate(true, FAKE_SERIAL);
	else if (piece == PAIR)
		fake_pair();
	else if (piece == COMPLETE)
		hvk_vf_attach_complete(bench.pair);
	else
		hvk_netdev_set_flags(fake_card(), HVK_NETDEV_UP, &request);
}

static void association_offer_attach_and_up_in_any_order(void **state)
{
	uint32_t orders = 0;

	(void)state;
	for (uint32_t code = 0; code < 256; code++) {
		const uint32_t order[4] = {code & 3, code >> 2 & 3, code >> 4 & 3, code >> 6 & 3};
		uint32_t seen = 0, at[4] = {0};

		for (uint32_t i = 0; i < 4; i++) {
			seen |= 1u << order[i];
			at[order[i]] = i;
		}
		if (seen != 15 || at[COMPLETE] < at[PAIR])
			continue;
		for (uint32_t between = 0; between < 2; between++) { /* at once, or with time between */
			fake_begin(true);
			fake_associate(false, 0);
			fake_run();
			for (uint32_t i = 0; i < 4; i++) {
				happen(order[i]);
				if (between)
					fake_pass(3);
			}
			fake_run();
			assert_int_equal(fake_state(), HVK_VF_ACTIVE);
			assert_true(fake_path_is_vf());
			fake_end();
		}
		orders++;
	}
	assert_int_equal(orders, 12);
}

static void allocation_taken_back_and_given_again(void **state)
{
	(void)state;
	fake_begin(true);
	fake_activate();
	fake_associate(false, 0);
	fake_run();
	assert_int_equal(fake_state(), HVK_VF_READY);
	assert_string_equal(bench.log, "data path card; card RSS 0x300 key 17; vf flags 0");
	fake_associate(true, FAKE_SERIAL);
	fake_run();
	assert_int_equal(fake_state(), HVK_VF_ACTIVE);
	fake_end();
}

static void allocation_taken_back_while_the_vf_comes_up(void **state)
{
	(void)state;
	fake_begin(true);
	fake_up();
	fake_pair();
	bench.vf.answers[FAKE_FLAGS] = HVK_EINPROGRESS;
	hvk_vf_attach_complete(bench.pair);
	fake_run();
	fake_forget();
	fake_associate(false, 0);
	bench.vf.answers[FAKE_FLAGS] = HVK_OK;
	fake_let_go(&bench.vf, HVK_OK);
	fake_run();
	assert_int_equal(fake_state(), HVK_VF_READY);
	assert_string_equal(bench.log, "vf flags 0"); /* and no data path */
	fake_associate(true, FAKE_SERIAL);
	fake_run();
	assert_int_equal(fake_state(), HVK_VF_ACTIVE);
	fake_end();
}

/* The host may say it again, for a data path that it has begun anew. */
static void association_said_again_is_switched_again(void **state)
{
	struct hvk_vf_info info;

	(void)state;
	fake_begin(true);
	fake_activate();
	fake_associate(true, FAKE_SERIAL);
	fake_run();
	hvk_vf_get_info(bench.pair, &info);
	assert_int_equal(info.state, HVK_VF_ACTIVE);
	assert_int_equal(info.switches, 2);
	fake_end();
}

/* --- States ------------------------------------------------------------------------------------ */

static void states_are_told_in_order(void **state)
{
	static const enum hvk_vf_state way[] = {HVK_VF_WAITING, HVK_VF_READY,     HVK_VF_SWITCHING,
						HVK_VF_ACTIVE,  HVK_VF_SWITCHING, HVK_VF_READY,
						HVK_VF_LEAVING, HVK_VF_ABSENT};

	(void)state;
	fake_begin(true);
	fake_up();
	fake_pair();
	hvk_vf_attach_complete(bench.pair);
	fake_run();
	assert_int_equal(fake_unpair(), HVK_OK);
	assert_int_equal(bench.state_count, sizeof(way) / sizeof(way[0]));
	assert_memory_equal(bench.states, way, sizeof(way));
	fake_end();
}

static void states_have_names(void **state)
{
	(void)state;
	assert_string_equal(hvk_vf_state_name(HVK_VF_ABSENT), "absent");
	assert_string_equal(hvk_vf_state_name(HVK_VF_LEAVING), "leaving");
	assert_string_equal(hvk_vf_state_name((enum hvk_vf_state)99), "unknown");
}

static bool pair_again;

static void on_absent(enum hvk_vf_state now)
{
	if (now == HVK_VF_ABSENT && pair_again) {
		pair_again = false;
		assert_int_equal(hvk_vf_destroy(bench.pair), HVK_ESTATE); /* not from here */
		fake_pair();
	}
}

static void next_vf_may_be_paired_as_soon_as_the_last_has_left(void **state)
{
	(void)state;
	fake_begin(true);
	fake_activate();
	pair_again = true;
	bench.told = on_absent;
	assert_int_equal(fake_unpair(), HVK_OK);
	assert_int_equal(fake_state(), HVK_VF_WAITING);
	hvk_vf_attach_complete(bench.pair);
	fake_run();
	assert_int_equal(fake_state(), HVK_VF_ACTIVE);
	fake_end();
}

/* Nor is one that waits asked for anything. */
static void what_an_earlier_vf_settled_is_not_the_next_ones(void **state)
{
	(void)state;
	fake_begin(true);
	bench.vf.netdev.info.capabilities = HVK_NETDEV_TX_TCP4;
	bench.vf.netdev.info.enabled = 0;
	fake_activate();
	assert_int_equal(fake_card()->info.capabilities, HVK_NETDEV_TX_TCP4);
	assert_int_equal(fake_unpair(), HVK_OK);
	fake_pair();
	fake_forget();
	fake_run();
	assert_int_equal(fake_card()->info.capabilities, FAKE_CAPABILITIES);
	hvk_netdev_set_mtu(fake_card(), 1400, fake_request());
	fake_run();
	assert_string_equal(bench.log, "card MTU 1400");
	assert_int_equal(fake_card()->info.capabilities, FAKE_CAPABILITIES);
	fake_end();
}

static void destroy(struct hvk_request *request, void *context)
{
	(void)request;
	(void)context;
	assert_int_equal(hvk_vf_destroy(bench.pair),
			 HVK_ESTATE); /* the card is up: frames come in by our hooks */
	bench.nic.device.netdev.info.flags = 0;
	assert_int_equal(hvk_vf_destroy(bench.pair), HVK_OK);
	bench.pair = NULL;
}

static void object_may_be_destroyed_when_the_vf_has_left(void **state)
{
	struct hvk_request request = {.done = destroy};

	(void)state;
	fake_begin(true);
	fake_activate();
	assert_int_equal(hvk_vf_destroy(bench.pair), HVK_ESTATE);
	hvk_vf_unpair(bench.pair, &request);
	fake_run();
	assert_null(bench.pair);
	assert_int_equal(bench.hvk.pages, 0);
	assert_null(bench.nic.changed);
}

/* --- The host refuses, or says nothing --------------------------------------------------------- */

static void data_path_refused_is_tried_again(void **state)
{
	struct hvk_vf_info info;

	(void)state;
	fake_begin(true);
	fake_up();
	fake_pair();
	bench.nic.device.answers[FAKE_DATA_PATH] = HVK_EREFUSED_DATA_PATH;
	hvk_vf_attach_complete(bench.pair);
	fake_run();
	hvk_vf_get_info(bench.pair, &info);
	assert_int_equal(info.state, HVK_VF_READY);
	assert_int_equal(info.switch_failures, 1);
	assert_int_equal(info.last_failure, HVK_EREFUSED_DATA_PATH);
	assert_int_equal(bench.vf.netdev.info.flags, 0); /* as it came */
	assert_int_equal(fake_send(fake_card()), HVK_TX_TAKEN);
	fake_pass(999);
	hvk_vf_get_info(bench.pair, &info);
	assert_int_equal(info.switch_failures, 1);
	fake_pass(1); /* then two, four, ... seconds later */
	fake_pass(1999);
	hvk_vf_get_info(bench.pair, &info);
	assert_int_equal(info.switch_failures, 2);
	bench.nic.device.answers[FAKE_DATA_PATH] = HVK_OK;
	fake_pass(1);
	hvk_vf_get_info(bench.pair, &info);
	assert_int_equal(info.state, HVK_VF_ACTIVE);
	assert_int_equal(info.last_failure, HVK_OK);
	fake_end();
}

/* Frames wait for a switch, but not for what comes after one that failed. */
static void frames_do_not_wait_for_a_silent_host_twice(void **state)
{
	(void)state;
	fake_begin(true);
	fake_up();
	fake_pair();
	bench.nic.device.answers[FAKE_DATA_PATH] = HVK_EINPROGRESS;
	hvk_vf_attach_complete(bench.pair);
	fake_run();
	assert_int_equal(fake_state(), HVK_VF_SWITCHING);
	assert_int_equal(fake_send(fake_card()), HVK_TX_BUSY);
	fake_let_go(&bench.nic.device, HVK_ETIMEDOUT_DATA_PATH);
	bench.nic.device.answers[FAKE_DATA_PATH] = HVK_EINPROGRESS;
	fake_run();
	assert_int_equal(fake_state(), HVK_VF_SWITCHING);
	assert_int_equal(bench.stack.ready, 1);
	assert_int_equal(fake_send(fake_card()), HVK_TX_TAKEN);
	fake_let_go(&bench.nic.device, HVK_ETIMEDOUT_DATA_PATH);
	fake_run();
	assert_int_equal(fake_state(), HVK_VF_READY);
	fake_end();
}

static void vf_that_does_not_come_up_leaves_the_frames_with_the_card(void **state)
{
	struct hvk_vf_info info;

	(void)state;
	fake_begin(true);
	fake_up();
	fake_pair();
	bench.vf.answers[FAKE_FLAGS] = HVK_EREFUSED_VIRTIO;
	hvk_vf_attach_complete(bench.pair);
	fake_run();
	hvk_vf_get_info(bench.pair, &info);
	assert_int_equal(info.state, HVK_VF_READY);
	assert_null(strstr(bench.log, "data path vf"));
	assert_int_equal(info.last_failure, HVK_EREFUSED_VIRTIO);
	bench.vf.answers[FAKE_FLAGS] = HVK_OK;
	fake_pass(1000);
	assert_int_equal(fake_state(), HVK_VF_ACTIVE);
	fake_end();
}

static char dumped[4096];

static void dump_line(void *context, const char *text)
{
	(void)context;
	(void)snprintf(dumped + strlen(dumped), sizeof(dumped) - strlen(dumped), "%s\n", text);
}

static void dump_says_it_all(void **state)
{
	(void)state;
	fake_begin(true);
	fake_activate();
	(void)fake_send(fake_card());
	dumped[0] = 0;
	hvk_vf_dump(bench.pair, dump_line, NULL);
	assert_non_null(strstr(dumped, "transparent"));
	assert_non_null(strstr(dumped, "active"));
	assert_non_null(strstr(dumped, "0x4711"));
	assert_non_null(strstr(dumped, "vf-tx-frames"));
	fake_end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(same_hardware_address_pairs),
		cmocka_unit_test(serial_where_given_must_agree),
		cmocka_unit_test(serial_that_comes_late_must_agree_too),
		cmocka_unit_test(bond_or_vlan_on_top_is_no_vf),
		cmocka_unit_test(driver_that_only_queues_by_itself_is_refused),
		cmocka_unit_test(second_vf_and_vf_in_use_are_refused),
		cmocka_unit_test(create_wants_a_card_that_is_down_and_takes_vfs),
		cmocka_unit_test(card_attached_later_is_shown),
		cmocka_unit_test(grace_period_after_attach),
		cmocka_unit_test(grace_period_is_two_seconds_by_default),
		cmocka_unit_test(attach_complete_ends_the_grace_period),
		cmocka_unit_test(grace_event_waits_for_ever),
		cmocka_unit_test(attach_complete_of_an_earlier_vf_is_forgotten),
		cmocka_unit_test(association_offer_attach_and_up_in_any_order),
		cmocka_unit_test(allocation_taken_back_and_given_again),
		cmocka_unit_test(allocation_taken_back_while_the_vf_comes_up),
		cmocka_unit_test(association_said_again_is_switched_again),
		cmocka_unit_test(states_are_told_in_order),
		cmocka_unit_test(states_have_names),
		cmocka_unit_test(next_vf_may_be_paired_as_soon_as_the_last_has_left),
		cmocka_unit_test(what_an_earlier_vf_settled_is_not_the_next_ones),
		cmocka_unit_test(object_may_be_destroyed_when_the_vf_has_left),
		cmocka_unit_test(data_path_refused_is_tried_again),
		cmocka_unit_test(frames_do_not_wait_for_a_silent_host_twice),
		cmocka_unit_test(vf_that_does_not_come_up_leaves_the_frames_with_the_card),
		cmocka_unit_test(dump_says_it_all),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
