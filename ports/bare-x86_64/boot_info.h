/* SPDX-License-Identifier: MIT */
/*
 * What the loader says: memory map, command line, where ACPI begins and what can be written on, from any
 * of three forms. Sources: Xen public/arch-x86/hvm/start_info.h; Linux Documentation/arch/x86/zero-page.rst
 * and include/uapi/linux/screen_info.h; Multiboot 2 Specification 2.0, 3.6.
 */
#ifndef BARE_BOOT_INFO_H
#define BARE_BOOT_INFO_H

#include "ports/bare-x86_64/page_set.h"
#include "ports/bare-x86_64/physical.h"

#define BOOT_RANGES_MAX 128u
#define BOOT_COMMAND_LINE_MAX 2047u

enum boot_form { BOOT_PVH = 1, BOOT_ZERO_PAGE = 2, BOOT_MULTIBOOT = 3 };

struct boot_range {
	uint64_t address, length;
	uint32_t type; /* as in E820 */
};
#define BOOT_RANGE_RAM 1u

enum boot_screen_kind { BOOT_SCREEN_NONE, BOOT_SCREEN_PIXELS, BOOT_SCREEN_VGA_TEXT };

struct boot_channel {
	uint8_t position, bits; /* of a colour in a pixel */
};

struct boot_screen {
	enum boot_screen_kind kind;
	uint64_t address;
	uint32_t width, height; /* in pixels, or letters */
	uint32_t pitch;         /* bytes from line to line */
	uint32_t pixel_bits;    /* 16, 24 or 32 */
	struct boot_channel red, green, blue;
};

struct boot_info {
	struct boot_range ranges[BOOT_RANGES_MAX];
	uint32_t range_count;
	char command_line[BOOT_COMMAND_LINE_MAX + 1];
	uint64_t rsdp; /* 0: not said. It may lie in what the memory map calls RAM */
	struct boot_screen screen;
};

/* NULL, or what is wrong with it. */
const char *boot_info_read(struct boot_info *info, enum boot_form form, const struct physical *from,
			   uint64_t address);

/* Between boot_info.c and boot_multiboot.c: a text of at most that many bytes with its end, and a screen
 * that is one we can write on, else none. */
const char *boot_read_command_line(struct boot_info *info, const struct physical *from, uint64_t address,
				   uint64_t bytes);
const char *boot_read_multiboot(struct boot_info *info, const struct physical *from, uint64_t address);
void boot_set_screen(struct boot_info *info, const struct boot_screen *screen);

/* The whole pages of RAM: ranges said to be something else as well are none. Pages from limit on
 * are left out. */
void boot_info_ram(const struct boot_info *info, uint64_t limit, struct page_set *ram);

#endif
