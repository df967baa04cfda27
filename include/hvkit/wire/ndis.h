/* SPDX-License-Identifier: MIT */
/*
 * NDIS objects that RNDIS queries and sets carry: offloads and receive-side scaling.
 * Sources: FreeBSD ndis.h, Linux hyperv_net.h, OpenVMM; where they differ (FreeBSD and DPDK
 * have 16 bits where NDIS has BOOLEAN in the IPsec part), the sizes 112, 144 and 156 of
 * Windows and Linux hold.
 */
#ifndef HVKIT_WIRE_NDIS_H
#define HVKIT_WIRE_NDIS_H

#include "wire.h"

struct ndis_object_header {
	uint8_t type;
	uint8_t revision;
	uint16_t size;
};
HVK_WIRE_SIZE(struct ndis_object_header, 4);
#define NDIS_OBJECT_DEFAULT 0x80u /* offload parameters have this one */
#define NDIS_OBJECT_RSS_CAPABILITIES 0x88u
#define NDIS_OBJECT_RSS_PARAMETERS 0x89u
#define NDIS_OBJECT_OFFLOAD 0xa7u

/* --- Offloads ----------------------------------------------------------------------- */

#define NDIS_ENCAPSULATION_802_3 2u

/* Checksum abilities of one way and one address family. */
#define NDIS_CHECKSUM_IP_OPTIONS (1u << 0) /* IPv6: extension headers */
#define NDIS_CHECKSUM_TCP_OPTIONS (1u << 2)
#define NDIS_CHECKSUM_TCP (1u << 4)
#define NDIS_CHECKSUM_UDP (1u << 6)
#define NDIS_CHECKSUM_IP_HEADER (1u << 8) /* IPv4 alone */

struct ndis_checksum_offload {
	uint32_t ipv4_tx_encapsulation, ipv4_tx;
	uint32_t ipv4_rx_encapsulation, ipv4_rx;
	uint32_t ipv6_tx_encapsulation, ipv6_tx;
	uint32_t ipv6_rx_encapsulation, ipv6_rx;
};
HVK_WIRE_SIZE(struct ndis_checksum_offload, 32);

#define NDIS_LSO_IPV6_EXTENSIONS (1u << 0)
#define NDIS_LSO_IPV6_TCP_OPTIONS (1u << 2)

struct ndis_lso_v2_offload {
	uint32_t ipv4_encapsulation, ipv4_size_max, ipv4_segments_min;
	uint32_t ipv6_encapsulation, ipv6_size_max, ipv6_segments_min;
	uint32_t ipv6_options;
};
HVK_WIRE_SIZE(struct ndis_lso_v2_offload, 28);

/* Answer to TCP_OFFLOAD_HARDWARE_CAPABILITIES and body of the status 0x40020006. */
struct ndis_offload {
	struct ndis_object_header header;
	struct ndis_checksum_offload checksum;
	uint8_t lso_v1[16];
	uint8_t ipsec_v1[28];
	struct ndis_lso_v2_offload lso_v2;
	uint32_t flags;       /* end of revision 1 */
	uint8_t ipsec_v2[32]; /* end of revision 2 */
	uint8_t rsc_ipv4, rsc_ipv6;
	uint8_t reserved[2];
	uint32_t encapsulated_flags, encapsulated_header_max; /* end of revision 3 */
};
HVK_WIRE_SIZE(struct ndis_offload, 156);
#define NDIS_OFFLOAD_SIZE_1 112u /* NDIS 6.0, 6.1 */
#define NDIS_OFFLOAD_SIZE_2 144u /* 6.20 */
#define NDIS_OFFLOAD_SIZE_3 156u /* 6.30 */
HVK_WIRE_OFFSET(struct ndis_offload, lso_v2, 80);
HVK_WIRE_OFFSET(struct ndis_offload, flags, 108);
HVK_WIRE_OFFSET(struct ndis_offload, rsc_ipv4, 144);

#define NDIS_PARAMETER_NO_CHANGE 0u
#define NDIS_PARAMETER_OFF 1u /* of all of them */
#define NDIS_PARAMETER_TX 2u  /* checksums */
#define NDIS_PARAMETER_RX 3u
#define NDIS_PARAMETER_TX_RX 4u
#define NDIS_PARAMETER_ON 2u /* LSO and RSC */

