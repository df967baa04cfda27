/* SPDX-License-Identifier: MIT */
/* INITIATE_CONTACT by version, second contacts, UNLOAD, and what old hosts do instead. */
#include "host_guest.h"

static const uint32_t versions[] = {
	VMBUS_VERSION_0_13, VMBUS_VERSION_1_1, VMBUS_VERSION_2_4, VMBUS_VERSION_3_0, VMBUS_VERSION_4_0,
	VMBUS_VERSION_4_1,  VMBUS_VERSION_5_0, VMBUS_VERSION_5_1, VMBUS_VERSION_5_2, VMBUS_VERSION_5_3,
};
#define VERSIONS (sizeof(versions) / sizeof(versions[0]))

static int set_up(void **state)
{
	struct guest *guest = calloc(1, sizeof(*guest));
	guest_create(guest, "ws2022");
	guest_start(guest);
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
	guest_start(guest);
}

static void golden_dialogues(void **state)
{
	struct guest *guest = *state;
	post_to(guest, 4, golden_initiate_contact_5_3, sizeof(golden_initiate_contact_5_3));
	settle(guest);
	assert_false(take(guest, 0)); /* the message names VP 1 */
	assert_message(guest, 1, golden_version_response_5_3);
	assert_int_equal(post_to(guest, 4, golden_unload, sizeof(golden_unload)), 0);
	settle(guest);
	assert_message(guest, 1, golden_unload_response);
	post_to(guest, 1, golden_initiate_contact_3_0, sizeof(golden_initiate_contact_3_0));
	settle(guest);
	assert_message(guest, 1, golden_version_response_3_0);
	assert_no_violation(guest);
}

/* Which profile takes which version, and nothing else. */
static void versions_match_exactly(void **state)
{
	struct guest *guest = *state;
	static const char *const profiles[] = {"ws2008r2", "ws2012", "ws2012r2", "ws2022"};
	static const uint32_t others[] = {1,
					  VMBUS_VERSION(0, 14),
					  VMBUS_VERSION(1, 0),
					  VMBUS_VERSION(2, 5),
					  VMBUS_VERSION(5, 4),
					  VMBUS_VERSION(6, 0),
					  0xffffffff};
	for (size_t p = 0; p < 4; p++) {
		uint32_t newest = hvh_profile_find(profiles[p])->newest_version;
		for (size_t n = 0; n < VERSIONS + sizeof(others) / sizeof(others[0]); n++) {
			uint32_t version = n < VERSIONS ? versions[n] : others[n - VERSIONS];
			struct vmbus_initiate_contact contact = contact_message(version);
			restart(guest, profiles[p]);
			uint32_t connection = version >= VMBUS_VERSION_5_0 ? 4 : 1;
			uint32_t status = post_to(guest, connection, &contact, sizeof(contact));
			if (connection == 4 && p < 3) {
				assert_int_equal(status, HV_STATUS_INVALID_CONNECTION_ID);
				continue;
			}
			assert_int_equal(status, 0);
			settle(guest);
			assert_true(take(guest, 0));
			assert_int_equal(guest->message_size, 16);
			assert_int_equal(guest->message[8], n < VERSIONS && version <= newest);
		}
	}
}

static void a_refusal_is_all_zeros_but_for_the_state(void **state)
{
	struct guest *guest = *state;
	struct vmbus_initiate_contact contact = contact_message(VMBUS_VERSION_4_1);
	struct hvh_profile profile = *hvh_profile_find("ws2012r2");
	restart(guest, "ws2012r2");
	send_contact(guest, &contact);
	assert_true(take(guest, 0));
	assert_int_not_equal(guest->message[9], 0); /* may hold anything */
	guest->message[9] = 0;
	assert_memory_equal(guest->message, golden_version_response_refused, 16);
	profile.response_state_garbage = false;
	guest_destroy(guest);
	guest_create_with(guest, &profile, 1);
	guest_start(guest);
	send_contact(guest, &contact);
	assert_message(guest, 0, golden_version_response_refused);
}

