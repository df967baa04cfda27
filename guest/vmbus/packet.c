/* SPDX-License-Identifier: MIT */
/* Packets: sending, receiving, request ids. */
#include "guest/vmbus/bus.h"

#define PFNS_MAX 64u             /* pages in one page-list packet */
#define LATE_COMPLETIONS_MAX 64u /* skipped in one receive */

/* --- Sending ------------------------------------------------------------------------ */

/* What goes into the ring: descriptor and extension, payload, zeros up to 8 bytes. count 0: no
 * extension, pieces[0] is the payload, the ring sees to the zeros. */
struct outgoing {
	struct vmbus_packet_descriptor descriptor;
	uint32_t count;
	struct hvk_piece pieces[5];
};

static const uint8_t zeros[VMBUS_PACKET_ALIGN];

static hvk_status describe_outgoing(struct outgoing *packet, uint16_t type, uint32_t extension,
				    uint32_t payload)
{
	uint32_t header = (uint32_t)sizeof(packet->descriptor) + extension;

	HVK_ASSERT(extension % 8 == 0);
	if (payload > UINT16_MAX * 8u || header + payload > UINT16_MAX * 8u)
		return HVK_ETOOBIG;
	packet->descriptor = (struct vmbus_packet_descriptor){
		.type = type,
		.header_length8 = (uint16_t)(header / 8),
		.length8 = (uint16_t)(hvk_round_up8(header + payload) / 8),
	};
	return HVK_OK;
}

static hvk_status build_plain(struct outgoing *packet, uint16_t type, const void *payload, uint32_t length)
{
	packet->count = 0;
	packet->pieces[0] = (struct hvk_piece){payload, length};
	return describe_outgoing(packet, type, 0, length);
}

static hvk_status build(struct outgoing *packet, uint16_t type, const struct hvk_piece *extension,
			const struct hvk_piece *payload)
{
	uint32_t length = extension->length + payload->length;

	packet->pieces[0] = (struct hvk_piece){&packet->descriptor, sizeof(packet->descriptor)};
	packet->pieces[1] = *extension;
	packet->pieces[2] = *payload;
	packet->pieces[3] = (struct hvk_piece){zeros, hvk_round_up8(length) - length};
	packet->count = 4;
	return describe_outgoing(packet, type, extension->length, payload->length);
}

/* A host that does not say when there is room is asked again after a while. */
static void want_room(struct hvk_channel *channel)
{
	if (channel->room_wanted)
		return;
	channel->room_wanted = true;
	hvk_timer_start(channel->hvk, &channel->room_timer, channel->cpu, HVK_ROOM_POLL_MS);
}

/* In the ring: with the trailer. */
static void count_sent(struct hvk_channel *channel, const struct vmbus_packet_descriptor *descriptor)
{
	HVK_ADD_ALONE(channel->counters.sent, 1);
	HVK_ADD_ALONE(channel->counters.bytes_sent,
		      descriptor->length8 * 8u + sizeof(struct vmbus_packet_trailer));
}

static hvk_status stage(struct hvk_ring_out *ring, const struct outgoing *packet)
{
	if (packet->count != 0)
		return hvk_ring_stage(ring, packet->pieces, packet->count);
	return hvk_ring_stage_plain(ring, &packet->descriptor, packet->pieces[0].address,
				    packet->pieces[0].length);
}

/* Under tx_lock; what is in the ring then is shown by show_locked. */
static hvk_status put_locked(struct hvk_channel *channel, struct outgoing *packet, void *cookie)
{
	uint16_t id = 0;
	void *unused;
	hvk_status status;

	if (!channel->usable)
		return HVK_ESTATE;
	/* Not before: the ring may be another one since the last open. */
	if (packet->descriptor.length8 * 8u + sizeof(struct vmbus_packet_trailer) >= channel->out.data.size)
		return HVK_ETOOBIG;
	if (cookie) {
		id = hvk_requests_get(&channel->requests, cookie);
		if (id == 0) {
			want_room(channel);
			return HVK_EAGAIN;
		}
		packet->descriptor.flags = VMBUS_PACKET_FLAG_COMPLETION_REQUESTED;
		packet->descriptor.transaction_id = id;
	}
	status = stage(&channel->out, packet);
	if (status == HVK_OK) {
		count_sent(channel, &packet->descriptor);
		return HVK_OK;
	}
	if (id != 0)
		(void)hvk_requests_put(&channel->requests, id, &unused);
	if (status == HVK_EAGAIN) {
		HVK_ADD_ALONE(channel->counters.full, 1);
		want_room(channel);
	} else {
		HVK_COUNT(channel->counters.faults);
	}
	return status;
}

