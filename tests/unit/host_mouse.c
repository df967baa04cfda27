/* SPDX-License-Identifier: MIT */
/* The host's mouse and a guest of the test's own: protocol, description, reports, joining, refusals. */
#include "host_packets.h"
#include "hvkit/wire/guids.h"
#include "hvkit/wire/input.h"
#include "hvkit_host/input.h"
#include "tests/golden/input.h"

#define SEND(guest, message) send_message(guest, message, sizeof(message), false, 1)

static struct hvh_mouse *mouse_opened(struct guest *guest, bool refuses)
{
	const struct hvh_input_config config = {.refuses = refuses};
	struct hvh_mouse *mouse = hvh_mouse_create(guest->host, &config);

	assert_non_null(mouse);
	open_offered(guest);
	return mouse;
}

static void expect_description(struct guest *guest)
{
	const uint32_t length = 49 + sizeof golden_mouse_descriptor;
	struct mouse_device_attributes attributes;
	struct answer answer;
	struct hid_descriptor hid;
	uint32_t words[4];

	assert_true(receive(guest, &answer));
	assert_int_equal(answer.length, (8 + length + 7) & ~7u);
	memcpy(words, answer.payload, sizeof words);
	assert_int_equal(words[0], PIPE_MESSAGE_DATA);
	assert_int_equal(words[1], length);
	assert_int_equal(words[2], MOUSE_DEVICE_INFO);
	assert_int_equal(words[3], length - 8);
	memcpy(&attributes, answer.payload + 16, sizeof attributes);
	assert_int_equal(attributes.size, 32);
	assert_int_equal(attributes.vendor, 0x045e);
	assert_int_equal(attributes.product, 0x0621);
	memcpy(&hid, answer.payload + 48, sizeof hid);
	assert_int_equal(hid.length, 9);
	assert_int_equal(hid.type, 0x21);
	assert_int_equal(hid.descriptor_count, 1);
	assert_int_equal(hid.report_type, 0x22);
	assert_int_equal(hid.report_length[0] | hid.report_length[1] << 8, sizeof golden_mouse_descriptor);
	assert_memory_equal(answer.payload + 57, golden_mouse_descriptor, sizeof golden_mouse_descriptor);
}

static struct hvh_mouse *mouse_described(struct guest *guest)
{
	struct hvh_mouse *mouse = mouse_opened(guest, false);

	SEND(guest, golden_mouse_request);
	expect_packet(guest, golden_mouse_approved, sizeof golden_mouse_approved);
	expect_description(guest);
	return mouse;
}

static struct hvh_mouse *mouse_active(struct guest *guest)
{
	struct hvh_mouse *mouse = mouse_described(guest);

	SEND(guest, golden_mouse_ack);
	assert_no_violation(guest);
	return mouse;
}

static void expect_report(struct guest *guest, uint16_t x, uint16_t y, uint8_t buttons, int8_t wheel)
{
	const uint8_t bytes[] = {
		1,
		0,
		0,
		0,
		15,
		0,
		0,
		0, /* pipe: data, 15 bytes */
		4,
		0,
		0,
		0,
		7,
		0,
		0,
		0, /* INPUT_REPORT, 7 bytes */
		buttons,
		x & 0xffu,
		(uint8_t)(x >> 8),
		y & 0xffu,
		(uint8_t)(y >> 8),
		(uint8_t)wheel,
		0,
	};

	expect_packet(guest, bytes, sizeof bytes);
}

static void report(struct guest *guest, struct hvh_mouse *mouse, uint16_t x, uint16_t y, uint32_t buttons,
		   int8_t wheel)
{
	assert_true(hvh_mouse_report(mouse, guest->now, x, y, buttons, wheel));
}

/* --- Offer and protocol -------------------------------------------------------------------------- */

