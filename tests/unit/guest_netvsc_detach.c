/* SPDX-License-Identifier: MIT */
/* Taking the card down: order by version, hosts that answer late or never, frames. */
#include "tests/unit/guest_netvsc_fake.h"

#include "guest/netvsc/netvsc_internal.h"

static const struct hvk_netvsc_config defaults;

static struct hvk_tx_frame frames[4];
static struct hvk_buffer piece;
static uint8_t data[64];
static uint32_t done[4];
static hvk_status statuses[4];

static void frame_done(struct hvk_tx_frame *frame, hvk_status status, void *context)
{
	uint32_t n = (uint32_t)(frame - frames);

	(void)context;
	done[n]++;
	statuses[n] = status;
}

static void send_frames(void)
{
	piece = (struct hvk_buffer){data, (uint64_t)(uintptr_t)data, 60};
	memset(done, 0, sizeof(done));
	for (uint32_t i = 0; i < 4; i++) {
		frames[i] = (struct hvk_tx_frame){
			.pieces = &piece, .piece_count = 1, .length = 60, .done = frame_done};
		if (i & 1)
			frames[i].length = piece.length;
		assert_int_equal(hvk_netdev_transmit(bench.netdev, &frames[i]), HVK_TX_TAKEN);
	}
	bench.log[0] = 0;
}

static void from_4_0_the_channel_is_closed_first(void **state)
{
	static const uint32_t versions[] = {VMBUS_VERSION_4_0, VMBUS_VERSION_4_1, VMBUS_VERSION_5_3};

	(void)state;
	for (int i = 0; i < 3; i++) {
		fake_up(&defaults);
		bench.hvk.version = versions[i];
		assert_int_equal(fake_detach(), HVK_OK);
		assert_string_equal(bench.log,
				    "rndis:5:1010e rndis:3 nvs:103 nvs:106 close teardown:rx torndown "
				    "teardown:tx torndown ");
		assert_int_equal(bench.last_filter, 0);
		assert_int_equal(bench.hvk.quarantined, 0);
		assert_false(bench.netdev->info.link_up);
		assert_int_equal(bench.netdev->info.flags, 0);
		fake_check_nothing_left();
	}
}

static void below_4_0_teardown_is_sent_first(void **state)
{
	(void)state;
	fake_up(&defaults);
	bench.hvk.version = VMBUS_VERSION_3_0;
	assert_int_equal(fake_detach(), HVK_OK);
	assert_string_equal(bench.log,
			    "rndis:5:1010e rndis:3 nvs:103 nvs:106 teardown:rx torndown teardown:tx "
			    "torndown close ");
	fake_check_nothing_left();
}

/* Boot mode speaks an old version to a host that knows 3.0: nothing is awaited before the close. */
static void in_boot_mode_the_channel_is_closed_first(void **state)
{
	static const uint32_t versions[] = {VMBUS_VERSION_0_13, VMBUS_VERSION_1_1, VMBUS_VERSION_3_0};

	(void)state;
	for (uint32_t i = 0; i < 3; i++) {
		uint64_t began;

		fake_up(&defaults);
		bench.hvk.version = versions[i];
		bench.hvk.boot_mode = true;
		bench.hold_teardown = true; /* no matter: the close is over by then */
		began = bench.hvk.now_ms;
		assert_int_equal(fake_detach(), HVK_OK);
		assert_true(bench.hvk.now_ms == began);
		assert_string_equal(bench.log,
				    "rndis:5:1010e rndis:3 nvs:103 nvs:106 close teardown:rx torndown "
				    "teardown:tx torndown ");
		fake_check_nothing_left();
	}
}

