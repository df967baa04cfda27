/* SPDX-License-Identifier: MIT */
#ifndef LIBC_STRING_H
#define LIBC_STRING_H

#include <stddef.h>

void *memcpy(void *restrict to, const void *restrict from, size_t size);
void *memmove(void *to, const void *from, size_t size);
void *memset(void *to, int value, size_t size);
int memcmp(const void *left, const void *right, size_t size);
void *memchr(const void *at, int value, size_t size);
size_t strlen(const char *text);
int strcmp(const char *left, const char *right);
int strncmp(const char *left, const char *right, size_t size);
size_t strspn(const char *text, const char *set);
size_t strcspn(const char *text, const char *set);
char *strchr(const char *text, int c);
char *strstr(const char *text, const char *part);

#endif
