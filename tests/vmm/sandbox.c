/* SPDX-License-Identifier: MIT */
/* A confined process can go on, and can neither write files nor start programs nor run code that
 * it made. Each look is taken by a child. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "vmm/private.h"

enum { RIGHT = 0, NOT_CONFINED = 100 };

static int in_child_with(enum vmm_confinement confinement, bool images, int (*look)(void))
{
	char error[VMM_ERROR_MAX];
	int status = -1;
	pid_t child = fork();

	assert_true(child >= 0);
	if (child == 0)
		_exit(vmm_confine(confinement, images, error) ? look() : NOT_CONFINED);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static int in_child(enum vmm_confinement confinement, int (*look)(void))
{
	return in_child_with(confinement, false, look);
}

static int forbidden(bool failed)
{
	return failed && errno == EPERM ? RIGHT : 1;
}

static int write_a_file(void)
{
	return forbidden(open("/tmp/hvkit-sandbox", O_WRONLY | O_CREAT, 0600) < 0);
}

static int read_a_file(void)
{
	return open("/etc/passwd", O_RDONLY) >= 0 ? RIGHT : 1;
}

static int fail_to_read_a_file(void)
{
	return forbidden(open("/etc/passwd", O_RDONLY) < 0);
}

static int start_a_program(void)
{
	return forbidden(execl("/bin/true", "true", (char *)NULL) < 0);
}

static int fork_once(void)
{
	pid_t child = fork();

	if (child == 0)
		_exit(0);
	return forbidden(child < 0);
}

static int map_code(void)
{
	void *page = mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return forbidden(page == MAP_FAILED);
}

static int type_into_the_terminal(void)
{
	struct winsize size;

	if (ioctl(-1, TIOCGWINSZ, &size) >= 0 || errno != EBADF)
		return 2;
	return forbidden(ioctl(-1, TIOCSTI, "x") < 0);
}

static int signal_others(void)
{
	int result = forbidden(kill(getppid(), 0) < 0);

	if (result == RIGHT)
		result = forbidden(kill(0, 0) < 0);
	return result == RIGHT ? forbidden(fcntl(0, F_SETOWN, getppid()) < 0) : result;
}

static int signal_itself(void)
{
	return kill(getpid(), 0) == 0 && raise(0) == 0 ? RIGHT : 1;
}

static int speak_to_this_machine(void)
{
	int pair[2], result = forbidden(socket(AF_UNIX, SOCK_STREAM, 0) < 0);

	return result == RIGHT ? forbidden(socketpair(AF_UNIX, SOCK_DGRAM, 0, pair) < 0) : result;
}

static int speak_to_a_network(void)
{
	/* Not all machines have IPv6. */
	return socket(AF_INET, SOCK_DGRAM, 0) >= 0 &&
			       (socket(AF_INET6, SOCK_STREAM, 0) >= 0 || errno != EPERM)
		       ? RIGHT
		       : 1;
}

static int fail_to_speak_to_a_network(void)
{
	return forbidden(socket(AF_INET, SOCK_DGRAM, 0) < 0);
}

static int take_memory(void)
{
	char *bytes = malloc(4 << 20);

	if (!bytes)
		return 1;
	bytes[4000000] = 1;
	free(bytes);
	return prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1 || errno == EPERM ? RIGHT : 1;
}

static int image; /* opened before */

static int write_an_image(void)
{
	if (pwrite(image, "x", 1, 4096) != 1 || fdatasync(image) != 0 || ftruncate(image, 16384) != 0)
		return 1;
	return fallocate(image, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, 4096) == 0 ||
			       errno == EOPNOTSUPP
		       ? RIGHT
		       : 2;
}

static int fail_to_write_an_image(void)
{
	return forbidden(pwrite(image, "x", 1, 4096) < 0);
}

static void images_are_written_where_there_are_any(void **state)
{
	FILE *file = tmpfile();

	(void)state;
	assert_non_null(file);
	image = fileno(file);
	assert_int_equal(in_child_with(VMM_CONFINED, true, write_an_image), RIGHT);
	assert_int_equal(in_child_with(VMM_CONFINED, true, write_a_file), RIGHT);
	assert_int_equal(in_child_with(VMM_CONFINED_TO_READING, true, write_a_file), RIGHT);
	assert_int_equal(in_child(VMM_CONFINED, fail_to_write_an_image), RIGHT);
	fclose(file);
}

static _Atomic bool go;

static void *other_thread(void *context)
{
	int *result = context;

	while (!atomic_load(&go))
		(void)usleep(1000);
	*result = write_a_file();
	return NULL;
}

static int threads_before_it(void)
{
	char error[VMM_ERROR_MAX];
	int result = 9, status = -1;
	pid_t child = fork();

	if (child == 0) {
		pthread_t thread;

		if (pthread_create(&thread, NULL, other_thread, &result) != 0)
			_exit(8);
		if (!vmm_confine(VMM_CONFINED, false, error))
			_exit(NOT_CONFINED);
		atomic_store(&go, true);
		(void)pthread_join(thread, NULL);
		_exit(result);
	}
	(void)waitpid(child, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 7;
}

static void what_a_monitor_does_not_need_is_forbidden(void **state)
{
	(void)state;
	assert_int_equal(in_child(VMM_CONFINED, write_a_file), RIGHT);
	assert_int_equal(in_child(VMM_CONFINED, start_a_program), RIGHT);
	assert_int_equal(in_child(VMM_CONFINED, fork_once), RIGHT);
	assert_int_equal(in_child(VMM_CONFINED, map_code), RIGHT);
	assert_int_equal(in_child(VMM_CONFINED, fail_to_read_a_file), RIGHT);
	assert_int_equal(in_child(VMM_CONFINED, fail_to_speak_to_a_network), RIGHT);
	assert_int_equal(in_child(VMM_CONFINED, type_into_the_terminal), RIGHT);
	assert_int_equal(in_child(VMM_CONFINED, signal_others), RIGHT);
	assert_int_equal(in_child(VMM_CONFINED_TO_READING, write_a_file), RIGHT);
	assert_int_equal(in_child(VMM_CONFINED_TO_READING, speak_to_this_machine), RIGHT);
}

static void what_it_needs_works(void **state)
{
	(void)state;
	assert_int_equal(in_child(VMM_CONFINED, take_memory), RIGHT);
	assert_int_equal(in_child(VMM_CONFINED_TO_READING, read_a_file), RIGHT);
	assert_int_equal(in_child(VMM_CONFINED_TO_READING, speak_to_a_network), RIGHT);
	assert_int_equal(in_child(VMM_CONFINED, signal_itself), RIGHT);
	assert_int_equal(in_child(VMM_UNCONFINED, fork_once), 1);
}

static void threads_that_run_already_are_confined_too(void **state)
{
	(void)state;
	assert_int_equal(threads_before_it(), RIGHT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_a_monitor_does_not_need_is_forbidden),
		cmocka_unit_test(what_it_needs_works),
		cmocka_unit_test(images_are_written_where_there_are_any),
		cmocka_unit_test(threads_that_run_already_are_confined_too),
	};

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
	printf("skipped: sanitizers need more than a monitor\n");
	return 77;
#endif
	return cmocka_run_group_tests(tests, NULL, NULL);
}
