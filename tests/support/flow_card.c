/* SPDX-License-Identifier: MIT */
/* A card under traffic: its life, and what is asked of it. */
#include "tests/support/flow_card.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MTU_LEAST 1280u
#define PAUSE_MS 80u
#define REQUEST_MS 60000u
#define REST_MS 4000u
#define NAP_NS 1000000u
#define AGAIN_MS 30000u /* a card that was taken back is offered again before that */

/* --- Turns ------------------------------------------------------------------------------------- */

static uint64_t now(const struct card *card)
{
	return hosted_now(card->rig->machine);
}

/* Some frames, one poll, a nap. */
static void turn(struct card *card)
{
	uint32_t burst = (uint32_t)(card_random(card) % 6);

	for (uint32_t i = 0; i < burst; i++) {
		if (!card_traffic_send(card, i + 1 < burst && card_random(card) % 4))
			break;
	}
	if (burst == 1)
		hvk_netdev_flush(card->netdev);
	card_traffic_return(card, false);
	/* Where the card is on another CPU, and that a thread, it is safe between requests alone. */
	if (card->plan.config.cpu == card->rig->config.bus_cpu ||
	    card->rig->config.mode == HOSTED_DETERMINISTIC)
		card_traffic_know(card, &card->netdev->info);
	if (!hvk_poll(card->rig->hvk, card->rig->config.bus_cpu))
		hosted_wait(card->rig->machine, NAP_NS);
}

void card_traffic(struct card *card, uint32_t ms)
{
	uint64_t end = now(card) + (uint64_t)ms * HVH_TIME_PER_MS;

	while (now(card) < end && !card->gone)
		turn(card);
}

struct hvk_request *card_request(struct card *card)
{
	memset(&card->request, 0, sizeof(card->request));
	return &card->request;
}

hvk_status card_wait(struct card *card)
{
	uint64_t end = now(card) + (uint64_t)REQUEST_MS * HVH_TIME_PER_MS;

	while (__atomic_load_n(&card->request.status, __ATOMIC_ACQUIRE) == HVK_EINPROGRESS) {
		if (now(card) > end) {
			flows_fail(&card->flows, "a request does not end");
			return HVK_EINPROGRESS;
		}
		turn(card);
	}
	return card->request.status;
}

void card_rest(struct card *card)
{
	uint64_t end = now(card) + (uint64_t)REST_MS * HVH_TIME_PER_MS;

	atomic_store(&card->quiet, true);
	while (now(card) < end && !card->gone && !(flows_at_rest(&card->flows) && card_traffic_idle(card))) {
		card_traffic_return(card, true);
		turn(card);
	}
}

static void know_rss(struct card *card)
{
	struct hvk_netdev_rss rss;
	bool known = hvk_netdev_get_rss(card->netdev, &rss) && (card->netdev->info.enabled & HVK_NETDEV_RSS);

	(void)pthread_mutex_lock(&card->flows.lock);
	if (known)
		card->rss = rss;
	card->rss_known = known;
	card->mismatch_since = 0;
	(void)pthread_mutex_unlock(&card->flows.lock);
}

/* --- Hooks --------------------------------------------------------------------------------------- */

static void link_changed(void *context, struct hvk_netdev *netdev, bool up)
{
	struct card *card = context;

	if (netdev->info.link_up != up)
		flows_fail(&card->flows, "the link is not what was told");
	atomic_fetch_add(up ? &card->link_ups : &card->link_downs, 1);
}

static void gone(void *context, struct hvk_netdev *netdev)
{
	struct card *card = context;

	(void)netdev;
	if (atomic_exchange(&card->gone, true))
		flows_fail(&card->flows, "told twice that the card is gone");
}

static void info_changed(void *context, struct hvk_netdev *netdev)
{
	struct card *card = context;

	(void)netdev;
	atomic_fetch_add(&card->infos, 1);
	card_traffic_know(card, &netdev->info);
	know_rss(card); /* the driver spreads over the queues that there are */
	flows_unsteady(&card->flows, now(card) + 50 * HVH_TIME_PER_MS);
}

static void tx_ready(void *context, struct hvk_netdev *netdev)
{
	struct card *card = context;

	(void)netdev;
	atomic_store(&card->told_ready, true);
}

/* --- Up and down ----------------------------------------------------------------------------------- */

static void forget_rss(struct card *card)
{
	(void)pthread_mutex_lock(&card->flows.lock);
	card->rss_known = false;
	card->mismatch_since = 0;
	(void)pthread_mutex_unlock(&card->flows.lock);
}

