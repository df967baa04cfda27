/* SPDX-License-Identifier: MIT */
/*
 * Pass-through PCI: a bus (vPCI) with one function on it, and the functions there are.
 *
 * A function is a configuration space, BARs and MSI-X. The guest reaches it by hvh_mmio_read and
 * hvh_mmio_write (host.h) in the machine's MMIO windows; what it raises comes as hvh_ops.interrupt.
 */
#ifndef HVKIT_HOST_PCI_H
#define HVKIT_HOST_PCI_H

#include "host.h"
#include "hvkit/wire/pci.h"

#ifdef __cplusplus
extern "C" {
#endif

struct hvh_vpci; /* a bus, with its function */

/* What a device model is. Called with the partition's lock held. */
struct hvh_pci_model {
	void *context;
	uint16_t vendor_id, device_id, subsystem_vendor_id, subsystem_id;
	uint8_t revision, class_, subclass, programming_interface;
	/* Powers of two from 4096 on; 0 = no such BAR. wide: 64 bits, and takes the next one's place. The
	 * table of interrupts is in BAR msix_bar, alone there; 0 interrupts: none. */
	struct {
		uint64_t size;
		bool wide, prefetchable;
	} bars[PCI_BARS];
	uint16_t interrupts;
	uint8_t msix_bar;
	/* Further capabilities, one after another, each with its length in the third byte (as vendor-specific
	 * ones have it); linked by the bus. */
	const uint8_t *capabilities;
	uint32_t capabilities_size;
	/* Aligned, width 1, 2, 4 or 8, inside the BAR. */
	uint64_t (*read)(void *context, uint64_t now, unsigned bar, uint64_t offset, unsigned width);
	void (*write)(void *context, uint64_t now, unsigned bar, uint64_t offset, unsigned width,
		      uint64_t value);
	/* Power off, D3, or a new guest: forget everything. */
	void (*reset)(void *context, uint64_t now);
	/* May the device reach guest memory (bus master), and answer at its BARs? May be NULL. */
	void (*enabled)(void *context, uint64_t now, bool memory, bool master);
	/* As hvh_run and hvh_next_event. May be NULL. */
	bool (*run)(void *context, uint64_t now);
	uint64_t (*next_event)(void *context);
	void (*destroy)(void *context);
};

struct hvh_vpci_config {
	/* GUID as on the wire; zeros = its first 4 bytes are the serial, the rest of the seed. */
	uint8_t instance[16];
	uint32_t serial;          /* 0 = made from the seed */
	uint32_t protocol_newest; /* VPCI_VERSION_*; 0 = the profile's */
	bool away;                /* not offered until hvh_vpci_offer */
	uint64_t eject_wait;      /* the guest's time to answer EJECT, 100 ns; 0 = 60 s */
};
/* The model is copied. NULL if there is no room, or the model contradicts itself. It lives until the
 * partition does. */
struct hvh_vpci *hvh_vpci_create(struct hvh_partition *partition, const struct hvh_vpci_config *config,
				 const struct hvh_pci_model *model);
struct hvh_vpci *hvh_vpci_find(struct hvh_partition *partition, const char *name); /* "pci0" */
uint32_t hvh_vpci_serial(const struct hvh_vpci *bus);
/* With another serial (0 = the same). False: it is there already. */
bool hvh_vpci_offer(struct hvh_vpci *bus, uint64_t now, uint32_t serial);
bool hvh_vpci_is_offered(const struct hvh_vpci *bus); /* or to be, at the next contact */
/* Asks the guest to let it go; when it has, or eject_wait is over, the bus is rescinded. */
bool hvh_vpci_eject(struct hvh_vpci *bus, uint64_t now);
/* Asked for, or let go and about to be rescinded. Who closes the channel instead has not been asked. */
bool hvh_vpci_is_leaving(const struct hvh_vpci *bus);
/* Takes it away at once. */
bool hvh_vpci_rescind(struct hvh_vpci *bus, uint64_t now);
/* The device raises interrupt entry. Masked ones are remembered, as MSI-X has it. */
void hvh_vpci_interrupt(struct hvh_vpci *bus, uint64_t now, uint32_t entry);

struct hvh_vpci_counters {
	uint64_t config_reads, config_writes, bar_reads, bar_writes, interrupts, created, deleted, retargeted;
	uint64_t ejects, ejects_answered;
};
void hvh_vpci_get_counters(const struct hvh_vpci *bus, struct hvh_vpci_counters *out);

#ifdef __cplusplus
}
#endif
#endif
