/* SPDX-License-Identifier: MIT */
/* What all integration components share: negotiation, headers, answers in order, a full ring, leaving. */
#include "tests/unit/guest_utilities_host.h"

#include "tests/golden/ic.h"

static enum hvk_utility_answer asked_answer;
static uint32_t asked_count, downs;

static enum hvk_utility_answer asked(void *context, const struct hvk_shutdown *shutdown)
{
	(void)context;
	(void)shutdown;
	assert_int_equal(bench.hvk.locked, 0);
	asked_count++;
	return asked_answer;
}

static void go_down(void *context, enum hvk_shutdown_action action, bool forced)
{
	(void)context;
	(void)action;
	(void)forced;
	downs++;
}

static void begin_shutdown(void)
{
	const struct hvk_utility_config config = {.callbacks.shutdown = {asked, go_down}};

	asked_count = downs = 0;
	asked_answer = HVK_UTILITY_LATER;
	utility_begin((struct vmbus_guid)VMBUS_GUID_SHUTDOWN, &config);
}

static void begin_heartbeat(void)
{
	const struct hvk_utility_config config = {.newest = 0};

	utility_begin((struct vmbus_guid)VMBUS_GUID_HEARTBEAT, &config);
}

static void golden(void **state)
{
	(void)state;
	begin_shutdown();
	fake_packet(golden_ic_negotiate, sizeof(golden_ic_negotiate));
	assert_int_equal(bench.sent_count, 1);
	assert_int_equal(fake_last()->length, sizeof(golden_ic_negotiated));
	assert_memory_equal(fake_last()->bytes, golden_ic_negotiated, sizeof(golden_ic_negotiated));
	utility_end();
	begin_heartbeat();
	utility_negotiate(IC_VERSION(3, 0));
	fake_packet(golden_ic_heartbeat, sizeof(golden_ic_heartbeat));
	assert_int_equal(fake_last()->length, sizeof(golden_ic_heartbeat_answer));
	assert_memory_equal(fake_last()->bytes, golden_ic_heartbeat_answer,
			    sizeof(golden_ic_heartbeat_answer));
	utility_end();
}

static void versions(void **state)
{
	const struct hvk_utility_config old = {.newest = IC_VERSION(1, 0)};
	uint64_t beat[2] = {1, 0};

	(void)state;
	begin_heartbeat();
	assert_int_equal(utility_ask(IC_TYPE_HEARTBEAT, beat, sizeof(beat)), IC_STATUS_FAIL); /* too early */
	assert_int_equal(utility_negotiate(IC_VERSION(9, 0)), 0);
	assert_int_equal(utility_negotiate(IC_VERSION(3, 0)), IC_VERSION(3, 0));
	assert_int_equal(utility_ask(IC_TYPE_HEARTBEAT, beat, sizeof(beat)), IC_STATUS_OK);
	assert_int_equal(utility_negotiate(IC_VERSION(1, 0)), IC_VERSION(1, 0));
	assert_int_equal(utility_negotiate(IC_VERSION(2, 0)), 0); /* and what was agreed is no more */
	assert_int_equal(utility_ask(IC_TYPE_HEARTBEAT, beat, sizeof(beat)), IC_STATUS_FAIL);
	assert_int_equal(utility_counters().negotiations, 4);
	utility_end();
	utility_begin((struct vmbus_guid)VMBUS_GUID_HEARTBEAT, &old);
	assert_int_equal(utility_negotiate(IC_VERSION(3, 0)), 0);
	assert_int_equal(utility_negotiate(IC_VERSION(1, 0)), IC_VERSION(1, 0));
	utility_end();
}

