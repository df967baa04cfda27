/* SPDX-License-Identifier: MIT */
/*
 * Text on the screen that a loader has left: pixels of a frame buffer, or a VGA's letters. What is written
 * before the memory may be touched is kept, and shown then. No colours; of escape sequences nothing is seen;
 * a form feed empties the screen.
 */
#ifndef BARE_SCREEN_H
#define BARE_SCREEN_H

#include "ports/bare-x86_64/boot_info.h"

#define SCREEN_FIRST_LETTER 32u
#define SCREEN_LETTERS 95u
#define SCREEN_LETTER_ROWS 7u
#define SCREEN_LETTER_COLUMNS 5u
extern const uint8_t screen_font[SCREEN_LETTERS][SCREEN_LETTER_ROWS];

#define SCREEN_COLUMNS_MAX 160u
#define SCREEN_ROWS_MAX 64u

struct screen {
	struct boot_screen on;
	uint32_t columns, rows; /* of letters */
	uint32_t scale;         /* points are so many pixels wide */
	uint32_t column, row;   /* where the next goes */
	bool shown;
	uint8_t escape; /* how far into a sequence */
	char text[SCREEN_ROWS_MAX][SCREEN_COLUMNS_MAX];
	char drawn[SCREEN_ROWS_MAX][SCREEN_COLUMNS_MAX];
};

/* Nothing is touched yet. BOOT_SCREEN_NONE does for one, too. */
void screen_open(struct screen *self, const struct boot_screen *on);
/* The memory is mapped, one to one: emptied, and all so far shown. */
void screen_show(struct screen *self);
void screen_write(struct screen *self, const char *text, size_t length);
/* Bytes of memory from on.address on. */
uint64_t screen_bytes(const struct boot_screen *on);

#endif
