/* SPDX-License-Identifier: MIT */
/*
 * The messages: what each needs, and who takes it. The version comes first: whatever else does ends the
 * worker, as does what is no in-band packet (OpenVMM); nothing later is read until the channel closes.
 */
#include <string.h>

#include "host/vpci/vpci.h"

struct rule {
	uint32_t type;
	const char *name;
	uint32_t version;         /* that brought it */
	enum vpci_state earliest; /* ... in which it may come */
	uint32_t size;            /* at least */
	uint32_t size_full;       /* what follows is padding; 0: a list follows */
	bool answered;            /* its answer matters: to be asked for */
	enum hvh_silence silence;
	void (*handle)(struct hvh_vpci *bus, const struct hvh_packet *packet);
};

static void not_supported(struct hvh_vpci *bus, const struct hvh_packet *packet)
{
	vpci_answer_status(bus, packet, VPCI_STATUS_NOT_SUPPORTED);
}

#define HEADER ((uint32_t)sizeof(struct vpci_create_interrupt_header))
#define SLOT ((uint32_t)sizeof(struct vpci_slot_message))
#define V1 VPCI_VERSION_1_1
#define V2 VPCI_VERSION_1_2
#define V4 VPCI_VERSION_1_4
#define NAME(type) VPCI_##type, #type
#define INTERRUPT HVH_SILENCE_VPCI_INTERRUPT
#define RESOURCES HVH_SILENCE_VPCI_RESOURCES

static const struct rule rules[] = {
	{NAME(QUERY_PROTOCOL_VERSION), 0, VPCI_VERSION, 8, 8, true, HVH_SILENCE_VPCI_VERSION,
	 vpci_query_version},
	{NAME(QUERY_BUS_RELATIONS), V1, VPCI_READY, 4, 4, false, HVH_SILENCE_VPCI_RELATIONS,
	 vpci_query_relations},
	{NAME(QUERY_RESOURCE_REQUIREMENTS), V1, VPCI_READY, SLOT, SLOT, true, HVH_SILENCE_VPCI_REQUIREMENTS,
	 vpci_query_requirements},
	{NAME(BUS_D0_ENTRY), V1, VPCI_READY, 16, 16, true, HVH_SILENCE_VPCI_D0_ENTRY, vpci_d0_entry},
	{NAME(BUS_D0_EXIT), V1, VPCI_READY, 4, 4, false, HVH_SILENCE_VPCI_D0_EXIT, vpci_d0_exit},
	{NAME(RESOURCES_ASSIGNED), V1, VPCI_D0, sizeof(struct vpci_resources_assigned), 0, true, RESOURCES,
	 vpci_resources_assigned},
	{NAME(RESOURCES_ASSIGNED2), V2, VPCI_D0, sizeof(struct vpci_resources_assigned), 0, true, RESOURCES,
	 vpci_resources_assigned},
	{NAME(RESOURCES_ASSIGNED3), V4, VPCI_D0, sizeof(struct vpci_resources_assigned), 0, true, RESOURCES,
	 vpci_resources_assigned},
	{NAME(RESOURCES_RELEASED), V1, VPCI_READY, SLOT, SLOT, false, RESOURCES, vpci_resources_released},
	{NAME(POWER_STATE), V1, VPCI_D0, 12, 12, false, HVH_SILENCE_VPCI_POWER, vpci_power_state},
	{NAME(CREATE_INTERRUPT), V1, VPCI_D0, HEADER + 16, HEADER + 16, true, INTERRUPT,
	 vpci_create_interrupt},
	{NAME(CREATE_INTERRUPT2), V2, VPCI_D0, HEADER + VPCI_INTERRUPT2_SHORT, HEADER + VPCI_INTERRUPT2_SHORT,
	 true, INTERRUPT, vpci_create_interrupt},
	{NAME(CREATE_INTERRUPT3), V4, VPCI_D0, HEADER + VPCI_INTERRUPT3_SHORT, HEADER + VPCI_INTERRUPT3_SHORT,
	 true, INTERRUPT, vpci_create_interrupt},
	{NAME(DELETE_INTERRUPT), V1, VPCI_D0, 24, 24, false, INTERRUPT, vpci_delete_interrupt},
	{NAME(DELETE_INTERRUPT2), V2, VPCI_D0, 24, 24, false, INTERRUPT, vpci_delete_interrupt},
	{NAME(EJECTION_COMPLETE), V1, VPCI_READY, 12, 12, false, HVH_SILENCE_NONE, vpci_ejection_complete},
	/* There are these, and this host does none of them. */
	{NAME(QUERY_RESOURCES), V1, VPCI_READY, SLOT, SLOT, true, HVH_SILENCE_NONE, not_supported},
	{NAME(READ_BLOCK), V1, VPCI_D0, SLOT, 0, true, HVH_SILENCE_NONE, not_supported},
	{NAME(WRITE_BLOCK), V1, VPCI_D0, SLOT, 0, true, HVH_SILENCE_NONE, not_supported},
	{NAME(RESET_DEVICE), V4, VPCI_D0, SLOT, 0, true, HVH_SILENCE_NONE, not_supported},
};

