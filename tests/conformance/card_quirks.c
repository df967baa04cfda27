/* SPDX-License-Identifier: MIT */
/*
 * What hosts do with offloads, one habit at a time, on a card with flows of TCP and UDP both ways: every
 * byte and checksum is looked at where it arrives, and the driver must be seen to keep to the habit.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "hvkit_host/quirk.h"
#include "tests/support/flow_card.h"

#define SEEDS 6u

static const char *const hosts[] = {"ws2019", "ws2022", "openvmm"};
#define HOSTS (sizeof(hosts) / sizeof(hosts[0]))

/* Adds up what was done; returns how many runs went wrong. */
static uint32_t run(const char *quirk, const char *value, struct card_counts *all)
{
	uint32_t failed = 0;

	*all = (struct card_counts){0};
	for (uint64_t seed = 1; seed <= SEEDS; seed++) {
		struct hvh_profile profile = *hvh_profile_find(hosts[seed % HOSTS]);
		struct rig_config machine = {.mode = HOSTED_DETERMINISTIC,
					     .custom = &profile,
					     .seed = seed,
					     .cpus = 1 + (uint32_t)seed % 2};
		struct card_plan plan = {
			.config = {.ring_pages = 4, .queues = 2, .offloads = HVK_NETDEV_ALL_OFFLOADS},
			.host = {.mac = {0x00, 0x15, 0x5d, 1, 2, 3}, .link_up = true},
			.seed = seed,
			.pause_ms = 200,
		};
		struct rig_result result;
		struct card_counts counts;
		const char *wrong;

		assert_true(hvh_quirk_set(&profile, quirk, value, NULL, 0));
		wrong = card_run(&plan, &machine, &result, &counts, NULL);
		if (wrong != NULL)
			print_message("%s with %s=%s, seed %u: %s\n", profile.name, quirk, value,
				      (unsigned)seed, wrong);
		failed += wrong != NULL;
		all->rx_good += counts.rx_good;
		all->tx_segmented += counts.tx_segmented;
		all->tx_checksummed += counts.tx_checksummed;
		all->tx_in_software += counts.tx_in_software;
		all->tx_together += counts.tx_together;
	}
	return failed;
}

/* Long datagrams that may be cut are summed by the driver, all else by the host. */
static void datagrams_summed_wrong(void **state)
{
	struct card_counts counts;

	(void)state;
	assert_int_equal(run("udp-checksum-broken", "on", &counts), 0);
	assert_true(counts.tx_in_software > 0);
	assert_true(counts.tx_checksummed > counts.tx_in_software);
}

/* The stack above believes either word for it. */
static void good_datagrams_called_tcp(void **state)
{
	struct card_counts counts;

	(void)state;
	assert_int_equal(run("udp-as-tcp-good", "on", &counts), 0);
	assert_true(counts.rx_good > 0);
}

/* Up to the limit and no further; where the limit is too low for what must be in it, not at all. */
static void size_of_large_sends(void **state)
{
	struct card_counts counts;

	(void)state;
	assert_int_equal(run("lso-size", "8000", &counts), 0);
	assert_true(counts.tx_segmented > 0);
	assert_int_equal(run("lso-size", "1024", &counts), 0);
	assert_int_equal(counts.tx_segmented, 0);
}

static void segments_of_large_sends(void **state)
{
	struct card_counts counts;

	(void)state;
	assert_int_equal(run("lso-segments", "8", &counts), 0);
	assert_true(counts.tx_segmented > 0);
	assert_int_equal(run("lso-segments", "64", &counts), 0);
	assert_int_equal(counts.tx_segmented, 0);
}

static void bytes_of_frames_together(void **state)
{
	struct card_counts few, many;

	(void)state;
	assert_int_equal(run("rndis-transfer", "256", &few), 0);
	assert_int_equal(run("rndis-transfer", "65536", &many), 0);
	assert_true(many.tx_together > 0);
	assert_true(few.tx_together < many.tx_together);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(datagrams_summed_wrong),   cmocka_unit_test(good_datagrams_called_tcp),
		cmocka_unit_test(size_of_large_sends),      cmocka_unit_test(segments_of_large_sends),
		cmocka_unit_test(bytes_of_frames_together),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