/* Windows Server 2012 R2 withholds the receive buffer's TORNDOWN until the close. */
static void torndown_may_need_the_close(void **state)
{
	uint64_t began;

	(void)state;
	fake_up(&defaults);
	bench.hvk.version = VMBUS_VERSION_3_0;
	bench.hold_teardown = true;
	began = bench.hvk.now_ms;
	assert_int_equal(fake_detach(), HVK_EINPROGRESS);
	assert_null(strstr(bench.log, "close"));
	fake_advance(990);
	assert_int_equal(bench.detach.status, HVK_EINPROGRESS);
	assert_null(strstr(bench.log, "close"));
	fake_advance(20);
	assert_int_equal(bench.detach.status, HVK_OK);
	assert_true(bench.hvk.now_ms - began <= 1010);
	assert_non_null(strstr(bench.log, "teardown:rx teardown:tx torndown close torndown "));
	assert_int_equal(bench.hvk.quarantined, 0);
	fake_check_nothing_left();
}

/* The receive buffer has been given back while the channel is still open. */
static void ranges_that_come_after_the_teardown_are_not_looked_at(void **state)
{
	const uint32_t range[1][2] = {{104, 0}};

	(void)state;
	fake_up(&defaults);
	bench.hvk.version = VMBUS_VERSION_3_0;
	bench.hold_send_teardown = true;
	assert_int_equal(fake_detach(), HVK_EINPROGRESS);
	assert_null(bench.receive_buffer);
	assert_null(strstr(bench.log, "close"));
	fake_transfer(1, range, 1);
	fake_run();
	assert_int_equal(bench.hvk.last_fault, HVK_EHOST_RANGE);
	fake_advance(1010);
	assert_int_equal(bench.detach.status, HVK_OK);
	fake_check_nothing_left();
}

static void a_lost_teardown_is_told_and_nothing_is_freed(void **state)
{
	(void)state;
	fake_up(&defaults);
	bench.lose_teardown = true;
	assert_int_equal(fake_detach(), HVK_ETIMEDOUT_TEARDOWN);
	assert_int_equal(bench.hvk.quarantined, 512 + 256);
	fake_check_nothing_left();
}

/* The host may still read what was given to it page by page. */
static void a_lost_ring_teardown_keeps_our_pages_too(void **state)
{
	(void)state;
	fake_up(&defaults);
	bench.lose_ring_teardown = true;
	assert_int_equal(fake_detach(), HVK_ETIMEDOUT_TEARDOWN);
	assert_int_equal(bench.hvk.quarantined, 2 + 4); /* control messages, headers */
	fake_check_nothing_left();
}

static void a_host_that_answers_no_revoke(void **state)
{
	(void)state;
	fake_up(&defaults);
	bench.dead_after_revoke = true; /* OpenVMM reads nothing more then */
	assert_int_equal(fake_detach(), HVK_EINPROGRESS);
	fake_advance(1100);
	assert_int_equal(bench.detach.status, HVK_OK);
	assert_string_equal(bench.log,
			    "rndis:5:1010e rndis:3 nvs:103 close teardown:rx torndown teardown:tx torndown ");
	fake_check_nothing_left();
}

static void a_host_that_answers_nothing(void **state)
{
	(void)state;
	fake_up(&defaults);
	send_frames();
	bench.dead = true;
	assert_int_equal(fake_detach(), HVK_EINPROGRESS);
	fake_advance(5000 + 200 + 1000 + 10);
	assert_int_equal(bench.detach.status, HVK_OK);
	for (int i = 0; i < 4; i++) {
		assert_int_equal(done[i], 1);
		assert_int_equal(statuses[i], HVK_ECANCELED);
	}
	fake_check_nothing_left();
}

static void frames_are_canceled_once_each_after_the_close(void **state)
{
	(void)state;
	fake_up(&defaults);
	bench.hold_sends = true;
	send_frames();
	hvk_netvsc_detach(bench.nic, &bench.detach);
	while (!strstr(bench.log, "close")) {
		for (int i = 0; i < 4; i++)
			assert_int_equal(done[i], 0);
		fake_advance(1);
	}
	fake_run();
	assert_int_equal(bench.detach.status, HVK_OK);
	for (int i = 0; i < 4; i++) {
		assert_int_equal(done[i], 1);
		assert_int_equal(statuses[i], HVK_ECANCELED);
	}
	fake_check_nothing_left();
}

