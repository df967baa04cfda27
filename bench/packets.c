/* SPDX-License-Identifier: MIT */
/*
 * Packets in steady bursts: LOAD_BURST of them are in the rings before the guest looks, or are sent
 * before the host does, over one queue or two. Beside them the same bytes by memcpy, and by a bare
 * loop over a ring, which neither NVS nor RNDIS is in.
 *
 *   packets [ROUNDS]             counts: hypercalls, and under callgrind instructions (counts.c)
 *   packets rates [MILLISECONDS] packets per second, per figure in repetitions: host and guest on two
 *                                processors, as bench/far.h has it
 */
#include <stdlib.h>
#include <string.h>

#include "bench/bare_ring.h"
#include "bench/load.h"
#include "bench/phase.h"
#include "bench/report.h"

#define REPETITIONS 15u
#define RING_PAGES 128u
#define COPY_STRIDE 2048u /* as far apart as frames lie in a receive buffer */

/* clang-format off */
/* NAME, length, queues, in, how received, how sent. */
#define WAYS(WAY) \
	WAY(burst_rx_64,              64,   1, true,  PLAIN,     MANY) \
	WAY(burst_rx_64_checksums,    64,   1, true,  CHECKSUMS, MANY) \
	WAY(burst_rx_64_lent,         64,   1, true,  LENT,      MANY) \
	WAY(burst_rx_64_two_queues,   64,   2, true,  CHECKSUMS, MANY) \
	WAY(burst_rx_1500,            1514, 1, true,  PLAIN,     MANY) \
	WAY(burst_rx_1500_checksums,  1514, 1, true,  CHECKSUMS, MANY) \
	WAY(burst_rx_1500_lent,       1514, 1, true,  LENT,      MANY) \
	WAY(burst_rx_1500_two_queues, 1514, 2, true,  CHECKSUMS, MANY) \
	WAY(burst_tx_64,              64,   1, false, PLAIN,     MANY) \
	WAY(burst_tx_64_two_queues,   64,   2, false, PLAIN,     MANY) \
	WAY(burst_tx_64_more,         64,   1, false, PLAIN,     MORE) \
	WAY(burst_tx_64_lone,         64,   1, false, PLAIN,     LONE) \
	WAY(burst_tx_1500,            1514, 1, false, PLAIN,     MANY) \
	WAY(burst_tx_1500_two_queues, 1514, 2, false, PLAIN,     MANY) \
	WAY(burst_tx_1500_more,       1514, 1, false, PLAIN,     MORE) \
	WAY(burst_tx_1500_lone,       1514, 1, false, PLAIN,     LONE)
/* clang-format on */

static struct load the_load;
static struct bare_ring the_ring;

/* --- Beside it ----------------------------------------------------------------------------------- */

/* What the guest would do; the other side's part is done before or after it, untimed. */
struct beside {
	struct bare_ring *ring;
	struct hvk_ring_in in;
	struct hvk_ring_out out;
	uint32_t length;
	uint32_t count;
	double seconds[LOAD_ROUNDS_MAX];
};

static struct beside the_beside;

static uint8_t far_side[LOAD_BURST][COPY_STRIDE], near_side[COPY_STRIDE];

static void copy_in(void *context)
{
	struct beside *beside = context;
	double start = bench_seconds();

	for (uint32_t i = 0; i < LOAD_BURST; i++) {
		memcpy(near_side, far_side[i], beside->length);
		__asm__ volatile("" ::: "memory");
	}
	beside->seconds[beside->count++] = bench_seconds() - start;
}

static void copy_out(void *context)
{
	struct beside *beside = context;
	double start = bench_seconds();

	for (uint32_t i = 0; i < LOAD_BURST; i++) {
		memcpy(far_side[i], near_side, beside->length);
		__asm__ volatile("" ::: "memory");
	}
	beside->seconds[beside->count++] = bench_seconds() - start;
}

