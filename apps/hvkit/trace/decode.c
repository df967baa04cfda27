/* SPDX-License-Identifier: MIT */
/* Records by kind: registers, hypercalls, control messages, events, text. */
#include <stdio.h>
#include <string.h>

#include "apps/hvkit/trace/decode_private.h"
#include "hvkit/wire/hypervisor.h"
#include "hvkit/wire/vmbus.h"
#include "hvkit_host/trace.h"

void trace_decoder_begin(struct trace_decoder *decoder)
{
	memset(decoder, 0, sizeof(*decoder));
}

void trace_channel_text(const struct trace_decoder *decoder, uint32_t channel, char text[TRACE_CHANNEL_TEXT])
{
	const struct trace_channel *known = &decoder->channels[channel % TRACE_CHANNELS];

	if (channel == 0)
		text[0] = '\0';
	else if (channel >= TRACE_CHANNELS || known->device == NULL)
		snprintf(text, TRACE_CHANNEL_TEXT, "?");
	else if (known->subchannel != 0)
		snprintf(text, TRACE_CHANNEL_TEXT, "%s.%u", known->device, known->subchannel);
	else
		snprintf(text, TRACE_CHANNEL_TEXT, "%s", known->device);
}

/* --- Channels of what names none itself ----------------------------------------- */

static void remember(struct trace_owner owners[TRACE_OWNERS], uint32_t key, uint32_t channel)
{
	if (channel != 0)
		owners[key % TRACE_OWNERS] = (struct trace_owner){key, channel};
}

static uint32_t owner(const struct trace_owner owners[TRACE_OWNERS], uint32_t key)
{
	const struct trace_owner *found = &owners[key % TRACE_OWNERS];

	return found->key == key ? found->channel : 0;
}

static void find_channel(struct trace_job *job, uint32_t channel)
{
	if (job->out->channel == 0)
		job->out->channel = channel;
}

/* --- Registers and hypercalls ------------------------------------------------------ */

static void decode_register_value(struct trace_job *job, const struct trace_view *view,
				  const struct trace_register *known)
{
	uint64_t value = trace_get(view, 8, 8);

	trace_field(job, view, 8, 8, "value", "0x%llx", (unsigned long long)value);
	switch (known->form) {
	case REGISTER_PAGE:
		trace_field(job, view, 8, 8, "enabled", "%s", value & HV_PAGE_ENABLE ? "yes" : "no");
		if (value & HV_PAGE_ENABLE)
			trace_field(job, view, 8, 8, "page", "0x%llx",
				    (unsigned long long)(value & HV_PAGE_ADDRESS_MASK));
		break;
	case REGISTER_SINT:
		trace_field(job, view, 8, 8, "vector", "%u", (unsigned)(value & HV_SINT_VECTOR_MASK));
		trace_field(job, view, 8, 8, "masked", "%s", value & HV_SINT_MASKED ? "yes" : "no");
		break;
	case REGISTER_ENABLE:
		trace_field(job, view, 8, 8, "enabled", "%s", value & 1 ? "yes" : "no");
		break;
	case REGISTER_PLAIN:
		break;
	}
}

void trace_decode_register(struct trace_job *job, const struct trace_view *view)
{
	const char *verb = job->record->kind == HVH_TRACE_MSR_WRITE ? "write" : "read";
	static const struct trace_register unknown;
	const struct trace_register *known = trace_register((uint32_t)trace_get(view, 0, 4));
	unsigned number = (unsigned)trace_get(view, 0, 4);

	if (!trace_has(view, 0, 16)) {
		trace_layer(job, view, "%s (short: %u of 16 bytes)", verb, (unsigned)view->size);
		return;
	}
	if (known != NULL)
		trace_layer(job, view, "%s %s", verb, known->name);
	else
		trace_layer(job, view, "%s register-0x%x", verb, number);
	trace_detail(job, view, 0, 4, "number", "0x%x", number);
	decode_register_value(job, view, known != NULL ? known : &unknown);
}

