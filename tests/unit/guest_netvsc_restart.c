/* SPDX-License-Identifier: MIT */
/* The card taken down and brought up again with all that was set: another MTU, suspend and resume. */
#include "tests/unit/guest_netvsc_fake.h"

#include "tests/golden/ndis.h"

static const struct hvk_netvsc_config config = {.offloads = HVK_NETDEV_ALL_OFFLOADS, .queues = 3};

#define UP (HVK_NETDEV_UP | HVK_NETDEV_PROMISCUOUS)

static struct hvk_request mtu_request, suspend_request, resume_request;

/* With everything set. */
static void up(void)
{
	static const uint8_t groups[1][6] = {{1, 0, 0x5e, 0, 0, 9}};
	struct hvk_request request = {0};
	struct hvk_netdev_rss rss;

	fake_create(&config);
	memcpy(bench.offload, golden_ndis_offload_3, sizeof(bench.offload));
	bench.offload_length = sizeof(bench.offload);
	memcpy(bench.rss, golden_ndis_rss_capabilities_2, 18);
	bench.rss_length = 18;
	bench.granted = bench.offered = 2;
	assert_int_equal(fake_attach(), HVK_OK);
	assert_int_equal(fake_set_flags(UP), HVK_OK);
	hvk_netdev_set_multicast(bench.netdev, groups, 1, &request);
	fake_run();
	assert_int_equal(request.status, HVK_OK);
	hvk_netdev_set_enabled(bench.netdev, bench.netdev->info.enabled & ~HVK_NETDEV_LRO, &request);
	fake_run();
	assert_int_equal(request.status, HVK_OK);
	assert_true(hvk_netdev_get_rss(bench.netdev, &rss));
	rss.table[0] = 2;
	hvk_netdev_set_rss(bench.netdev, &rss, &request);
	fake_run();
	assert_int_equal(request.status, HVK_OK);
	bench.log[0] = 0;
}

/* As up() left it. */
static void check_settings(void)
{
	const struct hvk_netdev_info *info = &bench.netdev->info;
	uint32_t table = fake_word(bench.rss_parameters + 16);

	assert_int_equal(info->flags, UP);
	assert_int_equal(bench.last_filter, 1 | 4 | 8 | 0x20);
	assert_int_equal(info->enabled, info->capabilities & ~HVK_NETDEV_LRO);
	assert_int_equal(bench.offload_parameters[5], 4);
	assert_int_equal(bench.offload_parameters[22], 1);
	assert_int_equal(info->queues, 3);
	assert_int_equal(fake_word(bench.rss_parameters + table), 2);
	assert_int_equal(fake_word(bench.rss_parameters + table + 4), 1);
	assert_int_equal(bench.gone, 0);
	assert_int_equal(bench.link_changes, 0);
}

static hvk_status set_mtu(uint32_t mtu)
{
	hvk_netdev_set_mtu(bench.netdev, mtu, &mtu_request);
	fake_run();
	return mtu_request.status;
}

static uint32_t last_config_mtu(void)
{
	uint32_t found = 0;

	for (uint32_t i = 0; i < bench.channel.sent_count; i++) {
		if (fake_word(bench.channel.sent[i].payload) == 125)
			found = fake_word(bench.channel.sent[i].payload + 4);
	}
	return found;
}

static uint32_t sent_frames;

static enum hvk_tx_result send_frame(void)
{
	static uint8_t bytes[60];
	static struct hvk_buffer piece;
	static struct hvk_tx_frame frames[16];
	struct hvk_tx_frame *frame = &frames[sent_frames++ % 16];

	piece = (struct hvk_buffer){bytes, 0, sizeof(bytes)};
	*frame = (struct hvk_tx_frame){.pieces = &piece, .piece_count = 1, .length = 60};
	return hvk_netdev_transmit(bench.netdev, frame);
}

/* --- Another MTU ---------------------------------------------------------------------------- */

