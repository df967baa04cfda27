/* SPDX-License-Identifier: MIT */
/*
 * The shell: the guest that we run. It brings hvkit up, takes a network card, asks
 * for an address, takes the disks, runs commands and leaves everything as it was found.
 *
 *   hypervisor -> CPUs -> VMBus -> netvsc -> DHCP -> storvsc -> commands -> the same backwards
 *
 * It is portable: it is written against hvkit's public headers, lwIP and the few
 * functions in struct shell_platform, and is to become a kernel image of its own.
 * All its state is in struct shell, which belongs to the caller; what is global is
 * lwIP's (apps/net/lwip_port.h), so one shell with a network runs in a process.
 */
#ifndef SHELL_SHELL_H
#define SHELL_SHELL_H

#include <stdatomic.h>

#include "apps/net/fetch.h"
#include "apps/net/lwip_port.h"
#include "examples/lwip/netif_hvk.h"
#include "apps/shell/results.h"
#include "apps/shell/services.h"
#include "hvkit/hvkit.h"
#include "hvkit/netvsc.h"
#include "hvkit/vf.h"
#include "hvkit/virtio_net.h"
#include "hvkit/storvsc.h"
#include "hvkit/vmbus.h"
#include "hvkit/vpci.h"

#define SHELL_GROUPS_MAX 14u /* multicast groups that one line asks for */
#define SHELL_CONTROLLERS_MAX 16u
#define SHELL_DISKS_MAX 64u
#define SHELL_DISK_NAME 8u

enum shell_stream {
	SHELL_STORY,  /* what happens: coming up, going down */
	SHELL_OUTPUT, /* what a command was asked for */
	SHELL_ERROR
};

enum shell_line { SHELL_LINE, SHELL_LINE_NONE, SHELL_LINE_END };

struct shell_platform {
	void *context;
	const struct hvk_port *port; /* must live as long as the shell */
	/* Shows text, which has its line ends. CPU 0 only. */
	void (*write)(void *context, enum shell_stream stream, const char *text, size_t length);
	/* Lets others go on until this CPU is woken or timeout_ns have passed. */
	void (*wait)(void *context, uint64_t timeout_ns);
	/* Ends a wait on that CPU; may be NULL (waits are short). */
	void (*wake)(void *context, uint32_t cpu);
	/* On each CPU once its SynIC has been started: the place for hvk_event_timer_start. hvk is the
	 * instance until that CPU's SynIC is stopped. May be NULL. */
	void (*cpu_started)(void *context, struct hvk *hvk, uint32_t cpu);
	/* A fault of our own: show it and end the program. Does not return. */
	void (*fatal)(void *context, const char *text);
	/* The next line to run, copied with its end; asked for on CPU 0 when the one before is
	 * done. SHELL_LINE_NONE: none yet, ask again when woken, and at *again (hvk_time units; set
	 * to a tick from now before the call) at the latest. */
	enum shell_line (*read_line)(void *context, char *line, size_t size, uint64_t *again);
	/* There will be no more lines; the guest is still up. CPU 0. May be NULL. */
	void (*ending)(void *context);
	/* The longest wait though nothing is due: for whom nobody wakes, or who is cancelled. 0: 100. */
	uint32_t tick_ms;
	/* What outlives the guest; NULL: its files are in memory, and gone with it. */
	const struct shell_files *files;
};

enum shell_vf_mode { SHELL_VF_NONE, SHELL_VF_TRANSPARENT, SHELL_VF_SEPARATE };

/* How far the VF's drivers have come (vf.c). */
enum shell_vf_step {
	SHELL_VF_IDLE,
	SHELL_VF_BUS_ATTACHING,
	SHELL_VF_BUS_UP,
	SHELL_VF_DEVICE_ATTACHING,
	SHELL_VF_PAIRED,
	SHELL_VF_UNPAIRING,
	SHELL_VF_DEVICE_DETACHING,
	SHELL_VF_BUS_DETACHING
};

struct shell_vf {
	enum shell_vf_step step;
	struct hvk_request request; /* of the step */
	struct hvk_channel *channel;
	struct hvk_vpci *bus;
	struct hvk_pci_function *function;
	struct hvk_virtio_net *device;
	bool leaving, bus_gone;
	bool down;                   /* all of it is to go */
	bool unusable;               /* this offer's; refused is its channel id */
	uint32_t refused;            /* 0: none */
	uint64_t rx_bytes, tx_bytes; /* by those that have left */
};

