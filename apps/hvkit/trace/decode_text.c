/* SPDX-License-Identifier: MIT */
/* Views of bytes, values as text, and the list of layers and fields that grows. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "apps/hvkit/trace/decode_private.h"

#define BYTES_SHOWN 64u
#define PAGES_SHOWN 28u

struct trace_view trace_part(const struct trace_view *view, uint64_t at, uint64_t size)
{
	struct trace_view part = {view->bytes, 0, view->base};

	if (at > view->size)
		at = view->size;
	if (size > view->size - at)
		size = view->size - at;
	part.bytes = view->bytes + at;
	part.base = view->base + (uint32_t)at;
	part.size = (uint32_t)size;
	return part;
}

bool trace_has(const struct trace_view *view, uint32_t at, uint32_t size)
{
	return at <= view->size && size <= view->size - at;
}

uint64_t trace_get(const struct trace_view *view, uint32_t at, uint32_t size)
{
	uint64_t value = 0;

	if (!trace_has(view, at, size))
		return 0;
	for (uint32_t n = 0; n < size && n < 8; n++)
		value |= (uint64_t)view->bytes[at + n] << 8 * n;
	return value;
}

static uint64_t get_network(const struct trace_view *view, uint32_t at, uint32_t size)
{
	uint64_t value = 0;

	if (!trace_has(view, at, size))
		return 0;
	for (uint32_t n = 0; n < size; n++)
		value = value << 8 | view->bytes[at + n];
	return value;
}

uint32_t trace_get_be(const struct trace_view *view, uint32_t at, uint32_t size)
{
	return (uint32_t)get_network(view, at, size);
}

/* --- What is said ------------------------------------------------------------- */

static void words(struct trace_job *job, const char *text)
{
	struct trace_decoded *out = job->out;
	uint32_t length = (uint32_t)strlen(text);

	if (out->words_cut)
		return;
	if (length > TRACE_WORDS_MAX - 4u - out->words_length) {
		out->words_cut = true;
		text = " ...";
		length = 4;
	}
	memcpy(out->words + out->words_length, text, length + 1u);
	out->words_length += length;
}

static void item(struct trace_job *job, const struct trace_item *new_item, const char *text)
{
	struct trace_decoded *out = job->out;
	uint32_t length = (uint32_t)strlen(text) + 1u;

	if (out->item_count == TRACE_ITEMS_MAX || length > TRACE_TEXT_MAX - out->text_length)
		return;
	out->items[out->item_count] = *new_item;
	out->items[out->item_count++].value = out->text_length;
	memcpy(out->text + out->text_length, text, length);
	out->text_length += length;
}

bool trace_layer(struct trace_job *job, const struct trace_view *view, const char *format, ...)
{
	char text[TRACE_VALUE_MAX];
	struct trace_item layer = {.at = view->base, .size = view->size, .is_layer = true};
	va_list arguments;

	if (job->out->layers == TRACE_LAYERS_MAX)
		return false;
	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	if (job->out->layers++ > 0)
		words(job, " | ");
	words(job, text);
	item(job, &layer, text);
	return true;
}

void trace_detail(struct trace_job *job, const struct trace_view *view, uint32_t at, uint32_t size,
		  const char *name, const char *format, ...)
{
	char text[TRACE_VALUE_MAX];
	struct trace_item field = {.name = name, .at = view->base + at, .size = size};
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	item(job, &field, text);
}

void trace_say(struct trace_job *job, const char *format, ...)
{
	char text[TRACE_VALUE_MAX];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	words(job, text);
}

void trace_field(struct trace_job *job, const struct trace_view *view, uint32_t at, uint32_t size,
		 const char *name, const char *format, ...)
{
	char text[TRACE_VALUE_MAX];
	struct trace_item field = {.name = name, .at = view->base + at, .size = size};
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	item(job, &field, text);
	words(job, " ");
	words(job, name);
	words(job, "=");
	words(job, text);
}

/* --- Values ----------------------------------------------------------------------- */