static void another_mtu(void **state)
{
	(void)state;
	up();
	assert_int_equal(bench.netdev->info.mtu_max, 65521);
	bench.frame_size = 9000;
	assert_int_equal(set_mtu(9000), HVK_OK);
	assert_int_equal(bench.netdev->info.mtu, 9000);
	assert_int_equal(bench.netdev->info.frame_max, 9014);
	assert_int_equal(last_config_mtu(), 9014);
	check_settings();
	assert_non_null(strstr(bench.log, "close "));
	assert_null(strstr(bench.log, "info "));
	assert_int_equal(send_frame(), HVK_TX_TAKEN);
	fake_run();
	bench.frame_size = 1500;
	assert_int_equal(set_mtu(1500), HVK_OK);
	assert_int_equal(bench.netdev->info.mtu, 1500);
	fake_down();
}

static void the_mtu_that_it_has(void **state)
{
	(void)state;
	up();
	assert_int_equal(set_mtu(1500), HVK_OK);
	assert_string_equal(bench.log, "");
	fake_down();
}

static void mtus_that_cannot_be(void **state)
{
	(void)state;
	up();
	assert_int_equal(set_mtu(67), HVK_EINVAL);
	assert_int_equal(set_mtu(65522), HVK_EINVAL);
	assert_string_equal(bench.log, "");
	fake_down();
	fake_create(&config);
	bench.nvs_newest = NVS_VERSION_1; /* knows 1500 alone */
	assert_int_equal(fake_attach(), HVK_OK);
	assert_int_equal(bench.netdev->info.mtu_max, 1500);
	assert_int_equal(set_mtu(1501), HVK_EINVAL);
	fake_down();
}

/* OpenVMM takes what is beyond its limit for 1514. */
static void a_host_that_grants_less(void **state)
{
	(void)state;
	up();
	bench.frame_size = 1500;
	assert_int_equal(set_mtu(20000), HVK_EREFUSED_RNDIS);
	assert_int_equal(bench.netdev->info.mtu, 1500);
	assert_int_equal(bench.netdev->info.frame_max, 1514);
	assert_int_equal(last_config_mtu(), 1514);
	check_settings();
	fake_down();
}

/* In between frames are answered BUSY, and told when it goes on; what is asked for waits. */
static void frames_and_requests_meanwhile(void **state)
{
	uint8_t bytes[104];

	(void)state;
	up();
	bench.frame_size = 9000;
	bench.hold_sends = true;
	assert_int_equal(send_frame(), HVK_TX_TAKEN); /* the drain holds it up */
	assert_int_equal(set_mtu(9000), HVK_EINPROGRESS);
	assert_int_equal(send_frame(), HVK_TX_BUSY);
	assert_int_equal(bench.netdev->info.flags, UP);
	fake_message(bytes, fake_make_frame(bytes, 104, 60, 3), 104);
	fake_run();
	assert_int_equal(bench.inputs, 0); /* whoever lends one now lends memory that goes */
	assert_int_equal(fake_set_flags(HVK_NETDEV_UP), HVK_EINPROGRESS);
	bench.hold_sends = false;
	fake_advance(210);
	assert_int_equal(mtu_request.status, HVK_OK);
	assert_int_equal(bench.flags.status, HVK_OK);
	assert_int_equal(bench.netdev->info.flags, HVK_NETDEV_UP);
	assert_int_equal(bench.last_filter, 1 | 4 | 8);
	assert_int_equal(bench.tx_ready, 1);
	assert_int_equal(send_frame(), HVK_TX_TAKEN);
	fake_run();
	fake_down();
}