/* Body of a SET of TCP_OFFLOAD_PARAMETERS. */
struct ndis_offload_parameters {
	struct ndis_object_header header;
	uint8_t ipv4_checksum;
	uint8_t tcp4_checksum, udp4_checksum, tcp6_checksum, udp6_checksum;
	uint8_t lso_v1;
	uint8_t ipsec_v1;
	uint8_t lso_v2_ipv4, lso_v2_ipv6;
	uint8_t tcp4_connection, tcp6_connection;
	uint8_t padding;
	uint32_t flags;
	uint8_t ipsec_v2, ipsec_v2_ipv4; /* end of revision 2 */
	uint8_t rsc_ipv4, rsc_ipv6;
	uint8_t encapsulated, encapsulation_types;
	uint8_t padding_3[2]; /* end of revision 3 */
};
HVK_WIRE_SIZE(struct ndis_offload_parameters, 28);
#define NDIS_OFFLOAD_PARAMETERS_SIZE_2 22u
#define NDIS_OFFLOAD_PARAMETERS_SIZE_3 28u
HVK_WIRE_OFFSET(struct ndis_offload_parameters, flags, 16);
HVK_WIRE_OFFSET(struct ndis_offload_parameters, rsc_ipv4, 22);

/* --- Receive-side scaling ------------------------------------------------------------- */

#define NDIS_RSS_CAPABILITY_IPV4 (1u << 8) /* these and their TCP */
#define NDIS_RSS_CAPABILITY_IPV6 (1u << 9)
#define NDIS_RSS_CAPABILITY_IPV6_EX (1u << 10)
#define NDIS_RSS_CAPABILITY_UDP4 (1u << 11)
#define NDIS_RSS_CAPABILITY_UDP6 (1u << 12)
#define NDIS_RSS_CAPABILITY_UDP6_EX (1u << 13)

/* The hash function in the low bits, then what is hashed. */
#define NDIS_HASH_TOEPLITZ (1u << 0)
#define NDIS_HASH_IPV4 (1u << 8)
#define NDIS_HASH_TCP4 (1u << 9)
#define NDIS_HASH_IPV6 (1u << 10)
#define NDIS_HASH_IPV6_EX (1u << 11)
#define NDIS_HASH_TCP6 (1u << 12)
#define NDIS_HASH_TCP6_EX (1u << 13)
#define NDIS_HASH_UDP4 (1u << 14)
#define NDIS_HASH_UDP6 (1u << 15)
#define NDIS_HASH_UDP6_EX (1u << 16)

/* Answer to RECEIVE_SCALE_CAPABILITIES. */
struct ndis_rss_capabilities {
	struct ndis_object_header header;
	uint32_t capabilities; /* NDIS_RSS_CAPABILITY_*, NDIS_HASH_TOEPLITZ */
	uint32_t interrupt_messages;
	uint32_t receive_queues;
	uint16_t table_entries; /* not in NDIS 6.0: 128 there */
	uint16_t padding;
};
HVK_WIRE_SIZE(struct ndis_rss_capabilities, 20);
#define NDIS_RSS_CAPABILITIES_SIZE_6_0 16u
#define NDIS_RSS_CAPABILITIES_SIZE_2 18u
#define NDIS_RSS_TABLE_ENTRIES_DEFAULT 128u

#define NDIS_RSS_FLAG_BASE_CPU_UNCHANGED (1u << 0) /* hosts do not heed these four (FreeBSD) */
#define NDIS_RSS_FLAG_HASH_UNCHANGED (1u << 1)
#define NDIS_RSS_FLAG_TABLE_UNCHANGED (1u << 2)
#define NDIS_RSS_FLAG_KEY_UNCHANGED (1u << 3)
#define NDIS_RSS_FLAG_DISABLE (1u << 4)

/* Body of a SET of RECEIVE_SCALE_PARAMETERS, then the key and the table (u32 each) at the
 * offsets given, which count from its first byte. */
struct ndis_rss_parameters {
	struct ndis_object_header header;
	uint16_t flags;
	uint16_t base_cpu;
	uint32_t hash;       /* NDIS_HASH_* */
	uint16_t table_size; /* in bytes */
	uint16_t padding_1;
	uint32_t table_offset;
	uint16_t key_size;
	uint16_t padding_2;
	uint32_t key_offset;
	uint32_t cpu_mask_offset, cpu_mask_count, cpu_mask_entry_size; /* revision 2 */
};
HVK_WIRE_SIZE(struct ndis_rss_parameters, 40);
#define NDIS_RSS_KEY_SIZE 40u
#define NDIS_RSS_TABLE_ENTRIES_MAX 128u

#endif
