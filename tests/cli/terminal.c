/* SPDX-License-Identifier: MIT */
/*
 * The console as a person at a terminal meets it: the program on a pseudo terminal, keys in,
 * text out.
 */
#include <errno.h>
#include <poll.h>
#include <pty.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#define SECONDS 20 /* for what is waited for */
#define TEXT_MAX 65536u

#define KEY_SIDE "\x1d"
#define KEY_INTERRUPT "\x03"
#define KEY_END "\x04"
#define KEY_SUSPEND "\x1a"
#define KEY_START "\x01"
#define KEY_UP "\033[A"
#define KEY_LEFT "\033[D"

struct session {
	pid_t pid;
	int terminal;
	char text[TEXT_MAX]; /* all that was shown */
	size_t used, looked; /* looked: up to here it has been matched */
};

static char state_home[64] = "/tmp/hvkit-terminal.XXXXXX";

static const char *program(void)
{
	static char path[4096];
	const char *given = getenv("HVKIT");
	ssize_t length;
	char *end;

	if (given)
		return given;
	length = readlink("/proc/self/exe", path, sizeof(path) - 16);
	assert_true(length > 0);
	path[length] = '\0';
	end = strrchr(path, '/'); /* .../build/tests/cli_terminal */
	*end = '\0';
	end = strrchr(path, '/');
	strcpy(end, "/hvkit");
	return path;
}

/* no_color: what NO_COLOR is set to, or NULL; option: one more, or NULL. */
static void begin(struct session *session, const char *terminal, const char *no_color, const char *option)
{
	const struct winsize size = {.ws_row = 30, .ws_col = 100};
	const char *path = program();

	memset(session, 0, sizeof(*session));
	session->pid = forkpty(&session->terminal, NULL, NULL, &size);
	assert_true(session->pid >= 0);
	if (session->pid == 0) {
		setenv("TERM", terminal, 1);
		setenv("XDG_STATE_HOME", state_home, 1);
		unsetenv("NO_COLOR");
		if (no_color)
			setenv("NO_COLOR", no_color, 1);
		execl(path, "hvkit", "run", "--nic", "sim", option, NULL);
		_exit(127);
	}
}

static void keys(struct session *session, const char *text)
{
	assert_int_equal(write(session->terminal, text, strlen(text)), (ssize_t)strlen(text));
}

/* Reads what there is; false at the end, or if nothing came for so long. */
static bool more(struct session *session, int timeout_ms)
{
	struct pollfd polls = {.fd = session->terminal, .events = POLLIN};
	ssize_t count;

	if (poll(&polls, 1, timeout_ms) <= 0)
		return false;
	assert_true(session->used < TEXT_MAX - 1);
	count = read(session->terminal, session->text + session->used, TEXT_MAX - 1 - session->used);
	if (count <= 0)
		return false;
	session->used += (size_t)count;
	session->text[session->used] = '\0';
	return true;
}

/* Waits for that text after what was matched last. */
static void sees(struct session *session, const char *text)
{
	time_t limit = time(NULL) + SECONDS;

	for (;;) {
		const char *found = strstr(session->text + session->looked, text);

		if (found) {
			session->looked = (size_t)(found - session->text) + strlen(text);
			return;
		}
		if (time(NULL) > limit || !more(session, SECONDS * 1000))
			break;
	}
	fprintf(stderr, "not seen: \"%s\"; there was:\n%s\n", text, session->text + session->looked);
	kill(session->pid, SIGKILL);
	fail();
}

static void sees_not(const struct session *session, const char *text)
{
	if (strstr(session->text, text))
		fail_msg("\"%s\" is in:\n%s", text, session->text);
}

/* Its exit status, once it has ended. */
static int status_of(struct session *session)
{
	int status = 0;

	for (int n = 0; n < SECONDS * 100; n++) {
		pid_t ended;

		if (!more(session, 10))
			usleep(10000);
		ended = waitpid(session->pid, &status, WNOHANG);
		if (ended == session->pid) {
			while (more(session, 10))
				continue;
			close(session->terminal);
			return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
		}
	}
	fprintf(stderr, "it does not end; there was:\n%s\n", session->text);
	kill(session->pid, SIGKILL);
	fail();
	return -1;
}

