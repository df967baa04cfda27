/* SPDX-License-Identifier: MIT */
/* Requests, timers, polling and waiting. */
#include "guest/core/instance.h"

#define POLL_MESSAGES 64u /* handled per poll */
#define POLL_CHANNELS 64u /* callbacks per poll */
#define POLL_REQUESTS 64u
#define ROUNDS_PER_PAUSE 64u /* of a wait that never finds nothing to do */
#define NS_PER_TICK 100u

uint32_t hvk_cpu_index(struct hvk *hvk)
{
	uint32_t cpu = hvk->port.cpu_index ? hvk->port.cpu_index(hvk->port.context) : 0;

	HVK_ASSERT(cpu < hvk->config.cpus);
	return cpu;
}

void hvk_wake(struct hvk *hvk, uint32_t cpu)
{
	if (hvk->port.wake)
		hvk->port.wake(hvk->port.context, cpu);
}

/* --- Locks ---------------------------------------------------------------- */

hvk_status hvk_lock_init(struct hvk *hvk, struct hvk_lock *lock)
{
	return hvk->port.lock_init ? hvk->port.lock_init(hvk->port.context, lock) : HVK_OK;
}

void hvk_lock(struct hvk *hvk, struct hvk_lock *lock)
{
	if (hvk->port.lock)
		hvk->port.lock(hvk->port.context, lock);
}

void hvk_unlock(struct hvk *hvk, struct hvk_lock *lock)
{
	if (hvk->port.unlock)
		hvk->port.unlock(hvk->port.context, lock);
}

/* --- Requests -------------------------------------------------------------- */

void hvk_request_begin(struct hvk_request *request)
{
	if (request) {
		request->next = NULL;
		__atomic_store_n(&request->status, HVK_EINPROGRESS, __ATOMIC_RELEASE);
	}
}

/* The result is shown by hvk_poll, not here: the caller may hold locks. */
void hvk_request_finish(struct hvk *hvk, struct hvk_request *request, hvk_status status, uint32_t cpu)
{
	struct hvk_cpu *target = &hvk->cpus[cpu];

	if (!request)
		return;
	hvk_lock(hvk, &target->lock);
	request->next = NULL;
	request->result = status;
	if (target->finished_last)
		target->finished_last->next = request;
	else
		target->finished_first = request;
	target->finished_last = request;
	hvk_unlock(hvk, &target->lock);
	hvk_wake(hvk, cpu);
}

static struct hvk_request *take_finished(struct hvk *hvk, struct hvk_cpu *cpu)
{
	struct hvk_request *request;

	hvk_lock(hvk, &cpu->lock);
	request = cpu->finished_first;
	if (request) {
		cpu->finished_first = request->next;
		if (!cpu->finished_first)
			cpu->finished_last = NULL;
		request->next = NULL;
	}
	hvk_unlock(hvk, &cpu->lock);
	return request;
}

/* Whoever waits may wait for this one, and sleep on another CPU. The request itself
 * cannot tell: once its status is shown it is its owner's again. */
static void wake_waiters(struct hvk *hvk, uint32_t self)
{
	uint64_t waiting = __atomic_load_n(&hvk->waiting, __ATOMIC_SEQ_CST);

	for (uint32_t i = 0; waiting != 0 && i < hvk->config.cpus; i++) {
		if (i != self && (waiting >> i & 1u))
			hvk_wake(hvk, i);
	}
}

void hvk_run_finished(struct hvk *hvk, struct hvk_cpu *cpu)
{
	for (unsigned i = 0; i < POLL_REQUESTS; i++) {
		struct hvk_request *request = take_finished(hvk, cpu);

		if (!request)
			return;
		/* Read before the status is shown: then the owner may reuse the memory. */
		void (*done)(struct hvk_request *, void *) = request->done;
		void *context = request->context;

		__atomic_store_n(&request->status, request->result, __ATOMIC_SEQ_CST);
		wake_waiters(hvk, (uint32_t)(cpu - hvk->cpus));
		if (done)
			done(request, context);
	}
}

