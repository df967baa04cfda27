/* SPDX-License-Identifier: MIT */
/* The machine behind KVM's virtual CPUs. */
#include "apps/hvkit/machine.h"
#include "vmm/vmm.h"

static struct hvh_partition *partition(void *context)
{
	return vmm_partition(context);
}

static void lock(void *context)
{
	vmm_lock(context);
}

static void unlock(void *context)
{
	vmm_unlock(context);
}

static uint64_t now(void *context)
{
	return vmm_now(context);
}

static void kick(void *context)
{
	vmm_kick(context);
}

static void trace(void *context, bool on)
{
	vmm_trace(context, on);
}

static void add_world(void *context, bool (*run)(void *world, uint64_t time),
		      uint64_t (*next_event)(void *world), void *world)
{
	vmm_add_world(context, run, next_event, world);
}

struct machine machine_kvm(struct vmm *vmm)
{
	static const struct machine_ops ops = {partition, lock, unlock, now, kick, trace, add_world, true};

	return (struct machine){&ops, vmm};
}
