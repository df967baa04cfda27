/* SPDX-License-Identifier: MIT */
/* The screen that the loader has left, as the console's second face: where COM1 goes nowhere, it is the
 * only one. */
#include "ports/bare-x86_64/private.h"
#include "ports/bare-x86_64/screen.h"

static struct screen screen;
static bool hidden;

static uint64_t first_page(void)
{
	return screen.on.address >> PAGE_SHIFT;
}

static uint64_t page_count(void)
{
	uint64_t end = screen.on.address + screen_bytes(&screen.on) + PAGE_SIZE - 1;

	return (end >> PAGE_SHIFT) - first_page();
}

void display_open(const struct boot_screen *on, const struct page_set *ram)
{
	static const struct boot_screen none;

	screen_open(&screen, on);
	if (on->kind != BOOT_SCREEN_NONE && page_set_overlaps(ram, first_page(), page_count()))
		screen_open(&screen, &none); /* a mistake of somebody's: memory is not to be drawn on */
	else if ((first_page() + page_count()) << PAGE_SHIFT <= LOW_LIMIT)
		screen_show(&screen);
}

void display_mapped(void)
{
	screen_show(&screen);
}

void display_write(const char *text, size_t length)
{
	if (!hidden)
		screen_write(&screen, text, length);
}

void bare_show(bool on_screen)
{
	hidden = !on_screen;
}

bool display_window(uint64_t *address, uint64_t *length)
{
	*address = first_page() << PAGE_SHIFT;
	*length = page_count() << PAGE_SHIFT;
	return screen.on.kind != BOOT_SCREEN_NONE;
}
