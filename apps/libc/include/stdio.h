/* SPDX-License-Identifier: MIT */
/* Formatting; there are no files here. */
#ifndef LIBC_STDIO_H
#define LIBC_STDIO_H

#include <stdarg.h>
#include <stddef.h>

/* %d %i %u %x %X %p %s %c %%; flags - and 0; width; precision of strings; either may be *; h, l, ll, z. */
int snprintf(char *to, size_t size, const char *format, ...) __attribute__((format(printf, 3, 4)));
int vsnprintf(char *to, size_t size, const char *format, va_list arguments)
	__attribute__((format(printf, 3, 0)));

#endif
