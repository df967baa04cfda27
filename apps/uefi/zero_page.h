/* SPDX-License-Identifier: MIT */
/* What the image is told, at an address below 4 GiB: Linux's zero page, and behind it the command line. */
#ifndef UEFI_ZERO_PAGE_H
#define UEFI_ZERO_PAGE_H

#include "apps/netboot/memory_map.h"
#include "apps/uefi/uefi.h"
#include "ports/bare-x86_64/boot_info.h"

#define ZERO_PAGE_BYTES 8192u

/* As the image wants it described; BOOT_SCREEN_NONE if its memory cannot be written to. */
struct boot_screen graphics_screen(const struct efi_graphics_mode *mode);

void zero_page_write(uint8_t pages[ZERO_PAGE_BYTES], uint64_t address, const struct memory_map *map,
		     uint64_t rsdp, const char *line, const struct boot_screen *screen);

#endif
