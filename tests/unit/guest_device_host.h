/* SPDX-License-Identifier: MIT */
/*
 * A bench for devices of one channel (guest/device/device.h): the few functions of core and vmbus that they
 * call, faked. Time, timers and finished requests run in fake_run; what the driver sends is kept in
 * bench.sent, what the host says is put in with fake_packet.
 *
 * Include it in one file per program: it defines the functions.
 */
#ifndef GUEST_DEVICE_HOST_H
#define GUEST_DEVICE_HOST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "guest/core/core.h"
#include "hvkit/vmbus.h"

/* No program uses all of it. */
#pragma GCC diagnostic ignored "-Wunused-function"

#define FAKE_SENT_MAX 256u
#define FAKE_INBOX_MAX 64u
#define FAKE_TIMERS_MAX 8u
#define FAKE_BYTES_MAX 16384u
#define FAKE_CPUS 2u
#define FAKE_ANY_ROOM UINT32_MAX

struct fake_bytes {
	uint16_t type;
	uint8_t bytes[FAKE_BYTES_MAX];
	uint32_t length;
	hvk_status status; /* not HVK_OK: what receive says instead */
};

struct hvk {
	uint64_t now_ms;
	struct hvk_timer *timers[FAKE_TIMERS_MAX];
	struct hvk_request *finished[16];
	uint32_t finished_count;
	struct hvk_timeouts timeouts;
	struct hvk_hypervisor_info info;
	int locked;
	uint32_t faults, pages;
	hvk_status last_fault;
};

struct hvk_channel {
	struct hvk_offer offer;
	struct hvk_channel_config config;
	bool open, rescinded, claimed, kicked, held, silent_open;
	uint32_t room; /* packets taken before the ring is full */
};

static struct fake_bench {
	struct hvk hvk;
	struct hvk_channel channel;
	struct fake_bytes inbox[FAKE_INBOX_MAX], sent[FAKE_SENT_MAX];
	uint32_t inbox_first, inbox_count, sent_count;
} bench;

/* --- core -------------------------------------------------------------------------------- */

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

hvk_status hvk_pages_get(struct hvk *hvk, uint32_t count, enum hvk_page_use use, struct hvk_pages *out)
{
	void *address = aligned_alloc(HVK_PAGE_SIZE, (size_t)count * HVK_PAGE_SIZE);

	assert_non_null(address);
	memset(address, 0, (size_t)count * HVK_PAGE_SIZE);
	*out = (struct hvk_pages){address, count, use, NULL};
	hvk->pages += count;
	return HVK_OK;
}

void hvk_pages_put(struct hvk *hvk, struct hvk_pages *pages)
{
	assert_int_equal(hvk->locked, 0);
	hvk->pages -= pages->count;
	free(pages->address);
	*pages = (struct hvk_pages){0};
}

hvk_status hvk_lock_init(struct hvk *hvk, struct hvk_lock *lock)
{
	(void)hvk;
	lock->words[0] = 1;
	return HVK_OK;
}

void hvk_lock(struct hvk *hvk, struct hvk_lock *lock)
{
	assert_int_equal(lock->words[0], 1);
	assert_int_equal(hvk->locked, 0);
	lock->words[0] = 2;
	hvk->locked++;
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
	(void)hvk;
	return 0;
}

bool hvk_cpu_runs(const struct hvk *hvk, uint32_t cpu)
{
	(void)hvk;
	return cpu == 0;
}

uint64_t hvk_time(struct hvk *hvk)
{
	return hvk->now_ms * HVK_TIME_PER_MS;
}

const struct hvk_timeouts *hvk_timeouts(const struct hvk *hvk)
{
	return &hvk->timeouts;
}

const struct hvk_hypervisor_info *hvk_hypervisor_info(const struct hvk *hvk)
{
	return &hvk->info;
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
	(void)cpu;
	if (!request)
		return;
	assert_int_equal(hvk->locked, 0);
	assert_int_equal(request->status, HVK_EINPROGRESS); /* once */
	assert_true(hvk->finished_count < 16);
	request->result = status;
	hvk->finished[hvk->finished_count++] = request;
}

/* --- vmbus --------------------------------------------------------------------------------- */

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
	(void)channel;
	return &bench.hvk;
}

hvk_status hvk_channel_claim(struct hvk_channel *channel)
{
	if (channel->claimed)
		return HVK_EBUSY;
	channel->claimed = true;
	return HVK_OK;
}

void hvk_channel_unclaim(struct hvk_channel *channel)
{
	assert_true(channel->claimed);
	assert_false(channel->open);
	channel->claimed = false;
}

void hvk_channel_open(struct hvk_channel *channel, const struct hvk_channel_config *config,
		      struct hvk_request *request)
{
	assert_false(channel->open);
	hvk_request_begin(request);
	channel->config = *config;
	channel->open = !channel->silent_open;
	hvk_request_finish(&bench.hvk, request, channel->open ? HVK_OK : HVK_ETIMEDOUT_OPEN, config->cpu);
}

void hvk_channel_close(struct hvk_channel *channel, struct hvk_request *request)
{
	assert_true(channel->open);
	hvk_request_begin(request);
	channel->open = false;
	bench.inbox_count = 0;
	hvk_request_finish(&bench.hvk, request, HVK_OK, channel->config.cpu);
}

