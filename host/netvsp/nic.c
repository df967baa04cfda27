/* SPDX-License-Identifier: MIT */
/*
 * The network card as the rest of the program sees it, and as a device on VMBus.
 */
#include <stdlib.h>
#include <string.h>

#include "netvsp.h"

void netvsp_stop(struct hvh_nic *nic)
{
	nic->session.stopped = true;
}

static void session_reset(struct hvh_nic *nic, bool open)
{
	memset(&nic->session, 0, sizeof nic->session);
	nic->session.open = open;
	nic->session.frame_max = NETVSP_FRAME_STANDARD;
	netvsp_frames_drop(nic, &nic->counters.dropped_filter);
}

/* --- The device ---------------------------------------------------------------------- */

static bool device_open(void *device, struct hvh_channel *channel, uint64_t now,
			const uint8_t user_data[VMBUS_USER_DATA_SIZE])
{
	struct hvh_nic *nic = device;

	(void)channel;
	(void)user_data;
	nic->now = now;
	session_reset(nic, true);
	return true;
}

static void device_close(void *device, struct hvh_channel *channel, uint64_t now)
{
	struct hvh_nic *nic = device;

	(void)channel;
	nic->now = now;
	session_reset(nic, false);
}

static void packet(struct hvh_nic *nic, const struct hvh_packet *packet)
{
	switch (packet->descriptor.type) {
	case VMBUS_PACKET_IN_BAND:
	case VMBUS_PACKET_GPA_DIRECT:
		netvsp_nvs(nic, packet);
		break;
	case VMBUS_PACKET_COMPLETION:
		netvsp_transfer_completed(nic, packet);
		break;
	default:
		NETVSP_VIOLATE(nic, HVH_V_PACKET_TYPE, &packet->descriptor, sizeof packet->descriptor,
			       "packet of type %u from a network card's guest", packet->descriptor.type);
		netvsp_stop(nic);
		break;
	}
}

bool netvsp_read(struct hvh_nic *nic)
{
	struct netvsp_session *session = &nic->session;
	struct hvh_packet next;

	for (uint32_t i = 0; i < NETVSP_PACKETS_PER_RUN; i++) {
		if (session->stopped || session->completion_count == NETVSP_COMPLETIONS_MAX)
			return false;
		switch (hvh_channel_read(nic->channel, nic->now, &next)) {
		case HVH_READ_PACKET:
			packet(nic, &next);
			break;
		case HVH_READ_EMPTY:
			return false;
		case HVH_READ_CORRUPT:
			netvsp_stop(nic);
			return false;
		}
	}
	return true;
}

static void flush(struct hvh_nic *nic)
{
	if (nic->transmitted && nic->backend.flush != NULL)
		nic->backend.flush(nic->backend.context);
	nic->transmitted = false;
}

static bool device_run(void *device, struct hvh_channel *channel, uint64_t now)
{
	struct hvh_nic *nic = device;
	bool full = nic->session.completion_count == NETVSP_COMPLETIONS_MAX;
	bool more;

	(void)channel;
	nic->now = now;
	if (!nic->session.open)
		return false;
	nic->session.blocked = false;
	netvsp_release_run(nic);
	more = netvsp_read(nic);
	flush(nic);
	netvsp_completions_run(nic);
	if (nic->session.stopped)
		return false;
	full = full && nic->session.completion_count < NETVSP_COMPLETIONS_MAX;
	netvsp_indicate_link(nic);
	return netvsp_receive_run(nic) || more || full;
}

static uint64_t device_next_event(void *device, struct hvh_channel *channel)
{
	const struct hvh_nic *nic = device;
	uint64_t completion, receive, release = netvsp_release_next(nic);

	(void)channel;
	/* Blocked: room in the ring brings a run. */
	if (!nic->session.open || nic->session.blocked)
		return release;
	completion = netvsp_completions_next(nic);
	receive = nic->session.stopped ? HVH_NEVER : netvsp_receive_next(nic);
	if (release < completion)
		completion = release;
	return completion < receive ? completion : receive;
}

static bool device_may_tear_down(void *device, struct hvh_channel *channel, uint32_t gpadl)
{
	(void)channel;
	return netvsp_may_tear_down(device, gpadl);
}

static void device_destroy(void *device)
{
	struct hvh_nic *nic = device;

	free(nic->frames);
	free(nic);
}

static const struct hvh_device_ops device_ops = {
	.name = "net",
	.open = device_open,
	.close = device_close,
	.run = device_run,
	.next_event = device_next_event,
	.may_tear_down = device_may_tear_down,
	.dump = netvsp_dump,
	.destroy = device_destroy,
};

/* --- The card -------------------------------------------------------------------------- */

