/* SPDX-License-Identifier: MIT */
/*
 * The bus: state shared by its parts. Private to host/core and host/vmbus; devices see
 * channel.h.
 */
#ifndef HVH_VMBUS_VMBUS_H
#define HVH_VMBUS_VMBUS_H

#include "host/vmbus/channel.h"
#include "hvkit/wire/hypervisor.h"
#include "hvkit/wire/vmbus.h"

/* Messages that the host's port takes before HvCallPostMessage says 0x13 (TLFS). */
#define HVH_POSTS_MAX 16u
/* Guest messages are not looked at while this many answers wait (OpenVMM's flow control). */
#define HVH_OUTGOING_HIGH 64u
#define HVH_POSTS_PER_RUN 32u
#define HVH_GPADLS_MAX 1024u
#define HVH_CHANNELS_MAX 2047u
#define HVH_MONITORS_MAX 128u
#define HVH_DELAY_MAX (10u * HVH_TIME_PER_MS) /* a message or signal that waits */
#define HVH_SLOW_TEARDOWN_MAX (50u * HVH_TIME_PER_MS)
#define HVH_REOFFER_MAX (100u * HVH_TIME_PER_MS)
#define HVH_UNSTICK_TIME (100u * HVH_TIME_PER_MS) /* OpenVMM looks again after an open */
#define HVH_TIME_PER_US (HVH_TIME_PER_MS / 1000u)
#define HVH_MODIFY_MAX (5u * HVH_TIME_PER_MS)
#define HVH_ROOM_LOOK HVH_TIME_PER_MS /* without the feature bit nobody tells of room */
#define HVH_STALE_PERIOD (10u * HVH_TIME_PER_MS)
#define HVH_STALE_WRITES 1000u
#define HVH_REFUSED_TL 0xc0000236u /* connection refused (OpenVMM) */
#define HVH_CONTACT_FAILED 2u      /* connection_state (OpenVMM) */
/* Credits for signals that the ring rules may have asked for; more than this many cannot
 * be in flight. */
#define HVH_CREDITS_PER_VP 2u

/* --- The table of messages: everything that does not need a handler --------------- */

struct hvh_message_rule {
	const char *name;
	uint16_t size; /* of the structure, header included */
	bool to_guest;
	bool payload;           /* more bytes follow the structure */
	uint32_t first_version; /* 0: whether connected or not */
};
/* NULL if there is no such type. */
const struct hvh_message_rule *hvh_message_rule(uint32_t type);

/* --- GPADLs --------------------------------------------------------------------------- */

enum hvh_gpadl_state {
	HVH_GPADL_ASSEMBLING,
	HVH_GPADL_REFUSED, /* the rest of its bodies is still to come */
	HVH_GPADL_ACCEPTED,
	HVH_GPADL_TEARING /* TORNDOWN is owed */
};

struct hvh_gpadl {
	struct hvh_channel *channel;
	struct hvh_gpadl *next;
	uint32_t id;
	enum hvh_gpadl_state state;
	uint32_t words_expected, words; /* u64: range header, then page frame numbers */
	uint64_t *data;
	uint32_t byte_count, byte_offset;
	uint64_t torndown_due; /* TEARING: not before */
	bool device_ready;     /* the device has let go although may_tear_down said no */
};

/* --- Channels -------------------------------------------------------------------------- */

enum hvh_channel_phase {
	HVH_CHANNEL_CLOSED,
	HVH_CHANNEL_OPENING, /* the host fell silent at OPEN */
	HVH_CHANNEL_OPEN,
	HVH_CHANNEL_RESCINDED
};

/* Was the packet that would begin at the published read index worth a signal already? */
enum hvh_credit_state { HVH_CREDIT_NONE, HVH_CREDIT_POSSIBLE, HVH_CREDIT_COUNTED };

/* Guest to host. */
struct hvh_in_ring {
	uint32_t control, data, size; /* offsets in the GPADL, bytes */
	uint32_t read;                /* next byte to read */
	uint32_t published;           /* what the guest sees as read index */
	uint32_t seen;                /* write index at the last look */
	bool masked;
	uint64_t last_trailer; /* of the last packet read */
	bool have_trailer;
	enum hvh_credit_state credit_state;
	uint32_t credits, weak_credits, room_credits;
};

/* Host to guest. */
struct hvh_out_ring {
	uint32_t control, data, size;
	uint32_t write;
	uint32_t pending; /* pending send size as published */
	uint32_t wanted;  /* size of the packet that found no room, 0 if none */
};

struct hvh_channel {
	struct hvh_partition *partition;
	struct hvh_offer_parameters parameters;
	const struct hvh_device_ops *ops;
	void *device;
	struct hvh_channel *primary; /* NULL: this is one */
	uint32_t subchannels;        /* of a primary: asked for since it was opened */
	uint32_t device_number;      /* of a primary: in the order of creation */
	uint32_t name_number;        /* ... among those of its kind */

