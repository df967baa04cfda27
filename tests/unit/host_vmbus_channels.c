/* SPDX-License-Identifier: MIT */
/* Offers, rescind and release, open and close, and sockets, which the host refuses. */
#include "host_guest.h"

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

static void restart(struct guest *guest, const char *profile)
{
	guest_destroy(guest);
	guest_create(guest, profile);
}

/* --- Offers ----------------------------------------------------------------------- */

static void an_offer_is_golden(void **state)
{
	struct guest *guest = *state;
	struct device device;
	offered_at(guest, &device, VMBUS_VERSION_5_3, false);
	assert_int_equal(guest->message_size, sizeof(golden_offer_channel));
	assert_memory_equal(guest->message, golden_offer_channel, sizeof(golden_offer_channel));
	assert_int_equal(hvh_channel_id(device.channel), 1);
}

static void an_offer_at_0_13_may_be_short(void **state)
{
	struct guest *guest = *state;
	struct device device;
	restart(guest, "ws2012r2");
	offered_at(guest, &device, VMBUS_VERSION_0_13, false);
	assert_int_equal(guest->message_size, 190);
	memset(guest->message + 40, 0, 16); /* may hold anything below 2.4 */
	assert_memory_equal(guest->message, golden_offer_channel, 190);
	restart(guest, "ws2022");
	offered_at(guest, &device, VMBUS_VERSION_0_13, false);
	assert_int_equal(guest->message_size, 196);
}

static void reserved_bytes_are_zero_from_2_4(void **state)
{
	struct guest *guest = *state;
	static const uint8_t zeros[16];
	struct device device;
	offered_at(guest, &device, VMBUS_VERSION_2_4, false);
	assert_memory_equal(guest->message + 40, zeros, 16);
	restart(guest, "ws2022");
	offered_at(guest, &device, VMBUS_VERSION_1_1, false);
	assert_memory_not_equal(guest->message + 40, zeros, 16);
}

static void offers_are_sorted_and_numbered_from_one(void **state)
{
	struct guest *guest = *state;
	static const uint8_t order[] = {9, 3, 7};
	struct device devices[3];
	guest_start(guest);
	for (size_t n = 0; n < 3; n++)
		offer_device(guest, &devices[n], order[n], false);
	connect_at(guest, VMBUS_VERSION_3_0);
	post(guest, golden_request_offers, 8);
	for (uint32_t id = 1; id <= 3; id++) {
		static const uint8_t sorted[] = {3, 7, 9};
		assert_true(take(guest, 0));
		assert_int_equal(message_word(guest, 184), id);
		assert_int_equal(guest->message[24 + 15], sorted[id - 1]);
	}
	assert_message(guest, 0, golden_all_offers_delivered);
	assert_int_equal(hvh_channel_id(devices[1].channel), 1);
}

static void a_second_request_is_a_violation(void **state)
{
	struct guest *guest = *state;
	struct device device;
	offered_at(guest, &device, VMBUS_VERSION_3_0, false);
	post(guest, golden_request_offers, 8);
	assert_silence(guest);
	assert_only_violation(guest, HVH_V_MESSAGE_STATE);
}

static void a_device_may_come_later(void **state)
{
	struct guest *guest = *state;
	struct device first, later;
	offered_at(guest, &first, VMBUS_VERSION_3_0, false);
	offer_device(guest, &later, 1, false);
	settle(guest);
	assert_true(take(guest, 0));
	assert_int_equal(message_type(guest), VMBUS_MSG_OFFER_CHANNEL);
	assert_int_equal(message_word(guest, 184), 2);
}

static void below_2_4_there_are_255_channels(void **state)
{
	struct guest *guest = *state;
	static struct device devices[260];
	for (int pass_number = 0; pass_number < 2; pass_number++) {
		unsigned offers = 0;
		restart(guest, "ws2022");
		guest_start(guest);
		for (size_t n = 0; n < 260; n++)
			offer_device(guest, &devices[n], (uint8_t)n, false);
		connect_at(guest, pass_number == 0 ? VMBUS_VERSION_1_1 : VMBUS_VERSION_2_4);
		post(guest, golden_request_offers, 8);
		while (take(guest, 0) && message_type(guest) == VMBUS_MSG_OFFER_CHANNEL)
			offers++;
		assert_int_equal(offers, pass_number == 0 ? 255 : 260);
	}
}

