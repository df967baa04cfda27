/* SPDX-License-Identifier: MIT */
/*
 * The virtual function beside the card: what a frame costs by the one and by the other, in the same bursts,
 * in one run; what its coming and going costs, and for how long no frame comes through while the data path
 * moves.
 *
 *   vf [ROUNDS]             counts: exits, interrupts, and under callgrind instructions (counts.c)
 *   vf rates [MILLISECONDS] packets per second, per figure in repetitions, as packets.c has them; switches
 */
#include <stdlib.h>
#include <string.h>

#include "bench/accelerated.h"
#include "bench/load.h"
#include "bench/phase.h"
#include "bench/report.h"

#define REPETITIONS 15u
#define BURST 128u /* as many as a queue of 256 takes: each has its header beside it */
#define SWITCHES 64u
#define SWITCH_TURNS_MAX 10000u
#define TURNS_BESIDE 256u

/* clang-format off */
/* NAME, length, queues, in, how received. */
#define WAYS(WAY) \
	WAY(rx_64,             64,   1, true,  PLAIN) \
	WAY(rx_64_checksums,   64,   1, true,  CHECKSUMS) \
	WAY(rx_1500,           1514, 1, true,  PLAIN) \
	WAY(tx_64,             64,   1, false, PLAIN) \
	WAY(tx_64_two_queues,  64,   2, false, PLAIN) \
	WAY(tx_1500,           1514, 1, false, PLAIN)
/* clang-format on */

static struct load by_vf, by_card;
static uint32_t rounds_counted;

