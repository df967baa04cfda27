/* SPDX-License-Identifier: MIT */
/* UTF-8, a code point at a time. */
#include "host/core/core.h"

uint32_t hvh_utf8_decode(const char *text, uint32_t *point)
{
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	uint8_t first = (uint8_t)text[0];
	uint32_t length = first < 0x80 ? 1 : first < 0xc2 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;

	if (length == 0 || first > 0xf4)
		return 0;
	*point = length == 1 ? first : first & (0x7fu >> length);
	for (uint32_t n = 1; n < length; n++) {
		uint8_t byte = (uint8_t)text[n];

		if ((byte & 0xc0u) != 0x80) /* the end is none of these either */
			return 0;
		*point = *point << 6 | (byte & 0x3fu);
	}
	return *point >= least[length] && *point <= 0x10ffff ? length : 0;
}

uint32_t hvh_utf8_encode(uint32_t point, char text[4])
{
	static const uint8_t marks[] = {0, 0, 0xc0, 0xe0, 0xf0};
	uint32_t length = point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;

	for (uint32_t n = length - 1; n > 0; n--) {
		text[n] = (char)(0x80 | (point & 0x3f));
		point >>= 6;
	}
	text[0] = (char)(marks[length] | point);
	return length;
}
