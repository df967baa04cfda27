/* SPDX-License-Identifier: MIT */
/*
 * What struct hvk is made of. Private to guest/core, guest/hypervisor, guest/vmbus and
 * guest/instance; drivers use core.h and the public headers.
 *
 *   core        what needs nobody: log, memory, locks, requests, timers, the clock
 *   hypervisor  on core: registers, hypercalls, SynIC
 *   vmbus       on both: the bus and its channels
 *   instance    on all: creating it, polling, waiting
 *
 * Locks: bus.lock guards the bus and the life cycle of channels and GPADLs; each CPU's
 * lock guards what interrupts and other CPUs put into it. Order: bus before channel,
 * channel (tx_lock) before CPU; never more than two at a time.
 */
#ifndef HVK_CORE_STATE_H
#define HVK_CORE_STATE_H

#include "guest/core/core.h"
#include "hvkit/timer.h"
#include "hvkit/vmbus.h"
#include "hvkit/wire/hypervisor.h"

#define HVK_MESSAGE_QUEUE 32u /* messages taken from the slot and not yet handled */
#define HVK_QUARANTINE_ENTRIES 256u
#define HVK_FAULT_LOG_FIRST 4u /* host faults logged before logging only powers of two */
#define HVK_FAULT_KINDS 16u
#define HVK_SLOT_TYPE 0u     /* offset of a message slot's type */
#define HVK_TIMERS_MAX 4096u /* on one CPU; a bound for the walk */

/* hvkit's own identity: see docs/decisions.md. */
#define HVK_OS_ID_DEFAULT (HV_OS_ID_OPEN_SOURCE | (0x18ull << 56) | 0x0001ull)
/* iPXE's choice where no interrupt is wanted: a vector whose handler does nothing on
 * a PC, because a masked SINT gets no messages on real hosts. */
#define HVK_VECTOR_DEFAULT 0x75u

struct hvk_bus;
struct hvk_channel;

/* Under the CPU's lock, but for mode, which the CPU's own tasks change. */
struct hvk_event_timer {
	enum hvk_event_timer_mode mode;
	bool expired;      /* and nobody has asked yet */
	uint64_t deadline; /* or HVK_NEVER */
	uint64_t saved_config, saved_count;
};

struct hvk_cpu {
	struct hvk_lock lock;
	bool started;
	bool in_use;  /* the bus needs it: it may not stop; atomic */
	bool left;    /* its registers are given back, its memory is not */
	bool polling; /* inside hvk_poll: callbacks may be running */
	uint32_t vp_index;
	struct hvk_pages message_page, event_page;
	struct hvk_shared slot;  /* message slot of our SINT */
	struct hvk_shared flags; /* event flags of our SINT */
	struct hvk_shared scan;  /* below VMBus 2.4: where in the interrupt page events are; else size 0 */
	uint64_t saved_simp, saved_siefp, saved_scontrol, saved_sint;
	struct hvk_event_timer event_timer;

	/* Taken in by hvk_interrupt or hvk_poll, under lock. */
	struct hv_message queue[HVK_MESSAGE_QUEUE];
	uint32_t queue_head, queue_count;
	uint32_t events[VMBUS_MAX_CHANNELS / 32];
	bool any_event;

	/* Under lock. */
	struct hvk_channel *ready_first, *ready_last;
	struct hvk_request *finished_first, *finished_last;
	struct hvk_timer *timers;
	struct hvk_poller *pollers;
	uint32_t poller_count; /* atomic: read without the lock too */
	bool pollers_due;      /* one was kicked, or is leaving */
	uint64_t pollers_ran;  /* when they ran last */
	struct hvk_poller *vectors[HVK_DEVICE_VECTORS_MAX];
};

struct hvk_hypervisor {
	bool started;
	struct hvk_hypervisor_info info;
	struct hvk_pages hypercall_page, input_page, tsc_page, crash_page;
	uint64_t crash_gpa;
	struct hvk_shared tsc;
	uint64_t saved_os_id, saved_hypercall, saved_tsc;
	uint32_t cpus_started;
	bool taken; /* registers were written: there is something to give back */
};