	bool present; /* the device wants to be offered */
	enum hvh_channel_phase phase;
	uint32_t id; /* 0: the guest does not know it */
	bool monitored, dedicated;
	bool opened; /* at least once since it was offered */
	uint8_t monitor_id;

	uint32_t target_vp;
	struct hvh_gpadl *ring_gpadl;
	struct hvh_in_ring in;
	struct hvh_out_ring out;
	uint64_t opened_at;
	uint32_t epoch;      /* counts opens */
	uint64_t modify_due; /* MODIFY_CHANNEL under way, or HVH_NEVER */
	uint32_t modify_target_vp;
	bool dead; /* ring corrupt: the worker has stopped */
	bool in_run, saw_empty;
	bool awaits_delivery; /* wants a run when no message waits for the slot any more */
	bool signalled;       /* at least once since open */
	uint32_t bitless;     /* signals in a row without the interrupt page's bit */

	uint64_t run_at, unstick_at, reoffer_at;

	bool trace_pending; /* the packet read last is not in the trace yet */
	uint32_t trace_length;
	uint8_t *in_packet, *out_packet; /* from the first open on */
};

/* --- The bus ------------------------------------------------------------------------------ */

struct hvh_post {
	uint32_t vp, connection, size;
	uint8_t bytes[HV_MESSAGE_PAYLOAD_MAX];
};

struct hvh_outgoing {
	uint64_t due;
	uint32_t vp, sint, size;
	uint8_t bytes[VMBUS_OFFER_SIZE];
};

struct hvh_shared_pages {
	uint64_t interrupt, monitor_host_to_guest, monitor_guest_to_host; /* 0: none */
};

struct hvh_vmbus {
	struct hvh_post posts[HVH_POSTS_MAX];
	struct hvh_outgoing *outgoing; /* a ring that grows */
	struct hvh_channel **channels;
	struct hvh_channel *by_id[VMBUS_MAX_CHANNELS];
	struct hvh_gpadl *gpadls;
	struct hvh_shared_pages pages;
	struct hvh_shared_pages stale; /* what an old host goes on writing to */
	uint64_t stale_due, monitor_due, spurious_at;

	uint32_t post_head, post_count;
	uint32_t out_capacity, out_head, out_count;
	uint32_t channel_count, channel_capacity;
	uint32_t device_count;
	uint32_t gpadl_count;
	uint32_t version, vp, connection;
	uint32_t last_id;        /* given to a channel */
	uint32_t shared_bitless; /* 0.13: shared events in a row without any bit */
	uint32_t stale_writes;
	uint32_t spurious_vp;

	bool connected;
	bool offers_requested;
	bool contacted; /* at least once */
	bool refused;   /* the post before this one, by quirk */
	bool unusable;  /* an old host's second contact */

	uint64_t loader;       /* identity of who made contact first */
	uint32_t last_version; /* of the last contact that was accepted */
	bool last_unloaded;    /* since then */
};

/* server.c */
bool hvh_vmbus_init(struct hvh_partition *partition);
void hvh_vmbus_free(struct hvh_partition *partition);
void hvh_vmbus_run(struct hvh_partition *partition, uint64_t now);
uint64_t hvh_vmbus_next_event(struct hvh_partition *partition);
void hvh_vmbus_send(struct hvh_partition *partition, uint64_t now, const void *bytes, uint32_t size);
void hvh_vmbus_send_to(struct hvh_partition *partition, uint64_t now, uint32_t vp, uint32_t sint,
		       const void *bytes, uint32_t size);
void hvh_vmbus_drop_outgoing(struct hvh_partition *partition);

/* contact.c */
void hvh_contact(struct hvh_partition *partition, uint64_t now, const struct hvh_post *post);
void hvh_unload(struct hvh_partition *partition, uint64_t now, const struct hvh_post *post);
void hvh_stale_run(struct hvh_partition *partition, uint64_t now);
bool hvh_version_known(uint32_t version);

/* offers.c */
void hvh_request_offers(struct hvh_partition *partition, uint64_t now, const struct hvh_post *post);
void hvh_released(struct hvh_partition *partition, uint64_t now, const struct hvh_post *post);
void hvh_offers_run(struct hvh_partition *partition, uint64_t now);
void hvh_offers_reset(struct hvh_partition *partition, uint64_t now);
struct hvh_channel *hvh_channel_create(struct hvh_partition *partition,
				       const struct hvh_offer_parameters *parameters,
				       const struct hvh_device_ops *ops, void *device);
/* By fault, out of the blue. True: it is gone now. */
bool hvh_maybe_rescind(struct hvh_channel *channel, uint64_t now);
struct hvh_channel *hvh_channel_by_id(struct hvh_partition *partition, uint32_t id);

