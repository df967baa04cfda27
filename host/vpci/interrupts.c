/* SPDX-License-Identifier: MIT */
/*
 * Device interrupts: made for a vector and processors, in the form of each version; the guest gets an
 * address and data for the MSI-X table. Sources: OpenVMM vpci_protocol, Linux pci-hyperv.c, FreeBSD
 * vmbus_pcib.c.
 */
#include <string.h>

#include "host/vpci/vpci.h"

#define VECTOR_MIN 16u
#define DELIVERY_LOWEST 1u /* 0: fixed */

struct wish {
	uint32_t vector;
	uint8_t delivery_mode;
	uint16_t count, processor_count;
	uint64_t vps;
	const char *wrong; /* NULL: nothing */
};

static uint64_t all_vps(uint32_t count)
{
	return count >= 64 ? UINT64_MAX : (1ull << count) - 1;
}

static uint32_t vps_of(const struct hvh_vpci *bus)
{
	return hvh_partition_vps(bus->partition);
}

/* Linux's mask has all bits, whatever CPUs there are, until it retargets. */
static void take_mask(const struct hvh_vpci *bus, const uint8_t *bytes, struct wish *wish)
{
	struct vpci_interrupt interrupt;

	memcpy(&interrupt, bytes, sizeof interrupt);
	wish->vector = interrupt.vector;
	wish->delivery_mode = interrupt.delivery_mode;
	wish->count = interrupt.count;
	wish->vps = interrupt.processors & all_vps(vps_of(bus));
	if (interrupt.reserved != 0)
		wish->wrong = "reserved fields are to be 0";
	else if (wish->vps == 0)
		wish->wrong = "its mask names no processor that there is";
}

static void take_list(const struct hvh_vpci *bus, const uint16_t *processors, uint16_t count,
		      struct wish *wish)
{
	wish->processor_count = count;
	if (count == 0 || count > VPCI_PROCESSORS_MAX) {
		wish->wrong = "1 to 32 processors would be right";
		return;
	}
	for (uint32_t n = 0; n < count; n++) {
		if (processors[n] >= vps_of(bus)) {
			wish->wrong = "its list names a processor that there is not";
			return;
		}
		wish->vps |= 1ull << processors[n];
	}
}

static void take_list2(const struct hvh_vpci *bus, const uint8_t *bytes, struct wish *wish)
{
	struct vpci_interrupt2 interrupt = {0};

	memcpy(&interrupt, bytes, VPCI_INTERRUPT2_SHORT);
	wish->vector = interrupt.vector;
	wish->delivery_mode = interrupt.delivery_mode;
	wish->count = interrupt.count;
	take_list(bus, interrupt.processors, interrupt.processor_count, wish);
}

static void take_list3(const struct hvh_vpci *bus, const uint8_t *bytes, struct wish *wish)
{
	struct vpci_interrupt3 interrupt = {0};

	memcpy(&interrupt, bytes, VPCI_INTERRUPT3_SHORT);
	wish->vector = interrupt.vector;
	wish->delivery_mode = interrupt.delivery_mode;
	wish->count = interrupt.count;
	take_list(bus, interrupt.processors, interrupt.processor_count, wish);
	if (wish->wrong == NULL && interrupt.reserved != 0)
		wish->wrong = "reserved fields are to be 0";
}

static void check_vectors(struct wish *wish)
{
	if (wish->wrong != NULL)
		return;
	if (wish->count == 0 || wish->count > HVH_DEVICE_INTERRUPT_GROUP ||
	    (wish->count & (wish->count - 1)) != 0)
		wish->wrong = "count; a power of two up to 32 would be right";
	else if (wish->vector < VECTOR_MIN || wish->vector + wish->count > UINT8_MAX + 1u)
		wish->wrong = "vector; 16 to 255 would be right";
	else if (wish->delivery_mode > DELIVERY_LOWEST)
		wish->wrong = "delivery mode; 0 (fixed) or 1 (lowest priority) would be right";
}

