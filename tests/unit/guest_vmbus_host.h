/* SPDX-License-Identifier: MIT */
/*
 * A scripted host for the VMBus drivers: a port of its own, no host model. By itself it
 * answers as it must, with the golden bytes; a test tells it what to say instead, which
 * hypercall to refuse, and reads what the guest posted.
 *
 * Include it in one file per program: it defines the functions.
 */
#ifndef GUEST_VMBUS_HOST_H
#define GUEST_VMBUS_HOST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "guest/vmbus/bus.h"
#include "tests/golden/vmbus_messages.h"
#include "tests/support/polled_port.h"

/* No program uses all of it. */
#pragma GCC diagnostic ignored "-Wunused-function"
#pragma GCC diagnostic ignored "-Wunused-const-variable"

#define HOST_PAUSE_NS 1000000u
#define HOST_POSTS 512u
#define HOST_QUEUE 64u
#define HOST_CHANNEL 5u
#define HOST_WAIT_MS 60000u
#define HOST_EVER UINT32_MAX

/* A post of the guest's, taken or not. */
struct host_post {
	uint32_t connection, type, length, status;
	uint64_t time;
	uint8_t bytes[HV_MESSAGE_PAYLOAD_MAX];
};

struct host_bytes {
	uint32_t length;
	uint8_t bytes[HV_MESSAGE_PAYLOAD_MAX];
};

struct host {
	struct hvk *hvk;
	struct polled_port port;
	struct host_post posts[HOST_POSTS];
	uint32_t post_count;
	struct host_bytes queue[HOST_QUEUE];
	uint32_t queue_first, queue_count;
	uint32_t gpadl_left; /* page numbers still to come */
	uint8_t gpadl[12];   /* channel and id of the header, and a status */

	/* What a test can set. */
	uint32_t newest;               /* version accepted */
	uint32_t connection;           /* returned from 5.0 on */
	uint32_t answer_type;          /* instead of the answer to this, */
	const struct host_bytes *says; /* ... this; NULL: nothing */
	uint32_t fail_type, fail_status, fail_count;
	bool no_connection_4;
	uint32_t oldest_try, newest_try; /* for the guest's configuration */
	uint32_t signal_status;

	struct hvk_channel *channel;
	struct hvk_channel_config channel_config;
	uint32_t offered, gone;
	struct hvk_request request;
};

static uint8_t *host_at(struct host *host, uint64_t gpa)
{
	uint8_t *at = polled_port_at(&host->port, gpa, 1);

	assert_non_null(at);
	return at;
}

/* --- Messages to the guest ---------------------------------------------------------------- */

static void host_deliver(void *owner)
{
	struct host *host = owner;
	uint64_t simp = host->port.registers[HVK_REG_SIMP];
	struct hv_message *slot;

	if ((simp & HV_PAGE_ENABLE) == 0 || host->queue_count == 0)
		return;
	slot = (struct hv_message *)(void *)host_at(host, simp & HV_PAGE_ADDRESS_MASK) + VMBUS_SINT;
	if (slot->type != HV_MESSAGE_NONE) {
		slot->flags |= HV_MESSAGE_FLAG_PENDING;
		return;
	}
	*slot = (struct hv_message){.type = HV_MESSAGE_VMBUS};
	slot->payload_size = (uint8_t)host->queue[host->queue_first].length;
	memcpy(slot->payload, host->queue[host->queue_first].bytes, sizeof(slot->payload));
	host->queue_first = (host->queue_first + 1) % HOST_QUEUE;
	slot->flags = --host->queue_count != 0 ? HV_MESSAGE_FLAG_PENDING : 0;
}

static void host_say(struct host *host, const void *bytes, uint32_t length)
{
	struct host_bytes *message = &host->queue[(host->queue_first + host->queue_count) % HOST_QUEUE];

	assert_true(host->queue_count++ < HOST_QUEUE && length <= sizeof(message->bytes));
	memset(message, 0, sizeof(*message));
	message->length = length;
	memcpy(message->bytes, bytes, length);
	host_deliver(host);
}

static void put_word(uint8_t *bytes, uint32_t at, uint32_t value)
{
	memcpy(bytes + at, &value, sizeof(value));
}

static uint32_t get_word(const uint8_t *bytes, uint32_t at)
{
	uint32_t value;

	memcpy(&value, bytes + at, sizeof(value));
	return value;
}

