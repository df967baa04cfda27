/* SPDX-License-Identifier: MIT */
#include "apps/shell/tree.h"

#include <string.h>

static bool is_name_character(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
}

bool tree_parse(const char *text, struct tree_line *line)
{
	size_t indent = strspn(text, " "), length = 0;
	const char *name = text + indent;

	while (is_name_character(name[length]))
		length++;
	if (indent % 2 || length == 0 || name[length] != ':' || (name[length + 1] && name[length + 1] != ' '))
		return false;
	*line = (struct tree_line){.depth = (uint32_t)(indent / 2),
				   .name = name,
				   .name_length = length,
				   .value = name + length + 1};
	line->value += strspn(line->value, " ");
	return true;
}

/* The n-th name of a path; NULL past the last. */
static const char *path_name(const char *path, uint32_t n, size_t *length)
{
	for (;;) {
		path += strspn(path, "/");
		if (!*path)
			return NULL;
		*length = strcspn(path, "/");
		if (n-- == 0)
			return path;
		path += *length;
	}
}

uint32_t tree_path_depth(const char *path)
{
	uint32_t depth = 0;
	size_t length;

	while (path_name(path, depth, &length))
		depth++;
	return depth;
}

void tree_search_begin(struct tree_search *search, const char *path)
{
	*search = (struct tree_search){.path = path};
}

enum tree_place tree_search_line(struct tree_search *search, const struct tree_line *line)
{
	uint32_t depth = tree_path_depth(search->path);
	const char *name;
	size_t length;

	/* What was matched holds for lines below it only. */
	if (search->matched > line->depth)
		search->matched = line->depth;
	if (search->matched == depth)
		return TREE_INSIDE;
	if (search->matched < line->depth)
		return TREE_OUTSIDE;
	name = path_name(search->path, line->depth, &length);
	if (!name || length != line->name_length || memcmp(name, line->name, length) != 0)
		return TREE_OUTSIDE;
	search->matched++;
	if (search->matched < depth)
		return TREE_ABOVE;
	search->found = true;
	return TREE_AT;
}

/* --- Comparing --------------------------------------------------------------------------- */

bool tree_is_operator(const char *text)
{
	return strcmp(text, "=") == 0 || strcmp(text, "!=") == 0 || strcmp(text, "<") == 0 ||
	       strcmp(text, ">") == 0 || strcmp(text, "<=") == 0 || strcmp(text, ">=") == 0;
}

static bool parse_number(const char *text, uint64_t *number)
{
	bool hexadecimal = text[0] == '0' && text[1] == 'x';
	uint64_t base = hexadecimal ? 16 : 10;
	const char *at = hexadecimal ? text + 2 : text;

	*number = 0;
	if (!*at)
		return false;
	for (; *at; at++) {
		uint64_t digit;

		if (*at >= '0' && *at <= '9')
			digit = (uint64_t)(*at - '0');
		else if (hexadecimal && *at >= 'a' && *at <= 'f')
			digit = (uint64_t)(*at - 'a') + 10;
		else
			return false;
		if (*number > (UINT64_MAX - digit) / base)
			return false;
		*number = *number * base + digit;
	}
	return true;
}

bool tree_holds(const char *value, const char *operator, const char * wanted)
{
	bool negated = operator[0] == '!';
	uint64_t left, right;

	if (!parse_number(value, &left) || !parse_number(wanted, &right)) {
		if (operator[0] == '<' || operator[0] == '>')
			return false;
		return (strcmp(value, wanted) == 0) != negated;
	}
	if (operator[0] == '<')
		return operator[1] ? left <= right : left<right;
	if (operator[0] == '>')
		return operator[1] ? left >= right : left> right;
	return (left == right) != negated;
}
