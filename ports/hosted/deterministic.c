/* SPDX-License-Identifier: MIT */
/*
 * Deterministic mode: CPUs as coroutines, one step at a time, chosen by the seed. Time
 * is virtual: it moves a little at each point, and jumps when everybody waits.
 */
#include <stdlib.h>
#include <sys/mman.h>

#include "ports/hosted/machine.h"

#if defined(__SANITIZE_ADDRESS__)
#define HAVE_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define HAVE_ASAN 1
#endif
#endif
#ifdef HAVE_ASAN
#include <sanitizer/common_interface_defs.h>
#endif

#define TICKS_PER_STEP_MAX 16u
#define NS_PER_TICK 100u

uint64_t deterministic_random(struct hosted *machine)
{
	/* Atomic for threads mode, where the guest's CPUs draw from it too. */
	uint64_t z = __atomic_add_fetch(&machine->random, 0x9e3779b97f4a7c15ull, __ATOMIC_RELAXED);

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
	return z ^ (z >> 31);
}

/* --- Switching -------------------------------------------------------------------------- */

static void to_scheduler(struct hosted_cpu *cpu)
{
	struct hosted *machine = cpu->machine;

#ifdef HAVE_ASAN
	__sanitizer_start_switch_fiber(cpu->state == CPU_FINISHED ? NULL : &cpu->fake_stack,
				       machine->scheduler_stack, machine->scheduler_stack_size);
#endif
	(void)swapcontext(&cpu->coroutine, &machine->scheduler);
#ifdef HAVE_ASAN
	__sanitizer_finish_switch_fiber(cpu->fake_stack, &machine->scheduler_stack,
					&machine->scheduler_stack_size);
#endif
}

static void to_cpu(struct hosted_cpu *cpu)
{
	struct hosted *machine = cpu->machine;

	hosted_current = cpu;
#ifdef HAVE_ASAN
	__sanitizer_start_switch_fiber(&machine->scheduler_fake_stack, cpu->stack, STACK_BYTES);
#endif
	(void)swapcontext(&machine->scheduler, &cpu->coroutine);
#ifdef HAVE_ASAN
	__sanitizer_finish_switch_fiber(machine->scheduler_fake_stack, NULL, NULL);
#endif
	hosted_current = NULL;
}

static void coroutine(unsigned low, unsigned high)
{
	struct hosted_cpu *cpu = (struct hosted_cpu *)(((uintptr_t)high << 32) | (uintptr_t)low);

#ifdef HAVE_ASAN
	__sanitizer_finish_switch_fiber(NULL, &cpu->machine->scheduler_stack,
					&cpu->machine->scheduler_stack_size);
#endif
	cpu->program(cpu->program_context);
	cpu->state = CPU_FINISHED;
	to_scheduler(cpu);
}

static bool create_coroutine(struct hosted_cpu *cpu)
{
	uintptr_t address = (uintptr_t)cpu;

	cpu->stack = mmap(NULL, STACK_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK,
			  -1, 0);
	if (cpu->stack == MAP_FAILED) {
		cpu->stack = NULL;
		return false;
	}
	(void)getcontext(&cpu->coroutine);
	cpu->coroutine.uc_stack.ss_sp = cpu->stack;
	cpu->coroutine.uc_stack.ss_size = STACK_BYTES;
	cpu->coroutine.uc_link = NULL;
	makecontext(&cpu->coroutine, (void (*)(void))coroutine, 2, (unsigned)address,
		    (unsigned)(address >> 32));
	cpu->state = CPU_READY;
	return true;
}

void deterministic_yield(struct hosted_cpu *cpu)
{
	to_scheduler(cpu);
}

void deterministic_point(struct hosted_cpu *cpu)
{
	struct hosted *machine = cpu->machine;

	machine->now++;
	if (deterministic_random(machine) % 65536u < machine->config.switch_chance)
		to_scheduler(cpu);
	deliver_interrupt(cpu);
}

void deterministic_wait(struct hosted_cpu *cpu, uint64_t timeout_ns)
{
	uint64_t ticks = timeout_ns / NS_PER_TICK + 1;

	cpu->wake_time = ticks > UINT64_MAX - cpu->machine->now ? UINT64_MAX : cpu->machine->now + ticks;
	cpu->state = CPU_WAITING;
	to_scheduler(cpu);
	cpu->state = CPU_READY;
	__atomic_store_n(&cpu->woken, false, __ATOMIC_SEQ_CST); /* a console's thread may wake us */
}

