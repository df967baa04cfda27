/* SPDX-License-Identifier: MIT */
#include "guest/utilities/fcopy_name.h"
#include "guest/utilities/utf16.h"
#include "hvkit/wire/ic.h"

/* Nothing that a file system, a shell or a terminal reads as more than a letter; no drive, no stream. */
static bool is_plain(uint16_t unit)
{
	bool control = unit < 0x20 || (unit >= 0x7f && unit < 0xa0);

	return !control && unit != ':' && unit != '/' && unit != '\\';
}

static bool is_separator(uint16_t unit)
{
	return unit == '/' || unit == '\\';
}

/* Halves of a surrogate pair in order, or neither. */
static bool is_well_formed(const uint8_t *units, uint32_t from, uint32_t to)
{
	for (uint32_t i = from; i < to; i++) {
		uint16_t unit = hvk_utf16_unit(units, i);

		if (unit < 0xd800 || unit >= 0xe000)
			continue;
		if (unit >= 0xdc00 || ++i == to || (hvk_utf16_unit(units, i) & 0xfc00u) != 0xdc00u)
			return false;
	}
	return true;
}

/* The component from, to: not empty, not "." and "..". */
static bool is_component(const uint8_t *units, uint32_t from, uint32_t to)
{
	uint32_t dots = 0;

	for (uint32_t i = from; i < to; i++) {
		if (!is_plain(hvk_utf16_unit(units, i)))
			return false;
		dots += hvk_utf16_unit(units, i) == '.';
	}
	return to > from && !(dots == to - from && dots <= 2) && is_well_formed(units, from, to);
}

/* A field without an end is longer than a path may be. */
static bool find_length(const uint8_t *field, uint32_t *length)
{
	*length = hvk_utf16_length(field, IC_FCOPY_PATH_UNITS);
	return *length < IC_FCOPY_PATH_UNITS;
}

bool hvk_fcopy_name(const uint8_t *field, char *out, size_t size)
{
	uint32_t length;

	return find_length(field, &length) && is_component(field, 0, length) &&
	       hvk_utf16_to_utf8(field, length, out, size);
}

bool hvk_fcopy_path(const uint8_t *field, char *out, size_t size)
{
	uint32_t from = 0, length, begin;

	if (!find_length(field, &length))
		return false;
	while (from < length && is_separator(hvk_utf16_unit(field, from)))
		from++;
	while (length > from && is_separator(hvk_utf16_unit(field, length - 1)))
		length--;
	begin = from;
	for (uint32_t i = from; i <= length && length > from; i++) {
		if (i < length && !is_separator(hvk_utf16_unit(field, i)))
			continue;
		if (!is_component(field, begin, i))
			return false;
		begin = i + 1;
	}
	if (!hvk_utf16_to_utf8(field + 2 * from, length - from, out, size))
		return false;
	for (; *out != '\0'; out++) {
		if (*out == '\\')
			*out = '/';
	}
	return true;
}
