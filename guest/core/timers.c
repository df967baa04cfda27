/* SPDX-License-Identifier: MIT */
/* Timers: each fires in hvk_poll of its CPU. */
#include "guest/core/state.h"

void hvk_timer_unlink(struct hvk_cpu *cpu, const struct hvk_timer *timer)
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
	hvk_timer_unlink(cpu, timer);
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
			hvk_timer_unlink(cpu, timer);
			timer->deadline = HVK_NEVER;
			break;
		}
	}
	hvk_unlock(hvk, &cpu->lock);
	return timer;
}

void hvk_run_timers(struct hvk *hvk, struct hvk_cpu *cpu, uint64_t now)
{
	for (unsigned i = 0; i < HVK_TIMERS_MAX; i++) {
		struct hvk_timer *timer = take_due(hvk, cpu, now);

		if (!timer)
			return;
		timer->fire(timer, timer->context);
	}
}