/* --- Timers ----------------------------------------------------------------- */

static void unlink_timer(struct hvk_cpu *cpu, const struct hvk_timer *timer)
{
	struct hvk_timer **link = &cpu->timers;

	for (unsigned i = 0; *link && i < HVK_TIMERS_MAX; i++, link = &(*link)->next) {
		if (*link == timer) {
			*link = timer->next;
			return;
		}
	}
}

void hvk_timer_stop(struct hvk *hvk, struct hvk_timer *timer)
{
	struct hvk_cpu *cpu = &hvk->cpus[timer->cpu];

	hvk_lock(hvk, &cpu->lock);
	unlink_timer(cpu, timer);
	timer->deadline = HVK_NEVER;
	hvk_unlock(hvk, &cpu->lock);
}

void hvk_timer_start(struct hvk *hvk, struct hvk_timer *timer, uint32_t cpu_index, uint32_t delay_ms)
{
	struct hvk_cpu *cpu = &hvk->cpus[cpu_index];
	uint64_t deadline = hvk_time(hvk) + (uint64_t)delay_ms * HVK_TIME_PER_MS;

	hvk_timer_stop(hvk, timer);
	hvk_lock(hvk, &cpu->lock);
	timer->cpu = cpu_index;
	timer->deadline = deadline;
	timer->next = cpu->timers;
	cpu->timers = timer;
	hvk_unlock(hvk, &cpu->lock);
	hvk_wake(hvk, cpu_index); /* it may sleep past the new deadline */
}

static struct hvk_timer *take_due(struct hvk *hvk, struct hvk_cpu *cpu, uint64_t now)
{
	struct hvk_timer *timer;
	unsigned i = 0;

	hvk_lock(hvk, &cpu->lock);
	for (timer = cpu->timers; timer && i < HVK_TIMERS_MAX; timer = timer->next, i++) {
		if (timer->deadline <= now) {
			unlink_timer(cpu, timer);
			timer->deadline = HVK_NEVER;
			break;
		}
	}
	hvk_unlock(hvk, &cpu->lock);
	return timer;
}

void hvk_run_timers(struct hvk *hvk, struct hvk_cpu *cpu)
{
	uint64_t now = hvk_time(hvk);

	for (unsigned i = 0; i < HVK_TIMERS_MAX; i++) {
		struct hvk_timer *timer = take_due(hvk, cpu, now);

		if (!timer)
			return;
		timer->fire(timer, timer->context);
	}
}

static uint64_t cpu_deadline(struct hvk *hvk, struct hvk_cpu *cpu)
{
	uint64_t deadline = HVK_NEVER;
	unsigned i = 0;

	hvk_lock(hvk, &cpu->lock);
	if (cpu->finished_first || cpu->ready_first || cpu->queue_count || cpu->any_event)
		deadline = 0;
	for (struct hvk_timer *timer = cpu->timers; timer && i < HVK_TIMERS_MAX; timer = timer->next, i++) {
		if (timer->deadline < deadline)
			deadline = timer->deadline;
	}
	hvk_unlock(hvk, &cpu->lock);
	return deadline;
}

uint64_t hvk_next_deadline(struct hvk *hvk, uint32_t cpu)
{
	uint64_t deadline, other;

	if (cpu >= hvk->config.cpus)
		return HVK_NEVER;
	deadline = cpu_deadline(hvk, &hvk->cpus[cpu]);
	if (cpu != __atomic_load_n(&hvk->bus.contact_cpu, __ATOMIC_RELAXED))
		return deadline;
	other = hvk_bus_deadline(hvk); /* the contact CPU does the bus' work */
	return other < deadline ? other : deadline;
}

/* --- Channels that have something to do ---------------------------------------- */

