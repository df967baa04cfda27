/* SPDX-License-Identifier: MIT */
/* Per-packet information, and VLAN tags, which it stands for. */
#include "packet_info.h"

#include <stddef.h>
#include <string.h>

#include "headers.h"

#define ENTRIES_MAX 32u
#define DATA_SIZE 4u /* of each kind here */
#define ENTRY_SIZE ((uint32_t)sizeof(struct rndis_per_packet_info) + DATA_SIZE)
#define VLAN_ID_RESERVED 0xfffu
#define TAG_PRIORITY_SHIFT 13
#define TAG_DEI (1u << 12)
#define TAG_ID 0xfffu

/* --- Parsing ------------------------------------------------------------------------------- */

static uint32_t *place(struct netvsp_packet_info *info, uint32_t type, uint32_t *bit)
{
	switch (type) {
	case RNDIS_INFO_CHECKSUM:
		*bit = NETVSP_INFO_CHECKSUM;
		return &info->checksum;
	case RNDIS_INFO_LSO:
		*bit = NETVSP_INFO_LSO;
		return &info->lso;
	case RNDIS_INFO_VLAN:
		*bit = NETVSP_INFO_VLAN;
		return &info->vlan;
	case RNDIS_INFO_HASH_VALUE: /* Linux, FreeBSD and DPDK send their flow's */
		*bit = NETVSP_INFO_HASH_VALUE;
		return &info->hash_value;
	case RNDIS_INFO_HASH_INFO:
		*bit = NETVSP_INFO_HASH_INFO;
		return &info->hash_info;
	default: /* RNDIS_INFO_PACKET_ID too: hosts alone join */
		return NULL;
	}
}

static const char *parse_entry(const uint8_t *bytes, uint32_t left, struct netvsp_packet_info *info,
			       uint32_t *value, uint32_t *size)
{
	struct rndis_per_packet_info entry;
	uint32_t bit = 0, *to;

	*value = left;
	if (left < sizeof entry)
		return "packet information is cut";
	memcpy(&entry, bytes, sizeof entry);
	*value = entry.size;
	if (entry.size < ENTRY_SIZE || entry.size > left || entry.size % 4 != 0)
		return "size of a packet information: 16, a multiple of 4, inside what the packet has";
	*value = entry.data_offset;
	if (entry.data_offset < sizeof entry || entry.data_offset > entry.size - DATA_SIZE ||
	    entry.data_offset % 4 != 0)
		return "offset in a packet information";
	*value = entry.type;
	to = place(info, entry.type, &bit);
	if (to == NULL)
		return "packet information of a type that guests do not send";
	if ((info->present & bit) != 0)
		return "the same packet information twice";
	info->present |= bit;
	memcpy(to, bytes + entry.data_offset, DATA_SIZE);
	*size = entry.size;
	return NULL;
}

const char *netvsp_packet_info_parse(const uint8_t *bytes, uint32_t length, struct netvsp_packet_info *info,
				     uint32_t *value)
{
	const char *fault;
	uint32_t size = 0;

	memset(info, 0, sizeof *info);
	for (uint32_t n = 0; length > 0; n++) {
		*value = n;
		if (n == ENTRIES_MAX)
			return "too many packet informations";
		fault = parse_entry(bytes, length, info, value, &size);
		if (fault != NULL)
			return fault;
		bytes += size;
		length -= size;
	}
	*value = info->vlan;
	if (info->vlan >> 16 != 0)
		return "VLAN information with unknown bits";
	if (info->vlan >> RNDIS_VLAN_ID_SHIFT == VLAN_ID_RESERVED)
		return "VLAN 4095, which is reserved";
	*value = info->present;
	if ((info->present & NETVSP_INFO_CHECKSUM) != 0 && (info->present & NETVSP_INFO_LSO) != 0)
		return "both a checksum and a large send asked for: a large send includes the checksums";
	return NULL;
}

