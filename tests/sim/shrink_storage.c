/* SPDX-License-Identifier: MIT */
#include "tests/sim/storage.h"

#include <stdio.h>
#include <string.h>

struct shrinker {
	struct store_plan plan;
	struct rig_config machine;
	char wrong[256]; /* of the best, as it was found last */
	uint32_t runs;
};

static bool still_fails(struct shrinker *self, const struct store_plan *plan,
			const struct rig_config *machine)
{
	struct rig_result result;
	const char *wrong = sim_storage_run(plan, machine, &result, NULL);

	self->runs++;
	if (wrong)
		(void)snprintf(self->wrong, sizeof(self->wrong), "%s", wrong);
	return wrong != NULL;
}

/* Keeps the change if it fails all the same. */
static bool try_it(struct shrinker *self, const struct store_plan *plan, const struct rig_config *machine,
		   const char *what)
{
	if (memcmp(plan, &self->plan, sizeof(*plan)) == 0 &&
	    memcmp(machine, &self->machine, sizeof(*machine)) == 0)
		return false;
	if (!still_fails(self, plan, machine))
		return false;
	printf("not needed: %s\n", what);
	self->plan = *plan;
	self->machine = *machine;
	return true;
}

static void without_events(struct shrinker *self)
{
	uint32_t i = 0;

	while (i < self->plan.event_count) { /* ends: one is taken away, or passed over */
		struct store_plan changed = self->plan;

		changed.event_count--;
		memmove(&changed.events[i], &changed.events[i + 1],
			(changed.event_count - i) * sizeof(changed.events[0]));
		if (!try_it(self, &changed, &self->machine, store_event_name(self->plan.events[i])))
			i++;
	}
}

static void without_faults(struct shrinker *self)
{
	for (int i = 0; i < HVH_FAULT_COUNT; i++) {
		struct rig_config changed = self->machine;
		char what[64];

		if (changed.fault_chance == 0 && i != HVH_FAULT_RESCIND)
			continue;
		if (i == HVH_FAULT_RESCIND)
			changed.rescind_chance = 0;
		else
			changed.faults_off |= 1u << i;
		(void)snprintf(what, sizeof(what), "fault %s", hvh_fault_name((enum hvh_fault)i));
		(void)try_it(self, &self->plan, &changed, what);
	}
}

enum part {
	CDROM,
	SECOND,
	DISKS,
	READ_ONLY,
	NO_CACHE,
	LARGE_BLOCKS,
	FILES,
	TRANSFERS,
	QUEUES,
	PROTOCOL,
	CPUS,
	SWITCHES,
	PARTS
};

static void take_away(struct store_plan *plan, struct rig_config *machine, enum part part)
{
	switch (part) {
	case CDROM:
		plan->cdrom = false;
		break;
	case SECOND:
		plan->second = plan->ide = false;
		break;
	case DISKS:
		plan->disks = 1;
		break;
	case READ_ONLY:
		plan->read_only = false;
		break;
	case NO_CACHE:
		plan->no_write_cache = false;
		break;
	case LARGE_BLOCKS:
		plan->large_blocks = false;
		break;
	case FILES:
		plan->files = false;
		break;
	case TRANSFERS:
		plan->host.transfer_max = 0;
		break;
	case QUEUES:
		plan->config.queues = 1;
		break;
	case PROTOCOL:
		plan->config.protocol_newest = 0;
		break;
	case CPUS:
		machine->cpus = 1;
		plan->config.cpu = 0;
		break;
	case SWITCHES:
		machine->switch_chance = 1; /* 0 would be the default */
		break;
	case PARTS:
		break;
	}
}

static void without_parts(struct shrinker *self)
{
	static const char *const names[PARTS] = {
		"the CD-ROM",        "the second controller",  "disks beyond the first",
		"a read-only disk",  "a disk without a cache", "blocks of 4096 bytes",
		"images in files",   "a limit of transfers",   "sub-channels",
		"an older protocol", "more than one CPU",      "switches between accesses"};

	for (int part = 0; part < PARTS; part++) {
		struct store_plan plan = self->plan;
		struct rig_config machine = self->machine;

		take_away(&plan, &machine, (enum part)part);
		(void)try_it(self, &plan, &machine, names[part]);
	}
}

static void write_trace(struct shrinker *self, const char *name)
{
	FILE *file = fopen(name, "wb");

	if (!file) {
		perror(name);
		return;
	}
	self->machine.trace = file;
	(void)still_fails(self, &self->plan, &self->machine);
	self->machine.trace = NULL;
	(void)fclose(file);
	printf("trace: %s\n", name);
}

bool sim_storage_shrink(struct store_plan *plan, struct rig_config *machine, const char *trace)
{
	static struct shrinker self;

	self = (struct shrinker){.plan = *plan, .machine = *machine};
	if (!still_fails(&self, plan, machine))
		return false;
	without_events(&self);
	without_faults(&self);
	without_parts(&self);
	without_events(&self); /* some of them may be needed no more */
	printf("left:\n");
	sim_storage_describe(&self.plan, &self.machine);
	for (int i = 0; self.machine.fault_chance != 0 && i < HVH_FAULT_COUNT; i++) {
		if (i != HVH_FAULT_RESCIND && (self.machine.faults_off & (1u << i)) == 0)
			printf("left: fault %s\n", hvh_fault_name((enum hvh_fault)i));
	}
	printf("then: %s\n", self.wrong);
	if (trace)
		write_trace(&self, trace);
	printf("did: %u runs to shrink one\n", self.runs);
	*plan = self.plan;
	*machine = self.machine;
	return true;
}
