/* SPDX-License-Identifier: MIT */
#include "guest/utilities/utf16.h"

static bool is_high(uint32_t unit)
{
	return unit >= 0xd800 && unit < 0xdc00;
}

static bool is_low(uint32_t unit)
{
	return unit >= 0xdc00 && unit < 0xe000;
}

uint32_t hvk_utf16_length(const uint8_t *units, uint32_t max)
{
	uint32_t length = 0;

	while (length < max && hvk_utf16_unit(units, length) != 0)
		length++;
	return length;
}

/* Bytes of one code point; a lone surrogate counts as one. */
static uint32_t encode(uint32_t point, char out[4])
{
	if (point < 0x80) {
		out[0] = (char)point;
		return 1;
	}
	if (point < 0x800) {
		out[0] = (char)(0xc0 | point >> 6);
		out[1] = (char)(0x80 | (point & 0x3f));
		return 2;
	}
	if (point < 0x10000) {
		out[0] = (char)(0xe0 | point >> 12);
		out[1] = (char)(0x80 | (point >> 6 & 0x3f));
		out[2] = (char)(0x80 | (point & 0x3f));
		return 3;
	}
	out[0] = (char)(0xf0 | point >> 18);
	out[1] = (char)(0x80 | (point >> 12 & 0x3f));
	out[2] = (char)(0x80 | (point >> 6 & 0x3f));
	out[3] = (char)(0x80 | (point & 0x3f));
	return 4;
}

bool hvk_utf16_to_utf8(const uint8_t *units, uint32_t count, char *out, size_t size)
{
	size_t used = 0;

	for (uint32_t i = 0; i < count; i++) {
		uint32_t point = hvk_utf16_unit(units, i);
		char bytes[4];
		uint32_t length;

		if (is_high(point) && i + 1 < count && is_low(hvk_utf16_unit(units, i + 1))) {
			i++;
			point = 0x10000 + ((point - 0xd800) << 10) + (hvk_utf16_unit(units, i) - 0xdc00u);
		}
		length = encode(point, bytes);
		if (used + length >= size) {
			out[used] = '\0';
			return false;
		}
		for (uint32_t n = 0; n < length; n++)
			out[used++] = bytes[n];
	}
	out[used] = '\0';
	return true;
}

/* One code point from text; its bytes, or 0: not UTF-8. Surrogates pass, overlong forms do not. */
static uint32_t decode(const char *text, uint32_t *point)
{
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	uint8_t first = (uint8_t)text[0];
	uint32_t length = first < 0x80 ? 1 : first < 0xc0 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;

	if (length == 0 || first > 0xf4)
		return 0;
	*point = length == 1 ? first : first & (0x7fu >> length);
	for (uint32_t i = 1; i < length; i++) {
		uint8_t byte = (uint8_t)text[i];

		if ((byte & 0xc0) != 0x80) /* the end is none of these either */
			return 0;
		*point = *point << 6 | (byte & 0x3f);
	}
	return *point >= least[length] && *point < 0x110000 ? length : 0;
}

static void put(uint8_t *units, uint32_t index, uint32_t unit)
{
	units[2 * index] = (uint8_t)unit;
	units[2 * index + 1] = (uint8_t)(unit >> 8);
}

uint32_t hvk_utf16_from_utf8(const char *text, uint8_t *units, uint32_t max)
{
	uint32_t count = 0;

	while (*text != '\0') {
		uint32_t point, length = decode(text, &point);
		uint32_t needed;

		if (length == 0)
			return UINT32_MAX;
		needed = point < 0x10000 ? 1 : 2;
		if (needed > max - count)
			return UINT32_MAX;
		if (needed == 1) {
			put(units, count, point);
		} else {
			put(units, count, 0xd800 + ((point - 0x10000) >> 10));
			put(units, count + 1, 0xdc00 + ((point - 0x10000) & 0x3ff));
		}
		count += needed;
		text += length;
	}
	return count;
}
