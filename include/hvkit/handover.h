/* SPDX-License-Identifier: MIT */
/*
 * Handing the machine over to a system that was loaded: everything that hvkit took of the
 * hypervisor is off afterwards, so that the loaded system finds the bus and the registers as
 * if nobody had been there (docs/handover.md has the orders, and why).
 *
 *   orderly   the usual one. Drivers are detached first (hvk_netvsc_detach and so on: filter off,
 *             HALT, buffers revoked, channels closed), then hvk_handover_orderly does the rest
 *   abrupt    for panic and for callers like ExitBootServices, who may not allocate or free: the
 *             host closes everything by itself
 *   quiesced  for a boot from a network disk, where the loader goes on serving the disk to the system
 *             that it loads and so cannot leave the bus: off for now, and on again for each request
 *
 * It differs from hvk_cpu_stop and hvk_stop, which leave every register as it was found, for those who
 * return to whom they came from: after a hand-over the SINT is masked with vector 0, all pages are off
 * and the identity is 0, whatever was there before; SCONTROL alone is put back as it was found. (Windows
 * Server 2016 keeps pages that it finds enabled, and goes on for ever if SynIC is off: iPXE b91cc983d.)
 *
 * Memory. What the host may still write must not be given to the loaded system: hvk_handover_next_reserved
 * lists it, for its memory map. After an orderly exit that was answered this is empty, unless a
 * time-out came before.
 */
#ifndef HVKIT_HANDOVER_H
#define HVKIT_HANDOVER_H

#include "hvkit.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What to do if the host does not let go: it does not answer UNLOAD, or does not know it (a host below
 * VMBus 3.0 ignores it). */
enum hvk_handover_choice {
	/* Nothing else is given back. The caller says so to its user and stops, tries again (with the
	 * other choice too), or resets the machine. */
	HVK_HANDOVER_OR_STOP = 0,
	/* Go on; what the host may write is listed as reserved. The loaded system may find a bus that it
	 * cannot use. */
	HVK_HANDOVER_ANYWAY = 1
};

/* The orderly exit. In order: GPADLs that are left are torn down, UNLOAD and its response, event timer
 * off, SINT masked with vector 0, its slot drained (end-of-message where the host waits for it), its
 * event flags zeroed, SIEFP off, SIMP off, SCONTROL as found, reference TSC page off, hypercall page
 * off, identity 0; then the pages go back to the port. Waits, each step for as long as
 * hvk_config.timeouts says. The bus may also be cold, suspended or abandoned: then the rest is done.
 *
 * Needs: every channel closed (HVK_EBUSY, and a line in the log that names one: detach its driver); no
 * connect, disconnect, suspend or resume in progress (HVK_ESTATE); on every other CPU hvk_cpu_stop
 * or hvk_handover_cpu was called (HVK_ESTATE). With these nothing has changed. Task context, on the
 * contact CPU (HVK_ECONTEXT), not from a callback (HVK_ECONTEXT).
 *
 * HVK_OK: the host has let go and everything is off. HVK_ETIMEDOUT_UNLOAD, HVK_ETIMEDOUT_POST: the host does
 * not answer; HVK_EHOSTTOOOLD: it does not know UNLOAD (with HVK_HANDOVER_OR_STOP nothing has changed yet).
 * With HVK_HANDOVER_ANYWAY these mean: done, but look at the reserved memory. HVK_EQUARANTINE: done likewise,
 * but more memory is withheld than can be listed: do not go on. After it only hvk_handover_next_reserved and
 * hvk_destroy may be called. */
hvk_status hvk_handover_orderly(struct hvk *hvk, enum hvk_handover_choice choice);

