/* SPDX-License-Identifier: MIT */
#include "apps/hvkit/json.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* Bytes of the UTF-8 sequence at text (Unicode, table 3-7), 0 if it is none. */
static size_t sequence_length(const unsigned char *text)
{
	unsigned char first = text[0], low = 0x80, high = 0xbf;
	size_t length;

	if (first < 0x80)
		return 1;
	if (first >= 0xc2 && first <= 0xdf)
		length = 2;
	else if (first >= 0xe0 && first <= 0xef)
		length = 3;
	else if (first >= 0xf0 && first <= 0xf4)
		length = 4;
	else
		return 0;
	if (first == 0xe0)
		low = 0xa0;
	else if (first == 0xed)
		high = 0x9f; /* no surrogates */
	else if (first == 0xf0)
		low = 0x90;
	else if (first == 0xf4)
		high = 0x8f;
	if (text[1] < low || text[1] > high)
		return 0;
	for (size_t i = 2; i < length; i++) {
		if (text[i] < 0x80 || text[i] > 0xbf)
			return 0;
	}
	return length;
}

static void write_string(struct json *json, const char *value)
{
	const unsigned char *text = (const unsigned char *)value;

	fputc('"', json->file);
	while (*text) {
		size_t length = sequence_length(text);

		if (length == 0) {
			fputs("\\ufffd", json->file);
			text++;
			continue;
		}
		if (*text == '"' || *text == '\\')
			fprintf(json->file, "\\%c", *text);
		else if (*text == '\n')
			fputs("\\n", json->file);
		else if (*text < 0x20 || *text == 0x7f)
			fprintf(json->file, "\\u%04x", *text);
		else
			fwrite(text, 1, length, json->file);
		text += length;
	}
	fputc('"', json->file);
}

static void begin_value(struct json *json, const char *key)
{
	fputs(json->empty[json->depth] ? "\n" : ",\n", json->file);
	json->empty[json->depth] = false;
	for (uint32_t i = 0; i < json->depth; i++)
		fputs("  ", json->file);
	if (key) {
		write_string(json, key);
		fputs(": ", json->file);
	}
}

static void open_level(struct json *json, char opener, char closer)
{
	if (json->depth == JSON_DEPTH_MAX)
		abort(); /* our own fault: the depth does not depend on data */
	fputc(opener, json->file);
	json->depth++;
	json->empty[json->depth] = true;
	json->closer[json->depth] = closer;
}

void json_begin(struct json *json, FILE *file)
{
	memset(json, 0, sizeof(*json));
	json->file = file;
	open_level(json, '{', '}');
}

void json_close(struct json *json)
{
	bool empty = json->empty[json->depth];
	char closer = json->closer[json->depth];

	json->depth--;
	if (!empty) {
		fputc('\n', json->file);
		for (uint32_t i = 0; i < json->depth; i++)
			fputs("  ", json->file);
	}
	fputc(closer, json->file);
}

bool json_end(struct json *json)
{
	while (json->depth)
		json_close(json);
	fputc('\n', json->file);
	return fflush(json->file) == 0 && !ferror(json->file);
}

void json_object(struct json *json, const char *key)
{
	begin_value(json, key);
	open_level(json, '{', '}');
}

void json_array(struct json *json, const char *key)
{
	begin_value(json, key);
	open_level(json, '[', ']');
}

void json_string(struct json *json, const char *key, const char *value)
{
	if (!value) {
		json_null(json, key);
		return;
	}
	begin_value(json, key);
	write_string(json, value);
}

void json_bytes(struct json *json, const char *key, const void *bytes, size_t count)
{
	const uint8_t *byte = bytes;

	begin_value(json, key);
	fputc('"', json->file);
	for (size_t i = 0; i < count; i++)
		fprintf(json->file, "%02x", byte[i]);
	fputc('"', json->file);
}

void json_number(struct json *json, const char *key, uint64_t value)
{
	begin_value(json, key);
	fprintf(json->file, "%" PRIu64, value);
}

void json_signed(struct json *json, const char *key, int64_t value)
{
	begin_value(json, key);
	fprintf(json->file, "%" PRId64, value);
}

void json_seconds(struct json *json, const char *key, uint64_t value)
{
	begin_value(json, key);
	fprintf(json->file, "%" PRIu64 ".%07" PRIu64, value / 10000000, value % 10000000);
}

void json_bool(struct json *json, const char *key, bool value)
{
	begin_value(json, key);
	fputs(value ? "true" : "false", json->file);
}

void json_null(struct json *json, const char *key)
{
	begin_value(json, key);
	fputs("null", json->file);
}