/* The new one cannot be had, as the host says once; then all is as it was. */
static void a_failure_brings_the_old_one_back(void **state)
{
	(void)state;
	up();
	bench.frame_size = 9000;
	bench.custom_oid = 0x01010101; /* no MAC: the attach fails */
	bench.custom_length = 0;
	hvk_netdev_set_mtu(bench.netdev, 9000, &mtu_request);
	for (uint32_t i = 0; i < 1000 && !strstr(bench.log, "rndis:4:1010101 "); i++) {
		(void)fake_poll();
		fake_answer();
	}
	assert_int_equal(last_config_mtu(), 9014);
	bench.custom_oid = FAKE_NONE;
	fake_run();
	assert_int_equal(mtu_request.status, HVK_EHOST_VALUE);
	assert_int_equal(bench.netdev->info.mtu, 1500);
	assert_int_equal(last_config_mtu(), 1514);
	check_settings();
	assert_int_equal(send_frame(), HVK_TX_TAKEN);
	fake_run();
	fake_down();
}

static void a_host_that_never_takes_us_again(void **state)
{
	(void)state;
	up();
	bench.custom_oid = 0x01010101;
	bench.custom_length = 0;
	assert_int_equal(set_mtu(9000), HVK_EHOST_VALUE);
	assert_int_equal(bench.gone, 1);
	assert_int_equal(bench.netdev->info.flags, 0);
	assert_int_equal(send_frame(), HVK_TX_GONE);
	assert_int_equal(fake_set_flags(0), HVK_ESTATE);
	assert_int_equal(fake_detach(), HVK_OK);
	fake_check_nothing_left();
}

/* At each point of it. */
static void detach_in_the_middle(void **state)
{
	(void)state;
	for (uint32_t polls = 0; polls < 200; polls++) {
		up();
		bench.frame_size = 9000;
		hvk_netdev_set_mtu(bench.netdev, 9000, &mtu_request);
		for (uint32_t i = 0; i < polls; i++) {
			(void)fake_poll();
			fake_answer();
		}
		assert_int_equal(fake_detach(), HVK_OK);
		assert_true(mtu_request.status == HVK_OK || mtu_request.status == HVK_ECANCELED);
		assert_int_equal(bench.gone, 0);
		fake_check_nothing_left();
		if (mtu_request.status == HVK_OK)
			return;
	}
	fail_msg("never through");
}

static void rescind_in_the_middle(void **state)
{
	(void)state;
	for (uint32_t polls = 0; polls < 200; polls++) {
		up();
		bench.frame_size = 9000;
		hvk_netdev_set_mtu(bench.netdev, 9000, &mtu_request);
		for (uint32_t i = 0; i < polls; i++) {
			(void)fake_poll();
			fake_answer();
		}
		bench.channel.rescinded = true;
		bench.channel.kicked = true;
		fake_run();
		fake_advance(2500);
		assert_int_equal(bench.gone, 1);
		assert_true(mtu_request.status == HVK_OK || mtu_request.status == HVK_EGONE);
		assert_int_equal(fake_detach(), HVK_OK);
		fake_check_nothing_left();
		if (mtu_request.status == HVK_OK)
			return;
	}
	fail_msg("never through");
}

/* --- Suspend and resume ------------------------------------------------------------------------- */

static hvk_status suspend(void)
{
	hvk_netvsc_suspend(bench.nic, &suspend_request);
	fake_run();
	return suspend_request.status;
}

static hvk_status resume(void)
{
	hvk_netvsc_resume(bench.nic, &resume_request);
	fake_run();
	return resume_request.status;
}

static void suspend_and_resume(void **state)
{
	(void)state;
	up();
	assert_int_equal(resume(), HVK_ESTATE);
	assert_int_equal(suspend(), HVK_OK);
	assert_false(bench.channel.open);
	assert_int_equal(suspend(), HVK_ESTATE);
	assert_int_equal(send_frame(), HVK_TX_BUSY);
	assert_int_equal(fake_set_flags(0), HVK_ESTATE);
	assert_int_equal(hvk_netvsc_destroy(bench.nic), HVK_ESTATE);
	hvk_netvsc_attach(bench.nic, &bench.attach);
	fake_run();
	assert_int_equal(bench.attach.status, HVK_ESTATE);
	assert_int_equal(resume(), HVK_OK);
	check_settings();
	assert_null(strstr(bench.log, "info "));
	assert_int_equal(bench.tx_ready, 1);
	assert_int_equal(send_frame(), HVK_TX_TAKEN);
	fake_run();
	fake_down();
}

