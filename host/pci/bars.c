/* SPDX-License-Identifier: MIT */
/* Device memory: BARs in the MMIO windows, while memory decoding is on and the function has power. */
#include "host/core/core.h"
#include "host/pci/function.h"

#define SIZE_MIN 4096u
#define SIZE_MAX_32 (1ull << 31)

static uint64_t bar_read(void *context, uint64_t now, uint32_t vp, uint64_t offset, unsigned width)
{
	struct pci_bar *bar = context;
	struct pci_function *function = bar->function;

	function->counters->bar_reads++;
	if (function->model.interrupts != 0 && bar->number == function->model.msix_bar)
		return pci_msix_read(function, now, vp, offset, width);
	return function->model.read(function->model.context, now, bar->number, offset, width);
}

static void bar_write(void *context, uint64_t now, uint32_t vp, uint64_t offset, unsigned width,
		      uint64_t value)
{
	struct pci_bar *bar = context;
	struct pci_function *function = bar->function;

	function->counters->bar_writes++;
	if (function->model.interrupts != 0 && bar->number == function->model.msix_bar) {
		pci_msix_write(function, now, vp, offset, width, value);
		return;
	}
	function->model.write(function->model.context, now, bar->number, offset, width, value);
	function->written(function->context, now);
}

static bool size_valid(uint64_t size, bool wide)
{
	return size >= SIZE_MIN && (size & (size - 1)) == 0 && (wide || size <= SIZE_MAX_32);
}

/* Each BAR, or the place that a wide one takes from the next. */
bool pci_bars_init(struct pci_function *function)
{
	const struct hvh_pci_model *model = &function->model;

	for (unsigned n = 0; n < PCI_BARS; n++) {
		struct pci_bar *bar = &function->bars[n];

		bar->function = function;
		bar->number = n;
		bar->size = model->bars[n].size;
		bar->wide = model->bars[n].wide;
		bar->prefetchable = model->bars[n].prefetchable;
		bar->region.read = bar_read;
		bar->region.write = bar_write;
		bar->region.context = bar;
		bar->region.length = bar->size;
		if (bar->size == 0)
			continue;
		if (!size_valid(bar->size, bar->wide) ||
		    (bar->wide && (n == PCI_BARS - 1 || model->bars[n + 1].size != 0)))
			return false;
	}
	return true;
}

uint32_t pci_bar_probed(const struct pci_function *function, unsigned number)
{
	const struct pci_bar *bar = &function->bars[number];

	if (bar->size != 0)
		return (uint32_t) ~(bar->size - 1) | (bar->wide ? PCI_BAR_64 : PCI_BAR_32) |
		       (bar->prefetchable ? PCI_BAR_PREFETCHABLE : 0);
	if (number > 0 && function->bars[number - 1].size != 0 && function->bars[number - 1].wide)
		return (uint32_t)(~(function->bars[number - 1].size - 1) >> 32);
	return 0;
}

static uint64_t address_of(const struct pci_function *function, const struct pci_bar *bar)
{
	const uint8_t *bytes = function->config + PCI_BAR0 + 4 * bar->number;
	unsigned count = bar->wide ? 8 : 4;
	uint64_t address = 0;

	for (unsigned n = 0; n < count; n++)
		address |= (uint64_t)bytes[n] << (8 * n);
	return address & ~(uint64_t)PCI_BAR_MEMORY_FLAGS;
}

void pci_bars_update(struct pci_function *function, uint64_t now, uint32_t vp)
{
	bool decodes = function->powered && pci_decodes_memory(function);

	for (unsigned n = 0; n < PCI_BARS; n++) {
		struct pci_bar *bar = &function->bars[n];
		uint64_t address = bar->size != 0 ? address_of(function, bar) : 0;
		const char *wrong;

		if (bar->region.mapped && decodes && bar->region.base == address)
			continue;
		hvh_mmio_unmap(function->partition, &bar->region);
		if (!decodes || address == 0) /* 0: not assigned */
			continue;
		bar->region.base = address;
		wrong = hvh_mmio_map(function->partition, &bar->region);
		if (wrong == NULL)
			hvh_note(function->partition, now, function->channel_id,
				 "pci: BAR %u answers at %#llx, %#llx bytes", n, (unsigned long long)address,
				 (unsigned long long)bar->size);
		else
			PCI_VIOLATE(function, now, vp, &address, sizeof address,
				    "BAR %u at %#llx, %#llx bytes, with memory decoding on: %s", n,
				    (unsigned long long)address, (unsigned long long)bar->size, wrong);
	}
}
