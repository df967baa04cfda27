/* SPDX-License-Identifier: MIT */
/*
 * A person at a terminal: libedit on the console's reading thread. The prompt says which side
 * one is on; Ctrl-] changes it. While the guest runs a command there is no prompt for it, but
 * Ctrl-] gives the host's; what is typed otherwise is kept for the next prompt.
 */
#include <errno.h>
#include <histedit.h>
#include <locale.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>
#include <wchar.h>

#include "apps/hvkit/completion.h"
#include "apps/hvkit/console.h"
#include "apps/hvkit/run.h"

#define KEY_SIDE 0x1d /* Ctrl-] */
#define KEY_INTERRUPT 0x03
#define HISTORY_LINES 1000
#define TYPED_MAX 256u
#define PATH_BYTES 512u
#define PROMPT_BYTES 48u

struct terminal {
	struct console *console;
	EditLine *edit;
	History *history;
	struct termios cooked;
	bool has_cooked;
	bool host_side;
	bool abandon; /* the line being edited is to be forgotten */
	bool ended;
	uint64_t empty_interrupt; /* when Ctrl-C last met an empty line; 100 ns */
	char typed[TYPED_MAX];    /* while there was no prompt */
	size_t typed_count;
	char prompt[PROMPT_BYTES];
	char history_file[PATH_BYTES];
};

#define AGAIN_WITHIN (2 * HVH_TIME_PER_SECOND)

/* --- History ------------------------------------------------------------------------------- */

/* ${XDG_STATE_HOME:-~/.local/state}/hvkit/history, and the folders to it. */
static bool find_history_file(char path[PATH_BYTES])
{
	const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
	int length = -1;

	if (state && state[0] == '/')
		length = snprintf(path, PATH_BYTES, "%s/hvkit/history", state);
	else if (home && home[0] == '/')
		length = snprintf(path, PATH_BYTES, "%s/.local/state/hvkit/history", home);
	if (length < 0 || length >= (int)PATH_BYTES)
		return false;
	for (char *at = path + 1; *at; at++) {
		if (*at != '/')
			continue;
		*at = '\0';
		(void)mkdir(path, 0700);
		*at = '/';
	}
	return true;
}

static void load_history(struct terminal *terminal)
{
	HistEvent event;

	terminal->history = history_init();
	if (!terminal->history)
		return;
	(void)history(terminal->history, &event, H_SETSIZE, HISTORY_LINES);
	(void)history(terminal->history, &event, H_SETUNIQUE, 1);
	if (find_history_file(terminal->history_file))
		(void)history(terminal->history, &event, H_LOAD, terminal->history_file);
	(void)el_set(terminal->edit, EL_HIST, history, terminal->history);
}

static void remember(struct terminal *terminal, const char *line)
{
	HistEvent event;

	if (terminal->history)
		(void)history(terminal->history, &event, H_ENTER, line);
}

static void save_history(struct terminal *terminal)
{
	HistEvent event;

	if (!terminal->history)
		return;
	if (terminal->history_file[0] &&
	    history(terminal->history, &event, H_SAVE, terminal->history_file) >= 0)
		(void)chmod(terminal->history_file, 0600);
	history_end(terminal->history);
}

/* --- Keys ------------------------------------------------------------------------------------ */

static struct terminal *terminal_of(EditLine *edit)
{
	void *data = NULL;

	(void)el_get(edit, EL_CLIENTDATA, &data);
	return data;
}

static char *prompt(EditLine *edit)
{
	struct terminal *terminal = terminal_of(edit);
	bool host = terminal->host_side;

	/* Between two \1 the terminal's cursor does not move. */
	if (terminal->console->color_out)
		snprintf(terminal->prompt, PROMPT_BYTES, "\1%s\1%s>\1%s\1 ",
			 style_begin(host ? STYLE_HOST : STYLE_GUEST), host ? "host" : "guest", STYLE_END);
	else
		snprintf(terminal->prompt, PROMPT_BYTES, "%s> ", host ? "host" : "guest");
	return terminal->prompt;
}