/* The abrupt exit: hvk_vmbus_abandon (UNLOAD with channels open, its response awaited for at most
 * timeout_ms), then the registers of this CPU and of the machine in the order above. Takes no lock,
 * allocates and frees nothing, calls nobody back. Any CPU, any context, while no other CPU is inside hvkit;
 * CPUs that can still run call hvk_handover_cpu before, the message and event pages of the others stay on and
 * are listed as reserved.
 *
 * HVK_OK. HVK_ETIMEDOUT_UNLOAD, HVK_EHOSTTOOOLD: all registers are off all the same, and everything that was
 * shared is listed as reserved. HVK_EBUSY: the host has let go, but a CPU is still started. HVK_ESTATE:
 * not started, or quiesced. Afterwards
 * hvk_handover_next_reserved may be called; whoever has the time gives the memory back with
 * hvk_cpu_stop, hvk_stop and hvk_destroy, which touch no register any more. */
hvk_status hvk_handover_abrupt(struct hvk *hvk, uint32_t timeout_ms);

/* The calling CPU's share of either exit, for each CPU that was started but the one that does the
 * hand-over, which calls it last. Channels of this CPU are closed, or were moved away. Takes no lock,
 * frees nothing. HVK_ESTATE: not started, or the contact CPU of a bus in use. Task context. */
hvk_status hvk_handover_cpu(struct hvk *hvk);

/* Where a walk over reserved memory is; zeros at its beginning. */
struct hvk_handover_cursor {
	uint32_t entry, page;
};

/* Memory that the host may still write, one run of consecutive guest-physical pages per call, in no
 * order; false past the last. Before hvk_destroy. Task context. After an orderly exit: what was
 * withheld (quarantine). After an abrupt one without an answer, or quiesced: everything that is shared.
 * */
bool hvk_handover_next_reserved(const struct hvk *hvk, struct hvk_handover_cursor *cursor,
				struct hvk_mmio_range *out);

/* --- For a boot from a network disk ---------------------------------------------------------------- */

/* Steps aside while the loaded system runs, with the bus connected and the channels open, as iPXE does:
 * every SINT of this CPU that is not masked is masked, ours with vector 0, its slot drained and flags
 * zeroed; SIEFP off, SIMP off, reference TSC page off, hypercall page off, identity 0. SCONTROL stays
 * on: Windows Server 2016 would wait for ever without it (iPXE b91cc983d). No UNLOAD.
 *
 * Call it when no request is in progress; a loader that cannot know which request is the last one calls it
 * after each. The host may write to all that is shared for as long as this lasts: keep every page that
 * the port gave out away from the loaded system. Until hvk_handover_unquiesce nothing else may be called but
 * hvk_handover_next_reserved, hvk_handover_quiesced and hvk_time; hvk_poll does nothing.
 *
 * HVK_ESTATE: the bus is not connected, a request of the bus is in progress, another CPU is started, or
 * quiesced already. Task context, on the contact CPU, not from a callback (HVK_ECONTEXT). */
hvk_status hvk_handover_quiesce(struct hvk *hvk);

/* Comes back: identity, hypercall page, SynIC and SINT anew, then contact as hvk_vmbus_connect was told
 * to make it (boot mode: 3.0, UNLOAD, the oldest), for the loaded system may have taken the bus
 * meanwhile and left it: a new contact is the only thing that a host understands in any state. It ends
 * whatever was connected. So every channel of before is over, as if the host had taken it back: its
 * driver hears of it (ready, gone), its memory is given back when the driver closes, no answer is
 * awaited for it. The devices are offered again as new channels, through the offered callback, before
 * this returns: attach drivers to them.
 *
 * HVK_OK. HVK_ESTATE: not quiesced. HVK_EINUSE: SIMP is on, so the loaded system is using SynIC: nothing
 * was touched, and still quiesced. HVK_EOWNED: firmware has the hypervisor; likewise. An identity that the
 * loaded system left behind without SIMP is replaced (winload leaves one). Else as hvk_vmbus_connect:
 * awake, with a cold bus, or an abandoned one where the host did not answer. Waits.
 * Task context, on the contact CPU, not from a callback (HVK_ECONTEXT). */
hvk_status hvk_handover_unquiesce(struct hvk *hvk);

/* Any context. */
bool hvk_handover_quiesced(const struct hvk *hvk);

#ifdef __cplusplus
}
#endif
#endif
