/* SPDX-License-Identifier: MIT */
/*
 * The port: the one header an embedder implements.
 *
 * A port is a structure of functions with a context pointer. It comes in
 * levels; stop at the one you need and leave the rest NULL:
 *
 *   L0 polled      log, pages, registers, features, hypercall, pause.
 *                  Enough to connect, enumerate, open and move packets: a boot
 *                  loader needs no more. One CPU, and hvk_poll does it all.
 *   L1 events      CPU index and interrupt-safe locks. More than one CPU, and
 *                  hvk_interrupt from the vector's handler. And wake, if a task that polls
 *                  sleeps until hvk_next_deadline: any call may bring that forward. Without
 *                  wake it must ask again, and poll, every few milliseconds.
 *   L2 scheduling  wait, wake and clock_ns. hvk_wait sleeps instead of spinning.
 *   L3 isolation   share and unshare. Guests whose memory the host cannot see.
 *
 * Each callback is described in one form: Purpose; From: who may call it and in
 * which context ("interrupt" = inside hvk_interrupt, with interrupts of that
 * CPU off; "task" = inside any other hvkit call); Blocks: may it sleep;
 * Arguments and ownership; Result and what hvkit does on it. All of them exist
 * since port version 1. hvkit calls none of them while holding one of its locks but
 * lock/unlock themselves, lock_init, reg_read, reg_write, hypercall, tsc, clock_ns,
 * cpu_index, page_gpa, wake, log, mmio_read and mmio_write.
 */
#ifndef HVKIT_PORT_H
#define HVKIT_PORT_H

#include <stddef.h>
#include <stdint.h>

#include "status.h"