static void it_is_offered_as_a_pipe(void **state)
{
	static const struct vmbus_guid type = VMBUS_GUID_MOUSE;
	static const uint8_t usual[16] = {0x6d, 0x5a, 0xf7, 0x58, 0x49, 0xd9, 0x20, 0x43,
					  0x99, 0xe1, 0xa2, 0xa2, 0x57, 0x6d, 0x58, 0x1c};
	const struct hvh_input_config config = {.refuses = false};
	struct guest *guest = *state;
	struct vmbus_offer_channel offer;

	struct hvh_mouse *mouse = hvh_mouse_create(guest->host, &config);
	assert_ptr_equal(hvh_mouse_find(guest->host, "mouse0"), mouse);
	guest_start(guest);
	connect_at(guest, guest->profile.accept_newest);
	post(guest, golden_request_offers, sizeof(golden_request_offers));
	assert_true(take(guest, 0));
	memcpy(&offer, guest->message, sizeof offer);
	assert_memory_equal(&offer.interface_type, &type, 16);
	assert_memory_equal(&offer.interface_instance, usual, 16);
	assert_int_equal(offer.flags, VMBUS_OFFER_FLAG_NAMED_PIPE);
	assert_int_equal(offer.user_data[0], 4); /* of messages */
}

static void it_describes_itself_and_waits_for_the_acknowledgement(void **state)
{
	struct guest *guest = *state;
	struct hvh_mouse *mouse = mouse_described(guest);

	report(guest, mouse, 1, 2, 0, 0);
	settle(guest);
	expect_nothing(guest);
	send_message(guest, golden_mouse_ack, sizeof golden_mouse_ack, true, 8);
	expect_completion(guest, 8);
	expect_report(guest, 1, 2, 0, 0);
	expect_nothing(guest);
	assert_no_violation(guest);
}

/* Its packet ends behind the reserved byte. */
static void an_acknowledgement_as_linux_sends_it(void **state)
{
	static const uint8_t ack[17] = {1, 0, 0, 0, 9, 0, 0, 0, 3, 0, 0, 0, 1};
	struct guest *guest = *state;
	struct hvh_mouse *mouse = mouse_described(guest);

	SEND(guest, ack);
	report(guest, mouse, 1, 2, 0, 0);
	settle(guest);
	expect_report(guest, 1, 2, 0, 0);
	assert_no_violation(guest);
}

static void other_versions_are_not_approved(void **state)
{
	uint8_t bytes[sizeof golden_mouse_request], refused[sizeof golden_mouse_approved];
	struct guest *guest = *state;

	memcpy(bytes, golden_mouse_request, sizeof bytes);
	memcpy(refused, golden_mouse_approved, sizeof refused);
	bytes[18] = refused[18] = 3;
	refused[20] = 0;
	(void)mouse_opened(guest, false);
	SEND(guest, bytes);
	expect_packet(guest, refused, sizeof refused);
	expect_nothing(guest);
	SEND(guest, golden_mouse_request);
	expect_packet(guest, golden_mouse_approved, sizeof golden_mouse_approved);
	expect_description(guest);
	assert_no_violation(guest);
}

static void it_may_refuse(void **state)
{
	uint8_t refused[sizeof golden_mouse_approved];
	struct guest *guest = *state;

	memcpy(refused, golden_mouse_approved, sizeof refused);
	refused[20] = 0;
	(void)mouse_opened(guest, true);
	SEND(guest, golden_mouse_request);
	expect_packet(guest, refused, sizeof refused);
	expect_nothing(guest);
}

static void it_may_be_silent_at_either_step(void **state)
{
	struct guest *guest = *state;

	(void)mouse_opened(guest, false);
	hvh_silence_set(guest->host, HVH_SILENCE_MOUSE_PROTOCOL);
	SEND(guest, golden_mouse_request);
	expect_nothing(guest);
	hvh_silence_set(guest->host, HVH_SILENCE_MOUSE_INFO);
	SEND(guest, golden_mouse_request);
	expect_packet(guest, golden_mouse_approved, sizeof golden_mouse_approved);
	pass(guest, 60 * HVH_TIME_PER_SECOND);
	expect_nothing(guest);
	assert_no_violation(guest);
}

