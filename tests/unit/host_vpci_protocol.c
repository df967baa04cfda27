/* SPDX-License-Identifier: MIT */
/* The dialogue of a vPCI bus: versions, relations, D0, resources, power, and what is refused. */
#include "host_vpci_guest.h"

static void set(struct guest *guest, const char *quirk, const char *value)
{
	char error[160] = "";

	if (!hvh_partition_set_quirk(guest->host, quirk, value, error, sizeof error))
		fail_msg("%s", error);
}

/* --- Versions --------------------------------------------------------------------------------- */

static void versions_up_to_the_newest_are_accepted(void **state)
{
	struct guest *guest = *state;
	struct answer answer;

	(void)bus_opened(guest, NULL);
	assert_int_equal(ask_version(guest, 0x00010007, &answer), VPCI_STATUS_REVISION_MISMATCH);
	assert_int_equal(ask_version(guest, VPCI_VERSION_1_0, &answer), VPCI_STATUS_REVISION_MISMATCH);
	assert_int_equal(ask_version(guest, VPCI_VERSION_1_4, &answer), VPCI_STATUS_SUCCESS);
	assert_int_equal(answer.length, 8);
	assert_int_equal(word_of(&answer, 4), VPCI_VERSION_1_4);
	assert_no_violation(guest);
}

static void a_host_accepts_what_its_profile_knows(void **state)
{
	static const struct {
		const char *profile;
		uint32_t oldest, newest;
	} rows[] = {
		{"ws2012r2", 0, 0},
		{"ws2016", VPCI_VERSION_1_1, VPCI_VERSION_1_2},
		{"ws2022", VPCI_VERSION_1_1, VPCI_VERSION_1_4},
		{"openvmm", VPCI_VERSION_1_2, VPCI_VERSION_1_4},
	};

	(void)state;
	for (unsigned n = 0; n < sizeof rows / sizeof rows[0]; n++) {
		for (uint32_t version = VPCI_VERSION_1_1; version <= VPCI_VERSION_1_4; version++) {
			bool good = version >= rows[n].oldest && version <= rows[n].newest;
			struct guest guest;
			struct answer answer;

			guest_create(&guest, rows[n].profile);
			(void)bus_opened(&guest, NULL);
			assert_int_equal(ask_version(&guest, version, &answer),
					 good ? VPCI_STATUS_SUCCESS : VPCI_STATUS_REVISION_MISMATCH);
			assert_no_violation(&guest);
			guest_destroy(&guest);
		}
	}
}

static void a_bus_may_know_less_than_its_host(void **state)
{
	struct guest *guest = *state;
	struct hvh_vpci_config config = {.protocol_newest = VPCI_VERSION_1_1};
	struct answer answer;

	(void)bus_opened(guest, &config);
	assert_int_equal(ask_version(guest, VPCI_VERSION_1_2, &answer), VPCI_STATUS_REVISION_MISMATCH);
	assert_int_equal(ask_version(guest, VPCI_VERSION_1_1, &answer), VPCI_STATUS_SUCCESS);
	assert_int_equal(ask_version(guest, VPCI_VERSION_1_1, &answer), VPCI_STATUS_BAD_DATA);
	assert_only_violation(guest, HVH_V_VPCI_ORDER);
}

static void what_comes_before_the_version_ends_the_worker(void **state)
{
	struct guest *guest = *state;
	struct vpci_message query = {VPCI_QUERY_BUS_RELATIONS};
	struct vpci_version_request request = {VPCI_QUERY_PROTOCOL_VERSION, VPCI_VERSION_1_4};
	struct answer answer;

	(void)bus_opened(guest, NULL);
	send_message(guest, &query, sizeof query, true, 1);
	send_message(guest, &request, sizeof request, true, 2);
	assert_false(receive(guest, &answer));
	assert_only_violation(guest, HVH_V_VPCI_ORDER);
}

static void only_in_band_packets_are_read(void **state)
{
	struct guest *guest = *state;
	struct vpci_version_request request = {VPCI_QUERY_PROTOCOL_VERSION, VPCI_VERSION_1_4};
	struct answer answer;

	(void)bus_opened(guest, NULL);
	send_raw(guest, VMBUS_PACKET_COMPLETION, 0, 1, &request, sizeof request);
	assert_false(receive(guest, &answer));
	assert_true(violations(guest) > 0);
	send_message(guest, &request, sizeof request, true, 2);
	assert_false(receive(guest, &answer));
}

/* --- Relations ---------------------------------------------------------------------------------- */

