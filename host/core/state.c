/* SPDX-License-Identifier: MIT */
#include "host/core/state.h"

uint64_t hvh_clock(struct hvh_partition *partition, uint64_t now)
{
	if (now > partition->now)
		partition->now = now;
	return partition->now;
}

const struct hvh_profile *hvh_partition_get_profile(const struct hvh_partition *partition)
{
	return &partition->profile;
}

bool hvh_partition_deterministic(const struct hvh_partition *partition)
{
	return partition->deterministic;
}

uint32_t hvh_partition_vps(const struct hvh_partition *partition)
{
	return partition->vps;
}

void hvh_kick(struct hvh_partition *partition)
{
	if (partition->ops.kick != NULL)
		partition->ops.kick(partition->ops.context);
}

void hvh_get_counters(const struct hvh_partition *partition, struct hvh_counters *out)
{
	*out = partition->counters;
}