/* --- Choosing ------------------------------------------------------------------------------ */

static bool cpu_can_run(const struct hosted_cpu *cpu)
{
	if (!cpu->program || cpu->state == CPU_FINISHED)
		return false;
	return cpu->state == CPU_READY || __atomic_load_n(&cpu->woken, __ATOMIC_SEQ_CST) ||
	       __atomic_load_n(&cpu->interrupt_pending, __ATOMIC_SEQ_CST) ||
	       cpu->machine->now >= cpu->wake_time;
}

static bool host_can_run(struct hosted *machine)
{
	return machine->kicked || hvh_next_event(machine->partition) <= machine->now;
}

static bool world_can_run(struct hosted *machine, const struct world *world)
{
	return world->next_event(world->context) <= machine->now;
}

static void run_host(struct hosted *machine)
{
	machine->kicked = false;
	if (hvh_run(machine->partition, machine->now))
		machine->kicked = true;
}

/* Runs one of those who can; false if nobody can. */
static bool run_one(struct hosted *machine)
{
	uint32_t candidates[HVK_CPUS_MAX + 1 + WORLDS_MAX], count = 0, chosen, cpus = machine->config.cpus;

	for (uint32_t i = 0; i < cpus; i++) {
		if (cpu_can_run(&machine->cpus[i]))
			candidates[count++] = i;
	}
	if (host_can_run(machine))
		candidates[count++] = cpus;
	for (uint32_t i = 0; i < machine->world_count; i++) {
		if (world_can_run(machine, &machine->worlds[i]))
			candidates[count++] = cpus + 1 + i;
	}
	if (count == 0)
		return false;
	chosen = candidates[deterministic_random(machine) % count];
	if (chosen < cpus)
		to_cpu(&machine->cpus[chosen]);
	else if (chosen == cpus)
		run_host(machine);
	else
		(void)machine->worlds[chosen - cpus - 1].run(machine->worlds[chosen - cpus - 1].context,
							     machine->now);
	return true;
}

/* Everybody waits: on to the next time at which somebody does not. */
static bool jump(struct hosted *machine)
{
	uint64_t next = hvh_next_event(machine->partition);

	for (uint32_t i = 0; i < machine->world_count; i++) {
		uint64_t other = machine->worlds[i].next_event(machine->worlds[i].context);

		next = other < next ? other : next;
	}
	for (uint32_t i = 0; i < machine->config.cpus; i++) {
		const struct hosted_cpu *cpu = &machine->cpus[i];

		if (cpu->program && cpu->state == CPU_WAITING && cpu->wake_time < next)
			next = cpu->wake_time;
	}
	if (next == UINT64_MAX)
		return false;
	machine->now = next > machine->now ? next : machine->now + 1;
	return true;
}

static bool all_finished(const struct hosted *machine)
{
	for (uint32_t i = 0; i < machine->config.cpus; i++) {
		if (machine->cpus[i].program && machine->cpus[i].state != CPU_FINISHED)
			return false;
	}
	return true;
}

static void announce_stop(struct hosted *machine)
{
	machine->stopping = true;
	for (uint32_t i = 1; i < machine->config.cpus; i++)
		__atomic_store_n(&machine->cpus[i].woken, true, __ATOMIC_SEQ_CST);
}

bool deterministic_run(struct hosted *machine, uint64_t limit_ms)
{
	uint64_t limit = limit_ms ? machine->now + limit_ms * HVK_TIME_PER_MS : UINT64_MAX;
	bool good = true;

	machine->stopping = false;
	for (uint32_t i = 0; i < machine->config.cpus; i++) {
		if (machine->cpus[i].program && !create_coroutine(&machine->cpus[i]))
			good = false;
	}
	while (good && !all_finished(machine)) {
		if (!machine->stopping && machine->cpus[0].state == CPU_FINISHED)
			announce_stop(machine);
		machine->now += 1 + deterministic_random(machine) % TICKS_PER_STEP_MAX;
		good = machine->now <= limit && (run_one(machine) || jump(machine));
	}
	for (uint32_t i = 0; i < machine->config.cpus; i++) {
		if (machine->cpus[i].stack)
			(void)munmap(machine->cpus[i].stack, STACK_BYTES);
		machine->cpus[i].stack = NULL;
	}
	return good;
}