void trace_decode_hypercall(struct trace_job *job, const struct trace_view *view)
{
	uint64_t control = trace_get(view, 0, 8), input = trace_get(view, 8, 8);
	char code[TRACE_VALUE_MAX], status[TRACE_VALUE_MAX];

	if (!trace_has(view, 0, 32)) {
		trace_layer(job, view, "hypercall (short: %u of 32 bytes)", (unsigned)view->size);
		return;
	}
	trace_format_value(control & HV_CALL_CODE_MASK, FORM_NAME, &trace_hypercall_names, code);
	trace_format_value(trace_get(view, 24, 8) & HV_CALL_STATUS_MASK, FORM_NAME, &trace_hv_status_names,
			   status);
	trace_layer(job, view, "hypercall %s", code);
	trace_detail(job, view, 0, 8, "control", "0x%llx", (unsigned long long)control);
	if ((control & HV_CALL_FAST) == 0) {
		trace_field(job, view, 8, 8, "input", "0x%llx", (unsigned long long)input);
	} else if ((control & HV_CALL_CODE_MASK) == HV_CALL_SIGNAL_EVENT) {
		trace_field(job, view, 8, 4, "connection", "0x%x", (unsigned)trace_get(view, 8, 4));
		trace_field(job, view, 12, 2, "flag", "%u", (unsigned)trace_get(view, 12, 2));
		find_channel(job, owner(job->decoder->connections, (uint32_t)input));
	} else {
		trace_field(job, view, 8, 8, "fast_input", "0x%llx", (unsigned long long)input);
	}
	trace_detail(job, view, 16, 8, "output", "0x%llx", (unsigned long long)trace_get(view, 16, 8));
	trace_field(job, view, 24, 8, "result", "%s", status);
}

/* --- Control messages ----------------------------------------------------------- */

static void note_offer(struct trace_job *job, const struct trace_view *view)
{
	uint32_t channel = (uint32_t)trace_get(view, offsetof(struct vmbus_offer_channel, channel_id), 4);
	uint64_t flags = trace_get(view, offsetof(struct vmbus_offer_channel, flags), 2);
	uint64_t subchannel = trace_get(view, offsetof(struct vmbus_offer_channel, subchannel_index), 2);
	const char *device = trace_interface(view->bytes + sizeof(struct vmbus_message_header));

	if (device == NULL)
		device = flags & VMBUS_OFFER_FLAG_TLNPI ? TRACE_INTERFACE_SOCKET : TRACE_INTERFACE_OTHER;
	trace_field(job, view, sizeof(struct vmbus_message_header), sizeof(struct vmbus_guid), "device", "%s",
		    device);
	if (channel == 0 || channel >= TRACE_CHANNELS)
		return;
	if (trace_has(view, offsetof(struct vmbus_offer_channel, connection_id), 4))
		remember(job->decoder->connections,
			 (uint32_t)trace_get(view, offsetof(struct vmbus_offer_channel, connection_id), 4),
			 channel);
	job->decoder->channels[channel] = (struct trace_channel){.device = device,
								 .subchannel = (uint16_t)subchannel};
}

static void note_contact(struct trace_job *job, const struct trace_view *view)
{
	uint32_t version = (uint32_t)trace_get(view, offsetof(struct vmbus_initiate_contact, version), 4);
	uint32_t at = offsetof(struct vmbus_initiate_contact, interrupt_page_or_target);

	job->decoder->contact_version = version;
	if (version >= VMBUS_VERSION_5_0) {
		trace_field(job, view, at, 1, "sint", "%u", (unsigned)trace_get(view, at, 1));
		trace_field(job, view, at + 1, 1, "vtl", "%u", (unsigned)trace_get(view, at + 1, 1));
	} else {
		trace_field(job, view, at, 8, "interrupt_page", "0x%llx",
			    (unsigned long long)trace_get(view, at, 8));
	}
}

static void note_response(struct trace_job *job, const struct trace_view *view)
{
	uint32_t at = offsetof(struct vmbus_version_response, version_or_connection_id);
	uint32_t value = (uint32_t)trace_get(view, at, 4);

	if (job->decoder->contact_version >= VMBUS_VERSION_5_0)
		trace_field(job, view, at, 4, "connection", "%u", (unsigned)value);
	else
		trace_field(job, view, at, 4, "version", "%u.%u", (unsigned)(value >> 16),
			    (unsigned)(value & 0xffff));
}

/* By the field of that name; else by its GPADL, which a header has bound to a channel. */
static void find_message_channel(struct trace_job *job, const struct trace_view *view,
				 const struct trace_layout *layout)
{
	uint32_t channel = 0, gpadl = 0;

	for (uint32_t n = 0; n < layout->field_count; n++) {
		const struct trace_field *field = &layout->fields[n];

		if (strcmp(field->name, "channel") == 0)
			channel = (uint32_t)trace_get(view, field->at, field->size);
		else if (strcmp(field->name, "gpadl") == 0)
			gpadl = (uint32_t)trace_get(view, field->at, field->size);
		else if (strcmp(field->name, "target_vp") == 0 && channel < TRACE_CHANNELS)
			job->decoder->channels[channel].target_vp = (uint32_t)trace_get(view, field->at,
											field->size);
	}
	if (layout->type == VMBUS_MSG_GPADL_HEADER)
		remember(job->decoder->gpadls, gpadl, channel);
	find_channel(job, channel != 0 ? channel : owner(job->decoder->gpadls, gpadl));
}

