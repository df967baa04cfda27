/* SPDX-License-Identifier: MIT */
/*
 * VMBus, what its files share. Private to guest/vmbus and guest/instance.
 *
 *   versions.c   what each protocol version changes
 *   message.c    control messages of the host, checked into private structures
 *   contact.c    making contact, boot mode, UNLOAD, suspend and resume
 *   abandon.c    the abrupt exit
 *   outgoing.c   control messages of ours: a queue of things to say, posted as the
 *                hypervisor takes them
 *   offer.c      channels: offered, rescinded
 *   ids.c        channels by id and by device; ids that were refused
 *   news.c       telling the user of them; ids given back
 *   subchannel.c more rings of one device
 *   gpadl.c      shared memory; gpadl_split.h its arithmetic
 *   channel.c    open and close
 *   run.c        calling ready; the time when a channel is looked at
 *   move.c       to another CPU
 *   ring.c       rings; ring_math.h their arithmetic
 *   packet.c     sending and receiving, request ids
 *   ready.c      channels that have something to do, per CPU
 *   signal.c     telling the host: hypercall or monitor page
 *   bus.c        events, polling
 *   dump.c       looking inside
 */
#ifndef HVK_VMBUS_BUS_H
#define HVK_VMBUS_BUS_H

#include "guest/core/list.h"
#include "guest/core/state.h"
#include "guest/hypervisor/hypervisor.h"
#include "guest/vmbus/message.h"
#include "guest/vmbus/requests.h"
#include "guest/vmbus/ring.h"
#include "guest/vmbus/versions.h"
#include "hvkit/vmbus.h"
#include "hvkit/wire/hypervisor.h"

#define HVK_CHANNELS_MAX (VMBUS_MAX_CHANNELS - 1) /* at a time, those that only a claim keeps among them */
#define HVK_SUBCHANNELS_MAX 255u                  /* of one device; 64 is what hosts offer */
#define HVK_DEVICE_BUCKETS 128u
#define HVK_IDS_PER_PAGE ((uint32_t)(HVK_PAGE_SIZE / sizeof(struct hvk_channel *)))
#define HVK_ATTEMPTS_MAX 16u
#define HVK_POSTS_PER_POLL 64u /* messages posted per poll; a 16 MiB GPADL has 147 */
#define HVK_POST_RETRY_FIRST_MS 1u
#define HVK_POST_RETRY_MAX_MS 128u
#define HVK_ROOM_POLL_MS 10u /* hosts that forget to say that a ring has room (QEMU) */

/* What waits in bus.outgoing. */
enum hvk_outgoing_kind {
	HVK_OUT_CONTACT,
	HVK_OUT_REQUEST_OFFERS,
	HVK_OUT_UNLOAD,
	HVK_OUT_OPEN,
	HVK_OUT_CLOSE,
	HVK_OUT_MODIFY,
	HVK_OUT_RELEASE,
	HVK_OUT_RELEASE_REFUSED, /* ids of offers that we did not take */
	HVK_OUT_GPADL_CREATE,
	HVK_OUT_GPADL_TEARDOWN
};

enum hvk_gpadl_state {
	HVK_GPADL_NONE,
	HVK_GPADL_CREATING, /* header or bodies still to be posted */
	HVK_GPADL_CREATED_WAIT,
	HVK_GPADL_LIVE,
	HVK_GPADL_TEARING, /* teardown to be posted, or awaited */
	HVK_GPADL_LEFT     /* the answer came too late: pages in quarantine */
};

/* Steps of contact.c. */
enum hvk_contact_step {
	HVK_STEP_NONE,
	HVK_STEP_PROBE,        /* boot mode: contact at 3.0 */
	HVK_STEP_PROBE_UNLOAD, /* boot mode: UNLOAD after it */
	HVK_STEP_CONTACT,      /* contact at attempt n */
	HVK_STEP_OFFERS,
	HVK_STEP_CLOSING, /* disconnect: channels and GPADLs */
	HVK_STEP_UNLOAD
};

/* What is to be done about the bus' pages when the lock is not held. */
enum hvk_contact_end { HVK_END_NONE, HVK_END_FREE, HVK_END_QUARANTINE };

enum hvk_channel_step {
	HVK_CH_IDLE,
	HVK_CH_OPEN_GPADL,
	HVK_CH_OPEN_RESULT,
	HVK_CH_SUBCHANNELS, /* close: its sub-channels first */
	HVK_CH_QUIESCE,     /* close: its CPU must pass a poll */
	HVK_CH_TEARDOWN     /* close: the rings' GPADL */
};

