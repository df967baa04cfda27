/* SPDX-License-Identifier: MIT */
/* Functions that come, stay, change and go: by lists, by ejection, with the channel; and what a host says
 * that cannot be. */
#include "tests/unit/guest_vpci_host.h"

#define SLOT 2u
#define EJECT_MS 200u

static const struct hvk_vpci_config quick = {.eject_ms = EJECT_MS};

static bool logged(const char *word)
{
	return strstr(bench.log, word) != NULL;
}

/* --- Lists ---------------------------------------------------------------------------------------- */

static void the_same_list_again_changes_nothing(void **state)
{
	(void)state;
	fake_up(NULL);
	claim(bench.function);
	bench.log[0] = 0;
	fake_list();
	fake_list();
	fake_run();
	assert_string_equal(bench.log, "");
	assert_int_equal(bench.told_gone + bench.asked, 0);
	fake_end();
}

static void what_is_not_listed_has_gone(void **state)
{
	(void)state;
	fake_up(NULL);
	claim(bench.function);
	bench.function_count = 0;
	fake_list();
	fake_run();
	assert_int_equal(bench.told_gone, 1);
	assert_int_equal(bench.removed, 1);
	assert_int_equal(bench.gone, 0);
	assert_false(logged("released")); /* of what is not there */
	fake_end();
}

static void one_that_is_gone_reads_as_ones(void **state)
{
	(void)state;
	fake_up(NULL);
	claim(bench.function);
	bench.holds_on = true;
	bench.function_count = 0;
	fake_list();
	fake_run();
	assert_int_equal(bench.removed, 0); /* its driver holds on */
	bench.nowhere = 0;
	assert_int_equal(hvk_pci_config_read(bench.function, PCI_VENDOR, 2), 0xffff);
	assert_int_equal(hvk_pci_config_read(bench.function, PCI_COMMAND, 1), 0xff);
	assert_int_equal(hvk_pci_config_write(bench.function, PCI_COMMAND, 2, 0), HVK_EGONE);
	assert_int_equal(hvk_pci_bar_read(bench.function, 0, 0, 8), UINT64_MAX);
	hvk_pci_bar_write(bench.function, 0, 0, 4, 1);
	assert_int_equal(hvk_pci_enable(bench.function, true, true), HVK_EGONE);
	assert_int_equal(bench.nowhere, 0); /* the device was not touched */
	hvk_pci_release(bench.function);
	fake_run();
	assert_int_equal(bench.removed, 1);
	fake_end();
}

static void a_second_one_comes(void **state)
{
	(void)state;
	fake_up(NULL);
	fake_describe(&bench.functions[1], 0x21); /* device 1, function 1 */
	bench.function_count = 2;
	fake_list();
	fake_run();
	assert_int_equal(bench.added, 2);
	assert_int_equal(hvk_pci_get_info(bench.second)->device, 1);
	assert_int_equal(hvk_pci_get_info(bench.second)->function, 1);
	assert_int_equal(hvk_pci_get_info(bench.second)->domain, 0x567a);
	assert_ptr_equal(hvk_vpci_next_function(bench.bus, NULL), bench.function);
	assert_ptr_equal(hvk_vpci_next_function(bench.bus, bench.function), bench.second);
	assert_null(hvk_vpci_next_function(bench.bus, bench.second));
	fake_end();
}

/* Another function in a slot whose driver still holds on to the last one. */
static void a_slot_changes_its_function(void **state)
{
	(void)state;
	fake_up(&quick);
	claim(bench.function);
	bench.holds_on = true;
	bench.functions[0].description.function.serial++;
	fake_list();
	fake_run();
	assert_int_equal(bench.told_gone, 1);
	assert_int_equal(bench.added, 2);
	fake_say_slot(VPCI_EJECT, SLOT); /* of the new one */
	fake_run();
	assert_true(logged("ejected"));
	assert_int_equal(bench.removed, 1);
	hvk_pci_release(bench.function);
	fake_run();
	assert_int_equal(bench.removed, 2);
	fake_end();
}

static void one_that_finds_no_place_waits_for_it(void **state)
{
	const struct hvk_vpci_config one = {.functions_max = 1};

	(void)state;
	fake_up(&one);
	claim(bench.function);
	bench.holds_on = true;
	bench.functions[0].description.function.serial++;
	fake_list();
	fake_run();
	assert_int_equal(bench.added, 1);
	hvk_pci_release(bench.function);
	fake_run();
	assert_int_equal(bench.added, 2);
	fake_end();
}

