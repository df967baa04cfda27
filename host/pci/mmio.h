/* SPDX-License-Identifier: MIT */
/*
 * The MMIO windows: where device memory may be mapped, and what is mapped there now. Private to host/pci,
 * host/vpci and host/partition.
 */
#ifndef HVH_PCI_MMIO_H
#define HVH_PCI_MMIO_H

#include "hvkit_host/host.h"

/* A piece of device memory. Its memory is the device's. */
struct hvh_mmio_region {
	uint64_t base, length;
	/* Aligned, width 1, 2, 4 or 8, inside. */
	uint64_t (*read)(void *context, uint64_t now, uint32_t vp, uint64_t offset, unsigned width);
	void (*write)(void *context, uint64_t now, uint32_t vp, uint64_t offset, unsigned width,
		      uint64_t value);
	void *context;
	struct hvh_mmio_region *next;
	bool mapped;
};

struct hvh_mmio {
	struct hvh_mmio_window windows[2];
	struct hvh_mmio_region *regions;
	uint64_t reads, writes, nothing; /* nothing: accesses where nothing is */
};

struct hvh_dump;
void hvh_mmio_init(struct hvh_partition *partition, const struct hvh_mmio_window *low,
		   const struct hvh_mmio_window *high);
void hvh_mmio_dump(const struct hvh_partition *partition, struct hvh_dump *dump);
/* Maps a region, whose base and length are set. NULL, or why not: outside the windows, or where another is
 * already. */
const char *hvh_mmio_map(struct hvh_partition *partition, struct hvh_mmio_region *region);
void hvh_mmio_unmap(struct hvh_partition *partition, struct hvh_mmio_region *region);

/* As many ones as the width has. */
static inline uint64_t hvh_ones(unsigned width)
{
	return width >= sizeof(uint64_t) ? UINT64_MAX : (1ull << (8u * width)) - 1;
}

#endif