static void query_relations(struct guest *guest, struct answer *answer)
{
	struct vpci_message query = {VPCI_QUERY_BUS_RELATIONS};

	send_message(guest, &query, sizeof query, false, 1); /* as Linux: no completion */
	assert_true(receive(guest, answer));
	assert_int_equal(answer->descriptor.type, VMBUS_PACKET_IN_BAND);
	assert_int_equal(answer->descriptor.flags, 0);
}

static void relations_describe_the_function(void **state)
{
	struct guest *guest = *state;
	struct vpci_function function;
	struct answer answer, none;

	(void)bus_opened(guest, NULL);
	assert_int_equal(ask_version(guest, VPCI_VERSION_1_2, &answer), 0);
	query_relations(guest, &answer);
	assert_int_equal(word_of(&answer, 0), VPCI_BUS_RELATIONS);
	assert_int_equal(word_of(&answer, 4), 1);
	assert_int_equal(answer.length, 32); /* 8 and 20, padded */
	memcpy(&function, answer.payload + 8, sizeof function);
	assert_int_equal(function.vendor, HVH_REGISTERS_VENDOR);
	assert_int_equal(function.device, HVH_REGISTERS_DEVICE);
	assert_int_equal(function.subsystem, 0x00011af4);
	assert_int_equal(function.class_, 0xff);
	assert_int_equal(function.slot, SLOT);
	assert_int_equal(function.serial, CONFIG_SERIAL);
	assert_false(receive(guest, &none));
	assert_no_violation(guest);
}

static void from_1_3_relations_are_longer(void **state)
{
	struct guest *guest = *state;
	struct vpci_function2 function;
	struct answer answer;

	(void)bus_opened(guest, NULL);
	assert_int_equal(ask_version(guest, VPCI_VERSION_1_3, &answer), 0);
	query_relations(guest, &answer);
	assert_int_equal(word_of(&answer, 0), VPCI_BUS_RELATIONS2);
	assert_int_equal(word_of(&answer, 4), 1);
	memcpy(&function, answer.payload + 8, sizeof function);
	assert_int_equal(function.function.serial, CONFIG_SERIAL);
	assert_int_equal(function.flags, VPCI_FUNCTION_NUMA_NODE);
	assert_int_equal(function.numa_node, 0);
}

static void a_query_is_completed_if_asked(void **state)
{
	struct guest *guest = *state;
	struct vpci_message query = {VPCI_QUERY_BUS_RELATIONS};
	struct answer answer;
	unsigned others;

	(void)bus_opened(guest, NULL);
	assert_int_equal(ask_version(guest, VPCI_VERSION_1_2, &answer), 0);
	assert_int_equal(ask_counting(guest, &query, sizeof query, &answer, &others), 0);
	assert_int_equal(others, 1);
}

/* The serial is the first word of an instance that nobody has chosen (OpenVMM). */
static void the_serial_is_in_the_instance(void **state)
{
	struct guest *guest = *state;
	struct hvh_vpci *bus = bus_offered(guest, NULL);
	struct hvh_device_info info;
	uint32_t word;

	assert_true(hvh_device_get(guest->host, 0, &info));
	assert_string_equal(info.name, "pci0");
	memcpy(&word, info.instance, sizeof word);
	assert_int_equal(word, CONFIG_SERIAL);
	assert_int_equal(hvh_vpci_serial(bus), CONFIG_SERIAL);
	assert_ptr_equal(hvh_vpci_find(guest->host, "pci0"), bus);
	assert_null(hvh_vpci_find(guest->host, "pci1"));
}

static void each_habit_of_relations_at_d0(void **state)
{
	static const struct {
		const char *habit;
		unsigned before, after;
	} rows[] = {{"when-asked", 0, 0}, {"before", 1, 0}, {"after", 0, 1}};

	(void)state;
	for (unsigned n = 0; n < 3; n++) {
		struct vpci_d0_entry entry = {.type = VPCI_BUS_D0_ENTRY, .window = WINDOW};
		struct guest guest;
		struct answer answer;
		unsigned others;

		guest_create(&guest, "ws2022");
		set(&guest, "vpci-relations", rows[n].habit);
		(void)bus_opened(&guest, NULL);
		assert_int_equal(ask_version(&guest, VPCI_VERSION_1_2, &answer), 0);
		assert_int_equal(ask_counting(&guest, &entry, sizeof entry, &answer, &others), 0);
		assert_int_equal(others, rows[n].before);
		pass(&guest, 10 * MS);
		assert_int_equal(receive(&guest, &answer), rows[n].after);
		assert_no_violation(&guest);
		guest_destroy(&guest);
	}
}