/* --- Reports ------------------------------------------------------------------------------------- */

static void a_report_is_seven_bytes(void **state)
{
	struct guest *guest = *state;
	struct hvh_mouse *mouse = mouse_active(guest);

	report(guest, mouse, 0x1234, 0x7fff, 5, -3);
	settle(guest);
	expect_report(guest, 0x1234, 0x7fff, 5, -3);
	report(guest, mouse, 0, 0, 0, 127);
	settle(guest);
	expect_report(guest, 0, 0, 0, 127);
	expect_nothing(guest);
}

static void values_out_of_range_are_no_reports(void **state)
{
	struct guest *guest = *state;
	struct hvh_mouse *mouse = mouse_active(guest);

	assert_false(hvh_mouse_report(mouse, guest->now, 0x8000, 0, 0, 0));
	assert_false(hvh_mouse_report(mouse, guest->now, 0, 0x8000, 0, 0));
	assert_false(hvh_mouse_report(mouse, guest->now, 0, 0, 8, 0));
	assert_false(hvh_mouse_report(mouse, guest->now, 0, 0, 0, -128));
	settle(guest);
	expect_nothing(guest);
}

static void moves_that_wait_are_joined(void **state)
{
	struct guest *guest = *state;
	struct hvh_mouse *mouse = mouse_described(guest);

	for (uint16_t n = 0; n < 1000; n++)
		report(guest, mouse, n, n, 0, 0);
	SEND(guest, golden_mouse_ack);
	expect_report(guest, 999, 999, 0, 0);
	expect_nothing(guest);
	dump_says(guest, "reports-joined: 999");
}

static void buttons_and_wheel_stay_where_they_were(void **state)
{
	struct guest *guest = *state;
	struct hvh_mouse *mouse = mouse_described(guest);

	report(guest, mouse, 10, 10, 0, 0);
	report(guest, mouse, 20, 20, 1, 0); /* pressed here */
	report(guest, mouse, 30, 30, 1, 0); /* moved */
	report(guest, mouse, 40, 40, 1, 0);
	report(guest, mouse, 40, 40, 0, 0); /* released */
	report(guest, mouse, 50, 50, 0, 2); /* turned twice here */
	report(guest, mouse, 50, 50, 0, 1);
	report(guest, mouse, 60, 60, 0, 0);
	SEND(guest, golden_mouse_ack);
	expect_report(guest, 10, 10, 0, 0);
	expect_report(guest, 20, 20, 1, 0);
	expect_report(guest, 40, 40, 1, 0);
	expect_report(guest, 40, 40, 0, 0);
	expect_report(guest, 50, 50, 0, 3);
	expect_report(guest, 60, 60, 0, 0);
	expect_nothing(guest);
}

static void no_turn_of_the_wheel_is_lost(void **state)
{
	struct guest *guest = *state;
	struct hvh_mouse *mouse = mouse_described(guest);

	report(guest, mouse, 1, 1, 0, 100);
	report(guest, mouse, 1, 1, 0, 27);
	report(guest, mouse, 1, 1, 0, 1); /* 128 would not fit */
	report(guest, mouse, 1, 1, 0, -127);
	report(guest, mouse, 1, 1, 0, -2);
	SEND(guest, golden_mouse_ack);
	expect_report(guest, 1, 1, 0, 127);
	expect_report(guest, 1, 1, 0, -126);
	expect_report(guest, 1, 1, 0, -2);
	expect_nothing(guest);
}