void hvk_cpu_put_ready(struct hvk *hvk, struct hvk_channel *channel)
{
	uint32_t index = hvk_channel_cpu(channel);
	struct hvk_cpu *cpu = &hvk->cpus[index];

	hvk_lock(hvk, &cpu->lock);
	if (!channel->queued) {
		channel->queued = true;
		channel->ready_next = NULL;
		if (cpu->ready_last)
			cpu->ready_last->ready_next = channel;
		else
			cpu->ready_first = channel;
		cpu->ready_last = channel;
	}
	hvk_unlock(hvk, &cpu->lock);
	hvk_wake(hvk, index);
}

static struct hvk_channel *take_ready(struct hvk *hvk, struct hvk_cpu *cpu)
{
	struct hvk_channel *channel;

	hvk_lock(hvk, &cpu->lock);
	channel = cpu->ready_first;
	if (channel) {
		cpu->ready_first = channel->ready_next;
		if (!cpu->ready_first)
			cpu->ready_last = NULL;
		channel->queued = false;
		channel->running = true;
	}
	hvk_unlock(hvk, &cpu->lock);
	return channel;
}

static void put_down(struct hvk *hvk, struct hvk_cpu *cpu, struct hvk_channel *channel)
{
	hvk_lock(hvk, &cpu->lock);
	channel->running = false;
	hvk_unlock(hvk, &cpu->lock);
}

/* False: it is being looked at; try later. Afterwards no list of the CPU has it. */
bool hvk_cpu_forget_channel(struct hvk *hvk, struct hvk_channel *channel)
{
	struct hvk_cpu *cpu = &hvk->cpus[hvk_channel_cpu(channel)];
	struct hvk_channel *last = NULL;
	bool idle;

	hvk_lock(hvk, &cpu->lock);
	idle = !channel->running;
	if (idle && channel->queued) {
		for (struct hvk_channel **link = &cpu->ready_first; *link;) {
			if (*link == channel) {
				*link = channel->ready_next;
				continue;
			}
			last = *link;
			link = &last->ready_next;
		}
		cpu->ready_last = last;
		channel->queued = false;
	}
	if (idle)
		unlink_timer(cpu, &channel->room_timer);
	hvk_unlock(hvk, &cpu->lock);
	return idle;
}

static bool take_message(struct hvk *hvk, struct hvk_cpu *cpu, struct hv_message *out)
{
	bool taken = false;

	hvk_lock(hvk, &cpu->lock);
	if (cpu->queue_count > 0) {
		*out = cpu->queue[cpu->queue_head];
		cpu->queue_head = (cpu->queue_head + 1) % HVK_MESSAGE_QUEUE;
		cpu->queue_count--;
		taken = true;
	}
	hvk_unlock(hvk, &cpu->lock);
	return taken;
}

static void run_messages(struct hvk *hvk, struct hvk_cpu *cpu, uint32_t index)
{
	struct hv_message message;

	for (unsigned i = 0; i < POLL_MESSAGES; i++) {
		if (!take_message(hvk, cpu, &message))
			return;
		hvk_bus_take_message(hvk, index, &message);
	}
}

/* Event flags become ready channels, on whichever CPU they are bound to. */
static void run_events(struct hvk *hvk, struct hvk_cpu *cpu)
{
	uint32_t words[VMBUS_MAX_CHANNELS / 32];

	hvk_lock(hvk, &cpu->lock);
	if (!cpu->any_event) {
		hvk_unlock(hvk, &cpu->lock);
		return;
	}
	memcpy(words, cpu->events, sizeof(words));
	memset(cpu->events, 0, sizeof(cpu->events));
	cpu->any_event = false;
	hvk_unlock(hvk, &cpu->lock);
	hvk_bus_take_events(hvk, words);
}