static void what_is_different_is_told(void **state)
{
	(void)state;
	up();
	assert_int_equal(suspend(), HVK_OK);
	bench.offload_length = 0;
	bench.custom_oid = 0x00010114;
	fake_put(bench.custom, 1);
	bench.custom_length = 4;
	assert_int_equal(resume(), HVK_OK);
	assert_int_equal(bench.link_changes, 1);
	assert_false(bench.link);
	assert_non_null(strstr(bench.log, "link:down info "));
	assert_int_equal(bench.netdev->info.enabled & HVK_NETDEV_TX_TCP4, 0);
	fake_down();
}

/* Those above know what it could do. */
static void another_nvs_version_is_refused(void **state)
{
	static const uint32_t versions[] = {NVS_VERSION_5, NVS_VERSION_1};

	(void)state;
	for (uint32_t i = 0; i < 2; i++) {
		up();
		assert_int_equal(suspend(), HVK_OK);
		bench.nvs_newest = versions[i];
		assert_int_equal(resume(), HVK_EREFUSED_NVS_VERSION);
		assert_int_equal(bench.netdev->info.flags, 0);
		assert_int_equal(send_frame(), HVK_TX_GONE);
		assert_int_equal(resume(), HVK_ESTATE);
		assert_int_equal(fake_attach(), HVK_OK); /* anew: any version */
		assert_int_equal(hvk_netvsc_nvs_version(bench.nic), versions[i]);
		fake_down();
	}
}

static void what_was_asked_for_before_is_done_before(void **state)
{
	(void)state;
	up();
	hvk_netdev_set_flags(bench.netdev, HVK_NETDEV_UP, &bench.flags);
	assert_int_equal(suspend(), HVK_OK);
	assert_int_equal(bench.flags.status, HVK_OK);
	assert_int_equal(resume(), HVK_OK);
	assert_int_equal(bench.netdev->info.flags, HVK_NETDEV_UP);
	fake_down();
}

static void detach_while_suspended(void **state)
{
	(void)state;
	up();
	assert_int_equal(suspend(), HVK_OK);
	assert_int_equal(fake_detach(), HVK_OK);
	assert_int_equal(send_frame(), HVK_TX_GONE);
	fake_check_nothing_left();
}

static void detach_while_it_suspends_and_resumes(void **state)
{
	(void)state;
	up();
	bench.hold_sends = true;
	assert_int_equal(send_frame(), HVK_TX_TAKEN);
	assert_int_equal(suspend(), HVK_EINPROGRESS);
	hvk_netvsc_detach(bench.nic, &bench.detach);
	fake_advance(500);
	assert_int_equal(bench.detach.status, HVK_OK);
	assert_int_equal(suspend_request.status, HVK_ECANCELED);
	fake_check_nothing_left();
	up();
	assert_int_equal(suspend(), HVK_OK);
	bench.mute_nvs = 1;
	assert_int_equal(resume(), HVK_EINPROGRESS);
	assert_int_equal(fake_detach(), HVK_OK);
	assert_int_equal(resume_request.status, HVK_ECANCELED);
	fake_check_nothing_left();
}

/* While what was asked for before is under way: the rescind ends both. */
static void gone_before_it_was_suspended(void **state)
{
	(void)state;
	up();
	bench.mute_oid = 0x0001010e;
	hvk_netdev_set_flags(bench.netdev, HVK_NETDEV_UP, &bench.flags);
	assert_int_equal(suspend(), HVK_EINPROGRESS);
	bench.channel.rescinded = true;
	bench.channel.kicked = true;
	fake_run();
	assert_int_equal(bench.flags.status, HVK_EGONE);
	assert_int_equal(suspend_request.status, HVK_EGONE);
	assert_int_equal(suspend(), HVK_EGONE);
	assert_int_equal(bench.gone, 1);
	assert_int_equal(fake_detach(), HVK_OK);
	fake_check_nothing_left();
}

