/* SPDX-License-Identifier: MIT */
/* What had been counted when something happened: the guest's first packet, a mark of its own,
 * the end. The summary shows them. */
#ifndef CLI_KVM_MOMENTS_H
#define CLI_KVM_MOMENTS_H

#include "hvkit_host/host.h"
#include "hvkit_host/network.h"
#include "vmm/vmm.h"

#define MOMENTS_MAX 16u
#define MOMENT_NAME_MAX 16u

struct moment {
	char name[MOMENT_NAME_MAX];
	uint64_t time; /* 100 ns */
	struct vmm_counters vmm;
	struct hvh_counters host;
	struct hvh_nic_counters nic;
	uint64_t sleeps; /* how often a thread of this process has gone to sleep */
};

/* The first MOMENTS_MAX are kept. Under the machine's lock. */
struct moments {
	struct moment list[MOMENTS_MAX];
	uint32_t count;
	bool packet_seen;
};

struct run;
/* Before the machine runs: from then on the first packet is noticed. */
void moments_begin(struct run *run);
/* vmm_config's mark. A vCPU's thread. */
void moments_mark(void *guest, uint8_t value);

struct json;
void moments_summary(struct json *json, const struct run *run);

#endif
