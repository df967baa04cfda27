/* SPDX-License-Identifier: MIT */
/*
 * disk_reads DEVICE DEPTH COUNT: reads 4 KiB blocks from there on, COUNT of them, DEPTH at a time, past the
 * page cache. What is done begins anew, all of it in one system call, as fio's libaio engine does it; without
 * the libraries that fio would need here. Linux alone.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/aio_abi.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define SIZE 4096
#define DEPTH_MAX 64

static struct iocb requests[DEPTH_MAX], *list[DEPTH_MAX];
static struct io_event events[DEPTH_MAX];
static _Alignas(SIZE) char memory[DEPTH_MAX][SIZE];

static void check(int good, const char *what)
{
	if (good)
		return;
	perror(what);
	exit(1);
}

static void prepare(struct iocb *request, int file, long n, unsigned slot)
{
	memset(request, 0, sizeof(*request));
	request->aio_lio_opcode = IOCB_CMD_PREAD;
	request->aio_fildes = (unsigned)file;
	request->aio_buf = (unsigned long)memory[slot];
	request->aio_nbytes = SIZE;
	request->aio_offset = (long long)n * SIZE;
	request->aio_data = slot;
}

int main(int argc, char **argv)
{
	long depth = argc == 4 ? atol(argv[2]) : 0, count = argc == 4 ? atol(argv[3]) : 0, begun, done = 0;
	int file = argc == 4 ? open(argv[1], O_RDONLY | O_DIRECT) : -1;
	aio_context_t context = 0;
	long ready;

	check(file >= 0 && depth >= 1 && depth <= DEPTH_MAX && count >= depth,
	      "disk_reads DEVICE DEPTH COUNT");
	check(syscall(SYS_io_setup, DEPTH_MAX, &context) == 0, "io_setup");
	for (begun = 0; begun < depth; begun++) {
		prepare(&requests[begun], file, begun, (unsigned)begun);
		list[begun] = &requests[begun];
	}
	check(syscall(SYS_io_submit, context, depth, list) == depth, "io_submit");
	while (done < count) {
		long again = 0;

		ready = syscall(SYS_io_getevents, context, 1, depth, events, NULL);
		check(ready > 0, "io_getevents");
		for (long i = 0; i < ready; i++) {
			unsigned slot = (unsigned)events[i].data;

			check(events[i].res == SIZE, "read");
			if (begun == count)
				continue;
			prepare(&requests[slot], file, begun++, slot);
			list[again++] = &requests[slot];
		}
		check(again == 0 || syscall(SYS_io_submit, context, again, list) == again, "io_submit");
		done += ready;
	}
	return 0;
}