static void frames_in_flight_may_still_arrive(void **state)
{
	(void)state;
	fake_up(&defaults);
	bench.hold_sends = true;
	send_frames();
	hvk_netvsc_detach(bench.nic, &bench.detach);
	fake_advance(50);
	assert_int_equal(bench.detach.status, HVK_EINPROGRESS);
	for (uint32_t i = 0; i < 4; i++)
		fake_complete(i, fake_nvs_success, 8);
	fake_run(); /* without waiting for the rest of the grace */
	assert_int_equal(bench.detach.status, HVK_OK);
	for (int i = 0; i < 4; i++) {
		assert_int_equal(done[i], 1);
		assert_int_equal(statuses[i], HVK_OK);
	}
	fake_check_nothing_left();
}

static void nothing_is_sent_once_detach_has_begun(void **state)
{
	(void)state;
	fake_up(&defaults);
	hvk_netvsc_detach(bench.nic, &bench.detach);
	(void)fake_poll();
	piece = (struct hvk_buffer){data, 0, 60};
	frames[0] = (struct hvk_tx_frame){
		.pieces = &piece, .piece_count = 1, .length = 60, .done = frame_done};
	assert_int_equal(hvk_netdev_transmit(bench.netdev, &frames[0]), HVK_TX_GONE);
	assert_int_equal(fake_set_flags(HVK_NETDEV_UP), HVK_ESTATE);
	fake_run();
	assert_int_equal(bench.detach.status, HVK_OK);
	fake_check_nothing_left();
}

static void a_rescinded_channel_skips_the_protocol(void **state)
{
	(void)state;
	fake_up(&defaults);
	send_frames();
	bench.channel.rescinded = true;
	bench.channel.kicked = true;
	bench.hold_sends = true;
	fake_run();
	assert_int_equal(bench.gone, 1);
	bench.log[0] = 0;
	assert_int_equal(fake_detach(), HVK_OK);
	/* Before the close: after it the channel may be gone. */
	assert_string_equal(bench.log, "teardown:rx torndown teardown:tx torndown close ");
	for (int i = 0; i < 4; i++) {
		assert_int_equal(done[i], 1);
		assert_int_equal(statuses[i], HVK_ECANCELED);
	}
	assert_int_equal(bench.gone, 1);
	fake_check_nothing_left();
}

static void rescind_at_any_moment_of_a_detach(void **state)
{
	(void)state;
	for (uint32_t polls = 0;; polls++) {
		assert_true(polls < 100);
		fake_up(&defaults);
		send_frames();
		hvk_netvsc_detach(bench.nic, &bench.detach);
		for (uint32_t i = 0; i < polls; i++) {
			(void)fake_poll();
			fake_answer();
		}
		if (bench.detach.status == HVK_OK) {
			fake_run();
			fake_check_nothing_left();
			return;
		}
		bench.channel.rescinded = true;
		bench.channel.kicked = true;
		fake_advance(250); /* frames have their grace */
		assert_int_equal(bench.detach.status, HVK_OK);
		for (int i = 0; i < 4; i++)
			assert_int_equal(done[i], 1);
		fake_check_nothing_left();
	}
}

static void reception_goes_on_until_the_revoke_is_answered(void **state)
{
	uint8_t message[104];

	(void)state;
	fake_up(&defaults);
	bench.mute_nvs = 103;
	hvk_netvsc_detach(bench.nic, &bench.detach);
	fake_run();
	assert_non_null(strstr(bench.log, "nvs:103"));
	bench.channel.sent_count = bench.answered = 0;
	(void)fake_make_frame(message, 104, 60, 1);
	fake_message(message, 104, 104);
	fake_run();
	assert_int_equal(bench.inputs, 0);
	assert_int_equal(bench.channel.sent_count, 1); /* hosts wait for this before they answer */
	assert_int_equal(bench.channel.sent[0].kind, FAKE_COMPLETION);
	fake_advance(1100);
	assert_int_equal(bench.detach.status, HVK_OK);
	fake_check_nothing_left();
}

