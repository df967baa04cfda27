/* SPDX-License-Identifier: MIT */
/*
 * The functions of core that a device driver calls, faked: memory with a guard behind each allocation,
 * locks that know how deep they may be nested, time that stands still until a test moves it, timers and
 * finished requests that run when a test says so, one CPU after another. For the benches of drivers, which
 * add what is left of vmbus, and a host.
 *
 * Include it in one file per program: it defines the functions.
 */
#ifndef GUEST_FAKE_CORE_H
#define GUEST_FAKE_CORE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "guest/core/core.h"

/* No program uses all of it. */
#pragma GCC diagnostic ignored "-Wunused-function"

#define FAKE_TIMERS_MAX 8u
#define FAKE_FINISHED_MAX 256u
#define FAKE_ALLOCATIONS_MAX 64u
#define FAKE_NONE UINT32_MAX
#define FAKE_GUARD 0xa5u
#define FAKE_CPUS 4u

struct fake_pages {
	void *address;
	uint32_t count;
	enum hvk_page_use use;
};

struct fake_finished {
	struct hvk_request *request;
	hvk_status status;
	uint32_t cpu;
};

struct hvk {
	uint64_t now_ms;
	uint32_t cpu;     /* that runs just now */
	uint32_t cpu_off; /* index + 1 of one that does not run; 0: all do */
	struct hvk_timer *timers[FAKE_TIMERS_MAX];
	struct fake_finished finished[FAKE_FINISHED_MAX];
	uint32_t finished_count;
	struct hvk_timeouts timeouts;
	int locked, locks_max; /* held, and how many one may hold */
	uint32_t faults;
	hvk_status last_fault;
	uint32_t version;
	bool boot_mode, no_random;
	struct fake_pages allocations[FAKE_ALLOCATIONS_MAX];
	uint32_t fail_allocation; /* number of the allocation that fails, from now */
	uint32_t quarantined;
	/* What another CPU does before this one has that lock, by number from now, those taken under another
	 * not counted; 0: nothing. */
	uint32_t interloper_at;
	void (*interloper)(void);
};

struct fake_sent;   /* the bench's: what the driver sent */
struct fake_packet; /* ... and what the host put into the ring */

struct hvk_channel {
	struct hvk *hvk;
	struct hvk_offer offer;
	struct hvk_channel_config config;
	bool open, rescinded, claimed, kicked;
	bool ring_full;
	uint32_t room; /* packets taken before that; FAKE_NONE: any number */
	struct fake_sent *sent;
	uint32_t sent_count;
	uint32_t seen;    /* of sent: the host has looked at them */
	uint32_t unshown; /* of sent: staged, and the host has not been shown them */
	struct fake_packet *inbox;
	uint32_t inbox_first, inbox_count;
	hvk_status send_status; /* HVK_OK, or what sending says */
};

static void fake_core_begin(struct hvk *hvk, int locks_max)
{
	hvk->version = VMBUS_VERSION_5_3;
	hvk->fail_allocation = FAKE_NONE;
	hvk->locks_max = locks_max;
	hvk->now_ms = 1000;
}

/* A word and a blank, behind what is in the log. */
static void fake_append(char *log, size_t size, const char *format, va_list arguments)
{
	size_t used = strlen(log);

	vsnprintf(log + used, size - used, format, arguments);
	used = strlen(log);
	snprintf(log + used, size - used, " ");
}

/* --- What is said -------------------------------------------------------------------------- */

void hvk_switch_point(void);
void hvk_switch_point(void)
{
}

void hvk_log(struct hvk *hvk, enum hvk_log_level level, const char *format, ...)
{
	(void)hvk;
	(void)level;
	(void)format;
}

hvk_status hvk_fault(struct hvk *hvk, hvk_status status, const char *format, ...)
{
	(void)format;
	assert_true(hvk_status_is_host_fault(status));
	hvk->faults++;
	hvk->last_fault = status;
	return status;
}

const char *hvk_status_text(hvk_status status)
{
	(void)status;
	return "status";
}

const char *hvk_status_name(hvk_status status)
{
	(void)status;
	return "status";
}

/* --- Memory ---------------------------------------------------------------------------------- */

hvk_status hvk_quarantine_check(struct hvk *hvk)
{
	(void)hvk;
	return HVK_OK;
}