static void run_channels(struct hvk *hvk, struct hvk_cpu *cpu)
{
	struct hvk_channel *last, *channel = NULL;

	hvk_lock(hvk, &cpu->lock);
	last = cpu->ready_last;
	hvk_unlock(hvk, &cpu->lock);
	/* Each at most once per poll: one that stays busy goes to the end of the list. */
	for (unsigned i = 0; i < POLL_CHANNELS && channel != last; i++) {
		channel = take_ready(hvk, cpu);
		if (!channel)
			return;
		hvk_channel_run(channel);
		put_down(hvk, cpu, channel);
	}
}

bool hvk_poll(struct hvk *hvk, uint32_t index)
{
	struct hvk_cpu *cpu = &hvk->cpus[index];
	bool more = false;

	if (index >= hvk->config.cpus || cpu->polling)
		return false;
	cpu->polling = true;
	HVK_COUNT(hvk->counters.polls);
	if (cpu->started)
		more = hvk_synic_take(hvk, cpu);
	if (hvk_vmbus_state(hvk) == HVK_VMBUS_ABANDONED && !hvk->bus.request) {
		cpu->polling = false; /* what was taken in is for hvk_vmbus_abandon to look at */
		return false;
	}
	run_messages(hvk, cpu, index);
	run_events(hvk, cpu);
	hvk_run_timers(hvk, cpu);
	more |= hvk_bus_poll(hvk, index);
	run_channels(hvk, cpu);
	hvk_run_finished(hvk, cpu);
	cpu->polling = false;
	return more || cpu_deadline(hvk, cpu) == 0;
}

/* --- Waiting ---------------------------------------------------------------------- */

static void pause_once(struct hvk *hvk)
{
	hvk->port.pause(hvk->port.context);
	(void)__atomic_fetch_add(&hvk->soft_time, (hvk->port.pause_ns + NS_PER_TICK - 1) / NS_PER_TICK,
				 __ATOMIC_RELAXED);
}

static void rest(struct hvk *hvk, uint32_t cpu, uint64_t end)
{
	uint64_t now = hvk_time(hvk), until = hvk_next_deadline(hvk, cpu);

	until = end < until ? end : until;
	if (until <= now)
		return;
	/* Sleeping needs a clock that the host cannot stop. */
	if (hvk->port.wait && hvk->port.clock_ns && hvk->config.interrupts)
		hvk->port.wait(hvk->port.context, (until - now) * NS_PER_TICK);
	else
		pause_once(hvk);
}

static hvk_status wait_on(struct hvk *hvk, const struct hvk_request *request, uint32_t cpu,
			  uint32_t timeout_ms)
{
	uint64_t end = hvk_time(hvk) + (uint64_t)timeout_ms * HVK_TIME_PER_MS;

	for (uint32_t round = 1;; round++) {
		bool more = hvk_poll(hvk, cpu);
		hvk_status status = __atomic_load_n(&request->status, __ATOMIC_SEQ_CST);

		if (status != HVK_EINPROGRESS)
			return status;
		hvk_clock_check(hvk);
		if (hvk_time(hvk) >= end)
			return HVK_ETIMEDOUT;
		/* A host that always has more for us must not keep pauses from being counted. */
		if (more && !hvk->port.clock_ns && round % ROUNDS_PER_PAUSE == 0)
			pause_once(hvk);
		else if (!more)
			rest(hvk, cpu, end);
	}
}

hvk_status hvk_wait(struct hvk *hvk, struct hvk_request *request, uint32_t timeout_ms)
{
	uint32_t cpu = hvk_cpu_index(hvk);
	hvk_status status;

	if (hvk->cpus[cpu].polling)
		return HVK_ECONTEXT;
	(void)__atomic_fetch_or(&hvk->waiting, 1ull << cpu, __ATOMIC_SEQ_CST);
	status = wait_on(hvk, request, cpu, timeout_ms);
	(void)__atomic_fetch_and(&hvk->waiting, ~(1ull << cpu), __ATOMIC_SEQ_CST);
	return status;
}
