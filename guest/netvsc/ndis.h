/* SPDX-License-Identifier: MIT */
/*
 * NDIS objects: what a host can take off our hands, and how it is asked to. Pure functions:
 * bytes in, checked values out. Private to guest/netvsc.
 *
 * A structure's own size field says how much of it there is; nothing is read beyond it, whatever
 * revision it names, and it may not be longer than what came.
 */
#ifndef HVK_NETVSC_NDIS_H
#define HVK_NETVSC_NDIS_H

#include "guest/core/core.h"
#include "hvkit/netdev.h"
#include "hvkit/wire/ndis.h"

/* --- Offloads ----------------------------------------------------------------------- */

/* What HVK_NETDEV_* a host has by its NDIS_OFFLOAD. */
struct hvk_ndis_offloads {
	uint32_t capabilities;
	uint32_t tso_bytes_max; /* of TCP payload; 0: no segmentation */
	uint32_t tso_segments_min;
};

/* Information of the QUERY of TCP_OFFLOAD_HARDWARE_CAPABILITIES: an empty object of the revision that
 * belongs to the NDIS version. Returns its size. */
uint32_t hvk_ndis_build_offload_query(struct ndis_offload *query, uint32_t ndis_minor);

/* HVK_EHOST_VALUE: not such an object, or its size is not that of what came. mtu: a segmentation that
 * cannot even make the fewest segments of it is none. */
hvk_status hvk_ndis_parse_offload(const uint8_t *bytes, uint32_t length, uint32_t mtu,
				  struct hvk_ndis_offloads *offloads);

/* Body of the SET of TCP_OFFLOAD_PARAMETERS that switches on what is in enabled, and the rest off.
 * Returns its size, by the NDIS version. */
uint32_t hvk_ndis_build_offload_parameters(struct ndis_offload_parameters *parameters, uint32_t ndis_minor,
					   uint32_t enabled);

/* --- Receive-side scaling ------------------------------------------------------------- */

struct hvk_ndis_rss {
	uint32_t types;      /* HVK_RSS_* */
	uint32_t queues;     /* 1 or more */
	uint32_t table_size; /* entries, 1 to HVK_RSS_TABLE_MAX */
};

/* Information of the QUERY of RECEIVE_SCALE_CAPABILITIES. Returns its size. */
uint32_t hvk_ndis_build_rss_query(struct ndis_rss_capabilities *query);

/* HVK_ENOTSUP: a lawful answer of a host that cannot do what we need (Toeplitz, a type, a table).
 * HVK_EHOST_VALUE: not such an object. */
hvk_status hvk_ndis_parse_rss(const uint8_t *bytes, uint32_t length, struct hvk_ndis_rss *rss);

/* Body of a SET of RECEIVE_SCALE_PARAMETERS. */
struct hvk_ndis_rss_message {
	struct ndis_rss_parameters parameters;
	uint8_t key[NDIS_RSS_KEY_SIZE];
	uint32_t table[NDIS_RSS_TABLE_ENTRIES_MAX];
};
/* Everything at once, because hosts do not heed the flags that leave a part as it is (FreeBSD); off:
 * the same with DISABLE. Returns the size for that many entries. */
uint32_t hvk_ndis_build_rss(struct hvk_ndis_rss_message *message, const struct hvk_netdev_rss *rss,
			    uint32_t table_size, bool off);

#endif
