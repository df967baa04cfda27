/* SPDX-License-Identifier: MIT */
#include "tests/sim/sim.h"

#include <stdio.h>
#include <string.h>

struct shrinker {
	struct rig_config best;
	enum hvh_fault wanted;
	struct rig_result result;
	char wrong[256]; /* of the best, as it was found last */
	uint32_t runs;
};

static bool still_fails(struct shrinker *self, const struct rig_config *config)
{
	const char *wrong = sim_run(config, &self->result);

	self->runs++;
	if (self->wanted != HVH_FAULT_COUNT)
		return self->result.faults[self->wanted] != 0;
	if (wrong)
		(void)snprintf(self->wrong, sizeof(self->wrong), "%s", wrong);
	return wrong != NULL;
}

/* Keeps the change if it fails all the same. */
static void try_without(struct shrinker *self, const struct rig_config *changed, const char *what)
{
	if (memcmp(changed, &self->best, sizeof(*changed)) == 0 || !still_fails(self, changed))
		return;
	printf("not needed: %s\n", what);
	self->best = *changed;
}

static void without_faults(struct shrinker *self)
{
	for (int i = 0; i < HVH_FAULT_COUNT; i++) {
		uint32_t chance = i == HVH_FAULT_RESCIND ? self->best.rescind_chance
							 : self->best.fault_chance;
		struct rig_config changed = self->best;
		char what[64];

		if (chance == 0)
			continue;
		changed.faults_off |= 1u << i;
		(void)snprintf(what, sizeof(what), "fault %s", hvh_fault_name((enum hvh_fault)i));
		try_without(self, &changed, what);
	}
}

enum part {
	ECHO,
	REATTACH,
	SUSPEND,
	ABRUPT,
	QUEUES,
	BORROW,
	BY_PAGE,
	DELAY,
	BOOT,
	NIC_CPU,
	CPUS,
	SWITCHES,
	PARTS
};

static void take_away(struct rig_config *config, enum part part)
{
	switch (part) {
	case ECHO:
		config->echo = NULL;
		config->session = NULL;
		break;
	case REATTACH:
		config->reattach = 0;
		break;
	case SUSPEND:
		config->suspend = false;
		break;
	case ABRUPT:
		config->abrupt = false;
		break;
	case QUEUES:
		config->queues = 0;
		break;
	case BORROW:
		config->rx_borrow = 0;
		break;
	case BY_PAGE:
		config->by_page = false;
		break;
	case DELAY:
		config->delay_max = 0;
		break;
	case BOOT:
		config->vmbus_mode = HVK_VMBUS_MODE_SYSTEM;
		break;
	case NIC_CPU:
		config->nic_cpu = 0;
		break;
	case CPUS:
		config->cpus = 1;
		config->nic_cpu = 0;
		break;
	case SWITCHES:
		config->switch_chance = 1; /* 0 would be the default */
		break;
	case PARTS:
		break;
	}
}

static void without_parts(struct shrinker *self)
{
	static const char *const names[PARTS] = {"the echo device",
						 "attaching again",
						 "sleep",
						 "leaving by abandon",
						 "queues",
						 "lent frames",
						 "page lists",
						 "delay of the wire",
						 "boot mode",
						 "a card on another CPU",
						 "more than one CPU",
						 "switches between accesses"};

	for (int part = 0; part < PARTS; part++) {
		struct rig_config changed = self->best;

		take_away(&changed, (enum part)part);
		try_without(self, &changed, names[part]);
	}
}

/* The fewest frames, to one. */
static void fewer_frames(struct shrinker *self)
{
	uint32_t low = 0, high = self->best.frames;

	while (high - low > 1) {
		struct rig_config changed = self->best;

		changed.frames = low + (high - low) / 2;
		if (still_fails(self, &changed)) {
			self->best = changed;
			high = changed.frames;
		} else {
			low = changed.frames;
		}
	}
}

static void describe(const struct shrinker *self)
{
	const struct rig_config *c = &self->best;

	printf("left: %s, %u CPUs, the card on CPU %u, %u frames%s%s%s%s%s%s%s%s%s%s\n", c->profile, c->cpus,
	       c->nic_cpu, c->frames, c->echo ? ", an echo device" : "",
	       c->reattach ? ", attached again" : "", c->suspend ? ", sleep" : "",
	       c->abrupt ? ", abandon" : "", c->rx_borrow ? ", lent frames" : "",
	       c->queues > 1 ? ", queues" : "", c->by_page ? ", page lists" : "",
	       c->delay_max ? ", delays of the wire" : "",
	       c->vmbus_mode == HVK_VMBUS_MODE_BOOT ? ", boot mode" : "", c->level0 ? ", level 0" : "");
	for (int i = 0; i < HVH_FAULT_COUNT; i++) {
		uint32_t chance = i == HVH_FAULT_RESCIND ? c->rescind_chance : c->fault_chance;

		if (chance != 0 && (c->faults_off & (1u << i)) == 0)
			printf("left: fault %s\n", hvh_fault_name((enum hvh_fault)i));
	}
	if (self->wanted == HVH_FAULT_COUNT)
		printf("then: %s\n", self->wrong);
}

static void write_trace(struct shrinker *self, const char *name)
{
	FILE *file = fopen(name, "wb");

	if (!file) {
		perror(name);
		return;
	}
	self->best.trace = file;
	(void)still_fails(self, &self->best);
	self->best.trace = NULL;
	(void)fclose(file);
	printf("trace: %s\n", name);
}

bool sim_shrink(struct rig_config *config, enum hvh_fault wanted, const char *trace)
{
	static struct shrinker self;

	self = (struct shrinker){.best = *config, .wanted = wanted};
	if (!still_fails(&self, config))
		return false;
	without_faults(&self);
	without_parts(&self);
	without_faults(&self); /* some of them may be needed no more */
	fewer_frames(&self);
	describe(&self);
	if (trace)
		write_trace(&self, trace);
	printf("did: %u runs to shrink one\n", self.runs);
	*config = self.best;
	return true;
}
