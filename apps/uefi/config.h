/* SPDX-License-Identifier: MIT */
/*
 * What the program is told: by \hvkit.cfg on the volume that it was started from, and by its load options
 * (the words behind its name in the UEFI shell, or a boot entry's).
 *
 *   # a comment
 *   line cpus=2 -- lsvmbus      the image's command line
 *   image \hvkit\other.elf      another image than the one that is built in
 *   hypervisor any              starts it without Hyper-V, too ("required" without this line)
 */
#ifndef UEFI_CONFIG_H
#define UEFI_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CONFIG_BYTES_MAX 4096u
#define CONFIG_LINE_MAX 2047u /* characters; what the image takes */
#define CONFIG_PATH_MAX 255u
#define CONFIG_ERROR_MAX 160u

struct config {
	char line[CONFIG_LINE_MAX + 1];
	char image[CONFIG_PATH_MAX + 1]; /* "": the one that is built in */
	bool any_hypervisor;
};

/* False: what is wrong is in error. Words that are not given are left as they are. */
bool config_read(struct config *config, const char *text, size_t bytes, char error[CONFIG_ERROR_MAX]);
/* The same for load options: if they are words, those after the program's name are the line. Anything else
 * (boot entries hold what their maker likes) is none. */
bool config_read_options(struct config *config, const uint8_t *options, size_t bytes,
			 char error[CONFIG_ERROR_MAX]);

#endif
