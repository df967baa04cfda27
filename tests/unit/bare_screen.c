/* SPDX-License-Identifier: MIT */
/* Text on a screen: the pixels of letters, lines that scroll, and nothing beside the screen. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ports/bare-x86_64/screen.h"

#define GUARD 4096u
#define PATTERN 0xa5

static struct screen screen;
static uint8_t *memory; /* guards at both ends */
static size_t bytes;

static void open_screen(struct boot_screen on)
{
	bytes = (size_t)screen_bytes(&on);
	memory = malloc(bytes + 2 * GUARD);
	assert_non_null(memory);
	memset(memory, PATTERN, bytes + 2 * GUARD);
	on.address = (uintptr_t)memory + GUARD;
	screen_open(&screen, &on);
}

static void close_screen(void)
{
	for (size_t i = 0; i < GUARD; i++) {
		assert_int_equal(memory[i], PATTERN);
		assert_int_equal(memory[GUARD + bytes + i], PATTERN);
	}
	free(memory);
}

static struct boot_screen pixels(uint32_t width, uint32_t height, uint32_t bits)
{
	return (struct boot_screen){.kind = BOOT_SCREEN_PIXELS,
				    .width = width,
				    .height = height,
				    .pitch = width * bits / 8 + 8,
				    .pixel_bits = bits,
				    .red = {bits == 16 ? 11 : 16, bits == 16 ? 5 : 8},
				    .green = {bits == 16 ? 5 : 8, bits == 16 ? 6 : 8},
				    .blue = {0, bits == 16 ? 5 : 8}};
}

static uint32_t pixel(uint32_t x, uint32_t y)
{
	uint32_t value = 0;

	memcpy(&value, memory + GUARD + y * screen.on.pitch + x * (screen.on.pixel_bits / 8),
	       screen.on.pixel_bits / 8);
	return value;
}

static void write_text(const char *text)
{
	screen_write(&screen, text, strlen(text));
}

static void row_is(uint32_t row, const char *text)
{
	char line[SCREEN_COLUMNS_MAX + 1];
	size_t length = screen.columns;

	memcpy(line, screen.text[row], length);
	while (length && line[length - 1] == ' ')
		length--;
	line[length] = '\0';
	assert_string_equal(line, text);
}

/* Of the letter in that cell, as its points: 0 or the one value that all set ones have. */
static void cell_is(uint32_t column, uint32_t row, char letter, uint32_t white)
{
	uint32_t scale = screen.scale;

	for (uint32_t y = 0; y < 16; y++) {
		for (uint32_t x = 0; x < 6; x++) {
			uint32_t points = y / 2 < 7 ? screen_font[letter - 32][y / 2] : 0;
			uint32_t wanted = x < 5 && (points & (16u >> x)) ? white : 0;

			assert_int_equal(pixel((column * 6 + x) * scale, row * 16 + y), wanted);
			assert_int_equal(pixel((column * 6 + x) * scale + scale - 1, row * 16 + y), wanted);
		}
	}
}

static void letters_are_drawn_in_each_depth(void **state)
{
	static const uint32_t depths[] = {16, 24, 32}, whites[] = {0xffff, 0xffffff, 0xffffff};

	(void)state;
	for (uint32_t i = 0; i < 3; i++) {
		open_screen(pixels(i == 1 ? 1024 : 640, 480, depths[i]));
		screen_show(&screen);
		write_text("A\n  g");
		cell_is(0, 0, 'A', whites[i]);
		cell_is(1, 0, ' ', whites[i]);
		cell_is(2, 1, 'g', whites[i]);
		assert_int_equal(screen.scale, i == 1 ? 2 : 1);
		close_screen();
	}
}

static void nothing_is_touched_before_it_is_shown(void **state)
{
	(void)state;
	open_screen(pixels(640, 480, 32));
	write_text("early");
	for (size_t i = 0; i < bytes; i++)
		assert_int_equal(memory[GUARD + i], PATTERN);
	screen_show(&screen);
	cell_is(4, 0, 'y', 0xffffff);
	assert_int_equal(pixel(639, 479), 0);
	close_screen();
}

static void the_last_lines_stay(void **state)
{
	char line[24];

	(void)state;
	open_screen(pixels(640, 480, 32)); /* 106 by 30 */
	screen_show(&screen);
	assert_int_equal(screen.columns, 106);
	assert_int_equal(screen.rows, 30);
	for (int i = 0; i < 1000; i++) {
		snprintf(line, sizeof(line), "line %d\n", i);
		write_text(line);
	}
	assert_true(screen.row >= 20 && screen.row < 30);
	for (uint32_t row = 0; row < screen.row; row++) {
		snprintf(line, sizeof(line), "line %u", 1000 - screen.row + row);
		row_is(row, line);
		cell_is(8 - 1, row, line[7], 0xffffff);
	}
	cell_is(0, screen.row, ' ', 0xffffff);
	close_screen();
}

static void long_lines_go_on_below(void **state)
{
	(void)state;
	open_screen(pixels(64, 64, 32)); /* 10 by 4 */
	screen_show(&screen);
	write_text("0123456789ab\rc\b\bd\tx\n");
	row_is(0, "0123456789");
	row_is(1, "d       x");
	write_text("\x1b[1;31mred\x1b[0m\x07\xc3\xa4\x1b"
		   "c.");
	row_is(2, "red??.");
	write_text("\fnew");
	row_is(0, "new");
	row_is(1, "");
	row_is(2, "");
	cell_is(0, 1, ' ', 0xffffff);
	for (int i = 0; i < 300; i++)
		write_text("\t\n\t.");
	close_screen();
}

static void letters_of_a_vga(void **state)
{
	struct boot_screen on = {.kind = BOOT_SCREEN_VGA_TEXT, .width = 80, .height = 25, .pitch = 160};

	(void)state;
	open_screen(on);
	screen_show(&screen);
	for (int i = 0; i < 60; i++)
		write_text("Hi\n");
	assert_int_equal(memory[GUARD], 'H');
	assert_int_equal(memory[GUARD + 1], 7);
	assert_int_equal(memory[GUARD + 2], 'i');
	assert_int_equal(memory[GUARD + 4], ' ');
	close_screen();
}

static void without_a_screen_nothing_happens(void **state)
{
	const struct boot_screen none = {.kind = BOOT_SCREEN_NONE};

	(void)state;
	screen_open(&screen, &none);
	write_text("x\n");
	screen_show(&screen);
	write_text("x\n");
	open_screen(pixels(40, 480, 32)); /* six letters: too narrow */
	screen_show(&screen);
	write_text("\t\n");
	assert_int_equal(screen.rows, 0);
	close_screen();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(letters_are_drawn_in_each_depth),
		cmocka_unit_test(nothing_is_touched_before_it_is_shown),
		cmocka_unit_test(the_last_lines_stay),
		cmocka_unit_test(long_lines_go_on_below),
		cmocka_unit_test(letters_of_a_vga),
		cmocka_unit_test(without_a_screen_nothing_happens),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
