/* SPDX-License-Identifier: MIT */
/* RNDIS messages: requests with their objects, data with their per-packet information. */
#include <stdio.h>
#include <string.h>

#include "apps/hvkit/trace/decode_private.h"
#include "hvkit/wire/rndis.h"

static struct trace_request *request_slot(struct trace_job *job, uint32_t id)
{
	return &job->decoder->requests[id % TRACE_REQUESTS];
}

static void format_value(const struct trace_view *view, uint32_t oid, char text[TRACE_VALUE_MAX])
{
	const uint8_t *b = view->bytes;
	struct trace_view string = *view;

	if ((oid == RNDIS_OID_802_3_PERMANENT_ADDRESS || oid == RNDIS_OID_802_3_CURRENT_ADDRESS) &&
	    view->size == 6) {
		snprintf(text, TRACE_VALUE_MAX, "%02x:%02x:%02x:%02x:%02x:%02x", b[0], b[1], b[2], b[3], b[4],
			 b[5]);
	} else if (oid == RNDIS_OID_GEN_CURRENT_PACKET_FILTER && view->size == 4) {
		trace_format_value(trace_get(view, 0, 4), FORM_BITS, &trace_filter_bits, text);
	} else if (oid == RNDIS_OID_GEN_VENDOR_DESCRIPTION) {
		while (string.size > 0 && string.bytes[string.size - 1] == 0)
			string.size--;
		trace_escape(&string, text);
	} else if (view->size == 4) {
		snprintf(text, TRACE_VALUE_MAX, "%u", (unsigned)trace_get(view, 0, 4));
	} else {
		trace_format(view, 0, view->size, FORM_BYTES, NULL, text);
	}
}

/* Information: length and offset stand side by side in requests and answers. */
static void decode_information(struct trace_job *job, const struct trace_view *view, uint32_t length_at,
			       uint32_t oid)
{
	uint32_t length = (uint32_t)trace_get(view, length_at, 4);
	uint64_t offset = RNDIS_OFFSET_BASE + trace_get(view, length_at + 4, 4);
	struct trace_view information = trace_part(view, offset, length);
	char text[TRACE_VALUE_MAX];

	if (length == 0)
		return;
	if (information.size < length) {
		trace_say(job, " (information of %u bytes is not all there)", (unsigned)length);
		return;
	}
	if (trace_decode_object(job, &information, oid))
		return;
	format_value(&information, oid, text);
	trace_field(job, &information, 0, length, "information", "%s", text);
}

static void decode_request(struct trace_job *job, const struct trace_view *view)
{
	uint32_t id = (uint32_t)trace_get(view, offsetof(struct rndis_request, request_id), 4);
	uint32_t oid = (uint32_t)trace_get(view, offsetof(struct rndis_request, oid), 4);

	*request_slot(job, id) = (struct trace_request){job->record->channel, id, oid, true};
	decode_information(job, view, offsetof(struct rndis_request, information_length), oid);
}

static void decode_answer(struct trace_job *job, const struct trace_view *view, bool query)
{
	uint32_t id = (uint32_t)trace_get(view, offsetof(struct rndis_complete, request_id), 4);
	const struct trace_request *request = request_slot(job, id);
	uint32_t oid = 0;
	char text[TRACE_VALUE_MAX];

	if (request->used && request->channel == job->record->channel && request->id == id) {
		oid = request->oid;
		trace_format_value(oid, FORM_NAME, &trace_oid_names, text);
		trace_field(job, view, 8, 4, "oid", "%s", text);
	}
	if (query)
		decode_information(job, view, offsetof(struct rndis_query_complete, information_length), oid);
}

static void decode_data(struct trace_job *job, const struct trace_view *view)
{
	uint64_t data_at = RNDIS_OFFSET_BASE + trace_get(view, offsetof(struct rndis_packet, data_offset), 4);
	uint64_t length = trace_get(view, offsetof(struct rndis_packet, data_length), 4);
	uint64_t ppi_at = RNDIS_OFFSET_BASE +
			  trace_get(view, offsetof(struct rndis_packet, per_packet_info_offset), 4);
	uint64_t ppi_length = trace_get(view, offsetof(struct rndis_packet, per_packet_info_length), 4);
	struct trace_view frame = trace_part(view, data_at, length);
	struct trace_view ppi = trace_part(view, ppi_at, ppi_length);

	if (ppi_length > 0)
		trace_decode_ppi(job, &ppi);
	if (frame.size < length)
		trace_say(job, " (short: %u bytes of data there)", (unsigned)frame.size);
	if (frame.size > 0)
		trace_decode_frame(job, &frame);
}

void trace_decode_rndis(struct trace_job *job, const struct trace_view *view)
{
	uint32_t type = (uint32_t)trace_get(view, 0, 4);
	const struct trace_layout *layout = trace_layout(&trace_rndis, type);

	if (!trace_has(view, 0, sizeof(struct rndis_header))) {
		trace_layer(job, view, "rndis (short: %u of 8 bytes)", (unsigned)view->size);
		return;
	}
	if (layout == NULL) {
		trace_layer(job, view, "rndis type-0x%x", (unsigned)type);
		return;
	}
	trace_layer(job, view, "rndis %s", layout->name);
	trace_detail(job, view, 0, 4, "type", "0x%x", (unsigned)type);
	trace_detail(job, view, 4, 4, "length", "%u", (unsigned)trace_get(view, 4, 4));
	if (!trace_fields(job, view, layout))
		return;
	switch (type) {
	case RNDIS_MSG_QUERY:
	case RNDIS_MSG_SET:
		decode_request(job, view);
		break;
	case RNDIS_MSG_QUERY | RNDIS_MSG_COMPLETE:
	case RNDIS_MSG_SET | RNDIS_MSG_COMPLETE:
		decode_answer(job, view, type == (RNDIS_MSG_QUERY | RNDIS_MSG_COMPLETE));
		break;
	case RNDIS_MSG_PACKET:
		decode_data(job, view);
		break;
	default:
		break;
	}
}
