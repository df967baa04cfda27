/* SPDX-License-Identifier: MIT */
/*
 * What moving packets costs, in figures that are the same on every run: signals and copies
 * are counted here; instructions are counted by callgrind, which this program is run under
 * a second time. Each phase is a function of its own, phase_NAME: callgrind dumps what was
 * executed in it, and scripts/bench-instructions adds up what was executed in guest/.
 *
 *   counts [ROUNDS]      rounds of BATCH packets per phase
 */
#include <string.h>

#include "bench/machine.h"
#include "bench/phase.h"
#include "bench/report.h"
#include "guest/vmbus/ring.h"

#define BATCH 32u /* packets per interrupt, and per look of the host */
#define FRAME_MAX 1514u
#define RING_PAGES 64u

struct load {
	struct bench_machine machine;
	uint8_t frame[FRAME_MAX];
	struct hvk_pages pages;
	struct hvk_buffer pieces[BATCH];
	struct hvk_tx_frame frames[BATCH];
	uint32_t rounds; /* of BATCH packets */
	uint64_t received, sent;
	void *lent[BATCH];
	uint32_t lent_count;
};

/* --- Frames in and out ------------------------------------------------------------------- */

static void input(void *context, struct hvk_netdev *netdev, const struct hvk_rx_frame *frame)
{
	struct load *load = context;

	(void)netdev;
	load->received++;
	if (frame->owner)
		load->lent[load->lent_count++] = frame->owner;
}

static void done(struct hvk_tx_frame *frame, hvk_status status, void *context)
{
	(void)frame;
	(void)status;
	((struct load *)context)->sent++;
}

static void start(struct load *load, const struct bench_config *config)
{
	struct hvk_netdev_hooks hooks = {.input = input, .context = load};
	const struct hvk_port *port = &load->machine.port;

	memset(load, 0, sizeof(*load));
	bench_start(&load->machine, config);
	load->machine.netdev->hooks = hooks;
	memcpy(load->frame, load->machine.netdev->info.mac, 6);
	load->frame[12] = 0x88;
	load->frame[13] = 0xb5;
	if (port->pages_alloc(port->context, BATCH, HVK_PAGE_HOST_READS, &load->pages) != HVK_OK)
		bench_fail("frames", "out of memory");
}

static void stop(struct load *load)
{
	load->machine.port.pages_free(load->machine.port.context, &load->pages);
	bench_stop(&load->machine);
}

static void receive_batch(struct load *load, uint32_t length, uint32_t batch)
{
	for (uint32_t i = 0; i < batch; i++) {
		if (!hvh_nic_receive(load->machine.host_nic, load->machine.now, load->frame, length))
			bench_fail("frames", "the host dropped one");
	}
	bench_host(&load->machine);
	bench_guest(&load->machine);
	while (load->lent_count)
		hvk_netdev_release(load->machine.netdev, load->lent[--load->lent_count]);
	bench_host(&load->machine);
}

static void receive(struct load *load, uint32_t length, uint32_t batch, uint32_t rounds)
{
	uint64_t wanted = load->received + (uint64_t)rounds * batch;

	for (uint32_t i = 0; i < rounds; i++)
		receive_batch(load, length, batch);
	bench_settle(&load->machine);
	if (load->received != wanted)
		bench_fail("frames", "not all came in");
}

static void send_one(struct load *load, uint32_t i, uint32_t length, uint32_t flags)
{
	uint8_t *data = (uint8_t *)load->pages.address + (size_t)i * HVK_PAGE_SIZE;

	memcpy(data, load->frame, 14);
	load->pieces[i] = (struct hvk_buffer){
		data, load->machine.port.page_gpa(load->machine.port.context, data), length};
	load->frames[i] = (struct hvk_tx_frame){
		.pieces = &load->pieces[i],
		.piece_count = 1,
		.length = length,
		.done = done,
		.context = load,
		.flags = flags,
	};
	if (hvk_netdev_transmit(load->machine.netdev, &load->frames[i]) != HVK_TX_TAKEN)
		bench_fail("frames", "one was not taken");
}

/* burst: all but the last of a batch say that more follow. */
static void transmit(struct load *load, uint32_t length, bool burst, uint32_t rounds)
{
	uint64_t wanted = load->sent + (uint64_t)rounds * BATCH;

	for (uint32_t i = 0; i < rounds; i++) {
		for (uint32_t n = 0; n < BATCH; n++)
			send_one(load, n, length, burst && n + 1 < BATCH ? HVK_TX_MORE : 0);
		bench_host(&load->machine);
		bench_guest(&load->machine);
	}
	bench_settle(&load->machine);
	if (load->sent != wanted)
		bench_fail("frames", "not all were completed");
}

/* --- Phases ----------------------------------------------------------------------------------- */