/* The signal goes under the lock: a close must not come between it and its packet. */
static void show_locked(struct hvk_channel *channel)
{
	if (hvk_ring_publish(&channel->out))
		hvk_channel_signal_host(channel);
	else if (channel->out.masked)
		HVK_ADD_ALONE(channel->counters.masked_signals, 1);
}

/* more: it may be shown later, with others. A ring without room shows them at once: nobody else
 * makes some. */
static hvk_status put(struct hvk_channel *channel, struct outgoing *packet, void *cookie, bool more)
{
	struct hvk *hvk = channel->hvk;
	hvk_status status;

	if (hvk_channel_rescinded(channel))
		return HVK_EGONE;
	hvk_lock(hvk, &channel->tx_lock);
	status = put_locked(channel, packet, cookie);
	if (status == HVK_EAGAIN || (status == HVK_OK && !more))
		show_locked(channel);
	hvk_unlock(hvk, &channel->tx_lock);
	if (hvk_status_is_host_fault(status))
		(void)hvk_fault(hvk, status, "channel %u: read index", channel->offer.channel_id);
	return status;
}

hvk_status hvk_channel_send(struct hvk_channel *channel, const void *payload, uint32_t length, bool answered,
			    void *cookie)
{
	struct outgoing packet;
	hvk_status status;

	if (answered && !cookie)
		return HVK_EINVAL;
	status = build_plain(&packet, VMBUS_PACKET_IN_BAND, payload, length);
	return status == HVK_OK ? put(channel, &packet, answered ? cookie : NULL, false) : status;
}

hvk_status hvk_channel_stage(struct hvk_channel *channel, const void *payload, uint32_t length, void *cookie)
{
	struct outgoing packet;
	hvk_status status;

	if (!cookie)
		return HVK_EINVAL;
	status = build_plain(&packet, VMBUS_PACKET_IN_BAND, payload, length);
	return status == HVK_OK ? put(channel, &packet, cookie, true) : status;
}

void hvk_channel_show(struct hvk_channel *channel)
{
	if (hvk_channel_rescinded(channel))
		return;
	hvk_lock(channel->hvk, &channel->tx_lock);
	if (channel->usable)
		show_locked(channel);
	hvk_unlock(channel->hvk, &channel->tx_lock);
}

/* The extension of a page-list packet. */
struct page_list {
	uint64_t words[1 + HVK_PACKET_RANGES_MAX + PFNS_MAX];
	uint32_t count;
};

static hvk_status add_range(struct page_list *list, const struct hvk_buffer *buffer, uint32_t *pages_left)
{
	uint32_t offset = (uint32_t)(buffer->gpa & (HVK_PAGE_SIZE - 1));
	struct vmbus_gpa_range range = {buffer->length, offset};
	uint32_t pages;

	if (buffer->gpa == 0 || buffer->length == 0 || buffer->length > PFNS_MAX * HVK_PAGE_SIZE)
		return HVK_EINVAL;
	pages = (offset + buffer->length + HVK_PAGE_SIZE - 1) / HVK_PAGE_SIZE;
	if (pages > *pages_left)
		return HVK_ETOOBIG;
	*pages_left -= pages;
	memcpy(&list->words[list->count++], &range, sizeof(range));
	for (uint32_t i = 0; i < pages; i++)
		list->words[list->count++] = (buffer->gpa >> HVK_PAGE_SHIFT) + i;
	return HVK_OK;
}

hvk_status hvk_channel_send_buffers(struct hvk_channel *channel, const struct hvk_buffer *buffers,
				    uint32_t count, const void *payload, uint32_t length, void *cookie)
{
	struct vmbus_gpa_direct_header header = {0, count};
	struct page_list list; /* as long as it may be: not zeroed */
	struct hvk_piece extension, data = {payload, length};
	uint32_t pages_left = PFNS_MAX;
	struct outgoing packet;
	hvk_status status = HVK_OK;

	if (count == 0 || count > HVK_PACKET_RANGES_MAX || !cookie)
		return HVK_EINVAL;
	list.count = 1;
	memcpy(&list.words[0], &header, sizeof(header));
	for (uint32_t i = 0; status == HVK_OK && i < count; i++)
		status = add_range(&list, &buffers[i], &pages_left);
	if (status != HVK_OK)
		return status;
	extension = (struct hvk_piece){list.words, list.count * 8u};
	status = build(&packet, VMBUS_PACKET_GPA_DIRECT, &extension, &data);
	return status == HVK_OK ? put(channel, &packet, cookie, false) : status;
}

