/* SPDX-License-Identifier: MIT */
/* Interrupts of a function behind vPCI: made, put into the MSI-X table, raised, retargeted, deleted. */
#include "host_vpci_guest.h"

/* --- Raised -------------------------------------------------------------------------------------- */

/* Entry 0 goes to that processor by DEVICE_VECTOR. */
static struct vpci_translated_interrupt interrupt_on(struct guest *guest, uint16_t processor)
{
	struct vpci_translated_interrupt interrupt;
	struct answer answer;

	assert_int_equal(create_interrupt(guest, DEVICE_VECTOR, processor, &answer), 0);
	interrupt = created(&answer);
	enable_msix(guest, PCI_MSIX_CONTROL_ENABLE);
	set_entry(guest, 0, &interrupt);
	guest->interrupts[0] = guest->interrupts[1] = 0;
	return interrupt;
}

static void raise_entry(struct guest *guest, uint32_t entry)
{
	mmio_write(guest, REGISTER_BAR + HVH_REGISTERS_RAISE, 4, entry);
}

static void an_entry_raises_its_vector_on_its_processor(void **state)
{
	struct guest *guest = *state;
	struct hvh_vpci *bus = function_ready(guest);
	struct hvh_vpci_counters counters;

	(void)interrupt_on(guest, 1);
	raise_entry(guest, 0);
	assert_int_equal(guest->interrupts[0], 0);
	assert_int_equal(guest->interrupts[1], 1);
	assert_int_equal(guest->last_vector, DEVICE_VECTOR);
	hvh_vpci_get_counters(bus, &counters);
	assert_int_equal(counters.interrupts, 1);
	assert_int_equal(counters.created, 1);
	assert_no_violation(guest);
}

static void a_masked_entry_is_remembered(void **state)
{
	struct guest *guest = *state;

	(void)function_ready(guest);
	(void)interrupt_on(guest, 0);
	mmio_write(guest, MSIX_BAR + 12, 4, PCI_MSIX_ENTRY_MASKED);
	raise_entry(guest, 0);
	raise_entry(guest, 0);
	assert_int_equal(guest->interrupts[0], 0);
	assert_int_equal(mmio_read(guest, MSIX_BAR + 8192, 8), 1); /* pending */
	mmio_write(guest, MSIX_BAR + 12, 4, 0);
	assert_int_equal(guest->interrupts[0], 1);
	assert_int_equal(mmio_read(guest, MSIX_BAR + 8192, 8), 0);
	assert_no_violation(guest);
}

static void a_masked_function_is_remembered(void **state)
{
	struct guest *guest = *state;

	(void)function_ready(guest);
	(void)interrupt_on(guest, 0);
	enable_msix(guest, PCI_MSIX_CONTROL_ENABLE | PCI_MSIX_CONTROL_MASK_ALL);
	raise_entry(guest, 0);
	assert_int_equal(guest->interrupts[0], 0);
	enable_msix(guest, PCI_MSIX_CONTROL_ENABLE);
	assert_int_equal(guest->interrupts[0], 1);
	assert_no_violation(guest);
}

