/* SPDX-License-Identifier: MIT */
/*
 * Whose the machine is: nobody's memory is written between two owners, and a firmware's hypervisor is touched
 * by nobody else.
 */
#include "host/core/state.h"
#include "host/hypervisor/hypervisor.h"

/* A page of the hypervisor's own is no memory of the guest's while it is enabled. */
static bool is_overlay(const struct hvh_partition *partition, uint64_t gpa)
{
	const struct hvh_hypervisor *hypervisor = partition->hypervisor;
	uint64_t page = gpa & HV_PAGE_ADDRESS_MASK;
	const struct hvh_overlay *all[] = {&hypervisor->hypercall.overlay,
					   &hypervisor->reference_tsc.overlay};

	for (size_t n = 0; n < sizeof(all) / sizeof(all[0]); n++) {
		if (all[n]->gpa == page && (all[n]->active || all[n]->moving))
			return true;
	}
	for (uint32_t n = 0; n < partition->vps; n++) {
		const struct hvh_overlay *simp = &hypervisor->vps[n].simp.overlay;
		const struct hvh_overlay *siefp = &hypervisor->vps[n].siefp.overlay;

		if ((simp->gpa == page && (simp->active || simp->moving)) ||
		    (siefp->gpa == page && (siefp->active || siefp->moving)))
			return true;
	}
	return false;
}

static void unowned_write(struct hvh_partition *partition, uint64_t gpa)
{
	if (is_overlay(partition, gpa))
		return;
	hvh_violate(partition, HVH_V_RETURNED_MEMORY, partition->now, UINT32_MAX, 0, &gpa, sizeof(gpa),
		    "the host writes to %#llx, which was given back with the identity",
		    (unsigned long long)gpa);
}

/* Who leaves with the bus connected keeps its memory: a loader that serves a disk, or where the host knows no
 * UNLOAD. */
void hvh_owner_changed(struct hvh_partition *partition, uint64_t before, uint64_t value)
{
	if (value != 0)
		partition->unowned_write = NULL;
	else if (before != 0 && !partition->hypervisor->ports->may_write(partition))
		partition->unowned_write = unowned_write;
}

bool hvh_owner_permits(struct hvh_partition *partition, uint32_t vp, const char *what, uint64_t value)
{
	if (partition->firmware_owns && !partition->firmware_speaks && !partition->ended) {
		hvh_violate(partition, HVH_V_FIRMWARE, partition->now, vp, 0, &value, sizeof(value),
			    "%s while the firmware has the hypervisor (identity 1<<40): the virtual machine "
			    "ends",
			    what);
		partition->ended = true;
	}
	return !partition->ended;
}

bool hvh_ended(const struct hvh_partition *partition)
{
	return partition->ended;
}
