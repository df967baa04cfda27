/* SPDX-License-Identifier: MIT */
/*
 * The hypervisor's half of the model: CPUID, registers, hypercalls, overlay pages
 * and the SynIC of each virtual processor. Private to host/.
 */
#ifndef HVH_HYPERVISOR_HYPERVISOR_H
#define HVH_HYPERVISOR_HYPERVISOR_H

#include "hvkit/wire/hypervisor.h"
#include "hvkit_host/host.h"

/* Messages that wait for one slot; whoever posts keeps the rest. */
#define HVH_SINT_QUEUE 16u
/* A guest that empties a slot whose pending flag was set writes EOM within this time. */
#define HVH_EOM_LIMIT HVH_TIME_PER_SECOND
/* How often the model looks whether such a slot was emptied, and for how long. */
#define HVH_EOM_LOOK (100u * HVH_TIME_PER_MS)
#define HVH_EOM_WATCH (10u * HVH_TIME_PER_SECOND)
/* How often a host that does not wait for EOM looks whether a slot is empty. */
#define HVH_REDELIVERY_LOOK HVH_TIME_PER_MS
/* The pending flag comes this late at most where HVH_FAULT_LATE_PENDING strikes. */
#define HVH_LATE_PENDING_MAX HVH_TIME_PER_MS

/* A page of the hypervisor's that covers guest memory while enabled. The model keeps
 * what lies below and puts it back; the page's own content survives being disabled. */
struct hvh_overlay {
	bool active;
	bool moving; /* what lies below is just covered, or put back */
	uint64_t gpa;
	uint8_t content[HVK_PAGE_SIZE];
	uint8_t below[HVK_PAGE_SIZE];
};

struct hvh_page_register {
	uint64_t value;
	struct hvh_overlay overlay;
};

/* A periodic timer expires at most this often; what falls between is left out. */
#define HVH_TIMER_PERIOD_MIN (HVH_TIME_PER_MS / 20u)
/* Of periods that were missed a timer makes up for so many, with shorter ones. */
#define HVH_TIMER_MISSED_MAX 4u

struct hvh_waiting_message {
	uint32_t type;
	uint64_t origin;
	uint64_t order; /* what waits for one slot goes there in this order */
	uint32_t size;
	uint8_t payload[HV_MESSAGE_PAYLOAD_MAX];
};

struct hvh_sint {
	uint64_t value;
	struct hvh_waiting_message *queue; /* HVH_SINT_QUEUE of them; NULL until first used */
	uint32_t head, count;
	uint64_t delivered;
	bool flagged;          /* the message in the slot got the pending flag */
	bool previous_flagged; /* so had the one before */
	bool eom_since_delivery;
	bool waiting;      /* for EOM: flag set, and the slot was still full afterwards */
	bool eom_reported; /* as missing */
	uint64_t flag_due; /* late pending flag, or HVH_NEVER */
	uint64_t look_at;  /* next look for a missing EOM, or HVH_NEVER */
	uint64_t look_until;
	uint64_t redeliver_at; /* next look of a host that does not wait for EOM, or HVH_NEVER */
	uint64_t empty_since;  /* seen empty while waiting, or HVH_NEVER */
};

/* One of a VP's synthetic timers, with the one buffer for its message. */
struct hvh_timer {
	uint64_t config, count;
	uint64_t due;     /* or HVH_NEVER: stopped */
	uint64_t nominal; /* what it was set to; due is later where periods were missed */
	bool waiting;     /* its message, for the slot */
	uint64_t expiration, order;
};

struct hvh_vp {
	uint64_t scontrol, assist_page;
	uint64_t order; /* of the latest message for any slot */
	struct hvh_timer timers[HV_STIMER_COUNT];
	struct hvh_page_register simp, siefp;
	struct hvh_sint sints[HV_SINT_COUNT];
};

/* Who takes what the guest posts and signals; statuses are HV_STATUS_*. */
struct hvh_ports {
	uint32_t (*post)(struct hvh_partition *partition, uint32_t vp, uint32_t connection, const void *bytes,
			 uint32_t size);
	uint32_t (*signal)(struct hvh_partition *partition, uint32_t vp, uint32_t connection, uint32_t flag);
	bool (*may_write)(const struct hvh_partition *partition); /* to what the guest gave it */
};

struct hvh_hypervisor {
	const struct hvh_ports *ports;
	uint64_t os_id;
	struct hvh_page_register hypercall, reference_tsc;
	uint64_t crash_parameters[HV_CRASH_PARAMETERS];
	struct hvh_crash crash;
	uint64_t counter_read; /* highest value of the reference counter that was read */
	struct hvh_vp *vps;
	struct hvh_interrupt_source *interrupt_sources; /* device_interrupts.h */
};

