/* SPDX-License-Identifier: MIT */
/*
 * NVS: what a network card's channel carries in its packets.
 * Sources: Linux hyperv_net.h, FreeBSD if_hnreg.h, OpenVMM netvsp protocol.rs.
 */
#ifndef HVKIT_WIRE_NVS_H
#define HVKIT_WIRE_NVS_H

#include "wire.h"

#define NVS_VERSION_1 0x00000002u   /* Windows Server 2008 */
#define NVS_VERSION_2 0x00030002u   /* 2008 R2 */
#define NVS_VERSION_4 0x00040000u   /* 2012 */
#define NVS_VERSION_5 0x00050000u   /* 2012 R2 */
#define NVS_VERSION_6 0x00060000u   /* 2016 */
#define NVS_VERSION_6_1 0x00060001u /* 2019 */

/* A request below 32 bytes is never answered (FreeBSD). From 6.1 messages are
 * 40 bytes long. */
#define NVS_REQUEST_SIZE_MIN 32u
#define NVS_REQUEST_SIZE_6_1 40u

#define NVS_TYPE_INIT 1u
#define NVS_TYPE_INIT_COMPLETE 2u
#define NVS_TYPE_NDIS_VERSION 100u
#define NVS_TYPE_RECEIVE_BUFFER 101u
#define NVS_TYPE_RECEIVE_BUFFER_COMPLETE 102u
#define NVS_TYPE_REVOKE_RECEIVE_BUFFER 103u
#define NVS_TYPE_SEND_BUFFER 104u
#define NVS_TYPE_SEND_BUFFER_COMPLETE 105u
#define NVS_TYPE_REVOKE_SEND_BUFFER 106u
#define NVS_TYPE_RNDIS 107u
#define NVS_TYPE_RNDIS_COMPLETE 108u
#define NVS_TYPE_NDIS_CONFIG 125u
#define NVS_TYPE_VF_ASSOCIATION 128u
#define NVS_TYPE_SWITCH_DATA_PATH 129u
#define NVS_TYPE_SUBCHANNEL 133u
#define NVS_TYPE_SEND_INDIRECTION_TABLE 134u

#define NVS_STATUS_NONE 0u
#define NVS_STATUS_SUCCESS 1u
#define NVS_STATUS_FAILURE 2u
#define NVS_STATUS_VERSION_TOO_NEW 3u
#define NVS_STATUS_VERSION_TOO_OLD 4u

struct nvs_init {
	uint32_t type;
	uint32_t version_min;
	uint32_t version_max;
};
HVK_WIRE_SIZE(struct nvs_init, 12);

struct nvs_init_complete {
	uint32_t type;
	uint32_t version; /* deprecated by NVS itself: not to be relied on */
	uint32_t max_mdl_chain;
	uint32_t status;
};
HVK_WIRE_SIZE(struct nvs_init_complete, 16);

struct nvs_ndis_version {
	uint32_t type;
	uint32_t major;
	uint32_t minor;
};
HVK_WIRE_SIZE(struct nvs_ndis_version, 12);

#define NVS_NDIS_CAPABILITY_SRIOV (1ull << 2)
#define NVS_NDIS_CAPABILITY_VLAN (1ull << 3)
#define NVS_NDIS_CAPABILITY_TEAMING (1ull << 5)
#define NVS_NDIS_CAPABILITY_RSC (1ull << 7)

struct nvs_ndis_config {
	uint32_t type;
	uint32_t mtu; /* with the Ethernet header's 14 bytes */
	uint32_t reserved;
	uint32_t capabilities_low; /* a u64 at 12, in two halves: it is not 8-aligned */
	uint32_t capabilities_high;
};
HVK_WIRE_SIZE(struct nvs_ndis_config, 20);

/* RECEIVE_BUFFER and SEND_BUFFER. */
struct nvs_buffer {
	uint32_t type;
	uint32_t gpadl;
	uint16_t page_set_id;
	uint16_t reserved;
};
HVK_WIRE_SIZE(struct nvs_buffer, 12);
#define NVS_RECEIVE_PAGE_SET_ID 0xcafeu /* Linux, FreeBSD; iPXE has 0xbead: any will do */
#define NVS_SEND_PAGE_SET_ID 0x0000u

struct nvs_receive_section {
	uint32_t offset;
	uint32_t suballocation_size;
	uint32_t suballocation_count;
	uint32_t end_offset;
};
HVK_WIRE_SIZE(struct nvs_receive_section, 16);

struct nvs_receive_buffer_complete {
	uint32_t type;
	uint32_t status;
	uint32_t section_count;
	struct nvs_receive_section section; /* the first of section_count */
};
HVK_WIRE_SIZE(struct nvs_receive_buffer_complete, 28);

struct nvs_send_buffer_complete {
	uint32_t type;
	uint32_t status;
	uint32_t section_size;
};
HVK_WIRE_SIZE(struct nvs_send_buffer_complete, 12);

/* REVOKE_RECEIVE_BUFFER and REVOKE_SEND_BUFFER. */
struct nvs_revoke_buffer {
	uint32_t type;
	uint16_t page_set_id;
	uint16_t reserved;
};
HVK_WIRE_SIZE(struct nvs_revoke_buffer, 8);

#define NVS_CHANNEL_DATA 0u
#define NVS_CHANNEL_CONTROL 1u
#define NVS_SECTION_NONE 0xffffffffu

struct nvs_rndis {
	uint32_t type;
	uint32_t channel_type;
	uint32_t section_index;
	uint32_t section_size;
};
HVK_WIRE_SIZE(struct nvs_rndis, 16);

struct nvs_rndis_complete {
	uint32_t type;
	uint32_t status;
};
HVK_WIRE_SIZE(struct nvs_rndis_complete, 8);

struct nvs_vf_association {
	uint32_t type;
	uint32_t allocated;
	uint32_t serial;
};
HVK_WIRE_SIZE(struct nvs_vf_association, 12);

struct nvs_switch_data_path {
	uint32_t type;
	uint32_t active; /* 0 synthetic, 1 VF */
};
HVK_WIRE_SIZE(struct nvs_switch_data_path, 8);

struct nvs_subchannel_request {
	uint32_t type;
	uint32_t operation; /* 1 = allocate */
	uint32_t count;
};
HVK_WIRE_SIZE(struct nvs_subchannel_request, 12);

#define NVS_SUBCHANNEL_ALLOCATE 1u

struct nvs_subchannel_complete {
	uint32_t type;
	uint32_t status;
	uint32_t count;
};
HVK_WIRE_SIZE(struct nvs_subchannel_complete, 12);

/* The channel, by sub-channel index, on which the host wants a frame whose hash is
 * i modulo the count. Up to NVS 6.0 some hosts write a wrong offset when the table lies at 40 (Linux
 * takes 40 then if the message has 104 bytes); OpenVMM has it at 12. */
struct nvs_send_indirection_table {
	uint32_t type;
	uint32_t count;  /* 16 */
	uint32_t offset; /* from the start of the message; then count u32 */
};
HVK_WIRE_SIZE(struct nvs_send_indirection_table, 12);
#define NVS_SEND_INDIRECTION_COUNT 16u
#define NVS_SEND_INDIRECTION_OFFSET_OLD 40u

#endif