static void delayed_messages_never_overtake(void **state)
{
	struct guest *guest = *state;
	static struct device devices[40];
	guest_start(guest);
	for (uint8_t n = 0; n < 40; n++)
		offer_device(guest, &devices[n], n, false);
	connect_at(guest, VMBUS_VERSION_5_3);
	hvh_fault_set(guest->host, HVH_FAULT_DELAY_MESSAGE, 32768);
	post(guest, golden_request_offers, 8);
	for (uint32_t id = 1; id <= 40; id++) {
		for (int n = 0; n < 1000 && !take(guest, 0); n++)
			pass(guest, MS);
		assert_int_equal(message_type(guest), VMBUS_MSG_OFFER_CHANNEL);
		assert_int_equal(message_word(guest, 184), id);
	}
	assert_true(hvh_fault_count(guest->host, HVH_FAULT_DELAY_MESSAGE) > 5);
}

/* A guest that asks and never reads the answers is held up, not served without end. */
static void a_guest_that_does_not_read_is_held_up(void **state)
{
	struct guest *guest = *state;
	struct device device;
	unsigned asked = 0, answered = 0;
	offered_at(guest, &device, VMBUS_VERSION_5_3, false);
	struct vmbus_gpadl_header header = gpadl_message(1, GPADL, 1);
	header.byte_count = 0; /* refused, and answered */
	uint8_t bytes[sizeof(header) + 8] = {0};
	memcpy(bytes, &header, sizeof(header));
	while (asked < 1000 && post_to(guest, 4, bytes, sizeof(bytes)) == HV_STATUS_SUCCESS) {
		asked++;
		settle(guest);
	}
	assert_in_range(asked, 17, 200);
	while (take(guest, 0))
		answered++;
	assert_int_equal(answered, asked);
	assert_int_equal(post_to(guest, 4, bytes, sizeof(bytes)), HV_STATUS_SUCCESS);
}

static void silence_at_offers(void **state)
{
	struct guest *guest = *state;
	struct device device;
	guest_start(guest);
	offer_device(guest, &device, 1, false);
	connect_at(guest, VMBUS_VERSION_3_0);
	hvh_silence_set(guest->host, HVH_SILENCE_OFFERS);
	post(guest, golden_request_offers, 8);
	pass(guest, HVH_TIME_PER_SECOND);
	assert_silence(guest);
}

/* --- Rescind ------------------------------------------------------------------------- */

static void rescind_release_offer_again(void **state)
{
	struct guest *guest = *state;
	struct device device;
	opened_at(guest, &device, VMBUS_VERSION_3_0, false);
	hvh_channel_rescind(device.channel, guest->now);
	settle(guest);
	assert_int_equal(device.closes, 1);
	assert_true(take(guest, 0));
	assert_int_equal(message_type(guest), VMBUS_MSG_RESCIND_OFFER);
	assert_int_equal(message_word(guest, 8), 1);
	assert_int_equal(hvh_channel_id(device.channel), 0);
	hvh_channel_offer_again(device.channel, guest->now);
	settle(guest);
	assert_silence(guest); /* the id is still bound */
	send_teardown(guest, 1, GPADL);
	assert_true(take(guest, 0));
	assert_int_equal(message_type(guest), VMBUS_MSG_GPADL_TORNDOWN);
	send_channel(guest, VMBUS_MSG_RELID_RELEASED, 1);
	assert_true(take(guest, 0));
	assert_int_equal(message_type(guest), VMBUS_MSG_OFFER_CHANNEL);
	assert_int_equal(message_word(guest, 184), 1);
	assert_no_violation(guest);
}