enum hvk_move_step {
	HVK_MOVE_NONE,
	HVK_MOVE_MODIFY,  /* MODIFY_CHANNEL is to be posted, or its answer awaited */
	HVK_MOVE_LEAVE,   /* the old CPU is to hand the channel over when it looks at it next */
	HVK_MOVE_HANDOVER /* it is about to, or has, without the lock: the channel must stay */
};

struct hvk_channel {
	struct hvk *hvk;
	struct hvk_pages self; /* the page that holds this structure */
	struct hvk_offer offer;
	bool rescinded; /* by the host, or the connection is over: the host has let go of it */
	bool withdrawn; /* a sub-channel whose primary is rescinded, itself not yet */
	bool announced; /* the user knows it */
	bool announce;  /* the user is to be told: offered */
	bool again;     /* ... that it is back */
	bool claimed;   /* a driver holds the pointer */
	bool absent;    /* suspended, not offered again yet */
	bool releasing; /* RELID_RELEASED is queued */
	bool released;  /* ... or posted, or never will be: free when told */

	/* Lists, under bus.lock. */
	struct hvk_link all;
	struct hvk_link active;  /* not closed */
	struct hvk_link waiting; /* deadline is not HVK_NEVER */
	struct hvk_link device;  /* bus.devices, by device_hash */
	uint32_t device_hash;
	bool in_news;
	struct hvk_channel *news_next;

	/* Sub-channels, by index; under bus.lock. */
	struct hvk_channel *primary; /* of a sub-channel; else NULL */
	struct hvk_channel *subchannels, *subchannel_next;
	uint32_t subchannel_count;
	struct hvk_subchannel_hooks hooks;
	bool hooked;

	/* Open and close; under bus.lock. */
	enum hvk_channel_state state;
	enum hvk_channel_step step;
	struct hvk_channel_config config;
	struct hvk_request *request;
	hvk_status result; /* what request will be told */
	uint64_t deadline; /* hvk_channel_set_deadline */
	struct hvk_outgoing open_close, release, modify;
	struct hvk_gpadl rings;
	struct hvk_pages request_pages;
	uint32_t gpadl_count; /* GPADLs that point here: it stays until they are gone */

	/* Its CPU; under bus.lock. cpu itself changes with tx_lock and the old CPU's lock held. */
	uint32_t cpu;
	uint32_t move_to;
	enum hvk_move_step move;
	struct hvk_request *move_request;

	/* The data path. */
	struct hvk_lock tx_lock;
	struct hvk_ring_out out;
	struct hvk_ring_in in;
	struct hvk_requests requests; /* under tx_lock */
	bool usable;                  /* rings may be touched; cleared with tx_lock held */
	bool room_wanted;             /* somebody was told HVK_EAGAIN; under tx_lock */
	struct hvk_timer room_timer;
	bool held;       /* its driver has no room: what is in the ring waits; of its CPU */
	hvk_status dead; /* HVK_OK, or why the inbound ring is not read any more */
	struct hvk_channel_counters counters;

	/* List of its CPU's ready channels; under that CPU's lock. */
	struct hvk_channel *ready_next;
	bool queued;
	bool running; /* taken off the list and not finished with */
};

HVK_STATIC_ASSERT(sizeof(struct hvk_channel) <= HVK_PAGE_SIZE, "a channel's state is one page");

struct hvk_attempt {
	uint32_t version;
	bool accepted;
};

struct hvk_bus {
	struct hvk_lock lock;
	enum hvk_vmbus_state state;
	struct hvk_vmbus_config config;
	uint32_t contact_cpu; /* config.cpu, to be read without the lock */
	enum hvk_contact_step step;
	struct hvk_request *request;
	uint64_t deadline;           /* of the step */
	struct hvk_outgoing contact; /* what the bus itself has to say */

	struct hvk_attempt attempts[HVK_ATTEMPTS_MAX];
	uint32_t attempt_count;
	uint32_t plan[HVK_ATTEMPTS_MAX]; /* versions to try, in order */
	uint32_t plan_count, plan_next;
	const struct hvk_version *version; /* in use, or being tried; NULL when cold */
	bool knows_3_0;                    /* the host has shown it: UNLOAD works */
	bool suspending, resuming;
	bool reconnecting;     /* until the host's first answer: what was connected is still its */
	bool abandon_answered; /* the host has let go of everything */
	bool connect_finished; /* connected: the request is finished after the offers were told */
	enum hvk_contact_end ending;
	bool dirty;        /* something came or went that the user is to be told */
	hvk_status result; /* of the request, once the bus is unloaded */
	uint32_t message_connection;