/* dump.c */
void hvh_vmbus_dump(const struct hvh_partition *partition, struct hvh_dump *dump);
void hvh_devices_dump(const struct hvh_partition *partition, struct hvh_dump *dump);

/* devices.c */
struct hvh_channel *hvh_device_channel(const struct hvh_partition *partition, uint32_t number);
#define HVH_DEVICE_NAME_MAX 16u
void hvh_device_name(const struct hvh_channel *channel, char name[HVH_DEVICE_NAME_MAX]);

/* subchannels.c */
/* Takes every sub-channel of a primary back. */
void hvh_subchannels_withdraw(struct hvh_channel *primary, uint64_t now);
uint32_t hvh_subchannels_offered(const struct hvh_channel *primary);
void hvh_subchannels_run(struct hvh_partition *partition); /* wakes who waits for delivery */

/* gpadl.c */
void hvh_gpadl_header(struct hvh_partition *partition, uint64_t now, const struct hvh_post *post);
void hvh_gpadl_body(struct hvh_partition *partition, uint64_t now, const struct hvh_post *post);
void hvh_gpadl_teardown(struct hvh_partition *partition, uint64_t now, const struct hvh_post *post);
void hvh_gpadls_retry(struct hvh_channel *channel, uint64_t now); /* owed TORNDOWNs */
void hvh_gpadls_rescind(struct hvh_channel *channel, uint64_t now);
void hvh_gpadls_free(struct hvh_partition *partition, const struct hvh_channel *channel); /* NULL: all */
void hvh_gpadls_run(struct hvh_partition *partition, uint64_t now);
uint64_t hvh_gpadls_next_event(const struct hvh_partition *partition);
bool hvh_gpadl_address(const struct hvh_gpadl *gpadl, uint32_t offset, uint64_t *gpa);

/* open.c */
void hvh_open(struct hvh_partition *partition, uint64_t now, const struct hvh_post *post);
void hvh_close(struct hvh_partition *partition, uint64_t now, const struct hvh_post *post);
void hvh_modify(struct hvh_partition *partition, uint64_t now, const struct hvh_post *post);
void hvh_modify_run(struct hvh_channel *channel, uint64_t now);
void hvh_open_reserved(struct hvh_partition *partition, uint64_t now, const struct hvh_post *post);
void hvh_close_reserved(struct hvh_partition *partition, uint64_t now, const struct hvh_post *post);
void hvh_tl_connect(struct hvh_partition *partition, uint64_t now, const struct hvh_post *post);
void hvh_channel_stop(struct hvh_channel *channel, uint64_t now);

/* signal.c */
void hvh_vmbus_forget_bit(struct hvh_partition *partition, uint32_t id);
uint32_t hvh_vmbus_signal(struct hvh_partition *partition, uint32_t vp, uint32_t connection, uint32_t flag);
void hvh_signal_guest(struct hvh_channel *channel, uint64_t now);
void hvh_monitor_run(struct hvh_partition *partition, uint64_t now);
void hvh_monitor_clear(struct hvh_channel *channel);
void hvh_monitor_clear_all(struct hvh_partition *partition);
uint64_t hvh_monitor_next_event(const struct hvh_partition *partition);
void hvh_spurious(struct hvh_channel *channel, uint64_t now);

/* worker.c */
void hvh_channels_run(struct hvh_partition *partition, uint64_t now);
void hvh_channel_run(struct hvh_channel *channel, uint64_t now); /* out of its turn */
uint64_t hvh_channels_next_event(const struct hvh_partition *partition);

/* ring_open.c, ring_read.c, ring_write.c */
bool hvh_ring_index_valid(uint32_t index, uint32_t size);
bool hvh_rings_open(struct hvh_channel *channel, uint64_t now, uint32_t downstream_page);
bool hvh_ring_word(struct hvh_channel *channel, uint32_t offset, uint32_t *value);
bool hvh_ring_set_word(struct hvh_channel *channel, uint32_t offset, uint32_t value);
/* The channel's worker stops; false for the caller to return. */
bool hvh_ring_corrupt(struct hvh_channel *channel, uint64_t now, enum hvh_violation_kind kind,
		      const void *bytes, uint32_t count, const char *what);
void hvh_ring_mask(struct hvh_channel *channel);
/* Lets the guest signal again; true if there is something to read already. */
bool hvh_ring_unmask(struct hvh_channel *channel, uint64_t now);
void hvh_ring_publish(struct hvh_channel *channel, uint64_t now);
/* A signal came: had the ring rules asked for one? */
bool hvh_ring_signal_needed(struct hvh_channel *channel, uint64_t now);
/* 100 ms after an open: signals again if the guest has something to read. */
void hvh_ring_unstick(struct hvh_channel *channel, uint64_t now);
void hvh_ring_room_credit(struct hvh_channel *channel);
void hvh_trace_flush(struct hvh_channel *channel, uint64_t now);

#endif
