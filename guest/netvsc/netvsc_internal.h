/* SPDX-License-Identifier: MIT */
/*
 * netvsc: its state, and what its files call of each other. Private to guest/netvsc.
 *
 *   netvsc.c      the object: creating it, what is asked of it
 *   life.c        from detached to attached and back, and the card's work on its CPU
 *   steps.c       runs a table of steps: begin, wait for the answer or a time-out, next
 *   attach.c      the table that brings the card up
 *   detach.c      the table that takes it down, also after an attach that failed
 *   control.c     RNDIS requests and their answers, keepalive
 *   operations.c  what the user above and the host ask for while attached: a queue, and the
 *                 sequence of steps that does one of them
 *   link.c        link, its speed, status messages
 *   vf.c          what the host says of a VF beside the card, and the data path
 *   mtu.c         another MTU: the card is taken down and brought up again
 *   offload.c     checksums, segmentation, joining: what the host has, and switching it
 *   rss.c         spreading received frames over the queues
 *   subchannels.c queues beside the first
 *   queue.c       one channel of many: its life, who is in it
 *   transmit.c    frames to the host
 *   batch.c       ... in sections of the send buffer, several in one packet
 *   transmit_offload.c  ... of which the device is to do something
 *   receive.c     everything from the host
 *   receive_frame.c  ... frames: checked, copied or lent, handed up
 *   rsc.c         ... that come in parts
 *   lend.c        frames handed out in place
 *   dump.c        looking inside
 *   nvs.c rndis.c ndis.c the codecs
 *
 * Contexts. A queue is a channel, and what runs in hvk_poll of that channel's CPU: ready, and
 * the queue's kick. Queue 0 is the primary: it carries the control messages, and all of the card
 * that is not a queue (steps, requests, timers) belongs to it. A channel may move to another CPU
 * while something that was begun on the old one still runs there; so whoever enters a queue from
 * hvk_poll owns it for that time (hvk_netvsc_queue_enter), or comes back later.
 *
 * The public calls (attach, detach, transmit, flush, release, set_flags, get_counters) may come on any
 * CPU: they touch what is under a lock alone, and kick the rest. nic->lock is for the card, each
 * queue has one for its frames; no two are held at once, and none while the user is called, nor
 * vmbus but to send a packet.
 */
#ifndef HVK_NETVSC_INTERNAL_H
#define HVK_NETVSC_INTERNAL_H

#include "guest/core/core.h"
#include "guest/device/steps.h"
#include "guest/netdev/frame.h"
#include "guest/netvsc/ndis.h"
#include "guest/netvsc/nvs.h"
#include "guest/netvsc/rndis.h"
#include "hvkit/netvsc.h"

#define HVK_NETVSC_SENDS 512u     /* frames of one queue with the host at once */
#define HVK_NETVSC_PAGE_SENDS 32u /* of them by page list, if there are sections; divided among queues */
#define HVK_NETVSC_PAGE_SENDS_MIN 16u
#define HVK_NETVSC_HEADER_SIZE 512u /* shared memory for the headers of one frame */
#define HVK_NETVSC_HEADERS_PER_PAGE (HVK_PAGE_SIZE / HVK_NETVSC_HEADER_SIZE)
#define HVK_NETVSC_HEADER_PAGES (HVK_NETVSC_SENDS / HVK_NETVSC_HEADERS_PER_PAGE)
#define HVK_NETVSC_CONTROL_SLOTS 8u /* RNDIS control messages with the host at once */
#define HVK_NETVSC_CONTROL_SLOT_SIZE 1024u
#define HVK_NETVSC_CONTROL_PAGES (HVK_NETVSC_CONTROL_SLOTS * HVK_NETVSC_CONTROL_SLOT_SIZE / HVK_PAGE_SIZE)
#define HVK_NETVSC_OPERATIONS 8u                             /* requests of the user waiting */
#define HVK_NETVSC_PACKET_MAX 16384u                         /* longest ring packet taken: 2044 ranges */
#define HVK_NETVSC_BORROW_MAX 1024u                          /* frames lent at once */
#define HVK_NETVSC_JOINED_MAX (65535u + HVK_ETHERNET_HEADER) /* bytes of a joined frame, without a tag */
#define HVK_NETVSC_BUDGET 64u                                /* ring packets per callback */
#define HVK_NETVSC_ROW 64u                                   /* frames under one hold of a queue's lock */
#define HVK_NETVSC_RECEIVE_PAGES_OLD 3840u                   /* 15 MiB, the limit up to NVS 2 (FreeBSD) */
#define HVK_NETVSC_GRACE_MS 200u                             /* for sends in flight */
#define HVK_NETVSC_REVOKE_MS 1000u                           /* hosts answer at once or never (OpenVMM) */
#define HVK_NETVSC_TORNDOWN_MS 1000u    /* before a close that may be what the host waits for */
#define HVK_NETVSC_SUBCHANNELS_MS 1000u /* those that come later are taken in later */
#define HVK_NETVSC_DEBOUNCE_MS 5000u    /* link down after NETWORK_CHANGE (FreeBSD, Linux) */
#define HVK_NETVSC_MTU_MIN 68u
#define HVK_NETVSC_MTU_MAX 65521u
#define HVK_NETVSC_MTU_OLD 1500u /* NVS 1 has no NDIS_CONFIG: the host knows this one only */

