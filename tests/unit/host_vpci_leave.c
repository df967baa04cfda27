/* SPDX-License-Identifier: MIT */
/* A vPCI bus that goes and comes: ejected, taken away, offered again with another serial. */
#include "host_vpci_guest.h"

static bool rescinded(struct guest *guest)
{
	return take(guest, 0) && message_type(guest) == VMBUS_MSG_RESCIND_OFFER;
}

static void complete_ejection(struct guest *guest)
{
	struct vpci_ejection_complete complete = {VPCI_EJECTION_COMPLETE, SLOT, 0};

	send_message(guest, &complete, sizeof complete, false, 0);
}

static void an_ejected_function_goes_and_its_bus_after_it(void **state)
{
	struct guest *guest = *state;
	struct hvh_vpci *bus = function_ready(guest);
	struct hvh_vpci_counters counters;
	struct answer answer;

	assert_true(hvh_vpci_eject(bus, guest->now));
	settle(guest);
	assert_true(receive(guest, &answer));
	assert_int_equal(answer.descriptor.type, VMBUS_PACKET_IN_BAND);
	assert_int_equal(word_of(&answer, 0), VPCI_EJECT);
	assert_int_equal(word_of(&answer, 4), SLOT);
	pass(guest, 1000 * MS);
	/* It works meanwhile. */
	assert_int_equal(mmio_read(guest, REGISTER_BAR, 8), HVH_REGISTERS_ID_VALUE);
	complete_ejection(guest);
	assert_int_equal(mmio_read(guest, REGISTER_BAR, 4), UINT32_MAX);
	assert_int_equal(config_read(guest, PCI_VENDOR, 2), 0xffff);
	assert_false(take(guest, 0) && message_type(guest) == VMBUS_MSG_RESCIND_OFFER);
	pass(guest, 11 * MS);
	assert_true(rescinded(guest));
	hvh_vpci_get_counters(bus, &counters);
	assert_int_equal(counters.ejects, 1);
	assert_int_equal(counters.ejects_answered, 1);
	assert_no_violation(guest);
}

static void who_does_not_let_go_loses_it(void **state)
{
	struct guest *guest = *state;
	struct hvh_vpci *bus = function_ready(guest);
	struct hvh_vpci_counters counters;

	assert_true(hvh_vpci_eject(bus, guest->now));
	assert_true(hvh_vpci_eject(bus, guest->now)); /* it is asked once */
	settle(guest);
	pass(guest, 59900 * MS);
	assert_int_equal(mmio_read(guest, REGISTER_BAR, 8), HVH_REGISTERS_ID_VALUE);
	assert_false(take(guest, 0));
	pass(guest, 200 * MS);
	assert_true(rescinded(guest));
	assert_int_equal(mmio_read(guest, REGISTER_BAR, 4), UINT32_MAX);
	hvh_vpci_get_counters(bus, &counters);
	assert_int_equal(counters.ejects_answered, 0);
	assert_no_violation(guest);
}

static void a_bus_that_is_not_open_is_taken_at_once(void **state)
{
	struct guest *guest = *state;
	struct hvh_vpci *bus = bus_offered(guest, NULL);

	while (take(guest, 0)) {
	}
	assert_true(hvh_vpci_eject(bus, guest->now));
	settle(guest);
	assert_true(rescinded(guest));
	assert_false(hvh_vpci_eject(bus, guest->now));
	assert_false(hvh_vpci_rescind(bus, guest->now));
}

static void an_answer_that_nobody_asked_for(void **state)
{
	struct guest *guest = *state;

	(void)function_ready(guest);
	complete_ejection(guest);
	assert_only_violation(guest, HVH_V_VPCI_ORDER);
	assert_int_equal(mmio_read(guest, REGISTER_BAR, 8), HVH_REGISTERS_ID_VALUE);
}

