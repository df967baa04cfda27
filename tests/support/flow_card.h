/* SPDX-License-Identifier: MIT */
/*
 * A card under traffic of numbered flows, both ways, to which things happen. It is a session of the
 * rig's (rig_config.session, with no_nic): it brings a card and a wire of its own.
 */
#ifndef TESTS_SUPPORT_FLOW_CARD_H
#define TESTS_SUPPORT_FLOW_CARD_H

#include "tests/support/flows.h"
#include "tests/support/rig.h"

#define CARD_FRAMES 48u /* on the way from the guest */
#define CARD_LENT 40u
#define CARD_EVENTS_MAX 16u
#define CARD_FRAME_MAX 66000u
#define CARD_FRAME_PAGES 17u

/* What may happen to it. */
enum card_event {
	CARD_QUIET, /* nothing */
	CARD_LINK_FLAP,
	CARD_NETWORK_CHANGE,
	CARD_SPEED,
	CARD_RESCIND_QUEUE,
	CARD_RESCIND, /* and offered again */
	CARD_MTU,
	CARD_SUSPEND,
	CARD_OFFLOADS,
	CARD_RSS,
	CARD_DOWN_UP,
	CARD_REATTACH,
	CARD_STALL, /* the contact CPU looks at nothing for a while */
	CARD_FLOOD, /* more than the ring can hold */
	CARD_EVENT_COUNT
};
const char *card_event_name(enum card_event event);

struct card;

struct card_plan {
	struct hvk_netvsc_config config;
	struct hvh_nic_config host;
	uint64_t seed;
	uint32_t flows;    /* at most FLOWS_MAX */
	bool by_page;      /* all memory has a guest-physical address */
	bool bad_sums;     /* now and then the wire sends a wrong checksum */
	bool lawless;      /* frames may be lost any time: a host that rescinds by itself */
	uint32_t pause_ms; /* of traffic between two events; 0 = 80 */
	enum card_event events[CARD_EVENTS_MAX];
	uint32_t event_count;
	/* Instead of the events, or NULL. */
	void (*script)(void *context, struct card *card);
	void *context;
};

struct card_counts {
	uint64_t events[CARD_EVENT_COUNT]; /* first */
	uint64_t rx_good, rx_bad, rx_joined, rx_lent, rx_hashed, rx_tagged, rx_steered;
	uint64_t tx_segmented, tx_checksummed, tx_in_software, tx_tagged, tx_together, tx_ring_full,
		tx_no_slot;
	uint64_t tx_busy, mtu_changed, mtu_refused, attached, gone,
		queues[5]; /* attached with 1, 2, 3-4, 5-8, more */
	uint64_t rx_queues_used, tx_queues_used;
};

struct card_frame {
	struct hvk_tx_frame frame;
	struct hvk_buffer pieces[CARD_FRAME_PAGES + 2];
	struct hvk_pages pages;
	struct card *card;
	uint32_t flow, record;
	_Atomic bool busy;
};

struct card_lent {
	_Atomic int state;
	struct hvk_rx_frame frame;
	uint32_t flow, offset;
};

struct card {
	struct card_plan plan;
	struct rig *rig;
	struct flows flows;
	struct card_counts counts;
	struct hvk_netvsc *nic;
	struct hvk_netdev *netdev;
	struct hvh_nic *host_nic;
	_Atomic bool up, gone, told_ready;
	bool losing_gone; /* flows_losing was called for that */
	/* Guest: which flow is being sent by whom. */
	_Atomic bool sending[FLOWS_MAX];
	_Atomic uint64_t random;
	struct card_frame frames[CARD_FRAMES];
	struct card_lent lent[CARD_LENT];
	_Atomic bool quiet;     /* nothing new is sent, either way */
	_Atomic bool returning; /* lent frames are not kept */
	_Atomic bool hold;      /* ... or are, for as long as that is set */
	/* The card's, and RSS as the host has it: copies for other CPUs, under flows.lock. */
	struct hvk_netdev_info info;
	struct hvk_netdev_rss rss;
	bool rss_known;
	uint64_t mismatch_since; /* a frame came on another queue than it says; 0 = none */
	/* Wire: under hosted_lock. */
	uint64_t wire_next, wire_random;
	_Atomic uint32_t wire_mtu;
	bool channel_lost; /* frames may be with it until then */
	uint64_t noticed;
	bool taken;
	uint8_t wire_frame[CARD_FRAME_MAX];
	uint64_t from_queue[HVK_NETVSC_QUEUES_MAX];
	void (*tap)(void *context, const struct hvh_trace_record *record); /* the caller's own */
	void *tap_context;
	/* For whoever looks. */
	_Atomic uint32_t link_ups, link_downs, infos;
	struct hvk_request request;
};

/* All of it; result is filled in. NULL, or what is wrong: rig_check's, or the flows'. */
const char *card_run(const struct card_plan *plan, const struct rig_config *machine,
		     struct rig_result *result, struct card_counts *counts, struct flow_totals totals[2]);

/* For scripts, on the contact CPU. */
void card_traffic(struct card *card, uint32_t ms);
hvk_status card_wait(struct card *card); /* for card->request, with traffic */
struct hvk_request *card_request(struct card *card);
void card_event(struct card *card, enum card_event event);
hvk_status card_set_mtu(struct card *card, uint32_t mtu);
bool card_up(struct card *card); /* false: rescinded meanwhile, or failed */
void card_down(struct card *card);
void card_rest(struct card *card); /* no traffic until all has come */

/* --- flow_card_traffic.c ------------------------------------------------------------------ */

void card_traffic_input(void *context, struct hvk_netdev *netdev, const struct hvk_rx_frame *frame);
void card_traffic_burst_end(void *context, struct hvk_netdev *netdev, uint32_t queue);
/* One frame of a flow of its choice; more: another follows. False: nothing was sent. */
bool card_traffic_send(struct card *card, bool more);
void card_traffic_know(struct card *card, const struct hvk_netdev_info *info);
void card_traffic_return(struct card *card, bool all);
bool card_traffic_idle(const struct card *card);
void card_traffic_backend(struct card *card, struct hvh_backend *backend);
bool card_traffic_wire(void *context, uint64_t now);
uint64_t card_traffic_wire_next(void *context);
void card_traffic_channel_lost(struct card *card, uint64_t now);
void card_traffic_tap(void *context, const struct hvh_trace_record *record);
uint64_t card_random(struct card *card);

#endif
