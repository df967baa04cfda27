/* SPDX-License-Identifier: MIT */
/*
 * Boot mode: contact at 3.0, UNLOAD and its answer, contact at the oldest version, and at
 * the end UNLOAD and its answer again; a host below 3.0 is refused, and why.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "hvkit/wire/vmbus.h"
#include "tests/support/rig.h"

#define DIALOGUE_MAX 64u

/* The messages that make or break a connection, in order: type, and version for a contact. */
struct dialogue {
	uint32_t types[DIALOGUE_MAX], versions[DIALOGUE_MAX], count;
};

static void take(void *context, const struct hvh_trace_record *record)
{
	struct dialogue *dialogue = context;
	struct vmbus_initiate_contact contact = {0};

	if (record->kind != HVH_TRACE_MESSAGE || record->byte_count < 8 || dialogue->count == DIALOGUE_MAX)
		return;
	memcpy(&contact, record->bytes,
	       record->byte_count < sizeof(contact) ? record->byte_count : sizeof(contact));
	switch (contact.header.type) {
	case VMBUS_MSG_INITIATE_CONTACT:
		dialogue->versions[dialogue->count] = contact.version;
		break;
	case VMBUS_MSG_VERSION_RESPONSE:
	case VMBUS_MSG_UNLOAD:
	case VMBUS_MSG_UNLOAD_RESPONSE:
		break;
	default:
		return;
	}
	dialogue->types[dialogue->count++] = contact.header.type;
}

static void run(const char *profile, uint32_t accept_newest, bool boot, bool level0,
		struct dialogue *dialogue, struct rig_result *result)
{
	struct rig_config config = {
		.mode = HOSTED_DETERMINISTIC,
		.profile = profile,
		.accept_newest = accept_newest,
		.vmbus_mode = boot ? HVK_VMBUS_MODE_BOOT : HVK_VMBUS_MODE_SYSTEM,
		.level0 = level0,
		.seed = 7,
		.frames = 20,
		.tap = take,
		.context = dialogue,
	};

	memset(dialogue, 0, sizeof(*dialogue));
	rig_run(&config, result);
}

static void the_dialogue_is_the_one_that_a_loader_needs(void **state)
{
	static const uint32_t types[] = {
		VMBUS_MSG_INITIATE_CONTACT, VMBUS_MSG_VERSION_RESPONSE, VMBUS_MSG_UNLOAD,
		VMBUS_MSG_UNLOAD_RESPONSE,  VMBUS_MSG_INITIATE_CONTACT, VMBUS_MSG_VERSION_RESPONSE,
		VMBUS_MSG_UNLOAD,           VMBUS_MSG_UNLOAD_RESPONSE,
	};
	static const char *const profiles[] = {"ws2012r2", "ws2022"};
	struct dialogue dialogue;
	struct rig_result result;

	(void)state;
	for (int i = 0; i < 4; i++) {
		run(profiles[i % 2], 0, true, i / 2, &dialogue, &result);
		assert_null(rig_check(&result, true));
		assert_true(result.quiet);
		assert_int_equal(result.version, VMBUS_VERSION_0_13);
		assert_int_equal(result.quarantined_pages, 0);
		assert_int_equal(dialogue.count, 8);
		assert_memory_equal(dialogue.types, types, sizeof(types));
		assert_int_equal(dialogue.versions[0], VMBUS_VERSION_3_0);
		assert_int_equal(dialogue.versions[4], VMBUS_VERSION_0_13);
	}
}

static void a_host_below_3_0_is_refused(void **state)
{
	static const char *const profiles[] = {"ws2008r2", "ws2012"};
	struct dialogue dialogue;
	struct rig_result result;

	(void)state;
	for (int i = 0; i < 2; i++) {
		run(profiles[i], 0, true, false, &dialogue, &result);
		assert_true(result.finished);
		assert_int_equal(result.status, HVK_EHOSTTOOOLD);
		assert_int_equal(dialogue.count, 2); /* one contact, refused: nothing else was tried */
		assert_int_equal(dialogue.versions[0], VMBUS_VERSION_3_0);
		assert_int_equal(result.leaked_pages, 0);
		assert_int_equal(result.bad_writes, 0);
		assert_int_equal(result.violations, 0);
	}
}

/* A new host told to accept old versions only is refused too: what it would do is not known. */
static void a_capped_host_is_refused(void **state)
{
	struct dialogue dialogue;
	struct rig_result result;

	(void)state;
	run("ws2022", VMBUS_VERSION_2_4, true, false, &dialogue, &result);
	assert_int_equal(result.status, HVK_EHOSTTOOOLD);
}

