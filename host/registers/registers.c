/* SPDX-License-Identifier: MIT */
/* The register block (hvkit_host/registers.h). */
#include <stdlib.h>
#include <string.h>

#include "host/core/core.h"
#include "hvkit_host/registers.h"

#define REGISTER_BAR 0u
#define MEMORY_BAR 2u
#define MSIX_BAR 4u
#define REGISTER_BYTES 8u

struct hvh_registers {
	struct hvh_partition *partition;
	struct hvh_vpci *bus;
	uint64_t scratch, address, faults, due;
	bool master;
	uint8_t memory[HVH_REGISTERS_MEMORY];
};

static uint64_t value_of(const struct hvh_registers *registers, uint64_t offset)
{
	switch (offset) {
	case HVH_REGISTERS_ID:
		return HVH_REGISTERS_ID_VALUE;
	case HVH_REGISTERS_SCRATCH:
		return registers->scratch;
	case HVH_REGISTERS_ADDRESS:
		return registers->address;
	case HVH_REGISTERS_FAULTS:
		return registers->faults;
	default:
		return 0;
	}
}

static uint64_t device_read(void *context, uint64_t now, unsigned bar, uint64_t offset, unsigned width)
{
	const struct hvh_registers *registers = context;
	uint64_t value = 0, part = offset % REGISTER_BYTES;

	(void)now;
	(void)width;
	if (bar == REGISTER_BAR)
		return value_of(registers, offset - part) >> (8 * part);
	memcpy(&value, registers->memory + offset, width);
	return value;
}

static void store(struct hvh_registers *registers, uint64_t value)
{
	if (!registers->master ||
	    !hvh_memory_write(registers->partition, registers->address, &value, sizeof value))
		registers->faults++;
}

static void write_register(struct hvh_registers *registers, uint64_t now, uint64_t offset, uint64_t value)
{
	switch (offset) {
	case HVH_REGISTERS_SCRATCH:
		registers->scratch = value;
		break;
	case HVH_REGISTERS_RAISE:
		hvh_vpci_interrupt(registers->bus, now,
				   value < HVH_REGISTERS_INTERRUPTS ? (uint32_t)value
								    : HVH_REGISTERS_INTERRUPTS);
		break;
	case HVH_REGISTERS_TIMER:
		registers->due = value < HVH_NEVER - now ? now + value : HVH_NEVER;
		break;
	case HVH_REGISTERS_ADDRESS:
		registers->address = value;
		break;
	case HVH_REGISTERS_STORE:
		store(registers, value);
		break;
	default:
		break;
	}
}

/* A narrow write changes its part, where there is something to change. */
static void device_write(void *context, uint64_t now, unsigned bar, uint64_t offset, unsigned width,
			 uint64_t value)
{
	struct hvh_registers *registers = context;
	uint64_t part = offset % REGISTER_BYTES, whole;

	if (bar == MEMORY_BAR) {
		memcpy(registers->memory + offset, &value, width);
		return;
	}
	whole = value_of(registers, offset - part);
	memcpy((uint8_t *)&whole + part, &value, width);
	write_register(registers, now, offset - part, whole);
}

static void device_reset(void *context, uint64_t now)
{
	struct hvh_registers *registers = context;

	(void)now;
	registers->scratch = registers->address = registers->faults = 0;
	registers->due = HVH_NEVER;
	memset(registers->memory, 0, sizeof registers->memory);
}

static void device_enabled(void *context, uint64_t now, bool memory, bool master)
{
	struct hvh_registers *registers = context;

	(void)now;
	(void)memory;
	registers->master = master;
}

static bool device_run(void *context, uint64_t now)
{
	struct hvh_registers *registers = context;

	if (registers->due <= now) {
		registers->due = HVH_NEVER;
		hvh_vpci_interrupt(registers->bus, now, 0);
	}
	return false;
}

static uint64_t device_next_event(void *context)
{
	const struct hvh_registers *registers = context;

	return registers->due;
}

struct hvh_registers *hvh_registers_create(struct hvh_partition *partition,
					   const struct hvh_vpci_config *config)
{
	/* What a driver looks for beside MSI-X: one of the vendor's own capabilities, of five bytes. */
	static const uint8_t capability[] = {PCI_CAPABILITY_VENDOR, 0, 5, 0x68, 0x76};
	struct hvh_registers *registers = calloc(1, sizeof *registers);
	struct hvh_pci_model model = {
		.context = registers,
		.vendor_id = HVH_REGISTERS_VENDOR,
		.device_id = HVH_REGISTERS_DEVICE,
		.subsystem_vendor_id = HVH_REGISTERS_VENDOR,
		.subsystem_id = 0x0001,
		.class_ = 0xff,
		.bars =
			{
				[REGISTER_BAR] = {.size = 4096},
				[MEMORY_BAR] = {.size = HVH_REGISTERS_MEMORY,
						.wide = true,
						.prefetchable = true},
				[MSIX_BAR] = {.size = 16384, .wide = true},
			},
		.interrupts = HVH_REGISTERS_INTERRUPTS,
		.msix_bar = MSIX_BAR,
		.capabilities = capability,
		.capabilities_size = sizeof capability,
		.read = device_read,
		.write = device_write,
		.reset = device_reset,
		.enabled = device_enabled,
		.run = device_run,
		.next_event = device_next_event,
		.destroy = free,
	};

	if (registers == NULL)
		return NULL;
	registers->partition = partition;
	registers->due = HVH_NEVER;
	registers->bus = hvh_vpci_create(partition, config, &model);
	if (registers->bus == NULL) {
		free(registers);
		return NULL;
	}
	return registers;
}

struct hvh_vpci *hvh_registers_bus(struct hvh_registers *registers)
{
	return registers->bus;
}
