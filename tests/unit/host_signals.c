/* SPDX-License-Identifier: MIT */
/* Signals by version: interrupt page, shared event, connections of one's own, monitor
 * page; and the faults that concern them. */
#include "host_guest.h"

static struct device device;

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

static _Atomic uint32_t *guest_half(struct guest *guest)
{
	return word_at(guest, ADDRESS(PAGE_INTERRUPT) + VMBUS_INTERRUPT_PAGE_GUEST_TO_HOST);
}

static void packet(struct guest *guest)
{
	static const uint8_t payload[8] = {1};
	send_packet(guest, payload, sizeof(payload), 1);
}

/* --- Guest to host ------------------------------------------------------------------- */

static void at_0_13_by_bit_and_shared_event(void **state)
{
	struct guest *guest = *state;
	opened_at(guest, &device, VMBUS_VERSION_0_13, false);
	assert_int_equal(guest->message[190], 1); /* dedicated, and it means nothing here */
	packet(guest);
	*guest_half(guest) |= 1u << 1;
	assert_int_equal(signal_to(guest, 2), 0);
	settle(guest);
	assert_int_equal(device.count, 1);
	assert_int_equal(*guest_half(guest), 0);
	assert_no_violation(guest);
}

static void at_0_13_the_own_connection_does_not_exist(void **state)
{
	struct guest *guest = *state;
	opened_at(guest, &device, VMBUS_VERSION_0_13, false);
	packet(guest);
	assert_int_equal(signal_to(guest, 0x2001), HV_STATUS_INVALID_CONNECTION_ID);
	assert_only_violation(guest, HVH_V_SIGNAL);
}

static void at_0_13_a_missing_bit_is_found(void **state)
{
	struct guest *guest = *state;
	opened_at(guest, &device, VMBUS_VERSION_0_13, false);
	packet(guest);
	signal_to(guest, 2); /* the other CPU's signal may have taken the bit */
	assert_no_violation(guest);
	signal_to(guest, 2);
	assert_only_violation(guest, HVH_V_EVENT_BIT);
	assert_int_equal(device.count, 0);
}

static void at_0_13_bits_of_nobody_are_found(void **state)
{
	struct guest *guest = *state;
	opened_at(guest, &device, VMBUS_VERSION_0_13, false);
	*guest_half(guest) |= 1u << 9;
	signal_to(guest, 2);
	assert_only_violation(guest, HVH_V_EVENT_BIT);
	send_channel(guest, VMBUS_MSG_CLOSE_CHANNEL, 1);
	*guest_half(guest) |= 1u << 1;
	signal_to(guest, 2);
	assert_int_equal(hvh_violation_get(guest->host, 1)->kind, HVH_V_SIGNAL);
}

/* At 1.1 both kinds of offers exist; the seed decides. */
static void opened_at_1_1(struct guest *guest, bool dedicated)
{
	for (uint64_t seed = 1; seed < 100; seed++) {
		guest_destroy(guest);
		guest_create_with(guest, hvh_profile_find("ws2022"), seed);
		opened_at(guest, &device, VMBUS_VERSION_1_1, false);
		if (guest->message[190] == dedicated)
			return;
	}
	fail_msg("no seed gives such an offer");
}

static void at_1_1_by_the_own_connection(void **state)
{
	struct guest *guest = *state;
	for (int dedicated = 0; dedicated <= 1; dedicated++) {
		opened_at_1_1(guest, dedicated != 0);
		packet(guest);
		if (!dedicated)
			*guest_half(guest) |= 1u << 1;
		assert_int_equal(signal_to(guest, 0x2001), 0);
		settle(guest);
		assert_int_equal(device.count, 1);
		assert_int_equal(*guest_half(guest), 0);
		assert_no_violation(guest);
	}
}

static void at_1_1_a_wrong_bit_is_found(void **state)
{
	struct guest *guest = *state;
	opened_at_1_1(guest, true);
	packet(guest);
	*guest_half(guest) |= 1u << 1;
	signal_to(guest, 0x2001);
	assert_only_violation(guest, HVH_V_EVENT_BIT);

	opened_at_1_1(guest, false);
	packet(guest);
	signal_to(guest, 0x2001);
	settle(guest);
	packet(guest);
	signal_to(guest, 0x2001);
	assert_only_violation(guest, HVH_V_EVENT_BIT);
}

static void at_1_1_the_shared_event_is_a_violation(void **state)
{
	struct guest *guest = *state;
	opened_at_1_1(guest, false);
	packet(guest);
	*guest_half(guest) |= 1u << 1;
	assert_int_equal(signal_to(guest, 2), 0);
	assert_only_violation(guest, HVH_V_SIGNAL);
}

