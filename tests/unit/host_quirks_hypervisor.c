/* SPDX-License-Identifier: MIT */
/* What the quirks of the hypervisor and of the contact do, each in both settings. */
#include "host_guest.h"
#include "hvkit_host/quirk.h"

static void begin(struct guest *guest, const char *profile, const char *quirk, const char *value)
{
	guest_create(guest, profile);
	assert_true(hvh_partition_set_quirk(guest->host, quirk, value, NULL, 0));
	guest_start(guest);
}

static void reference_tsc(void **state)
{
	static const char *const values[] = {"present", "absent", "invalid"};
	struct guest guest;
	(void)state;
	for (int n = 0; n < 3; n++) {
		uint32_t leaf[4];
		uint64_t value;
		begin(&guest, "ws2022", "reference-tsc", values[n]);
		hvh_cpuid(guest.host, HV_CPUID_FEATURES, leaf);
		assert_int_equal((leaf[0] & HV_ACCESS_REFERENCE_TSC) != 0, n != 1);
		assert_true((leaf[0] & HV_ACCESS_FREQUENCIES) != 0);
		assert_int_equal(hvh_msr_read(guest.host, 0, 0, HV_MSR_REFERENCE_TSC, &value), n != 1);
		if (n != 1) {
			set_page(&guest, 0, HV_MSR_REFERENCE_TSC, PAGE_TSC);
			assert_int_equal(*word_at(&guest, ADDRESS(PAGE_TSC)), n == 0 ? 1 : 0);
			assert_no_violation(&guest);
		} else {
			assert_false(hvh_msr_write(guest.host, 0, 0, HV_MSR_REFERENCE_TSC,
						   ADDRESS(PAGE_TSC) | HV_PAGE_ENABLE));
		}
		guest_destroy(&guest);
	}
}

static void message_privileges(void **state)
{
	struct guest guest;
	(void)state;
	for (int on = 0; on < 2; on++) {
		uint32_t leaf[4];
		begin(&guest, "ws2022", "message-privileges", on ? "on" : "off");
		hvh_cpuid(guest.host, HV_CPUID_FEATURES, leaf);
		assert_int_equal(leaf[1], on ? 0x30 : 0);
		connect_at(&guest, VMBUS_VERSION_5_3); /* and it works all the same */
		guest_destroy(&guest);
	}
}

/* Three messages; the guest empties the slot and writes no EOM. */
static void redelivery(void **state)
{
	struct guest guest;
	struct device devices[3];
	(void)state;
	for (int looking = 0; looking < 2; looking++) {
		begin(&guest, "ws2022", "redelivery", looking ? "by-looking" : "on-eom");
		for (uint8_t n = 0; n < 3; n++)
			offer_device(&guest, &devices[n], n, false);
		connect_at(&guest, VMBUS_VERSION_5_3);
		post(&guest, golden_request_offers, 8);
		for (uint32_t n = 1; n <= 3; n++) {
			uint32_t id;
			assert_int_equal(*word_at(&guest, slot_at(0)), HV_MESSAGE_VMBUS);
			memcpy(&id, guest.memory + slot_at(0) + 16 + 184, 4);
			assert_int_equal(id, n);
			*word_at(&guest, slot_at(0)) = 0;
			settle(&guest);
			if (looking && n < 3)
				assert_true(hvh_next_event(guest.host) <= guest.now + MS);
			pass(&guest, 3 * MS);
			if (!looking) {
				assert_int_equal(*word_at(&guest, slot_at(0)), 0);
				break;
			}
		}
		assert_no_violation(&guest);
		guest_destroy(&guest);
	}
}

