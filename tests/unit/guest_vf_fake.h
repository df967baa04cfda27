/* SPDX-License-Identifier: MIT */
/*
 * A bench for guest/vf: core, the card and the VF are fakes that keep a log of what they are asked, answer
 * at once, late or never, with what a test wants, and hold the rules that a real pair would break on:
 *
 *   the data path goes to a VF that is up and that the host has allocated, and comes back before it is down
 *   the VF is given frames while the data path is its own, the card at any time
 *   one control operation at a time on each device
 *
 * fake_step runs one finished request, fake_run all of them, fake_pass lets time pass. Safe with threads:
 * fake_cpu is the CPU of the thread. Include it in one file per program: it defines the functions.
 */
#ifndef GUEST_VF_FAKE_H
#define GUEST_VF_FAKE_H

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "guest/core/core.h"
#include "hvkit/netvsc.h"
#include "hvkit/vf.h"

/* No program uses all of it. */
#pragma GCC diagnostic ignored "-Wunused-function"

#define FAKE_CPUS 3u
#define FAKE_TIMERS_MAX 16u
#define FAKE_MAC                                   \
	{                                          \
		0x00, 0x15, 0x5d, 0x01, 0x02, 0x03 \
	}
#define FAKE_SERIAL 0x4711u
#define FAKE_CAPABILITIES \
	(HVK_NETDEV_TX_CHECKSUMS | HVK_NETDEV_RX_CHECKSUMS | HVK_NETDEV_TSO4 | HVK_NETDEV_RSS)

enum fake_operation {
	FAKE_FLAGS,
	FAKE_ENABLED,
	FAKE_MTU,
	FAKE_GROUPS,
	FAKE_RSS,
	FAKE_DATA_PATH,
	FAKE_OPERATIONS
};

struct fake_device {
	struct hvk_netdev netdev;
	const char *name;
	uint32_t cpu;                        /* of its requests' ends */
	hvk_status answers[FAKE_OPERATIONS]; /* HVK_EINPROGRESS: held until fake_let_go */
	struct hvk_request *held;
	enum fake_operation held_operation;
	uint32_t held_value;
	bool gone;
	uint32_t fixed; /* offloads that cannot be switched off */
	struct hvk_netdev_rss rss;
	struct hvk_netdev_counters counters;
	uint32_t group_count;
	enum hvk_tx_result result; /* of transmit */
	uint32_t outstanding;
	uint32_t calls[HVK_VF_OPERATIONS]; /* by what of the table they are for this device */
	uint32_t released;
	uint32_t inside; /* CPUs in transmit; atomic */
};

struct hvk {
	struct hvk_request *first[FAKE_CPUS], *last[FAKE_CPUS];
	struct hvk_timer *timers[FAKE_TIMERS_MAX];
	pthread_mutex_t lock;
	uint64_t now; /* 100 ns */
	uint32_t pages, locks;
	bool stopped[FAKE_CPUS];
};

struct hvk_netvsc {
	struct fake_device device;
	struct hvk_netvsc_association association;
	void (*changed)(void *context, struct hvk_netvsc *nic);
	void *context;
	bool no_vf; /* created without config.vf */
	bool to_vf; /* where the host sends frames; atomic */
};

/* What the stack saw. */
struct fake_stack {
	uint32_t inputs, bursts, ready, links, infos, gone;
	bool link;
	struct hvk_rx_frame last;
	struct hvk_netdev *from;
};

static struct {
	struct hvk hvk;
	struct hvk_netvsc nic;
	struct fake_device vf;
	struct hvk_vf *pair;
	struct fake_stack stack, separate, driver; /* the users of card, VF, and the VF's own */
	struct hvk_request requests[16];
	uint32_t request_count;
	char log[4096];
	enum hvk_vf_state states[64]; /* as told by changed */
	uint32_t state_count;
	void (*told)(enum hvk_vf_state state);
	void (*within)(void); /* while a CPU is inside the VF's transmit */
	bool quiet;           /* no log: threads */
} bench;

static _Thread_local uint32_t fake_cpu;

static void fake_log(const char *format, ...) __attribute__((format(printf, 1, 2)));
static void fake_log(const char *format, ...)
{
	size_t at = strlen(bench.log);
	va_list list;

	if (bench.quiet)
		return;
	va_start(list, format);
	if (at != 0)
		at += (size_t)snprintf(bench.log + at, sizeof(bench.log) - at, "; ");
	(void)vsnprintf(bench.log + at, sizeof(bench.log) - at, format, list);
	va_end(list);
}

/* --- Core ---------------------------------------------------------------------------------- */

void hvk_log(struct hvk *hvk, enum hvk_log_level level, const char *format, ...)
{
	(void)hvk;
	(void)level;
	(void)format;
}

hvk_status hvk_lock_init(struct hvk *hvk, struct hvk_lock *lock)
{
	(void)hvk;
	_Static_assert(sizeof(pthread_mutex_t) <= sizeof(lock->words), "a mutex fits");
	assert_int_equal(pthread_mutex_init((pthread_mutex_t *)lock->words, NULL), 0);
	return HVK_OK;
}

static _Thread_local uint32_t fake_locks;

void hvk_lock(struct hvk *hvk, struct hvk_lock *lock)
{
	(void)hvk;
	assert_int_equal(fake_locks, 0); /* guest/vf has one lock, and takes it once */
	fake_locks++;
	pthread_mutex_lock((pthread_mutex_t *)lock->words);
}

