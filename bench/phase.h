/* SPDX-License-Identifier: MIT */
/*
 * Phases: functions phase_NAME of a program that runs under callgrind. It dumps what was
 * executed, and starts again from zero, after each of them (scripts/bench-instructions).
 */
#ifndef BENCH_PHASE_H
#define BENCH_PHASE_H

#include <stdio.h>

/* The assembly keeps the compiler from folding two into one, or ending one in a jump. */
#define PHASE(name, type, argument, ...)                                  \
	__attribute__((noinline)) static void phase_##name(type argument) \
	{                                                                 \
		__VA_ARGS__;                                              \
		__asm__ volatile("# " #name ::: "memory");                \
	}

/* What came before is not counted. count: what the phase's total is divided by. */
#define RUN(name, argument, count)                                 \
	do {                                                       \
		phase_begin();                                     \
		phase_##name(argument);                            \
		printf("per\t" #name "\t%u\n", (unsigned)(count)); \
	} while (0)

__attribute__((noinline)) static void phase_begin(void)
{
	__asm__ volatile("# begin" ::: "memory");
}

#endif
