/* SPDX-License-Identifier: MIT */
#include "host/core/dump.h"

#include <stdarg.h>
#include <stdio.h>

#define LINE_BYTES 256u
#define INDENT 2u
#define DEPTH_MAX 16u

static uint32_t indentation(const struct hvh_dump *dump)
{
	return INDENT * (dump->depth < DEPTH_MAX ? dump->depth : DEPTH_MAX);
}

void hvh_dump_begin(struct hvh_dump *dump, const char *name)
{
	char line[LINE_BYTES];

	snprintf(line, sizeof(line), "%*s%s:", (int)indentation(dump), "", name);
	dump->line(dump->context, line);
	dump->depth++;
}

void hvh_dump_begin_number(struct hvh_dump *dump, const char *name, uint32_t number)
{
	char text[HVH_DUMP_NAME_MAX];

	snprintf(text, sizeof(text), "%s-%u", name, number);
	hvh_dump_begin(dump, text);
}

void hvh_dump_begin_hex(struct hvh_dump *dump, const char *name, uint32_t number)
{
	char text[HVH_DUMP_NAME_MAX];

	snprintf(text, sizeof(text), "%s-%x", name, number);
	hvh_dump_begin(dump, text);
}

void hvh_dump_end(struct hvh_dump *dump)
{
	dump->depth--;
}

void hvh_dump_text(struct hvh_dump *dump, const char *name, const char *format, ...)
{
	char line[LINE_BYTES];
	va_list arguments;
	int used = snprintf(line, sizeof(line), "%*s%s: ", (int)indentation(dump), "", name);

	if (used < 0 || (size_t)used >= sizeof(line))
		return;
	va_start(arguments, format);
	vsnprintf(line + used, sizeof(line) - (size_t)used, format, arguments);
	va_end(arguments);
	dump->line(dump->context, line);
}

void hvh_dump_number(struct hvh_dump *dump, const char *name, uint64_t value)
{
	hvh_dump_text(dump, name, "%llu", (unsigned long long)value);
}

void hvh_dump_hex(struct hvh_dump *dump, const char *name, uint64_t value)
{
	hvh_dump_text(dump, name, "0x%llx", (unsigned long long)value);
}

void hvh_dump_flag(struct hvh_dump *dump, const char *name, bool value)
{
	hvh_dump_text(dump, name, "%s", value ? "yes" : "no");
}

void hvh_dump_time(struct hvh_dump *dump, const char *name, uint64_t time)
{
	if (time == HVH_NEVER)
		hvh_dump_text(dump, name, "never");
	else
		hvh_dump_text(dump, name, "%llu.%07llu s", (unsigned long long)(time / HVH_TIME_PER_SECOND),
			      (unsigned long long)(time % HVH_TIME_PER_SECOND));
}

/* As people write it: the first three fields are little-endian on the wire. */
void hvh_dump_guid(struct hvh_dump *dump, const char *name, const uint8_t b[16])
{
	hvh_dump_text(dump, name, "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x",
		      b[3], b[2], b[1], b[0], b[5], b[4], b[7], b[6], b[8], b[9], b[10], b[11], b[12], b[13],
		      b[14], b[15]);
}