static void a_cap_hides_versions_but_keeps_unload(void **state)
{
	struct guest *guest = *state;
	struct hvh_profile profile = *hvh_profile_find("ws2022");
	profile.accept_newest = VMBUS_VERSION_1_1;
	guest_destroy(guest);
	guest_create_with(guest, &profile, 1);
	guest_start(guest);
	struct vmbus_initiate_contact contact = contact_message(VMBUS_VERSION_2_4);
	send_contact(guest, &contact);
	assert_true(take(guest, 0));
	assert_int_equal(guest->message[8], 0);
	connect_at(guest, VMBUS_VERSION_1_1);
	post(guest, golden_unload, sizeof(golden_unload));
	assert_message(guest, 0, golden_unload_response);
	assert_true(hvh_quiet(guest->host));
}

static void the_target_vp_counts_from_3_0(void **state)
{
	struct guest *guest = *state;
	for (size_t n = 0; n < VERSIONS; n++) {
		struct vmbus_initiate_contact contact = contact_message(versions[n]);
		contact.target_vp = 1;
		restart(guest, "ws2022");
		send_contact(guest, &contact);
		assert_true(take(guest, versions[n] >= VMBUS_VERSION_3_0 ? 1 : 0));
		assert_silence(guest);
		assert_no_violation(guest);
	}
}

static void a_target_vp_that_is_not_there_gets_no_answer(void **state)
{
	struct guest *guest = *state;
	struct vmbus_initiate_contact contact = contact_message(VMBUS_VERSION_5_3);
	contact.target_vp = VPS;
	send_contact(guest, &contact);
	assert_silence(guest);
	assert_only_violation(guest, HVH_V_TARGET_VP);
}

static void another_sint_is_refused_there(void **state)
{
	struct guest *guest = *state;
	struct vmbus_initiate_contact contact = contact_message(VMBUS_VERSION_5_3);
	contact.interrupt_page_or_target = 3;
	contact.target_vp = 1;
	send_contact(guest, &contact);
	assert_silence(guest);
	uint8_t *slot = guest->memory + ADDRESS(PAGE_SIMP + 1) + 3 * 256;
	assert_int_equal(slot[0], 1);      /* a VMBus message */
	assert_int_equal(slot[16], 15);    /* VERSION_RESPONSE */
	assert_int_equal(slot[16 + 8], 0); /* no */
}

static void another_vtl_gets_no_answer(void **state)
{
	struct guest *guest = *state;
	struct vmbus_initiate_contact contact = contact_message(VMBUS_VERSION_5_3);
	contact.interrupt_page_or_target = 0x202;
	send_contact(guest, &contact);
	assert_silence(guest);
	assert_only_violation(guest, HVH_V_CONTACT);
}

static void target_info_padding_is_looked_at(void **state)
{
	struct guest *guest = *state;
	struct vmbus_initiate_contact contact = contact_message(VMBUS_VERSION_5_0);
	contact.interrupt_page_or_target = 0x102; /* a VTL before 5.1 */
	send_contact(guest, &contact);
	assert_true(take(guest, 0));
	assert_int_equal(guest->message[8], 1);
	assert_only_violation(guest, HVH_V_MESSAGE_PADDING);
}

static void the_wrong_connection_is_a_violation(void **state)
{
	struct guest *guest = *state;
	post_to(guest, 1, golden_initiate_contact_5_3, 40);
	settle(guest);
	assert_true(take(guest, 1));
	assert_int_equal(guest->message[8], 1);
	assert_only_violation(guest, HVH_V_CONTACT);
	assert_int_equal(post_to(guest, 1, golden_request_offers, 8), 0); /* 4 was agreed on */
	settle(guest);
	assert_int_equal(hvh_violation_get(guest->host, 1)->kind, HVH_V_POST);
}

