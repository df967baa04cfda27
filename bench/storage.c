/* SPDX-License-Identifier: MIT */
/*
 * A disk on a file: reads of 4 KiB, one at a time or 32, by one channel or two, each on a CPU of its
 * own; and reads of 256 KiB. Beside them pread of the same file to the same memory, in turns. The
 * file is in the kernel's cache: what is measured is the way to it.
 *
 *   storage [ROUNDS]             counts: hypercalls, and under callgrind instructions (counts.c)
 *   storage rates [MILLISECONDS] requests and bytes per second, per figure in repetitions: all of it,
 *                                guest, host model and image, on one processor; with two channels the
 *                                second CPU has one of its own (bench/far.h)
 */
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "bench/machine.h"
#include "bench/phase.h"
#include "bench/report.h"
#include "hvkit/storvsc.h"
#include "hvkit_host/storage.h"

#define FILE_BYTES (64u << 20)
#define SECTOR 512u
#define DEPTH_MAX 32u
#define LARGE (256u << 10)
#define LARGE_DEPTH 4u
#define REPETITIONS 15u
#define ROUNDS_MAX 65536u
#define TURNS_MAX 64u

struct way {
	const char *name;
	uint32_t length, depth, channels;
	bool write;
};

/* clang-format off */
/* NAME, length, depth on each channel, channels, write */
#define WAYS(WAY) \
	WAY(disk_4k_depth_1,               4096,  1,           1, false) \
	WAY(disk_4k_depth_1_two_channels,  4096,  1,           2, false) \
	WAY(disk_4k_depth_32,              4096,  DEPTH_MAX,   1, false) \
	WAY(disk_4k_depth_32_two_channels, 4096,  DEPTH_MAX,   2, false) \
	WAY(disk_write_4k_depth_32,        4096,  DEPTH_MAX,   1, true) \
	WAY(disk_256k,                     LARGE, LARGE_DEPTH, 1, false)
/* clang-format on */

struct disk;

/* What one CPU does: it lies alone in its cache lines. */
struct disk_cpu {
	_Alignas(128) struct disk *disk;
	uint32_t number;
	uint32_t next; /* which piece of the file */
	uint64_t done;
	struct hvk_pages pages; /* of its data, a piece after another */
	struct hvk_buffer pieces[DEPTH_MAX];
	struct hvk_block_request requests[DEPTH_MAX];
};

struct disk {
	const struct way *way;
	struct bench_machine machine;
	struct bench_far *far; /* NULL: plain calls */
	struct hvk_channel *channel;
	struct hvk_storvsc *controller;
	struct hvk_block *block;
	struct disk_cpu cpus[BENCH_CPUS_MAX];
};

static struct disk the_disk;
static char path[256];
static int file = -1;

/* --- The file: each 4 KiB begin with their number ---------------------------------------- */

static void remove_file(void)
{
	(void)unlink(path);
}

static void make_file(void)
{
	static uint64_t block[4096 / sizeof(uint64_t)];
	const char *folder = getenv("TMPDIR");

	(void)snprintf(path, sizeof(path), "%s/hvkit-bench-disk.XXXXXX", folder ? folder : "/tmp");
	file = mkstemp(path);
	if (file < 0)
		bench_fail("file", "cannot be made");
	(void)atexit(remove_file);
	for (uint32_t i = 0; i < FILE_BYTES / sizeof(block); i++) {
		block[0] = i;
		if (write(file, block, sizeof(block)) != (ssize_t)sizeof(block))
			bench_fail("file", "cannot be written");
	}
}

/* An order that is neither the file's nor chance: each piece once, then again. */
static uint32_t piece_of(const struct way *way, uint32_t next)
{
	return next * 2654435761u % (FILE_BYTES / way->length);
}

/* --- The guest ------------------------------------------------------------------------------ */

static void done(struct hvk_block_request *request, hvk_status status, void *context)
{
	struct disk_cpu *cpu = context;

	if (status != HVK_OK)
		bench_fail("request", hvk_status_text(status));
	if (request->operation == HVK_BLOCK_READ &&
	    *(const uint64_t *)request->pieces->address != request->block * SECTOR / 4096)
		bench_fail("request", "other bytes came");
	cpu->done++;
}

static void *data_of(const struct disk_cpu *cpu, uint32_t n)
{
	return (uint8_t *)cpu->pages.address + (size_t)n * cpu->disk->way->length;
}

/* What is written keeps the file as it is. */
static void number_piece(struct disk_cpu *cpu, uint32_t n, uint64_t piece)
{
	if (cpu->disk->way->write)
		*(uint64_t *)data_of(cpu, n) = piece;
}

static void submit(void *context, uint32_t number)
{
	struct disk *disk = context;
	struct disk_cpu *cpu = &disk->cpus[number];

	for (uint32_t i = 0; i < disk->way->depth; i++) {
		uint64_t piece = piece_of(disk->way, cpu->next++);

		number_piece(cpu, i, piece);
		cpu->requests[i].block = piece * (disk->way->length / SECTOR);
		if (hvk_block_submit(disk->block, &cpu->requests[i]) != HVK_OK)
			bench_fail("request", "not taken");
	}
}

