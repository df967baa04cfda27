/* SPDX-License-Identifier: MIT */
/* The guest's serial port: standard output, and standard input if there are no commands. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "apps/hvkit/kvm/guest.h"

#define END_KEY '\x1d'     /* Ctrl-] */
#define END_OF_TEXT '\x04' /* Ctrl-D */
#define FULL_WAIT_NS 10000000l

/* --- Output --------------------------------------------------------------------------------- */

static void flush(struct run_guest *guest)
{
	console_show(&guest->run->console, SHELL_OUTPUT, guest->line, guest->line_length);
	guest->line_length = 0;
}

void guest_serial_output(void *context, const char *text, size_t length)
{
	struct run_guest *guest = context;

	if (atomic_load(&guest->run->storage->cut)) /* it has no power any more */
		return;
	(void)pthread_mutex_lock(&guest->output_lock);
	for (size_t n = 0; n < length; n++) {
		if (text[n] == '\r' && !guest->raw) /* ends of lines are ours here */
			continue;
		guest->line[guest->line_length++] = text[n];
		if (text[n] == '\n' || guest->at_once || guest->line_length == GUEST_LINE_MAX)
			flush(guest);
	}
	(void)pthread_mutex_unlock(&guest->output_lock);
}

void guest_serial_flush(struct run_guest *guest)
{
	(void)pthread_mutex_lock(&guest->output_lock);
	if (guest->line_length)
		flush(guest);
	(void)pthread_mutex_unlock(&guest->output_lock);
}

/* --- Input ---------------------------------------------------------------------------------- */

/* Of the terminal, for what has no context: a signal handler. */
static struct termios before_raw;

/* The reader of our output is gone: the terminal is not to stay as the guest wants it. */
static void on_broken_pipe(int signal_number)
{
	(void)tcsetattr(STDIN_FILENO, TCSANOW, &before_raw);
	(void)signal(signal_number, SIG_DFL);
	(void)raise(signal_number); /* once this handler has returned */
}

static void set_raw(struct run_guest *guest)
{
	struct termios raw;

	if (!isatty(STDIN_FILENO) || tcgetattr(STDIN_FILENO, &guest->before) != 0)
		return;
	before_raw = guest->before;
	(void)signal(SIGPIPE, on_broken_pipe);
	raw = guest->before;
	raw.c_iflag &= (tcflag_t) ~(BRKINT | ICRNL | INLCR | ISTRIP | IXON);
	raw.c_lflag &= (tcflag_t) ~(ECHO | ICANON | IEXTEN | ISIG);
	raw.c_cc[VMIN] = 1;
	raw.c_cc[VTIME] = 0;
	guest->raw = tcsetattr(STDIN_FILENO, TCSANOW, &raw) == 0;
}

/* All of them, however long the guest takes. False: it has ended. */
static bool hand_over(struct run_guest *guest, const char *bytes, size_t count)
{
	const struct timespec wait = {0, FULL_WAIT_NS};

	while (count) {
		size_t taken = vmm_serial_input(guest->vmm, bytes, count);
		struct pollfd woken = {.fd = guest->wake[0], .events = POLLIN};

		bytes += taken;
		count -= taken;
		if (count && (poll(&woken, 1, 0) != 0 || nanosleep(&wait, NULL) != 0))
			return false;
	}
	return true;
}

/* hvkit's own guest ends with what it reads; others have their own ideas of an end. */
static void end_of_input(struct run_guest *guest, char last)
{
	const char end[] = {'\n', END_OF_TEXT};
	bool whole_line = last == '\n';

	if (guest->kernel[0])
		(void)hand_over(guest, end + whole_line, sizeof(end) - whole_line);
}

/* False: there will be none. */
static bool await_input(const struct run_guest *guest)
{
	struct pollfd files[] = {{.fd = STDIN_FILENO, .events = POLLIN},
				 {.fd = guest->wake[0], .events = POLLIN}};
	int count;

	do
		count = poll(files, 2, -1);
	while (count < 0 && errno == EINTR);
	return count > 0 && !files[1].revents;
}

static void *input_thread(void *context)
{
	struct run_guest *guest = context;
	char bytes[256], last = '\n';

	for (;;) {
		const char *end = NULL;
		ssize_t count;

		if (!await_input(guest))
			return NULL;
		count = read(STDIN_FILENO, bytes, sizeof(bytes));
		if (count <= 0) {
			end_of_input(guest, last);
			return NULL;
		}
		last = bytes[count - 1];
		if (guest->raw)
			end = memchr(bytes, END_KEY, (size_t)count);
		if (!hand_over(guest, bytes, end ? (size_t)(end - bytes) : (size_t)count))
			return NULL;
		if (end) {
			vmm_stop(guest->vmm);
			return NULL;
		}
	}
}

void guest_input_start(struct run_guest *guest)
{
	if (pipe2(guest->wake, O_CLOEXEC) != 0)
		return;
	set_raw(guest);
	if (guest->raw && !guest->run->options->quiet)
		fprintf(stderr, "hvkit: this terminal is the guest's serial port; Ctrl-] ends it\n");
	guest->at_once = isatty(STDOUT_FILENO) == 1;
	guest->has_input = pthread_create(&guest->input, NULL, input_thread, guest) == 0;
}

void guest_terminal_restore(struct run_guest *guest)
{
	if (guest->raw)
		(void)tcsetattr(STDIN_FILENO, TCSANOW, &guest->before);
}

void guest_input_stop(struct run_guest *guest)
{
	if (guest->has_input) {
		if (write(guest->wake[1], "x", 1) == 1)
			(void)pthread_join(guest->input, NULL);
		guest->has_input = false;
	}
	guest_terminal_restore(guest);
	guest->raw = false;
	for (int n = 0; n < 2; n++) {
		if (guest->wake[n] >= 0)
			(void)close(guest->wake[n]);
		guest->wake[n] = -1;
	}
}