/* --- Without the refusal --------------------------------------------------------------- */

struct after {
	uint8_t before[HVK_PAGE_SIZE];
	bool written;
	hvk_status first;
	bool bus_at_first, bus_again; /* connected, with the card on it */
};

static void wait_ms(struct rig *rig, uint32_t ms)
{
	uint64_t end = hvk_time(rig->hvk) + ms * HVK_TIME_PER_MS;

	while (hvk_time(rig->hvk) < end) {
		(void)hvk_poll(rig->hvk, 0);
		hosted_wait(rig->machine, 1000000);
	}
}

/* A bus that can be used: connected, and the card is on it. */
static bool connect_bus(struct rig *rig)
{
	const struct hvk_vmbus_config config = {.mode = HVK_VMBUS_MODE_SYSTEM};
	struct hvk_request request = {0};

	hvk_vmbus_connect(rig->hvk, &config, &request);
	return hvk_wait(rig->hvk, &request, 60000) == HVK_OK && hvk_vmbus_next_channel(rig->hvk, NULL);
}

/* In system mode, on a host that does not know 3.0: leave, look at the pages, come back. */
static void leave_and_come_back(void *context, struct rig *rig)
{
	struct after *after = context;
	struct hvk_request request = {0};
	struct hvk_pages pages;
	uint32_t count = 0;

	hvk_vmbus_disconnect(rig->hvk, &request);
	after->first = hvk_wait(rig->hvk, &request, 60000);
	while (hvk_quarantine_pages(rig->hvk, count, &pages)) {
		memset(pages.address, 0, (size_t)pages.count * HVK_PAGE_SIZE);
		count++;
	}
	wait_ms(rig, 5000);
	for (uint32_t i = 0; hvk_quarantine_pages(rig->hvk, i, &pages); i++) {
		const uint8_t *bytes = pages.address;

		for (size_t at = 0; at < (size_t)pages.count * HVK_PAGE_SIZE; at++)
			after->written |= bytes[at] != 0;
	}
	after->bus_again = connect_bus(rig);
}

static void program(void *context)
{
	struct rig *rig = context;
	struct after *after = rig->config.context;

	assert_int_equal(hvk_start(rig->hvk), HVK_OK);
	assert_int_equal(hvk_cpu_start(rig->hvk), HVK_OK);
	after->bus_at_first = connect_bus(rig);
	leave_and_come_back(after, rig);
}

static void ignore_frame(void *context, const void *frame, uint32_t length)
{
	(void)context;
	(void)frame;
	(void)length;
}

static void interrupt(void *context, uint32_t cpu)
{
	struct rig *rig = context;

	hvk_interrupt(rig->hvk, cpu);
}

/* Why hosts below 3.0 are refused: such a host goes on writing to our pages after UNLOAD,
 * and a second contact gets no usable bus. */
static void without_the_refusal_memory_is_written_and_the_bus_is_gone(void **state)
{
	struct after after = {0};
	struct rig rig = {.config = {.context = &after}};
	struct hosted_config hosted = {
		.mode = HOSTED_DETERMINISTIC,
		.cpus = 1,
		.memory_pages = 1024,
		.profile = hvh_profile_find("ws2008r2"),
		.seed = 3,
	};
	const struct hvk_config config = {.cpus = 1, .vector = 0xf3, .interrupts = true};
	const struct hvh_nic_config nic = {.mac = {0, 0x15, 0x5d, 0, 0, 1}};
	const struct hvh_backend backend = {.transmit = ignore_frame};

	(void)state;
	rig.machine = hosted_create(&hosted);
	assert_non_null(rig.machine);
	assert_int_equal(hvk_create(hosted_port(rig.machine), &config, &rig.hvk), HVK_OK);
	assert_non_null(hvh_nic_create(hosted_partition(rig.machine), &nic, &backend));
	hosted_set_interrupt(rig.machine, interrupt, &rig);
	hosted_set_program(rig.machine, 0, program, &rig);
	assert_true(hosted_run(rig.machine, 600000));
	assert_int_equal(after.first, HVK_OK);
	assert_true(after.written);
	assert_true(after.bus_at_first);
	assert_false(after.bus_again);
	hosted_destroy(rig.machine);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_dialogue_is_the_one_that_a_loader_needs),
		cmocka_unit_test(a_host_below_3_0_is_refused),
		cmocka_unit_test(a_capped_host_is_refused),
		cmocka_unit_test(without_the_refusal_memory_is_written_and_the_bus_is_gone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
