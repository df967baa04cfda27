/* SPDX-License-Identifier: MIT */
/*
 * Control operations of a card that is up, on hosts of every habit: offloads off and on, groups,
 * RSS, another MTU, suspend of card and bus, another network. After each the card must be as it was
 * told to be, traffic flows afterwards, and the host has nothing to complain of.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "hvkit_host/quirk.h"
#include "tests/support/rig.h"

static const char *const hosts[] = {"ws2008", "ws2008r2", "ws2012", "ws2012r2",
				    "ws2016", "ws2019",   "ws2022", "openvmm"};
#define HOSTS (sizeof(hosts) / sizeof(hosts[0]))
#define TURNS_MAX 1000000u

struct control {
	bool bus_suspends; /* the host knows UNLOAD */
	bool gone;         /* the card went in the middle: nothing is expected of the rest */
	uint32_t done;
};

static hvk_status finished(struct rig *rig, struct hvk_request *request)
{
	for (uint32_t i = 0; i < TURNS_MAX && request->status == HVK_EINPROGRESS; i++)
		rig_turn(rig);
	return request->status;
}

/* True if the operation was done; a rescind ends them all. */
static bool good(struct control *control, const char *what, hvk_status status)
{
	if (status == HVK_OK) {
		control->done++;
		return true;
	}
	if (status == HVK_EGONE || status == HVK_ESTATE || status == HVK_ECANCELED)
		control->gone = true;
	else
		fail_msg("%s: %s", what, hvk_status_name(status));
	return false;
}

static void switch_offloads(struct control *control, struct rig *rig)
{
	struct hvk_netdev *card = hvk_netvsc_netdev(rig->nic);
	uint32_t before = card->info.enabled;
	struct hvk_request request = {0};

	hvk_netdev_set_enabled(card, 0, &request);
	if (!good(control, "offloads off", finished(rig, &request)))
		return;
	assert_int_equal(card->info.enabled, 0);
	hvk_netdev_set_enabled(card, before, &request);
	if (good(control, "offloads on", finished(rig, &request)))
		assert_int_equal(card->info.enabled, before);
}

static void join_groups(struct control *control, struct rig *rig)
{
	static const uint8_t groups[2][6] = {{1, 0, 0x5e, 0, 0, 1}, {0x33, 0x33, 0, 0, 0, 1}};
	struct hvk_request request = {0};

	hvk_netdev_set_multicast(hvk_netvsc_netdev(rig->nic), groups, 2, &request);
	(void)good(control, "groups", finished(rig, &request));
}

static void turn_the_table_round(struct control *control, struct rig *rig)
{
	struct hvk_netdev *card = hvk_netvsc_netdev(rig->nic);
	struct hvk_request request = {0};
	struct hvk_netdev_rss rss;

	if (!hvk_netdev_get_rss(card, &rss) || card->info.rss_table_size == 0)
		return;
	for (uint32_t i = 0; i < card->info.rss_table_size; i++)
		rss.table[i] = (uint16_t)(card->info.queues - 1 - i % card->info.queues);
	hvk_netdev_set_rss(card, &rss, &request);
	(void)good(control, "RSS", finished(rig, &request));
}

static void change_mtu(struct control *control, struct rig *rig, uint32_t mtu)
{
	struct hvk_netdev *card = hvk_netvsc_netdev(rig->nic);
	struct hvk_netdev_info before = card->info;
	struct hvk_request request = {0};

	hvk_netdev_set_mtu(card, mtu, &request);
	if (mtu > before.mtu_max) {
		assert_int_equal(finished(rig, &request), HVK_EINVAL);
		return;
	}
	if (!good(control, "MTU", finished(rig, &request)))
		return;
	assert_int_equal(card->info.mtu, mtu);
	assert_int_equal(card->info.flags, before.flags);
	assert_int_equal(card->info.enabled, before.enabled);
	assert_memory_equal(card->info.mac, before.mac, sizeof(before.mac));
}

static void sleep_and_wake(struct control *control, struct rig *rig)
{
	struct hvk_netdev *card = hvk_netvsc_netdev(rig->nic);
	struct hvk_netdev_info before = card->info;
	struct hvk_request request = {0};

	hvk_netvsc_suspend(rig->nic, &request);
	if (!good(control, "suspend", finished(rig, &request)))
		return;
	if (control->bus_suspends) {
		hvk_vmbus_suspend(rig->hvk, &request);
		assert_int_equal(finished(rig, &request), HVK_OK);
		hvk_vmbus_resume(rig->hvk, &request);
		assert_int_equal(finished(rig, &request), HVK_OK);
	}
	hvk_netvsc_resume(rig->nic, &request);
	if (!good(control, "resume", finished(rig, &request)))
		return;
	assert_int_equal(card->info.flags, before.flags);
	assert_int_equal(card->info.mtu, before.mtu);
	assert_int_equal(card->info.enabled, before.enabled);
}

static void run_them(void *context, struct rig *rig)
{
	struct control *control = context;

	control->gone = !rig->nic_up; /* taken back before it was up */
	if (control->gone)
		return;
	switch_offloads(control, rig);
	if (!control->gone)
		join_groups(control, rig);
	if (!control->gone)
		turn_the_table_round(control, rig);
	if (!control->gone)
		change_mtu(control, rig, 4000);
	if (!control->gone)
		sleep_and_wake(control, rig);
	if (!control->gone)
		change_mtu(control, rig, 1500);
	if (!control->gone)
		switch_offloads(control, rig);
}

static void run(struct rig_config *config, struct control *control, bool lossless)
{
	struct rig_result result;
	const char *wrong;

	config->mode = HOSTED_DETERMINISTIC;
	config->offloads = HVK_NETDEV_ALL_OFFLOADS;
	config->ready = run_them;
	config->context = control;
	rig_run(config, &result);
	wrong = rig_check(&result, lossless);
	if (wrong)
		fail_msg("%s, seed %llu, %u queues: %s (%s)", config->profile,
			 (unsigned long long)config->seed, config->queues, wrong, result.first_violation);
}

static void every_host(void **state)
{
	(void)state;
	for (uint32_t i = 0; i < HOSTS; i++) {
		for (uint32_t queues = 1; queues <= 4; queues += 3) {
			struct control control = {.bus_suspends = i >= 3};
			struct rig_config config = {.profile = hosts[i],
						    .seed = i + 1,
						    .cpus = 1,
						    .queues = queues,
						    .frames = 60};

			run(&config, &control, true);
			assert_false(control.gone);
			assert_true(control.done >= 7);
		}
	}
}

static void faults_and_rescinds(void **state)
{
	uint32_t whole = 0;

	(void)state;
	for (uint64_t seed = 1; seed <= 40; seed++) {
		struct control control = {.bus_suspends = false};
		struct rig_config config = {.profile = hosts[3 + seed % 5],
					    .seed = seed,
					    .cpus = 1 + (uint32_t)seed % 3,
					    .queues = 1 + (uint32_t)seed % 4,
					    .frames = 40,
					    .fault_chance = 400,
					    .rescind_chance = seed % 2 ? 60 : 0};

		run(&config, &control, false);
		whole += !control.gone;
	}
	assert_true(whole > 15);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_host),
		cmocka_unit_test(faults_and_rescinds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
