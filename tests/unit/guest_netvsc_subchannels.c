/* SPDX-License-Identifier: MIT */
/* Queues beside the first, and RSS: fewer than asked for, late, never, and gone again. */
#include "tests/unit/guest_netvsc_fake.h"

#include "tests/golden/ndis.h"

#define USUAL_TYPES (HVK_RSS_IPV4 | HVK_RSS_TCP4 | HVK_RSS_IPV6 | HVK_RSS_TCP6)
#define SET_RSS "rndis:5:10204 "

static const struct hvk_netvsc_config four_wanted = {.queues = 4};
static const struct hvk_netvsc_config one_wanted;

/* A host with RSS of 16 entries and 8 queues. */
static void create(const struct hvk_netvsc_config *config, uint32_t granted, uint32_t offered)
{
	fake_create(config);
	memcpy(bench.rss, golden_ndis_rss_capabilities_2, 18);
	bench.rss_length = 18;
	bench.rss[16] = 16;
	bench.granted = granted;
	bench.offered = offered;
}

static void up(uint32_t granted, uint32_t offered)
{
	create(&four_wanted, granted, offered);
	assert_int_equal(fake_attach(), HVK_OK);
	assert_int_equal(fake_set_flags(HVK_NETDEV_UP), HVK_OK);
	bench.log[0] = 0;
	bench.rss_sets = 0;
}

static uint32_t table_entry(uint32_t i)
{
	return fake_word(bench.rss_parameters + fake_word(bench.rss_parameters + 16) + 4 * i);
}

/* The table that the host has: i modulo that many. */
static void check_table(uint32_t queues)
{
	assert_int_equal(bench.rss_parameters[4], 0); /* not off, nothing left as it is */
	assert_int_equal(bench.rss_parameters[12], 16 * 4);
	for (uint32_t i = 0; i < 16; i++)
		assert_int_equal(table_entry(i), i % queues);
}

/* --- Asking ------------------------------------------------------------------------------- */

static void all_that_were_asked_for(void **state)
{
	const struct fake_sent *request;

	(void)state;
	create(&four_wanted, 3, 3);
	assert_int_equal(fake_attach(), HVK_OK);
	assert_non_null(strstr(bench.log, "rndis:4:10203 nvs:133 open:1 open:2 open:3 " SET_RSS SET_RSS));
	for (request = bench.channel.sent; fake_word(request->payload) != 133; request++)
		;
	assert_int_equal(fake_word(request->payload + 4), 1);
	assert_int_equal(fake_word(request->payload + 8), 3);
	assert_int_equal(bench.netdev->info.queues, 4);
	assert_int_equal(bench.netdev->info.rss_table_size, 16);
	assert_true(bench.netdev->info.enabled & HVK_NETDEV_RSS);
	assert_int_equal(bench.rss_sets, 2);
	check_table(4);
	assert_int_equal(fake_word(bench.rss_parameters + 8), USUAL_TYPES | 1);
	for (uint32_t i = 1; i < 4; i++) {
		assert_int_equal(bench.subs[i].config.cpu, i % FAKE_CPUS);
		assert_ptr_equal(hvk_netvsc_queue_channel(bench.nic, i), &bench.subs[i]);
	}
	assert_null(hvk_netvsc_queue_channel(bench.nic, 4));
	fake_down();
}

/* The first of the two messages says that it is off, with everything in it. */
static void rss_is_off_before_it_is_said_anew(void **state)
{
	uint32_t found = 0;

	(void)state;
	create(&four_wanted, 3, 3);
	assert_int_equal(fake_attach(), HVK_OK);
	for (uint32_t i = 0; i < bench.channel.sent_count; i++) {
		const uint8_t *set = bench.channel.sent[i].external;

		if (fake_word(set) == 5 && fake_word(set + 12) == 0x00010204)
			assert_int_equal(set[28 + 4], found++ == 0 ? 0x10 : 0);
	}
	assert_int_equal(found, 2);
	fake_down();
}

static void nothing_is_asked_for_with_one_queue(void **state)
{
	(void)state;
	create(&one_wanted, 3, 3);
	assert_int_equal(fake_attach(), HVK_OK);
	assert_null(strstr(bench.log, "nvs:133"));
	assert_null(strstr(bench.log, SET_RSS));
	assert_int_equal(bench.netdev->info.queues, 1);
	assert_true(bench.netdev->info.capabilities & HVK_NETDEV_RSS);
	assert_int_equal(bench.netdev->info.enabled, 0);
	fake_down();
}

