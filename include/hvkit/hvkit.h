/* SPDX-License-Identifier: MIT */
/*
 * hvkit: Hyper-V guest drivers. This header is the instance: creating it,
 * starting it on the hypervisor, running it, waiting, time, leaving.
 *
 * An instance (struct hvk) is one guest. There are no globals: any number of
 * instances live side by side. Its memory comes from the port.
 *
 *   hvk_create        memory only
 *   hvk_start         finds the hypervisor, takes it (identity, hypercall page)
 *   hvk_cpu_start     on each CPU: SynIC pages and SINT
 *   hvk_vmbus_connect ... (vmbus.h)
 *   hvk_cpu_stop      on each CPU
 *   hvk_stop          leaves the machine as it was found
 *   hvk_destroy       gives the memory back
 *
 * Contexts. hvk_interrupt(cpu) is called by the handler of the SINT's vector,
 * does a bounded amount of work and calls nobody back. hvk_poll(cpu) is called
 * from a task on that CPU, again and again: after each interrupt, whenever the
 * port's wake was called for that CPU, and no later than hvk_next_deadline().
 * All callbacks that hvkit makes to its user run inside hvk_poll of the CPU
 * that the channel is bound to; they may send, submit and close, never wait.
 */
#ifndef HVKIT_HVKIT_H
#define HVKIT_HVKIT_H

#include "port.h"
#include "wire/wire.h"