static void two_in_one_slot(void **state)
{
	(void)state;
	fake_begin(NULL);
	fake_describe(&bench.functions[1], SLOT);
	bench.functions[1].description.function.serial = 1;
	bench.function_count = 2;
	assert_int_equal(fake_attach(), HVK_OK);
	assert_int_equal(bench.added, 1);
	assert_int_equal(bench.hvk.last_fault, HVK_EHOST_VPCI);
	fake_end();
}

static void more_than_there_is_room_for(void **state)
{
	const struct hvk_vpci_config two = {.functions_max = 2};

	(void)state;
	fake_begin(&two);
	for (uint32_t i = 0; i < 4; i++)
		fake_describe(&bench.functions[i], i);
	bench.function_count = 4;
	assert_int_equal(fake_attach(), HVK_OK);
	assert_int_equal(bench.added, 2);
	fake_end();
}

static void lists_that_are_shorter_than_they_say(void **state)
{
	static const struct {
		uint32_t type, count, length;
	} wrong[] = {{VPCI_BUS_RELATIONS, 1, 27},          {VPCI_BUS_RELATIONS2, 1, 35},
		     {VPCI_BUS_RELATIONS, 2, 47},          {VPCI_BUS_RELATIONS2, 0xffffffff, 64},
		     {VPCI_BUS_RELATIONS2, 0x9249249, 64}, {VPCI_BUS_RELATIONS, 0, 7}};

	(void)state;
	fake_up(NULL);
	for (uint32_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		uint8_t bytes[64] = {0};

		memcpy(bytes, &wrong[i], 8);
		(void)fake_say(bytes, wrong[i].length);
		fake_run();
		assert_int_equal(bench.hvk.faults, i + 1);
	}
	assert_int_equal(bench.removed, 0);
	fake_end();
}

/* Each record at its own stride: the second one of the old format too. */
static void two_of_the_old_format(void **state)
{
	(void)state;
	fake_begin(NULL);
	bench.old_format = true;
	bench.newest = VPCI_VERSION_1_2;
	fake_describe(&bench.functions[1], 3);
	bench.function_count = 2;
	assert_int_equal(fake_attach(), HVK_OK);
	assert_int_equal(bench.added, 2);
	assert_int_equal(hvk_pci_get_info(bench.second)->serial, 0x1000567b);
	fake_end();
}

static void the_host_says_that_its_list_has_changed(void **state)
{
	const uint32_t type = VPCI_INVALIDATE_BUS;

	(void)state;
	fake_up(NULL);
	bench.function_count = 0;
	bench.channel.room = 0;
	(void)fake_say(&type, sizeof(type));
	fake_run();
	assert_int_equal(bench.removed, 0);
	bench.channel.room = FAKE_NONE;
	fake_kick();
	assert_int_equal(bench.removed, 1);
	fake_end();
}

/* --- Ejection ----------------------------------------------------------------------------------------- */

static void ejected_without_a_driver(void **state)
{
	(void)state;
	fake_up(&quick);
	fake_say_slot(VPCI_EJECT, SLOT);
	fake_run();
	assert_true(logged("removed:2 ejected"));
	assert_int_equal(hvk_vpci_next_function(bench.bus, NULL) == NULL, 1);
	fake_end();
	assert_false(logged("released"));
}

static void ejected_from_a_driver(void **state)
{
	(void)state;
	fake_up(&quick);
	claim(bench.function);
	bench.holds_on = true;
	fake_say_slot(VPCI_EJECT, SLOT);
	fake_say_slot(VPCI_EJECT, SLOT); /* once more: once is enough */
	fake_run();
	assert_int_equal(bench.asked, 1);
	assert_false(logged("ejected"));
	assert_int_equal(hvk_pci_claim(bench.function, &(struct hvk_pci_hooks){0}), HVK_EGONE);
	assert_int_not_equal(hvk_pci_config_read(bench.function, PCI_COMMAND, 2), 0xffff); /* it works */
	hvk_pci_release(bench.function);
	fake_run();
	assert_true(logged("removed:2 ejected"));
	assert_int_equal(bench.functions[0].config[PCI_COMMAND], 0); /* neither memory nor master */
	assert_int_equal(bench.told_gone, 0);
	fake_end();
}