static void ring_in(void *context)
{
	struct beside *beside = context;
	double start = bench_seconds();

	bare_ring_receive(beside->ring, &beside->in, LOAD_BURST);
	beside->seconds[beside->count++] = bench_seconds() - start;
}

static void ring_out(void *context)
{
	struct beside *beside = context;
	double start = bench_seconds();

	bare_ring_send(beside->ring, &beside->out, LOAD_BURST, false);
	beside->seconds[beside->count++] = bench_seconds() - start;
}

/* Writes all that the guest is going to read, or reads all that it has written. */
static void touch(uint8_t *data, size_t bytes, bool in)
{
	if (in)
		memset(data, 0x5a, bytes);
	for (size_t i = 0; !in && i < bytes; i += 64)
		(void)*(volatile uint8_t *)&data[i];
}

static double copy_time(struct bench_far *far, uint32_t length, bool in, uint32_t rounds)
{
	struct beside *beside = &the_beside;

	beside->length = length;
	beside->count = 0;
	for (uint32_t i = 0; i < rounds; i++) {
		for (uint32_t n = 0; in && n < LOAD_BURST; n++)
			touch(far_side[n], length, true);
		bench_far_begin(far, in ? copy_in : copy_out, beside);
		bench_far_wait(far);
		for (uint32_t n = 0; !in && n < LOAD_BURST; n++)
			touch(far_side[n], length, false);
	}
	return bench_median(beside->seconds, rounds);
}

/* From the ring's start every time. */
static double ring_time(struct bench_far *far, bool in, uint32_t rounds)
{
	struct beside *beside = &the_beside;
	size_t used = (size_t)LOAD_BURST * the_ring.packet;

	beside->ring = &the_ring;
	beside->count = 0;
	for (uint32_t i = 0; i < rounds; i++) {
		bare_ring_clear(&the_ring);
		hvk_ring_in_init(&beside->in, &the_ring.pages);
		hvk_ring_out_init(&beside->out, &the_ring.pages);
		if (in) {
			touch(the_ring.data, used, true);
			bare_ring_show(&the_ring, VMBUS_RING_WRITE_INDEX,
				       bare_ring_produce(&the_ring, 0, LOAD_BURST));
		}
		bench_far_begin(far, in ? ring_in : ring_out, beside);
		bench_far_wait(far);
		if (!in)
			touch(the_ring.data, used, false);
	}
	return bench_median(beside->seconds, rounds);
}

/* --- Counts -------------------------------------------------------------------------------------- */

static uint32_t rounds_counted;

#define DEFINE_PHASE(name, ...) PHASE(name, struct load *, load, load_bursts(load, rounds_counted))
WAYS(DEFINE_PHASE)
PHASE(bare_rx_64, uint32_t, rounds, (void)ring_time(NULL, true, rounds))
PHASE(bare_rx_1500, uint32_t, rounds, (void)ring_time(NULL, true, rounds))
PHASE(bare_tx_64, uint32_t, rounds, (void)ring_time(NULL, false, rounds))
PHASE(bare_tx_1500, uint32_t, rounds, (void)ring_time(NULL, false, rounds))

