/* SPDX-License-Identifier: MIT */
/* The console's side of CPU 0: the next command, in order. */
#include "apps/hvkit/console.h"

#include <stdlib.h>
#include <string.h>

#include "apps/hvkit/run.h"

/* --- Where lines come from -------------------------------------------------------------- */

/* What the reading thread has; waits for it in deterministic mode, whose time stands. */
static enum shell_line take_from_thread(struct console *console, char *line)
{
	enum shell_line kind = SHELL_LINE_NONE;

	(void)pthread_mutex_lock(&console->lock);
	if (!console->full && !console->ended && !console->wanted) {
		console->wanted = true;
		if (console->terminal)
			console_tell(console, CONSOLE_WANTED);
		(void)pthread_cond_broadcast(&console->changed);
	}
	while (console->run->options->seeded && !console->full && !console->ended && !console->tree_wanted &&
	       !atomic_load(&console->quit))
		(void)pthread_cond_wait(&console->changed, &console->lock);
	if (console->full) {
		strcpy(line, console->line);
		console->full = console->wanted = false;
		(void)pthread_cond_broadcast(&console->changed);
		kind = SHELL_LINE;
	} else if (console->ended) {
		kind = SHELL_LINE_END;
	}
	(void)pthread_mutex_unlock(&console->lock);
	return kind;
}

static enum shell_line take_line(struct console *console, char *line)
{
	const struct cli_options *options = console->run->options;

	if (console->source == CONSOLE_COMMANDS) {
		if (console->next_command == options->command_count)
			return SHELL_LINE_END;
		strcpy(line, options->commands[console->next_command++]);
		return SHELL_LINE;
	}
	if (console->has_thread)
		return take_from_thread(console, line);
	return line_reader_next(&console->reader, line) ? SHELL_LINE : SHELL_LINE_END;
}

/* The next command, into console->piece. */
static enum shell_line take_piece(struct console *console)
{
	char line[LINES_BYTES];

	while (!line_pieces_next(&console->pieces, console->piece)) {
		enum shell_line kind = take_line(console, line);

		if (kind != SHELL_LINE)
			return kind;
		console->line_number++;
		line_pieces_begin(&console->pieces, line);
	}
	console->tolerant = console->source == CONSOLE_LINES && console->piece[0] == '-';
	if (console->tolerant)
		memmove(console->piece, console->piece + 1, strlen(console->piece));
	return SHELL_LINE;
}

/* --- What is asked for meanwhile ---------------------------------------------------------- */

static void dump_line(void *context, const char *line)
{
	fprintf(context, "%s\n", line);
}

static void answer_tree(struct console *console)
{
	(void)pthread_mutex_lock(&console->lock);
	if (console->tree_wanted) {
		size_t size;
		FILE *file = open_memstream(&console->tree, &size);

		if (file) {
			shell_dump(&console->run->shell, dump_line, file);
			fclose(file);
		}
		console->tree_wanted = false;
		(void)pthread_cond_broadcast(&console->changed);
	}
	(void)pthread_mutex_unlock(&console->lock);
}

static void greet(struct console *console)
{
	static const char text[] =
		"\nhelp lists the guest's commands, !help the host's; Ctrl-] changes sides, Ctrl-D ends.\n";

	if (console->source != CONSOLE_TERMINAL || console->greeted)
		return;
	console->greeted = true;
	console_show(console, SHELL_STORY, text, sizeof(text) - 1);
}

/* --- Running ---------------------------------------------------------------------------------- */

static void echo(struct console *console)
{
	char text[LINES_BYTES + 32];
	int length;

	if (console->source == CONSOLE_TERMINAL)
		return;
	length = snprintf(text, sizeof(text), "\n%s> %s%s\n",
			  console->color_out ? style_begin(STYLE_HEADING) : "", console->piece,
			  console->color_out ? STYLE_END : "");
	console_show(console, SHELL_STORY, text, (size_t)length);
}

/* False: the script ends here. */
static bool judge(struct console *console, int status)
{
	char text[LINES_BYTES + 400];
	int length;

	if (status == SHELL_OK)
		return true;
	if (console->tolerant) {
		console->run->shell.results.exit_status = console->run->status_before;
		return true;
	}
	if (!console->stops || status == SHELL_CANCELLED)
		return true;
	length = snprintf(text, sizeof(text),
			  "hvkit: %.300s:%u: '%s' ended with status %d; the script ends here\n",
			  console->name, console->line_number, console->piece, status);
	console_show(console, SHELL_ERROR, text, (size_t)length);
	return false;
}

static bool finish_monitor(struct console *console, int status)
{
	console->monitor_waits = false;
	shell_record_command(&console->run->shell, console->piece, status);
	return judge(console, status);
}

