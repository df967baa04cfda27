/* SPDX-License-Identifier: MIT */
/* Lines of commands: from a file descriptor, and cut into commands. */
#ifndef CLI_LINES_H
#define CLI_LINES_H

#include <stdbool.h>
#include <stddef.h>

#include "apps/shell/results.h"

/* Two characters more than a command may have: too long stays too long, without its '!' or '-' too. */
#define LINES_BYTES (SHELL_LINE_MAX + 3u)

struct line_reader {
	int file, wake; /* wake: readable ends the reading */
	char bytes[4096];
	size_t begin, end;
	bool ended;
};

void line_reader_begin(struct line_reader *reader, int file, int wake);
/* The next line without its end, cut to LINES_BYTES. Waits. False at the end. */
bool line_reader_next(struct line_reader *reader, char line[LINES_BYTES]);

/* What is left of a line of several commands. */
struct line_pieces {
	char line[LINES_BYTES];
	size_t at;
	bool whole; /* too long to be cut into commands */
};

/* A line that begins with '#' has none. One of more than SHELL_LINE_MAX characters is one command,
 * too long for anybody to run: none of it is, rather than what is left of it. */
void line_pieces_begin(struct line_pieces *pieces, const char *line);
/* The next command, without blanks around it: ';' ends one. False if there is none. */
bool line_pieces_next(struct line_pieces *pieces, char piece[LINES_BYTES]);

#endif