static void bad_lists(void **state)
{
	uint32_t words[4] = {1u | 2u << 16, 0, IC_FRAMEWORK_3_0, IC_VERSION(3, 0)};
	uint32_t counts = 0xffffu | 0xffffu << 16;

	(void)state;
	begin_heartbeat();
	assert_int_equal(utility_ask(IC_TYPE_NEGOTIATE, words, sizeof(words)), IC_STATUS_INVALID_ARGUMENT);
	assert_int_equal(utility_ask(IC_TYPE_NEGOTIATE, &counts, sizeof(counts)), IC_STATUS_INVALID_ARGUMENT);
	words[0] = counts;
	assert_int_equal(utility_ask(IC_TYPE_NEGOTIATE, words, sizeof(words)), IC_STATUS_INVALID_ARGUMENT);
	words[0] = 0;
	assert_int_equal(utility_ask(IC_TYPE_NEGOTIATE, words, 8), IC_STATUS_OK);
	assert_int_equal(words[0], 0);
	assert_int_equal(utility_counters().malformed, 3);
	assert_int_equal(bench.hvk.faults, 3);
	utility_end();
}

static void bad_headers(void **state)
{
	uint8_t bytes[sizeof(golden_ic_heartbeat)];

	(void)state;
	begin_heartbeat();
	utility_negotiate(IC_VERSION(3, 0));
	fake_packet(golden_ic_heartbeat, 24); /* no header */
	memcpy(bytes, golden_ic_heartbeat, sizeof(bytes));
	bytes[0] = 2; /* not data */
	fake_packet(bytes, sizeof(bytes));
	bytes[0] = 1;
	bytes[4] = 0x25; /* more than there is */
	fake_packet(bytes, sizeof(bytes));
	bytes[4] = 0x13; /* less than a header */
	fake_packet(bytes, sizeof(bytes));
	assert_int_equal(bench.sent_count, 1); /* there was nothing to answer */
	assert_int_equal(bench.hvk.faults, 4);
	bytes[4] = 0x24;
	bytes[25] = IC_FLAG_TRANSACTION | IC_FLAG_RESPONSE;
	fake_packet(bytes, sizeof(bytes));
	assert_int_equal(bench.sent_count, 1); /* an answer is not answered */
	bytes[25] = IC_FLAG_TRANSACTION | IC_FLAG_REQUEST;
	bytes[18] = 0x11; /* a body of more than the message */
	fake_packet(bytes, sizeof(bytes));
	assert_int_equal(bench.sent_count, 2);
	assert_int_equal(bench.hvk.last_fault, HVK_EHOST_IC);
	bytes[18] = 0x10;
	bytes[12] = IC_TYPE_KVP;
	fake_packet(bytes, sizeof(bytes));
	assert_int_equal(utility_answered(9, bytes, 0), IC_STATUS_NOT_SUPPORTED);
	utility_end();
}

/* While one waits for its answer a second is held here, and more stay in the ring; all in order. */
static void in_order(void **state)
{
	struct ic_shutdown body = {0};

	(void)state;
	begin_shutdown();
	utility_negotiate(IC_VERSION(3, 2));
	for (int i = 0; i < 3; i++)
		utility_put(IC_TYPE_SHUTDOWN, &body, sizeof(body));
	fake_run();
	assert_int_equal(asked_count, 1);
	assert_int_equal(bench.sent_count, 1);
	assert_int_equal(bench.inbox_count, 1);
	assert_int_equal(hvk_utility_answer(utility, HVK_UTILITY_LATER, NULL, NULL), HVK_EINVAL);
	assert_int_equal(hvk_utility_answer(utility, HVK_UTILITY_REFUSED, NULL, NULL), HVK_OK);
	assert_int_equal(hvk_utility_answer(utility, HVK_UTILITY_DONE, NULL, NULL), HVK_ESTATE); /* once */
	fake_run();
	assert_int_equal(utility_answered(2, &body, 0), IC_STATUS_FAIL);
	assert_int_equal(asked_count, 2);
	assert_int_equal(hvk_utility_answer(utility, HVK_UTILITY_DONE, NULL, NULL), HVK_OK);
	fake_run();
	assert_int_equal(utility_answered(3, &body, 0), IC_STATUS_OK);
	assert_int_equal(downs, 1);
	assert_int_equal(asked_count, 3);
	assert_int_equal(hvk_utility_answer(utility, HVK_UTILITY_NOT_SUPPORTED, NULL, NULL), HVK_OK);
	fake_run();
	assert_int_equal(utility_answered(4, &body, 0), IC_STATUS_NOT_SUPPORTED);
	assert_int_equal(hvk_utility_answer(utility, HVK_UTILITY_DONE, NULL, NULL), HVK_ESTATE);
	utility_end();
}