static void one_monitor_page_without_the_other_fails(void **state)
{
	struct guest *guest = *state;
	struct vmbus_initiate_contact contact = contact_message(VMBUS_VERSION_3_0);
	contact.monitor_page_guest_to_host = 0;
	send_contact(guest, &contact);
	assert_message(guest, 0, golden_version_response_failed);
	assert_only_violation(guest, HVH_V_CONTACT);
	assert_false(hvh_quiet(guest->host));

	restart(guest, "ws2022");
	contact = contact_message(VMBUS_VERSION_1_1); /* below 2.4 it cannot be said */
	contact.monitor_page_host_to_guest = 0;
	send_contact(guest, &contact);
	assert_true(take(guest, 0));
	assert_int_equal(guest->message[8], 0);
}

struct page_case {
	uint32_t version;
	uint64_t interrupt, in, out;
	enum hvh_violation_kind kind;
};

static void pages_are_checked(void **state)
{
	struct guest *guest = *state;
	static const struct page_case cases[] = {
		{VMBUS_VERSION_3_0, 0, 0x11008, 0x12000, HVH_V_CONTACT},
		{VMBUS_VERSION_3_0, 0, 0x11000, MEMORY, HVH_V_MEMORY},
		{VMBUS_VERSION_1_1, 0, 0x11000, 0x12000, HVH_V_CONTACT},
		{VMBUS_VERSION_1_1, 0x10004, 0x11000, 0x12000, HVH_V_CONTACT},
		{VMBUS_VERSION_0_13, MEMORY, 0x11000, 0x12000, HVH_V_MEMORY},
	};
	for (size_t n = 0; n < sizeof(cases) / sizeof(cases[0]); n++) {
		struct vmbus_initiate_contact contact = contact_message(cases[n].version);
		contact.interrupt_page_or_target = cases[n].interrupt;
		contact.monitor_page_host_to_guest = cases[n].in;
		contact.monitor_page_guest_to_host = cases[n].out;
		restart(guest, "ws2022");
		send_contact(guest, &contact);
		assert_true(take(guest, 0));
		assert_only_violation(guest, cases[n].kind);
		post(guest, golden_request_offers, 8);
		assert_silence(guest); /* not connected */
	}
}

static void a_second_contact_resets_everything(void **state)
{
	struct guest *guest = *state;
	struct device device;
	opened_at(guest, &device, VMBUS_VERSION_5_3, false);
	connect_at(guest, VMBUS_VERSION_4_0);
	assert_int_equal(device.closes, 1);
	post(guest, golden_request_offers, 8);
	assert_true(take(guest, 0));
	assert_int_equal(message_type(guest), VMBUS_MSG_OFFER_CHANNEL);
	assert_message(guest, 0, golden_all_offers_delivered);
	create_gpadl(guest, 1, GPADL, PAGE_RING, RING_PAGES); /* the id is free again */
	assert_no_violation(guest);
}

static void unload_with_channels_open_is_legal(void **state)
{
	struct guest *guest = *state;
	struct device device;
	opened_at(guest, &device, VMBUS_VERSION_3_0, false);
	assert_false(hvh_quiet(guest->host));
	post(guest, golden_unload, sizeof(golden_unload));
	assert_message(guest, 0, golden_unload_response);
	assert_int_equal(device.closes, 1);
	assert_true(hvh_quiet(guest->host));
	uint64_t writes = guest->writes[PAGE_MONITOR_IN] + guest->writes[PAGE_MONITOR_OUT] +
			  guest->writes[PAGE_RING];
	pass(guest, HVH_TIME_PER_SECOND);
	assert_int_equal(guest->writes[PAGE_MONITOR_IN] + guest->writes[PAGE_MONITOR_OUT] +
				 guest->writes[PAGE_RING],
			 writes);
	assert_no_violation(guest);
}

