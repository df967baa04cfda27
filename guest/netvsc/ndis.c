/* SPDX-License-Identifier: MIT */
#include "guest/netvsc/ndis.h"

#define REVISION_1 1u
#define REVISION_2 2u
#define REVISION_3 3u
#define MINOR_6_20 20u
#define MINOR_6_30 30u

/* Linux and FreeBSD ask for the options too: a frame may have them, and nobody looks. */
#define CHECKSUM_IPV4 (NDIS_CHECKSUM_IP_HEADER | NDIS_CHECKSUM_IP_OPTIONS)
#define CHECKSUM_TCP4 (NDIS_CHECKSUM_TCP | NDIS_CHECKSUM_TCP_OPTIONS)
#define CHECKSUM_UDP4 NDIS_CHECKSUM_UDP
#define CHECKSUM_TCP6 (NDIS_CHECKSUM_TCP | NDIS_CHECKSUM_TCP_OPTIONS | NDIS_CHECKSUM_IP_OPTIONS)
#define CHECKSUM_UDP6 (NDIS_CHECKSUM_UDP | NDIS_CHECKSUM_IP_OPTIONS)
#define LSO_IPV6 (NDIS_LSO_IPV6_EXTENSIONS | NDIS_LSO_IPV6_TCP_OPTIONS)

#define IP_PACKET_MAX 65535u
/* The longest headers: Ethernet, tag, IPv4 and TCP with options. Linux counts them against the host's
 * limit, NDIS does not: with them taken off, both hold. */
#define HEADERS_MAX (14u + 4u + 60u + 60u)
#define SEGMENTS_MIN 2u

/* Copies an object out, zeros behind its end. */
static hvk_status take_object(const uint8_t *bytes, uint32_t length, uint8_t type, uint32_t size_min,
			      void *to, uint32_t size)
{
	struct ndis_object_header header;

	if (length < sizeof(header))
		return HVK_EHOST_VALUE;
	memcpy(&header, bytes, sizeof(header));
	if (header.type != type || header.revision < REVISION_1)
		return HVK_EHOST_VALUE;
	if (header.size < size_min || header.size > length)
		return HVK_EHOST_VALUE;
	memset(to, 0, size);
	memcpy(to, bytes, hvk_min32(header.size, size));
	return HVK_OK;
}

static uint32_t if_all(uint32_t found, uint32_t needed, uint32_t capability)
{
	return (found & needed) == needed ? capability : 0;
}

/* --- Offloads ----------------------------------------------------------------------- */

uint32_t hvk_ndis_build_offload_query(struct ndis_offload *query, uint32_t ndis_minor)
{
	uint8_t revision = REVISION_1;
	uint16_t size = NDIS_OFFLOAD_SIZE_1;

	if (ndis_minor >= MINOR_6_30) {
		revision = REVISION_3;
		size = NDIS_OFFLOAD_SIZE_3;
	} else if (ndis_minor >= MINOR_6_20) {
		revision = REVISION_2;
		size = NDIS_OFFLOAD_SIZE_2;
	}
	*query = (struct ndis_offload){.header = {NDIS_OBJECT_OFFLOAD, revision, size}};
	return size;
}

static uint32_t checksums_of(const struct ndis_checksum_offload *checksum)
{
	return if_all(checksum->ipv4_tx, CHECKSUM_IPV4, HVK_NETDEV_TX_IPV4) |
	       if_all(checksum->ipv4_tx, CHECKSUM_TCP4, HVK_NETDEV_TX_TCP4) |
	       if_all(checksum->ipv4_tx, CHECKSUM_UDP4, HVK_NETDEV_TX_UDP4) |
	       if_all(checksum->ipv6_tx, CHECKSUM_TCP6, HVK_NETDEV_TX_TCP6) |
	       if_all(checksum->ipv6_tx, CHECKSUM_UDP6, HVK_NETDEV_TX_UDP6) |
	       if_all(checksum->ipv4_rx, NDIS_CHECKSUM_IP_HEADER, HVK_NETDEV_RX_IPV4) |
	       if_all(checksum->ipv4_rx, NDIS_CHECKSUM_TCP, HVK_NETDEV_RX_TCP4) |
	       if_all(checksum->ipv4_rx, NDIS_CHECKSUM_UDP, HVK_NETDEV_RX_UDP4) |
	       if_all(checksum->ipv6_rx, NDIS_CHECKSUM_TCP, HVK_NETDEV_RX_TCP6) |
	       if_all(checksum->ipv6_rx, NDIS_CHECKSUM_UDP, HVK_NETDEV_RX_UDP6);
}

