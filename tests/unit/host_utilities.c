/* SPDX-License-Identifier: MIT */
/* What the host's integration components have in common: versions, one message at a time, wrong answers. */
#include "host_utilities_guest.h"
#include "tests/golden/ic.h"

#define V(major, minor) IC_VERSION(major, minor)

/* --- Versions ------------------------------------------------------------------------------------ */

static void begins_with_what_it_has(void **state)
{
	struct guest *guest = *state;
	struct answer packet;
	uint8_t bytes[sizeof golden_ic_negotiate];

	(void)offer(guest, HVH_UTILITY_SHUTDOWN);
	dump_says(guest, "shutdown0");
	dump_says(guest, "state: negotiating");
	settle(guest);
	assert_true(receive(guest, &packet));
	memcpy(bytes, golden_ic_negotiate, sizeof bytes);
	bytes[24] = packet.payload[24]; /* the transaction */
	assert_int_equal(packet.length, (sizeof bytes + 7u) & ~7u);
	assert_memory_equal(packet.payload, bytes, sizeof bytes);
	memcpy(bytes, golden_ic_negotiated, sizeof bytes);
	bytes[24] = packet.payload[24];
	send_message(guest, bytes, sizeof bytes, false, 0);
	dump_says(guest, "state: ready");
	dump_says(guest, "framework: 3.0");
	dump_says(guest, "messages: 3.2");
	expect_none(guest);
	assert_no_violation(guest);
}

/* What is offered: both counts, and the newest message version. */
static void check_host(const char *name, uint32_t which, uint32_t frameworks, uint32_t messages,
		       uint32_t newest)
{
	struct guest guest;
	struct ic_negotiate counts;
	uint32_t last;

	guest_create(&guest, name);
	(void)offer(&guest, which);
	assert_true(next(&guest));
	memcpy(&counts, asked.body, sizeof counts);
	assert_int_equal(counts.framework_count, frameworks);
	assert_int_equal(counts.message_count, messages);
	assert_int_equal(asked.header.size, 8 + 4 * (frameworks + messages));
	memcpy(&last, asked.body + asked.header.size - 4, sizeof last);
	assert_int_equal(last, newest);
	assert_no_violation(&guest);
	guest_destroy(&guest);
}

static void hosts_differ(void **state)
{
	(void)state;
	check_host("ws2008", HVH_UTILITY_SHUTDOWN, 1, 1, V(1, 0));
	check_host("ws2008r2", HVH_UTILITY_TIMESYNC, 2, 2, V(3, 0));
	check_host("ws2012", HVH_UTILITY_VSS, 2, 1, V(4, 0));
	check_host("ws2012r2", HVH_UTILITY_KVP, 2, 3, V(4, 0));
	check_host("ws2012r2", HVH_UTILITY_VSS, 2, 2, V(5, 0));
	check_host("ws2012r2", HVH_UTILITY_FCOPY, 2, 1, V(1, 1));
	check_host("ws2016", HVH_UTILITY_TIMESYNC, 2, 3, V(4, 0));
	check_host("ws2022", HVH_UTILITY_VSS, 2, 4, V(7, 0));
	check_host("openvmm", HVH_UTILITY_TIMESYNC, 2, 1, V(4, 0));
}

static void hosts_without(void **state)
{
	const struct hvh_utilities_config one = {.which = HVH_UTILITY_HEARTBEAT}, all = {0};
	struct guest guest;
	char error[200];

	(void)state;
	guest_create(&guest, "openvmm");
	assert_null(hvh_utilities_create(guest.host, &one, error, sizeof error));
	assert_non_null(strstr(error, "host openvmm has no heartbeat"));
	assert_non_null(hvh_utilities_create(guest.host, &all, error, sizeof error));
	dump_says(&guest, "kvp0");
	assert_non_null(hvh_utilities_find(guest.host));
	assert_null(hvh_utilities_create(guest.host, &all, error, sizeof error));
	assert_non_null(strstr(error, "already"));
	guest_destroy(&guest);
	guest_create(&guest, "qemu");
	assert_null(hvh_utilities_create(guest.host, &all, error, sizeof error));
	assert_non_null(strstr(error, "no integration components"));
	assert_null(hvh_utilities_find(guest.host));
	assert_true(hvh_partition_set_quirk(guest.host, "ic-versions", "ws2016", error, sizeof error));
	assert_non_null(hvh_utilities_create(guest.host, &one, error, sizeof error));
	guest_destroy(&guest);
}

