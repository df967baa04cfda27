/* SPDX-License-Identifier: MIT */
/* DIN 2137, T1: characters by their code points. */
#include "guest/input/layout_common.h"

/* clang-format off */
const struct hvk_keyboard_layout hvk_keyboard_german = {
	.name = "de",
	.keys = {
		LAYOUT_COMMON,
		[0x29] = {'^', 0xb0},
		[0x02] = {'1', '!'}, [0x03] = {'2', '"', 0xb2}, [0x04] = {'3', 0xa7, 0xb3},
		[0x05] = {'4', '$'},
		[0x06] = {'5', '%'}, [0x07] = {'6', '&'}, [0x08] = {'7', '/', '{'}, [0x09] = {'8', '(', '['},
		[0x0a] = {'9', ')', ']'}, [0x0b] = {'0', '=', '}'}, [0x0c] = {0xdf, '?', '\\', 0x1e9e},
		[0x0d] = {0xb4, '`'},
		[0x10] = {'q', 'Q', '@'}, [0x11] = {'w', 'W'}, [0x12] = {'e', 'E', 0x20ac},
		[0x13] = {'r', 'R'},
		[0x14] = {'t', 'T'}, [0x15] = {'z', 'Z'}, [0x16] = {'u', 'U'}, [0x17] = {'i', 'I'},
		[0x18] = {'o', 'O'}, [0x19] = {'p', 'P'}, [0x1a] = {0xfc, 0xdc}, [0x1b] = {'+', '*', '~'},
		[0x1e] = {'a', 'A'}, [0x1f] = {'s', 'S'}, [0x20] = {'d', 'D'}, [0x21] = {'f', 'F'},
		[0x22] = {'g', 'G'}, [0x23] = {'h', 'H'}, [0x24] = {'j', 'J'}, [0x25] = {'k', 'K'},
		[0x26] = {'l', 'L'}, [0x27] = {0xf6, 0xd6}, [0x28] = {0xe4, 0xc4}, [0x2b] = {'#', '\''},
		[0x2c] = {'y', 'Y'}, [0x2d] = {'x', 'X'}, [0x2e] = {'c', 'C'}, [0x2f] = {'v', 'V'},
		[0x30] = {'b', 'B'}, [0x31] = {'n', 'N'}, [0x32] = {'m', 'M', 0xb5}, [0x33] = {',', ';'},
		[0x34] = {'.', ':'}, [0x35] = {'-', '_'}, [0x56] = {'<', '>', '|'},
		LAYOUT_PAD(0x53, HVK_KEY_DELETE, ','),
	},
	.letters = {0xc7ff0000u, 0x0007f1ffu},
	.alt_gr = true,
};
/* clang-format on */
