/* SPDX-License-Identifier: MIT */
/* hvkit run --accel kvm at a terminal: it is the guest's serial port while that runs, and as it was when
 * it has ended, whatever ended it. Skipped without /dev/kvm or terminals. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <pty.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "vmm/vmm.h"

#define TRIES 1000u
#define TRY_US 10000u

static int terminal[2]; /* ours, the program's */

/* This program is BUILD/tests/vmm_terminal: BUILD/name. */
static const char *built(const char *name)
{
	static char path[2][512];
	static unsigned which;
	char *to = path[which++ % 2], *end;
	ssize_t length = readlink("/proc/self/exe", to, 400);

	to[length > 0 ? length : 0] = '\0';
	for (uint32_t n = 0; n < 2 && (end = strrchr(to, '/')) != NULL; n++)
		*end = '\0';
	snprintf(to + strlen(to), 100, "/%s", name);
	return to;
}

static bool is_raw(void)
{
	struct termios now;

	assert_int_equal(tcgetattr(terminal[1], &now), 0);
	return !(now.c_lflag & ICANON);
}

/* Its standard output goes to out. */
static pid_t start(const char *guest, int out)
{
	char name[64];
	pid_t child = fork();

	assert_true(child >= 0);
	if (child != 0)
		return child;
	snprintf(name, sizeof(name), "vmm_guests/%s.elf", guest);
	(void)dup2(terminal[1], STDIN_FILENO);
	(void)dup2(out, STDOUT_FILENO);
	(void)signal(SIGPIPE, SIG_DFL);
	(void)execl(built("hvkit"), "hvkit", "run", "--accel", "kvm", "--quiet", "--nic", "none",
		    "--time-limit", "60", "--guest", built(name), (char *)NULL);
	_exit(127);
}

static void await_raw(void)
{
	for (uint32_t n = 0; n < TRIES && !is_raw(); n++)
		(void)usleep(TRY_US);
	assert_true(is_raw());
}

static void the_end_key_ends_it(void **state)
{
	int status, nowhere = open("/dev/null", O_WRONLY);
	pid_t child = start("endless_loop", nowhere);

	(void)state;
	await_raw();
	assert_int_equal(write(terminal[0], "\x1d", 1), 1);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	assert_false(is_raw());
	close(nowhere);
}

static void a_signal_ends_it(void **state)
{
	int status, nowhere = open("/dev/null", O_WRONLY);
	pid_t child = start("endless_loop", nowhere);

	(void)state;
	await_raw();
	assert_int_equal(kill(child, SIGTERM), 0);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 128 + SIGTERM);
	assert_false(is_raw());
	close(nowhere);
}

static void so_does_a_reader_that_has_gone(void **state)
{
	int status, out[2];
	pid_t child;
	char byte;

	(void)state;
	assert_int_equal(pipe2(out, O_CLOEXEC), 0);
	child = start("chatter", out[1]);
	close(out[1]);
	assert_int_equal(read(out[0], &byte, 1), 1); /* it has begun */
	assert_true(is_raw());
	close(out[0]);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGPIPE);
	assert_false(is_raw());
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_end_key_ends_it),
		cmocka_unit_test(a_signal_ends_it),
		cmocka_unit_test(so_does_a_reader_that_has_gone),
	};
	char error[VMM_ERROR_MAX];
	struct vmm_probe probe;

	if (access(built("hvkit"), X_OK) != 0) {
		printf("skipped: no program at %s\n", built("hvkit"));
		return 77;
	}
	if (!vmm_probe(&probe, error)) {
		printf("skipped: %s\n", error);
		return 77;
	}
	if (openpty(&terminal[0], &terminal[1], NULL, NULL, NULL) != 0) {
		printf("skipped: no terminal can be made here: %s (is /dev/pts mounted?)\n", strerror(errno));
		return 77;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