/* Every answered packet's cookie points to one of these. */
enum netvsc_ticket_kind { NETVSC_TICKET_NVS = 1, NETVSC_TICKET_CONTROL, NETVSC_TICKET_FRAME };
struct netvsc_ticket {
	enum netvsc_ticket_kind kind;
};

/* --- Steps ------------------------------------------------------------------------ */

enum netvsc_wait {
	NETVSC_WAIT_DEVICE = HVK_STEPS_ELSEWHERE + 1, /* timeouts.device_ms */
	NETVSC_WAIT_REVOKE,
	NETVSC_WAIT_GRACE,
	NETVSC_WAIT_TORNDOWN,
	NETVSC_WAIT_SUBCHANNELS
};

/* What a step waits for. */
enum netvsc_event {
	NETVSC_EVENT_NVS = HVK_STEPS_OWN, /* completion of an NVS request */
	NETVSC_EVENT_RNDIS,               /* answer to an RNDIS request */
	NETVSC_EVENT_SENDS,               /* no frame is with the host any more */
	NETVSC_EVENT_LENT,                /* the user has no frame of ours any more */
	NETVSC_EVENT_TEARDOWN,            /* both GPADLs are gone */
	NETVSC_EVENT_SUBCHANNELS          /* all that were granted are offered */
};

/* --- Parts ------------------------------------------------------------------------- */

typedef void (*netvsc_control_answered)(struct hvk_netvsc *nic, const struct hvk_answer *answer);

struct netvsc_control_slot {
	struct netvsc_ticket ticket;
	bool busy;
	uint32_t request_id; /* of the message in it */
};

struct netvsc_control {
	struct hvk_pages pages;
	struct hvk_shared memory;
	uint64_t gpa[HVK_NETVSC_CONTROL_PAGES];
	struct netvsc_control_slot slots[HVK_NETVSC_CONTROL_SLOTS];
	/* The one request in flight. */
	bool busy, unsent;
	uint32_t type, request_id;
	struct hvk_rndis_message message;
	struct hvk_timer timer;
	netvsc_control_answered answered;
	uint32_t last_id;
	/* The host's keepalive that still wants an answer. */
	bool keepalive;
	uint32_t keepalive_id;
	uint64_t late, keepalives; /* counters */
};

/* --- Settings ------------------------------------------------------------------------ */

struct netvsc_groups {
	uint32_t count;
	uint8_t addresses[HVK_NETDEV_GROUPS_MAX][6];
};

/* What the user wants, as far as it can be had: it outlasts a restart. */
struct netvsc_settings {
	uint32_t flags, mtu;
	uint32_t enabled; /* HVK_NETDEV_TX_* to _RSS */
	struct hvk_netdev_rss rss;
	bool rss_known; /* rss has a key and types */
	bool table_set; /* rss.table is the user's; else i modulo the queues */
	struct netvsc_groups groups;
};

enum netvsc_operation_kind {
	NETVSC_OPERATION_NONE, /* the host's own wishes */
	NETVSC_OPERATION_FLAGS,
	NETVSC_OPERATION_ENABLED,
	NETVSC_OPERATION_MTU,
	NETVSC_OPERATION_MULTICAST,
	NETVSC_OPERATION_RSS,
	NETVSC_OPERATION_DATA_PATH
};

struct netvsc_operation {
	enum netvsc_operation_kind kind;
	struct hvk_request *request;
	union {
		uint32_t value; /* flags, enabled, MTU */
		struct netvsc_groups groups;
		struct hvk_netdev_rss rss;
	};
};

/* What an operation has to do: steps of operations.c. */
#define NETVSC_DO_DRAIN (1u << 0) /* no frame that asks for what is switched off may be under way */
#define NETVSC_DO_OFFLOADS (1u << 1)
#define NETVSC_DO_OPEN (1u << 2) /* sub-channels that came */
#define NETVSC_DO_RSS (1u << 3)
#define NETVSC_DO_CLOSE (1u << 4) /* ... that are gone */
#define NETVSC_DO_FILTER (1u << 5)
#define NETVSC_DO_LINK (1u << 6)
#define NETVSC_DO_SPEED (1u << 7)
#define NETVSC_DO_DATA_PATH (1u << 8) /* frames for the guest to the VF, or here */

/* Why the card is taken down or brought up, if not for attach and detach. */
enum netvsc_restart {
	NETVSC_RESTART_NONE,
	NETVSC_RESTART_MTU,
	NETVSC_RESTART_MTU_BACK, /* the old one again */
	NETVSC_RESTART_SUSPEND,
	NETVSC_RESTART_RESUME
};

/* A packet with the host, or being filled. */
struct netvsc_send {
	struct netvsc_ticket ticket;
	struct hvk_tx_frame *first; /* of its frames, by next */
};

enum netvsc_tx_wait { NETVSC_TX_WAIT_NONE, NETVSC_TX_WAIT_SLOT, NETVSC_TX_WAIT_RING };

enum netvsc_tx_state {
	NETVSC_TX_CLOSED, /* frames are answered HVK_TX_GONE */
	NETVSC_TX_OPEN,
	NETVSC_TX_PAUSED /* ... HVK_TX_BUSY, and tx_ready comes when it is open again */
};

