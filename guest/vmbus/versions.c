/* SPDX-License-Identifier: MIT */
#include "guest/vmbus/versions.h"

#include "hvkit/wire/vmbus.h"

/* Sources: Linux connection.c and channel_mgmt.c, OpenVMM vmbus_core, iPXE (0.13). */
static const struct hvk_version versions[] = {
	{.version = VMBUS_VERSION_5_3,
	 .checks_state = true,
	 .contact_cpu = true,
	 .channel_cpu = true,
	 .subchannels = true,
	 .modify_channel = true,
	 .modify_response = true,
	 .contact_sint = true},
	{.version = VMBUS_VERSION_5_2,
	 .checks_state = true,
	 .contact_cpu = true,
	 .channel_cpu = true,
	 .subchannels = true,
	 .modify_channel = true,
	 .contact_sint = true},
	{.version = VMBUS_VERSION_5_1,
	 .checks_state = true,
	 .contact_cpu = true,
	 .channel_cpu = true,
	 .subchannels = true,
	 .modify_channel = true,
	 .contact_sint = true},
	{.version = VMBUS_VERSION_5_0,
	 .checks_state = true,
	 .contact_cpu = true,
	 .channel_cpu = true,
	 .subchannels = true,
	 .modify_channel = true,
	 .contact_sint = true},
	{.version = VMBUS_VERSION_4_1,
	 .checks_state = true,
	 .contact_cpu = true,
	 .channel_cpu = true,
	 .subchannels = true,
	 .modify_channel = true},
	{.version = VMBUS_VERSION_4_0,
	 .checks_state = true,
	 .contact_cpu = true,
	 .channel_cpu = true,
	 .subchannels = true},
	{.version = VMBUS_VERSION_3_0,
	 .checks_state = true,
	 .contact_cpu = true,
	 .channel_cpu = true,
	 .subchannels = true},
	{.version = VMBUS_VERSION_2_4, .checks_state = true, .channel_cpu = true, .subchannels = true},
	{.version = VMBUS_VERSION_1_1, .shared_events = true},
	{.version = VMBUS_VERSION_0_13, .shared_events = true, .shared_signal = true, .short_offers = true},
};

#define VERSION_COUNT (sizeof(versions) / sizeof(versions[0]))

const struct hvk_version *hvk_version_find(uint32_t version)
{
	for (uint32_t i = 0; i < VERSION_COUNT; i++) {
		if (versions[i].version == version)
			return &versions[i];
	}
	return NULL;
}

const struct hvk_version *hvk_version_get(uint32_t n)
{
	return n < VERSION_COUNT ? &versions[n] : NULL;
}
