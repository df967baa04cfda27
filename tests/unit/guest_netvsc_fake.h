/* SPDX-License-Identifier: MIT */
/*
 * A bench for netvsc: the few functions of core and vmbus that it calls, faked, with a
 * host behind them that says whatever a test wants, lawful or not.
 *
 * The fake keeps time, runs timers and finished requests (fake_run), records each
 * packet sent (bench.sent) and each act in order (bench.log), and hands the driver
 * packets made of bytes. fake_answer is a lawful host for the bring-up; its knobs make
 * it silent, or answer with a test's own bytes, at one step.
 *
 * Include it in one file per program: it defines the functions.
 */
#ifndef GUEST_NETVSC_FAKE_H
#define GUEST_NETVSC_FAKE_H

#include "hvkit/netvsc.h"
#include "tests/unit/guest_fake_core.h"

#define FAKE_SENT_MAX 4096u
#define FAKE_INBOX_MAX 512u
#define FAKE_PAYLOAD_MAX 64u
#define FAKE_SUBCHANNELS 4u /* index 1 to 3 */

/* --- What the driver did ---------------------------------------------------------- */

enum fake_sent_kind { FAKE_IN_BAND, FAKE_GPA_DIRECT, FAKE_COMPLETION };

struct fake_sent {
	enum fake_sent_kind kind;
	uint8_t payload[FAKE_PAYLOAD_MAX];
	uint32_t length;
	bool answered;           /* a completion was asked for */
	void *cookie;            /* NULL again once completed or taken back */
	uint64_t transaction_id; /* FAKE_COMPLETION */
	struct hvk_buffer buffers[HVK_PACKET_RANGES_MAX];
	uint32_t buffer_count;
	uint8_t external[2048]; /* the first bytes of what the buffers hold, as sent */
	uint32_t external_length;
};

/* What the host put into the ring. */
struct fake_packet {
	uint16_t type;
	bool answer_wanted;
	uint64_t transaction_id;
	void *cookie;
	uint8_t extension[16384];
	uint32_t extension_length;
	uint8_t payload[256];
	uint32_t payload_length;
	hvk_status status; /* not HVK_OK: what receive says instead */
};

struct fake_bench {
	struct hvk hvk;
	struct hvk_channel channel;
	struct hvk_channel subs[FAKE_SUBCHANNELS]; /* [0] is not used */
	struct hvk_subchannel_hooks hooks;
	struct hvk_netvsc *nic;
	struct hvk_netdev *netdev;
	char log[8192]; /* what happened, in order, words with a blank behind each */

	/* The host. */
	uint32_t answered;   /* sent packets it has looked at */
	uint32_t nvs_newest; /* it refuses INIT above */
	bool silent_open, silent_gpadl;
	bool hold_teardown;      /* TORNDOWN of the receive buffer only after the close */
	bool hold_send_teardown; /* the same with the send buffer's */
	bool lose_teardown;      /* ... or never */
	bool lose_ring_teardown;
	struct hvk_request *held_teardown;
	struct hvk_gpadl *held_gpadl;
	uint32_t mute_nvs;      /* NVS type that it does not answer; FAKE_NONE: none */
	uint32_t mute_rndis;    /* RNDIS type whose answer does not come */
	uint32_t mute_oid;      /* the same of one OID */
	uint32_t refuse_oid;    /* OID answered with NOT_SUPPORTED */
	uint32_t reject_rndis;  /* RNDIS type whose packet is completed with failure */
	bool dead_after_revoke; /* OpenVMM */
	bool hold_control;      /* answers control messages without completing their packets */
	bool hold_sends;        /* does not complete frames */
	bool dead;
	uint32_t custom_nvs;   /* NVS type answered with custom */
	uint32_t custom_oid;   /* OID answered with custom as information */
	uint32_t custom_rndis; /* RNDIS type answered with custom, whole, but for the id */
	uint8_t custom[256];
	uint32_t custom_length;
	uint32_t suballocation_size, suballocation_count, section_size;
	struct hvk_gpadl *receive_buffer, *send_buffer;
	uint64_t next_transaction;
	uint32_t last_filter;
	/* What it says to the questions about offloads and RSS; length 0: refuses. */
	uint8_t offload[156], rss[20];
	uint32_t offload_length, rss_length;
	uint32_t again;            /* times that it offers the first sub-channel anew, and takes it back */
	uint32_t granted, offered; /* sub-channels: in its answer (FAKE_NONE: refuses), and offered then */
	uint8_t offload_parameters[28]; /* as set last */
	uint32_t offload_sets;
	uint8_t rss_parameters[592]; /* as set last */
	uint32_t rss_sets;
	uint32_t frame_size; /* maximum; 0: 1500 */

