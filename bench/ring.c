/* SPDX-License-Identifier: MIT */
/*
 * The ring beside its limit. The guest's half, guest/vmbus/ring.c, is timed; the other half is
 * raw (bare_ring.h). Beside it, in turns, the same bytes are copied by memcpy to and from the same places.
 *
 *   ring [MILLISECONDS]     per figure, in repetitions of which the median counts
 */
#include <stdlib.h>
#include <string.h>

#include "bench/bare_ring.h"
#include "bench/report.h"

#define RING_PAGES 128u /* 512 KiB: what fits one side's cache, and seven of the largest packets */
#define DATA (RING_PAGES * HVK_PAGE_SIZE)
#define LARGEST 65536u
#define REPETITIONS 15u

struct work {
	struct bare_ring ring;
	uint32_t fits; /* packets in the ring at once */
};

static double ns_since(double start, uint32_t packets)
{
	return (bench_seconds() - start) * 1e9 / packets;
}

/* --- The ring ------------------------------------------------------------------------------ */

/* Nanoseconds per packet sent; the consumer takes all at once, by its index alone. */
static double send_all(struct work *work, uint32_t rounds)
{
	struct hvk_ring_out ring;
	double start;

	bare_ring_clear(&work->ring);
	hvk_ring_out_init(&ring, &work->ring.pages);
	start = bench_seconds();
	for (uint32_t i = 0; i < rounds; i++) {
		bare_ring_send(&work->ring, &ring, work->fits, true);
		bare_ring_show(&work->ring, VMBUS_RING_READ_INDEX, ring.write);
	}
	return ns_since(start, rounds * work->fits);
}

/* Nanoseconds per packet received. */
static double receive_all(struct work *work, uint32_t rounds)
{
	struct hvk_ring_in ring;
	double taken = 0;

	bare_ring_clear(&work->ring);
	hvk_ring_in_init(&ring, &work->ring.pages);
	for (uint32_t i = 0; i < rounds; i++) {
		double start;

		bare_ring_show(&work->ring, VMBUS_RING_WRITE_INDEX,
			       bare_ring_produce(&work->ring, ring.read, work->fits));
		start = bench_seconds();
		bare_ring_receive(&work->ring, &ring, work->fits);
		taken += bench_seconds() - start;
	}
	return taken * 1e9 / (rounds * work->fits);
}

/* --- memcpy --------------------------------------------------------------------------------- */

/* The payload alone, to or from where the ring would have it. */
static void copy_one(const struct bare_ring *work, uint32_t index, bool in)
{
	uint32_t at = (index + BARE_HEADER) % DATA,
		 first = DATA - at < work->length ? DATA - at : work->length;
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
			copy_one(&work->ring, index, in);
			index = (index + work->ring.packet) % DATA;
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

	bare_ring_set_length(&work->ring, length);
	work->fits = DATA / work->ring.packet - 1;
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

	bare_ring_create(&work.ring, RING_PAGES, LARGEST);
	measure(&work, 64, "64", seconds);
	measure(&work, 1500, "1500", seconds);
	measure(&work, LARGEST, "65536", seconds);
	bare_ring_destroy(&work.ring);
	return 0;
}
