/* SPDX-License-Identifier: MIT */
/*
 * Linux's bzImage by its 64-bit entry (Linux Documentation/arch/x86/boot.rst and zero-page.rst). Reads
 * the file's header, trusts no number in it; says what is copied where, and writes what the kernel is told.
 */
#ifndef NETBOOT_LINUX_BZIMAGE_H
#define NETBOOT_LINUX_BZIMAGE_H

#include <stddef.h>

#include "apps/netboot/memory_map.h"

#define LINUX_ZERO_PAGE_BYTES 4096u
#define LINUX_HEADER_MAX 0x7fu
#define LINUX_ENTRY_64 0x200u

struct linux_image {
	uint64_t code_offset, code_length; /* in the file: what is loaded */
	uint64_t needed;                   /* bytes from where it is loaded, code included */
	uint64_t preferred, alignment;
	bool relocatable;
	uint64_t initrd_end;        /* an initrd may reach up to here */
	uint32_t command_line_most; /* characters */
	uint16_t protocol;          /* 0x020f: 2.15 */
	uint32_t header_length;
	uint8_t header[LINUX_HEADER_MAX]; /* from 0x1f1 on */
};

bool linux_is_bzimage(const uint8_t *bytes, uint64_t size);
/* NULL, or what is wrong: a phrase that follows the file's name. */
const char *linux_read(const uint8_t *bytes, uint64_t size, struct linux_image *image);

/* Where it goes: where it likes to be, else (if it can) the lowest place from there on, else the lowest at
 * all. taken: the initrd, and all else that must still be there then. False: nowhere. */
bool linux_place(const struct linux_image *image, const struct memory_map *map,
		 const struct memory_span *taken, uint32_t count, uint64_t *address);

struct linux_parameters {
	const struct memory_map *map;
	uint64_t command_line; /* address of it */
	uint64_t initrd, initrd_length;
	uint64_t rsdp; /* 0: none */
};
void linux_write_zero_page(uint8_t page[LINUX_ZERO_PAGE_BYTES], const struct linux_image *image,
			   const struct linux_parameters *parameters);

#endif
