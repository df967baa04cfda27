/* SPDX-License-Identifier: MIT */
/* What happens to a card under traffic. */
#include "tests/support/flow_card.h"

#include <string.h>

#define STALL_NS 30000000u
#define LINK_DOWN_MS 20u
#define MTU_LEAST 576u
#define UNSTEADY (50u * HVH_TIME_PER_MS)

static const char *const names[CARD_EVENT_COUNT] = {
	"quiet",    "link flap", "network change", "speed",    "rescind queue", "rescind", "mtu", "suspend",
	"offloads", "rss",       "down up",        "reattach", "stall",         "flood",
};

const char *card_event_name(enum card_event event)
{
	return names[event];
}

static uint64_t now(const struct card *card)
{
	return hosted_now(card->rig->machine);
}

static void unsteady(struct card *card)
{
	flows_unsteady(&card->flows, now(card) + UNSTEADY);
}

/* A request may end with that because the host took the card back. */
static bool ended_well(struct card *card, const char *what, hvk_status status)
{
	if (status != HVK_OK && status != HVK_EGONE && !card->gone)
		flows_fail(&card->flows, "%s: %s", what, hvk_status_name(status));
	return status == HVK_OK;
}

/* --- By the host ----------------------------------------------------------------------------- */

static void set_link(struct card *card, bool up)
{
	hosted_lock(card->rig->machine);
	hvh_nic_set_link(card->host_nic, now(card), up);
	hosted_kick(card->rig->machine);
	hosted_unlock(card->rig->machine);
}

static void link_flap(struct card *card)
{
	flows_losing(&card->flows, true, now(card));
	set_link(card, false);
	card_traffic(card, LINK_DOWN_MS);
	set_link(card, true);
	flows_losing_ends(&card->flows, true);
}

static void network_change(struct card *card)
{
	hosted_lock(card->rig->machine);
	hvh_nic_network_change(card->host_nic, now(card));
	hosted_kick(card->rig->machine);
	hosted_unlock(card->rig->machine);
}

static void speed(struct card *card)
{
	hosted_lock(card->rig->machine);
	hvh_nic_set_speed(card->host_nic, now(card), 1000000000ull * (1 + card_random(card) % 40));
	hosted_kick(card->rig->machine);
	hosted_unlock(card->rig->machine);
}

/* False: there is none. */
static bool rescind_queue(struct card *card)
{
	uint32_t queues = card->netdev->info.queues;
	bool done = false;

	if (queues < 2)
		return false;
	hosted_lock(card->rig->machine);
	card_traffic_channel_lost(card, now(card));
	done = hvh_nic_rescind_queue(card->host_nic, now(card),
				     1 + (uint32_t)(card_random(card) % (queues - 1)));
	hosted_kick(card->rig->machine);
	hosted_unlock(card->rig->machine);
	unsteady(card);
	return done;
}

static void rescind(struct card *card)
{
	flows_losing(&card->flows, false, now(card));
	hosted_lock(card->rig->machine);
	hvh_nic_rescind(card->host_nic, now(card));
	hosted_kick(card->rig->machine);
	hosted_unlock(card->rig->machine);
	for (uint32_t i = 0; i < 200 && !card->gone; i++)
		card_traffic(card, 5);
	if (!card->gone)
		flows_fail(&card->flows, "the card was taken back, and nobody was told");
	hosted_lock(card->rig->machine);
	hvh_nic_offer_again(card->host_nic, now(card));
	hosted_kick(card->rig->machine);
	hosted_unlock(card->rig->machine);
	card_down(card);
	card->rig->channel = NULL;
	(void)card_up(card);
	flows_losing_ends(&card->flows, false);
}

/* --- By the guest ----------------------------------------------------------------------------- */

hvk_status card_set_mtu(struct card *card, uint32_t mtu)
{
	uint32_t before = card->netdev->info.mtu;
	hvk_status status;

	flows_losing(&card->flows, false, now(card));
	if (mtu < card->wire_mtu)
		card->wire_mtu = mtu;
	hvk_netdev_set_mtu(card->netdev, mtu, card_request(card));
	status = card_wait(card);
	if (!card->gone && card->netdev->info.mtu != (status == HVK_OK ? mtu : before))
		flows_fail(&card->flows, "set_mtu %u: %s, and the MTU is %u after %u", mtu,
			   hvk_status_name(status), card->netdev->info.mtu, before);
	if (!card->gone)
		card->wire_mtu = card->netdev->info.mtu;
	flows_losing_ends(&card->flows, false);
	unsteady(card);
	card->counts.mtu_changed += status == HVK_OK;
	card->counts.mtu_refused += status == HVK_EREFUSED_RNDIS;
	return status;
}

static void other_mtu(struct card *card)
{
	static const uint32_t sizes[] = {1500, 9000, MTU_LEAST, 4000, 1280, 1501, 8999};
	uint32_t mtu = sizes[card_random(card) % (sizeof(sizes) / sizeof(sizes[0]))];
	bool in_range = mtu <= card->netdev->info.mtu_max;
	hvk_status status = card_set_mtu(card, mtu);

	if (in_range)
		(void)ended_well(card, "set_mtu", status);
	else if (status != HVK_EINVAL && !card->gone)
		flows_fail(&card->flows, "set_mtu %u of at most %u: %s", mtu, card->netdev->info.mtu_max,
			   hvk_status_name(status));
}

