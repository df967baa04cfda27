/* SPDX-License-Identifier: MIT */
/*
 * One TCP download through lwIP, the same for both ways of joining lwIP and libslirp: through
 * hvkit (guest.c), and by a plain queue in memory (bare.c).
 */
#ifndef BENCH_TCP_DOWNLOAD_H
#define BENCH_TCP_DOWNLOAD_H

#include <stdbool.h>
#include <stdint.h>

#include "lwip/netif.h"
#include "lwip/tcp.h"

struct download {
	uint64_t bytes;
	double begun, ended; /* seconds; from the first byte to the end of the connection */
	bool over, failed;
	struct tcp_pcb *pcb;
};

/* Gives the interface its address and connects to that port of the user's loopback. */
bool download_start(struct download *download, struct netif *netif, uint16_t port);
/* Prints "result SECONDS BYTES CPU-SECONDS", the latter of all threads; returns the exit status
 * of the program. */
int download_report(const struct download *download);

#endif
