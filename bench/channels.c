/* SPDX-License-Identifier: MIT */
/*
 * Many channels: what offers cost when there are as many as there can be, and whether a packet
 * costs more because other channels are open. The devices are the model's echo devices.
 *
 *   channels [ROUNDS]      rounds of BATCH packets per phase
 */
#include <stdlib.h>
#include <string.h>

#include "bench/machine.h"
#include "bench/phase.h"
#include "hvkit_host/echo.h"

#define OFFERS_MOST 2047u
#define OFFERS_FEW 64u
#define CHANNELS 64u
#define BATCH 32u
#define PACKET 64u

struct bench {
	struct bench_machine machine;
	struct bench_config config;
	uint32_t devices, seen, rounds;
	struct hvk_channel *channels[CHANNELS];
	uint64_t answers;
	uint64_t buffer[64];
};

static struct bench the_bench;

static void populate(struct bench_machine *machine)
{
	for (uint32_t i = 0; i < the_bench.devices; i++) {
		const struct hvh_echo_config echo = {.instance = {1, (uint8_t)(i >> 8), (uint8_t)i}};

		if (!hvh_echo_create(machine->partition, &echo))
			bench_fail("echo device", "no room");
	}
}

static void offered(struct bench_machine *machine, struct hvk_channel *channel)
{
	struct bench *bench = machine->context;

	if (bench->seen < CHANNELS)
		bench->channels[bench->seen] = channel;
	bench->seen++;
}

static void connect(struct bench *bench, uint32_t devices)
{
	bench->devices = devices;
	bench->seen = 0;
	bench->config = (struct bench_config){
		.events = true, .populate = populate, .offered = offered, .context = bench};
	bench_connect(&bench->machine, &bench->config);
	bench_settle(&bench->machine);
	if (bench->seen != devices)
		bench_fail("offers", "not all were announced");
}

/* --- Packets ---------------------------------------------------------------------------- */

static bool ready(void *context, struct hvk_channel *channel)
{
	struct bench *bench = context;
	struct hvk_packet packet;

	while (hvk_channel_receive(channel, bench->buffer, sizeof(bench->buffer), &packet) == HVK_OK)
		bench->answers += packet.type == VMBUS_PACKET_COMPLETION;
	return false;
}

static void open_channels(struct bench *bench, uint32_t first, uint32_t end)
{
	const struct hvk_channel_config config = {
		.tx_pages = 4, .rx_pages = 4, .requests_max = 64, .ready = ready, .context = bench};

	for (uint32_t i = first; i < end; i++) {
		bench->machine.request = (struct hvk_request){0};
		hvk_channel_open(bench->channels[i], &config, &bench->machine.request);
		bench_wait(&bench->machine, "open");
	}
}

/* BATCH packets at a time, over so many of the channels, each answered. */
static void echo(struct bench *bench, uint32_t channels)
{
	struct hvh_echo_header payload[PACKET / sizeof(struct hvh_echo_header)] = {{HVH_ECHO, 0}};
	uint64_t wanted = bench->answers + (uint64_t)bench->rounds * BATCH;
	uint32_t next = 0;

	for (uint32_t round = 0; round < bench->rounds; round++) {
		for (uint32_t i = 0; i < BATCH; i++) {
			if (hvk_channel_send(bench->channels[next], payload, sizeof(payload), true, bench) !=
			    HVK_OK)
				bench_fail("packet", "not sent");
			next = (next + 1) % channels;
		}
		bench_settle(&bench->machine);
	}
	if (bench->answers != wanted)
		bench_fail("packets", "not all were answered");
}

PHASE(offers_64, struct bench *, bench, connect(bench, OFFERS_FEW))
PHASE(offers_2047, struct bench *, bench, connect(bench, OFFERS_MOST))
PHASE(packet_1_channel, struct bench *, bench, echo(bench, 1))
PHASE(packet_64_channels, struct bench *, bench, echo(bench, 1))
PHASE(packet_64_channels_spread, struct bench *, bench, echo(bench, CHANNELS))

int main(int count, char **arguments)
{
	struct bench *bench = &the_bench;

	bench->rounds = count > 1 ? (uint32_t)atoi(arguments[1]) : 64;
	RUN(offers_2047, bench, 1);
	bench_stop(&bench->machine);
	RUN(offers_64, bench, 1);
	open_channels(bench, 0, 1);
	echo(bench, 1);
	RUN(packet_1_channel, bench, bench->rounds * BATCH);
	open_channels(bench, 1, CHANNELS);
	echo(bench, CHANNELS);
	RUN(packet_64_channels, bench, bench->rounds * BATCH);
	RUN(packet_64_channels_spread, bench, bench->rounds * BATCH);
	bench_stop(&bench->machine);
	return 0;
}