#define HVK_MMIO_TAKEN_MAX 64u
#define HVK_DOMAINS_MAX 64u

/* What devices have of the machine. */
struct hvk_device_space {
	struct hvk_lock lock;
	struct hvk_mmio_range taken[HVK_MMIO_TAKEN_MAX]; /* length 0: free entry */
	uint16_t domains[HVK_DOMAINS_MAX];
	uint32_t domain_count;
	struct hvk_lock retarget_lock; /* the hypercall's input */
};

struct hvk_quarantine {
	struct hvk_lock lock;
	struct hvk_pages entries[HVK_QUARANTINE_ENTRIES];
	uint32_t count;
	uint64_t pages;
};

struct hvk {
	struct hvk_port port;
	struct hvk_config config;
	struct hvk_pages pages; /* that hold this structure and the CPUs after it */
	struct hvk_cpu *cpus;
	struct hvk_hypervisor hypervisor;
	struct hvk_bus *bus; /* guest/vmbus/bus.h */
	struct hvk_quarantine quarantine;
	struct hvk_device_space devices;
	uint64_t fault_counts[HVK_FAULT_KINDS]; /* per status, for the log; atomic */
	struct hvk_counters counters;           /* statistics: relaxed, see HVK_COUNT */
	uint64_t waiting;                       /* CPUs inside hvk_wait, a bit each; atomic */
	uint64_t last_time;                     /* hvk_time never goes back; atomic */
	uint64_t soft_time;                     /* pauses counted, 100 ns; atomic */
	uint64_t checked_own, checked_time;     /* when both clocks were last compared */
	uint64_t own_offset;                    /* of our own clock, once it replaces the host's */
	bool clock_broken;                      /* the host's clock stood still */
	uint32_t silent_waits;                  /* long ones, messages came, no interrupt; atomic */
	bool quiesced;                          /* all is off for now (handover.h) */
	uint32_t event_words;                   /* of event flags that channels were offered for; atomic */
};

/* Statistics are written by several CPUs and may lose nothing but order. */
#define HVK_COUNT(field) ((void)__atomic_fetch_add(&(field), 1, __ATOMIC_RELAXED))
#define HVK_ADD(field, amount) ((void)__atomic_fetch_add(&(field), (amount), __ATOMIC_RELAXED))
/* The same without a locked instruction, where a lock or one CPU alone guards the writing. */
#define HVK_ADD_ALONE(field, amount) __atomic_store_n(&(field), (field) + (amount), __ATOMIC_RELAXED)

/* memory.c: pages of zeros, not shared yet; for hvk_create, which has no instance. */
hvk_status hvk_pages_allocate(const struct hvk_port *port, uint32_t count, enum hvk_page_use use,
			      struct hvk_pages *out);

/* time.c */
void hvk_clock_reset(struct hvk *hvk);
void hvk_clock_check(struct hvk *hvk);
#define HVK_NS_PER_TICK 100u

void hvk_wake(struct hvk *hvk, uint32_t cpu);

/* requests.c, timers.c, pollers.c: parts of hvk_poll. */
/* True: one has work left. */
bool hvk_run_pollers(struct hvk *hvk, struct hvk_cpu *cpu, uint64_t now);
/* By when they must run; under the CPU's lock. */
uint64_t hvk_pollers_deadline(const struct hvk_cpu *cpu);
/* Those that are leaving have left: nothing runs on this CPU any more. */
void hvk_pollers_stop(struct hvk *hvk, struct hvk_cpu *cpu);
void hvk_run_finished(struct hvk *hvk, struct hvk_cpu *cpu);
void hvk_run_timers(struct hvk *hvk, struct hvk_cpu *cpu, uint64_t now);
void hvk_timer_unlink(struct hvk_cpu *cpu, const struct hvk_timer *timer); /* under its lock */

#endif
