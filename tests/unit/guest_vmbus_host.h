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

/* No program uses all of it. */
#pragma GCC diagnostic ignored "-Wunused-function"
#pragma GCC diagnostic ignored "-Wunused-const-variable"

#define HOST_PAUSE_NS 1000000u
#define HOST_TICKS (HOST_PAUSE_NS / 100u)
#define HOST_POSTS 512u
#define HOST_QUEUE 64u
#define HOST_ALLOCATIONS 128u
#define HOST_REGISTERS (HVK_REG_SINT15 + 1)
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
	uint64_t registers[HOST_REGISTERS];
	uint64_t now;
	struct {
		uint8_t *address;
		uint32_t count;
		uint64_t gpa; /* 0: private */
	} memory[HOST_ALLOCATIONS];
	uint64_t next_gpa;
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

#ifdef HVK_SWITCH_POINTS
void hvk_switch_point(void)
{
}
#endif

/* --- Memory -------------------------------------------------------------------------- */

static void host_log(void *context, enum hvk_log_level level, const char *text)
{
	(void)context, (void)level, (void)text;
}

static hvk_status host_pages_alloc(void *context, uint32_t count, enum hvk_page_use use,
				   struct hvk_pages *out)
{
	struct host *host = context;
	uint32_t n = 0;

	while (n < HOST_ALLOCATIONS && host->memory[n].count != 0)
		n++;
	assert_true(n < HOST_ALLOCATIONS);
	host->memory[n].address = aligned_alloc(HVK_PAGE_SIZE, (size_t)count * HVK_PAGE_SIZE);
	assert_non_null(host->memory[n].address);
	memset(host->memory[n].address, 0, (size_t)count * HVK_PAGE_SIZE);
	host->memory[n].count = count;
	host->memory[n].gpa = use == HVK_PAGE_PRIVATE ? 0 : host->next_gpa;
	if (use != HVK_PAGE_PRIVATE)
		host->next_gpa += (uint64_t)count * HVK_PAGE_SIZE;
	*out = (struct hvk_pages){host->memory[n].address, count, use, NULL};
	return HVK_OK;
}

static void host_pages_free(void *context, const struct hvk_pages *pages)
{
	struct host *host = context;
	uint32_t n = 0;

	while (n < HOST_ALLOCATIONS &&
	       (host->memory[n].count == 0 || host->memory[n].address != pages->address))
		n++;
	assert_true(n < HOST_ALLOCATIONS && host->memory[n].count == pages->count);
	free(host->memory[n].address);
	host->memory[n].count = 0;
}

static uint64_t host_page_gpa(void *context, const void *address)
{
	const struct host *host = context;

	for (uint32_t n = 0; n < HOST_ALLOCATIONS; n++) {
		size_t offset = (size_t)((const uint8_t *)address - host->memory[n].address);

		if (host->memory[n].gpa != 0 && (const uint8_t *)address >= host->memory[n].address &&
		    offset < (size_t)host->memory[n].count * HVK_PAGE_SIZE && host->memory[n].count != 0)
			return host->memory[n].gpa + offset;
	}
	fail_msg("%s", "an address that was not shared");
	return 0;
}

static uint8_t *host_at(const struct host *host, uint64_t gpa)
{
	for (uint32_t n = 0; n < HOST_ALLOCATIONS; n++) {
		if (host->memory[n].count != 0 && host->memory[n].gpa != 0 && gpa >= host->memory[n].gpa &&
		    gpa - host->memory[n].gpa < (uint64_t)host->memory[n].count * HVK_PAGE_SIZE)
			return host->memory[n].address + (gpa - host->memory[n].gpa);
	}
	fail_msg("%s", "an address that was not shared");
	return NULL;
}

/* --- Messages to the guest ---------------------------------------------------------------- */

static void host_deliver(struct host *host)
{
	uint64_t simp = host->registers[HVK_REG_SIMP];
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
		HOST_SAY(host, golden_open_result);
		break;
	case VMBUS_MSG_UNLOAD:
		HOST_SAY(host, golden_unload_response);
		break;
	default: /* CLOSE_CHANNEL, RELID_RELEASED: no answer */
		break;
	}
}

/* --- The hypervisor ----------------------------------------------------------------------- */

