/* SPDX-License-Identifier: MIT */
/* Page tables for the step into the image: memory one to one, all rights. */
#ifndef UEFI_TABLES_H
#define UEFI_TABLES_H

#include <stdbool.h>
#include <stdint.h>

#define TABLES_MAX 24u

struct tables {
	uint64_t pages[TABLES_MAX][512]; /* pages[0] is the root */
	uint32_t used;
} __attribute__((aligned(4096)));

void tables_begin(struct tables *self);
/* In steps of 2 MiB. False: too many tables, or addresses that four levels do not map. */
bool tables_map(struct tables *self, uint64_t address, uint64_t length);

#endif