static void a_driver_has_so_much_time(void **state)
{
	(void)state;
	fake_up(&quick);
	claim(bench.function);
	bench.holds_on = true;
	fake_say_slot(VPCI_EJECT, SLOT);
	fake_run();
	fake_pass(EJECT_MS - 10);
	assert_int_equal(bench.told_gone, 0);
	fake_pass(20);
	assert_int_equal(bench.told_gone, 1);
	assert_true(logged("ejected")); /* the host need not wait */
	assert_int_equal(bench.removed, 0);
	fake_pass(EJECT_MS * 4);
	assert_int_equal(bench.told_gone, 1);
	hvk_pci_release(bench.function);
	fake_run();
	assert_int_equal(bench.removed, 1);
	fake_end();
}

static void the_answer_waits_for_room(void **state)
{
	(void)state;
	fake_up(&quick);
	bench.channel.ring_full = true;
	fake_say_slot(VPCI_EJECT, SLOT);
	fake_run();
	assert_int_equal(bench.removed, 0);
	bench.channel.ring_full = false;
	fake_kick();
	assert_true(logged("removed:2 ejected"));
	fake_end();
}

static void ejected_while_it_comes_up(void **state)
{
	static const uint32_t silent[] = {VPCI_QUERY_RESOURCE_REQUIREMENTS, VPCI_BUS_D0_ENTRY,
					  VPCI_RESOURCES_ASSIGNED2};

	(void)state;
	for (uint32_t i = 0; i < 3; i++) {
		fake_begin(&quick);
		fake_describe(&bench.functions[1], 3);
		bench.function_count = 2;
		fake_rule(silent[i], 1)->silent = true;
		assert_int_equal(fake_attach(), HVK_EINPROGRESS);
		fake_say_slot(VPCI_EJECT, SLOT);
		fake_run();
		assert_true(logged("ejected"));
		/* The answer that was awaited comes all the same. */
		for (uint32_t n = 0; n < bench.channel.sent_count; n++) {
			const uint8_t answer[28] = {0};

			if (bench.channel.sent[n].cookie)
				(void)fake_put(VMBUS_PACKET_COMPLETION, bench.channel.sent[n].cookie, answer,
					       28);
			bench.channel.sent[n].cookie = NULL;
		}
		bench.d0 = bench.d0 || silent[i] == VPCI_BUS_D0_ENTRY;
		fake_run();
		assert_int_equal(bench.attach.status, HVK_OK);
		assert_int_equal(bench.added, 1);
		assert_int_equal(bench.function->slot, 3);
		fake_end();
	}
}

/* It is in the list, and asked back before anybody has looked there. */
static void ejected_as_soon_as_it_is_listed(void **state)
{
	(void)state;
	fake_begin(&quick);
	fake_rule(VPCI_QUERY_BUS_RELATIONS, 1)->silent = true;
	assert_int_equal(fake_attach(), HVK_EINPROGRESS);
	fake_list();
	fake_say_slot(VPCI_EJECT, SLOT);
	fake_run();
	assert_true(logged("ejected"));
	assert_false(logged("sizes"));
	assert_int_equal(bench.attach.status, HVK_OK);
	assert_int_equal(bench.added, 0);
	fake_end();
}

/* One that could not be used is the host's to take back all the same. */
static void ejected_though_it_was_left_alone(void **state)
{
	(void)state;
	fake_begin(&quick);
	fake_describe(&bench.functions[1], 3);
	bench.functions[1].probed[0] = 0xf0f0f0f0;
	bench.function_count = 2;
	assert_int_equal(fake_attach(), HVK_OK);
	assert_int_equal(bench.added, 1);
	fake_say_slot(VPCI_EJECT, 3);
	fake_run();
	assert_true(logged("ejected"));
	fake_end();
}

static void ejections_that_cannot_be(void **state)
{
	const uint32_t alone = VPCI_EJECT;

	(void)state;
	fake_up(NULL);
	fake_say_slot(VPCI_EJECT, 9);
	fake_run();
	assert_int_equal(bench.hvk.last_fault, HVK_EHOST_ID);
	(void)fake_say(&alone, sizeof(alone));
	fake_run();
	assert_int_equal(bench.hvk.last_fault, HVK_EHOST_VPCI);
	assert_false(logged("ejected"));
	assert_int_equal(bench.removed, 0);
	fake_end();
}

