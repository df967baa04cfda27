/* SPDX-License-Identifier: MIT */
/* MSI-X by vPCI: made, moved, deleted and had again after a sleep; and what goes wrong at each of these. */
#include "tests/unit/guest_vpci_host.h"

#define DEVICE \
	0x6655887fu /* of the instance's bytes 5, 4, 7 and 6 without its last three bits, and function 0 */

static bool logged(const char *word)
{
	return strstr(bench.log, word) != NULL;
}

static void ready(void)
{
	fake_up(NULL);
	claim(bench.function);
	bench.log[0] = 0;
}

static hvk_status create(uint32_t index, uint32_t cpu)
{
	hvk_pci_interrupt_create(bench.function, index, cpu, on_fire, &bench, &bench.interrupt);
	fake_run();
	return bench.interrupt.status;
}

static hvk_status retarget(uint32_t index, uint32_t cpu)
{
	hvk_pci_interrupt_retarget(bench.function, index, cpu, &bench.interrupt);
	fake_run();
	return bench.interrupt.status;
}

static hvk_status delete_one(uint32_t index)
{
	hvk_pci_interrupt_delete(bench.function, index, &bench.interrupt);
	fake_run();
	return bench.interrupt.status;
}

static struct pci_msix_entry entry(uint32_t index)
{
	struct pci_msix_entry found;

	memcpy(&found, bench.functions[0].table + index * sizeof(found), sizeof(found));
	return found;
}

/* The vector comes on that CPU. */
static uint32_t fire(uint32_t cpu, uint32_t vector)
{
	uint32_t before = bench.fired;

	if (bench.vectors[cpu][vector])
		hvk_poller_kick(&bench.hvk, bench.vectors[cpu][vector]);
	fake_run();
	return bench.fired - before;
}

static const struct fake_sent *last_sent(uint32_t type)
{
	for (uint32_t i = bench.channel.sent_count; i-- != 0;) {
		if (bench.channel.sent[i].type == type)
			return &bench.channel.sent[i];
	}
	fail_msg("it was not sent");
	return NULL;
}

/* --- Made -------------------------------------------------------------------------------------------- */

static void made_and_deleted(void **state)
{
	(void)state;
	ready();
	assert_int_equal(create(3, 1), HVK_OK);
	assert_int_equal(entry(3).address, FAKE_ADDRESS);
	assert_int_equal(entry(3).data, bench.created);
	assert_int_equal(entry(3).control, 0);
	assert_int_equal(bench.functions[0].config[FAKE_MSIX_AT + 3] & 0xc0, 0x80); /* on, not masked */
	assert_int_equal(fire(1, 0), 1);
	assert_int_equal(bench.last_index, 3);
	assert_int_equal(fire(0, 0), 0);
	assert_int_equal(delete_one(3), HVK_OK);
	assert_int_equal(entry(3).control, PCI_MSIX_ENTRY_MASKED);
	assert_string_equal(bench.log, "create3 delete ");
	assert_int_equal(fake_vectors(), 0);
	assert_int_equal(delete_one(3), HVK_ESTATE);
	fake_end();
}

/* Type, slot, vector 0x60, fixed, one, processor 0x41; Linux and FreeBSD send as much. */
static void the_message_of_each_version(void **state)
{
	/* clang-format off */
	static const struct {
		uint32_t version, type, length;
		uint8_t bytes[24];
	} messages[] = {
		{VPCI_VERSION_1_1, 0x42490014, 24,
		 {0x14, 0, 0x49, 0x42, 2, 0, 0, 0, 0x60, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x80}},
		{VPCI_VERSION_1_2, 0x42490017, 80,
		 {0x17, 0, 0x49, 0x42, 2, 0, 0, 0, 0x60, 0, 1, 0, 1, 0, 63}},
		{VPCI_VERSION_1_3, 0x42490017, 80,
		 {0x17, 0, 0x49, 0x42, 2, 0, 0, 0, 0x60, 0, 1, 0, 1, 0, 63}},
		{VPCI_VERSION_1_4, 0x4249001b, 84,
		 {0x1b, 0, 0x49, 0x42, 2, 0, 0, 0, 0x60, 0, 0, 0, 0, 0, 1, 0, 1, 0, 63}},
	};
	/* clang-format on */

	(void)state;
	for (size_t i = 0; i < sizeof(messages) / sizeof(messages[0]); i++) {
		const struct fake_sent *sent;

		fake_begin(NULL);
		bench.newest = messages[i].version;
		bench.vp_first = 63;
		assert_int_equal(fake_attach(), HVK_OK);
		claim(bench.function);
		assert_int_equal(create(0, 0), HVK_OK);
		sent = last_sent(messages[i].type);
		assert_int_equal(sent->length, messages[i].length);
		assert_memory_equal(sent->payload, messages[i].bytes, 24);
		fake_end();
	}
}