static void append(char text[TRACE_VALUE_MAX], const char *more)
{
	size_t length = strlen(text);

	snprintf(text + length, TRACE_VALUE_MAX - length, "%s", more);
}

static void format_bits(uint64_t value, const struct trace_names *names, char text[TRACE_VALUE_MAX])
{
	text[0] = '\0';
	for (uint32_t n = 0; n < names->count; n++) {
		if ((value & names->list[n].value) == 0)
			continue;
		append(text, text[0] != '\0' ? "+" : "");
		append(text, names->list[n].name);
		value &= ~names->list[n].value;
	}
	if (value != 0 || text[0] == '\0') {
		char rest[24];

		snprintf(rest, sizeof(rest), "%s0x%llx", text[0] != '\0' ? "+" : "",
			 (unsigned long long)value);
		append(text, rest);
	}
}

static void format_marked(uint64_t value, const struct trace_names *names, char text[TRACE_VALUE_MAX])
{
	char marks[TRACE_VALUE_MAX];

	trace_format_value(value & TRACE_MARKED_MASK, FORM_NAME, names, text);
	if ((value & ~(uint64_t)TRACE_MARKED_MASK) == 0)
		return;
	append(text, "+");
	format_bits(value & ~(uint64_t)TRACE_MARKED_MASK, names, marks);
	append(text, marks);
}

void trace_format_value(uint64_t value, enum trace_form form, const struct trace_names *names,
			char text[TRACE_VALUE_MAX])
{
	const char *name;

	switch (form) {
	case FORM_VERSION:
		snprintf(text, TRACE_VALUE_MAX, "%u.%u", (unsigned)(value >> 16), (unsigned)(value & 0xffff));
		return;
	case FORM_SWAPPED:
		snprintf(text, TRACE_VALUE_MAX, "%u.%u", (unsigned)(value & 0xffff), (unsigned)(value >> 16));
		return;
	case FORM_YES:
		snprintf(text, TRACE_VALUE_MAX, "%s", value & 1 ? "yes" : "no");
		return;
	case FORM_NAME:
		name = trace_name(names, value);
		if (name != NULL)
			snprintf(text, TRACE_VALUE_MAX, "%s", name);
		else
			snprintf(text, TRACE_VALUE_MAX, "0x%llx", (unsigned long long)value);
		return;
	case FORM_BITS:
		format_bits(value, names, text);
		return;
	case FORM_MARKED:
		format_marked(value, names, text);
		return;
	case FORM_DEC:
	case FORM_NETWORK:
		snprintf(text, TRACE_VALUE_MAX, "%llu", (unsigned long long)value);
		return;
	default:
		snprintf(text, TRACE_VALUE_MAX, "0x%llx", (unsigned long long)value);
	}
}

static void format_guid(const struct trace_view *view, uint32_t at, char text[TRACE_VALUE_MAX])
{
	const uint8_t *b = view->bytes + at;

	snprintf(text, TRACE_VALUE_MAX, "%08x-%04x-%04x-%02x%02x-%02x%02x%02x%02x%02x%02x",
		 (unsigned)trace_get(view, at, 4), (unsigned)trace_get(view, at + 4, 2),
		 (unsigned)trace_get(view, at + 6, 2), b[8], b[9], b[10], b[11], b[12], b[13], b[14], b[15]);
}

/* Trailing zero bytes say nothing. */
static void format_bytes(const struct trace_view *view, uint32_t at, uint32_t size,
			 char text[TRACE_VALUE_MAX])
{
	uint32_t used = size;

	while (used > 0 && view->bytes[at + used - 1] == 0)
		used--;
	text[0] = '\0';
	for (uint32_t n = 0; n < used && n < BYTES_SHOWN; n++) {
		char byte[4];

		snprintf(byte, sizeof(byte), "%02x", view->bytes[at + n]);
		append(text, byte);
	}
	if (used > BYTES_SHOWN)
		append(text, "...");
	else if (used == 0)
		snprintf(text, TRACE_VALUE_MAX, "%u zero bytes", (unsigned)size);
}