static void an_ejected_function_is_not_used(void **state)
{
	struct guest *guest = *state;
	struct hvh_vpci *bus = function_ready(guest);
	struct vpci_message query = {VPCI_QUERY_BUS_RELATIONS};
	struct answer answer;

	assert_true(hvh_vpci_eject(bus, guest->now));
	settle(guest);
	assert_true(receive(guest, &answer));
	complete_ejection(guest);
	send_message(guest, &query, sizeof query, false, 0);
	assert_true(receive(guest, &answer));
	assert_int_equal(word_of(&answer, 4), 0); /* nothing is on the bus */
	config_write(guest, PCI_COMMAND, 2, 0);   /* lost: a guest may not know yet */
	assert_no_violation(guest);
	assert_int_equal(create_interrupt(guest, DEVICE_VECTOR, 0, &answer), VPCI_STATUS_BAD_DATA);
	assert_only_violation(guest, HVH_V_VPCI_ORDER);
}

static void it_may_go_without_a_word(void **state)
{
	struct guest *guest = *state;
	struct hvh_vpci *bus = function_ready(guest);

	assert_true(hvh_vpci_rescind(bus, guest->now));
	settle(guest);
	assert_true(rescinded(guest));
	assert_int_equal(mmio_read(guest, REGISTER_BAR, 4), UINT32_MAX);
	assert_int_equal(config_read(guest, PCI_VENDOR, 2), 0xffff);
	hvh_vpci_interrupt(bus, guest->now, 0); /* a device that is nowhere */
	assert_no_violation(guest);
}

static void it_comes_back_with_another_serial(void **state)
{
	struct guest *guest = *state;
	struct hvh_vpci *bus = function_ready(guest);
	struct vmbus_offer_channel offer;
	uint32_t serial;

	assert_false(hvh_vpci_offer(bus, guest->now, 5)); /* it is there */
	assert_true(hvh_vpci_rescind(bus, guest->now));
	settle(guest);
	assert_true(rescinded(guest));
	assert_true(hvh_vpci_offer(bus, guest->now, 0xabcdef01));
	settle(guest);
	assert_false(take(guest, 0)); /* the guest has the old one */
	send_channel(guest, VMBUS_MSG_RELID_RELEASED, 1);
	assert_true(take(guest, 0));
	assert_int_equal(message_type(guest), VMBUS_MSG_OFFER_CHANNEL);
	memcpy(&offer, guest->message, sizeof offer);
	memcpy(&serial, offer.interface_instance.bytes, sizeof serial);
	assert_int_equal(serial, 0xabcdef01);
	assert_int_equal(hvh_vpci_serial(bus), 0xabcdef01);
	assert_no_violation(guest);
}

static void one_that_is_away_is_offered_later(void **state)
{
	struct guest *guest = *state;
	struct hvh_vpci_config config = {.away = true, .instance = {1, 2, 3, 4, 5, 6, 7, 8}, .serial = 9};
	struct hvh_vpci *bus = bus_offered(guest, &config);
	struct vmbus_offer_channel offer;

	assert_message(guest, 0, golden_all_offers_delivered);
	assert_false(hvh_vpci_eject(bus, guest->now));
	assert_true(hvh_vpci_offer(bus, guest->now, 0));
	settle(guest);
	assert_true(take(guest, 0));
	memcpy(&offer, guest->message, sizeof offer);
	assert_memory_equal(offer.interface_instance.bytes, config.instance, 16);
	assert_int_equal(hvh_vpci_serial(bus), 9);
}

/* The hypercall for interrupts tells devices apart by their instances. */
static void no_two_buses_have_one_device_id(void **state)
{
	struct guest *guest = *state;
	struct hvh_vpci_config config = {.instance = {1, 2, 3, 4, 5, 6, 7, 8}};

	assert_non_null(hvh_registers_create(guest->host, &config));
	config.instance[0] = 9;
	assert_null(hvh_registers_create(guest->host, &config));
	config.instance[4] = 9;
	assert_non_null(hvh_registers_create(guest->host, &config));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(an_ejected_function_goes_and_its_bus_after_it),
		TEST(who_does_not_let_go_loses_it),
		TEST(a_bus_that_is_not_open_is_taken_at_once),
		TEST(an_answer_that_nobody_asked_for),
		TEST(an_ejected_function_is_not_used),
		TEST(it_may_go_without_a_word),
		TEST(it_comes_back_with_another_serial),
		TEST(one_that_is_away_is_offered_later),
		TEST(no_two_buses_have_one_device_id),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
