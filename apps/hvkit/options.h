/* SPDX-License-Identifier: MIT */
/* The command line of hvkit. */
#ifndef CLI_OPTIONS_H
#define CLI_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "apps/hvkit/disk.h"
#include "apps/hvkit/style.h"
#include "hvkit/netvsc.h"
#include "hvkit/version.h"
#include "hvkit_host/host.h"
#include "hvkit_host/network.h"
#include "hvkit_host/storage.h"
#include "hvkit_host/utilities.h"

#define CLI_COMMANDS_MAX 256u
#define CLI_ERROR_MAX 640u
#define CLI_MEMORY_DEFAULT (256ull << 20)

/* Exit statuses; 0 to 2 are the shell's too. */
enum cli_exit {
	CLI_OK = 0,
	CLI_FAILED = 1,
	CLI_USAGE = 2,
	CLI_VIOLATION = 3, /* the host recorded violations, or memory was misused */
	CLI_HANG = 4,      /* the guest made no progress any more */
	CLI_CRASH = 5,     /* the guest crashed its processor */
	CLI_CUT = 6        /* the power was cut, as was asked for */
};

/* What hvkit can be asked for. The table is in actions.c. */
enum cli_action_kind {
	CLI_HELP,
	CLI_RUN_HELP,
	CLI_ACTION_HELP, /* of the one in about */
	CLI_SHOW_VERSION,
	CLI_RUN,
	CLI_OTHER /* the action's own function does it */
};
struct cli_options;
struct cli_action {
	const char *name, *usage, *text;
	enum cli_action_kind action;
	bool arguments;                                 /* it takes some, and looks at them itself */
	int (*run)(int count, char *const arguments[]); /* arguments[0] is its name */
	void (*help)(void);                             /* NULL: run prints it, asked for by --help */
};
#define CLI_ACTIONS 6u
extern const struct cli_action cli_actions[CLI_ACTIONS];

enum cli_accel { CLI_ACCEL_HOSTED, CLI_ACCEL_KVM };
enum cli_entry { CLI_ENTRY_ANY, CLI_ENTRY_PVH, CLI_ENTRY_ELF64 };

enum cli_nic { CLI_NIC_USER, CLI_NIC_TAP, CLI_NIC_SIM, CLI_NIC_NONE };

struct cli_options {
	enum cli_action_kind action;
	const struct cli_action *about;
	int rest_count; /* the action's name and its arguments */
	char *const *rest;
	uint32_t cpus;
	struct hvh_profile host; /* accept_newest as --vmbus-max says */
	bool boot_mode, quiet;
	bool seeded; /* deterministic */
	uint64_t seed;
	enum cli_accel accel;
	/* Of --accel kvm. */
	uint64_t memory; /* bytes */
	uint32_t generation;
	enum cli_entry entry;
	const char *guest, *kernel, *initrd, *append;
	uint64_t time_limit_ms; /* 0: none */
	bool no_sandbox, bios_stub;
	enum cli_nic nic;
	struct hvh_nic_config card;   /* address, MTU, queues and offloads; zeros = not said */
	struct hvh_slirp_config user; /* its strings, and those of tap and pcap, are the options' own */
	struct hvh_tap_config tap;
	const char *pcap;
	char *tftp_directory, *nic_text;
	struct hvk_netvsc_config driver; /* of our own guest */
	const char *offloads;            /* as given; NULL: not */
	bool vf, vf_separate;            /* a VF beside the card; an interface of its own in our guest */
	uint32_t vf_grace_ms;            /* hvk_vf_config.grace_ms */
	uint64_t vf_offer_delay;         /* hvh_vf_config.offer_delay */
	bool second_card;                /* one more, plugged in nowhere */
	bool keyboard, mouse;
	uint32_t utilities;    /* HVH_UTILITY_*; 0: none */
	const char *kvp_file;  /* the argument's; NULL: none */
	const char *guest_dir; /* likewise */
	uint32_t freeze_max_ms;
	struct cli_disk disks[CLI_DISKS_MAX];
	uint32_t disk_count;
	struct hvh_storage_trouble disk_trouble; /* of every controller, at first */
	enum hvh_silence silence;
	const char *trace, *summary, *script; /* the arguments' */
	bool inspect;
	enum style_when color;
	char *commands[CLI_COMMANDS_MAX];
	uint32_t command_count;
};

/* Fills options, which cli_options_free ends in any case. False: error, of
 * CLI_ERROR_MAX bytes, holds one line that says what is wrong and what would be right. */
bool cli_options_parse(int count, char *const arguments[], struct cli_options *options, char *error);
void cli_options_free(struct cli_options *options);

const char *cli_accel_name(enum cli_accel accel);
const char *cli_nic_name(enum cli_nic nic);

/* run's options: name, value (NULL if it takes none), lines of text; false past the last. */
bool cli_option_help(uint32_t n, const char **name, const char **value, const char **text);

/* The help texts, to standard output. */
void cli_print_help(void);
void cli_print_run_help(void);
void cli_print_hosts(void);

/* doctor.c: what this machine can do. */
int cli_doctor(int count, char *const arguments[]);
void cli_print_doctor_help(void);

/* Runs a guest; returns the exit status. */
int cli_run(const struct cli_options *options);

#endif
