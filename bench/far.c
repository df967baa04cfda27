/* SPDX-License-Identifier: MIT */
#include "bench/far.h"

#include <pthread.h>
#include <sched.h>
#include <stdint.h>
#include <stdlib.h>

#include "bench/machine.h"

struct bench_far {
	pthread_t thread;
	void (*work)(void *context); /* NULL: end */
	void *context;
	uint32_t begun, done; /* atomic: both spin, to be as quick as two processors are */
};

/* Of the processors that the program may use. */
static bool stay_on(uint32_t number)
{
	cpu_set_t all, one;

	if (sched_getaffinity(0, sizeof(all), &all) != 0)
		return false;
	for (size_t i = 0; i < CPU_SETSIZE; i++) {
		if (!CPU_ISSET(i, &all) || number-- != 0)
			continue;
		CPU_ZERO(&one);
		CPU_SET(i, &one);
		return pthread_setaffinity_np(pthread_self(), sizeof(one), &one) == 0;
	}
	return false;
}

static void *run(void *context)
{
	struct bench_far *far = context;
	uint32_t seen = 0;

	while (true) {
		while (__atomic_load_n(&far->begun, __ATOMIC_ACQUIRE) == seen)
			;
		seen++;
		if (!far->work)
			return NULL;
		far->work(far->context);
		__atomic_store_n(&far->done, seen, __ATOMIC_RELEASE);
	}
}

/* The near one may use the first processor only when the far one has found its own. */
static void find_place(void *placed)
{
	*(bool *)placed = stay_on(1);
}

struct bench_far *bench_far_create(void)
{
	struct bench_far *far = calloc(1, sizeof(*far));
	bool placed = false;

	if (!far || pthread_create(&far->thread, NULL, run, far) != 0)
		bench_fail("threads", "cannot be had");
	bench_far_begin(far, find_place, &placed);
	bench_far_wait(far);
	if (placed && stay_on(0))
		return far;
	bench_far_destroy(far);
	return NULL;
}

void bench_far_destroy(struct bench_far *far)
{
	if (!far)
		return;
	bench_far_begin(far, NULL, NULL);
	(void)pthread_join(far->thread, NULL);
	free(far);
}

void bench_far_begin(struct bench_far *far, void (*work)(void *context), void *context)
{
	if (!far) {
		work(context);
		return;
	}
	far->work = work;
	far->context = context;
	__atomic_store_n(&far->begun, far->begun + 1, __ATOMIC_RELEASE);
}

void bench_far_wait(struct bench_far *far)
{
	while (far && __atomic_load_n(&far->done, __ATOMIC_ACQUIRE) != far->begun)
		;
}
