/* SPDX-License-Identifier: MIT */
/*
 * BARs: their sizes are what was read back after all ones were written, their places are ours to choose. Some
 * hosts leave the low bits of a BAR as they were: each is written whole, then its flags are read.
 */
#include "guest/pci/pci.h"

#define SIZE_MAX_NARROW 0x80000000ull
#define SIZE_MAX_WIDE (1ull << 40) /* more than any window holds */

static bool is_power_of_two(uint64_t value)
{
	return value != 0 && (value & (value - 1)) == 0;
}

/* One BAR; *used: how many of the six words it takes. Ports are not for such buses. */
static hvk_status size_one(struct hvk_pci_function *function, const uint32_t probed[PCI_BARS], uint32_t n,
			   uint32_t *used)
{
	struct hvk_pci_bar *bar = &function->info.bars[n];
	uint32_t low = probed[n];
	bool wide = (low & PCI_BAR_TYPE_MASK) == PCI_BAR_64;
	uint64_t mask = low & ~(uint64_t)PCI_BAR_MEMORY_FLAGS;
	uint64_t size;

	*used = 1;
	if ((low & ~PCI_BAR_MEMORY_FLAGS) == 0 && !(wide && n + 1 < PCI_BARS && probed[n + 1] != 0))
		return HVK_OK;
	if (low & PCI_BAR_IO)
		return HVK_OK;
	if (wide && n + 1 == PCI_BARS)
		return HVK_EHOST_VPCI;
	mask |= wide ? (uint64_t)probed[n + 1] << 32 : 0xffffffff00000000ull;
	size = ~mask + 1;
	if (!is_power_of_two(size) || size > (wide ? SIZE_MAX_WIDE : SIZE_MAX_NARROW))
		return HVK_EHOST_VPCI;
	*used = wide ? 2 : 1;
	*bar = (struct hvk_pci_bar){
		.size = size, .wide = wide, .prefetchable = (low & PCI_BAR_PREFETCHABLE) != 0};
	function->bar_flags[n] = low & PCI_BAR_MEMORY_FLAGS;
	return HVK_OK;
}

hvk_status hvk_pci_bars_size(struct hvk_pci_function *function, const uint32_t probed[PCI_BARS])
{
	uint32_t used;

	for (uint32_t n = 0; n < PCI_BARS; n += used) {
		hvk_status status = size_one(function, probed, n, &used);

		if (status != HVK_OK)
			return status;
	}
	return HVK_OK;
}

/* A BAR smaller than a page has a page to itself: what is mapped beside it is nobody else's. */
static hvk_status place(struct hvk_pci_function *function, struct hvk_pci_bar *bar)
{
	uint64_t size = bar->size < HVK_PAGE_SIZE ? HVK_PAGE_SIZE : bar->size;

	return hvk_mmio_take(function->bus->hvk, size, bar->wide, &bar->address);
}

/* The widest that has no place yet; NULL: all have. done: a bit for each. */
static struct hvk_pci_bar *widest(struct hvk_pci_function *function, uint32_t *done)
{
	struct hvk_pci_bar *found = NULL;
	uint32_t which = 0;

	for (uint32_t n = 0; n < PCI_BARS; n++) {
		struct hvk_pci_bar *bar = &function->info.bars[n];

		if (bar->size != 0 && !(*done & 1u << n) && (!found || bar->size > found->size)) {
			found = bar;
			which = n;
		}
	}
	*done |= found ? 1u << which : 0;
	return found;
}

hvk_status hvk_pci_bars_place(struct hvk_pci_function *function)
{
	struct hvk_pci_bar *bar;
	uint32_t done = 0;

	while ((bar = widest(function, &done)) != NULL) {
		hvk_status status = place(function, bar);

		if (status != HVK_OK) {
			bar->address = 0;
			hvk_log(function->bus->hvk, HVK_LOG_ERROR, "pci: no room for a BAR of %llu bytes",
				(unsigned long long)bar->size);
			return status;
		}
	}
	return HVK_OK;
}

void hvk_pci_bars_write(struct hvk_pci_function *function)
{
	for (uint32_t n = 0; n < PCI_BARS; n++) {
		const struct hvk_pci_bar *bar = &function->info.bars[n];

		if (bar->size == 0)
			continue;
		function->bus->ops->write(function->bus, function->slot, PCI_BAR0 + 4u * n, 4,
					  (uint32_t)bar->address | function->bar_flags[n]);
		if (bar->wide)
			function->bus->ops->write(function->bus, function->slot, PCI_BAR0 + 4u * (n + 1), 4,
						  (uint32_t)(bar->address >> 32));
	}
}

void hvk_pci_bars_give_back(struct hvk_pci_function *function)
{
	for (uint32_t n = 0; n < PCI_BARS; n++) {
		if (function->info.bars[n].address != 0)
			hvk_mmio_give_back(function->bus->hvk, function->info.bars[n].address);
	}
}
