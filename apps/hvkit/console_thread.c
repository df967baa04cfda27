/* SPDX-License-Identifier: MIT */
/* The console's other side: the thread that reads, text, and coming and going. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "apps/hvkit/console.h"
#include "apps/hvkit/run.h"

#define TREE_WAIT_S 1

void console_tell(struct console *console, enum console_event event)
{
	char byte = (char)event;

	/* A pipe that is full wakes as well. */
	if (write(console->wake[1], &byte, 1) < 0)
		return;
}

static void wake_guest(struct console *console)
{
	const struct hvk_port *port = hosted_port(console->run->hosted);

	(void)pthread_cond_broadcast(&console->changed);
	if (port->wake)
		port->wake(port->context, 0);
}

/* --- Text ------------------------------------------------------------------------------------- */

static void write_text(const struct console *console, FILE *file, enum shell_stream stream, const char *text,
		       size_t length)
{
	bool red = stream == SHELL_ERROR && console->color_err;
	bool line = length && text[length - 1] == '\n';

	fflush(file == stderr ? stdout : stderr); /* in the order it happened, where both go to one place */
	if (red)
		fputs(style_begin(STYLE_ERROR), file);
	fwrite(text, 1, line && red ? length - 1 : length, file);
	if (red)
		fputs(line ? STYLE_END "\n" : STYLE_END, file);
	fflush(file);
}

/* A machine without power says nothing any more. */
static bool console_is_cut(const struct console *console)
{
	const struct storage *storage = console->run->storage;

	return storage && atomic_load(&storage->cut);
}

/* Over a prompt: it is taken off the screen first and drawn anew afterwards. */
void console_show(struct console *console, enum shell_stream stream, const char *text, size_t length)
{
	FILE *file = stream == SHELL_ERROR ? stderr : stdout;
	bool editing = atomic_load(&console->editing);

	if (length == 0 || (stream == SHELL_STORY && console->run->options->quiet) || console_is_cut(console))
		return;
	(void)pthread_mutex_lock(&console->screen);
	if (editing && !console->line_started)
		write_text(console, stdout, SHELL_OUTPUT, "\r\033[K", 4);
	write_text(console, file, stream, text, length);
	console->line_started = text[length - 1] != '\n';
	if (editing && !console->line_started)
		console_tell(console, CONSOLE_REFRESH);
	(void)pthread_mutex_unlock(&console->screen);
}

/* --- Ending ------------------------------------------------------------------------------------- */

void console_cancel(struct console *console)
{
	shell_cancel(&console->run->shell);
	wake_guest(console);
}

void console_quit(struct console *console)
{
	atomic_store(&console->quit, true);
	if (!console->has_thread)
		console_tell(console, CONSOLE_CLOSE); /* CPU 0 itself may read */
	console_cancel(console);
}

/* --- The reading thread --------------------------------------------------------------------------- */

bool console_is_closed(struct console *console)
{
	bool closed;

	(void)pthread_mutex_lock(&console->lock);
	closed = console->closed;
	(void)pthread_mutex_unlock(&console->lock);
	return closed;
}

bool console_is_wanted(struct console *console)
{
	bool wanted;

	(void)pthread_mutex_lock(&console->lock);
	wanted = console->wanted && !console->full;
	(void)pthread_mutex_unlock(&console->lock);
	return wanted;
}

void console_hand_over(struct console *console, const char *line)
{
	(void)pthread_mutex_lock(&console->lock);
	while (console->full && !console->closed)
		(void)pthread_cond_wait(&console->changed, &console->lock);
	snprintf(console->line, sizeof(console->line), "%s", line);
	console->full = true;
	(void)pthread_mutex_unlock(&console->lock);
	wake_guest(console);
}

void console_run_monitor(struct console *console, const char *line)
{
	struct run *run = console->run;
	struct line_pieces pieces;
	char piece[LINES_BYTES];
	int status;

	line_pieces_begin(&pieces, line);
	while (line_pieces_next(&pieces, piece)) {
		const char *command = piece[0] == '!' ? piece + 1 : piece;
		bool waits = true;

		machine_lock(&run->machine);
		monitor_be_patient(&run->monitor, machine_now(&run->machine));
		status = monitor_run(&run->monitor, machine_now(&run->machine), command);
		machine_unlock(&run->machine);
		while (status == SHELL_OK && waits && !console_is_closed(console)) {
			const struct timespec tick = {0, MONITOR_TICK_MS * 1000000l};

			machine_lock(&run->machine);
			waits = monitor_waits(&run->monitor, machine_now(&run->machine), &status);
			if (waits && atomic_exchange(&console->interrupted, false)) {
				monitor_stop_waiting(&run->monitor);
				waits = false;
			}
			machine_unlock(&run->machine);
			if (waits)
				(void)nanosleep(&tick, NULL);
		}
	}
}