static void a_rescinded_channel_answers_what_it_must(void **state)
{
	struct guest *guest = *state;
	struct device device;
	struct vmbus_open_channel open = open_message(1);
	offered_at(guest, &device, VMBUS_VERSION_5_3, false);
	create_gpadl(guest, 1, GPADL, PAGE_RING, RING_PAGES);
	hvh_channel_rescind(device.channel, guest->now);
	settle(guest);
	assert_true(take(guest, 0));
	post(guest, &open, sizeof(open)); /* in vain, and no violation: it could not know */
	send_channel(guest, VMBUS_MSG_CLOSE_CHANNEL, 1);
	assert_int_equal(signal_to(guest, 0x2001), HV_STATUS_INVALID_CONNECTION_ID);
	assert_silence(guest);
	create_gpadl(guest, 1, GPADL + 1, 0x30, 2);
	assert_no_violation(guest);
	assert_int_equal(device.opens, 0);
}

static void creations_under_way_fail_before_the_rescind(void **state)
{
	struct guest *guest = *state;
	struct device device;
	offered_at(guest, &device, VMBUS_VERSION_3_0, false);
	struct vmbus_gpadl_header header = gpadl_message(1, GPADL, 40);
	send_gpadl(guest, &header, 0x40, 26);
	hvh_channel_rescind(device.channel, guest->now);
	settle(guest);
	assert_true(take(guest, 0));
	assert_int_equal(message_type(guest), VMBUS_MSG_GPADL_CREATED);
	assert_int_equal(message_word(guest, 16), VMBUS_STATUS_FAILURE);
	assert_true(take(guest, 0));
	assert_int_equal(message_type(guest), VMBUS_MSG_RESCIND_OFFER);
	struct vmbus_gpadl_body body = {{VMBUS_MSG_GPADL_BODY, 0}, 0, GPADL};
	uint8_t bytes[16 + 14 * 8] = {0};
	memcpy(bytes, &body, sizeof(body));
	post(guest, bytes, sizeof(bytes)); /* was on its way */
	assert_silence(guest);
	assert_no_violation(guest);
}

static void a_release_must_fit_a_rescind(void **state)
{
	struct guest *guest = *state;
	struct device device;
	offered_at(guest, &device, VMBUS_VERSION_3_0, false);
	send_channel(guest, VMBUS_MSG_RELID_RELEASED, 1);
	assert_only_violation(guest, HVH_V_RELEASE);
	hvh_channel_rescind(device.channel, guest->now);
	settle(guest);
	assert_true(take(guest, 0));
	send_channel(guest, VMBUS_MSG_RELID_RELEASED, 1);
	send_channel(guest, VMBUS_MSG_RELID_RELEASED, 1);
	assert_int_equal(violations(guest), 2);
	assert_int_equal(hvh_violation_get(guest->host, 1)->kind, HVH_V_RELEASE);
}

static void the_rescind_fault_offers_again(void **state)
{
	struct guest *guest = *state;
	struct device device;
	offered_at(guest, &device, VMBUS_VERSION_3_0, false);
	hvh_fault_set(guest->host, HVH_FAULT_RESCIND, 65536);
	struct vmbus_gpadl_header header = gpadl_message(1, GPADL, 2);
	send_gpadl(guest, &header, 0x30, 2);
	hvh_fault_set(guest->host, HVH_FAULT_RESCIND, 0);
	assert_int_equal(hvh_fault_count(guest->host, HVH_FAULT_RESCIND), 1);
	assert_true(take(guest, 0));
	assert_int_equal(message_type(guest), VMBUS_MSG_RESCIND_OFFER);
	assert_true(take(guest, 0));
	assert_int_equal(message_type(guest), VMBUS_MSG_GPADL_CREATED);
	send_channel(guest, VMBUS_MSG_RELID_RELEASED, 1);
	assert_silence(guest);
	pass(guest, 101 * MS);
	assert_true(take(guest, 0));
	assert_int_equal(message_type(guest), VMBUS_MSG_OFFER_CHANNEL);
	assert_no_violation(guest);
}

/* --- Open and close --------------------------------------------------------------------- */

