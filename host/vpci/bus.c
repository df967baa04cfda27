/* SPDX-License-Identifier: MIT */
/* The bus as the rest of the program sees it. */
#include <stdlib.h>
#include <string.h>

#include "host/vpci/vpci.h"

#define IDENTITIES_MAX 64u

static uint32_t new_serial(struct hvh_partition *partition)
{
	uint32_t serial;

	do
		serial = (uint32_t)(hvh_random(partition) >> 32);
	while (serial == 0);
	return serial;
}

/* OpenVMM's serial number is the first word of the instance. */
static void set_serial(struct hvh_vpci *bus, uint32_t serial)
{
	bus->serial = serial;
	if (bus->serial_in_instance)
		memcpy(bus->instance.bytes, &serial, sizeof serial);
}

/* The hypercall for interrupts names a device by other bytes of it: they are nobody else's. */
static bool make_instance(struct hvh_vpci *bus, const struct hvh_vpci_config *config)
{
	static const uint8_t none[16];

	bus->serial_in_instance = memcmp(config->instance, none, sizeof none) == 0;
	for (uint32_t n = 0; n < IDENTITIES_MAX; n++) {
		hvh_instance_guid(bus->partition, config->instance, bus->instance.bytes);
		if (!hvh_interrupt_device_id_taken(bus->partition,
						   hvh_interrupt_device_id(bus->instance.bytes)))
			return true;
	}
	return false;
}

static struct hvh_channel *offer(struct hvh_vpci *bus, bool away)
{
	static const struct vmbus_guid type = VMBUS_GUID_VPCI;
	struct hvh_offer_parameters parameters = {.type = type, .instance = bus->instance, .away = away};

	return hvh_channel_offer(bus->partition, &parameters, &vpci_ops, bus);
}

struct hvh_vpci *hvh_vpci_create(struct hvh_partition *partition, const struct hvh_vpci_config *config,
				 const struct hvh_pci_model *model)
{
	struct hvh_vpci *bus = calloc(1, sizeof *bus);

	if (bus == NULL)
		return NULL;
	bus->partition = partition;
	bus->eject_wait = config->eject_wait != 0 ? config->eject_wait : VPCI_EJECT_WAIT_DEFAULT;
	bus->newest = config->protocol_newest;
	if (!make_instance(bus, config) || !pci_function_init(&bus->function, partition, model)) {
		free(bus);
		return NULL;
	}
	set_serial(bus, config->serial != 0 ? config->serial : new_serial(partition));
	bus->function.message = vpci_message;
	bus->function.written = vpci_written;
	bus->function.context = bus;
	bus->function.counters = &bus->counters;
	hvh_interrupt_source_add(partition, &bus->interrupts, hvh_interrupt_device_id(bus->instance.bytes));
	vpci_window_init(bus);
	bus->eject_end = bus->rescind_at = HVH_NEVER;
	bus->channel = offer(bus, config->away);
	if (bus->channel == NULL) {
		bus->function.model.destroy = NULL; /* it stays the caller's */
		vpci_ops.destroy(bus);
		return NULL;
	}
	return bus;
}

struct hvh_vpci *hvh_vpci_find(struct hvh_partition *partition, const char *name)
{
	return hvh_device_by_name(partition, name, &vpci_ops);
}

uint32_t hvh_vpci_serial(const struct hvh_vpci *bus)
{
	return bus->serial;
}

bool hvh_vpci_offer(struct hvh_vpci *bus, uint64_t now, uint32_t serial)
{
	if (hvh_channel_is_present(bus->channel))
		return false;
	if (serial != 0)
		set_serial(bus, serial);
	hvh_channel_set_instance(bus->channel, &bus->instance);
	hvh_channel_offer_again(bus->channel, now);
	return true;
}

bool hvh_vpci_is_offered(const struct hvh_vpci *bus)
{
	return hvh_channel_is_present(bus->channel);
}

bool hvh_vpci_rescind(struct hvh_vpci *bus, uint64_t now)
{
	if (!hvh_channel_is_present(bus->channel))
		return false;
	hvh_channel_rescind(bus->channel, now);
	return true;
}

void hvh_vpci_interrupt(struct hvh_vpci *bus, uint64_t now, uint32_t entry)
{
	if (bus->function.powered && !bus->ejected)
		pci_msix_raise(&bus->function, now, entry);
	else
		bus->function.interrupts_lost++;
}

void hvh_vpci_get_counters(const struct hvh_vpci *bus, struct hvh_vpci_counters *out)
{
	*out = bus->counters;
	out->retargeted = bus->interrupts.retargets;
}
