/* SPDX-License-Identifier: MIT */
/* The monitor's commands about devices. */
#include <stdio.h>
#include <string.h>

#include "apps/hvkit/monitor_private.h"
#include "apps/shell/private.h"
#include "hvkit_host/network.h"
#include "hvkit_host/storage.h"

#define SETTLE_MS 3000u /* for the guest to take what it is told */
#define LEAST_MS 20u    /* and be it that the host itself sees no change */

struct names {
	struct hvh_device_info devices[MONITOR_DEVICES_MAX];
	const char *list[MONITOR_DEVICES_MAX];
	uint32_t count;
};

/* cards: network cards only. */
static void find_names(struct hvh_partition *partition, bool cards, struct names *names)
{
	names->count = 0;
	for (uint32_t n = 0; names->count < MONITOR_DEVICES_MAX; n++) {
		struct hvh_device_info *info = &names->devices[names->count];

		if (!hvh_device_get(partition, n, info))
			return;
		if (cards && !hvh_nic_find(partition, info->name))
			continue;
		names->list[names->count++] = info->name;
	}
}

static const struct hvh_device_info *find(const struct names *names, const char *name)
{
	for (uint32_t n = 0; n < names->count; n++) {
		if (strcmp(names->list[n], name) == 0)
			return &names->devices[n];
	}
	return NULL;
}

void monitor_settle(const struct monitor_call *call, enum monitor_wait_kind kind, const char *device,
		    uint32_t ms)
{
	struct monitor_wait *wait = &call->monitor->wait;

	*wait = (struct monitor_wait){.kind = kind,
				      .from = call->now + LEAST_MS * HVH_TIME_PER_MS,
				      .until = call->now + ms * HVH_TIME_PER_MS};
	snprintf(wait->device, sizeof(wait->device), "%s", device);
}

void monitor_settle_state(const struct monitor_call *call, const char *path, const char *value)
{
	struct monitor_wait *wait = &call->monitor->wait;

	monitor_settle(call, MONITOR_WAIT_STATE, "", SETTLE_MS);
	snprintf(wait->path, sizeof(wait->path), "%s", path);
	snprintf(wait->wanted, sizeof(wait->wanted), "%s", value);
	strcpy(wait->operator, "=");
}

int monitor_devices(const struct monitor_call *call)
{
	struct names names;

	find_names(call->partition, false, &names);
	for (uint32_t n = 0; n < names.count; n++) {
		const struct hvh_device_info *info = &names.devices[n];
		struct vmbus_guid type;
		char channel[24] = "no channel";

		memcpy(&type, info->type, sizeof(type));
		if (info->channel_id)
			snprintf(channel, sizeof(channel), "channel %u", info->channel_id);
		monitor_print(call->monitor, "%-10s %-18s %-12s %s", info->name, shell_class_name(&type),
			      channel,
			      !info->present ? "rescinded"
			      : info->open   ? "open"
					     : "offered");
		if (info->subchannels)
			monitor_print(call->monitor, ", %u sub-channels", info->subchannels);
		monitor_print(call->monitor, "\n");
	}
	if (names.count == 0)
		monitor_print(call->monitor, "no devices\n");
	return SHELL_OK;
}

int monitor_unknown_card(const struct monitor_call *call, const char *name)
{
	struct names names;

	find_names(call->partition, true, &names);
	return monitor_unknown(call, "network card", name, names.list, names.count);
}

int monitor_rescind(const struct monitor_call *call)
{
	const char *name = call->arguments[0];
	struct names names;

	find_names(call->partition, false, &names);
	if (!find(&names, name))
		return monitor_unknown(call, "device", name, names.list, names.count);
	if (!hvh_device_rescind(call->partition, call->now, name))
		return monitor_fail(call, "%s is not offered; 'offer %s' does that", name, name);
	monitor_settle(call, MONITOR_WAIT_RELEASED, name, SETTLE_MS);
	return SHELL_OK;
}

int monitor_offer_again(const struct monitor_call *call)
{
	const char *name = call->arguments[0];
	struct names names;

	find_names(call->partition, false, &names);
	if (!find(&names, name))
		return monitor_unknown(call, "device", name, names.list, names.count);
	if (!hvh_device_offer(call->partition, call->now, name))
		return monitor_fail(call, "%s is offered already; 'rescind %s' takes it away", name, name);
	/* The guest has a driver for all but one. */
	if (strncmp(name, "echo", 4) != 0)
		monitor_settle(call, MONITOR_WAIT_OPEN, name, SETTLE_MS);
	return SHELL_OK;
}

/* --- Completion ------------------------------------------------------------------------- */

static void offer_devices(const struct monitor_completion *completion, bool cards)
{
	struct names names;

	find_names(completion->partition, cards, &names);
	for (uint32_t n = 0; n < names.count; n++)
		completion->offer(completion->context, names.list[n]);
}

void monitor_complete_device(const struct monitor_completion *completion)
{
	if (completion->argument == 0)
		offer_devices(completion, false);
}

void monitor_complete_card(const struct monitor_completion *completion)
{
	offer_devices(completion, true);
}
