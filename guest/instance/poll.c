/* SPDX-License-Identifier: MIT */
/* Polling: all that is to do on a CPU, and by when; waiting. */
#include "guest/hypervisor/hypervisor.h"
#include "guest/vmbus/bus.h"

#define POLL_MESSAGES 64u    /* handled per poll */
#define ROUNDS_PER_PAUSE 64u /* of a wait that never finds nothing to do */
#define SILENT_WAITS 2u      /* so many long ones tell that no interrupt will come */

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
	if (deadline != 0 && cpu->pollers) {
		uint64_t pollers = hvk_pollers_deadline(cpu);

		deadline = pollers < deadline ? pollers : deadline;
	}
	hvk_unlock(hvk, &cpu->lock);
	return deadline;
}

/* Nothing happens any more: what was taken in is for hvk_vmbus_abandon to look at. Only requests of
 * drivers that have not heard of it are still to be finished. */
static bool is_over(struct hvk *hvk)
{
	return hvk_vmbus_state(hvk) == HVK_VMBUS_ABANDONED && !hvk->bus->request;
}

static uint64_t deadline_of_finished(struct hvk *hvk, struct hvk_cpu *cpu)
{
	bool any;

	hvk_lock(hvk, &cpu->lock);
	any = cpu->finished_first != NULL;
	hvk_unlock(hvk, &cpu->lock);
	return any ? 0 : HVK_NEVER;
}

uint64_t hvk_next_deadline(struct hvk *hvk, uint32_t cpu)
{
	uint64_t deadline, other;

	if (cpu >= hvk->config.cpus || hvk->quiesced)
		return HVK_NEVER;
	if (is_over(hvk))
		return deadline_of_finished(hvk, &hvk->cpus[cpu]);
	deadline = cpu_deadline(hvk, &hvk->cpus[cpu]);
	if (cpu != __atomic_load_n(&hvk->bus->contact_cpu, __ATOMIC_RELAXED))
		return deadline;
	other = hvk_bus_deadline(hvk); /* the contact CPU does the bus' work */
	return other < deadline ? other : deadline;
}

/* Time-outs are judged last and by a time before the first look: an answer that was there
 * when a late poll began counts. Each part is bounded, so a host cannot put them off. */
bool hvk_poll(struct hvk *hvk, uint32_t index)
{
	struct hvk_cpu *cpu = &hvk->cpus[index];
	bool more = false;
	uint64_t now;

	if (index >= hvk->config.cpus || cpu->polling || hvk->quiesced)
		return false;
	cpu->polling = true;
	HVK_COUNT(hvk->counters.polls);
	now = hvk_time(hvk);
	if (cpu->started)
		more = hvk_synic_take(hvk, cpu);
	if (is_over(hvk)) {
		hvk_pollers_stop(hvk, cpu);
		hvk_run_finished(hvk, cpu);
		cpu->polling = false;
		return deadline_of_finished(hvk, cpu) == 0;
	}
	run_messages(hvk, cpu, index);
	run_events(hvk, cpu);
	more |= hvk_bus_poll(hvk, index, now);
	hvk_run_channels(hvk, cpu);
	more |= hvk_run_pollers(hvk, cpu, now);
	hvk_run_timers(hvk, cpu, now);
	hvk_run_finished(hvk, cpu);
	cpu->polling = false;
	return more || cpu_deadline(hvk, cpu) == 0;
}

/* --- Waiting ---------------------------------------------------------------------- */

static void rest(struct hvk *hvk, uint32_t cpu, uint64_t end)
{
	uint64_t now = hvk_time(hvk), until = hvk_next_deadline(hvk, cpu);

	until = end < until ? end : until;
	if (until <= now)
		return;
	/* Sleeping needs a clock that the host cannot stop. */
	if (hvk->port.wait && hvk->port.clock_ns && hvk->config.interrupts)
		hvk->port.wait(hvk->port.context, (until - now) * HVK_NS_PER_TICK);
	else
		hvk_pause(hvk);
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
			hvk_pause(hvk);
		else if (!more)
			rest(hvk, cpu, end);
	}
}

/* A message comes with an interrupt: a vector whose handler does not call hvk_interrupt makes every
 * sleep last to its end, and nothing else would say so. */
static void look_for_interrupts(struct hvk *hvk, uint64_t waited)
{
	if (!hvk->config.interrupts || waited < HVK_TIME_PER_SECOND ||
	    __atomic_load_n(&hvk->counters.messages, __ATOMIC_RELAXED) == 0 ||
	    __atomic_load_n(&hvk->counters.interrupts, __ATOMIC_RELAXED) != 0)
		return;
	if (__atomic_add_fetch(&hvk->silent_waits, 1, __ATOMIC_RELAXED) == SILENT_WAITS)
		hvk_log(hvk, HVK_LOG_WARN,
			"messages came and no interrupt: does the handler of vector %u call hvk_interrupt?",
			(unsigned)hvk->config.vector);
}

hvk_status hvk_wait(struct hvk *hvk, struct hvk_request *request, uint32_t timeout_ms)
{
	uint32_t cpu = hvk_cpu_index(hvk);
	hvk_status status;
	uint64_t since;

	if (hvk->cpus[cpu].polling)
		return HVK_ECONTEXT;
	since = hvk_time(hvk);
	(void)__atomic_fetch_or(&hvk->waiting, 1ull << cpu, __ATOMIC_SEQ_CST);
	status = wait_on(hvk, request, cpu, timeout_ms);
	(void)__atomic_fetch_and(&hvk->waiting, ~(1ull << cpu), __ATOMIC_SEQ_CST);
	look_for_interrupts(hvk, hvk_time(hvk) - since);
	return status;
}