/* The free ones; the one on top is taken. */
struct netvsc_slots {
	uint16_t count;
	uint16_t free[HVK_NETVSC_SENDS];
};

/* Messages in a section that the host has not been told of. */
struct netvsc_batch {
	uint32_t count; /* 0: there is none */
	uint32_t slot, at, bytes;
	struct hvk_tx_frame **last;
};

/* Slot n below header_first has section n, the others header n - header_first. Under lock, but
 * for what does not change while attached, and where it says atomic. */
struct netvsc_transmit {
	enum netvsc_tx_state state; /* atomic to read */
	enum netvsc_tx_wait wait;   /* tx_ready is owed */
	bool freed;                 /* a slot became free since */
	bool polling;               /* what waits will be flushed at the end of ready; atomic */
	bool tell_card;             /* the ring is dead */
	uint32_t outstanding;
	struct netvsc_batch batch;
	bool staged; /* packets that the host has not been shown */
	uint32_t batch_max, batch_bytes, alignment;
	/* Plain frames of up to so many bytes, so many of them, may be put behind what waits, if they
	 * fit. */
	uint32_t quick_bytes, quick_count;
	struct hvk_shared sections;
	uint32_t section_size, section_first; /* 0: none; the first of the send buffer's */
	uint32_t header_first;
	struct hvk_shared headers;
	struct hvk_pages header_pages;
	uint64_t header_gpa[HVK_NETVSC_HEADER_PAGES];
	struct netvsc_slots section_slots, header_slots;
	struct netvsc_send sends[HVK_NETVSC_SENDS];
};

/* A packet of which frames are lent. It is completed when all of them are back. */
struct netvsc_lent_packet {
	struct netvsc_lent_packet *next; /* in a list of free ones, or of those to be completed */
	uint64_t transaction_id;
	uint32_t ranges;
	/* Under lock. Frames still lent, once the packet is sealed: before, minus those that are
	 * back already. */
	int32_t left;
	bool sealed;
};

struct netvsc_lent_frame {
	struct netvsc_queue *queue;
	struct netvsc_lent_packet *packet; /* NULL: not lent */
	struct netvsc_lent_frame *next;
};

struct netvsc_lend {
	struct hvk_pages pages; /* as many frames as packets */
	/* Of the channel's CPU alone. */
	struct netvsc_lent_frame *free;
	struct netvsc_lent_packet *free_packets;
	struct netvsc_lent_packet *current; /* being received; NULL while nothing of it is lent */
	int32_t current_frames;
	uint32_t held, held_max; /* sub-allocations that the host has not got back because of us */
	/* Under lock. */
	struct netvsc_lent_frame *returned;
	struct netvsc_lent_packet *returned_packets; /* not completed yet */
	int32_t outstanding;                         /* frames that the user has */
	bool collecting;                             /* who returns one need not kick */
};

/* Parts of one packet, of which more are to come (RSC). */
struct netvsc_joined {
	bool active;
	bool dropped; /* ... which are not wanted: one was missing */
	uint16_t id;
	uint32_t parts, length;
	struct hvk_rndis_frame first; /* what the host said of it */
};

/* Counted in one run of ready, then added to the queue's counters. */
struct netvsc_burst {
	uint64_t frames, bytes, copied, good, bad, hashed, tagged, lent, packets;
};

struct netvsc_receive {
	struct hvk_pages frame_pages; /* a frame's private copy */
	struct hvk_pages completion_pages;
	uint64_t *completions; /* transaction ids of packets that wait for theirs, in order */
	uint32_t completion_first, completion_count, completion_max;
	/* The packet that is being received. */
	uint64_t transaction_id;
	uint32_t range_count;
	/* As it was when this run of ready began. */
	uint32_t enabled, frame_max;
	uint32_t has_wanted; /* HVK_RNDIS_HAS_* that are looked at */
	/* Frames of up to so many bytes go on the shortest way, copied or lent; 0: none. */
	uint32_t usual_max, lent_max;
	bool lends; /* if there is room */
	uint8_t checksum_mask;
	struct netvsc_joined joined;
	struct hvk_pages joined_pages; /* the queue's, once joined_at is set */
	uint8_t *joined_at;            /* atomic; NULL: parts are not wanted */
	struct netvsc_burst burst;
	struct netvsc_lend lend;
	_Alignas(8) uint8_t packet[HVK_NETVSC_PACKET_MAX];
};

/* One channel, both ways. */
struct netvsc_queue {
	struct hvk_netvsc *nic;
	struct hvk_channel *channel; /* NULL: none; changes while the queue is not open */
	uint32_t index;              /* the sub-channel's, 0 = primary */
	bool open;                   /* its channel is; written by queue 0, read anywhere */
	bool lost;                   /* ... but was taken back, and is to be closed; as above */
	bool owned;                  /* somebody is in it: queue_enter */
	bool closed, withhold;       /* its channel is closed: it is to be stopped, in that way */
	bool lingers; /* under lock: its channel is closed, and the user still has frames of it */
	bool kicked;
	struct hvk_request kick;
	struct hvk_lock lock;
	struct netvsc_transmit tx;
	struct netvsc_receive rx;
	struct hvk_channel *offered;         /* under nic->lock: claimed, and to be opened */
	struct hvk_netdev_counters counters; /* tx_*: under lock; the others by netvsc_count */
};

