/* SPDX-License-Identifier: MIT */
/*
 * What a running monitor needs of the kernel, and no more: if a guest ever took it over, it
 * could start no program, write no file, run no code of its own, trace no process and signal none, nor
 * ask another to do so: by a socket of this machine, or by typing into the terminal. It holds for all
 * threads that there are; there will be no more. What is forbidden fails with EPERM.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "vmm/private.h"

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))

static const int allowed[] = {
	/* What we do all the time. */
	SYS_futex,
	SYS_read,
	SYS_write,
	SYS_writev,
	SYS_readv,
	SYS_pread64,
	SYS_lseek,
	SYS_clock_gettime,
	SYS_clock_nanosleep,
	SYS_nanosleep,
	SYS_gettimeofday,
	SYS_getrusage,
	SYS_timerfd_settime,
	SYS_time,
	SYS_poll,
	SYS_ppoll,
	SYS_epoll_wait, /* TAP */
	SYS_epoll_ctl,
	SYS_select,
	SYS_pselect6,
	SYS_sched_yield,
	/* Memory, signals, threads that end. */
	SYS_munmap,
	SYS_mremap,
	SYS_madvise,
	SYS_brk,
	SYS_rt_sigaction,
	SYS_rt_sigprocmask,
	SYS_rt_sigreturn,
	SYS_rt_sigtimedwait,
	SYS_gettid,
	SYS_getpid,
	SYS_sigaltstack,
	SYS_restart_syscall,
	SYS_exit,
	SYS_exit_group,
	SYS_getrandom,
	SYS_rseq,
	SYS_set_robust_list,
	/* Files that are open. */
	SYS_close,
	SYS_fstat,
	SYS_dup,
	SYS_pipe2,
	SYS_uname,
};
#define ALLOWED COUNT(allowed)

/* User-mode networking: sockets, and files that may only be looked at, for TFTP and the name servers'
 * list. */
static const int for_networking[] = {
	SYS_connect,    SYS_bind,        SYS_listen,      SYS_accept,   SYS_accept4,
	SYS_sendto,     SYS_recvfrom,    SYS_sendmsg,     SYS_recvmsg,  SYS_setsockopt,
	SYS_getsockopt, SYS_getsockname, SYS_getpeername, SYS_shutdown, SYS_stat,
	SYS_lstat,      SYS_newfstatat,  SYS_readlink,    SYS_access,
};
#define FOR_NETWORKING COUNT(for_networking)

/* Images of disks, which were opened before. */
static const int for_images[] = {SYS_pwrite64, SYS_fdatasync, SYS_fallocate, SYS_ftruncate};
#define FOR_IMAGES COUNT(for_images)

/* Sockets of this machine lead to those who start programs for others. */
static const uint32_t families[] = {AF_INET, AF_INET6};
/* Typing into the terminal; signals to whoever is named. */
static const uint32_t no_ioctls[] = {TIOCSTI, 0x541cu /* TIOCLINUX */, FIOSETOWN, SIOCSPGRP};
static const uint32_t no_fcntls[] = {F_SETOWN, F_SETOWN_EX, F_SETSIG};

#define WRITING (O_ACCMODE | O_CREAT | O_TRUNC)
#define WITHOUTS 4u
#define LISTS 5u
#define PROGRAM_MAX (8 + 2 * (ALLOWED + FOR_NETWORKING + FOR_IMAGES) + 5 * WITHOUTS + 11 * LISTS)
#define FIELD(name) ((uint32_t)offsetof(struct seccomp_data, name))
#define LOW_HALF(field) FIELD(field) /* little-endian */

struct program {
	struct sock_filter code[PROGRAM_MAX];
	uint16_t count;
};

static void add(struct program *program, uint16_t operation, uint32_t value, uint8_t yes, uint8_t no)
{
	program->code[program->count++] = (struct sock_filter){operation, yes, no, value};
}