/* Below NVS 5, without RSS, and with a host that has one queue. */
static void hosts_without(void **state)
{
	(void)state;
	for (uint32_t i = 0; i < 3; i++) {
		create(&four_wanted, 3, 3);
		if (i == 0)
			bench.nvs_newest = NVS_VERSION_4;
		else if (i == 1)
			bench.rss_length = 0;
		else
			bench.rss[12] = 1;
		assert_int_equal(fake_attach(), HVK_OK);
		assert_null(strstr(bench.log, "nvs:133"));
		assert_int_equal(bench.netdev->info.queues, 1);
		assert_int_equal(bench.hvk.faults, 0);
		fake_down();
	}
}

static void never_more_than_the_host_has(void **state)
{
	const struct fake_sent *request;

	(void)state;
	create(&four_wanted, 2, 2);
	bench.rss[12] = 3;
	assert_int_equal(fake_attach(), HVK_OK);
	for (request = bench.channel.sent; fake_word(request->payload) != 133; request++)
		;
	assert_int_equal(fake_word(request->payload + 8), 2);
	assert_int_equal(bench.netdev->info.queues, 3);
	fake_down();
}

static void a_host_that_refuses_goes_on_with_one(void **state)
{
	(void)state;
	create(&four_wanted, FAKE_NONE, 0);
	assert_int_equal(fake_attach(), HVK_OK);
	assert_int_equal(bench.netdev->info.queues, 1);
	check_table(1); /* hashes are given all the same */
	fake_down();
}

/* --- Fewer, late, never --------------------------------------------------------------------- */

static void fewer_than_asked_for(void **state)
{
	(void)state;
	create(&four_wanted, 1, 1);
	assert_int_equal(fake_attach(), HVK_OK);
	assert_int_equal(bench.netdev->info.queues, 2);
	check_table(2);
	fake_down();
}

static void never(void **state)
{
	uint64_t began;

	(void)state;
	create(&four_wanted, 3, 0);
	began = bench.hvk.now_ms;
	assert_int_equal(fake_attach(), HVK_EINPROGRESS);
	fake_advance(1010);
	assert_int_equal(bench.attach.status, HVK_OK);
	assert_true(bench.hvk.now_ms - began <= 1010);
	assert_int_equal(bench.netdev->info.queues, 1);
	check_table(1);
	fake_down();
}

static void no_answer_at_all(void **state)
{
	(void)state;
	create(&four_wanted, 3, 0);
	bench.mute_nvs = 133;
	assert_int_equal(fake_attach(), HVK_EINPROGRESS);
	fake_advance(1010);
	assert_int_equal(bench.attach.status, HVK_OK);
	assert_int_equal(bench.netdev->info.queues, 1);
	fake_down();
}

/* Sections are divided among those that were granted: others would have none. */
static void more_than_granted(void **state)
{
	(void)state;
	for (uint32_t i = 0; i < 3; i++) {
		create(&four_wanted, 1, 3);
		if (i == 0) /* refused, and offered all the same */
			bench.granted = FAKE_NONE;
		if (i == 1)
			bench.mute_nvs = 133;
		(void)fake_attach();
		fake_advance(1010);
		assert_int_equal(bench.attach.status, HVK_OK);
		if (i == 1)
			fake_offer(1);
		fake_run();
		assert_int_equal(bench.netdev->info.queues, i == 2 ? 2 : 1);
		assert_false(bench.subs[2].open);
		fake_down();
	}
}

/* Some by the time that attach waits, the others when it is long over. */
static void late(void **state)
{
	(void)state;
	create(&four_wanted, 3, 1);
	assert_int_equal(fake_attach(), HVK_EINPROGRESS);
	fake_advance(1010);
	assert_int_equal(bench.attach.status, HVK_OK);
	assert_int_equal(bench.netdev->info.queues, 2);
	assert_int_equal(fake_set_flags(HVK_NETDEV_UP), HVK_OK);
	bench.log[0] = 0;
	fake_offer(3); /* one that has no use before 2 is there */
	fake_run();
	assert_string_equal(bench.log, "open:3 " SET_RSS SET_RSS "info ");
	assert_int_equal(bench.netdev->info.queues, 2);
	check_table(2);
	bench.log[0] = 0;
	fake_offer(2);
	fake_run();
	assert_string_equal(bench.log, "open:2 " SET_RSS SET_RSS "info ");
	assert_int_equal(bench.netdev->info.queues, 4);
	check_table(4);
	fake_down();
}

