/* SPDX-License-Identifier: MIT */
/* What hvkit run --trace writes, read back by a reader of our own: which control messages
 * went over the bus, in which order. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "apps/hvkit/options.h"
#include "hvkit/wire/vmbus.h"
#include "hvkit_host/trace.h"

#define BLOCK_PACKET 6u
#define BLOCK_HEADER 28u /* type, length, interface, time, two lengths */
#define RECORD_HEADER 20u
#define MESSAGES_MAX 512u

struct message {
	uint32_t type, value; /* value: what follows the header */
	bool to_guest;
};

struct messages {
	struct message list[MESSAGES_MAX];
	uint32_t count;
};

static uint32_t get32(const uint8_t *bytes)
{
	return bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 | (uint32_t)bytes[3] << 24;
}

static void take_record(const uint8_t *record, uint32_t length, struct messages *messages)
{
	struct message *message = &messages->list[messages->count];

	assert_true(length >= RECORD_HEADER);
	if (record[1] != HVH_TRACE_MESSAGE)
		return;
	assert_true(messages->count < MESSAGES_MAX);
	assert_true(get32(record + 12) >= 8);
	message->type = get32(record + RECORD_HEADER);
	message->value = get32(record + 12) >= 12 ? get32(record + RECORD_HEADER + 8) : 0;
	message->to_guest = record[2] != 0;
	messages->count++;
}

static void read_trace(const char *name, struct messages *messages)
{
	static uint8_t bytes[4 << 20];
	FILE *file = fopen(name, "rb");
	size_t size, at = 0;

	assert_non_null(file);
	size = fread(bytes, 1, sizeof(bytes), file);
	fclose(file);
	assert_true(size > 0 && size < sizeof(bytes));
	messages->count = 0;
	while (at < size) {
		uint32_t length = get32(bytes + at + 4);

		assert_true(length >= 12 && length % 4 == 0 && length <= size - at);
		assert_int_equal(get32(bytes + at + length - 4), length); /* said twice */
		if (get32(bytes + at) == BLOCK_PACKET)
			take_record(bytes + at + BLOCK_HEADER, get32(bytes + at + 20), messages);
		at += length;
	}
}

static void run(const char *host, bool boot_mode, int wanted, struct messages *messages)
{
	char name[] = "/tmp/hvkit-trace.XXXXXX", error[CLI_ERROR_MAX];
	char *arguments[] = {"hvkit", "run",  "--quiet", "--seed", "7",  "--host",  (char *)(uintptr_t)host,
			     "--nic", "none", "--trace", name,     "--", "lsvmbus", NULL};
	struct cli_options options;
	int file = mkstemp(name);

	assert_true(file >= 0);
	close(file);
	assert_true(cli_options_parse(13, arguments, &options, error));
	options.boot_mode = boot_mode;
	assert_int_equal(cli_run(&options), wanted);
	cli_options_free(&options);
	read_trace(name, messages);
	unlink(name);
}

static void assert_message(const struct messages *messages, uint32_t n, bool to_guest, uint32_t type)
{
	assert_true(n < messages->count);
	assert_int_equal(messages->list[n].type, type);
	assert_int_equal(messages->list[n].to_guest, to_guest);
}

static void assert_contact(const struct messages *messages, uint32_t n, uint32_t version)
{
	assert_message(messages, n, false, VMBUS_MSG_INITIATE_CONTACT);
	assert_int_equal(messages->list[n].value, version);
	assert_message(messages, n + 1, true, VMBUS_MSG_VERSION_RESPONSE);
}

/* 3.0, UNLOAD, its answer, 0.13; and at the end UNLOAD and its answer again. */
static void boot_mode(void **state)
{
	struct messages messages;

	(void)state;
	run("ws2012r2", true, CLI_OK, &messages);
	assert_contact(&messages, 0, VMBUS_VERSION_3_0);
	assert_message(&messages, 2, false, VMBUS_MSG_UNLOAD);
	assert_message(&messages, 3, true, VMBUS_MSG_UNLOAD_RESPONSE);
	assert_contact(&messages, 4, VMBUS_VERSION_0_13);
	assert_message(&messages, 6, false, VMBUS_MSG_REQUEST_OFFERS);
	assert_message(&messages, 7, true, VMBUS_MSG_ALL_OFFERS_DELIVERED);
	assert_message(&messages, 8, false, VMBUS_MSG_UNLOAD);
	assert_message(&messages, 9, true, VMBUS_MSG_UNLOAD_RESPONSE);
	assert_int_equal(messages.count, 10);
}

static void refused_in_boot_mode(void **state)
{
	struct messages messages;

	(void)state;
	run("ws2008r2", true, CLI_FAILED, &messages);
	assert_contact(&messages, 0, VMBUS_VERSION_3_0);
	for (uint32_t n = 0; n < messages.count; n++)
		assert_int_not_equal(messages.list[n].type, VMBUS_MSG_REQUEST_OFFERS);
}

static void system_mode(void **state)
{
	struct messages messages;

	(void)state;
	run("ws2022", false, CLI_OK, &messages);
	assert_contact(&messages, 0, VMBUS_VERSION_5_3);
	assert_message(&messages, 2, false, VMBUS_MSG_REQUEST_OFFERS);
	assert_message(&messages, messages.count - 1, true, VMBUS_MSG_UNLOAD_RESPONSE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(boot_mode),
		cmocka_unit_test(refused_in_boot_mode),
		cmocka_unit_test(system_mode),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