#define DEFINE_WAY(name, length, queues, in, how, sent) \
	{{#name, length, queues, in, LOAD_##how, LOAD_##sent, LOAD_BURST, false}, phase_##name},
static const struct {
	struct load_way way;
	void (*phase)(struct load *load);
} ways[] = {WAYS(DEFINE_WAY)};
#define WAY_COUNT (sizeof(ways) / sizeof(ways[0]))

static void count(void)
{
	for (size_t i = 0; i < WAY_COUNT; i++) {
		const struct load_way *way = &ways[i].way;
		double packets = (double)rounds_counted * LOAD_BURST;
		char row[80];
		uint64_t calls;

		load_start(&the_load, way, NULL);
		calls = bench_hypercalls(&the_load.machine);
		phase_begin();
		ways[i].phase(&the_load);
		printf("per\t%s\t%u\n", way->name, rounds_counted * LOAD_BURST);
		calls = bench_hypercalls(&the_load.machine) - calls;
		(void)snprintf(row, sizeof(row), "%s_hypercalls_per_1000", way->name);
		bench_row(row, (double)calls * 1000 / packets, "hypercalls", BENCH_AT_MOST,
			  1000.0 * way->queues / LOAD_BURST, "one per burst and queue");
		load_stop(&the_load);
	}
	bare_ring_set_length(&the_ring, 64);
	RUN(bare_rx_64, rounds_counted, rounds_counted * LOAD_BURST);
	RUN(bare_tx_64, rounds_counted, rounds_counted * LOAD_BURST);
	bare_ring_set_length(&the_ring, LOAD_FRAME_MAX);
	RUN(bare_rx_1500, rounds_counted, rounds_counted * LOAD_BURST);
	RUN(bare_tx_1500, rounds_counted, rounds_counted * LOAD_BURST);
}

/* --- Rates ----------------------------------------------------------------------------------------- */

struct rates {
	double card[REPETITIONS], ring[REPETITIONS], copy[REPETITIONS];
};

static double rate(double seconds_of_burst)
{
	return LOAD_BURST / seconds_of_burst;
}

static void rows(const struct load_way *way, struct rates *rates)
{
	double beside[REPETITIONS];
	char row[80];

	for (uint32_t i = 0; i < REPETITIONS; i++)
		beside[i] = rates->card[i] / rates->ring[i];
	(void)snprintf(row, sizeof(row), "%s_rate", way->name);
	bench_row_repeated(row, rates->card, REPETITIONS, "packets/s", BENCH_BESIDE,
			   bench_median(rates->copy, REPETITIONS), "memcpy of the same bytes");
	(void)snprintf(row, sizeof(row), "%s_vs_ring", way->name);
	bench_row_repeated(row, beside, REPETITIONS, "of the bare ring", BENCH_BESIDE,
			   bench_median(rates->ring, REPETITIONS), "packets/s of a bare loop");
}

static void time_way(struct bench_far *far, const struct load_way *way, double seconds)
{
	struct rates rates;
	double once, limit;
	uint32_t rounds = 1;

	bare_ring_set_length(&the_ring, way->length);
	load_start(&the_load, way, far);
	/* The host's part takes time, too, and is not measured: so many rounds by the clock. */
	once = bench_seconds();
	load_bursts(&the_load, 16);
	limit = seconds / REPETITIONS;
	once = (bench_seconds() - once) / 16;
	if (limit > once)
		rounds = (uint32_t)(limit / once);
	if (rounds > LOAD_ROUNDS_MAX)
		rounds = LOAD_ROUNDS_MAX;
	for (uint32_t i = 0; i < REPETITIONS; i++) { /* in turns: what disturbs one disturbs the others */
		rates.card[i] = rate(load_time(&the_load, rounds));
		rates.ring[i] = rate(ring_time(far, way->in, rounds));
		rates.copy[i] = rate(copy_time(far, way->length, way->in, rounds));
	}
	load_stop(&the_load);
	rows(way, &rates);
}

static void time_all(double seconds)
{
	struct bench_far *far = bench_far_create();

	if (!far)
		(void)fprintf(stderr, "bench: packets per second want two processors\n");
	for (size_t i = 0; far && i < WAY_COUNT; i++)
		time_way(far, &ways[i].way, seconds);
	bench_far_destroy(far);
}

int main(int argument_count, char **arguments)
{
	bool rates = argument_count > 1 && strcmp(arguments[1], "rates") == 0;

	bare_ring_create(&the_ring, RING_PAGES, LOAD_FRAME_MAX + 7);
	if (rates) {
		time_all((argument_count > 2 ? atof(arguments[2]) : 600) / 1000);
	} else {
		rounds_counted = argument_count > 1 ? (uint32_t)atoi(arguments[1]) : 8;
		count();
	}
	bare_ring_destroy(&the_ring);
	return 0;
}
