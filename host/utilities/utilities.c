/* SPDX-License-Identifier: MIT */
/* The integration components of a partition, all together: offering, finding, restarting, counting. */
#include <stdlib.h>
#include <string.h>

#include "host/utilities/utilities.h"
#include "hvkit/wire/input.h"

#define YEAR_2026 134116992000000000ull /* 100 ns from 1601 to its first day, UTC */
#define SECONDS_PER_YEAR 31536000u

static const struct utility_service *const services[UTILITIES] = {
	[UTILITY_AT_SHUTDOWN] = &utility_shutdown,
	[UTILITY_AT_TIMESYNC] = &utility_timesync,
	[UTILITY_AT_HEARTBEAT] = &utility_heartbeat,
	[UTILITY_AT_KVP] = &utility_kvp,
	[UTILITY_AT_VSS] = &utility_vss,
	[UTILITY_AT_FCOPY] = &utility_fcopy,
};

static bool offer(struct utility *utility)
{
	const struct utility_service *service = utility->service;
	const struct hvh_offer_parameters parameters = {
		.type = service->type,
		.instance = service->instance,
		.flags = VMBUS_OFFER_FLAG_NAMED_PIPE,
		.user_data = {PIPE_MODE_MESSAGE},
	};

	utility->channel = hvh_channel_offer(utility->owner->partition, &parameters, &service->ops, utility);
	if (utility->channel != NULL)
		utility->owner->devices++;
	return utility->channel != NULL;
}

/* Takes out of which what this host does not have. False: it was asked for by name. */
static bool choose(struct hvh_utilities *owner, uint32_t *which, char *error, size_t error_size)
{
	uint32_t wanted = *which != 0 ? *which : HVH_UTILITIES_ALL;
	const struct hvh_profile *profile = hvh_partition_get_profile(owner->partition);

	for (uint32_t n = 0; n < UTILITIES; n++) {
		struct utility_versions framework, message;
		const struct utility *utility = &owner->all[n];

		if ((wanted & utility->service->bit) == 0 || utility_versions(utility, &framework, &message))
			continue;
		wanted &= ~utility->service->bit;
		if (*which == 0)
			continue;
		(void)snprintf(error, error_size,
			       "host %s has no %s; the quirk ic-versions gives it those of another host",
			       profile->name, utility_name(utility));
		return false;
	}
	if (wanted == 0)
		(void)snprintf(
			error, error_size,
			"host %s has no integration components; the quirk ic-versions gives it those of "
			"another host",
			profile->name);
	*which = wanted;
	return wanted != 0;
}

static bool offer_all(struct hvh_utilities *owner, uint32_t which)
{
	for (uint32_t n = 0; n < UTILITIES; n++) {
		if ((which & owner->all[n].service->bit) != 0 && !offer(&owner->all[n]))
			return false;
	}
	return true;
}

/* What has been offered already stays the partition's, and goes with it. */
static void give_up(struct hvh_utilities *owner)
{
	for (uint32_t n = 0; n < UTILITIES; n++) {
		if (owner->all[n].channel != NULL)
			hvh_channel_rescind(owner->all[n].channel, 0);
	}
	if (owner->devices > 0)
		return;
	kvp_store_free(&owner->store);
	free(owner);
}

static struct hvh_utilities *allocate(struct hvh_partition *partition,
				      const struct hvh_utilities_config *config)
{
	struct hvh_utilities *owner = calloc(1, sizeof(*owner));

	if (owner == NULL)
		return NULL;
	owner->partition = partition;
	owner->config = *config;
	owner->config.kvp_file = NULL; /* the store has a copy of its own */
	owner->clock_base = YEAR_2026;
	if (config->wall_clock == NULL)
		owner->clock_base += hvh_choose(partition, SECONDS_PER_YEAR) * HVH_TIME_PER_SECOND;
	for (uint32_t n = 0; n < UTILITIES; n++) {
		owner->all[n].service = services[n];
		owner->all[n].owner = owner;
	}
	return owner;
}

struct hvh_utilities *hvh_utilities_create(struct hvh_partition *partition,
					   const struct hvh_utilities_config *config, char *error,
					   size_t error_size)
{
	uint32_t which = config->which;
	struct hvh_utilities *owner;

	if ((which & ~HVH_UTILITIES_ALL) != 0 || hvh_utilities_find(partition) != NULL) {
		(void)snprintf(error, error_size, "%s",
			       (which & ~HVH_UTILITIES_ALL) != 0
				       ? "which: bits 0 to 5 would be right"
				       : "this partition has its components already");
		return NULL;
	}
	owner = allocate(partition, config);
	if (owner == NULL) {
		(void)snprintf(error, error_size, "out of memory");
		return NULL;
	}
	if (!choose(owner, &which, error, error_size) ||
	    !kvp_store_load(&owner->store, config->kvp_file, error, error_size)) {
		give_up(owner);
		return NULL;
	}
	if (!offer_all(owner, which)) {
		(void)snprintf(error, error_size, "no room for more channels");
		give_up(owner);
		return NULL;
	}
	return owner;
}

struct hvh_utilities *hvh_utilities_find(struct hvh_partition *partition)
{
	for (uint32_t n = 0; n < UTILITIES; n++) {
		char name[32];
		struct utility *utility;

		(void)snprintf(name, sizeof(name), "%s0", services[n]->ops.name);
		utility = hvh_device_by_name(partition, name, &services[n]->ops);
		if (utility != NULL && utility->channel != NULL)
			return utility->owner;
	}
	return NULL;
}

void hvh_utilities_restart(struct hvh_utilities *utilities, uint64_t now, uint32_t which)
{
	for (uint32_t n = 0; n < UTILITIES; n++) {
		struct utility *utility = &utilities->all[n];

		if ((which & utility->service->bit) == 0 || utility->channel == NULL ||
		    utility->state == UTILITY_CLOSED || utility->stopped)
			continue;
		utility->now = now;
		utility->counters.restarts++;
		utility_restart(utility, "the host's service has restarted");
	}
}

void hvh_utilities_get_counters(const struct hvh_utilities *utilities, struct hvh_utilities_counters *out)
{
	*out = (struct hvh_utilities_counters){0};
	for (uint32_t n = 0; n < UTILITIES; n++) {
		const struct hvh_utilities_counters *one = &utilities->all[n].counters;

		out->negotiations += one->negotiations;
		out->requests += one->requests;
		out->answers += one->answers;
		out->failures += one->failures;
		out->timeouts += one->timeouts;
		out->restarts += one->restarts;
	}
}
