/* SPDX-License-Identifier: MIT */
/* A run of a guest: the machine, the network it is plugged into, and what became of it. */
#ifndef CLI_RUN_H
#define CLI_RUN_H

#include "apps/hvkit/console.h"
#include "apps/hvkit/guest_files.h"
#include "apps/hvkit/machine.h"
#include "apps/hvkit/monitor.h"
#include "apps/hvkit/options.h"
#include "apps/hvkit/storage.h"
#include "apps/shell/shell.h"
#include "hvkit_host/input.h"
#include "hvkit_host/utilities.h"
#include "hvkit_host/vf.h"
#include "ports/hosted/hosted.h"

struct run;

struct run_cpu {
	struct run *run;
	uint32_t index;
};

/* How a guest is run: one for each --accel. */
struct run_kind {
	/* The machine and what runs in it; calls run_prepare. False with a line in error. */
	bool (*create)(struct run *run, char *error);
	void (*go)(struct run *run);      /* until the guest has ended */
	void (*end)(struct run *run);     /* asks for that; any thread */
	int (*judge)(struct run *run);    /* says what went wrong; the exit status */
	void (*destroy)(struct run *run); /* whatever there is of it */
};
extern const struct run_kind run_hosted, run_kvm;

struct run_guest; /* kvm's own */

struct run {
	const struct cli_options *options;
	const struct run_kind *kind;
	struct machine machine;
	struct hosted *hosted;   /* NULL with another kind */
	struct run_guest *guest; /* likewise */
	struct hvh_nic *nic;
	struct hvh_vf *vf;      /* NULL: none beside the card */
	struct hvh_nic *second; /* likewise */
	struct hvh_keyboard *keyboard;
	struct hvh_mouse *mouse;
	struct hvh_utilities *utilities;
	struct guest_files *guest_files; /* NULL: in memory */
	struct hvh_slirp *slirp;
	struct hvh_tap *tap;
	struct hvh_simwire *wire;
	struct hvh_capture *capture;
	struct storage *storage; /* NULL until the options' files are open */
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
	struct hvh_vf_counters vf_counters;
	struct hvh_utilities_counters utilities_counters;
	uint64_t heartbeats;
	uint64_t backend_dropped; /* frames that user-mode networking or TAP lost */
	char tap_name[16];
	bool capture_failed;
	uint32_t leaked_pages;
	uint64_t writes_to_free_memory;
	uint64_t time; /* 100 ns; virtual in deterministic mode */
	int exit_status;
};

/* Silence, monitor console and network, on a machine that is there. False with a line in error
 * (of CLI_ERROR_MAX bytes). */
bool run_prepare(struct run *run, char *error);
/* Prints violations, if there are any; the exit status then, else status. */
int run_judge_violations(struct run *run, int status);

/* The file of a capture. False with a line in error (of CLI_ERROR_MAX bytes). */
bool run_network_open(struct run *run, char *error);
/* The card and what it is plugged into. False with a line in error (of CLI_ERROR_MAX bytes). */
bool run_network_create(struct run *run, char *error);
/* Before the machine is destroyed, while it still stands. */
void run_network_stop(struct run *run);
/* The rest, once the machine is gone. */
void run_network_destroy(struct run *run);

/* Keyboard, mouse and integration components, as far as they are asked for. False with a line in error (of
 * CLI_ERROR_MAX bytes). */
bool run_services_create(struct run *run, char *error);

struct json;
/* What the monitor counted, as an object "kvm"; null in other runs. */
void run_kvm_summary(struct json *json, const struct run *run);

/* The integration components; null without. */
void run_services_summary(struct json *json, const struct run *run);

/* Disks, their controllers, and a cut. */
void run_storage_summary(struct json *json, const struct run *run);

/* Writes the summary; false if it could not be written. */
bool run_summary(struct run *run);

#endif
