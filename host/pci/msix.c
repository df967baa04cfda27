/* SPDX-License-Identifier: MIT */
/*
 * MSI-X (PCI Local Bus 3.0, 6.8.2): the table at the beginning of its BAR, the pending bits in the second
 * half. A message that may not go out now is remembered, and goes when it may.
 */
#include <stdlib.h>
#include <string.h>

#include "host/core/core.h"
#include "host/pci/function.h"

#define ENTRY_SIZE ((uint32_t)sizeof(struct pci_msix_entry))
#define CONTROL_AT ((uint32_t)offsetof(struct pci_msix_entry, control))

bool pci_msix_init(struct pci_function *function)
{
	uint32_t count = function->model.interrupts, bar = function->model.msix_bar;

	if (count == 0)
		return true;
	if (count > PCI_MSIX_ENTRIES_MAX || bar >= PCI_BARS ||
	    (uint64_t)count * ENTRY_SIZE > function->bars[bar].size / 2)
		return false;
	function->entries = calloc(count, sizeof *function->entries);
	function->pending = calloc((count + 63u) / 64u, sizeof(uint64_t));
	if (function->entries == NULL || function->pending == NULL)
		return false;
	pci_msix_reset(function);
	return true;
}

void pci_msix_reset(struct pci_function *function)
{
	uint32_t count = function->model.interrupts;

	if (count == 0)
		return;
	memset(function->entries, 0, count * sizeof *function->entries);
	memset(function->pending, 0, (count + 63u) / 64u * sizeof(uint64_t));
	for (uint32_t n = 0; n < count; n++)
		function->entries[n].control = PCI_MSIX_ENTRY_MASKED;
}

/* --- Messages ------------------------------------------------------------------------------------ */

static uint16_t control_of(const struct pci_function *function)
{
	return pci_config_word(function, function->msix_offset + 2);
}

bool pci_msix_enabled(const struct pci_function *function)
{
	return function->msix_offset != 0 && (control_of(function) & PCI_MSIX_CONTROL_ENABLE) != 0;
}

bool pci_msix_entry_pending(const struct pci_function *function, uint32_t entry)
{
	return (function->pending[entry / 8] >> (entry % 8) & 1) != 0;
}

/* A message is a write to memory: only a bus master does that. */
static bool may_send(const struct pci_function *function, uint32_t entry)
{
	return (control_of(function) & PCI_MSIX_CONTROL_MASK_ALL) == 0 && pci_is_master(function) &&
	       (function->entries[entry].control & PCI_MSIX_ENTRY_MASKED) == 0;
}

static void send(struct pci_function *function, uint64_t now, uint32_t entry)
{
	const struct pci_msix_entry *message = &function->entries[entry];

	function->pending[entry / 8] &= (uint8_t) ~(1u << (entry % 8));
	function->message(function->context, now, entry, message->address, message->data);
}

void pci_msix_raise(struct pci_function *function, uint64_t now, uint32_t entry)
{
	if (entry >= function->model.interrupts || !pci_msix_enabled(function))
		function->interrupts_lost++;
	else if (may_send(function, entry))
		send(function, now, entry);
	else
		function->pending[entry / 8] |= (uint8_t)(1u << (entry % 8));
}

void pci_msix_update(struct pci_function *function, uint64_t now)
{
	if (!pci_msix_enabled(function))
		return;
	for (uint32_t entry = 0; entry < function->model.interrupts; entry++)
		if (pci_msix_entry_pending(function, entry) && may_send(function, entry))
			send(function, now, entry);
}

/* --- Table and pending bits ---------------------------------------------------------------------- */

static bool well_formed(struct pci_function *function, uint64_t now, uint32_t vp, uint64_t offset,
			unsigned width)
{
	if (width == 4 || width == 8)
		return true;
	PCI_VIOLATE(function, now, vp, &offset, sizeof offset,
		    "MSI-X table or pending bits at %#llx: %u bytes; 4 or 8 would be right",
		    (unsigned long long)offset, width);
	return false;
}

static uint64_t bytes_at(const void *from, uint64_t size, uint64_t offset, unsigned width)
{
	uint64_t value = 0;

	if (offset + width <= size)
		memcpy(&value, (const uint8_t *)from + offset, width);
	return value;
}

/* What is neither table nor pending bits is reserved, and 0. */
uint64_t pci_msix_read(struct pci_function *function, uint64_t now, uint32_t vp, uint64_t offset,
		       unsigned width)
{
	uint64_t half = function->bars[function->model.msix_bar].size / 2;
	uint32_t count = function->model.interrupts;

	if (!well_formed(function, now, vp, offset, width))
		return UINT64_MAX;
	if (offset >= half)
		return bytes_at(function->pending, (count + 63u) / 64u * sizeof(uint64_t), offset - half,
				width);
	return bytes_at(function->entries, (uint64_t)count * ENTRY_SIZE, offset, width);
}

/* An entry's address and data are changed while it is masked, or while MSI-X is off. */
static bool may_change(const struct pci_function *function, uint32_t entry)
{
	return !pci_msix_enabled(function) || (control_of(function) & PCI_MSIX_CONTROL_MASK_ALL) != 0 ||
	       (function->entries[entry].control & PCI_MSIX_ENTRY_MASKED) != 0;
}

static void write_word(struct pci_function *function, uint64_t now, uint32_t vp, uint64_t offset,
		       uint32_t value)
{
	uint32_t entry = (uint32_t)(offset / ENTRY_SIZE), field = (uint32_t)(offset % ENTRY_SIZE);

	if (offset >= (uint64_t)function->model.interrupts * ENTRY_SIZE) {
		PCI_VIOLATE(function, now, vp, &offset, sizeof offset,
			    "MSI-X: %#llx is behind the table of %u entries, or the pending bits: only read",
			    (unsigned long long)offset, function->model.interrupts);
		return;
	}
	if (field == CONTROL_AT) {
		if ((value & ~PCI_MSIX_ENTRY_MASKED) != 0)
			PCI_VIOLATE(function, now, vp, &value, sizeof value,
				    "MSI-X entry %u: reserved bits of its control (%#x) are to be 0", entry,
				    value);
		function->entries[entry].control = value & PCI_MSIX_ENTRY_MASKED;
		return;
	}
	if (!may_change(function, entry))
		PCI_VIOLATE(function, now, vp, &offset, sizeof offset,
			    "MSI-X entry %u: its address or data are changed while it is not masked", entry);
	memcpy((uint8_t *)&function->entries[entry] + field, &value, sizeof value);
}

void pci_msix_write(struct pci_function *function, uint64_t now, uint32_t vp, uint64_t offset, unsigned width,
		    uint64_t value)
{
	if (!well_formed(function, now, vp, offset, width))
		return;
	for (unsigned n = 0; n < width; n += 4)
		write_word(function, now, vp, offset + n, (uint32_t)(value >> (8 * n)));
	pci_msix_update(function, now);
}