static void capped(void **state)
{
	const struct hvh_utilities_config config = {.which = HVH_UTILITY_SHUTDOWN,
						    .framework_newest = IC_FRAMEWORK_1_0,
						    .message_newest = V(3, 0)};
	struct guest *guest = *state;
	const uint32_t wanted[] = {1u | 2u << 16, 0, V(1, 0), V(1, 0), V(3, 0)};

	(void)offer_with(guest, &config);
	assert_true(next(guest));
	assert_int_equal(asked.header.size, sizeof wanted);
	assert_memory_equal(asked.body, wanted, sizeof wanted);
}

/* --- Answers to NEGOTIATE ------------------------------------------------------------------------ */

static void answer_counts(struct guest *guest, uint16_t frameworks, uint16_t messages, uint32_t framework,
			  uint32_t message)
{
	const struct ic_negotiate counts = {frameworks, messages, 0};

	assert_true(next(guest));
	memcpy(asked.body, &counts, sizeof counts);
	memcpy(asked.body + 8, &framework, sizeof framework);
	memcpy(asked.body + 12, &message, sizeof message);
	asked.header.size = 16;
	reply(guest, IC_STATUS_OK);
}

static void nothing_in_common(void **state)
{
	struct guest *guest = *state;
	struct hvh_utilities *utilities = offer(guest, HVH_UTILITY_SHUTDOWN);

	answer_counts(guest, 0, 0, 0, 0);
	dump_says(guest, "state: no-version");
	expect_none(guest);
	hvh_shutdown_request(utilities, guest->now, 0, NULL, on_end, NULL);
	expect_end(HVH_UTILITY_AWAY, IC_STATUS_FAIL, "no version in common");
	assert_no_violation(guest);
	hvh_utilities_restart(utilities, guest->now, HVH_UTILITIES_ALL);
	answer_counts(guest, 1, 1, V(3, 0), V(3, 1));
	dump_says(guest, "state: ready");
	assert_int_equal(counters_of(utilities).negotiations, 2);
	assert_int_equal(counters_of(utilities).restarts, 1);
	assert_no_violation(guest);
}

static void not_what_was_offered(void **state)
{
	struct guest *guest = *state;

	(void)offer(guest, HVH_UTILITY_SHUTDOWN);
	answer_counts(guest, 1, 1, V(3, 0), V(4, 0));
	dump_says(guest, "state: no-version");
	assert_only_violation(guest, HVH_V_IC_VALUE);
}

static void more_than_one_version(void **state)
{
	struct guest *guest = *state;

	(void)offer(guest, HVH_UTILITY_SHUTDOWN);
	answer_counts(guest, 1, 2, V(3, 0), V(3, 0));
	assert_only_violation(guest, HVH_V_IC_VALUE);
}

static void no_room_for_versions(void **state)
{
	struct guest *guest = *state;

	(void)offer(guest, HVH_UTILITY_SHUTDOWN);
	assert_true(next(guest));
	asked.header.size = 6;
	reply(guest, IC_STATUS_OK);
	assert_only_violation(guest, HVH_V_IC_SIZE);
}

static void silent_guest(void **state)
{
	struct guest *guest = *state;
	struct hvh_utilities *utilities = offer(guest, HVH_UTILITY_SHUTDOWN);

	assert_true(next(guest));
	pass(guest, 60 * SECOND - 1);
	dump_says(guest, "state: negotiating");
	pass(guest, 1);
	dump_says(guest, "state: given-up");
	assert_int_equal(counters_of(utilities).timeouts, 1);
	reply(guest, IC_STATUS_OK); /* too late, but no offence */
	dump_says(guest, "state: given-up");
	assert_no_violation(guest);
}

static void silent_host(void **state)
{
	struct guest *guest = *state;

	hvh_silence_set(guest->host, HVH_SILENCE_IC_NEGOTIATE);
	(void)offer(guest, HVH_UTILITY_SHUTDOWN);
	pass(guest, 100 * SECOND);
	expect_none(guest);
	assert_no_violation(guest);
}

/* --- One at a time ------------------------------------------------------------------------------- */

