/* SPDX-License-Identifier: MIT */
/* The echo device: what comes back, and what it takes for a violation. */
#include "host_echo_guest.h"

static int set_up(void **state)
{
	struct guest *guest = calloc(1, sizeof(*guest));
	guest_create(guest, "ws2022");
	*state = guest;
	return 0;
}

static int tear_down(void **state)
{
	guest_destroy(*state);
	free(*state);
	return 0;
}

static void the_payload_comes_back_as_a_packet(void **state)
{
	struct guest *guest = *state;
	struct answer answer;
	uint8_t payload[24] = {HVH_ECHO, 0, 0, 0, 7, 7, 7, 7, 1, 2, 3, 4};
	struct hvh_echo_counters counters;
	struct hvh_echo *echo = echo_opened(guest, VMBUS_VERSION_5_3, NULL);
	echo_send(guest, VMBUS_PACKET_IN_BAND, 0, payload, 0, sizeof(payload), 9);
	assert_true(echo_receive(guest, &answer));
	assert_int_equal(answer.descriptor.type, VMBUS_PACKET_IN_BAND);
	assert_int_equal(answer.length, sizeof(payload));
	assert_memory_equal(answer.payload, payload, sizeof(payload));
	assert_false(echo_receive(guest, &answer));
	hvh_echo_get_counters(echo, &counters);
	assert_int_equal(counters.packets, 1);
	assert_int_equal(counters.bytes, 24);
	assert_no_violation(guest);
}

static void the_payload_comes_back_as_a_completion(void **state)
{
	struct guest *guest = *state;
	struct answer answer;
	echo_opened(guest, VMBUS_VERSION_5_3, NULL);
	echo_request(guest, HVH_ECHO, 5, true, 77);
	assert_true(echo_receive(guest, &answer));
	assert_int_equal(answer.descriptor.type, VMBUS_PACKET_COMPLETION);
	assert_int_equal(answer.descriptor.transaction_id, 77);
	assert_int_equal(answer_argument(&answer), 5);
	assert_no_violation(guest);
}

static void a_page_list_follows_the_payload(void **state)
{
	struct guest *guest = *state;
	struct answer answer;
	struct {
		struct vmbus_gpa_direct_header head;
		struct vmbus_gpa_range range;
		uint64_t pfn;
		struct hvh_echo_header header;
	} packet = {{0, 1}, {16, 100}, 0x90, {HVH_ECHO, 3}};
	memset(guest->memory + ADDRESS(0x90) + 100, 0xab, 16);
	echo_opened(guest, VMBUS_VERSION_5_3, NULL);
	echo_send(guest, VMBUS_PACKET_GPA_DIRECT, 1, &packet, 24, sizeof(packet), 4);
	assert_true(echo_receive(guest, &answer));
	assert_int_equal(answer.length, 8 + 16);
	assert_int_equal(answer_argument(&answer), 3);
	for (unsigned n = 8; n < 24; n++)
		assert_int_equal(answer.payload[n], 0xab);
	assert_no_violation(guest);
}

static void a_burst_is_numbered_and_waits_for_room(void **state)
{
	struct guest *guest = *state;
	struct answer answer;
	echo_opened(guest, VMBUS_VERSION_5_3, NULL);
	echo_request(guest, HVH_ECHO_BURST, 1000, true, 5);
	for (uint32_t n = 0; n < 1000; n++) {
		assert_true(echo_receive(guest, &answer));
		assert_int_equal(answer.descriptor.type, VMBUS_PACKET_IN_BAND);
		assert_int_equal(answer_argument(&answer), n);
	}
	assert_true(echo_receive(guest, &answer));
	assert_int_equal(answer.descriptor.type, VMBUS_PACKET_COMPLETION);
	assert_int_equal(answer_argument(&answer), 1000);
	assert_false(echo_receive(guest, &answer));
	assert_no_violation(guest);
}

static void what_comes_behind_a_burst_waits(void **state)
{
	struct guest *guest = *state;
	struct answer answer;
	unsigned packets = 0;
	echo_opened(guest, VMBUS_VERSION_5_3, NULL);
	echo_request(guest, HVH_ECHO_BURST, 300, false, 5);
	echo_request(guest, HVH_ECHO, 0, true, 6);
	while (echo_receive(guest, &answer) && answer.descriptor.type == VMBUS_PACKET_IN_BAND)
		packets++;
	assert_int_equal(packets, 300);
	assert_int_equal(answer.descriptor.transaction_id, 6);
	assert_no_violation(guest);
}

