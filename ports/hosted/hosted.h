/* SPDX-License-Identifier: MIT */
/*
 * port.h inside an ordinary process, beside the host model: one guest machine with
 * memory, virtual CPUs and a partition.
 *
 * Two modes. Threads: each CPU a thread, the host in one more, real time.
 * Deterministic: one thread in which the CPUs are coroutines; every port callback and
 * every access to memory shared with the host is a point where another CPU, an
 * interrupt or the host may go on; time is virtual; everything follows from the seed.
 */
#ifndef HOSTED_HOSTED_H
#define HOSTED_HOSTED_H

#include <stdio.h>

#include "hvkit/hvkit.h"
#include "hvkit_host/host.h"
#include "hvkit_host/network.h"

struct hosted;

enum hosted_mode { HOSTED_THREADS, HOSTED_DETERMINISTIC };

struct hosted_config {
	enum hosted_mode mode;
	uint32_t cpus;                     /* 1 to HVK_CPUS_MAX */
	uint32_t memory_pages;             /* 0 = 65536 (256 MiB) */
	const struct hvh_profile *profile; /* copied */
	uint64_t seed;
	bool no_reference_tsc, no_reference_counter; /* clocks that this hypervisor lacks */
	bool level0;                                 /* offer the L0 callbacks only (one CPU) */
	/* Threads: whoever makes work for the host does it at once, CPUs too, where its thread
	 * sleeps. Faster than waking it, but less happens at the same time. */
	bool host_by_caller;
	uint32_t switch_chance; /* deterministic: in 65536 per switch point; 0 = 8192 */
	FILE *trace;            /* pcapng, or NULL; stays the caller's */
	/* Everything that is said, as it is said, under hosted_lock; or NULL. */
	void (*tap)(void *context, const struct hvh_trace_record *record);
	void (*log)(void *context, enum hvk_log_level level, const char *text);  /* NULL: none */
	void (*violation)(void *context, const struct hvh_violation *violation); /* NULL: none */
	void *context;
};

/* NULL if out of memory. */
struct hosted *hosted_create(const struct hosted_config *config);
void hosted_destroy(struct hosted *machine);

const struct hvk_port *hosted_port(struct hosted *machine);
struct hvh_partition *hosted_partition(struct hosted *machine);

/* What CPU n runs; all of them start in hosted_run. */
void hosted_set_program(struct hosted *machine, uint32_t cpu, void (*program)(void *context), void *context);
/* What an interrupt does: hvk_interrupt(hvk, cpu). */
void hosted_set_interrupt(struct hosted *machine, void (*handler)(void *context, uint32_t cpu),
			  void *context);
/* Interrupts of that vector go to this handler, with the same context; before the programs run,
 * or from CPU 0's before it asks the host for any. */
void hosted_set_timer_interrupt(struct hosted *machine, uint8_t vector,
				void (*handler)(void *context, uint32_t cpu));
/* Interrupts of these vectors (hvk_config.device_vector_first) go to this handler, with the same context:
 * hvk_interrupt_device(hvk, cpu, vector). As above. */
void hosted_set_device_interrupts(struct hosted *machine, uint8_t first, uint8_t count,
				  void (*handler)(void *context, uint32_t cpu, uint8_t vector));
/* Work of the outside world (a simulated wire): run does what is due at now and tells
 * whether there is more; next_event tells when. Guarded like the partition. */
void hosted_add_world(struct hosted *machine, bool (*run)(void *context, uint64_t now),
		      uint64_t (*next_event)(void *context), void *context);

/* Runs until CPU 0's program returns, asks the others to stop, and waits for them.
 * Deterministic mode: false if no progress was possible any more (a hang: nothing is
 * due, ever) or virtual time passed limit_ms. Threads: limit_ms of real time. */
bool hosted_run(struct hosted *machine, uint64_t limit_ms);
/* True once CPU 0's program has returned: programs of the other CPUs look at it. */
bool hosted_stopping(struct hosted *machine);
/* In a program: let others go on until timeout_ns have passed or this CPU is woken. */
void hosted_wait(struct hosted *machine, uint64_t timeout_ns);

/* Guards the partition against the host's thread (threads mode; nothing otherwise).
 * Everything in hvkit_host/ that is called from outside a port callback needs it. */
void hosted_lock(struct hosted *machine);
void hosted_unlock(struct hosted *machine);
uint64_t hosted_now(struct hosted *machine); /* 100 ns since creation */
/* Looks at the partition and the worlds anew: something is due that was not before. Under
 * hosted_lock. */
void hosted_kick(struct hosted *machine);
/* Stops writing to the trace, or goes on. Under hosted_lock. */
void hosted_trace(struct hosted *machine, bool on);

/* Memory given out by the port and not given back, in pages. 0 at the end, or leaked. */
uint32_t hosted_pages_in_use(struct hosted *machine);
/* Host writes into memory that the guest has given back. Must be 0. */
uint64_t hosted_writes_to_free_memory(struct hosted *machine);
/* Lets allocation number n (from now, 0 = the next) fail, once; UINT32_MAX: none. */
void hosted_fail_allocation(struct hosted *machine, uint32_t n);

#endif
