/* SPDX-License-Identifier: MIT */
#include "guest/core/dump.h"

#include "guest/core/format.h"

#define LINE_MAX 160u
#define DEPTH_MAX 8u

/* The line up to where its text begins. */
static uint32_t indent(const struct hvk_dump *dump, char *line)
{
	uint32_t bytes = 2 * hvk_min32(dump->depth, DEPTH_MAX);

	memset(line, ' ', bytes);
	line[bytes] = 0;
	return bytes;
}

static uint32_t length_of(const char *text)
{
	uint32_t length = 0;

	while (text[length])
		length++;
	return length;
}

void hvk_dump_begin(struct hvk_dump *dump, const char *name, ...)
{
	char line[LINE_MAX];
	uint32_t at = indent(dump, line);
	va_list arguments;

	va_start(arguments, name);
	hvk_vformat(line + at, sizeof(line) - at - 1, name, arguments);
	va_end(arguments);
	at = length_of(line);
	memcpy(line + at, ":", 2);
	dump->line(dump->context, line);
	dump->depth++;
}

void hvk_dump_end(struct hvk_dump *dump)
{
	HVK_ASSERT(dump->depth > 0);
	dump->depth--;
}

void hvk_dump_value(struct hvk_dump *dump, const char *name, const char *value, ...)
{
	char line[LINE_MAX];
	uint32_t at = indent(dump, line);
	va_list arguments;

	(void)hvk_format(line + at, sizeof(line) - at, "%s: ", name);
	at = length_of(line);
	va_start(arguments, value);
	hvk_vformat(line + at, sizeof(line) - at, value, arguments);
	va_end(arguments);
	dump->line(dump->context, line);
}
