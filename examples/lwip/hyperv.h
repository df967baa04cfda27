/* SPDX-License-Identifier: MIT */
/* main.c is a kernel; hyperv.c stands for hypervisor, host and a network with NAT behind the card. */
#ifndef HYPERV_H
#define HYPERV_H

#include <pthread.h>

#include "hvkit_host/network.h"
#include "../minimal/minimal.h" /* whose port this uses */

struct world {
	struct machine machine; /* first: the port's functions get a pointer to it */
	pthread_mutex_t lock;   /* the host's: held by the kernel's thread but for hyperv_run */
	struct hvh_slirp *network;
};

/* tcp_port of this machine's loopback is reachable at 10.0.2.2. */
bool world_power_on(struct world *world, const char *profile, uint16_t tcp_port);
bool world_power_off(struct world *world); /* true: the guest broke no rule */

#endif
