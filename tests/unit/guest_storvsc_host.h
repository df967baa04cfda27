/* SPDX-License-Identifier: MIT */
/*
 * A bench for storvsc: the few functions of core and vmbus that it calls, faked, with a scripted host
 * behind them.
 *
 * The fake keeps time, runs timers and finished requests (fake_run), and records each packet sent
 * (bench.channel[n].sent). fake_answer is a lawful host with disks in memory; rules (fake_rule) have it
 * say something else to a command, so many times, or nothing. Guest-physical addresses are pointers.
 *
 * Include it in one file per program: it defines the functions.
 */
#ifndef GUEST_STORVSC_HOST_H
#define GUEST_STORVSC_HOST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "guest/core/core.h"
#include "hvkit/storvsc.h"

/* No program uses all of it. */
#pragma GCC diagnostic ignored "-Wunused-function"

#define FAKE_SENT_MAX 8192u
#define FAKE_INBOX_MAX 4096u
#define FAKE_TIMERS_MAX 8u
#define FAKE_ALLOCATIONS_MAX 32u
#define FAKE_NONE UINT32_MAX
#define FAKE_CPUS 4u
#define FAKE_CHANNELS 4u /* 0: the primary */
#define FAKE_DISKS 8u
#define FAKE_RULES 8u
#define FAKE_USERS 512u

struct fake_sent {
	uint8_t payload[64];
	uint32_t length;
	void *cookie; /* NULL again once completed or taken back */
	bool answered;
	uint32_t page_count, offset, data_length;
	uint64_t pages[HVK_PACKET_PAGES_MAX];
};

struct fake_packet {
	uint16_t type;
	void *cookie;
	uint8_t payload[300];
	uint32_t length;
	hvk_status status; /* not HVK_OK: what receive says instead */
};

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
	uint32_t cpu; /* that runs just now */
	struct hvk_timer *timers[FAKE_TIMERS_MAX];
	struct fake_finished finished[256];
	uint32_t finished_count;
	struct hvk_timeouts timeouts;
	int locked;
	uint32_t faults, quarantined;
	hvk_status last_fault;
	uint32_t version;
	struct fake_pages allocations[FAKE_ALLOCATIONS_MAX];
	uint32_t fail_allocation; /* number of the allocation that fails, from now */
};

struct hvk_channel {
	struct hvk *hvk;
	uint32_t index;
	struct hvk_offer offer;
	struct hvk_channel_config config;
	bool open, rescinded, claimed, kicked;
	uint32_t room; /* packets taken before the ring is full; FAKE_NONE: any number */
	struct fake_sent *sent;
	uint32_t sent_count, seen; /* seen: those that the host has looked at */
	struct fake_packet *inbox;
	uint32_t inbox_first, inbox_count;
};

struct fake_disk {
	bool present, cdrom, no_medium, read_only, no_cache, no_vpd, thin, no_capacity_16;
	uint8_t target, lun;
	uint8_t version, format; /* of INQUIRY */
	uint64_t blocks;
	uint32_t block_size;
	uint8_t *data;
	const char *vendor, *serial;
	uint32_t unmap_max, write_same_max;
	uint32_t flushes, unmaps, write_sames, fua_writes;
};

/* Instead of what is lawful, to commands with that operation code (0xff: any), count times. */
struct fake_rule {
	uint32_t count;
	uint8_t operation, srb, scsi, key;
	uint16_t code;
	uint32_t transferred;
	bool silent, malformed, held; /* held: not answered until fake_release */
};

struct fake_user {
	struct hvk_block_request block;
	struct hvk_scsi_request raw;
	hvk_status status;
	uint32_t done;
	uint64_t order; /* of completion */
};

struct fake_bench {
	struct hvk hvk;
	struct hvk_channel channel[FAKE_CHANNELS];
	struct hvk_subchannel_hooks hooks;
	struct hvk_storvsc *controller;
	struct fake_disk disks[FAKE_DISKS];
	struct fake_rule rules[FAKE_RULES];
	char log[16384]; /* operations and commands, in order, words with a blank behind each */

	/* The host. */
	uint16_t newest;
	uint16_t subchannels_max, granted_offers; /* offers made of those that were granted */
	bool no_multi_channel, no_report_luns, mute, silent_open, lose_teardown, reset_refused;
	uint32_t mute_operation, refuse_operation, short_operation; /* vstor operation; FAKE_NONE */
	uint32_t transfer_max;
	uint32_t answer_length;   /* 0: as long as the packet */
	uint32_t offers_for_ever; /* sub-channels that do not open, and are offered again: so often */

	/* The user. */
	uint32_t added, gone, unit_gone, changed, readies;
	struct hvk_storvsc_unit *units[16];
	struct fake_user users[FAKE_USERS];
	uint64_t completed;
	struct hvk_request attach, detach, rescan, reset;