#define DEFINE_PHASES(name, ...)                                                 \
	PHASE(vf_##name, struct load *, load, load_bursts(load, rounds_counted)) \
	PHASE(vf_beside_##name, struct load *, load, load_bursts(load, rounds_counted))
WAYS(DEFINE_PHASES)

#define DEFINE_WAY(name, length, queues, in, how)                                       \
	{{"vf_" #name, length, queues, in, LOAD_##how, LOAD_MANY, BURST, true},         \
	 {"vf_beside_" #name, length, queues, in, LOAD_##how, LOAD_MANY, BURST, false}, \
	 phase_vf_##name,                                                               \
	 phase_vf_beside_##name},
static const struct {
	struct load_way vf, card;
	void (*vf_phase)(struct load *load);
	void (*card_phase)(struct load *load);
} ways[] = {WAYS(DEFINE_WAY)};
#define WAY_COUNT (sizeof(ways) / sizeof(ways[0]))

/* --- Counts ---------------------------------------------------------------------------------------- */

struct counts {
	double exits, interrupts; /* per 1,000 frames */
};

static struct counts count_way(struct load *load, const struct load_way *way,
			       void (*phase)(struct load *load))
{
	double thousands = (double)rounds_counted * BURST / 1000;
	uint64_t exits, interrupts;

	load_start(load, way, NULL);
	exits = bench_exits(&load->machine);
	interrupts = load->machine.interrupts;
	phase_begin();
	phase(load);
	printf("per\t%s\t%u\n", way->name, rounds_counted * BURST);
	exits = bench_exits(&load->machine) - exits;
	interrupts = load->machine.interrupts - interrupts;
	load_stop(load);
	return (struct counts){(double)exits / thousands, (double)interrupts / thousands};
}

static void count_ways(void)
{
	for (size_t i = 0; i < WAY_COUNT; i++) {
		struct counts card = count_way(&by_card, &ways[i].card, ways[i].card_phase);
		struct counts vf = count_way(&by_vf, &ways[i].vf, ways[i].vf_phase);
		char row[80];

		(void)snprintf(row, sizeof(row), "%s_exits_per_1000", ways[i].vf.name);
		bench_row(row, vf.exits, "exits", BENCH_BESIDE, card.exits, "by the card");
		(void)snprintf(row, sizeof(row), "%s_interrupts_per_1000", ways[i].vf.name);
		bench_row(row, vf.interrupts, "interrupts", BENCH_BESIDE, card.interrupts, "by the card");
	}
}

/* --- Comings and goings ------------------------------------------------------------------------------ */

static const struct hvk_virtio_net_config one_queue = {.queues = 1};

static void start(struct bench_machine *machine)
{
	const struct bench_config config = {.events = true, .nic = true, .vf = true};

	bench_start(machine, &config);
}

static void switch_to_vf(struct bench_machine *machine)
{
	hvk_vf_attach_complete(machine->vf);
	bench_vf_await(machine, HVK_VF_ACTIVE);
}

static void switch_to_card(struct bench_machine *machine)
{
	bench_vf_ask_back(machine);
	bench_vf_await(machine, HVK_VF_READY);
}

PHASE(vf_pair, struct bench_machine *, machine, bench_vf_pair(machine, &one_queue))
PHASE(vf_switch_to_vf, struct bench_machine *, machine, switch_to_vf(machine))
PHASE(vf_switch_to_card, struct bench_machine *, machine, switch_to_card(machine))
PHASE(vf_remove, struct bench_machine *, machine, bench_vf_remove(machine))

#define STEPS(STEP) STEP(vf_pair) STEP(vf_switch_to_vf) STEP(vf_switch_to_card) STEP(vf_remove)
#define DEFINE_STEP(name) {#name, phase_##name},
static const struct {
	const char *name;
	void (*phase)(struct bench_machine *machine);
} steps[] = {STEPS(DEFINE_STEP)};

static void count_step(struct bench_machine *machine, size_t step)
{
	uint64_t hypercalls = bench_hypercalls(machine), accesses = machine->accesses;
	char row[80];

	phase_begin();
	steps[step].phase(machine);
	printf("per\t%s\t1\n", steps[step].name);
	(void)snprintf(row, sizeof(row), "%s_hypercalls", steps[step].name);
	bench_row(row, (double)(bench_hypercalls(machine) - hypercalls), "hypercalls", BENCH_BESIDE, 0,
		  "none");
	(void)snprintf(row, sizeof(row), "%s_accesses", steps[step].name);
	bench_row(row, (double)(machine->accesses - accesses), "accesses to the device", BENCH_BESIDE, 0,
		  "none");
}

static void count_life(void)
{
	static struct bench_machine machine;

	start(&machine);
	bench_vf_attach(&machine, &one_queue);
	bench_vf_detach(&machine);
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++)
		count_step(&machine, i);
	bench_stop(&machine);
}

/* --- Rates --------------------------------------------------------------------------------------------- */

static void time_way(struct bench_far *far, size_t way, double seconds)
{
	double vf[REPETITIONS], card[REPETITIONS], beside[REPETITIONS], once = bench_seconds(), limit;
	uint32_t rounds = 1;
	char row[80];

	load_start(&by_vf, &ways[way].vf, far);
	load_start(&by_card, &ways[way].card, far);
	once = bench_seconds();
	load_bursts(&by_vf, 16);
	load_bursts(&by_card, 16);
	once = (bench_seconds() - once) / 16;
	limit = seconds / REPETITIONS;
	if (limit > once)
		rounds = (uint32_t)(limit / once);
	if (rounds > LOAD_ROUNDS_MAX)
		rounds = LOAD_ROUNDS_MAX;
	for (uint32_t i = 0; i < REPETITIONS; i++) { /* in turns: what disturbs one disturbs the other */
		vf[i] = BURST / load_time(&by_vf, rounds);
		card[i] = BURST / load_time(&by_card, rounds);
		beside[i] = vf[i] / card[i];
	}
	load_stop(&by_vf);
	load_stop(&by_card);
	(void)snprintf(row, sizeof(row), "%s_rate", ways[way].vf.name);
	bench_row_repeated(row, vf, REPETITIONS, "packets/s", BENCH_BESIDE, bench_median(card, REPETITIONS),
			   "by the card");
	(void)snprintf(row, sizeof(row), "%s_vs_card", ways[way].vf.name);
	bench_row_repeated(row, beside, REPETITIONS, "of the card", BENCH_BESIDE, 1, "as fast");
}

static void time_ways(double seconds)
{
	struct bench_far *far = bench_far_create();

	if (!far)
		(void)fprintf(stderr, "bench: packets per second want two processors\n");
	for (size_t i = 0; far && i < WAY_COUNT; i++)
		time_way(far, i, seconds);
	bench_far_destroy(far);
}

/* --- Switches under traffic --------------------------------------------------------------------------- */

/* One frame each way in each turn. */
struct traffic {
	struct bench_machine machine;
	uint8_t in[64];
	struct hvk_pages page;
	struct hvk_buffer piece;
	struct hvk_tx_frame out;
	bool under_way;
	uint64_t offered, taken, received;
	double last_in, last_out, gap_in, gap_out; /* seconds */
};

static void note(double *last, double *gap)
{
	double now = bench_seconds();

	if (now - *last > *gap)
		*gap = now - *last;
	*last = now;
}

static void input(void *context, struct hvk_netdev *netdev, const struct hvk_rx_frame *frame)
{
	struct traffic *traffic = context;

	(void)netdev;
	(void)frame;
	traffic->received++;
	note(&traffic->last_in, &traffic->gap_in);
}

static void sent(struct hvk_tx_frame *frame, hvk_status status, void *context)
{
	(void)frame;
	(void)status;
	((struct traffic *)context)->under_way = false;
}

static void traffic_turn(struct traffic *traffic)
{
	struct bench_machine *machine = &traffic->machine;
	uint64_t out = machine->frames_out;

	traffic->offered += hvh_nic_receive(machine->host_nic, machine->now, traffic->in,
					    sizeof(traffic->in));
	if (!traffic->under_way && hvk_netdev_transmit(machine->netdev, &traffic->out) == HVK_TX_TAKEN) {
		traffic->under_way = true;
		traffic->taken++;
	}
	bench_vf_turn(machine);
	if (machine->frames_out != out)
		note(&traffic->last_out, &traffic->gap_out);
}

/* Seconds of the longest time without a frame, until that state, and a frame each way beyond it. */
static void watch(struct traffic *traffic, enum hvk_vf_state state, double *gap_in, double *gap_out)
{
	struct hvk_vf_info info;
	uint64_t in = UINT64_MAX, out = UINT64_MAX;

	traffic->last_in = traffic->last_out = bench_seconds();
	traffic->gap_in = traffic->gap_out = 0;
	for (uint32_t i = 0; i < SWITCH_TURNS_MAX; i++) {
		traffic_turn(traffic);
		hvk_vf_get_info(traffic->machine.vf, &info);
		if (info.state == state && in == UINT64_MAX) {
			in = traffic->received;
			out = traffic->machine.frames_out;
		}
		if (traffic->received > in && traffic->machine.frames_out > out) {
			*gap_in = traffic->gap_in * 1e6;
			*gap_out = traffic->gap_out * 1e6;
			return;
		}
	}
	bench_fail(hvk_vf_state_name(state), "no frames come through");
}

static void start_traffic(struct traffic *traffic)
{
	struct bench_machine *machine = &traffic->machine;
	const struct hvk_port *port = &machine->port;

	start(machine);
	machine->netdev->hooks = (struct hvk_netdev_hooks){.input = input, .context = traffic};
	memcpy(traffic->in, machine->netdev->info.mac, 6);
	traffic->in[12] = 0x88;
	traffic->in[13] = 0xb5;
	if (port->pages_alloc(port->context, 1, HVK_PAGE_HOST_READS, &traffic->page) != HVK_OK)
		bench_fail("frames", "out of memory");
	memcpy(traffic->page.address, traffic->in, sizeof(traffic->in));
	traffic->piece = (struct hvk_buffer){traffic->page.address,
					     port->page_gpa(port->context, traffic->page.address),
					     sizeof(traffic->in)};
	traffic->out = (struct hvk_tx_frame){.pieces = &traffic->piece,
					     .piece_count = 1,
					     .length = sizeof(traffic->in),
					     .done = sent,
					     .context = traffic};
}

/* What was there is through: nothing is lost as the host moves the data path before it asks. */
static void stop_traffic(struct traffic *traffic)
{
	struct bench_machine *machine = &traffic->machine;
	const struct hvk_port *port = &machine->port;

	bench_settle(machine);
	if (traffic->received != traffic->offered || traffic->under_way ||
	    machine->frames_out != traffic->taken)
		bench_fail("switches", "frames were lost");
	port->pages_free(port->context, &traffic->page);
	bench_stop(machine);
}

static double turn_time(struct traffic *traffic)
{
	double begun = bench_seconds();

	for (uint32_t i = 0; i < TURNS_BESIDE; i++)
		traffic_turn(traffic);
	return (bench_seconds() - begun) * 1e6 / TURNS_BESIDE;
}

static void time_switches(void)
{
	static struct traffic traffic;
	static double in[2][SWITCHES], out[2][SWITCHES], beside[2][SWITCHES];

	start_traffic(&traffic);
	for (uint32_t i = 0; i < SWITCHES; i++) {
		bench_vf_pair(&traffic.machine, &one_queue);
		beside[0][i] = turn_time(&traffic);
		hvk_vf_attach_complete(traffic.machine.vf);
		watch(&traffic, HVK_VF_ACTIVE, &in[0][i], &out[0][i]);
		beside[1][i] = turn_time(&traffic);
		bench_vf_ask_back(&traffic.machine);
		watch(&traffic, HVK_VF_READY, &in[1][i], &out[1][i]);
		bench_vf_remove(&traffic.machine);
	}
	stop_traffic(&traffic);
	for (int i = 0; i < 2; i++) {
		double turn = bench_median(beside[i], SWITCHES);

		bench_row_repeated(i ? "vf_switch_to_card_rx_gap_us" : "vf_switch_to_vf_rx_gap_us", in[i],
				   SWITCHES, "us", BENCH_BESIDE, turn, "between two frames otherwise");
		bench_row_repeated(i ? "vf_switch_to_card_tx_gap_us" : "vf_switch_to_vf_tx_gap_us", out[i],
				   SWITCHES, "us", BENCH_BESIDE, turn, "between two frames otherwise");
	}
}

int main(int argument_count, char **arguments)
{
	if (argument_count > 1 && strcmp(arguments[1], "rates") == 0) {
		time_ways((argument_count > 2 ? atof(arguments[2]) : 600) / 1000);
		time_switches();
		return 0;
	}
	rounds_counted = argument_count > 1 ? (uint32_t)atoi(arguments[1]) : 8;
	count_ways();
	count_life();
	return 0;
}