static void a_full_queue_refuses_and_keeps_what_it_has(void **state)
{
	struct guest *guest = *state;
	struct hvh_mouse *mouse = mouse_described(guest);
	unsigned count = 0;

	while (count < 100 && hvh_mouse_report(mouse, guest->now, 1, 1, (count + 1) % 2, 0))
		count++;
	assert_int_equal(count, 64);
	SEND(guest, golden_mouse_ack);
	for (unsigned n = 0; n < count; n++)
		expect_report(guest, 1, 1, (n + 1) % 2, 0);
	report(guest, mouse, 1, 1, 1, 0); /* the one refused left no trace */
	settle(guest);
	expect_report(guest, 1, 1, 1, 0);
	expect_nothing(guest);
	assert_no_violation(guest);
}

static void a_full_ring_keeps_reports_waiting(void **state)
{
	struct guest *guest = *state;
	struct hvh_mouse *mouse = mouse_active(guest);
	unsigned count = 0, n = 0;
	struct answer answer;

	for (bool room = true; room && count < 10000; settle(guest)) {
		room = hvh_mouse_report(mouse, guest->now, 1, 1, (count + 1) % 2, 0);
		count += room;
	}
	assert_true(count > 64 + 60);
	for (; receive(guest, &answer); n++)
		assert_int_equal(answer.payload[16], (n + 1) % 2);
	assert_int_equal(n, count);
}

/* --- What ends the dialogue ------------------------------------------------------------------------ */

static void ends_it(struct guest *guest, const void *message, uint32_t length, enum hvh_violation_kind kind)
{
	send_message(guest, message, length, false, 9);
	assert_only_violation(guest, kind);
	SEND(guest, golden_mouse_request);
	expect_nothing(guest);
}

static void an_acknowledgement_before_the_description_ends_it(void **state)
{
	struct guest *guest = *state;

	(void)mouse_opened(guest, false);
	ends_it(guest, golden_mouse_ack, sizeof golden_mouse_ack, HVH_V_INPUT_ORDER);
}

static void a_second_acknowledgement_ends_it(void **state)
{
	struct guest *guest = *state;

	(void)mouse_active(guest);
	ends_it(guest, golden_mouse_ack, sizeof golden_mouse_ack, HVH_V_INPUT_ORDER);
}

static void a_second_request_ends_it(void **state)
{
	struct guest *guest = *state;

	(void)mouse_active(guest);
	ends_it(guest, golden_mouse_request, sizeof golden_mouse_request, HVH_V_INPUT_ORDER);
}

/* The request, one of its bytes another. */
static void odd_request(void **state, uint32_t at, uint8_t value, enum hvh_violation_kind kind)
{
	uint8_t bytes[sizeof golden_mouse_request];
	struct guest *guest = *state;

	memcpy(bytes, golden_mouse_request, sizeof bytes);
	bytes[at] = value;
	(void)mouse_opened(guest, false);
	ends_it(guest, bytes, sizeof bytes, kind);
}

static void a_pipe_of_another_type_ends_it(void **state)
{
	odd_request(state, 0, 2, HVH_V_INPUT_TYPE);
}

static void a_message_of_another_type_ends_it(void **state)
{
	odd_request(state, 8, MOUSE_INPUT_REPORT, HVH_V_INPUT_TYPE);
}

static void a_pipe_longer_than_its_packet_ends_it(void **state)
{
	odd_request(state, 4, 17, HVH_V_INPUT_SIZE);
}

static void a_pipe_shorter_than_its_message_ends_it(void **state)
{
	odd_request(state, 4, 11, HVH_V_INPUT_SIZE);
}

static void a_pipe_without_a_header_ends_it(void **state)
{
	odd_request(state, 4, 7, HVH_V_INPUT_SIZE);
}

static void a_message_shorter_than_its_structure_ends_it(void **state)
{
	odd_request(state, 12, 3, HVH_V_INPUT_SIZE);
}

static void a_packet_without_a_message_ends_it(void **state)
{
	struct guest *guest = *state;

	(void)mouse_opened(guest, false);
	ends_it(guest, golden_mouse_request, 8, HVH_V_INPUT_SIZE);
}

