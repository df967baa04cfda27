/* SPDX-License-Identifier: MIT */
/* The host's side of the rings: what it writes is whatever the fuzzer says, what it reads
 * it does not trust either, for the fuzzer may have been there. */
#include "hvkit/wire/ring.h"
#include "hvkit/wire/vmbus.h"

#include "tests/fuzz/hostile.h"

#define TRAILER ((uint32_t)sizeof(struct vmbus_packet_trailer))
#define DESCRIPTOR ((uint32_t)sizeof(struct vmbus_packet_descriptor))

/* --- Places ------------------------------------------------------------------------- */

static uint8_t *synic(struct hostile *machine, enum hvk_register reg, uint32_t bytes)
{
	uint64_t value = machine->port.registers[reg];

	if (!(value & HV_PAGE_ENABLE))
		return NULL;
	return hostile_memory(machine, (value & HV_PAGE_ADDRESS_MASK) + VMBUS_SINT * bytes, bytes);
}

static uint8_t *buffer(struct hostile *machine, uint32_t gpadl, uint32_t *size)
{
	const struct hostile_mapping *mapping = gpadl != 0 ? hostile_mapping(machine, gpadl) : NULL;

	*size = mapping != NULL ? mapping->shown * HVK_PAGE_SIZE : 0;
	return mapping != NULL ? hostile_memory(machine, mapping->address, *size) : NULL;
}

/* A control page or the data behind it, for as long as the rings' GPADL lasts. */
static uint8_t *ring(struct hostile *machine, uint64_t address, uint32_t size)
{
	const struct hostile_channel *channel = &machine->channel;

	if (!channel->open || size == 0 || hostile_mapping(machine, channel->gpadl) == NULL)
		return NULL;
	return hostile_memory(machine, address, size);
}

/* Pages of INITIATE_CONTACT. */
static uint8_t *contact_pages(struct hostile *machine, uint64_t address, uint32_t size)
{
	return hostile_mapping(machine, 0) != NULL ? hostile_memory(machine, address, size) : NULL;
}

uint8_t *hostile_place(struct hostile *machine, enum hostile_place place, uint32_t *size)
{
	const struct hostile_channel *channel = &machine->channel;

	*size = HVK_PAGE_SIZE;
	switch (place) {
	case HOSTILE_SLOT:
		*size = sizeof(struct hv_message);
		return synic(machine, HVK_REG_SIMP, *size);
	case HOSTILE_EVENTS:
		*size = HV_EVENT_FLAG_BYTES;
		return synic(machine, HVK_REG_SIEFP, *size);
	case HOSTILE_IN_CONTROL:
		return ring(machine, channel->in, *size);
	case HOSTILE_IN_DATA:
		*size = channel->in_size;
		return ring(machine, channel->in + HVK_PAGE_SIZE, *size);
	case HOSTILE_OUT_CONTROL:
		return ring(machine, channel->out, *size);
	case HOSTILE_OUT_DATA:
		*size = channel->out_size;
		return ring(machine, channel->out + HVK_PAGE_SIZE, *size);
	case HOSTILE_INTERRUPT_PAGE:
		return contact_pages(machine, machine->interrupt_page, *size);
	case HOSTILE_MONITOR_PAGE:
		*size = 2 * HVK_PAGE_SIZE;
		return contact_pages(machine, machine->monitor_page, *size);
	case HOSTILE_TSC_PAGE:
		if (!(machine->port.registers[HVK_REG_REFERENCE_TSC] & HV_PAGE_ENABLE))
			return NULL;
		return hostile_memory(machine,
				      machine->port.registers[HVK_REG_REFERENCE_TSC] & HV_PAGE_ADDRESS_MASK,
				      *size);
	case HOSTILE_RECEIVE_BUFFER:
		return buffer(machine, machine->net.receive_gpadl, size);
	case HOSTILE_SEND_BUFFER:
		return buffer(machine, machine->net.send_gpadl, size);
	case HOSTILE_PLACES:
		break;
	}
	return NULL;
}

void hostile_write(struct hostile *machine, enum hostile_place place, uint32_t offset, const void *bytes,
		   uint32_t length)
{
	uint32_t size;
	uint8_t *to = hostile_place(machine, place, &size);

	if (to == NULL || size == 0 || length == 0)
		return;
	if (place == HOSTILE_SLOT)
		machine->untracked = true;
	for (uint32_t i = 0; i < length; i++)
		to[(offset + i) % size] = ((const uint8_t *)bytes)[i];
}

static uint32_t load(struct hostile *machine, enum hostile_place place, uint32_t offset)
{
	uint32_t size, value = 0;
	const uint8_t *from = hostile_place(machine, place, &size);

	if (from != NULL)
		memcpy(&value, from + offset, sizeof(value));
	return value;
}

