/* SPDX-License-Identifier: MIT */
/* MODIFY_CHANNEL: from when on, its answer, and one that comes while another is under way. */
#include "host_guest.h"
#include "hvkit_host/quirk.h"

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

static void modify_is_answered_from_5_3(void **state)
{
	struct guest *guest = *state;
	static const uint32_t versions[] = {VMBUS_VERSION_4_1, VMBUS_VERSION_5_2, VMBUS_VERSION_5_3};
	for (size_t n = 0; n < 3; n++) {
		struct device device;
		struct vmbus_modify_channel modify = {{VMBUS_MSG_MODIFY_CHANNEL, 0}, 1, 1};
		restart(guest, "ws2022");
		opened_at(guest, &device, versions[n], false);
		post(guest, &modify, sizeof(modify));
		assert_int_equal(take(guest, 0), versions[n] == VMBUS_VERSION_5_3);
		/* From now on its events go to VP 1. */
		static const uint8_t payload[8] = {1};
		assert_true(hvh_channel_write(device.channel, guest->now, VMBUS_PACKET_IN_BAND, false, 1,
					      NULL, 0, payload, sizeof(payload), NULL, 0));
		assert_true(event_set(guest, 1, 1));
		assert_false(event_set(guest, 0, 1));
		assert_no_violation(guest);
	}
}

static void modify_to_nowhere_fails(void **state)
{
	struct guest *guest = *state;
	struct device device;
	struct vmbus_modify_channel modify = {{VMBUS_MSG_MODIFY_CHANNEL, 0}, 1, VPS};
	opened_at(guest, &device, VMBUS_VERSION_5_3, false);
	post(guest, &modify, sizeof(modify));
	assert_true(take(guest, 0));
	assert_int_equal(message_word(guest, 12), VMBUS_STATUS_FAILURE);
	assert_only_violation(guest, HVH_V_TARGET_VP);
	send_channel(guest, VMBUS_MSG_CLOSE_CHANNEL, 1);
	modify.target_vp = 0;
	post(guest, &modify, sizeof(modify));
	assert_true(take(guest, 0));
	assert_int_equal(hvh_violation_get(guest->host, 1)->kind, HVH_V_CHANNEL_STATE);
}

static void send_modify(struct guest *guest, uint32_t vp)
{
	struct vmbus_modify_channel modify = {{VMBUS_MSG_MODIFY_CHANNEL, 0}, 1, vp};
	post(guest, &modify, sizeof(modify));
}

static bool event_comes_to(struct guest *guest, struct device *device, uint32_t vp)
{
	static const uint8_t payload[8] = {1};
	clear_event(guest, 0, 1);
	clear_event(guest, 1, 1);
	/* The guest has read what there was. */
	*word_at(guest, OUT_CONTROL + VMBUS_RING_READ_INDEX) = *word_at(guest,
									OUT_CONTROL + VMBUS_RING_WRITE_INDEX);
	assert_true(hvh_channel_write(device->channel, guest->now, VMBUS_PACKET_IN_BAND, false, 1, NULL, 0,
				      payload, sizeof(payload), NULL, 0));
	return event_set(guest, vp, 1);
}

static void below_4_1_there_is_none(void **state)
{
	struct guest *guest = *state;
	struct device device;
	opened_at(guest, &device, VMBUS_VERSION_4_0, false);
	send_modify(guest, 1);
	assert_only_violation(guest, HVH_V_MESSAGE_VERSION);
	assert_true(event_comes_to(guest, &device, 0));
}

static void a_host_may_owe_no_answer(void **state)
{
	struct guest *guest = *state;
	struct device device;
	opened_at(guest, &device, VMBUS_VERSION_5_3, false);
	assert_true(hvh_partition_set_quirk(guest->host, "modify-response", "off", NULL, 0));
	send_modify(guest, 1);
	assert_silence(guest);
	assert_true(event_comes_to(guest, &device, 1));
	assert_true(hvh_partition_set_quirk(guest->host, "modify-response", "on", NULL, 0));
	send_modify(guest, 0);
	assert_true(take(guest, 0));
	assert_int_equal(message_type(guest), VMBUS_MSG_MODIFY_CHANNEL_RESPONSE);
	assert_no_violation(guest);
}