#ifdef __cplusplus
extern "C" {
#endif

#define HVK_PORT_VERSION 1u

/* What belongs at each level. The text has no line end and is valid only
 * during the call. */
enum hvk_log_level {
	HVK_LOG_ERROR = 1, /* something that was asked for does not work */
	HVK_LOG_WARN = 2,  /* the host misbehaved, or something is degraded; rate-limited per cause */
	HVK_LOG_INFO = 3,  /* once per life-cycle step: found, version, device came or went */
	HVK_LOG_DEBUG = 4  /* each control message; only if hvk_config.log_level asks for it */
};

/* Who will read and write the pages. */
enum hvk_page_use {
	HVK_PAGE_PRIVATE = 0,     /* hvkit's own state; the host never sees it */
	HVK_PAGE_HOST_READS = 1,  /* shared, host reads */
	HVK_PAGE_HOST_WRITES = 2, /* shared, host reads and writes */
	HVK_PAGE_EXECUTE = 3      /* the hypercall page: the host fills it, the CPU executes it */
};

/* Consecutive 4 KiB pages. They need be contiguous in virtual addresses only:
 * hvkit asks page_gpa for each page that it tells the host about. */
struct hvk_pages {
	void *address;  /* page aligned */
	uint32_t count; /* pages of 4 KiB */
	enum hvk_page_use use;
	void *handle; /* the port's own */
};

/* Registers by hvkit's own names; on x86 the port maps them to the MSRs in
 * wire/hypervisor.h, on aarch64 to HvCallGetVpRegisters/HvCallSetVpRegisters.
 * A per-CPU register is the calling CPU's. */
enum hvk_register {
	HVK_REG_GUEST_OS_ID,
	HVK_REG_HYPERCALL,
	HVK_REG_VP_INDEX, /* per CPU */
	HVK_REG_REFERENCE_COUNTER,
	HVK_REG_REFERENCE_TSC,
	HVK_REG_SCONTROL, /* this and all below: per CPU */
	HVK_REG_SIEFP,
	HVK_REG_SIMP,
	HVK_REG_EOM,
	HVK_REG_SINT0, /* HVK_REG_SINT0 + n is SINT n, n below 16 */
	HVK_REG_SINT15 = HVK_REG_SINT0 + 15,
	/* Only where hvk_event_timer_start is called. Timer n, n below 4, has CONFIG + 2 * n and
	 * COUNT + 2 * n, as the MSRs; hvkit uses timer 0. */
	HVK_REG_STIMER0_CONFIG,
	HVK_REG_STIMER0_COUNT,
	HVK_REG_STIMER3_COUNT = HVK_REG_STIMER0_CONFIG + 7,
	/* Only where hvk_crash_report is called; of the whole machine. */
	HVK_REG_CRASH_P0, /* HVK_REG_CRASH_P0 + n is Pn, n below 5 */
	HVK_REG_CRASH_P4 = HVK_REG_CRASH_P0 + 4,
	HVK_REG_CRASH_CONTROL,
	/* Only where hvk_frequencies_read is called; of the whole machine. */
	HVK_REG_TSC_FREQUENCY,
	HVK_REG_APIC_FREQUENCY
};

/* Storage for one interrupt-safe lock. hvkit zeroes it, then lock_init it once. */
struct hvk_lock {
	uintptr_t words[8];
};

struct hvk_port {
	uint32_t size;    /* sizeof(struct hvk_port) as the embedder was compiled */
	uint32_t version; /* HVK_PORT_VERSION */
	void *context;    /* first argument of every callback */

	/* ---- L0: polled ---------------------------------------------------- */

	/* Purpose: show one line to a person. From: any context, any CPU; by hvk_create too, which
	 * tells why it refuses the port, also one of another version.
	 * Blocks: no. Arguments: text is borrowed for the call. Result: none. */
	void (*log)(void *context, enum hvk_log_level level, const char *text);

	/* Purpose: memory. From: task. Blocks: may. Arguments: count 1 to 8192 pages;
	 * out is written on success and belongs to hvkit until pages_free. The pages
	 * must be 4 KiB aligned, and hold nothing else. They need not be zeroed: hvkit
	 * writes zeros to all but HVK_PAGE_EXECUTE, before the host sees them. Result:
	 * HVK_OK, or HVK_ENOMEM, which the call that needed them returns; pages that are
	 * not aligned are given back, and that call returns HVK_EINVAL. */
	hvk_status (*pages_alloc)(void *context, uint32_t count, enum hvk_page_use use,
				  struct hvk_pages *out);

	/* Purpose: give pages back. From: task. Blocks: may. Arguments: what
	 * pages_alloc wrote. Result: none. Pages that the host may still write are
	 * not given back: see hvk_quarantine_pages. */
	void (*pages_free)(void *context, const struct hvk_pages *pages);

	/* Purpose: guest-physical address of the 4 KiB page at address, which lies in
	 * pages of pages_alloc. From: task. Blocks: no. Result: a page-aligned
	 * address. */
	uint64_t (*page_gpa)(void *context, const void *address);

	/* Purpose: the hypervisor's feature leaves (CPUID on x86, feature registers
	 * on aarch64). From: task, before hvk_start returns. Blocks: no.
	 * Arguments: out gets EAX, EBX, ECX, EDX. Result: none; zeros where absent. */
	void (*features)(void *context, uint32_t leaf, uint32_t out[4]);

	/* Purpose: read or write a synthetic register of the calling CPU. From: any
	 * context. Blocks: no. Result: HVK_OK; anything else (a #GP) fails the step
	 * that needed it with HVK_EPRIVILEGE. */
	hvk_status (*reg_read)(void *context, enum hvk_register reg, uint64_t *value);
	hvk_status (*reg_write)(void *context, enum hvk_register reg, uint64_t value);

	/* Purpose: issue a hypercall through the hypercall page. From: any context.
	 * Blocks: no. Arguments: page is its virtual address; control, input and
	 * output go to RCX, RDX, R8 (x86-64). Result: the value of RAX. */
	uint64_t (*hypercall)(void *context, const void *page, uint64_t control, uint64_t input,
			      uint64_t output);

	/* Purpose: device memory in an MMIO window (hvk_config.mmio_windows), one access of width
	 * 1, 2, 4 or 8 bytes, aligned, uncached and in the order of the calls. From: any context.
	 * Blocks: no. Result: all ones where nothing is. Both or none; without them there is no
	 * pass-through PCI (vpci.h: HVK_ELEVEL). */
	uint64_t (*mmio_read)(void *context, uint64_t address, unsigned width);
	void (*mmio_write)(void *context, uint64_t address, unsigned width, uint64_t value);

	/* Purpose: bytes nobody can foresee. From: task. Blocks: no. Result: HVK_OK;
	 * anything else fails the call that needed them. In the structure since port
	 * version 1; nothing calls it yet. May be NULL: a call that needs it is then
	 * HVK_ELEVEL. */
	hvk_status (*random)(void *context, void *out, size_t bytes);

	/* Purpose: let at least pause_ns nanoseconds pass. From: task, and any context in
	 * hvk_vmbus_abandon. Blocks: yes,
	 * about that long. Result: none. */
	void (*pause)(void *context);
	uint32_t pause_ns; /* 1 to 100,000,000 */

	/* Purpose: the CPU's time-stamp counter, ordered after earlier loads. From:
	 * any context. May be NULL: then the reference counter register is the clock. */
	uint64_t (*tsc)(void *context);

	/* ---- L1: events ----------------------------------------------------- */

	/* Purpose: index of the calling CPU, 0 to hvk_config.cpus - 1. From: any
	 * context. Blocks: no. NULL means that there is one CPU, 0. */
	uint32_t (*cpu_index)(void *context);

	/* Purpose: mutual exclusion between CPUs and with hvk_interrupt. lock also
	 * keeps interrupts of this CPU out, unlock puts back what was. Locks nest at
	 * most two deep, in one order. From: any context. Blocks: may spin. lock_init,
	 * lock and unlock: all or none. lock_held: is it held by the calling CPU? For
	 * asserts; in the structure since port version 1, nothing calls it yet. May be NULL. */
	hvk_status (*lock_init)(void *context, struct hvk_lock *lock);
	void (*lock)(void *context, struct hvk_lock *lock);
	void (*unlock)(void *context, struct hvk_lock *lock);
	bool (*lock_held)(void *context, const struct hvk_lock *lock);

	/* ---- L2: scheduling -------------------------------------------------- */

	/* Purpose: sleep until the vector's interrupt or wake on this CPU, or until
	 * timeout_ns have passed; an interrupt or wake-up since the last wait returned
	 * counts, so that none that comes just before is slept over. From:
	 * task, in hvk_wait. Blocks: yes. Result: none, early return is harmless. */
	void (*wait)(void *context, uint64_t timeout_ns);

	/* Purpose: end a wait on that CPU and have hvk_poll run there soon. From:
	 * any context. Blocks: no. */
	void (*wake)(void *context, uint32_t cpu);

	/* Purpose: monotonic nanoseconds, that the host cannot stop; bounds every sleep,
	 * and is the clock where the hypervisor has none. From: any context. Needed
	 * with wait. */
	uint64_t (*clock_ns)(void *context);

	/* ---- L3: isolation --------------------------------------------------- */

	/* Purpose: make pages visible to the host before it is told of them, and
	 * private again afterwards. From: task. Blocks: may. Result: HVK_OK; if
	 * unshare fails the pages go to quarantine. Both or none. */
	hvk_status (*share)(void *context, const struct hvk_pages *pages);
	hvk_status (*unshare)(void *context, const struct hvk_pages *pages);
};

#ifdef __cplusplus
}
#endif
#endif
