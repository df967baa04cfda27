/* SPDX-License-Identifier: MIT */
/* Reserved channels: this host has none, and says so in each state as a host would. */
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

#define SINT 3u
#define SINT_VECTOR 0x76u

static void send_reserved(struct guest *guest, uint32_t channel, uint32_t vp, uint32_t sint)
{
	struct vmbus_open_reserved open = {
		.header = {VMBUS_MSG_OPEN_RESERVED, 0},
		.channel_id = channel,
		.target_vp = vp,
		.target_sint = sint,
		.ring_gpadl = GPADL,
		.downstream_page_offset = DOWNSTREAM,
	};
	post(guest, &open, sizeof(open));
}

static void close_reserved(struct guest *guest, uint32_t channel)
{
	struct vmbus_close_reserved close = {
		.header = {VMBUS_MSG_CLOSE_RESERVED, 0},
		.channel_id = channel,
		.target_vp = 1,
		.target_sint = SINT,
	};
	post(guest, &close, sizeof(close));
}

/* The answer in the slot of VP 1's SINT 3; empties the slot. */
static bool refused(struct guest *guest, uint32_t channel)
{
	uint8_t *slot = guest->memory + ADDRESS(PAGE_SIMP + 1) + SINT * 256;
	struct vmbus_open_result result;
	bool there = slot[0] != 0;
	memcpy(&result, slot + 16, sizeof(result));
	*word_at(guest, ADDRESS(PAGE_SIMP + 1) + SINT * 256) = 0;
	if (!there)
		return false;
	if ((slot[5] & HV_MESSAGE_FLAG_PENDING) != 0)
		set_msr(guest, 1, HV_MSR_EOM, 0);
	assert_int_equal(result.header.type, VMBUS_MSG_OPEN_RESULT);
	assert_int_equal(result.channel_id, channel);
	assert_int_equal(result.status, VMBUS_STATUS_FAILURE);
	return true;
}

static void listen(struct guest *guest)
{
	set_control(guest, 1, HV_MSR_SINT0 + SINT, SINT_VECTOR);
}

static void the_refusal_goes_where_it_was_asked_for(void **state)
{
	struct guest *guest = *state;
	struct device device;
	offered_at(guest, &device, VMBUS_VERSION_5_3, false);
	listen(guest);
	send_reserved(guest, 1, 1, SINT);
	assert_true(refused(guest, 1));
	assert_int_equal(guest->last_vector, SINT_VECTOR);
	assert_silence(guest);
	assert_int_equal(device.opens, 0);
	assert_no_violation(guest);
}

static void an_open_channel_is_refused_and_stays_open(void **state)
{
	struct guest *guest = *state;
	struct device device;
	opened_at(guest, &device, VMBUS_VERSION_5_3, false);
	listen(guest);
	send_reserved(guest, 1, 1, SINT);
	assert_true(refused(guest, 1));
	assert_int_equal(device.closes, 0);
	assert_true(hvh_channel_is_open(device.channel));
	assert_no_violation(guest);
}

static void a_rescinded_channel_has_no_answer(void **state)
{
	struct guest *guest = *state;
	struct device device;
	offered_at(guest, &device, VMBUS_VERSION_5_3, false);
	listen(guest);
	hvh_channel_rescind(device.channel, guest->now);
	send_reserved(guest, 1, 1, SINT);
	assert_false(refused(guest, 1));
	assert_no_violation(guest);
}

static void an_unknown_channel_is_a_violation(void **state)
{
	struct guest *guest = *state;
	struct device device;
	offered_at(guest, &device, VMBUS_VERSION_5_3, false);
	listen(guest);
	send_reserved(guest, 5, 1, SINT);
	assert_false(refused(guest, 5));
	assert_only_violation(guest, HVH_V_CHANNEL_ID);
}

static void a_target_that_does_not_exist_gets_no_answer(void **state)
{
	struct guest *guest = *state;
	struct device device;
	offered_at(guest, &device, VMBUS_VERSION_5_3, false);
	send_reserved(guest, 1, VPS, SINT);
	send_reserved(guest, 1, 1, HV_SINT_COUNT);
	assert_silence(guest);
	assert_int_equal(violations(guest), 2);
	assert_int_equal(hvh_violation_get(guest->host, 0)->kind, HVH_V_TARGET_VP);
	assert_int_equal(hvh_violation_get(guest->host, 1)->kind, HVH_V_TARGET_VP);
}