static void from_2_4_there_is_no_shared_event(void **state)
{
	struct guest *guest = *state;
	opened_at(guest, &device, VMBUS_VERSION_2_4, false);
	packet(guest);
	assert_int_equal(signal_to(guest, 2), HV_STATUS_INVALID_CONNECTION_ID);
	assert_only_violation(guest, HVH_V_SIGNAL);
	assert_int_equal(signal_to(guest, 0x2001), 0);
	settle(guest);
	assert_int_equal(device.count, 1);
}

static void a_closed_channel_takes_no_signal(void **state)
{
	struct guest *guest = *state;
	opened_at(guest, &device, VMBUS_VERSION_3_0, false);
	send_channel(guest, VMBUS_MSG_CLOSE_CHANNEL, 1);
	assert_int_equal(signal_to(guest, 0x2001), HV_STATUS_INVALID_CONNECTION_ID);
	assert_only_violation(guest, HVH_V_SIGNAL);
}

/* --- Host to guest ---------------------------------------------------------------------- */

static void host_signals(struct guest *guest)
{
	static const uint8_t payload[8] = {1};
	assert_true(hvh_channel_write(device.channel, guest->now, VMBUS_PACKET_IN_BAND, false, 1, NULL, 0,
				      payload, 8, NULL, 0));
}

static void below_2_4_by_interrupt_page_and_flag_0(void **state)
{
	struct guest *guest = *state;
	for (int n = 0; n < 2; n++) {
		guest_destroy(guest);
		guest_create(guest, "ws2022");
		opened_at(guest, &device, n == 0 ? VMBUS_VERSION_0_13 : VMBUS_VERSION_1_1, false);
		unsigned before = guest->interrupts[0];
		host_signals(guest);
		assert_int_equal(*word_at(guest, ADDRESS(PAGE_INTERRUPT)), 1u << 1);
		assert_true(event_set(guest, 0, 0));
		assert_false(event_set(guest, 0, 1));
		assert_int_equal(guest->interrupts[0], before + 1);
	}
}

static void from_2_4_by_the_own_flag_on_the_target_vp(void **state)
{
	struct guest *guest = *state;
	struct vmbus_open_channel open = open_message(1);
	offered_at(guest, &device, VMBUS_VERSION_2_4, false);
	create_gpadl(guest, 1, GPADL, PAGE_RING, RING_PAGES);
	open.target_vp = 1;
	assert_int_equal(send_open(guest, &open), 0);
	host_signals(guest);
	assert_int_equal(*word_at(guest, ADDRESS(PAGE_INTERRUPT)), 0);
	assert_true(event_set(guest, 1, 1));
	assert_int_equal(guest->interrupts[1], 1);
}

/* --- Monitor page --------------------------------------------------------------------------- */

static void a_monitored_channel_is_polled(void **state)
{
	struct guest *guest = *state;
	opened_at(guest, &device, VMBUS_VERSION_3_0, true);
	assert_int_equal(guest->message[188], 0); /* monitor 0 */
	assert_int_equal(guest->message[189], 1);
	pass(guest, HVH_TIME_PER_SECOND);
	packet(guest);
	*word_at(guest, ADDRESS(PAGE_MONITOR_OUT) + 8) |= 1;
	pass(guest, MS);
	assert_int_equal(device.count, 1);
	assert_int_equal(*word_at(guest, ADDRESS(PAGE_MONITOR_OUT) + 8), 0);
	assert_no_violation(guest);
}

static void below_2_4_a_monitored_channel_has_the_bit_too(void **state)
{
	struct guest *guest = *state;
	opened_at(guest, &device, VMBUS_VERSION_1_1, true);
	packet(guest);
	*guest_half(guest) |= 1u << 1;
	*word_at(guest, ADDRESS(PAGE_MONITOR_OUT) + 8) |= 1;
	pass(guest, MS);
	assert_int_equal(device.count, 1);
	assert_no_violation(guest);
	for (int n = 0; n < 2; n++) {
		packet(guest);
		*word_at(guest, ADDRESS(PAGE_MONITOR_OUT) + 8) |= 1;
		pass(guest, MS);
	}
	assert_only_violation(guest, HVH_V_EVENT_BIT);
	assert_int_equal(device.count, 3);
}

/* Too late is no harm; of nobody is a violation. */
static void monitor_bits_of_nobody_are_found(void **state)
{
	struct guest *guest = *state;
	_Atomic uint32_t *bits = word_at(guest, ADDRESS(PAGE_MONITOR_OUT) + 8);
	struct device second;
	*bits = 0xff; /* of a system before this one */
	opened_at(guest, &device, VMBUS_VERSION_3_0, true);
	pass(guest, MS);
	assert_no_violation(guest);
	*bits = 1u << 5;
	pass(guest, MS);
	assert_only_violation(guest, HVH_V_SIGNAL);
	offer_device(guest, &second, 2, true);
	settle(guest);
	assert_true(take(guest, 0));
	assert_int_equal(guest->message[188], 1);
	*bits = 1u << 1;
	pass(guest, MS);
	assert_int_equal(violations(guest), 2); /* it was never opened */
	assert_int_equal(hvh_violation_get(guest->host, 1)->kind, HVH_V_SIGNAL);
}

