/* SPDX-License-Identifier: MIT */
/*
 * A PCI function: configuration space, BARs and MSI-X around a device model. It knows nothing of the bus
 * that it is on. Private to host/pci and host/vpci.
 *
 * function.c has its life, config.c the configuration space, bars.c device memory, msix.c interrupts.
 */
#ifndef HVH_PCI_FUNCTION_H
#define HVH_PCI_FUNCTION_H

#include "host/pci/mmio.h"
#include "hvkit_host/pci.h"

#define PCI_FUNCTION_NO_CAPABILITY 0u

struct pci_function;

struct pci_bar {
	struct pci_function *function;
	unsigned number;
	uint64_t size; /* 0: none, or the high half of the one before */
	bool wide, prefetchable;
	struct hvh_mmio_region region;
};

struct pci_function {
	struct hvh_partition *partition;
	uint32_t channel_id; /* for violations */
	struct hvh_pci_model model;
	/* A message signalled interrupt goes out. */
	void (*message)(void *context, uint64_t now, uint32_t entry, uint64_t address, uint32_t data);
	/* The model was written to: it may have more to do, or sooner. */
	void (*written)(void *context, uint64_t now);
	void *context;
	struct hvh_vpci_counters *counters;

	uint8_t config[PCI_CONFIG_SIZE], writable[PCI_CONFIG_SIZE];
	uint8_t *capabilities; /* the model's, kept */
	bool powered;          /* in D0: BARs answer */
	bool bar_flags_late;   /* a BAR's low bits read as 0 until it is written (FreeBSD) */
	uint8_t bars_written;  /* a bit each */
	struct pci_bar bars[PCI_BARS];

	uint32_t msix_offset; /* of the capability */
	struct pci_msix_entry *entries;
	uint8_t *pending; /* a bit each */
	uint64_t interrupts_lost;
};

#define PCI_VIOLATE(function, now, vp, bytes, count, ...)                                            \
	hvh_violate((function)->partition, HVH_V_PCI, now, vp, (function)->channel_id, bytes, count, \
		    __VA_ARGS__)

/* False: no memory, or the model contradicts itself; nothing is left then. */
bool pci_function_init(struct pci_function *function, struct hvh_partition *partition,
		       const struct hvh_pci_model *model);
void pci_function_free(struct pci_function *function);
/* As after power-on. */
void pci_function_reset(struct pci_function *function, uint64_t now);
void pci_function_power(struct pci_function *function, uint64_t now, bool on);

/* --- config.c ------------------------------------------------------------------------------------ */

void pci_config_init(struct pci_function *function);
void pci_config_reset(struct pci_function *function);
uint32_t pci_config_read(const struct pci_function *function, uint32_t offset, unsigned width);
void pci_config_write(struct pci_function *function, uint64_t now, uint32_t vp, uint32_t offset,
		      unsigned width, uint32_t value);
uint16_t pci_config_word(const struct pci_function *function, uint32_t offset);
bool pci_decodes_memory(const struct pci_function *function);
bool pci_is_master(const struct pci_function *function);

/* --- bars.c -------------------------------------------------------------------------------------- */

bool pci_bars_init(struct pci_function *function);
/* What BAR n reads as after all ones were written. */
uint32_t pci_bar_probed(const struct pci_function *function, unsigned number);
/* Maps what is to be mapped, where it is to be now. */
void pci_bars_update(struct pci_function *function, uint64_t now, uint32_t vp);

/* --- msix.c -------------------------------------------------------------------------------------- */

bool pci_msix_init(struct pci_function *function);
void pci_msix_reset(struct pci_function *function);
uint64_t pci_msix_read(struct pci_function *function, uint64_t now, uint32_t vp, uint64_t offset,
		       unsigned width);
void pci_msix_write(struct pci_function *function, uint64_t now, uint32_t vp, uint64_t offset, unsigned width,
		    uint64_t value);
/* The capability's control, or whether it is bus master, was changed. */
void pci_msix_update(struct pci_function *function, uint64_t now);
void pci_msix_raise(struct pci_function *function, uint64_t now, uint32_t entry);
bool pci_msix_enabled(const struct pci_function *function);
bool pci_msix_entry_pending(const struct pci_function *function, uint32_t entry);

#endif
