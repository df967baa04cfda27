/* SPDX-License-Identifier: MIT */
/* A run of a guest: the machine, the network it is plugged into, and what became of it. */
#ifndef CLI_RUN_H
#define CLI_RUN_H

#include "apps/hvkit/console.h"
#include "apps/hvkit/monitor.h"
#include "apps/hvkit/options.h"
#include "apps/shell/shell.h"
#include "ports/hosted/hosted.h"

struct run;

struct run_cpu {
	struct run *run;
	uint32_t index;
};

struct run {
	const struct cli_options *options;
	struct hosted *machine;
	struct hvh_nic *nic;
	struct hvh_slirp *slirp;
	struct hvh_simwire *wire;
	struct shell shell;
	struct console console;
	struct monitor monitor;
	int status_before; /* of the command under way */
	int ended_by;      /* exit status of the signal that ended it; 0 if none did */
	struct run_cpu cpus[HVK_CPUS_MAX];
	FILE *trace, *summary;
	/* Looked up once the guest has ended. */
	bool ran; /* the machine could be built */
	bool hung;
	struct hvh_counters host_counters;
	struct hvh_nic_counters nic_counters;
	uint32_t leaked_pages;
	uint64_t writes_to_free_memory;
	uint64_t time; /* 100 ns; virtual in deterministic mode */
	int exit_status;
};

/* The card and what it is plugged into. False with a line in error (of CLI_ERROR_MAX bytes). */
bool run_network_create(struct run *run, char *error);
/* Before the machine is destroyed, while it still stands. */
void run_network_stop(struct run *run);

/* Writes the summary; false if it could not be written. */
bool run_summary(struct run *run);

#endif