	/* The user. */
	uint32_t inputs, tx_ready, link_changes, gone;
	bool link;
	uint8_t frame[70000];
	uint32_t frame_length;
	struct hvk_request attach, detach, flags;
};

/* The one bench of this program. */
static struct fake_bench bench;

static void fake_log(const char *format, ...) __attribute__((format(printf, 1, 2)));
static void fake_log(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	fake_append(bench.log, sizeof(bench.log), format, arguments);
	va_end(arguments);
}

static uint32_t fake_word(const uint8_t *bytes)
{
	return (uint32_t)bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 |
	       (uint32_t)bytes[3] << 24;
}

static void fake_put(uint8_t *bytes, uint32_t word)
{
	for (int i = 0; i < 4; i++)
		bytes[i] = (uint8_t)(word >> 8 * i);
}

/* --- vmbus ------------------------------------------------------------------------------ */

hvk_status hvk_channel_set_subchannel_hooks(struct hvk_channel *primary,
					    const struct hvk_subchannel_hooks *hooks)
{
	assert_ptr_equal(primary, &bench.channel);
	assert_true(primary->claimed);
	bench.hooks = hooks ? *hooks : (struct hvk_subchannel_hooks){0};
	return HVK_OK;
}

void hvk_channel_open(struct hvk_channel *channel, const struct hvk_channel_config *config,
		      struct hvk_request *request)
{
	assert_int_equal(channel->hvk->locked, 0);
	assert_false(channel->open);
	assert_true(config->requests_max > 0 && config->requests_max <= 4096);
	hvk_request_begin(request);
	if (channel == &bench.channel)
		fake_log("open");
	else
		fake_log("open:%u", channel->offer.subchannel_index);
	channel->config = *config;
	if (channel->rescinded) {
		hvk_request_finish(channel->hvk, request, HVK_EGONE, config->cpu);
		return;
	}
	if (bench.silent_open) {
		hvk_request_finish(channel->hvk, request, HVK_ETIMEDOUT_OPEN, config->cpu);
		return;
	}
	channel->open = true;
	hvk_request_finish(channel->hvk, request, HVK_OK, config->cpu);
}

static void fake_offer(uint32_t index);

void hvk_channel_unclaim(struct hvk_channel *channel)
{
	assert_true(channel->claimed);
	channel->claimed = false;
	if (channel != &bench.subs[1] || bench.again == 0)
		return;
	bench.again--;
	fake_offer(1);
	channel->rescinded = true;
}

void hvk_channel_close(struct hvk_channel *channel, struct hvk_request *request)
{
	assert_true(channel->open);
	hvk_request_begin(request);
	if (channel != &bench.channel) {
		fake_log("close:%u", channel->offer.subchannel_index);
		channel->open = false;
		hvk_request_finish(channel->hvk, request, HVK_OK, channel->config.cpu);
		return;
	}
	fake_log("close");
	for (uint32_t i = 1; i < FAKE_SUBCHANNELS; i++)
		assert_false(bench.subs[i].open);
	channel->open = false;
	channel->inbox_count = 0;
	hvk_request_finish(channel->hvk, request, bench.lose_ring_teardown ? HVK_ETIMEDOUT_TEARDOWN : HVK_OK,
			   channel->config.cpu);
	if (bench.held_teardown && !bench.lose_teardown) {
		fake_log("torndown");
		hvk_pages_put(channel->hvk, &bench.held_gpadl->pages);
		hvk_request_finish(channel->hvk, bench.held_teardown, HVK_OK, channel->config.cpu);
		bench.held_teardown = NULL;
	}
}

