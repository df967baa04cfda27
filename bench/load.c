/* SPDX-License-Identifier: MIT */
#include "bench/load.h"

#include <string.h>

#include "bench/accelerated.h"
#include "bench/report.h"

#define SEARCH_MAX 4096u /* flows looked at to find enough for each queue */
#define TURNS_MAX 64u

/* --- What a CPU does ----------------------------------------------------------------------- */

static struct load_cpu *cpu_of(struct load *load, uint32_t queue)
{
	return &load->cpus[queue % LOAD_QUEUES_MAX];
}

static void input(void *context, struct hvk_netdev *netdev, const struct hvk_rx_frame *frame)
{
	struct load *load = context;
	struct load_cpu *cpu = cpu_of(load, frame->queue);

	(void)netdev;
	cpu->received++;
	if (frame->owner)
		cpu->lent[cpu->lent_count++] = frame->owner;
}

static void done(struct hvk_tx_frame *frame, hvk_status status, void *context)
{
	(void)frame;
	((struct load_cpu *)context)->sent += status == HVK_OK;
}

static void drain(struct load_cpu *cpu)
{
	struct bench_machine *machine = &cpu->load->machine;

	bench_guest_cpu(machine, cpu->number);
	if (cpu->lent_count == 0)
		return;
	while (cpu->lent_count)
		hvk_netdev_release(machine->netdev, cpu->lent[--cpu->lent_count]);
	bench_guest_cpu(machine, cpu->number);
}

static void send(struct load_cpu *cpu)
{
	struct hvk_netdev *netdev = cpu->load->machine.netdev;
	enum hvk_tx_result result;

	if (cpu->load->way->send == LOAD_MANY) {
		if (hvk_netdev_transmit_many(netdev, cpu->burst, cpu->frame_count, &result) !=
		    cpu->frame_count)
			bench_fail("frames", "not all were taken");
		return;
	}
	for (uint32_t i = 0; i < cpu->frame_count; i++) {
		if (hvk_netdev_transmit(netdev, &cpu->frames[i]) != HVK_TX_TAKEN)
			bench_fail("frames", "one was not taken");
	}
}

/* --- Steps ------------------------------------------------------------------------------- */

static void take_step(void *context, uint32_t number)
{
	struct load *load = context;
	double start = bench_seconds();

	load->step(&load->cpus[number]);
	load->cpus[number].seconds = bench_seconds() - start;
}

/* On all CPUs, the last of them far; returns the seconds of the slowest. */
static double step(struct load *load, void (*function)(struct load_cpu *cpu))
{
	double most = 0;

	load->step = function;
	bench_each_cpu(load->far, load->way->queues, take_step, load);
	for (uint32_t i = 0; i < load->way->queues; i++)
		most = load->cpus[i].seconds > most ? load->cpus[i].seconds : most;
	return most;
}

/* --- Bursts -------------------------------------------------------------------------------- */

static uint64_t moved(const struct load *load)
{
	uint64_t frames = 0;

	for (uint32_t i = 0; i < load->way->queues; i++)
		frames += load->way->in ? load->cpus[i].received : load->cpus[i].sent;
	return frames;
}

static uint64_t moved_by_vf(const struct load *load)
{
	struct hvk_vf_info info;

	if (!load->way->vf)
		return 0;
	hvk_vf_get_info(load->machine.vf, &info);
	return load->way->in ? info.vf_rx : info.vf_tx;
}

static double receive_burst(struct load *load)
{
	struct bench_machine *machine = &load->machine;
	double seconds;

	for (uint32_t i = 0; i < load->in_count; i++) {
		if (!hvh_nic_receive(machine->host_nic, machine->now, load->in[i], load->way->length))
			bench_fail("frames", "the host dropped one");
	}
	bench_host(machine); /* all of them are in the rings before the guest looks */
	seconds = step(load, drain);
	bench_host(machine);
	return seconds;
}