static void processors_above_63(void **state)
{
	static const uint8_t processor[] = {0x2c, 0x01}; /* 300 */

	(void)state;
	fake_begin(NULL);
	bench.vp_first = 300;
	assert_int_equal(fake_attach(), HVK_OK);
	claim(bench.function);
	assert_int_equal(create(0, 0), HVK_OK);
	assert_memory_equal(last_sent(VPCI_CREATE_INTERRUPT3)->payload + 18, processor, 2);
	fake_end();
}

/* 1.1 has a mask of 64: it is made for the first processor, and moved before it is unmasked. */
static void processors_above_63_where_there_is_a_mask(void **state)
{
	(void)state;
	fake_begin(NULL);
	bench.newest = VPCI_VERSION_1_1;
	bench.vp_first = 300;
	assert_int_equal(fake_attach(), HVK_OK);
	claim(bench.function);
	assert_int_equal(create(0, 1), HVK_OK);
	assert_int_equal(last_sent(VPCI_CREATE_INTERRUPT)->payload[16], 1);
	assert_true(logged("create retarget:"));
	assert_int_equal(fire(1, 0), 1);
	bench.retarget_status = HVK_EHYPERCALL;
	assert_int_equal(create(1, 1), HVK_EHYPERCALL);
	assert_true(logged("delete"));
	assert_int_equal(entry(1).address, 0);
	bench.retarget_status = HVK_OK;
	assert_int_equal(create(1, 1), HVK_OK);
	fake_end();
}

static void what_cannot_be_made(void **state)
{
	(void)state;
	ready();
	assert_int_equal(create(FAKE_ENTRIES, 0), HVK_ELIMIT);
	assert_int_equal(create(0, FAKE_CPUS), HVK_EINVAL);
	assert_int_equal(create(0, 0), HVK_OK);
	assert_int_equal(create(0, 1), HVK_EBUSY);
	bench.vector_count = 1;
	assert_int_equal(create(1, 0), HVK_ELIMIT);
	bench.vector_count = 0;
	assert_int_equal(create(1, 0), HVK_ELEVEL);
	bench.vector_count = 16;
	bench.hvk.cpu_off = 3;
	assert_int_equal(create(1, 2), HVK_ESTATE);
	assert_int_equal(create(1, 1), HVK_OK); /* nothing was left behind */
	fake_end();
}

static void the_host_refuses(void **state)
{
	(void)state;
	ready();
	fake_rule(VPCI_CREATE_INTERRUPT3, 1)->status = 0xc000009a;
	assert_int_equal(create(0, 0), HVK_EREFUSED_VPCI);
	assert_int_equal(fake_vectors(), 0);
	fake_rule(VPCI_CREATE_INTERRUPT3, 1)->length = 23;
	assert_int_equal(create(0, 0), HVK_EHOST_VPCI);
	fake_rule(VPCI_CREATE_INTERRUPT3, 1)->length = 3;
	assert_int_equal(create(0, 0), HVK_EHOST_VPCI);
	assert_int_equal(bench.hvk.faults, 2);
	assert_int_equal(create(0, 0), HVK_OK);
	fake_end();
}