/* Linux does that when its bus driver is removed. */
static void ids_may_be_released_after_unload(void **state)
{
	struct guest *guest = *state;
	struct device device;
	send_channel(guest, VMBUS_MSG_RELID_RELEASED, 1);
	assert_only_violation(guest, HVH_V_MESSAGE_STATE);
	restart(guest, "ws2022");
	opened_at(guest, &device, VMBUS_VERSION_3_0, false);
	post(guest, golden_unload, sizeof(golden_unload));
	assert_message(guest, 0, golden_unload_response);
	send_channel(guest, VMBUS_MSG_RELID_RELEASED, 1);
	assert_silence(guest);
	assert_no_violation(guest);
}

static void unload_before_contact_is_not_answered(void **state)
{
	struct guest *guest = *state;
	post(guest, golden_unload, sizeof(golden_unload));
	assert_silence(guest);
	assert_only_violation(guest, HVH_V_MESSAGE_STATE);
}

static void a_host_that_knows_3_0_answers_unload_at_every_version(void **state)
{
	struct guest *guest = *state;
	for (size_t n = 0; n < 4; n++) {
		restart(guest, "ws2012r2");
		connect_at(guest, versions[n]);
		post(guest, golden_unload, sizeof(golden_unload));
		assert_message(guest, 0, golden_unload_response);
		assert_true(hvh_quiet(guest->host));
	}
}

static void an_old_host_ignores_unload_and_goes_on_writing(void **state)
{
	struct guest *guest = *state;
	restart(guest, "ws2008r2");
	connect_at(guest, VMBUS_VERSION_1_1);
	post(guest, golden_unload, sizeof(golden_unload));
	assert_silence(guest);
	memset(guest->memory + ADDRESS(PAGE_INTERRUPT), 0, 3 * HVK_PAGE_SIZE); /* somebody else's now */
	pass(guest, HVH_TIME_PER_SECOND / 10);
	assert_int_not_equal(*word_at(guest, ADDRESS(PAGE_INTERRUPT)), 0);
	assert_int_not_equal(*word_at(guest, ADDRESS(PAGE_MONITOR_IN) + 64), 0);
	assert_int_not_equal(*word_at(guest, ADDRESS(PAGE_MONITOR_OUT) + 64), 0);
	assert_false(hvh_quiet(guest->host));
	assert_no_violation(guest);
}

static void an_old_host_gives_a_second_contact_no_bus(void **state)
{
	struct guest *guest = *state;
	struct device device;
	restart(guest, "ws2012");
	struct vmbus_initiate_contact refused = contact_message(VMBUS_VERSION_3_0);
	offer_device(guest, &device, 1, false);
	send_contact(guest, &refused); /* a refusal is no contact yet */
	assert_true(take(guest, 0));
	connect_at(guest, VMBUS_VERSION_2_4);
	post(guest, golden_request_offers, 8);
	assert_true(take(guest, 0));
	assert_int_equal(message_type(guest), VMBUS_MSG_OFFER_CHANNEL);
	assert_message(guest, 0, golden_all_offers_delivered);
	connect_at(guest, VMBUS_VERSION_2_4);
	post(guest, golden_request_offers, 8);
	assert_message(guest, 0, golden_all_offers_delivered);
	uint64_t writes = guest->writes[PAGE_MONITOR_IN];
	pass(guest, HVH_TIME_PER_SECOND / 10);
	assert_true(guest->writes[PAGE_MONITOR_IN] > writes);
}

static void a_loaded_system_crashes_only_on_a_bus_left_at_3_0(void **state)
{
	struct guest *guest = *state;
	restart(guest, "ws2012r2");
	connect_at(guest, VMBUS_VERSION_0_13);
	assert_false(hvh_loaded_system_crashes(guest->host));
	connect_at(guest, VMBUS_VERSION_3_0);
	assert_true(hvh_loaded_system_crashes(guest->host));
	post(guest, golden_unload, sizeof(golden_unload));
	assert_false(hvh_loaded_system_crashes(guest->host));
}