static void count_queues(struct card *card)
{
	uint32_t queues = card->netdev->info.queues;

	card->counts.queues[queues == 1 ? 0 : queues == 2 ? 1 : queues <= 4 ? 2 : queues <= 8 ? 3 : 4]++;
}

static bool wait_for_offer(struct card *card)
{
	uint64_t end = now(card) + (uint64_t)AGAIN_MS * HVH_TIME_PER_MS;

	while (!card->rig->channel && now(card) < end)
		rig_turn(card->rig);
	if (!card->rig->channel)
		flows_fail(&card->flows, "the card is not offered");
	return card->rig->channel != NULL;
}

static void set_up(struct card *card, hvk_status status)
{
	if (status != HVK_OK)
		return;
	card->wire_mtu = card->netdev->info.mtu;
	card_traffic_know(card, &card->netdev->info);
	know_rss(card);
	count_queues(card);
	flows_unsteady(&card->flows, now(card) + 30 * HVH_TIME_PER_MS);
	atomic_store(&card->up, true);
}

/* Attached and up. HVK_EGONE: taken back meanwhile. */
static hvk_status attach(struct card *card)
{
	struct hvk_netdev_hooks hooks = {.input = card_traffic_input,
					 .tx_ready = tx_ready,
					 .link_changed = link_changed,
					 .gone = gone,
					 .burst_end = card_traffic_burst_end,
					 .info_changed = info_changed,
					 .context = card};
	hvk_status status;

	card->netdev->hooks = hooks;
	atomic_store(&card->gone, false);
	card->wire_mtu = MTU_LEAST; /* whatever it will be */
	hvk_netvsc_attach(card->nic, card_request(card));
	status = card_wait(card);
	if (status != HVK_OK)
		return status;
	card->counts.attached++;
	/* The host may let frames through before it says so. */
	flows_losing(&card->flows, false, now(card));
	hvk_netdev_set_flags(card->netdev, HVK_NETDEV_UP | HVK_NETDEV_ALL_MULTICAST, card_request(card));
	status = card_wait(card);
	flows_losing_ends(&card->flows, false);
	set_up(card, status);
	return status;
}

static void destroy(struct card *card)
{
	hvk_status status = hvk_netvsc_destroy(card->nic);

	if (status != HVK_OK)
		flows_fail(&card->flows, "destroy: %s", hvk_status_name(status));
	card->nic = NULL;
}

/* What failed because the channel goes, before the bus knew. */
static bool goes_soon(struct card *card)
{
	uint64_t end = now(card) + HVK_TIME_PER_SECOND;
	struct hvk_channel *channel = hvk_netvsc_channel(card->nic);

	while (!hvk_channel_rescinded(channel) && now(card) < end)
		rig_turn(card->rig);
	return hvk_channel_rescinded(channel);
}

bool card_up(struct card *card)
{
	hvk_status status;

	for (uint32_t tries = 0; tries < 50 && !flows_failed(&card->flows); tries++) {
		if (!wait_for_offer(card))
			return false;
		status = hvk_netvsc_create(card->rig->channel, &card->plan.config, &card->nic);
		if (status == HVK_EGONE) {
			card->rig->channel = NULL;
			continue;
		}
		if (status != HVK_OK) {
			flows_fail(&card->flows, "create: %s", hvk_status_name(status));
			return false;
		}
		card->netdev = hvk_netvsc_netdev(card->nic);
		status = attach(card);
		if (status == HVK_OK)
			return true;
		if (status != HVK_EGONE && !goes_soon(card)) {
			flows_fail(&card->flows, "attach: %s", hvk_status_name(status));
			card_down(card);
			return false;
		}
		card_down(card);
		card->rig->channel = NULL;
	}
	return false;
}

static void add_counters(struct card *card)
{
	struct card_counts *counts = &card->counts;
	struct hvk_netdev_counters c;
	uint64_t rx = 0, tx = 0;

	hvk_netdev_get_counters(card->netdev, &c);
	counts->tx_segmented += c.tx_segmented;
	counts->tx_checksummed += c.tx_checksummed;
	counts->tx_in_software += c.tx_in_software;
	counts->tx_tagged += c.tx_tagged;
	counts->tx_together += c.tx_frames - c.tx_packets;
	counts->tx_ring_full += c.tx_ring_full;
	counts->tx_no_slot += c.tx_no_slot;
	counts->tx_busy += c.tx_busy;
	for (uint32_t n = 0; n < card->netdev->info.queues; n++) {
		hvk_netdev_get_queue_counters(card->netdev, n, &c);
		rx += n > 0 && c.rx_frames > 0;
		tx += n > 0 && c.tx_frames > 0;
	}
	counts->rx_queues_used += rx;
	counts->tx_queues_used += tx;
	if (c.rx_faults)
		flows_fail(&card->flows, "the driver found %llu faults of the host's",
			   (unsigned long long)c.rx_faults);
}