static void the_host_is_silent(void **state)
{
	(void)state;
	ready();
	fake_rule(VPCI_CREATE_INTERRUPT3, 1)->silent = true;
	assert_int_equal(create(0, 0), HVK_EINPROGRESS);
	hvk_pci_interrupt_create(bench.function, 1, 0, on_fire, &bench, &bench.other); /* in line */
	fake_run();
	fake_pass(4980);
	assert_int_equal(bench.interrupt.status, HVK_EINPROGRESS);
	fake_pass(30);
	assert_int_equal(bench.interrupt.status, HVK_ETIMEDOUT_VPCI);
	assert_int_equal(bench.other.status, HVK_OK);
	assert_int_equal(create(0, 0), HVK_OK);
	fake_end();
}

static void no_room_in_the_ring(void **state)
{
	(void)state;
	ready();
	bench.channel.room = 0;
	assert_int_equal(create(0, 0), HVK_EINPROGRESS);
	bench.channel.room = FAKE_NONE;
	fake_kick();
	assert_int_equal(bench.interrupt.status, HVK_OK);
	bench.channel.room = 0;
	assert_int_equal(delete_one(0), HVK_EINPROGRESS);
	bench.channel.room = FAKE_NONE;
	fake_kick();
	assert_int_equal(bench.interrupt.status, HVK_OK);
	fake_end();
}

/* --- Masks ---------------------------------------------------------------------------------------------- */

static void masks_are_kept(void **state)
{
	(void)state;
	ready();
	assert_int_equal(hvk_pci_enable(bench.function, false, true), HVK_OK);
	bench.nowhere = 0;
	assert_int_equal(create(0, 0), HVK_OK); /* decoding is on for the time */
	assert_int_equal(entry(0).address, FAKE_ADDRESS);
	hvk_pci_interrupt_mask(bench.function, 0, true);
	assert_int_equal(entry(0).control, PCI_MSIX_ENTRY_MASKED);
	assert_int_equal(bench.functions[0].config[PCI_COMMAND], PCI_COMMAND_MASTER);
	hvk_pci_interrupt_mask(bench.function, 0, false);
	assert_int_equal(entry(0).control, 0);
	hvk_pci_interrupt_mask(bench.function, FAKE_ENTRIES, false);
	hvk_pci_interrupt_mask(bench.function, 1, true); /* there is none */
	assert_int_equal(delete_one(0), HVK_OK);
	assert_int_equal(entry(0).control, PCI_MSIX_ENTRY_MASKED);
	assert_int_equal(bench.nowhere, 0);
	fake_end();
}

static void masked_while_it_is_made(void **state)
{
	(void)state;
	ready();
	hvk_pci_interrupt_create(bench.function, 0, 0, on_fire, &bench, &bench.interrupt);
	hvk_pci_interrupt_mask(bench.function, 0, true);
	fake_run();
	assert_int_equal(bench.interrupt.status, HVK_OK);
	assert_int_equal(entry(0).control, PCI_MSIX_ENTRY_MASKED);
	fake_end();
}

/* --- Moved --------------------------------------------------------------------------------------------- */

static void moved(void **state)
{
	struct hvk_pci_counters counters;
	char expected[64];

	(void)state;
	ready();
	assert_int_equal(create(0, 0), HVK_OK);
	assert_int_equal(retarget(0, 2), HVK_OK);
	snprintf(expected, sizeof(expected), "create3 retarget:%x:%x:1:60:2 ", DEVICE & ~7u, FAKE_ADDRESS);
	assert_string_equal(bench.log, expected);
	assert_int_equal(bench.fired, 1); /* one may have come in between */
	assert_int_equal(fire(0, 0), 0);
	assert_int_equal(fire(2, 0), 1);
	assert_int_equal(fake_vectors(), 1);
	assert_int_equal(retarget(0, 2), HVK_OK); /* to where it is */
	assert_int_equal(fire(2, 1), 1);
	hvk_pci_get_counters(bench.function, &counters);
	assert_int_equal(counters.retargets, 2);
	fake_end();
}

