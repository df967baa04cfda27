/* SPDX-License-Identifier: MIT */
/*
 * What the loader says: memory map, command line and where ACPI begins, from either form.
 * Sources: Xen public/arch-x86/hvm/start_info.h; Linux Documentation/arch/x86/zero-page.rst.
 */
#ifndef BARE_BOOT_INFO_H
#define BARE_BOOT_INFO_H

#include "ports/bare-x86_64/page_set.h"
#include "ports/bare-x86_64/physical.h"

#define BOOT_RANGES_MAX 128u
#define BOOT_COMMAND_LINE_MAX 2047u

enum boot_form { BOOT_PVH = 1, BOOT_ZERO_PAGE = 2 };

struct boot_range {
	uint64_t address, length;
	uint32_t type; /* as in E820 */
};
#define BOOT_RANGE_RAM 1u

struct boot_info {
	struct boot_range ranges[BOOT_RANGES_MAX];
	uint32_t range_count;
	char command_line[BOOT_COMMAND_LINE_MAX + 1];
	uint64_t rsdp; /* 0: not said */
};

/* NULL, or what is wrong with it. */
const char *boot_info_read(struct boot_info *info, enum boot_form form, const struct physical *from,
			   uint64_t address);

/* The whole pages of RAM: ranges said to be something else as well are none. Pages from limit on
 * are left out. */
void boot_info_ram(const struct boot_info *info, uint64_t limit, struct page_set *ram);

#endif
