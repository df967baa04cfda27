/* SPDX-License-Identifier: MIT */
/* Configuration space (PCI Local Bus 3.0, chapter 6): which bits are whose, and what writing them does. */
#include <string.h>

#include "host/core/core.h"
#include "host/pci/function.h"

#define CAPABILITIES_AT 0x40u
#define BIST 0x0fu
#define COMMAND_PARITY 0x0040u
#define COMMAND_SERR 0x0100u
#define COMMAND_WRITABLE \
	(PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER | COMMAND_PARITY | COMMAND_SERR | PCI_COMMAND_INTX_DISABLE)

static void set16(uint8_t *bytes, uint32_t offset, uint32_t value)
{
	bytes[offset] = (uint8_t)value;
	bytes[offset + 1] = (uint8_t)(value >> 8);
}

static void set32(uint8_t *bytes, uint32_t offset, uint32_t value)
{
	set16(bytes, offset, value & 0xffffu);
	set16(bytes, offset + 2, value >> 16);
}

/* Puts a capability at place, behind the one at *previous (0: the first). Returns the place behind it. */
static uint32_t add_capability(struct pci_function *function, uint32_t *previous, uint32_t place,
			       const uint8_t *bytes, uint32_t length)
{
	memcpy(function->config + place, bytes, length);
	function->config[place + 1] = 0;
	function->config[*previous == 0 ? PCI_CAPABILITIES : *previous + 1] = (uint8_t)place;
	*previous = place;
	return place + ((length + 3u) & ~3u);
}

static void add_capabilities(struct pci_function *function)
{
	const struct hvh_pci_model *model = &function->model;
	uint32_t previous = 0, place = CAPABILITIES_AT;

	if (model->interrupts != 0) {
		struct pci_msix_capability msix = {
			.id = PCI_CAPABILITY_MSIX,
			.control = (uint16_t)(model->interrupts - 1),
			.table = model->msix_bar,
			.pending = (uint32_t)(function->bars[model->msix_bar].size / 2) | model->msix_bar,
		};

		function->msix_offset = place;
		set16(function->writable, place + 2, PCI_MSIX_CONTROL_ENABLE | PCI_MSIX_CONTROL_MASK_ALL);
		place = add_capability(function, &previous, place, (const uint8_t *)&msix, sizeof msix);
	}
	for (uint32_t at = 0; at < model->capabilities_size;) {
		uint32_t length = model->capabilities[at + 2];

		place = add_capability(function, &previous, place, model->capabilities + at, length);
		at += length;
	}
	if (previous != 0)
		set16(function->config, PCI_STATUS, PCI_STATUS_CAPABILITIES);
}

void pci_config_init(struct pci_function *function)
{
	set16(function->writable, PCI_COMMAND, COMMAND_WRITABLE);
	function->writable[PCI_CACHE_LINE] = UINT8_MAX;
	function->writable[PCI_LATENCY] = UINT8_MAX;
	function->writable[PCI_INTERRUPT_LINE] = UINT8_MAX;
	for (unsigned n = 0; n < PCI_BARS; n++)
		set32(function->writable, PCI_BAR0 + 4 * n,
		      pci_bar_probed(function, n) &
			      (function->bars[n].size != 0 ? ~PCI_BAR_MEMORY_FLAGS : UINT32_MAX));
}

void pci_config_reset(struct pci_function *function)
{
	const struct hvh_pci_model *model = &function->model;
	uint8_t *config = function->config;

	memset(config, 0, sizeof function->config);
	set16(config, PCI_VENDOR, model->vendor_id);
	set16(config, PCI_DEVICE, model->device_id);
	config[PCI_REVISION] = model->revision;
	config[PCI_PROGRAMMING_INTERFACE] = model->programming_interface;
	config[PCI_SUBCLASS] = model->subclass;
	config[PCI_CLASS] = model->class_;
	set16(config, PCI_SUBSYSTEM_VENDOR, model->subsystem_vendor_id);
	set16(config, PCI_SUBSYSTEM, model->subsystem_id);
	for (unsigned n = 0; n < PCI_BARS; n++)
		if (function->bars[n].size != 0)
			config[PCI_BAR0 + 4 * n] = (uint8_t)(pci_bar_probed(function, n) &
							     PCI_BAR_MEMORY_FLAGS);
	function->bars_written = 0;
	add_capabilities(function);
}

