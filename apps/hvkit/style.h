/* SPDX-License-Identifier: MIT */
/* Colours, where somebody looks: on terminals, unless NO_COLOR is set or TERM is dumb. */
#ifndef CLI_STYLE_H
#define CLI_STYLE_H

#include <stdbool.h>
#include <stdio.h>

enum style_when { STYLE_AUTO, STYLE_ALWAYS, STYLE_NEVER };
enum style { STYLE_PLAIN, STYLE_ERROR, STYLE_HEADING, STYLE_GUEST, STYLE_HOST, STYLE_GOOD, STYLE_COUNT };

bool style_wanted(enum style_when when, FILE *file);
/* The escape sequence that begins it, "" for plain; style_end ends all. */
const char *style_begin(enum style style);
#define STYLE_END "\033[0m"

#endif
