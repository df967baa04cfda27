/* SPDX-License-Identifier: MIT */
/* Has the guest really left? */
#include "host/core/state.h"
#include "host/hypervisor/hypervisor.h"
#include "host/vmbus/vmbus.h"

/* A message that waits for its slot will be written there yet. */
static bool slots_done(const struct hvh_partition *partition)
{
	for (uint32_t vp = 0; vp < partition->vps; vp++) {
		for (uint32_t sint = 0; sint < HV_SINT_COUNT; sint++) {
			if (partition->hypervisor->vps[vp].sints[sint].count != 0)
				return false;
		}
	}
	return true;
}

bool hvh_quiet(const struct hvh_partition *partition)
{
	const struct hvh_vmbus *bus = partition->vmbus;

	return bus->contacted && !bus->connected && bus->gpadls == NULL && bus->stale_due == HVH_NEVER &&
	       bus->stale_writes == 0 && bus->out_count == 0 && bus->post_count == 0 && slots_done(partition);
}
