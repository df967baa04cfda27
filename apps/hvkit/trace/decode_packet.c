/* SPDX-License-Identifier: MIT */
/* Ring packets: descriptor, extension, the NVS message of a network card's, and the RNDIS
 * messages that it points to; what a storage controller's carry is in decode_vstor.c. */
#include <string.h>

#include "apps/hvkit/trace/decode_private.h"
#include "hvkit/wire/nvs.h"
#include "hvkit/wire/ring.h"
#include "hvkit/wire/rndis.h"

#define RANGES_SHOWN 16u

struct ranges {
	uint32_t count;  /* as the packet says */
	uint32_t at;     /* of the first one */
	uint32_t usable; /* that are wholly there */
};

static bool is_device(const struct trace_job *job, const char *device)
{
	uint32_t channel = job->record->channel;

	return channel < TRACE_CHANNELS && job->decoder->channels[channel].device != NULL &&
	       strcmp(job->decoder->channels[channel].device, device) == 0;
}

/* Ranges of a transfer-page packet; each is an RNDIS message. */
static struct ranges transfer_ranges(struct trace_job *job, const struct trace_view *header)
{
	const uint32_t descriptor = sizeof(struct vmbus_packet_descriptor);
	const uint32_t fixed = sizeof(struct vmbus_transfer_pages_header);
	struct ranges ranges = {.at = descriptor + fixed};

	if (!trace_has(header, descriptor, fixed)) {
		trace_say(job, " (short: no ranges)");
		return ranges;
	}
	trace_detail(job, header, descriptor, 2, "page_set", "0x%x",
		     (unsigned)trace_get(header, descriptor, 2));
	ranges.count = (uint32_t)trace_get(header, descriptor + 4, 4);
	trace_field(job, header, descriptor + 4, 4, "ranges", "%u", (unsigned)ranges.count);
	ranges.usable = (header->size - ranges.at) / (uint32_t)sizeof(struct vmbus_transfer_page_range);
	if (ranges.count > ranges.usable)
		trace_say(job, " (short: %u ranges there)", (unsigned)ranges.usable);
	else
		ranges.usable = ranges.count;
	for (uint32_t n = 0; n < ranges.usable && n < RANGES_SHOWN; n++) {
		uint32_t at = ranges.at + 8u * n;

		trace_detail(job, header, at, 8, "range", "%u bytes at %u",
			     (unsigned)trace_get(header, at, 4), (unsigned)trace_get(header, at + 4, 4));
	}
	return ranges;
}

/* The page list; its bytes are one piece in the record. */
static void gpa_ranges(struct trace_job *job, const struct trace_view *header)
{
	const uint32_t descriptor = sizeof(struct vmbus_packet_descriptor);
	uint32_t at = descriptor + (uint32_t)sizeof(struct vmbus_gpa_direct_header);
	uint32_t count = (uint32_t)trace_get(header, descriptor + 4, 4);

	if (!trace_has(header, descriptor, sizeof(struct vmbus_gpa_direct_header))) {
		trace_say(job, " (short: no ranges)");
		return;
	}
	trace_field(job, header, descriptor + 4, 4, "ranges", "%u", (unsigned)count);
	for (uint32_t n = 0; n < count && n < RANGES_SHOWN && trace_has(header, at, 8); n++) {
		uint64_t bytes = trace_get(header, at, 4), offset = trace_get(header, at + 4, 4);
		uint64_t frames = (offset % HVK_PAGE_SIZE + bytes + HVK_PAGE_SIZE - 1) / HVK_PAGE_SIZE;

		trace_detail(job, header, at, 8, "range", "%u bytes at %u, frame 0x%llx", (unsigned)bytes,
			     (unsigned)offset, (unsigned long long)trace_get(header, at + 8, 8));
		if (frames > header->size / 8u)
			return;
		at += 8u + 8u * (uint32_t)frames;
	}
}

/* To the guest each range is one message, whatever its own length says. To the host there
 * may be several in one piece, told apart by their lengths. */
static void decode_ranges(struct trace_job *job, const struct trace_view *header, const struct ranges *ranges,
			  const struct trace_view *external)
{
	uint64_t at = 0;

	for (uint32_t n = 0; n < ranges->usable; n++) {
		uint64_t size = trace_get(header, ranges->at + 8u * n, 4);
		struct trace_view message = trace_part(external, at, size);

		if (job->out->layers + 2 >= TRACE_LAYERS_MAX) {
			trace_say(job, " | and %u more", (unsigned)(ranges->usable - n));
			return;
		}
		trace_decode_rndis(job, &message);
		at += size;
	}
}

static void decode_stream(struct trace_job *job, const struct trace_view *external)
{
	uint32_t at = 0;

	while (at < external->size) {
		struct trace_view rest = trace_part(external, at, external->size);
		uint32_t length = (uint32_t)trace_get(&rest, 4, 4);

		if (length < sizeof(struct rndis_header) || length > rest.size)
			length = rest.size;
		rest.size = length;
		if (job->out->layers + 2 >= TRACE_LAYERS_MAX) {
			trace_say(job, " | and more");
			return;
		}
		trace_decode_rndis(job, &rest);
		at += length;
	}
}