#ifdef __cplusplus
extern "C" {
#endif

struct hvk; /* one guest */

#define HVK_CPUS_MAX 64u
#define HVK_NEVER UINT64_MAX /* a deadline that never comes */

/* Times in milliseconds; 0 means the default in brackets. */
struct hvk_timeouts {
	uint32_t post_ms;     /* the hypervisor takes a message [5000] */
	uint32_t contact_ms;  /* VERSION_RESPONSE [5000] */
	uint32_t offers_ms;   /* ALL_OFFERS_DELIVERED [10000] */
	uint32_t unload_ms;   /* UNLOAD_RESPONSE; hosts close devices first [10000] */
	uint32_t gpadl_ms;    /* GPADL_CREATED [5000] */
	uint32_t teardown_ms; /* GPADL_TORNDOWN [5000] */
	uint32_t open_ms;     /* OPEN_RESULT [5000] */
	uint32_t modify_ms;   /* MODIFY_CHANNEL_RESPONSE [5000] */
	uint32_t device_ms;   /* one step of a device's protocol (NVS, RNDIS) [5000] */
};

/* A range of guest-physical addresses. */
struct hvk_mmio_range {
	uint64_t base, length;
};
#define HVK_MMIO_RANGES 4u

struct hvk_config {
	/* Who we are to the host (TLFS, "Reporting the Guest OS Identity"): never 0,
	 * never 1 << 40. 0 here means hvkit's own: open source, type 0x18, see
	 * docs/decisions.md. */
	uint64_t guest_os_id;
	uint32_t cpus;                 /* 1 to HVK_CPUS_MAX; 0 means 1. More than 1 needs L1 */
	uint8_t vector;                /* of the SINT, 16 to 255; needed with interrupts */
	bool interrupts;               /* needs L1; false: polled, the SINT's interrupt is not relied on */
	bool take_over;                /* go on though somebody else's identity is set (never firmware's) */
	uint32_t quarantine_pages_max; /* memory withheld at most; 0 means 16384 pages */
	struct hvk_timeouts timeouts;
	/* The last level that is logged; lines above it cost nothing, they are not even formatted.
	 * 0 means HVK_LOG_INFO. */
	enum hvk_log_level log_level;
	/* hvk_crash_report may tell the host a text, for which a page is kept. False: numbers alone, as
	 * what a system says when it dies may be nothing for the host's event log. */
	bool crash_text;
	/* For devices on vPCI buses: interrupt vectors (16 to 255, not the SINT's) whose handlers call
	 * hvk_interrupt_device, on every CPU; count 0: none, such devices are polled. */
	uint8_t device_vector_first, device_vector_count;
	/* Where their windows and BARs may be: the ranges that firmware tells (ACPI: _CRS of the VMBus
	 * device or of one above it), and what in them is somebody else's (the frame buffer). The TPM's
	 * page, 0xfed40000, is always left out. Lengths of 0: none. */
	struct hvk_mmio_range mmio_windows[HVK_MMIO_RANGES], mmio_reserved[HVK_MMIO_RANGES];
};

/* Memory for an instance. port is copied. Task context; does not touch the
 * hypervisor. HVK_EINVAL: a size, version or range is wrong, or an alignment; HVK_ELEVEL: a callback
 * is NULL that every port needs, or cpus > 1 or interrupts without L1; HVK_ENOMEM. Of the first two,
 * port.log is told which field it is, and what would be right. */
hvk_status hvk_create(const struct hvk_port *port, const struct hvk_config *config, struct hvk **out);

/* Gives the memory back. Call after hvk_stop, or for an instance that was never
 * started; HVK_ESTATE otherwise. Quarantined pages are not given back. */
hvk_status hvk_destroy(struct hvk *hvk);

/* What was found; valid after hvk_start, zeros before. */
struct hvk_hypervisor_info {
	uint32_t interface_id; /* 0x31237648, "Hv#1" */
	uint32_t build;
	uint16_t major, minor;
	uint32_t access;         /* leaf 0x40000003 EAX: HV_ACCESS_* */
	uint32_t privileges;     /* EBX: HV_PRIVILEGE_* */
	uint32_t features;       /* EDX: HV_FEATURE_* */
	uint32_t hints;          /* leaf 0x40000004 EAX: HV_HINT_* */
	uint64_t previous_os_id; /* what we found in GUEST_OS_ID */
	bool reference_counter;
	bool reference_tsc; /* the page is in use */
};
const struct hvk_hypervisor_info *hvk_hypervisor_info(const struct hvk *hvk);

/* Detects Hyper-V, sets the identity, enables the hypercall page and, where there
 * is one, the reference TSC page. Task context, once, on any CPU. Changes nothing
 * when it fails. HVK_ENOHYPERVISOR, HVK_EPRIVILEGE, HVK_EOWNED, HVK_EINUSE,
 * HVK_ENOMEM. Source: TLFS; order and the firmware rule: iPXE, mu_msvm. */
hvk_status hvk_start(struct hvk *hvk);

/* SynIC of the calling CPU: message page, event page, SINT 2, SCONTROL. What was
 * there is remembered for hvk_cpu_stop. Task context, on that CPU, interrupts of
 * the vector may come from now on. */
hvk_status hvk_cpu_start(struct hvk *hvk);

/* Undoes it on the calling CPU: SINT masked, its slot drained, its flags
 * cleared, pages off, SCONTROL and SINT as found. HVK_ESTATE if this is the contact CPU
 * and VMBus is neither cold, suspended nor abandoned. */
hvk_status hvk_cpu_stop(struct hvk *hvk);

/* Gives hypercall page, reference TSC page and identity back, in that order. All
 * CPUs must be stopped and VMBus cold, suspended or abandoned: HVK_ESTATE. */
hvk_status hvk_stop(struct hvk *hvk);

/* The vector's handler on that CPU calls this. Interrupt context, interrupts of
 * this CPU off. Bounded: at most HVK_INTERRUPT_MESSAGES messages and one pass over
 * the event flags. Calls nobody back. The caller ends the interrupt at its
 * controller (EOI) afterwards; hvkit never sets auto-EOI. */
#define HVK_INTERRUPT_MESSAGES 16u
void hvk_interrupt(struct hvk *hvk, uint32_t cpu);

/* The handler of a device's vector (hvk_config.device_vector_first) calls this on that CPU. Interrupt
 * context. Bounded: it notes the vector, for the next hvk_poll there. The caller ends the interrupt at its
 * controller afterwards. */
void hvk_interrupt_device(struct hvk *hvk, uint32_t cpu, uint8_t vector);

/* Does what is to do on this CPU: takes in messages and events, runs state
 * machines and time-outs, calls callbacks. Task context, on that CPU, not from a
 * callback. Bounded: returns true if it stopped with work left, so call again
 * soon. */
bool hvk_poll(struct hvk *hvk, uint32_t cpu);

/* Time by which hvk_poll must run again on that CPU, even without an interrupt; in
 * hvk_time() units, HVK_NEVER if nothing is pending there. It moves when other CPUs
 * give this one work: then the port's wake is called. Any context. */
uint64_t hvk_next_deadline(struct hvk *hvk, uint32_t cpu);

/* --- Time ----------------------------------------------------------------- */

/* The 64-bit Hyper-V specific time value: the reference counter, in 100 ns since
 * the partition was created, by the TSC page while it is valid (at most three
 * tries), else by the register. Without either, the port's clock_ns, else the
 * pauses counted. Never goes back. Any context. */
uint64_t hvk_time(struct hvk *hvk);
#define HVK_TIME_PER_MS 10000ull
#define HVK_TIME_PER_SECOND 10000000ull

/* --- Requests and waiting --------------------------------------------------- */

/* One asynchronous request. The caller owns the memory, sets done and context (or
 * zeroes both), and leaves it alone until it is finished. status is
 * HVK_EINPROGRESS until then. done, if set, runs in hvk_poll, once, last: it may
 * reuse or free the request. Whoever waits on another CPU may see the status while
 * done still runs: then it is done, not the waiter, who frees. */
struct hvk_request {
	void (*done)(struct hvk_request *request, void *context);
	void *context;
	hvk_status status;
	/* hvkit's while in progress */
	hvk_status result;
	struct hvk_request *next;
};

/* Polls this CPU, or sleeps through the port (L2), until the request is finished
 * or timeout_ms have passed; every request has a bound of its own too, so a silent
 * host ends it first. Task context, not from a callback (HVK_ECONTEXT). Returns
 * request->status, or HVK_ETIMEDOUT with the request still in progress. */
hvk_status hvk_wait(struct hvk *hvk, struct hvk_request *request, uint32_t timeout_ms);

/* --- Looking inside ----------------------------------------------------------- */

struct hvk_counters {
	uint64_t interrupts, polls, messages, events;
	uint64_t posts, post_retries, signals, eoms;
	uint64_t host_faults;       /* times that a check on the host failed */
	uint64_t late_messages;     /* answers to requests that had timed out */
	uint64_t timers;            /* expiries of event timers (timer.h) */
	uint64_t stray_timers;      /* ... that belonged to no deadline, or came before it */
	uint64_t quarantined_pages; /* not given back because the host may use them */
	uint64_t device_interrupts; /* hvk_interrupt_device */
};
/* Since hvk_create, all CPUs together. Task context or callback. */
void hvk_get_counters(const struct hvk *hvk, struct hvk_counters *out);

/* Where dumps go: one line of text without line end per call. The lines of a dump are
 * a tree that people and programs read alike: two spaces per level, then "name: value", or
 * "name:" where only members follow. Names are words of a-z, 0-9 and '-', unique among
 * their siblings ("channel-7"); numbers are decimal or 0x..., units belong to the name
 * ("ring-bytes"). Task context, on the contact CPU. */
typedef void (*hvk_dump_line)(void *context, const char *line);
void hvk_dump(struct hvk *hvk, hvk_dump_line line, void *context);

/* Pages that may not be given to anybody while the host runs, as {address, count}
 * of index n; false past the last. For memory maps handed to a loaded system: ask
 * before hvk_destroy. After an abrupt exit without an answer it is all that is shared. */
bool hvk_quarantine_pages(const struct hvk *hvk, uint32_t n, struct hvk_pages *out);

#ifdef __cplusplus
}
#endif
#endif
