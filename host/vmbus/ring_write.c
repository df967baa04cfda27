/* SPDX-License-Identifier: MIT */
/* Host to guest ring. The write index is the host's own copy; of what the guest writes
 * only its read index and its mask are looked at. */
#include <string.h>

#include "host/core/state.h"
#include "host/hypervisor/hypervisor.h"
#include "host/vmbus/vmbus.h"

#define TRAILER sizeof(struct vmbus_packet_trailer)
#define DESCRIPTOR sizeof(struct vmbus_packet_descriptor)
#define ALIGN VMBUS_PACKET_ALIGN

/* Free bytes by the guest's read index, read now. False: the index is not valid. */
static bool free_bytes(struct hvh_channel *channel, uint64_t now, uint32_t *bytes)
{
	struct hvh_out_ring *out = &channel->out;
	uint32_t read = 0;

	if (!hvh_ring_word(channel, out->control + VMBUS_RING_READ_INDEX, &read) || read >= out->size ||
	    read % ALIGN != 0)
		return hvh_ring_corrupt(channel, now, HVH_V_RING_INDEX, &read, sizeof(read),
					"read index misaligned or beyond the ring");
	uint32_t used = out->write >= read ? out->write - read : out->write + out->size - read;
	*bytes = out->size - used;
	return true;
}

static void set_pending(struct hvh_channel *channel, uint32_t pending)
{
	if (channel->out.pending == pending)
		return;
	channel->out.pending = pending;
	hvh_ring_set_word(channel, channel->out.control + VMBUS_RING_PENDING_SEND_SIZE, pending);
	if (pending != 0)
		hvh_ring_room_credit(channel);
}

/* Asks the guest to signal when there is room, then looks once more. */
static bool wait_for_room(struct hvh_channel *channel, uint64_t now, uint32_t wire)
{
	struct hvh_out_ring *out = &channel->out;
	uint32_t quarter = out->size / 4, bytes = 0;

	if (wire > out->wanted)
		out->wanted = wire;
	set_pending(channel, out->wanted > quarter ? out->wanted : quarter);
	hvh_memory_barrier();
	if (!channel->partition->profile.pending_feature_offered && channel->run_at > now + HVH_ROOM_LOOK)
		channel->run_at = now + HVH_ROOM_LOOK; /* the guest does not know that it is to signal */
	return free_bytes(channel, now, &bytes) && wire < bytes;
}

static bool make_room(struct hvh_channel *channel, uint64_t now, uint32_t wire)
{
	uint32_t bytes = 0;

	if (!free_bytes(channel, now, &bytes))
		return false;
	return wire < bytes || wait_for_room(channel, now, wire);
}

/* Room came for the largest packet that had none: nobody waits any more. */
static void room_was_enough(struct hvh_channel *channel, uint32_t wire)
{
	if (channel->out.wanted == 0 || wire < channel->out.wanted)
		return;
	channel->out.wanted = 0;
	set_pending(channel, 0);
}

static uint32_t put(uint8_t *packet, uint32_t at, const void *bytes, uint32_t length)
{
	if (length > 0)
		memcpy(packet + at, bytes, length);
	return at + length;
}

static bool copy_in(struct hvh_channel *channel, uint32_t length)
{
	const struct hvh_out_ring *out = &channel->out;
	uint32_t first = out->size - out->write < length ? out->size - out->write : length;

	return hvh_gpadl_write(channel->ring_gpadl, out->data + out->write, channel->out_packet, first) &&
	       (first == length ||
		hvh_gpadl_write(channel->ring_gpadl, out->data, channel->out_packet + first, length - first));
}

static void publish(struct hvh_channel *channel, uint64_t now, uint32_t wire)
{
	struct hvh_out_ring *out = &channel->out;
	uint32_t before = out->write, mask = 0, bytes = 0;

	out->write = (out->write + wire) % out->size;
	hvh_ring_set_word(channel, out->control + VMBUS_RING_WRITE_INDEX, out->write);
	hvh_memory_barrier();
	hvh_ring_word(channel, out->control + VMBUS_RING_INTERRUPT_MASK, &mask);
	if (!free_bytes(channel, now, &bytes))
		return;
	/* The guest crosses the pending size again when it drains what was added now. */
	if (out->pending != 0 && bytes <= out->pending)
		hvh_ring_room_credit(channel);
	uint32_t read = (out->write + bytes) % out->size;
	if (mask == 0 && read == before)
		hvh_signal_guest(channel, now);
}

static void trace(struct hvh_channel *channel, uint64_t now, uint32_t length, const void *external,
		  uint32_t external_length)
{
	hvh_trace_emit(channel->partition, &(struct hvh_trace_record){
						   .time = now,
						   .kind = HVH_TRACE_PACKET,
						   .to_guest = true,
						   .vp = UINT32_MAX,
						   .channel_id = channel->id,
						   .bytes = channel->out_packet,
						   .byte_count = length,
						   .external = external,
						   .external_count = external_length,
					   });
}

uint32_t hvh_channel_payload_max(const struct hvh_channel *channel)
{
	uint32_t ring = channel->out.size - (uint32_t)ALIGN - (uint32_t)TRAILER - (uint32_t)ALIGN;

	return (ring < HVH_PACKET_MAX ? ring : HVH_PACKET_MAX) - (uint32_t)DESCRIPTOR;
}

bool hvh_channel_write(struct hvh_channel *channel, uint64_t now, uint16_t type, bool completion_requested,
		       uint64_t transaction_id, const void *extension, uint32_t extension_length,
		       const void *payload, uint32_t payload_length, const void *external,
		       uint32_t external_length)
{
	struct hvh_out_ring *out = &channel->out;

	if (channel->phase != HVH_CHANNEL_OPEN || channel->dead || extension_length > HVH_PACKET_MAX ||
	    payload_length > HVH_PACKET_MAX || extension_length % ALIGN != 0)
		return false;
	uint32_t header = (uint32_t)DESCRIPTOR + extension_length;
	uint32_t length = header + ((payload_length + ALIGN - 1) & ~(ALIGN - 1));
	uint32_t wire = length + (uint32_t)TRAILER;
	if (length > HVH_PACKET_MAX || wire >= out->size - ALIGN)
		return false;
	hvh_trace_flush(channel, now);
	if (!make_room(channel, now, wire))
		return false;
	struct vmbus_packet_descriptor descriptor = {
		.type = type,
		.header_length8 = (uint16_t)(header / 8),
		.length8 = (uint16_t)(length / 8),
		.flags = completion_requested ? VMBUS_PACKET_FLAG_COMPLETION_REQUESTED : 0,
		.transaction_id = transaction_id,
	};
	struct vmbus_packet_trailer trailer = {0, out->write};
	uint32_t at = put(channel->out_packet, 0, &descriptor, DESCRIPTOR);
	at = put(channel->out_packet, at, extension, extension_length);
	at = put(channel->out_packet, at, payload, payload_length);
	memset(channel->out_packet + at, 0, length - at);
	put(channel->out_packet, length, &trailer, TRAILER);
	if (!copy_in(channel, wire))
		return hvh_ring_corrupt(channel, now, HVH_V_MEMORY, NULL, 0,
					"its pages are not RAM any more");
	trace(channel, now, length, external, external_length);
	publish(channel, now, wire);
	room_was_enough(channel, wire);
	return true;
}