static void while_attach_waits(void **state)
{
	(void)state;
	create(&four_wanted, 3, 0);
	assert_int_equal(fake_attach(), HVK_EINPROGRESS);
	fake_offer(2);
	fake_advance(100);
	fake_offer(1);
	fake_offer(3);
	fake_run();
	assert_int_equal(bench.attach.status, HVK_OK); /* at once */
	assert_int_equal(bench.netdev->info.queues, 4);
	fake_down();
}

static void one_that_does_not_open_is_left_out(void **state)
{
	(void)state;
	create(&four_wanted, 3, 0);
	assert_int_equal(fake_attach(), HVK_EINPROGRESS);
	fake_offer(1);
	fake_offer(2);
	bench.subs[2].rescinded = true;
	fake_offer(3);
	fake_run();
	assert_int_equal(bench.attach.status, HVK_OK);
	assert_int_equal(bench.netdev->info.queues, 2);
	check_table(2);
	assert_false(bench.subs[2].claimed);
	fake_down();
}

static uint32_t opens_before(const char *end)
{
	uint32_t count = 0;

	assert_non_null(end);
	for (const char *at = bench.log; (at = strstr(at, "open:1 ")) && at < end; at++)
		count++;
	return count;
}

static void run_until_done(const struct hvk_request *request)
{
	for (uint32_t i = 0; i < 1000 && request->status == HVK_EINPROGRESS; i++) {
		(void)fake_poll();
		fake_answer();
	}
	assert_int_equal(request->status, HVK_OK);
}

/* The card comes up all the same, does what it is asked for, and can be suspended. */
static void a_host_that_offers_for_ever(void **state)
{
	struct hvk_request suspend = {0};

	(void)state;
	create(&four_wanted, 1, 0);
	assert_int_equal(fake_attach(), HVK_EINPROGRESS);
	fake_offer(1);
	bench.subs[1].rescinded = true;
	bench.again = 40;
	run_until_done(&bench.attach);
	assert_true(opens_before(bench.log + strlen(bench.log)) <= 2);
	hvk_netdev_set_flags(bench.netdev, HVK_NETDEV_UP, &bench.flags);
	run_until_done(&bench.flags);
	assert_true(opens_before(bench.log + strlen(bench.log)) <= 4);
	hvk_netvsc_suspend(bench.nic, &suspend);
	run_until_done(&suspend);
	assert_true(bench.again > 30);
	bench.again = 0;
	fake_down();
}

static void indexes_that_nobody_asked_for(void **state)
{
	(void)state;
	create(&(const struct hvk_netvsc_config){.queues = 2}, 1, 1);
	assert_int_equal(fake_attach(), HVK_OK);
	fake_offer(2);
	fake_run();
	assert_false(bench.subs[2].claimed);
	assert_int_equal(bench.netdev->info.queues, 2);
	fake_down();
}

/* --- Gone again ---------------------------------------------------------------------------------- */

/* The table is right again before the channel is closed; and its place can be taken again. */
static void one_is_taken_back(void **state)
{
	(void)state;
	up(3, 3);
	fake_rescind(3);
	fake_run();
	assert_string_equal(bench.log, SET_RSS SET_RSS "close:3 info ");
	assert_int_equal(bench.netdev->info.queues, 3);
	check_table(3);
	assert_false(bench.subs[3].claimed);
	assert_int_equal(bench.gone, 0);
	bench.log[0] = 0;
	fake_offer(3);
	fake_run();
	assert_string_equal(bench.log, "open:3 " SET_RSS SET_RSS "info ");
	assert_int_equal(bench.netdev->info.queues, 4);
	fake_down();
}

static void the_first_of_them_is_taken_back(void **state)
{
	(void)state;
	up(3, 3);
	fake_rescind(1);
	fake_run();
	assert_int_equal(bench.netdev->info.queues, 1); /* those behind it wait */
	check_table(1);
	fake_offer(1);
	fake_run();
	assert_int_equal(bench.netdev->info.queues, 4);
	check_table(4);
	fake_down();
}