/* --- To the guest ------------------------------------------------------------------------ */

void hostile_event(struct hostile *machine, uint32_t channel_id)
{
	bool shared = machine->version < VMBUS_VERSION_2_4;
	uint32_t size, flag = shared ? VMBUS_SHARED_EVENT_FLAG : channel_id % HV_EVENT_FLAGS_PER_SINT;
	uint8_t *page = hostile_place(machine, HOSTILE_INTERRUPT_PAGE, &size);
	uint8_t *events = hostile_place(machine, HOSTILE_EVENTS, &size);

	if (shared && page != NULL)
		page[channel_id % VMBUS_MAX_CHANNELS_SHARED / 8] |= (uint8_t)(1u << channel_id % 8);
	if (events != NULL)
		events[flag / 8] |= (uint8_t)(1u << flag % 8);
}

void hostile_ring_put(struct hostile *machine, const void *bytes, uint32_t length)
{
	struct hostile_channel *channel = &machine->channel;

	if (!channel->open || channel->in_size == 0)
		return;
	hostile_write(machine, HOSTILE_IN_DATA, channel->in_write, bytes, length);
	channel->in_write = (channel->in_write + length) % channel->in_size;
}

void hostile_ring_show(struct hostile *machine)
{
	hostile_write(machine, HOSTILE_IN_CONTROL, VMBUS_RING_WRITE_INDEX, &machine->channel.in_write, 4);
	hostile_event(machine, machine->channel.id);
}

static bool has_room(struct hostile *machine, uint32_t bytes)
{
	const struct hostile_channel *channel = &machine->channel;
	uint32_t read = load(machine, HOSTILE_IN_CONTROL, VMBUS_RING_READ_INDEX);

	if (!channel->open || read >= channel->in_size)
		return false;
	return (channel->in_write + channel->in_size - read) % channel->in_size + bytes < channel->in_size;
}

void hostile_packet(struct hostile *machine, uint16_t type, uint16_t flags, uint64_t transaction,
		    const void *extension, uint32_t extension_length, const void *payload, uint32_t length)
{
	static const uint8_t zeros[8];
	uint32_t header = DESCRIPTOR + ((extension_length + 7u) & ~7u);
	uint32_t whole = header + ((length + 7u) & ~7u);
	struct vmbus_packet_descriptor descriptor = {type, (uint16_t)(header / 8), (uint16_t)(whole / 8),
						     flags, transaction};
	struct vmbus_packet_trailer trailer = {0, machine->channel.in_write};

	if (!has_room(machine, whole + TRAILER))
		return;
	hostile_ring_put(machine, &descriptor, DESCRIPTOR);
	hostile_ring_put(machine, extension, extension_length);
	hostile_ring_put(machine, zeros, header - DESCRIPTOR - extension_length);
	hostile_ring_put(machine, payload, length);
	hostile_ring_put(machine, zeros, whole - header - length);
	hostile_ring_put(machine, &trailer, TRAILER);
	hostile_ring_show(machine);
}

/* --- From the guest ------------------------------------------------------------------------- */

static void copy_out(struct hostile *machine, uint32_t offset, void *to, uint32_t length)
{
	uint32_t size;
	const uint8_t *from = hostile_place(machine, HOSTILE_OUT_DATA, &size);

	for (uint32_t i = 0; i < length; i++)
		((uint8_t *)to)[i] = from != NULL ? from[(machine->channel.out_read + offset + i) % size] : 0;
}

bool hostile_ring_take(struct hostile *machine, struct hostile_packet *packet)
{
	struct hostile_channel *channel = &machine->channel;
	uint32_t write = load(machine, HOSTILE_OUT_CONTROL, VMBUS_RING_WRITE_INDEX), used, header, whole;

	if (!channel->open || write >= channel->out_size || channel->out_read >= channel->out_size)
		return false;
	used = (write + channel->out_size - channel->out_read) % channel->out_size;
	if (used < DESCRIPTOR + TRAILER)
		return false;
	copy_out(machine, 0, &packet->descriptor, DESCRIPTOR);
	header = packet->descriptor.header_length8 * 8u;
	whole = packet->descriptor.length8 * 8u;
	if (header < DESCRIPTOR || whole < header || whole + TRAILER > used ||
	    whole - DESCRIPTOR > sizeof(packet->bytes))
		return false;
	packet->extension_length = header - DESCRIPTOR;
	packet->payload_length = whole - header;
	copy_out(machine, DESCRIPTOR, packet->bytes, whole - DESCRIPTOR);
	channel->out_read = (channel->out_read + whole + TRAILER) % channel->out_size;
	hostile_write(machine, HOSTILE_OUT_CONTROL, VMBUS_RING_READ_INDEX, &channel->out_read, 4);
	return true;
}
