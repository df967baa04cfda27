/* SPDX-License-Identifier: MIT */
/* The host wants the function back: it asks, the guest lets go, and the bus is rescinded. */
#include "host/vpci/vpci.h"

/* From the guest's answer to the end of the bus. */
#define AFTER_EJECTION_MAX (10u * HVH_TIME_PER_MS)

bool hvh_vpci_eject(struct hvh_vpci *bus, uint64_t now)
{
	struct vpci_slot_message eject = {VPCI_EJECT, VPCI_SLOT};

	if (!hvh_channel_is_present(bus->channel))
		return false;
	bus->counters.ejects++;
	/* Nobody there has the function yet. */
	if (bus->state < VPCI_READY || bus->stopped || !hvh_channel_is_open(bus->channel))
		return hvh_vpci_rescind(bus, now);
	if (bus->ejecting || bus->ejected)
		return true;
	bus->now = now;
	bus->ejecting = true;
	bus->eject_end = now + bus->eject_wait;
	hvh_note(bus->partition, now, hvh_channel_id(bus->channel), "vpci: the guest is asked to let go");
	vpci_send(bus, false, 0, 0, &eject, sizeof eject);
	hvh_channel_kick(bus->channel);
	return true;
}

bool hvh_vpci_is_leaving(const struct hvh_vpci *bus)
{
	return bus->ejecting || bus->ejected;
}

/* Needs no answer: Linux and FreeBSD ask for none. */
void vpci_ejection_complete(struct hvh_vpci *bus, const struct hvh_packet *packet)
{
	if (!bus->ejecting) {
		vpci_refuse(bus, packet, HVH_V_VPCI_ORDER, "EJECTION_COMPLETE",
			    "nobody asked for an ejection, or it is complete already");
		return;
	}
	if (!vpci_slot_right(bus, packet, "EJECTION_COMPLETE"))
		return;
	bus->counters.ejects_answered++;
	bus->ejecting = false;
	bus->ejected = true;
	vpci_empty_relations(bus);
	bus->eject_end = HVH_NEVER;
	bus->rescind_at = bus->now + 1 + hvh_choose(bus->partition, AFTER_EJECTION_MAX);
	hvh_device_interrupts_clear(&bus->interrupts);
	pci_function_power(&bus->function, bus->now, false);
	bus->assigned = false;
	vpci_answer_status(bus, packet, VPCI_STATUS_SUCCESS);
}

bool vpci_leave_run(struct hvh_vpci *bus)
{
	if (bus->eject_end > bus->now && bus->rescind_at > bus->now)
		return false;
	if (bus->eject_end <= bus->now)
		hvh_note(bus->partition, bus->now, hvh_channel_id(bus->channel),
			 "vpci: the guest has not let go in its time");
	return hvh_vpci_rescind(bus, bus->now);
}

uint64_t vpci_leave_next(const struct hvh_vpci *bus)
{
	return bus->eject_end < bus->rescind_at ? bus->eject_end : bus->rescind_at;
}
