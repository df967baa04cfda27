/* SPDX-License-Identifier: MIT */
/*
 * Checksums: those that the guest asks for are checked as requests, then made; those of frames
 * for the guest are verified.
 */
#ifndef HVH_NETVSP_CHECKSUM_H
#define HVH_NETVSP_CHECKSUM_H

#include "headers.h"

/* The Internet checksum's sum over length bytes, added to sum; not yet folded. */
uint64_t netvsp_sum(uint64_t sum, const uint8_t *bytes, uint32_t length);
/* Folded to 16 bits, not inverted. */
uint32_t netvsp_sum_fold(uint64_t sum);
/* Of the pseudo-header: addresses, protocol, and length (0: without, as for large sends). */
uint64_t netvsp_pseudo_sum(const uint8_t *frame, const struct netvsp_headers *headers, uint32_t length);

/* A request (RNDIS_CHECKSUM_TX_*) against the frame and against what has been granted
 * (NETVSP_OFFLOAD_*). NULL if it is right, else what is not, and in *value the number. */
const char *netvsp_checksum_check(const uint8_t *frame, const struct netvsp_headers *headers,
				  uint32_t request, uint32_t granted, uint32_t *value);
/* Fills in what a checked request asks for; returns how many checksums. */
uint32_t netvsp_checksum_fill(uint8_t *frame, const struct netvsp_headers *headers, uint32_t request);
/* All of the frame's, whatever they were. */
void netvsp_checksum_make(uint8_t *frame, const struct netvsp_headers *headers);

/* RNDIS_CHECKSUM_RX_*_GOOD and _FAILED of all checksums that the frame has. */
uint32_t netvsp_checksum_verify(const uint8_t *frame, const struct netvsp_headers *headers);
/* Of these, the ones that the guest is to be told of. */
uint32_t netvsp_checksum_report(const struct netvsp_headers *headers, uint32_t verified, uint32_t granted);

#endif
