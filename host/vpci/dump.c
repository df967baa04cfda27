/* SPDX-License-Identifier: MIT */
#include "host/core/dump.h"
#include "host/vpci/vpci.h"

const char *vpci_state_name(enum vpci_state state)
{
	static const char *const names[] = {"closed", "before-version", "ready", "d0"};

	return names[state];
}

static void dump_bars(const struct pci_function *function, struct hvh_dump *dump)
{
	for (unsigned n = 0; n < PCI_BARS; n++) {
		const struct pci_bar *bar = &function->bars[n];

		if (bar->size == 0)
			continue;
		hvh_dump_begin_number(dump, "bar", n);
		hvh_dump_hex(dump, "size", bar->size);
		hvh_dump_flag(dump, "wide", bar->wide);
		if (bar->region.mapped)
			hvh_dump_hex(dump, "mapped-at", bar->region.base);
		hvh_dump_end(dump);
	}
}

/* Only those that the guest has programmed. */
static void dump_msix(const struct pci_function *function, struct hvh_dump *dump)
{
	if (function->model.interrupts == 0)
		return;
	hvh_dump_begin(dump, "msi-x");
	hvh_dump_number(dump, "entries", function->model.interrupts);
	hvh_dump_flag(dump, "enabled", pci_msix_enabled(function));
	hvh_dump_number(dump, "interrupts-lost", function->interrupts_lost);
	for (uint32_t n = 0; n < function->model.interrupts; n++) {
		const struct pci_msix_entry *entry = &function->entries[n];

		if (entry->address == 0 && !pci_msix_entry_pending(function, n))
			continue;
		hvh_dump_begin_number(dump, "entry", n);
		hvh_dump_hex(dump, "address", entry->address);
		hvh_dump_hex(dump, "data", entry->data);
		hvh_dump_flag(dump, "masked", (entry->control & PCI_MSIX_ENTRY_MASKED) != 0);
		hvh_dump_flag(dump, "pending", pci_msix_entry_pending(function, n));
		hvh_dump_end(dump);
	}
	hvh_dump_end(dump);
}

static void dump_interrupts(const struct hvh_interrupt_source *source, struct hvh_dump *dump)
{
	uint32_t number = 0;

	hvh_dump_begin(dump, "device-interrupts");
	hvh_dump_hex(dump, "device-id", source->device_id);
	hvh_dump_hex(dump, "address", hvh_device_interrupt_address(source));
	for (uint32_t n = 0; n < HVH_DEVICE_INTERRUPTS_MAX; n++) {
		const struct hvh_device_interrupt *interrupt = &source->interrupts[n];

		if (interrupt->count == 0)
			continue;
		hvh_dump_begin_number(dump, "interrupt", number++);
		hvh_dump_hex(dump, "data", interrupt->data);
		hvh_dump_number(dump, "vector", interrupt->vector);
		hvh_dump_number(dump, "count", interrupt->count);
		hvh_dump_hex(dump, "processors", interrupt->vps);
		hvh_dump_end(dump);
	}
	hvh_dump_end(dump);
}

static void dump_counters(const struct hvh_vpci *bus, struct hvh_dump *dump)
{
	struct hvh_vpci_counters c;

	hvh_vpci_get_counters(bus, &c);
	hvh_dump_begin(dump, "counters");
	hvh_dump_number(dump, "config-reads", c.config_reads);
	hvh_dump_number(dump, "config-writes", c.config_writes);
	hvh_dump_number(dump, "bar-reads", c.bar_reads);
	hvh_dump_number(dump, "bar-writes", c.bar_writes);
	hvh_dump_number(dump, "interrupts", c.interrupts);
	hvh_dump_number(dump, "interrupts-created", c.created);
	hvh_dump_number(dump, "interrupts-deleted", c.deleted);
	hvh_dump_number(dump, "interrupts-retargeted", c.retargeted);
	hvh_dump_number(dump, "ejects", c.ejects);
	hvh_dump_number(dump, "ejects-answered", c.ejects_answered);
	hvh_dump_end(dump);
}

void vpci_dump(const void *device, struct hvh_dump *dump)
{
	const struct hvh_vpci *bus = device;
	const struct pci_function *function = &bus->function;

	hvh_dump_text(dump, "state", "%s", vpci_state_name(bus->state));
	if (bus->version != 0)
		hvh_dump_text(dump, "version", "%u.%u", bus->version >> 16, bus->version & 0xffffu);
	hvh_dump_flag(dump, "stopped", bus->stopped);
	hvh_dump_number(dump, "serial", bus->serial);
	hvh_dump_number(dump, "packets-waiting", bus->outgoing_count);
	if (bus->window.mapped) {
		hvh_dump_hex(dump, "window", bus->window.base);
		hvh_dump_number(dump, "slot-chosen", bus->slot);
	}
	hvh_dump_flag(dump, "resources-assigned", bus->assigned);
	hvh_dump_text(dump, "leaving", "%s", bus->ejected ? "ejected" : bus->ejecting ? "asked" : "no");
	hvh_dump_begin(dump, "function");
	hvh_dump_number(dump, "slot", VPCI_SLOT);
	hvh_dump_text(dump, "id", "%04x:%04x", function->model.vendor_id, function->model.device_id);
	hvh_dump_flag(dump, "powered", function->powered);
	hvh_dump_flag(dump, "memory", pci_decodes_memory(function));
	hvh_dump_flag(dump, "bus-master", pci_is_master(function));
	dump_bars(function, dump);
	dump_msix(function, dump);
	hvh_dump_end(dump);
	dump_interrupts(&bus->interrupts, dump);
	dump_counters(bus, dump);
}
