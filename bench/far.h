/* SPDX-License-Identifier: MIT */
/*
 * A second thread on a processor of its own. What the host's side has written on one processor the
 * guest's side reads on another, as it is where a host has processors of its own.
 */
#ifndef BENCH_FAR_H
#define BENCH_FAR_H

#include <stdbool.h>

struct bench_far;

/* NULL: there is but one processor; then begin does the work itself. The calling thread stays on the
 * first processor, the other on the second. */
struct bench_far *bench_far_create(void);
void bench_far_destroy(struct bench_far *far);
/* One piece of work at a time; wait returns when it is done. */
void bench_far_begin(struct bench_far *far, void (*work)(void *context), void *context);
void bench_far_wait(struct bench_far *far);

#endif