	/* Another CPU, when a lock is taken next: once. */
	void (*intrude)(void);
};

static struct fake_bench bench;

static void fake_offer(uint32_t index);

static void fake_log(const char *format, ...) __attribute__((format(printf, 1, 2)));
static void fake_log(const char *format, ...)
{
	size_t used = strlen(bench.log);
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(bench.log + used, sizeof(bench.log) - used, format, arguments);
	va_end(arguments);
	used = strlen(bench.log);
	snprintf(bench.log + used, sizeof(bench.log) - used, " ");
}

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

hvk_status hvk_quarantine_check(struct hvk *hvk)
{
	(void)hvk;
	return HVK_OK;
}

hvk_status hvk_pages_get(struct hvk *hvk, uint32_t count, enum hvk_page_use use, struct hvk_pages *out)
{
	*out = (struct hvk_pages){0};
	assert_true(count >= 1 && count <= 8192);
	assert_int_equal(hvk->locked, 0);
	if (hvk->fail_allocation != FAKE_NONE && hvk->fail_allocation-- == 0)
		return HVK_ENOMEM;
	for (uint32_t i = 0; i < FAKE_ALLOCATIONS_MAX; i++) {
		struct fake_pages *pages = &hvk->allocations[i];

		if (pages->count != 0)
			continue;
		*pages = (struct fake_pages){aligned_alloc(HVK_PAGE_SIZE, (size_t)count * HVK_PAGE_SIZE),
					     count, use};
		memset(pages->address, 0, (size_t)count * HVK_PAGE_SIZE);
		*out = (struct hvk_pages){pages->address, count, use, NULL};
		return HVK_OK;
	}
	fail_msg("too many allocations");
	return HVK_ENOMEM;
}

static void fake_forget_pages(struct hvk *hvk, struct hvk_pages *pages)
{
	for (uint32_t i = 0; i < FAKE_ALLOCATIONS_MAX; i++) {
		if (hvk->allocations[i].count != 0 && hvk->allocations[i].address == pages->address) {
			assert_int_equal(hvk->allocations[i].count, pages->count);
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
	(void)hvk;
	assert_true(index < pages->count);
	return (uint64_t)(uintptr_t)pages->address + (uint64_t)index * HVK_PAGE_SIZE;
}

static uint32_t fake_pages_in_use(void)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < FAKE_ALLOCATIONS_MAX; i++)
		count += bench.hvk.allocations[i].count;
	return count;
}

hvk_status hvk_lock_init(struct hvk *hvk, struct hvk_lock *lock)
{
	(void)hvk;
	lock->words[0] = 1;
	return HVK_OK;
}

void hvk_lock(struct hvk *hvk, struct hvk_lock *lock)
{
	void (*intrude)(void) = hvk->locked == 0 ? bench.intrude : NULL;

	if (intrude) {
		bench.intrude = NULL;
		intrude();
	}
	assert_int_equal(lock->words[0], 1);
	lock->words[0] = 2;
	assert_true(hvk->locked++ <= 1); /* a queue's, then the controller's */
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
	(void)hvk;
	return cpu < FAKE_CPUS;
}

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
	assert_true(hvk->finished_count < 256);
	for (uint32_t i = 0; i < hvk->finished_count; i++)
		assert_ptr_not_equal(hvk->finished[i].request, request);
	hvk->finished[hvk->finished_count++] = (struct fake_finished){request, status, cpu};
}

/* --- vmbus --------------------------------------------------------------------------------- */

uint32_t hvk_vmbus_version(const struct hvk *hvk)
{
	return hvk->version;
}

uint32_t hvk_vmbus_contact_cpu(const struct hvk *hvk)
{
	(void)hvk;
	return 0;
}

hvk_status hvk_channel_set_subchannel_hooks(struct hvk_channel *primary,
					    const struct hvk_subchannel_hooks *hooks)
{
	assert_ptr_equal(primary, &bench.channel[0]);
	assert_true(primary->claimed);
	bench.hooks = hooks ? *hooks : (struct hvk_subchannel_hooks){0};
	return HVK_OK;
}

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

void hvk_channel_unclaim(struct hvk_channel *channel)
{
	assert_true(channel->claimed);
	assert_false(channel->open);
	channel->claimed = false;
	if (channel->index != 0 && bench.offers_for_ever != 0) {
		bench.offers_for_ever--;
		fake_offer(channel->index);
	}
}

void hvk_channel_open(struct hvk_channel *channel, const struct hvk_channel_config *config,
		      struct hvk_request *request)
{
	hvk_status status = HVK_OK;

