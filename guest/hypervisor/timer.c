/* SPDX-License-Identifier: MIT */
/*
 * The event timer of one CPU: synthetic timer 0 (TLFS, "Timers"), one-shot, with
 * auto-enable, so that setting it is one register access (as in Linux and FreeBSD).
 *
 * The host may send too early, twice, or what belongs to a deadline that was replaced: what
 * counts is the clock.
 */
#include "guest/hypervisor/hypervisor.h"

/* COUNT 0 stops the timer; all hosts are past time 1. */
#define COUNT_FIRST 1u

static void put_reg(struct hvk *hvk, enum hvk_register reg, uint64_t value)
{
	(void)hvk->port.reg_write(hvk->port.context, reg, value);
}

static hvk_status write_count(struct hvk *hvk, uint64_t deadline)
{
	uint64_t count = deadline == HVK_NEVER ? 0 : deadline;

	if (count == 0 && deadline != HVK_NEVER)
		count = COUNT_FIRST;
	return hvk->port.reg_write(hvk->port.context, HVK_REG_STIMER0_COUNT, count) == HVK_OK
		       ? HVK_OK
		       : HVK_EPRIVILEGE;
}

/* --- Expiry, under the CPU's lock --------------------------------------------------- */

/* The host says that the timer has expired. */
static void look(struct hvk *hvk, struct hvk_event_timer *timer)
{
	if (timer->mode == HVK_EVENT_TIMER_OFF || timer->deadline == HVK_NEVER) {
		HVK_COUNT(hvk->counters.stray_timers);
		return;
	}
	if (hvk_time(hvk) < timer->deadline) {
		HVK_COUNT(hvk->counters.stray_timers);
		(void)write_count(hvk, timer->deadline); /* it may be spent */
		return;
	}
	timer->deadline = HVK_NEVER;
	timer->expired = true;
	HVK_COUNT(hvk->counters.timers);
}

void hvk_event_timer_message(struct hvk *hvk, struct hvk_cpu *cpu, const struct hvk_shared *slot)
{
	struct hv_timer_message payload;

	hvk_shared_read(slot, offsetof(struct hv_message, payload), &payload, sizeof(payload));
	if (payload.timer == 0)
		look(hvk, &cpu->event_timer);
	else
		HVK_COUNT(hvk->counters.stray_timers); /* of whoever had the CPU before us */
}

void hvk_event_timer_interrupt(struct hvk *hvk, uint32_t index)
{
	struct hvk_cpu *cpu;

	if (index >= hvk->config.cpus || !hvk->cpus[index].started)
		return;
	cpu = &hvk->cpus[index];
	hvk_lock(hvk, &cpu->lock);
	if (cpu->event_timer.mode == HVK_EVENT_TIMER_DIRECT)
		look(hvk, &cpu->event_timer);
	hvk_unlock(hvk, &cpu->lock);
}

/* --- What the embedder asks ------------------------------------------------------------ */

bool hvk_event_timer_expired(struct hvk *hvk, uint32_t index)
{
	struct hvk_cpu *cpu;
	bool expired;

	if (index >= hvk->config.cpus)
		return false;
	cpu = &hvk->cpus[index];
	hvk_lock(hvk, &cpu->lock);
	expired = cpu->event_timer.expired;
	cpu->event_timer.expired = false;
	hvk_unlock(hvk, &cpu->lock);
	return expired;
}

enum hvk_event_timer_mode hvk_event_timer_mode(struct hvk *hvk, uint32_t cpu)
{
	return cpu < hvk->config.cpus ? hvk->cpus[cpu].event_timer.mode : HVK_EVENT_TIMER_OFF;
}

hvk_status hvk_event_timer_set(struct hvk *hvk, uint64_t deadline)
{
	struct hvk_cpu *cpu = &hvk->cpus[hvk_cpu_index(hvk)];
	hvk_status status;

	if (cpu->event_timer.mode == HVK_EVENT_TIMER_OFF)
		return HVK_ESTATE;
	if (deadline != HVK_NEVER && __atomic_load_n(&hvk->clock_broken, __ATOMIC_ACQUIRE))
		return HVK_EHOST_CLOCK;
	hvk_lock(hvk, &cpu->lock);
	cpu->event_timer.deadline = deadline;
	cpu->event_timer.expired = false;
	status = write_count(hvk, deadline);
	hvk_unlock(hvk, &cpu->lock);
	return status;
}

