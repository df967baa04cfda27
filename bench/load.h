/* SPDX-License-Identifier: MIT */
/*
 * Bursts of frames through a card with one queue or two, each on a CPU of its own: as plain calls,
 * so that they can be counted; or timed, the last CPU as a thread on another processor than the host.
 */
#ifndef BENCH_LOAD_H
#define BENCH_LOAD_H

#include "bench/far.h"
#include "bench/machine.h"

#define LOAD_BURST 256u
#define LOAD_FRAME_MAX 1514u
#define LOAD_ROUNDS_MAX 4096u
#define LOAD_QUEUES_MAX BENCH_CPUS_MAX

enum load_receive {
	LOAD_PLAIN,     /* of a protocol about which the host says nothing */
	LOAD_CHECKSUMS, /* UDP: the host says what it thinks of the checksums */
	LOAD_LENT       /* plain, lent in place */
};

enum load_send {
	LOAD_MANY, /* the burst by hvk_netdev_transmit_many */
	LOAD_MORE, /* frame by frame, all but the last with HVK_TX_MORE */
	LOAD_LONE  /* frame by frame, each in a packet of its own */
};

struct load_way {
	const char *name;
	uint32_t length;
	uint32_t queues;
	bool in;
	enum load_receive receive; /* with two queues always LOAD_CHECKSUMS, and a hash */
	enum load_send send;
	uint32_t burst; /* frames; 0 = LOAD_BURST, which is the most */
	bool vf;        /* by the virtual function beside the card */
};

struct load;

/* What one CPU does: it lies alone in its cache lines. */
struct load_cpu {
	_Alignas(128) struct load *load;
	uint32_t number;
	double seconds; /* of the last step */
	uint64_t received, sent;
	void *lent[LOAD_BURST];
	uint32_t lent_count;
	struct hvk_pages pages; /* of its frames to send, one each */
	struct hvk_buffer pieces[LOAD_BURST];
	struct hvk_tx_frame frames[LOAD_BURST];
	struct hvk_tx_frame *burst[LOAD_BURST]; /* the same */
	uint32_t frame_count;
};

struct load {
	const struct load_way *way;
	uint32_t burst;
	struct bench_machine machine;
	uint8_t in[LOAD_BURST][LOAD_FRAME_MAX];
	uint32_t in_count;
	struct load_cpu cpus[LOAD_QUEUES_MAX];
	struct bench_far *far; /* NULL: plain calls */
	void (*step)(struct load_cpu *cpu);
	double seconds[LOAD_ROUNDS_MAX]; /* of each burst */
};

/* A card that is up and has its queues, and frames for each of them. A burst is of all queues together.
 * far: NULL for plain calls. */
void load_start(struct load *load, const struct load_way *way, struct bench_far *far);
/* Ends the program if anything was allocated meanwhile, lost, asked of the host twice in a burst, or went
 * another way. */
void load_bursts(struct load *load, uint32_t rounds);
/* Seconds that the guest's part of a burst took, on the slower CPU: the median of so many, at most
 * LOAD_ROUNDS_MAX. A burst in which a thread lost its processor does not count for more than any. */
double load_time(struct load *load, uint32_t rounds);
void load_stop(struct load *load);

#endif