enum netvsc_state {
	NETVSC_DETACHED,
	NETVSC_ATTACHING, /* also by resume */
	NETVSC_ATTACHED,
	NETVSC_DETACHING, /* also by suspend */
	NETVSC_SUSPENDED,
	NETVSC_RESTARTING /* down and up again */
};

struct hvk_netvsc {
	struct hvk_netdev netdev; /* first: a netdev is cast to its driver */
	struct hvk *hvk;
	struct hvk_channel *channel;
	struct hvk_netvsc_config config;
	struct hvk_pages pages; /* this structure */
	struct hvk_lock lock;

	/* Under lock. */
	enum netvsc_state state;
	bool kicked;                                                           /* atomic */
	struct hvk_request *attach_request, *detach_request, *suspend_request; /* attach: or resume */
	bool detach_wanted;
	/* A VF: under lock. */
	struct hvk_netvsc_association association;
	void (*association_changed)(void *context, struct hvk_netvsc *nic);
	void *association_context;
	struct netvsc_operation operations[HVK_NETVSC_OPERATIONS];
	uint32_t operation_count;
	hvk_status lost; /* not HVK_OK: rescinded, or the ring is corrupt */

	struct hvk_request kick;
	bool started;           /* the attach or detach asked for has begun */
	bool ended;             /* ... and is over */
	enum netvsc_state next; /* the state then */
	bool gone_told;
	hvk_status result;       /* of the attach: the first error */
	hvk_status close_status; /* of the detach */

	/* The step that is being done. */
	struct hvk_steps steps; /* an answer's payload: NVS: the message; RNDIS: the information queried */
	bool timer_late;        /* one fired while another CPU had the card; atomic */

	/* What is established, in the order of bring-up. */
	bool opened, receive_connected, send_connected, rndis_up;
	bool silent; /* a step timed out: no use in asking politely */
	uint32_t nvs_version, nvs_attempt;
	struct netvsc_ticket nvs_ticket;
	bool nvs_pending, revoke_unanswered;
	struct hvk_gpadl receive_gpadl, send_gpadl;
	struct hvk_request receive_teardown, send_teardown;
	bool receive_teardown_begun, send_teardown_begun;
	uint32_t teardowns; /* begun and not finished */
	bool withhold;      /* the rings' GPADL was not torn down: the host may still read our pages */
	struct hvk_rndis_device device;

	struct netvsc_control control;

	/* Settings. wanted is what the steps work for; it becomes set when they succeed. */
	struct netvsc_settings set, wanted;
	bool receiving; /* frames are handed up; atomic */
	struct netvsc_operation operation;
	uint32_t to_do;              /* NETVSC_DO_* */
	bool news;                   /* ... after which the user is told that info changed */
	bool news_had_turn;          /* what the host wanted went first last time */
	hvk_status operation_status; /* of what failed first */
	enum netvsc_restart restart;
	bool going_down;                 /* the half of the restart */
	struct hvk_netdev_info info_was; /* before it */
	uint32_t nvs_was, mtu_was;
	bool quiet_awaited; /* who leaves transmit or gives back the last frame kicks; atomic */
	struct hvk_timer debounce;
	bool debounced;               /* it fired; atomic */
	bool query_link, query_speed; /* are to be asked for again */
	struct hvk_ndis_rss rss;      /* what the host can do; table_size 0: no RSS */
	struct hvk_ndis_rss_message rss_message;
	uint32_t subchannels; /* granted */
	uint32_t opening;     /* queue whose channel is being opened or closed */
	uint32_t open_next;   /* queues before it have had their turn; 0: a new round */
	bool hooked;
	bool subchannels_wanted;       /* under lock */
	struct hvk_request hooks_left; /* the contact CPU is not in our hooks any more */
	uint64_t faults;               /* atomic */
	uint32_t lent;                 /* frames, of all queues if there are several; atomic */
	bool lost_untold;              /* queue 0 is to look at lost; atomic */
	uint32_t section_size;         /* of the send buffer; 0: none */

	/* The receive buffer, common to the queues: sub-queues are closed before it changes. */
	struct hvk_nvs_geometry geometry;
	struct hvk_shared receive_buffer; /* the first geometry.extent bytes of it */
	uint32_t queue_count;             /* that there may be: config.queues */
	uint32_t queues_in_use;           /* open, from 0 on without a gap; atomic */
	/* The queue that the host wants a frame on, by its hash; atomic. */
	bool send_table_known;
	uint32_t send_table[NVS_SEND_INDIRECTION_COUNT];
	struct netvsc_queue queues[];
};

static inline struct netvsc_queue *netvsc_primary(struct hvk_netvsc *nic)
{
	return &nic->queues[0];
}

static inline uint32_t netvsc_queues_in_use(const struct hvk_netvsc *nic)
{
	return __atomic_load_n(&nic->queues_in_use, __ATOMIC_RELAXED);
}

/* Frames are wanted: not while the card is taken down to be brought up again, whatever info says. */
static inline bool netvsc_receiving(const struct hvk_netvsc *nic)
{
	return __atomic_load_n(&nic->receiving, __ATOMIC_RELAXED);
}

static inline bool netvsc_queue_is_open(const struct netvsc_queue *queue)
{
	return __atomic_load_n(&queue->open, __ATOMIC_ACQUIRE);
}