/* --- D0 --------------------------------------------------------------------------------------------- */

static void requirements_are_the_bars_as_probed(void **state)
{
	struct guest *guest = *state;
	struct answer answer;

	(void)bus_opened(guest, NULL);
	assert_int_equal(ask_version(guest, VPCI_VERSION_1_2, &answer), 0);
	assert_int_equal(ask_slot(guest, VPCI_QUERY_RESOURCE_REQUIREMENTS, &answer), 0);
	assert_int_equal(answer.length, 32); /* 28, padded */
	assert_int_equal(word_of(&answer, 4), 0xfffff000);
	assert_int_equal(word_of(&answer, 8), 0);
	assert_int_equal(word_of(&answer, 12), 0xffff000c); /* 64 bits, prefetchable */
	assert_int_equal(word_of(&answer, 16), 0xffffffff);
	assert_int_equal(word_of(&answer, 20), 0xffffc004);
	assert_int_equal(word_of(&answer, 24), 0xffffffff);
	assert_no_violation(guest);
}

static void d0_is_entered_once_and_left(void **state)
{
	struct guest *guest = *state;
	struct vpci_message leave = {VPCI_BUS_D0_EXIT};
	struct answer answer;

	(void)bus_in_d0(guest, VPCI_VERSION_1_2);
	assert_int_equal(config_read(guest, PCI_VENDOR, 2), HVH_REGISTERS_VENDOR);
	assert_int_equal(ask(guest, &leave, sizeof leave, &answer), 0);
	assert_int_equal(config_read(guest, PCI_VENDOR, 2), 0xffff); /* the window is gone */
	assert_int_equal(enter_d0(guest, WINDOW + VPCI_WINDOW_SIZE, &answer), 0);
	assert_no_violation(guest);
	assert_int_equal(enter_d0(guest, WINDOW, &answer), VPCI_STATUS_BAD_DATA);
	assert_only_violation(guest, HVH_V_VPCI_ORDER);
}

static void windows_that_are_none(void **state)
{
	static const uint64_t bad[] = {
		WINDOW + 0x800,
		0xfebff000, /* half of it */
		0xf7fff000,
		0,
		0x100000,
		UINT64_MAX - 0xfff,
		HVH_MMIO_HIGH_BASE + HVH_MMIO_HIGH_LENGTH - 0x1000,
	};
	struct guest *guest = *state;
	struct answer answer;

	(void)bus_opened(guest, NULL);
	assert_int_equal(ask_version(guest, VPCI_VERSION_1_2, &answer), 0);
	for (unsigned n = 0; n < sizeof bad / sizeof bad[0]; n++) {
		assert_int_equal(enter_d0(guest, bad[n], &answer), VPCI_STATUS_BAD_DATA);
		assert_int_equal(hvh_violation_count(guest->host, HVH_V_VPCI_VALUE), n + 1);
	}
	assert_int_equal(enter_d0(guest, 0xfebfe000, &answer), 0); /* the last place in the low window */
}

static void d0_comes_before_what_needs_it(void **state)
{
	struct guest *guest = *state;
	struct answer answer;

	(void)bus_opened(guest, NULL);
	assert_int_equal(ask_version(guest, VPCI_VERSION_1_2, &answer), 0);
	assert_int_equal(assign_resources(guest, VPCI_RESOURCES_ASSIGNED2, &answer), VPCI_STATUS_BAD_DATA);
	assert_only_violation(guest, HVH_V_VPCI_ORDER);
}

static void a_closed_bus_forgets(void **state)
{
	struct guest *guest = *state;

	(void)function_ready(guest);
	mmio_write(guest, REGISTER_BAR + HVH_REGISTERS_SCRATCH, 4, 0x1234);
	send_channel(guest, VMBUS_MSG_CLOSE_CHANNEL, 1);
	assert_int_equal(mmio_read(guest, REGISTER_BAR + HVH_REGISTERS_SCRATCH, 4), UINT32_MAX);
	assert_int_equal(config_read(guest, PCI_VENDOR, 2), 0xffff);
	send_teardown(guest, 1, GPADL + 1);
	while (take(guest, 0)) {
	}
	open_channel(guest, 1);
	assert_no_violation(guest);
}