bool hvh_hypervisor_init(struct hvh_partition *partition);
void hvh_hypervisor_free(struct hvh_partition *partition);
void hvh_hypervisor_run(struct hvh_partition *partition, uint64_t now);
uint64_t hvh_hypervisor_next_event(struct hvh_partition *partition);
struct hvh_dump;
void hvh_hypervisor_dump(const struct hvh_partition *partition, struct hvh_dump *dump);

/* registers.c: records it as a violation; false. */
bool hvh_register_fault(struct hvh_partition *partition, uint32_t vp, uint32_t msr, uint64_t value,
			const char *what);

/* --- Whose it is: ownership.c --- */

void hvh_owner_changed(struct hvh_partition *partition, uint64_t before, uint64_t value);
/* May a virtual CPU do this? False: the firmware has the hypervisor, and the machine has ended. */
bool hvh_owner_permits(struct hvh_partition *partition, uint32_t vp, const char *what, uint64_t value);

/* --- Synthetic timers --- */

bool hvh_timer_register(uint32_t msr);
/* False: #GP. */
bool hvh_timer_read(struct hvh_partition *partition, uint32_t vp, uint32_t msr, uint64_t *value);
bool hvh_timer_write(struct hvh_partition *partition, uint32_t vp, uint32_t msr, uint64_t value);
void hvh_timers_run(struct hvh_partition *partition, uint64_t now);
uint64_t hvh_timers_next_event(const struct hvh_partition *partition);
/* The timer whose message has waited longest for a SINT's slot, or NULL. */
struct hvh_timer *hvh_timer_waiting(struct hvh_vp *vp, uint32_t sint);
/* Makes that message, and frees the timer's buffer. */
void hvh_timer_take(struct hvh_vp *vp, struct hvh_timer *timer, uint64_t now,
		    struct hvh_waiting_message *message);

/* --- Crash registers --- */

bool hvh_crash_register(uint32_t msr);
uint64_t hvh_crash_read(const struct hvh_partition *partition, uint32_t msr);
void hvh_crash_write(struct hvh_partition *partition, uint32_t vp, uint32_t msr, uint64_t value);
/* The end of the last line of the text that is not blank: what a panic says comes last. */
#define HVH_CRASH_LINE 96u
void hvh_crash_last_line(const struct hvh_crash *crash, char line[HVH_CRASH_LINE + 1]);

/* --- Overlays --- */

/* Fills the content that the page shows when enabled; code NULL: the model's own. */
void hvh_overlay_hypercall(struct hvh_overlay *overlay, const void *code, uint32_t count);
void hvh_overlay_reference_tsc(struct hvh_partition *partition);
bool hvh_reference_tsc_present(const struct hvh_partition *partition);
/* Takes a new value of a page register: keeps reserved bits, moves the overlay. False:
 * the page is not RAM (the register is written, nothing is visible). */
bool hvh_page_register_write(struct hvh_partition *partition, struct hvh_page_register *page, uint64_t value);

/* --- SynIC --- */

/* Queues a message for a slot. False: HVH_SINT_QUEUE are waiting already, or no memory. */
bool hvh_synic_post(struct hvh_partition *partition, uint64_t now, uint32_t vp, uint32_t sint,
		    const void *payload, uint32_t size);
bool hvh_synic_room(const struct hvh_partition *partition, uint32_t vp, uint32_t sint);
/* Sets an event flag; interrupts on its 0 to 1 only. False: SynIC, page or SINT off. */
bool hvh_synic_signal(struct hvh_partition *partition, uint64_t now, uint32_t vp, uint32_t sint,
		      uint32_t flag);
/* A message of a timer waits for that slot. */
void hvh_synic_deliver(struct hvh_partition *partition, uint64_t now, uint32_t vp, uint32_t sint);
/* Raises an interrupt by its vector. */
void hvh_raise(struct hvh_partition *partition, uint64_t now, uint32_t vp, uint8_t vector);
/* Raises a SINT's interrupt, unless it is masked or polled. */
void hvh_synic_interrupt(struct hvh_partition *partition, uint64_t now, uint32_t vp, uint32_t sint);
void hvh_synic_eom(struct hvh_partition *partition, uint64_t now, uint32_t vp);
/* After SynIC or its message page was switched on. */
void hvh_synic_retry(struct hvh_partition *partition, uint64_t now, uint32_t vp);
/* The message page was switched off: no flag is pending in it, and nobody owes an EOM. */
void hvh_synic_forget(struct hvh_partition *partition, uint32_t vp);

#endif