struct hvh_nic *hvh_nic_create(struct hvh_partition *partition, const struct hvh_nic_config *config,
			       const struct hvh_backend *backend)
{
	struct hvh_offer_parameters parameters = {.type = VMBUS_GUID_NETVSC};
	uint32_t mtu = config->mtu_max != 0 ? config->mtu_max : NETVSP_MTU_DEFAULT;
	struct hvh_nic *nic = calloc(1, sizeof *nic);

	if (nic == NULL)
		return NULL;
	nic->partition = partition;
	nic->backend = *backend;
	memcpy(nic->mac, config->mac, sizeof nic->mac);
	nic->frame_limit = NETVSP_FRAME_MAX;
	if (mtu < NETVSP_FRAME_MAX - NETVSP_ETHERNET_HEADER)
		nic->frame_limit = mtu + NETVSP_ETHERNET_HEADER;
	if (nic->frame_limit < NETVSP_FRAME_STANDARD)
		nic->frame_limit = NETVSP_FRAME_STANDARD;
	nic->link_up = config->link_up;
	nic->frames = calloc(HVH_NIC_QUEUE, sizeof *nic->frames);
	hvh_instance_guid(partition, config->instance, parameters.instance.bytes);
	session_reset(nic, false);
	if (nic->frames != NULL)
		nic->channel = hvh_channel_offer(partition, &parameters, &device_ops, nic);
	if (nic->channel == NULL) {
		device_destroy(nic);
		return NULL;
	}
	return nic;
}

bool hvh_nic_receive(struct hvh_nic *nic, uint64_t now, const void *frame, uint32_t length)
{
	struct netvsp_frame *place;

	nic->now = now;
	if (!nic->link_up) {
		nic->counters.dropped_link++;
		return false;
	}
	if (length < NETVSP_ETHERNET_HEADER || length > NETVSP_FRAME_MAX || !nic->session.initialized ||
	    nic->session.stopped || !netvsp_filter_passes(nic, frame)) {
		nic->counters.dropped_filter++;
		return false;
	}
	if (hvh_fault_strikes(nic->partition, HVH_FAULT_FRAME_LOST))
		return true; /* lost on the way, and nobody knows */
	if (nic->frame_count == HVH_NIC_QUEUE) {
		nic->counters.dropped_queue++;
		return false;
	}
	place = &nic->frames[(nic->frame_head + nic->frame_count) % HVH_NIC_QUEUE];
	place->length = length;
	memcpy(place->bytes, frame, length);
	nic->frame_count++;
	hvh_channel_kick(nic->channel);
	return true;
}

uint32_t hvh_nic_room(const struct hvh_nic *nic)
{
	return HVH_NIC_QUEUE - nic->frame_count;
}

void hvh_nic_set_link(struct hvh_nic *nic, uint64_t now, bool up)
{
	nic->now = now;
	if (nic->link_up == up)
		return;
	nic->link_up = up;
	if (!up)
		netvsp_frames_drop(nic, &nic->counters.dropped_link);
	hvh_channel_kick(nic->channel);
}

void hvh_nic_rescind(struct hvh_nic *nic, uint64_t now)
{
	nic->now = now;
	hvh_channel_rescind(nic->channel, now);
}

void hvh_nic_offer_again(struct hvh_nic *nic, uint64_t now)
{
	nic->now = now;
	hvh_channel_offer_again(nic->channel, now);
}

bool hvh_nic_inject(struct hvh_nic *nic, uint64_t now, const void *messages, const uint32_t *sizes,
		    uint32_t count)
{
	struct netvsp_transfer transfer;
	const uint8_t *message = messages;

	nic->now = now;
	if (!nic->session.receive.present || nic->session.stopped || count == 0 ||
	    count > NETVSP_RANGES_MAX || count > nic->session.free_data_count)
		return false;
	nic->session.blocked = false;
	netvsp_transfer_begin(nic, &transfer, NVS_CHANNEL_DATA);
	for (uint32_t i = 0; i < count; i++) {
		const struct netvsp_message whole = {.head = message, .head_length = sizes[i]};

		if (!netvsp_transfer_room(nic, &transfer, false, sizes[i])) {
			netvsp_transfer_abandon(nic, &transfer);
			return false;
		}
		if (!netvsp_transfer_add(nic, &transfer, false, &whole, sizes[i]))
			return false;
		message += sizes[i];
	}
	return netvsp_transfer_send(nic, &transfer);
}

struct hvh_nic *hvh_nic_find(struct hvh_partition *partition, const char *name)
{
	return hvh_device_by_name(partition, name, &device_ops);
}

void hvh_nic_get_counters(const struct hvh_nic *nic, struct hvh_nic_counters *out)
{
	*out = nic->counters;
}
