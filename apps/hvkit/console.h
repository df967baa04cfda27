/* SPDX-License-Identifier: MIT */
/*
 * The console: where the commands of a run come from (the command line, a script, standard
 * input, a person at a terminal), and where its text goes. Lines for the guest are handed to
 * its CPU 0 in read_line; lines that begin with '!' are the monitor's (monitor.h).
 *
 * Commands of the command line and scripts are run in order, the monitor's too, on CPU 0. At a
 * terminal a thread of its own reads, so that the guest lives meanwhile; there the monitor's
 * commands are run at once, whatever the guest is doing (but for deterministic mode, in
 * which CPU 0 is the only place and the guest's time stands while nothing is typed).
 */
#ifndef CLI_CONSOLE_H
#define CLI_CONSOLE_H

#include <pthread.h>
#include <stdatomic.h>

#include "apps/hvkit/lines.h"
#include "apps/hvkit/options.h"
#include "apps/shell/shell.h"

struct run;
struct terminal;

enum console_source { CONSOLE_COMMANDS, CONSOLE_LINES, CONSOLE_TERMINAL };

struct console {
	struct run *run;
	enum console_source source;
	bool color_out, color_err;

	/* CPU 0's. */
	const char *name; /* of the script, for errors */
	bool stops;       /* at the first failure */
	uint32_t line_number, next_command;
	struct line_pieces pieces;
	char piece[LINES_BYTES]; /* under way */
	bool guest_runs, monitor_waits, tolerant;
	bool greeted;

	/* Between the reading thread and CPU 0, under lock. */
	pthread_mutex_t lock;
	pthread_cond_t changed;
	char line[LINES_BYTES];
	bool full;   /* line is to be taken */
	bool ended;  /* no more will come */
	bool wanted; /* CPU 0 has nothing to do but to take a line */
	bool closed; /* the machine ends: nobody takes lines any more */
	char *tree;  /* the guest's, asked for by tree_wanted */
	bool tree_wanted;

	pthread_t thread;
	bool has_thread;
	int file;    /* that lines are read from, -1 if none */
	int wake[2]; /* bytes of enum console_event: wake the reading thread */
	struct line_reader reader;
	struct terminal *terminal;
	_Atomic bool editing; /* a prompt is on the screen */
	_Atomic bool quit;    /* end orderly */
	pthread_t signals;
	bool has_signals;
	_Atomic bool signals_over;
	_Atomic bool interrupted; /* the monitor's command is to end */
	pthread_mutex_t screen;
	bool line_started; /* the text shown last has not ended its line; under screen */
};

enum console_event {
	CONSOLE_WANTED = 'g', /* the guest wants a line */
	CONSOLE_CLOSE = 'x',
	CONSOLE_INTERRUPT = 'c',
	CONSOLE_SUSPEND = 'z',
	CONSOLE_RESIZE = 'w',
	CONSOLE_REFRESH = 'r'
};

/* False with a line in error (of CLI_ERROR_MAX bytes). */
bool console_create(struct console *console, struct run *run, char *error);
/* Before the machine runs: the reading thread. */
void console_start(struct console *console);
/* After it: ends that thread. */
void console_stop(struct console *console);
/* What a command of the host's waited for when the guest ended is over, one way or the other. */
void console_finish(struct console *console);
void console_destroy(struct console *console);

/* The shell's platform: read_line, ending. context is the console. */
enum shell_line console_read_line(void *context, char *line, size_t size, uint64_t *again);
void console_ending(void *context);

/* Text, from any thread. */
void console_show(struct console *console, enum shell_stream stream, const char *text, size_t length);

/* Ends the command that runs; ends all. Any thread. */
void console_cancel(struct console *console);
void console_quit(struct console *console);
void console_tell(struct console *console, enum console_event event);

/* For the reading thread: hands a line over, once the guest wants one. */
void console_hand_over(struct console *console, const char *line);
bool console_is_closed(struct console *console);
bool console_is_wanted(struct console *console);
/* Runs commands of the monitor's, without '!', on the calling thread. */
void console_run_monitor(struct console *console, const char *line);
/* The guest's tree, by CPU 0; to be freed. NULL if it is busy. */
char *console_guest_tree(struct console *console);

/* terminal.c: the reading thread at a terminal. */
struct terminal *terminal_create(struct console *console);
void terminal_destroy(struct terminal *terminal);
void terminal_run(struct terminal *terminal);
void terminal_restore(struct terminal *terminal); /* as it was found; any thread */

/* signals.c: Ctrl-C and its kin. begin before any other thread is created. */
void signals_begin(void);
void signals_start(struct console *console);
void signals_stop(struct console *console);

#endif
