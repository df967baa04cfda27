/* SPDX-License-Identifier: MIT */
#include "apps/storage/source.h"

#include <string.h>

uint64_t storage_size(const struct storage_source *source)
{
	uint64_t most = UINT64_MAX / source->block_size;

	return (source->blocks < most ? source->blocks : most) * source->block_size;
}

/* Of one block that is not wanted whole. */
static bool read_part(const struct storage_source *source, uint64_t block, uint32_t from, uint8_t *data,
		      uint32_t length)
{
	uint8_t whole[STORAGE_BLOCK_MAX];

	if (!source->read(source->context, block, 1, whole))
		return false;
	memcpy(data, whole + from, length);
	return true;
}

bool storage_read(const struct storage_source *source, uint64_t offset, void *data, uint32_t length)
{
	uint64_t size = storage_size(source);
	uint8_t *to = data;

	if (offset > size || length > size - offset)
		return false;
	while (length) {
		uint64_t block = offset / source->block_size;
		uint32_t from = (uint32_t)(offset % source->block_size);
		uint32_t part = source->block_size - from;

		if (part > length)
			part = length;
		if (from == 0 && length >= source->block_size) {
			part = length - length % source->block_size;
			if (!source->read(source->context, block, part / source->block_size, to))
				return false;
		} else if (!read_part(source, block, from, to, part)) {
			return false;
		}
		to += part;
		offset += part;
		length -= part;
	}
	return true;
}

uint32_t storage_utf8(uint16_t unit, uint16_t next, char text[4], uint32_t *units)
{
	uint32_t code = unit;

	*units = 1;
	if (unit >= 0xd800 && unit <= 0xdbff && next >= 0xdc00 && next <= 0xdfff) {
		code = 0x10000 + ((uint32_t)(unit - 0xd800) << 10) + (uint32_t)(next - 0xdc00);
		*units = 2;
	} else if (unit >= 0xd800 && unit <= 0xdfff) {
		code = 0xfffd;
	}
	if (code < 0x80) {
		text[0] = (char)code;
		return 1;
	}
	if (code < 0x800) {
		text[0] = (char)(0xc0 | code >> 6);
		text[1] = (char)(0x80 | (code & 0x3f));
		return 2;
	}
	if (code < 0x10000) {
		text[0] = (char)(0xe0 | code >> 12);
		text[1] = (char)(0x80 | (code >> 6 & 0x3f));
		text[2] = (char)(0x80 | (code & 0x3f));
		return 3;
	}
	text[0] = (char)(0xf0 | code >> 18);
	text[1] = (char)(0x80 | (code >> 12 & 0x3f));
	text[2] = (char)(0x80 | (code >> 6 & 0x3f));
	text[3] = (char)(0x80 | (code & 0x3f));
	return 4;
}