/* The flag of a slot that is full while another message waits. */
static void late_pending(void **state)
{
	static const struct {
		const char *value;
		uint32_t chance;
		bool late;
	} cases[] = {{"off", 65536, false}, {"on", 0, true}, {"by-seed", 65536, true}, {"by-seed", 0, false}};
	struct guest guest;
	struct device device;
	(void)state;
	for (size_t n = 0; n < 4; n++) {
		begin(&guest, "ws2022", "late-pending", cases[n].value);
		offer_device(&guest, &device, 1, false);
		connect_at(&guest, VMBUS_VERSION_5_3);
		hvh_fault_set(guest.host, HVH_FAULT_LATE_PENDING, cases[n].chance);
		post(&guest, golden_request_offers, 8);
		bool flagged = (guest.memory[slot_at(0) + 5] & HV_MESSAGE_FLAG_PENDING) != 0;
		assert_int_equal(flagged, !cases[n].late);
		pass(&guest, 2 * MS);
		assert_true((guest.memory[slot_at(0) + 5] & HV_MESSAGE_FLAG_PENDING) != 0);
		guest_destroy(&guest);
	}
}

static void post_status(void **state)
{
	static const struct {
		const char *value;
		uint32_t status;
	} cases[] = {{"0x13", 0x13}, {"0x78", 0x78}, {"0x12", 0x12}};
	struct guest guest;
	(void)state;
	for (size_t n = 0; n < 3; n++) {
		guest_create(&guest, "ws2012r2");
		guest_start(&guest);
		connect_at(&guest, VMBUS_VERSION_3_0);
		assert_true(hvh_partition_set_quirk(guest.host, "post-status", cases[n].value, NULL, 0));
		for (int turn = 0; turn < 2; turn++) {
			assert_int_equal(post_to(&guest, 1, golden_request_offers, 8), cases[n].status);
			assert_int_equal(post_to(&guest, 1, golden_request_offers, 8), 0);
		}
		struct vmbus_initiate_contact contact = contact_message(VMBUS_VERSION_3_0);
		uint32_t status = post_to(&guest, 1, &contact, sizeof(contact));
		assert_int_equal(status, cases[n].status == 0x12 ? 0 : cases[n].status);
		guest_destroy(&guest);
	}
	/* Taken, whatever the faults say; and by seed as they say. */
	guest_create(&guest, "ws2022");
	guest_start(&guest);
	hvh_fault_set(guest.host, HVH_FAULT_POST_BUFFERS, 65536);
	assert_int_equal(post_to(&guest, 1, golden_request_offers, 8), 0x13);
	assert_true(hvh_partition_set_quirk(guest.host, "post-status", "accepted", NULL, 0));
	assert_int_equal(post_to(&guest, 1, golden_request_offers, 8), 0);
	guest_destroy(&guest);
}

static bool accepts(struct guest *guest, uint32_t version)
{
	struct vmbus_initiate_contact contact = contact_message(version);
	send_contact(guest, &contact);
	assert_true(take(guest, 0));
	return guest->message[8] != 0;
}

static void version_max_and_policy(void **state)
{
	struct guest guest;
	(void)state;
	begin(&guest, "ws2016", "version-policy", "exact");
	assert_false(accepts(&guest, VMBUS_VERSION(2, 5)));
	assert_false(accepts(&guest, VMBUS_VERSION_4_1));
	assert_true(accepts(&guest, VMBUS_VERSION_4_0));
	guest_destroy(&guest);
	begin(&guest, "ws2016", "version-policy", "range");
	assert_true(accepts(&guest, VMBUS_VERSION(2, 5)));
	assert_true(accepts(&guest, VMBUS_VERSION(0, 1)));
	assert_false(accepts(&guest, 0));
	assert_false(accepts(&guest, VMBUS_VERSION_4_1));
	guest_destroy(&guest);
	begin(&guest, "ws2016", "version-max", "2.4");
	assert_false(accepts(&guest, VMBUS_VERSION_3_0));
	assert_true(accepts(&guest, VMBUS_VERSION_2_4));
	guest_destroy(&guest);
}

static void unload_before_contact(void **state)
{
	struct guest guest;
	(void)state;
	begin(&guest, "ws2022", "unload-before-contact", "off");
	post(&guest, golden_unload, sizeof(golden_unload));
	assert_silence(&guest);
	assert_only_violation(&guest, HVH_V_MESSAGE_STATE);
	guest_destroy(&guest);
	begin(&guest, "ws2022", "unload-before-contact", "on");
	post(&guest, golden_unload, sizeof(golden_unload));
	assert_message(&guest, 0, golden_unload_response);
	assert_no_violation(&guest);
	guest_destroy(&guest);
}

