/* SPDX-License-Identifier: MIT */
/* Lines of commands: from a pipe in any portions, and cut into commands; what Tab offers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "apps/hvkit/completion.h"
#include "apps/hvkit/lines.h"

/* The commands of a line, joined by '|'. */
static void assert_pieces(const char *line, const char *wanted)
{
	char piece[LINES_BYTES], all[4 * LINES_BYTES] = "";
	struct line_pieces pieces;

	line_pieces_begin(&pieces, line);
	while (line_pieces_next(&pieces, piece)) {
		strcat(all, piece);
		strcat(all, "|");
	}
	if (strcmp(all, wanted) != 0)
		fail_msg("'%s': %s, not %s", line, all, wanted);
}

static void pieces(void **state)
{
	(void)state;
	assert_pieces("ip", "ip|");
	assert_pieces("  ip  ", "ip|");
	assert_pieces("ip;ping x 1 ;; !rescind net0;", "ip|ping x 1|!rescind net0|");
	assert_pieces("", "");
	assert_pieces(" ; ;", "");
	assert_pieces("# ip; ping", "");
	assert_pieces("\t # ip", "");
	assert_pieces("fetch http://h/#part", "fetch http://h/#part|");
	assert_pieces("ip\r", "ip|");
	assert_pieces("ping\tx", "ping x|");
}

/* What is too long stays too long: it is for the command's reader to refuse. */
static void long_piece(void **state)
{
	char line[2 * LINES_BYTES], piece[LINES_BYTES];
	struct line_pieces all;

	(void)state;
	memset(line, 'x', sizeof(line) - 1);
	line[sizeof(line) - 1] = '\0';
	line_pieces_begin(&all, line);
	assert_true(line_pieces_next(&all, piece));
	assert_int_equal(strlen(piece), LINES_BYTES - 1);
	assert_false(line_pieces_next(&all, piece));
}

/* Of a line that is too long nothing is run, not even the commands that were there whole. */
static void long_line(void **state)
{
	char line[2 * LINES_BYTES], piece[LINES_BYTES];
	struct line_pieces all;

	(void)state;
	for (size_t i = 0; i < sizeof(line); i++)
		line[i] = "ip; "[i % 4];
	line[SHELL_LINE_MAX] = '\0';
	line_pieces_begin(&all, line);
	for (size_t i = 0; i < SHELL_LINE_MAX / 4; i++) {
		assert_true(line_pieces_next(&all, piece));
		assert_string_equal(piece, "ip");
	}
	assert_false(line_pieces_next(&all, piece));
	line[SHELL_LINE_MAX] = 'i';
	line[sizeof(line) - 1] = '\0';
	line_pieces_begin(&all, line);
	assert_true(line_pieces_next(&all, piece));
	assert_int_equal(strlen(piece), LINES_BYTES - 1);
	assert_false(line_pieces_next(&all, piece));
	line[0] = '#';
	line_pieces_begin(&all, line);
	assert_false(line_pieces_next(&all, piece));
}

struct pipes {
	int lines[2], wake[2];
	struct line_reader reader;
};

static void open_pipes(struct pipes *pipes, const char *text)
{
	assert_int_equal(pipe(pipes->lines), 0);
	assert_int_equal(pipe(pipes->wake), 0);
	assert_int_equal(write(pipes->lines[1], text, strlen(text)), (ssize_t)strlen(text));
	line_reader_begin(&pipes->reader, pipes->lines[0], pipes->wake[0]);
}

static void close_pipes(struct pipes *pipes)
{
	close(pipes->lines[0]);
	close(pipes->wake[0]);
	close(pipes->wake[1]);
}

static void reading(void **state)
{
	char line[LINES_BYTES];
	struct pipes pipes;

	(void)state;
	open_pipes(&pipes, "one\n\ntwo");
	assert_true(line_reader_next(&pipes.reader, line));
	assert_string_equal(line, "one");
	assert_true(line_reader_next(&pipes.reader, line));
	assert_string_equal(line, "");
	assert_int_equal(write(pipes.lines[1], " and more", 9), 9);
	close(pipes.lines[1]);
	assert_true(line_reader_next(&pipes.reader, line)); /* without an end of its own */
	assert_string_equal(line, "two and more");
	assert_false(line_reader_next(&pipes.reader, line));
	assert_false(line_reader_next(&pipes.reader, line));
	close_pipes(&pipes);
}

static void waking(void **state)
{
	char line[LINES_BYTES];
	struct pipes pipes;

	(void)state;
	open_pipes(&pipes, "one\n");
	assert_true(line_reader_next(&pipes.reader, line));
	assert_int_equal(write(pipes.wake[1], "x", 1), 1);
	assert_false(line_reader_next(&pipes.reader, line)); /* though the other end is open */
	close(pipes.lines[1]);
	close_pipes(&pipes);
}

static void completions(void **state)
{
	struct completions *all = calloc(1, sizeof(*all));

	(void)state;
	all->typed = "re";
	completions_add(all, "rescind");
	completions_add(all, "reset");
	completions_add(all, "offer");
	completions_add(all, "rescind");
	assert_int_equal(all->count, 2);
	assert_int_equal(completions_common(all), 3);
	completions_add(all, "resc");
	assert_int_equal(completions_common(all), 3);
	free(all);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pieces),      cmocka_unit_test(long_piece), cmocka_unit_test(long_line),
		cmocka_unit_test(long_line),   cmocka_unit_test(reading),    cmocka_unit_test(waking),
		cmocka_unit_test(completions),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
