/* SPDX-License-Identifier: MIT */
/*
 * Offloads as they are offered, asked for and granted (NDIS objects).
 */
#ifndef HVH_NETVSP_OFFLOAD_H
#define HVH_NETVSP_OFFLOAD_H

#include <stdbool.h>
#include <stdint.h>

#define NETVSP_OFFLOAD_TX_IP4 (1u << 0)
#define NETVSP_OFFLOAD_TX_TCP4 (1u << 1)
#define NETVSP_OFFLOAD_TX_UDP4 (1u << 2)
#define NETVSP_OFFLOAD_TX_TCP6 (1u << 3)
#define NETVSP_OFFLOAD_TX_UDP6 (1u << 4)
#define NETVSP_OFFLOAD_RX_IP4 (1u << 5)
#define NETVSP_OFFLOAD_RX_TCP4 (1u << 6)
#define NETVSP_OFFLOAD_RX_UDP4 (1u << 7)
#define NETVSP_OFFLOAD_RX_TCP6 (1u << 8)
#define NETVSP_OFFLOAD_RX_UDP6 (1u << 9)
#define NETVSP_OFFLOAD_LSO4 (1u << 10)
#define NETVSP_OFFLOAD_LSO6 (1u << 11)
#define NETVSP_OFFLOAD_RSC4 (1u << 12)
#define NETVSP_OFFLOAD_RSC6 (1u << 13)

#define NETVSP_LSO_SIZE_MAX 65535u /* bytes of payload; profiles have their own */
#define NETVSP_LSO_SEGMENTS_MIN 2u

struct netvsp_offload {
	uint32_t offered; /* NETVSP_OFFLOAD_* */
	uint32_t granted; /* never more than offered */
	uint32_t lso_size_max, lso_segments_min;
	bool lso_offset_needed; /* else the host finds the TCP header itself if the request has 0 */
};

/* At the begin of a session: of all that is offered the guest has the receive checksums, as NDIS drivers
 * have them by default. nvs is the session's version; rsc: NDIS_CONFIG had that capability; without:
 * HVH_NIC_NO_*. */
void netvsp_offload_begin(struct netvsp_offload *offload, uint32_t nvs, bool rsc, uint32_t without);
/* The newest revision (1 to 3) of NDIS_OFFLOAD that a host of this newest NVS version has. */
uint32_t netvsp_offload_revision(uint32_t newest);
/* NDIS_OFFLOAD of these NETVSP_OFFLOAD_* in the newest revision up to this one that fits into room.
 * Returns its length, 0 if none fits. */
uint32_t netvsp_offload_write(const struct netvsp_offload *offload, uint32_t which, uint32_t revision,
			      uint8_t *to, uint32_t room);
/* OID_TCP_OFFLOAD_PARAMETERS. NULL if all is right, and then it is granted; else what is not, in
 * *value the number, and nothing has changed. */
const char *netvsp_offload_set(struct netvsp_offload *offload, const uint8_t *parameters, uint32_t length,
			       uint32_t *value);

#endif
