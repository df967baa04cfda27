/* SPDX-License-Identifier: MIT */
/* The host of an integration component: messages by type and body, and what was answered. */
#ifndef GUEST_UTILITIES_HOST_H
#define GUEST_UTILITIES_HOST_H

#include "tests/unit/guest_device_host.h"

#include "hvkit/utilities.h"

static struct hvk_utility *utility;
static struct hvk_request utility_attach, utility_detach;
static uint32_t utility_gone;
static uint8_t utility_transaction;

static void utility_is_gone(void *context, struct hvk_utility *which)
{
	(void)context;
	assert_ptr_equal(which, utility);
	utility_gone++;
}

static void utility_begin(struct vmbus_guid type, const struct hvk_utility_config *config)
{
	struct hvk_utility_config with = *config;

	fake_begin(type);
	utility_gone = utility_transaction = 0;
	with.gone = utility_is_gone;
	assert_int_equal(hvk_utility_create(&bench.channel, &with, &utility), HVK_OK);
	hvk_utility_attach(utility, &utility_attach);
	fake_run();
	assert_int_equal(utility_attach.status, HVK_OK);
}

static void utility_end(void)
{
	hvk_utility_detach(utility, &utility_detach);
	fake_run();
	assert_int_equal(utility_detach.status, HVK_OK);
	assert_int_equal(hvk_utility_destroy(utility), HVK_OK);
	fake_end();
}

/* Puts a message into the ring; the driver has not run yet. */
static void utility_put(uint16_t type, const void *body, uint32_t length)
{
	uint8_t bytes[FAKE_BYTES_MAX] = {0};
	const struct pipe_header pipe = {PIPE_MESSAGE_DATA, (uint32_t)sizeof(struct ic_header) + length};
	const struct ic_header header = {.framework = IC_FRAMEWORK_3_0,
					 .type = type,
					 .size = (uint16_t)length,
					 .transaction_id = ++utility_transaction,
					 .flags = IC_FLAG_TRANSACTION | IC_FLAG_REQUEST};
	uint32_t all = (uint32_t)(sizeof(pipe) + sizeof(header)) + length;

	memcpy(bytes, &pipe, sizeof(pipe));
	memcpy(bytes + sizeof(pipe), &header, sizeof(header));
	memcpy(bytes + sizeof(pipe) + sizeof(header), body, length);
	fake_put(VMBUS_PACKET_IN_BAND, bytes, (all + 7u) & ~7u);
}

static void utility_say(uint16_t type, const void *body, uint32_t length)
{
	utility_put(type, body, length);
	fake_run();
}

/* The newest answer: to the transaction, a response; its status, and its body into body. */
static uint32_t utility_answered(uint8_t transaction, void *body, uint32_t length)
{
	const struct fake_bytes *last = fake_last();
	struct pipe_header pipe;
	struct ic_header header;

	memcpy(&pipe, last->bytes, sizeof(pipe));
	memcpy(&header, last->bytes + sizeof(pipe), sizeof(header));
	assert_int_equal(pipe.type, PIPE_MESSAGE_DATA);
	assert_int_equal(pipe.size + sizeof(pipe), last->length);
	assert_int_equal(header.flags, IC_FLAG_TRANSACTION | IC_FLAG_RESPONSE);
	assert_int_equal(header.transaction_id, transaction);
	assert_true(length <= last->length - sizeof(pipe) - sizeof(header));
	memcpy(body, last->bytes + sizeof(pipe) + sizeof(header), length);
	return header.status;
}

/* Says it; one answer comes at once. */
static uint32_t utility_ask(uint16_t type, void *body, uint32_t length)
{
	uint32_t before = bench.sent_count;

	utility_say(type, body, length);
	assert_int_equal(bench.sent_count, before + 1);
	return utility_answered(utility_transaction, body, length);
}

/* Framework 3.0 and one message version; what of it was taken. */
static uint32_t utility_negotiate(uint32_t version)
{
	uint32_t words[4] = {1u | 1u << 16, 0, IC_FRAMEWORK_3_0, version}, framework, message;

	assert_int_equal(utility_ask(IC_TYPE_NEGOTIATE, words, sizeof(words)), IC_STATUS_OK);
	hvk_utility_versions(utility, &framework, &message);
	assert_int_equal(words[0], message == 0 ? 0 : 1u | 1u << 16);
	assert_int_equal(words[2], framework);
	assert_int_equal(words[3], message);
	return message;
}

/* ASCII to UTF-16; the end included. Returns bytes. */
static uint32_t utility_wide(uint8_t *to, const char *text)
{
	uint32_t length = 0;

	do {
		to[length++] = (uint8_t)*text;
		to[length++] = 0;
	} while (*text++ != '\0');
	return length;
}

static struct hvk_utility_counters utility_counters(void)
{
	struct hvk_utility_counters counters;

	hvk_utility_get_counters(utility, &counters);
	return counters;
}

#endif