hvk_status hvk_channel_send(struct hvk_channel *channel, const void *payload, uint32_t length, bool answered,
			    void *cookie)
{
	struct fake_bytes *sent;

	assert_int_equal(bench.hvk.locked, 0);
	assert_true(answered == (cookie != NULL));
	assert_true(length <= FAKE_BYTES_MAX);
	if (channel->rescinded)
		return HVK_EGONE;
	if (!channel->open)
		return HVK_ESTATE;
	if (channel->room == 0)
		return HVK_EAGAIN;
	if (channel->room != FAKE_ANY_ROOM)
		channel->room--;
	assert_true(bench.sent_count < FAKE_SENT_MAX);
	sent = &bench.sent[bench.sent_count++];
	memcpy(sent->bytes, payload, length);
	sent->length = length;
	return HVK_OK;
}

hvk_status hvk_channel_complete(struct hvk_channel *channel, uint64_t transaction_id, const void *payload,
				uint32_t length)
{
	(void)channel;
	(void)transaction_id;
	(void)payload;
	(void)length;
	return HVK_OK;
}

void *hvk_channel_take_request(struct hvk_channel *channel, void *cookie)
{
	(void)channel;
	(void)cookie;
	return NULL;
}

hvk_status hvk_channel_receive(struct hvk_channel *channel, void *buffer, uint32_t size,
			       struct hvk_packet *packet)
{
	struct fake_bytes *next = &bench.inbox[bench.inbox_first];
	uint8_t *to = buffer;

	assert_int_equal((uintptr_t)buffer % 8, 0);
	assert_true(channel->open);
	memset(buffer, 0xee, size);
	if (bench.inbox_count == 0)
		return HVK_EEMPTY;
	bench.inbox_first = (bench.inbox_first + 1) % FAKE_INBOX_MAX;
	bench.inbox_count--;
	if (next->status != HVK_OK)
		return next->status;
	if (16 + next->length > size)
		return HVK_ETOOBIG;
	memcpy(to + 16, next->bytes, next->length);
	*packet = (struct hvk_packet){.type = next->type, .payload = to + 16, .payload_length = next->length};
	return HVK_OK;
}

void hvk_channel_hold(struct hvk_channel *channel)
{
	channel->held = true;
}

void hvk_channel_resume(struct hvk_channel *channel)
{
	channel->kicked = true;
}

/* --- Running ----------------------------------------------------------------------------------- */

static bool fake_run_timers(void)
{
	bool work = false;

	for (uint32_t i = 0; i < FAKE_TIMERS_MAX; i++) {
		struct hvk_timer *timer = bench.hvk.timers[i];

		if (!timer || timer->deadline > bench.hvk.now_ms)
			continue;
		hvk_timer_stop(&bench.hvk, timer);
		timer->fire(timer, timer->context);
		work = true;
	}
	return work;
}

static bool fake_run_finished(void)
{
	uint32_t count = bench.hvk.finished_count;
	struct hvk_request *requests[16];

	memcpy(requests, bench.hvk.finished, sizeof(requests));
	bench.hvk.finished_count = 0;
	for (uint32_t i = 0; i < count; i++) {
		requests[i]->status = requests[i]->result;
		if (requests[i]->done)
			requests[i]->done(requests[i], requests[i]->context);
	}
	return count != 0;
}

/* Until nothing happens any more. What ready leaves in the ring has it called again, unless it holds it. */
static void fake_run(void)
{
	for (uint32_t i = 0; i < 64; i++) {
		struct hvk_channel *channel = &bench.channel;
		bool work = fake_run_timers();

		work |= fake_run_finished();
		if (channel->open && channel->kicked) {
			channel->kicked = channel->held = false;
			channel->kicked |= channel->config.ready(channel->config.context, channel);
			channel->kicked |= channel->open && bench.inbox_count > 0 && !channel->held;
			work = true;
		}
		if (!work)
			return;
	}
	fail_msg("it has something to do for ever");
}

static void fake_advance(uint32_t ms)
{
	for (uint32_t i = 0; i < ms; i++) {
		bench.hvk.now_ms++;
		fake_run();
	}
}

static void fake_put(uint16_t type, const void *bytes, uint32_t length)
{
	struct fake_bytes *next;

	assert_true(bench.inbox_count < FAKE_INBOX_MAX && length <= FAKE_BYTES_MAX);
	next = &bench.inbox[(bench.inbox_first + bench.inbox_count++) % FAKE_INBOX_MAX];
	*next = (struct fake_bytes){.type = type, .length = length};
	memcpy(next->bytes, bytes, length);
	bench.channel.kicked = true;
}

/* An in-band packet of the host's, and whatever comes of it. */
static void fake_packet(const void *bytes, uint32_t length)
{
	fake_put(VMBUS_PACKET_IN_BAND, bytes, length);
	fake_run();
}

static void fake_rescind(void)
{
	bench.channel.rescinded = true;
	bench.channel.kicked = true;
	fake_run();
}

/* There is room in the ring again. */
static void fake_make_room(void)
{
	bench.channel.room = FAKE_ANY_ROOM;
	bench.channel.kicked = true;
	fake_run();
}

static void fake_begin(struct vmbus_guid type)
{
	memset(&bench, 0, sizeof(bench));
	bench.hvk.timeouts.device_ms = 5000;
	bench.hvk.info.reference_counter = true;
	bench.channel.offer.type = type;
	bench.channel.room = FAKE_ANY_ROOM;
}

static void fake_end(void)
{
	assert_int_equal(bench.hvk.pages, 0);
	assert_false(bench.channel.claimed);
	for (uint32_t i = 0; i < FAKE_TIMERS_MAX; i++)
		assert_null(bench.hvk.timers[i]);
}

static const struct fake_bytes *fake_last(void)
{
	assert_true(bench.sent_count > 0);
	return &bench.sent[bench.sent_count - 1];
}

#endif