void hvk_unlock(struct hvk *hvk, struct hvk_lock *lock)
{
	(void)hvk;
	pthread_mutex_unlock((pthread_mutex_t *)lock->words);
	fake_locks--;
}

uint32_t hvk_cpu_index(struct hvk *hvk)
{
	(void)hvk;
	return fake_cpu;
}

uint32_t hvk_cpu_count(const struct hvk *hvk)
{
	(void)hvk;
	return FAKE_CPUS;
}

bool hvk_cpu_runs(const struct hvk *hvk, uint32_t cpu)
{
	return !hvk->stopped[cpu];
}

uint64_t hvk_time(struct hvk *hvk)
{
	return __atomic_load_n(&hvk->now, __ATOMIC_RELAXED);
}

hvk_status hvk_pages_get(struct hvk *hvk, uint32_t count, enum hvk_page_use use, struct hvk_pages *out)
{
	(void)use;
	*out = (struct hvk_pages){.count = count, .address = calloc(count, HVK_PAGE_SIZE)};
	hvk->pages += count;
	return out->address ? HVK_OK : HVK_ENOMEM;
}

void hvk_pages_put(struct hvk *hvk, struct hvk_pages *pages)
{
	hvk->pages -= pages->count;
	free(pages->address);
}

void hvk_request_begin(struct hvk_request *request)
{
	if (request) {
		request->next = NULL;
		__atomic_store_n(&request->status, HVK_EINPROGRESS, __ATOMIC_RELEASE);
	}
}

void hvk_request_finish(struct hvk *hvk, struct hvk_request *request, hvk_status status, uint32_t cpu)
{
	if (!request)
		return;
	/* Begun, and finished once. */
	assert_int_equal(__atomic_load_n(&request->status, __ATOMIC_ACQUIRE), HVK_EINPROGRESS);
	pthread_mutex_lock(&hvk->lock);
	for (const struct hvk_request *other = hvk->first[cpu]; other; other = other->next)
		assert_ptr_not_equal(other, request);
	request->next = NULL;
	request->result = status;
	if (hvk->last[cpu])
		hvk->last[cpu]->next = request;
	else
		hvk->first[cpu] = request;
	hvk->last[cpu] = request;
	pthread_mutex_unlock(&hvk->lock);
}

void hvk_timer_start(struct hvk *hvk, struct hvk_timer *timer, uint32_t cpu, uint32_t delay_ms)
{
	uint32_t i = 0;

	timer->deadline = hvk_time(hvk) + delay_ms * 10000ull;
	timer->cpu = cpu;
	while (i < FAKE_TIMERS_MAX && hvk->timers[i] && hvk->timers[i] != timer)
		i++;
	assert_true(i < FAKE_TIMERS_MAX);
	hvk->timers[i] = timer;
}

void hvk_timer_stop(struct hvk *hvk, struct hvk_timer *timer)
{
	(void)hvk;
	timer->deadline = HVK_NEVER;
}

struct hvk *hvk_channel_instance(const struct hvk_channel *channel)
{
	(void)channel;
	return &bench.hvk;
}

/* --- Running ------------------------------------------------------------------------------- */

static struct hvk_request *fake_take(uint32_t cpu)
{
	struct hvk_request *request;

	pthread_mutex_lock(&bench.hvk.lock);
	request = bench.hvk.first[cpu];
	if (request) {
		bench.hvk.first[cpu] = request->next;
		if (!bench.hvk.first[cpu])
			bench.hvk.last[cpu] = NULL;
	}
	pthread_mutex_unlock(&bench.hvk.lock);
	return request;
}

/* One finished request of the thread's CPU. False: there is none. */
static bool fake_poll(void)
{
	struct hvk_request *request = fake_take(fake_cpu);
	void (*done)(struct hvk_request *, void *);
	void *context;

	if (!request)
		return false;
	done = request->done;
	context = request->context;
	__atomic_store_n(&request->status, request->result, __ATOMIC_SEQ_CST);
	if (done)
		done(request, context);
	return true;
}

static bool fake_step(void)
{
	for (fake_cpu = 0; fake_cpu < FAKE_CPUS; fake_cpu++) {
		if (fake_poll()) {
			fake_cpu = 0;
			return true;
		}
	}
	fake_cpu = 0;
	return false;
}

static void fake_run(void)
{
	uint32_t steps = 0;

	while (fake_step())
		assert_true(++steps < 2000); /* it comes to rest */
}

/* True: one was due. */
static bool fake_timers(void)
{
	bool fired = false;

	for (uint32_t i = 0; i < FAKE_TIMERS_MAX; i++) {
		struct hvk_timer *timer = bench.hvk.timers[i];

		if (!timer || timer->deadline > hvk_time(&bench.hvk) || timer->deadline == HVK_NEVER)
			continue;
		timer->deadline = HVK_NEVER;
		timer->fire(timer, timer->context);
		fired = true;
	}
	return fired;
}

static void fake_pass(uint32_t ms)
{
	fake_run();
	for (uint32_t i = 0; i < ms; i++) {
		(void)__atomic_add_fetch(&bench.hvk.now, 10000, __ATOMIC_RELAXED);
		(void)fake_timers();
		fake_run();
	}
}

#include "guest_vf_devices.h"
#include "guest_vf_users.h"

#endif
