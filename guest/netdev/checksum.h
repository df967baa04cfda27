/* SPDX-License-Identifier: MIT */
/*
 * The Internet checksum (RFC 1071): sums of 16-bit words as they lie in memory, so that a folded
 * sum is stored as it is, whatever the CPU's byte order. Pure functions. Private to guest/.
 */
#ifndef HVK_NETDEV_CHECKSUM_H
#define HVK_NETDEV_CHECKSUM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The sum of length bytes, folded to 16 bits; the last of an odd number is followed by a zero. */
uint16_t hvk_checksum_sum(const void *bytes, size_t length);

/* Adds a sum of bytes that begin at an even or at an odd place of the whole. */
static inline uint32_t hvk_checksum_add(uint32_t sum, uint16_t part, bool odd)
{
	return sum + (odd ? (uint32_t)(uint16_t)(part << 8 | part >> 8) : part);
}

static inline uint16_t hvk_checksum_fold(uint32_t sum)
{
	sum = (sum & 0xffffu) + (sum >> 16);
	return (uint16_t)((sum & 0xffffu) + (sum >> 16));
}

/* Of the pseudo-header of TCP or UDP: addresses as they lie in the packet, one behind the other,
 * address_bytes both (8 or 32). length 0: a sum without it, as segmentation wants it. */
uint16_t hvk_checksum_pseudo(const void *addresses, size_t address_bytes, uint8_t protocol, uint32_t length);

#endif
