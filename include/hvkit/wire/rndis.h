/* SPDX-License-Identifier: MIT */
/*
 * RNDIS as Hyper-V speaks it. Sources: Linux hyperv_net.h, FreeBSD rndis.h and
 * ndis.h, iPXE rndis.h, MS-RNDIS.
 *
 * Offsets inside messages count from byte 8, the first field after the header.
 * In guest/ nobody reads rndis_header.length: a message ends where its
 * transfer-page range ends (Windows Server 2012 R2 sends lengths that are too
 * short; iPXE 639632b05).
 */
#ifndef HVKIT_WIRE_RNDIS_H
#define HVKIT_WIRE_RNDIS_H

#include "wire.h"

#define RNDIS_MSG_PACKET 0x00000001u
#define RNDIS_MSG_INITIALIZE 0x00000002u
#define RNDIS_MSG_HALT 0x00000003u
#define RNDIS_MSG_QUERY 0x00000004u
#define RNDIS_MSG_SET 0x00000005u
#define RNDIS_MSG_RESET 0x00000006u
#define RNDIS_MSG_INDICATE_STATUS 0x00000007u
#define RNDIS_MSG_KEEPALIVE 0x00000008u
#define RNDIS_MSG_COMPLETE 0x80000000u /* or'ed in */

#define RNDIS_OFFSET_BASE 8u /* offsets inside messages count from here */

struct rndis_header {
	uint32_t type;
	uint32_t length; /* of the whole message; see above */
};
HVK_WIRE_SIZE(struct rndis_header, 8);

struct rndis_initialize {
	struct rndis_header header;
	uint32_t request_id;
	uint32_t major; /* 1 */
	uint32_t minor; /* 0 */
	uint32_t max_transfer_size;
};
HVK_WIRE_SIZE(struct rndis_initialize, 24);

struct rndis_initialize_complete {
	struct rndis_header header;
	uint32_t request_id;
	uint32_t status;
	uint32_t major;
	uint32_t minor;
	uint32_t device_flags;
	uint32_t medium; /* 0 = 802.3 */
	uint32_t max_packets_per_message;
	uint32_t max_transfer_size;
	uint32_t packet_alignment_factor; /* a power: 1 << factor bytes */
	uint32_t reserved[2];
};
HVK_WIRE_SIZE(struct rndis_initialize_complete, 52);
/* FreeBSD takes 48 for enough: the reserved words may be cut. */
#define RNDIS_INITIALIZE_COMPLETE_SIZE_MIN 44u

struct rndis_halt {
	struct rndis_header header;
	uint32_t request_id;
};
HVK_WIRE_SIZE(struct rndis_halt, 12);

/* QUERY and SET. The host fails a query whose offset is 0 (FreeBSD): always 20. */
struct rndis_request {
	struct rndis_header header;
	uint32_t request_id;
	uint32_t oid;
	uint32_t information_length;
	uint32_t information_offset;
	uint32_t reserved;
};
HVK_WIRE_SIZE(struct rndis_request, 28);
#define RNDIS_REQUEST_INFORMATION_OFFSET 20u

struct rndis_query_complete {
	struct rndis_header header;
	uint32_t request_id;
	uint32_t status;
	uint32_t information_length;
	uint32_t information_offset;
};
HVK_WIRE_SIZE(struct rndis_query_complete, 24);

/* SET_COMPLETE and KEEPALIVE_COMPLETE. */
struct rndis_complete {
	struct rndis_header header;
	uint32_t request_id;
	uint32_t status;
};
HVK_WIRE_SIZE(struct rndis_complete, 16);

struct rndis_keepalive {
	struct rndis_header header;
	uint32_t request_id;
};
HVK_WIRE_SIZE(struct rndis_keepalive, 12);

struct rndis_indicate_status {
	struct rndis_header header;
	uint32_t status;
	uint32_t buffer_length;
	uint32_t buffer_offset;
};
HVK_WIRE_SIZE(struct rndis_indicate_status, 20);

struct rndis_packet {
	struct rndis_header header;
	uint32_t data_offset;
	uint32_t data_length;
	uint32_t oob_offset;
	uint32_t oob_length;
	uint32_t oob_count;
	uint32_t per_packet_info_offset;
	uint32_t per_packet_info_length;
	uint32_t vc_handle;
	uint32_t reserved;
};
HVK_WIRE_SIZE(struct rndis_packet, 44); /* iPXE 92807f575: eight reserved bytes, not four */

struct rndis_per_packet_info {
	uint32_t size; /* of header and data, multiple of 4 */
	uint32_t type; /* bit 31 = internal */
	uint32_t data_offset;
};
HVK_WIRE_SIZE(struct rndis_per_packet_info, 12);

/* Per-packet information: type, and its data. */
#define RNDIS_INFO_CHECKSUM 0u /* u32, RNDIS_CHECKSUM_TX_* or _RX_* */
#define RNDIS_INFO_LSO 2u      /* u32, RNDIS_LSO_* */
#define RNDIS_INFO_VLAN 6u     /* u32, RNDIS_VLAN_* */
#define RNDIS_INFO_HASH_VALUE 8u
#define RNDIS_INFO_HASH_INFO 9u /* u32: NDIS_HASH_* of the hash value */
#define RNDIS_INFO_INTERNAL 0x80000000u
#define RNDIS_INFO_PACKET_ID (RNDIS_INFO_INTERNAL | 1u) /* struct rndis_packet_id: RSC */