/* Written under lock, read anywhere. */
static inline enum netvsc_state netvsc_state(const struct hvk_netvsc *nic)
{
	return __atomic_load_n(&nic->state, __ATOMIC_RELAXED);
}

static inline void netvsc_set_state(struct hvk_netvsc *nic, enum netvsc_state state)
{
	__atomic_store_n(&nic->state, state, __ATOMIC_RELAXED);
}

static inline bool netvsc_quiet_awaited(const struct hvk_netvsc *nic)
{
	return __atomic_load_n(&nic->quiet_awaited, __ATOMIC_SEQ_CST);
}

static inline hvk_status netvsc_lost(const struct hvk_netvsc *nic)
{
	return __atomic_load_n(&nic->lost, __ATOMIC_RELAXED);
}

static inline void netvsc_set_lost(struct hvk_netvsc *nic, hvk_status status)
{
	__atomic_store_n(&nic->lost, status, __ATOMIC_RELAXED);
}

/* For counters that the queue's owner alone writes, without the lock. */
static inline void netvsc_count(uint64_t *counter, uint64_t by)
{
	__atomic_store_n(counter, *counter + by, __ATOMIC_RELAXED);
}

/* --- netvsc.c ----------------------------------------------------------------------- */

/* Has the rest done on the primary channel's CPU. Any context; not under a lock. */
void hvk_netvsc_kick(struct hvk_netvsc *nic);
/* The same in two halves: mark, under any lock or none, then queue without one if mark returned
 * true. Between them the object stays. */
bool hvk_netvsc_kick_mark(struct hvk_netvsc *nic);
void hvk_netvsc_kick_queue(struct hvk_netvsc *nic);
/* A timer fired and the card is another CPU's just now: it is looked at again as soon as it is not. Nobody
 * but the card's owner starts or stops a timer. */
void hvk_netvsc_timer_late(struct hvk_netvsc *nic);
/* Counts a host fault; any queue. */
void hvk_netvsc_fault(struct hvk_netvsc *nic, hvk_status status, const char *what);

/* --- life.c ------------------------------------------------------------------------- */

void hvk_netvsc_life_init(struct hvk_netvsc *nic);
/* A channel of it is of no use any more, and so the card. In that queue. */
void hvk_netvsc_lost(struct netvsc_queue *queue, hvk_status status);
/* The sequence asked for is over: hvk_netvsc_kick finishes its requests. */
void hvk_netvsc_end(struct hvk_netvsc *nic, enum netvsc_state state);
/* Nobody wants the card any more: what is under way is to end soon. */
bool hvk_netvsc_unwanted(struct hvk_netvsc *nic);
/* Halves of a restart: the state is set already. */
void hvk_netvsc_take_down(struct hvk_netvsc *nic);
void hvk_netvsc_bring_up(struct hvk_netvsc *nic);
/* The user's hooks. */
void hvk_netvsc_info_changed(struct hvk_netvsc *nic);
void hvk_netvsc_tell_gone(struct hvk_netvsc *nic);

/* --- vf.c ---------------------------------------------------------------------------- */

/* The host's word on a VF; on the CPU of queue 0. */
void hvk_netvsc_take_association(struct hvk_netvsc *nic, const uint8_t *payload, uint32_t length);
/* The card is brought up or taken down: what was said is over. */
void hvk_netvsc_forget_association(struct hvk_netvsc *nic);
/* Whoever pairs a VF with the card (vf.h): something has changed. */
void hvk_netvsc_tell_association(struct hvk_netvsc *nic);
hvk_status hvk_netvsc_prepare_data_path(struct hvk_netvsc *nic); /* may it be asked for? */
hvk_status hvk_netvsc_begin_data_path(void *device);
/* operations.c; status: what is known to be wrong with it already. */
void hvk_netvsc_ask(struct hvk_netvsc *nic, const struct netvsc_operation *operation, hvk_status status);

/* --- mtu.c ----------------------------------------------------------------------------- */

void hvk_netvsc_mtu_start(struct hvk_netvsc *nic, uint32_t mtu);
/* A half is over. True: another begins; false: the operation is finished, and nic->next is where the
 * card is. */
bool hvk_netvsc_mtu_goes_on(struct hvk_netvsc *nic);

/* --- steps.c -------------------------------------------------------------------------- */

void hvk_netvsc_steps_init(struct hvk_netvsc *nic);
/* hvk_steps_interrupt, and an RNDIS request's answer is not waited for. */
void hvk_netvsc_steps_interrupt(struct hvk_netvsc *nic, hvk_status status);
/* Sends an NVS request and waits for its completion. */
hvk_status hvk_netvsc_steps_nvs(struct hvk_netvsc *nic, const struct hvk_nvs_message *message);
/* An RNDIS request's answer goes to the step. */
void hvk_netvsc_steps_rndis_answered(struct hvk_netvsc *nic, const struct hvk_answer *answer);
/* ... for a step that waits for it. */
hvk_status hvk_netvsc_steps_query(struct hvk_netvsc *nic, uint32_t oid, const void *information,
				  uint32_t length);
hvk_status hvk_netvsc_steps_set(struct hvk_netvsc *nic, uint32_t oid, const void *information,
				uint32_t length);

/* --- attach.c, detach.c ---------------------------------------------------------------- */