/* The page numbers stay where the caller has them: as pieces of their own they need no copy. */
hvk_status hvk_channel_send_pages(struct hvk_channel *channel, const uint64_t *page_numbers, uint32_t count,
				  uint32_t offset, uint32_t length, const void *payload,
				  uint32_t payload_length, void *cookie)
{
	const struct {
		struct vmbus_gpa_direct_header header;
		struct vmbus_gpa_range range;
	} head = {{0, 1}, {length, offset}};
	struct hvk_piece extension = {&head, (uint32_t)sizeof(head) + count * 8u};
	struct hvk_piece data = {payload, payload_length};
	struct outgoing packet;
	hvk_status status;

	if (!cookie || count == 0 || count > HVK_PACKET_PAGES_MAX || offset >= HVK_PAGE_SIZE || length == 0 ||
	    length > count * HVK_PAGE_SIZE || (offset + length + HVK_PAGE_SIZE - 1) / HVK_PAGE_SIZE != count)
		return HVK_EINVAL;
	status = build(&packet, VMBUS_PACKET_GPA_DIRECT, &extension, &data);
	if (status != HVK_OK)
		return status;
	packet.pieces[4] = packet.pieces[3];
	packet.pieces[3] = packet.pieces[2];
	packet.pieces[2] = (struct hvk_piece){page_numbers, count * 8u};
	packet.pieces[1].length = sizeof(head);
	packet.count = 5;
	return put(channel, &packet, cookie, false);
}

hvk_status hvk_channel_complete_many(struct hvk_channel *channel, const uint64_t *transaction_ids,
				     uint32_t count, const void *payload, uint32_t length, uint32_t *taken)
{
	struct outgoing packet;
	hvk_status status = build_plain(&packet, VMBUS_PACKET_COMPLETION, payload, length);

	*taken = 0;
	if (status != HVK_OK)
		return status;
	if (hvk_channel_rescinded(channel))
		return HVK_EGONE;
	hvk_lock(channel->hvk, &channel->tx_lock);
	while (status == HVK_OK && *taken < count) {
		packet.descriptor.transaction_id = transaction_ids[*taken];
		status = put_locked(channel, &packet, NULL);
		*taken += status == HVK_OK;
	}
	if (*taken != 0 || status == HVK_EAGAIN)
		show_locked(channel);
	hvk_unlock(channel->hvk, &channel->tx_lock);
	if (hvk_status_is_host_fault(status))
		(void)hvk_fault(channel->hvk, status, "channel %u: read index", channel->offer.channel_id);
	return status;
}

hvk_status hvk_channel_complete(struct hvk_channel *channel, uint64_t transaction_id, const void *payload,
				uint32_t length)
{
	uint32_t taken;

	return hvk_channel_complete_many(channel, &transaction_id, 1, payload, length, &taken);
}

/* --- Receiving -------------------------------------------------------------------------- */

static hvk_status match_completion(struct hvk_channel *channel, struct hvk_packet *packet)
{
	struct hvk *hvk = channel->hvk;
	bool outstanding;

	hvk_lock(hvk, &channel->tx_lock);
	outstanding = hvk_requests_put(&channel->requests, packet->transaction_id, &packet->cookie);
	hvk_unlock(hvk, &channel->tx_lock);
	if (!outstanding) {
		HVK_COUNT(channel->counters.faults);
		return hvk_fault(hvk, HVK_EHOST_TRANSACTION, "channel %u: completion of 0x%llx",
				 channel->offer.channel_id, (unsigned long long)packet->transaction_id);
	}
	HVK_ADD_ALONE(channel->counters.completions, 1);
	if (!packet->cookie) {
		HVK_ADD_ALONE(channel->counters.late_completions, 1);
		return HVK_EAGAIN; /* forgotten meanwhile: look at the next packet */
	}
	return HVK_OK;
}