static bool decode_nvs(struct trace_job *job, const struct trace_view *view)
{
	uint32_t type = (uint32_t)trace_get(view, 0, 4);
	const struct trace_layout *layout = NULL;

	if (job->record->to_guest)
		layout = trace_layout(&trace_nvs_answers, type);
	if (layout == NULL)
		layout = trace_layout(&trace_nvs, type);
	if (!trace_has(view, 0, 4)) {
		trace_layer(job, view, "nvs (short: %u of 4 bytes)", (unsigned)view->size);
		return false;
	}
	if (layout == NULL) {
		trace_layer(job, view, "nvs type-%u", (unsigned)type);
		return false;
	}
	trace_layer(job, view, "nvs %s", layout->name);
	trace_detail(job, view, 0, 4, "type", "%u", (unsigned)type);
	if (!trace_fields(job, view, layout))
		return false;
	if (type == NVS_TYPE_SEND_INDIRECTION_TABLE)
		trace_say_list(
			job, view, trace_get(view, offsetof(struct nvs_send_indirection_table, offset), 4),
			trace_get(view, offsetof(struct nvs_send_indirection_table, count), 4), "table");
	return type == NVS_TYPE_RNDIS;
}

/* Keyboards, mice and integration components. */
static bool is_service(struct trace_job *job, const struct trace_view *payload)
{
	uint32_t channel = job->record->channel;
	const char *device = channel < TRACE_CHANNELS ? job->decoder->channels[channel].device : NULL;

	return device != NULL && trace_decode_service(job, payload, device);
}

static void decode_payload(struct trace_job *job, const struct trace_view *header,
			   const struct trace_view *payload, const struct ranges *ranges,
			   const struct trace_view *external)
{
	if (payload->size == 0)
		return;
	if (is_device(job, TRACE_INTERFACE_STORVSC) || is_device(job, TRACE_INTERFACE_IDE)) {
		trace_decode_vstor(job, payload, trace_get(header, 8, 8),
				   trace_get(header, 0, 2) == VMBUS_PACKET_COMPLETION);
		return;
	}
	if (is_service(job, payload))
		return;
	if (!is_device(job, TRACE_INTERFACE_NETVSC)) {
		trace_field(job, payload, 0, payload->size, "payload", "%u", (unsigned)payload->size);
		return;
	}
	if (!decode_nvs(job, payload) || external->size == 0)
		return;
	if (job->record->to_guest)
		decode_ranges(job, header, ranges, external);
	else
		decode_stream(job, external);
}

void trace_decode_packet(struct trace_job *job, const struct trace_view *view,
			 const struct trace_view *external)
{
	uint32_t type = (uint32_t)trace_get(view, 0, 2), flags = (uint32_t)trace_get(view, 6, 2);
	uint32_t header_length = 8u * (uint32_t)trace_get(view, 2, 2);
	uint32_t length = 8u * (uint32_t)trace_get(view, 4, 2);
	const char *name = trace_name(&trace_packet_names, type);
	struct ranges ranges = {0, 0, 0};
	struct trace_view header, payload;

	if (!trace_has(view, 0, sizeof(struct vmbus_packet_descriptor))) {
		trace_layer(job, view, "packet (short: %u of 16 bytes)", (unsigned)view->size);
		return;
	}
	header = trace_part(view, 0, header_length);
	if (name != NULL)
		trace_layer(job, &header, "%s", name);
	else
		trace_layer(job, &header, "packet-%u", (unsigned)type);
	trace_field(job, view, 8, 8, "id", "0x%llx", (unsigned long long)trace_get(view, 8, 8));
	trace_detail(job, view, 2, 2, "header_length", "%u", (unsigned)header_length);
	trace_detail(job, view, 4, 2, "length", "%u", (unsigned)length);
	trace_detail(job, view, 6, 2, "flags", "0x%x", (unsigned)flags);
	if (flags & VMBUS_PACKET_FLAG_COMPLETION_REQUESTED)
		trace_say(job, " wants-completion");
	if (header_length > length || length > view->size ||
	    header_length < sizeof(struct vmbus_packet_descriptor)) {
		trace_say(job, " (lengths disagree: header %u, packet %u, there %u)", (unsigned)header_length,
			  (unsigned)length, (unsigned)view->size);
		return;
	}
	if (type == VMBUS_PACKET_TRANSFER_PAGES)
		ranges = transfer_ranges(job, &header);
	else if (type == VMBUS_PACKET_GPA_DIRECT)
		gpa_ranges(job, &header);
	payload = trace_part(view, header_length, length - header_length);
	decode_payload(job, &header, &payload, &ranges, external);
}