static void a_host_that_takes_back_and_refuses_the_table(void **state)
{
	(void)state;
	up(3, 3);
	bench.refuse_oid = 0x00010204;
	fake_rescind(2);
	fake_run();
	assert_string_equal(bench.log, SET_RSS SET_RSS "close:2 info ");
	assert_int_equal(bench.netdev->info.queues, 2);
	assert_int_equal(bench.netdev->info.enabled & HVK_NETDEV_RSS, 0);
	fake_down();
}

static void all_are_closed_by_detach(void **state)
{
	(void)state;
	up(3, 3);
	assert_int_equal(fake_detach(), HVK_OK);
	assert_string_equal(bench.log, "rndis:5:1010e rndis:3 nvs:103 nvs:106 close:1 close:2 close:3 close "
				       "teardown:rx torndown teardown:tx torndown ");
	assert_null(bench.hooks.offered);
	fake_check_nothing_left();
}

/* Offered just before the end: claimed, never opened. */
static void an_offer_that_nobody_takes_any_more(void **state)
{
	(void)state;
	up(2, 2);
	hvk_netvsc_detach(bench.nic, &bench.detach);
	fake_offer(3);
	fake_run();
	assert_int_equal(bench.detach.status, HVK_OK);
	assert_false(bench.subs[3].claimed);
	fake_check_nothing_left();
}

/* --- Setting RSS ---------------------------------------------------------------------------------- */

static struct hvk_request rss_request;

static hvk_status set_rss(const struct hvk_netdev_rss *rss)
{
	hvk_netdev_set_rss(bench.netdev, rss, &rss_request);
	fake_run();
	return rss_request.status;
}

static void key_types_and_table(void **state)
{
	struct hvk_netdev_rss rss, found;

	(void)state;
	up(3, 3);
	assert_true(hvk_netdev_get_rss(bench.netdev, &rss));
	assert_int_equal(rss.types, USUAL_TYPES);
	assert_int_equal(rss.key[39], 0x42); /* of the port */
	for (uint32_t i = 0; i < 16; i++)
		assert_int_equal(rss.table[i], i % 4);
	rss.types = HVK_RSS_TCP6;
	memset(rss.key, 0x17, sizeof(rss.key));
	for (uint32_t i = 0; i < 16; i++)
		rss.table[i] = 3;
	rss.table[16] = 77; /* nobody looks */
	assert_int_equal(set_rss(&rss), HVK_OK);
	assert_string_equal(bench.log, SET_RSS SET_RSS);
	assert_int_equal(table_entry(0), 3);
	assert_int_equal(bench.rss_parameters[40], 0x17);
	assert_int_equal(fake_word(bench.rss_parameters + 8), HVK_RSS_TCP6 | 1);
	assert_true(hvk_netdev_get_rss(bench.netdev, &found));
	assert_memory_equal(&found, &rss, sizeof(rss));
	/* The queue goes: nothing points there, but what was asked for is remembered. */
	fake_rescind(3);
	fake_run();
	for (uint32_t i = 0; i < 16; i++)
		assert_true(table_entry(i) < 3);
	fake_offer(3);
	fake_run();
	assert_int_equal(table_entry(0), 3);
	fake_down();
}

static void no_types_is_off(void **state)
{
	struct hvk_netdev_rss rss;

	(void)state;
	up(3, 3);
	assert_true(hvk_netdev_get_rss(bench.netdev, &rss));
	rss.types = 0;
	assert_int_equal(set_rss(&rss), HVK_OK);
	assert_int_equal(bench.rss_sets, 1);
	assert_int_equal(bench.rss_parameters[4], 0x10);
	fake_down();
}

static void rss_that_cannot_be(void **state)
{
	struct hvk_netdev_rss rss;

	(void)state;
	up(3, 3);
	assert_true(hvk_netdev_get_rss(bench.netdev, &rss));
	rss.table[15] = 4;
	assert_int_equal(set_rss(&rss), HVK_EINVAL);
	rss.table[15] = 3;
	rss.types = HVK_RSS_UDP4; /* the host has none */
	assert_int_equal(set_rss(&rss), HVK_EINVAL);
	assert_string_equal(bench.log, "");
	fake_down();
	create(&one_wanted, 0, 0);
	bench.rss_length = 0;
	assert_int_equal(fake_attach(), HVK_OK);
	assert_int_equal(set_rss(&rss), HVK_ENOTSUP);
	assert_true(hvk_netdev_get_rss(bench.netdev, &rss));
	assert_int_equal(rss.types, 0);
	fake_down();
}