/* From 5.3 a second one is dropped while the first is under way. */
static void from_5_3_one_at_a_time(void **state)
{
	struct guest *guest = *state;
	struct device device;
	opened_at(guest, &device, VMBUS_VERSION_5_3, false);
	hvh_fault_set(guest->host, HVH_FAULT_DELAY_COMPLETION, 65536);
	send_modify(guest, 1);
	assert_silence(guest);
	assert_true(event_comes_to(guest, &device, 0)); /* not yet */
	assert_no_violation(guest);
	send_modify(guest, 0);
	assert_only_violation(guest, HVH_V_CHANNEL_STATE);
	pass(guest, 10 * MS);
	assert_true(take(guest, 0));
	assert_int_equal(message_word(guest, 12), 0);
	assert_silence(guest); /* one answer */
	assert_true(event_comes_to(guest, &device, 1));
	send_modify(guest, 0);
	pass(guest, 10 * MS);
	assert_true(take(guest, 0));
	assert_true(event_comes_to(guest, &device, 0));
	assert_int_equal(violations(guest), 1);
}

static void below_5_3_the_newest_counts(void **state)
{
	struct guest *guest = *state;
	struct device device;
	opened_at(guest, &device, VMBUS_VERSION_5_2, false);
	hvh_fault_set(guest->host, HVH_FAULT_DELAY_COMPLETION, 65536);
	send_modify(guest, 0);
	send_modify(guest, 1);
	pass(guest, 20 * MS);
	assert_silence(guest);
	assert_true(event_comes_to(guest, &device, 1));
	assert_no_violation(guest);
}

static void a_close_forgets_it(void **state)
{
	struct guest *guest = *state;
	struct device device;
	struct vmbus_open_channel open = open_message(1);
	opened_at(guest, &device, VMBUS_VERSION_5_3, false);
	hvh_fault_set(guest->host, HVH_FAULT_DELAY_COMPLETION, 65536);
	send_modify(guest, 1);
	send_channel(guest, VMBUS_MSG_CLOSE_CHANNEL, 1);
	assert_int_equal(send_open(guest, &open), 0);
	pass(guest, 20 * MS);
	assert_silence(guest);
	assert_true(event_comes_to(guest, &device, 0));
	assert_no_violation(guest);
}

static void a_rescinded_channel_has_no_answer(void **state)
{
	struct guest *guest = *state;
	struct device device;
	opened_at(guest, &device, VMBUS_VERSION_5_3, false);
	hvh_fault_set(guest->host, HVH_FAULT_DELAY_COMPLETION, 65536);
	send_modify(guest, 1);
	hvh_channel_rescind(device.channel, guest->now);
	settle(guest);
	assert_true(take(guest, 0));
	assert_int_equal(message_type(guest), VMBUS_MSG_RESCIND_OFFER);
	send_modify(guest, 1);
	pass(guest, 20 * MS);
	assert_silence(guest);
	assert_no_violation(guest);
}

#define T(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

static void silence_is_neither_a_move_nor_a_refusal(void **state)
{
	struct guest *guest = *state;
	struct device device;
	opened_at(guest, &device, VMBUS_VERSION_5_3, false);
	hvh_silence_set(guest->host, HVH_SILENCE_MODIFY);
	send_modify(guest, 1);
	assert_false(take(guest, 0));
	assert_true(event_comes_to(guest, &device, 0));
	hvh_silence_set(guest->host, HVH_SILENCE_NONE);
	send_modify(guest, 1);
	assert_true(take(guest, 0));
	assert_true(event_comes_to(guest, &device, 1));
	assert_no_violation(guest);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(modify_is_answered_from_5_3),
		T(modify_to_nowhere_fails),
		T(below_4_1_there_is_none),
		T(a_host_may_owe_no_answer),
		T(from_5_3_one_at_a_time),
		T(below_5_3_the_newest_counts),
		T(a_close_forgets_it),
		T(a_rescinded_channel_has_no_answer),
		T(silence_is_neither_a_move_nor_a_refusal),
	};
	return cmocka_run_group_tests_name("host_modify", tests, NULL, NULL);
}
