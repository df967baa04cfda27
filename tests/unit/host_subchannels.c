/* SPDX-License-Identifier: MIT */
/* Sub-channels: when they are offered, and that they go with their primary. */
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

static void restart(struct guest *guest, enum hvh_subchannel_order order, uint64_t seed)
{
	struct hvh_profile profile = *hvh_profile_find("ws2022");
	profile.subchannel_order = order;
	guest_destroy(guest);
	guest_create_with(guest, &profile, seed);
}

static void assert_offer(struct guest *guest, uint32_t index, uint32_t id)
{
	static const struct vmbus_guid type = HVH_ECHO_GUID;
	assert_true(take(guest, 0));
	assert_int_equal(message_type(guest), VMBUS_MSG_OFFER_CHANNEL);
	assert_memory_equal(guest->message + 8, type.bytes, 16);
	assert_int_equal(message_word(guest, 180) & 0xffff, index);
	assert_int_equal(message_word(guest, 184), id);
	assert_int_equal(message_word(guest, 192), 0x2000 | id);
}

static void assert_rescind(struct guest *guest, uint32_t id)
{
	assert_true(take(guest, 0));
	assert_int_equal(message_type(guest), VMBUS_MSG_RESCIND_OFFER);
	assert_int_equal(message_word(guest, 8), id);
}

/* Asks for some and takes their offers: ids 2 and on, after the answer. */
static struct hvh_echo *with_subchannels(struct guest *guest, uint32_t count)
{
	struct answer answer;
	struct hvh_echo *echo;
	restart(guest, HVH_SUBCHANNELS_AFTER, 1);
	echo = echo_opened(guest, VMBUS_VERSION_5_3, NULL);
	echo_request(guest, HVH_ECHO_SUBCHANNELS, count, true, 1);
	assert_true(echo_receive(guest, &answer));
	assert_int_equal(answer_argument(&answer), count);
	pass(guest, 1);
	for (uint32_t n = 1; n <= count; n++)
		assert_offer(guest, n, 1 + n);
	return echo;
}

static void they_have_the_primary_s_instance(void **state)
{
	struct guest *guest = *state;
	struct hvh_device_info info;
	uint8_t instance[16];
	with_subchannels(guest, 1);
	memcpy(instance, guest->message + 24, 16);
	assert_true(hvh_device_get(guest->host, 0, &info));
	assert_memory_equal(instance, info.instance, 16);
	assert_int_equal(info.subchannels, 1);
	assert_string_equal(info.name, "echo0");
	assert_false(hvh_device_get(guest->host, 1, &info)); /* they are no devices */
	assert_no_violation(guest);
}

static void the_offers_come_after_the_answer(void **state)
{
	struct guest *guest = *state;
	struct answer answer;
	restart(guest, HVH_SUBCHANNELS_AFTER, 1);
	echo_opened(guest, VMBUS_VERSION_5_3, NULL);
	echo_request(guest, HVH_ECHO_SUBCHANNELS, 2, true, 1);
	assert_silence(guest);
	assert_true(echo_receive(guest, &answer));
	pass(guest, 1);
	assert_offer(guest, 1, 2);
	assert_offer(guest, 2, 3);
	assert_silence(guest);
}

static void the_offers_come_before_the_answer(void **state)
{
	struct guest *guest = *state;
	struct answer answer;
	restart(guest, HVH_SUBCHANNELS_BEFORE, 1);
	echo_opened(guest, VMBUS_VERSION_5_3, NULL);
	echo_request(guest, HVH_ECHO_SUBCHANNELS, 3, true, 1);
	assert_false(echo_receive(guest, &answer));
	assert_offer(guest, 1, 2);
	assert_false(echo_receive(guest, &answer));
	assert_offer(guest, 2, 3); /* and the third is in the slot */
	assert_true(echo_receive(guest, &answer));
	assert_int_equal(answer_argument(&answer), 3);
	assert_offer(guest, 3, 4);
	assert_no_violation(guest);
}

/* A guest that waits for the answer before it looks at messages gets it all the same. */
static void the_answer_does_not_wait_for_ever(void **state)
{
	struct guest *guest = *state;
	struct answer answer;
	restart(guest, HVH_SUBCHANNELS_BEFORE, 1);
	echo_opened(guest, VMBUS_VERSION_5_3, NULL);
	echo_request(guest, HVH_ECHO_SUBCHANNELS, 3, true, 1);
	pass(guest, 9 * MS);
	assert_false(echo_receive(guest, &answer));
	pass(guest, 2 * MS);
	assert_true(echo_receive(guest, &answer));
}

static void the_seed_takes_either_order(void **state)
{
	struct guest *guest = *state;
	unsigned before = 0;
	for (uint64_t seed = 0; seed < 20; seed++) {
		restart(guest, HVH_SUBCHANNELS_BY_SEED, seed);
		echo_opened(guest, VMBUS_VERSION_5_3, NULL);
		echo_request(guest, HVH_ECHO_SUBCHANNELS, 2, true, 1);
		before += take(guest, 0);
	}
	assert_in_range(before, 1, 19);
}

