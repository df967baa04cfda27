/* SPDX-License-Identifier: MIT */
/*
 * Configuration space. Identity, class and subsystem are what the bus said once; interrupt line and pin, and
 * the ROM, are nothing on such a bus; BARs and MSI-X are hvkit's own to write. All else is the device's.
 */
#include "guest/pci/pci.h"

static bool is_access(uint32_t offset, unsigned width)
{
	return (width == 1 || width == 2 || width == 4) && offset % width == 0 &&
	       offset <= PCI_CONFIG_SIZE_EXPRESS - width;
}

static uint32_t ones(unsigned width)
{
	return width == 4 ? UINT32_MAX : (1u << (8 * width)) - 1u;
}

static uint32_t bar_word(const struct hvk_pci_function *function, uint32_t bar)
{
	if (function->info.bars[bar].size != 0)
		return (uint32_t)function->info.bars[bar].address | function->bar_flags[bar];
	if (bar != 0 && function->info.bars[bar - 1].wide)
		return (uint32_t)(function->info.bars[bar - 1].address >> 32);
	return 0;
}

/* What is known without asking the device; false: ask it. */
static bool known_word(const struct hvk_pci_function *function, uint32_t offset, uint32_t *word)
{
	const struct hvk_pci_info *info = &function->info;

	switch (offset) {
	case PCI_VENDOR:
		*word = info->vendor_id | (uint32_t)info->device_id << 16;
		return true;
	case PCI_REVISION:
		*word = info->revision | (uint32_t)info->programming_interface << 8 |
			(uint32_t)info->subclass << 16 | (uint32_t)info->class_ << 24;
		return true;
	case PCI_SUBSYSTEM_VENDOR:
		*word = function->subsystem;
		return true;
	case PCI_ROM:
	case PCI_INTERRUPT_LINE:
		*word = 0;
		return true;
	default:
		break;
	}
	if (offset < PCI_BAR0 || offset >= PCI_BAR0 + 4u * PCI_BARS)
		return false;
	*word = bar_word(function, (offset - PCI_BAR0) / 4u);
	return true;
}

uint32_t hvk_pci_config_read(struct hvk_pci_function *function, uint32_t offset, unsigned width)
{
	uint32_t word;

	if (!is_access(offset, width) || hvk_pci_is_gone(function))
		return ones(width == 1 || width == 2 ? width : 4);
	__atomic_fetch_add(&function->counters.config_reads, 1, __ATOMIC_RELAXED);
	if (known_word(function, offset & ~3u, &word))
		return (word >> (8 * (offset & 3u))) & ones(width);
	return function->bus->ops->read(function->bus, function->slot, offset, width) & ones(width);
}

static bool is_ours(const struct hvk_pci_function *function, uint32_t offset)
{
	uint32_t word;

	if (function->msix_at != 0 && offset >= function->msix_at &&
	    offset < function->msix_at + sizeof(struct pci_msix_capability))
		return true;
	return known_word(function, offset & ~3u, &word);
}

hvk_status hvk_pci_config_write(struct hvk_pci_function *function, uint32_t offset, unsigned width,
				uint32_t value)
{
	if (!is_access(offset, width) || is_ours(function, offset))
		return HVK_EINVAL;
	if (hvk_pci_is_gone(function))
		return HVK_EGONE;
	__atomic_fetch_add(&function->counters.config_writes, 1, __ATOMIC_RELAXED);
	function->bus->ops->write(function->bus, function->slot, offset, width, value);
	return HVK_OK;
}

/* The list is the device's: it may run in a circle, or out of its space. */
uint32_t hvk_pci_find_capability(struct hvk_pci_function *function, uint8_t id, uint32_t n)
{
	uint32_t at;

	if (!(hvk_pci_config_read(function, PCI_STATUS, 2) & PCI_STATUS_CAPABILITIES))
		return 0;
	at = hvk_pci_config_read(function, PCI_CAPABILITIES, 1) & ~3u;
	for (uint32_t i = 0; i < HVK_PCI_CAPABILITIES_MAX && at >= 0x40u && at <= PCI_CONFIG_SIZE - 4u; i++) {
		uint32_t head = hvk_pci_config_read(function, at, 2);

		if ((head & 0xffu) == id && n-- == 0)
			return at;
		at = (head >> 8) & ~3u;
	}
	return 0;
}

hvk_status hvk_pci_enable(struct hvk_pci_function *function, bool memory, bool master)
{
	uint32_t command;

	if (hvk_pci_is_gone(function))
		return HVK_EGONE;
	command = hvk_pci_config_read(function, PCI_COMMAND, 2);
	command &= ~(PCI_COMMAND_IO | PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
	command |= PCI_COMMAND_INTX_DISABLE | (memory ? PCI_COMMAND_MEMORY : 0) |
		   (master ? PCI_COMMAND_MASTER : 0);
	return hvk_pci_config_write(function, PCI_COMMAND, 2, command);
}
