/* SPDX-License-Identifier: MIT */
/*
 * netboot: gets a script by DHCP, loads what it names by HTTP, TFTP or from a disk, gives Hyper-V back
 * and starts it. Polled: it needs level L0 of the port, no interrupts and no other CPU.
 *
 *   life.c      hypervisor and bus, the whole run      boot.c      the hand-over, and the last step
 *   network.c   cards, DHCP, lwIP's main loop          files.c     what has been loaded, and sums
 *   disks.c     storage controllers, ISO 9660          console.c   words and keys
 *   script.c, script_run.c, location.c, options.c, plan.c, memory_map.c, linux_bzimage.c, pvh.c: pure
 */
#ifndef NETBOOT_NETBOOT_H
#define NETBOOT_NETBOOT_H

#include "apps/net/fetch.h"
#include "apps/net/lwip_port.h"
#include "apps/netboot/location.h"
#include "apps/netboot/memory_map.h"
#include "apps/netboot/options.h"
#include "apps/netboot/plan.h"
#include "apps/netboot/script.h"
#include "examples/lwip/netif_hvk.h"
#include "hvkit/hvkit.h"
#include "hvkit/input.h"
#include "hvkit/netvsc.h"
#include "hvkit/storvsc.h"
#include "hvkit/vmbus.h"

#define NETBOOT_CONTROLLERS_MAX 8u
#define NETBOOT_KEYS_MAX 32u
#define NETBOOT_ERROR_MAX 320u
#define NETBOOT_ABORT 0x03 /* Ctrl-C */

/* Exit statuses. */
#define NETBOOT_OK 0     /* the script's exit */
#define NETBOOT_FAILED 1 /* said why */
#define NETBOOT_USAGE 2

/* The machine below. */
struct netboot_platform {
	void *context;
	const struct hvk_port *port;
	uint8_t vector; /* of the SINT: whoever polls needs no handler that does anything */
	void (*write)(void *context, const char *text, size_t length);
	int (*read)(void *context); /* a character that was typed, or -1 */
	/* The firmware's memory map; false past the last. */
	bool (*memory_range)(void *context, uint32_t n, struct memory_range *out);
	uint64_t rsdp;
	struct memory_span files; /* where files go: RAM that nobody else uses */
	uint8_t *files_bytes;     /* the same, for us */
	struct memory_span area;  /* launch's own; nothing may be copied there */
	uint64_t told_at;         /* in it */
	struct plan_told *told;   /* the same, for us */
	/* The last step. hvkit has been stopped and destroyed. Does not return on a machine. */
	void (*launch)(void *context, const struct plan *plan);
};

struct netboot_file {
	char name[LOCATION_MAX + 1];
	uint64_t offset, length; /* in files_bytes */
	bool by_network, checked;
};

struct netboot {
	struct netboot_platform platform;
	struct netboot_options options;
	struct hvk *hvk;
	struct hvk_request request;
	uint64_t started, first_byte; /* hvk_time; 0: none yet */
	bool cancelled;
	bool abandoned; /* a request did not end: its memory is not ours any more */
	char error[NETBOOT_ERROR_MAX];

	/* network.c */
	struct hvk_netvsc *nic;
	bool lwip_started, netif_added, leased;
	struct net_lwip_port lwip;
	struct net_dhcp_boot dhcp_boot;
	struct net_user net_user;
	struct netif_hvk netif;

	/* console.c */
	struct hvk_keyboard *keyboard;
	uint8_t keys[NETBOOT_KEYS_MAX];
	uint32_t key_count;

	/* disks.c */
	bool disks_attached;
	struct hvk_storvsc *controllers[NETBOOT_CONTROLLERS_MAX];
	uint32_t controller_count;

	/* files.c */
	struct netboot_file kernel, modules[PLAN_MODULES_MAX];
	uint32_t module_count;
	struct netboot_file *last; /* loaded */
	uint64_t used;             /* of files_bytes */
	char command_line[SCRIPT_LINE_MAX + 1];

	/* life.c */
	char base[LOCATION_MAX + 1]; /* where the script is from */
	struct script script;
	struct script_variables variables;
	struct script_run run;

	/* boot.c */
	struct memory_map map;
	struct plan plan;
};

/* Runs to the end. Returns an exit status, if no system was started, or launch returned. */
int netboot_run(struct netboot *self, const struct netboot_platform *platform, const char *command_line);

/* --- Between the files --------------------------------------------------------------------------- */

/* life.c */
struct hvk_request *netboot_request(struct netboot *self);
hvk_status netboot_wait(struct netboot *self); /* for that one */
/* One turn of the main loop; true if there was something to do. */
bool netboot_turn(struct netboot *self);
/* Channels of a type that the host offers, in order; false past the last. */
struct hvk_channel *netboot_channel(struct netboot *self, const struct vmbus_guid *type, uint32_t n);
/* The words of a failure, as "WHAT: status: text", in self->error. */
__attribute__((format(printf, 3, 4))) const char *netboot_failed(struct netboot *self, hvk_status status,
								 const char *format, ...);
__attribute__((format(printf, 2, 3))) const char *netboot_wrong(struct netboot *self, const char *format,
								...);

/* console.c */
__attribute__((format(printf, 2, 3))) void netboot_print(struct netboot *self, const char *format, ...);
void netboot_size(uint64_t bytes, char text[16]);
void netboot_keyboard_attach(struct netboot *self);
void netboot_keyboard_detach(struct netboot *self);
int netboot_key(struct netboot *self); /* -1: none */
const char *netboot_choose(void *context, struct script_menu *menu);

/* network.c */
const char *netboot_network_up(struct netboot *self); /* with a lease; does nothing if there is one */
void netboot_network_down(struct netboot *self);
bool netboot_network_turn(struct netboot *self);

/* disks.c */
struct netboot_sink {
	/* Bytes of a file as they come, and once before them its size, if that is known. NULL, or why it
	 * ends. */
	const char *(*size)(void *context, uint64_t size);
	const char *(*data)(void *context, const void *bytes, size_t length);
	void *context;
};
const char *netboot_disk_read(struct netboot *self, const struct location *location,
			      const struct netboot_sink *sink);
void netboot_disks_down(struct netboot *self);

/* files.c */
const char *netboot_load_script(struct netboot *self, const char *name);
const char *netboot_kernel(void *context, const char *name, const char *arguments, const char *sum);
const char *netboot_initrd(void *context, const char *name, const char *sum);
const char *netboot_check_sum(void *context, const char *sum);

/* boot.c */
const char *netboot_boot(void *context);
/* Drivers detached, as before a hand-over. */
void netboot_detach(struct netboot *self);

#endif