static void drain(void *context, uint32_t number)
{
	bench_guest_cpu(&((struct disk *)context)->machine, number);
}

static uint64_t moved(const struct disk *disk)
{
	return disk->cpus[0].done + disk->cpus[1].done;
}

static void bursts(struct disk *disk, uint32_t rounds)
{
	const struct way *way = disk->way;
	uint64_t wanted = moved(disk) + (uint64_t)rounds * way->depth * way->channels;
	uint64_t allocations = disk->machine.allocations;

	for (uint32_t i = 0; i < rounds; i++) {
		bench_each_cpu(disk->far, way->channels, submit, disk);
		bench_host(&disk->machine);
		bench_each_cpu(disk->far, way->channels, drain, disk);
	}
	if (moved(disk) != wanted)
		bench_fail(way->name, "not all requests are done");
	if (disk->machine.allocations != allocations)
		bench_fail(way->name, "allocates while requests flow");
}

/* --- Life ----------------------------------------------------------------------------------- */

static void populate(struct bench_machine *machine)
{
	const struct hvh_storage_config config = {.class_ = HVH_STORAGE_SCSI};
	const struct hvh_unit_config unit = {.serial = "BENCH"};
	struct hvh_storage *storage = hvh_storage_create(machine->partition, &config);
	struct hvh_image image;
	char error[200];

	if (!hvh_image_open(path, false, &image, error, sizeof(error)))
		bench_fail("image", error);
	if (!storage || !hvh_storage_add(storage, machine->now, 0, 0, &unit, &image))
		bench_fail("disk", "not taken");
}

static void offered(struct bench_machine *machine, struct hvk_channel *channel)
{
	((struct disk *)machine->context)->channel = channel;
}

static void added(void *context, struct hvk_storvsc *controller, struct hvk_storvsc_unit *unit)
{
	(void)controller;
	((struct disk *)context)->block = hvk_storvsc_block(unit);
}

static void start_cpu(struct disk *disk, uint32_t number)
{
	const struct hvk_port *port = &disk->machine.port;
	struct disk_cpu *cpu = &disk->cpus[number];
	const struct way *way = disk->way;

	cpu->disk = disk;
	cpu->number = number;
	cpu->next = number * 1000;
	if (port->pages_alloc(port->context, way->depth * way->length / HVK_PAGE_SIZE, HVK_PAGE_HOST_WRITES,
			      &cpu->pages) != HVK_OK)
		bench_fail("pages", "out of memory");
	for (uint32_t i = 0; i < way->depth; i++) {
		void *data = data_of(cpu, i);

		cpu->pieces[i] = (struct hvk_buffer){data, port->page_gpa(port->context, data), way->length};
		cpu->requests[i] = (struct hvk_block_request){
			.operation = way->write ? HVK_BLOCK_WRITE : HVK_BLOCK_READ,
			.count = way->length / SECTOR,
			.pieces = &cpu->pieces[i],
			.piece_count = 1,
			.done = done,
			.context = cpu,
		};
	}
}

static void start(struct disk *disk, const struct way *way, struct bench_far *far)
{
	const struct bench_config config = {.events = true,
					    .cpus = way->channels,
					    .threads = far != NULL,
					    .populate = populate,
					    .offered = offered,
					    .context = disk};
	const struct hvk_storvsc_config controller = {
		.queues = way->channels, .added = added, .context = disk};

	memset(disk, 0, sizeof(*disk));
	disk->way = way;
	disk->far = far;
	bench_start(&disk->machine, &config);
	if (!disk->channel || hvk_storvsc_create(disk->channel, &controller, &disk->controller) != HVK_OK)
		bench_fail("controller", "not there");
	disk->machine.request = (struct hvk_request){0};
	hvk_storvsc_attach(disk->controller, &disk->machine.request);
	bench_wait(&disk->machine, "attach");
	for (uint32_t i = 0; i < TURNS_MAX && hvk_storvsc_queues(disk->controller) != way->channels; i++)
		bench_settle(&disk->machine);
	if (!disk->block || hvk_storvsc_queues(disk->controller) != way->channels)
		bench_fail(way->name, "no disk, or not all channels");
	for (uint32_t i = 0; i < way->channels; i++)
		start_cpu(disk, i);
	bursts(disk, 4); /* what happens once has happened */
}

static void stop(struct disk *disk)
{
	const struct hvk_port *port = &disk->machine.port;

	for (uint32_t i = 0; i < disk->way->channels; i++)
		port->pages_free(port->context, &disk->cpus[i].pages);
	disk->machine.request = (struct hvk_request){0};
	hvk_storvsc_detach(disk->controller, &disk->machine.request);
	bench_wait(&disk->machine, "detach");
	if (hvk_storvsc_destroy(disk->controller) != HVK_OK)
		bench_fail("controller", "not destroyed");
	bench_stop(&disk->machine);
}