/* --- Building -------------------------------------------------------------------------------- */

static uint8_t *put(uint8_t *to, uint32_t type, const void *data)
{
	const struct rndis_per_packet_info entry = {ENTRY_SIZE, type, sizeof entry};

	memcpy(to, &entry, sizeof entry);
	memcpy(to + sizeof entry, data, DATA_SIZE);
	return to + ENTRY_SIZE;
}

uint32_t netvsp_packet_info_size(const struct netvsp_packet_info *info)
{
	uint32_t count = 0;

	for (uint32_t left = info->present; left != 0; left &= left - 1)
		count++;
	return count * ENTRY_SIZE;
}

uint32_t netvsp_packet_info_build(uint8_t *to, const struct netvsp_packet_info *info)
{
	uint8_t *at = to;

	if ((info->present & NETVSP_INFO_CHECKSUM) != 0)
		at = put(at, RNDIS_INFO_CHECKSUM, &info->checksum);
	if ((info->present & NETVSP_INFO_LSO) != 0)
		at = put(at, RNDIS_INFO_LSO, &info->lso);
	if ((info->present & NETVSP_INFO_VLAN) != 0)
		at = put(at, RNDIS_INFO_VLAN, &info->vlan);
	if ((info->present & NETVSP_INFO_HASH_VALUE) != 0)
		at = put(at, RNDIS_INFO_HASH_VALUE, &info->hash_value);
	if ((info->present & NETVSP_INFO_HASH_INFO) != 0)
		at = put(at, RNDIS_INFO_HASH_INFO, &info->hash_info);
	if ((info->present & NETVSP_INFO_PACKET_ID) != 0)
		at = put(at, RNDIS_INFO_PACKET_ID, &info->packet_id);
	return (uint32_t)(at - to);
}

/* --- Tags ------------------------------------------------------------------------------------- */

uint32_t netvsp_vlan_from_tag(uint32_t tag)
{
	return tag >> TAG_PRIORITY_SHIFT | ((tag & TAG_DEI) != 0 ? RNDIS_VLAN_DEI : 0) |
	       (tag & TAG_ID) << RNDIS_VLAN_ID_SHIFT;
}

uint32_t netvsp_vlan_to_tag(uint32_t vlan)
{
	return (vlan & RNDIS_VLAN_PRIORITY_MASK) << TAG_PRIORITY_SHIFT |
	       ((vlan & RNDIS_VLAN_DEI) != 0 ? TAG_DEI : 0) | (vlan >> RNDIS_VLAN_ID_SHIFT & TAG_ID);
}

bool netvsp_tag_remove(uint8_t *to, const uint8_t *frame, uint32_t length, uint32_t *vlan)
{
	if (length < ETHERNET_HEADER + ETHERNET_TAG ||
	    netvsp_get16(frame + ETHERNET_TYPE_AT) != ETHERTYPE_VLAN)
		return false;
	*vlan = netvsp_vlan_from_tag(netvsp_get16(frame + ETHERNET_TYPE_AT + 2));
	memcpy(to, frame, ETHERNET_TYPE_AT);
	memcpy(to + ETHERNET_TYPE_AT, frame + ETHERNET_TYPE_AT + ETHERNET_TAG,
	       length - ETHERNET_TYPE_AT - ETHERNET_TAG);
	return true;
}

void netvsp_tag_insert(uint8_t *to, const uint8_t *frame, uint32_t length, uint32_t vlan)
{
	memcpy(to, frame, ETHERNET_TYPE_AT);
	netvsp_put16(to + ETHERNET_TYPE_AT, ETHERTYPE_VLAN);
	netvsp_put16(to + ETHERNET_TYPE_AT + 2, netvsp_vlan_to_tag(vlan));
	memcpy(to + ETHERNET_TYPE_AT + ETHERNET_TAG, frame + ETHERNET_TYPE_AT, length - ETHERNET_TYPE_AT);
}