#define RNDIS_CHECKSUM_TX_IPV4 (1u << 0) /* the frame is IPv4 */
#define RNDIS_CHECKSUM_TX_IPV6 (1u << 1)
#define RNDIS_CHECKSUM_TX_TCP (1u << 2)
#define RNDIS_CHECKSUM_TX_UDP (1u << 3)
#define RNDIS_CHECKSUM_TX_IP_HEADER (1u << 4)
#define RNDIS_CHECKSUM_TX_OFFSET_SHIFT 16 /* 10 bits: of the TCP or UDP header */

#define RNDIS_CHECKSUM_RX_TCP_FAILED (1u << 0)
#define RNDIS_CHECKSUM_RX_UDP_FAILED (1u << 1)
#define RNDIS_CHECKSUM_RX_IP_FAILED (1u << 2)
#define RNDIS_CHECKSUM_RX_TCP_GOOD (1u << 3)
#define RNDIS_CHECKSUM_RX_UDP_GOOD (1u << 4)
#define RNDIS_CHECKSUM_RX_IP_GOOD (1u << 5)
#define RNDIS_CHECKSUM_RX_LOOPBACK (1u << 6)
#define RNDIS_CHECKSUM_RX_TCP_INVALID (1u << 7) /* the checksum field itself has not been filled in */
#define RNDIS_CHECKSUM_RX_IP_INVALID (1u << 8)

#define RNDIS_LSO_MSS_MASK 0xfffffu /* 20 bits */
#define RNDIS_LSO_OFFSET_SHIFT 20   /* 10 bits: of the TCP header */
#define RNDIS_LSO_V2 (1u << 30)
#define RNDIS_LSO_IPV6 (1u << 31)

#define RNDIS_VLAN_PRIORITY_MASK 0x7u
#define RNDIS_VLAN_DEI (1u << 3)
#define RNDIS_VLAN_ID_SHIFT 4 /* 12 bits */

/* Which part of a joined packet this message is (NVS 6.1). */
struct rndis_packet_id {
	uint8_t version; /* 1 */
	uint8_t flags;
	uint16_t packet_id;
};
HVK_WIRE_SIZE(struct rndis_packet_id, 4);
#define RNDIS_PACKET_ID_SUBALLOCATION 1u /* there are several */
#define RNDIS_PACKET_ID_FIRST 2u
#define RNDIS_PACKET_ID_LAST 4u
#define RNDIS_RSC_FRAGMENTS_MAX 562u /* Linux, FreeBSD */

/* --- Status values -------------------------------------------------------- */

#define RNDIS_STATUS_SUCCESS 0x00000000u
#define RNDIS_STATUS_MEDIA_CONNECT 0x4001000bu
#define RNDIS_STATUS_MEDIA_DISCONNECT 0x4001000cu
#define RNDIS_STATUS_LINK_SPEED_CHANGE 0x40010013u
#define RNDIS_STATUS_NETWORK_CHANGE 0x40010018u
#define RNDIS_STATUS_TASK_OFFLOAD_CURRENT_CONFIG 0x40020006u
#define RNDIS_STATUS_FAILURE 0xc0000001u
#define RNDIS_STATUS_NOT_SUPPORTED 0xc00000bbu
#define RNDIS_STATUS_RESOURCES 0xc000009au
#define RNDIS_STATUS_BAD_VERSION 0xc0010004u
#define RNDIS_STATUS_INVALID_DATA 0xc0010015u

/* --- Object identifiers --------------------------------------------------- */

#define RNDIS_OID_GEN_SUPPORTED_LIST 0x00010101u
#define RNDIS_OID_GEN_HARDWARE_STATUS 0x00010102u
#define RNDIS_OID_GEN_MEDIA_SUPPORTED 0x00010103u
#define RNDIS_OID_GEN_MEDIA_IN_USE 0x00010104u
#define RNDIS_OID_GEN_MAXIMUM_FRAME_SIZE 0x00010106u
#define RNDIS_OID_GEN_LINK_SPEED 0x00010107u /* in 100 bit/s */
#define RNDIS_OID_GEN_VENDOR_DESCRIPTION 0x0001010du
#define RNDIS_OID_GEN_CURRENT_PACKET_FILTER 0x0001010eu
#define RNDIS_OID_GEN_MAXIMUM_TOTAL_SIZE 0x00010111u
#define RNDIS_OID_GEN_MEDIA_CONNECT_STATUS 0x00010114u /* 0 = connected */
#define RNDIS_OID_GEN_FRIENDLY_NAME 0x00020216u
#define RNDIS_OID_GEN_RECEIVE_SCALE_CAPABILITIES 0x00010203u
#define RNDIS_OID_GEN_RECEIVE_SCALE_PARAMETERS 0x00010204u
#define RNDIS_OID_802_3_MULTICAST_LIST 0x01010103u
#define RNDIS_OID_802_3_MAXIMUM_LIST_SIZE 0x01010104u
#define RNDIS_OID_TCP_OFFLOAD_CURRENT_CONFIG 0xfc01020bu
#define RNDIS_OID_TCP_OFFLOAD_PARAMETERS 0xfc01020cu
#define RNDIS_OID_TCP_OFFLOAD_HARDWARE_CAPABILITIES 0xfc01020du
#define RNDIS_OID_OFFLOAD_ENCAPSULATION 0x0101010au
#define RNDIS_OID_802_3_PERMANENT_ADDRESS 0x01010101u
#define RNDIS_OID_802_3_CURRENT_ADDRESS 0x01010102u

#define RNDIS_FILTER_DIRECTED 0x01u
#define RNDIS_FILTER_MULTICAST 0x02u
#define RNDIS_FILTER_ALL_MULTICAST 0x04u
#define RNDIS_FILTER_BROADCAST 0x08u
#define RNDIS_FILTER_PROMISCUOUS 0x20u

#endif