static void open_and_close_are_golden(void **state)
{
	struct guest *guest = *state;
	struct device devices[5];
	guest_start(guest);
	for (uint8_t n = 0; n < 5; n++)
		offer_device(guest, &devices[n], n, false);
	connect_at(guest, VMBUS_VERSION_5_3);
	post(guest, golden_request_offers, 8);
	while (take(guest, 0))
		;
	create_gpadl(guest, 5, GPADL, PAGE_RING, RING_PAGES);
	post(guest, golden_open_channel, sizeof(golden_open_channel));
	assert_message(guest, 0, golden_open_result);
	assert_int_equal(devices[4].user_data, 0x5a);
	assert_true(hvh_channel_is_open(devices[4].channel));
	post(guest, golden_modify_channel, sizeof(golden_modify_channel));
	assert_message(guest, 0, golden_modify_channel_response);
	post(guest, golden_close_channel, sizeof(golden_close_channel));
	assert_silence(guest);
	assert_int_equal(devices[4].closes, 1);
	post(guest, golden_gpadl_teardown, sizeof(golden_gpadl_teardown));
	assert_message(guest, 0, golden_gpadl_torndown);
	hvh_channel_rescind(devices[4].channel, guest->now);
	settle(guest);
	assert_message(guest, 0, golden_rescind_offer);
	post(guest, golden_relid_released, sizeof(golden_relid_released));
	post(guest, golden_unload, sizeof(golden_unload));
	assert_message(guest, 0, golden_unload_response);
	assert_true(hvh_quiet(guest->host));
	assert_no_violation(guest);
}

static void a_device_that_refuses_fails_the_open(void **state)
{
	struct guest *guest = *state;
	struct device device;
	struct vmbus_open_channel open = open_message(1);
	offered_at(guest, &device, VMBUS_VERSION_3_0, false);
	create_gpadl(guest, 1, GPADL, PAGE_RING, RING_PAGES);
	device.refuse = true;
	assert_int_equal(send_open(guest, &open), VMBUS_STATUS_FAILURE);
	assert_false(hvh_channel_is_open(device.channel));
	assert_int_equal(device.closes, 0);
	assert_no_violation(guest);
}

static void an_open_that_cannot_be_fails(void **state)
{
	struct guest *guest = *state;
	for (int n = 0; n < 5; n++) {
		struct device device;
		struct vmbus_open_channel open = open_message(1);
		static const enum hvh_violation_kind kinds[] = {HVH_V_GPADL_ID, HVH_V_TARGET_VP,
								HVH_V_RING_GEOMETRY, HVH_V_RING_GEOMETRY,
								HVH_V_RING_INDEX};
		restart(guest, "ws2022");
		offered_at(guest, &device, VMBUS_VERSION_3_0, false);
		create_gpadl(guest, 1, GPADL, PAGE_RING, RING_PAGES);
		if (n == 0)
			open.ring_gpadl++;
		if (n == 1)
			open.target_vp = VPS;
		if (n == 2)
			open.downstream_page_offset = 1; /* no data page */
		if (n == 3)
			open.downstream_page_offset = 3;
		if (n == 4)
			*word_at(guest, IN_CONTROL) = RING_BYTES;
		assert_int_equal(send_open(guest, &open), VMBUS_STATUS_FAILURE);
		assert_only_violation(guest, kinds[n]);
		assert_int_equal(device.opens, 0);
	}
}

static void rings_are_whole_pages(void **state)
{
	struct guest *guest = *state;
	struct device device;
	struct vmbus_open_channel open = open_message(1);
	struct vmbus_gpadl_header header = gpadl_message(1, GPADL, 5);
	offered_at(guest, &device, VMBUS_VERSION_3_0, false);
	header.byte_offset = 8;
	header.byte_count = 4 * HVK_PAGE_SIZE;
	send_gpadl(guest, &header, PAGE_RING, 5);
	assert_true(take(guest, 0));
	assert_int_equal(send_open(guest, &open), VMBUS_STATUS_FAILURE);
	assert_only_violation(guest, HVH_V_RING_GEOMETRY);
}