/* Slot, resources, interrupts, an ejection that was asked for: all of it ends with the channel. */
static void a_bus_opened_again_has_nothing_of_before(void **state)
{
	struct guest *guest = *state;
	struct vpci_delete_interrupt message = {.type = VPCI_DELETE_INTERRUPT, .slot = SLOT};
	struct vpci_ejection_complete ejected = {.type = VPCI_EJECTION_COMPLETE, .slot = SLOT};
	struct hvh_vpci *bus = function_ready(guest);
	struct answer answer;

	assert_int_equal(create_interrupt(guest, DEVICE_VECTOR, 0, &answer), 0);
	message.interrupt = created(&answer);
	assert_true(hvh_vpci_eject(bus, guest->now));
	assert_true(hvh_vpci_is_leaving(bus));
	open_again(guest);
	assert_false(hvh_vpci_is_leaving(bus));
	expect_nothing(guest);
	assert_int_equal(ask_version(guest, VPCI_VERSION_1_1, &answer), 0);
	assert_int_equal(enter_d0(guest, WINDOW, &answer), 0);
	drain(guest);
	assert_int_equal(config_read(guest, PCI_VENDOR, 2), 0xffff); /* no slot is chosen */
	mmio_write(guest, WINDOW, 4, SLOT);
	assert_int_equal(config_read(guest, PCI_VENDOR, 2), HVH_REGISTERS_VENDOR);
	assert_int_equal(config_read(guest, PCI_COMMAND, 2), 0);
	assert_no_violation(guest);
	assert_int_equal(create_interrupt(guest, DEVICE_VECTOR, 0, &answer), VPCI_STATUS_BAD_DATA);
	assert_only_violation(guest, HVH_V_VPCI_ORDER); /* 1.1 has no such form */
	assert_int_equal(ask(guest, &message, sizeof message, &answer), VPCI_STATUS_BAD_DATA);
	assert_int_equal(hvh_violation_count(guest->host, HVH_V_VPCI_INTERRUPT), 1);
	assert_int_equal(ask(guest, &ejected, sizeof ejected, &answer), VPCI_STATUS_BAD_DATA);
	assert_int_equal(hvh_violation_count(guest->host, HVH_V_VPCI_ORDER), 2);
	pass(guest, 120000 * MS);
	assert_true(hvh_vpci_is_offered(bus)); /* nobody waits for it to leave */
}

/* --- Resources and power ------------------------------------------------------------------------------ */

static void resources_may_say_where_bars_are(void **state)
{
	struct guest *guest = *state;
	struct vpci_resources_assigned assigned = {
		.type = VPCI_RESOURCES_ASSIGNED2,
		.slot = SLOT,
		.resources = {[0] = {.type = 3, .address = REGISTER_BAR, .length = 4096},
			      [2] = {.type = 3, .address = MEMORY_BAR, .length = 65536}},
	};
	struct answer answer;

	(void)bus_in_d0(guest, VPCI_VERSION_1_2);
	assert_int_equal(ask(guest, &assigned, sizeof assigned, &answer), 0);
	config_write(guest, PCI_COMMAND, 2, PCI_COMMAND_MEMORY);
	assert_int_equal(mmio_read(guest, REGISTER_BAR, 8), HVH_REGISTERS_ID_VALUE);
	mmio_write(guest, MEMORY_BAR + 65528, 8, 77);
	assert_int_equal(mmio_read(guest, MEMORY_BAR + 65528, 8), 77);
	assert_no_violation(guest);
}

/* As Linux sends them, and OpenVMM takes them: what was written before is gone. */
static void resources_of_zeros_take_bars_away(void **state)
{
	struct guest *guest = *state;
	struct answer answer;

	(void)function_ready(guest);
	config_write(guest, PCI_COMMAND, 2, 0);
	assert_int_equal(assign_resources(guest, VPCI_RESOURCES_ASSIGNED2, &answer), 0);
	assert_int_equal(config_read(guest, PCI_BAR0, 4), 0);
	assert_int_equal(config_read(guest, PCI_BAR0 + 8, 4) & ~0xfu, 0);
	assert_no_violation(guest);
}

