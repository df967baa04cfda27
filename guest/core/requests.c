/* SPDX-License-Identifier: MIT */
/* CPUs, locks, and finishing requests. */
#include "guest/core/state.h"

#define POLL_REQUESTS 64u /* finished per poll */

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
		void (*done)(struct hvk_request *, void *);
		void *context;

		if (!request)
			return;
		/* Read before the status is shown: then the owner may reuse the memory. */
		done = request->done;
		context = request->context;
		__atomic_store_n(&request->status, request->result, __ATOMIC_SEQ_CST);
		wake_waiters(hvk, (uint32_t)(cpu - hvk->cpus));
		if (done)
			done(request, context);
	}
}
