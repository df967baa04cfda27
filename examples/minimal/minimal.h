/* SPDX-License-Identifier: MIT */
/* main.c is a kernel, port.c its port; hyperv.c stands for hypervisor, host and network. */
#ifndef MINIMAL_H
#define MINIMAL_H

#include "hvkit/hvkit.h"
#include "hvkit_host/host.h"

#define POOL_PAGES 1024u       /* 4 MiB: rings, receive and send buffer, hvkit's own state */
#define POOL_GPA 0x10000000ull /* where it lies in guest-physical memory */

struct machine {
	uint8_t (*pool)[HVK_PAGE_SIZE];
	uint32_t pool_used;
	struct hvh_partition *hyperv; /* from here on: hyperv.c's */
	struct hvh_simwire *wire;
	uint64_t started;
};

void machine_port(struct machine *m, struct hvk_port *port);
bool hyperv_power_on(struct machine *m, const char *profile);
uint64_t hyperv_now(const struct machine *m); /* 100 ns */
void hyperv_run(struct machine *m);           /* it does its part */
bool hyperv_power_off(struct machine *m);     /* true: the guest broke no rule */

#endif