	struct hvk_pages interrupt_page, monitor_pages;
	struct hvk_shared interrupt_bits; /* all of the interrupt page */
	struct hvk_shared monitor;        /* guest to host page */

	struct hvk_outgoing *out_first, *out_last;
	uint64_t retry_at; /* of the head of the queue; 0 = at once */
	uint32_t retry_ms;
	uint64_t post_deadline;

	struct hvk_link *channels; /* all */
	struct hvk_link *active;   /* opening, open or closing */
	struct hvk_link *waiting;  /* with a deadline */
	uint32_t channel_count;
	struct hvk_link *devices[HVK_DEVICE_BUCKETS];
	/* By id: pages of pointers, each there once an id in it was offered. */
	struct hvk_pages ids[VMBUS_MAX_CHANNELS * sizeof(struct hvk_channel *) / HVK_PAGE_SIZE];
	/* Something about them may have to be told, or done. */
	struct hvk_channel *news_first, *news_last;
	/* Ids that were offered and not taken, or given up before the host took them back;
	 * and those of them that it has: to be given back. */
	uint32_t refused[VMBUS_MAX_CHANNELS / 32], give_back[VMBUS_MAX_CHANNELS / 32];
	struct hvk_outgoing release_refused;

	struct hvk_link *gpadls;      /* on the way to the host or back: something is awaited */
	struct hvk_link *gpadls_live; /* nothing to do */
	struct hvk_link *gpadls_done; /* finished: memory to be put back outside the lock */
	uint32_t gpadl_next_id;
};

/* --- bus.c ------------------------------------------------------------------- */
hvk_status hvk_bus_create(struct hvk *hvk);
/* After the abrupt exit: what the host has let go of goes back, the rest is withheld. */
void hvk_bus_destroy(struct hvk *hvk);
void hvk_bus_take_message(struct hvk *hvk, uint32_t cpu, const struct hv_message *message);
void hvk_bus_take_events(struct hvk *hvk, const uint32_t *words);
/* Deadlines are judged by now, which is older than what was last taken in. True: more to post. */
bool hvk_bus_poll(struct hvk *hvk, uint32_t cpu, uint64_t now);
/* Something came or went: the contact CPU is to look. */
void hvk_bus_stir(struct hvk *hvk);
/* Pages that the host may still write after an abrupt exit without an answer. */
bool hvk_bus_withheld(const struct hvk *hvk, uint32_t n, struct hvk_pages *out);
uint64_t hvk_bus_deadline(struct hvk *hvk);
/* Below 2.4 events are in the interrupt page's first part; otherwise in the SINT's flags. */
void hvk_bus_set_scan(struct hvk *hvk, bool shared_events);
/* The host knows nothing of ours, or never will hear of us again. */
static inline bool hvk_bus_at_rest(enum hvk_vmbus_state state)
{
	return state == HVK_VMBUS_COLD || state == HVK_VMBUS_SUSPENDED || state == HVK_VMBUS_ABANDONED;
}

/* All below are called with bus.lock held, unless a line says otherwise. */

/* --- outgoing.c --------------------------------------------------------------- */
void hvk_out_put(struct hvk *hvk, struct hvk_outgoing *item, enum hvk_outgoing_kind kind);
void hvk_out_drop(struct hvk *hvk, struct hvk_outgoing *item);
void hvk_out_pump(struct hvk *hvk);
uint64_t hvk_out_deadline(const struct hvk *hvk);

/* --- contact.c ------------------------------------------------------------------ */
void hvk_contact_version_response(struct hvk *hvk, const struct hvk_message *message);
void hvk_contact_unload_response(struct hvk *hvk);
void hvk_contact_all_offers(struct hvk *hvk);
/* What the bus had to say was posted, or could not be: no_connection is status 0x12. */
void hvk_contact_posted(struct hvk *hvk, enum hvk_outgoing_kind kind, uint64_t now);
void hvk_contact_post_failed(struct hvk *hvk, hvk_status status, bool no_connection);
void hvk_contact_advance(struct hvk *hvk, uint64_t now);
uint32_t hvk_contact_fill(struct hvk *hvk, void *to); /* INITIATE_CONTACT; returns its length */
uint64_t hvk_contact_deadline(const struct hvk *hvk);
void hvk_contact_release_pages(struct hvk *hvk, bool quarantine); /* without the lock */
void hvk_contact_settle(struct hvk *hvk);                         /* without the lock */
/* From connected, with nothing on its way; without the lock. */
void hvk_vmbus_reconnect(struct hvk *hvk, struct hvk_request *request);
uint32_t hvk_contact_connection(const struct hvk *hvk);