static void unload_works(void **state)
{
	struct guest guest;
	(void)state;
	for (int on = 0; on < 2; on++) {
		begin(&guest, "ws2022", "unload-works", on ? "on" : "off");
		connect_at(&guest, VMBUS_VERSION_4_0);
		post(&guest, golden_unload, sizeof(golden_unload));
		assert_int_equal(take(&guest, 0), on);
		assert_int_equal(hvh_quiet(guest.host), on);
		guest_destroy(&guest);
	}
}

static void connection_4(void **state)
{
	struct vmbus_initiate_contact contact = contact_message(VMBUS_VERSION_5_3);
	struct guest guest;
	(void)state;
	begin(&guest, "ws2022", "connection-4", "off");
	assert_int_equal(post_to(&guest, 4, &contact, sizeof(contact)), HV_STATUS_INVALID_CONNECTION_ID);
	assert_no_violation(&guest);
	guest_destroy(&guest);
	begin(&guest, "ws2022", "connection-4", "on");
	assert_int_equal(post_to(&guest, 4, &contact, sizeof(contact)), 0);
	guest_destroy(&guest);
}

static void returned_connection(void **state)
{
	struct guest guest;
	(void)state;
	for (uint32_t n = 1; n <= 4; n += 3) {
		begin(&guest, "ws2022", "returned-connection", n == 1 ? "1" : "4");
		connect_at(&guest, VMBUS_VERSION_5_3);
		assert_int_equal(message_word(&guest, 12), n);
		post(&guest, golden_request_offers, 8);
		assert_message(&guest, 0, golden_all_offers_delivered);
		assert_no_violation(&guest);
		guest.connection = 5 - n; /* the other one */
		post(&guest, golden_unload, sizeof(golden_unload));
		assert_only_violation(&guest, HVH_V_POST);
		guest_destroy(&guest);
	}
}

static void what_the_answer_holds(void **state)
{
	struct guest guest;
	(void)state;
	for (int on = 0; on < 2; on++) {
		begin(&guest, "ws2012r2", "response-state-garbage", on ? "on" : "off");
		connect_at(&guest, VMBUS_VERSION_1_1);
		assert_int_equal(guest.message[9] != 0, on);
		guest_destroy(&guest);
		begin(&guest, "ws2012r2", "echoes-version", on ? "on" : "off");
		connect_at(&guest, VMBUS_VERSION_2_4);
		assert_int_equal(message_word(&guest, 12), on ? VMBUS_VERSION_2_4 : 0);
		guest_destroy(&guest);
	}
}

static void loaded_system_crashes(void **state)
{
	struct guest guest;
	(void)state;
	for (int on = 0; on < 2; on++) {
		begin(&guest, "ws2012r2", "loaded-system-crashes", on ? "on" : "off");
		connect_at(&guest, VMBUS_VERSION_2_4);
		assert_false(hvh_loaded_system_crashes(guest.host));
		connect_at(&guest, VMBUS_VERSION_3_0);
		assert_int_equal(hvh_loaded_system_crashes(guest.host), on);
		guest_destroy(&guest);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reference_tsc),
		cmocka_unit_test(message_privileges),
		cmocka_unit_test(redelivery),
		cmocka_unit_test(late_pending),
		cmocka_unit_test(post_status),
		cmocka_unit_test(version_max_and_policy),
		cmocka_unit_test(unload_before_contact),
		cmocka_unit_test(unload_works),
		cmocka_unit_test(connection_4),
		cmocka_unit_test(returned_connection),
		cmocka_unit_test(what_the_answer_holds),
		cmocka_unit_test(loaded_system_crashes),
	};
	return cmocka_run_group_tests_name("host_quirks_hypervisor", tests, NULL, NULL);
}
