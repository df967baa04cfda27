/* SPDX-License-Identifier: MIT */
/* The other CPUs: each starts its SynIC, polls until told to stop, stops its SynIC. */
#include "apps/shell/private.h"

#define CPU_TIMEOUT_MS 10000u /* for all of them to have started, or stopped */

static uint64_t until_deadline(const struct shell *shell, struct hvk *hvk, uint32_t cpu)
{
	uint64_t now = hvk_time(hvk), deadline = hvk_next_deadline(hvk, cpu);
	uint64_t longest = shell_tick(shell);

	if (deadline <= now)
		return 1;
	return deadline - now < longest ? deadline - now : longest;
}

void shell_run_cpu(struct shell *shell, uint32_t cpu)
{
	const struct shell_platform *platform = &shell->platform;
	struct shell_cpu *self = &shell->cpus[cpu];
	struct hvk *hvk;

	while (atomic_load(&shell->phase) == SHELL_STARTING)
		platform->wait(platform->context, shell_tick(shell) * 100);
	if (atomic_load(&shell->phase) != SHELL_RUNNING)
		return;
	hvk = atomic_load(&shell->hvk);
	self->status = hvk_cpu_start(hvk);
	if (self->status == HVK_OK && platform->cpu_started)
		platform->cpu_started(platform->context, hvk, cpu);
	atomic_store(&self->state, self->status == HVK_OK ? SHELL_CPU_ON : SHELL_CPU_FAILED);
	if (platform->wake)
		platform->wake(platform->context, 0);
	if (self->status != HVK_OK)
		return;
	while (atomic_load(&shell->phase) == SHELL_RUNNING) {
		if (!hvk_poll(hvk, cpu))
			platform->wait(platform->context, until_deadline(shell, hvk, cpu) * 100);
	}
	self->status = hvk_cpu_stop(hvk);
	atomic_store(&self->state, self->status == HVK_OK ? SHELL_CPU_STOPPED : SHELL_CPU_FAILED);
	if (platform->wake)
		platform->wake(platform->context, 0);
}

static void wake_all(struct shell *shell)
{
	for (uint32_t cpu = 1; shell->platform.wake && cpu < shell->config.hvk.cpus; cpu++)
		shell->platform.wake(shell->platform.context, cpu);
}

/* True once no other CPU is in that state any more. */
static bool wait_while(struct shell *shell, enum shell_cpu_state state)
{
	struct hvk *hvk = atomic_load(&shell->hvk);
	uint64_t limit = hvk_time(hvk) + CPU_TIMEOUT_MS * HVK_TIME_PER_MS;

	for (;;) {
		bool done = true;

		for (uint32_t cpu = 1; cpu < shell->config.hvk.cpus; cpu++)
			done = done && atomic_load(&shell->cpus[cpu].state) != (int)state;
		if (done || hvk_time(hvk) >= limit)
			return done;
		shell->platform.wait(shell->platform.context, 1000000);
	}
}

static bool report_failures(struct shell *shell, const char *step)
{
	for (uint32_t cpu = 1; cpu < shell->config.hvk.cpus; cpu++) {
		if (atomic_load(&shell->cpus[cpu].state) == SHELL_CPU_FAILED) {
			shell_fail(shell, step, shell->cpus[cpu].status);
			return false;
		}
	}
	return true;
}

/* CPU 0 has been started by the caller, who has set the clock going too. */
bool shell_cpus_start(struct shell *shell)
{
	atomic_store(&shell->phase, SHELL_RUNNING);
	wake_all(shell);
	if (!wait_while(shell, SHELL_CPU_OFF)) {
		shell_fail(shell, "start the other CPUs", HVK_ETIMEDOUT);
		return false;
	}
	return report_failures(shell, "start the other CPUs");
}

void shell_cpus_stop(struct shell *shell)
{
	bool ran = atomic_exchange(&shell->phase, SHELL_STOPPING) == SHELL_RUNNING;

	wake_all(shell);
	if (!ran)
		return;
	if (!wait_while(shell, SHELL_CPU_ON))
		shell_fail(shell, "stop the other CPUs", HVK_ETIMEDOUT);
	else if (!shell->results.failed_step)
		report_failures(shell, "stop the other CPUs");
}