extern const struct hvk_sequence hvk_netvsc_attach_sequence;
extern const struct hvk_sequence hvk_netvsc_detach_sequence;

/* --- Steps that several tables have ------------------------------------------------------- */

/* detach.c: no frame is with the host. */
hvk_status hvk_netvsc_begin_drain(void *device);
/* operations.c: the filter that wanted asks for. */
hvk_status hvk_netvsc_begin_filter(void *device);
/* link.c */
hvk_status hvk_netvsc_begin_link(void *device);
hvk_status hvk_netvsc_begin_speed(void *device);
bool hvk_netvsc_has_speed(const void *device);
/* A 32-bit value that the host may refuse to tell: then value stays. */
hvk_status hvk_netvsc_take_word(const struct hvk_answer *answer, uint32_t *value);
/* offload.c */
hvk_status hvk_netvsc_begin_capabilities(void *device);
hvk_status hvk_netvsc_take_capabilities(void *device, const struct hvk_answer *answer);
bool hvk_netvsc_has_offloads(const void *device);
hvk_status hvk_netvsc_begin_offloads(void *device);
hvk_status hvk_netvsc_take_offloads(void *device, const struct hvk_answer *answer);
/* rss.c: off, then all of what wanted says for the queues that are open. */
bool hvk_netvsc_may_have_rss(const void *device);
hvk_status hvk_netvsc_begin_rss_query(void *device);
hvk_status hvk_netvsc_take_rss_query(void *device, const struct hvk_answer *answer);
bool hvk_netvsc_wants_rss(const void *device);
hvk_status hvk_netvsc_begin_rss_off(void *device);
hvk_status hvk_netvsc_begin_rss(void *device);
/* subchannels.c */
bool hvk_netvsc_may_have_subchannels(const void *device);
hvk_status hvk_netvsc_begin_subchannels(void *device);
hvk_status hvk_netvsc_take_subchannels(void *device, const struct hvk_answer *answer);
hvk_status hvk_netvsc_await_subchannels(void *device);
hvk_status hvk_netvsc_begin_open(void *device);
hvk_status hvk_netvsc_take_open(void *device, const struct hvk_answer *answer);
hvk_status hvk_netvsc_begin_close_lost(void *device);
hvk_status hvk_netvsc_begin_close_all(void *device);
hvk_status hvk_netvsc_take_close(void *device, const struct hvk_answer *answer);
bool hvk_netvsc_has_hooks(const void *device);
hvk_status hvk_netvsc_begin_hooks_off(void *device);

/* --- control.c --------------------------------------------------------------------------- */

hvk_status hvk_netvsc_control_start(struct hvk_netvsc *nic);
/* Ends with the pages given back, or withheld from everybody. */
void hvk_netvsc_control_stop(struct hvk_netvsc *nic, bool withhold);
void hvk_netvsc_control_init(struct hvk_netvsc *nic);
/* One request at a time. HVK_EINPROGRESS: answered will be called, with what the host
 * says, a refusal or a time-out. Anything else: it will not. */
hvk_status hvk_netvsc_control_initialize(struct hvk_netvsc *nic, netvsc_control_answered answered);
/* type: RNDIS_MSG_QUERY, RNDIS_MSG_SET. */
hvk_status hvk_netvsc_control_request(struct hvk_netvsc *nic, uint32_t type, uint32_t oid,
				      const void *information, uint32_t length,
				      netvsc_control_answered answered);
/* Forgets the request in flight: answered is not called any more. */
void hvk_netvsc_control_forget(struct hvk_netvsc *nic);
/* Has no answer. HVK_EAGAIN: no room. */
hvk_status hvk_netvsc_control_halt(struct hvk_netvsc *nic);
/* The timer fired. */
void hvk_netvsc_control_time(struct hvk_netvsc *nic);
/* There may be room. */
void hvk_netvsc_control_room(struct hvk_netvsc *nic);
void hvk_netvsc_control_sent(struct hvk_netvsc *nic, struct netvsc_control_slot *slot, const uint8_t *payload,
			     uint32_t length);
/* An answer came in. */
void hvk_netvsc_control_receive(struct hvk_netvsc *nic, uint32_t type, const struct hvk_shared *range);
void hvk_netvsc_control_keepalive(struct hvk_netvsc *nic, const struct hvk_shared *range);

/* --- operations.c -------------------------------------------------------------------------- */

void hvk_netvsc_set_flags(struct hvk_netdev *netdev, uint32_t flags, struct hvk_request *request);
void hvk_netvsc_set_enabled(struct hvk_netdev *netdev, uint32_t enabled, struct hvk_request *request);
void hvk_netvsc_set_mtu(struct hvk_netdev *netdev, uint32_t mtu, struct hvk_request *request);
void hvk_netvsc_set_multicast(struct hvk_netdev *netdev, const uint8_t (*groups)[6], uint32_t count,
			      struct hvk_request *request);
void hvk_netvsc_set_rss(struct hvk_netdev *netdev, const struct hvk_netdev_rss *rss,
			struct hvk_request *request);
