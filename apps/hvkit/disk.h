/* SPDX-License-Identifier: MIT */
/* What one --disk or --cdrom asks for, or the monitor's "disk add". */
#ifndef CLI_DISK_H
#define CLI_DISK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CLI_DISKS_MAX 64u
#define CLI_CONTROLLERS_MAX 8u
#define CLI_DISK_EMPTY "-" /* instead of a file: a drive without a medium */

struct cli_disk {
	char *text;       /* the rest points into it */
	const char *file; /* NULL: a drive without a medium */
	bool cdrom, read_only, no_cache;
	bool ide;   /* an accelerator of its own */
	bool spare; /* opened, and kept for the monitor's "disk add" and "disk insert" */
	bool placed, lun_given, seeded;
	uint32_t block_size, physical_block_size; /* 0: as usual */
	uint32_t controller, target, lun;
	uint64_t seed;      /* of what a power cut leaves */
	const char *serial; /* NULL: one is made */
};

/* FILE[,VALUE ...]; ",," is a comma in the name. False with a line in error (of CLI_ERROR_MAX bytes);
 * cli_disk_free in any case. */
bool cli_disk_parse(const char *text, bool cdrom, struct cli_disk *disk, char *error);
void cli_disk_free(struct cli_disk *disk);

#endif
