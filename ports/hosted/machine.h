/* SPDX-License-Identifier: MIT */
/* What the files of ports/hosted share. */
#ifndef HOSTED_MACHINE_H
#define HOSTED_MACHINE_H

#include <pthread.h>
#include <ucontext.h>

#include "hvkit/hvkit.h"
#include "ports/hosted/hosted.h"

#define GUEST_MEMORY_BASE 0x100000ull /* guest-physical address of the first page */
#define MEMORY_PAGES_DEFAULT 65536u
#define TSC_HZ 1000000000ull /* the guest's counter counts nanoseconds */
#define PAUSE_NS 20000u
#define SWITCH_CHANCE_DEFAULT 8192u
#define WORLDS_MAX 8u
#define STACK_BYTES (256u * 1024u)

/* Guest memory: an arena whose pages have guest-physical addresses in a random order, so
 * that nobody can count on neighbours being neighbours there too. */
struct memory {
	pthread_mutex_t lock;
	uint8_t *base;
	uint32_t pages, in_use, hint;
	uint8_t *use;          /* per page: 0 free, 1 + enum hvk_page_use; atomics */
	uint32_t *gpa_of_page; /* page number -> guest-physical page number */
	uint32_t *page_of_gpa;
	uint64_t bad_writes; /* atomic */
	uint32_t fail_in;    /* allocations until one fails; UINT32_MAX never */
};

enum cpu_state { CPU_READY, CPU_WAITING, CPU_FINISHED };

struct hosted_cpu {
	struct hosted *machine;
	uint32_t index;
	void (*program)(void *context);
	void *program_context;
	bool interrupt_pending, woken;    /* atomics */
	bool sint_pending, timer_pending; /* atomics: which interrupt it is */
	uint64_t devices_pending[4];      /* atomics: ... or by a device's vector, a bit each */
	uint32_t interrupts_off;          /* depth */

	pthread_t thread;
	pthread_mutex_t wait_lock;
	pthread_cond_t wait_condition;
	bool waiting; /* atomic: sleeps, or is about to; whoever clears it wakes */

	enum cpu_state state;
	uint64_t wake_time;
	ucontext_t coroutine;
	void *stack;
	void *fake_stack; /* the address sanitizer's */
};

struct world {
	bool (*run)(void *context, uint64_t now);
	uint64_t (*next_event)(void *context);
	void *context;
};

struct hosted {
	struct hosted_config config;
	struct hvk_port port;
	struct hvh_partition *partition;
	struct memory memory;
	struct hosted_cpu cpus[HVK_CPUS_MAX];
	struct world worlds[WORLDS_MAX];
	uint32_t world_count;
	void (*interrupt)(void *context, uint32_t cpu);
	void *interrupt_context;
	void (*timer_interrupt)(void *context, uint32_t cpu);
	uint8_t timer_vector;
	void (*device_interrupt)(void *context, uint32_t cpu, uint8_t vector);
	uint32_t device_vector_first, device_vector_count;
	bool stopping; /* atomic */
	bool trace_off;

	/* Threads. */
	pthread_mutex_t partition_lock;
	pthread_cond_t kicked_condition;
	bool kicked, resting; /* under partition_lock: the host has work; its thread sleeps */
	bool host_stop;
	uint64_t cpus_to_wake; /* under partition_lock: they got interrupts; bit = index */
	uint64_t rest_until;   /* under partition_lock: 100 ns */
	uint64_t start_ns;

	/* Deterministic. */
	uint64_t now; /* 100 ns */
	uint64_t random;
	ucontext_t scheduler;
	void *scheduler_fake_stack;
	const void *scheduler_stack;
	size_t scheduler_stack_size;
};

/* The CPU that runs on this thread, or NULL (scheduler, host thread, outside). */
extern _Thread_local struct hosted_cpu *hosted_current;

/* memory.c */
bool memory_create(struct memory *memory, uint32_t pages, uint64_t seed);
void memory_destroy(struct memory *memory);
hvk_status memory_alloc(struct memory *memory, uint32_t count, enum hvk_page_use use, struct hvk_pages *out);
void memory_free(struct memory *memory, const struct hvk_pages *pages);
uint64_t memory_gpa(const struct memory *memory, const void *address);
void *memory_translate(struct memory *memory, uint64_t gpa, uint32_t length, bool write);

/* callbacks.c */
void callbacks_fill(struct hosted *machine);
void deliver_interrupt(struct hosted_cpu *cpu);

/* threads.c, deterministic.c */
bool threads_run(struct hosted *machine, uint64_t limit_ms);
void threads_wait(struct hosted_cpu *cpu, uint64_t timeout_ns);
void threads_wake(struct hosted_cpu *cpu);
void threads_unlock(struct hosted *machine); /* partition_lock */
uint64_t threads_now_ns(const struct hosted *machine);
bool deterministic_run(struct hosted *machine, uint64_t limit_ms);
void deterministic_wait(struct hosted_cpu *cpu, uint64_t timeout_ns);
void deterministic_yield(struct hosted_cpu *cpu);
void deterministic_point(struct hosted_cpu *cpu);
uint64_t deterministic_random(struct hosted *machine);

#endif
