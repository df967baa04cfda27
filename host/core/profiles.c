/* SPDX-License-Identifier: MIT */
/*
 * The hosts that the model can be: Windows, oldest first, then others. Sources:
 * docs/hosts.md. Fields that no source tells for a host are taken from its nearest
 * neighbour.
 */
#include <string.h>

#include "hvkit/wire/nvs.h"
#include "hvkit/wire/vmbus.h"
#include "hvkit/wire/vpci.h"
#include "hvkit/wire/vstor.h"
#include "hvkit_host/profile.h"

#define VERSIONS(version) .newest_version = (version), .accept_newest = (version)

/* What all of Windows has in common, as far as is known. */
#define WINDOWS                                                                                             \
	.message_privileges = true, .response_state_garbage = true, .echoes_version = true,                 \
	.monitor_latency = 100, .subchannel_order = HVH_SUBCHANNELS_BY_SEED, .gpadl_errors_answered = true, \
	.open_failure_status = VMBUS_STATUS_FAILURE, .modify_response = true,                               \
	.pending_feature_required = true, .revoke_completed = true, .event_connections = 0x2000,            \
	.receive_suballocation = 1728, .send_section = 6144, .short_nvs_ignored = true,                     \
	.receive_buffer_limited = true, .information_offset_required = true, .queues_max = 64,              \
	.rss_unchanged_ignored = true, .lso = true, .lso_size_max = 65535, .lso_segments_min = 2,           \
	.rndis_transfer_max = 0xefffffff, .vstor_reset = HVH_RESET_ABORTS,                                  \
	.vstor_bus_reset = HVH_RESET_LOSES, .vpci_oldest = VPCI_VERSION_1_0,                                \
	.vpci_relations = HVH_RELATIONS_BY_SEED

/* Below 3.0. */
#define WINDOWS_WITHOUT_UNLOAD                                                                           \
	WINDOWS, .timers = HVH_TIMERS_MESSAGES, .short_offer_at_0_13 = true, .ranges_per_packet_max = 8, \
		 .vpci_newest = VPCI_VERSION_1_0

/* From 2012 R2, which brought receive-side scaling to guests. */
#define WINDOWS_WITH_QUEUES                                                                    \
	WINDOWS, .rss = true, .udp_checksum = true, .send_table = HVH_SEND_TABLE_WRONG_OFFSET, \
		 .unload_works = true, .pending_feature_offered = true

/* From 5.0. */
#define WINDOWS_WITH_CONNECTION_4                                                                         \
	WINDOWS_WITH_QUEUES, .connection_4 = true, .rsc = true, .udp_hash_as_tcp = true,                  \
			     .returned_connection = VMBUS_CONNECTION_MESSAGE_V5,                          \
			     .vstor_newest = VSTOR_VERSION_6_0, .vstor_6_2 = true, .dvd_version_0 = true, \
			     .ranges_per_packet_max = 32, .nvs_newest = NVS_VERSION_6_1,                  \
			     .rndis_packets_max = 8, .rndis_alignment_factor = 3,                         \
			     .timers = HVH_TIMERS_DIRECT

#define OPENVMM_CARD                                                                                    \
	.nvs_newest = NVS_VERSION_6_1, .receive_suballocation = 1806, .send_section = 6144,             \
	.ranges_per_packet_max = 375, .rndis_packets_max = 8, .rndis_alignment_factor = 3, .rss = true, \
	.queues_max = 64, .rss_unchanged_ignored = true, .udp_checksum = true,                          \
	.send_table = HVH_SEND_TABLE_AT_12, .lso = true, .lso_size_max = 65535, .lso_segments_min = 2,  \
	.lso_offset_needed = true, .rndis_transfer_max = 0xefffffff, .vstor_newest = VSTOR_VERSION_6_0, \
	.absent_check_condition = true, .remove_notice = HVH_NOT_EVER, .vpci_oldest = VPCI_VERSION_1_2, \
	.vpci_newest = VPCI_VERSION_1_4, .vpci_relations = HVH_RELATIONS_BEFORE_D0,                     \
	.vpci_bar_flags_late = HVH_NOT_EVER

