/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "host/core/state.h"
#include "host/hypervisor/hypervisor.h"
#include "hvkit/wire/vmbus.h"

/* The build that goes with a VMBus version: what people see in a guest's log. */
static const struct {
	uint32_t vmbus;
	uint32_t major, minor, build;
} builds[] = {
	{VMBUS_VERSION_5_3, 10, 0, 20348}, {VMBUS_VERSION_5_2, 10, 0, 17763},
	{VMBUS_VERSION_4_0, 10, 0, 14393}, {VMBUS_VERSION_3_0, 6, 3, 9600},
	{VMBUS_VERSION_2_4, 6, 2, 9200},   {VMBUS_VERSION_1_1, 6, 1, 7601},
	{VMBUS_VERSION_0_13, 6, 0, 6002},
};

static void version_leaf(const struct hvh_partition *partition, uint32_t out[4])
{
	for (size_t n = 0; n < sizeof(builds) / sizeof(builds[0]); n++) {
		if (partition->profile.newest_version < builds[n].vmbus)
			continue;
		out[0] = builds[n].build;
		out[1] = builds[n].major << 16 | builds[n].minor;
		return;
	}
}

static void features_leaf(const struct hvh_partition *partition, uint32_t out[4])
{
	out[0] = HV_ACCESS_REFERENCE_COUNTER | HV_ACCESS_SYNIC | HV_ACCESS_HYPERCALL | HV_ACCESS_VP_INDEX;
	if (partition->profile.message_privileges)
		out[1] = HV_PRIVILEGE_POST_MESSAGES | HV_PRIVILEGE_SIGNAL_EVENTS;
	if (hvh_reference_tsc_present(partition))
		out[0] |= HV_ACCESS_REFERENCE_TSC;
	out[3] |= HV_FEATURE_CRASH;
	if (partition->profile.timers != HVH_TIMERS_ABSENT)
		out[0] |= HV_ACCESS_SYNTHETIC_TIMERS;
	if (partition->profile.timers == HVH_TIMERS_DIRECT)
		out[3] |= HV_FEATURE_DIRECT_TIMERS;
	if (partition->tsc_hz != 0) {
		out[0] |= HV_ACCESS_FREQUENCIES;
		out[3] |= HV_FEATURE_FREQUENCIES;
	}
}

void hvh_cpuid(struct hvh_partition *partition, uint32_t leaf, uint32_t out[4])
{
	memset(out, 0, 4 * sizeof(out[0]));
	switch (leaf) {
	case HV_CPUID_PROCESSOR_INFO:
		out[2] = HV_CPUID_HYPERVISOR_PRESENT_ECX;
		break;
	case HV_CPUID_VENDOR:
		out[0] = HV_CPUID_HIGHEST_LEAF_MIN;
		memcpy(&out[1], "Microsoft Hv", 12);
		break;
	case HV_CPUID_INTERFACE:
		out[0] = HV_CPUID_INTERFACE_HV1;
		break;
	case HV_CPUID_VERSION:
		version_leaf(partition, out);
		break;
	case HV_CPUID_FEATURES:
		features_leaf(partition, out);
		break;
	case HV_CPUID_ENLIGHTENMENTS:
		out[0] = HV_HINT_RELAXED_TIMING | HV_HINT_DEPRECATE_AUTO_EOI;
		out[1] = UINT32_MAX; /* never notify about long spins */
		break;
	case HV_CPUID_LIMITS:
		out[0] = HVH_VPS_MAX;
		out[1] = HVH_VPS_MAX;
		break;
	default:
		break;
	}
}
