/* SPDX-License-Identifier: MIT */
/* What keyboards, mice and integration components say. */
#include <stdio.h>
#include <string.h>

#include "apps/hvkit/trace/decode_private.h"
#include "hvkit/wire/ic.h"
#include "hvkit/wire/input.h"

#define VERSIONS_SHOWN 32u

/* "TITLE NAME" and its fields. NULL: short, or there is no such message; it is said. */
static const struct trace_layout *begin(struct trace_job *job, const struct trace_view *view,
					const struct trace_protocol *protocol, const char *title,
					uint32_t type_size)
{
	uint32_t type = (uint32_t)trace_get(view, 0, type_size);
	const struct trace_layout *layout = trace_layout(protocol, type);

	if (!trace_has(view, 0, type_size)) {
		trace_layer(job, view, "%s (short: %u of %u bytes)", title, (unsigned)view->size,
			    (unsigned)type_size);
		return NULL;
	}
	if (layout == NULL) {
		trace_layer(job, view, "%s type-%u", title, (unsigned)type);
		return NULL;
	}
	trace_layer(job, view, "%s %s", title, layout->name);
	trace_detail(job, view, 0, type_size, "type", "%u", (unsigned)type);
	return trace_fields(job, view, layout) ? layout : NULL;
}

/* What is behind a pipe's header; false: that is short, or of another kind. */
static bool open_pipe(struct trace_job *job, const struct trace_view *view, const char *title,
		      struct trace_view *inner)
{
	uint32_t type = (uint32_t)trace_get(view, 0, 4), size = (uint32_t)trace_get(view, 4, 4);

	*inner = trace_part(view, sizeof(struct pipe_header), size);
	if (trace_has(view, 0, sizeof(struct pipe_header)) && type == PIPE_MESSAGE_DATA)
		return true;
	if (type != PIPE_MESSAGE_DATA && trace_has(view, 0, sizeof(struct pipe_header)))
		trace_layer(job, view, "%s pipe=%u", title, (unsigned)type);
	else
		trace_layer(job, view, "%s (short: %u of 8 bytes)", title, (unsigned)view->size);
	return false;
}

/* --- Bodies of components' messages ------------------------------------------------------------ */

static void say_versions(struct trace_job *job, const struct trace_view *view, uint32_t at, uint32_t count,
			 const char *name)
{
	char text[TRACE_VALUE_MAX], all[TRACE_VALUE_MAX] = "";
	uint32_t have = view->size > at ? (view->size - at) / 4u : 0, length = 0;

	if (have > count)
		have = count;
	for (uint32_t n = 0; n < have && n < VERSIONS_SHOWN; n++) {
		trace_format(view, at + 4u * n, 4, FORM_SWAPPED, NULL, text);
		if (length + strlen(text) + 2u < sizeof(all))
			length += (uint32_t)snprintf(all + length, sizeof(all) - length, "%s%s",
						     length > 0 ? "," : "", text);
	}
	if (have < count)
		trace_say(job, " (%s: %u of %u there)", name, (unsigned)have, (unsigned)count);
	if (have > 0)
		trace_field(job, view, at, 4u * have, name, "%s", all);
}

static void decode_versions(struct trace_job *job, const struct trace_view *body)
{
	uint32_t frameworks = (uint32_t)trace_get(body, 0, 2), messages = (uint32_t)trace_get(body, 2, 2);
	const uint32_t at = sizeof(struct ic_negotiate);

	if (!trace_has(body, 0, at)) {
		trace_layer(job, body, "versions (short: %u of %u bytes)", (unsigned)body->size,
			    (unsigned)at);
		return;
	}
	trace_layer(job, body, "versions");
	say_versions(job, body, at, frameworks, "frameworks");
	say_versions(job, body, at + 4u * frameworks, messages, "messages");
}