static void resources_that_contradict_themselves(void **state)
{
	struct guest *guest = *state;
	struct vpci_resources_assigned assigned = {
		.type = VPCI_RESOURCES_ASSIGNED2, .slot = SLOT, .interrupt_count = 1};
	struct answer answer;

	(void)bus_in_d0(guest, VPCI_VERSION_1_2);
	assert_int_equal(ask(guest, &assigned, sizeof assigned, &answer), VPCI_STATUS_BAD_DATA);
	assigned.interrupt_count = 0x04000000; /* times 72 */
	assert_int_equal(ask(guest, &assigned, sizeof assigned, &answer), VPCI_STATUS_BAD_DATA);
	assigned.interrupt_count = 0;
	assigned.resources[1].type = 1; /* ports */
	assert_int_equal(ask(guest, &assigned, sizeof assigned, &answer), VPCI_STATUS_BAD_DATA);
	assert_int_equal(hvh_violation_count(guest->host, HVH_V_VPCI_VALUE), 3);
}

static void power_goes_and_comes(void **state)
{
	struct guest *guest = *state;
	struct vpci_power_state power = {VPCI_POWER_STATE, SLOT, VPCI_POWER_D3};
	struct answer answer;

	(void)function_ready(guest);
	mmio_write(guest, REGISTER_BAR + HVH_REGISTERS_SCRATCH, 4, 5);
	assert_int_equal(ask(guest, &power, sizeof power, &answer), 0);
	assert_int_equal(mmio_read(guest, REGISTER_BAR, 4), UINT32_MAX);
	assert_int_equal(config_read(guest, PCI_VENDOR, 2), HVH_REGISTERS_VENDOR);
	assert_int_equal(config_read(guest, PCI_COMMAND, 2), 0);
	/* Where it was, it does not answer without power. */
	config_write(guest, PCI_BAR0, 4, (uint32_t)REGISTER_BAR);
	config_write(guest, PCI_COMMAND, 2, PCI_COMMAND_MEMORY);
	assert_int_equal(mmio_read(guest, REGISTER_BAR, 4), UINT32_MAX);
	power.state = VPCI_POWER_D0;
	assert_int_equal(ask(guest, &power, sizeof power, &answer), 0);
	assert_int_equal(mmio_read(guest, REGISTER_BAR, 8), HVH_REGISTERS_ID_VALUE);
	assert_int_equal(mmio_read(guest, REGISTER_BAR + HVH_REGISTERS_SCRATCH, 4), 0);
	assert_no_violation(guest);
	power.state = 2;
	assert_int_equal(ask(guest, &power, sizeof power, &answer), VPCI_STATUS_BAD_DATA);
	assert_only_violation(guest, HVH_V_VPCI_VALUE);
}

static void resources_are_released(void **state)
{
	struct guest *guest = *state;
	struct vpci_slot_message released = {VPCI_RESOURCES_RELEASED, SLOT};
	struct answer answer;

	(void)function_ready(guest);
	send_message(guest, &released, sizeof released, false, 0);
	assert_false(receive(guest, &answer));
	assert_int_equal(create_interrupt(guest, DEVICE_VECTOR, 0, &answer), VPCI_STATUS_BAD_DATA);
	assert_only_violation(guest, HVH_V_VPCI_ORDER);
}

/* --- What is refused ---------------------------------------------------------------------------- */

static void what_is_malformed_is_refused(void **state)
{
	struct guest *guest = *state;
	struct vpci_slot_message message = {VPCI_QUERY_RESOURCE_REQUIREMENTS, SLOT + 1};
	uint64_t word = VPCI_BUS_D0_EXIT | 1ull << 32;
	struct answer answer;

	(void)bus_in_d0(guest, VPCI_VERSION_1_2);
	assert_int_equal(ask(guest, &message, sizeof message, &answer), VPCI_STATUS_BAD_DATA);
	assert_int_equal(hvh_violation_count(guest->host, HVH_V_VPCI_VALUE), 1);
	message = (struct vpci_slot_message){VPCI_MESSAGE_BASE + 0x1d, SLOT};
	assert_int_equal(ask(guest, &message, sizeof message, &answer), VPCI_STATUS_BAD_DATA);
	message.type = VPCI_EJECT; /* the host's */
	assert_int_equal(ask(guest, &message, sizeof message, &answer), VPCI_STATUS_BAD_DATA);
	assert_int_equal(hvh_violation_count(guest->host, HVH_V_VPCI_TYPE), 2);
	message.type = VPCI_POWER_STATE;
	assert_int_equal(ask(guest, &message, sizeof message, &answer), VPCI_STATUS_BAD_DATA);
	assert_int_equal(hvh_violation_count(guest->host, HVH_V_VPCI_SIZE), 1);
	message.type = VPCI_QUERY_RESOURCES;
	assert_int_equal(ask(guest, &message, sizeof message, &answer), VPCI_STATUS_NOT_SUPPORTED);
	assert_int_equal(violations(guest), 4);
	assert_int_equal(ask(guest, &word, sizeof word, &answer), 0); /* done, for all that */
	assert_int_equal(hvh_violation_count(guest->host, HVH_V_VPCI_PADDING), 1);
}

