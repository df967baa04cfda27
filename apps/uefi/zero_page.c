/* SPDX-License-Identifier: MIT */
/* Source: Linux include/uapi/linux/screen_info.h and Documentation/arch/x86/zero-page.rst. */
#include "apps/uefi/zero_page.h"

#include <string.h>

#include "apps/netboot/linux_bzimage.h"

#define COMMAND_LINE 4096u /* from where on */

enum {
	SCREEN_KIND = 0x0f,
	SCREEN_WIDTH = 0x12,
	SCREEN_HEIGHT = 0x14,
	SCREEN_DEPTH = 0x16,
	SCREEN_BASE = 0x18,
	SCREEN_BYTES = 0x1c,
	SCREEN_PITCH = 0x24,
	SCREEN_COLOURS = 0x26, /* bits and position of red, green, blue */
	SCREEN_CAPABILITIES = 0x36,
	SCREEN_BASE_HIGH = 0x3a,
};
#define SCREEN_KIND_EFI 0x70u
#define SCREEN_BASE_OF_64_BITS 2u

static void put(uint8_t *page, uint32_t offset, uint64_t value, uint32_t bytes)
{
	for (uint32_t i = 0; i < bytes; i++)
		page[offset + i] = (uint8_t)(value >> 8 * i);
}

static void put_screen(uint8_t *page, const struct boot_screen *screen)
{
	const struct boot_channel channels[] = {screen->red, screen->green, screen->blue};

	if (screen->kind != BOOT_SCREEN_PIXELS)
		return;
	page[SCREEN_KIND] = SCREEN_KIND_EFI;
	put(page, SCREEN_WIDTH, screen->width, 2);
	put(page, SCREEN_HEIGHT, screen->height, 2);
	put(page, SCREEN_DEPTH, screen->pixel_bits, 2);
	put(page, SCREEN_BASE, screen->address, 4);
	put(page, SCREEN_BASE_HIGH, screen->address >> 32, 4);
	put(page, SCREEN_CAPABILITIES, SCREEN_BASE_OF_64_BITS, 4);
	put(page, SCREEN_BYTES, (uint64_t)screen->pitch * screen->height, 4);
	put(page, SCREEN_PITCH, screen->pitch, 2);
	for (uint32_t i = 0; i < 3; i++) {
		page[SCREEN_COLOURS + 2 * i] = channels[i].bits;
		page[SCREEN_COLOURS + 2 * i + 1] = channels[i].position;
	}
}

void zero_page_write(uint8_t pages[ZERO_PAGE_BYTES], uint64_t address, const struct memory_map *map,
		     uint64_t rsdp, const char *line, const struct boot_screen *screen)
{
	const struct linux_image nothing = {.header_length = 0};
	const struct linux_parameters parameters = {
		.map = map, .command_line = address + COMMAND_LINE, .rsdp = rsdp};
	size_t length = strlen(line);

	linux_write_zero_page(pages, &nothing, &parameters);
	put_screen(pages, screen);
	if (length > BOOT_COMMAND_LINE_MAX)
		length = BOOT_COMMAND_LINE_MAX;
	memcpy(pages + COMMAND_LINE, line, length);
	pages[COMMAND_LINE + length] = '\0';
}

/* --- The screen --------------------------------------------------------------------------------- */

static struct boot_channel channel_of(uint32_t mask)
{
	struct boot_channel channel = {0, 0};

	while (mask && !(mask & 1)) {
		mask >>= 1;
		channel.position++;
	}
	for (; mask; mask >>= 1)
		channel.bits++;
	return channel;
}

static uint32_t bits_of(uint32_t masks)
{
	uint32_t bits = 0;

	for (; masks; masks >>= 1)
		bits++;
	return (bits + 7) & ~7u;
}

struct boot_screen graphics_screen(const struct efi_graphics_mode *mode)
{
	const struct efi_graphics_information *information = mode->information;
	struct boot_screen screen = {.kind = BOOT_SCREEN_PIXELS,
				     .address = mode->base,
				     .width = information->width,
				     .height = information->height,
				     .pixel_bits = 32,
				     .red = {0, 8},
				     .green = {8, 8},
				     .blue = {16, 8}};

	switch (information->format) {
	case EFI_PIXELS_RGB:
		break;
	case EFI_PIXELS_BGR:
		screen.red.position = 16;
		screen.blue.position = 0;
		break;
	case EFI_PIXELS_MASKS:
		screen.red = channel_of(information->red_mask);
		screen.green = channel_of(information->green_mask);
		screen.blue = channel_of(information->blue_mask);
		screen.pixel_bits = bits_of(information->red_mask | information->green_mask |
					    information->blue_mask | information->reserved_mask);
		break;
	default:
		screen.kind = BOOT_SCREEN_NONE;
	}
	screen.pitch = information->pixels_per_line * (screen.pixel_bits / 8);
	return screen;
}