/* Up to its zero; what is not ASCII as \uXXXX. */
static void format_text16(const struct trace_view *view, uint32_t at, uint32_t size,
			  char text[TRACE_VALUE_MAX])
{
	uint32_t length = 0;

	for (uint32_t n = 0; n + 2u <= size && length + 8u < TRACE_VALUE_MAX; n += 2) {
		uint32_t unit = (uint32_t)trace_get(view, at + n, 2);

		if (unit == 0)
			break;
		if (unit >= 0x20 && unit < 0x7f && unit != '\\')
			text[length++] = (char)unit;
		else
			length += (uint32_t)snprintf(text + length, 7, "\\u%04x", unit);
	}
	text[length] = '\0';
}

void trace_format(const struct trace_view *view, uint32_t at, uint32_t size, enum trace_form form,
		  const struct trace_names *names, char text[TRACE_VALUE_MAX])
{
	text[0] = '\0';
	if (!trace_has(view, at, size))
		return;
	if (form == FORM_GUID)
		format_guid(view, at, text);
	else if (form == FORM_BYTES)
		format_bytes(view, at, size, text);
	else if (form == FORM_TEXT16)
		format_text16(view, at, size, text);
	else if (form == FORM_NETWORK)
		trace_format_value(get_network(view, at, size), form, names, text);
	else
		trace_format_value(trace_get(view, at, size), form, names, text);
}

void trace_escape(const struct trace_view *view, char text[TRACE_VALUE_MAX])
{
	uint32_t length = 0;

	for (uint32_t n = 0; n < view->size && length + 8u < TRACE_VALUE_MAX; n++) {
		uint8_t byte = view->bytes[n];

		if (byte >= 0x20 && byte < 0x7f && byte != '\\')
			text[length++] = (char)byte;
		else
			length += (uint32_t)snprintf(text + length, 5, "\\x%02x", byte);
	}
	text[length] = '\0';
}

/* --- A message by its layout ---------------------------------------------------------- */

/* How many, and in the details which. */
static void say_pages(struct trace_job *job, const struct trace_view *view, const struct trace_field *field)
{
	uint32_t count = (view->size - field->at) / 8u;
	char text[TRACE_VALUE_MAX] = "";

	trace_field(job, view, field->at, view->size - field->at, field->name, "%u", (unsigned)count);
	for (uint32_t n = 0; n < count && n < PAGES_SHOWN; n++) {
		char frame[24];

		snprintf(frame, sizeof(frame), "%s0x%llx", n > 0 ? " " : "",
			 (unsigned long long)trace_get(view, field->at + 8u * n, 8));
		append(text, frame);
	}
	if (count > 0)
		trace_detail(job, view, field->at, view->size - field->at, "frames", "%s", text);
}

static bool is_zero(const struct trace_view *view, uint32_t at, uint32_t size)
{
	for (uint32_t n = 0; n < size; n++) {
		if (view->bytes[at + n] != 0)
			return false;
	}
	return true;
}

static void say_field(struct trace_job *job, const struct trace_view *view, const struct trace_field *field)
{
	uint32_t size = field->size;
	char text[TRACE_VALUE_MAX];

	if (!trace_has(view, field->at, size))
		return;
	if (size == 0)
		size = view->size - field->at;
	if (field->form == FORM_PAGES) {
		say_pages(job, view, field);
		return;
	}
	trace_format(view, field->at, size, (enum trace_form)field->form, field->names, text);
	if (field->show == SHOW_ALWAYS || (field->show == SHOW_NONZERO && !is_zero(view, field->at, size)))
		trace_field(job, view, field->at, size, field->name, "%s", text);
	else
		trace_detail(job, view, field->at, size, field->name, "%s", text);
}

bool trace_fields(struct trace_job *job, const struct trace_view *view, const struct trace_layout *layout)
{
	for (uint32_t n = 0; n < layout->field_count; n++)
		say_field(job, view, &layout->fields[n]);
	if (view->size >= layout->size_min)
		return true;
	trace_say(job, " (short: %u of %u bytes)", (unsigned)view->size, (unsigned)layout->size_min);
	return false;
}