static void late(void **state)
{
	struct ic_shutdown body = {0};

	(void)state;
	begin_shutdown();
	utility_negotiate(IC_VERSION(3, 2));
	utility_say(IC_TYPE_SHUTDOWN, &body, sizeof(body));
	fake_advance(29999);
	assert_int_equal(bench.sent_count, 1);
	fake_advance(1);
	assert_int_equal(utility_answered(2, &body, 0), IC_STATUS_FAIL);
	assert_int_equal(utility_counters().late, 1);
	assert_int_equal(hvk_utility_answer(utility, HVK_UTILITY_DONE, NULL, NULL), HVK_ESTATE);
	fake_run();
	assert_int_equal(downs, 0);
	utility_end();
}

static void full_ring(void **state)
{
	uint64_t beat[2] = {1, 0};

	(void)state;
	begin_heartbeat();
	utility_negotiate(IC_VERSION(3, 0));
	bench.channel.room = 0;
	utility_say(IC_TYPE_HEARTBEAT, beat, sizeof(beat));
	beat[0] = 5;
	utility_say(IC_TYPE_HEARTBEAT, beat, sizeof(beat));
	assert_int_equal(bench.sent_count, 1);
	fake_make_room();
	assert_int_equal(bench.sent_count, 3);
	assert_int_equal(utility_answered(3, beat, sizeof(beat)), IC_STATUS_OK);
	assert_int_equal(beat[0], 6);
	assert_int_equal(utility_counters().answers, 3);
	utility_end();
}

static void gone_with_a_request(void **state)
{
	struct ic_shutdown body = {0};
	uint32_t framework, message;

	(void)state;
	begin_shutdown();
	utility_negotiate(IC_VERSION(3, 2));
	utility_say(IC_TYPE_SHUTDOWN, &body, sizeof(body));
	fake_rescind();
	assert_int_equal(utility_gone, 1);
	assert_int_equal(hvk_utility_answer(utility, HVK_UTILITY_DONE, NULL, NULL), HVK_ESTATE);
	hvk_utility_versions(utility, &framework, &message);
	assert_int_equal(framework | message, 0);
	utility_end();
	assert_int_equal(downs, 0);
}

static void attached_again(void **state)
{
	struct ic_shutdown body = {0};

	(void)state;
	begin_shutdown();
	utility_negotiate(IC_VERSION(3, 2));
	utility_say(IC_TYPE_SHUTDOWN, &body, sizeof(body));
	hvk_utility_detach(utility, &utility_detach);
	fake_run();
	hvk_utility_attach(utility, &utility_attach);
	fake_run();
	assert_int_equal(utility_attach.status, HVK_OK);
	assert_int_equal(utility_ask(IC_TYPE_SHUTDOWN, &body, sizeof(body)), IC_STATUS_FAIL);
	assert_int_equal(utility_negotiate(IC_VERSION(3, 2)), IC_VERSION(3, 2));
	asked_answer = HVK_UTILITY_DONE;
	assert_int_equal(utility_ask(IC_TYPE_SHUTDOWN, &body, sizeof(body)), IC_STATUS_OK);
	assert_int_equal(downs, 1);
	utility_end();
}

static void other_channels(void **state)
{
	const struct hvk_utility_config config = {.newest = 0};

	(void)state;
	fake_begin((struct vmbus_guid)VMBUS_GUID_NETVSC);
	assert_int_equal(hvk_utility_create(&bench.channel, &config, &utility), HVK_ENOTSUP);
	fake_end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(golden),         cmocka_unit_test(versions),
		cmocka_unit_test(bad_lists),      cmocka_unit_test(bad_headers),
		cmocka_unit_test(in_order),       cmocka_unit_test(late),
		cmocka_unit_test(full_ring),      cmocka_unit_test(gone_with_a_request),
		cmocka_unit_test(attached_again), cmocka_unit_test(other_channels),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
