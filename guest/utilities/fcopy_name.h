/* SPDX-License-Identifier: MIT */
/* Names and paths that the host chooses, so that they stay inside a directory. Pure functions. */
#ifndef HVK_UTILITIES_FCOPY_NAME_H
#define HVK_UTILITIES_FCOPY_NAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Fields of IC_FCOPY_PATH_UNITS. False: a name that could lead elsewhere, or is none. */
bool hvk_fcopy_name(const uint8_t *field, char *out, size_t size);
/* With '/' between components; those at its ends are taken off. */
bool hvk_fcopy_path(const uint8_t *field, char *out, size_t size);

#endif
