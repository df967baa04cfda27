/* SPDX-License-Identifier: MIT */
/*
 * What is asked of a card under traffic, and what becomes of it: another MTU, also where the host grants
 * none; frames lent meanwhile; a network behind the cable that changes; a host that falls silent at each
 * step; the order of the take-down on each bus.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "hvkit/wire/nvs.h"
#include "hvkit/wire/vmbus.h"
#include "hvkit_host/quirk.h"
#include "tests/support/flow_card.h"

static const char *const hosts[] = {"ws2008r2", "ws2012r2", "ws2016", "ws2022", "openvmm"};
#define HOSTS (sizeof(hosts) / sizeof(hosts[0]))

static struct card_plan plan_of(uint32_t queues, void (*script)(void *context, struct card *card))
{
	return (struct card_plan){
		.config = {.ring_pages = 4, .queues = queues, .offloads = HVK_NETDEV_ALL_OFFLOADS},
		.host = {.mac = {0x00, 0x15, 0x5d, 1, 2, 3}, .link_up = true},
		.script = script,
	};
}

static void run(struct card_plan *plan, const char *host, struct card_counts *counts)
{
	struct rig_config machine = {.mode = HOSTED_DETERMINISTIC, .profile = host, .seed = 7, .cpus = 3};
	struct rig_result result;
	const char *wrong;

	plan->seed = 7;
	wrong = card_run(plan, &machine, &result, counts, NULL);
	if (wrong)
		print_error("%s: %s\n", host, wrong);
	assert_null(wrong);
	if (strcmp(host, "ws2008r2") != 0) /* it may go on writing when it is left: no UNLOAD */
		assert_int_equal(result.quarantined_pages, 0);
}

static void expect(struct card *card, const char *what, hvk_status status, hvk_status wanted)
{
	if (status != wanted)
		flows_fail(&card->flows, "%s: %s instead of %s", what, hvk_status_name(status),
			   hvk_status_name(wanted));
}

/* --- Another MTU ------------------------------------------------------------------------------ */

static void there_and_back(void *context, struct card *card)
{
	static const uint32_t sizes[] = {9000, 1500, 576};
	uint64_t before[2];

	(void)context;
	for (uint32_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		card_traffic(card, 60);
		expect(card, "set_mtu", card_set_mtu(card, sizes[i]), HVK_OK);
		before[0] = card->flows.totals[0].arrived;
		before[1] = card->flows.totals[1].arrived;
		card_traffic(card, 60);
		if (card->flows.totals[0].arrived < before[0] + 10 ||
		    card->flows.totals[1].arrived < before[1] + 10)
			flows_fail(&card->flows, "no frames after MTU %u", sizes[i]);
	}
}

static void another_mtu_on_every_host(void **state)
{
	struct card_counts counts;

	(void)state;
	for (uint32_t i = 0; i < HOSTS; i++) {
		struct card_plan plan = plan_of(1 + i, there_and_back);

		plan.config.nvs_newest = i == 0 ? NVS_VERSION_2 : 0;
		run(&plan, hosts[i], &counts);
		assert_int_equal(counts.mtu_changed, 3);
	}
}

/* An NVS 1 host hears of none. */
static void none_on_the_oldest(void *context, struct card *card)
{
	(void)context;
	card_traffic(card, 20);
	expect(card, "set_mtu", card_set_mtu(card, 9000), HVK_EINVAL);
	expect(card, "set_mtu", card_set_mtu(card, 1500), HVK_OK);
	card_traffic(card, 60);
}

static void no_other_mtu_on_the_oldest_host(void **state)
{
	struct card_plan plan = plan_of(1, none_on_the_oldest);
	struct card_counts counts;

	(void)state;
	plan.config.nvs_newest = NVS_VERSION_1;
	run(&plan, "ws2008r2", &counts);
	assert_int_equal(counts.attached, 1);
}

/* --- Lent frames ---------------------------------------------------------------------------------- */

static uint32_t lent_now(const struct card *card)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < CARD_LENT; i++)
		count += card->lent[i].state != 0;
	return count;
}

/* The memory under them stays until they are back. */
static void mtu_with_frames_lent(void *context, struct card *card)
{
	(void)context;
	card_traffic(card, 60);
	if (lent_now(card) == 0)
		flows_fail(&card->flows, "no frame is lent");
	if (lent_now(card) > card->plan.config.rx_borrow)
		flows_fail(&card->flows, "%u frames are lent", lent_now(card));
	card->hold = true;
	flows_losing(&card->flows, false, hosted_now(card->rig->machine));
	hvk_netdev_set_mtu(card->netdev, 9000, card_request(card));
	card_traffic(card, 1000);
	expect(card, "set_mtu while frames are lent", card->request.status, HVK_EINPROGRESS);
	card->hold = false;
	expect(card, "set_mtu", card_wait(card), HVK_OK);
	flows_losing_ends(&card->flows, false);
	card_traffic(card, 60);
}

static void lent_frames_outlive_an_mtu(void **state)
{
	struct card_counts counts;

	(void)state;
	for (uint32_t queues = 1; queues <= 4; queues++) {
		struct card_plan plan = plan_of(queues, mtu_with_frames_lent);

		plan.config.rx_borrow = 9;
		run(&plan, "ws2022", &counts);
		assert_true(counts.rx_lent > 0);
	}
}

/* --- The network ------------------------------------------------------------------------------------ */