static void there_are_fewer_than_asked_for(void **state)
{
	struct guest *guest = *state;
	struct answer answer;
	struct hvh_echo_config config = {.subchannels_max = 2};
	restart(guest, HVH_SUBCHANNELS_AFTER, 1);
	echo_opened(guest, VMBUS_VERSION_5_3, &config);
	echo_request(guest, HVH_ECHO_SUBCHANNELS, 5, true, 1);
	assert_true(echo_receive(guest, &answer));
	assert_int_equal(answer_argument(&answer), 2);
	pass(guest, 1);
	assert_offer(guest, 1, 2);
	assert_offer(guest, 2, 3);
	assert_silence(guest);
	echo_request(guest, HVH_ECHO_SUBCHANNELS, 1, true, 2);
	assert_true(echo_receive(guest, &answer));
	assert_int_equal(answer_argument(&answer), 0);
	assert_no_violation(guest);
}

static void promised_ones_may_come_late_or_never(void **state)
{
	struct guest *guest = *state;
	struct answer answer;
	struct hvh_echo_config config = {.subchannel_delay = 500 * MS};
	for (int never = 0; never < 2; never++) {
		restart(guest, HVH_SUBCHANNELS_BEFORE, 1);
		echo_opened(guest, VMBUS_VERSION_5_3, &config);
		echo_request(guest, HVH_ECHO_SUBCHANNELS, 1, true, 1);
		assert_true(echo_receive(guest, &answer));
		assert_int_equal(answer_argument(&answer), 1);
		pass(guest, 499 * MS);
		assert_silence(guest);
		pass(guest, 2 * MS);
		assert_int_equal(take(guest, 0), !never);
		config.subchannel_delay = UINT64_MAX;
	}
}

static void they_open_and_echo_by_themselves(void **state)
{
	struct guest *guest = *state;
	struct hvh_echo_counters counters;
	struct hvh_echo *echo = with_subchannels(guest, 2);
	echo_open(guest, 2, PAGE_RING + 16);
	echo_open(guest, 3, PAGE_RING + 32);
	hvh_echo_get_counters(echo, &counters);
	assert_int_equal(counters.subchannels_open, 2);
	/* A packet into channel 3's ring. */
	struct hvh_echo_header header = {HVH_ECHO, 11};
	struct vmbus_packet_descriptor descriptor = {VMBUS_PACKET_IN_BAND, 2, 3, 0, 1};
	struct vmbus_packet_trailer trailer = {0, 0};
	uint8_t *data = guest->memory + ADDRESS(PAGE_RING + 32 + 1);
	memcpy(data, &descriptor, 16);
	memcpy(data + 16, &header, 8);
	memcpy(data + 24, &trailer, 8);
	*word_at(guest, ADDRESS(PAGE_RING + 32)) = 32;
	assert_int_equal(signal_to(guest, 0x2003), 0);
	settle(guest);
	assert_memory_equal(guest->memory + ADDRESS(PAGE_RING + 32 + 3) + 16, &header, 8);
	assert_int_equal(*word_at(guest, ADDRESS(PAGE_RING + 16 + 2)), 0); /* nothing on channel 2 */
	assert_true(event_set(guest, 0, 3));
	send_channel(guest, VMBUS_MSG_CLOSE_CHANNEL, 3); /* one alone */
	hvh_echo_get_counters(echo, &counters);
	assert_int_equal(counters.subchannels_open, 1);
	assert_silence(guest);
	assert_no_violation(guest);
}

static void closing_the_primary_takes_them_back(void **state)
{
	struct guest *guest = *state;
	struct hvh_device_info info;
	struct hvh_echo_counters counters;
	struct hvh_echo *echo = with_subchannels(guest, 2);
	echo_open(guest, 2, PAGE_RING + 16);
	send_channel(guest, VMBUS_MSG_CLOSE_CHANNEL, 1);
	assert_rescind(guest, 2);
	assert_rescind(guest, 3);
	assert_silence(guest); /* the primary stays */
	hvh_echo_get_counters(echo, &counters);
	assert_int_equal(counters.subchannels_open, 0);
	assert_true(hvh_device_get(guest->host, 0, &info));
	assert_true(info.present);
	assert_int_equal(info.subchannels, 0);
	send_channel(guest, VMBUS_MSG_CLOSE_CHANNEL, 2); /* what Linux and FreeBSD do: no harm */
	send_teardown(guest, 2, GPADL + 2);
	assert_true(take(guest, 0));
	assert_int_equal(message_type(guest), VMBUS_MSG_GPADL_TORNDOWN);
	send_channel(guest, VMBUS_MSG_RELID_RELEASED, 2);
	send_channel(guest, VMBUS_MSG_RELID_RELEASED, 3);
	assert_silence(guest);
	assert_no_violation(guest);
	send_channel(guest, VMBUS_MSG_RELID_RELEASED, 3);
	assert_only_violation(guest, HVH_V_RELEASE);
}

