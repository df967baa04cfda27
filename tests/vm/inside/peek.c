/* SPDX-License-Identifier: MIT */
/*
 * For the Linux under test: what busybox cannot read.
 *
 *   peek events DEVICE   "TYPE CODE VALUE" for each event of an input device, for ever
 *   peek clock DEVICE    seconds that a PTP clock is ahead of this system's
 */
#include <fcntl.h>
#include <linux/input.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static int show_events(int fd)
{
	struct input_event event;

	while (read(fd, &event, sizeof(event)) == (ssize_t)sizeof(event)) {
		if (event.type == EV_SYN)
			continue;
		printf("%u %u %d\n", event.type, event.code, event.value);
		fflush(stdout);
	}
	return 1;
}

static int show_clock(int fd)
{
	clockid_t clock = ~(clockid_t)(unsigned)fd << 3 | 3; /* FD_TO_CLOCKID of Linux's clock_gettime(2) */
	struct timespec theirs, ours;

	if (clock_gettime(clock, &theirs) != 0 || clock_gettime(CLOCK_REALTIME, &ours) != 0)
		return 1;
	printf("%.3f\n",
	       (double)(theirs.tv_sec - ours.tv_sec) + (double)(theirs.tv_nsec - ours.tv_nsec) / 1e9);
	return 0;
}

int main(int argc, char **argv)
{
	int fd = argc == 3 ? open(argv[2], O_RDONLY) : -1;

	if (fd < 0) {
		fprintf(stderr, "peek events|clock DEVICE: no such device, or no device named\n");
		return 2;
	}
	return strcmp(argv[1], "events") == 0 ? show_events(fd) : show_clock(fd);
}
