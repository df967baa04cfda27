/* SPDX-License-Identifier: MIT */
/* The bus as a device on VMBus: what the guest has set up ends with the channel. */
#include <stdlib.h>
#include <string.h>

#include "host/vpci/vpci.h"

void vpci_power_down(struct hvh_vpci *bus)
{
	hvh_mmio_unmap(bus->partition, &bus->window);
	hvh_device_interrupts_clear(&bus->interrupts);
	pci_function_power(&bus->function, bus->now, false);
	bus->assigned = false;
}

void vpci_written(void *context, uint64_t now)
{
	struct hvh_vpci *bus = context;
	const struct hvh_pci_model *model = &bus->function.model;
	uint64_t next = model->next_event != NULL ? model->next_event(model->context) : HVH_NEVER;

	if (next <= now)
		hvh_channel_kick(bus->channel);
	else if (next != bus->model_next)
		hvh_kick(bus->partition);
	bus->model_next = next;
}

static void session_reset(struct hvh_vpci *bus, enum vpci_state state)
{
	vpci_power_down(bus);
	bus->state = state;
	bus->version = 0;
	bus->stopped = bus->blocked = false;
	bus->ejecting = bus->ejected = false;
	bus->eject_end = bus->rescind_at = HVH_NEVER;
	bus->slot = 0;
	bus->outgoing_head = bus->outgoing_count = 0;
}

static bool device_open(void *device, struct hvh_channel *channel, uint64_t now,
			const uint8_t user_data[VMBUS_USER_DATA_SIZE])
{
	struct hvh_vpci *bus = device;

	(void)user_data;
	bus->now = now;
	session_reset(bus, VPCI_VERSION);
	bus->function.channel_id = hvh_channel_id(channel);
	return true;
}

static void device_close(void *device, struct hvh_channel *channel, uint64_t now)
{
	struct hvh_vpci *bus = device;

	(void)channel;
	bus->now = now;
	session_reset(bus, VPCI_CLOSED);
}

static bool device_run(void *device, struct hvh_channel *channel, uint64_t now)
{
	struct hvh_vpci *bus = device;
	const struct hvh_pci_model *model = &bus->function.model;
	bool more, had_room;

	(void)channel;
	bus->now = now;
	bus->blocked = false;
	if (vpci_leave_run(bus))
		return false;
	had_room = vpci_answers_have_room(bus);
	more = vpci_read(bus);
	vpci_answers_run(bus);
	if (!had_room && vpci_answers_have_room(bus))
		more = true;
	if (bus->function.powered && model->run != NULL)
		more = model->run(model->context, now) || more;
	return more;
}

static uint64_t earlier(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static uint64_t device_next_event(void *device, struct hvh_channel *channel)
{
	struct hvh_vpci *bus = device;
	const struct hvh_pci_model *model = &bus->function.model;
	uint64_t next = earlier(vpci_answers_next(bus), vpci_leave_next(bus));

	(void)channel;
	if (bus->function.powered && model->next_event != NULL)
		next = earlier(next, model->next_event(model->context));
	return next;
}

static void device_destroy(void *device)
{
	struct hvh_vpci *bus = device;
	const struct hvh_pci_model model = bus->function.model;

	hvh_mmio_unmap(bus->partition, &bus->window);
	hvh_interrupt_source_remove(&bus->interrupts);
	pci_function_free(&bus->function);
	if (model.destroy != NULL)
		model.destroy(model.context);
	free(bus);
}

const struct hvh_device_ops vpci_ops = {
	.name = "pci",
	.open = device_open,
	.close = device_close,
	.run = device_run,
	.next_event = device_next_event,
	.dump = vpci_dump,
	.destroy = device_destroy,
};
