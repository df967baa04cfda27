/* SPDX-License-Identifier: MIT */
/*
 * Guest to host ring. Everything in it is the guest's to rewrite at any moment: each
 * word is read once, a packet is copied whole and looked at in the copy.
 *
 * Whether a signal was needed is judged without false alarms. By the ring rules a guest
 * signals for a packet only if the read index that it saw was where the packet begins;
 * each published read index is the beginning of one packet at most, so it is worth one
 * signal. While the mask is set only CPUs that looked at it before may still signal.
 */
#include <string.h>

#include "host/core/state.h"
#include "host/hypervisor/hypervisor.h"
#include "host/vmbus/vmbus.h"

#define TRAILER sizeof(struct vmbus_packet_trailer)
#define DESCRIPTOR sizeof(struct vmbus_packet_descriptor)

/* --- Mask, read index, and what they are worth ------------------------------------------------ */

static uint32_t distance(uint32_t from, uint32_t to, uint32_t size)
{
	return to >= from ? to - from : to + size - from;
}

static void add_credit(const struct hvh_channel *channel, uint32_t *credits)
{
	if (*credits < HVH_CREDITS_PER_VP * channel->partition->vps)
		++*credits;
}

void hvh_ring_room_credit(struct hvh_channel *channel)
{
	add_credit(channel, &channel->in.room_credits);
}

void hvh_ring_mask(struct hvh_channel *channel)
{
	struct hvh_in_ring *in = &channel->in;

	if (in->masked)
		return;
	in->masked = true;
	in->weak_credits = channel->partition->vps;
	hvh_ring_set_word(channel, in->control + VMBUS_RING_INTERRUPT_MASK, 1);
}

bool hvh_ring_unmask(struct hvh_channel *channel, uint64_t now)
{
	struct hvh_in_ring *in = &channel->in;
	uint32_t write = 0;

	in->masked = false;
	if (in->credit_state == HVH_CREDIT_NONE)
		in->credit_state = HVH_CREDIT_POSSIBLE;
	hvh_ring_set_word(channel, in->control + VMBUS_RING_INTERRUPT_MASK, 0);
	hvh_memory_barrier();
	if (!hvh_ring_word(channel, in->control + VMBUS_RING_WRITE_INDEX, &write)) {
		hvh_ring_corrupt(channel, now, HVH_V_MEMORY, NULL, 0, "its control page is not RAM any more");
		return false;
	}
	return write != in->read;
}

/* The guest waits for room: signal it iff this read crossed what it waits for. */
static void signal_room(struct hvh_channel *channel, uint64_t now, uint32_t before)
{
	struct hvh_in_ring *in = &channel->in;
	uint32_t pending = 0, features = 0, write = 0;

	hvh_memory_barrier();
	if (!hvh_ring_word(channel, in->control + VMBUS_RING_PENDING_SEND_SIZE, &pending) || pending == 0 ||
	    !hvh_ring_word(channel, in->control + VMBUS_RING_FEATURES, &features) ||
	    !hvh_ring_word(channel, in->control + VMBUS_RING_WRITE_INDEX, &write) ||
	    !hvh_ring_index_valid(write, in->size))
		return;
	if (!channel->partition->profile.pending_feature_offered)
		return; /* such a host knows nothing of it */
	if (channel->partition->profile.pending_feature_required &&
	    (features & VMBUS_RING_FEATURE_PENDING_SEND_SIZE) == 0)
		return;
	uint32_t raw_before = in->size - distance(before, write, in->size);
	uint32_t raw_after = in->size - distance(in->published, write, in->size);
	if (raw_before <= pending && pending < raw_after)
		hvh_signal_guest(channel, now);
}

void hvh_ring_publish(struct hvh_channel *channel, uint64_t now)
{
	struct hvh_in_ring *in = &channel->in;
	uint32_t before = in->published;

	if (in->read == before)
		return;
	if (in->credit_state == HVH_CREDIT_POSSIBLE) /* the packet there has come */
		add_credit(channel, &in->credits);
	in->credit_state = HVH_CREDIT_NONE;
	if (!in->masked || in->weak_credits > 0) {
		in->credit_state = HVH_CREDIT_POSSIBLE;
		if (in->masked)
			in->weak_credits--;
	}
	in->published = in->read;
	hvh_ring_set_word(channel, in->control + VMBUS_RING_READ_INDEX, in->read);
	signal_room(channel, now, before);
}

bool hvh_ring_signal_needed(struct hvh_channel *channel, uint64_t now)
{
	struct hvh_in_ring *in = &channel->in;
	uint32_t write = 0;

	(void)now;
	if (!hvh_ring_word(channel, in->control + VMBUS_RING_WRITE_INDEX, &write))
		return true;
	if (in->credit_state == HVH_CREDIT_POSSIBLE && write != in->published) {
		add_credit(channel, &in->credits);
		in->credit_state = HVH_CREDIT_COUNTED;
	}
	uint32_t *credits = in->credits > 0 ? &in->credits : &in->room_credits;
	if (*credits == 0)
		return false;
	--*credits;
	return true;
}

