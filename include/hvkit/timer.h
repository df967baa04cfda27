/* SPDX-License-Identifier: MIT */
/*
 * The event timer: an interrupt on a CPU at a time of one's choice, by that CPU's synthetic
 * timer 0, for systems that idle by HLT and have no timer of their own, or a worse one; how fast
 * the processor's own counters count, so that nobody need measure it; and the crash report.
 *
 * Each CPU that wants one calls hvk_event_timer_start, and sets one deadline at a time:
 *
 *   for (;;) {                                            an idle loop, interrupts on
 *           while (hvk_poll(hvk, cpu))
 *                   ;
 *           interrupts off
 *           if (nothing was woken since)
 *                   hvk_event_timer_set(hvk, min(hvk_next_deadline(hvk, cpu), own deadline));
 *                   interrupts on and HLT, in one
 *           interrupts on
 *   }
 *
 * The expiry comes in one of two modes, which start tells:
 *
 *   direct    an interrupt with a vector of yours, where the host can. Its handler calls
 *             hvk_event_timer_interrupt.
 *   message   a message in the SINT's slot: hvk_interrupt takes it in, or hvk_poll if it comes
 *             first. It queues behind VMBus messages, so a busy bus may make it late.
 *
 * A CPU that is halted for good while others abandon the bus (panic) should have been through
 * hvk_event_timer_stop: a message in its slot would keep the answer out.
 *
 * In both, hvk_event_timer_expired afterwards tells once whether the deadline has passed. hvkit calls
 * nobody back: a clock-event handler is called by your own handler, which knows the CPU's state.
 *
 *   void vector_handler(void) { hvk_interrupt(hvk, cpu); if (hvk_event_timer_expired(hvk, cpu)) tick(); }
 *
 * Never early, by hvk_time: what the host sends before the deadline is dropped, and the timer is
 * set again, so that it is not lost either.
 */
#ifndef HVKIT_TIMER_H
#define HVKIT_TIMER_H

#include "hvkit.h"

#ifdef __cplusplus
extern "C" {
#endif

enum hvk_event_timer_mode {
	HVK_EVENT_TIMER_OFF,
	HVK_EVENT_TIMER_MESSAGE, /* over the SINT */
	HVK_EVENT_TIMER_DIRECT   /* by a vector of its own */
};

/* Takes timer 0 of the calling CPU, after its hvk_cpu_start. vector: 16 to 255, for direct mode where
 * the host has it; 0, or a host without: messages. What was in its registers is remembered, and
 * put back by hvk_event_timer_stop or hvk_cpu_stop. Task context, on that CPU.
 * HVK_ESTATE: the CPU is not started, or its timer is; HVK_EINVAL: a vector below 16; HVK_ENOTSUP: this
 * host has no synthetic timers, or no clock that goes with them; HVK_EINUSE: somebody's timer is
 * running there, and hvk_config.take_over is not set; HVK_EPRIVILEGE: a register faulted. */
hvk_status hvk_event_timer_start(struct hvk *hvk, uint8_t vector);

/* How the calling CPU's expiry comes. Any context. */
enum hvk_event_timer_mode hvk_event_timer_mode(struct hvk *hvk, uint32_t cpu);

/* One expiry on the calling CPU when hvk_time reaches deadline: at once if that has passed already. An
 * earlier deadline that has not expired, or was not asked for yet, is forgotten. HVK_NEVER: none. Any
 * context on that CPU; one register access, no allocation. HVK_ESTATE: not started;
 * HVK_EHOST_CLOCK: the host's clock was found to stand still, and its timers with it: wait by
 * other means, hvk_time goes on by the port's; HVK_EPRIVILEGE: the register faulted. */
hvk_status hvk_event_timer_set(struct hvk *hvk, uint64_t deadline);

/* Direct mode: the vector's handler on that CPU calls this. Interrupt context, bounded, calls nobody
 * back. The caller ends the interrupt at its controller. Harmless in other modes. */
void hvk_event_timer_interrupt(struct hvk *hvk, uint32_t cpu);

/* True once after each expiry. For that CPU, any context. */
bool hvk_event_timer_expired(struct hvk *hvk, uint32_t cpu);

/* Stops the calling CPU's timer and leaves its registers as found; nothing to do if it is not started.
 * Task context, on that CPU. hvk_cpu_stop does it too. */
void hvk_event_timer_stop(struct hvk *hvk);

/* --- Frequencies ----------------------------------------------------------------- */

struct hvk_frequencies {
	uint64_t tsc;        /* ticks a second */
	uint64_t apic_timer; /* of the local APIC's timer, before its divider */
};

/* Asks the hypervisor. By the port alone, and of it features and reg_read: before hvk_create if need be,
 * for a port whose clock_ns counts the TSC. Changes nothing. Task context, any CPU. A system that may be
 * moved to another machine asks again afterwards. HVK_ENOHYPERVISOR; HVK_ENOTSUP: this one does not tell
 * (on aarch64 none does: CNTFRQ_EL0 is there); HVK_EPRIVILEGE: a register faulted; HVK_EHOST_CLOCK: it said
 * what cannot be. *out is zeros then: measure. */
hvk_status hvk_frequencies_read(const struct hvk_port *port, struct hvk_frequencies *out);

/* --- Crash report -------------------------------------------------------------- */

/* Tells the host that this system has crashed (it writes an entry to its event log): five numbers
 * of the embedder's, and text of length bytes, or NULL. The text goes out only if hvk_config.crash_text is
 * set and the host takes one; then only p[0] to p[2] are told, and of a text longer than
 * HVK_CRASH_TEXT_MAX the end is. Any context on any CPU: no lock, no allocation, nobody is called but the
 * port's reg_write. HVK_ESTATE: not started; HVK_ENOTSUP: this host has no crash registers;
 * HVK_EPRIVILEGE: one faulted. */
#define HVK_CRASH_TEXT_MAX 4096u
hvk_status hvk_crash_report(struct hvk *hvk, const uint64_t p[5], const char *text, uint32_t length);

#ifdef __cplusplus
}
#endif
#endif
