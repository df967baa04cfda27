/* SPDX-License-Identifier: MIT */
/*
 * The ring beside its limit: packets written and read back through guest/vmbus/ring.c, and
 * the same bytes copied with memcpy. Absolute figures depend on the machine; the ratio does not.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "guest/vmbus/ring.h"

#define RING_PAGES 64u
#define ROUNDS 200000u

static double seconds(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static double copies(uint8_t *to, const uint8_t *from, uint32_t length)
{
	double start = seconds();

	for (uint32_t i = 0; i < ROUNDS; i++) {
		/* Into the ring and out of it again: two copies. */
		memcpy(to + (size_t)(i % 16) * 4096, from, length);
		__asm__ volatile("" ::: "memory");
		memcpy(to + 65536, to + (size_t)(i % 16) * 4096, length);
		__asm__ volatile("" ::: "memory");
	}
	return (seconds() - start) / ROUNDS;
}

static void packet(struct hvk_ring_out *out, struct hvk_ring_in *in, const uint8_t *payload, uint32_t length,
		   uint8_t *to)
{
	struct vmbus_packet_descriptor descriptor = {VMBUS_PACKET_IN_BAND, 2, (uint16_t)((16 + length) / 8),
						     0, 0};
	struct hvk_piece pieces[2] = {{&descriptor, sizeof(descriptor)}, {payload, length}};
	struct hvk_packet_layout layout;
	bool signal;

	if (hvk_ring_put(out, pieces, 2, &signal) != HVK_OK ||
	    hvk_ring_peek(in, &descriptor, &layout) != HVK_OK)
		abort();
	hvk_ring_copy(in, 16, to, layout.length - 16);
	hvk_ring_skip(in, layout.length);
	if (hvk_ring_show(in, &signal) != HVK_OK)
		abort();
}

/* One page set is both the writer's outgoing and the reader's incoming ring. */
static double packets(struct hvk_shared *pages, uint8_t *to, const uint8_t *payload, uint32_t length)
{
	struct hvk_ring_out out;
	struct hvk_ring_in in;
	double start;

	memset(pages->base, 0, HVK_PAGE_SIZE);
	hvk_ring_out_init(&out, pages);
	hvk_ring_in_init(&in, pages);
	start = seconds();
	for (uint32_t i = 0; i < ROUNDS; i++)
		packet(&out, &in, payload, length, to);
	return (seconds() - start) / ROUNDS;
}

int main(void)
{
	static const uint32_t lengths[] = {8, 64, 512, 1504, 4096};
	size_t bytes = (RING_PAGES + 1) * HVK_PAGE_SIZE;
	struct hvk_shared pages = {aligned_alloc(HVK_PAGE_SIZE, bytes), (uint32_t)bytes};
	uint8_t *memory = aligned_alloc(HVK_PAGE_SIZE, 32 * HVK_PAGE_SIZE);
	static uint8_t payload[4096];

	if (!pages.base || !memory)
		return 1;
	memset(pages.base, 0, bytes);
	memset(memory, 0, 32 * HVK_PAGE_SIZE);
	printf("ring: ns per packet, written and read, beside two memcpys of its payload\n");
	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		double copy = copies(memory, payload, lengths[i]);
		double ring = packets(&pages, memory, payload, lengths[i]);

		printf("  %5u bytes  ring %7.1f  memcpy %7.1f  overhead %7.1f\n", lengths[i], ring * 1e9,
		       copy * 1e9, (ring - copy) * 1e9);
	}
	free(pages.base);
	free(memory);
	return 0;
}
