/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>

#include "host/core/state.h"
#include "host/hypervisor/hypervisor.h"
#include "host/pci/mmio.h"
#include "host/vmbus/vmbus.h"
#include "hvkit_host/quirk.h"

/* The parts, in one piece of memory. */
struct assembly {
	struct hvh_partition partition;
	struct hvh_hypervisor hypervisor;
	struct hvh_vmbus vmbus;
	struct hvh_mmio mmio;
};

/* scale = 10^7 * 2^64 / tsc_hz must fit into 64 bits. */
#define APIC_HZ_DEFAULT 200000000u
#define TSC_HZ_MIN (HVH_TIME_PER_SECOND + 1u)

static bool config_valid(const struct hvh_config *config, const struct hvh_ops *ops)
{
	return config != NULL && ops != NULL && ops->translate != NULL && ops->interrupt != NULL &&
	       config->profile != NULL && config->vps >= 1 && config->vps <= HVH_VPS_MAX &&
	       config->hypercall_code_bytes <= HVH_HYPERCALL_CODE_MAX;
}

struct hvh_partition *hvh_create(const struct hvh_config *config, const struct hvh_ops *ops)
{
	if (!config_valid(config, ops))
		return NULL;
	struct assembly *assembly = calloc(1, sizeof(*assembly));
	if (assembly == NULL)
		return NULL;
	struct hvh_partition *partition = &assembly->partition;
	partition->hypervisor = &assembly->hypervisor;
	partition->vmbus = &assembly->vmbus;
	partition->mmio = &assembly->mmio;
	partition->profile = *config->profile;
	partition->ops = *ops;
	partition->vps = config->vps;
	partition->deterministic = config->deterministic;
	partition->tsc_hz = config->tsc_hz >= TSC_HZ_MIN ? config->tsc_hz : 0;
	partition->tsc_offset = config->tsc_offset;
	partition->apic_hz = config->apic_hz != 0 ? config->apic_hz : APIC_HZ_DEFAULT;
	hvh_random_seed(partition, config->seed);
	hvh_mmio_init(partition, &config->mmio_low, &config->mmio_high);
	if (!hvh_hypervisor_init(partition) || !hvh_vmbus_init(partition)) {
		hvh_destroy(partition);
		return NULL;
	}
	if (config->hypercall_code != NULL)
		hvh_overlay_hypercall(&partition->hypervisor->hypercall.overlay, config->hypercall_code,
				      config->hypercall_code_bytes);
	return partition;
}

void hvh_destroy(struct hvh_partition *partition)
{
	if (partition == NULL)
		return;
	hvh_vmbus_free(partition);
	hvh_hypervisor_free(partition);
	free((struct assembly *)partition); /* its first member */
}

bool hvh_partition_set_quirk(struct hvh_partition *partition, const char *name, const char *value,
			     char *error, size_t error_size)
{
	const struct hvh_quirk *quirk = hvh_quirk_find(name);

	if (quirk != NULL && !quirk->live && partition->vmbus->contacted) {
		if (error != NULL && error_size > 0)
			snprintf(error, error_size,
				 "%s cannot change any more: the guest has made contact; set it before",
				 name);
		return false;
	}
	if (!hvh_quirk_set(&partition->profile, name, value, error, error_size))
		return false;
	hvh_kick(partition);
	return true;
}

uint64_t hvh_next_event(struct hvh_partition *partition)
{
	uint64_t hypervisor = hvh_hypervisor_next_event(partition);
	uint64_t vmbus = hvh_vmbus_next_event(partition);

	if (partition->ended)
		return HVH_NEVER;
	return hypervisor < vmbus ? hypervisor : vmbus;
}

bool hvh_run(struct hvh_partition *partition, uint64_t now)
{
	now = hvh_clock(partition, now);
	if (partition->ended)
		return false;
	hvh_hypervisor_run(partition, now);
	hvh_vmbus_run(partition, now);
	return hvh_next_event(partition) <= now;
}
