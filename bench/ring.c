/* SPDX-License-Identifier: MIT */
/*
 * The ring beside its limit. The guest's half, guest/vmbus/ring.c, is timed; the other half is
 * raw: a consumer that only moves the read index, a producer that has written its packets
 * already. Beside it, in turns, the same bytes are copied by memcpy to and from the same places.
 *
 *   ring [MILLISECONDS]     per figure, in repetitions of which the median counts
 */
#include <stdlib.h>
#include <string.h>

#include "bench/machine.h"
#include "bench/report.h"
#include "guest/vmbus/ring.h"

#define RING_PAGES 128u /* 512 KiB: what fits one side's cache, and seven of the largest packets */
#define DATA (RING_PAGES * HVK_PAGE_SIZE)
#define LARGEST 65536u
#define REPETITIONS 15u
#define HEADER ((uint32_t)sizeof(struct vmbus_packet_descriptor))
#define TRAILER ((uint32_t)sizeof(struct vmbus_packet_trailer))

struct work {
	struct hvk_shared pages;
	uint8_t *data;
	uint8_t *payload, *to;
	uint32_t length, packet; /* payload; in the ring, all included */
	uint32_t fits;           /* packets in the ring at once */
};

static _Atomic uint32_t *control(const struct work *work, uint32_t offset)
{
	return (_Atomic uint32_t *)(void *)(work->pages.base + offset);
}

static struct vmbus_packet_descriptor descriptor_of(const struct work *work)
{
	return (struct vmbus_packet_descriptor){
		.type = VMBUS_PACKET_IN_BAND,
		.header_length8 = (uint16_t)(HEADER / 8),
		.length8 = (uint16_t)((HEADER + work->length) / 8),
	};
}

static double ns_since(double start, uint32_t packets)
{
	return (bench_seconds() - start) * 1e9 / packets;
}

/* --- The ring ------------------------------------------------------------------------------ */

/* Nanoseconds per packet sent; the consumer takes all at once, by its index alone. */
static double send_all(struct work *work, uint32_t rounds)
{
	struct vmbus_packet_descriptor descriptor = descriptor_of(work);
	const struct hvk_piece pieces[2] = {{&descriptor, HEADER}, {work->payload, work->length}};
	struct hvk_ring_out ring;
	double start;
	bool signal;

	memset(work->pages.base, 0, VMBUS_RING_CONTROL_SIZE);
	hvk_ring_out_init(&ring, &work->pages);
	start = bench_seconds();
	for (uint32_t i = 0; i < rounds; i++) {
		for (uint32_t n = 0; n < work->fits; n++) {
			if (hvk_ring_put(&ring, pieces, 2, &signal) != HVK_OK)
				bench_fail("ring", "no room");
		}
		atomic_store(control(work, VMBUS_RING_READ_INDEX), ring.write);
	}
	return ns_since(start, rounds * work->fits);
}

/* Raw: packets one behind the other, all around. Returns the write index after them. */
static uint32_t produce(const struct work *work, uint32_t index, uint32_t packets)
{
	const struct vmbus_packet_descriptor descriptor = descriptor_of(work);

	for (uint32_t i = 0; i < packets; i++) {
		for (uint32_t n = 0; n < HEADER; n++)
			work->data[(index + n) % DATA] = ((const uint8_t *)&descriptor)[n];
		index = (index + work->packet) % DATA;
	}
	return index;
}

/* Nanoseconds per packet received. */
static double receive_all(struct work *work, uint32_t rounds)
{
	struct vmbus_packet_descriptor descriptor;
	struct hvk_packet_layout layout;
	struct hvk_ring_in ring;
	double taken = 0;
	bool signal;

	memset(work->pages.base, 0, VMBUS_RING_CONTROL_SIZE);
	hvk_ring_in_init(&ring, &work->pages);
	for (uint32_t i = 0; i < rounds; i++) {
		double start;

		atomic_store(control(work, VMBUS_RING_WRITE_INDEX), produce(work, ring.read, work->fits));
		start = bench_seconds();
		for (uint32_t n = 0; n < work->fits; n++) {
			if (hvk_ring_peek(&ring, &descriptor, &layout) != HVK_OK)
				bench_fail("ring", "no packet");
			hvk_ring_copy(&ring, layout.payload_offset, work->to, layout.payload_length);
			hvk_ring_skip(&ring, layout.length);
		}
		if (hvk_ring_show(&ring, &signal) != HVK_OK)
			bench_fail("ring", "not shown");
		taken += bench_seconds() - start;
	}
	return taken * 1e9 / (rounds * work->fits);
}

