/* SPDX-License-Identifier: MIT */
/*
 * Dumps are trees of lines: two spaces per level, then "name: value", or "name:" where only
 * members follow (hvk_dump in hvkit/hvkit.h; the host model's have the same form). This reads
 * them line by line, keeping nothing. A path is names joined by '/'.
 */
#ifndef SHELL_TREE_H
#define SHELL_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct tree_line {
	uint32_t depth;
	const char *name; /* in the line, not ended */
	size_t name_length;
	const char *value; /* "" if there is none */
};

/* False if the line has not that form. */
bool tree_parse(const char *text, struct tree_line *line);

/* Where a line is, seen from the path that is looked for. */
enum tree_place {
	TREE_OUTSIDE,
	TREE_ABOVE, /* on the way to it */
	TREE_AT,
	TREE_INSIDE /* below it */
};

struct tree_search {
	const char *path; /* borrowed; "" is the whole tree: every line is inside */
	uint32_t matched; /* names of it that the last lines have matched */
	bool found;
};

void tree_search_begin(struct tree_search *search, const char *path);
/* For each line of the dump, in order. Lines without the form belong to the one before. */
enum tree_place tree_search_line(struct tree_search *search, const struct tree_line *line);
/* Number of names in a path. */
uint32_t tree_path_depth(const char *path);

/* Operators are "=", "!=", "<", ">", "<=", ">=". The last four want numbers (decimal, or 0x...),
 * the first two compare numbers as numbers and all else as text. */
bool tree_is_operator(const char *text);
bool tree_holds(const char *value, const char *operator, const char * wanted);

#endif
