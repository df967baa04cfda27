/* SPDX-License-Identifier: MIT */
/* Message slots, the pending flag, EOM, event flags: each rule with a guest that keeps
 * it and one that does not. */
#include "host_guest.h"

#include "host/hypervisor/hypervisor.h"

static const uint8_t first[8] = {1}, second[8] = {2}, third[8] = {3};

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

static void send(struct guest *guest, const uint8_t message[8])
{
	assert_true(hvh_synic_post(guest->host, guest->now, 1, VMBUS_SINT, message, 8));
}

static uint32_t slot_type(struct guest *guest)
{
	return *word_at(guest, slot_at(1));
}

static void clear_slot(struct guest *guest)
{
	*word_at(guest, slot_at(1)) = 0;
}

static bool pending(const struct guest *guest)
{
	return (guest->memory[slot_at(1) + 5] & 1) != 0;
}

static void a_message_goes_into_an_empty_slot_and_interrupts(void **state)
{
	struct guest *guest = *state;
	send(guest, first);
	assert_int_equal(slot_type(guest), 1);
	assert_int_equal(guest->memory[slot_at(1) + 4], 8);
	assert_memory_equal(guest->memory + slot_at(1) + 16, first, 8);
	assert_false(pending(guest));
	assert_int_equal(guest->interrupts[1], 1);
	assert_int_equal(guest->interrupts[0], 0);
	assert_int_equal(guest->last_vector, VECTOR);
}

static void a_full_slot_gets_the_flag_and_nothing_else_changes(void **state)
{
	struct guest *guest = *state;
	uint8_t before[256];
	send(guest, first);
	memcpy(before, guest->memory + slot_at(1), sizeof(before));
	before[5] |= 1;
	send(guest, second);
	assert_memory_equal(guest->memory + slot_at(1), before, sizeof(before));
	assert_int_equal(guest->interrupts[1], 1);
}

static void the_next_message_comes_on_eom_and_only_then(void **state)
{
	struct guest *guest = *state;
	send(guest, first);
	send(guest, second);
	clear_slot(guest);
	hvh_run(guest->host, guest->now);
	assert_int_equal(slot_type(guest), 0);
	send(guest, third); /* not even this delivers the second one */
	assert_int_equal(slot_type(guest), 0);
	set_msr(guest, 1, HV_MSR_EOM, 0);
	assert_int_equal(slot_type(guest), 1);
	assert_memory_equal(guest->memory + slot_at(1) + 16, second, 8);
	assert_true(pending(guest));
	clear_slot(guest);
	set_msr(guest, 1, HV_MSR_EOM, 0);
	assert_memory_equal(guest->memory + slot_at(1) + 16, third, 8);
	assert_false(pending(guest));
	assert_no_violation(guest);
}

static void a_missing_eom_is_found(void **state)
{
	struct guest *guest = *state;
	send(guest, first);
	send(guest, second);
	clear_slot(guest);
	pass(guest, HVH_EOM_LIMIT + 3 * HVH_EOM_LOOK);
	assert_only_violation(guest, HVH_V_MISSING_EOM);
	pass(guest, 10 * HVH_TIME_PER_SECOND);
	assert_int_equal(violations(guest), 1);
	assert_int_equal(slot_type(guest), 0);
}

static void a_guest_that_is_slow_but_writes_eom_is_innocent(void **state)
{
	struct guest *guest = *state;
	send(guest, first);
	send(guest, second);
	pass(guest, 3 * HVH_TIME_PER_SECOND); /* reads late */
	clear_slot(guest);
	pass(guest, HVH_EOM_LIMIT / 2);
	set_msr(guest, 1, HV_MSR_EOM, 0);
	pass(guest, 3 * HVH_TIME_PER_SECOND);
	assert_no_violation(guest);
}

static void eom_before_clearing_the_slot_is_found(void **state)
{
	struct guest *guest = *state;
	send(guest, first);
	send(guest, second);
	set_msr(guest, 1, HV_MSR_EOM, 0);
	assert_only_violation(guest, HVH_V_EOM_UNNEEDED);
	assert_memory_equal(guest->memory + slot_at(1) + 16, first, 8);
}

/* The guest clears the slot between the flag and the second look: the model must
 * deliver by itself, and the EOM that the guest may still write is not its fault. */
struct race {
	struct guest *guest;
	bool armed;
};
static struct race race;

static void *racing_translate(void *context, uint64_t gpa, uint32_t length, bool write)
{
	void *at = guest_translate(context, gpa, length, write);
	if (race.armed && gpa == slot_at(1) + 5) { /* the flag's byte: cleared just before */
		race.armed = false;
		clear_slot(race.guest);
	}
	return at;
}

static struct hvh_partition *racing_host(struct guest *guest)
{
	struct hvh_config config = {.profile = &guest->profile, .vps = VPS, .seed = 1, .deterministic = true};
	struct hvh_ops ops = {.context = guest, .translate = racing_translate, .interrupt = guest_interrupt};
	return hvh_create(&config, &ops);
}

static void a_slot_cleared_meanwhile_is_filled_by_the_model_itself(void **state)
{
	struct guest *guest = *state;
	hvh_destroy(guest->host);
	guest->host = racing_host(guest);
	start_vp(guest, 1);
	race = (struct race){guest, false};
	send(guest, first);
	race.armed = true;
	send(guest, second);
	assert_false(race.armed);
	assert_int_equal(slot_type(guest), 1);
	assert_memory_equal(guest->memory + slot_at(1) + 16, second, 8);
	set_msr(guest, 1, HV_MSR_EOM, 0); /* it had seen the flag */
	assert_no_violation(guest);
	set_msr(guest, 1, HV_MSR_EOM, 0); /* once is enough */
	assert_only_violation(guest, HVH_V_EOM_UNNEEDED);
}