static void gone_while_it_suspends(void **state)
{
	(void)state;
	up();
	bench.hold_sends = true;
	assert_int_equal(send_frame(), HVK_TX_TAKEN);
	assert_int_equal(suspend(), HVK_EINPROGRESS);
	bench.channel.rescinded = true;
	bench.channel.kicked = true;
	fake_run();
	fake_advance(2500);
	assert_int_equal(suspend_request.status, HVK_EGONE);
	assert_int_equal(fake_detach(), HVK_OK);
	fake_check_nothing_left();
}

/* A host that lost the card meanwhile. */
static void gone_while_suspended(void **state)
{
	(void)state;
	up();
	assert_int_equal(suspend(), HVK_OK);
	bench.channel.rescinded = true;
	assert_int_equal(resume(), HVK_EGONE);
	assert_int_equal(fake_detach(), HVK_OK);
	fake_check_nothing_left();
}

static void resumed_on_a_silent_host(void **state)
{
	(void)state;
	up();
	assert_int_equal(suspend(), HVK_OK);
	bench.mute_oid = 0xfc01020d;
	assert_int_equal(resume(), HVK_EINPROGRESS);
	fake_advance(7500);
	assert_int_equal(resume_request.status, HVK_ETIMEDOUT_RNDIS_QUERY);
	assert_int_equal(fake_detach(), HVK_OK);
	fake_check_nothing_left();
}

/* Longer than any of the first MTU: there is room for them, and for a tag, and for no more. */
static void frames_of_the_new_mtu(void **state)
{
	static const uint32_t lengths[] = {1514, 7000, 9014, 9018, 9019};
	const struct hvk_netvsc_config plain = {0};
	uint32_t range[1][2] = {{0, 0}};

	(void)state;
	fake_create(&plain);
	bench.suballocation_size = 16384;
	bench.suballocation_count = 100;
	assert_int_equal(fake_attach(), HVK_OK);
	assert_int_equal(fake_set_flags(HVK_NETDEV_UP | HVK_NETDEV_ALL_MULTICAST), HVK_OK);
	bench.frame_size = 9000;
	assert_int_equal(set_mtu(9000), HVK_OK);
	for (uint32_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		uint8_t *at = fake_receive_memory();

		bench.inputs = 0;
		range[0][0] = fake_make_frame(at, 44 + lengths[i], lengths[i], (uint8_t)i);
		(void)fake_transfer(0x3000 + i, range, 1);
		fake_run();
		assert_int_equal(bench.inputs, lengths[i] <= 9018);
		if (bench.inputs != 0)
			assert_memory_equal(bench.frame, at + 44, lengths[i]);
	}
	fake_down(); /* looks behind each allocation */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(another_mtu),
		cmocka_unit_test(the_mtu_that_it_has),
		cmocka_unit_test(mtus_that_cannot_be),
		cmocka_unit_test(a_host_that_grants_less),
		cmocka_unit_test(frames_and_requests_meanwhile),
		cmocka_unit_test(a_failure_brings_the_old_one_back),
		cmocka_unit_test(a_host_that_never_takes_us_again),
		cmocka_unit_test(detach_in_the_middle),
		cmocka_unit_test(rescind_in_the_middle),
		cmocka_unit_test(suspend_and_resume),
		cmocka_unit_test(what_is_different_is_told),
		cmocka_unit_test(another_nvs_version_is_refused),
		cmocka_unit_test(what_was_asked_for_before_is_done_before),
		cmocka_unit_test(detach_while_suspended),
		cmocka_unit_test(detach_while_it_suspends_and_resumes),
		cmocka_unit_test(gone_before_it_was_suspended),
		cmocka_unit_test(gone_while_it_suspends),
		cmocka_unit_test(gone_while_suspended),
		cmocka_unit_test(resumed_on_a_silent_host),
		cmocka_unit_test(frames_of_the_new_mtu),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