static void silence_at_contact_and_unload(void **state)
{
	struct guest *guest = *state;
	struct vmbus_initiate_contact contact = contact_message(VMBUS_VERSION_5_3);
	hvh_silence_set(guest->host, HVH_SILENCE_CONTACT);
	send_contact(guest, &contact);
	pass(guest, 10 * HVH_TIME_PER_SECOND);
	assert_silence(guest);
	hvh_silence_set(guest->host, HVH_SILENCE_UNLOAD);
	connect_at(guest, VMBUS_VERSION_5_3);
	post(guest, golden_unload, sizeof(golden_unload));
	pass(guest, 10 * HVH_TIME_PER_SECOND);
	assert_silence(guest);
	assert_false(hvh_quiet(guest->host));
	hvh_silence_set(guest->host, HVH_SILENCE_POST);
	for (int n = 0; n < 100; n++)
		assert_int_equal(post_to(guest, 4, golden_unload, 8), HV_STATUS_INSUFFICIENT_BUFFERS);
	assert_no_violation(guest);
}

static void post_faults_strike_and_are_counted(void **state)
{
	struct guest *guest = *state;
	struct vmbus_initiate_contact contact = contact_message(VMBUS_VERSION_5_3);
	hvh_fault_set(guest->host, HVH_FAULT_POST_THROTTLED, 65536);
	connect_at(guest, VMBUS_VERSION_5_3); /* the contact itself never */
	assert_int_equal(post_to(guest, 4, golden_request_offers, 8), HV_STATUS_INVALID_CONNECTION_ID);
	hvh_fault_set(guest->host, HVH_FAULT_POST_BUFFERS, 65536);
	assert_int_equal(post_to(guest, 4, &contact, sizeof(contact)), HV_STATUS_INSUFFICIENT_BUFFERS);
	assert_int_equal(hvh_fault_count(guest->host, HVH_FAULT_POST_THROTTLED), 1);
	assert_int_equal(hvh_fault_count(guest->host, HVH_FAULT_POST_BUFFERS), 1);
	assert_no_violation(guest);
}

static void a_delayed_answer_comes_in_the_end(void **state)
{
	struct guest *guest = *state;
	struct vmbus_initiate_contact contact = contact_message(VMBUS_VERSION_3_0);
	hvh_fault_set(guest->host, HVH_FAULT_DELAY_MESSAGE, 65536);
	send_contact(guest, &contact);
	assert_silence(guest);
	pass(guest, 11 * MS);
	assert_true(take(guest, 0));
	assert_int_equal(hvh_fault_count(guest->host, HVH_FAULT_DELAY_MESSAGE), 1);
}

/* --- The table ------------------------------------------------------------------------ */

static void wrong_messages_are_violations_and_ignored(void **state)
{
	struct guest *guest = *state;
	static const struct {
		uint8_t bytes[60];
		uint32_t size;
		enum hvh_violation_kind kind;
	} cases[] = {
		{{3}, 7, HVH_V_MESSAGE_SHORT},
		{{5}, 20, HVH_V_MESSAGE_SHORT},
		{{0}, 8, HVH_V_MESSAGE_TYPE},
		{{25}, 8, HVH_V_MESSAGE_TYPE},
		{{3, 0, 0, 1}, 8, HVH_V_MESSAGE_TYPE},
		{{1}, 60, HVH_V_MESSAGE_DIRECTION},
		{{15}, 16, HVH_V_MESSAGE_DIRECTION},
		{{23}, 44, HVH_V_MESSAGE_DIRECTION},
		{{22}, 16, HVH_V_MESSAGE_VERSION}, /* MODIFY_CHANNEL before 4.1 */
		{{18}, 28, HVH_V_MESSAGE_VERSION}, /* OPEN_RESERVED before 4.0 */
		{{7, 0, 0, 0, 0, 0, 0, 0, 9}, 12, HVH_V_CHANNEL_ID},
	};
	for (size_t n = 0; n < sizeof(cases) / sizeof(cases[0]); n++) {
		restart(guest, "ws2022");
		connect_at(guest, VMBUS_VERSION_3_0);
		post(guest, cases[n].bytes, cases[n].size);
		assert_silence(guest);
		assert_only_violation(guest, cases[n].kind);
	}
}