hvk_status hvk_pages_get(struct hvk *hvk, uint32_t count, enum hvk_page_use use, struct hvk_pages *out)
{
	size_t bytes = (size_t)count * HVK_PAGE_SIZE;

	*out = (struct hvk_pages){0};
	assert_true(count >= 1 && count <= 8192);
	assert_int_equal(hvk->locked, 0);
	if (hvk->fail_allocation != FAKE_NONE && hvk->fail_allocation-- == 0)
		return HVK_ENOMEM;
	for (uint32_t i = 0; i < FAKE_ALLOCATIONS_MAX; i++) {
		struct fake_pages *pages = &hvk->allocations[i];

		if (pages->count != 0)
			continue;
		*pages = (struct fake_pages){aligned_alloc(HVK_PAGE_SIZE, bytes + HVK_PAGE_SIZE), count, use};
		memset(pages->address, 0, bytes);
		memset((uint8_t *)pages->address + bytes, FAKE_GUARD, HVK_PAGE_SIZE);
		*out = (struct hvk_pages){pages->address, count, use, NULL};
		return HVK_OK;
	}
	fail_msg("too many allocations");
	return HVK_ENOMEM;
}

/* Nobody writes behind what he has. */
static void fake_check_guard(const struct fake_pages *pages)
{
	const uint8_t *guard = (const uint8_t *)pages->address + (size_t)pages->count * HVK_PAGE_SIZE;

	for (uint32_t i = 0; i < HVK_PAGE_SIZE; i++)
		assert_int_equal(guard[i], FAKE_GUARD);
}

static void fake_forget_pages(struct hvk *hvk, struct hvk_pages *pages)
{
	for (uint32_t i = 0; i < FAKE_ALLOCATIONS_MAX; i++) {
		if (hvk->allocations[i].count != 0 && hvk->allocations[i].address == pages->address) {
			assert_int_equal(hvk->allocations[i].count, pages->count);
			fake_check_guard(&hvk->allocations[i]);
			hvk->allocations[i].count = 0;
			free(pages->address);
			*pages = (struct hvk_pages){0};
			return;
		}
	}
	fail_msg("pages that nobody got");
}

void hvk_pages_put(struct hvk *hvk, struct hvk_pages *pages)
{
	assert_int_equal(hvk->locked, 0);
	if (pages->count != 0)
		fake_forget_pages(hvk, pages);
}

hvk_status hvk_pages_quarantine(struct hvk *hvk, struct hvk_pages *pages)
{
	hvk->quarantined += pages->count;
	if (pages->count != 0)
		fake_forget_pages(hvk, pages);
	return HVK_OK;
}

uint64_t hvk_page_gpa(struct hvk *hvk, const struct hvk_pages *pages, uint32_t index)
{
	assert_int_equal(hvk->locked, 0);
	assert_true(index < pages->count);
	return (uint64_t)(uintptr_t)pages->address + (uint64_t)index * HVK_PAGE_SIZE;
}

static uint32_t fake_pages_in_use(const struct hvk *hvk)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < FAKE_ALLOCATIONS_MAX; i++)
		count += hvk->allocations[i].count;
	return count;
}

hvk_status hvk_random(struct hvk *hvk, void *out, size_t bytes)
{
	if (hvk->no_random)
		return HVK_ENOTSUP;
	memset(out, 0x42, bytes);
	return HVK_OK;
}

/* --- Locks, CPUs --------------------------------------------------------------------------------- */

hvk_status hvk_lock_init(struct hvk *hvk, struct hvk_lock *lock)
{
	(void)hvk;
	lock->words[0] = 1;
	return HVK_OK;
}

void hvk_lock(struct hvk *hvk, struct hvk_lock *lock)
{
	if (hvk->locked == 0 && hvk->interloper_at != 0 && --hvk->interloper_at == 0)
		hvk->interloper();
	assert_int_equal(lock->words[0], 1);
	lock->words[0] = 2;
	assert_true(hvk->locked++ < hvk->locks_max);
}

void hvk_unlock(struct hvk *hvk, struct hvk_lock *lock)
{
	assert_int_equal(lock->words[0], 2);
	lock->words[0] = 1;
	hvk->locked--;
}

uint32_t hvk_cpu_count(const struct hvk *hvk)
{
	(void)hvk;
	return FAKE_CPUS;
}

uint32_t hvk_cpu_index(struct hvk *hvk)
{
	return hvk->cpu;
}

bool hvk_cpu_runs(const struct hvk *hvk, uint32_t cpu)
{
	return cpu < FAKE_CPUS && cpu + 1 != hvk->cpu_off;
}

uint32_t hvk_vmbus_version(const struct hvk *hvk)
{
	return hvk->version;
}

bool hvk_vmbus_boot_mode(const struct hvk *hvk)
{
	return hvk->boot_mode;
}

uint32_t hvk_vmbus_contact_cpu(const struct hvk *hvk)
{
	(void)hvk;
	return 0;
}

/* --- Channels --------------------------------------------------------------------------------------- */