struct shell_config {
	struct hvk_config hvk;
	enum hvk_vmbus_mode mode;
	uint32_t newest; /* VMBus version to try first; 0: the newest there is. System mode only */
	bool network;    /* there is to be a card: without one coming up fails */
	struct hvk_netvsc_config driver; /* the card's; zeros: all by default */
	enum shell_vf_mode vf;           /* needs driver.vf, and hvk.mmio_windows */
	uint32_t vf_grace_ms;            /* as hvk_vf_config.grace_ms */
	uint32_t freeze_max_ms;          /* as hvk_vss_callbacks.freeze_max_ms */
};

enum shell_exit {
	SHELL_OK = 0,
	SHELL_FAILED = 1,     /* something that was asked for does not work */
	SHELL_USAGE = 2,      /* no such command, or a wrong argument */
	SHELL_CANCELLED = 130 /* by shell_cancel */
};

/* Where the other CPUs are. */
enum shell_phase { SHELL_STARTING, SHELL_RUNNING, SHELL_STOPPING };
enum shell_cpu_state { SHELL_CPU_OFF, SHELL_CPU_ON, SHELL_CPU_STOPPED, SHELL_CPU_FAILED };

struct shell_cpu {
	_Atomic int state;
	hvk_status status; /* why it failed; read after state */
};

/* A storage controller that is attached. */
struct shell_controller {
	struct shell *shell;
	struct hvk_storvsc *driver; /* NULL: none */
	struct hvk_channel *channel;
	uint32_t number;
	bool gone; /* the host has taken it away */
};

struct shell_disk {
	struct shell *shell;
	char name[SHELL_DISK_NAME]; /* disk0, cd0 */
	struct hvk_storvsc_unit *unit;
	struct hvk_block *block; /* NULL: none, or taken away while a command uses it */
	uint32_t controller;     /* its number */
	uint32_t users;          /* commands at work on it */
};

struct block_queue;

struct shell {
	struct shell_platform platform;
	struct shell_config config;
	_Atomic(struct hvk *) hvk; /* set before any CPU starts; interrupts look at it */
	_Atomic int phase;
	struct shell_cpu cpus[HVK_CPUS_MAX];
	struct hvk_request request; /* for what is waited for in turn */
	bool abandoned;             /* a request never ended; the bus was left abruptly */

	struct hvk_netvsc *nic;
	struct hvk_channel *nic_channel;
	bool nic_suspended;
	struct hvk_vf *vf; /* NULL: the card is used without */
	struct shell_vf vf_device;
	uint8_t groups[SHELL_GROUPS_MAX][6]; /* that the card was asked for */
	uint32_t group_count;
	uint32_t nic_refused; /* channel id of a card that could not be attached again; 0 = none */
	struct shell_controller controllers[SHELL_CONTROLLERS_MAX];
	uint8_t controllers_refused[VMBUS_MAX_CHANNELS / 8]; /* bits by channel id: could not be attached */
	struct shell_disk disks[SHELL_DISKS_MAX];
	bool disks_leaving;
	struct block_queue *disk_queue; /* of the command that works on a disk; NULL: none */
	uint32_t pages_withheld;        /* that a host has never let go of */

	bool lwip_started, netif_added;
	bool lease_stale;        /* the link was lost: DHCP is to say whether the address holds */
	bool addresses_injected; /* the host's, not DHCP's */
	struct shell_services services;
	struct net_lwip_port lwip;
	struct netif_hvk netif;
	struct net_user net_user; /* downloads */

	_Atomic bool cancelled; /* the command that runs is to end */
	bool power_off;
	bool command_runs;
	int last_status; /* of the last line */
	struct shell_results results;
};

/* Prepares the structure. HVK_EINVAL if something is missing. */
hvk_status shell_init(struct shell *shell, const struct shell_platform *platform,
		      const struct shell_config *config);

/* The whole life, on CPU 0. The outcome is in shell->results. */
void shell_run(struct shell *shell);

/* What the other CPUs run until CPU 0 says that it is over. */
void shell_run_cpu(struct shell *shell, uint32_t cpu);

/* The vector's handler on each CPU. */
void shell_interrupt(struct shell *shell, uint32_t cpu);

/* Ends the command that runs, if one does, with SHELL_CANCELLED. Any thread; wake CPU 0 then. */
void shell_cancel(struct shell *shell);
/* Adds a line that somebody else has run to the results. CPU 0. */
void shell_record_command(struct shell *shell, const char *line, int status);
/* Everything of the guest's as a tree (hvk_dump_line). CPU 0, in read_line or ending. */
void shell_dump(struct shell *shell, hvk_dump_line line, void *context);

/* The commands there are: name, with arguments, and one line each; false past the last. */
bool shell_command_help(uint32_t n, const char **name, const char **usage, const char **text);

#endif
