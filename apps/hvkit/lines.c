/* SPDX-License-Identifier: MIT */
#include "apps/hvkit/lines.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

void line_reader_begin(struct line_reader *reader, int file, int wake)
{
	*reader = (struct line_reader){.file = file, .wake = wake};
}

static void fill(struct line_reader *reader)
{
	struct pollfd polls[2] = {{.fd = reader->file, .events = POLLIN},
				  {.fd = reader->wake, .events = POLLIN}};
	ssize_t count;

	reader->begin = reader->end = 0;
	while (poll(polls, 2, -1) < 0 && errno == EINTR)
		continue;
	count = polls[1].revents ? 0 : read(reader->file, reader->bytes, sizeof(reader->bytes));
	if (count <= 0)
		reader->ended = true;
	else
		reader->end = (size_t)count;
}

bool line_reader_next(struct line_reader *reader, char line[LINES_BYTES])
{
	size_t used = 0;
	bool any = false;

	for (;;) {
		if (reader->begin == reader->end && !reader->ended)
			fill(reader);
		if (reader->ended) {
			line[used] = '\0';
			return any;
		}
		any = true;
		if (reader->bytes[reader->begin++] == '\n') {
			line[used] = '\0';
			return true;
		}
		if (used < LINES_BYTES - 1)
			line[used++] = reader->bytes[reader->begin - 1];
	}
}

void line_pieces_begin(struct line_pieces *pieces, const char *line)
{
	size_t length = strlen(line), at = strspn(line, " \t\r");

	pieces->whole = length > SHELL_LINE_MAX; /* its end may be missing already */
	if (length >= LINES_BYTES)
		length = LINES_BYTES - 1;
	if (line[at] == '#')
		length = 0;
	memcpy(pieces->line, line, length);
	pieces->line[length] = '\0';
	pieces->at = 0;
	for (char *c = pieces->line; *c; c++) { /* a carriage return, a tab */
		if ((unsigned char)*c < ' ')
			*c = ' ';
	}
}

bool line_pieces_next(struct line_pieces *pieces, char piece[LINES_BYTES])
{
	const char *from = pieces->line + pieces->at;
	size_t length;

	if (pieces->whole) {
		memcpy(piece, pieces->line, sizeof(pieces->line));
		pieces->line[0] = '\0';
		pieces->whole = false;
		return piece[0] != '\0';
	}
	from += strspn(from, " ;");
	length = strcspn(from, ";");
	pieces->at = (size_t)(from - pieces->line) + length;
	while (length && from[length - 1] == ' ')
		length--;
	memcpy(piece, from, length);
	piece[length] = '\0';
	return length != 0;
}