static void shut_down(struct hvh_utilities *utilities, struct guest *guest)
{
	hvh_shutdown_request(utilities, guest->now, 0, NULL, on_end, NULL);
	settle(guest);
}

static void in_order(void **state)
{
	struct guest *guest = *state;
	struct hvh_utilities *utilities = ready(guest, HVH_UTILITY_SHUTDOWN, V(3, 2));
	uint8_t transaction;

	for (unsigned n = 0; n < 3; n++)
		shut_down(utilities, guest);
	dump_says(guest, "requests-waiting: 3");
	assert_true(next(guest));
	transaction = asked.header.transaction_id;
	expect_none(guest);
	assert_int_equal(ended.count, 0);
	reply(guest, IC_STATUS_OK);
	expect_end(HVH_UTILITY_OK, IC_STATUS_OK, "goes down");
	assert_true(next(guest));
	assert_int_not_equal(asked.header.transaction_id, transaction);
	reply(guest, IC_STATUS_FAIL);
	expect_end(HVH_UTILITY_FAILED, IC_STATUS_FAIL, "refused, or failed");
	assert_true(next(guest));
	pass(guest, 60 * SECOND);
	expect_end(HVH_UTILITY_TIMED_OUT, IC_STATUS_FAIL, "no answer");
	dump_says(guest, "requests-waiting: 0");
	assert_no_violation(guest);
}

static void too_many(void **state)
{
	struct guest *guest = *state;
	struct hvh_utilities *utilities = ready(guest, HVH_UTILITY_SHUTDOWN, V(3, 2));

	for (unsigned n = 0; n < 64; n++)
		shut_down(utilities, guest);
	assert_int_equal(ended.count, 0);
	shut_down(utilities, guest);
	expect_end(HVH_UTILITY_AWAY, IC_STATUS_FAIL, "too many");
	hvh_device_rescind(guest->host, guest->now, "shutdown0");
	settle(guest);
	assert_int_equal(ended.count, 64);
	assert_int_equal(ended.result, HVH_UTILITY_AWAY);
}

static void too_late(void **state)
{
	struct guest *guest = *state;
	struct hvh_utilities *utilities = ready(guest, HVH_UTILITY_SHUTDOWN, V(3, 2));
	struct asked first;

	shut_down(utilities, guest);
	assert_true(next(guest));
	pass(guest, 60 * SECOND);
	expect_end(HVH_UTILITY_TIMED_OUT, IC_STATUS_FAIL, "");
	first = asked;
	shut_down(utilities, guest);
	assert_true(next(guest));
	struct asked second = asked;
	asked = first;
	reply(guest, IC_STATUS_OK); /* late: nobody's */
	assert_int_equal(ended.count, 0);
	assert_no_violation(guest);
	asked = second;
	reply(guest, IC_STATUS_OK);
	expect_end(HVH_UTILITY_OK, IC_STATUS_OK, "");
	reply(guest, IC_STATUS_OK); /* and a second time */
	assert_only_violation(guest, HVH_V_IC_ORDER);
	asked = first;
	reply(guest, IC_STATUS_OK);
	assert_int_equal(violations(guest), 2);
}

/* As a guest that is shut down does: it answers and goes, before it was the host's turn. */
static void answered_and_closed(void **state)
{
	struct guest *guest = *state;
	struct hvh_utilities *utilities = ready(guest, HVH_UTILITY_SHUTDOWN, V(3, 2));
	uint8_t bytes[HEADERS + PAYLOAD_MAX] = {0};

	shut_down(utilities, guest);
	assert_true(next(guest));
	asked.header.flags = IC_FLAG_TRANSACTION | IC_FLAG_RESPONSE;
	asked.header.status = IC_STATUS_OK;
	memcpy(bytes, &asked.pipe, sizeof asked.pipe);
	memcpy(bytes + sizeof asked.pipe, &asked.header, sizeof asked.header);
	if (send_packet(guest, bytes, ((uint32_t)sizeof asked.pipe + asked.pipe.size + 7u) & ~7u, 0))
		assert_int_equal(signal_to(guest, CONNECTION), 0);
	send_channel(guest, VMBUS_MSG_CLOSE_CHANNEL, 1);
	expect_end(HVH_UTILITY_OK, IC_STATUS_OK, "");
	assert_no_violation(guest);
}

