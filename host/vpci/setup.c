/* SPDX-License-Identifier: MIT */
/*
 * What leads to D0 and back: version, relations, requirements, the window, resources, power. Sources:
 * OpenVMM vpci, Linux pci-hyperv.c, FreeBSD vmbus_pcib.c.
 */
#include <string.h>

#include "host/vpci/vpci.h"

#define RELATIONS_LATE_MAX (5u * HVH_TIME_PER_MS)
#define RESOURCE_MEMORY 3u
#define ELEMENT_SIZE 16u
#define ELEMENT2_SIZE 72u
#define ELEMENT3_SIZE 80u

/* --- Version ------------------------------------------------------------------------------------- */

static uint32_t newest(const struct hvh_vpci *bus)
{
	return bus->newest != 0 ? bus->newest : hvh_partition_get_profile(bus->partition)->vpci_newest;
}

static bool accepted(const struct hvh_vpci *bus, uint32_t version)
{
	return version >= VPCI_VERSION_1_1 && version <= VPCI_VERSION_1_4 && version <= newest(bus) &&
	       version >= hvh_partition_get_profile(bus->partition)->vpci_oldest;
}

/* With the version that the host would like best. */
void vpci_query_version(struct hvh_vpci *bus, const struct hvh_packet *packet)
{
	struct vpci_version_request request;
	struct {
		uint32_t status, version;
	} answer = {VPCI_STATUS_REVISION_MISMATCH, newest(bus)};

	if (bus->state != VPCI_VERSION) {
		vpci_refuse(bus, packet, HVH_V_VPCI_ORDER, "QUERY_PROTOCOL_VERSION",
			    "a version has been agreed on");
		return;
	}
	memcpy(&request, packet->payload, sizeof request);
	if (accepted(bus, request.version)) {
		answer.status = VPCI_STATUS_SUCCESS;
		bus->version = request.version;
		bus->state = VPCI_READY;
	}
	vpci_answer(bus, packet, &answer, sizeof answer);
}

/* --- Relations ----------------------------------------------------------------------------------- */

static void describe(const struct hvh_vpci *bus, struct vpci_function2 *out)
{
	const struct hvh_pci_model *model = &bus->function.model;

	*out = (struct vpci_function2){
		.function =
			{
				.vendor = model->vendor_id,
				.device = model->device_id,
				.revision = model->revision,
				.programming_interface = model->programming_interface,
				.subclass = model->subclass,
				.class_ = model->class_,
				.subsystem = (uint32_t)model->subsystem_id << 16 | model->subsystem_vendor_id,
				.slot = VPCI_SLOT,
				.serial = bus->serial,
			},
		.flags = VPCI_FUNCTION_NUMA_NODE,
	};
}

void vpci_send_relations(struct hvh_vpci *bus, uint64_t delay)
{
	bool second = bus->version >= VPCI_VERSION_1_3;
	struct vpci_bus_relations relations = {second ? VPCI_BUS_RELATIONS2 : VPCI_BUS_RELATIONS,
					       bus->ejected ? 0 : 1};
	uint8_t bytes[sizeof relations + sizeof(struct vpci_function2)];
	struct vpci_function2 function;
	uint32_t length = sizeof relations;

	memcpy(bytes, &relations, sizeof relations);
	if (relations.count != 0) {
		uint32_t size = second ? sizeof function : sizeof function.function;

		describe(bus, &function);
		memcpy(bytes + length, &function, size);
		length += size;
	}
	vpci_send(bus, false, 0, delay, bytes, length);
}

/* A list that has not gone out yet would name what is not there any more. */
void vpci_empty_relations(struct hvh_vpci *bus)
{
	for (uint32_t n = 0; n < bus->outgoing_count; n++) {
		struct vpci_outgoing *out = &bus->outgoing[(bus->outgoing_head + n) % VPCI_OUTGOING_MAX];
		struct vpci_bus_relations relations;

		memcpy(&relations, out->bytes, sizeof relations);
		if (out->completion ||
		    (relations.type != VPCI_BUS_RELATIONS && relations.type != VPCI_BUS_RELATIONS2))
			continue;
		relations.count = 0;
		memcpy(out->bytes, &relations, sizeof relations);
		out->length = sizeof relations;
	}
}