static unsigned char change_side(EditLine *edit, int key)
{
	struct terminal *terminal = terminal_of(edit);

	(void)key;
	terminal->host_side = !terminal->host_side;
	if (terminal->host_side || console_is_wanted(terminal->console))
		return CC_REDISPLAY;
	terminal->abandon = true; /* the guest takes no line now */
	(void)!write(STDOUT_FILENO, "\r\033[K", 4);
	return CC_NEWLINE;
}

static unsigned char interrupt_line(EditLine *edit, int key)
{
	static const char again[] = "^C\r\n(Ctrl-C again ends; so do Ctrl-D and poweroff)\r\n";
	struct terminal *terminal = terminal_of(edit);
	struct console *console = terminal->console;
	uint64_t now = machine_now(&console->run->machine);
	const LineInfo *line = el_line(edit);

	(void)key;
	terminal->abandon = true;
	if (line->lastchar != line->buffer) {
		(void)!write(STDOUT_FILENO, "^C\r\n", 4);
		return CC_NEWLINE;
	}
	if (terminal->empty_interrupt && now - terminal->empty_interrupt < AGAIN_WITHIN) {
		(void)!write(STDOUT_FILENO, "^C\r\n", 4);
		terminal->ended = true;
		return CC_NEWLINE;
	}
	terminal->empty_interrupt = now;
	(void)!write(STDOUT_FILENO, again, sizeof(again) - 1);
	return CC_NEWLINE;
}

void terminal_restore(struct terminal *terminal)
{
	if (terminal->has_cooked)
		(void)tcsetattr(STDIN_FILENO, TCSADRAIN, &terminal->cooked);
}

/* Back to whoever started us, until we are told to go on. */
static void stop(struct terminal *terminal)
{
	struct termios ours;

	(void)tcgetattr(STDIN_FILENO, &ours);
	terminal_restore(terminal);
	(void)kill(getpid(), SIGSTOP);
	(void)tcsetattr(STDIN_FILENO, TCSADRAIN, &ours);
}

static void suspend(EditLine *edit)
{
	stop(terminal_of(edit));
	(void)el_set(edit, EL_REFRESH);
}

static unsigned char suspend_all(EditLine *edit, int key)
{
	(void)key;
	suspend(edit);
	return CC_NORM;
}

static unsigned char complete(EditLine *edit, int key)
{
	struct terminal *terminal = terminal_of(edit);

	(void)key;
	return completion_run(edit, terminal->console, terminal->host_side);
}

/* --- Reading --------------------------------------------------------------------------------- */

/* One event from the pipe; a key if it stands for one, 0 if reading ends, -1 if it goes on. */
static int take_event(EditLine *edit, int pipe)
{
	char event;

	if (read(pipe, &event, 1) != 1)
		return -1;
	switch ((enum console_event)event) {
	case CONSOLE_CLOSE:
		return 0;
	case CONSOLE_INTERRUPT:
		return KEY_INTERRUPT;
	case CONSOLE_SUSPEND:
		suspend(edit);
		break;
	case CONSOLE_RESIZE:
		el_resize(edit);
		break;
	case CONSOLE_REFRESH: /* it may be on the screen already */
		fputs("\r\033[K", stdout);
		(void)el_set(edit, EL_REFRESH);
		break;
	case CONSOLE_WANTED:
		break;
	}
	return -1;
}

/* The rest of a character of several bytes. */
static int read_character(wchar_t *character)
{
	mbstate_t state;
	char byte;

	memset(&state, 0, sizeof(state));
	while (read(STDIN_FILENO, &byte, 1) == 1) {
		size_t length = mbrtowc(character, &byte, 1, &state);

		if (length == (size_t)-2)
			continue;
		if (length == (size_t)-1)
			*character = L'?';
		else if (length == 0)
			*character = L'\0';
		return 1;
	}
	return 0;
}

/* libedit's source of characters. */
static int next_character(EditLine *edit, wchar_t *character)
{
	struct terminal *terminal = terminal_of(edit);
	int pipe = terminal->console->wake[0];

	for (;;) {
		struct pollfd polls[2] = {{.fd = STDIN_FILENO, .events = POLLIN},
					  {.fd = pipe, .events = POLLIN}};

		if (poll(polls, 2, -1) < 0) {
			if (errno == EINTR)
				continue;
			return 0;
		}
		if (polls[1].revents) {
			int key = take_event(edit, pipe);

			if (key == 0)
				return 0;
			if (key > 0) {
				*character = (wchar_t)key;
				return 1;
			}
			continue;
		}
		return read_character(character);
	}
}