static void dump_line(void *context, const char *line)
{
	(void)context;
	(void)fprintf(stderr, "  %s\n", line);
}

void card_down(struct card *card)
{
	hvk_status status;

	if (!card->nic)
		return;
	flows_losing(&card->flows, false, now(card));
	card->counts.gone += card->gone;
	add_counters(card);
	forget_rss(card);
	hvk_netvsc_detach(card->nic, card_request(card));
	atomic_store(&card->returning, true);
	card_traffic_return(card, true);
	status = card_wait(card);
	atomic_store(&card->up, false);
	atomic_store(&card->returning, false);
	if (status != HVK_OK && status != HVK_EGONE)
		flows_fail(&card->flows, "detach: %s", hvk_status_name(status));
	card_traffic_return(card, true);
	if (!card_traffic_idle(card))
		flows_fail(&card->flows, "detached, and a frame that was taken is not done");
	destroy(card);
	flows_losing_ends(&card->flows, false);
}

/* --- The session ------------------------------------------------------------------------------------- */

static void make_host(struct card *card)
{
	struct hosted *machine = card->rig->machine;
	struct hvh_backend backend;

	card_traffic_backend(card, &backend);
	hosted_lock(machine);
	card->host_nic = hvh_nic_create(hosted_partition(machine), &card->plan.host, &backend);
	hosted_add_world(machine, card_traffic_wire, card_traffic_wire_next, card);
	hosted_kick(machine);
	hosted_unlock(machine);
}

static void go_on(struct card *card)
{
	if (card->gone && !flows_failed(&card->flows)) {
		card_down(card);
		card->rig->channel = NULL;
		(void)card_up(card);
	}
}

static void happen(struct card *card)
{
	uint32_t pause = card->plan.pause_ms ? card->plan.pause_ms : PAUSE_MS;

	for (uint32_t i = 0; i < card->plan.event_count && card->nic && !flows_failed(&card->flows); i++) {
		card_traffic(card, pause);
		go_on(card);
		if (card->nic)
			card_event(card, card->plan.events[i]);
		go_on(card);
	}
	if (card->nic)
		card_traffic(card, pause);
	go_on(card);
}

static void session(void *context, struct rig *rig)
{
	struct card *card = context;

	card->rig = rig;
	make_host(card);
	if (!card_up(card))
		return;
	if (card->plan.script)
		card->plan.script(card->plan.context, card);
	else
		happen(card);
	for (uint32_t i = 0; i < 20 && card->nic && !flows_failed(&card->flows); i++) {
		card_rest(card);
		if (!card->gone)
			break;
		go_on(card);
	}
	flows_finish(&card->flows);
	if (getenv("CARD_LOG") && flows_failed(&card->flows))
		hvh_dump(hosted_partition(rig->machine), dump_line, card);
	card_down(card);
	rig->channel = NULL;
}

const char *card_run(const struct card_plan *plan, const struct rig_config *machine,
		     struct rig_result *result, struct card_counts *counts, struct flow_totals totals[2])
{
	static _Thread_local char text[FLOW_WRONG];
	struct rig_config config = *machine;
	struct card *card = calloc(1, sizeof(*card));
	const char *wrong;

	card->plan = *plan;
	card->random = plan->seed * 0x9e3779b97f4a7c15ull + 1;
	card->wire_mtu = MTU_LEAST;
	if (card->plan.flows == 0 || card->plan.flows > FLOWS_MAX)
		card->plan.flows = FLOWS_MAX;
	flows_init(&card->flows);
	config.no_nic = true;
	config.session = session;
	config.session_context = card;
	card->tap = config.tap;
	card->tap_context = config.context;
	config.tap = card_traffic_tap;
	config.context = card;
	rig_run(&config, result);
	wrong = rig_check(result, false);
	if (!wrong && card->flows.wrong[0]) {
		(void)snprintf(text, sizeof(text), "%s", card->flows.wrong);
		wrong = text;
	}
	if (!wrong &&
	    card->flows.totals[FLOW_TO_GUEST].arrived + card->flows.totals[FLOW_TO_WIRE].arrived == 0)
		wrong = "no frame came";
	if (counts)
		*counts = card->counts;
	if (totals)
		memcpy(totals, card->flows.totals, sizeof(card->flows.totals));
	flows_destroy(&card->flows);
	if (result->finished || machine->mode == HOSTED_DETERMINISTIC)
		free(card);
	return wrong;
}
