/* SPDX-License-Identifier: MIT */
/*
 * The host model: the other side of everything in include/hvkit/wire/, as a
 * library of state machines. No threads, no clock, no allocation on the data path.
 * Bytes go in (a register write, a hypercall, a frame), actions come out through
 * struct hvh_ops (raise an interrupt, report a violation, write a trace record).
 *
 * Time is passed in, in 100 ns units since the partition was created, and never
 * goes back. Every choice the host may make comes from one seeded source.
 *
 * A partition is not thread-safe: whoever runs virtual CPUs on threads of their
 * own holds one lock around every call. No function calls back into the guest.
 */
#ifndef HVKIT_HOST_HOST_H
#define HVKIT_HOST_HOST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "profile.h"
#include "trace.h"
#include "violation.h"

#ifdef __cplusplus
extern "C" {
#endif

#define HVH_VPS_MAX 64u
#define HVH_HYPERCALL_CODE_MAX 64u
#define HVH_NEVER UINT64_MAX
#define HVH_TIME_PER_MS 10000ull
#define HVH_TIME_PER_SECOND 10000000ull

struct hvh_partition;

struct hvh_ops {
	void *context;
	/* Guest memory: the address at which the host can reach length bytes at gpa, or
	 * NULL if they are not all RAM. length never crosses a 4 KiB page. The model
	 * reads each byte at most once per operation, into a copy of its own; words that
	 * both sides use are accessed with atomics. write tells what it is for. */
	void *(*translate)(void *context, uint64_t gpa, uint32_t length, bool write);
	/* Raise an edge interrupt on a virtual CPU. */
	void (*interrupt)(void *context, uint32_t vp, uint8_t vector);
	/* The guest did what a real host would punish or ignore. May be NULL (they are
	 * counted and kept all the same). */
	void (*violation)(void *context, const struct hvh_violation *violation);
	/* Something was said. May be NULL. */
	void (*trace)(void *context, const struct hvh_trace_record *record);
	/* There is work for hvh_run: somebody outside should call it soon. May be NULL. */
	void (*kick)(void *context);
};

struct hvh_config {
	const struct hvh_profile *profile; /* copied; hvh_profile_find or one's own */
	uint32_t vps;                      /* 1 to HVH_VPS_MAX */
	uint64_t seed;
	uint64_t tsc_hz;    /* of the counter the guest reads; 0 = no reference TSC page */
	uint64_t apic_hz;   /* of the local APIC's timer, for its frequency register; 0 = 200 MHz */
	int64_t tsc_offset; /* the page's: guest's counter in 100 ns, plus this, is the partition's time */
	bool deterministic; /* a signal nobody asked for is a violation, not a ratio */
	/* What the hypercall page begins with, at most HVH_HYPERCALL_CODE_MAX bytes, copied: how a
	 * guest on virtual CPUs of yours reaches hvh_hypercall. NULL = endbr64; vmcall; ret. */
	const void *hypercall_code;
	uint32_t hypercall_code_bytes;
	/* Where PCI devices may be mapped: below and above 4 GiB; what firmware tells the guest. Lengths
	 * of 0: HVH_MMIO_LOW_* and HVH_MMIO_HIGH_*. Outside RAM. */
	struct hvh_mmio_window {
		uint64_t base, length;
	} mmio_low, mmio_high;
};
#define HVH_MMIO_LOW_BASE 0xf8000000ull
#define HVH_MMIO_LOW_LENGTH 0x06c00000ull
#define HVH_MMIO_HIGH_BASE 0xfe0000000ull
#define HVH_MMIO_HIGH_LENGTH 0x20000000ull

/* NULL if out of memory or the configuration is out of range. ops is copied. */
struct hvh_partition *hvh_create(const struct hvh_config *config, const struct hvh_ops *ops);
void hvh_destroy(struct hvh_partition *partition);

/* --- What a virtual CPU does ------------------------------------------------- */

void hvh_cpuid(struct hvh_partition *partition, uint32_t leaf, uint32_t out[4]);
/* False means #GP. msr is an HV_MSR_* number. */
bool hvh_msr_read(struct hvh_partition *partition, uint64_t now, uint32_t vp, uint32_t msr, uint64_t *value);
bool hvh_msr_write(struct hvh_partition *partition, uint64_t now, uint32_t vp, uint32_t msr, uint64_t value);
/* Returns RAX. False in *valid means #UD (hypercall page not enabled). */
uint64_t hvh_hypercall(struct hvh_partition *partition, uint64_t now, uint32_t vp, uint64_t control,
		       uint64_t input, uint64_t output, bool *valid);

/* An access to the MMIO windows, width 1, 2, 4 or 8. False: nothing is there; *value is all ones then, and
 * a write is lost. */
bool hvh_mmio_read(struct hvh_partition *partition, uint64_t now, uint32_t vp, uint64_t gpa, unsigned width,
		   uint64_t *value);
bool hvh_mmio_write(struct hvh_partition *partition, uint64_t now, uint32_t vp, uint64_t gpa, unsigned width,
		    uint64_t value);

/* --- What the host does by itself -------------------------------------------- */

/* Does some of the work that is due at now; bounded. Returns true if there is more. */
bool hvh_run(struct hvh_partition *partition, uint64_t now);
/* When hvh_run has something to do next: now or earlier means at once, HVH_NEVER
 * until something comes in. */
uint64_t hvh_next_event(struct hvh_partition *partition);

/* --- Faults on a seed ---------------------------------------------------------- */

/* Each kind with a chance in 65536 per opportunity, and a counter. */
enum hvh_fault {
	HVH_FAULT_DELAY_MESSAGE,      /* a control message waits */
	HVH_FAULT_DELAY_SIGNAL,       /* the host looks at a ring late */
	HVH_FAULT_LATE_PENDING,       /* the pending flag is set after delivery */
	HVH_FAULT_POST_BUFFERS,       /* HvCallPostMessage: 0x13 */
	HVH_FAULT_POST_THROTTLED,     /* HvCallPostMessage: 0x12 after the first contact */
	HVH_FAULT_SPURIOUS_INTERRUPT, /* an interrupt with nothing behind it */
	HVH_FAULT_SPURIOUS_EVENT,     /* an event flag of a channel with nothing in its ring */
	HVH_FAULT_LOST_FIRST_SIGNAL,  /* the first signal after an open is lost; unstuck after 100 ms */
	HVH_FAULT_DELAY_COMPLETION,   /* a device answers late, others overtake where that is allowed */
	HVH_FAULT_SLOW_TEARDOWN,      /* TORNDOWN takes its time */
	HVH_FAULT_RESCIND,            /* a channel is rescinded out of the blue and offered again later */
	HVH_FAULT_FRAME_LOST,         /* the network loses a frame towards the guest (it may) */
	/* A network card's sub-channels: */
	HVH_FAULT_FEWER_SUBCHANNELS,   /* fewer are granted than were asked for */
	HVH_FAULT_LATE_SUBCHANNELS,    /* one is offered late */
	HVH_FAULT_MISSING_SUBCHANNELS, /* some that were granted are never offered */
	HVH_FAULT_RESCIND_SUBCHANNEL,  /* one is taken back, its primary stays */
	HVH_FAULT_LATE_SEND_TABLE,     /* the send indirection table comes late */
	HVH_FAULT_MISSING_SEND_TABLE,  /* ... or never */
	HVH_FAULT_COUNT
};
void hvh_fault_set(struct hvh_partition *partition, enum hvh_fault fault, uint32_t chance);
uint64_t hvh_fault_count(const struct hvh_partition *partition, enum hvh_fault fault);
const char *hvh_fault_name(enum hvh_fault fault);

/* The host falls silent at a step: what asks for it is taken and never answered. */
enum hvh_silence {
	HVH_SILENCE_NONE,
	HVH_SILENCE_CONTACT,
	HVH_SILENCE_UNLOAD,
	HVH_SILENCE_OFFERS,
	HVH_SILENCE_GPADL,
	HVH_SILENCE_OPEN,
	HVH_SILENCE_TEARDOWN,
	HVH_SILENCE_NVS_INIT,
	HVH_SILENCE_NVS_RECEIVE_BUFFER,
	HVH_SILENCE_NVS_SEND_BUFFER,
	HVH_SILENCE_RNDIS_INITIALIZE,
	HVH_SILENCE_RNDIS_QUERY,
	HVH_SILENCE_RNDIS_SET,
	HVH_SILENCE_POST,   /* every post answers 0x13, for ever */
	HVH_SILENCE_MODIFY, /* the channel stays where it was, too */
	HVH_SILENCE_NVS_SUBCHANNEL,
	HVH_SILENCE_VSTOR_BEGIN,
	HVH_SILENCE_VSTOR_VERSION,
	HVH_SILENCE_VSTOR_PROPERTIES,
	HVH_SILENCE_VSTOR_END,
	HVH_SILENCE_VSTOR_SUBCHANNELS,
	HVH_SILENCE_VSTOR_REQUEST,
	HVH_SILENCE_VSTOR_RESET,
	HVH_SILENCE_VPCI_VERSION,
	HVH_SILENCE_VPCI_RELATIONS,
	HVH_SILENCE_VPCI_REQUIREMENTS,
	HVH_SILENCE_VPCI_D0_ENTRY,
	HVH_SILENCE_VPCI_RESOURCES,
	HVH_SILENCE_VPCI_INTERRUPT,
	HVH_SILENCE_VPCI_POWER,
	HVH_SILENCE_VPCI_D0_EXIT,
	HVH_SILENCE_KEYBOARD_PROTOCOL,
	HVH_SILENCE_MOUSE_PROTOCOL,
	HVH_SILENCE_MOUSE_INFO,
	HVH_SILENCE_IC_NEGOTIATE, /* the components do not begin */
	HVH_SILENCE_COUNT
};
void hvh_silence_set(struct hvh_partition *partition, enum hvh_silence step);
const char *hvh_silence_name(enum hvh_silence step); /* "contact", "nvs-init", ... */
bool hvh_silence_find(const char *name, enum hvh_silence *step);

/* Answers to control messages come twice, with a chance in 65536 each. No host is known to do it: for tests
 * of guests that must not take the second one for an answer to what they asked later. */
void hvh_repeat_set(struct hvh_partition *partition, uint32_t chance);
uint64_t hvh_repeat_count(const struct hvh_partition *partition);

/* --- Looking inside --------------------------------------------------------------- */

struct hvh_counters {
	uint64_t hypercalls, posts, signals, msr_reads, msr_writes, eoms;
	uint64_t interrupts, messages_delivered, events_set;
	uint64_t unneeded_signals; /* nobody had asked for them (threads: a ratio, not a violation) */
	uint64_t violations;
	uint64_t contacts, unloads;
};
void hvh_get_counters(const struct hvh_partition *partition, struct hvh_counters *out);

/* The first HVH_VIOLATIONS_KEPT violations, oldest first; NULL past the last. */
#define HVH_VIOLATIONS_KEPT 64u
const struct hvh_violation *hvh_violation_get(const struct hvh_partition *partition, uint32_t n);
/* How many there were of a kind; exact, however many were kept or reported. The callback and
 * the trace see at most 16 of a kind per second. */
uint64_t hvh_violation_count(const struct hvh_partition *partition, enum hvh_violation_kind kind);

/* The virtual machine has ended: somebody touched the hypervisor while the firmware had it (firmware.h).
 * Every register faults, nothing is due any more. */
bool hvh_ended(const struct hvh_partition *partition);

/* True once the guest has been connected and has left (UNLOAD honoured), all channels
 * closed and every GPADL gone, so that the host writes to none of its memory. */
bool hvh_quiet(const struct hvh_partition *partition);

/* Would a system loaded now crash? (Profiles with loaded_system_crashes: the last contact was at 3.0 or
 * newer, and no UNLOAD came since.) Its contact is refused then, and a violation; it is known by an identity
 * that is not that of who made contact first. */
bool hvh_loaded_system_crashes(const struct hvh_partition *partition);

/* Everything, as a tree: two spaces per level, then "name: value", or "name:" where only
 * members follow. Names are words of a-z, 0-9 and '-', unique among their siblings
 * ("channel-7"). At the top: partition, hypervisor, vmbus, mmio, devices. Each device's own state
 * stands below its name. */
typedef void (*hvh_dump_line)(void *context, const char *line);
void hvh_dump(const struct hvh_partition *partition, hvh_dump_line line, void *context);

/* What a guest reported through its crash registers: the last report and how many there were. */
#define HVH_CRASH_TEXT_MAX 4096u
struct hvh_crash {
	uint32_t reports;
	uint64_t time;
	uint32_t vp;
	uint64_t parameters[5]; /* P0 to P4 */
	bool has_text;          /* the guest gave a message; P3 and P4 are its address and length */
	/* ... printable ASCII and line ends; everything else became '?'. Ends with a 0. */
	uint32_t text_length;
	char text[HVH_CRASH_TEXT_MAX + 1];
};
/* False: none yet. hvh_dump and the trace show it too. */
bool hvh_crash_get(const struct hvh_partition *partition, struct hvh_crash *out);

/* --- Devices by name ----------------------------------------------------------------- */

/* What was created, in that order: "net0", "net1", "echo0". */
struct hvh_device_info {
	char name[16];
	uint8_t type[16], instance[16]; /* GUIDs as on the wire */
	uint32_t channel_id;            /* of the primary; 0 if the guest does not know it */
	bool present;                   /* offered, or to be offered at the next contact */
	bool open;
	uint32_t subchannels; /* offered now */
};
/* n-th device; false past the last. */
bool hvh_device_get(const struct hvh_partition *partition, uint32_t n, struct hvh_device_info *out);
/* Takes it back from the guest, or offers it again. False: no such device, or it is so
 * already. */
bool hvh_device_rescind(struct hvh_partition *partition, uint64_t now, const char *name);
bool hvh_device_offer(struct hvh_partition *partition, uint64_t now, const char *name);

#ifdef __cplusplus
}
#endif
#endif