/* --- Reading ------------------------------------------------------------------------------------- */

static uint8_t byte_at(const struct pci_function *function, uint32_t offset)
{
	uint32_t bar = (offset - PCI_BAR0) / 4;
	uint8_t value = function->config[offset];

	if (function->bar_flags_late && offset >= PCI_BAR0 && bar < PCI_BARS && offset % 4 == 0 &&
	    (function->bars_written >> bar & 1) == 0)
		value &= (uint8_t)~PCI_BAR_MEMORY_FLAGS;
	return value;
}

/* No capability is that of PCI Express: what lies above 256 is not there. */
uint32_t pci_config_read(const struct pci_function *function, uint32_t offset, unsigned width)
{
	uint32_t value = 0;

	if (offset + width > PCI_CONFIG_SIZE)
		return (uint32_t)hvh_ones(width);
	for (unsigned n = 0; n < width; n++)
		value |= (uint32_t)byte_at(function, offset + n) << (8 * n);
	return value;
}

uint16_t pci_config_word(const struct pci_function *function, uint32_t offset)
{
	return (uint16_t)(function->config[offset] | function->config[offset + 1] << 8);
}

bool pci_decodes_memory(const struct pci_function *function)
{
	return (pci_config_word(function, PCI_COMMAND) & PCI_COMMAND_MEMORY) != 0;
}

bool pci_is_master(const struct pci_function *function)
{
	return (pci_config_word(function, PCI_COMMAND) & PCI_COMMAND_MASTER) != 0;
}

/* --- Writing ------------------------------------------------------------------------------------- */

/* Fields that guests write though they cannot be changed: to probe, or to clear what is not set. */
static bool may_be_probed(uint32_t offset)
{
	return offset == PCI_STATUS || offset == PCI_STATUS + 1 || offset == BIST ||
	       (offset >= PCI_BAR0 && offset < PCI_BAR0 + 4 * PCI_BARS) ||
	       (offset >= PCI_ROM && offset < PCI_ROM + 4);
}

static bool touches(uint32_t offset, unsigned width, uint32_t field, uint32_t length)
{
	return offset < field + length && field < offset + width;
}

static void tell_model(struct pci_function *function, uint64_t now)
{
	const struct hvh_pci_model *model = &function->model;

	if (model->enabled != NULL)
		model->enabled(model->context, now, pci_decodes_memory(function), pci_is_master(function));
}

static void take_effect(struct pci_function *function, uint64_t now, uint32_t vp, uint32_t offset,
			unsigned width, uint16_t command)
{
	bool changed = pci_config_word(function, PCI_COMMAND) != command;

	if (touches(offset, width, PCI_BAR0, 4 * PCI_BARS))
		function->bars_written |= (uint8_t)(1u << ((offset - PCI_BAR0) / 4));
	if (changed || touches(offset, width, PCI_BAR0, 4 * PCI_BARS))
		pci_bars_update(function, now, vp);
	if (changed)
		tell_model(function, now);
	if (changed || (function->msix_offset != 0 && touches(offset, width, function->msix_offset + 2, 2)))
		pci_msix_update(function, now);
}

void pci_config_write(struct pci_function *function, uint64_t now, uint32_t vp, uint32_t offset,
		      unsigned width, uint32_t value)
{
	uint16_t command = pci_config_word(function, PCI_COMMAND);
	bool read_only = offset + width > PCI_CONFIG_SIZE;

	for (unsigned n = 0; n < width && !read_only; n++) {
		uint8_t wanted = (uint8_t)(value >> (8 * n)), mask = function->writable[offset + n];
		uint8_t *byte = &function->config[offset + n];

		if (((wanted ^ *byte) & ~mask) != 0 && !may_be_probed(offset + n))
			read_only = true;
		*byte = (uint8_t)((*byte & ~mask) | (wanted & mask));
	}
	if (read_only)
		PCI_VIOLATE(function, now, vp, &value, sizeof value,
			    "configuration space: %#x written to %#x (%u bytes), which cannot be changed so",
			    value, offset, width);
	if (offset + width <= PCI_CONFIG_SIZE)
		take_effect(function, now, vp, offset, width, command);
}