PHASE(rx_64, struct load *, load, receive(load, 64, BATCH, load->rounds))
PHASE(rx_64_alone, struct load *, load, receive(load, 64, 1, load->rounds *BATCH))
PHASE(rx_64_unbatched, struct load *, load, receive(load, 64, BATCH, load->rounds))
PHASE(rx_1500, struct load *, load, receive(load, FRAME_MAX, BATCH, load->rounds))
PHASE(tx_64, struct load *, load, transmit(load, 64, true, load->rounds))
PHASE(tx_64_alone, struct load *, load, transmit(load, 64, false, load->rounds))
PHASE(tx_1500, struct load *, load, transmit(load, FRAME_MAX, true, load->rounds))
PHASE(rx_64_borrowed, struct load *, load, receive(load, 64, BATCH, load->rounds))
PHASE(rx_1500_borrowed, struct load *, load, receive(load, FRAME_MAX, BATCH, load->rounds))
PHASE(tx_1500_by_page, struct load *, load, transmit(load, FRAME_MAX, true, load->rounds))
/* --- Counted here ----------------------------------------------------------------------------- */

struct seen {
	struct hvk_channel_counters channel;
	struct hvk_netdev_counters nic;
	struct hvh_counters host;
};

static void look(struct load *load, struct seen *seen)
{
	hvk_channel_get_counters(load->machine.nic_channel, &seen->channel);
	hvk_netdev_get_counters(load->machine.netdev, &seen->nic);
	hvh_get_counters(load->machine.partition, &seen->host);
}

static void copies(struct load *load, const char *name, double limit, uint32_t rounds)
{
	struct seen before, after;

	look(load, &before);
	receive(load, FRAME_MAX, BATCH, rounds);
	look(load, &after);
	bench_row(name,
		  (double)(after.nic.rx_copied - before.nic.rx_copied) /
			  (double)(after.nic.rx_bytes - before.nic.rx_bytes),
		  "copies", BENCH_AT_MOST, limit, "the least");
}

static void signals(struct load *load, bool in, uint32_t rounds)
{
	double packets = (double)rounds * BATCH;
	struct seen before, after;

	look(load, &before);
	if (in)
		receive(load, 64, BATCH, rounds);
	else
		transmit(load, 64, true, rounds);
	look(load, &after);
	bench_row(in ? "signals_per_1000_packets_rx" : "signals_per_1000_packets_tx",
		  (double)(after.channel.signals - before.channel.signals) * 1000 / packets, "signals",
		  BENCH_AT_MOST, 1000.0 / BATCH, "one per batch of 32");
	bench_row(in ? "interrupts_per_1000_packets_rx" : "interrupts_per_1000_packets_tx",
		  (double)(after.host.interrupts - before.host.interrupts) * 1000 / packets, "interrupts",
		  BENCH_AT_MOST, 1000.0 / BATCH, "one per batch of 32");
}

/* The buffers of a real card, so that sizes and wrap-arounds are those of real use. */
static void copied(uint32_t rounds)
{
	static struct load load;
	const struct bench_config config = {.events = true, .nic = true};

	start(&load, &config);
	load.rounds = rounds;
	receive(&load, 64, BATCH, rounds); /* what happens once has happened */
	transmit(&load, 64, true, rounds);
	RUN(rx_64, &load, rounds * BATCH);
	RUN(rx_64_alone, &load, rounds * BATCH);
	RUN(rx_1500, &load, rounds * BATCH);
	RUN(tx_64, &load, rounds * BATCH);
	RUN(tx_64_alone, &load, rounds * BATCH);
	RUN(tx_1500, &load, rounds * BATCH);
	copies(&load, "rx_copies_per_message", 1, rounds);
	signals(&load, true, rounds);
	signals(&load, false, rounds);
	stop(&load);
}

static void borrowed(uint32_t rounds)
{
	static struct load load;
	const struct bench_config config = {.events = true, .nic = true, .card = {.rx_borrow = 2 * BATCH}};

	start(&load, &config);
	load.rounds = rounds;
	receive(&load, 64, BATCH, rounds);
	RUN(rx_64_borrowed, &load, rounds * BATCH);
	RUN(rx_1500_borrowed, &load, rounds * BATCH);
	copies(&load, "rx_copies_per_message_borrowed", 0, rounds);
	stop(&load);
}

/* A host that puts each frame into a packet of its own, so that each has its completion. */
static void unbatched(uint32_t rounds)
{
	static struct load load;
	const struct bench_config config = {.events = true, .nic = true, .ranges_max = 1};

	start(&load, &config);
	load.rounds = rounds;
	receive(&load, 64, BATCH, rounds);
	RUN(rx_64_unbatched, &load, rounds * BATCH);
	stop(&load);
}

static void by_page(uint32_t rounds)
{
	static struct load load;
	const struct bench_config config = {
		.events = true, .nic = true, .card = {.send_buffer_pages = HVK_NETVSC_NO_SEND_BUFFER}};

	start(&load, &config);
	load.rounds = rounds;
	transmit(&load, FRAME_MAX, true, rounds);
	RUN(tx_1500_by_page, &load, rounds * BATCH);
	stop(&load);
}

int main(int count, char **arguments)
{
	uint32_t rounds = count > 1 ? (uint32_t)atoi(arguments[1]) : 64;

	copied(rounds);
	borrowed(rounds);
	unbatched(rounds);
	by_page(rounds);
	return 0;
}
