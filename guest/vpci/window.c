/* SPDX-License-Identifier: MIT */
/* Configuration space through the window: the slot is chosen, then its space is in the second page. */
#include "guest/vpci/vpci_internal.h"

static void choose(const struct hvk_vpci *vpci, uint32_t slot)
{
	hvk_mmio_write(vpci_hvk(vpci), vpci->window, 4, slot);
	hvk_full_barrier();
}

uint32_t hvk_vpci_window_read(struct hvk_pci_bus *bus, uint32_t slot, uint32_t offset, unsigned width)
{
	struct hvk_vpci *vpci = (struct hvk_vpci *)(void *)bus;
	uint32_t value;

	hvk_lock(bus->hvk, &vpci->window_lock);
	choose(vpci, slot);
	value = (uint32_t)hvk_mmio_read(bus->hvk, vpci->window + VPCI_WINDOW_CONFIG + offset, width);
	hvk_full_barrier();
	hvk_unlock(bus->hvk, &vpci->window_lock);
	return value;
}

void hvk_vpci_window_write(struct hvk_pci_bus *bus, uint32_t slot, uint32_t offset, unsigned width,
			   uint32_t value)
{
	struct hvk_vpci *vpci = (struct hvk_vpci *)(void *)bus;

	hvk_lock(bus->hvk, &vpci->window_lock);
	choose(vpci, slot);
	hvk_mmio_write(bus->hvk, vpci->window + VPCI_WINDOW_CONFIG + offset, width, value);
	hvk_full_barrier();
	hvk_unlock(bus->hvk, &vpci->window_lock);
}
