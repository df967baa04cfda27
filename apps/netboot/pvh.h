/* SPDX-License-Identifier: MIT */
/*
 * ELF files with a PVH entry (Xen's elfnote.h, note 18, and arch-x86/hvm/start_info.h): of either class,
 * x86-64 or i386. Reads the headers, trusts no number in them; says what is copied where.
 */
#ifndef NETBOOT_PVH_H
#define NETBOOT_PVH_H

#include <stddef.h>

#include "apps/netboot/memory_map.h"

#define PVH_SEGMENTS_MAX 32u
#define PVH_MODULES_MAX 8u
#define PVH_START_BYTES 4096u /* what pvh_write_start writes at most */

struct pvh_segment {
	uint64_t offset, length; /* in the file */
	uint64_t address, size;  /* in memory; what the file has not is zeros */
};

struct pvh_image {
	uint64_t entry;
	uint32_t count;
	struct pvh_segment segments[PVH_SEGMENTS_MAX];
};

bool pvh_is_elf(const uint8_t *bytes, uint64_t size);
/* NULL, or what is wrong: a phrase that follows the file's name. */
const char *pvh_read(const uint8_t *bytes, uint64_t size, struct pvh_image *image);
/* Its segments can lie where they want to. NULL, or what is wrong. */
const char *pvh_check_place(const struct pvh_image *image, const struct memory_map *map,
			    const struct memory_span *taken, uint32_t count);

struct pvh_parameters {
	const struct memory_map *map;
	uint64_t command_line, rsdp;
	struct memory_span modules[PVH_MODULES_MAX];
	uint32_t module_count;
};
/* hvm_start_info and what it points to, for a place at that address. */
void pvh_write_start(uint8_t page[PVH_START_BYTES], uint64_t address,
		     const struct pvh_parameters *parameters);

#endif
