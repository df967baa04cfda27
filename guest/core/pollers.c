/* SPDX-License-Identifier: MIT */
/* Pollers, and the interrupts that kick them: for devices that have no channel. */
#include "guest/core/state.h"

hvk_status hvk_poller_add(struct hvk *hvk, struct hvk_poller *poller)
{
	struct hvk_cpu *cpu = &hvk->cpus[poller->cpu];
	hvk_status status = HVK_ELIMIT;

	if (!hvk_cpu_runs(hvk, poller->cpu))
		return HVK_ESTATE;
	hvk_lock(hvk, &cpu->lock);
	if (cpu->poller_count < HVK_POLLERS_MAX) {
		poller->kicked = poller->always;
		poller->leaving = false;
		poller->left = NULL;
		poller->next = cpu->pollers;
		cpu->pollers = poller;
		__atomic_store_n(&cpu->poller_count, cpu->poller_count + 1, __ATOMIC_RELAXED);
		cpu->pollers_due |= poller->kicked;
		status = HVK_OK;
	}
	hvk_unlock(hvk, &cpu->lock);
	if (status == HVK_OK && poller->always)
		hvk_wake(hvk, poller->cpu);
	return status;
}

/* Under the lock. */
static void unlink_poller(struct hvk_cpu *cpu, const struct hvk_poller *poller)
{
	struct hvk_poller **link = &cpu->pollers;

	for (uint32_t i = 0; *link && i < HVK_POLLERS_MAX; i++, link = &(*link)->next) {
		if (*link == poller) {
			*link = poller->next;
			__atomic_store_n(&cpu->poller_count, cpu->poller_count - 1, __ATOMIC_RELAXED);
			return;
		}
	}
}

/* One that is leaving, out of the list; NULL if there is none. */
static struct hvk_poller *take_leaving(struct hvk *hvk, struct hvk_cpu *cpu, struct hvk_request **left,
				       uint32_t *left_cpu)
{
	struct hvk_poller *poller;
	uint32_t i = 0;

	hvk_lock(hvk, &cpu->lock);
	for (poller = cpu->pollers; poller && i < HVK_POLLERS_MAX; poller = poller->next, i++) {
		if (poller->leaving) {
			unlink_poller(cpu, poller);
			*left = poller->left;
			*left_cpu = poller->left_cpu;
			break;
		}
	}
	hvk_unlock(hvk, &cpu->lock);
	return poller;
}

static void let_leave(struct hvk *hvk, struct hvk_cpu *cpu)
{
	struct hvk_request *left = NULL;
	uint32_t left_cpu = 0;

	for (uint32_t i = 0; i < HVK_POLLERS_MAX && take_leaving(hvk, cpu, &left, &left_cpu); i++)
		hvk_request_finish(hvk, left, HVK_OK, left_cpu);
}

/* Where its CPU polls, the poller leaves in that poll; a CPU that was stopped runs nothing. */
void hvk_poller_remove(struct hvk *hvk, struct hvk_poller *poller, struct hvk_request *request,
		       uint32_t done_cpu)
{
	struct hvk_cpu *cpu = &hvk->cpus[poller->cpu];
	uint32_t index = poller->cpu;

	if (request)
		hvk_request_begin(request);
	hvk_lock(hvk, &cpu->lock);
	poller->leaving = true;
	poller->left = request;
	poller->left_cpu = done_cpu;
	cpu->pollers_due = true;
	hvk_unlock(hvk, &cpu->lock);
	if (hvk_cpu_runs(hvk, index))
		hvk_wake(hvk, index);
	else
		let_leave(hvk, cpu);
}

void hvk_pollers_stop(struct hvk *hvk, struct hvk_cpu *cpu)
{
	let_leave(hvk, cpu);
}

void hvk_poller_kick(struct hvk *hvk, struct hvk_poller *poller)
{
	struct hvk_cpu *cpu = &hvk->cpus[poller->cpu];

	hvk_lock(hvk, &cpu->lock);
	poller->kicked = true;
	cpu->pollers_due = true;
	hvk_unlock(hvk, &cpu->lock);
	hvk_wake(hvk, poller->cpu);
}

/* The next one to run, from *at on; *at goes past it. Only this CPU unlinks, and not meanwhile; new ones
 * come in front. */
