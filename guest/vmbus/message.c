/* SPDX-License-Identifier: MIT */
#include "guest/vmbus/message.h"

#include "guest/core/host_memory.h"
#include "hvkit/wire/hypervisor.h"

static bool channel_id_is_valid(uint32_t id)
{
	return id != 0 && id < VMBUS_MAX_CHANNELS;
}

/* Copies a structure out of the payload; false if it is cut short. More bytes than
 * needed are not looked at: hosts may add fields. */
static bool take(const uint8_t *payload, uint32_t length, void *to, uint32_t size)
{
	if (length < size)
		return false;
	memcpy(to, payload, size);
	return true;
}

static hvk_status check_offer(const uint8_t *payload, uint32_t length, const struct hvk_version *version,
			      struct hvk_message *out)
{
	struct vmbus_offer_channel wire = {0};
	struct hvk_offer *offer = &out->offer;
	bool is_short = version && version->short_offers;

	/* At 0.13 the last two fields may be missing, and are read by nobody. */
	if (!take(payload, length, &wire, is_short ? VMBUS_OFFER_SIZE_0_13_MIN : VMBUS_OFFER_SIZE))
		return HVK_EHOST_MESSAGE;
	if (!channel_id_is_valid(wire.channel_id))
		return HVK_EHOST_ID;
	if (version && version->shared_events && wire.channel_id >= VMBUS_MAX_CHANNELS_SHARED)
		return HVK_EHOST_ID;
	offer->type = wire.interface_type;
	offer->instance = wire.interface_instance;
	offer->flags = wire.flags;
	offer->mmio_megabytes = wire.mmio_megabytes;
	memcpy(offer->user_data, wire.user_data, sizeof(offer->user_data));
	/* Below 2.4 no device has more than one channel, and the bytes may be anything. */
	offer->subchannel_index = version && !version->subchannels ? 0 : wire.subchannel_index;
	offer->channel_id = wire.channel_id;
	offer->monitored = (wire.monitor_allocated & 1) != 0;
	offer->monitor_id = wire.monitor_id;
	offer->dedicated = !is_short && (wire.is_dedicated & 1) != 0;
	offer->connection_id = is_short ? VMBUS_CONNECTION_EVENT : wire.connection_id;
	if (offer->monitored && offer->monitor_id >= VMBUS_MONITOR_GROUPS * 32u)
		return HVK_EHOST_ID;
	out->channel_id = wire.channel_id;
	return HVK_OK;
}

static hvk_status check_channel(const uint8_t *payload, uint32_t length, struct hvk_message *out)
{
	struct vmbus_channel_message wire;

	if (!take(payload, length, &wire, sizeof(wire)))
		return HVK_EHOST_MESSAGE;
	out->channel_id = wire.channel_id;
	return channel_id_is_valid(wire.channel_id) ? HVK_OK : HVK_EHOST_ID;
}

static hvk_status check_open_result(const uint8_t *payload, uint32_t length, struct hvk_message *out)
{
	struct vmbus_open_result wire;

	if (!take(payload, length, &wire, sizeof(wire)))
		return HVK_EHOST_MESSAGE;
	out->channel_id = wire.channel_id;
	out->open_id = wire.open_id;
	out->status = wire.status;
	return channel_id_is_valid(wire.channel_id) ? HVK_OK : HVK_EHOST_ID;
}

static hvk_status check_gpadl_created(const uint8_t *payload, uint32_t length, struct hvk_message *out)
{
	struct vmbus_gpadl_created wire;

	if (!take(payload, length, &wire, sizeof(wire)))
		return HVK_EHOST_MESSAGE;
	out->channel_id = wire.channel_id;
	out->gpadl = wire.gpadl;
	out->status = wire.status;
	return channel_id_is_valid(wire.channel_id) && wire.gpadl != 0 ? HVK_OK : HVK_EHOST_ID;
}

static hvk_status check_gpadl_torndown(const uint8_t *payload, uint32_t length, struct hvk_message *out)
{
	struct vmbus_gpadl_torndown wire;

	if (!take(payload, length, &wire, sizeof(wire)))
		return HVK_EHOST_MESSAGE;
	out->gpadl = wire.gpadl;
	return wire.gpadl != 0 ? HVK_OK : HVK_EHOST_ID;
}

static hvk_status check_version_response(const uint8_t *payload, uint32_t length, struct hvk_message *out)
{
	struct vmbus_version_response wire;

	if (!take(payload, length, &wire, sizeof(wire)))
		return HVK_EHOST_MESSAGE;
	out->supported = wire.version_supported != 0;
	out->state = wire.connection_state;
	out->connection = wire.version_or_connection_id;
	return HVK_OK;
}

static hvk_status check_modify_response(const uint8_t *payload, uint32_t length, struct hvk_message *out)
{
	struct vmbus_modify_channel_response wire;

	if (!take(payload, length, &wire, sizeof(wire)))
		return HVK_EHOST_MESSAGE;
	out->channel_id = wire.channel_id;
	out->status = wire.status;
	return channel_id_is_valid(wire.channel_id) ? HVK_OK : HVK_EHOST_ID;
}

hvk_status hvk_message_check(const uint8_t *payload, uint32_t length, const struct hvk_version *version,
			     struct hvk_message *out)
{
	struct vmbus_message_header header;

	*out = (struct hvk_message){0};
	if (length > HV_MESSAGE_PAYLOAD_MAX || !take(payload, length, &header, sizeof(header)))
		return HVK_EHOST_MESSAGE;
	out->type = (enum vmbus_message_type)header.type;
	switch (header.type) {
	case VMBUS_MSG_OFFER_CHANNEL:
		return check_offer(payload, length, version, out);
	case VMBUS_MSG_RESCIND_OFFER:
		return check_channel(payload, length, out);
	case VMBUS_MSG_ALL_OFFERS_DELIVERED:
	case VMBUS_MSG_UNLOAD_RESPONSE:
		return HVK_OK;
	case VMBUS_MSG_OPEN_RESULT:
		return check_open_result(payload, length, out);
	case VMBUS_MSG_GPADL_CREATED:
		return check_gpadl_created(payload, length, out);
	case VMBUS_MSG_GPADL_TORNDOWN:
		return check_gpadl_torndown(payload, length, out);
	case VMBUS_MSG_VERSION_RESPONSE:
		return check_version_response(payload, length, out);
	case VMBUS_MSG_MODIFY_CHANNEL_RESPONSE:
		return check_modify_response(payload, length, out);
	default:
		return HVK_EHOST_MESSAGE;
	}
}