/* --- The channel goes --------------------------------------------------------------------------------- */

static void rescinded(void **state)
{
	(void)state;
	fake_up(NULL);
	claim(bench.function);
	bench.holds_on = true;
	bench.channel.rescinded = true;
	fake_kick();
	assert_int_equal(bench.told_gone, 1);
	assert_int_equal(bench.gone, 0);
	hvk_pci_release(bench.function);
	fake_run();
	assert_int_equal(bench.gone, 1);
	fake_kick();
	assert_int_equal(bench.gone, 1);
	fake_end();
}

static void rescinded_after_it_was_asked_for(void **state)
{
	(void)state;
	fake_up(&quick);
	claim(bench.function);
	bench.holds_on = true;
	fake_say_slot(VPCI_EJECT, SLOT);
	fake_run();
	bench.channel.rescinded = true;
	fake_kick();
	assert_int_equal(bench.asked, 1);
	assert_int_equal(bench.told_gone, 1);
	fake_pass(EJECT_MS * 2);
	hvk_pci_release(bench.function);
	fake_run();
	assert_int_equal(bench.gone, 1);
	assert_false(logged("ejected"));
	fake_end();
}

static void a_ring_that_contradicts_itself(void **state)
{
	const uint32_t nothing = 0;

	(void)state;
	fake_up(NULL);
	claim(bench.function);
	fake_say(&nothing, 4)->status = HVK_EHOST_RING_INDEX;
	fake_run();
	assert_int_equal(bench.told_gone, 1);
	assert_int_equal(bench.gone, 1);
	fake_end();
}

static void a_detach_waits_for_the_driver(void **state)
{
	(void)state;
	fake_up(&quick);
	claim(bench.function);
	bench.holds_on = true;
	hvk_vpci_detach(bench.bus, &bench.other);
	fake_run();
	assert_int_equal(bench.asked, 1);
	hvk_vpci_detach(bench.bus, &bench.detach);
	fake_run();
	assert_int_equal(bench.detach.status, HVK_EBUSY);
	fake_pass(EJECT_MS * 2);
	assert_int_equal(bench.told_gone, 1);
	assert_int_equal(bench.other.status, HVK_EINPROGRESS);
	assert_int_equal(hvk_vpci_destroy(bench.bus), HVK_ESTATE);
	hvk_pci_release(bench.function);
	fake_run();
	assert_int_equal(bench.other.status, HVK_OK);
	fake_end();
}

/* --- Messages ------------------------------------------------------------------------------------------- */

static void what_nobody_knows_is_counted(void **state)
{
	static const uint32_t types[] = {
		VPCI_INVALIDATE_BLOCK, VPCI_INVALIDATE_DEVICE, VPCI_QUERY_STOP, VPCI_REENABLE, 0x42490777, 1};

	(void)state;
	fake_up(NULL);
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		fake_say(&types[i], 4)->answer_wanted = true;
	(void)fake_put(VMBUS_PACKET_GPA_DIRECT, NULL, &types[0], 4);
	fake_run();
	assert_int_equal(bench.completions, sizeof(types) / sizeof(types[0]));
	assert_int_equal(bench.hvk.faults, 0);
	(void)fake_say(&types[0], 3);
	fake_run();
	assert_int_equal(bench.hvk.last_fault, HVK_EHOST_VPCI);
	assert_int_equal(bench.removed, 0);
	fake_end();
}

static void claims(void **state)
{
	const struct hvk_pci_hooks hooks = {on_leaving, &bench};

	(void)state;
	fake_up(NULL);
	claim(bench.function);
	assert_int_equal(hvk_pci_claim(bench.function, &hooks), HVK_EBUSY);
	hvk_pci_release(bench.function);
	fake_run();
	assert_int_equal(bench.removed, 0);
	claim(bench.function);
	fake_end();
	assert_int_equal(bench.asked, 1);
}