/* Opened and asked again before the old ones were released: their indices wait for it. */
static void old_ones_are_to_be_released_first(void **state)
{
	struct guest *guest = *state;
	with_subchannels(guest, 2);
	send_channel(guest, VMBUS_MSG_CLOSE_CHANNEL, 1);
	assert_rescind(guest, 2);
	assert_rescind(guest, 3);
	send_teardown(guest, 1, GPADL + 1);
	assert_true(take(guest, 0));
	echo_open(guest, 1, PAGE_RING);
	echo_request(guest, HVH_ECHO_SUBCHANNELS, 2, true, 2);
	pass(guest, MS);
	assert_silence(guest);
	send_channel(guest, VMBUS_MSG_RELID_RELEASED, 3);
	assert_offer(guest, 2, 3);
	send_channel(guest, VMBUS_MSG_RELID_RELEASED, 2);
	assert_offer(guest, 1, 2);
	assert_no_violation(guest);
}

static void a_rescind_takes_them_first(void **state)
{
	struct guest *guest = *state;
	with_subchannels(guest, 2);
	assert_true(hvh_device_rescind(guest->host, guest->now, "echo0"));
	settle(guest);
	assert_rescind(guest, 2);
	assert_rescind(guest, 3);
	assert_rescind(guest, 1);
	for (uint32_t id = 1; id <= 3; id++)
		send_channel(guest, VMBUS_MSG_RELID_RELEASED, id);
	assert_true(hvh_device_offer(guest->host, guest->now, "echo0"));
	settle(guest);
	assert_offer(guest, 0, 1);
	assert_silence(guest); /* and alone */
	assert_no_violation(guest);
}

static void late_ones_are_forgotten_at_close(void **state)
{
	struct guest *guest = *state;
	struct hvh_echo_config config = {.subchannel_delay = 50 * MS};
	echo_opened(guest, VMBUS_VERSION_5_3, &config);
	echo_request(guest, HVH_ECHO_SUBCHANNELS, 2, true, 1);
	send_channel(guest, VMBUS_MSG_CLOSE_CHANNEL, 1);
	pass(guest, 1000 * MS);
	assert_silence(guest);
}

static void a_new_contact_has_none(void **state)
{
	struct guest *guest = *state;
	with_subchannels(guest, 2);
	echo_open(guest, 2, PAGE_RING + 16);
	connect_at(guest, VMBUS_VERSION_5_3);
	post(guest, golden_request_offers, sizeof(golden_request_offers));
	assert_offer(guest, 0, 1);
	assert_message(guest, 0, golden_all_offers_delivered);
	echo_open(guest, 1, PAGE_RING);
	echo_request(guest, HVH_ECHO_SUBCHANNELS, 1, true, 1);
	pass(guest, 1);
	assert_offer(guest, 1, 2);
	assert_no_violation(guest);
}

/* The fault takes the device as a whole. */
static void out_of_the_blue_all_go(void **state)
{
	struct guest *guest = *state;
	with_subchannels(guest, 1);
	hvh_fault_set(guest->host, HVH_FAULT_RESCIND, 65536);
	struct vmbus_gpadl_header header = gpadl_message(2, 0x777, 2);
	send_gpadl(guest, &header, PAGE_RING + 16, 2);
	hvh_fault_set(guest->host, HVH_FAULT_RESCIND, 0);
	assert_rescind(guest, 2);
	assert_rescind(guest, 1);
	pass(guest, 200 * MS);
	while (take(guest, 0))
		assert_int_equal(message_type(guest), VMBUS_MSG_GPADL_CREATED);
	send_channel(guest, VMBUS_MSG_RELID_RELEASED, 1);
	assert_offer(guest, 0, 1);
	send_channel(guest, VMBUS_MSG_RELID_RELEASED, 2);
	assert_silence(guest);
	assert_no_violation(guest);
}

static void only_the_primary_gives_them(void **state)
{
	struct guest *guest = *state;
	struct answer answer;
	echo_opened(guest, VMBUS_VERSION_5_3, NULL);
	echo_request(guest, HVH_ECHO_SUBCHANNELS, 65, true, 1);
	assert_only_violation(guest, HVH_V_ECHO);
	assert_true(echo_receive(guest, &answer));
	assert_int_equal(answer_argument(&answer), 0);
}

#define T(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(they_have_the_primary_s_instance),
		T(the_offers_come_after_the_answer),
		T(the_offers_come_before_the_answer),
		T(the_answer_does_not_wait_for_ever),
		T(the_seed_takes_either_order),
		T(there_are_fewer_than_asked_for),
		T(promised_ones_may_come_late_or_never),
		T(they_open_and_echo_by_themselves),
		T(closing_the_primary_takes_them_back),
		T(old_ones_are_to_be_released_first),
		T(a_rescind_takes_them_first),
		T(late_ones_are_forgotten_at_close),
		T(a_new_contact_has_none),
		T(out_of_the_blue_all_go),
		T(only_the_primary_gives_them),
	};
	return cmocka_run_group_tests_name("host_subchannels", tests, NULL, NULL);
}