/* Text, or a number. */
static void say_pair_value(struct trace_job *job, const struct trace_view *view, uint32_t pair_at)
{
	uint32_t type = (uint32_t)trace_get(view, pair_at, 4);
	uint32_t at = pair_at + (uint32_t)offsetof(struct ic_kvp_value, value);
	bool wide = type == IC_KVP_U64 || type == IC_KVP_U64_LINUX;
	uint32_t size = wide ? 8u : type == IC_KVP_U32 ? 4u : IC_KVP_VALUE_SIZE;
	char text[TRACE_VALUE_MAX];

	trace_format(view, at, size, size > 8u ? FORM_TEXT16 : FORM_HEX, NULL, text);
	if (text[0] != '\0')
		trace_field(job, view, at, size, "value", "%s", text);
}

static void decode_kvp(struct trace_job *job, const struct trace_view *body)
{
	const struct trace_layout *layout = begin(job, body, &trace_kvp, "kvp", 1);

	if (layout == NULL)
		return;
	if (layout->type == IC_KVP_GET || layout->type == IC_KVP_SET)
		say_pair_value(job, body, TRACE_KVP_PAIR);
	else if (layout->type == IC_KVP_ENUMERATE)
		say_pair_value(job, body, TRACE_KVP_ITEM);
}

static void decode_body(struct trace_job *job, const struct trace_view *body, uint32_t type, uint32_t major)
{
	const struct trace_layout *layout;

	if (type == IC_TYPE_NEGOTIATE) {
		decode_versions(job, body);
	} else if (type == IC_TYPE_KVP) {
		decode_kvp(job, body);
	} else if (type == IC_TYPE_VSS) {
		(void)begin(job, body, &trace_vss, "vss", 1);
	} else if (type == IC_TYPE_FCOPY) {
		(void)begin(job, body, &trace_fcopy, "fcopy", 4);
	} else {
		layout = trace_layout(&trace_ic_body,
				      type == IC_TYPE_TIMESYNC && major >= 4 ? TRACE_TIMESYNC_4 : type);
		trace_layer(job, body, "%s", layout->name);
		(void)trace_fields(job, body, layout);
	}
}

/* --- Messages ------------------------------------------------------------------------------------- */

static void decode_component(struct trace_job *job, const struct trace_view *view)
{
	uint32_t type, size, whole = sizeof(struct ic_header);
	const struct trace_layout *layout;
	struct trace_view inner, header, body;

	if (!open_pipe(job, view, "ic", &inner))
		return;
	header = trace_part(&inner, 0, whole);
	type = (uint32_t)trace_get(&header, offsetof(struct ic_header, type), 2);
	size = (uint32_t)trace_get(&header, offsetof(struct ic_header, size), 2);
	layout = trace_layout(&trace_ic, type);
	if (header.size < whole) {
		trace_layer(job, &header, "ic (short: %u of %u bytes)", (unsigned)header.size,
			    (unsigned)whole);
		return;
	}
	if (layout == NULL) {
		trace_layer(job, &header, "ic type-%u", (unsigned)type);
		return;
	}
	trace_layer(job, &header, "ic %s", layout->name);
	trace_detail(job, &header, offsetof(struct ic_header, type), 2, "type", "%u", (unsigned)type);
	(void)trace_fields(job, &header, layout);
	body = trace_part(&inner, whole, size);
	if (body.size < size)
		trace_say(job, " (short: %u of %u bytes)", (unsigned)body.size, (unsigned)size);
	if (body.size > 0)
		decode_body(job, &body, type,
			    (uint32_t)trace_get(&header, offsetof(struct ic_header, version), 2));
}

bool trace_decode_service(struct trace_job *job, const struct trace_view *view, const char *device)
{
	struct trace_view inner;

	if (strcmp(device, TRACE_INTERFACE_KEYBOARD) == 0) {
		(void)begin(job, view, &trace_keyboard, "keyboard", 4);
		return true;
	}
	if (strcmp(device, TRACE_INTERFACE_MOUSE) == 0) {
		if (open_pipe(job, view, "mouse", &inner))
			(void)begin(job, &inner, &trace_mouse, "mouse", 4);
		return true;
	}
	if (!trace_is_component(device))
		return false;
	decode_component(job, view);
	return true;
}