const struct hvk_offer *hvk_channel_offer(const struct hvk_channel *channel)
{
	return &channel->offer;
}

bool hvk_channel_rescinded(const struct hvk_channel *channel)
{
	return channel->rescinded;
}

struct hvk *hvk_channel_instance(const struct hvk_channel *channel)
{
	return channel->hvk;
}

uint32_t hvk_channel_cpu(const struct hvk_channel *channel)
{
	return channel->config.cpu;
}

hvk_status hvk_channel_claim(struct hvk_channel *channel)
{
	if (channel->claimed)
		return HVK_EBUSY;
	if (channel->rescinded)
		return HVK_EGONE;
	channel->claimed = true;
	return HVK_OK;
}

/* What sending says before anything is sent. */
static hvk_status fake_take_room(struct hvk_channel *channel)
{
	assert_true(channel->hvk->locked <= 1); /* a queue's */
	if (channel->rescinded)
		return HVK_EGONE;
	if (!channel->open)
		return HVK_ESTATE;
	if (channel->send_status != HVK_OK)
		return channel->send_status;
	if (channel->ring_full || channel->room == 0)
		return HVK_EAGAIN;
	if (channel->room != FAKE_NONE)
		channel->room--;
	return HVK_OK;
}

static bool fake_poll_channel(struct hvk_channel *channel)
{
	if (!channel->open || (channel->inbox_count == 0 && !channel->kicked))
		return false;
	channel->kicked = false;
	channel->hvk->cpu = channel->config.cpu;
	channel->kicked = channel->config.ready(channel->config.context, channel) || channel->kicked;
	assert_int_equal(channel->hvk->locked, 0);
	return true;
}

/* --- Time, requests ---------------------------------------------------------------------------------- */

uint64_t hvk_time(struct hvk *hvk)
{
	return hvk->now_ms * HVK_TIME_PER_MS;
}

const struct hvk_timeouts *hvk_timeouts(const struct hvk *hvk)
{
	return &hvk->timeouts;
}

void hvk_timer_stop(struct hvk *hvk, struct hvk_timer *timer)
{
	for (uint32_t i = 0; i < FAKE_TIMERS_MAX; i++) {
		if (hvk->timers[i] == timer)
			hvk->timers[i] = NULL;
	}
	timer->deadline = HVK_NEVER;
}

void hvk_timer_start(struct hvk *hvk, struct hvk_timer *timer, uint32_t cpu, uint32_t delay_ms)
{
	assert_int_equal(hvk->locked, 0);
	assert_true(delay_ms > 0);
	hvk_timer_stop(hvk, timer);
	timer->cpu = cpu;
	timer->deadline = hvk->now_ms + delay_ms;
	for (uint32_t i = 0; i < FAKE_TIMERS_MAX; i++) {
		if (!hvk->timers[i]) {
			hvk->timers[i] = timer;
			return;
		}
	}
	fail_msg("too many timers");
}

void hvk_request_begin(struct hvk_request *request)
{
	if (request)
		request->status = HVK_EINPROGRESS;
}

void hvk_request_finish(struct hvk *hvk, struct hvk_request *request, hvk_status status, uint32_t cpu)
{
	if (!request)
		return;
	assert_int_equal(hvk->locked, 0);
	assert_int_equal(request->status, HVK_EINPROGRESS); /* once */
	assert_true(hvk->finished_count < FAKE_FINISHED_MAX);
	for (uint32_t i = 0; i < hvk->finished_count; i++)
		assert_ptr_not_equal(hvk->finished[i].request, request);
	hvk->finished[hvk->finished_count++] = (struct fake_finished){request, status, cpu};
}

static void fake_run_timers(struct hvk *hvk)
{
	for (uint32_t i = 0; i < FAKE_TIMERS_MAX; i++) {
		struct hvk_timer *timer = hvk->timers[i];

		if (timer && timer->deadline <= hvk->now_ms) {
			hvk->timers[i] = NULL;
			timer->deadline = HVK_NEVER;
			hvk->cpu = timer->cpu;
			timer->fire(timer, timer->context);
			assert_int_equal(hvk->locked, 0);
		}
	}
}

/* One of them. */
static bool fake_run_finished(struct hvk *hvk)
{
	struct fake_finished first = hvk->finished[0];

	if (hvk->finished_count == 0)
		return false;
	hvk->finished_count--;
	memmove(&hvk->finished[0], &hvk->finished[1], hvk->finished_count * sizeof(hvk->finished[0]));
	first.request->status = first.status;
	hvk->cpu = first.cpu;
	if (first.request->done)
		first.request->done(first.request, first.request->context);
	assert_int_equal(hvk->locked, 0);
	return true;
}

#endif