/* --- ids.c ------------------------------------------------------------------------- */
struct hvk_channel *hvk_offer_find(struct hvk *hvk, uint32_t channel_id);
/* The next one in order of ids from this id on, or NULL. */
struct hvk_channel *hvk_ids_next(struct hvk *hvk, uint32_t channel_id);
bool hvk_ids_lack_page(struct hvk *hvk, uint32_t channel_id);
/* page: for its pointers if there is none yet; taken if its count becomes 0. False: none. */
bool hvk_ids_put(struct hvk *hvk, struct hvk_channel *channel, struct hvk_pages *page);
void hvk_ids_drop(struct hvk *hvk, struct hvk_channel *channel);
uint32_t hvk_device_hash(const struct hvk_offer *offer);
/* Of this type, instance and index, and not over. */
struct hvk_channel *hvk_device_find(struct hvk *hvk, const struct hvk_offer *offer, uint32_t hash,
				    uint16_t subchannel_index);
void hvk_refused_add(struct hvk *hvk, uint32_t channel_id);
bool hvk_refused_has(const struct hvk *hvk, uint32_t channel_id);
void hvk_refused_rescind(struct hvk *hvk, uint32_t channel_id);
void hvk_refused_forget(struct hvk *hvk); /* the connection is over */
uint32_t hvk_refused_next(const struct hvk *hvk);
bool hvk_refused_posted(struct hvk *hvk); /* true: that was the last one */

/* --- offer.c ---------------------------------------------------------------------- */
/* Private pages: for the channel's state, with its lock, and for its place among the ids. Each is
 * taken if its count becomes 0. */
struct hvk_offer_pages {
	struct hvk_pages channel, ids;
};
/* Without the lock. */
void hvk_offer_prepare(struct hvk *hvk, uint32_t channel_id, struct hvk_offer_pages *pages);
void hvk_offer_take(struct hvk *hvk, const struct hvk_message *message, struct hvk_offer_pages *pages);
void hvk_offer_rescind(struct hvk *hvk, uint32_t channel_id);
void hvk_offer_release_all(struct hvk *hvk); /* the bus is cold: tell and free them */
void hvk_offer_lose_all(struct hvk *hvk);    /* from connected: the host may have forgotten them */
void hvk_offer_lost_all(struct hvk *hvk);    /* ... and has now */
void hvk_offer_forget_all(struct hvk *hvk);  /* without the lock; tells nobody */
void hvk_offer_suspend_all(struct hvk *hvk);
void hvk_offer_drop_absent(struct hvk *hvk);
/* The host has taken it back, or its primary: nothing new is begun on it. */
static inline bool hvk_channel_over(const struct hvk_channel *channel)
{
	return channel->rescinded || channel->withdrawn || channel->released;
}

/* --- news.c ------------------------------------------------------------------------- */
/* Something about it changed that the user may have to be told, or the host. */
void hvk_news_put(struct hvk *hvk, struct hvk_channel *channel);
void hvk_news_released(struct hvk *hvk, struct hvk_channel *channel); /* RELID_RELEASED is out */
/* Without the lock: tells the user of channels that came and went. */
void hvk_news_tell(struct hvk *hvk);
void hvk_channel_free(struct hvk *hvk, struct hvk_channel *channel);

/* --- subchannel.c -------------------------------------------------------------------- */
void hvk_subchannel_link(struct hvk_channel *primary, struct hvk_channel *subchannel);
void hvk_subchannel_unlink(struct hvk *hvk, struct hvk_channel *subchannel);
/* Its primary is rescinded. */
void hvk_subchannels_withdraw(struct hvk *hvk, struct hvk_channel *primary);
/* A primary that closes: goes on once no sub-channel is open. */
void hvk_subchannels_close(struct hvk *hvk, struct hvk_channel *primary);

/* --- gpadl.c ------------------------------------------------------------------------ */
/* Without the lock: memory, then having the host map it. Ends by request, or by
 * hvk_channel_gpadl_done for a channel's own rings. */
hvk_status hvk_gpadl_allocate(struct hvk_channel *channel, uint32_t page_count, struct hvk_gpadl *gpadl);
hvk_status hvk_gpadl_submit(struct hvk_channel *channel, struct hvk_gpadl *gpadl,
			    struct hvk_request *request);
