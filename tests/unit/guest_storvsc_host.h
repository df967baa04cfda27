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

#include "hvkit/storvsc.h"
#include "tests/unit/guest_fake_core.h"

#define FAKE_SENT_MAX 8192u
#define FAKE_INBOX_MAX 4096u
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
};

static struct fake_bench bench;

static void fake_offer(uint32_t index);

static void fake_log(const char *format, ...) __attribute__((format(printf, 1, 2)));
static void fake_log(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	fake_append(bench.log, sizeof(bench.log), format, arguments);
	va_end(arguments);
}

/* --- vmbus --------------------------------------------------------------------------------- */

hvk_status hvk_channel_set_subchannel_hooks(struct hvk_channel *primary,
					    const struct hvk_subchannel_hooks *hooks)
{
	assert_ptr_equal(primary, &bench.channel[0]);
	assert_true(primary->claimed);
	bench.hooks = hooks ? *hooks : (struct hvk_subchannel_hooks){0};
	return HVK_OK;
}

void hvk_channel_unclaim(struct hvk_channel *channel)
{
	assert_true(channel->claimed);
	assert_false(channel->open);
	channel->claimed = false;
	if (channel->offer.subchannel_index != 0 && bench.offers_for_ever != 0) {
		bench.offers_for_ever--;
		fake_offer(channel->offer.subchannel_index);
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
	fake_log("open:%u", channel->offer.subchannel_index);
	channel->config = *config;
	if (channel->rescinded)
		status = HVK_EGONE;
	else if (bench.silent_open || (channel->offer.subchannel_index != 0 && bench.offers_for_ever != 0))
		status = HVK_ETIMEDOUT_OPEN;
	channel->open = status == HVK_OK;
	hvk_request_finish(channel->hvk, request, status, config->cpu);
}

void hvk_channel_close(struct hvk_channel *channel, struct hvk_request *request)
{
	assert_true(channel->open);
	assert_int_equal(channel->hvk->locked, 0);
	hvk_request_begin(request);
	fake_log("close:%u", channel->offer.subchannel_index);
	for (uint32_t i = 1; channel->offer.subchannel_index == 0 && i < FAKE_CHANNELS; i++)
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
	hvk_status status;

	*out = NULL;
	assert_non_null(cookie);
	assert_true(length == 64 || length == 48);
	status = fake_take_room(channel);
	if (status != HVK_OK)
		return status;
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