static void bytes_behind_a_message_are_zero(void **state)
{
	uint8_t ack[sizeof golden_mouse_ack];
	struct guest *guest = *state;
	struct hvh_mouse *mouse = mouse_described(guest);

	memcpy(ack, golden_mouse_ack, sizeof ack);
	ack[17] = 1;
	SEND(guest, ack);
	assert_only_violation(guest, HVH_V_INPUT_PADDING);
	report(guest, mouse, 1, 1, 0, 0);
	settle(guest);
	expect_report(guest, 1, 1, 0, 0); /* taken all the same */
}

/* --- Closing and restarting ---------------------------------------------------------------------- */

static void a_new_opening_begins_anew_and_reports_go_on(void **state)
{
	struct guest *guest = *state;
	struct hvh_mouse *mouse = mouse_active(guest);

	open_again(guest);
	report(guest, mouse, 7, 7, 1, 0);
	settle(guest);
	expect_nothing(guest);
	SEND(guest, golden_mouse_request);
	expect_packet(guest, golden_mouse_approved, sizeof golden_mouse_approved);
	expect_description(guest);
	SEND(guest, golden_mouse_ack);
	expect_report(guest, 7, 7, 1, 0);
	assert_no_violation(guest);
}

static void a_restart_is_a_rescind_and_an_offer(void **state)
{
	struct guest *guest = *state;
	struct hvh_mouse *mouse = mouse_active(guest);

	hvh_mouse_restart(mouse, guest->now);
	settle(guest);
	assert_true(take(guest, 0));
	assert_int_equal(message_type(guest), VMBUS_MSG_RESCIND_OFFER);
	send_channel(guest, VMBUS_MSG_RELID_RELEASED, 1);
	assert_true(take(guest, 0));
	assert_int_equal(message_type(guest), VMBUS_MSG_OFFER_CHANNEL);
	assert_no_violation(guest);
}

static void the_tree_shows_it(void **state)
{
	struct guest *guest = *state;
	struct hvh_mouse *mouse = mouse_described(guest);

	dump_says(guest, "mouse0:");
	dump_says(guest, "state: described");
	report(guest, mouse, 1, 1, 0, 0);
	dump_says(guest, "reports-waiting: 1");
	SEND(guest, golden_mouse_ack);
	dump_says(guest, "state: active");
	dump_says(guest, "reports-sent: 1");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(it_is_offered_as_a_pipe),
		TEST(it_describes_itself_and_waits_for_the_acknowledgement),
		TEST(an_acknowledgement_as_linux_sends_it),
		TEST(other_versions_are_not_approved),
		TEST(it_may_refuse),
		TEST(it_may_be_silent_at_either_step),
		TEST(a_report_is_seven_bytes),
		TEST(values_out_of_range_are_no_reports),
		TEST(moves_that_wait_are_joined),
		TEST(buttons_and_wheel_stay_where_they_were),
		TEST(no_turn_of_the_wheel_is_lost),
		TEST(a_full_queue_refuses_and_keeps_what_it_has),
		TEST(a_full_ring_keeps_reports_waiting),
		TEST(an_acknowledgement_before_the_description_ends_it),
		TEST(a_second_acknowledgement_ends_it),
		TEST(a_second_request_ends_it),
		TEST(a_pipe_of_another_type_ends_it),
		TEST(a_message_of_another_type_ends_it),
		TEST(a_pipe_longer_than_its_packet_ends_it),
		TEST(a_pipe_shorter_than_its_message_ends_it),
		TEST(a_pipe_without_a_header_ends_it),
		TEST(a_message_shorter_than_its_structure_ends_it),
		TEST(a_packet_without_a_message_ends_it),
		TEST(bytes_behind_a_message_are_zero),
		TEST(a_new_opening_begins_anew_and_reports_go_on),
		TEST(a_restart_is_a_rescind_and_an_offer),
		TEST(the_tree_shows_it),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
