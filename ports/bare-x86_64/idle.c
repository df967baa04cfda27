/* SPDX-License-Identifier: MIT */
/* Sleeping and being woken. "woken" is set by every interrupt, and by the CPU itself. */
#include "ports/bare-x86_64/private.h"

static bool (*arm_timer)(void *context, uint32_t cpu, uint64_t ns);
static void *arm_context;

void bare_set_timer(bool (*arm)(void *context, uint32_t cpu, uint64_t ns), void *context)
{
	arm_context = context;
	arm_timer = arm;
}

void bare_wait(uint64_t timeout_ns)
{
	struct bare_cpu *cpu = &bare_cpus[bare_cpu_index()];

	cpu_interrupts_off();
	if (!cpu->woken && timeout_ns != 0) {
		if (!arm_timer || !arm_timer(arm_context, cpu->index, timeout_ns))
			apic_timer_arm(timeout_ns);
		cpu_halt_with_interrupts_on();
		cpu_interrupts_off();
	}
	cpu->woken = false;
	cpu_interrupts_on();
}

void bare_wake(uint32_t index)
{
	if (index == bare_cpu_index())
		bare_cpus[index].woken = true;
	else if (index < BARE_CPUS_MAX && __atomic_load_n(&bare_cpus[index].online, __ATOMIC_ACQUIRE))
		apic_send_vector(bare_cpus[index].apic_id, VECTOR_WAKE);
}
