/* SPDX-License-Identifier: MIT */
#include "bench/bare_ring.h"

#include <stdlib.h>

#include "bench/machine.h"

void bare_ring_create(struct bare_ring *ring, uint32_t pages, uint32_t largest)
{
	size_t bytes = VMBUS_RING_CONTROL_SIZE + (size_t)pages * HVK_PAGE_SIZE;

	*ring = (struct bare_ring){.data_size = pages * HVK_PAGE_SIZE};
	ring->pages = (struct hvk_shared){aligned_alloc(HVK_PAGE_SIZE, bytes), (uint32_t)bytes};
	ring->payload = aligned_alloc(HVK_PAGE_SIZE, largest);
	ring->to = aligned_alloc(HVK_PAGE_SIZE, largest);
	if (!ring->pages.base || !ring->payload || !ring->to)
		bench_fail("ring", "out of memory");
	ring->data = ring->pages.base + VMBUS_RING_CONTROL_SIZE;
	memset(ring->pages.base, 0, bytes);
	memset(ring->payload, 0x5a, largest);
	memset(ring->to, 0, largest);
}

void bare_ring_destroy(struct bare_ring *ring)
{
	free(ring->pages.base);
	free(ring->payload);
	free(ring->to);
}

void bare_ring_set_length(struct bare_ring *ring, uint32_t length)
{
	ring->length = (length + 7) & ~7u;
	ring->packet = BARE_HEADER + ring->length + BARE_TRAILER;
}

void bare_ring_clear(struct bare_ring *ring)
{
	memset(ring->pages.base, 0, VMBUS_RING_CONTROL_SIZE);
}

void bare_ring_show(struct bare_ring *ring, uint32_t control_offset, uint32_t index)
{
	atomic_store((_Atomic uint32_t *)(void *)(ring->pages.base + control_offset), index);
}

struct vmbus_packet_descriptor bare_ring_descriptor(const struct bare_ring *ring)
{
	return (struct vmbus_packet_descriptor){
		.type = VMBUS_PACKET_IN_BAND,
		.header_length8 = (uint16_t)(BARE_HEADER / 8),
		.length8 = (uint16_t)((BARE_HEADER + ring->length) / 8),
	};
}

uint32_t bare_ring_produce(const struct bare_ring *ring, uint32_t index, uint32_t packets)
{
	const struct vmbus_packet_descriptor descriptor = bare_ring_descriptor(ring);

	for (uint32_t i = 0; i < packets; i++) {
		for (uint32_t n = 0; n < BARE_HEADER; n++)
			ring->data[(index + n) % ring->data_size] = ((const uint8_t *)&descriptor)[n];
		index = (index + ring->packet) % ring->data_size;
	}
	return index;
}

void bare_ring_send(struct bare_ring *ring, struct hvk_ring_out *out, uint32_t packets, bool each)
{
	struct vmbus_packet_descriptor descriptor = bare_ring_descriptor(ring);
	const struct hvk_piece pieces[2] = {{&descriptor, BARE_HEADER}, {ring->payload, ring->length}};
	bool signal;

	for (uint32_t i = 0; i < packets; i++) {
		hvk_status status = each ? hvk_ring_put(out, pieces, 2, &signal)
					 : hvk_ring_stage(out, pieces, 2);

		if (status != HVK_OK)
			bench_fail("ring", "no room");
	}
	if (!each)
		(void)hvk_ring_publish(out);
}

void bare_ring_receive(struct bare_ring *ring, struct hvk_ring_in *in, uint32_t packets)
{
	struct vmbus_packet_descriptor descriptor;
	struct hvk_packet_layout layout;
	bool signal;

	for (uint32_t i = 0; i < packets; i++) {
		if (hvk_ring_peek(in, &descriptor, &layout) != HVK_OK)
			bench_fail("ring", "no packet");
		hvk_ring_copy(in, layout.payload_offset, ring->to, layout.payload_length);
		hvk_ring_skip(in, layout.length);
	}
	if (hvk_ring_show(in, &signal) != HVK_OK)
		bench_fail("ring", "not shown");
}