static const struct hvh_profile profiles[] = {
	{
		.name = "ws2008",
		.description = "Windows Server 2008: VMBus 0.13, the shared event; ignores UNLOAD",
		VERSIONS(VMBUS_VERSION_0_13),
		WINDOWS_WITHOUT_UNLOAD,
		.vstor_newest = VSTOR_VERSION_2_0,
		.disk_spc2 = true,
		.disk_without_unmap = true,
		.disk_without_write_same = true,
		.nvs_newest = NVS_VERSION_1,
		.rndis_packets_max = 1,
		.ic_versions = HVH_IC_2008,
	},
	{
		.name = "ws2008r2",
		.description =
			"Windows Server 2008 R2: VMBus 1.1; ignores UNLOAD, no bus for a second contact",
		VERSIONS(VMBUS_VERSION_1_1),
		WINDOWS_WITHOUT_UNLOAD,
		.vstor_newest = VSTOR_VERSION_4_2,
		.disk_spc2 = true,
		.disk_without_unmap = true,
		.disk_without_write_same = true,
		.absent_zeroed = true,
		.nvs_newest = NVS_VERSION_2,
		.rndis_packets_max = 1,
		.ic_versions = HVH_IC_2008R2,
	},
	{
		.name = "ws2012",
		.description =
			"Windows Server 2012: VMBus 2.4, an event flag for each channel; ignores UNLOAD",
		VERSIONS(VMBUS_VERSION_2_4),
		WINDOWS_WITHOUT_UNLOAD,
		.pending_feature_offered = true,
		.udp_checksum = true,
		.vstor_newest = VSTOR_VERSION_5_1,
		.disk_spc2 = true,
		.disk_without_write_same = true,
		.absent_zeroed = true,
		.nvs_newest = NVS_VERSION_4,
		.rndis_packets_max = 8,
		.rndis_alignment_factor = 3,
		.ic_versions = HVH_IC_2012,
	},
	{
		.name = "ws2012r2",
		.description = "Windows Server 2012 R2: VMBus 3.0, UNLOAD works; malformed status 0x40020006",
		VERSIONS(VMBUS_VERSION_3_0),
		WINDOWS_WITH_QUEUES,
		.timers = HVH_TIMERS_MESSAGES,
		.short_offer_at_0_13 = true,
		.torndown_withheld = HVH_TORNDOWN_NOW_AND_THEN,
		.loaded_system_crashes = true,
		.status_0x40020006_malformed = true,
		.vstor_newest = VSTOR_VERSION_6_0,
		.disk_spc2 = true,
		.disk_without_write_same = true,
		.absent_zeroed = true,
		.dvd_version_0 = true,
		.nvs_newest = NVS_VERSION_5,
		.ranges_per_packet_max = 8,
		.rndis_packets_max = 8,
		.rndis_alignment_factor = 3,
		.vpci_newest = VPCI_VERSION_1_0,
		.ic_versions = HVH_IC_2012R2,
	},
	{
		.name = "ws2016",
		.description = "Windows Server 2016: VMBus 4.0, GPADLs may be torn down after the close",
		VERSIONS(VMBUS_VERSION_4_0),
		WINDOWS_WITH_QUEUES,
		.timers = HVH_TIMERS_MESSAGES,
		.short_offer_at_0_13 = true,
		.udp_hash_as_tcp = true,
		.udp_as_tcp_good = true,
		.vstor_newest = VSTOR_VERSION_6_0,
		.vstor_6_2 = true,
		.dvd_version_0 = true,
		.nvs_newest = NVS_VERSION_6,
		.ranges_per_packet_max = 32,
		.rndis_packets_max = 8,
		.rndis_alignment_factor = 3,
		.vpci_newest = VPCI_VERSION_1_2,
		.ic_versions = HVH_IC_2016,
	},
	{
		.name = "ws2019",
		.description = "Windows Server 2019: VMBus 5.2, message connection 4",
		VERSIONS(VMBUS_VERSION_5_2),
		WINDOWS_WITH_CONNECTION_4,
		.vpci_newest = VPCI_VERSION_1_2,
		.ic_versions = HVH_IC_2016,
	},
	{
		.name = "ws2022",
		.description = "Windows Server 2022: VMBus 5.3, message connection 4, answers MODIFY_CHANNEL",
		VERSIONS(VMBUS_VERSION_5_3),
		WINDOWS_WITH_CONNECTION_4,
		.vpci_newest = VPCI_VERSION_1_4,
		.ic_versions = HVH_IC_2022,
	},
	{
		.name = "azure",
		.description = "Azure: as Windows Server 2022, with a monitor id for every channel",
		VERSIONS(VMBUS_VERSION_5_3),
		WINDOWS_WITH_CONNECTION_4,
		.monitoring = HVH_MONITOR_ALL,
		.vpci_newest = VPCI_VERSION_1_4,
		.ic_versions = HVH_IC_2022,
	},
	{
		.name = "openvmm",
		.description = "OpenVMM: returns message connection 1, completes no revoke",
		VERSIONS(VMBUS_VERSION_5_3),
		.timers = HVH_TIMERS_DIRECT,
		.message_privileges = true,
		.redelivery = HVH_REDELIVER_BY_LOOKING,
		.unload_works = true,
		.connection_4 = true,
		.returned_connection = VMBUS_CONNECTION_MESSAGE,
		.echoes_version = true,
		.event_connections = 0x2000,
		.monitoring = HVH_MONITOR_NONE,
		.monitor_latency = 100,
		.subchannel_order = HVH_SUBCHANNELS_AFTER,
		.gpadl_errors_answered = true,
		.open_failure_status = VMBUS_STATUS_FAILURE,
		.modify_response = true,
		.pending_feature_offered = true,
		OPENVMM_CARD,
		.ic_versions = HVH_IC_OPENVMM,
	},
	{
		.name = "qemu",
		.description =
			"QEMU's bus: any version up to 4.0, says nothing to a GPADL that it cannot take",
		VERSIONS(VMBUS_VERSION_4_0),
		.timers = HVH_TIMERS_MESSAGES,
		.message_privileges = true,
		.version_policy = HVH_VERSIONS_RANGE,
		.unload_works = true,
		.event_connections = 16,
		.monitoring = HVH_MONITOR_NONE,
		.monitor_latency = 100,
		.subchannel_order = HVH_SUBCHANNELS_AFTER,
		.rescind = HVH_NOT_EVER,
		.open_failure_status = 1,
		.pending_feature_offered = true,
		.pending_feature_required = true,
		OPENVMM_CARD,
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