/* --- Start and stop ------------------------------------------------------------------------ */

static bool has_timers(const struct hvk *hvk)
{
	const struct hvk_hypervisor_info *info = &hvk->hypervisor.info;

	return (info->access & HV_ACCESS_SYNTHETIC_TIMERS) != 0 &&
	       (info->reference_tsc || info->reference_counter);
}

static hvk_status take(struct hvk *hvk, struct hvk_event_timer *timer, uint64_t config)
{
	hvk_status status = hvk_register_read(hvk, HVK_REG_STIMER0_CONFIG, &timer->saved_config);

	if (status == HVK_OK)
		status = hvk_register_read(hvk, HVK_REG_STIMER0_COUNT, &timer->saved_count);
	if (status != HVK_OK)
		return status;
	if (timer->saved_config & HV_STIMER_ENABLE) {
		if (!hvk->config.take_over)
			return HVK_EINUSE;
		/* Only a timer that is disabled may be set up anew (FreeBSD vmbus_et.c). */
		timer->saved_config &= ~HV_STIMER_ENABLE;
		status = hvk_register_write(hvk, HVK_REG_STIMER0_CONFIG, 0);
	}
	return status == HVK_OK ? hvk_register_write(hvk, HVK_REG_STIMER0_CONFIG, config) : status;
}

hvk_status hvk_event_timer_start(struct hvk *hvk, uint8_t vector)
{
	struct hvk_cpu *cpu = &hvk->cpus[hvk_cpu_index(hvk)];
	struct hvk_event_timer *timer = &cpu->event_timer;
	bool direct = vector != 0 && (hvk->hypervisor.info.features & HV_FEATURE_DIRECT_TIMERS) != 0;
	uint64_t config = HV_STIMER_AUTO_ENABLE;
	hvk_status status;

	if (vector != 0 && vector < HV_SINT_VECTOR_MIN)
		return HVK_EINVAL;
	if (!cpu->started || timer->mode != HVK_EVENT_TIMER_OFF)
		return HVK_ESTATE;
	if (!has_timers(hvk))
		return HVK_ENOTSUP;
	if (direct)
		config |= HV_STIMER_DIRECT | (uint64_t)vector << HV_STIMER_VECTOR_SHIFT;
	else
		config |= (uint64_t)VMBUS_SINT << HV_STIMER_SINT_SHIFT;
	status = take(hvk, timer, config);
	if (status != HVK_OK)
		return status;
	hvk_lock(hvk, &cpu->lock);
	timer->deadline = HVK_NEVER;
	timer->expired = false;
	timer->mode = direct ? HVK_EVENT_TIMER_DIRECT : HVK_EVENT_TIMER_MESSAGE;
	hvk_unlock(hvk, &cpu->lock);
	return HVK_OK;
}

/* COUNT before CONFIG: with the auto-enable bit as found it would start. */
void hvk_event_timer_leave(struct hvk *hvk, const struct hvk_event_timer *timer)
{
	if (timer->mode == HVK_EVENT_TIMER_OFF)
		return;
	put_reg(hvk, HVK_REG_STIMER0_CONFIG, 0);
	put_reg(hvk, HVK_REG_STIMER0_COUNT, timer->saved_count);
	put_reg(hvk, HVK_REG_STIMER0_CONFIG, timer->saved_config);
}

void hvk_event_timer_forget(struct hvk *hvk, struct hvk_cpu *cpu)
{
	struct hvk_event_timer *timer = &cpu->event_timer;

	hvk_lock(hvk, &cpu->lock);
	timer->mode = HVK_EVENT_TIMER_OFF;
	timer->deadline = HVK_NEVER;
	timer->expired = false;
	hvk_unlock(hvk, &cpu->lock);
}

void hvk_event_timer_stop(struct hvk *hvk)
{
	struct hvk_cpu *cpu = &hvk->cpus[hvk_cpu_index(hvk)];

	if (cpu->event_timer.mode == HVK_EVENT_TIMER_OFF)
		return;
	if (!cpu->left)
		hvk_event_timer_leave(hvk, &cpu->event_timer);
	hvk_event_timer_forget(hvk, cpu);
}