static void closed_meanwhile(void **state)
{
	struct guest *guest = *state;
	struct hvh_utilities *utilities = ready(guest, HVH_UTILITY_SHUTDOWN, V(3, 2));

	shut_down(utilities, guest);
	assert_true(next(guest));
	open_again(guest);
	expect_end(HVH_UTILITY_AWAY, IC_STATUS_FAIL, "closed");
	shut_down(utilities, guest);
	expect_end(HVH_UTILITY_AWAY, IC_STATUS_FAIL, "not agreed");
	choose(guest, IC_FRAMEWORK_3_0, V(3, 2));
	shut_down(utilities, guest);
	assert_true(next(guest));
	reply(guest, IC_STATUS_OK);
	expect_end(HVH_UTILITY_OK, IC_STATUS_OK, "");
	assert_no_violation(guest);
}

/* The service begins anew while the guest still works on a request: its answer comes, and is nobody's. */
static void restarted_meanwhile(void **state)
{
	struct guest *guest = *state;
	struct hvh_utilities *utilities = ready(guest, HVH_UTILITY_SHUTDOWN, V(3, 2));

	shut_down(utilities, guest);
	assert_true(next(guest));
	hvh_utilities_restart(utilities, guest->now, HVH_UTILITY_SHUTDOWN);
	expect_end(HVH_UTILITY_AWAY, IC_STATUS_FAIL, "restarted");
	settle(guest);
	reply(guest, IC_STATUS_OK);
	assert_int_equal(ended.count, 0);
	choose(guest, IC_FRAMEWORK_3_0, V(3, 1));
	dump_says(guest, "messages: 3.1");
	assert_no_violation(guest);
}

static void begin_next(void *context, enum hvh_utility_result result, uint32_t status, const char *text)
{
	struct guest *guest = context;

	on_end(NULL, result, status, text);
	if (ended.count < 3)
		hvh_shutdown_request(hvh_utilities_find(guest->host), guest->now, 0, NULL, begin_next, guest);
}

static void the_end_may_begin_the_next(void **state)
{
	struct guest *guest = *state;
	struct hvh_utilities *utilities = ready(guest, HVH_UTILITY_SHUTDOWN, V(3, 2));

	hvh_shutdown_request(utilities, guest->now, 0, NULL, begin_next, guest);
	for (unsigned n = 1; n <= 2; n++) {
		assert_true(next(guest));
		reply(guest, IC_STATUS_OK);
		assert_int_equal(ended.count, n);
	}
	assert_true(next(guest));
	hvh_utilities_restart(utilities, guest->now, HVH_UTILITIES_ALL);
	assert_int_equal(ended.count, 3);
	ended.count = 0; /* and now at once */
	hvh_shutdown_request(utilities, guest->now, 0, NULL, begin_next, guest);
	assert_int_equal(ended.count, 3);
	assert_int_equal(ended.result, HVH_UTILITY_AWAY);
	assert_no_violation(guest);
}

/* --- Wrong answers ------------------------------------------------------------------------------- */

static struct hvh_utilities *asked_to_go_down(struct guest *guest)
{
	struct hvh_utilities *utilities = ready(guest, HVH_UTILITY_SHUTDOWN, V(3, 2));

	shut_down(utilities, guest);
	assert_true(next(guest));
	asked.header.flags = IC_FLAG_TRANSACTION | IC_FLAG_RESPONSE;
	return utilities;
}

/* Recorded; who waits hears of a failure, or (order) goes on waiting. */
static void wrong(struct guest *guest, enum hvh_violation_kind kind)
{
	send_asked(guest);
	assert_only_violation(guest, kind);
	if (ended.count > 0)
		expect_end(HVH_UTILITY_FAILED, IC_STATUS_FAIL, "");
}

#define WRONG(name, kind, waits, change)                      \
	static void name(void **state)                        \
	{                                                     \
		struct guest *guest = *state;                 \
		(void)asked_to_go_down(guest);                \
		change;                                       \
		wrong(guest, kind);                           \
		if (waits)                                    \
			dump_says(guest, "waits-for-answer"); \
		else                                          \
			dump_says(guest, "message: none");    \
	}

