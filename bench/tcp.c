/* SPDX-License-Identifier: MIT */
/*
 * A TCP download through the whole stack beside the same lwIP and libslirp joined by a queue:
 * bench/tcp/guest and bench/tcp/bare, in turns, from a server in this process. The median of
 * the ratios counts: what disturbs one run disturbs its neighbour.
 *
 *   tcp [MEGABYTES [REPETITIONS]]
 */
#include <arpa/inet.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench/report.h"

#define REPETITIONS_MAX 31
#define CHUNK 65536u

struct result {
	double rate; /* MB/s */
	double cpu;  /* seconds, of all its threads */
	double signals, interrupts;
};

static char directory[512];
static pid_t server;

static void stop_server(void)
{
	if (server > 0)
		(void)kill(server, SIGTERM);
}

static void die(const char *what)
{
	perror(what);
	exit(1);
}

/* --- The server ------------------------------------------------------------------------------ */

static void serve_one(int connection, uint64_t bytes)
{
	static uint8_t chunk[CHUNK];

	while (bytes > 0) {
		size_t part = bytes < CHUNK ? (size_t)bytes : CHUNK;
		ssize_t sent = send(connection, chunk, part, MSG_NOSIGNAL);

		if (sent <= 0)
			break;
		bytes -= (uint64_t)sent;
	}
	(void)shutdown(connection, SHUT_WR);
	(void)close(connection);
}

/* In a process of its own; returns its id. */
static pid_t serve(uint64_t bytes, uint16_t *port)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof(address);
	int listening = socket(AF_INET, SOCK_STREAM, 0);
	pid_t child;

	if (listening < 0 || bind(listening, (struct sockaddr *)&address, size) != 0 ||
	    listen(listening, 4) != 0 || getsockname(listening, (struct sockaddr *)&address, &size) != 0)
		die("bench: server");
	*port = ntohs(address.sin_port);
	child = fork();
	if (child < 0)
		die("bench: fork");
	while (child == 0) {
		int connection = accept(listening, NULL, NULL);

		if (connection < 0)
			_exit(1);
		serve_one(connection, bytes);
	}
	(void)close(listening);
	return child;
}

/* --- The runs ---------------------------------------------------------------------------------- */

static void run(const char *program, const char *options, uint16_t port, uint64_t wanted,
		struct result *result)
{
	char command[768], line[256];
	unsigned long long bytes = 0;
	double seconds = 0;
	FILE *output;

	(void)snprintf(command, sizeof(command), "'%s/tcp-parts/%s' %u %s", directory, program, port,
		       options);
	output = popen(command, "r");
	if (!output)
		die("bench: popen");
	while (fgets(line, sizeof(line), output)) {
		(void)sscanf(line, "result %lf %llu %lf", &seconds, &bytes, &result->cpu);
		(void)sscanf(line, "counts %lf %lf", &result->signals, &result->interrupts);
	}
	if (pclose(output) != 0 || bytes != wanted || seconds <= 0) {
		(void)fprintf(stderr, "bench: %s brought %llu of %llu bytes\n", program, bytes,
			      (unsigned long long)wanted);
		exit(1);
	}
	result->rate = (double)bytes / seconds / 1e6;
}

/* The rows of one way of running the whole stack. */
struct series {
	const char *options, *rate_name, *cpu_name;
	double rate[REPETITIONS_MAX], ratio[REPETITIONS_MAX], cpu[REPETITIONS_MAX];
	double signals[REPETITIONS_MAX], interrupts[REPETITIONS_MAX];
};

static void take(struct series *series, int i, uint16_t port, uint64_t bytes, const struct result *bare)
{
	struct result guest = {0};

	run("guest", series->options, port, bytes, &guest);
	series->rate[i] = guest.rate;
	series->ratio[i] = guest.rate / bare->rate;
	series->cpu[i] = bare->cpu / guest.cpu;
	series->signals[i] = guest.signals;
	series->interrupts[i] = guest.interrupts;
}

static void compare(uint64_t bytes, int repetitions, uint16_t port)
{
	static struct series ways[] = {
		{.options = "", .rate_name = "tcp_download_vs_bare", .cpu_name = "tcp_download_cpu_vs_bare"},
		{.options = "0 caller",
		 .rate_name = "tcp_download_two_threads_vs_bare",
		 .cpu_name = "tcp_download_two_threads_cpu_vs_bare"}};
	struct series *usual = &ways[0];
	size_t n = (size_t)repetitions;
	double bares[REPETITIONS_MAX];

	for (int i = 0; i < repetitions; i++) {
		struct result bare = {0};

		run("bare", "", port, bytes, &bare);
		bares[i] = bare.rate;
		for (size_t way = 0; way < 2; way++)
			take(&ways[way], i, port, bytes, &bare);
	}
	for (size_t way = 0; way < 2; way++) {
		bench_row_repeated(ways[way].rate_name, ways[way].ratio, n, "of bare", BENCH_AT_LEAST, 0.8,
				   "aim");
		bench_row_repeated(ways[way].cpu_name, ways[way].cpu, n, "of bare", BENCH_BESIDE, 1,
				   "bare, processor time of all threads");
	}
	bench_row_repeated("tcp_download_rate", usual->rate, n, "MB/s", BENCH_BESIDE, bench_median(bares, n),
			   "bare");
	bench_row("tcp_signals_per_1000_frames", bench_median(usual->signals, n), "signals", BENCH_BESIDE,
		  1000, "one per frame");
	bench_row("tcp_interrupts_per_1000_frames", bench_median(usual->interrupts, n), "interrupts",
		  BENCH_BESIDE, 1000, "one per frame");
}

int main(int count, char **arguments)
{
	uint64_t bytes = (count > 1 ? (uint64_t)atoi(arguments[1]) : 64) << 20;
	int repetitions = count > 2 ? atoi(arguments[2]) : 9;
	const char *slash = strrchr(arguments[0], '/');
	uint16_t port;

	if (bytes == 0 || repetitions < 1 || repetitions > REPETITIONS_MAX) {
		(void)fprintf(stderr, "tcp [MEGABYTES [REPETITIONS]], 1 to %d of them\n", REPETITIONS_MAX);
		return 2;
	}
	(void)snprintf(directory, sizeof(directory), "%.*s", slash ? (int)(slash - arguments[0]) : 1,
		       slash ? arguments[0] : ".");
	server = serve(bytes, &port);
	(void)atexit(stop_server);
	compare(bytes, repetitions, port);
	return 0;
}
