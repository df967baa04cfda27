/* SPDX-License-Identifier: MIT */
/* A small guest of tests/vmm/guests, run on the monitor, and what became of it. */
#ifndef TESTS_VMM_OUTCOME_H
#define TESTS_VMM_OUTCOME_H

#include "vmm/vmm.h"

#define OUTCOME_LIMIT_MS 30000u
#define OUTCOME_TEXT_MAX 4096u

struct outcome {
	struct vmm_result result;
	struct vmm_counters counters;
	uint64_t violations;
	char said[OUTCOME_TEXT_MAX]; /* by its serial port */
	char report[OUTCOME_TEXT_MAX * 4];
	size_t said_count;
};

/* The host offers it one channel: an echo device, or to guests whose names begin with pci_ a register
 * block. Valid until the next call; fails the test if the guest could not be started. */
struct outcome *outcome_of(const char *name, const char *command_line, uint32_t cpus, uint64_t limit_ms);

#endif
