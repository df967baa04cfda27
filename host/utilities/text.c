/* SPDX-License-Identifier: MIT */
/* Texts as the components have them: UTF-16, little-endian. */
#include <ctype.h>
#include <string.h>

#include "host/utilities/utilities.h"

#define GUID_LENGTH 36u

static void put_unit(uint8_t *units, uint32_t at, uint32_t unit)
{
	units[2 * at] = (uint8_t)unit;
	units[2 * at + 1] = (uint8_t)(unit >> 8);
}

static uint32_t get_unit(const uint8_t *units, uint32_t at)
{
	return (uint32_t)units[2 * at] | (uint32_t)units[2 * at + 1] << 8;
}

uint32_t utility_to_utf16(const char *text, uint8_t *units, uint32_t max)
{
	uint32_t count = 0, point, length;

	for (; *text != '\0'; text += length) {
		length = hvh_utf8_decode(text, &point);
		if (length == 0 || max - count < (point < 0x10000 ? 1u : 2u))
			return UTILITY_BAD_TEXT;
		if (point >= 0x10000) {
			put_unit(units, count++, 0xd800 + ((point - 0x10000) >> 10));
			point = 0xdc00 + ((point - 0x10000) & 0x3ff);
		}
		put_unit(units, count++, point);
	}
	return count;
}

/* What would end a line, or play with a terminal. */
static bool is_control(uint32_t point)
{
	return point < 0x20 || (point >= 0x7f && point < 0xa0) || point == 0x2028 || point == 0x2029;
}

static size_t decode(const uint8_t *units, uint32_t count, bool line, char *text, size_t size)
{
	size_t used = 0;

	for (uint32_t n = 0; n < count; n++) {
		uint32_t point = get_unit(units, n), length;
		char bytes[4];

		if (point == 0)
			break;
		if (point >= 0xd800 && point < 0xdc00 && n + 1 < count &&
		    (get_unit(units, n + 1) & 0xfc00) == 0xdc00)
			point = 0x10000 + ((point - 0xd800) << 10) + (get_unit(units, ++n) - 0xdc00);
		length = hvh_utf8_encode(line && is_control(point) ? '?' : point, bytes);
		if (used + length >= size)
			break;
		memcpy(text + used, bytes, length);
		used += length;
	}
	text[used] = '\0';
	return used;
}

size_t utility_from_utf16(const uint8_t *units, uint32_t count, char *text, size_t size)
{
	return decode(units, count, false, text, size);
}

size_t utility_line_from_utf16(const uint8_t *units, uint32_t count, char *text, size_t size)
{
	return decode(units, count, true, text, size);
}

/* Linux's daemon compares with what its kernel prints. */
bool utility_guid_text(const char *text, char guid[39])
{
	size_t length = strlen(text);
	bool braces = length == GUID_LENGTH + 2 && text[0] == '{' && text[length - 1] == '}';

	if (!braces && length != GUID_LENGTH)
		return false;
	text += braces;
	guid[0] = '{';
	for (uint32_t n = 0; n < GUID_LENGTH; n++) {
		bool dash = n == 8 || n == 13 || n == 18 || n == 23;

		if (dash ? text[n] != '-' : !isxdigit((unsigned char)text[n]))
			return false;
		guid[1 + n] = (char)tolower((unsigned char)text[n]);
	}
	guid[1 + GUID_LENGTH] = '}';
	guid[2 + GUID_LENGTH] = '\0';
	return true;
}

bool utility_mac_text(const char *text, char mac[18])
{
	for (uint32_t n = 0; n < 17; n++) {
		if (n % 3 == 2 ? text[n] != ':' && text[n] != '-' : !isxdigit((unsigned char)text[n]))
			return false;
		mac[n] = n % 3 == 2 ? ':' : (char)toupper((unsigned char)text[n]);
	}
	mac[17] = '\0';
	return text[17] == '\0';
}
