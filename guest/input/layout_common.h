/* SPDX-License-Identifier: MIT */
/* Rows that layouts share: keys without characters, the keypad. Codes of AT set 1. */
#ifndef HVK_INPUT_LAYOUT_COMMON_H
#define HVK_INPUT_LAYOUT_COMMON_H

#include "hvkit/input.h"

/* The same with and without shift and AltGr. */
#define LAYOUT_SAME(code, key) [code] = {key, key, key, key}
/* Of a keypad: shifted, what Num Lock gives. */
#define LAYOUT_PAD(code, key, digit) [code] = {key, digit, key, digit}

/* clang-format off */
#define LAYOUT_COMMON \
	LAYOUT_SAME(0x01, 0x1b), LAYOUT_SAME(0x0e, '\b'), [0x0f] = {'\t', '\t'}, \
	LAYOUT_SAME(0x1c, '\n'), LAYOUT_SAME(0x1d, HVK_KEY_CONTROL_LEFT), \
	LAYOUT_SAME(0x2a, HVK_KEY_SHIFT_LEFT), LAYOUT_SAME(0x36, HVK_KEY_SHIFT_RIGHT), \
	LAYOUT_SAME(0x37, '*'), LAYOUT_SAME(0x38, HVK_KEY_ALT_LEFT), LAYOUT_SAME(0x39, ' '), \
	LAYOUT_SAME(0x3a, HVK_KEY_CAPS_LOCK), \
	LAYOUT_SAME(0x3b, HVK_KEY_F1), LAYOUT_SAME(0x3c, HVK_KEY_F1 + 1), \
	LAYOUT_SAME(0x3d, HVK_KEY_F1 + 2), \
	LAYOUT_SAME(0x3e, HVK_KEY_F1 + 3), LAYOUT_SAME(0x3f, HVK_KEY_F1 + 4), \
	LAYOUT_SAME(0x40, HVK_KEY_F1 + 5), LAYOUT_SAME(0x41, HVK_KEY_F1 + 6), \
	LAYOUT_SAME(0x42, HVK_KEY_F1 + 7), LAYOUT_SAME(0x43, HVK_KEY_F1 + 8), \
	LAYOUT_SAME(0x44, HVK_KEY_F1 + 9), LAYOUT_SAME(0x57, HVK_KEY_F1 + 10), \
	LAYOUT_SAME(0x58, HVK_KEY_F12), \
	LAYOUT_SAME(0x45, HVK_KEY_NUM_LOCK), LAYOUT_SAME(0x46, HVK_KEY_SCROLL_LOCK), \
	LAYOUT_PAD(0x47, HVK_KEY_HOME, '7'), LAYOUT_PAD(0x48, HVK_KEY_UP, '8'), \
	LAYOUT_PAD(0x49, HVK_KEY_PAGE_UP, '9'), LAYOUT_SAME(0x4a, '-'), \
	LAYOUT_PAD(0x4b, HVK_KEY_LEFT, '4'), LAYOUT_PAD(0x4c, HVK_KEY_NONE, '5'), \
	LAYOUT_PAD(0x4d, HVK_KEY_RIGHT, '6'), LAYOUT_SAME(0x4e, '+'), \
	LAYOUT_PAD(0x4f, HVK_KEY_END, '1'), LAYOUT_PAD(0x50, HVK_KEY_DOWN, '2'), \
	LAYOUT_PAD(0x51, HVK_KEY_PAGE_DOWN, '3'), LAYOUT_PAD(0x52, HVK_KEY_INSERT, '0'), \
	LAYOUT_SAME(0x54, HVK_KEY_PRINT)
/* clang-format on */

#endif