static void late_monitor_bits_are_no_harm(void **state)
{
	struct guest *guest = *state;
	_Atomic uint32_t *bits = word_at(guest, ADDRESS(PAGE_MONITOR_OUT) + 8);
	struct vmbus_open_channel open = open_message(2);
	struct device second;
	opened_at(guest, &device, VMBUS_VERSION_3_0, true);
	offer_device(guest, &second, 2, true);
	settle(guest);
	assert_true(take(guest, 0));
	create_gpadl(guest, 2, GPADL + 1, PAGE_RING + 16, RING_PAGES);
	open.ring_gpadl = GPADL + 1;
	assert_int_equal(send_open(guest, &open), 0);
	*bits = 1u << 1;
	send_channel(guest, VMBUS_MSG_CLOSE_CHANNEL, 2);
	pass(guest, MS);
	assert_int_equal(*bits, 0);
	hvh_channel_rescind(second.channel, guest->now);
	settle(guest);
	*bits = 1u << 1; /* it does not know yet */
	assert_true(take(guest, 0));
	send_channel(guest, VMBUS_MSG_RELID_RELEASED, 2);
	pass(guest, MS);
	assert_int_equal(second.count, 0);
	assert_no_violation(guest);
}

static void without_monitor_pages_nothing_is_monitored(void **state)
{
	struct guest *guest = *state;
	struct vmbus_initiate_contact contact = contact_message(VMBUS_VERSION_3_0);
	guest_start(guest);
	offer_device(guest, &device, 1, true);
	contact.monitor_page_guest_to_host = 0;
	contact.monitor_page_host_to_guest = 0;
	send_contact(guest, &contact);
	assert_true(take(guest, 0));
	post(guest, golden_request_offers, 8);
	assert_true(take(guest, 0));
	assert_int_equal(guest->message[188], 0xff);
	assert_int_equal(guest->message[189], 0);
}

/* --- Faults ------------------------------------------------------------------------------------ */

static void a_delayed_signal_arrives(void **state)
{
	struct guest *guest = *state;
	opened_at(guest, &device, VMBUS_VERSION_3_0, false);
	hvh_fault_set(guest->host, HVH_FAULT_DELAY_SIGNAL, 65536);
	packet(guest);
	signal_to(guest, 0x2001);
	settle(guest);
	assert_int_equal(device.count, 0);
	pass(guest, 11 * MS);
	assert_int_equal(device.count, 1);
	assert_int_equal(hvh_fault_count(guest->host, HVH_FAULT_DELAY_SIGNAL), 1);
}

static void spurious_events_and_interrupts_come(void **state)
{
	struct guest *guest = *state;
	opened_at(guest, &device, VMBUS_VERSION_3_0, false);
	hvh_fault_set(guest->host, HVH_FAULT_SPURIOUS_EVENT, 65536);
	hvh_fault_set(guest->host, HVH_FAULT_SPURIOUS_INTERRUPT, 65536);
	unsigned before = guest->interrupts[0] + guest->interrupts[1];
	packet(guest);
	signal_to(guest, 0x2001);
	settle(guest);
	assert_true(event_set(guest, 0, 1));
	pass(guest, 11 * MS);
	assert_int_equal(guest->interrupts[0] + guest->interrupts[1], before + 2);
	assert_int_equal(hvh_fault_count(guest->host, HVH_FAULT_SPURIOUS_EVENT), 1);
	assert_int_equal(hvh_fault_count(guest->host, HVH_FAULT_SPURIOUS_INTERRUPT), 1);
}

#define T(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(at_0_13_by_bit_and_shared_event),
		T(at_0_13_the_own_connection_does_not_exist),
		T(at_0_13_a_missing_bit_is_found),
		T(at_0_13_bits_of_nobody_are_found),
		T(at_1_1_by_the_own_connection),
		T(at_1_1_a_wrong_bit_is_found),
		T(at_1_1_the_shared_event_is_a_violation),
		T(from_2_4_there_is_no_shared_event),
		T(a_closed_channel_takes_no_signal),
		T(below_2_4_by_interrupt_page_and_flag_0),
		T(from_2_4_by_the_own_flag_on_the_target_vp),
		T(a_monitored_channel_is_polled),
		T(below_2_4_a_monitored_channel_has_the_bit_too),
		T(monitor_bits_of_nobody_are_found),
		T(late_monitor_bits_are_no_harm),
		T(without_monitor_pages_nothing_is_monitored),
		T(a_delayed_signal_arrives),
		T(spurious_events_and_interrupts_come),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