/* --- memcpy --------------------------------------------------------------------------------- */

/* The payload alone, to or from where the ring would have it. */
static void copy_one(const struct work *work, uint32_t index, bool in)
{
	uint32_t at = (index + HEADER) % DATA, first = DATA - at < work->length ? DATA - at : work->length;
	uint8_t *other = in ? work->to : work->payload;

	if (in) {
		memcpy(other, work->data + at, first);
		memcpy(other + first, work->data, work->length - first);
	} else {
		memcpy(work->data + at, other, first);
		memcpy(work->data, other + first, work->length - first);
	}
	__asm__ volatile("" ::: "memory");
}

static double copy_all(const struct work *work, uint32_t rounds, bool in)
{
	uint32_t index = 0;
	double start = bench_seconds();

	for (uint32_t i = 0; i < rounds; i++) {
		for (uint32_t n = 0; n < work->fits; n++) {
			copy_one(work, index, in);
			index = index + work->packet < DATA ? index + work->packet
							    : index + work->packet - DATA;
		}
	}
	return ns_since(start, rounds * work->fits);
}

/* --- Rows -------------------------------------------------------------------------------------- */

static uint32_t rounds_for(struct work *work, double seconds)
{
	double ns = send_all(work, 4) + receive_all(work, 4) + copy_all(work, 4, true) * 2;
	double rounds = seconds * 1e9 / (ns * work->fits * REPETITIONS);

	return rounds < 1 ? 1 : (uint32_t)rounds;
}

static void measure(struct work *work, uint32_t length, const char *name, double seconds)
{
	double ring[REPETITIONS], copy[REPETITIONS], ratio[REPETITIONS], bare;
	char row[64];
	uint32_t rounds;

	work->length = (length + 7) & ~7u;
	work->packet = HEADER + work->length + TRAILER;
	work->fits = DATA / work->packet - 1;
	rounds = rounds_for(work, seconds);
	for (uint32_t i = 0; i < REPETITIONS; i++) {
		ring[i] = send_all(work, rounds);
		copy[i] = copy_all(work, rounds, false);
		ring[i] += receive_all(work, rounds);
		copy[i] += copy_all(work, rounds, true);
		ratio[i] = copy[i] / ring[i];
	}
	bare = bench_median(copy, REPETITIONS);
	(void)snprintf(row, sizeof(row), "ring_%s_vs_memcpy", name);
	if (length == LARGEST)
		bench_row_repeated(row, ratio, REPETITIONS, "of memcpy", BENCH_AT_LEAST, 0.9, "aim");
	else
		bench_row_repeated(row, ratio, REPETITIONS, "of memcpy", BENCH_BESIDE, 1, "memcpy");
	(void)snprintf(row, sizeof(row), "ring_%s_cost_ns", name);
	bench_row_repeated(row, ring, REPETITIONS, "ns", BENCH_BESIDE, bare, "memcpy");
}

int main(int count, char **arguments)
{
	double seconds = (count > 1 ? atof(arguments[1]) : 1500) / 1000;
	struct work work = {0};
	size_t bytes = VMBUS_RING_CONTROL_SIZE + DATA;

	work.pages = (struct hvk_shared){aligned_alloc(HVK_PAGE_SIZE, bytes), (uint32_t)bytes};
	work.payload = aligned_alloc(HVK_PAGE_SIZE, LARGEST);
	work.to = aligned_alloc(HVK_PAGE_SIZE, LARGEST);
	if (!work.pages.base || !work.payload || !work.to)
		return 1;
	work.data = work.pages.base + VMBUS_RING_CONTROL_SIZE;
	memset(work.pages.base, 0, bytes);
	memset(work.payload, 0x5a, LARGEST);
	memset(work.to, 0, LARGEST);
	measure(&work, 64, "64", seconds);
	measure(&work, 1500, "1500", seconds);
	measure(&work, LARGEST, "65536", seconds);
	free(work.pages.base);
	free(work.payload);
	free(work.to);
	return 0;
}
