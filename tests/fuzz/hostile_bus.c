/* SPDX-License-Identifier: MIT */
/*
 * The VMBus host: lawful answers to control messages, unless they are muted or
 * replaced, and a record of the pages that it may write to.
 */
#include "hvkit/wire/vmbus.h"

#include "tests/fuzz/hostile.h"

#define CHANNEL 1u
#define SLOT_BYTES ((uint32_t)sizeof(struct hv_message))

/* --- The slot -------------------------------------------------------------------------- */

static struct hv_message *slot(struct hostile *machine)
{
	uint64_t simp = machine->port.registers[HVK_REG_SIMP];

	if (!(simp & HV_PAGE_ENABLE))
		return NULL;
	return (struct hv_message *)(void *)hostile_memory(
		machine, (simp & HV_PAGE_ADDRESS_MASK) + VMBUS_SINT * SLOT_BYTES, SLOT_BYTES);
}

void hostile_deliver(struct hostile *machine)
{
	struct hostile_message *message = &machine->queue[machine->queue_first];
	struct hv_message *to = slot(machine);

	if (to == NULL || machine->queue_count == 0)
		return;
	if (to->type != HV_MESSAGE_NONE) {
		to->flags |= HV_MESSAGE_FLAG_PENDING;
		return;
	}
	machine->queue_first = (machine->queue_first + 1) % HOSTILE_QUEUE;
	machine->queue_count--;
	*to = (struct hv_message){.type = message->type, .payload_size = message->size};
	to->flags = machine->queue_count != 0 ? HV_MESSAGE_FLAG_PENDING : 0;
	memcpy(to->payload, message->payload, sizeof(to->payload));
	if (message->type == HV_MESSAGE_VMBUS)
		hostile_note(machine, message->payload, message->size);
}

void hostile_send(struct hostile *machine, const void *payload, uint32_t size)
{
	struct hostile_message *message;

	if (machine->queue_count == HOSTILE_QUEUE)
		return;
	message = &machine->queue[(machine->queue_first + machine->queue_count++) % HOSTILE_QUEUE];
	*message = (struct hostile_message){.type = HV_MESSAGE_VMBUS, .size = (uint8_t)size};
	memcpy(message->payload, payload, size < sizeof(message->payload) ? size : sizeof(message->payload));
}

/* An answer, or what takes its place. */
static void answer(struct hostile *machine, uint32_t asked, const void *payload, uint32_t size)
{
	if (asked < 32 && (machine->muted >> asked & 1u))
		return;
	for (uint32_t i = 0; i < HOSTILE_ANSWERS; i++) {
		struct hostile_answer *other = &machine->answers[i];

		if (!other->set || other->key != asked)
			continue;
		other->set = false;
		hostile_send(machine, other->bytes, other->length);
		return;
	}
	hostile_send(machine, payload, size);
}

/* --- What the host may write to ---------------------------------------------------------- */

struct hostile_mapping *hostile_mapping(struct hostile *machine, uint32_t id)
{
	for (uint32_t i = 0; i < HOSTILE_MAPPINGS; i++) {
		if (machine->mappings[i].live && machine->mappings[i].id == id)
			return &machine->mappings[i];
	}
	return NULL;
}

static void map(struct hostile *machine, uint32_t id, uint32_t channel, uint64_t address, uint32_t pages,
		uint32_t shown)
{
	struct hostile_mapping *mapping = hostile_mapping(machine, id);

	for (uint32_t i = 0; mapping == NULL && i < HOSTILE_MAPPINGS; i++) {
		if (!machine->mappings[i].live)
			mapping = &machine->mappings[i];
	}
	if (mapping == NULL)
		machine->untracked = true;
	else
		*mapping = (struct hostile_mapping){true, id, channel, address, pages, shown};
}

static void unmap(struct hostile *machine, uint32_t id, uint32_t channel, bool all)
{
	for (uint32_t i = 0; i < HOSTILE_MAPPINGS; i++) {
		struct hostile_mapping *mapping = &machine->mappings[i];

		if (all || (mapping->id != 0 && (mapping->id == id || mapping->channel == channel)))
			mapping->live = false;
	}
}

static uint32_t word(const uint8_t *payload, uint32_t offset)
{
	uint32_t value;

	memcpy(&value, payload + offset, sizeof(value));
	return value;
}

/* By each of these the host lets go. */
void hostile_note(struct hostile *machine, const uint8_t *payload, uint32_t size)
{
	uint32_t type = size >= 8 ? word(payload, 0) : 0;

	if (type == VMBUS_MSG_GPADL_TORNDOWN && size >= sizeof(struct vmbus_gpadl_torndown))
		unmap(machine, word(payload, 8), 0, false);
	else if (type == VMBUS_MSG_RESCIND_OFFER && size >= sizeof(struct vmbus_channel_message))
		unmap(machine, 0, word(payload, 8), false);
	else if (type == VMBUS_MSG_GPADL_CREATED && size >= sizeof(struct vmbus_gpadl_created) &&
		 word(payload, 16) != 0)
		unmap(machine, word(payload, 12), 0, false);
	else if (type == VMBUS_MSG_UNLOAD_RESPONSE)
		unmap(machine, 0, 0, true);
	else if (type == VMBUS_MSG_VERSION_RESPONSE && size >= sizeof(struct vmbus_version_response) &&
		 payload[8] == 0)
		unmap(machine, 0, 0, true);
}