static void below_4_0_there_is_none(void **state)
{
	struct guest *guest = *state;
	struct device device;
	offered_at(guest, &device, VMBUS_VERSION_3_0, false);
	listen(guest);
	send_reserved(guest, 1, 1, SINT);
	assert_false(refused(guest, 1));
	assert_only_violation(guest, HVH_V_MESSAGE_VERSION);
}

static void without_a_connection_there_is_none(void **state)
{
	struct guest *guest = *state;
	guest_start(guest);
	listen(guest);
	send_reserved(guest, 1, 1, SINT);
	assert_false(refused(guest, 1));
	assert_only_violation(guest, HVH_V_MESSAGE_STATE);
}

/* A SINT that nobody reads fills up; the bus's own messages are not held up by it. */
static void a_full_slot_holds_nobody_up(void **state)
{
	struct guest *guest = *state;
	struct device device;
	offered_at(guest, &device, VMBUS_VERSION_5_3, false);
	listen(guest);
	for (unsigned n = 0; n < 40; n++)
		send_reserved(guest, 1, 1, SINT);
	create_gpadl(guest, 1, GPADL, PAGE_RING, RING_PAGES);
	unsigned answers = 0;
	while (refused(guest, 1))
		answers++;
	assert_in_range(answers, 16, 18); /* one in the slot, 16 behind it; the others got none */
	assert_no_violation(guest);
}

/* Nothing here ever becomes reserved: a GPADL is an ordinary channel's, before and after. */
static void the_channel_s_gpadls_are_untouched(void **state)
{
	struct guest *guest = *state;
	struct device device;
	struct vmbus_open_channel open = open_message(1);
	offered_at(guest, &device, VMBUS_VERSION_5_3, false);
	listen(guest);
	create_gpadl(guest, 1, GPADL, PAGE_RING, RING_PAGES);
	send_reserved(guest, 1, 1, SINT);
	assert_true(refused(guest, 1));
	assert_int_equal(send_open(guest, &open), 0);
	create_gpadl(guest, 1, GPADL + 1, PAGE_RING + 16, RING_PAGES);
	send_teardown(guest, 1, GPADL + 1);
	assert_true(take(guest, 0));
	assert_int_equal(message_type(guest), VMBUS_MSG_GPADL_TORNDOWN);
	assert_no_violation(guest);
}

static void a_close_of_what_is_not_reserved_has_no_answer(void **state)
{
	struct guest *guest = *state;
	struct device device;
	opened_at(guest, &device, VMBUS_VERSION_5_3, false);
	close_reserved(guest, 1);
	assert_silence(guest);
	assert_only_violation(guest, HVH_V_CHANNEL_STATE);
	assert_true(hvh_channel_is_open(device.channel)); /* CLOSE_CHANNEL it is not */
	close_reserved(guest, 9);
	assert_int_equal(hvh_violation_get(guest->host, 1)->kind, HVH_V_CHANNEL_ID);
	assert_silence(guest);
}

/* A crash kernel may send it before it connects: heard, and answered by nothing. */
static void a_close_is_heard_without_a_connection(void **state)
{
	struct guest *guest = *state;
	struct device device;
	offered_at(guest, &device, VMBUS_VERSION_5_3, false);
	post(guest, golden_unload, sizeof(golden_unload));
	assert_true(take(guest, 0));
	close_reserved(guest, 1);
	assert_silence(guest);
	assert_only_violation(guest, HVH_V_CHANNEL_ID); /* no channel has an id any more */
}

#define T(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(the_refusal_goes_where_it_was_asked_for),
		T(an_open_channel_is_refused_and_stays_open),
		T(a_rescinded_channel_has_no_answer),
		T(an_unknown_channel_is_a_violation),
		T(a_target_that_does_not_exist_gets_no_answer),
		T(below_4_0_there_is_none),
		T(without_a_connection_there_is_none),
		T(a_full_slot_holds_nobody_up),
		T(the_channel_s_gpadls_are_untouched),
		T(a_close_of_what_is_not_reserved_has_no_answer),
		T(a_close_is_heard_without_a_connection),
	};
	return cmocka_run_group_tests_name("host_reserved", tests, NULL, NULL);
}