WRONG(another_type, HVH_V_IC_TYPE, false, asked.header.type = IC_TYPE_KVP)
WRONG(another_size, HVH_V_IC_SIZE, false, asked.header.size -= 4)
WRONG(another_version, HVH_V_IC_VALUE, false, asked.header.version[1] = 0)
WRONG(another_framework, HVH_V_IC_VALUE, false, asked.header.framework = IC_FRAMEWORK_1_0)
WRONG(no_transaction, HVH_V_IC_VALUE, false, asked.header.flags = IC_FLAG_RESPONSE)
WRONG(a_request, HVH_V_IC_ORDER, true, asked.header.flags = IC_FLAG_TRANSACTION | IC_FLAG_REQUEST)
WRONG(another_transaction, HVH_V_IC_ORDER, true, asked.header.transaction_id += 100)
WRONG(pipe_type, HVH_V_IC_TYPE, true, asked.pipe.type = 2)
WRONG(beyond_the_pipe, HVH_V_IC_SIZE, true, asked.header.size += 8)

/* Nothing to fail for. */
static void reserved_bytes(void **state)
{
	struct guest *guest = *state;

	(void)asked_to_go_down(guest);
	asked.header.reserved[1] = 1;
	send_asked(guest);
	assert_only_violation(guest, HVH_V_IC_PADDING);
	expect_end(HVH_UTILITY_OK, IC_STATUS_OK, "");
}

static void beyond_the_packet(void **state)
{
	struct guest *guest = *state;
	uint8_t bytes[64] = {0};

	(void)asked_to_go_down(guest);
	memcpy(bytes, &asked.pipe, sizeof asked.pipe);
	memcpy(bytes + sizeof asked.pipe, &asked.header, sizeof asked.header);
	send_message(guest, bytes, sizeof bytes, false, 0);
	assert_only_violation(guest, HVH_V_IC_SIZE);
	dump_says(guest, "waits-for-answer");
}

static void shorter_than_its_headers(void **state)
{
	struct guest *guest = *state;
	uint8_t bytes[24] = {0};

	(void)asked_to_go_down(guest);
	send_message(guest, bytes, sizeof bytes, false, 0);
	assert_only_violation(guest, HVH_V_IC_SIZE);
}

static void not_in_band(void **state)
{
	struct guest *guest = *state;
	uint8_t bytes[32] = {0};

	(void)asked_to_go_down(guest);
	send_raw(guest, VMBUS_PACKET_COMPLETION, 0, 0, bytes, sizeof bytes);
	assert_only_violation(guest, HVH_V_PACKET_TYPE);
}

static void completion_wanted(void **state)
{
	struct guest *guest = *state;
	uint8_t bytes[HEADERS + sizeof(struct ic_shutdown)];

	(void)asked_to_go_down(guest);
	memcpy(bytes, &asked.pipe, sizeof asked.pipe);
	memcpy(bytes + sizeof asked.pipe, &asked.header, sizeof asked.header);
	memcpy(bytes + HEADERS, asked.body, sizeof(struct ic_shutdown));
	send_message(guest, bytes, sizeof bytes, true, 9);
	assert_only_violation(guest, HVH_V_IC_VALUE);
	expect_end(HVH_UTILITY_OK, IC_STATUS_OK, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(begins_with_what_it_has),
		cmocka_unit_test(hosts_differ),
		cmocka_unit_test(hosts_without),
		TEST(capped),
		TEST(nothing_in_common),
		TEST(not_what_was_offered),
		TEST(more_than_one_version),
		TEST(no_room_for_versions),
		TEST(silent_guest),
		TEST(silent_host),
		TEST(in_order),
		TEST(too_many),
		TEST(too_late),
		TEST(answered_and_closed),
		TEST(closed_meanwhile),
		TEST(restarted_meanwhile),
		TEST(the_end_may_begin_the_next),
		TEST(another_type),
		TEST(another_size),
		TEST(another_version),
		TEST(another_framework),
		TEST(no_transaction),
		TEST(reserved_bytes),
		TEST(a_request),
		TEST(another_transaction),
		TEST(pipe_type),
		TEST(beyond_the_pipe),
		TEST(beyond_the_packet),
		TEST(shorter_than_its_headers),
		TEST(not_in_band),
		TEST(completion_wanted),
	};

	return cmocka_run_group_tests_name("host_utilities", tests, NULL, NULL);
}