void vpci_query_relations(struct hvh_vpci *bus, const struct hvh_packet *packet)
{
	vpci_send_relations(bus, 0);
	vpci_answer_status(bus, packet, VPCI_STATUS_SUCCESS);
}

void vpci_query_requirements(struct hvh_vpci *bus, const struct hvh_packet *packet)
{
	struct vpci_resource_requirements answer = {.status = VPCI_STATUS_SUCCESS};

	if (!vpci_slot_right(bus, packet, "QUERY_RESOURCE_REQUIREMENTS"))
		return;
	for (unsigned n = 0; n < PCI_BARS; n++)
		answer.probed_bars[n] = pci_bar_probed(&bus->function, n);
	vpci_answer(bus, packet, &answer, sizeof answer);
}

/* --- D0 of the bus ------------------------------------------------------------------------------- */

static enum hvh_vpci_relations relations_habit(struct hvh_vpci *bus)
{
	enum hvh_vpci_relations habit = hvh_partition_get_profile(bus->partition)->vpci_relations;

	if (habit == HVH_RELATIONS_BY_SEED)
		habit = (enum hvh_vpci_relations)hvh_choose(bus->partition, HVH_RELATIONS_BY_SEED);
	return habit;
}

static bool late_flags(struct hvh_vpci *bus)
{
	enum hvh_tendency late = hvh_partition_get_profile(bus->partition)->vpci_bar_flags_late;

	return late == HVH_EVERY_TIME || (late == HVH_BY_SEED && hvh_choose(bus->partition, 2) == 0);
}

void vpci_d0_entry(struct hvh_vpci *bus, const struct hvh_packet *packet)
{
	enum hvh_vpci_relations habit;
	struct vpci_d0_entry message;
	const char *wrong;

	if (bus->state == VPCI_D0) {
		vpci_refuse(bus, packet, HVH_V_VPCI_ORDER, "BUS_D0_ENTRY", "the bus is in D0 already");
		return;
	}
	memcpy(&message, packet->payload, sizeof message);
	bus->window.base = message.window;
	if (message.reserved != 0)
		vpci_refuse(bus, packet, HVH_V_VPCI_PADDING, "BUS_D0_ENTRY", "reserved fields are to be 0");
	else if (message.window % HVK_PAGE_SIZE != 0)
		vpci_refuse(bus, packet, HVH_V_VPCI_VALUE, "BUS_D0_ENTRY",
			    "the window is to begin with a page");
	else if ((wrong = hvh_mmio_map(bus->partition, &bus->window)) != NULL)
		vpci_refuse(bus, packet, HVH_V_VPCI_VALUE, "BUS_D0_ENTRY: the window lies", wrong);
	if (!bus->window.mapped)
		return;
	hvh_note(bus->partition, bus->now, hvh_channel_id(bus->channel), "vpci: window at %#llx, serial %u",
		 (unsigned long long)message.window, bus->serial);
	bus->state = VPCI_D0;
	bus->function.bar_flags_late = late_flags(bus);
	pci_function_power(&bus->function, bus->now, true);
	habit = relations_habit(bus);
	if (habit == HVH_RELATIONS_BEFORE_D0)
		vpci_send_relations(bus, 0);
	vpci_answer_status(bus, packet, VPCI_STATUS_SUCCESS);
	if (habit == HVH_RELATIONS_AFTER_D0)
		vpci_send_relations(bus, hvh_choose(bus->partition, RELATIONS_LATE_MAX));
}

void vpci_d0_exit(struct hvh_vpci *bus, const struct hvh_packet *packet)
{
	if (bus->state == VPCI_D0)
		bus->state = VPCI_READY;
	vpci_power_down(bus);
	vpci_answer_status(bus, packet, VPCI_STATUS_SUCCESS);
}