void hvk_gpadl_create(struct hvk_channel *channel, uint32_t page_count, struct hvk_gpadl *gpadl,
		      struct hvk_request *request)
{
	hvk_status status;

	*gpadl = (struct hvk_gpadl){0};
	hvk_request_begin(request);
	fake_log("gpadl:%u", page_count);
	status = bench.silent_gpadl
			 ? HVK_ETIMEDOUT_GPADL
			 : hvk_pages_get(channel->hvk, page_count, HVK_PAGE_HOST_WRITES, &gpadl->pages);
	if (status == HVK_OK) {
		gpadl->id = bench.receive_buffer ? 0xe1e2u : 0xe1e1u;
		gpadl->channel = channel;
		if (bench.receive_buffer)
			bench.send_buffer = gpadl;
		else
			bench.receive_buffer = gpadl;
	}
	hvk_request_finish(channel->hvk, request, status, channel->config.cpu);
}

void hvk_gpadl_teardown(struct hvk_gpadl *gpadl, struct hvk_request *request)
{
	struct hvk_channel *channel = gpadl->channel;

	assert_true(gpadl->id != 0);
	hvk_request_begin(request);
	fake_log("teardown:%s", gpadl == bench.receive_buffer ? "rx" : "tx");
	gpadl->id = 0;
	if ((gpadl == bench.receive_buffer ? bench.hold_teardown : bench.hold_send_teardown) &&
	    channel->open) {
		bench.held_teardown = request;
		bench.held_gpadl = gpadl;
		return;
	}
	if (gpadl == bench.receive_buffer)
		bench.receive_buffer = NULL;
	else
		bench.send_buffer = NULL;
	if (bench.lose_teardown) {
		(void)hvk_pages_quarantine(channel->hvk, &gpadl->pages);
		hvk_request_finish(channel->hvk, request, HVK_ETIMEDOUT_TEARDOWN, channel->config.cpu);
		return;
	}
	fake_log("torndown");
	hvk_pages_put(channel->hvk, &gpadl->pages);
	hvk_request_finish(channel->hvk, request, HVK_OK, channel->config.cpu);
}

static void fake_log_sent(const struct fake_sent *packet)
{
	uint32_t type = fake_word(packet->payload);

	if (packet->kind == FAKE_COMPLETION)
		return;
	if (type != 107)
		fake_log("nvs:%u", type);
	else if (fake_word(packet->payload + 4) == 0)
		fake_log("frame");
	else if (fake_word(packet->external) == 4 || fake_word(packet->external) == 5)
		fake_log("rndis:%u:%x", fake_word(packet->external), fake_word(packet->external + 12));
	else
		fake_log("rndis:%x", fake_word(packet->external));
}

static hvk_status fake_send(struct hvk_channel *channel, const struct fake_sent *packet)
{
	hvk_status status = fake_take_room(channel);

	if (status != HVK_OK)
		return status;
	assert_true(channel->sent_count < FAKE_SENT_MAX);
	channel->sent[channel->sent_count++] = *packet;
	fake_log_sent(packet);
	return HVK_OK;
}

static void fake_read_external(struct fake_sent *packet)
{
	for (uint32_t i = 0; i < packet->buffer_count; i++) {
		const struct hvk_buffer *buffer = &packet->buffers[i];
		uint32_t room = (uint32_t)sizeof(packet->external) - packet->external_length;
		uint32_t length = buffer->length < room ? buffer->length : room;

		assert_true(buffer->gpa != 0 && buffer->length != 0);
		/* In one page. */
		assert_true((buffer->gpa & 4095) + buffer->length <= 4096);
		memcpy(packet->external + packet->external_length, (const void *)(uintptr_t)buffer->gpa,
		       length);
		packet->external_length += length;
	}
}

static hvk_status fake_send_in_band(struct hvk_channel *channel, const void *payload, uint32_t length,
				    bool answered, void *cookie)
{
	struct fake_sent packet = {
		.kind = FAKE_IN_BAND, .length = length, .answered = answered, .cookie = cookie};

	assert_true(length <= FAKE_PAYLOAD_MAX);
	assert_true(answered == (cookie != NULL));
	memcpy(packet.payload, payload, length);
	return fake_send(channel, &packet);
}