/* Golden bytes with one word changed. */
#define HOST_SAY(host, golden) host_say(host, golden, sizeof(golden))
static void host_say_with(struct host *host, const uint8_t *bytes, uint32_t length, uint32_t at,
			  uint32_t value)
{
	uint8_t copy[HV_MESSAGE_PAYLOAD_MAX];

	memcpy(copy, bytes, length);
	put_word(copy, at, value);
	host_say(host, copy, length);
}
#define HOST_SAY_WITH(host, golden, at, value) host_say_with(host, golden, sizeof(golden), at, value)

static void answer_contact(struct host *host, const struct host_post *post)
{
	uint32_t version = get_word(post->bytes, 8);

	if (version > host->newest)
		HOST_SAY(host, golden_version_response_refused);
	else
		HOST_SAY_WITH(host, golden_version_response_5_3, 12,
			      version >= VMBUS_VERSION_5_0 ? host->connection : version);
}

/* The last page number has come. */
static void answer_gpadl(struct host *host, const struct host_post *post)
{
	bool header = post->type == VMBUS_MSG_GPADL_HEADER;
	uint8_t created[sizeof(golden_gpadl_created)];

	if (header) {
		memcpy(host->gpadl, post->bytes + 8, 8);
		host->gpadl_left = get_word(post->bytes, 20) / HVK_PAGE_SIZE;
	}
	host->gpadl_left -= (post->length - (header ? 28u : 16u)) / 8;
	if (host->gpadl_left != 0)
		return;
	memcpy(created, golden_gpadl_created, sizeof(created));
	memcpy(created + 8, host->gpadl, 8);
	HOST_SAY(host, created);
}

static void answer(struct host *host, const struct host_post *post)
{
	uint8_t opened[sizeof(golden_open_result)];

	if (host->answer_type == post->type) {
		host->answer_type = 0;
		if (host->says)
			host_say(host, host->says->bytes, host->says->length);
		return;
	}
	switch (post->type) {
	case VMBUS_MSG_INITIATE_CONTACT:
		answer_contact(host, post);
		break;
	case VMBUS_MSG_REQUEST_OFFERS:
		HOST_SAY_WITH(host, golden_offer_channel, 184, HOST_CHANNEL);
		HOST_SAY(host, golden_all_offers_delivered);
		break;
	case VMBUS_MSG_GPADL_HEADER:
	case VMBUS_MSG_GPADL_BODY:
		answer_gpadl(host, post);
		break;
	case VMBUS_MSG_GPADL_TEARDOWN:
		HOST_SAY_WITH(host, golden_gpadl_torndown, 8, get_word(post->bytes, 12));
		break;
	case VMBUS_MSG_OPEN_CHANNEL:
		memcpy(opened, golden_open_result, sizeof(opened));
		memcpy(opened + 8, post->bytes + 8, 8);
		HOST_SAY(host, opened);
		break;
	case VMBUS_MSG_UNLOAD:
		HOST_SAY(host, golden_unload_response);
		break;
	default: /* CLOSE_CHANNEL, RELID_RELEASED: no answer */
		break;
	}
}

/* --- The hypervisor ----------------------------------------------------------------------- */

static uint64_t host_hypercall(void *owner, const void *page, uint64_t control, uint64_t input)
{
	struct host *host = owner;
	struct host_post *post = &host->posts[host->post_count];
	const struct hv_post_message_input *message;

	(void)page;
	if (control != HV_CALL_POST_MESSAGE)
		return host->signal_status;
	assert_true(host->post_count++ < HOST_POSTS);
	message = (const struct hv_post_message_input *)(const void *)host_at(host, input);
	assert_int_equal(message->message_type, HV_MESSAGE_VMBUS);
	assert_in_range(message->payload_size, 8, HV_MESSAGE_PAYLOAD_MAX);
	*post = (struct host_post){message->connection_id, 0, message->payload_size, 0, host->port.now, {0}};
	memcpy(post->bytes, message->payload, post->length);
	post->type = get_word(post->bytes, 0);
	if (host->no_connection_4 && post->connection == VMBUS_CONNECTION_MESSAGE_V5) {
		post->status = HV_STATUS_INVALID_CONNECTION_ID;
	} else if (host->fail_type == post->type && host->fail_count != 0) {
		post->status = host->fail_status;
		host->fail_count -= host->fail_count != HOST_EVER;
	} else {
		answer(host, post);
	}
	return post->status;
}

/* --- The guest ------------------------------------------------------------------------------ */

static void on_offered(void *context, struct hvk_channel *channel, bool again)
{
	struct host *host = context;

	(void)again;
	host->offered++;
	host->channel = channel;
}