/* --- Resources ----------------------------------------------------------------------------------- */

static uint32_t element_size(uint32_t type)
{
	return type == VPCI_RESOURCES_ASSIGNED    ? ELEMENT_SIZE
	       : type == VPCI_RESOURCES_ASSIGNED2 ? ELEMENT2_SIZE
						  : ELEMENT3_SIZE;
}

/* As OpenVMM: a BAR is where its resource says, and nowhere if that has no length. */
static void assign_bar(struct hvh_vpci *bus, unsigned number, const struct vpci_resource *resource)
{
	const struct pci_bar *bar = &bus->function.bars[number];
	uint64_t address = resource->length != 0 ? resource->address : 0;

	if (bar->size == 0)
		return;
	pci_config_write(&bus->function, bus->now, UINT32_MAX, PCI_BAR0 + 4 * number, 4, (uint32_t)address);
	if (bar->wide)
		pci_config_write(&bus->function, bus->now, UINT32_MAX, PCI_BAR0 + 4 * (number + 1), 4,
				 (uint32_t)(address >> 32));
}

static const char *wrong_resource(const struct vpci_resource *resource)
{
	if (resource->type == 0 && resource->length == 0 && resource->address == 0)
		return NULL;
	return resource->type != RESOURCE_MEMORY ? "a resource is memory (3), or none (0)" : NULL;
}

void vpci_resources_assigned(struct hvh_vpci *bus, const struct hvh_packet *packet)
{
	struct vpci_resources_assigned message;
	const char *wrong = NULL;
	bool flags_late = bus->function.bar_flags_late;
	uint8_t written = bus->function.bars_written;

	memcpy(&message, packet->payload, sizeof message);
	if (!vpci_slot_right(bus, packet, "RESOURCES_ASSIGNED"))
		return;
	for (unsigned n = 0; n < PCI_BARS && wrong == NULL; n++)
		wrong = wrong_resource(&message.resources[n]);
	if (message.reserved != 0)
		wrong = "reserved fields are to be 0";
	if (message.interrupt_count > HVH_DEVICE_INTERRUPTS_MAX ||
	    message.interrupt_count * element_size(message.type) > packet->payload_length - sizeof message)
		wrong = "it is shorter than its count of interrupts";
	if (wrong != NULL) {
		vpci_refuse(bus, packet, HVH_V_VPCI_VALUE, "RESOURCES_ASSIGNED", wrong);
		return;
	}
	for (unsigned n = 0; n < PCI_BARS; n++)
		assign_bar(bus, n, &message.resources[n]);
	if (flags_late) /* the guest has written none */
		bus->function.bars_written = written;
	bus->assigned = true;
	vpci_answer_status(bus, packet, VPCI_STATUS_SUCCESS);
}

void vpci_resources_released(struct hvh_vpci *bus, const struct hvh_packet *packet)
{
	if (!vpci_slot_right(bus, packet, "RESOURCES_RELEASED"))
		return;
	bus->assigned = false;
	vpci_answer_status(bus, packet, VPCI_STATUS_SUCCESS);
}

/* --- Power of the function ----------------------------------------------------------------------- */

void vpci_power_state(struct hvh_vpci *bus, const struct hvh_packet *packet)
{
	struct vpci_power_state message;

	memcpy(&message, packet->payload, sizeof message);
	if (!vpci_slot_right(bus, packet, "POWER_STATE"))
		return;
	if (message.state != VPCI_POWER_D0 && message.state != VPCI_POWER_D3) {
		vpci_refuse(bus, packet, HVH_V_VPCI_VALUE, "POWER_STATE",
			    "no such state; 1 (D0) or 4 (D3) would be right");
		return;
	}
	hvh_note(bus->partition, bus->now, hvh_channel_id(bus->channel), "vpci: the function goes into %s",
		 message.state == VPCI_POWER_D0 ? "D0" : "D3");
	pci_function_power(&bus->function, bus->now, message.state == VPCI_POWER_D0);
	vpci_answer_status(bus, packet, VPCI_STATUS_SUCCESS);
}