hvk_status hvk_channel_send(struct hvk_channel *channel, const void *payload, uint32_t length, bool answered,
			    void *cookie)
{
	hvk_status status = fake_send_in_band(channel, payload, length, answered, cookie);

	if (status == HVK_OK || status == HVK_EAGAIN)
		channel->unshown = 0;
	return status;
}

hvk_status hvk_channel_stage(struct hvk_channel *channel, const void *payload, uint32_t length, void *cookie)
{
	hvk_status status = fake_send_in_band(channel, payload, length, true, cookie);

	if (status == HVK_OK)
		channel->unshown++;
	else if (status == HVK_EAGAIN)
		channel->unshown = 0;
	return status;
}

void hvk_channel_show(struct hvk_channel *channel)
{
	channel->unshown = 0;
}

hvk_status hvk_channel_send_buffers(struct hvk_channel *channel, const struct hvk_buffer *buffers,
				    uint32_t count, const void *payload, uint32_t length, void *cookie)
{
	struct fake_sent packet = {.kind = FAKE_GPA_DIRECT,
				   .length = length,
				   .answered = true,
				   .cookie = cookie,
				   .buffer_count = count};

	assert_true(length <= FAKE_PAYLOAD_MAX && count >= 1 && count <= HVK_PACKET_RANGES_MAX);
	assert_non_null(cookie);
	memcpy(packet.payload, payload, length);
	memcpy(packet.buffers, buffers, count * sizeof(*buffers));
	fake_read_external(&packet);
	channel->unshown = 0;
	return fake_send(channel, &packet);
}

hvk_status hvk_channel_complete_many(struct hvk_channel *channel, const uint64_t *transaction_ids,
				     uint32_t count, const void *payload, uint32_t length, uint32_t *taken)
{
	hvk_status status = HVK_OK;

	assert_true(length <= FAKE_PAYLOAD_MAX);
	for (*taken = 0; status == HVK_OK && *taken < count; *taken += status == HVK_OK) {
		struct fake_sent packet = {
			.kind = FAKE_COMPLETION, .length = length, .transaction_id = transaction_ids[*taken]};

		memcpy(packet.payload, payload, length);
		status = fake_send(channel, &packet);
	}
	return status;
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
	if (16 + next->extension_length + next->payload_length > size)
		return HVK_ETOOBIG;
	memcpy(to + 16, next->extension, next->extension_length);
	memcpy(to + 16 + next->extension_length, next->payload, next->payload_length);
	*packet = (struct hvk_packet){
		.type = next->type,
		.answer_wanted = next->answer_wanted,
		.transaction_id = next->transaction_id,
		.cookie = next->cookie,
		.extension = to + 16,
		.extension_length = next->extension_length,
		.payload = to + 16 + next->extension_length,
		.payload_length = next->payload_length,
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

/* --- Running ------------------------------------------------------------------------------- */

/* One poll: timers, the channels' callbacks, one finished request. True if there was work. */
static bool fake_poll(void)
{
	bool work;

	fake_run_timers(&bench.hvk);
	work = fake_poll_channel(&bench.channel);
	for (uint32_t i = 1; i < FAKE_SUBCHANNELS; i++)
		work |= fake_poll_channel(&bench.subs[i]);
	work |= fake_run_finished(&bench.hvk);
	bench.hvk.cpu = 0;
	return work;
}

static void fake_answer(void);

/* Polls, and lets the host answer, until nothing happens any more. */
static void fake_run(void)
{
	for (uint32_t i = 0; i < 100000; i++) {
		bool work = fake_poll();
		uint32_t seen = bench.answered;

		fake_answer();
		if (!work && seen == bench.answered && bench.channel.inbox_count == 0)
			return;
	}
	fail_msg("never at rest");
}

/* Without the host. */
static void fake_run_alone(void)
{
	for (uint32_t i = 0; i < 100000; i++) {
		if (!fake_poll() && bench.channel.inbox_count == 0)
			return;
	}
	fail_msg("never at rest");
}

static void fake_advance(uint32_t ms)
{
	for (uint32_t i = 0; i < ms; i++) {
		bench.hvk.now_ms++;
		fake_run();
	}
}

#include "tests/unit/guest_netvsc_host.h"

#endif