static void describe(struct hvk_packet *packet, const struct vmbus_packet_descriptor *descriptor,
		     const struct hvk_packet_layout *layout, const uint8_t *buffer)
{
	packet->type = descriptor->type;
	packet->answer_wanted = (descriptor->flags & VMBUS_PACKET_FLAG_COMPLETION_REQUESTED) != 0;
	packet->transaction_id = descriptor->transaction_id;
	packet->cookie = NULL;
	packet->extension = buffer + sizeof(*descriptor);
	packet->extension_length = layout->extension_length;
	packet->payload = buffer + layout->payload_offset;
	packet->payload_length = layout->payload_length;
}

static hvk_status receive_one(struct hvk_channel *channel, uint8_t *buffer, uint32_t size,
			      struct hvk_packet *packet)
{
	struct vmbus_packet_descriptor descriptor;
	struct hvk_packet_layout layout;
	hvk_status status = hvk_ring_peek(&channel->in, &descriptor, &layout);

	if (status == HVK_EEMPTY)
		return status;
	if (status != HVK_OK) {
		HVK_COUNT(channel->counters.faults);
		channel->dead = status;
		return hvk_fault(channel->hvk, status, "channel %u: ring", channel->offer.channel_id);
	}
	if (layout.length > size) {
		hvk_ring_skip(&channel->in, layout.length);
		HVK_COUNT(channel->counters.faults);
		return HVK_ETOOBIG;
	}
	/* The descriptor that was checked, not the one that may be there by now. */
	memcpy(buffer, &descriptor, sizeof(descriptor));
	hvk_ring_copy(&channel->in, sizeof(descriptor), buffer + sizeof(descriptor),
		      layout.length - (uint32_t)sizeof(descriptor));
	hvk_ring_skip(&channel->in, layout.length);
	HVK_ADD_ALONE(channel->counters.received, 1);
	HVK_ADD_ALONE(channel->counters.bytes_received, layout.length + sizeof(struct vmbus_packet_trailer));
	describe(packet, &descriptor, &layout, buffer);
	return descriptor.type == VMBUS_PACKET_COMPLETION ? match_completion(channel, packet) : HVK_OK;
}

hvk_status hvk_channel_receive(struct hvk_channel *channel, void *buffer, uint32_t size,
			       struct hvk_packet *packet)
{
	hvk_status status = HVK_EAGAIN;

	if (channel->dead != HVK_OK)
		return channel->dead;
	for (unsigned i = 0; status == HVK_EAGAIN && i < LATE_COMPLETIONS_MAX; i++)
		status = receive_one(channel, (uint8_t *)buffer, size, packet);
	return status == HVK_EAGAIN ? HVK_EEMPTY : status; /* the rest comes with the next poll */
}

/* --- Requests without an answer ------------------------------------------------------------ */

static void *take_slot(struct hvk_requests *requests, const void *cookie)
{
	for (uint32_t id = 1; id <= requests->limit; id++) {
		struct hvk_request_slot *slot = &requests->slots[id];
		void *found = slot->cookie;

		if (!slot->busy || !found || (cookie && found != cookie))
			continue;
		slot->cookie = NULL; /* the id stays taken until the host gives it back */
		return found;
	}
	return NULL;
}

void *hvk_channel_take_request(struct hvk_channel *channel, void *cookie)
{
	void *found = NULL;

	hvk_lock(channel->hvk, &channel->tx_lock);
	if (channel->request_pages.count && (cookie || !channel->usable))
		found = take_slot(&channel->requests, cookie);
	hvk_unlock(channel->hvk, &channel->tx_lock);
	return found;
}

uint32_t hvk_channel_room(struct hvk_channel *channel)
{
	uint32_t overhead = sizeof(struct vmbus_packet_descriptor) + sizeof(struct vmbus_packet_trailer) +
			    VMBUS_PACKET_ALIGN;
	uint32_t room = 0;

	hvk_lock(channel->hvk, &channel->tx_lock);
	if (channel->usable)
		room = hvk_ring_out_free(&channel->out);
	hvk_unlock(channel->hvk, &channel->tx_lock);
	return room > overhead ? (room - overhead) & ~7u : 0;
}

void hvk_channel_get_counters(const struct hvk_channel *channel, struct hvk_channel_counters *out)
{
	const uint64_t *from = (const uint64_t *)&channel->counters;
	uint64_t *to = (uint64_t *)out;

	for (size_t i = 0; i < sizeof(*out) / sizeof(uint64_t); i++)
		to[i] = __atomic_load_n(&from[i], __ATOMIC_RELAXED);
}
