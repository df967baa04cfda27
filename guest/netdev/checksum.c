/* SPDX-License-Identifier: MIT */
#include "guest/netdev/checksum.h"

#include "guest/core/host_memory.h"

static uint64_t add64(uint64_t sum, uint64_t word)
{
	sum += word;
	return sum + (sum < word); /* the carry comes in at the other end */
}

static uint64_t load64(const uint8_t *at)
{
	uint64_t word;

	memcpy(&word, at, sizeof(word));
	return word;
}

/* 32 bytes a turn, in two sums, so that the carries of one need not wait for the other. */
uint16_t hvk_checksum_sum(const void *bytes, size_t length)
{
	const uint8_t *at = bytes;
	uint64_t sum = 0, other = 0, last = 0;

	for (; length >= 32; at += 32, length -= 32) {
		sum = add64(add64(sum, load64(at)), load64(at + 8));
		other = add64(add64(other, load64(at + 16)), load64(at + 24));
	}
	for (; length >= 8; at += 8, length -= 8)
		sum = add64(sum, load64(at));
	if (length != 0) {
		memcpy(&last, at, length);
		sum = add64(sum, last);
	}
	sum = add64(sum, other);
	sum = (sum & 0xffffffffu) + (sum >> 32);
	sum = (sum & 0xffffffffu) + (sum >> 32);
	return hvk_checksum_fold((uint32_t)sum);
}

uint16_t hvk_checksum_pseudo(const void *addresses, size_t address_bytes, uint8_t protocol, uint32_t length)
{
	/* As in the packet: most significant byte first. */
	const uint8_t rest[8] = {(uint8_t)(length >> 24),
				 (uint8_t)(length >> 16),
				 (uint8_t)(length >> 8),
				 (uint8_t)length,
				 0,
				 0,
				 0,
				 protocol};
	uint32_t sum = hvk_checksum_sum(addresses, address_bytes);

	return hvk_checksum_fold(sum + hvk_checksum_sum(rest, sizeof(rest)));
}
