/* SPDX-License-Identifier: MIT */
#include "ports/bare-x86_64/screen.h"

#define WIDE_SCREEN 960u /* from here on points are two pixels wide */
#define POINT_HEIGHT 2u
#define CELL_ROWS ((SCREEN_LETTER_ROWS + 1) * POINT_HEIGHT)
#define CELL_POINTS (SCREEN_LETTER_COLUMNS + 1)
#define TAB 8u
#define ESCAPE 0x1b
#define VGA_ATTRIBUTE 0x0700u /* grey on black */
/* Each line drawn anew is slow where memory is not cached: at the last one several make room. */
#define SCROLL_PARTS 4u

enum { ESCAPE_NONE, ESCAPE_BEGUN, ESCAPE_SEQUENCE };

/* --- Points ------------------------------------------------------------------------------------- */

static uint32_t channel(const struct boot_channel *channel)
{
	return ((1u << channel->bits) - 1) << channel->position;
}

static void put_pixel(volatile uint8_t *at, uint32_t pixel_bits, uint32_t value)
{
	if (pixel_bits == 32) {
		*(volatile uint32_t *)(uintptr_t)at = value;
		return;
	}
	for (uint32_t i = 0; i < pixel_bits / 8; i++)
		at[i] = (uint8_t)(value >> 8 * i);
}

static void draw_pixels(const struct screen *self, uint32_t column, uint32_t row, char c)
{
	const struct boot_screen *on = &self->on;
	const uint8_t *letter = screen_font[(uint8_t)c - SCREEN_FIRST_LETTER];
	uint32_t bytes = on->pixel_bits / 8, width = CELL_POINTS * self->scale;
	uint32_t white = channel(&on->red) | channel(&on->green) | channel(&on->blue);
	uint64_t cell = on->address + (uint64_t)row * CELL_ROWS * on->pitch +
			(uint64_t)column * width * bytes;

	for (uint32_t y = 0; y < CELL_ROWS; y++) {
		volatile uint8_t *at = (volatile uint8_t *)(uintptr_t)(cell + (uint64_t)y * on->pitch);
		uint32_t points = y / POINT_HEIGHT < SCREEN_LETTER_ROWS ? letter[y / POINT_HEIGHT] : 0;

		for (uint32_t x = 0; x < width; x++) {
			bool set = points << x / self->scale & 1u << (SCREEN_LETTER_COLUMNS - 1);

			put_pixel(at + (uint64_t)x * bytes, on->pixel_bits, set ? white : 0);
		}
	}
}

static void draw(const struct screen *self, uint32_t column, uint32_t row, char c)
{
	uint64_t cell = self->on.address + (uint64_t)row * self->on.pitch + column * 2u;

	if (self->on.kind == BOOT_SCREEN_PIXELS)
		draw_pixels(self, column, row, c);
	else
		*(volatile uint16_t *)(uintptr_t)cell = (uint16_t)(VGA_ATTRIBUTE | (uint8_t)c);
}

static void draw_changes(struct screen *self)
{
	for (uint32_t row = 0; self->shown && row < self->rows; row++) {
		for (uint32_t column = 0; column < self->columns; column++) {
			char c = self->text[row][column];

			if (self->drawn[row][column] == c)
				continue;
			self->drawn[row][column] = c;
			draw(self, column, row, c);
		}
	}
}

/* --- Text ----------------------------------------------------------------------------------------- */

static void blank(struct screen *self, uint32_t row)
{
	for (uint32_t column = 0; column < SCREEN_COLUMNS_MAX; column++)
		self->text[row][column] = ' ';
}

static void scroll(struct screen *self)
{
	uint32_t by = self->rows / SCROLL_PARTS + 1;

	if (by > self->rows)
		by = self->rows;
	for (uint32_t row = 0; row < self->rows; row++) {
		if (row + by >= self->rows) {
			blank(self, row);
			continue;
		}
		for (uint32_t column = 0; column < self->columns; column++)
			self->text[row][column] = self->text[row + by][column];
	}
	self->row -= by;
	draw_changes(self);
}

