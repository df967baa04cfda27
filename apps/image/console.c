/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "apps/image/console.h"
#include "ports/bare-x86_64/bare.h"

#define PROMPT "hvkit> "
#define END_OF_TEXT 4 /* Ctrl-D */
#define BACKSPACE 8
#define DELETE 127
#define FIRST_PRINTED 32

/* True when the line is complete. */
static bool take(struct image_console *self, char *line, size_t size, int c)
{
	char echo = (char)c;

	if (c == '\r' || c == '\n') {
		bare_write("\n", 1);
		return true;
	}
	if (c == END_OF_TEXT && self->length == 0) {
		self->ended = true;
	} else if ((c == BACKSPACE || c == DELETE) && self->length > 0) {
		self->length--;
		bare_write("\b \b", 3);
	} else if (c >= FIRST_PRINTED && c != DELETE && self->length + 1 < size) {
		line[self->length++] = echo;
		bare_write(&echo, 1);
	}
	return false;
}

enum shell_line image_console_read(struct image_console *self, char *line, size_t size)
{
	int c;

	if (!self->prompted)
		bare_write(PROMPT, strlen(PROMPT));
	self->prompted = true;
	while (!self->ended && (c = bare_read()) >= 0) {
		if (!take(self, line, size, c))
			continue;
		line[self->length] = '\0';
		self->length = 0;
		self->prompted = false;
		return SHELL_LINE;
	}
	return self->ended ? SHELL_LINE_END : SHELL_LINE_NONE;
}
