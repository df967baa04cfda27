/* SPDX-License-Identifier: MIT */
/*
 * The object identifiers of offloads and receive-side scaling: what this card, with this host and
 * at this session's version, offers and grants.
 */
#include "netvsp.h"

void netvsp_offload_start(struct hvh_nic *nic)
{
	const struct hvh_profile *profile = hvh_partition_get_profile(nic->partition);
	struct netvsp_session *session = &nic->session;

	netvsp_offload_begin(&session->offload, session->version, session->rsc, nic->without);
	session->offload.lso_size_max = profile->lso_size_max;
	session->offload.lso_segments_min = profile->lso_segments_min;
	session->offload.lso_offset_needed = profile->lso_offset_needed;
}

/* --- Offloads ------------------------------------------------------------------------- */

uint32_t netvsp_offload_query(const struct hvh_nic *nic, bool current, uint8_t *to, uint32_t room)
{
	const struct netvsp_offload *offload = &nic->session.offload;
	uint32_t newest = hvh_partition_get_profile(nic->partition)->nvs_newest;

	return netvsp_offload_write(offload, current ? offload->granted : offload->offered,
				    netvsp_offload_revision(newest), to, room);
}

uint32_t netvsp_offload_parameters(struct hvh_nic *nic, const uint8_t *parameters, uint32_t length)
{
	uint32_t value = 0;
	const char *fault = netvsp_offload_set(&nic->session.offload, parameters, length, &value);

	if (fault == NULL)
		return RNDIS_STATUS_SUCCESS;
	NETVSP_VIOLATE(nic, HVH_V_RNDIS, parameters, length, "%s (%u)", fault, value);
	return RNDIS_STATUS_INVALID_DATA;
}

/* --- Receive-side scaling ----------------------------------------------------------------- */

static uint32_t rss_capabilities(const struct hvh_nic *nic)
{
	if (netvsp_queues_max(nic) < 2)
		return 0;
	return NDIS_RSS_CAPABILITY_IPV4 |
	       ((nic->without & HVH_NIC_NO_IPV6) != 0 ? 0 : NDIS_RSS_CAPABILITY_IPV6);
}

uint32_t netvsp_rss_query(const struct hvh_nic *nic, uint8_t *to, uint32_t room)
{
	bool ndis_6_0 = hvh_partition_get_profile(nic->partition)->nvs_newest < NVS_VERSION_4;

	return netvsp_rss_write(netvsp_queues_max(nic), rss_capabilities(nic), ndis_6_0, to, room);
}

/* Linux makes its table for the queues that it asks for, and does not look at it again when it gets fewer:
 * OpenVMM refuses only what the card has not got. Such entries lead to the primary. */
static uint32_t rss_queues(const struct hvh_nic *nic)
{
	return hvh_partition_deterministic(nic->partition) ? netvsp_queues_granted(nic)
							   : netvsp_queues_max(nic);
}

uint32_t netvsp_rss_parameters(struct hvh_nic *nic, const uint8_t *parameters, uint32_t length)
{
	bool heed = !hvh_partition_get_profile(nic->partition)->rss_unchanged_ignored;
	uint32_t types = netvsp_rss_types(rss_capabilities(nic)), value = 0;
	const char *fault;

	if (types == 0)
		return RNDIS_STATUS_NOT_SUPPORTED; /* it was not offered, and to ask for it is no fault */
	fault = netvsp_rss_set(&nic->session.rss, parameters, length, rss_queues(nic), types, heed, &value);
	if (fault == NULL)
		return RNDIS_STATUS_SUCCESS;
	NETVSP_VIOLATE(nic, HVH_V_RNDIS, parameters, length, "%s (0x%x)", fault, value);
	return RNDIS_STATUS_INVALID_DATA;
}
