/* SPDX-License-Identifier: MIT */
#include "apps/net/http_headers.h"

#include <string.h>

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

/* The value of a header line of that name (lower case), or NULL. */
static const char *value_of(const char *line, const char *name)
{
	for (; *name; line++, name++) {
		if (lower(*line) != *name)
			return NULL;
	}
	if (*line != ':')
		return NULL;
	for (line++; *line == ' ' || *line == '\t'; line++)
		;
	return line;
}

/* HTTP/1.x SP three digits [SP reason] */
static void take_status(struct http_headers *headers, const char *line)
{
	uint32_t status = 0, used = 0;

	if (strncmp(line, "HTTP/1.", 7) != 0 || line[7] < '0' || line[7] > '9' || line[8] != ' ')
		return;
	for (line += 9; used < 3; used++, line++) {
		if (*line < '0' || *line > '9')
			return;
		status = status * 10 + (uint32_t)(*line - '0');
	}
	if (*line != '\0' && *line != ' ')
		return;
	headers->status = status;
	if (*line == ' ')
		line++;
	for (used = 0; *line && used < sizeof(headers->reason) - 1; line++)
		headers->reason[used++] = *line >= ' ' && *line < 0x7f ? *line : '?';
	headers->reason[used] = '\0';
}

static void take_length(struct http_headers *headers, const char *value)
{
	uint64_t length = 0;
	const char *at = value;

	for (; *at >= '0' && *at <= '9'; at++) {
		uint64_t digit = (uint64_t)(*at - '0');

		if (length > (UINT64_MAX - digit) / 10) {
			headers->malformed = true;
			return;
		}
		length = length * 10 + digit;
	}
	if (at == value)
		headers->malformed = true;
	for (; *at == ' ' || *at == '\t'; at++)
		;
	if (*at || (headers->length_known && headers->length != length))
		headers->malformed = true;
	headers->length = length;
	headers->length_known = true;
}

static void take_line(struct http_headers *headers)
{
	const char *value;

	headers->line[headers->used] = '\0';
	if (headers->lines++ == 0) {
		take_status(headers, headers->line);
		return;
	}
	value = value_of(headers->line, "content-length");
	if (value && headers->cut)
		headers->malformed = true; /* not the number that begins like this */
	else if (value)
		take_length(headers, value);
	value = value_of(headers->line, "transfer-encoding");
	if (value && strcmp(value, "identity") != 0)
		headers->encoded = true;
}

void http_headers_begin(struct http_headers *headers)
{
	memset(headers, 0, sizeof(*headers));
}

void http_headers_add(struct http_headers *headers, char byte)
{
	if (byte == '\n') {
		if (headers->used && headers->line[headers->used - 1] == '\r')
			headers->used--;
		take_line(headers);
		headers->used = 0;
		headers->cut = false;
	} else if (headers->used < HTTP_LINE_MAX) {
		headers->line[headers->used++] = byte;
	} else {
		headers->cut = true;
	}
}
