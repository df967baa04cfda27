/* SPDX-License-Identifier: MIT */
/* The state tree: the partition itself, then each part. */
#include <string.h>

#include "host/core/dump.h"
#include "host/core/state.h"
#include "host/hypervisor/hypervisor.h"
#include "host/pci/mmio.h"
#include "host/vmbus/vmbus.h"

/* Only those in which the host differs from its profile. */
static void dump_quirks(const struct hvh_partition *partition, struct hvh_dump *dump)
{
	const struct hvh_profile *plain = hvh_profile_find(partition->profile.name);
	char value[HVH_QUIRK_VALUE_MAX], before[HVH_QUIRK_VALUE_MAX];
	const struct hvh_quirk *quirk;
	bool any = false;

	for (uint32_t n = 0; plain != NULL && (quirk = hvh_quirk_get(n)) != NULL; n++) {
		hvh_quirk_value(&partition->profile, quirk, value, sizeof(value));
		hvh_quirk_value(plain, quirk, before, sizeof(before));
		if (strcmp(value, before) == 0)
			continue;
		if (!any)
			hvh_dump_begin(dump, "quirks");
		any = true;
		hvh_dump_text(dump, quirk->name, "%s", value);
	}
	if (any)
		hvh_dump_end(dump);
	else
		hvh_dump_text(dump, "quirks", "none");
}

static void dump_violations(const struct hvh_partition *partition, struct hvh_dump *dump)
{
	hvh_dump_begin(dump, "violations");
	hvh_dump_number(dump, "count", partition->counters.violations);
	hvh_dump_number(dump, "kept", partition->kept_count);
	for (unsigned n = 0; n < HVH_V_COUNT; n++) {
		if (partition->violation_count[n] != 0)
			hvh_dump_number(dump, hvh_violation_name((enum hvh_violation_kind)n),
					partition->violation_count[n]);
	}
	hvh_dump_end(dump);
}

static void dump_faults(const struct hvh_partition *partition, struct hvh_dump *dump)
{
	hvh_dump_begin(dump, "faults");
	hvh_dump_text(dump, "silence", "%s", hvh_silence_name(partition->silence));
	for (unsigned n = 0; n < HVH_FAULT_COUNT; n++) {
		enum hvh_fault fault = (enum hvh_fault)n;
		uint32_t chance = hvh_fault_chance(partition, fault);
		if (chance == 0 && partition->fault_count[n] == 0)
			continue;
		hvh_dump_text(dump, hvh_fault_name(fault), "%llu (chance %u in 65536)",
			      (unsigned long long)partition->fault_count[n], chance);
	}
	hvh_dump_end(dump);
}

static void dump_counters(const struct hvh_counters *c, struct hvh_dump *dump)
{
	const struct {
		const char *name;
		uint64_t value;
	} counters[] = {
		{"hypercalls", c->hypercalls},
		{"posts", c->posts},
		{"signals", c->signals},
		{"unneeded-signals", c->unneeded_signals},
		{"msr-reads", c->msr_reads},
		{"msr-writes", c->msr_writes},
		{"eoms", c->eoms},
		{"interrupts", c->interrupts},
		{"messages-delivered", c->messages_delivered},
		{"events-set", c->events_set},
		{"contacts", c->contacts},
		{"unloads", c->unloads},
	};

	hvh_dump_begin(dump, "counters");
	for (size_t n = 0; n < sizeof(counters) / sizeof(counters[0]); n++)
		hvh_dump_number(dump, counters[n].name, counters[n].value);
	hvh_dump_end(dump);
}

void hvh_dump(const struct hvh_partition *partition, hvh_dump_line line, void *context)
{
	struct hvh_dump dump = {line, context, 0};

	hvh_dump_begin(&dump, "partition");
	hvh_dump_text(&dump, "profile", "%s", partition->profile.name);
	dump_quirks(partition, &dump);
	hvh_dump_number(&dump, "seed", partition->seed);
	hvh_dump_flag(&dump, "deterministic", partition->deterministic);
	hvh_dump_number(&dump, "vps", partition->vps);
	hvh_dump_number(&dump, "tsc-hz", partition->tsc_hz);
	hvh_dump_time(&dump, "time", partition->now);
	hvh_dump_flag(&dump, "quiet", hvh_quiet(partition));
	dump_counters(&partition->counters, &dump);
	dump_violations(partition, &dump);
	dump_faults(partition, &dump);
	hvh_dump_end(&dump);
	hvh_hypervisor_dump(partition, &dump);
	hvh_vmbus_dump(partition, &dump);
	hvh_mmio_dump(partition, &dump);
	hvh_devices_dump(partition, &dump);
}