static void begin_plain(struct session *session)
{
	begin(session, "xterm", "1", NULL);
	sees(session, "Ctrl-D ends.");
	sees(session, "guest> ");
}

static void editing(void **state)
{
	struct session session;

	(void)state;
	begin_plain(&session);
	keys(&session,
	     "xtme" KEY_LEFT KEY_LEFT "i" KEY_START "\x04\r"); /* Ctrl-D on a character deletes it */
	sees(&session, "reference TSC page");
	sees(&session, "guest> ");
	keys(&session, KEY_END);
	assert_int_equal(status_of(&session), 0);
	sees(&session, "vmbus: disconnected");
}

static void past_lines(void **state)
{
	char path[128];
	struct session session;
	struct stat file;

	(void)state;
	begin_plain(&session);
	keys(&session, "expect vmbus/version 5.3\r");
	sees(&session, "guest> ");
	keys(&session, "!devices\r");
	sees(&session, "net0");
	sees(&session, "guest> ");
	keys(&session, KEY_UP "\r");
	sees(&session, "net0");
	sees(&session, "network card");
	keys(&session, "poweroff\r");
	assert_int_equal(status_of(&session), 0);
	/* They are kept for the next time, and for nobody else. */
	snprintf(path, sizeof(path), "%s/hvkit/history", state_home);
	assert_int_equal(stat(path, &file), 0);
	assert_int_equal(file.st_mode & 0777, 0600);
	begin_plain(&session);
	keys(&session, KEY_UP KEY_UP);
	sees(&session, "!devices");
	keys(&session, "\r");
	sees(&session, "open");
	keys(&session, KEY_END);
	assert_int_equal(status_of(&session), 0);
}

static void completing(void **state)
{
	struct session session;

	(void)state;
	begin_plain(&session);
	keys(&session, "lsv\t\r");
	sees(&session, "VMBus 5.3, 1 channel");
	keys(&session, "ping \t1\r");
	sees(&session, "1 sent, 1 answered");
	sees(&session, "guest> ");
	keys(&session, "inspect vm\tsta\t\r"); /* the guest's tree, which its CPU is asked for */
	sees(&session, "state: connected");
	sees(&session, "guest> ");
	keys(&session, "!resc\tn\t\r");
	sees(&session, "the host has taken the card away");
	keys(&session, "!o\t\t\r");
	sees(&session, "network: channel");
	keys(&session, "s\t"); /* one only */
	sees(&session, "tats ");
	keys(&session, KEY_INTERRUPT "!quirk echoes-version \t\t"); /* two */
	sees(&session, "on   off");
	keys(&session, KEY_INTERRUPT KEY_END);
	(void)status_of(&session);
}

static void changing_sides(void **state)
{
	struct session session;

	(void)state;
	begin_plain(&session);
	keys(&session, KEY_SIDE);
	sees(&session, "host> ");
	keys(&session, "devices\r");
	sees(&session, "net0");
	sees(&session, "host> ");
	keys(&session, "!violations\r"); /* a '!' too many is none */
	sees(&session, "none");
	sees(&session, "host> ");
	keys(&session, "resind net0\r");
	sees(&session, "did you mean 'rescind'");
	sees(&session, "host> ");
	keys(&session, KEY_SIDE);
	sees(&session, "guest> ");
	keys(&session, "resind net0\r");
	sees(&session, "no such command");
	sees(&session, "guest> ");
	keys(&session, KEY_END);
	assert_int_equal(status_of(&session), 0); /* who typed it has seen it */
}

