/* SPDX-License-Identifier: MIT */
/* What a packet points to (GPA-direct ranges), and its trace record. */
#include <string.h>

#include "host/core/state.h"
#include "host/hypervisor/hypervisor.h"
#include "host/vmbus/vmbus.h"

/* A packet goes into the trace when the device has read what it points to, or at the
 * latest before the channel's next packet. */
static void emit(struct hvh_channel *channel, uint64_t now, const void *external, uint32_t length)
{
	channel->trace_pending = false;
	hvh_trace_emit(channel->partition, &(struct hvh_trace_record){
						   .time = now,
						   .kind = HVH_TRACE_PACKET,
						   .vp = UINT32_MAX,
						   .channel_id = channel->id,
						   .bytes = channel->in_packet,
						   .byte_count = channel->trace_length,
						   .external = external,
						   .external_count = length,
					   });
}

void hvh_trace_flush(struct hvh_channel *channel, uint64_t now)
{
	if (channel->trace_pending)
		emit(channel, now, NULL, 0);
}

void hvh_packet_trace_external(struct hvh_channel *channel, uint64_t now, const void *bytes, uint32_t length)
{
	if (channel->trace_pending)
		emit(channel, now, bytes, length);
}

/* --- Ranges ------------------------------------------------------------------------- */

struct cursor {
	const uint8_t *bytes;
	uint32_t length, at;
	uint32_t ranges_left;
};

struct range {
	uint32_t byte_count, byte_offset;
	const uint8_t *pfns; /* not aligned */
};

static bool begin(const struct hvh_packet *packet, struct cursor *cursor)
{
	struct vmbus_gpa_direct_header header;

	if (packet->descriptor.type != VMBUS_PACKET_GPA_DIRECT || packet->extension_length < sizeof(header))
		return false;
	memcpy(&header, packet->extension, sizeof(header));
	*cursor = (struct cursor){packet->extension, packet->extension_length, sizeof(header),
				  header.range_count};
	return header.range_count > 0;
}

/* Each turn takes 8 bytes or more of the packet's extension, so it ends. */
static bool next(struct cursor *cursor, struct range *range)
{
	struct vmbus_gpa_range head;

	if (cursor->length - cursor->at < sizeof(head))
		return false;
	memcpy(&head, cursor->bytes + cursor->at, sizeof(head));
	cursor->at += (uint32_t)sizeof(head);
	if (head.byte_count == 0 || head.byte_offset >= HVK_PAGE_SIZE)
		return false;
	uint64_t pages = ((uint64_t)head.byte_offset + head.byte_count + HVK_PAGE_SIZE - 1) / HVK_PAGE_SIZE;
	if (pages * sizeof(uint64_t) > cursor->length - cursor->at)
		return false;
	*range = (struct range){head.byte_count, head.byte_offset, cursor->bytes + cursor->at};
	cursor->at += (uint32_t)(pages * sizeof(uint64_t));
	cursor->ranges_left--;
	return true;
}

static bool bad(struct hvh_channel *channel, enum hvh_violation_kind kind, const struct hvh_packet *packet,
		const char *what)
{
	hvh_violate(channel->partition, kind, channel->partition->now, UINT32_MAX, channel->id,
		    packet->extension, packet->extension_length, "GPA-direct packet %#llx: %s",
		    (unsigned long long)packet->descriptor.transaction_id, what);
	return false;
}

bool hvh_packet_external_size(struct hvh_channel *channel, const struct hvh_packet *packet, uint32_t *size)
{
	struct cursor cursor;
	struct range range;
	uint64_t total = 0;

	if (!begin(packet, &cursor))
		return bad(channel, HVH_V_PACKET, packet, "no ranges where there are to be some");
	while (cursor.ranges_left > 0) {
		if (!next(&cursor, &range))
			return bad(channel, HVH_V_PACKET, packet,
				   "ranges are empty or do not fit into its header");
		total += range.byte_count;
	}
	if (total > UINT32_MAX)
		return bad(channel, HVH_V_PACKET, packet, "ranges hold more than 4 GiB");
	*size = (uint32_t)total;
	return true;
}

/* Some bytes of one range; offset and length lie inside it. */
static bool read_range(struct hvh_partition *partition, const struct range *range, uint32_t offset,
		       uint8_t *to, uint32_t length)
{
	while (length > 0) {
		uint64_t at = (uint64_t)range->byte_offset + offset, pfn;
		uint32_t in_page = (uint32_t)(at & (HVK_PAGE_SIZE - 1));
		uint32_t part = HVK_PAGE_SIZE - in_page < length ? HVK_PAGE_SIZE - in_page : length;
		memcpy(&pfn, range->pfns + (at >> HVK_PAGE_SHIFT) * sizeof(pfn), sizeof(pfn));
		if (pfn > UINT64_MAX >> HVK_PAGE_SHIFT ||
		    !hvh_memory_read(partition, (pfn << HVK_PAGE_SHIFT) + in_page, to, part))
			return false;
		to += part;
		offset += part;
		length -= part;
	}
	return true;
}

static bool copy(struct hvh_channel *channel, const struct hvh_packet *packet, uint32_t offset, uint8_t *to,
		 uint32_t length)
{
	struct cursor cursor;
	struct range range;

	if (!begin(packet, &cursor))
		return bad(channel, HVH_V_PACKET, packet, "no ranges where there are to be some");
	while (length > 0 && cursor.ranges_left > 0) {
		if (!next(&cursor, &range))
			return bad(channel, HVH_V_PACKET, packet,
				   "ranges are empty or do not fit into its header");
		if (offset >= range.byte_count) {
			offset -= range.byte_count;
			continue;
		}
		uint32_t part = range.byte_count - offset < length ? range.byte_count - offset : length;
		if (!read_range(channel->partition, &range, offset, to, part))
			return bad(channel, HVH_V_MEMORY, packet, "a page is not RAM");
		to += part;
		length -= part;
		offset = 0;
	}
	return length == 0 || bad(channel, HVH_V_PACKET, packet, "ranges hold less than was to be read");
}

bool hvh_packet_external_read(struct hvh_channel *channel, const struct hvh_packet *packet, uint32_t offset,
			      void *to, uint32_t length)
{
	bool good = copy(channel, packet, offset, to, length);

	if (good && offset == 0)
		hvh_packet_trace_external(channel, channel->partition->now, to, length);
	return good;
}