static void what_cannot_be_moved(void **state)
{
	(void)state;
	ready();
	assert_int_equal(retarget(0, 1), HVK_ESTATE);
	assert_int_equal(create(0, 0), HVK_OK);
	assert_int_equal(retarget(FAKE_ENTRIES, 1), HVK_EINVAL);
	assert_int_equal(retarget(0, FAKE_CPUS), HVK_EINVAL);
	bench.retarget_status = HVK_EHYPERCALL;
	assert_int_equal(retarget(0, 1), HVK_EHYPERCALL);
	bench.retarget_status = HVK_OK;
	bench.hvk.cpu_off = 2;
	assert_int_equal(retarget(0, 1), HVK_ESTATE);
	bench.hvk.cpu_off = 0;
	bench.vector_count = 0;
	assert_int_equal(retarget(0, 1), HVK_ELEVEL);
	bench.vector_count = 16;
	assert_int_equal(fire(0, 0), 1); /* it is where it was */
	assert_int_equal(fake_vectors(), 1);
	assert_int_equal(retarget(0, 1), HVK_OK);
	fake_end();
}

/* --- Its driver lets go at the wrong moment --------------------------------------------------- */

static void let_go_while_one_is_made(void **state)
{
	(void)state;
	ready();
	fake_rule(VPCI_CREATE_INTERRUPT3, 1)->silent = true;
	assert_int_equal(create(0, 0), HVK_EINPROGRESS);
	hvk_pci_release(bench.function);
	assert_int_equal(hvk_pci_claim(bench.function, &(struct hvk_pci_hooks){0}), HVK_EBUSY);
	for (uint32_t i = 0; i < bench.channel.sent_count; i++) {
		struct vpci_create_interrupt_answer answer = {.interrupt = {0, 1, 9, FAKE_ADDRESS}};

		if (bench.channel.sent[i].cookie)
			(void)fake_put(VMBUS_PACKET_COMPLETION, bench.channel.sent[i].cookie, &answer,
				       sizeof(answer));
		bench.channel.sent[i].cookie = NULL;
	}
	fake_run();
	assert_int_equal(bench.interrupt.status, HVK_ECANCELED);
	assert_string_equal(bench.log, "create3 delete ");
	assert_int_equal(entry(0).address, 0);
	assert_int_equal(fake_vectors(), 0);
	claim(bench.function);
	fake_end();
}

static void release_it(void)
{
	hvk_pci_release(bench.function);
}

static void let_go_while_one_is_moved(void **state)
{
	(void)state;
	ready();
	assert_int_equal(create(0, 0), HVK_OK);
	bench.moved = release_it;
	assert_int_equal(retarget(0, 1), HVK_OK);
	assert_true(logged("delete"));
	assert_int_equal(fake_vectors(), 0);
	fake_end();
}

static void gone_while_one_is_made(void **state)
{
	(void)state;
	ready();
	fake_rule(VPCI_CREATE_INTERRUPT3, 1)->silent = true;
	assert_int_equal(create(0, 0), HVK_EINPROGRESS);
	hvk_pci_interrupt_create(bench.function, 1, 0, on_fire, &bench, &bench.other);
	bench.channel.rescinded = true;
	fake_kick();
	assert_int_equal(bench.interrupt.status, HVK_EGONE);
	assert_int_equal(bench.other.status, HVK_EGONE);
	assert_int_equal(bench.gone, 1);
	fake_end();
}

static void gone_with_all_of_them(void **state)
{
	(void)state;
	ready();
	for (uint32_t i = 0; i < FAKE_ENTRIES; i++)
		assert_int_equal(create(i, i % FAKE_CPUS), HVK_OK);
	bench.function_count = 0;
	fake_list();
	fake_run();
	assert_int_equal(bench.removed, 1);
	assert_false(logged("delete"));
	assert_int_equal(fake_vectors(), 0);
	fake_end();
}

/* --- Sleep ------------------------------------------------------------------------------------ */

static hvk_status sleep_now(void)
{
	hvk_vpci_suspend(bench.bus, &bench.suspend);
	fake_run();
	return bench.suspend.status;
}

static hvk_status wake_up(void)
{
	hvk_vpci_resume(bench.bus, &bench.attach);
	fake_run();
	return bench.attach.status;
}

