/* SPDX-License-Identifier: MIT */
/*
 * The network card as the rest of the program sees it.
 */
#include <stdlib.h>
#include <string.h>

#include "netvsp.h"

/* Who leaves a queue full for so long does not look after it. */
#define FULL_FOR_LONG (200 * HVH_TIME_PER_MS)

static void configure(struct hvh_nic *nic, const struct hvh_nic_config *config)
{
	uint32_t mtu = config->mtu_max != 0 ? config->mtu_max : NETVSP_MTU_DEFAULT;

	memcpy(nic->mac, config->mac, sizeof nic->mac);
	nic->frame_limit = NETVSP_FRAME_MAX;
	if (mtu < NETVSP_FRAME_MAX - NETVSP_ETHERNET_HEADER)
		nic->frame_limit = mtu + NETVSP_ETHERNET_HEADER;
	if (nic->frame_limit < NETVSP_FRAME_STANDARD)
		nic->frame_limit = NETVSP_FRAME_STANDARD;
	nic->queues_limit = NETVSP_QUEUES_MAX;
	if (config->queues_max != 0 && config->queues_max < NETVSP_QUEUES_MAX)
		nic->queues_limit = config->queues_max;
	nic->without_configured = config->without;
	nic->link_speed = config->link_speed != 0 ? config->link_speed : NETVSP_LINK_SPEED_DEFAULT;
	nic->link_up = config->link_up;
}

static void tell_backend(const struct hvh_nic *nic)
{
	if (nic->backend.link != NULL)
		nic->backend.link(nic->backend.context, nic->link_up);
}

struct hvh_nic *hvh_nic_create(struct hvh_partition *partition, const struct hvh_nic_config *config,
			       const struct hvh_backend *backend)
{
	struct hvh_offer_parameters parameters = {.type = VMBUS_GUID_NETVSC};
	struct hvh_nic *nic = calloc(1, sizeof *nic);

	if (nic == NULL)
		return NULL;
	nic->partition = partition;
	nic->backend = *backend;
	configure(nic, config);
	hvh_instance_guid(partition, config->instance, parameters.instance.bytes);
	if (netvsp_frames_create(nic) && netvsp_queue_get(nic, 0) != NULL) {
		netvsp_session_reset(nic, false);
		nic->channel = hvh_channel_offer(partition, &parameters, &netvsp_device_ops, nic);
	}
	if (nic->channel == NULL) {
		netvsp_device_ops.destroy(nic);
		return NULL;
	}
	netvsp_primary(nic)->channel = nic->channel;
	if (!nic->link_up)
		tell_backend(nic);
	return nic;
}

/* --- Frames --------------------------------------------------------------------------- */

static void taken(const struct hvh_nic *nic, const void *frame, uint32_t length)
{
	if (nic->backend.taken != NULL)
		nic->backend.taken(nic->backend.context, frame, length);
}

/* Which way it takes; what is lost has been counted. */
static enum netvsp_path path_of(struct hvh_nic *nic, const uint8_t *frame, uint32_t length)
{
	bool card;

	if (!nic->link_up) {
		nic->counters.dropped_link++;
		return NETVSP_LOST;
	}
	if (length < NETVSP_ETHERNET_HEADER || length > NETVSP_FRAME_MAX || !nic->session.initialized ||
	    netvsp_primary(nic)->stopped) {
		nic->counters.dropped_filter++;
		return NETVSP_LOST;
	}
	card = netvsp_filter_passes(nic, frame);
	if (nic->session.vf.on)
		return nic->vf.receive(nic->vf.context, nic->now, frame, length, card);
	if (card)
		return NETVSP_BY_CARD;
	nic->counters.dropped_filter++;
	return NETVSP_LOST;
}

bool hvh_nic_receive(struct hvh_nic *nic, uint64_t now, const void *frame, uint32_t length)
{
	struct netvsp_queue *queue;
	struct netvsp_frame *place;
	uint32_t hash, hash_type;
	enum netvsp_path path;

	nic->now = now;
	path = path_of(nic, frame, length);
	if (path == NETVSP_BY_VF)
		taken(nic, frame, length);
	if (path != NETVSP_BY_CARD)
		return path == NETVSP_BY_VF;
	if (hvh_fault_strikes(nic->partition, HVH_FAULT_FRAME_LOST))
		return true; /* lost on the way, and nobody knows */
	queue = netvsp_steer(nic, frame, length, &hash, &hash_type);
	place = queue->stopped ? NULL : netvsp_frame_append(queue, length);
	if (place == NULL) {
		nic->counters.dropped_queue++;
		queue->counters.dropped++;
		return false;
	}
	place->hash = hash;
	place->hash_type = hash_type;
	memcpy(place->bytes, frame, length);
	taken(nic, frame, length);
	hvh_channel_kick(queue->channel);
	return true;
}