static const struct rule *find(uint32_t type)
{
	for (uint32_t n = 0; n < sizeof rules / sizeof rules[0]; n++)
		if (rules[n].type == type)
			return &rules[n];
	return NULL;
}

/* --- Refusing ------------------------------------------------------------------------------------ */

void vpci_refuse(struct hvh_vpci *bus, const struct hvh_packet *packet, enum hvh_violation_kind kind,
		 const char *name, const char *what)
{
	VPCI_VIOLATE(bus, kind, packet->payload, packet->payload_length, "%s: %s", name, what);
	vpci_answer_status(bus, packet, VPCI_STATUS_BAD_DATA);
}

static void stop(struct hvh_vpci *bus, const struct hvh_packet *packet, enum hvh_violation_kind kind,
		 const char *what)
{
	VPCI_VIOLATE(bus, kind, packet->payload, packet->payload_length, "vpci: %s", what);
	bus->stopped = true;
}

bool vpci_slot_right(struct hvh_vpci *bus, const struct hvh_packet *packet, const char *name)
{
	struct vpci_slot_message message;

	memcpy(&message, packet->payload, sizeof message);
	if (message.slot == VPCI_SLOT && !bus->ejected)
		return true;
	if (message.slot == VPCI_SLOT) /* the guest has let go of it */
		vpci_refuse(bus, packet, HVH_V_VPCI_ORDER, name, "the function has been ejected");
	else
		vpci_refuse(bus, packet, HVH_V_VPCI_VALUE, name,
			    "no function is in that slot; the relations say where one is");
	return false;
}

/* --- Packets ------------------------------------------------------------------------------------- */

/* NULL: refused. */
static const struct rule *check(struct hvh_vpci *bus, const struct hvh_packet *packet, uint32_t type)
{
	const struct rule *rule = find(type);

	if (bus->state == VPCI_VERSION && type != VPCI_QUERY_PROTOCOL_VERSION)
		stop(bus, packet, HVH_V_VPCI_ORDER, "QUERY_PROTOCOL_VERSION is to come first");
	else if (rule == NULL)
		vpci_refuse(bus, packet, HVH_V_VPCI_TYPE, "vpci", "a guest has no message of this type");
	else if (packet->payload_length < rule->size)
		vpci_refuse(bus, packet, HVH_V_VPCI_SIZE, rule->name, "shorter than its structure");
	else if (bus->version < rule->version)
		vpci_refuse(bus, packet, HVH_V_VPCI_ORDER, rule->name,
			    "the version agreed on does not have it");
	else if (bus->state < rule->earliest)
		vpci_refuse(bus, packet, HVH_V_VPCI_ORDER, rule->name, "the bus is to be in D0");
	else
		return rule;
	return NULL;
}

/* What a host does not look at, and what is to be as it is all the same. */
static void check_form(struct hvh_vpci *bus, const struct hvh_packet *packet, const struct rule *rule)
{
	if (rule->answered && (packet->descriptor.flags & VMBUS_PACKET_FLAG_COMPLETION_REQUESTED) == 0)
		VPCI_VIOLATE(bus, HVH_V_VPCI_VALUE, packet->payload, packet->payload_length,
			     "%s: its completion is to be requested", rule->name);
	for (uint32_t n = rule->size_full; rule->size_full != 0 && n < packet->payload_length; n++) {
		if (packet->payload[n] == 0)
			continue;
		VPCI_VIOLATE(bus, HVH_V_VPCI_PADDING, packet->payload, packet->payload_length,
			     "%s: byte %u is to be 0", rule->name, n);
		return;
	}
}

static void take(struct hvh_vpci *bus, const struct hvh_packet *packet)
{
	const struct rule *rule;
	uint32_t type = 0;

	if (packet->descriptor.type != VMBUS_PACKET_IN_BAND) {
		stop(bus, packet, HVH_V_PACKET_TYPE, "packets are in-band (6)");
		return;
	}
	if (packet->payload_length >= sizeof type)
		memcpy(&type, packet->payload, sizeof type);
	rule = check(bus, packet, type);
	if (rule == NULL)
		return;
	check_form(bus, packet, rule);
	if (rule->silence == HVH_SILENCE_NONE || hvh_silence_get(bus->partition) != rule->silence)
		rule->handle(bus, packet);
}

bool vpci_read(struct hvh_vpci *bus)
{
	struct hvh_packet packet;

	for (uint32_t n = 0; n < VPCI_PACKETS_PER_RUN; n++) {
		if (bus->stopped || !vpci_answers_have_room(bus))
			return false;
		switch (hvh_channel_read(bus->channel, bus->now, &packet)) {
		case HVH_READ_PACKET:
			take(bus, &packet);
			break;
		case HVH_READ_EMPTY:
			return false;
		case HVH_READ_CORRUPT:
			bus->stopped = true;
			return false;
		}
	}
	return true;
}
