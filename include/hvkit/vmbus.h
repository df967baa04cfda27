/* SPDX-License-Identifier: MIT */
/*
 * VMBus: connecting, the channels a host offers, opening and closing them,
 * sharing memory (GPADL), sending and receiving packets, leaving.
 *
 * Life cycle of the bus: cold -> connecting -> connected -> suspended ->
 * connected ..., and from anywhere abandoned. Requests (struct hvk_request)
 * finish in hvk_poll: those of the bus on the contact CPU, those of a channel on
 * the CPU that the channel is bound to.
 *
 * What each protocol version changes is one table: docs/vmbus-versions.md.
 */
#ifndef HVKIT_VMBUS_H
#define HVKIT_VMBUS_H

#include "hvkit.h"
#include "wire/ring.h"
#include "wire/vmbus.h"

#ifdef __cplusplus
extern "C" {
#endif

struct hvk_channel; /* one offer; valid from its offer callback until its gone callback returns */

enum hvk_vmbus_state {
	HVK_VMBUS_COLD,
	HVK_VMBUS_CONNECTING,
	HVK_VMBUS_CONNECTED,
	HVK_VMBUS_UNLOADING,
	HVK_VMBUS_SUSPENDED,
	HVK_VMBUS_ABANDONED
};

enum hvk_vmbus_mode {
	/* Newest version first; whatever the host accepts is used. */
	HVK_VMBUS_MODE_SYSTEM = 0,
	/* For boot programs (iPXE 0166a6835): contact at 3.0 proves that the host can
	 * disconnect, UNLOAD and its response, then contact at the oldest version that
	 * the host accepts of 0.13, 1.1, 2.4, 3.0. A host below 3.0 is refused with
	 * HVK_EHOSTTOOOLD: a system loaded afterwards could not reconnect, and the host
	 * may go on writing to pages that were given back. */
	HVK_VMBUS_MODE_BOOT = 1
};

/* What the host offers, read once and checked. */
struct hvk_offer {
	struct vmbus_guid type;
	struct vmbus_guid instance;
	uint16_t flags;
	uint16_t mmio_megabytes;
	uint8_t user_data[VMBUS_USER_DATA_SIZE];
	uint16_t subchannel_index; /* 0 = primary */
	uint32_t channel_id;       /* 1 to 2047 */
	bool monitored;
	uint8_t monitor_id;     /* below 128 if monitored */
	bool dedicated;         /* false below 1.1 */
	uint32_t connection_id; /* 2, the shared event, at 0.13 */
};

struct hvk_vmbus_config {
	enum hvk_vmbus_mode mode;
	uint32_t newest; /* highest version to try; 0 = 5.3. System mode only */
	uint32_t oldest; /* lowest; 0 = 0.13. System mode only */
	/* Contact CPU: control messages come to it. Below 3.0 it can only be CPU 0: other
	 * CPUs leave those versions out, and boot mode is HVK_EINVAL. */
	uint32_t cpu;
	/* A primary channel was offered, at connect or at any time later, or is there
	 * again after resume (again = true, same hvk_channel). Sub-channels are told to the
	 * driver of their primary instead: hvk_channel_set_subchannel_hooks. In hvk_poll of
	 * the contact CPU. May be NULL. */
	void (*offered)(void *context, struct hvk_channel *channel, bool again);
	/* The host has taken the channel back and hvkit has given its id back: the
	 * pointer is dead when this returns. Comes once per offered channel, after its
	 * close has finished, its GPADLs are gone and its claim is given up.
	 * In hvk_poll of the contact CPU. May be NULL. */
	void (*gone)(void *context, struct hvk_channel *channel);
	void *context;
};

/* Makes contact, asks for the offers and finishes when all initial ones were
 * delivered. HVK_ESTATE, HVK_EVERSION, HVK_EHOSTTOOOLD, HVK_EREFUSED_CONTACT,
 * HVK_ETIMEDOUT_CONTACT, _OFFERS, _UNLOAD, _POST. After a failure the bus is cold
 * and may be tried again, or abandoned if the host did not answer UNLOAD. Task
 * context, on the contact CPU. */
void hvk_vmbus_connect(struct hvk *hvk, const struct hvk_vmbus_config *config, struct hvk_request *request);

/* The orderly exit: closes every channel that is still open, tears GPADLs down,
 * then UNLOAD and its response, which is awaited whenever the host has shown that
 * it knows 3.0, at whatever version the connection is. Finishes with HVK_OK and a
 * cold bus, HVK_ETIMEDOUT_UNLOAD (bus abandoned, pages that the host may write in
 * quarantine). On a host that does not know 3.0 nothing is awaited: its interrupt
 * and monitor pages go to quarantine. Task context, on the contact CPU. */
void hvk_vmbus_disconnect(struct hvk *hvk, struct hvk_request *request);

/* The abrupt exit, for panic and ExitBootServices: UNLOAD with channels open, then
 * every CPU's message slot is polled for the response, at most timeout_ms. Takes no
 * lock, allocates and frees nothing, calls nobody back. Any CPU, any context, while no
 * other CPU is inside hvkit but for hvk_interrupt (one that is could still signal a
 * channel that the host has closed by then); the bus is abandoned afterwards and
 * nothing but hvk_cpu_stop, hvk_stop and hvk_destroy may be called. HVK_OK, or
 * HVK_ETIMEDOUT_UNLOAD. */
hvk_status hvk_vmbus_abandon(struct hvk *hvk, uint32_t timeout_ms);

/* UNLOAD with the channels remembered, for sleep; all channels must be closed
 * (HVK_EBUSY). Sub-channels are gone by that. Resume connects at the same version, matches
 * offers by instance, and reports each channel as offered again, or gone. */
void hvk_vmbus_suspend(struct hvk *hvk, struct hvk_request *request);
void hvk_vmbus_resume(struct hvk *hvk, struct hvk_request *request);

/* Where the bus is in its life. Any context. */
enum hvk_vmbus_state hvk_vmbus_state(const struct hvk *hvk);
uint32_t hvk_vmbus_version(const struct hvk *hvk); /* in use, 0 if not connected */
bool hvk_vmbus_boot_mode(const struct hvk *hvk);   /* of the last connect */
uint32_t hvk_vmbus_contact_cpu(const struct hvk *hvk);

/* Versions tried by the last connect, in order; VMBUS_VERSION values. accepted
 * tells the host's answer. Returns false past the last. */
bool hvk_vmbus_attempt(const struct hvk *hvk, uint32_t n, uint32_t *version, bool *accepted);

/* Channels in order of their ids, sub-channels too: pass NULL for the first, NULL is
 * returned after the last. Task context on the contact CPU. */
struct hvk_channel *hvk_vmbus_next_channel(struct hvk *hvk, struct hvk_channel *previous);

/* --- Channels -------------------------------------------------------------- */

enum hvk_channel_state {
	HVK_CHANNEL_CLOSED,
	HVK_CHANNEL_OPENING,
	HVK_CHANNEL_OPEN,
	HVK_CHANNEL_CLOSING,
	HVK_CHANNEL_RESCINDED /* the host has taken it back; close what is open */
};

/* A driver that keeps the pointer claims the channel: until it is given up again the
 * channel's memory stays and its gone callback waits, whatever the host does. One
 * claim at a time. HVK_EBUSY: claimed already; HVK_EGONE: rescinded. Task context or
 * callback, any CPU. hvk_netvsc_create claims, hvk_netvsc_destroy gives up. */
hvk_status hvk_channel_claim(struct hvk_channel *channel);
void hvk_channel_unclaim(struct hvk_channel *channel);

/* What is known of a channel; the offer is valid as long as the channel is. Task context or
 * callback. */
const struct hvk_offer *hvk_channel_offer(const struct hvk_channel *channel);
enum hvk_channel_state hvk_channel_state(const struct hvk_channel *channel);
bool hvk_channel_rescinded(const struct hvk_channel *channel);
struct hvk *hvk_channel_instance(const struct hvk_channel *channel);
uint32_t hvk_channel_cpu(const struct hvk_channel *channel);

/* When ready runs, and what the host is told meanwhile (Linux HV_CALL_BATCHED and
 * HV_CALL_DIRECT, FreeBSD's batch-read flag). */
enum hvk_channel_reading {
	/* The host does not signal while ready reads, and is looked at once more before it may
	 * again: fewest interrupts. For data. */
	HVK_CHANNEL_BATCHED = 0,
	/* The host may always signal; ready runs once for each time that it did. For devices
	 * with a message now and then, whose latency counts. */
	HVK_CHANNEL_UNBATCHED = 1
};

struct hvk_channel_config {
	uint32_t cpu;                     /* whose hvk_poll runs the callback; below 2.4 only 0 */
	enum hvk_channel_reading reading; /* 0 = batched */
	/* Signal the host by hypercall even if the offer is monitored: at once, instead of
	 * whenever the host looks at the monitor page (100 us by default). */
	bool low_latency;
	uint32_t tx_pages;                       /* guest to host ring without its control page, 1 to 4094 */
	uint32_t rx_pages;                       /* host to guest ring likewise */
	uint16_t requests_max;                   /* requests with an answer outstanding at once, 0 to 4096 */
	uint8_t user_data[VMBUS_USER_DATA_SIZE]; /* for OPEN_CHANNEL */
	/* There is something to receive, or the ring may have room again, or the
	 * channel was rescinded. In hvk_poll of cpu. Receive until HVK_EEMPTY, or
	 * return true to be called again in the next poll. */
	bool (*ready)(void *context, struct hvk_channel *channel);
	void *context;
};

/* Allocates rings, shares them, opens. Finishes with HVK_OK, HVK_EREFUSED_OPEN,
 * HVK_EREFUSED_GPADL, HVK_ETIMEDOUT_GPADL, HVK_ETIMEDOUT_OPEN, HVK_EGONE,
 * HVK_ENOMEM, HVK_ESTATE, HVK_EINVAL, HVK_EBUSY (another CPU is not finished with its
 * last close), HVK_EQUARANTINE. After a failure the channel is closed.
 * A sub-channel opens only while its primary is open (HVK_ESTATE). Task context or
 * callback. */
void hvk_channel_open(struct hvk_channel *channel, const struct hvk_channel_config *config,
		      struct hvk_request *request);

/* Closes: no callback runs any more once that CPU has passed a poll; CLOSE_CHANNEL,
 * a primary's open sub-channels first (each finished as if closed by itself);
 * the rings' GPADL is torn down and their memory freed (or put in quarantine:
 * HVK_ETIMEDOUT_TEARDOWN, the channel is closed all the same). Requests without an
 * answer are given up: hvk_channel_take_request tells their cookies. GPADLs other
 * than the rings' are the caller's to tear down, before the close below 4.0 or
 * after it. Works on a rescinded channel too. Task context or callback. */
void hvk_channel_close(struct hvk_channel *channel, struct hvk_request *request);

/* Moves an open channel to another CPU: its ready callback and the host's events for
 * it (MODIFY_CHANNEL, from 4.1). Finishes, on the new CPU, once the callback runs there
 * and never again on the old one: from 5.3 after the host's answer; before there is none,
 * and events that still come to the old CPU are passed on (keep it polling; hvk_cpu_stop
 * passes on the last of them). Nothing that the host sent is lost meanwhile. HVK_OK;
 * HVK_EVERSION below 4.1; HVK_EREFUSED_MODIFY, HVK_ETIMEDOUT_MODIFY, HVK_ETIMEDOUT_POST,
 * HVK_EHYPERCALL: it stays where it was; HVK_EGONE (rescinded), HVK_ECANCELED (closed meanwhile),
 * HVK_ESTATE (not open), HVK_EBUSY (moving or closing already), HVK_EINVAL (no such CPU, or
 * not started). Task context or callback. */
void hvk_channel_set_cpu(struct hvk_channel *channel, uint32_t cpu, struct hvk_request *request);

/* --- Sub-channels: more rings of one device --------------------------------------- */

/* The driver of the primary asks for them in the device's own protocol; the host then
 * offers channels of the same type and instance with a sub-channel index from 1, before
 * or after its answer, fewer than asked for, late, or never. They are closed with their
 * primary at the latest and taken back by the host after that; a rescind of the primary
 * counts as one of each of them. They do not survive a suspend: ask for them again. Each is claimed,
 * opened, moved and closed like any channel. At most 255 of a device; none below 2.4.
 * In hvk_poll of the contact CPU; either may be NULL. */
struct hvk_subchannel_hooks {
	void (*offered)(void *context, struct hvk_channel *primary, struct hvk_channel *subchannel);
	/* As gone of hvk_vmbus_config; comes before the primary's. */
	void (*gone)(void *context, struct hvk_channel *primary, struct hvk_channel *subchannel);
	void *context;
};

/* Those that are there already are told in the next poll, if they were told to hooks that
 * were set before once more. hooks is copied; NULL: nobody is told any more, as after giving up the
 * primary's claim (give it up last). A hook may be running on the contact CPU just then. HVK_ESTATE:
 * nobody has claimed the primary, and only its holder may call this; HVK_EINVAL: a
 * sub-channel. Task context or callback. */
hvk_status hvk_channel_set_subchannel_hooks(struct hvk_channel *primary,
					    const struct hvk_subchannel_hooks *hooks);
/* The primary of a sub-channel; of a primary, itself. */
struct hvk_channel *hvk_channel_primary(struct hvk_channel *channel);
/* A primary's sub-channels by index: NULL for the first, NULL is returned after the last. Task
 * context on the contact CPU. */
struct hvk_channel *hvk_channel_next_subchannel(struct hvk_channel *primary, struct hvk_channel *previous);

/* --- Memory shared with the host ---------------------------------------------- */

/* hvkit's: something that waits to be posted. */
struct hvk_outgoing {
	struct hvk_outgoing *next;
	uint8_t kind;
	bool queued;
};

/* hvkit's: a place in a list. */
struct hvk_link {
	struct hvk_link *next, **at; /* at: the pointer that points here; NULL = in no list */
};

/* Pages that the host may read and write through one channel's device. Zeroed
 * when created. The caller owns the structure; it must live until torn down. */
struct hvk_gpadl {
	struct hvk_pages pages; /* address is in port memory; contents are the host's to change */
	uint32_t id;            /* 0 = not shared */
	struct hvk_channel *channel;
	/* hvkit's */
	struct hvk_outgoing outgoing;
	struct hvk_request *request;
	struct hvk_link link;
	uint64_t deadline;
	uint32_t pages_sent;
	hvk_status result;
	uint8_t state;
};

/* Allocates page_count pages (1 to 8190), and has the host map them. Finishes with
 * HVK_OK, HVK_EREFUSED_GPADL, HVK_ETIMEDOUT_GPADL (pages in quarantine), HVK_EGONE,
 * HVK_ENOMEM, HVK_EINVAL (page_count), HVK_EQUARANTINE, HVK_ESTATE. The
 * channel need not be open. Task context or callback. */
void hvk_gpadl_create(struct hvk_channel *channel, uint32_t page_count, struct hvk_gpadl *gpadl,
		      struct hvk_request *request);

/* Has the host let go, then frees the pages. Finishes with HVK_OK or
 * HVK_ETIMEDOUT_TEARDOWN (pages in quarantine). On a rescinded channel the host
 * has let go already. Task context or callback. */
void hvk_gpadl_teardown(struct hvk_gpadl *gpadl, struct hvk_request *request);

/* --- Packets ------------------------------------------------------------------- */

/* A piece of the caller's data, pinned until the completion. address may be NULL
 * (then it cannot be copied); gpa may be 0 (then it is copied). A piece lies in one
 * page where gpa is used, or in consecutive guest-physical pages. */
struct hvk_buffer {
	const void *address;
	uint64_t gpa;
	uint32_t length;
};

#define HVK_PACKET_RANGES_MAX 32u

/* In-band packet. If answered is true a completion is asked for, and cookie (not
 * NULL) comes back with it; it never goes to the host. payload is copied.
 * HVK_EAGAIN: ring full (ready is called when there is room) or all requests_max
 * outstanding; HVK_ETOOBIG; HVK_EGONE; HVK_ESTATE; HVK_EHOST_RING_INDEX: the
 * channel is dead, close it. Task context or callback, any CPU. */
hvk_status hvk_channel_send(struct hvk_channel *channel, const void *payload, uint32_t length, bool answered,
			    void *cookie);

/* The same for a packet of many, with an answer: the host need not see it before hvk_channel_show, or
 * any other packet sent on this channel. With HVK_EAGAIN it sees all that was staged. */
hvk_status hvk_channel_stage(struct hvk_channel *channel, const void *payload, uint32_t length, void *cookie);
/* Shows the host what was staged, with one signal at most. Task context or callback, any CPU. */
void hvk_channel_show(struct hvk_channel *channel);

/* Packet with a list of guest pages (GPA direct): each of up to
 * HVK_PACKET_RANGES_MAX buffers must have a gpa. Otherwise as above; always
 * answered. */
hvk_status hvk_channel_send_buffers(struct hvk_channel *channel, const struct hvk_buffer *buffers,
				    uint32_t count, const void *payload, uint32_t length, void *cookie);

/* Packet with one run of memory that may cover many pages: length bytes from offset (below 4096) of
 * the first of count guest-physical pages, each but the last filled to its end; as many pages as that
 * takes, HVK_PACKET_PAGES_MAX at most (HVK_EINVAL). page_numbers are guest-physical addresses divided by
 * 4096, and are read before the call returns. Storage controllers take this form. Otherwise as
 * hvk_channel_send_buffers. */
#define HVK_PACKET_PAGES_MAX 513u /* 2 MiB that need not begin at a page */
hvk_status hvk_channel_send_pages(struct hvk_channel *channel, const uint64_t *page_numbers, uint32_t count,
				  uint32_t offset, uint32_t length, const void *payload,
				  uint32_t payload_length, void *cookie);

/* Completion of a packet of the host's, by its transaction id. */
hvk_status hvk_channel_complete(struct hvk_channel *channel, uint64_t transaction_id, const void *payload,
				uint32_t length);

/* The same for many packets, in order, under one lock and with one signal at most. taken
 * tells how many of them the ring took; HVK_EAGAIN: not all. */
hvk_status hvk_channel_complete_many(struct hvk_channel *channel, const uint64_t *transaction_ids,
				     uint32_t count, const void *payload, uint32_t length, uint32_t *taken);

/* A received packet: a private copy, checked. */
struct hvk_packet {
	uint16_t type;            /* VMBUS_PACKET_*; completions are matched already */
	bool answer_wanted;       /* the host asked for a completion */
	uint64_t transaction_id;  /* the host's own, opaque; for hvk_channel_complete */
	void *cookie;             /* VMBUS_PACKET_COMPLETION: the request's; else NULL */
	const uint8_t *extension; /* after the descriptor, in the caller's buffer */
	uint32_t extension_length;
	const uint8_t *payload;
	uint32_t payload_length;
};

/* Takes the next packet whole into buffer (8-byte aligned) and gives its room back
 * to the host. HVK_EEMPTY; HVK_ETOOBIG (skipped, counted); HVK_EHOST_TRANSACTION (a
 * completion for nothing outstanding: skipped, counted, go on);
 * HVK_EHOST_PACKET, _PACKET_TYPE, _RING_INDEX: the ring is corrupt and stays so,
 * close the channel. Only in the channel's ready callback. */
hvk_status hvk_channel_receive(struct hvk_channel *channel, void *buffer, uint32_t size,
			       struct hvk_packet *packet);

/* For a driver that has no room for what comes next, in ready, which returns false then: what is in the ring
 * stays there, and hvk_poll does not count it as work that is left, until hvk_channel_resume. ready may run
 * before that (the host has signalled, a rescission), and holds again. Unbatched reading alone. */
void hvk_channel_hold(struct hvk_channel *channel);
/* ready will run. Task context or callback; the channel is open, or was. */
void hvk_channel_resume(struct hvk_channel *channel);

/* After a close, or a failed open: the cookies of requests that were never
 * answered, one per call, NULL after the last. Also forgets one outstanding request
 * early when cookie is given (its completion, if it comes, counts as late): returns
 * the cookie, or NULL if it was not outstanding. */
void *hvk_channel_take_request(struct hvk_channel *channel, void *cookie);

/* Bytes of payload that fit into the outgoing ring now; a hint, other CPUs may
 * send meanwhile. */
uint32_t hvk_channel_room(struct hvk_channel *channel);

struct hvk_channel_counters {
	uint64_t sent, received, completions; /* packets; completions are among received */
	uint64_t bytes_sent, bytes_received;  /* in the rings, descriptors and trailers included */
	uint64_t events;                      /* times that we found it signalled */
	uint64_t callbacks;                   /* runs of ready */
	uint64_t signals;                     /* hypercalls to signal the host */
	uint64_t monitor_signals;             /* signals left in the monitor page instead */
	uint64_t masked_signals;              /* not sent because the host had asked for none */
	uint64_t full;                        /* HVK_EAGAIN for want of room */
	uint64_t late_completions, faults;
};
/* Since the offer; a close does not reset them. Any context. */
void hvk_channel_get_counters(const struct hvk_channel *channel, struct hvk_channel_counters *out);

/* For people, in the form that hvk_dump has (hvkit.h). */
void hvk_channel_dump(struct hvk_channel *channel, hvk_dump_line line, void *context);

#ifdef __cplusplus
}
#endif
#endif