/* What was is put back; if that is refused too, RSS is off, and this is told. */
static void refused(void **state)
{
	struct hvk_netdev_rss rss, before;

	(void)state;
	up(3, 3);
	assert_true(hvk_netdev_get_rss(bench.netdev, &before));
	rss = before;
	rss.table[0] = 2;
	bench.refuse_oid = 0x00010204;
	assert_int_equal(set_rss(&rss), HVK_EREFUSED_RNDIS);
	assert_string_equal(bench.log, SET_RSS SET_RSS "info ");
	assert_int_equal(bench.netdev->info.enabled & HVK_NETDEV_RSS, 0);
	assert_true(hvk_netdev_get_rss(bench.netdev, &rss));
	assert_memory_equal(&rss, &before, sizeof(rss));
	fake_down();
}

static void rss_is_switched_off_and_on(void **state)
{
	struct hvk_request request = {0};
	uint32_t enabled;

	(void)state;
	up(3, 3);
	enabled = bench.netdev->info.enabled;
	hvk_netdev_set_enabled(bench.netdev, enabled & ~HVK_NETDEV_RSS, &request);
	fake_run();
	assert_int_equal(request.status, HVK_OK);
	assert_int_equal(bench.rss_parameters[4], 0x10);
	assert_int_equal(bench.netdev->info.queues, 4); /* to send with */
	hvk_netdev_set_enabled(bench.netdev, enabled, &request);
	fake_run();
	assert_int_equal(request.status, HVK_OK);
	check_table(4);
	fake_down();
}

static void a_silent_host(void **state)
{
	(void)state;
	create(&four_wanted, 3, 3);
	bench.mute_oid = 0x00010204;
	assert_int_equal(fake_attach(), HVK_EINPROGRESS);
	fake_advance(4990);
	assert_int_equal(bench.attach.status, HVK_EINPROGRESS);
	fake_advance(2000);
	assert_int_equal(bench.attach.status, HVK_ETIMEDOUT_RNDIS_SET);
	fake_check_nothing_left();
}

static void a_port_without_random_bytes_has_the_published_key(void **state)
{
	struct hvk_netdev_rss rss;

	(void)state;
	create(&four_wanted, 3, 3);
	bench.hvk.no_random = true;
	assert_int_equal(fake_attach(), HVK_OK);
	assert_true(hvk_netdev_get_rss(bench.netdev, &rss));
	assert_memory_equal(rss.key, golden_rndis_set_rss + 68, sizeof(rss.key));
	fake_down();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_that_were_asked_for),
		cmocka_unit_test(rss_is_off_before_it_is_said_anew),
		cmocka_unit_test(nothing_is_asked_for_with_one_queue),
		cmocka_unit_test(hosts_without),
		cmocka_unit_test(never_more_than_the_host_has),
		cmocka_unit_test(a_host_that_refuses_goes_on_with_one),
		cmocka_unit_test(fewer_than_asked_for),
		cmocka_unit_test(never),
		cmocka_unit_test(no_answer_at_all),
		cmocka_unit_test(more_than_granted),
		cmocka_unit_test(late),
		cmocka_unit_test(while_attach_waits),
		cmocka_unit_test(one_that_does_not_open_is_left_out),
		cmocka_unit_test(a_host_that_offers_for_ever),
		cmocka_unit_test(indexes_that_nobody_asked_for),
		cmocka_unit_test(one_is_taken_back),
		cmocka_unit_test(the_first_of_them_is_taken_back),
		cmocka_unit_test(a_host_that_takes_back_and_refuses_the_table),
		cmocka_unit_test(all_are_closed_by_detach),
		cmocka_unit_test(an_offer_that_nobody_takes_any_more),
		cmocka_unit_test(key_types_and_table),
		cmocka_unit_test(no_types_is_off),
		cmocka_unit_test(rss_that_cannot_be),
		cmocka_unit_test(refused),
		cmocka_unit_test(rss_is_switched_off_and_on),
		cmocka_unit_test(a_silent_host),
		cmocka_unit_test(a_port_without_random_bytes_has_the_published_key),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