static void asleep_and_awake(void **state)
{
	struct pci_msix_entry before;

	(void)state;
	ready();
	assert_int_equal(create(0, 0), HVK_OK);
	assert_int_equal(create(2, 1), HVK_OK);
	hvk_pci_interrupt_mask(bench.function, 2, true);
	before = entry(0);
	bench.log[0] = 0;
	assert_int_equal(sleep_now(), HVK_OK);
	assert_string_equal(bench.log, "released exit close ");
	assert_int_equal(entry(0).address, 0);
	bench.nowhere = 0;
	assert_int_equal(hvk_pci_config_read(bench.function, PCI_VENDOR, 2), 0xffff);
	assert_int_equal(hvk_pci_config_write(bench.function, PCI_COMMAND, 2, 0), HVK_ESTATE);
	hvk_pci_bar_write(bench.function, 0, 0, 4, 0);
	assert_int_equal(bench.nowhere, 0);
	bench.log[0] = 0;
	assert_int_equal(wake_up(), HVK_OK);
	assert_string_equal(bench.log, "open version relations d0 assigned2 create3 create3 ");
	assert_int_equal(entry(0).address, before.address);
	assert_int_equal(entry(2).control, PCI_MSIX_ENTRY_MASKED);
	assert_int_equal(bench.functions[0].config[PCI_COMMAND], PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
	assert_int_equal(fire(0, 0), 1);
	assert_int_equal(bench.added, 1);
	assert_int_equal(bench.nowhere, 0);
	fake_end();
}

static void a_sleep_waits_until_all_rest(void **state)
{
	(void)state;
	ready();
	fake_rule(VPCI_CREATE_INTERRUPT3, 1)->silent = true;
	assert_int_equal(create(0, 0), HVK_EINPROGRESS);
	assert_int_equal(sleep_now(), HVK_EINPROGRESS);
	assert_false(logged("exit"));
	fake_pass(5010);
	assert_int_equal(bench.interrupt.status, HVK_ETIMEDOUT_VPCI);
	assert_int_equal(bench.suspend.status, HVK_OK);
	assert_int_equal(wake_up(), HVK_OK);
	fake_end();
}

static void asked_for_in_its_sleep(void **state)
{
	struct hvk_request moved_request = {0}, deleted = {0};

	(void)state;
	ready();
	assert_int_equal(create(0, 0), HVK_OK);
	assert_int_equal(create(1, 0), HVK_OK);
	assert_int_equal(sleep_now(), HVK_OK);
	bench.log[0] = 0;
	hvk_pci_interrupt_create(bench.function, 2, 2, on_fire, &bench, &bench.interrupt);
	hvk_pci_interrupt_retarget(bench.function, 0, 3, &moved_request);
	hvk_pci_interrupt_delete(bench.function, 1, &deleted);
	assert_int_equal(hvk_pci_enable(bench.function, true, false), HVK_OK);
	fake_run();
	fake_pass(100);
	assert_int_equal(bench.interrupt.status, HVK_EINPROGRESS);
	assert_int_equal(moved_request.status, HVK_OK);
	assert_int_equal(deleted.status, HVK_OK);
	assert_string_equal(bench.log, ""); /* the host knows nothing of all that */
	assert_int_equal(wake_up(), HVK_OK);
	assert_int_equal(bench.interrupt.status, HVK_OK);
	assert_int_equal(bench.functions[0].config[PCI_COMMAND], PCI_COMMAND_MEMORY);
	assert_int_equal(fire(3, 0), 1);
	assert_int_equal(fire(2, 0), 1);
	assert_int_equal(entry(1).address, 0);
	fake_end();
}

/* Its driver deletes one while that is had again. */
static void let_go_while_it_wakes_up(void **state)
{
	(void)state;
	ready();
	assert_int_equal(create(0, 0), HVK_OK);
	assert_int_equal(create(1, 0), HVK_OK);
	assert_int_equal(sleep_now(), HVK_OK);
	fake_rule(VPCI_CREATE_INTERRUPT3, 1)->silent = true;
	assert_int_equal(wake_up(), HVK_EINPROGRESS);
	assert_int_equal(delete_one(0), HVK_ESTATE);
	hvk_pci_release(bench.function);
	bench.log[0] = 0;
	for (uint32_t i = 0; i < bench.channel.sent_count; i++) {
		struct vpci_create_interrupt_answer answer = {.interrupt = {0, 1, 9, FAKE_ADDRESS}};

		if (bench.channel.sent[i].cookie)
			(void)fake_put(VMBUS_PACKET_COMPLETION, bench.channel.sent[i].cookie, &answer,
				       sizeof(answer));
		bench.channel.sent[i].cookie = NULL;
	}
	fake_run();
	assert_int_equal(bench.attach.status, HVK_OK);
	assert_true(logged("delete"));
	assert_int_equal(fake_vectors(), 0);
	assert_int_equal(entry(0).address, 0);
	fake_end();
}

static void it_does_not_wake_up(void **state)
{
	(void)state;
	ready();
	assert_int_equal(create(0, 0), HVK_OK);
	assert_int_equal(sleep_now(), HVK_OK);
	fake_rule(VPCI_CREATE_INTERRUPT3, FAKE_NONE)->status = 0xc000009a;
	assert_int_equal(wake_up(), HVK_EREFUSED_VPCI);
	assert_int_equal(bench.removed, 1);
	fake_end();
}

static void it_was_ejected_as_it_fell_asleep(void **state)
{
	const struct hvk_vpci_config quick = {.eject_ms = 200};

	(void)state;
	fake_up(&quick);
	claim(bench.function);
	bench.holds_on = true;
	fake_say_slot(VPCI_EJECT, 2);
	fake_run();
	bench.log[0] = 0;
	assert_int_equal(sleep_now(), HVK_OK);
	assert_int_equal(bench.asked, 1);
	assert_int_equal(bench.told_gone, 1);
	hvk_pci_release(bench.function);
	fake_run();
	assert_int_equal(wake_up(), HVK_OK); /* the host has it still: it comes anew */
	assert_int_equal(bench.added, 2);
	assert_string_equal(strstr(bench.log, "open"), "open version relations sizes d0 assigned2 added:2 ");
	fake_end();
}

static void sleeps_that_cannot_be(void **state)
{
	(void)state;
	fake_begin(NULL);
	assert_int_equal(sleep_now(), HVK_ESTATE);
	assert_int_equal(wake_up(), HVK_ESTATE);
	assert_int_equal(fake_attach(), HVK_OK);
	assert_int_equal(wake_up(), HVK_ESTATE);
	assert_int_equal(sleep_now(), HVK_OK);
	assert_int_equal(sleep_now(), HVK_ESTATE);
	assert_int_equal(fake_attach(), HVK_ESTATE);
	fake_end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(made_and_deleted),
		cmocka_unit_test(the_message_of_each_version),
		cmocka_unit_test(processors_above_63),
		cmocka_unit_test(processors_above_63_where_there_is_a_mask),
		cmocka_unit_test(what_cannot_be_made),
		cmocka_unit_test(the_host_refuses),
		cmocka_unit_test(the_host_is_silent),
		cmocka_unit_test(no_room_in_the_ring),
		cmocka_unit_test(masks_are_kept),
		cmocka_unit_test(masked_while_it_is_made),
		cmocka_unit_test(moved),
		cmocka_unit_test(what_cannot_be_moved),
		cmocka_unit_test(let_go_while_one_is_made),
		cmocka_unit_test(let_go_while_one_is_moved),
		cmocka_unit_test(gone_while_one_is_made),
		cmocka_unit_test(gone_with_all_of_them),
		cmocka_unit_test(asleep_and_awake),
		cmocka_unit_test(a_sleep_waits_until_all_rest),
		cmocka_unit_test(asked_for_in_its_sleep),
		cmocka_unit_test(let_go_while_it_wakes_up),
		cmocka_unit_test(it_does_not_wake_up),
		cmocka_unit_test(it_was_ejected_as_it_fell_asleep),
		cmocka_unit_test(sleeps_that_cannot_be),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