static void longer_messages_and_padding_are_noted_and_obeyed(void **state)
{
	struct guest *guest = *state;
	uint8_t bytes[16] = {3};
	connect_at(guest, VMBUS_VERSION_3_0);
	post(guest, bytes, 12);
	assert_message(guest, 0, golden_all_offers_delivered);
	assert_only_violation(guest, HVH_V_MESSAGE_LONG);
	restart(guest, "ws2022");
	connect_at(guest, VMBUS_VERSION_3_0);
	bytes[4] = 1;
	post(guest, bytes, 8);
	assert_message(guest, 0, golden_all_offers_delivered);
	assert_only_violation(guest, HVH_V_MESSAGE_PADDING);
}

static void the_long_form_of_a_newer_version_is_no_violation(void **state)
{
	struct guest *guest = *state;
	struct vmbus_initiate_contact contact = contact_message(VMBUS_VERSION(6, 0));
	uint8_t bytes[56] = {0};
	memcpy(bytes, &contact, sizeof(contact));
	assert_int_equal(post_to(guest, 4, bytes, sizeof(bytes)), 0);
	settle(guest);
	assert_true(take(guest, 0));
	assert_int_equal(guest->message[8], 0);
	assert_no_violation(guest);
}

static void messages_need_a_connection(void **state)
{
	struct guest *guest = *state;
	post(guest, golden_request_offers, 8);
	assert_silence(guest);
	assert_only_violation(guest, HVH_V_MESSAGE_STATE);
}

/* Any bytes at all: violations, no crash, and an answer to an honest contact afterwards. */
static void rubbish_never_crashes(void **state)
{
	struct guest *guest = *state;
	struct device device;
	offered_at(guest, &device, VMBUS_VERSION_5_3, true);
	for (uint32_t n = 0; n < 30000; n++) {
		uint8_t bytes[240];
		for (size_t i = 0; i < sizeof(bytes); i++)
			bytes[i] = (uint8_t)hvh_choose(guest->host, i < 20 && i % 4 != 0 ? 2 : 256);
		bytes[0] = (uint8_t)hvh_choose(guest->host, 28);
		post_to(guest, 4, bytes, hvh_choose(guest->host, 241));
		guest->now += hvh_choose(guest->host, 20000);
		hvh_run(guest->host, guest->now);
		take(guest, 0);
		take(guest, 1);
	}
	for (unsigned n = 0; n < 300 && (take(guest, 0) || take(guest, 1)); n++)
		;
	connect_at(guest, VMBUS_VERSION_5_3);
}

#define T(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(golden_dialogues),
		T(versions_match_exactly),
		T(a_refusal_is_all_zeros_but_for_the_state),
		T(a_cap_hides_versions_but_keeps_unload),
		T(the_target_vp_counts_from_3_0),
		T(a_target_vp_that_is_not_there_gets_no_answer),
		T(another_sint_is_refused_there),
		T(another_vtl_gets_no_answer),
		T(target_info_padding_is_looked_at),
		T(the_wrong_connection_is_a_violation),
		T(one_monitor_page_without_the_other_fails),
		T(pages_are_checked),
		T(a_second_contact_resets_everything),
		T(unload_with_channels_open_is_legal),
		T(ids_may_be_released_after_unload),
		T(unload_before_contact_is_not_answered),
		T(a_host_that_knows_3_0_answers_unload_at_every_version),
		T(an_old_host_ignores_unload_and_goes_on_writing),
		T(an_old_host_gives_a_second_contact_no_bus),
		T(a_loaded_system_crashes_only_on_a_bus_left_at_3_0),
		T(silence_at_contact_and_unload),
		T(post_faults_strike_and_are_counted),
		T(a_delayed_answer_comes_in_the_end),
		T(wrong_messages_are_violations_and_ignored),
		T(longer_messages_and_padding_are_noted_and_obeyed),
		T(the_long_form_of_a_newer_version_is_no_violation),
		T(messages_need_a_connection),
		T(rubbish_never_crashes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
