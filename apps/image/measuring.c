/* SPDX-License-Identifier: MIT */
#include <stddef.h>
#include <string.h>

#include "apps/image/measuring.h"

static bool parse_number(const char *text, uint32_t most, uint32_t *value)
{
	*value = 0;
	if (!*text)
		return false;
	for (; *text; text++) {
		if (*text < '0' || *text > '9')
			return false;
		*value = *value * 10 + (uint32_t)(*text - '0');
		if (*value > most)
			return false;
	}
	return true;
}

/* What follows the word and its blanks, or NULL if it is another word. */
static const char *after(const char *line, const char *word)
{
	size_t length = strlen(word);

	if (strncmp(line, word, length) != 0 || (line[length] && line[length] != ' '))
		return NULL;
	for (line += length; *line == ' ';)
		line++;
	return line;
}

enum image_measure image_measure_parse(const char *line, uint32_t *value)
{
	const char *mark = after(line, "mark"), *idle = after(line, "idle");

	if (mark)
		return parse_number(mark, IMAGE_MARK_MAX, value) ? IMAGE_MEASURE_MARK : IMAGE_MEASURE_WRONG;
	if (idle)
		return parse_number(idle, IMAGE_IDLE_MAX, value) ? IMAGE_MEASURE_IDLE : IMAGE_MEASURE_WRONG;
	return IMAGE_MEASURE_NONE;
}
