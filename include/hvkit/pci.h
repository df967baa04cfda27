/* SPDX-License-Identifier: MIT */
/*
 * PCI as a device driver sees it: a function with its configuration space, its BARs and its
 * interrupts. vpci.h finds functions; a driver (virtio_net.h) takes one.
 *
 * Configuration space and BARs are memory of the device: whatever is read is the host's word, to be
 * checked. Interrupts are MSI-X; their handlers run in hvk_poll of the CPU that they are bound to.
 */
#ifndef HVKIT_PCI_H
#define HVKIT_PCI_H

#include "hvkit.h"
#include "wire/pci.h"

#ifdef __cplusplus
extern "C" {
#endif

struct hvk_pci_function; /* valid from added until gone (vpci.h) */

struct hvk_pci_bar {
	uint64_t address; /* guest-physical, assigned by hvkit; 0 = no such BAR */
	uint64_t size;    /* bytes, a power of two */
	bool wide, prefetchable;
};

struct hvk_pci_info {
	/* Where it is: the domain is the low half of the device's serial number, or, if another bus has that
	 * already, the next free number; the bus is 0. */
	uint16_t domain;
	uint8_t device, function;
	uint32_t serial; /* a network card's VF association names the same */
	uint16_t vendor_id, device_id, subsystem_vendor_id, subsystem_id;
	uint8_t revision, class_, subclass, programming_interface;
	uint16_t numa_node;  /* HVK_PCI_NO_NODE: not said */
	uint16_t interrupts; /* MSI-X entries; 0 = none */
	struct hvk_pci_bar bars[PCI_BARS];
};
#define HVK_PCI_NO_NODE 0xffffu

/* A driver's claim on a function, as hvk_channel_claim. */
struct hvk_pci_hooks {
	/* The host takes it away. eject: it asks, and waits for hvk_pci_release, bounded (the device works
	 * meanwhile); otherwise it is gone already: reads give all ones. The driver ends its work with it,
	 * then calls hvk_pci_release. Once; or with eject, then without, if it took too long or the host did
	 * not wait. In hvk_poll. */
	void (*leaving)(void *context, struct hvk_pci_function *function, bool eject);
	void *context;
};
/* HVK_EBUSY: another driver has it, or had it and its interrupts are not deleted yet. HVK_EGONE. Task context
 * or callback. */
hvk_status hvk_pci_claim(struct hvk_pci_function *function, const struct hvk_pci_hooks *hooks);
/* Interrupts that are left are deleted; memory decoding and bus mastering are switched off. After leaving it
 * is also the answer to the host. The pointer is dead then if the function was leaving. Where another CPU is
 * just inside leaving, this waits until it has come out: hooks are not called any more. Task context or
 * callback, leaving itself too. */
void hvk_pci_release(struct hvk_pci_function *function);

/* What the function is. From anywhere, while the function lives; never NULL, and never changes. */
const struct hvk_pci_info *hvk_pci_get_info(const struct hvk_pci_function *function);
/* The instance that it belongs to. */
struct hvk *hvk_pci_instance(struct hvk_pci_function *function);

/* Configuration space: width 1, 2 or 4 bytes, aligned, offset below 4096. All ones, and nothing is
 * written, for anything else and once it is gone. Identity, class and subsystem are what the host said once;
 * BARs and the MSI-X capability are hvkit's own: writes to them are HVK_EINVAL, as are those to fields that
 * every device has read-only; HVK_ESTATE while the bus sleeps. Any CPU; task context or callback. */
uint32_t hvk_pci_config_read(struct hvk_pci_function *function, uint32_t offset, unsigned width);
hvk_status hvk_pci_config_write(struct hvk_pci_function *function, uint32_t offset, unsigned width,
				uint32_t value);
/* Offset of the n-th capability of that id (wire/pci.h), 0 if there is none; the walk is bounded. */
uint32_t hvk_pci_find_capability(struct hvk_pci_function *function, uint8_t id, uint32_t n);
/* Memory decoding and bus mastering. Off at first; had again after a sleep. */
hvk_status hvk_pci_enable(struct hvk_pci_function *function, bool memory, bool master);

/* A BAR's memory: width 1, 2, 4 or 8 bytes, aligned; an access that is not wholly inside is all ones, or
 * not done, and counted as a fault of ours in a debug build. Any context. */
uint64_t hvk_pci_bar_read(struct hvk_pci_function *function, unsigned bar, uint64_t offset, unsigned width);
void hvk_pci_bar_write(struct hvk_pci_function *function, unsigned bar, uint64_t offset, unsigned width,
		       uint64_t value);

/* An interrupt: MSI-X entry index is created at the host for that CPU, with a vector of
 * hvk_config.device_vector_first and following, written into the table, and unmasked. handler runs in
 * hvk_poll of the CPU; interrupts that came before it ran are one. HVK_ELEVEL: no vectors were configured, or
 * the guest is polled; HVK_ELIMIT: no vector is left on that CPU, or no such entry; HVK_EBUSY: there is
 * one; HVK_ETIMEDOUT_VPCI, HVK_EREFUSED_VPCI, HVK_EGONE. Task context or callback. */
void hvk_pci_interrupt_create(struct hvk_pci_function *function, uint32_t index, uint32_t cpu,
			      void (*handler)(void *context, struct hvk_pci_function *function,
					      uint32_t index),
			      void *context, struct hvk_request *request);
/* To another CPU: by the hypercall; handler does not run on the old one once this has finished, and runs
 * once on the new one, as an interrupt may have come in between. HVK_ESTATE: there is none, or it is just
 * being made, moved or deleted. */
void hvk_pci_interrupt_retarget(struct hvk_pci_function *function, uint32_t index, uint32_t cpu,
				struct hvk_request *request);
void hvk_pci_interrupt_delete(struct hvk_pci_function *function, uint32_t index, struct hvk_request *request);
void hvk_pci_interrupt_mask(struct hvk_pci_function *function, uint32_t index, bool masked);

struct hvk_pci_counters {
	uint64_t config_reads, config_writes, interrupts, retargets;
};
/* From anywhere, while the function lives: a copy; each number is right, but they are not of one moment. */
void hvk_pci_get_counters(const struct hvk_pci_function *function, struct hvk_pci_counters *out);

#ifdef __cplusplus
}
#endif
#endif