void trace_decode_message(struct trace_job *job, const struct trace_view *view)
{
	uint32_t type = (uint32_t)trace_get(view, 0, 4);
	const struct trace_layout *layout = trace_layout(&trace_messages, type);

	if (!trace_has(view, 0, sizeof(struct vmbus_message_header))) {
		trace_layer(job, view, "message (short: %u of 8 bytes)", (unsigned)view->size);
		return;
	}
	if (layout == NULL) {
		trace_layer(job, view, "message-%u", (unsigned)type);
		trace_field(job, view, 0, view->size, "length", "%u", (unsigned)view->size);
		return;
	}
	trace_layer(job, view, "%s", layout->name);
	trace_detail(job, view, 0, 4, "type", "%u", (unsigned)type);
	if (!trace_fields(job, view, layout))
		return;
	find_message_channel(job, view, layout);
	if (type == VMBUS_MSG_OFFER_CHANNEL)
		note_offer(job, view);
	else if (type == VMBUS_MSG_INITIATE_CONTACT)
		note_contact(job, view);
	else if (type == VMBUS_MSG_VERSION_RESPONSE)
		note_response(job, view);
}

/* --- The rest ----------------------------------------------------------------------- */

static void decode_pair(struct trace_job *job, const struct trace_view *view, const char *title,
			const char *first, const char *second)
{
	if (!trace_has(view, 0, 8)) {
		trace_layer(job, view, "%s (short: %u of 8 bytes)", title, (unsigned)view->size);
		return;
	}
	trace_layer(job, view, "%s", title);
	if (first[0] == 'c') /* a connection's number has meaning in hexadecimal */
		trace_field(job, view, 0, 4, first, "0x%x", (unsigned)trace_get(view, 0, 4));
	else
		trace_field(job, view, 0, 4, first, "%u", (unsigned)trace_get(view, 0, 4));
	if (second != NULL)
		trace_field(job, view, 4, 4, second, "%u", (unsigned)trace_get(view, 4, 4));
}

static void decode_text(struct trace_job *job, const struct trace_view *view, const char *title)
{
	char text[TRACE_VALUE_MAX];

	trace_escape(view, text);
	trace_layer(job, view, "%s", title);
	trace_say(job, ": %s", text);
	trace_detail(job, view, 0, view->size, "text", "%s", text);
}

void trace_decode(struct trace_decoder *decoder, const struct trace_record *record,
		  struct trace_decoded *decoded)
{
	struct trace_job job = {decoder, record, decoded};
	struct trace_view view = {record->bytes, record->byte_count, 0};
	struct trace_view external = {record->bytes + record->byte_count, record->external_count,
				      record->byte_count};

	decoded->words[0] = '\0';
	decoded->words_length = decoded->item_count = decoded->text_length = decoded->layers = 0;
	decoded->words_cut = false;
	decoded->channel = record->channel;
	switch (record->kind) {
	case HVH_TRACE_MSR_WRITE:
	case HVH_TRACE_MSR_READ:
		trace_decode_register(&job, &view);
		break;
	case HVH_TRACE_HYPERCALL:
		trace_decode_hypercall(&job, &view);
		break;
	case HVH_TRACE_MESSAGE:
		trace_decode_message(&job, &view);
		break;
	case HVH_TRACE_SIGNAL:
		decode_pair(&job, &view, "signal", "connection", "flag");
		find_channel(&job, owner(decoder->connections, (uint32_t)trace_get(&view, 0, 4)));
		break;
	case HVH_TRACE_EVENT:
		decode_pair(&job, &view, "event", "flag", "sint");
		break;
	case HVH_TRACE_INTERRUPT:
		decode_pair(&job, &view, "interrupt", "vector", NULL);
		break;
	case HVH_TRACE_PACKET:
		trace_decode_packet(&job, &view, &external);
		break;
	case HVH_TRACE_VIOLATION:
		decode_text(&job, &view, "violation");
		break;
	case HVH_TRACE_NOTE:
		decode_text(&job, &view, "note");
		break;
	default:
		trace_layer(&job, &view, "kind-%u", record->kind);
		trace_field(&job, &view, 0, view.size, "length", "%u", (unsigned)view.size);
	}
}
