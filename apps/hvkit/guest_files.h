/* SPDX-License-Identifier: MIT */
/*
 * Files that our guest keeps in a directory of this machine (--guest-dir). Names come from the guest, and so
 * from whoever copies files to it: no link is followed, and nothing outside the directory is reached.
 */
#ifndef CLI_GUEST_FILES_H
#define CLI_GUEST_FILES_H

#include <stdbool.h>

#include "apps/shell/services.h"

struct guest_files;

/* NULL with a line in error, of size bytes. */
struct guest_files *guest_files_open(const char *directory, char *error, size_t size);
void guest_files_close(struct guest_files *files);
/* What the shell is given; lives as long as files do. */
const struct shell_files *guest_files_operations(const struct guest_files *files);

#endif
