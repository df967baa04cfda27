/* SPDX-License-Identifier: MIT */
/*
 * Coming up: hypercalls until the first frame is with the host, and the most memory that was
 * taken from the port until then and while frames flow.
 */
#include <string.h>

#include "bench/machine.h"
#include "bench/report.h"

#define KIB 1024.0
#define FRAMES 512u

static uint32_t received;

static void input(void *context, struct hvk_netdev *netdev, const struct hvk_rx_frame *frame)
{
	(void)context;
	(void)netdev;
	(void)frame;
	received++;
}

static void send(struct bench_machine *machine)
{
	static uint8_t data[64];
	struct hvk_buffer piece = {data, 0, sizeof(data)};
	struct hvk_tx_frame frame = {.pieces = &piece, .piece_count = 1, .length = sizeof(data)};

	memset(data, 0xff, 6);
	if (hvk_netdev_transmit(machine->netdev, &frame) != HVK_TX_TAKEN)
		bench_fail("first frame", "not taken");
	bench_host(machine);
	bench_settle(machine);
	if (machine->frames_out != 1)
		bench_fail("first frame", "did not reach the host");
}

/* A figure of a card that does not work is none: it moves frames, too. */
static void exchange(struct bench_machine *machine)
{
	uint8_t frame[1514] = {0};

	machine->netdev->hooks = (struct hvk_netdev_hooks){.input = input};
	memcpy(frame, machine->netdev->info.mac, 6);
	received = 0;
	for (uint32_t i = 0; i < FRAMES; i++) {
		while (!hvh_nic_receive(machine->host_nic, machine->now, frame, sizeof(frame)))
			bench_settle(machine);
		if (i % 16 == 15)
			bench_settle(machine);
	}
	bench_settle(machine);
	if (received != FRAMES)
		bench_fail("frames", "not all came in");
}

static uint64_t run(const struct bench_config *config, struct hvh_counters *counters)
{
	struct bench_machine machine;
	uint32_t most;

	bench_start(&machine, config);
	send(&machine);
	hvh_get_counters(machine.partition, counters);
	counters->hypercalls = machine.first_frame_hypercalls;
	exchange(&machine);
	most = machine.pages_most;
	bench_stop(&machine);
	return (uint64_t)most * HVK_PAGE_SIZE;
}

static void hypercalls(const char *name, const char *profile, bool boot_mode)
{
	const struct bench_config config = {
		.profile = profile, .events = !boot_mode, .boot_mode = boot_mode, .nic = true};
	struct hvh_counters counters;

	(void)run(&config, &counters);
	bench_row(name, (double)counters.hypercalls, "hypercalls", BENCH_BESIDE, (double)counters.posts,
		  "messages of VMBus alone");
}

int main(void)
{
	/* What a boot loader would choose: no send buffer of its own, little of everything. */
	const struct bench_config boot = {
		.boot_mode = true,
		.nic = true,
		.card = {.ring_pages = 4, .receive_buffer_pages = 64, .send_buffer_pages = 16},
	};
	const struct bench_config least = {
		.boot_mode = true,
		.nic = true,
		.card = {.ring_pages = 1, .receive_buffer_pages = 16, .send_buffer_pages = 2},
	};
	const struct bench_config standard = {.events = true, .nic = true};
	struct hvh_counters counters;

	hypercalls("boot_hypercalls", "ws2022", false);
	hypercalls("boot_hypercalls_boot_mode", "ws2022", true);
	hypercalls("boot_hypercalls_ws2012r2", "ws2012r2", false);
	hypercalls("boot_hypercalls_ws2008r2", "ws2008r2", false);
	bench_row("guest_ram_boot_bytes", (double)run(&boot, &counters), "bytes", BENCH_AT_MOST, 512 * KIB,
		  "aim");
	bench_row("guest_ram_least_bytes", (double)run(&least, &counters), "bytes", BENCH_AT_MOST, 512 * KIB,
		  "aim");
	bench_row("guest_ram_default_bytes", (double)run(&standard, &counters), "bytes", BENCH_AT_MOST,
		  8 * KIB * KIB, "aim");
	return 0;
}
