/* SPDX-License-Identifier: MIT */
/*
 * Programs into guest memory. Every file is untrusted: each number from it is checked against
 * the file's size and the guest's memory before it is used. Nothing here needs KVM.
 */
#ifndef VMM_LOADERS_LOADER_H
#define VMM_LOADERS_LOADER_H

#include "vmm/memory.h"
#include "vmm/private.h"

/* A file's bytes, wherever they are. */
struct vmm_image {
	const char *name; /* for errors: "--guest 'kernel.elf'" */
	int file;
	const uint8_t *bytes; /* instead of a file, or NULL */
	uint64_t size;
};

/* Opened and locked (shared: nobody writes who asks first). False with a line in error. */
bool vmm_image_open(struct vmm_image *image, const char *path, char *error);
void vmm_image_close(struct vmm_image *image);
/* False: not all of it is inside the file, or reading failed. */
bool vmm_image_read(const struct vmm_image *image, uint64_t offset, void *to, uint64_t length);

struct vmm_loading {
	struct vmm_memory *memory;
	struct vmm_image kernel, initrd;
	bool has_initrd;
	const char *command_line;
	enum vmm_entry entry;
	bool bios_stub;
	struct vmm_start *start; /* filled */
	char *error;
	bool loaded;
	uint64_t end;                        /* of the program, in guest memory below 4 GiB */
	uint64_t initrd_gpa, initrd_gpa_max; /* the latter: its last byte's greatest address */
};

/* "NAME: ..."; returns false. */
bool vmm_loading_failed(const struct vmm_loading *loading, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

bool vmm_loader_load(struct vmm_memory *memory, const struct vmm_program *program, struct vmm_start *start,
		     char *error);
/* The same with images that are open already. */
bool vmm_loader_load_images(struct vmm_loading *loading);

/* elf.c */
bool vmm_elf_is(const struct vmm_image *image);
bool vmm_elf_load(struct vmm_loading *loading);
/* bzimage.c */
bool vmm_bzimage_is(const struct vmm_image *image);
bool vmm_bzimage_load(struct vmm_loading *loading);
/* By its 16-bit entry. */
bool vmm_bzimage_load_setup(struct vmm_loading *loading);

/* parameters.c: what a program is told. vmm_place_initrd comes first. */
bool vmm_place_initrd(struct vmm_loading *loading);
void vmm_write_start_info(struct vmm_loading *loading);
#define VMM_SETUP_HEADER_OFFSET 0x1f1u
#define VMM_SETUP_HEADER_MAX 0x7fu
/* header: the setup header from a bzImage (count bytes from 0x1f1 on), or NULL. */
bool vmm_write_zero_page(struct vmm_loading *loading, const uint8_t *header, uint32_t count);

#endif
