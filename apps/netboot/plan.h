/* SPDX-License-Identifier: MIT */
/*
 * From files in memory to a program that can be entered: what is copied where, in which order, and what it is
 * told. A pure function of the memory map and the files' bytes.
 */
#ifndef NETBOOT_PLAN_H
#define NETBOOT_PLAN_H

#include "apps/netboot/memory_map.h"
#include "apps/netboot/pvh.h"

#define PLAN_MODULES_MAX PVH_MODULES_MAX
#define PLAN_COPIES_MAX (2u * PVH_SEGMENTS_MAX)
#define PLAN_ZEROS UINT64_MAX /* struct plan_copy.from */

/* What the program is told, as it lies at plan_input.told_at. */
#define PLAN_COMMAND_LINE_MAX 8191u
struct plan_told {
	uint8_t page[4096]; /* Linux's zero page, or hvm_start_info */
	char command_line[PLAN_COMMAND_LINE_MAX + 1];
};

struct plan_input {
	const struct memory_map *map;                 /* as the program will get it */
	struct memory_span area;                      /* the last step runs there */
	uint64_t told_at;                             /* in it */
	struct memory_span kernel;                    /* where the file is */
	const uint8_t *kernel_bytes;                  /* the same, for us */
	struct memory_span modules[PLAN_MODULES_MAX]; /* initrds, upwards */
	uint32_t module_count;
	const char *command_line;
	uint64_t rsdp;
};

struct plan_copy {
	uint64_t to, from, length;
};

struct plan {
	bool protected_mode; /* PVH; else Linux's 64-bit entry */
	uint64_t entry, argument;
	uint64_t begin, size; /* of the program */
	uint32_t count;
	struct plan_copy copies[PLAN_COPIES_MAX];
};

/* NULL, or what is wrong: a phrase that follows the kernel's name. */
const char *plan_make(const struct plan_input *input, struct plan *plan, struct plan_told *told);

#endif
