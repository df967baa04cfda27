/* SPDX-License-Identifier: MIT */
/* Creating and destroying a machine; what the host model asks of it. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "ports/hosted/machine.h"

/* --- The host's callbacks ------------------------------------------------------------ */

static void *host_translate(void *context, uint64_t gpa, uint32_t length, bool write)
{
	struct hosted *machine = context;

	return memory_translate(&machine->memory, gpa, length, write);
}

static void host_interrupt(void *context, uint32_t vp, uint8_t vector)
{
	struct hosted *machine = context;

	if (vp >= machine->config.cpus)
		return;
	if (machine->device_interrupt && vector - machine->device_vector_first < machine->device_vector_count)
		(void)__atomic_fetch_or(&machine->cpus[vp].devices_pending[vector / 64], 1ull << vector % 64,
					__ATOMIC_SEQ_CST);
	else if (machine->timer_interrupt && vector == machine->timer_vector)
		__atomic_store_n(&machine->cpus[vp].timer_pending, true, __ATOMIC_SEQ_CST);
	else
		__atomic_store_n(&machine->cpus[vp].sint_pending, true, __ATOMIC_SEQ_CST);
	__atomic_store_n(&machine->cpus[vp].interrupt_pending, true, __ATOMIC_SEQ_CST);
	machine->cpus_to_wake |= 1ull << vp;
}

static void host_violation(void *context, const struct hvh_violation *violation)
{
	struct hosted *machine = context;

	if (machine->config.violation)
		machine->config.violation(machine->config.context, violation);
}

static void host_trace(void *context, const struct hvh_trace_record *record)
{
	struct hosted *machine = context;

	if (machine->config.trace && !machine->trace_off)
		(void)hvh_pcapng_write(machine->config.trace, record);
	if (machine->config.tap)
		machine->config.tap(machine->config.context, record);
}

static void host_kick(void *context)
{
	struct hosted *machine = context;

	machine->kicked = true; /* who holds the lock wakes the host's thread when it lets go */
}

void hosted_kick(struct hosted *machine)
{
	host_kick(machine);
}

void hosted_trace(struct hosted *machine, bool on)
{
	machine->trace_off = !on;
}

/* --- Life ------------------------------------------------------------------------------ */

static bool create_partition(struct hosted *machine)
{
	struct hvh_config config = {
		.profile = machine->config.profile,
		.vps = machine->config.cpus,
		.seed = machine->config.seed,
		.tsc_hz = machine->config.no_reference_tsc ? 0 : TSC_HZ,
		.deterministic = machine->config.mode == HOSTED_DETERMINISTIC,
	};
	struct hvh_ops ops = {
		.context = machine,
		.translate = host_translate,
		.interrupt = host_interrupt,
		.violation = host_violation,
		.trace = machine->config.trace || machine->config.tap ? host_trace : NULL,
		.kick = host_kick,
	};

	if (machine->config.trace && !hvh_pcapng_begin(machine->config.trace, "hvkit"))
		return false;
	machine->partition = hvh_create(&config, &ops);
	return machine->partition != NULL;
}

static void init_synchronisation(struct hosted *machine)
{
	pthread_condattr_t monotonic;

	(void)pthread_condattr_init(&monotonic);
	(void)pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	(void)pthread_mutex_init(&machine->partition_lock, NULL);
	(void)pthread_cond_init(&machine->kicked_condition, &monotonic);
	for (uint32_t i = 0; i < machine->config.cpus; i++) {
		machine->cpus[i].machine = machine;
		machine->cpus[i].index = i;
		(void)pthread_mutex_init(&machine->cpus[i].wait_lock, NULL);
		(void)pthread_cond_init(&machine->cpus[i].wait_condition, &monotonic);
	}
	(void)pthread_condattr_destroy(&monotonic);
}

struct hosted *hosted_create(const struct hosted_config *config)
{
	struct hosted *machine = calloc(1, sizeof(*machine));

