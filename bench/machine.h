/* SPDX-License-Identifier: MIT */
/*
 * The smallest machine that a guest runs on: one thread, as a rule one CPU, no switch points, virtual
 * time that moves only when the guest waits. Everything that it does is a plain call, so that
 * instructions, hypercalls and pages can be counted and come out alike every time.
 */
#ifndef BENCH_MACHINE_H
#define BENCH_MACHINE_H

#include "bench/far.h"
#include "hvkit/netvsc.h"
#include "hvkit/vf.h"
#include "hvkit/virtio_net.h"
#include "hvkit/vpci.h"
#include "hvkit_host/host.h"
#include "hvkit_host/network.h"
#include "hvkit_host/vf.h"

#define BENCH_PAGES 65536u
#define BENCH_WAIT_MS 30000u
#define BENCH_CPUS_MAX 2u

struct bench_machine {
	bool events; /* interrupts and locks (L1), or polled (L0) */
	struct hvk_port port;
	struct hvh_partition *partition;
	struct hvk *hvk;
	struct hvk_request request;
	uint8_t *memory;
	uint8_t *used; /* per page */
	uint32_t pages_in_use, pages_most;
	uint64_t allocations;
	uint64_t now;
	uint32_t cpus;
	bool interrupt_pending[BENCH_CPUS_MAX];   /* atomic */
	uint32_t devices_pending[BENCH_CPUS_MAX]; /* atomic: a bit for each vector of a PCI device's */
	bool host_busy;                           /* atomic: one hypercall or access at a time */
	uint64_t accesses;                        /* to device memory */
	uint64_t interrupts;                      /* atomic: raised by the host */
	/* What was offered and is a network card. */
	struct hvk_channel *nic_channel;
	struct hvh_nic *host_nic;
	struct hvk_netvsc *nic;
	struct hvk_netdev *netdev;
	/* A virtual function beside it: bench/accelerated.h. */
	struct hvh_vf *host_vf;
	struct hvk_vf *vf;
	struct hvk_channel *bus_channel;
	struct hvk_vpci *bus;
	struct hvk_pci_function *function;
	struct hvk_virtio_net *device;
	/* Frames of the guest's that reached the host's backend. */
	uint64_t frames_out, bytes_out;
	uint64_t first_frame_hypercalls; /* hypercalls before the first of them */
	void (*offered)(struct bench_machine *machine, struct hvk_channel *channel);
	void *context;
};

struct bench_config {
	const char *profile; /* NULL = ws2022 */
	bool events;
	bool boot_mode;
	uint32_t cpus;       /* 0 = 1 */
	bool threads;        /* several will run the guest's CPUs: locks are real */
	uint32_t ranges_max; /* frames in one packet of the host's; 0 = the profile's */
	bool nic;            /* offer a network card, and bring it up */
	bool vf;             /* which may have a virtual function beside it, transparently; not there yet */
	struct hvk_netvsc_config card;
	void (*populate)(struct bench_machine *machine); /* more devices, before the guest looks */
	void (*offered)(struct bench_machine *machine, struct hvk_channel *channel);
	void *context;
};

/* Up to the point where frames can flow (nic), or the bus is connected. Ends the program
 * with a line on stderr if something does not work: a benchmark of a failure is none. */
void bench_start(struct bench_machine *machine, const struct bench_config *config);
/* Everything undone; ends the program if a page is missing or the host has seen a violation. */
void bench_stop(struct bench_machine *machine);

/* Up to a card that is up, in two halves. */
void bench_connect(struct bench_machine *machine, const struct bench_config *config);
void bench_attach(struct bench_machine *machine, const struct bench_config *config);

/* Lets the host do what is due. */
void bench_host(struct bench_machine *machine);
/* Lets the guest take an interrupt, if one is there, and poll until there is nothing left; each CPU. */
void bench_guest(struct bench_machine *machine);
/* Of one CPU alone, which the calling thread is from now on. */
void bench_guest_cpu(struct bench_machine *machine, uint32_t cpu);
/* The work of so many CPUs at once, the last one's on the other thread; far NULL: one after the other. The
 * calling thread is CPU 0 afterwards. */
void bench_each_cpu(struct bench_far *far, uint32_t cpus, void (*work)(void *context, uint32_t cpu),
		    void *context);
/* Both, until neither has anything to do. */
void bench_settle(struct bench_machine *machine);
/* Finishes the request in machine->request, which must end with HVK_OK. */
void bench_wait(struct bench_machine *machine, const char *what);

void bench_fail(const char *what, const char *why) __attribute__((noreturn));
void bench_check(hvk_status status, const char *what);
/* machine->request, cleared. */
struct hvk_request *bench_request(struct bench_machine *machine);
uint64_t bench_hypercalls(const struct bench_machine *machine);
/* What would be exits of a virtual machine: hypercalls, and accesses to device memory. */
uint64_t bench_exits(const struct bench_machine *machine);

#endif