static uint64_t host_hypercall(void *context, const void *page, uint64_t control, uint64_t input,
			       uint64_t output)
{
	struct host *host = context;
	struct host_post *post = &host->posts[host->post_count];
	const struct hv_post_message_input *message;

	(void)page, (void)output;
	if (control != HV_CALL_POST_MESSAGE)
		return host->signal_status;
	assert_true(host->post_count++ < HOST_POSTS);
	message = (const struct hv_post_message_input *)(const void *)host_at(host, input);
	assert_int_equal(message->message_type, HV_MESSAGE_VMBUS);
	assert_in_range(message->payload_size, 8, HV_MESSAGE_PAYLOAD_MAX);
	*post = (struct host_post){message->connection_id, 0, message->payload_size, 0, host->now, {0}};
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

static void host_features(void *context, uint32_t leaf, uint32_t out[4])
{
	(void)context;
	memset(out, 0, 4 * sizeof(*out));
	if (leaf == HV_CPUID_PROCESSOR_INFO)
		out[2] = HV_CPUID_HYPERVISOR_PRESENT_ECX;
	else if (leaf == HV_CPUID_VENDOR)
		out[0] = HV_CPUID_HIGHEST_LEAF_MIN;
	else if (leaf == HV_CPUID_INTERFACE)
		out[0] = HV_CPUID_INTERFACE_HV1;
	if (leaf != HV_CPUID_FEATURES)
		return;
	out[0] = HV_ACCESS_REFERENCE_COUNTER | HV_ACCESS_SYNIC | HV_ACCESS_HYPERCALL | HV_ACCESS_VP_INDEX;
	out[1] = HV_PRIVILEGE_POST_MESSAGES | HV_PRIVILEGE_SIGNAL_EVENTS;
}

static hvk_status host_reg_read(void *context, enum hvk_register reg, uint64_t *value)
{
	const struct host *host = context;

	*value = reg == HVK_REG_REFERENCE_COUNTER ? host->now : host->registers[reg];
	return HVK_OK;
}

static hvk_status host_reg_write(void *context, enum hvk_register reg, uint64_t value)
{
	struct host *host = context;

	host->registers[reg] = value;
	if (reg == HVK_REG_EOM)
		host_deliver(host);
	return HVK_OK;
}

static void host_pause(void *context)
{
	struct host *host = context;

	host->now += HOST_TICKS;
	host_deliver(host);
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
	const struct hvk_port port = {
		.size = sizeof(port),
		.version = HVK_PORT_VERSION,
		.context = host,
		.log = host_log,
		.pages_alloc = host_pages_alloc,
		.pages_free = host_pages_free,
		.page_gpa = host_page_gpa,
		.features = host_features,
		.reg_read = host_reg_read,
		.reg_write = host_reg_write,
		.hypercall = host_hypercall,
		.pause = host_pause,
		.pause_ns = HOST_PAUSE_NS,
	};
	const struct hvk_config config = {.cpus = 1};

	*host = (struct host){.newest = VMBUS_VERSION_5_3,
			      .connection = VMBUS_CONNECTION_MESSAGE_V5,
			      .next_gpa = 0x100000,
			      .now = 1000};
	host->channel_config = (struct hvk_channel_config){.tx_pages = 1, .rx_pages = 1, .ready = on_ready};
	host->channel_config.user_data[0] = 0x5a;
	host->registers[HVK_REG_VP_INDEX] = vp;
	assert_int_equal(hvk_create(&port, &config, &host->hvk), HVK_OK);
	assert_int_equal(hvk_start(host->hvk), HVK_OK);
	assert_int_equal(hvk_cpu_start(host->hvk), HVK_OK);
	host->next_gpa = 0x10000;
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
	host->next_gpa = 0x20000;
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
		host_pause(host);
		(void)hvk_poll(host->hvk, 0);
	}
	assert_int_equal(host->queue_count, 0);
}

/* Pages that were never given back; frees them. */
static uint32_t host_end(struct host *host)
{
	uint32_t left = 0;

	if (hvk_vmbus_state(host->hvk) == HVK_VMBUS_CONNECTED)
		assert_int_equal(host_disconnect(host), HVK_OK);
	assert_int_equal(hvk_cpu_stop(host->hvk), HVK_OK);
	assert_int_equal(hvk_stop(host->hvk), HVK_OK);
	assert_int_equal(hvk_destroy(host->hvk), HVK_OK);
	for (uint32_t n = 0; n < HOST_ALLOCATIONS; n++) {
		left += host->memory[n].count;
		if (host->memory[n].count != 0)
			free(host->memory[n].address);
	}
	return left;
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