/* A '!' is for one command, the side of the prompt for all of a line. In virtual time, too. */
static void several_in_a_line(void **state)
{
	static const char *const seeds[] = {NULL, "--seed=1"};
	struct session session;

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		begin(&session, "xterm", "1", seeds[i]);
		sees(&session, "guest> ");
		keys(&session, "!devices; time\r");
		sees(&session, "net0");
		sees(&session, "reference TSC page");
		sees(&session, "guest> ");
		keys(&session, KEY_SIDE "devices; violations\r");
		sees(&session, "net0");
		sees(&session, "none");
		sees(&session, "host> ");
		keys(&session, KEY_SIDE KEY_UP "\r"); /* found again with each '!' */
		sees(&session, "!devices; !violations");
		sees(&session, "net0");
		sees(&session, "none");
		sees(&session, "guest> ");
		keys(&session, KEY_END);
		assert_int_equal(status_of(&session), 0);
	}
}

/* Said, and none of it run: neither what was there whole nor what its end was cut from. */
static void too_long_a_line(void **state)
{
	static const char *const sides[] = {"", KEY_SIDE};
	char line[2048];
	struct session session;

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		size_t before;

		begin_plain(&session);
		before = session.used;
		line[0] = '\0';
		strcat(line, i ? "violations" : "!violations; time");
		while (strlen(line) < 1300)
			strcat(line, "; devices net0");
		strcat(line, "\r");
		keys(&session, sides[i]);
		keys(&session, line);
		sees(&session, "at most 1200 characters");
		sees(&session, i ? "host> " : "guest> ");
		assert_null(strstr(session.text + before, "reference TSC page"));
		assert_null(strstr(session.text + before, "none\r"));
		keys(&session, KEY_INTERRUPT KEY_END);
		(void)status_of(&session);
	}
}

/* The host's side is there while the guest runs a command. */
static void taking_the_card_from_under_a_ping(void **state)
{
	struct session session;

	(void)state;
	begin_plain(&session);
	keys(&session, "ping 10.7.0.1 1000\r");
	sees(&session, "number 2 answered");
	keys(&session, KEY_SIDE);
	sees(&session, "host> ");
	keys(&session, "rescind net0\r");
	sees(&session, "the host has taken the network card away");
	keys(&session, "offer net0\r");
	sees(&session, "network: channel");
	keys(&session, KEY_SIDE);
	sees(&session, "guest> ");
	keys(&session, "ping 10.7.0.1 1\r");
	sees(&session, "1 sent, 1 answered");
	keys(&session, KEY_END);
	assert_int_equal(status_of(&session), 0);
}

static void interrupting(void **state)
{
	struct session session;

	(void)state;
	begin_plain(&session);
	keys(&session, "ping 10.7.0.1 1000\r");
	sees(&session, "number 1 answered");
	keys(&session, KEY_INTERRUPT);
	sees(&session, "interrupted");
	sees(&session, "guest> ");
	keys(&session, "unfinished");
	sees(&session, "unfinished");
	keys(&session, KEY_INTERRUPT);
	sees(&session, "guest> ");
	keys(&session, "time\r");
	sees(&session, "reference TSC page");
	sees(&session, "guest> ");
	keys(&session, KEY_INTERRUPT);
	sees(&session, "Ctrl-C again ends");
	sees(&session, "guest> ");
	keys(&session, KEY_INTERRUPT);
	assert_int_equal(status_of(&session), 0);
	sees(&session, "vmbus: disconnected");
}

/* What is typed while the guest is busy is kept for the prompt. */
static void typing_ahead(void **state)
{
	struct session session;

	(void)state;
	begin_plain(&session);
	keys(&session, "ping 10.7.0.1 2\r");
	sees(&session, "number 1 answered");
	keys(&session, "time\r");
	sees(&session, "2 sent, 2 answered");
	sees(&session, "reference TSC page");
	keys(&session, KEY_END);
	assert_int_equal(status_of(&session), 0);
}

static void suspending(void **state)
{
	struct session session;
	int status = 0;

	(void)state;
	begin_plain(&session);
	keys(&session, "tim");
	sees(&session, "tim");
	keys(&session, KEY_SUSPEND);
	for (int n = 0; n < SECONDS * 100 && !WIFSTOPPED(status); n++) {
		(void)waitpid(session.pid, &status, WNOHANG | WUNTRACED);
		usleep(10000);
	}
	assert_true(WIFSTOPPED(status));
	kill(session.pid, SIGCONT);
	sees(&session, "guest> tim");
	keys(&session, "e\r");
	sees(&session, "reference TSC page");
	keys(&session, KEY_END);
	assert_int_equal(status_of(&session), 0);
}