void hvh_ring_unstick(struct hvh_channel *channel, uint64_t now)
{
	uint32_t read = 0, mask = 0;

	if (channel->phase != HVH_CHANNEL_OPEN || channel->dead)
		return;
	hvh_channel_kick(channel);
	if (hvh_ring_word(channel, channel->out.control + VMBUS_RING_READ_INDEX, &read) &&
	    hvh_ring_word(channel, channel->out.control + VMBUS_RING_INTERRUPT_MASK, &mask) &&
	    read != channel->out.write && mask == 0)
		hvh_signal_guest(channel, now);
}

/* --- Packets -------------------------------------------------------------------------------------- */

static bool copy_out(struct hvh_channel *channel, uint32_t offset, uint8_t *to, uint32_t length)
{
	const struct hvh_in_ring *in = &channel->in;
	uint32_t first = in->size - offset < length ? in->size - offset : length;

	return hvh_gpadl_read(channel->ring_gpadl, in->data + offset, to, first) &&
	       (first == length || hvh_gpadl_read(channel->ring_gpadl, in->data, to + first, length - first));
}

/* The guest may fill the ring up to the published read index, and never wholly: then it
 * would look empty. */
static bool check_filling(struct hvh_channel *channel, uint64_t now, uint32_t write)
{
	struct hvh_in_ring *in = &channel->in;
	uint32_t advance = distance(in->seen, write, in->size);
	uint32_t room = in->size - distance(in->published, in->seen, in->size);

	in->seen = write;
	if (advance >= room)
		return hvh_ring_corrupt(channel, now, HVH_V_RING_FULL, &write, sizeof(write),
					"written beyond its free space");
	return true;
}

/* An empty ring whose last trailer has changed was filled to the last byte. */
static bool check_empty(struct hvh_channel *channel, uint64_t now)
{
	struct hvh_in_ring *in = &channel->in;
	uint64_t trailer = 0;

	if (!in->have_trailer)
		return true;
	uint32_t at = (in->read + in->size - (uint32_t)TRAILER) % in->size;
	if (!copy_out(channel, at, (uint8_t *)&trailer, sizeof(trailer)))
		return true;
	if (trailer != in->last_trailer)
		return hvh_ring_corrupt(channel, now, HVH_V_RING_FULL, &trailer, sizeof(trailer),
					"filled to the last byte, so that it looks empty");
	return true;
}

static bool check_descriptor(struct hvh_channel *channel, uint64_t now,
			     const struct vmbus_packet_descriptor *d, uint32_t available)
{
	uint32_t length = d->length8 * 8u, header = d->header_length8 * 8u;
	enum hvh_violation_kind kind = HVH_V_PACKET;
	const char *what = NULL;

	if (header < DESCRIPTOR || length < header) {
		what = "packet: header length below 16 or beyond the packet's length";
	} else if (length + TRAILER > available) {
		what = "packet: longer than what was written (trailer included)";
	} else if (length > HVH_PACKET_MAX) {
		what = "packet: longer than this host takes";
	} else if (d->type != VMBUS_PACKET_IN_BAND && d->type != VMBUS_PACKET_TRANSFER_PAGES &&
		   d->type != VMBUS_PACKET_GPA_DIRECT && d->type != VMBUS_PACKET_COMPLETION) {
		kind = HVH_V_PACKET_TYPE;
		what = "packet: type is to be 6, 7, 9 or 11";
	} else if ((d->flags & ~VMBUS_PACKET_FLAG_COMPLETION_REQUESTED) != 0) {
		kind = HVH_V_PACKET_FLAGS;
		what = "packet: no flag but completion-requested exists";
	}
	return what == NULL || hvh_ring_corrupt(channel, now, kind, d, DESCRIPTOR, what);
}

static bool check_gpa_direct(struct hvh_channel *channel, uint64_t now,
			     const struct vmbus_packet_descriptor *d)
{
	const uint8_t *bytes = channel->in_packet + DESCRIPTOR;
	uint32_t extension = d->header_length8 * 8u - (uint32_t)DESCRIPTOR;
	struct vmbus_gpa_direct_header header = {0, 0};

	if (d->type != VMBUS_PACKET_GPA_DIRECT)
		return true;
	if (extension >= sizeof(header))
		memcpy(&header, bytes, sizeof(header));
	if (header.range_count == 0)
		return hvh_ring_corrupt(channel, now, HVH_V_PACKET, channel->in_packet,
					(uint32_t)DESCRIPTOR + extension, "GPA-direct packet without ranges");
	/* iPXE leaves what was on its stack; our own drivers are to leak nothing. */
	if (header.reserved != 0 && channel->partition->deterministic)
		hvh_violate(channel->partition, HVH_V_PACKET_PADDING, now, UINT32_MAX, channel->id, bytes,
			    extension, "GPA-direct packet: the word before the range count is to be 0");
	return true;
}