void hvk_netvsc_refuse(struct hvk_netdev *netdev, struct hvk_request *request);
/* Begins the next one, if none is under way. False: there is none that goes before others_wait. */
bool hvk_netvsc_operations_run(struct hvk_netvsc *nic, bool others_wait);
/* All that wait finish with status. */
void hvk_netvsc_operations_cancel(struct hvk_netvsc *nic, hvk_status status);
void hvk_netvsc_operation_finish(struct hvk_netvsc *nic, hvk_status status);
/* wanted holds: set and info follow. */
void hvk_netvsc_settle(struct hvk_netvsc *nic);
/* True if the user wants frames to that group. Any CPU; under no lock. */
bool hvk_netvsc_group_wanted(struct hvk_netvsc *nic, const uint8_t address[6]);

/* --- link.c ------------------------------------------------------------------------------------ */

void hvk_netvsc_link_init(struct hvk_netvsc *nic);
/* Nothing more comes of a change of network. */
void hvk_netvsc_link_quiet(struct hvk_netvsc *nic);
void hvk_netvsc_set_link(struct hvk_netvsc *nic, bool up);
void hvk_netvsc_link_answered(struct hvk_netvsc *nic, const struct hvk_answer *answer);
void hvk_netvsc_speed_answered(struct hvk_netvsc *nic, const struct hvk_answer *answer);
void hvk_netvsc_indicate_status(struct hvk_netvsc *nic, const struct hvk_shared *range);

/* --- rss.c --------------------------------------------------------------------------------------- */

void hvk_netvsc_get_rss(struct hvk_netdev *netdev, struct hvk_netdev_rss *out);
/* HVK_OK, HVK_ENOTSUP, HVK_EINVAL. */
hvk_status hvk_netvsc_rss_check(const struct hvk_netvsc *nic, const struct hvk_netdev_rss *rss);

/* --- subchannels.c --------------------------------------------------------------------------------- */

void hvk_netvsc_subchannels_init(struct hvk_netvsc *nic);
/* NETVSC_DO_OPEN, NETVSC_DO_CLOSE: what has come and gone since. */
uint32_t hvk_netvsc_subchannels_news(struct hvk_netvsc *nic);
/* All that were granted are there. */
bool hvk_netvsc_subchannels_complete(struct hvk_netvsc *nic);
/* Queues that frames may be steered to: open, from 0 to the first that is not or is lost. */
uint32_t hvk_netvsc_queues_usable(const struct hvk_netvsc *nic);

/* --- queue.c ------------------------------------------------------------------------------------ */

hvk_status hvk_netvsc_queue_init(struct hvk_netvsc *nic, uint32_t index);
/* False: somebody is in it on another CPU. Come back: return true from ready, finish the request
 * anew, hvk_netvsc_timer_late. Only from hvk_poll. */
static inline bool hvk_netvsc_queue_enter(struct netvsc_queue *queue)
{
	return !__atomic_exchange_n(&queue->owned, true, __ATOMIC_ACQUIRE);
}
static inline void hvk_netvsc_queue_leave(struct netvsc_queue *queue)
{
	__atomic_store_n(&queue->owned, false, __ATOMIC_RELEASE);
}
/* The same for all of the card that is not a queue. */
static inline bool hvk_netvsc_enter(struct hvk_netvsc *nic)
{
	return hvk_netvsc_queue_enter(&nic->queues[0]);
}
static inline void hvk_netvsc_leave(struct hvk_netvsc *nic)
{
	hvk_netvsc_queue_leave(&nic->queues[0]);
}
/* ... the request anew: done is called once more, later. */
void hvk_netvsc_come_back(struct hvk_netvsc *nic, struct hvk_request *request);

/* Has what waits on the queue's CPU done: frames that came back, completions. mark under the
 * queue's lock, then send without it if mark returned true. */
bool hvk_netvsc_queue_kick_mark(struct netvsc_queue *queue);
void hvk_netvsc_queue_kick_send(struct netvsc_queue *queue);

/* Memory to send with, then opens the channel; request finishes on cpu. A sub-queue must be
 * claimed by then, and gets the memory to receive with here too (queue 0 when the geometry
 * is known). Anything but HVK_EINPROGRESS: the request will not finish; stop the queue. */
hvk_status hvk_netvsc_queue_start(struct netvsc_queue *queue, struct hvk_channel *channel, uint32_t cpu,
				  struct hvk_request *request);
/* The channel is open: from now on frames go through it. */
void hvk_netvsc_queue_opened(struct netvsc_queue *queue);
/* Nothing goes in any more, and no kick is heeded: before the channel is closed. Who is in it by then
 * has left when it is closed, or at least owns it. */
void hvk_netvsc_queue_quiet(struct netvsc_queue *queue);
/* The channel is closed: frames that are left are done with HVK_ECANCELED, the memory is given
 * back, or withheld. Also after a start that failed. */
void hvk_netvsc_queue_stop(struct netvsc_queue *queue, bool withhold);
/* What queues that were stopped while frames of theirs were lent still have goes when those are back. */
void hvk_netvsc_queues_settle(struct hvk_netvsc *nic);
/* Under no lock; true if it holds for each queue. */
bool hvk_netvsc_all_queues(struct hvk_netvsc *nic, bool (*is)(struct netvsc_queue *queue));
/* Queues in use: those that are open, from 0 to the first that is not. */
uint32_t hvk_netvsc_queues_open(const struct hvk_netvsc *nic);
/* Divides the send buffer's sections among that many queues; while nothing is sent. */
void hvk_netvsc_queues_divide(struct hvk_netvsc *nic, uint32_t count);

/* --- transmit.c ------------------------------------------------------------------------------ */