void hostile_check_free(struct hostile *machine, uint64_t address, uint32_t pages)
{
	uint64_t end = address + (uint64_t)pages * HVK_PAGE_SIZE;

	for (uint32_t i = 0; i < HOSTILE_MAPPINGS; i++) {
		struct hostile_mapping *mapping = &machine->mappings[i];
		uint64_t shown = mapping->address + (uint64_t)mapping->shown * HVK_PAGE_SIZE;

		if (!mapping->live || mapping->address >= end || shown <= address)
			continue;
		FUZZ_CHECK(machine->untracked);
		mapping->live = false;
	}
}

/* --- The guest's messages ------------------------------------------------------------------- */

static void contact(struct hostile *machine, const uint8_t *payload)
{
	struct vmbus_version_response response = {.header = {VMBUS_MSG_VERSION_RESPONSE, 0}};
	struct vmbus_initiate_contact message;

	memcpy(&message, payload, sizeof(message));
	machine->version = message.version;
	machine->interrupt_page = message.version < VMBUS_VERSION_5_0 ? message.interrupt_page_or_target : 0;
	machine->monitor_page = message.monitor_page_host_to_guest;
	FUZZ_CHECK(message.monitor_page_guest_to_host == machine->monitor_page + HVK_PAGE_SIZE);
	/* The interrupt page is a page of its own: it shares the fate of the others. */
	map(machine, 0, 0, machine->monitor_page, 2, 2);
	response.version_supported = message.version <= machine->newest;
	response.version_or_connection_id = message.version >= VMBUS_VERSION_5_0 ? VMBUS_CONNECTION_MESSAGE_V5
										 : message.version;
	answer(machine, VMBUS_MSG_INITIATE_CONTACT, &response, sizeof(response));
}

void hostile_offer(struct hostile *machine, uint32_t channel_id, uint16_t subchannel_index)
{
	struct vmbus_offer_channel message = {
		.header = {VMBUS_MSG_OFFER_CHANNEL, 0},
		.interface_type = machine->type,
		.interface_instance = {{1, 2, 3, 4}},
		.subchannel_index = subchannel_index,
		.channel_id = channel_id,
		.is_dedicated = 1,
		.connection_id = 0x1000 + channel_id,
	};

	hostile_send(machine, &message, sizeof(message));
}

static void offers(struct hostile *machine)
{
	struct vmbus_message_header end = {VMBUS_MSG_ALL_OFFERS_DELIVERED, 0};

	hostile_offer(machine, CHANNEL, 0);
	answer(machine, VMBUS_MSG_REQUEST_OFFERS, &end, sizeof(end));
}

static void gpadl_complete(struct hostile *machine, const struct hostile_mapping *mapping)
{
	struct vmbus_gpadl_created message = {{VMBUS_MSG_GPADL_CREATED, 0}, mapping->channel, mapping->id, 0};

	if (mapping->shown == mapping->pages)
		answer(machine, VMBUS_MSG_GPADL_HEADER, &message, sizeof(message));
}

/* Pages follow one another, because each allocation is one block. */
static void show(struct hostile_mapping *mapping, const uint8_t *pfns, uint32_t bytes)
{
	FUZZ_CHECK(bytes % 8 == 0 && bytes / 8 <= mapping->pages - mapping->shown);
	for (uint32_t i = 0; i < bytes / 8; i++) {
		uint64_t pfn;

		memcpy(&pfn, pfns + 8 * i, sizeof(pfn));
		if (mapping->shown == 0)
			mapping->address = pfn << HVK_PAGE_SHIFT;
		FUZZ_CHECK(pfn << HVK_PAGE_SHIFT ==
			   mapping->address + (uint64_t)mapping->shown * HVK_PAGE_SIZE);
		mapping->shown++;
	}
}

static void gpadl_header(struct hostile *machine, const uint8_t *payload, uint32_t size)
{
	struct vmbus_gpadl_header message;
	struct hostile_mapping *mapping;

	memcpy(&message, payload, sizeof(message));
	FUZZ_CHECK(message.range_count == 1 && message.byte_count % HVK_PAGE_SIZE == 0);
	FUZZ_CHECK(machine->untracked || hostile_mapping(machine, message.gpadl) == NULL);
	map(machine, message.gpadl, message.channel_id, 0, message.byte_count / HVK_PAGE_SIZE, 0);
	mapping = hostile_mapping(machine, message.gpadl);
	if (mapping == NULL)
		return;
	show(mapping, payload + sizeof(message), size - (uint32_t)sizeof(message));
	gpadl_complete(machine, mapping);
}