static void what_matters_is_to_be_completed(void **state)
{
	struct guest *guest = *state;
	struct vpci_slot_message message = {VPCI_QUERY_RESOURCE_REQUIREMENTS, SLOT};
	struct answer answer;

	(void)bus_in_d0(guest, VPCI_VERSION_1_2);
	send_message(guest, &message, sizeof message, false, 0);
	assert_false(receive(guest, &answer));
	assert_only_violation(guest, HVH_V_VPCI_VALUE);
}

static void at_each_step_the_host_may_fall_silent(void **state)
{
	static const struct {
		enum hvh_silence step;
		uint32_t type;
	} rows[] = {
		{HVH_SILENCE_VPCI_RELATIONS, VPCI_QUERY_BUS_RELATIONS},
		{HVH_SILENCE_VPCI_REQUIREMENTS, VPCI_QUERY_RESOURCE_REQUIREMENTS},
		{HVH_SILENCE_VPCI_RESOURCES, VPCI_RESOURCES_RELEASED},
		{HVH_SILENCE_VPCI_D0_EXIT, VPCI_BUS_D0_EXIT},
	};
	struct guest *guest = *state;
	struct answer answer;

	(void)bus_in_d0(guest, VPCI_VERSION_1_2);
	for (unsigned n = 0; n < sizeof rows / sizeof rows[0]; n++) {
		struct vpci_slot_message message = {rows[n].type,
						    rows[n].step == HVH_SILENCE_VPCI_REQUIREMENTS ||
								    rows[n].step == HVH_SILENCE_VPCI_RESOURCES
							    ? SLOT
							    : 0};

		hvh_silence_set(guest->host, rows[n].step);
		send_message(guest, &message, sizeof message, true, 1);
		pass(guest, 100 * MS);
		assert_false(receive(guest, &answer));
		hvh_silence_set(guest->host, HVH_SILENCE_NONE);
	}
	assert_int_equal(config_read(guest, PCI_VENDOR, 2), HVH_REGISTERS_VENDOR); /* D0 was not left */
	assert_no_violation(guest);
}

static void answers_may_be_late_and_stay_in_order(void **state)
{
	struct guest *guest = *state;
	struct vpci_slot_message message = {VPCI_QUERY_RESOURCE_REQUIREMENTS, SLOT};
	struct answer answer;

	(void)bus_in_d0(guest, VPCI_VERSION_1_2);
	hvh_fault_set(guest->host, HVH_FAULT_DELAY_COMPLETION, 65536);
	for (uint64_t id = 1; id <= 60; id++) /* more than the host keeps */
		send_message(guest, &message, sizeof message, true, id);
	assert_false(receive(guest, &answer));
	for (uint64_t id = 1; id <= 60; id++) {
		for (unsigned n = 0; n < 200 && !receive(guest, &answer); n++)
			pass(guest, MS);
		assert_int_equal(answer.descriptor.transaction_id, id);
	}
	assert_no_violation(guest);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(versions_up_to_the_newest_are_accepted),
		TEST(a_host_accepts_what_its_profile_knows),
		TEST(a_bus_may_know_less_than_its_host),
		TEST(what_comes_before_the_version_ends_the_worker),
		TEST(only_in_band_packets_are_read),
		TEST(relations_describe_the_function),
		TEST(from_1_3_relations_are_longer),
		TEST(a_query_is_completed_if_asked),
		TEST(the_serial_is_in_the_instance),
		TEST(each_habit_of_relations_at_d0),
		TEST(requirements_are_the_bars_as_probed),
		TEST(d0_is_entered_once_and_left),
		TEST(windows_that_are_none),
		TEST(d0_comes_before_what_needs_it),
		TEST(a_closed_bus_forgets),
		TEST(a_bus_opened_again_has_nothing_of_before),
		TEST(resources_may_say_where_bars_are),
		TEST(resources_of_zeros_take_bars_away),
		TEST(resources_that_contradict_themselves),
		TEST(power_goes_and_comes),
		TEST(resources_are_released),
		TEST(what_is_malformed_is_refused),
		TEST(what_matters_is_to_be_completed),
		TEST(at_each_step_the_host_may_fall_silent),
		TEST(answers_may_be_late_and_stay_in_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