static void check_trailer(struct hvh_channel *channel, uint64_t now, uint32_t length)
{
	struct hvh_in_ring *in = &channel->in;
	struct vmbus_packet_trailer trailer;

	memcpy(&trailer, channel->in_packet + length, sizeof(trailer));
	memcpy(&in->last_trailer, &trailer, sizeof(in->last_trailer));
	in->have_trailer = true;
	if (trailer.reserved != 0 || trailer.start_offset != in->read)
		hvh_violate(channel->partition, HVH_V_TRAILER, now, UINT32_MAX, channel->id, &trailer,
			    sizeof(trailer), "trailer of the packet at %#x: {%#x, %#x}, is to be {0, %#x}",
			    in->read, trailer.reserved, trailer.start_offset, in->read);
}

static void hand_out(struct hvh_channel *channel, const struct vmbus_packet_descriptor *d,
		     struct hvh_packet *packet)
{
	uint32_t header = d->header_length8 * 8u, length = d->length8 * 8u;

	packet->descriptor = *d;
	packet->extension = channel->in_packet + DESCRIPTOR;
	packet->extension_length = header - (uint32_t)DESCRIPTOR;
	packet->payload = channel->in_packet + header;
	packet->payload_length = length - header;
	channel->trace_pending = hvh_trace_wanted(channel->partition);
	channel->trace_length = length;
}

/* The next packet's bytes, and how many are there; 0 if none or corrupt. */
static uint32_t available(struct hvh_channel *channel, uint64_t now)
{
	struct hvh_in_ring *in = &channel->in;
	uint32_t write = 0;

	if (!hvh_ring_word(channel, in->control + VMBUS_RING_WRITE_INDEX, &write) ||
	    !hvh_ring_index_valid(write, in->size)) {
		hvh_ring_corrupt(channel, now, HVH_V_RING_INDEX, &write, sizeof(write),
				 "write index misaligned or beyond the ring");
		return 0;
	}
	if (!check_filling(channel, now, write))
		return 0;
	uint32_t bytes = distance(in->read, write, in->size);
	if (bytes == 0)
		check_empty(channel, now);
	else if (bytes < DESCRIPTOR + TRAILER)
		hvh_ring_corrupt(channel, now, HVH_V_PACKET, &write, sizeof(write),
				 "fewer bytes written than the shortest packet has");
	return channel->dead ? 0 : bytes;
}

static bool take_packet(struct hvh_channel *channel, uint64_t now, uint32_t bytes, struct hvh_packet *packet)
{
	struct hvh_in_ring *in = &channel->in;
	struct vmbus_packet_descriptor descriptor;

	if (!copy_out(channel, in->read, channel->in_packet, DESCRIPTOR))
		return hvh_ring_corrupt(channel, now, HVH_V_MEMORY, NULL, 0,
					"its pages are not RAM any more");
	memcpy(&descriptor, channel->in_packet, sizeof(descriptor));
	if (!check_descriptor(channel, now, &descriptor, bytes))
		return false;
	uint32_t length = descriptor.length8 * 8u;
	uint32_t rest = (in->read + (uint32_t)DESCRIPTOR) % in->size;
	if (!copy_out(channel, rest, channel->in_packet + DESCRIPTOR,
		      length - (uint32_t)DESCRIPTOR + (uint32_t)TRAILER))
		return hvh_ring_corrupt(channel, now, HVH_V_MEMORY, NULL, 0,
					"its pages are not RAM any more");
	if (!check_gpa_direct(channel, now, &descriptor))
		return false;
	check_trailer(channel, now, length);
	hand_out(channel, &descriptor, packet);
	in->read = (in->read + length + (uint32_t)TRAILER) % in->size;
	return true;
}

enum hvh_read_result hvh_channel_read(struct hvh_channel *channel, uint64_t now, struct hvh_packet *packet)
{
	if (channel->phase != HVH_CHANNEL_OPEN)
		return HVH_READ_EMPTY;
	if (channel->dead)
		return HVH_READ_CORRUPT;
	hvh_trace_flush(channel, now);
	uint32_t bytes = available(channel, now);
	if (bytes == 0) {
		channel->saw_empty = true;
		return channel->dead ? HVH_READ_CORRUPT : HVH_READ_EMPTY;
	}
	if (!take_packet(channel, now, bytes, packet))
		return HVH_READ_CORRUPT;
	if (!channel->in_run)
		hvh_ring_publish(channel, now);
	return HVH_READ_PACKET;
}