static void without_bus_mastering_no_message_goes_out(void **state)
{
	struct guest *guest = *state;

	(void)function_ready(guest);
	(void)interrupt_on(guest, 0);
	config_write(guest, PCI_COMMAND, 2, PCI_COMMAND_MEMORY);
	raise_entry(guest, 0);
	assert_int_equal(guest->interrupts[0], 0);
	config_write(guest, PCI_COMMAND, 2, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
	assert_int_equal(guest->interrupts[0], 1);
	assert_no_violation(guest);
}

static void with_msix_off_nothing_is_remembered(void **state)
{
	struct guest *guest = *state;

	(void)function_ready(guest);
	(void)interrupt_on(guest, 0);
	enable_msix(guest, 0);
	raise_entry(guest, 0);
	enable_msix(guest, PCI_MSIX_CONTROL_ENABLE);
	assert_int_equal(guest->interrupts[0], 0);
	assert_no_violation(guest);
}

static void the_device_s_own_timer_raises_by_itself(void **state)
{
	struct guest *guest = *state;

	(void)function_ready(guest);
	(void)interrupt_on(guest, 0);
	mmio_write(guest, REGISTER_BAR + HVH_REGISTERS_TIMER, 8, 5 * MS);
	pass(guest, 4 * MS);
	assert_int_equal(guest->interrupts[0], 0);
	pass(guest, 2 * MS);
	assert_int_equal(guest->interrupts[0], 1);
	assert_no_violation(guest);
}

static void an_address_that_nobody_gave_is_a_violation(void **state)
{
	struct guest *guest = *state;
	struct vpci_translated_interrupt invented = {.address = 0xfee00000u, .data = DEVICE_VECTOR};

	(void)function_ready(guest);
	enable_msix(guest, PCI_MSIX_CONTROL_ENABLE);
	set_entry(guest, 0, &invented);
	guest->interrupts[0] = 0;
	raise_entry(guest, 0);
	assert_int_equal(guest->interrupts[0], 0);
	assert_only_violation(guest, HVH_V_VPCI_INTERRUPT);
}

static void right_data_at_another_address_are_no_interrupt(void **state)
{
	struct guest *guest = *state;

	(void)function_ready(guest);
	struct vpci_translated_interrupt interrupt = interrupt_on(guest, 0);
	mmio_write(guest, MSIX_BAR + 12, 4, PCI_MSIX_ENTRY_MASKED);
	interrupt.address += 0x1000;
	set_entry(guest, 0, &interrupt);
	raise_entry(guest, 0);
	assert_int_equal(guest->interrupts[0], 0);
	assert_only_violation(guest, HVH_V_VPCI_INTERRUPT);
}

/* --- Made ---------------------------------------------------------------------------------------- */

static void each_version_has_its_form(void **state)
{
	struct guest *guest = *state;
	struct {
		struct vpci_create_interrupt_header header;
		struct vpci_interrupt interrupt;
	} first = {{VPCI_CREATE_INTERRUPT, SLOT}, {.vector = DEVICE_VECTOR, .count = 1, .processors = ~0ull}};
	struct {
		struct vpci_create_interrupt_header header;
		struct vpci_interrupt3 interrupt;
	} third = {{VPCI_CREATE_INTERRUPT3, SLOT},
		   {.vector = DEVICE_VECTOR, .count = 2, .processor_count = 2, .processors = {0, 1}}};
	struct answer answer;

	(void)bus_in_d0(guest, VPCI_VERSION_1_4);
	assert_int_equal(assign_resources(guest, VPCI_RESOURCES_ASSIGNED2, &answer), 0);
	assert_int_equal(ask(guest, &first, sizeof first, &answer), 0);
	assert_int_equal(created(&answer).count, 1);
	assert_int_equal(create_interrupt(guest, DEVICE_VECTOR, 0, &answer), 0);
	assert_int_equal(ask(guest, &third, sizeof third, &answer), 0);
	assert_int_equal(created(&answer).count, 2);
	/* As Linux and FreeBSD send it. */
	assert_int_equal(ask(guest, &third, 8 + VPCI_INTERRUPT3_SHORT, &answer), 0);
	assert_no_violation(guest);
}

static void a_newer_form_is_refused(void **state)
{
	struct guest *guest = *state;
	struct {
		struct vpci_create_interrupt_header header;
		struct vpci_interrupt3 interrupt;
	} third = {{VPCI_CREATE_INTERRUPT3, SLOT},
		   {.vector = DEVICE_VECTOR, .count = 1, .processor_count = 1}};
	struct answer answer;

	(void)function_ready(guest); /* 1.2 */
	assert_int_equal(ask(guest, &third, sizeof third, &answer), VPCI_STATUS_BAD_DATA);
	assert_only_violation(guest, HVH_V_VPCI_ORDER);
}

static void refuses_second(struct guest *guest, const struct vpci_interrupt2 *interrupt)
{
	struct {
		struct vpci_create_interrupt_header header;
		struct vpci_interrupt2 interrupt;
	} message = {{VPCI_CREATE_INTERRUPT2, SLOT}, *interrupt};
	uint64_t before = hvh_violation_count(guest->host, HVH_V_VPCI_VALUE);
	struct answer answer;

	assert_int_equal(ask(guest, &message, sizeof message, &answer), VPCI_STATUS_BAD_DATA);
	assert_int_equal(hvh_violation_count(guest->host, HVH_V_VPCI_VALUE), before + 1);
}

static void what_makes_no_interrupt(void **state)
{
	struct guest *guest = *state;
	struct vpci_interrupt2 good = {.vector = DEVICE_VECTOR, .count = 1, .processor_count = 1}, bad;

	(void)function_ready(guest);
	bad = good, bad.vector = 15;
	refuses_second(guest, &bad);
	bad = good, bad.count = 0;
	refuses_second(guest, &bad);
	bad = good, bad.count = 3;
	refuses_second(guest, &bad);
	bad = good, bad.count = 64;
	refuses_second(guest, &bad);
	bad = good, bad.vector = 255, bad.count = 2;
	refuses_second(guest, &bad);
	bad = good, bad.delivery_mode = 4;
	refuses_second(guest, &bad);
	bad = good, bad.processor_count = 0;
	refuses_second(guest, &bad);
	bad = good, bad.processor_count = 33;
	refuses_second(guest, &bad);
	bad = good, bad.processors[0] = VPS;
	refuses_second(guest, &bad);
}

static void resources_come_before_interrupts(void **state)
{
	struct guest *guest = *state;
	struct answer answer;

	(void)bus_in_d0(guest, VPCI_VERSION_1_2);
	assert_int_equal(create_interrupt(guest, DEVICE_VECTOR, 0, &answer), VPCI_STATUS_BAD_DATA);
	assert_only_violation(guest, HVH_V_VPCI_ORDER);
}

static void there_is_an_end_to_interrupts(void **state)
{
	struct guest *guest = *state;
	struct answer answer;

	(void)function_ready(guest);
	for (unsigned n = 0; n < 494; n++)
		assert_int_equal(create_interrupt(guest, DEVICE_VECTOR, 0, &answer), 0);
	assert_int_equal(create_interrupt(guest, DEVICE_VECTOR, 0, &answer), VPCI_STATUS_BAD_DATA);
	assert_only_violation(guest, HVH_V_VPCI_VALUE);
}

/* --- Deleted ------------------------------------------------------------------------------------- */

static void a_deleted_interrupt_is_none(void **state)
{
	struct guest *guest = *state;
	struct vpci_delete_interrupt message = {.type = VPCI_DELETE_INTERRUPT, .slot = SLOT};
	struct answer answer;

	(void)function_ready(guest);
	message.interrupt = interrupt_on(guest, 0);
	assert_int_equal(ask(guest, &message, sizeof message, &answer), 0);
	assert_no_violation(guest);
	raise_entry(guest, 0);
	assert_int_equal(guest->interrupts[0], 0);
	assert_only_violation(guest, HVH_V_VPCI_INTERRUPT);
	assert_int_equal(ask(guest, &message, sizeof message, &answer), VPCI_STATUS_BAD_DATA);
	assert_int_equal(hvh_violation_count(guest->host, HVH_V_VPCI_INTERRUPT), 2);
}

/* --- Retargeted ---------------------------------------------------------------------------------- */

/* Of the bus's instance, as Linux has it. */
static uint64_t device_id(struct guest *guest)
{
	struct hvh_device_info info;

	assert_true(hvh_device_get(guest->host, 0, &info));
	return (uint32_t)info.instance[5] << 24 | (uint32_t)info.instance[4] << 16 |
	       (uint32_t)info.instance[7] << 8 | (info.instance[6] & 0xf8u);
}

struct retarget {
	struct hv_retarget_input input;
	uint64_t set[3];
};

static struct retarget retarget_of(struct guest *guest, const struct vpci_translated_interrupt *interrupt)
{
	return (struct retarget){
		.input =
			{
				.partition = HV_PARTITION_SELF,
				.device_id = device_id(guest),
				.source = HV_INTERRUPT_SOURCE_MSI,
				.address = (uint32_t)interrupt->address,
				.data = interrupt->data,
				.vector = DEVICE_VECTOR + 1,
				.processors = 1u << 1,
			},
	};
}

static uint32_t call(struct guest *guest, const struct retarget *retarget, uint32_t words)
{
	memcpy(guest->memory + ADDRESS(PAGE_INPUT), retarget, sizeof *retarget);
	return hypercall(guest, 0, HV_CALL_RETARGET_DEVICE_INTERRUPT | HV_CALL_VARIABLE_HEADER(words),
			 ADDRESS(PAGE_INPUT));
}

static void retargeting_moves_vector_and_processor(void **state)
{
	struct guest *guest = *state;
	struct hvh_vpci *bus = function_ready(guest);
	struct vpci_translated_interrupt interrupt = interrupt_on(guest, 0);
	struct retarget retarget = retarget_of(guest, &interrupt);
	struct hvh_vpci_counters counters;

	assert_int_equal(call(guest, &retarget, 0), HV_STATUS_SUCCESS);
	raise_entry(guest, 0);
	assert_int_equal(guest->interrupts[0], 0);
	assert_int_equal(guest->interrupts[1], 1);
	assert_int_equal(guest->last_vector, DEVICE_VECTOR + 1);
	hvh_vpci_get_counters(bus, &counters);
	assert_int_equal(counters.retargeted, 1);
	assert_no_violation(guest);
}

static void retargeting_takes_a_processor_set(void **state)
{
	struct guest *guest = *state;

	(void)function_ready(guest);
	struct vpci_translated_interrupt interrupt = interrupt_on(guest, 0);
	struct retarget retarget = retarget_of(guest, &interrupt);
	retarget.input.flags = HV_INTERRUPT_PROCESSOR_SET;
	retarget.input.processors = HV_PROCESSOR_SET_SPARSE;
	retarget.set[0] = 1;
	retarget.set[1] = 1u << 1;
	assert_int_equal(call(guest, &retarget, 2), HV_STATUS_SUCCESS);
	raise_entry(guest, 0);
	assert_int_equal(guest->interrupts[0], 0);
	assert_int_equal(guest->interrupts[1], 1);
	retarget.input.flags |= HV_INTERRUPT_MULTICAST;
	retarget.input.processors = HV_PROCESSOR_SET_ALL;
	assert_int_equal(call(guest, &retarget, 0), HV_STATUS_SUCCESS);
	raise_entry(guest, 0);
	assert_int_equal(guest->interrupts[0], 1);
	assert_int_equal(guest->interrupts[1], 2);
	assert_no_violation(guest);
}

static void refuses_call(struct guest *guest, const struct retarget *retarget, uint32_t words,
			 uint32_t status)
{
	uint64_t before = hvh_violation_count(guest->host, HVH_V_HYPERCALL);

	assert_int_equal(call(guest, retarget, words), status);
	assert_int_equal(hvh_violation_count(guest->host, HVH_V_HYPERCALL), before + 1);
}

/* Its vectors follow one another, wherever it is moved: none is of an exception. */
static void retargeting_moves_a_group_as_a_whole(void **state)
{
	struct {
		struct vpci_create_interrupt_header header;
		struct vpci_interrupt2 interrupt;
	} message = {{VPCI_CREATE_INTERRUPT2, SLOT},
		     {.vector = DEVICE_VECTOR, .count = 4, .processor_count = 1, .processors = {0}}};
	struct guest *guest = *state;
	struct answer answer;

	(void)function_ready(guest);
	assert_int_equal(ask(guest, &message, sizeof message, &answer), 0);
	struct vpci_translated_interrupt group = created(&answer), third = group;
	struct retarget retarget = retarget_of(guest, &group);
	third.data += 2;
	set_entry(guest, 0, &third);
	enable_msix(guest, PCI_MSIX_CONTROL_ENABLE);
	retarget.input.vector = 253; /* the last would be 256 */
	refuses_call(guest, &retarget, 0, HV_STATUS_INVALID_PARAMETER);
	raise_entry(guest, 0);
	assert_int_equal(guest->last_vector, DEVICE_VECTOR + 2);
	retarget.input.vector = 252;
	assert_int_equal(call(guest, &retarget, 0), HV_STATUS_SUCCESS);
	raise_entry(guest, 0);
	assert_int_equal(guest->last_vector, 254);
	retarget.input.data = third.data;
	retarget.input.vector = 17; /* the first would be 15 */
	refuses_call(guest, &retarget, 0, HV_STATUS_INVALID_PARAMETER);
	retarget.input.vector = 18;
	assert_int_equal(call(guest, &retarget, 0), HV_STATUS_SUCCESS);
	raise_entry(guest, 0);
	assert_int_equal(guest->last_vector, 18);
}

static void what_retargets_nothing(void **state)
{
	struct guest *guest = *state;

	(void)function_ready(guest);
	struct vpci_translated_interrupt interrupt = interrupt_on(guest, 0);
	struct retarget good = retarget_of(guest, &interrupt), bad;
	bad = good, bad.input.partition = 1;
	refuses_call(guest, &bad, 0, HV_STATUS_INVALID_PARAMETER);
	bad = good, bad.input.device_id ^= 8;
	refuses_call(guest, &bad, 0, HV_STATUS_INVALID_PARAMETER);
	bad = good, bad.input.data++;
	refuses_call(guest, &bad, 0, HV_STATUS_INVALID_PARAMETER);
	bad = good, bad.input.source = 0;
	refuses_call(guest, &bad, 0, HV_STATUS_INVALID_PARAMETER);
	bad = good, bad.input.vector = 8;
	refuses_call(guest, &bad, 0, HV_STATUS_INVALID_PARAMETER);
	bad = good, bad.input.vector = 256;
	refuses_call(guest, &bad, 0, HV_STATUS_INVALID_PARAMETER);
	bad = good, bad.input.reserved2 = 1;
	refuses_call(guest, &bad, 0, HV_STATUS_INVALID_PARAMETER);
	bad = good, bad.input.processors = 0;
	refuses_call(guest, &bad, 0, HV_STATUS_INVALID_PARAMETER);
	bad = good, bad.input.processors = 1u << VPS;
	refuses_call(guest, &bad, 0, HV_STATUS_INVALID_VP_INDEX);
	refuses_call(guest, &good, 1, HV_STATUS_INVALID_HYPERCALL_INPUT); /* a header without a set */
	bad = good, bad.input.flags = HV_INTERRUPT_PROCESSOR_SET, bad.input.processors = 0, bad.set[0] = 1;
	refuses_call(guest, &bad, 1, HV_STATUS_INVALID_HYPERCALL_INPUT); /* a bank is missing */
	bad.set[0] = 2, bad.set[1] = 1;                                  /* processor 64 */
	refuses_call(guest, &bad, 2, HV_STATUS_INVALID_VP_INDEX);
	assert_int_equal(hypercall(guest, 0, HV_CALL_RETARGET_DEVICE_INTERRUPT | HV_CALL_FAST, 0),
			 HV_STATUS_INVALID_HYPERCALL_INPUT);
	assert_int_equal(hypercall(guest, 0, HV_CALL_RETARGET_DEVICE_INTERRUPT, ADDRESS(PAGE_INPUT) + 4),
			 HV_STATUS_INVALID_ALIGNMENT);
	/* It has stayed where it was. */
	raise_entry(guest, 0);
	assert_int_equal(guest->interrupts[0], 1);
	assert_int_equal(guest->last_vector, DEVICE_VECTOR);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(an_entry_raises_its_vector_on_its_processor),
		TEST(a_masked_entry_is_remembered),
		TEST(a_masked_function_is_remembered),
		TEST(without_bus_mastering_no_message_goes_out),
		TEST(with_msix_off_nothing_is_remembered),
		TEST(the_device_s_own_timer_raises_by_itself),
		TEST(an_address_that_nobody_gave_is_a_violation),
		TEST(right_data_at_another_address_are_no_interrupt),
		TEST(each_version_has_its_form),
		TEST(a_newer_form_is_refused),
		TEST(what_makes_no_interrupt),
		TEST(resources_come_before_interrupts),
		TEST(there_is_an_end_to_interrupts),
		TEST(a_deleted_interrupt_is_none),
		TEST(retargeting_moves_vector_and_processor),
		TEST(retargeting_takes_a_processor_set),
		TEST(retargeting_moves_a_group_as_a_whole),
		TEST(what_retargets_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
