/* SPDX-License-Identifier: MIT */
/*
 * The shell: the guest that we run. It brings hvkit up, takes a network card, asks
 * for an address, runs commands and leaves everything as it was found.
 *
 *   hypervisor -> CPUs -> VMBus -> netvsc -> DHCP -> commands -> the same backwards
 *
 * It is portable: it is written against hvkit's public headers, lwIP and the few
 * functions in struct shell_platform, and is to become a kernel image of its own.
 * All its state is in struct shell, which belongs to the caller; what is global is
 * lwIP's (apps/net/lwip_port.h), so one shell with a network runs in a process.
 */
#ifndef SHELL_SHELL_H
#define SHELL_SHELL_H

#include <stdatomic.h>

#include "apps/net/lwip_port.h"
#include "apps/net/netif_hvk.h"
#include "apps/shell/results.h"
#include "hvkit/hvkit.h"
#include "hvkit/netvsc.h"
#include "hvkit/vmbus.h"

enum shell_stream {
	SHELL_STORY,  /* what happens: coming up, going down */
	SHELL_OUTPUT, /* what a command was asked for */
	SHELL_ERROR
};

struct shell_platform {
	void *context;
	const struct hvk_port *port; /* must live as long as the shell */
	/* Shows text, which has its line ends. CPU 0 only. */
	void (*write)(void *context, enum shell_stream stream, const char *text, size_t length);
	/* Lets others go on until this CPU is woken or timeout_ns have passed. */
	void (*wait)(void *context, uint64_t timeout_ns);
	/* Ends a wait on that CPU; may be NULL (waits are short). */
	void (*wake)(void *context, uint32_t cpu);
	/* A fault of our own: show it and end the program. Does not return. */
	void (*fatal)(void *context, const char *text);
};

struct shell_config {
	struct hvk_config hvk;
	enum hvk_vmbus_mode mode;
	bool network;                /* there is to be a card: without one coming up fails */
	const char *const *commands; /* lines; borrowed */
	uint32_t command_count;
};

enum shell_exit {
	SHELL_OK = 0,
	SHELL_FAILED = 1, /* something that was asked for does not work */
	SHELL_USAGE = 2   /* no such command, or a wrong argument */
};

/* Where the other CPUs are. */
enum shell_phase { SHELL_STARTING, SHELL_RUNNING, SHELL_STOPPING };
enum shell_cpu_state { SHELL_CPU_OFF, SHELL_CPU_ON, SHELL_CPU_STOPPED, SHELL_CPU_FAILED };

struct shell_cpu {
	_Atomic int state;
	hvk_status status; /* why it failed; read after state */
};

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
	struct hvk_channel *nic_candidate; /* first network channel offered */
	bool nic_gone;                     /* the host has taken it away */
	bool lwip_started, netif_added;
	struct net_lwip_port lwip;
	struct netif_hvk netif;
	struct { /* what a name server said */
		bool done, found;
		ip4_addr_t address;
	} resolver;

	bool power_off;
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

/* The commands there are: name, arguments and one line each; false past the last. */
bool shell_command_help(uint32_t n, const char **usage, const char **text);

#endif