static void below_2_4_the_target_vp_is_ignored(void **state)
{
	struct guest *guest = *state;
	struct device device;
	struct vmbus_open_channel open = open_message(1);
	offered_at(guest, &device, VMBUS_VERSION_1_1, false);
	create_gpadl(guest, 1, GPADL, PAGE_RING, RING_PAGES);
	open.target_vp = 77;
	assert_int_equal(send_open(guest, &open), 0);
	assert_no_violation(guest);
}

static void opening_twice_and_closing_the_closed(void **state)
{
	struct guest *guest = *state;
	struct device device;
	struct vmbus_open_channel open = open_message(1);
	opened_at(guest, &device, VMBUS_VERSION_3_0, false);
	post(guest, &open, sizeof(open));
	assert_silence(guest);
	assert_only_violation(guest, HVH_V_CHANNEL_STATE);
	send_channel(guest, VMBUS_MSG_CLOSE_CHANNEL, 1);
	send_channel(guest, VMBUS_MSG_CLOSE_CHANNEL, 1);
	assert_int_equal(violations(guest), 2);
	assert_int_equal(hvh_violation_get(guest->host, 1)->kind, HVH_V_CHANNEL_STATE);
}

static void silence_at_open_can_be_closed(void **state)
{
	struct guest *guest = *state;
	struct device device;
	struct vmbus_open_channel open = open_message(1);
	offered_at(guest, &device, VMBUS_VERSION_3_0, false);
	create_gpadl(guest, 1, GPADL, PAGE_RING, RING_PAGES);
	hvh_silence_set(guest->host, HVH_SILENCE_OPEN);
	post(guest, &open, sizeof(open));
	pass(guest, 10 * HVH_TIME_PER_SECOND);
	assert_silence(guest);
	send_channel(guest, VMBUS_MSG_CLOSE_CHANNEL, 1);
	send_teardown(guest, 1, GPADL);
	assert_true(take(guest, 0));
	assert_int_equal(message_type(guest), VMBUS_MSG_GPADL_TORNDOWN);
	assert_int_equal(device.opens, 0);
	assert_no_violation(guest);
}

/* --- Refused ---------------------------------------------------------------------------------- */

static void a_socket_is_refused(void **state)
{
	struct guest *guest = *state;
	struct device device;
	offered_at(guest, &device, VMBUS_VERSION_5_3, false);
	post(guest, golden_tl_connect, sizeof(golden_tl_connect));
	assert_message(guest, 0, golden_tl_connect_result);
	assert_no_violation(guest);
}

static void a_socket_at_4_0_is_refused_without_a_word(void **state)
{
	struct guest *guest = *state;
	struct device device;
	offered_at(guest, &device, VMBUS_VERSION_4_0, false);
	post(guest, golden_tl_connect, sizeof(golden_tl_connect));
	assert_silence(guest);
	assert_no_violation(guest);
}

#define T(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(an_offer_is_golden),
		T(an_offer_at_0_13_may_be_short),
		T(reserved_bytes_are_zero_from_2_4),
		T(offers_are_sorted_and_numbered_from_one),
		T(a_second_request_is_a_violation),
		T(a_device_may_come_later),
		T(below_2_4_there_are_255_channels),
		T(delayed_messages_never_overtake),
		T(a_guest_that_does_not_read_is_held_up),
		T(silence_at_offers),
		T(rescind_release_offer_again),
		T(a_rescinded_channel_answers_what_it_must),
		T(creations_under_way_fail_before_the_rescind),
		T(a_release_must_fit_a_rescind),
		T(the_rescind_fault_offers_again),
		T(open_and_close_are_golden),
		T(a_device_that_refuses_fails_the_open),
		T(an_open_that_cannot_be_fails),
		T(rings_are_whole_pages),
		T(below_2_4_the_target_vp_is_ignored),
		T(opening_twice_and_closing_the_closed),
		T(silence_at_open_can_be_closed),
		T(a_socket_is_refused),
		T(a_socket_at_4_0_is_refused_without_a_word),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