static struct hvk_poller *next_due(struct hvk *hvk, struct hvk_cpu *cpu, struct hvk_poller **at)
{
	struct hvk_poller *poller;
	uint32_t i = 0;

	hvk_lock(hvk, &cpu->lock);
	for (poller = *at; poller && i < HVK_POLLERS_MAX; poller = poller->next, i++) {
		if (!poller->leaving && (poller->kicked || poller->always)) {
			poller->kicked = false;
			*at = poller->next;
			break;
		}
	}
	hvk_unlock(hvk, &cpu->lock);
	return poller;
}

bool hvk_run_pollers(struct hvk *hvk, struct hvk_cpu *cpu, uint64_t now)
{
	struct hvk_poller *at, *poller;
	bool more = false, leaving;

	if (__atomic_load_n(&cpu->poller_count, __ATOMIC_RELAXED) == 0)
		return false;
	hvk_lock(hvk, &cpu->lock);
	leaving = cpu->pollers_due;
	cpu->pollers_due = false;
	cpu->pollers_ran = now;
	at = cpu->pollers;
	hvk_unlock(hvk, &cpu->lock);
	for (uint32_t i = 0; at && i < HVK_POLLERS_MAX; i++) {
		poller = next_due(hvk, cpu, &at);
		if (!poller)
			break;
		if (poller->run(poller, poller->context)) {
			hvk_lock(hvk, &cpu->lock);
			poller->kicked = true;
			cpu->pollers_due = true;
			hvk_unlock(hvk, &cpu->lock);
			more = true;
		}
	}
	if (leaving)
		let_leave(hvk, cpu);
	return more;
}

uint64_t hvk_pollers_deadline(const struct hvk_cpu *cpu)
{
	const struct hvk_poller *poller = cpu->pollers;

	if (cpu->pollers_due)
		return 0;
	for (uint32_t i = 0; poller && i < HVK_POLLERS_MAX; poller = poller->next, i++) {
		if (poller->always)
			return cpu->pollers_ran + HVK_POLLER_MS * HVK_TIME_PER_MS;
	}
	return HVK_NEVER;
}

/* --- Vectors -------------------------------------------------------------------------- */

hvk_status hvk_vector_take(struct hvk *hvk, struct hvk_poller *poller, uint8_t *vector)
{
	struct hvk_cpu *cpu = &hvk->cpus[poller->cpu];
	hvk_status status = HVK_ELIMIT;

	if (hvk->config.device_vector_count == 0)
		return HVK_ELEVEL;
	hvk_lock(hvk, &cpu->lock);
	for (uint32_t i = 0; i < hvk->config.device_vector_count; i++) {
		if (!cpu->vectors[i]) {
			cpu->vectors[i] = poller;
			*vector = (uint8_t)(hvk->config.device_vector_first + i);
			status = HVK_OK;
			break;
		}
	}
	hvk_unlock(hvk, &cpu->lock);
	return status;
}

void hvk_vector_give_back(struct hvk *hvk, uint32_t cpu_index, uint8_t vector)
{
	struct hvk_cpu *cpu = &hvk->cpus[cpu_index];

	HVK_ASSERT(vector >= hvk->config.device_vector_first &&
		   vector - hvk->config.device_vector_first < hvk->config.device_vector_count);
	hvk_lock(hvk, &cpu->lock);
	cpu->vectors[vector - hvk->config.device_vector_first] = NULL;
	hvk_unlock(hvk, &cpu->lock);
}

void hvk_interrupt_device(struct hvk *hvk, uint32_t index, uint8_t vector)
{
	uint32_t number = (uint32_t)vector - hvk->config.device_vector_first;
	struct hvk_poller *poller;
	struct hvk_cpu *cpu;

	if (index >= hvk->config.cpus || vector < hvk->config.device_vector_first ||
	    number >= hvk->config.device_vector_count)
		return;
	cpu = &hvk->cpus[index];
	HVK_COUNT(hvk->counters.device_interrupts);
	hvk_lock(hvk, &cpu->lock);
	poller = cpu->vectors[number];
	if (poller) {
		poller->kicked = true;
		cpu->pollers_due = true;
	}
	hvk_unlock(hvk, &cpu->lock);
}