static void answer(struct hvh_vpci *bus, const struct hvh_packet *packet, uint32_t status,
		   const struct hvh_device_interrupt *interrupt)
{
	struct vpci_create_interrupt_answer created = {.status = status};

	if (interrupt != NULL) {
		created.interrupt.count = interrupt->count;
		created.interrupt.data = interrupt->data;
		created.interrupt.address = hvh_device_interrupt_address(&bus->interrupts);
	}
	vpci_answer(bus, packet, &created, sizeof created);
}

void vpci_create_interrupt(struct hvh_vpci *bus, const struct hvh_packet *packet)
{
	const struct hvh_device_interrupt *interrupt;
	const uint8_t *bytes = packet->payload + sizeof(struct vpci_create_interrupt_header);
	struct wish wish = {0};
	uint32_t type;

	memcpy(&type, packet->payload, sizeof type);
	if (!vpci_slot_right(bus, packet, "CREATE_INTERRUPT"))
		return;
	if (!bus->assigned) {
		vpci_refuse(bus, packet, HVH_V_VPCI_ORDER, "CREATE_INTERRUPT",
			    "RESOURCES_ASSIGNED is to come before");
		return;
	}
	if (type == VPCI_CREATE_INTERRUPT)
		take_mask(bus, bytes, &wish);
	else if (type == VPCI_CREATE_INTERRUPT2)
		take_list2(bus, bytes, &wish);
	else
		take_list3(bus, bytes, &wish);
	check_vectors(&wish);
	if (wish.wrong != NULL) {
		vpci_refuse(bus, packet, HVH_V_VPCI_VALUE, "CREATE_INTERRUPT", wish.wrong);
		return;
	}
	interrupt = hvh_device_interrupt_create(&bus->interrupts, (uint8_t)wish.vector, wish.count, wish.vps);
	if (interrupt == NULL) {
		vpci_refuse(bus, packet, HVH_V_VPCI_VALUE, "CREATE_INTERRUPT",
			    "a device has 494 of them at most");
		return;
	}
	bus->counters.created++;
	hvh_note(bus->partition, bus->now, hvh_channel_id(bus->channel),
		 "vpci: interrupt %#x is vector %#x of processors %#llx", interrupt->data, interrupt->vector,
		 (unsigned long long)interrupt->vps);
	answer(bus, packet, VPCI_STATUS_SUCCESS, interrupt);
}

void vpci_delete_interrupt(struct hvh_vpci *bus, const struct hvh_packet *packet)
{
	struct vpci_delete_interrupt message;

	memcpy(&message, packet->payload, sizeof message);
	if (!vpci_slot_right(bus, packet, "DELETE_INTERRUPT"))
		return;
	if (!hvh_device_interrupt_delete(&bus->interrupts, message.interrupt.address,
					 message.interrupt.data)) {
		vpci_refuse(bus, packet, HVH_V_VPCI_INTERRUPT, "DELETE_INTERRUPT",
			    "the function has no interrupt with that address and data");
		return;
	}
	bus->counters.deleted++;
	vpci_answer_status(bus, packet, VPCI_STATUS_SUCCESS);
}

void vpci_message(void *context, uint64_t now, uint32_t entry, uint64_t address, uint32_t data)
{
	struct hvh_vpci *bus = context;
	uint64_t bytes[2] = {address, data};

	if (hvh_device_interrupt_raise(&bus->interrupts, now, address, data)) {
		bus->counters.interrupts++;
		return;
	}
	bus->function.interrupts_lost++;
	hvh_violate(bus->partition, HVH_V_VPCI_INTERRUPT, now, UINT32_MAX, hvh_channel_id(bus->channel),
		    bytes, sizeof bytes,
		    "MSI-X entry %u is not masked, and its address and data are no interrupt's", entry);
}