/* Down at once; up five seconds after the last change. */
static void changes(void *context, struct card *card)
{
	(void)context;
	card_traffic(card, 20);
	card_event(card, CARD_NETWORK_CHANGE);
	card_traffic(card, 100);
	if (card->netdev->info.link_up || card->link_downs != 1)
		flows_fail(&card->flows, "another network, and the link was not down");
	card_traffic(card, 3000);
	card_event(card, CARD_NETWORK_CHANGE);
	card_traffic(card, 4800);
	if (card->netdev->info.link_up || card->link_downs != 1)
		flows_fail(&card->flows, "up before five seconds of quiet");
	card_traffic(card, 500);
	if (!card->netdev->info.link_up || card->link_ups != 1)
		flows_fail(&card->flows, "not up after five seconds");
}

static void another_network(void **state)
{
	struct card_counts counts;

	(void)state;
	for (uint32_t i = 1; i < HOSTS; i++) {
		struct card_plan plan = plan_of(2, changes);

		plan.flows = 1; /* little traffic, in a long time */
		run(&plan, hosts[i], &counts);
	}
}

/* --- Silence ------------------------------------------------------------------------------------------ */

enum asked { MTU, RESUME, OFFLOADS, RSS, FLAGS };

struct silence {
	enum hvh_silence silence;
	enum asked asked;
	hvk_status status;
};

static void ask(struct card *card, enum asked asked)
{
	struct hvk_netdev_rss rss;
	struct hvk_request *request = card_request(card);

	switch (asked) {
	case MTU:
		hvk_netdev_set_mtu(card->netdev, 9000, request);
		break;
	case RESUME:
		hvk_netvsc_resume(card->nic, request);
		break;
	case OFFLOADS:
		hvk_netdev_set_enabled(card->netdev, 0, request);
		break;
	case RSS:
		(void)hvk_netdev_get_rss(card->netdev, &rss);
		rss.table[0] = 1;
		hvk_netdev_set_rss(card->netdev, &rss, request);
		break;
	case FLAGS:
		hvk_netdev_set_flags(card->netdev, 0, request);
		break;
	}
}

static void fall_silent(void *context, struct card *card)
{
	const struct silence *row = context;
	struct hosted *machine = card->rig->machine;

	card_traffic(card, 40);
	flows_losing(&card->flows, true, hosted_now(machine));
	flows_unsteady(&card->flows, UINT64_MAX);
	if (row->asked == RESUME) {
		hvk_netvsc_suspend(card->nic, card_request(card));
		expect(card, "suspend", card_wait(card), HVK_OK);
	}
	hosted_lock(machine);
	hvh_silence_set(hosted_partition(machine), row->silence);
	hosted_unlock(machine);
	ask(card, row->asked);
	expect(card, hvh_silence_name(row->silence), card_wait(card), row->status);
	hosted_lock(machine);
	hvh_silence_set(hosted_partition(machine), HVH_SILENCE_NONE);
	hosted_unlock(machine);
	/* The card can be given back, and had again. */
	card_down(card);
	(void)card_up(card);
	flows_losing_ends(&card->flows, true);
	card_traffic(card, 40);
}

static void silence_at_each_step(void **state)
{
	static const struct silence rows[] = {
		{HVH_SILENCE_RNDIS_SET, OFFLOADS, HVK_ETIMEDOUT_RNDIS_SET},
		{HVH_SILENCE_RNDIS_SET, RSS, HVK_ETIMEDOUT_RNDIS_SET},
		{HVH_SILENCE_RNDIS_SET, FLAGS, HVK_ETIMEDOUT_RNDIS_SET},
		{HVH_SILENCE_NVS_INIT, MTU, HVK_ETIMEDOUT_NVS_INIT},
		{HVH_SILENCE_NVS_RECEIVE_BUFFER, MTU, HVK_ETIMEDOUT_NVS_RECEIVE_BUFFER},
		{HVH_SILENCE_NVS_SEND_BUFFER, MTU, HVK_ETIMEDOUT_NVS_SEND_BUFFER},
		{HVH_SILENCE_RNDIS_INITIALIZE, MTU, HVK_ETIMEDOUT_RNDIS_INITIALIZE},
		{HVH_SILENCE_RNDIS_QUERY, MTU, HVK_ETIMEDOUT_RNDIS_QUERY},
		{HVH_SILENCE_NVS_SUBCHANNEL, MTU, HVK_OK},
		{HVH_SILENCE_OPEN, RESUME, HVK_ETIMEDOUT_OPEN},
		{HVH_SILENCE_NVS_INIT, RESUME, HVK_ETIMEDOUT_NVS_INIT},
		{HVH_SILENCE_NVS_RECEIVE_BUFFER, RESUME, HVK_ETIMEDOUT_NVS_RECEIVE_BUFFER},
		{HVH_SILENCE_NVS_SEND_BUFFER, RESUME, HVK_ETIMEDOUT_NVS_SEND_BUFFER},
		{HVH_SILENCE_RNDIS_INITIALIZE, RESUME, HVK_ETIMEDOUT_RNDIS_INITIALIZE},
		{HVH_SILENCE_RNDIS_QUERY, RESUME, HVK_ETIMEDOUT_RNDIS_QUERY},
		{HVH_SILENCE_RNDIS_SET, RESUME, HVK_ETIMEDOUT_RNDIS_SET},
		{HVH_SILENCE_NVS_SUBCHANNEL, RESUME, HVK_OK},
	};
	struct card_counts counts;

	(void)state;
	for (uint32_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct card_plan plan = plan_of(4, fall_silent);
		struct silence row = rows[i];

		plan.context = &row;
		run(&plan, "ws2022", &counts);
		assert_int_equal(counts.attached, 2);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(another_mtu_on_every_host),
		cmocka_unit_test(no_other_mtu_on_the_oldest_host),
		cmocka_unit_test(lent_frames_outlive_an_mtu),
		cmocka_unit_test(another_network),
		cmocka_unit_test(silence_at_each_step),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