static void new_line(struct screen *self)
{
	self->column = 0;
	if (++self->row >= self->rows)
		scroll(self);
}

static void put_letter(struct screen *self, char c)
{
	if (self->column >= self->columns)
		new_line(self);
	self->text[self->row][self->column] = c;
	if (self->shown && self->drawn[self->row][self->column] != c) {
		self->drawn[self->row][self->column] = c;
		draw(self, self->column, self->row, c);
	}
	self->column++;
}

/* True: c is part of an escape sequence, of which nothing is shown. */
static bool is_escaped(struct screen *self, char c)
{
	if (self->escape == ESCAPE_NONE) {
		if (c == ESCAPE)
			self->escape = ESCAPE_BEGUN;
		return c == ESCAPE;
	}
	if (self->escape == ESCAPE_BEGUN)
		self->escape = c == '[' ? ESCAPE_SEQUENCE : ESCAPE_NONE;
	else if (c >= '@' && c <= '~')
		self->escape = ESCAPE_NONE;
	return true;
}

static void clear(struct screen *self)
{
	for (uint32_t row = 0; row < self->rows; row++)
		blank(self, row);
	self->column = self->row = 0;
	draw_changes(self);
}

static void put(struct screen *self, char c)
{
	if (is_escaped(self, c))
		return;
	switch (c) {
	case '\n':
		new_line(self);
		return;
	case '\r':
		self->column = 0;
		return;
	case '\f':
		clear(self);
		return;
	case '\b':
		self->column -= self->column != 0;
		return;
	case '\t':
		do
			put_letter(self, ' ');
		while (self->column % TAB);
		return;
	default:
		if (c >= 0 && c < (char)SCREEN_FIRST_LETTER)
			return;
		put_letter(self, c >= ' ' && c <= '~' ? c : '?');
	}
}

void screen_write(struct screen *self, const char *text, size_t length)
{
	for (size_t i = 0; i < length && self->rows; i++)
		put(self, text[i]);
}

/* --- The beginning ---------------------------------------------------------------------------------- */

uint64_t screen_bytes(const struct boot_screen *on)
{
	return on->kind == BOOT_SCREEN_NONE ? 0 : (uint64_t)on->pitch * on->height;
}

static uint32_t least(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

void screen_open(struct screen *self, const struct boot_screen *on)
{
	uint32_t across = on->width, down = on->height;

	self->on = *on;
	self->column = self->row = self->columns = self->rows = 0;
	self->shown = false;
	self->escape = ESCAPE_NONE;
	if (on->kind == BOOT_SCREEN_NONE)
		return;
	self->scale = on->width >= WIDE_SCREEN ? 2 : 1;
	if (on->kind == BOOT_SCREEN_PIXELS) {
		across /= CELL_POINTS * self->scale;
		down /= CELL_ROWS;
	}
	if (across < TAB || down == 0) /* a tab would not end */
		return;
	self->columns = least(across, SCREEN_COLUMNS_MAX);
	self->rows = least(down, SCREEN_ROWS_MAX);
	for (uint32_t row = 0; row < SCREEN_ROWS_MAX; row++)
		blank(self, row);
}

void screen_show(struct screen *self)
{
	uint64_t bytes = screen_bytes(&self->on);

	if (self->rows == 0 || self->shown)
		return;
	for (uint64_t i = 0; self->on.kind == BOOT_SCREEN_PIXELS && i + 4 <= bytes; i += 4)
		*(volatile uint32_t *)(uintptr_t)(self->on.address + i) = 0;
	for (uint32_t row = 0; row < SCREEN_ROWS_MAX; row++) {
		for (uint32_t column = 0; column < SCREEN_COLUMNS_MAX; column++)
			self->drawn[row][column] = '\0'; /* like nothing in the text */
	}
	self->shown = true;
	draw_changes(self);
}