static double transmit_burst(struct load *load)
{
	double seconds = step(load, send);

	bench_host(&load->machine);
	return seconds + step(load, drain);
}

double load_time(struct load *load, uint32_t rounds)
{
	uint64_t frames = (uint64_t)rounds * load->burst, wanted = moved(load) + frames;
	uint64_t allocations = load->machine.allocations;
	uint64_t exits = bench_exits(&load->machine), by_vf = moved_by_vf(load);

	for (uint32_t i = 0; i < rounds; i++)
		load->seconds[i] = load->way->in ? receive_burst(load) : transmit_burst(load);
	if (load->machine.allocations != allocations)
		bench_fail(load->way->name, "allocates while frames flow");
	if (bench_exits(&load->machine) - exits > (uint64_t)rounds * load->way->queues)
		bench_fail(load->way->name, "more than one exit per burst and queue");
	bench_settle(&load->machine);
	if (moved(load) != wanted)
		bench_fail(load->way->name, "not all frames came through");
	if (load->way->vf && moved_by_vf(load) - by_vf != frames)
		bench_fail(load->way->name, "not all frames went by the VF");
	return bench_median(load->seconds, rounds);
}

void load_bursts(struct load *load, uint32_t rounds)
{
	(void)load_time(load, rounds);
}

/* --- Frames ---------------------------------------------------------------------------------- */

static void put16(uint8_t *at, uint32_t value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
}

/* UDP without a checksum of its own, whose flow is told by its port. */
static void make_udp(uint8_t *frame, uint32_t length, uint32_t port)
{
	static const uint8_t ip[20] = {0x45, 0, 0, 0, 0, 0, 0, 0, 64, 17, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2};
	uint32_t sum = 0;

	put16(&frame[12], 0x0800);
	memcpy(&frame[14], ip, sizeof(ip));
	put16(&frame[16], length - 14);
	for (uint32_t i = 0; i < sizeof(ip); i += 2)
		sum += (uint32_t)frame[14 + i] << 8 | frame[15 + i];
	sum = (sum & 0xffff) + (sum >> 16);
	put16(&frame[24], ~sum);
	put16(&frame[34], port);
	put16(&frame[36], 7);
	put16(&frame[38], length - 34);
	put16(&frame[40], 0);
}

static void make_frame(const struct load *load, uint8_t *frame, uint32_t port)
{
	const struct load_way *way = load->way;

	memset(frame, 0, LOAD_FRAME_MAX);
	memcpy(frame, load->machine.netdev->info.mac, 6);
	put16(&frame[12], 0x88b5);
	if (way->in && (way->receive == LOAD_CHECKSUMS || way->queues > 1))
		make_udp(frame, way->length, port);
}

/* The queue that the host puts this frame on. */
static uint32_t queue_of(struct load *load, const uint8_t *frame)
{
	struct bench_machine *machine = &load->machine;
	uint64_t before[LOAD_QUEUES_MAX];

	for (uint32_t i = 0; i < LOAD_QUEUES_MAX; i++)
		before[i] = load->cpus[i].received;
	if (!hvh_nic_receive(machine->host_nic, machine->now, frame, load->way->length))
		bench_fail("frames", "the host dropped one");
	bench_settle(machine);
	for (uint32_t i = 0; i < LOAD_QUEUES_MAX; i++) {
		while (load->cpus[i].lent_count)
			hvk_netdev_release(machine->netdev, load->cpus[i].lent[--load->cpus[i].lent_count]);
		if (load->cpus[i].received != before[i])
			return i;
	}
	bench_fail("frames", "one did not come in");
}

static void make_frames_in(struct load *load)
{
	uint32_t count[LOAD_QUEUES_MAX] = {0}, each = load->burst / load->way->queues;

	for (uint32_t port = 0; load->in_count < load->burst && port < SEARCH_MAX; port++) {
		uint8_t *frame = load->in[load->in_count];
		uint32_t queue;

		make_frame(load, frame, 1024 + (load->way->queues > 1 ? port : 0));
		queue = queue_of(load, frame);
		if (count[queue] == each)
			continue;
		count[queue]++;
		load->in_count++;
	}
	if (load->in_count != load->burst)
		bench_fail("frames", "not enough flows for each queue");
}

