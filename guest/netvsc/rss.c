/* SPDX-License-Identifier: MIT */
/*
 * Receive-side scaling. The host is always told everything: first that it is off, then key, types
 * and table, because the flags that leave a part as it is do not work (FreeBSD). No entry of
 * the table that is sent names a queue that is not open.
 */
#include "guest/netvsc/netvsc_internal.h"

#ifndef HVK_CONFIG_SMALL /* small.c */

/* What Linux switches on; more can be asked for. */
#define USUAL_TYPES (HVK_RSS_IPV4 | HVK_RSS_TCP4 | HVK_RSS_IPV6 | HVK_RSS_TCP6)

/* From the published verification suite: for ports without random bytes. */
static const uint8_t published_key[HVK_RSS_KEY_SIZE] = {
	0x6d, 0x5a, 0x56, 0xda, 0x25, 0x5b, 0x0e, 0xc2, 0x41, 0x67, 0x25, 0x3d, 0x43, 0xa3,
	0x8f, 0xb0, 0xd0, 0xca, 0x2b, 0xcb, 0xae, 0x7b, 0x30, 0xb4, 0x77, 0xcb, 0x2d, 0xa3,
	0x80, 0x30, 0xf2, 0x0c, 0x6a, 0x42, 0xb7, 0x3b, 0xbe, 0xac, 0x01, 0xfa};

/* --- What the host can do ---------------------------------------------------------------- */

/* NDIS 6.20 and later, which is NVS 5. */
bool hvk_netvsc_may_have_rss(const void *device)
{
	const struct hvk_netvsc *nic = device;

	return nic->nvs_version >= NVS_VERSION_5;
}

hvk_status hvk_netvsc_begin_rss_query(void *device)
{
	struct hvk_netvsc *nic = device;
	struct ndis_rss_capabilities query;
	uint32_t size = hvk_ndis_build_rss_query(&query);

	return hvk_netvsc_steps_query(nic, RNDIS_OID_GEN_RECEIVE_SCALE_CAPABILITIES, &query, size);
}

static void begin_with(struct hvk_netvsc *nic)
{
	struct hvk_netdev_rss *rss = &nic->wanted.rss;

	rss->types &= nic->rss.types; /* those of before a restart */
	if (nic->set.rss_known)
		return;
	rss->types = nic->rss.types & USUAL_TYPES ? nic->rss.types & USUAL_TYPES : nic->rss.types;
	if (hvk_random(nic->hvk, rss->key, sizeof(rss->key)) != HVK_OK)
		memcpy(rss->key, published_key, sizeof(rss->key));
	nic->wanted.rss_known = true;
}

hvk_status hvk_netvsc_take_rss_query(void *device, const struct hvk_answer *answer)
{
	struct hvk_netvsc *nic = device;
	struct hvk_netdev_info *info = &nic->netdev.info;
	hvk_status status = answer->status;

	if (status == HVK_OK)
		status = hvk_ndis_parse_rss(answer->payload, answer->length, &nic->rss);
	if (hvk_status_is_host_fault(status))
		hvk_netvsc_fault(nic, status, "RSS capabilities");
	else if (status != HVK_OK && status != HVK_EREFUSED_RNDIS && status != HVK_ENOTSUP)
		return status;
	if (status != HVK_OK) {
		nic->rss = (struct hvk_ndis_rss){0};
		return HVK_OK;
	}
	info->capabilities |= HVK_NETDEV_RSS;
	info->rss_table_size = nic->rss.table_size;
	info->rss_types = nic->rss.types;
	begin_with(nic);
	return HVK_OK;
}

/* --- Telling it ---------------------------------------------------------------------------- */

static bool is_on(const struct hvk_netvsc *nic)
{
	return (nic->wanted.enabled & HVK_NETDEV_RSS) && nic->wanted.rss.types != 0;
}

bool hvk_netvsc_wants_rss(const void *device)
{
	const struct hvk_netvsc *nic = device;

	return nic->rss.table_size != 0 && is_on(nic);
}

/* The table as it is wanted, with nothing in it that is not there. */
static void fill_table(const struct hvk_netvsc *nic, uint32_t queues, uint16_t table[HVK_RSS_TABLE_MAX])
{
	for (uint32_t i = 0; i < nic->rss.table_size; i++) {
		uint32_t queue = nic->wanted.table_set ? nic->wanted.rss.table[i] : i;

		table[i] = (uint16_t)(queue % queues);
	}
}

static hvk_status set(struct hvk_netvsc *nic, bool off)
{
	struct hvk_netdev_rss rss = {.types = nic->wanted.rss.types};
	uint32_t size;

	memcpy(rss.key, nic->wanted.rss.key, sizeof(rss.key));
	fill_table(nic, hvk_netvsc_queues_usable(nic), rss.table);
	size = hvk_ndis_build_rss(&nic->rss_message, &rss, nic->rss.table_size, off);
	return hvk_netvsc_steps_set(nic, RNDIS_OID_GEN_RECEIVE_SCALE_PARAMETERS, &nic->rss_message, size);
}

hvk_status hvk_netvsc_begin_rss_off(void *device)
{
	struct hvk_netvsc *nic = device;

	return set(nic, true);
}

hvk_status hvk_netvsc_begin_rss(void *device)
{
	struct hvk_netvsc *nic = device;

	return set(nic, false);
}

/* --- Asking us --------------------------------------------------------------------------------- */

hvk_status hvk_netvsc_rss_check(const struct hvk_netvsc *nic, const struct hvk_netdev_rss *rss)
{
	if (nic->rss.table_size == 0)
		return HVK_ENOTSUP;
	if (rss->types & ~nic->rss.types)
		return HVK_EINVAL;
	for (uint32_t i = 0; i < nic->rss.table_size; i++) {
		if (rss->table[i] >= nic->netdev.info.queues)
			return HVK_EINVAL;
	}
	return HVK_OK;
}

void hvk_netvsc_get_rss(struct hvk_netdev *netdev, struct hvk_netdev_rss *out)
{
	struct hvk_netvsc *nic = (struct hvk_netvsc *)netdev;

	*out = (struct hvk_netdev_rss){0};
	hvk_lock(nic->hvk, &nic->lock);
	if (netdev->info.rss_table_size != 0) {
		*out = nic->set.rss;
		for (uint32_t i = 0; !nic->set.table_set && i < netdev->info.rss_table_size; i++)
			out->table[i] = (uint16_t)(i % netdev->info.queues);
	}
	hvk_unlock(nic->hvk, &nic->lock);
}

#endif