/* --- No prompt ------------------------------------------------------------------------------- */

static void keep_typed(struct terminal *terminal, char key)
{
	if (key == KEY_SIDE)
		terminal->host_side = !terminal->host_side;
	else if (terminal->typed_count < TYPED_MAX - 1)
		terminal->typed[terminal->typed_count++] = key;
}

static void take_waiting_event(struct terminal *terminal)
{
	char event;

	if (read(terminal->console->wake[0], &event, 1) != 1)
		return;
	if (event == CONSOLE_SUSPEND)
		stop(terminal);
	if (event == CONSOLE_RESIZE)
		el_resize(terminal->edit);
}

/* Until the guest wants a line, or Ctrl-] asks for the host's side; in virtual time that
 * waits for CPU 0, too. */
static void wait_for_guest(struct terminal *terminal)
{
	struct console *console = terminal->console;
	bool seeded = console->run->options->seeded;

	while ((seeded || !terminal->host_side) && !console_is_wanted(console) &&
	       !console_is_closed(console)) {
		struct pollfd polls[2] = {{.fd = STDIN_FILENO, .events = POLLIN},
					  {.fd = console->wake[0], .events = POLLIN}};
		char key;

		if (poll(polls, 2, -1) < 0)
			continue;
		if (polls[1].revents)
			take_waiting_event(terminal);
		else if (read(STDIN_FILENO, &key, 1) != 1)
			break; /* the terminal is gone: the prompt will find out */
		else
			keep_typed(terminal, key);
	}
}

/* --- The whole --------------------------------------------------------------------------------- */

/* Each command of a line with the '!' that it has on the guest's side: so it is kept, and found
 * from either side. */
static void mark_for_host(const char *line, char text[LINES_BYTES])
{
	struct line_pieces pieces;
	char piece[LINES_BYTES];
	size_t used = 0;

	text[0] = '\0';
	line_pieces_begin(&pieces, line);
	while (used < LINES_BYTES && line_pieces_next(&pieces, piece))
		used += (size_t)snprintf(text + used, LINES_BYTES - used, "%s%s%s", used ? "; " : "",
					 piece[0] == '!' ? "" : "!", piece);
}

static bool is_for_host(const char *text)
{
	struct line_pieces pieces;
	char piece[LINES_BYTES];

	line_pieces_begin(&pieces, text);
	while (line_pieces_next(&pieces, piece)) {
		if (piece[0] != '!')
			return false;
	}
	return true;
}

/* What is the host's alone is run here and at once; in virtual time, and where the guest has a
 * part in it, in order by the guest. */
static void take_line(struct terminal *terminal, char *line)
{
	struct console *console = terminal->console;
	char text[LINES_BYTES];

	line[strcspn(line, "\r\n")] = '\0';
	if (terminal->host_side)
		mark_for_host(line, text);
	else
		snprintf(text, sizeof(text), "%s", line);
	if (!*text)
		return;
	remember(terminal, text);
	if (!console->run->options->seeded && is_for_host(text))
		console_run_monitor(console, text);
	else if (text[0] == '!' || console_is_wanted(console))
		console_hand_over(console, text);
}

static void read_line(struct terminal *terminal)
{
	struct console *console = terminal->console;
	char line[LINES_BYTES];
	const char *text;
	int count = 0;

	if (terminal->typed_count) {
		terminal->typed[terminal->typed_count] = '\0';
		el_push(terminal->edit, terminal->typed);
		terminal->typed_count = 0;
	}
	terminal->abandon = false;
	(void)el_set(terminal->edit, EL_PREP_TERM, 1); /* before the prompt asks for keys */
	atomic_store(&console->editing, true);
	text = el_gets(terminal->edit, &count);
	atomic_store(&console->editing, false);
	if (terminal->abandon)
		return;
	if (!text || count <= 0) {
		if (!console_is_closed(console))
			(void)!write(STDOUT_FILENO, "\r\n", 2);
		terminal->ended = true;
		return;
	}
	if (strcspn(text, "\r\n"))
		terminal->empty_interrupt = 0;
	text += strspn(text, " \t"); /* before it is cut: what is too long is to stay so */
	snprintf(line, sizeof(line), "%s", text);
	take_line(terminal, line);
}