static void make_frames_out(struct load *load, struct load_cpu *cpu)
{
	const struct hvk_port *port = &load->machine.port;
	const struct load_way *way = load->way;

	cpu->frame_count = load->burst / way->queues;
	if (port->pages_alloc(port->context, cpu->frame_count, HVK_PAGE_HOST_READS, &cpu->pages) != HVK_OK)
		bench_fail("frames", "out of memory");
	for (uint32_t i = 0; i < cpu->frame_count; i++) {
		uint8_t *data = (uint8_t *)cpu->pages.address + (size_t)i * HVK_PAGE_SIZE;
		bool more = way->send == LOAD_MORE && i + 1 < cpu->frame_count;

		make_frame(load, data, 0);
		cpu->pieces[i] = (struct hvk_buffer){data, port->page_gpa(port->context, data), way->length};
		cpu->frames[i] = (struct hvk_tx_frame){.pieces = &cpu->pieces[i],
						       .piece_count = 1,
						       .length = way->length,
						       .done = done,
						       .context = cpu,
						       .flags = more ? HVK_TX_MORE : 0};
		cpu->burst[i] = &cpu->frames[i];
	}
}

/* --- Life ------------------------------------------------------------------------------------ */

static struct bench_config config_of(const struct load_way *way, bool real_locks)
{
	struct bench_config config = {
		.events = true, .nic = true, .cpus = way->queues, .threads = real_locks, .vf = way->vf};

	config.card.queues = way->queues;
	if (way->send == LOAD_LONE) /* a section for each frame of a burst */
		config.card.send_buffer_pages = 2 * LOAD_BURST;
	config.card.rx_borrow = way->receive == LOAD_LENT ? 2 * LOAD_BURST : 0;
	if (way->receive == LOAD_CHECKSUMS)
		config.card.offloads = HVK_NETDEV_RX_CHECKSUMS;
	return config;
}

static void start_cpu(struct load *load, uint32_t number)
{
	struct load_cpu *cpu = &load->cpus[number];

	cpu->load = load;
	cpu->number = number;
	if (!load->way->in)
		make_frames_out(load, cpu);
}

static void attach_vf(struct load *load)
{
	const struct hvk_virtio_net_config driver = {
		.queues = load->way->queues,
		.offloads = load->way->receive == LOAD_CHECKSUMS ? HVK_NETDEV_RX_CHECKSUMS : 0};

	bench_vf_attach(&load->machine, &driver);
}

void load_start(struct load *load, const struct load_way *way, struct bench_far *far)
{
	const struct bench_config config = config_of(way, far != NULL);

	memset(load, 0, sizeof(*load));
	load->way = way;
	load->burst = way->burst ? way->burst : LOAD_BURST;
	load->far = far;
	bench_start(&load->machine, &config);
	load->machine.netdev->hooks = (struct hvk_netdev_hooks){.input = input, .context = load};
	for (uint32_t i = 0; i < TURNS_MAX && load->machine.netdev->info.queues != way->queues; i++)
		bench_settle(&load->machine);
	if (load->machine.netdev->info.queues != way->queues)
		bench_fail(way->name, "not all queues are there");
	if (way->vf)
		attach_vf(load);
	if (way->in)
		make_frames_in(load);
	for (uint32_t i = 0; i < way->queues; i++)
		start_cpu(load, i);
	load_bursts(load, 4); /* what happens once has happened */
}

void load_stop(struct load *load)
{
	const struct hvk_port *port = &load->machine.port;

	for (uint32_t i = 0; i < load->way->queues; i++) {
		if (load->cpus[i].pages.count)
			port->pages_free(port->context, &load->cpus[i].pages);
	}
	if (load->way->vf)
		bench_vf_detach(&load->machine);
	bench_stop(&load->machine);
}