static void suspend(struct card *card)
{
	flows_losing(&card->flows, false, now(card));
	atomic_store(&card->returning, true);
	hvk_netvsc_suspend(card->nic, card_request(card));
	if (!ended_well(card, "suspend", card_wait(card))) {
		atomic_store(&card->gone, true);
	} else {
		card_traffic(card, 10); /* nothing is taken */
		hvk_netvsc_resume(card->nic, card_request(card));
		if (!ended_well(card, "resume", card_wait(card)))
			atomic_store(&card->gone, true);
	}
	atomic_store(&card->returning, false);
	flows_losing_ends(&card->flows, false);
	unsteady(card);
}

static void offloads(struct card *card)
{
	uint32_t wanted = (uint32_t)card_random(card) & card->netdev->info.capabilities;

	if (card_random(card) % 3 == 0)
		wanted = card->netdev->info.capabilities;
	unsteady(card); /* RSS is one of them */
	(void)pthread_mutex_lock(&card->flows.lock);
	card->rss_known = false;
	card->mismatch_since = 0;
	(void)pthread_mutex_unlock(&card->flows.lock);
	hvk_netdev_set_enabled(card->netdev, wanted, card_request(card));
	if (ended_well(card, "set_enabled", card_wait(card)) && card->netdev->info.enabled != wanted)
		flows_fail(&card->flows, "set_enabled 0x%x: 0x%x", wanted, card->netdev->info.enabled);
	unsteady(card);
}

static void rss(struct card *card)
{
	const struct hvk_netdev_info *info = &card->netdev->info;
	struct hvk_netdev_rss wanted, got;
	hvk_status status;

	if (!(info->enabled & HVK_NETDEV_RSS) || !hvk_netdev_get_rss(card->netdev, &wanted))
		return;
	wanted.types = info->rss_types & ((uint32_t)card_random(card) | HVK_RSS_TCP4);
	for (uint32_t i = 0; i < HVK_RSS_KEY_SIZE; i++)
		wanted.key[i] = (uint8_t)card_random(card);
	for (uint32_t i = 0; i < info->rss_table_size; i++)
		wanted.table[i] = (uint16_t)(card_random(card) % info->queues);
	unsteady(card);
	(void)pthread_mutex_lock(&card->flows.lock);
	card->rss_known = false;
	card->mismatch_since = 0;
	(void)pthread_mutex_unlock(&card->flows.lock);
	hvk_netdev_set_rss(card->netdev, &wanted, card_request(card));
	status = card_wait(card);
	/* A queue that went meanwhile makes entries for it invalid. */
	if (status == HVK_EINVAL && !flows_are_steady(&card->flows, now(card)))
		return;
	if (!ended_well(card, "set_rss", status))
		return;
	unsteady(card);
	if (!hvk_netdev_get_rss(card->netdev, &got) || got.types != wanted.types ||
	    memcmp(got.key, wanted.key, sizeof(got.key)) != 0)
		flows_fail(&card->flows, "get_rss is not what was set");
	(void)pthread_mutex_lock(&card->flows.lock);
	card->rss = got;
	card->rss_known = true;
	(void)pthread_mutex_unlock(&card->flows.lock);
}

static void down_up(struct card *card)
{
	flows_losing(&card->flows, false, now(card));
	hvk_netdev_set_flags(card->netdev, 0, card_request(card));
	(void)ended_well(card, "down", card_wait(card));
	card_traffic(card, 5);
	hvk_netdev_set_flags(card->netdev, HVK_NETDEV_UP | HVK_NETDEV_ALL_MULTICAST, card_request(card));
	(void)ended_well(card, "up", card_wait(card));
	flows_losing_ends(&card->flows, false);
	unsteady(card);
}

static void reattach(struct card *card)
{
	card_down(card);
	(void)card_up(card);
}

static void stall(struct card *card)
{
	uint64_t end = now(card) + STALL_NS / 100;

	while (now(card) < end) {
		(void)card_traffic_send(card, false);
		hosted_wait(card->rig->machine, STALL_NS / 10);
	}
}

static void flood(struct card *card)
{
	for (uint32_t i = 0; i < CARD_FRAMES; i++)
		(void)card_traffic_send(card, false);
}

void card_event(struct card *card, enum card_event event)
{
	void (*const events[CARD_EVENT_COUNT])(struct card * card) = {
		[CARD_LINK_FLAP] = link_flap, [CARD_NETWORK_CHANGE] = network_change,
		[CARD_SPEED] = speed,         [CARD_RESCIND] = rescind,
		[CARD_MTU] = other_mtu,       [CARD_SUSPEND] = suspend,
		[CARD_OFFLOADS] = offloads,   [CARD_RSS] = rss,
		[CARD_DOWN_UP] = down_up,     [CARD_REATTACH] = reattach,
		[CARD_STALL] = stall,         [CARD_FLOOD] = flood,
	};
	bool happened = true;

	if (event == CARD_RESCIND_QUEUE)
		happened = rescind_queue(card);
	else if (events[event])
		events[event](card);
	card->counts.events[event] += happened;
}
