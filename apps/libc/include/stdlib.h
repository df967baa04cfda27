/* SPDX-License-Identifier: MIT */
#ifndef LIBC_STDLIB_H
#define LIBC_STDLIB_H

#include <stddef.h>

/* Beyond the range of an int: the nearest that there is. */
int atoi(const char *text);

#endif
