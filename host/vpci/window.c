/* SPDX-License-Identifier: MIT */
/* The window: a slot is written into its first page, that slot's configuration space is the second. */
#include "host/vpci/vpci.h"

#define IS_OTHER_PAGE "the first page takes a slot: 4 bytes at 0"
#define IS_TOO_WIDE "configuration space is accessed by 1, 2 or 4 bytes"

static void wrong(struct hvh_vpci *bus, uint64_t now, uint32_t vp, uint64_t offset, unsigned width,
		  const char *what)
{
	PCI_VIOLATE(&bus->function, now, vp, &offset, sizeof offset, "window, %u bytes at %#llx: %s", width,
		    (unsigned long long)offset, what);
}

/* Is the function in the slot that is chosen? Guests may look for one where there is none. */
static bool there(const struct hvh_vpci *bus)
{
	return bus->slot == VPCI_SLOT && !bus->ejected;
}

static uint64_t window_read(void *context, uint64_t now, uint32_t vp, uint64_t offset, unsigned width)
{
	struct hvh_vpci *bus = context;

	if (offset < VPCI_WINDOW_CONFIG) {
		if (offset == 0 && width == sizeof bus->slot)
			return bus->slot;
		wrong(bus, now, vp, offset, width, IS_OTHER_PAGE);
		return UINT64_MAX;
	}
	bus->counters.config_reads++;
	if (width > sizeof(uint32_t)) {
		wrong(bus, now, vp, offset, width, IS_TOO_WIDE);
		return UINT64_MAX;
	}
	return there(bus) ? pci_config_read(&bus->function, (uint32_t)(offset - VPCI_WINDOW_CONFIG), width)
			  : UINT64_MAX;
}

static void window_write(void *context, uint64_t now, uint32_t vp, uint64_t offset, unsigned width,
			 uint64_t value)
{
	struct hvh_vpci *bus = context;

	if (offset < VPCI_WINDOW_CONFIG) {
		if (offset == 0 && width == sizeof bus->slot)
			bus->slot = (uint32_t)value;
		else
			wrong(bus, now, vp, offset, width, IS_OTHER_PAGE);
		return;
	}
	bus->counters.config_writes++;
	if (width > sizeof(uint32_t))
		wrong(bus, now, vp, offset, width, IS_TOO_WIDE);
	else if (there(bus))
		pci_config_write(&bus->function, now, vp, (uint32_t)(offset - VPCI_WINDOW_CONFIG), width,
				 (uint32_t)value);
	else if (!bus->ejected)
		wrong(bus, now, vp, offset, width, "written for a slot that has no function");
}

void vpci_window_init(struct hvh_vpci *bus)
{
	bus->window = (struct hvh_mmio_region){
		.length = VPCI_WINDOW_SIZE,
		.read = window_read,
		.write = window_write,
		.context = bus,
	};
}
