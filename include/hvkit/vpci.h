/* SPDX-License-Identifier: MIT */
/*
 * vpci: pass-through PCI. One hvk_vpci per channel of type VMBUS_GUID_VPCI: a bus of its own, with
 * usually one function on it. Needs hvk_config.mmio_windows and the port's mmio_read and mmio_write.
 *
 *   struct hvk_vpci *bus;
 *   hvk_vpci_create(channel, &config, &bus);
 *   hvk_vpci_attach(bus, &request);      open, version, relations, window, D0, resources, BARs
 *     ... config.added(context, bus, function) for each function, then and later
 *   hvk_vpci_detach(bus, &request);      functions leave, D0 exit, close
 *   hvk_vpci_destroy(bus);
 */
#ifndef HVKIT_VPCI_H
#define HVKIT_VPCI_H

#include "pci.h"
#include "vmbus.h"
#include "wire/vpci.h"

#ifdef __cplusplus
extern "C" {
#endif

struct hvk_vpci;

struct hvk_vpci_config {
	uint32_t cpu;             /* of the channel; 0 below VMBus 2.4 */
	uint32_t protocol_newest; /* 0 = VPCI_VERSION_1_4; tests and old hosts: an older one */
	uint32_t functions_max;   /* 0 = 8; at most 256 */
	/* How long a driver may take to let go of a function that the host wants back; then it is told that
	 * the function is gone all the same. 0 = 30000. */
	uint32_t eject_ms;
	/* A function is there: at attach, or later. In hvk_poll. May be NULL. */
	void (*added)(void *context, struct hvk_vpci *bus, struct hvk_pci_function *function);
	/* It has gone; the pointer is dead when this returns. After its driver has released it. */
	void (*removed)(void *context, struct hvk_vpci *bus, struct hvk_pci_function *function);
	/* The host took the bus away, or its ring contradicts itself: detach it and forget it. After all its
	 * functions have gone. Once. */
	void (*gone)(void *context, struct hvk_vpci *bus);
	void *context;
};

/* As hvk_netvsc_create. HVK_EINVAL: no vPCI channel; HVK_ELEVEL: the port has no mmio_read and mmio_write. */
hvk_status hvk_vpci_create(struct hvk_channel *channel, const struct hvk_vpci_config *config,
			   struct hvk_vpci **out);
/* Finishes with HVK_OK when each function that was there at first has been told (none at all is no error), or
 * with the status of the step that failed; HVK_ELIMIT: no window is wide enough for what the
 * host's devices need; HVK_ETIMEDOUT_VPCI, HVK_EREFUSED_VPCI. */
void hvk_vpci_attach(struct hvk_vpci *bus, struct hvk_request *request);
/* Drivers are told that their functions leave, and waited for, bounded. Also for a rescinded channel. */
void hvk_vpci_detach(struct hvk_vpci *bus, struct hvk_request *request);
hvk_status hvk_vpci_destroy(struct hvk_vpci *bus);
/* For a machine that sleeps: interrupts, BARs and D0 state are given back, then had again in the same
 * places. */
void hvk_vpci_suspend(struct hvk_vpci *bus, struct hvk_request *request);
void hvk_vpci_resume(struct hvk_vpci *bus, struct hvk_request *request);

/* The bus's own channel, for its identity and state; only the bus sends on it. From anywhere. */
struct hvk_channel *hvk_vpci_channel(struct hvk_vpci *bus);
uint32_t hvk_vpci_protocol(const struct hvk_vpci *bus); /* VPCI_VERSION_*; 0 before */
/* The PCI domain of the bus, made of its instance; two buses never have the same one (docs/vpci.md). From
 * anywhere. */
uint16_t hvk_vpci_domain(const struct hvk_vpci *bus);
/* Functions in order of slot: NULL for the first, NULL is returned after the last. Task context on the
 * channel's CPU. */
struct hvk_pci_function *hvk_vpci_next_function(struct hvk_vpci *bus, struct hvk_pci_function *previous);
void hvk_vpci_dump(struct hvk_vpci *bus, hvk_dump_line line, void *context);

#ifdef __cplusplus
}
#endif
#endif
