/* SPDX-License-Identifier: MIT */
/* What the host can do for frames, and switching it on and off. */
#include "guest/netvsc/netvsc_internal.h"

#ifndef HVK_CONFIG_SMALL /* small.c */

/* Linux: hosts below NVS 5 have no checksums of UDP. */
#define UDP (HVK_NETDEV_TX_UDP4 | HVK_NETDEV_TX_UDP6 | HVK_NETDEV_RX_UDP4 | HVK_NETDEV_RX_UDP6)
#define VLAN (HVK_NETDEV_TX_VLAN | HVK_NETDEV_RX_VLAN)
#define NOT_BY_NDIS (VLAN | HVK_NETDEV_RSS)

hvk_status hvk_netvsc_begin_capabilities(void *device)
{
	struct hvk_netvsc *nic = device;
	struct ndis_offload query;
	uint32_t size = hvk_ndis_build_offload_query(&query, hvk_nvs_ndis_minor(nic->nvs_version));

	return hvk_netvsc_steps_query(nic, RNDIS_OID_TCP_OFFLOAD_HARDWARE_CAPABILITIES, &query, size);
}

/* What was announced in NDIS_CONFIG, and what the NVS version gives. */
static uint32_t by_version(uint32_t version, uint32_t capabilities)
{
	if (version < NVS_VERSION_5)
		capabilities &= ~UDP;
	if (version < NVS_VERSION_6_1)
		capabilities &= ~HVK_NETDEV_LRO;
	return version >= NVS_VERSION_2 ? capabilities | VLAN : capabilities;
}

/* An old host refuses, and one that answers nonsense has none. */
hvk_status hvk_netvsc_take_capabilities(void *device, const struct hvk_answer *answer)
{
	struct hvk_netvsc *nic = device;
	struct hvk_netdev_info *info = &nic->netdev.info;
	struct hvk_ndis_offloads found = {0};
	hvk_status status = answer->status;

	if (status == HVK_OK)
		status = hvk_ndis_parse_offload(answer->payload, answer->length, info->mtu, &found);
	if (hvk_status_is_host_fault(status))
		hvk_netvsc_fault(nic, status, "offload capabilities");
	else if (status != HVK_OK && status != HVK_EREFUSED_RNDIS)
		return status;
	info->capabilities = by_version(nic->nvs_version, found.capabilities);
	info->tso_bytes_max = found.tso_bytes_max;
	info->tso_segments_min = found.tso_segments_min;
	info->tso_pieces_max = found.tso_bytes_max != 0 ? HVK_PACKET_RANGES_MAX - 2u : 0;
	nic->wanted.enabled &= info->capabilities | HVK_NETDEV_RSS; /* of that one it is not known yet */
	return HVK_OK;
}

bool hvk_netvsc_has_offloads(const void *device)
{
	const struct hvk_netvsc *nic = device;

	return (nic->netdev.info.capabilities & ~NOT_BY_NDIS) != 0;
}

/* All is said, that which is off too: hosts differ in what they begin with. */
hvk_status hvk_netvsc_begin_offloads(void *device)
{
	struct hvk_netvsc *nic = device;
	struct ndis_offload_parameters parameters;
	uint32_t size = hvk_ndis_build_offload_parameters(&parameters, hvk_nvs_ndis_minor(nic->nvs_version),
							  nic->wanted.enabled);
	hvk_status status = HVK_OK;

	if (nic->wanted.enabled & HVK_NETDEV_LRO)
		status = hvk_netvsc_joining_start(nic);
	if (status != HVK_OK)
		return status;
	return hvk_netvsc_steps_set(nic, RNDIS_OID_TCP_OFFLOAD_PARAMETERS, &parameters, size);
}

hvk_status hvk_netvsc_take_offloads(void *device, const struct hvk_answer *answer)
{
	struct hvk_netvsc *nic = device;

	if (answer->status == HVK_EREFUSED_RNDIS)
		hvk_log(nic->hvk, HVK_LOG_WARN, "netvsc: the host refused offloads 0x%x",
			nic->wanted.enabled);
	return answer->status;
}

#endif
