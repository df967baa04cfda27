/* SPDX-License-Identifier: MIT */
/*
 * Writes JSON (RFC 8259) to a file, indented. Strings may hold any bytes: what JSON
 * cannot hold is escaped, what is not UTF-8 becomes U+FFFD. Keys are NULL inside
 * arrays.
 */
#ifndef CLI_JSON_H
#define CLI_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define JSON_DEPTH_MAX 15u

struct json {
	FILE *file;
	uint32_t depth;
	bool empty[JSON_DEPTH_MAX + 1]; /* nothing written yet at this depth */
	char closer[JSON_DEPTH_MAX + 1];
};

void json_begin(struct json *json, FILE *file); /* the outermost object */
bool json_end(struct json *json);               /* false if anything could not be written */

void json_object(struct json *json, const char *key);
void json_array(struct json *json, const char *key);
void json_close(struct json *json);

void json_string(struct json *json, const char *key, const char *value);              /* NULL writes null */
void json_bytes(struct json *json, const char *key, const void *bytes, size_t count); /* as hexadecimal */
void json_number(struct json *json, const char *key, uint64_t value);
void json_signed(struct json *json, const char *key, int64_t value);
/* value / 10^7, exactly */
void json_seconds(struct json *json, const char *key, uint64_t value);
void json_bool(struct json *json, const char *key, bool value);
void json_null(struct json *json, const char *key);

#endif
