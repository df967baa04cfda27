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

	if (!is_access(offset, width) || hvk_pci_is_off(function))
		return ones(width == 1 || width == 2 ? width : 4);
	__atomic_fetch_add(&function->counters.config_reads, 1, __ATOMIC_RELAXED);
	if (known_word(function, offset & ~3u, &word))
		return (word >> (8 * (offset & 3u))) & ones(width);
	return function->bus->ops->read(function->bus, function->slot, offset, width) & ones(width);
}

/* Not the driver's to write: known here, MSI-X, or read-only of every device. */
static bool is_ours(const struct hvk_pci_function *function, uint32_t offset)
{
	uint32_t word = offset & ~3u, unused;

	if (function->msix_at != 0 && word >= function->msix_at &&
	    word < function->msix_at + sizeof(struct pci_msix_capability))
		return true;
	if (offset == PCI_HEADER_TYPE || (word >= PCI_CAPABILITIES && word < PCI_INTERRUPT_LINE))
		return true;
	return known_word(function, word, &unused);
}

/* Under the lock: the command word has several writers. */
static void write_command(struct hvk_pci_function *function, uint32_t offset, unsigned width, uint32_t value)
{
	struct hvk_pci_bus *bus = function->bus;

	bus->ops->write(bus, function->slot, offset, width, value);
	function->command = (uint16_t)bus->ops->read(bus, function->slot, PCI_COMMAND, 2);
}

hvk_status hvk_pci_config_write(struct hvk_pci_function *function, uint32_t offset, unsigned width,
				uint32_t value)
{
	struct hvk *hvk = function->bus->hvk;

	if (!is_access(offset, width) || is_ours(function, offset))
		return HVK_EINVAL;
	if (hvk_pci_is_off(function))
		return hvk_pci_is_gone(function) ? HVK_EGONE : HVK_ESTATE;
	__atomic_fetch_add(&function->counters.config_writes, 1, __ATOMIC_RELAXED);
	if ((offset & ~3u) != PCI_COMMAND) {
		function->bus->ops->write(function->bus, function->slot, offset, width, value);
		return HVK_OK;
	}
	hvk_lock(hvk, &function->lock);
	write_command(function, offset, width, value);
	hvk_unlock(hvk, &function->lock);
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

/* While it sleeps this is what it wakes up with. */
hvk_status hvk_pci_enable(struct hvk_pci_function *function, bool memory, bool master)
{
	struct hvk *hvk = function->bus->hvk;
	uint32_t command;

	if (hvk_pci_is_gone(function))
		return HVK_EGONE;
	hvk_lock(hvk, &function->lock);
	command = function->command & ~(PCI_COMMAND_IO | PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
	command |= PCI_COMMAND_INTX_DISABLE | (memory ? PCI_COMMAND_MEMORY : 0) |
		   (master ? PCI_COMMAND_MASTER : 0);
	if (hvk_pci_is_off(function)) {
		function->command = (uint16_t)command;
	} else {
		__atomic_fetch_add(&function->counters.config_writes, 1, __ATOMIC_RELAXED);
		write_command(function, PCI_COMMAND, 2, command);
	}
	hvk_unlock(hvk, &function->lock);
	return HVK_OK;
}
