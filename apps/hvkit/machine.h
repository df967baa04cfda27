/* SPDX-License-Identifier: MIT */
/*
 * A machine that runs a guest beside the host model: in this process (ports/hosted), or behind
 * KVM's virtual CPUs (vmm). What the console, the network and the summary need of either.
 */
#ifndef CLI_MACHINE_H
#define CLI_MACHINE_H

#include "hvkit_host/host.h"

/* Meaning and rules as those of hosted_partition, hosted_lock and so on. */
struct machine_ops {
	struct hvh_partition *(*partition)(void *context);
	void (*lock)(void *context);
	void (*unlock)(void *context);
	uint64_t (*now)(void *context);
	void (*kick)(void *context);
	void (*trace)(void *context, bool on);
	void (*add_world)(void *context, bool (*run)(void *world, uint64_t now),
			  uint64_t (*next_event)(void *world), void *world);
	bool marks; /* its guest can write marks, to port 0xf5 */
};

struct machine {
	const struct machine_ops *ops; /* NULL: none was made */
	void *context;
};

static inline struct hvh_partition *machine_partition(const struct machine *machine)
{
	return machine->ops->partition(machine->context);
}

static inline void machine_lock(const struct machine *machine)
{
	machine->ops->lock(machine->context);
}

static inline void machine_unlock(const struct machine *machine)
{
	machine->ops->unlock(machine->context);
}

static inline uint64_t machine_now(const struct machine *machine)
{
	return machine->ops->now(machine->context);
}

static inline void machine_kick(const struct machine *machine)
{
	machine->ops->kick(machine->context);
}

static inline void machine_trace(const struct machine *machine, bool on)
{
	machine->ops->trace(machine->context, on);
}

static inline void machine_add_world(const struct machine *machine, bool (*run)(void *world, uint64_t now),
				     uint64_t (*next_event)(void *world), void *world)
{
	machine->ops->add_world(machine->context, run, next_event, world);
}

static inline bool machine_has_marks(const struct machine *machine)
{
	return machine->ops->marks;
}

struct hosted;
struct machine machine_hosted(struct hosted *hosted);
struct vmm;
struct machine machine_kvm(struct vmm *vmm);

#endif
