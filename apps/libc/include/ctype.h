/* SPDX-License-Identifier: MIT */
#ifndef LIBC_CTYPE_H
#define LIBC_CTYPE_H

int isdigit(int c);
int isxdigit(int c);
int islower(int c);
int isspace(int c);
int tolower(int c);
int toupper(int c);

#endif