hvk_status hvk_netvsc_transmit_start(struct netvsc_queue *queue);
/* The send buffer has sections of that size; all go to queue 0 until they are divided. */
void hvk_netvsc_transmit_sections(struct hvk_netvsc *nic, uint32_t section_size);
/* Taken frames are done with HVK_ECANCELED. The channel is closed. */
void hvk_netvsc_transmit_stop(struct netvsc_queue *queue, bool withhold);
/* Of all queues, or of one. What waits in sections is sent before one is closed. */
void hvk_netvsc_transmit_open(struct hvk_netvsc *nic, enum netvsc_tx_state state);
void hvk_netvsc_transmit_state(struct netvsc_queue *queue, enum netvsc_tx_state state);
enum hvk_tx_result hvk_netvsc_transmit(struct hvk_netdev *netdev, struct hvk_tx_frame *frame);
uint32_t hvk_netvsc_transmit_many(struct hvk_netdev *netdev, struct hvk_tx_frame *const *frames,
				  uint32_t count, enum hvk_tx_result *result);
void hvk_netvsc_flush(struct hvk_netdev *netdev);
void hvk_netvsc_transmit_sent(struct netvsc_queue *queue, struct netvsc_send *send, const uint8_t *payload,
			      uint32_t length);
/* The end of a poll: sends what waits, calls tx_ready if it is owed and there may be room. */
void hvk_netvsc_transmit_room(struct netvsc_queue *queue);
/* Of all queues. */
bool hvk_netvsc_transmit_idle(struct hvk_netvsc *nic);

/* --- receive.c --------------------------------------------------------------------------------- */

/* The receive buffer is there: for all queues, and memory for queue 0. */
hvk_status hvk_netvsc_receive_start(struct hvk_netvsc *nic, const struct hvk_nvs_geometry *geometry);
hvk_status hvk_netvsc_receive_start_queue(struct netvsc_queue *queue);
/* From now on no range is looked at. */
void hvk_netvsc_receive_forget(struct hvk_netvsc *nic);
void hvk_netvsc_receive_stop(struct netvsc_queue *queue);
/* The packet needs its completion, soon. */
void hvk_netvsc_receive_give_back(struct netvsc_queue *queue, uint64_t transaction_id);
/* Sends what completions the ring takes. */
void hvk_netvsc_receive_complete(struct netvsc_queue *queue);
bool hvk_netvsc_ready(void *context, struct hvk_channel *channel);
/* A range with any message but a frame. */
void hvk_netvsc_receive_control(struct netvsc_queue *queue, uint32_t type, const struct hvk_shared *range);

/* --- receive_frame.c --------------------------------------------------------------------------- */

/* Ranges of a transfer-page packet, from a private copy of it. Between begin and end. */
void hvk_netvsc_receive_ranges(struct netvsc_queue *queue, const uint8_t *ranges, uint32_t count);
void hvk_netvsc_frames_begin(struct netvsc_queue *queue);
/* Counts them, and tells the user that there are no more for now. */
void hvk_netvsc_frames_end(struct netvsc_queue *queue);
/* Hands up what lies at data, which is private (owner NULL) or lent. */
void hvk_netvsc_hand_up(struct netvsc_queue *queue, const struct hvk_rndis_frame *found,
			struct hvk_rx_frame *frame);

/* --- rsc.c --------------------------------------------------------------------------------------- */

/* A part of a joined packet: kept, and the whole handed up with the last one. */
void hvk_netvsc_receive_part(struct netvsc_queue *queue, const struct hvk_shared *range,
			     const struct hvk_rndis_frame *found);
/* The whole of one, that came in one message. */
void hvk_netvsc_receive_joined(struct netvsc_queue *queue, const struct hvk_shared *range,
			       const struct hvk_rndis_frame *found);
/* Memory to join them in, before the host is told that it may send them; in queue 0. Also again. */
hvk_status hvk_netvsc_joining_start(struct hvk_netvsc *nic);
hvk_status hvk_netvsc_joining_start_queue(struct netvsc_queue *queue);
/* Another frame came: what is not whole by now never will be. */
void hvk_netvsc_drop_parts(struct netvsc_queue *queue);

/* --- lend.c ------------------------------------------------------------------------------------ */

/* Memory for as many frames as are configured, and no more than leave the host room. */
hvk_status hvk_netvsc_lend_start(struct netvsc_queue *queue);
void hvk_netvsc_lend_stop(struct netvsc_queue *queue);
/* An owner for one more frame of the packet that is being received, which has that many
 * ranges; NULL: it is to be copied. */
void *hvk_netvsc_lend_frame(struct netvsc_queue *queue, uint64_t transaction_id, uint32_t ranges);
/* The packet that was received is through. True: nothing of it is lent, complete it. */
bool hvk_netvsc_lend_seal(struct netvsc_queue *queue);
/* Packets whose frames are back are given back. From begin to end, who returns one does not
 * kick; without an end, those that come later do. */
void hvk_netvsc_lend_begin(struct netvsc_queue *queue);
void hvk_netvsc_lend_collect(struct netvsc_queue *queue);
/* Of all queues. */
bool hvk_netvsc_lend_idle(struct hvk_netvsc *nic);
void hvk_netvsc_release(struct hvk_netdev *netdev, void *owner);

#endif