static void ignore_has_no_answer(void **state)
{
	struct guest *guest = *state;
	struct answer answer;
	echo_opened(guest, VMBUS_VERSION_5_3, NULL);
	echo_request(guest, HVH_ECHO_IGNORE, 1, true, 1);
	assert_false(echo_receive(guest, &answer));
	assert_no_violation(guest);
}

static void nonsense_is_a_violation_and_does_not_stop_it(void **state)
{
	struct guest *guest = *state;
	struct answer answer;
	uint64_t none = 0;
	echo_opened(guest, VMBUS_VERSION_5_3, NULL);
	echo_request(guest, 99, 0, true, 1);
	assert_only_violation(guest, HVH_V_ECHO);
	echo_send(guest, VMBUS_PACKET_IN_BAND, 0, &none, 0, 0, 2);
	assert_int_equal(violations(guest), 2);
	echo_send(guest, VMBUS_PACKET_COMPLETION, 0, &none, 0, 8, 3);
	assert_int_equal(violations(guest), 3);
	assert_false(echo_receive(guest, &answer));
	echo_request(guest, HVH_ECHO, 1, false, 4);
	assert_true(echo_receive(guest, &answer));
	assert_int_equal(violations(guest), 3);
}

/* 4,096 bytes of page list: the answer would need more than the ring of 4,096. */
static void an_answer_beyond_the_ring_is_a_violation(void **state)
{
	struct guest *guest = *state;
	struct answer answer;
	struct {
		struct vmbus_gpa_direct_header head;
		struct vmbus_gpa_range range;
		uint64_t pfn;
		struct hvh_echo_header header;
	} packet = {{0, 1}, {4056, 0}, 0x90, {HVH_ECHO, 3}};
	echo_opened(guest, VMBUS_VERSION_5_3, NULL);
	echo_send(guest, VMBUS_PACKET_GPA_DIRECT, 0, &packet, 24, sizeof(packet), 4);
	assert_only_violation(guest, HVH_V_ECHO);
	packet.range.byte_count = 4096 - 40 - 8;
	echo_send(guest, VMBUS_PACKET_GPA_DIRECT, 0, &packet, 24, sizeof(packet), 5);
	assert_true(echo_receive(guest, &answer)); /* the longest that fits */
	assert_int_equal(violations(guest), 1);
}

static void an_answer_may_be_late(void **state)
{
	struct guest *guest = *state;
	struct answer answer;
	echo_opened(guest, VMBUS_VERSION_5_3, NULL);
	hvh_fault_set(guest->host, HVH_FAULT_DELAY_COMPLETION, 65536);
	echo_request(guest, HVH_ECHO, 1, true, 1);
	echo_request(guest, HVH_ECHO, 2, true, 2);
	assert_false(echo_receive(guest, &answer));
	for (uint32_t n = 1; n <= 2; n++) {
		pass(guest, 6 * MS);
		assert_true(echo_receive(guest, &answer));
		assert_int_equal(answer_argument(&answer), n);
	}
	assert_int_equal(hvh_fault_count(guest->host, HVH_FAULT_DELAY_COMPLETION), 2);
	assert_no_violation(guest);
}

static void a_new_open_begins_anew(void **state)
{
	struct guest *guest = *state;
	struct answer answer;
	echo_opened(guest, VMBUS_VERSION_5_3, NULL);
	echo_request(guest, HVH_ECHO_BURST, 1000, true, 5);
	send_channel(guest, VMBUS_MSG_CLOSE_CHANNEL, 1);
	send_teardown(guest, 1, GPADL + 1);
	assert_true(take(guest, 0));
	echo_open(guest, 1, PAGE_RING);
	pass(guest, 200 * MS);
	assert_false(echo_receive(guest, &answer));
	echo_request(guest, HVH_ECHO, 1, false, 6);
	assert_true(echo_receive(guest, &answer));
	assert_no_violation(guest);
}

#define T(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(the_payload_comes_back_as_a_packet),
		T(the_payload_comes_back_as_a_completion),
		T(a_page_list_follows_the_payload),
		T(a_burst_is_numbered_and_waits_for_room),
		T(what_comes_behind_a_burst_waits),
		T(ignore_has_no_answer),
		T(nonsense_is_a_violation_and_does_not_stop_it),
		T(an_answer_beyond_the_ring_is_a_violation),
		T(an_answer_may_be_late),
		T(a_new_open_begins_anew),
	};
	return cmocka_run_group_tests_name("host_echo", tests, NULL, NULL);
}