static void on_gone(void *context, struct hvk_channel *channel)
{
	struct host *host = context;

	host->gone++;
	if (channel == host->channel)
		host->channel = NULL;
}

static bool on_ready(void *context, struct hvk_channel *channel)
{
	(void)context, (void)channel;
	return false;
}

/* A started instance on virtual processor vp, its next shared page at 0x10000. */
static void host_start(struct host *host, uint32_t vp)
{
	const struct hvk_config config = {.cpus = 1, .log_level = HVK_LOG_DEBUG};

	*host = (struct host){.newest = VMBUS_VERSION_5_3, .connection = VMBUS_CONNECTION_MESSAGE_V5};
	polled_port_init(&host->port, host, HOST_PAUSE_NS);
	host->port.next_gpa = 0x100000;
	host->port.now = 1000;
	host->port.paused = host_deliver;
	host->port.end_of_message = host_deliver;
	host->port.hypercall = host_hypercall;
	host->port.port.random = NULL; /* it is optional */
	host->channel_config = (struct hvk_channel_config){.tx_pages = 1, .rx_pages = 1, .ready = on_ready};
	host->channel_config.user_data[0] = 0x5a;
	host->port.registers[HVK_REG_VP_INDEX] = vp;
	assert_int_equal(hvk_create(&host->port.port, &config, &host->hvk), HVK_OK);
	assert_int_equal(hvk_start(host->hvk), HVK_OK);
	assert_int_equal(hvk_cpu_start(host->hvk), HVK_OK);
	host->port.next_gpa = 0x10000;
}

static hvk_status host_wait(struct host *host)
{
	hvk_status status = hvk_wait(host->hvk, &host->request, HOST_WAIT_MS);

	assert_int_not_equal(host->request.status, HVK_EINPROGRESS);
	return status;
}

static hvk_status host_connect(struct host *host)
{
	const struct hvk_vmbus_config config = {.oldest = host->oldest_try,
						.newest = host->newest_try,
						.offered = on_offered,
						.gone = on_gone,
						.context = host};

	hvk_vmbus_connect(host->hvk, &config, &host->request);
	return host_wait(host);
}

/* The next GPADL has the id and the pages of the golden ones. */
static void host_go_golden(struct host *host)
{
	host->hvk->bus->gpadl_next_id = 0x000e1e0f;
	host->port.next_gpa = 0x20000;
}

static hvk_status host_open(struct host *host)
{
	hvk_channel_open(host->channel, &host->channel_config, &host->request);
	return host_wait(host);
}

static hvk_status host_close(struct host *host)
{
	hvk_channel_close(host->channel, &host->request);
	return host_wait(host);
}

static hvk_status host_disconnect(struct host *host)
{
	hvk_vmbus_disconnect(host->hvk, &host->request);
	return host_wait(host);
}

static void host_poll(struct host *host)
{
	for (unsigned i = 0; i < 20; i++) {
		host->port.port.pause(&host->port);
		(void)hvk_poll(host->hvk, 0);
	}
	assert_int_equal(host->queue_count, 0);
}

/* Pages that were never given back; frees them. */
static uint32_t host_end(struct host *host)
{
	if (hvk_vmbus_state(host->hvk) == HVK_VMBUS_CONNECTED)
		assert_int_equal(host_disconnect(host), HVK_OK);
	assert_int_equal(hvk_cpu_stop(host->hvk), HVK_OK);
	assert_int_equal(hvk_stop(host->hvk), HVK_OK);
	assert_int_equal(hvk_destroy(host->hvk), HVK_OK);
	return polled_port_end(&host->port);
}

/* --- What was posted ---------------------------------------------------------------------- */

static const struct host_post *host_post(const struct host *host, uint32_t type, uint32_t n)
{
	for (uint32_t i = 0; i < host->post_count; i++) {
		if (host->posts[i].type == type && n-- == 0)
			return &host->posts[i];
	}
	return NULL;
}

static uint32_t host_posts(const struct host *host, uint32_t type)
{
	uint32_t count = 0;

	while (host_post(host, type, count))
		count++;
	return count;
}

static uint64_t host_faults(const struct host *host)
{
	struct hvk_counters counters;

	hvk_get_counters(host->hvk, &counters);
	return counters.host_faults;
}

static uint64_t host_late(const struct host *host)
{
	struct hvk_counters counters;

	hvk_get_counters(host->hvk, &counters);
	return counters.late_messages;
}

static uint64_t host_fault_count(const struct host *host, hvk_status status)
{
	return host->hvk->fault_counts[status - HVK_EHOST_FIRST + 1];
}

#endif