static void add_load(struct program *program, uint32_t field)
{
	add(program, BPF_LD | BPF_W | BPF_ABS, field, 0, 0);
}

static void add_return(struct program *program, uint32_t value)
{
	add(program, BPF_RET | BPF_K, value, 0, 0);
}

static void allow(struct program *program, const int *numbers, size_t count)
{
	for (size_t n = 0; n < count; n++) {
		add(program, BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)numbers[n], 0, 1);
		add_return(program, SECCOMP_RET_ALLOW);
	}
}

/* One of whose arguments some bits may not be set. */
static void allow_without(struct program *program, int number, uint32_t field, uint32_t bits)
{
	add(program, BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)number, 0, 4);
	add_load(program, field);
	add(program, BPF_JMP | BPF_JSET | BPF_K, bits, 1, 0);
	add_return(program, SECCOMP_RET_ALLOW);
	add_return(program, SECCOMP_RET_ERRNO | EPERM);
}

/* One of whose arguments is to be among those of a list, or not. */
static void allow_by_list(struct program *program, int number, uint32_t field, const uint32_t *list,
			  size_t count, bool among)
{
	const uint32_t found = among ? SECCOMP_RET_ALLOW : SECCOMP_RET_ERRNO | EPERM;
	const uint32_t missed = among ? SECCOMP_RET_ERRNO | EPERM : SECCOMP_RET_ALLOW;

	add(program, BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)number, 0, (uint8_t)(2 * count + 2));
	add_load(program, field);
	for (size_t n = 0; n < count; n++) {
		add(program, BPF_JMP | BPF_JEQ | BPF_K, list[n], 0, 1);
		add_return(program, found);
	}
	add_return(program, missed);
}

static void build(struct program *program, bool networking, bool images)
{
	const uint32_t self = (uint32_t)getpid();

	add_load(program, FIELD(arch));
	add(program, BPF_JMP | BPF_JEQ | BPF_K, AUDIT_ARCH_X86_64, 1, 0);
	add_return(program, SECCOMP_RET_KILL_PROCESS);
	add_load(program, FIELD(nr));
	allow(program, allowed, ALLOWED);
	allow_without(program, SYS_mmap, LOW_HALF(args[2]), PROT_EXEC);
	allow_without(program, SYS_mprotect, LOW_HALF(args[2]), PROT_EXEC);
	allow_by_list(program, SYS_ioctl, LOW_HALF(args[1]), no_ioctls, COUNT(no_ioctls), false);
	allow_by_list(program, SYS_fcntl, LOW_HALF(args[1]), no_fcntls, COUNT(no_fcntls), false);
	allow_by_list(program, SYS_kill, LOW_HALF(args[0]), &self, 1, true);
	allow_by_list(program, SYS_tgkill, LOW_HALF(args[0]), &self, 1, true);
	if (images)
		allow(program, for_images, FOR_IMAGES);
	if (networking) {
		allow(program, for_networking, FOR_NETWORKING);
		allow_by_list(program, SYS_socket, LOW_HALF(args[0]), families, COUNT(families), true);
		allow_without(program, SYS_openat, LOW_HALF(args[2]), WRITING);
		allow_without(program, SYS_open, LOW_HALF(args[1]), WRITING);
	}
	add_return(program, SECCOMP_RET_ERRNO | EPERM);
}

bool vmm_confine(enum vmm_confinement confinement, bool images, char *error)
{
	struct program program = {.count = 0};
	struct sock_fprog filter;

	if (confinement == VMM_UNCONFINED)
		return true;
	build(&program, confinement == VMM_CONFINED_TO_READING, images);
	filter = (struct sock_fprog){program.count, program.code};
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
	    syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &filter) == 0)
		return true;
	snprintf(error, VMM_ERROR_MAX, "the monitor cannot be confined: %s; --no-sandbox runs it as it is",
		 strerror(errno));
	return false;
}