uint32_t hvh_nic_room(const struct hvh_nic *nic, uint64_t now)
{
	uint32_t queues = netvsp_queues_granted(nic), least = UINT32_MAX;

	if (nic->session.vf.on)
		least = nic->vf.room(nic->vf.context, now);
	for (uint32_t n = 0; n < queues; n++) {
		const struct netvsp_queue *queue = nic->queues[n];
		uint32_t room = netvsp_frames_room(queue);

		if ((n > 0 && !queue->open) || queue->stopped ||
		    (room == 0 && now > queue->moved_at + FULL_FOR_LONG))
			continue;
		if (room < least)
			least = room;
	}
	/* Where no queue moves the guest rests, and nobody is held up. */
	return least != UINT32_MAX ? least : netvsp_frames_room(netvsp_primary(nic));
}

bool hvh_nic_inject(struct hvh_nic *nic, uint64_t now, const void *messages, const uint32_t *sizes,
		    uint32_t count)
{
	struct netvsp_queue *queue = netvsp_primary(nic);
	struct netvsp_transfer transfer;
	const uint8_t *message = messages;

	nic->now = now;
	if (!nic->session.receive.present || queue->stopped || count == 0 || count > NETVSP_RANGES_MAX ||
	    count > queue->free_count)
		return false;
	queue->blocked = false;
	netvsp_transfer_begin(queue, &transfer, NVS_CHANNEL_DATA);
	for (uint32_t i = 0; i < count; i++) {
		const struct netvsp_message whole = {.head = message, .head_length = sizes[i]};

		if (!netvsp_transfer_room(&transfer, false, sizes[i])) {
			netvsp_transfer_abandon(&transfer);
			return false;
		}
		if (!netvsp_transfer_add(&transfer, false, &whole, sizes[i]))
			return false;
		message += sizes[i];
	}
	return netvsp_transfer_send(&transfer);
}

/* --- What happens to it ----------------------------------------------------------------- */

void hvh_nic_set_link(struct hvh_nic *nic, uint64_t now, bool up)
{
	nic->now = now;
	if (nic->link_up == up)
		return;
	nic->link_up = up;
	if (!up)
		netvsp_frames_drop(nic, &nic->counters.dropped_link);
	tell_backend(nic);
	if (nic->vf.context != NULL)
		nic->vf.link(nic->vf.context, now);
	hvh_channel_kick(nic->channel);
}

void hvh_nic_network_change(struct hvh_nic *nic, uint64_t now)
{
	nic->now = now;
	nic->session.network_changed = nic->session.initialized;
	if (nic->vf.context != NULL)
		nic->vf.announce(nic->vf.context, now);
	hvh_channel_kick(nic->channel);
}

void hvh_nic_set_speed(struct hvh_nic *nic, uint64_t now, uint64_t bits_per_second)
{
	nic->now = now;
	if (nic->link_speed == bits_per_second)
		return;
	nic->link_speed = bits_per_second;
	nic->session.speed_changed = nic->session.initialized;
	if (nic->vf.context != NULL)
		nic->vf.link(nic->vf.context, now);
	hvh_channel_kick(nic->channel);
}

void hvh_nic_rescind(struct hvh_nic *nic, uint64_t now)
{
	nic->now = now;
	hvh_channel_rescind(nic->channel, now);
}

bool hvh_nic_rescind_queue(struct hvh_nic *nic, uint64_t now, uint32_t queue)
{
	nic->now = now;
	if (queue == 0 || !netvsp_queue_is_open(nic, queue))
		return false;
	hvh_channel_rescind(nic->queues[queue]->channel, now);
	return true;
}

void hvh_nic_offer_again(struct hvh_nic *nic, uint64_t now)
{
	nic->now = now;
	hvh_channel_offer_again(nic->channel, now);
}

/* --- Looking at it ------------------------------------------------------------------------ */

struct hvh_nic *hvh_nic_find(struct hvh_partition *partition, const char *name)
{
	return hvh_device_by_name(partition, name, &netvsp_device_ops);
}

void hvh_nic_get_counters(const struct hvh_nic *nic, struct hvh_nic_counters *out)
{
	*out = nic->counters;
}

uint32_t hvh_nic_queues(const struct hvh_nic *nic)
{
	uint32_t count = 0;

	for (uint32_t n = 0; n < NETVSP_QUEUES_MAX; n++)
		count += netvsp_queue_is_open(nic, n);
	return count;
}

bool hvh_nic_get_queue_counters(const struct hvh_nic *nic, uint32_t queue, struct hvh_nic_queue_counters *out)
{
	if (queue >= NETVSP_QUEUES_MAX || nic->queues[queue] == NULL)
		return false;
	*out = nic->queues[queue]->counters;
	return true;
}