/* One address family's segmentation, if it can be used. */
static void take_lso(struct hvk_ndis_offloads *offloads, uint32_t capability, uint32_t size_max,
		     uint32_t segments_min, uint32_t mtu)
{
	uint32_t bytes = hvk_min32(size_max, IP_PACKET_MAX);

	segments_min = hvk_max32(segments_min, SEGMENTS_MIN);
	if (segments_min > IP_PACKET_MAX / mtu || bytes < segments_min * mtu || bytes <= HEADERS_MAX)
		return; /* FreeBSD's rule */
	bytes -= HEADERS_MAX;
	offloads->capabilities |= capability;
	offloads->tso_segments_min = hvk_max32(offloads->tso_segments_min, segments_min);
	if (offloads->tso_bytes_max == 0 || bytes < offloads->tso_bytes_max)
		offloads->tso_bytes_max = bytes;
}

hvk_status hvk_ndis_parse_offload(const uint8_t *bytes, uint32_t length, uint32_t mtu,
				  struct hvk_ndis_offloads *offloads)
{
	struct ndis_offload found;
	const struct ndis_lso_v2_offload *lso = &found.lso_v2;
	hvk_status status = take_object(bytes, length, NDIS_OBJECT_OFFLOAD, NDIS_OFFLOAD_SIZE_1, &found,
					sizeof(found));

	*offloads = (struct hvk_ndis_offloads){0};
	if (status != HVK_OK)
		return status;
	offloads->capabilities = checksums_of(&found.checksum);
	/* What is cut gets checksums too. */
	if ((offloads->capabilities & HVK_NETDEV_TX_TCP4) &&
	    (lso->ipv4_encapsulation & NDIS_ENCAPSULATION_802_3))
		take_lso(offloads, HVK_NETDEV_TSO4, lso->ipv4_size_max, lso->ipv4_segments_min, mtu);
	if ((offloads->capabilities & HVK_NETDEV_TX_TCP6) &&
	    (lso->ipv6_encapsulation & NDIS_ENCAPSULATION_802_3) &&
	    (lso->ipv6_options & LSO_IPV6) == LSO_IPV6)
		take_lso(offloads, HVK_NETDEV_TSO6, lso->ipv6_size_max, lso->ipv6_segments_min, mtu);
	if (found.rsc_ipv4 && found.rsc_ipv6)
		offloads->capabilities |= HVK_NETDEV_LRO;
	return HVK_OK;
}

static uint8_t both_ways(uint32_t enabled, uint32_t tx, uint32_t rx)
{
	if (enabled & tx)
		return enabled & rx ? NDIS_PARAMETER_TX_RX : NDIS_PARAMETER_TX;
	return enabled & rx ? NDIS_PARAMETER_RX : NDIS_PARAMETER_OFF;
}

static uint8_t on_or_off(uint32_t enabled, uint32_t capability)
{
	return enabled & capability ? NDIS_PARAMETER_ON : NDIS_PARAMETER_OFF;
}

uint32_t hvk_ndis_build_offload_parameters(struct ndis_offload_parameters *parameters, uint32_t ndis_minor,
					   uint32_t enabled)
{
	bool with_rsc = ndis_minor >= MINOR_6_30;
	uint16_t size = with_rsc ? NDIS_OFFLOAD_PARAMETERS_SIZE_3 : NDIS_OFFLOAD_PARAMETERS_SIZE_2;

	*parameters = (struct ndis_offload_parameters){
		.header = {NDIS_OBJECT_DEFAULT, with_rsc ? REVISION_3 : REVISION_2, size},
		.ipv4_checksum = both_ways(enabled, HVK_NETDEV_TX_IPV4, HVK_NETDEV_RX_IPV4),
		.tcp4_checksum = both_ways(enabled, HVK_NETDEV_TX_TCP4, HVK_NETDEV_RX_TCP4),
		.udp4_checksum = both_ways(enabled, HVK_NETDEV_TX_UDP4, HVK_NETDEV_RX_UDP4),
		.tcp6_checksum = both_ways(enabled, HVK_NETDEV_TX_TCP6, HVK_NETDEV_RX_TCP6),
		.udp6_checksum = both_ways(enabled, HVK_NETDEV_TX_UDP6, HVK_NETDEV_RX_UDP6),
		.lso_v2_ipv4 = on_or_off(enabled, HVK_NETDEV_TSO4),
		.lso_v2_ipv6 = on_or_off(enabled, HVK_NETDEV_TSO6),
	};
	if (with_rsc) {
		parameters->rsc_ipv4 = on_or_off(enabled, HVK_NETDEV_LRO);
		parameters->rsc_ipv6 = parameters->rsc_ipv4;
	}
	return size;
}

