/* SPDX-License-Identifier: MIT */
/* Threads mode: each CPU a thread, the host and the world in one more. */
#include <time.h>

#include "ports/hosted/machine.h"

#define NS_PER_SECOND 1000000000ull
#define HOST_REST_NS_MAX (100ull * 1000 * 1000)

uint64_t threads_now_ns(const struct hosted *machine)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * NS_PER_SECOND + (uint64_t)now.tv_nsec - machine->start_ns;
}

static struct timespec absolute(const struct hosted *machine, uint64_t ns)
{
	uint64_t at = machine->start_ns + ns;

	return (struct timespec){(time_t)(at / NS_PER_SECOND), (long)(at % NS_PER_SECOND)};
}

/* After the reason was given. A CPU that is not about to sleep sees it by itself. */
void threads_wake(struct hosted_cpu *cpu)
{
	if (!__atomic_exchange_n(&cpu->waiting, false, __ATOMIC_SEQ_CST))
		return;
	(void)pthread_mutex_lock(&cpu->wait_lock); /* it sleeps by now */
	(void)pthread_mutex_unlock(&cpu->wait_lock);
	(void)pthread_cond_signal(&cpu->wait_condition);
}

/* First says that this CPU is about to sleep, then looks: whoever gives a reason does it the
 * other way round, so one of them sees the other. */
static bool has_reason(struct hosted_cpu *cpu)
{
	__atomic_store_n(&cpu->waiting, true, __ATOMIC_SEQ_CST);
	return __atomic_load_n(&cpu->woken, __ATOMIC_SEQ_CST) ||
	       __atomic_load_n(&cpu->interrupt_pending, __ATOMIC_SEQ_CST);
}

void threads_wait(struct hosted_cpu *cpu, uint64_t timeout_ns)
{
	uint64_t now = threads_now_ns(cpu->machine);
	uint64_t end = timeout_ns > UINT64_MAX / 4 ? UINT64_MAX / 4 : now + timeout_ns;
	struct timespec until = absolute(cpu->machine, end);

	(void)pthread_mutex_lock(&cpu->wait_lock);
	while (!has_reason(cpu) && threads_now_ns(cpu->machine) < end)
		(void)pthread_cond_timedwait(&cpu->wait_condition, &cpu->wait_lock, &until);
	__atomic_store_n(&cpu->waiting, false, __ATOMIC_RELAXED);
	(void)__atomic_exchange_n(&cpu->woken, false, __ATOMIC_SEQ_CST); /* what came before is seen */
	(void)pthread_mutex_unlock(&cpu->wait_lock);
}

static void *cpu_thread(void *context)
{
	struct hosted_cpu *cpu = context;

	hosted_current = cpu;
	cpu->program(cpu->program_context);
	hosted_current = NULL;
	return NULL;
}

/* Under partition_lock. True if there is more to do at once. */
static bool run_host(struct hosted *machine)
{
	uint64_t now = hosted_now(machine);
	bool more = hvh_run(machine->partition, now);

	for (uint32_t i = 0; i < machine->world_count; i++)
		more |= machine->worlds[i].run(machine->worlds[i].context, now);
	return more;
}

static uint64_t next_event(struct hosted *machine)
{
	uint64_t next = hvh_next_event(machine->partition);

	for (uint32_t i = 0; i < machine->world_count; i++) {
		uint64_t other = machine->worlds[i].next_event(machine->worlds[i].context);

		next = other < next ? other : next;
	}
	return next;
}

/* Lets go of partition_lock, and wakes the CPUs that got interrupts under it: no sooner, for
 * there may be more for them, and they may want the lock. */
static void release(struct hosted *machine)
{
	uint64_t cpus = machine->cpus_to_wake;

	machine->cpus_to_wake = 0;
	(void)pthread_mutex_unlock(&machine->partition_lock);
	for (uint32_t i = 0; cpus != 0; i++, cpus >>= 1) {
		if (cpus & 1)
			threads_wake(&machine->cpus[i]);
	}
}

/* Whoever makes work for the host while its thread sleeps does it at once, and saves two changes
 * of thread. A CPU does so only if asked to: on a real machine the host is somebody else. The
 * thread is woken once, when it can have the lock. */
void threads_unlock(struct hosted *machine)
{
	bool wake = machine->kicked && machine->resting;

	if (wake && (!hosted_current || machine->config.host_by_caller)) {
		machine->kicked = false;
		wake = run_host(machine) || machine->kicked || next_event(machine) < machine->rest_until;
	}
	if (wake)
		machine->resting = false;
	release(machine);
	if (wake)
		(void)pthread_cond_signal(&machine->kicked_condition);
}

static void rest(struct hosted *machine)
{
	uint64_t next = next_event(machine), now = threads_now_ns(machine);
	uint64_t until_ns = next > (now + HOST_REST_NS_MAX) / 100u ? now + HOST_REST_NS_MAX : next * 100u;
	struct timespec until = absolute(machine, until_ns);

	if (until_ns <= now || machine->kicked || machine->host_stop)
		return;
	machine->resting = true;
	machine->rest_until = until_ns / 100u;
	(void)pthread_cond_timedwait(&machine->kicked_condition, &machine->partition_lock, &until);
	machine->resting = false;
}

static void *host_thread(void *context)
{
	struct hosted *machine = context;

	(void)pthread_mutex_lock(&machine->partition_lock);
	while (!machine->host_stop) {
		bool more;

		machine->kicked = false;
		more = run_host(machine);
		/* Let CPUs in between two helpings. */
		if (more || machine->cpus_to_wake != 0) {
			release(machine);
			(void)pthread_mutex_lock(&machine->partition_lock);
		}
		if (!more)
			rest(machine);
	}
	(void)pthread_mutex_unlock(&machine->partition_lock);
	return NULL;
}

static bool join_within(pthread_t thread, uint64_t limit_ms)
{
	struct timespec until;

	if (limit_ms == 0)
		return pthread_join(thread, NULL) == 0;
	(void)clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += (time_t)(limit_ms / 1000 + 1);
	return pthread_timedjoin_np(thread, NULL, &until) == 0;
}

static void stop_host(struct hosted *machine, pthread_t host)
{
	(void)pthread_mutex_lock(&machine->partition_lock);
	machine->host_stop = true;
	(void)pthread_cond_signal(&machine->kicked_condition);
	(void)pthread_mutex_unlock(&machine->partition_lock);
	(void)pthread_join(host, NULL);
}

bool threads_run(struct hosted *machine, uint64_t limit_ms)
{
	pthread_t host;
	bool in_time;

	machine->stopping = false;
	machine->host_stop = false;
	if (pthread_create(&host, NULL, host_thread, machine) != 0)
		return false;
	for (uint32_t i = 0; i < machine->config.cpus; i++) {
		if (machine->cpus[i].program)
			(void)pthread_create(&machine->cpus[i].thread, NULL, cpu_thread, &machine->cpus[i]);
	}
	in_time = join_within(machine->cpus[0].thread, limit_ms);
	__atomic_store_n(&machine->stopping, true, __ATOMIC_RELEASE);
	for (uint32_t i = 1; i < machine->config.cpus; i++) {
		__atomic_store_n(&machine->cpus[i].woken, true, __ATOMIC_SEQ_CST);
		threads_wake(&machine->cpus[i]);
		if (machine->cpus[i].program && in_time)
			in_time = join_within(machine->cpus[i].thread, limit_ms);
	}
	/* A CPU that hangs keeps the machine: the caller reports it and ends the process. */
	if (in_time)
		stop_host(machine, host);
	return in_time;
}