	assert_int_equal(channel->hvk->locked, 0);
	assert_false(channel->open);
	assert_true(config->requests_max > 0 && config->requests_max <= 4096);
	hvk_request_begin(request);
	fake_log("open:%u", channel->index);
	channel->config = *config;
	if (channel->rescinded)
		status = HVK_EGONE;
	else if (bench.silent_open || (channel->index != 0 && bench.offers_for_ever != 0))
		status = HVK_ETIMEDOUT_OPEN;
	channel->open = status == HVK_OK;
	hvk_request_finish(channel->hvk, request, status, config->cpu);
}

void hvk_channel_close(struct hvk_channel *channel, struct hvk_request *request)
{
	assert_true(channel->open);
	assert_int_equal(channel->hvk->locked, 0);
	hvk_request_begin(request);
	fake_log("close:%u", channel->index);
	for (uint32_t i = 1; channel->index == 0 && i < FAKE_CHANNELS; i++)
		assert_false(bench.channel[i].open);
	channel->open = false;
	channel->inbox_count = 0;
	for (uint32_t i = 0; i < channel->sent_count; i++)
		channel->sent[i].cookie = NULL;
	hvk_request_finish(channel->hvk, request, bench.lose_teardown ? HVK_ETIMEDOUT_TEARDOWN : HVK_OK,
			   channel->config.cpu);
}

static hvk_status fake_send(struct hvk_channel *channel, const void *payload, uint32_t length, void *cookie,
			    struct fake_sent **out)
{
	struct fake_sent *sent;

	*out = NULL;
	assert_true(channel->hvk->locked <= 1); /* a queue's */
	assert_non_null(cookie);
	assert_true(length == 64 || length == 48);
	if (channel->rescinded)
		return HVK_EGONE;
	if (!channel->open)
		return HVK_ESTATE;
	if (channel->room == 0)
		return HVK_EAGAIN;
	if (channel->room != FAKE_NONE)
		channel->room--;
	assert_true(channel->sent_count < FAKE_SENT_MAX);
	sent = &channel->sent[channel->sent_count++];
	memset(sent, 0, offsetof(struct fake_sent, pages));
	memcpy(sent->payload, payload, length);
	sent->length = length;
	sent->cookie = cookie;
	*out = sent;
	return HVK_OK;
}

hvk_status hvk_channel_send(struct hvk_channel *channel, const void *payload, uint32_t length, bool answered,
			    void *cookie)
{
	struct fake_sent *sent;

	assert_true(answered);
	return fake_send(channel, payload, length, cookie, &sent);
}

hvk_status hvk_channel_send_pages(struct hvk_channel *channel, const uint64_t *page_numbers, uint32_t count,
				  uint32_t offset, uint32_t length, const void *payload,
				  uint32_t payload_length, void *cookie)
{
	struct fake_sent *sent;
	hvk_status status;

	assert_true(count >= 1 && count <= HVK_PACKET_PAGES_MAX && offset < 4096 && length > 0);
	assert_int_equal((offset + length + 4095) / 4096, count);
	status = fake_send(channel, payload, payload_length, cookie, &sent);
	if (!sent)
		return status;
	sent->page_count = count;
	sent->offset = offset;
	sent->data_length = length;
	memcpy(sent->pages, page_numbers, count * sizeof(*page_numbers));
	return status;
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

hvk_status hvk_channel_receive(struct hvk_channel *channel, void *buffer, uint32_t size,
			       struct hvk_packet *packet)
{
	struct fake_packet *next;
	uint8_t *to = buffer;

	assert_int_equal((uintptr_t)buffer % 8, 0);
	memset(buffer, 0xee, size);
	if (!channel->open)
		return HVK_ESTATE;
	if (channel->inbox_count == 0)
		return HVK_EEMPTY;
	next = &channel->inbox[channel->inbox_first];
	channel->inbox_first = (channel->inbox_first + 1) % FAKE_INBOX_MAX;
	channel->inbox_count--;
	if (next->status != HVK_OK)
		return next->status;
	if (16 + next->length > size)
		return HVK_ETOOBIG;
	memcpy(to + 16, next->payload, next->length);
	*packet = (struct hvk_packet){
		.type = next->type,
		.cookie = next->cookie,
		.extension = to + 16,
		.payload = to + 16,
		.payload_length = next->length,
	};
	return HVK_OK;
}

void *hvk_channel_take_request(struct hvk_channel *channel, void *cookie)
{
	for (uint32_t i = 0; i < channel->sent_count; i++) {
		void *found = channel->sent[i].cookie;

		if (found && (!cookie || cookie == found)) {
			channel->sent[i].cookie = NULL;
			return found;
		}
	}
	return NULL;
}

#include "tests/unit/guest_storvsc_disks.h"
#include "tests/unit/guest_storvsc_user.h"

#endif