/* --- Receive-side scaling ------------------------------------------------------------- */

uint32_t hvk_ndis_build_rss_query(struct ndis_rss_capabilities *query)
{
	*query = (struct ndis_rss_capabilities){
		.header = {NDIS_OBJECT_RSS_CAPABILITIES, REVISION_2, NDIS_RSS_CAPABILITIES_SIZE_2}};
	return NDIS_RSS_CAPABILITIES_SIZE_2;
}

static uint32_t hash_types(uint32_t capabilities)
{
	return if_all(capabilities, NDIS_RSS_CAPABILITY_IPV4, HVK_RSS_IPV4 | HVK_RSS_TCP4) |
	       if_all(capabilities, NDIS_RSS_CAPABILITY_IPV6, HVK_RSS_IPV6 | HVK_RSS_TCP6) |
	       if_all(capabilities, NDIS_RSS_CAPABILITY_IPV6_EX, HVK_RSS_IPV6_EX | HVK_RSS_TCP6_EX) |
	       if_all(capabilities, NDIS_RSS_CAPABILITY_UDP4, HVK_RSS_UDP4) |
	       if_all(capabilities, NDIS_RSS_CAPABILITY_UDP6, HVK_RSS_UDP6) |
	       if_all(capabilities, NDIS_RSS_CAPABILITY_UDP6_EX, HVK_RSS_UDP6_EX);
}

hvk_status hvk_ndis_parse_rss(const uint8_t *bytes, uint32_t length, struct hvk_ndis_rss *rss)
{
	struct ndis_rss_capabilities found;
	hvk_status status = take_object(bytes, length, NDIS_OBJECT_RSS_CAPABILITIES,
					NDIS_RSS_CAPABILITIES_SIZE_6_0, &found, sizeof(found));

	*rss = (struct hvk_ndis_rss){0};
	if (status != HVK_OK)
		return status;
	if (found.header.size < NDIS_RSS_CAPABILITIES_SIZE_2) /* NDIS 6.0 */
		found.table_entries = NDIS_RSS_TABLE_ENTRIES_DEFAULT;
	rss->types = hash_types(found.capabilities);
	rss->queues = found.receive_queues;
	rss->table_size = hvk_min32(found.table_entries, HVK_RSS_TABLE_MAX);
	if (!(found.capabilities & NDIS_HASH_TOEPLITZ) || rss->types == 0 || rss->queues == 0 ||
	    rss->table_size == 0)
		return HVK_ENOTSUP;
	return HVK_OK;
}

uint32_t hvk_ndis_build_rss(struct hvk_ndis_rss_message *message, const struct hvk_netdev_rss *rss,
			    uint32_t table_size, bool off)
{
	uint32_t table_bytes = table_size * (uint32_t)sizeof(message->table[0]);

	HVK_ASSERT(table_size <= NDIS_RSS_TABLE_ENTRIES_MAX);
	*message = (struct hvk_ndis_rss_message){
		.parameters = {
			.header = {NDIS_OBJECT_RSS_PARAMETERS, REVISION_2, sizeof(message->parameters)},
			.flags = off ? NDIS_RSS_FLAG_DISABLE : 0,
			.hash = NDIS_HASH_TOEPLITZ | rss->types,
			.table_size = (uint16_t)table_bytes,
			.table_offset = offsetof(struct hvk_ndis_rss_message, table),
			.key_size = sizeof(message->key),
			.key_offset = offsetof(struct hvk_ndis_rss_message, key),
		}};
	memcpy(message->key, rss->key, sizeof(message->key));
	for (uint32_t i = 0; i < table_size; i++)
		message->table[i] = rss->table[i];
	return (uint32_t)offsetof(struct hvk_ndis_rss_message, table) + table_bytes;
}