static void colours(void **state)
{
	struct session session;

	(void)state;
	begin(&session, "xterm", NULL, NULL);
	sees(&session, "\033[32mguest>");
	keys(&session, KEY_SIDE);
	sees(&session, "\033[35mhost>");
	keys(&session, "nonsense\r");
	sees(&session, "\033[31m");
	keys(&session, KEY_END);
	assert_int_equal(status_of(&session), 0);
	begin(&session, "xterm", NULL, "--color=never");
	sees(&session, "guest> ");
	keys(&session, KEY_END);
	assert_int_equal(status_of(&session), 0);
	sees_not(&session, "\033[32m");
	begin_plain(&session);
	keys(&session, KEY_END);
	assert_int_equal(status_of(&session), 0);
	sees_not(&session, "\033[3");
}

/* Where nothing can be edited, lines are read as they come. */
static void dumb_terminal(void **state)
{
	struct session session;

	(void)state;
	begin(&session, "dumb", NULL, NULL);
	sees(&session, "dhcp: ");
	keys(&session, "time\r");
	sees(&session, "reference TSC page");
	keys(&session, KEY_END);
	assert_int_equal(status_of(&session), 0);
	sees_not(&session, "\033");
	sees_not(&session, "guest> ");
}

/* In virtual time, too: it stands while nobody types. */
static void virtual_time(void **state)
{
	struct session session;

	(void)state;
	begin(&session, "xterm", "1", "--seed=1");
	sees(&session, "guest> ");
	keys(&session, "ping 10.7.0.1 100\r");
	sees(&session, "100 sent, 100 answered");
	sees(&session, "guest> ");
	keys(&session, KEY_SIDE "rescind net0\r");
	sees(&session, "the host has taken the card away");
	sees(&session, "host> ");
	keys(&session, "inspect \t" KEY_INTERRUPT "offer net0\r");
	sees(&session, "network: channel");
	keys(&session, KEY_SIDE);
	sees(&session, "guest> ");
	keys(&session, "inspect vmb\tchan\t" KEY_INTERRUPT "ip\r");
	sees(&session, "10.7.0.15");
	keys(&session, KEY_END);
	assert_int_equal(status_of(&session), 0);
}

static int make_state_home(void **state)
{
	(void)state;
	return mkdtemp(state_home) ? 0 : -1;
}

static int remove_state_home(void **state)
{
	char path[128];

	(void)state;
	snprintf(path, sizeof(path), "%s/hvkit/history", state_home);
	(void)unlink(path);
	snprintf(path, sizeof(path), "%s/hvkit", state_home);
	(void)rmdir(path);
	return rmdir(state_home);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(editing),
		cmocka_unit_test(past_lines),
		cmocka_unit_test(completing),
		cmocka_unit_test(changing_sides),
		cmocka_unit_test(several_in_a_line),
		cmocka_unit_test(too_long_a_line),
		cmocka_unit_test(taking_the_card_from_under_a_ping),
		cmocka_unit_test(interrupting),
		cmocka_unit_test(typing_ahead),
		cmocka_unit_test(suspending),
		cmocka_unit_test(colours),
		cmocka_unit_test(dumb_terminal),
		cmocka_unit_test(virtual_time),
	};
	int ends[2];

	if (access(program(), X_OK) != 0) {
		printf("no program at %s\n", program());
		return 77;
	}
	if (openpty(&ends[0], &ends[1], NULL, NULL, NULL) != 0) {
		printf("no terminal can be made here: %s (is /dev/pts mounted?)\n", strerror(errno));
		return 77;
	}
	close(ends[0]);
	close(ends[1]);
	return cmocka_run_group_tests(tests, make_state_home, remove_state_home);
}