void hvk_gpadl_begin_teardown(struct hvk *hvk, struct hvk_gpadl *gpadl);
void hvk_gpadl_created(struct hvk *hvk, const struct hvk_message *message);
void hvk_gpadl_torndown(struct hvk *hvk, uint32_t id);
void hvk_gpadl_channel_gone(struct hvk *hvk, struct hvk_channel *channel);
void hvk_gpadl_forget_all(struct hvk *hvk, bool host_may_write); /* without the lock */
/* The n-th that the host may still write, in any order. */
const struct hvk_gpadl *hvk_gpadl_withheld(const struct hvk *hvk, uint32_t n);
void hvk_gpadl_check_deadlines(struct hvk *hvk, uint64_t now);
uint64_t hvk_gpadl_deadline(const struct hvk *hvk);
/* Writes the next message of a GPADL that is being created; returns its length. */
uint32_t hvk_gpadl_fill(struct hvk *hvk, struct hvk_gpadl *gpadl, void *to);
/* That message was posted: true if it was the last one. */
bool hvk_gpadl_posted(struct hvk *hvk, struct hvk_gpadl *gpadl, uint64_t now);
void hvk_gpadl_teardown_posted(struct hvk *hvk, struct hvk_gpadl *gpadl, uint64_t now);
void hvk_gpadl_post_failed(struct hvk *hvk, struct hvk_gpadl *gpadl, hvk_status status);
void hvk_gpadl_teardown_all(struct hvk *hvk);
/* Without the lock: memory back to the port, requests finished. */
void hvk_gpadl_settle(struct hvk *hvk);

/* --- channel.c ------------------------------------------------------------------------- */
void hvk_channel_open_result(struct hvk *hvk, const struct hvk_message *message);
void hvk_channel_gpadl_done(struct hvk *hvk, struct hvk_channel *channel, hvk_status status);
void hvk_channel_gone(struct hvk *hvk, struct hvk_channel *channel);
void hvk_channel_check_deadline(struct hvk *hvk, struct hvk_channel *channel, uint64_t now);
void hvk_channel_begin_close(struct hvk *hvk, struct hvk_channel *channel);
/* ... of one whose sub-channels do not matter. */
void hvk_channel_begin_quiesce(struct hvk *hvk, struct hvk_channel *channel);
void hvk_channel_open_posted(struct hvk *hvk, struct hvk_channel *channel, uint64_t now);
void hvk_channel_open_failed(struct hvk *hvk, struct hvk_channel *channel, hvk_status status);
void hvk_channel_set_deadline(struct hvk *hvk, struct hvk_channel *channel, uint64_t deadline);
/* Without the lock, on its CPU, outside ready: from here on none runs, and nobody sends. */
void hvk_channel_quiesce(struct hvk_channel *channel);

/* --- move.c ------------------------------------------------------------------------------ */
void hvk_move_posted(struct hvk *hvk, struct hvk_channel *channel, uint64_t now);
void hvk_move_response(struct hvk *hvk, const struct hvk_message *message);
/* Ends it where it is, unless the handover is under way already. */
void hvk_move_cancel(struct hvk *hvk, struct hvk_channel *channel, hvk_status status);
/* Without the lock, on the old CPU, which has taken it off its list; it is the new one's then. */
void hvk_move_handover(struct hvk *hvk, struct hvk_channel *channel);

/* --- run.c -------------------------------------------------------------------------------- */
/* Without the lock, in hvk_poll of its CPU. False: it is another CPU's by now. */
bool hvk_channel_run(struct hvk_channel *channel);

/* --- ready.c: none of them under a lock of a CPU ------------------------------------- */
/* Under bus.lock, or on the channel's own CPU. */
void hvk_cpu_put_ready(struct hvk *hvk, struct hvk_channel *channel);
/* Takes it off the list of the CPU whose lock is held. */
void hvk_cpu_unlist(struct hvk_cpu *cpu, struct hvk_channel *channel);
bool hvk_cpu_forget_channel(struct hvk *hvk, struct hvk_channel *channel);
void hvk_run_channels(struct hvk *hvk, struct hvk_cpu *cpu);

/* --- signal.c ---------------------------------------------------------------------------- */
void hvk_channel_signal_host(struct hvk_channel *channel);

/* --- packet.c ---------------------------------------------------------------------------- */
void hvk_channel_room_timer(struct hvk_timer *timer, void *context);

/* --- dump.c -------------------------------------------------------------------------------- */
struct hvk_dump;
void hvk_bus_dump(struct hvk *hvk, struct hvk_dump *dump); /* without the lock */

#endif