char *console_guest_tree(struct console *console)
{
	struct timespec until;
	char *tree;

	(void)clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += TREE_WAIT_S;
	(void)pthread_mutex_lock(&console->lock);
	console->tree_wanted = console->wanted;
	(void)pthread_mutex_unlock(&console->lock);
	wake_guest(console);
	(void)pthread_mutex_lock(&console->lock);
	while (console->tree_wanted && !console->closed &&
	       pthread_cond_timedwait(&console->changed, &console->lock, &until) == 0)
		continue;
	console->tree_wanted = false;
	tree = console->tree;
	console->tree = NULL;
	(void)pthread_mutex_unlock(&console->lock);
	return tree;
}

static void read_lines(struct console *console)
{
	char line[LINES_BYTES];

	while (line_reader_next(&console->reader, line) && !console_is_closed(console))
		console_hand_over(console, line);
}

static void *reading_thread(void *context)
{
	struct console *console = context;

	if (console->terminal)
		terminal_run(console->terminal);
	else
		read_lines(console);
	(void)pthread_mutex_lock(&console->lock);
	console->ended = true;
	(void)pthread_mutex_unlock(&console->lock);
	wake_guest(console);
	return NULL;
}

void console_start(struct console *console)
{
	/* A script in virtual time is read by CPU 0 itself: who comes first is then no question. */
	bool thread = console->source == CONSOLE_TERMINAL ||
		      (console->source == CONSOLE_LINES && !console->run->options->seeded);

	if (!thread)
		return;
	console->has_thread = true;
	if (pthread_create(&console->thread, NULL, reading_thread, console) != 0) {
		console->ended = true;
		console->has_thread = false;
	}
}

void console_stop(struct console *console)
{
	if (!console->has_thread)
		return;
	(void)pthread_mutex_lock(&console->lock);
	console->closed = true;
	(void)pthread_cond_broadcast(&console->changed);
	(void)pthread_mutex_unlock(&console->lock);
	console_tell(console, CONSOLE_CLOSE);
	(void)pthread_join(console->thread, NULL);
	console->has_thread = false;
}

/* --- Coming and going --------------------------------------------------------------------------- */

static bool open_source(struct console *console, char *error)
{
	const struct cli_options *options = console->run->options;
	struct stat status;

	console->file = -1;
	if (options->command_count || options->accel != CLI_ACCEL_HOSTED)
		return true;
	console->source = CONSOLE_LINES;
	console->file = STDIN_FILENO;
	console->name = "standard input";
	if (options->script) {
		console->stops = true;
		if (strcmp(options->script, "-") == 0)
			return true;
		console->name = options->script;
		console->file = open(options->script, O_RDONLY | O_CLOEXEC);
		if (console->file >= 0 && fstat(console->file, &status) == 0 && S_ISDIR(status.st_mode))
			errno = EISDIR;
		else if (console->file >= 0)
			return true;
		snprintf(error, CLI_ERROR_MAX, "--script: '%.300s' cannot be read: %s", options->script,
			 strerror(errno));
		return false;
	}
	if (isatty(STDIN_FILENO) && isatty(STDOUT_FILENO))
		console->source = CONSOLE_TERMINAL;
	return true;
}

bool console_create(struct console *console, struct run *run, char *error)
{
	console->run = run;
	(void)pthread_mutex_init(&console->lock, NULL);
	(void)pthread_mutex_init(&console->screen, NULL);
	(void)pthread_cond_init(&console->changed, NULL);
	console->color_out = style_wanted(run->options->color, stdout);
	console->color_err = style_wanted(run->options->color, stderr);
	console->wake[0] = console->wake[1] = -1;
	if (!open_source(console, error))
		return false;
	if (pipe2(console->wake, O_CLOEXEC | O_NONBLOCK) != 0) {
		snprintf(error, CLI_ERROR_MAX, "no pipe can be had: %s", strerror(errno));
		return false;
	}
	line_reader_begin(&console->reader, console->file, console->wake[0]);
	if (console->source == CONSOLE_TERMINAL) {
		console->terminal = terminal_create(console);
		if (!console->terminal) { /* none that can be edited on: lines as they come */
			console->source = CONSOLE_LINES;
			console->stops = false;
		}
	}
	return true;
}

void console_destroy(struct console *console)
{
	if (console->terminal)
		terminal_destroy(console->terminal);
	for (int n = 0; n < 2; n++) {
		if (console->wake[n] >= 0)
			(void)close(console->wake[n]);
	}
	if (console->file > STDIN_FILENO)
		(void)close(console->file);
	free(console->tree);
	(void)pthread_cond_destroy(&console->changed);
	(void)pthread_mutex_destroy(&console->screen);
	(void)pthread_mutex_destroy(&console->lock);
}