static void configuration_space_is_guarded(void **state)
{
	struct hvk_pci_function *function;

	(void)state;
	fake_up(NULL);
	function = bench.function;
	claim(function);
	assert_int_equal(hvk_pci_config_read(function, PCI_CLASS, 1), 2);
	assert_int_equal(hvk_pci_config_read(function, PCI_SUBSYSTEM, 2), 1);
	assert_int_equal(hvk_pci_config_read(function, PCI_ROM, 4), 0);
	assert_int_equal(hvk_pci_config_read(function, PCI_INTERRUPT_PIN, 1), 0);
	assert_int_equal(hvk_pci_config_read(function, 4093, 4), UINT32_MAX);
	assert_int_equal(hvk_pci_config_read(function, 4096, 4), UINT32_MAX);
	assert_int_equal(hvk_pci_config_read(function, UINT32_MAX - 3, 4), UINT32_MAX);
	assert_int_equal(hvk_pci_config_read(function, 0x40, 3), UINT32_MAX);
	assert_int_equal(hvk_pci_config_read(function, 0x41, 2), 0xffff);
	assert_int_equal(bench.nowhere, 0);
	assert_int_equal(hvk_pci_config_write(function, FAKE_MSIX_AT + 2, 2, 0), HVK_EINVAL);
	assert_int_equal(hvk_pci_config_write(function, FAKE_MSIX_AT + 8, 4, 0), HVK_EINVAL);
	assert_int_equal(hvk_pci_config_write(function, PCI_HEADER_TYPE, 1, 0), HVK_EINVAL);
	assert_int_equal(hvk_pci_config_write(function, PCI_CAPABILITIES, 1, 0), HVK_EINVAL);
	assert_int_equal(hvk_pci_config_write(function, PCI_BAR0 + 20, 4, 0), HVK_EINVAL);
	assert_int_equal(hvk_pci_config_write(function, FAKE_MSIX_AT + 12, 4, 0x1234), HVK_OK);
	assert_int_equal(get_bytes(bench.functions[0].config + FAKE_MSIX_AT + 12, 4), 0x1234);
	assert_int_equal(hvk_pci_config_read(function, PCI_BAR0 + 8, 4),
			 (uint32_t)hvk_pci_get_info(function)->bars[2].address | 0xc);
	fake_end();
}

static void dumped(void *context, const char *line)
{
	uint32_t *lines = context;

	(void)line;
	++*lines;
}

static void it_can_be_looked_at(void **state)
{
	uint32_t before = 0, after = 0;

	(void)state;
	fake_begin(NULL);
	hvk_vpci_dump(bench.bus, dumped, &before);
	assert_int_equal(fake_attach(), HVK_OK);
	hvk_vpci_dump(bench.bus, dumped, &after);
	assert_true(before >= 7 && after > before + 10);
	assert_ptr_equal(hvk_vpci_channel(bench.bus), &bench.channel);
	assert_int_equal(hvk_vpci_domain(bench.bus), 0x567a);
	fake_end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_same_list_again_changes_nothing),
		cmocka_unit_test(what_is_not_listed_has_gone),
		cmocka_unit_test(one_that_is_gone_reads_as_ones),
		cmocka_unit_test(a_second_one_comes),
		cmocka_unit_test(a_slot_changes_its_function),
		cmocka_unit_test(one_that_finds_no_place_waits_for_it),
		cmocka_unit_test(two_in_one_slot),
		cmocka_unit_test(more_than_there_is_room_for),
		cmocka_unit_test(lists_that_are_shorter_than_they_say),
		cmocka_unit_test(two_of_the_old_format),
		cmocka_unit_test(the_host_says_that_its_list_has_changed),
		cmocka_unit_test(ejected_without_a_driver),
		cmocka_unit_test(ejected_from_a_driver),
		cmocka_unit_test(a_driver_has_so_much_time),
		cmocka_unit_test(the_answer_waits_for_room),
		cmocka_unit_test(ejected_while_it_comes_up),
		cmocka_unit_test(ejected_as_soon_as_it_is_listed),
		cmocka_unit_test(ejected_though_it_was_left_alone),
		cmocka_unit_test(ejections_that_cannot_be),
		cmocka_unit_test(rescinded),
		cmocka_unit_test(rescinded_after_it_was_asked_for),
		cmocka_unit_test(a_ring_that_contradicts_itself),
		cmocka_unit_test(a_detach_waits_for_the_driver),
		cmocka_unit_test(what_nobody_knows_is_counted),
		cmocka_unit_test(claims),
		cmocka_unit_test(configuration_space_is_guarded),
		cmocka_unit_test(it_can_be_looked_at),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
