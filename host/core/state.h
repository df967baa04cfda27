/* SPDX-License-Identifier: MIT */
/*
 * The partition object: what the parts of the model share. Private to host/core,
 * host/hypervisor, host/vmbus and host/partition; devices see core.h and channel.h only.
 */
#ifndef HVH_CORE_STATE_H
#define HVH_CORE_STATE_H

#include "host/core/core.h"

/* One kind of violation reaches the callback this often per second of partition time;
 * all of them are counted. */
#define HVH_VIOLATIONS_PER_SECOND 16u

struct hvh_violation_rate {
	uint64_t window; /* when this second began */
	uint32_t reported;
	uint32_t silenced;
};

struct hvh_hypervisor;
struct hvh_vmbus;
struct hvh_mmio;

struct hvh_partition {
	struct hvh_profile profile;
	struct hvh_ops ops;
	uint32_t vps;
	bool deterministic;
	uint64_t tsc_hz; /* 0: no reference TSC page */
	int64_t tsc_offset;
	uint64_t apic_hz;
	uint64_t now; /* the latest time that anybody told */

	uint64_t seed;
	uint64_t random[4];
	uint32_t fault_chance[HVH_FAULT_COUNT];
	uint64_t fault_count[HVH_FAULT_COUNT];
	enum hvh_silence silence;
	uint32_t repeat_chance;
	uint64_t repeat_count;

	struct hvh_violation kept[HVH_VIOLATIONS_KEPT];
	uint32_t kept_count;
	struct hvh_violation_rate rate[HVH_V_COUNT];
	uint64_t violation_count[HVH_V_COUNT];
	struct hvh_counters counters;

	/* What a write to guest memory means while nobody has the hypervisor; NULL: nothing. */
	void (*unowned_write)(struct hvh_partition *partition, uint64_t gpa);
	bool firmware_owns, firmware_speaks; /* ... and what is done just now is its doing */
	bool ended;                          /* nothing happens any more */

	/* Of the layers above: this one knows no more of them. */
	struct hvh_hypervisor *hypervisor;
	struct hvh_vmbus *vmbus;
	struct hvh_mmio *mmio;
};

/* Takes note of the time; it never goes back. Returns what holds. */
uint64_t hvh_clock(struct hvh_partition *partition, uint64_t now);

/* Before the pages of a register or an offer: bytes nobody planned, from the seed. */
/* The chance in 65536 that holds: the profile may know better than hvh_fault_set. */
uint32_t hvh_fault_chance(const struct hvh_partition *partition, enum hvh_fault fault);
void hvh_random_seed(struct hvh_partition *partition, uint64_t seed);

#endif
