/* SPDX-License-Identifier: MIT */
/*
 * Per-packet information of RNDIS packets: what the guest's say, and those for the guest.
 */
#ifndef HVH_NETVSP_PACKET_INFO_H
#define HVH_NETVSP_PACKET_INFO_H

#include <stdbool.h>
#include <stdint.h>

#include "hvkit/wire/rndis.h"

/* One bit for each that is there. */
#define NETVSP_INFO_CHECKSUM (1u << 0)
#define NETVSP_INFO_LSO (1u << 1)
#define NETVSP_INFO_VLAN (1u << 2)
#define NETVSP_INFO_HASH_VALUE (1u << 3)
#define NETVSP_INFO_HASH_INFO (1u << 4)
#define NETVSP_INFO_PACKET_ID (1u << 5)

struct netvsp_packet_info {
	uint32_t present;  /* NETVSP_INFO_* */
	uint32_t checksum; /* RNDIS_CHECKSUM_* */
	uint32_t lso;      /* RNDIS_LSO_* */
	uint32_t vlan;     /* RNDIS_VLAN_* */
	uint32_t hash_value, hash_info;
	struct rndis_packet_id packet_id;
};

/* Longest that netvsp_packet_info_build makes. */
#define NETVSP_PACKET_INFO_MAX (6u * (12u + 4u))

/* The guest's, in the length bytes at bytes. NULL if they are right, else what is not, and in
 * *value the number that is wrong. */
const char *netvsp_packet_info_parse(const uint8_t *bytes, uint32_t length, struct netvsp_packet_info *info,
				     uint32_t *value);
/* Bytes that netvsp_packet_info_build will write. */
uint32_t netvsp_packet_info_size(const struct netvsp_packet_info *info);
uint32_t netvsp_packet_info_build(uint8_t *to, const struct netvsp_packet_info *info);

/* A VLAN tag (TCI) as packet information, and back. */
uint32_t netvsp_vlan_from_tag(uint32_t tag);
uint32_t netvsp_vlan_to_tag(uint32_t vlan);
/* Takes the tag out of the frame: to gets length - 4 bytes. False: the frame has none. */
bool netvsp_tag_remove(uint8_t *to, const uint8_t *frame, uint32_t length, uint32_t *vlan);
/* to gets length + 4 bytes. */
void netvsp_tag_insert(uint8_t *to, const uint8_t *frame, uint32_t length, uint32_t vlan);

#endif
