/* SPDX-License-Identifier: MIT */
/* The machine in this process. */
#include "apps/hvkit/machine.h"
#include "ports/hosted/hosted.h"

static struct hvh_partition *partition(void *context)
{
	return hosted_partition(context);
}

static void lock(void *context)
{
	hosted_lock(context);
}

static void unlock(void *context)
{
	hosted_unlock(context);
}

static uint64_t now(void *context)
{
	return hosted_now(context);
}

static void kick(void *context)
{
	hosted_kick(context);
}

static void trace(void *context, bool on)
{
	hosted_trace(context, on);
}

static void add_world(void *context, bool (*run)(void *world, uint64_t time),
		      uint64_t (*next_event)(void *world), void *world)
{
	hosted_add_world(context, run, next_event, world);
}

struct machine machine_hosted(struct hosted *hosted)
{
	static const struct machine_ops ops = {partition, lock, unlock, now, kick, trace, add_world, false};

	return (struct machine){&ops, hosted};
}
