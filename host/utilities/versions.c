/* SPDX-License-Identifier: MIT */
/*
 * The versions that hosts offer. Source: what Linux 4.10 asks which host for (hv_util.c, hv_kvp.c,
 * hv_snapshot.c, hv_fcopy.c), shutdown 3.1 and 3.2 by the commits that brought them; OpenVMM hyperv_ic.
 */
#include <stdio.h>

#include "host/utilities/utilities.h"

#define V(major, minor) IC_VERSION(major, minor)

struct offered {
	struct utility_versions framework;
	struct utility_versions messages[UTILITIES]; /* in the order of the components; count 0: not there */
};

/* clang-format off */
#define FRAMEWORKS {2, {V(1, 0), V(3, 0)}}
#define NONE {0, {0}}
#define V1 {1, {V(1, 0)}}
#define V1_3 {2, {V(1, 0), V(3, 0)}}
#define V1_3_4 {3, {V(1, 0), V(3, 0), V(4, 0)}}
#define SHUTDOWN_2016 {3, {V(1, 0), V(3, 0), V(3, 1)}}
#define SHUTDOWN_2022 {4, {V(1, 0), V(3, 0), V(3, 1), V(3, 2)}}
#define KVP_2016 {3, {V(3, 0), V(4, 0), V(5, 0)}}
#define VSS_2012 {1, {V(4, 0)}}
#define VSS_2012R2 {2, {V(4, 0), V(5, 0)}}
#define VSS_2016 {4, {V(4, 0), V(5, 0), V(6, 0), V(7, 0)}}
#define FCOPY {1, {V(1, 1)}}
/* clang-format on */

/* Shutdown, timesync, heartbeat, KVP, VSS, fcopy. */
static const struct offered offered[] = {
	[HVH_IC_NONE] = {NONE, {NONE, NONE, NONE, NONE, NONE, NONE}},
	[HVH_IC_2008] = {{1, {V(1, 0)}}, {V1, V1, V1, V1, NONE, NONE}},
	[HVH_IC_2008R2] = {FRAMEWORKS, {V1_3, V1_3, V1_3, V1_3, NONE, NONE}},
	[HVH_IC_2012] = {FRAMEWORKS, {V1_3, V1_3, V1_3, V1_3_4, VSS_2012, NONE}},
	[HVH_IC_2012R2] = {FRAMEWORKS, {V1_3, V1_3, V1_3, V1_3_4, VSS_2012R2, FCOPY}},
	[HVH_IC_2016] = {FRAMEWORKS, {SHUTDOWN_2016, V1_3_4, V1_3, KVP_2016, VSS_2016, FCOPY}},
	[HVH_IC_2022] = {FRAMEWORKS, {SHUTDOWN_2022, V1_3_4, V1_3, KVP_2016, VSS_2016, FCOPY}},
	[HVH_IC_OPENVMM] = {FRAMEWORKS, {SHUTDOWN_2022, {1, {V(4, 0)}}, NONE, KVP_2016, NONE, NONE}},
};

static enum hvh_ic_versions generation(const struct utility *utility)
{
	return hvh_partition_get_profile(utility->owner->partition)->ic_versions;
}

/* They are sorted. */
static void cap(struct utility_versions *versions, uint32_t newest)
{
	while (newest != 0 && versions->count > 0 &&
	       utility_rank(versions->list[versions->count - 1]) > utility_rank(newest))
		versions->count--;
}

bool utility_versions(const struct utility *utility, struct utility_versions *framework,
		      struct utility_versions *message)
{
	const struct offered *host = &offered[generation(utility)];

	*framework = host->framework;
	*message = host->messages[utility - utility->owner->all];
	cap(framework, utility->owner->config.framework_newest);
	cap(message, utility->owner->config.message_newest);
	return framework->count > 0 && message->count > 0;
}

void utility_version_text(uint32_t version, char text[16])
{
	(void)snprintf(text, 16, "%u.%u", version & 0xffffu, version >> 16);
}