void terminal_run(struct terminal *terminal)
{
	struct console *console = terminal->console;

	/* Where nothing is edited the terminal gives each key at once and shows none; Ctrl-C and
	 * Ctrl-Z are signals. While a line is edited they are keys, in order with the others. */
	(void)el_set(terminal->edit, EL_SETTY, "-x", "-icanon", "-echo", NULL);
	(void)el_set(terminal->edit, EL_SETTY, "-d", "-isig", NULL);
	for (;;) {
		wait_for_guest(terminal);
		if (console_is_closed(console) || terminal->ended)
			break;
		read_line(terminal);
	}
	if (atomic_load(&console->run->shell.cancelled) || !console_is_closed(console))
		console_cancel(console); /* Ctrl-D on the host's side, while the guest runs a command */
}

static void bind_keys(EditLine *edit)
{
	(void)el_set(edit, EL_ADDFN, "hvkit-side", "Change between guest and host", change_side);
	(void)el_set(edit, EL_ADDFN, "hvkit-interrupt", "Forget the line", interrupt_line);
	(void)el_set(edit, EL_ADDFN, "hvkit-suspend", "Suspend the program", suspend_all);
	(void)el_set(edit, EL_ADDFN, "hvkit-complete", "Complete the word", complete);
	(void)el_set(edit, EL_BIND, "^]", "hvkit-side", NULL);
	(void)el_set(edit, EL_BIND, "^C", "hvkit-interrupt", NULL);
	(void)el_set(edit, EL_BIND, "^Z", "hvkit-suspend", NULL);
	(void)el_set(edit, EL_BIND, "\t", "hvkit-complete", NULL);
	(void)el_set(edit, EL_BIND, "^R", "em-inc-search-prev", NULL);
	(void)el_set(edit, EL_BIND, "\\e[3~", "ed-delete-next-char", NULL);
	(void)el_set(edit, EL_BIND, "\\e[H", "ed-move-to-beg", NULL);
	(void)el_set(edit, EL_BIND, "\\e[F", "ed-move-to-end", NULL);
	(void)el_set(edit, EL_BIND, "\\e[1~", "ed-move-to-beg", NULL);
	(void)el_set(edit, EL_BIND, "\\e[4~", "ed-move-to-end", NULL);
	(void)el_set(edit, EL_BIND, "\\e[1;5C", "em-next-word", NULL);
	(void)el_set(edit, EL_BIND, "\\e[1;5D", "ed-prev-word", NULL);
}

struct terminal *terminal_create(struct console *console)
{
	const char *name = getenv("TERM");
	struct terminal *terminal;

	if (!name || !*name || strcmp(name, "dumb") == 0)
		return NULL;
	terminal = calloc(1, sizeof(*terminal));
	if (!terminal)
		return NULL;
	terminal->console = console;
	terminal->has_cooked = tcgetattr(STDIN_FILENO, &terminal->cooked) == 0;
	(void)setlocale(LC_CTYPE, "");
	terminal->edit = el_init("hvkit", stdin, stdout, stderr);
	if (!terminal->edit) {
		free(terminal);
		return NULL;
	}
	(void)el_set(terminal->edit, EL_CLIENTDATA, terminal);
	(void)el_set(terminal->edit, EL_PROMPT_ESC, prompt, '\1');
	(void)el_set(terminal->edit, EL_EDITOR, "emacs");
	(void)el_set(terminal->edit, EL_SIGNAL, 0);
	(void)el_set(terminal->edit, EL_GETCFN, next_character);
	bind_keys(terminal->edit);
	(void)el_source(terminal->edit, NULL); /* ~/.editrc */
	load_history(terminal);
	return terminal;
}

void terminal_destroy(struct terminal *terminal)
{
	save_history(terminal);
	el_end(terminal->edit);
	terminal_restore(terminal);
	free(terminal);
}