/* The answer to a request that was given up is not taken for the next one's. */
static void a_late_answer_is_nobodys(void **state)
{
	static const uint8_t late[16] = {105, 0, 0, 0, 1, 0, 0, 0, 0, 24};
	uint32_t n;

	(void)state;
	fake_create(&defaults);
	bench.mute_nvs = 104;
	assert_int_equal(fake_attach(), HVK_EINPROGRESS);
	n = bench.channel.sent_count - 1;
	assert_int_equal(fake_word(bench.channel.sent[n].payload), 104);
	bench.mute_nvs = 103;
	fake_advance(5001);
	assert_non_null(strstr(bench.log, "nvs:103"));
	fake_complete(n, late, 16);
	fake_run();
	assert_null(strstr(bench.log, "close"));
	fake_advance(1001);
	assert_non_null(strstr(bench.log, "close"));
	assert_int_equal(bench.attach.status, HVK_ETIMEDOUT_NVS_SEND_BUFFER);
	fake_check_nothing_left();
}

static void detach_twice(void **state)
{
	struct hvk_request second = {0}, third = {0};

	(void)state;
	fake_up(&defaults);
	hvk_netvsc_detach(bench.nic, &bench.detach);
	hvk_netvsc_detach(bench.nic, &second);
	fake_run();
	assert_int_equal(bench.detach.status, HVK_OK);
	assert_int_equal(second.status, HVK_EBUSY);
	hvk_netvsc_detach(bench.nic, &third); /* there is nothing to do */
	fake_run();
	assert_int_equal(third.status, HVK_OK);
	fake_check_nothing_left();
}

static void destroy_in_the_callback(struct hvk_request *request, void *context)
{
	(void)request;
	*(hvk_status *)context = hvk_netvsc_destroy(bench.nic);
}

static void the_object_may_go_in_the_requests_callback(void **state)
{
	hvk_status destroyed = HVK_EINPROGRESS;

	(void)state;
	fake_up(&defaults);
	bench.detach = (struct hvk_request){.done = destroy_in_the_callback, .context = &destroyed};
	assert_int_equal(fake_detach(), HVK_OK);
	assert_int_equal(destroyed, HVK_OK);
	assert_int_equal(fake_pages_in_use(&bench.hvk), 0);
	free(bench.channel.sent);
	free(bench.channel.inbox);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(from_4_0_the_channel_is_closed_first),
		cmocka_unit_test(below_4_0_teardown_is_sent_first),
		cmocka_unit_test(in_boot_mode_the_channel_is_closed_first),
		cmocka_unit_test(torndown_may_need_the_close),
		cmocka_unit_test(ranges_that_come_after_the_teardown_are_not_looked_at),
		cmocka_unit_test(a_lost_teardown_is_told_and_nothing_is_freed),
		cmocka_unit_test(a_lost_ring_teardown_keeps_our_pages_too),
		cmocka_unit_test(a_host_that_answers_no_revoke),
		cmocka_unit_test(a_host_that_answers_nothing),
		cmocka_unit_test(frames_are_canceled_once_each_after_the_close),
		cmocka_unit_test(frames_in_flight_may_still_arrive),
		cmocka_unit_test(nothing_is_sent_once_detach_has_begun),
		cmocka_unit_test(a_rescinded_channel_skips_the_protocol),
		cmocka_unit_test(rescind_at_any_moment_of_a_detach),
		cmocka_unit_test(reception_goes_on_until_the_revoke_is_answered),
		cmocka_unit_test(a_late_answer_is_nobodys),
		cmocka_unit_test(detach_twice),
		cmocka_unit_test(the_object_may_go_in_the_requests_callback),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