/* False: it waits. */
static bool monitor_is_done(struct console *console, int *status)
{
	struct run *run = console->run;
	bool waits;

	machine_lock(&run->machine);
	waits = monitor_waits(&run->monitor, machine_now(&run->machine), status);
	if (waits && atomic_load(&run->shell.cancelled)) {
		monitor_stop_waiting(&run->monitor);
		*status = SHELL_CANCELLED;
		waits = false;
	}
	machine_unlock(&run->machine);
	return !waits;
}

/* One that is too long is not run. */
static bool refuse_long(struct console *console)
{
	char text[100];
	int length = snprintf(text, sizeof(text), "a command has at most %u characters\n", SHELL_LINE_MAX);

	console_show(console, SHELL_ERROR, text, (size_t)length);
	console->piece[40] = '\0';
	shell_record_command(&console->run->shell, console->piece, SHELL_USAGE);
	return judge(console, SHELL_USAGE);
}

/* The monitor's command in console->piece. */
static bool begin_monitor(struct console *console)
{
	struct run *run = console->run;
	int status;

	atomic_store(&run->shell.cancelled, false);
	machine_lock(&run->machine);
	monitor_be_patient(&run->monitor, machine_now(&run->machine));
	status = monitor_run(&run->monitor, machine_now(&run->machine), console->piece + 1);
	machine_unlock(&run->machine);
	console->monitor_waits = status == SHELL_OK;
	return status == SHELL_OK || finish_monitor(console, status);
}

enum shell_line console_read_line(void *context, char *line, size_t size, uint64_t *again)
{
	struct console *console = context;
	struct run *run = console->run;
	int status = SHELL_OK;

	greet(console);
	for (;;) {
		enum shell_line kind;

		if (console->guest_runs && !judge(console, run->shell.last_status))
			return SHELL_LINE_END;
		console->guest_runs = false;
		if (console->monitor_waits) {
			if (!monitor_is_done(console, &status)) {
				*again = hvk_time(atomic_load(&run->shell.hvk)) +
					 MONITOR_TICK_MS * HVK_TIME_PER_MS;
				return SHELL_LINE_NONE;
			}
			if (!finish_monitor(console, status))
				return SHELL_LINE_END;
		}
		if (atomic_load(&console->quit))
			return SHELL_LINE_END;
		answer_tree(console);
		kind = take_piece(console);
		if (kind != SHELL_LINE)
			return kind;
		run->status_before = run->shell.results.exit_status;
		if (strlen(console->piece) > SHELL_LINE_MAX) {
			if (!refuse_long(console))
				return SHELL_LINE_END;
			continue;
		}
		echo(console);
		if (console->piece[0] != '!') {
			snprintf(line, size, "%s", console->piece);
			console->guest_runs = true;
			return SHELL_LINE;
		}
		if (!begin_monitor(console))
			return SHELL_LINE_END;
	}
}

/* The guest has ended while a command of the host's waited, as one does that has asked it to. */
void console_finish(struct console *console)
{
	struct monitor *monitor = &console->run->monitor;
	int status = SHELL_OK;

	if (!console->monitor_waits)
		return;
	machine_lock(&console->run->machine);
	if (monitor_waits(monitor, machine_now(&console->run->machine), &status)) {
		if (monitor->wait.kind == MONITOR_WAIT_EXPECT || monitor->wait.kind == MONITOR_WAIT_ANSWER ||
		    monitor->wait.kind == MONITOR_WAIT_RETRY)
			status = SHELL_FAILED;
		monitor_stop_waiting(monitor);
	}
	machine_unlock(&console->run->machine);
	(void)finish_monitor(console, status);
}

/* --- At the end --------------------------------------------------------------------------------- */

static void show_tree_line(void *context, const char *line)
{
	char text[SHELL_LINE_MAX];
	int length = snprintf(text, sizeof(text), "  %s\n", line);

	console_show(context, SHELL_OUTPUT, text,
		     length < (int)sizeof(text) ? (size_t)length : sizeof(text) - 1);
}

void console_ending(void *context)
{
	struct console *console = context;
	struct run *run = console->run;

	if (console->source != CONSOLE_TERMINAL)
		console_show(console, SHELL_STORY, "\n", 1);
	if (!run->options->inspect)
		return;
	console_show(console, SHELL_OUTPUT, "guest:\n", 7);
	shell_dump(&run->shell, show_tree_line, console);
	console_show(console, SHELL_OUTPUT, "host:\n", 6);
	machine_lock(&run->machine);
	hvh_dump(machine_partition(&run->machine), show_tree_line, console);
	machine_unlock(&run->machine);
}