/* --- Counts ----------------------------------------------------------------------------------- */

static uint32_t rounds_counted;

#define DEFINE_PHASE(name, ...) PHASE(name, struct disk *, disk, bursts(disk, rounds_counted))
WAYS(DEFINE_PHASE)

#define DEFINE_WAY(name, length, depth, channels, write) \
	{{#name, length, depth, channels, write}, phase_##name},
static const struct {
	struct way way;
	void (*phase)(struct disk *disk);
} ways[] = {WAYS(DEFINE_WAY)};
#define WAY_COUNT (sizeof(ways) / sizeof(ways[0]))

static void count(void)
{
	for (size_t i = 0; i < WAY_COUNT; i++) {
		const struct way *way = &ways[i].way;
		uint32_t requests = rounds_counted * way->depth * way->channels;
		char row[80];
		uint64_t calls;

		start(&the_disk, way, NULL);
		calls = bench_hypercalls(&the_disk.machine);
		phase_begin();
		ways[i].phase(&the_disk);
		printf("per\t%s\t%u\n", way->name, requests);
		calls = bench_hypercalls(&the_disk.machine) - calls;
		(void)snprintf(row, sizeof(row), "%s_hypercalls_per_1000", way->name);
		bench_row(row, (double)calls * 1000 / requests, "hypercalls", BENCH_AT_MOST,
			  1000.0 / way->depth, "one per batch and channel");
		stop(&the_disk);
	}
}

/* --- Rates ------------------------------------------------------------------------------------- */

/* The guest's CPU as a program that reads the file itself. */
static void read_file(void *context, uint32_t number)
{
	struct disk_cpu *cpu = &((struct disk *)context)->cpus[number];
	const struct way *way = cpu->disk->way;

	for (uint32_t i = 0; i < way->depth; i++) {
		uint32_t number_in_file = piece_of(way, cpu->next++);
		off_t offset = (off_t)number_in_file * way->length;
		void *data = data_of(cpu, i);
		ssize_t moved_bytes;

		number_piece(cpu, i, number_in_file);
		moved_bytes = way->write ? pwrite(file, data, way->length, offset)
					 : pread(file, data, way->length, offset);
		if (moved_bytes != (ssize_t)way->length)
			bench_fail("file", "pread");
	}
}

static void direct(struct disk *disk, uint32_t rounds)
{
	for (uint32_t i = 0; i < rounds; i++)
		bench_each_cpu(disk->far, disk->way->channels, read_file, disk);
}

/* Requests per second. */
static double rate(struct disk *disk, uint32_t rounds, void (*work)(struct disk *disk, uint32_t rounds))
{
	double start_time = bench_seconds();

	work(disk, rounds);
	return (double)rounds * disk->way->depth * disk->way->channels / (bench_seconds() - start_time);
}

static void time_way(struct bench_far *far, const struct way *way, double seconds)
{
	double scale = way->length == LARGE ? LARGE / 1e6 : 1;
	double disk[REPETITIONS], beside[REPETITIONS], share[REPETITIONS], each;
	uint32_t rounds = 1;
	char row[80];

	start(&the_disk, way, way->channels > 1 ? far : NULL);
	each = way->depth * way->channels / rate(&the_disk, 64, bursts);
	if (seconds / REPETITIONS > each)
		rounds = (uint32_t)(seconds / REPETITIONS / each);
	if (rounds > ROUNDS_MAX)
		rounds = ROUNDS_MAX;
	for (uint32_t i = 0; i < REPETITIONS; i++) { /* in turns: what disturbs one disturbs the other */
		disk[i] = rate(&the_disk, rounds, bursts) * scale;
		beside[i] = rate(&the_disk, rounds, direct) * scale;
		share[i] = disk[i] / beside[i];
	}
	stop(&the_disk);
	(void)snprintf(row, sizeof(row), "%s_rate", way->name);
	bench_row_repeated(row, disk, REPETITIONS, way->length == LARGE ? "MB/s" : "requests/s", BENCH_BESIDE,
			   bench_median(beside, REPETITIONS), way->write ? "pwrite" : "pread");
	(void)snprintf(row, sizeof(row), "%s_vs_%s", way->name, way->write ? "pwrite" : "pread");
	bench_row_repeated(row, share, REPETITIONS, "of it", BENCH_BESIDE, 1, "the file itself");
}

static void time_all(double seconds)
{
	struct bench_far *far = bench_far_create();

	for (size_t i = 0; i < WAY_COUNT; i++)
		time_way(far, &ways[i].way, seconds);
	bench_far_destroy(far);
}

int main(int argument_count, char **arguments)
{
	bool rates = argument_count > 1 && strcmp(arguments[1], "rates") == 0;

	make_file();
	if (rates) {
		time_all((argument_count > 2 ? atof(arguments[2]) : 600) / 1000);
	} else {
		rounds_counted = argument_count > 1 ? (uint32_t)atoi(arguments[1]) : 16;
		count();
	}
	return 0;
}
