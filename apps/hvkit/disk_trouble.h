/* SPDX-License-Identifier: MIT */
/* Trouble with disks, in words: --disk-trouble, and the monitor's "disk trouble". */
#ifndef CLI_DISK_TROUBLE_H
#define CLI_DISK_TROUBLE_H

#include "hvkit_host/storage.h"

#define DISK_TROUBLES 5u
#define DISK_TROUBLE_TEXT 24u

/* The name of the n-th kind; NULL past the last. */
const char *disk_trouble_name(uint32_t n);
/* Its value as text. */
void disk_trouble_text(const struct hvh_storage_trouble *trouble, uint32_t n, char text[DISK_TROUBLE_TEXT]);
/* False: value is none of that kind; *right says what would be. */
bool disk_trouble_set(struct hvh_storage_trouble *trouble, uint32_t n, const char *value, const char **right);

#endif