static void a_late_flag_comes_only_while_the_slot_is_full(void **state)
{
	struct guest *guest = *state;
	hvh_fault_set(guest->host, HVH_FAULT_LATE_PENDING, 65536);
	send(guest, first);
	send(guest, second);
	assert_false(pending(guest));
	pass(guest, HVH_LATE_PENDING_MAX + 1);
	assert_true(pending(guest));
	assert_int_equal(hvh_fault_count(guest->host, HVH_FAULT_LATE_PENDING), 1);
	clear_slot(guest);
	set_msr(guest, 1, HV_MSR_EOM, 0);
	assert_memory_equal(guest->memory + slot_at(1) + 16, second, 8);
	send(guest, third);
	clear_slot(guest); /* before the flag comes: no EOM will follow */
	assert_false(pending(guest));
	pass(guest, HVH_LATE_PENDING_MAX + 1);
	assert_int_equal(slot_type(guest), 1);
	assert_memory_equal(guest->memory + slot_at(1) + 16, third, 8);
	assert_no_violation(guest);
}

static void a_masked_sint_gets_the_message_without_interrupt(void **state)
{
	struct guest *guest = *state;
	set_control(guest, 1, HV_MSR_SINT0 + VMBUS_SINT, VECTOR | HV_SINT_MASKED);
	send(guest, first);
	assert_int_equal(slot_type(guest), 1);
	assert_int_equal(guest->interrupts[1], 0);
	assert_false(hvh_synic_signal(guest->host, 0, 1, VMBUS_SINT, 7));
	assert_false(event_set(guest, 1, 7));
}

static void a_polled_sint_does_not_interrupt(void **state)
{
	struct guest *guest = *state;
	set_control(guest, 1, HV_MSR_SINT0 + VMBUS_SINT, VECTOR | HV_SINT_POLLING);
	send(guest, first);
	assert_true(hvh_synic_signal(guest->host, 0, 1, VMBUS_SINT, 7));
	assert_true(event_set(guest, 1, 7));
	assert_int_equal(guest->interrupts[1], 0);
}

static void messages_wait_while_the_synic_is_off(void **state)
{
	struct guest *guest = *state;
	set_control(guest, 1, HV_MSR_SCONTROL, 0);
	send(guest, first);
	assert_int_equal(slot_type(guest), 0);
	set_control(guest, 1, HV_MSR_SCONTROL, 1);
	assert_int_equal(slot_type(guest), 1);
}

static void nothing_is_written_after_the_pages_are_off(void **state)
{
	struct guest *guest = *state;
	send(guest, first);
	send(guest, second);
	set_msr(guest, 1, HV_MSR_SIMP, msr(guest, 1, HV_MSR_SIMP) & HV_PAGE_RESERVED_MASK);
	set_msr(guest, 1, HV_MSR_SIEFP, msr(guest, 1, HV_MSR_SIEFP) & HV_PAGE_RESERVED_MASK);
	uint64_t messages = guest->writes[PAGE_SIMP + 1], events = guest->writes[PAGE_SIEFP + 1];
	send(guest, third);
	assert_false(hvh_synic_signal(guest->host, 0, 1, VMBUS_SINT, 7));
	set_msr(guest, 1, HV_MSR_EOM, 0);
	pass(guest, 5 * HVH_TIME_PER_SECOND);
	assert_int_equal(guest->writes[PAGE_SIMP + 1], messages);
	assert_int_equal(guest->writes[PAGE_SIEFP + 1], events);
	assert_int_equal(slot_type(guest), 0); /* what lay below */
	assert_no_violation(guest);
}

static void the_queue_is_bounded(void **state)
{
	struct guest *guest = *state;
	send(guest, first);
	for (unsigned n = 0; n < HVH_SINT_QUEUE; n++)
		send(guest, second);
	assert_false(hvh_synic_room(guest->host, 1, VMBUS_SINT));
	assert_false(hvh_synic_post(guest->host, 0, 1, VMBUS_SINT, third, 8));
}

static void an_event_interrupts_on_its_zero_to_one_only(void **state)
{
	struct guest *guest = *state;
	assert_true(hvh_synic_signal(guest->host, 0, 1, VMBUS_SINT, 2047));
	assert_true(hvh_synic_signal(guest->host, 0, 1, VMBUS_SINT, 2047));
	assert_true(event_set(guest, 1, 2047));
	assert_int_equal(guest->interrupts[1], 1);
	clear_event(guest, 1, 2047);
	assert_true(hvh_synic_signal(guest->host, 0, 1, VMBUS_SINT, 2047));
	assert_int_equal(guest->interrupts[1], 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_message_goes_into_an_empty_slot_and_interrupts, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(a_full_slot_gets_the_flag_and_nothing_else_changes, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(the_next_message_comes_on_eom_and_only_then, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(a_missing_eom_is_found, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_guest_that_is_slow_but_writes_eom_is_innocent, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(eom_before_clearing_the_slot_is_found, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_slot_cleared_meanwhile_is_filled_by_the_model_itself,
						set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_late_flag_comes_only_while_the_slot_is_full, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(a_masked_sint_gets_the_message_without_interrupt, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(a_polled_sint_does_not_interrupt, set_up, tear_down),
		cmocka_unit_test_setup_teardown(messages_wait_while_the_synic_is_off, set_up, tear_down),
		cmocka_unit_test_setup_teardown(nothing_is_written_after_the_pages_are_off, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(the_queue_is_bounded, set_up, tear_down),
		cmocka_unit_test_setup_teardown(an_event_interrupts_on_its_zero_to_one_only, set_up,
						tear_down),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