static void gpadl_body(struct hostile *machine, const uint8_t *payload, uint32_t size)
{
	struct hostile_mapping *mapping = hostile_mapping(machine, word(payload, 12));

	if (mapping == NULL)
		return; /* refused or rescinded half-way */
	show(mapping, payload + sizeof(struct vmbus_gpadl_body),
	     size - (uint32_t)sizeof(struct vmbus_gpadl_body));
	gpadl_complete(machine, mapping);
}

static void open_channel(struct hostile *machine, const uint8_t *payload)
{
	struct vmbus_open_result result = {.header = {VMBUS_MSG_OPEN_RESULT, 0}};
	const struct hostile_mapping *rings;
	struct vmbus_open_channel message;

	memcpy(&message, payload, sizeof(message));
	rings = hostile_mapping(machine, message.ring_gpadl);
	result.channel_id = message.channel_id;
	result.open_id = message.open_id;
	if (rings != NULL && message.downstream_page_offset < rings->pages) {
		uint32_t out_pages = message.downstream_page_offset;

		machine->channel = (struct hostile_channel){
			.open = true,
			.id = message.channel_id,
			.gpadl = message.ring_gpadl,
			.out = rings->address,
			.in = rings->address + (uint64_t)out_pages * HVK_PAGE_SIZE,
			.out_size = (out_pages - 1) * HVK_PAGE_SIZE,
			.in_size = (rings->pages - out_pages - 1) * HVK_PAGE_SIZE,
		};
		hostile_net_reset(machine);
	}
	answer(machine, VMBUS_MSG_OPEN_CHANNEL, &result, sizeof(result));
}

/* The host's answer names no request, and comes from 5.3 on. */
static void modify(struct hostile *machine, const uint8_t *payload)
{
	struct vmbus_modify_channel_response response = {.header = {VMBUS_MSG_MODIFY_CHANNEL_RESPONSE, 0}};
	struct vmbus_modify_channel message;

	memcpy(&message, payload, sizeof(message));
	FUZZ_CHECK(message.target_vp < machine->cpus);
	response.channel_id = message.channel_id;
	if (machine->version >= VMBUS_VERSION_5_3)
		answer(machine, VMBUS_MSG_MODIFY_CHANNEL, &response, sizeof(response));
}

static void teardown(struct hostile *machine, const uint8_t *payload)
{
	struct vmbus_gpadl_torndown message = {{VMBUS_MSG_GPADL_TORNDOWN, 0}, word(payload, 12)};

	answer(machine, VMBUS_MSG_GPADL_TEARDOWN, &message, sizeof(message));
}

static void take(struct hostile *machine, const uint8_t *payload, uint32_t size)
{
	const struct vmbus_message_header unloaded = {VMBUS_MSG_UNLOAD_RESPONSE, 0};

	switch (word(payload, 0)) {
	case VMBUS_MSG_INITIATE_CONTACT:
		contact(machine, payload);
		break;
	case VMBUS_MSG_REQUEST_OFFERS:
		offers(machine);
		break;
	case VMBUS_MSG_GPADL_HEADER:
		gpadl_header(machine, payload, size);
		break;
	case VMBUS_MSG_GPADL_BODY:
		gpadl_body(machine, payload, size);
		break;
	case VMBUS_MSG_GPADL_TEARDOWN:
		teardown(machine, payload);
		break;
	case VMBUS_MSG_OPEN_CHANNEL:
		open_channel(machine, payload);
		break;
	case VMBUS_MSG_CLOSE_CHANNEL:
		machine->channel.open = machine->channel.open && machine->channel.id != word(payload, 8);
		break;
	case VMBUS_MSG_MODIFY_CHANNEL:
		modify(machine, payload);
		break;
	case VMBUS_MSG_UNLOAD:
		if (machine->newest >= VMBUS_VERSION_3_0)
			answer(machine, VMBUS_MSG_UNLOAD, &unloaded, sizeof(unloaded));
		break;
	default:
		FUZZ_CHECK(word(payload, 0) == VMBUS_MSG_RELID_RELEASED);
		break;
	}
}

uint32_t hostile_post(struct hostile *machine, const struct hv_post_message_input *input)
{
	FUZZ_CHECK(input->connection_id == VMBUS_CONNECTION_MESSAGE ||
		   input->connection_id == VMBUS_CONNECTION_MESSAGE_V5);
	FUZZ_CHECK(input->message_type == HV_MESSAGE_VMBUS && input->reserved == 0);
	FUZZ_CHECK(input->payload_size >= 8 && input->payload_size <= HV_MESSAGE_PAYLOAD_MAX);
	if (input->connection_id == VMBUS_CONNECTION_MESSAGE_V5 && machine->newest < VMBUS_VERSION_5_0)
		return HV_STATUS_INVALID_CONNECTION_ID;
	take(machine, input->payload, input->payload_size);
	if (machine->eager)
		hostile_deliver(machine);
	return HV_STATUS_SUCCESS;
}
