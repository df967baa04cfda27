/* SPDX-License-Identifier: MIT */
/*
 * The hosts that the model can be, oldest first. Sources: docs/hosts.md. Fields that no
 * source tells for a host are taken from its nearest neighbour.
 */
#include <string.h>

#include "hvkit/wire/nvs.h"
#include "hvkit/wire/vmbus.h"
#include "hvkit_host/profile.h"

static const struct hvh_profile profiles[] = {
	{
		.name = "ws2008r2",
		.description =
			"Windows Server 2008 R2: VMBus 1.1; ignores UNLOAD, no bus for a second contact",
		.newest_version = VMBUS_VERSION_1_1,
		.accept_newest = VMBUS_VERSION_1_1,
		.unload_works = false,
		.connection_4 = false,
		.returned_connection = 0,
		.short_offer_at_0_13 = true,
		.gpadl_errors_answered = true,
		.pending_feature_required = true,
		.subchannel_order = HVH_SUBCHANNELS_BY_SEED,
		.response_state_garbage = true,
		.echoes_version = true,
		.nvs_newest = NVS_VERSION_2,
		.revoke_completed = true,
		.receive_suballocation = 1728,
		.send_section = 6144,
		.ranges_per_packet_max = 8,
		.rndis_packets_max = 1,
		.rndis_alignment_factor = 0,
		.filter_set_at_start = false,
	},
	{
		.name = "ws2012",
		.description =
			"Windows Server 2012: VMBus 2.4, an event flag for each channel; ignores UNLOAD",
		.newest_version = VMBUS_VERSION_2_4,
		.accept_newest = VMBUS_VERSION_2_4,
		.unload_works = false,
		.connection_4 = false,
		.returned_connection = 0,
		.short_offer_at_0_13 = true,
		.gpadl_errors_answered = true,
		.pending_feature_required = true,
		.subchannel_order = HVH_SUBCHANNELS_BY_SEED,
		.response_state_garbage = true,
		.echoes_version = true,
		.nvs_newest = NVS_VERSION_4,
		.revoke_completed = true,
		.receive_suballocation = 1728,
		.send_section = 6144,
		.ranges_per_packet_max = 8,
		.rndis_packets_max = 8,
		.rndis_alignment_factor = 3,
		.filter_set_at_start = false,
	},
	{
		.name = "ws2012r2",
		.description = "Windows Server 2012 R2: VMBus 3.0, UNLOAD works; malformed status 0x40020006",
		.newest_version = VMBUS_VERSION_3_0,
		.accept_newest = VMBUS_VERSION_3_0,
		.unload_works = true,
		.connection_4 = false,
		.returned_connection = 0,
		.short_offer_at_0_13 = true,
		.torndown_withheld_until_close = true,
		.gpadl_errors_answered = true,
		.pending_feature_required = true,
		.subchannel_order = HVH_SUBCHANNELS_BY_SEED,
		.response_state_garbage = true,
		.echoes_version = true,
		.loaded_system_crashes = true,
		.nvs_newest = NVS_VERSION_5,
		.status_0x40020006_malformed = true,
		.revoke_completed = true,
		.receive_suballocation = 1728,
		.send_section = 6144,
		.ranges_per_packet_max = 8,
		.rndis_packets_max = 8,
		.rndis_alignment_factor = 3,
		.filter_set_at_start = false,
	},
	{
		.name = "ws2022",
		.description = "Windows Server 2022: VMBus 5.3, message connection 4, answers MODIFY_CHANNEL",
		.newest_version = VMBUS_VERSION_5_3,
		.accept_newest = VMBUS_VERSION_5_3,
		.unload_works = true,
		.connection_4 = true,
		.returned_connection = VMBUS_CONNECTION_MESSAGE_V5,
		.short_offer_at_0_13 = false,
		.gpadl_errors_answered = true,
		.pending_feature_required = true,
		.subchannel_order = HVH_SUBCHANNELS_BY_SEED,
		.response_state_garbage = true,
		.echoes_version = true,
		.nvs_newest = NVS_VERSION_6_1,
		.revoke_completed = true,
		.receive_suballocation = 1728,
		.send_section = 6144,
		.ranges_per_packet_max = 32,
		.rndis_packets_max = 8,
		.rndis_alignment_factor = 3,
		.filter_set_at_start = false,
	},
};

const struct hvh_profile *hvh_profile_get(uint32_t n)
{
	return n < sizeof(profiles) / sizeof(profiles[0]) ? &profiles[n] : NULL;
}

const struct hvh_profile *hvh_profile_find(const char *name)
{
	for (uint32_t n = 0; n < sizeof(profiles) / sizeof(profiles[0]); n++) {
		if (strcmp(profiles[n].name, name) == 0)
			return &profiles[n];
	}
	return NULL;
}