	if (!machine)
		return NULL;
	machine->config = *config;
	if (machine->config.memory_pages == 0)
		machine->config.memory_pages = MEMORY_PAGES_DEFAULT;
	if (machine->config.switch_chance == 0)
		machine->config.switch_chance = SWITCH_CHANCE_DEFAULT;
	machine->random = config->seed ^ 0x5bd1e995u;
	machine->start_ns = 0;
	machine->start_ns = threads_now_ns(machine);
	init_synchronisation(machine);
	if (!memory_create(&machine->memory, machine->config.memory_pages, config->seed) ||
	    !create_partition(machine)) {
		hosted_destroy(machine);
		return NULL;
	}
	callbacks_fill(machine);
	return machine;
}

void hosted_destroy(struct hosted *machine)
{
	if (machine->partition)
		hvh_destroy(machine->partition);
	memory_destroy(&machine->memory);
	for (uint32_t i = 0; i < machine->config.cpus; i++) {
		(void)pthread_mutex_destroy(&machine->cpus[i].wait_lock);
		(void)pthread_cond_destroy(&machine->cpus[i].wait_condition);
	}
	(void)pthread_cond_destroy(&machine->kicked_condition);
	(void)pthread_mutex_destroy(&machine->partition_lock);
	free(machine);
}

const struct hvk_port *hosted_port(struct hosted *machine)
{
	return &machine->port;
}

struct hvh_partition *hosted_partition(struct hosted *machine)
{
	return machine->partition;
}

void hosted_set_program(struct hosted *machine, uint32_t cpu, void (*program)(void *context), void *context)
{
	machine->cpus[cpu].program = program;
	machine->cpus[cpu].program_context = context;
}

void hosted_set_interrupt(struct hosted *machine, void (*handler)(void *context, uint32_t cpu), void *context)
{
	machine->interrupt = handler;
	machine->interrupt_context = context;
}

void hosted_set_timer_interrupt(struct hosted *machine, uint8_t vector,
				void (*handler)(void *context, uint32_t cpu))
{
	machine->timer_vector = vector;
	machine->timer_interrupt = handler;
}

void hosted_set_device_interrupts(struct hosted *machine, uint8_t first, uint8_t count,
				  void (*handler)(void *context, uint32_t cpu, uint8_t vector))
{
	machine->device_vector_first = first;
	machine->device_vector_count = count;
	machine->device_interrupt = handler;
}

void hosted_add_world(struct hosted *machine, bool (*run)(void *context, uint64_t now),
		      uint64_t (*next_event)(void *context), void *context)
{
	if (machine->world_count == WORLDS_MAX)
		abort(); /* the caller's bug */
	machine->worlds[machine->world_count++] = (struct world){run, next_event, context};
}

bool hosted_run(struct hosted *machine, uint64_t limit_ms)
{
	return machine->config.mode == HOSTED_THREADS ? threads_run(machine, limit_ms)
						      : deterministic_run(machine, limit_ms);
}

bool hosted_stopping(struct hosted *machine)
{
	return __atomic_load_n(&machine->stopping, __ATOMIC_ACQUIRE);
}

void hosted_wait(struct hosted *machine, uint64_t timeout_ns)
{
	struct hosted_cpu *cpu = hosted_current;

	if (!cpu)
		return;
	if (machine->config.mode == HOSTED_THREADS)
		threads_wait(cpu, timeout_ns);
	else
		deterministic_wait(cpu, timeout_ns);
	deliver_interrupt(cpu);
}

void hosted_lock(struct hosted *machine)
{
	if (machine->config.mode == HOSTED_THREADS)
		(void)pthread_mutex_lock(&machine->partition_lock);
}

void hosted_unlock(struct hosted *machine)
{
	if (machine->config.mode == HOSTED_THREADS)
		threads_unlock(machine);
}

uint64_t hosted_now(struct hosted *machine)
{
	return machine->config.mode == HOSTED_DETERMINISTIC ? machine->now : threads_now_ns(machine) / 100u;
}

uint32_t hosted_pages_in_use(struct hosted *machine)
{
	uint32_t in_use;

	(void)pthread_mutex_lock(&machine->memory.lock);
	in_use = machine->memory.in_use;
	(void)pthread_mutex_unlock(&machine->memory.lock);
	return in_use;
}

uint64_t hosted_writes_to_free_memory(struct hosted *machine)
{
	return __atomic_load_n(&machine->memory.bad_writes, __ATOMIC_RELAXED);
}

void hosted_fail_allocation(struct hosted *machine, uint32_t n)
{
	machine->memory.fail_in = n;
}
