/* SPDX-License-Identifier: MIT */
/* Texts from and to the host: UTF-16, little-endian. Pure functions. */
#ifndef HVK_UTILITIES_UTF16_H
#define HVK_UTILITIES_UTF16_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

static inline uint16_t hvk_utf16_unit(const uint8_t *units, uint32_t index)
{
	return (uint16_t)(units[2 * index] | units[2 * index + 1] << 8);
}

/* Units up to the first zero, at most max. */
uint32_t hvk_utf16_length(const uint8_t *units, uint32_t max);
/* count units to UTF-8 with its end; what is not well-formed as its three bytes. False: out is too small
 * (what fits is there, cut between characters). A unit makes at most three bytes. */
bool hvk_utf16_to_utf8(const uint8_t *units, uint32_t count, char *out, size_t size);
/* The way back, the same bytes as they came. Returns units without an end, or UINT32_MAX: not UTF-8, or
 * more than max. */
uint32_t hvk_utf16_from_utf8(const char *text, uint8_t *units, uint32_t max);

#endif
